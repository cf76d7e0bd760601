//! The OpenLedger worker's command line.

use clap::Parser;
use openledger_worker::{
    chain::use_address_prefix,
    cli::{run, Arguments},
};
use std::process::ExitCode;

#[tokio::main]
async fn main() -> ExitCode {
    // Before the arguments: they may hold addresses.
    use_address_prefix();
    match run(Arguments::parse()).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}
