use frame_support::{assert_noop, assert_ok};
use sp_runtime::{ArithmeticError, TokenError};

use crate::{mock::*, Error, Event};

#[test]
fn success_holds_more() {
    build_and_execute(|| {
        let id = open_channel();
        assert_ok!(Channels::top_up(RuntimeOrigin::signed(alice()), id, 1));
        assert_eq!(stored(id).deposit, 1_001);
        assert_eq!(held(&alice()), 1_001);
        System::assert_last_event(
            Event::ToppedUp {
                channel: id,
                payer: alice(),
                payee: bob(),
                amount: 1,
                deposit: 1_001,
            }
            .into(),
        );
    });
}

#[test]
fn success_after_everything_was_claimed() {
    build_and_execute(|| {
        let id = open_channel();
        let first = signed(voucher(id, 1, 1_000), sp_keyring::Sr25519Keyring::Alice);
        assert_ok!(Channels::claim(&bob(), &first, &pot()));
        assert_ok!(Channels::top_up(RuntimeOrigin::signed(alice()), id, 50));
        assert_eq!((stored(id).deposit, held(&alice())), (50, 50));
    });
}

#[test]
fn fails_when_there_is_no_such_channel() {
    build_and_execute(|| {
        assert_noop!(
            Channels::top_up(RuntimeOrigin::signed(alice()), 1, 1),
            Error::<Test>::UnknownChannel
        );
    });
}

#[test]
fn fails_when_the_sender_is_not_the_payer() {
    build_and_execute(|| {
        let id = open_channel();
        assert_noop!(
            Channels::top_up(RuntimeOrigin::signed(bob()), id, 1),
            Error::<Test>::NotPayer
        );
    });
}

#[test]
fn fails_when_nothing_is_added() {
    build_and_execute(|| {
        let id = open_channel();
        assert_noop!(
            Channels::top_up(RuntimeOrigin::signed(alice()), id, 0),
            Error::<Test>::NothingToAdd
        );
    });
}

#[test]
fn fails_when_the_channel_is_closing() {
    build_and_execute(|| {
        let id = open_channel();
        assert_ok!(Channels::request_close(RuntimeOrigin::signed(alice()), id));
        assert_noop!(
            Channels::top_up(RuntimeOrigin::signed(alice()), id, 1),
            Error::<Test>::ChannelClosing
        );
    });
}

#[test]
fn fails_when_the_payer_cannot_hold_that_much_more() {
    build_and_execute(|| {
        let id = open_channel();
        let free = Balances::free_balance(alice());
        assert_noop!(
            Channels::top_up(
                RuntimeOrigin::signed(alice()),
                id,
                free - EXISTENTIAL_DEPOSIT + 1
            ),
            TokenError::FundsUnavailable
        );
        assert_noop!(
            Channels::top_up(RuntimeOrigin::signed(alice()), id, u128::MAX),
            ArithmeticError::Overflow
        );
    });
}
