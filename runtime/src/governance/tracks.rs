//! The tracks that referenda run on: what each costs, how long it takes and what it takes to pass.

use alloc::borrow::Cow;

use pallet_referenda::{Curve, Track, TrackInfo};
use sp_runtime::{str_array, Perbill};

use super::origins::Origin;
use crate::{
    constants::{
        currency::UNIT,
        time::{period, DAYS, HOURS},
    },
    Balance, BlockNumber, OriginCaller,
};

/// Number of a track, a part of stored referenda.
pub type TrackId = u16;

/// Track of calls that run as root.
pub const ROOT: TrackId = 0;
/// Track of calls that run as [`Origin::PoaAdmin`].
pub const POA_ADMIN: TrackId = 10;

const fn percent(percent: u32) -> Perbill {
    Perbill::from_percent(percent)
}

const TRACKS: [Track<TrackId, Balance, BlockNumber>; 2] = [
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
            min_approval: Curve::LinearDecreasing {
                length: percent(100),
                floor: percent(50),
                ceil: percent(100),
            },
            min_support: Curve::LinearDecreasing {
                length: percent(100),
                floor: percent(5),
                ceil: percent(50),
            },
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
            min_approval: Curve::LinearDecreasing {
                length: percent(100),
                floor: percent(50),
                ceil: percent(100),
            },
            min_support: Curve::LinearDecreasing {
                length: percent(100),
                floor: percent(2),
                ceil: percent(40),
            },
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
            OriginCaller::Origins(Origin::PoaAdmin) => Ok(POA_ADMIN),
            _ => Err(()),
        }
    }
}
