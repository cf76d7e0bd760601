//! The OpenLedger worker's command line.

use clap::Parser;
use openledger_worker::{
    chain::use_address_prefix,
    cli::{describe, run, Arguments},
    threads,
};
use std::{io::Write, process::ExitCode};

fn main() -> ExitCode {
    // While there is one thread.
    threads::configure();
    run_command()
}

#[tokio::main]
async fn run_command() -> ExitCode {
    // Before the arguments: they may hold addresses.
    use_address_prefix();
    match run(Arguments::parse()).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // Nobody may be there to read it.
            let _ = writeln!(std::io::stderr(), "error: {}", describe(&error));
            ExitCode::FAILURE
        }
    }
}
