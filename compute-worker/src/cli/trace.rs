//! `trace`: which data shaped an answer.

use super::{write_line, Global};
use anyhow::{ensure, Context, Result};
use attribution_proof::ChannelId;
use clap::Args;

/// Asks an operator for the trace of an answer and prints it as JSON.
#[derive(Debug, Args)]
#[command(
    after_help = "Example:\n  openledger-worker trace --url http://127.0.0.1:8080 --channel 1 --sequence 3"
)]
pub(super) struct TraceReceipt {
    /// URL of the operator's HTTP API.
    #[arg(long)]
    url: String,
    /// The channel.
    #[arg(long)]
    channel: ChannelId,
    /// Sequence number of the receipt.
    #[arg(long)]
    sequence: u64,
}

impl TraceReceipt {
    pub(super) async fn run(&self, global: &Global) -> Result<()> {
        let url = format!(
            "{}/v1/openledger/receipts/{}/{}",
            self.url.trim_end_matches('/'),
            self.channel,
            self.sequence
        );
        let response = reqwest::get(&url).await.with_context(|| {
            format!(
                "no operator answers at {}; check --url and that the operator runs",
                self.url
            )
        })?;
        let status = response.status();
        let body = response
            .text()
            .await
            .with_context(|| format!("{url} broke off"))?;
        ensure!(status.is_success(), "{url} answered {status}: {body}");
        let trace: serde_json::Value = serde_json::from_str(&body)
            .with_context(|| format!("{url} did not answer with JSON"))?;
        if global.json {
            write_line(&trace.to_string())
        } else {
            write_line(&format!("{trace:#}"))
        }
    }
}
