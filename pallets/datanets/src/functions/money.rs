//! Bonds and slashes.

use crate::{Config, Error, HoldReason, Pallet};
use attribution_proof::{
    ruleset::Ruleset,
    split::{portion, Parts},
    AccountId, Balance,
};
use frame_support::{
    ensure,
    traits::{
        fungible::{Balanced, BalancedHold, Credit, Inspect, Mutate},
        tokens::{Fortitude, Preservation},
        Get, Imbalance,
    },
};
use sp_runtime::{DispatchError, DispatchResult};

/// Who gets which part of a slash; the treasury gets the rest.
pub(crate) type Reward<'a> = (&'a AccountId, Parts);

impl<T: Config> Pallet<T> {
    /// Slashes exactly `amount` of what is held from `who`. Returns what the challenger got. A reward
    /// that his account cannot receive, because it would stay under the existential deposit, goes to
    /// the treasury too.
    pub(crate) fn slash(
        reason: HoldReason,
        who: &AccountId,
        amount: Balance,
        reward: Option<Reward<'_>>,
    ) -> Result<Balance, DispatchError> {
        if amount == 0 {
            return Ok(0);
        }
        let (credit, missing) = T::Currency::slash(&reason.into(), who, amount);
        ensure!(missing == 0, Error::<T>::BooksDisagree);
        let Some((challenger, parts)) = reward else {
            Self::pay_treasury(credit)?;
            return Ok(0);
        };
        let (part, rest) = credit.split(portion(amount, parts));
        let rewarded = part.peek();
        match T::Currency::resolve(challenger, part) {
            Ok(()) => {
                Self::pay_treasury(rest)?;
                Ok(rewarded)
            }
            Err(part) => {
                Self::pay_treasury(rest.merge(part))?;
                Ok(0)
            }
        }
    }

    // On failure the credit is dropped, which burns it; the call then fails and is rolled back.
    fn pay_treasury(credit: Credit<AccountId, T::Currency>) -> DispatchResult {
        T::Currency::resolve(&T::Treasury::get(), credit)
            .map_err(|_| Error::<T>::TreasuryUnavailable.into())
    }

    /// Makes sure that a challenger could pay for being wrong, before his evidence is looked at.
    pub(crate) fn ensure_bond(challenger: &AccountId, rules: &Ruleset) -> Result<(), Error<T>> {
        let affordable =
            T::Currency::reducible_balance(challenger, Preservation::Preserve, Fortitude::Polite);
        ensure!(
            affordable >= rules.settlement.challenge_bond,
            Error::CannotAffordBond
        );
        Ok(())
    }

    /// Takes the bond of a challenger whose evidence proved nothing.
    pub(crate) fn forfeit_bond(challenger: &AccountId, rules: &Ruleset) -> DispatchResult {
        T::Currency::transfer(
            challenger,
            &T::Treasury::get(),
            rules.settlement.challenge_bond,
            Preservation::Preserve,
        )
        .map(|_| ())
    }
}
