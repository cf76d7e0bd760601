//! Paying: a local proxy that gives an operator's models out as an ordinary OpenAI API.
//!
//! It holds a payment channel, adds the channel to each request, checks the receipt that comes with
//! each answer, and signs a voucher for it. A false receipt is kept as evidence and gets no voucher.
//! Clients need not know any of that. Beside OpenAI's routes:
//!
//! | | |
//! |---|---|
//! | `GET /v1/openledger/status` | channel, deposit, receipts, disputes |
//! | `POST /v1/openledger/top-up` | adds to the deposit: `{"amount": "1000000000000000000"}` |
//! | `POST /v1/openledger/extend` | moves the expiry: `{"blocks": 14400}` from now |
//! | `POST /v1/openledger/close` | asks to close; what is left of the deposit comes back by itself |

mod chain;
mod error;
mod events;
mod journal;
mod payer;
mod proxy;
#[cfg(test)]
mod tests;
mod verify;

pub use error::PayError;
pub use verify::FalseReceipt;

use crate::{
    chain::{calls, Channel, Client, Wait},
    keys::Key,
    ledger::Ledger,
    remote::RemoteOperator,
    train::CancellationFlag,
};
use attribution_proof::{AccountId, Balance, BlockNumber, ChannelId};
use chain::{Change, NodeChain};
use journal::Journal;
use payer::Payer;
use serde_json::Value;
use std::{net::SocketAddr, path::PathBuf, sync::Arc, time::Duration};
use tokio::net::TcpListener;
use verify::ChannelTerms;

/// Blocks that a channel has to live on to be used again.
const LEAST_LIFE: BlockNumber = 50;
/// How often the proxy looks whether it should stop.
const STOP_POLL: Duration = Duration::from_millis(200);

/// How to pay.
#[derive(Clone, Debug)]
pub struct PayOptions {
    /// URL of the operator's HTTP API.
    pub operator: String,
    /// The account to pay; the operator's own word if none.
    pub payee: Option<AccountId>,
    /// Deposit of a channel that is opened, in base units.
    pub deposit: Balance,
    /// Blocks that a channel that is opened lives.
    pub blocks: BlockNumber,
    /// Address to listen at; port 0 chooses a free one.
    pub listen: String,
    /// What clients have to show; needed where others can reach the address.
    pub api_key: Option<String>,
    /// Time between two looks at the chain.
    pub poll: Duration,
    /// Where the books lie.
    pub folder: PathBuf,
}

/// A proxy that has its channel and its address, and does not serve yet.
pub struct PayProxy {
    payer: Arc<Payer>,
    listener: TcpListener,
    address: SocketAddr,
    api_key: Option<String>,
    poll: Duration,
}

impl PayProxy {
    /// Opens address, books and channel. A channel to the same payee that is in the books is used again.
    pub async fn open(options: PayOptions, client: Client, key: Key) -> Result<Self, PayError> {
        let failed = |source| PayError::Listen {
            address: options.listen.clone(),
            source,
        };
        let listener = TcpListener::bind(&options.listen).await.map_err(failed)?;
        let address = listener.local_addr().map_err(failed)?;
        if !address.ip().to_canonical().is_loopback() && options.api_key.is_none() {
            return Err(PayError::Exposed {
                address: options.listen.clone(),
            });
        }
        let operator = RemoteOperator::new(&options.operator)?;
        let payee = payee(&options, &operator, &client).await?;
        // Channels of another chain have the same numbers, and a ledger serves one process at a time.
        let account = key.account();
        let short = |bytes: &[u8]| hex::encode(bytes.get(..8).unwrap_or(bytes));
        let folder = options.folder.join(format!(
            "paying-{}-{}-{}",
            short(client.genesis().as_bytes()),
            short(account.as_ref()),
            short(payee.as_ref())
        ));
        std::fs::create_dir_all(&folder).map_err(|source| PayError::File {
            path: folder.clone(),
            source,
        })?;
        let ledger = Ledger::open(&folder.join("ledger"))?;
        let journal = Journal::open(&folder.join("requests"))?;
        let (id, channel) = match known_channel(&client, &ledger, &account, &payee).await? {
            Some(known) => known,
            None => open_channel(&client, &key, &payee, &options).await?,
        };
        let rules = client.ruleset(channel.ruleset).await?.ok_or_else(|| {
            PayError::State(format!(
                "ruleset {} of channel {id} is not there",
                channel.ruleset
            ))
        })?;
        let terms = ChannelTerms {
            genesis: client.genesis(),
            channel: id,
            payee,
            ruleset: channel.ruleset,
            rules,
        };
        let chain = Arc::new(NodeChain {
            client,
            key: key.clone(),
        });
        let payer = Payer::new(chain, operator, key, ledger, journal, terms, folder);
        match payer.synchronise().await {
            Ok(()) => {}
            Err(error @ PayError::LostBooks { .. }) => return Err(error),
            // Requests find out; and the channel can be closed whatever the operator does.
            Err(error) => tracing::warn!(%error, "the operator's books cannot be compared yet"),
        }
        Ok(Self {
            payer: Arc::new(payer),
            listener,
            address,
            api_key: options.api_key.map(|key| key.trim().to_owned()),
            poll: options.poll,
        })
    }

    /// The address that clients use.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Where the channel stands, as `GET /v1/openledger/status` has it.
    pub async fn status(&self) -> Result<Value, PayError> {
        self.payer.status().await
    }

    /// Serves until `cancellation`.
    pub async fn serve(self, cancellation: CancellationFlag) -> Result<(), PayError> {
        let background = tokio::spawn(keep(self.payer.clone(), self.poll));
        let router = proxy::router(self.payer, self.api_key.as_deref());
        let served = axum::serve(self.listener, router)
            .with_graceful_shutdown(async move {
                while !cancellation.is_cancelled() {
                    tokio::time::sleep(STOP_POLL).await;
                }
            })
            .await;
        background.abort();
        served.map_err(PayError::Http)
    }
}

/// Whom to pay, checked against what the operator says about itself.
async fn payee(
    options: &PayOptions,
    operator: &RemoteOperator,
    client: &Client,
) -> Result<AccountId, PayError> {
    let url = || options.operator.clone();
    let (genesis, found) = operator.identity().await?;
    let expected = format!("{:?}", client.genesis());
    if genesis != expected {
        return Err(PayError::OtherChain {
            url: url(),
            found: genesis,
            expected,
        });
    }
    match &options.payee {
        Some(expected) if *expected != found => Err(PayError::OtherPayee {
            url: url(),
            found,
            expected: expected.clone(),
        }),
        _ => Ok(found),
    }
}

/// The channel with the most left, of those that these books can go on with.
async fn known_channel(
    client: &Client,
    ledger: &Ledger,
    account: &AccountId,
    payee: &AccountId,
) -> Result<Option<(ChannelId, Channel)>, PayError> {
    let best = client.best_block().await?;
    let mut found = None;
    for (id, channel) in client.channels_of_payer(account).await? {
        let book = ledger.book(id)?;
        let is_ours = channel.payee == *payee && channel.signer == *account;
        let is_alive =
            channel.closing.is_none() && channel.expiry > best.saturating_add(LEAST_LIFE);
        if !is_ours || !is_alive {
            continue;
        }
        if book.mark.sequence < channel.mark.sequence {
            tracing::warn!(
                channel = id,
                "the books do not reach what was settled, so this channel is not used"
            );
            continue;
        }
        let used = book.mark.cumulative.saturating_sub(channel.mark.cumulative);
        let left = channel.deposit.saturating_sub(used);
        if left > 0 && found.as_ref().is_none_or(|(most, _, _)| left > *most) {
            found = Some((left, id, channel));
        }
    }
    Ok(found.map(|(_, id, channel)| (id, channel)))
}

async fn open_channel(
    client: &Client,
    key: &Key,
    payee: &AccountId,
    options: &PayOptions,
) -> Result<(ChannelId, Channel), PayError> {
    let expiry = client.best_block().await?.saturating_add(options.blocks);
    let call = calls::open_channel(payee, None, options.deposit, expiry);
    // A fork could give the number to somebody else's channel.
    let events = client.submit(key, &call, Wait::Finalised).await?;
    let missing = || PayError::State("the channel that was opened is not there".into());
    let id = events.opened_channel().ok_or_else(missing)?;
    let channel = client.channel(id).await?.ok_or_else(missing)?;
    tracing::info!(
        channel = id,
        deposit = options.deposit,
        expiry,
        "opened a channel"
    );
    Ok((id, channel))
}

/// Hands vouchers in that did not arrive, and closes the channel when its time has come; for ever.
async fn keep(payer: Arc<Payer>, poll: Duration) {
    loop {
        tokio::time::sleep(poll).await;
        payer.redeliver().await;
        match close_if_due(&payer).await {
            Ok(true) => tracing::info!("the channel is closed; start again to open another one"),
            Ok(false) => {}
            Err(error) => tracing::warn!(%error, "cannot look after the channel"),
        }
    }
}

/// Closes the channel if that was asked for and can be done.
async fn close_if_due(payer: &Payer) -> Result<bool, PayError> {
    let Some(channel) = payer.chain.channel(payer.terms.channel).await? else {
        return Ok(false);
    };
    let Some(at) = payer.closable_at(&channel) else {
        return Ok(false);
    };
    if payer.chain.best_block().await? < at {
        return Ok(false);
    }
    payer
        .chain
        .change(payer.terms.channel, Change::Close)
        .await?;
    Ok(true)
}
