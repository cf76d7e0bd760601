use frame_support::{assert_noop, assert_ok, assert_storage_noop};

use crate::{mock::*, Error, Event};

#[test]
fn success_starts_the_dispute_period_of_the_channels_ruleset() {
    build_and_execute(|| {
        let id = open_channel();
        StoredRulesets::set_current(1);
        System::set_block_number(10);
        assert_ok!(Channels::request_close(RuntimeOrigin::signed(alice()), id));
        assert_eq!(stored(id).closing, Some(10 + DISPUTE_PERIOD));
        assert_eq!(held(&alice()), 1_000);
        System::assert_last_event(
            Event::CloseRequested {
                channel: id,
                payer: alice(),
                payee: bob(),
                closable_at: 10 + DISPUTE_PERIOD,
            }
            .into(),
        );
    });
}

#[test]
fn success_a_second_request_changes_nothing() {
    build_and_execute(|| {
        let id = open_channel();
        assert_ok!(Channels::request_close(RuntimeOrigin::signed(alice()), id));
        System::set_block_number(15);
        System::reset_events();
        assert_storage_noop!(assert_ok!(Channels::request_close(
            RuntimeOrigin::signed(alice()),
            id
        )));
        assert_eq!(System::events(), vec![]);
        assert_eq!(stored(id).closing, Some(1 + DISPUTE_PERIOD));
    });
}

#[test]
fn success_near_or_after_the_expiry_delays_nothing() {
    build_and_execute(|| {
        let id = open_channel();
        System::set_block_number(110);
        assert_ok!(Channels::request_close(RuntimeOrigin::signed(alice()), id));
        assert_eq!(Channels::closable_at(id), Some(100 + DISPUTE_PERIOD));
        System::assert_last_event(
            Event::CloseRequested {
                channel: id,
                payer: alice(),
                payee: bob(),
                closable_at: 100 + DISPUTE_PERIOD,
            }
            .into(),
        );
    });
}

#[test]
fn fails_when_there_is_no_such_channel() {
    build_and_execute(|| {
        assert_noop!(
            Channels::request_close(RuntimeOrigin::signed(alice()), 1),
            Error::<Test>::UnknownChannel
        );
    });
}

#[test]
fn fails_when_the_sender_is_not_the_payer() {
    build_and_execute(|| {
        assert_ok!(Channels::open(
            RuntimeOrigin::signed(alice()),
            bob(),
            Some(charlie()),
            1_000,
            100
        ));
        for other in [bob(), charlie()] {
            assert_noop!(
                Channels::request_close(RuntimeOrigin::signed(other), 1),
                Error::<Test>::NotPayer
            );
        }
    });
}
