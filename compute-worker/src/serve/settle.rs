//! Getting paid: seal, settle, finalise, pay.
//!
//! A channel is sealed when enough has gathered in it and its last receipt is vouched for. What is
//! sealed is settled on chain, and after the window the settlement is made final and everybody in its
//! totals is paid. The chain's state and the ledger decide what is next, so a worker that was killed
//! goes on where it was and settles nothing twice: the chain refuses a mark that it has.

use super::{
    channel::{is_ending, Desk},
    demand,
    error::ApiError,
    metrics::ServingMetrics,
    models::Models,
    ServeOptions,
};
use crate::{
    chain::{calls, ChainError, Channel, Client, Settlement, SettlementState, Wait},
    keys::Key,
    ledger::{ChannelBook, Ledger, LedgerError, Seal},
    store::ContentStore,
};
use attribution_proof::{
    challenge::Mark,
    ruleset::Ruleset,
    totals::{TotalOpening, Totals},
    Balance, BlockNumber, ChannelId, SettlementId,
};
use serde::Serialize;
use std::{
    collections::HashMap,
    sync::Arc,
    time::{Duration, Instant},
};
use tokio::sync::{Mutex, Notify};

/// Channels that are settled at once.
const CONCURRENCY: usize = 8;

/// Why a channel is not settled.
#[derive(Debug, thiserror::Error)]
pub(super) enum SettleError {
    /// The chain.
    #[error(transparent)]
    Chain(#[from] ChainError),
    /// The books.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    /// A receipt that the books should have is not there.
    #[error(
        "receipt {sequence} of channel {channel} is missing from the books; restore the ledger"
    )]
    Missing {
        /// The channel.
        channel: ChannelId,
        /// Its number.
        sequence: u64,
    },
    /// The totals do not follow from the receipts since the mark: settling them would be a lie.
    #[error("the totals of receipt {sequence} of channel {channel} do not follow from the receipts since the settled mark; settling them would be a lie, so it is left")]
    Totals {
        /// The channel.
        channel: ChannelId,
        /// The receipt.
        sequence: u64,
    },
    /// The ruleset cannot be read.
    #[error("{0}")]
    Ruleset(String),
}

impl From<ApiError> for SettleError {
    fn from(error: ApiError) -> Self {
        Self::Ruleset(error.message)
    }
}

/// What was settled.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(super) struct Settled {
    /// The channel.
    pub(super) channel: ChannelId,
    /// The settlement.
    pub(super) settlement: Option<SettlementId>,
    /// Last receipt of it.
    pub(super) sequence: u64,
    /// Amount in base units, as a decimal string.
    pub(super) amount: String,
}

/// The totals of the receipts behind `from` up to `sequence`.
pub(super) fn replay(
    ledger: &Ledger,
    channel: ChannelId,
    from: &Mark,
    sequence: u64,
    ruleset: &Ruleset,
) -> Result<Totals, SettleError> {
    let mut totals = Totals::default();
    for sequence in from.sequence.saturating_add(1)..=sequence {
        let missing = SettleError::Missing { channel, sequence };
        let stored = ledger.receipt(channel, sequence)?.ok_or(missing)?;
        totals = stored
            .signed
            .receipt
            .credit_totals(&totals, &stored.owners, &ruleset.receipt, &ruleset.split)
            .ok_or(SettleError::Totals { channel, sequence })?;
    }
    Ok(totals)
}

/// Openings of the entries that are not paid yet.
pub(super) fn unpaid(settlement: &Settlement, totals: &Totals) -> Vec<TotalOpening> {
    let tree = totals.tree();
    (0u32..)
        .zip(&totals.entries)
        .filter(|(index, _)| !settlement.is_paid(*index))
        .filter_map(|(index, total)| {
            Some(TotalOpening {
                index,
                total: *total,
                path: tree.path(index)?,
            })
        })
        .collect()
}

/// Settles the channels of one operator.
pub(super) struct Settler {
    chain: Client,
    ledger: Ledger,
    key: Key,
    desk: Arc<Desk>,
    models: Arc<Models>,
    store: ContentStore,
    metrics: ServingMetrics,
    amount: Balance,
    age: Duration,
    entries: usize,
    /// Since when there is something to settle, by channel; one round at a time.
    since: Mutex<HashMap<ChannelId, Instant>>,
    wake: Notify,
}

impl Settler {
    pub(super) fn new(
        chain: Client,
        ledger: Ledger,
        key: Key,
        desk: Arc<Desk>,
        models: Arc<Models>,
        store: ContentStore,
        metrics: ServingMetrics,
        options: &ServeOptions,
    ) -> Self {
        Self {
            chain,
            ledger,
            key,
            desk,
            models,
            store,
            metrics,
            amount: options.settle_amount,
            age: options.settle_age,
            entries: options.settle_entries,
            since: Mutex::default(),
            wake: Notify::new(),
        }
    }

    /// Rounds for ever, one each `poll` and whenever somebody wakes the settler.
    pub(super) async fn run(&self, poll: Duration) {
        loop {
            if let Err(error) = self.round(false).await {
                tracing::warn!(%error, "this round of settlements failed");
            }
            tokio::select! {
                () = self.wake.notified() => {}
                () = tokio::time::sleep(poll) => {}
            }
        }
    }

    /// Whether enough has gathered to settle, age aside.
    fn is_large(&self, book: &ChannelBook) -> bool {
        let gathered = book.mark.cumulative.saturating_sub(book.sealed.cumulative);
        gathered > 0 && (gathered >= self.amount || book.totals.entries.len() >= self.entries)
    }

    /// Seals a channel as soon as the voucher for its last receipt is there, so that one request after
    /// the other never meets a closed door.
    pub(super) fn after_voucher(
        &self,
        channel: ChannelId,
        book: &ChannelBook,
    ) -> Result<(), LedgerError> {
        if book.seal.is_none()
            && (self.is_large(book) || self.desk.is_draining(channel))
            && self.ledger.seal(channel)?.is_some()
        {
            self.desk.drain(channel, false);
            self.wake.notify_one();
        }
        Ok(())
    }

    /// Looks at all channels and settlements once. With `force`, everything that is vouched for is
    /// settled, however little it is.
    pub(super) async fn round(&self, force: bool) -> Result<Vec<Settled>, SettleError> {
        use futures::StreamExt;
        let mut since = self.since.lock().await;
        let best = self.chain.best_block().await?;
        let finalised = self.chain.finalised_block().await?;
        let settlements = self.chain.settlements().await?;
        let mut work = Vec::new();
        for id in self.ledger.channels()? {
            let book = self.ledger.book(id)?;
            let Some(channel) = self.chain.channel(id).await? else {
                continue;
            };
            if book.mark.cumulative > book.sealed.cumulative {
                since.entry(id).or_insert_with(Instant::now);
            } else {
                since.remove(&id);
            }
            let aged = since
                .get(&id)
                .is_some_and(|since| since.elapsed() >= self.age);
            let due = force || aged || self.is_large(&book) || self.desk.is_draining(id);
            let opened_at = settlements
                .iter()
                .find(|(_, found)| {
                    found.channel == id && found.to.sequence == channel.mark.sequence
                })
                .map(|(_, found)| found.opened_at);
            let undoable = opened_at.is_some_and(|at| at > finalised);
            work.push((id, channel, due, undoable));
        }
        let operator = self.key.account();
        for (id, settlement) in &settlements {
            if settlement.operator != operator {
                continue;
            }
            if let Err(error) = self.pay_out(*id, settlement, best).await {
                self.metrics.settlement_errors.inc();
                tracing::error!(settlement = id, %error, "the settlement cannot be paid out");
            }
        }
        let settled: Vec<_> = futures::stream::iter(work)
            .map(|(id, channel, due, undoable)| async move {
                let result = self.settle(id, &channel, best, due, undoable).await;
                result.unwrap_or_else(|error| {
                    self.metrics.settlement_errors.inc();
                    tracing::error!(channel = id, %error, "the channel cannot be settled");
                    None
                })
            })
            .buffer_unordered(CONCURRENCY)
            .collect()
            .await;
        Ok(settled.into_iter().flatten().collect())
    }

    /// Brings one channel on. `undoable` says that the chain's mark may yet be undone by a fork.
    async fn settle(
        &self,
        id: ChannelId,
        channel: &Channel,
        best: BlockNumber,
        due: bool,
        undoable: bool,
    ) -> Result<Option<Settled>, SettleError> {
        if undoable {
            return Ok(None);
        }
        self.ledger.settled(id, &channel.mark)?;
        if let Some(seal) = self.ledger.book(id)?.seal {
            return self.submit(id, channel, &seal).await;
        }
        let ending = is_ending(channel, best);
        if !due && !ending {
            return Ok(None);
        }
        if let Some(seal) = self.ledger.seal(id)? {
            self.desk.drain(id, false);
            return self.submit(id, channel, &seal).await;
        }
        let book = self.ledger.book(id)?;
        let vouched = book.voucher.filter(|signed| {
            signed.voucher.sequence > channel.mark.sequence && book.mark != book.sealed
        });
        match vouched {
            // No answer follows in a channel that ends, so the last voucher is as good as a seal.
            Some(voucher) if ending => {
                let sequence = voucher.voucher.sequence;
                let missing = SettleError::Missing {
                    channel: id,
                    sequence,
                };
                let receipt = self.ledger.receipt(id, sequence)?.ok_or(missing)?.signed;
                let seal = Seal {
                    voucher,
                    receipt,
                    totals: Totals::default(),
                };
                self.submit(id, channel, &seal).await
            }
            _ => {
                // Answers are under way, or the payer owes the voucher for the last one: wait for a
                // moment in which the books are even.
                if book.mark.cumulative > book.sealed.cumulative && !ending {
                    self.desk.drain(id, true);
                }
                Ok(None)
            }
        }
    }

    async fn submit(
        &self,
        id: ChannelId,
        channel: &Channel,
        seal: &Seal,
    ) -> Result<Option<Settled>, SettleError> {
        let receipt = &seal.receipt.receipt;
        let sequence = receipt.sequence;
        let ruleset = self.desk.ruleset(channel.ruleset).await?;
        let totals = replay(&self.ledger, id, &channel.mark, sequence, &ruleset)?;
        if totals.commitment() != receipt.totals {
            return Err(SettleError::Totals {
                channel: id,
                sequence,
            });
        }
        let call = calls::settle(seal.voucher.clone(), seal.receipt.clone());
        // The seal is forgotten only when no fork can undo the settlement.
        let events = self.chain.submit(&self.key, &call, Wait::Finalised).await?;
        self.ledger.settled(id, &Mark::after(receipt))?;
        self.metrics.settlements.inc();
        let amount = receipt.cumulative.saturating_sub(channel.mark.cumulative);
        let settlement = events.opened_settlement();
        tracing::info!(channel = id, settlement, sequence, amount, "settled");
        Ok(Some(Settled {
            channel: id,
            settlement,
            sequence,
            amount: amount.to_string(),
        }))
    }

    /// Answers what is demanded of a settlement.
    async fn show(&self, id: SettlementId, settlement: &Settlement) -> Result<(), SettleError> {
        for (number, found) in self.chain.demands(id).await? {
            let answered = demand::answer(
                &found.object,
                settlement,
                &self.ledger,
                &self.models,
                &self.store,
            );
            match answered.await {
                Ok(answer) => {
                    let call = calls::answer_demand(id, number, answer);
                    self.chain.submit(&self.key, &call, Wait::InBlock).await?;
                    tracing::info!(settlement = id, demand = number, "answered a demand");
                }
                Err(error) => {
                    self.metrics.settlement_errors.inc();
                    tracing::error!(
                        settlement = id,
                        demand = number,
                        deadline = found.deadline,
                        %error,
                        "a demand cannot be answered"
                    );
                }
            }
        }
        Ok(())
    }

    /// Makes a settlement final after its window and pays its totals.
    async fn pay_out(
        &self,
        id: SettlementId,
        settlement: &Settlement,
        best: BlockNumber,
    ) -> Result<(), SettleError> {
        if settlement.state == SettlementState::Pending {
            if settlement.open_demands > 0 {
                return self.show(id, settlement).await;
            }
            if best <= settlement.window_end {
                return Ok(());
            }
            let call = calls::finalise_settlement(id);
            self.chain.submit(&self.key, &call, Wait::InBlock).await?;
            tracing::info!(settlement = id, "final");
        }
        // What was paid since the round began must not be sent again.
        let Some(settlement) = self.chain.settlement(id).await? else {
            return Ok(());
        };
        let ruleset = self.desk.ruleset(settlement.ruleset).await?;
        let (channel, to) = (settlement.channel, settlement.to);
        let totals = replay(
            &self.ledger,
            channel,
            &settlement.from,
            to.sequence,
            &ruleset,
        )?;
        if totals.commitment() != settlement.totals {
            return Err(SettleError::Totals {
                channel,
                sequence: to.sequence,
            });
        }
        for page in unpaid(&settlement, &totals).chunks(calls::PAY_PAGE) {
            let call = calls::pay(id, page.to_vec());
            self.chain.submit(&self.key, &call, Wait::InBlock).await?;
            self.metrics.entries_paid.inc_by(page.len() as u64);
        }
        tracing::info!(settlement = id, entries = totals.entries.len(), "paid out");
        Ok(())
    }
}
