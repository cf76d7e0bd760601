//! Weights of the calls of `pallet_models`.
//!
//! Measured on 2026-11-20 with 50 steps and 20 repeats through the compiled Wasm runtime, on
//! Intel(R) Xeon(R) Processor. `scripts/benchmark-weights.sh` measures again and writes this
//! file: do not edit it.

use core::marker::PhantomData;
use frame_support::{traits::Get, weights::Weight};

/// What each call weighs.
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

/// The measured weights, with the runtime's costs of reading and writing storage.
pub struct SubstrateWeight<T>(PhantomData<T>);

impl<T: frame_system::Config> WeightInfo for SubstrateWeight<T> {
    // Storage: `Models::Manifests` (r:5 w:1)
    // Storage: `Models::BuildersOf` (r:4 w:1)
    // Storage: `Models::Voided` (r:4 w:0)
    // Storage: `Models::Retired` (r:4 w:0)
    // Storage: `Balances::Holds` (r:1 w:1)
    // Storage: `Attribution::CurrentRuleset` (r:1 w:0)
    // Storage: `Attribution::RulesetOf` (r:1 w:0)
    // Storage: `Models::NextModel` (r:1 w:1)
    // Storage: `Models::Deposits` (r:0 w:1)
    fn register() -> Weight {
        // Proof in bytes, measured: 2956.
        // Minimum execution time: 120_355_000 picoseconds.
        Weight::from_parts(132_957_000, 18_135)
            .saturating_add(T::DbWeight::get().reads(21))
            .saturating_add(T::DbWeight::get().writes(5))
    }

    // Storage: `Models::Manifests` (r:1 w:1)
    // Storage: `Models::Voided` (r:1 w:0)
    fn set_price() -> Weight {
        // Proof in bytes, measured: 1033.
        // Minimum execution time: 16_287_000 picoseconds.
        Weight::from_parts(17_973_000, 4_419)
            .saturating_add(T::DbWeight::get().reads(2))
            .saturating_add(T::DbWeight::get().writes(1))
    }

    // Storage: `Models::Manifests` (r:1 w:1)
    // Storage: `Models::Voided` (r:1 w:0)
    fn set_royalty() -> Weight {
        // Proof in bytes, measured: 1033.
        // Minimum execution time: 16_121_000 picoseconds.
        Weight::from_parts(17_891_000, 4_419)
            .saturating_add(T::DbWeight::get().reads(2))
            .saturating_add(T::DbWeight::get().writes(1))
    }

    // Storage: `Models::Manifests` (r:1 w:0)
    // Storage: `Models::Voided` (r:1 w:0)
    // Storage: `Models::Retired` (r:1 w:1)
    fn retire() -> Weight {
        // Proof in bytes, measured: 1033.
        // Minimum execution time: 15_437_000 picoseconds.
        Weight::from_parts(17_585_000, 4_419)
            .saturating_add(T::DbWeight::get().reads(3))
            .saturating_add(T::DbWeight::get().writes(1))
    }

    // Storage: `Models::Manifests` (r:1 w:0)
    // Storage: `Models::Voided` (r:1 w:1)
    fn void() -> Weight {
        // Proof in bytes, measured: 160.
        // Minimum execution time: 12_067_000 picoseconds.
        Weight::from_parts(13_766_000, 4_419)
            .saturating_add(T::DbWeight::get().reads(2))
            .saturating_add(T::DbWeight::get().writes(1))
    }
}
