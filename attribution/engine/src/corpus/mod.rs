//! The corpus: every input record of a model in one suffix array, and the matches of a response in it.
//!
//! Records are laid one after the other as 16-bit symbols: a byte `b` is `b + 1`, and each record ends
//! in a 0, which no byte equals. So matches never cross records, and any bytes at all may be indexed.
//! Suffixes are sorted by `libsais`; besides the suffix array the corpus keeps its inverse, the lengths
//! of the longest common prefixes of neighbours, and block minima over both arrays, a little over 12
//! bytes for each byte of text together.

mod cover;
mod matching;
mod minima;

use std::path::Path;

use attribution_proof::bounds::MAX_SPAN_LENGTH;
use libsais::SuffixArrayConstruction;

pub use cover::{cover, CoverRules};
pub use matching::Match;

use crate::{
    duplicates::check_row_count,
    file::{self, Kind},
    Error,
};
use minima::Minima;

const KIND: Kind = Kind {
    magic: *b"OLcorpus",
    version: 1,
    name: "corpus",
};
/// The suffix sorter counts in `i32`.
const MAX_SYMBOLS: u64 = i32::MAX as u64;
/// Common prefixes are kept up to here. No match is longer than a span.
const LONGEST_PREFIX: u16 = MAX_SPAN_LENGTH as u16;
/// The end of a record.
const END: u16 = 0;

/// The symbol of a byte.
fn symbol(byte: u8) -> u16 {
    u16::from(byte) + 1
}

/// A place in a corpus.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// The record.
    pub row: u32,
    /// Byte offset in it.
    pub offset: u32,
}

/// A searchable corpus of records.
pub struct Corpus {
    text: Vec<u16>,
    /// Where each record starts in `text`, strictly ascending because of the end symbols.
    starts: Vec<u32>,
    /// Text positions by the order of their suffixes.
    suffixes: Minima<u32>,
    /// Inverse of `suffixes`.
    ranks: Vec<u32>,
    /// `prefixes[i]`: symbols that suffix `i` shares with suffix `i - 1`, up to `LONGEST_PREFIX`.
    prefixes: Minima<u16>,
}

impl Corpus {
    /// Indexes records. Their positions are their rows. `None` stands for a record whose bytes may not
    /// be matched (tombstoned, or not public): it keeps its row and matches nothing.
    ///
    /// # Errors
    /// When bytes and records together exceed 2^31 - 1, or the suffix sorter runs out of memory.
    pub fn build(records: &[Option<&[u8]>]) -> Result<Self, Error> {
        check_row_count(records.len())?;
        let bytes = |record: &Option<&[u8]>| record.map_or(0, <[u8]>::len) as u64;
        let symbols = records.iter().map(bytes).sum::<u64>() + records.len() as u64;
        if symbols > MAX_SYMBOLS {
            return Err(Error::CorpusTooLarge {
                symbols,
                limit: MAX_SYMBOLS,
            });
        }
        let mut text = Vec::with_capacity(symbols as usize);
        let mut starts = Vec::with_capacity(records.len());
        for record in records {
            starts.push(text.len() as u32);
            text.extend(record.unwrap_or_default().iter().copied().map(symbol));
            text.push(END);
        }
        if text.is_empty() {
            return Ok(Self::assemble(text, starts, Vec::new(), Vec::new()));
        }
        let suffixes = SuffixArrayConstruction::for_text(&text)
            .in_owned_buffer32()
            .single_threaded()
            .run()
            .map_err(|error| Error::SuffixArray(format!("{error:?}")))?
            .into_vec();
        let suffixes = suffixes.into_iter().map(|at| at as u32).collect::<Vec<_>>();
        let mut ranks = vec![0; suffixes.len()];
        for (rank, at) in (0..).zip(&suffixes) {
            ranks[*at as usize] = rank;
        }
        Ok(Self::assemble(text, starts, suffixes, ranks))
    }

    /// Adds what follows from the suffix array.
    fn assemble(text: Vec<u16>, starts: Vec<u32>, suffixes: Vec<u32>, ranks: Vec<u32>) -> Self {
        let prefixes = Minima::new(common_prefixes(&text, &suffixes));
        Self {
            text,
            starts,
            suffixes: Minima::new(suffixes),
            ranks,
            prefixes,
        }
    }

    /// Number of records, matchable or not.
    pub fn len(&self) -> usize {
        self.starts.len()
    }

    /// Whether there are no records.
    pub fn is_empty(&self) -> bool {
        self.starts.is_empty()
    }

    /// Bytes that can be matched.
    pub fn bytes(&self) -> usize {
        self.text.len() - self.starts.len()
    }

    /// The place of a text position.
    fn place(&self, position: u32) -> Place {
        let row = self.starts.partition_point(|start| *start <= position) - 1;
        Place {
            row: row as u32,
            offset: position - self.starts[row],
        }
    }

    /// Writes the corpus to a file, which appears only when it is complete. The file holds the bytes
    /// and the suffix array: five bytes for each byte of text.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn save(&self, path: &Path) -> Result<(), Error> {
        let symbols = self.text.len() as u64;
        let length = 8 + 4 * self.len() as u64 + self.bytes() as u64 + 4 * symbols;
        file::write(path, &KIND, length, |sink| {
            sink.put(&(self.len() as u32).to_le_bytes())?;
            sink.put(&(symbols as u32).to_le_bytes())?;
            sink.put_all(&self.starts, u32::to_le_bytes)?;
            let bytes = |chunk: &[u16]| {
                chunk
                    .iter()
                    .filter(|symbol| **symbol != END)
                    .map(|symbol| (symbol - 1) as u8)
                    .collect::<Vec<_>>()
            };
            for chunk in self.text.chunks(1 << 20) {
                sink.put(&bytes(chunk))?;
            }
            sink.put_all(self.suffixes.values(), u32::to_le_bytes)
        })
    }

    /// Reads a corpus.
    ///
    /// # Errors
    /// When the file cannot be read, is of another kind or version, damaged, or contradicts itself.
    pub fn load(path: &Path) -> Result<Self, Error> {
        let mut source = file::read(path, &KIND)?;
        let records = source.take_one(u32::from_le_bytes)? as usize;
        let symbols = source.take_one(u32::from_le_bytes)? as usize;
        check_row_count(records).map_err(|error| source.malformed(error))?;
        if symbols < records || symbols as u64 > MAX_SYMBOLS {
            return Err(source.malformed(format!("{symbols} symbols for {records} records")));
        }
        let starts = source.take_all(records, u32::from_le_bytes)?;
        let ends = starts.iter().skip(1).copied().chain([symbols as u32]);
        let ordered = starts
            .iter()
            .zip(ends.clone())
            .all(|(start, end)| *start < end);
        if !ordered || starts.first().is_some_and(|start| *start != 0) {
            return Err(source.malformed("the records' starts do not ascend from 0"));
        }
        if records == 0 && symbols != 0 {
            return Err(source.malformed("there are bytes but no records"));
        }
        let mut text = Vec::with_capacity(symbols.min(1 << 20));
        for (start, end) in starts.iter().zip(ends) {
            let bytes = source.take((end - start) as usize - 1)?;
            text.extend(bytes.iter().copied().map(symbol));
            text.push(END);
        }
        let suffixes = source.take_all(symbols, u32::from_le_bytes)?;
        let mut ranks = vec![u32::MAX; symbols];
        for (rank, at) in (0..).zip(&suffixes) {
            match ranks.get_mut(*at as usize) {
                Some(free) if *free == u32::MAX => *free = rank,
                _ => {
                    return Err(source.malformed(format!("suffix {at} is doubled or past the end")))
                }
            }
        }
        // A wrong order would not only find wrong matches, it would lead searches out of bounds.
        if let Some(rank) = first_out_of_order(&text, &suffixes, &ranks) {
            return Err(source.malformed(format!("suffix number {rank} is out of order")));
        }
        source.finish()?;
        Ok(Self::assemble(text, starts, suffixes, ranks))
    }
}

/// Symbols that each suffix shares with the one before it in order, up to `LONGEST_PREFIX`. End symbols
/// equal nothing, not even each other.
///
/// Computed in text order, where the length falls by at most one from a suffix to the next, with the
/// predecessors laid out in text order first (J. Kärkkäinen, G. Manzini and S. J. Puglisi, *Permuted
/// Longest-Common-Prefix Array*, CPM 2009).
fn common_prefixes(text: &[u16], suffixes: &[u32]) -> Vec<u16> {
    let mut permuted = vec![u32::MAX; text.len()];
    for pair in suffixes.windows(2) {
        permuted[pair[1] as usize] = pair[0];
    }
    let mut length = 0_usize;
    for at in 0..text.len() {
        let before = permuted[at] as usize;
        if before < text.len() {
            while text[at + length] != END && text[at + length] == text[before + length] {
                length += 1;
            }
        } else {
            length = 0;
        }
        permuted[at] = length.min(LONGEST_PREFIX.into()) as u32;
        length = length.saturating_sub(1);
    }
    suffixes
        .iter()
        .map(|at| permuted[*at as usize] as u16)
        .collect()
}

/// The first rank whose suffix is not greater than the one before it. `ranks` must be the inverse of
/// `suffixes`.
fn first_out_of_order(text: &[u16], suffixes: &[u32], ranks: &[u32]) -> Option<usize> {
    let ascends = |pair: &[u32]| {
        let (a, b) = (pair[0] as usize, pair[1] as usize);
        // What follows a symbol decides between equal ones; nothing at all is smallest.
        let rest = |at: usize| ranks.get(at + 1).map_or(-1, |rank| i64::from(*rank));
        (text[a], rest(a)) < (text[b], rest(b))
    };
    suffixes
        .windows(2)
        .position(|pair| !ascends(pair))
        .map(|position| position + 1)
}

#[cfg(test)]
mod tests;
