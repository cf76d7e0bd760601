//! Weights of the models pallet's calls.
//!
//! Estimates by counted storage accesses on the high side, until the benchmarks replace this file.

use frame_support::weights::{constants::RocksDbWeight, Weight};

/// Weights of the calls.
pub trait WeightInfo {
    /// Weight of `register`.
    fn register() -> Weight;
    /// Weight of `set_price`.
    fn set_price() -> Weight;
    /// Weight of `set_royalty`.
    fn set_royalty() -> Weight;
    /// Weight of `retire`.
    fn retire() -> Weight;
    /// Weight of `void`.
    fn void() -> Weight;
}

/// `reads` and `writes` of storage, with 25 µs of work and 4 KiB of proof per read.
fn accesses(reads: u64, writes: u64) -> Weight {
    Weight::from_parts(25_000_000, 0)
        .saturating_add(Weight::from_parts(0, 4_096).saturating_mul(reads))
        .saturating_add(RocksDbWeight::get().reads_writes(reads, writes))
}

impl WeightInfo for () {
    fn register() -> Weight {
        accesses(24, 7)
    }
    fn set_price() -> Weight {
        accesses(2, 1)
    }
    fn set_royalty() -> Weight {
        accesses(2, 1)
    }
    fn retire() -> Weight {
        accesses(3, 1)
    }
    fn void() -> Weight {
        accesses(2, 1)
    }
}
