//! Issuing receipts: from a traced answer to a signed entry in the books.

use crate::{
    attribution::{Trace, TraceError},
    keys::Key,
    ledger::{Ledger, LedgerError, StoredReceipt},
};
use attribution_proof::{
    challenge::{check_step, Lie, LineageModel},
    hash::Hash,
    influence::Query,
    receipt::{request_commit, response_tree, Receipt, Sampling, SignedReceipt},
    ruleset::Ruleset,
    Balance, ChannelId, ContentId, ModelId, RulesetId,
};
use codec::{Decode, Encode};
use rand_core::{OsRng, TryRngCore};

/// Why there is no receipt.
#[derive(Debug, thiserror::Error)]
pub enum ReceiptError {
    /// The answer cannot be traced.
    #[error(transparent)]
    Trace(#[from] TraceError),
    /// The books.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
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

/// A finished answer.
#[derive(Clone, Debug)]
pub struct Answer {
    /// The body of the request, byte for byte.
    pub request: Vec<u8>,
    /// The text.
    pub response: String,
    /// How it was sampled.
    pub sampling: Sampling,
    /// Tokens of the prompt with the begin token.
    pub prompt_tokens: Vec<u32>,
    /// Tokens generated.
    pub response_tokens: Vec<u32>,
}

impl Answer {
    /// All tokens that are paid for.
    pub fn tokens(&self) -> u64 {
        (self.prompt_tokens.len() + self.response_tokens.len()) as u64
    }

    /// The audit blob of the answer.
    pub fn audit(&self, query: &Query) -> AuditBundle {
        AuditBundle {
            request: self.request.clone(),
            response: self.response.clone().into_bytes(),
            prompt_tokens: self.prompt_tokens.clone(),
            response_tokens: self.response_tokens.clone(),
            query: query.clone(),
        }
    }
}

/// What an auditor needs to repeat an answer. Its blob is named by the receipt and stays with the
/// operator: it holds the client's words.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct AuditBundle {
    /// The request as it was hashed.
    pub request: Vec<u8>,
    /// The response.
    pub response: Vec<u8>,
    /// Tokens of the prompt with the begin token.
    pub prompt_tokens: Vec<u32>,
    /// Tokens generated.
    pub response_tokens: Vec<u32>,
    /// The query vectors.
    pub query: Query,
}

/// What the chain says about the channel that pays and the model that answered.
#[derive(Clone, Copy, Debug)]
pub struct ReceiptTerms<'a> {
    /// Genesis hash of the chain.
    pub genesis: Hash,
    /// The channel.
    pub channel: ChannelId,
    /// Number of its ruleset.
    pub ruleset_id: RulesetId,
    /// Its ruleset.
    pub ruleset: &'a Ruleset,
    /// The model.
    pub model: ModelId,
    /// Its version.
    pub version: u32,
    /// Least price per token, in base units.
    pub price_floor: Balance,
    /// The indexed models whose rows may be credited.
    pub lineage: &'a [LineageModel],
}

/// `N` random bytes from the system.
pub(crate) fn random<const N: usize>() -> Result<[u8; N], ReceiptError> {
    let mut bytes = [0; N];
    OsRng
        .try_fill_bytes(&mut bytes)
        .map_err(|error| ReceiptError::Random(error.to_string()))?;
    Ok(bytes)
}

/// Builds the receipt that follows the channel's last one, checks it as a challenger would, signs it
/// and commits it to the books. `price` is that of the whole answer, in base units; `audit` names the
/// stored [`AuditBundle`]. Receipts of one channel have to be issued one after another.
pub fn issue(
    ledger: &Ledger,
    key: &Key,
    terms: &ReceiptTerms<'_>,
    price: Balance,
    answer: Answer,
    traced: Trace,
    audit: ContentId,
) -> Result<StoredReceipt, ReceiptError> {
    let secret = Hash::from(random::<32>()?);
    let ruleset = terms.ruleset;
    let response = answer.response.into_bytes();
    let book = ledger.book(terms.channel)?;
    let mut receipt = Receipt {
        genesis: terms.genesis,
        channel: terms.channel,
        sequence: book.mark.sequence.saturating_add(1),
        previous: book.mark.receipt,
        ruleset: terms.ruleset_id,
        model: terms.model,
        version: terms.version,
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
        terms.lineage,
        ruleset,
        terms.price_floor,
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
}
