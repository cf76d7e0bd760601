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
    // Proof: `Models::Manifests` (`max_values`: None, `max_size`: Some(954), added: 3429, mode: `MaxEncodedLen`)
    // Storage: `Models::BuildersOf` (r:4 w:1)
    // Proof: `Models::BuildersOf` (`max_values`: None, `max_size`: Some(589), added: 3064, mode: `MaxEncodedLen`)
    // Storage: `Models::Voided` (r:4 w:0)
    // Proof: `Models::Voided` (`max_values`: None, `max_size`: Some(12), added: 2487, mode: `MaxEncodedLen`)
    // Storage: `Models::Retired` (r:4 w:0)
    // Proof: `Models::Retired` (`max_values`: None, `max_size`: Some(12), added: 2487, mode: `MaxEncodedLen`)
    // Storage: `Balances::Holds` (r:1 w:1)
    // Proof: `Balances::Holds` (`max_values`: None, `max_size`: Some(283), added: 2758, mode: `MaxEncodedLen`)
    // Storage: `Attribution::CurrentRuleset` (r:1 w:0)
    // Proof: `Attribution::CurrentRuleset` (`max_values`: Some(1), `max_size`: Some(4), added: 499, mode: `MaxEncodedLen`)
    // Storage: `Attribution::RulesetOf` (r:1 w:0)
    // Proof: `Attribution::RulesetOf` (`max_values`: None, `max_size`: Some(224), added: 2699, mode: `MaxEncodedLen`)
    // Storage: `Models::NextModel` (r:1 w:1)
    // Proof: `Models::NextModel` (`max_values`: Some(1), `max_size`: Some(4), added: 499, mode: `MaxEncodedLen`)
    // Storage: `Models::Deposits` (r:0 w:1)
    // Proof: `Models::Deposits` (`max_values`: None, `max_size`: Some(28), added: 2503, mode: `MaxEncodedLen`)
    fn register() -> Weight {
        // Proof in bytes, measured: 2956.
        // Minimum execution time: 107_982_000 picoseconds.
        Weight::from_parts(129_559_000, 18_135)
            .saturating_add(T::DbWeight::get().reads(21))
            .saturating_add(T::DbWeight::get().writes(5))
    }

    // Storage: `Models::Manifests` (r:1 w:1)
    // Proof: `Models::Manifests` (`max_values`: None, `max_size`: Some(954), added: 3429, mode: `MaxEncodedLen`)
    // Storage: `Models::Voided` (r:1 w:0)
    // Proof: `Models::Voided` (`max_values`: None, `max_size`: Some(12), added: 2487, mode: `MaxEncodedLen`)
    fn set_price() -> Weight {
        // Proof in bytes, measured: 1033.
        // Minimum execution time: 15_512_000 picoseconds.
        Weight::from_parts(18_220_000, 4_419)
            .saturating_add(T::DbWeight::get().reads(2))
            .saturating_add(T::DbWeight::get().writes(1))
    }

    // Storage: `Models::Manifests` (r:1 w:1)
    // Proof: `Models::Manifests` (`max_values`: None, `max_size`: Some(954), added: 3429, mode: `MaxEncodedLen`)
    // Storage: `Models::Voided` (r:1 w:0)
    // Proof: `Models::Voided` (`max_values`: None, `max_size`: Some(12), added: 2487, mode: `MaxEncodedLen`)
    fn set_royalty() -> Weight {
        // Proof in bytes, measured: 1033.
        // Minimum execution time: 15_601_000 picoseconds.
        Weight::from_parts(18_239_000, 4_419)
            .saturating_add(T::DbWeight::get().reads(2))
            .saturating_add(T::DbWeight::get().writes(1))
    }

    // Storage: `Models::Manifests` (r:1 w:0)
    // Proof: `Models::Manifests` (`max_values`: None, `max_size`: Some(954), added: 3429, mode: `MaxEncodedLen`)
    // Storage: `Models::Voided` (r:1 w:0)
    // Proof: `Models::Voided` (`max_values`: None, `max_size`: Some(12), added: 2487, mode: `MaxEncodedLen`)
    // Storage: `Models::Retired` (r:1 w:1)
    // Proof: `Models::Retired` (`max_values`: None, `max_size`: Some(12), added: 2487, mode: `MaxEncodedLen`)
    fn retire() -> Weight {
        // Proof in bytes, measured: 1033.
        // Minimum execution time: 15_156_000 picoseconds.
        Weight::from_parts(17_808_000, 4_419)
            .saturating_add(T::DbWeight::get().reads(3))
            .saturating_add(T::DbWeight::get().writes(1))
    }

    // Storage: `Models::Manifests` (r:1 w:0)
    // Proof: `Models::Manifests` (`max_values`: None, `max_size`: Some(954), added: 3429, mode: `MaxEncodedLen`)
    // Storage: `Models::Voided` (r:1 w:1)
    // Proof: `Models::Voided` (`max_values`: None, `max_size`: Some(12), added: 2487, mode: `MaxEncodedLen`)
    fn void() -> Weight {
        // Proof in bytes, measured: 160.
        // Minimum execution time: 11_649_000 picoseconds.
        Weight::from_parts(13_792_000, 4_419)
            .saturating_add(T::DbWeight::get().reads(2))
            .saturating_add(T::DbWeight::get().writes(1))
    }
}
