//! Copies and near-copies of earlier records.

use crate::{output, records, Global};
use anyhow::Result;
use attribution_engine::duplicates::{near_duplicates, BandPlan, NearRules, Shingling};
use serde::Serialize;
use std::path::PathBuf;

/// Arguments of `poa dedup`.
#[derive(Debug, clap::Args)]
#[command(after_help = records::HELP)]
pub(crate) struct Arguments {
    /// Files and folders of records, earlier ones first: the earliest owns what is copied.
    #[arg(required = true)]
    records: Vec<PathBuf>,
    /// The least Jaccard similarity of a copy to its original.
    #[arg(long, default_value_t = 0.8)]
    threshold: f64,
    /// The part of copies that are just as similar as that which must be found.
    #[arg(long, default_value_t = 0.99)]
    recall: f64,
    /// Most hashes of a record.
    #[arg(long, default_value_t = 128)]
    hashes: usize,
    /// Words in a shingle.
    #[arg(long, default_value_t = 5, conflicts_with = "bytes")]
    words: usize,
    /// Bytes in a shingle, instead of words: for text without spaces.
    #[arg(long)]
    bytes: Option<usize>,
    /// Write all copies to a file that ends in .csv or .json.
    #[arg(long)]
    output: Option<PathBuf>,
}

#[derive(Serialize)]
struct Copy {
    record: String,
    owner: String,
    original: String,
    original_owner: String,
    similarity: f64,
}

#[derive(Serialize)]
struct Report {
    records: usize,
    copies: Vec<Copy>,
    comparisons: u64,
}

/// Finds copies.
pub(crate) fn run(arguments: Arguments, global: &Global) -> Result<()> {
    let records = records::read(&arguments.records)?;
    let rules = NearRules {
        shingling: match arguments.bytes {
            Some(bytes) => Shingling::Bytes(bytes),
            None => Shingling::Words(arguments.words),
        },
        threshold: arguments.threshold,
        plan: BandPlan::for_recall(arguments.threshold, arguments.recall, arguments.hashes)?,
        seed: global.seed("near-duplicates"),
    };
    let texts = records
        .iter()
        .map(|record| Some(&record.bytes[..]))
        .collect::<Vec<_>>();
    let found = near_duplicates(&texts, &rules)?;
    let copies = found
        .links
        .iter()
        .map(|link| {
            let [copy, original] = [link.row, link.owner].map(|row| &records[row as usize]);
            Copy {
                record: copy.name.clone(),
                owner: copy.owner.clone(),
                original: original.name.clone(),
                original_owner: original.owner.clone(),
                similarity: link.similarity,
            }
        })
        .collect::<Vec<_>>();
    if let Some(path) = &arguments.output {
        output::write_rows(path, &copies)?;
    }
    let mut lines = vec![format!(
        "{} of {} records are copies of earlier ones",
        copies.len(),
        records.len()
    )];
    lines.extend(copies.iter().map(|copy| {
        format!(
            "{} ({}) copies {} ({}), similarity {:.3}",
            copy.record, copy.owner, copy.original, copy.original_owner, copy.similarity
        )
    }));
    let report = Report {
        records: records.len(),
        copies,
        comparisons: found.comparisons,
    };
    output::print(global.json, &report, &lines)
}
