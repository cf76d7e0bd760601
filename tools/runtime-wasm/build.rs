//! Builds the Wasm of the runtime that `scripts/build-runtime.sh` names, as the runtime's own build script
//! does. Without a name there is nothing to build.

use std::env;

use substrate_wasm_builder::WasmBuilder;

/// Manifest of the runtime.
const PROJECT: &str = "RUNTIME_WASM_PROJECT";
/// Its features, parted by blanks.
const FEATURES: &str = "RUNTIME_WASM_FEATURES";

fn main() {
    for variable in [PROJECT, FEATURES] {
        println!("cargo:rerun-if-env-changed={variable}");
    }
    let Ok(project) = env::var(PROJECT) else {
        return;
    };
    let mut builder = WasmBuilder::new()
        .with_project(&project)
        .unwrap_or_else(|error| panic!("{PROJECT} is {project}: {error}"))
        .import_memory()
        .export_heap_base();
    for feature in env::var(FEATURES).unwrap_or_default().split_whitespace() {
        builder = builder.enable_feature(feature);
    }
    #[cfg(feature = "metadata-hash")]
    {
        // What an offline signer shows beside an amount; see the runtime's constants::currency.
        builder = builder.enable_metadata_hash("OPEN", 18);
    }
    builder.build();
}
