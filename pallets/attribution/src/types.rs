//! What the pallet stores and shows, and the traits by which the runtime connects it to the pallets
//! that keep channels, operators, models and data.

use alloc::{boxed::Box, vec::Vec};
use attribution_proof::{
    bounds::{MAX_LINEAGE, MAX_TOTALS},
    challenge::{Mark, NotProven},
    hash::Hash,
    influence::{Query, RowOpening},
    merkle::{Commitment, MerkleError},
    model::Manifest,
    receipt::{ResponseChunkOpening, SignedReceipt},
    split::{Builders, Parts, Split},
    transcript::StepOpening,
    voucher::SignedVoucher,
    AccountId, Balance, BlockNumber, ChannelId, ContributionId, DatanetId, ModelId, RulesetId,
    SettlementId,
};
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use frame_support::{traits::ConstU32, BoundedVec};
use scale_info::TypeInfo;
use sp_runtime::DispatchError;

/// Bytes of the bitmap that says which entries of a settlement's totals are paid.
pub const BITMAP_BYTES: u32 = MAX_TOTALS.div_ceil(8);

/// A demand, numbered across all settlements from 1.
pub type DemandId = u64;

/// One bit per entry of a settlement's totals.
pub type Bitmap = BoundedVec<u8, ConstU32<BITMAP_BYTES>>;

/// The models whose indexes one query addresses.
pub type Lineage = BoundedVec<ModelId, ConstU32<MAX_LINEAGE>>;

/// How far a settlement is.
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
pub enum SettlementState {
    /// It can be challenged; all of its money waits in the pot.
    #[codec(index = 0)]
    Pending,
    /// Its window passed. Data and builders are paid by openings of its totals.
    #[codec(index = 1)]
    Final {
        /// The block in which it was finalised.
        at: BlockNumber,
    },
}

/// The settlement of a channel from one mark to the next.
#[derive(
    Clone, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo,
)]
pub struct Settlement {
    /// The channel.
    pub channel: ChannelId,
    /// Who paid, and gets the money back if a lie is proven.
    pub payer: AccountId,
    /// Who served and answers for every receipt with his bond.
    pub operator: AccountId,
    /// Ruleset of the channel.
    pub ruleset: RulesetId,
    /// Where the channel stood before.
    pub from: Mark,
    /// Where it stands now: after the receipt that the voucher names.
    pub to: Mark,
    /// The settled amount in base units, split. Its fields sum to the amount.
    pub split: Split,
    /// The last receipt's totals: who earns the data and builder shares.
    pub totals: Commitment,
    /// The block in which it was settled.
    pub opened_at: BlockNumber,
    /// Last block in which objects may be demanded.
    pub demands_until: BlockNumber,
    /// Last block in which it can be challenged. An answered demand moves it, so that whoever
    /// demanded has time to use the answer.
    pub window_end: BlockNumber,
    /// State.
    pub state: SettlementState,
    /// Which entries of the totals are paid.
    pub paid: Bitmap,
    /// Number of entries paid.
    pub paid_count: u32,
    /// Base units paid out of the data and builder shares.
    pub paid_sum: Balance,
    /// Demands that wait for an answer.
    pub open_demands: u32,
}

impl Settlement {
    /// The settled amount in base units.
    pub fn amount(&self) -> Balance {
        self.to.cumulative.saturating_sub(self.from.cumulative)
    }

    /// The data and builder shares together: what the totals hand out.
    pub fn shared(&self) -> Balance {
        self.split.data.saturating_add(self.split.builder)
    }

    /// Base units that wait in the pot for this settlement.
    pub fn in_pot(&self) -> Balance {
        match self.state {
            SettlementState::Pending => self.amount(),
            SettlementState::Final { .. } => self.shared().saturating_sub(self.paid_sum),
        }
    }

    /// Counts a demand that was answered at block `now`: the time for which the settlement stood still
    /// comes back, and `window` blocks are left to use the answer.
    pub(crate) fn demand_answered(
        &mut self,
        now: BlockNumber,
        stood_still: BlockNumber,
        window: BlockNumber,
    ) {
        self.open_demands = self.open_demands.saturating_sub(1);
        self.demands_until = self.demands_until.saturating_add(stood_still);
        self.window_end = self
            .window_end
            .saturating_add(stood_still)
            .max(now.saturating_add(window));
    }

    /// The last block of the window at the latest, if its time does not stand still: one demand window
    /// until the last answer, and one to use it.
    pub(crate) fn latest_window_end(&self, window: BlockNumber) -> BlockNumber {
        self.demands_until
            .saturating_add(window)
            .saturating_add(window)
    }

    /// Whether `sequence` is one of the receipts settled here.
    pub fn covers(&self, sequence: u64) -> bool {
        sequence > self.from.sequence && sequence <= self.to.sequence
    }

    /// Whether entry `index` of the totals is paid.
    pub fn is_paid(&self, index: u32) -> bool {
        bit(index)
            .is_some_and(|(byte, mask)| self.paid.get(byte).is_some_and(|byte| byte & mask != 0))
    }

    /// Marks entry `index` as paid. Returns false when it already was or lies outside the bitmap.
    #[must_use]
    pub fn mark_paid(&mut self, index: u32) -> bool {
        let Some((byte, mask)) = bit(index) else {
            return false;
        };
        match self.paid.get_mut(byte) {
            Some(byte) if *byte & mask == 0 => {
                *byte |= mask;
                self.paid_count = self.paid_count.saturating_add(1);
                true
            }
            _ => false,
        }
    }
}

/// Byte and mask of an entry in a [`Bitmap`].
fn bit(index: u32) -> Option<(usize, u8)> {
    Some((
        usize::try_from(index / 8).ok()?,
        1u8.checked_shl(index % 8)?,
    ))
}

/// A bitmap with room for `count` entries, none of them paid.
pub(crate) fn empty_bitmap(count: u32) -> Bitmap {
    let bytes = usize::try_from(count.min(MAX_TOTALS).div_ceil(8)).unwrap_or_default();
    Bitmap::truncate_from(alloc::vec![0; bytes])
}

/// A committed object that a settlement's operator, or anybody else who has it, must post.
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
pub enum Demanded {
    /// A receipt and its query.
    #[codec(index = 0)]
    Receipt {
        /// Its number in the channel.
        sequence: u64,
    },
    /// A chunk of a response.
    #[codec(index = 1)]
    ResponseChunk {
        /// Hash of the receipt.
        receipt: Hash,
        /// The response's commitment.
        response: Commitment,
        /// Index of the chunk.
        index: u32,
    },
    /// A row of the influence index of a served model or its base.
    #[codec(index = 2)]
    Row {
        /// The model.
        model: ModelId,
        /// The row.
        row: u32,
    },
    /// A step of the training transcript of a served model or its base.
    #[codec(index = 3)]
    Step {
        /// The model.
        model: ModelId,
        /// The step, from 1.
        step: u32,
    },
}

/// What is demanded, with the receipt that shows that the settlement's operator has to have it.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, TypeInfo)]
pub enum DemandRequest {
    /// See [`Demanded::Receipt`].
    #[codec(index = 0)]
    Receipt {
        /// Its number in the channel.
        sequence: u64,
    },
    /// See [`Demanded::ResponseChunk`].
    #[codec(index = 1)]
    ResponseChunk {
        /// A settled receipt.
        receipt: Box<SignedReceipt>,
        /// Index of the chunk of its response.
        index: u32,
    },
    /// See [`Demanded::Row`].
    #[codec(index = 2)]
    Row {
        /// A settled receipt that serves the model or a model over it.
        receipt: Box<SignedReceipt>,
        /// The model.
        model: ModelId,
        /// The row.
        row: u32,
    },
    /// See [`Demanded::Step`].
    #[codec(index = 3)]
    Step {
        /// A settled receipt that serves the model or a model over it.
        receipt: Box<SignedReceipt>,
        /// The model.
        model: ModelId,
        /// The step, from 1.
        step: u32,
    },
}

/// A demanded object. The variants match those of [`Demanded`].
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, TypeInfo)]
pub enum Answer {
    /// The receipt and its query vectors.
    #[codec(index = 0)]
    Receipt {
        /// The receipt.
        receipt: SignedReceipt,
        /// Its query.
        query: Query,
    },
    /// The chunk.
    #[codec(index = 1)]
    ResponseChunk(ResponseChunkOpening),
    /// The row.
    #[codec(index = 2)]
    Row(RowOpening),
    /// The step.
    #[codec(index = 3)]
    Step(StepOpening),
}

/// A demand that waits for its answer.
#[derive(
    Clone, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo,
)]
pub struct Demand {
    /// Who demands and holds the bond.
    pub demander: AccountId,
    /// The object.
    pub object: Demanded,
    /// The bond in base units; whoever answers earns it.
    pub bond: Balance,
    /// Last block for an answer.
    pub deadline: BlockNumber,
}

/// Where accrued money comes from.
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
pub struct Source {
    /// The settlement.
    pub settlement: SettlementId,
    /// The served model; absent where the money follows no model: an operator's share, a refund.
    pub model: Option<ModelId>,
}

/// What an account earned or got back.
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
pub enum Purpose {
    /// The operator's share.
    #[codec(index = 0)]
    Operator,
    /// A builder's part.
    #[codec(index = 1)]
    Builder,
    /// A contribution's part.
    #[codec(index = 2)]
    Contribution(ContributionId),
    /// The stakers' share.
    #[codec(index = 3)]
    Stakers,
    /// The treasury's share, or money that has no other payee.
    #[codec(index = 4)]
    Treasury,
    /// A voided settlement's amount, back to its payer.
    #[codec(index = 5)]
    Refund,
}

/// Why the evidence of a challenge proves nothing.
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
pub enum Rejection {
    /// The settlement's operator did not sign the receipt.
    #[codec(index = 0)]
    NotSigned,
    /// The receipt is of another chain or channel.
    #[codec(index = 1)]
    OtherChannel,
    /// The receipt names another ruleset than its channel. Demand the receipt with its number.
    #[codec(index = 2)]
    OtherRuleset,
    /// The receipt's number is not among those settled here.
    #[codec(index = 3)]
    NotSettledHere,
    /// An opening's index is not below the number of leaves.
    #[codec(index = 4)]
    IndexOutOfRange,
    /// An opening's path is longer or shorter than its index and count imply.
    #[codec(index = 5)]
    WrongPathLength,
    /// An opening's path leads to another root.
    #[codec(index = 6)]
    WrongRoot,
    /// The query is not the one that the receipt names.
    #[codec(index = 7)]
    OtherQuery,
    /// The evidence is about another row, span, position or number than it should be.
    #[codec(index = 8)]
    Mismatch,
    /// The evidence is sound and the receipt is right.
    #[codec(index = 9)]
    Honest,
    /// The model is not of the served lineage, or it has no index.
    #[codec(index = 10)]
    NoIndex,
    /// There is no such accepted contribution.
    #[codec(index = 11)]
    UnknownContribution,
    /// The record, or a contribution named as an owner, stands at another ordinal.
    #[codec(index = 12)]
    OtherRecord,
    /// The receipt does not have the number after the one before it.
    #[codec(index = 13)]
    NotConsecutive,
    /// The totals before are not those that the earlier receipt commits to, or not empty at the mark.
    #[codec(index = 14)]
    OtherTotals,
}

impl From<MerkleError> for Rejection {
    fn from(error: MerkleError) -> Self {
        match error {
            MerkleError::IndexOutOfRange => Self::IndexOutOfRange,
            MerkleError::WrongPathLength => Self::WrongPathLength,
            MerkleError::WrongRoot => Self::WrongRoot,
        }
    }
}

impl From<NotProven> for Rejection {
    fn from(reason: NotProven) -> Self {
        match reason {
            NotProven::Opening(error) => error.into(),
            NotProven::OtherQuery => Self::OtherQuery,
            NotProven::Mismatch => Self::Mismatch,
            NotProven::Honest => Self::Honest,
        }
    }
}

/// Money that an account can claim, with its source.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, TypeInfo)]
pub struct Earning {
    /// The settlement.
    pub settlement: SettlementId,
    /// The served model; absent for an operator's share or a refund.
    pub model: Option<ModelId>,
    /// Base units.
    pub amount: Balance,
}

/// What an account earned.
#[derive(Clone, Debug, Default, PartialEq, Eq, Encode, Decode, TypeInfo)]
pub struct Earnings {
    /// What it has not claimed yet, by settlement and model, ascending.
    pub unclaimed: Vec<Earning>,
    /// Sum of `unclaimed`, in base units.
    pub claimable: Balance,
    /// All that it ever earned as contributor or builder, in base units by model, ascending.
    pub by_model: Vec<(ModelId, Balance)>,
}

/// What a claim by voucher moved.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClaimedVoucher {
    /// The channel.
    pub channel: ChannelId,
    /// Who paid.
    pub payer: AccountId,
    /// Ruleset of the channel.
    pub ruleset: RulesetId,
    /// The mark before.
    pub from: Mark,
    /// The mark after: what the voucher says.
    pub to: Mark,
    /// Base units moved: the difference of the marks.
    pub amount: Balance,
}

/// Payment channels, as settlements use them.
pub trait Channels {
    /// Checks `voucher` for `payee`, moves what it adds to the channel's settled mark out of the
    /// payer's deposit into the free balance of `to`, and advances the mark.
    fn claim(
        payee: &AccountId,
        voucher: &SignedVoucher,
        to: &AccountId,
    ) -> Result<ClaimedVoucher, DispatchError>;
}

/// Operators' bonds, as settlements use them.
pub trait Operators {
    /// The bond of `operator` in base units; zero for anybody else.
    fn bond(operator: &AccountId) -> Balance;
    /// Takes up to `amount` of the bond: `reward` parts of it for `reward_to`, the rest for the
    /// treasury. Returns what was taken.
    fn slash(
        operator: &AccountId,
        amount: Balance,
        reward_to: Option<&AccountId>,
        reward: Parts,
    ) -> Balance;
    /// Keeps the bond from being withdrawn up to and including the block `until`.
    fn extend_liability(operator: &AccountId, until: BlockNumber);
}

/// Model manifests, as settlements use them.
pub trait Models {
    /// The manifest. It stays when a model is retired or voided: receipts live longer than models.
    fn manifest(model: ModelId) -> Option<Manifest>;
    /// Who shares the model's builder fee.
    fn builders(model: ModelId) -> Option<Builders>;
    /// The model, then the base it stands on; empty for an unknown model.
    fn lineage(model: ModelId) -> Lineage;
    /// Notes that an object which the model's manifest commits to was withheld.
    fn strike(model: ModelId);
}

/// What the chain knows of an accepted contribution.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, MaxEncodedLen, TypeInfo)]
pub struct ContributionView {
    /// The Datanet.
    pub datanet: DatanetId,
    /// Position among the accepted contributions of the Datanet.
    pub index: u32,
    /// Records in the contributions accepted before it.
    pub records_before: u32,
    /// Commitment over the record leaves.
    pub leaves: Commitment,
    /// Who contributed.
    pub contributor: AccountId,
}

/// Contributions, as settlements use them.
pub trait Data {
    /// An accepted contribution, tombstoned or not.
    fn contribution(contribution: ContributionId) -> Option<ContributionView>;
    /// The block in which a record, alone or with its contribution, was tombstoned.
    fn tombstoned_at(contribution: ContributionId, record: u32) -> Option<BlockNumber>;
    /// Who is paid for the contribution; nobody when it is tombstoned.
    fn payee(contribution: ContributionId) -> Option<AccountId>;
}

/// Puts what a benchmark needs into the pallets behind the traits.
#[cfg(feature = "runtime-benchmarks")]
pub trait BenchmarkHelper {
    /// A funded account whose key the benchmark holds.
    fn signer() -> AccountId;
    /// That account's signature.
    fn sign(payload: &[u8]) -> sp_runtime::MultiSignature;
    /// Opens a channel from `payer`, whose vouchers the signer signs, to `payee`.
    fn open_channel(payer: &AccountId, payee: &AccountId, deposit: Balance) -> ChannelId;
    /// Makes `operator` an active operator with a bond of at least `bond`.
    fn bond_operator(operator: &AccountId, bond: Balance);
    /// Stores a manifest and who shares its builder fee.
    fn insert_model(manifest: Manifest, builders: Builders) -> ModelId;
    /// Stores an accepted contribution.
    fn insert_contribution(contribution: ContributionView) -> ContributionId;
}
