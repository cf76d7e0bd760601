//! A runtime with this pallet, balances, and rulesets that tests can set.
#![allow(unreachable_pub)] // What the runtime macro makes is public, and so all that it names.

use crate::{self as pallet_datanets, *};
use attribution_proof::{
    ruleset::{ComputeRules, DataRules, ReceiptRules, Ruleset, Rulesets, SettlementRules},
    split::SplitRule,
    AccountId, Balance, RulesetId,
};
use frame_support::{construct_runtime, derive_impl, parameter_types};
use frame_system::EnsureRoot;
use sp_runtime::{traits::IdentityLookup, BuildStorage};

type Block = frame_system::mocking::MockBlock<Test>;

construct_runtime!(
    pub enum Test {
        System: frame_system,
        Balances: pallet_balances,
        Datanets: pallet_datanets,
    }
);

#[derive_impl(frame_system::config_preludes::TestDefaultConfig)]
impl frame_system::Config for Test {
    type Block = Block;
    type AccountId = AccountId;
    type Lookup = IdentityLookup<Self::AccountId>;
    type AccountData = pallet_balances::AccountData<Balance>;
}

pub const EXISTENTIAL_DEPOSIT: Balance = 10;
pub const DATANET_DEPOSIT: Balance = 1_000;
pub const ENDOWMENT: Balance = 10_000_000;

parameter_types! {
    pub const ExistentialDeposit: Balance = EXISTENTIAL_DEPOSIT;
    pub const DatanetDeposit: Balance = DATANET_DEPOSIT;
    pub Treasury: AccountId = treasury();
    // The newest ruleset's number; ruleset `n` asks `n` more of everything that has a price.
    pub static NewestRuleset: RulesetId = 0;
}

#[derive_impl(pallet_balances::config_preludes::TestDefaultConfig)]
impl pallet_balances::Config for Test {
    type Balance = Balance;
    type AccountStore = System;
    type ExistentialDeposit = ExistentialDeposit;
}

/// The rulesets of the chain, which live in another pallet.
pub struct TestRulesets;

impl Rulesets for TestRulesets {
    fn get(id: RulesetId) -> Option<Ruleset> {
        (id <= NewestRuleset::get()).then(|| ruleset(id))
    }

    fn current() -> (RulesetId, Ruleset) {
        (NewestRuleset::get(), ruleset(NewestRuleset::get()))
    }
}

impl Config for Test {
    type Currency = Balances;
    type RuntimeHoldReason = RuntimeHoldReason;
    type Rulesets = TestRulesets;
    type Treasury = Treasury;
    type GovernanceOrigin = EnsureRoot<AccountId>;
    type DatanetDeposit = DatanetDeposit;
    type WeightInfo = crate::weights::SubstrateWeight<Test>;
}

pub fn ruleset(id: RulesetId) -> Ruleset {
    let more = Balance::from(id);
    let ruleset = Ruleset {
        data: DataRules {
            contribution_window: 10,
            contribution_stake: 1_000 + more,
            record_stake: 10 + more,
            curator_stake: 5_000 + more,
            minimum_record_bytes: 256,
            duplicate_threshold: 200_000_000,
        },
        compute: ComputeRules {
            operator_bond: 100,
            job_stake: 10,
            take_deadline: 10,
            submit_deadline: 10,
            job_window: 10,
        },
        receipt: ReceiptRules {
            top_k: 8,
            floor_numerator: 1,
            floor_denominator: 10,
            minimum_span: 24,
            span_weight_cap: 256,
            influence_mix: 500_000_000,
        },
        settlement: SettlementRules {
            settlement_window: 20,
            dispute_period: 10,
            challenge_bond: 300 + more,
            demand_bond: 200 + more,
            demand_window: 15,
            lie_slash: 50,
            challenger_reward: 400_000_000,
        },
        split: SplitRule {
            operator: 500_000_000,
            builder: 200_000_000,
            data: 200_000_000,
            stakers: 50_000_000,
            treasury: 50_000_000,
        },
    };
    assert_eq!(ruleset.validate(), Ok(()));
    ruleset
}

pub fn account(byte: u8) -> AccountId {
    AccountId::new([byte; 32])
}

pub fn treasury() -> AccountId {
    account(0xee)
}

/// Accounts 1 to 30 are endowed, the treasury exists.
pub fn new_test_externalities() -> sp_io::TestExternalities {
    let mut storage = frame_system::GenesisConfig::<Test>::default()
        .build_storage()
        .unwrap();
    let mut balances: Vec<_> = (1..=30).map(|byte| (account(byte), ENDOWMENT)).collect();
    balances.push((treasury(), EXISTENTIAL_DEPOSIT));
    pallet_balances::GenesisConfig::<Test> {
        balances,
        ..Default::default()
    }
    .assimilate_storage(&mut storage)
    .unwrap();
    let mut externalities: sp_io::TestExternalities = storage.into();
    externalities.execute_with(|| System::set_block_number(1));
    externalities
}

/// Runs a test and proves the books and the issuance after it.
pub fn execute(test: impl FnOnce()) {
    NewestRuleset::set(0);
    new_test_externalities().execute_with(|| {
        let issued = Balances::total_issuance();
        test();
        Datanets::do_try_state().unwrap();
        assert_eq!(Balances::total_issuance(), issued, "money was made or lost");
    });
}

pub fn advance(blocks: u32) {
    System::set_block_number(System::block_number() + u64::from(blocks));
}
