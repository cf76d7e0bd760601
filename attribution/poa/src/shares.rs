//! What each owner gets of a whole.

use crate::{output, records::OwnerNames, report, tables, Global};
use anyhow::{ensure, Result};
use attribution_engine::{
    duplicates::Standing,
    shares::{quantile_cap, record_shares},
};
use serde::Serialize;
use std::path::PathBuf;

/// Records that a report shows.
const TOP: usize = 50;

/// Arguments of `poa shares`.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// Scores: a row for each query, a column for each record (.npy, .jsonl or CSV), as
    /// `poa influence` writes.
    /// Rows are added up.
    #[arg(long)]
    scores: PathBuf,
    /// A file with the name of each record's owner, one a line.
    #[arg(long)]
    owners: PathBuf,
    /// For each record that is a copy, the number of the record that owns it; its own number otherwise.
    /// A number a line.
    #[arg(long)]
    originals: Option<PathBuf>,
    /// The part of positive scores that counts in full: higher ones are cut down to the highest of them.
    #[arg(long, default_value_t = 0.99)]
    clip: f64,
    /// Write the shares to a file that ends in .csv, .json or .jsonl.
    #[arg(long)]
    output: Option<PathBuf>,
    /// Write a page for people, with owners and records, to a file of HTML.
    #[arg(long)]
    report: Option<PathBuf>,
}

#[derive(Serialize)]
struct Share {
    owner: String,
    records: usize,
    /// Of one billion.
    parts: u64,
}

/// Splits one billion.
pub(crate) fn run(arguments: Arguments, global: &Global) -> Result<()> {
    let table = tables::matrix(&arguments.scores)?;
    let owners = OwnerNames::new(tables::names(&arguments.owners, table.columns)?);
    let mut scores = vec![0.0; table.columns];
    for row in table.values.chunks_exact(table.columns) {
        for (sum, score) in scores.iter_mut().zip(row) {
            *sum += f64::from(*score);
        }
    }
    let standings = match &arguments.originals {
        None => vec![Standing::Own; table.columns],
        Some(path) => {
            let originals = tables::labels(path)?;
            ensure!(
                originals.len() == table.columns,
                "{} has {} lines for {} records",
                path.display(),
                originals.len(),
                table.columns
            );
            (0..)
                .zip(originals)
                .map(|(row, original)| {
                    ensure!(
                        original <= row,
                        "{}, line {}: {original} is no earlier record",
                        path.display(),
                        row + 1
                    );
                    Ok(if original == row {
                        Standing::Own
                    } else {
                        Standing::DuplicateOf(original)
                    })
                })
                .collect::<Result<_>>()?
        }
    };
    let cap = quantile_cap(&scores, arguments.clip)?;
    let parts = record_shares(&scores, &standings, cap)?;
    let mut shares = owners
        .names
        .iter()
        .map(|owner| Share {
            owner: owner.clone(),
            records: 0,
            parts: 0,
        })
        .collect::<Vec<_>>();
    for (owner, part) in owners.of.iter().zip(&parts) {
        let share = &mut shares[*owner as usize];
        share.records += 1;
        share.parts += u64::from(*part);
    }
    shares.sort_by(|a, b| b.parts.cmp(&a.parts).then_with(|| a.owner.cmp(&b.owner)));
    if let Some(path) = &arguments.output {
        output::write_rows(path, &shares)?;
    }
    if let Some(path) = &arguments.report {
        let mut order = (0..parts.len()).collect::<Vec<_>>();
        order.sort_by(|a, b| parts[*b].cmp(&parts[*a]).then(a.cmp(b)));
        let top = order
            .into_iter()
            .take(TOP)
            .map(|record| report::RecordShare {
                record,
                owner: &owners.names[owners.of[record] as usize],
                score: scores[record],
                parts: parts[record].into(),
            })
            .collect::<Vec<_>>();
        let shares = shares
            .iter()
            .map(|share| report::OwnerShare {
                owner: &share.owner,
                records: share.records,
                parts: share.parts,
            })
            .collect::<Vec<_>>();
        report::shares(path, &shares, &top, cap)?;
    }
    let lines = shares
        .iter()
        .map(|share| {
            format!(
                "{:>9.5} %  {} ({} records)",
                share.parts as f64 / 1e7,
                share.owner,
                share.records
            )
        })
        .collect::<Vec<_>>();
    output::print(global.json, &shares, &lines)
}
