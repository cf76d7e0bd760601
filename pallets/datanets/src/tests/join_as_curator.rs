use super::*;

#[test]
fn success_places_the_stake_of_the_current_ruleset() {
    execute(|| {
        let datanet = curated_datanet(1, 1);
        assert_eq!(held(HoldReason::CuratorStake, 10), 5_000);
        assert_eq!(
            last_event(),
            PalletEvent::CuratorJoined {
                datanet,
                curator: account(10),
                stake: 5_000
            }
        );
        NewestRuleset::set(3);
        let other = curated_datanet(1, 1);
        assert_eq!(Datanets::curator(other, account(10)).unwrap().stake, 5_003);
        assert_eq!(held(HoldReason::CuratorStake, 10), 10_003);
    });
}

#[test]
fn success_again_after_a_slash() {
    execute(|| {
        let datanet = curated_datanet(2, 1);
        let id = Batch::texts(1, 0, 3).submit(datanet);
        assert_ok!(Datanets::vote(signed(10), id, true));
        assert_ok!(Datanets::overrule(RuntimeOrigin::root(), id));
        assert_eq!(held(HoldReason::CuratorStake, 10), 0);
        assert_ok!(Datanets::join_as_curator(signed(10), datanet));
        assert_eq!(held(HoldReason::CuratorStake, 10), 5_000);
    });
}

#[test]
fn fails_when_datanet_is_unknown_or_open() {
    execute(|| {
        assert_noop!(
            Datanets::join_as_curator(signed(10), 1),
            PalletError::UnknownDatanet
        );
        let datanet = open_datanet();
        assert_noop!(
            Datanets::join_as_curator(signed(10), datanet),
            PalletError::NotCurated
        );
    });
}

#[test]
fn fails_when_not_named_or_joined_already() {
    execute(|| {
        let datanet = curated_datanet(2, 1);
        assert_noop!(
            Datanets::join_as_curator(signed(12), datanet),
            PalletError::NotNamedCurator
        );
        assert_noop!(
            Datanets::join_as_curator(signed(11), datanet),
            PalletError::AlreadyJoined
        );
    });
}

#[test]
fn fails_when_stake_is_not_covered() {
    execute(|| {
        let poor: Curators = vec![account(99)].try_into().unwrap();
        assert_ok!(Datanets::create_curated(signed(1), name("c"), poor, 1));
        assert_noop!(
            Datanets::join_as_curator(signed(99), 1),
            TokenError::FundsUnavailable
        );
    });
}
