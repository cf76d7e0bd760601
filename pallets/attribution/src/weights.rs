//! Weights of the calls.

use frame_support::weights::Weight;

/// Weight of each call.
pub trait WeightInfo {
    /// [`Call::add_ruleset`](crate::Call::add_ruleset).
    fn add_ruleset() -> Weight;
    /// [`Call::settle`](crate::Call::settle).
    fn settle() -> Weight;
    /// [`Call::finalise`](crate::Call::finalise).
    fn finalise() -> Weight;
    /// [`Call::pay`](crate::Call::pay) with `n` entries.
    fn pay(n: u32) -> Weight;
    /// [`Call::sweep`](crate::Call::sweep).
    fn sweep() -> Weight;
    /// [`Call::claim`](crate::Call::claim) of `n` accruals.
    fn claim(n: u32) -> Weight;
    /// [`Call::claim_for`](crate::Call::claim_for) with `n` accruals.
    fn claim_for(n: u32) -> Weight;
    /// [`Call::challenge_score`](crate::Call::challenge_score).
    fn challenge_score() -> Weight;
    /// [`Call::challenge_omission`](crate::Call::challenge_omission).
    fn challenge_omission() -> Weight;
    /// [`Call::challenge_bytes`](crate::Call::challenge_bytes).
    fn challenge_bytes() -> Weight;
    /// [`Call::challenge_span`](crate::Call::challenge_span).
    fn challenge_span() -> Weight;
    /// [`Call::challenge_step`](crate::Call::challenge_step).
    fn challenge_step() -> Weight;
    /// [`Call::challenge_settlement`](crate::Call::challenge_settlement).
    fn challenge_settlement() -> Weight;
    /// [`Call::challenge_equivocation`](crate::Call::challenge_equivocation).
    fn challenge_equivocation() -> Weight;
    /// [`Call::demand`](crate::Call::demand).
    fn demand() -> Weight;
    /// [`Call::answer`](crate::Call::answer).
    fn answer() -> Weight;
    /// [`Call::expire_demand`](crate::Call::expire_demand).
    fn expire_demand() -> Weight;
}

/// Picoseconds of a storage read.
const READ: u64 = 25_000_000;
/// Picoseconds of a storage write.
const WRITE: u64 = 100_000_000;
/// Picoseconds of checking a signature.
const SIGNATURE: u64 = 100_000_000;
/// Picoseconds of hashing a short message.
const HASH: u64 = 2_000_000;

/// An upper bound from counts of storage accesses, signatures and hashes.
const fn bound(reads: u64, writes: u64, signatures: u64, hashes: u64) -> Weight {
    Weight::from_parts(
        reads
            .saturating_mul(READ)
            .saturating_add(writes.saturating_mul(WRITE))
            .saturating_add(signatures.saturating_mul(SIGNATURE))
            .saturating_add(hashes.saturating_mul(HASH)),
        0,
    )
}

/// What voiding a settlement adds: a slash, a refund and sixteen returned bonds.
const fn voiding(judging: Weight) -> Weight {
    judging.saturating_add(bound(44, 44, 0, 0))
}

impl WeightInfo for () {
    fn add_ruleset() -> Weight {
        bound(1, 2, 0, 0)
    }
    fn settle() -> Weight {
        bound(12, 9, 3, 100)
    }
    fn finalise() -> Weight {
        bound(8, 8, 0, 0)
    }
    fn pay(n: u32) -> Weight {
        let n = n as u64;
        bound(4, 3, 0, 0).saturating_add(bound(36, 32, 0, 40).saturating_mul(n))
    }
    fn sweep() -> Weight {
        bound(4, 4, 0, 0)
    }
    fn claim(n: u32) -> Weight {
        bound(2, 2, 0, 0).saturating_add(bound(2, 1, 0, 0).saturating_mul(n as u64))
    }
    fn claim_for(n: u32) -> Weight {
        Self::claim(n)
    }
    fn challenge_score() -> Weight {
        voiding(bound(8, 2, 1, 500))
    }
    fn challenge_omission() -> Weight {
        voiding(bound(8, 2, 1, 500))
    }
    fn challenge_bytes() -> Weight {
        voiding(bound(10, 2, 1, 500))
    }
    fn challenge_span() -> Weight {
        voiding(bound(10, 2, 1, 500))
    }
    fn challenge_step() -> Weight {
        voiding(bound(150, 2, 2, 8_000))
    }
    fn challenge_settlement() -> Weight {
        voiding(bound(5, 2, 1, 100))
    }
    fn challenge_equivocation() -> Weight {
        voiding(bound(5, 2, 2, 100))
    }
    fn demand() -> Weight {
        bound(26, 5, 1, 100)
    }
    fn answer() -> Weight {
        bound(8, 6, 1, 500)
    }
    fn expire_demand() -> Weight {
        voiding(bound(5, 3, 0, 0))
    }
}
