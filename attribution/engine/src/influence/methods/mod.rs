//! Influence of training records, by the methods of the literature, from arrays of gradients.
//!
//! # Inputs
//!
//! Whoever has the model computes, for each record and each query, the gradient of its loss with
//! respect to the `P` parameters (or a projection of it) at the trained weights. [`Rows`] is such an
//! array: `n x P` for the training records, `q x P` for the queries, row-major. [`Layers`] cuts the `P`
//! columns into the blocks of methods that treat layers one by one. Several checkpoints or models are
//! a list of pairs of arrays.
//!
//! The curvature comes from the training gradients themselves (empirical Fisher) or from rows of their
//! own ([`Curvature`]): gradients with labels sampled from the model give the true Fisher, rows
//! `√p_c · ∂(log p_c)` per class the exact Gauss-Newton matrix.
//!
//! # Output and sign
//!
//! All methods return a `q x n` [`Matrix`] of doubles. **Positive means that the record helps: leaving
//! it out would raise the query's loss.** With queries given as gradients of an output that should be
//! high (a log-odds, a reward) rather than of a loss, pass their negatives. Methods with curvature
//! return that rise itself, to first order and in units of the loss:
//!
//! ```text
//! τ_i = (1/n) vᵀ (F + λI)⁻¹ g_i ≈ loss(query | without i) − loss(query | all)
//! ```
//!
//! for a model trained on the mean loss of `n` records with the penalty `λ/2 |θ|²` (P. W. Koh and P.
//! Liang, *Understanding Black-box Predictions via Influence Functions*, ICML 2017). Products without
//! curvature are in the units given at each function and only their order means something.
//!
//! # Methods
//!
//! | method | source | curvature | cost, once | cost per query |
//! |---|---|---|---|---|
//! | [`grad_dot`], [`grad_cos`] | Charpiat et al. 2019 | none | none | `nP` |
//! | [`tracin`] | Pruthi et al. 2020 | none, `T` checkpoints | none | `TnP` |
//! | [`DataInf`] | Kwon et al. 2024 | mean of inverses, per layer | `n²P` | `nP + Ln²` |
//! | [`DampedFisher`] | Koh and Liang 2017, Martens 2020 | exact inverse, global or per layer | `n²P + n³/3` or `nd² + d³/3` | `nP + n²` or `nd + d²` |
//! | [`Trak`] | Park et al. 2023 | exact inverse of features, `M` models | `M(nk² + k³/3)` | `Mnk` |
//! | [`FactoredProjection`] (LoGra) | Choe et al. 2024 | that of [`DampedFisher`] on its rows | `Tr(d_in + d_out)` | |
//! | [`Ekfac`] | George et al. 2018, Grosse et al. 2023 | Kronecker eigenbasis, per layer | `T d² + d³` | `n d_in d_out` |
//! | [`PrincipalProjection`] ([`Ekfac::principal`]) | Eckart and Young 1936 | EK-FAC's, in `d` values a row | `n²P + n³` | `dP + nd` |
//!
//! [`evaluate`] says how good any of them is against retrained models.
//!
//! # Determinism
//!
//! Every sum is cut into blocks whose sizes and order depend on the inputs alone; blocks are made by
//! single-threaded kernels of `faer` and given to threads whole. Results are therefore the same bit for
//! bit with any number of threads. They may differ in the last bits between processors, whose
//! instruction sets and caches `faer` adapts to; what must be the same everywhere is computed by
//! [`Preconditioner`](super::Preconditioner).
//!
//! # Example
//!
//! ```
//! use attribution_engine::influence::methods::{
//!     grad_dot, Curvature, DampedFisher, Damping, Layers, Rows,
//! };
//!
//! # fn main() -> Result<(), attribution_engine::Error> {
//! // Gradients of three records and of one query, two parameters.
//! let (train, query) = ([2.0, 0.0, 0.0, 1.0, -2.0, 0.0], [1.0, 1.0]);
//! let (train, query) = (Rows::new(&train, 3, 2)?, Rows::new(&query, 1, 2)?);
//! assert_eq!(grad_dot(train, query)?.values(), [2.0, 1.0, -2.0]);
//! // The first parameter is the better known one, so a record says less about it.
//! let layers = Layers::one(2)?;
//! let fisher = DampedFisher::new(train, Curvature::empirical(train), &layers, Damping::Absolute(0.1))?;
//! let scores = fisher.scores(query)?;
//! assert!(scores.row(0)[1] > scores.row(0)[0] && scores.row(0)[2] < 0.0);
//! # Ok(())
//! # }
//! ```

mod datainf;
mod dense;
mod dot;
mod ekfac;
pub mod evaluate;
mod factored;
mod fisher;
mod principal;
mod rows;
mod trak;

pub use datainf::DataInf;
pub use dot::{grad_cos, grad_dot, tracin, tracin_self_influence, Checkpoint};
pub use ekfac::Ekfac;
pub use factored::{FactoredProjection, LinearLayer};
pub use fisher::{Curvature, DampedFisher, Damping};
pub use principal::PrincipalProjection;
pub use rows::{Layers, Matrix, Rows};
pub use trak::{select_ridge, HeldOutOutputs, RidgeSelection, Trak, TrakModel};

#[cfg(test)]
mod tests;
