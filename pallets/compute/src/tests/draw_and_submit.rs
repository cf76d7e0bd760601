use super::*;

#[test]
fn success_seeds_follow_their_commitments_and_differ() {
    run(|| {
        let job = transcribed();
        let projection = projection_seed(job);
        let JobState::Transcribed { order_seed, at, .. } = state(job) else {
            panic!("transcribed");
        };
        assert_ne!(order_seed, projection);
        assert_eq!(at, System::block_number() - 1);
        let drawn: Vec<_> = events()
            .into_iter()
            .filter(|event| {
                matches!(
                    event,
                    Event::OrderSeedDrawn { .. } | Event::ProjectionSeedDrawn { .. }
                )
            })
            .collect();
        assert_eq!(
            drawn,
            [
                Event::OrderSeedDrawn {
                    job,
                    seed: order_seed
                },
                Event::ProjectionSeedDrawn {
                    job,
                    seed: projection
                },
            ]
        );
    });
}

#[test]
fn success_each_job_has_seeds_of_its_own() {
    run(|| {
        let first = taken();
        let second = Request::default().job();
        assert_ok!(Compute::take_job(signed(OPERATOR), second));
        order_seed(first);
        order_seed(second);
        let seed = |job| match state(job) {
            JobState::Taken {
                order_seed: Some(seed),
                ..
            } => seed,
            other => panic!("no seed in {other:?}"),
        };
        assert_ne!(seed(first), seed(second));
    });
}

#[test]
fn fails_when_order_randomness_was_knowable_when_the_job_was_taken() {
    run(|| {
        let job = taken();
        pass(5);
        for known_since in [0, 1, 2] {
            OrderKnownSince::set(known_since);
            assert_noop!(
                Compute::draw_order_seed(signed(9), job),
                Error::<Test>::RandomnessTooEarly
            );
        }
        OrderKnownSince::set(3);
        assert_ok!(Compute::draw_order_seed(signed(9), job));
        OrderKnownSince::set(4);
        assert_noop!(
            Compute::draw_order_seed(signed(9), job),
            Error::<Test>::SeedAlreadyDrawn
        );
    });
}

#[test]
fn fails_when_projection_randomness_was_knowable_when_the_transcript_landed() {
    run(|| {
        let job = transcribed();
        let at = System::block_number();
        ProjectionKnownSince::set(at);
        assert_noop!(
            Compute::draw_projection_seed(signed(9), job),
            Error::<Test>::RandomnessTooEarly
        );
        ProjectionKnownSince::set(at + 1);
        assert_ok!(Compute::draw_projection_seed(signed(9), job));
        assert_noop!(
            Compute::draw_projection_seed(signed(9), job),
            Error::<Test>::SeedAlreadyDrawn
        );
    });
}

#[test]
fn fails_when_drawn_in_the_wrong_state_or_too_late() {
    run(|| {
        let job = requested();
        assert_noop!(
            Compute::draw_order_seed(signed(9), 99),
            Error::<Test>::UnknownJob
        );
        assert_noop!(
            Compute::draw_order_seed(signed(9), job),
            Error::<Test>::WrongState
        );
        assert_noop!(
            Compute::draw_projection_seed(signed(9), job),
            Error::<Test>::WrongState
        );
        assert_ok!(register_operator(OPERATOR, BOND));
        assert_ok!(Compute::take_job(signed(OPERATOR), job));
        pass(RULESET.compute.submit_deadline + 1);
        OrderKnownSince::set(System::block_number());
        assert_noop!(
            Compute::draw_order_seed(signed(9), job),
            Error::<Test>::DeadlineOver
        );
    });
}

#[test]
fn fails_when_transcript_is_not_due_not_mine_or_too_short() {
    run(|| {
        let job = taken();
        assert_noop!(
            submit_transcript(OPERATOR, job),
            Error::<Test>::SeedNotDrawn
        );
        order_seed(job);
        assert_noop!(submit_transcript(9, job), Error::<Test>::NotAssigned);
        let one_state = Committed {
            commitment: Commitment {
                root: Hash::zero(),
                count: 1,
            },
            content: [0; 32],
        };
        assert_noop!(
            Compute::submit_transcript(
                signed(OPERATOR),
                job,
                [0; 32],
                Hash::zero(),
                Hash::zero(),
                one_state,
                0,
                0
            ),
            Error::<Test>::TranscriptTooShort
        );
        assert_ok!(submit_transcript(OPERATOR, job));
        assert_noop!(submit_transcript(OPERATOR, job), Error::<Test>::WrongState);
    });
}

#[test]
fn fails_when_submitted_after_the_deadline() {
    run(|| {
        let job = taken();
        order_seed(job);
        pass(RULESET.compute.submit_deadline - 2);
        frame_support::hypothetically!({
            assert_ok!(submit_transcript(OPERATOR, job));
        });
        pass(1);
        assert_noop!(
            submit_transcript(OPERATOR, job),
            Error::<Test>::DeadlineOver
        );
    });
}

#[test]
fn success_index_opens_the_window() {
    run(|| {
        let job = submitted(&honest_rows());
        let JobState::Submitted {
            result,
            window_end,
            assignment,
            ..
        } = state(job)
        else {
            panic!("submitted");
        };
        assert_eq!(
            window_end,
            System::block_number() + RULESET.compute.job_window
        );
        assert_eq!(assignment.operator, account(OPERATOR));
        let expected = TrainingResult {
            artifact: [4; 32],
            architecture: Hash::repeat_byte(5),
            tokenizer: Hash::repeat_byte(6),
            transcript: transcript(),
            index: Committed {
                commitment: row_tree(job, &honest_rows()).commitment(),
                content: [9; 32],
            },
            spec: result.spec,
            loss_before: 2_000_000,
            loss_after: 1_000_000,
        };
        assert_eq!(result, expected);
    });
}

#[test]
fn fails_when_index_does_not_fit_the_job() {
    run(|| {
        let job = transcribed();
        let rows = honest_rows();
        assert_noop!(
            submit_index(OPERATOR, job, &rows, spec(Hash::zero())),
            Error::<Test>::SeedNotDrawn
        );
        let seed = projection_seed(job);
        assert_noop!(
            submit_index(9, job, &rows, spec(seed)),
            Error::<Test>::NotAssigned
        );
        assert_noop!(
            submit_index(
                OPERATOR,
                job,
                &rows,
                IndexSpec {
                    dimension: 0,
                    ..spec(seed)
                }
            ),
            Error::<Test>::InvalidSpec
        );
        assert_noop!(
            submit_index(OPERATOR, job, &rows, spec(Hash::zero())),
            Error::<Test>::WrongProjectionSeed
        );
        assert_noop!(
            submit_index(OPERATOR, job, &rows[1..], spec(seed)),
            Error::<Test>::WrongRowCount
        );
        frame_support::hypothetically!({
            pass(RULESET.compute.submit_deadline);
            assert_noop!(
                submit_index(OPERATOR, job, &rows, spec(seed)),
                Error::<Test>::DeadlineOver
            );
        });
        assert_ok!(submit_index(OPERATOR, job, &rows, spec(seed)));
        assert_noop!(
            submit_index(OPERATOR, job, &rows, spec(seed)),
            Error::<Test>::WrongState
        );
    });
}
