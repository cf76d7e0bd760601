//! Random numbers: one ChaCha stream for each sample, so that no thread shares one.

use rand_chacha::{
    rand_core::{RngCore, SeedableRng},
    ChaCha8Rng,
};

/// The stream of sample number `item`.
pub(crate) fn stream(seed: &[u8; 32], item: u64) -> ChaCha8Rng {
    let mut rng = ChaCha8Rng::from_seed(*seed);
    rng.set_stream(item);
    rng
}

/// A uniform number below `bound`, which is not zero (D. Lemire, *Fast random integer generation in
/// an interval*, ACM TOMACS 29(1), 2019).
pub(crate) fn below(rng: &mut ChaCha8Rng, bound: u32) -> u32 {
    let threshold = bound.wrapping_neg() % bound;
    loop {
        let product = u64::from(rng.next_u32()) * u64::from(bound);
        if product as u32 >= threshold {
            return (product >> 32) as u32;
        }
    }
}

/// Moves a uniformly random ordered choice of `count` elements to the front.
pub(crate) fn choose(rng: &mut ChaCha8Rng, elements: &mut [u32], count: usize) {
    let total = elements.len();
    for at in 0..count.min(total.saturating_sub(1)) {
        let other = at + below(rng, (total - at) as u32) as usize;
        elements.swap(at, other);
    }
}
