//! One channel from its payer's side: receipts are checked and kept, and each is answered with a
//! voucher.
//!
//! Receipts are taken in the order of their numbers. One that got lost on its way, because a connection
//! broke or this process was killed, is fetched from the operator before any later one is taken.

use super::{
    chain::{Change, PayerChain},
    error::PayError,
    journal::Journal,
    verify::{verify, ChannelTerms, FalseReceipt},
};
use crate::{
    chain::Channel,
    keys::Key,
    ledger::{ChannelBook, Ledger, StoredReceipt},
    remote::RemoteOperator,
    terms::ModelTerms,
};
use attribution_proof::{
    hash::Hash,
    totals::Totals,
    voucher::{SignedVoucher, Voucher},
    ModelId,
};
use codec::{DecodeAll, Encode};
use serde_json::{json, Value};
use std::{
    collections::HashMap,
    path::PathBuf,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

/// A lock that a panic elsewhere does not spoil: what it guards is whole between any two statements.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Reads the receipt that came with an answer.
pub(super) fn delivered_receipt(openledger: &Value) -> Result<StoredReceipt, String> {
    let text = openledger["receipt"]
        .as_str()
        .ok_or("there is no field openledger.receipt")?;
    let bytes = hex::decode(text.trim_start_matches("0x")).map_err(|error| error.to_string())?;
    StoredReceipt::decode_all(&mut &*bytes).map_err(|error| error.to_string())
}

/// What is true of the operator's view of the channel.
#[derive(Debug, Default)]
struct Turn {
    /// Newest receipt whose voucher the operator has confirmed.
    delivered: u64,
}

/// The payer of one channel.
pub(super) struct Payer {
    pub(super) chain: Arc<dyn PayerChain>,
    pub(super) operator: RemoteOperator,
    key: Key,
    ledger: Ledger,
    journal: Journal,
    pub(super) terms: ChannelTerms,
    folder: PathBuf,
    models: Mutex<HashMap<ModelId, Arc<ModelTerms>>>,
    dispute: Mutex<Option<String>>,
    /// Held while receipts are taken, so that they are taken in order.
    turn: tokio::sync::Mutex<Turn>,
}

impl Payer {
    /// `folder` gets the receipts that turn out false.
    pub(super) fn new(
        chain: Arc<dyn PayerChain>,
        operator: RemoteOperator,
        key: Key,
        ledger: Ledger,
        journal: Journal,
        terms: ChannelTerms,
        folder: PathBuf,
    ) -> Self {
        Self {
            chain,
            operator,
            key,
            ledger,
            journal,
            terms,
            folder,
            models: Mutex::default(),
            dispute: Mutex::default(),
            turn: tokio::sync::Mutex::default(),
        }
    }

    fn book(&self) -> Result<ChannelBook, PayError> {
        Ok(self.ledger.book(self.terms.channel)?)
    }

    /// Refuses to go on with an operator that lied.
    pub(super) fn check_dispute(&self) -> Result<(), PayError> {
        match &*lock(&self.dispute) {
            Some(reason) => Err(PayError::Disputed(reason.clone())),
            None => Ok(()),
        }
    }

    /// Notes a request before it is sent.
    pub(super) fn begin(&self, request: &Hash) -> Result<(), PayError> {
        Ok(self.journal.begin(request)?)
    }

    /// Forgets a request that the operator refused.
    pub(super) fn refused(&self, request: &Hash) -> Result<(), PayError> {
        Ok(self.journal.end(request)?)
    }

    /// What the chain says about a model; asked again when `fresh`, since prices change.
    pub(super) async fn model(
        &self,
        model: ModelId,
        fresh: bool,
    ) -> Result<Option<Arc<ModelTerms>>, PayError> {
        if let Some(known) = lock(&self.models).get(&model).filter(|_| !fresh) {
            return Ok(Some(known.clone()));
        }
        let found = self.chain.model(model).await?.map(Arc::new);
        if let Some(terms) = &found {
            lock(&self.models).insert(model, terms.clone());
        }
        Ok(found)
    }

    /// Takes the receipt of an answer: `request` was sent and `response` received. Signs the voucher
    /// and hands it in.
    pub(super) async fn take(
        &self,
        stored: &StoredReceipt,
        request: &[u8],
        response: &str,
    ) -> Result<(), PayError> {
        self.check_dispute()?;
        let receipt = &stored.signed.receipt;
        let mut turn = self.turn.lock().await;
        if receipt.channel != self.terms.channel {
            return Err(self.refuse(stored, FalseReceipt::OtherChannel("channel")));
        }
        if stored.request != request {
            return Err(self.refuse(stored, FalseReceipt::OtherRequest));
        }
        if stored.response != response.as_bytes() {
            return Err(self.refuse(stored, FalseReceipt::OtherResponse));
        }
        self.catch_up(receipt.sequence.saturating_sub(1)).await?;
        match self.ledger.receipt(receipt.channel, receipt.sequence)? {
            None => self.accept(stored).await?,
            // It was fetched when a later one came first.
            Some(known) if known.signed.receipt == *receipt => {}
            Some(_) => return Err(self.refuse(stored, FalseReceipt::Equivocation)),
        }
        self.deliver(&mut turn).await;
        Ok(())
    }

    /// Takes what the operator has and this payer does not, and hands the newest voucher in.
    pub(super) async fn synchronise(&self) -> Result<(), PayError> {
        self.check_dispute()?;
        let mut turn = self.turn.lock().await;
        let channel = self.terms.channel;
        let path = format!("/v1/openledger/channels/{channel}");
        let status = self.operator.json(&path).await?;
        let found = status["last"]["sequence"]
            .as_u64()
            .ok_or_else(|| self.operator.failed(format!("{path} has no last.sequence")))?;
        let expected = self.book()?.mark.sequence;
        if found < expected {
            return Err(PayError::LostBooks {
                channel,
                found,
                expected,
            });
        }
        self.catch_up(found).await?;
        self.deliver(&mut turn).await;
        Ok(())
    }

    /// Hands the newest voucher in if the operator may not have it.
    pub(super) async fn redeliver(&self) {
        let mut turn = self.turn.lock().await;
        self.deliver(&mut turn).await;
    }

    /// Fetches and takes the receipts up to number `until`. The turn is held by the caller.
    async fn catch_up(&self, until: u64) -> Result<(), PayError> {
        loop {
            let next = self.book()?.mark.sequence.saturating_add(1);
            if next > until {
                return Ok(());
            }
            let stored = self.operator.receipt(self.terms.channel, next).await?;
            tracing::info!(sequence = next, "taking a receipt whose answer got lost");
            self.accept(&stored).await?;
        }
    }

    /// Checks a receipt, keeps it and signs its voucher. The turn is held by the caller.
    async fn accept(&self, stored: &StoredReceipt) -> Result<(), PayError> {
        let receipt = &stored.signed.receipt;
        match self.check(stored).await? {
            Err(defect) => Err(self.refuse(stored, defect)),
            Ok(totals) => {
                self.ledger.append(stored, totals)?;
                let voucher = Voucher {
                    genesis: self.terms.genesis,
                    channel: self.terms.channel,
                    sequence: receipt.sequence,
                    cumulative: receipt.cumulative,
                    receipt: receipt.commit(),
                };
                let signature = self.key.sign(&voucher.payload());
                self.ledger.vouch(&SignedVoucher { voucher, signature })?;
                self.journal.end(&receipt.request)?;
                tracing::info!(
                    channel = receipt.channel,
                    sequence = receipt.sequence,
                    model = receipt.model,
                    price = receipt.price,
                    cumulative = receipt.cumulative,
                    "vouched for an answer"
                );
                Ok(())
            }
        }
    }

    /// The totals after a receipt that is true.
    async fn check(
        &self,
        stored: &StoredReceipt,
    ) -> Result<Result<Totals, FalseReceipt>, PayError> {
        let receipt = &stored.signed.receipt;
        if !self.journal.contains(&receipt.request)? {
            return Ok(Err(FalseReceipt::NotAsked));
        }
        let unknown = || FalseReceipt::UnknownModel {
            model: receipt.model,
            version: receipt.version,
        };
        let book = self.book()?;
        let Some(model) = self.model(receipt.model, false).await? else {
            return Ok(Err(unknown()));
        };
        match verify(stored, &self.terms, &model, &book) {
            // What was read before may be out of date.
            Err(FalseReceipt::Price { .. } | FalseReceipt::UnknownModel { .. }) => {
                let model = self.model(receipt.model, true).await?;
                Ok(model
                    .ok_or_else(unknown)
                    .and_then(|model| verify(stored, &self.terms, &model, &book)))
            }
            verdict => Ok(verdict),
        }
    }

    /// Keeps a false receipt as evidence, and stops asking this operator.
    fn refuse(&self, stored: &StoredReceipt, defect: FalseReceipt) -> PayError {
        let receipt = &stored.signed.receipt;
        let (channel, sequence) = (self.terms.channel, receipt.sequence);
        let name = format!(
            "false-{channel}-{sequence}-{}.receipt",
            hex::encode(&receipt.commit()[..4])
        );
        let evidence = self.folder.join(name);
        if let Err(source) = std::fs::write(&evidence, stored.encode()) {
            return PayError::File {
                path: evidence,
                source,
            };
        }
        let error = PayError::False {
            channel,
            sequence,
            defect,
            evidence,
        };
        tracing::error!(%error, "the operator lied");
        lock(&self.dispute).get_or_insert_with(|| error.to_string());
        error
    }

    /// Hands the newest voucher in. When that fails it is tried again later: the operator waits.
    async fn deliver(&self, turn: &mut Turn) {
        let voucher = match self.book() {
            Ok(book) => book.voucher,
            Err(error) => {
                tracing::error!(%error, "the voucher cannot be read");
                return;
            }
        };
        let Some(signed) = voucher.filter(|signed| signed.voucher.sequence > turn.delivered) else {
            return;
        };
        match self.operator.vouch(&signed).await {
            Ok(()) => turn.delivered = signed.voucher.sequence,
            Err(error) => tracing::warn!(%error, "the voucher is not handed in yet"),
        }
    }

    /// The channel on chain.
    pub(super) async fn channel(&self) -> Result<Channel, PayError> {
        let id = self.terms.channel;
        self.chain.channel(id).await?.ok_or(PayError::Closed(id))
    }

    /// Changes the channel on chain, and says how it stands after that.
    pub(super) async fn change(&self, change: Change) -> Result<Value, PayError> {
        if change == Change::RequestClose {
            // What is owed should be settled before it closes.
            self.redeliver().await;
        }
        self.channel().await?;
        self.chain.change(self.terms.channel, change).await?;
        self.status().await
    }

    /// The block from which the channel can be closed, if that was asked for.
    pub(super) fn closable_at(&self, channel: &Channel) -> Option<u32> {
        let period = self.terms.rules.settlement.dispute_period;
        channel
            .closing
            .map(|closing| closing.min(channel.expiry.saturating_add(period)))
    }

    /// Where the channel stands, on chain and in the books. Amounts are decimal strings of base units.
    pub(super) async fn status(&self) -> Result<Value, PayError> {
        let book = self.book()?;
        let on_chain = self.chain.channel(self.terms.channel).await?;
        let free = self.chain.free_balance().await?;
        let best = self.chain.best_block().await?;
        let delivered = self.turn.lock().await.delivered;
        let vouched = book
            .voucher
            .as_ref()
            .map_or(0, |signed| signed.voucher.cumulative);
        let chain = on_chain.as_ref().map(|channel| {
            let covered = channel.mark.cumulative.saturating_add(channel.deposit);
            json!({
                "deposit": channel.deposit.to_string(),
                "settled": {
                    "sequence": channel.mark.sequence,
                    "cumulative": channel.mark.cumulative.to_string(),
                },
                "available": covered.saturating_sub(book.mark.cumulative).to_string(),
                "expiry": channel.expiry,
                "closing": channel.closing,
                "closable_at": self.closable_at(channel),
            })
        });
        Ok(json!({
            "channel": self.terms.channel,
            "account": self.key.account().to_string(),
            "payee": self.terms.payee.to_string(),
            "operator": self.operator.url(),
            "genesis": format!("{:?}", self.terms.genesis),
            "ruleset": self.terms.ruleset,
            "block": best,
            "free_balance": free.to_string(),
            "on_chain": chain,
            "last": {
                "sequence": book.mark.sequence,
                "cumulative": book.mark.cumulative.to_string(),
                "receipt": format!("{:?}", book.mark.receipt),
            },
            "vouched": vouched.to_string(),
            "delivered": delivered,
            "dispute": lock(&self.dispute).clone(),
        }))
    }
}
