//! Proves the books.

use crate::{
    pallet::{
        Accruals, Config, CurrentRuleset, DemandCount, Demands, FullSince, HoldReason, Pallet,
        RulesetOf, SettlementCount, Settlements, MAX_OPEN_DEMANDS,
    },
    types::{Settlement, SettlementState},
};
use alloc::collections::BTreeMap;
use attribution_proof::{AccountId, Balance, SettlementId};
use frame_support::{
    ensure,
    traits::fungible::{Inspect, InspectHold},
};
use sp_runtime::TryRuntimeError;

impl<T: Config> Pallet<T> {
    /// Checks every invariant of the pallet's storage.
    pub fn do_try_state() -> Result<(), TryRuntimeError> {
        Self::try_state_rulesets()?;
        Self::try_state_settlements()?;
        Self::try_state_demands()?;
        Self::try_state_pot()
    }

    /// 1. Rulesets 1 to the newest are all there, and no others but ruleset 0.
    /// 2. Every ruleset is within its bounds.
    fn try_state_rulesets() -> Result<(), TryRuntimeError> {
        let newest = CurrentRuleset::<T>::get();
        for id in 1..=newest {
            ensure!(RulesetOf::<T>::contains_key(id), "1: a ruleset is missing");
        }
        for (id, ruleset) in RulesetOf::<T>::iter() {
            ensure!(id <= newest, "1: a ruleset is newer than the newest");
            ensure!(ruleset.validate().is_ok(), "2: a ruleset is out of bounds");
        }
        Ok(())
    }

    /// 3. A settlement's number is one that was given, and its ruleset exists.
    /// 4. Its marks grow, and its split sums to what they grew by.
    /// 5. Its bitmap has the bits that `paid_count` says, at most one per entry, and it is gone when
    ///    all are set.
    /// 6. No more than the data and builder shares is paid, and nothing while it is pending.
    /// 7. Its window contains the time for demands, and its time stands still exactly while as many
    ///    are open as may be.
    fn try_state_settlements() -> Result<(), TryRuntimeError> {
        let count = SettlementCount::<T>::get();
        for (id, settlement) in Settlements::<T>::iter() {
            ensure!(
                (1..=count).contains(&id),
                "3: a settlement has a number that was never given"
            );
            ensure!(
                Self::load(id).is_ok(),
                "3: a settlement's ruleset is missing"
            );
            ensure!(
                settlement.from.sequence < settlement.to.sequence
                    && settlement.from.cumulative < settlement.to.cumulative,
                "4: a settlement does not advance its channel"
            );
            let split = settlement.split;
            let parts = [
                split.operator,
                split.builder,
                split.data,
                split.stakers,
                split.treasury,
            ];
            ensure!(
                parts.into_iter().try_fold(0, Balance::checked_add) == Some(settlement.amount()),
                "4: a settlement's split does not sum to its amount"
            );
            let bits: u32 = settlement.paid.iter().map(|byte| byte.count_ones()).sum();
            ensure!(
                bits == settlement.paid_count && bits <= settlement.totals.count,
                "5: a settlement's bitmap does not fit its count"
            );
            ensure!(
                settlement.state == SettlementState::Pending || bits < settlement.totals.count,
                "5: a settlement with nothing left to pay was not closed"
            );
            ensure!(
                settlement.paid_sum <= settlement.shared(),
                "6: a settlement paid too much"
            );
            ensure!(
                settlement.state != SettlementState::Pending
                    || (settlement.paid_count == 0 && settlement.paid_sum == 0),
                "6: a pending settlement paid"
            );
            ensure!(
                settlement.opened_at <= settlement.demands_until
                    && settlement.demands_until <= settlement.window_end,
                "7: a settlement's window ends before its demands"
            );
            ensure!(
                FullSince::<T>::contains_key(id) == (settlement.open_demands == MAX_OPEN_DEMANDS),
                "7: a settlement's time stands still, or does not, without reason"
            );
        }
        ensure!(
            FullSince::<T>::iter_keys().all(Settlements::<T>::contains_key),
            "7: the time of a settlement that is gone stands still"
        );
        Ok(())
    }

    /// 8. Every demand belongs to a pending settlement, which counts it; no settlement has more than
    ///    [`MAX_OPEN_DEMANDS`], and no two of them are about one object.
    /// 9. What accounts have on hold for demands is the sum of their demands' bonds.
    fn try_state_demands() -> Result<(), TryRuntimeError> {
        let given = DemandCount::<T>::get();
        let mut counts: BTreeMap<SettlementId, u32> = BTreeMap::new();
        let mut bonds: BTreeMap<AccountId, Balance> = BTreeMap::new();
        for (id, demand, stored) in Demands::<T>::iter() {
            ensure!(
                (1..=given).contains(&demand),
                "8: a demand has a number never given"
            );
            let others = Demands::<T>::iter_prefix(id)
                .filter(|(other, open)| *other != demand && open.object == stored.object);
            ensure!(others.count() == 0, "8: an object is demanded twice");
            let count = counts.entry(id).or_default();
            *count = count.saturating_add(1);
            let bond = bonds.entry(stored.demander).or_default();
            *bond = bond.saturating_add(stored.bond);
        }
        for (id, count) in &counts {
            let fits = Settlements::<T>::get(id).is_some_and(|settlement| {
                settlement.state == SettlementState::Pending && settlement.open_demands == *count
            });
            ensure!(
                fits && *count <= MAX_OPEN_DEMANDS,
                "8: demands do not fit their settlement"
            );
        }
        for (id, settlement) in Settlements::<T>::iter() {
            ensure!(
                settlement.open_demands == counts.get(&id).copied().unwrap_or_default(),
                "8: a settlement counts demands that are not there"
            );
        }
        for (account, bond) in bonds {
            ensure!(
                T::Currency::balance_on_hold(&HoldReason::DemandBond.into(), &account) == bond,
                "9: a demander's hold differs from his demands"
            );
        }
        Ok(())
    }

    /// 10. No accrual is zero.
    /// 11. The pot holds the existential deposit and everything that the books owe. It may hold more:
    ///     anybody can transfer to it. While nothing is owed it may hold nothing.
    fn try_state_pot() -> Result<(), TryRuntimeError> {
        ensure!(
            Accruals::<T>::iter_values().all(|amount| amount > 0),
            "10: an accrual is zero"
        );
        let owed = Self::owed();
        let pot = T::Currency::balance(&Self::pot_account());
        ensure!(
            owed == 0 || pot >= owed.saturating_add(T::Currency::minimum_balance()),
            "11: the pot does not cover what it owes"
        );
        Ok(())
    }

    /// Base units that the books owe: settled money and accruals.
    pub(crate) fn owed() -> Balance {
        let settled = Settlements::<T>::iter_values()
            .fold(0, |sum: Balance, settlement: Settlement| {
                sum.saturating_add(settlement.in_pot())
            });
        Accruals::<T>::iter_values().fold(settled, |sum, amount| sum.saturating_add(amount))
    }
}
