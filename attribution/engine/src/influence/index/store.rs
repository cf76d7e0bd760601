//! The file of an index.
//!
//! It is a container (see `crate::file`) whose payload, little-endian, is
//!
//! ```text
//! d u32 ‖ scale cap u16 ‖ smallest norm u64 ‖ largest norm u64 ‖ unit f64 ‖ rows u32
//! ‖ standings u32 each ‖ scales u16 ‖ vectors [i8; d], of each row of its own
//! ```
//!
//! with segments behind it, one for each time that rows were added, each from a multiple of 512 bytes
//! on, with zeros in between:
//!
//! ```text
//! magic [u8; 8] ‖ version u32 ‖ first row u32 ‖ payload length u64 ‖ BLAKE3 of the payload [u8; 32]
//! ‖ BLAKE3 of the header so far, its first 8 bytes
//! ‖ rows u32 ‖ standings u32 each ‖ scales u16 ‖ vectors [i8; d], of each row of its own
//! ```
//!
//! A header is written last and lies within one sector of a disk, so it is there whole or not at all.
//! Zeros in its place are an addition that was not finished: what stands behind them does not count. A
//! file that was cut where an addition begins is a sound index of fewer rows; its root tells.

use std::{ops::Range, path::Path, sync::Arc};

use attribution_proof::{bounds::MAX_DIMENSION, influence::norm_squared};

use super::{build::Rows, own_rows, Index, Vectors};
use crate::{
    duplicates::{check_row_count, Standing},
    file::{self, Kind, Mapped, Sink, Source, CHECKSUM_BYTES},
    influence::quantise::Quantisation,
    Error,
};

const KIND: Kind = Kind {
    magic: *b"OLinflu\0",
    version: 1,
    name: "influence index",
};
const SEGMENT_MAGIC: [u8; 8] = *b"OLinfadd";
const SEGMENT_VERSION: u32 = 1;
const SEGMENT_HEADER_BYTES: usize = 64;
const SEGMENT_ALIGNMENT: usize = 512;
/// How standings are written in files; smaller numbers are rows that a duplicate points to.
const OWN: u32 = u32::MAX;
const ABSENT: u32 = u32::MAX - 1;
/// Bytes of a payload before the standings.
const PRELUDE_BYTES: u64 = 4 + 2 + 8 + 8 + 8 + 4;

/// A file with vectors.
#[derive(Debug)]
pub(super) struct Stored {
    file: Mapped,
    dimension: usize,
    segments: Vec<Segment>,
    parts: Vec<Part>,
}

#[derive(Debug)]
struct Segment {
    payload: Range<usize>,
    checksum: [u8; CHECKSUM_BYTES],
}

/// Vectors that stand side by side.
#[derive(Debug)]
struct Part {
    /// The place of the first among the rows of their own.
    first: usize,
    bytes: Range<usize>,
}

impl Stored {
    pub(super) fn parts(&self) -> impl Iterator<Item = &[i8]> {
        self.parts
            .iter()
            .map(|part| bytemuck::cast_slice(&self.file.bytes()[part.bytes.clone()]))
    }

    pub(super) fn vector(&self, position: usize) -> &[i8] {
        let part = self.parts.partition_point(|part| part.first <= position) - 1;
        let Part { first, bytes } = &self.parts[part];
        let at = bytes.start + (position - first) * self.dimension;
        bytemuck::cast_slice(&self.file.bytes()[at..at + self.dimension])
    }

    /// Where the last complete row ends.
    fn end(&self) -> usize {
        self.segments
            .last()
            .map_or(self.file.end(), |segment| segment.payload.end)
    }

    /// The segment behind `end`, if there is one, and its first row.
    fn segment(&self, end: usize) -> Result<Option<(Segment, u32)>, Error> {
        let bytes = self.file.bytes();
        let start = end.next_multiple_of(SEGMENT_ALIGNMENT);
        let header_end = bytes.len().min(start + SEGMENT_HEADER_BYTES);
        let refuse = |offset, problem: String| Error::Header {
            path: self.file.path().to_owned(),
            offset,
            problem,
        };
        if let Some(at) = (end..start.min(header_end)).find(|at| bytes[*at] != 0) {
            let problem = "there must be zeros up to the next addition, fetch or build it again";
            return Err(refuse(at, problem.into()));
        }
        let header = bytes.get(start..header_end).unwrap_or_default();
        if header.iter().all(|byte| *byte == 0) {
            return Ok(None);
        }
        let Ok(header) = <&[u8; SEGMENT_HEADER_BYTES]>::try_from(header) else {
            return Err(Error::WrongLength {
                path: self.file.path().to_owned(),
                found: bytes.len() as u64,
                expected: (start + SEGMENT_HEADER_BYTES) as u64,
            });
        };
        if header[..8] != SEGMENT_MAGIC {
            let problem = format!(
                "no addition to an index starts with {:02x?}, fetch or build it again",
                &header[..8]
            );
            return Err(refuse(start, problem));
        }
        let short = |at| u32::from_le_bytes(std::array::from_fn(|i| header[at + i]));
        if short(8) != SEGMENT_VERSION {
            let problem = format!(
                "the addition has version {}, this build reads version {SEGMENT_VERSION}, build \
                 the index again",
                short(8)
            );
            return Err(refuse(start + 8, problem));
        }
        if header[56..] != blake3::hash(&header[..56]).as_bytes()[..8] {
            let problem = "it does not match its checksum, fetch or build the file again";
            return Err(refuse(start + 56, problem.into()));
        }
        let length = u64::from_le_bytes(std::array::from_fn(|i| header[16 + i]));
        let payload_end = usize::try_from(length)
            .ok()
            .and_then(|length| header_end.checked_add(length))
            .filter(|end| *end <= bytes.len());
        let Some(payload_end) = payload_end else {
            return Err(Error::WrongLength {
                path: self.file.path().to_owned(),
                found: bytes.len() as u64,
                expected: length.saturating_add(header_end as u64),
            });
        };
        let segment = Segment {
            payload: header_end..payload_end,
            checksum: std::array::from_fn(|i| header[24 + i]),
        };
        Ok(Some((segment, short(12))))
    }

    /// Compares what was added with its checksums.
    fn verify_segments(&self) -> Result<(), Error> {
        for Segment { payload, checksum } in &self.segments {
            let computed = blake3::hash(&self.file.bytes()[payload.clone()]);
            if computed.as_bytes() != checksum {
                return Err(Error::Section {
                    path: self.file.path().to_owned(),
                    section: "addition",
                    start: payload.start,
                    end: payload.end,
                });
            }
        }
        Ok(())
    }
}

fn segment_header(
    first: u32,
    length: u64,
    checksum: [u8; CHECKSUM_BYTES],
) -> [u8; SEGMENT_HEADER_BYTES] {
    let mut bytes = Vec::with_capacity(SEGMENT_HEADER_BYTES);
    bytes.extend(SEGMENT_MAGIC);
    bytes.extend(SEGMENT_VERSION.to_le_bytes());
    bytes.extend(first.to_le_bytes());
    bytes.extend(length.to_le_bytes());
    bytes.extend(checksum);
    let own = blake3::hash(&bytes);
    bytes.extend(&own.as_bytes()[..8]);
    std::array::from_fn(|i| bytes[i])
}

fn put_standings(sink: &mut Sink<'_>, standings: &[Standing]) -> std::io::Result<()> {
    sink.put(&(standings.len() as u32).to_le_bytes())?;
    sink.put_all(standings, |standing| match standing {
        Standing::Own => OWN.to_le_bytes(),
        Standing::Absent => ABSENT.to_le_bytes(),
        Standing::DuplicateOf(first) => first.to_le_bytes(),
    })
}

/// Adds rows to an index that has `first` ones.
pub(super) fn append(
    path: &Path,
    first: usize,
    terms: &Quantisation,
    unit: f64,
    rows: &Rows,
) -> Result<(), Error> {
    let file = file::open_to_append(path)?;
    let (there, stored) = Index::read(path, false)?;
    let same = there.quantisation == *terms && there.unit.to_bits() == unit.to_bits();
    if !same || there.len() != first {
        return Err(Error::parameter(
            "index to add rows to",
            format!("another one, of {} rows, by now", there.len()),
            "the one that the extension was started from: start from what is there now",
        ));
    }
    let end = stored.end();
    let length = 4
        + 4 * rows.standings.len() as u64
        + 2 * rows.scales.len() as u64
        + rows.vectors.len() as u64;
    file::append(
        &file,
        path,
        end as u64,
        end.next_multiple_of(SEGMENT_ALIGNMENT) as u64,
        |sink| {
            put_standings(sink, &rows.standings)?;
            sink.put_all(&rows.scales, u16::to_le_bytes)?;
            sink.put(bytemuck::cast_slice(&rows.vectors))
        },
        |checksum| segment_header(first as u32, length, checksum),
    )
}

impl Index {
    /// Writes the index to a file, which appears only when it is complete.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn save(&self, path: &Path) -> Result<(), Error> {
        let own = self.own.len() as u64;
        let length = PRELUDE_BYTES
            + 4 * self.len() as u64
            + own * (2 + u64::from(self.quantisation.dimension));
        file::write(path, &KIND, length, |sink| {
            sink.put(&self.quantisation.dimension.to_le_bytes())?;
            sink.put(&self.quantisation.scale_cap.to_le_bytes())?;
            sink.put(&self.quantisation.norm_minimum.to_le_bytes())?;
            sink.put(&self.quantisation.norm_maximum.to_le_bytes())?;
            sink.put(&self.unit.to_le_bytes())?;
            put_standings(sink, &self.standings)?;
            sink.put_all(&self.scales, u16::to_le_bytes)?;
            for part in self.vectors() {
                sink.put(bytemuck::cast_slice(part))?;
            }
            Ok(())
        })
    }

    /// Reads an index into memory and checks everything, as [`Self::verify`].
    ///
    /// # Errors
    /// When the file cannot be read, is of another kind or version, damaged, or contradicts itself.
    pub fn load(path: &Path) -> Result<Self, Error> {
        let (mut index, _) = Self::read(path, true)?;
        index.vectors = Vectors::Memory(index.vectors().collect::<Vec<_>>().concat());
        Ok(index)
    }

    /// Opens an index whose vectors are read where they lie in the file, which must stay as it is but
    /// for rows that are added. Reads six bytes a row.
    ///
    /// Checks kind, version, lengths, standings and scales. The vectors are left to [`Self::verify`]:
    /// wrong ones lead to wrong scores and to nothing worse.
    ///
    /// # Errors
    /// As [`Self::load`], but for the vectors.
    pub fn open(path: &Path) -> Result<Self, Error> {
        Ok(Self::read(path, false)?.0)
    }

    /// Compares the file of an index that was opened with its checksums, and its vectors with its
    /// terms. An index in memory has been checked when it got there.
    ///
    /// # Errors
    /// When the file was damaged or contradicts itself.
    pub fn verify(&self) -> Result<(), Error> {
        let Vectors::File(stored) = &self.vectors else {
            return Ok(());
        };
        stored.file.verify()?;
        stored.verify_segments()?;
        self.check_vectors(stored)
    }

    fn check_vectors(&self, stored: &Stored) -> Result<(), Error> {
        let band = self.quantisation.norm_minimum..=self.quantisation.norm_maximum;
        for part in &stored.parts {
            let source = stored.file.source(part.bytes.clone());
            let vectors: &[i8] = bytemuck::cast_slice(&stored.file.bytes()[part.bytes.clone()]);
            let rows = &self.own[part.first..];
            for (at, (row, vector)) in rows
                .iter()
                .zip(vectors.chunks_exact(stored.dimension))
                .enumerate()
            {
                let problem = if vector.contains(&i8::MIN) {
                    format!("row {row} holds the value -128")
                } else if !band.contains(&norm_squared(vector)) {
                    format!("the norm of row {row} is outside its band")
                } else {
                    continue;
                };
                return Err(source.malformed_at(at * stored.dimension, problem));
            }
        }
        Ok(())
    }

    fn read(path: &Path, verify: bool) -> Result<(Self, Arc<Stored>), Error> {
        let file = Mapped::open(path, &KIND)?;
        if verify {
            // First of all: what was damaged should be called so.
            file.verify()?;
        }
        let mut source = file.source(file.payload());
        let quantisation = Quantisation {
            dimension: source.take_one(u32::from_le_bytes)?,
            scale_cap: source.take_one(u16::from_le_bytes)?,
            norm_minimum: source.take_one(u64::from_le_bytes)?,
            norm_maximum: source.take_one(u64::from_le_bytes)?,
        };
        // Checked before anything is sized by it.
        if quantisation.dimension > MAX_DIMENSION {
            return Err(source.malformed(format!("dimension {}", quantisation.dimension)));
        }
        quantisation
            .check()
            .map_err(|error| source.malformed(error))?;
        let unit = source.take_one(f64::from_le_bytes)?;
        if !(unit > 0.0 && unit.is_finite()) {
            return Err(source.malformed(format!("unit {unit}")));
        }
        let dimension = quantisation.dimension as usize;
        let mut standings = Vec::new();
        let mut scales = Vec::new();
        let mut parts = vec![read_rows(
            source,
            file.payload(),
            &quantisation,
            &mut standings,
            &mut scales,
        )?];
        let mut stored = Stored {
            file,
            dimension,
            segments: Vec::new(),
            parts: Vec::new(),
        };
        while let Some((segment, first)) = stored.segment(stored.end())? {
            let payload = segment.payload.clone();
            let source = stored.file.source(payload.clone());
            if first as usize != standings.len() {
                return Err(source.malformed(format!(
                    "rows from {first} on were added to {} rows",
                    standings.len()
                )));
            }
            parts.push(read_rows(
                source,
                payload,
                &quantisation,
                &mut standings,
                &mut scales,
            )?);
            stored.segments.push(segment);
        }
        stored.parts = parts;
        let stored = Arc::new(stored);
        let index = Self {
            quantisation,
            unit,
            own: own_rows(&standings),
            standings,
            scales,
            vectors: Vectors::File(stored.clone()),
        };
        if verify {
            stored.verify_segments()?;
            index.check_vectors(&stored)?;
        }
        Ok((index, stored))
    }
}

/// Reads standings and scales of the rows that come after those which are there, and says where their
/// vectors are. `source` is at their number; `payload` is where in the file it ends.
fn read_rows(
    mut source: Source<&[u8]>,
    payload: Range<usize>,
    terms: &Quantisation,
    standings: &mut Vec<Standing>,
    scales: &mut Vec<u16>,
) -> Result<Part, Error> {
    let rows = source.take_one(u32::from_le_bytes)? as usize;
    let first_row = standings.len();
    check_row_count(first_row + rows).map_err(|error| source.malformed(error))?;
    standings.extend(
        source.take_all(rows, |bytes| match u32::from_le_bytes(bytes) {
            OWN => Standing::Own,
            ABSENT => Standing::Absent,
            first => Standing::DuplicateOf(first),
        })?,
    );
    let added = (first_row..).zip(&standings[first_row..]);
    let forward = added.clone().find(|(row, standing)| {
        matches!(standing, Standing::DuplicateOf(first) if *first as usize >= *row)
    });
    if let Some((row, _)) = forward {
        return Err(source.malformed(format!("row {row}, a duplicate, points forward")));
    }
    let own = added.filter(|(_, standing)| **standing == Standing::Own);
    let own = own.map(|(row, _)| row).collect::<Vec<_>>();
    let first = scales.len();
    scales.extend(source.take_all(own.len(), u16::from_le_bytes)?);
    let bad = scales[first..]
        .iter()
        .position(|scale| *scale == 0 || *scale > terms.scale_cap);
    if let Some(at) = bad {
        return Err(source.malformed(format!(
            "the scale of row {} is outside its bounds",
            own[at]
        )));
    }
    let length = own.len() * terms.dimension as usize;
    source.take(length)?;
    source.finish()?;
    Ok(Part {
        first,
        bytes: payload.end - length..payload.end,
    })
}
