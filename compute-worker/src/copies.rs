//! Copies: records of a contribution that somebody else had contributed first.

use crate::{
    chain::{ChainError, Client, ContributionDetails, TombstoneCause},
    dataset::{payload, DatasetError},
    payload::Payload,
    store::ContentStore,
};
use attribution_proof::{record::RecordOpening, ContributionId};
use std::collections::{btree_map::Entry, BTreeMap, BTreeSet};

/// Why copies cannot be looked for.
#[derive(Debug, thiserror::Error)]
pub enum CopiesError {
    /// The chain.
    #[error(transparent)]
    Chain(#[from] ChainError),
    /// A payload cannot be read.
    #[error(transparent)]
    Dataset(#[from] DatasetError),
    /// There is no such contribution.
    #[error("there is no contribution {0}; `contributions` of pallet `datanets` lists all")]
    Unknown(ContributionId),
}

/// A record and the earlier one that it is a copy of, ready to be proven on chain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CopiedRecord {
    /// The copy.
    pub copy: RecordOpening,
    /// The contribution that had it first.
    pub earlier: ContributionId,
    /// The original.
    pub original: RecordOpening,
}

/// Finds the records of contribution `later` that another contributor had first, as the chain would
/// accept it: in an accepted contribution with a smaller number that is live or was superseded, and
/// not below the least length. Records that fell already are left out.
///
/// An earlier contribution whose payload is not at hand cannot be compared; it is logged and left out.
pub async fn find_copies(
    chain: &Client,
    store: &ContentStore,
    later: ContributionId,
) -> Result<Vec<CopiedRecord>, CopiesError> {
    let details = chain.contribution(later).await?;
    let details = details.ok_or(CopiesError::Unknown(later))?;
    let ruleset = chain.ruleset(details.ruleset).await?;
    let shortest = ruleset.map_or(0, |rules| rules.data.minimum_record_bytes);
    let copies = payload(store, later, &details).await?;
    let fallen = chain.record_tombstones(later).await?;
    let mut wanted = wanted(&copies, shortest, &fallen.into_keys().collect());
    let mut found = Vec::new();
    for earlier in 1..later {
        if wanted.is_empty() {
            break;
        }
        let Some(original) = chain.contribution(earlier).await? else {
            continue;
        };
        if !is_original(&original, &details) {
            continue;
        }
        let originals = match payload(store, earlier, &original).await {
            Ok(originals) => originals,
            Err(error) => {
                tracing::warn!(earlier, %error, "cannot compare");
                continue;
            }
        };
        let fallen = chain.record_tombstones(earlier).await?;
        found.extend(matches(
            &copies,
            &mut wanted,
            earlier,
            &originals,
            &fallen.into_keys().collect(),
        ));
    }
    Ok(found)
}

/// Whether the records of `original` count as earlier than those of `copy`.
fn is_original(original: &ContributionDetails, copy: &ContributionDetails) -> bool {
    original.contributor != copy.contributor
        && original.acceptance().is_some()
        && original
            .tombstone
            .as_ref()
            .is_none_or(|tombstone| tombstone.cause == TombstoneCause::Superseded)
}

/// The records that may be copies, by commitment.
fn wanted(
    copies: &Payload,
    shortest: u32,
    fallen: &BTreeSet<u32>,
) -> BTreeMap<attribution_proof::hash::Hash, Vec<u32>> {
    let mut wanted = BTreeMap::<_, Vec<u32>>::new();
    for ((index, commit), record) in (0u32..).zip(&copies.commits).zip(&copies.records) {
        if record.len() >= shortest as usize && !fallen.contains(&index) {
            wanted.entry(*commit).or_default().push(index);
        }
    }
    wanted
}

/// Takes the records that are in `originals` out of `wanted`.
fn matches(
    copies: &Payload,
    wanted: &mut BTreeMap<attribution_proof::hash::Hash, Vec<u32>>,
    earlier: ContributionId,
    originals: &Payload,
    fallen: &BTreeSet<u32>,
) -> Vec<CopiedRecord> {
    let mut found = Vec::new();
    for (index, commit) in (0u32..).zip(&originals.commits) {
        if fallen.contains(&index) {
            continue;
        }
        let Entry::Occupied(copied) = wanted.entry(*commit) else {
            continue;
        };
        for copy in copied.remove() {
            if let (Some(copy), Some(original)) = (copies.opening(copy), originals.opening(index)) {
                found.push(CopiedRecord {
                    copy,
                    earlier,
                    original,
                });
            }
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use attribution_proof::{contribution::MediaType, AccountId};

    fn payload(contributor: u8, records: &[&str]) -> Payload {
        let records = records.iter().map(|record| record.repeat(20).into_bytes());
        let contributor = AccountId::new([contributor; 32]);
        Payload::new(&contributor, MediaType::Text, records.collect()).unwrap()
    }

    #[test]
    fn success_every_copy_is_found_once_with_openings_that_hold() {
        let original = payload(1, &["one\n", "two\n", "three\n"]);
        let copy = payload(2, &["new\n", "three\n", "one\n", "three\n"]);
        let mut open = wanted(&copy, 1, &BTreeSet::new());
        let found = matches(&copy, &mut open, 7, &original, &BTreeSet::new());
        let pairs: Vec<_> = found
            .iter()
            .map(|found| (found.copy.index, found.original.index))
            .collect();
        assert_eq!(pairs, [(2, 0), (1, 2), (3, 2)]);
        for found in &found {
            assert_eq!(found.earlier, 7);
            let who = |contributor| AccountId::new([contributor; 32]);
            assert_eq!(found.copy.verify(&who(2), &copy.commitment()), Ok(()));
            assert_eq!(
                found.original.verify(&who(1), &original.commitment()),
                Ok(())
            );
            assert_eq!(found.copy.commit(), found.original.commit());
        }
        assert_eq!(open.len(), 1, "the new record is nobody's copy");
    }

    #[test]
    fn success_short_and_fallen_records_are_left_out() {
        let original = payload(1, &["one\n", "two\n"]);
        let copy = payload(2, &["one\n", "two\n"]);
        assert!(wanted(&copy, 81, &BTreeSet::new()).is_empty());
        let mut open = wanted(&copy, 80, &BTreeSet::from([0]));
        let found = matches(&copy, &mut open, 1, &original, &BTreeSet::from([1]));
        assert_eq!(found, []);
    }
}
