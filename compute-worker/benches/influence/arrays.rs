//! What influence is computed from: gradients, factors and index rows of a trained model.

use anyhow::Result;
use attribution_engine::{
    duplicates::Standing,
    influence::{
        methods::{Damping, Ekfac, LinearLayer, Matrix, PrincipalProjection, Rows},
        quantise_query, Direction, Index, IndexBuilder, Preconditioner, Quantisation,
    },
    projection::Projection,
    scan,
};
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

    /// Each row projected.
    pub(crate) fn projected(&self, projection: &impl Project) -> Result<Self> {
        let mut values = Vec::new();
        for row in self.values.chunks_exact(self.columns) {
            values.extend(projection.project(row)?);
        }
        let columns = values.len() / (self.values.len() / self.columns);
        Ok(Self { values, columns })
    }

    /// A projection as the index of a model has it, to this many values.
    pub(crate) fn random_projection(&self, dimension: u32) -> Result<Projection> {
        let dimension = dimension as usize;
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

/// How gradients become rows of an index, and queries with them.
pub(crate) trait Project {
    fn project(&self, gradient: &[f32]) -> Result<Vec<f32>>;
}

impl Project for Projection {
    fn project(&self, gradient: &[f32]) -> Result<Vec<f32>> {
        Ok(self.project(gradient)?)
    }
}

impl Project for PrincipalProjection {
    fn project(&self, gradient: &[f32]) -> Result<Vec<f32>> {
        Ok(self.project(gradient)?)
    }
}

/// The curvature of an index's scores.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Curvature {
    /// The damped Fisher matrix of the index's rows.
    OfRows(f64),
    /// What the rows' coordinates already hold.
    Within,
}

/// Whether a row's magnitude counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Magnitude {
    /// As the chain computes scores: `scale · q·g`.
    Counts,
    /// The row's direction alone: `q·g / |g|`.
    Normalised,
}

impl Magnitude {
    /// How a row of the results tells it.
    pub(crate) fn shown(self) -> &'static str {
        match self {
            Self::Counts => "",
            Self::Normalised => ", by direction alone",
        }
    }
}

/// Signed scores of all rows, `queries x rows`, from the queries' gradients, and the mean seconds of a
/// query.
pub(crate) fn index_scores(
    index: &Index,
    queries: &Gradients,
    projection: &impl Project,
    curvature: Curvature,
    magnitude: Magnitude,
) -> Result<(Matrix, f64)> {
    let preconditioner = match curvature {
        Curvature::OfRows(damping) => Some(Preconditioner::new(index, damping)?),
        Curvature::Within => None,
    };
    let mut scores = Vec::new();
    let start = Instant::now();
    for gradient in queries.values.chunks_exact(queries.columns) {
        let projected = projection.project(gradient)?;
        let direction = match &preconditioner {
            Some(preconditioner) => preconditioner.direction(&projected)?,
            None => Direction {
                values: projected.into_iter().map(f64::from).collect(),
                unit: index.unit(),
            },
        };
        let query = quantise_query(&[(MODEL, &direction)])?;
        match magnitude {
            Magnitude::Counts => {
                let all = scan::scores(MODEL, index, &query)?;
                scores.extend(all.into_iter().map(|score| score as f64));
            }
            Magnitude::Normalised => scores.extend(scan::relative_scores(MODEL, index, &query)?),
        }
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

/// The strongest directions of the training records' gradients, by the curvature of their EK-FAC.
pub(crate) fn principal(train: &Layers, most: u32) -> Result<PrincipalProjection> {
    let train = train.linear()?;
    Ok(Ekfac::new(&train, RELATIVE_DAMPING)?.principal(&train, most as usize)?)
}
