//! Checks an index against its root.

use crate::{
    index::{self, Kind},
    output, Global,
};
use anyhow::Result;
use serde::Serialize;
use std::{path::PathBuf, process::ExitCode};

/// Status when something does not verify.
const MISMATCH: u8 = 3;

/// Arguments of `poa verify`.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// The index's folder.
    index: PathBuf,
    /// The root that it must have, hexadecimal. [default: the one that the index states]
    #[arg(long)]
    root: Option<String>,
}

#[derive(Serialize)]
struct Verdict {
    root: String,
    expected: String,
    /// Whether principal directions, if there are any, are those that the index was built with.
    directions: bool,
    verified: bool,
}

/// Reads all of an index, computes its root and compares.
pub(crate) fn run(arguments: Arguments, global: &Global) -> Result<ExitCode> {
    let folder = &arguments.index;
    let description = index::read_description(folder)?;
    let root = match description.kind {
        Kind::Corpus => {
            let (_, corpus) = index::open_corpus(folder, true)?;
            let record = |row| corpus.record(row).unwrap_or_default();
            index::text_root((0..corpus.len()).map(record))
        }
        Kind::Gradients => index::gradients::root(&index::gradients::open(folder)?)?,
    };
    let directions = index::gradients::has_its_directions(folder, &description)?;
    let expected = arguments.root.unwrap_or(description.root);
    let expected = expected.trim_start_matches("0x").to_lowercase();
    let root = hex::encode(root);
    let verified = root == expected && directions;
    let line = if verified {
        format!("verified: {} rows with the root {root}", description.rows)
    } else if root != expected {
        format!(
            "NOT verified: the rows have the root {root}, not {expected}: build or fetch it again"
        )
    } else {
        "NOT verified: the directions beside the rows are others: build or fetch them again"
            .to_owned()
    };
    let verdict = Verdict {
        root,
        expected,
        directions,
        verified,
    };
    output::print(global.json, &verdict, &[line])?;
    Ok(if verified {
        ExitCode::SUCCESS
    } else {
        ExitCode::from(MISMATCH)
    })
}
