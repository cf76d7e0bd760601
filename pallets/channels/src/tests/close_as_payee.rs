use frame_support::{assert_noop, assert_ok};
use sp_keyring::Sr25519Keyring::Alice;

use crate::{mock::*, CloseCause, Error, Event};

#[test]
fn success_releases_at_once() {
    build_and_execute(|| {
        let id = open_channel();
        assert_ok!(Channels::claim(
            &bob(),
            &signed(voucher(id, 1, 400), Alice),
            &pot()
        ));
        assert_ok!(Channels::close_as_payee(RuntimeOrigin::signed(bob()), id));
        assert_eq!(Channels::channel(id), None);
        assert_eq!(Balances::free_balance(alice()), ENDOWMENT - 400);
        System::assert_last_event(
            Event::Closed {
                channel: id,
                payer: alice(),
                payee: bob(),
                released: 600,
                cumulative: 400,
                cause: CloseCause::ByPayee,
            }
            .into(),
        );
    });
}

#[test]
fn success_when_the_payee_serves_no_more() {
    build_and_execute(|| {
        let id = open_channel();
        StoredOperators::set_serving(&bob(), false);
        assert_ok!(Channels::close_as_payee(RuntimeOrigin::signed(bob()), id));
    });
}

#[test]
fn fails_when_there_is_no_such_channel() {
    build_and_execute(|| {
        assert_noop!(
            Channels::close_as_payee(RuntimeOrigin::signed(bob()), 1),
            Error::<Test>::UnknownChannel
        );
    });
}

#[test]
fn fails_when_the_sender_is_not_the_payee() {
    build_and_execute(|| {
        let id = open_channel();
        for other in [alice(), charlie()] {
            assert_noop!(
                Channels::close_as_payee(RuntimeOrigin::signed(other), id),
                Error::<Test>::NotPayee
            );
        }
    });
}
