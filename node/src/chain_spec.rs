//! The chains that the node knows by name. Any other is given as a file.

use openledger_runtime::{
    configs::system::SS58Prefix,
    constants::currency::{TOKEN_DECIMALS, TOKEN_SYMBOL},
    WASM_BINARY,
};
use sc_chain_spec::{
    ChainSpecBuilder, ChainSpecExtension, ChainType, GenericChainSpec, Properties,
    DEV_RUNTIME_PRESET, LOCAL_TESTNET_RUNTIME_PRESET,
};
use serde::{Deserialize, Serialize};

/// Fields of a chain specification beyond the standard ones.
#[derive(Clone, Debug, Default, Serialize, Deserialize, ChainSpecExtension)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Extensions {
    /// A finalised state that a light client may start from, filled in by
    /// `sync_state_genSyncSpec`.
    pub(crate) light_sync_state: sc_sync_state_rpc::LightSyncStateExtension,
}

/// Chain specification of an OpenLedger chain.
pub(crate) type ChainSpec = GenericChainSpec<Extensions>;

fn wasm_binary() -> Result<&'static [u8], String> {
    WASM_BINARY.ok_or_else(|| {
        "this node was built without a runtime (SKIP_WASM_BUILD was set): build it again without \
         that variable, or give a chain specification with --chain FILE"
            .to_string()
    })
}

/// What wallets need to show amounts and addresses.
fn properties() -> Properties {
    let mut properties = Properties::new();
    properties.insert("ss58Format".into(), SS58Prefix::get().into());
    properties.insert("tokenDecimals".into(), TOKEN_DECIMALS.into());
    properties.insert("tokenSymbol".into(), TOKEN_SYMBOL.into());
    properties
}

/// Distinguishes this network's protocols from other Substrate chains'.
const PROTOCOL_ID: &str = "openledger";

/// What all chains have in common: runtime, protocol and properties.
pub(crate) fn builder() -> Result<ChainSpecBuilder<Extensions>, String> {
    Ok(ChainSpec::builder(wasm_binary()?, Extensions::default())
        .with_protocol_id(PROTOCOL_ID)
        .with_properties(properties()))
}

/// One validator, Alice, on one machine.
pub(crate) fn development() -> Result<ChainSpec, String> {
    Ok(builder()?
        .with_name("OpenLedger Development")
        .with_id("openledger_dev")
        .with_chain_type(ChainType::Development)
        .with_genesis_config_preset_name(DEV_RUNTIME_PRESET)
        .build())
}

/// Three validators, Alice, Bob and Charlie, on one machine or a few.
pub(crate) fn local() -> Result<ChainSpec, String> {
    Ok(builder()?
        .with_name("OpenLedger Local Testnet")
        .with_id("openledger_local")
        .with_chain_type(ChainType::Local)
        .with_genesis_config_preset_name(LOCAL_TESTNET_RUNTIME_PRESET)
        .build())
}
