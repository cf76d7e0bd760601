//! Where rewards and fees come from and go to. Nothing here mints.
//!
//! Three accounts hold what stakers will be paid:
//!
//! - the **reserve**, funded at genesis, releases a tenth of itself a year and so never runs dry;
//! - the **fee pot** collects the stakers' share of transaction fees during an era;
//! - the **payout pot** holds what was promised and not yet claimed.
//!
//! Staking, as it comes, mints: at the end of an era it books a payout, and later mints each claim
//! and hands the resulting debt to a handler. Here the end of an era ([`RewardsFromReserve`]) moves
//! exactly what it books into the payout pot, and the handler ([`SettleFromPayoutPot`]) pays every
//! debt out of that pot, so issuance is the same before and after.

use frame_support::{
    defensive,
    pallet_prelude::Zero,
    parameter_types,
    traits::{
        fungible::{Balanced, Credit, Debt, Inspect, Mutate},
        tokens::{imbalance::ResolveTo, Fortitude, Preservation},
        Defensive, Get, Imbalance, OnUnbalanced, TypedGet,
    },
    PalletId,
};
use pallet_staking::{ActiveEra, CurrentEra, ErasValidatorReward};
use pallet_treasury::TreasuryAccountId;
use sp_runtime::{traits::AccountIdConversion, Percent, Perquintill};
use sp_staking::EraPayout;

use super::staking::HistoryDepth;
use crate::{
    constants::currency::{EXISTENTIAL_DEPOSIT, UNIT},
    AccountId, Authorship, Balance, Balances, Runtime,
};

/// Milliseconds in a Julian year.
const MILLISECONDS_PER_YEAR: u64 = 31_557_600_000;
/// An era that took longer than this, because the chain stood still, is paid as if it had not.
const MAXIMUM_PAID_ERA_MILLISECONDS: u64 = 2 * 86_400_000;
/// Part of the reserve that is released in a year.
const RESERVE_RELEASE_PER_YEAR: Percent = Percent::from_percent(10);
/// Part of each transaction fee that goes to stakers; the rest goes to the treasury.
const STAKERS_FEE_PERCENT: u32 = 80;
/// What the payout pot always keeps: the shares of an era's payout are rounded one by one, and may
/// together exceed it by a few base units. The pot is given this much at genesis.
pub const PAYOUT_POT_FLOAT: Balance = UNIT;

parameter_types! {
    /// Source of the reserve's account.
    pub const RewardReservePalletId: PalletId = PalletId(*b"ol/resrv");
    /// Source of the fee pot's account.
    pub const FeePotPalletId: PalletId = PalletId(*b"ol/fees_");
    /// Source of the payout pot's account.
    pub const PayoutPotPalletId: PalletId = PalletId(*b"ol/payot");
    /// Account of the reserve.
    pub RewardReserve: AccountId = RewardReservePalletId::get().into_account_truncating();
    /// Account of the fee pot.
    pub FeePot: AccountId = FeePotPalletId::get().into_account_truncating();
    /// Account of the payout pot.
    pub PayoutPot: AccountId = PayoutPotPalletId::get().into_account_truncating();
}

/// Account of the treasury.
pub type TreasuryAccount = TreasuryAccountId<Runtime>;
/// Takes slashes and the remains of reaped accounts.
pub type ResolveToTreasury = ResolveTo<TreasuryAccount, Balances>;

/// What `who` can pay out and stay alive.
fn spendable(who: &AccountId) -> Balance {
    Balances::reducible_balance(who, Preservation::Preserve, Fortitude::Polite)
}

/// Moves `amount` into the payout pot and returns how much arrived: all or nothing.
fn fund_payout_pot(from: &AccountId, amount: Balance) -> Balance {
    if amount.is_zero() {
        return 0;
    }
    Balances::transfer(from, &PayoutPot::get(), amount, Preservation::Preserve)
        .defensive_unwrap_or_default()
}

/// The most that may still be claimed of the rewards booked so far.
///
/// An upper bound: it counts what has been booked for the eras that can be claimed, whether claimed
/// or not, because staking does not record claims by amount.
fn claimable_rewards() -> Balance {
    let newest = CurrentEra::<Runtime>::get().unwrap_or_default();
    let oldest = newest.saturating_sub(HistoryDepth::get());
    (oldest..=newest)
        .filter_map(ErasValidatorReward::<Runtime>::get)
        .fold(0, Balance::saturating_add)
}

/// What the payout pot holds beyond all that can still be claimed: rewards that nobody claimed in
/// time.
fn expired_rewards() -> Balance {
    Balances::balance(&PayoutPot::get())
        .saturating_sub(PAYOUT_POT_FLOAT)
        .saturating_sub(claimable_rewards())
}

/// What the reserve releases for an era of `duration` milliseconds.
fn released_from_reserve(duration: u64) -> Balance {
    let part_of_year = Perquintill::from_rational(
        duration.min(MAXIMUM_PAID_ERA_MILLISECONDS),
        MILLISECONDS_PER_YEAR,
    );
    part_of_year * (RESERVE_RELEASE_PER_YEAR * spendable(&RewardReserve::get()))
}

/// Pays an era out of fees, the reserve and expired rewards.
pub struct RewardsFromReserve;

impl EraPayout<Balance> for RewardsFromReserve {
    /// The payout to validators and their nominators, already in the payout pot, and no remainder.
    fn era_payout(
        total_staked: Balance,
        _total_issuance: Balance,
        era_duration_milliseconds: u64,
    ) -> (Balance, Balance) {
        if total_staked.is_zero() || ActiveEra::<Runtime>::get().is_none() {
            return (0, 0);
        }
        let payout = expired_rewards()
            .saturating_add(fund_payout_pot(&FeePot::get(), spendable(&FeePot::get())))
            .saturating_add(fund_payout_pot(
                &RewardReserve::get(),
                released_from_reserve(era_duration_milliseconds),
            ));
        (payout, 0)
    }
}

/// Settles the debt that staking runs into by paying a claim.
pub struct SettleFromPayoutPot;

impl OnUnbalanced<Debt<AccountId, Balances>> for SettleFromPayoutPot {
    fn on_nonzero_unbalanced(debt: Debt<AccountId, Balances>) {
        let settled = Balances::settle(&PayoutPot::get(), debt, Preservation::Preserve)
            // The pot covers all claims, as its tests show. Were it ever short, the reserve pays
            // before anything is minted.
            .or_else(|debt| {
                defensive!("the payout pot cannot cover a claim");
                Balances::settle(&RewardReserve::get(), debt, Preservation::Preserve)
            });
        if settled.is_err() {
            defensive!("neither the payout pot nor the reserve can cover a claim");
        }
    }
}

/// Gives the treasury what governance withholds from stakers (`MaxStakedRewards`).
pub struct PayRemainderToTreasury;

impl OnUnbalanced<Credit<AccountId, Balances>> for PayRemainderToTreasury {
    fn on_nonzero_unbalanced(minted: Credit<AccountId, Balances>) {
        let amount = minted.peek();
        // Staking has just minted this. Dropping it burns it again; the money itself is in the
        // payout pot.
        drop(minted);
        Balances::transfer(
            &PayoutPot::get(),
            &TreasuryAccount::get(),
            amount,
            Preservation::Preserve,
        )
        .defensive_unwrap_or_default();
    }
}

/// Splits fees between stakers and the treasury, and gives tips to the block's author.
pub struct SplitFees;

impl OnUnbalanced<Credit<AccountId, Balances>> for SplitFees {
    fn on_unbalanceds(mut fees_then_tips: impl Iterator<Item = Credit<AccountId, Balances>>) {
        if let Some(fees) = fees_then_tips.next() {
            let (stakers, treasury) = fees.ration(STAKERS_FEE_PERCENT, 100 - STAKERS_FEE_PERCENT);
            ResolveTo::<FeePot, Balances>::on_unbalanced(stakers);
            ResolveToTreasury::on_unbalanced(treasury);
        }
        if let Some(tip) = fees_then_tips.next() {
            let unpaid = match Authorship::author() {
                Some(author) => Balances::resolve(&author, tip).err(),
                None => Some(tip),
            };
            ResolveToTreasury::on_unbalanceds(unpaid.into_iter());
        }
    }
}

/// The tokens that could vote: all that exist, less what the reserve and the treasury hold.
pub struct VotableIssuance;

impl Get<Balance> for VotableIssuance {
    fn get() -> Balance {
        Balances::active_issuance()
            .saturating_sub(Balances::balance(&RewardReserve::get()))
            .max(EXISTENTIAL_DEPOSIT)
    }
}
