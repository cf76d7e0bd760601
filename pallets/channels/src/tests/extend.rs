use frame_support::{assert_noop, assert_ok};

use crate::{mock::*, Error, Event, MAXIMUM_LIFETIME};

#[test]
fn success_moves_the_expiry_back() {
    build_and_execute(|| {
        let id = open_channel();
        assert_ok!(Channels::extend(RuntimeOrigin::signed(alice()), id, 101));
        assert_eq!(stored(id).expiry, 101);
        System::assert_last_event(
            Event::Extended {
                channel: id,
                payer: alice(),
                payee: bob(),
                expiry: 101,
            }
            .into(),
        );
        assert_ok!(Channels::extend(
            RuntimeOrigin::signed(alice()),
            id,
            1 + MAXIMUM_LIFETIME
        ));
        assert_eq!(
            Channels::closable_at(id),
            Some(1 + MAXIMUM_LIFETIME + DISPUTE_PERIOD)
        );
    });
}

#[test]
fn success_after_the_expiry_while_nobody_closed_it() {
    build_and_execute(|| {
        let id = open_channel();
        System::set_block_number(110);
        assert_ok!(Channels::extend(RuntimeOrigin::signed(alice()), id, 200));
        System::set_block_number(120);
        assert_noop!(
            Channels::close(RuntimeOrigin::signed(charlie()), id),
            Error::<Test>::NotYetClosable
        );
    });
}

#[test]
fn fails_when_there_is_no_such_channel() {
    build_and_execute(|| {
        assert_noop!(
            Channels::extend(RuntimeOrigin::signed(alice()), 1, 101),
            Error::<Test>::UnknownChannel
        );
    });
}

#[test]
fn fails_when_the_sender_is_not_the_payer() {
    build_and_execute(|| {
        let id = open_channel();
        assert_noop!(
            Channels::extend(RuntimeOrigin::signed(bob()), id, 101),
            Error::<Test>::NotPayer
        );
    });
}

#[test]
fn fails_when_the_channel_is_closing() {
    build_and_execute(|| {
        let id = open_channel();
        assert_ok!(Channels::request_close(RuntimeOrigin::signed(alice()), id));
        assert_noop!(
            Channels::extend(RuntimeOrigin::signed(alice()), id, 200),
            Error::<Test>::ChannelClosing
        );
    });
}

#[test]
fn fails_when_the_expiry_is_not_later() {
    build_and_execute(|| {
        let id = open_channel();
        for expiry in [0, 99, 100] {
            assert_noop!(
                Channels::extend(RuntimeOrigin::signed(alice()), id, expiry),
                Error::<Test>::ExpiryNotLater
            );
        }
    });
}

#[test]
fn fails_when_the_expiry_leaves_no_time() {
    build_and_execute(|| {
        let id = open_channel();
        System::set_block_number(90);
        assert_noop!(
            Channels::extend(RuntimeOrigin::signed(alice()), id, 90 + DISPUTE_PERIOD),
            Error::<Test>::ExpiryTooSoon
        );
    });
}

#[test]
fn fails_when_the_expiry_is_too_far_away() {
    build_and_execute(|| {
        let id = open_channel();
        assert_noop!(
            Channels::extend(RuntimeOrigin::signed(alice()), id, 2 + MAXIMUM_LIFETIME),
            Error::<Test>::ExpiryTooLate
        );
    });
}
