use super::*;

const BOND_OF_CHALLENGE: Balance = RULESET.settlement.challenge_bond;

fn challenge(job: JobId, row: RowOpening, evidence: RowEvidence) -> DispatchResult {
    Compute::challenge_row(signed(CHALLENGER), job, Box::new(row), Box::new(evidence))
}

/// Evidence that the job is void, with every consequence.
#[track_caller]
fn assert_proven(rows: &[(Hash, Row)], row: u32, evidence: RowEvidence, fault: RowFault) {
    run(|| {
        let job = submitted(rows);
        assert_proven_on(job, rows, row, evidence, fault);
    });
}

#[track_caller]
fn assert_proven_on(
    job: JobId,
    rows: &[(Hash, Row)],
    row: u32,
    evidence: RowEvidence,
    fault: RowFault,
) {
    assert_ok!(challenge(job, row_opening(job, rows, row), evidence));
    let cause = RefundCause::ProvenWrong(fault);
    assert_eq!(state(job), JobState::Refunded { cause });
    // The builder has his fee, the challenger a quarter of the stake and no bond taken.
    assert_eq!(free(BUILDER), MONEY - JOB_DEPOSIT);
    assert_eq!(
        (free(CHALLENGER), treasury()),
        (MONEY + STAKE / 4, STAKE - STAKE / 4)
    );
    let operator = Operators::<Test>::get(account(OPERATOR)).unwrap();
    assert_eq!(
        (operator.bond, operator.staked, operator.active_jobs),
        (BOND - STAKE, 0, 0)
    );
    let events = events();
    assert!(events.contains(&Event::JobVoided {
        job,
        operator: account(OPERATOR),
        challenger: account(CHALLENGER),
        row,
        fault,
    }));
    assert!(events.contains(&Event::JobRefunded {
        job,
        builder: account(BUILDER),
        fee: FEE,
        cause,
    }));
    assert_noop!(
        challenge(job, row_opening(job, rows, row), RowEvidence::Defect),
        Error::<Test>::WrongState
    );
}

/// Evidence that proves nothing and costs the bond.
#[track_caller]
fn assert_rejected(job: JobId, row: RowOpening, evidence: RowEvidence, reason: Rejection) {
    let (before, gained) = (free(CHALLENGER), treasury());
    assert_ok!(challenge(job, row, evidence));
    assert_eq!(free(CHALLENGER), before - BOND_OF_CHALLENGE);
    assert_eq!(treasury(), gained + BOND_OF_CHALLENGE);
    assert!(matches!(state(job), JobState::Submitted { .. }));
    assert_eq!(
        events().last(),
        Some(&Event::ChallengeRejected {
            job,
            challenger: account(CHALLENGER),
            bond: BOND_OF_CHALLENGE,
            reason,
        })
    );
}

fn with_row(row: usize, value: Row) -> Vec<(Hash, Row)> {
    let mut rows = honest_rows();
    rows[row].1 = value;
    rows
}

fn record(row: u32) -> RowEvidence {
    let (contribution, index) = OWNERS[row as usize];
    RowEvidence::Record {
        contribution,
        record: record_opening(contribution, index),
    }
}

fn presence(row: u32) -> RowEvidence {
    let (contribution, record) = OWNERS[row as usize];
    RowEvidence::Presence {
        contribution,
        record,
    }
}

fn tombstone(row: u32, at: u32) {
    Tombstones::mutate(|all| all.insert(OWNERS[row as usize], at));
}

#[test]
fn success_every_defect_of_a_row_voids() {
    let g = |values: Vec<i8>| values.try_into().unwrap();
    let cases = [
        (
            Row::Own {
                scale: 5,
                g: g(vec![3, 4, 5]),
            },
            RowDefect::Dimension,
        ),
        (
            Row::Own {
                scale: 101,
                g: g(vec![3, 4, 5, 0]),
            },
            RowDefect::Scale,
        ),
        (
            Row::Own {
                scale: 0,
                g: g(vec![3, 4, 5, 0]),
            },
            RowDefect::Scale,
        ),
        (
            Row::Own {
                scale: 5,
                g: g(vec![3, 4, 5, -128]),
            },
            RowDefect::Value,
        ),
        (
            Row::Own {
                scale: 5,
                g: g(vec![1, 0, 0, 0]),
            },
            RowDefect::Norm,
        ),
        (Row::DuplicateOf(4), RowDefect::DuplicateForward),
    ];
    for (value, defect) in cases {
        assert_proven(
            &with_row(4, value),
            4,
            RowEvidence::Defect,
            RowFault::Defect(defect),
        );
    }
}

#[test]
fn success_row_of_another_record_voids() {
    // Rows 2 and 3 swapped: the operator gave one contributor's influence to another record.
    let mut rows = honest_rows();
    rows.swap(2, 3);
    for row in [2, 3] {
        assert_proven(&rows, row, record(row), RowFault::WrongRecord);
    }
    // A record that exists nowhere.
    let mut rows = honest_rows();
    rows[6].0 = Hash::repeat_byte(0xee);
    assert_proven(&rows, 6, record(6), RowFault::WrongRecord);
}

#[test]
fn success_left_out_record_voids() {
    assert_proven(
        &with_row(5, Row::Absent),
        5,
        presence(5),
        RowFault::WronglyAbsent,
    );
}

#[test]
fn success_record_tombstoned_only_after_the_take_must_be_present() {
    run(|| {
        let rows = with_row(5, Row::Absent);
        let job = submitted(&rows);
        // Taken in block 2.
        tombstone(5, 3);
        assert_proven_on(job, &rows, 5, presence(5), RowFault::WronglyAbsent);
    });
}

#[test]
fn success_tombstoned_record_that_was_trained_on_voids() {
    for value in [own(), Row::DuplicateOf(0)] {
        run(|| {
            let rows = with_row(1, value);
            let job = submitted(&rows);
            tombstone(1, 2);
            assert_proven_on(job, &rows, 1, presence(1), RowFault::WronglyPresent);
        });
    }
}

#[test]
fn success_honest_index_survives_every_challenge() {
    run(|| {
        let mut rows = honest_rows();
        rows[1].1 = Row::Absent;
        rows[6].1 = Row::DuplicateOf(2);
        let job = submitted(&rows);
        tombstone(1, 2);
        tombstone(4, 3);
        for row in 0..rows.len() as u32 {
            for evidence in [RowEvidence::Defect, record(row), presence(row)] {
                assert_rejected(
                    job,
                    row_opening(job, &rows, row),
                    evidence,
                    Rejection::Honest,
                );
            }
        }
        pass(RULESET.compute.job_window + 1);
        assert_ok!(Compute::finalise_job(signed(9), job));
    });
}

#[test]
fn success_forged_evidence_costs_the_bond() {
    run(|| {
        let rows = honest_rows();
        let job = submitted(&rows);
        let honest = row_opening(job, &rows, 3);

        // A row that does not stand in the index: another value, another place, another job.
        let forged = RowOpening {
            value: Row::Absent,
            ..honest.clone()
        };
        assert_rejected(job, forged, presence(3), Rejection::RowOpening);
        let moved = RowOpening {
            row: 2,
            ..honest.clone()
        };
        assert_rejected(job, moved, record(2), Rejection::RowOpening);
        let other_job = row_opening(job + 1, &rows, 3);
        assert_rejected(job, other_job, RowEvidence::Defect, Rejection::RowOpening);

        // A record with another ordinal, of an unknown contribution, past the contribution's end.
        assert_rejected(job, honest.clone(), record(4), Rejection::OtherOrdinal);
        assert_rejected(job, honest.clone(), presence(4), Rejection::OtherOrdinal);
        assert_rejected(
            job,
            honest.clone(),
            RowEvidence::Presence {
                contribution: 77,
                record: 0,
            },
            Rejection::UnknownContribution,
        );
        // Ordinal 5 is record 0 of contribution 3, not record 3 of contribution 1.
        assert_rejected(
            job,
            row_opening(job, &rows, 5),
            RowEvidence::Presence {
                contribution: 1,
                record: 3,
            },
            Rejection::OtherOrdinal,
        );

        // A record that does not stand in the contribution.
        let mut opening = record_opening(1, 1);
        opening.len += 1;
        assert_rejected(
            job,
            honest,
            RowEvidence::Record {
                contribution: 1,
                record: opening,
            },
            Rejection::RecordOpening,
        );
    });
}

#[test]
fn success_contribution_accepted_after_the_request_owns_no_row() {
    run(|| {
        let rows = honest_rows();
        let job = submitted(&rows);
        let late = ContributionView {
            datanet: 5,
            index: 1,
            records_before: 2,
            leaves: leaves(9, 1).commitment(),
            contributor: contributor(9),
        };
        Contributions::mutate(|all| all.insert(9, late));
        assert_rejected(
            job,
            row_opening(job, &rows, 2),
            RowEvidence::Presence {
                contribution: 9,
                record: 0,
            },
            Rejection::OtherOrdinal,
        );
    });
}

#[test]
fn success_challenge_in_the_last_block_of_the_window() {
    run(|| {
        let rows = with_row(5, Row::Absent);
        let job = submitted(&rows);
        pass(RULESET.compute.job_window);
        assert_proven_on(job, &rows, 5, presence(5), RowFault::WronglyAbsent);
    });
}

#[test]
fn fails_when_there_is_nothing_to_challenge() {
    run(|| {
        let rows = honest_rows();
        let job = transcribed();
        let opening = row_opening(job, &rows, 0);
        assert_noop!(
            challenge(99, opening.clone(), RowEvidence::Defect),
            Error::<Test>::UnknownJob
        );
        assert_noop!(
            challenge(job, opening.clone(), RowEvidence::Defect),
            Error::<Test>::WrongState
        );
        let seed = projection_seed(job);
        assert_ok!(submit_index(OPERATOR, job, &rows, spec(seed)));
        pass(RULESET.compute.job_window + 1);
        assert_noop!(
            challenge(job, opening, RowEvidence::Defect),
            Error::<Test>::WindowOver
        );
    });
}

#[test]
fn fails_when_the_challenger_cannot_pay_for_being_wrong() {
    run(|| {
        let rows = honest_rows();
        let job = submitted(&rows);
        let poor = account(77);
        assert_ok!(Balances::transfer(
            &account(9),
            &poor,
            BOND_OF_CHALLENGE + EXISTENTIAL_DEPOSIT - 1,
            frame_support::traits::tokens::Preservation::Preserve,
        ));
        let challenge = || {
            Compute::challenge_row(
                RuntimeOrigin::signed(poor.clone()),
                job,
                Box::new(row_opening(job, &rows, 0)),
                Box::new(RowEvidence::Defect),
            )
        };
        assert_noop!(challenge(), Error::<Test>::ChallengeBondTooHigh);
        assert_ok!(Balances::transfer(
            &account(9),
            &poor,
            1,
            frame_support::traits::tokens::Preservation::Preserve,
        ));
        assert_ok!(challenge());
        assert_eq!(Balances::free_balance(&poor), EXISTENTIAL_DEPOSIT);
    });
}
