//! Weights of the compute pallet's calls.
//!
//! Estimates by counted storage accesses on the high side, until the benchmarks replace this file.

use frame_support::weights::{constants::RocksDbWeight, Weight};

/// Weights of the calls.
pub trait WeightInfo {
    /// Weight of `register_operator`.
    fn register_operator() -> Weight;
    /// Weight of `add_bond`.
    fn add_bond() -> Weight;
    /// Weight of `update_operator`.
    fn update_operator() -> Weight;
    /// Weight of `drain`.
    fn drain() -> Weight;
    /// Weight of `withdraw_bond`.
    fn withdraw_bond() -> Weight;
    /// Weight of `request_job`.
    fn request_job() -> Weight;
    /// Weight of `cancel_job`.
    fn cancel_job() -> Weight;
    /// Weight of `take_job`.
    fn take_job() -> Weight;
    /// Weight of `draw_order_seed`.
    fn draw_order_seed() -> Weight;
    /// Weight of `submit_transcript`.
    fn submit_transcript() -> Weight;
    /// Weight of `draw_projection_seed`.
    fn draw_projection_seed() -> Weight;
    /// Weight of `submit_index`.
    fn submit_index() -> Weight;
    /// Weight of `challenge_row`.
    fn challenge_row() -> Weight;
    /// Weight of `finalise_job`.
    fn finalise_job() -> Weight;
    /// Weight of `expire_job`.
    fn expire_job() -> Weight;
    /// Weight of `forget_job`.
    fn forget_job() -> Weight;
}

/// `reads` and `writes` of storage, with 50 µs of work and 4 KiB of proof per read.
fn accesses(reads: u64, writes: u64) -> Weight {
    Weight::from_parts(50_000_000, 0)
        .saturating_add(Weight::from_parts(0, 4_096).saturating_mul(reads))
        .saturating_add(RocksDbWeight::get().reads_writes(reads, writes))
}

impl WeightInfo for () {
    fn register_operator() -> Weight {
        accesses(3, 3)
    }
    fn add_bond() -> Weight {
        accesses(3, 3)
    }
    fn update_operator() -> Weight {
        accesses(1, 1)
    }
    fn drain() -> Weight {
        accesses(1, 1)
    }
    fn withdraw_bond() -> Weight {
        accesses(3, 3)
    }
    fn request_job() -> Weight {
        accesses(40, 5)
    }
    fn cancel_job() -> Weight {
        accesses(3, 3)
    }
    fn take_job() -> Weight {
        accesses(3, 2)
    }
    fn draw_order_seed() -> Weight {
        accesses(4, 1)
    }
    fn submit_transcript() -> Weight {
        accesses(1, 1)
    }
    fn draw_projection_seed() -> Weight {
        accesses(4, 1)
    }
    fn submit_index() -> Weight {
        accesses(2, 1)
    }
    fn challenge_row() -> Weight {
        accesses(12, 8)
    }
    fn finalise_job() -> Weight {
        accesses(16, 8)
    }
    fn expire_job() -> Weight {
        accesses(6, 6)
    }
    fn forget_job() -> Weight {
        accesses(3, 3)
    }
}
