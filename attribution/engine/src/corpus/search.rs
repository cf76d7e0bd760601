//! Searches in a sorted text.
//!
//! Nothing here trusts the arrays, which may come from a file that somebody changed: ranks stay inside
//! the array by arithmetic, positions are looked up with a check. A wrong array gives wrong answers.
//!
//! A binary search in a suffix array waits for memory twice a step (U. Manber and G. Myers, SIAM J.
//! Comput. 22(5), 1993). Two things make that rarer. The first tokens of every `BLOCK`-th suffix stand in
//! an array of their own, as numbers, so that only the last few steps read suffixes at all. And
//! those steps read several suffixes at once, which a processor does in the time of one.

use std::{cmp::Ordering, ops::Range};

use super::{
    keys::{Keys, BLOCK},
    minima::Minima,
    token::{common_prefix, Token},
    Place,
};

/// Suffixes that are read at once.
const PROBES: usize = 2 * HALF;
/// Of those, how many in each range where the two ends of an answer are looked for in different ones.
const HALF: usize = 4;
/// Searches that go on side by side.
const LANES: usize = 32;

/// What is searched for.
#[derive(Clone, Copy)]
pub(super) struct Pattern<'p, T> {
    /// As they are in the index.
    tokens: &'p [T],
    /// The lowest and the highest key of a suffix that starts with the tokens.
    key: u128,
    last: u128,
}

impl<'p, T: Token> Pattern<'p, T> {
    /// The tokens must be those of the index and not hold its end mark.
    #[inline]
    pub(super) fn new(tokens: &'p [T]) -> Self {
        let key = T::key(tokens);
        let fixed = tokens.len() * 8 * size_of::<T>();
        let last = match fixed {
            0..=127 => key | u128::MAX >> fixed,
            _ => key,
        };
        Self { tokens, key, last }
    }
}

/// A longest match: its tokens, and the rank of a suffix that starts with it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Longest {
    pub(super) length: usize,
    pub(super) rank: usize,
}

/// A sorted text.
#[derive(Clone, Copy)]
pub(super) struct View<'a, T> {
    /// Records that are not empty, each followed by a 0.
    pub(super) text: &'a [T],
    /// Positions in the text, in the order of their suffixes. The ends of the records come first.
    pub(super) suffixes: &'a [u32],
    /// The keys of the suffixes whose rank is a multiple of `BLOCK`, with their upper levels.
    pub(super) keys: &'a [u128],
    /// Block minima of `suffixes`.
    pub(super) minima: &'a [u32],
    /// The row of each record in the text.
    pub(super) rows: &'a [u32],
    /// Number of rows.
    pub(super) records: usize,
}

impl<'a, T: Token> View<'a, T> {
    /// The text from a position on; nothing when there is no such position.
    #[inline]
    fn from(&self, position: u32) -> &'a [T] {
        self.text.get(position as usize..).unwrap_or_default()
    }

    /// The text from the suffix of a rank on.
    #[inline]
    pub(super) fn suffix(&self, rank: usize) -> &'a [T] {
        match self.suffixes.get(rank) {
            Some(position) => self.from(*position),
            None => &[],
        }
    }

    /// Where a suffix stands to all those that start with the pattern. `key` is that of the suffix.
    #[inline]
    fn compare(&self, key: u128, suffix: &[T], pattern: &Pattern<'_, T>) -> Ordering {
        if key < pattern.key {
            Ordering::Less
        } else if key > pattern.last {
            Ordering::Greater
        } else if pattern.tokens.len() <= T::KEY_TOKENS {
            Ordering::Equal
        } else {
            let wanted = &pattern.tokens[T::KEY_TOKENS..];
            let found = suffix.get(T::KEY_TOKENS..).unwrap_or_default();
            let common = common_prefix(found, wanted);
            match wanted.get(common) {
                None => Ordering::Equal,
                Some(token) => found.get(common).copied().unwrap_or_default().cmp(token),
            }
        }
    }

    /// The ranks of the suffixes that start with the pattern, given where the first of them and the rank
    /// behind the last can be.
    ///
    /// Suffixes are read several at a time, which takes a processor little longer than one, and each
    /// tells about both ends.
    #[inline]
    fn narrow(
        &self,
        mut first: Range<usize>,
        mut behind: Range<usize>,
        pattern: &Pattern<'_, T>,
    ) -> Range<usize> {
        while first.start < first.end || behind.start < behind.end {
            let ranks = match first == behind {
                true => spread::<PROBES>(&first),
                false => {
                    let (near, far) = (spread::<HALF>(&first), spread::<HALF>(&behind));
                    std::array::from_fn(|i| match i < HALF {
                        true => near[i],
                        false => far[i - HALF],
                    })
                }
            };
            let suffixes = ranks.map(|rank| self.suffix(rank));
            let keys = suffixes.map(T::key);
            for ((rank, suffix), key) in ranks.into_iter().zip(suffixes).zip(keys) {
                // Where one end is known, its probe is a rank that need not be in the other's range.
                match self.compare(key, suffix, pattern) {
                    Ordering::Less => {
                        first.start = first.start.max(rank + 1).min(first.end);
                        behind.start = behind.start.max(rank + 1).min(behind.end);
                    }
                    Ordering::Equal => {
                        first.end = first.end.min(rank).max(first.start);
                        behind.start = behind.start.max(rank + 1).min(behind.end);
                    }
                    Ordering::Greater => {
                        first.end = first.end.min(rank).max(first.start);
                        behind.end = behind.end.min(rank).max(behind.start);
                    }
                }
            }
        }
        first.start..behind.start.max(first.start)
    }

    /// The ranks that need a look, given the blocks whose keys are lower than the pattern's and those
    /// whose keys are not higher than its last.
    #[inline]
    fn between(&self, lower: usize, upper: usize) -> Range<usize> {
        let start = lower.checked_sub(1).map_or(0, |block| block * BLOCK + 1);
        let end = (upper * BLOCK).min(self.suffixes.len());
        start.min(end)..end
    }

    /// Blocks whose keys are lower than the pattern's, and blocks whose keys are not higher than its
    /// last.
    #[inline]
    fn blocks(&self, pattern: &Pattern<'_, T>) -> (usize, usize) {
        let keys = Keys::new(self.keys, self.suffixes.len());
        let [lower] = keys.below(&[pattern.key]);
        (lower, lower + tied(&keys, lower, pattern.last))
    }

    /// The ranks of all suffixes that start with the pattern.
    pub(super) fn find(&self, pattern: &Pattern<'_, T>) -> Range<usize> {
        let (lower, upper) = self.blocks(pattern);
        if pattern.tokens.len() <= T::KEY_TOKENS {
            // A key that is not lower stands for a suffix that is not.
            let (first, behind) = (self.between(lower, lower), self.between(upper, upper));
            self.narrow(first, behind, pattern)
        } else {
            let within = self.between(lower, upper);
            self.narrow(within.clone(), within, pattern)
        }
    }

    /// Whether any suffix starts with the pattern.
    pub(super) fn contains(&self, pattern: &Pattern<'_, T>) -> bool {
        let (lower, upper) = self.blocks(pattern);
        if pattern.tokens.len() <= T::KEY_TOKENS && lower < upper {
            return true;
        }
        let mut within = self.between(lower, upper);
        while within.start < within.end {
            let ranks = spread::<PROBES>(&within);
            let suffixes = ranks.map(|rank| self.suffix(rank));
            let keys = suffixes.map(T::key);
            for ((rank, suffix), key) in ranks.into_iter().zip(suffixes).zip(keys) {
                match self.compare(key, suffix, pattern) {
                    Ordering::Less => within.start = within.start.max(rank + 1).min(within.end),
                    Ordering::Equal => return true,
                    Ordering::Greater => within.end = within.end.min(rank).max(within.start),
                }
            }
        }
        false
    }

    /// The first rank of `range` whose suffix has not `token` at `depth`, when all suffixes of the range
    /// are equal before, and that at the range's start has it.
    pub(super) fn run_end(&self, range: Range<usize>, depth: usize, token: T) -> usize {
        let has = |rank: usize| self.token(rank, depth) == token;
        let mut step = 1;
        while range.start + step < range.end && has(range.start + step) {
            step *= 2;
        }
        let (mut start, mut end) = (
            range.start + step / 2 + 1,
            (range.start + step).min(range.end),
        );
        while start < end {
            let middle = start + (end - start) / 2;
            match has(middle) {
                true => start = middle + 1,
                false => end = middle,
            }
        }
        start.min(range.end)
    }

    /// The token at `depth` of a suffix; 0 at a record's end.
    #[inline]
    pub(super) fn token(&self, rank: usize, depth: usize) -> T {
        self.suffix(rank).get(depth).copied().unwrap_or_default()
    }

    /// The longest match of each wanted text. None may hold an end mark.
    pub(super) fn longest(&self, wanted: &[&[T]], found: &mut Vec<Longest>) {
        for wanted in wanted.chunks(LANES) {
            let mut patterns = [Pattern::new(&[]); LANES];
            for (pattern, wanted) in patterns.iter_mut().zip(wanted) {
                *pattern = Pattern::new(wanted);
            }
            self.longest_of_lanes(&patterns[..wanted.len()], found);
        }
    }

    /// Binary searches for where each pattern would stand, step by step in all lanes, so that the
    /// lanes' waits for memory overlap. A longest match is next to that place.
    fn longest_of_lanes(&self, patterns: &[Pattern<'_, T>], found: &mut Vec<Longest>) {
        let mut ranges = self.ranges(patterns);
        let mut suffixes = [(0, &[][..]); LANES];
        while ranges[..patterns.len()]
            .iter()
            .any(|range| range.start < range.end)
        {
            for (range, suffix) in ranges.iter().zip(&mut suffixes) {
                let middle = range.start + (range.end - range.start) / 2;
                *suffix = (0, self.suffix(middle));
            }
            for (key, suffix) in &mut suffixes[..patterns.len()] {
                *key = T::key(suffix);
            }
            for ((range, pattern), (key, suffix)) in ranges.iter_mut().zip(patterns).zip(&suffixes)
            {
                let middle = range.start + (range.end - range.start) / 2;
                if range.start >= range.end {
                    continue;
                }
                match self.compare(*key, suffix, pattern) {
                    Ordering::Less => range.start = middle + 1,
                    _ => range.end = middle,
                }
            }
        }
        for (range, pattern) in ranges.iter().zip(patterns) {
            let common = |rank| common_prefix(self.suffix(rank), pattern.tokens);
            let behind = Longest {
                length: common(range.start),
                rank: range.start,
            };
            let before = range.start.checked_sub(1).map(|rank| Longest {
                length: common(rank),
                rank,
            });
            found.push(match before {
                Some(before) if before.length >= behind.length => before,
                _ => behind,
            });
        }
    }

    /// The ranks among which each pattern would stand, by the keys.
    fn ranges(&self, patterns: &[Pattern<'_, T>]) -> [Range<usize>; LANES] {
        let keys = Keys::new(self.keys, self.suffixes.len());
        let mut wanted = [0; LANES];
        for (wanted, pattern) in wanted.iter_mut().zip(patterns) {
            *wanted = pattern.key;
        }
        let below = keys.below(&wanted);
        let mut ranges = [const { 0..0 }; LANES];
        for ((range, lower), pattern) in ranges.iter_mut().zip(below).zip(patterns) {
            // Only a pattern longer than its key can stand behind a suffix with the same key.
            let tied = match pattern.tokens.len() > T::KEY_TOKENS {
                true => tied(&keys, lower, pattern.key),
                false => 0,
            };
            *range = self.between(lower, lower + tied);
        }
        ranges
    }

    /// The earliest position of the suffixes of a range.
    pub(super) fn earliest(&self, ranks: Range<usize>) -> Option<u32> {
        Minima::new(self.suffixes, self.minima).minimum(ranks)
    }

    /// The place of a text position.
    pub(super) fn place(&self, position: u32) -> Place {
        let ends = self.suffixes.get(..self.rows.len()).unwrap_or_default();
        let number = ends.partition_point(|end| *end < position);
        let start = number
            .checked_sub(1)
            .map_or(0, |before| ends[before].saturating_add(1));
        let row = self.rows.get(number).copied().unwrap_or_default();
        // Callers look rows up in lists of their own.
        let last = self.records.saturating_sub(1) as u32;
        Place {
            row: row.min(last),
            offset: position.saturating_sub(start),
        }
    }

    /// The tokens of a record, if there is such a row.
    pub(super) fn record(&self, row: usize) -> Option<&'a [T]> {
        if row >= self.records {
            return None;
        }
        let Ok(number) = self.rows.binary_search(&(row as u32)) else {
            return Some(&[]);
        };
        let end = *self.suffixes.get(number)? as usize;
        let start = match number.checked_sub(1) {
            Some(before) => *self.suffixes.get(before)? as usize + 1,
            None => 0,
        };
        self.text.get(start..end)
    }
}

/// Ranks spread over a range; all the same where the range is empty.
#[inline]
fn spread<const N: usize>(range: &Range<usize>) -> [usize; N] {
    let step = (range.end - range.start).div_ceil(N + 1);
    let last = range.end.saturating_sub(1);
    std::array::from_fn(|probe| {
        (range.start + step * (probe + 1))
            .saturating_sub(1)
            .min(last)
    })
}

/// How many keys from number `lower` on are not higher than `last`, when none is lower than the first.
#[inline]
fn tied(keys: &Keys<'_>, lower: usize, last: u128) -> usize {
    let rest = keys.lowest().get(lower..).unwrap_or_default();
    match rest.first() {
        Some(key) if *key <= last => rest.partition_point(|key| *key <= last),
        _ => 0,
    }
}
