use attribution_proof::{
    challenge::Mark,
    voucher::{SignedVoucher, Voucher},
};
use frame_support::{
    assert_noop, assert_ok,
    traits::{fungible::InspectHold, tokens::Fortitude, LockableCurrency, WithdrawReasons},
};
use sp_core::{Pair, H256};
use sp_keyring::Sr25519Keyring::{Alice, Bob, Charlie};
use sp_runtime::{MultiSignature, TokenError};

use crate::{mock::*, Claimed, Error, Event};

#[test]
fn success_moves_the_difference_and_advances_the_mark() {
    build_and_execute(|| {
        let id = open_channel();
        let after = |sequence: u64, cumulative| Mark {
            sequence,
            cumulative,
            receipt: H256::repeat_byte(sequence as u8),
        };
        let first = Channels::claim(&bob(), &signed(voucher(id, 4, 300), Alice), &pot());
        assert_eq!(
            first,
            Ok(Claimed {
                channel: id,
                payer: alice(),
                ruleset: 0,
                from: Mark::default(),
                to: after(4, 300),
                amount: 300,
            })
        );
        let second = Channels::claim(&bob(), &signed(voucher(id, 5, 1_000), Alice), &pot());
        assert_eq!(
            second,
            Ok(Claimed {
                channel: id,
                payer: alice(),
                ruleset: 0,
                from: after(4, 300),
                to: after(5, 1_000),
                amount: 700,
            })
        );
        System::assert_last_event(
            Event::Claimed {
                channel: id,
                payer: alice(),
                payee: bob(),
                sequence: 5,
                receipt: H256::repeat_byte(5),
                amount: 700,
                cumulative: 1_000,
                deposit: 0,
            }
            .into(),
        );
        assert_eq!((stored(id).deposit, stored(id).mark), (0, after(5, 1_000)));
        assert_eq!(held(&alice()), 0);
        assert_eq!(Balances::free_balance(pot()), ENDOWMENT + 1_000);
        assert_eq!(Balances::free_balance(bob()), ENDOWMENT);
    });
}

#[test]
fn success_with_a_wrapped_signature() {
    build_and_execute(|| {
        let id = open_channel();
        let voucher = voucher(id, 1, 1);
        let signature = sign_wrapped(Alice, &voucher.payload());
        assert_ok!(Channels::claim(
            &bob(),
            &SignedVoucher { voucher, signature },
            &pot()
        ));
    });
}

#[test]
fn success_with_an_authorised_ecdsa_signer() {
    build_and_execute(|| {
        let pair = sp_core::ecdsa::Pair::from_seed(&[9; 32]);
        assert_ok!(Channels::open(
            RuntimeOrigin::signed(alice()),
            bob(),
            Some(ecdsa_account(&pair)),
            1_000,
            100
        ));
        let voucher = voucher(1, 1, 10);
        // The payer's own signature counts no more than a stranger's.
        assert_noop!(
            Channels::claim(&bob(), &signed(voucher, Alice), &pot()),
            Error::<Test>::BadSignature
        );
        let signature = MultiSignature::Ecdsa(pair.sign(&voucher.payload()));
        assert_ok!(Channels::claim(
            &bob(),
            &SignedVoucher { voucher, signature },
            &pot()
        ));
    });
}

#[test]
fn success_while_closing_and_after_the_expiry() {
    build_and_execute(|| {
        let id = open_channel();
        assert_ok!(Channels::request_close(RuntimeOrigin::signed(alice()), id));
        System::set_block_number(1 + DISPUTE_PERIOD);
        assert_ok!(Channels::claim(
            &bob(),
            &signed(voucher(id, 1, 10), Alice),
            &pot()
        ));
        System::set_block_number(500);
        assert_ok!(Channels::claim(
            &bob(),
            &signed(voucher(id, 2, 20), Alice),
            &pot()
        ));
    });
}

#[test]
fn success_when_the_payers_balance_is_frozen() {
    build_and_execute(|| {
        let id = open_channel();
        // As a vote with the whole balance does: nothing of the hold is free to go politely.
        Balances::set_lock(*b"convvote", &alice(), ENDOWMENT, WithdrawReasons::all());
        assert_eq!(
            Balances::reducible_total_balance_on_hold(&alice(), Fortitude::Polite),
            0
        );
        assert_ok!(Channels::claim(
            &bob(),
            &signed(voucher(id, 1, 1_000), Alice),
            &pot()
        ));
        assert_eq!(held(&alice()), 0);
    });
}

#[test]
fn fails_when_there_is_no_such_channel() {
    build_and_execute(|| {
        let id = open_channel();
        assert_noop!(
            Channels::claim(&bob(), &signed(voucher(id + 1, 1, 10), Alice), &pot()),
            Error::<Test>::UnknownChannel
        );
        assert_ok!(Channels::close_as_payee(RuntimeOrigin::signed(bob()), id));
        assert_noop!(
            Channels::claim(&bob(), &signed(voucher(id, 1, 10), Alice), &pot()),
            Error::<Test>::UnknownChannel
        );
    });
}

#[test]
fn fails_when_the_claimant_is_not_the_payee() {
    build_and_execute(|| {
        let id = open_channel();
        for other in [alice(), charlie(), dave()] {
            assert_noop!(
                Channels::claim(&other, &signed(voucher(id, 1, 10), Alice), &pot()),
                Error::<Test>::NotPayee
            );
        }
    });
}

#[test]
fn fails_when_the_voucher_is_for_another_chain() {
    build_and_execute(|| {
        let id = open_channel();
        let foreign = Voucher {
            genesis: H256::repeat_byte(1),
            ..voucher(id, 1, 10)
        };
        assert_noop!(
            Channels::claim(&bob(), &signed(foreign, Alice), &pot()),
            Error::<Test>::WrongGenesis
        );
    });
}

#[test]
fn fails_when_the_voucher_is_spent() {
    build_and_execute(|| {
        let id = open_channel();
        let spent = signed(voucher(id, 5, 100), Alice);
        assert_ok!(Channels::claim(&bob(), &spent, &pot()));
        assert_noop!(
            Channels::claim(&bob(), &spent, &pot()),
            Error::<Test>::StaleVoucher
        );
        for sequence in [0, 4, 5] {
            assert_noop!(
                Channels::claim(&bob(), &signed(voucher(id, sequence, 200), Alice), &pot()),
                Error::<Test>::StaleVoucher
            );
        }
    });
}

#[test]
fn fails_when_the_amount_does_not_grow() {
    build_and_execute(|| {
        let id = open_channel();
        assert_noop!(
            Channels::claim(&bob(), &signed(voucher(id, 1, 0), Alice), &pot()),
            Error::<Test>::AmountNotGrown
        );
        assert_ok!(Channels::claim(
            &bob(),
            &signed(voucher(id, 5, 100), Alice),
            &pot()
        ));
        for cumulative in [0, 99, 100] {
            assert_noop!(
                Channels::claim(&bob(), &signed(voucher(id, 6, cumulative), Alice), &pot()),
                Error::<Test>::AmountNotGrown
            );
        }
    });
}

#[test]
fn fails_when_it_is_over_the_deposit() {
    build_and_execute(|| {
        let id = open_channel();
        // A second channel's money is not for the first one's vouchers.
        open_channel();
        for cumulative in [1_001, 2_000, u128::MAX] {
            assert_noop!(
                Channels::claim(&bob(), &signed(voucher(id, 1, cumulative), Alice), &pot()),
                Error::<Test>::OverDeposit
            );
        }
        assert_ok!(Channels::claim(
            &bob(),
            &signed(voucher(id, 1, 1_000), Alice),
            &pot()
        ));
        assert_noop!(
            Channels::claim(&bob(), &signed(voucher(id, 2, 1_001), Alice), &pot()),
            Error::<Test>::OverDeposit
        );
    });
}

#[test]
fn fails_when_the_signer_did_not_sign_it() {
    build_and_execute(|| {
        let (id, other) = (open_channel(), open_channel());
        let right = voucher(id, 1, 10);
        for signature in [
            signed(right, Bob).signature,
            signed(right, Charlie).signature,
            signed(voucher(id, 1, 9), Alice).signature,
            signed(voucher(id, 2, 10), Alice).signature,
            signed(voucher(other, 1, 10), Alice).signature,
            signed(
                Voucher {
                    receipt: H256::zero(),
                    ..right
                },
                Alice,
            )
            .signature,
        ] {
            assert_noop!(
                Channels::claim(
                    &bob(),
                    &SignedVoucher {
                        voucher: right,
                        signature
                    },
                    &pot()
                ),
                Error::<Test>::BadSignature
            );
        }
    });
}

#[test]
fn fails_when_the_receiver_would_stay_under_the_existential_deposit() {
    build_and_execute(|| {
        let id = open_channel();
        let nobody = attribution_proof::AccountId::new([0xdd; 32]);
        let small = signed(voucher(id, 1, EXISTENTIAL_DEPOSIT - 1), Alice);
        assert_noop!(
            Channels::claim(&bob(), &small, &nobody),
            TokenError::CannotCreate
        );
        let enough = signed(voucher(id, 1, EXISTENTIAL_DEPOSIT), Alice);
        assert_ok!(Channels::claim(&bob(), &enough, &nobody));
        assert_eq!(Balances::free_balance(nobody), EXISTENTIAL_DEPOSIT);
    });
}
