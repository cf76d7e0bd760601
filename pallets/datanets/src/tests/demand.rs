use super::*;

#[test]
fn success_holds_the_bond() {
    execute(|| {
        let id = Batch::texts(1, 0, 3).submit(open_datanet());
        assert_ok!(Datanets::demand(signed(5), id, 2, 0));
        assert_eq!(held(HoldReason::DemandBond, 5), 200);
        assert_eq!(details(id).open_demands, 1);
        assert_eq!(
            last_event(),
            PalletEvent::Demanded {
                demand: 1,
                demander: account(5),
                contribution: id,
                record: 2,
                chunk: 0,
                bond: 200,
                expires: 16,
            }
        );
        // Other chunks of the same record can be demanded beside it.
        assert_ok!(Datanets::demand(signed(6), id, 2, 1));
        assert_eq!(details(id).open_demands, 2);
    });
}

#[test]
fn fails_when_demanded_already() {
    execute(|| {
        let id = Batch::texts(1, 0, 3).submit(open_datanet());
        assert_ok!(Datanets::demand(signed(5), id, 2, 0));
        assert_noop!(
            Datanets::demand(signed(6), id, 2, 0),
            PalletError::AlreadyDemanded
        );
    });
}

#[test]
fn fails_when_there_is_no_such_thing() {
    execute(|| {
        let id = Batch::texts(1, 0, 3).submit(open_datanet());
        assert_noop!(
            Datanets::demand(signed(5), 99, 0, 0),
            PalletError::UnknownContribution
        );
        assert_noop!(
            Datanets::demand(signed(5), id, 3, 0),
            PalletError::NoSuchRecord
        );
        assert_noop!(
            Datanets::demand(signed(5), id, 0, MAX_CHUNKS),
            PalletError::NoSuchChunk
        );
        assert_ok!(Datanets::demand(signed(5), id, 0, MAX_CHUNKS - 1));
    });
}

#[test]
fn fails_when_ended_rejected_or_fallen() {
    execute(|| {
        let batch = Batch::new(
            1,
            [vec![0], text(1, 300)]
                .concat()
                .chunks(10)
                .map(Vec::from)
                .collect(),
        );
        let id = batch.submit_and_accept(open_datanet());
        assert_ok!(Datanets::challenge_malformed(
            signed(3),
            id,
            batch.opening(0),
            Box::new(MalformedEvidence::Chunks(ChunkWindow {
                first: batch.chunk(0, 0),
                second: None
            }))
        ));
        assert_noop!(
            Datanets::demand(signed(5), id, 0, 0),
            PalletError::RecordFallen
        );
        assert_ok!(Datanets::withdraw(signed(1), id));
        assert_noop!(
            Datanets::demand(signed(5), id, 1, 0),
            PalletError::AlreadyEnded
        );
        let rejected = Batch::texts(1, 9, 3).submit(curated_datanet(1, 1));
        assert_ok!(Datanets::vote(signed(10), rejected, false));
        assert_noop!(
            Datanets::demand(signed(5), rejected, 0, 0),
            PalletError::NotLiable
        );
    });
}

#[test]
fn fails_when_bond_is_not_covered() {
    execute(|| {
        let id = Batch::texts(1, 0, 3).submit(open_datanet());
        assert_noop!(
            Datanets::demand(signed(99), id, 0, 0),
            TokenError::FundsUnavailable
        );
    });
}
