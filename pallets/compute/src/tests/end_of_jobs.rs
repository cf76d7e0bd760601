use super::*;

#[test]
fn success_finalise_pays_and_registers() {
    run(|| {
        data();
        Bases::mutate(|bases| bases.insert(1, 30));
        set_terms(
            5,
            Terms {
                attribution: true,
                ..Terms::FREE
            },
        );
        let kind = ModelKind::Adapter { base: 1 };
        let job = Request {
            kind,
            ..Request::default()
        }
        .job();
        assert_ok!(register_operator(OPERATOR, BOND));
        assert_ok!(Compute::take_job(signed(OPERATOR), job));
        let taken_at = System::block_number();
        order_seed(job);
        assert_ok!(submit_transcript(OPERATOR, job));
        let seed = projection_seed(job);
        assert_ok!(submit_index(OPERATOR, job, &honest_rows(), spec(seed)));
        let JobState::Submitted { result, .. } = state(job) else {
            panic!("submitted")
        };

        pass(RULESET.compute.job_window);
        assert_noop!(
            Compute::finalise_job(signed(9), job),
            Error::<Test>::WindowOpen
        );
        pass(1);
        assert_ok!(Compute::finalise_job(signed(9), job));

        assert_eq!(state(job), JobState::Finalised { model: 1 });
        assert_eq!(free(OPERATOR), MONEY - BOND + FEE);
        // The deposit stays for the manifest.
        assert_eq!(free(BUILDER), MONEY - FEE - JOB_DEPOSIT);
        assert_eq!(held(HoldReason::JobFee, BUILDER), 0);
        assert_eq!(held(HoldReason::JobDeposit, BUILDER), JOB_DEPOSIT);
        let operator = Operators::<Test>::get(account(OPERATOR)).unwrap();
        assert_eq!(
            (operator.bond, operator.staked, operator.active_jobs),
            (BOND, 0, 0)
        );
        let [model] = &RegisteredModels::get()[..] else {
            panic!("one model")
        };
        assert_eq!(
            (&model.owner, model.kind, model.ruleset),
            (&account(BUILDER), kind, 0)
        );
        assert_eq!(
            model.parents.to_vec(),
            [Parent {
                model: 1,
                royalty: 30
            }]
        );
        assert_eq!(
            model.terms,
            Terms {
                attribution: true,
                ..Terms::FREE
            }
        );
        assert_eq!(
            (model.training.job, model.training.taken_at),
            (job, taken_at)
        );
        assert_eq!(model.training.operator, account(OPERATOR));
        assert_eq!(model.training.result, result);
        assert_eq!(
            events().last(),
            Some(&Event::JobFinalised {
                job,
                model: 1,
                operator: account(OPERATOR),
                fee: FEE
            })
        );
    });
}

#[test]
fn success_job_whose_base_was_voided_is_refunded_without_fault() {
    run(|| {
        data();
        Bases::mutate(|bases| bases.insert(1, 30));
        let kind = ModelKind::Adapter { base: 1 };
        let job = Request {
            kind,
            ..Request::default()
        }
        .job();
        assert_ok!(register_operator(OPERATOR, BOND));
        assert_ok!(Compute::take_job(signed(OPERATOR), job));
        order_seed(job);
        assert_ok!(submit_transcript(OPERATOR, job));
        let seed = projection_seed(job);
        assert_ok!(submit_index(OPERATOR, job, &honest_rows(), spec(seed)));
        Bases::mutate(|bases| bases.remove(&1));
        pass(RULESET.compute.job_window + 1);
        assert_ok!(Compute::finalise_job(signed(9), job));
        // A stored `Other` keeps no text.
        let JobState::Refunded {
            cause: RefundCause::NotRegistered(DispatchError::Other(_)),
        } = state(job)
        else {
            panic!("refunded, not {:?}", state(job));
        };
        assert_eq!(free(BUILDER), MONEY - JOB_DEPOSIT);
        assert_eq!(free(OPERATOR), MONEY - BOND);
        let operator = Operators::<Test>::get(account(OPERATOR)).unwrap();
        assert_eq!(
            (operator.bond, operator.staked, operator.active_jobs),
            (BOND, 0, 0)
        );
    });
}

#[test]
fn fails_when_finalised_in_the_wrong_state_or_twice() {
    run(|| {
        let job = transcribed();
        assert_noop!(
            Compute::finalise_job(signed(9), 99),
            Error::<Test>::UnknownJob
        );
        assert_noop!(
            Compute::finalise_job(signed(9), job),
            Error::<Test>::WrongState
        );
        let seed = projection_seed(job);
        assert_ok!(submit_index(OPERATOR, job, &honest_rows(), spec(seed)));
        pass(RULESET.compute.job_window + 1);
        assert_ok!(Compute::finalise_job(signed(9), job));
        assert_noop!(
            Compute::finalise_job(signed(9), job),
            Error::<Test>::WrongState
        );
        assert_noop!(
            Compute::expire_job(signed(9), job),
            Error::<Test>::WrongState
        );
    });
}

#[test]
fn success_cancel_gives_the_fee_back_and_forget_the_deposit() {
    run(|| {
        let job = requested();
        assert_ok!(Compute::cancel_job(signed(BUILDER), job));
        let cause = RefundCause::Cancelled;
        assert_eq!(state(job), JobState::Refunded { cause });
        assert_eq!(free(BUILDER), MONEY - JOB_DEPOSIT);
        assert_eq!(
            events().last(),
            Some(&Event::JobRefunded {
                job,
                builder: account(BUILDER),
                fee: FEE,
                cause
            })
        );
        assert_ok!(Compute::forget_job(signed(BUILDER), job));
        assert_eq!(free(BUILDER), MONEY);
        assert_eq!(Jobs::<Test>::get(job), None);
        // A number is never given twice.
        assert_eq!(Request::default().job(), job + 1);
    });
}

#[test]
fn fails_when_cancelled_by_a_stranger_or_after_it_was_taken() {
    run(|| {
        let job = requested();
        assert_noop!(
            Compute::cancel_job(signed(9), job),
            Error::<Test>::NotBuilder
        );
        assert_ok!(register_operator(OPERATOR, BOND));
        assert_ok!(Compute::take_job(signed(OPERATOR), job));
        assert_noop!(
            Compute::cancel_job(signed(BUILDER), job),
            Error::<Test>::JobNotOpen
        );
        assert_noop!(
            Compute::cancel_job(signed(BUILDER), 99),
            Error::<Test>::UnknownJob
        );
    });
}

#[test]
fn success_job_that_nobody_took_expires() {
    run(|| {
        let job = requested();
        pass(RULESET.compute.take_deadline);
        assert_noop!(
            Compute::expire_job(signed(9), job),
            Error::<Test>::DeadlineNotOver
        );
        pass(1);
        assert_ok!(Compute::expire_job(signed(9), job));
        assert_eq!(
            state(job),
            JobState::Refunded {
                cause: RefundCause::NotTaken
            }
        );
        assert_eq!(free(BUILDER), MONEY - JOB_DEPOSIT);
        assert_noop!(
            Compute::expire_job(signed(9), job),
            Error::<Test>::WrongState
        );
    });
}

#[test]
fn success_late_operator_forfeits_its_stake_in_every_state() {
    for until in [taken, transcribed] {
        run(|| {
            let job = until();
            let deadline = state(job).assignment().unwrap().deadline;
            System::set_block_number(deadline);
            assert_noop!(
                Compute::expire_job(signed(9), job),
                Error::<Test>::DeadlineNotOver
            );
            pass(1);
            assert_ok!(Compute::expire_job(signed(9), job));
            assert_eq!(
                state(job),
                JobState::Refunded {
                    cause: RefundCause::NotSubmitted
                }
            );
            assert_eq!(free(BUILDER), MONEY - JOB_DEPOSIT);
            assert_eq!(treasury(), STAKE);
            let operator = Operators::<Test>::get(account(OPERATOR)).unwrap();
            assert_eq!(
                (operator.bond, operator.staked, operator.active_jobs),
                (BOND - STAKE, 0, 0)
            );
        });
    }
}

#[test]
fn success_late_operator_with_nothing_left_still_ends_the_job() {
    run(|| {
        let job = taken();
        assert_eq!(
            Compute::slash_operator(&account(OPERATOR), BOND, None, 0),
            BOND
        );
        pass(RULESET.compute.submit_deadline + 1);
        assert_ok!(Compute::expire_job(signed(9), job));
        assert_eq!(free(BUILDER), MONEY - JOB_DEPOSIT);
        assert_eq!(treasury(), BOND);
    });
}

#[test]
fn success_deadline_ends_with_the_submission() {
    run(|| {
        let job = submitted(&honest_rows());
        pass(2 * RULESET.compute.submit_deadline);
        assert_noop!(
            Compute::expire_job(signed(9), job),
            Error::<Test>::WrongState
        );
    });
}

#[test]
fn fails_when_a_job_that_is_not_over_or_made_a_model_is_forgotten() {
    run(|| {
        let job = submitted(&honest_rows());
        assert_noop!(
            Compute::forget_job(signed(BUILDER), job),
            Error::<Test>::JobNotEnded
        );
        pass(RULESET.compute.job_window + 1);
        assert_ok!(Compute::finalise_job(signed(9), job));
        assert_noop!(
            Compute::forget_job(signed(BUILDER), job),
            Error::<Test>::JobNotEnded
        );
        let cancelled = Request::default().job();
        assert_ok!(Compute::cancel_job(signed(BUILDER), cancelled));
        assert_noop!(
            Compute::forget_job(signed(9), cancelled),
            Error::<Test>::NotBuilder
        );
        assert_noop!(
            Compute::forget_job(signed(BUILDER), 99),
            Error::<Test>::UnknownJob
        );
    });
}
