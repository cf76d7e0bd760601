//! Weights of the calls of `pallet_datanets`.
//!
//! Measured on 2026-11-20 with 50 steps and 20 repeats through the compiled Wasm runtime, on
//! Intel(R) Xeon(R) Processor. `scripts/benchmark-weights.sh` measures again and writes this
//! file: do not edit it.

use core::marker::PhantomData;
use frame_support::{traits::Get, weights::Weight};

/// What each call weighs.
pub trait WeightInfo {
    /// Weight of `create_open`.
    fn create_open() -> Weight;
    /// Weight of `create_curated`.
    fn create_curated() -> Weight;
    /// Weight of `join_as_curator`.
    fn join_as_curator() -> Weight;
    /// Weight of `leave_as_curator`.
    fn leave_as_curator() -> Weight;
    /// Weight of `contribute`.
    fn contribute() -> Weight;
    /// Weight of `vote`.
    fn vote() -> Weight;
    /// Weight of `accept`.
    fn accept() -> Weight;
    /// Weight of `lapse`.
    fn lapse() -> Weight;
    /// Weight of `withdraw`.
    fn withdraw() -> Weight;
    /// Weight of `release_stake`.
    fn release_stake() -> Weight;
    /// Weight of `challenge_duplicate`.
    fn challenge_duplicate() -> Weight;
    /// Weight of `challenge_malformed`.
    fn challenge_malformed() -> Weight;
    /// Weight of `demand`.
    fn demand() -> Weight;
    /// Weight of `answer_demand`.
    fn answer_demand() -> Weight;
    /// Weight of `expire_demand`.
    fn expire_demand() -> Weight;
    /// Weight of `overrule`.
    fn overrule() -> Weight;
}

/// The measured weights, with the runtime's costs of reading and writing storage.
pub struct SubstrateWeight<T>(PhantomData<T>);

impl<T: frame_system::Config> WeightInfo for SubstrateWeight<T> {
    // Storage: `Balances::Holds` (r:1 w:1)
    // Proof: `Balances::Holds` (`max_values`: None, `max_size`: Some(283), added: 2758, mode: `MaxEncodedLen`)
    // Storage: `Datanets::NextDatanet` (r:1 w:1)
    // Proof: `Datanets::NextDatanet` (`max_values`: Some(1), `max_size`: Some(4), added: 499, mode: `MaxEncodedLen`)
    // Storage: `Datanets::Datanets` (r:0 w:1)
    // Proof: `Datanets::Datanets` (`max_values`: None, `max_size`: Some(892), added: 3367, mode: `MaxEncodedLen`)
    fn create_open() -> Weight {
        // Proof in bytes, measured: 131.
        // Minimum execution time: 51_897_000 picoseconds.
        Weight::from_parts(61_087_000, 3_748)
            .saturating_add(T::DbWeight::get().reads(2))
            .saturating_add(T::DbWeight::get().writes(3))
    }

    // Storage: `Balances::Holds` (r:1 w:1)
    // Proof: `Balances::Holds` (`max_values`: None, `max_size`: Some(283), added: 2758, mode: `MaxEncodedLen`)
    // Storage: `Datanets::NextDatanet` (r:1 w:1)
    // Proof: `Datanets::NextDatanet` (`max_values`: Some(1), `max_size`: Some(4), added: 499, mode: `MaxEncodedLen`)
    // Storage: `Datanets::Datanets` (r:0 w:1)
    // Proof: `Datanets::Datanets` (`max_values`: None, `max_size`: Some(892), added: 3367, mode: `MaxEncodedLen`)
    fn create_curated() -> Weight {
        // Proof in bytes, measured: 131.
        // Minimum execution time: 53_197_000 picoseconds.
        Weight::from_parts(64_208_000, 3_748)
            .saturating_add(T::DbWeight::get().reads(2))
            .saturating_add(T::DbWeight::get().writes(3))
    }

    // Storage: `Datanets::Datanets` (r:1 w:0)
    // Proof: `Datanets::Datanets` (`max_values`: None, `max_size`: Some(892), added: 3367, mode: `MaxEncodedLen`)
    // Storage: `Attribution::CurrentRuleset` (r:1 w:0)
    // Proof: `Attribution::CurrentRuleset` (`max_values`: Some(1), `max_size`: Some(4), added: 499, mode: `MaxEncodedLen`)
    // Storage: `Attribution::RulesetOf` (r:1 w:0)
    // Proof: `Attribution::RulesetOf` (`max_values`: None, `max_size`: Some(224), added: 2699, mode: `MaxEncodedLen`)
    // Storage: `Datanets::CuratorsOf` (r:1 w:1)
    // Proof: `Datanets::CuratorsOf` (`max_values`: None, `max_size`: Some(84), added: 2559, mode: `MaxEncodedLen`)
    // Storage: `Balances::Holds` (r:1 w:1)
    // Proof: `Balances::Holds` (`max_values`: None, `max_size`: Some(283), added: 2758, mode: `MaxEncodedLen`)
    fn join_as_curator() -> Weight {
        // Proof in bytes, measured: 1367.
        // Minimum execution time: 63_511_000 picoseconds.
        Weight::from_parts(76_033_000, 4_357)
            .saturating_add(T::DbWeight::get().reads(5))
            .saturating_add(T::DbWeight::get().writes(2))
    }

    // Storage: `Datanets::CuratorsOf` (r:1 w:1)
    // Proof: `Datanets::CuratorsOf` (`max_values`: None, `max_size`: Some(84), added: 2559, mode: `MaxEncodedLen`)
    // Storage: `System::Account` (r:1 w:1)
    // Proof: `System::Account` (`max_values`: None, `max_size`: Some(128), added: 2603, mode: `MaxEncodedLen`)
    // Storage: `Balances::Holds` (r:1 w:1)
    // Proof: `Balances::Holds` (`max_values`: None, `max_size`: Some(283), added: 2758, mode: `MaxEncodedLen`)
    fn leave_as_curator() -> Weight {
        // Proof in bytes, measured: 1284.
        // Minimum execution time: 56_145_000 picoseconds.
        Weight::from_parts(67_720_000, 3_748)
            .saturating_add(T::DbWeight::get().reads(3))
            .saturating_add(T::DbWeight::get().writes(3))
    }

    // Storage: `Attribution::CurrentRuleset` (r:1 w:0)
    // Proof: `Attribution::CurrentRuleset` (`max_values`: Some(1), `max_size`: Some(4), added: 499, mode: `MaxEncodedLen`)
    // Storage: `Attribution::RulesetOf` (r:1 w:0)
    // Proof: `Attribution::RulesetOf` (`max_values`: None, `max_size`: Some(224), added: 2699, mode: `MaxEncodedLen`)
    // Storage: `Datanets::Datanets` (r:1 w:0)
    // Proof: `Datanets::Datanets` (`max_values`: None, `max_size`: Some(892), added: 3367, mode: `MaxEncodedLen`)
    // Storage: `Datanets::Contributions` (r:1 w:1)
    // Proof: `Datanets::Contributions` (`max_values`: None, `max_size`: Some(307), added: 2782, mode: `MaxEncodedLen`)
    // Storage: `Balances::Holds` (r:1 w:1)
    // Proof: `Balances::Holds` (`max_values`: None, `max_size`: Some(283), added: 2758, mode: `MaxEncodedLen`)
    // Storage: `Datanets::NextContribution` (r:1 w:1)
    // Proof: `Datanets::NextContribution` (`max_values`: Some(1), `max_size`: Some(8), added: 503, mode: `MaxEncodedLen`)
    fn contribute() -> Weight {
        // Proof in bytes, measured: 1268.
        // Minimum execution time: 68_480_000 picoseconds.
        Weight::from_parts(80_966_000, 4_357)
            .saturating_add(T::DbWeight::get().reads(6))
            .saturating_add(T::DbWeight::get().writes(3))
    }

    // Storage: `Datanets::Contributions` (r:2 w:2)
    // Proof: `Datanets::Contributions` (`max_values`: None, `max_size`: Some(307), added: 2782, mode: `MaxEncodedLen`)
    // Storage: `Attribution::RulesetOf` (r:1 w:0)
    // Proof: `Attribution::RulesetOf` (`max_values`: None, `max_size`: Some(224), added: 2699, mode: `MaxEncodedLen`)
    // Storage: `Datanets::Datanets` (r:1 w:1)
    // Proof: `Datanets::Datanets` (`max_values`: None, `max_size`: Some(892), added: 3367, mode: `MaxEncodedLen`)
    // Storage: `Datanets::CuratorsOf` (r:16 w:16)
    // Proof: `Datanets::CuratorsOf` (`max_values`: None, `max_size`: Some(84), added: 2559, mode: `MaxEncodedLen`)
    // Storage: `Datanets::Votes` (r:1 w:2)
    // Proof: `Datanets::Votes` (`max_values`: None, `max_size`: Some(545), added: 3020, mode: `MaxEncodedLen`)
    // Storage: `Datanets::Accepted` (r:0 w:1)
    // Proof: `Datanets::Accepted` (`max_values`: None, `max_size`: Some(32), added: 2507, mode: `MaxEncodedLen`)
    fn vote() -> Weight {
        // Proof in bytes, measured: 3796.
        // Minimum execution time: 147_383_000 picoseconds.
        Weight::from_parts(162_892_000, 41_934)
            .saturating_add(T::DbWeight::get().reads(21))
            .saturating_add(T::DbWeight::get().writes(22))
    }

    // Storage: `Datanets::Contributions` (r:2 w:2)
    // Proof: `Datanets::Contributions` (`max_values`: None, `max_size`: Some(307), added: 2782, mode: `MaxEncodedLen`)
    // Storage: `Attribution::RulesetOf` (r:1 w:0)
    // Proof: `Attribution::RulesetOf` (`max_values`: None, `max_size`: Some(224), added: 2699, mode: `MaxEncodedLen`)
    // Storage: `Datanets::Datanets` (r:1 w:1)
    // Proof: `Datanets::Datanets` (`max_values`: None, `max_size`: Some(892), added: 3367, mode: `MaxEncodedLen`)
    // Storage: `Datanets::Votes` (r:0 w:1)
    // Proof: `Datanets::Votes` (`max_values`: None, `max_size`: Some(545), added: 3020, mode: `MaxEncodedLen`)
    // Storage: `Datanets::Accepted` (r:0 w:1)
    // Proof: `Datanets::Accepted` (`max_values`: None, `max_size`: Some(32), added: 2507, mode: `MaxEncodedLen`)
    fn accept() -> Weight {
        // Proof in bytes, measured: 1411.
        // Minimum execution time: 42_388_000 picoseconds.
        Weight::from_parts(51_509_000, 6_554)
            .saturating_add(T::DbWeight::get().reads(4))
            .saturating_add(T::DbWeight::get().writes(5))
    }

    // Storage: `Datanets::Contributions` (r:1 w:1)
    // Proof: `Datanets::Contributions` (`max_values`: None, `max_size`: Some(307), added: 2782, mode: `MaxEncodedLen`)
    // Storage: `Attribution::RulesetOf` (r:1 w:0)
    // Proof: `Attribution::RulesetOf` (`max_values`: None, `max_size`: Some(224), added: 2699, mode: `MaxEncodedLen`)
    // Storage: `Datanets::Datanets` (r:1 w:0)
    // Proof: `Datanets::Datanets` (`max_values`: None, `max_size`: Some(892), added: 3367, mode: `MaxEncodedLen`)
    // Storage: `Datanets::Votes` (r:1 w:1)
    // Proof: `Datanets::Votes` (`max_values`: None, `max_size`: Some(545), added: 3020, mode: `MaxEncodedLen`)
    // Storage: `Datanets::CuratorsOf` (r:15 w:15)
    // Proof: `Datanets::CuratorsOf` (`max_values`: None, `max_size`: Some(84), added: 2559, mode: `MaxEncodedLen`)
    // Storage: `System::Account` (r:1 w:1)
    // Proof: `System::Account` (`max_values`: None, `max_size`: Some(128), added: 2603, mode: `MaxEncodedLen`)
    // Storage: `Balances::Holds` (r:1 w:1)
    // Proof: `Balances::Holds` (`max_values`: None, `max_size`: Some(283), added: 2758, mode: `MaxEncodedLen`)
    fn lapse() -> Weight {
        // Proof in bytes, measured: 4104.
        // Minimum execution time: 142_327_000 picoseconds.
        Weight::from_parts(165_445_000, 39_375)
            .saturating_add(T::DbWeight::get().reads(21))
            .saturating_add(T::DbWeight::get().writes(19))
    }

    // Storage: `Datanets::Contributions` (r:1 w:1)
    // Proof: `Datanets::Contributions` (`max_values`: None, `max_size`: Some(307), added: 2782, mode: `MaxEncodedLen`)
    // Storage: `Datanets::Votes` (r:1 w:1)
    // Proof: `Datanets::Votes` (`max_values`: None, `max_size`: Some(545), added: 3020, mode: `MaxEncodedLen`)
    // Storage: `Datanets::CuratorsOf` (r:15 w:15)
    // Proof: `Datanets::CuratorsOf` (`max_values`: None, `max_size`: Some(84), added: 2559, mode: `MaxEncodedLen`)
    // Storage: `Balances::Holds` (r:1 w:1)
    // Proof: `Balances::Holds` (`max_values`: None, `max_size`: Some(283), added: 2758, mode: `MaxEncodedLen`)
    fn withdraw() -> Weight {
        // Proof in bytes, measured: 2658.
        // Minimum execution time: 123_024_000 picoseconds.
        Weight::from_parts(147_866_000, 39_375)
            .saturating_add(T::DbWeight::get().reads(18))
            .saturating_add(T::DbWeight::get().writes(18))
    }

    // Storage: `Datanets::Contributions` (r:1 w:1)
    // Proof: `Datanets::Contributions` (`max_values`: None, `max_size`: Some(307), added: 2782, mode: `MaxEncodedLen`)
    // Storage: `Attribution::RulesetOf` (r:1 w:0)
    // Proof: `Attribution::RulesetOf` (`max_values`: None, `max_size`: Some(224), added: 2699, mode: `MaxEncodedLen`)
    // Storage: `System::Account` (r:1 w:1)
    // Proof: `System::Account` (`max_values`: None, `max_size`: Some(128), added: 2603, mode: `MaxEncodedLen`)
    // Storage: `Balances::Holds` (r:1 w:1)
    // Proof: `Balances::Holds` (`max_values`: None, `max_size`: Some(283), added: 2758, mode: `MaxEncodedLen`)
    // Storage: `Datanets::Votes` (r:0 w:1)
    // Proof: `Datanets::Votes` (`max_values`: None, `max_size`: Some(545), added: 3020, mode: `MaxEncodedLen`)
    fn release_stake() -> Weight {
        // Proof in bytes, measured: 1479.
        // Minimum execution time: 63_544_000 picoseconds.
        Weight::from_parts(76_373_000, 3_772)
            .saturating_add(T::DbWeight::get().reads(4))
            .saturating_add(T::DbWeight::get().writes(4))
    }

    // Storage: `Datanets::Contributions` (r:2 w:1)
    // Proof: `Datanets::Contributions` (`max_values`: None, `max_size`: Some(307), added: 2782, mode: `MaxEncodedLen`)
    // Storage: `Datanets::RecordTombstones` (r:2 w:1)
    // Proof: `Datanets::RecordTombstones` (`max_values`: None, `max_size`: Some(32), added: 2507, mode: `MaxEncodedLen`)
    // Storage: `Attribution::RulesetOf` (r:1 w:0)
    // Proof: `Attribution::RulesetOf` (`max_values`: None, `max_size`: Some(224), added: 2699, mode: `MaxEncodedLen`)
    // Storage: `Balances::Holds` (r:1 w:1)
    // Proof: `Balances::Holds` (`max_values`: None, `max_size`: Some(283), added: 2758, mode: `MaxEncodedLen`)
    // Storage: `System::Account` (r:2 w:2)
    // Proof: `System::Account` (`max_values`: None, `max_size`: Some(128), added: 2603, mode: `MaxEncodedLen`)
    // Storage: `Datanets::Votes` (r:1 w:1)
    // Proof: `Datanets::Votes` (`max_values`: None, `max_size`: Some(545), added: 3020, mode: `MaxEncodedLen`)
    // Storage: `Datanets::CuratorsOf` (r:15 w:15)
    // Proof: `Datanets::CuratorsOf` (`max_values`: None, `max_size`: Some(84), added: 2559, mode: `MaxEncodedLen`)
    fn challenge_duplicate() -> Weight {
        // Proof in bytes, measured: 3575.
        // Minimum execution time: 198_593_000 picoseconds.
        Weight::from_parts(238_674_000, 39_375)
            .saturating_add(T::DbWeight::get().reads(24))
            .saturating_add(T::DbWeight::get().writes(21))
    }

    // Storage: `Datanets::Contributions` (r:1 w:1)
    // Proof: `Datanets::Contributions` (`max_values`: None, `max_size`: Some(307), added: 2782, mode: `MaxEncodedLen`)
    // Storage: `Attribution::RulesetOf` (r:1 w:0)
    // Proof: `Attribution::RulesetOf` (`max_values`: None, `max_size`: Some(224), added: 2699, mode: `MaxEncodedLen`)
    // Storage: `Datanets::RecordTombstones` (r:1 w:1)
    // Proof: `Datanets::RecordTombstones` (`max_values`: None, `max_size`: Some(32), added: 2507, mode: `MaxEncodedLen`)
    // Storage: `Balances::Holds` (r:1 w:1)
    // Proof: `Balances::Holds` (`max_values`: None, `max_size`: Some(283), added: 2758, mode: `MaxEncodedLen`)
    // Storage: `System::Account` (r:2 w:2)
    // Proof: `System::Account` (`max_values`: None, `max_size`: Some(128), added: 2603, mode: `MaxEncodedLen`)
    // Storage: `Datanets::Votes` (r:1 w:1)
    // Proof: `Datanets::Votes` (`max_values`: None, `max_size`: Some(545), added: 3020, mode: `MaxEncodedLen`)
    // Storage: `Datanets::CuratorsOf` (r:15 w:15)
    // Proof: `Datanets::CuratorsOf` (`max_values`: None, `max_size`: Some(84), added: 2559, mode: `MaxEncodedLen`)
    fn challenge_malformed() -> Weight {
        // Proof in bytes, measured: 3232.
        // Minimum execution time: 207_089_000 picoseconds.
        Weight::from_parts(244_512_000, 39_375)
            .saturating_add(T::DbWeight::get().reads(22))
            .saturating_add(T::DbWeight::get().writes(21))
    }

    // Storage: `Datanets::Contributions` (r:1 w:1)
    // Proof: `Datanets::Contributions` (`max_values`: None, `max_size`: Some(307), added: 2782, mode: `MaxEncodedLen`)
    // Storage: `Datanets::RecordTombstones` (r:1 w:0)
    // Proof: `Datanets::RecordTombstones` (`max_values`: None, `max_size`: Some(32), added: 2507, mode: `MaxEncodedLen`)
    // Storage: `Datanets::DemandOf` (r:1 w:1)
    // Proof: `Datanets::DemandOf` (`max_values`: None, `max_size`: Some(40), added: 2515, mode: `MaxEncodedLen`)
    // Storage: `Attribution::RulesetOf` (r:1 w:0)
    // Proof: `Attribution::RulesetOf` (`max_values`: None, `max_size`: Some(224), added: 2699, mode: `MaxEncodedLen`)
    // Storage: `Balances::Holds` (r:1 w:1)
    // Proof: `Balances::Holds` (`max_values`: None, `max_size`: Some(283), added: 2758, mode: `MaxEncodedLen`)
    // Storage: `Datanets::NextDemand` (r:1 w:1)
    // Proof: `Datanets::NextDemand` (`max_values`: Some(1), `max_size`: Some(8), added: 503, mode: `MaxEncodedLen`)
    // Storage: `Datanets::Demands` (r:0 w:1)
    // Proof: `Datanets::Demands` (`max_values`: None, `max_size`: Some(84), added: 2559, mode: `MaxEncodedLen`)
    fn demand() -> Weight {
        // Proof in bytes, measured: 786.
        // Minimum execution time: 68_246_000 picoseconds.
        Weight::from_parts(82_244_000, 3_772)
            .saturating_add(T::DbWeight::get().reads(6))
            .saturating_add(T::DbWeight::get().writes(5))
    }

    // Storage: `Datanets::Demands` (r:1 w:1)
    // Proof: `Datanets::Demands` (`max_values`: None, `max_size`: Some(84), added: 2559, mode: `MaxEncodedLen`)
    // Storage: `Datanets::Contributions` (r:1 w:1)
    // Proof: `Datanets::Contributions` (`max_values`: None, `max_size`: Some(307), added: 2782, mode: `MaxEncodedLen`)
    // Storage: `Balances::Holds` (r:1 w:1)
    // Proof: `Balances::Holds` (`max_values`: None, `max_size`: Some(283), added: 2758, mode: `MaxEncodedLen`)
    // Storage: `System::Account` (r:1 w:1)
    // Proof: `System::Account` (`max_values`: None, `max_size`: Some(128), added: 2603, mode: `MaxEncodedLen`)
    // Storage: `Datanets::DemandOf` (r:0 w:1)
    // Proof: `Datanets::DemandOf` (`max_values`: None, `max_size`: Some(40), added: 2515, mode: `MaxEncodedLen`)
    fn answer_demand() -> Weight {
        // Proof in bytes, measured: 1288.
        // Minimum execution time: 106_320_000 picoseconds.
        Weight::from_parts(119_006_000, 3_772)
            .saturating_add(T::DbWeight::get().reads(4))
            .saturating_add(T::DbWeight::get().writes(5))
    }

    // Storage: `Datanets::Demands` (r:1 w:1)
    // Proof: `Datanets::Demands` (`max_values`: None, `max_size`: Some(84), added: 2559, mode: `MaxEncodedLen`)
    // Storage: `Datanets::Contributions` (r:1 w:1)
    // Proof: `Datanets::Contributions` (`max_values`: None, `max_size`: Some(307), added: 2782, mode: `MaxEncodedLen`)
    // Storage: `Datanets::RecordTombstones` (r:1 w:1)
    // Proof: `Datanets::RecordTombstones` (`max_values`: None, `max_size`: Some(32), added: 2507, mode: `MaxEncodedLen`)
    // Storage: `Attribution::RulesetOf` (r:1 w:0)
    // Proof: `Attribution::RulesetOf` (`max_values`: None, `max_size`: Some(224), added: 2699, mode: `MaxEncodedLen`)
    // Storage: `Balances::Holds` (r:2 w:2)
    // Proof: `Balances::Holds` (`max_values`: None, `max_size`: Some(283), added: 2758, mode: `MaxEncodedLen`)
    // Storage: `System::Account` (r:3 w:3)
    // Proof: `System::Account` (`max_values`: None, `max_size`: Some(128), added: 2603, mode: `MaxEncodedLen`)
    // Storage: `Datanets::Votes` (r:1 w:1)
    // Proof: `Datanets::Votes` (`max_values`: None, `max_size`: Some(545), added: 3020, mode: `MaxEncodedLen`)
    // Storage: `Datanets::CuratorsOf` (r:15 w:15)
    // Proof: `Datanets::CuratorsOf` (`max_values`: None, `max_size`: Some(84), added: 2559, mode: `MaxEncodedLen`)
    // Storage: `Datanets::DemandOf` (r:0 w:1)
    // Proof: `Datanets::DemandOf` (`max_values`: None, `max_size`: Some(40), added: 2515, mode: `MaxEncodedLen`)
    fn expire_demand() -> Weight {
        // Proof in bytes, measured: 3655.
        // Minimum execution time: 222_420_000 picoseconds.
        Weight::from_parts(247_775_000, 39_375)
            .saturating_add(T::DbWeight::get().reads(25))
            .saturating_add(T::DbWeight::get().writes(25))
    }

    // Storage: `Datanets::Contributions` (r:2 w:2)
    // Proof: `Datanets::Contributions` (`max_values`: None, `max_size`: Some(307), added: 2782, mode: `MaxEncodedLen`)
    // Storage: `Datanets::Votes` (r:1 w:2)
    // Proof: `Datanets::Votes` (`max_values`: None, `max_size`: Some(545), added: 3020, mode: `MaxEncodedLen`)
    // Storage: `Datanets::CuratorsOf` (r:16 w:16)
    // Proof: `Datanets::CuratorsOf` (`max_values`: None, `max_size`: Some(84), added: 2559, mode: `MaxEncodedLen`)
    // Storage: `Balances::Holds` (r:16 w:16)
    // Proof: `Balances::Holds` (`max_values`: None, `max_size`: Some(283), added: 2758, mode: `MaxEncodedLen`)
    // Storage: `System::Account` (r:17 w:17)
    // Proof: `System::Account` (`max_values`: None, `max_size`: Some(128), added: 2603, mode: `MaxEncodedLen`)
    // Storage: `Datanets::Datanets` (r:1 w:1)
    // Proof: `Datanets::Datanets` (`max_values`: None, `max_size`: Some(892), added: 3367, mode: `MaxEncodedLen`)
    // Storage: `Datanets::Accepted` (r:0 w:1)
    // Proof: `Datanets::Accepted` (`max_values`: None, `max_size`: Some(32), added: 2507, mode: `MaxEncodedLen`)
    fn overrule() -> Weight {
        // Proof in bytes, measured: 6374.
        // Minimum execution time: 724_567_000 picoseconds.
        Weight::from_parts(851_730_000, 45_241)
            .saturating_add(T::DbWeight::get().reads(53))
            .saturating_add(T::DbWeight::get().writes(55))
    }
}
