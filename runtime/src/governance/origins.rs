//! Origins that only a referendum can produce.

use frame_support::traits::{EitherOf, EnsureOrigin};
use frame_system::EnsureRoot;

pub use pallet_governance_origins::Origin;

use crate::AccountId;

/// Carries the origins into the runtime's origin type. It has no calls and no storage.
#[frame_support::pallet]
pub mod pallet_governance_origins {
    use frame_support::pallet_prelude::*;

    /// The pallet needs nothing from the runtime.
    #[pallet::config]
    pub trait Config: frame_system::Config {}

    /// The pallet.
    #[pallet::pallet]
    pub struct Pallet<T>(_);

    /// An origin with some of root's privileges.
    #[derive(
        Clone,
        Copy,
        Debug,
        Decode,
        DecodeWithMemTracking,
        Encode,
        Eq,
        MaxEncodedLen,
        PartialEq,
        TypeInfo,
    )]
    #[pallet::origin]
    pub enum Origin {
        /// Sets the parameters of Proof of Attribution: adds rulesets, decides appeals, admits and
        /// removes operators.
        #[codec(index = 0)]
        PoaAdmin,
    }
}

/// Passes the [`Origin::PoaAdmin`] origin only.
pub struct EnsurePoaAdmin;

impl<RuntimeOrigin> EnsureOrigin<RuntimeOrigin> for EnsurePoaAdmin
where
    RuntimeOrigin: Into<Result<Origin, RuntimeOrigin>> + From<Origin>,
{
    type Success = ();

    fn try_origin(origin: RuntimeOrigin) -> Result<Self::Success, RuntimeOrigin> {
        origin.into().map(|Origin::PoaAdmin| ())
    }

    #[cfg(feature = "runtime-benchmarks")]
    fn try_successful_origin() -> Result<RuntimeOrigin, ()> {
        Ok(Origin::PoaAdmin.into())
    }
}

/// Passes root and [`Origin::PoaAdmin`].
pub type PoaAdminOrRoot = EitherOf<EnsureRoot<AccountId>, EnsurePoaAdmin>;
