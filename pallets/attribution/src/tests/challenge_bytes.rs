use super::{assert_proves, assert_rejects, challenger_origin, world::*};
use crate::{mock::*, Rejection};
use attribution_proof::{
    challenge::Lie,
    receipt::Receipt,
    span::{Occurrence, Span},
    ContributionId,
};
use frame_support::dispatch::DispatchResult;

/// Opens what span `position` of answer 0 names: `record` of `contribution`.
fn challenge(
    world: &World,
    settled: &Settled,
    position: usize,
    distance: u32,
    contribution: ContributionId,
    record: u32,
) -> DispatchResult {
    let answer = &settled.answers[0];
    let span = answer.receipt().spans[position.min(answer.receipt().spans.len() - 1)];
    let contributed = world.contribution(contribution);
    let last_chunk = (contributed.texts[record as usize].len() as u32 - 1) / 1_024;
    let chunk = ((span.at.offset + distance) / 1_024).min(last_chunk);
    Attribution::challenge_bytes(
        challenger_origin(),
        settled.id,
        Box::new(answer.signed.clone()),
        position as u32,
        distance,
        contribution,
        Box::new(contributed.opening(record)),
        Box::new(answer.chunk((span.start + distance) / 1_024)),
        Box::new(contributed.chunk(record, chunk)),
    )
}

fn forged(world: &World, change: impl FnOnce(&mut Receipt)) -> Settled {
    let mut session = Session::open(1);
    session.serve_forged(world, ADAPTER, UNIT, response(), change, |_| {});
    session.settle()
}

/// A span over bytes of the response that stand nowhere.
fn invented(model: u32, row: u32) -> impl FnOnce(&mut Receipt) {
    move |receipt| {
        let at = Occurrence {
            model,
            row,
            offset: 5,
        };
        receipt
            .spans
            .try_insert(
                0,
                Span {
                    start: 2,
                    length: 20,
                    at,
                },
            )
            .unwrap();
    }
}

#[test]
fn success_other_bytes() {
    execute(|| {
        let world = World::new();
        let settled = forged(&world, invented(BASE, 1));
        let proof = || challenge(&world, &settled, 0, 7, 1, 1);
        assert_proves(settled.id, Lie::WrongBytes, proof);
    });
}

#[test]
fn success_span_past_the_record() {
    execute(|| {
        let world = World::new();
        let settled = forged(&world, |receipt| receipt.spans[0].at.offset = 1_090);
        let proof = || challenge(&world, &settled, 0, 0, 1, 0);
        assert_proves(settled.id, Lie::WrongBytes, proof);
    });
}

#[test]
fn success_private_record() {
    execute(|| {
        let world = World::new();
        let settled = forged(&world, invented(BASE, 3));
        let proof = || challenge(&world, &settled, 0, 0, 2, 1);
        assert_proves(settled.id, Lie::WrongBytes, proof);
    });
}

#[test]
fn success_record_that_was_tombstoned_before_training() {
    execute(|| {
        let world = World::new();
        let settled = forged(&world, invented(ADAPTER, 1));
        let proof = || challenge(&world, &settled, 0, 0, 3, 1);
        assert_proves(settled.id, Lie::WrongBytes, proof);
    });
}

#[test]
fn success_row_that_does_not_exist() {
    execute(|| {
        let world = World::new();
        let settled = forged(&world, invented(BASE, 4));
        let proof = || challenge(&world, &settled, 0, 0, 1, 0);
        assert_proves(settled.id, Lie::UnknownRow, proof);
    });
}

#[test]
fn rejects_an_honest_receipt() {
    execute(|| {
        let world = World::new();
        let settled = settled(&world);
        // From the second chunk of record 0 of contribution 1, and from contribution 3.
        let spans = settled.answers[0].receipt().spans.clone();
        assert_eq!(
            spans.iter().map(|span| span.at.model).collect::<Vec<_>>(),
            [BASE, ADAPTER]
        );
        for (position, contribution) in [(0, 1), (1, 3)] {
            for distance in [0, 7, spans[position].length - 1] {
                assert_rejects(settled.id, Rejection::Honest, || {
                    challenge(&world, &settled, position, distance, contribution, 0)
                });
            }
        }
    });
}

#[test]
fn rejects_a_record_tombstoned_after_training() {
    execute(|| {
        let world = World::new();
        let settled = settled(&world);
        Tombstones::insert((1, Some(0)), TAKEN_AT + 1);
        assert_rejects(settled.id, Rejection::Honest, || {
            challenge(&world, &settled, 0, 0, 1, 0)
        });
    });
}

#[test]
fn rejects_what_is_not_about_the_span() {
    execute(|| {
        let world = World::new();
        let settled = settled(&world);
        let length = settled.answers[0].receipt().spans[0].length;
        for (position, distance, contribution, record, reason) in [
            (0, 0, 1, 1, Rejection::OtherRecord),
            (0, 0, 2, 0, Rejection::OtherRecord),
            // Contribution 3 is in another Datanet than the base's inputs.
            (0, 0, 3, 0, Rejection::OtherRecord),
            (0, length, 1, 0, Rejection::Mismatch),
            (9, 0, 1, 0, Rejection::Mismatch),
        ] {
            assert_rejects(settled.id, reason, || {
                challenge(&world, &settled, position, distance, contribution, record)
            });
        }
    });
}

#[test]
fn rejects_unknown_contributions_and_forged_records() {
    execute(|| {
        let world = World::new();
        let settled = settled(&world);
        let answer = &settled.answers[0];
        let call = |contribution, forge: fn(&mut attribution_proof::record::RecordOpening)| {
            let contributed = world.contribution(1);
            let mut record = contributed.opening(0);
            forge(&mut record);
            Attribution::challenge_bytes(
                challenger_origin(),
                settled.id,
                Box::new(answer.signed.clone()),
                0,
                0,
                contribution,
                Box::new(record),
                Box::new(answer.chunk(0)),
                Box::new(contributed.chunk(0, 0)),
            )
        };
        let id = settled.id;
        assert_rejects(id, Rejection::UnknownContribution, || call(9, |_| {}));
        assert_rejects(id, Rejection::WrongRoot, || {
            call(1, |record| record.len += 1)
        });
        assert_rejects(id, Rejection::WrongRoot, || {
            call(1, |record| record.index = 1)
        });
        assert_rejects(id, Rejection::IndexOutOfRange, || {
            call(1, |record| record.index = 2)
        });
    });
}
