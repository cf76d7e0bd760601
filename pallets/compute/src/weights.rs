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
    // Proof: `Compute::Operators` (`max_values`: None, `max_size`: Some(869), added: 3344, mode: `MaxEncodedLen`)
    // Storage: `Attribution::CurrentRuleset` (r:1 w:0)
    // Proof: `Attribution::CurrentRuleset` (`max_values`: Some(1), `max_size`: Some(4), added: 499, mode: `MaxEncodedLen`)
    // Storage: `Attribution::RulesetOf` (r:1 w:0)
    // Proof: `Attribution::RulesetOf` (`max_values`: None, `max_size`: Some(224), added: 2699, mode: `MaxEncodedLen`)
    // Storage: `System::Account` (r:1 w:1)
    // Proof: `System::Account` (`max_values`: None, `max_size`: Some(128), added: 2603, mode: `MaxEncodedLen`)
    // Storage: `Balances::Holds` (r:1 w:1)
    // Proof: `Balances::Holds` (`max_values`: None, `max_size`: Some(283), added: 2758, mode: `MaxEncodedLen`)
    fn register_operator() -> Weight {
        // Proof in bytes, measured: 418.
        // Minimum execution time: 61_081_000 picoseconds.
        Weight::from_parts(67_778_000, 4_334)
            .saturating_add(T::DbWeight::get().reads(5))
            .saturating_add(T::DbWeight::get().writes(3))
    }

    // Storage: `Compute::Operators` (r:1 w:1)
    // Proof: `Compute::Operators` (`max_values`: None, `max_size`: Some(869), added: 3344, mode: `MaxEncodedLen`)
    // Storage: `System::Account` (r:1 w:1)
    // Proof: `System::Account` (`max_values`: None, `max_size`: Some(128), added: 2603, mode: `MaxEncodedLen`)
    // Storage: `Balances::Holds` (r:1 w:1)
    // Proof: `Balances::Holds` (`max_values`: None, `max_size`: Some(283), added: 2758, mode: `MaxEncodedLen`)
    fn add_bond() -> Weight {
        // Proof in bytes, measured: 1094.
        // Minimum execution time: 59_590_000 picoseconds.
        Weight::from_parts(65_110_000, 4_334)
            .saturating_add(T::DbWeight::get().reads(3))
            .saturating_add(T::DbWeight::get().writes(3))
    }

    // Storage: `Compute::Operators` (r:1 w:1)
    // Proof: `Compute::Operators` (`max_values`: None, `max_size`: Some(869), added: 3344, mode: `MaxEncodedLen`)
    fn update_operator() -> Weight {
        // Proof in bytes, measured: 387.
        // Minimum execution time: 14_107_000 picoseconds.
        Weight::from_parts(16_454_000, 4_334)
            .saturating_add(T::DbWeight::get().reads(1))
            .saturating_add(T::DbWeight::get().writes(1))
    }

    // Storage: `Compute::Operators` (r:1 w:1)
    // Proof: `Compute::Operators` (`max_values`: None, `max_size`: Some(869), added: 3344, mode: `MaxEncodedLen`)
    fn drain() -> Weight {
        // Proof in bytes, measured: 898.
        // Minimum execution time: 13_977_000 picoseconds.
        Weight::from_parts(15_650_000, 4_334)
            .saturating_add(T::DbWeight::get().reads(1))
            .saturating_add(T::DbWeight::get().writes(1))
    }

    // Storage: `Compute::Operators` (r:1 w:1)
    // Proof: `Compute::Operators` (`max_values`: None, `max_size`: Some(869), added: 3344, mode: `MaxEncodedLen`)
    // Storage: `System::Account` (r:1 w:1)
    // Proof: `System::Account` (`max_values`: None, `max_size`: Some(128), added: 2603, mode: `MaxEncodedLen`)
    // Storage: `Balances::Holds` (r:1 w:1)
    // Proof: `Balances::Holds` (`max_values`: None, `max_size`: Some(283), added: 2758, mode: `MaxEncodedLen`)
    fn withdraw_bond() -> Weight {
        // Proof in bytes, measured: 1098.
        // Minimum execution time: 50_126_000 picoseconds.
        Weight::from_parts(56_172_000, 4_334)
            .saturating_add(T::DbWeight::get().reads(3))
            .saturating_add(T::DbWeight::get().writes(3))
    }

    // Storage: `Datanets::Datanets` (r:8 w:0)
    // Proof: `Datanets::Datanets` (`max_values`: None, `max_size`: Some(892), added: 3367, mode: `MaxEncodedLen`)
    // Storage: `Models::Manifests` (r:1 w:0)
    // Proof: `Models::Manifests` (`max_values`: None, `max_size`: Some(954), added: 3429, mode: `MaxEncodedLen`)
    // Storage: `Models::BuildersOf` (r:1 w:0)
    // Proof: `Models::BuildersOf` (`max_values`: None, `max_size`: Some(589), added: 3064, mode: `MaxEncodedLen`)
    // Storage: `Models::Voided` (r:1 w:0)
    // Proof: `Models::Voided` (`max_values`: None, `max_size`: Some(12), added: 2487, mode: `MaxEncodedLen`)
    // Storage: `Models::Retired` (r:1 w:0)
    // Proof: `Models::Retired` (`max_values`: None, `max_size`: Some(12), added: 2487, mode: `MaxEncodedLen`)
    // Storage: `System::Account` (r:1 w:1)
    // Proof: `System::Account` (`max_values`: None, `max_size`: Some(128), added: 2603, mode: `MaxEncodedLen`)
    // Storage: `Balances::Holds` (r:1 w:1)
    // Proof: `Balances::Holds` (`max_values`: None, `max_size`: Some(283), added: 2758, mode: `MaxEncodedLen`)
    // Storage: `Attribution::CurrentRuleset` (r:1 w:0)
    // Proof: `Attribution::CurrentRuleset` (`max_values`: Some(1), `max_size`: Some(4), added: 499, mode: `MaxEncodedLen`)
    // Storage: `Attribution::RulesetOf` (r:1 w:0)
    // Proof: `Attribution::RulesetOf` (`max_values`: None, `max_size`: Some(224), added: 2699, mode: `MaxEncodedLen`)
    // Storage: `Compute::NextJob` (r:1 w:1)
    // Proof: `Compute::NextJob` (`max_values`: Some(1), `max_size`: Some(4), added: 499, mode: `MaxEncodedLen`)
    // Storage: `Compute::Jobs` (r:0 w:1)
    // Proof: `Compute::Jobs` (`max_values`: None, `max_size`: Some(970), added: 3445, mode: `MaxEncodedLen`)
    fn request_job() -> Weight {
        // Proof in bytes, measured: 8305.
        // Minimum execution time: 169_437_000 picoseconds.
        Weight::from_parts(187_169_000, 27_926)
            .saturating_add(T::DbWeight::get().reads(17))
            .saturating_add(T::DbWeight::get().writes(4))
    }

    // Storage: `Compute::Jobs` (r:1 w:1)
    // Proof: `Compute::Jobs` (`max_values`: None, `max_size`: Some(970), added: 3445, mode: `MaxEncodedLen`)
    // Storage: `System::Account` (r:1 w:1)
    // Proof: `System::Account` (`max_values`: None, `max_size`: Some(128), added: 2603, mode: `MaxEncodedLen`)
    // Storage: `Balances::Holds` (r:1 w:1)
    // Proof: `Balances::Holds` (`max_values`: None, `max_size`: Some(283), added: 2758, mode: `MaxEncodedLen`)
    fn cancel_job() -> Weight {
        // Proof in bytes, measured: 916.
        // Minimum execution time: 57_671_000 picoseconds.
        Weight::from_parts(64_719_000, 4_435)
            .saturating_add(T::DbWeight::get().reads(3))
            .saturating_add(T::DbWeight::get().writes(3))
    }

    // Storage: `Compute::Jobs` (r:1 w:1)
    // Proof: `Compute::Jobs` (`max_values`: None, `max_size`: Some(970), added: 3445, mode: `MaxEncodedLen`)
    // Storage: `Attribution::RulesetOf` (r:1 w:0)
    // Proof: `Attribution::RulesetOf` (`max_values`: None, `max_size`: Some(224), added: 2699, mode: `MaxEncodedLen`)
    // Storage: `Compute::Operators` (r:1 w:1)
    // Proof: `Compute::Operators` (`max_values`: None, `max_size`: Some(869), added: 3344, mode: `MaxEncodedLen`)
    fn take_job() -> Weight {
        // Proof in bytes, measured: 1726.
        // Minimum execution time: 29_135_000 picoseconds.
        Weight::from_parts(32_125_000, 4_435)
            .saturating_add(T::DbWeight::get().reads(3))
            .saturating_add(T::DbWeight::get().writes(2))
    }

    // Storage: `Compute::Jobs` (r:1 w:1)
    // Proof: `Compute::Jobs` (`max_values`: None, `max_size`: Some(970), added: 3445, mode: `MaxEncodedLen`)
    // Storage: `Babe::NextRandomness` (r:1 w:0)
    // Proof: `Babe::NextRandomness` (`max_values`: Some(1), `max_size`: Some(32), added: 527, mode: `MaxEncodedLen`)
    // Storage: `Babe::EpochStart` (r:1 w:0)
    // Proof: `Babe::EpochStart` (`max_values`: Some(1), `max_size`: Some(8), added: 503, mode: `MaxEncodedLen`)
    fn draw_order_seed() -> Weight {
        // Proof in bytes, measured: 825.
        // Minimum execution time: 23_381_000 picoseconds.
        Weight::from_parts(26_028_000, 4_435)
            .saturating_add(T::DbWeight::get().reads(3))
            .saturating_add(T::DbWeight::get().writes(1))
    }

    // Storage: `Compute::Jobs` (r:1 w:1)
    // Proof: `Compute::Jobs` (`max_values`: None, `max_size`: Some(970), added: 3445, mode: `MaxEncodedLen`)
    fn submit_transcript() -> Weight {
        // Proof in bytes, measured: 698.
        // Minimum execution time: 19_554_000 picoseconds.
        Weight::from_parts(21_873_000, 4_435)
            .saturating_add(T::DbWeight::get().reads(1))
            .saturating_add(T::DbWeight::get().writes(1))
    }

    // Storage: `Compute::Jobs` (r:1 w:1)
    // Proof: `Compute::Jobs` (`max_values`: None, `max_size`: Some(970), added: 3445, mode: `MaxEncodedLen`)
    // Storage: `Babe::AuthorVrfRandomness` (r:1 w:0)
    // Proof: `Babe::AuthorVrfRandomness` (`max_values`: Some(1), `max_size`: Some(33), added: 528, mode: `MaxEncodedLen`)
    fn draw_projection_seed() -> Weight {
        // Proof in bytes, measured: 1092.
        // Minimum execution time: 25_209_000 picoseconds.
        Weight::from_parts(28_059_000, 4_435)
            .saturating_add(T::DbWeight::get().reads(2))
            .saturating_add(T::DbWeight::get().writes(1))
    }

    // Storage: `Compute::Jobs` (r:1 w:1)
    // Proof: `Compute::Jobs` (`max_values`: None, `max_size`: Some(970), added: 3445, mode: `MaxEncodedLen`)
    // Storage: `Attribution::RulesetOf` (r:1 w:0)
    // Proof: `Attribution::RulesetOf` (`max_values`: None, `max_size`: Some(224), added: 2699, mode: `MaxEncodedLen`)
    fn submit_index() -> Weight {
        // Proof in bytes, measured: 1162.
        // Minimum execution time: 24_395_000 picoseconds.
        Weight::from_parts(27_060_000, 4_435)
            .saturating_add(T::DbWeight::get().reads(2))
            .saturating_add(T::DbWeight::get().writes(1))
    }

    // Storage: `Compute::Jobs` (r:1 w:1)
    // Proof: `Compute::Jobs` (`max_values`: None, `max_size`: Some(970), added: 3445, mode: `MaxEncodedLen`)
    // Storage: `Attribution::RulesetOf` (r:1 w:0)
    // Proof: `Attribution::RulesetOf` (`max_values`: None, `max_size`: Some(224), added: 2699, mode: `MaxEncodedLen`)
    // Storage: `System::Account` (r:4 w:4)
    // Proof: `System::Account` (`max_values`: None, `max_size`: Some(128), added: 2603, mode: `MaxEncodedLen`)
    // Storage: `Datanets::Contributions` (r:1 w:0)
    // Proof: `Datanets::Contributions` (`max_values`: None, `max_size`: Some(307), added: 2782, mode: `MaxEncodedLen`)
    // Storage: `Compute::Operators` (r:1 w:1)
    // Proof: `Compute::Operators` (`max_values`: None, `max_size`: Some(869), added: 3344, mode: `MaxEncodedLen`)
    // Storage: `Balances::Holds` (r:2 w:2)
    // Proof: `Balances::Holds` (`max_values`: None, `max_size`: Some(283), added: 2758, mode: `MaxEncodedLen`)
    fn challenge_row() -> Weight {
        // Proof in bytes, measured: 3555.
        // Minimum execution time: 186_276_000 picoseconds.
        Weight::from_parts(214_374_000, 11_402)
            .saturating_add(T::DbWeight::get().reads(10))
            .saturating_add(T::DbWeight::get().writes(8))
    }

    // Storage: `Compute::Jobs` (r:1 w:1)
    // Proof: `Compute::Jobs` (`max_values`: None, `max_size`: Some(970), added: 3445, mode: `MaxEncodedLen`)
    // Storage: `Compute::Operators` (r:1 w:1)
    // Proof: `Compute::Operators` (`max_values`: None, `max_size`: Some(869), added: 3344, mode: `MaxEncodedLen`)
    // Storage: `Models::Manifests` (r:1 w:1)
    // Proof: `Models::Manifests` (`max_values`: None, `max_size`: Some(954), added: 3429, mode: `MaxEncodedLen`)
    // Storage: `Models::BuildersOf` (r:1 w:1)
    // Proof: `Models::BuildersOf` (`max_values`: None, `max_size`: Some(589), added: 3064, mode: `MaxEncodedLen`)
    // Storage: `Models::Voided` (r:1 w:0)
    // Proof: `Models::Voided` (`max_values`: None, `max_size`: Some(12), added: 2487, mode: `MaxEncodedLen`)
    // Storage: `Models::NextModel` (r:1 w:1)
    // Proof: `Models::NextModel` (`max_values`: Some(1), `max_size`: Some(4), added: 499, mode: `MaxEncodedLen`)
    // Storage: `Balances::Holds` (r:1 w:1)
    // Proof: `Balances::Holds` (`max_values`: None, `max_size`: Some(283), added: 2758, mode: `MaxEncodedLen`)
    // Storage: `System::Account` (r:2 w:2)
    // Proof: `System::Account` (`max_values`: None, `max_size`: Some(128), added: 2603, mode: `MaxEncodedLen`)
    fn finalise_job() -> Weight {
        // Proof in bytes, measured: 2711.
        // Minimum execution time: 99_842_000 picoseconds.
        Weight::from_parts(112_167_000, 6_196)
            .saturating_add(T::DbWeight::get().reads(9))
            .saturating_add(T::DbWeight::get().writes(8))
    }

    // Storage: `Compute::Jobs` (r:1 w:1)
    // Proof: `Compute::Jobs` (`max_values`: None, `max_size`: Some(970), added: 3445, mode: `MaxEncodedLen`)
    // Storage: `Compute::Operators` (r:1 w:1)
    // Proof: `Compute::Operators` (`max_values`: None, `max_size`: Some(869), added: 3344, mode: `MaxEncodedLen`)
    // Storage: `Balances::Holds` (r:2 w:2)
    // Proof: `Balances::Holds` (`max_values`: None, `max_size`: Some(283), added: 2758, mode: `MaxEncodedLen`)
    // Storage: `System::Account` (r:3 w:3)
    // Proof: `System::Account` (`max_values`: None, `max_size`: Some(128), added: 2603, mode: `MaxEncodedLen`)
    fn expire_job() -> Weight {
        // Proof in bytes, measured: 2346.
        // Minimum execution time: 113_402_000 picoseconds.
        Weight::from_parts(124_160_000, 8_799)
            .saturating_add(T::DbWeight::get().reads(7))
            .saturating_add(T::DbWeight::get().writes(7))
    }

    // Storage: `Compute::Jobs` (r:1 w:1)
    // Proof: `Compute::Jobs` (`max_values`: None, `max_size`: Some(970), added: 3445, mode: `MaxEncodedLen`)
    // Storage: `System::Account` (r:1 w:1)
    // Proof: `System::Account` (`max_values`: None, `max_size`: Some(128), added: 2603, mode: `MaxEncodedLen`)
    // Storage: `Balances::Holds` (r:1 w:1)
    // Proof: `Balances::Holds` (`max_values`: None, `max_size`: Some(283), added: 2758, mode: `MaxEncodedLen`)
    fn forget_job() -> Weight {
        // Proof in bytes, measured: 895.
        // Minimum execution time: 51_516_000 picoseconds.
        Weight::from_parts(61_840_000, 4_435)
            .saturating_add(T::DbWeight::get().reads(3))
            .saturating_add(T::DbWeight::get().writes(3))
    }
}
