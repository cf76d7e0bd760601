use super::{assert_proves, assert_rejects, challenger_origin, world::*};
use crate::{mock::*, Rejection};
use attribution_proof::{challenge::Lie, hash::Hash, receipt::SignedReceipt};
use frame_support::dispatch::DispatchResult;

fn challenge(id: u64, receipt: &SignedReceipt) -> DispatchResult {
    Attribution::challenge_settlement(challenger_origin(), id, Box::new(receipt.clone()))
}

#[test]
fn success_another_last_receipt() {
    execute(|| {
        let settled = settled(&World::new());
        let mut other = settled.answers[2].receipt().clone();
        other.credits = Default::default();
        assert_proves(settled.id, Lie::Equivocation, || {
            challenge(settled.id, &signed(other))
        });
    });
}

#[test]
fn success_another_last_receipt_of_another_ruleset() {
    execute(|| {
        let settled = settled(&World::new());
        let mut other = settled.answers[2].receipt().clone();
        other.ruleset = 5;
        assert_proves(settled.id, Lie::Equivocation, || {
            challenge(settled.id, &signed(other))
        });
    });
}

#[test]
fn success_first_receipt_does_not_continue_the_mark() {
    execute(|| {
        let world = World::new();
        let mut session = Session::open(1);
        session.serve(&world, BASE, UNIT, response());
        session.settle();
        let skip = |receipt: &mut attribution_proof::receipt::Receipt| {
            receipt.previous = Hash::repeat_byte(1);
        };
        session.serve_forged(&world, BASE, UNIT, response(), |_| {}, skip);
        session.serve(&world, BASE, UNIT, response());
        let settled = session.settle();
        let first = settled.answers[0].signed.clone();
        assert_proves(settled.id, Lie::BrokenChain, || {
            challenge(settled.id, &first)
        });
    });
}

#[test]
fn success_first_receipt_adds_wrongly() {
    execute(|| {
        let world = World::new();
        let mut session = Session::open(1);
        let more = |receipt: &mut attribution_proof::receipt::Receipt| receipt.cumulative += 1;
        session.serve_forged(&world, BASE, UNIT, response(), more, |_| {});
        let settled = session.settle();
        let first = settled.answers[0].signed.clone();
        assert_proves(settled.id, Lie::WrongCumulative, || {
            challenge(settled.id, &first)
        });
    });
}

#[test]
fn rejects_honest_receipts() {
    execute(|| {
        let settled = settled(&World::new());
        for answer in &settled.answers {
            assert_rejects(settled.id, Rejection::Honest, || {
                challenge(settled.id, &answer.signed)
            });
        }
    });
}
