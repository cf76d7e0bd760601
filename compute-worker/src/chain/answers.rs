//! What was shown in answer to demands. The chain keeps no copy: it stands in the calls.

use super::{
    calls::Answer,
    connection::{number, Fault},
    ChainError, Client,
};
use attribution_proof::{BlockNumber, SettlementId};
use codec::{Decode, DecodeAll};

/// The arguments of the call `Attribution.answer`.
#[derive(Debug, Decode)]
struct AnswerCall {
    settlement: SettlementId,
    _demand: u64,
    answer: Answer,
}

impl Client {
    /// What was posted in answer to demands of a settlement, in block `since` and after it. The node has
    /// to have these blocks and their state.
    pub async fn answers(
        &self,
        settlement: SettlementId,
        since: BlockNumber,
    ) -> Result<Vec<Answer>, ChainError> {
        let item = format!("answers to demands of settlement {settlement}");
        self.with_connection(&item, |connection| async move {
            let best = number(&connection.best().await.map_err(Fault::Other)?);
            let mut answers = Vec::new();
            for block in since..=best {
                let fault =
                    |error: &dyn std::fmt::Display| Fault::Other(format!("block {block}: {error}"));
                let at = connection
                    .online
                    .at_block(u64::from(block))
                    .await
                    .map_err(|error| fault(&error))?;
                let extrinsics = at.extrinsics().fetch().await;
                for extrinsic in extrinsics.map_err(|error| fault(&error))?.iter() {
                    let extrinsic = extrinsic.map_err(|error| fault(&error))?;
                    if (extrinsic.pallet_name(), extrinsic.call_name()) != ("Attribution", "answer")
                    {
                        continue;
                    }
                    let arguments = &mut extrinsic.call_data_field_bytes();
                    let call = AnswerCall::decode_all(arguments).map_err(|error| fault(&error))?;
                    if call.settlement != settlement {
                        continue;
                    }
                    // A call that failed shows nothing that the chain has checked.
                    let events = extrinsic.events().await.map_err(|error| fault(&error))?;
                    let is_answered = events.iter().filter_map(Result::ok).any(|event| {
                        (event.pallet_name(), event.event_name()) == ("Attribution", "Answered")
                    });
                    if is_answered {
                        answers.push(call.answer);
                    }
                }
            }
            Ok(answers)
        })
        .await
    }
}
