//! Referenda, voting, the guardians, the treasury and its bounties, and the pause switch.

use frame_support::{
    parameter_types,
    traits::{
        tokens::{PayFromAccount, UnityAssetBalanceConversion},
        ConstU32, Contains, EitherOf, NeverEnsureOrigin as EnsureNever,
    },
    PalletId,
};
use frame_system::{EnsureRoot, EnsureRootWithSuccess, EnsureSigned};
use pallet_ranked_collective::{Rank, Votes};
use pallet_tx_pause::RuntimeCallNameOf;
use sp_runtime::{
    traits::{Convert, IdentityLookup, MaybeConvert},
    Permill,
};

use super::rewards::{TreasuryAccount, VotableIssuance};
use crate::{
    constants::{
        currency::{deposit, UNIT},
        time::{period, DAYS},
    },
    governance::{
        pallet_governance_origins, EnsureGuardians, EnsureWhitelistedCaller, GuardianTracksInfo,
        Spender, TracksInfo,
    },
    AccountId, Balance, Balances, BlockNumber, Bounties, ChildBounties, GuardianReferenda,
    GuardianReferendaInstance, Preimage, Referenda, Runtime, RuntimeCall, RuntimeEvent, Scheduler,
    System, Treasury,
};

parameter_types! {
    /// How long a vote without extra conviction stays locked, at least the longest time in which
    /// what was voted for takes effect. Each step of conviction doubles it.
    pub const VoteLockingPeriod: BlockNumber = period(7 * DAYS, 10);
    /// Deposit for submitting a proposal.
    pub const SubmissionDeposit: Balance = 10 * UNIT;
    /// A referendum that nobody pays the decision deposit for lapses after this time.
    pub const UndecidingTimeout: BlockNumber = period(14 * DAYS, 200);
    /// Referenda change state by themselves at multiples of this many blocks.
    pub const AlarmInterval: BlockNumber = 1;
}

impl pallet_conviction_voting::Config for Runtime {
    type RuntimeEvent = RuntimeEvent;
    type WeightInfo = pallet_conviction_voting::weights::SubstrateWeight<Runtime>;
    type Currency = Balances;
    type Polls = Referenda;
    type MaxTurnout = VotableIssuance;
    type MaxVotes = ConstU32<256>;
    type VoteLockingPeriod = VoteLockingPeriod;
    type BlockNumberProvider = System;
    type VotingHooks = ();
}

impl pallet_referenda::Config for Runtime {
    type RuntimeCall = RuntimeCall;
    type RuntimeEvent = RuntimeEvent;
    type WeightInfo = pallet_referenda::weights::SubstrateWeight<Runtime>;
    type Scheduler = Scheduler;
    type Currency = Balances;
    type SubmitOrigin = EnsureSigned<AccountId>;
    type CancelOrigin = EnsureRoot<AccountId>;
    type KillOrigin = EnsureRoot<AccountId>;
    type Slash = Treasury;
    type Votes = pallet_conviction_voting::VotesOf<Runtime>;
    type Tally = pallet_conviction_voting::TallyOf<Runtime>;
    type SubmissionDeposit = SubmissionDeposit;
    type MaxQueued = ConstU32<100>;
    type UndecidingTimeout = UndecidingTimeout;
    type AlarmInterval = AlarmInterval;
    type Tracks = TracksInfo;
    type Preimages = Preimage;
    type BlockNumberProvider = System;
}

impl pallet_governance_origins::Config for Runtime {}

/// Everybody in the collective is a guardian.
pub struct AnyRank;

impl Convert<u16, Rank> for AnyRank {
    fn convert(_: u16) -> Rank {
        0
    }
}

/// The guardians: people whom referenda chose to say, within minutes, that something is urgent. They
/// whitelist calls; holders still vote on those, only sooner.
impl pallet_ranked_collective::Config for Runtime {
    type WeightInfo = pallet_ranked_collective::weights::SubstrateWeight<Runtime>;
    type RuntimeEvent = RuntimeEvent;
    type AddOrigin = EnsureRoot<AccountId>;
    type RemoveOrigin = EnsureRootWithSuccess<AccountId, HighestRank>;
    // Nobody is above anybody.
    type PromoteOrigin = EnsureNever<Rank>;
    type DemoteOrigin = EnsureRootWithSuccess<AccountId, HighestRank>;
    type ExchangeOrigin = EnsureRoot<AccountId>;
    type Polls = GuardianReferenda;
    type MinRankOfClass = AnyRank;
    type MemberSwappedHandler = ();
    // Every guardian has one vote.
    type VoteWeight = pallet_ranked_collective::Unit;
    type MaxMemberCount = MostGuardians;
    #[cfg(feature = "runtime-benchmarks")]
    type BenchmarkSetup = ();
}

parameter_types! {
    /// Removing a guardian needs no rank.
    pub const HighestRank: Rank = Rank::MAX;
    /// Deposit for proposing to the guardians.
    pub const GuardianSubmissionDeposit: Balance = UNIT;
}

/// Guardians there may be, of every rank.
pub struct MostGuardians;

impl MaybeConvert<Rank, u32> for MostGuardians {
    fn maybe_convert(_: Rank) -> Option<u32> {
        Some(25)
    }
}

impl pallet_referenda::Config<GuardianReferendaInstance> for Runtime {
    type RuntimeCall = RuntimeCall;
    type RuntimeEvent = RuntimeEvent;
    type WeightInfo = pallet_referenda::weights::SubstrateWeight<Runtime>;
    type Scheduler = Scheduler;
    type Currency = Balances;
    type SubmitOrigin = pallet_ranked_collective::EnsureMember<Runtime, (), 0>;
    type CancelOrigin = EnsureRoot<AccountId>;
    type KillOrigin = EnsureRoot<AccountId>;
    type Slash = Treasury;
    type Votes = Votes;
    type Tally = pallet_ranked_collective::TallyOf<Runtime>;
    type SubmissionDeposit = GuardianSubmissionDeposit;
    type MaxQueued = ConstU32<20>;
    type UndecidingTimeout = UndecidingTimeout;
    type AlarmInterval = AlarmInterval;
    type Tracks = GuardianTracksInfo;
    type Preimages = Preimage;
    type BlockNumberProvider = System;
}

parameter_types! {
    /// A call that holders decided before the guardians whitelisted it waits for them this long.
    pub const DeferredDispatchExpiration: BlockNumber = period(7 * DAYS, 100);
}

impl pallet_whitelist::Config for Runtime {
    type RuntimeEvent = RuntimeEvent;
    type RuntimeCall = RuntimeCall;
    type WhitelistOrigin = EitherOf<EnsureRoot<AccountId>, EnsureGuardians>;
    type DispatchWhitelistedOrigin = EitherOf<EnsureRoot<AccountId>, EnsureWhitelistedCaller>;
    type Preimages = Preimage;
    type DeferredDispatchExpiration = DeferredDispatchExpiration;
    type BlockNumberProvider = System;
    type WeightInfo = pallet_whitelist::weights::SubstrateWeight<Runtime>;
}

/// Calls that nobody can pause: those by which people decide, and by which they take a decision back;
/// those that a block cannot do without; and those by which a lie is proven or an accusation answered,
/// since their windows do not stand still.
pub struct NeverPaused;

impl Contains<RuntimeCallNameOf<Runtime>> for NeverPaused {
    fn contains((pallet, call): &RuntimeCallNameOf<Runtime>) -> bool {
        const PALLETS: [&[u8]; 14] = [
            b"System",
            b"Timestamp",
            b"Preimage",
            b"Scheduler",
            b"TxPause",
            b"Babe",
            b"Session",
            b"Grandpa",
            b"ConvictionVoting",
            b"Referenda",
            b"Guardians",
            b"GuardianReferenda",
            b"Whitelist",
            b"Utility",
        ];
        const CALLS: [&[u8]; 2] = [b"challenge_", b"answer"];
        PALLETS.contains(&pallet.as_slice()) || CALLS.iter().any(|name| call.starts_with(name))
    }
}

impl pallet_tx_pause::Config for Runtime {
    type RuntimeEvent = RuntimeEvent;
    type RuntimeCall = RuntimeCall;
    type PauseOrigin = EnsureRoot<AccountId>;
    type UnpauseOrigin = EnsureRoot<AccountId>;
    type WhitelistedCalls = NeverPaused;
    type MaxNameLen = ConstU32<256>;
    type WeightInfo = pallet_tx_pause::weights::SubstrateWeight<Runtime>;
}

parameter_types! {
    /// Source of the treasury's account.
    pub const TreasuryPalletId: PalletId = PalletId(*b"ol/treas");
    /// Time between the treasury's payments of approved proposals.
    pub const SpendPeriod: BlockNumber = period(6 * DAYS, 10);
    /// The treasury never burns what it does not spend.
    pub const TreasuryBurn: Permill = Permill::zero();
    /// An approved payment can be claimed for this long.
    pub const TreasuryPayoutPeriod: BlockNumber = period(30 * DAYS, 200);
}

impl pallet_treasury::Config for Runtime {
    type Currency = Balances;
    type RejectOrigin = EnsureRoot<AccountId>;
    type RuntimeEvent = RuntimeEvent;
    type SpendPeriod = SpendPeriod;
    type Burn = TreasuryBurn;
    type PalletId = TreasuryPalletId;
    type BurnDestination = ();
    type WeightInfo = pallet_treasury::weights::SubstrateWeight<Runtime>;
    type SpendFunds = Bounties;
    type MaxApprovals = ConstU32<100>;
    type SpendOrigin = Spender;
    type AssetKind = ();
    type Beneficiary = AccountId;
    type BeneficiaryLookup = IdentityLookup<AccountId>;
    type Paymaster = PayFromAccount<Balances, TreasuryAccount>;
    type BalanceConverter = UnityAssetBalanceConversion;
    type PayoutPeriod = TreasuryPayoutPeriod;
    #[cfg(feature = "runtime-benchmarks")]
    type BenchmarkHelper = TreasuryBenchmarkHelper;
    type BlockNumberProvider = System;
}

/// Arguments for the treasury's benchmarks.
#[cfg(feature = "runtime-benchmarks")]
pub struct TreasuryBenchmarkHelper;

#[cfg(feature = "runtime-benchmarks")]
impl pallet_treasury::ArgumentsFactory<(), AccountId> for TreasuryBenchmarkHelper {
    fn create_asset_kind(_seed: u32) {}

    fn create_beneficiary(seed: [u8; 32]) -> AccountId {
        AccountId::new(seed)
    }
}

parameter_types! {
    /// Deposit for proposing a bounty.
    pub const BountyDepositBase: Balance = UNIT;
    /// Deposit for each byte of a bounty's description.
    pub const BountyDepositPerByte: Balance = deposit(0, 1);
    /// A curator's award can be claimed after this time.
    pub const BountyPayoutDelay: BlockNumber = period(4 * DAYS, 10);
    /// A curator who says nothing for this long can be replaced by anybody.
    pub const BountyUpdatePeriod: BlockNumber = period(90 * DAYS, 100);
    /// Of a curator's fee, what is put down as a deposit.
    pub const CuratorDepositMultiplier: Permill = Permill::from_percent(50);
    /// Most that a curator puts down.
    pub const CuratorDepositMax: Option<Balance> = Some(10_000 * UNIT);
    /// Least that a curator puts down.
    pub const CuratorDepositMin: Option<Balance> = Some(10 * UNIT);
    /// Least value of a bounty.
    pub const BountyValueMinimum: Balance = 100 * UNIT;
    /// Least value of a part of a bounty.
    pub const ChildBountyValueMinimum: Balance = 10 * UNIT;
}

impl pallet_bounties::Config for Runtime {
    type RuntimeEvent = RuntimeEvent;
    type BountyDepositBase = BountyDepositBase;
    type BountyDepositPayoutDelay = BountyPayoutDelay;
    type BountyUpdatePeriod = BountyUpdatePeriod;
    type CuratorDepositMultiplier = CuratorDepositMultiplier;
    type CuratorDepositMax = CuratorDepositMax;
    type CuratorDepositMin = CuratorDepositMin;
    type BountyValueMinimum = BountyValueMinimum;
    type DataDepositPerByte = BountyDepositPerByte;
    type MaximumReasonLength = ConstU32<16_384>;
    type WeightInfo = pallet_bounties::weights::SubstrateWeight<Runtime>;
    type ChildBountyManager = ChildBounties;
    type OnSlash = Treasury;
    type TransferAllAssets = pallet_bounties::TransferFungible<AccountId, Balances>;
}

impl pallet_child_bounties::Config for Runtime {
    type RuntimeEvent = RuntimeEvent;
    type MaxActiveChildBountyCount = ConstU32<100>;
    type ChildBountyValueMinimum = ChildBountyValueMinimum;
    type WeightInfo = pallet_child_bounties::weights::SubstrateWeight<Runtime>;
}
