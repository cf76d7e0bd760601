//! What was measured, as text and as JSON, and whether it is what tracing promises.

use super::{
    corpus::Corpus,
    passages::Half,
    statistics::{Baseline, Interval, Tally},
    Options,
};
use attribution_proof::ruleset::ReceiptRules;
use serde_json::{json, Value};
use std::{
    collections::BTreeMap,
    fmt::{Display, Formatter, Result},
};

/// Least share of passages as they are whose owner leads.
const LEAST_ORIGINAL: f64 = 0.95;
/// Least share of renamed passages whose owner leads.
const LEAST_RENAMED: f64 = 0.60;
/// How far the mix may fall behind the better kind of evidence.
const MOST_LOST: f64 = 0.02;
/// How many times better than guessing influence alone is on renamed passages.
const LEAST_GAIN: f64 = 3.0;

/// The figures of one run.
#[derive(Debug)]
pub(super) struct Measurement {
    /// The rules that receipts were under.
    pub(super) rules: ReceiptRules,
    /// Right answers by half.
    pub(super) tallies: BTreeMap<Half, Tally>,
    /// Input records.
    pub(super) records: usize,
    /// Weights of the model.
    pub(super) weights: usize,
    /// Held-out loss before and after training, in nats per byte.
    pub(super) losses: [f64; 2],
    /// Seconds of training.
    pub(super) training_seconds: f64,
    /// Seconds of indexing.
    pub(super) index_seconds: f64,
    /// Seconds of one trace.
    pub(super) trace_seconds: f64,
}

/// A condition with its figure.
struct Check {
    what: String,
    met: bool,
}

/// Everything that is printed.
pub(super) struct Report<'a> {
    options: &'a Options,
    corpus: &'a Corpus,
    measurement: &'a Measurement,
    baseline: Baseline,
    checks: Vec<Check>,
}

impl<'a> Report<'a> {
    /// Judges a measurement.
    pub(super) fn new(
        options: &'a Options,
        corpus: &'a Corpus,
        measurement: &'a Measurement,
    ) -> Self {
        let baseline = Baseline::of(corpus);
        Self {
            options,
            corpus,
            measurement,
            baseline,
            checks: checks(&measurement.tallies, &baseline),
        }
    }

    /// Whether tracing keeps all its promises.
    pub(super) fn is_right(&self) -> bool {
        self.checks.iter().all(|check| check.met)
    }

    /// Everything as one object.
    pub(super) fn json(&self) -> Value {
        let (options, measurement) = (self.options, self.measurement);
        let crates = self.corpus.crates.iter().map(|source| {
            json!({
                "crate": source.name,
                "owner": source.owner,
                "licence": source.licence,
                "bytes": source.bytes(),
                "records": source.records.len(),
            })
        });
        let halves = measurement.tallies.iter().map(|(half, tally)| {
            let kinds = tally.kinds().map(|(kind, right)| {
                let interval = Interval::wilson(right, tally.passages);
                let figures = json!({
                    "right": right,
                    "share": interval.share,
                    "low": interval.low,
                    "high": interval.high,
                });
                (kind.to_owned(), figures)
            });
            let mut figures = serde_json::Map::from_iter(kinds);
            figures.insert("passages".into(), tally.passages.into());
            (half.to_string(), Value::Object(figures))
        });
        let checks = self
            .checks
            .iter()
            .map(|check| json!({ "what": check.what, "met": check.met }));
        json!({
            "seed": options.seed,
            "passages": options.passages,
            "passage_bytes": [options.shortest, options.longest],
            "text_before_renamed": !options.original_prompt,
            "crates": crates.collect::<Vec<_>>(),
            "records": measurement.records,
            "weights": measurement.weights,
            "steps": options.steps,
            "loss": measurement.losses,
            "rules": measurement.rules,
            "seconds": {
                "training": measurement.training_seconds,
                "index": measurement.index_seconds,
                "trace": measurement.trace_seconds,
            },
            "random": {
                "uniform": self.baseline.uniform,
                "by_size": self.baseline.by_size,
                "largest": self.baseline.largest,
            },
            "halves": serde_json::Map::from_iter(halves),
            "checks": checks.collect::<Vec<_>>(),
            "right": self.is_right(),
        })
    }
}

fn checks(tallies: &BTreeMap<Half, Tally>, baseline: &Baseline) -> Vec<Check> {
    let mut checks = Vec::new();
    for (half, tally) in tallies {
        let [spans, influence, mix] = tally
            .kinds()
            .map(|(_, right)| Interval::wilson(right, tally.passages).share);
        let least = match half {
            Half::Original => LEAST_ORIGINAL,
            Half::Renamed => LEAST_RENAMED,
        };
        checks.push(Check {
            what: format!("{half}: the owner leads the mix in {mix:.3}, at least {least:.2}"),
            met: mix >= least,
        });
        let lost = spans.max(influence) - mix;
        checks.push(Check {
            what: format!(
                "{half}: the better kind leads the mix by {lost:.3}, at most {MOST_LOST:.2}"
            ),
            // Counts of passages are exact, their quotients are not.
            met: lost <= MOST_LOST + 1e-9,
        });
        if *half == Half::Renamed {
            let gain = influence / baseline.best();
            checks.push(Check {
                what: format!(
                    "{half}: influence alone is {gain:.1} times random, at least {LEAST_GAIN:.1}"
                ),
                met: gain >= LEAST_GAIN,
            });
        }
    }
    checks
}

impl Display for Report<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        let (options, measurement, baseline) = (self.options, self.measurement, &self.baseline);
        for source in &self.corpus.crates {
            writeln!(
                f,
                "{:24} {:14} {:36} {:6} bytes {:4} records",
                source.name,
                source.owner,
                source.licence,
                source.bytes(),
                source.records.len()
            )?;
        }
        let [before, after] = measurement.losses;
        let rules = &measurement.rules;
        writeln!(
            f,
            "\n{} records, {} weights, {} steps: held-out loss {before:.3} -> {after:.3} nats per byte",
            measurement.records, measurement.weights, options.steps
        )?;
        writeln!(
            f,
            "top {} credits, cosine floor {}/{}, spans of {} bytes, {} % by influence",
            rules.top_k,
            rules.floor_numerator,
            rules.floor_denominator,
            rules.minimum_span,
            rules.influence_mix / 10_000_000
        )?;
        writeln!(
            f,
            "training {:.1} s, index {:.1} s, a trace {:.3} s",
            measurement.training_seconds, measurement.index_seconds, measurement.trace_seconds
        )?;
        writeln!(
            f,
            "seed {} (another with --seed), passages of {} to {} bytes, the text before a renamed one {}\n",
            options.seed,
            options.shortest,
            options.longest,
            match options.original_prompt {
                true => "as it is",
                false => "renamed alike",
            }
        )?;
        writeln!(
            f,
            "how often the owner gets the largest share, with 95 % intervals"
        )?;
        writeln!(
            f,
            "{:10} {:>8} {:22} {:22} {:22}",
            "", "passages", "spans alone", "influence alone", "mix"
        )?;
        for (half, tally) in &measurement.tallies {
            let [spans, influence, mix] = tally
                .kinds()
                .map(|(_, right)| Interval::wilson(right, tally.passages).to_string());
            writeln!(
                f,
                "{half:10} {:8} {spans:22} {influence:22} {mix:22}",
                tally.passages
            )?;
        }
        writeln!(
            f,
            "random: {:.3} (any crate), {:.3} (by size), {:.3} (always the largest)\n",
            baseline.uniform, baseline.by_size, baseline.largest
        )?;
        for check in &self.checks {
            writeln!(
                f,
                "{} {}",
                if check.met { "met   " } else { "MISSED" },
                check.what
            )?;
        }
        Ok(())
    }
}
