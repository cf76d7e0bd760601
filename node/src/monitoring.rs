//! Publishes for Prometheus what the runtime says about its state and its blocks. The names and what they
//! mean are the runtime's business, so an upgrade can add figures without a new node.

use std::{
    collections::BTreeMap,
    sync::Arc,
    time::{Duration, Instant},
};

use futures::StreamExt;
use openledger_runtime::{
    monitoring::Figure, openledger_api::MonitoringApi, Hash, OpaqueBlock as Block,
};
use prometheus_endpoint::{register, Counter, Gauge, PrometheusError, Registry, F64};
use sc_client_api::BlockchainEvents;
use sp_api::{ApiError, ApiExt, ApiRef, ProvideRuntimeApi};

use crate::service::FullClient;

/// Target of this module's log lines.
const LOG_TARGET: &str = "monitoring";
/// What the names begin with.
const PREFIX: &str = "openledger_";
/// The state is walked over no more often than this.
const STATE_INTERVAL: Duration = Duration::from_secs(15);

/// The runtime, as the client calls it.
type FullApi = <FullClient as ProvideRuntimeApi<Block>>::Api;

/// The figures that were seen so far.
struct Published {
    registry: Registry,
    /// Of the state.
    gauges: BTreeMap<String, Gauge<F64>>,
    /// Of the blocks.
    counters: BTreeMap<String, Counter<F64>>,
}

/// The value in floating point, as Prometheus has it.
fn value(figure: &Figure) -> f64 {
    figure.value as f64 / 10_f64.powi(figure.decimals.into())
}

impl Published {
    /// Sets figures of the state.
    fn set(&mut self, figures: Vec<Figure>) -> Result<(), PrometheusError> {
        for figure in figures {
            if !self.gauges.contains_key(&figure.name) {
                let gauge = Gauge::new(format!("{PREFIX}{}", figure.name), figure.help.clone())?;
                self.gauges
                    .insert(figure.name.clone(), register(gauge, &self.registry)?);
            }
            self.gauges[&figure.name].set(value(&figure));
        }
        Ok(())
    }

    /// Adds figures of a block.
    fn add(&mut self, figures: Vec<Figure>) -> Result<(), PrometheusError> {
        for figure in figures {
            if !self.counters.contains_key(&figure.name) {
                let counter =
                    Counter::new(format!("{PREFIX}{}", figure.name), figure.help.clone())?;
                self.counters
                    .insert(figure.name.clone(), register(counter, &self.registry)?);
            }
            self.counters[&figure.name].inc_by(value(&figure));
        }
        Ok(())
    }
}

/// Asks the runtime of a block for figures, which not every chain's has.
fn figures(
    client: &FullClient,
    block: Hash,
    ask: impl FnOnce(&ApiRef<'_, FullApi>, Hash) -> Result<Vec<Figure>, ApiError>,
) -> Result<Vec<Figure>, ApiError> {
    let api = client.runtime_api();
    if api.has_api::<dyn MonitoringApi<Block>>(block)? {
        ask(&api, block)
    } else {
        Ok(Vec::new())
    }
}

/// Publishes figures of all blocks that become final from now on, until the node ends.
pub(crate) async fn publish(client: Arc<FullClient>, registry: Registry) {
    let mut published = Published {
        registry,
        gauges: BTreeMap::new(),
        counters: BTreeMap::new(),
    };
    let mut state_read: Option<Instant> = None;
    let mut final_blocks = client.finality_notification_stream();
    while let Some(notification) = final_blocks.next().await {
        let blocks = notification.tree_route.iter().chain([&notification.hash]);
        for block in blocks {
            match figures(&client, *block, |api, block| api.block_figures(block)) {
                Ok(figures) => report(published.add(figures)),
                // Its state is gone already: the node was far behind.
                Err(error) => log::debug!(target: LOG_TARGET, "no figures of {block:?}: {error}"),
            }
        }
        if state_read.is_some_and(|then| then.elapsed() < STATE_INTERVAL) {
            continue;
        }
        state_read = Some(Instant::now());
        let block = notification.hash;
        match figures(&client, block, |api, block| api.state_figures(block)) {
            Ok(figures) => report(published.set(figures)),
            Err(error) => log::warn!(target: LOG_TARGET, "no figures of the state: {error}"),
        }
    }
}

/// A figure that cannot be published is a fault of the runtime's names, and none of the node's work.
fn report(outcome: Result<(), PrometheusError>) {
    if let Err(error) = outcome {
        log::warn!(target: LOG_TARGET, "a figure cannot be published: {error}");
    }
}
