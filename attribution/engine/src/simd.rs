//! The kernels that use vector instructions chosen at run time. The only module with `unsafe`.
//!
//! Every level computes the same bits. The integer kernels are exact. The floating point kernel
//! updates each element by itself, in the order of the rows given, with separate multiplications and
//! additions (Rust never fuses them), so wider registers change nothing but the speed.
#![allow(unsafe_code)]

/// A set of vector instructions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Level {
    /// What the compiler makes of plain code for the build's target.
    Portable,
    /// AVX2, 256 bits.
    #[cfg(target_arch = "x86_64")]
    Avx2,
    /// AVX-512 F and BW, 512 bits.
    #[cfg(target_arch = "x86_64")]
    Avx512,
    /// AVX-512 VNNI, which multiplies and adds up in one instruction.
    #[cfg(target_arch = "x86_64")]
    Avx512Vnni,
}

impl Level {
    /// The widest level of this processor.
    pub(crate) fn detect() -> Self {
        #[cfg(target_arch = "x86_64")]
        {
            if is_x86_feature_detected!("avx512f") && is_x86_feature_detected!("avx512bw") {
                if is_x86_feature_detected!("avx512vnni") && is_x86_feature_detected!("avx512vl") {
                    return Self::Avx512Vnni;
                }
                return Self::Avx512;
            }
            if is_x86_feature_detected!("avx2") {
                return Self::Avx2;
            }
        }
        Self::Portable
    }

    /// Every level that this processor has.
    pub(crate) fn all() -> Vec<Self> {
        let mut levels = vec![Self::Portable];
        #[cfg(target_arch = "x86_64")]
        {
            if is_x86_feature_detected!("avx2") {
                levels.push(Self::Avx2);
            }
            let widest = Self::detect();
            if matches!(widest, Self::Avx512 | Self::Avx512Vnni) {
                levels.push(Self::Avx512);
            }
            if widest == Self::Avx512Vnni {
                levels.push(widest);
            }
        }
        levels
    }
}

/// A set of vector instructions that this processor has.
///
/// Every set gives the same bits; choosing one is for measuring and for showing that.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Instructions(Level);

impl Instructions {
    /// Every set that this processor has, from the one that it has for certain to the widest.
    pub fn available() -> Vec<Self> {
        Level::all().into_iter().map(Self).collect()
    }

    /// The set that is used where none is chosen: the widest.
    pub fn best() -> Self {
        Self(Level::detect())
    }

    /// Its name: `portable` is what the compiler makes of plain code for the build's target.
    pub fn name(self) -> &'static str {
        match self.0 {
            Level::Portable => "portable",
            #[cfg(target_arch = "x86_64")]
            Level::Avx2 => "AVX2",
            #[cfg(target_arch = "x86_64")]
            Level::Avx512 => "AVX-512",
            #[cfg(target_arch = "x86_64")]
            Level::Avx512Vnni => "AVX-512 VNNI",
        }
    }

    pub(crate) fn level(self) -> Level {
        self.0
    }
}

/// Values after which a 32-bit lane could overflow: `512 · 32767 · 127 < 2^31`.
const LANE_TERMS: usize = 512;

/// The whole numbers that rows are multiplied with, made ready once for any number of rows.
pub(crate) struct Query<'a> {
    level: Level,
    values: &'a [i16],
    #[cfg(target_arch = "x86_64")]
    halves: Option<x86::Halves>,
}

impl<'a> Query<'a> {
    /// Takes 1 to 4,096 values without -32768, which callers have checked.
    pub(crate) fn new(level: Level, values: &'a [i16]) -> Self {
        // Kernels rely on it for their sums.
        assert!(!values.is_empty() && values.len() <= 4_096);
        Self {
            level,
            values,
            #[cfg(target_arch = "x86_64")]
            halves: match level {
                Level::Avx512Vnni => x86::Halves::new(values),
                _ => None,
            },
        }
    }

    /// Writes `Σ_j query_j · row_j` for each row of `rows` (row-major), exactly.
    pub(crate) fn dots(&self, rows: &[i8], out: &mut [i64]) {
        let query = self.values;
        assert_eq!(rows.len(), query.len() * out.len());
        match self.level {
            Level::Portable => {
                for (row, out) in rows.chunks_exact(query.len()).zip(out) {
                    *out = dot_portable(query, row);
                }
            }
            // SAFETY: a level other than `Portable` exists only where the processor has been found to
            // support it.
            #[cfg(target_arch = "x86_64")]
            Level::Avx2 => unsafe { x86::dots_avx2(query, rows, out) },
            // SAFETY: as above.
            #[cfg(target_arch = "x86_64")]
            Level::Avx512 => unsafe { x86::dots_avx512(query, rows, out) },
            // SAFETY: as above.
            #[cfg(target_arch = "x86_64")]
            Level::Avx512Vnni => match &self.halves {
                Some(halves) => unsafe { x86::dots_vnni(halves, rows, out) },
                None => unsafe { x86::dots_vnni_words(query, rows, out) },
            },
        }
    }
}

/// Begins to fetch the cache line that stands `at` bytes behind `rows`, where rows that are read next are
/// likely to be.
#[inline]
pub(crate) fn fetch_behind(rows: &[i8], at: usize) {
    #[cfg(target_arch = "x86_64")]
    x86::fetch(rows.as_ptr_range().end.wrapping_add(at));
    #[cfg(not(target_arch = "x86_64"))]
    let _ = (rows, at);
}

fn dot_portable(query: &[i16], row: &[i8]) -> i64 {
    query
        .chunks(LANE_TERMS)
        .zip(row.chunks(LANE_TERMS))
        .map(|(query, row)| {
            query
                .iter()
                .zip(row)
                .map(|(q, g)| i32::from(*q) * i32::from(*g))
                .sum::<i32>()
        })
        .map(i64::from)
        .sum()
}

/// `target_j += Σ_n factors_n · rows_n,j`, for each `j` in the order `n = 0, 1, …`.
///
/// All slices have the length of `target`.
pub(crate) fn add_scaled<const N: usize>(
    level: Level,
    target: &mut [f64],
    factors: [f64; N],
    rows: [&[f64]; N],
) {
    match level {
        Level::Portable => add_scaled_body(target, factors, rows),
        // SAFETY: a level other than `Portable` exists only where the processor has been found to
        // support it.
        #[cfg(target_arch = "x86_64")]
        Level::Avx2 => unsafe { x86::add_scaled_avx2(target, factors, rows) },
        // SAFETY: as above.
        #[cfg(target_arch = "x86_64")]
        Level::Avx512 | Level::Avx512Vnni => unsafe {
            x86::add_scaled_avx512(target, factors, rows)
        },
    }
}

#[inline(always)]
fn add_scaled_body<const N: usize>(target: &mut [f64], factors: [f64; N], rows: [&[f64]; N]) {
    // Re-slicing once lets the compiler drop the bounds checks inside the loop.
    let rows = rows.map(|row| &row[..target.len()]);
    for (j, target) in target.iter_mut().enumerate() {
        *target = factors
            .iter()
            .zip(&rows)
            .fold(*target, |sum, (factor, row)| sum + factor * row[j]);
    }
}

#[cfg(target_arch = "x86_64")]
mod x86;

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn dots_are_those_of_the_proof_at_every_level(
            query in prop::collection::vec(-32_767_i16..=32_767, 1..200),
            seed in prop::collection::vec(-127_i8..=127, 600),
        ) {
            let count = seed.len() / query.len();
            let rows = &seed[..count * query.len()];
            let expected = rows
                .chunks_exact(query.len())
                .map(|row| attribution_proof::influence::dot(&query, row))
                .collect::<Vec<_>>();
            for level in Level::all() {
                let mut out = vec![0; count];
                Query::new(level, &query).dots(rows, &mut out);
                prop_assert_eq!(&out, &expected, "{:?}", level);
            }
        }

        #[test]
        fn add_scaled_has_the_same_bits_at_every_level(
            target in prop::collection::vec(-1e3_f64..1e3, 1..70),
            factors in prop::array::uniform3(-1e3_f64..1e3),
            seed in prop::collection::vec(-1e3_f64..1e3, 210),
        ) {
            let rows = [&seed[..target.len()], &seed[70..70 + target.len()], &seed[140..140 + target.len()]];
            let expected = (0..target.len())
                .map(|j| {
                    let sum = target[j] + factors[0] * rows[0][j];
                    let sum = sum + factors[1] * rows[1][j];
                    (sum + factors[2] * rows[2][j]).to_bits()
                })
                .collect::<Vec<_>>();
            for level in Level::all() {
                let mut updated = target.clone();
                add_scaled(level, &mut updated, factors, rows);
                let bits = updated.iter().map(|value| value.to_bits()).collect::<Vec<_>>();
                prop_assert_eq!(&bits, &expected, "{:?}", level);
            }
        }
    }

    #[test]
    fn dots_do_not_depend_on_where_rows_start() {
        let mut state = 1_u64;
        let mut random = || {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1);
            (state >> 33) as i32
        };
        for columns in [64, 192, 1_024] {
            let bytes = (0..64 + 6 * columns)
                .map(|_| (random() % 255 - 127) as i8)
                .collect::<Vec<_>>();
            // Without the largest values, with one of a sign, and with those of both.
            for extremes in [&[][..], &[32_767], &[-32_767], &[32_767, -32_767]] {
                let mut query = (0..columns)
                    .map(|_| (random() % 65_199 - 32_599) as i16)
                    .collect::<Vec<_>>();
                query[..extremes.len()].copy_from_slice(extremes);
                for start in 0..64 {
                    for count in [1, 2, 3, 6] {
                        let rows = &bytes[start..start + count * columns];
                        let expected = rows
                            .chunks_exact(columns)
                            .map(|row| attribution_proof::influence::dot(&query, row))
                            .collect::<Vec<_>>();
                        for level in Level::all() {
                            let mut out = vec![0; count];
                            Query::new(level, &query).dots(rows, &mut out);
                            assert_eq!(
                                out, expected,
                                "{level:?}, {columns}, {extremes:?}, {start}"
                            );
                        }
                    }
                }
            }
        }
    }

    #[test]
    fn dots_do_not_overflow_at_the_bounds() {
        for sign in [1, -1] {
            let query = vec![32_767 * sign; 4_096];
            let rows = vec![127_i8; 3 * 4_096];
            let expected = 4_096 * 32_767 * 127 * i64::from(sign);
            for level in Level::all() {
                let mut out = [0; 3];
                Query::new(level, &query).dots(&rows, &mut out);
                assert_eq!(out, [expected; 3], "{level:?}");
            }
        }
    }
}
