//! Referenda, voting and the treasury.

use frame_support::{
    parameter_types,
    traits::{
        tokens::{PayFromAccount, UnityAssetBalanceConversion},
        ConstU32,
    },
    PalletId,
};
use frame_system::{EnsureRoot, EnsureRootWithSuccess, EnsureSigned};
use sp_runtime::{traits::IdentityLookup, Permill};

use super::rewards::{TreasuryAccount, VotableIssuance};
use crate::{
    constants::{
        currency::UNIT,
        time::{period, DAYS},
    },
    governance::{pallet_governance_origins, TracksInfo},
    AccountId, Balance, Balances, BlockNumber, Preimage, Referenda, Runtime, RuntimeCall,
    RuntimeEvent, Scheduler, System, Treasury,
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

parameter_types! {
    /// Source of the treasury's account.
    pub const TreasuryPalletId: PalletId = PalletId(*b"ol/treas");
    /// Time between the treasury's payments of approved proposals.
    pub const SpendPeriod: BlockNumber = period(6 * DAYS, 10);
    /// The treasury never burns what it does not spend.
    pub const TreasuryBurn: Permill = Permill::zero();
    /// An approved payment can be claimed for this long.
    pub const TreasuryPayoutPeriod: BlockNumber = period(30 * DAYS, 200);
    /// Root may spend any amount.
    pub const MaximumSpend: Balance = Balance::MAX;
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
    type SpendFunds = ();
    type MaxApprovals = ConstU32<100>;
    type SpendOrigin = EnsureRootWithSuccess<AccountId, MaximumSpend>;
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
