use attribution_proof::{voucher::CooperativeClose, Balance, ChannelId};
use frame_support::{assert_noop, assert_ok};
use sp_core::H256;
use sp_keyring::Sr25519Keyring::{self, Alice, Bob, Charlie};
use sp_runtime::MultiSignature;

use crate::{mock::*, CloseCause, Error, Event};

fn agreement(channel: ChannelId, cumulative: Balance) -> CooperativeClose {
    CooperativeClose {
        genesis: genesis(),
        channel,
        cumulative,
    }
}

fn by(signer: Sr25519Keyring, agreement: &CooperativeClose) -> MultiSignature {
    signer.sign(&agreement.payload()).into()
}

#[test]
fn success_releases_at_once() {
    build_and_execute(|| {
        let id = open_channel();
        assert_ok!(Channels::claim(
            &bob(),
            &signed(voucher(id, 1, 250), Alice),
            &pot()
        ));
        let agreement = agreement(id, 250);
        assert_ok!(Channels::close_cooperatively(
            RuntimeOrigin::signed(alice()),
            id,
            agreement,
            by(Bob, &agreement)
        ));
        assert_eq!(Channels::channel(id), None);
        assert_eq!(Balances::free_balance(alice()), ENDOWMENT - 250);
        System::assert_last_event(
            Event::Closed {
                channel: id,
                payer: alice(),
                payee: bob(),
                released: 750,
                cumulative: 250,
                cause: CloseCause::Agreed,
            }
            .into(),
        );
    });
}

#[test]
fn success_with_a_wrapped_signature_and_while_closing() {
    build_and_execute(|| {
        let id = open_channel();
        assert_ok!(Channels::request_close(RuntimeOrigin::signed(alice()), id));
        let agreement = agreement(id, 0);
        assert_ok!(Channels::close_cooperatively(
            RuntimeOrigin::signed(alice()),
            id,
            agreement,
            sign_wrapped(Bob, &agreement.payload())
        ));
    });
}

#[test]
fn fails_when_there_is_no_such_channel() {
    build_and_execute(|| {
        let agreement = agreement(1, 0);
        assert_noop!(
            Channels::close_cooperatively(
                RuntimeOrigin::signed(alice()),
                1,
                agreement,
                by(Bob, &agreement)
            ),
            Error::<Test>::UnknownChannel
        );
    });
}

#[test]
fn fails_when_the_sender_is_not_the_payer() {
    build_and_execute(|| {
        let id = open_channel();
        let agreement = agreement(id, 0);
        assert_noop!(
            Channels::close_cooperatively(
                RuntimeOrigin::signed(bob()),
                id,
                agreement,
                by(Bob, &agreement)
            ),
            Error::<Test>::NotPayer
        );
    });
}

#[test]
fn fails_when_signed_for_another_chain() {
    build_and_execute(|| {
        let id = open_channel();
        let agreement = CooperativeClose {
            genesis: H256::zero(),
            ..agreement(id, 0)
        };
        assert_noop!(
            Channels::close_cooperatively(
                RuntimeOrigin::signed(alice()),
                id,
                agreement,
                by(Bob, &agreement)
            ),
            Error::<Test>::WrongGenesis
        );
    });
}

#[test]
fn fails_when_signed_for_another_channel() {
    build_and_execute(|| {
        let (first, second) = (open_channel(), open_channel());
        let agreement = agreement(first, 0);
        assert_noop!(
            Channels::close_cooperatively(
                RuntimeOrigin::signed(alice()),
                second,
                agreement,
                by(Bob, &agreement)
            ),
            Error::<Test>::AgreementForOtherChannel
        );
    });
}

#[test]
fn fails_when_something_was_claimed_since() {
    build_and_execute(|| {
        let id = open_channel();
        let agreement = agreement(id, 0);
        assert_ok!(Channels::claim(
            &bob(),
            &signed(voucher(id, 1, 250), Alice),
            &pot()
        ));
        assert_noop!(
            Channels::close_cooperatively(
                RuntimeOrigin::signed(alice()),
                id,
                agreement,
                by(Bob, &agreement)
            ),
            Error::<Test>::AgreementAmountDiffers
        );
    });
}

#[test]
fn fails_when_the_payee_did_not_sign_it() {
    build_and_execute(|| {
        let id = open_channel();
        let right = agreement(id, 0);
        // Payer and strangers cannot consent for the payee, nor does he by signing something else.
        let vouched = voucher(id, 1, 1).payload();
        for signature in [
            by(Alice, &right),
            by(Charlie, &right),
            by(Bob, &agreement(id, 1)),
            MultiSignature::from(Bob.sign(&vouched)),
        ] {
            assert_noop!(
                Channels::close_cooperatively(RuntimeOrigin::signed(alice()), id, right, signature),
                Error::<Test>::BadSignature
            );
        }
    });
}
