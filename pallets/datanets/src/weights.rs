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
    // Storage: `Datanets::NextDatanet` (r:1 w:1)
    // Storage: `Datanets::Datanets` (r:0 w:1)
    fn create_open() -> Weight {
        // Proof in bytes, measured: 131.
        // Minimum execution time: 59_214_000 picoseconds.
        Weight::from_parts(66_690_000, 3_748)
            .saturating_add(T::DbWeight::get().reads(2))
            .saturating_add(T::DbWeight::get().writes(3))
    }

    // Storage: `Balances::Holds` (r:1 w:1)
    // Storage: `Datanets::NextDatanet` (r:1 w:1)
    // Storage: `Datanets::Datanets` (r:0 w:1)
    fn create_curated() -> Weight {
        // Proof in bytes, measured: 131.
        // Minimum execution time: 62_934_000 picoseconds.
        Weight::from_parts(70_695_000, 3_748)
            .saturating_add(T::DbWeight::get().reads(2))
            .saturating_add(T::DbWeight::get().writes(3))
    }

    // Storage: `Datanets::Datanets` (r:1 w:0)
    // Storage: `Attribution::CurrentRuleset` (r:1 w:0)
    // Storage: `Attribution::RulesetOf` (r:1 w:0)
    // Storage: `Datanets::CuratorsOf` (r:1 w:1)
    // Storage: `Balances::Holds` (r:1 w:1)
    fn join_as_curator() -> Weight {
        // Proof in bytes, measured: 1367.
        // Minimum execution time: 72_284_000 picoseconds.
        Weight::from_parts(81_751_000, 4_357)
            .saturating_add(T::DbWeight::get().reads(5))
            .saturating_add(T::DbWeight::get().writes(2))
    }

    // Storage: `Datanets::CuratorsOf` (r:1 w:1)
    // Storage: `System::Account` (r:1 w:1)
    // Storage: `Balances::Holds` (r:1 w:1)
    fn leave_as_curator() -> Weight {
        // Proof in bytes, measured: 1284.
        // Minimum execution time: 64_793_000 picoseconds.
        Weight::from_parts(70_686_000, 3_748)
            .saturating_add(T::DbWeight::get().reads(3))
            .saturating_add(T::DbWeight::get().writes(3))
    }

    // Storage: `Attribution::CurrentRuleset` (r:1 w:0)
    // Storage: `Attribution::RulesetOf` (r:1 w:0)
    // Storage: `Datanets::Datanets` (r:1 w:0)
    // Storage: `Datanets::Contributions` (r:1 w:1)
    // Storage: `Balances::Holds` (r:1 w:1)
    // Storage: `Datanets::NextContribution` (r:1 w:1)
    fn contribute() -> Weight {
        // Proof in bytes, measured: 1268.
        // Minimum execution time: 77_599_000 picoseconds.
        Weight::from_parts(85_746_000, 4_357)
            .saturating_add(T::DbWeight::get().reads(6))
            .saturating_add(T::DbWeight::get().writes(3))
    }

    // Storage: `Datanets::Contributions` (r:2 w:2)
    // Storage: `Attribution::RulesetOf` (r:1 w:0)
    // Storage: `Datanets::Datanets` (r:1 w:1)
    // Storage: `Datanets::CuratorsOf` (r:16 w:16)
    // Storage: `Datanets::Votes` (r:1 w:2)
    // Storage: `Datanets::Accepted` (r:0 w:1)
    fn vote() -> Weight {
        // Proof in bytes, measured: 3796.
        // Minimum execution time: 156_766_000 picoseconds.
        Weight::from_parts(172_077_000, 41_934)
            .saturating_add(T::DbWeight::get().reads(21))
            .saturating_add(T::DbWeight::get().writes(22))
    }

    // Storage: `Datanets::Contributions` (r:2 w:2)
    // Storage: `Attribution::RulesetOf` (r:1 w:0)
    // Storage: `Datanets::Datanets` (r:1 w:1)
    // Storage: `Datanets::Votes` (r:0 w:1)
    // Storage: `Datanets::Accepted` (r:0 w:1)
    fn accept() -> Weight {
        // Proof in bytes, measured: 1411.
        // Minimum execution time: 50_042_000 picoseconds.
        Weight::from_parts(54_490_000, 6_554)
            .saturating_add(T::DbWeight::get().reads(4))
            .saturating_add(T::DbWeight::get().writes(5))
    }

    // Storage: `Datanets::Contributions` (r:1 w:1)
    // Storage: `Attribution::RulesetOf` (r:1 w:0)
    // Storage: `Datanets::Datanets` (r:1 w:0)
    // Storage: `Datanets::Votes` (r:1 w:1)
    // Storage: `Datanets::CuratorsOf` (r:15 w:15)
    // Storage: `System::Account` (r:1 w:1)
    // Storage: `Balances::Holds` (r:1 w:1)
    fn lapse() -> Weight {
        // Proof in bytes, measured: 4104.
        // Minimum execution time: 168_078_000 picoseconds.
        Weight::from_parts(178_058_000, 39_375)
            .saturating_add(T::DbWeight::get().reads(21))
            .saturating_add(T::DbWeight::get().writes(19))
    }

    // Storage: `Datanets::Contributions` (r:1 w:1)
    // Storage: `Datanets::Votes` (r:1 w:1)
    // Storage: `Datanets::CuratorsOf` (r:15 w:15)
    // Storage: `Balances::Holds` (r:1 w:1)
    fn withdraw() -> Weight {
        // Proof in bytes, measured: 2658.
        // Minimum execution time: 143_384_000 picoseconds.
        Weight::from_parts(162_336_000, 39_375)
            .saturating_add(T::DbWeight::get().reads(18))
            .saturating_add(T::DbWeight::get().writes(18))
    }

    // Storage: `Datanets::Contributions` (r:1 w:1)
    // Storage: `Attribution::RulesetOf` (r:1 w:0)
    // Storage: `System::Account` (r:1 w:1)
    // Storage: `Balances::Holds` (r:1 w:1)
    // Storage: `Datanets::Votes` (r:0 w:1)
    fn release_stake() -> Weight {
        // Proof in bytes, measured: 1479.
        // Minimum execution time: 74_358_000 picoseconds.
        Weight::from_parts(85_234_000, 3_772)
            .saturating_add(T::DbWeight::get().reads(4))
            .saturating_add(T::DbWeight::get().writes(4))
    }

    // Storage: `Datanets::Contributions` (r:2 w:1)
    // Storage: `Datanets::RecordTombstones` (r:2 w:1)
    // Storage: `Attribution::RulesetOf` (r:1 w:0)
    // Storage: `Balances::Holds` (r:1 w:1)
    // Storage: `System::Account` (r:2 w:2)
    // Storage: `Datanets::Votes` (r:1 w:1)
    // Storage: `Datanets::CuratorsOf` (r:15 w:15)
    fn challenge_duplicate() -> Weight {
        // Proof in bytes, measured: 3574.
        // Minimum execution time: 244_739_000 picoseconds.
        Weight::from_parts(260_976_000, 39_375)
            .saturating_add(T::DbWeight::get().reads(24))
            .saturating_add(T::DbWeight::get().writes(21))
    }

    // Storage: `Datanets::Contributions` (r:1 w:1)
    // Storage: `Attribution::RulesetOf` (r:1 w:0)
    // Storage: `Datanets::RecordTombstones` (r:1 w:1)
    // Storage: `Balances::Holds` (r:1 w:1)
    // Storage: `System::Account` (r:2 w:2)
    // Storage: `Datanets::Votes` (r:1 w:1)
    // Storage: `Datanets::CuratorsOf` (r:15 w:15)
    fn challenge_malformed() -> Weight {
        // Proof in bytes, measured: 3232.
        // Minimum execution time: 248_553_000 picoseconds.
        Weight::from_parts(266_691_000, 39_375)
            .saturating_add(T::DbWeight::get().reads(22))
            .saturating_add(T::DbWeight::get().writes(21))
    }

    // Storage: `Datanets::Contributions` (r:1 w:1)
    // Storage: `Datanets::RecordTombstones` (r:1 w:0)
    // Storage: `Datanets::DemandOf` (r:1 w:1)
    // Storage: `Attribution::RulesetOf` (r:1 w:0)
    // Storage: `Balances::Holds` (r:1 w:1)
    // Storage: `Datanets::NextDemand` (r:1 w:1)
    // Storage: `Datanets::Demands` (r:0 w:1)
    fn demand() -> Weight {
        // Proof in bytes, measured: 786.
        // Minimum execution time: 83_808_000 picoseconds.
        Weight::from_parts(88_447_000, 3_772)
            .saturating_add(T::DbWeight::get().reads(6))
            .saturating_add(T::DbWeight::get().writes(5))
    }

    // Storage: `Datanets::Demands` (r:1 w:1)
    // Storage: `Datanets::Contributions` (r:1 w:1)
    // Storage: `Balances::Holds` (r:1 w:1)
    // Storage: `System::Account` (r:1 w:1)
    // Storage: `Datanets::DemandOf` (r:0 w:1)
    fn answer_demand() -> Weight {
        // Proof in bytes, measured: 1288.
        // Minimum execution time: 111_555_000 picoseconds.
        Weight::from_parts(123_134_000, 3_772)
            .saturating_add(T::DbWeight::get().reads(4))
            .saturating_add(T::DbWeight::get().writes(5))
    }

    // Storage: `Datanets::Demands` (r:1 w:1)
    // Storage: `Datanets::Contributions` (r:1 w:1)
    // Storage: `Datanets::RecordTombstones` (r:1 w:1)
    // Storage: `Attribution::RulesetOf` (r:1 w:0)
    // Storage: `Balances::Holds` (r:2 w:2)
    // Storage: `System::Account` (r:3 w:3)
    // Storage: `Datanets::Votes` (r:1 w:1)
    // Storage: `Datanets::CuratorsOf` (r:15 w:15)
    // Storage: `Datanets::DemandOf` (r:0 w:1)
    fn expire_demand() -> Weight {
        // Proof in bytes, measured: 3655.
        // Minimum execution time: 232_785_000 picoseconds.
        Weight::from_parts(254_111_000, 39_375)
            .saturating_add(T::DbWeight::get().reads(25))
            .saturating_add(T::DbWeight::get().writes(25))
    }

    // Storage: `Datanets::Contributions` (r:2 w:2)
    // Storage: `Datanets::Votes` (r:1 w:2)
    // Storage: `Datanets::CuratorsOf` (r:16 w:16)
    // Storage: `Balances::Holds` (r:16 w:16)
    // Storage: `System::Account` (r:17 w:17)
    // Storage: `Datanets::Datanets` (r:1 w:1)
    // Storage: `Datanets::Accepted` (r:0 w:1)
    fn overrule() -> Weight {
        // Proof in bytes, measured: 6374.
        // Minimum execution time: 813_246_000 picoseconds.
        Weight::from_parts(881_948_000, 45_241)
            .saturating_add(T::DbWeight::get().reads(53))
            .saturating_add(T::DbWeight::get().writes(55))
    }
}
