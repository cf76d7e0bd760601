use crate::{mock::*, CurrentRuleset, Error, Event, RulesetOf};
use attribution_proof::{
    ruleset::{Ruleset, Rulesets},
    split::BILLION,
};
use frame_support::{assert_noop, assert_ok};
use sp_runtime::{BuildStorage, DispatchError};

fn add(ruleset: Ruleset) -> frame_support::dispatch::DispatchResult {
    Attribution::add_ruleset(RuntimeOrigin::root(), Box::new(ruleset))
}

#[test]
fn success_newest_is_current_and_the_old_stays() {
    execute(|| {
        let mut other = RULESET;
        other.receipt.top_k = 7;
        assert_eq!(<Attribution as Rulesets>::current(), (0, RULESET));
        assert_ok!(add(other));
        assert_eq!(events(), [Event::RulesetAdded { ruleset: 1 }]);
        assert_eq!(<Attribution as Rulesets>::current(), (1, other));
        assert_eq!(<Attribution as Rulesets>::get(0), Some(RULESET));
        assert_eq!(<Attribution as Rulesets>::get(2), None);
    });
}

#[test]
fn success_genesis_names_ruleset_0() {
    let mut other = RULESET;
    other.receipt.top_k = 7;
    let storage = crate::GenesisConfig::<Test> {
        ruleset: Some(other),
        ..Default::default()
    }
    .build_storage()
    .unwrap();
    sp_io::TestExternalities::from(storage).execute_with(|| {
        assert_eq!(<Attribution as Rulesets>::current(), (0, other));
    });
}

#[test]
fn success_without_genesis_the_initial_ruleset_is_0() {
    sp_io::TestExternalities::default().execute_with(|| {
        assert_eq!(<Attribution as Rulesets>::current(), (0, RULESET));
        assert_eq!(<Attribution as Rulesets>::get(1), None);
    });
}

#[test]
#[should_panic(expected = "ruleset 0 of the genesis is out of bounds")]
fn fails_when_genesis_ruleset_is_out_of_bounds() {
    let mut wrong = RULESET;
    wrong.receipt.top_k = 0;
    let genesis = crate::GenesisConfig::<Test> {
        ruleset: Some(wrong),
        ..Default::default()
    };
    let _ = genesis.build_storage();
}

#[test]
fn fails_when_origin_is_not_the_referendum() {
    execute(|| {
        let call = Attribution::add_ruleset(RuntimeOrigin::signed(operator()), Box::new(RULESET));
        assert_noop!(call, DispatchError::BadOrigin);
    });
}

#[test]
fn fails_when_a_number_is_out_of_bounds() {
    execute(|| {
        let refuse = |change: fn(&mut Ruleset), error: Error<Test>| {
            let mut ruleset = RULESET;
            change(&mut ruleset);
            assert_noop!(add(ruleset), error);
        };
        refuse(|r| r.settlement.settlement_window = 0, Error::RulesetWindow);
        refuse(
            |r| r.settlement.demand_window = SETTLEMENT_WINDOW + 1,
            Error::RulesetWindow,
        );
        refuse(|r| r.settlement.challenge_bond = 0, Error::RulesetAmount);
        refuse(
            |r| r.settlement.challenger_reward = BILLION / 2 + 1,
            Error::RulesetShare,
        );
        refuse(|r| r.split.data += 1, Error::RulesetShare);
        refuse(|r| r.receipt.top_k = 65, Error::RulesetTopK);
        refuse(|r| r.receipt.floor_denominator = 0, Error::RulesetFloor);
        refuse(|r| r.receipt.minimum_span = 7, Error::RulesetSpan);
    });
}

#[test]
fn fails_when_numbers_are_used_up() {
    execute(|| {
        CurrentRuleset::<Test>::put(u32::MAX);
        assert_noop!(add(RULESET), Error::<Test>::TooManyRulesets);
        CurrentRuleset::<Test>::put(0);
        assert_eq!(RulesetOf::<Test>::iter().count(), 1);
    });
}
