//! The compressed corpus: counts and places of any bytes in the records, in less than half the space
//! that the records themselves take.
//!
//! An FM-index (P. Ferragina and G. Manzini, *Indexing Compressed Text*, JACM 52(4), 2005): the
//! Burrows–Wheeler transform of the records in a Huffman-shaped wavelet tree (`tree`) of compressed bit
//! vectors (`bits`), searched backwards, a byte of the pattern after the other from its last one. Some
//! positions are kept for placing matches, and some ranks for reading records; the records themselves
//! need not be kept.
//!
//! Records are laid one after the other: a byte `b` is the symbol `b + 1` and each record ends
//! in a 0, which no byte of a pattern equals. So any bytes may be indexed and no match crosses records.

mod bits;
mod enumerate;
mod matching;
mod store;
mod stream;
mod tree;

use libsais::SuffixArrayConstruction;
use rayon::prelude::*;

pub use matching::MaximalMatch;

use super::{
    symbols::{symbol, END, MAX_SYMBOLS},
    Place,
};
use crate::{duplicates::check_row_count, Error};
use bits::Bits;
use stream::Packed;
use tree::{code_lengths, Counts, Lengths, Shapes, Tree, SYMBOLS};

/// Largest distance of sampled positions.
const MAX_DISTANCE: u32 = 1 << 16;

/// How many positions and ranks are kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sampling {
    /// Every how many bytes of text the position is kept: placing a match takes half as many steps on
    /// average. Each position kept costs some 4 bytes.
    pub positions: u32,
    /// Every how many bytes of text the rank is kept: reading bytes of a record takes half as many
    /// steps more than bytes. Each rank kept costs some 4 bytes.
    pub ranks: u32,
}

impl Default for Sampling {
    /// A tenth of the size of the text altogether.
    fn default() -> Self {
        Self {
            positions: 64,
            ranks: 128,
        }
    }
}

/// A compressed, searchable corpus of records.
pub struct CompressedCorpus {
    sampling: Sampling,
    /// Bytes and end marks.
    length: usize,
    /// Where each record starts, strictly ascending because of the end marks.
    starts: Vec<u32>,
    counts: Counts,
    code_lengths: Lengths,
    /// For each symbol the suffixes that start with a smaller one.
    smaller: [usize; SYMBOLS],
    /// The symbol before each suffix, by the order of suffixes; before the first stands the last.
    transform: Tree,
    /// The rank of the suffix that is the whole text.
    first: usize,
    /// The ranks whose positions are kept.
    sampled: Bits,
    /// For each of them the position as a multiple of the distance.
    positions: Packed,
    /// The rank of each position that is a multiple of the distance.
    ranks: Packed,
}

impl CompressedCorpus {
    /// Indexes records. Their positions are their rows. `None` stands for a record whose bytes may not
    /// be matched (tombstoned, or not public): it keeps its row and matches nothing.
    ///
    /// Needs about 13 bytes of memory for each byte of text while it works.
    ///
    /// # Errors
    /// When bytes and records together exceed 2^31 - 1, a distance of `sampling` is not in 1..=65536, or
    /// the suffix sorter runs out of memory.
    pub fn build(records: &[Option<&[u8]>], sampling: Sampling) -> Result<Self, Error> {
        check_row_count(records.len())?;
        sampling.check()?;
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
        let suffixes = if text.is_empty() {
            Vec::new()
        } else {
            SuffixArrayConstruction::for_text(&text)
                .in_owned_buffer32()
                .single_threaded()
                .run()
                .map_err(|error| Error::SuffixArray(format!("{error:?}")))?
                .into_vec()
        };

        let length = text.len();
        let mut counts = [0; SYMBOLS];
        for symbol in &text {
            counts[usize::from(*symbol)] += 1;
        }
        let mut first = 0;
        let mut transform = Vec::with_capacity(length);
        let mut marks = vec![0; length.div_ceil(64)];
        let mut positions = Vec::with_capacity(sampling.position_count(length));
        let mut ranks = vec![0; sampling.rank_count(length)];
        for (rank, position) in suffixes.into_iter().enumerate() {
            let position = position as u32;
            transform.push(match position {
                0 => {
                    first = rank;
                    END
                }
                _ => text[position as usize - 1],
            });
            if position.is_multiple_of(sampling.positions) {
                marks[rank / 64] |= 1 << (rank % 64);
                positions.push(position / sampling.positions);
            }
            if position.is_multiple_of(sampling.ranks) {
                ranks[(position / sampling.ranks) as usize] = rank as u32;
            }
        }
        drop(text);
        let code_lengths = code_lengths(&counts);
        let shapes = Shapes::new(&counts, &code_lengths).expect("a Huffman code is complete");
        Ok(Self {
            sampling,
            length,
            starts,
            smaller: smaller(&counts),
            counts,
            code_lengths,
            transform: shapes.fill_from(transform),
            first,
            sampled: Bits::new(&marks, length),
            positions: Packed::new(&positions, positions.len() as u32),
            ranks: Packed::new(&ranks, length as u32),
        })
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
        self.length - self.starts.len()
    }

    /// How many bytes the distances between kept positions and ranks are.
    pub fn sampling(&self) -> Sampling {
        self.sampling
    }

    /// How often `pattern` occurs in the records, overlapping occurrences included. The empty pattern
    /// occurs nowhere.
    ///
    /// Takes two ranks of a symbol for each byte of the pattern.
    pub fn count(&self, pattern: &[u8]) -> usize {
        let (from, to) = self.search(pattern);
        to - from
    }

    /// At most `limit` places of `pattern`, in ascending order. When there are more, they are those
    /// whose records go on behind the pattern with the smallest bytes.
    ///
    /// # Errors
    /// When the index came from a file that contradicts itself.
    pub fn locate(&self, pattern: &[u8], limit: usize) -> Result<Vec<Place>, Error> {
        let (from, to) = self.search(pattern);
        let mut places = (from..to)
            .take(limit)
            .map(|rank| self.place(rank))
            .collect::<Result<Vec<_>, _>>()?;
        places.sort_unstable();
        Ok(places)
    }

    /// The bytes of record `row` in `range`. A record that was `None` has none.
    ///
    /// Takes as many steps as there are bytes, and those to the next kept rank.
    ///
    /// # Errors
    /// When there is no such record or it does not have the range, or when the index came from a file
    /// that contradicts itself.
    pub fn extract(&self, row: u32, range: std::ops::Range<u32>) -> Result<Vec<u8>, Error> {
        let bounds = self.record_bounds(row)?;
        let size = bounds.len() as u32;
        if range.start > range.end || range.end > size {
            return Err(Error::parameter(
                "range of bytes",
                format!("{}..{}", range.start, range.end),
                format!("ascending and within 0..{size}, the bytes of record {row}"),
            ));
        }
        let from = bounds.start + range.start as usize;
        let to = bounds.start + range.end as usize;
        let (mut position, mut rank) = self.rank_behind(to);
        let mut bytes = Vec::with_capacity(to - from);
        while position > from {
            let (symbol, before) = self.step_back(rank);
            (position, rank) = (position - 1, before);
            if position < to {
                let byte = symbol
                    .checked_sub(1)
                    .ok_or(Error::Contradictory("a record ends before its end"))?;
                bytes.push(byte as u8);
            }
        }
        bytes.reverse();
        Ok(bytes)
    }

    /// Number of bytes of record `row`.
    ///
    /// # Errors
    /// When there is no such record.
    pub fn record_length(&self, row: u32) -> Result<u32, Error> {
        Ok(self.record_bounds(row)?.len() as u32)
    }

    /// Checks by reading the whole text once that it hangs together and that each kept position and
    /// rank is right. Loading checks only that no search can go astray; this takes as long as
    /// extracting every record.
    ///
    /// # Errors
    /// When something is wrong.
    pub fn verify(&self) -> Result<(), Error> {
        let distance = self.sampling.ranks as usize;
        let count = self.sampling.rank_count(self.length);
        (0..count).into_par_iter().try_for_each(|index| {
            let end = ((index + 1) * distance).min(self.length - 1);
            let mut rank = self.rank_behind(end).1;
            for position in (index * distance..=end).rev() {
                let expected = (position % self.sampling.positions as usize == 0)
                    .then_some(position / self.sampling.positions as usize);
                if self.kept_position(rank) != expected {
                    return Err(Error::Contradictory("a kept position is wrong"));
                }
                if position == index * distance {
                    break;
                }
                let (symbol, before) = self.step_back(rank);
                let starts = self.starts.binary_search(&(position as u32)).is_ok();
                if (symbol == END) != starts {
                    return Err(Error::Contradictory(
                        "a record does not start where it should",
                    ));
                }
                rank = before;
            }
            if rank == self.ranks.get(index) as usize {
                Ok(())
            } else {
                Err(Error::Contradictory("a kept rank is wrong"))
            }
        })
    }

    /// The ranks of the suffixes that start with `pattern`, none if it is empty.
    fn search(&self, pattern: &[u8]) -> (usize, usize) {
        if pattern.is_empty() {
            return (0, 0);
        }
        let bytes = pattern.iter().rev();
        let mut interval = (0, self.length);
        for byte in bytes {
            interval = self.extend(interval, *byte);
            if interval.0 == interval.1 {
                break;
            }
        }
        interval
    }

    /// From the ranks of the suffixes that start with some bytes to those that start with `byte` before
    /// these.
    fn extend(&self, interval: (usize, usize), byte: u8) -> (usize, usize) {
        let symbol = symbol(byte);
        if self.counts[usize::from(symbol)] == 0 {
            return (0, 0);
        }
        let smaller = self.smaller[usize::from(symbol)];
        let (from, to) = self.transform.ranks(symbol, interval);
        (smaller + from, smaller + to)
    }

    /// From the rank of a suffix to the symbol before it and the rank of the suffix with it.
    fn step_back(&self, rank: usize) -> (u16, usize) {
        let (symbol, before) = self.transform.symbol(rank);
        if symbol != END {
            return (symbol, self.smaller[usize::from(symbol)] + before);
        }
        // The last end mark, which nothing follows, is the smallest suffix; it stands before the first
        // suffix. All others are ordered as what follows them.
        let rank = match rank.cmp(&self.first) {
            std::cmp::Ordering::Less => before + 1,
            std::cmp::Ordering::Equal => 0,
            std::cmp::Ordering::Greater => before,
        };
        (END, rank)
    }

    /// The position of the suffix at `rank` in units of the distance, if it is kept.
    fn kept_position(&self, rank: usize) -> Option<usize> {
        let (index, sampled) = self.sampled.rank(rank);
        sampled.then(|| self.positions.get(index) as usize)
    }

    /// The place of the suffix at `rank`.
    fn place(&self, rank: usize) -> Result<Place, Error> {
        let mut rank = rank;
        for steps in 0..self.sampling.positions as usize {
            let Some(kept) = self.kept_position(rank) else {
                rank = self.step_back(rank).1;
                continue;
            };
            let position = kept * self.sampling.positions as usize + steps;
            if position >= self.length {
                break;
            }
            let row = self
                .starts
                .partition_point(|start| *start as usize <= position)
                - 1;
            return Ok(Place {
                row: row as u32,
                offset: position as u32 - self.starts[row],
            });
        }
        Err(Error::Contradictory("a kept position is missing or wrong"))
    }

    /// The first position at or behind `position` whose rank is known, and that rank.
    fn rank_behind(&self, position: usize) -> (usize, usize) {
        let distance = self.sampling.ranks as usize;
        let index = position.div_ceil(distance);
        if index < self.sampling.rank_count(self.length) {
            (index * distance, self.ranks.get(index) as usize)
        } else {
            (self.length - 1, 0)
        }
    }

    /// Where a record's bytes stand in the text.
    fn record_bounds(&self, row: u32) -> Result<std::ops::Range<usize>, Error> {
        let index = row as usize;
        let Some(start) = self.starts.get(index) else {
            return Err(Error::parameter(
                "row",
                row,
                format!("below {}, the number of records", self.len()),
            ));
        };
        let next = self.starts.get(index + 1);
        let next = next.map_or(self.length, |next| *next as usize);
        Ok(*start as usize..next - 1)
    }
}

impl Sampling {
    fn check(&self) -> Result<(), Error> {
        for (name, distance) in [
            ("distance of kept positions", self.positions),
            ("distance of kept ranks", self.ranks),
        ] {
            if !(1..=MAX_DISTANCE).contains(&distance) {
                return Err(Error::parameter(
                    name,
                    distance,
                    format!("1..={MAX_DISTANCE}"),
                ));
            }
        }
        Ok(())
    }

    /// Positions kept of a text of `length` symbols.
    fn position_count(&self, length: usize) -> usize {
        length.div_ceil(self.positions as usize)
    }

    /// Ranks kept of a text of `length` symbols.
    fn rank_count(&self, length: usize) -> usize {
        length.div_ceil(self.ranks as usize)
    }
}

/// For each symbol how many smaller ones there are.
fn smaller(counts: &Counts) -> [usize; SYMBOLS] {
    let mut sum = 0;
    counts.map(|count| {
        let before = sum;
        sum += count as usize;
        before
    })
}

#[cfg(test)]
mod tests;
