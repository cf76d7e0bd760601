//! A runtime of this pallet and balances, with the data and models of a test in memory.
// The runtime macro makes its types public, and what they name has to be, too.
#![allow(unreachable_pub)]

use crate as pallet_compute;
use crate::types::ContributionView;
use attribution_proof::{
    contribution::Snapshot,
    hash::{hash_bytes, Hash, Tag},
    licence::Terms,
    model::{ModelKind, Parent, Parents, Training},
    ruleset::{ComputeRules, DataRules, ReceiptRules, Ruleset, Rulesets, SettlementRules},
    split::{Parts, SplitRule},
    AccountId, Balance, BlockNumber, ContributionId, DatanetId, ModelId, RulesetId,
};
use frame_support::{
    derive_impl, parameter_types,
    traits::{ConstU128, Randomness, VariantCountOf},
};
use sp_runtime::{traits::IdentityLookup, BuildStorage, DispatchError};
use std::collections::BTreeMap;

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
    pub type Compute = pallet_compute;
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
    type ExistentialDeposit = ConstU128<EXISTENTIAL_DEPOSIT>;
    type AccountStore = System;
    type MaxFreezes = VariantCountOf<RuntimeFreezeReason>;
}

pub(crate) const EXISTENTIAL_DEPOSIT: Balance = 10;
pub(crate) const JOB_DEPOSIT: Balance = 100;
/// Money of each account in [`new_test_ext`].
pub(crate) const MONEY: Balance = 1_000_000;

/// Ruleset 0. Ruleset 1 asks for a larger stake and bond.
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
        job_stake: 4_000,
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
        challenger_reward: 250_000_000,
    },
    split: SplitRule {
        operator: 500_000_000,
        builder: 200_000_000,
        data: 200_000_000,
        stakers: 50_000_000,
        treasury: 50_000_000,
    },
};

/// A model that the fake register was asked to store.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RegisteredModel {
    pub(crate) owner: AccountId,
    pub(crate) kind: ModelKind,
    pub(crate) parents: Parents,
    pub(crate) terms: Terms,
    pub(crate) ruleset: RulesetId,
    pub(crate) training: Training,
}

parameter_types! {
    pub static CurrentRuleset: RulesetId = 0;
    pub static Snapshots: BTreeMap<DatanetId, Snapshot> = BTreeMap::new();
    pub static TermsOf: BTreeMap<DatanetId, Terms> = BTreeMap::new();
    pub static Contributions: BTreeMap<ContributionId, ContributionView> = BTreeMap::new();
    pub static Tombstones: BTreeMap<(ContributionId, u32), BlockNumber> = BTreeMap::new();
    /// Bases with the royalty that they ask; one that is missing is not live.
    pub static Bases: BTreeMap<ModelId, Parts> = BTreeMap::new();
    pub static RegisteredModels: Vec<RegisteredModel> = Vec::new();
    pub static OrderKnownSince: BlockNumber = 0;
    pub static ProjectionKnownSince: BlockNumber = 0;
    pub TreasuryAccount: AccountId = account(200);
}

pub struct TestRulesets;
impl Rulesets for TestRulesets {
    fn get(id: RulesetId) -> Option<Ruleset> {
        let mut ruleset = RULESET;
        if id == 1 {
            ruleset.compute.job_stake *= 2;
            ruleset.compute.operator_bond *= 2;
        }
        (id <= 1).then_some(ruleset)
    }
    fn current() -> (RulesetId, Ruleset) {
        (
            CurrentRuleset::get(),
            Self::get(CurrentRuleset::get()).unwrap(),
        )
    }
}

pub struct TestData;
impl crate::Data for TestData {
    fn latest_snapshot(datanet: DatanetId) -> Option<Snapshot> {
        Snapshots::get().get(&datanet).copied()
    }
    fn terms(datanet: DatanetId) -> Option<Terms> {
        TermsOf::get().get(&datanet).copied()
    }
    fn contribution(contribution: ContributionId) -> Option<ContributionView> {
        Contributions::get().get(&contribution).cloned()
    }
    fn tombstoned_at(contribution: ContributionId, record: u32) -> Option<BlockNumber> {
        Tombstones::get().get(&(contribution, record)).copied()
    }
}

/// What the fake register answers for a base that is not live.
pub(crate) const NOT_LIVE: DispatchError = DispatchError::Other("the base is not live");

pub struct TestModels;
impl crate::Models for TestModels {
    fn quote_training(
        _owner: &AccountId,
        kind: ModelKind,
        _previous: Option<ModelId>,
        _royalty: Parts,
        _price: Balance,
        _price_floor: Balance,
    ) -> Result<(Terms, Parents), DispatchError> {
        let mut parents = Parents::new();
        if let ModelKind::Adapter { base } = kind {
            let royalty = *Bases::get().get(&base).ok_or(NOT_LIVE)?;
            parents
                .try_push(Parent {
                    model: base,
                    royalty,
                })
                .unwrap();
        }
        Ok((Terms::FREE, parents))
    }

    fn register_trained(
        owner: &AccountId,
        kind: ModelKind,
        _previous: Option<ModelId>,
        _royalty: Parts,
        _price: Balance,
        _price_floor: Balance,
        parents: Parents,
        terms: Terms,
        ruleset: RulesetId,
        training: Training,
    ) -> Result<ModelId, DispatchError> {
        if let ModelKind::Adapter { base } = kind {
            Bases::get().get(&base).ok_or(NOT_LIVE)?;
        }
        let mut models = RegisteredModels::get();
        models.push(RegisteredModel {
            owner: owner.clone(),
            kind,
            parents,
            terms,
            ruleset,
            training,
        });
        let model = models.len() as ModelId;
        RegisteredModels::set(models);
        Ok(model)
    }
}

/// A seed per subject, known since the block that the test says.
pub struct OrderRandomness;
impl Randomness<Hash, BlockNumber> for OrderRandomness {
    fn random(subject: &[u8]) -> (Hash, BlockNumber) {
        (hash_bytes(Tag::Request, subject), OrderKnownSince::get())
    }
}

/// See [`OrderRandomness`].
pub struct ProjectionRandomness;
impl Randomness<Hash, BlockNumber> for ProjectionRandomness {
    fn random(subject: &[u8]) -> (Hash, BlockNumber) {
        (
            hash_bytes(Tag::Request, subject),
            ProjectionKnownSince::get(),
        )
    }
}

impl pallet_compute::Config for Test {
    type RuntimeHoldReason = RuntimeHoldReason;
    type Currency = Balances;
    type Rulesets = TestRulesets;
    type Data = TestData;
    type Models = TestModels;
    type OrderRandomness = OrderRandomness;
    type ProjectionRandomness = ProjectionRandomness;
    type Treasury = TreasuryAccount;
    type JobDeposit = ConstU128<JOB_DEPOSIT>;
    #[cfg(feature = "runtime-benchmarks")]
    type BenchmarkHelper = TestBenchmarkHelper;
    type WeightInfo = crate::weights::SubstrateWeight<Test>;
}

/// Fills the fakes.
#[cfg(feature = "runtime-benchmarks")]
pub struct TestBenchmarkHelper;
#[cfg(feature = "runtime-benchmarks")]
impl crate::BenchmarkHelper for TestBenchmarkHelper {
    fn datanet(
        contributor: &AccountId,
        leaves: attribution_proof::merkle::Commitment,
    ) -> (DatanetId, ContributionId) {
        let datanet = Snapshots::get().len() as DatanetId;
        let contribution = Contributions::get().len() as ContributionId + 1;
        Snapshots::mutate(|snapshots| {
            snapshots.insert(
                datanet,
                Snapshot {
                    datanet,
                    length: 1,
                    head: Hash::zero(),
                    records: leaves.count,
                },
            )
        });
        TermsOf::mutate(|terms| terms.insert(datanet, Terms::FREE));
        Contributions::mutate(|contributions| {
            contributions.insert(
                contribution,
                ContributionView {
                    datanet,
                    index: 0,
                    records_before: 0,
                    leaves,
                    contributor: contributor.clone(),
                },
            )
        });
        (datanet, contribution)
    }

    fn base_model(_owner: &AccountId) -> ModelId {
        Bases::mutate(|bases| bases.insert(1, 0));
        1
    }

    fn set_randomness_known_since(since: BlockNumber) {
        OrderKnownSince::set(since);
        ProjectionKnownSince::set(since);
    }
}

/// Account number `n`.
pub(crate) fn account(n: u8) -> AccountId {
    AccountId::new([n; 32])
}

/// Externalities in block 1 with accounts 1 to 32 and the treasury funded, and nothing else known.
pub(crate) fn new_test_ext() -> sp_io::TestExternalities {
    CurrentRuleset::set(0);
    Snapshots::set(BTreeMap::new());
    TermsOf::set(BTreeMap::new());
    Contributions::set(BTreeMap::new());
    Tombstones::set(BTreeMap::new());
    Bases::set(BTreeMap::new());
    RegisteredModels::set(Vec::new());
    OrderKnownSince::set(0);
    ProjectionKnownSince::set(0);
    let mut storage = frame_system::GenesisConfig::<Test>::default()
        .build_storage()
        .unwrap();
    pallet_balances::GenesisConfig::<Test> {
        balances: (1..=32)
            .map(account)
            .chain([TreasuryAccount::get()])
            .map(|who| (who, MONEY))
            .collect(),
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
        Compute::do_try_state().unwrap();
        assert_eq!(Balances::total_issuance(), issuance);
    });
}

/// Lets `blocks` pass.
pub(crate) fn pass(blocks: BlockNumber) {
    System::set_block_number(System::block_number() + blocks);
}

/// The events of this pallet, oldest first, since the last call of this function.
pub(crate) fn events() -> Vec<pallet_compute::Event<Test>> {
    System::read_events_for_pallet::<pallet_compute::Event<Test>>()
}
