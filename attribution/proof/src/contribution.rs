//! Contributions and the snapshot chain of a Datanet.

use crate::{
    hash::{hash_encoded, Hash, Tag},
    licence::Licence,
    merkle::Commitment,
    AccountId, ContentId, ContributionId, DatanetId,
};
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use scale_info::TypeInfo;

/// What the records of a contribution are.
#[derive(
    Clone,
    Copy,
    Debug,
    PartialEq,
    Eq,
    Encode,
    Decode,
    DecodeWithMemTracking,
    MaxEncodedLen,
    TypeInfo,
)]
pub enum MediaType {
    /// UTF-8 text without CR, NUL or blanks at the end of a line.
    #[codec(index = 0)]
    Text,
    /// Any bytes.
    #[codec(index = 1)]
    Binary,
}

/// The immutable part of an accepted contribution: what a snapshot commits to.
#[derive(
    Clone, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo,
)]
pub struct Contribution {
    /// Global sequence number, from 1, given when it was submitted.
    pub sequence: ContributionId,
    /// The Datanet.
    pub datanet: DatanetId,
    /// Position among the accepted contributions of the Datanet.
    pub index: u32,
    /// Who contributed and stands in every record leaf.
    pub contributor: AccountId,
    /// Commitment over the record leaves.
    pub leaves: Commitment,
    /// Records in the contributions accepted before it: the ordinal of its first record.
    pub records_before: u32,
    /// Sum of the records' bytes, as declared.
    pub bytes: u64,
    /// What the records are.
    pub media: MediaType,
    /// Where the payload lies in the content store.
    pub content: ContentId,
    /// Licence.
    pub licence: Licence,
    /// An earlier contribution of the same contributor that it replaces.
    pub supersedes: Option<ContributionId>,
}

/// `h_n = H(h_{n-1} ‖ contribution_n)`; `h_0` is zero.
pub fn snapshot_link(previous: &Hash, contribution: &Contribution) -> Hash {
    hash_encoded(Tag::Snapshot, &(previous, contribution))
}

/// A named version of a Datanet: its first `length` accepted contributions.
#[derive(
    Clone,
    Copy,
    Debug,
    PartialEq,
    Eq,
    Encode,
    Decode,
    DecodeWithMemTracking,
    MaxEncodedLen,
    TypeInfo,
)]
pub struct Snapshot {
    /// The Datanet.
    pub datanet: DatanetId,
    /// Number of accepted contributions.
    pub length: u32,
    /// `h_length`.
    pub head: Hash,
    /// Records in them: what the next input's ordinals start from.
    pub records: u32,
}

/// Ordinal of the first record of input `position` among a job's input snapshots.
pub fn first_ordinal(inputs: &[Snapshot], position: usize) -> Option<u32> {
    inputs
        .get(..position)?
        .iter()
        .try_fold(0u32, |sum, snapshot| sum.checked_add(snapshot.records))
}

/// Ordinal among a job's input records of record `record` of the contribution that is number `index`
/// in `datanet` and follows `records_before` records there. `None` when no input snapshot holds the
/// record. That the contribution has so many records is for the caller to check: one too many would
/// be the first record of the next contribution.
pub fn ordinal(
    inputs: &[Snapshot],
    datanet: DatanetId,
    index: u32,
    records_before: u32,
    record: u32,
) -> Option<u32> {
    let position = inputs.iter().position(|input| input.datanet == datanet)?;
    let input = inputs.get(position).filter(|input| index < input.length)?;
    let within = records_before
        .checked_add(record)
        .filter(|within| *within < input.records)?;
    first_ordinal(inputs, position)?.checked_add(within)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn inputs() -> [Snapshot; 2] {
        [(7, 2, 10), (3, 4, 25)].map(|(datanet, length, records)| Snapshot {
            datanet,
            length,
            head: Hash::zero(),
            records,
        })
    }

    #[test]
    fn success_ordinals_follow_the_order_of_inputs() {
        assert_eq!(ordinal(&inputs(), 7, 0, 0, 0), Some(0));
        assert_eq!(ordinal(&inputs(), 7, 1, 4, 5), Some(9));
        assert_eq!(ordinal(&inputs(), 3, 0, 0, 0), Some(10));
        assert_eq!(ordinal(&inputs(), 3, 3, 20, 4), Some(34));
    }

    #[test]
    fn fails_when_the_inputs_do_not_hold_the_record() {
        assert_eq!(ordinal(&inputs(), 4, 0, 0, 0), None, "another Datanet");
        assert_eq!(
            ordinal(&inputs(), 7, 2, 4, 0),
            None,
            "accepted after the snapshot"
        );
        assert_eq!(
            ordinal(&inputs(), 7, 1, 4, 6),
            None,
            "past the snapshot's records"
        );
        assert_eq!(ordinal(&inputs(), 3, 3, u32::MAX, 1), None, "overflow");
        assert_eq!(ordinal(&[], 7, 0, 0, 0), None, "no inputs");
    }
}
