//! Operators: bonds, liability, slashes.

use crate::{
    pallet::{Config, Error, Event, HoldReason, Operators, Pallet},
    types::{Endpoint, Hardware, Operator, OperatorState},
};
use attribution_proof::{
    ruleset::{Ruleset, Rulesets},
    split::{portion, Parts},
    AccountId, Balance, BlockNumber,
};
use frame_support::{
    defensive, ensure,
    traits::{
        fungible::{Balanced, BalancedHold, MutateHold},
        tokens::Precision,
        Get, Imbalance,
    },
};
use sp_runtime::DispatchResult;

impl<T: Config> Pallet<T> {
    /// Whether the account is an operator that takes new work.
    pub fn is_operator_active(who: &AccountId) -> bool {
        Operators::<T>::get(who).is_some_and(|operator| operator.state == OperatorState::Active)
    }

    /// Whether channels to the account may be opened under `ruleset`: an active operator whose bond,
    /// after any slash, is still what the ruleset asks.
    pub fn may_open(who: &AccountId, ruleset: &Ruleset) -> bool {
        Operators::<T>::get(who).is_some_and(|operator| {
            operator.state == OperatorState::Active
                && operator.bond >= ruleset.compute.operator_bond
        })
    }

    /// The bond of an operator in base units; zero for anybody else.
    pub fn bond(who: &AccountId) -> Balance {
        Operators::<T>::get(who).map_or(0, |operator| operator.bond)
    }

    /// Takes up to `amount` of an operator's bond: `reward` parts per billion of it, rounded down, for
    /// `reward_to`, the rest for the treasury. Returns what was taken. A reward that cannot be
    /// deposited goes to the treasury, too.
    pub fn slash_operator(
        who: &AccountId,
        amount: Balance,
        reward_to: Option<&AccountId>,
        reward: Parts,
    ) -> Balance {
        let Some(mut operator) = Operators::<T>::get(who) else {
            return 0;
        };
        let (mut credit, _) = <T::Currency as BalancedHold<AccountId>>::slash(
            &HoldReason::OperatorBond.into(),
            who,
            amount.min(operator.bond),
        );
        let slashed = credit.peek();
        operator.bond = operator.bond.saturating_sub(slashed);
        Operators::<T>::insert(who, operator);

        let mut rewarded = None;
        if let Some(account) = reward_to {
            let share = credit.extract(portion(slashed, reward));
            let value = share.peek();
            match T::Currency::resolve(account, share) {
                Ok(()) => rewarded = Some((account.clone(), value)),
                Err(share) => credit.subsume(share),
            }
        }
        if let Err(lost) = T::Currency::resolve(&T::Treasury::get(), credit) {
            // Dropping the credit burns it: nothing is minted, and the treasury always exists.
            defensive!("the treasury cannot be paid");
            drop(lost);
        }
        let (rewarded, reward) = rewarded.unzip();
        Self::deposit_event(Event::OperatorSlashed {
            operator: who.clone(),
            amount: slashed,
            rewarded,
            reward: reward.unwrap_or_default(),
        });
        slashed
    }

    /// Keeps an operator's bond from being withdrawn up to and including block `until`.
    pub fn extend_liability(who: &AccountId, until: BlockNumber) {
        Operators::<T>::mutate_extant(who, |operator| {
            operator.liable_until = operator.liable_until.max(until);
        });
    }

    /// Notes that a channel to an operator was opened; the bond stays until it is closed.
    pub fn channel_opened(who: &AccountId) {
        Operators::<T>::mutate_extant(who, |operator| {
            operator.open_channels = operator.open_channels.saturating_add(1);
        });
    }

    /// Notes that a channel to an operator was closed. Once for each opened one.
    pub fn channel_closed(who: &AccountId) {
        Operators::<T>::mutate_extant(who, |operator| {
            operator.open_channels = operator.open_channels.saturating_sub(1);
        });
    }

    pub(crate) fn do_register_operator(
        who: AccountId,
        bond: Balance,
        hardware: Hardware,
        endpoint: Endpoint,
    ) -> DispatchResult {
        ensure!(
            !Operators::<T>::contains_key(&who),
            Error::<T>::AlreadyOperator
        );
        Self::check_profile(&hardware, &endpoint)?;
        let (_, ruleset) = T::Rulesets::current();
        ensure!(
            bond >= ruleset.compute.operator_bond,
            Error::<T>::BondTooLow
        );
        T::Currency::hold(&HoldReason::OperatorBond.into(), &who, bond)?;
        Operators::<T>::insert(
            &who,
            Operator {
                bond,
                staked: 0,
                hardware: hardware.clone(),
                endpoint: endpoint.clone(),
                state: OperatorState::Active,
                active_jobs: 0,
                open_channels: 0,
                liable_until: 0,
            },
        );
        Self::deposit_event(Event::OperatorRegistered {
            operator: who,
            bond,
            hardware,
            endpoint,
        });
        Ok(())
    }

    pub(crate) fn do_add_bond(who: AccountId, amount: Balance) -> DispatchResult {
        ensure!(amount > 0, Error::<T>::ZeroAmount);
        let mut operator = Operators::<T>::get(&who).ok_or(Error::<T>::NotOperator)?;
        T::Currency::hold(&HoldReason::OperatorBond.into(), &who, amount)?;
        operator.bond = operator.bond.saturating_add(amount);
        let bond = operator.bond;
        Operators::<T>::insert(&who, operator);
        Self::deposit_event(Event::BondAdded {
            operator: who,
            amount,
            bond,
        });
        Ok(())
    }

    pub(crate) fn do_update_operator(
        who: AccountId,
        hardware: Hardware,
        endpoint: Endpoint,
    ) -> DispatchResult {
        Self::check_profile(&hardware, &endpoint)?;
        let mut operator = Operators::<T>::get(&who).ok_or(Error::<T>::NotOperator)?;
        operator.hardware = hardware.clone();
        operator.endpoint = endpoint.clone();
        Operators::<T>::insert(&who, operator);
        Self::deposit_event(Event::OperatorUpdated {
            operator: who,
            hardware,
            endpoint,
        });
        Ok(())
    }

    pub(crate) fn do_drain(who: AccountId) -> DispatchResult {
        let mut operator = Operators::<T>::get(&who).ok_or(Error::<T>::NotOperator)?;
        ensure!(
            operator.state == OperatorState::Active,
            Error::<T>::Draining
        );
        operator.state = OperatorState::Draining { since: Self::now() };
        Operators::<T>::insert(&who, operator);
        Self::deposit_event(Event::OperatorDraining { operator: who });
        Ok(())
    }

    pub(crate) fn do_withdraw_bond(who: AccountId) -> DispatchResult {
        let operator = Operators::<T>::get(&who).ok_or(Error::<T>::NotOperator)?;
        ensure!(
            operator.state != OperatorState::Active,
            Error::<T>::NotDraining
        );
        ensure!(operator.active_jobs == 0, Error::<T>::JobsActive);
        ensure!(operator.open_channels == 0, Error::<T>::ChannelsOpen);
        ensure!(Self::now() > operator.liable_until, Error::<T>::StillLiable);
        let amount = operator.bond;
        T::Currency::release(
            &HoldReason::OperatorBond.into(),
            &who,
            amount,
            Precision::Exact,
        )?;
        Operators::<T>::remove(&who);
        Self::deposit_event(Event::BondWithdrawn {
            operator: who,
            amount,
        });
        Ok(())
    }

    /// Puts `stake` of an operator's bond on a job under `ruleset`.
    pub(crate) fn assign(who: &AccountId, stake: Balance, ruleset: &Ruleset) -> DispatchResult {
        let mut operator = Operators::<T>::get(who).ok_or(Error::<T>::NotOperator)?;
        ensure!(
            operator.state == OperatorState::Active,
            Error::<T>::Draining
        );
        ensure!(
            operator.bond >= ruleset.compute.operator_bond,
            Error::<T>::BondTooLow
        );
        ensure!(
            operator.bond.saturating_sub(operator.staked) >= stake,
            Error::<T>::FreeBondTooLow
        );
        operator.staked = operator.staked.saturating_add(stake);
        operator.active_jobs = operator.active_jobs.saturating_add(1);
        Operators::<T>::insert(who, operator);
        Ok(())
    }

    /// Takes the stake of a job that is over off the operator's books.
    pub(crate) fn unassign(who: &AccountId, stake: Balance) {
        Operators::<T>::mutate_extant(who, |operator| {
            operator.staked = operator.staked.saturating_sub(stake);
            operator.active_jobs = operator.active_jobs.saturating_sub(1);
        });
    }

    fn check_profile(hardware: &[u8], endpoint: &[u8]) -> DispatchResult {
        ensure!(
            core::str::from_utf8(hardware).is_ok_and(|text| !text.trim().is_empty()),
            Error::<T>::MalformedHardware
        );
        let host = endpoint
            .strip_prefix(b"http://")
            .or_else(|| endpoint.strip_prefix(b"https://"))
            .ok_or(Error::<T>::MalformedEndpoint)?;
        ensure!(
            !host.is_empty() && host.iter().all(u8::is_ascii_graphic),
            Error::<T>::MalformedEndpoint
        );
        Ok(())
    }
}
