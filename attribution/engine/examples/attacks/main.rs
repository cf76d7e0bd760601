//! Attacks on pay by influence, and defences, each side knowing the other.
//!
//! `attacks [--quick] [--seeds COUNT] --data FOLDER`: FOLDER has `digits-features.npy` (`n x d`, `f32` in
//! 0..=1) and `digits-labels.npy` (`u32`), as `attribution/peers/attacks.py` writes them.
//!
//! In round one, owners contribute records and a model is trained. In round two one of them, with 2 to 5 %
//! of the records, contributes its own again, each feature moved by at most `epsilon`, labels kept; the
//! others contribute the same. What counts is by how much its share of what queries pay is larger than if
//! it had changed nothing. Of each attack several variants are run, some against a defence in particular,
//! and the best one in hindsight is counted: no adversary does better by knowing the defence.

mod data;
mod defences;
mod network;
mod outlier;
mod pay;
mod random;
mod shadow;
mod study;

use std::{collections::BTreeMap, path::PathBuf, time::Instant};

use attribution_engine::influence::methods::evaluate::mean_and_standard_error;
use rayon::prelude::*;

use data::{Records, Sizes};
use defences::{Defence, PEERS, RULE};
use network::Architecture;
use pay::Method;
use study::{Figures, Setting, Study};

type Result<T> = std::result::Result<T, Box<dyn std::error::Error + Send + Sync>>;

/// Seeds in which the linear datamodelling score is measured, too: it varies little.
const LDS_SEEDS: u64 = 5;

/// The value below which this part of the values lies, between neighbours by proportion.
fn quantile(mut values: Vec<f64>, part: f64) -> f64 {
    values.sort_by(f64::total_cmp);
    let at = part * (values.len() - 1) as f64;
    let (below, above) = (at.floor() as usize, at.ceil() as usize);
    values[below] + (at - at.floor()) * (values[above] - values[below])
}

fn mean(values: &[f64]) -> f64 {
    mean_and_standard_error(values).0
}

/// One method with one defence over all seeds.
struct Summary {
    /// Median and 90th percentile.
    shadow: [f64; 2],
    outlier: [f64; 2],
    spearman: f64,
    per_record: f64,
    lds: f64,
    /// The variants that paid best, by how often.
    variants: BTreeMap<&'static str, usize>,
}

impl Summary {
    fn new(studies: &[Study], method: usize, defence: usize) -> Self {
        let figures = || studies.iter().map(|study| &study.figures[method][defence]);
        let each = |value: fn(&Figures) -> f64| figures().map(value).collect::<Vec<_>>();
        let gains =
            |value: fn(&Figures) -> f64| [0.5, 0.9].map(|part| 100.0 * quantile(each(value), part));
        let mut variants = BTreeMap::new();
        for figures in figures() {
            for (_, name) in [figures.shadow, figures.outlier] {
                *variants.entry(name).or_insert(0) += 1;
            }
        }
        Self {
            shadow: gains(|figures| figures.shadow.0),
            outlier: gains(|figures| figures.outlier.0),
            spearman: mean(&each(|figures| figures.spearman)),
            per_record: mean(&each(|figures| figures.spearman_per_record)),
            lds: mean(
                &figures()
                    .filter_map(|figures| figures.lds)
                    .collect::<Vec<_>>(),
            ),
            variants,
        }
    }
}

fn report(setting: &Setting, studies: &[Study]) {
    let defences = Defence::all();
    let each = |value: fn(&Study) -> f64| mean(&studies.iter().map(value).collect::<Vec<_>>());
    println!(
        "\n{}: accuracy {:.3}, the adversary has {:.1} % of the records and moves features by {}",
        setting.name,
        each(|study| study.accuracy),
        100.0 * each(|study| study.part),
        setting.epsilon,
    );
    for (method, kind) in Method::ALL.into_iter().enumerate() {
        let uniform = studies
            .iter()
            .map(|study| study.uniform[method])
            .collect::<Vec<_>>();
        println!(
            "\n{}; uniform payout: gains 0, Spearman {:.3}, no LDS",
            kind.name(),
            mean(&uniform)
        );
        println!(
            "{:36} {:>17} {:>17} {:>9} {:>10} {:>6}",
            "", "Shadow, %", "Outlier, %", "Spearman", "per record", "LDS"
        );
        println!(
            "{:36} {:>8} {:>8} {:>8} {:>8}",
            "defence", "median", "90th", "median", "90th"
        );
        for (at, defence) in defences.iter().enumerate() {
            let summary = Summary::new(studies, method, at);
            let best = summary
                .variants
                .iter()
                .map(|(name, count)| format!("{name} {count}"))
                .collect::<Vec<_>>();
            println!(
                "{:36} {:8.1} {:8.1} {:8.1} {:8.1} {:9.3} {:10.3} {:6.3}  {}",
                defence.name(),
                summary.shadow[0],
                summary.shadow[1],
                summary.outlier[0],
                summary.outlier[1],
                summary.spearman,
                summary.per_record,
                summary.lds,
                best.join(", "),
            );
        }
    }
    let chosen = defences
        .iter()
        .position(|defence| *defence == Defence::Peers(PEERS, RULE))
        .expect("the chosen defence is among them");
    let undefended = Summary::new(studies, 0, 0);
    let defended = Summary::new(studies, 0, chosen);
    let uniform = studies
        .iter()
        .map(|study| study.uniform[0])
        .collect::<Vec<_>>();
    let lost = undefended.lds - defended.lds;
    for (attack, before, after) in [
        ("Shadow", undefended.shadow, defended.shadow),
        ("Outlier", undefended.outlier, defended.outlier),
    ] {
        let holds =
            before[0] >= 100.0 && after[0] <= 10.0 && defended.spearman >= 0.95 && lost <= 0.02;
        println!(
            "RESULT\t{attack} attack, {}\tundefended +{:.0} % (90th percentile +{:.0} %), defended \
             {:+.1} % ({:+.1} %), {} seeds; Spearman {:.3}, LDS {:.3} to {:.3}; uniform payout: \
             Spearman {:.3}, no LDS\tundefended at least +100 %, defended at most +10 %, Spearman \
             at least .95, LDS lost at most .02\t{}",
            setting.name,
            before[0],
            before[1],
            after[0],
            after[1],
            studies.len(),
            defended.spearman,
            undefended.lds,
            defended.lds,
            mean(&uniform),
            if holds { "holds" } else { "misses" },
        );
    }
}

fn main() -> Result<()> {
    let (mut quick, mut seeds, mut folder) = (false, None, None);
    let mut arguments = std::env::args().skip(1);
    while let Some(argument) = arguments.next() {
        let mut value = || arguments.next().ok_or(format!("{argument} needs a value"));
        match argument.as_str() {
            "--quick" => quick = true,
            "--seeds" => seeds = Some(value()?.parse::<u64>()?),
            "--data" => folder = Some(PathBuf::from(value()?)),
            _ => return Err(format!("unknown argument {argument}").into()),
        }
    }
    let folder = folder.ok_or("give the folder of the digits: --data FOLDER")?;
    let seeds = seeds.unwrap_or(if quick { 3 } else { 20 });
    let digits = Records::read(&folder, "digits")?;
    let sizes = Sizes {
        train: 900,
        reference: 300,
        queries: 150,
    };
    let setting = |name, records, architecture| Setting {
        name,
        records,
        sizes,
        architecture,
        epsilon: 0.1,
    };
    let mut settings = vec![setting(
        "digits, logistic regression",
        digits.clone(),
        Architecture::Logistic,
    )];
    if !quick {
        settings.push(setting(
            "mixture, logistic regression",
            Records::mixture(digits.count()),
            Architecture::Logistic,
        ));
        settings.push(setting(
            "digits, a hidden layer",
            digits,
            Architecture::Hidden,
        ));
    }
    for setting in &settings {
        let start = Instant::now();
        let studies = (0..seeds)
            .into_par_iter()
            .map(|seed| Study::run(setting, seed, seed < LDS_SEEDS))
            .collect::<Result<Vec<_>>>()?;
        report(setting, &studies);
        println!("{:.0} s", start.elapsed().as_secs_f64());
    }
    Ok(())
}
