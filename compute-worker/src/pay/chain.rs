//! What a payer needs of the chain.

use super::error::PayError;
use crate::{
    chain::{calls, ChainError, Channel, Client, Wait},
    keys::Key,
    terms::ModelTerms,
};
use attribution_proof::{Balance, BlockNumber, ChannelId, ModelId};
use futures::{future::BoxFuture, FutureExt};

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
        async move { Ok(ModelTerms::read(&self.client, model).await?) }.boxed()
    }

    fn change(&self, id: ChannelId, change: Change) -> BoxFuture<'_, Result<(), ChainError>> {
        self.submit(id, change).boxed()
    }
}
