//! Answering demands: whatever a settlement rests on is shown on chain when somebody pays to see it.
//!
//! Silence past the window voids the settlement, so the answers come before anything else.

use super::models::Models;
use crate::{
    chain::{calls::Answer, Demanded, Settlement},
    ledger::{Ledger, LedgerError, StoredReceipt},
    operator::decode_transcript,
    store::{ContentStore, StoreError},
};
use attribution_proof::{
    bounds::CHUNK_BYTES,
    influence::RowOpening,
    model::Training,
    receipt::{response_salt, response_tree, ResponseChunkOpening},
    transcript::StepOpening,
    ModelId,
};

/// Why a demand cannot be answered.
#[derive(Debug, thiserror::Error)]
pub(super) enum DemandError {
    /// The books.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    /// The content store.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The influence index.
    #[error(transparent)]
    Engine(#[from] attribution_engine::Error),
    /// The object is not at hand.
    #[error(
        "{0} is not at hand; restore it before the demand's deadline, or the settlement is void"
    )]
    Missing(String),
}

/// Finds what is demanded of a settlement.
pub(super) async fn answer(
    object: &Demanded,
    settlement: &Settlement,
    ledger: &Ledger,
    models: &Models,
    store: &ContentStore,
) -> Result<Answer, DemandError> {
    match object {
        Demanded::Receipt { sequence } => {
            let stored = ledger.receipt(settlement.channel, *sequence)?;
            let stored =
                stored.ok_or_else(|| DemandError::Missing(format!("receipt {sequence}")))?;
            Ok(Answer::Receipt {
                receipt: stored.signed,
                query: stored.query,
            })
        }
        Demanded::ResponseChunk { receipt, index, .. } => {
            for sequence in settlement.from.sequence.saturating_add(1)..=settlement.to.sequence {
                let stored = ledger.receipt(settlement.channel, sequence)?;
                let found = stored.filter(|stored| stored.signed.receipt.commit() == *receipt);
                if let Some(opening) = found.and_then(|stored| open_chunk(&stored, *index)) {
                    return Ok(Answer::ResponseChunk(opening));
                }
            }
            Err(DemandError::Missing(format!(
                "chunk {index} of the response of {receipt:?}"
            )))
        }
        Demanded::Row { model, row } => {
            let missing = || DemandError::Missing(format!("row {row} of model {model}"));
            let member = models.member(*model).ok_or_else(missing)?;
            let evidence = member.evidence.as_ref().ok_or_else(missing)?;
            let training = member.manifest.training.as_ref().ok_or_else(missing)?;
            let leaves = evidence.dataset.leaves();
            let index = &evidence.traced.index;
            let tree = index.tree(training.job, &leaves)?;
            let open = || {
                Some(RowOpening {
                    row: *row,
                    record: *leaves.get(*row as usize)?,
                    value: index.row(*row)?,
                    path: tree.path(*row)?,
                })
            };
            Ok(Answer::Row(open().ok_or_else(missing)?))
        }
        Demanded::Step { model, step } => {
            let missing = || DemandError::Missing(format!("step {step} of model {model}"));
            let member = models.member(*model).ok_or_else(missing)?;
            let training = member.manifest.training.as_ref().ok_or_else(missing)?;
            Ok(Answer::Step(
                open_step(training, *model, *step, store).await?,
            ))
        }
    }
}

/// Opens a chunk of a response; nothing if it has no such chunk.
pub(super) fn open_chunk(stored: &StoredReceipt, index: u32) -> Option<ResponseChunkOpening> {
    let data = stored
        .response
        .chunks(CHUNK_BYTES as usize)
        .nth(index as usize)?;
    Some(ResponseChunkOpening {
        index,
        salt: response_salt(&stored.secret, index),
        data: data.to_vec().try_into().ok()?,
        path: response_tree(&stored.response, &stored.secret).path(index)?,
    })
}

async fn open_step(
    training: &Training,
    model: ModelId,
    step: u32,
    store: &ContentStore,
) -> Result<StepOpening, DemandError> {
    let missing =
        || DemandError::Missing(format!("step {step} of the transcript of model {model}"));
    let blob = store.get(&training.result.transcript.content).await?;
    let transcript = decode_transcript(&blob).ok_or_else(missing)?;
    let (states, tree) = (transcript.states(), transcript.tree());
    let open = || {
        let before = step.checked_sub(1)?;
        Some(StepOpening {
            previous: *states.get(before as usize)?,
            previous_path: tree.path(before)?,
            step: *transcript.steps.get(before as usize)?,
            path: tree.path(step)?,
        })
    };
    open().ok_or_else(missing)
}
