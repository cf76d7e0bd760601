//! EK-FAC: a diagonal curvature in the Kronecker eigenbasis of each linear layer.

use super::{
    dense::{add_product, Operand, Target},
    factored::{FactoredProjection, LinearLayer},
    fisher::Damping,
    principal::PrincipalProjection,
    rows::{check_positive, entries, Matrix, Rows},
};
use crate::Error;

/// Records whose rotated gradients are held at a time.
const BATCH: usize = 256;

/// Influence with an eigenvalue-corrected Kronecker factorisation of each linear layer's curvature:
///
/// ```text
/// E[x xᵀ] = Q_A diag(·) Q_Aᵀ     E[δ δᵀ] = Q_S diag(·) Q_Sᵀ     Λ = E[(Q_Sᵀ dW Q_A)²]
/// τ_i = (1/n) Σ_layers Σ_{o,a} (Q_Sᵀ dV Q_A)_oa (Q_Sᵀ dW_i Q_A)_oa / (Λ_oa + λ)
/// ```
///
/// T. George et al., *Fast Approximate Natural Gradient Descent in a Kronecker-factored Eigenbasis*,
/// NeurIPS 2018; R. Grosse et al., *Studying Large Language Model Generalization with Influence
/// Functions*, 2023. Exact where a record's activation and delta are independent, and never worse than
/// K-FAC in Frobenius norm. Damping that is relative is so to the mean of `Λ` of each layer; both
/// papers' implementations use 0.1. Sign and scale are those of [the module](super).
///
/// With deltas of labels sampled from the model this is the true Fisher matrix, which Grosse et al.
/// use; with those of the data, the empirical one.
///
/// Cost: `T (d_in² + d_out²) + d_in³ + d_out³` and one rotation of the curvature records per layer once;
/// scoring rotates all training records and multiplies `q n d_in d_out`. Memory: `d_in d_out` doubles
/// for each query and each of 256 records.
pub struct Ekfac {
    layers: Vec<Layer>,
}

struct Layer {
    basis: FactoredProjection,
    /// `Λ + λ`.
    eigenvalues: Vec<f64>,
}

impl Ekfac {
    /// Fits the layers to curvature records.
    ///
    /// # Errors
    /// When there are no layers, their numbers of records differ, damping is not positive and finite, a
    /// layer's curvature is zero and damping relative to it, or an eigendecomposition does not
    /// converge.
    pub fn new(curvature: &[LinearLayer<'_>], damping: Damping) -> Result<Self, Error> {
        let records = check_records(curvature)?;
        let layers = curvature
            .iter()
            .map(|layer| {
                let basis =
                    FactoredProjection::principal((layer.outputs(), layer.inputs()), layer)?;
                let mut eigenvalues = vec![0.0; basis.columns()];
                for start in (0..records).step_by(BATCH) {
                    let end = (start + BATCH).min(records);
                    let rows = basis.project_some(layer, start..end)?;
                    for row in rows.chunks_exact(basis.columns()) {
                        for (eigenvalue, value) in eigenvalues.iter_mut().zip(row) {
                            *eigenvalue += value * value;
                        }
                    }
                }
                eigenvalues
                    .iter_mut()
                    .for_each(|value| *value /= records as f64);
                let mean = eigenvalues.iter().sum::<f64>() / eigenvalues.len() as f64;
                let damping = damping.of_block(mean, &(0..eigenvalues.len()))?;
                eigenvalues.iter_mut().for_each(|value| *value += damping);
                Ok(Layer { basis, eigenvalues })
            })
            .collect::<Result<_, Error>>()?;
        Ok(Self { layers })
    }

    /// Scores `q x n` of training records for queries, both given layer by layer.
    ///
    /// # Errors
    /// When numbers of layers, records or dimensions differ, or there is no memory for the scores.
    pub fn scores(
        &self,
        train: &[LinearLayer<'_>],
        queries: &[LinearLayer<'_>],
    ) -> Result<Matrix, Error> {
        Error::check_shape("list of training layers", train.len(), self.layers.len())?;
        Error::check_shape("list of query layers", queries.len(), self.layers.len())?;
        let (n, q) = (check_records(train)?, check_records(queries)?);
        let mut scores = Matrix::zeros(q, n)?;
        for ((layer, train), queries) in self.layers.iter().zip(train).zip(queries) {
            let columns = layer.basis.columns();
            let mut directions = layer.basis.project_some(queries, 0..q)?;
            for row in directions.chunks_exact_mut(columns) {
                for (value, eigenvalue) in row.iter_mut().zip(&layer.eigenvalues) {
                    *value /= eigenvalue;
                }
            }
            for start in (0..n).step_by(BATCH) {
                let rows = layer
                    .basis
                    .project_some(train, start..(start + BATCH).min(n))?;
                add_product(
                    Target::new(scores.values_mut(), n, start),
                    1.0 / n as f64,
                    Operand::new(&directions, columns, &(0..columns)),
                    Operand::new(&rows, columns, &(0..columns)),
                );
            }
        }
        Ok(scores)
    }

    /// Gradients in coordinates in which this curvature is the identity, all layers side by side:
    /// `(Q_Sᵀ dW Q_A) / √(Λ + λ)`, `records x Σ d_out d_in` row-major. A product of two such rows, over
    /// the number of training records, is the score of [`Self::scores`], so projecting these rows instead
    /// of plain gradients makes an index of this method.
    ///
    /// # Errors
    /// As [`Self::scores`], and when a value is beyond the range of single precision.
    pub fn whitened(&self, records: &[LinearLayer<'_>]) -> Result<Vec<f32>, Error> {
        Error::check_shape("list of layers", records.len(), self.layers.len())?;
        let count = check_records(records)?;
        let columns = self
            .layers
            .iter()
            .map(|layer| layer.eigenvalues.len())
            .sum();
        let mut rows = vec![0.0; entries(count, columns)?];
        let mut first = 0;
        for (layer, records) in self.layers.iter().zip(records) {
            let width = layer.eigenvalues.len();
            for start in (0..count).step_by(BATCH) {
                let end = (start + BATCH).min(count);
                let rotated = layer.basis.project_some(records, start..end)?;
                let targets = rows[start * columns..end * columns].chunks_exact_mut(columns);
                for (target, row) in targets.zip(rotated.chunks_exact(width)) {
                    let scaled = row.iter().zip(&layer.eigenvalues);
                    for (target, (value, eigenvalue)) in target[first..].iter_mut().zip(scaled) {
                        *target = (value / eigenvalue.sqrt()) as f32;
                    }
                }
            }
            first += width;
        }
        for (row, values) in (0..).zip(rows.chunks_exact(columns)) {
            Error::check_finite(Some(row), values)?;
        }
        Ok(rows)
    }

    /// The projection of plain gradients, all layers side by side, to the strongest directions of the
    /// records' [`Self::whitened`] rows: rows of a small index whose plain products, over the number of
    /// training records, are this method's scores. They are the scores themselves for the given records
    /// where there are at most `most` of them, and nearly so for others like them.
    ///
    /// # Errors
    /// As [`Self::whitened`] and [`PrincipalProjection::of_rows`].
    pub fn principal(
        &self,
        records: &[LinearLayer<'_>],
        most: usize,
    ) -> Result<PrincipalProjection, Error> {
        let rows = self.whitened(records)?;
        let count = check_records(records)?;
        let rows = Rows::new(&rows, count, rows.len() / count)?;
        let whitened = PrincipalProjection::of_rows(rows, most)?;
        Ok(whitened.after(|mut direction, mut out| {
            for layer in &self.layers {
                let width = layer.eigenvalues.len();
                let (some, rest) = direction.split_at(width);
                let scaled = some.iter().zip(&layer.eigenvalues);
                let scaled =
                    scaled.map(|(value, eigenvalue)| f64::from(*value) / eigenvalue.sqrt());
                let mut wide = vec![0.0; width];
                layer.basis.adjoint(&scaled.collect::<Vec<_>>(), &mut wide);
                let (target, left) = std::mem::take(&mut out).split_at_mut(width);
                for (target, value) in target.iter_mut().zip(wide) {
                    *target = value as f32;
                }
                (direction, out) = (rest, left);
            }
        }))
    }

    /// The score of each training record for its own gradient.
    ///
    /// # Errors
    /// As [`Self::scores`].
    pub fn self_influence(&self, train: &[LinearLayer<'_>]) -> Result<Vec<f64>, Error> {
        Error::check_shape("list of training layers", train.len(), self.layers.len())?;
        let n = check_records(train)?;
        let mut influences = vec![0.0; n];
        for (layer, train) in self.layers.iter().zip(train) {
            for (batch, influences) in influences.chunks_mut(BATCH).enumerate() {
                let start = batch * BATCH;
                let end = start + influences.len();
                let rows = layer.basis.project_some(train, start..end)?;
                for (influence, row) in influences
                    .iter_mut()
                    .zip(rows.chunks_exact(layer.basis.columns()))
                {
                    let sum = row
                        .iter()
                        .zip(&layer.eigenvalues)
                        .map(|(value, eigenvalue)| value * value / eigenvalue)
                        .sum::<f64>();
                    *influence += sum / n as f64;
                }
            }
        }
        Ok(influences)
    }
}

/// The number of records, which all layers must share.
fn check_records(layers: &[LinearLayer<'_>]) -> Result<usize, Error> {
    check_positive("number of layers", layers.len())?;
    let records = layers[0].records();
    for layer in layers {
        Error::check_shape("list of records of a layer", layer.records(), records)?;
    }
    Ok(records)
}
