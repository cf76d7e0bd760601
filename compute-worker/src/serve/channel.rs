//! Who may ask: channels, their credit, and the vouchers that pay it off.

use super::{error::ApiError, models::Served, ServeOptions};
use crate::{
    attribution::Trace,
    chain::{ChainError, Channel, Client},
    keys::Key,
    ledger::{ChannelBook, Ledger, StoredReceipt},
    receipt::{self, Answer, ReceiptError, ReceiptTerms},
};
use attribution_proof::{
    bounds::{MAX_SPANS, MAX_TOTALS},
    hash::Hash,
    ruleset::Ruleset,
    voucher::SignedVoucher,
    AccountId, Balance, ChannelId, ContentId, RulesetId,
};
use serde_json::{json, Value};
use std::{
    collections::HashMap,
    future::Future,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

/// How long a client waits for the operator's node.
const CHAIN_TIMEOUT: Duration = Duration::from_secs(10);

/// A lock that a panic elsewhere does not spoil: what it guards is whole between any two statements.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Waits for the chain, but not longer than a client would: connecting again takes a minute.
async fn in_time<T>(reading: impl Future<Output = Result<T, ChainError>>) -> Result<T, ApiError> {
    match tokio::time::timeout(CHAIN_TIMEOUT, reading).await {
        Ok(read) => Ok(read?),
        Err(_) => Err(ApiError::unavailable(
            "chain_unavailable",
            format!(
                "the operator cannot reach its chain: its node did not answer within {} s; nothing was charged, try again later",
                CHAIN_TIMEOUT.as_secs()
            ),
        )),
    }
}

/// What is under way in one channel.
#[derive(Debug, Default)]
struct Flight {
    /// Most that the answers under way can cost, in base units.
    reserved: Balance,
    /// Answers under way.
    requests: usize,
    /// Set while the channel takes no new requests because it has to be settled.
    draining: bool,
}

/// One channel while the worker runs.
#[derive(Debug, Default)]
struct ChannelState {
    flight: Mutex<Flight>,
    /// Held while a receipt is built and appended, so that receipts follow each other.
    receipts: Mutex<()>,
}

/// The channels that pay this operator.
pub(super) struct Desk {
    chain: Client,
    ledger: Ledger,
    payee: AccountId,
    most_unsigned: Balance,
    states: Mutex<HashMap<ChannelId, Arc<ChannelState>>>,
    rulesets: Mutex<HashMap<RulesetId, Ruleset>>,
}

/// The right to answer one request. What it reserved is free again when it is dropped.
pub(super) struct Admission {
    /// The channel.
    pub(super) id: ChannelId,
    /// As it stands on chain.
    pub(super) channel: Channel,
    /// Its ruleset.
    pub(super) ruleset: Ruleset,
    reserved: Balance,
    state: Arc<ChannelState>,
}

impl Admission {
    /// Issues the channel's next receipt while no other of it is built.
    pub(super) fn issue(
        &self,
        ledger: &Ledger,
        key: &Key,
        genesis: Hash,
        served: &Served,
        answer: Answer,
        traced: Trace,
        audit: ContentId,
    ) -> Result<StoredReceipt, ReceiptError> {
        let terms = ReceiptTerms {
            genesis,
            channel: self.id,
            ruleset_id: self.channel.ruleset,
            ruleset: &self.ruleset,
            model: served.member.model,
            version: served.member.manifest.version,
            price_floor: served.member.manifest.price_floor,
            lineage: &served.lineage_models(),
        };
        let price = served.price(answer.tokens());
        let _turn = lock(&self.state.receipts);
        receipt::issue(ledger, key, &terms, price, answer, traced, audit)
    }

    /// One that reserves nothing.
    #[cfg(test)]
    pub(super) fn for_tests(id: ChannelId, channel: Channel, ruleset: Ruleset) -> Self {
        Self {
            id,
            channel,
            ruleset,
            reserved: 0,
            state: Arc::default(),
        }
    }
}

impl Drop for Admission {
    fn drop(&mut self) {
        let mut flight = lock(&self.state.flight);
        flight.reserved = flight.reserved.saturating_sub(self.reserved);
        flight.requests = flight.requests.saturating_sub(1);
    }
}

/// Whether the payee should answer no more in block `best`.
pub(super) fn is_ending(channel: &Channel, best: u32) -> bool {
    channel.closing.is_some() || best >= channel.expiry
}

impl Desk {
    /// The channels of `payee`.
    pub(super) fn new(
        chain: Client,
        ledger: Ledger,
        payee: AccountId,
        options: &ServeOptions,
    ) -> Self {
        Self {
            chain,
            ledger,
            payee,
            most_unsigned: options.most_unsigned,
            states: Mutex::default(),
            rulesets: Mutex::default(),
        }
    }

    fn state(&self, channel: ChannelId) -> Arc<ChannelState> {
        lock(&self.states).entry(channel).or_default().clone()
    }

    /// A ruleset; they never change.
    pub(super) async fn ruleset(&self, id: RulesetId) -> Result<Ruleset, ApiError> {
        if let Some(known) = lock(&self.rulesets).get(&id) {
            return Ok(*known);
        }
        let found = in_time(self.chain.ruleset(id)).await?.ok_or_else(|| {
            ApiError::unavailable(
                "chain_unavailable",
                format!("the operator's node has no ruleset {id}"),
            )
        })?;
        lock(&self.rulesets).insert(id, found);
        Ok(found)
    }

    /// A channel that pays this operator, as it stands on chain.
    pub(super) async fn channel(&self, id: ChannelId) -> Result<Channel, ApiError> {
        let channel = in_time(self.chain.channel(id)).await?;
        channel
            .filter(|channel| channel.payee == self.payee)
            .ok_or_else(|| {
                ApiError::payment(
                    "channel_unknown",
                    format!(
                        "channel {id} is not open or does not pay this operator; open one to {}",
                        self.payee
                    ),
                )
                .with_details(self.how_to_pay())
            })
    }

    /// What a client needs to know to pay.
    pub(super) fn how_to_pay(&self) -> Value {
        json!({
            "payee": self.payee.to_string(),
            "genesis": format!("{:?}", self.chain.genesis()),
            "most_unsigned": self.most_unsigned.to_string(),
            "header": super::CHANNEL_HEADER,
            "vouchers": "/v1/openledger/vouchers",
        })
    }

    /// Admits a request that costs at most `most` base units.
    ///
    /// # Errors
    /// 402 when the channel cannot pay or vouchers are missing, 429 while it is settled.
    pub(super) async fn admit(&self, id: ChannelId, most: Balance) -> Result<Admission, ApiError> {
        let channel = self.channel(id).await?;
        let best = in_time(self.chain.best_block()).await?;
        if is_ending(&channel, best) {
            let message = format!(
                "channel {id} is closing or has expired (block {best}, expiry {}); open another one or extend it",
                channel.expiry
            );
            return Err(
                ApiError::payment("channel_ending", message).with_details(self.how_to_pay())
            );
        }
        let ruleset = self.ruleset(channel.ruleset).await?;
        let state = self.state(id);
        let mut flight = lock(&state.flight);
        let book = self.ledger.book(id)?;
        // The chain was settled past the last seal: by lost books, or at the end of a channel that was
        // then extended. Totals would not count from the chain's mark.
        if book.sealed.sequence < channel.mark.sequence {
            let message = format!(
                "the operator's books of channel {id} do not go on from what was settled on chain; open another channel"
            );
            return Err(ApiError::unavailable("books_missing", message));
        }
        let data = ruleset
            .receipt
            .top_k
            .saturating_add(MAX_SPANS)
            .saturating_add(2) as usize;
        let entries = data.saturating_mul(flight.requests.saturating_add(1));
        let full = book.totals.entries.len().saturating_add(entries) > MAX_TOTALS as usize;
        if flight.draining || full {
            flight.draining = true;
            let message = format!(
                "channel {id} is about to be settled; send the voucher for its last receipt and try again"
            );
            let details = self.status(id, &channel, &book);
            return Err(ApiError::busy("channel_settling", message).with_details(details));
        }
        self.check_credit(id, &channel, &book, flight.reserved, most)?;
        flight.reserved = flight.reserved.saturating_add(most);
        flight.requests = flight.requests.saturating_add(1);
        drop(flight);
        Ok(Admission {
            id,
            channel,
            ruleset,
            reserved: most,
            state,
        })
    }

    fn check_credit(
        &self,
        id: ChannelId,
        channel: &Channel,
        book: &ChannelBook,
        reserved: Balance,
        most: Balance,
    ) -> Result<(), ApiError> {
        let details = || self.status(id, channel, book);
        let unsigned = book
            .unsigned()
            .saturating_add(reserved)
            .saturating_add(most);
        if unsigned > self.most_unsigned {
            let message = format!(
                "with this answer {unsigned} base units would be unsigned on channel {id}; the most is {}. Send the voucher for the last receipt (POST /v1/openledger/vouchers), or ask for fewer tokens",
                self.most_unsigned
            );
            return Err(ApiError::payment("voucher_required", message).with_details(details()));
        }
        let wanted = book
            .mark
            .cumulative
            .saturating_add(reserved)
            .saturating_add(most);
        let covered = channel.mark.cumulative.saturating_add(channel.deposit);
        if wanted > covered {
            let message = format!(
                "this answer may cost {most} base units, but channel {id} covers {covered} in all and {} are used; top it up or ask for fewer tokens",
                book.mark.cumulative.saturating_add(reserved)
            );
            return Err(ApiError::payment("deposit_exhausted", message).with_details(details()));
        }
        Ok(())
    }

    /// Takes no new requests on a channel, or takes them again.
    pub(super) fn drain(&self, id: ChannelId, draining: bool) {
        lock(&self.state(id).flight).draining = draining;
    }

    /// Whether a channel takes no new requests because it has to be settled.
    pub(super) fn is_draining(&self, id: ChannelId) -> bool {
        lock(&self.state(id).flight).draining
    }

    /// Keeps a voucher.
    pub(super) async fn vouch(&self, signed: &SignedVoucher) -> Result<ChannelBook, ApiError> {
        let voucher = &signed.voucher;
        if voucher.genesis != self.chain.genesis() {
            let message = format!(
                "the voucher is for the chain with genesis {:?}; this operator is on {:?}",
                voucher.genesis,
                self.chain.genesis()
            );
            return Err(ApiError::invalid("voucher_other_chain", message));
        }
        let channel = self.channel(voucher.channel).await?;
        if !signed.is_signed_by(&channel.signer) {
            let message = format!(
                "the voucher is not signed by {}, the signer of channel {}",
                channel.signer, voucher.channel
            );
            return Err(ApiError::invalid("voucher_signature", message));
        }
        self.ledger.vouch(signed)?;
        Ok(self.ledger.book(voucher.channel)?)
    }

    /// Where a channel stands, on chain and in the books. Amounts are decimal strings of base units.
    pub(super) fn status(&self, id: ChannelId, channel: &Channel, book: &ChannelBook) -> Value {
        let vouched = book.voucher.as_ref().map(|signed| {
            json!({
                "sequence": signed.voucher.sequence,
                "cumulative": signed.voucher.cumulative.to_string(),
            })
        });
        let waiting = book.seal.as_ref().map(|seal| {
            json!({
                "sequence": seal.receipt.receipt.sequence,
                "cumulative": seal.receipt.receipt.cumulative.to_string(),
            })
        });
        json!({
            "channel": id,
            "payer": channel.payer.to_string(),
            "signer": channel.signer.to_string(),
            "payee": channel.payee.to_string(),
            "ruleset": channel.ruleset,
            "expiry": channel.expiry,
            "closing": channel.closing,
            "deposit": channel.deposit.to_string(),
            "settled": {
                "sequence": channel.mark.sequence,
                "cumulative": channel.mark.cumulative.to_string(),
            },
            "last": {
                "sequence": book.mark.sequence,
                "cumulative": book.mark.cumulative.to_string(),
                "receipt": format!("{:?}", book.mark.receipt),
            },
            "voucher": vouched,
            "to_settle": waiting,
            "unsigned": book.unsigned().to_string(),
            "most_unsigned": self.most_unsigned.to_string(),
        })
    }
}
