//! The numbers that a run is made of.

use super::error::{Result, TrainError};
use attribution_proof::hash::Hash;
use serde::{Deserialize, Serialize};

/// Most steps: the transcript has an entry for each, in memory.
const MAX_STEPS: u32 = 1_000_000;
/// Most tokens of a step, which are in memory together.
const MAX_BATCH_TOKENS: usize = 1 << 20;

/// Hyper-parameters of a run. Their hash stands in the transcript.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HyperParameters {
    /// Optimiser steps.
    pub steps: u32,
    /// Sequences per step.
    pub batch_size: usize,
    /// Longest sequence in tokens; at most the model's context.
    pub sequence_length: usize,
    /// Peak learning rate.
    pub learning_rate: f64,
    /// Learning rate at the end, as a fraction of the peak.
    pub final_learning_rate_fraction: f64,
    /// Steps of linear warm-up.
    pub warm_up_steps: u32,
    /// Decoupled weight decay of matrices.
    pub weight_decay: f64,
    /// Decay of AdamW's first moment.
    pub beta_1: f64,
    /// Decay of AdamW's second moment.
    pub beta_2: f64,
    /// Epsilon of AdamW.
    pub epsilon: f64,
    /// Largest global norm of a gradient; larger ones are scaled down.
    pub max_gradient_norm: f64,
    /// One record in this many is held out, at least one and at most [`Self::max_held_out`].
    pub held_out_every: usize,
    /// Most records that are held out.
    pub max_held_out: usize,
}

impl HyperParameters {
    /// For a byte-level model of about a million weights from scratch.
    pub fn full(steps: u32) -> Self {
        Self {
            steps,
            batch_size: 8,
            sequence_length: 256,
            learning_rate: 4e-3,
            final_learning_rate_fraction: 0.1,
            warm_up_steps: (steps / 20).max(1),
            weight_decay: 0.1,
            beta_1: 0.9,
            beta_2: 0.95,
            epsilon: 1e-8,
            max_gradient_norm: 1.0,
            held_out_every: 20,
            max_held_out: 32,
        }
    }

    /// For a rank-8 adapter of such a model.
    pub fn adapter(steps: u32) -> Self {
        Self {
            learning_rate: 5e-3,
            weight_decay: 0.0,
            ..Self::full(steps)
        }
    }

    /// BLAKE3 of the canonical JSON.
    pub fn hash(&self) -> Hash {
        // A struct of numbers always serialises.
        let json = serde_json::to_vec(self).unwrap_or_default();
        super::transcript::digest("hyper-parameters", &[&json])
    }

    /// Learning rate of step `t`, counted from 1: linear warm-up, then half a cosine to the final
    /// rate (Loshchilov and Hutter 2017, arXiv 1608.03983).
    pub fn learning_rate_at(&self, step: u32) -> f64 {
        if step <= self.warm_up_steps {
            return self.learning_rate * f64::from(step) / f64::from(self.warm_up_steps);
        }
        let length = self.steps.saturating_sub(self.warm_up_steps).max(1);
        let done = (f64::from(step - self.warm_up_steps) / f64::from(length)).min(1.0);
        let low = self.learning_rate * self.final_learning_rate_fraction;
        low + (self.learning_rate - low) * 0.5 * (1.0 + (std::f64::consts::PI * done).cos())
    }

    /// Checks every number against the model's context.
    pub fn validate(&self, context: usize) -> Result<()> {
        let wrong = |name, value: &dyn std::fmt::Display, expected| {
            Err(TrainError::HyperParameter {
                name,
                value: value.to_string(),
                expected,
            })
        };
        if self.steps == 0 || self.steps > MAX_STEPS {
            return wrong("steps", &self.steps, "between 1 and 1000000");
        }
        if self.batch_size == 0 || self.batch_size > MAX_BATCH_TOKENS {
            return wrong("batch_size", &self.batch_size, "between 1 and 1048576");
        }
        if self.sequence_length == 0 || self.sequence_length > context {
            let value = format!("{} of a context of {context}", self.sequence_length);
            return wrong(
                "sequence_length",
                &value,
                "between 1 and the model's context",
            );
        }
        if self.batch_size.saturating_mul(self.sequence_length) > MAX_BATCH_TOKENS {
            let value = format!("{} of {} tokens", self.batch_size, self.sequence_length);
            return wrong("batch_size", &value, "at most 1048576 tokens in all");
        }
        if self.held_out_every < 2 {
            return wrong("held_out_every", &self.held_out_every, "at least 2");
        }
        if self.max_held_out == 0 {
            return wrong("max_held_out", &self.max_held_out, "at least 1");
        }
        let positive = [
            ("learning_rate", self.learning_rate),
            ("epsilon", self.epsilon),
            ("max_gradient_norm", self.max_gradient_norm),
        ];
        for (name, value) in positive {
            if !(value.is_finite() && value > 0.0) {
                return wrong(name, &value, "a positive number");
            }
        }
        if !(self.weight_decay.is_finite() && self.weight_decay >= 0.0) {
            return wrong(
                "weight_decay",
                &self.weight_decay,
                "zero or a positive number",
            );
        }
        let fractions = [
            (
                "final_learning_rate_fraction",
                self.final_learning_rate_fraction,
                1.0,
            ),
            ("beta_1", self.beta_1, 0.999_999),
            ("beta_2", self.beta_2, 0.999_999),
        ];
        for (name, value, largest) in fractions {
            if !(0.0..=largest).contains(&value) {
                return wrong(name, &value, "at least 0 and below 1");
            }
        }
        Ok(())
    }
}
