use super::*;

#[test]
fn success_request_fixes_inputs_and_holds_fee_and_deposit() {
    run(|| {
        let job = requested();
        assert_eq!(job, 1);
        assert_eq!(held(HoldReason::JobFee, BUILDER), FEE);
        assert_eq!(held(HoldReason::JobDeposit, BUILDER), JOB_DEPOSIT);
        let stored = Jobs::<Test>::get(job).unwrap();
        let inputs: Vec<_> = stored
            .inputs
            .iter()
            .map(|input| (input.datanet, input.records))
            .collect();
        assert_eq!(inputs, [(5, 2), (7, 5)]);
        assert_eq!((stored.fee, stored.royalty, stored.price), (FEE, 7, 5));
        assert_eq!((stored.terms, stored.ruleset), (Terms::FREE, 0));
        assert_eq!(stored.state, JobState::Open { until: 11 });
        // What is accepted later is not part of it.
        Snapshots::mutate(|all| all.get_mut(&7).unwrap().records += 10);
        assert_eq!(Jobs::<Test>::get(job).unwrap().inputs[1].records, 5);
    });
}

#[test]
fn success_inputs_terms_are_met_and_royalties_agreed() {
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
        set_terms(
            7,
            Terms {
                share_alike: true,
                ..Terms::FREE
            },
        );
        let job = Request {
            kind: ModelKind::Adapter { base: 1 },
            ..Request::default()
        }
        .job();
        Bases::mutate(|bases| bases.insert(1, 90));
        let stored = Jobs::<Test>::get(job).unwrap();
        assert_eq!(
            stored.terms,
            Terms {
                derivatives: true,
                commercial: true,
                share_alike: true,
                attribution: true
            }
        );
        assert_eq!(
            stored.parents.to_vec(),
            [Parent {
                model: 1,
                royalty: 30
            }]
        );
    });
}

#[test]
fn fails_when_the_licence_gate_is_shut() {
    run(|| {
        data();
        set_terms(
            7,
            Terms {
                derivatives: false,
                ..Terms::FREE
            },
        );
        assert_noop!(
            Request::default().call(),
            Error::<Test>::LicenceForbidsDerivatives
        );
        set_terms(
            7,
            Terms {
                commercial: false,
                ..Terms::FREE
            },
        );
        assert_noop!(
            Request::default().call(),
            Error::<Test>::LicenceForbidsCommercialUse
        );
        // For nothing it may be trained on.
        let job = Request {
            price: 0,
            ..Request::default()
        }
        .job();
        assert!(!Jobs::<Test>::get(job).unwrap().terms.commercial);
    });
}

#[test]
fn fails_when_inputs_are_missing_doubled_unknown_or_empty() {
    run(|| {
        data();
        let with = |datanets: &[DatanetId]| {
            Request {
                datanets: datanets.to_vec(),
                ..Request::default()
            }
            .call()
        };
        assert_noop!(with(&[]), Error::<Test>::NoInputs);
        assert_noop!(with(&[5, 7, 5]), Error::<Test>::DuplicateInput);
        assert_noop!(with(&[5, 8]), Error::<Test>::UnknownDatanet);
        let empty = Snapshot {
            datanet: 8,
            length: 0,
            head: Hash::zero(),
            records: 0,
        };
        Snapshots::mutate(|all| all.insert(8, empty));
        set_terms(8, Terms::FREE);
        assert_noop!(with(&[8]), Error::<Test>::EmptyDatanet);
        let full = Snapshot {
            datanet: 8,
            length: 1,
            head: Hash::zero(),
            records: u32::MAX,
        };
        Snapshots::mutate(|all| all.insert(8, full));
        assert_noop!(with(&[5, 8]), Error::<Test>::TooManyRecords);
    });
}

#[test]
fn fails_when_the_base_or_the_money_is_not_there() {
    run(|| {
        data();
        assert_noop!(
            Request {
                kind: ModelKind::Adapter { base: 1 },
                ..Request::default()
            }
            .call(),
            NOT_LIVE
        );
        assert_noop!(
            Request {
                fee: EXISTENTIAL_DEPOSIT - 1,
                ..Request::default()
            }
            .call(),
            Error::<Test>::FeeTooLow
        );
        assert_noop!(
            Request {
                fee: 2 * MONEY,
                ..Request::default()
            }
            .call(),
            TokenError::FundsUnavailable
        );
    });
}

#[test]
fn success_take_puts_a_stake_on_the_job() {
    run(|| {
        let job = taken();
        let operator = Operators::<Test>::get(account(OPERATOR)).unwrap();
        assert_eq!(
            (operator.active_jobs, operator.staked, operator.bond),
            (1, STAKE, BOND)
        );
        assert_eq!(
            state(job),
            JobState::Taken {
                assignment: Assignment {
                    operator: account(OPERATOR),
                    taken_at: 2,
                    deadline: 22,
                    stake: STAKE,
                },
                order_seed: None,
            }
        );
        assert_eq!(Compute::free_bond(account(OPERATOR)), BOND - STAKE);
    });
}

#[test]
fn success_job_lives_under_the_ruleset_of_its_request() {
    run(|| {
        data();
        CurrentRuleset::set(1);
        let job = Request::default().job();
        CurrentRuleset::set(0);
        assert_ok!(register_operator(OPERATOR, BOND));
        assert_noop!(
            Compute::take_job(signed(OPERATOR), job),
            Error::<Test>::BondTooLow
        );
        assert_ok!(Compute::add_bond(signed(OPERATOR), BOND));
        assert_ok!(Compute::take_job(signed(OPERATOR), job));
        assert_eq!(
            Operators::<Test>::get(account(OPERATOR)).unwrap().staked,
            2 * STAKE
        );
    });
}

#[test]
fn fails_when_taken_by_anybody_but_an_able_operator() {
    run(|| {
        let first = requested();
        let (second, third) = (Request::default().job(), Request::default().job());
        assert_noop!(
            Compute::take_job(signed(9), first),
            Error::<Test>::NotOperator
        );
        assert_ok!(register_operator(OPERATOR, BOND));
        assert_noop!(
            Compute::take_job(signed(OPERATOR), 99),
            Error::<Test>::UnknownJob
        );
        assert_ok!(Compute::take_job(signed(OPERATOR), first));
        assert_noop!(
            Compute::take_job(signed(OPERATOR), first),
            Error::<Test>::JobNotOpen
        );
        assert_ok!(Compute::take_job(signed(OPERATOR), second));
        // 10,000 bear two stakes of 4,000.
        assert_noop!(
            Compute::take_job(signed(OPERATOR), third),
            Error::<Test>::FreeBondTooLow
        );
        assert_ok!(register_operator(4, BOND));
        assert_ok!(Compute::drain(signed(4)));
        assert_noop!(Compute::take_job(signed(4), third), Error::<Test>::Draining);
        assert_ok!(register_operator(5, BOND));
        Compute::slash_operator(&account(5), 1, None, 0);
        assert_noop!(
            Compute::take_job(signed(5), third),
            Error::<Test>::BondTooLow
        );
    });
}

#[test]
fn fails_when_taken_after_the_deadline() {
    run(|| {
        let job = requested();
        assert_ok!(register_operator(OPERATOR, BOND));
        pass(RULESET.compute.take_deadline);
        frame_support::hypothetically!({
            assert_ok!(Compute::take_job(signed(OPERATOR), job));
        });
        pass(1);
        assert_noop!(
            Compute::take_job(signed(OPERATOR), job),
            Error::<Test>::DeadlineOver
        );
    });
}
