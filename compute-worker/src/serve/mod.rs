//! Serving: answers over HTTP in OpenAI's shape, a receipt with each, and getting paid for them.
//!
//! A client names its payment channel in the header [`CHANNEL_HEADER`]. The answer comes with a signed
//! receipt in the field `openledger`: in the body, or in the last object of a stream, which has no
//! choices. The client checks it and posts a voucher. Routes:
//!
//! | | |
//! |---|---|
//! | `GET /v1/models` | models, prices, and how to pay |
//! | `POST /v1/completions`, `/v1/chat/completions` | answers |
//! | `POST /v1/openledger/vouchers` | a voucher: hexadecimal SCALE of `SignedVoucher` |
//! | `GET /v1/openledger/channels/{channel}` | where a channel stands |
//! | `GET /v1/openledger/receipts/{channel}/{sequence}` | the trace of an answer, for people |
//! | `GET /v1/openledger/receipts/{channel}/{sequence}/raw` | SCALE of [`StoredReceipt`](crate::ledger::StoredReceipt), for watchers |
//! | `POST /v1/openledger/settle` | settles now; from this machine only |
//! | `GET /metrics`, `GET /health` | for the operator |

mod channel;
mod demand;
mod error;
mod http;
mod metrics;
mod models;
mod openai;
mod settle;
mod trace;

#[cfg(test)]
pub(crate) mod tests;

use crate::{
    chain::Client,
    generate::EngineLimits,
    keys::Key,
    ledger::{Ledger, LedgerError},
    metrics::Metrics,
    store::{ContentStore, StoreError},
    train::CancellationFlag,
};
use attribution_proof::{Balance, ModelId};
use channel::Desk;
use metrics::ServingMetrics;
use models::Models;
use settle::Settler;
use std::{collections::HashMap, net::SocketAddr, path::PathBuf, sync::Arc, time::Duration};
use tokio::{net::TcpListener, sync::Semaphore};

/// Header in which a client names its channel.
pub const CHANNEL_HEADER: &str = "x-openledger-channel";
/// How often the server looks whether it should stop.
const STOP_POLL: Duration = Duration::from_millis(200);

/// Why serving ended or could not begin.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// The address cannot be listened at.
    #[error("cannot listen at {address}: {source}; choose another --listen")]
    Listen {
        /// The address.
        address: String,
        /// The cause.
        source: std::io::Error,
    },
    /// The folder cannot be made.
    #[error("cannot make the folder {path}: {source}; name another --folder")]
    Folder {
        /// The folder.
        path: PathBuf,
        /// The cause.
        source: std::io::Error,
    },
    /// The books.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    /// The store of audit bundles.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The server failed.
    #[error("the HTTP server failed: {0}")]
    Http(std::io::Error),
}

/// How an operator serves.
#[derive(Clone, Debug)]
pub struct ServeOptions {
    /// Address to listen at; port 0 chooses a free one.
    pub listen: String,
    /// Only these models; all that are live if empty.
    pub models: Vec<ModelId>,
    /// Most that a channel may owe without a voucher, in base units.
    pub most_unsigned: Balance,
    /// Settle a channel when so much has gathered, in base units.
    pub settle_amount: Balance,
    /// Settle a channel when something has waited for so long.
    pub settle_age: Duration,
    /// Settle a channel when its totals have so many entries.
    pub settle_entries: usize,
    /// Time between two looks at the chain.
    pub poll: Duration,
    /// Where books and audit bundles lie.
    pub folder: PathBuf,
    /// Requests that wait and that are answered at once.
    pub limits: EngineLimits,
}

/// What all requests share.
struct Server {
    chain: Client,
    ledger: Ledger,
    key: Key,
    models: Arc<Models>,
    desk: Arc<Desk>,
    settler: Arc<Settler>,
    audits: ContentStore,
    metrics: Metrics,
    figures: ServingMetrics,
    tracing: Semaphore,
}

/// Opens books and address, and serves until `cancellation`.
pub async fn run(
    options: ServeOptions,
    chain: Client,
    store: ContentStore,
    key: Key,
    metrics: Metrics,
    cancellation: CancellationFlag,
) -> Result<(), ServeError> {
    let failed = |source| ServeError::Listen {
        address: options.listen.clone(),
        source,
    };
    let listener = TcpListener::bind(&options.listen).await.map_err(failed)?;
    let address = listener.local_addr().map_err(failed)?;
    // Channels of another chain have the same numbers.
    let chain_name = hex::encode(&chain.genesis().as_bytes()[..8]);
    let folder = options.folder.join(format!("serving-{chain_name}"));
    std::fs::create_dir_all(&folder).map_err(|source| ServeError::Folder {
        path: folder.clone(),
        source,
    })?;
    let ledger = Ledger::open(&folder.join("ledger"))?;
    let audits = ContentStore::open(&folder.join("audits").to_string_lossy())?;
    let figures = ServingMetrics::new(&metrics);
    let desk = Arc::new(Desk::new(
        chain.clone(),
        ledger.clone(),
        key.account(),
        &options,
    ));
    let models = Arc::new(Models::new(
        chain.clone(),
        store.clone(),
        folder.join("loading"),
        options.limits,
        options.models.clone(),
    ));
    let settler = Arc::new(Settler::new(
        chain.clone(),
        ledger.clone(),
        key.clone(),
        desk.clone(),
        models.clone(),
        store.clone(),
        figures.clone(),
        &options,
    ));
    let background = [
        tokio::spawn(keep_models(models.clone(), figures.clone(), options.poll)),
        tokio::spawn({
            let settler = settler.clone();
            async move { settler.run(options.poll).await }
        }),
    ];
    let server = Arc::new(Server {
        chain,
        ledger,
        key,
        models,
        desk,
        settler,
        audits,
        metrics,
        figures,
        tracing: Semaphore::new(1),
    });
    tracing::info!(%address, "listening");
    let service = http::router(server).into_make_service_with_connect_info::<SocketAddr>();
    let served = axum::serve(listener, service)
        .with_graceful_shutdown(async move {
            while !cancellation.is_cancelled() {
                tokio::time::sleep(STOP_POLL).await;
            }
        })
        .await;
    for task in &background {
        task.abort();
    }
    served.map_err(ServeError::Http)
}

/// Loads what is new on chain, for ever.
async fn keep_models(models: Arc<Models>, figures: ServingMetrics, poll: Duration) {
    let mut failed = HashMap::new();
    loop {
        if let Err(error) = models.refresh(&mut failed).await {
            tracing::warn!(%error, "cannot look for models");
        }
        figures
            .models
            .set(i64::try_from(models.all().len()).unwrap_or(i64::MAX));
        tokio::time::sleep(poll).await;
    }
}
