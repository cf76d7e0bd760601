//! The contributed text: crates of the local registry, found through `cargo metadata`.

use anyhow::{bail, ensure, Context, Result};
use serde_json::Value;
use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
    process::Command,
};

/// Small crates of different owners and licences that every build of the workspace downloads.
pub(super) const CRATES: [&str; 14] = [
    "arrayvec",
    "bs58",
    "byteorder",
    "constant_time_eq",
    "crc32fast",
    "foldhash",
    "httparse",
    "humantime",
    "lru",
    "once_cell",
    "semver",
    "siphasher",
    "slab",
    "smallvec",
];

/// One crate.
#[derive(Debug)]
pub(super) struct Crate {
    /// Name and version.
    pub(super) name: String,
    /// Whose it is.
    pub(super) owner: String,
    /// Its licence.
    pub(super) licence: String,
    /// The files' contributed text.
    pub(super) files: Vec<String>,
    /// The same, cut into records.
    pub(super) records: Vec<String>,
}

impl Crate {
    /// Bytes of text.
    pub(super) fn bytes(&self) -> usize {
        self.files.iter().map(String::len).sum()
    }
}

/// All contributed crates.
#[derive(Debug)]
pub(super) struct Corpus {
    /// The crates; position is contribution.
    pub(super) crates: Vec<Crate>,
}

impl Corpus {
    /// Reads at most `crate_bytes` of each of `names`, in records of at most `record_bytes`.
    pub(super) fn collect(
        names: &[String],
        crate_bytes: usize,
        record_bytes: usize,
    ) -> Result<Self> {
        let metadata = metadata()?;
        let packages = metadata["packages"]
            .as_array()
            .context("cargo metadata lists no packages")?;
        let crates = names
            .iter()
            .map(|name| {
                // A lock file can hold several versions.
                let package = packages
                    .iter()
                    .filter(|package| package["name"] == **name)
                    .max_by_key(|package| version(package))
                    .with_context(|| format!("the lock file has no crate {name}"))?;
                read_crate(package, crate_bytes, record_bytes)
                    .with_context(|| format!("crate {name}"))
            })
            .collect::<Result<Vec<_>>>()?;
        let owners: BTreeSet<_> = crates.iter().map(|source| &source.owner).collect();
        ensure!(
            owners.len() == crates.len(),
            "the crates must belong to different owners, found {owners:?}"
        );
        Ok(Self { crates })
    }
}

fn metadata() -> Result<Value> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let manifest = Path::new(env!("CARGO_MANIFEST_DIR")).join("Cargo.toml");
    let output = Command::new(cargo)
        .args(["metadata", "--format-version=1", "--locked", "--offline"])
        .arg("--manifest-path")
        .arg(manifest)
        .output()
        .context("cannot run cargo metadata")?;
    if !output.status.success() {
        bail!(
            "cargo metadata failed: {}",
            String::from_utf8_lossy(&output.stderr)
        );
    }
    Ok(serde_json::from_slice(&output.stdout)?)
}

/// The numbers of a version, which compare as versions do.
fn version(package: &Value) -> Vec<u64> {
    let text = package["version"].as_str().unwrap_or_default();
    text.split(['.', '+', '-'])
        .map_while(|part| part.parse().ok())
        .collect()
}

fn read_crate(package: &Value, crate_bytes: usize, record_bytes: usize) -> Result<Crate> {
    let text = |field: &str| {
        package[field]
            .as_str()
            .with_context(|| format!("its manifest has no {field}"))
    };
    let manifest = PathBuf::from(text("manifest_path")?);
    let root = manifest.parent().context("its manifest has no folder")?;
    let mut paths = Vec::new();
    list(root, &mut paths)?;
    // README first, then sources, by path.
    paths.sort_by_key(|path| (path.extension().is_some_and(|e| e == "rs"), path.clone()));
    let mut files = Vec::new();
    let mut left = crate_bytes;
    for path in paths {
        let text =
            std::fs::read_to_string(&path).with_context(|| format!("read {}", path.display()))?;
        let mut text = clean(&text);
        if text.len() > left {
            let end = text[..text.floor_char_boundary(left)]
                .rfind('\n')
                .map_or(0, |at| at + 1);
            text.truncate(end);
        }
        left -= text.len();
        if !text.trim().is_empty() {
            files.push(text);
        }
    }
    let records = files
        .iter()
        .flat_map(|text| cut(text, record_bytes))
        .map(str::to_owned)
        .collect();
    Ok(Crate {
        name: format!("{} {}", text("name")?, text("version")?),
        owner: owner(text("repository")?),
        licence: text("license")?.to_owned(),
        files,
        records,
    })
}

/// Markdown and Rust sources. Licence texts and build scripts are nobody's own words.
fn list(folder: &Path, paths: &mut Vec<PathBuf>) -> Result<()> {
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        let path = entry.path();
        let name = entry.file_name().to_string_lossy().to_ascii_lowercase();
        if entry.file_type()?.is_dir() {
            if matches!(&*name, "src" | "docs" | "examples") || !folder.join("Cargo.toml").exists()
            {
                list(&path, paths)?;
            }
        } else if name == "readme.md"
            || (name.ends_with(".rs") && !folder.join("Cargo.toml").exists())
        {
            paths.push(path);
        }
    }
    Ok(())
}

/// The account behind a repository: crates of one team have one owner.
fn owner(repository: &str) -> String {
    let path = repository.split("://").last().unwrap_or(repository);
    path.split('/').nth(1).unwrap_or(path).to_ascii_lowercase()
}

/// What `data pack --clean` makes of a text.
fn clean(text: &str) -> String {
    let unix = text
        .replace("\r\n", "\n")
        .replace('\r', "\n")
        .replace('\0', "");
    let lines: Vec<_> = unix
        .split('\n')
        .map(|line| line.trim_end_matches([' ', '\t']))
        .collect();
    lines.join("\n")
}

/// Cuts a text into records of at most `most` bytes, as few as possible and of lengths as equal as
/// lines allow; a line that is longer is a record of its own.
fn cut(text: &str, most: usize) -> Vec<&str> {
    let target = text.len().div_ceil(text.len().div_ceil(most).max(1));
    let mut records = Vec::new();
    let (mut start, mut end) = (0, 0);
    for line in text.split_inclusive('\n') {
        if end > start && end + line.len() - start > target {
            records.push(&text[start..end]);
            start = end;
        }
        end += line.len();
    }
    records.push(&text[start..end]);
    // A record has to say something, and blanks at the end of a text are no record's end.
    records.retain(|record| !record.trim().is_empty());
    records
}
