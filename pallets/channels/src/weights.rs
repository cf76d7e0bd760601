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
    // Proof: `Attribution::CurrentRuleset` (`max_values`: Some(1), `max_size`: Some(4), added: 499, mode: `MaxEncodedLen`)
    // Storage: `Attribution::RulesetOf` (r:1 w:0)
    // Proof: `Attribution::RulesetOf` (`max_values`: None, `max_size`: Some(224), added: 2699, mode: `MaxEncodedLen`)
    // Storage: `Compute::Operators` (r:1 w:1)
    // Proof: `Compute::Operators` (`max_values`: None, `max_size`: Some(869), added: 3344, mode: `MaxEncodedLen`)
    // Storage: `Channels::NextChannel` (r:1 w:1)
    // Proof: `Channels::NextChannel` (`max_values`: Some(1), `max_size`: Some(8), added: 503, mode: `MaxEncodedLen`)
    // Storage: `Balances::Holds` (r:1 w:1)
    // Proof: `Balances::Holds` (`max_values`: None, `max_size`: Some(283), added: 2758, mode: `MaxEncodedLen`)
    // Storage: `Channels::ChannelsOfPayee` (r:0 w:1)
    // Proof: `Channels::ChannelsOfPayee` (`max_values`: None, `max_size`: Some(64), added: 2539, mode: `MaxEncodedLen`)
    // Storage: `Channels::ChannelsOfPayer` (r:0 w:1)
    // Proof: `Channels::ChannelsOfPayer` (`max_values`: None, `max_size`: Some(64), added: 2539, mode: `MaxEncodedLen`)
    // Storage: `Channels::Channels` (r:0 w:1)
    // Proof: `Channels::Channels` (`max_values`: None, `max_size`: Some(201), added: 2676, mode: `MaxEncodedLen`)
    fn open() -> Weight {
        // Proof in bytes, measured: 1455.
        // Minimum execution time: 79_287_000 picoseconds.
        Weight::from_parts(89_118_000, 4_334)
            .saturating_add(T::DbWeight::get().reads(5))
            .saturating_add(T::DbWeight::get().writes(6))
    }

    // Storage: `Channels::Channels` (r:1 w:1)
    // Proof: `Channels::Channels` (`max_values`: None, `max_size`: Some(201), added: 2676, mode: `MaxEncodedLen`)
    // Storage: `Balances::Holds` (r:1 w:1)
    // Proof: `Balances::Holds` (`max_values`: None, `max_size`: Some(283), added: 2758, mode: `MaxEncodedLen`)
    fn top_up() -> Weight {
        // Proof in bytes, measured: 525.
        // Minimum execution time: 57_808_000 picoseconds.
        Weight::from_parts(69_171_000, 3_748)
            .saturating_add(T::DbWeight::get().reads(2))
            .saturating_add(T::DbWeight::get().writes(2))
    }

    // Storage: `Channels::Channels` (r:1 w:1)
    // Proof: `Channels::Channels` (`max_values`: None, `max_size`: Some(201), added: 2676, mode: `MaxEncodedLen`)
    // Storage: `Attribution::RulesetOf` (r:1 w:0)
    // Proof: `Attribution::RulesetOf` (`max_values`: None, `max_size`: Some(224), added: 2699, mode: `MaxEncodedLen`)
    fn extend() -> Weight {
        // Proof in bytes, measured: 654.
        // Minimum execution time: 20_395_000 picoseconds.
        Weight::from_parts(23_759_000, 3_689)
            .saturating_add(T::DbWeight::get().reads(2))
            .saturating_add(T::DbWeight::get().writes(1))
    }

    // Storage: `Channels::Channels` (r:1 w:1)
    // Proof: `Channels::Channels` (`max_values`: None, `max_size`: Some(201), added: 2676, mode: `MaxEncodedLen`)
    // Storage: `Attribution::RulesetOf` (r:1 w:0)
    // Proof: `Attribution::RulesetOf` (`max_values`: None, `max_size`: Some(224), added: 2699, mode: `MaxEncodedLen`)
    fn request_close() -> Weight {
        // Proof in bytes, measured: 654.
        // Minimum execution time: 20_693_000 picoseconds.
        Weight::from_parts(23_908_000, 3_689)
            .saturating_add(T::DbWeight::get().reads(2))
            .saturating_add(T::DbWeight::get().writes(1))
    }

    // Storage: `Channels::Channels` (r:1 w:1)
    // Proof: `Channels::Channels` (`max_values`: None, `max_size`: Some(201), added: 2676, mode: `MaxEncodedLen`)
    // Storage: `Attribution::RulesetOf` (r:1 w:0)
    // Proof: `Attribution::RulesetOf` (`max_values`: None, `max_size`: Some(224), added: 2699, mode: `MaxEncodedLen`)
    // Storage: `Balances::Holds` (r:1 w:1)
    // Proof: `Balances::Holds` (`max_values`: None, `max_size`: Some(283), added: 2758, mode: `MaxEncodedLen`)
    // Storage: `Compute::Operators` (r:1 w:1)
    // Proof: `Compute::Operators` (`max_values`: None, `max_size`: Some(869), added: 3344, mode: `MaxEncodedLen`)
    // Storage: `Channels::ChannelsOfPayee` (r:0 w:1)
    // Proof: `Channels::ChannelsOfPayee` (`max_values`: None, `max_size`: Some(64), added: 2539, mode: `MaxEncodedLen`)
    // Storage: `Channels::ChannelsOfPayer` (r:0 w:1)
    // Proof: `Channels::ChannelsOfPayer` (`max_values`: None, `max_size`: Some(64), added: 2539, mode: `MaxEncodedLen`)
    fn close() -> Weight {
        // Proof in bytes, measured: 1683.
        // Minimum execution time: 69_084_000 picoseconds.
        Weight::from_parts(77_366_000, 4_334)
            .saturating_add(T::DbWeight::get().reads(4))
            .saturating_add(T::DbWeight::get().writes(5))
    }

    // Storage: `Channels::Channels` (r:1 w:1)
    // Proof: `Channels::Channels` (`max_values`: None, `max_size`: Some(201), added: 2676, mode: `MaxEncodedLen`)
    // Storage: `System::BlockHash` (r:1 w:0)
    // Proof: `System::BlockHash` (`max_values`: None, `max_size`: Some(44), added: 2519, mode: `MaxEncodedLen`)
    // Storage: `Balances::Holds` (r:1 w:1)
    // Proof: `Balances::Holds` (`max_values`: None, `max_size`: Some(283), added: 2758, mode: `MaxEncodedLen`)
    // Storage: `Compute::Operators` (r:1 w:1)
    // Proof: `Compute::Operators` (`max_values`: None, `max_size`: Some(869), added: 3344, mode: `MaxEncodedLen`)
    // Storage: `Channels::ChannelsOfPayee` (r:0 w:1)
    // Proof: `Channels::ChannelsOfPayee` (`max_values`: None, `max_size`: Some(64), added: 2539, mode: `MaxEncodedLen`)
    // Storage: `Channels::ChannelsOfPayer` (r:0 w:1)
    // Proof: `Channels::ChannelsOfPayer` (`max_values`: None, `max_size`: Some(64), added: 2539, mode: `MaxEncodedLen`)
    fn close_cooperatively() -> Weight {
        // Proof in bytes, measured: 1477.
        // Minimum execution time: 134_831_000 picoseconds.
        Weight::from_parts(163_296_000, 4_334)
            .saturating_add(T::DbWeight::get().reads(4))
            .saturating_add(T::DbWeight::get().writes(5))
    }

    // Storage: `Channels::Channels` (r:1 w:1)
    // Proof: `Channels::Channels` (`max_values`: None, `max_size`: Some(201), added: 2676, mode: `MaxEncodedLen`)
    // Storage: `Balances::Holds` (r:1 w:1)
    // Proof: `Balances::Holds` (`max_values`: None, `max_size`: Some(283), added: 2758, mode: `MaxEncodedLen`)
    // Storage: `Compute::Operators` (r:1 w:1)
    // Proof: `Compute::Operators` (`max_values`: None, `max_size`: Some(869), added: 3344, mode: `MaxEncodedLen`)
    // Storage: `Channels::ChannelsOfPayee` (r:0 w:1)
    // Proof: `Channels::ChannelsOfPayee` (`max_values`: None, `max_size`: Some(64), added: 2539, mode: `MaxEncodedLen`)
    // Storage: `Channels::ChannelsOfPayer` (r:0 w:1)
    // Proof: `Channels::ChannelsOfPayer` (`max_values`: None, `max_size`: Some(64), added: 2539, mode: `MaxEncodedLen`)
    fn close_as_payee() -> Weight {
        // Proof in bytes, measured: 1423.
        // Minimum execution time: 57_617_000 picoseconds.
        Weight::from_parts(70_182_000, 4_334)
            .saturating_add(T::DbWeight::get().reads(3))
            .saturating_add(T::DbWeight::get().writes(5))
    }
}
