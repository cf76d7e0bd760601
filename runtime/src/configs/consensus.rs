//! Block production (BABE), finality (GRANDPA), sessions and reports of misbehaviour.

use alloc::vec::Vec;

use frame_support::parameter_types;
use frame_system::offchain::{CreateBare, CreateTransactionBase};
use pallet_session::{
    disabling::UpToLimitWithReEnablingDisablingStrategy, FindAccountFromAuthorIndex,
};
use sp_consensus_babe::{AllowedSlots, BabeEpochConfiguration};
use sp_runtime::{impl_opaque_keys, traits::OpaqueKeys};

use super::staking::{
    BondingDuration, MaxExposurePageSize, MaxValidators, SessionsPerEra, SlashAndChill,
};
use crate::{
    constants::{
        currency::deposit,
        time::{EPOCH_DURATION_IN_SLOTS, PRIMARY_PROBABILITY, SLOT_DURATION_MILLISECONDS},
    },
    AccountId, AuthorityDiscovery, Babe, Balance, Balances, Grandpa, Historical, Moment, Offences,
    Runtime, RuntimeCall, RuntimeEvent, Session, Staking, UncheckedExtrinsic,
};

impl_opaque_keys! {
    /// What a validator signs with during a session, one key per duty.
    pub struct SessionKeys {
        /// Signs and claims blocks.
        pub babe: Babe,
        /// Votes on finality.
        pub grandpa: Grandpa,
        /// Signs the addresses that other validators find this one at.
        pub authority_discovery: AuthorityDiscovery,
    }
}

/// BABE's parameters at genesis. Slots that no primary author claims go to a secondary one, whose
/// blocks carry a VRF output too. An epoch's randomness comes from its primary blocks.
pub const BABE_GENESIS_EPOCH_CONFIGURATION: BabeEpochConfiguration = BabeEpochConfiguration {
    c: PRIMARY_PROBABILITY,
    allowed_slots: AllowedSlots::PrimaryAndSecondaryVRFSlots,
};

parameter_types! {
    /// Length of an epoch in slots.
    pub const EpochDuration: u64 = EPOCH_DURATION_IN_SLOTS;
    /// Expected time between blocks, in milliseconds.
    pub const ExpectedBlockTime: Moment = SLOT_DURATION_MILLISECONDS;
    /// A report of misbehaviour is worth including for as long as the stake behind it is bonded,
    /// in blocks.
    pub const ReportLongevity: u64 =
        BondingDuration::get() as u64 * SessionsPerEra::get() as u64 * EpochDuration::get();
    /// Finality votes can be held against their author for as long as his stake is bonded.
    pub const MaxSetIdSessionEntries: u64 =
        BondingDuration::get() as u64 * SessionsPerEra::get() as u64;
    /// Held from an account that registers session keys, for the storage that they take. Without
    /// it anybody could fill the chain's state with keys.
    pub const KeyDeposit: Balance = deposit(4, 32 * 3 + 4 * 36);
}

impl pallet_babe::Config for Runtime {
    type EpochDuration = EpochDuration;
    type ExpectedBlockTime = ExpectedBlockTime;
    type EpochChangeTrigger = pallet_babe::ExternalTrigger;
    type DisabledValidators = Session;
    type WeightInfo = ();
    type MaxAuthorities = MaxValidators;
    type MaxNominators = MaxExposurePageSize;
    type KeyOwnerProof = sp_session::MembershipProof;
    type EquivocationReportSystem =
        pallet_babe::EquivocationReportSystem<Self, Offences, Historical, ReportLongevity>;
}

impl pallet_grandpa::Config for Runtime {
    type RuntimeEvent = RuntimeEvent;
    type WeightInfo = ();
    type MaxAuthorities = MaxValidators;
    type MaxNominators = MaxExposurePageSize;
    type MaxSetIdSessionEntries = MaxSetIdSessionEntries;
    type KeyOwnerProof = sp_session::MembershipProof;
    type EquivocationReportSystem =
        pallet_grandpa::EquivocationReportSystem<Self, Offences, Historical, ReportLongevity>;
}

impl pallet_authorship::Config for Runtime {
    type FindAuthor = FindAccountFromAuthorIndex<Self, Babe>;
    type EventHandler = Staking;
}

impl pallet_session::Config for Runtime {
    type RuntimeEvent = RuntimeEvent;
    type ValidatorId = AccountId;
    type ValidatorIdOf = sp_runtime::traits::ConvertInto;
    type ShouldEndSession = Babe;
    type NextSessionRotation = Babe;
    type SessionManager = pallet_session::historical::NoteHistoricalRoot<Self, Staking>;
    type SessionHandler = <SessionKeys as OpaqueKeys>::KeyTypeIdProviders;
    type Keys = SessionKeys;
    type DisablingStrategy = UpToLimitWithReEnablingDisablingStrategy;
    type WeightInfo = pallet_session::weights::SubstrateWeight<Runtime>;
    type Currency = Balances;
    type KeyDeposit = KeyDeposit;
}

impl pallet_session::historical::Config for Runtime {
    type RuntimeEvent = RuntimeEvent;
    // Staking finds an offender's exposure by itself; the proof needs to identify him only.
    type FullIdentification = ();
    type FullIdentificationOf = pallet_staking::UnitIdentificationOf<Self>;
}

impl pallet_offences::Config for Runtime {
    type RuntimeEvent = RuntimeEvent;
    type IdentificationTuple = pallet_session::historical::IdentificationTuple<Self>;
    type OnOffenceHandler = SlashAndChill;
}

impl pallet_authority_discovery::Config for Runtime {
    type MaxAuthorities = MaxValidators;
}

// Reports of misbehaviour are submitted by the nodes as unsigned transactions.
impl<LocalCall> CreateTransactionBase<LocalCall> for Runtime
where
    RuntimeCall: From<LocalCall>,
{
    type Extrinsic = UncheckedExtrinsic;
    type RuntimeCall = RuntimeCall;
}

impl<LocalCall> CreateBare<LocalCall> for Runtime
where
    RuntimeCall: From<LocalCall>,
{
    fn create_bare(call: RuntimeCall) -> UncheckedExtrinsic {
        UncheckedExtrinsic::new_bare(call)
    }
}
