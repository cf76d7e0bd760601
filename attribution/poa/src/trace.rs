//! What a text quotes, and whom.

use crate::{
    index, output,
    records::{self, OwnerNames},
    report, Global,
};
use anyhow::{ensure, Context, Result};
use attribution_engine::corpus::{Corpus, SpanRules};
use serde::Serialize;
use std::{
    collections::BTreeMap,
    io::Read,
    path::{Path, PathBuf},
};

/// Most places that are listed for a span.
const PLACES: u32 = 10;
/// Characters of a span that are shown to people.
const SHOWN: usize = 60;

/// Arguments of `poa trace`.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// An index of texts, from `poa index corpus`.
    #[arg(long)]
    index: PathBuf,
    /// The texts to trace; - for standard input. A .jsonl has many: {"text": "…", "name": "…"} a line.
    #[arg(required = true)]
    texts: Vec<PathBuf>,
    /// Shortest span in bytes.
    #[arg(long, default_value_t = 24)]
    minimum: u32,
    /// Most occurrences of a span; more is common property.
    #[arg(long, default_value_t = 1_000)]
    maximum_count: u64,
    /// Write a page for people, with the spans coloured in the text: a file that ends in .html.
    #[arg(long)]
    report: Option<PathBuf>,
}

#[derive(Serialize)]
struct Trace {
    name: String,
    bytes: usize,
    covered_bytes: usize,
    spans: Vec<Span>,
    owners: Vec<OwnerBytes>,
}

#[derive(Serialize)]
struct Span {
    start: u32,
    length: u32,
    text: String,
    count: u64,
    surprisal_nats: f64,
    record: String,
    offset: u32,
    /// Who owns the record of the earliest occurrence.
    owner: String,
    owners: Vec<String>,
}

#[derive(Serialize)]
struct OwnerBytes {
    owner: String,
    /// Bytes of spans of which the owner has the earliest occurrence, each byte counted once.
    bytes: usize,
}

/// What the traces of many texts are in JSON.
#[derive(Serialize)]
struct Traces {
    texts: Vec<Trace>,
}

/// Finds the maximal spans.
pub(crate) fn run(arguments: Arguments, global: &Global) -> Result<()> {
    let (description, corpus) = index::open_corpus(&arguments.index, false)?;
    let owners = index::owners(&description);
    let mut texts = Vec::new();
    for path in &arguments.texts {
        read(path, &mut texts)?;
    }
    if let Some(path) = &arguments.report {
        ensure!(
            texts.len() == 1,
            "a report shows one text, not {}: trace them one by one, or leave {} out",
            texts.len(),
            path.display()
        );
    }
    let rules = SpanRules {
        minimum_length: arguments.minimum,
        maximum_count: arguments.maximum_count,
        maximum_places: PLACES,
    };
    let mut traces = texts
        .iter()
        .map(|(name, text)| trace(&corpus, &description.names, &owners, rules, name, text))
        .collect::<Result<Vec<_>>>()?;
    if let (Some(path), [trace], [(_, text)]) = (&arguments.report, &traces[..], &texts[..]) {
        write_report(path, text, &trace.spans, &trace.owners)?;
    }
    let mut lines = Vec::new();
    for trace in &traces {
        if traces.len() > 1 {
            lines.push(format!("{}:", trace.name));
        }
        describe(trace, &mut lines);
    }
    match (traces.len(), traces.pop()) {
        (1, Some(only)) => output::print(global.json, &only, &lines),
        (_, last) => {
            traces.extend(last);
            output::print(global.json, &Traces { texts: traces }, &lines)
        }
    }
}

/// The texts of a file, with their names.
fn read(path: &Path, texts: &mut Vec<(String, Vec<u8>)>) -> Result<()> {
    if path
        .extension()
        .is_some_and(|extension| extension == "jsonl")
    {
        let records = records::read(&[path.to_owned()])?;
        texts.extend(
            records
                .into_iter()
                .map(|record| (record.name, record.bytes)),
        );
        return Ok(());
    }
    let name = path.display().to_string();
    let text = if name == "-" {
        let mut text = Vec::new();
        std::io::stdin()
            .read_to_end(&mut text)
            .context("cannot read standard input")?;
        text
    } else {
        std::fs::read(path).with_context(|| format!("cannot read {name}"))?
    };
    texts.push((name, text));
    Ok(())
}

/// The maximal spans of one text, and the bytes of each owner.
fn trace(
    corpus: &Corpus,
    names: &[String],
    owners: &OwnerNames,
    rules: SpanRules,
    name: &str,
    text: &[u8],
) -> Result<Trace> {
    ensure!(
        !text.is_empty(),
        "the text {name} is empty: there is nothing to trace"
    );
    let of = |row: u32| owners.of.get(row as usize).copied();
    let found = corpus.maximal_spans(text, rules, of)?;
    let mut covered = 0;
    let mut bytes_of = BTreeMap::<Option<u32>, usize>::new();
    let owner_name = |owner: Option<u32>| {
        owner
            .and_then(|owner| owners.names.get(owner as usize))
            .cloned()
            .unwrap_or_default()
    };
    let mut end = 0;
    let spans = found
        .into_iter()
        .map(|span| {
            let range = span.start as usize..(span.start + span.length) as usize;
            // Neighbouring spans overlap; what the earlier one has is counted there.
            let fresh = range.end - end.max(range.start);
            end = range.end;
            covered += fresh;
            *bytes_of.entry(of(span.earliest.row)).or_default() += fresh;
            Span {
                start: span.start,
                length: span.length,
                text: String::from_utf8_lossy(&text[range]).into_owned(),
                count: span.count,
                surprisal_nats: span.surprisal,
                record: names
                    .get(span.earliest.row as usize)
                    .cloned()
                    .unwrap_or_default(),
                offset: span.earliest.offset,
                owner: owner_name(of(span.earliest.row)),
                owners: span
                    .owners
                    .iter()
                    .map(|(owner, _)| owner_name(*owner))
                    .collect(),
            }
        })
        .collect::<Vec<_>>();
    let mut owners = bytes_of
        .into_iter()
        .map(|(owner, bytes)| OwnerBytes {
            owner: owner_name(owner),
            bytes,
        })
        .collect::<Vec<_>>();
    owners.sort_by(|a, b| b.bytes.cmp(&a.bytes).then_with(|| a.owner.cmp(&b.owner)));
    Ok(Trace {
        name: name.to_owned(),
        bytes: text.len(),
        covered_bytes: covered,
        spans,
        owners,
    })
}

/// A trace in lines for people.
fn describe(trace: &Trace, lines: &mut Vec<String>) {
    lines.push(format!(
        "{} spans cover {} of {} bytes",
        trace.spans.len(),
        trace.covered_bytes,
        trace.bytes
    ));
    for span in &trace.spans {
        let shown = span.text.chars().take(SHOWN).collect::<String>();
        lines.push(format!(
            "{:>6}..{:<6} {} at byte {} ({} times): {shown:?}",
            span.start,
            span.start + span.length,
            span.record,
            span.offset,
            span.count
        ));
    }
    for owner in &trace.owners {
        lines.push(format!(
            "{:>8} bytes first written by {}",
            owner.bytes, owner.owner
        ));
    }
}

fn write_report(path: &Path, text: &[u8], spans: &[Span], owners: &[OwnerBytes]) -> Result<()> {
    let spans = spans
        .iter()
        .map(|span| report::TracedSpan {
            start: span.start as usize,
            length: span.length as usize,
            count: span.count,
            surprisal: span.surprisal_nats,
            record: &span.record,
            offset: span.offset,
            owner: &span.owner,
            owners: &span.owners,
        })
        .collect::<Vec<_>>();
    let owners = owners
        .iter()
        .map(|owner| (owner.owner.as_str(), owner.bytes))
        .collect::<Vec<_>>();
    report::trace(path, text, &spans, &owners)
}
