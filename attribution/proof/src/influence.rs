//! Influence rows, queries and the integer score.
//!
//! Row `i` of a model's index is input record ordinal `i`: `g`, its quantised projected training
//! gradient, and `scale`, the row's magnitude. The query `q` is the projected gradient of the
//! response with the preconditioner folded in, one vector per model of the served lineage.
//!
//! ```text
//! score_i    = scale_i · Σ_j q_j g_ij                                       (i64)
//! eligible_i ⇔ Σ q g > 0  and  (Σ q g)² · D ≥ N · Σ q² · Σ g²              (u128)
//! ```
//!
//! The second line is a cosine floor of `sqrt(N / D)`: rows that merely rustle are never paid.
//! At `d ≤ 4096`, `|g| ≤ 127`, `|q| ≤ 32767`: `|Σ q g| < 2^35`, `score < 2^51`, and both sides of the
//! floor stay under `2^102`, so nothing here can overflow.

use crate::{
    bounds::{MAX_DIMENSION, MAX_LINEAGE},
    hash::{hash_encoded, Hash, Tag},
    merkle::{Commitment, MerkleError, Path},
    JobId, ModelId,
};
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use scale_info::TypeInfo;
use sp_core::ConstU32;
use sp_runtime::BoundedVec;

/// A quantised gradient: `d` values in `-127..=127`.
pub type Gradient = BoundedVec<i8, ConstU32<MAX_DIMENSION>>;
/// A quantised query: `d` values in `-32767..=32767`.
pub type QueryVector = BoundedVec<i16, ConstU32<MAX_DIMENSION>>;

/// One row of an influence index.
#[derive(
    Clone, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo,
)]
pub enum Row {
    /// The record has a gradient of its own.
    #[codec(index = 0)]
    Own {
        /// Magnitude, `1..=scale_cap`.
        scale: u16,
        /// Direction.
        g: Gradient,
    },
    /// The record repeats an earlier row; its credit goes there.
    #[codec(index = 1)]
    DuplicateOf(u32),
    /// The record was tombstoned when the job was taken, so it was not trained on. It keeps its
    /// ordinal, which makes ordinals prefix sums that the chain can check with one look-up.
    #[codec(index = 2)]
    Absent,
}

/// How an index was made.
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
pub enum InfluenceMethod {
    /// Damped Gauss-Newton direction (Martens 2020, "New Insights and Perspectives on the Natural
    /// Gradient Method") over projected per-record gradients.
    #[codec(index = 0)]
    DampedGaussNewton,
}

/// The terms of an influence index.
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
pub struct IndexSpec {
    /// Version of the row format.
    pub version: u16,
    /// Dimension `d` of every vector.
    pub dimension: u32,
    /// Largest allowed row scale.
    pub scale_cap: u16,
    /// Smallest allowed `Σ g²`.
    pub norm_minimum: u64,
    /// Largest allowed `Σ g²`.
    pub norm_maximum: u64,
    /// Method.
    pub method: InfluenceMethod,
    /// Seed of the projection, drawn after the transcript root landed.
    pub projection_seed: Hash,
    /// Commitment of the preconditioner, a fixed function of the rows.
    pub preconditioner: Hash,
}

impl IndexSpec {
    /// Whether the terms make sense: a dimension within bounds, a non-empty norm band that some
    /// vector can reach.
    pub fn is_valid(&self) -> bool {
        let largest = u64::from(self.dimension).saturating_mul(127 * 127);
        self.version == 1
            && (1..=MAX_DIMENSION).contains(&self.dimension)
            && self.scale_cap >= 1
            && self.norm_minimum >= 1
            && self.norm_minimum <= self.norm_maximum
            && self.norm_minimum <= largest
    }
}

/// Why a row breaks its spec.
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
pub enum RowDefect {
    /// The gradient has another dimension than the spec.
    #[codec(index = 0)]
    Dimension,
    /// The scale is zero or over the cap.
    #[codec(index = 1)]
    Scale,
    /// A value is -128.
    #[codec(index = 2)]
    Value,
    /// `Σ g²` is outside the band.
    #[codec(index = 3)]
    Norm,
    /// A duplicate points at itself or forward.
    #[codec(index = 4)]
    DuplicateForward,
}

/// Proof that a row stands in an index.
#[derive(
    Clone, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo,
)]
pub struct RowOpening {
    /// Ordinal of the record.
    pub row: u32,
    /// The record's leaf.
    pub record: Hash,
    /// The row.
    pub value: Row,
    /// Path of the row's leaf.
    pub path: Path,
}

/// `H(job ‖ row ‖ record leaf ‖ value)`.
pub fn row_leaf(job: JobId, row: u32, record: &Hash, value: &Row) -> Hash {
    hash_encoded(Tag::Row, &(job, row, record, value))
}

impl RowOpening {
    /// Checks the opening under the index of `job`.
    pub fn verify(&self, job: JobId, index: &Commitment) -> Result<(), MerkleError> {
        index.verify(
            self.row,
            row_leaf(job, self.row, &self.record, &self.value),
            &self.path,
        )
    }

    /// The first way in which the row breaks `spec`.
    pub fn defect(&self, spec: &IndexSpec) -> Option<RowDefect> {
        match &self.value {
            Row::Absent => None,
            Row::DuplicateOf(earlier) => {
                (*earlier >= self.row).then_some(RowDefect::DuplicateForward)
            }
            Row::Own { scale, g } => {
                let norm = norm_squared(g);
                if u32::try_from(g.len()) != Ok(spec.dimension) {
                    Some(RowDefect::Dimension)
                } else if *scale == 0 || *scale > spec.scale_cap {
                    Some(RowDefect::Scale)
                } else if g.contains(&i8::MIN) {
                    Some(RowDefect::Value)
                } else if norm < spec.norm_minimum || norm > spec.norm_maximum {
                    Some(RowDefect::Norm)
                } else {
                    None
                }
            }
        }
    }
}

/// The query vectors of one response, strictly ascending by model.
#[derive(
    Clone,
    Debug,
    Default,
    PartialEq,
    Eq,
    Encode,
    Decode,
    DecodeWithMemTracking,
    MaxEncodedLen,
    TypeInfo,
)]
pub struct Query {
    /// `(model, vector)`.
    pub vectors: BoundedVec<(ModelId, QueryVector), ConstU32<MAX_LINEAGE>>,
}

impl Query {
    /// The hash that a receipt carries.
    pub fn commit(&self) -> Hash {
        hash_encoded(Tag::Query, self)
    }

    /// The vector for `model`.
    pub fn vector(&self, model: ModelId) -> Option<&[i16]> {
        self.vectors
            .iter()
            .find(|(id, _)| *id == model)
            .map(|(_, vector)| vector.as_slice())
    }

    /// Whether models ascend strictly and no value is -32768.
    pub fn is_well_formed(&self) -> bool {
        self.vectors
            .windows(2)
            .all(|pair| matches!(pair, [(a, _), (b, _)] if a < b))
            && self
                .vectors
                .iter()
                .all(|(_, vector)| !vector.contains(&i16::MIN))
    }
}

/// A cosine floor `cos² ≥ numerator / denominator`.
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
pub struct CosineFloor {
    /// `N`.
    pub numerator: u32,
    /// `D`, at least 1.
    pub denominator: u32,
}

/// `Σ q_j g_j` over the shorter length.
pub fn dot(q: &[i16], g: &[i8]) -> i64 {
    q.iter().zip(g).fold(0i64, |sum, (q, g)| {
        sum.wrapping_add(i64::from(*q).wrapping_mul(i64::from(*g)))
    })
}

/// `Σ g²`.
pub fn norm_squared(g: &[i8]) -> u64 {
    g.iter().fold(0u64, |sum, g| {
        let magnitude = u64::from(g.unsigned_abs());
        sum.wrapping_add(magnitude.wrapping_mul(magnitude))
    })
}

/// `Σ q²`.
pub fn query_norm_squared(q: &[i16]) -> u64 {
    q.iter().fold(0u64, |sum, q| {
        let magnitude = u64::from(q.unsigned_abs());
        sum.wrapping_add(magnitude.wrapping_mul(magnitude))
    })
}

/// `scale · dot`.
pub fn score(scale: u16, dot: i64) -> i64 {
    i64::from(scale).saturating_mul(dot)
}

/// Whether a row with this dot product may be credited.
pub fn is_eligible(dot: i64, query_norm: u64, row_norm: u64, floor: CosineFloor) -> bool {
    if dot <= 0 {
        return false;
    }
    let dot = u128::from(dot.unsigned_abs());
    dot.saturating_mul(dot)
        .saturating_mul(u128::from(floor.denominator))
        >= u128::from(query_norm)
            .saturating_mul(u128::from(row_norm))
            .saturating_mul(u128::from(floor.numerator))
}

/// The score of `row` for `q`, or nothing where the row may not be credited.
pub fn credit_score(q: &[i16], row: &Row, floor: CosineFloor) -> Option<i64> {
    let Row::Own { scale, g } = row else {
        return None;
    };
    let dot = dot(q, g);
    is_eligible(dot, query_norm_squared(q), norm_squared(g), floor).then(|| score(*scale, dot))
}
