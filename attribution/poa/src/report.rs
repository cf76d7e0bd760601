//! Pages for people: one file of HTML each, which needs neither network nor script.
//!
//! They hold what a command found and nothing about when or where, so the same results give the same
//! bytes. Everything that comes from files is escaped where it is put into a page ([`html::Escaped`]),
//! and each page forbids the browser to load or run anything.

mod charts;
mod html;
mod text;

use crate::influence::Scored;
use anyhow::{ensure, Result};
use charts::{Bar, Scale};
use html::{grouped, percent, Page};
use std::path::Path;

/// Queries whose records a page shows.
const MAX_QUERIES: usize = 100;
/// Owners that a page shows.
const MAX_OWNERS: usize = 1_000;
/// Data that a page shows at either end.
const MAX_DATA: usize = 25;
/// Billionths in the whole.
const WHOLE: f64 = 1e9;

/// Refuses names of pages that a browser would not open as such.
fn check(path: &Path) -> Result<()> {
    ensure!(
        path.extension()
            .is_some_and(|extension| extension == "html" || extension == "htm"),
        "{} does not end in .html, which is what a report is",
        path.display()
    );
    Ok(())
}

/// What is left out of a page, as a sentence.
fn left_out(shown: usize, all: usize, what: &str) -> String {
    if all > shown {
        format!(
            "{} of {} {what} are shown.",
            grouped(shown as u64),
            grouped(all as u64)
        )
    } else {
        String::new()
    }
}

/// Writes the records with the highest scores for each query.
pub(crate) fn influence(
    path: &Path,
    method: &str,
    records: usize,
    top: &[Vec<Scored>],
) -> Result<()> {
    check(path)?;
    let mut page = Page::new("Influence", "Which training records shaped each output");
    page.fact("method", method);
    page.fact("training records", &grouped(records as u64));
    page.fact("queries", &grouped(top.len() as u64));
    page.paragraph(
        "A positive score means that the record helps: without it, the query's loss would be higher.",
    );
    let shown = top.len().min(MAX_QUERIES);
    page.paragraph(&left_out(shown, top.len(), "queries"));
    for (query, scored) in top.iter().take(MAX_QUERIES).enumerate() {
        page.heading(&format!("Query {query}"));
        let bars = scored
            .iter()
            .map(|scored| Bar {
                label: format!("record {}", scored.record),
                details: Vec::new(),
                value: scored.score,
            })
            .collect::<Vec<_>>();
        let scale = Scale::of(bars.iter().map(|bar| bar.value));
        let caption = format!("The records with the highest scores for query {query}");
        page.push(&charts::bars(
            &caption,
            "record",
            &[],
            &scale.unit("score"),
            &bars,
            |value| scale.show(value),
        ));
    }
    page.write(path)
}

/// An owner's share.
pub(crate) struct OwnerShare<'a> {
    /// The owner's name.
    pub(crate) owner: &'a str,
    /// How many records the owner has.
    pub(crate) records: usize,
    /// Of one billion.
    pub(crate) parts: u64,
}

/// A record and what it got.
pub(crate) struct RecordShare<'a> {
    /// The record's number.
    pub(crate) record: usize,
    /// Its owner.
    pub(crate) owner: &'a str,
    /// Its score.
    pub(crate) score: f64,
    /// Of one billion.
    pub(crate) parts: u64,
}

/// Writes the shares of owners, descending, and the records that got most.
pub(crate) fn shares(
    path: &Path,
    owners: &[OwnerShare<'_>],
    top: &[RecordShare<'_>],
    cap: Option<f64>,
) -> Result<()> {
    check(path)?;
    let mut page = Page::new("Shares", "What each owner gets of the whole");
    page.fact("owners", &grouped(owners.len() as u64));
    let records = owners.iter().map(|owner| owner.records as u64).sum();
    page.fact("records", &grouped(records));
    if let Some(cap) = cap {
        page.fact("scores are clipped at", &format!("{cap:.4e}"));
    }
    page.heading("Owners");
    let parts = owners
        .iter()
        .map(|owner| (owner.owner, owner.parts as f64))
        .collect::<Vec<_>>();
    page.push(&charts::stack(
        "Shares of the owners",
        &parts,
        WHOLE,
        "nobody",
    ));
    let bars = owners
        .iter()
        .take(MAX_OWNERS)
        .map(|owner| Bar {
            label: owner.owner.to_owned(),
            details: vec![grouped(owner.records as u64), grouped(owner.parts)],
            value: owner.parts as f64 / WHOLE,
        })
        .collect::<Vec<_>>();
    page.push(&charts::bars(
        "The owners' shares, which add up to one billion parts",
        "owner",
        &["records", "parts"],
        "share",
        &bars,
        percent,
    ));
    page.paragraph(&left_out(bars.len(), owners.len(), "owners"));
    page.heading("Records");
    let scale = Scale::of(top.iter().map(|record| record.score));
    let bars = top
        .iter()
        .map(|record| Bar {
            label: format!("record {}", record.record),
            details: vec![record.owner.to_owned(), scale.show(record.score)],
            value: record.parts as f64 / WHOLE,
        })
        .collect::<Vec<_>>();
    page.push(&charts::bars(
        "The records that got most",
        "record",
        &["owner", &scale.unit("score")],
        "share",
        &bars,
        percent,
    ));
    page.write(path)
}

/// A span of a text that stands in records.
pub(crate) struct TracedSpan<'a> {
    /// First byte in the text.
    pub(crate) start: usize,
    /// Bytes.
    pub(crate) length: usize,
    /// How often it occurs.
    pub(crate) count: u64,
    /// How surprising it is, in nats.
    pub(crate) surprisal: f64,
    /// The record of its earliest occurrence.
    pub(crate) record: &'a str,
    /// Where it stands there.
    pub(crate) offset: u32,
    /// The owner of that record.
    pub(crate) owner: &'a str,
    /// The owners of all places that are known.
    pub(crate) owners: &'a [String],
}

/// Writes a text with its spans coloured by owner. `spans` ascend by their starts; `owners` have the bytes
/// that each wrote first, descending.
pub(crate) fn trace(
    path: &Path,
    text: &[u8],
    spans: &[TracedSpan<'_>],
    owners: &[(&str, usize)],
) -> Result<()> {
    check(path)?;
    let mut page = Page::new("Trace", "What this text quotes, and whom");
    let covered = owners.iter().map(|(_, bytes)| bytes).sum::<usize>();
    let part = covered as f64 / text.len().max(1) as f64;
    page.fact("bytes", &grouped(text.len() as u64));
    let quoted = format!("{} ({})", grouped(covered as u64), percent(part));
    page.fact("bytes that stand in records", &quoted);
    page.fact("spans", &grouped(spans.len() as u64));
    page.heading("Owners");
    let parts = owners
        .iter()
        .map(|(owner, bytes)| (*owner, *bytes as f64))
        .collect::<Vec<_>>();
    let whole = text.len() as f64;
    page.push(&charts::stack(
        "Bytes first written by",
        &parts,
        whole,
        "in no record",
    ));
    page.heading("Text");
    page.paragraph(
        "Each coloured span stands word for word in a record. Point at it, or reach it with the Tab key, \
         to see where. The number behind it is that of its owner.",
    );
    page.push(&text::coloured(text, spans, owners));
    page.heading("Spans");
    page.push(&text::table(spans, text));
    page.write(path)
}

/// What a datum is worth.
pub(crate) struct DatumValue {
    /// The datum's number.
    pub(crate) datum: usize,
    /// Its value.
    pub(crate) value: f64,
    /// Both ends of its 95 % interval, where the method gives one; equal where the value is exact.
    pub(crate) interval: Option<(f64, f64)>,
}

impl DatumValue {
    /// The ends of what is drawn: without an interval, or with one that ends nowhere, the value itself.
    fn ends(&self) -> (f64, f64) {
        let finite = |end: f64| if end.is_finite() { end } else { self.value };
        match self.interval {
            Some((low, high)) => (finite(low), finite(high)),
            None => (self.value, self.value),
        }
    }
}

/// What an owner's data are worth.
pub(crate) struct OwnerValue<'a> {
    /// The owner's name.
    pub(crate) owner: &'a str,
    /// How many data the owner has.
    pub(crate) data: usize,
    /// The sum of their values.
    pub(crate) value: f64,
}

/// Writes the values of data and owners; owners descend by value.
pub(crate) fn values(
    path: &Path,
    method: &str,
    values: &[DatumValue],
    owners: &[OwnerValue<'_>],
) -> Result<()> {
    check(path)?;
    let mut page = Page::new("Values", "What each datum is worth to a model");
    page.fact("method", method);
    page.fact("data", &grouped(values.len() as u64));
    let exact = |value: &DatumValue| value.interval.is_some_and(|(low, high)| low == high);
    let intervals = if values.iter().all(|value| value.interval.is_none()) {
        "not known for this method"
    } else if values.iter().all(exact) {
        "none: values are exact"
    } else {
        "95 %"
    };
    page.fact("intervals", intervals);
    let mut order = values.iter().collect::<Vec<_>>();
    order.sort_by(|a, b| b.value.total_cmp(&a.value).then(a.datum.cmp(&b.datum)));
    page.heading("All data");
    page.push(&charts::ranks(&order));
    if !owners.is_empty() {
        page.heading("Owners");
        let scale = Scale::of(owners.iter().map(|owner| owner.value));
        let bars = owners
            .iter()
            .take(MAX_OWNERS)
            .map(|owner| Bar {
                label: owner.owner.to_owned(),
                details: vec![grouped(owner.data as u64)],
                value: owner.value,
            })
            .collect::<Vec<_>>();
        let caption = "The owners' values, which are the sums of their data's";
        let unit = scale.unit("value");
        page.push(&charts::bars(
            caption,
            "owner",
            &["data"],
            &unit,
            &bars,
            |value| scale.show(value),
        ));
        page.paragraph(&left_out(bars.len(), owners.len(), "owners"));
    }
    // Nothing is shown twice.
    let ends = MAX_DATA.min(order.len().div_ceil(2));
    let (best, rest) = order.split_at(ends);
    let worst = rest.iter().rev().take(MAX_DATA);
    let worst = worst.copied().collect::<Vec<_>>();
    page.heading("Most valuable");
    page.push(&charts::intervals("The data with the highest values", best));
    if !worst.is_empty() {
        page.heading("Least valuable");
        page.push(&charts::intervals(
            "The data with the lowest values",
            &worst,
        ));
    }
    page.write(path)
}
