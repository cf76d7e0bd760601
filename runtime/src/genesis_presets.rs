//! What a new chain starts from. Both presets are for development: their keys are public. Any other chain
//! names its validators and allocations itself; see [`genesis`].
//!
//! Every chain issues exactly [`TOTAL_SUPPLY`].

use alloc::{collections::BTreeSet, string::ToString, vec, vec::Vec};

use frame_support::{build_struct_json_patch, traits::TypedGet};
use pallet_staking::StakerStatus;
use serde_json::Value;
use sp_core::crypto::ByteArray;
use sp_genesis_builder::{PresetId, DEV_RUNTIME_PRESET, LOCAL_TESTNET_RUNTIME_PRESET};
use sp_keyring::{Ed25519Keyring, Sr25519Keyring};
use sp_runtime::Perbill;

use crate::{
    configs::{
        consensus::{SessionKeys, BABE_GENESIS_EPOCH_CONFIGURATION},
        openledger::AttributionPot,
        rewards::{FeePot, PayoutPot, RewardReserve, TreasuryAccount, PAYOUT_POT_FLOAT},
        staking::{MaxElectableTargets, MaxValidators},
    },
    constants::currency::{EXISTENTIAL_DEPOSIT, TOTAL_SUPPLY, UNIT},
    AccountId, BabeConfig, Balance, BalancesConfig, BlockNumber, RuntimeGenesisConfig,
    SessionConfig, StakingConfig, VestingConfig,
};

/// What the treasury starts with.
const TREASURY_ENDOWMENT: Balance = 150_000_000 * UNIT;
/// What each development account, Alice to Ferdie and their stashes, starts with.
const ACCOUNT_ENDOWMENT: Balance = 50_000_000 * UNIT;
/// What each validator of the presets bonds.
const VALIDATOR_STAKE: Balance = 10_000_000 * UNIT;
/// The least that a validator may bond.
const MIN_VALIDATOR_BOND: Balance = 10_000 * UNIT;
/// The least that a nominator may bond.
const MIN_NOMINATOR_BOND: Balance = 100 * UNIT;
/// Nominators that there may be.
const MAX_NOMINATORS: u32 = 20_000;

/// A validator that a chain starts with.
pub struct GenesisValidator {
    /// The account that bonds, out of its allocation.
    pub stash: AccountId,
    /// The keys that its node starts with.
    pub keys: SessionKeys,
    /// What it bonds, in base units.
    pub stake: Balance,
}

/// OPEN that an account starts with.
pub struct Allocation {
    /// The account.
    pub account: AccountId,
    /// Base units.
    pub amount: Balance,
    /// How a part of it becomes free only over time, if so.
    pub vesting: Option<GenesisVesting>,
}

/// Locks a part of an allocation, which becomes free evenly over time.
pub struct GenesisVesting {
    /// Base units that are free from the first block.
    pub free: Balance,
    /// The block before which the others are locked.
    pub begin: BlockNumber,
    /// The blocks that it then takes until all are free.
    pub length: BlockNumber,
}

/// Why a chain cannot start like this.
#[derive(Debug, Eq, PartialEq)]
pub enum GenesisError {
    /// There is no validator.
    NoValidator,
    /// More validators than an era can have.
    TooManyValidators,
    /// An account has two allocations, is named as a validator twice, or is one of the chain's own.
    AccountTwice(AccountId),
    /// Keys are named twice: two nodes would sign with the same.
    KeysTwice(AccountId),
    /// A validator bonds less than validators must.
    StakeTooSmall(AccountId),
    /// A validator bonds more than its allocation less the existential deposit.
    StakeNotCovered(AccountId),
    /// An allocation is below the existential deposit.
    AllocationTooSmall(AccountId),
    /// Vesting locks nothing: more is free than there is, or it takes no time.
    NothingVests(AccountId),
    /// The allocations and what the chain itself starts with exceed the supply.
    SupplyExceeded,
}

// Addresses are written with the standard library only; a runtime tells nobody.
#[cfg(feature = "std")]
impl core::fmt::Display for GenesisError {
    fn fmt(&self, formatter: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match self {
            Self::NoValidator => formatter.write_str("no validator: name one at least"),
            Self::TooManyValidators => write!(
                formatter,
                "too many validators: a chain has {} at most",
                MaxValidators::get()
            ),
            Self::AccountTwice(account) => write!(
                formatter,
                "{account} has two allocations, is a validator twice, or is one of the chain's own accounts"
            ),
            Self::KeysTwice(account) => write!(
                formatter,
                "the session keys of {account} are another validator's too: two nodes that sign with the same keys are slashed"
            ),
            Self::StakeTooSmall(account) => write!(
                formatter,
                "{account} bonds too little: {} OPEN is the least",
                MIN_VALIDATOR_BOND / UNIT
            ),
            Self::StakeNotCovered(account) => write!(
                formatter,
                "{account} bonds more than it has: allocate the stake and a little for fees"
            ),
            Self::AllocationTooSmall(account) => write!(
                formatter,
                "the allocation of {account} is below the existential deposit"
            ),
            Self::NothingVests(account) => write!(
                formatter,
                "the vesting of {account} locks nothing: less than all must be free, and the length above 0"
            ),
            Self::SupplyExceeded => write!(
                formatter,
                "the allocations exceed the supply of {} OPEN less the treasury's {}",
                TOTAL_SUPPLY / UNIT,
                TREASURY_ENDOWMENT / UNIT
            ),
        }
    }
}

/// What the chain's own accounts start with, apart from the reserve.
fn own_balances() -> Vec<(AccountId, Balance)> {
    vec![
        (TreasuryAccount::get(), TREASURY_ENDOWMENT),
        (FeePot::get(), EXISTENTIAL_DEPOSIT),
        (PayoutPot::get(), PAYOUT_POT_FLOAT),
        // Settlements wait there; an account that exists can be paid any amount.
        (AttributionPot::get(), EXISTENTIAL_DEPOSIT),
    ]
}

fn check(validators: &[GenesisValidator], allocations: &[Allocation]) -> Result<(), GenesisError> {
    if validators.is_empty() {
        return Err(GenesisError::NoValidator);
    }
    if validators.len() > MaxValidators::get() as usize {
        return Err(GenesisError::TooManyValidators);
    }
    let mut accounts: BTreeSet<_> = own_balances().into_iter().map(|(own, _)| own).collect();
    accounts.insert(RewardReserve::get());
    for allocation in allocations {
        let account = || allocation.account.clone();
        if !accounts.insert(account()) {
            return Err(GenesisError::AccountTwice(account()));
        }
        if allocation.amount < EXISTENTIAL_DEPOSIT {
            return Err(GenesisError::AllocationTooSmall(account()));
        }
        if let Some(vesting) = &allocation.vesting {
            if vesting.free >= allocation.amount || vesting.length == 0 {
                return Err(GenesisError::NothingVests(account()));
            }
        }
    }
    let mut stashes = BTreeSet::new();
    let mut keys = BTreeSet::new();
    for validator in validators {
        let stash = || validator.stash.clone();
        if !stashes.insert(stash()) {
            return Err(GenesisError::AccountTwice(stash()));
        }
        // One key may serve two duties of one validator, as those of the presets do.
        let own: BTreeSet<_> = [
            validator.keys.babe.to_raw_vec(),
            validator.keys.grandpa.to_raw_vec(),
            validator.keys.authority_discovery.to_raw_vec(),
        ]
        .into();
        if !keys.is_disjoint(&own) {
            return Err(GenesisError::KeysTwice(stash()));
        }
        keys.extend(own);
        if validator.stake < MIN_VALIDATOR_BOND {
            return Err(GenesisError::StakeTooSmall(stash()));
        }
        let allocated = allocations
            .iter()
            .find(|allocation| allocation.account == validator.stash)
            .map_or(0, |allocation| allocation.amount);
        if allocated < validator.stake.saturating_add(EXISTENTIAL_DEPOSIT) {
            return Err(GenesisError::StakeNotCovered(stash()));
        }
    }
    Ok(())
}

/// What a chain with these validators and allocations starts from: a patch of the genesis configuration. All
/// OPEN that are not allocated, and not the treasury's, pay stakers, a little every era.
pub fn genesis(
    validators: &[GenesisValidator],
    allocations: &[Allocation],
) -> Result<Value, GenesisError> {
    check(validators, allocations)?;
    let mut balances = own_balances();
    balances.extend(
        allocations
            .iter()
            .map(|allocation| (allocation.account.clone(), allocation.amount)),
    );
    let reserve = balances
        .iter()
        .try_fold(TOTAL_SUPPLY, |left, (_, amount)| left.checked_sub(*amount))
        .filter(|reserve| *reserve >= EXISTENTIAL_DEPOSIT)
        .ok_or(GenesisError::SupplyExceeded)?;
    balances.push((RewardReserve::get(), reserve));

    Ok(build_struct_json_patch!(RuntimeGenesisConfig {
        balances: BalancesConfig { balances },
        babe: BabeConfig {
            epoch_config: BABE_GENESIS_EPOCH_CONFIGURATION
        },
        session: SessionConfig {
            keys: validators
                .iter()
                .map(|validator| {
                    (
                        validator.stash.clone(),
                        validator.stash.clone(),
                        validator.keys.clone(),
                    )
                })
                .collect::<Vec<_>>(),
        },
        staking: StakingConfig {
            validator_count: validators.len() as u32,
            minimum_validator_count: 1,
            slash_reward_fraction: Perbill::from_percent(10),
            stakers: validators
                .iter()
                .map(|validator| {
                    (
                        validator.stash.clone(),
                        validator.stash.clone(),
                        validator.stake,
                        StakerStatus::Validator,
                    )
                })
                .collect::<Vec<_>>(),
            min_validator_bond: MIN_VALIDATOR_BOND,
            min_nominator_bond: MIN_NOMINATOR_BOND,
            max_validator_count: Some(MaxElectableTargets::get()),
            max_nominator_count: Some(MAX_NOMINATORS),
        },
        vesting: VestingConfig {
            vesting: allocations
                .iter()
                .filter_map(
                    |Allocation {
                         account, vesting, ..
                     }| {
                        let GenesisVesting {
                            free,
                            begin,
                            length,
                        } = vesting.as_ref()?;
                        Some((account.clone(), *begin, *length, *free))
                    }
                )
                .collect::<Vec<_>>(),
        },
    }))
}

/// A validator of the presets: its node has these keys when it is run under the name, such as `--alice`.
fn validator(name: Sr25519Keyring, finality: Ed25519Keyring) -> GenesisValidator {
    GenesisValidator {
        stash: name.to_account_id(),
        keys: SessionKeys {
            babe: name.public().into(),
            grandpa: finality.public().into(),
            authority_discovery: name.public().into(),
        },
        stake: VALIDATOR_STAKE,
    }
}

/// A chain for development with these validators.
fn preset(validators: &[GenesisValidator]) -> Value {
    let allocations: Vec<_> = Sr25519Keyring::well_known()
        .map(|key| Allocation {
            account: key.to_account_id(),
            amount: ACCOUNT_ENDOWMENT,
            vesting: None,
        })
        .collect();
    genesis(validators, &allocations).expect("the presets hold; their tests build them")
}

/// One validator, Alice.
pub fn development() -> Value {
    preset(&[validator(Sr25519Keyring::Alice, Ed25519Keyring::Alice)])
}

/// Three validators: Alice, Bob and Charlie.
pub fn local() -> Value {
    preset(&[
        validator(Sr25519Keyring::Alice, Ed25519Keyring::Alice),
        validator(Sr25519Keyring::Bob, Ed25519Keyring::Bob),
        validator(Sr25519Keyring::Charlie, Ed25519Keyring::Charlie),
    ])
}

/// The JSON of the preset `id`, if there is such a preset.
pub fn get_preset(id: &PresetId) -> Option<Vec<u8>> {
    let preset = match id.as_ref() {
        DEV_RUNTIME_PRESET => development(),
        LOCAL_TESTNET_RUNTIME_PRESET => local(),
        _ => return None,
    };
    Some(preset.to_string().into_bytes())
}

/// Names of all presets.
pub fn preset_names() -> Vec<PresetId> {
    vec![
        PresetId::from(DEV_RUNTIME_PRESET),
        PresetId::from(LOCAL_TESTNET_RUNTIME_PRESET),
    ]
}
