use super::{assert_proves, assert_rejects, challenger_origin, world::*};
use crate::{mock::*, Rejection};
use attribution_proof::{challenge::Lie, influence::RowOpening, receipt::Receipt};
use frame_support::dispatch::DispatchResult;

fn challenge(settled: &Settled, at: usize, position: u32, opening: RowOpening) -> DispatchResult {
    let answer = &settled.answers[at];
    Attribution::challenge_score(
        challenger_origin(),
        settled.id,
        Box::new(answer.signed.clone()),
        position,
        Box::new(answer.query.clone()),
        Box::new(opening),
    )
}

/// Settles an answer whose credits were changed.
fn forged(world: &World, change: impl FnOnce(&mut Receipt)) -> Settled {
    let mut session = Session::open(1);
    session.serve_forged(world, ADAPTER, UNIT, response(), change, |_| {});
    session.settle()
}

#[test]
fn success_higher_score() {
    execute(|| {
        let world = World::new();
        let settled = forged(&world, |receipt| receipt.credits[0].score += 1);
        let opening = world.model(ADAPTER).row(0);
        assert_proves(settled.id, Lie::WrongScore, || {
            challenge(&settled, 0, 0, opening)
        });
    });
}

#[test]
fn success_in_the_middle_of_the_settlement() {
    execute(|| {
        let world = World::new();
        let mut session = Session::open(1);
        session.serve(&world, BASE, UNIT, response());
        let lie = |receipt: &mut Receipt| receipt.credits[2].score -= 1;
        session.serve_forged(&world, BASE, UNIT, response(), lie, |_| {});
        session.serve(&world, BASE, UNIT, response());
        let settled = session.settle();
        let row = settled.answers[1].receipt().credits[2].row;
        let opening = world.model(BASE).row(row);
        assert_proves(settled.id, Lie::WrongScore, || {
            challenge(&settled, 1, 2, opening)
        });
    });
}

#[test]
fn success_row_that_may_not_be_credited() {
    execute(|| {
        let world = World::new();
        // The adapter's row 2 points away from the query, row 1 is absent, the base's row 3 a
        // duplicate.
        for (channel, model, row) in [(1, ADAPTER, 2), (2, ADAPTER, 1), (3, BASE, 3)] {
            let mut session = Session::open(channel);
            let lie = |receipt: &mut Receipt| {
                receipt.credits[2].model = model;
                receipt.credits[2].row = row;
            };
            session.serve_forged(&world, ADAPTER, UNIT, response(), lie, |_| {});
            let settled = session.settle();
            let opening = world.model(model).row(row);
            assert_proves(settled.id, Lie::IneligibleRow, || {
                challenge(&settled, 0, 2, opening)
            });
        }
    });
}

#[test]
fn success_row_or_model_that_does_not_exist() {
    execute(|| {
        let world = World::new();
        for (channel, model, row) in [(1, BASE, 4), (2, 99, 0), (3, FORBIDDEN, 0), (4, OUTSIDE, 0)]
        {
            let mut session = Session::open(channel);
            let lie = |receipt: &mut Receipt| {
                receipt.credits[2].model = model;
                receipt.credits[2].row = row;
            };
            session.serve_forged(&world, ADAPTER, UNIT, response(), lie, |_| {});
            let settled = session.settle();
            let opening = world.model(BASE).row(0);
            assert_proves(settled.id, Lie::UnknownRow, || {
                challenge(&settled, 0, 2, opening)
            });
        }
    });
}

#[test]
fn success_query_without_a_vector_for_the_model() {
    execute(|| {
        let world = World::new();
        let mut session = Session::open(1);
        let lie = |receipt: &mut Receipt| receipt.query = Default::default();
        session.serve_forged(&world, ADAPTER, UNIT, response(), lie, |_| {});
        let mut settled = session.settle();
        settled.answers[0].query = Default::default();
        // The receipt names the hash of no query at all: evidence about it does not exist.
        let opening = world.model(ADAPTER).row(0);
        assert_rejects(settled.id, Rejection::OtherQuery, || {
            challenge(&settled, 0, 0, opening.clone())
        });

        let mut session = Session::open(2);
        let empty = attribution_proof::influence::Query::default();
        let commit = empty.commit();
        let lie = move |receipt: &mut Receipt| receipt.query = commit;
        session.serve_forged(&world, ADAPTER, UNIT, response(), lie, |_| {});
        let mut settled = session.settle();
        settled.answers[0].query = empty;
        assert_proves(settled.id, Lie::MalformedQuery, || {
            challenge(&settled, 0, 0, opening)
        });
    });
}

#[test]
fn rejects_an_honest_receipt() {
    execute(|| {
        let world = World::new();
        let settled = settled(&world);
        for at in 0..3 {
            let credits = settled.answers[at].receipt().credits.clone();
            for (position, credit) in (0u32..).zip(credits) {
                let opening = world.model(credit.model).row(credit.row);
                assert_rejects(settled.id, Rejection::Honest, || {
                    challenge(&settled, at, position, opening)
                });
            }
        }
    });
}

#[test]
fn rejects_forged_or_foreign_openings() {
    execute(|| {
        let world = World::new();
        let settled = settled(&world);
        let base = world.model(BASE);
        let honest = || world.model(ADAPTER).row(0);
        let mut other_value = honest();
        other_value.value = base.rows[0].clone();
        let mut longer = honest();
        longer.path.try_push(Default::default()).unwrap();
        let id = settled.id;
        let root = Rejection::WrongRoot;
        assert_rejects(id, root, || challenge(&settled, 0, 0, other_value));
        let length = Rejection::WrongPathLength;
        assert_rejects(id, length, || challenge(&settled, 0, 0, longer));
        // Of another model, of another row, past the end of the list.
        assert_rejects(id, root, || challenge(&settled, 0, 0, base.row(0)));
        assert_rejects(id, Rejection::Mismatch, || {
            challenge(&settled, 0, 0, base.row(1))
        });
        assert_rejects(id, Rejection::Mismatch, || {
            challenge(&settled, 0, 9, honest())
        });
    });
}

#[test]
fn rejects_a_receipt_of_another_ruleset() {
    execute(|| {
        let world = World::new();
        let settled = settled(&world);
        let mut other = settled.answers[0].receipt().clone();
        other.ruleset = 1;
        other.credits[0].score += 1;
        assert_rejects(settled.id, Rejection::OtherRuleset, || {
            Attribution::challenge_score(
                challenger_origin(),
                settled.id,
                Box::new(signed(other)),
                0,
                Box::new(settled.answers[0].query.clone()),
                Box::new(world.model(ADAPTER).row(0)),
            )
        });
    });
}
