//! What each training record did to each output.

use crate::{output, tables, Global};
use anyhow::{bail, ensure, Context, Result};
use attribution_engine::{
    influence::methods::{
        grad_cos, grad_dot, tracin, Checkpoint, Curvature, DampedFisher, Damping, DataInf, Layers,
        Matrix, Rows,
    },
    npy,
};
use clap::ValueEnum;
use serde::Serialize;
use std::path::PathBuf;

/// Records that are named for each query.
const TOP: usize = 10;

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
}

/// Arguments of `poa influence`.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// How influence is computed.
    #[arg(value_enum)]
    method: Method,
    /// Gradients of the training records' losses, a row each (.npy or CSV); once for each checkpoint.
    #[arg(long, required = true)]
    train: Vec<PathBuf>,
    /// Gradients of the queries' losses, a row each; once for each checkpoint.
    #[arg(long, required = true)]
    queries: Vec<PathBuf>,
    /// The learning rate of each checkpoint, for tracin.
    #[arg(long)]
    learning_rate: Vec<f64>,
    /// Rows of the curvature, for datainf and fisher. [default: the training gradients]
    #[arg(long)]
    curvature: Option<PathBuf>,
    /// Widths of the layers that gradients consist of, such as 640,10; each has a curvature of its own.
    #[arg(long, value_delimiter = ',')]
    layers: Vec<usize>,
    /// Damping, as a part of each layer's mean eigenvalue.
    #[arg(long, default_value_t = 0.1)]
    damping: f64,
    /// Damping in units of the mean loss's curvature, instead.
    #[arg(long, conflicts_with = "damping")]
    absolute_damping: Option<f64>,
    /// Write all scores to a .npy file, a row for each query and a column for each record.
    #[arg(long)]
    output: Option<PathBuf>,
}

#[derive(Serialize)]
struct Scored {
    record: usize,
    score: f64,
}

fn rows(table: &tables::Table) -> Result<Rows<'_>> {
    Ok(Rows::new(&table.values, table.rows, table.columns)?)
}

/// Computes influence.
pub(crate) fn run(arguments: Arguments, global: &Global) -> Result<()> {
    let read = |paths: &[PathBuf]| {
        paths
            .iter()
            .map(|path| tables::matrix(path))
            .collect::<Result<Vec<_>>>()
    };
    let (train, queries) = (read(&arguments.train)?, read(&arguments.queries)?);
    let scores = if arguments.method == Method::Tracin {
        let counts = [train.len(), queries.len(), arguments.learning_rate.len()];
        ensure!(
            counts == [counts[0]; 3],
            "tracin needs --train, --queries and --learning-rate as often as one another, not {}, {} and {} times",
            counts[0],
            counts[1],
            counts[2]
        );
        let checkpoints = train
            .iter()
            .zip(&queries)
            .zip(&arguments.learning_rate)
            .map(|((train, queries), learning_rate)| {
                Ok(Checkpoint {
                    train: rows(train)?,
                    queries: rows(queries)?,
                    learning_rate: *learning_rate,
                })
            })
            .collect::<Result<Vec<_>>>()?;
        tracin(&checkpoints)?
    } else {
        let ([train], [queries]) = (&train[..], &queries[..]) else {
            bail!("only tracin takes several checkpoints: give --train and --queries once");
        };
        single(&arguments, train, queries)?
    };
    if let Some(path) = &arguments.output {
        ensure!(
            path.extension().is_some_and(|extension| extension == "npy"),
            "{} does not end in .npy, which is how scores are written",
            path.display()
        );
        npy::write(path, &[scores.rows(), scores.columns()], scores.values())?;
    }
    report(&scores, global)
}

fn single(arguments: &Arguments, train: &tables::Table, queries: &tables::Table) -> Result<Matrix> {
    let (train, queries) = (rows(train)?, rows(queries)?);
    let layers = if arguments.layers.is_empty() {
        Layers::one(train.columns())?
    } else {
        Layers::new(&arguments.layers)?
    };
    let damping = match arguments.absolute_damping {
        Some(value) => Damping::Absolute(value),
        None => Damping::Relative(arguments.damping),
    };
    let table = arguments
        .curvature
        .as_deref()
        .map(tables::matrix)
        .transpose()
        .context("the curvature cannot be used")?;
    let curvature = match &table {
        Some(table) => Curvature::new(rows(table)?, train.rows())?,
        None => Curvature::empirical(train),
    };
    Ok(match arguments.method {
        Method::GradDot => grad_dot(train, queries)?,
        Method::GradCos => grad_cos(train, queries)?,
        Method::Datainf => DataInf::new(train, curvature, &layers, damping)?.scores(queries)?,
        Method::Fisher => DampedFisher::new(train, curvature, &layers, damping)?.scores(queries)?,
        Method::Tracin => bail!("tracin takes checkpoints"),
    })
}

/// Prints the records with the highest scores for each query.
fn report(scores: &Matrix, global: &Global) -> Result<()> {
    let top = (0..scores.rows())
        .map(|query| {
            let row = scores.row(query);
            let mut order = (0..row.len()).collect::<Vec<_>>();
            order.sort_by(|a, b| row[*b].total_cmp(&row[*a]).then(a.cmp(b)));
            order
                .into_iter()
                .take(TOP)
                .map(|record| Scored {
                    record,
                    score: row[record],
                })
                .collect::<Vec<_>>()
        })
        .collect::<Vec<_>>();
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
