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
    /// AVX-512 VNNI, which multiplies and adds up in one instruction, on 256 bits: loads of 512 are slower
    /// where rows and query do not start with cache lines.
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

/// Writes `Σ_j query_j · row_j` for each row of `rows` (row-major, `query.len()` columns).
///
/// Exact for queries without -32768 and at most 4,096 columns, which callers have checked.
pub(crate) fn dots(level: Level, query: &[i16], rows: &[i8], out: &mut [i64]) {
    debug_assert!(!query.is_empty() && query.len() <= 4_096);
    debug_assert_eq!(rows.len(), query.len() * out.len());
    match level {
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
        Level::Avx512Vnni => unsafe { x86::dots_vnni(query, rows, out) },
    }
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
mod x86 {
    use std::arch::x86_64::*;

    /// How far ahead of the row being read memory is fetched. The multiplications fill the processor's
    /// window with too few loads to keep memory busy by themselves, and what is fetched much farther ahead
    /// (two kilobytes) gets in the way of what the processor fetches by itself. Rows are read one after
    /// the other: two or four side by side would share loads of the query, but halve the rate.
    const AHEAD: usize = 256;

    /// Fetches the cache line `AHEAD` bytes behind `at`.
    #[inline(always)]
    fn fetch_ahead(at: *const i8) {
        // SAFETY: prefetching reads nothing and cannot fault, whatever the address.
        unsafe { _mm_prefetch::<_MM_HINT_T0>(at.wrapping_add(AHEAD)) };
    }

    /// Values of a row in a cache line, which all kernels take at a time: with sums that do not wait for
    /// each other and no branch in between, memory is what they wait for.
    const STEP: usize = 64;

    /// Sums over rows with registers of 256 bits; `$add` adds the products of neighbours in pairs to the
    /// eight lanes of a sum.
    macro_rules! dots_256 {
        ($name:ident, $features:literal, |$sum:ident, $q:ident, $g:ident| $add:expr) => {
            #[target_feature(enable = $features)]
            pub(super) fn $name(query: &[i16], rows: &[i8], out: &mut [i64]) {
                let end = query.len() - query.len() % STEP;
                for (row, out) in rows.chunks_exact(query.len()).zip(out) {
                    // At 4,096 columns each of the eight lanes of the four sums holds 128 products, so
                    // that all four together are half of what would overflow.
                    let mut sums = [_mm256_setzero_si256(); 4];
                    for at in (0..end).step_by(STEP) {
                        let (q, g) = (query[at..].as_ptr(), row[at..].as_ptr());
                        fetch_ahead(g);
                        for (part, sum) in sums.iter_mut().enumerate() {
                            // SAFETY: `at + STEP <= query.len() == row.len()`, and the four parts of 16
                            // values are within that step; unaligned loads.
                            let ($q, g) = unsafe {
                                (
                                    _mm256_loadu_si256(q.add(16 * part).cast()),
                                    _mm_loadu_si128(g.add(16 * part).cast()),
                                )
                            };
                            let ($sum, $g) = (*sum, _mm256_cvtepi8_epi16(g));
                            *sum = $add;
                        }
                    }
                    let [a, b, c, d] = sums;
                    let sum = _mm256_add_epi32(_mm256_add_epi32(a, b), _mm256_add_epi32(c, d));
                    // The sum over lanes does not fit 32 bits.
                    let low = _mm256_cvtepi32_epi64(_mm256_castsi256_si128(sum));
                    let high = _mm256_cvtepi32_epi64(_mm256_extracti128_si256::<1>(sum));
                    let mut lanes = [0_i64; 4];
                    // SAFETY: `lanes` has room for 32 bytes; unaligned store.
                    unsafe {
                        _mm256_storeu_si256(lanes.as_mut_ptr().cast(), _mm256_add_epi64(low, high));
                    }
                    *out = lanes.iter().sum();
                    if end < query.len() {
                        *out += super::dot_portable(&query[end..], &row[end..]);
                    }
                }
            }
        };
    }

    dots_256!(dots_avx2, "avx2", |sum, q, g| {
        _mm256_add_epi32(sum, _mm256_madd_epi16(q, g))
    });
    dots_256!(dots_vnni, "avx2,avx512vl,avx512vnni", |sum, q, g| {
        _mm256_dpwssd_epi32(sum, q, g)
    });

    #[target_feature(enable = "avx512f,avx512bw")]
    pub(super) fn dots_avx512(query: &[i16], rows: &[i8], out: &mut [i64]) {
        let end = query.len() - query.len() % STEP;
        for (row, out) in rows.chunks_exact(query.len()).zip(out) {
            // 128 products a lane at most; see above.
            let mut sums = [_mm512_setzero_si512(); 2];
            for at in (0..end).step_by(STEP) {
                let (q, g) = (query[at..].as_ptr(), row[at..].as_ptr());
                fetch_ahead(g);
                for (part, sum) in sums.iter_mut().enumerate() {
                    // SAFETY: `at + STEP <= query.len() == row.len()`, and the two parts of 32 values
                    // are within that step; unaligned loads.
                    let (q, g) = unsafe {
                        (
                            _mm512_loadu_si512(q.add(32 * part).cast()),
                            _mm256_loadu_si256(g.add(32 * part).cast()),
                        )
                    };
                    let products = _mm512_madd_epi16(q, _mm512_cvtepi8_epi16(g));
                    *sum = _mm512_add_epi32(*sum, products);
                }
            }
            let sum = _mm512_add_epi32(sums[0], sums[1]);
            let low = _mm512_cvtepi32_epi64(_mm512_castsi512_si256(sum));
            let high = _mm512_cvtepi32_epi64(_mm512_extracti64x4_epi64::<1>(sum));
            *out = _mm512_reduce_add_epi64(_mm512_add_epi64(low, high));
            if end < query.len() {
                *out += super::dot_portable(&query[end..], &row[end..]);
            }
        }
    }

    #[target_feature(enable = "avx2")]
    pub(super) fn add_scaled_avx2<const N: usize>(
        target: &mut [f64],
        factors: [f64; N],
        rows: [&[f64]; N],
    ) {
        super::add_scaled_body(target, factors, rows);
    }

    #[target_feature(enable = "avx512f")]
    pub(super) fn add_scaled_avx512<const N: usize>(
        target: &mut [f64],
        factors: [f64; N],
        rows: [&[f64]; N],
    ) {
        super::add_scaled_body(target, factors, rows);
    }
}

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
                dots(level, &query, rows, &mut out);
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
    fn dots_do_not_overflow_at_the_bounds() {
        for sign in [1, -1] {
            let query = vec![32_767 * sign; 4_096];
            let row = vec![127_i8; 4_096];
            let expected = 4_096 * 32_767 * 127 * i64::from(sign);
            for level in Level::all() {
                let mut out = [0];
                dots(level, &query, &row, &mut out);
                assert_eq!(out[0], expected, "{level:?}");
            }
        }
    }
}
