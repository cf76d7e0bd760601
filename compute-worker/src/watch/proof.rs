//! Findings, and the transactions that prove them.

use crate::{
    chain::{
        calls::{self, DemandRequest},
        ChainError, Client, Demanded, TransactionEvents, Wait,
    },
    keys::Key,
};
use attribution_proof::{
    challenge::Lie,
    influence::{Query, RowOpening},
    receipt::{ResponseChunkOpening, ResponseWindow, SignedReceipt},
    record::{ChunkOpening, ChunkWindow, RecordOpening},
    span::Occurrence,
    totals::Totals,
    ContributionId, ModelId, SettlementId,
};

/// A lie, and what proves it on chain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// Number of the receipt.
    pub sequence: u64,
    /// The lie.
    pub lie: Lie,
    /// What proves it.
    pub proof: Proof,
}

/// The evidence of a challenge, or the demand to see it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Proof {
    /// A credited row has another score, or may not be credited.
    Score {
        /// The receipt.
        receipt: SignedReceipt,
        /// Position of the credit.
        position: u32,
        /// The query.
        query: Query,
        /// The credited row.
        opening: RowOpening,
    },
    /// An eligible row is missing from the credits.
    Omission {
        /// The receipt.
        receipt: SignedReceipt,
        /// Model of the missing row.
        model: ModelId,
        /// The query.
        query: Query,
        /// The missing row.
        opening: RowOpening,
    },
    /// A span's bytes do not stand where it says.
    Bytes {
        /// The receipt.
        receipt: SignedReceipt,
        /// Position of the span.
        position: u32,
        /// Distance of the byte that differs from the span's start.
        distance: u32,
        /// Contribution of the record that the span names.
        contribution: ContributionId,
        /// That record.
        record: RecordOpening,
        /// Chunk of the response with the byte.
        response: ResponseChunkOpening,
        /// Chunk of the record with the byte.
        bytes: ChunkOpening,
    },
    /// The response has a better span than the receipt says.
    Span {
        /// The receipt.
        receipt: SignedReceipt,
        /// First byte in the response.
        start: u32,
        /// Bytes.
        length: u32,
        /// Where they stand.
        at: Occurrence,
        /// Contribution of the record there.
        contribution: ContributionId,
        /// That record.
        record: RecordOpening,
        /// The bytes in the response.
        response: ResponseWindow,
        /// The bytes in the record.
        bytes: ChunkWindow,
    },
    /// The receipt does not follow from the one before it.
    Step {
        /// The receipt before; the settled mark if missing.
        previous: Option<SignedReceipt>,
        /// The receipt.
        receipt: SignedReceipt,
        /// Totals before it.
        before: Totals,
        /// The contribution that owns each of its data.
        owners: Vec<ContributionId>,
    },
    /// The settlement does not continue the mark or ends in another receipt.
    Settlement {
        /// The receipt that it contradicts.
        receipt: SignedReceipt,
    },
    /// Two receipts have one number.
    Equivocation {
        /// One.
        first: SignedReceipt,
        /// The other.
        second: SignedReceipt,
    },
    /// It is withheld: it is demanded, and when nobody shows it in time that voids the settlement.
    Demand(DemandRequest),
}

impl Proof {
    /// Name of the call.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Score { .. } => "challenge_score",
            Self::Omission { .. } => "challenge_omission",
            Self::Bytes { .. } => "challenge_bytes",
            Self::Span { .. } => "challenge_span",
            Self::Step { .. } => "challenge_step",
            Self::Settlement { .. } => "challenge_settlement",
            Self::Equivocation { .. } => "challenge_equivocation",
            Self::Demand(_) => "demand",
        }
    }

    /// What is demanded, as the chain names it while it waits.
    pub(crate) fn demanded(&self) -> Option<Demanded> {
        let Self::Demand(request) = self else {
            return None;
        };
        Some(match request {
            DemandRequest::Receipt { sequence } => Demanded::Receipt {
                sequence: *sequence,
            },
            DemandRequest::ResponseChunk { receipt, index } => Demanded::ResponseChunk {
                receipt: receipt.receipt.commit(),
                response: receipt.receipt.response,
                index: *index,
            },
            DemandRequest::Row { model, row, .. } => Demanded::Row {
                model: *model,
                row: *row,
            },
            DemandRequest::Step { model, step, .. } => Demanded::Step {
                model: *model,
                step: *step,
            },
        })
    }

    /// Sends it and waits for its block.
    pub async fn send(
        self,
        chain: &Client,
        key: &Key,
        settlement: SettlementId,
    ) -> Result<TransactionEvents, ChainError> {
        let wait = Wait::InBlock;
        match self {
            Self::Score {
                receipt,
                position,
                query,
                opening,
            } => {
                let call = calls::challenge_score(settlement, receipt, position, query, opening);
                chain.submit(key, &call, wait).await
            }
            Self::Omission {
                receipt,
                model,
                query,
                opening,
            } => {
                let call = calls::challenge_omission(settlement, receipt, model, query, opening);
                chain.submit(key, &call, wait).await
            }
            Self::Bytes {
                receipt,
                position,
                distance,
                contribution,
                record,
                response,
                bytes,
            } => {
                let call = calls::challenge_bytes(
                    settlement,
                    receipt,
                    position,
                    distance,
                    contribution,
                    record,
                    response,
                    bytes,
                );
                chain.submit(key, &call, wait).await
            }
            Self::Span {
                receipt,
                start,
                length,
                at,
                contribution,
                record,
                response,
                bytes,
            } => {
                let call = calls::challenge_span(
                    settlement,
                    receipt,
                    start,
                    length,
                    at,
                    contribution,
                    record,
                    response,
                    bytes,
                );
                chain.submit(key, &call, wait).await
            }
            Self::Step {
                previous,
                receipt,
                before,
                owners,
            } => {
                let call = calls::challenge_step(settlement, previous, receipt, before, owners);
                chain.submit(key, &call, wait).await
            }
            Self::Settlement { receipt } => {
                let call = calls::challenge_settlement(settlement, receipt);
                chain.submit(key, &call, wait).await
            }
            Self::Equivocation { first, second } => {
                let call = calls::challenge_equivocation(settlement, first, second);
                chain.submit(key, &call, wait).await
            }
            Self::Demand(request) => {
                let call = calls::demand(settlement, request);
                chain.submit(key, &call, wait).await
            }
        }
    }
}
