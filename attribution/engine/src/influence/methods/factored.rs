//! Gradients of linear layers from their activations and deltas.

use std::ops::Range;

use faer::{linalg::matmul::matmul, Accum, MatMut, MatRef, Par};
use rand_chacha::{
    rand_core::{RngCore, SeedableRng},
    ChaCha8Rng,
};
use rayon::prelude::*;

use super::{
    dense::{eigen, gram, Operand},
    rows::{entries, zeros, Rows},
};
use crate::Error;

/// What passed through one linear layer `y = W x` for some records: per token the activation `x`
/// that went in and the delta `δ = ∂loss/∂y` that came back. The gradient of a record is
/// `dW = Σ_t δ_t x_tᵀ` over its tokens, `d_out x d_in`, and is never held as such.
#[derive(Clone, Copy, Debug)]
pub struct LinearLayer<'a> {
    activations: Rows<'a>,
    deltas: Rows<'a>,
    offsets: &'a [usize],
}

impl<'a> LinearLayer<'a> {
    /// Activations `T x d_in` and deltas `T x d_out` of all tokens, those of record `i` in rows
    /// `offsets[i]..offsets[i + 1]`.
    ///
    /// # Errors
    /// When the numbers of tokens differ, there are no records, or the offsets do not rise from 0 to
    /// `T` (records without tokens are allowed).
    pub fn new(
        activations: Rows<'a>,
        deltas: Rows<'a>,
        offsets: &'a [usize],
    ) -> Result<Self, Error> {
        let tokens = activations.rows();
        Error::check_shape("list of deltas", deltas.rows(), tokens)?;
        let expected = || format!("rising from 0 to the number of tokens, {tokens}");
        if offsets.len() < 2 {
            let count = offsets.len();
            return Err(Error::parameter(
                "number of record offsets",
                count,
                "at least 2",
            ));
        }
        let last = offsets[offsets.len() - 1];
        for (name, value, right) in [
            ("first record offset", offsets[0], 0),
            ("last record offset", last, tokens),
        ] {
            if value != right {
                return Err(Error::parameter(name, value, expected()));
            }
        }
        if let Some(pair) = offsets.windows(2).find(|pair| pair[0] > pair[1]) {
            return Err(Error::parameter("record offset", pair[1], expected()));
        }
        Ok(Self {
            activations,
            deltas,
            offsets,
        })
    }

    /// Number of records.
    pub fn records(&self) -> usize {
        self.offsets.len() - 1
    }

    /// `d_in`.
    pub fn inputs(&self) -> usize {
        self.activations.columns()
    }

    /// `d_out`.
    pub fn outputs(&self) -> usize {
        self.deltas.columns()
    }
}

/// Projects gradients of a linear layer on both sides, from activations and deltas alone:
/// `P_o dW P_iᵀ = Σ_t (P_o δ_t) (P_i x_t)ᵀ`.
///
/// LoGra: S. K. Choe et al., *What is Your Data Worth to GPT? LLM-Scale Data Valuation with Influence
/// Functions*, 2024. The projected rows of all layers, side by side, are gradients like any others: put
/// them into [`DampedFisher`](super::DampedFisher) with one layer each and
/// [`Damping::Relative`](super::Damping::Relative) 0.1 for LoGra's influence, divided by the root of
/// the self-influence for its cosine form. Cost: `T (r_o d_out + r_i d_in + r_o r_i)` multiplications.
pub struct FactoredProjection {
    /// `P_o`, `r_o x d_out`.
    outputs: Side,
    /// `P_i`, `r_i x d_in`.
    inputs: Side,
}

struct Side {
    values: Vec<f64>,
    rank: usize,
    dimension: usize,
}

impl Side {
    fn matrix(&self) -> MatRef<'_, f64> {
        MatRef::from_row_major_slice(&self.values, self.rank, self.dimension)
    }

    /// `±1/√r`, row `k` from stream `2k + offset` of the seed.
    fn random(rank: usize, dimension: usize, seed: &[u8; 32], offset: u64) -> Result<Self, Error> {
        check_rank(rank, dimension)?;
        let mut values = zeros(entries(rank, dimension)?)?;
        let size = 1.0 / (rank as f64).sqrt();
        for (k, row) in (0..).zip(values.chunks_exact_mut(dimension)) {
            let mut rng = ChaCha8Rng::from_seed(*seed);
            rng.set_stream(2 * k + offset);
            for values in row.chunks_mut(64) {
                let mut word = rng.next_u64();
                for value in values {
                    *value = if word & 1 == 0 { size } else { -size };
                    word >>= 1;
                }
            }
        }
        Ok(Self {
            values,
            rank,
            dimension,
        })
    }

    /// The eigenvectors of `XᵀX` with the largest eigenvalues.
    fn principal(rank: usize, tokens: Rows<'_>) -> Result<Self, Error> {
        let dimension = tokens.columns();
        check_rank(rank, dimension)?;
        let covariance = gram(Operand::rows(tokens, &(0..dimension)).transpose())?;
        let (_, mut values) = eigen(&covariance, dimension)?;
        values.truncate(rank * dimension);
        Ok(Self {
            values,
            rank,
            dimension,
        })
    }
}

fn check_rank(rank: usize, dimension: usize) -> Result<(), Error> {
    if rank == 0 || rank > dimension {
        return Err(Error::parameter(
            "rank of a projection",
            rank,
            format!("in 1..={dimension}, the dimension that is projected"),
        ));
    }
    Ok(())
}

impl FactoredProjection {
    /// Random signs `±1/√r` from a seed, which keep inner products in the mean. Ranks are
    /// `(r_o, r_i)`, dimensions `(d_out, d_in)`. Different layers need different seeds.
    ///
    /// # Errors
    /// When a rank is zero or above its dimension.
    pub fn random(
        ranks: (usize, usize),
        dimensions: (usize, usize),
        seed: &[u8; 32],
    ) -> Result<Self, Error> {
        Ok(Self {
            outputs: Side::random(ranks.0, dimensions.0, seed, 0)?,
            inputs: Side::random(ranks.1, dimensions.1, seed, 1)?,
        })
    }

    /// The principal directions of the layer's deltas and activations (second moments, not centred).
    /// Ranks are `(r_o, r_i)`.
    ///
    /// # Errors
    /// When a rank is zero or above its dimension, or an eigendecomposition does not converge.
    pub fn principal(ranks: (usize, usize), layer: &LinearLayer<'_>) -> Result<Self, Error> {
        Ok(Self {
            outputs: Side::principal(ranks.0, layer.deltas)?,
            inputs: Side::principal(ranks.1, layer.activations)?,
        })
    }

    /// Number of columns of a projected gradient, `r_o r_i`.
    pub fn columns(&self) -> usize {
        self.outputs.rank * self.inputs.rank
    }

    /// Projected gradients of all records, `n x r_o r_i` row-major; entry `(o, i)` of a gradient is in
    /// column `o r_i + i`.
    ///
    /// # Errors
    /// When the layer has other dimensions, or a value is beyond the range of single precision.
    pub fn project(&self, layer: &LinearLayer<'_>) -> Result<Vec<f32>, Error> {
        let rows = self.project_some(layer, 0..layer.records())?;
        let narrow = rows.iter().map(|value| *value as f32).collect::<Vec<_>>();
        for (row, gradient) in narrow.chunks_exact(self.columns()).enumerate() {
            Error::check_finite(Some(u32::try_from(row).unwrap_or(u32::MAX)), gradient)?;
        }
        Ok(narrow)
    }

    /// As [`Self::project`], of some records and in double precision.
    pub(super) fn project_some(
        &self,
        layer: &LinearLayer<'_>,
        records: Range<usize>,
    ) -> Result<Vec<f64>, Error> {
        let (outputs, inputs) = (&self.outputs, &self.inputs);
        Error::check_shape("delta of a token", layer.outputs(), outputs.dimension)?;
        Error::check_shape("activation of a token", layer.inputs(), inputs.dimension)?;
        let mut rows = zeros(entries(records.len(), self.columns())?)?;
        rows.par_chunks_exact_mut(self.columns())
            .zip(records)
            .for_each(|(row, record)| {
                let tokens = layer.offsets[record]..layer.offsets[record + 1];
                if tokens.is_empty() {
                    return;
                }
                let deltas = project_tokens(outputs, layer.deltas.slice(tokens.clone()));
                let activations = project_tokens(inputs, layer.activations.slice(tokens.clone()));
                matmul(
                    MatMut::from_row_major_slice_mut(row, outputs.rank, inputs.rank),
                    Accum::Replace,
                    MatRef::from_row_major_slice(&deltas, tokens.len(), outputs.rank).transpose(),
                    MatRef::from_row_major_slice(&activations, tokens.len(), inputs.rank),
                    1.0,
                    Par::Seq,
                );
            });
        Ok(rows)
    }

    /// The adjoint of the projection, `P_oᵀ M P_i`: its product with a gradient is that of `M`,
    /// `r_o x r_i`, with the projected gradient. `out` is `d_out x d_in`.
    pub(super) fn adjoint(&self, projected: &[f64], out: &mut [f64]) {
        let (outputs, inputs) = (&self.outputs, &self.inputs);
        let mut half = vec![0.0; outputs.rank * inputs.dimension];
        matmul(
            MatMut::from_row_major_slice_mut(&mut half, outputs.rank, inputs.dimension),
            Accum::Replace,
            MatRef::from_row_major_slice(projected, outputs.rank, inputs.rank),
            inputs.matrix(),
            1.0,
            Par::Seq,
        );
        matmul(
            MatMut::from_row_major_slice_mut(out, outputs.dimension, inputs.dimension),
            Accum::Replace,
            outputs.matrix().transpose(),
            MatRef::from_row_major_slice(&half, outputs.rank, inputs.dimension),
            1.0,
            Par::Seq,
        );
    }
}

/// `X Pᵀ`, row-major.
fn project_tokens(side: &Side, tokens: Rows<'_>) -> Vec<f64> {
    let wide = tokens
        .values()
        .iter()
        .map(|value| f64::from(*value))
        .collect::<Vec<_>>();
    let mut out = vec![0.0; tokens.rows() * side.rank];
    matmul(
        MatMut::from_row_major_slice_mut(&mut out, tokens.rows(), side.rank),
        Accum::Replace,
        MatRef::from_row_major_slice(&wide, tokens.rows(), side.dimension),
        side.matrix().transpose(),
        1.0,
        Par::Seq,
    );
    out
}
