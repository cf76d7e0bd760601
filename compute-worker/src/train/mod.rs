//! Deterministic training: full training of small models, low-rank fine-tuning, and the gradient
//! rows of the influence index.
//!
//! A run is fixed by its inputs: base, records, order seed, hyper-parameters. It produces the
//! [`Transcript`] that the chain keeps: one link per optimiser step with the hashes of batch,
//! weights, optimiser state and loss. The number of threads does not matter, and a run that was
//! killed goes on from its last checkpoint with the same transcript. [`ReplayedRun`] repeats it to say
//! what each record did to a result.

mod checkpoint;
mod data;
mod error;
pub mod gradients;
mod hyper_parameters;
mod optimizer;
mod parameters;
mod progress;
mod replay;
mod run;
mod transcript;

pub use checkpoint::CheckpointPolicy;
pub use data::{Sequence, TrainingData};
pub use error::TrainError;
pub use hyper_parameters::HyperParameters;
pub use progress::{CancellationFlag, Progress, ProgressBar, Silent, StepReport};
pub use replay::{ReplayState, ReplayedRun};
pub use run::{train, TrainingInputs, TrainingOutcome, TrainingTarget};
pub use transcript::{derive_seed, Environment, Transcript};

#[cfg(test)]
mod tests;
