//! Cross entropy of next-token prediction.

use super::{exp, gradient, maximum, output, slice_of, sum, with_slices, ROW_BLOCK};
use candle_core::{CpuStorage, CustomOp1, Layout, Result, Shape, Tensor, D};
use rayon::prelude::*;
use std::sync::Arc;

/// `-log softmax(logits)[target]` in nats for each row of `logits: [tokens, vocabulary]`;
/// the result is `[tokens]`.
pub(crate) fn negative_log_likelihood(logits: &Tensor, targets: &Arc<[u32]>) -> Result<Tensor> {
    let (rows, vocabulary) = logits.dims2()?;
    if rows != targets.len() {
        candle_core::bail!("{rows} rows of logits for {} targets", targets.len());
    }
    if let Some(target) = targets
        .iter()
        .find(|&&target| target as usize >= vocabulary)
    {
        candle_core::bail!("target {target} is outside the vocabulary of {vocabulary} tokens");
    }
    if logits.device().is_cpu() {
        return logits.contiguous()?.apply_op1(NegativeLogLikelihood {
            targets: targets.clone(),
        });
    }
    composed(logits, targets)
}

/// The same of differentiable tensor operations, for every device.
pub(super) fn composed(logits: &Tensor, targets: &[u32]) -> Result<Tensor> {
    let index = Tensor::from_slice(targets, (targets.len(), 1), logits.device())?;
    let shifted = logits.broadcast_sub(&logits.max_keepdim(D::Minus1)?.detach())?;
    let log_sum = shifted.exp()?.sum_keepdim(D::Minus1)?.log()?;
    (log_sum - shifted.gather(&index, D::Minus1)?)?.squeeze(D::Minus1)
}

struct NegativeLogLikelihood {
    targets: Arc<[u32]>,
}

/// Writes `e^(row - max)` to `exponentials`; returns the maximum and the sum.
fn exponentials(row: &[f32], exponentials: &mut [f32]) -> (f32, f32) {
    let largest = maximum(row);
    for (exponential, &value) in exponentials.iter_mut().zip(row) {
        *exponential = exp(value - largest);
    }
    (largest, sum(exponentials))
}

impl CustomOp1 for NegativeLogLikelihood {
    fn name(&self) -> &'static str {
        "negative-log-likelihood"
    }

    fn cpu_fwd(&self, logits: &CpuStorage, layout: &Layout) -> Result<(CpuStorage, Shape)> {
        let (rows, vocabulary) = layout.shape().dims2()?;
        let logits = slice_of(logits, layout, self.name())?;
        let mut losses = vec![0f32; rows];
        losses
            .par_chunks_mut(ROW_BLOCK)
            .zip(
                logits
                    .par_chunks(ROW_BLOCK * vocabulary)
                    .zip(self.targets.par_chunks(ROW_BLOCK)),
            )
            .for_each(|(losses, (logits, targets))| {
                let mut scratch = vec![0f32; vocabulary];
                let rows = logits.chunks_exact(vocabulary).zip(targets);
                for (loss, (row, &target)) in losses.iter_mut().zip(rows) {
                    let (largest, total) = exponentials(row, &mut scratch);
                    *loss = total.ln() + largest - row[target as usize];
                }
            });
        output(losses, rows)
    }

    /// `dlogits = g * (softmax(logits) - onehot(target))`.
    fn bwd(&self, logits: &Tensor, _losses: &Tensor, grad: &Tensor) -> Result<Option<Tensor>> {
        let (rows, vocabulary) = logits.dims2()?;
        let grad = grad.contiguous()?;
        let dlogits = with_slices([logits, &grad], self.name(), |[logits, grad]| {
            let mut dlogits = vec![0f32; rows * vocabulary];
            let block = ROW_BLOCK * vocabulary;
            let inputs = logits
                .par_chunks(block)
                .zip(grad.par_chunks(ROW_BLOCK))
                .zip(self.targets.par_chunks(ROW_BLOCK));
            dlogits.par_chunks_mut(block).zip(inputs).for_each(
                |(dlogits, ((logits, grad), targets))| {
                    let outputs = dlogits.chunks_exact_mut(vocabulary);
                    let inputs = logits.chunks_exact(vocabulary).zip(grad).zip(targets);
                    for (dlogits, ((row, &grad), &target)) in outputs.zip(inputs) {
                        // Padding has weight zero: its gradient is exactly zero.
                        if grad == 0.0 {
                            continue;
                        }
                        let (_, total) = exponentials(row, dlogits);
                        let scale = grad / total;
                        for value in dlogits.iter_mut() {
                            *value *= scale;
                        }
                        dlogits[target as usize] -= grad;
                    }
                },
            );
            dlogits
        })?;
        Ok(Some(gradient(dlogits, logits)?))
    }
}
