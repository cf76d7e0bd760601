//! From an answer to its receipt, and from a receipt to a page that people can read.

use super::{
    channel::Admission,
    error::ApiError,
    models::{Models, Served},
};
use crate::{
    attribution::{self, Trace, TraceError},
    keys::Key,
    ledger::{Ledger, StoredReceipt},
};
use attribution_proof::{
    challenge::{check_step, Lie},
    hash::Hash,
    influence::Query,
    receipt::{request_commit, response_tree, Receipt, Sampling, SignedReceipt},
    ruleset::{ReceiptRules, Ruleset},
    split::apportion,
    totals::{Payee, Totals},
    ContentId, ModelId,
};
use codec::{Decode, Encode};
use rand_core::{OsRng, TryRngCore};
use serde_json::{json, Value};

/// Characters of a credited record that a trace shows.
const EXCERPT: usize = 240;

/// Why there is no receipt.
#[derive(Debug, thiserror::Error)]
pub(super) enum ReceiptError {
    /// The answer cannot be traced.
    #[error(transparent)]
    Trace(#[from] TraceError),
    /// The books.
    #[error(transparent)]
    Ledger(#[from] crate::ledger::LedgerError),
    /// The operator's own check found a lie: a defect, never signed.
    #[error("the receipt would be a lie ({0:?}), so it was not signed; report this")]
    Lie(Lie),
    /// Too many parts for the format.
    #[error("the receipt has more {0} than the format allows; report this")]
    TooMany(&'static str),
    /// The system gives no random numbers.
    #[error("the system gives no random numbers: {0}")]
    Random(String),
}

impl From<ReceiptError> for ApiError {
    fn from(error: ReceiptError) -> Self {
        match error {
            ReceiptError::Ledger(error) => error.into(),
            other => Self::internal(&other),
        }
    }
}

/// A finished answer.
#[derive(Clone, Debug)]
pub(super) struct Answer {
    /// The body of the request, byte for byte.
    pub(super) request: Vec<u8>,
    /// The text.
    pub(super) response: String,
    /// How it was sampled.
    pub(super) sampling: Sampling,
    /// Tokens of the prompt with the begin token.
    pub(super) prompt_tokens: Vec<u32>,
    /// Tokens generated.
    pub(super) response_tokens: Vec<u32>,
}

impl Answer {
    /// All tokens that are paid for.
    pub(super) fn tokens(&self) -> u64 {
        (self.prompt_tokens.len() + self.response_tokens.len()) as u64
    }
}

/// What an auditor needs to repeat an answer. Its blob is named by the receipt and stays with the
/// operator: it holds the client's words.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub(super) struct AuditBundle {
    /// The request as it was hashed.
    pub(super) request: Vec<u8>,
    /// The response.
    pub(super) response: Vec<u8>,
    /// Tokens of the prompt with the begin token.
    pub(super) prompt_tokens: Vec<u32>,
    /// Tokens generated.
    pub(super) response_tokens: Vec<u32>,
    /// The query vectors.
    pub(super) query: Query,
}

/// 32 or fewer random bytes from the system.
pub(super) fn random<const N: usize>() -> Result<[u8; N], ReceiptError> {
    let mut bytes = [0; N];
    OsRng
        .try_fill_bytes(&mut bytes)
        .map_err(|error| ReceiptError::Random(error.to_string()))?;
    Ok(bytes)
}

/// Traces an answer over the lineage of the model that gave it. Computes for a while.
pub(super) fn trace_answer(
    served: &Served,
    answer: &Answer,
    rules: &ReceiptRules,
) -> Result<Trace, ReceiptError> {
    let lineage = served.lineage();
    if lineage.is_empty() {
        // Weights from outside: nothing is known about their data.
        let (query, credits, spans, owners) = Default::default();
        return Ok(Trace {
            query,
            credits,
            spans,
            owners,
        });
    }
    let model = &served.engine.base().model;
    let begin = usize::from(model.config().bos_token_id.is_some());
    let prompt = answer.prompt_tokens.get(begin..).unwrap_or_default();
    let lineage: Vec<_> = lineage
        .into_iter()
        .map(|(member, evidence)| (&evidence.traced, member.adapter.as_deref()))
        .collect();
    Ok(attribution::trace_answer(
        model,
        &lineage,
        prompt,
        &answer.response_tokens,
        answer.response.as_bytes(),
        rules,
    )?)
}

/// Builds the receipt that follows the channel's last one, checks it as a challenger would, signs it
/// and commits it to the books.
pub(super) fn issue(
    ledger: &Ledger,
    key: &Key,
    genesis: Hash,
    admission: &Admission,
    served: &Served,
    answer: Answer,
    traced: Trace,
    audit: ContentId,
) -> Result<StoredReceipt, ReceiptError> {
    let secret = Hash::from(random::<32>()?);
    let price = served.price(answer.tokens());
    let manifest = &served.member.manifest;
    let ruleset = &admission.ruleset;
    let response = answer.response.into_bytes();
    admission.in_order(|| {
        let book = ledger.book(admission.id)?;
        let mut receipt = Receipt {
            genesis,
            channel: admission.id,
            sequence: book.mark.sequence.saturating_add(1),
            previous: book.mark.receipt,
            ruleset: admission.channel.ruleset,
            model: served.member.model,
            version: manifest.version,
            request: request_commit(&answer.request),
            response: response_tree(&response, &secret).commitment(),
            // Contexts are far below 2^32 bytes.
            response_length: response.len() as u32,
            sampling: answer.sampling,
            tokens_in: answer.prompt_tokens.len() as u32,
            tokens_out: answer.response_tokens.len() as u32,
            price,
            cumulative: book.mark.cumulative.saturating_add(price),
            query: traced.query.commit(),
            audit,
            credits: traced
                .credits
                .try_into()
                .map_err(|_| ReceiptError::TooMany("credits"))?,
            spans: traced
                .spans
                .try_into()
                .map_err(|_| ReceiptError::TooMany("spans"))?,
            totals: Default::default(),
        };
        let after = receipt
            .credit_totals(
                &book.totals,
                &traced.owners,
                &ruleset.receipt,
                &ruleset.split,
            )
            .ok_or(ReceiptError::TooMany("totals"))?;
        receipt.totals = after.commitment();
        check_step(
            &book.mark,
            &receipt,
            &book.totals,
            &traced.owners,
            &served.lineage_models(),
            ruleset,
            manifest.price_floor,
        )
        .map_err(ReceiptError::Lie)?;
        let signature = key.sign(receipt.commit().as_bytes());
        let stored = StoredReceipt {
            signed: SignedReceipt { receipt, signature },
            query: traced.query,
            request: answer.request,
            response,
            secret,
            owners: traced.owners,
        };
        ledger.append(&stored, after)?;
        Ok(stored)
    })
}

/// What a client gets beside the answer: the receipt, and its figures for those who only look.
pub(super) fn delivery(stored: &StoredReceipt) -> Value {
    let receipt = &stored.signed.receipt;
    json!({
        "channel": receipt.channel,
        "sequence": receipt.sequence,
        "price": receipt.price.to_string(),
        "cumulative": receipt.cumulative.to_string(),
        "credits": receipt.credits.len(),
        "spans": receipt.spans.len(),
        "receipt": format!("0x{}", hex::encode(stored.encode())),
        "trace": format!("/v1/openledger/receipts/{}/{}", receipt.channel, receipt.sequence),
    })
}

/// Who contributed a row, as far as the model is loaded.
fn datum(models: &Models, receipt: &Receipt, model: ModelId, row: u32) -> Value {
    let served = models.get(receipt.model);
    let lineage = served.as_ref().map(Served::lineage).unwrap_or_default();
    let record = lineage
        .iter()
        .find(|(member, _)| member.model == model)
        .and_then(|(_, evidence)| {
            let record = evidence.dataset.records.get(row as usize)?;
            Some((
                record,
                evidence.dataset.contributors.get(&record.contribution),
            ))
        });
    let Some((record, contributor)) = record else {
        return json!({});
    };
    let text = String::from_utf8_lossy(&record.bytes);
    json!({
        "contributor": contributor.map(ToString::to_string),
        "record": record.index,
        "record_text": text.chars().take(EXCERPT).collect::<String>(),
    })
}

fn join(mut left: Value, right: Value) -> Value {
    if let (Some(fields), Value::Object(more)) = (left.as_object_mut(), right) {
        fields.extend(more);
    }
    left
}

/// The trace of an answer: which contribution, which record, which bytes, what share. Amounts are
/// decimal strings of base units; weights are parts per billion of the data share.
pub(super) fn describe(stored: &StoredReceipt, ruleset: &Ruleset, models: &Models) -> Value {
    let receipt = &stored.signed.receipt;
    let weights = receipt.weights(&ruleset.receipt);
    let (before, after) = (receipt.cumulative_before(), receipt.cumulative);
    let data = ruleset.split.data_share(before, after);
    let amounts = apportion(data, &weights);
    let mut shares = weights.iter().zip(&amounts).zip(&stored.owners).map(
        |((weight, amount), owner)| {
            json!({ "weight": weight, "amount": amount.to_string(), "contribution": owner })
        },
    );
    let mut share = || shares.next().unwrap_or_else(|| json!({}));
    let credits: Vec<_> = receipt
        .credits
        .iter()
        .map(|credit| {
            let own = json!({
                "kind": "influence",
                "model": credit.model,
                "row": credit.row,
                "score": credit.score,
            });
            join(
                join(own, share()),
                datum(models, receipt, credit.model, credit.row),
            )
        })
        .collect();
    let spans: Vec<_> = receipt
        .spans
        .iter()
        .map(|span| {
            let bytes = stored
                .response
                .get(span.start as usize..span.end() as usize);
            let own = json!({
                "kind": "span",
                "start": span.start,
                "length": span.length,
                "text": String::from_utf8_lossy(bytes.unwrap_or_default()),
                "model": span.at.model,
                "row": span.at.row,
                "offset": span.at.offset,
            });
            join(
                join(own, share()),
                datum(models, receipt, span.at.model, span.at.row),
            )
        })
        .collect();
    json!({
        "channel": receipt.channel,
        "sequence": receipt.sequence,
        "model": receipt.model,
        "version": receipt.version,
        "ruleset": receipt.ruleset,
        "hash": format!("{:?}", receipt.commit()),
        "previous": format!("{:?}", receipt.previous),
        "tokens_in": receipt.tokens_in,
        "tokens_out": receipt.tokens_out,
        "price": receipt.price.to_string(),
        "cumulative": receipt.cumulative.to_string(),
        "builder_share": ruleset.split.builder_share(before, after).to_string(),
        "data_share": data.to_string(),
        "request": String::from_utf8_lossy(&stored.request),
        "response": String::from_utf8_lossy(&stored.response),
        "credits": credits,
        "spans": spans,
        "payees": payees(stored, ruleset),
    })
}

/// What each payee of the receipt earns, exactly as the totals have it.
fn payees(stored: &StoredReceipt, ruleset: &Ruleset) -> Vec<Value> {
    let receipt = &stored.signed.receipt;
    let owners = &stored.owners;
    let totals =
        receipt.credit_totals(&Totals::default(), owners, &ruleset.receipt, &ruleset.split);
    let entries = totals.map(|totals| totals.entries).unwrap_or_default();
    let payee = |payee| match payee {
        Payee::Treasury => json!({ "payee": "treasury" }),
        Payee::Builder => json!({ "payee": "builder" }),
        Payee::Contribution(contribution) => {
            json!({ "payee": "contribution", "contribution": contribution })
        }
    };
    let entry = |total: &attribution_proof::totals::Total| {
        join(
            payee(total.payee),
            json!({ "amount": total.amount.to_string() }),
        )
    };
    entries.iter().map(entry).collect()
}
