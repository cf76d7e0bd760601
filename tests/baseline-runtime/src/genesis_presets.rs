//! What a new chain starts from: the validator and the accounts of OpenLedger's development chain.

use alloc::{string::ToString, vec, vec::Vec};

use frame_support::build_struct_json_patch;
use serde_json::Value;
use sp_genesis_builder::{PresetId, DEV_RUNTIME_PRESET};
use sp_keyring::{Ed25519Keyring, Sr25519Keyring};

use crate::{
    configs::{SessionKeys, BABE_GENESIS_EPOCH_CONFIGURATION},
    constants::currency::UNIT,
    BabeConfig, Balance, BalancesConfig, RuntimeGenesisConfig, SessionConfig,
};

/// What each development account starts with.
const ACCOUNT_ENDOWMENT: Balance = 50_000_000 * UNIT;

/// One validator, Alice.
pub fn development() -> Value {
    let alice = Sr25519Keyring::Alice;
    let keys = SessionKeys {
        babe: alice.public().into(),
        grandpa: Ed25519Keyring::Alice.public().into(),
    };
    build_struct_json_patch!(RuntimeGenesisConfig {
        balances: BalancesConfig {
            balances: Sr25519Keyring::well_known()
                .map(|key| (key.to_account_id(), ACCOUNT_ENDOWMENT))
                .collect::<Vec<_>>()
        },
        babe: BabeConfig {
            epoch_config: BABE_GENESIS_EPOCH_CONFIGURATION
        },
        session: SessionConfig {
            keys: vec![(alice.to_account_id(), alice.to_account_id(), keys)],
        },
    })
}

/// The JSON of the preset `id`, if there is such a preset.
pub fn get_preset(id: &PresetId) -> Option<Vec<u8>> {
    (AsRef::<str>::as_ref(id) == DEV_RUNTIME_PRESET).then(|| development().to_string().into_bytes())
}

/// Names of all presets.
pub fn preset_names() -> Vec<PresetId> {
    vec![PresetId::from(DEV_RUNTIME_PRESET)]
}
