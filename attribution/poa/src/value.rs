//! What each datum is worth to a model.

use crate::{output, records::OwnerNames, report, tables, Global};
use anyhow::{bail, ensure, Context, Result};
use attribution_engine::valuation::{
    banzhaf::{by_sample_reuse, SampleReuse},
    data_oob::{by_margins, by_trees, Bags, Tried},
    knn_shapley::{from_features, Prediction},
    owners::Owners,
    semivalues::{by_permutations, Chains, Permutations, Semivalue},
    utility::{CommandUtility, KnnScore, KnnUtility, LogisticUtility, Score, Utility},
    Estimate, Estimates, Samples,
};
use clap::ValueEnum;
use serde::Serialize;
use std::{
    path::{Path, PathBuf},
    time::Duration,
};

/// How many of the lowest and highest values people see.
const SHOWN: usize = 10;
/// Most classes.
const MAX_CLASSES: u32 = 1 << 16;
/// Chains of permutations that --gelman-rubin compares.
const CHAINS: u32 = 8;
/// Norm of the gradient at which a logistic regression counts as fitted.
const TOLERANCE: f64 = 1e-4;

/// How data are valued.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Method {
    /// Exact Shapley values for a nearest-neighbour model.
    KnnShapley,
    /// Data Banzhaf from random subsets.
    Banzhaf,
    /// Shapley values from random permutations, truncated.
    Shapley,
    /// Beta(4, 1)-Shapley from random permutations: small subsets count more.
    BetaShapley,
    /// How often trees that did not see a datum predict its label.
    DataOob,
    /// By how much trees that did not see a datum prefer its label to any other; finds wrong labels.
    Margins,
}

/// The model whose performance data are valued by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Model {
    /// Logistic regression.
    Logistic,
    /// Nearest neighbours.
    Knn,
    /// A command of yours, given behind `--`.
    Command,
}

/// Arguments of `poa value`.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
A command is started once for each thread. It reads {\"subset\":[0,4,7]} from a line of its standard input,
the numbers of the data to train on, and answers with the score on a line of its standard output:
  poa value banzhaf --model command --data 100 -- python3 score.py")]
pub(crate) struct Arguments {
    /// How data are valued.
    #[arg(value_enum)]
    method: Method,
    /// Features of the training data, a row each (.npy or CSV).
    #[arg(long)]
    train: Option<PathBuf>,
    /// Their labels: numbers from 0 on (.npy of integers, or one a line).
    #[arg(long)]
    labels: Option<PathBuf>,
    /// Features of the data on which models are scored.
    #[arg(long)]
    test: Option<PathBuf>,
    /// Their labels.
    #[arg(long)]
    test_labels: Option<PathBuf>,
    /// The model, for banzhaf, shapley and beta-shapley.
    #[arg(long, value_enum, default_value = "logistic")]
    model: Model,
    /// Neighbours, where these are asked.
    #[arg(long, default_value_t = 5)]
    neighbours: usize,
    /// L2 penalty of a logistic regression, beside the sum of the losses.
    #[arg(long, default_value_t = 1.0)]
    penalty: f64,
    /// Subsets, permutations or trees. [default: 1000]
    #[arg(long, default_value_t = 1_000)]
    count: u64,
    /// Stop permutations once eight chains of them agree: when the largest Gelman-Rubin statistic is
    /// below this, 1.05 as a rule.
    #[arg(long, value_name = "BOUND")]
    gelman_rubin: Option<f64>,
    /// The lowest and the highest score that a command can answer, for honest intervals of banzhaf.
    #[arg(long, num_args = 2, value_names = ["LOWEST", "HIGHEST"], allow_negative_numbers = true)]
    range: Option<Vec<f64>>,
    /// Most splits from root to leaf of a tree.
    #[arg(long)]
    depth: Option<u32>,
    /// A file with the name of each datum's owner, one a line: owners' values are sums.
    #[arg(long)]
    owners: Option<PathBuf>,
    /// Write all values to a file that ends in .csv or .json.
    #[arg(long)]
    output: Option<PathBuf>,
    /// Write a page for people, with intervals of values, to a file of HTML.
    #[arg(long)]
    report: Option<PathBuf>,
    /// How many data a command values.
    #[arg(long)]
    data: Option<usize>,
    /// Seconds that a command may take for an answer.
    #[arg(long, default_value_t = 600)]
    timeout: u64,
    /// The command and its arguments.
    #[arg(last = true)]
    command: Vec<String>,
}

#[derive(Serialize)]
struct Datum {
    datum: usize,
    value: f64,
    /// As the ends of the interval, nothing where the method does not give it.
    standard_error: Option<f64>,
    low: Option<f64>,
    high: Option<f64>,
}

#[derive(Serialize)]
struct Owner {
    owner: String,
    data: usize,
    value: f64,
}

#[derive(Serialize)]
struct Report {
    values: Vec<Datum>,
    owners: Vec<Owner>,
    #[serde(flatten)]
    sampling: Sampling,
}

/// What is known about how the values came about, beside their errors.
#[derive(Default, Serialize)]
struct Sampling {
    /// How often a model was fitted and scored.
    evaluations: Option<u64>,
    /// The largest Gelman-Rubin statistic.
    gelman_rubin: Option<f64>,
    /// Whether it is below the bound asked for.
    converged: Option<bool>,
}

/// Values with what is known about their errors.
type Values = (Vec<(f64, Option<Estimate>)>, Sampling);

/// Values data.
pub(crate) fn run(arguments: Arguments, global: &Global) -> Result<()> {
    let (values, sampling) = match (arguments.method, arguments.model) {
        (Method::Banzhaf | Method::Shapley | Method::BetaShapley, Model::Command) => {
            let range = match arguments.range.as_deref() {
                Some([low, high]) => Some((*low, *high)),
                _ => None,
            };
            sampled(&command(&arguments)?, range, &arguments, global)?
        }
        _ => with_samples(&arguments, global)?,
    };
    let values = values
        .into_iter()
        .enumerate()
        .map(|(datum, (value, estimate))| {
            let interval = estimate.map(|estimate| estimate.interval());
            Datum {
                datum,
                value,
                standard_error: estimate.map(|estimate| estimate.standard_error),
                low: interval.map(|(low, _)| low),
                high: interval.map(|(_, high)| high),
            }
        })
        .collect::<Vec<_>>();
    let owners = match &arguments.owners {
        Some(path) => owner_values(tables::names(path, values.len())?, &values)?,
        None => Vec::new(),
    };
    if let Some(path) = &arguments.report {
        write_report(path, arguments.method, &values, &owners)?;
    }
    if let Some(path) = &arguments.output {
        output::write_rows(path, &values)?;
    }
    let lines = lines(&values, &owners, &sampling);
    let report = Report {
        values,
        owners,
        sampling,
    };
    output::print(global.json, &report, &lines)
}

fn write_report(path: &Path, method: Method, values: &[Datum], owners: &[Owner]) -> Result<()> {
    let name = method.to_possible_value();
    let method = name.as_ref().map_or("", |name| name.get_name());
    let values = values
        .iter()
        .map(|datum| report::DatumValue {
            datum: datum.datum,
            value: datum.value,
            interval: datum.low.zip(datum.high),
        })
        .collect::<Vec<_>>();
    let owners = owners
        .iter()
        .map(|owner| report::OwnerValue {
            owner: &owner.owner,
            data: owner.data,
            value: owner.value,
        })
        .collect::<Vec<_>>();
    report::values(path, method, &values, &owners)
}

fn command(arguments: &Arguments) -> Result<CommandUtility> {
    let (program, rest) = arguments
        .command
        .split_first()
        .context("--model command needs a command behind --")?;
    let data = arguments.data.context("--model command needs --data")?;
    let timeout = Duration::from_secs(arguments.timeout);
    Ok(CommandUtility::new(data, program, rest, timeout)?)
}

fn with_samples(arguments: &Arguments, global: &Global) -> Result<Values> {
    ensure!(
        arguments.range.is_none(),
        "--range is for --model command: the scores of other models are from 0 to 1"
    );
    let read = |features: &Option<PathBuf>, labels: &Option<PathBuf>, names: [&str; 2]| {
        let missing = |name| format!("{name} is missing");
        let table = tables::matrix(features.as_ref().with_context(|| missing(names[0]))?)?;
        let labels = tables::labels(labels.as_ref().with_context(|| missing(names[1]))?)?;
        anyhow::Ok((table, labels))
    };
    let (table, labels) = read(&arguments.train, &arguments.labels, ["--train", "--labels"])?;
    let train = Samples::new(&table.values, table.columns, &labels)?;
    let classes = class_count(&labels)?;
    if matches!(arguments.method, Method::DataOob | Method::Margins) {
        let bags = Bags {
            seed: global.seed("bags"),
            count: u32::try_from(arguments.count).context("--count is too large")?,
            depth: arguments.depth,
            tried: Tried::default(),
        };
        let values = match arguments.method {
            Method::DataOob => known(by_trees(train, classes, &bags)?),
            _ => unknown(by_margins(train, classes, &bags)?.values),
        };
        return Ok((values, Sampling::default()));
    }
    let (test_table, test_labels) = read(
        &arguments.test,
        &arguments.test_labels,
        ["--test", "--test-labels"],
    )?;
    let test = Samples::new(&test_table.values, test_table.columns, &test_labels)?;
    let classes = classes.max(class_count(&test_labels)?);
    if arguments.method == Method::KnnShapley {
        let values = from_features(train, test, arguments.neighbours, Prediction::Hard)?;
        let exact = |value| Estimate {
            value,
            standard_error: 0.0,
            degrees_of_freedom: f64::INFINITY,
        };
        let values = known(values.into_iter().map(exact).collect());
        return Ok((values, Sampling::default()));
    }
    let accuracies = Some((0.0, 1.0));
    match arguments.model {
        Model::Logistic => {
            let classes = classes.max(2);
            let utility = LogisticUtility::new(
                train,
                test,
                classes,
                arguments.penalty,
                TOLERANCE,
                Score::Accuracy,
            )?;
            sampled(&utility, accuracies, arguments, global)
        }
        Model::Knn => {
            let utility = KnnUtility::new(train, test, arguments.neighbours, KnnScore::Accuracy)?;
            sampled(&utility, accuracies, arguments, global)
        }
        Model::Command => bail!("a command values by banzhaf, shapley and beta-shapley"),
    }
}

/// One more than the highest label.
fn class_count(labels: &[u32]) -> Result<u32> {
    let highest = labels.iter().copied().max().unwrap_or_default();
    ensure!(
        highest < MAX_CLASSES,
        "the label {highest} is too high: number the classes from 0 on, at most {MAX_CLASSES} of them"
    );
    Ok(highest + 1)
}

fn known(estimates: Vec<Estimate>) -> Vec<(f64, Option<Estimate>)> {
    estimates
        .into_iter()
        .map(|estimate| (estimate.value, Some(estimate)))
        .collect()
}

fn unknown(values: Vec<f64>) -> Vec<(f64, Option<Estimate>)> {
    values.into_iter().map(|value| (value, None)).collect()
}

/// Values by a utility, whose lowest and highest value are `range`.
fn sampled(
    utility: &impl Utility,
    range: Option<(f64, f64)>,
    arguments: &Arguments,
    global: &Global,
) -> Result<Values> {
    let permutations = |truncation| Permutations {
        seed: global.seed("permutations"),
        count: arguments.count,
        truncation,
        target: None,
        chains: arguments.gelman_rubin.map(|below| Chains {
            count: CHAINS,
            below: Some(below),
        }),
    };
    let estimates = match arguments.method {
        Method::Banzhaf => {
            ensure!(
                arguments.gelman_rubin.is_none(),
                "--gelman-rubin is for shapley and beta-shapley, which draw permutations"
            );
            by_sample_reuse(
                utility,
                &SampleReuse {
                    seed: global.seed("subsets"),
                    subsets: arguments.count,
                    probability: 0.5,
                    range,
                },
            )?
        }
        Method::Shapley => by_permutations(utility, Semivalue::Shapley, &permutations(Some(0.01)))?,
        Method::BetaShapley => by_permutations(
            utility,
            Semivalue::Beta {
                alpha: 4.0,
                beta: 1.0,
            },
            &permutations(None),
        )?,
        Method::KnnShapley | Method::DataOob | Method::Margins => {
            bail!("this method takes no model")
        }
    };
    let Estimates {
        values,
        evaluations,
        gelman_rubin,
    } = estimates;
    let sampling = Sampling {
        evaluations: Some(evaluations),
        gelman_rubin,
        converged: arguments
            .gelman_rubin
            .map(|bound| gelman_rubin.is_some_and(|statistic| statistic < bound)),
    };
    Ok((known(values), sampling))
}

fn owner_values(names: Vec<String>, values: &[Datum]) -> Result<Vec<Owner>> {
    let names = OwnerNames::new(names);
    let owners = Owners::new(&names.of, names.names.len())?;
    let sums = owners.sum(&values.iter().map(|datum| datum.value).collect::<Vec<_>>())?;
    ensure!(sums.len() == names.names.len(), "an owner is without a sum");
    let mut all = names
        .names
        .into_iter()
        .zip(sums)
        .enumerate()
        .map(|(number, (owner, value))| Owner {
            owner,
            data: names.of.iter().filter(|of| **of as usize == number).count(),
            value,
        })
        .collect::<Vec<_>>();
    all.sort_by(|a, b| {
        b.value
            .total_cmp(&a.value)
            .then_with(|| a.owner.cmp(&b.owner))
    });
    Ok(all)
}

fn lines(values: &[Datum], owners: &[Owner], sampling: &Sampling) -> Vec<String> {
    let mut order = (0..values.len()).collect::<Vec<_>>();
    order.sort_by(|a, b| values[*b].value.total_cmp(&values[*a].value).then(a.cmp(b)));
    let show = |place: &usize| {
        let datum = &values[*place];
        let error = datum.standard_error;
        let error = error.map_or(String::new(), |error| format!("  ± {error:.2e}"));
        format!("{:>8}  {:>12.5e}{error}", datum.datum, datum.value)
    };
    let mut lines = Vec::new();
    if let (Some(statistic), Some(converged)) = (sampling.gelman_rubin, sampling.converged) {
        let verdict = if converged {
            "the chains agree"
        } else {
            "NOT converged, raise --count"
        };
        lines.push(format!(
            "largest Gelman-Rubin statistic {statistic:.4}: {verdict}"
        ));
    }
    lines.push(format!("{} data; the most valuable:", values.len()));
    lines.extend(order.iter().take(SHOWN).map(show));
    lines.push("the least valuable:".to_owned());
    lines.extend(order.iter().rev().take(SHOWN).map(show));
    if !owners.is_empty() {
        lines.push("owners:".to_owned());
    }
    lines.extend(owners.iter().map(|owner| {
        format!(
            "{:>12.5e}  {} ({} data)",
            owner.value, owner.owner, owner.data
        )
    }));
    lines
}
