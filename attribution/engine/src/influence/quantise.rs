//! Rows in eight bits and a scale.

use attribution_proof::{
    bounds::MAX_DIMENSION,
    influence::{norm_squared, IndexSpec},
};

use crate::Error;

/// Largest magnitude of a quantised value.
const LARGEST: f64 = 127.0;

/// The terms under which gradients become rows: the numeric part of an [`IndexSpec`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Quantisation {
    /// Dimension `d` of every vector.
    pub dimension: u32,
    /// Largest row scale.
    pub scale_cap: u16,
    /// Smallest `Σ g²`.
    pub norm_minimum: u64,
    /// Largest `Σ g²`.
    pub norm_maximum: u64,
}

impl From<&IndexSpec> for Quantisation {
    fn from(spec: &IndexSpec) -> Self {
        Self {
            dimension: spec.dimension,
            scale_cap: spec.scale_cap,
            norm_minimum: spec.norm_minimum,
            norm_maximum: spec.norm_maximum,
        }
    }
}

impl Quantisation {
    /// Terms that fit gradients projected to `dimension` coordinates: 64 to 2,048 for the mean
    /// square of a value, so that rounding errors, 1/12 in the mean square, stay below 0.2 % of it,
    /// and scales from 1 to 1,024, so that magnitudes from 1/32 to 32 times the median are told apart.
    pub fn for_dimension(dimension: u32) -> Self {
        Self {
            dimension,
            scale_cap: 1_024,
            norm_minimum: u64::from(dimension) * 64,
            norm_maximum: u64::from(dimension) * 2_048,
        }
    }

    /// Checks that every gradient with enough non-zero coordinates has a place in the band.
    ///
    /// # Errors
    /// The dimension must be in 1..=4096, the scale cap and the smallest norm positive and the largest
    /// norm at least the dimension and eight times the smallest. (The norm of a vector whose
    /// coordinates are all equal jumps by up to a factor of four when its divisor changes.)
    pub fn check(&self) -> Result<(), Error> {
        if self.dimension == 0 || self.dimension > MAX_DIMENSION {
            return Err(Error::parameter(
                "dimension",
                self.dimension,
                format!("1..={MAX_DIMENSION}"),
            ));
        }
        if self.scale_cap == 0 {
            return Err(Error::parameter("scale cap", 0, "at least 1"));
        }
        let largest = u64::from(self.dimension) * 127 * 127;
        if self.norm_minimum == 0 || self.norm_minimum > largest {
            return Err(Error::parameter(
                "smallest norm",
                self.norm_minimum,
                format!("1..={largest}"),
            ));
        }
        let least = self
            .norm_minimum
            .saturating_mul(8)
            .max(self.dimension.into());
        if self.norm_maximum < least {
            return Err(Error::parameter(
                "largest norm",
                self.norm_maximum,
                format!("at least {least}: the dimension and eight times the smallest norm"),
            ));
        }
        Ok(())
    }

    /// The divisor that uses the eight bits of `gradient` as far as band and range allow; zero for
    /// the zero vector.
    pub(super) fn natural_divisor(&self, gradient: &[f32]) -> f64 {
        let (largest, sum) = gradient
            .iter()
            .fold((0.0_f64, 0.0_f64), |(largest, sum), value| {
                let value = f64::from(*value);
                (largest.max(value.abs()), sum + value * value)
            });
        (largest / LARGEST).max((sum / self.norm_maximum as f64).sqrt())
    }

    /// The unit of an index: the row of median natural divisor gets the scale in the geometric middle
    /// of `1..=scale_cap`, so small and large rows have the same room.
    pub(super) fn unit(&self, mut divisors: Vec<f64>) -> f64 {
        divisors.retain(|divisor| *divisor > 0.0);
        if divisors.is_empty() {
            return 1.0;
        }
        let middle = divisors.len() / 2;
        let (_, median, _) = divisors.select_nth_unstable_by(middle, f64::total_cmp);
        *median / f64::from(self.scale_cap).sqrt()
    }

    /// Quantises a gradient: `gradient ≈ unit · scale · g`.
    ///
    /// Normally the divisor is exactly `unit · scale`, so no coordinate is off by more than half of
    /// that. Otherwise ([`Quantised::adjusted`]) the divisor was moved to bring `Σ g²` into the band:
    /// the row is larger than the largest scale can say (it is clipped), smaller than the smallest can
    /// say, or dominated by a few coordinates (which are clipped).
    ///
    /// `None` for vectors with too few coordinates other than zero to reach the band.
    pub(super) fn quantise(&self, gradient: &[f32], unit: f64) -> Option<Quantised> {
        let natural = self.natural_divisor(gradient);
        let reachable = gradient.iter().filter(|value| **value != 0.0).count() as u64 * 127 * 127;
        // The smallest natural divisors underflow when they are divided by.
        if reachable < self.norm_minimum || natural < f64::MIN_POSITIVE {
            return None;
        }
        let scale = (natural / unit)
            .ceil()
            .clamp(1.0, f64::from(self.scale_cap));
        let exact = unit * scale;
        // `natural` can exceed `exact` only when the scale was capped.
        let mut divisor = exact.max(natural);
        let mut g = rounded(gradient, divisor);
        while norm_squared(&g) > self.norm_maximum {
            divisor *= 1.0 + 1.0 / 1_024.0;
            g = rounded(gradient, divisor);
        }
        if norm_squared(&g) < self.norm_minimum {
            // Coordinates at ±127 stay there while the others grow.
            let needed = (square_sum(gradient) / self.norm_minimum as f64).sqrt();
            divisor = divisor.min(needed);
            g = rounded(gradient, divisor);
            while norm_squared(&g) < self.norm_minimum {
                divisor *= 1.0 - 1.0 / 64.0;
                g = rounded(gradient, divisor);
            }
        }
        let scale = (divisor / unit)
            .round()
            .clamp(1.0, f64::from(self.scale_cap));
        Some(Quantised {
            scale: scale as u16,
            g,
            adjusted: divisor != exact,
        })
    }
}

/// A quantised row.
pub(super) struct Quantised {
    /// `1..=scale_cap`.
    pub(super) scale: u16,
    /// `-127..=127`.
    pub(super) g: Vec<i8>,
    /// Whether the divisor is not `unit · scale`.
    pub(super) adjusted: bool,
}

fn square_sum(gradient: &[f32]) -> f64 {
    gradient.iter().fold(0.0, |sum, value| {
        sum + f64::from(*value) * f64::from(*value)
    })
}

fn rounded(gradient: &[f32], divisor: f64) -> Vec<i8> {
    gradient
        .iter()
        .map(|value| {
            let value = (f64::from(*value) / divisor).clamp(-LARGEST, LARGEST);
            // To the nearest, halves away from zero: the cast cuts off. (`round` is a function call on
            // processors as old as the build's target.)
            (value + 0.5_f64.copysign(value)) as i8
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn vectors() -> impl Strategy<Value = Vec<f32>> {
        let value = prop_oneof![
            4 => -1.0_f32..1.0,
            1 => Just(0.0),
            1 => (-1.0_f32..1.0).prop_map(|value| value * 1e3),
            1 => (-1.0_f32..1.0).prop_map(|value| value * 1e-6),
        ];
        let equal = (-1.0_f32..1.0).prop_map(|value| vec![value; 64]);
        (
            prop_oneof![4 => prop::collection::vec(value, 64), 1 => equal],
            -18_i32..18,
        )
            .prop_map(|(vector, exponent)| {
                vector
                    .into_iter()
                    .map(|value| value * 10_f32.powi(exponent))
                    .collect()
            })
    }

    proptest! {
        #[test]
        fn rows_keep_their_spec_and_the_error_bound(
            vector in vectors(),
            unit in prop_oneof![Just(1e-3), Just(1.0), Just(1e-9), Just(1e9)],
            cap in prop_oneof![Just(1_u16), Just(7), Just(1_024), Just(u16::MAX)],
            band in prop_oneof![Just((1_u64, 64_u64)), Just((4_096, 131_072)), Just((64 * 127 * 127, u64::MAX))],
        ) {
            let terms = Quantisation {
                dimension: 64,
                scale_cap: cap,
                norm_minimum: band.0,
                norm_maximum: band.1,
            };
            terms.check().unwrap();
            let nonzero = vector.iter().filter(|value| **value != 0.0).count() as u64;
            let Some(row) = terms.quantise(&vector, unit) else {
                prop_assert!(nonzero * 127 * 127 < band.0 || nonzero == 0);
                return Ok(());
            };
            prop_assert!((1..=cap).contains(&row.scale));
            prop_assert!(!row.g.contains(&i8::MIN));
            prop_assert!((band.0..=band.1).contains(&norm_squared(&row.g)));
            if !row.adjusted {
                let step = unit * f64::from(row.scale);
                for (value, g) in vector.iter().zip(&row.g) {
                    let error = (f64::from(*value) - step * f64::from(*g)).abs();
                    prop_assert!(error <= step * (0.5 + 1e-9), "{error} of {step}");
                }
            }
        }

        #[test]
        fn median_row_gets_the_middle_scale(scale in -15_i32..15, spread in prop::collection::vec(0.2_f32..5.0, 1..30)) {
            let terms = Quantisation::for_dimension(64);
            let rows = spread
                .iter()
                .map(|size| (0..64).map(|j| size * 10_f32.powi(scale) * ((j * 37 % 64) as f32 - 31.5)).collect::<Vec<_>>())
                .collect::<Vec<_>>();
            let unit = terms.unit(rows.iter().map(|row| terms.natural_divisor(row)).collect());
            let mut scales = rows.iter().map(|row| terms.quantise(row, unit).unwrap()).collect::<Vec<_>>();
            prop_assert!(scales.iter().all(|row| !row.adjusted));
            scales.sort_by_key(|row| row.scale);
            let median = scales[scales.len() / 2].scale;
            prop_assert!((31..=33).contains(&median), "{}", median);
        }
    }

    #[test]
    fn refuses_terms_without_room() {
        let good = Quantisation::for_dimension(1_024);
        good.check().unwrap();
        for bad in [
            Quantisation {
                dimension: 0,
                ..good
            },
            Quantisation {
                dimension: 4_097,
                ..good
            },
            Quantisation {
                scale_cap: 0,
                ..good
            },
            Quantisation {
                norm_minimum: 0,
                ..good
            },
            Quantisation {
                norm_minimum: 1_024 * 127 * 127 + 1,
                ..good
            },
            Quantisation {
                norm_maximum: good.norm_minimum * 8 - 1,
                ..good
            },
            Quantisation {
                norm_minimum: 1,
                norm_maximum: 1_023,
                ..good
            },
        ] {
            assert!(
                matches!(bad.check(), Err(Error::Parameter { .. })),
                "{bad:?}"
            );
        }
    }
}
