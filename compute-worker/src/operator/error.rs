//! Why an operator stopped, or a job does not get on.

use super::RecipeError;
use crate::{
    artifact::ArtifactError, attribution::TraceError, chain::ChainError, dataset::DatasetError,
    model::ModelError, store::StoreError, train::TrainError,
};
use attribution_proof::{Balance, JobId, ModelId};
use std::path::PathBuf;

/// What can go wrong, each with what to do about it.
#[derive(Debug, thiserror::Error)]
pub enum OperatorError {
    /// The chain.
    #[error(transparent)]
    Chain(#[from] ChainError),
    /// The job's inputs.
    #[error(transparent)]
    Dataset(#[from] DatasetError),
    /// The job's hyper-parameters.
    #[error(transparent)]
    Recipe(#[from] RecipeError),
    /// The content store.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// An artifact.
    #[error(transparent)]
    Artifact(#[from] ArtifactError),
    /// A model.
    #[error(transparent)]
    Model(#[from] ModelError),
    /// Training.
    #[error(transparent)]
    Train(#[from] TrainError),
    /// The influence index.
    #[error(transparent)]
    Trace(#[from] TraceError),
    /// The attribution engine.
    #[error(transparent)]
    Engine(#[from] attribution_engine::Error),
    /// A file of the work folder.
    #[error("{path}: {source}; check free space and permissions", path = path.display())]
    File {
        /// File or folder.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// The bond does not suffice.
    #[error("the operator's bond is {bond}, but rulesets ask for {needed} now; raise --bond, or add to a bond that is held with compute.add_bond")]
    BondTooLow {
        /// What is held, in base units.
        bond: Balance,
        /// What is asked, in base units.
        needed: Balance,
    },
    /// The bond is at stake for other jobs.
    #[error("{free} of the bond is free, the job's stake is {stake}; finish other jobs or add to the bond with compute.add_bond")]
    FreeBondTooLow {
        /// What no job stakes, in base units.
        free: Balance,
        /// What the job asks for, in base units.
        stake: Balance,
    },
    /// The job needs more memory than the operator gives it.
    #[error("the job's training needs about {needed} bytes of memory, this operator gives {most}; raise --most-memory if there is more")]
    TooLarge {
        /// What it needs, roughly.
        needed: u64,
        /// What it may have.
        most: u64,
    },
    /// The operator is leaving.
    #[error("the operator is draining and takes no new work; withdraw its bond and register again to come back")]
    Draining,
    /// Hardware profile or endpoint are too long for the chain.
    #[error("the {what} has {bytes} bytes, the most is {most}; shorten it")]
    TooLong {
        /// Which of the two.
        what: &'static str,
        /// Its size.
        bytes: usize,
        /// What the chain takes.
        most: usize,
    },
    /// A job is not on the chain.
    #[error("job {0} is not on the chain; it was forgotten or never requested")]
    NoJob(JobId),
    /// A job's base is not on the chain.
    #[error("base model {0} is not on the chain")]
    NoBase(ModelId),
    /// An input record is no text.
    #[error("input record {ordinal} (record {record} of contribution {contribution}) is not text; only text can be trained on")]
    NotText {
        /// Its ordinal.
        ordinal: usize,
        /// The contribution.
        contribution: u64,
        /// Index in the contribution.
        record: u32,
    },
    /// Work on another thread broke off.
    #[error("the work on a job broke off: {0}; it goes on from its last checkpoint")]
    BrokenOff(String),
}
