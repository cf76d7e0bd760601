//! Is influence right? Against models that were really trained again, and on records whose kind is known.
//!
//! ```text
//! cargo bench -p openledger-worker --bench influence -- replay       a transformer and an adapter of it
//! cargo bench -p openledger-worker --bench influence -- templates    who taught the model a pattern
//! cargo bench -p openledger-worker --bench influence -- replay --quick
//! ```
//!
//! Models, training, gradients and replay are the worker's own. Lines that start with `RESULT` are the
//! rows of `docs/benchmarks-attribution.md`.

mod arrays;
mod replay;
#[path = "../tracing/corpus.rs"]
mod source;
mod templates;

use anyhow::Result;
use clap::{Parser, Subcommand};
use openledger_worker::threads;

/// Measures how well influence agrees with what is known.
#[derive(Debug, Parser)]
struct Arguments {
    #[command(subcommand)]
    part: Part,
    /// Given by `cargo bench`.
    #[arg(long, hide = true, global = true)]
    bench: bool,
}

#[derive(Debug, Subcommand)]
enum Part {
    /// Linear datamodelling scores of replay and of the index, on a transformer and on an adapter.
    Replay(replay::Options),
    /// Which records taught the model the pattern of a query, of ten patterns.
    Templates(templates::Options),
}

fn main() -> Result<()> {
    threads::configure();
    match Arguments::parse().part {
        Part::Replay(options) => replay::run(&options),
        Part::Templates(options) => templates::run(&options),
    }
}

/// Prints a row of the results.
fn result(row: &str, measured: &str, bound: &str, holds: bool) {
    let verdict = if holds { "holds" } else { "misses" };
    println!("RESULT\t{row}\t{measured}\t{bound}\t{verdict}");
}
