//! What influence is computed from: gradients, factors and index rows of a trained model.

use anyhow::{bail, Result};
use attribution_engine::{
    duplicates::Standing,
    influence::{
        methods::{Damping, Ekfac, LinearLayer, Matrix, Rows},
        quantise_query, Index, IndexBuilder, Preconditioner, Quantisation,
    },
    projection::Projection,
    scan,
};
use attribution_proof::influence::{norm_squared, Row};
use openledger_worker::{
    attribution::NONZEROS,
    train::{gradients::GradientSpace, CancellationFlag, Silent, TrainingData},
};
use std::time::Instant;

/// The only model.
const MODEL: u32 = 1;
/// What EK-FAC's and LoGra's implementations use, as a part of the mean eigenvalue.
pub(crate) const RELATIVE_DAMPING: Damping = Damping::Relative(0.1);

/// Dampings that are compared; [`attribution_engine::influence::DAMPING`] is among them.
pub(crate) const DAMPINGS: [f64; 4] = [0.1, 1.0, 10.0, 100.0];

/// Gradients of some records, one row each.
pub(crate) struct Gradients {
    values: Vec<f32>,
    columns: usize,
}

impl Gradients {
    /// The rows of `records`, in that order.
    pub(crate) fn of(
        space: &GradientSpace<'_>,
        data: &TrainingData,
        records: &[usize],
    ) -> Result<Self> {
        let mut all = Vec::with_capacity(data.records());
        space.record_rows(data, &mut Silent, &CancellationFlag::default(), |_, row| {
            all.push(row.to_vec());
            Ok(())
        })?;
        Ok(Self {
            values: records
                .iter()
                .flat_map(|record| &all[*record])
                .copied()
                .collect(),
            columns: space.dimension(),
        })
    }

    /// Each row projected as the index of a model is, to this many values.
    pub(crate) fn projected(&self, dimension: u32) -> Result<Self> {
        let projection = self.projection(dimension as usize)?;
        let mut values = Vec::new();
        for row in self.values.chunks_exact(self.columns) {
            values.extend(projection.project(row)?);
        }
        Ok(Self {
            values,
            columns: dimension as usize,
        })
    }

    fn projection(&self, dimension: usize) -> Result<Projection> {
        Ok(Projection::new(
            &[1; 32],
            self.columns,
            dimension,
            NONZEROS,
        )?)
    }

    /// As the influence methods take them.
    pub(crate) fn rows(&self) -> Result<Rows<'_>> {
        Ok(Rows::new(
            &self.values,
            self.values.len() / self.columns,
            self.columns,
        )?)
    }

    /// The quantised index of projected rows, all of them their own.
    pub(crate) fn index(&self) -> Result<Index> {
        let rows = self.values.len() / self.columns;
        let terms = Quantisation::for_dimension(self.columns as u32);
        let mut builder = IndexBuilder::new(terms, vec![Standing::Own; rows])?;
        for (row, values) in (0..).zip(self.values.chunks_exact(self.columns)) {
            builder.set(row, values)?;
        }
        Ok(builder.finish()?.0)
    }
}

/// Whether a row's magnitude counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Magnitude {
    /// As the chain computes scores: `scale · q·g`.
    Counts,
    /// The row's direction alone: `q·g / |g|`.
    Normalised,
}

/// Signed scores of all rows, `queries x rows`, from the queries' gradients, and the mean seconds of a
/// query.
pub(crate) fn index_scores(
    index: &Index,
    queries: &Gradients,
    damping: f64,
    magnitude: Magnitude,
) -> Result<(Matrix, f64)> {
    let preconditioner = Preconditioner::new(index, damping)?;
    let projection = queries.projection(index.dimension())?;
    // What a row's direction alone would have of its score.
    let divisors = (0..index.len() as u32)
        .map(|row| match (magnitude, index.row(row)) {
            (Magnitude::Counts, _) => Ok(1.0),
            (Magnitude::Normalised, Some(Row::Own { scale, g })) => {
                Ok(f64::from(scale) * (norm_squared(&g) as f64).sqrt())
            }
            (_, other) => bail!("row {row} of the index is {other:?}"),
        })
        .collect::<Result<Vec<_>>>()?;
    let mut scores = Vec::new();
    let start = Instant::now();
    for gradient in queries.values.chunks_exact(queries.columns) {
        let direction = preconditioner.direction(&projection.project(gradient)?)?;
        let query = quantise_query(&[(MODEL, &direction)])?;
        let row_scores = scan::scores(MODEL, index, &query)?;
        scores.extend(
            row_scores
                .iter()
                .zip(&divisors)
                .map(|(score, divisor)| *score as f64 / divisor),
        );
    }
    let count = queries.values.len() / queries.columns;
    let seconds = start.elapsed().as_secs_f64() / count as f64;
    Ok((Matrix::new(scores, count, index.len())?, seconds))
}

/// Activations and deltas of the linear maps of a space, of some records.
pub(crate) struct Layers {
    layers: Vec<Layer>,
    offsets: Vec<usize>,
}

#[derive(Default)]
struct Layer {
    activations: Vec<f32>,
    deltas: Vec<f32>,
    inputs: usize,
    outputs: usize,
}

impl Layers {
    /// The factors of `records`, in that order.
    pub(crate) fn of(
        space: &GradientSpace<'_>,
        data: &TrainingData,
        records: &[usize],
    ) -> Result<Self> {
        let mut layers = Vec::new();
        layers.resize_with(space.components().len(), Layer::default);
        let mut offsets = vec![0];
        for record in records {
            let mut tokens = 0;
            for (layer, factors) in layers.iter_mut().zip(space.record_factors(data, *record)?) {
                tokens = factors.left.len() / factors.left_width;
                layer.outputs = factors.left_width;
                layer.inputs = factors.right_width;
                layer.deltas.extend(factors.left);
                layer.activations.extend(factors.right);
            }
            offsets.push(offsets[offsets.len() - 1] + tokens);
        }
        Ok(Self { layers, offsets })
    }

    fn linear(&self) -> Result<Vec<LinearLayer<'_>>> {
        let tokens = self.offsets[self.offsets.len() - 1];
        self.layers
            .iter()
            .map(|layer| {
                let activations = Rows::new(&layer.activations, tokens, layer.inputs)?;
                let deltas = Rows::new(&layer.deltas, tokens, layer.outputs)?;
                Ok(LinearLayer::new(activations, deltas, &self.offsets)?)
            })
            .collect()
    }

    /// The mean over a record's tokens of what goes into the layer with this number: its hidden state.
    pub(crate) fn hidden_states(&self, layer: usize) -> (Vec<f32>, usize) {
        let layer = &self.layers[layer];
        let means = self.offsets.windows(2).flat_map(|pair| {
            let tokens = &layer.activations[pair[0] * layer.inputs..pair[1] * layer.inputs];
            let count = (pair[1] - pair[0]) as f32;
            (0..layer.inputs).map(move |column| {
                let column = tokens.iter().skip(column).step_by(layer.inputs);
                column.sum::<f32>() / count
            })
        });
        (means.collect(), layer.inputs)
    }
}

/// EK-FAC's scores, with the curvature of the training records.
pub(crate) fn ekfac_scores(train: &Layers, queries: &Layers) -> Result<Matrix> {
    let train = train.linear()?;
    Ok(Ekfac::new(&train, RELATIVE_DAMPING)?.scores(&train, &queries.linear()?)?)
}

/// Gradients of training records and queries in the coordinates of the training records' EK-FAC.
pub(crate) fn whitened(train: &Layers, queries: &Layers) -> Result<[Gradients; 2]> {
    let train = train.linear()?;
    let ekfac = Ekfac::new(&train, RELATIVE_DAMPING)?;
    let columns = train
        .iter()
        .map(|layer| layer.inputs() * layer.outputs())
        .sum();
    let rows = |layers: &[LinearLayer<'_>]| {
        let values = ekfac.whitened(layers)?;
        Ok::<_, anyhow::Error>(Gradients { values, columns })
    };
    Ok([rows(&train)?, rows(&queries.linear()?)?])
}
