use attribution_proof::challenge::Mark;
use frame_support::{assert_noop, assert_ok, hypothetically};
use sp_runtime::{DispatchError, TokenError};

use crate::{mock::*, Channel, Error, Event, NextChannel, MAXIMUM_LIFETIME};

fn open(deposit: u128, expiry: u32) -> sp_runtime::DispatchResult {
    Channels::open(RuntimeOrigin::signed(alice()), bob(), None, deposit, expiry)
}

#[test]
fn success_holds_the_deposit_and_stores_the_channel() {
    build_and_execute(|| {
        assert_ok!(Channels::open(
            RuntimeOrigin::signed(alice()),
            bob(),
            Some(charlie()),
            1_000,
            100
        ));
        assert_eq!(
            stored(1),
            Channel {
                payer: alice(),
                signer: charlie(),
                payee: bob(),
                deposit: 1_000,
                ruleset: 0,
                opened_at: 1,
                expiry: 100,
                closing: None,
                mark: Mark::default(),
            }
        );
        assert_eq!(held(&alice()), 1_000);
        assert_eq!(Balances::free_balance(alice()), ENDOWMENT - 1_000);
        System::assert_last_event(
            Event::Opened {
                channel: 1,
                payer: alice(),
                signer: charlie(),
                payee: bob(),
                deposit: 1_000,
                ruleset: 0,
                expiry: 100,
            }
            .into(),
        );
    });
}

#[test]
fn success_the_payer_signs_when_nobody_is_named() {
    build_and_execute(|| {
        assert_ok!(open(1_000, 100));
        assert_eq!(stored(1).signer, alice());
    });
}

#[test]
fn success_ids_start_at_one_and_are_never_used_again() {
    build_and_execute(|| {
        assert_eq!(NextChannel::<Test>::get(), 1);
        assert_eq!(open_channel(), 1);
        assert_ok!(Channels::close_as_payee(RuntimeOrigin::signed(bob()), 1));
        assert_eq!(open_channel(), 2);
        assert_eq!(open_channel(), 3);
        assert_eq!(held(&alice()), 2_000);
    });
}

#[test]
fn success_keeps_the_ruleset_of_its_opening() {
    build_and_execute(|| {
        StoredRulesets::set_current(1);
        assert_ok!(open(1_000, 100));
        StoredRulesets::set_current(0);
        assert_ok!(open(1_000, 100));
        assert_eq!((stored(1).ruleset, stored(2).ruleset), (1, 0));
    });
}

#[test]
fn success_at_the_bounds_of_deposit_and_expiry() {
    build_and_execute(|| {
        assert_ok!(open(MINIMUM_DEPOSIT, 1 + DISPUTE_PERIOD + 1));
        assert_ok!(open(
            ENDOWMENT - MINIMUM_DEPOSIT - EXISTENTIAL_DEPOSIT,
            1 + MAXIMUM_LIFETIME
        ));
        assert_eq!(Balances::free_balance(alice()), EXISTENTIAL_DEPOSIT);
    });
}

#[test]
fn fails_when_unsigned() {
    build_and_execute(|| {
        assert_noop!(
            Channels::open(RuntimeOrigin::none(), bob(), None, 1_000, 100),
            DispatchError::BadOrigin
        );
    });
}

#[test]
fn fails_when_the_payee_does_not_serve() {
    build_and_execute(|| {
        assert_noop!(
            Channels::open(RuntimeOrigin::signed(alice()), charlie(), None, 1_000, 100),
            Error::<Test>::PayeeNotServing
        );
        StoredOperators::set_serving(&bob(), false);
        assert_noop!(open(1_000, 100), Error::<Test>::PayeeNotServing);
    });
}

#[test]
fn fails_when_the_deposit_is_too_small() {
    build_and_execute(|| {
        assert_noop!(
            open(MINIMUM_DEPOSIT - 1, 100),
            Error::<Test>::DepositTooSmall
        );
        assert_noop!(open(0, 100), Error::<Test>::DepositTooSmall);
    });
}

#[test]
fn fails_when_the_expiry_leaves_no_time() {
    build_and_execute(|| {
        assert_noop!(
            open(1_000, 1 + DISPUTE_PERIOD),
            Error::<Test>::ExpiryTooSoon
        );
        // The same block is far enough under one ruleset and too soon under the other.
        hypothetically!({
            assert_ok!(open(1_000, 1 + OTHER_DISPUTE_PERIOD));
        });
        StoredRulesets::set_current(1);
        assert_noop!(
            open(1_000, 1 + OTHER_DISPUTE_PERIOD),
            Error::<Test>::ExpiryTooSoon
        );
    });
}

#[test]
fn fails_when_the_expiry_is_too_far_away() {
    build_and_execute(|| {
        assert_noop!(
            open(1_000, 2 + MAXIMUM_LIFETIME),
            Error::<Test>::ExpiryTooLate
        );
        assert_noop!(open(1_000, u32::MAX), Error::<Test>::ExpiryTooLate);
    });
}

#[test]
fn fails_when_the_payer_cannot_hold_that_much() {
    build_and_execute(|| {
        assert_noop!(
            open(ENDOWMENT - EXISTENTIAL_DEPOSIT + 1, 100),
            TokenError::FundsUnavailable
        );
    });
}
