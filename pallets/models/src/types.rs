//! Types of the models pallet that the proofs do not know.

use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use scale_info::TypeInfo;

/// What may still be done with a model.
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
pub enum Standing {
    /// It can be served and built on, as far as its licence goes.
    #[codec(index = 0)]
    Live,
    /// Its owner retired it: no new jobs, channels or descendants.
    #[codec(index = 1)]
    Retired,
    /// It was voided.
    #[codec(index = 2)]
    Voided,
}

/// Why a model was voided.
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
pub enum VoidCause {
    /// A decision of governance.
    #[codec(index = 0)]
    Governance,
    /// Too many unanswered demands.
    #[codec(index = 1)]
    Strikes,
}
