use super::*;
use sp_runtime::DispatchError;

#[test]
fn success_ends_an_accepted_one_and_slashes_who_approved() {
    execute(|| {
        let datanet = curated_datanet(3, 2);
        let id = Batch::texts(1, 0, 3).submit(datanet);
        for (curator, approve) in [(10, true), (11, false), (12, true)] {
            assert_ok!(Datanets::vote(signed(curator), id, approve));
        }
        assert_ok!(Datanets::overrule(RuntimeOrigin::root(), id));
        assert_eq!(cause(id), Some(TombstoneCause::Overruled));
        let stakes = [10, 11, 12].map(|curator| held(HoldReason::CuratorStake, curator));
        assert_eq!(stakes, [0, 5_000, 0]);
        assert_eq!(treasury_balance(), EXISTENTIAL_DEPOSIT + 10_000);
        assert_eq!(
            last_event(),
            PalletEvent::Overruled {
                contribution: id,
                datanet,
                accepted: false
            }
        );
        assert!(events().contains(&PalletEvent::CuratorSlashed {
            datanet,
            curator: account(12),
            contribution: id,
            amount: 5_000
        }));
        // The contributor did nothing that is punished: the stake is released after the window.
        assert_eq!(stake_held(1), STAKE);
        advance(WINDOW + 1);
        assert_ok!(Datanets::release_stake(signed(1), id));
        assert_noop!(
            Datanets::overrule(RuntimeOrigin::root(), id),
            PalletError::AlreadyEnded
        );
    });
}

#[test]
fn success_accepts_a_rejected_one_and_slashes_who_rejected() {
    execute(|| {
        let datanet = curated_datanet(2, 1);
        let first = Batch::texts(1, 0, 3).submit(datanet);
        let second = Batch::texts(2, 3, 5).submit(datanet);
        assert_ok!(Datanets::vote(signed(10), first, false));
        assert_ok!(Datanets::vote(signed(11), second, true));
        assert_ok!(Datanets::overrule(RuntimeOrigin::root(), first));
        let acceptance = details(first).acceptance().unwrap();
        assert_eq!((acceptance.index, acceptance.records_before), (1, 5));
        assert_eq!(held(HoldReason::CuratorStake, 10), 0);
        assert_eq!(held(HoldReason::CuratorStake, 11), 5_000);
        assert_eq!(
            last_event(),
            PalletEvent::Overruled {
                contribution: first,
                datanet,
                accepted: true
            }
        );
        // Governance may change its mind; nobody is left to be slashed for it.
        assert_ok!(Datanets::overrule(RuntimeOrigin::root(), first));
        assert_eq!(cause(first), Some(TombstoneCause::Overruled));
    });
}

#[test]
fn success_takes_down_from_an_open_datanet() {
    execute(|| {
        let id = Batch::texts(1, 0, 3).submit_and_accept(open_datanet());
        assert_ok!(Datanets::overrule(RuntimeOrigin::root(), id));
        assert_eq!(cause(id), Some(TombstoneCause::Overruled));
        assert_eq!(treasury_balance(), EXISTENTIAL_DEPOSIT);
    });
}

#[test]
fn fails_when_not_governance() {
    execute(|| {
        let id = Batch::texts(1, 0, 3).submit_and_accept(open_datanet());
        assert_noop!(Datanets::overrule(signed(20), id), DispatchError::BadOrigin);
    });
}

#[test]
fn fails_when_pending_or_unknown() {
    execute(|| {
        let id = Batch::texts(1, 0, 3).submit(open_datanet());
        assert_noop!(
            Datanets::overrule(RuntimeOrigin::root(), id),
            PalletError::NotDecided
        );
        assert_noop!(
            Datanets::overrule(RuntimeOrigin::root(), 99),
            PalletError::UnknownContribution
        );
    });
}
