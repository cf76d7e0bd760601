//! Datanets, models, compute, channels and attribution, and the glue between them: each pallet
//! declares what it needs as traits, and only here is it known who provides that.

use attribution_proof::{
    contribution::Snapshot,
    licence::Terms,
    model::{Manifest, ModelKind, Parents, Training},
    ruleset::Ruleset,
    split::{Builders, Parts},
    voucher::SignedVoucher,
    AccountId, Balance, BlockNumber, ContributionId, DatanetId, ModelId, RulesetId,
};
use frame_support::{
    parameter_types,
    traits::{ConstU32, Randomness},
    PalletId,
};
use sp_runtime::{traits::AccountIdConversion, DispatchError};

use super::{
    rewards::{FeePot, TreasuryAccount},
    ruleset::FirstRuleset,
};
use crate::{
    constants::{
        currency::{deposit, UNIT},
        time::{period, DAYS},
    },
    governance::{CurationAppealsOrRoot, PoaAdminOrRoot},
    Attribution, Balances, Channels, Compute, Datanets, Hash, Models, Runtime, RuntimeHoldReason,
    System,
};

parameter_types! {
    /// Deposit of a Datanet.
    pub const DatanetDeposit: Balance = deposit(2, 512);
    /// Deposit of a manifest with weights from outside.
    pub const ManifestDeposit: Balance = deposit(2, 1_536);
    /// Deposit of a training job.
    pub const JobDeposit: Balance = deposit(1, 2_048);
    /// Least deposit of a channel.
    pub const MinimumChannelDeposit: Balance = UNIT;
    /// Source of the account that holds claimed money until it is paid out.
    pub const AttributionPalletId: PalletId = PalletId(*b"ol/attrb");
    /// That account.
    pub AttributionPot: AccountId = AttributionPalletId::get().into_account_truncating();
    /// Blocks after which what nobody was paid of a settlement goes to the treasury.
    pub const PayoutPeriod: BlockNumber = period(365 * DAYS, 2_000);
}

impl pallet_datanets::Config for Runtime {
    type Currency = Balances;
    type RuntimeHoldReason = RuntimeHoldReason;
    type Rulesets = Attribution;
    type Treasury = TreasuryAccountGet;
    type GovernanceOrigin = CurationAppealsOrRoot;
    type DatanetDeposit = DatanetDeposit;
    type WeightInfo = pallet_datanets::weights::SubstrateWeight<Runtime>;
}

impl pallet_models::Config for Runtime {
    type RuntimeHoldReason = RuntimeHoldReason;
    type Currency = Balances;
    type Rulesets = Attribution;
    type GovernanceOrigin = PoaAdminOrRoot;
    type ManifestDeposit = ManifestDeposit;
    type MaxStrikes = ConstU32<3>;
    type WeightInfo = pallet_models::weights::SubstrateWeight<Runtime>;
}

impl pallet_compute::Config for Runtime {
    type RuntimeHoldReason = RuntimeHoldReason;
    type Currency = Balances;
    type Rulesets = Attribution;
    type Data = Glue;
    type Models = Glue;
    type OrderRandomness = EpochRandomness;
    type ProjectionRandomness = ParentBlockRandomness;
    type Treasury = TreasuryAccountGet;
    type JobDeposit = JobDeposit;
    #[cfg(feature = "runtime-benchmarks")]
    type BenchmarkHelper = Glue;
    type WeightInfo = pallet_compute::weights::SubstrateWeight<Runtime>;
}

impl pallet_channels::Config for Runtime {
    type Currency = Balances;
    type RuntimeHoldReason = RuntimeHoldReason;
    type Rulesets = Attribution;
    type Operators = Glue;
    type MinimumDeposit = MinimumChannelDeposit;
    type WeightInfo = pallet_channels::weights::SubstrateWeight<Runtime>;
    #[cfg(feature = "runtime-benchmarks")]
    type BenchmarkHelper = Glue;
}

impl pallet_attribution::Config for Runtime {
    type Currency = Balances;
    type RuntimeHoldReason = RuntimeHoldReason;
    type Channels = Glue;
    type Operators = Glue;
    type Models = Glue;
    type Data = Glue;
    type RulesetOrigin = PoaAdminOrRoot;
    type InitialRuleset = FirstRuleset;
    type PalletId = AttributionPalletId;
    type Treasury = TreasuryAccountGet;
    type StakersPot = FeePot;
    type PayoutPeriod = PayoutPeriod;
    type WeightInfo = pallet_attribution::weights::SubstrateWeight<Runtime>;
    #[cfg(feature = "runtime-benchmarks")]
    type BenchmarkHelper = Glue;
}

/// The treasury's account.
pub struct TreasuryAccountGet;

impl frame_support::traits::Get<AccountId> for TreasuryAccountGet {
    fn get() -> AccountId {
        use frame_support::traits::TypedGet;
        TreasuryAccount::get()
    }
}

/// Randomness that was collected wholly after the block it names.
///
/// BABE's randomness from one epoch ago was collected in the previous epoch, which began at
/// `EpochStart.0`; whoever committed to something before that block could not know any part of it. BABE
/// itself names the current epoch's start, by which time most of it was known.
pub struct EpochRandomness;

impl Randomness<Hash, BlockNumber> for EpochRandomness {
    fn random(subject: &[u8]) -> (Hash, BlockNumber) {
        let (randomness, _) = pallet_babe::RandomnessFromOneEpochAgo::<Runtime>::random(subject);
        (randomness, pallet_babe::EpochStart::<Runtime>::get().0)
    }
}

/// The randomness of the parent block: known once that block is made, which its author chose to do.
///
/// A source that is missing (a block without a VRF output) says that it was known since block zero,
/// which nobody accepts; the next block will do.
pub struct ParentBlockRandomness;

impl Randomness<Hash, BlockNumber> for ParentBlockRandomness {
    fn random(subject: &[u8]) -> (Hash, BlockNumber) {
        match pallet_babe::ParentBlockRandomness::<Runtime>::random(subject) {
            (Some(randomness), _) => (randomness, System::block_number().saturating_sub(1)),
            (None, _) => (Hash::zero(), 0),
        }
    }
}

/// Connects what the pallets ask for to the pallets that have it.
pub struct Glue;

impl pallet_channels::Operators for Glue {
    fn may_open(operator: &AccountId, ruleset: &Ruleset) -> bool {
        Compute::may_open(operator, ruleset)
    }

    fn channel_opened(operator: &AccountId) {
        Compute::channel_opened(operator);
    }

    fn channel_closed(operator: &AccountId) {
        Compute::channel_closed(operator);
    }
}

impl pallet_attribution::Operators for Glue {
    fn bond(operator: &AccountId) -> Balance {
        Compute::bond(operator)
    }

    fn slash(
        operator: &AccountId,
        amount: Balance,
        reward_to: Option<&AccountId>,
        reward: Parts,
    ) -> Balance {
        Compute::slash_operator(operator, amount, reward_to, reward)
    }

    fn extend_liability(operator: &AccountId, until: BlockNumber) {
        Compute::extend_liability(operator, until);
    }
}

impl pallet_attribution::Channels for Glue {
    fn claim(
        payee: &AccountId,
        voucher: &SignedVoucher,
        to: &AccountId,
    ) -> Result<pallet_attribution::ClaimedVoucher, DispatchError> {
        let claimed = Channels::claim(payee, voucher, to)?;
        Ok(pallet_attribution::ClaimedVoucher {
            channel: claimed.channel,
            payer: claimed.payer,
            ruleset: claimed.ruleset,
            from: claimed.from,
            to: claimed.to,
            amount: claimed.amount,
        })
    }
}

impl pallet_attribution::Models for Glue {
    fn manifest(model: ModelId) -> Option<Manifest> {
        Models::manifest(model)
    }

    fn builders(model: ModelId) -> Option<Builders> {
        Models::builders(model)
    }

    fn lineage(model: ModelId) -> pallet_attribution::Lineage {
        Models::lineage(model)
    }

    fn strike(model: ModelId) {
        Models::strike(model);
    }
}

impl pallet_attribution::Data for Glue {
    fn contribution(contribution: ContributionId) -> Option<pallet_attribution::ContributionView> {
        let accepted = Datanets::lookup(contribution)?;
        Some(pallet_attribution::ContributionView {
            datanet: accepted.datanet,
            index: accepted.index,
            records_before: accepted.records_before,
            leaves: accepted.leaves,
            contributor: accepted.contributor,
        })
    }

    fn tombstoned_at(contribution: ContributionId, record: u32) -> Option<BlockNumber> {
        Datanets::record_tombstoned_at(contribution, record)
    }

    fn payee(contribution: ContributionId) -> Option<AccountId> {
        Datanets::lookup(contribution)
            .filter(|accepted| accepted.tombstoned_at.is_none())
            .map(|accepted| accepted.contributor)
    }
}

impl pallet_compute::Data for Glue {
    fn latest_snapshot(datanet: DatanetId) -> Option<Snapshot> {
        Datanets::latest_snapshot(datanet)
    }

    fn terms(datanet: DatanetId) -> Option<Terms> {
        Datanets::terms(datanet)
    }

    fn contribution(contribution: ContributionId) -> Option<pallet_compute::ContributionView> {
        let accepted = Datanets::lookup(contribution)?;
        Some(pallet_compute::ContributionView {
            datanet: accepted.datanet,
            index: accepted.index,
            records_before: accepted.records_before,
            leaves: accepted.leaves,
            contributor: accepted.contributor,
        })
    }

    fn tombstoned_at(contribution: ContributionId, record: u32) -> Option<BlockNumber> {
        Datanets::record_tombstoned_at(contribution, record)
    }
}

impl pallet_compute::Models for Glue {
    fn quote_training(
        owner: &AccountId,
        kind: ModelKind,
        previous: Option<ModelId>,
        royalty: Parts,
        price: Balance,
        price_floor: Balance,
    ) -> Result<(Terms, Parents), DispatchError> {
        Models::quote_training(owner, kind, previous, royalty, price, price_floor)
    }

    fn register_trained(
        owner: &AccountId,
        kind: ModelKind,
        previous: Option<ModelId>,
        royalty: Parts,
        price: Balance,
        price_floor: Balance,
        parents: Parents,
        terms: Terms,
        ruleset: RulesetId,
        training: Training,
    ) -> Result<ModelId, DispatchError> {
        Models::register_trained(
            owner,
            kind,
            previous,
            royalty,
            price,
            price_floor,
            parents,
            terms,
            ruleset,
            training,
        )
    }
}
