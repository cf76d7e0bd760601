//! What can go wrong in training, each with what to do about it.

use crate::model::ModelError;
use std::path::PathBuf;

/// Why a run or a gradient pass stopped.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TrainError {
    /// The model or an input text.
    #[error(transparent)]
    Model(#[from] ModelError),
    /// A record is not UTF-8.
    #[error("record {record} is not UTF-8 (byte {offset}); only text records can be trained on")]
    NotUtf8 {
        /// Ordinal of the record.
        record: usize,
        /// First wrong byte.
        offset: usize,
    },
    /// A record is too long.
    #[error("record {record} has {bytes} bytes; at most {limit} can be trained on, split it")]
    RecordTooLong {
        /// Ordinal of the record.
        record: usize,
        /// Its length.
        bytes: usize,
        /// Most bytes.
        limit: usize,
    },
    /// There are too few records.
    #[error(
        "{found} records with text are too few: one to train on and one to hold out are needed"
    )]
    TooFewRecords {
        /// Records that have at least one token to predict.
        found: usize,
    },
    /// A hyper-parameter makes no sense.
    #[error("hyper-parameter {name} is {value}; it must be {expected}")]
    HyperParameter {
        /// Name of the field.
        name: &'static str,
        /// Its value.
        value: String,
        /// What would be accepted.
        expected: &'static str,
    },
    /// A trained weight was not reached by the backward pass.
    #[error("weight {name} got no gradient: an operation cuts the graph; this is a defect of the worker")]
    NoGradient {
        /// Name of the tensor.
        name: String,
    },
    /// The loss or a gradient became NaN or infinite.
    #[error("training diverged at step {step}: {what} is not finite; lower the learning rate")]
    Diverged {
        /// The step.
        step: u32,
        /// Loss or gradient.
        what: &'static str,
    },
    /// The run was told to stop.
    #[error("cancelled after step {step}; the same job goes on from there")]
    Cancelled {
        /// Steps that were completed.
        step: u32,
    },
    /// A checkpoint could not be written or read.
    #[error("checkpoint {path}: {source}; check free space and permissions", path = path.display())]
    CheckpointFile {
        /// File or folder.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// Every checkpoint is damaged.
    #[error("checkpoint {path} is damaged ({reason}); delete the checkpoint folder to start over", path = path.display())]
    CheckpointDamaged {
        /// The newest checkpoint.
        path: PathBuf,
        /// What does not fit.
        reason: String,
    },
    /// The checkpoint folder belongs to another run.
    #[error("checkpoint folder {path} belongs to another run; give each job its own folder", path = path.display())]
    CheckpointOfAnotherRun {
        /// The newest checkpoint.
        path: PathBuf,
    },
    /// A run could not be replayed.
    #[error(transparent)]
    Engine(#[from] attribution_engine::Error),
    /// The receiver of gradient rows gave up.
    #[error("gradient rows were not accepted: {0}")]
    Sink(String),
}

impl From<candle_core::Error> for TrainError {
    fn from(error: candle_core::Error) -> Self {
        Self::Model(error.into())
    }
}

/// Result of training.
pub(crate) type Result<T, E = TrainError> = std::result::Result<T, E>;
