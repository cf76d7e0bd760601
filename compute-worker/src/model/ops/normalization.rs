//! Root mean square normalisation (Zhang and Sennrich 2019, arXiv 1910.07467).

use super::{dot, gradient, output, slice_of, with_slices, ROW_BLOCK};
use candle_core::{CpuStorage, CustomOp2, Layout, Result, Shape, Tensor, D};
use rayon::prelude::*;

/// `y = x * weight / sqrt(mean(x^2) + epsilon)` for each row of `x: [tokens, hidden]`. The
/// `weight: [hidden]` gets a gradient only if it is a variable.
pub(crate) fn rms_norm(x: &Tensor, weight: &Tensor, epsilon: f64) -> Result<Tensor> {
    if x.device().is_cpu() {
        return x.contiguous()?.apply_op2(
            weight,
            RmsNorm {
                epsilon: epsilon as f32,
            },
        );
    }
    composed(x, weight, epsilon)
}

/// The same of differentiable tensor operations, for every device.
pub(super) fn composed(x: &Tensor, weight: &Tensor, epsilon: f64) -> Result<Tensor> {
    let mean = (x.sqr()?.sum_keepdim(D::Minus1)? / x.dim(D::Minus1)? as f64)?;
    x.broadcast_div(&(mean + epsilon)?.sqrt()?)?
        .broadcast_mul(weight)
}

struct RmsNorm {
    epsilon: f32,
}

impl RmsNorm {
    /// `1 / sqrt(mean(x^2) + epsilon)` of one row.
    fn scale(&self, row: &[f32]) -> f32 {
        1.0 / (dot(row, row) / row.len() as f32 + self.epsilon).sqrt()
    }
}

impl CustomOp2 for RmsNorm {
    fn name(&self) -> &'static str {
        "rms-norm"
    }

    fn cpu_fwd(
        &self,
        x: &CpuStorage,
        x_layout: &Layout,
        weight: &CpuStorage,
        weight_layout: &Layout,
    ) -> Result<(CpuStorage, Shape)> {
        let x = slice_of(x, x_layout, self.name())?;
        let weight = slice_of(weight, weight_layout, self.name())?;
        let hidden = weight.len();
        let mut y = vec![0f32; x.len()];
        y.par_chunks_mut(ROW_BLOCK * hidden)
            .zip(x.par_chunks(ROW_BLOCK * hidden))
            .for_each(|(y, x)| {
                for (y, x) in y.chunks_exact_mut(hidden).zip(x.chunks_exact(hidden)) {
                    let scale = self.scale(x);
                    for ((y, x), weight) in y.iter_mut().zip(x).zip(weight) {
                        *y = x * scale * weight;
                    }
                }
            });
        output(y, x_layout.shape())
    }

    /// With `s = 1 / sqrt(mean(x^2) + epsilon)` and `h = hidden`:
    /// `dx = s * w * g - x * s^3 / h * sum(x * w * g)` and `dw = sum over rows of g * x * s`.
    fn bwd(
        &self,
        x: &Tensor,
        weight: &Tensor,
        _y: &Tensor,
        grad: &Tensor,
    ) -> Result<(Option<Tensor>, Option<Tensor>)> {
        let grad = grad.contiguous()?;
        let (dx, dw) = with_slices([x, weight, &grad], self.name(), |[x, weight, grad]| {
            let hidden = weight.len();
            let block = ROW_BLOCK * hidden;
            let mut dx = vec![0f32; x.len()];
            let partial: Vec<Vec<f32>> = dx
                .par_chunks_mut(block)
                .zip(x.par_chunks(block).zip(grad.par_chunks(block)))
                .map(|(dx, (x, grad))| {
                    let mut dw = vec![0f32; hidden];
                    let mut weighted = vec![0f32; hidden];
                    for ((dx, x), grad) in dx
                        .chunks_exact_mut(hidden)
                        .zip(x.chunks_exact(hidden))
                        .zip(grad.chunks_exact(hidden))
                    {
                        let scale = self.scale(x);
                        for ((weighted, weight), grad) in weighted.iter_mut().zip(weight).zip(grad)
                        {
                            *weighted = weight * grad;
                        }
                        let pull = scale * scale * scale * dot(x, &weighted) / hidden as f32;
                        for ((dx, x), weighted) in dx.iter_mut().zip(x).zip(&weighted) {
                            *dx = scale * weighted - pull * x;
                        }
                        for ((dw, x), grad) in dw.iter_mut().zip(x).zip(grad) {
                            *dw += grad * x * scale;
                        }
                    }
                    dw
                })
                .collect();
            let mut dw = vec![0f32; hidden];
            for block in partial {
                for (dw, part) in dw.iter_mut().zip(block) {
                    *dw += part;
                }
            }
            (dx, dw)
        })?;
        let dw = if weight.is_variable() {
            Some(gradient(dw, weight)?)
        } else {
            None
        };
        Ok((Some(gradient(dx, x)?), dw))
    }
}
