//! Takes the state of a real chain through this runtime's upgrade and proves the books before and after, so
//! that an upgrade that would break a chain is seen before anybody votes on it.
//!
//! ```text
//! openledger-node export-state --chain SPECIFICATION --base-path FOLDER > state.json
//! check-state state.json
//! ```
//!
//! Built with the feature `try-runtime` it runs the checks of the SDK's pallets and the migrations' own too.

#[path = "../tests/books.rs"]
mod books;

use std::{env, fs, process::ExitCode};

use openledger_runtime::{Executive, System, VERSION};
use serde_json::Value;
use sp_core::storage::{well_known_keys, Storage};
use sp_io::TestExternalities;

/// The state in a raw chain specification.
fn state(specification: &Value) -> Result<Storage, String> {
    let top = specification["genesis"]["raw"]["top"]
        .as_object()
        .ok_or("no genesis.raw.top: write the file with 'openledger-node export-state'")?;
    let mut storage = Storage::default();
    for (key, value) in top {
        let text = value
            .as_str()
            .ok_or_else(|| format!("{key} holds no text"))?;
        let bytes = |hex: &str| {
            sp_core::bytes::from_hex(hex).map_err(|error| format!("{key} is damaged: {error}"))
        };
        storage.top.insert(bytes(key)?, bytes(text)?);
    }
    // The runtime that is at work is this one.
    storage.top.remove(well_known_keys::CODE);
    Ok(storage)
}

fn check(path: &str) -> Result<(), String> {
    let text =
        fs::read_to_string(path).map_err(|error| format!("{path} cannot be read: {error}"))?;
    let specification =
        serde_json::from_str(&text).map_err(|error| format!("{path} is no JSON: {error}"))?;
    let storage = state(&specification).map_err(|error| format!("{path}: {error}"))?;
    let entries = storage.top.len();
    TestExternalities::new(storage).execute_with(|| {
        let before = frame_system::LastRuntimeUpgrade::<openledger_runtime::Runtime>::get()
            .map_or(0, |upgrade| upgrade.spec_version.0);
        let block = System::block_number();
        books::check_books();
        println!("block {block}, {entries} entries, books of version {before}: right");
        #[cfg(not(feature = "try-runtime"))]
        let weight = Executive::execute_on_runtime_upgrade();
        #[cfg(feature = "try-runtime")]
        let weight = Executive::try_runtime_upgrade(frame_try_runtime::UpgradeCheckSelect::All)
            .map_err(|error| format!("a migration failed: {error:?}"))?;
        books::check_books();
        println!(
            "after the upgrade to version {}, which weighs {} ms: right",
            VERSION.spec_version,
            weight.ref_time() / 1_000_000_000
        );
        Ok(())
    })
}

fn main() -> ExitCode {
    let arguments: Vec<_> = env::args().skip(1).collect();
    let [path] = &arguments[..] else {
        eprintln!("usage: check-state FILE, as openledger-node export-state writes it");
        return ExitCode::from(2);
    };
    match check(path) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}
