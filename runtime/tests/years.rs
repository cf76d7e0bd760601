//! The payout formula over years: `payout = fees + expired + reserve × 10 % × duration / year`, era by era,
//! and nothing is minted on the way. Issuance is compared after every transaction and every block; see
//! [`crate::chain`].
//!
//! `OPENLEDGER_YEARS` makes it more or fewer years; `--nocapture` prints a table of them.

use frame_support::{
    assert_ok,
    traits::{fungible::Inspect, TypedGet},
};
use openledger_runtime::{
    configs::rewards::{FeePot, PayoutPot, RewardReserve, TreasuryAccount, PAYOUT_POT_FLOAT},
    constants::{
        currency::{EXISTENTIAL_DEPOSIT, UNIT},
        time::SLOT_DURATION_MILLISECONDS,
    },
    AccountId, Balance, Balances, Runtime, RuntimeCall, RuntimeEvent, RuntimeOrigin,
};
use pallet_staking::ErasValidatorReward;
use sp_keyring::Sr25519Keyring::{self, *};
use sp_staking::EraIndex;

use crate::chain::{events, parameter, run_on, Chain};

/// Years without `OPENLEDGER_YEARS`: each takes some ten seconds. `scripts/soak.sh books` runs ten.
const YEARS: u64 = 1;
/// Slots in a day, which is an era.
const DAY: u64 = 86_400_000 / SLOT_DURATION_MILLISECONDS;
/// Eras in a year, near enough.
const ERAS_PER_YEAR: u64 = 365;
/// Milliseconds in a year of the formula.
const YEAR_MILLISECONDS: f64 = 365.25 * 86_400_000.0;
/// Who claims for whom.
const CLAIMS: [(Sr25519Keyring, Sr25519Keyring); 3] =
    [(Dave, Alice), (Eve, Bob), (Ferdie, Charlie)];

fn balance(who: &AccountId) -> Balance {
    Balances::total_balance(who)
}

fn transfer(chain: &mut Chain, from: Sr25519Keyring, to: Sr25519Keyring, value: Balance) {
    let call = pallet_balances::Call::transfer_keep_alive {
        dest: to.to_account_id().into(),
        value,
    };
    assert_ok!(chain.submit(from, RuntimeCall::Balances(call)));
}

/// Claims an era's rewards for all validators and returns what was paid.
fn claim(chain: &mut Chain, era: EraIndex) -> Balance {
    let calls = CLAIMS.map(|(caller, validator)| {
        let call = pallet_staking::Call::payout_stakers_by_page {
            validator_stash: validator.to_account_id(),
            era,
            page: 0,
        };
        (caller, RuntimeCall::Staking(call))
    });
    for outcome in chain.submit_all(calls) {
        assert_ok!(outcome);
    }
    events()
        .into_iter()
        .filter_map(|event| match event {
            RuntimeEvent::Staking(pallet_staking::Event::Rewarded { amount, .. }) => Some(amount),
            _ => None,
        })
        .sum()
}

/// Lets a day pass in which one transfer is made, and returns the era that it ended.
fn day(chain: &mut Chain, from: Sr25519Keyring, to: Sr25519Keyring) -> EraIndex {
    let begin = chain.slot();
    transfer(chain, from, to, UNIT);
    chain.stand_still_until(begin + DAY);
    chain.next_era()
}

fn in_open(amount: Balance) -> f64 {
    amount as f64 / UNIT as f64
}

#[test]
fn rewards_follow_the_formula_and_nothing_is_minted() {
    let years = parameter("OPENLEDGER_YEARS", YEARS);
    run_on("local_testnet", |chain| {
        chain.next_era();
        let first_slot = chain.slot();
        let at_first = balance(&RewardReserve::get());
        println!("year  reserve at its end, OPEN  booked for stakers, OPEN  of it claimed, OPEN");
        for year in 1..=years {
            let (mut booked, mut claimed) = (0, 0);
            for count in 0..ERAS_PER_YEAR {
                let (from, to) = if count % 2 == 0 {
                    (Dave, Eve)
                } else {
                    (Eve, Dave)
                };
                let reserve = balance(&RewardReserve::get());
                let fees = balance(&FeePot::get()) - EXISTENTIAL_DEPOSIT;
                let treasury = balance(&TreasuryAccount::get());
                let era = day(chain, from, to);

                let payout = ErasValidatorReward::<Runtime>::get(era).expect("the era has ended");
                let released = reserve - balance(&RewardReserve::get());
                let days_fees = payout - released - fees;
                // The transfer's fee, of which the treasury has a fifth; and what rounding kept from
                // stakers 84 eras ago.
                let treasurys = balance(&TreasuryAccount::get()) - treasury;
                let stakers = treasurys * 4;
                assert!(treasurys > 0);
                assert!(days_fees + 4 >= stakers && days_fees < stakers + UNIT / 1_000);
                booked += payout;
                claimed += claim(chain, era);
            }
            // Shares are rounded one by one: below or above, but by base units.
            assert!(claimed.abs_diff(booked) < UNIT);
            println!(
                "{year:>4}  {:>24.0}  {:>24.0}  {:>21.0}",
                in_open(balance(&RewardReserve::get())),
                in_open(booked),
                in_open(claimed)
            );
        }
        // A tenth a year of what is left, many times a year, is the exponential function.
        let passed = ((chain.slot() - first_slot) * SLOT_DURATION_MILLISECONDS) as f64;
        let expected = in_open(at_first) * (-0.1 * passed / YEAR_MILLISECONDS).exp();
        let found = in_open(balance(&RewardReserve::get()));
        assert!(
            (found / expected - 1.0).abs() < 0.001,
            "{found} OPEN are left of the reserve instead of {expected}"
        );
    });
}

#[test]
fn fees_still_pay_stakers_when_the_reserve_is_gone() {
    run_on("local_testnet", |chain| {
        chain.next_era();
        let reserve = RewardReserve::get();
        assert_ok!(Balances::force_transfer(
            RuntimeOrigin::root(),
            reserve.clone().into(),
            TreasuryAccount::get().into(),
            balance(&reserve) - EXISTENTIAL_DEPOSIT,
        ));
        // What was in the fee pot and what the reserve had released before.
        let era = chain.next_era();
        claim(chain, era);
        for _ in 0..10 {
            let pot = balance(&PayoutPot::get());
            let carried = balance(&FeePot::get()) - EXISTENTIAL_DEPOSIT;
            let era = day(chain, Dave, Eve);
            let payout = ErasValidatorReward::<Runtime>::get(era).expect("the era has ended");
            assert_eq!(balance(&reserve), EXISTENTIAL_DEPOSIT);
            assert!(payout > carried, "the day's fees are part of the payout");
            assert_eq!(balance(&PayoutPot::get()), pot + payout);
            let paid = claim(chain, era);
            // Shares are rounded one by one, and may exceed the payout by a few base units: see the float.
            assert!(paid > 0 && paid <= payout + CLAIMS.len() as Balance);
            assert!(balance(&PayoutPot::get()) > PAYOUT_POT_FLOAT - EXISTENTIAL_DEPOSIT);
        }
    });
}
