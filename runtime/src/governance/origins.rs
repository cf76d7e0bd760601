//! Origins that only a referendum can produce.

use frame_support::traits::{ConstU128, EitherOf, EnsureOrigin};
use frame_system::{EnsureRoot, EnsureRootWithSuccess};

pub use pallet_governance_origins::Origin;

use crate::{constants::currency::UNIT, AccountId, Balance};

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
        /// Sets the rules of Proof of Attribution: adds rulesets, voids models.
        #[codec(index = 0)]
        PoaAdmin,
        /// Decides appeals against what curators decided.
        #[codec(index = 1)]
        CurationAppeals,
        /// Spends up to [`super::SMALL_SPEND`] of the treasury at once.
        #[codec(index = 2)]
        SmallSpender,
        /// Spends up to [`super::BIG_SPEND`] of the treasury at once.
        #[codec(index = 3)]
        BigSpender,
        /// Runs, as root, a call that the guardians have whitelisted.
        #[codec(index = 4)]
        WhitelistedCaller,
        /// The guardians agree that a call is urgent and may be whitelisted.
        #[codec(index = 5)]
        Guardians,
    }
}

/// Defines types that each pass one origin of a referendum, which succeeds with a value.
macro_rules! ensure {
    ($($(#[$documentation:meta])* $name:ident = $origin:ident -> $success:ty { $value:expr };)*) => {$(
        $(#[$documentation])*
        pub struct $name;

        impl<RuntimeOrigin> EnsureOrigin<RuntimeOrigin> for $name
        where
            RuntimeOrigin: Into<Result<Origin, RuntimeOrigin>> + From<Origin>,
        {
            type Success = $success;

            fn try_origin(origin: RuntimeOrigin) -> Result<Self::Success, RuntimeOrigin> {
                origin.into().and_then(|origin| match origin {
                    Origin::$origin => Ok($value),
                    other => Err(RuntimeOrigin::from(other)),
                })
            }

            #[cfg(feature = "runtime-benchmarks")]
            fn try_successful_origin() -> Result<RuntimeOrigin, ()> {
                Ok(Origin::$origin.into())
            }
        }
    )*};
}

/// The most that [`Origin::SmallSpender`] spends at once.
pub const SMALL_SPEND: Balance = 100_000 * UNIT;
/// The most that [`Origin::BigSpender`] spends at once.
pub const BIG_SPEND: Balance = 5_000_000 * UNIT;

ensure! {
    /// Passes the [`Origin::PoaAdmin`] origin only.
    EnsurePoaAdmin = PoaAdmin -> () { () };
    /// Passes the [`Origin::CurationAppeals`] origin only.
    EnsureCurationAppeals = CurationAppeals -> () { () };
    /// Passes the [`Origin::SmallSpender`] origin, with the most that it spends.
    EnsureSmallSpender = SmallSpender -> Balance { SMALL_SPEND };
    /// Passes the [`Origin::BigSpender`] origin, with the most that it spends.
    EnsureBigSpender = BigSpender -> Balance { BIG_SPEND };
    /// Passes the [`Origin::WhitelistedCaller`] origin only.
    EnsureWhitelistedCaller = WhitelistedCaller -> () { () };
    /// Passes the [`Origin::Guardians`] origin only.
    EnsureGuardians = Guardians -> () { () };
}

/// Passes root and [`Origin::PoaAdmin`].
pub type PoaAdminOrRoot = EitherOf<EnsureRoot<AccountId>, EnsurePoaAdmin>;
/// Passes root and [`Origin::CurationAppeals`].
pub type CurationAppealsOrRoot = EitherOf<EnsureRoot<AccountId>, EnsureCurationAppeals>;
/// Passes whoever may spend from the treasury, with the most that it spends at once.
pub type Spender = EitherOf<
    EnsureRootWithSuccess<AccountId, ConstU128<{ Balance::MAX }>>,
    EitherOf<EnsureBigSpender, EnsureSmallSpender>,
>;
