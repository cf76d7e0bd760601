use super::{challenger_origin, world::*};
use crate::{
    mock::*, Answer, Demand, DemandRequest, Demanded, Error, Event, FullSince, MAX_OPEN_DEMANDS,
};
use attribution_proof::receipt::SignedReceipt;
use frame_support::{assert_noop, assert_ok, dispatch::DispatchResult};

fn demand(id: u64, request: DemandRequest) -> DispatchResult {
    Attribution::demand(challenger_origin(), id, request)
}

fn receipt(settled: &Settled, at: usize) -> Box<SignedReceipt> {
    Box::new(settled.answers[at].signed.clone())
}

#[test]
fn success_each_object_against_a_bond() {
    execute(|| {
        let settled = settled(&World::new());
        let (id, had) = (settled.id, free(&challenger()));
        events();
        let answer = settled.answers[0].receipt();
        for (demand_id, request, object) in [
            (
                1,
                DemandRequest::Receipt { sequence: 2 },
                Demanded::Receipt { sequence: 2 },
            ),
            (
                2,
                DemandRequest::ResponseChunk {
                    receipt: receipt(&settled, 0),
                    index: 0,
                },
                Demanded::ResponseChunk {
                    receipt: answer.commit(),
                    response: answer.response,
                    index: 0,
                },
            ),
            // The adapter's answer involves the base's index.
            (
                3,
                DemandRequest::Row {
                    receipt: receipt(&settled, 0),
                    model: BASE,
                    row: 3,
                },
                Demanded::Row {
                    model: BASE,
                    row: 3,
                },
            ),
            (
                4,
                DemandRequest::Step {
                    receipt: receipt(&settled, 0),
                    model: ADAPTER,
                    step: 3,
                },
                Demanded::Step {
                    model: ADAPTER,
                    step: 3,
                },
            ),
        ] {
            assert_ok!(demand(id, request));
            let deadline = 1 + DEMAND_WINDOW;
            assert_eq!(
                events(),
                [Event::Demanded {
                    settlement: id,
                    demand: demand_id,
                    demander: challenger(),
                    object,
                    bond: DEMAND_BOND,
                    deadline,
                }]
            );
            let stored = Demand {
                demander: challenger(),
                object,
                bond: DEMAND_BOND,
                deadline,
            };
            assert_eq!(Attribution::demands(id).last(), Some(&(demand_id, stored)));
        }
        assert_eq!(bonded(&challenger()), 4 * DEMAND_BOND);
        assert_eq!(free(&challenger()), had - 4 * DEMAND_BOND);
        assert_eq!(Attribution::settlement(id).unwrap().open_demands, 4);
    });
}

#[test]
fn success_until_the_last_block_for_demands() {
    execute(|| {
        let settled = settled(&World::new());
        advance(SETTLEMENT_WINDOW);
        assert_ok!(demand(settled.id, DemandRequest::Receipt { sequence: 1 }));
        advance(1);
        let late = demand(settled.id, DemandRequest::Receipt { sequence: 2 });
        assert_noop!(late, Error::<Test>::DemandsClosed);
    });
}

#[test]
fn fails_when_settlement_is_unknown_or_final() {
    execute(|| {
        let settled = settled(&World::new());
        let request = || DemandRequest::Receipt { sequence: 1 };
        assert_noop!(demand(9, request()), Error::<Test>::UnknownSettlement);
        settled.finalise();
        assert_noop!(
            demand(settled.id, request()),
            Error::<Test>::SettlementFinal
        );
    });
}

#[test]
fn fails_when_receipt_is_not_settled_here() {
    execute(|| {
        let settled = settled(&World::new());
        for sequence in [0, 4, u64::MAX] {
            let call = demand(settled.id, DemandRequest::Receipt { sequence });
            assert_noop!(call, Error::<Test>::NotSettledHere);
        }
    });
}

#[test]
fn fails_when_receipt_is_foreign() {
    execute(|| {
        let settled = settled(&World::new());
        let foreign = || {
            let mut foreign = receipt(&settled, 0);
            foreign.receipt.response.count = 9;
            foreign
        };
        for request in [
            DemandRequest::ResponseChunk {
                receipt: foreign(),
                index: 8,
            },
            DemandRequest::Row {
                receipt: foreign(),
                model: BASE,
                row: 0,
            },
            DemandRequest::Step {
                receipt: foreign(),
                model: BASE,
                step: 1,
            },
        ] {
            assert_noop!(demand(settled.id, request), Error::<Test>::ForeignReceipt);
        }
    });
}

#[test]
fn fails_when_nothing_is_committed() {
    execute(|| {
        let settled = settled(&World::new());
        for request in [
            DemandRequest::ResponseChunk {
                receipt: receipt(&settled, 0),
                index: 1,
            },
            DemandRequest::Row {
                receipt: receipt(&settled, 0),
                model: BASE,
                row: 4,
            },
            // The second answer is the base's own.
            DemandRequest::Row {
                receipt: receipt(&settled, 1),
                model: ADAPTER,
                row: 0,
            },
            DemandRequest::Row {
                receipt: receipt(&settled, 0),
                model: OUTSIDE,
                row: 0,
            },
            DemandRequest::Step {
                receipt: receipt(&settled, 0),
                model: BASE,
                step: 0,
            },
            DemandRequest::Step {
                receipt: receipt(&settled, 0),
                model: BASE,
                step: 4,
            },
        ] {
            assert_noop!(demand(settled.id, request), Error::<Test>::NoSuchObject);
        }
    });
}

#[test]
fn fails_when_demanded_already() {
    execute(|| {
        let settled = settled(&World::new());
        let request = || DemandRequest::Receipt { sequence: 1 };
        assert_ok!(demand(settled.id, request()));
        let again = Attribution::demand(RuntimeOrigin::signed(payer()), settled.id, request());
        assert_noop!(again, Error::<Test>::AlreadyDemanded);
    });
}

#[test]
fn fails_when_too_many_are_open() {
    execute(|| {
        let world = World::new();
        let mut session = Session::open(1);
        for _ in 0..=MAX_OPEN_DEMANDS {
            session.serve(&world, BASE, UNIT, text("nothing", 20));
        }
        let settled = session.settle();
        for sequence in 1..=u64::from(MAX_OPEN_DEMANDS) {
            assert_ok!(demand(settled.id, DemandRequest::Receipt { sequence }));
        }
        let sequence = u64::from(MAX_OPEN_DEMANDS) + 1;
        let call = demand(settled.id, DemandRequest::Receipt { sequence });
        assert_noop!(call, Error::<Test>::TooManyDemands);
    });
}

#[test]
fn success_time_stands_still_while_all_places_are_taken() {
    execute(|| {
        let world = World::new();
        let mut session = Session::open(1);
        for _ in 0..=MAX_OPEN_DEMANDS {
            session.serve(&world, BASE, UNIT, text("nothing", 20));
        }
        let settled = session.settle();
        // An accomplice of the operator takes every place near the end of the window and keeps it.
        advance(SETTLEMENT_WINDOW - 2);
        for sequence in 1..=u64::from(MAX_OPEN_DEMANDS) {
            let request = DemandRequest::Receipt { sequence };
            assert_ok!(Attribution::demand(
                RuntimeOrigin::signed(payer()),
                settled.id,
                request
            ));
        }
        let full = Attribution::settlement(settled.id).unwrap();
        assert_eq!(
            FullSince::<Test>::get(settled.id),
            Some(System::block_number())
        );
        advance(DEMAND_WINDOW);
        // Past the window, a challenge is heard all the same.
        assert!(System::block_number() > full.window_end);
        let last = Box::new(settled.answers.last().unwrap().signed.clone());
        assert_ok!(Attribution::challenge_settlement(
            challenger_origin(),
            settled.id,
            last
        ));
        // The operator answers one: the others have their two blocks left.
        let first = &settled.answers[0];
        let (receipt, query) = (first.signed.clone(), first.query.clone());
        assert_ok!(Attribution::answer(
            RuntimeOrigin::signed(operator()),
            settled.id,
            1,
            Box::new(Answer::Receipt { receipt, query }),
        ));
        let again = Attribution::settlement(settled.id).unwrap();
        assert_eq!(FullSince::<Test>::get(settled.id), None);
        assert_eq!(again.demands_until, full.demands_until + DEMAND_WINDOW);
        assert_eq!(again.window_end, System::block_number() + DEMAND_WINDOW);
        assert_eq!(
            LiableUntil::get(operator()),
            again.demands_until + 2 * DEMAND_WINDOW
        );
        advance(2);
        let sequence = u64::from(MAX_OPEN_DEMANDS) + 1;
        assert_ok!(demand(settled.id, DemandRequest::Receipt { sequence }));
    });
}

#[test]
fn fails_when_bond_is_not_there() {
    execute(|| {
        let settled = settled(&World::new());
        let call = Attribution::demand(
            RuntimeOrigin::signed(GONE),
            settled.id,
            DemandRequest::Receipt { sequence: 1 },
        );
        assert_noop!(call, Error::<Test>::CannotAffordDemand);
    });
}
