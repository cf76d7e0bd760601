//! The kernels for x86-64.

use std::arch::x86_64::*;

/// How far ahead of the row being read memory is fetched. The multiplications fill the processor's
/// window with too few loads to keep memory busy by themselves, and what is fetched much farther ahead
/// (two kilobytes) gets in the way of what the processor fetches by itself. Rows are read one after
/// the other: two or four side by side would share loads of the query, but halve the rate.
const AHEAD: usize = 256;

/// Fetches the cache line at an address.
#[inline(always)]
pub(super) fn fetch(at: *const i8) {
    // SAFETY: prefetching reads nothing and cannot fault, whatever the address.
    unsafe { _mm_prefetch::<_MM_HINT_T0>(at) };
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
                    fetch(g.wrapping_add(AHEAD));
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
dots_256!(dots_vnni_words, "avx2,avx512vl,avx512vnni", |sum, q, g| {
    _mm256_dpwssd_epi32(sum, q, g)
});

/// A query of whole cache lines in two halves, `sign · (256 high + low)`.
pub(super) struct Halves {
    high: Vec<i8>,
    low: Vec<i8>,
    /// 1, or -1 where the halves are those of the opposite of the query.
    sign: i64,
    /// `Σ 256 high_j + low_j`.
    sum: i64,
}

impl Halves {
    /// Both halves have eight bits with a sign, which 32,639 fits and -32,767 does: a query with too large
    /// a value is turned over, and one that has such values of both signs has no halves.
    pub(super) fn new(query: &[i16]) -> Option<Self> {
        const LARGEST: i16 = 127 * 256 + 127;
        let too_large = |sign: i16| query.iter().any(|value| value * sign > LARGEST);
        let sign = match (too_large(1), too_large(-1)) {
            (false, _) => 1,
            (true, false) => -1,
            (true, true) => return None,
        };
        if !query.len().is_multiple_of(STEP) {
            return None;
        }
        let values = || query.iter().map(|value| value * sign);
        Some(Self {
            high: values()
                .map(|value| ((value - i16::from(value as i8)) >> 8) as i8)
                .collect(),
            low: values().map(|value| value as i8).collect(),
            sign: sign.into(),
            sum: values().map(i64::from).sum(),
        })
    }
}

/// Products of a query's halves with bytes, 32 at a time, which are fewer instructions a cache line than with
/// words. One factor must have no sign, so rows are lifted by 128 and `128 Σ query` is taken away at the end.
/// Registers of 512 bits would be fewer still, but where the processor fetches little by itself for loads of
/// that width, more is lost by it.
#[target_feature(enable = "avx2,avx512vl,avx512vnni")]
pub(super) fn dots_vnni(halves: &Halves, rows: &[i8], out: &mut [i64]) {
    let columns = halves.high.len();
    let (high, low) = (&halves.high[..], &halves.low[..columns]);
    let lift = _mm256_set1_epi8(i8::MIN);
    for (row, out) in rows.chunks_exact(columns).zip(out) {
        // At 4,096 columns a lane is under `64 · 4 · 255 · 128`, and all sixteen together fit 32 bits.
        let (mut highs, mut lows) = ([_mm256_setzero_si256(); 2], [_mm256_setzero_si256(); 2]);
        for at in (0..columns).step_by(STEP) {
            let g = row[at..].as_ptr();
            let (q_high, q_low) = (high[at..].as_ptr(), low[at..].as_ptr());
            fetch(g.wrapping_add(AHEAD));
            for (part, (highs, lows)) in highs.iter_mut().zip(&mut lows).enumerate() {
                // SAFETY: `at + STEP <= columns`, which all three slices have, and both parts of 32 values
                // are within that step; unaligned loads.
                let (g, q_high, q_low) = unsafe {
                    (
                        _mm256_loadu_si256(g.add(32 * part).cast()),
                        _mm256_loadu_si256(q_high.add(32 * part).cast()),
                        _mm256_loadu_si256(q_low.add(32 * part).cast()),
                    )
                };
                let lifted = _mm256_xor_si256(g, lift);
                *highs = _mm256_dpbusd_epi32(*highs, lifted, q_high);
                *lows = _mm256_dpbusd_epi32(*lows, lifted, q_low);
            }
        }
        let [high, low] = [highs, lows].map(|[a, b]| i64::from(sum_lanes(_mm256_add_epi32(a, b))));
        *out = halves.sign * (256 * high + low - 128 * halves.sum);
    }
}

/// The sum of eight lanes, which must fit one.
#[target_feature(enable = "avx2")]
fn sum_lanes(lanes: __m256i) -> i32 {
    let four = _mm_add_epi32(
        _mm256_castsi256_si128(lanes),
        _mm256_extracti128_si256::<1>(lanes),
    );
    let two = _mm_add_epi32(four, _mm_shuffle_epi32::<0b01_00_11_10>(four));
    let one = _mm_add_epi32(two, _mm_shuffle_epi32::<0b10_11_00_01>(two));
    _mm_cvtsi128_si32(one)
}

#[target_feature(enable = "avx512f,avx512bw")]
pub(super) fn dots_avx512(query: &[i16], rows: &[i8], out: &mut [i64]) {
    let end = query.len() - query.len() % STEP;
    for (row, out) in rows.chunks_exact(query.len()).zip(out) {
        // 128 products a lane at most; see above.
        let mut sums = [_mm512_setzero_si512(); 2];
        for at in (0..end).step_by(STEP) {
            let (q, g) = (query[at..].as_ptr(), row[at..].as_ptr());
            fetch(g.wrapping_add(AHEAD));
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
