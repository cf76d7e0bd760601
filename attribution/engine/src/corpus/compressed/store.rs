//! Compressed corpora in files.
//!
//! ```text
//! records u32 ‖ symbols u32 ‖ distance of positions u32 ‖ distance of ranks u32 ‖ first u32
//! ‖ starts [u32] ‖ counts [u32; 257] ‖ code lengths [u8; 257] ‖ bits of each node of the tree
//! ‖ bits of the sampled ranks ‖ positions [u64] ‖ ranks [u64]
//! ```
//!
//! Bits are their headers, the number of words of their code as `u32`, and these words.

use std::path::Path;

use super::{
    bits::Bits, check_row_count, smaller, stream::Packed, tree::Shapes, CompressedCorpus, Sampling,
    END, MAX_SYMBOLS, SYMBOLS,
};
use crate::{
    file::{self, Kind, Sink, Source},
    Error,
};

pub(super) const KIND: Kind = Kind {
    magic: *b"OLcmpcrp",
    version: 1,
    name: "compressed corpus",
};
const FIELDS: u64 = 5;

impl CompressedCorpus {
    /// Writes the corpus to a file, which appears only when it is complete. The file is as large as
    /// the corpus is in memory.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn save(&self, path: &Path) -> Result<(), Error> {
        file::write(path, &KIND, self.payload_length(), |sink| {
            sink.put_all(
                &[
                    self.len() as u32,
                    self.length as u32,
                    self.sampling.positions,
                    self.sampling.ranks,
                    self.first as u32,
                ],
                u32::to_le_bytes,
            )?;
            sink.put_all(&self.starts, u32::to_le_bytes)?;
            sink.put_all(&self.counts, u32::to_le_bytes)?;
            sink.put(&self.code_lengths)?;
            for bits in self.bit_vectors() {
                put_bits(sink, bits)?;
            }
            sink.put_all(self.positions.words(), u64::to_le_bytes)?;
            sink.put_all(self.ranks.words(), u64::to_le_bytes)
        })
    }

    /// Bytes that the corpus takes in memory and, but for a header and a checksum, in a file. The table
    /// of records is four bytes for each of them.
    pub fn size(&self) -> u64 {
        self.payload_length()
    }

    fn bit_vectors(&self) -> impl Iterator<Item = &Bits> {
        self.transform.nodes().chain([&self.sampled])
    }

    fn payload_length(&self) -> u64 {
        let numbers = FIELDS + self.starts.len() as u64 + SYMBOLS as u64;
        let bits = self
            .bit_vectors()
            .map(|bits| 8 * (bits.headers().len() + bits.code().len()) as u64 + 4)
            .sum::<u64>();
        let samples = 8 * (self.positions.words().len() + self.ranks.words().len()) as u64;
        4 * numbers + SYMBOLS as u64 + bits + samples
    }

    /// Reads a corpus. What it takes in is bounded, so that no question asked of it goes astray; that it
    /// is a text's index at all is what [`Self::verify`] checks.
    ///
    /// # Errors
    /// When the file cannot be read, is of another kind or version, damaged, or contradicts itself.
    pub fn load(path: &Path) -> Result<Self, Error> {
        let mut source = file::read(path, &KIND)?;
        let records = source.take_one(u32::from_le_bytes)? as usize;
        let length = source.take_one(u32::from_le_bytes)? as usize;
        let sampling = Sampling {
            positions: source.take_one(u32::from_le_bytes)?,
            ranks: source.take_one(u32::from_le_bytes)?,
        };
        let first = source.take_one(u32::from_le_bytes)? as usize;
        check_row_count(records).map_err(|error| source.malformed(error))?;
        sampling.check().map_err(|error| source.malformed(error))?;
        if length < records || length as u64 > MAX_SYMBOLS || (records == 0) != (length == 0) {
            return Err(source.malformed(format!("{length} symbols for {records} records")));
        }
        let starts = source.take_all(records, u32::from_le_bytes)?;
        let ascend = starts.windows(2).all(|pair| pair[0] < pair[1]);
        let bounded = starts.last().is_none_or(|last| (*last as usize) < length);
        if !ascend || !bounded || starts.first().is_some_and(|start| *start != 0) {
            return Err(source.malformed("the records' starts do not ascend from 0"));
        }
        let mut counts = [0; SYMBOLS];
        counts.copy_from_slice(&source.take_all(SYMBOLS, u32::from_le_bytes)?);
        let sum = counts.iter().map(|count| u64::from(*count)).sum::<u64>();
        if sum != length as u64 || counts[usize::from(END)] as usize != records {
            return Err(source.malformed("the counts are not those of the symbols"));
        }
        let mut code_lengths = [0; SYMBOLS];
        code_lengths.copy_from_slice(source.take(SYMBOLS)?);
        let shapes =
            Shapes::new(&counts, &code_lengths).map_err(|error| source.malformed(error))?;
        let bits = shapes
            .nodes()
            .map(|(length, ones)| take_bits(&mut source, length, ones))
            .collect::<Result<_, _>>()?;
        let transform = shapes.fill(bits);
        let position_count = sampling.position_count(length);
        let sampled = take_bits(&mut source, length, position_count)?;
        let positions = take_packed(&mut source, position_count, position_count as u32)?;
        let ranks = take_packed(&mut source, sampling.rank_count(length), length as u32)?;
        if length > 0 && (first >= length || transform.symbol(first).0 != END) {
            return Err(source.malformed("no record ends before the first one"));
        }
        source.finish()?;
        Ok(Self {
            sampling,
            length,
            starts,
            smaller: smaller(&counts),
            counts,
            code_lengths,
            transform,
            first,
            sampled,
            positions,
            ranks,
        })
    }
}

fn put_bits(sink: &mut Sink<'_>, bits: &Bits) -> std::io::Result<()> {
    sink.put_all(bits.headers(), u64::to_le_bytes)?;
    sink.put(&(bits.code().len() as u32).to_le_bytes())?;
    sink.put_all(bits.code(), u64::to_le_bytes)
}

/// Takes `length` bits, of which `ones` are set.
fn take_bits(source: &mut Source, length: usize, ones: usize) -> Result<Bits, Error> {
    let headers = source.take_all(Bits::header_words(length), u64::from_le_bytes)?;
    let count = source.take_one(u32::from_le_bytes)? as usize;
    let code = source.take_all(count, u64::from_le_bytes)?;
    Bits::from_words(length, headers, code)
        .filter(|bits| bits.ones() == ones)
        .ok_or_else(|| source.malformed(format!("{length} bits are not {ones} ones in their code")))
}

fn take_packed(source: &mut Source, count: usize, bound: u32) -> Result<Packed, Error> {
    let words = source.take_all(Packed::word_count(count, bound), u64::from_le_bytes)?;
    Packed::from_words(words, count, bound)
        .ok_or_else(|| source.malformed(format!("{count} numbers are not all below {bound}")))
}
