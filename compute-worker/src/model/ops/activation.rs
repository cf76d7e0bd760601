//! The gated activation of SwiGLU (Shazeer 2020, arXiv 2002.05202).

use super::{exp, gradient, output, slice_of, with_slices, ROW_BLOCK};
use candle_core::{CpuStorage, CustomOp2, Layout, Result, Shape, Tensor};
use rayon::prelude::*;

/// `silu(gate) * up` element by element, with `silu(x) = x / (1 + e^-x)`; both `[tokens, inner]`.
pub(crate) fn silu_mul(gate: &Tensor, up: &Tensor) -> Result<Tensor> {
    if gate.device().is_cpu() {
        return gate.contiguous()?.apply_op2(&up.contiguous()?, SiluMul);
    }
    composed(gate, up)
}

/// The same of differentiable tensor operations, for every device.
pub(super) fn composed(gate: &Tensor, up: &Tensor) -> Result<Tensor> {
    gate.silu()?.mul(up)
}

/// Elements that one parallel task works on.
const BLOCK: usize = ROW_BLOCK * 256;

struct SiluMul;

impl CustomOp2 for SiluMul {
    fn name(&self) -> &'static str {
        "silu-mul"
    }

    fn cpu_fwd(
        &self,
        gate: &CpuStorage,
        gate_layout: &Layout,
        up: &CpuStorage,
        up_layout: &Layout,
    ) -> Result<(CpuStorage, Shape)> {
        let gate = slice_of(gate, gate_layout, self.name())?;
        let up = slice_of(up, up_layout, self.name())?;
        let mut y = vec![0f32; gate.len()];
        y.par_chunks_mut(BLOCK)
            .zip(gate.par_chunks(BLOCK).zip(up.par_chunks(BLOCK)))
            .for_each(|(y, (gate, up))| {
                for ((y, &gate), up) in y.iter_mut().zip(gate).zip(up) {
                    *y = gate / (1.0 + exp(-gate)) * up;
                }
            });
        output(y, gate_layout.shape())
    }

    /// With `s = 1 / (1 + e^-gate)`: `dgate = g * up * s * (1 + gate * (1 - s))`,
    /// `dup = g * gate * s`.
    fn bwd(
        &self,
        gate: &Tensor,
        up: &Tensor,
        _y: &Tensor,
        grad: &Tensor,
    ) -> Result<(Option<Tensor>, Option<Tensor>)> {
        let grad = grad.contiguous()?;
        let (dgate, dup) = with_slices([gate, up, &grad], self.name(), |[gate, up, grad]| {
            let mut dgate = vec![0f32; gate.len()];
            let mut dup = vec![0f32; gate.len()];
            let inputs = gate
                .par_chunks(BLOCK)
                .zip(up.par_chunks(BLOCK))
                .zip(grad.par_chunks(BLOCK));
            dgate
                .par_chunks_mut(BLOCK)
                .zip(dup.par_chunks_mut(BLOCK))
                .zip(inputs)
                .for_each(|((dgate, dup), ((gate, up), grad))| {
                    let outputs = dgate.iter_mut().zip(dup);
                    for ((dgate, dup), ((&gate, up), grad)) in
                        outputs.zip(gate.iter().zip(up).zip(grad))
                    {
                        let sigmoid = 1.0 / (1.0 + exp(-gate));
                        *dgate = grad * up * sigmoid * (1.0 + gate * (1.0 - sigmoid));
                        *dup = grad * gate * sigmoid;
                    }
                });
            (dgate, dup)
        })?;
        Ok((Some(gradient(dgate, gate)?), Some(gradient(dup, up)?)))
    }
}
