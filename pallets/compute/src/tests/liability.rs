use super::*;

#[test]
fn success_slash_rewards_and_feeds_the_treasury() {
    run(|| {
        assert_ok!(register_operator(1, BOND));
        let slashed = Compute::slash_operator(&account(1), 3_001, Some(&account(3)), 500_000_000);
        assert_eq!(slashed, 3_001);
        assert_eq!(Compute::bond(&account(1)), BOND - 3_001);
        assert_eq!(held(HoldReason::OperatorBond, 1), BOND - 3_001);
        // The reward is rounded down.
        assert_eq!((free(3), treasury()), (MONEY + 1_500, 1_501));
        assert_eq!(
            events().last(),
            Some(&Event::OperatorSlashed {
                operator: account(1),
                amount: 3_001,
                rewarded: Some(account(3)),
                reward: 1_500,
            })
        );
    });
}

#[test]
fn success_slash_takes_no_more_than_there_is() {
    run(|| {
        assert_ok!(register_operator(1, BOND));
        assert_eq!(
            Compute::slash_operator(&account(1), Balance::MAX, None, 0),
            BOND
        );
        assert_eq!(Compute::bond(&account(1)), 0);
        assert_eq!(treasury(), BOND);
        assert_eq!(Compute::slash_operator(&account(1), 5, None, 0), 0);
        assert_eq!(Compute::slash_operator(&account(4), 5, None, 0), 0);
    });
}

#[test]
fn success_reward_that_cannot_be_deposited_goes_to_the_treasury() {
    run(|| {
        assert_ok!(register_operator(1, BOND));
        // Half of 10 is under the existential deposit and account 99 does not exist.
        let slashed = Compute::slash_operator(&account(1), 10, Some(&account(99)), 500_000_000);
        assert_eq!(slashed, 10);
        assert_eq!((free(99), treasury()), (0, 10));
        assert_eq!(
            events().last(),
            Some(&Event::OperatorSlashed {
                operator: account(1),
                amount: 10,
                rewarded: None,
                reward: 0,
            })
        );
    });
}

#[test]
fn success_liability_is_only_ever_extended() {
    run(|| {
        assert_ok!(register_operator(1, BOND));
        let liable = || Operators::<Test>::get(account(1)).unwrap().liable_until;
        Compute::extend_liability(&account(1), 50);
        Compute::extend_liability(&account(1), 20);
        assert_eq!(liable(), 50);
        Compute::extend_liability(&account(9), 20);
        assert_eq!(Operators::<Test>::get(account(9)), None);
    });
}

#[test]
fn success_channels_are_counted() {
    run(|| {
        assert_ok!(register_operator(1, BOND));
        Compute::channel_opened(&account(1));
        Compute::channel_opened(&account(1));
        Compute::channel_closed(&account(1));
        assert_eq!(Operators::<Test>::get(account(1)).unwrap().open_channels, 1);
    });
}

#[test]
fn success_may_open_needs_an_active_operator_with_the_rulesets_bond() {
    run(|| {
        assert!(!Compute::may_open(&account(1), &RULESET));
        assert_ok!(register_operator(1, BOND));
        assert!(Compute::may_open(&account(1), &RULESET));
        Compute::slash_operator(&account(1), 1, None, 0);
        assert!(!Compute::may_open(&account(1), &RULESET));
        assert_ok!(Compute::add_bond(signed(1), 1));
        assert!(Compute::may_open(&account(1), &RULESET));
        assert_ok!(Compute::drain(signed(1)));
        assert!(!Compute::may_open(&account(1), &RULESET));
    });
}
