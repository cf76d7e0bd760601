//! `poa`: which data, whose data, shaped an output, and what is each owner's share?
//!
//! The attribution engine on files: arrays of gradients or features, and folders of text. It knows
//! neither chain nor models. The program is [`main`]; [`readers`] are the parsers of its inputs, which
//! the fuzzers in `fuzz/` call.

mod bench;
mod dedup;
mod help;
mod index;
mod influence;
mod output;
pub mod readers;
mod records;
mod report;
mod shares;
mod tables;
mod trace;
mod value;
mod verify;

use anyhow::{Context, Result};
use clap::{Args, FromArgMatches, Parser, Subcommand};
use std::{io::Write, process::ExitCode};

/// Most threads: more than any machine has cores, and few enough to be started.
const MAX_THREADS: i64 = 1_024;

/// Which data, whose data, shaped this output, and what is each owner's share?
#[derive(Debug, Parser)]
#[command(name = "poa", version, arg_required_else_help = true)]
struct Arguments {
    #[command(flatten)]
    global: Global,
    #[command(subcommand)]
    command: Command,
}

/// What every command shares.
#[derive(Debug, Args)]
pub(crate) struct Global {
    /// Threads to use. [default: one for each core]
    #[arg(long, global = true, value_parser = clap::value_parser!(u16).range(1..=MAX_THREADS))]
    threads: Option<u16>,
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
    /// Measure how fast this machine is at all that.
    Bench(bench::Arguments),
}

fn run(arguments: Arguments) -> Result<ExitCode> {
    let global = arguments.global;
    if let Some(threads) = global.threads {
        rayon::ThreadPoolBuilder::new()
            .num_threads(threads.into())
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
        Command::Bench(arguments) => bench::run(arguments, &global)?,
    }
    Ok(ExitCode::SUCCESS)
}

/// Runs the command that the process was started with.
pub fn main() -> ExitCode {
    let matches = help::command().get_matches();
    let arguments = match Arguments::from_arg_matches(&matches) {
        Ok(arguments) => arguments,
        Err(error) => error.exit(),
    };
    match run(arguments) {
        Ok(status) => status,
        Err(error) if is_broken_pipe(&error) => ExitCode::SUCCESS,
        Err(error) => {
            let message = format!("{error:#}");
            // Nobody may be there to read it.
            let _ = writeln!(std::io::stderr(), "error: {}", output::readable(&message));
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
