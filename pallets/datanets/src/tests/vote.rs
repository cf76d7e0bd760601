use super::*;

#[test]
fn success_accepts_at_the_threshold() {
    execute(|| {
        let datanet = curated_datanet(3, 2);
        let id = Batch::texts(1, 0, 3).submit(datanet);
        assert_ok!(Datanets::vote(signed(10), id, true));
        assert_eq!(
            last_event(),
            PalletEvent::Voted {
                contribution: id,
                datanet,
                curator: account(10),
                approve: true,
                approvals: 1,
                rejections: 0,
            }
        );
        assert_ok!(Datanets::vote(signed(11), id, false));
        assert_eq!(details(id).state, ContributionState::Pending);
        assert_eq!(
            Datanets::curator(datanet, account(11)).unwrap().open_votes,
            1
        );
        assert_ok!(Datanets::vote(signed(12), id, true));
        assert!(details(id).acceptance().is_some());
        assert_eq!(Datanets::datanet(datanet).unwrap().length, 1);
        for curator in [10, 11, 12] {
            let entry = Datanets::curator(datanet, account(curator)).unwrap();
            assert_eq!((entry.open_votes, entry.liable_until), (0, 1 + WINDOW));
        }
        assert_eq!(Datanets::votes(id).len(), 3);
    });
}

#[test]
fn success_rejects_at_the_threshold_and_keeps_the_stake_for_an_appeal() {
    execute(|| {
        let datanet = curated_datanet(3, 2);
        let id = Batch::texts(1, 0, 3).submit(datanet);
        assert_ok!(Datanets::vote(signed(10), id, false));
        assert_ok!(Datanets::vote(signed(11), id, false));
        assert_eq!(details(id).state, ContributionState::Rejected { at: 1 });
        assert_eq!(
            last_event(),
            PalletEvent::ContributionRejected {
                contribution: id,
                datanet
            }
        );
        assert_eq!(stake_held(1), STAKE);
        assert_eq!(Datanets::datanet(datanet).unwrap().length, 0);
    });
}

#[test]
fn success_in_the_last_block_of_the_window() {
    execute(|| {
        let id = Batch::texts(1, 0, 3).submit(curated_datanet(2, 1));
        advance(WINDOW);
        assert_ok!(Datanets::vote(signed(10), id, true));
        assert!(details(id).acceptance().is_some());
    });
}

#[test]
fn fails_when_window_is_over() {
    execute(|| {
        let id = Batch::texts(1, 0, 3).submit(curated_datanet(2, 1));
        advance(WINDOW + 1);
        assert_noop!(
            Datanets::vote(signed(10), id, true),
            PalletError::WindowOver
        );
    });
}

#[test]
fn fails_when_not_a_staked_curator() {
    execute(|| {
        let datanet = curated_datanet(2, 2);
        let id = Batch::texts(1, 0, 3).submit(datanet);
        assert_ok!(Datanets::leave_as_curator(signed(11), datanet));
        for who in [1, 11, 20] {
            assert_noop!(
                Datanets::vote(signed(who), id, true),
                PalletError::NotStakedCurator
            );
        }
    });
}

#[test]
fn fails_when_stake_was_slashed() {
    execute(|| {
        let datanet = curated_datanet(2, 1);
        let first = Batch::texts(1, 0, 3).submit(datanet);
        let second = Batch::texts(2, 3, 3).submit(datanet);
        assert_ok!(Datanets::vote(signed(10), first, true));
        assert_ok!(Datanets::overrule(RuntimeOrigin::root(), first));
        assert_noop!(
            Datanets::vote(signed(10), second, true),
            PalletError::NotStakedCurator
        );
    });
}

#[test]
fn fails_when_voting_twice() {
    execute(|| {
        let id = Batch::texts(1, 0, 3).submit(curated_datanet(2, 2));
        assert_ok!(Datanets::vote(signed(10), id, true));
        for approve in [true, false] {
            assert_noop!(
                Datanets::vote(signed(10), id, approve),
                PalletError::AlreadyVoted
            );
        }
    });
}

#[test]
fn fails_when_decided_or_open_or_unknown() {
    execute(|| {
        let id = Batch::texts(1, 0, 3).submit(curated_datanet(2, 1));
        assert_ok!(Datanets::vote(signed(10), id, true));
        assert_noop!(
            Datanets::vote(signed(11), id, true),
            PalletError::AlreadyDecided
        );
        let open = Batch::texts(1, 3, 3).submit(open_datanet());
        assert_noop!(
            Datanets::vote(signed(10), open, true),
            PalletError::NotCurated
        );
        assert_noop!(
            Datanets::vote(signed(10), 99, true),
            PalletError::UnknownContribution
        );
    });
}
