//! What the chain holds a trained model's receipts to: the rows of its influence index and the bytes
//! of its input records, with the openings that prove them.
//!
//! Serving traces its answers with it, and answers demands; watching judges receipts by it.

use crate::{
    chain::Client,
    dataset::{Dataset, DatasetError, InputRecord},
    store::{ContentStore, StoreError},
};
use attribution_engine::influence::Index;
use attribution_proof::{
    bounds::CHUNK_BYTES,
    hash::Hash,
    influence::RowOpening,
    merkle::Tree,
    model::Training,
    record::{content_tree, ChunkOpening, RecordOpening},
    ModelId,
};
use bytes::Bytes;
use std::path::{Path, PathBuf};

/// Why a model's index and records are not at hand.
#[derive(Debug, thiserror::Error)]
pub enum CommittedError {
    /// The content store.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The input records.
    #[error(transparent)]
    Dataset(#[from] DatasetError),
    /// The influence index.
    #[error(transparent)]
    Engine(#[from] attribution_engine::Error),
    /// The index is not what the chain has.
    #[error("the influence index of model {model} hashes to another root than the chain has; every receipt from it would be a lie")]
    OtherIndex {
        /// The model.
        model: ModelId,
    },
    /// A file for a moment's use.
    #[error("cannot write {path}: {source}; free space or name another --folder")]
    File {
        /// The file.
        path: PathBuf,
        /// The cause.
        source: std::io::Error,
    },
    /// Loading broke off.
    #[error("loading broke off: {0}")]
    BrokenOff(String),
}

/// The influence index and the input records of a model, checked against the chain's commitments.
pub(crate) struct CommittedIndex {
    /// The rows.
    pub(crate) index: Index,
    /// The records behind them.
    pub(crate) dataset: Dataset,
    /// The tree over the rows, whose root the chain has.
    pub(crate) tree: Tree,
}

impl CommittedIndex {
    /// Fetches and checks what `training` committed to. `folder` is for a file of a moment.
    pub(crate) async fn load(
        chain: &Client,
        store: &ContentStore,
        folder: &Path,
        model: ModelId,
        training: &Training,
    ) -> Result<Self, CommittedError> {
        let dataset = Dataset::resolve(chain, store, &training.inputs, training.taken_at).await?;
        let blob = store.get(&training.result.index.content).await?;
        let path = folder.join(format!("index-{model}"));
        let (job, expected) = (training.job, training.result.index.commitment);
        let build = move || {
            let index = read_index(&blob, path)?;
            let tree = index.tree(job, &dataset.leaves())?;
            if tree.commitment() != expected {
                return Err(CommittedError::OtherIndex { model });
            }
            Ok(Self {
                index,
                dataset,
                tree,
            })
        };
        tokio::task::spawn_blocking(build)
            .await
            .unwrap_or_else(|error| Err(CommittedError::BrokenOff(error.to_string())))
    }
}

/// Reads an index by way of a file, which is what the engine reads.
fn read_index(blob: &Bytes, path: PathBuf) -> Result<Index, CommittedError> {
    let failed = |source| CommittedError::File {
        path: path.clone(),
        source,
    };
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder).map_err(failed)?;
    }
    std::fs::write(&path, blob).map_err(failed)?;
    let index = Index::load(&path);
    std::fs::remove_file(&path).map_err(failed)?;
    Ok(index?)
}

/// Opens a row under the root of `tree`, the tree over `index`; nothing past the end.
pub(crate) fn open_row(
    index: &Index,
    tree: &Tree,
    dataset: &Dataset,
    row: u32,
) -> Option<RowOpening> {
    Some(RowOpening {
        row,
        record: record(dataset, row)?.leaf,
        value: index.row(row)?,
        path: tree.path(row)?,
    })
}

/// The record at ordinal `row`.
pub(crate) fn record(dataset: &Dataset, row: u32) -> Option<&InputRecord> {
    dataset.records.get(usize::try_from(row).ok()?)
}

/// Opens the record at ordinal `row` under the leaves of its contribution; nothing past the end.
pub(crate) fn open_record(dataset: &Dataset, row: u32) -> Option<RecordOpening> {
    let record = record(dataset, row)?;
    // A snapshot holds contributions whole, so their records are all here, in their order.
    let leaves = dataset
        .records
        .iter()
        .filter(|other| other.contribution == record.contribution)
        .map(|other| other.leaf)
        .collect();
    Some(RecordOpening {
        index: record.index,
        salt: Hash::zero(),
        content: content_tree(&record.bytes).commitment(),
        len: u32::try_from(record.bytes.len()).ok()?,
        path: Tree::new(leaves).path(record.index)?,
    })
}

/// Opens a chunk of a record; nothing past the end.
pub(crate) fn open_chunk(record: &[u8], index: u32) -> Option<ChunkOpening> {
    let data = record
        .chunks(CHUNK_BYTES as usize)
        .nth(usize::try_from(index).ok()?)?;
    Some(ChunkOpening {
        index,
        data: data.to_vec().try_into().ok()?,
        path: content_tree(record).path(index)?,
    })
}
