//! The tracks that referenda run on: what each costs, how long it takes and what it takes to pass.

use alloc::borrow::Cow;

use pallet_referenda::{Curve, Track, TrackInfo};
use sp_runtime::{str_array, Perbill};

use super::origins::Origin;
use crate::{
    constants::{
        currency::UNIT,
        time::{period, DAYS, HOURS, MINUTES},
    },
    Balance, BlockNumber, OriginCaller,
};

/// Number of a track, a part of stored referenda.
pub type TrackId = u16;

/// Track of calls that run as root.
pub const ROOT: TrackId = 0;
/// Track of calls that the guardians have whitelisted, and that run as root.
pub const WHITELISTED_CALLER: TrackId = 1;
/// Track of calls that run as [`Origin::PoaAdmin`].
pub const POA_ADMIN: TrackId = 10;
/// Track of calls that run as [`Origin::CurationAppeals`].
pub const CURATION_APPEALS: TrackId = 11;
/// Track of calls that run as [`Origin::SmallSpender`].
pub const SMALL_SPENDER: TrackId = 20;
/// Track of calls that run as [`Origin::BigSpender`].
pub const BIG_SPENDER: TrackId = 21;
/// The guardians' own track, whose calls run as [`Origin::Guardians`].
pub const GUARDIANS: TrackId = 0;

const fn percent(percent: u32) -> Perbill {
    Perbill::from_percent(percent)
}

/// A share that has to be reached, and falls evenly over the decision period.
const fn falling(from: u32, to: u32) -> Curve {
    Curve::LinearDecreasing {
        length: percent(100),
        floor: percent(to),
        ceil: percent(from),
    }
}

const TRACKS: [Track<TrackId, Balance, BlockNumber>; 6] = [
    Track {
        id: ROOT,
        info: TrackInfo {
            name: str_array("root"),
            max_deciding: 2,
            decision_deposit: 100_000 * UNIT,
            prepare_period: period(2 * HOURS, 2),
            decision_period: period(14 * DAYS, 20),
            confirm_period: period(DAYS, 3),
            min_enactment_period: period(DAYS, 2),
            min_approval: falling(100, 50),
            min_support: falling(50, 5),
        },
    },
    // Fast, and as hard to win as root: only the guardians' consent makes up for the short time.
    Track {
        id: WHITELISTED_CALLER,
        info: TrackInfo {
            name: str_array("whitelisted_caller"),
            max_deciding: 10,
            decision_deposit: 10_000 * UNIT,
            prepare_period: period(MINUTES * 30, 2),
            decision_period: period(14 * DAYS, 20),
            confirm_period: period(MINUTES * 30, 2),
            min_enactment_period: period(MINUTES * 10, 1),
            min_approval: falling(100, 50),
            min_support: falling(20, 2),
        },
    },
    Track {
        id: POA_ADMIN,
        info: TrackInfo {
            name: str_array("poa_admin"),
            max_deciding: 10,
            decision_deposit: 10_000 * UNIT,
            prepare_period: period(HOURS, 2),
            decision_period: period(7 * DAYS, 14),
            confirm_period: period(12 * HOURS, 2),
            min_enactment_period: period(HOURS, 1),
            min_approval: falling(100, 50),
            min_support: falling(40, 2),
        },
    },
    Track {
        id: CURATION_APPEALS,
        info: TrackInfo {
            name: str_array("curation_appeals"),
            max_deciding: 20,
            decision_deposit: 1_000 * UNIT,
            prepare_period: period(HOURS, 2),
            decision_period: period(7 * DAYS, 14),
            confirm_period: period(12 * HOURS, 2),
            min_enactment_period: period(HOURS, 1),
            min_approval: falling(100, 50),
            min_support: falling(10, 1),
        },
    },
    Track {
        id: SMALL_SPENDER,
        info: TrackInfo {
            name: str_array("small_spender"),
            max_deciding: 20,
            decision_deposit: 1_000 * UNIT,
            prepare_period: period(2 * HOURS, 2),
            decision_period: period(7 * DAYS, 14),
            confirm_period: period(12 * HOURS, 2),
            min_enactment_period: period(HOURS, 1),
            min_approval: falling(100, 50),
            min_support: falling(20, 1),
        },
    },
    Track {
        id: BIG_SPENDER,
        info: TrackInfo {
            name: str_array("big_spender"),
            max_deciding: 5,
            decision_deposit: 20_000 * UNIT,
            prepare_period: period(4 * HOURS, 2),
            decision_period: period(14 * DAYS, 20),
            confirm_period: period(2 * DAYS, 3),
            min_enactment_period: period(DAYS, 2),
            min_approval: falling(100, 50),
            min_support: falling(50, 3),
        },
    },
];

/// The tracks, for the referenda pallet.
pub struct TracksInfo;

impl pallet_referenda::TracksInfo<Balance, BlockNumber> for TracksInfo {
    type Id = TrackId;
    type RuntimeOrigin = OriginCaller;

    fn tracks() -> impl Iterator<Item = Cow<'static, Track<TrackId, Balance, BlockNumber>>> {
        TRACKS.iter().map(Cow::Borrowed)
    }

    fn track_for(origin: &OriginCaller) -> Result<TrackId, ()> {
        match origin {
            OriginCaller::system(frame_system::RawOrigin::Root) => Ok(ROOT),
            OriginCaller::Origins(origin) => match origin {
                Origin::WhitelistedCaller => Ok(WHITELISTED_CALLER),
                Origin::PoaAdmin => Ok(POA_ADMIN),
                Origin::CurationAppeals => Ok(CURATION_APPEALS),
                Origin::SmallSpender => Ok(SMALL_SPENDER),
                Origin::BigSpender => Ok(BIG_SPENDER),
                Origin::Guardians => Err(()),
            },
            _ => Err(()),
        }
    }
}

/// The one thing that guardians decide among themselves: that a call is urgent. It takes 67 % of
/// their votes, so that two against one do not suffice, and half of their number.
const GUARDIAN_TRACKS: [Track<TrackId, Balance, BlockNumber>; 1] = [Track {
    id: GUARDIANS,
    info: TrackInfo {
        name: str_array("guardians"),
        max_deciding: 10,
        decision_deposit: 100 * UNIT,
        prepare_period: 0,
        decision_period: period(2 * DAYS, 14),
        confirm_period: period(MINUTES * 10, 1),
        min_enactment_period: 1,
        min_approval: falling(67, 67),
        min_support: falling(50, 50),
    },
}];

/// The guardians' track, for their instance of the referenda pallet.
pub struct GuardianTracksInfo;

impl pallet_referenda::TracksInfo<Balance, BlockNumber> for GuardianTracksInfo {
    type Id = TrackId;
    type RuntimeOrigin = OriginCaller;

    fn tracks() -> impl Iterator<Item = Cow<'static, Track<TrackId, Balance, BlockNumber>>> {
        GUARDIAN_TRACKS.iter().map(Cow::Borrowed)
    }

    fn track_for(origin: &OriginCaller) -> Result<TrackId, ()> {
        match origin {
            OriginCaller::Origins(Origin::Guardians) => Ok(GUARDIANS),
            _ => Err(()),
        }
    }
}
