use super::{assert_proves, challenger_origin, world::*};
use crate::{mock::*, Answer, DemandRequest, Error, Event};
use attribution_proof::{challenge::Lie, receipt::Receipt};
use frame_support::{assert_noop, assert_ok, dispatch::DispatchResult};
use sp_keyring::Sr25519Keyring;

fn demand(settled: &Settled, request: DemandRequest) {
    assert_ok!(Attribution::demand(
        challenger_origin(),
        settled.id,
        request
    ));
}

fn answer(settled: &Settled, demand: u64, answer: Answer) -> DispatchResult {
    let origin = RuntimeOrigin::signed(operator());
    Attribution::answer(origin, settled.id, demand, Box::new(answer))
}

/// Demands of answer 0's receipt, its response, a row and a step, and the right answers to them.
fn all(world: &World, settled: &Settled) -> Vec<(DemandRequest, Answer)> {
    let first = &settled.answers[0];
    let receipt = || Box::new(first.signed.clone());
    vec![
        (
            DemandRequest::Receipt { sequence: 1 },
            Answer::Receipt {
                receipt: first.signed.clone(),
                query: first.query.clone(),
            },
        ),
        (
            DemandRequest::ResponseChunk {
                receipt: receipt(),
                index: 0,
            },
            Answer::ResponseChunk(first.chunk(0)),
        ),
        (
            DemandRequest::Row {
                receipt: receipt(),
                model: BASE,
                row: 2,
            },
            Answer::Row(world.model(BASE).row(2)),
        ),
        (
            DemandRequest::Step {
                receipt: receipt(),
                model: ADAPTER,
                step: 2,
            },
            Answer::Step(world.model(ADAPTER).step(2)),
        ),
    ]
}

#[test]
fn success_whoever_answers_earns_the_bond() {
    execute(|| {
        let world = World::new();
        let settled = settled(&world);
        for (number, (request, right)) in (1..).zip(all(&world, &settled)) {
            demand(&settled, request);
            let had = free(&operator());
            events();
            assert_ok!(answer(&settled, number, right));
            assert_eq!(
                events(),
                [Event::Answered {
                    settlement: settled.id,
                    demand: number,
                    by: operator(),
                    bond: DEMAND_BOND,
                    window_end: 1 + SETTLEMENT_WINDOW,
                }]
            );
            assert_eq!(free(&operator()), had + DEMAND_BOND);
            assert_eq!(bonded(&challenger()), 0);
        }
        assert_eq!(Attribution::settlement(settled.id).unwrap().open_demands, 0);
        settled.finalise();
    });
}

#[test]
fn success_a_contributor_may_answer() {
    execute(|| {
        let world = World::new();
        let settled = settled(&world);
        let (request, right) = all(&world, &settled).remove(2);
        demand(&settled, request);
        let charlie = Sr25519Keyring::Charlie.to_account_id();
        let origin = RuntimeOrigin::signed(charlie.clone());
        assert_ok!(Attribution::answer(origin, settled.id, 1, Box::new(right)));
        assert_eq!(free(&charlie), ENDOWMENT + DEMAND_BOND);
    });
}

#[test]
fn success_late_answer_leaves_time_to_use_it() {
    execute(|| {
        let world = World::new();
        let mut session = Session::open(1);
        let lie = |receipt: &mut Receipt| receipt.credits[0].score += 1;
        session.serve_forged(&world, ADAPTER, UNIT, response(), lie, |_| {});
        let settled = session.settle();
        advance(SETTLEMENT_WINDOW);
        demand(&settled, DemandRequest::Receipt { sequence: 1 });
        advance(DEMAND_WINDOW);
        let first = &settled.answers[0];
        let (receipt, query) = (first.signed.clone(), first.query.clone());
        assert_ok!(answer(&settled, 1, Answer::Receipt { receipt, query }));
        let window_end = 1 + SETTLEMENT_WINDOW + 2 * DEMAND_WINDOW;
        assert_eq!(
            Attribution::settlement(settled.id).unwrap().window_end,
            window_end
        );
        // The operator stays liable for exactly that long.
        assert_eq!(LiableUntil::get(operator()), window_end);
        let again = Attribution::demand(
            challenger_origin(),
            settled.id,
            DemandRequest::Receipt { sequence: 1 },
        );
        assert_noop!(again, Error::<Test>::DemandsClosed);
        advance(DEMAND_WINDOW);
        let finalise = Attribution::finalise(challenger_origin(), settled.id);
        assert_noop!(finalise, Error::<Test>::WindowOpen);
        assert_proves(settled.id, Lie::WrongScore, || {
            Attribution::challenge_score(
                challenger_origin(),
                settled.id,
                Box::new(first.signed.clone()),
                0,
                Box::new(first.query.clone()),
                Box::new(world.model(ADAPTER).row(0)),
            )
        });
    });
}

#[test]
fn fails_when_answer_is_another_object() {
    execute(|| {
        let world = World::new();
        let settled = settled(&world);
        let all = all(&world, &settled);
        let [one, two] = [0, 1].map(|at| settled.answers[at].clone());
        let mut unsigned = one.signed.clone();
        unsigned.receipt.tokens_in += 1;
        let mut row = world.model(BASE).row(2);
        row.value = world.model(BASE).rows[0].clone();
        let mut chunk = one.chunk(0);
        chunk.salt = Default::default();
        let wrong: [Vec<Answer>; 4] = [
            vec![
                // Another receipt, another query, a forged receipt.
                Answer::Receipt {
                    receipt: two.signed.clone(),
                    query: two.query.clone(),
                },
                Answer::Receipt {
                    receipt: one.signed.clone(),
                    query: two.query.clone(),
                },
                Answer::Receipt {
                    receipt: unsigned,
                    query: one.query.clone(),
                },
            ],
            vec![
                Answer::ResponseChunk(two.chunk(0)),
                Answer::ResponseChunk(chunk),
            ],
            vec![
                Answer::Row(world.model(BASE).row(1)),
                Answer::Row(world.model(ADAPTER).row(2)),
                Answer::Row(row),
            ],
            vec![
                Answer::Step(world.model(ADAPTER).step(1)),
                Answer::Step(world.model(BASE).step(2)),
            ],
        ];
        for (number, ((request, _), wrong)) in (1..).zip(all.iter().zip(wrong)) {
            demand(&settled, request.clone());
            // The right answers to the other demands are wrong here, too.
            let others = all.iter().map(|(_, answer)| answer.clone()).enumerate();
            let others =
                others.filter_map(|(at, answer)| (at + 1 != number as usize).then_some(answer));
            for answered in wrong.into_iter().chain(others) {
                assert_noop!(
                    answer(&settled, number, answered),
                    Error::<Test>::WrongAnswer
                );
            }
        }
    });
}

#[test]
fn fails_when_last_receipt_is_not_the_one_settled() {
    execute(|| {
        let settled = settled(&World::new());
        demand(&settled, DemandRequest::Receipt { sequence: 3 });
        let last = &settled.answers[2];
        let mut other = last.receipt().clone();
        other.tokens_in += 1;
        let wrong = Answer::Receipt {
            receipt: signed(other),
            query: last.query.clone(),
        };
        assert_noop!(answer(&settled, 1, wrong), Error::<Test>::WrongAnswer);
        let right = Answer::Receipt {
            receipt: last.signed.clone(),
            query: last.query.clone(),
        };
        assert_ok!(answer(&settled, 1, right));
    });
}

#[test]
fn fails_when_demand_is_unknown_answered_or_over() {
    execute(|| {
        let world = World::new();
        let settled = settled(&world);
        let (request, right) = all(&world, &settled).remove(0);
        let unknown = answer(&settled, 1, right.clone());
        assert_noop!(unknown, Error::<Test>::UnknownDemand);
        demand(&settled, request.clone());
        assert_ok!(answer(&settled, 1, right.clone()));
        assert_noop!(
            answer(&settled, 1, right.clone()),
            Error::<Test>::UnknownDemand
        );
        demand(&settled, request);
        advance(DEMAND_WINDOW + 1);
        assert_noop!(answer(&settled, 2, right), Error::<Test>::DemandOver);
    });
}
