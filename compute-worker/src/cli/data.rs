//! `data`: from files to a payload, and from a payload to the content store.

use super::Global;
use crate::{
    chain::{calls, Wait},
    copies::find_copies,
    payload::Payload,
    store::{content_id, ContentStore},
};
use anyhow::{bail, ensure, Context, Result};
use attribution_proof::{contribution::MediaType, AccountId, ContributionId};
use clap::{Args, Subcommand, ValueEnum};
use codec::Decode;
use std::{
    io::{BufRead, BufReader},
    path::{Path, PathBuf},
    str::FromStr,
};

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
    /// Make text fit the text rule: line ends become \n, blanks before them and NUL go.
    #[arg(long)]
    clean: bool,
}

impl Data {
    pub(super) async fn run(&self, global: &Global) -> Result<()> {
        match self {
            Self::Pack(pack) => {
                let contributor = match &pack.contributor {
                    Some(text) => AccountId::from_str(text)
                        .map_err(|error| anyhow::anyhow!("{text} is no account: {error}"))?,
                    None => global.key()?.account(),
                };
                let result = pack.run(&contributor)?;
                global.print(&result);
            }
            Self::Publish { payload } => {
                let id = publish(&global.store()?, payload).await?;
                global.print(&serde_json::json!({ "content": format!("0x{}", hex::encode(id)) }));
            }
            Self::Copies(command) => global.print(&command.run(global).await?),
        }
        Ok(())
    }
}

async fn publish(store: &ContentStore, path: &Path) -> Result<attribution_proof::ContentId> {
    let blob = read(path)?;
    // A payload of whoever; that its leaves are the registered ones is checked by whoever reads it.
    ensure!(
        blob.starts_with(b"OLDP\x01") && Vec::<Vec<u8>>::decode(&mut &blob[5..]).is_ok(),
        "{} is no payload; make one with data pack",
        path.display()
    );
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

impl Pack {
    fn run(&self, contributor: &AccountId) -> Result<serde_json::Value> {
        let mut records = Vec::new();
        for file in &self.files {
            if file
                .extension()
                .is_some_and(|extension| extension == "jsonl")
            {
                read_lines(file, &mut records)?;
            } else {
                records.push(read(file)?);
            }
        }
        let media = match self.media {
            Media::Text => MediaType::Text,
            Media::Binary => MediaType::Binary,
        };
        if self.clean {
            ensure!(media == MediaType::Text, "--clean is for text");
            for record in &mut records {
                *record = clean(record)?;
            }
        }
        let payload = Payload::new(contributor, media, records)?;
        let blob = payload.encode();
        std::fs::write(&self.output, &blob)
            .with_context(|| format!("cannot write {}", self.output.display()))?;
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
}

fn read(path: &Path) -> Result<Vec<u8>> {
    // A record is loaded whole, so a huge file is refused before it fills the memory.
    let most = 16 * crate::payload::MAX_RECORD_BYTES as u64;
    let length = std::fs::metadata(path)
        .with_context(|| format!("cannot read {}", path.display()))?
        .len();
    ensure!(
        length <= most,
        "{} has {length} bytes, the most is {most}: split it",
        path.display()
    );
    std::fs::read(path).with_context(|| format!("cannot read {}", path.display()))
}

/// Appends the field `text` of every line.
fn read_lines(path: &Path, records: &mut Vec<Vec<u8>>) -> Result<()> {
    let file =
        std::fs::File::open(path).with_context(|| format!("cannot read {}", path.display()))?;
    for (number, line) in (1..).zip(BufReader::new(file).lines()) {
        let place = || format!("{}, line {number}", path.display());
        let line = line.with_context(place)?;
        if line.trim().is_empty() {
            continue;
        }
        let value: serde_json::Value = serde_json::from_str(&line).with_context(place)?;
        match value.get("text").and_then(serde_json::Value::as_str) {
            Some(text) => records.push(text.as_bytes().to_vec()),
            None => bail!("{}: there is no field \"text\" with a string", place()),
        }
    }
    Ok(())
}

/// Makes text fit the text rule.
fn clean(record: &[u8]) -> Result<Vec<u8>> {
    let text = std::str::from_utf8(record).context("only UTF-8 text can be cleaned")?;
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
        std::fs::write(path("a.txt"), "one \r\ntwo\n").unwrap();
        std::fs::write(
            path("b.jsonl"),
            "{\"text\": \"three\"}\n\n{\"text\": \"four\"}\n",
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
        std::fs::write(path("latin"), [0xe9]).unwrap();
        assert!(fail("latin").contains("UTF-8"));
        let store = ContentStore::open(path("store").to_str().unwrap()).unwrap();
        let error = publish(&store, &path("latin")).await.unwrap_err();
        assert!(error.to_string().contains("data pack"), "{error}");
    }
}
