//! The index of a text: in memory when it has just been built, mapped from a file otherwise.

use std::{borrow::Cow, ops::Range, path::Path};

use super::{
    buffer::Buffer,
    format::{self, Mapped, Writer, KEYS, MINIMA, ROWS, SUFFIXES, TEXT},
    keys::{self, BLOCK},
    minima::Collector,
    search::{Pattern, View},
    token::{free_value, Token},
    Place, MAX_PATTERN,
};
use crate::{duplicates::check_row_count, Error};

/// The suffix sorter counts in `i32`.
const MAX_SORTED: u64 = i32::MAX as u64;

/// A suffix array over records of tokens, with what makes searching it fast.
///
/// Records are laid one after the other, each ended by a token that no record holds, so that no match
/// crosses records. Suffixes are in the order of their tokens up to the record's end, then of their
/// positions. An index takes the size of the text and 4.6 bytes for each token: four for the suffix
/// array, half a byte for keys, the rest for block minima; and nine more bytes for each record.
pub struct TextIndex<T> {
    storage: Storage<T>,
    separator: T,
    records: usize,
}

enum Storage<T> {
    Built(Arrays<T>),
    Mapped(Mapped),
}

/// The sections of an index.
struct Arrays<T> {
    text: Buffer<T>,
    suffixes: Buffer<u32>,
    keys: Buffer<u128>,
    minima: Vec<u32>,
    rows: Vec<u32>,
}

/// Records laid out for sorting.
pub(super) struct Text<T> {
    /// Records that are not empty, as they are in the index, each followed by a 0.
    pub(super) tokens: Buffer<T>,
    /// Their rows.
    pub(super) rows: Vec<u32>,
    /// Number of rows, those of empty records included.
    pub(super) records: usize,
    pub(super) separator: T,
}

impl<T: Token> Text<T> {
    /// With room for some tokens.
    pub(super) fn with_capacity(separator: T, tokens: usize) -> Result<Self, Error> {
        Ok(Self {
            tokens: Buffer::with_capacity(tokens)?,
            rows: Vec::new(),
            records: 0,
            separator,
        })
    }

    /// Appends a record. Its row must fit 32 bits.
    pub(super) fn push(&mut self, record: &[T]) {
        if !record.is_empty() {
            let separator = self.separator;
            self.tokens
                .extend(record.iter().map(|token| *token ^ separator));
            self.tokens.extend(std::iter::once(T::default()));
            self.rows.push(self.records as u32);
        }
        self.records += 1;
    }
}

impl<T: Token> TextIndex<T> {
    /// Indexes records. Their positions are their rows. `None` stands for a record whose tokens may
    /// not be matched: it keeps its row and matches nothing.
    ///
    /// Records are ended by the smallest value that none of them holds. Sorting takes the memory of the
    /// index; see [`build_in_parts`](super::build_in_parts()) for texts that are too large for that.
    ///
    /// # Errors
    /// When tokens and records together exceed 2^31 - 1, every value of the token type occurs, or the
    /// suffix sorter runs out of memory.
    pub fn build(records: &[Option<&[T]>]) -> Result<Self, Error> {
        let present = records.iter().map(|record| record.unwrap_or_default());
        let separator = free_value(present.clone()).ok_or_else(|| {
            let bits = 8 * size_of::<T>();
            let values = 1_u64 << bits;
            Error::NoSeparator { values, bits }
        })?;
        check_row_count(records.len())?;
        let tokens = present.clone().map(<[T]>::len).sum::<usize>() + records.len();
        check_sortable(tokens)?;
        let mut laid_out = Text::with_capacity(separator, tokens)?;
        present.for_each(|record| laid_out.push(record));
        Self::sort(laid_out)
    }

    /// Indexes a text that is laid out already.
    pub(super) fn sort(text: Text<T>) -> Result<Self, Error> {
        let Text {
            tokens: text,
            rows,
            records,
            separator,
        } = text;
        check_sortable(text.len())?;
        let mut suffixes = Buffer::zeroed(text.len())?;
        T::sort(&text, &mut suffixes)?;
        let mut keys = Buffer::with_capacity(keys::count(suffixes.len()))?;
        let lowest = suffixes.iter().step_by(BLOCK);
        keys.extend(lowest.map(|at| T::key(&text[*at as usize..])));
        let upper = keys::upper_levels(&keys);
        keys.extend(upper.into_iter());
        let mut collector = Collector::new(suffixes.len());
        collector.extend(&suffixes);
        let arrays = Arrays {
            text,
            suffixes,
            keys,
            minima: collector.finish(),
            rows,
        };
        Ok(Self {
            storage: Storage::Built(arrays),
            separator,
            records,
        })
    }

    /// Opens an index in a file. Nothing but the header is read and verified now; queries read what they
    /// need, and keep nothing in memory that the system could not drop. What a damaged or altered file
    /// answers is undefined, but harmless; [`Self::verify`] finds out.
    ///
    /// # Errors
    /// When the file cannot be read, is of another kind, version, token type or byte order, has not the
    /// length that its header promises, or its header does not match its checksum.
    pub fn open(path: &Path) -> Result<Self, Error> {
        let mapped = Mapped::open::<T>(path)?;
        Ok(Self {
            separator: T::from_number(mapped.header.separator as usize).unwrap_or_default(),
            records: mapped.header.records as usize,
            storage: Storage::Mapped(mapped),
        })
    }

    /// Reads all of the file that the index was opened from and compares it with its checksums. An index
    /// that was built in memory has nothing to compare.
    ///
    /// # Errors
    /// When a section does not match its checksum.
    pub fn verify(&self) -> Result<(), Error> {
        match &self.storage {
            Storage::Built(_) => Ok(()),
            Storage::Mapped(mapped) => mapped.verify(),
        }
    }

    /// Writes the index to a file, which appears only when it is complete.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn save(&self, path: &Path) -> Result<(), Error> {
        let View {
            text,
            suffixes,
            keys,
            minima,
            rows,
            records,
        } = self.view();
        let mut writer = Writer::create(path, self.separator, records, rows.len(), text.len())?;
        let written = (writer.section(TEXT).put(text))
            .and_then(|()| writer.section(SUFFIXES).put(suffixes))
            .and_then(|()| writer.section(KEYS).put(keys))
            .and_then(|()| writer.section(MINIMA).put(minima))
            .and_then(|()| writer.section(ROWS).put(rows));
        written.map_err(|source| writer.failed(source))?;
        writer.finish()
    }

    /// Number of records, matchable or not.
    pub fn len(&self) -> usize {
        self.records
    }

    /// Whether there are no records.
    pub fn is_empty(&self) -> bool {
        self.records == 0
    }

    /// Tokens that can be matched.
    pub fn tokens(&self) -> usize {
        let View { text, rows, .. } = self.view();
        text.len() - rows.len()
    }

    /// The value that ends records. No pattern that holds it is found.
    pub fn separator(&self) -> T {
        self.separator
    }

    /// The tokens of a record, if there is such a row. There are none in one that may not be matched.
    pub fn record(&self, row: usize) -> Option<Vec<T>> {
        let tokens = self.view().record(row)?;
        Some(tokens.iter().map(|token| *token ^ self.separator).collect())
    }

    /// The ranks of the suffixes that start with `pattern`: as many as the pattern occurs. An empty
    /// pattern occurs once for each token.
    ///
    /// # Errors
    /// When the pattern is longer than [`MAX_PATTERN`].
    pub fn find(&self, pattern: &[T]) -> Result<Range<usize>, Error> {
        check_pattern(pattern)?;
        Ok(self.find_encoded(&self.encode(pattern)))
    }

    /// How often `pattern` occurs.
    ///
    /// # Errors
    /// When the pattern is longer than [`MAX_PATTERN`].
    pub fn count(&self, pattern: &[T]) -> Result<usize, Error> {
        self.find(pattern).map(|ranks| ranks.len())
    }

    /// The place of the suffix with a rank, if there is one.
    pub fn place(&self, rank: usize) -> Option<Place> {
        let view = self.view();
        view.suffixes
            .get(rank)
            .map(|position| view.place(*position))
    }

    /// The earliest of the places of a range of ranks, in the order `(row, offset)`. `None` when the
    /// range is empty or goes past the last rank.
    pub fn earliest(&self, ranks: Range<usize>) -> Option<Place> {
        let view = self.view();
        if ranks.end > view.suffixes.len() {
            return None;
        }
        view.earliest(ranks).map(|position| view.place(position))
    }

    /// The tokens as they are in the index.
    pub(super) fn encode<'p>(&self, tokens: &'p [T]) -> Cow<'p, [T]> {
        if self.separator == T::default() {
            return Cow::Borrowed(tokens);
        }
        Cow::Owned(tokens.iter().map(|token| *token ^ self.separator).collect())
    }

    /// [`Self::find`] for tokens as they are in the index.
    pub(super) fn find_encoded(&self, pattern: &[T]) -> Range<usize> {
        let view = self.view();
        if pattern.is_empty() {
            // Ends of records come first and are no tokens.
            return view.rows.len()..view.suffixes.len();
        }
        if pattern.contains(&T::default()) {
            return 0..0;
        }
        view.find(&Pattern::new(pattern))
    }

    #[inline]
    pub(super) fn view(&self) -> View<'_, T> {
        let records = self.records;
        match &self.storage {
            Storage::Built(arrays) => View {
                text: &arrays.text,
                suffixes: &arrays.suffixes,
                keys: &arrays.keys,
                minima: &arrays.minima,
                rows: &arrays.rows,
                records,
            },
            Storage::Mapped(mapped) => View {
                text: mapped.section(TEXT),
                suffixes: mapped.section(SUFFIXES),
                keys: mapped.section(KEYS),
                minima: mapped.section(MINIMA),
                rows: mapped.section(ROWS),
                records,
            },
        }
    }

    /// The header of the file, where the index comes from one.
    pub(super) fn header(&self) -> Option<&format::Header> {
        match &self.storage {
            Storage::Built(_) => None,
            Storage::Mapped(mapped) => Some(&mapped.header),
        }
    }
}

/// Refuses patterns that are longer than the order of suffixes is exact.
pub(super) fn check_pattern<T>(pattern: &[T]) -> Result<(), Error> {
    if pattern.len() > MAX_PATTERN {
        let expected = format!("at most {MAX_PATTERN} tokens");
        return Err(Error::parameter("pattern length", pattern.len(), expected));
    }
    Ok(())
}

/// Refuses texts that the suffix sorter cannot address.
pub(super) fn check_sortable(tokens: usize) -> Result<(), Error> {
    if tokens as u64 > MAX_SORTED {
        return Err(Error::CorpusTooLarge {
            symbols: tokens as u64,
            limit: MAX_SORTED,
        });
    }
    Ok(())
}
