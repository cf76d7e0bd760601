//! Matching statistics: the longest match from each position of a query.
//!
//! If the longest match from position `p` has length `l` and stands at text position `x`, then the one
//! from `p + 1` has at least `l - 1` and one of that length stands at `x + 1` (W. I. Chang and E. L.
//! Lawler, *Sublinear approximate string matching and biological applications*, Algorithmica 12,
//! 1994). The inverse suffix array leads to its rank, the common prefixes bound the interval of
//! suffixes that share its first symbols (T. Kasai et al., CPM 2001; M. I. Abouelhoda, S. Kurtz and
//! E. Ohlebusch, J. Discrete Algorithms 2, 2004), and the search goes on inside that interval,
//! comparing only symbols behind it.

use super::{symbol, Corpus, Place, LONGEST_PREFIX};

/// A longest match.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Match {
    /// Bytes, at most 1,024.
    pub length: u32,
    /// Its earliest occurrence.
    pub at: Place,
}

impl Corpus {
    /// The longest match of `query` from byte `from`, up to 1,024 bytes, at its earliest occurrence in
    /// the order `(row, offset)`. `None` when not even the first byte occurs.
    ///
    /// For many positions of one query, [`cover`](super::cover()) is faster.
    pub fn longest_match(&self, query: &[u8], from: usize) -> Option<Match> {
        let query = query
            .get(from..)?
            .iter()
            .copied()
            .map(symbol)
            .take(LONGEST_PREFIX.into());
        let query = query.collect::<Vec<_>>();
        let mut matcher = Matcher::new(self, &query);
        matcher.longest_from(0);
        matcher.earliest()
    }
}

/// The longest matches of one query in one corpus, at ascending positions.
pub(super) struct Matcher<'a> {
    corpus: &'a Corpus,
    query: &'a [u16],
    from: usize,
    /// Length of the longest match from `from`, and the rank of a suffix that starts with it.
    length: usize,
    rank: usize,
}

impl<'a> Matcher<'a> {
    /// `query` in symbols.
    pub(super) fn new(corpus: &'a Corpus, query: &'a [u16]) -> Self {
        Self {
            corpus,
            query,
            from: 0,
            length: 0,
            rank: 0,
        }
    }

    /// The length of the longest match from position `from` of the query, which must not be lower than
    /// that of the call before. At most `LONGEST_PREFIX`.
    pub(super) fn longest_from(&mut self, from: usize) -> usize {
        let Corpus {
            text,
            suffixes,
            ranks,
            ..
        } = self.corpus;
        let suffixes = suffixes.values();
        let rest = self.query.get(from..).unwrap_or_default();
        let wanted = &rest[..rest.len().min(LONGEST_PREFIX.into())];

        let step = from - self.from;
        self.from = from;
        let (mut low, mut high, common);
        if step < self.length {
            let known = self.length - step;
            let at = suffixes[self.rank] as usize + step;
            self.rank = ranks[at] as usize;
            self.length = known + common_prefix(&wanted[known..], &text[at + known..]);
            if self.length == wanted.len() {
                return self.length;
            }
            (low, high) = self.interval();
            common = self.length;
        } else {
            (low, high) = (0, suffixes.len());
            common = 0;
            self.length = 0;
        }

        // Binary search for where `wanted` would stand in the interval, whose suffixes all share
        // `common` symbols with it (U. Manber and G. Myers, SIAM J. Comput. 22(5), 1993). A longest
        // match is next to that place, and the search visits both its neighbours.
        let (mut common_low, mut common_high) = (common, common);
        while low < high && self.length < wanted.len() {
            let middle = low + (high - low) / 2;
            let at = suffixes[middle] as usize;
            let known = common_low.min(common_high);
            let length = known + common_prefix(&wanted[known..], &text[at + known..]);
            if length > self.length {
                (self.length, self.rank) = (length, middle);
            }
            // The end symbol is smaller than any byte, and every suffix has one.
            if length < wanted.len() && text[at + length] < wanted[length] {
                low = middle + 1;
                common_low = length;
            } else {
                high = middle;
                common_high = length;
            }
        }
        self.length
    }

    /// The earliest occurrence of the match that [`Self::longest_from`] has just found, if any.
    pub(super) fn earliest(&self) -> Option<Match> {
        if self.length == 0 {
            return None;
        }
        let (low, high) = self.interval();
        let position = self.corpus.suffixes.minimum(low..high)?;
        Some(Match {
            length: self.length as u32,
            at: self.corpus.place(position),
        })
    }

    /// The ranks of the suffixes that share the first `length` symbols with that at `rank`.
    fn interval(&self) -> (usize, usize) {
        let prefixes = &self.corpus.prefixes;
        let length = self.length as u16;
        // Rank 0 shares nothing with a suffix before it, so there is always such a position.
        let low = prefixes.previous_below(self.rank, length).unwrap_or(0);
        (low, prefixes.next_below(self.rank + 1, length))
    }
}

/// Symbols that two texts have in common from their starts.
fn common_prefix(a: &[u16], b: &[u16]) -> usize {
    const STEP: usize = 16;
    let equal = a
        .chunks_exact(STEP)
        .zip(b.chunks_exact(STEP))
        .take_while(|(a, b)| a == b)
        .count()
        * STEP;
    equal
        + a[equal..]
            .iter()
            .zip(&b[equal..])
            .take_while(|(a, b)| a == b)
            .count()
}
