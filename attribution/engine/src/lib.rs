//! # Attribution engine
//!
//! Which data, whose data, shaped this output, and what is each owner's share?
//!
//! ## Overview
//!
//! - [`projection`] shrinks per-record gradients; [`influence`] quantises them to the rows of an
//!   index and turns a query's gradient into a query vector; [`scan`] finds the rows with the highest
//!   scores.
//! - [`replay`] differentiates a whole training run with respect to the weights of its examples.
//! - [`influence::methods`] has the influence methods of the literature over arrays of gradients, and
//!   the measures of how good they are.
//! - [`corpus`] finds the spans of a response that stand verbatim in input records.
//! - [`duplicates`] decides which of several equal or nearly equal records owns the credit.
//! - [`valuation`] says what each datum, and each owner, is worth to a model's performance.
//! - [`shares`] says what each contribution gets of a traced response.
//!
//! What the chain re-computes (scores, eligibility, order, splits, commitments) is taken from
//! [`attribution_proof`]; nothing here defines it twice. This crate knows neither the chain nor the
//! models: it takes vectors and bytes.
//!
//! ## Example
//!
//! ```
//! use attribution_engine::{
//!     corpus::{cover, Corpus, CoverRules},
//!     duplicates::Standing,
//!     influence::{quantise_query, IndexBuilder, Preconditioner, Quantisation, DAMPING},
//!     projection::Projection,
//!     scan::top_k,
//! };
//! use attribution_proof::influence::CosineFloor;
//!
//! # fn main() -> Result<(), attribution_engine::Error> {
//! // Gradients of two records and of a response, by whoever trains and serves.
//! let gradients = [[1.0, 0.0, 2.0, -1.0], [0.0, 3.0, -1.0, 0.0]];
//! let response = [0.9, 0.1, 2.1, -1.0];
//!
//! let projection = Projection::new(&[7; 32], 4, 64, 4)?;
//! let mut builder = IndexBuilder::new(Quantisation::for_dimension(64), vec![Standing::Own; 2])?;
//! for (row, gradient) in (0..).zip(&gradients) {
//!     builder.set(row, &projection.project(gradient)?)?;
//! }
//! let (index, report) = builder.finish()?;
//! assert_eq!(report.own, 2);
//!
//! let preconditioner = Preconditioner::new(&index, DAMPING)?;
//! let direction = preconditioner.direction(&projection.project(&response)?)?;
//! let query = quantise_query(&[(1, &direction)])?;
//! let floor = CosineFloor { numerator: 1, denominator: 100 };
//! let credits = top_k(&[(1, &index)], &query, 10, floor)?;
//! assert_eq!(credits[0].row, 0);
//!
//! let corpus = Corpus::build(&[Some(b"It was the best of times,"), Some(b"it was the worst")])?;
//! let rules = CoverRules { minimum_span: 8, maximum_spans: 64 };
//! let spans = cover(&[(1, &corpus)], b"Was it the worst of times?", rules)?;
//! assert_eq!((spans[0].length, spans[0].at.row), (10, 1));
//! assert_eq!((spans[1].length, spans[1].at.row), (9, 0));
//! # Ok(())
//! # }
//! ```
//!
//! ## Determinism
//!
//! Given the same gradients, everything here is the same bit for bit on any processor, with any
//! instruction set and any number of threads: integer arithmetic is exact, floating point operations
//! happen in a fixed order and are never fused. Gradients themselves come from whoever computed them.
//! [`valuation`] keeps to that on one platform: its models use logarithms and exponentials of the
//! platform's library.

pub mod corpus;
pub mod duplicates;
mod error;
mod file;
pub mod influence;
mod linear;
pub mod npy;
pub mod projection;
pub mod replay;
pub mod scan;
pub mod shares;
mod simd;
pub mod valuation;

pub use error::Error;

/// The 32-byte seed that a text stands for in one use of randomness: the BLAKE3 key derived from it in
/// that use's domain. Different uses of one text are independent.
pub fn seed(domain: &str, text: &[u8]) -> [u8; 32] {
    blake3::derive_key(&format!("attribution engine v1 {domain}"), text)
}
