//! Texts with owners, from files and folders.

use anyhow::{bail, Context, Result};
use serde::Deserialize;
use std::{
    fs,
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
    let mut records = Vec::new();
    for path in paths {
        let known =
            fs::metadata(path).with_context(|| format!("cannot read {}", path.display()))?;
        if known.is_dir() {
            read_folder(path, path, &mut records)?;
        } else {
            match path.extension().and_then(|extension| extension.to_str()) {
                Some("jsonl") => read_json_lines(path, &mut records)?,
                Some("csv") => read_csv(path, &mut records)?,
                _ => records.push(read_file(path, name_of(path), name_of(path))?),
            }
        }
    }
    if records.is_empty() {
        bail!("there are no records: name a file, or a folder with files in it");
    }
    Ok(records)
}

fn name_of(path: &Path) -> String {
    path.file_name()
        .unwrap_or(path.as_os_str())
        .to_string_lossy()
        .into_owned()
}

fn read_folder(root: &Path, folder: &Path, records: &mut Vec<Record>) -> Result<()> {
    let failed = || format!("cannot read the folder {}", folder.display());
    let mut entries = fs::read_dir(folder)
        .with_context(failed)?
        .map(|entry| entry.map(|entry| entry.path()))
        .collect::<std::io::Result<Vec<_>>>()
        .with_context(failed)?;
    entries.sort();
    for path in entries {
        if path.is_dir() {
            read_folder(root, &path, records)?;
        } else {
            let inside = path.strip_prefix(root).unwrap_or(&path);
            let mut parts = inside.components();
            let first = parts.next().map(|part| part.as_os_str().to_string_lossy());
            let owner = match first {
                Some(first) if parts.next().is_some() => first.into_owned(),
                _ => name_of(root),
            };
            records.push(read_file(
                &path,
                inside.to_string_lossy().into_owned(),
                owner,
            )?);
        }
    }
    Ok(())
}

fn read_file(path: &Path, name: String, owner: String) -> Result<Record> {
    let failed = || format!("cannot read {}", path.display());
    let length = fs::metadata(path).with_context(failed)?.len();
    if length > MAX_BYTES {
        bail!(
            "{} has {length} bytes, a record has at most {MAX_BYTES}: split it",
            path.display()
        );
    }
    let bytes = fs::read(path).with_context(failed)?;
    Ok(Record { name, owner, bytes })
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

fn read_json_lines(path: &Path, records: &mut Vec<Record>) -> Result<()> {
    let text = fs::read_to_string(path)
        .with_context(|| format!("cannot read {} as UTF-8", path.display()))?;
    for (number, line) in (1..).zip(text.lines()) {
        if line.trim().is_empty() {
            continue;
        }
        let line: Line = serde_json::from_str(line).with_context(|| {
            format!(
                "{}, line {number}: no object with a text and perhaps an owner and a name",
                path.display()
            )
        })?;
        records.push(line.record(path, number));
    }
    Ok(())
}

fn read_csv(path: &Path, records: &mut Vec<Record>) -> Result<()> {
    let failed = || format!("cannot read {}", path.display());
    let mut reader = csv::Reader::from_path(path).with_context(failed)?;
    for line in reader.deserialize() {
        let line: Line = line.with_context(|| {
            format!(
                "{}: it needs a column text, and may have owner and name",
                path.display()
            )
        })?;
        let number = records.len() as u64 + 1;
        records.push(line.record(path, number));
    }
    Ok(())
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
