//! Indexes in folders: what they were built from, and their roots.

mod corpus;
pub(crate) mod gradients;

use crate::{output, records::OwnerNames, Global};
use anyhow::{bail, ensure, Context, Result};
use attribution_engine::corpus::Corpus;
use attribution_proof::{
    hash::Hash,
    merkle::Commitment,
    record::{content_tree, record_commit, record_leaf},
    AccountId,
};
use serde::{Deserialize, Serialize};
use std::{fs, path::Path, process::ExitCode};

const VERSION: u32 = 3;
const DESCRIPTION: &str = "index.json";
const DATA: &str = "index.bin";

/// Which index.
#[derive(Debug, clap::Subcommand)]
pub(crate) enum Command {
    /// Index texts, to trace quotations in them.
    Corpus(corpus::Arguments),
    /// Index gradients: a row for each record, quantised as on chain.
    Gradients(gradients::Arguments),
}

/// What a folder holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Kind {
    /// A suffix array over texts.
    Corpus,
    /// Quantised gradients.
    Gradients,
}

/// What stands beside an index.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Description {
    version: u32,
    /// What it is.
    pub(crate) kind: Kind,
    /// Number of rows.
    pub(crate) rows: usize,
    /// Root of the commitment to the rows, hexadecimal.
    pub(crate) root: String,
    /// The records' names, in row order; none for gradients.
    pub(crate) names: Vec<String>,
    /// The records' owners.
    pub(crate) owners: Vec<String>,
    /// How gradients became rows; missing for texts.
    projection: Option<gradients::ProjectionTerms>,
}

/// What every version says of itself.
#[derive(Deserialize)]
struct Version {
    version: u32,
}

/// Builds an index.
pub(crate) fn run(command: Command, global: &Global) -> Result<ExitCode> {
    let (folder, description) = match command {
        Command::Corpus(arguments) => match corpus::build(&arguments)? {
            Some(description) => (arguments.output, description),
            None => return Ok(ExitCode::from(corpus::INTERRUPTED)),
        },
        Command::Gradients(arguments) => {
            let description = gradients::build(&arguments, global)?;
            (arguments.output, description)
        }
    };
    told(&folder, &description, global)
}

fn told(folder: &Path, description: &Description, global: &Global) -> Result<ExitCode> {
    let lines = [format!(
        "{} rows in {}; root {}",
        description.rows,
        folder.display(),
        description.root
    )];
    output::print(global.json, description, &lines)?;
    Ok(ExitCode::SUCCESS)
}

fn describe(
    kind: Kind,
    rows: usize,
    root: Hash,
    names: Vec<String>,
    owners: Vec<String>,
) -> Description {
    Description {
        version: VERSION,
        kind,
        rows,
        root: hex::encode(root),
        names,
        owners,
        projection: None,
    }
}

/// Refuses to write over something.
fn check_absent(folder: &Path) -> Result<()> {
    ensure!(
        !folder.exists(),
        "{} exists already: remove it or name another folder",
        folder.display()
    );
    Ok(())
}

/// Writes what an index is.
fn write_description(folder: &Path, description: &Description) -> Result<()> {
    output::replace(&folder.join(DESCRIPTION), |out| {
        serde_json::to_writer_pretty(out, description)?;
        Ok(())
    })
}

/// Reads what an index is.
pub(crate) fn read_description(folder: &Path) -> Result<Description> {
    let path = folder.join(DESCRIPTION);
    let text = fs::read(&path).with_context(|| {
        format!(
            "{} is no index: cannot read {DESCRIPTION}",
            folder.display()
        )
    })?;
    let damaged = || format!("{} is damaged: build the index again", path.display());
    // Other versions have other fields.
    let Version { version } = serde_json::from_slice(&text).with_context(damaged)?;
    ensure!(
        version == VERSION,
        "{} has format version {version}, this build reads version {VERSION}: build it again",
        path.display()
    );
    serde_json::from_slice(&text).with_context(damaged)
}

/// Opens an index of texts. With `all`, everything is compared with its checksums.
pub(crate) fn open_corpus(folder: &Path, all: bool) -> Result<(Description, Corpus)> {
    let description = read_description(folder)?;
    if description.kind != Kind::Corpus {
        bail!(
            "{} is an index of gradients, not of texts",
            folder.display()
        );
    }
    let path = folder.join(DATA);
    let corpus = if all {
        Corpus::load(&path)?
    } else {
        Corpus::open(&path)?
    };
    let rows = [
        corpus.len(),
        description.names.len(),
        description.owners.len(),
    ];
    ensure!(
        rows == [description.rows; 3],
        "{} contradicts itself about the number of records: build it again",
        folder.display()
    );
    Ok((description, corpus))
}

/// The root over texts, as a contribution of an account of zeros without salts commits to them.
pub(crate) fn text_root<R: AsRef<[u8]>>(records: impl IntoIterator<Item = R>) -> Hash {
    let leaves = (0..)
        .zip(records)
        .map(|(row, text)| text_leaf(row, text.as_ref()));
    Commitment::of(leaves.collect()).root
}

/// A leaf under that root.
fn text_leaf(row: u32, text: &[u8]) -> Hash {
    let commit = record_commit(&Hash::zero(), &content_tree(text).commitment());
    record_leaf(row, &AccountId::new([0; 32]), &commit, text.len() as u32)
}

/// The owners of an index's records by number.
pub(crate) fn owners(description: &Description) -> OwnerNames {
    OwnerNames::new(description.owners.iter().cloned())
}
