//! Rulesets, settlements and the money in the pot.

use crate::{
    pallet::{
        Accruals, Config, CurrentRuleset, Demands, EarnedByModel, Error, Event, FullSince,
        HoldReason, Pallet, RulesetOf, SettlementCount, Settlements, MAX_CLAIMS,
    },
    types::{
        empty_bitmap, Channels, Data, Demand, DemandId, Earning, Earnings, Models, Operators,
        Purpose, Settlement, SettlementState, Source,
    },
};
use alloc::{collections::BTreeMap, vec::Vec};
use attribution_proof::{
    challenge::Lie,
    hash::Hash,
    receipt::{ReceiptDefect, SignedReceipt},
    ruleset::{Ruleset, RulesetError, Rulesets},
    split::apportion,
    totals::{Payee, Total, TotalOpening},
    voucher::SignedVoucher,
    AccountId, Balance, BlockNumber, ModelId, RulesetId, SettlementId,
};
use frame_support::{
    dispatch::DispatchResult,
    ensure,
    traits::{
        fungible::{Inspect, Mutate, MutateHold},
        tokens::{DepositConsequence, Precision, Preservation, Provenance},
        Get,
    },
};
use frame_system::pallet_prelude::BlockNumberFor;
use sp_runtime::{
    traits::{AccountIdConversion, UniqueSaturatedInto, Zero},
    DispatchError,
};

impl<T: Config> Rulesets for Pallet<T> {
    fn get(id: RulesetId) -> Option<Ruleset> {
        // Ruleset 0 is in storage from genesis on; a chain that gets this pallet by an upgrade has
        // no genesis of it.
        RulesetOf::<T>::get(id).or_else(|| id.is_zero().then(T::InitialRuleset::get))
    }

    fn current() -> (RulesetId, Ruleset) {
        let id = CurrentRuleset::<T>::get();
        // Rulesets are never removed, so the newest is always there.
        (
            id,
            <Self as Rulesets>::get(id).unwrap_or_else(T::InitialRuleset::get),
        )
    }
}

impl<T: Config> From<RulesetError> for Error<T> {
    fn from(error: RulesetError) -> Self {
        match error {
            RulesetError::Window => Self::RulesetWindow,
            RulesetError::Amount => Self::RulesetAmount,
            RulesetError::Share => Self::RulesetShare,
            RulesetError::TopK => Self::RulesetTopK,
            RulesetError::Floor => Self::RulesetFloor,
            RulesetError::Span => Self::RulesetSpan,
        }
    }
}

impl<T: Config> From<ReceiptDefect> for Error<T> {
    fn from(defect: ReceiptDefect) -> Self {
        match defect {
            ReceiptDefect::TooManyCredits => Self::TooManyCredits,
            ReceiptDefect::Credits => Self::InvalidCredits,
            ReceiptDefect::Spans => Self::InvalidSpans,
            ReceiptDefect::Response => Self::InvalidResponse,
            ReceiptDefect::Counters => Self::InvalidCounters,
        }
    }
}

impl<T: Config> Pallet<T> {
    /// The account that holds settled money. It must have the existential deposit from genesis on.
    pub fn pot_account() -> AccountId {
        T::PalletId::get().into_account_truncating()
    }

    /// The current block.
    pub(crate) fn now() -> BlockNumber {
        frame_system::Pallet::<T>::block_number().unique_saturated_into()
    }

    /// Genesis hash of this chain.
    pub(crate) fn genesis() -> Hash {
        frame_system::Pallet::<T>::block_hash(BlockNumberFor::<T>::zero())
    }

    /// A settlement and its ruleset.
    pub(crate) fn load(id: SettlementId) -> Result<(Settlement, Ruleset), DispatchError> {
        let settlement = Settlements::<T>::get(id).ok_or(Error::<T>::UnknownSettlement)?;
        let ruleset =
            <Self as Rulesets>::get(settlement.ruleset).ok_or(Error::<T>::UnknownRuleset)?;
        Ok((settlement, ruleset))
    }

    pub(crate) fn do_add_ruleset(ruleset: Ruleset) -> DispatchResult {
        ruleset.validate().map_err(Error::<T>::from)?;
        let id = CurrentRuleset::<T>::get()
            .checked_add(1)
            .ok_or(Error::<T>::TooManyRulesets)?;
        RulesetOf::<T>::insert(id, ruleset);
        CurrentRuleset::<T>::put(id);
        Self::deposit_event(Event::RulesetAdded { ruleset: id });
        Ok(())
    }

    pub(crate) fn do_settle(
        operator: AccountId,
        voucher: &SignedVoucher,
        signed: &SignedReceipt,
    ) -> DispatchResult {
        let receipt = &signed.receipt;
        let promise = &voucher.voucher;
        ensure!(receipt.genesis == Self::genesis(), Error::<T>::WrongGenesis);
        ensure!(
            receipt.commit() == promise.receipt,
            Error::<T>::ReceiptNotInVoucher
        );
        ensure!(
            (receipt.channel, receipt.sequence, receipt.cumulative)
                == (promise.channel, promise.sequence, promise.cumulative),
            Error::<T>::ReceiptContradictsVoucher
        );
        ensure!(signed.is_signed_by(&operator), Error::<T>::ReceiptNotSigned);

        let pot = Self::pot_account();
        ensure!(
            T::Currency::balance(&pot) >= T::Currency::minimum_balance(),
            Error::<T>::PotNotFunded
        );
        let claimed = T::Channels::claim(&operator, voucher, &pot)?;
        ensure!(
            claimed.to.cumulative.checked_sub(claimed.from.cumulative) == Some(claimed.amount),
            Error::<T>::InconsistentClaim
        );
        let ruleset = <Self as Rulesets>::get(claimed.ruleset).ok_or(Error::<T>::UnknownRuleset)?;
        ensure!(receipt.ruleset == claimed.ruleset, Error::<T>::WrongRuleset);
        receipt
            .check_structure(&ruleset.receipt)
            .map_err(Error::<T>::from)?;
        let rules = &ruleset.settlement;
        ensure!(
            T::Operators::bond(&operator) >= rules.lie_slash,
            Error::<T>::BondTooLow
        );

        let now = Self::now();
        let window_end = now.saturating_add(rules.settlement_window);
        let id = SettlementCount::<T>::get().saturating_add(1);
        SettlementCount::<T>::put(id);
        let split = ruleset
            .split
            .split(claimed.from.cumulative, claimed.to.cumulative);
        let settlement = Settlement {
            channel: claimed.channel,
            payer: claimed.payer.clone(),
            operator: operator.clone(),
            ruleset: claimed.ruleset,
            from: claimed.from,
            to: claimed.to,
            split,
            totals: receipt.totals,
            opened_at: now,
            demands_until: window_end,
            window_end,
            state: SettlementState::Pending,
            paid: empty_bitmap(receipt.totals.count),
            paid_count: 0,
            paid_sum: 0,
            open_demands: 0,
        };
        T::Operators::extend_liability(
            &operator,
            settlement.latest_window_end(rules.demand_window),
        );
        Settlements::<T>::insert(id, settlement);
        Self::deposit_event(Event::Settled {
            settlement: id,
            channel: claimed.channel,
            payer: claimed.payer,
            operator,
            ruleset: claimed.ruleset,
            first: claimed.from.sequence.saturating_add(1),
            last: claimed.to.sequence,
            amount: claimed.amount,
            split,
            totals: receipt.totals,
            window_end,
        });
        Ok(())
    }

    pub(crate) fn do_finalise(id: SettlementId) -> DispatchResult {
        let mut settlement = Settlements::<T>::get(id).ok_or(Error::<T>::UnknownSettlement)?;
        ensure!(
            settlement.state == SettlementState::Pending,
            Error::<T>::SettlementFinal
        );
        let now = Self::now();
        ensure!(now > settlement.window_end, Error::<T>::WindowOpen);
        ensure!(settlement.open_demands == 0, Error::<T>::DemandsOpen);

        settlement.state = SettlementState::Final { at: now };
        let (operator, split) = (settlement.operator.clone(), settlement.split);
        Self::deposit_event(Event::Finalised {
            settlement: id,
            operator: operator.clone(),
            split,
        });
        Self::accrue(&operator, id, None, Purpose::Operator, split.operator);
        Self::transfer_or_accrue(
            &T::StakersPot::get(),
            id,
            None,
            Purpose::Stakers,
            split.stakers,
        )?;
        Self::transfer_or_accrue(
            &T::Treasury::get(),
            id,
            None,
            Purpose::Treasury,
            split.treasury,
        )?;
        if settlement.totals.count == 0 {
            Self::close(id, &settlement)
        } else {
            Settlements::<T>::insert(id, settlement);
            Ok(())
        }
    }

    pub(crate) fn do_pay(id: SettlementId, openings: &[TotalOpening]) -> DispatchResult {
        ensure!(!openings.is_empty(), Error::<T>::EmptyPage);
        let mut settlement = Settlements::<T>::get(id).ok_or(Error::<T>::UnknownSettlement)?;
        ensure!(
            settlement.state != SettlementState::Pending,
            Error::<T>::SettlementPending
        );
        let mut amount: Balance = 0;
        let mut entries: u32 = 0;
        for opening in openings {
            opening
                .verify(&settlement.totals)
                .map_err(|_| Error::<T>::WrongOpening)?;
            ensure!(settlement.mark_paid(opening.index), Error::<T>::AlreadyPaid);
            settlement.paid_sum = settlement
                .paid_sum
                .checked_add(opening.total.amount)
                .filter(|paid| *paid <= settlement.shared())
                .ok_or(Error::<T>::TotalsExceedShares)?;
            Self::pay_entry(id, &opening.total)?;
            amount = amount.saturating_add(opening.total.amount);
            entries = entries.saturating_add(1);
        }
        Self::deposit_event(Event::EntriesPaid {
            settlement: id,
            entries,
            amount,
        });
        if settlement.paid_count == settlement.totals.count {
            Self::close(id, &settlement)
        } else {
            Settlements::<T>::insert(id, settlement);
            Ok(())
        }
    }

    fn pay_entry(id: SettlementId, total: &Total) -> DispatchResult {
        let model = Some(total.model);
        let payees: Vec<(AccountId, Purpose, Balance)> = match total.payee {
            Payee::Treasury => Vec::new(),
            Payee::Builder => {
                let builders = T::Models::builders(total.model).unwrap_or_default();
                let weights: Vec<u64> = builders
                    .iter()
                    .map(|(_, parts)| u64::from(*parts))
                    .collect();
                builders
                    .into_iter()
                    .zip(apportion(total.amount, &weights))
                    .map(|((account, _), part)| (account, Purpose::Builder, part))
                    .collect()
            }
            Payee::Contribution(contribution) => T::Data::payee(contribution)
                .map(|account| (account, Purpose::Contribution(contribution), total.amount))
                .into_iter()
                .collect(),
        };
        let mut rest = total.amount;
        for (account, purpose, part) in payees {
            rest = rest.saturating_sub(part);
            Self::accrue(&account, id, model, purpose, part);
        }
        // What has no payee: no datum earned it, the contribution is tombstoned, or the model is
        // unknown.
        Self::transfer_or_accrue(&T::Treasury::get(), id, model, Purpose::Treasury, rest)
    }

    pub(crate) fn do_sweep(id: SettlementId) -> DispatchResult {
        let settlement = Settlements::<T>::get(id).ok_or(Error::<T>::UnknownSettlement)?;
        let SettlementState::Final { at } = settlement.state else {
            return Err(Error::<T>::SettlementPending.into());
        };
        ensure!(
            Self::now() > at.saturating_add(T::PayoutPeriod::get()),
            Error::<T>::PayoutPeriodOpen
        );
        Self::close(id, &settlement)
    }

    /// Removes a final settlement; what no entry claimed goes to the treasury.
    fn close(id: SettlementId, settlement: &Settlement) -> DispatchResult {
        let swept = settlement.in_pot();
        Self::transfer_or_accrue(&T::Treasury::get(), id, None, Purpose::Treasury, swept)?;
        Settlements::<T>::remove(id);
        Self::deposit_event(Event::Closed {
            settlement: id,
            swept,
        });
        Ok(())
    }

    /// Removes a pending settlement in which a lie was proven: the payer gets everything back, the
    /// operator is slashed, the challenger is rewarded, open demands are dropped.
    pub(crate) fn void(
        id: SettlementId,
        settlement: Settlement,
        ruleset: &Ruleset,
        lie: Lie,
        challenger: AccountId,
    ) -> DispatchResult {
        FullSince::<T>::remove(id);
        for (demand, stored) in Demands::<T>::drain_prefix(id) {
            Self::return_bond(id, demand, &stored)?;
        }
        let rules = &ruleset.settlement;
        let slashed = T::Operators::slash(
            &settlement.operator,
            rules.lie_slash,
            Some(&challenger),
            rules.challenger_reward,
        );
        let refunded = settlement.amount();
        Settlements::<T>::remove(id);
        Self::deposit_event(Event::Voided {
            settlement: id,
            channel: settlement.channel,
            operator: settlement.operator,
            payer: settlement.payer.clone(),
            lie,
            challenger,
            refunded,
            slashed,
        });
        Self::accrue(&settlement.payer, id, None, Purpose::Refund, refunded);
        Ok(())
    }

    /// Gives the bond of a demand back to its demander. The demand is already out of storage.
    fn return_bond(id: SettlementId, demand: DemandId, stored: &Demand) -> DispatchResult {
        T::Currency::release(
            &HoldReason::DemandBond.into(),
            &stored.demander,
            stored.bond,
            Precision::Exact,
        )?;
        Self::deposit_event(Event::DemandClosed {
            settlement: id,
            demand,
            demander: stored.demander.clone(),
            bond: stored.bond,
        });
        Ok(())
    }

    /// Books money in the pot for `who`.
    fn accrue(
        who: &AccountId,
        settlement: SettlementId,
        model: Option<ModelId>,
        purpose: Purpose,
        amount: Balance,
    ) {
        if amount.is_zero() {
            return;
        }
        Accruals::<T>::mutate(who, Source { settlement, model }, |sum| {
            *sum = sum.saturating_add(amount);
        });
        if let (Some(model), Purpose::Builder | Purpose::Contribution(_)) = (model, purpose) {
            EarnedByModel::<T>::mutate(who, model, |sum| *sum = sum.saturating_add(amount));
        }
        Self::deposit_event(Event::Accrued {
            who: who.clone(),
            settlement,
            model,
            purpose,
            amount,
        });
    }

    /// Transfers money out of the pot to one of the chain's own accounts. Where it is too little to
    /// bring that account to life it accrues, as everybody else's does.
    fn transfer_or_accrue(
        who: &AccountId,
        settlement: SettlementId,
        model: Option<ModelId>,
        purpose: Purpose,
        amount: Balance,
    ) -> DispatchResult {
        if amount.is_zero() {
            return Ok(());
        }
        if !Self::can_receive(who, amount) {
            Self::accrue(who, settlement, model, purpose, amount);
            return Ok(());
        }
        T::Currency::transfer(&Self::pot_account(), who, amount, Preservation::Preserve)?;
        Self::deposit_event(Event::Paid {
            who: who.clone(),
            settlement,
            model,
            purpose,
            amount,
        });
        Ok(())
    }

    fn can_receive(who: &AccountId, amount: Balance) -> bool {
        T::Currency::can_deposit(who, amount, Provenance::Extant) == DepositConsequence::Success
    }

    /// Transfers up to `limit` accruals of `who`. Returns how many.
    pub(crate) fn do_claim(who: &AccountId, limit: u32) -> Result<u32, DispatchError> {
        ensure!((1..=MAX_CLAIMS).contains(&limit), Error::<T>::InvalidLimit);
        let limit = usize::try_from(limit).unwrap_or_default();
        let (mut amount, mut entries): (Balance, u32) = (0, 0);
        for (_, accrued) in Accruals::<T>::drain_prefix(who).take(limit) {
            amount = amount.saturating_add(accrued);
            entries = entries.saturating_add(1);
        }
        ensure!(entries > 0, Error::<T>::NothingToClaim);
        ensure!(
            Self::can_receive(who, amount),
            Error::<T>::BelowExistentialDeposit
        );
        T::Currency::transfer(&Self::pot_account(), who, amount, Preservation::Preserve)?;
        Self::deposit_event(Event::Claimed {
            who: who.clone(),
            entries,
            amount,
        });
        Ok(entries)
    }

    /// What `who` earned.
    pub(crate) fn earnings_of(who: &AccountId) -> Earnings {
        let unclaimed: BTreeMap<(SettlementId, Option<ModelId>), Balance> =
            Accruals::<T>::iter_prefix(who)
                .map(|(source, amount)| ((source.settlement, source.model), amount))
                .collect();
        let by_model: BTreeMap<ModelId, Balance> = EarnedByModel::<T>::iter_prefix(who).collect();
        Earnings {
            claimable: unclaimed
                .values()
                .fold(0, |sum, amount| sum.saturating_add(*amount)),
            unclaimed: unclaimed
                .into_iter()
                .map(|((settlement, model), amount)| Earning {
                    settlement,
                    model,
                    amount,
                })
                .collect(),
            by_model: by_model.into_iter().collect(),
        }
    }

    /// The open demands of a settlement, ascending.
    pub(crate) fn open_demands(id: SettlementId) -> Vec<(DemandId, Demand)> {
        let mut demands: Vec<_> = Demands::<T>::iter_prefix(id).collect();
        demands.sort_unstable_by_key(|(demand, _)| *demand);
        demands
    }
}
