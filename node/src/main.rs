//! # The OpenLedger node
//!
//! Makes, checks, finalises and serves blocks of an OpenLedger chain. It knows networks, databases
//! and consensus; what a block means is the runtime's business, and the runtime travels in the chain
//! specification as Wasm.

mod chain_spec;
mod cli;
mod command;
mod equivocations;
mod monitoring;
mod new_chain;
mod rpc;
mod service;

fn main() -> sc_cli::Result<()> {
    command::run()
}
