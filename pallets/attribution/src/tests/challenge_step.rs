use super::{assert_proves, assert_rejects, challenger_origin, world::*};
use crate::{mock::*, Rejection};
use attribution_proof::{
    challenge::Lie,
    hash::Hash,
    receipt::{Receipt, ReceiptDefect},
    ContributionId, ModelId,
};
use frame_support::dispatch::DispatchResult;

/// Challenges answer `at` with the true totals before it and the given owners.
fn challenge_with(settled: &Settled, at: usize, owners: &[ContributionId]) -> DispatchResult {
    let answer = &settled.answers[at];
    let previous = at
        .checked_sub(1)
        .map(|before| Box::new(settled.answers[before].signed.clone()));
    Attribution::challenge_step(
        challenger_origin(),
        settled.id,
        previous,
        Box::new(answer.signed.clone()),
        Box::new(answer.before.clone()),
        owners.to_vec().try_into().unwrap(),
    )
}

fn challenge(settled: &Settled, at: usize) -> DispatchResult {
    challenge_with(settled, at, &settled.answers[at].owners)
}

/// Settles three answers, the second of which is changed before its totals are computed and again
/// before it is signed.
fn forged(
    world: &World,
    model: ModelId,
    content: impl FnOnce(&mut Receipt),
    end: impl FnOnce(&mut Receipt),
) -> Settled {
    let mut session = Session::open(1);
    session.serve(world, ADAPTER, UNIT + 1, response());
    session.serve_forged(world, model, UNIT + 77, response(), content, end);
    session.serve(world, BASE, UNIT + 5, response());
    session.settle()
}

#[test]
fn success_wrong_totals() {
    execute(|| {
        let world = World::new();
        let settled = forged(
            &world,
            BASE,
            |_| {},
            |receipt| receipt.totals.root = Hash::zero(),
        );
        assert_proves(settled.id, Lie::WrongTotals, || challenge(&settled, 1));
    });
}

#[test]
fn success_wrong_totals_of_the_first_receipt() {
    execute(|| {
        let world = World::new();
        let mut session = Session::open(1);
        let end = |receipt: &mut Receipt| receipt.totals.root = Hash::zero();
        session.serve_forged(&world, BASE, UNIT, response(), |_| {}, end);
        let settled = session.settle();
        assert_proves(settled.id, Lie::WrongTotals, || challenge(&settled, 0));
    });
}

#[test]
fn success_totals_that_pay_somebody_else() {
    execute(|| {
        let world = World::new();
        let mut session = Session::open(1);
        session.serve(&world, BASE, UNIT, response());
        // The operator books the data share for contribution 4, which has no part in it.
        let mut wrong = session.last().before.clone();
        let share = RULESET.split.data_share(0, UNIT);
        wrong = wrong
            .credit(BASE, RULESET.split.builder_share(0, UNIT), share, &[(4, 1)])
            .unwrap();
        let mut session = Session::open(2);
        let commitment = wrong.commitment();
        let end = move |receipt: &mut Receipt| receipt.totals = commitment;
        session.serve_forged(&world, BASE, UNIT, response(), |_| {}, end);
        let settled = session.settle();
        assert_proves(settled.id, Lie::WrongTotals, || challenge(&settled, 0));
    });
}

#[test]
fn success_broken_chain() {
    execute(|| {
        let world = World::new();
        let end = |receipt: &mut Receipt| receipt.previous = Hash::repeat_byte(1);
        let settled = forged(&world, BASE, |_| {}, end);
        assert_proves(settled.id, Lie::BrokenChain, || challenge(&settled, 1));
    });
}

#[test]
fn success_wrong_cumulative() {
    execute(|| {
        let world = World::new();
        let settled = forged(&world, BASE, |receipt| receipt.cumulative += 1, |_| {});
        assert_proves(settled.id, Lie::WrongCumulative, || challenge(&settled, 1));
    });
}

#[test]
fn success_under_the_price_floor() {
    execute(|| {
        let world = World::new();
        let end = |receipt: &mut Receipt| receipt.tokens_out = (UNIT / PRICE_FLOOR) as u32 + 20;
        let settled = forged(&world, BASE, |_| {}, end);
        assert_proves(settled.id, Lie::UnderPriceFloor, || challenge(&settled, 1));
    });
}

#[test]
fn success_wrong_structure() {
    execute(|| {
        let world = World::new();
        let settled = forged(
            &world,
            BASE,
            |receipt| receipt.credits.as_mut().swap(0, 1),
            |_| {},
        );
        let lie = Lie::Structure(ReceiptDefect::Credits);
        assert_proves(settled.id, lie, || challenge(&settled, 1));
    });
}

#[test]
fn success_unknown_row_needs_no_owner() {
    execute(|| {
        let world = World::new();
        let settled = forged(&world, BASE, |receipt| receipt.credits[2].row = 4, |_| {});
        assert_proves(settled.id, Lie::UnknownRow, || {
            challenge_with(&settled, 1, &[])
        });
    });
}

#[test]
fn success_model_that_may_not_be_sold() {
    execute(|| {
        let world = World::new();
        let settled = forged(&world, FORBIDDEN, |_| {}, |_| {});
        assert_proves(settled.id, Lie::WrongModel, || {
            challenge_with(&settled, 1, &[])
        });
    });
}

#[test]
fn success_wrong_version_or_unknown_model() {
    execute(|| {
        let world = World::new();
        let settled = forged(&world, BASE, |_| {}, |receipt| receipt.version = 2);
        assert_proves(settled.id, Lie::WrongModel, || {
            challenge_with(&settled, 1, &[])
        });
        let mut session = Session::open(2);
        session.serve_forged(
            &world,
            BASE,
            UNIT,
            response(),
            |receipt| receipt.model = 99,
            |_| {},
        );
        let settled = session.settle();
        assert_proves(settled.id, Lie::WrongModel, || {
            challenge_with(&settled, 0, &[])
        });
    });
}

#[test]
fn success_model_from_outside_has_no_rows() {
    execute(|| {
        let world = World::new();
        let content = |receipt: &mut Receipt| {
            receipt.model = OUTSIDE;
        };
        let settled = forged(&world, BASE, content, |_| {});
        assert_proves(settled.id, Lie::UnknownRow, || challenge(&settled, 1));
        // With no datum at all it is an honest answer: the treasury gets the data share.
        let mut session = Session::open(2);
        let content = |receipt: &mut Receipt| {
            receipt.model = OUTSIDE;
            receipt.credits = Default::default();
            receipt.spans = Default::default();
        };
        session.serve_forged(&world, BASE, UNIT, response(), content, |_| {});
        let settled = session.settle();
        assert_rejects(settled.id, Rejection::Honest, || challenge(&settled, 0));
    });
}

#[test]
fn rejects_honest_receipts_also_across_settlements_and_rulesets() {
    execute(|| {
        let world = World::new();
        let mut session = Session::open(1);
        for _ in 0..2 {
            for model in [ADAPTER, BASE, ADAPTER] {
                session.serve(&world, model, UNIT + 13, response());
            }
            let settled = session.settle();
            let mut other = RULESET;
            other.split.data -= 1;
            other.split.builder += 1;
            Attribution::add_ruleset(RuntimeOrigin::root(), Box::new(other)).unwrap();
            for at in 0..3 {
                assert_rejects(settled.id, Rejection::Honest, || challenge(&settled, at));
            }
        }
    });
}

#[test]
fn rejects_wrong_owners() {
    execute(|| {
        let world = World::new();
        let settled = settled(&world);
        let id = settled.id;
        let honest = settled.answers[0].owners.clone();
        let with = |at: usize, owner| {
            let mut owners = honest.clone();
            owners[at] = owner;
            owners
        };
        assert_rejects(id, Rejection::Mismatch, || {
            challenge_with(&settled, 0, &honest[1..])
        });
        for (at, owner) in honest.iter().enumerate() {
            let other = if *owner == 1 { 2 } else { 1 };
            let reason = Rejection::OtherRecord;
            assert_rejects(id, reason, || challenge_with(&settled, 0, &with(at, other)));
        }
        let reason = Rejection::UnknownContribution;
        assert_rejects(id, reason, || challenge_with(&settled, 0, &with(0, 9)));
    });
}

#[test]
fn rejects_other_totals_and_gaps() {
    execute(|| {
        let world = World::new();
        let settled = settled(&world);
        let id = settled.id;
        let call = |previous: Option<usize>, at: usize, before: usize| {
            Attribution::challenge_step(
                challenger_origin(),
                id,
                previous.map(|at| Box::new(settled.answers[at].signed.clone())),
                Box::new(settled.answers[at].signed.clone()),
                Box::new(settled.answers[before].before.clone()),
                settled.answers[at].owners.clone().try_into().unwrap(),
            )
        };
        assert_rejects(id, Rejection::OtherTotals, || call(None, 0, 1));
        assert_rejects(id, Rejection::OtherTotals, || call(Some(0), 1, 0));
        assert_rejects(id, Rejection::NotConsecutive, || call(None, 1, 1));
        assert_rejects(id, Rejection::NotConsecutive, || call(Some(0), 2, 2));
        assert_rejects(id, Rejection::NotConsecutive, || call(Some(1), 1, 1));
    });
}
