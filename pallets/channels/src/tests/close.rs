use frame_support::{assert_noop, assert_ok, hypothetically};
use sp_keyring::Sr25519Keyring::Alice;
use sp_runtime::DispatchError;

use crate::{mock::*, CloseCause, Error, Event};

#[test]
fn success_by_anybody_once_the_request_has_waited() {
    build_and_execute(|| {
        let id = open_channel();
        assert_ok!(Channels::claim(
            &bob(),
            &signed(voucher(id, 3, 300), Alice),
            &pot()
        ));
        assert_ok!(Channels::request_close(RuntimeOrigin::signed(alice()), id));
        System::set_block_number(1 + DISPUTE_PERIOD);
        assert_ok!(Channels::close(RuntimeOrigin::signed(charlie()), id));
        assert_eq!(Channels::channel(id), None);
        assert_eq!(held(&alice()), 0);
        assert_eq!(Balances::free_balance(alice()), ENDOWMENT - 300);
        System::assert_last_event(
            Event::Closed {
                channel: id,
                payer: alice(),
                payee: bob(),
                released: 700,
                cumulative: 300,
                cause: CloseCause::Lapsed,
            }
            .into(),
        );
    });
}

#[test]
fn success_by_anybody_a_dispute_period_after_the_expiry() {
    build_and_execute(|| {
        let id = open_channel();
        System::set_block_number(100 + DISPUTE_PERIOD - 1);
        assert_noop!(
            Channels::close(RuntimeOrigin::signed(alice()), id),
            Error::<Test>::NotYetClosable
        );
        System::set_block_number(100 + DISPUTE_PERIOD);
        assert_ok!(Channels::close(RuntimeOrigin::signed(charlie()), id));
        assert_eq!(Balances::free_balance(alice()), ENDOWMENT);
    });
}

#[test]
fn success_releases_only_this_channels_deposit() {
    build_and_execute(|| {
        let first = open_channel();
        let second = open_channel();
        assert_ok!(Channels::request_close(
            RuntimeOrigin::signed(alice()),
            first
        ));
        System::set_block_number(1 + DISPUTE_PERIOD);
        assert_ok!(Channels::close(RuntimeOrigin::signed(alice()), first));
        assert_eq!((held(&alice()), stored(second).deposit), (1_000, 1_000));
    });
}

#[test]
fn success_of_a_spent_channel_whose_payer_is_gone() {
    build_and_execute(|| {
        let id = open_channel();
        assert_ok!(Channels::claim(
            &bob(),
            &signed(voucher(id, 1, 1_000), Alice),
            &pot()
        ));
        assert_ok!(Balances::transfer_all(
            RuntimeOrigin::signed(alice()),
            charlie(),
            false
        ));
        assert!(!System::account_exists(&alice()));
        System::set_block_number(100 + DISPUTE_PERIOD);
        assert_ok!(Channels::close(RuntimeOrigin::signed(charlie()), id));
        assert!(!System::account_exists(&alice()));
    });
}

#[test]
fn fails_when_unsigned() {
    build_and_execute(|| {
        let id = open_channel();
        System::set_block_number(200);
        assert_noop!(
            Channels::close(RuntimeOrigin::none(), id),
            DispatchError::BadOrigin
        );
    });
}

#[test]
fn fails_when_there_is_no_such_channel() {
    build_and_execute(|| {
        let id = open_channel();
        System::set_block_number(200);
        assert_ok!(Channels::close(RuntimeOrigin::signed(alice()), id));
        assert_noop!(
            Channels::close(RuntimeOrigin::signed(alice()), id),
            Error::<Test>::UnknownChannel
        );
    });
}

#[test]
fn fails_when_the_dispute_period_is_not_over() {
    build_and_execute(|| {
        let id = open_channel();
        assert_noop!(
            Channels::close(RuntimeOrigin::signed(alice()), id),
            Error::<Test>::NotYetClosable
        );
        assert_ok!(Channels::request_close(RuntimeOrigin::signed(alice()), id));
        System::set_block_number(DISPUTE_PERIOD);
        // Asking again just before must not help the payee, nor hurry for the payer.
        assert_ok!(Channels::request_close(RuntimeOrigin::signed(alice()), id));
        assert_noop!(
            Channels::close(RuntimeOrigin::signed(alice()), id),
            Error::<Test>::NotYetClosable
        );
        hypothetically!({
            System::set_block_number(1 + DISPUTE_PERIOD);
            assert_ok!(Channels::close(RuntimeOrigin::signed(alice()), id));
        });
    });
}

#[test]
fn fails_when_the_ruleset_is_lost() {
    build_and_execute(|| {
        let id = open_channel();
        hypothetically!({
            crate::Channels::<Test>::mutate(id, |channel| {
                channel.as_mut().expect("just opened").ruleset = 7;
            });
            System::set_block_number(200);
            assert_noop!(
                Channels::close(RuntimeOrigin::signed(alice()), id),
                Error::<Test>::UnknownRuleset
            );
            // Two ways out do not depend on it.
            assert_ok!(Channels::close_as_payee(RuntimeOrigin::signed(bob()), id));
        });
    });
}
