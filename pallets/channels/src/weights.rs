//! Weights of the calls of `pallet_channels`.
//!
//! Measured on 2026-11-20 with 50 steps and 20 repeats through the compiled Wasm runtime, on
//! Intel(R) Xeon(R) Processor. `scripts/benchmark-weights.sh` measures again and writes this
//! file: do not edit it.

use core::marker::PhantomData;
use frame_support::{traits::Get, weights::Weight};

/// What each call weighs.
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

/// The measured weights, with the runtime's costs of reading and writing storage.
pub struct SubstrateWeight<T>(PhantomData<T>);

impl<T: frame_system::Config> WeightInfo for SubstrateWeight<T> {
    // Storage: `Attribution::CurrentRuleset` (r:1 w:0)
    // Storage: `Attribution::RulesetOf` (r:1 w:0)
    // Storage: `Compute::Operators` (r:1 w:1)
    // Storage: `Channels::NextChannel` (r:1 w:1)
    // Storage: `Balances::Holds` (r:1 w:1)
    // Storage: `Channels::ChannelsOfPayee` (r:0 w:1)
    // Storage: `Channels::ChannelsOfPayer` (r:0 w:1)
    // Storage: `Channels::Channels` (r:0 w:1)
    fn open() -> Weight {
        // Proof in bytes, measured: 1455.
        // Minimum execution time: 89_631_000 picoseconds.
        Weight::from_parts(95_963_000, 4_334)
            .saturating_add(T::DbWeight::get().reads(5))
            .saturating_add(T::DbWeight::get().writes(6))
    }

    // Storage: `Channels::Channels` (r:1 w:1)
    // Storage: `Balances::Holds` (r:1 w:1)
    fn top_up() -> Weight {
        // Proof in bytes, measured: 525.
        // Minimum execution time: 73_000_000 picoseconds.
        Weight::from_parts(82_427_000, 3_748)
            .saturating_add(T::DbWeight::get().reads(2))
            .saturating_add(T::DbWeight::get().writes(2))
    }

    // Storage: `Channels::Channels` (r:1 w:1)
    // Storage: `Attribution::RulesetOf` (r:1 w:0)
    fn extend() -> Weight {
        // Proof in bytes, measured: 654.
        // Minimum execution time: 22_636_000 picoseconds.
        Weight::from_parts(26_545_000, 3_689)
            .saturating_add(T::DbWeight::get().reads(2))
            .saturating_add(T::DbWeight::get().writes(1))
    }

    // Storage: `Channels::Channels` (r:1 w:1)
    // Storage: `Attribution::RulesetOf` (r:1 w:0)
    fn request_close() -> Weight {
        // Proof in bytes, measured: 654.
        // Minimum execution time: 22_519_000 picoseconds.
        Weight::from_parts(24_816_000, 3_689)
            .saturating_add(T::DbWeight::get().reads(2))
            .saturating_add(T::DbWeight::get().writes(1))
    }

    // Storage: `Channels::Channels` (r:1 w:1)
    // Storage: `Attribution::RulesetOf` (r:1 w:0)
    // Storage: `Balances::Holds` (r:1 w:1)
    // Storage: `Compute::Operators` (r:1 w:1)
    // Storage: `Channels::ChannelsOfPayee` (r:0 w:1)
    // Storage: `Channels::ChannelsOfPayer` (r:0 w:1)
    fn close() -> Weight {
        // Proof in bytes, measured: 1683.
        // Minimum execution time: 75_088_000 picoseconds.
        Weight::from_parts(84_077_000, 4_334)
            .saturating_add(T::DbWeight::get().reads(4))
            .saturating_add(T::DbWeight::get().writes(5))
    }

    // Storage: `Channels::Channels` (r:1 w:1)
    // Storage: `System::BlockHash` (r:1 w:0)
    // Storage: `Balances::Holds` (r:1 w:1)
    // Storage: `Compute::Operators` (r:1 w:1)
    // Storage: `Channels::ChannelsOfPayee` (r:0 w:1)
    // Storage: `Channels::ChannelsOfPayer` (r:0 w:1)
    fn close_cooperatively() -> Weight {
        // Proof in bytes, measured: 1477.
        // Minimum execution time: 224_775_000 picoseconds.
        Weight::from_parts(248_915_000, 4_334)
            .saturating_add(T::DbWeight::get().reads(4))
            .saturating_add(T::DbWeight::get().writes(5))
    }

    // Storage: `Channels::Channels` (r:1 w:1)
    // Storage: `Balances::Holds` (r:1 w:1)
    // Storage: `Compute::Operators` (r:1 w:1)
    // Storage: `Channels::ChannelsOfPayee` (r:0 w:1)
    // Storage: `Channels::ChannelsOfPayer` (r:0 w:1)
    fn close_as_payee() -> Weight {
        // Proof in bytes, measured: 1423.
        // Minimum execution time: 72_841_000 picoseconds.
        Weight::from_parts(81_344_000, 4_334)
            .saturating_add(T::DbWeight::get().reads(3))
            .saturating_add(T::DbWeight::get().writes(5))
    }
}
