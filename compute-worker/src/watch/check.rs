//! Is a receipt true? Every finding is what a function of [`attribution_proof::challenge`] proved, so
//! the chain decides the same.

use super::{
    lineage::{Lineage, Member},
    proof::{Finding, Proof},
};
use crate::chain::{
    calls::{Answer, DemandRequest},
    Settlement,
};
use attribution_proof::{
    bounds::CHUNK_BYTES,
    challenge::{
        better_span, check_chain, check_rows, check_step, omitted_row, wrong_bytes, wrong_score,
        Lie, Mark, RecordContext,
    },
    hash::Hash,
    influence::{Query, RowOpening},
    receipt::{Receipt, ResponseChunkOpening, ResponseWindow, SignedReceipt},
    ruleset::Ruleset,
    span::{Occurrence, Span},
    totals::Totals,
    ModelId,
};

/// The first and the last chunk of `length` bytes from `offset`.
pub(super) fn chunks(offset: u32, length: u32) -> [u32; 2] {
    let last = offset.saturating_add(length.max(1) - 1);
    [offset / CHUNK_BYTES, last / CHUNK_BYTES]
}

/// What is judged.
#[derive(Clone, Copy)]
pub(super) struct Case<'a> {
    /// Genesis hash of the chain.
    pub(super) genesis: Hash,
    /// The settlement.
    pub(super) settlement: &'a Settlement,
    /// Its ruleset.
    pub(super) ruleset: &'a Ruleset,
}

impl Case<'_> {
    /// Whether the settlement's operator signed the receipt with number `sequence` of its channel.
    pub(super) fn is_signed(&self, signed: &SignedReceipt, sequence: u64) -> bool {
        let receipt = &signed.receipt;
        (receipt.genesis, receipt.channel, receipt.sequence)
            == (self.genesis, self.settlement.channel, sequence)
            && signed.is_signed_by(&self.settlement.operator)
    }

    /// Whether the receipt can be the one that was settled last.
    pub(super) fn may_be_last(&self, receipt: &Receipt) -> bool {
        receipt.sequence != self.settlement.to.sequence
            || receipt.commit() == self.settlement.to.receipt
    }
}

/// What was shown of one receipt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Exhibit {
    /// The receipt.
    pub(super) signed: SignedReceipt,
    /// The query that it names.
    pub(super) query: Query,
    /// The chunks of its response that are at hand, ascending.
    pub(super) chunks: Vec<ResponseChunkOpening>,
}

impl Exhibit {
    /// Takes chunks that were shown on chain.
    pub(super) fn add_chunks(&mut self, answers: &[Answer]) {
        for answer in answers {
            let Answer::ResponseChunk(chunk) = answer else {
                continue;
            };
            if chunk.verify(&self.signed.receipt.response).is_err() {
                continue;
            }
            if let Err(at) = self
                .chunks
                .binary_search_by_key(&chunk.index, |known| known.index)
            {
                self.chunks.insert(at, chunk.clone());
            }
        }
    }

    fn chunk(&self, index: u32) -> Option<&ResponseChunkOpening> {
        let found = self
            .chunks
            .binary_search_by_key(&index, |chunk| chunk.index);
        self.chunks.get(found.ok()?)
    }

    /// The whole response, if it is at hand.
    fn response(&self) -> Option<Vec<u8>> {
        let is_whole =
            (0..self.signed.receipt.response.count).eq(self.chunks.iter().map(|c| c.index));
        is_whole.then(|| {
            let bytes = self.chunks.iter().flat_map(|chunk| chunk.data.iter());
            bytes.copied().collect()
        })
    }

    fn window(&self, start: u32, length: u32) -> Option<ResponseWindow> {
        let [first, last] = chunks(start, length);
        Some(ResponseWindow {
            first: self.chunk(first)?.clone(),
            second: match last {
                last if last == first => None,
                last => Some(self.chunk(last)?.clone()),
            },
        })
    }
}

/// Where the walk along a settlement's receipts stands.
#[derive(Clone, Debug)]
struct Position {
    mark: Mark,
    /// The receipt that ends there; none at the settled mark.
    previous: Option<SignedReceipt>,
    /// Totals there; nothing once they were a lie.
    totals: Option<Totals>,
}

/// A walk along the receipts of a settlement, in their order.
pub(super) struct Walk<'a> {
    case: Case<'a>,
    /// What was shown in answer to demands.
    answers: &'a [Answer],
    /// Nothing behind a receipt that is withheld.
    position: Option<Position>,
    /// What was found so far.
    pub(super) findings: Vec<Finding>,
}

impl<'a> Walk<'a> {
    /// Begins at the settled mark.
    pub(super) fn new(case: Case<'a>, answers: &'a [Answer]) -> Self {
        Self {
            case,
            answers,
            position: Some(Position {
                mark: case.settlement.from,
                previous: None,
                totals: Some(Totals::default()),
            }),
            findings: Vec::new(),
        }
    }

    fn find(&mut self, sequence: u64, lie: Lie, proof: Proof) {
        self.findings.push(Finding {
            sequence,
            lie,
            proof,
        });
    }

    /// Receipt `sequence` is not shown, or not whole.
    pub(super) fn withheld(&mut self, sequence: u64) {
        self.position = None;
        let request = DemandRequest::Receipt { sequence };
        self.find(sequence, Lie::Withheld, Proof::Demand(request));
    }

    /// Two receipts of the operator have the same number.
    pub(super) fn compare(&mut self, first: &SignedReceipt, second: &SignedReceipt) {
        if first.receipt.commit() != second.receipt.commit() {
            let proof = Proof::Equivocation {
                first: first.clone(),
                second: second.clone(),
            };
            self.find(first.receipt.sequence, Lie::Equivocation, proof);
        }
    }

    /// Judges the next receipt. `lineage` is of the model that it names; nothing if the chain has none.
    pub(super) fn judge(&mut self, exhibit: &Exhibit, lineage: Option<&Lineage>) {
        let signed = &exhibit.signed;
        let receipt = &signed.receipt;
        if !self.case.may_be_last(receipt) {
            let receipt = signed.clone();
            self.find(
                receipt.receipt.sequence,
                Lie::Equivocation,
                Proof::Settlement { receipt },
            );
        }
        self.judge_step(signed, lineage);
        let Some(lineage) = lineage else {
            return;
        };
        self.judge_credits(exhibit, lineage);
        self.judge_omissions(exhibit, lineage);
        self.judge_spans(exhibit, lineage);
    }

    /// Does the receipt follow from the one before it?
    fn judge_step(&mut self, signed: &SignedReceipt, lineage: Option<&Lineage>) {
        let receipt = &signed.receipt;
        let mut position = Position {
            mark: Mark::after(receipt),
            previous: Some(signed.clone()),
            totals: None,
        };
        let Some(before) = self.position.take() else {
            self.position = Some(position);
            return;
        };
        let verdict = match lineage {
            Some(lineage) if lineage.terms().may_sell(receipt) => {
                let (after, verdict) = step(&before, receipt, lineage, self.case.ruleset);
                position.totals = after;
                verdict
            }
            _ => Err(Lie::WrongModel),
        };
        self.position = Some(position);
        let Err(lie) = verdict else {
            return;
        };
        // The settlement itself shows that it does not continue the mark.
        let proof = if before.previous.is_none() && check_chain(&before.mark, receipt).is_err() {
            Proof::Settlement {
                receipt: signed.clone(),
            }
        } else {
            let owners = lineage.and_then(|lineage| lineage.owners_of(receipt));
            Proof::Step {
                previous: before.previous,
                receipt: signed.clone(),
                before: before.totals.unwrap_or_default(),
                owners: owners.unwrap_or_default(),
            }
        };
        self.find(receipt.sequence, lie, proof);
    }

    fn open_row(&self, member: &Member, row: u32) -> Option<RowOpening> {
        let context = member.context();
        member.open_row(row).or_else(|| {
            self.answers.iter().find_map(|answer| match answer {
                Answer::Row(opening) if opening.row == row => {
                    opening.verify(context.job, context.rows).ok()?;
                    Some(opening.clone())
                }
                _ => None,
            })
        })
    }

    fn demand_row(&mut self, signed: &SignedReceipt, model: ModelId, row: u32) {
        let request = DemandRequest::Row {
            receipt: signed.clone(),
            model,
            row,
        };
        let sequence = signed.receipt.sequence;
        self.find(sequence, Lie::Withheld, Proof::Demand(request));
    }

    /// Has each credited row the score that the receipt says?
    fn judge_credits(&mut self, exhibit: &Exhibit, lineage: &Lineage) {
        let Exhibit { signed, query, .. } = exhibit;
        let receipt = &signed.receipt;
        let rules = &self.case.ruleset.receipt;
        for (position, credit) in (0u32..).zip(&receipt.credits) {
            // A row that does not exist is a lie of the step.
            let Some(member) = lineage
                .member(credit.model)
                .filter(|member| credit.row < member.context().rows.count)
            else {
                continue;
            };
            let Some(opening) = self.open_row(member, credit.row) else {
                self.demand_row(signed, credit.model, credit.row);
                continue;
            };
            let context = member.context();
            if let Ok(lie) = wrong_score(receipt, rules, position, query, &context, &opening) {
                let proof = Proof::Score {
                    receipt: signed.clone(),
                    position,
                    query: query.clone(),
                    opening,
                };
                self.find(receipt.sequence, lie, proof);
                if lie == Lie::MalformedQuery {
                    return;
                }
            }
        }
    }

    /// Is an eligible row missing?
    fn judge_omissions(&mut self, exhibit: &Exhibit, lineage: &Lineage) {
        let Exhibit { signed, query, .. } = exhibit;
        let receipt = &signed.receipt;
        let rules = &self.case.ruleset.receipt;
        let candidates: Vec<_> = match lineage.credits(query, rules) {
            Ok(credits) => credits
                .iter()
                .map(|credit| (credit.model, credit.row))
                .collect(),
            // Any row shows that the query is malformed, and nothing else if it is not.
            Err(_) => lineage
                .members()
                .iter()
                .map(|member| (member.context().model, 0))
                .collect(),
        };
        for (model, row) in candidates {
            let Some((context, opening)) = lineage
                .member(model)
                .and_then(|member| Some((member.context(), self.open_row(member, row)?)))
            else {
                continue;
            };
            if let Ok(lie) = omitted_row(receipt, rules, query, &context, &opening) {
                let proof = Proof::Omission {
                    receipt: signed.clone(),
                    model,
                    query: query.clone(),
                    opening,
                };
                self.find(receipt.sequence, lie, proof);
                if lie == Lie::MalformedQuery {
                    return;
                }
            }
        }
    }

    /// Do the spans stand where the receipt says, and are there no better ones?
    fn judge_spans(&mut self, exhibit: &Exhibit, lineage: &Lineage) {
        let receipt = &exhibit.signed.receipt;
        let Some(response) = exhibit.response() else {
            for index in 0..receipt.response.count {
                if exhibit.chunk(index).is_none() {
                    let request = DemandRequest::ResponseChunk {
                        receipt: exhibit.signed.clone(),
                        index,
                    };
                    self.find(receipt.sequence, Lie::Withheld, Proof::Demand(request));
                }
            }
            return;
        };
        for (position, span) in (0u32..).zip(&receipt.spans) {
            if let Some((lie, proof)) = false_bytes(exhibit, &response, position, span, lineage) {
                self.find(receipt.sequence, lie, proof);
            }
        }
        let spans = lineage.spans(&response, &self.case.ruleset.receipt);
        for span in spans.unwrap_or_default() {
            if let Some((lie, proof)) = better(exhibit, self.case.ruleset, &span, lineage) {
                self.find(receipt.sequence, lie, proof);
            }
        }
    }
}

/// The totals after a receipt, if it tells the truth about them, and whether it follows.
fn step(
    before: &Position,
    receipt: &Receipt,
    lineage: &Lineage,
    ruleset: &Ruleset,
) -> (Option<Totals>, Result<(), Lie>) {
    let owners = lineage.owners_of(receipt).unwrap_or_default();
    let Some(totals) = &before.totals else {
        // Nobody can say what they should be, but the rest can be judged.
        let verdict = receipt
            .check_structure(&ruleset.receipt)
            .map_err(Lie::Structure)
            .and_then(|()| check_chain(&before.mark, receipt))
            .and_then(|()| check_rows(receipt, lineage.models()));
        return (None, verdict);
    };
    let after = receipt
        .credit_totals(totals, &owners, &ruleset.receipt, &ruleset.split)
        .filter(|after| after.commitment() == receipt.totals);
    let verdict = check_step(
        &before.mark,
        receipt,
        totals,
        &owners,
        lineage.models(),
        ruleset,
        lineage.price_floor(),
    );
    (after, verdict.map(|_| ()))
}

/// The first byte of a span that does not stand where the receipt says.
fn false_bytes(
    exhibit: &Exhibit,
    response: &[u8],
    position: u32,
    span: &Span,
    lineage: &Lineage,
) -> Option<(Lie, Proof)> {
    let Occurrence { model, row, offset } = span.at;
    let member = lineage.member(model)?;
    let record = member.record(row)?;
    let said = response.get(span.start as usize..span.end() as usize)?;
    let stands = record
        .bytes
        .get(offset as usize..)
        .and_then(|bytes| bytes.get(..said.len()));
    let distance = match stands {
        Some(stands) if !record.absent => {
            let differs = said
                .iter()
                .zip(stands)
                .position(|(said, stands)| said != stands);
            u32::try_from(differs?).ok()?
        }
        // It reaches past the record, or into one that may not be matched: any byte will do.
        _ => 0,
    };
    let opened = member.open_record(row)?;
    let context = RecordContext {
        content: &opened.content,
        length: opened.len,
        matchable: !record.absent,
    };
    let response = exhibit.chunk(span.start.saturating_add(distance) / CHUNK_BYTES)?;
    let bytes = member
        .open_chunk(row, offset.saturating_add(distance) / CHUNK_BYTES)
        .or_else(|| member.open_chunk(row, 0))?;
    let receipt = &exhibit.signed.receipt;
    let lie = wrong_bytes(receipt, position, distance, &context, response, &bytes).ok()?;
    let proof = Proof::Bytes {
        receipt: exhibit.signed.clone(),
        position,
        distance,
        contribution: record.contribution,
        record: opened,
        response: response.clone(),
        bytes,
    };
    Some((lie, proof))
}

/// Whether `span`, which stands in the response, is better than what the receipt has there.
fn better(
    exhibit: &Exhibit,
    ruleset: &Ruleset,
    span: &Span,
    lineage: &Lineage,
) -> Option<(Lie, Proof)> {
    let Span { start, length, at } = *span;
    let receipt = &exhibit.signed.receipt;
    if receipt.spans.contains(span) {
        return None;
    }
    let member = lineage.member(at.model)?;
    let record = member.record(at.row)?;
    let opened = member.open_record(at.row)?;
    let context = RecordContext {
        content: &opened.content,
        length: opened.len,
        matchable: !record.absent,
    };
    let response = exhibit.window(start, length)?;
    let bytes = member.open_window(at.row, at.offset, length)?;
    let rules = &ruleset.receipt;
    let lie = better_span(
        receipt, rules, start, length, at, &context, &response, &bytes,
    )
    .ok()?;
    let proof = Proof::Span {
        receipt: exhibit.signed.clone(),
        start,
        length,
        at,
        contribution: record.contribution,
        record: opened,
        response,
        bytes,
    };
    Some((lie, proof))
}
