//! Matching statistics: the longest match that ends at each position of a query.
//!
//! Backward search extends a match to its left but cannot shorten it on its right. So matches are found
//! from the query's end on, one maximal match after the other: the match that ends at `e` is extended
//! until it starts at `s` and goes no further. The next one ends at the largest `e' < e` from which the
//! byte before `s` is reached. That some `e'` reaches it is monotone in `e'`, so it is found by doubling
//! steps and then halving them. All matches that end in `e' + 1..=e` start at `s`.
//!
//! With `k` maximal matches of lengths `l` that takes `O(Σ l log l)` steps: less than a search for each
//! position, without the longest common prefixes that shortening a match takes (E. Ohlebusch, S. Gog and
//! A. Kügell, *Computing Matching Statistics and Maximal Exact Matches on Compressed Full-Text Indexes*,
//! SPIRE 2010). Queries of one byte repeated are the worst: whoever lets others choose the query should
//! bound its length.

use super::{symbol, CompressedCorpus};

/// A match that can be extended on neither side.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MaximalMatch {
    /// Where it starts in the query.
    pub start: usize,
    /// Bytes.
    pub length: usize,
    /// How often it occurs in the records.
    pub occurrences: usize,
}

impl CompressedCorpus {
    /// For each position of `query` the length in bytes of the longest match that ends with that byte,
    /// 0 where not even the byte itself occurs.
    pub fn matching_statistics(&self, query: &[u8]) -> Vec<u32> {
        let mut lengths = vec![0; query.len()];
        for found in self.maximal(query) {
            // Positions that the next match reaches too are overwritten, as it starts earlier.
            let inside = &mut lengths[found.start..found.start + found.length];
            for (length, at) in (1..).zip(inside) {
                *at = length;
            }
        }
        lengths
    }

    /// The maximal matches of `query` with at least `minimum` bytes, by ascending start. Each match of
    /// the query with so many bytes is inside one of them.
    pub fn maximal_matches(&self, query: &[u8], minimum: usize) -> Vec<MaximalMatch> {
        let mut found = self
            .maximal(query)
            .filter(|found| found.length >= minimum)
            .collect::<Vec<_>>();
        found.reverse();
        found
    }

    /// All maximal matches of at least one byte, the last one first.
    fn maximal<'a>(&'a self, query: &'a [u8]) -> impl Iterator<Item = MaximalMatch> + 'a {
        let mut next = self.ending_at(query, query.len(), query.len());
        std::iter::from_fn(move || {
            let (start, end, interval) = next?;
            next = self.ending_at(query, start, end);
            Some(MaximalMatch {
                start,
                length: end - start,
                occurrences: interval.1 - interval.0,
            })
        })
    }

    /// The maximal match behind which `start..end` follows: its start, its end and its ranks.
    fn ending_at(
        &self,
        query: &[u8],
        start: usize,
        end: usize,
    ) -> Option<(usize, usize, (usize, usize))> {
        // A byte that does not occur ends no match.
        let mut bytes = query[..start].iter();
        let first = bytes.rposition(|byte| self.counts[usize::from(symbol(*byte))] > 0)?;
        let search = |to: usize| {
            let interval = self.search(&query[first..to]);
            (interval.0 < interval.1).then_some(interval)
        };
        let mut longest = (first + 1, search(first + 1)?);
        // The match before could not be extended to its left, and a byte that does not occur, or the
        // end of the query, limits this one at once.
        let mut too_far = if first + 1 == start && start < end {
            end
        } else {
            first + 2
        };
        let mut step = 1;
        while too_far - longest.0 > 1 {
            let to = too_far.saturating_sub(step).max(longest.0 + 1);
            match search(to) {
                Some(interval) => {
                    longest = (to, interval);
                    break;
                }
                None => {
                    too_far = to;
                    step *= 2;
                }
            }
        }
        while too_far - longest.0 > 1 {
            let to = longest.0 + (too_far - longest.0) / 2;
            match search(to) {
                Some(interval) => longest = (to, interval),
                None => too_far = to,
            }
        }
        let (end, mut interval) = longest;
        let mut start = first;
        while start > 0 {
            let longer = self.extend(interval, query[start - 1]);
            if longer.0 == longer.1 {
                break;
            }
            (start, interval) = (start - 1, longer);
        }
        Some((start, end, interval))
    }
}
