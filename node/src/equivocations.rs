//! Reports validators that make two blocks for one slot.
//!
//! `sc-consensus-babe` 0.60 looks for them in its block import, where a header has lost its seal already. The runtime
//! refuses every report that it makes of such headers (`babe.InvalidEquivocationProof`), so nobody would ever be
//! slashed for it. Here headers are compared and reported with their seals; the other's reports are thrown away, see
//! `service::new_partial`. Once the SDK reports whole headers, this file goes.

use std::sync::Arc;

use openledger_runtime::OpaqueBlock as Block;
use sc_client_api::{backend::AuxStore, blockchain::Result as ClientResult, HeaderBackend};
use sc_consensus::{BlockCheckParams, BlockImport, BlockImportParams, ImportResult};
use sc_consensus_babe::find_pre_digest;
use sc_consensus_slots::check_equivocation;
use sc_transaction_pool_api::OffchainTransactionPoolFactory;
use sp_api::{ApiExt, ProvideRuntimeApi};
use sp_consensus_babe::{BabeApi, Slot, SlotDuration};
use sp_timestamp::Timestamp;

use crate::service::FullClient;

/// Set before the keys of what is kept about slots. `sc-consensus-babe` keeps the same without seals.
const KEY_PREFIX: &[u8] = b"sealed/";

/// The client's store of auxiliary data, with keys apart from everybody else's.
struct SealedHeaders<'a>(&'a FullClient);

fn own_key(key: &[u8]) -> Vec<u8> {
    [KEY_PREFIX, key].concat()
}

impl AuxStore for SealedHeaders<'_> {
    fn insert_aux<
        'a,
        'b: 'a,
        'c: 'a,
        I: IntoIterator<Item = &'a (&'c [u8], &'c [u8])>,
        D: IntoIterator<Item = &'a &'b [u8]>,
    >(
        &self,
        insert: I,
        delete: D,
    ) -> ClientResult<()> {
        let insert: Vec<_> = insert
            .into_iter()
            .map(|(key, value)| (own_key(key), *value))
            .collect();
        let delete: Vec<_> = delete.into_iter().map(|key| own_key(key)).collect();
        let insert: Vec<_> = insert
            .iter()
            .map(|(key, value)| (key.as_slice(), *value))
            .collect();
        let delete: Vec<_> = delete.iter().map(Vec::as_slice).collect();
        self.0.insert_aux(&insert, &delete)
    }

    fn get_aux(&self, key: &[u8]) -> ClientResult<Option<Vec<u8>>> {
        self.0.get_aux(&own_key(key))
    }
}

/// A block import that looks for a second block of the same author and slot before it hands a block on. For blocks of
/// others, which the import queue has verified; a node does not report itself.
#[derive(Clone)]
pub(crate) struct ReportEquivocations<Inner> {
    inner: Inner,
    client: Arc<FullClient>,
    slot_duration: SlotDuration,
    pool: OffchainTransactionPoolFactory<Block>,
}

impl<Inner> ReportEquivocations<Inner> {
    /// Reports go to `pool`, which puts them into blocks that this node makes itself.
    pub(crate) fn new(
        inner: Inner,
        client: Arc<FullClient>,
        slot_duration: SlotDuration,
        pool: OffchainTransactionPoolFactory<Block>,
    ) -> Self {
        Self {
            inner,
            client,
            slot_duration,
            pool,
        }
    }

    fn check(&self, block: &BlockImportParams<Block>) -> Result<(), Box<dyn std::error::Error>> {
        // With its seal.
        let header = block.post_header();
        let pre_digest = find_pre_digest::<Block>(&header)?;
        let slot = pre_digest.slot();
        let parent = header.parent_hash;
        let api = self.client.runtime_api();
        let mut epoch = api.current_epoch(parent)?;
        if slot >= epoch.start_slot + epoch.duration {
            epoch = api.next_epoch(parent)?;
        }
        let Some((author, _)) = epoch.authorities.get(pre_digest.authority_index() as usize) else {
            return Ok(());
        };

        let now = Slot::from_timestamp(Timestamp::current(), self.slot_duration);
        let sealed = SealedHeaders(&self.client);
        let Some(proof) = check_equivocation(&sealed, now, slot, &header, author)? else {
            return Ok(());
        };
        log::info!(
            target: "babe",
            "Slot author {author:?} has made two blocks for slot {slot}: {:?} and {:?}",
            proof.first_header.hash(),
            proof.second_header.hash(),
        );

        // At the first block of a session, its parent does not know the session's keys yet. Each block that is
        // asked needs an instance of its own.
        let best = self.client.info().best_hash;
        let prove = |at| {
            self.client
                .runtime_api()
                .generate_key_ownership_proof(at, slot, proof.offender.clone())
        };
        let ownership = match prove(parent)? {
            Some(ownership) => Some(ownership),
            None => prove(best)?,
        };
        let Some(ownership) = ownership else {
            log::debug!(target: "babe", "Whoever made two blocks is no validator any more");
            return Ok(());
        };
        let mut api = self.client.runtime_api();
        api.register_extension(self.pool.offchain_transaction_pool(best));
        api.submit_report_equivocation_unsigned_extrinsic(best, proof, ownership)?;
        log::info!(target: "babe", "Submitted equivocation report for author {author:?}");
        Ok(())
    }
}

#[async_trait::async_trait]
impl<Inner> BlockImport<Block> for ReportEquivocations<Inner>
where
    Inner: BlockImport<Block> + Send + Sync,
{
    type Error = Inner::Error;

    async fn check_block(
        &self,
        block: BlockCheckParams<Block>,
    ) -> Result<ImportResult, Self::Error> {
        self.inner.check_block(block).await
    }

    async fn import_block(
        &self,
        block: BlockImportParams<Block>,
    ) -> Result<ImportResult, Self::Error> {
        // What is caught up with is old, and its parent's state may be missing.
        let current = matches!(
            block.origin,
            sp_consensus::BlockOrigin::NetworkBroadcast
                | sp_consensus::BlockOrigin::ConsensusBroadcast
        );
        if current && !block.with_state() {
            // A report that cannot be made is no reason to refuse a block.
            if let Err(error) = self.check(&block) {
                log::warn!(target: "babe", "Equivocations of block {:?} cannot be looked for: {error}", block.post_hash());
            }
        }
        self.inner.import_block(block).await
    }
}
