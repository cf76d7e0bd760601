//! `key`: the account that the worker signs as.

use super::Global;
use anyhow::Result;
use clap::Args;

/// Shows the account of the key.
#[derive(Debug, Args)]
pub(super) struct ShowKey {}

impl ShowKey {
    pub(super) fn run(&self, global: &Global) -> Result<()> {
        let account = global.key()?.account();
        global.print(&serde_json::json!({
            "account": account.to_string(),
            "public_key": format!("0x{}", hex::encode::<&[u8]>(account.as_ref())),
        }))
    }
}
