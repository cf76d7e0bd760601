//! What the pallet stores and announces.

use attribution_proof::{
    bounds::CHUNK_BYTES,
    contribution::{Contribution, MediaType, Snapshot},
    hash::Hash,
    licence::{Licence, Terms},
    merkle::Commitment,
    record::Defect,
    split::{Parts, BILLION},
    AccountId, Balance, BlockNumber, ContentId, ContributionId, DatanetId, RulesetId,
};
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use frame_support::{traits::ConstU32, BoundedVec};
use scale_info::TypeInfo;

/// Longest name of a Datanet in bytes.
pub const MAX_NAME: u32 = 256;
/// Most curators of a Datanet: what one decisive vote has to touch.
pub const MAX_CURATORS: u32 = 16;
/// Most entries that a paged view function reads.
pub const MAX_PAGE: u32 = 100;
/// Chunks of the longest record: no record has a chunk with this index.
pub const MAX_CHUNKS: u32 = u32::MAX.div_ceil(CHUNK_BYTES);

/// A demand's number, from 1.
pub type DemandId = u64;
/// Name of a Datanet: UTF-8 without control characters.
pub type Name = BoundedVec<u8, ConstU32<MAX_NAME>>;
/// The curators whom a Datanet names.
pub type Curators = BoundedVec<AccountId, ConstU32<MAX_CURATORS>>;
/// The votes on one contribution, in the order they were cast.
pub type VoteList = BoundedVec<Vote, ConstU32<MAX_CURATORS>>;

/// Who accepts contributions.
#[derive(
    Clone, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo,
)]
pub enum DatanetKind {
    /// Nobody: a contribution is accepted when its window has passed.
    #[codec(index = 0)]
    Open,
    /// Named curators who have placed a stake, `threshold` of them.
    #[codec(index = 1)]
    Curated {
        /// The curators.
        curators: Curators,
        /// Equal votes that decide, from 1 to the number of curators.
        threshold: u32,
    },
}

/// How many live accepted contributions forbid or demand what. The meet of their terms follows from
/// these counts without a loop.
#[derive(
    Clone,
    Copy,
    Debug,
    Default,
    PartialEq,
    Eq,
    Encode,
    Decode,
    DecodeWithMemTracking,
    MaxEncodedLen,
    TypeInfo,
)]
pub struct TermCounts {
    /// Those that forbid derivatives.
    pub no_derivatives: u32,
    /// Those that forbid commercial use.
    pub no_commercial: u32,
    /// Those that demand the same terms.
    pub share_alike: u32,
    /// Those that demand that their source is named.
    pub attribution: u32,
}

impl TermCounts {
    fn each(&mut self, terms: &Terms, change: impl Fn(&mut u32)) {
        let counted = [
            (!terms.derivatives, &mut self.no_derivatives),
            (!terms.commercial, &mut self.no_commercial),
            (terms.share_alike, &mut self.share_alike),
            (terms.attribution, &mut self.attribution),
        ];
        for (_, count) in counted.into_iter().filter(|(counts, _)| *counts) {
            change(count);
        }
    }

    /// Counts a contribution that became live.
    pub fn add(&mut self, terms: &Terms) {
        self.each(terms, |count| *count = count.saturating_add(1));
    }

    /// Counts a contribution out that is no longer live.
    pub fn remove(&mut self, terms: &Terms) {
        self.each(terms, |count| *count = count.saturating_sub(1));
    }

    /// The meet of all counted terms; [`Terms::FREE`] of none.
    pub const fn meet(&self) -> Terms {
        Terms {
            derivatives: self.no_derivatives == 0,
            commercial: self.no_commercial == 0,
            share_alike: self.share_alike > 0,
            attribution: self.attribution > 0,
        }
    }
}

/// A Datanet.
#[derive(
    Clone, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo,
)]
pub struct DatanetDetails {
    /// Who created it and whose deposit is held.
    pub owner: AccountId,
    /// Its name.
    pub name: Name,
    /// Who accepts contributions.
    pub kind: DatanetKind,
    /// Deposit held from the owner, in base units.
    pub deposit: Balance,
    /// Accepted contributions, tombstoned ones included.
    pub length: u32,
    /// Records in them.
    pub records: u32,
    /// Head of the snapshot chain; zero before the first acceptance.
    pub head: Hash,
    /// Terms of the live accepted contributions.
    pub term_counts: TermCounts,
}

impl DatanetDetails {
    /// The newest snapshot.
    pub const fn snapshot(&self, datanet: DatanetId) -> Snapshot {
        Snapshot {
            datanet,
            length: self.length,
            head: self.head,
            records: self.records,
        }
    }
}

/// Where an accepted contribution stands in its Datanet.
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
pub struct Acceptance {
    /// Position among the accepted contributions.
    pub index: u32,
    /// Records in those before it.
    pub records_before: u32,
    /// Head of the snapshot chain after it.
    pub snapshot: Hash,
    /// Block of acceptance.
    pub at: BlockNumber,
}

/// Where a contribution is on its way.
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
pub enum ContributionState {
    /// Submitted.
    #[codec(index = 0)]
    Pending,
    /// In the snapshot chain, for good: what ends it later is a tombstone.
    #[codec(index = 1)]
    Accepted(Acceptance),
    /// Refused by the curators. It stays until its contributor takes the stake back or the time for
    /// an appeal is over.
    #[codec(index = 2)]
    Rejected {
        /// Block of the decision.
        at: BlockNumber,
    },
}

/// Why a contribution ended.
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
pub enum TombstoneCause {
    /// Too many of its records were proven to be copies or malformed.
    #[codec(index = 0)]
    Slashed,
    /// Its contributor withdrew it.
    #[codec(index = 1)]
    Withdrawn,
    /// A later contribution of the same contributor replaced it.
    #[codec(index = 2)]
    Superseded,
    /// Too many of its records fell, the last one because a demand was not answered.
    #[codec(index = 3)]
    Withheld,
    /// Governance overruled its acceptance.
    #[codec(index = 4)]
    Overruled,
    /// Curators did not decide in time, or nobody appealed against their rejection in time.
    #[codec(index = 5)]
    Lapsed,
}

impl TombstoneCause {
    /// Whether the contribution fell by a proof against its records.
    pub const fn is_fall(self) -> bool {
        matches!(self, Self::Slashed | Self::Withheld)
    }
}

/// The end of a contribution. Training jobs taken from `at` on do not use it.
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
pub struct Tombstone {
    /// Block in which it ended.
    pub at: BlockNumber,
    /// Why.
    pub cause: TombstoneCause,
}

/// A contribution.
#[derive(
    Clone, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo,
)]
pub struct ContributionDetails {
    /// The Datanet.
    pub datanet: DatanetId,
    /// Who contributed and stands in every record leaf.
    pub contributor: AccountId,
    /// Commitment over the record leaves.
    pub leaves: Commitment,
    /// Sum of the records' bytes, as declared.
    pub bytes: u64,
    /// What the records are.
    pub media: MediaType,
    /// Where the payload lies in the content store.
    pub content: ContentId,
    /// Licence.
    pub licence: Licence,
    /// The contribution that this one replaces once accepted.
    pub supersedes: Option<ContributionId>,
    /// The ruleset it lives under.
    pub ruleset: RulesetId,
    /// Stake that was placed, in base units. Each record stands for an equal part of it.
    pub stake: Balance,
    /// What is still held of the stake, in base units.
    pub held: Balance,
    /// Block of submission.
    pub submitted_at: BlockNumber,
    /// Where it is on its way.
    pub state: ContributionState,
    /// Its end.
    pub tombstone: Option<Tombstone>,
    /// Records that were proven to be copies, malformed or withheld.
    pub fallen_records: u32,
    /// Demands for its chunks that wait for an answer.
    pub open_demands: u32,
}

impl ContributionDetails {
    /// What a snapshot commits to, for a contribution accepted at `index` after `records_before`
    /// records.
    pub fn object(
        &self,
        sequence: ContributionId,
        index: u32,
        records_before: u32,
    ) -> Contribution {
        Contribution {
            sequence,
            datanet: self.datanet,
            index,
            contributor: self.contributor.clone(),
            leaves: self.leaves,
            records_before,
            bytes: self.bytes,
            media: self.media,
            content: self.content,
            licence: self.licence.clone(),
            supersedes: self.supersedes,
        }
    }

    /// Its place in the Datanet, if it was accepted.
    pub const fn acceptance(&self) -> Option<Acceptance> {
        match self.state {
            ContributionState::Accepted(acceptance) => Some(acceptance),
            ContributionState::Pending | ContributionState::Rejected { .. } => None,
        }
    }

    /// Whether challenges and expired demands still cost something: it is not rejected, and it is live
    /// or its stake is still held after its end.
    pub const fn is_liable(&self) -> bool {
        !matches!(self.state, ContributionState::Rejected { .. })
            && (self.tombstone.is_none() || self.held > 0)
    }

    /// The part of the stake that one record stands for: an equal part, rounded down.
    pub fn stake_per_record(&self) -> Balance {
        self.stake
            .checked_div(Balance::from(self.leaves.count))
            .unwrap_or_default()
    }

    /// Whether more than `threshold` of the records have fallen.
    pub fn is_over(&self, threshold: Parts) -> bool {
        let fallen = u64::from(self.fallen_records).saturating_mul(u64::from(BILLION));
        fallen > u64::from(self.leaves.count).saturating_mul(u64::from(threshold))
    }
}

/// A curator's stake in one Datanet.
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
pub struct CuratorDetails {
    /// Stake held, in base units; zero after it was slashed and until the curator joins again.
    pub stake: Balance,
    /// Votes on contributions that are not decided yet.
    pub open_votes: u32,
    /// Last block in which one of the decisions he took part in can be appealed against.
    pub liable_until: BlockNumber,
}

/// A curator's vote.
#[derive(
    Clone, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo,
)]
pub struct Vote {
    /// The curator.
    pub curator: AccountId,
    /// Whether he approves.
    pub approve: bool,
}

/// Approvals and rejections among `votes`.
pub fn tally(votes: &[Vote]) -> (u32, u32) {
    votes
        .iter()
        .fold((0, 0), |(approvals, rejections): (u32, u32), vote| {
            if vote.approve {
                (approvals.saturating_add(1), rejections)
            } else {
                (approvals, rejections.saturating_add(1))
            }
        })
}

/// A demand that one chunk of a record be shown on chain.
#[derive(
    Clone, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo,
)]
pub struct DemandDetails {
    /// Who demands and whose bond is held.
    pub demander: AccountId,
    /// The contribution.
    pub contribution: ContributionId,
    /// Index of the record in it.
    pub record: u32,
    /// Index of the chunk in the record.
    pub chunk: u32,
    /// Bond held, in base units.
    pub bond: Balance,
    /// Last block in which it can be answered.
    pub expires: BlockNumber,
}

/// What brought a record down.
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
pub enum Fault {
    /// It is a copy.
    #[codec(index = 0)]
    Duplicate {
        /// The contribution that had it first.
        earlier: ContributionId,
        /// Index of the record in it.
        record: u32,
    },
    /// It breaks the rules of its format.
    #[codec(index = 1)]
    Malformed {
        /// How.
        defect: Defect,
    },
    /// It was demanded and not shown.
    #[codec(index = 2)]
    Withheld {
        /// The demand.
        demand: DemandId,
        /// Index of the chunk that was not shown.
        chunk: u32,
    },
}

impl Fault {
    /// Why a contribution ends that falls by this.
    pub const fn cause(&self) -> TombstoneCause {
        match self {
            Self::Duplicate { .. } | Self::Malformed { .. } => TombstoneCause::Slashed,
            Self::Withheld { .. } => TombstoneCause::Withheld,
        }
    }
}

/// Why the evidence of a challenge proved nothing.
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
pub enum RejectionReason {
    /// The opening of the challenged record does not verify.
    #[codec(index = 0)]
    RecordOpening,
    /// The opening of the earlier record does not verify.
    #[codec(index = 1)]
    EarlierRecordOpening,
    /// The opening of a chunk does not verify.
    #[codec(index = 2)]
    ChunkOpening,
    /// The two records are not the same.
    #[codec(index = 3)]
    DifferentRecords,
    /// The records are shorter than the ruleset asks: shared boilerplate is no theft.
    #[codec(index = 4)]
    TooShort,
    /// The shown chunks obey the rules.
    #[codec(index = 5)]
    NoDefect,
}

/// What other pallets ask about an accepted contribution.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, TypeInfo)]
pub struct AcceptedContribution {
    /// The Datanet.
    pub datanet: DatanetId,
    /// Position among its accepted contributions.
    pub index: u32,
    /// Records in those before it.
    pub records_before: u32,
    /// Commitment over its record leaves.
    pub leaves: Commitment,
    /// Its contributor.
    pub contributor: AccountId,
    /// What its records are.
    pub media: MediaType,
    /// Block in which it ended, if it did.
    pub tombstoned_at: Option<BlockNumber>,
}
