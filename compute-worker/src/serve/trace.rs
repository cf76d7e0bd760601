//! From an answer to its trace, and from a receipt to a page that people can read.

use super::{
    error::ApiError,
    models::{Models, Served},
};
use crate::{
    attribution::{self, Trace},
    ledger::StoredReceipt,
    receipt::{Answer, ReceiptError},
};
use attribution_proof::{
    receipt::Receipt,
    ruleset::{ReceiptRules, Ruleset},
    split::apportion,
    totals::{Payee, Totals},
    ModelId,
};
use codec::Encode;
use serde_json::{json, Value};

/// Characters of a credited record that a trace shows.
const EXCERPT: usize = 240;

impl From<ReceiptError> for ApiError {
    fn from(error: ReceiptError) -> Self {
        match error {
            ReceiptError::Ledger(error) => error.into(),
            other => Self::internal(&other),
        }
    }
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
