//! AdamW with its own state.

use super::{
    error::{Result, TrainError},
    hyper_parameters::HyperParameters,
    parameters::{hash_values, Parameters},
};
use attribution_proof::hash::Hash;
use rayon::prelude::*;

/// Elements that one parallel task works on. Fixed, so that partial sums do not depend on the
/// number of threads.
const BLOCK: usize = 16_384;

/// AdamW (Loshchilov and Hutter 2019, arXiv 1711.05101) on one flat vector of weights.
///
/// candle's own keeps its moments to itself, and the transcript needs their hash.
#[derive(Clone)]
pub(super) struct AdamW {
    /// Decaying mean of the gradients.
    pub(super) first_moment: Vec<f32>,
    /// Decaying mean of the squared gradients.
    pub(super) second_moment: Vec<f32>,
}

impl AdamW {
    /// Zero moments for `count` weights.
    pub(super) fn new(count: usize) -> Self {
        Self {
            first_moment: vec![0.0; count],
            second_moment: vec![0.0; count],
        }
    }

    /// One step, counted from 1. With the gradient `g` clipped by its global norm:
    ///
    /// `m = b1 m + (1 - b1) g`, `v = b2 v + (1 - b2) g^2`,
    /// `w = w - lr * decay * w - lr * (m / (1 - b1^t)) / (sqrt(v / (1 - b2^t)) + epsilon)`.
    ///
    /// Returns the norm before clipping.
    pub(super) fn step(
        &mut self,
        step: u32,
        parameters: &mut Parameters,
        gradient: &[f32],
        hyper: &HyperParameters,
    ) -> Result<f64> {
        let norm = global_norm(gradient);
        if !norm.is_finite() {
            return Err(TrainError::Diverged {
                step,
                what: "the gradient",
            });
        }
        let clip = (hyper.max_gradient_norm / norm.max(f64::MIN_POSITIVE)).min(1.0) as f32;
        let rate = hyper.learning_rate_at(step);
        let exponent = i32::try_from(step).unwrap_or(i32::MAX);
        let first_correction = 1.0 - hyper.beta_1.powi(exponent);
        let second_correction = 1.0 - hyper.beta_2.powi(exponent);
        let rate_over_correction = (rate / first_correction) as f32;
        let inverse_second = (1.0 / second_correction) as f32;
        let (beta_1, beta_2) = (hyper.beta_1 as f32, hyper.beta_2 as f32);
        let (keep_1, keep_2) = ((1.0 - hyper.beta_1) as f32, (1.0 - hyper.beta_2) as f32);
        let epsilon = hyper.epsilon as f32;
        let shrink = (1.0 - rate * hyper.weight_decay) as f32;

        let (values, decays) = parameters.values_mut();
        let mut start = 0;
        for &(end, decays) in decays {
            let shrink = if decays { shrink } else { 1.0 };
            let range = start..end;
            start = end;
            let state = self.first_moment[range.clone()]
                .par_chunks_mut(BLOCK)
                .zip(self.second_moment[range.clone()].par_chunks_mut(BLOCK));
            values[range.clone()]
                .par_chunks_mut(BLOCK)
                .zip(gradient[range].par_chunks(BLOCK))
                .zip(state)
                .for_each(|((values, gradient), (first, second))| {
                    let state = first.iter_mut().zip(second);
                    for ((value, gradient), (first, second)) in
                        values.iter_mut().zip(gradient).zip(state)
                    {
                        let gradient = gradient * clip;
                        *first = beta_1 * *first + keep_1 * gradient;
                        *second = beta_2 * *second + keep_2 * gradient * gradient;
                        let scale = (*second * inverse_second).sqrt() + epsilon;
                        *value = *value * shrink - rate_over_correction * *first / scale;
                    }
                });
        }
        Ok(norm)
    }

    /// BLAKE3 of both moments.
    pub(super) fn hash(&self) -> Hash {
        let mut hasher = blake3::Hasher::new_derive_key("OpenLedger training v1 AdamW");
        hash_values(&mut hasher, &self.first_moment);
        hash_values(&mut hasher, &self.second_moment);
        Hash::from(*hasher.finalize().as_bytes())
    }
}

/// Euclidean norm over all tensors, in `f64` over blocks of fixed size.
fn global_norm(gradient: &[f32]) -> f64 {
    let partial: Vec<f64> = gradient
        .par_chunks(BLOCK)
        .map(|block| {
            block
                .iter()
                .map(|&value| f64::from(value) * f64::from(value))
                .sum()
        })
        .collect();
    partial.iter().sum::<f64>().sqrt()
}
