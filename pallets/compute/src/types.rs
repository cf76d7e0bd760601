//! Types of the compute pallet that the proofs do not know.

use attribution_proof::{
    hash::Hash,
    influence::RowDefect,
    licence::Terms,
    merkle::Commitment,
    model::{Committed, Inputs, ModelKind, Parents, TrainingResult},
    record::RecordOpening,
    split::Parts,
    AccountId, Balance, BlockNumber, ContentId, ContributionId, DatanetId, ModelId, RulesetId,
};
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use frame_support::{traits::ConstU32, BoundedVec};
use scale_info::TypeInfo;
use sp_runtime::DispatchError;

/// Longest hardware profile in bytes.
pub const MAX_HARDWARE: u32 = 512;
/// Longest endpoint URL in bytes.
pub const MAX_ENDPOINT: u32 = 256;

/// Hardware profile: JSON text. The chain only bounds it.
pub type Hardware = BoundedVec<u8, ConstU32<MAX_HARDWARE>>;
/// URL of an operator's HTTP API.
pub type Endpoint = BoundedVec<u8, ConstU32<MAX_ENDPOINT>>;

/// Whether an operator takes new work.
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
pub enum OperatorState {
    /// Takes jobs and channels.
    #[codec(index = 0)]
    Active,
    /// Finishes what it has and takes nothing new.
    #[codec(index = 1)]
    Draining {
        /// The block in which it began.
        since: BlockNumber,
    },
}

/// An account that trains and serves.
#[derive(
    Clone, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo,
)]
pub struct Operator {
    /// What is held, in base units.
    pub bond: Balance,
    /// Sum of the stakes of its active jobs. May exceed the bond after a slash for something else.
    pub staked: Balance,
    /// Hardware profile.
    pub hardware: Hardware,
    /// Where it serves.
    pub endpoint: Endpoint,
    /// Whether it takes new work.
    pub state: OperatorState,
    /// Jobs that it took and that are not over.
    pub active_jobs: u32,
    /// Channels that it is the payee of.
    pub open_channels: u32,
    /// The last block of the last window for which the bond answers.
    pub liable_until: BlockNumber,
}

/// Who works on a job and what that puts at stake.
#[derive(
    Clone, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo,
)]
pub struct Assignment {
    /// The operator.
    pub operator: AccountId,
    /// The block in which it took the job: inputs tombstoned by then are not part of it.
    pub taken_at: BlockNumber,
    /// The last block in which it may submit.
    pub deadline: BlockNumber,
    /// Part of its bond that it loses if the job fails by its fault.
    pub stake: Balance,
}

/// The first half of a result: the weights and how they were trained.
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
pub struct TrainedWeights {
    /// The trained weights.
    pub artifact: ContentId,
    /// Architecture id.
    pub architecture: Hash,
    /// Tokenizer id.
    pub tokenizer: Hash,
    /// Training transcript.
    pub transcript: Committed,
    /// Held-out loss before training, in millionths of a nat per token.
    pub loss_before: u32,
    /// Held-out loss after training, in millionths of a nat per token.
    pub loss_after: u32,
}

/// Where a job stands.
#[derive(
    Clone, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo,
)]
pub enum JobState {
    /// Waits for an operator.
    #[codec(index = 0)]
    Open {
        /// The last block in which it can be taken.
        until: BlockNumber,
    },
    /// An operator works on it.
    #[codec(index = 1)]
    Taken {
        /// Who.
        assignment: Assignment,
        /// Seed of the batch order, once drawn.
        order_seed: Option<Hash>,
    },
    /// Trained; the influence index is missing.
    #[codec(index = 2)]
    Transcribed {
        /// Who.
        assignment: Assignment,
        /// Seed of the batch order.
        order_seed: Hash,
        /// The block in which the transcript landed.
        at: BlockNumber,
        /// What was trained.
        weights: TrainedWeights,
        /// Seed of the projection, once drawn.
        projection_seed: Option<Hash>,
    },
    /// Complete; it can be challenged.
    #[codec(index = 3)]
    Submitted {
        /// Who.
        assignment: Assignment,
        /// Seed of the batch order.
        order_seed: Hash,
        /// The result.
        result: TrainingResult,
        /// The last block in which it can be challenged.
        window_end: BlockNumber,
    },
    /// Paid and registered.
    #[codec(index = 4)]
    Finalised {
        /// The model that it made.
        model: ModelId,
    },
    /// Over without a model; the fee went back.
    #[codec(index = 5)]
    Refunded {
        /// Why.
        cause: RefundCause,
    },
}

impl JobState {
    /// Whether the job is over.
    pub fn is_over(&self) -> bool {
        matches!(self, Self::Finalised { .. } | Self::Refunded { .. })
    }

    /// Who works on it or answers for it.
    pub fn assignment(&self) -> Option<&Assignment> {
        match self {
            Self::Taken { assignment, .. }
            | Self::Transcribed { assignment, .. }
            | Self::Submitted { assignment, .. } => Some(assignment),
            Self::Open { .. } | Self::Finalised { .. } | Self::Refunded { .. } => None,
        }
    }
}

/// A training job.
#[derive(
    Clone, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo,
)]
pub struct Job {
    /// Who pays and will own the model.
    pub builder: AccountId,
    /// Base, or adapter over which base.
    pub kind: ModelKind,
    /// Inputs as they stood when the job was requested. Their order gives ordinals.
    pub inputs: Inputs,
    /// Canonical hyper-parameters in the content store.
    pub hyper_parameters: ContentId,
    /// The model that the result is the next version of.
    pub previous: Option<ModelId>,
    /// Royalty that the model will ask.
    pub royalty: Parts,
    /// Asked price per token, in base units.
    pub price: Balance,
    /// Least price per token, in base units.
    pub price_floor: Balance,
    /// Parents with the royalties agreed when the job was requested.
    pub parents: Parents,
    /// Terms inherited from the inputs.
    pub terms: Terms,
    /// What the operator earns; held from the builder until the job is over.
    pub fee: Balance,
    /// Held from the builder for this entry.
    pub deposit: Balance,
    /// Ruleset.
    pub ruleset: RulesetId,
    /// Where it stands.
    pub state: JobState,
}

/// Why a job ended without a model.
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
pub enum RefundCause {
    /// The builder called it off.
    #[codec(index = 0)]
    Cancelled,
    /// Nobody took it in time.
    #[codec(index = 1)]
    NotTaken,
    /// The operator did not submit in time and lost its stake.
    #[codec(index = 2)]
    NotSubmitted,
    /// A row of the index was proven wrong and the operator lost its stake.
    #[codec(index = 3)]
    ProvenWrong(RowFault),
    /// The model could not be registered, by no fault of the operator: its base was voided.
    #[codec(index = 4)]
    NotRegistered(DispatchError),
}

/// What is wrong with a row of an influence index.
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
pub enum RowFault {
    /// It breaks its own spec.
    #[codec(index = 0)]
    Defect(RowDefect),
    /// It names another record than the one that owns the ordinal.
    #[codec(index = 1)]
    WrongRecord,
    /// It is absent although its record was standing when the job was taken.
    #[codec(index = 2)]
    WronglyAbsent,
    /// It is present although its record had been tombstoned when the job was taken.
    #[codec(index = 3)]
    WronglyPresent,
}

/// What a challenger says about an opened row.
#[derive(
    Clone, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo,
)]
pub enum RowEvidence {
    /// The row breaks the spec; the opening shows it.
    #[codec(index = 0)]
    Defect,
    /// The record that owns the ordinal has another leaf.
    #[codec(index = 1)]
    Record {
        /// The contribution that owns the ordinal.
        contribution: ContributionId,
        /// The record there.
        record: RecordOpening,
    },
    /// The row is absent or present against the tombstones.
    #[codec(index = 2)]
    Presence {
        /// The contribution that owns the ordinal.
        contribution: ContributionId,
        /// Index of the record there.
        record: u32,
    },
}

/// Why a challenge proved nothing.
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
    /// The row does not stand in the job's index.
    #[codec(index = 0)]
    RowOpening,
    /// There is no such accepted contribution.
    #[codec(index = 1)]
    UnknownContribution,
    /// The record does not stand in the contribution.
    #[codec(index = 2)]
    RecordOpening,
    /// The record has another ordinal than the row.
    #[codec(index = 3)]
    OtherOrdinal,
    /// The row is right.
    #[codec(index = 4)]
    Honest,
}

/// What this pallet needs to know of an accepted contribution.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ContributionView {
    /// The Datanet.
    pub datanet: DatanetId,
    /// Position among the accepted contributions of the Datanet.
    pub index: u32,
    /// Records in the contributions accepted before it.
    pub records_before: u32,
    /// Commitment over the record leaves.
    pub leaves: Commitment,
    /// Who stands in every record leaf.
    pub contributor: AccountId,
}
