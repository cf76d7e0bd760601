use super::*;

#[test]
fn success_returns_the_stake_and_forgets() {
    execute(|| {
        let datanet = curated_datanet(2, 2);
        let id = Batch::texts(1, 0, 3).submit(datanet);
        assert_ok!(Datanets::vote(signed(10), id, true));
        advance(WINDOW + 1);
        assert_ok!(Datanets::lapse(signed(30), id));
        assert_eq!(Datanets::contribution(id), None);
        assert!(Datanets::votes(id).is_empty());
        assert_eq!(free(1), ENDOWMENT);
        assert_eq!(
            events()[events().len() - 2..],
            [
                PalletEvent::ContributionTombstoned {
                    contribution: id,
                    datanet,
                    cause: TombstoneCause::Lapsed
                },
                PalletEvent::StakeReleased {
                    contribution: id,
                    contributor: account(1),
                    amount: STAKE
                },
            ]
        );
    });
}

#[test]
fn success_keeps_one_with_fallen_records_as_evidence() {
    execute(|| {
        let original = Batch::texts(2, 0, 10);
        let earlier = original.submit_and_accept(open_datanet());
        let copy = Batch::texts(1, 0, 10);
        let id = copy.submit(curated_datanet(2, 2));
        assert_ok!(Datanets::challenge_duplicate(
            signed(3),
            id,
            copy.opening(4),
            earlier,
            original.opening(4)
        ));
        advance(WINDOW + 1);
        assert_ok!(Datanets::lapse(signed(30), id));
        let stored = details(id);
        assert_eq!((stored.held, stored.fallen_records), (0, 1));
        assert_eq!(cause(id), Some(TombstoneCause::Lapsed));
        assert_eq!(free(1), ENDOWMENT - STAKE / 10);
    });
}

#[test]
fn fails_when_window_is_open_or_datanet_is_open() {
    execute(|| {
        let id = Batch::texts(1, 0, 3).submit(curated_datanet(2, 2));
        let open = Batch::texts(1, 3, 3).submit(open_datanet());
        advance(WINDOW);
        assert_noop!(Datanets::lapse(signed(30), id), PalletError::WindowOpen);
        advance(1);
        assert_noop!(Datanets::lapse(signed(30), open), PalletError::NotCurated);
        assert_ok!(Datanets::lapse(signed(30), id));
        assert_noop!(
            Datanets::lapse(signed(30), id),
            PalletError::UnknownContribution
        );
    });
}

#[test]
fn fails_when_decided() {
    execute(|| {
        let id = Batch::texts(1, 0, 3).submit(curated_datanet(2, 1));
        assert_ok!(Datanets::vote(signed(10), id, false));
        advance(WINDOW + 1);
        assert_noop!(Datanets::lapse(signed(30), id), PalletError::AlreadyDecided);
    });
}
