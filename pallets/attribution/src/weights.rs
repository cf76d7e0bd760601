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
    // Proof: `Attribution::CurrentRuleset` (`max_values`: Some(1), `max_size`: Some(4), added: 499, mode: `MaxEncodedLen`)
    // Storage: `Attribution::RulesetOf` (r:0 w:1)
    // Proof: `Attribution::RulesetOf` (`max_values`: None, `max_size`: Some(224), added: 2699, mode: `MaxEncodedLen`)
    fn add_ruleset() -> Weight {
        // Proof in bytes, measured: 43.
        // Minimum execution time: 8_622_000 picoseconds.
        Weight::from_parts(10_834_000, 1_489)
            .saturating_add(T::DbWeight::get().reads(1))
            .saturating_add(T::DbWeight::get().writes(2))
    }

    // Storage: `System::BlockHash` (r:1 w:0)
    // Proof: `System::BlockHash` (`max_values`: None, `max_size`: Some(44), added: 2519, mode: `MaxEncodedLen`)
    // Storage: `System::Account` (r:2 w:2)
    // Proof: `System::Account` (`max_values`: None, `max_size`: Some(128), added: 2603, mode: `MaxEncodedLen`)
    // Storage: `Channels::Channels` (r:1 w:1)
    // Proof: `Channels::Channels` (`max_values`: None, `max_size`: Some(201), added: 2676, mode: `MaxEncodedLen`)
    // Storage: `Balances::Holds` (r:1 w:1)
    // Proof: `Balances::Holds` (`max_values`: None, `max_size`: Some(283), added: 2758, mode: `MaxEncodedLen`)
    // Storage: `Attribution::RulesetOf` (r:1 w:0)
    // Proof: `Attribution::RulesetOf` (`max_values`: None, `max_size`: Some(224), added: 2699, mode: `MaxEncodedLen`)
    // Storage: `Compute::Operators` (r:1 w:1)
    // Proof: `Compute::Operators` (`max_values`: None, `max_size`: Some(869), added: 3344, mode: `MaxEncodedLen`)
    // Storage: `Attribution::SettlementCount` (r:1 w:1)
    // Proof: `Attribution::SettlementCount` (`max_values`: Some(1), `max_size`: Some(8), added: 503, mode: `MaxEncodedLen`)
    // Storage: `Attribution::Settlements` (r:0 w:1)
    // Proof: `Attribution::Settlements` (`max_values`: None, `max_size`: Some(491), added: 2966, mode: `MaxEncodedLen`)
    fn settle() -> Weight {
        // Proof in bytes, measured: 2038.
        // Minimum execution time: 232_008_000 picoseconds.
        Weight::from_parts(260_814_000, 6_196)
            .saturating_add(T::DbWeight::get().reads(8))
            .saturating_add(T::DbWeight::get().writes(7))
    }

    // Storage: `Attribution::Settlements` (r:1 w:1)
    // Proof: `Attribution::Settlements` (`max_values`: None, `max_size`: Some(491), added: 2966, mode: `MaxEncodedLen`)
    // Storage: `Attribution::Accruals` (r:1 w:1)
    // Proof: `Attribution::Accruals` (`max_values`: None, `max_size`: Some(85), added: 2560, mode: `MaxEncodedLen`)
    // Storage: `System::Account` (r:3 w:3)
    // Proof: `System::Account` (`max_values`: None, `max_size`: Some(128), added: 2603, mode: `MaxEncodedLen`)
    fn finalise() -> Weight {
        // Proof in bytes, measured: 1011.
        // Minimum execution time: 153_793_000 picoseconds.
        Weight::from_parts(168_232_000, 8_799)
            .saturating_add(T::DbWeight::get().reads(5))
            .saturating_add(T::DbWeight::get().writes(5))
    }

    // Storage: `Attribution::Settlements` (r:1 w:1)
    // Proof: `Attribution::Settlements` (`max_values`: None, `max_size`: Some(491), added: 2966, mode: `MaxEncodedLen`)
    // Storage: `Models::BuildersOf` (r:32 w:0)
    // Proof: `Models::BuildersOf` (`max_values`: None, `max_size`: Some(589), added: 3064, mode: `MaxEncodedLen`)
    // Storage: `Attribution::Accruals` (r:512 w:512)
    // Proof: `Attribution::Accruals` (`max_values`: None, `max_size`: Some(85), added: 2560, mode: `MaxEncodedLen`)
    // Storage: `Attribution::EarnedByModel` (r:512 w:512)
    // Proof: `Attribution::EarnedByModel` (`max_values`: None, `max_size`: Some(76), added: 2551, mode: `MaxEncodedLen`)
    fn pay(n: u32) -> Weight {
        // Proof in bytes, measured: 1320 + n * 48.
        // Minimum execution time: 182_671_000 picoseconds.
        Weight::from_parts(21_708_688, 3_956)
            // Standard error: 157_397.
            .saturating_add(Weight::from_parts(163_879_687, 0).saturating_mul(n.into()))
            .saturating_add(T::DbWeight::get().reads(1))
            .saturating_add(T::DbWeight::get().reads(33).saturating_mul(n.into()))
            .saturating_add(T::DbWeight::get().writes(1))
            .saturating_add(T::DbWeight::get().writes(32).saturating_mul(n.into()))
            .saturating_add(Weight::from_parts(0, 40_960).saturating_mul(n.into()))
    }

    // Storage: `Attribution::Settlements` (r:1 w:1)
    // Proof: `Attribution::Settlements` (`max_values`: None, `max_size`: Some(491), added: 2966, mode: `MaxEncodedLen`)
    // Storage: `System::Account` (r:2 w:2)
    // Proof: `System::Account` (`max_values`: None, `max_size`: Some(128), added: 2603, mode: `MaxEncodedLen`)
    fn sweep() -> Weight {
        // Proof in bytes, measured: 949.
        // Minimum execution time: 65_720_000 picoseconds.
        Weight::from_parts(71_387_000, 6_196)
            .saturating_add(T::DbWeight::get().reads(3))
            .saturating_add(T::DbWeight::get().writes(3))
    }

    // Storage: `Attribution::Accruals` (r:65 w:64)
    // Proof: `Attribution::Accruals` (`max_values`: None, `max_size`: Some(85), added: 2560, mode: `MaxEncodedLen`)
    // Storage: `System::Account` (r:1 w:1)
    // Proof: `System::Account` (`max_values`: None, `max_size`: Some(128), added: 2603, mode: `MaxEncodedLen`)
    fn claim(n: u32) -> Weight {
        // Proof in bytes, measured: 257 + n * 41.
        // Minimum execution time: 65_107_000 picoseconds.
        Weight::from_parts(66_172_445, 3_593)
            // Standard error: 1_936.
            .saturating_add(Weight::from_parts(4_355_077, 0).saturating_mul(n.into()))
            .saturating_add(T::DbWeight::get().reads(2))
            .saturating_add(T::DbWeight::get().reads(1).saturating_mul(n.into()))
            .saturating_add(T::DbWeight::get().writes(1))
            .saturating_add(T::DbWeight::get().writes(1).saturating_mul(n.into()))
            .saturating_add(Weight::from_parts(0, 2_560).saturating_mul(n.into()))
    }

    // Storage: `Attribution::Accruals` (r:65 w:64)
    // Proof: `Attribution::Accruals` (`max_values`: None, `max_size`: Some(85), added: 2560, mode: `MaxEncodedLen`)
    // Storage: `System::Account` (r:2 w:2)
    // Proof: `System::Account` (`max_values`: None, `max_size`: Some(128), added: 2603, mode: `MaxEncodedLen`)
    fn claim_for(n: u32) -> Weight {
        // Proof in bytes, measured: 346 + n * 41.
        // Minimum execution time: 66_688_000 picoseconds.
        Weight::from_parts(67_517_584, 6_196)
            // Standard error: 2_098.
            .saturating_add(Weight::from_parts(4_390_419, 0).saturating_mul(n.into()))
            .saturating_add(T::DbWeight::get().reads(3))
            .saturating_add(T::DbWeight::get().reads(1).saturating_mul(n.into()))
            .saturating_add(T::DbWeight::get().writes(2))
            .saturating_add(T::DbWeight::get().writes(1).saturating_mul(n.into()))
            .saturating_add(Weight::from_parts(0, 2_560).saturating_mul(n.into()))
    }

    // Storage: `Attribution::Settlements` (r:1 w:1)
    // Proof: `Attribution::Settlements` (`max_values`: None, `max_size`: Some(491), added: 2966, mode: `MaxEncodedLen`)
    // Storage: `Attribution::RulesetOf` (r:1 w:0)
    // Proof: `Attribution::RulesetOf` (`max_values`: None, `max_size`: Some(224), added: 2699, mode: `MaxEncodedLen`)
    // Storage: `System::BlockHash` (r:1 w:0)
    // Proof: `System::BlockHash` (`max_values`: None, `max_size`: Some(44), added: 2519, mode: `MaxEncodedLen`)
    // Storage: `Models::Manifests` (r:1 w:0)
    // Proof: `Models::Manifests` (`max_values`: None, `max_size`: Some(954), added: 3429, mode: `MaxEncodedLen`)
    // Storage: `Attribution::Demands` (r:17 w:16)
    // Proof: `Attribution::Demands` (`max_values`: None, `max_size`: Some(157), added: 2632, mode: `MaxEncodedLen`)
    // Storage: `System::Account` (r:18 w:18)
    // Proof: `System::Account` (`max_values`: None, `max_size`: Some(128), added: 2603, mode: `MaxEncodedLen`)
    // Storage: `Balances::Holds` (r:17 w:17)
    // Proof: `Balances::Holds` (`max_values`: None, `max_size`: Some(283), added: 2758, mode: `MaxEncodedLen`)
    // Storage: `Compute::Operators` (r:1 w:1)
    // Proof: `Compute::Operators` (`max_values`: None, `max_size`: Some(869), added: 3344, mode: `MaxEncodedLen`)
    // Storage: `Attribution::Accruals` (r:1 w:1)
    // Proof: `Attribution::Accruals` (`max_values`: None, `max_size`: Some(85), added: 2560, mode: `MaxEncodedLen`)
    // Storage: `Attribution::FullSince` (r:0 w:1)
    // Proof: `Attribution::FullSince` (`max_values`: None, `max_size`: Some(20), added: 2495, mode: `MaxEncodedLen`)
    fn challenge_score() -> Weight {
        // Proof in bytes, measured: 6893.
        // Minimum execution time: 1_096_893_000 picoseconds.
        Weight::from_parts(1_193_190_000, 47_876)
            .saturating_add(T::DbWeight::get().reads(58))
            .saturating_add(T::DbWeight::get().writes(55))
    }

    // Storage: `Attribution::Settlements` (r:1 w:1)
    // Proof: `Attribution::Settlements` (`max_values`: None, `max_size`: Some(491), added: 2966, mode: `MaxEncodedLen`)
    // Storage: `Attribution::RulesetOf` (r:1 w:0)
    // Proof: `Attribution::RulesetOf` (`max_values`: None, `max_size`: Some(224), added: 2699, mode: `MaxEncodedLen`)
    // Storage: `System::BlockHash` (r:1 w:0)
    // Proof: `System::BlockHash` (`max_values`: None, `max_size`: Some(44), added: 2519, mode: `MaxEncodedLen`)
    // Storage: `Models::Manifests` (r:1 w:0)
    // Proof: `Models::Manifests` (`max_values`: None, `max_size`: Some(954), added: 3429, mode: `MaxEncodedLen`)
    // Storage: `Attribution::Demands` (r:17 w:16)
    // Proof: `Attribution::Demands` (`max_values`: None, `max_size`: Some(157), added: 2632, mode: `MaxEncodedLen`)
    // Storage: `System::Account` (r:18 w:18)
    // Proof: `System::Account` (`max_values`: None, `max_size`: Some(128), added: 2603, mode: `MaxEncodedLen`)
    // Storage: `Balances::Holds` (r:17 w:17)
    // Proof: `Balances::Holds` (`max_values`: None, `max_size`: Some(283), added: 2758, mode: `MaxEncodedLen`)
    // Storage: `Compute::Operators` (r:1 w:1)
    // Proof: `Compute::Operators` (`max_values`: None, `max_size`: Some(869), added: 3344, mode: `MaxEncodedLen`)
    // Storage: `Attribution::Accruals` (r:1 w:1)
    // Proof: `Attribution::Accruals` (`max_values`: None, `max_size`: Some(85), added: 2560, mode: `MaxEncodedLen`)
    // Storage: `Attribution::FullSince` (r:0 w:1)
    // Proof: `Attribution::FullSince` (`max_values`: None, `max_size`: Some(20), added: 2495, mode: `MaxEncodedLen`)
    fn challenge_omission() -> Weight {
        // Proof in bytes, measured: 6893.
        // Minimum execution time: 1_095_626_000 picoseconds.
        Weight::from_parts(1_208_099_000, 47_876)
            .saturating_add(T::DbWeight::get().reads(58))
            .saturating_add(T::DbWeight::get().writes(55))
    }

    // Storage: `Attribution::Settlements` (r:1 w:1)
    // Proof: `Attribution::Settlements` (`max_values`: None, `max_size`: Some(491), added: 2966, mode: `MaxEncodedLen`)
    // Storage: `Attribution::RulesetOf` (r:1 w:0)
    // Proof: `Attribution::RulesetOf` (`max_values`: None, `max_size`: Some(224), added: 2699, mode: `MaxEncodedLen`)
    // Storage: `System::BlockHash` (r:1 w:0)
    // Proof: `System::BlockHash` (`max_values`: None, `max_size`: Some(44), added: 2519, mode: `MaxEncodedLen`)
    // Storage: `Models::Manifests` (r:1 w:0)
    // Proof: `Models::Manifests` (`max_values`: None, `max_size`: Some(954), added: 3429, mode: `MaxEncodedLen`)
    // Storage: `Datanets::Contributions` (r:1 w:0)
    // Proof: `Datanets::Contributions` (`max_values`: None, `max_size`: Some(307), added: 2782, mode: `MaxEncodedLen`)
    // Storage: `Datanets::RecordTombstones` (r:1 w:0)
    // Proof: `Datanets::RecordTombstones` (`max_values`: None, `max_size`: Some(32), added: 2507, mode: `MaxEncodedLen`)
    // Storage: `Attribution::Demands` (r:17 w:16)
    // Proof: `Attribution::Demands` (`max_values`: None, `max_size`: Some(157), added: 2632, mode: `MaxEncodedLen`)
    // Storage: `System::Account` (r:18 w:18)
    // Proof: `System::Account` (`max_values`: None, `max_size`: Some(128), added: 2603, mode: `MaxEncodedLen`)
    // Storage: `Balances::Holds` (r:17 w:17)
    // Proof: `Balances::Holds` (`max_values`: None, `max_size`: Some(283), added: 2758, mode: `MaxEncodedLen`)
    // Storage: `Compute::Operators` (r:1 w:1)
    // Proof: `Compute::Operators` (`max_values`: None, `max_size`: Some(869), added: 3344, mode: `MaxEncodedLen`)
    // Storage: `Attribution::Accruals` (r:1 w:1)
    // Proof: `Attribution::Accruals` (`max_values`: None, `max_size`: Some(85), added: 2560, mode: `MaxEncodedLen`)
    // Storage: `Attribution::FullSince` (r:0 w:1)
    // Proof: `Attribution::FullSince` (`max_values`: None, `max_size`: Some(20), added: 2495, mode: `MaxEncodedLen`)
    fn challenge_bytes() -> Weight {
        // Proof in bytes, measured: 7354.
        // Minimum execution time: 1_029_386_000 picoseconds.
        Weight::from_parts(1_088_763_000, 47_876)
            .saturating_add(T::DbWeight::get().reads(60))
            .saturating_add(T::DbWeight::get().writes(55))
    }

    // Storage: `Attribution::Settlements` (r:1 w:1)
    // Proof: `Attribution::Settlements` (`max_values`: None, `max_size`: Some(491), added: 2966, mode: `MaxEncodedLen`)
    // Storage: `Attribution::RulesetOf` (r:1 w:0)
    // Proof: `Attribution::RulesetOf` (`max_values`: None, `max_size`: Some(224), added: 2699, mode: `MaxEncodedLen`)
    // Storage: `System::BlockHash` (r:1 w:0)
    // Proof: `System::BlockHash` (`max_values`: None, `max_size`: Some(44), added: 2519, mode: `MaxEncodedLen`)
    // Storage: `Models::Manifests` (r:1 w:0)
    // Proof: `Models::Manifests` (`max_values`: None, `max_size`: Some(954), added: 3429, mode: `MaxEncodedLen`)
    // Storage: `Datanets::Contributions` (r:1 w:0)
    // Proof: `Datanets::Contributions` (`max_values`: None, `max_size`: Some(307), added: 2782, mode: `MaxEncodedLen`)
    // Storage: `Datanets::RecordTombstones` (r:1 w:0)
    // Proof: `Datanets::RecordTombstones` (`max_values`: None, `max_size`: Some(32), added: 2507, mode: `MaxEncodedLen`)
    // Storage: `Attribution::Demands` (r:17 w:16)
    // Proof: `Attribution::Demands` (`max_values`: None, `max_size`: Some(157), added: 2632, mode: `MaxEncodedLen`)
    // Storage: `System::Account` (r:18 w:18)
    // Proof: `System::Account` (`max_values`: None, `max_size`: Some(128), added: 2603, mode: `MaxEncodedLen`)
    // Storage: `Balances::Holds` (r:17 w:17)
    // Proof: `Balances::Holds` (`max_values`: None, `max_size`: Some(283), added: 2758, mode: `MaxEncodedLen`)
    // Storage: `Compute::Operators` (r:1 w:1)
    // Proof: `Compute::Operators` (`max_values`: None, `max_size`: Some(869), added: 3344, mode: `MaxEncodedLen`)
    // Storage: `Attribution::Accruals` (r:1 w:1)
    // Proof: `Attribution::Accruals` (`max_values`: None, `max_size`: Some(85), added: 2560, mode: `MaxEncodedLen`)
    // Storage: `Attribution::FullSince` (r:0 w:1)
    // Proof: `Attribution::FullSince` (`max_values`: None, `max_size`: Some(20), added: 2495, mode: `MaxEncodedLen`)
    fn challenge_span() -> Weight {
        // Proof in bytes, measured: 7354.
        // Minimum execution time: 1_032_193_000 picoseconds.
        Weight::from_parts(1_123_143_000, 47_876)
            .saturating_add(T::DbWeight::get().reads(60))
            .saturating_add(T::DbWeight::get().writes(55))
    }

    // Storage: `Attribution::Settlements` (r:1 w:1)
    // Proof: `Attribution::Settlements` (`max_values`: None, `max_size`: Some(491), added: 2966, mode: `MaxEncodedLen`)
    // Storage: `Attribution::RulesetOf` (r:1 w:0)
    // Proof: `Attribution::RulesetOf` (`max_values`: None, `max_size`: Some(224), added: 2699, mode: `MaxEncodedLen`)
    // Storage: `System::BlockHash` (r:1 w:0)
    // Proof: `System::BlockHash` (`max_values`: None, `max_size`: Some(44), added: 2519, mode: `MaxEncodedLen`)
    // Storage: `Models::Manifests` (r:1 w:0)
    // Proof: `Models::Manifests` (`max_values`: None, `max_size`: Some(954), added: 3429, mode: `MaxEncodedLen`)
    // Storage: `Datanets::Contributions` (r:128 w:0)
    // Proof: `Datanets::Contributions` (`max_values`: None, `max_size`: Some(307), added: 2782, mode: `MaxEncodedLen`)
    // Storage: `Attribution::Demands` (r:17 w:16)
    // Proof: `Attribution::Demands` (`max_values`: None, `max_size`: Some(157), added: 2632, mode: `MaxEncodedLen`)
    // Storage: `System::Account` (r:18 w:18)
    // Proof: `System::Account` (`max_values`: None, `max_size`: Some(128), added: 2603, mode: `MaxEncodedLen`)
    // Storage: `Balances::Holds` (r:17 w:17)
    // Proof: `Balances::Holds` (`max_values`: None, `max_size`: Some(283), added: 2758, mode: `MaxEncodedLen`)
    // Storage: `Compute::Operators` (r:1 w:1)
    // Proof: `Compute::Operators` (`max_values`: None, `max_size`: Some(869), added: 3344, mode: `MaxEncodedLen`)
    // Storage: `Attribution::Accruals` (r:1 w:1)
    // Proof: `Attribution::Accruals` (`max_values`: None, `max_size`: Some(85), added: 2560, mode: `MaxEncodedLen`)
    // Storage: `Attribution::FullSince` (r:0 w:1)
    // Proof: `Attribution::FullSince` (`max_values`: None, `max_size`: Some(20), added: 2495, mode: `MaxEncodedLen`)
    fn challenge_step() -> Weight {
        // Proof in bytes, measured: 45672.
        // Minimum execution time: 3_790_297_000 picoseconds.
        Weight::from_parts(3_949_253_000, 357_086)
            .saturating_add(T::DbWeight::get().reads(186))
            .saturating_add(T::DbWeight::get().writes(55))
    }

    // Storage: `Attribution::Settlements` (r:1 w:1)
    // Proof: `Attribution::Settlements` (`max_values`: None, `max_size`: Some(491), added: 2966, mode: `MaxEncodedLen`)
    // Storage: `Attribution::RulesetOf` (r:1 w:0)
    // Proof: `Attribution::RulesetOf` (`max_values`: None, `max_size`: Some(224), added: 2699, mode: `MaxEncodedLen`)
    // Storage: `System::BlockHash` (r:1 w:0)
    // Proof: `System::BlockHash` (`max_values`: None, `max_size`: Some(44), added: 2519, mode: `MaxEncodedLen`)
    // Storage: `Attribution::Demands` (r:17 w:16)
    // Proof: `Attribution::Demands` (`max_values`: None, `max_size`: Some(157), added: 2632, mode: `MaxEncodedLen`)
    // Storage: `System::Account` (r:18 w:18)
    // Proof: `System::Account` (`max_values`: None, `max_size`: Some(128), added: 2603, mode: `MaxEncodedLen`)
    // Storage: `Balances::Holds` (r:17 w:17)
    // Proof: `Balances::Holds` (`max_values`: None, `max_size`: Some(283), added: 2758, mode: `MaxEncodedLen`)
    // Storage: `Compute::Operators` (r:1 w:1)
    // Proof: `Compute::Operators` (`max_values`: None, `max_size`: Some(869), added: 3344, mode: `MaxEncodedLen`)
    // Storage: `Attribution::Accruals` (r:1 w:1)
    // Proof: `Attribution::Accruals` (`max_values`: None, `max_size`: Some(85), added: 2560, mode: `MaxEncodedLen`)
    // Storage: `Attribution::FullSince` (r:0 w:1)
    // Proof: `Attribution::FullSince` (`max_values`: None, `max_size`: Some(20), added: 2495, mode: `MaxEncodedLen`)
    fn challenge_settlement() -> Weight {
        // Proof in bytes, measured: 6200.
        // Minimum execution time: 976_293_000 picoseconds.
        Weight::from_parts(1_006_552_000, 47_876)
            .saturating_add(T::DbWeight::get().reads(57))
            .saturating_add(T::DbWeight::get().writes(55))
    }

    // Storage: `Attribution::Settlements` (r:1 w:1)
    // Proof: `Attribution::Settlements` (`max_values`: None, `max_size`: Some(491), added: 2966, mode: `MaxEncodedLen`)
    // Storage: `Attribution::RulesetOf` (r:1 w:0)
    // Proof: `Attribution::RulesetOf` (`max_values`: None, `max_size`: Some(224), added: 2699, mode: `MaxEncodedLen`)
    // Storage: `System::BlockHash` (r:1 w:0)
    // Proof: `System::BlockHash` (`max_values`: None, `max_size`: Some(44), added: 2519, mode: `MaxEncodedLen`)
    // Storage: `Attribution::Demands` (r:17 w:16)
    // Proof: `Attribution::Demands` (`max_values`: None, `max_size`: Some(157), added: 2632, mode: `MaxEncodedLen`)
    // Storage: `System::Account` (r:18 w:18)
    // Proof: `System::Account` (`max_values`: None, `max_size`: Some(128), added: 2603, mode: `MaxEncodedLen`)
    // Storage: `Balances::Holds` (r:17 w:17)
    // Proof: `Balances::Holds` (`max_values`: None, `max_size`: Some(283), added: 2758, mode: `MaxEncodedLen`)
    // Storage: `Compute::Operators` (r:1 w:1)
    // Proof: `Compute::Operators` (`max_values`: None, `max_size`: Some(869), added: 3344, mode: `MaxEncodedLen`)
    // Storage: `Attribution::Accruals` (r:1 w:1)
    // Proof: `Attribution::Accruals` (`max_values`: None, `max_size`: Some(85), added: 2560, mode: `MaxEncodedLen`)
    // Storage: `Attribution::FullSince` (r:0 w:1)
    // Proof: `Attribution::FullSince` (`max_values`: None, `max_size`: Some(20), added: 2495, mode: `MaxEncodedLen`)
    fn challenge_equivocation() -> Weight {
        // Proof in bytes, measured: 6200.
        // Minimum execution time: 1_030_986_000 picoseconds.
        Weight::from_parts(1_050_514_000, 47_876)
            .saturating_add(T::DbWeight::get().reads(57))
            .saturating_add(T::DbWeight::get().writes(55))
    }

    // Storage: `Attribution::Settlements` (r:1 w:1)
    // Proof: `Attribution::Settlements` (`max_values`: None, `max_size`: Some(491), added: 2966, mode: `MaxEncodedLen`)
    // Storage: `Attribution::RulesetOf` (r:1 w:0)
    // Proof: `Attribution::RulesetOf` (`max_values`: None, `max_size`: Some(224), added: 2699, mode: `MaxEncodedLen`)
    // Storage: `System::BlockHash` (r:1 w:0)
    // Proof: `System::BlockHash` (`max_values`: None, `max_size`: Some(44), added: 2519, mode: `MaxEncodedLen`)
    // Storage: `Models::Manifests` (r:1 w:0)
    // Proof: `Models::Manifests` (`max_values`: None, `max_size`: Some(954), added: 3429, mode: `MaxEncodedLen`)
    // Storage: `Attribution::Demands` (r:16 w:1)
    // Proof: `Attribution::Demands` (`max_values`: None, `max_size`: Some(157), added: 2632, mode: `MaxEncodedLen`)
    // Storage: `Balances::Holds` (r:1 w:1)
    // Proof: `Balances::Holds` (`max_values`: None, `max_size`: Some(283), added: 2758, mode: `MaxEncodedLen`)
    // Storage: `Attribution::DemandCount` (r:1 w:1)
    // Proof: `Attribution::DemandCount` (`max_values`: Some(1), `max_size`: Some(8), added: 503, mode: `MaxEncodedLen`)
    // Storage: `Attribution::FullSince` (r:0 w:1)
    // Proof: `Attribution::FullSince` (`max_values`: None, `max_size`: Some(20), added: 2495, mode: `MaxEncodedLen`)
    fn demand() -> Weight {
        // Proof in bytes, measured: 3207.
        // Minimum execution time: 213_756_000 picoseconds.
        Weight::from_parts(230_980_000, 43_102)
            .saturating_add(T::DbWeight::get().reads(22))
            .saturating_add(T::DbWeight::get().writes(5))
    }

    // Storage: `Attribution::Settlements` (r:1 w:1)
    // Proof: `Attribution::Settlements` (`max_values`: None, `max_size`: Some(491), added: 2966, mode: `MaxEncodedLen`)
    // Storage: `Attribution::RulesetOf` (r:1 w:0)
    // Proof: `Attribution::RulesetOf` (`max_values`: None, `max_size`: Some(224), added: 2699, mode: `MaxEncodedLen`)
    // Storage: `Attribution::Demands` (r:1 w:1)
    // Proof: `Attribution::Demands` (`max_values`: None, `max_size`: Some(157), added: 2632, mode: `MaxEncodedLen`)
    // Storage: `System::BlockHash` (r:1 w:0)
    // Proof: `System::BlockHash` (`max_values`: None, `max_size`: Some(44), added: 2519, mode: `MaxEncodedLen`)
    // Storage: `Balances::Holds` (r:1 w:1)
    // Proof: `Balances::Holds` (`max_values`: None, `max_size`: Some(283), added: 2758, mode: `MaxEncodedLen`)
    // Storage: `System::Account` (r:1 w:1)
    // Proof: `System::Account` (`max_values`: None, `max_size`: Some(128), added: 2603, mode: `MaxEncodedLen`)
    // Storage: `Attribution::FullSince` (r:1 w:1)
    // Proof: `Attribution::FullSince` (`max_values`: None, `max_size`: Some(20), added: 2495, mode: `MaxEncodedLen`)
    // Storage: `Compute::Operators` (r:1 w:1)
    // Proof: `Compute::Operators` (`max_values`: None, `max_size`: Some(869), added: 3344, mode: `MaxEncodedLen`)
    fn answer() -> Weight {
        // Proof in bytes, measured: 2897.
        // Minimum execution time: 281_553_000 picoseconds.
        Weight::from_parts(300_209_000, 4_334)
            .saturating_add(T::DbWeight::get().reads(8))
            .saturating_add(T::DbWeight::get().writes(6))
    }

    // Storage: `Attribution::Settlements` (r:1 w:1)
    // Proof: `Attribution::Settlements` (`max_values`: None, `max_size`: Some(491), added: 2966, mode: `MaxEncodedLen`)
    // Storage: `Attribution::RulesetOf` (r:1 w:0)
    // Proof: `Attribution::RulesetOf` (`max_values`: None, `max_size`: Some(224), added: 2699, mode: `MaxEncodedLen`)
    // Storage: `Attribution::Demands` (r:17 w:16)
    // Proof: `Attribution::Demands` (`max_values`: None, `max_size`: Some(157), added: 2632, mode: `MaxEncodedLen`)
    // Storage: `Models::Manifests` (r:1 w:0)
    // Proof: `Models::Manifests` (`max_values`: None, `max_size`: Some(954), added: 3429, mode: `MaxEncodedLen`)
    // Storage: `Models::Voided` (r:1 w:0)
    // Proof: `Models::Voided` (`max_values`: None, `max_size`: Some(12), added: 2487, mode: `MaxEncodedLen`)
    // Storage: `Models::Retired` (r:1 w:0)
    // Proof: `Models::Retired` (`max_values`: None, `max_size`: Some(12), added: 2487, mode: `MaxEncodedLen`)
    // Storage: `Models::Strikes` (r:1 w:1)
    // Proof: `Models::Strikes` (`max_values`: None, `max_size`: Some(16), added: 2491, mode: `MaxEncodedLen`)
    // Storage: `System::Account` (r:18 w:18)
    // Proof: `System::Account` (`max_values`: None, `max_size`: Some(128), added: 2603, mode: `MaxEncodedLen`)
    // Storage: `Balances::Holds` (r:17 w:17)
    // Proof: `Balances::Holds` (`max_values`: None, `max_size`: Some(283), added: 2758, mode: `MaxEncodedLen`)
    // Storage: `Compute::Operators` (r:1 w:1)
    // Proof: `Compute::Operators` (`max_values`: None, `max_size`: Some(869), added: 3344, mode: `MaxEncodedLen`)
    // Storage: `Attribution::Accruals` (r:1 w:1)
    // Proof: `Attribution::Accruals` (`max_values`: None, `max_size`: Some(85), added: 2560, mode: `MaxEncodedLen`)
    // Storage: `Attribution::FullSince` (r:0 w:1)
    // Proof: `Attribution::FullSince` (`max_values`: None, `max_size`: Some(20), added: 2495, mode: `MaxEncodedLen`)
    fn expire_demand() -> Weight {
        // Proof in bytes, measured: 6305.
        // Minimum execution time: 871_571_000 picoseconds.
        Weight::from_parts(942_990_000, 47_876)
            .saturating_add(T::DbWeight::get().reads(60))
            .saturating_add(T::DbWeight::get().writes(56))
    }
}
