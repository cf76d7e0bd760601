use super::*;

#[test]
fn success_without_votes() {
    execute(|| {
        let datanet = curated_datanet(1, 1);
        assert_ok!(Datanets::leave_as_curator(signed(10), datanet));
        assert_eq!(free(10), ENDOWMENT);
        assert_eq!(Datanets::curator(datanet, account(10)), None);
        assert_eq!(
            last_event(),
            PalletEvent::CuratorLeft {
                datanet,
                curator: account(10),
                stake: 5_000
            }
        );
    });
}

#[test]
fn success_when_the_time_for_appeals_is_over() {
    execute(|| {
        let datanet = curated_datanet(1, 1);
        let id = Batch::texts(1, 0, 3).submit(datanet);
        assert_ok!(Datanets::vote(signed(10), id, true));
        advance(WINDOW);
        assert_noop!(
            Datanets::leave_as_curator(signed(10), datanet),
            PalletError::StillLiable
        );
        advance(1);
        assert_ok!(Datanets::leave_as_curator(signed(10), datanet));
        assert_eq!(free(10), ENDOWMENT);
        // An appeal that comes later takes nothing from anybody and still decides.
        assert_ok!(Datanets::overrule(RuntimeOrigin::root(), id));
        assert_eq!(free(10), ENDOWMENT);
        assert_eq!(cause(id), Some(TombstoneCause::Overruled));
    });
}

#[test]
fn success_after_an_undecided_contribution_ended() {
    execute(|| {
        let datanet = curated_datanet(2, 2);
        let withdrawn = Batch::texts(1, 0, 3).submit(datanet);
        let lapsed = Batch::texts(2, 3, 3).submit(datanet);
        for id in [withdrawn, lapsed] {
            assert_ok!(Datanets::vote(signed(10), id, true));
        }
        assert_noop!(
            Datanets::leave_as_curator(signed(10), datanet),
            PalletError::OpenVotes
        );
        assert_ok!(Datanets::withdraw(signed(1), withdrawn));
        assert_noop!(
            Datanets::leave_as_curator(signed(10), datanet),
            PalletError::OpenVotes
        );
        advance(WINDOW + 1);
        assert_ok!(Datanets::lapse(signed(30), lapsed));
        assert_ok!(Datanets::leave_as_curator(signed(10), datanet));
    });
}

#[test]
fn fails_when_not_joined() {
    execute(|| {
        let datanet = curated_datanet(1, 1);
        assert_noop!(
            Datanets::leave_as_curator(signed(11), datanet),
            PalletError::NotStakedCurator
        );
    });
}
