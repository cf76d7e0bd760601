//! Validators, nominators and their election.
//!
//! Elections run on chain, in the block that begins an era's last session. That block's weight is
//! mandatory, so the numbers of voters and targets are bounded hard: see [`MaxElectingVoters`].

use frame_election_provider_support::{
    bounds::{CountBound, ElectionBounds, ElectionBoundsBuilder},
    onchain, SequentialPhragmen, VoteWeight,
};
use frame_support::{
    parameter_types,
    traits::{ConstBool, ConstU32, Nothing},
    weights::Weight,
};
use frame_system::EnsureRoot;
use pallet_staking::WeightInfo;
use sp_runtime::Perbill;
use sp_staking::{
    currency_to_vote::U128CurrencyToVote,
    offence::{OffenceDetails, OnOffenceHandler},
    EraIndex, SessionIndex, StakingInterface,
};

use super::rewards::{
    PayRemainderToTreasury, ResolveToTreasury, RewardsFromReserve, SettleFromPayoutPot,
};
use crate::{
    constants::time::period, AccountId, Balance, Balances, Runtime, RuntimeEvent,
    RuntimeHoldReason, Session, Staking, Timestamp, VoterList,
};

parameter_types! {
    /// Sessions in an era: a day, at sessions of four hours.
    pub const SessionsPerEra: SessionIndex = period(6, 3);
    /// Eras for which stake stays bonded, and so can be slashed, after its owner asks for it back.
    pub const BondingDuration: EraIndex = period(28, 3);
    /// Eras between a slash and its execution, in which governance can cancel it.
    pub const SlashDeferDuration: EraIndex = period(27, 2);
    /// Eras for which rewards can be claimed.
    pub const HistoryDepth: EraIndex = 84;
    /// Nominators in a page of a validator's backing; one payout call serves one page.
    pub const MaxExposurePageSize: u32 = 256;
    /// Validators that may be active at a time.
    pub const MaxValidators: u32 = 200;
    /// Voters that an election looks at, largest stakes first. By the published weights 1,000
    /// voters with 16 votes each and 400 targets take less than a tenth of a second, plus the
    /// reading of their stakes.
    pub const MaxElectingVoters: u32 = 1_000;
    /// Candidates that an election looks at. Staking refuses to hold an election with more, so the
    /// genesis presets allow no more validators than this.
    pub const MaxElectableTargets: u32 = 400;
    /// Bounds of an election, as its data provider wants them.
    pub ElectionInputBounds: ElectionBounds = ElectionBoundsBuilder::default()
        .voters_count(CountBound(MaxElectingVoters::get()))
        .targets_count(CountBound(MaxElectableTargets::get()))
        .build();
    /// Thresholds of the sorted list of voters.
    pub const BagThresholds: &'static [VoteWeight] = &BAG_THRESHOLDS;
}

/// Candidates that a nominator may back.
pub const MAX_NOMINATIONS: u32 = 16;

/// Octaves that [`BAG_THRESHOLDS`] covers: all of a vote weight above the lowest four values.
const BAG_OCTAVES: usize = 62;
/// Bags in each octave.
const BAGS_PER_OCTAVE: usize = 4;
/// Upper bounds of the bags that voters are sorted into: four steps to each doubling of stake, so
/// that neighbours in a bag differ by less than a quarter. The highest bag is implied.
const BAG_THRESHOLDS: [VoteWeight; BAG_OCTAVES * BAGS_PER_OCTAVE] = bag_thresholds();

const fn bag_thresholds() -> [VoteWeight; BAG_OCTAVES * BAGS_PER_OCTAVE] {
    let mut thresholds = [0; BAG_OCTAVES * BAGS_PER_OCTAVE];
    let mut index = 0;
    while index < thresholds.len() {
        let octave = index / BAGS_PER_OCTAVE;
        let mantissa = BAGS_PER_OCTAVE + index % BAGS_PER_OCTAVE;
        thresholds[index] = (mantissa as VoteWeight) << octave;
        index += 1;
    }
    thresholds
}

/// Elects validators on chain by sequential Phragmén.
pub struct OnChainElection;

impl onchain::Config for OnChainElection {
    type Sort = ConstBool<true>;
    type System = Runtime;
    type Solver = SequentialPhragmen<AccountId, Perbill>;
    type MaxBackersPerWinner = MaxElectingVoters;
    type MaxWinnersPerPage = MaxValidators;
    type DataProvider = Staking;
    type WeightInfo = frame_election_provider_support::weights::SubstrateWeight<Runtime>;
    type Bounds = ElectionInputBounds;
}

/// Weights of staking's calls.
type StakingWeights = pallet_staking::weights::SubstrateWeight<Runtime>;

/// Slashes offenders, and takes them off the list of candidates: an equivocation is most often a validator
/// whose keys run twice, and would be elected again until its operator has seen that. He has to ask for it
/// anew. Staking slashes and no more, so that of itself an offender stays a candidate.
pub struct SlashAndChill;

/// An offender, as reports name it.
type Offender = pallet_session::historical::IdentificationTuple<Runtime>;

impl OnOffenceHandler<AccountId, Offender, Weight> for SlashAndChill {
    fn on_offence(
        offenders: &[OffenceDetails<AccountId, Offender>],
        slash_fractions: &[Perbill],
        session: SessionIndex,
    ) -> Weight {
        let mut weight =
            <Staking as OnOffenceHandler<_, _, _>>::on_offence(offenders, slash_fractions, session);
        for (details, fraction) in offenders.iter().zip(slash_fractions) {
            let (stash, _) = &details.offender;
            weight.saturating_accrue(<Runtime as frame_system::Config>::DbWeight::get().reads(2));
            let chilled = !fraction.is_zero()
                && pallet_staking::Validators::<Runtime>::contains_key(stash)
                && !pallet_staking::Invulnerables::<Runtime>::get().contains(stash);
            if chilled {
                weight.saturating_accrue(StakingWeights::chill());
                // Fails only for an account that bonds nothing, which is no candidate.
                let outcome = <Staking as StakingInterface>::chill(stash);
                debug_assert!(outcome.is_ok(), "a candidate has bonded: {outcome:?}");
            }
        }
        weight
    }
}

/// Sizes that staking's benchmarks run with.
pub struct StakingBenchmarkSizes;

impl pallet_staking::BenchmarkingConfig for StakingBenchmarkSizes {
    type MaxValidators = MaxElectableTargets;
    type MaxNominators = MaxElectingVoters;
}

impl pallet_staking::Config for Runtime {
    type OldCurrency = Balances;
    type Currency = Balances;
    type RuntimeHoldReason = RuntimeHoldReason;
    type CurrencyBalance = Balance;
    type UnixTime = Timestamp;
    type CurrencyToVote = U128CurrencyToVote;
    type ElectionProvider = onchain::OnChainExecution<OnChainElection>;
    type GenesisElectionProvider = onchain::OnChainExecution<OnChainElection>;
    type NominationsQuota = pallet_staking::FixedNominationsQuota<MAX_NOMINATIONS>;
    type HistoryDepth = HistoryDepth;
    type RewardRemainder = PayRemainderToTreasury;
    type RuntimeEvent = RuntimeEvent;
    type Slash = ResolveToTreasury;
    type Reward = SettleFromPayoutPot;
    type SessionsPerEra = SessionsPerEra;
    type BondingDuration = BondingDuration;
    type SlashDeferDuration = SlashDeferDuration;
    type AdminOrigin = EnsureRoot<AccountId>;
    type SessionInterface = Self;
    type EraPayout = RewardsFromReserve;
    type NextNewSession = Session;
    type MaxExposurePageSize = MaxExposurePageSize;
    type MaxValidatorSet = MaxValidators;
    type VoterList = VoterList;
    type TargetList = pallet_staking::UseValidatorsMap<Self>;
    type MaxUnlockingChunks = ConstU32<32>;
    type MaxControllersInDeprecationBatch = ConstU32<100>;
    type EventListeners = ();
    type Filter = Nothing;
    type BenchmarkingConfig = StakingBenchmarkSizes;
    type WeightInfo = StakingWeights;
}

impl pallet_bags_list::Config for Runtime {
    type RuntimeEvent = RuntimeEvent;
    type WeightInfo = pallet_bags_list::weights::SubstrateWeight<Runtime>;
    type ScoreProvider = Staking;
    type BagThresholds = BagThresholds;
    type MaxAutoRebagPerBlock = ConstU32<5>;
    type Score = VoteWeight;
}
