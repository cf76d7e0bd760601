//! Is a receipt true, as far as its payer can see it?
//!
//! The payer knows its request, the answer, and what the chain says. It therefore checks everything
//! except scores and matches, for which watchers have the indexes and the records.

use crate::{
    ledger::{ChannelBook, StoredReceipt},
    terms::ModelTerms,
};
use attribution_proof::{
    challenge::{check_step, Lie},
    hash::Hash,
    ruleset::Ruleset,
    totals::Totals,
    AccountId, Balance, ChannelId, ContributionId, ModelId, RulesetId,
};
use serde_json::Value;

/// Tokens that a prompt may have beyond one for each byte of the request: the begin token, and what
/// opens the assistant's turn of a chat.
const EXTRA_TOKENS: u64 = 16;

/// Why no voucher is signed for a receipt.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FalseReceipt {
    /// Another signature than the payee's.
    #[error("it is not signed by {0}, the payee of the channel")]
    Signature(AccountId),
    /// Another chain, channel or ruleset.
    #[error("it names another {0} than the channel that was asked through")]
    OtherChannel(&'static str),
    /// It does not have the next number.
    #[error("it has number {found} where {expected} comes next")]
    Sequence {
        /// As it says.
        found: u64,
        /// As it should be.
        expected: u64,
    },
    /// Two receipts with one number.
    #[error("another receipt with the same number was given before")]
    Equivocation,
    /// It is for a request that was not sent.
    #[error("it is for a request that was not sent, or that was paid for already")]
    NotAsked,
    /// It is not for the request that it came with.
    #[error("it is for another request than the one it answers")]
    OtherRequest,
    /// Another model answered.
    #[error("model {found} answered where model {asked} was asked")]
    OtherModel {
        /// As it says.
        found: ModelId,
        /// As the request says.
        asked: ModelId,
    },
    /// The chain has no such model, or another version of it.
    #[error(
        "the chain has no version {version} of model {model}, or it may not be served for money"
    )]
    UnknownModel {
        /// The model.
        model: ModelId,
        /// The version.
        version: u32,
    },
    /// It is not for the response that was received.
    #[error("it is for another response than the one received")]
    OtherResponse,
    /// The query vectors are not those that it names.
    #[error("the query vectors are not those that it names, or malformed")]
    Query,
    /// More tokens than there can be.
    #[error("it counts {found} {kind} tokens where there can be {most} at most")]
    Tokens {
        /// `prompt` or `completion`.
        kind: &'static str,
        /// As it says.
        found: u64,
        /// The bound.
        most: u64,
    },
    /// It asks for more than the model's price.
    #[error("it asks for {found} base units where the model's price makes {most}")]
    Price {
        /// As it says.
        found: Balance,
        /// Tokens times price.
        most: Balance,
    },
    /// A datum is credited to a contribution that does not hold it.
    #[error("it credits row {row} of model {model} to contribution {found:?}, but the chain has it in {owner:?}")]
    Owner {
        /// The model.
        model: ModelId,
        /// The row.
        row: u32,
        /// As it says.
        found: Option<ContributionId>,
        /// As the chain has it.
        owner: Option<ContributionId>,
    },
    /// A lie that the chain would punish.
    #[error("{0:?}")]
    Lie(Lie),
}

/// What a channel fixes.
#[derive(Clone, Debug)]
pub(super) struct ChannelTerms {
    /// Genesis hash of the chain.
    pub(super) genesis: Hash,
    /// The channel.
    pub(super) channel: ChannelId,
    /// Who signs receipts.
    pub(super) payee: AccountId,
    /// Its ruleset's number.
    pub(super) ruleset: RulesetId,
    /// Its ruleset.
    pub(super) rules: Ruleset,
}

/// The part of a request that bounds its receipt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Asked {
    /// The model.
    pub(super) model: ModelId,
    /// Most tokens of the answer, if the request says.
    maximum_tokens: Option<u64>,
}

impl Asked {
    /// Reads a body; nothing if it names no model by its number.
    pub(super) fn read(body: &[u8]) -> Option<Self> {
        let body: Value = serde_json::from_slice(body).ok()?;
        let model = body.get("model")?.as_str()?.parse().ok()?;
        let tokens = |name: &str| body.get(name).and_then(Value::as_u64);
        let maximum_tokens = tokens("max_completion_tokens").or_else(|| tokens("max_tokens"));
        Some(Self {
            model,
            maximum_tokens,
        })
    }
}

/// Checks a receipt that should follow the last one of `book`. Returns the totals after it.
///
/// Totals go on from the last receipt's, or start again behind a receipt that was vouched for: there
/// the operator may have settled.
pub(super) fn verify(
    stored: &StoredReceipt,
    terms: &ChannelTerms,
    model: &ModelTerms,
    book: &ChannelBook,
) -> Result<Totals, FalseReceipt> {
    let receipt = &stored.signed.receipt;
    let expected = book.mark.sequence.saturating_add(1);
    let identity = [
        (receipt.genesis == terms.genesis, "chain"),
        (receipt.channel == terms.channel, "channel"),
        (receipt.ruleset == terms.ruleset, "ruleset"),
    ];
    if let Some((_, name)) = identity.into_iter().find(|(same, _)| !same) {
        return Err(FalseReceipt::OtherChannel(name));
    }
    if !stored.signed.is_signed_by(&terms.payee) {
        return Err(FalseReceipt::Signature(terms.payee.clone()));
    }
    if receipt.sequence != expected {
        return Err(FalseReceipt::Sequence {
            found: receipt.sequence,
            expected,
        });
    }
    if !stored.has_its_request() {
        return Err(FalseReceipt::OtherRequest);
    }
    if !stored.has_its_response() {
        return Err(FalseReceipt::OtherResponse);
    }
    if !stored.has_its_query() || !stored.query.is_well_formed() {
        return Err(FalseReceipt::Query);
    }
    check_terms(stored, model)?;
    for (position, (of, row)) in receipt.data().enumerate() {
        let (found, owner) = (stored.owners.get(position).copied(), model.owner(of, row));
        // A row that does not exist is a lie of its own, below.
        if owner.is_some() && found != owner {
            return Err(FalseReceipt::Owner {
                model: of,
                row,
                found,
                owner,
            });
        }
    }
    let step = |before: &Totals| {
        check_step(
            &book.mark,
            receipt,
            before,
            &stored.owners,
            &model.lineage,
            &terms.rules,
            model.price_floor,
        )
    };
    let is_vouched = book
        .voucher
        .as_ref()
        .is_some_and(|signed| signed.voucher.receipt == book.mark.receipt);
    match step(&book.totals) {
        Err(Lie::WrongTotals) if is_vouched => step(&Totals::default()),
        other => other,
    }
    .map_err(FalseReceipt::Lie)
}

/// Checks model, tokens and price against the request and the chain.
fn check_terms(stored: &StoredReceipt, model: &ModelTerms) -> Result<(), FalseReceipt> {
    let receipt = &stored.signed.receipt;
    let asked = Asked::read(&stored.request).ok_or(FalseReceipt::OtherRequest)?;
    if asked.model != receipt.model {
        return Err(FalseReceipt::OtherModel {
            found: receipt.model,
            asked: asked.model,
        });
    }
    if !model.may_sell(receipt) {
        return Err(FalseReceipt::UnknownModel {
            model: receipt.model,
            version: receipt.version,
        });
    }
    let tokens = |kind, found: u32, most: u64| {
        let found = u64::from(found);
        if found > most {
            return Err(FalseReceipt::Tokens { kind, found, most });
        }
        Ok(u128::from(found))
    };
    // A token stands for a byte at least, and JSON is not shorter than the text in it.
    let prompt = (stored.request.len() as u64).saturating_add(EXTRA_TOKENS);
    let sampled = u64::from(receipt.sampling.maximum_tokens);
    let completion = asked
        .maximum_tokens
        .map_or(sampled, |maximum| maximum.min(sampled));
    let count = tokens("prompt", receipt.tokens_in, prompt)?.saturating_add(tokens(
        "completion",
        receipt.tokens_out,
        completion,
    )?);
    let most = model.price.saturating_mul(count);
    if receipt.price > most {
        return Err(FalseReceipt::Price {
            found: receipt.price,
            most,
        });
    }
    Ok(())
}
