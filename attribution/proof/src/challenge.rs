//! The verifiers of challenges: given what the chain has stored and what the challenger shows, is the
//! receipt a lie?
//!
//! Every function returns `Ok(lie)` when the evidence proves one and `Err(why not)` otherwise; a
//! challenger whose evidence proves nothing pays. Openings of stored commitments that need look-ups
//! (which contribution owns a row, what was tombstoned when) are resolved by the caller and passed in.

use crate::{
    bounds::MAX_SPAN_LENGTH,
    hash::Hash,
    influence::{credit_score, IndexSpec, Query, RowOpening},
    merkle::{Commitment, MerkleError},
    receipt::{Credit, CreditKind, Receipt, ReceiptDefect, ResponseChunkOpening, ResponseWindow},
    record::{ChunkOpening, ChunkWindow},
    ruleset::{ReceiptRules, Ruleset},
    span::Occurrence,
    totals::Totals,
    Balance, ContributionId, JobId, ModelId,
};
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use core::cmp::Reverse;
use scale_info::TypeInfo;

/// A proven lie.
#[derive(
    Clone,
    Copy,
    Debug,
    PartialEq,
    Eq,
    Encode,
    Decode,
    DecodeWithMemTracking,
    MaxEncodedLen,
    TypeInfo,
)]
pub enum Lie {
    /// The receipt contradicts itself.
    #[codec(index = 0)]
    Structure(ReceiptDefect),
    /// A credited row has another score.
    #[codec(index = 1)]
    WrongScore,
    /// A credited row may not be credited.
    #[codec(index = 2)]
    IneligibleRow,
    /// The query has no vector, or one of the wrong shape, for a model of the lineage.
    #[codec(index = 3)]
    MalformedQuery,
    /// An eligible row is missing from the credits.
    #[codec(index = 4)]
    OmittedRow,
    /// A span's bytes do not stand where it says.
    #[codec(index = 5)]
    WrongBytes,
    /// A longer or earlier match exists, or one where no span is.
    #[codec(index = 6)]
    BetterSpan,
    /// `previous` does not name the receipt before.
    #[codec(index = 7)]
    BrokenChain,
    /// `cumulative` is not the sum so far.
    #[codec(index = 8)]
    WrongCumulative,
    /// `totals` does not follow from the totals before and the credits.
    #[codec(index = 9)]
    WrongTotals,
    /// The price is under the model's floor.
    #[codec(index = 10)]
    UnderPriceFloor,
    /// A credit or span names a model outside the lineage or a row that does not exist.
    #[codec(index = 11)]
    UnknownRow,
    /// Two different receipts with one sequence number.
    #[codec(index = 12)]
    Equivocation,
    /// A demand was not answered in time.
    #[codec(index = 13)]
    Withheld,
    /// The receipt names a model or version that its channel's payee could not sell.
    #[codec(index = 14)]
    WrongModel,
}

/// Why evidence proves nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NotProven {
    /// An opening does not verify.
    Opening(MerkleError),
    /// The query is not the one that the receipt names.
    OtherQuery,
    /// The evidence is about another model, row, span or position than it should be.
    Mismatch,
    /// The evidence is sound and the receipt is right.
    Honest,
}

impl From<MerkleError> for NotProven {
    fn from(error: MerkleError) -> Self {
        Self::Opening(error)
    }
}

/// What the chain stores of one model's influence index.
#[derive(Clone, Copy, Debug)]
pub struct IndexContext<'a> {
    /// The model.
    pub model: ModelId,
    /// The job that made the index; part of every leaf.
    pub job: JobId,
    /// Terms.
    pub spec: &'a IndexSpec,
    /// Commitment over the rows.
    pub rows: &'a Commitment,
}

fn query_vector<'a>(query: &'a Query, context: &IndexContext<'_>) -> Option<&'a [i16]> {
    query
        .vector(context.model)
        .filter(|vector| u32::try_from(vector.len()) == Ok(context.spec.dimension))
}

/// Challenge 1: the credit at `position` opens to another score or to a row that may not be credited.
pub fn wrong_score(
    receipt: &Receipt,
    rules: &ReceiptRules,
    position: u32,
    query: &Query,
    context: &IndexContext<'_>,
    opening: &RowOpening,
) -> Result<Lie, NotProven> {
    if query.commit() != receipt.query {
        return Err(NotProven::OtherQuery);
    }
    let credit = usize::try_from(position)
        .ok()
        .and_then(|position| receipt.credits.get(position))
        .ok_or(NotProven::Mismatch)?;
    if (credit.model, credit.row) != (context.model, opening.row) {
        return Err(NotProven::Mismatch);
    }
    opening.verify(context.job, context.rows)?;
    if !query.is_well_formed() {
        return Ok(Lie::MalformedQuery);
    }
    let Some(vector) = query_vector(query, context) else {
        return Ok(Lie::MalformedQuery);
    };
    if opening.defect(context.spec).is_some() {
        return Ok(Lie::IneligibleRow);
    }
    match credit_score(vector, &opening.value, rules.floor()) {
        None => Ok(Lie::IneligibleRow),
        Some(score) if score != credit.score => Ok(Lie::WrongScore),
        Some(_) => Err(NotProven::Honest),
    }
}

/// Challenge 2: an eligible row is missing from a short list, or precedes the last of a full one.
/// `context` must be of a model in the served lineage.
pub fn omitted_row(
    receipt: &Receipt,
    rules: &ReceiptRules,
    query: &Query,
    context: &IndexContext<'_>,
    opening: &RowOpening,
) -> Result<Lie, NotProven> {
    if query.commit() != receipt.query {
        return Err(NotProven::OtherQuery);
    }
    opening.verify(context.job, context.rows)?;
    if !query.is_well_formed() {
        return Ok(Lie::MalformedQuery);
    }
    let Some(vector) = query_vector(query, context) else {
        return Ok(Lie::MalformedQuery);
    };
    if opening.defect(context.spec).is_some() {
        return Err(NotProven::Honest);
    }
    let Some(score) = credit_score(vector, &opening.value, rules.floor()) else {
        return Err(NotProven::Honest);
    };
    if receipt
        .credits
        .iter()
        .any(|credit| (credit.model, credit.row) == (context.model, opening.row))
    {
        return Err(NotProven::Honest);
    }
    let full = u32::try_from(receipt.credits.len()).unwrap_or(u32::MAX) >= rules.top_k;
    let precedes_last = receipt
        .credits
        .last()
        .is_none_or(|last| (Reverse(score), context.model, opening.row) < last.order());
    if !full || precedes_last {
        Ok(Lie::OmittedRow)
    } else {
        Err(NotProven::Honest)
    }
}

/// What the chain has found out about the record that a span or an occurrence names.
#[derive(Clone, Copy, Debug)]
pub struct RecordContext<'a> {
    /// Commitment over the record's chunks.
    pub content: &'a Commitment,
    /// Bytes in the record.
    pub length: u32,
    /// Whether its bytes may be matched: public, and not tombstoned when the job was taken.
    pub matchable: bool,
}

/// Challenge 3: one byte of span `position` differs between response and record, or the span reaches
/// past the record or into one that may not be matched. `distance` counts from the span's start.
pub fn wrong_bytes(
    receipt: &Receipt,
    position: u32,
    distance: u32,
    record: &RecordContext<'_>,
    response_chunk: &ResponseChunkOpening,
    record_chunk: &ChunkOpening,
) -> Result<Lie, NotProven> {
    let span = usize::try_from(position)
        .ok()
        .and_then(|position| receipt.spans.get(position))
        .ok_or(NotProven::Mismatch)?;
    let past_end = span
        .at
        .offset
        .checked_add(span.length)
        .is_none_or(|end| end > record.length);
    if !record.matchable || past_end {
        return Ok(Lie::WrongBytes);
    }
    if distance >= span.length {
        return Err(NotProven::Mismatch);
    }
    response_chunk.verify(&receipt.response)?;
    record_chunk.verify(record.content)?;
    let said = response_chunk
        .byte(span.start.saturating_add(distance))
        .ok_or(NotProven::Mismatch)?;
    let stands = record_chunk
        .byte(span.at.offset.saturating_add(distance))
        .ok_or(NotProven::Mismatch)?;
    if said == stands {
        Err(NotProven::Honest)
    } else {
        Ok(Lie::WrongBytes)
    }
}

/// Challenge 4: `length` bytes from `start` of the response stand at `at`, and the cover should have
/// used that: it is longer than the span that starts there, or as long and earlier, or no span covers
/// `start` although the list was not full before it.
pub fn better_span(
    receipt: &Receipt,
    rules: &ReceiptRules,
    start: u32,
    length: u32,
    at: Occurrence,
    record: &RecordContext<'_>,
    response: &ResponseWindow,
    bytes: &ChunkWindow,
) -> Result<Lie, NotProven> {
    if !(rules.minimum_span..=MAX_SPAN_LENGTH).contains(&length)
        || !record.matchable
        || at
            .offset
            .checked_add(length)
            .is_none_or(|end| end > record.length)
    {
        return Err(NotProven::Mismatch);
    }
    response.verify(&receipt.response)?;
    bytes.verify(record.content)?;
    let said = response.slice(start, length).ok_or(NotProven::Mismatch)?;
    let stands = bytes.slice(at.offset, length).ok_or(NotProven::Mismatch)?;
    if said != stands {
        return Err(NotProven::Mismatch);
    }
    let better = match receipt.spans.iter().find(|span| span.covers(start)) {
        Some(span) if span.start == start => {
            length > span.length || (length == span.length && at < span.at)
        }
        Some(_) => false,
        None => {
            let full = receipt.spans.is_full();
            !full || receipt.spans.last().is_some_and(|last| start < last.start)
        }
    };
    if better {
        Ok(Lie::BetterSpan)
    } else {
        Err(NotProven::Honest)
    }
}

/// How far a channel is: after a receipt, or where it was last settled.
#[derive(
    Clone,
    Copy,
    Debug,
    Default,
    PartialEq,
    Eq,
    Encode,
    Decode,
    DecodeWithMemTracking,
    MaxEncodedLen,
    TypeInfo,
)]
pub struct Mark {
    /// Sequence of the last receipt; zero before the first.
    pub sequence: u64,
    /// Sum of prices, in base units.
    pub cumulative: Balance,
    /// Hash of the last receipt; zero before the first.
    pub receipt: Hash,
}

impl Mark {
    /// The mark after `receipt`.
    pub fn after(receipt: &Receipt) -> Self {
        Self {
            sequence: receipt.sequence,
            cumulative: receipt.cumulative,
            receipt: receipt.commit(),
        }
    }
}

/// A model of the served lineage, and how many rows its index has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LineageModel {
    /// The model.
    pub model: ModelId,
    /// Rows of its index.
    pub rows: u32,
}

/// Challenge 5, and what operator and payer check before either goes on: does `receipt` follow from
/// `mark` and the totals before it? `owners` names the contribution of each of [`Receipt::data`].
/// Returns the totals after it.
///
/// The caller makes sure that the receipt's sequence is the mark's plus one.
pub fn check_step(
    mark: &Mark,
    receipt: &Receipt,
    before: &Totals,
    owners: &[ContributionId],
    lineage: &[LineageModel],
    ruleset: &Ruleset,
    price_floor: Balance,
) -> Result<Totals, Lie> {
    receipt
        .check_structure(&ruleset.receipt)
        .map_err(Lie::Structure)?;
    check_chain(mark, receipt)?;
    let tokens = u128::from(receipt.tokens_in).saturating_add(u128::from(receipt.tokens_out));
    if receipt.price < price_floor.saturating_mul(tokens) {
        return Err(Lie::UnderPriceFloor);
    }
    check_rows(receipt, lineage)?;
    match receipt.credit_totals(before, owners, &ruleset.receipt, &ruleset.split) {
        Some(after) if after.commitment() == receipt.totals => Ok(after),
        _ => Err(Lie::WrongTotals),
    }
}

/// The part of [`check_step`] that needs no totals: hash chain and running sum.
pub fn check_chain(mark: &Mark, receipt: &Receipt) -> Result<(), Lie> {
    if receipt.previous != mark.receipt {
        return Err(Lie::BrokenChain);
    }
    if mark.cumulative.checked_add(receipt.price) != Some(receipt.cumulative) {
        return Err(Lie::WrongCumulative);
    }
    Ok(())
}

/// The part of [`check_step`] that needs only the lineage: every datum exists.
pub fn check_rows(receipt: &Receipt, lineage: &[LineageModel]) -> Result<(), Lie> {
    let known = |model: ModelId, row: u32| {
        lineage
            .iter()
            .any(|member| member.model == model && row < member.rows)
    };
    if receipt.data().all(|(model, row)| known(model, row)) {
        Ok(())
    } else {
        Err(Lie::UnknownRow)
    }
}

/// Builds a credit of trained influence.
pub const fn influence_credit(model: ModelId, row: u32, score: i64) -> Credit {
    Credit {
        kind: CreditKind::Influence,
        model,
        row,
        score,
    }
}
