//! Blocks, time, balances, fees, preimages and scheduled calls.

use frame_support::{
    derive_impl,
    dispatch::DispatchClass,
    parameter_types,
    traits::{
        fungible::HoldConsideration, ConstU32, EqualPrivilegeOnly, Everything, InsideBoth,
        LinearStoragePrice, VariantCountOf,
    },
    weights::{
        constants::{
            BlockExecutionWeight, ExtrinsicBaseWeight, ParityDbWeight, WEIGHT_REF_TIME_PER_MILLIS,
        },
        ConstantMultiplier, Weight,
    },
};
use frame_system::{
    limits::{BlockLength, BlockWeights},
    EnsureRoot,
};
use pallet_transaction_payment::{FungibleAdapter, Multiplier, TargetedFeeAdjustment};
use sp_runtime::{
    traits::{AccountIdLookup, Bounded},
    FixedPointNumber, Perbill, Perquintill,
};
use sp_version::RuntimeVersion;

use super::rewards::{ResolveToTreasury, SplitFees};
use crate::{
    constants::{
        currency::{deposit, EXISTENTIAL_DEPOSIT, MICROUNIT},
        time::{MINUTES, SLOT_DURATION_MILLISECONDS},
    },
    AccountId, Babe, Balance, Balances, Block, BlockNumber, Hash, Moment, Nonce, OriginCaller,
    PalletInfo, Preimage, Runtime, RuntimeCall, RuntimeEvent, RuntimeFreezeReason,
    RuntimeHoldReason, RuntimeOrigin, RuntimeTask, SteppedMigrations, System, TxPause, VERSION,
};

/// Share of a block that user transactions may fill. The rest is for operational calls, such as a
/// report of misbehaviour.
const NORMAL_DISPATCH_RATIO: Perbill = Perbill::from_percent(75);
/// Execution time of a full block: a sixth of a slot, so that a block is made, sent and checked
/// within its slot on slower machines and far-away links too. There is no proof of validity to
/// keep small on a chain of its own, so the proof size is not bounded.
const MAXIMUM_BLOCK_WEIGHT: Weight =
    Weight::from_parts(WEIGHT_REF_TIME_PER_MILLIS.saturating_mul(500), u64::MAX);
/// Share of a block that `on_initialize` is expected to need at most.
const AVERAGE_ON_INITIALIZE_RATIO: Perbill = Perbill::from_percent(10);
/// Length of a full block in bytes.
const MAXIMUM_BLOCK_LENGTH: u32 = 2 * 1024 * 1024;

parameter_types! {
    /// How many block hashes are kept: at three seconds a block, transactions may stay valid for
    /// more than three hours.
    pub const BlockHashCount: BlockNumber = 4096;
    /// Prefix of addresses in SS58.
    pub const SS58Prefix: u16 = 1612;
    /// Version of the runtime.
    pub const Version: RuntimeVersion = VERSION;
    /// Limits on a block's execution time, by class of extrinsic.
    pub RuntimeBlockWeights: BlockWeights = BlockWeights::builder()
        .base_block(BlockExecutionWeight::get())
        .for_class(DispatchClass::all(), |weights| {
            weights.base_extrinsic = ExtrinsicBaseWeight::get();
        })
        .for_class(DispatchClass::Normal, |weights| {
            weights.max_total = Some(NORMAL_DISPATCH_RATIO * MAXIMUM_BLOCK_WEIGHT);
        })
        .for_class(DispatchClass::Operational, |weights| {
            weights.max_total = Some(MAXIMUM_BLOCK_WEIGHT);
            // Operational calls have this much to themselves, even in a block full of normal ones.
            weights.reserved = Some(MAXIMUM_BLOCK_WEIGHT - NORMAL_DISPATCH_RATIO * MAXIMUM_BLOCK_WEIGHT);
        })
        .avg_block_initialization(AVERAGE_ON_INITIALIZE_RATIO)
        .build_or_panic();
    /// Limits on a block's length, by class of extrinsic.
    pub RuntimeBlockLength: BlockLength = BlockLength::builder()
        .max_length(MAXIMUM_BLOCK_LENGTH)
        .modify_max_length_for_class(DispatchClass::Normal, |length| {
            *length = NORMAL_DISPATCH_RATIO * MAXIMUM_BLOCK_LENGTH;
        })
        .build();
}

#[derive_impl(frame_system::config_preludes::SolochainDefaultConfig)]
impl frame_system::Config for Runtime {
    type Block = Block;
    type AccountId = AccountId;
    type Nonce = Nonce;
    type Hash = Hash;
    type Lookup = AccountIdLookup<AccountId, ()>;
    type AccountData = pallet_balances::AccountData<Balance>;
    type BlockHashCount = BlockHashCount;
    type BlockWeights = RuntimeBlockWeights;
    type BlockLength = RuntimeBlockLength;
    type DbWeight = ParityDbWeight;
    type Version = Version;
    type SS58Prefix = SS58Prefix;
    type MaxConsumers = ConstU32<64>;
    type SystemWeightInfo = frame_system::weights::SubstrateWeight<Runtime>;
    type ExtensionsWeightInfo = frame_system::SubstrateExtensionsWeight<Runtime>;
    type BaseCallFilter = InsideBoth<Everything, TxPause>;
    type SingleBlockMigrations = SingleBlockMigrations;
    type MultiBlockMigrator = SteppedMigrations;
}

/// Migrations that an upgrade runs in the block that it takes effect in. Each is versioned, so that it
/// runs once; those of an upgrade that all chains have seen are removed.
pub type SingleBlockMigrations = ();
/// Migrations that an upgrade spreads over the blocks after it, which hold no transactions meanwhile.
pub type MultiBlockMigrations = ();

parameter_types! {
    /// What a block gives to migrations: there are no transactions beside them.
    pub MigrationsBlockShare: Weight = NORMAL_DISPATCH_RATIO * MAXIMUM_BLOCK_WEIGHT;
    /// A quarter of an hour: the windows in which people challenge and answer run on meanwhile.
    pub const MaxMigrationBlocks: BlockNumber = 15 * MINUTES;
}

impl pallet_stepped_migrations::Config for Runtime {
    type Migrations = MultiBlockMigrations;
    type BlockShare = MigrationsBlockShare;
    type MaxBlocks = MaxMigrationBlocks;
}

parameter_types! {
    /// Blocks are at least this far apart. Half a slot is what BABE's own check leaves room for.
    pub const MinimumPeriod: Moment = SLOT_DURATION_MILLISECONDS / 2;
}

impl pallet_timestamp::Config for Runtime {
    type Moment = Moment;
    type OnTimestampSet = Babe;
    type MinimumPeriod = MinimumPeriod;
    type WeightInfo = pallet_timestamp::weights::SubstrateWeight<Runtime>;
}

parameter_types! {
    /// The least that an account may hold.
    pub const ExistentialDeposit: Balance = EXISTENTIAL_DEPOSIT;
}

impl pallet_balances::Config for Runtime {
    type RuntimeEvent = RuntimeEvent;
    type RuntimeHoldReason = RuntimeHoldReason;
    type RuntimeFreezeReason = RuntimeFreezeReason;
    type WeightInfo = pallet_balances::weights::SubstrateWeight<Runtime>;
    type Balance = Balance;
    type DustRemoval = ResolveToTreasury;
    type ExistentialDeposit = ExistentialDeposit;
    type AccountStore = System;
    type ReserveIdentifier = [u8; 8];
    type FreezeIdentifier = RuntimeFreezeReason;
    type MaxLocks = ConstU32<50>;
    type MaxReserves = ConstU32<50>;
    type MaxFreezes = VariantCountOf<RuntimeFreezeReason>;
    type DoneSlashHandler = ();
}

parameter_types! {
    /// Price of a picosecond of execution. An empty transaction, about 0.1 ms, costs about a
    /// thousandth of an OPEN.
    pub const FeePerPicosecond: Balance = 10_000_000;
    /// Price of a byte of transaction.
    pub const FeePerByte: Balance = 10 * MICROUNIT;
    /// How much more urgent an operational transaction's tip counts than a normal one's.
    pub const OperationalFeeMultiplier: u8 = 5;
    /// Blocks fuller than this make fees rise, emptier ones make them fall.
    pub const TargetBlockFullness: Perquintill = Perquintill::from_percent(25);
    /// How fast fees follow demand: at most 2.8 % an hour at three seconds a block.
    pub AdjustmentVariable: Multiplier = Multiplier::saturating_from_rational(3, 100_000);
    /// The least that fees fall to. An idle chain still charges enough to make spam expensive.
    pub MinimumMultiplier: Multiplier = Multiplier::saturating_from_rational(1, 10u128);
    /// The most that fees rise to.
    pub MaximumMultiplier: Multiplier = Bounded::max_value();
}

impl pallet_transaction_payment::Config for Runtime {
    type RuntimeEvent = RuntimeEvent;
    type OnChargeTransaction = FungibleAdapter<Balances, SplitFees>;
    type WeightToFee = ConstantMultiplier<Balance, FeePerPicosecond>;
    type LengthToFee = ConstantMultiplier<Balance, FeePerByte>;
    type FeeMultiplierUpdate = TargetedFeeAdjustment<
        Runtime,
        TargetBlockFullness,
        AdjustmentVariable,
        MinimumMultiplier,
        MaximumMultiplier,
    >;
    type OperationalFeeMultiplier = OperationalFeeMultiplier;
    type WeightInfo = pallet_transaction_payment::weights::SubstrateWeight<Runtime>;
}

parameter_types! {
    /// Deposit for a preimage, whatever its length.
    pub const PreimageBaseDeposit: Balance = deposit(2, 64);
    /// Deposit for each byte of a preimage.
    pub const PreimageByteDeposit: Balance = deposit(0, 1);
    /// Reason that preimage deposits are held for.
    pub const PreimageHoldReason: RuntimeHoldReason =
        RuntimeHoldReason::Preimage(pallet_preimage::HoldReason::Preimage);
}

impl pallet_preimage::Config for Runtime {
    type RuntimeEvent = RuntimeEvent;
    type WeightInfo = pallet_preimage::weights::SubstrateWeight<Runtime>;
    type Currency = Balances;
    type ManagerOrigin = EnsureRoot<AccountId>;
    type Consideration = HoldConsideration<
        AccountId,
        Balances,
        PreimageHoldReason,
        LinearStoragePrice<PreimageBaseDeposit, PreimageByteDeposit, Balance>,
    >;
}

parameter_types! {
    /// Scheduled calls may use this much of a block.
    pub MaximumSchedulerWeight: Weight =
        NORMAL_DISPATCH_RATIO * RuntimeBlockWeights::get().max_block;
}

impl pallet_scheduler::Config for Runtime {
    type RuntimeEvent = RuntimeEvent;
    type RuntimeOrigin = RuntimeOrigin;
    type PalletsOrigin = OriginCaller;
    type RuntimeCall = RuntimeCall;
    type MaximumWeight = MaximumSchedulerWeight;
    type ScheduleOrigin = EnsureRoot<AccountId>;
    type OriginPrivilegeCmp = EqualPrivilegeOnly;
    type MaxScheduledPerBlock = ConstU32<50>;
    type WeightInfo = pallet_scheduler::weights::SubstrateWeight<Runtime>;
    type Preimages = Preimage;
    type BlockNumberProvider = System;
}
