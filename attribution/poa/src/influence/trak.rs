//! TRAK from the features of several models.

use super::{in_chunks, Arguments};
use crate::tables;
use anyhow::{bail, ensure, Context, Result};
use attribution_engine::influence::methods::{
    select_ridge, HeldOutOutputs, Matrix, Rows, Trak, TrakModel,
};
use std::{io::Write, path::Path};

/// Ridges that are tried where none are named.
const RIDGES: [f64; 6] = [1e-4, 1e-3, 1e-2, 1e-1, 1.0, 10.0];
/// Training records whose left-out outputs are predicted to choose a ridge.
const PREDICTED: usize = 300;

/// Scores by TRAK.
pub(super) fn scores(
    arguments: &Arguments,
    features: &[Rows<'_>],
    queries: &[Rows<'_>],
) -> Result<Matrix> {
    let misses = arguments
        .misses
        .iter()
        .map(|path| column(path))
        .collect::<Result<Vec<_>>>()?;
    let counts = [features.len(), queries.len(), misses.len()];
    ensure!(
        counts == [counts[0]; 3],
        "trak needs --train, --queries and --misses as often as one another, not {}, {} and {} times",
        counts[0],
        counts[1],
        counts[2]
    );
    let models = features
        .iter()
        .zip(&misses)
        .map(|(features, misses)| TrakModel {
            features: *features,
            misses,
        })
        .collect::<Vec<_>>();
    let ridge = match (&arguments.ridge[..], &arguments.outputs, &arguments.members) {
        ([ridge], None, None) => *ridge,
        ([], Some(outputs), Some(members)) => choose(&models, &RIDGES, outputs, members)?,
        (ridges @ [_, _, ..], Some(outputs), Some(members)) => {
            choose(&models, ridges, outputs, members)?
        }
        _ => bail!(
            "trak needs one --ridge, such as 0.01, or --outputs and --members to choose among several"
        ),
    };
    let trak = Trak::new(&models, ridge)?;
    in_chunks(queries, |queries| trak.scores(queries))
}

/// A file with one number for each record.
fn column(path: &Path) -> Result<Vec<f64>> {
    let table = tables::matrix(path)?;
    ensure!(
        table.columns == 1 || table.rows == 1,
        "{} has {} rows and {} columns: one of them must be a single one",
        path.display(),
        table.rows,
        table.columns
    );
    Ok(table.values.into_iter().map(f64::from).collect())
}

/// The ridge whose scores predict best what models say about records that they were not trained on.
fn choose(models: &[TrakModel<'_>], ridges: &[f64], outputs: &Path, members: &Path) -> Result<f64> {
    let subsets = subsets(members)?;
    let table = tables::matrix(outputs)?;
    let values = table.values.iter().copied().map(f64::from).collect();
    let outputs = Matrix::new(values, table.rows, table.columns)?;
    let n = models[0].features.rows();
    let predicted = n.min(PREDICTED);
    let records = (0..predicted)
        .map(|i| (i * n / predicted) as u32)
        .collect::<Vec<_>>();
    let held_out = HeldOutOutputs {
        subsets: &subsets,
        outputs: &outputs,
        records: &records,
    };
    let chosen = select_ridge(models, &held_out, ridges).context("cannot choose a ridge")?;
    let mut err = std::io::stderr().lock();
    for (ridge, agreement) in ridges.iter().zip(&chosen.agreements) {
        let mark = if *ridge == chosen.ridge {
            "  chosen"
        } else {
            ""
        };
        // Nobody may be there to read it.
        let _ = writeln!(
            err,
            "ridge {ridge:>9}: left-out outputs agree by {agreement:.3}{mark}"
        );
    }
    Ok(chosen.ridge)
}

/// The records of each model, from a row of ones and zeros each.
fn subsets(path: &Path) -> Result<Vec<Vec<u32>>> {
    let table = tables::matrix(path)?;
    let (values, columns) = (&table.values, table.columns);
    if let Some(at) = values.iter().position(|value| ![0.0, 1.0].contains(value)) {
        bail!(
            "{}, row {}, column {}: {} is neither 0 nor 1",
            path.display(),
            at / columns,
            at % columns,
            values[at]
        );
    }
    let members = |row: &[f32]| {
        (0..)
            .zip(row)
            .filter(|(_, member)| **member == 1.0)
            .map(|(record, _)| record)
            .collect()
    };
    Ok(values.chunks_exact(columns).map(members).collect())
}
