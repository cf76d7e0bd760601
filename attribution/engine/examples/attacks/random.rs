//! Random numbers of one seed and use.

use rand_chacha::{
    rand_core::{RngCore, SeedableRng},
    ChaCha8Rng,
};

/// A stream of random numbers.
pub(crate) struct Random(ChaCha8Rng);

impl Random {
    /// The stream of this seed for one use.
    pub(crate) fn new(seed: u64, name: &str) -> Self {
        let text = format!("{seed} {name}");
        Self(ChaCha8Rng::from_seed(attribution_engine::seed(
            "attacks",
            text.as_bytes(),
        )))
    }

    /// Uniform in `[0, 1)`.
    pub(crate) fn unit(&mut self) -> f64 {
        (self.0.next_u64() >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// Uniform in `[from, to)`.
    pub(crate) fn between(&mut self, from: f64, to: f64) -> f64 {
        from + (to - from) * self.unit()
    }

    /// Standard normal (Box and Muller).
    pub(crate) fn normal(&mut self) -> f64 {
        let radius = (-2.0 * (1.0 - self.unit()).ln()).sqrt();
        radius * (std::f64::consts::TAU * self.unit()).cos()
    }

    /// An index, with probability in proportion to the weights.
    pub(crate) fn choose(&mut self, weights: &[f64]) -> usize {
        let mut left = self.unit() * weights.iter().sum::<f64>();
        for (at, weight) in weights.iter().enumerate() {
            left -= weight;
            if left < 0.0 {
                return at;
            }
        }
        weights.len() - 1
    }

    /// A random order (Fisher and Yates).
    pub(crate) fn shuffle<T>(&mut self, values: &mut [T]) {
        for at in (1..values.len()).rev() {
            let other = (self.unit() * (at + 1) as f64) as usize;
            values.swap(at, other.min(at));
        }
    }

    /// `0..count` in random order.
    pub(crate) fn order(&mut self, count: usize) -> Vec<u32> {
        let mut order = (0..count as u32).collect::<Vec<_>>();
        self.shuffle(&mut order);
        order
    }
}
