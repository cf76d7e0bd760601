//! The node's own RPC methods, beside those that every Substrate node serves (`system`, `author`,
//! `chain`, `state`, `chainHead`, `archive`, ...).

use std::sync::Arc;

use jsonrpsee::RpcModule;
use openledger_runtime::{AccountId, BlockNumber, Hash, Nonce, OpaqueBlock as Block};
use sc_consensus_babe::BabeWorkerHandle;
use sc_consensus_grandpa::{
    FinalityProofProvider, GrandpaJustificationStream, SharedAuthoritySet, SharedVoterState,
};
use sc_rpc::SubscriptionTaskExecutor;
use sp_keystore::KeystorePtr;

use crate::service::{FullBackend, FullClient, FullSelectChain, TransactionPool};

/// What the BABE methods need.
pub(crate) struct BabeDependencies {
    /// Access to the epochs.
    pub(crate) worker_handle: BabeWorkerHandle<Block>,
    /// Keys that slots may be claimed with.
    pub(crate) keystore: KeystorePtr,
}

/// What the GRANDPA methods need.
pub(crate) struct GrandpaDependencies {
    /// The round that is being voted on.
    pub(crate) shared_voter_state: SharedVoterState,
    /// The present authorities.
    pub(crate) shared_authority_set: SharedAuthoritySet<Hash, BlockNumber>,
    /// Justifications as they are made.
    pub(crate) justification_stream: GrandpaJustificationStream<Block>,
    /// Runs subscriptions.
    pub(crate) subscription_executor: SubscriptionTaskExecutor,
    /// Proves that a block is final.
    pub(crate) finality_provider: Arc<FinalityProofProvider<FullBackend, Block>>,
}

/// What all methods need.
pub(crate) struct Dependencies {
    /// The chain.
    pub(crate) client: Arc<FullClient>,
    /// Transactions that wait for a block.
    pub(crate) pool: Arc<TransactionPool>,
    /// Rule that picks the best chain.
    pub(crate) select_chain: FullSelectChain,
    /// Specification of the chain.
    pub(crate) chain_spec: Box<dyn sc_chain_spec::ChainSpec>,
    /// BABE.
    pub(crate) babe: BabeDependencies,
    /// GRANDPA.
    pub(crate) grandpa: GrandpaDependencies,
}

/// Collects the methods.
pub(crate) fn create(
    dependencies: Dependencies,
) -> Result<RpcModule<()>, Box<dyn std::error::Error + Send + Sync>> {
    use pallet_transaction_payment_rpc::{TransactionPayment, TransactionPaymentApiServer};
    use sc_consensus_babe_rpc::{Babe, BabeApiServer};
    use sc_consensus_grandpa_rpc::{Grandpa, GrandpaApiServer};
    use sc_sync_state_rpc::{SyncState, SyncStateApiServer};
    use substrate_frame_rpc_system::{System, SystemApiServer};

    let Dependencies {
        client,
        pool,
        select_chain,
        chain_spec,
        babe,
        grandpa,
    } = dependencies;
    let mut module = RpcModule::new(());

    module.merge(SystemApiServer::<Hash, AccountId, Nonce>::into_rpc(
        System::<_, _, Block>::new(client.clone(), pool),
    ))?;
    module.merge(TransactionPayment::<_, Block>::new(client.clone()).into_rpc())?;
    module.merge(
        Babe::new(
            client.clone(),
            babe.worker_handle.clone(),
            babe.keystore,
            select_chain,
        )
        .into_rpc(),
    )?;
    module.merge(
        Grandpa::new(
            grandpa.subscription_executor,
            grandpa.shared_authority_set.clone(),
            grandpa.shared_voter_state,
            grandpa.justification_stream,
            grandpa.finality_provider,
        )
        .into_rpc(),
    )?;
    module.merge(
        SyncState::new(
            chain_spec,
            client,
            grandpa.shared_authority_set,
            babe.worker_handle,
        )?
        .into_rpc(),
    )?;

    Ok(module)
}
