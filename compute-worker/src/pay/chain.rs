//! What a payer needs of the chain.

use super::{error::PayError, verify::ModelTerms};
use crate::{
    chain::{calls, ChainError, Channel, Client, Wait},
    dataset::sources,
    keys::Key,
};
use attribution_proof::{
    challenge::LineageModel, Balance, BlockNumber, ChannelId, ContributionId, ModelId,
};
use futures::{future::BoxFuture, FutureExt};
use std::collections::BTreeMap;

/// What a payer does with its channel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Change {
    /// Adds to the deposit.
    TopUp(Balance),
    /// Moves the expiry to this block.
    Extend(BlockNumber),
    /// Asks to close; the payee has the dispute period to settle.
    RequestClose,
    /// Closes for good and frees the rest of the deposit.
    Close,
}

/// The chain as the payer of a channel sees it.
pub(super) trait PayerChain: Send + Sync {
    /// A channel that is open.
    fn channel(&self, id: ChannelId) -> BoxFuture<'_, Result<Option<Channel>, ChainError>>;
    /// Number of the best block.
    fn best_block(&self) -> BoxFuture<'_, Result<BlockNumber, ChainError>>;
    /// What the payer holds freely, in base units.
    fn free_balance(&self) -> BoxFuture<'_, Result<Balance, ChainError>>;
    /// What the chain says about a model; nothing for an unknown one.
    fn model(&self, model: ModelId) -> BoxFuture<'_, Result<Option<ModelTerms>, PayError>>;
    /// Changes a channel, and waits until a block has it.
    fn change(&self, id: ChannelId, change: Change) -> BoxFuture<'_, Result<(), ChainError>>;
}

/// The chain behind a node, changed as one payer.
#[derive(Clone, Debug)]
pub(super) struct NodeChain {
    /// The node.
    pub(super) client: Client,
    /// The payer's key.
    pub(super) key: Key,
}

impl NodeChain {
    async fn terms(&self, model: ModelId) -> Result<Option<ModelTerms>, PayError> {
        let Some(manifest) = self.client.manifest(model).await? else {
            return Ok(None);
        };
        let mut terms = ModelTerms {
            version: manifest.version,
            is_commercial: manifest.terms.commercial,
            price: manifest.price.max(manifest.price_floor),
            price_floor: manifest.price_floor,
            lineage: Vec::new(),
            owners: BTreeMap::new(),
        };
        for member in self.client.lineage(model).await? {
            let manifest = self.client.manifest(member).await?;
            let Some(training) = manifest.and_then(|manifest| manifest.training) else {
                continue;
            };
            let mut owners: Vec<ContributionId> = Vec::new();
            for snapshot in &training.inputs {
                for source in sources(&self.client, snapshot).await? {
                    let records = source.details.leaves.count;
                    owners.extend((0..records).map(|_| source.contribution));
                }
            }
            let rows = training.result.index.commitment.count;
            if u32::try_from(owners.len()) != Ok(rows) {
                return Err(PayError::State(format!(
                    "the index of model {member} has {rows} rows but its inputs have {} records",
                    owners.len()
                )));
            }
            terms.lineage.push(LineageModel {
                model: member,
                rows,
            });
            terms.owners.insert(member, owners);
        }
        Ok(Some(terms))
    }

    async fn submit(&self, id: ChannelId, change: Change) -> Result<(), ChainError> {
        let (chain, key) = (&self.client, &self.key);
        match change {
            Change::TopUp(amount) => {
                chain
                    .submit(key, &calls::top_up(id, amount), Wait::InBlock)
                    .await?
            }
            Change::Extend(expiry) => {
                chain
                    .submit(key, &calls::extend_channel(id, expiry), Wait::InBlock)
                    .await?
            }
            Change::RequestClose => {
                chain
                    .submit(key, &calls::request_close(id), Wait::InBlock)
                    .await?
            }
            Change::Close => {
                chain
                    .submit(key, &calls::close_channel(id), Wait::InBlock)
                    .await?
            }
        };
        Ok(())
    }
}

impl PayerChain for NodeChain {
    fn channel(&self, id: ChannelId) -> BoxFuture<'_, Result<Option<Channel>, ChainError>> {
        self.client.channel(id).boxed()
    }

    fn best_block(&self) -> BoxFuture<'_, Result<BlockNumber, ChainError>> {
        self.client.best_block().boxed()
    }

    fn free_balance(&self) -> BoxFuture<'_, Result<Balance, ChainError>> {
        async { self.client.free_balance(&self.key.account()).await }.boxed()
    }

    fn model(&self, model: ModelId) -> BoxFuture<'_, Result<Option<ModelTerms>, PayError>> {
        self.terms(model).boxed()
    }

    fn change(&self, id: ChannelId, change: Change) -> BoxFuture<'_, Result<(), ChainError>> {
        self.submit(id, change).boxed()
    }
}
