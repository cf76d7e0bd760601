//! How fast this machine is, each figure beside something known that is measured in the same run.

mod gradients;
mod text;
mod valuation;

use crate::{output, Global};
use anyhow::Result;
use rand_chacha::{
    rand_core::{RngCore, SeedableRng},
    ChaCha8Rng,
};
use serde::Serialize;
use std::{path::PathBuf, time::Instant};

/// Arguments of `poa bench`.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// Smaller sizes: some ten seconds on two cores.
    #[arg(long)]
    quick: bool,
    /// Files and folders of records to search. [default: made-up words]
    #[arg(long)]
    corpus: Vec<PathBuf>,
}

/// One figure.
#[derive(Serialize)]
struct Row {
    /// What was measured.
    name: String,
    /// How much of it is done in a second.
    rate: f64,
    /// What the rate counts.
    unit: &'static str,
    /// The median time of one, in seconds.
    seconds: f64,
    /// What it is compared with.
    reference: &'static str,
    /// The median time of that for the same work, in seconds.
    reference_seconds: f64,
    /// `reference_seconds / seconds`: above 1 it is faster than what it is compared with.
    ratio: f64,
}

/// What is measured, and how.
struct Bench {
    quick: bool,
    rng: ChaCha8Rng,
    rows: Vec<Row>,
}

/// One measurement and what it is compared with.
struct Measurement {
    name: String,
    /// Of these, `amount` are done in a call.
    unit: &'static str,
    amount: f64,
    reference: &'static str,
    /// How often what is compared takes turns.
    rounds: usize,
}

impl Bench {
    /// Times two things by turns, once each without counting, and keeps the medians.
    fn compare(
        &mut self,
        what: Measurement,
        mut run: impl FnMut() -> Result<()>,
        mut reference: impl FnMut() -> Result<()>,
    ) -> Result<()> {
        let timed = |run: &mut dyn FnMut() -> Result<()>| -> Result<f64> {
            let start = Instant::now();
            run()?;
            Ok(start.elapsed().as_secs_f64())
        };
        let (mut own, mut other) = (Vec::new(), Vec::new());
        for round in 0..=what.rounds {
            let times = (timed(&mut run)?, timed(&mut reference)?);
            if round > 0 {
                own.push(times.0);
                other.push(times.1);
            }
        }
        self.push(what, median(own), median(other));
        Ok(())
    }

    fn push(&mut self, what: Measurement, seconds: f64, reference_seconds: f64) {
        self.rows.push(Row {
            name: what.name,
            rate: what.amount / seconds,
            unit: what.unit,
            seconds,
            reference: what.reference,
            reference_seconds,
            ratio: reference_seconds / seconds,
        });
    }

    /// Numbers in -1..1.
    fn numbers(&mut self, count: usize) -> Vec<f32> {
        (0..count)
            .map(|_| self.rng.next_u32() as f32 / 2_147_483_648.0 - 1.0)
            .collect()
    }

    /// A number below `end`.
    fn below(&mut self, end: usize) -> usize {
        (self.rng.next_u64() % end as u64) as usize
    }
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_unstable_by(f64::total_cmp);
    values[values.len() / 2]
}

/// Measures everything.
pub(crate) fn run(arguments: Arguments, global: &Global) -> Result<()> {
    let mut bench = Bench {
        quick: arguments.quick,
        rng: ChaCha8Rng::from_seed(global.seed("bench")),
        rows: Vec::new(),
    };
    let bar = output::progress("parts", 3);
    text::measure(&mut bench, &arguments.corpus)?;
    bar.inc(1);
    gradients::measure(&mut bench)?;
    bar.inc(1);
    valuation::measure(&mut bench)?;
    bar.finish_and_clear();
    let mut lines = vec![format!(
        "{} threads; ratios above 1 are faster than what is compared",
        rayon::current_num_threads()
    )];
    lines.extend(bench.rows.iter().map(|row| {
        format!(
            "{:<44} {:>10}  {:>16}  {:>6.2} x {}",
            row.name,
            time(row.seconds),
            rate(row.rate, row.unit),
            row.ratio,
            row.reference
        )
    }));
    output::print(global.json, &bench.rows, &lines)
}

fn time(seconds: f64) -> String {
    let (factor, unit) = match seconds {
        1.0.. => (1.0, "s"),
        1e-3.. => (1e3, "ms"),
        1e-6.. => (1e6, "µs"),
        _ => (1e9, "ns"),
    };
    format!("{:.2} {unit}", factor * seconds)
}

fn rate(rate: f64, unit: &str) -> String {
    let (factor, prefix) = match rate {
        1e9.. => (1e-9, "G"),
        1e6.. => (1e-6, "M"),
        1e3.. => (1e-3, "k"),
        _ => (1.0, ""),
    };
    format!("{:.2} {prefix}{unit}/s", factor * rate)
}
