//! Who may decide what. There is no superuser: everything that a single account may not do is done
//! by referendum, on the track that its origin implies.

pub mod origins;
pub mod tracks;

pub use origins::{
    pallet_governance_origins, CurationAppealsOrRoot, EnsureGuardians, EnsurePoaAdmin,
    EnsureWhitelistedCaller, PoaAdminOrRoot, Spender,
};
pub use tracks::{GuardianTracksInfo, TracksInfo};
