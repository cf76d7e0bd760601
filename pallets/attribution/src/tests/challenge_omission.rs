use super::{assert_proves, assert_rejects, challenger_origin, world::*};
use crate::{mock::*, Rejection};
use attribution_proof::{challenge::Lie, influence::RowOpening, receipt::Receipt, ModelId};
use frame_support::dispatch::DispatchResult;

fn challenge(settled: &Settled, at: usize, model: ModelId, opening: RowOpening) -> DispatchResult {
    let answer = &settled.answers[at];
    Attribution::challenge_omission(
        challenger_origin(),
        settled.id,
        Box::new(answer.signed.clone()),
        model,
        Box::new(answer.query.clone()),
        Box::new(opening),
    )
}

fn forged(world: &World, model: ModelId, change: impl FnOnce(&mut Receipt)) -> Settled {
    let mut session = Session::open(1);
    session.serve_forged(world, model, UNIT, response(), change, |_| {});
    session.settle()
}

#[test]
fn success_row_missing_from_a_short_list() {
    execute(|| {
        let world = World::new();
        let settled = forged(&world, BASE, |receipt| {
            receipt.credits.pop();
        });
        let credits = &settled.answers[0].receipt().credits;
        let missing = (0..3)
            .find(|row| credits.iter().all(|credit| credit.row != *row))
            .unwrap();
        let opening = world.model(BASE).row(missing);
        assert_proves(settled.id, Lie::OmittedRow, || {
            challenge(&settled, 0, BASE, opening)
        });
    });
}

#[test]
fn success_better_row_missing_from_a_full_list() {
    execute(|| {
        let world = World::new();
        // The adapter's row is the best of four; the list without it holds the three others.
        let settled = forged(&world, ADAPTER, |receipt| {
            let query_of_base = attribution_proof::influence::credit_score(
                &[3_000, 2_000, 500, 0, 0, 0, 0, 0],
                &world.model(BASE).rows[1],
                RULESET.receipt.floor(),
            );
            receipt.credits.remove(0);
            let worst =
                attribution_proof::challenge::influence_credit(BASE, 1, query_of_base.unwrap());
            receipt.credits.try_push(worst).unwrap();
        });
        let opening = world.model(ADAPTER).row(0);
        assert_proves(settled.id, Lie::OmittedRow, || {
            challenge(&settled, 0, ADAPTER, opening)
        });
    });
}

#[test]
fn rejects_an_honest_receipt() {
    execute(|| {
        let world = World::new();
        let settled = settled(&world);
        for (at, model) in [(0, BASE), (0, ADAPTER), (1, BASE), (2, ADAPTER)] {
            for row in 0..world.model(model).rows.len() as u32 {
                let opening = world.model(model).row(row);
                assert_rejects(settled.id, Rejection::Honest, || {
                    challenge(&settled, at, model, opening)
                });
            }
        }
    });
}

#[test]
fn rejects_a_model_that_was_not_served() {
    execute(|| {
        let world = World::new();
        let settled = settled(&world);
        let row = || world.model(ADAPTER).row(0);
        // The second answer is the base's own: its adapters have no say in it.
        for model in [ADAPTER, FORBIDDEN, OUTSIDE, 99] {
            assert_rejects(settled.id, Rejection::NoIndex, || {
                challenge(&settled, 1, model, row())
            });
        }
        assert_rejects(settled.id, Rejection::WrongRoot, || {
            challenge(&settled, 1, BASE, row())
        });
    });
}

#[test]
fn rejects_another_query() {
    execute(|| {
        let world = World::new();
        let mut settled = settled(&world);
        settled.answers[0].query.vectors[0].1[0] += 1;
        let row = world.model(BASE).row(1);
        assert_rejects(settled.id, Rejection::OtherQuery, || {
            challenge(&settled, 0, BASE, row)
        });
    });
}
