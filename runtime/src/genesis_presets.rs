//! What a new chain starts from. Both presets are for development: their keys are public.
//!
//! Every preset issues exactly [`TOTAL_SUPPLY`].

use alloc::{string::ToString, vec, vec::Vec};

use frame_support::{build_struct_json_patch, traits::TypedGet};
use pallet_staking::StakerStatus;
use serde_json::Value;
use sp_genesis_builder::{PresetId, DEV_RUNTIME_PRESET, LOCAL_TESTNET_RUNTIME_PRESET};
use sp_keyring::{Ed25519Keyring, Sr25519Keyring};
use sp_runtime::Perbill;

use crate::{
    configs::{
        consensus::{SessionKeys, BABE_GENESIS_EPOCH_CONFIGURATION},
        openledger::AttributionPot,
        rewards::{FeePot, PayoutPot, RewardReserve, TreasuryAccount, PAYOUT_POT_FLOAT},
        staking::MaxElectableTargets,
    },
    constants::currency::{EXISTENTIAL_DEPOSIT, TOTAL_SUPPLY, UNIT},
    AccountId, BabeConfig, Balance, BalancesConfig, RuntimeGenesisConfig, SessionConfig,
    StakingConfig,
};

/// What the treasury starts with.
const TREASURY_ENDOWMENT: Balance = 150_000_000 * UNIT;
/// What each development account starts with.
const ACCOUNT_ENDOWMENT: Balance = 50_000_000 * UNIT;
/// What each genesis validator bonds.
const VALIDATOR_STAKE: Balance = 10_000_000 * UNIT;
/// The least that a validator may bond.
const MIN_VALIDATOR_BOND: Balance = 10_000 * UNIT;
/// The least that a nominator may bond.
const MIN_NOMINATOR_BOND: Balance = 100 * UNIT;
/// Nominators that there may be.
const MAX_NOMINATORS: u32 = 20_000;

/// Development accounts: Alice to Ferdie and their stashes.
fn development_accounts() -> Vec<AccountId> {
    Sr25519Keyring::well_known()
        .map(|key| key.to_account_id())
        .collect()
}

/// A genesis validator: the account that bonds and the keys that its node starts with when it is
/// run under the same name, such as `--alice`.
fn validator(name: Sr25519Keyring, finality: Ed25519Keyring) -> (AccountId, SessionKeys) {
    let keys = SessionKeys {
        babe: name.public().into(),
        grandpa: finality.public().into(),
        authority_discovery: name.public().into(),
    };
    (name.to_account_id(), keys)
}

/// Splits all OPEN between the treasury, the accounts that pay stakers, and `accounts`.
fn balances(accounts: Vec<AccountId>) -> Vec<(AccountId, Balance)> {
    let mut balances: Vec<(AccountId, Balance)> = vec![
        (TreasuryAccount::get(), TREASURY_ENDOWMENT),
        (FeePot::get(), EXISTENTIAL_DEPOSIT),
        (PayoutPot::get(), PAYOUT_POT_FLOAT),
        // Settlements wait there; an account that exists can be paid any amount.
        (AttributionPot::get(), EXISTENTIAL_DEPOSIT),
    ];
    balances.extend(
        accounts
            .into_iter()
            .map(|account| (account, ACCOUNT_ENDOWMENT)),
    );
    let given: Balance = balances.iter().map(|(_, balance)| balance).sum();
    // All the rest pays stakers, a little every era.
    balances.push((RewardReserve::get(), TOTAL_SUPPLY - given));
    balances
}

fn preset(validators: Vec<(AccountId, SessionKeys)>, accounts: Vec<AccountId>) -> Value {
    build_struct_json_patch!(RuntimeGenesisConfig {
        balances: BalancesConfig {
            balances: balances(accounts)
        },
        babe: BabeConfig {
            epoch_config: BABE_GENESIS_EPOCH_CONFIGURATION
        },
        session: SessionConfig {
            keys: validators
                .iter()
                .map(|(account, keys)| (account.clone(), account.clone(), keys.clone()))
                .collect::<Vec<_>>(),
        },
        staking: StakingConfig {
            validator_count: validators.len() as u32,
            minimum_validator_count: 1,
            slash_reward_fraction: Perbill::from_percent(10),
            stakers: validators
                .iter()
                .map(|(account, _)| {
                    (
                        account.clone(),
                        account.clone(),
                        VALIDATOR_STAKE,
                        StakerStatus::Validator,
                    )
                })
                .collect::<Vec<_>>(),
            min_validator_bond: MIN_VALIDATOR_BOND,
            min_nominator_bond: MIN_NOMINATOR_BOND,
            max_validator_count: Some(MaxElectableTargets::get()),
            max_nominator_count: Some(MAX_NOMINATORS),
        },
    })
}

/// One validator, Alice.
pub fn development() -> Value {
    preset(
        vec![validator(Sr25519Keyring::Alice, Ed25519Keyring::Alice)],
        development_accounts(),
    )
}

/// Three validators: Alice, Bob and Charlie.
pub fn local() -> Value {
    preset(
        vec![
            validator(Sr25519Keyring::Alice, Ed25519Keyring::Alice),
            validator(Sr25519Keyring::Bob, Ed25519Keyring::Bob),
            validator(Sr25519Keyring::Charlie, Ed25519Keyring::Charlie),
        ],
        development_accounts(),
    )
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
