//! The connection to a node, and how it is kept up.

use super::ChainError;
use attribution_proof::{hash::Hash, BlockNumber};
use std::{
    collections::HashMap,
    future::Future,
    sync::Arc,
    time::{Duration, Instant},
};
use subxt::{
    client::{ClientAtBlock, OnlineClient, OnlineClientAtBlockImpl},
    config::RpcConfigFor,
    rpcs::{methods::LegacyRpcMethods, RpcClient},
    PolkadotConfig,
};
use tokio::sync::{Mutex, RwLock};

/// The chain at one block.
pub(super) type AtBlock = ClientAtBlock<PolkadotConfig, OnlineClientAtBlockImpl<PolkadotConfig>>;

/// First and longest wait between attempts to connect again; it doubles in between.
const RETRY_WAITS: [Duration; 2] = [Duration::from_millis(250), Duration::from_secs(4)];
/// How long to try to connect again.
const RETRY_TIME: Duration = Duration::from_secs(60);
/// How long a node may take to answer a connection attempt.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// Why something cannot be read at a block.
pub(super) enum Fault {
    /// The runtime is another than the worker was built for.
    Incompatible {
        /// The call or storage entry.
        item: String,
        /// Version of the runtime.
        spec_version: u32,
    },
    /// Anything else, perhaps a dead connection.
    Other(String),
}

impl Fault {
    fn while_reading(self, item: &str) -> ChainError {
        match self {
            Self::Incompatible { item, spec_version } => {
                ChainError::Incompatible { item, spec_version }
            }
            Self::Other(reason) => ChainError::Read {
                item: item.into(),
                reason,
            },
        }
    }
}

/// One connection.
pub(super) struct Connection {
    /// For everything at a block, and transactions.
    pub(super) online: OnlineClient<PolkadotConfig>,
    /// For the best block and the pool's view of nonces.
    pub(super) rpc: LegacyRpcMethods<RpcConfigFor<PolkadotConfig>>,
}

impl Connection {
    async fn open(url: &str) -> Result<Self, ChainError> {
        let failed = |reason: String| ChainError::Unreachable {
            url: url.into(),
            reason,
        };
        let attempt = async {
            let client = RpcClient::from_insecure_url(url)
                .await
                .map_err(|error| error.to_string())?;
            let online = OnlineClient::from_rpc_client(client.clone())
                .await
                .map_err(|error| error.to_string())?;
            Ok(Self {
                online,
                rpc: LegacyRpcMethods::new(client),
            })
        };
        tokio::time::timeout(CONNECT_TIMEOUT, attempt)
            .await
            .map_err(|_| failed(format!("no answer within {} s", CONNECT_TIMEOUT.as_secs())))?
            .map_err(failed)
    }

    /// The chain at the best block.
    pub(super) async fn best(&self) -> Result<AtBlock, String> {
        let hash = self
            .rpc
            .chain_get_block_hash(None)
            .await
            .map_err(|error| error.to_string())?
            .ok_or("the node knows no block")?;
        self.online
            .at_block(hash)
            .await
            .map_err(|error| error.to_string())
    }

    /// The chain at the last finalised block.
    pub(super) async fn finalised(&self) -> Result<AtBlock, String> {
        self.online
            .at_current_block()
            .await
            .map_err(|error| error.to_string())
    }

    async fn is_alive(&self) -> bool {
        let ping = self.rpc.chain_get_finalized_head();
        matches!(tokio::time::timeout(CONNECT_TIMEOUT, ping).await, Ok(Ok(_)))
    }
}

struct Inner {
    url: String,
    genesis: Hash,
    connection: RwLock<Arc<Connection>>,
    /// When an attempt to connect again was given up.
    gave_up: Mutex<Option<Instant>>,
    /// One lock for each account that sends, so that nonces are given out in order.
    senders: Mutex<HashMap<[u8; 32], Arc<Mutex<()>>>>,
}

/// A handle on the chain; clones share the connection.
#[derive(Clone)]
pub struct Client(Arc<Inner>);

impl std::fmt::Debug for Client {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("Client")
            .field("url", &self.0.url)
            .field("genesis", &self.0.genesis)
            .finish()
    }
}

impl Client {
    /// Connects to the node at `url`, for example `ws://127.0.0.1:9944`.
    pub async fn connect(url: &str) -> Result<Self, ChainError> {
        let connection = Connection::open(url).await?;
        Ok(Self(Arc::new(Inner {
            url: url.into(),
            genesis: genesis_of(&connection),
            connection: RwLock::new(Arc::new(connection)),
            gave_up: Mutex::default(),
            senders: Mutex::default(),
        })))
    }

    /// Hash of the first block: it names the chain, and every signed object contains it.
    pub fn genesis(&self) -> Hash {
        self.0.genesis
    }

    /// URL of the node.
    pub fn url(&self) -> &str {
        &self.0.url
    }

    /// Number of the best block.
    pub async fn best_block(&self) -> Result<BlockNumber, ChainError> {
        self.read("the best block", |at| async move { Ok(number(&at)) })
            .await
    }

    /// Number of the last finalised block.
    pub async fn finalised_block(&self) -> Result<BlockNumber, ChainError> {
        self.with_connection("the finalised block", |connection| async move {
            Ok(number(&connection.finalised().await.map_err(Fault::Other)?))
        })
        .await
    }

    /// Waits until the best block is at least `block`.
    pub async fn wait_for_block(&self, block: BlockNumber) -> Result<(), ChainError> {
        while self.best_block().await? < block {
            tokio::time::sleep(Duration::from_secs(1)).await;
        }
        Ok(())
    }

    /// Runs `what` at the best block.
    pub(super) async fn read<T, F: Future<Output = Result<T, Fault>>>(
        &self,
        item: &str,
        what: impl Fn(AtBlock) -> F,
    ) -> Result<T, ChainError> {
        self.with_connection(item, |connection| {
            let what = &what;
            async move { what(connection.best().await.map_err(Fault::Other)?).await }
        })
        .await
    }

    /// Runs `what`, and once more on a new connection if the old one turns out to be dead.
    pub(super) async fn with_connection<T, F: Future<Output = Result<T, Fault>>>(
        &self,
        item: &str,
        what: impl Fn(Arc<Connection>) -> F,
    ) -> Result<T, ChainError> {
        let connection = self.connection().await;
        match what(connection.clone()).await {
            Ok(value) => Ok(value),
            Err(Fault::Other(reason)) if !connection.is_alive().await => {
                tracing::warn!(url = self.0.url, %reason, "lost the connection to the node");
                let again = what(self.reconnect(&connection).await?).await;
                again.map_err(|fault| fault.while_reading(item))
            }
            Err(fault) => Err(fault.while_reading(item)),
        }
    }

    pub(super) async fn connection(&self) -> Arc<Connection> {
        self.0.connection.read().await.clone()
    }

    /// Replaces the connection `dead`, unless somebody else did already.
    pub(super) async fn reconnect(
        &self,
        dead: &Arc<Connection>,
    ) -> Result<Arc<Connection>, ChainError> {
        let asked = Instant::now();
        let mut current = self.0.connection.write().await;
        if !Arc::ptr_eq(&current, dead) {
            return Ok(current.clone());
        }
        // Whoever waited while somebody else tried would otherwise try as long again, one by one.
        let mut gave_up = self.0.gave_up.lock().await;
        if gave_up.is_some_and(|at| at > asked) {
            return Err(ChainError::Unreachable {
                url: self.0.url.clone(),
                reason: format!("no connection within {} s", RETRY_TIME.as_secs()),
            });
        }
        let began = Instant::now();
        let [mut wait, longest] = RETRY_WAITS;
        let connection = loop {
            match Connection::open(&self.0.url).await {
                Ok(connection) => break connection,
                Err(error) if began.elapsed() > RETRY_TIME => {
                    *gave_up = Some(Instant::now());
                    return Err(error);
                }
                Err(_) => tokio::time::sleep(wait).await,
            }
            wait = longest.min(wait * 2);
        };
        let found = genesis_of(&connection);
        if found != self.0.genesis {
            return Err(ChainError::OtherChain {
                url: self.0.url.clone(),
                expected: format!("{:?}", self.0.genesis),
                found: format!("{found:?}"),
            });
        }
        tracing::info!(url = self.0.url, "connected to the node again");
        *current = Arc::new(connection);
        Ok(current.clone())
    }

    /// Whether the connection still works; a transaction that failed on a dead one may be pending.
    pub(super) async fn is_alive(&self, connection: &Connection) -> bool {
        connection.is_alive().await
    }

    /// The lock of a sending account.
    pub(super) async fn sender(&self, account: [u8; 32]) -> Arc<Mutex<()>> {
        self.0
            .senders
            .lock()
            .await
            .entry(account)
            .or_default()
            .clone()
    }
}

fn genesis_of(connection: &Connection) -> Hash {
    Hash::from(connection.online.genesis_hash().0)
}

/// Block numbers of this chain have 32 bits.
pub(super) fn number(at: &AtBlock) -> BlockNumber {
    BlockNumber::try_from(at.block_number()).unwrap_or(BlockNumber::MAX)
}
