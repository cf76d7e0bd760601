//! DataInf: the mean of inverses in place of the inverse of the mean.

use std::ops::Range;

use super::{
    dense::{add_product, dot, squared_norms, widen, Operand, Target},
    fisher::{Curvature, Damping},
    rows::{Layers, Matrix, Rows},
};
use crate::Error;

/// Queries scored together, which bounds the memory for intermediate results.
const BATCH: usize = 512;

/// DataInf: influence with `(F + λI)⁻¹` replaced, layer by layer, by the mean over the `m` curvature
/// rows of `(c_j c_jᵀ + λI)⁻¹`, which Sherman and Morrison's formula inverts:
///
/// ```text
/// τ_i = (1/n) Σ_layers (1/λ) [ v·g_i − (1/m) Σ_j (v·c_j) (c_j·g_i) / (λ + |c_j|²) ]
/// ```
///
/// Y. Kwon et al., *DataInf: Efficiently Estimating Data Influence in LoRA-tuned LLMs and Diffusion
/// Models*, ICLR 2024, with the scale of [the module](super) in front. The paper's damping is
/// [`Damping::Relative`] with 0.1 and its curvature rows are the training gradients. The damping is
/// needed for more than stability: the difference to the exact inverse grows with `|c_j|² / λ`.
///
/// Nothing is computed twice: norms and, for layers with more columns than records, the products
/// `C Gᵀ` are made once, so that a batch of `q` queries costs three matrix products per layer at most,
/// `q m d`, `q n d` and `q m min(n, d)`. Memory: `m n` doubles for each layer held in this Gram form.
pub struct DataInf<'a> {
    train: Rows<'a>,
    curvature: Rows<'a>,
    layers: Vec<Layer>,
}

struct Layer {
    columns: Range<usize>,
    damping: f64,
    /// `1 / (m (λ + |c_j|²))`.
    weights: Vec<f64>,
    /// `C Gᵀ`, `m x n`, in the Gram form.
    products: Option<Matrix>,
}

impl<'a> DataInf<'a> {
    /// Prepares the layers.
    ///
    /// # Errors
    /// When the numbers of columns differ, damping is not positive and finite, a layer's curvature is
    /// zero and damping relative to it, or there is no memory for the products.
    pub fn new(
        train: Rows<'a>,
        curvature: Curvature<'a>,
        layers: &Layers,
        damping: Damping,
    ) -> Result<Self, Error> {
        Self::with_forms(train, curvature, layers, damping, |records, columns| {
            records < columns
        })
    }

    /// `in_gram_form` says for records and columns of a layer whether to hold its products.
    pub(super) fn with_forms(
        train: Rows<'a>,
        curvature: Curvature<'a>,
        layers: &Layers,
        damping: Damping,
        in_gram_form: impl Fn(usize, usize) -> bool,
    ) -> Result<Self, Error> {
        let rows = curvature.rows();
        train.check_columns("training gradient", layers.columns())?;
        rows.check_columns("curvature row", layers.columns())?;
        let m = rows.rows() as f64;
        let layers = layers
            .ranges()
            .iter()
            .map(|columns| {
                let norms = squared_norms(rows, columns);
                let mean = norms.iter().sum::<f64>() / (m * columns.len() as f64);
                let damping = damping.of_block(mean, columns)?;
                let products = if in_gram_form(train.rows(), columns.len()) {
                    Some(products(rows, train, columns)?)
                } else {
                    None
                };
                Ok(Layer {
                    columns: columns.clone(),
                    damping,
                    weights: norms
                        .iter()
                        .map(|norm| 1.0 / (m * (damping + norm)))
                        .collect(),
                    products,
                })
            })
            .collect::<Result<_, Error>>()?;
        Ok(Self {
            train,
            curvature: rows,
            layers,
        })
    }

    /// Scores `q x n` of all training records for `q x P` query gradients.
    ///
    /// # Errors
    /// When the queries have another number of columns or there is no memory for the scores.
    pub fn scores(&self, queries: Rows<'_>) -> Result<Matrix, Error> {
        queries.check_columns("query gradient", self.train.columns())?;
        let n = self.train.rows();
        let mut scores = Matrix::zeros(queries.rows(), n)?;
        for (batch, scores) in scores.values_mut().chunks_mut(BATCH * n).enumerate() {
            let start = batch * BATCH;
            let queries = queries.slice(start..start + scores.len() / n);
            for layer in &self.layers {
                self.add_scores(layer, queries, scores)?;
            }
        }
        Ok(scores)
    }

    fn add_scores(
        &self,
        layer: &Layer,
        queries: Rows<'_>,
        scores: &mut [f64],
    ) -> Result<(), Error> {
        let (n, m) = (self.train.rows(), self.curvature.rows());
        let (columns, width) = (&layer.columns, layer.columns.len());
        let mut weighted = products(queries, self.curvature, columns)?;
        for row in weighted.values_mut().chunks_exact_mut(m) {
            for (value, weight) in row.iter_mut().zip(&layer.weights) {
                *value *= weight;
            }
        }
        let weighted = Operand::new(weighted.values(), m, &(0..m));
        let train = Operand::rows(self.train, columns);
        let factor = 1.0 / (n as f64 * layer.damping);
        if let Some(products) = &layer.products {
            let queries = Operand::rows(queries, columns);
            add_product(Target::new(scores, n, 0), factor, queries, train);
            let products = Operand::new(products.values(), n, &(0..n)).transpose();
            add_product(Target::new(scores, n, 0), -factor, weighted, products);
        } else {
            let mut directions = widen(queries, columns)?;
            add_product(
                Target::new(directions.values_mut(), width, 0),
                -1.0,
                weighted,
                Operand::rows(self.curvature, columns).transpose(),
            );
            let directions = Operand::new(directions.values(), width, &(0..width));
            add_product(Target::new(scores, n, 0), factor, directions, train);
        }
        Ok(())
    }

    /// The scores of each training record for its own gradient. High for mislabelled and atypical
    /// records.
    ///
    /// # Errors
    /// When there is no memory for the products.
    pub fn self_influence(&self) -> Result<Vec<f64>, Error> {
        let n = self.train.rows();
        let mut influences = vec![0.0; n];
        for layer in &self.layers {
            for (batch, influences) in influences.chunks_mut(BATCH).enumerate() {
                let start = batch * BATCH;
                let train = self.train.slice(start..start + influences.len());
                let products = products(train, self.curvature, &layer.columns)?;
                let norms = squared_norms(train, &layer.columns);
                for (i, (influence, norm)) in influences.iter_mut().zip(norms).enumerate() {
                    let squares = products
                        .row(i)
                        .iter()
                        .map(|product| product * product)
                        .collect::<Vec<_>>();
                    let explained = dot(&squares, &layer.weights);
                    *influence += (norm - explained) / (n as f64 * layer.damping);
                }
            }
        }
        Ok(influences)
    }
}

/// `A Bᵀ` over the columns of a layer.
fn products(a: Rows<'_>, b: Rows<'_>, columns: &Range<usize>) -> Result<Matrix, Error> {
    let mut out = Matrix::zeros(a.rows(), b.rows())?;
    add_product(
        Target::new(out.values_mut(), b.rows(), 0),
        1.0,
        Operand::rows(a, columns),
        Operand::rows(b, columns),
    );
    Ok(out)
}
