use super::*;

#[test]
fn success_pending_is_forgotten() {
    execute(|| {
        let id = Batch::texts(1, 0, 3).submit(open_datanet());
        assert_ok!(Datanets::withdraw(signed(1), id));
        assert_eq!(Datanets::contribution(id), None);
        assert_eq!(free(1), ENDOWMENT);
        // Its number is not given again.
        assert_eq!(Batch::texts(1, 0, 3).submit(1), id + 1);
    });
}

#[test]
fn success_rejected_gives_up_the_appeal() {
    execute(|| {
        let id = Batch::texts(1, 0, 3).submit(curated_datanet(1, 1));
        assert_ok!(Datanets::vote(signed(10), id, false));
        assert_ok!(Datanets::withdraw(signed(1), id));
        assert_eq!(free(1), ENDOWMENT);
        assert_noop!(
            Datanets::overrule(RuntimeOrigin::root(), id),
            PalletError::UnknownContribution
        );
    });
}

#[test]
fn success_accepted_leaves_a_tombstone_and_keeps_the_stake() {
    execute(|| {
        let datanet = open_datanet();
        let terms = Terms {
            commercial: false,
            share_alike: true,
            ..Terms::FREE
        };
        let id = Batch::texts(1, 0, 3).submit_as(datanet, MediaType::Text, terms, None);
        accept_later(id);
        assert_eq!(Datanets::terms(datanet), Some(terms));
        let snapshot = Datanets::latest_snapshot(datanet);
        assert_ok!(Datanets::withdraw(signed(1), id));
        assert_eq!(cause(id), Some(TombstoneCause::Withdrawn));
        assert_eq!(
            last_event(),
            PalletEvent::ContributionTombstoned {
                contribution: id,
                datanet,
                cause: TombstoneCause::Withdrawn
            }
        );
        assert_eq!(stake_held(1), STAKE);
        assert_eq!(Datanets::terms(datanet), Some(Terms::FREE));
        assert_eq!(Datanets::latest_snapshot(datanet), snapshot);
    });
}

#[test]
fn fails_when_not_the_contributor() {
    execute(|| {
        let id = Batch::texts(1, 0, 3).submit(open_datanet());
        assert_noop!(
            Datanets::withdraw(signed(2), id),
            PalletError::NotContributor
        );
        assert_noop!(
            Datanets::withdraw(signed(1), 99),
            PalletError::UnknownContribution
        );
    });
}

#[test]
fn fails_when_ended() {
    execute(|| {
        let id = Batch::texts(1, 0, 3).submit_and_accept(open_datanet());
        assert_ok!(Datanets::withdraw(signed(1), id));
        assert_noop!(Datanets::withdraw(signed(1), id), PalletError::AlreadyEnded);
    });
}
