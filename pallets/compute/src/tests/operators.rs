use super::*;

#[test]
fn success_register_holds_the_bond() {
    run(|| {
        assert_ok!(register_operator(1, 12_000));
        assert_eq!(held(HoldReason::OperatorBond, 1), 12_000);
        let operator = Operators::<Test>::get(account(1)).unwrap();
        assert_eq!((operator.bond, operator.staked), (12_000, 0));
        assert_eq!(operator.state, OperatorState::Active);
        assert_eq!(
            (operator.hardware, operator.endpoint),
            (hardware(), endpoint())
        );
        assert!(Compute::is_operator_active(&account(1)));
        assert_eq!(
            events(),
            [Event::OperatorRegistered {
                operator: account(1),
                bond: 12_000,
                hardware: hardware(),
                endpoint: endpoint(),
            }]
        );
    });
}

#[test]
fn fails_when_registered_twice_or_with_too_little() {
    run(|| {
        assert_noop!(register_operator(1, BOND - 1), Error::<Test>::BondTooLow);
        assert_noop!(
            register_operator(1, 2 * MONEY),
            TokenError::FundsUnavailable
        );
        assert_ok!(register_operator(1, BOND));
        assert_noop!(register_operator(1, BOND), Error::<Test>::AlreadyOperator);
        CurrentRuleset::set(1);
        assert_noop!(register_operator(4, BOND), Error::<Test>::BondTooLow);
    });
}

#[test]
fn fails_when_profile_is_malformed() {
    run(|| {
        let register = |hardware: &[u8], endpoint: &[u8]| {
            Compute::register_operator(
                signed(1),
                BOND,
                hardware.to_vec().try_into().unwrap(),
                endpoint.to_vec().try_into().unwrap(),
            )
        };
        for hardware in [&b""[..], b"  ", b"\xff"] {
            assert_noop!(
                register(hardware, b"http://a"),
                Error::<Test>::MalformedHardware
            );
        }
        for endpoint in [
            &b""[..],
            b"ftp://a",
            b"http://",
            b"https://a b",
            b"http://\xc3\xa4",
        ] {
            assert_noop!(register(b"{}", endpoint), Error::<Test>::MalformedEndpoint);
        }
        assert_ok!(register(b"{}", b"http://127.0.0.1:8080"));
        assert_noop!(
            Compute::update_operator(signed(1), hardware(), Endpoint::new()),
            Error::<Test>::MalformedEndpoint
        );
    });
}

#[test]
fn success_add_bond() {
    run(|| {
        assert_ok!(register_operator(1, BOND));
        assert_ok!(Compute::add_bond(signed(1), 500));
        assert_eq!(Compute::bond(&account(1)), BOND + 500);
        assert_eq!(held(HoldReason::OperatorBond, 1), BOND + 500);
        assert_noop!(Compute::add_bond(signed(1), 0), Error::<Test>::ZeroAmount);
        assert_noop!(Compute::add_bond(signed(4), 5), Error::<Test>::NotOperator);
    });
}

#[test]
fn success_update_operator() {
    run(|| {
        assert_ok!(register_operator(1, BOND));
        let moved: Endpoint = b"http://elsewhere".to_vec().try_into().unwrap();
        assert_ok!(Compute::update_operator(
            signed(1),
            hardware(),
            moved.clone()
        ));
        assert_eq!(Operators::<Test>::get(account(1)).unwrap().endpoint, moved);
        assert_noop!(
            Compute::update_operator(signed(4), hardware(), moved),
            Error::<Test>::NotOperator
        );
    });
}

#[test]
fn success_drained_operator_gets_exactly_its_bond_back() {
    run(|| {
        assert_ok!(register_operator(1, BOND));
        pass(3);
        assert_ok!(Compute::drain(signed(1)));
        assert!(!Compute::is_operator_active(&account(1)));
        assert_eq!(
            Operators::<Test>::get(account(1)).unwrap().state,
            OperatorState::Draining { since: 4 }
        );
        assert_ok!(Compute::withdraw_bond(signed(1)));
        assert_eq!(free(1), MONEY);
        assert_eq!(held(HoldReason::OperatorBond, 1), 0);
        assert_eq!(Operators::<Test>::get(account(1)), None);
        assert_eq!(
            events().last(),
            Some(&Event::BondWithdrawn {
                operator: account(1),
                amount: BOND
            })
        );
        // Nothing is left behind that stands in the way of a new start.
        assert_ok!(register_operator(1, BOND));
    });
}

#[test]
fn fails_when_withdrawn_before_everything_is_over() {
    run(|| {
        let job = taken();
        assert_noop!(
            Compute::withdraw_bond(signed(OPERATOR)),
            Error::<Test>::NotDraining
        );
        assert_noop!(
            Compute::withdraw_bond(signed(9)),
            Error::<Test>::NotOperator
        );
        assert_noop!(Compute::drain(signed(9)), Error::<Test>::NotOperator);
        assert_ok!(Compute::drain(signed(OPERATOR)));
        assert_noop!(Compute::drain(signed(OPERATOR)), Error::<Test>::Draining);
        assert_noop!(
            Compute::withdraw_bond(signed(OPERATOR)),
            Error::<Test>::JobsActive
        );
        pass(RULESET.compute.submit_deadline + 1);
        assert_ok!(Compute::expire_job(signed(9), job));
        Compute::channel_opened(&account(OPERATOR));
        assert_noop!(
            Compute::withdraw_bond(signed(OPERATOR)),
            Error::<Test>::ChannelsOpen
        );
        Compute::channel_closed(&account(OPERATOR));
        let until = System::block_number() + 5;
        Compute::extend_liability(&account(OPERATOR), until);
        pass(5);
        assert_noop!(
            Compute::withdraw_bond(signed(OPERATOR)),
            Error::<Test>::StillLiable
        );
        pass(1);
        assert_ok!(Compute::withdraw_bond(signed(OPERATOR)));
        // What is left after the slash for the late job.
        assert_eq!(free(OPERATOR), MONEY - STAKE);
    });
}

#[test]
fn success_fully_slashed_operator_can_leave() {
    run(|| {
        assert_ok!(register_operator(1, BOND));
        assert_eq!(
            Compute::slash_operator(&account(1), 2 * BOND, None, 0),
            BOND
        );
        assert_ok!(Compute::drain(signed(1)));
        assert_ok!(Compute::withdraw_bond(signed(1)));
        assert_eq!(free(1), MONEY - BOND);
    });
}
