//! Influence: quantised gradient rows, the damped Gauss-Newton direction, query vectors.
//!
//! ```text
//! gradients ─ Projection ─► IndexBuilder ─► Index ─► Preconditioner
//!                                             │            │ direction(query gradient)
//!                                             ▼            ▼
//!                                    scan::top_k ◄── quantise_query
//! ```
//!
//! Row `i` stands for the gradient `unit · scale_i · g_i`. The score of PROTOCOL.md,
//! `scale_i · Σ_j q_j g_ij`, is then proportional to the influence function
//!
//! ```text
//! τ_i = (1/n) · gᵢᵀ (F + λI)⁻¹ ∇     F = (1/n) Σ_i gᵢ gᵢᵀ
//! ```
//!
//! of P. W. Koh and P. Liang (*Understanding Black-box Predictions via Influence Functions*, ICML
//! 2017): to first order, how much the loss with gradient `∇` would rise if the record were left
//! out. The Hessian is replaced by the damped empirical Fisher matrix of the quantised rows.

mod index;
pub mod methods;
mod precondition;
mod quantise;

pub use index::{Index, IndexBuilder, IndexExtension, IndexReport};
pub use precondition::{quantise_query, Direction, Preconditioner, DAMPING};
pub use quantise::Quantisation;

#[cfg(test)]
pub(crate) mod tests;
