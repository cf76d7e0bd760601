//! Why there is no answer, each with what to do about it.

use crate::model::ModelError;

/// Why a request was refused or broke off.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum GenerateError {
    /// The model, the prompt or the adapter.
    #[error(transparent)]
    Model(#[from] ModelError),
    /// No such adapter is loaded.
    #[error(
        "no adapter named {name} is loaded; load it first, or leave the name out for the base"
    )]
    UnknownAdapter {
        /// The name asked for.
        name: String,
    },
    /// A sampling parameter makes no sense.
    #[error("{name} is {value}; it must be {expected}")]
    Sampling {
        /// The parameter.
        name: &'static str,
        /// Its value.
        value: String,
        /// What would be accepted.
        expected: &'static str,
    },
    /// The queue is full.
    #[error("the engine is busy: {waiting} requests are waiting; try again later")]
    Busy {
        /// Requests in the queue.
        waiting: usize,
    },
    /// The engine is shutting down or has failed.
    #[error("the engine has stopped; restart the worker")]
    Stopped,
}

/// Result of generation.
pub(crate) type Result<T, E = GenerateError> = std::result::Result<T, E>;
