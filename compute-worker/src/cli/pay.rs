//! `pay`: an operator's models as an ordinary OpenAI API on this machine.

use super::{stop_on_signals, Global};
use crate::pay::{PayOptions, PayProxy};
use anyhow::Result;
use attribution_proof::{AccountId, Balance, BlockNumber};
use clap::Args;
use std::time::Duration;

/// Gives an operator's models out as an OpenAI API on this machine, and pays for the answers.
#[derive(Debug, Args)]
#[command(
    after_help = "Example:\n  openledger-worker --key-file payer.key pay --operator-url http://127.0.0.1:8080 --deposit 50000000000000000000\n\nThen:\n  curl http://127.0.0.1:8081/v1/completions -d '{\"model\": \"1\", \"prompt\": \"Once\"}'\n  curl http://127.0.0.1:8081/v1/openledger/status\n  curl -X POST http://127.0.0.1:8081/v1/openledger/close"
)]
pub(super) struct Pay {
    /// URL of the operator's HTTP API.
    #[arg(long)]
    operator_url: String,
    /// Account of the operator. [default: the one that the operator names]
    #[arg(long)]
    payee: Option<AccountId>,
    /// Deposit of a channel that has to be opened, in base units; the rest comes back at its close.
    #[arg(long)]
    deposit: Balance,
    /// Blocks that a channel that has to be opened lives.
    #[arg(long, default_value_t = 14_400)]
    blocks: BlockNumber,
    /// Address to listen at; port 0 chooses a free one.
    #[arg(long, default_value = "127.0.0.1:8081")]
    listen: String,
    /// Key that clients have to send; needed to listen where others than this machine reach.
    #[arg(long, env = "OPENLEDGER_API_KEY", hide_env_values = true)]
    api_key: Option<String>,
    /// Seconds between two looks at the chain.
    #[arg(long, default_value_t = 6)]
    poll: u64,
}

impl Pay {
    pub(super) async fn run(self, global: &Global) -> Result<()> {
        let key = global.key()?;
        let chain = global.chain().await?;
        let options = PayOptions {
            operator: self.operator_url,
            payee: self.payee,
            deposit: self.deposit,
            blocks: self.blocks,
            listen: self.listen,
            api_key: self.api_key.filter(|key| !key.trim().is_empty()),
            poll: Duration::from_secs(self.poll.max(1)),
            folder: global.folder.clone(),
        };
        let proxy = PayProxy::open(options, chain, key).await?;
        let cancellation = stop_on_signals()?;
        let mut result = proxy.status().await?;
        result["url"] = format!("http://{}/v1", proxy.address()).into();
        global.print(&result)?;
        proxy.serve(cancellation).await?;
        Ok(())
    }
}
