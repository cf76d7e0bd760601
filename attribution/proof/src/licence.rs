//! Licences: an SPDX expression for people and four terms for the chain.

use crate::bounds::MAX_SPDX;
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use scale_info::TypeInfo;
use sp_core::ConstU32;
use sp_runtime::BoundedVec;

/// The terms that the chain checks. [`Terms::default`] allows nothing and demands nothing.
#[derive(
    Clone,
    Copy,
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
pub struct Terms {
    /// Works may be derived from the data: without it no training.
    pub derivatives: bool,
    /// Derived works may be used for money.
    pub commercial: bool,
    /// Derived works must carry the same terms.
    pub share_alike: bool,
    /// Derived works must name their source.
    pub attribution: bool,
}

impl Terms {
    /// The terms of something that has no input at all: everything allowed, nothing demanded.
    pub const FREE: Self = Self {
        derivatives: true,
        commercial: true,
        share_alike: false,
        attribution: false,
    };

    /// What somebody bound by both may do: permissions intersect, obligations add up.
    #[must_use]
    pub const fn meet(self, other: Self) -> Self {
        Self {
            derivatives: self.derivatives && other.derivatives,
            commercial: self.commercial && other.commercial,
            share_alike: self.share_alike || other.share_alike,
            attribution: self.attribution || other.attribution,
        }
    }
}

/// An SPDX licence expression.
pub type Spdx = BoundedVec<u8, ConstU32<MAX_SPDX>>;

/// A licence as a contributor declares it.
#[derive(
    Clone, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo,
)]
pub struct Licence {
    /// SPDX expression, such as `MIT OR Apache-2.0`.
    pub spdx: Spdx,
    /// The terms that the chain enforces.
    pub terms: Terms,
}

impl Licence {
    /// Whether the expression is non-empty and uses only characters that SPDX expressions use.
    /// Whether the identifiers exist is for curators to judge: the list grows every year.
    pub fn is_well_formed(&self) -> bool {
        !self.spdx.is_empty()
            && self.spdx.iter().all(|byte| {
                byte.is_ascii_alphanumeric()
                    || matches!(byte, b'-' | b'.' | b'+' | b'(' | b')' | b' ' | b':')
            })
    }
}
