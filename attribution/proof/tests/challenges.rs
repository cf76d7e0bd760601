//! Every forged receipt that the protocol names is proven a lie, and the honest one survives every
//! challenge.
#![allow(missing_docs)]

mod common;

use attribution_proof::{
    challenge::{
        better_span, check_step, omitted_row, wrong_bytes, wrong_score, Lie, Mark, NotProven,
        RecordContext,
    },
    influence::{Row, RowDefect},
    merkle::{Commitment, MerkleError},
    receipt::{ReceiptDefect, ResponseWindow},
    record::{chunk_count, ChunkWindow},
    span::{Occurrence, Span},
    totals::Totals,
};
use common::*;

fn window(world: &World, start: u32, length: u32) -> ResponseWindow {
    let first = start / 1_024;
    let last = (start + length - 1) / 1_024;
    ResponseWindow {
        first: response_chunk(&world.response, &world.secret, first),
        second: (last > first).then(|| response_chunk(&world.response, &world.secret, last)),
    }
}

fn bytes(world: &World, record: u32, offset: u32, length: u32) -> ChunkWindow {
    let first = offset / 1_024;
    let last = (offset + length - 1) / 1_024;
    ChunkWindow {
        first: world.data.chunk(record, first),
        second: (last > first).then(|| world.data.chunk(record, last)),
    }
}

fn step(world: &World) -> Result<Totals, Lie> {
    check_step(
        &Mark::default(),
        &world.receipt,
        &Totals::default(),
        &world.owners,
        &LINEAGE,
        &world.ruleset,
        1_000,
    )
}

mod honest {
    use super::*;

    #[test]
    fn success_survives_every_score_and_omission_challenge() {
        let world = World::new();
        assert!(!world.receipt.credits.is_empty() && world.receipt.credits.len() <= 4);
        for row in 0..9 {
            let opening = world.index.opening(row);
            assert_eq!(
                omitted_row(
                    &world.receipt,
                    &world.ruleset.receipt,
                    &world.query,
                    &world.context(),
                    &opening
                ),
                Err(NotProven::Honest)
            );
            for position in 0..5u32 {
                let expected = match world.receipt.credits.get(position as usize) {
                    Some(credit) if credit.row == row => NotProven::Honest,
                    _ => NotProven::Mismatch,
                };
                assert_eq!(
                    wrong_score(
                        &world.receipt,
                        &world.ruleset.receipt,
                        position,
                        &world.query,
                        &world.context(),
                        &opening
                    ),
                    Err(expected)
                );
            }
        }
    }

    #[test]
    fn success_survives_every_byte_and_span_challenge() {
        let world = World::new();
        let opening = world.data.opening(4);
        let record = RecordContext {
            content: &opening.content,
            length: opening.len,
            matchable: true,
        };
        for distance in 0..200 {
            let verdict = wrong_bytes(
                &world.receipt,
                0,
                distance,
                &record,
                &response_chunk(&world.response, &world.secret, (11 + distance) / 1_024),
                &world.data.chunk(4, (900 + distance) / 1_024),
            );
            assert_eq!(verdict, Err(NotProven::Honest));
        }
        // The same match again, a shorter one, one that starts inside.
        for (start, length) in [(11, 200), (11, 150), (30, 100)] {
            let offset = 900 + start - 11;
            let verdict = better_span(
                &world.receipt,
                &world.ruleset.receipt,
                start,
                length,
                Occurrence {
                    model: MODEL,
                    row: 4,
                    offset,
                },
                &record,
                &window(&world, start, length),
                &bytes(&world, 4, offset, length),
            );
            assert_eq!(verdict, Err(NotProven::Honest), "{start} {length}");
        }
    }

    #[test]
    fn success_steps_follow() {
        let world = World::new();
        assert_eq!(step(&world), Ok(world.totals.clone()));
        let (mark, next) = world.next();
        let after = check_step(
            &mark,
            &next,
            &world.totals,
            &world.owners,
            &LINEAGE,
            &world.ruleset,
            1_000,
        )
        .unwrap();
        let split = world.ruleset.split.split(0, next.cumulative);
        assert_eq!(after.sum(), split.data + split.builder);
    }
}

mod score {
    use super::*;

    fn challenge(world: &World, position: u32) -> Result<Lie, NotProven> {
        let row = world.receipt.credits[position as usize].row;
        wrong_score(
            &world.receipt,
            &world.ruleset.receipt,
            position,
            &world.query,
            &world.context(),
            &world.index.opening(row),
        )
    }

    #[test]
    fn success_when_a_score_is_off_by_one() {
        let mut world = World::new();
        world.receipt.credits[0].score += 1;
        assert_eq!(challenge(&world, 0), Ok(Lie::WrongScore));
    }

    #[test]
    fn success_when_the_row_is_a_duplicate_absent_or_under_the_floor() {
        for row in [5, 6] {
            let mut world = World::new();
            world.receipt.credits[0].row = row;
            assert_eq!(challenge(&world, 0), Ok(Lie::IneligibleRow));
        }
        let mut world = World::new();
        world.ruleset.receipt.floor_numerator = world.ruleset.receipt.floor_denominator;
        assert_eq!(challenge(&world, 0), Ok(Lie::IneligibleRow));
    }

    #[test]
    fn success_when_the_query_has_no_vector_for_the_model() {
        let mut world = World::new();
        world.query.vectors[0].0 = MODEL + 1;
        world.receipt.query = world.query.commit();
        assert_eq!(challenge(&world, 0), Ok(Lie::MalformedQuery));
    }

    #[test]
    fn success_when_the_row_breaks_its_spec() {
        let mut world = World::new();
        world.index.spec.scale_cap = 1;
        assert_eq!(challenge(&world, 0), Ok(Lie::IneligibleRow));
        let row = world.receipt.credits[0].row;
        assert_eq!(
            world.index.opening(row).defect(&world.index.spec),
            Some(RowDefect::Scale)
        );
    }

    #[test]
    fn fails_when_the_opening_is_forged() {
        let world = World::new();
        let row = world.receipt.credits[0].row;
        let mut opening = world.index.opening(row);
        if let Row::Own { scale, .. } = &mut opening.value {
            *scale += 1;
        }
        let verdict = wrong_score(
            &world.receipt,
            &world.ruleset.receipt,
            0,
            &world.query,
            &world.context(),
            &opening,
        );
        assert_eq!(verdict, Err(NotProven::Opening(MerkleError::WrongRoot)));
    }

    #[test]
    fn fails_when_the_query_is_another() {
        let mut world = World::new();
        world.query.vectors[0].1[0] += 1;
        assert_eq!(challenge(&world, 0), Err(NotProven::OtherQuery));
    }
}

mod omission {
    use super::*;

    #[test]
    fn success_when_a_credited_row_is_dropped() {
        let mut world = World::new();
        let dropped = world.receipt.credits.remove(0);
        let verdict = omitted_row(
            &world.receipt,
            &world.ruleset.receipt,
            &world.query,
            &world.context(),
            &world.index.opening(dropped.row),
        );
        assert_eq!(verdict, Ok(Lie::OmittedRow));
    }

    #[test]
    fn success_only_for_rows_before_the_last_when_the_list_is_full() {
        let mut world = World::new();
        world.ruleset.receipt.top_k = 1;
        let all = world.receipt.credits.clone();
        assert!(all.len() >= 2, "the fixture must credit two rows");
        let challenge = |world: &World, row| {
            omitted_row(
                &world.receipt,
                &world.ruleset.receipt,
                &world.query,
                &world.context(),
                &world.index.opening(row),
            )
        };
        world.receipt.credits = vec![all[0]].try_into().unwrap();
        assert_eq!(challenge(&world, all[1].row), Err(NotProven::Honest));
        world.receipt.credits = vec![all[1]].try_into().unwrap();
        assert_eq!(challenge(&world, all[0].row), Ok(Lie::OmittedRow));
    }
}

mod spans {
    use super::*;

    #[test]
    fn success_when_a_byte_differs() {
        let mut world = World::new();
        world.response[50] ^= 1;
        world.seal();
        let opening = world.data.opening(4);
        let record = RecordContext {
            content: &opening.content,
            length: opening.len,
            matchable: true,
        };
        let challenge = |distance: u32| {
            wrong_bytes(
                &world.receipt,
                0,
                distance,
                &record,
                &response_chunk(&world.response, &world.secret, 0),
                &world.data.chunk(4, (900 + distance) / 1_024),
            )
        };
        assert_eq!(challenge(39), Ok(Lie::WrongBytes));
        assert_eq!(challenge(38), Err(NotProven::Honest));
        assert_eq!(challenge(200), Err(NotProven::Mismatch));
    }

    #[test]
    fn success_when_the_record_may_not_be_matched_or_ends_early() {
        let world = World::new();
        let opening = world.data.opening(4);
        for (length, matchable) in [(opening.len, false), (1_000, true)] {
            let record = RecordContext {
                content: &opening.content,
                length,
                matchable,
            };
            let verdict = wrong_bytes(
                &world.receipt,
                0,
                0,
                &record,
                &response_chunk(&world.response, &world.secret, 0),
                &world.data.chunk(4, 0),
            );
            assert_eq!(verdict, Ok(Lie::WrongBytes));
        }
    }

    #[test]
    fn success_when_a_longer_an_earlier_or_an_uncovered_match_exists() {
        let honest = World::new();
        let opening = honest.data.opening(4);
        let record = RecordContext {
            content: &opening.content,
            length: opening.len,
            matchable: true,
        };
        let forge = |spans: Vec<Span>| {
            let mut world = World::new();
            world.receipt.spans = spans.try_into().unwrap();
            world.seal();
            world
        };
        let span = honest.receipt.spans[0];
        let challenge = |world: &World| {
            better_span(
                &world.receipt,
                &world.ruleset.receipt,
                11,
                200,
                span.at,
                &record,
                &window(world, 11, 200),
                &bytes(world, 4, 900, 200),
            )
        };
        assert_eq!(challenge(&forge(vec![])), Ok(Lie::BetterSpan));
        assert_eq!(
            challenge(&forge(vec![Span {
                length: 199,
                ..span
            }])),
            Ok(Lie::BetterSpan)
        );
        let later = Span {
            at: Occurrence { row: 8, ..span.at },
            ..span
        };
        assert_eq!(challenge(&forge(vec![later])), Ok(Lie::BetterSpan));
        let earlier = Span {
            at: Occurrence { row: 3, ..span.at },
            ..span
        };
        assert_eq!(challenge(&forge(vec![earlier])), Err(NotProven::Honest));
    }

    #[test]
    fn fails_when_the_shown_bytes_do_not_match_or_are_too_few() {
        let world = World::new();
        let opening = world.data.opening(4);
        let record = RecordContext {
            content: &opening.content,
            length: opening.len,
            matchable: true,
        };
        for (start, length) in [(0, 20), (11, 5), (11, 201)] {
            let verdict = better_span(
                &world.receipt,
                &world.ruleset.receipt,
                start,
                length,
                Occurrence {
                    model: MODEL,
                    row: 4,
                    offset: 900,
                },
                &record,
                &window(&world, start, length),
                &bytes(&world, 4, 900, length),
            );
            assert_eq!(verdict, Err(NotProven::Mismatch), "{start} {length}");
        }
    }
}

mod steps {
    use super::*;

    #[test]
    fn success_each_broken_link_is_named() {
        let (mark, next) = World::new().next();
        let world = World::new();
        let check = |receipt: &attribution_proof::receipt::Receipt, floor| {
            check_step(
                &mark,
                receipt,
                &world.totals,
                &world.owners,
                &LINEAGE,
                &world.ruleset,
                floor,
            )
        };
        assert!(check(&next, 1_000).is_ok());
        let forged = |change: fn(&mut attribution_proof::receipt::Receipt)| {
            let mut receipt = next.clone();
            change(&mut receipt);
            check(&receipt, 1_000)
        };
        assert_eq!(
            forged(|r| r.previous = digest("another")),
            Err(Lie::BrokenChain)
        );
        assert_eq!(forged(|r| r.cumulative += 1), Err(Lie::WrongCumulative));
        assert_eq!(
            forged(|r| r.totals = Commitment::default()),
            Err(Lie::WrongTotals)
        );
        assert_eq!(forged(|r| r.credits[0].row = 9), Err(Lie::UnknownRow));
        assert_eq!(forged(|r| r.credits[0].model = 4), Err(Lie::UnknownRow));
        assert_eq!(forged(|r| r.spans[0].at.row = 9), Err(Lie::UnknownRow));
        assert_eq!(check(&next, 1_000_000), Err(Lie::UnderPriceFloor));
        let restarted = check_step(
            &mark,
            &next,
            &Totals::default(),
            &world.owners,
            &LINEAGE,
            &world.ruleset,
            1_000,
        );
        assert_eq!(restarted, Err(Lie::WrongTotals));
        let stolen = vec![9; world.owners.len()];
        let verdict = check_step(
            &mark,
            &next,
            &world.totals,
            &stolen,
            &LINEAGE,
            &world.ruleset,
            1_000,
        );
        assert_eq!(verdict, Err(Lie::WrongTotals));
    }

    #[test]
    fn success_each_structural_lie_is_named() {
        let structure = |change: fn(&mut attribution_proof::receipt::Receipt)| {
            let mut world = World::new();
            change(&mut world.receipt);
            step(&world)
        };
        let lie = |defect| Err(Lie::Structure(defect));
        assert_eq!(
            structure(|r| r.credits.as_mut().reverse()),
            lie(ReceiptDefect::Credits)
        );
        assert_eq!(
            structure(|r| r.credits[0].score = -1),
            lie(ReceiptDefect::Credits)
        );
        assert_eq!(
            structure(|r| {
                let mut again = r.credits[0];
                again.score -= 1;
                r.credits.try_insert(1, again).unwrap();
            }),
            lie(ReceiptDefect::Credits)
        );
        assert_eq!(
            structure(|r| {
                for row in 0..5u32 {
                    let credit = attribution_proof::challenge::influence_credit(MODEL, row, 1);
                    let _ = r.credits.try_push(credit);
                }
            }),
            lie(ReceiptDefect::TooManyCredits)
        );
        assert_eq!(
            structure(|r| r.spans[0].length = 11),
            lie(ReceiptDefect::Spans)
        );
        assert_eq!(
            structure(|r| r.spans[0].length = 1_025),
            lie(ReceiptDefect::Spans)
        );
        assert_eq!(
            structure(|r| r.spans[0].start = u32::MAX),
            lie(ReceiptDefect::Spans)
        );
        assert_eq!(
            structure(|r| {
                let again = r.spans[0];
                r.spans.try_push(again).unwrap();
            }),
            lie(ReceiptDefect::Spans)
        );
        assert_eq!(
            structure(|r| r.response.count += 1),
            lie(ReceiptDefect::Response)
        );
        assert_eq!(structure(|r| r.sequence = 0), lie(ReceiptDefect::Counters));
        assert_eq!(
            structure(|r| r.cumulative = 1),
            lie(ReceiptDefect::Counters)
        );
    }

    #[test]
    fn success_without_credits_the_treasury_takes_the_data_share() {
        let mut world = World::new();
        world.receipt.credits = Default::default();
        world.receipt.spans = Default::default();
        world.seal();
        assert!(step(&world).is_ok());
        use attribution_proof::totals::Payee;
        let payees: Vec<_> = world
            .totals
            .entries
            .iter()
            .map(|total| total.payee)
            .collect();
        assert_eq!(payees, [Payee::Treasury, Payee::Builder]);
    }
}

#[test]
fn success_chunk_counts_fit() {
    let world = World::new();
    for (index, record) in (0u32..).zip(&world.data.records) {
        let opening = world.data.opening(index);
        assert_eq!(opening.content.count, chunk_count(record.len() as u32));
        assert_eq!(
            opening.verify(&world.data.contributor, &world.data.leaves()),
            Ok(())
        );
        assert!(opening.verify(&account(2), &world.data.leaves()).is_err());
    }
}
