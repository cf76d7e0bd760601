//! The supply is fixed: fees, rewards, slashes and dust move money and never make any. The check on
//! total issuance itself runs after every block; see [`crate::chain::check_books`].

use frame_support::{
    assert_ok,
    traits::{fungible::Inspect, TypedGet},
};
use openledger_runtime::{
    configs::{
        rewards::{FeePot, PayoutPot, RewardReserve, TreasuryAccount, PAYOUT_POT_FLOAT},
        staking::{HistoryDepth, SlashDeferDuration},
    },
    constants::{
        currency::{EXISTENTIAL_DEPOSIT, UNIT},
        time::SLOT_DURATION_MILLISECONDS,
    },
    AccountId, Authorship, Balance, Balances, Runtime, RuntimeCall, RuntimeEvent, RuntimeOrigin,
    Session, Staking,
};
use pallet_staking::{ActiveEra, ConfigOp, ErasValidatorReward, RewardDestination};
use proptest::prelude::*;
use sp_keyring::Sr25519Keyring::{self, *};
use sp_runtime::{Perbill, Percent};
use sp_staking::{
    offence::{OffenceDetails, OnOffenceHandler},
    EraIndex,
};

use crate::chain::{active_era, check_books, events, run_on, sign, sign_with_nonce, Chain};

fn balance(who: &AccountId) -> Balance {
    Balances::total_balance(who)
}

fn booked(era: EraIndex) -> Balance {
    ErasValidatorReward::<Runtime>::get(era).expect("the era has ended")
}

/// Pays `validator` and his nominators for `era`, by a transaction of `caller`.
fn claim(chain: &mut Chain, caller: Sr25519Keyring, validator: Sr25519Keyring, era: EraIndex) {
    let call = pallet_staking::Call::payout_stakers_by_page {
        validator_stash: validator.to_account_id(),
        era,
        page: 0,
    };
    assert_ok!(chain.submit(caller, RuntimeCall::Staking(call)));
}

fn rewards_in_last_block() -> Balance {
    events()
        .into_iter()
        .filter_map(|event| match event {
            RuntimeEvent::Staking(pallet_staking::Event::Rewarded { amount, .. }) => Some(amount),
            _ => None,
        })
        .sum()
}

fn nominate(
    chain: &mut Chain,
    nominator: Sr25519Keyring,
    stake: Balance,
    payee: RewardDestination<AccountId>,
    targets: &[Sr25519Keyring],
) {
    assert_ok!(chain.submit(
        nominator,
        RuntimeCall::Staking(pallet_staking::Call::bond {
            value: stake,
            payee
        })
    ));
    assert_ok!(chain.submit(
        nominator,
        RuntimeCall::Staking(pallet_staking::Call::nominate {
            targets: targets
                .iter()
                .map(|target| target.to_account_id().into())
                .collect(),
        })
    ));
}

#[test]
fn rewards_come_out_of_the_reserve_and_reach_stakers() {
    run_on("local_testnet", |chain| {
        chain.next_era();
        let reserve = balance(&RewardReserve::get());
        let era = chain.next_era();
        let payout = booked(era);
        assert!(payout > 0);
        assert!(balance(&RewardReserve::get()) < reserve);

        let pot = balance(&PayoutPot::get());
        let before = balance(&Alice.to_account_id());
        claim(chain, Ferdie, Alice, era);
        let paid = rewards_in_last_block();
        assert!(
            paid > 0 && paid < payout,
            "Alice is one of three validators"
        );
        assert_eq!(balance(&PayoutPot::get()), pot - paid);
        // The author of the block might have been Alice, but Ferdie paid no tip.
        assert_eq!(balance(&Alice.to_account_id()), before + paid);
    });
}

#[test]
fn every_kind_of_payee_is_paid_from_the_pot() {
    run_on("local_testnet", |chain| {
        chain.next_block(Vec::new());
        let stranger = AccountId::new([7; 32]);
        let all = [Alice, Bob, Charlie];
        nominate(
            chain,
            Dave,
            3_000_000 * UNIT,
            RewardDestination::Staked,
            &all,
        );
        nominate(chain, Eve, 2_000_000 * UNIT, RewardDestination::Stash, &all);
        nominate(chain, Ferdie, 777 * UNIT, RewardDestination::None, &all);
        nominate(
            chain,
            FerdieStash,
            1_000_001 * UNIT + 1,
            RewardDestination::Account(stranger.clone()),
            &all,
        );
        // Elected for the era after the next.
        chain.next_era();
        chain.next_era();
        let era = chain.next_era();

        let pot = balance(&PayoutPot::get());
        let mut paid = 0;
        for validator in all {
            claim(chain, AliceStash, validator, era);
            paid += rewards_in_last_block();
        }
        assert_eq!(balance(&PayoutPot::get()), pot - paid);
        assert!(balance(&stranger) > 0);
        // Ferdie wants none, so his share stays in the pot; nothing else is left over but what
        // rounding leaves.
        assert!(paid <= booked(era) && booked(era) - paid < booked(era) / 1_000);
    });
}

#[test]
fn what_stakers_are_denied_goes_to_the_treasury() {
    run_on("development", |chain| {
        chain.next_era();
        assert_ok!(Staking::set_staking_configs(
            RuntimeOrigin::root(),
            ConfigOp::Noop,
            ConfigOp::Noop,
            ConfigOp::Noop,
            ConfigOp::Noop,
            ConfigOp::Noop,
            ConfigOp::Noop,
            ConfigOp::Set(Percent::from_percent(40)),
        ));
        let reserve = balance(&RewardReserve::get());
        let treasury = balance(&TreasuryAccount::get());
        let pot = balance(&PayoutPot::get());
        let era = chain.next_era();

        let released = reserve - balance(&RewardReserve::get());
        let withheld = balance(&TreasuryAccount::get()) - treasury;
        assert_eq!(booked(era), Percent::from_percent(40) * released);
        assert_eq!(withheld, released - booked(era));
        assert_eq!(balance(&PayoutPot::get()), pot + booked(era));
    });
}

#[test]
fn rewards_that_nobody_claims_pay_later_eras() {
    run_on("development", |chain| {
        let first = chain.next_era();
        let unclaimed = booked(first);
        assert!(unclaimed > 0);
        loop {
            let reserve = balance(&RewardReserve::get());
            let pot = balance(&PayoutPot::get());
            let era = chain.next_era();
            let released = reserve - balance(&RewardReserve::get());
            assert_eq!(
                balance(&PayoutPot::get()),
                pot + released,
                "nothing leaves the pot"
            );
            if ErasValidatorReward::<Runtime>::get(first).is_some() {
                assert_eq!(
                    booked(era),
                    released,
                    "what can still be claimed is not spent"
                );
            } else {
                assert_eq!(
                    booked(era),
                    released + unclaimed,
                    "what expired is paid again"
                );
                break;
            }
        }
        assert!(active_era() >= HistoryDepth::get());
        let claimable: Balance = ErasValidatorReward::<Runtime>::iter_values().sum();
        assert_eq!(balance(&PayoutPot::get()), PAYOUT_POT_FLOAT + claimable);
    });
}

#[test]
fn a_chain_that_stood_still_is_not_paid_for_it() {
    const DAY: u64 = 86_400_000 / SLOT_DURATION_MILLISECONDS;
    run_on("development", |chain| {
        chain.next_era();
        let reserve = balance(&RewardReserve::get());
        let released_after = |chain: &mut Chain, slots: u64| {
            chain.stand_still_until(chain.slot() + slots);
            chain.next_era();
            reserve - balance(&RewardReserve::get())
        };
        let released = released_after(chain, 300 * DAY);
        // Two days at a tenth of the reserve a year.
        assert!(released <= reserve / 10 / 365 * 2);
        assert!(released > reserve / 10 / 366 * 2 * 99 / 100);
    });
}

#[test]
fn fees_are_split_and_tips_go_to_the_author() {
    run_on("development", |chain| {
        chain.next_block(Vec::new());
        let (fees, treasury) = (balance(&FeePot::get()), balance(&TreasuryAccount::get()));
        let (author, sender) = (
            balance(&Alice.to_account_id()),
            balance(&Dave.to_account_id()),
        );
        let transfer = pallet_balances::Call::transfer_keep_alive {
            dest: Eve.to_account_id().into(),
            value: UNIT,
        };
        let tip = 3 * UNIT;
        let results = chain.next_block(vec![sign(Dave, transfer, tip)]);
        assert_eq!(results, vec![Ok(Ok(()))]);
        assert_eq!(Authorship::author(), Some(Alice.to_account_id()));

        let fee = sender - balance(&Dave.to_account_id()) - UNIT - tip;
        assert!(fee > 0);
        let to_stakers = balance(&FeePot::get()) - fees;
        assert_eq!(to_stakers, fee * 80 / 100);
        assert_eq!(
            balance(&TreasuryAccount::get()) - treasury,
            fee - to_stakers
        );
        assert_eq!(balance(&Alice.to_account_id()) - author, tip);

        // At the end of the era the stakers' share is part of the payout.
        let reserve = balance(&RewardReserve::get());
        let era = chain.next_era();
        assert_eq!(balance(&FeePot::get()), EXISTENTIAL_DEPOSIT);
        let released = reserve - balance(&RewardReserve::get());
        assert_eq!(booked(era), released + to_stakers);
    });
}

#[test]
fn dust_goes_to_the_treasury() {
    run_on("development", |chain| {
        chain.next_block(Vec::new());
        let passer_by = One.to_account_id();
        let transfer = |from: &AccountId, to: &AccountId, value: Balance| {
            Balances::transfer_allow_death(
                RuntimeOrigin::signed(from.clone()),
                to.clone().into(),
                value,
            )
        };
        assert_ok!(transfer(&Dave.to_account_id(), &passer_by, UNIT));
        let treasury = balance(&TreasuryAccount::get());
        let dust = EXISTENTIAL_DEPOSIT / 2;
        assert_ok!(transfer(&passer_by, &Eve.to_account_id(), UNIT - dust));
        assert_eq!(balance(&passer_by), 0);
        assert_eq!(balance(&TreasuryAccount::get()), treasury + dust);
    });
}

#[test]
fn slashes_go_to_the_treasury_and_the_reporter() {
    run_on("local_testnet", |chain| {
        chain.next_era();
        let offence = OffenceDetails {
            offender: (Charlie.to_account_id(), ()),
            reporters: vec![Dave.to_account_id()],
        };
        let stake = balance(&Charlie.to_account_id());
        let treasury = balance(&TreasuryAccount::get());
        let reporter = balance(&Dave.to_account_id());
        <Staking as OnOffenceHandler<_, _, _>>::on_offence(
            &[offence],
            &[Perbill::from_percent(50)],
            Session::current_index(),
        );
        for _ in 0..=SlashDeferDuration::get() {
            chain.next_era();
        }
        let slashed = stake - balance(&Charlie.to_account_id());
        // Stake counts in an election, and so in a slash, in steps of some millions of base units.
        let half = 5_000_000 * UNIT;
        assert!(slashed <= half && half - slashed < EXISTENTIAL_DEPOSIT);
        let rewarded = balance(&Dave.to_account_id()) - reporter;
        assert!(rewarded > 0);
        assert_eq!(
            balance(&TreasuryAccount::get()) - treasury,
            slashed - rewarded
        );
    });
}

/// Something that moves money.
#[derive(Clone, Debug)]
enum Step {
    Transfer {
        from: usize,
        to: usize,
        milliunits: u64,
        tip: u64,
    },
    Nominate {
        who: usize,
        units: u64,
        target: usize,
    },
    Claim {
        validator: usize,
        eras_ago: u32,
    },
    EndSession,
    EndEra,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => (0..6usize, 0..6usize, 1..100_000_000u64, 0..1_000u64).prop_map(
            |(from, to, milliunits, tip)| Step::Transfer { from, to, milliunits, tip }
        ),
        2 => (3..6usize, 100..1_000_000u64, 0..3usize)
            .prop_map(|(who, units, target)| Step::Nominate { who, units, target }),
        3 => (0..3usize, 0..5u32)
            .prop_map(|(validator, eras_ago)| Step::Claim { validator, eras_ago }),
        2 => Just(Step::EndSession),
        1 => Just(Step::EndEra),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 16, failure_persistence: None, ..Default::default() })]

    // `next_block` compares issuance and checks all books after every single step.
    #[test]
    fn supply_is_constant_whatever_happens(steps in prop::collection::vec(step(), 1..40)) {
        let people = [Alice, Bob, Charlie, Dave, Eve, Ferdie];
        run_on("local_testnet", |chain| {
            chain.next_block(Vec::new());
            for step in steps {
                match step {
                    Step::Transfer { from, to, milliunits, tip } => {
                        let call = pallet_balances::Call::transfer_allow_death {
                            dest: people[to].to_account_id().into(),
                            value: Balance::from(milliunits) * EXISTENTIAL_DEPOSIT,
                        };
                        let tip = Balance::from(tip) * EXISTENTIAL_DEPOSIT;
                        // The sender may have too little left for it; that moves no money.
                        let _ = chain.next_block(vec![sign(people[from], call, tip)]);
                    }
                    Step::Nominate { who, units, target } => {
                        let who = people[who];
                        let nonce = openledger_runtime::System::account_nonce(who.to_account_id());
                        let bond = pallet_staking::Call::bond {
                            value: Balance::from(units) * UNIT,
                            payee: RewardDestination::Staked,
                        };
                        let nominate = pallet_staking::Call::nominate {
                            targets: vec![people[target].to_account_id().into()],
                        };
                        // Bonding fails the second time; nominating another validator does not.
                        let _ = chain.next_block(vec![
                            sign_with_nonce(who, bond, 0, nonce),
                            sign_with_nonce(who, nominate, 0, nonce + 1),
                        ]);
                    }
                    Step::Claim { validator, eras_ago } => {
                        let call = pallet_staking::Call::payout_stakers_by_page {
                            validator_stash: people[validator].to_account_id(),
                            era: active_era().saturating_sub(eras_ago),
                            page: 0,
                        };
                        // Claimed before, or not yet over: both are refused.
                        let _ = chain.next_block(vec![sign(Ferdie, call, 0)]);
                    }
                    Step::EndSession => chain.next_session(),
                    Step::EndEra => {
                        chain.next_era();
                    }
                }
            }
            check_books();
            prop_assert!(ActiveEra::<Runtime>::get().is_some());
            Ok(())
        })?;
    }
}
