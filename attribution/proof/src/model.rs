//! Model manifests.

use crate::{
    bounds::MAX_INPUTS, contribution::Snapshot, hash::Hash, influence::IndexSpec, licence::Terms,
    merkle::Commitment, split::Parts, AccountId, Balance, BlockNumber, ContentId, JobId, ModelId,
    RulesetId,
};
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use scale_info::TypeInfo;
use sp_core::ConstU32;
use sp_runtime::BoundedVec;

/// Most parents of a model.
pub const MAX_PARENTS: u32 = 4;

/// Base model or adapter.
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
pub enum ModelKind {
    /// Complete weights.
    #[codec(index = 0)]
    Base,
    /// A low-rank adapter over a base model.
    #[codec(index = 1)]
    Adapter {
        /// The base.
        base: ModelId,
    },
}

/// A model that this one builds on, and what it is owed of the builder's fee.
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
pub struct Parent {
    /// The parent.
    pub model: ModelId,
    /// Its royalty.
    pub royalty: Parts,
}

/// Input snapshots of a job. Their order gives every input record its ordinal.
pub type Inputs = BoundedVec<Snapshot, ConstU32<MAX_INPUTS>>;
/// Parents.
pub type Parents = BoundedVec<Parent, ConstU32<MAX_PARENTS>>;

/// A committed artifact: what the chain can check and where the whole of it lies.
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
pub struct Committed {
    /// Commitment over the leaves.
    pub commitment: Commitment,
    /// Where they lie in the content store.
    pub content: ContentId,
}

/// What an operator hands in for a training job.
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
pub struct TrainingResult {
    /// The trained weights.
    pub artifact: ContentId,
    /// Architecture id: hash of the model's configuration file.
    pub architecture: Hash,
    /// Tokenizer id: hash of the tokenizer file.
    pub tokenizer: Hash,
    /// Training transcript.
    pub transcript: Committed,
    /// Influence index; its count is the number of input records.
    pub index: Committed,
    /// Terms of the index.
    pub spec: IndexSpec,
    /// Held-out loss before training, in millionths of a nat per token.
    pub loss_before: u32,
    /// Held-out loss after training, in millionths of a nat per token.
    pub loss_after: u32,
}

/// How a model was made on this chain.
#[derive(
    Clone, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo,
)]
pub struct Training {
    /// The job.
    pub job: JobId,
    /// Its inputs.
    pub inputs: Inputs,
    /// The block in which it was taken: inputs tombstoned by then are not part of it.
    pub taken_at: BlockNumber,
    /// Who trained.
    pub operator: AccountId,
    /// The result.
    pub result: TrainingResult,
}

/// One version of a model.
#[derive(
    Clone, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo,
)]
pub struct Manifest {
    /// Who built it and earns the builder's fee, less royalties.
    pub owner: AccountId,
    /// Kind.
    pub kind: ModelKind,
    /// Version, from 1.
    pub version: u32,
    /// The manifest that this one is the next version of.
    pub previous: Option<ModelId>,
    /// Weights.
    pub artifact: ContentId,
    /// Architecture id.
    pub architecture: Hash,
    /// Tokenizer id.
    pub tokenizer: Hash,
    /// Parents with royalties.
    pub parents: Parents,
    /// Royalty that this model asks of models built on it.
    pub royalty: Parts,
    /// Terms inherited from inputs and parents.
    pub terms: Terms,
    /// Asked price per token, in base units.
    pub price: Balance,
    /// Least price per token, in base units; a receipt under it is a lie.
    pub price_floor: Balance,
    /// Ruleset.
    pub ruleset: RulesetId,
    /// How it was made; absent for weights that were brought from outside.
    pub training: Option<Training>,
}
