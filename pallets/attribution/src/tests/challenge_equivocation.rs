use super::{assert_proves, assert_rejects, challenger_origin, world::*};
use crate::{mock::*, Rejection};
use attribution_proof::{challenge::Lie, receipt::SignedReceipt};
use frame_support::dispatch::DispatchResult;

fn challenge(id: u64, first: &SignedReceipt, second: &SignedReceipt) -> DispatchResult {
    let (first, second) = (Box::new(first.clone()), Box::new(second.clone()));
    Attribution::challenge_equivocation(challenger_origin(), id, first, second)
}

#[test]
fn success_two_receipts_with_one_number() {
    execute(|| {
        let settled = settled(&World::new());
        let one = settled.answers[1].signed.clone();
        let mut other = one.receipt.clone();
        other.ruleset = 7;
        let other = signed(other);
        assert_proves(settled.id, Lie::Equivocation, || {
            challenge(settled.id, &one, &other)
        });
    });
}

#[test]
fn rejects_one_receipt_signed_twice() {
    execute(|| {
        let settled = settled(&World::new());
        let one = settled.answers[1].signed.clone();
        // A signature has a random part: the same receipt can carry two of them.
        let again = signed(one.receipt.clone());
        assert_ne!(one.signature, again.signature);
        assert_rejects(settled.id, Rejection::Honest, || {
            challenge(settled.id, &one, &again)
        });
    });
}

#[test]
fn rejects_receipts_with_two_numbers_or_by_somebody_else() {
    execute(|| {
        let settled = settled(&World::new());
        let id = settled.id;
        let [one, two] = [0, 1].map(|at| settled.answers[at].signed.clone());
        assert_rejects(id, Rejection::Mismatch, || challenge(id, &one, &two));
        let mut forged = one.clone();
        forged.receipt.tokens_in += 1;
        assert_rejects(id, Rejection::NotSigned, || challenge(id, &one, &forged));
        assert_rejects(id, Rejection::NotSigned, || challenge(id, &forged, &one));
    });
}
