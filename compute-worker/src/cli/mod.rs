//! The command line.

mod data;
mod job;
mod key;
mod operator;
mod pay;
mod serve;
mod trace;
mod watch;

use crate::{chain::Client, keys::Key, store::ContentStore, telemetry, train::CancellationFlag};
use anyhow::{Context, Result};
use clap::{Args, Parser, Subcommand};
use std::{
    io::{ErrorKind, Write},
    path::PathBuf,
};

/// Trains, serves, pays: the part of OpenLedger that runs beside the chain.
#[derive(Debug, Parser)]
#[command(name = "openledger-worker", version, after_help = EXAMPLES, arg_required_else_help = true)]
pub struct Arguments {
    #[command(flatten)]
    global: Global,
    #[command(subcommand)]
    command: Command,
}

const EXAMPLES: &str = "\
Examples:
  Work as an operator on a development chain:
    openledger-worker --key //Alice run --endpoint http://127.0.0.1:8080
  Prepare a file and a list of texts as a contribution of Bob, then publish it where operators read:
    openledger-worker --key //Bob data pack README.md texts.jsonl --output bob.payload
    openledger-worker --store s3://records data publish bob.payload
  Write the hyper-parameters of an adapter job to the store:
    openledger-worker job hyper-parameters adapter --rank 8 --steps 200";

/// What every command shares.
#[derive(Debug, Args)]
pub(crate) struct Global {
    /// WebSocket URL of a node.
    #[arg(
        long,
        global = true,
        env = "OPENLEDGER_NODE",
        default_value = "ws://127.0.0.1:9944"
    )]
    node: String,
    /// Content store: a folder, or a URL such as s3://bucket/prefix. [default: FOLDER/store]
    #[arg(long, global = true, env = "OPENLEDGER_STORE")]
    store: Option<String>,
    /// File with the secret that the worker signs with; only its owner may read it.
    #[arg(
        long,
        global = true,
        env = "OPENLEDGER_KEY_FILE",
        conflicts_with = "key"
    )]
    key_file: Option<PathBuf>,
    /// The secret itself, for development: it is visible to every user of the machine.
    #[arg(long, global = true)]
    key: Option<String>,
    /// Folder for checkpoints and books.
    #[arg(
        long,
        global = true,
        env = "OPENLEDGER_FOLDER",
        default_value = "openledger-worker"
    )]
    folder: PathBuf,
    /// What is logged: a level, or target=level pairs.
    #[arg(long, global = true, env = "OPENLEDGER_LOG", default_value = "info")]
    log: String,
    /// Write results and logs as JSON, for scripts.
    #[arg(long, global = true)]
    json: bool,
}

impl Global {
    async fn chain(&self) -> Result<Client> {
        Ok(Client::connect(&self.node).await?)
    }

    fn key(&self) -> Result<Key> {
        match (&self.key_file, &self.key) {
            (Some(file), _) => Ok(Key::from_file(file)?),
            (None, Some(secret)) => Ok(Key::from_secret(secret)?),
            (None, None) => anyhow::bail!(
                "this command signs: name a file with --key-file, or on a development chain a key with --key //Alice"
            ),
        }
    }

    fn store(&self) -> Result<ContentStore> {
        let default = self.folder.join("store");
        let location = match &self.store {
            Some(location) => location.clone(),
            None => default
                .to_str()
                .context("the folder's name is not UTF-8")?
                .to_owned(),
        };
        Ok(ContentStore::open(&location)?)
    }

    /// Writes a result: as one JSON line, or as lines of name and value.
    fn print(&self, value: &serde_json::Value) -> Result<()> {
        write_line(&render(value, self.json))
    }
}

/// Writes a line to the standard output. A reader that has left wants no more; anything else that
/// keeps a result from being seen is an error.
fn write_line(line: &str) -> Result<()> {
    match writeln!(std::io::stdout(), "{line}") {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => Err(anyhow::anyhow!(
            "cannot write the result: {error}; the command itself has done its work, send its output elsewhere"
        )),
        _ => Ok(()),
    }
}

/// The error with its causes. Many messages contain their cause, so each is said only once.
pub fn describe(error: &anyhow::Error) -> String {
    let mut text = String::new();
    for cause in error.chain().map(ToString::to_string) {
        if !text.contains(&cause) {
            if !text.is_empty() {
                text.push_str(": ");
            }
            text.push_str(&cause);
        }
    }
    text
}

fn render(value: &serde_json::Value, json: bool) -> String {
    match value {
        serde_json::Value::Object(fields) if !json => {
            let width = fields.keys().map(String::len).max().unwrap_or_default();
            let line = |(name, value): (&String, &serde_json::Value)| match value {
                serde_json::Value::String(text) => format!("{name:width$}  {text}"),
                other => format!("{name:width$}  {other}"),
            };
            fields.iter().map(line).collect::<Vec<_>>().join("\n")
        }
        other => other.to_string(),
    }
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Work as an operator: train jobs and get paid.
    Run(operator::Run),
    /// Serve models and settle their channels, without training.
    Serve(serve::Serve),
    /// Give an operator's models out on this machine, and pay for the answers.
    Pay(pay::Pay),
    /// Prepare and publish records.
    #[command(subcommand)]
    Data(data::Data),
    /// Look at jobs and write their hyper-parameters.
    #[command(subcommand)]
    Job(job::JobCommand),
    /// Show which data shaped an answer.
    Trace(trace::TraceReceipt),
    /// Check what an operator settles, and challenge lies.
    Watch(watch::Watch),
    /// Show the account of the key.
    Key(key::ShowKey),
}

/// Runs the command line to its end.
pub async fn run(arguments: Arguments) -> Result<()> {
    let Arguments { global, command } = arguments;
    telemetry::start(&global.log, global.json)?;
    match command {
        Command::Run(command) => command.run(&global).await,
        Command::Serve(command) => command.run(&global).await,
        Command::Pay(command) => command.run(&global).await,
        Command::Data(command) => command.run(&global).await,
        Command::Job(command) => command.run(&global).await,
        Command::Trace(command) => command.run(&global).await,
        Command::Watch(command) => command.run(&global).await,
        Command::Key(command) => command.run(&global),
    }
}

/// A flag that interrupt and termination signals set.
fn stop_on_signals() -> Result<CancellationFlag> {
    let flag = CancellationFlag::default();
    let stop = flag.clone();
    #[cfg(unix)]
    let mut terminate = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate())
        .context("cannot listen for signals")?;
    tokio::spawn(async move {
        #[cfg(unix)]
        tokio::select! {
            _ = tokio::signal::ctrl_c() => {}
            _ = terminate.recv() => {}
        }
        #[cfg(not(unix))]
        let _ = tokio::signal::ctrl_c().await;
        tracing::info!("stopping; the work in progress is saved");
        stop.cancel();
    });
    Ok(flag)
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn success_the_command_line_is_consistent_and_has_examples() {
        Arguments::command().debug_assert();
        let help = Arguments::command().render_long_help().to_string();
        assert!(help.contains("data publish bob.payload"), "{help}");
    }

    /// The examples in the help of a command and of those below it.
    fn examples(command: &clap::Command) -> Vec<String> {
        let help = command.get_after_help().map(ToString::to_string);
        let own = help.unwrap_or_default();
        let own = own.lines().map(str::trim);
        own.filter(|line| line.starts_with("openledger-worker "))
            .map(str::to_owned)
            .chain(command.get_subcommands().flat_map(examples))
            .collect()
    }

    #[test]
    fn success_the_examples_of_every_help_parse() {
        let examples = examples(&Arguments::command());
        assert!(examples.len() > 12, "{examples:?}");
        for example in examples {
            Arguments::try_parse_from(example.split_whitespace())
                .unwrap_or_else(|error| panic!("{example}: {error}"));
        }
    }

    #[test]
    fn fails_when_two_keys_or_none_are_given() {
        let two = [
            "openledger-worker",
            "--key",
            "//Alice",
            "--key-file",
            "x",
            "key",
        ];
        assert!(Arguments::try_parse_from(two).is_err());
        let none = Arguments::try_parse_from(["openledger-worker", "key"]).unwrap();
        if std::env::var_os("OPENLEDGER_KEY_FILE").is_none() {
            let error = none.global.key().unwrap_err().to_string();
            assert!(error.contains("--key-file"), "{error}");
        }
    }

    #[test]
    fn success_a_cause_is_said_once() {
        let error = anyhow::anyhow!("disk full")
            .context("cannot write a: disk full; free space")
            .context("packing failed");
        assert_eq!(
            describe(&error),
            "packing failed: cannot write a: disk full; free space"
        );
    }

    #[test]
    fn success_results_are_lines_or_json() {
        let value = serde_json::json!({ "count": 2, "root": "0x00" });
        assert_eq!(render(&value, false), "count  2\nroot   0x00");
        assert_eq!(render(&value, true), r#"{"count":2,"root":"0x00"}"#);
    }
}
