//! EK-FAC and LoGra from what passed through linear layers.

use super::{in_chunks, Arguments};
use crate::{output, tables};
use anyhow::{ensure, Context, Result};
use attribution_engine::influence::methods::{
    Curvature, DampedFisher, Ekfac, FactoredProjection, Layers, LinearLayer, Matrix, Rows,
};
use std::path::{Path, PathBuf};

/// Directions that LoGra keeps on each side of a layer.
const RANK: usize = 64;

/// Activations and deltas of some records at each layer.
pub(crate) struct Records {
    layers: Vec<(tables::Table, tables::Table)>,
    /// Where each record's tokens start, and the end of the last.
    offsets: Vec<usize>,
}

impl Records {
    /// Reads a pair of files for each layer; `name` is that of the options.
    pub(crate) fn read(
        name: &str,
        activations: &[PathBuf],
        deltas: &[PathBuf],
        tokens: Option<&Path>,
    ) -> Result<Self> {
        ensure!(
            activations.len() == deltas.len(),
            "there are {} files of activations and {} of deltas for the {name}: both are needed for \
             each layer",
            activations.len(),
            deltas.len()
        );
        let layers = activations
            .iter()
            .zip(deltas)
            .map(|(activations, deltas)| {
                Ok((tables::matrix(activations)?, tables::matrix(deltas)?))
            })
            .collect::<Result<Vec<_>>>()?;
        let lengths = match tokens {
            Some(path) => tables::labels(path)?,
            None => vec![
                1;
                layers
                    .first()
                    .map_or(0, |(activations, _)| activations.rows)
            ],
        };
        let mut offsets = vec![0];
        let mut end = 0;
        for length in lengths {
            end += length as usize;
            offsets.push(end);
        }
        Ok(Self { layers, offsets })
    }

    /// As the methods take them.
    pub(crate) fn layers(&self) -> Result<Vec<LinearLayer<'_>>> {
        self.layers
            .iter()
            .enumerate()
            .map(|(layer, (activations, deltas))| {
                LinearLayer::new(
                    super::rows(activations)?,
                    super::rows(deltas)?,
                    &self.offsets,
                )
                .with_context(|| format!("layer {layer} does not fit its records' tokens"))
            })
            .collect()
    }
}

/// The training records, the queries, and the records whose curvature is taken where those are others.
struct Inputs {
    train: Records,
    queries: Records,
    curvature: Option<Records>,
}

impl Inputs {
    fn read(arguments: &Arguments) -> Result<Self> {
        let train = Records::read(
            "training records (--train, --train-deltas)",
            &arguments.train,
            &arguments.train_deltas,
            arguments.train_tokens.as_deref(),
        )?;
        let queries = Records::read(
            "queries (--queries, --query-deltas)",
            &arguments.queries,
            &arguments.query_deltas,
            arguments.query_tokens.as_deref(),
        )?;
        let curvature = if arguments.curvature.is_empty() && arguments.curvature_deltas.is_empty() {
            ensure!(
                arguments.curvature_tokens.is_none(),
                "--curvature-tokens needs --curvature and --curvature-deltas"
            );
            None
        } else {
            Some(Records::read(
                "curvature (--curvature, --curvature-deltas)",
                &arguments.curvature,
                &arguments.curvature_deltas,
                arguments.curvature_tokens.as_deref(),
            )?)
        };
        Ok(Self {
            train,
            queries,
            curvature,
        })
    }

    fn curvature(&self) -> &Records {
        self.curvature.as_ref().unwrap_or(&self.train)
    }
}

/// Scores by EK-FAC.
pub(super) fn ekfac(arguments: &Arguments) -> Result<Matrix> {
    let inputs = Inputs::read(arguments)?;
    // Each call rotates all training records, so queries are not cut into chunks.
    let bar = output::working("EK-FAC");
    let ekfac = Ekfac::new(&inputs.curvature().layers()?, arguments.damping())?;
    let scores = ekfac.scores(&inputs.train.layers()?, &inputs.queries.layers()?)?;
    bar.finish_and_clear();
    Ok(scores)
}

/// Scores by LoGra, projected to the principal directions of the curvature's activations and deltas.
pub(super) fn logra(arguments: &Arguments) -> Result<Matrix> {
    let inputs = Inputs::read(arguments)?;
    let rank = arguments.rank.unwrap_or(RANK);
    let bases = inputs
        .curvature()
        .layers()?
        .iter()
        .map(|layer| {
            let ranks = (rank.min(layer.outputs()), rank.min(layer.inputs()));
            FactoredProjection::principal(ranks, layer)
        })
        .collect::<Result<Vec<_>, _>>()?;
    let widths = bases
        .iter()
        .map(FactoredProjection::columns)
        .collect::<Vec<_>>();
    let columns = widths.iter().sum();
    let project = |records: &Records| project(&bases, &records.layers()?, columns);
    let (train, queries) = (project(&inputs.train)?, project(&inputs.queries)?);
    let other = inputs.curvature.as_ref().map(project).transpose()?;
    let train = Rows::new(&train, train.len() / columns, columns)?;
    let queries = Rows::new(&queries, queries.len() / columns, columns)?;
    let curvature = match &other {
        Some(rows) => {
            let records = rows.len() / columns;
            Curvature::new(Rows::new(rows, records, columns)?, records)?
        }
        None => Curvature::empirical(train),
    };
    let layers = Layers::new(&widths)?;
    let fisher = DampedFisher::new(train, curvature, &layers, arguments.damping())?;
    in_chunks(&[queries], |queries| fisher.scores(queries[0]))
}

/// The projected gradients of records, their layers side by side.
fn project(
    bases: &[FactoredProjection],
    layers: &[LinearLayer<'_>],
    columns: usize,
) -> Result<Vec<f32>> {
    ensure!(
        layers.len() == bases.len(),
        "there are {} layers where the curvature has {}",
        layers.len(),
        bases.len()
    );
    let bar = output::progress("layers", layers.len() as u64);
    let records = layers.first().map_or(0, LinearLayer::records);
    let mut rows = vec![0.0; records * columns];
    let mut start = 0;
    for (basis, layer) in bases.iter().zip(layers) {
        let width = basis.columns();
        let projected = basis.project(layer)?;
        for (row, projected) in rows
            .chunks_exact_mut(columns)
            .zip(projected.chunks_exact(width))
        {
            row[start..start + width].copy_from_slice(projected);
        }
        start += width;
        bar.inc(1);
    }
    bar.finish_and_clear();
    Ok(rows)
}
