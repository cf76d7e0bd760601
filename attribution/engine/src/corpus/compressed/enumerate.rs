//! Enumerative code of 64-bit words: the number of a word among all words with as many ones.
//!
//! A word with `k` ones is one of `C(64, k)`, so its number takes `⌈log₂ C(64, k)⌉` bits (T. M. Cover,
//! *Enumerative Source Encoding*, IEEE Trans. Inf. Theory 19(1), 1973; R. Raman, V. Raman and S. S.
//! Rao, SODA 2002, use it for bit vectors with rank). Words are numbered half by half,
//!
//! ```text
//! number(x) = Σ_{i < j} C(32, i) C(32, k − i) + number(low half) · C(32, k − j) + number(high half)
//! ```
//!
//! where the low half has `j` ones, and so on down to bytes, which stand in a table. So a rank decodes
//! one half at each of three levels instead of one bit at each of 64. Words whose number would save
//! little are kept as they are.

/// Numbers of at least this many bits are not worth decoding: the word is kept as it is.
const PLAIN_FROM: u32 = 50;

const BINOMIAL: [[u64; 33]; 33] = binomials();
/// `BELOW_2N[k][j]`: words of `2 n` bits with `k` ones of which fewer than `j` are in the low half.
static BELOW_64: [[u64; 34]; 65] = words_below::<34, 65>(32);
static BELOW_32: [[u64; 18]; 33] = words_below::<18, 33>(16);
static BELOW_16: [[u64; 10]; 17] = words_below::<10, 17>(8);
/// Bits of the code of a word with so many ones.
static WIDTH: [u32; 65] = widths();
/// All bytes, by their number of ones and then by value.
static BYTES: [u8; 256] = bytes();
/// Where the bytes with so many ones start in `BYTES`.
static BYTES_FROM: [u16; 9] = bytes_from();
/// The number of each byte among those with as many ones.
static BYTE_NUMBER: [u8; 256] = byte_numbers();

const fn binomials() -> [[u64; 33]; 33] {
    let mut table = [[0; 33]; 33];
    let mut n = 0;
    while n < 33 {
        table[n][0] = 1;
        let mut k = 1;
        while k <= n {
            table[n][k] = table[n - 1][k - 1] + table[n - 1][k];
            k += 1;
        }
        n += 1;
    }
    table
}

const fn words_below<const J: usize, const K: usize>(half: usize) -> [[u64; J]; K] {
    let mut table = [[0; J]; K];
    let mut ones = 0;
    while ones < K {
        let mut low = 0;
        while low <= half {
            let high = ones.wrapping_sub(low);
            let words = if high <= half {
                BINOMIAL[half][low] * BINOMIAL[half][high]
            } else {
                0
            };
            table[ones][low + 1] = table[ones][low] + words;
            low += 1;
        }
        ones += 1;
    }
    table
}

const fn widths() -> [u32; 65] {
    let mut table = [0; 65];
    let below = words_below::<34, 65>(32);
    let mut ones = 0;
    while ones < 65 {
        let width = u64::BITS - (below[ones][33] - 1).leading_zeros();
        table[ones] = if width >= PLAIN_FROM { 64 } else { width };
        ones += 1;
    }
    table
}

const fn bytes_from() -> [u16; 9] {
    let mut table = [0; 9];
    let mut ones = 1;
    while ones < 9 {
        table[ones] = table[ones - 1] + BINOMIAL[8][ones - 1] as u16;
        ones += 1;
    }
    table
}

const fn byte_numbers() -> [u8; 256] {
    let mut next = [0; 9];
    let mut table = [0; 256];
    let mut byte = 0_usize;
    while byte < 256 {
        let ones = byte.count_ones() as usize;
        table[byte] = next[ones];
        next[ones] += 1;
        byte += 1;
    }
    table
}

const fn bytes() -> [u8; 256] {
    let (from, numbers) = (bytes_from(), byte_numbers());
    let mut table = [0; 256];
    let mut byte = 0_usize;
    while byte < 256 {
        let at = from[byte.count_ones() as usize] as usize + numbers[byte] as usize;
        table[at] = byte as u8;
        byte += 1;
    }
    table
}

/// Bits of the code of a word with `ones` (0..=64) ones.
pub(super) fn width(ones: u32) -> u32 {
    WIDTH[ones as usize]
}

/// Whether `code` is that of a word with `ones` ones.
pub(super) fn is_valid(code: u64, ones: u32) -> bool {
    if width(ones) == 64 {
        code.count_ones() == ones
    } else {
        code < BELOW_64[ones as usize][33]
    }
}

/// The code of a word.
pub(super) fn encode(word: u64) -> u64 {
    if width(word.count_ones()) == 64 {
        return word;
    }
    let number_16 = |half: u64| {
        let (low, high) = (half & 0xff, half >> 8);
        let number = |byte: u64| BYTE_NUMBER[byte as usize].into();
        join(&BELOW_16, 8, [low, high], number)
    };
    let number_32 = |half: u64| join(&BELOW_32, 16, [half & 0xffff, half >> 16], number_16);
    join(&BELOW_64, 32, [word & 0xffff_ffff, word >> 32], number_32)
}

/// The number of a word from its halves, low one first.
fn join<const J: usize, const K: usize>(
    below: &[[u64; J]; K],
    half: usize,
    [low, high]: [u64; 2],
    number: impl Fn(u64) -> u64,
) -> u64 {
    let (low_ones, high_ones) = (low.count_ones() as usize, high.count_ones() as usize);
    below[low_ones + high_ones][low_ones] + number(low) * BINOMIAL[half][high_ones] + number(high)
}

/// The ones of a word below bit `at` (0..=63), and that bit, from the word's valid code and its number
/// of ones.
pub(super) fn rank(code: u64, ones: u32, at: u32) -> (u32, bool) {
    if width(ones) == 64 {
        let before = code & ((1 << at) - 1);
        return (before.count_ones(), code >> at & 1 == 1);
    }
    let (number, ones, before_64) = descend(&BELOW_64, 32, code, ones as usize, at & 32 != 0);
    let (number, ones, before_32) = descend(&BELOW_32, 16, number, ones, at & 16 != 0);
    let (number, ones, before_16) = descend(&BELOW_16, 8, number, ones, at & 8 != 0);
    let byte = BYTES[usize::from(BYTES_FROM[ones]) + number as usize];
    let before = byte & ((1 << (at & 7)) - 1);
    (
        (before_64 + before_32 + before_16) as u32 + before.count_ones(),
        byte >> (at & 7) & 1 == 1,
    )
}

/// The number and the ones of the wanted half of a word, and the ones in the half before it.
fn descend<const J: usize, const K: usize>(
    below: &[[u64; J]; K],
    half: usize,
    number: u64,
    ones: usize,
    high: bool,
) -> (u64, usize, usize) {
    let row = &below[ones];
    let mut low_ones = ones.saturating_sub(half);
    while number >= row[low_ones + 1] {
        low_ones += 1;
    }
    let high_ones = ones - low_ones;
    let (number, count) = (number - row[low_ones], BINOMIAL[half][high_ones]);
    let (quotient, remainder) = (number / count, number % count);
    if high {
        (remainder, high_ones, low_ones)
    } else {
        (quotient, low_ones, 0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn check(word: u64) {
        let (code, ones) = (encode(word), word.count_ones());
        assert!(is_valid(code, ones));
        assert!(width(ones) == 64 || code < 1 << width(ones));
        for at in 0..64 {
            let before = (word & ((1 << at) - 1)).count_ones();
            assert_eq!(rank(code, ones, at), (before, word >> at & 1 == 1));
        }
    }

    proptest! {
        #[test]
        fn ranks_are_those_of_the_word(a in any::<u64>(), b in any::<u64>(), c in any::<u64>()) {
            // Conjunctions are sparse, disjunctions dense.
            for word in [a, a & b, a & b & c, a | b, a | b | c, a & (b << 32), a >> 40] {
                check(word);
            }
        }
    }

    #[test]
    fn numbers_of_a_class_are_all_different_and_dense() {
        for word in [0, u64::MAX, 1, 1 << 63, !1, u64::MAX >> 1] {
            check(word);
        }
        let mut numbers = Vec::new();
        for i in 0..64 {
            for j in 0..i {
                let word = 1_u64 << i | 1 << j;
                check(word);
                numbers.push(encode(word));
            }
        }
        numbers.sort_unstable();
        assert!(numbers.into_iter().eq(0..2_016));
        assert!(!is_valid(2_016, 2));
        assert!(!is_valid(1, 32));
    }
}
