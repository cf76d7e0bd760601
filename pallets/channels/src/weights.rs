//! Weights of the calls.
//!
//! Estimates on the safe side, from what each call reads, writes and verifies, until the benchmarks
//! of this pallet have been run.

use frame_support::weights::{constants::RocksDbWeight, Weight};

/// What each call costs.
pub trait WeightInfo {
    /// Weight of `open`.
    fn open() -> Weight;
    /// Weight of `top_up`.
    fn top_up() -> Weight;
    /// Weight of `extend`.
    fn extend() -> Weight;
    /// Weight of `request_close`.
    fn request_close() -> Weight;
    /// Weight of `close`.
    fn close() -> Weight;
    /// Weight of `close_cooperatively`.
    fn close_cooperatively() -> Weight;
    /// Weight of `close_as_payee`.
    fn close_as_payee() -> Weight;
}

/// Time of the pallet's own arithmetic and encoding, in picoseconds.
const LOGIC: u64 = 50_000_000;
/// Time to verify an ECDSA signature twice, raw and wrapped, in picoseconds.
const SIGNATURES: u64 = 300_000_000;
/// Size of the proof of one storage item, in bytes.
const PROOF_OF_ITEM: u64 = 4_096;

fn estimate(time: u64, reads: u64, writes: u64) -> Weight {
    Weight::from_parts(time, reads.saturating_mul(PROOF_OF_ITEM))
        .saturating_add(RocksDbWeight::get().reads_writes(reads, writes))
}

impl WeightInfo for () {
    // Ruleset (2), operator (2), next id, account, holds; next id, channel, two indices, account,
    // holds, operator.
    fn open() -> Weight {
        estimate(LOGIC, 7, 7)
    }
    // Channel, account, holds.
    fn top_up() -> Weight {
        estimate(LOGIC, 3, 3)
    }
    // Channel, ruleset; channel.
    fn extend() -> Weight {
        estimate(LOGIC, 2, 1)
    }
    fn request_close() -> Weight {
        estimate(LOGIC, 2, 1)
    }
    // Channel, ruleset, account, holds, operator; channel, two indices, account, holds, operator.
    fn close() -> Weight {
        estimate(LOGIC, 5, 6)
    }
    // As `close`, with the genesis hash in place of the ruleset, and a signature.
    fn close_cooperatively() -> Weight {
        estimate(LOGIC.saturating_add(SIGNATURES), 5, 6)
    }
    // As `close`, without the ruleset.
    fn close_as_payee() -> Weight {
        estimate(LOGIC, 4, 6)
    }
}
