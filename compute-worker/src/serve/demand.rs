//! Answering demands: whatever a settlement rests on is shown on chain when somebody pays to see it.
//!
//! Silence past the window voids the settlement, so the answers come before anything else.

use super::models::{Evidence, Models};
use crate::{
    chain::{calls::Answer, Demanded, Settlement},
    committed::open_row,
    ledger::{Ledger, LedgerError},
    operator::decode_transcript,
    store::{ContentStore, StoreError},
};
use attribution_proof::{model::Training, transcript::StepOpening, ModelId};

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
                if let Some(opening) = found.and_then(|stored| stored.open_chunk(*index)) {
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
            let Evidence { traced, dataset } = evidence;
            let tree = traced.index.tree(training.job, &dataset.leaves())?;
            let opening = open_row(&traced.index, &tree, dataset, *row);
            Ok(Answer::Row(opening.ok_or_else(missing)?))
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
