//! Weights of the calls of `pallet_compute`.
//!
//! Measured on 2026-11-20 with 50 steps and 20 repeats through the compiled Wasm runtime, on
//! Intel(R) Xeon(R) Processor. `scripts/benchmark-weights.sh` measures again and writes this
//! file: do not edit it.

use core::marker::PhantomData;
use frame_support::{traits::Get, weights::Weight};

/// What each call weighs.
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

/// The measured weights, with the runtime's costs of reading and writing storage.
pub struct SubstrateWeight<T>(PhantomData<T>);

impl<T: frame_system::Config> WeightInfo for SubstrateWeight<T> {
    // Storage: `Compute::Operators` (r:1 w:1)
    // Storage: `Attribution::CurrentRuleset` (r:1 w:0)
    // Storage: `Attribution::RulesetOf` (r:1 w:0)
    // Storage: `System::Account` (r:1 w:1)
    // Storage: `Balances::Holds` (r:1 w:1)
    fn register_operator() -> Weight {
        // Proof in bytes, measured: 418.
        // Minimum execution time: 65_509_000 picoseconds.
        Weight::from_parts(71_953_000, 4_334)
            .saturating_add(T::DbWeight::get().reads(5))
            .saturating_add(T::DbWeight::get().writes(3))
    }

    // Storage: `Compute::Operators` (r:1 w:1)
    // Storage: `System::Account` (r:1 w:1)
    // Storage: `Balances::Holds` (r:1 w:1)
    fn add_bond() -> Weight {
        // Proof in bytes, measured: 1094.
        // Minimum execution time: 62_170_000 picoseconds.
        Weight::from_parts(69_161_000, 4_334)
            .saturating_add(T::DbWeight::get().reads(3))
            .saturating_add(T::DbWeight::get().writes(3))
    }

    // Storage: `Compute::Operators` (r:1 w:1)
    fn update_operator() -> Weight {
        // Proof in bytes, measured: 387.
        // Minimum execution time: 15_029_000 picoseconds.
        Weight::from_parts(17_103_000, 4_334)
            .saturating_add(T::DbWeight::get().reads(1))
            .saturating_add(T::DbWeight::get().writes(1))
    }

    // Storage: `Compute::Operators` (r:1 w:1)
    fn drain() -> Weight {
        // Proof in bytes, measured: 898.
        // Minimum execution time: 13_973_000 picoseconds.
        Weight::from_parts(16_019_000, 4_334)
            .saturating_add(T::DbWeight::get().reads(1))
            .saturating_add(T::DbWeight::get().writes(1))
    }

    // Storage: `Compute::Operators` (r:1 w:1)
    // Storage: `System::Account` (r:1 w:1)
    // Storage: `Balances::Holds` (r:1 w:1)
    fn withdraw_bond() -> Weight {
        // Proof in bytes, measured: 1098.
        // Minimum execution time: 53_126_000 picoseconds.
        Weight::from_parts(59_431_000, 4_334)
            .saturating_add(T::DbWeight::get().reads(3))
            .saturating_add(T::DbWeight::get().writes(3))
    }

    // Storage: `Datanets::Datanets` (r:8 w:0)
    // Storage: `Models::Manifests` (r:1 w:0)
    // Storage: `Models::BuildersOf` (r:1 w:0)
    // Storage: `Models::Voided` (r:1 w:0)
    // Storage: `Models::Retired` (r:1 w:0)
    // Storage: `System::Account` (r:1 w:1)
    // Storage: `Balances::Holds` (r:1 w:1)
    // Storage: `Attribution::CurrentRuleset` (r:1 w:0)
    // Storage: `Attribution::RulesetOf` (r:1 w:0)
    // Storage: `Compute::NextJob` (r:1 w:1)
    // Storage: `Compute::Jobs` (r:0 w:1)
    fn request_job() -> Weight {
        // Proof in bytes, measured: 8305.
        // Minimum execution time: 186_025_000 picoseconds.
        Weight::from_parts(204_671_000, 27_926)
            .saturating_add(T::DbWeight::get().reads(17))
            .saturating_add(T::DbWeight::get().writes(4))
    }

    // Storage: `Compute::Jobs` (r:1 w:1)
    // Storage: `System::Account` (r:1 w:1)
    // Storage: `Balances::Holds` (r:1 w:1)
    fn cancel_job() -> Weight {
        // Proof in bytes, measured: 916.
        // Minimum execution time: 61_609_000 picoseconds.
        Weight::from_parts(69_536_000, 4_435)
            .saturating_add(T::DbWeight::get().reads(3))
            .saturating_add(T::DbWeight::get().writes(3))
    }

    // Storage: `Compute::Jobs` (r:1 w:1)
    // Storage: `Attribution::RulesetOf` (r:1 w:0)
    // Storage: `Compute::Operators` (r:1 w:1)
    fn take_job() -> Weight {
        // Proof in bytes, measured: 1726.
        // Minimum execution time: 29_390_000 picoseconds.
        Weight::from_parts(33_914_000, 4_435)
            .saturating_add(T::DbWeight::get().reads(3))
            .saturating_add(T::DbWeight::get().writes(2))
    }

    // Storage: `Compute::Jobs` (r:1 w:1)
    // Storage: `Babe::NextRandomness` (r:1 w:0)
    // Storage: `Babe::EpochStart` (r:1 w:0)
    fn draw_order_seed() -> Weight {
        // Proof in bytes, measured: 825.
        // Minimum execution time: 24_264_000 picoseconds.
        Weight::from_parts(27_680_000, 4_435)
            .saturating_add(T::DbWeight::get().reads(3))
            .saturating_add(T::DbWeight::get().writes(1))
    }

    // Storage: `Compute::Jobs` (r:1 w:1)
    fn submit_transcript() -> Weight {
        // Proof in bytes, measured: 698.
        // Minimum execution time: 20_016_000 picoseconds.
        Weight::from_parts(22_469_000, 4_435)
            .saturating_add(T::DbWeight::get().reads(1))
            .saturating_add(T::DbWeight::get().writes(1))
    }

    // Storage: `Compute::Jobs` (r:1 w:1)
    // Storage: `Babe::AuthorVrfRandomness` (r:1 w:0)
    fn draw_projection_seed() -> Weight {
        // Proof in bytes, measured: 1092.
        // Minimum execution time: 27_463_000 picoseconds.
        Weight::from_parts(29_598_000, 4_435)
            .saturating_add(T::DbWeight::get().reads(2))
            .saturating_add(T::DbWeight::get().writes(1))
    }

    // Storage: `Compute::Jobs` (r:1 w:1)
    // Storage: `Attribution::RulesetOf` (r:1 w:0)
    fn submit_index() -> Weight {
        // Proof in bytes, measured: 1162.
        // Minimum execution time: 26_137_000 picoseconds.
        Weight::from_parts(28_288_000, 4_435)
            .saturating_add(T::DbWeight::get().reads(2))
            .saturating_add(T::DbWeight::get().writes(1))
    }

    // Storage: `Compute::Jobs` (r:1 w:1)
    // Storage: `Attribution::RulesetOf` (r:1 w:0)
    // Storage: `System::Account` (r:4 w:4)
    // Storage: `Datanets::Contributions` (r:1 w:0)
    // Storage: `Compute::Operators` (r:1 w:1)
    // Storage: `Balances::Holds` (r:2 w:2)
    fn challenge_row() -> Weight {
        // Proof in bytes, measured: 3555.
        // Minimum execution time: 206_108_000 picoseconds.
        Weight::from_parts(227_824_000, 11_402)
            .saturating_add(T::DbWeight::get().reads(10))
            .saturating_add(T::DbWeight::get().writes(8))
    }

    // Storage: `Compute::Jobs` (r:1 w:1)
    // Storage: `Compute::Operators` (r:1 w:1)
    // Storage: `Models::Manifests` (r:1 w:1)
    // Storage: `Models::BuildersOf` (r:1 w:1)
    // Storage: `Models::Voided` (r:1 w:0)
    // Storage: `Models::NextModel` (r:1 w:1)
    // Storage: `Balances::Holds` (r:1 w:1)
    // Storage: `System::Account` (r:2 w:2)
    fn finalise_job() -> Weight {
        // Proof in bytes, measured: 2711.
        // Minimum execution time: 106_629_000 picoseconds.
        Weight::from_parts(120_374_000, 6_196)
            .saturating_add(T::DbWeight::get().reads(9))
            .saturating_add(T::DbWeight::get().writes(8))
    }

    // Storage: `Compute::Jobs` (r:1 w:1)
    // Storage: `Compute::Operators` (r:1 w:1)
    // Storage: `Balances::Holds` (r:2 w:2)
    // Storage: `System::Account` (r:3 w:3)
    fn expire_job() -> Weight {
        // Proof in bytes, measured: 2346.
        // Minimum execution time: 123_049_000 picoseconds.
        Weight::from_parts(133_996_000, 8_799)
            .saturating_add(T::DbWeight::get().reads(7))
            .saturating_add(T::DbWeight::get().writes(7))
    }

    // Storage: `Compute::Jobs` (r:1 w:1)
    // Storage: `System::Account` (r:1 w:1)
    // Storage: `Balances::Holds` (r:1 w:1)
    fn forget_job() -> Weight {
        // Proof in bytes, measured: 895.
        // Minimum execution time: 59_822_000 picoseconds.
        Weight::from_parts(66_254_000, 4_435)
            .saturating_add(T::DbWeight::get().reads(3))
            .saturating_add(T::DbWeight::get().writes(3))
    }
}
