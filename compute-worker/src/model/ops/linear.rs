//! Linear maps `y = x W^T` with `x: [tokens, in]` and `W: [out, in]`, in the three ways that the
//! worker needs them.
//!
//! candle's own `matmul` computes and keeps the gradient of both operands, frozen or not. Here a
//! frozen weight costs neither time nor memory in the backward pass: four floating point operations
//! per weight and token instead of six.

use candle_core::{
    backend::BackendStorage, CpuStorage, CudaStorage, CustomOp1, CustomOp2, CustomOp3, Layout,
    Result, Shape, Storage, Tensor,
};
use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
};

/// `x W^T`. A weight that is a [`candle_core::Var`] gets a gradient, any other does not.
pub(crate) fn linear(x: &Tensor, weight: &Tensor) -> Result<Tensor> {
    if weight.is_variable() {
        x.contiguous()?.apply_op2(weight, TrainedLinear)
    } else {
        x.contiguous()?.apply_op1(FrozenLinear {
            weight: weight.clone(),
            tap: None,
        })
    }
}

/// `x W^T`, recording `x` and the gradient of the result on `tape` under `key` when the backward
/// pass comes by. The weight itself gets no gradient: see [`Tape`].
pub(crate) fn tapped_linear(
    x: &Tensor,
    weight: &Tensor,
    tape: &Arc<Tape>,
    key: usize,
) -> Result<Tensor> {
    let tap = Some((tape.clone(), key));
    x.contiguous()?.apply_op1(FrozenLinear {
        weight: weight.detach(),
        tap,
    })
}

/// `x (W + scale * B A)^T` with a frozen `W: [out, in]` and trained `A: [rank, in]`,
/// `B: [out, rank]` (Hu et al. 2021, arXiv 2106.09685).
///
/// The sum is formed once per call, which costs `2 rank` operations per weight whatever the number
/// of tokens, so that the forward pass and the gradient of `x` cost what they cost without an
/// adapter. `dA = scale * (g B)^T x`, `dB = scale * g^T (x A^T)`.
pub(crate) fn low_rank_linear(
    x: &Tensor,
    weight: &Tensor,
    a: &Tensor,
    b: &Tensor,
    scale: f64,
) -> Result<Tensor> {
    let merged = merge(weight, a, b, scale)?;
    x.contiguous()?
        .apply_op3(a, b, LowRankLinear { merged, scale })
}

/// `W + scale * B A`, detached from the graph.
pub(crate) fn merge(weight: &Tensor, a: &Tensor, b: &Tensor, scale: f64) -> Result<Tensor> {
    weight.detach() + (b.detach().matmul(&a.detach())? * scale)?
}

/// Inputs and output gradients of linear maps, collected in one backward pass over a batch.
///
/// The gradient of `W` for a single sequence is the sum over its tokens of the outer products
/// `g_t x_t^T`, so these two matrices hold the gradients of all sequences of the batch separately.
#[derive(Debug, Default)]
pub(crate) struct Tape(Mutex<BTreeMap<usize, TapeEntry>>);

/// What one linear map saw.
#[derive(Clone, Debug)]
pub(crate) struct TapeEntry {
    /// Input `[tokens, in]`.
    pub(crate) input: Tensor,
    /// Gradient of the output `[tokens, out]`.
    pub(crate) output_gradient: Tensor,
}

impl Tape {
    /// Everything recorded, by key.
    pub(crate) fn take(&self) -> BTreeMap<usize, TapeEntry> {
        std::mem::take(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn record(&self, key: usize, entry: TapeEntry) {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .insert(key, entry);
    }
}

/// Dimensions `(rows, out, in)` of a product, and its result's shape.
fn dimensions(x: &Layout, weight: &Layout) -> Result<((usize, usize, usize, usize), Shape)> {
    let (rows, input) = x.shape().dims2()?;
    let (out, weight_input) = weight.shape().dims2()?;
    if input != weight_input {
        candle_core::bail!("an input of {input} features meets a weight of {weight_input}");
    }
    Ok(((1, rows, out, input), (rows, out).into()))
}

fn multiply<S: BackendStorage>(
    x: &S,
    x_layout: &Layout,
    weight: &S,
    weight_layout: &Layout,
) -> Result<(S, Shape)> {
    let (sizes, shape) = dimensions(x_layout, weight_layout)?;
    Ok((
        x.matmul(weight, sizes, x_layout, &weight_layout.transpose(0, 1)?)?,
        shape,
    ))
}

/// Multiplies by a weight that the operation itself holds.
fn multiply_held_cpu(
    x: &CpuStorage,
    layout: &Layout,
    weight: &Tensor,
) -> Result<(CpuStorage, Shape)> {
    let (storage, weight_layout) = weight.storage_and_layout();
    match &*storage {
        Storage::Cpu(storage) => multiply(x, layout, storage, weight_layout),
        _ => candle_core::bail!("the input is on the CPU, the weight is not"),
    }
}

fn multiply_held_cuda(
    x: &CudaStorage,
    layout: &Layout,
    weight: &Tensor,
) -> Result<(CudaStorage, Shape)> {
    let (storage, weight_layout) = weight.storage_and_layout();
    match &*storage {
        Storage::Cuda(storage) => multiply(x, layout, storage, weight_layout),
        _ => candle_core::bail!("the input is on a GPU, the weight is not"),
    }
}

struct FrozenLinear {
    weight: Tensor,
    tap: Option<(Arc<Tape>, usize)>,
}

impl CustomOp1 for FrozenLinear {
    fn name(&self) -> &'static str {
        "frozen-linear"
    }

    fn cpu_fwd(&self, x: &CpuStorage, layout: &Layout) -> Result<(CpuStorage, Shape)> {
        multiply_held_cpu(x, layout, &self.weight)
    }

    fn cuda_fwd(&self, x: &CudaStorage, layout: &Layout) -> Result<(CudaStorage, Shape)> {
        multiply_held_cuda(x, layout, &self.weight)
    }

    fn bwd(&self, x: &Tensor, _y: &Tensor, grad: &Tensor) -> Result<Option<Tensor>> {
        let grad = grad.contiguous()?;
        if let Some((tape, key)) = &self.tap {
            let entry = TapeEntry {
                input: x.detach(),
                output_gradient: grad.clone(),
            };
            tape.record(*key, entry);
        }
        Ok(Some(grad.matmul(&self.weight)?))
    }
}

struct TrainedLinear;

impl CustomOp2 for TrainedLinear {
    fn name(&self) -> &'static str {
        "linear"
    }

    fn cpu_fwd(
        &self,
        x: &CpuStorage,
        x_layout: &Layout,
        weight: &CpuStorage,
        weight_layout: &Layout,
    ) -> Result<(CpuStorage, Shape)> {
        multiply(x, x_layout, weight, weight_layout)
    }

    fn cuda_fwd(
        &self,
        x: &CudaStorage,
        x_layout: &Layout,
        weight: &CudaStorage,
        weight_layout: &Layout,
    ) -> Result<(CudaStorage, Shape)> {
        multiply(x, x_layout, weight, weight_layout)
    }

    fn bwd(
        &self,
        x: &Tensor,
        weight: &Tensor,
        _y: &Tensor,
        grad: &Tensor,
    ) -> Result<(Option<Tensor>, Option<Tensor>)> {
        let grad = grad.contiguous()?;
        Ok((
            Some(grad.matmul(&weight.detach())?),
            Some(grad.t()?.matmul(&x.detach())?),
        ))
    }
}

struct LowRankLinear {
    merged: Tensor,
    scale: f64,
}

impl CustomOp3 for LowRankLinear {
    fn name(&self) -> &'static str {
        "low-rank-linear"
    }

    fn cpu_fwd(
        &self,
        x: &CpuStorage,
        x_layout: &Layout,
        _a: &CpuStorage,
        _a_layout: &Layout,
        _b: &CpuStorage,
        _b_layout: &Layout,
    ) -> Result<(CpuStorage, Shape)> {
        multiply_held_cpu(x, x_layout, &self.merged)
    }

    fn cuda_fwd(
        &self,
        x: &CudaStorage,
        x_layout: &Layout,
        _a: &CudaStorage,
        _a_layout: &Layout,
        _b: &CudaStorage,
        _b_layout: &Layout,
    ) -> Result<(CudaStorage, Shape)> {
        multiply_held_cuda(x, x_layout, &self.merged)
    }

    fn bwd(
        &self,
        x: &Tensor,
        a: &Tensor,
        b: &Tensor,
        _y: &Tensor,
        grad: &Tensor,
    ) -> Result<(Option<Tensor>, Option<Tensor>, Option<Tensor>)> {
        let (x, a, b) = (x.detach(), a.detach(), b.detach());
        let grad = grad.contiguous()?;
        let da = ((grad.matmul(&b)? * self.scale)?.t()?).matmul(&x)?;
        let db = grad.t()?.matmul(&(x.matmul(&a.t()?)? * self.scale)?)?;
        Ok((Some(grad.matmul(&self.merged)?), Some(da), Some(db)))
    }
}
