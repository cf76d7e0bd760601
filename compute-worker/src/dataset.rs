//! A job's input records, from the chain's commitments and the content store's payloads.
//!
//! The records of all accepted contributions of the input snapshots, in order, have the ordinals
//! `0..n`. One that was tombstoned when the job was taken keeps its ordinal and its leaf but is not
//! trained on. Its payload is needed all the same: the leaf stands in the influence index, and a wrong
//! one voids the job.

use crate::{
    chain::{ChainError, Client, ContributionDetails},
    payload::{Payload, PayloadError, MAX_PAYLOAD_BYTES},
    store::{ContentStore, StoreError},
};
use attribution_proof::{
    contribution::{snapshot_link, MediaType, Snapshot},
    hash::Hash,
    AccountId, BlockNumber, ContributionId, DatanetId,
};
use std::collections::BTreeMap;

/// Why a job's inputs cannot be put together.
#[derive(Debug, thiserror::Error)]
pub enum DatasetError {
    /// The chain.
    #[error(transparent)]
    Chain(#[from] ChainError),
    /// A payload is not in the store, or damaged there.
    #[error(
        "the payload of contribution {contribution} by {contributor} cannot be used: {source}"
    )]
    Store {
        /// The contribution.
        contribution: ContributionId,
        /// Who has to publish it.
        contributor: AccountId,
        /// What is wrong with the blob.
        source: StoreError,
    },
    /// A payload does not hold what the contribution committed to.
    #[error("the payload of contribution {contribution} by {contributor} is not what was committed to: {source}; challenge it, or leave its Datanet out")]
    Payload {
        /// The contribution.
        contribution: ContributionId,
        /// Who published it.
        contributor: AccountId,
        /// What is wrong with it.
        source: PayloadError,
    },
    /// The chain's entries do not lead to the snapshot.
    #[error("the contributions of Datanet {datanet} do not lead to snapshot {length}: {reason}; the node's state is damaged, use another node")]
    Snapshot {
        /// The Datanet.
        datanet: DatanetId,
        /// The snapshot's length.
        length: u32,
        /// What does not fit.
        reason: String,
    },
}

/// A contribution among a job's inputs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Source {
    /// Its number.
    pub contribution: ContributionId,
    /// What the chain says about it.
    pub details: ContributionDetails,
    /// Its records that fell one by one, with the block from which each does not count.
    pub tombstones: BTreeMap<u32, BlockNumber>,
}

impl Source {
    /// Whether record `index` did not count any more in block `at`.
    fn is_absent(&self, index: u32, at: BlockNumber) -> bool {
        let whole = self
            .details
            .tombstone
            .as_ref()
            .map(|tombstone| tombstone.at);
        let own = self.tombstones.get(&index).copied();
        whole
            .into_iter()
            .chain(own)
            .any(|tombstone| tombstone <= at)
    }
}

/// One input record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InputRecord {
    /// The contribution that it belongs to.
    pub contribution: ContributionId,
    /// Index in the contribution.
    pub index: u32,
    /// Its leaf, which contains index and contributor.
    pub leaf: Hash,
    /// Its commitment, by which copies are found.
    pub commit: Hash,
    /// Whether it was tombstoned when the job was taken.
    pub absent: bool,
    /// Whether it is text.
    pub is_text: bool,
    /// Its bytes.
    pub bytes: Vec<u8>,
}

/// The input records of a job in the order of their ordinals.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Dataset {
    /// The records; position is ordinal.
    pub records: Vec<InputRecord>,
    /// Who contributed what.
    pub contributors: BTreeMap<ContributionId, AccountId>,
}

impl Dataset {
    /// Resolves and verifies the records of `inputs` as they stood in block `taken_at`.
    pub async fn resolve(
        chain: &Client,
        store: &ContentStore,
        inputs: &[Snapshot],
        taken_at: BlockNumber,
    ) -> Result<Self, DatasetError> {
        let mut dataset = Self::default();
        for snapshot in inputs {
            for source in sources(chain, snapshot).await? {
                dataset.append(store, source, taken_at).await?;
            }
        }
        Ok(dataset)
    }

    async fn append(
        &mut self,
        store: &ContentStore,
        source: Source,
        taken_at: BlockNumber,
    ) -> Result<(), DatasetError> {
        let contribution = source.contribution;
        let details = &source.details;
        let payload = payload(store, contribution, details).await?;
        let commitments = payload.leaves.into_iter().zip(payload.commits);
        for ((index, bytes), (leaf, commit)) in (0u32..).zip(payload.records).zip(commitments) {
            self.records.push(InputRecord {
                contribution,
                index,
                leaf,
                commit,
                absent: source.is_absent(index, taken_at),
                is_text: details.media == MediaType::Text,
                bytes,
            });
        }
        self.contributors
            .insert(contribution, details.contributor.clone());
        Ok(())
    }

    /// The contribution that owns each ordinal.
    pub fn owners(&self) -> Vec<ContributionId> {
        self.records
            .iter()
            .map(|record| record.contribution)
            .collect()
    }

    /// The record leaves, for the influence index.
    pub fn leaves(&self) -> Vec<Hash> {
        self.records.iter().map(|record| record.leaf).collect()
    }

    /// The record commitments, by which copies are found.
    pub fn commits(&self) -> Vec<Hash> {
        self.records.iter().map(|record| record.commit).collect()
    }

    /// Which records were not trained on.
    pub fn tombstoned(&self) -> Vec<bool> {
        self.records.iter().map(|record| record.absent).collect()
    }

    /// The bytes that were trained on, nothing where a record is absent.
    pub fn present(&self) -> Vec<Option<&[u8]>> {
        let bytes = self
            .records
            .iter()
            .map(|record| (!record.absent).then_some(&*record.bytes));
        bytes.collect()
    }
}

/// The records of a contribution, checked against what it committed to.
pub(crate) async fn payload(
    store: &ContentStore,
    contribution: ContributionId,
    details: &ContributionDetails,
) -> Result<Payload, DatasetError> {
    let contributor = &details.contributor;
    let blob = store
        .get_at_most(&details.content, MAX_PAYLOAD_BYTES as u64)
        .await
        .map_err(|source| DatasetError::Store {
            contribution,
            contributor: contributor.clone(),
            source,
        })?;
    Payload::decode(&blob, contributor, details.media, &details.leaves).map_err(|source| {
        DatasetError::Payload {
            contribution,
            contributor: contributor.clone(),
            source,
        }
    })
}

/// The contributions of a snapshot in order, checked against its head.
pub(crate) async fn sources(
    chain: &Client,
    snapshot: &Snapshot,
) -> Result<Vec<Source>, DatasetError> {
    let accepted = chain.accepted_contributions(snapshot.datanet).await?;
    let mut sources = Vec::new();
    for contribution in accepted.into_iter().take(snapshot.length as usize) {
        let details = chain.contribution(contribution).await?.ok_or_else(|| {
            wrong(
                snapshot,
                format!("contribution {contribution} is accepted but not there"),
            )
        })?;
        let tombstones = chain.record_tombstones(contribution).await?;
        sources.push(Source {
            contribution,
            details,
            tombstones,
        });
    }
    check_snapshot(snapshot, &sources)?;
    Ok(sources)
}

fn wrong(snapshot: &Snapshot, reason: String) -> DatasetError {
    DatasetError::Snapshot {
        datanet: snapshot.datanet,
        length: snapshot.length,
        reason,
    }
}

/// Checks that `sources` are what the snapshot's head commits to.
fn check_snapshot(snapshot: &Snapshot, sources: &[Source]) -> Result<(), DatasetError> {
    if sources.len() != snapshot.length as usize {
        return Err(wrong(
            snapshot,
            format!("{} contributions are there", sources.len()),
        ));
    }
    let mut head = Hash::zero();
    for source in sources {
        let object = source.details.object(source.contribution).ok_or_else(|| {
            wrong(
                snapshot,
                format!("contribution {} is not accepted", source.contribution),
            )
        })?;
        head = snapshot_link(&head, &object);
    }
    if head != snapshot.head {
        return Err(wrong(
            snapshot,
            format!("they hash to {head:?}, not {:?}", snapshot.head),
        ));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chain::{Acceptance, ContributionState, Tombstone, TombstoneCause};
    use attribution_proof::licence::{Licence, Terms};

    const TAKEN: BlockNumber = 50;

    /// A contribution of a payload that is also published.
    async fn source(
        store: &ContentStore,
        contribution: ContributionId,
        records: &[&str],
    ) -> (Source, Payload) {
        let contributor = AccountId::new([contribution as u8; 32]);
        let records = records
            .iter()
            .map(|record| record.as_bytes().to_vec())
            .collect();
        let payload = Payload::new(&contributor, MediaType::Text, records).unwrap();
        let content = store.put(payload.encode()).await.unwrap();
        let details = ContributionDetails {
            datanet: 1,
            contributor,
            leaves: payload.commitment(),
            bytes: payload.bytes(),
            media: MediaType::Text,
            content,
            licence: Licence {
                spdx: b"MIT".to_vec().try_into().unwrap(),
                terms: Terms {
                    derivatives: true,
                    commercial: true,
                    share_alike: false,
                    attribution: true,
                },
            },
            supersedes: None,
            ruleset: 0,
            stake: 1,
            held: 1,
            submitted_at: 1,
            state: ContributionState::Accepted(Acceptance {
                index: 0,
                records_before: 0,
                snapshot: Hash::zero(),
                at: 2,
            }),
            tombstone: None,
            fallen_records: 0,
            open_demands: 0,
        };
        (
            Source {
                contribution,
                details,
                tombstones: BTreeMap::new(),
            },
            payload,
        )
    }

    fn open() -> (tempfile::TempDir, ContentStore) {
        let folder = tempfile::tempdir().unwrap();
        let store = ContentStore::open(folder.path().to_str().unwrap()).unwrap();
        (folder, store)
    }

    #[tokio::test]
    async fn success_ordinals_follow_contributions_and_tombstones_keep_theirs() {
        let (_folder, store) = open();
        let (first, first_payload) = source(&store, 1, &["one", "two"]).await;
        let (mut second, _) = source(&store, 2, &["three", "two", "five"]).await;
        second.tombstones = BTreeMap::from([(0, TAKEN), (2, TAKEN + 1)]);
        let (mut third, _) = source(&store, 3, &["six"]).await;
        third.details.tombstone = Some(Tombstone {
            at: 7,
            cause: TombstoneCause::Withdrawn,
        });
        let mut dataset = Dataset::default();
        for source in [first, second, third] {
            dataset.append(&store, source, TAKEN).await.unwrap();
        }
        assert_eq!(dataset.owners(), [1, 1, 2, 2, 2, 3]);
        assert_eq!(
            dataset.tombstoned(),
            [false, false, true, false, false, true]
        );
        let texts: Vec<_> = dataset.present();
        assert_eq!(texts[0], Some(b"one".as_slice()));
        assert_eq!((texts[2], texts[5]), (None, None));
        assert_eq!(
            texts[4],
            Some(b"five".as_slice()),
            "it fell after the job was taken"
        );
        assert_eq!(dataset.leaves()[..2], first_payload.leaves);
        let commits = dataset.commits();
        assert_eq!(commits[1], commits[3], "copies have one commitment");
        assert_ne!(
            dataset.leaves()[1],
            dataset.leaves()[3],
            "and leaves of their own"
        );
    }

    #[tokio::test]
    async fn fails_when_a_payload_is_missing_or_another() {
        let (_folder, store) = open();
        let (mut source, _) = source(&store, 9, &["one"]).await;
        let there = source.details.content;
        source.details.content = [0; 32];
        let missing = Dataset::default()
            .append(&store, source.clone(), TAKEN)
            .await
            .unwrap_err();
        let text = missing.to_string();
        assert!(matches!(
            missing,
            DatasetError::Store {
                contribution: 9,
                ..
            }
        ));
        assert!(
            text.contains(&source.details.contributor.to_string()),
            "{text}"
        );
        source.details.content = there;
        source.details.leaves.root = Hash::repeat_byte(1);
        let other = Dataset::default()
            .append(&store, source, TAKEN)
            .await
            .unwrap_err();
        assert!(matches!(
            other,
            DatasetError::Payload {
                contribution: 9,
                source: PayloadError::Root { .. },
                ..
            }
        ));
    }

    #[tokio::test]
    async fn fails_when_the_contributions_do_not_lead_to_the_snapshot() {
        let (_folder, store) = open();
        let (source, _) = source(&store, 4, &["one"]).await;
        let head = snapshot_link(&Hash::zero(), &source.details.object(4).unwrap());
        let snapshot = Snapshot {
            datanet: 1,
            length: 1,
            head,
            records: 1,
        };
        check_snapshot(&snapshot, std::slice::from_ref(&source)).unwrap();
        let short = Snapshot {
            length: 2,
            ..snapshot
        };
        let other = Snapshot {
            head: Hash::zero(),
            ..snapshot
        };
        for wrong in [short, other] {
            let error = check_snapshot(&wrong, std::slice::from_ref(&source)).unwrap_err();
            assert!(
                matches!(error, DatasetError::Snapshot { datanet: 1, .. }),
                "{error}"
            );
        }
    }
}
