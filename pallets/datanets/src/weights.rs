//! Weights of the pallet's calls.

// Upper estimates from the storage that each call touches, until measured ones replace this file.

use frame_support::weights::{
    constants::{ParityDbWeight, WEIGHT_REF_TIME_PER_MICROS},
    Weight,
};

/// Weights of the pallet's calls.
pub trait WeightInfo {
    /// Weight of `create_open`.
    fn create_open() -> Weight;
    /// Weight of `create_curated`.
    fn create_curated() -> Weight;
    /// Weight of `join_as_curator`.
    fn join_as_curator() -> Weight;
    /// Weight of `leave_as_curator`.
    fn leave_as_curator() -> Weight;
    /// Weight of `contribute`.
    fn contribute() -> Weight;
    /// Weight of `vote`.
    fn vote() -> Weight;
    /// Weight of `accept`.
    fn accept() -> Weight;
    /// Weight of `lapse`.
    fn lapse() -> Weight;
    /// Weight of `withdraw`.
    fn withdraw() -> Weight;
    /// Weight of `release_stake`.
    fn release_stake() -> Weight;
    /// Weight of `challenge_duplicate`.
    fn challenge_duplicate() -> Weight;
    /// Weight of `challenge_malformed`.
    fn challenge_malformed() -> Weight;
    /// Weight of `demand`.
    fn demand() -> Weight;
    /// Weight of `answer_demand`.
    fn answer_demand() -> Weight;
    /// Weight of `expire_demand`.
    fn expire_demand() -> Weight;
    /// Weight of `overrule`.
    fn overrule() -> Weight;
}

fn estimate(micros: u64, reads: u64, writes: u64) -> Weight {
    // Each read proves at most a few kilobytes: the largest value is a Datanet of under 1 KiB.
    Weight::from_parts(
        WEIGHT_REF_TIME_PER_MICROS.saturating_mul(micros),
        reads.saturating_mul(4_096),
    )
    .saturating_add(ParityDbWeight::get().reads_writes(reads, writes))
}

impl WeightInfo for () {
    fn create_open() -> Weight {
        estimate(60, 3, 4)
    }
    fn create_curated() -> Weight {
        estimate(80, 3, 4)
    }
    fn join_as_curator() -> Weight {
        estimate(70, 6, 3)
    }
    fn leave_as_curator() -> Weight {
        estimate(70, 3, 3)
    }
    fn contribute() -> Weight {
        estimate(80, 7, 4)
    }
    fn vote() -> Weight {
        estimate(200, 22, 22)
    }
    fn accept() -> Weight {
        estimate(90, 5, 4)
    }
    fn lapse() -> Weight {
        estimate(200, 22, 21)
    }
    fn withdraw() -> Weight {
        estimate(200, 22, 21)
    }
    fn release_stake() -> Weight {
        estimate(90, 5, 4)
    }
    fn challenge_duplicate() -> Weight {
        estimate(400, 28, 25)
    }
    fn challenge_malformed() -> Weight {
        estimate(500, 26, 25)
    }
    fn demand() -> Weight {
        estimate(90, 8, 6)
    }
    fn answer_demand() -> Weight {
        estimate(250, 6, 6)
    }
    fn expire_demand() -> Weight {
        estimate(250, 28, 27)
    }
    fn overrule() -> Weight {
        estimate(800, 40, 37)
    }
}
