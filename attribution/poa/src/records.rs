//! Texts with owners, from files and folders.

use anyhow::{bail, Context, Result};
use serde::Deserialize;
use std::{
    fs::{self, File},
    io::{BufRead, BufReader},
    path::{Path, PathBuf},
};

/// The engine numbers bytes of a record in 32 bits.
const MAX_BYTES: u64 = u32::MAX as u64;

/// A text and whose it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Record {
    /// What it is called in results.
    pub(crate) name: String,
    /// Who owns it.
    pub(crate) owner: String,
    /// The text.
    pub(crate) bytes: Vec<u8>,
}

/// What `--help` says of record files.
pub(crate) const HELP: &str = "\
Files and folders of records, in the order in which they count as earlier:
  a folder    each file in it is a record; its owner is the folder right below, or the folder itself
  .jsonl      an object a line: {\"text\": \"…\", \"owner\": \"…\", \"name\": \"…\"}, the last two optional
  .csv        a header with the column text, and optionally owner and name
  other       one record, owned by the name of its file";

/// Reads all records of these files and folders.
pub(crate) fn read(paths: &[PathBuf]) -> Result<Vec<Record>> {
    Files::find(paths)?.records().collect()
}

/// Files that hold records.
pub(crate) struct Files {
    files: Vec<RecordFile>,
    /// Bytes of all of them.
    pub(crate) bytes: u64,
}

struct RecordFile {
    path: PathBuf,
    /// Name and owner of the one record that the file is. None where the file says so itself.
    whole: Option<(String, String)>,
}

impl Files {
    /// Lists the files, reading none.
    pub(crate) fn find(paths: &[PathBuf]) -> Result<Self> {
        let mut found = Self {
            files: Vec::new(),
            bytes: 0,
        };
        for path in paths {
            let known =
                fs::metadata(path).with_context(|| format!("cannot read {}", path.display()))?;
            if known.is_dir() {
                found.add_folder(path, path)?;
            } else {
                let whole = match path.extension().and_then(|extension| extension.to_str()) {
                    Some("jsonl" | "csv") => None,
                    _ => Some((name_of(path), name_of(path))),
                };
                found.add(path.clone(), whole)?;
            }
        }
        if found.files.is_empty() {
            bail!("there are no records: name a file, or a folder with files in it");
        }
        Ok(found)
    }

    fn add(&mut self, path: PathBuf, whole: Option<(String, String)>) -> Result<()> {
        let failed = || format!("cannot read {}", path.display());
        let length = fs::metadata(&path).with_context(failed)?.len();
        if whole.is_some() && length > MAX_BYTES {
            bail!(
                "{} has {length} bytes, a record has at most {MAX_BYTES}: split it",
                path.display()
            );
        }
        self.bytes += length;
        self.files.push(RecordFile { path, whole });
        Ok(())
    }

    fn add_folder(&mut self, root: &Path, folder: &Path) -> Result<()> {
        let failed = || format!("cannot read the folder {}", folder.display());
        let mut entries = fs::read_dir(folder)
            .with_context(failed)?
            .map(|entry| entry.map(|entry| entry.path()))
            .collect::<std::io::Result<Vec<_>>>()
            .with_context(failed)?;
        entries.sort();
        for path in entries {
            if path.is_dir() {
                self.add_folder(root, &path)?;
                continue;
            }
            let inside = path.strip_prefix(root).unwrap_or(&path);
            let mut parts = inside.components();
            let first = parts.next().map(|part| part.as_os_str().to_string_lossy());
            let owner = match first {
                Some(first) if parts.next().is_some() => first.into_owned(),
                _ => name_of(root),
            };
            let name = inside.to_string_lossy().into_owned();
            self.add(path, Some((name, owner)))?;
        }
        Ok(())
    }

    /// Reads the records one after the other. The first error ends them. That there are none is an error.
    pub(crate) fn records(&self) -> impl Iterator<Item = Result<Record>> + '_ {
        let mut count = 0_u64;
        let mut failed = false;
        let mut files = self.files.iter();
        let mut open = Source::Nothing;
        std::iter::from_fn(move || {
            while !failed {
                let next = match open.next(count) {
                    Some(record) => record,
                    None => match files.next() {
                        Some(file) => match Source::open(file) {
                            Ok(file) => {
                                open = file;
                                continue;
                            }
                            Err(error) => Err(error),
                        },
                        None if count > 0 => return None,
                        None => Err(anyhow::anyhow!(
                            "there are no records: name a file, or a folder with files in it"
                        )),
                    },
                };
                failed = next.is_err();
                count += 1;
                return Some(next);
            }
            None
        })
    }
}

fn name_of(path: &Path) -> String {
    path.file_name()
        .unwrap_or(path.as_os_str())
        .to_string_lossy()
        .into_owned()
}

/// A file being read.
enum Source {
    Nothing,
    Whole(Option<Record>),
    Lines(PathBuf, u64, BufReader<File>),
    Table(PathBuf, csv::DeserializeRecordsIntoIter<File, Line>),
}

impl Source {
    fn open(file: &RecordFile) -> Result<Self> {
        let RecordFile { path, whole } = file;
        let failed = || format!("cannot read {}", path.display());
        if let Some((name, owner)) = whole.clone() {
            let bytes = fs::read(path).with_context(failed)?;
            return Ok(Self::Whole(Some(Record { name, owner, bytes })));
        }
        let reader = File::open(path).with_context(failed)?;
        Ok(match path.extension() {
            Some(extension) if extension == "csv" => Self::Table(
                path.clone(),
                csv::Reader::from_reader(reader).into_deserialize(),
            ),
            _ => Self::Lines(path.clone(), 0, BufReader::new(reader)),
        })
    }

    /// The next record, given how many there were in all files before.
    fn next(&mut self, before: u64) -> Option<Result<Record>> {
        match self {
            Self::Nothing => None,
            Self::Whole(record) => record.take().map(Ok),
            Self::Lines(path, number, reader) => next_line(path, number, reader).transpose(),
            Self::Table(path, lines) => {
                let line = lines.next()?.with_context(|| {
                    format!(
                        "{}: it needs a column text, and may have owner and name",
                        path.display()
                    )
                });
                Some(line.map(|line| line.record(path, before + 1)))
            }
        }
    }
}

/// The record of the next line that is not blank.
fn next_line(
    path: &Path,
    number: &mut u64,
    reader: &mut BufReader<File>,
) -> Result<Option<Record>> {
    let mut text = String::new();
    loop {
        text.clear();
        *number += 1;
        let length = reader
            .read_line(&mut text)
            .with_context(|| format!("cannot read {} as UTF-8, line {number}", path.display()))?;
        if length == 0 {
            return Ok(None);
        }
        if text.trim().is_empty() {
            continue;
        }
        let line: Line = serde_json::from_str(&text).with_context(|| {
            format!(
                "{}, line {number}: no object with a text and perhaps an owner and a name",
                path.display()
            )
        })?;
        return Ok(Some(line.record(path, *number)));
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Line {
    text: String,
    owner: Option<String>,
    name: Option<String>,
}

impl Line {
    fn record(self, path: &Path, number: u64) -> Record {
        Record {
            name: self
                .name
                .unwrap_or_else(|| format!("{}:{number}", name_of(path))),
            owner: self.owner.unwrap_or_else(|| name_of(path)),
            bytes: self.text.into_bytes(),
        }
    }
}

/// Owners by number, in the order of their first records.
pub(crate) struct OwnerNames {
    /// Their names.
    pub(crate) names: Vec<String>,
    /// Each record's owner.
    pub(crate) of: Vec<u32>,
}

impl OwnerNames {
    /// Numbers owners.
    pub(crate) fn new(owners: impl IntoIterator<Item = String>) -> Self {
        let mut known = std::collections::HashMap::new();
        let mut names = Vec::new();
        let of = owners
            .into_iter()
            .map(|owner| {
                *known.entry(owner).or_insert_with_key(|owner| {
                    names.push(owner.clone());
                    names.len() as u32 - 1
                })
            })
            .collect();
        Self { names, of }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folder(files: &[(&str, &str)]) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        for (name, text) in files {
            let path = folder.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        folder
    }

    #[test]
    fn folders_give_a_record_a_file_and_owners_by_folder() {
        let folder = folder(&[
            ("bob/x/1.txt", "one"),
            ("alice/2.txt", "two"),
            ("3.txt", "three"),
        ]);
        let records = read(&[folder.path().to_owned()]).unwrap();
        let root = name_of(folder.path());
        let found = records
            .iter()
            .map(|record| {
                (
                    record.name.as_str(),
                    record.owner.as_str(),
                    &record.bytes[..],
                )
            })
            .collect::<Vec<_>>();
        assert_eq!(
            found,
            [
                ("3.txt", root.as_str(), &b"three"[..]),
                ("alice/2.txt", "alice", b"two"),
                ("bob/x/1.txt", "bob", b"one")
            ]
        );
        let owners = OwnerNames::new(records.into_iter().map(|record| record.owner));
        assert_eq!((owners.of, owners.names.len()), (vec![0, 1, 2], 3));
    }

    #[test]
    fn lines_and_tables_name_owners() {
        let folder = folder(&[
            ("a.jsonl", "{\"text\": \"hi\\n\", \"owner\": \"Eve\"}\n\n{\"text\": \"ho\", \"name\": \"n\"}\n"),
            ("b.csv", "owner,text\nBob,\"x, y\"\n"),
        ]);
        let paths = ["a.jsonl", "b.csv"].map(|name| folder.path().join(name));
        let records = read(&paths).unwrap();
        let found = records
            .iter()
            .map(|record| {
                (
                    record.name.as_str(),
                    record.owner.as_str(),
                    &record.bytes[..],
                )
            })
            .collect::<Vec<_>>();
        assert_eq!(
            found,
            [
                ("a.jsonl:1", "Eve", &b"hi\n"[..]),
                ("n", "a.jsonl", b"ho"),
                ("b.csv:3", "Bob", b"x, y")
            ]
        );
    }

    #[test]
    fn bad_files_are_refused_with_their_place() {
        let folder = folder(&[
            ("a.jsonl", "{\"text\": \"hi\"}\n{\"txt\": \"ho\"}\n"),
            ("b.csv", "owner\nBob\n"),
            ("empty.jsonl", "\n"),
        ]);
        let message = |name: &str| format!("{:#}", read(&[folder.path().join(name)]).unwrap_err());
        assert!(message("a.jsonl").contains("a.jsonl, line 2: no object with a text"));
        assert!(message("b.csv").contains("it needs a column text"));
        assert!(message("empty.jsonl").contains("there are no records"));
        assert!(message("missing").contains("cannot read"));
    }
}
