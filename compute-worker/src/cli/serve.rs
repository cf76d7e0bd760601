//! `serve`, and the serving half of `run`.

use super::{stop_on_signals, Global};
use crate::{
    chain::Client,
    generate::EngineLimits,
    keys::Key,
    metrics::Metrics,
    serve::{self, ServeOptions},
    store::ContentStore,
    train::CancellationFlag,
};
use anyhow::{ensure, Result};
use attribution_proof::{Balance, ModelId};
use clap::Args;
use std::{path::Path, time::Duration};

/// How answers are served.
#[derive(Debug, Args)]
pub(super) struct ServingOptions {
    /// Serve only these models. [default: all that are live on chain]
    #[arg(long, value_delimiter = ',')]
    models: Vec<ModelId>,
    /// Most that a channel may owe without a voucher, in base units.
    #[arg(long, default_value_t = 10_000_000_000_000_000_000)]
    most_unsigned: Balance,
    /// Settle a channel when so much has gathered, in base units.
    #[arg(long, default_value_t = 100_000_000_000_000_000_000)]
    settle_amount: Balance,
    /// Settle a channel when something has waited for so many seconds.
    #[arg(long, default_value_t = 3_600)]
    settle_age: u64,
    /// Settle a channel when its totals have so many entries.
    #[arg(long, default_value_t = 512)]
    settle_entries: usize,
    /// Requests that wait for an answer; more are refused.
    #[arg(long, default_value_t = EngineLimits::default().queue)]
    queue: usize,
    /// Requests that are answered in turn.
    #[arg(long, default_value_t = EngineLimits::default().active)]
    active: usize,
}

impl ServingOptions {
    fn options(&self, listen: &str, folder: &Path, poll: Duration) -> ServeOptions {
        ServeOptions {
            listen: listen.to_owned(),
            models: self.models.clone(),
            most_unsigned: self.most_unsigned,
            settle_amount: self.settle_amount,
            settle_age: Duration::from_secs(self.settle_age),
            settle_entries: self.settle_entries.max(1),
            poll,
            folder: folder.to_path_buf(),
            limits: EngineLimits {
                queue: self.queue.max(1),
                active: self.active.max(1),
            },
        }
    }

    /// Serves at `listen` until `cancellation`.
    pub(super) async fn serve(
        &self,
        listen: &str,
        folder: &Path,
        poll: Duration,
        chain: Client,
        store: ContentStore,
        key: Key,
        metrics: Metrics,
        cancellation: CancellationFlag,
    ) -> Result<()> {
        for model in &self.models {
            ensure!(
                chain.manifest(*model).await?.is_some(),
                "there is no model {model} on this chain; correct --models, or leave it out to serve all"
            );
        }
        let options = self.options(listen, folder, poll);
        serve::run(options, chain, store, key, metrics, cancellation).await?;
        Ok(())
    }
}

/// Serves models and settles their channels, without training.
#[derive(Debug, Args)]
#[command(
    after_help = "Example:\n  openledger-worker --key-file operator.key serve --listen 0.0.0.0:8080"
)]
pub(super) struct Serve {
    /// Address to serve at; port 0 chooses a free one.
    #[arg(long, default_value = "127.0.0.1:8080")]
    listen: String,
    /// Seconds between two looks at the chain.
    #[arg(long, default_value_t = 3)]
    poll: u64,
    #[command(flatten)]
    serving: ServingOptions,
}

impl Serve {
    pub(super) async fn run(&self, global: &Global) -> Result<()> {
        let key = global.key()?;
        let store = global.store()?;
        let chain = global.chain().await?;
        let cancellation = stop_on_signals()?;
        let poll = Duration::from_secs(self.poll.max(1));
        let metrics = Metrics::default();
        let folder = &global.folder;
        self.serving
            .serve(
                &self.listen,
                folder,
                poll,
                chain,
                store,
                key,
                metrics,
                cancellation,
            )
            .await
    }
}
