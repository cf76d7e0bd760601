//! `poa`: which data, whose data, shaped an output, and what is each owner's share?
//!
//! The attribution engine on files: arrays of gradients or features, and folders of text. It knows
//! neither chain nor models.

mod dedup;
mod index;
mod influence;
mod output;
mod records;
mod shares;
mod tables;
mod trace;
mod value;
mod verify;

use anyhow::{Context, Result};
use clap::{Args, Parser, Subcommand};
use std::{io::Write, process::ExitCode};

/// Which data, whose data, shaped this output, and what is each owner's share?
#[derive(Debug, Parser)]
#[command(name = "poa", version, after_help = EXAMPLES, arg_required_else_help = true)]
struct Arguments {
    #[command(flatten)]
    global: Global,
    #[command(subcommand)]
    command: Command,
}

const EXAMPLES: &str = "\
Examples:
  Where does an answer quote, and whom?
    poa index corpus books/ --output books.poa
    poa trace --index books.poa answer.txt
  Which training records shaped these outputs, and what are their owners' shares?
    poa influence fisher --train gradients.npy --queries outputs.npy --output scores.npy
    poa shares --scores scores.npy --owners owners.csv
  What is each datum worth to a model?
    poa value knn-shapley --train x.npy --labels y.npy --test tx.npy --test-labels ty.npy
  Which records are copies of earlier ones?
    poa dedup submissions.jsonl

Exit status: 0 when done, 1 when an input or a file is refused, 2 when the command line is wrong,
3 when something does not verify, 130 when Ctrl-C stopped it.";

/// What every command shares.
#[derive(Debug, Args)]
pub(crate) struct Global {
    /// Threads to use. [default: one for each core]
    #[arg(long, global = true)]
    threads: Option<usize>,
    /// What everything random is drawn from: the same text gives the same results.
    #[arg(long, global = true, default_value = "0")]
    seed: String,
    /// Write results as one JSON object, for scripts.
    #[arg(long, global = true)]
    json: bool,
}

impl Global {
    /// The seed of one use of randomness.
    pub(crate) fn seed(&self, domain: &str) -> [u8; 32] {
        attribution_engine::seed(domain, self.seed.as_bytes())
    }
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Build an index of texts or of gradients.
    #[command(subcommand)]
    Index(index::Command),
    /// Find what a text quotes from records, and whose they are.
    Trace(trace::Arguments),
    /// Score what each training record did to each output, from gradients.
    Influence(influence::Arguments),
    /// Say what each datum is worth to a model.
    Value(value::Arguments),
    /// Find copies and near-copies of earlier records.
    Dedup(dedup::Arguments),
    /// Split a whole among the owners of scored records, exactly.
    Shares(shares::Arguments),
    /// Check an index against its root.
    Verify(verify::Arguments),
}

fn run(arguments: Arguments) -> Result<ExitCode> {
    let global = arguments.global;
    if let Some(threads) = global.threads {
        rayon::ThreadPoolBuilder::new()
            .num_threads(threads)
            .build_global()
            .context("cannot start the threads")?;
    }
    match arguments.command {
        Command::Index(command) => return index::run(command, &global),
        Command::Trace(arguments) => trace::run(arguments, &global)?,
        Command::Influence(arguments) => influence::run(arguments, &global)?,
        Command::Value(arguments) => value::run(arguments, &global)?,
        Command::Dedup(arguments) => dedup::run(arguments, &global)?,
        Command::Shares(arguments) => shares::run(arguments, &global)?,
        Command::Verify(arguments) => return verify::run(arguments, &global),
    }
    Ok(ExitCode::SUCCESS)
}

fn main() -> ExitCode {
    match run(Arguments::parse()) {
        Ok(status) => status,
        Err(error) if is_broken_pipe(&error) => ExitCode::SUCCESS,
        Err(error) => {
            // Nobody may be there to read it.
            let _ = writeln!(std::io::stderr(), "error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// Whether the reader of the output has seen enough, as `head` does.
fn is_broken_pipe(error: &anyhow::Error) -> bool {
    error
        .downcast_ref::<std::io::Error>()
        .is_some_and(|error| error.kind() == std::io::ErrorKind::BrokenPipe)
}
