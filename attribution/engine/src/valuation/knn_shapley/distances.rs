//! Squared Euclidean distances.

use faer::traits::pulp::{Arch, Simd, WithSimd};
use rayon::prelude::*;

/// Rows that are compared with a point at once: their sums fill half of the sixteen 128-bit registers
/// that every x86-64 processor has, or fewer wider ones.
const LANES: usize = 32;

/// Feature vectors in panels of [`LANES`] rows, coordinate by coordinate.
pub(crate) struct Panels {
    rows: usize,
    dimension: usize,
    values: Vec<f32>,
}

impl Panels {
    /// Re-orders `features` (`n x dimension`, row-major). Needs as much memory again.
    pub(crate) fn new(features: &[f32], dimension: usize) -> Self {
        let rows = features.len() / dimension;
        let mut values = vec![0.0; rows.div_ceil(LANES) * LANES * dimension];
        values
            .par_chunks_mut(LANES * dimension)
            .zip(features.par_chunks(LANES * dimension))
            .for_each(|(panel, rows)| {
                for (lane, row) in rows.chunks_exact(dimension).enumerate() {
                    for (value, out) in row.iter().zip(panel.chunks_exact_mut(LANES)) {
                        out[lane] = *value;
                    }
                }
            });
        Self {
            rows,
            dimension,
            values,
        }
    }

    /// Writes `Σ_k (a_k − b_k)²` for each row `a` and each of the `points` `b` (`t x dimension`,
    /// row-major) to `out` (`t x n`, row-major).
    ///
    /// In `f32`, terms in order of `k` and never fused. All terms are positive and differences are
    /// taken before squaring, so the relative error is at most about `(dimension + 2) · 2⁻²⁴`
    /// whatever the norms: unlike with `|a|² + |b|² − 2ab`, close neighbours are not lost to
    /// cancellation and equal vectors have distance zero.
    pub(crate) fn squared_distances(&self, points: &[f32], out: &mut [f32]) {
        Arch::new().dispatch(SquaredDistances {
            panels: self,
            points,
            out,
        });
    }
}

/// [`Panels::squared_distances`] for the vector instructions of this processor. Each sum is formed by
/// itself, so wider registers change no bit.
struct SquaredDistances<'a> {
    panels: &'a Panels,
    points: &'a [f32],
    out: &'a mut [f32],
}

impl WithSimd for SquaredDistances<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        let Panels {
            rows,
            dimension,
            ref values,
        } = *self.panels;
        for (at, panel) in values.chunks_exact(LANES * dimension).enumerate() {
            let start = at * LANES;
            let end = (start + LANES).min(rows);
            for (point, out) in self
                .points
                .chunks_exact(dimension)
                .zip(self.out.chunks_exact_mut(rows))
            {
                let mut sums = [0.0_f32; LANES];
                for (values, coordinate) in panel.chunks_exact(LANES).zip(point) {
                    for (sum, value) in sums.iter_mut().zip(values) {
                        let difference = value - coordinate;
                        *sum += difference * difference;
                    }
                }
                out[start..end].copy_from_slice(&sums[..end - start]);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn distances_have_the_documented_precision() {
        for (rows, dimension) in [(1, 1), (32, 3), (77, 17)] {
            let value = |i: usize| ((i * 2_654_435_761) % 10_007) as f32 / 100.0 + 1e4;
            let features = (0..rows * dimension).map(value).collect::<Vec<_>>();
            let points = (0..3 * dimension)
                .map(|i| value(i + 5))
                .chain(features[..dimension].iter().copied())
                .collect::<Vec<_>>();
            let mut out = vec![f32::NAN; 4 * rows];
            Panels::new(&features, dimension).squared_distances(&points, &mut out);
            for (point, out) in points.chunks(dimension).zip(out.chunks(rows)) {
                for (row, found) in features.chunks(dimension).zip(out) {
                    let exact = row
                        .iter()
                        .zip(point)
                        .map(|(a, b)| (f64::from(*a) - f64::from(*b)).powi(2))
                        .sum::<f64>();
                    let bound = (dimension as f64 + 2.0) * 2_f64.powi(-24) * exact;
                    assert!((f64::from(*found) - exact).abs() <= bound);
                }
            }
            assert_eq!(out[3 * rows], 0.0);
        }
    }
}
