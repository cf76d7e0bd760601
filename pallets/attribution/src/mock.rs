//! A runtime with balances and this pallet. Channels, operators, models and data, which belong to other
//! pallets, are kept in storage of their own, so that they roll back with everything else.

#![allow(
    unreachable_pub,
    reason = "types that stand in a runtime's configuration have to be public"
)]

use crate as pallet_attribution;
use crate::{
    Channels, ClaimedVoucher, ContributionView, Data, HoldReason, Lineage, Models, Operators,
    Pallet,
};
use attribution_proof::{
    challenge::Mark,
    model::{Manifest, ModelKind},
    ruleset::{ComputeRules, DataRules, ReceiptRules, Ruleset, SettlementRules},
    split::{portion, Builders, Parts, SplitRule},
    voucher::SignedVoucher,
    AccountId, Balance, BlockNumber, ChannelId, ContributionId, ModelId, RulesetId,
};
use codec::{Decode, Encode};
use frame_support::{
    derive_impl, ensure,
    pallet_prelude::ValueQuery,
    parameter_types, storage_alias,
    traits::{
        fungible::{Inspect, InspectHold, Mutate},
        tokens::Preservation,
        ConstU128, VariantCountOf,
    },
    Blake2_128Concat, PalletId, Twox64Concat,
};
use frame_system::EnsureRoot;
use sp_core::{sr25519::Pair, Pair as _};
use sp_keyring::Sr25519Keyring;
use sp_runtime::{traits::IdentityLookup, BuildStorage, DispatchError, MultiSignature};

use std::{
    collections::BTreeMap,
    sync::{Mutex, PoisonError},
};

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
    pub type Attribution = pallet_attribution;
}

#[derive_impl(frame_system::config_preludes::TestDefaultConfig)]
impl frame_system::Config for Test {
    type AccountId = AccountId;
    type Lookup = IdentityLookup<AccountId>;
    type Block = Block;
    type AccountData = pallet_balances::AccountData<Balance>;
}

#[derive_impl(pallet_balances::config_preludes::TestDefaultConfig)]
impl pallet_balances::Config for Test {
    type Balance = Balance;
    type ExistentialDeposit = ConstU128<EXISTENTIAL_DEPOSIT>;
    type AccountStore = System;
    type MaxFreezes = VariantCountOf<RuntimeFreezeReason>;
}

/// One OPEN, small enough that rounding shows.
pub(crate) const UNIT: Balance = 1_000_000;
pub(crate) const EXISTENTIAL_DEPOSIT: Balance = 1_000;
/// Free balance of every keyring account at genesis.
pub(crate) const ENDOWMENT: Balance = 1_000 * UNIT;
/// Bond of the operator at genesis.
pub(crate) const BOND: Balance = 1_000 * UNIT;
pub(crate) const SETTLEMENT_WINDOW: BlockNumber = 20;
pub(crate) const DEMAND_WINDOW: BlockNumber = 10;
pub(crate) const PAYOUT_PERIOD: BlockNumber = 100;
pub(crate) const CHALLENGE_BOND: Balance = 3 * UNIT;
pub(crate) const DEMAND_BOND: Balance = 2 * UNIT;
pub(crate) const LIE_SLASH: Balance = 40 * UNIT;
pub(crate) const CHALLENGER_REWARD: Parts = 400_000_000;

pub(crate) const TREASURY: AccountId = AccountId::new([100; 32]);
pub(crate) const STAKERS_POT: AccountId = AccountId::new([101; 32]);
/// Where deposits of channels and bonds of operators lie.
pub(crate) const VAULT: AccountId = AccountId::new([102; 32]);

/// The first ruleset.
pub(crate) const RULESET: Ruleset = Ruleset {
    data: DataRules {
        contribution_window: 10,
        contribution_stake: 10,
        record_stake: 1,
        curator_stake: 10,
        minimum_record_bytes: 256,
        duplicate_threshold: 200_000_000,
    },
    compute: ComputeRules {
        operator_bond: BOND,
        job_stake: UNIT,
        take_deadline: 10,
        submit_deadline: 10,
        job_window: 10,
    },
    receipt: ReceiptRules {
        top_k: 3,
        floor_numerator: 1,
        floor_denominator: 100,
        minimum_span: 16,
        span_weight_cap: 48,
        influence_mix: 600_000_000,
    },
    settlement: SettlementRules {
        settlement_window: SETTLEMENT_WINDOW,
        dispute_period: 30,
        challenge_bond: CHALLENGE_BOND,
        demand_bond: DEMAND_BOND,
        demand_window: DEMAND_WINDOW,
        lie_slash: LIE_SLASH,
        challenger_reward: CHALLENGER_REWARD,
    },
    split: SplitRule {
        operator: 500_000_000,
        builder: 200_000_000,
        data: 200_000_000,
        stakers: 50_000_000,
        treasury: 50_000_000,
    },
};

parameter_types! {
    pub const InitialRuleset: Ruleset = RULESET;
    pub const AttributionPalletId: PalletId = PalletId(*b"ol/attrb");
    pub const PayoutPeriod: BlockNumber = PAYOUT_PERIOD;
    pub TreasuryAccount: AccountId = TREASURY;
    pub StakersPotAccount: AccountId = STAKERS_POT;
}

impl pallet_attribution::Config for Test {
    type Currency = Balances;
    type RuntimeHoldReason = RuntimeHoldReason;
    type Channels = Stored;
    type Operators = Stored;
    type Models = Stored;
    type Data = Stored;
    type RulesetOrigin = EnsureRoot<AccountId>;
    type InitialRuleset = InitialRuleset;
    type PalletId = AttributionPalletId;
    type Treasury = TreasuryAccount;
    type StakersPot = StakersPotAccount;
    type PayoutPeriod = PayoutPeriod;
    type WeightInfo = crate::weights::SubstrateWeight<Test>;
    #[cfg(feature = "runtime-benchmarks")]
    type BenchmarkHelper = Stored;
}

/// A channel, as far as settlements see it.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub(crate) struct StoredChannel {
    pub(crate) payer: AccountId,
    pub(crate) payee: AccountId,
    pub(crate) deposit: Balance,
    pub(crate) ruleset: RulesetId,
    pub(crate) mark: Mark,
}

#[storage_alias]
pub(crate) type StoredChannels = StorageMap<Mock, Twox64Concat, ChannelId, StoredChannel>;
#[storage_alias]
pub(crate) type Bonds = StorageMap<Mock, Blake2_128Concat, AccountId, Balance, ValueQuery>;
#[storage_alias]
pub(crate) type LiableUntil =
    StorageMap<Mock, Blake2_128Concat, AccountId, BlockNumber, ValueQuery>;
#[storage_alias]
pub(crate) type Manifests = StorageMap<Mock, Twox64Concat, ModelId, (Manifest, Builders)>;
#[storage_alias]
pub(crate) type Strikes = StorageMap<Mock, Twox64Concat, ModelId, u32, ValueQuery>;
#[storage_alias]
pub(crate) type Contributions = StorageMap<Mock, Twox64Concat, ContributionId, ContributionView>;
/// Tombstones by contribution and record; no record stands for the whole contribution.
#[storage_alias]
pub(crate) type Tombstones =
    StorageMap<Mock, Twox64Concat, (ContributionId, Option<u32>), BlockNumber>;

/// What the other pallets store.
pub struct Stored;

impl Channels for Stored {
    fn claim(
        payee: &AccountId,
        voucher: &SignedVoucher,
        to: &AccountId,
    ) -> Result<ClaimedVoucher, DispatchError> {
        let promise = voucher.voucher;
        let mut channel =
            StoredChannels::get(promise.channel).ok_or(DispatchError::Other("no such channel"))?;
        ensure!(channel.payee == *payee, "not the payee");
        ensure!(
            voucher.is_signed_by(&channel.payer),
            "not signed by the payer"
        );
        ensure!(
            promise.sequence > channel.mark.sequence
                && promise.cumulative > channel.mark.cumulative,
            "spent"
        );
        let amount = promise.cumulative - channel.mark.cumulative;
        channel.deposit = channel
            .deposit
            .checked_sub(amount)
            .ok_or(DispatchError::Other("over the deposit"))?;
        Balances::transfer(&VAULT, to, amount, Preservation::Preserve)?;
        let from = channel.mark;
        channel.mark = Mark {
            sequence: promise.sequence,
            cumulative: promise.cumulative,
            receipt: promise.receipt,
        };
        StoredChannels::insert(promise.channel, &channel);
        Ok(ClaimedVoucher {
            channel: promise.channel,
            payer: channel.payer,
            ruleset: channel.ruleset,
            from,
            to: channel.mark,
            amount,
        })
    }
}

impl Operators for Stored {
    fn bond(operator: &AccountId) -> Balance {
        Bonds::get(operator)
    }

    fn slash(
        operator: &AccountId,
        amount: Balance,
        reward_to: Option<&AccountId>,
        reward: Parts,
    ) -> Balance {
        let slashed = amount.min(Bonds::get(operator));
        Bonds::mutate(operator, |bond| *bond -= slashed);
        let part = reward_to.map_or(0, |_| portion(slashed, reward));
        if let Some(account) = reward_to.filter(|_| part > 0) {
            Balances::transfer(&VAULT, account, part, Preservation::Preserve).unwrap();
        }
        Balances::transfer(&VAULT, &TREASURY, slashed - part, Preservation::Preserve).unwrap();
        slashed
    }

    fn extend_liability(operator: &AccountId, until: BlockNumber) {
        LiableUntil::mutate(operator, |block| *block = until.max(*block));
    }
}

impl Models for Stored {
    fn manifest(model: ModelId) -> Option<Manifest> {
        Manifests::get(model).map(|(manifest, _)| manifest)
    }

    fn builders(model: ModelId) -> Option<Builders> {
        Manifests::get(model).map(|(_, builders)| builders)
    }

    fn lineage(model: ModelId) -> Lineage {
        let base = Self::manifest(model).map(|manifest| match manifest.kind {
            ModelKind::Base => vec![model],
            ModelKind::Adapter { base } => vec![model, base],
        });
        Lineage::truncate_from(base.unwrap_or_default())
    }

    fn strike(model: ModelId) {
        Strikes::mutate(model, |strikes| *strikes += 1);
    }
}

impl Data for Stored {
    fn contribution(contribution: ContributionId) -> Option<ContributionView> {
        Contributions::get(contribution)
    }

    fn tombstoned_at(contribution: ContributionId, record: u32) -> Option<BlockNumber> {
        let whole = Tombstones::get((contribution, None::<u32>));
        let one = Tombstones::get((contribution, Some(record)));
        whole.into_iter().chain(one).min()
    }

    fn payee(contribution: ContributionId) -> Option<AccountId> {
        if Tombstones::contains_key((contribution, None::<u32>)) {
            return None;
        }
        Contributions::get(contribution).map(|view| view.contributor)
    }
}

/// The operator of all tests.
pub(crate) fn operator() -> AccountId {
    Sr25519Keyring::Alice.to_account_id()
}

/// The payer of all tests.
pub(crate) fn payer() -> AccountId {
    Sr25519Keyring::Bob.to_account_id()
}

/// Somebody who looks closely.
pub(crate) fn challenger() -> AccountId {
    Sr25519Keyring::Two.to_account_id()
}

pub(crate) fn sign(who: Sr25519Keyring, payload: &[u8]) -> MultiSignature {
    // Deriving a pair takes thousands of hashes: once for each key and all tests.
    static PAIRS: Mutex<BTreeMap<[u8; 32], Pair>> = Mutex::new(BTreeMap::new());
    let mut pairs = PAIRS.lock().unwrap_or_else(PoisonError::into_inner);
    let pair = pairs
        .entry(who.to_raw_public())
        .or_insert_with(|| who.pair());
    MultiSignature::Sr25519(pair.sign(payload))
}

/// Opens a channel between payer and operator.
pub(crate) fn open_channel(id: ChannelId, deposit: Balance, ruleset: RulesetId) {
    Balances::transfer(&payer(), &VAULT, deposit, Preservation::Preserve).unwrap();
    let channel = StoredChannel {
        payer: payer(),
        payee: operator(),
        deposit,
        ruleset,
        mark: Mark::default(),
    };
    StoredChannels::insert(id, channel);
}

pub(crate) fn bonded(who: &AccountId) -> Balance {
    Balances::balance_on_hold(&HoldReason::DemandBond.into(), who)
}

pub(crate) fn free(who: &AccountId) -> Balance {
    Balances::balance(who)
}

pub(crate) fn advance(blocks: BlockNumber) {
    System::set_block_number(System::block_number() + blocks);
}

pub(crate) fn externalities() -> sp_io::TestExternalities {
    let mut storage = frame_system::GenesisConfig::<Test>::default()
        .build_storage()
        .unwrap();
    let pot = Pallet::<Test>::pot_account();
    let accounts = Sr25519Keyring::iter().map(|key| (key.to_account_id(), ENDOWMENT));
    let own = [pot, TREASURY, STAKERS_POT].map(|account| (account, EXISTENTIAL_DEPOSIT));
    pallet_balances::GenesisConfig::<Test> {
        balances: accounts
            .chain(own)
            .chain([(VAULT, EXISTENTIAL_DEPOSIT + BOND)])
            .collect(),
        ..Default::default()
    }
    .assimilate_storage(&mut storage)
    .unwrap();
    pallet_attribution::GenesisConfig::<Test>::default()
        .assimilate_storage(&mut storage)
        .unwrap();
    let mut externalities: sp_io::TestExternalities = storage.into();
    externalities.execute_with(|| {
        System::set_block_number(1);
        Bonds::insert(operator(), BOND);
    });
    externalities
}

/// Runs a test from genesis and checks the books, to the last base unit, after it.
pub(crate) fn execute(test: impl FnOnce()) {
    externalities().execute_with(|| {
        let issued = Balances::total_issuance();
        test();
        check_books(issued);
    });
}

/// Invariants, no money made or lost, and a pot that holds exactly what is owed.
pub(crate) fn check_books(issued: Balance) {
    Attribution::do_try_state().expect("every invariant holds");
    assert_eq!(Balances::total_issuance(), issued, "money was made or lost");
    assert_eq!(
        free(&Attribution::pot_account()),
        EXISTENTIAL_DEPOSIT + Attribution::owed(),
        "the pot differs from the books"
    );
    let deposits: Balance = StoredChannels::iter_values()
        .map(|channel| channel.deposit)
        .sum();
    let bonds: Balance = Bonds::iter_values().sum();
    assert_eq!(
        free(&VAULT),
        EXISTENTIAL_DEPOSIT + deposits + bonds,
        "the vault is inconsistent"
    );
}

/// The events of the pallet since the last call.
pub(crate) fn events() -> Vec<crate::Event<Test>> {
    let events = System::read_events_for_pallet::<crate::Event<Test>>();
    System::reset_events();
    events
}

#[cfg(feature = "runtime-benchmarks")]
impl crate::BenchmarkHelper for Stored {
    fn signer() -> AccountId {
        operator()
    }

    fn sign(payload: &[u8]) -> MultiSignature {
        sign(Sr25519Keyring::Alice, payload)
    }

    fn open_channel(payer: &AccountId, payee: &AccountId, deposit: Balance) -> ChannelId {
        Balances::transfer(payer, &VAULT, deposit, Preservation::Preserve).unwrap();
        let channel = StoredChannel {
            // Whose signature counts.
            payer: operator(),
            payee: payee.clone(),
            deposit,
            ruleset: Attribution::current_ruleset().0,
            mark: Mark::default(),
        };
        StoredChannels::insert(1, channel);
        1
    }

    fn bond_operator(operator: &AccountId, bond: Balance) {
        Bonds::insert(operator, bond);
    }

    fn insert_model(manifest: Manifest, builders: Builders) -> ModelId {
        let id = Manifests::iter().count() as ModelId + 1;
        Manifests::insert(id, (manifest, builders));
        id
    }

    fn insert_contribution(contribution: ContributionView) -> ContributionId {
        let id = Contributions::iter().count() as ContributionId + 1;
        Contributions::insert(id, contribution);
        id
    }
}
