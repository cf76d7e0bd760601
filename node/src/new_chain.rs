//! Makes the specification of a new chain from a file that names its validators and allocations. No secret
//! goes into either: validators hand in public session keys.

use std::{fs, path::PathBuf};

use codec::DecodeAll;
use openledger_runtime::{
    configs::{consensus::SessionKeys, system::SS58Prefix},
    constants::currency::UNIT,
    genesis_presets::{genesis, Allocation, GenesisValidator, GenesisVesting},
    AccountId, BlockNumber,
};
use sc_chain_spec::ChainType;
use sc_network::config::MultiaddrWithPeerId;
use serde::Deserialize;
use sp_core::crypto::{
    default_ss58_version, set_default_ss58_version, Ss58AddressFormatRegistry, Ss58Codec,
};

use crate::chain_spec::{self, ChainSpec};

const EXAMPLE: &str = r#"Example of FILE (amounts in whole OPEN; session keys as author_rotateKeysWithOwner gives them):
    {
      "name": "OpenLedger Testnet",
      "id": "openledger_testnet",
      "bootNodes": ["/dns/boot.example.org/tcp/30333/p2p/12D3KooW..."],
      "validators": [
        { "account": "dZ...", "sessionKeys": "0x...", "stake": 1000000 }
      ],
      "allocations": [
        { "account": "dZ...", "amount": 1000100 },
        { "account": "dY...", "amount": 5000000,
          "vesting": { "free": 500000, "beginBlock": 10512000, "blocks": 31536000 } }
      ]
    }

All OPEN that are neither allocated nor the treasury's are the reserve that pays stakers. A validator's
stake comes out of its allocation. Then each validator starts its node with
    openledger-node --chain SPECIFICATION --validator"#;

/// Write the specification of a new chain with validators and allocations of your own.
#[derive(Debug, clap::Parser)]
#[command(after_help = EXAMPLE)]
pub(crate) struct NewChainSpecCmd {
    /// JSON file with validators and allocations; see below.
    #[arg(value_name = "FILE")]
    input: PathBuf,

    /// Where the specification goes; standard output if not given.
    #[arg(long, value_name = "FILE")]
    output: Option<PathBuf>,

    /// Write the state itself instead of what it is made from. All nodes of a chain have to start from the
    /// same bytes, so this is what they are given.
    #[arg(long)]
    raw: bool,
}

/// What the file says.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct NewChain {
    name: String,
    id: String,
    #[serde(default)]
    boot_nodes: Vec<MultiaddrWithPeerId>,
    validators: Vec<Validator>,
    allocations: Vec<Allocated>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Validator {
    account: String,
    session_keys: String,
    stake: u64,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Allocated {
    account: String,
    amount: u64,
    vesting: Option<Vesting>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Vesting {
    free: u64,
    begin_block: BlockNumber,
    blocks: BlockNumber,
}

/// An account from its address on this chain. One of another chain's prefix is most likely a mistake.
fn account(address: &str) -> Result<AccountId, String> {
    match AccountId::from_ss58check_with_version(address) {
        Ok((account, version)) if u16::from(version) == SS58Prefix::get() => Ok(account),
        Ok((account, version)) => Err(format!(
            "{address} has another chain's prefix, {}; if it is meant, write it as {}",
            u16::from(version),
            account.to_ss58check()
        )),
        Err(error) => Err(format!("{address} is no address: {error}")),
    }
}

fn session_keys(owner: &str, hex: &str) -> Result<SessionKeys, String> {
    let bytes = sp_core::bytes::from_hex(hex)
        .map_err(|error| format!("the session keys of {owner} are no hexadecimal: {error}"))?;
    SessionKeys::decode_all(&mut &bytes[..]).map_err(|_| {
        format!(
            "the session keys of {owner} are {} bytes instead of the 96 of BABE, GRANDPA and authority discovery",
            bytes.len()
        )
    })
}

fn base_units(open: u64) -> u128 {
    u128::from(open) * UNIT
}

/// The specification that the file's text describes.
fn specification(text: &str) -> Result<ChainSpec, String> {
    let chain: NewChain = serde_json::from_str(text).map_err(|error| error.to_string())?;
    let validators = chain
        .validators
        .iter()
        .map(|validator| {
            Ok(GenesisValidator {
                stash: account(&validator.account)?,
                keys: session_keys(&validator.account, &validator.session_keys)?,
                stake: base_units(validator.stake),
            })
        })
        .collect::<Result<Vec<_>, String>>()?;
    let allocations = chain
        .allocations
        .iter()
        .map(|allocated| {
            Ok(Allocation {
                account: account(&allocated.account)?,
                amount: base_units(allocated.amount),
                vesting: allocated.vesting.as_ref().map(|vesting| GenesisVesting {
                    free: base_units(vesting.free),
                    begin: vesting.begin_block,
                    length: vesting.blocks,
                }),
            })
        })
        .collect::<Result<Vec<_>, String>>()?;
    // The runtime that reads them knows addresses with the generic prefix only.
    let own_prefix = default_ss58_version();
    set_default_ss58_version(Ss58AddressFormatRegistry::SubstrateAccount.into());
    let patch = genesis(&validators, &allocations);
    set_default_ss58_version(own_prefix);
    let patch = patch.map_err(|error| error.to_string())?;
    Ok(chain_spec::builder()?
        .with_name(&chain.name)
        .with_id(&chain.id)
        .with_chain_type(ChainType::Live)
        .with_boot_nodes(chain.boot_nodes)
        .with_genesis_config_patch(patch)
        .build())
}

impl NewChainSpecCmd {
    /// Writes the specification.
    pub(crate) fn run(&self) -> sc_cli::Result<()> {
        let input = self.input.display();
        let text = fs::read_to_string(&self.input)
            .map_err(|error| format!("{input} cannot be read: {error}"))?;
        let specification = specification(&text)
            .and_then(|specification| specification.as_json(self.raw))
            .map_err(|error| format!("{input}: {error}"))?;
        match &self.output {
            Some(output) => fs::write(output, specification).map_err(|error| {
                format!(
                    "the specification cannot be written to {}: {error}",
                    output.display()
                )
            })?,
            None => println!("{specification}"),
        }
        Ok(())
    }
}
