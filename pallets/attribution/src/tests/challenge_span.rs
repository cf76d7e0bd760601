use super::{assert_proves, assert_rejects, challenger_origin, world::*};
use crate::{mock::*, Rejection};
use attribution_proof::{challenge::Lie, receipt::Receipt, span::Occurrence, ContributionId};
use frame_support::dispatch::DispatchResult;

/// Where the first piece of [`response`] starts in it, and in its record.
const START: u32 = 40;
const OFFSET: u32 = 1_000;
/// Its length.
const LENGTH: u32 = 60;

fn challenge(
    world: &World,
    settled: &Settled,
    start: u32,
    length: u32,
    at: Occurrence,
    contribution: ContributionId,
    record: u32,
) -> DispatchResult {
    let answer = &settled.answers[0];
    let contributed = world.contribution(contribution);
    Attribution::challenge_span(
        challenger_origin(),
        settled.id,
        Box::new(answer.signed.clone()),
        start,
        length,
        at,
        contribution,
        Box::new(contributed.opening(record)),
        Box::new(answer.window(start, length)),
        Box::new(contributed.window(record, at.offset, length)),
    )
}

fn forged(world: &World, response: Vec<u8>, change: impl FnOnce(&mut Receipt)) -> Settled {
    let mut session = Session::open(1);
    session.serve_forged(world, ADAPTER, UNIT, response, change, |_| {});
    session.settle()
}

const HERE: Occurrence = Occurrence {
    model: BASE,
    row: 0,
    offset: OFFSET,
};

#[test]
fn success_uncovered_match_over_two_chunks() {
    execute(|| {
        let world = World::new();
        let settled = forged(&world, response(), |receipt| {
            receipt.spans.remove(0);
        });
        assert_proves(settled.id, Lie::BetterSpan, || {
            challenge(&world, &settled, START, LENGTH, HERE, 1, 0)
        });
    });
}

#[test]
fn success_longer_match() {
    execute(|| {
        let world = World::new();
        let settled = forged(&world, response(), |receipt| receipt.spans[0].length -= 1);
        assert_proves(settled.id, Lie::BetterSpan, || {
            challenge(&world, &settled, START, LENGTH, HERE, 1, 0)
        });
    });
}

#[test]
fn success_earlier_occurrence() {
    execute(|| {
        let world = World::new();
        // The first record's beginning stands again in record 0 of contribution 2, row 2.
        let first = text("first", 64);
        let settled = forged(&world, first[10..50].to_vec(), |receipt| {
            receipt.spans[0].at = Occurrence {
                model: BASE,
                row: 2,
                offset: 210,
            };
        });
        let earlier = Occurrence {
            model: BASE,
            row: 0,
            offset: 10,
        };
        assert_proves(settled.id, Lie::BetterSpan, || {
            challenge(&world, &settled, 0, 40, earlier, 1, 0)
        });
    });
}

#[test]
fn rejects_an_honest_receipt() {
    execute(|| {
        let world = World::new();
        let settled = forged(&world, response(), |_| {});
        let later = Occurrence {
            offset: OFFSET + 10,
            ..HERE
        };
        for (start, length, at) in [
            (START, LENGTH, HERE),
            (START, LENGTH - 1, HERE),
            // Inside a span.
            (START + 10, LENGTH - 10, later),
        ] {
            assert_rejects(settled.id, Rejection::Honest, || {
                challenge(&world, &settled, start, length, at, 1, 0)
            });
        }
    });
}

#[test]
fn rejects_a_later_occurrence() {
    execute(|| {
        let world = World::new();
        let settled = forged(&world, text("first", 64)[10..50].to_vec(), |_| {});
        let later = Occurrence {
            model: BASE,
            row: 2,
            offset: 210,
        };
        assert_rejects(settled.id, Rejection::Honest, || {
            challenge(&world, &settled, 0, 40, later, 2, 0)
        });
    });
}

#[test]
fn rejects_what_is_no_match() {
    execute(|| {
        let world = World::new();
        let settled = forged(&world, response(), |_| {});
        let elsewhere = Occurrence {
            offset: OFFSET - 1,
            ..HERE
        };
        let id = settled.id;
        // Other bytes, too short, one byte too long.
        for (length, at) in [(LENGTH, elsewhere), (15, HERE), (LENGTH + 1, HERE)] {
            assert_rejects(id, Rejection::Mismatch, || {
                challenge(&world, &settled, START, length, at, 1, 0)
            });
        }
    });
}

#[test]
fn rejects_records_that_may_not_be_matched() {
    execute(|| {
        let world = World::new();
        let private = text("private", 300)[..40].to_vec();
        let gone = text("sixth", 300)[..40].to_vec();
        let settled = forged(&world, [private, gone].concat(), |_| {});
        assert!(settled.answers[0].receipt().spans.is_empty());
        let hidden = Occurrence {
            model: BASE,
            row: 3,
            offset: 0,
        };
        let absent = Occurrence {
            model: ADAPTER,
            row: 1,
            offset: 0,
        };
        let id = settled.id;
        assert_rejects(id, Rejection::Mismatch, || {
            challenge(&world, &settled, 0, 40, hidden, 2, 1)
        });
        assert_rejects(id, Rejection::Mismatch, || {
            challenge(&world, &settled, 40, 40, absent, 3, 1)
        });
    });
}

#[test]
fn rejects_models_that_were_not_served_and_other_records() {
    execute(|| {
        let world = World::new();
        let settled = forged(&world, response(), |_| {});
        let id = settled.id;
        for model in [FORBIDDEN, OUTSIDE, 99] {
            let at = Occurrence { model, ..HERE };
            assert_rejects(id, Rejection::NoIndex, || {
                challenge(&world, &settled, START, LENGTH, at, 1, 0)
            });
        }
        let at = Occurrence { row: 1, ..HERE };
        assert_rejects(id, Rejection::OtherRecord, || {
            challenge(&world, &settled, START, LENGTH, at, 1, 0)
        });
    });
}
