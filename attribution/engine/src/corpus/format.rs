//! The file of an index.
//!
//! ```text
//! magic [u8; 8] ‖ version u32 ‖ byte order u32 ‖ token bytes u32 ‖ separator u32
//! ‖ rows u64 ‖ records that are not empty u64 ‖ tokens u64
//! ‖ BLAKE3 of text, suffixes, keys, minima, rows [u8; 32] each
//! ‖ zeros up to byte 224 ‖ BLAKE3 of all bytes before it
//! ‖ text ‖ suffixes u32 ‖ keys u128 ‖ minima u32 ‖ rows u32, each from a multiple of 64 bytes on
//! ```
//!
//! Numbers are in the byte order of the machine that wrote them, so that a file can be used where it
//! lies; the second number of the header tells which that was. Opening verifies the header and the
//! file's length. The sections' checksums are for [`verify`], which reads everything.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, BufWriter, Read, Seek, SeekFrom, Write},
    ops::Range,
    path::{Path, PathBuf},
};

use memmap2::Mmap;

use super::{keys, map::map, minima, token::Token};
use crate::{
    duplicates::check_row_count,
    file::{partial_name, publish},
    Error,
};

const MAGIC: [u8; 8] = *b"OLcorpus";
const NAME: &str = "text index";
const VERSION: u32 = 2;
const BYTE_ORDER: u32 = 0x0102_0304;
const HEADER_BYTES: usize = 256;
const CHECKSUM_BYTES: usize = 32;
/// Where the header's own checksum stands.
const HEADER_CHECKSUM: usize = HEADER_BYTES - CHECKSUM_BYTES;
const ALIGNMENT: u64 = 64;
/// Positions are 32 bits wide.
pub(super) const MAX_TOKENS: u64 = u32::MAX as u64;

/// The sections, in the order of the file.
pub(super) const TEXT: usize = 0;
pub(super) const SUFFIXES: usize = 1;
pub(super) const KEYS: usize = 2;
pub(super) const MINIMA: usize = 3;
pub(super) const ROWS: usize = 4;
const SECTIONS: [&str; 5] = ["text", "suffixes", "keys", "minima", "rows"];

/// What the header says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Header {
    pub(super) token_bytes: u32,
    pub(super) separator: u32,
    pub(super) records: u64,
    /// Records that are not empty.
    pub(super) present: u64,
    /// Ends of records included.
    pub(super) tokens: u64,
    pub(super) checksums: [[u8; CHECKSUM_BYTES]; SECTIONS.len()],
}

impl Header {
    fn encode(&self) -> [u8; HEADER_BYTES] {
        let mut bytes = Vec::with_capacity(HEADER_BYTES);
        bytes.extend(MAGIC);
        for number in [VERSION, BYTE_ORDER, self.token_bytes, self.separator] {
            bytes.extend(number.to_ne_bytes());
        }
        for number in [self.records, self.present, self.tokens] {
            bytes.extend(number.to_ne_bytes());
        }
        bytes.extend(self.checksums.as_flattened());
        let mut header = [0; HEADER_BYTES];
        header[..bytes.len()].copy_from_slice(&bytes);
        let checksum = blake3::hash(&header[..HEADER_CHECKSUM]);
        header[HEADER_CHECKSUM..].copy_from_slice(checksum.as_bytes());
        header
    }

    /// Reads and checks the header of an open file.
    fn read(path: &Path, file: &mut File) -> Result<Self, Error> {
        let failed = read_failed(path);
        let found = file.metadata().map_err(failed)?.len();
        let have = usize::try_from(found).map_or(HEADER_BYTES, |found| found.min(HEADER_BYTES));
        let mut bytes = [0; HEADER_BYTES];
        file.read_exact(&mut bytes[..have]).map_err(failed)?;
        if have < MAGIC.len() || bytes[..MAGIC.len()] != MAGIC {
            return Err(Error::WrongKind {
                path: path.to_owned(),
                expected: NAME,
                found: bytes[..have.min(MAGIC.len())].to_vec(),
            });
        }
        let wrong_length = |expected| Error::WrongLength {
            path: path.to_owned(),
            found,
            expected,
        };
        if have < HEADER_BYTES {
            return Err(wrong_length(HEADER_BYTES as u64));
        }
        let refuse = |offset, problem: String| Error::Header {
            path: path.to_owned(),
            offset,
            problem,
        };
        let short = |at: usize| bytemuck::pod_read_unaligned::<u32>(&bytes[at..at + 4]);
        let long = |at: usize| bytemuck::pod_read_unaligned::<u64>(&bytes[at..at + 8]);
        let (version, order) = (short(8), short(12));
        if order == BYTE_ORDER.swap_bytes() {
            let problem =
                "the file was written on a machine of the other byte order, build it here";
            return Err(refuse(12, problem.into()));
        }
        if version != VERSION {
            return Err(Error::WrongVersion {
                path: path.to_owned(),
                found: version,
                supported: VERSION,
            });
        }
        if order != BYTE_ORDER {
            let problem = format!("{order:08x} is no byte order, fetch or build the file again");
            return Err(refuse(12, problem));
        }
        if blake3::hash(&bytes[..HEADER_CHECKSUM]).as_bytes()[..] != bytes[HEADER_CHECKSUM..] {
            let problem = "it does not match its checksum, fetch or build the file again";
            return Err(refuse(HEADER_CHECKSUM, problem.into()));
        }
        let header = Self {
            token_bytes: short(16),
            separator: short(20),
            records: long(24),
            present: long(32),
            tokens: long(40),
            checksums: std::array::from_fn(|section| {
                let start = 48 + section * CHECKSUM_BYTES;
                bytemuck::pod_read_unaligned(&bytes[start..start + CHECKSUM_BYTES])
            }),
        };
        if !matches!(header.token_bytes, 1 | 2 | 4) {
            let problem = format!("tokens of {} bytes", header.token_bytes);
            return Err(refuse(16, problem));
        }
        let records = usize::try_from(header.records).unwrap_or(usize::MAX);
        check_row_count(records).map_err(|error| refuse(24, error.to_string()))?;
        let Self {
            present, tokens, ..
        } = header;
        // Each of them has a token and an end.
        let enough = present <= tokens / 2 && (present > 0 || tokens == 0);
        if present > header.records || !enough || tokens > MAX_TOKENS {
            let problem = format!("{tokens} tokens for {present} of {records} records");
            return Err(refuse(32, problem));
        }
        let expected = header.layout().length;
        if found != expected {
            return Err(wrong_length(expected));
        }
        Ok(header)
    }

    fn layout(&self) -> Layout {
        let tokens = self.tokens as usize;
        let lengths = [
            self.tokens * u64::from(self.token_bytes),
            self.tokens * 4,
            keys::count(tokens) as u64 * 16,
            minima::count(tokens) as u64 * 4,
            self.present * 4,
        ];
        let mut length = HEADER_BYTES as u64;
        let sections = lengths.map(|section| {
            let start = length.next_multiple_of(ALIGNMENT);
            length = start + section;
            start..length
        });
        Layout { sections, length }
    }
}

/// Where the sections stand.
struct Layout {
    sections: [Range<u64>; SECTIONS.len()],
    length: u64,
}

fn read_failed(path: &Path) -> impl Fn(io::Error) -> Error + Copy + '_ {
    |source| Error::Io {
        action: "read",
        path: path.to_owned(),
        source,
    }
}

/// The header of the file at `path`.
pub(super) fn header(path: &Path) -> Result<Header, Error> {
    let mut file = File::open(path).map_err(read_failed(path))?;
    Header::read(path, &mut file)
}

/// An index in a file.
pub(super) struct Mapped {
    pub(super) path: PathBuf,
    pub(super) header: Header,
    sections: [Range<usize>; SECTIONS.len()],
    map: Mmap,
}

impl Mapped {
    /// Maps a file whose tokens are of type `T`.
    pub(super) fn open<T: Token>(path: &Path) -> Result<Self, Error> {
        let failed = read_failed(path);
        let mut file = File::open(path).map_err(failed)?;
        let header = Header::read(path, &mut file)?;
        let refuse = |offset, problem| Error::Header {
            path: path.to_owned(),
            offset,
            problem,
        };
        if header.token_bytes as usize != size_of::<T>() {
            let (found, expected) = (header.token_bytes, size_of::<T>());
            let problem = format!("tokens of {found} bytes where {expected} are expected");
            return Err(refuse(16, problem));
        }
        if T::from_number(header.separator as usize).is_none() {
            let problem = format!("{} is no {}-byte token", header.separator, size_of::<T>());
            return Err(refuse(20, problem));
        }
        let map = map(&file).map_err(failed)?;
        let Layout { sections, length } = header.layout();
        // The length was right when the header was read; what counts is what is mapped.
        if map.len() as u64 != length {
            return Err(Error::WrongLength {
                path: path.to_owned(),
                found: map.len() as u64,
                expected: length,
            });
        }
        Ok(Self {
            path: path.to_owned(),
            header,
            sections: sections.map(|section| section.start as usize..section.end as usize),
            map,
        })
    }

    /// The numbers of a section.
    #[inline]
    pub(super) fn section<N: bytemuck::Pod>(&self, section: usize) -> &[N] {
        bytemuck::cast_slice(&self.map[self.sections[section].clone()])
    }

    /// Compares all sections with their checksums.
    pub(super) fn verify(&self) -> Result<(), Error> {
        let sections = SECTIONS
            .iter()
            .zip(&self.sections)
            .zip(&self.header.checksums);
        for ((name, range), checksum) in sections {
            if blake3::hash(&self.map[range.clone()]).as_bytes() != checksum {
                return Err(Error::Section {
                    path: self.path.clone(),
                    section: name,
                    start: range.start,
                    end: range.end,
                });
            }
        }
        Ok(())
    }
}

/// An index being written. It gets its name when it is complete, and leaves nothing behind otherwise.
pub(super) struct Writer {
    path: PathBuf,
    partial: PathBuf,
    header: Header,
    sections: Vec<Section>,
}

/// A section being written.
pub(super) struct Section {
    out: BufWriter<File>,
    hasher: blake3::Hasher,
    left: u64,
}

impl Section {
    /// Appends numbers.
    pub(super) fn put<N: bytemuck::Pod>(&mut self, numbers: &[N]) -> io::Result<()> {
        let bytes = bytemuck::cast_slice(numbers);
        self.hasher.update(bytes);
        self.left = self.left.saturating_sub(bytes.len() as u64);
        self.out.write_all(bytes)
    }
}

impl Writer {
    /// For an index of that many records, of which so many are not empty, and tokens, ends of records
    /// included.
    pub(super) fn create<T: Token>(
        path: &Path,
        separator: T,
        records: usize,
        present: usize,
        tokens: usize,
    ) -> Result<Self, Error> {
        let header = Header {
            token_bytes: size_of::<T>() as u32,
            separator: separator.into(),
            records: records as u64,
            present: present as u64,
            tokens: tokens as u64,
            checksums: Default::default(),
        };
        let mut writer = Self {
            path: path.to_owned(),
            partial: partial_name(path),
            header,
            sections: Vec::new(),
        };
        let opened = writer.open_sections();
        opened.map_err(|source| writer.failed(source))?;
        Ok(writer)
    }

    fn open_sections(&mut self) -> io::Result<()> {
        let Layout { sections, length } = self.header.layout();
        File::create(&self.partial)?.set_len(length)?;
        for range in sections {
            let mut file = OpenOptions::new().write(true).open(&self.partial)?;
            file.seek(SeekFrom::Start(range.start))?;
            self.sections.push(Section {
                out: BufWriter::with_capacity(1 << 20, file),
                hasher: blake3::Hasher::new(),
                left: range.end - range.start,
            });
        }
        Ok(())
    }

    /// One of the sections.
    #[inline]
    pub(super) fn section(&mut self, section: usize) -> &mut Section {
        &mut self.sections[section]
    }

    /// An error of this file.
    pub(super) fn failed(&self, source: io::Error) -> Error {
        Error::Io {
            action: "write",
            path: self.path.clone(),
            source,
        }
    }

    /// Completes the file and gives it its name.
    pub(super) fn finish(mut self) -> Result<(), Error> {
        self.complete().map_err(|source| self.failed(source))
    }

    fn complete(&mut self) -> io::Result<()> {
        for (section, checksum) in self.sections.iter_mut().zip(&mut self.header.checksums) {
            debug_assert_eq!(section.left, 0);
            section.out.flush()?;
            *checksum = *section.hasher.finalize().as_bytes();
        }
        let mut file = OpenOptions::new().write(true).open(&self.partial)?;
        file.write_all(&self.header.encode())?;
        file.sync_all()?;
        publish(&self.partial, &self.path)
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        // Gone already when all went well; otherwise a leftover is harmless.
        let _ = fs::remove_file(&self.partial);
    }
}
