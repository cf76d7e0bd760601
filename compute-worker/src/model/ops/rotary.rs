//! Rotary position embedding (Su et al. 2021, arXiv 2104.09864), in Hugging Face's layout: feature
//! `i` of a head turns together with feature `i + head_dim / 2`.

use super::{gradient, output, slice_of, with_slices, ROW_BLOCK};
use candle_core::{CpuStorage, CustomOp1, Device, Layout, Result, Shape, Tensor};
use rayon::prelude::*;
use std::sync::Arc;

/// Cosines and sines of `position * theta^(-2i / head_dim)`.
#[derive(Clone, Debug)]
pub(crate) struct RotaryTable {
    /// `[positions, head_dim / 2]`, row-major.
    cosine: Arc<[f32]>,
    /// Same shape.
    sine: Arc<[f32]>,
    /// `head_dim / 2`.
    half: usize,
}

impl RotaryTable {
    /// A table for `positions` positions. Angles are computed in `f64` and rounded once.
    pub(crate) fn new(positions: usize, head_dim: usize, theta: f64) -> Self {
        let half = head_dim / 2;
        let angle = |index: usize| {
            let (position, feature) = (index / half, index % half);
            position as f64 * theta.powf(-2.0 * feature as f64 / head_dim as f64)
        };
        Self {
            cosine: (0..positions * half)
                .map(|index| angle(index).cos() as f32)
                .collect(),
            sine: (0..positions * half)
                .map(|index| angle(index).sin() as f32)
                .collect(),
            half,
        }
    }
}

/// Turns each head of `x: [tokens, heads * head_dim]` by the angles of its row's position.
pub(crate) fn rotary(x: &Tensor, table: &RotaryTable, positions: &Arc<[usize]>) -> Result<Tensor> {
    if x.device().is_cpu() {
        let op = Rotary {
            table: table.clone(),
            positions: positions.clone(),
            inverse: false,
        };
        return x.contiguous()?.apply_op1(op);
    }
    composed(x, table, positions)
}

/// The same of differentiable tensor operations, for every device.
pub(super) fn composed(x: &Tensor, table: &RotaryTable, positions: &[usize]) -> Result<Tensor> {
    let (rows, features) = x.dims2()?;
    let half = table.half;
    let heads = features / (2 * half);
    let turn = |values: &[f32], device: &Device| {
        let values: Vec<f32> = positions
            .iter()
            .flat_map(|position| &values[position * half..(position + 1) * half])
            .copied()
            .collect();
        Tensor::from_vec(values, (rows, 1, half), device)
    };
    let (cosine, sine) = (
        turn(&table.cosine, x.device())?,
        turn(&table.sine, x.device())?,
    );
    let x = x.reshape((rows, heads, 2 * half))?;
    let (first, second) = (x.narrow(2, 0, half)?, x.narrow(2, half, half)?);
    let turned_first = (first.broadcast_mul(&cosine)? - second.broadcast_mul(&sine)?)?;
    let turned_second = (second.broadcast_mul(&cosine)? + first.broadcast_mul(&sine)?)?;
    Tensor::cat(&[turned_first, turned_second], 2)?.reshape((rows, features))
}

struct Rotary {
    table: RotaryTable,
    /// Position of each row.
    positions: Arc<[usize]>,
    /// Turn the other way: the backward pass, since a rotation's transpose is its inverse.
    inverse: bool,
}

impl Rotary {
    fn apply(&self, x: &[f32], features: usize) -> Vec<f32> {
        let half = self.table.half;
        let mut y = vec![0f32; x.len()];
        let block = ROW_BLOCK * features;
        y.par_chunks_mut(block)
            .zip(
                x.par_chunks(block)
                    .zip(self.positions.par_chunks(ROW_BLOCK)),
            )
            .for_each(|(y, (x, positions))| {
                let rows = y.chunks_exact_mut(features).zip(x.chunks_exact(features));
                for (position, (y, x)) in positions.iter().zip(rows) {
                    let cosine = &self.table.cosine[position * half..(position + 1) * half];
                    let sine = &self.table.sine[position * half..(position + 1) * half];
                    for (y, x) in y.chunks_exact_mut(2 * half).zip(x.chunks_exact(2 * half)) {
                        let (y_first, y_second) = y.split_at_mut(half);
                        let (x_first, x_second) = x.split_at(half);
                        let angles = cosine.iter().zip(sine);
                        let inputs = x_first.iter().zip(x_second).zip(angles);
                        let outputs = y_first.iter_mut().zip(y_second);
                        for ((y_first, y_second), ((x_first, x_second), (cosine, sine))) in
                            outputs.zip(inputs)
                        {
                            let sine = if self.inverse { -sine } else { *sine };
                            *y_first = x_first * cosine - x_second * sine;
                            *y_second = x_second * cosine + x_first * sine;
                        }
                    }
                }
            });
        y
    }
}

impl CustomOp1 for Rotary {
    fn name(&self) -> &'static str {
        "rotary"
    }

    fn cpu_fwd(&self, x: &CpuStorage, layout: &Layout) -> Result<(CpuStorage, Shape)> {
        let (_, features) = layout.shape().dims2()?;
        output(
            self.apply(slice_of(x, layout, self.name())?, features),
            layout.shape(),
        )
    }

    fn bwd(&self, x: &Tensor, _y: &Tensor, grad: &Tensor) -> Result<Option<Tensor>> {
        let inverse = Self {
            table: self.table.clone(),
            positions: self.positions.clone(),
            inverse: !self.inverse,
        };
        let (_, features) = x.dims2()?;
        let grad = grad.contiguous()?;
        let dx = with_slices([&grad], self.name(), |[grad]| inverse.apply(grad, features))?;
        Ok(Some(gradient(dx, x)?))
    }
}
