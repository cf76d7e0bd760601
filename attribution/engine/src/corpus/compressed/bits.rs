//! A compressed bit vector with rank.
//!
//! Bits are cut into blocks of eight words. A block of only zeros or only ones has no code; that of any
//! other block is how many ones its first seven words have, in 7 bits each, and then each word's number
//! among the words with as many ones (`enumerate`). This is the code of R. Raman, V. Raman and S. S. Rao
//! (*Succinct Indexable Dictionaries*, SODA 2002) but for the blocks without any, which the runs of a
//! Burrows–Wheeler transform make frequent: there the counts alone would be a tenth of the bits.
//!
//! Eight blocks share a header of 256 bits, half a cache line: the ones before it (32 bits), where its
//! code starts (40 bits), and for the other seven blocks both relative to it (12 bits each).

use super::{
    enumerate,
    stream::{padded_words, read, Writer},
};

const WORDS: usize = 8;
const BLOCK: usize = 64 * WORDS;
const BLOCKS: usize = 8;
const HEADER_WORDS: usize = 4;
const ONES_WIDTH: u32 = 32;
const START_WIDTH: u32 = 40;
/// At most 7 · 512 ones, and 7 · (49 + 512) bits of code.
const RELATIVE_WIDTH: u32 = 12;
const SPARE_WIDTH: u32 = 16;
/// Of the ones in a word.
const COUNT_WIDTH: u32 = 7;
/// The last word has the rest of the block's ones.
const COUNTS_WIDTH: u32 = COUNT_WIDTH * (WORDS as u32 - 1);

/// A word of a block, on the way from the first to the last.
struct Cursor {
    /// Whether the block has no zeros or no ones.
    is_uniform: bool,
    word: usize,
    /// Ones before the word.
    before: usize,
    /// Ones in the word and those behind it.
    ones: u32,
    /// The ones of the word and, above them, of those behind it but the last.
    counts: u64,
    /// Where the code of the word starts.
    code: usize,
}

impl Cursor {
    fn word_ones(&self) -> u32 {
        if self.word + 1 == WORDS {
            self.ones
        } else {
            (self.counts % (1 << COUNT_WIDTH)) as u32
        }
    }
}

/// Bits, and how many of them are set before each.
pub(super) struct Bits {
    length: usize,
    /// And one word.
    headers: Vec<u64>,
    /// And one word.
    code: Vec<u64>,
}

impl Bits {
    /// Compresses the first `length` bits of `words`, whose others must be 0.
    pub(super) fn new(words: &[u64], length: usize) -> Self {
        let blocks = block_count(length);
        let mut code = Writer::default();
        let (mut ones, mut starts) = (0, Vec::with_capacity(blocks + BLOCKS));
        for index in 0..blocks {
            starts.push((ones, code.bits() as u64));
            let rest = words.get(index * WORDS..).unwrap_or_default();
            let mut block = [0; WORDS];
            let count = rest.len().min(WORDS);
            block[..count].copy_from_slice(&rest[..count]);
            let in_block = count_ones(&block);
            encode(&block, in_block, &mut code);
            ones += u64::from(in_block);
        }
        // The end, as the start of a block that would follow.
        starts.resize(header_count(length) * BLOCKS, (ones, code.bits() as u64));
        let mut headers = Writer::default();
        for group in starts.chunks_exact(BLOCKS) {
            let (ones, start) = group[0];
            headers.push(ones, ONES_WIDTH);
            headers.push(start, START_WIDTH);
            for (block_ones, block_start) in &group[1..] {
                headers.push(block_ones - ones, RELATIVE_WIDTH);
                headers.push(block_start - start, RELATIVE_WIDTH);
            }
            headers.push(0, SPARE_WIDTH);
        }
        Self {
            length,
            headers: headers.finish(),
            code: code.finish(),
        }
    }

    /// Takes bits over from the words of [`Self::headers`] and [`Self::code`], unless they contradict
    /// themselves: what is accepted here can be asked for any rank.
    pub(super) fn from_words(length: usize, headers: Vec<u64>, code: Vec<u64>) -> Option<Self> {
        if headers.len() != Self::header_words(length) || code.is_empty() {
            return None;
        }
        let bits = Self {
            length,
            headers,
            code,
        };
        let (mut at, mut ones) = (0, 0);
        for block in 0..block_count(length) {
            if bits.start(block) != (ones, at) {
                return None;
            }
            let in_block = bits.start(block + 1).0.checked_sub(ones)?;
            at = bits.check(in_block, at)?;
            ones += in_block;
        }
        let ended = bits.start(block_count(length)) == (ones, at)
            && bits.code.len() == padded_words(at)
            && bits.rank(length) == (ones, false);
        ended.then_some(bits)
    }

    /// How many words [`Self::headers`] has.
    pub(super) fn header_words(length: usize) -> usize {
        header_count(length) * HEADER_WORDS + 1
    }

    /// The headers, for files.
    pub(super) fn headers(&self) -> &[u64] {
        &self.headers
    }

    /// The code, for files.
    pub(super) fn code(&self) -> &[u64] {
        &self.code
    }

    /// Number of ones.
    pub(super) fn ones(&self) -> usize {
        self.rank(self.length).0
    }

    /// The number of ones before bit `at`, which is at most the length, and bit `at` itself (unset at
    /// the length).
    pub(super) fn rank(&self, at: usize) -> (usize, bool) {
        let mut cursor = self.cursor(at / BLOCK);
        self.rank_in(&mut cursor, at % BLOCK)
    }

    /// The numbers of ones before two bits, the first of which is not behind the second.
    pub(super) fn ranks(&self, from: usize, to: usize) -> (usize, usize) {
        // As a search goes on, both are mostly next to each other or in the same block.
        if to == from + 1 {
            let (ones, bit) = self.rank(from);
            return (ones, ones + usize::from(bit));
        }
        let mut cursor = self.cursor(from / BLOCK);
        let ones_from = self.rank_in(&mut cursor, from % BLOCK).0;
        if from / BLOCK != to / BLOCK {
            cursor = self.cursor(to / BLOCK);
        }
        (ones_from, self.rank_in(&mut cursor, to % BLOCK).0)
    }

    /// The rank of bit `at` of the block of a cursor, which must not be behind it, and that bit.
    fn rank_in(&self, cursor: &mut Cursor, at: usize) -> (usize, bool) {
        if cursor.is_uniform {
            let bit = cursor.ones > 0;
            return (cursor.before + if bit { at } else { 0 }, bit);
        }
        while cursor.word < at / 64 {
            let ones = cursor.word_ones();
            cursor.before += ones as usize;
            cursor.ones -= ones;
            cursor.code += enumerate::width(ones) as usize;
            cursor.counts >>= COUNT_WIDTH;
            cursor.word += 1;
        }
        let at = at % 64;
        let (ones, bit) = match cursor.word_ones() {
            0 => (0, false),
            64 => (at, true),
            ones => {
                let code = read(&self.code, cursor.code, enumerate::width(ones));
                let (before, bit) = enumerate::rank(code, ones, at as u32);
                (before as usize, bit)
            }
        };
        (cursor.before + ones, bit)
    }

    /// A cursor at the first word of a block.
    fn cursor(&self, block: usize) -> Cursor {
        let (before, code) = self.start(block);
        let ones = self.start(block + 1).0 - before;
        let is_uniform = ones == 0 || ones == BLOCK;
        let counts = if is_uniform {
            0
        } else {
            read(&self.code, code, COUNTS_WIDTH)
        };
        Cursor {
            is_uniform,
            word: 0,
            before,
            ones: ones as u32,
            counts,
            code: code + COUNTS_WIDTH as usize,
        }
    }

    /// Where the code of a block with so many ones ends that starts at `code`: `None` when it is wrong.
    fn check(&self, ones: usize, code: usize) -> Option<usize> {
        if ones == 0 || ones == BLOCK {
            return Some(code);
        }
        let end = 64 * (self.code.len() - 1);
        let take = |at: &mut usize, width: u32| {
            let from = std::mem::replace(at, *at + width as usize);
            (*at <= end).then(|| read(&self.code, from, width))
        };
        let mut at = code;
        let mut counts = take(&mut at, COUNTS_WIDTH)?;
        let mut rest = ones;
        for word in 0..WORDS {
            let in_word = if word + 1 < WORDS {
                counts % (1 << COUNT_WIDTH)
            } else {
                rest as u64
            };
            counts >>= COUNT_WIDTH;
            rest = rest.checked_sub(in_word as usize)?;
            let in_word = u32::try_from(in_word).ok().filter(|ones| *ones <= 64)?;
            let number = take(&mut at, enumerate::width(in_word))?;
            if !enumerate::is_valid(number, in_word) {
                return None;
            }
        }
        Some(at)
    }

    /// The ones before a block, and where its code starts.
    fn start(&self, block: usize) -> (usize, usize) {
        let group = block / BLOCKS * HEADER_WORDS * 64;
        let ones = read(&self.headers, group, ONES_WIDTH) as usize;
        let start = read(&self.headers, group + ONES_WIDTH as usize, START_WIDTH) as usize;
        let index = block % BLOCKS;
        if index == 0 {
            return (ones, start);
        }
        let at = group + (ONES_WIDTH + START_WIDTH) as usize;
        let relative = read(
            &self.headers,
            at + (index - 1) * 2 * RELATIVE_WIDTH as usize,
            2 * RELATIVE_WIDTH,
        ) as usize;
        (
            ones + relative % (1 << RELATIVE_WIDTH),
            start + (relative >> RELATIVE_WIDTH),
        )
    }
}

/// Blocks of so many bits and of the end, which can be asked for its rank.
fn block_count(length: usize) -> usize {
    length / BLOCK + 1
}

/// Headers of those blocks and of the one behind them.
fn header_count(length: usize) -> usize {
    block_count(length) / BLOCKS + 1
}

fn count_ones(words: &[u64; WORDS]) -> u32 {
    words.iter().map(|word| word.count_ones()).sum()
}

/// Appends the code of a block that has so many ones.
fn encode(block: &[u64; WORDS], ones: u32, code: &mut Writer) {
    if ones == 0 || ones == BLOCK as u32 {
        return;
    }
    for word in &block[..WORDS - 1] {
        code.push(word.count_ones().into(), COUNT_WIDTH);
    }
    for word in block {
        code.push(
            enumerate::encode(*word),
            enumerate::width(word.count_ones()),
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn pack(bits: &[bool]) -> Vec<u64> {
        let word = |chunk: &[bool]| {
            let bits = chunk.iter().enumerate();
            bits.fold(0, |word, (at, bit)| word | u64::from(*bit) << at)
        };
        bits.chunks(64).map(word).collect()
    }

    fn check(bits: &[bool]) {
        let packed = Bits::new(&pack(bits), bits.len());
        let mut ones = 0;
        for (at, bit) in bits.iter().chain([&false]).enumerate() {
            assert_eq!(packed.rank(at), (ones, *bit));
            let from = at.saturating_sub(at % 700);
            let ranks = (packed.rank(from).0, ones);
            assert_eq!(packed.ranks(from, at), ranks);
            ones += usize::from(*bit);
        }
        assert_eq!(packed.ones(), ones);
        let (headers, code) = (packed.headers().to_vec(), packed.code().to_vec());
        let again = Bits::from_words(bits.len(), headers, code).unwrap();
        assert_eq!(again.rank(bits.len()), (ones, false));
    }

    /// Runs of equal or random bits.
    fn runs() -> impl Strategy<Value = Vec<bool>> {
        let run = prop_oneof![
            (0..3_000_usize).prop_map(|count| vec![false; count]),
            (0..3_000_usize).prop_map(|count| vec![true; count]),
            (0..1_500_usize, 1..1_000_u64, any::<u64>()).prop_map(|(count, density, seed)| {
                let mut state = seed;
                let mut next = || {
                    state = state
                        .wrapping_mul(6_364_136_223_846_793_005)
                        .wrapping_add(1_442_695_040_888_963_407);
                    (state >> 40) % 1_000
                };
                (0..count).map(|_| next() < density).collect()
            }),
        ];
        prop::collection::vec(run, 0..8).prop_map(|runs| runs.concat())
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn ranks_are_those_of_counting(bits in runs()) {
            check(&bits);
        }

        #[test]
        fn contradictory_words_are_refused_or_answer(
            bits in runs(),
            at in any::<prop::sample::Index>(),
            bit in 0_u32..64,
        ) {
            let packed = Bits::new(&pack(&bits), bits.len());
            let (mut headers, mut code) = (packed.headers().to_vec(), packed.code().to_vec());
            let at = at.index(headers.len() + code.len());
            match at.checked_sub(headers.len()) {
                Some(at) => code[at] ^= 1 << bit,
                None => headers[at] ^= 1 << bit,
            }
            if let Some(changed) = Bits::from_words(bits.len(), headers, code) {
                let mut ones = 0;
                for at in 0..=bits.len() {
                    let (before, bit) = changed.rank(at);
                    prop_assert_eq!(before, ones);
                    ones += usize::from(bit);
                }
            }
        }
    }

    #[test]
    fn lengths_at_the_borders_of_blocks_and_groups() {
        for length in [0, 1, 63, 64, 65, 511, 512, 513, 4_095, 4_096, 4_097] {
            check(&vec![true; length]);
            check(&(0..length).map(|at| at % 3 == 0).collect::<Vec<_>>());
        }
        assert!(Bits::from_words(5, vec![0; 4], vec![0]).is_none());
        assert!(Bits::from_words(5, vec![0; 5], Vec::new()).is_none());
        assert!(Bits::from_words(5, vec![0; 5], vec![0; 2]).is_none());
    }
}
