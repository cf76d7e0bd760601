//! Receipts: what an operator signs with every answer.

use crate::{
    bounds::{CHUNK_BYTES, MAX_CREDITS, MAX_SPANS, MAX_SPAN_LENGTH, MAX_TOTALS},
    hash::{hash_encoded, Hash, Tag},
    merkle::{Commitment, MerkleError, Path, Tree},
    record::Chunk,
    ruleset::ReceiptRules,
    span::Span,
    split::{apportion, SplitRule, BILLION},
    totals::Totals,
    Balance, ChannelId, ContentId, ContributionId, ModelId, RulesetId,
};
use alloc::vec::Vec;
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use core::cmp::Reverse;
use scale_info::TypeInfo;
use sp_core::ConstU32;
use sp_runtime::{traits::Verify, BoundedVec, MultiSignature};

/// What kind of influence a credit pays for.
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
pub enum CreditKind {
    /// Influence through training.
    #[codec(index = 0)]
    Influence,
    /// Reserved: retrieved into the prompt. Version 1 refuses it.
    #[codec(index = 2)]
    Retrieval,
}

/// A credited row.
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
pub struct Credit {
    /// Kind.
    pub kind: CreditKind,
    /// The model whose index holds the row.
    pub model: ModelId,
    /// The row.
    pub row: u32,
    /// Its score, positive.
    pub score: i64,
}

impl Credit {
    /// Sort key of the list: score descending, model and row ascending.
    pub fn order(&self) -> (Reverse<i64>, ModelId, u32) {
        (Reverse(self.score), self.model, self.row)
    }
}

/// How the answer was sampled. Together with the request it lets an auditor repeat the answer.
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
pub struct Sampling {
    /// Temperature in thousandths; zero is greedy.
    pub temperature_milli: u32,
    /// Nucleus mass in millionths.
    pub top_p_millionths: u32,
    /// Candidates kept; zero keeps all.
    pub top_k: u32,
    /// Most tokens to generate.
    pub maximum_tokens: u32,
    /// Seed of the sampler.
    pub seed: u64,
}

/// Influence credits of a receipt.
pub type Credits = BoundedVec<Credit, ConstU32<MAX_CREDITS>>;
/// Spans of a receipt.
pub type Spans = BoundedVec<Span, ConstU32<MAX_SPANS>>;

/// A receipt.
#[derive(
    Clone, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo,
)]
pub struct Receipt {
    /// Genesis hash of the chain.
    pub genesis: Hash,
    /// The channel.
    pub channel: ChannelId,
    /// Number in the channel, from 1.
    pub sequence: u64,
    /// Hash of the receipt before it; zero for the first.
    pub previous: Hash,
    /// Ruleset of the channel.
    pub ruleset: RulesetId,
    /// The model that answered.
    pub model: ModelId,
    /// Its version.
    pub version: u32,
    /// `H(Tag::Request ‖ request bytes)`.
    pub request: Hash,
    /// Commitment over the response's salted chunks.
    pub response: Commitment,
    /// Bytes in the response.
    pub response_length: u32,
    /// Sampling.
    pub sampling: Sampling,
    /// Tokens of the prompt.
    pub tokens_in: u32,
    /// Tokens generated.
    pub tokens_out: u32,
    /// Price of this answer, in base units.
    pub price: Balance,
    /// Sum of the channel's prices up to here.
    pub cumulative: Balance,
    /// Hash of the query vectors.
    pub query: Hash,
    /// Encrypted or plain bundle for auditors in the content store.
    pub audit: ContentId,
    /// Influence credits.
    pub credits: Credits,
    /// Spans, ascending.
    pub spans: Spans,
    /// Commitment of the running totals since the settled mark.
    pub totals: Commitment,
}

/// Why a receipt is a lie by itself, whatever it refers to.
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
pub enum ReceiptDefect {
    /// More credits than the ruleset's `k`.
    #[codec(index = 0)]
    TooManyCredits,
    /// Credits out of order, doubled, not positive or of a reserved kind.
    #[codec(index = 1)]
    Credits,
    /// Spans out of order, overlapping, too short, too long or past the response.
    #[codec(index = 2)]
    Spans,
    /// The response's chunk count does not fit its length.
    #[codec(index = 3)]
    Response,
    /// The sequence is zero, the cumulative amount is below the price, or totals exceed their bound.
    #[codec(index = 4)]
    Counters,
}

impl Receipt {
    /// The hash that the operator signs and the next receipt names.
    pub fn commit(&self) -> Hash {
        hash_encoded(Tag::Receipt, self)
    }

    /// Where the channel stood before this receipt.
    pub fn cumulative_before(&self) -> Balance {
        self.cumulative.saturating_sub(self.price)
    }

    /// Checks the receipt against itself and the rules it names.
    pub fn check_structure(&self, rules: &ReceiptRules) -> Result<(), ReceiptDefect> {
        if self.credits.len() > usize::try_from(rules.top_k).unwrap_or(usize::MAX) {
            return Err(ReceiptDefect::TooManyCredits);
        }
        let ordered = self
            .credits
            .windows(2)
            .all(|pair| matches!(pair, [a, b] if a.order() < b.order()));
        let paid = self
            .credits
            .iter()
            .all(|credit| credit.score > 0 && credit.kind == CreditKind::Influence);
        // Equal rows with different scores would keep the order strict.
        let mut rows: Vec<_> = self
            .credits
            .iter()
            .map(|credit| (credit.model, credit.row))
            .collect();
        rows.sort_unstable();
        let distinct = rows.windows(2).all(|pair| matches!(pair, [a, b] if a != b));
        if !ordered || !paid || !distinct {
            return Err(ReceiptDefect::Credits);
        }
        let disjoint = self
            .spans
            .windows(2)
            .all(|pair| matches!(pair, [a, b] if a.end() <= b.start));
        let sized = self.spans.iter().all(|span| {
            (rules.minimum_span..=MAX_SPAN_LENGTH).contains(&span.length)
                && span
                    .start
                    .checked_add(span.length)
                    .is_some_and(|end| end <= self.response_length)
        });
        if !disjoint || !sized {
            return Err(ReceiptDefect::Spans);
        }
        if self.response.count != crate::record::chunk_count(self.response_length) {
            return Err(ReceiptDefect::Response);
        }
        if self.sequence == 0 || self.cumulative < self.price || self.totals.count > MAX_TOTALS {
            return Err(ReceiptDefect::Counters);
        }
        Ok(())
    }

    /// [`weights`] of this receipt's data.
    pub fn weights(&self, rules: &ReceiptRules) -> Vec<u64> {
        weights(&self.credits, &self.spans, rules)
    }

    /// Where each datum stands, in the order of [`Self::weights`].
    pub fn data(&self) -> impl Iterator<Item = (ModelId, u32)> + '_ {
        self.credits
            .iter()
            .map(|credit| (credit.model, credit.row))
            .chain(self.spans.iter().map(|span| (span.at.model, span.at.row)))
    }

    /// The totals after this receipt, given those before it and the contribution that owns each datum
    /// of [`Self::data`]. `None` when owners do not fit the data or the map is full.
    pub fn credit_totals(
        &self,
        before: &Totals,
        owners: &[ContributionId],
        rules: &ReceiptRules,
        split: &SplitRule,
    ) -> Option<Totals> {
        let weights = self.weights(rules);
        if weights.len() != owners.len() {
            return None;
        }
        let weighted: Vec<_> = owners.iter().copied().zip(weights).collect();
        let (from, to) = (self.cumulative_before(), self.cumulative);
        before.credit(
            self.model,
            split.builder_share(from, to),
            split.data_share(from, to),
            &weighted,
        )
    }
}

/// The weight of each datum, credits first, then spans. Where both kinds are present the governed
/// mix decides between them, in parts per billion; within a kind credits weigh by score and spans
/// by length up to the cap, by largest remainder.
pub fn weights(credits: &[Credit], spans: &[Span], rules: &ReceiptRules) -> Vec<u64> {
    let scores: Vec<u64> = credits
        .iter()
        .map(|credit| credit.score.max(0).unsigned_abs())
        .collect();
    let lengths: Vec<u64> = spans
        .iter()
        .map(|span| u64::from(span.length.min(rules.span_weight_cap)))
        .collect();
    let influence = match (scores.is_empty(), lengths.is_empty()) {
        (true, _) => 0,
        (false, true) => BILLION,
        (false, false) => rules.influence_mix.min(BILLION),
    };
    let parts = |total: u32, weights: &[u64]| {
        apportion(u128::from(total), weights)
            .into_iter()
            .map(|part| u64::try_from(part).unwrap_or(u64::MAX))
    };
    parts(influence, &scores)
        .chain(parts(BILLION.saturating_sub(influence), &lengths))
        .collect()
}

/// A receipt with its operator's signature over [`Receipt::commit`].
#[derive(
    Clone, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo,
)]
pub struct SignedReceipt {
    /// The receipt.
    pub receipt: Receipt,
    /// Signature of the channel's payee.
    pub signature: MultiSignature,
}

impl SignedReceipt {
    /// Whether `operator` signed the receipt.
    pub fn is_signed_by(&self, operator: &crate::AccountId) -> bool {
        self.signature
            .verify(self.receipt.commit().as_bytes(), operator)
    }
}

/// `H(request bytes)`.
pub fn request_commit(request: &[u8]) -> Hash {
    crate::hash::hash_bytes(Tag::Request, request)
}

/// Salt of chunk `index`, so that opening one chunk does not help to guess another.
pub fn response_salt(secret: &Hash, index: u32) -> Hash {
    hash_encoded(Tag::ResponseSalt, &(secret, index))
}

/// Leaf of a salted response chunk.
pub fn response_chunk_leaf(index: u32, salt: &Hash, data: &[u8]) -> Hash {
    hash_encoded(Tag::ResponseChunk, &(index, salt, data))
}

/// The tree over a response's chunks, salted from `secret`.
pub fn response_tree(response: &[u8], secret: &Hash) -> Tree {
    Tree::new(
        response
            .chunks(CHUNK_BYTES as usize)
            .zip(0u32..)
            .map(|(chunk, index)| response_chunk_leaf(index, &response_salt(secret, index), chunk))
            .collect(),
    )
}

/// Proof of one response chunk.
#[derive(
    Clone, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo,
)]
pub struct ResponseChunkOpening {
    /// Index of the chunk.
    pub index: u32,
    /// Its salt.
    pub salt: Hash,
    /// Its bytes.
    pub data: Chunk,
    /// Path of its leaf.
    pub path: Path,
}

impl ResponseChunkOpening {
    /// Checks the opening under a receipt's response.
    pub fn verify(&self, response: &Commitment) -> Result<(), MerkleError> {
        response.verify(
            self.index,
            response_chunk_leaf(self.index, &self.salt, &self.data),
            &self.path,
        )
    }

    /// The byte at `offset` of the response, if this chunk holds it.
    pub fn byte(&self, offset: u32) -> Option<u8> {
        if offset / CHUNK_BYTES != self.index {
            return None;
        }
        self.data
            .get(usize::try_from(offset % CHUNK_BYTES).ok()?)
            .copied()
    }
}

/// One or two neighbouring response chunks.
#[derive(
    Clone, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo,
)]
pub struct ResponseWindow {
    /// The first chunk.
    pub first: ResponseChunkOpening,
    /// The chunk after it, where the window needs one.
    pub second: Option<ResponseChunkOpening>,
}

impl ResponseWindow {
    /// Checks both chunks and that they are neighbours.
    pub fn verify(&self, response: &Commitment) -> Result<(), MerkleError> {
        self.first.verify(response)?;
        match &self.second {
            None => Ok(()),
            Some(second) if Some(second.index) == self.first.index.checked_add(1) => {
                second.verify(response)
            }
            Some(_) => Err(MerkleError::IndexOutOfRange),
        }
    }

    /// `length` bytes from `offset` of the response, if the window holds them all.
    pub fn slice(&self, offset: u32, length: u32) -> Option<Vec<u8>> {
        if self.second.is_some() && self.first.data.len() != CHUNK_BYTES as usize {
            return None;
        }
        let mut bytes = self.first.data.to_vec();
        if let Some(second) = &self.second {
            bytes.extend_from_slice(&second.data);
        }
        let start = offset.checked_sub(self.first.index.checked_mul(CHUNK_BYTES)?)?;
        let end = start.checked_add(length)?;
        bytes
            .get(usize::try_from(start).ok()?..usize::try_from(end).ok()?)
            .map(Vec::from)
    }
}
