//! Transactions.

use super::{
    calls::Call,
    compatibility::has_call,
    connection::{number, Connection},
    ChainError, Client,
};
use crate::keys::Key;
use attribution_proof::{hash::Hash, BlockNumber, ChannelId, JobId, ModelId, SettlementId};
use std::time::Duration;
use subxt::{
    client::OnlineClientAtBlockImpl,
    config::DefaultExtrinsicParamsBuilder,
    error::{DispatchError, ExtrinsicError, TransactionEventsError},
    ext::scale_value::{At, Composite},
    extrinsics::ExtrinsicEvents,
    transactions::{TransactionProgress, TransactionStatus},
    utils::AccountId32,
    PolkadotConfig,
};

type AtBlock = OnlineClientAtBlockImpl<PolkadotConfig>;
type Progress = TransactionProgress<PolkadotConfig, AtBlock>;
type Status = TransactionStatus<PolkadotConfig, AtBlock>;

/// Blocks after which a transaction that no block took is void, so that none lurks for ever.
const MORTALITY: u64 = 256;
/// How long to wait for a block, or for finality.
const TIMEOUT: Duration = Duration::from_secs(300);
/// How long the node's pool may take to say anything about a transaction.
const POOL_TIMEOUT: Duration = Duration::from_secs(30);

/// What to wait for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wait {
    /// A best block has it. It may yet be undone by a fork.
    InBlock,
    /// A finalised block has it.
    Finalised,
}

/// A transaction that succeeded, and what it announced.
#[derive(Debug)]
pub struct TransactionEvents {
    /// Block that has it.
    pub block: BlockNumber,
    /// Hash of that block.
    pub block_hash: Hash,
    events: ExtrinsicEvents<PolkadotConfig>,
}

impl TransactionEvents {
    /// A number in the first event of this name. Nothing if there was none or it has no such field.
    pub fn number(&self, pallet: &str, event: &str, field: &str) -> Option<u128> {
        let event = self
            .events
            .iter()
            .filter_map(Result::ok)
            .find(|found| found.pallet_name() == pallet && found.event_name() == event)?;
        let fields = event.decode_fields_unchecked_as::<Composite<()>>().ok()?;
        fields.at(field)?.as_u128()
    }

    /// Whether the transaction emitted an event of this name.
    pub fn has(&self, pallet: &str, event: &str) -> bool {
        let mut events = self.events.iter().filter_map(Result::ok);
        events.any(|found| found.pallet_name() == pallet && found.event_name() == event)
    }

    /// The channel that it opened.
    pub fn opened_channel(&self) -> Option<ChannelId> {
        self.number("Channels", "Opened", "channel")?
            .try_into()
            .ok()
    }

    /// The settlement that it opened.
    pub fn opened_settlement(&self) -> Option<SettlementId> {
        self.number("Attribution", "Settled", "settlement")?
            .try_into()
            .ok()
    }

    /// The job that it requested.
    pub fn requested_job(&self) -> Option<JobId> {
        self.number("Compute", "JobRequested", "job")?
            .try_into()
            .ok()
    }

    /// The model that it registered by finalising a job.
    pub fn finalised_model(&self) -> Option<ModelId> {
        self.number("Compute", "JobFinalised", "model")?
            .try_into()
            .ok()
    }

    /// Whether it was a challenge that proved nothing and cost its bond.
    pub fn is_rejected_challenge(&self) -> bool {
        ["Attribution", "Compute", "Datanets"]
            .iter()
            .any(|pallet| self.has(pallet, "ChallengeRejected"))
    }
}

impl Client {
    /// Signs `call` as `key`, sends it and waits until it succeeded.
    ///
    /// Any number of tasks may send for the same account at once: each gets the next nonce. A
    /// transaction is sent once only. When the connection breaks while waiting, the error says so and
    /// the caller has to look at the chain's state before it sends again.
    pub async fn submit(
        &self,
        key: &Key,
        call: &impl Call,
        wait: Wait,
    ) -> Result<TransactionEvents, ChainError> {
        let name = format!("{}.{}", call.pallet_name(), call.call_name());
        let (first, progress) = self.send(key, call, &name).await?;
        let events = tokio::time::timeout(TIMEOUT, watch(first, progress, wait, &name))
            .await
            .map_err(|_| ChainError::NotIncluded {
                call: name.clone(),
                reason: format!("no block took it within {} s", TIMEOUT.as_secs()),
            })??;
        tracing::debug!(call = name, block = events.block, "transaction included");
        Ok(events)
    }

    /// Sends a transaction and waits for the first that the pool says of it.
    async fn send(
        &self,
        key: &Key,
        call: &impl Call,
        name: &str,
    ) -> Result<(Status, Progress), ChainError> {
        let account = AccountId32(key.account().into());
        let sender = self.sender(account.0).await;
        // Held until the pool has the transaction and counts it when it is asked for the next nonce.
        let _next = sender.lock().await;
        let mut connection = self.connection().await;
        if !self.is_alive(&connection).await {
            connection = self.reconnect(&connection).await?;
        }
        let mut progress = self.send_on(&connection, account, key, call, name).await?;
        // The node takes the subscription before its pool takes the transaction.
        let first = tokio::time::timeout(POOL_TIMEOUT, next_status(&mut progress, name))
            .await
            .map_err(|_| ChainError::NotIncluded {
                call: name.into(),
                reason: format!(
                    "the node's pool said nothing within {} s",
                    POOL_TIMEOUT.as_secs()
                ),
            })??;
        Ok((first, progress))
    }

    async fn send_on(
        &self,
        connection: &Connection,
        account: AccountId32,
        key: &Key,
        call: &impl Call,
        name: &str,
    ) -> Result<Progress, ChainError> {
        let not_included = |reason: String| ChainError::NotIncluded {
            call: name.into(),
            reason,
        };
        // Mortality counts from a block that no fork can undo.
        let at = connection.finalised().await.map_err(not_included)?;
        if !has_call(at.metadata_ref(), call.pallet_name(), call.call_name()) {
            let item = format!("call {name}");
            return Err(ChainError::Incompatible {
                item,
                spec_version: at.spec_version(),
            });
        }
        let nonce = connection
            .rpc
            .system_account_next_index(&account)
            .await
            .map_err(|error| not_included(error.to_string()))?;
        let parameters = DefaultExtrinsicParamsBuilder::<PolkadotConfig>::new()
            .mortal(MORTALITY)
            .nonce(nonce)
            .build();
        let failed = |error: ExtrinsicError| not_included(error.to_string());
        let signed = at
            .transactions()
            .create_signed(call, key.pair(), parameters)
            .await
            .map_err(failed)?;
        signed.submit_and_watch().await.map_err(failed)
    }
}

async fn next_status(progress: &mut Progress, name: &str) -> Result<Status, ChainError> {
    let not_included = |reason: String| ChainError::NotIncluded {
        call: name.into(),
        reason,
    };
    progress
        .next()
        .await
        .ok_or_else(|| not_included("the node ended the watch; see whether it arrived".into()))?
        .map_err(|error| not_included(error.to_string()))
}

async fn watch(
    first: Status,
    mut progress: Progress,
    wait: Wait,
    name: &str,
) -> Result<TransactionEvents, ChainError> {
    let mut status = first;
    let included = loop {
        match status {
            TransactionStatus::InBestBlock(included) if wait == Wait::InBlock => break included,
            TransactionStatus::InFinalizedBlock(included) => break included,
            TransactionStatus::Error { message }
            | TransactionStatus::Invalid { message }
            | TransactionStatus::Dropped { message } => {
                return Err(ChainError::NotIncluded {
                    call: name.into(),
                    reason: message,
                })
            }
            TransactionStatus::Validated
            | TransactionStatus::Broadcasted
            | TransactionStatus::NoLongerInBestBlock
            | TransactionStatus::InBestBlock(_) => {}
        }
        status = next_status(&mut progress, name).await?;
    };
    let events = included
        .wait_for_success()
        .await
        .map_err(|error| match error {
            TransactionEventsError::ExtrinsicFailed(error) => dispatch_error(error, name),
            other => ChainError::Read {
                item: format!("events of {name}"),
                reason: other.to_string(),
            },
        })?;
    let at = included.at().await.map_err(|error| ChainError::Read {
        item: format!("block of {name}"),
        reason: error.to_string(),
    })?;
    let block = number(&at);
    let block_hash = Hash::from(included.block_hash().0);
    Ok(TransactionEvents {
        block,
        block_hash,
        events,
    })
}

fn dispatch_error(error: DispatchError, call: &str) -> ChainError {
    let (pallet, name, documentation) = match &error {
        DispatchError::Module(module) => match module.details() {
            Ok(details) => (
                details.pallet.name().to_owned(),
                details.variant.name.clone(),
                details.variant.docs.join(" ").trim().to_owned(),
            ),
            Err(unknown) => ("Runtime".into(), "Module".into(), unknown.to_string()),
        },
        other => ("Runtime".into(), variant_name(other), other.to_string()),
    };
    ChainError::Failed {
        call: call.into(),
        pallet,
        name,
        documentation,
    }
}

/// Name of the error without what it contains, for example `Token`.
fn variant_name(error: &DispatchError) -> String {
    let text = format!("{error:?}");
    text.split(['(', ' ', '{'])
        .next()
        .unwrap_or_default()
        .to_owned()
}
