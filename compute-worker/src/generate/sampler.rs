//! Choosing the next token.

use super::error::{GenerateError, Result};
use crate::model::ModelError;
use attribution_proof::receipt::Sampling;
use rand_chacha::{
    rand_core::{RngCore, SeedableRng},
    ChaCha20Rng,
};

/// Draws tokens from logits, reproducibly: the receipt's sampling parameters and seed fix every
/// draw.
///
/// Temperature zero takes the largest logit, the smallest token among equals. Otherwise tokens are
/// ordered by logit, largest first, equals by token; the first `top_k` stay; of these the shortest
/// prefix whose mass reaches `top_p` (Holtzman et al. 2020, arXiv 1904.09751); one 32-bit draw of
/// ChaCha20 per token chooses.
#[derive(Clone, Debug)]
pub struct Sampler {
    temperature: f64,
    top_p: f64,
    top_k: usize,
    generator: ChaCha20Rng,
}

impl Sampler {
    /// A sampler at the start of an answer.
    pub fn new(sampling: &Sampling) -> Result<Self> {
        if !(1..=1_000_000).contains(&sampling.top_p_millionths) {
            return Err(GenerateError::Sampling {
                name: "top_p",
                value: format!("{} millionths", sampling.top_p_millionths),
                expected: "above 0 and at most 1",
            });
        }
        if sampling.maximum_tokens == 0 {
            return Err(GenerateError::Sampling {
                name: "maximum_tokens",
                value: "0".into(),
                expected: "at least 1",
            });
        }
        Ok(Self {
            temperature: f64::from(sampling.temperature_milli) / 1e3,
            top_p: f64::from(sampling.top_p_millionths) / 1e6,
            top_k: sampling.top_k as usize,
            generator: ChaCha20Rng::seed_from_u64(sampling.seed),
        })
    }

    /// The next token. Logits must be finite.
    pub fn sample(&mut self, logits: &[f32]) -> Result<u32> {
        if logits.is_empty() {
            return Err(ModelError::Empty.into());
        }
        if !logits.iter().all(|logit| logit.is_finite()) {
            return Err(ModelError::NotFinite {
                name: "logits".into(),
            }
            .into());
        }
        if self.temperature == 0.0 {
            let first = (0, logits[0]);
            let pick = |best: (usize, f32), next: (usize, &f32)| {
                if *next.1 > best.1 {
                    (next.0, *next.1)
                } else {
                    best
                }
            };
            return Ok(logits.iter().enumerate().fold(first, pick).0 as u32);
        }
        let mut tokens: Vec<u32> = (0..logits.len() as u32).collect();
        let before = |left: &u32, right: &u32| {
            let (left_logit, right_logit) = (logits[*left as usize], logits[*right as usize]);
            right_logit.total_cmp(&left_logit).then(left.cmp(right))
        };
        if self.top_k > 0 && self.top_k < tokens.len() {
            tokens.select_nth_unstable_by(self.top_k, before);
            tokens.truncate(self.top_k);
        }
        tokens.sort_unstable_by(before);
        let largest = f64::from(logits[tokens[0] as usize]);
        let mut masses: Vec<f64> = tokens
            .iter()
            .map(|&token| ((f64::from(logits[token as usize]) - largest) / self.temperature).exp())
            .collect();
        let wanted = masses.iter().sum::<f64>() * self.top_p;
        let mut total = 0.0;
        let mut kept = 0;
        for mass in &masses {
            total += mass;
            kept += 1;
            if total >= wanted {
                break;
            }
        }
        masses.truncate(kept);
        let draw = f64::from(self.generator.next_u32()) / (f64::from(u32::MAX) + 1.0) * total;
        let mut passed = 0.0;
        for (token, mass) in tokens.iter().zip(&masses) {
            passed += mass;
            if draw < passed {
                return Ok(*token);
            }
        }
        // Rounding can leave the draw at the very end.
        Ok(tokens[kept - 1])
    }
}
