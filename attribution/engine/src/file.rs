//! The container of the engine's files: kind, version, length, payload, checksum.
//!
//! ```text
//! magic [u8; 8] ‖ version u32 ‖ payload length u64 ‖ payload ‖ BLAKE3 of all bytes before it
//! ```
//!
//! Integers are little-endian. A file appears under its name only when it is complete and on disk,
//! so an interrupted build never leaves half an index that looks whole. The checksum detects damage;
//! it is no signature, so readers still bounds-check what they parse.

use std::{
    fs::{self, File, OpenOptions},
    io::{BufWriter, Read, Seek, SeekFrom, Write},
    ops::Range,
    path::{Path, PathBuf},
};

use memmap2::Mmap;

use crate::Error;

const HEADER_BYTES: usize = 20;
pub(crate) const CHECKSUM_BYTES: usize = 32;

/// A kind of file.
pub(crate) struct Kind {
    /// The first eight bytes.
    pub(crate) magic: [u8; 8],
    /// The version that is written, and the only one that is read.
    pub(crate) version: u32,
    /// Its name in messages.
    pub(crate) name: &'static str,
}

/// Writes a file of `kind`. `payload` must write exactly `length` bytes.
pub(crate) fn write(
    path: &Path,
    kind: &Kind,
    length: u64,
    payload: impl FnOnce(&mut Sink<'_>) -> std::io::Result<()>,
) -> Result<(), Error> {
    replace(path, |out| {
        let mut sink = Sink::new(out);
        sink.put(&kind.magic)?;
        sink.put(&kind.version.to_le_bytes())?;
        sink.put(&length.to_le_bytes())?;
        payload(&mut sink)?;
        debug_assert_eq!(sink.written, HEADER_BYTES as u64 + length);
        let checksum = sink.hasher.finalize();
        out.write_all(checksum.as_bytes())
    })
}

/// Writes a file that appears under its name only when it is complete and on disk.
pub(crate) fn replace(
    path: &Path,
    contents: impl FnOnce(&mut BufWriter<File>) -> std::io::Result<()>,
) -> Result<(), Error> {
    let partial = partial_name(path);
    let written = write_partial(&partial, contents).and_then(|()| publish(&partial, path));
    written.map_err(|source| {
        // The first error is the one to report; a partial file that cannot be removed is harmless.
        let _ = fs::remove_file(&partial);
        Error::Io {
            action: "write",
            path: path.to_owned(),
            source,
        }
    })
}

fn write_partial(
    partial: &Path,
    contents: impl FnOnce(&mut BufWriter<File>) -> std::io::Result<()>,
) -> std::io::Result<()> {
    let mut out = BufWriter::with_capacity(1 << 20, File::create(partial)?);
    contents(&mut out)?;
    out.into_inner()
        .map_err(|error| error.into_error())?
        .sync_all()
}

/// The name of a file while it is being written.
pub(crate) fn partial_name(path: &Path) -> PathBuf {
    let mut partial = path.as_os_str().to_owned();
    partial.push(format!(".{}.partial", std::process::id()));
    partial.into()
}

/// Gives a file that is complete and on disk its name, durably.
pub(crate) fn publish(partial: &Path, path: &Path) -> std::io::Result<()> {
    fs::rename(partial, path)?;
    sync_parent(path)
}

/// Makes the new name durable.
fn sync_parent(path: &Path) -> std::io::Result<()> {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => File::open(parent)?.sync_all(),
        _ => File::open(".")?.sync_all(),
    }
}

/// Adds `header ‖ payload` from byte `at` of a file on, which is where what it holds ends but for less
/// than a page of zeros. `header` is given the payload's BLAKE3.
///
/// The header is written last, and only when everything behind it is on disk: until then there are
/// zeros in its place. What fails on the way leaves the first `end` bytes as they are.
pub(crate) fn append<const N: usize>(
    file: &File,
    path: &Path,
    end: u64,
    at: u64,
    payload: impl FnOnce(&mut Sink<'_>) -> std::io::Result<()>,
    header: impl FnOnce([u8; CHECKSUM_BYTES]) -> [u8; N],
) -> Result<(), Error> {
    let attempt = || {
        // Also drops what an earlier attempt that was killed has left there.
        file.set_len(end)?;
        file.set_len(at + N as u64)?;
        let mut out = BufWriter::with_capacity(1 << 20, file.try_clone()?);
        out.seek(SeekFrom::Start(at + N as u64))?;
        let mut sink = Sink::new(&mut out);
        payload(&mut sink)?;
        let checksum = sink.hasher.finalize();
        let mut file = out.into_inner().map_err(|error| error.into_error())?;
        file.sync_all()?;
        file.seek(SeekFrom::Start(at))?;
        file.write_all(&header(*checksum.as_bytes()))?;
        file.sync_all()
    };
    attempt().map_err(|source| {
        // The first error is the one to report; what stays behind has zeros for a header.
        let _ = file.set_len(end);
        Error::Io {
            action: "append to",
            path: path.to_owned(),
            source,
        }
    })
}

/// Opens a file to append to and keeps other writers of this kind away from it until it is closed.
pub(crate) fn open_to_append(path: &Path) -> Result<File, Error> {
    let open = || {
        let file = OpenOptions::new().read(true).write(true).open(path)?;
        file.try_lock()?;
        Ok(file)
    };
    open().map_err(|source| Error::Io {
        action: "append to",
        path: path.to_owned(),
        source,
    })
}

/// Where a payload is written to.
pub(crate) struct Sink<'a> {
    out: &'a mut BufWriter<File>,
    hasher: blake3::Hasher,
    written: u64,
}

impl<'a> Sink<'a> {
    fn new(out: &'a mut BufWriter<File>) -> Self {
        Self {
            out,
            hasher: blake3::Hasher::new(),
            written: 0,
        }
    }

    /// Appends bytes.
    pub(crate) fn put(&mut self, bytes: &[u8]) -> std::io::Result<()> {
        self.hasher.update(bytes);
        self.written += bytes.len() as u64;
        self.out.write_all(bytes)
    }

    /// Appends the little-endian bytes of many numbers.
    pub(crate) fn put_all<T: Copy, const N: usize>(
        &mut self,
        values: &[T],
        encode: fn(T) -> [u8; N],
    ) -> std::io::Result<()> {
        let mut buffer = Vec::with_capacity(N * values.len().min(1 << 16));
        for chunk in values.chunks(1 << 16) {
            buffer.clear();
            buffer.extend(chunk.iter().flat_map(|value| encode(*value)));
            self.put(&buffer)?;
        }
        Ok(())
    }
}

fn read_failed(path: &Path) -> impl Fn(std::io::Error) -> Error + Copy + '_ {
    |source| Error::Io {
        action: "read",
        path: path.to_owned(),
        source,
    }
}

/// Opens a file and reads its header: the file, its header, its length and the length that the header
/// promises.
fn open(path: &Path, kind: &Kind) -> Result<(File, [u8; HEADER_BYTES], u64, u64), Error> {
    let failed = read_failed(path);
    let mut file = File::open(path).map_err(failed)?;
    let found = file.metadata().map_err(failed)?.len();
    let mut header = [0; HEADER_BYTES];
    let have = usize::try_from(found).map_or(HEADER_BYTES, |found| found.min(HEADER_BYTES));
    file.read_exact(&mut header[..have]).map_err(failed)?;
    if have < kind.magic.len() || header[..8] != kind.magic {
        let found = header[..have.min(8)].to_vec();
        return Err(Error::WrongKind {
            path: path.to_owned(),
            expected: kind.name,
            found,
        });
    }
    if have < HEADER_BYTES {
        let expected = (HEADER_BYTES + CHECKSUM_BYTES) as u64;
        return Err(Error::WrongLength {
            path: path.to_owned(),
            found,
            expected,
        });
    }
    let [.., v0, v1, v2, v3, l0, l1, l2, l3, l4, l5, l6, l7] = header;
    let version = u32::from_le_bytes([v0, v1, v2, v3]);
    if version == kind.version.swap_bytes() {
        return Err(Error::Header {
            path: path.to_owned(),
            offset: kind.magic.len(),
            problem: "its numbers have the most significant byte first, where the format has it \
                      last: build the file again with this program"
                .into(),
        });
    }
    if version != kind.version {
        return Err(Error::WrongVersion {
            path: path.to_owned(),
            found: version,
            supported: kind.version,
        });
    }
    let length = u64::from_le_bytes([l0, l1, l2, l3, l4, l5, l6, l7]);
    let expected = length.saturating_add((HEADER_BYTES + CHECKSUM_BYTES) as u64);
    Ok((file, header, found, expected))
}

/// Reads a file of `kind` and verifies length and checksum.
pub(crate) fn read(path: &Path, kind: &Kind) -> Result<Source, Error> {
    let (mut file, header, found, expected) = open(path, kind)?;
    let wrong_length = |found| Error::WrongLength {
        path: path.to_owned(),
        found,
        expected,
    };
    // Checked before anything is allocated: a forged length must not ask for a terabyte.
    if found != expected {
        return Err(wrong_length(found));
    }
    let mut bytes = Vec::new();
    file.read_to_end(&mut bytes).map_err(read_failed(path))?;
    let rest = bytes.len() as u64 + HEADER_BYTES as u64;
    if rest != expected {
        return Err(wrong_length(rest));
    }
    let checksum = bytes.split_off(bytes.len() - CHECKSUM_BYTES);
    let computed = blake3::Hasher::new()
        .update(&header)
        .update(&bytes)
        .finalize();
    if computed.as_bytes()[..] != checksum[..] {
        return Err(Error::Checksum {
            path: path.to_owned(),
        });
    }
    Ok(Source {
        path: path.to_owned(),
        bytes,
        origin: 0,
        at: 0,
    })
}

/// A file that starts with a container, in memory without having been read.
#[derive(Debug)]
pub(crate) struct Mapped {
    path: PathBuf,
    map: Mmap,
    /// Where the container ends.
    end: usize,
}

impl Mapped {
    /// Maps a file of `kind`, which may be longer than its header says: the rest is for the caller to
    /// judge. The checksum is left to [`Self::verify`].
    pub(crate) fn open(path: &Path, kind: &Kind) -> Result<Self, Error> {
        let (file, _, _, expected) = open(path, kind)?;
        let map = map(&file).map_err(read_failed(path))?;
        // What counts is what is mapped, whatever the length was before.
        let end = usize::try_from(expected)
            .ok()
            .filter(|end| *end <= map.len());
        let Some(end) = end else {
            return Err(Error::WrongLength {
                path: path.to_owned(),
                found: map.len() as u64,
                expected,
            });
        };
        Ok(Self {
            path: path.to_owned(),
            map,
            end,
        })
    }

    /// Its name.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// All of its bytes.
    pub(crate) fn bytes(&self) -> &[u8] {
        &self.map
    }

    /// Where the payload of the container stands.
    pub(crate) fn payload(&self) -> Range<usize> {
        HEADER_BYTES..self.end - CHECKSUM_BYTES
    }

    /// Where the container ends.
    pub(crate) fn end(&self) -> usize {
        self.end
    }

    /// Bytes to be parsed, with errors at offsets into the payload of the container, or as if that
    /// went on behind it.
    pub(crate) fn source(&self, range: Range<usize>) -> Source<&[u8]> {
        Source {
            path: self.path.clone(),
            origin: range.start - HEADER_BYTES,
            bytes: &self.map[range],
            at: 0,
        }
    }

    /// Compares the container with its checksum.
    pub(crate) fn verify(&self) -> Result<(), Error> {
        let (contents, checksum) = self.map[..self.end].split_at(self.end - CHECKSUM_BYTES);
        if blake3::hash(contents).as_bytes()[..] != *checksum {
            return Err(Error::Checksum {
                path: self.path.clone(),
            });
        }
        Ok(())
    }
}

#[allow(unsafe_code)]
fn map(file: &File) -> std::io::Result<Mmap> {
    // SAFETY: the map is only ever seen as bytes, and every number read from it is checked before it is
    // used as an index, so contents that change under a reader lead to wrong answers and to nothing
    // worse. This crate adds to a file behind what readers look at, and otherwise writes under another
    // name and renames. Another program that shortens a mapped file ends this process by a signal, as
    // with every mapped file.
    unsafe { Mmap::map(file) }
}

/// A payload being parsed.
pub(crate) struct Source<B = Vec<u8>> {
    path: PathBuf,
    bytes: B,
    /// Where in the payload the bytes begin.
    origin: usize,
    at: usize,
}

impl<B: AsRef<[u8]>> Source<B> {
    /// An error at the current position.
    pub(crate) fn malformed(&self, problem: impl ToString) -> Error {
        self.malformed_at(self.at, problem)
    }

    /// An error at an offset into the bytes.
    pub(crate) fn malformed_at(&self, at: usize, problem: impl ToString) -> Error {
        Error::Malformed {
            path: self.path.clone(),
            offset: self.origin + at,
            problem: problem.to_string(),
        }
    }

    /// The next `count` bytes.
    pub(crate) fn take(&mut self, count: usize) -> Result<&[u8], Error> {
        let end = self
            .at
            .checked_add(count)
            .filter(|end| *end <= self.bytes.as_ref().len());
        let Some(end) = end else {
            return Err(self.malformed(format!("{count} more bytes are needed")));
        };
        let start = std::mem::replace(&mut self.at, end);
        Ok(&self.bytes.as_ref()[start..end])
    }

    /// The next number.
    pub(crate) fn take_one<T, const N: usize>(
        &mut self,
        decode: fn([u8; N]) -> T,
    ) -> Result<T, Error> {
        let mut bytes = [0; N];
        bytes.copy_from_slice(self.take(N)?);
        Ok(decode(bytes))
    }

    /// The next `count` numbers.
    pub(crate) fn take_all<T, const N: usize>(
        &mut self,
        count: usize,
        decode: fn([u8; N]) -> T,
    ) -> Result<Vec<T>, Error> {
        let length = count.checked_mul(N);
        let Some(length) = length else {
            return Err(self.malformed(format!("{count} entries cannot be addressed")));
        };
        let bytes = self.take(length)?;
        Ok(bytes
            .chunks_exact(N)
            .map(|chunk| {
                let mut one = [0; N];
                one.copy_from_slice(chunk);
                decode(one)
            })
            .collect())
    }

    /// Refuses bytes that nobody asked for.
    pub(crate) fn finish(self) -> Result<(), Error> {
        let length = self.bytes.as_ref().len();
        if self.at == length {
            Ok(())
        } else {
            Err(self.malformed(format!("{} bytes are left over", length - self.at)))
        }
    }
}
