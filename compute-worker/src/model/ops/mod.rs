//! Differentiable operations of the decoder.
//!
//! Several of candle's fused operations drop out of the autograd graph without a word
//! (`rms_norm`, `softmax_last_dim`, `rope`, `sdpa`): their inputs simply get no gradient. The
//! operations here all have a backward pass. On the CPU they are fused kernels that run on all
//! rayon threads; on other devices the same function is composed of candle's differentiable
//! tensor operations. A test compares the two.
//!
//! # Determinism
//! Each output element is computed by one thread in a fixed order, sums over rows go through
//! partial sums over blocks of a fixed size, and [`exp`] is our own, so the result does not depend
//! on the number of threads or on the C library.
//!
//! # Layout
//! Activations are `f32` matrices `[tokens, features]`, the tokens of a batch's sequences one after
//! the other. Only the attention and the positions know where a sequence begins, so sequences of
//! different lengths need no padding, and no broadcast with its extra passes gets into the graph.

mod activation;
mod attention;
mod linear;
mod loss;
mod normalization;
mod rotary;

pub(crate) use activation::silu_mul;
pub(crate) use attention::{attention, AttentionShape, Segment};
pub(crate) use linear::{linear, low_rank_linear, merge, tapped_linear, Tape, TapeEntry};
pub(crate) use loss::negative_log_likelihood;
pub(crate) use normalization::rms_norm;
pub(crate) use rotary::{rotary, RotaryTable};

use candle_core::{bail, CpuStorage, Device, Layout, Result, Shape, Storage, Tensor};

/// Rows that one parallel task works on. Fixed, so that partial sums do not depend on the threads.
const ROW_BLOCK: usize = 64;

/// Contiguous `f32` content of a CPU storage.
fn slice_of<'a>(storage: &'a CpuStorage, layout: &Layout, op: &'static str) -> Result<&'a [f32]> {
    let data = storage.as_slice::<f32>()?;
    match layout.contiguous_offsets() {
        Some((start, end)) => Ok(&data[start..end]),
        None => bail!(
            "{op} needs a contiguous input, got strides {:?}",
            layout.stride()
        ),
    }
}

/// Runs `f` on the contiguous `f32` contents of CPU tensors.
fn with_slices<const N: usize, R>(
    tensors: [&Tensor; N],
    op: &'static str,
    f: impl FnOnce([&[f32]; N]) -> R,
) -> Result<R> {
    let guards = tensors.map(Tensor::storage_and_layout);
    let mut slices: [&[f32]; N] = [&[]; N];
    for (slice, (storage, layout)) in slices.iter_mut().zip(&guards) {
        let Storage::Cpu(storage) = &**storage else {
            bail!("{op} expects tensors on the CPU")
        };
        *slice = slice_of(storage, layout, op)?;
    }
    Ok(f(slices))
}

/// An `f32` result of a fused forward pass.
fn output(data: Vec<f32>, shape: impl Into<Shape>) -> Result<(CpuStorage, Shape)> {
    Ok((CpuStorage::F32(data), shape.into()))
}

/// A gradient on the CPU.
fn gradient(data: Vec<f32>, like: &Tensor) -> Result<Tensor> {
    Tensor::from_vec(data, like.shape(), &Device::Cpu)
}

/// Sum of products, in sixteen interleaved partial sums: a fixed order that vector units can follow.
fn dot(left: &[f32], right: &[f32]) -> f32 {
    const LANES: usize = 16;
    let mut lanes = [0f32; LANES];
    let (left_chunks, right_chunks) = (left.chunks_exact(LANES), right.chunks_exact(LANES));
    let tail: f32 = left_chunks
        .remainder()
        .iter()
        .zip(right_chunks.remainder())
        .map(|(left, right)| left * right)
        .sum();
    for (left, right) in left_chunks.zip(right_chunks) {
        for ((lane, left), right) in lanes.iter_mut().zip(left).zip(right) {
            *lane += left * right;
        }
    }
    lanes.iter().sum::<f32>() + tail
}

/// `e^x` to about 2 units in the last place, for `x` in [-87, 88] (clamped outside).
///
/// Cephes' `expf`: `e^x = 2^n e^r` with `n = round(x / ln 2)` and a degree-6 polynomial in `r`.
/// Only additions and multiplications, so it vectorises and gives the same bits everywhere, which
/// the C library's `expf` does not promise.
// The coefficients are as Cephes publishes them, with more digits than `f32` keeps.
#[allow(clippy::excessive_precision)]
#[inline(always)]
fn exp(x: f32) -> f32 {
    /// 1.5 * 2^23: adding it rounds to an integer, whose value then stands in the low bits.
    const ROUND: f32 = 12_582_912.0;
    const LN_2_HIGH: f32 = 0.693_359_4;
    const LN_2_LOW: f32 = -2.121_944_4e-4;
    let x = x.clamp(-87.0, 88.0);
    let shifted = x * std::f32::consts::LOG2_E + ROUND;
    let n = shifted - ROUND;
    let r = x - n * LN_2_HIGH - n * LN_2_LOW;
    let mut p = 1.987_569_1e-4;
    p = p * r + 1.398_199_9e-3;
    p = p * r + 8.333_452e-3;
    p = p * r + 4.166_579_6e-2;
    p = p * r + 1.666_666_5e-1;
    p = p * r + 5.000_000_1e-1;
    let mantissa = p * r * r + r + 1.0;
    let exponent = shifted
        .to_bits()
        .wrapping_sub(ROUND.to_bits())
        .wrapping_add(127)
        << 23;
    mantissa * f32::from_bits(exponent)
}

/// Largest value of a row, in a fixed order that vector units can follow.
fn maximum(row: &[f32]) -> f32 {
    const LANES: usize = 16;
    let mut lanes = [f32::NEG_INFINITY; LANES];
    let chunks = row.chunks_exact(LANES);
    let mut largest = chunks
        .remainder()
        .iter()
        .fold(f32::NEG_INFINITY, |a, &b| if b > a { b } else { a });
    for chunk in chunks {
        for (lane, &value) in lanes.iter_mut().zip(chunk) {
            *lane = if value > *lane { value } else { *lane };
        }
    }
    for lane in lanes {
        largest = if lane > largest { lane } else { largest };
    }
    largest
}

/// Sum of a row in sixteen interleaved partial sums.
fn sum(row: &[f32]) -> f32 {
    const LANES: usize = 16;
    let mut lanes = [0f32; LANES];
    let chunks = row.chunks_exact(LANES);
    let tail: f32 = chunks.remainder().iter().sum();
    for chunk in chunks {
        for (lane, value) in lanes.iter_mut().zip(chunk) {
            *lane += value;
        }
    }
    lanes.iter().sum::<f32>() + tail
}

#[cfg(test)]
mod tests;
