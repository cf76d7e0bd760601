//! Measures the weights of the calls of the runtime that was built with this tool.
//!
//! It is the `benchmark pallet` command of the SDK without a node around it; `--runtime` or `--chain`
//! name another runtime.

use clap::Parser;
use frame_benchmarking_cli::PalletCmd;
use sc_cli::LoggerBuilder;
use sp_runtime::traits::BlakeTwo256;

/// The runtime with benchmarks.
mod runtime {
    #![allow(dead_code, reason = "generated; only the path is of use")]
    include!(concat!(env!("OUT_DIR"), "/wasm_binary.rs"));
}

fn main() -> sc_cli::Result<()> {
    let mut command = PalletCmd::parse();
    LoggerBuilder::new(std::env::var("RUST_LOG").unwrap_or_else(|_| "info".into())).init()?;
    if command.runtime.is_none() && command.shared_params.chain.is_none() {
        command.runtime = runtime::WASM_BINARY_PATH.map(Into::into);
    }
    command.run_with_spec::<BlakeTwo256, ()>(None)
}
