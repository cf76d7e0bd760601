//! `data`: from files to a payload, and from a payload to the content store.

use super::Global;
use crate::{
    chain::{calls, Wait},
    copies::find_copies,
    payload::{Payload, PayloadError, MAX_PAYLOAD_BYTES, MAX_RECORD_BYTES},
    store::{content_id, ContentStore},
};
use anyhow::{anyhow, ensure, Context, Error, Result};
use attribution_proof::{contribution::MediaType, AccountId, ContributionId};
use clap::{Args, Subcommand, ValueEnum};
use std::{
    fs::File,
    io::{BufRead, BufReader, Read, Write},
    path::{Path, PathBuf},
    str::FromStr,
};

/// Longest line of a .jsonl file. JSON can be some times longer than the text in it.
const MAX_LINE_BYTES: usize = 4 * MAX_RECORD_BYTES;
/// U+FEFF, which some editors write before a text.
const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

#[derive(Debug, Subcommand)]
pub(super) enum Data {
    /// Make a payload of files and print what `datanets.contribute` asks for.
    Pack(Pack),
    /// Put a payload into the content store; do it once the contribution is in a block.
    Publish {
        /// The payload that `data pack` wrote.
        payload: PathBuf,
    },
    /// Find the records of a contribution that somebody else had first.
    Copies(Copies),
}

/// Compares a contribution with all earlier ones. Whoever proves a copy gets a part of its stake.
#[derive(Debug, Args)]
#[command(
    after_help = "Example:\n  openledger-worker --key //Charlie --store s3://records data copies 17 --challenge"
)]
pub(super) struct Copies {
    /// The contribution that may hold copies.
    contribution: ContributionId,
    /// Prove the copies on chain, one after the other, until the contribution falls.
    #[arg(long)]
    challenge: bool,
}

/// What the records are.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum Media {
    /// UTF-8 text.
    Text,
    /// Any bytes.
    Binary,
}

/// Makes a payload: each file is a record, each line of a .jsonl file the record in its field `text`.
#[derive(Debug, Args)]
#[command(
    after_help = "Example:\n  openledger-worker --key //Bob --json data pack README.md texts.jsonl --clean --output bob.payload"
)]
pub(super) struct Pack {
    /// Files, in the order of the records.
    #[arg(required = true)]
    files: Vec<PathBuf>,
    /// Where to write the payload.
    #[arg(long)]
    output: PathBuf,
    /// Who contributes; the key's account if missing. The leaves contain it.
    #[arg(long)]
    contributor: Option<String>,
    /// What the records are.
    #[arg(long, value_enum, default_value_t = Media::Text)]
    media: Media,
    /// Make text fit the text rule: line ends become \n; blanks before them, NUL and a byte order
    /// mark go.
    #[arg(long)]
    clean: bool,
}

impl Data {
    pub(super) async fn run(&self, global: &Global) -> Result<()> {
        match self {
            Self::Pack(pack) => {
                let contributor = match &pack.contributor {
                    Some(text) => AccountId::from_str(text).map_err(|error| {
                        anyhow!("{text} is no account ({error}); write its SS58 address")
                    })?,
                    None => global.key()?.account(),
                };
                let result = pack.run(&contributor)?;
                global.print(&result)?;
            }
            Self::Publish { payload } => {
                let id = publish(&global.store()?, payload).await?;
                global
                    .print(&serde_json::json!({ "content": format!("0x{}", hex::encode(id)) }))?;
            }
            Self::Copies(command) => global.print(&command.run(global).await?)?,
        }
        Ok(())
    }
}

async fn publish(store: &ContentStore, path: &Path) -> Result<attribution_proof::ContentId> {
    let blob = read(path, MAX_PAYLOAD_BYTES)?;
    // A payload of whoever; that its leaves are the registered ones is checked by whoever reads it.
    Payload::read_records(&blob)
        .map_err(|error| anyhow!("{}: {error}; make one with data pack", path.display()))?;
    Ok(store.put(blob).await?)
}

impl Copies {
    async fn run(&self, global: &Global) -> Result<serde_json::Value> {
        let later = self.contribution;
        let chain = global.chain().await?;
        let found = find_copies(&chain, &global.store()?, later).await?;
        let copies: Vec<_> = found
            .iter()
            .map(|found| {
                serde_json::json!({
                    "record": found.copy.index,
                    "earlier": found.earlier,
                    "earlier_record": found.original.index,
                })
            })
            .collect();
        let mut proven = 0;
        let mut has_fallen = false;
        if self.challenge {
            let key = global.key()?;
            for found in found {
                let call =
                    calls::challenge_duplicate(later, found.copy, found.earlier, found.original);
                let events = chain.submit(&key, &call, Wait::InBlock).await?;
                ensure!(
                    !events.is_rejected_challenge(),
                    "the chain does not take record {} for a copy, and kept the bond",
                    copies[proven]["record"]
                );
                tracing::info!(record = ?copies[proven]["record"], "proved a copy");
                proven += 1;
                let details = chain.contribution(later).await?;
                has_fallen = details.is_some_and(|details| details.tombstone.is_some());
                if has_fallen {
                    break;
                }
            }
        }
        Ok(serde_json::json!({
            "contribution": later,
            "copies": copies,
            "proven": proven,
            "contribution_fell": has_fallen,
        }))
    }
}

/// What will be a record, and where it comes from.
struct Piece {
    origin: String,
    bytes: Vec<u8>,
}

impl Pack {
    fn run(&self, contributor: &AccountId) -> Result<serde_json::Value> {
        let media = match self.media {
            Media::Text => MediaType::Text,
            Media::Binary => MediaType::Binary,
        };
        ensure!(
            media == MediaType::Text || !self.clean,
            "--clean is for text; leave it out"
        );
        let (origins, records): (Vec<_>, Vec<_>) = self
            .pieces()?
            .into_iter()
            .map(|Piece { origin, bytes }| {
                let bytes = match media {
                    MediaType::Text => self.text(&origin, bytes)?,
                    MediaType::Binary => bytes,
                };
                Ok((origin, bytes))
            })
            .collect::<Result<Vec<_>>>()?
            .into_iter()
            .unzip();
        let payload = Payload::new(contributor, media, records).map_err(|error| {
            match error.record().and_then(|record| origins.get(record)) {
                Some(origin) => anyhow!("{origin}: {error}"),
                None => error.into(),
            }
        })?;
        let blob = payload.encode();
        write(&self.output, &blob)?;
        let commitment = payload.commitment();
        Ok(serde_json::json!({
            "contributor": contributor.to_string(),
            "root": format!("{:?}", commitment.root),
            "count": commitment.count,
            "bytes": payload.bytes(),
            "content": format!("0x{}", hex::encode(content_id(&blob))),
            "payload": self.output.display().to_string(),
        }))
    }

    /// Reads all files; stops when they are more than a payload can hold.
    fn pieces(&self) -> Result<Vec<Piece>> {
        let (mut pieces, mut bytes) = (Vec::new(), 0usize);
        let mut add = |origin: String, record: Vec<u8>| {
            bytes = bytes.saturating_add(record.len());
            pieces.push(Piece {
                origin,
                bytes: record,
            });
            if bytes > MAX_PAYLOAD_BYTES {
                return Err(PayloadError::TooLargeTogether { bytes }.into());
            }
            Ok(())
        };
        for file in &self.files {
            if file
                .extension()
                .is_some_and(|extension| extension == "jsonl")
            {
                read_lines(file, &mut add)?;
            } else {
                add(file.display().to_string(), read(file, MAX_RECORD_BYTES)?)?;
            }
        }
        Ok(pieces)
    }

    /// The text of a record as it will be registered.
    fn text(&self, origin: &str, bytes: Vec<u8>) -> Result<Vec<u8>> {
        if self.clean {
            return clean(&bytes).with_context(|| origin.to_owned());
        }
        ensure!(
            !bytes.starts_with(BYTE_ORDER_MARK),
            "{origin} begins with a byte order mark, which would be part of the record; --clean removes it"
        );
        Ok(bytes)
    }
}

fn unreadable(path: &Path, error: &std::io::Error) -> Error {
    anyhow!(
        "cannot read {}: {error}; name a file that is there and that you may read",
        path.display()
    )
}

/// Reads a file of at most `most` bytes; a larger one is refused before it fills the memory.
fn read(path: &Path, most: usize) -> Result<Vec<u8>> {
    let failed = |error| unreadable(path, &error);
    let too_large = |length: &dyn std::fmt::Display| {
        anyhow!(
            "{} has {length} bytes; the most is {most}: split it",
            path.display()
        )
    };
    let file = File::open(path).map_err(failed)?;
    let length = file.metadata().map_err(failed)?.len();
    if length > most as u64 {
        return Err(too_large(&length));
    }
    // Devices and pipes do not say how long they are.
    let mut bytes = Vec::new();
    file.take(most as u64 + 1)
        .read_to_end(&mut bytes)
        .map_err(failed)?;
    if bytes.len() > most {
        return Err(too_large(&format_args!("over {most}")));
    }
    Ok(bytes)
}

/// Writes a file whole or not at all, so that a full disk costs no payload that was there before.
fn write(path: &Path, bytes: &[u8]) -> Result<()> {
    let mut partial = path.as_os_str().to_owned();
    partial.push(".partial");
    let attempt = || {
        let mut file = File::create(&partial)?;
        file.write_all(bytes)?;
        file.sync_all()?;
        std::fs::rename(&partial, path)
    };
    attempt().map_err(|error| {
        // It may not even be there.
        let _ = std::fs::remove_file(&partial);
        anyhow!(
            "cannot write {}: {error}; free space, or name another --output",
            path.display()
        )
    })
}

/// Hands on the field `text` of every line.
fn read_lines(path: &Path, add: &mut impl FnMut(String, Vec<u8>) -> Result<()>) -> Result<()> {
    let failed = |error| unreadable(path, &error);
    let mut reader = BufReader::new(File::open(path).map_err(failed)?);
    let mut buffer = Vec::new();
    for number in 1.. {
        let place = format!("{}, line {number}", path.display());
        buffer.clear();
        let limit = MAX_LINE_BYTES as u64 + 1;
        if (&mut reader)
            .take(limit)
            .read_until(b'\n', &mut buffer)
            .map_err(failed)?
            == 0
        {
            break;
        }
        ensure!(
            buffer.len() <= MAX_LINE_BYTES,
            "{place} has over {MAX_LINE_BYTES} bytes: split the record"
        );
        let line = match number {
            1 => buffer.strip_prefix(BYTE_ORDER_MARK).unwrap_or(&buffer),
            _ => &buffer,
        };
        let line = std::str::from_utf8(line).map_err(|error| {
            let at = error.valid_up_to();
            anyhow!(
                "{place} is not UTF-8 from its byte {at} on; convert it, for example with iconv"
            )
        })?;
        if line.trim().is_empty() {
            continue;
        }
        let wrong = |reason: &dyn std::fmt::Display| {
            anyhow!("{place}: {reason}; write one object as {{\"text\": \"…\"}} on each line")
        };
        let value: serde_json::Value = serde_json::from_str(line)
            .map_err(|error| wrong(&format_args!("no JSON ({error})")))?;
        match value.get("text").and_then(serde_json::Value::as_str) {
            Some(text) => add(place, text.as_bytes().to_vec())?,
            None => return Err(wrong(&"there is no field \"text\" with a string")),
        }
    }
    Ok(())
}

/// Makes text fit the text rule.
fn clean(record: &[u8]) -> Result<Vec<u8>> {
    let text = record.strip_prefix(BYTE_ORDER_MARK).unwrap_or(record);
    let text = std::str::from_utf8(text)
        .context("only UTF-8 text can be cleaned; convert it, for example with iconv")?;
    let unix = text
        .replace("\r\n", "\n")
        .replace('\r', "\n")
        .replace('\0', "");
    let lines: Vec<_> = unix
        .split('\n')
        .map(|line| line.trim_end_matches([' ', '\t']))
        .collect();
    Ok(lines.join("\n").into_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;
    use attribution_proof::merkle::Commitment;

    fn pack(files: Vec<PathBuf>, output: PathBuf) -> Pack {
        Pack {
            files,
            output,
            contributor: None,
            media: Media::Text,
            clean: true,
        }
    }

    #[tokio::test]
    async fn success_files_and_lines_become_a_payload_that_can_be_published() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        std::fs::write(path("a.txt"), "\u{feff}one \r\ntwo\n").unwrap();
        std::fs::write(
            path("b.jsonl"),
            "\u{feff}{\"text\": \"three\"}\n\n{\"text\": \"four\"}\n",
        )
        .unwrap();
        let contributor = AccountId::new([3; 32]);
        let command = pack(vec![path("a.txt"), path("b.jsonl")], path("out"));
        let result = command.run(&contributor).unwrap();
        assert_eq!(
            (&result["count"], &result["bytes"]),
            (&3.into(), &17.into())
        );
        let store = ContentStore::open(path("store").to_str().unwrap()).unwrap();
        let id = publish(&store, &path("out")).await.unwrap();
        assert_eq!(result["content"], format!("0x{}", hex::encode(id)));
        let root = result["root"].as_str().unwrap().parse().unwrap();
        let payload = Payload::decode(
            &store.get(&id).await.unwrap(),
            &contributor,
            MediaType::Text,
            &Commitment { root, count: 3 },
        );
        assert_eq!(payload.unwrap().records[0], b"one\ntwo\n");
    }

    #[tokio::test]
    async fn fails_when_input_is_missing_no_json_no_text_or_no_payload() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        let account = AccountId::new([3; 32]);
        let fail = |name: &str| {
            let error = pack(vec![path(name)], path("out"))
                .run(&account)
                .unwrap_err();
            format!("{error:#}")
        };
        assert!(fail("missing").contains("missing"));
        std::fs::write(path("bad.jsonl"), "{\"text\": \"one\"}\n{\"body\": 1}\n").unwrap();
        assert!(
            fail("bad.jsonl").contains("line 2"),
            "{}",
            fail("bad.jsonl")
        );
        std::fs::write(path("mark"), "\u{feff}one").unwrap();
        let mark = Pack {
            clean: false,
            ..pack(vec![path("mark")], path("out"))
        };
        let error = mark.run(&account).unwrap_err().to_string();
        assert!(error.contains("byte order mark"), "{error}");
        assert!(!path("out").exists());
        std::fs::write(path("latin"), [0xe9]).unwrap();
        assert!(fail("latin").contains("UTF-8"));
        let store = ContentStore::open(path("store").to_str().unwrap()).unwrap();
        let error = publish(&store, &path("latin")).await.unwrap_err();
        assert!(error.to_string().contains("data pack"), "{error}");
    }
}
