//! What each training record did to each output.

pub(crate) mod linear;
mod trak;

use crate::{index, output, report, tables, Global};
use anyhow::{ensure, Context, Result};
use attribution_engine::{
    influence::methods::{
        grad_cos, grad_dot, tracin, Checkpoint, Curvature, DampedFisher, Damping, DataInf, Layers,
        Matrix, Rows,
    },
    Error,
};
use clap::ValueEnum;
use serde::Serialize;
use std::path::{Path, PathBuf};

/// Queries that are scored between two steps of the progress bar.
const CHUNK: usize = 128;
/// Damping, as a part of the mean eigenvalue: what implementations of DataInf and EK-FAC have.
pub(crate) const DAMPING: f64 = 0.1;

/// How influence is computed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Method {
    /// Products of gradients.
    GradDot,
    /// Cosines of gradients.
    GradCos,
    /// Products at checkpoints, times learning rates.
    Tracin,
    /// DataInf's closed form.
    Datainf,
    /// The exact damped Fisher or Gauss-Newton inverse.
    Fisher,
    /// TRAK: several models, linearised in their outputs.
    Trak,
    /// EK-FAC: a Kronecker-factored curvature of linear layers.
    Ekfac,
    /// LoGra: linear layers projected on both sides, then as fisher.
    Logra,
    /// The integers of an index that `poa index gradients` has built, as fisher, for many records.
    Index,
}

impl Method {
    fn takes_layers(self) -> bool {
        matches!(self, Self::Ekfac | Self::Logra)
    }

    fn name(self) -> String {
        self.to_possible_value()
            .map(|value| value.get_name().to_owned())
            .unwrap_or_default()
    }
}

/// Arguments of `poa influence`.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// How influence is computed.
    #[arg(value_enum)]
    method: Method,
    /// Gradients of the training records' losses, a row each; once for each checkpoint or model.
    #[arg(long, required_unless_present = "index", conflicts_with = "index")]
    train: Vec<PathBuf>,
    /// For index, the folder of an index of the training records' gradients.
    #[arg(long)]
    index: Option<PathBuf>,
    /// Gradients of the queries' losses, a row each; once for each checkpoint or model.
    #[arg(long, required = true)]
    queries: Vec<PathBuf>,
    /// The learning rate of each checkpoint, for tracin.
    #[arg(long)]
    learning_rate: Vec<f64>,
    /// Rows of the curvature, for datainf and fisher. [default: the training gradients]
    #[arg(long)]
    curvature: Vec<PathBuf>,
    /// Widths of the layers that gradients consist of, such as 640,10; each has a curvature of its own.
    #[arg(long, value_delimiter = ',')]
    layers: Vec<usize>,
    /// Damping, as a part of each layer's mean eigenvalue; for index, of the mean of those that can
    /// differ from zero, and not for one that holds its curvature. [default: 0.1]
    #[arg(long)]
    damping: Option<f64>,
    /// Damping in units of the mean loss's curvature, instead.
    #[arg(long, conflicts_with = "damping")]
    absolute_damping: Option<f64>,
    /// For trak, what each training record's output misses, 1 - p for a classifier: a column of
    /// numbers, once for each model.
    #[arg(long)]
    misses: Vec<PathBuf>,
    /// For trak, the ridge as a part of the mean eigenvalue; of several, such as 0.001,0.01,0.1, the one
    /// that predicts left-out outputs best.
    #[arg(long, value_delimiter = ',')]
    ridge: Vec<f64>,
    /// For trak's choice of a ridge, each model's output for each training record: a row for each model.
    #[arg(long, requires = "members")]
    outputs: Option<PathBuf>,
    /// For trak's choice of a ridge, 1 where a model was trained on a record, 0 elsewhere: a row for
    /// each model.
    #[arg(long, requires = "outputs")]
    members: Option<PathBuf>,
    /// For ekfac and logra, derivatives of the loss by each layer's output, once for each layer.
    #[arg(long)]
    train_deltas: Vec<PathBuf>,
    /// For ekfac and logra, the tokens of each training record, a number a line. [default: one each]
    #[arg(long)]
    train_tokens: Option<PathBuf>,
    /// As --train-deltas, of the queries.
    #[arg(long)]
    query_deltas: Vec<PathBuf>,
    /// As --train-tokens, of the queries.
    #[arg(long)]
    query_tokens: Option<PathBuf>,
    /// As --train-deltas, of the records whose curvature is taken. [default: the training records]
    #[arg(long)]
    curvature_deltas: Vec<PathBuf>,
    /// As --train-tokens, of the records whose curvature is taken.
    #[arg(long)]
    curvature_tokens: Option<PathBuf>,
    /// For logra, the most directions that are kept on each side of a layer. [default: 64]
    #[arg(long)]
    rank: Option<usize>,
    /// For index, divide each score by the size of the record's row: what is particular to the query
    /// comes before what sways everything.
    #[arg(long)]
    relative: bool,
    /// Records that are named for each query.
    #[arg(long, default_value_t = 10, value_parser = clap::value_parser!(u32).range(1..))]
    top: u32,
    /// Write all scores, a row for each query and a column for each record, to a file that ends in
    /// .npy, .csv, .json or .jsonl.
    #[arg(long)]
    output: Option<PathBuf>,
    /// Write a page for people, with the records with the highest scores, to a file of HTML.
    #[arg(long)]
    report: Option<PathBuf>,
}

impl Arguments {
    /// Refuses options that the method would not look at.
    fn check(&self) -> Result<()> {
        use Method::{Datainf, Ekfac, Fisher, Index, Logra, Tracin, Trak};
        let damped = [Datainf, Fisher, Ekfac, Logra];
        let relative = [Datainf, Fisher, Ekfac, Logra, Index];
        let linear = [Ekfac, Logra];
        let options: [(bool, &str, &[Method]); 17] = [
            (self.index.is_some(), "index", &[Index]),
            (!self.learning_rate.is_empty(), "learning-rate", &[Tracin]),
            (!self.curvature.is_empty(), "curvature", &damped),
            (!self.layers.is_empty(), "layers", &[Datainf, Fisher]),
            (self.damping.is_some(), "damping", &relative),
            (self.absolute_damping.is_some(), "absolute-damping", &damped),
            (!self.misses.is_empty(), "misses", &[Trak]),
            (!self.ridge.is_empty(), "ridge", &[Trak]),
            (self.outputs.is_some(), "outputs", &[Trak]),
            (!self.train_deltas.is_empty(), "train-deltas", &linear),
            (self.train_tokens.is_some(), "train-tokens", &linear),
            (!self.query_deltas.is_empty(), "query-deltas", &linear),
            (self.query_tokens.is_some(), "query-tokens", &linear),
            (
                !self.curvature_deltas.is_empty(),
                "curvature-deltas",
                &linear,
            ),
            (self.curvature_tokens.is_some(), "curvature-tokens", &linear),
            (self.rank.is_some(), "rank", &[Logra]),
            (self.relative, "relative", &[Index]),
        ];
        for (given, name, methods) in options {
            let taken = methods.contains(&self.method);
            let names = methods.iter().map(|method| method.name());
            ensure!(
                taken || !given,
                "{} does not take --{name}: that is for {}",
                self.method.name(),
                names.collect::<Vec<_>>().join(", ")
            );
        }
        ensure!(
            self.method != Index || self.index.is_some(),
            "index needs --index, a folder that poa index gradients has built, instead of --train"
        );
        let many = matches!(self.method, Tracin | Trak) || self.method.takes_layers();
        ensure!(
            many || (self.train.len() <= 1 && self.queries.len() == 1 && self.curvature.len() <= 1),
            "{} takes --train, --queries and --curvature once: tracin takes several checkpoints, trak \
             several models, ekfac and logra several layers",
            self.method.name()
        );
        Ok(())
    }

    fn damping(&self) -> Damping {
        match self.absolute_damping {
            Some(value) => Damping::Absolute(value),
            None => Damping::Relative(self.damping.unwrap_or(DAMPING)),
        }
    }
}

/// A record and what it did to a query.
#[derive(Serialize)]
pub(crate) struct Scored {
    /// The record's number.
    pub(crate) record: usize,
    /// Its score.
    pub(crate) score: f64,
}

/// Computes influence.
pub(crate) fn run(arguments: Arguments, global: &Global) -> Result<()> {
    arguments.check()?;
    let scores = match arguments.method {
        Method::Index => {
            let folder = arguments.index.as_deref().unwrap_or(Path::new("."));
            let queries = tables::matrix(&arguments.queries[0])?;
            let terms = index::gradients::Terms {
                damping: arguments.damping,
                relative: arguments.relative,
            };
            index::gradients::scores(folder, &queries, terms, global)?
        }
        Method::Ekfac => linear::ekfac(&arguments)?,
        Method::Logra => linear::logra(&arguments)?,
        method => {
            let read = |paths: &[PathBuf]| {
                let tables = paths.iter().map(|path| tables::matrix(path));
                tables.collect::<Result<Vec<_>>>()
            };
            let (train, queries) = (read(&arguments.train)?, read(&arguments.queries)?);
            let (train, queries) = (all_rows(&train)?, all_rows(&queries)?);
            match method {
                Method::Tracin => by_checkpoints(&arguments, &train, &queries)?,
                Method::Trak => trak::scores(&arguments, &train, &queries)?,
                _ => single(&arguments, train[0], &queries)?,
            }
        }
    };
    if let Some(path) = &arguments.output {
        output::write_matrix(path, scores.columns(), scores.values())?;
    }
    let count = arguments.top as usize;
    let top = (0..scores.rows())
        .map(|query| top(scores.row(query), count))
        .collect::<Vec<_>>();
    if let Some(path) = &arguments.report {
        report::influence(path, &arguments.method.name(), scores.columns(), &top)?;
    }
    let lines = top
        .iter()
        .enumerate()
        .map(|(query, top)| {
            let records = top
                .iter()
                .map(|scored| format!("{} ({:.3e})", scored.record, scored.score))
                .collect::<Vec<_>>();
            format!("query {query}: {}", records.join(", "))
        })
        .collect::<Vec<_>>();
    output::print(global.json, &top, &lines)
}

fn rows(table: &tables::Table) -> Result<Rows<'_>> {
    Ok(Rows::new(&table.values, table.rows, table.columns)?)
}

fn all_rows(tables: &[tables::Table]) -> Result<Vec<Rows<'_>>> {
    tables.iter().map(rows).collect()
}

fn by_checkpoints(
    arguments: &Arguments,
    train: &[Rows<'_>],
    queries: &[Rows<'_>],
) -> Result<Matrix> {
    let rates = &arguments.learning_rate;
    let counts = [train.len(), queries.len(), rates.len()];
    ensure!(
        counts == [counts[0]; 3],
        "tracin needs --train, --queries and --learning-rate as often as one another, not {}, {} and {} times",
        counts[0],
        counts[1],
        counts[2]
    );
    in_chunks(queries, |queries| {
        let checkpoints = train
            .iter()
            .zip(queries)
            .zip(rates)
            .map(|((train, queries), learning_rate)| Checkpoint {
                train: *train,
                queries: *queries,
                learning_rate: *learning_rate,
            })
            .collect::<Vec<_>>();
        tracin(&checkpoints)
    })
}

fn single(arguments: &Arguments, train: Rows<'_>, queries: &[Rows<'_>]) -> Result<Matrix> {
    let layers = if arguments.layers.is_empty() {
        Layers::one(train.columns())?
    } else {
        Layers::new(&arguments.layers)?
    };
    let damping = arguments.damping();
    let table = arguments
        .curvature
        .first()
        .map(|path| tables::matrix(path))
        .transpose()
        .context("the curvature cannot be used")?;
    let curvature = match &table {
        Some(table) => Curvature::new(rows(table)?, train.rows())?,
        None => Curvature::empirical(train),
    };
    match arguments.method {
        Method::GradDot => in_chunks(queries, |queries| grad_dot(train, queries[0])),
        Method::GradCos => in_chunks(queries, |queries| grad_cos(train, queries[0])),
        Method::Datainf => {
            let method = DataInf::new(train, curvature, &layers, damping)?;
            in_chunks(queries, |queries| method.scores(queries[0]))
        }
        // The others were taken care of before.
        _ => {
            let method = DampedFisher::new(train, curvature, &layers, damping)?;
            in_chunks(queries, |queries| method.scores(queries[0]))
        }
    }
}

/// Scores queries some at a time, with a bar. `queries` has the same queries at each checkpoint or model.
fn in_chunks(
    queries: &[Rows<'_>],
    score: impl Fn(&[Rows<'_>]) -> Result<Matrix, Error>,
) -> Result<Matrix> {
    let count = queries[0].rows();
    ensure!(
        queries.iter().all(|queries| queries.rows() == count),
        "the files of --queries have different numbers of rows: each needs a row for every query"
    );
    let bar = output::progress("queries", count as u64);
    let (mut values, mut columns) = (Vec::new(), 0);
    for start in (0..count).step_by(CHUNK) {
        let end = (start + CHUNK).min(count);
        let some = queries
            .iter()
            .map(|queries| {
                let columns = queries.columns();
                let values = &queries.values()[start * columns..end * columns];
                Rows::new(values, end - start, columns)
            })
            .collect::<Result<Vec<_>, _>>()?;
        let scores = score(&some)?;
        columns = scores.columns();
        values.extend_from_slice(scores.values());
        bar.inc((end - start) as u64);
    }
    bar.finish_and_clear();
    Ok(Matrix::new(values, count, columns)?)
}

/// The highest scores, descending; of equal ones the earlier record first.
fn top(scores: &[f64], count: usize) -> Vec<Scored> {
    let before = |a: &usize, b: &usize| scores[*b].total_cmp(&scores[*a]).then(a.cmp(b));
    let mut order = (0..scores.len()).collect::<Vec<_>>();
    if count < order.len() {
        order.select_nth_unstable_by(count, before);
        order.truncate(count);
    }
    order.sort_unstable_by(before);
    order
        .into_iter()
        .map(|record| Scored {
            record,
            score: scores[record],
        })
        .collect()
}
