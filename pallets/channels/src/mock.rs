//! A runtime with balances and this pallet. Rulesets and operators, which belong to other pallets,
//! are kept in storage of their own, so that they roll back with everything else.

#![allow(
    unreachable_pub,
    reason = "types that stand in a runtime's configuration have to be public"
)]

use attribution_proof::{
    ruleset::{ComputeRules, DataRules, ReceiptRules, Ruleset, Rulesets, SettlementRules},
    split::SplitRule,
    voucher::{SignedVoucher, Voucher},
    AccountId, Balance, BlockNumber, ChannelId, RulesetId,
};
use frame_support::{
    derive_impl, parameter_types, storage_alias,
    traits::{fungible::InspectHold, ConstU128, VariantCountOf},
    Twox64Concat,
};
use sp_core::{Pair, H256};
use sp_keyring::Sr25519Keyring;
use sp_runtime::{traits::IdentityLookup, BuildStorage, MultiSignature};

use crate as pallet_channels;
use crate::{Channel, ChannelsOfPayee, HoldReason, Operators};

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
    pub type Channels = pallet_channels;
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

parameter_types! {
    pub const MinimumDeposit: Balance = MINIMUM_DEPOSIT;
}

impl pallet_channels::Config for Test {
    type Currency = Balances;
    type RuntimeHoldReason = RuntimeHoldReason;
    type Rulesets = StoredRulesets;
    type Operators = StoredOperators;
    type MinimumDeposit = MinimumDeposit;
    type WeightInfo = crate::weights::SubstrateWeight<Test>;
    #[cfg(feature = "runtime-benchmarks")]
    type BenchmarkHelper = BenchmarkKeys;
}

pub(crate) const EXISTENTIAL_DEPOSIT: Balance = 10;
pub(crate) const MINIMUM_DEPOSIT: Balance = 100;
/// Free balance of every account at genesis.
pub(crate) const ENDOWMENT: Balance = 10_000;
/// Dispute period of ruleset 0, in blocks.
pub(crate) const DISPUTE_PERIOD: BlockNumber = 20;
/// Dispute period of ruleset 1, in blocks.
pub(crate) const OTHER_DISPUTE_PERIOD: BlockNumber = 50;

/// The number of the current ruleset.
#[storage_alias]
type CurrentRuleset = StorageValue<Mock, RulesetId, frame_support::pallet_prelude::ValueQuery>;
/// Operators that take new channels.
#[storage_alias]
type Serving = StorageMap<Mock, Twox64Concat, AccountId, ()>;
/// Open channels of each operator, as he was told.
#[storage_alias]
type OpenChannels =
    StorageMap<Mock, Twox64Concat, AccountId, u32, frame_support::pallet_prelude::ValueQuery>;

pub struct StoredRulesets;

impl StoredRulesets {
    pub(crate) fn set_current(id: RulesetId) {
        CurrentRuleset::put(id);
    }
}

impl Rulesets for StoredRulesets {
    fn get(id: RulesetId) -> Option<Ruleset> {
        match id {
            0 => Some(ruleset(DISPUTE_PERIOD)),
            1 => Some(ruleset(OTHER_DISPUTE_PERIOD)),
            _ => None,
        }
    }

    fn current() -> (RulesetId, Ruleset) {
        let id = CurrentRuleset::get();
        (id, Self::get(id).expect("tests set known rulesets only"))
    }
}

fn ruleset(dispute_period: BlockNumber) -> Ruleset {
    let ruleset = Ruleset {
        data: DataRules {
            contribution_window: 10,
            contribution_stake: 10,
            record_stake: 1,
            curator_stake: 10,
            minimum_record_bytes: 256,
            duplicate_threshold: 200_000_000,
        },
        compute: ComputeRules {
            operator_bond: 1_000,
            job_stake: 100,
            take_deadline: 10,
            submit_deadline: 10,
            job_window: 10,
        },
        receipt: ReceiptRules {
            top_k: 16,
            floor_numerator: 1,
            floor_denominator: 25,
            minimum_span: 32,
            span_weight_cap: 256,
            influence_mix: 500_000_000,
        },
        settlement: SettlementRules {
            settlement_window: 30,
            dispute_period,
            challenge_bond: 10,
            demand_bond: 10,
            demand_window: 10,
            lie_slash: 100,
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
    ruleset
        .validate()
        .expect("the rulesets of the tests are valid");
    ruleset
}

pub struct StoredOperators;

impl StoredOperators {
    /// Lets `operator` take new channels, or no longer.
    pub(crate) fn set_serving(operator: &AccountId, serving: bool) {
        if serving {
            Serving::insert(operator, ());
        } else {
            Serving::remove(operator);
        }
    }
}

impl Operators for StoredOperators {
    fn may_open(operator: &AccountId, _: &Ruleset) -> bool {
        Serving::contains_key(operator)
    }

    fn channel_opened(operator: &AccountId) {
        OpenChannels::mutate(operator, |channels| *channels += 1);
    }

    fn channel_closed(operator: &AccountId) {
        OpenChannels::mutate(operator, |channels| {
            *channels = channels.checked_sub(1).expect("closed only once");
        });
    }
}

#[cfg(feature = "runtime-benchmarks")]
pub struct BenchmarkKeys;

#[cfg(feature = "runtime-benchmarks")]
impl BenchmarkKeys {
    fn pair() -> sp_core::ecdsa::Pair {
        sp_core::ecdsa::Pair::from_seed(&[7; 32])
    }
}

#[cfg(feature = "runtime-benchmarks")]
impl crate::BenchmarkHelper for BenchmarkKeys {
    fn operator() -> AccountId {
        let operator = ecdsa_account(&Self::pair());
        StoredOperators::set_serving(&operator, true);
        operator
    }

    fn sign(operator: &AccountId, payload: &[u8]) -> MultiSignature {
        assert_eq!(*operator, ecdsa_account(&Self::pair()));
        MultiSignature::Ecdsa(Self::pair().sign(payload))
    }
}

/// The account of an ECDSA key.
pub(crate) fn ecdsa_account(pair: &sp_core::ecdsa::Pair) -> AccountId {
    use sp_runtime::traits::IdentifyAccount;
    sp_runtime::MultiSigner::Ecdsa(pair.public()).into_account()
}

/// The payer of most tests.
pub(crate) fn alice() -> AccountId {
    Sr25519Keyring::Alice.to_account_id()
}

/// The operator of most tests.
pub(crate) fn bob() -> AccountId {
    Sr25519Keyring::Bob.to_account_id()
}

/// Somebody else: a second payer, an authorised signer, a stranger.
pub(crate) fn charlie() -> AccountId {
    Sr25519Keyring::Charlie.to_account_id()
}

/// A second operator.
pub(crate) fn dave() -> AccountId {
    Sr25519Keyring::Dave.to_account_id()
}

/// Where claimed money goes.
pub(crate) fn pot() -> AccountId {
    AccountId::new([0xee; 32])
}

/// The genesis hash of the test chain.
pub(crate) fn genesis() -> H256 {
    System::block_hash(0)
}

/// The endowed accounts.
pub(crate) fn endowed() -> [AccountId; 5] {
    [alice(), bob(), charlie(), dave(), pot()]
}

/// Storage at block 1: everybody endowed, Bob and Dave serving.
pub(crate) fn new_test_ext() -> sp_io::TestExternalities {
    let mut storage = frame_system::GenesisConfig::<Test>::default()
        .build_storage()
        .expect("the default genesis of the system builds");
    pallet_balances::GenesisConfig::<Test> {
        balances: endowed().map(|account| (account, ENDOWMENT)).to_vec(),
        ..Default::default()
    }
    .assimilate_storage(&mut storage)
    .expect("distinct accounts above the existential deposit");
    let mut externalities = sp_io::TestExternalities::from(storage);
    externalities.execute_with(|| {
        System::set_block_number(1);
        StoredOperators::set_serving(&bob(), true);
        StoredOperators::set_serving(&dave(), true);
    });
    externalities
}

/// Runs a test on a new chain and then checks every invariant.
pub(crate) fn build_and_execute(test: impl FnOnce()) {
    new_test_ext().execute_with(|| {
        test();
        check_invariants();
    });
}

/// The pallet's own invariants, and that operators were told of exactly the channels they have.
pub(crate) fn check_invariants() {
    Channels::do_try_state().expect("the books are right");
    for operator in endowed() {
        assert_eq!(
            OpenChannels::get(&operator) as usize,
            ChannelsOfPayee::<Test>::iter_key_prefix(&operator).count(),
            "an operator knows of as many channels as he has"
        );
    }
}

/// What is held of `who` for channels.
pub(crate) fn held(who: &AccountId) -> Balance {
    Balances::balance_on_hold(&HoldReason::ChannelDeposit.into(), who)
}

/// The channel, which has to be open.
pub(crate) fn stored(id: ChannelId) -> Channel {
    Channels::channel(id).expect("the channel is open")
}

/// Opens channel 1 from Alice to Bob with a deposit of 1,000 that expires at block 100.
pub(crate) fn open_channel() -> ChannelId {
    frame_support::assert_ok!(Channels::open(
        RuntimeOrigin::signed(alice()),
        bob(),
        None,
        1_000,
        100
    ));
    pallet_channels::NextChannel::<Test>::get() - 1
}

/// A voucher, unsigned.
pub(crate) fn voucher(channel: ChannelId, sequence: u64, cumulative: Balance) -> Voucher {
    Voucher {
        genesis: genesis(),
        channel,
        sequence,
        cumulative,
        receipt: H256::repeat_byte(sequence as u8),
    }
}

/// A voucher signed raw by `signer`.
pub(crate) fn signed(voucher: Voucher, signer: Sr25519Keyring) -> SignedVoucher {
    SignedVoucher {
        voucher,
        signature: signer.sign(&voucher.payload()).into(),
    }
}

/// `payload` as wallets wrap it before they sign.
pub(crate) fn wrapped(payload: &[u8]) -> Vec<u8> {
    [b"<Bytes>".as_slice(), payload, b"</Bytes>"].concat()
}

/// A signature of `signer` over wrapped bytes.
pub(crate) fn sign_wrapped(signer: Sr25519Keyring, payload: &[u8]) -> MultiSignature {
    MultiSignature::Sr25519(signer.pair().sign(&wrapped(payload)))
}
