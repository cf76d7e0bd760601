//! The text of the input records in a suffix array, and what a response shares with it.
//!
//! - [`TextIndex`] searches records of bytes, or of tokens of 16 or 32 bits: where and how often a pattern
//!   occurs, what follows it, the infinite-gram probability of a token, and the maximal spans of an output
//!   with their owners. It lies in memory or in a file that is used without reading it.
//! - [`Corpus`] is an index of bytes, whatever bytes, for the span credit of PROTOCOL.md ([`cover()`]).
//! - [`build_in_parts`] builds an index that is larger than memory, [`merge`] joins indexes.
//!
//! ```
//! use attribution_engine::corpus::{Corpus, SpanRules};
//!
//! # fn main() -> Result<(), attribution_engine::Error> {
//! let records: [&[u8]; 2] = [b"it was the best of times", b"it was the worst of times"];
//! let corpus = Corpus::build(&records.map(Some))?;
//! assert_eq!(corpus.count(b"of times")?, 2);
//! let rules = SpanRules { minimum_length: 8, maximum_count: 10, maximum_places: 10 };
//! let spans = corpus.maximal_spans(b"was it the worst of times?", rules, |row| row)?;
//! assert_eq!((spans[0].start, spans[0].length, spans[0].earliest.row), (6, 19, 1));
//! if let Some(index) = corpus.index() {
//!     // Behind "the " stand b and w, as often as one another.
//!     assert_eq!(index.infinite_gram(b"said the ", b'b').probability(), Some(0.5));
//! }
//! # Ok(())
//! # }
//! ```

mod buffer;
pub mod compressed;
mod cover;
mod format;
mod index;
mod keys;
mod map;
mod merge;
mod minima;
mod ngram;
mod parts;
mod search;
mod spans;
mod statistics;
pub(crate) mod symbols;
mod token;

use std::{borrow::Cow, path::Path};

use attribution_proof::bounds::MAX_SPAN_LENGTH;

pub use cover::{cover, CoverRules};
pub use index::TextIndex;
pub use merge::{merge, Control, Progress};
pub use ngram::{InfiniteGram, NextTokens};
pub use parts::{build_in_parts, Parts};
pub use spans::{MaximalSpan, SpanRules};
pub use token::Token;

use crate::Error;
use statistics::{Matches, Statistics};

/// Longest pattern that can be searched for, in tokens. Suffixes of an index that was built in parts are in
/// order up to here.
pub const MAX_PATTERN: usize = 4_096;

/// A place in a corpus.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Place {
    /// The record.
    pub row: u32,
    /// Offset in it, in tokens.
    pub offset: u32,
}

/// A longest match.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Match {
    /// Bytes, at most 1,024.
    pub length: u32,
    /// Its earliest occurrence.
    pub at: Place,
}

/// A searchable corpus of records of bytes.
///
/// An index needs a value to end records with. Text has one to spare; records that together hold all 256
/// bytes are indexed in units of 16 bits instead, which takes a fifth more space and about twice the
/// time to sort.
pub struct Corpus(Width);

enum Width {
    Bytes(TextIndex<u8>),
    Wide(TextIndex<u16>),
}

/// Runs an expression on the index of a corpus, whichever it is.
macro_rules! of_index {
    ($corpus:expr, $index:ident => $result:expr) => {
        match &$corpus.0 {
            Width::Bytes($index) => $result,
            Width::Wide($index) => $result,
        }
    };
}

impl Corpus {
    /// Indexes records. Their positions are their rows. `None` stands for a record whose bytes may not
    /// be matched (tombstoned, or not public): it keeps its row and matches nothing.
    ///
    /// # Errors
    /// When bytes and records together exceed 2^31 - 1, or the suffix sorter runs out of memory.
    pub fn build(records: &[Option<&[u8]>]) -> Result<Self, Error> {
        match TextIndex::build(records) {
            Ok(index) => Ok(Self(Width::Bytes(index))),
            Err(Error::NoSeparator { .. }) => {
                let widened = records
                    .iter()
                    .map(|record| record.map(widen))
                    .collect::<Vec<_>>();
                let records = widened.iter().map(Option::as_deref).collect::<Vec<_>>();
                TextIndex::build(&records).map(|index| Self(Width::Wide(index)))
            }
            Err(error) => Err(error),
        }
    }

    /// Number of records, matchable or not.
    pub fn len(&self) -> usize {
        of_index!(self, index => index.len())
    }

    /// Whether there are no records.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Bytes that can be matched.
    pub fn bytes(&self) -> usize {
        of_index!(self, index => index.tokens())
    }

    /// The bytes of a record, if there is such a row. There are none in one that may not be matched.
    pub fn record(&self, row: usize) -> Option<Vec<u8>> {
        match &self.0 {
            Width::Bytes(index) => index.record(row),
            // Only bytes were widened.
            Width::Wide(index) => Some(
                index
                    .record(row)?
                    .iter()
                    .map(|token| *token as u8)
                    .collect(),
            ),
        }
    }

    /// The index, where no record needed units of 16 bits.
    pub fn index(&self) -> Option<&TextIndex<u8>> {
        match &self.0 {
            Width::Bytes(index) => Some(index),
            Width::Wide(_) => None,
        }
    }

    /// How often `pattern` occurs.
    ///
    /// # Errors
    /// When the pattern is longer than [`MAX_PATTERN`].
    pub fn count(&self, pattern: &[u8]) -> Result<usize, Error> {
        match &self.0 {
            Width::Bytes(index) => index.count(pattern),
            Width::Wide(index) => index.count(&widen(pattern)),
        }
    }

    /// The maximal spans of `output`; see [`TextIndex::maximal_spans`].
    ///
    /// # Errors
    /// As there.
    pub fn maximal_spans<O: Ord>(
        &self,
        output: &[u8],
        rules: SpanRules,
        owner_of: impl Fn(u32) -> O,
    ) -> Result<Vec<MaximalSpan<O>>, Error> {
        match &self.0 {
            Width::Bytes(index) => index.maximal_spans(output, rules, owner_of),
            Width::Wide(index) => index.maximal_spans(&widen(output), rules, owner_of),
        }
    }

    /// The longest match of `query` from byte `from`, up to 1,024 bytes, at its earliest occurrence in
    /// the order `(row, offset)`. `None` when not even the first byte occurs.
    ///
    /// For many positions of one query, [`cover()`] is faster.
    pub fn longest_match(&self, query: &[u8], from: usize) -> Option<Match> {
        let query = query.get(from..)?;
        let longest = MAX_SPAN_LENGTH as usize;
        let mut matches = self.matches(&query[..query.len().min(longest)], 1, longest);
        let length = matches.longest(0);
        let at = matches.earliest(0, length)?;
        let length = length as u32;
        Some(Match { length, at })
    }

    /// Writes the corpus to a file, which appears only when it is complete. The file holds the bytes and
    /// 4.6 bytes for each of them.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn save(&self, path: &Path) -> Result<(), Error> {
        of_index!(self, index => index.save(path))
    }

    /// Opens a corpus and compares all of the file with its checksums.
    ///
    /// # Errors
    /// When the file cannot be read, is of another kind or version, or damaged.
    pub fn load(path: &Path) -> Result<Self, Error> {
        let corpus = Self::open(path)?;
        of_index!(corpus, index => index.verify())?;
        Ok(corpus)
    }

    /// Opens a corpus without reading more than the header of the file; see [`TextIndex::open`].
    ///
    /// # Errors
    /// When the file cannot be read, is of another kind or version, not of bytes, or its header is
    /// damaged.
    pub fn open(path: &Path) -> Result<Self, Error> {
        let header = format::header(path)?;
        // Only where the separator is no byte are 16 bits a widened byte.
        if header.token_bytes == 2 && header.separator == u32::from(u8::MAX) + 1 {
            return TextIndex::open(path).map(|index| Self(Width::Wide(index)));
        }
        TextIndex::open(path).map(|index| Self(Width::Bytes(index)))
    }

    /// Matching statistics of a query.
    fn matches<'a>(
        &'a self,
        query: &'a [u8],
        minimum: usize,
        limit: usize,
    ) -> Box<dyn Matches + 'a> {
        match &self.0 {
            Width::Bytes(index) => Box::new(Statistics::new(index, query, minimum, limit)),
            Width::Wide(index) => {
                let query = Cow::Owned(index.encode(&widen(query)).into_owned());
                Box::new(Statistics::encoded(index, query, minimum, limit))
            }
        }
    }
}

/// Bytes in units of 16 bits.
fn widen(bytes: &[u8]) -> Vec<u16> {
    bytes.iter().copied().map(u16::from).collect()
}

#[cfg(test)]
mod tests;
