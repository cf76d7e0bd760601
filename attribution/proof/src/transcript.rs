//! Training transcripts: a hash chain over every step of a deterministic run.

use crate::{
    contribution::Snapshot,
    hash::{hash_encoded, Hash, Tag},
    merkle::{Commitment, MerkleError, Path},
    ContentId, JobId,
};
use alloc::vec::Vec;
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use scale_info::TypeInfo;

/// Everything that fixes a run before its first step.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, TypeInfo)]
pub struct TranscriptStart {
    /// The job.
    pub job: JobId,
    /// Artifact of the base model; zero when training starts from scratch.
    pub base: ContentId,
    /// Content id of the initial trained weights.
    pub initial: ContentId,
    /// Input snapshots, in the order that gives ordinals.
    pub inputs: Vec<Snapshot>,
    /// Seed of the batch order, from the chain's randomness.
    pub order_seed: Hash,
    /// Hash of the canonical hyper-parameters.
    pub hyper_parameters: Hash,
    /// Hash that names the kernels.
    pub kernel_set: Hash,
    /// Hash of device, libraries and flags: runs of one class agree bit for bit.
    pub architecture_class: Hash,
    /// Precision flags.
    pub precision: u32,
}

impl TranscriptStart {
    /// `c_0`.
    pub fn state(&self) -> Hash {
        hash_encoded(Tag::TranscriptStart, self)
    }
}

/// What one optimiser step adds.
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
pub struct TranscriptStep {
    /// Step number `t`, from 1.
    pub step: u32,
    /// Hash of the batch: which sequences of which records.
    pub batch: Hash,
    /// Hash of the trained weights after the step.
    pub weights: Hash,
    /// Hash of the optimiser's state after the step.
    pub optimizer: Hash,
    /// IEEE 754 bits of the step's `f32` loss.
    pub loss_bits: u32,
}

impl TranscriptStep {
    /// `c_t = H(c_{t-1} ‖ t ‖ batch_t ‖ H(weights_t) ‖ H(optimizer_t) ‖ loss bits)`.
    pub fn state(&self, previous: &Hash) -> Hash {
        hash_encoded(Tag::TranscriptStep, &(previous, self))
    }
}

/// Leaf of state `c_t` in the transcript's commitment; `c_0` is leaf 0.
pub fn transcript_leaf(step: u32, state: &Hash) -> Hash {
    hash_encoded(Tag::TranscriptLeaf, &(step, state))
}

/// Proof of one step: both states around it stand in the transcript.
#[derive(
    Clone, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo,
)]
pub struct StepOpening {
    /// `c_{t-1}`.
    pub previous: Hash,
    /// Path of `c_{t-1}`.
    pub previous_path: Path,
    /// The step.
    pub step: TranscriptStep,
    /// Path of `c_t`.
    pub path: Path,
}

impl StepOpening {
    /// Checks both leaves under a transcript.
    pub fn verify(&self, transcript: &Commitment) -> Result<(), MerkleError> {
        let before = self
            .step
            .step
            .checked_sub(1)
            .ok_or(MerkleError::IndexOutOfRange)?;
        transcript.verify(
            before,
            transcript_leaf(before, &self.previous),
            &self.previous_path,
        )?;
        let state = self.step.state(&self.previous);
        transcript.verify(
            self.step.step,
            transcript_leaf(self.step.step, &state),
            &self.path,
        )
    }
}
