//! Weights of the calls of `pallet_attribution`.
//!
//! Measured on 2026-11-20 with 50 steps and 20 repeats through the compiled Wasm runtime, on
//! Intel(R) Xeon(R) Processor. `scripts/benchmark-weights.sh` measures again and writes this
//! file: do not edit it.

use core::marker::PhantomData;
use frame_support::{traits::Get, weights::Weight};

/// What each call weighs.
pub trait WeightInfo {
    /// Weight of `add_ruleset`.
    fn add_ruleset() -> Weight;
    /// Weight of `settle`.
    fn settle() -> Weight;
    /// Weight of `finalise`.
    fn finalise() -> Weight;
    /// Weight of `pay`, where `n` is from 1 to 32.
    fn pay(n: u32) -> Weight;
    /// Weight of `sweep`.
    fn sweep() -> Weight;
    /// Weight of `claim`, where `n` is from 1 to 64.
    fn claim(n: u32) -> Weight;
    /// Weight of `claim_for`, where `n` is from 1 to 64.
    fn claim_for(n: u32) -> Weight;
    /// Weight of `challenge_score`.
    fn challenge_score() -> Weight;
    /// Weight of `challenge_omission`.
    fn challenge_omission() -> Weight;
    /// Weight of `challenge_bytes`.
    fn challenge_bytes() -> Weight;
    /// Weight of `challenge_span`.
    fn challenge_span() -> Weight;
    /// Weight of `challenge_step`.
    fn challenge_step() -> Weight;
    /// Weight of `challenge_settlement`.
    fn challenge_settlement() -> Weight;
    /// Weight of `challenge_equivocation`.
    fn challenge_equivocation() -> Weight;
    /// Weight of `demand`.
    fn demand() -> Weight;
    /// Weight of `answer`.
    fn answer() -> Weight;
    /// Weight of `expire_demand`.
    fn expire_demand() -> Weight;
}

/// The measured weights, with the runtime's costs of reading and writing storage.
pub struct SubstrateWeight<T>(PhantomData<T>);

impl<T: frame_system::Config> WeightInfo for SubstrateWeight<T> {
    // Storage: `Attribution::CurrentRuleset` (r:1 w:1)
    // Storage: `Attribution::RulesetOf` (r:0 w:1)
    fn add_ruleset() -> Weight {
        // Proof in bytes, measured: 43.
        // Minimum execution time: 9_521_000 picoseconds.
        Weight::from_parts(10_737_000, 994)
            .saturating_add(T::DbWeight::get().reads(1))
            .saturating_add(T::DbWeight::get().writes(2))
    }

    // Storage: `System::BlockHash` (r:1 w:0)
    // Storage: `System::Account` (r:2 w:2)
    // Storage: `Channels::Channels` (r:1 w:1)
    // Storage: `Balances::Holds` (r:1 w:1)
    // Storage: `Attribution::RulesetOf` (r:1 w:0)
    // Storage: `Compute::Operators` (r:1 w:1)
    // Storage: `Attribution::SettlementCount` (r:1 w:1)
    // Storage: `Attribution::Settlements` (r:0 w:1)
    fn settle() -> Weight {
        // Proof in bytes, measured: 2038.
        // Minimum execution time: 262_165_000 picoseconds.
        Weight::from_parts(301_450_000, 6_196)
            .saturating_add(T::DbWeight::get().reads(8))
            .saturating_add(T::DbWeight::get().writes(7))
    }

    // Storage: `Attribution::Settlements` (r:1 w:1)
    // Storage: `Attribution::Accruals` (r:1 w:1)
    // Storage: `System::Account` (r:3 w:3)
    fn finalise() -> Weight {
        // Proof in bytes, measured: 1011.
        // Minimum execution time: 170_681_000 picoseconds.
        Weight::from_parts(180_600_000, 8_799)
            .saturating_add(T::DbWeight::get().reads(5))
            .saturating_add(T::DbWeight::get().writes(5))
    }

    // Storage: `Attribution::Settlements` (r:1 w:1)
    // Storage: `Models::BuildersOf` (r:32 w:0)
    // Storage: `Attribution::Accruals` (r:512 w:512)
    // Storage: `Attribution::EarnedByModel` (r:512 w:512)
    fn pay(n: u32) -> Weight {
        // Proof in bytes, measured: 1320 + n * 49.
        // Minimum execution time: 190_133_000 picoseconds.
        Weight::from_parts(0, 3_956)
            // Standard error: 5_418_250.
            .saturating_add(Weight::from_parts(231_524_031, 0).saturating_mul(n.into()))
            .saturating_add(T::DbWeight::get().reads(1))
            .saturating_add(T::DbWeight::get().reads(33).saturating_mul(n.into()))
            .saturating_add(T::DbWeight::get().writes(1))
            .saturating_add(T::DbWeight::get().writes(32).saturating_mul(n.into()))
            .saturating_add(Weight::from_parts(0, 40_960).saturating_mul(n.into()))
    }

    // Storage: `Attribution::Settlements` (r:1 w:1)
    // Storage: `System::Account` (r:2 w:2)
    fn sweep() -> Weight {
        // Proof in bytes, measured: 949.
        // Minimum execution time: 71_525_000 picoseconds.
        Weight::from_parts(76_742_000, 6_196)
            .saturating_add(T::DbWeight::get().reads(3))
            .saturating_add(T::DbWeight::get().writes(3))
    }

    // Storage: `Attribution::Accruals` (r:65 w:64)
    // Storage: `System::Account` (r:1 w:1)
    fn claim(n: u32) -> Weight {
        // Proof in bytes, measured: 258 + n * 42.
        // Minimum execution time: 71_058_000 picoseconds.
        Weight::from_parts(69_836_988, 3_593)
            // Standard error: 12_691.
            .saturating_add(Weight::from_parts(4_571_869, 0).saturating_mul(n.into()))
            .saturating_add(T::DbWeight::get().reads(2))
            .saturating_add(T::DbWeight::get().reads(1).saturating_mul(n.into()))
            .saturating_add(T::DbWeight::get().writes(1))
            .saturating_add(T::DbWeight::get().writes(1).saturating_mul(n.into()))
            .saturating_add(Weight::from_parts(0, 2_560).saturating_mul(n.into()))
    }

    // Storage: `Attribution::Accruals` (r:65 w:64)
    // Storage: `System::Account` (r:2 w:2)
    fn claim_for(n: u32) -> Weight {
        // Proof in bytes, measured: 347 + n * 42.
        // Minimum execution time: 69_113_000 picoseconds.
        Weight::from_parts(73_464_799, 6_196)
            // Standard error: 10_525.
            .saturating_add(Weight::from_parts(4_479_315, 0).saturating_mul(n.into()))
            .saturating_add(T::DbWeight::get().reads(3))
            .saturating_add(T::DbWeight::get().reads(1).saturating_mul(n.into()))
            .saturating_add(T::DbWeight::get().writes(2))
            .saturating_add(T::DbWeight::get().writes(1).saturating_mul(n.into()))
            .saturating_add(Weight::from_parts(0, 2_560).saturating_mul(n.into()))
    }

    // Storage: `Attribution::Settlements` (r:1 w:1)
    // Storage: `Attribution::RulesetOf` (r:1 w:0)
    // Storage: `System::BlockHash` (r:1 w:0)
    // Storage: `Models::Manifests` (r:1 w:0)
    // Storage: `Attribution::Demands` (r:17 w:16)
    // Storage: `System::Account` (r:18 w:18)
    // Storage: `Balances::Holds` (r:17 w:17)
    // Storage: `Compute::Operators` (r:1 w:1)
    // Storage: `Attribution::Accruals` (r:1 w:1)
    // Storage: `Attribution::FullSince` (r:0 w:1)
    fn challenge_score() -> Weight {
        // Proof in bytes, measured: 6893.
        // Minimum execution time: 1_198_453_000 picoseconds.
        Weight::from_parts(1_273_172_000, 47_876)
            .saturating_add(T::DbWeight::get().reads(58))
            .saturating_add(T::DbWeight::get().writes(55))
    }

    // Storage: `Attribution::Settlements` (r:1 w:1)
    // Storage: `Attribution::RulesetOf` (r:1 w:0)
    // Storage: `System::BlockHash` (r:1 w:0)
    // Storage: `Models::Manifests` (r:1 w:0)
    // Storage: `Attribution::Demands` (r:17 w:16)
    // Storage: `System::Account` (r:18 w:18)
    // Storage: `Balances::Holds` (r:17 w:17)
    // Storage: `Compute::Operators` (r:1 w:1)
    // Storage: `Attribution::Accruals` (r:1 w:1)
    // Storage: `Attribution::FullSince` (r:0 w:1)
    fn challenge_omission() -> Weight {
        // Proof in bytes, measured: 6893.
        // Minimum execution time: 1_161_700_000 picoseconds.
        Weight::from_parts(1_265_665_000, 47_876)
            .saturating_add(T::DbWeight::get().reads(58))
            .saturating_add(T::DbWeight::get().writes(55))
    }

    // Storage: `Attribution::Settlements` (r:1 w:1)
    // Storage: `Attribution::RulesetOf` (r:1 w:0)
    // Storage: `System::BlockHash` (r:1 w:0)
    // Storage: `Models::Manifests` (r:1 w:0)
    // Storage: `Datanets::Contributions` (r:1 w:0)
    // Storage: `Datanets::RecordTombstones` (r:1 w:0)
    // Storage: `Attribution::Demands` (r:17 w:16)
    // Storage: `System::Account` (r:18 w:18)
    // Storage: `Balances::Holds` (r:17 w:17)
    // Storage: `Compute::Operators` (r:1 w:1)
    // Storage: `Attribution::Accruals` (r:1 w:1)
    // Storage: `Attribution::FullSince` (r:0 w:1)
    fn challenge_bytes() -> Weight {
        // Proof in bytes, measured: 7354.
        // Minimum execution time: 1_098_812_000 picoseconds.
        Weight::from_parts(1_163_677_000, 47_876)
            .saturating_add(T::DbWeight::get().reads(60))
            .saturating_add(T::DbWeight::get().writes(55))
    }

    // Storage: `Attribution::Settlements` (r:1 w:1)
    // Storage: `Attribution::RulesetOf` (r:1 w:0)
    // Storage: `System::BlockHash` (r:1 w:0)
    // Storage: `Models::Manifests` (r:1 w:0)
    // Storage: `Datanets::Contributions` (r:1 w:0)
    // Storage: `Datanets::RecordTombstones` (r:1 w:0)
    // Storage: `Attribution::Demands` (r:17 w:16)
    // Storage: `System::Account` (r:18 w:18)
    // Storage: `Balances::Holds` (r:17 w:17)
    // Storage: `Compute::Operators` (r:1 w:1)
    // Storage: `Attribution::Accruals` (r:1 w:1)
    // Storage: `Attribution::FullSince` (r:0 w:1)
    fn challenge_span() -> Weight {
        // Proof in bytes, measured: 7354.
        // Minimum execution time: 1_124_432_000 picoseconds.
        Weight::from_parts(1_189_163_000, 47_876)
            .saturating_add(T::DbWeight::get().reads(60))
            .saturating_add(T::DbWeight::get().writes(55))
    }

    // Storage: `Attribution::Settlements` (r:1 w:1)
    // Storage: `Attribution::RulesetOf` (r:1 w:0)
    // Storage: `System::BlockHash` (r:1 w:0)
    // Storage: `Models::Manifests` (r:1 w:0)
    // Storage: `Datanets::Contributions` (r:128 w:0)
    // Storage: `Attribution::Demands` (r:17 w:16)
    // Storage: `System::Account` (r:18 w:18)
    // Storage: `Balances::Holds` (r:17 w:17)
    // Storage: `Compute::Operators` (r:1 w:1)
    // Storage: `Attribution::Accruals` (r:1 w:1)
    // Storage: `Attribution::FullSince` (r:0 w:1)
    fn challenge_step() -> Weight {
        // Proof in bytes, measured: 45672.
        // Minimum execution time: 3_958_209_000 picoseconds.
        Weight::from_parts(4_119_091_000, 357_086)
            .saturating_add(T::DbWeight::get().reads(186))
            .saturating_add(T::DbWeight::get().writes(55))
    }

    // Storage: `Attribution::Settlements` (r:1 w:1)
    // Storage: `Attribution::RulesetOf` (r:1 w:0)
    // Storage: `System::BlockHash` (r:1 w:0)
    // Storage: `Attribution::Demands` (r:17 w:16)
    // Storage: `System::Account` (r:18 w:18)
    // Storage: `Balances::Holds` (r:17 w:17)
    // Storage: `Compute::Operators` (r:1 w:1)
    // Storage: `Attribution::Accruals` (r:1 w:1)
    // Storage: `Attribution::FullSince` (r:0 w:1)
    fn challenge_settlement() -> Weight {
        // Proof in bytes, measured: 6200.
        // Minimum execution time: 1_020_657_000 picoseconds.
        Weight::from_parts(1_118_592_000, 47_876)
            .saturating_add(T::DbWeight::get().reads(57))
            .saturating_add(T::DbWeight::get().writes(55))
    }

    // Storage: `Attribution::Settlements` (r:1 w:1)
    // Storage: `Attribution::RulesetOf` (r:1 w:0)
    // Storage: `System::BlockHash` (r:1 w:0)
    // Storage: `Attribution::Demands` (r:17 w:16)
    // Storage: `System::Account` (r:18 w:18)
    // Storage: `Balances::Holds` (r:17 w:17)
    // Storage: `Compute::Operators` (r:1 w:1)
    // Storage: `Attribution::Accruals` (r:1 w:1)
    // Storage: `Attribution::FullSince` (r:0 w:1)
    fn challenge_equivocation() -> Weight {
        // Proof in bytes, measured: 6200.
        // Minimum execution time: 1_100_205_000 picoseconds.
        Weight::from_parts(1_140_405_000, 47_876)
            .saturating_add(T::DbWeight::get().reads(57))
            .saturating_add(T::DbWeight::get().writes(55))
    }

    // Storage: `Attribution::Settlements` (r:1 w:1)
    // Storage: `Attribution::RulesetOf` (r:1 w:0)
    // Storage: `System::BlockHash` (r:1 w:0)
    // Storage: `Models::Manifests` (r:1 w:0)
    // Storage: `Attribution::Demands` (r:16 w:1)
    // Storage: `Balances::Holds` (r:1 w:1)
    // Storage: `Attribution::DemandCount` (r:1 w:1)
    // Storage: `Attribution::FullSince` (r:0 w:1)
    fn demand() -> Weight {
        // Proof in bytes, measured: 3207.
        // Minimum execution time: 234_012_000 picoseconds.
        Weight::from_parts(263_101_000, 43_102)
            .saturating_add(T::DbWeight::get().reads(22))
            .saturating_add(T::DbWeight::get().writes(5))
    }

    // Storage: `Attribution::Settlements` (r:1 w:1)
    // Storage: `Attribution::RulesetOf` (r:1 w:0)
    // Storage: `Attribution::Demands` (r:1 w:1)
    // Storage: `System::BlockHash` (r:1 w:0)
    // Storage: `Balances::Holds` (r:1 w:1)
    // Storage: `System::Account` (r:1 w:1)
    // Storage: `Attribution::FullSince` (r:1 w:1)
    // Storage: `Compute::Operators` (r:1 w:1)
    fn answer() -> Weight {
        // Proof in bytes, measured: 2897.
        // Minimum execution time: 281_661_000 picoseconds.
        Weight::from_parts(304_909_000, 4_334)
            .saturating_add(T::DbWeight::get().reads(8))
            .saturating_add(T::DbWeight::get().writes(6))
    }

    // Storage: `Attribution::Settlements` (r:1 w:1)
    // Storage: `Attribution::RulesetOf` (r:1 w:0)
    // Storage: `Attribution::Demands` (r:17 w:16)
    // Storage: `Models::Manifests` (r:1 w:0)
    // Storage: `Models::Voided` (r:1 w:0)
    // Storage: `Models::Retired` (r:1 w:0)
    // Storage: `Models::Strikes` (r:1 w:1)
    // Storage: `System::Account` (r:18 w:18)
    // Storage: `Balances::Holds` (r:17 w:17)
    // Storage: `Compute::Operators` (r:1 w:1)
    // Storage: `Attribution::Accruals` (r:1 w:1)
    // Storage: `Attribution::FullSince` (r:0 w:1)
    fn expire_demand() -> Weight {
        // Proof in bytes, measured: 6305.
        // Minimum execution time: 905_311_000 picoseconds.
        Weight::from_parts(997_068_000, 47_876)
            .saturating_add(T::DbWeight::get().reads(60))
            .saturating_add(T::DbWeight::get().writes(56))
    }
}
