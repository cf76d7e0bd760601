//! A runtime of this pallet and balances.
// The runtime macro makes its types public, and what they name has to be, too.
#![allow(unreachable_pub)]

use crate as pallet_models;
use attribution_proof::{
    ruleset::{ComputeRules, DataRules, ReceiptRules, Ruleset, Rulesets, SettlementRules},
    split::SplitRule,
    AccountId, Balance, RulesetId,
};
use frame_support::{
    derive_impl, parameter_types,
    traits::{ConstU128, ConstU32, VariantCountOf},
};
use frame_system::EnsureRoot;
use sp_runtime::{traits::IdentityLookup, BuildStorage};

type Block = frame_system::mocking::MockBlockU32<Test>;

#[frame_support::runtime]
mod runtime {
    #[runtime::runtime]
    #[runtime::derive(
        RuntimeCall,
        RuntimeEvent,
        RuntimeError,
        RuntimeOrigin,
        RuntimeFreezeReason,
        RuntimeHoldReason,
        RuntimeSlashReason,
        RuntimeLockId,
        RuntimeTask,
        RuntimeViewFunction
    )]
    pub struct Test;

    #[runtime::pallet_index(0)]
    pub type System = frame_system;
    #[runtime::pallet_index(1)]
    pub type Balances = pallet_balances;
    #[runtime::pallet_index(2)]
    pub type Models = pallet_models;
}

#[derive_impl(frame_system::config_preludes::TestDefaultConfig)]
impl frame_system::Config for Test {
    type Block = Block;
    type AccountId = AccountId;
    type Lookup = IdentityLookup<AccountId>;
    type AccountData = pallet_balances::AccountData<Balance>;
}

#[derive_impl(pallet_balances::config_preludes::TestDefaultConfig)]
impl pallet_balances::Config for Test {
    type Balance = Balance;
    type ExistentialDeposit = ConstU128<10>;
    type AccountStore = System;
    type MaxFreezes = VariantCountOf<RuntimeFreezeReason>;
}

/// Money of each account in [`new_test_ext`].
pub(crate) const MONEY: Balance = 1_000_000;
pub(crate) const DEPOSIT: Balance = 1_000;

parameter_types! {
    /// The number of the current ruleset.
    pub static CurrentRuleset: RulesetId = 0;
}

/// A valid ruleset; this pallet uses only its number.
pub(crate) const RULESET: Ruleset = Ruleset {
    data: DataRules {
        contribution_window: 10,
        contribution_stake: 100,
        record_stake: 1,
        curator_stake: 100,
        minimum_record_bytes: 256,
        duplicate_threshold: 200_000_000,
    },
    compute: ComputeRules {
        operator_bond: 10_000,
        job_stake: 1_000,
        take_deadline: 10,
        submit_deadline: 20,
        job_window: 10,
    },
    receipt: ReceiptRules {
        top_k: 16,
        floor_numerator: 1,
        floor_denominator: 100,
        minimum_span: 32,
        span_weight_cap: 256,
        influence_mix: 500_000_000,
    },
    settlement: SettlementRules {
        settlement_window: 20,
        dispute_period: 10,
        challenge_bond: 50,
        demand_bond: 20,
        demand_window: 10,
        lie_slash: 5_000,
        challenger_reward: 500_000_000,
    },
    split: SplitRule {
        operator: 500_000_000,
        builder: 200_000_000,
        data: 200_000_000,
        stakers: 50_000_000,
        treasury: 50_000_000,
    },
};

/// Every number up to the current one names the same rules.
pub struct TestRulesets;
impl Rulesets for TestRulesets {
    fn get(id: RulesetId) -> Option<Ruleset> {
        (id <= CurrentRuleset::get()).then_some(RULESET)
    }
    fn current() -> (RulesetId, Ruleset) {
        (CurrentRuleset::get(), RULESET)
    }
}

impl pallet_models::Config for Test {
    type RuntimeHoldReason = RuntimeHoldReason;
    type Currency = Balances;
    type Rulesets = TestRulesets;
    type GovernanceOrigin = EnsureRoot<AccountId>;
    type ManifestDeposit = ConstU128<DEPOSIT>;
    type MaxStrikes = ConstU32<3>;
    type WeightInfo = crate::weights::SubstrateWeight<Test>;
}

/// Account number `n`.
pub(crate) fn account(n: u8) -> AccountId {
    AccountId::new([n; 32])
}

/// Externalities with accounts 1 to 32 funded.
pub(crate) fn new_test_ext() -> sp_io::TestExternalities {
    let mut storage = frame_system::GenesisConfig::<Test>::default()
        .build_storage()
        .unwrap();
    pallet_balances::GenesisConfig::<Test> {
        balances: (1..=32).map(|n| (account(n), MONEY)).collect(),
        ..Default::default()
    }
    .assimilate_storage(&mut storage)
    .unwrap();
    let mut ext = sp_io::TestExternalities::new(storage);
    ext.execute_with(|| System::set_block_number(1));
    ext
}

/// Runs a test and then proves the books and that no money was made or lost.
pub(crate) fn run(test: impl FnOnce()) {
    new_test_ext().execute_with(|| {
        let issuance = Balances::total_issuance();
        test();
        Models::do_try_state().unwrap();
        assert_eq!(Balances::total_issuance(), issuance);
    });
}

/// The last event of this pallet.
pub(crate) fn last_event() -> pallet_models::Event<Test> {
    System::events()
        .into_iter()
        .rev()
        .find_map(|record| match record.event {
            RuntimeEvent::Models(event) => Some(event),
            _ => None,
        })
        .expect("an event was emitted")
}
