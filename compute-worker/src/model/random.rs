//! Random initial weights, the same on every platform.

use super::error::Result;
use candle_core::{Device, Shape, Tensor};
use rand_chacha::{
    rand_core::{RngCore, SeedableRng},
    ChaCha20Rng,
};

/// Initial values drawn from ChaCha20 under a seed.
///
/// The distributions are uniform: integers turned into floats are exact everywhere, while a normal
/// distribution needs the C library's logarithm.
pub(super) struct Initializer(ChaCha20Rng);

impl Initializer {
    pub(super) fn new(seed: [u8; 32]) -> Self {
        Self(ChaCha20Rng::from_seed(seed))
    }

    /// A tensor uniform in `[-bound, bound)`.
    pub(super) fn uniform(
        &mut self,
        shape: impl Into<Shape>,
        bound: f32,
        device: &Device,
    ) -> Result<Tensor> {
        let shape = shape.into();
        let values: Vec<f32> = (0..shape.elem_count())
            .map(|_| ((self.0.next_u32() >> 8) as f32 / (1u32 << 23) as f32 - 1.0) * bound)
            .collect();
        Ok(Tensor::from_vec(values, shape, device)?)
    }

    /// A tensor with the given standard deviation.
    pub(super) fn with_deviation(
        &mut self,
        shape: impl Into<Shape>,
        deviation: f32,
        device: &Device,
    ) -> Result<Tensor> {
        self.uniform(shape, deviation * 3f32.sqrt(), device)
    }
}
