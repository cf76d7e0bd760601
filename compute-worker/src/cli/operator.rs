//! `run`: an operator.

use super::{serve::ServingOptions, stop_on_signals, Global};
use crate::{
    metrics::Metrics,
    operator::{self, hardware_profile, OperatorOptions},
};
use anyhow::{Context, Result};
use attribution_proof::{AccountId, Balance};
use clap::Args;
use std::{io::IsTerminal, time::Duration};

/// Works as an operator until it is interrupted.
#[derive(Debug, Args)]
#[command(
    after_help = "Example:\n  openledger-worker --key-file operator.key run --endpoint https://operator.example --metrics 127.0.0.1:9617"
)]
pub(super) struct Run {
    /// URL under which clients reach this operator.
    #[arg(long)]
    endpoint: String,
    /// Bond when registering, in base units. [default: the least that is allowed]
    #[arg(long)]
    bond: Option<Balance>,
    /// Hardware profile as JSON text. [default: what this machine is]
    #[arg(long)]
    hardware: Option<String>,
    /// Take only jobs of these accounts.
    #[arg(long, value_delimiter = ',')]
    builders: Vec<AccountId>,
    /// Jobs at once.
    #[arg(long, default_value_t = 4)]
    most_jobs: usize,
    /// Least fee of a job, in base units.
    #[arg(long, default_value_t = 0)]
    least_fee: Balance,
    /// Most memory that a job's training may need, in GiB, as roughly estimated.
    #[arg(long, default_value_t = 8)]
    most_memory: u32,
    /// Seconds between two looks at the chain.
    #[arg(long, default_value_t = 3)]
    poll: u64,
    /// Optimiser steps between checkpoints.
    #[arg(long, default_value_t = 50)]
    checkpoint_every: u32,
    /// Address for Prometheus; port 0 chooses a free one. None if missing.
    #[arg(long)]
    metrics: Option<String>,
    /// Serve models at this address beside the jobs; port 0 chooses a free one. None if missing.
    #[arg(long)]
    listen: Option<String>,
    #[command(flatten)]
    serving: ServingOptions,
}

impl Run {
    pub(super) async fn run(&self, global: &Global) -> Result<()> {
        let key = global.key()?;
        let store = global.store()?;
        let chain = global.chain().await?;
        let metrics = Metrics::default();
        let cancellation = stop_on_signals()?;
        if let Some(address) = &self.metrics {
            let listener = tokio::net::TcpListener::bind(address)
                .await
                .with_context(|| format!("cannot listen at {address}; choose another --metrics"))?;
            tracing::info!(address = %listener.local_addr()?, "metrics");
            let router = metrics.router();
            tokio::spawn(async move { axum::serve(listener, router).await });
        }
        let options = OperatorOptions {
            bond: self.bond,
            endpoint: self.endpoint.clone(),
            hardware: self.hardware.clone().unwrap_or_else(hardware_profile),
            builders: self.builders.clone(),
            most_jobs: self.most_jobs,
            least_fee: self.least_fee,
            most_memory: u64::from(self.most_memory) << 30,
            poll: Duration::from_secs(self.poll.max(1)),
            folder: global.folder.join("jobs"),
            checkpoint_every: self.checkpoint_every.max(1),
            progress: std::io::stderr().is_terminal() && !global.json,
        };
        let serving = async {
            match &self.listen {
                None => Ok(()),
                Some(listen) => {
                    let (poll, folder) = (options.poll, &global.folder);
                    let (chain, store, key) = (chain.clone(), store.clone(), key.clone());
                    let (metrics, cancellation) = (metrics.clone(), cancellation.clone());
                    self.serving
                        .serve(
                            listen,
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
        };
        let working = async {
            let (chain, store, key) = (chain.clone(), store.clone(), key.clone());
            let (metrics, cancellation) = (metrics.clone(), cancellation.clone());
            operator::run(options.clone(), chain, store, key, metrics, cancellation)
                .await
                .map_err(anyhow::Error::from)
        };
        tokio::try_join!(working, serving)?;
        Ok(())
    }
}
