//! What people do with accounts: batches, accounts of several signatories, proxies, locked
//! allocations and names.

use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use frame_support::{
    parameter_types,
    traits::{ConstU32, InstanceFilter, WithdrawReasons},
};
use frame_system::EnsureRoot;
use pallet_identity::legacy::IdentityInfo;
use scale_info::TypeInfo;
use sp_runtime::traits::{BlakeTwo256, ConvertInto, Verify};

use crate::{
    constants::{
        currency::{deposit, UNIT},
        time::{period, DAYS},
    },
    AccountId, Balance, Balances, BlockNumber, OriginCaller, Runtime, RuntimeCall, RuntimeEvent,
    Signature, System, Treasury,
};

impl pallet_utility::Config for Runtime {
    type RuntimeEvent = RuntimeEvent;
    type RuntimeCall = RuntimeCall;
    type PalletsOrigin = OriginCaller;
    type WeightInfo = pallet_utility::weights::SubstrateWeight<Runtime>;
}

parameter_types! {
    /// Deposit for one pending operation: its key (32 + 32 bytes) and fixed part (24 bytes).
    pub const MultisigDepositBase: Balance = deposit(1, 88);
    /// Deposit for each signatory that the operation has to remember.
    pub const MultisigDepositFactor: Balance = deposit(0, 32);
}

impl pallet_multisig::Config for Runtime {
    type RuntimeEvent = RuntimeEvent;
    type RuntimeCall = RuntimeCall;
    type Currency = Balances;
    type DepositBase = MultisigDepositBase;
    type DepositFactor = MultisigDepositFactor;
    type MaxSignatories = ConstU32<100>;
    type WeightInfo = pallet_multisig::weights::SubstrateWeight<Runtime>;
    type BlockNumberProvider = System;
}

/// What an account may do for another that named it a proxy.
#[derive(
    Clone,
    Copy,
    Debug,
    Decode,
    DecodeWithMemTracking,
    Default,
    Encode,
    Eq,
    MaxEncodedLen,
    Ord,
    PartialEq,
    PartialOrd,
    TypeInfo,
)]
pub enum ProxyType {
    /// Everything.
    #[codec(index = 0)]
    #[default]
    Any,
    /// Everything but moving money to others.
    #[codec(index = 1)]
    NonTransfer,
    /// Voting, referenda, the treasury and bounties.
    #[codec(index = 2)]
    Governance,
    /// Deciding as a curator which contributions a Datanet takes.
    #[codec(index = 3)]
    Curation,
    /// What an operator's worker signs by itself: jobs, claims of channels, settlements, challenges
    /// and answers to them. Its bond and its registration stay with the account's own key.
    #[codec(index = 4)]
    Operator,
    /// Validating and nominating.
    #[codec(index = 5)]
    Staking,
    /// Cancelling what another proxy announced.
    #[codec(index = 6)]
    CancelProxy,
}

impl InstanceFilter<RuntimeCall> for ProxyType {
    fn filter(&self, call: &RuntimeCall) -> bool {
        // A batch is looked into: each of its calls passes the filter again.
        match self {
            Self::Any => true,
            Self::NonTransfer => !matches!(
                call,
                RuntimeCall::Balances(..)
                    | RuntimeCall::Vesting(pallet_vesting::Call::vested_transfer { .. })
                    | RuntimeCall::Channels(pallet_channels::Call::open { .. })
                    | RuntimeCall::Channels(pallet_channels::Call::top_up { .. })
            ),
            Self::Governance => matches!(
                call,
                RuntimeCall::ConvictionVoting(..)
                    | RuntimeCall::Referenda(..)
                    | RuntimeCall::Preimage(..)
                    | RuntimeCall::Treasury(..)
                    | RuntimeCall::Bounties(..)
                    | RuntimeCall::ChildBounties(..)
                    | RuntimeCall::Guardians(..)
                    | RuntimeCall::GuardianReferenda(..)
                    | RuntimeCall::Whitelist(..)
                    | RuntimeCall::Utility(..)
            ),
            Self::Curation => matches!(
                call,
                RuntimeCall::Datanets(pallet_datanets::Call::vote { .. })
                    | RuntimeCall::Datanets(pallet_datanets::Call::accept { .. })
                    | RuntimeCall::Datanets(pallet_datanets::Call::lapse { .. })
                    | RuntimeCall::Utility(..)
            ),
            Self::Operator => is_operators_work(call),
            Self::Staking => matches!(
                call,
                RuntimeCall::Staking(..)
                    | RuntimeCall::Session(..)
                    | RuntimeCall::VoterList(..)
                    | RuntimeCall::Utility(..)
            ),
            Self::CancelProxy => matches!(
                call,
                RuntimeCall::Proxy(pallet_proxy::Call::reject_announcement { .. })
            ),
        }
    }

    fn is_superset(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Any, _) => true,
            (_, Self::Any) => false,
            (Self::NonTransfer, _) => true,
            (left, right) => left == right,
        }
    }
}

/// The calls that a worker sends by itself.
fn is_operators_work(call: &RuntimeCall) -> bool {
    use pallet_attribution::Call as Attribution;
    use pallet_channels::Call as Channels;
    use pallet_compute::Call as Compute;

    match call {
        RuntimeCall::Compute(call) => matches!(
            call,
            Compute::take_job { .. }
                | Compute::draw_order_seed { .. }
                | Compute::submit_transcript { .. }
                | Compute::draw_projection_seed { .. }
                | Compute::submit_index { .. }
                | Compute::finalise_job { .. }
                | Compute::drain { .. }
        ),
        RuntimeCall::Channels(call) => matches!(call, Channels::close_as_payee { .. }),
        RuntimeCall::Attribution(call) => matches!(
            call,
            Attribution::settle { .. }
                | Attribution::finalise { .. }
                | Attribution::pay { .. }
                | Attribution::sweep { .. }
                | Attribution::answer { .. }
        ),
        RuntimeCall::Datanets(call) => {
            matches!(call, pallet_datanets::Call::answer_demand { .. })
        }
        RuntimeCall::Utility(..) => true,
        _ => false,
    }
}

parameter_types! {
    /// Deposit of an account that has proxies.
    pub const ProxyDepositBase: Balance = deposit(1, 8);
    /// Deposit for each proxy: its account, type and delay.
    pub const ProxyDepositFactor: Balance = deposit(0, 37);
    /// Deposit of a proxy that has announced calls.
    pub const AnnouncementDepositBase: Balance = deposit(1, 8);
    /// Deposit for each announced call: account, hash and block.
    pub const AnnouncementDepositFactor: Balance = deposit(0, 68);
}

impl pallet_proxy::Config for Runtime {
    type RuntimeEvent = RuntimeEvent;
    type RuntimeCall = RuntimeCall;
    type Currency = Balances;
    type ProxyType = ProxyType;
    type ProxyDepositBase = ProxyDepositBase;
    type ProxyDepositFactor = ProxyDepositFactor;
    type MaxProxies = ConstU32<32>;
    type WeightInfo = pallet_proxy::weights::SubstrateWeight<Runtime>;
    type MaxPending = ConstU32<32>;
    type CallHasher = BlakeTwo256;
    type AnnouncementDepositBase = AnnouncementDepositBase;
    type AnnouncementDepositFactor = AnnouncementDepositFactor;
    type BlockNumberProvider = System;
}

parameter_types! {
    /// The least that can be transferred with a vesting schedule.
    pub const MinimumVestedTransfer: Balance = UNIT;
    /// What is not vested yet can be staked and voted with, but neither transferred nor spent on fees.
    pub UnvestedFundsAllowedWithdrawReasons: WithdrawReasons =
        WithdrawReasons::except(WithdrawReasons::TRANSFER | WithdrawReasons::RESERVE);
}

impl pallet_vesting::Config for Runtime {
    type RuntimeEvent = RuntimeEvent;
    type Currency = Balances;
    type BlockNumberToBalance = ConvertInto;
    type MinVestedTransfer = MinimumVestedTransfer;
    type WeightInfo = pallet_vesting::weights::SubstrateWeight<Runtime>;
    type UnvestedFundsAllowedWithdrawReasons = UnvestedFundsAllowedWithdrawReasons;
    type BlockNumberProvider = System;
    const MAX_VESTING_SCHEDULES: u32 = 28;
}

parameter_types! {
    /// Deposit for an identity, whatever it says.
    pub const IdentityBasicDeposit: Balance = deposit(1, 258);
    /// Deposit for each byte of an identity.
    pub const IdentityByteDeposit: Balance = deposit(0, 1);
    /// Deposit for each account that is said to belong to another.
    pub const SubAccountDeposit: Balance = deposit(1, 53);
    /// Deposit for a name that an authority gives.
    pub const UsernameDeposit: Balance = deposit(1, 64);
    /// A name that its account has not accepted lapses after this time.
    pub const PendingUsernameExpiration: BlockNumber = period(7 * DAYS, 20);
    /// A name that its authority takes back stays for this long.
    pub const UsernameGracePeriod: BlockNumber = period(30 * DAYS, 20);
}

impl pallet_identity::Config for Runtime {
    type RuntimeEvent = RuntimeEvent;
    type Currency = Balances;
    type BasicDeposit = IdentityBasicDeposit;
    type ByteDeposit = IdentityByteDeposit;
    type UsernameDeposit = UsernameDeposit;
    type SubAccountDeposit = SubAccountDeposit;
    type MaxSubAccounts = ConstU32<100>;
    type IdentityInformation = IdentityInfo<ConstU32<16>>;
    type MaxRegistrars = ConstU32<20>;
    type Slashed = Treasury;
    type ForceOrigin = EnsureRoot<AccountId>;
    type RegistrarOrigin = EnsureRoot<AccountId>;
    type OffchainSignature = Signature;
    type SigningPublicKey = <Signature as Verify>::Signer;
    type UsernameAuthorityOrigin = EnsureRoot<AccountId>;
    type PendingUsernameExpiration = PendingUsernameExpiration;
    type UsernameGracePeriod = UsernameGracePeriod;
    type MaxSuffixLength = ConstU32<7>;
    type MaxUsernameLength = ConstU32<32>;
    #[cfg(feature = "runtime-benchmarks")]
    type BenchmarkHelper = ();
    type WeightInfo = pallet_identity::weights::SubstrateWeight<Runtime>;
}
