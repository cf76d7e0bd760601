use super::*;

fn demanded(record: u32, chunk: u32) -> (Batch, ContributionId) {
    let batch = Batch::new(1, vec![text(0, 300), text(1, 2_000), text(2, 1_024)]);
    let id = batch.submit(open_datanet());
    assert_ok!(Datanets::demand(signed(5), id, record, chunk));
    (batch, id)
}

fn answer(opening: Box<RecordOpening>, chunk: Option<ChunkOpening>) -> DispatchResult {
    Datanets::answer_demand(signed(7), 1, opening, chunk.map(Box::new))
}

#[test]
fn success_earns_the_bond() {
    execute(|| {
        let (batch, id) = demanded(1, 1);
        advance(15);
        assert_ok!(answer(batch.opening(1), Some(batch.chunk(1, 1))));
        assert_eq!(free(7), ENDOWMENT + 200);
        assert_eq!(free(5), ENDOWMENT - 200);
        assert_eq!(held(HoldReason::DemandBond, 5), 0);
        assert_eq!(details(id).open_demands, 0);
        assert_eq!(
            last_event(),
            PalletEvent::DemandAnswered {
                demand: 1,
                contribution: id,
                record: 1,
                chunk: 1,
                answerer: account(7),
                bond: 200,
            }
        );
        // The chunk can be demanded again.
        assert_ok!(Datanets::demand(signed(5), id, 1, 1));
    });
}

#[test]
fn success_when_there_is_no_such_chunk() {
    execute(|| {
        let (batch, _) = demanded(1, 2);
        assert_ok!(answer(batch.opening(1), None));
        assert_eq!(free(7), ENDOWMENT + 200);
    });
}

#[test]
fn success_when_the_contribution_ended_meanwhile() {
    execute(|| {
        let batch = Batch::texts(1, 0, 3);
        let id = batch.submit_and_accept(open_datanet());
        assert_ok!(Datanets::demand(signed(5), id, 0, 0));
        assert_ok!(Datanets::withdraw(signed(1), id));
        assert_ok!(answer(batch.opening(0), Some(batch.chunk(0, 0))));
        assert_eq!(details(id).open_demands, 0);
    });
}

#[test]
fn fails_when_another_or_no_chunk_is_shown() {
    execute(|| {
        let (batch, _) = demanded(1, 1);
        let mut forged = batch.chunk(1, 1);
        forged.data = b"forged".to_vec().try_into().unwrap();
        let cases = [
            (
                batch.opening(0),
                Some(batch.chunk(0, 0)),
                PalletError::WrongRecordShown,
            ),
            (
                batch.opening(1),
                Some(batch.chunk(1, 0)),
                PalletError::WrongChunkShown,
            ),
            (batch.opening(1), Some(forged), PalletError::WrongChunkShown),
            (batch.opening(1), None, PalletError::ChunkNotShown),
        ];
        for (opening, chunk, error) in cases {
            assert_noop!(answer(opening, chunk), error);
        }
        // An opening that claims fewer chunks than were registered does not verify.
        let mut shortened = batch.opening(1);
        shortened.content.count = 1;
        assert_noop!(answer(shortened, None), PalletError::WrongRecordShown);
    });
}

#[test]
fn fails_when_too_late_or_unknown() {
    execute(|| {
        let (batch, _) = demanded(1, 1);
        advance(16);
        let late = || answer(batch.opening(1), Some(batch.chunk(1, 1)));
        assert_noop!(late(), PalletError::DemandOver);
        assert_ok!(Datanets::expire_demand(signed(5), 1));
        assert_noop!(late(), PalletError::UnknownDemand);
    });
}

#[test]
fn fails_when_the_contribution_is_forgotten() {
    execute(|| {
        let (batch, id) = demanded(1, 1);
        assert_ok!(Datanets::withdraw(signed(1), id));
        assert_noop!(
            answer(batch.opening(1), Some(batch.chunk(1, 1))),
            PalletError::UnknownContribution
        );
        assert_ok!(Datanets::expire_demand(signed(5), 1));
    });
}
