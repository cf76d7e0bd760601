//! Indexes joined into one, in a file, with little memory.

use std::{
    cmp::Ordering,
    path::{Path, PathBuf},
};

use super::{
    format::{Writer, KEYS, MAX_TOKENS, MINIMA, ROWS, SUFFIXES, TEXT},
    index::TextIndex,
    keys::{self, BLOCK},
    minima::Collector,
    search::View,
    token::{common_in_record, Token},
    MAX_PATTERN,
};
use crate::{duplicates::check_row_count, Error};

/// Suffixes of a part whose keys are read at once.
const AHEAD: usize = 512;
/// Suffixes that are merged between two looks at the caller's wishes; blocks of keys and minima are whole.
const BETWEEN_CHECKS: usize = 1 << 18;

/// How far a build has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Progress {
    /// A part is in its file.
    Part {
        /// Its number, from 0.
        number: usize,
        /// Its tokens, ends of records included.
        tokens: usize,
        /// Whether it was there from a build before.
        reused: bool,
    },
    /// Suffixes have been merged.
    Merged {
        /// How many.
        suffixes: usize,
        /// Of how many.
        of: usize,
    },
}

/// How a caller follows a build and stops it.
#[derive(Clone, Copy)]
pub struct Control<'a> {
    /// Whether to stop. Asked after each part and every 2^18 suffixes of a merge.
    pub cancelled: &'a dyn Fn() -> bool,
    /// Told how far the build has come, equally often.
    pub progress: &'a dyn Fn(Progress),
}

impl Control<'_> {
    /// Fails when the caller wants to stop.
    pub(super) fn check(&self) -> Result<(), Error> {
        match (self.cancelled)() {
            true => Err(Error::Cancelled),
            false => Ok(()),
        }
    }
}

/// Merges the indexes in the files `parts` into one at `path`, as if the records of the first were
/// followed by those of the second and so on. The new file appears only when it is complete.
///
/// Suffixes are compared up to 4,096 tokens; patterns are no longer than that. Memory holds a buffer for
/// each part, the keys and the block minima, six tenths of a byte for each token. The files are mapped and read
/// in the order of suffixes, so merging is fast as long as the texts, not the suffix arrays, fit what is
/// left of memory.
///
/// # Errors
/// When no part is given, a part cannot be opened, parts have different separators, all together have 2^32
/// tokens or more, the file cannot be written, or the caller stops.
pub fn merge<T: Token>(parts: &[PathBuf], path: &Path, control: Control<'_>) -> Result<(), Error> {
    let opened = parts
        .iter()
        .map(|part| TextIndex::<T>::open(part))
        .collect::<Result<Vec<_>, _>>()?;
    let Some(first) = opened.first() else {
        return Err(Error::parameter("number of parts", 0, "at least 1"));
    };
    let separator = first.separator();
    if let Some(other) = opened.iter().find(|part| part.separator() != separator) {
        let other: u32 = other.separator().into();
        let expected = format!("{} as in the first part", separator.into());
        return Err(Error::parameter("separator of a part", other, expected));
    }
    let records = opened.iter().map(TextIndex::len).sum::<usize>();
    check_row_count(records)?;
    let tokens = opened
        .iter()
        .map(|part| part.view().text.len())
        .sum::<usize>();
    if tokens as u64 > MAX_TOKENS {
        return Err(Error::CorpusTooLarge {
            symbols: tokens as u64,
            limit: MAX_TOKENS,
        });
    }

    let present = opened.iter().map(|part| part.view().rows.len()).sum();
    let mut writer = Writer::create(path, separator, records, present, tokens)?;
    let (mut base, mut base_row) = (0, 0_u32);
    let mut heads = Vec::with_capacity(opened.len());
    for part in &opened {
        let view = part.view();
        for chunk in view.text.chunks(BETWEEN_CHECKS) {
            control.check()?;
            let written = writer.section(TEXT).put(chunk);
            written.map_err(|source| writer.failed(source))?;
        }
        // Rows of a damaged part may be anything.
        let rows = view.rows.iter().map(|row| base_row.wrapping_add(*row));
        let written = writer.section(ROWS).put(&rows.collect::<Vec<_>>());
        written.map_err(|source| writer.failed(source))?;
        base_row += view.records as u32;
        heads.push(Head::new(view, heads.len() as u32, base));
        // At most `MAX_TOKENS` in all.
        base += view.text.len() as u32;
    }
    let mut merger = Merger::new(heads);
    let mut collector = Collector::new(tokens);
    let mut suffixes = Vec::with_capacity(BETWEEN_CHECKS);
    let mut lowest = Vec::with_capacity(tokens.div_ceil(BLOCK));
    let mut merged = 0;
    while merged < tokens {
        control.check()?;
        suffixes.clear();
        for (key, position) in merger.by_ref().take(BETWEEN_CHECKS) {
            if suffixes.len().is_multiple_of(BLOCK) {
                lowest.push(key);
            }
            suffixes.push(position);
        }
        collector.extend(&suffixes);
        let written = writer.section(SUFFIXES).put(&suffixes);
        written.map_err(|source| writer.failed(source))?;
        merged += suffixes.len();
        (control.progress)(Progress::Merged {
            suffixes: merged,
            of: tokens,
        });
    }
    let written = (writer.section(MINIMA).put(&collector.finish()))
        .and_then(|()| writer.section(KEYS).put(&lowest))
        .and_then(|()| writer.section(KEYS).put(&keys::upper_levels(&lowest)));
    written.map_err(|source| writer.failed(source))?;
    writer.finish()
}

/// A suffix of a part.
#[derive(Clone, Copy)]
struct Suffix {
    key: u128,
    /// In the text of the part.
    position: u32,
    part: u32,
}

/// The suffixes of a part that have not been merged.
struct Head<'a, T> {
    view: View<'a, T>,
    part: u32,
    /// Where the part's text starts in the merged one.
    base: u32,
    /// Rank behind the last suffix in the buffer.
    next: usize,
    /// Keys and positions, the first one last.
    buffer: Vec<(u128, u32)>,
}

impl<'a, T: Token> Head<'a, T> {
    fn new(view: View<'a, T>, part: u32, base: u32) -> Self {
        Self {
            view,
            part,
            base,
            next: 0,
            buffer: Vec::with_capacity(AHEAD),
        }
    }

    fn pop(&mut self) -> Option<Suffix> {
        if self.buffer.is_empty() {
            // Reading many at once waits for memory about as long as reading one.
            let end = (self.next + AHEAD).min(self.view.suffixes.len());
            let view = self.view;
            let entry = |rank| (T::key(view.suffix(rank)), view.suffixes[rank]);
            self.buffer.extend((self.next..end).rev().map(entry));
            self.next = end;
        }
        let (key, position) = self.buffer.pop()?;
        Some(Suffix {
            key,
            position,
            part: self.part,
        })
    }
}

/// Merges parts.
struct Merger<'a, T> {
    heads: Vec<Head<'a, T>>,
    /// The first suffix of each part that has some left, in order.
    first: Vec<Suffix>,
}

impl<'a, T: Token> Merger<'a, T> {
    fn new(mut heads: Vec<Head<'a, T>>) -> Self {
        let mut first = heads.iter_mut().filter_map(Head::pop).collect::<Vec<_>>();
        first.sort_by(|a, b| compare(&heads, a, b));
        Self { heads, first }
    }
}

impl<T: Token> Iterator for Merger<'_, T> {
    /// The key of a suffix and its position in the merged text.
    type Item = (u128, u32);

    #[inline]
    fn next(&mut self) -> Option<(u128, u32)> {
        let Suffix {
            key,
            position,
            part,
        } = *self.first.first()?;
        let head = &mut self.heads[part as usize];
        // Positions of a damaged part may lead anywhere.
        let merged = position.wrapping_add(head.base);
        match head.pop() {
            Some(next) => {
                let heads = &self.heads;
                let before = self.first[1..]
                    .partition_point(|other| compare(heads, other, &next) == Ordering::Less);
                self.first.copy_within(1..=before, 0);
                self.first[before] = next;
            }
            None => {
                self.first.remove(0);
            }
        }
        Some((key, merged))
    }
}

/// The order of suffixes: by tokens, then by part.
#[inline]
fn compare<T: Token>(heads: &[Head<'_, T>], a: &Suffix, b: &Suffix) -> Ordering {
    let last_token = u128::MAX >> (128 - 8 * size_of::<T>());
    let by_key = a.key.cmp(&b.key);
    // Where the key shows the end of the record, nothing follows.
    if by_key == Ordering::Equal && a.key & last_token != 0 {
        let view = |suffix: &Suffix| heads[suffix.part as usize].view;
        return compare_rest(view(a), a.position, view(b), b.position).then(a.part.cmp(&b.part));
    }
    by_key.then(a.part.cmp(&b.part))
}

/// The order of two suffixes with the same key, up to the record's end.
fn compare_rest<T: Token>(a: View<'_, T>, at_a: u32, b: View<'_, T>, at_b: u32) -> Ordering {
    let (a, b) = (behind_key(a, at_a), behind_key(b, at_b));
    let common = common_in_record(a, b);
    // Both are over after as many tokens, unless a text ends before. Records may both end here.
    let token = |rest: &[T]| rest.get(common).copied().unwrap_or_default();
    token(a).cmp(&token(b))
}

/// The tokens of a suffix that its key does not tell, as far as suffixes are compared.
fn behind_key<T: Token>(view: View<'_, T>, at: u32) -> &[T] {
    let start = at as usize + T::KEY_TOKENS;
    let end = (at as usize + MAX_PATTERN).min(view.text.len());
    view.text.get(start..end).unwrap_or_default()
}
