//! Answers: one engine thread per base model, any number of adapters over it.
//!
//! Requests are decoded one token each in turn, every one with its own key and value cache. They
//! are deliberately not multiplied together: a matrix product over several requests rounds
//! differently from one over a single request, and an answer has to follow from its receipt's
//! prompt, parameters and seed alone, not from who else was being served.

mod engine;
mod error;
mod sampler;
mod text;

pub use engine::{
    EngineLimits, FinishReason, Generated, Generation, GenerationEngine, GenerationEvent,
    GenerationRequest,
};
pub use error::GenerateError;
pub use sampler::Sampler;

#[cfg(test)]
mod tests;
