//! What all challenges share, shown with the smallest of them.

use super::{assert_proves, assert_rejects, challenger_origin, world::*};
use crate::{mock::*, Accruals, DemandRequest, Error, Event, Rejection};
use attribution_proof::{challenge::Lie, hash::Hash, receipt::SignedReceipt, AccountId};
use frame_support::{assert_noop, assert_ok, dispatch::DispatchResult};
use sp_keyring::Sr25519Keyring;

fn challenge(id: u64, receipt: &SignedReceipt) -> DispatchResult {
    Attribution::challenge_settlement(challenger_origin(), id, Box::new(receipt.clone()))
}

#[test]
fn success_voiding_gives_back_the_bonds_of_open_demands() {
    execute(|| {
        let settled = settled(&World::new());
        for sequence in 1..=3 {
            let request = DemandRequest::Receipt { sequence };
            assert_ok!(Attribution::demand(
                challenger_origin(),
                settled.id,
                request
            ));
        }
        assert_eq!(bonded(&challenger()), 3 * DEMAND_BOND);
        let had = free(&challenger());
        let mut other = settled.answers[2].receipt().clone();
        other.tokens_out += 1;
        assert_ok!(challenge(settled.id, &signed(other)));
        assert_eq!(bonded(&challenger()), 0);
        assert_eq!(
            free(&challenger()),
            had + 3 * DEMAND_BOND + 2 * LIE_SLASH / 5
        );
        assert_eq!(Attribution::demands(settled.id), []);
    });
}

#[test]
fn success_voided_money_cannot_be_claimed_again() {
    execute(|| {
        let world = World::new();
        let mut session = Session::open(1);
        session.serve(&world, BASE, UNIT, response());
        let voucher = session.voucher();
        let settled = session.settle();
        let last = &settled.answers[0];
        let mut other = last.receipt().clone();
        other.tokens_out += 1;
        assert_proves(settled.id, Lie::Equivocation, || {
            challenge(settled.id, &signed(other))
        });
        let receipt = Box::new(last.signed.clone());
        let again = Attribution::settle(RuntimeOrigin::signed(operator()), voucher, receipt);
        assert_noop!(again, sp_runtime::DispatchError::Other("spent"));
        // The channel goes on from there.
        session.serve(&world, BASE, UNIT, response());
        let next = session.settle();
        assert_eq!(next.id, settled.id + 1);
    });
}

#[test]
fn success_until_the_last_block_of_the_window() {
    execute(|| {
        let settled = settled(&World::new());
        advance(SETTLEMENT_WINDOW);
        let mut other = settled.answers[2].receipt().clone();
        other.tokens_out += 1;
        assert_proves(settled.id, Lie::Equivocation, || {
            challenge(settled.id, &signed(other))
        });
    });
}

#[test]
fn success_operator_who_challenges_himself_loses() {
    execute(|| {
        let settled = settled(&World::new());
        let mut other = settled.answers[2].receipt().clone();
        other.tokens_out += 1;
        let had = free(&operator()) + Bonds::get(operator());
        assert_ok!(Attribution::challenge_settlement(
            RuntimeOrigin::signed(operator()),
            settled.id,
            Box::new(signed(other)),
        ));
        assert!(free(&operator()) + Bonds::get(operator()) <= had - LIE_SLASH / 2);
    });
}

#[test]
fn success_slash_takes_no_more_than_there_is() {
    execute(|| {
        let settled = settled(&World::new());
        let taken = BOND - 1;
        Bonds::insert(operator(), 1);
        let mut other = settled.answers[2].receipt().clone();
        other.tokens_out += 1;
        events();
        assert_ok!(challenge(settled.id, &signed(other)));
        let slashed = events().into_iter().find_map(|event| match event {
            Event::Voided { slashed, .. } => Some(slashed),
            _ => None,
        });
        assert_eq!(slashed, Some(1));
        assert_eq!(accrued(&payer(), settled.id, None), 4 * UNIT + 341);
        // What the test took out of the book goes back into it.
        Bonds::mutate(operator(), |bond| *bond += taken);
    });
}

#[test]
fn rejects_a_receipt_that_is_not_settled_here() {
    execute(|| {
        let world = World::new();
        let mut session = Session::open(1);
        for _ in 0..3 {
            session.serve(&world, BASE, UNIT, response());
        }
        let early = session.last().signed.clone();
        session.settle();
        session.serve(&world, BASE, UNIT, response());
        let settled = session.settle();
        session.serve(&world, BASE, UNIT, response());
        let late = session.last().signed.clone();

        let honest = settled.answers[0].receipt();
        let mut another_chain = honest.clone();
        another_chain.genesis = Hash::repeat_byte(1);
        let mut another_channel = honest.clone();
        another_channel.channel = 2;
        let mut unsigned = settled.answers[0].signed.clone();
        unsigned.receipt.tokens_out += 1;
        let payer_signed = SignedReceipt {
            receipt: honest.clone(),
            signature: sign(Sr25519Keyring::Bob, honest.commit().as_bytes()),
        };
        for (receipt, reason) in [
            (early, Rejection::NotSettledHere),
            (late, Rejection::NotSettledHere),
            (signed(another_chain), Rejection::OtherChannel),
            (signed(another_channel), Rejection::OtherChannel),
            (unsigned, Rejection::NotSigned),
            (payer_signed, Rejection::NotSigned),
        ] {
            assert_rejects(settled.id, reason, || challenge(settled.id, &receipt));
        }
    });
}

#[test]
fn fails_when_unknown() {
    execute(|| {
        let settled = settled(&World::new());
        let receipt = &settled.answers[0].signed;
        assert_noop!(challenge(9, receipt), Error::<Test>::UnknownSettlement);
    });
}

#[test]
fn fails_when_window_is_over() {
    execute(|| {
        let settled = settled(&World::new());
        let mut other = settled.answers[2].receipt().clone();
        other.tokens_out += 1;
        let other = signed(other);
        advance(SETTLEMENT_WINDOW + 1);
        assert_noop!(challenge(settled.id, &other), Error::<Test>::WindowOver);
        settled.finalise();
        assert_noop!(
            challenge(settled.id, &other),
            Error::<Test>::SettlementFinal
        );
    });
}

#[test]
fn fails_when_sender_cannot_afford_to_be_wrong() {
    execute(|| {
        let settled = settled(&World::new());
        let poor = AccountId::new([200; 32]);
        let almost = EXISTENTIAL_DEPOSIT + CHALLENGE_BOND - 1;
        assert_ok!(Balances::transfer_keep_alive(
            challenger_origin(),
            poor.clone(),
            almost
        ));
        let receipt = Box::new(settled.answers[0].signed.clone());
        let call = || {
            let origin = RuntimeOrigin::signed(poor.clone());
            Attribution::challenge_settlement(origin, settled.id, receipt.clone())
        };
        assert_noop!(call(), Error::<Test>::CannotAffordChallenge);
        assert_ok!(Balances::transfer_keep_alive(
            challenger_origin(),
            poor.clone(),
            1
        ));
        assert_ok!(call());
        assert_eq!(free(&poor), EXISTENTIAL_DEPOSIT);
        assert_eq!(Accruals::<Test>::iter().count(), 0);
    });
}
