//! Indexes of texts that are larger than memory.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use super::{
    format::{ROWS, TEXT},
    index::{check_sortable, Text, TextIndex},
    merge::{merge, Control, Progress},
    token::Token,
};
use crate::{duplicates::check_row_count, file::publish, Error};

/// How a text is built in parts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Parts<T> {
    /// Most tokens in a part, ends of records included. Sorting a part takes 4.6 bytes and the
    /// size of a token for each.
    pub part_tokens: usize,
    /// A value that no record holds, to end records with. UTF-8 never holds the byte 255.
    pub separator: T,
}

/// Builds the index of `records` at `path`, part by part. `None` stands for a record whose tokens may not be
/// matched: it keeps its row and matches nothing.
///
/// Each part is sorted in memory and kept in a file of its own in the folder `path` + `.parts`; then
/// the parts are merged (see [`merge`]; a single one is the index already) and the folder is removed. When a build was interrupted, the
/// next one with the same records, part size and separator takes over the parts that are finished and
/// undamaged. The index is the same as if it had been built at once, but that suffixes which are equal
/// for 4,096 tokens stand in the order of their parts.
///
/// # Errors
/// The first error among the records; when a record holds the separator or is longer than a part, a part
/// may have 2^31 tokens or more, there are 2^32 in all, a file cannot be written, the suffix sorter runs out of memory, or the caller
/// stops.
pub fn build_in_parts<T: Token, R: AsRef<[T]>>(
    path: &Path,
    records: impl IntoIterator<Item = Result<Option<R>, Error>>,
    parts: Parts<T>,
    control: Control<'_>,
) -> Result<(), Error> {
    check_sortable(parts.part_tokens)?;
    let mut folder = path.as_os_str().to_owned();
    folder.push(".parts");
    let folder = PathBuf::from(folder);
    let failed = |source: io::Error| Error::Io {
        action: "write",
        path: folder.clone(),
        source,
    };
    fs::create_dir_all(&folder).map_err(failed)?;
    let mut builder = Builder {
        folder: &folder,
        parts,
        control,
        text: Text::with_capacity(parts.separator, parts.part_tokens)?,
        files: Vec::new(),
        tokens: 0,
    };
    for (row, record) in records.into_iter().enumerate() {
        let record = record?;
        let tokens = record.as_ref().map_or(&[][..], AsRef::as_ref);
        check_row_count(row + 1)?;
        builder.add(row as u32, tokens)?;
    }
    // Where there are no records at all, an empty part makes an empty index.
    if builder.text.records > 0 || builder.files.is_empty() {
        builder.finish_part()?;
    }
    let tokens = builder.tokens;
    let files = builder.files;
    match &files[..] {
        [only] => {
            control.check()?;
            publish(only, path).map_err(failed)?;
            (control.progress)(Progress::Merged {
                suffixes: tokens,
                of: tokens,
            });
        }
        parts => merge::<T>(parts, path, control)?,
    }
    fs::remove_dir_all(&folder).map_err(failed)
}

/// The part being filled, and those that are finished.
struct Builder<'a, T> {
    folder: &'a Path,
    parts: Parts<T>,
    control: Control<'a>,
    text: Text<T>,
    files: Vec<PathBuf>,
    /// Tokens in them, ends of records included.
    tokens: usize,
}

impl<T: Token> Builder<'_, T> {
    fn add(&mut self, row: u32, tokens: &[T]) -> Result<(), Error> {
        let Parts {
            part_tokens,
            separator,
        } = self.parts;
        if tokens.len() >= part_tokens {
            let expected = format!("above {}, the tokens of record {row}", tokens.len());
            return Err(Error::parameter("size of a part", part_tokens, expected));
        }
        if let Some(offset) = tokens.iter().position(|token| *token == separator) {
            return Err(Error::SeparatorInRecord {
                row,
                offset,
                token: separator.into(),
            });
        }
        if self.text.tokens.len() + tokens.len() >= part_tokens {
            self.finish_part()?;
        }
        self.text.push(tokens);
        Ok(())
    }

    /// Puts the part in a file, unless it is there.
    fn finish_part(&mut self) -> Result<(), Error> {
        self.control.check()?;
        let number = self.files.len();
        let file = self.folder.join(format!("part-{number:05}"));
        let Parts {
            part_tokens,
            separator,
        } = self.parts;
        let next = Text::with_capacity(separator, part_tokens)?;
        let text = std::mem::replace(&mut self.text, next);
        let tokens = text.tokens.len();
        let reused = is_finished(&file, &text);
        if !reused {
            TextIndex::sort(text)?.save(&file)?;
        }
        self.files.push(file);
        self.tokens += tokens;
        (self.control.progress)(Progress::Part {
            number,
            tokens,
            reused,
        });
        Ok(())
    }
}

/// Whether a file holds the index of this very text. One that cannot be used is built again.
fn is_finished<T: Token>(file: &Path, text: &Text<T>) -> bool {
    let Ok(index) = TextIndex::<T>::open(file) else {
        return false;
    };
    let same = index.header().is_some_and(|header| {
        let checksum = |section: usize| blake3::Hash::from(header.checksums[section]);
        checksum(TEXT) == blake3::hash(bytemuck::cast_slice(&text.tokens))
            && checksum(ROWS) == blake3::hash(bytemuck::cast_slice(&text.rows))
            && header.records == text.records as u64
    });
    same && index.separator() == text.separator && index.verify().is_ok()
}
