use super::*;
use attribution_proof::record::Defect;

/// A pending contribution of ten records, of which number 3 is `bad`.
fn with_bad(media: MediaType, bad: Vec<u8>) -> (Batch, ContributionId) {
    let mut records: Vec<_> = (0..10).map(|seed| text(seed, 300)).collect();
    records[3] = bad;
    let batch = Batch::new(1, records);
    let id = batch.submit_as(open_datanet(), media, Terms::FREE, None);
    (batch, id)
}

fn window(first: ChunkOpening, second: Option<ChunkOpening>) -> Box<MalformedEvidence> {
    Box::new(MalformedEvidence::Chunks(ChunkWindow { first, second }))
}

fn challenge(
    id: ContributionId,
    opening: Box<RecordOpening>,
    evidence: Box<MalformedEvidence>,
) -> DispatchResult {
    Datanets::challenge_malformed(signed(3), id, opening, evidence)
}

#[track_caller]
fn assert_falls(id: ContributionId, record: u32, expected: Defect, slashed: Balance) {
    assert_eq!(
        last_event(),
        PalletEvent::RecordFell {
            contribution: id,
            datanet: 1,
            record,
            fault: Fault::Malformed { defect: expected },
            challenger: account(3),
            slashed,
            reward: slashed * 2 / 5,
        }
    );
    assert_eq!(free(3), ENDOWMENT + slashed * 2 / 5);
    assert_eq!(treasury_balance(), EXISTENTIAL_DEPOSIT + slashed * 3 / 5);
    assert_eq!(stake_held(1), STAKE - slashed);
}

#[test]
fn success_for_every_text_defect() {
    for (bad, defect) in [
        (&b"two\r\nlines"[..], Defect::ControlCharacter),
        (b"nul\0", Defect::ControlCharacter),
        (b"\xff\xfe", Defect::NotUtf8),
        (b"blank \nline", Defect::TrailingBlank),
        (b"blank at the end\t", Defect::TrailingBlank),
    ] {
        execute(|| {
            let (batch, id) = with_bad(MediaType::Text, bad.to_vec());
            assert_ok!(challenge(
                id,
                batch.opening(3),
                window(batch.chunk(3, 0), None)
            ));
            assert_falls(id, 3, defect, 200);
        });
    }
}

#[test]
fn success_across_a_chunk_border() {
    execute(|| {
        let mut bad = text(0, 2_000);
        bad[1_023..1_025].copy_from_slice(b" \n");
        let (batch, id) = with_bad(MediaType::Text, bad);
        let both = window(batch.chunk(3, 0), Some(batch.chunk(3, 1)));
        assert_ok!(challenge(id, batch.opening(3), both));
        assert_falls(id, 3, Defect::TrailingBlank, 200);
    });
}

#[test]
fn success_when_length_and_chunks_disagree() {
    execute(|| {
        let content = content_tree(&text(0, 300)).commitment();
        let batch = Batch::described(1, vec![(content, 5_000); 10]);
        let id = batch.submit_as(open_datanet(), MediaType::Binary, Terms::FREE, None);
        assert_ok!(challenge(
            id,
            batch.opening(0),
            Box::new(MalformedEvidence::Length)
        ));
        assert_falls(id, 0, Defect::Length, 200);
    });
    execute(|| {
        let empty = Batch::described(1, vec![(Commitment::default(), 0); 10]);
        let id = empty.submit(open_datanet());
        assert_ok!(challenge(
            id,
            empty.opening(9),
            Box::new(MalformedEvidence::Length)
        ));
        assert_falls(id, 9, Defect::Length, 200);
    });
}

#[test]
fn success_when_a_chunk_is_shorter_than_declared() {
    execute(|| {
        let bytes = text(0, 300);
        let content = content_tree(&bytes).commitment();
        let batch = Batch::described(1, vec![(content, 301); 10]);
        let id = batch.submit_as(open_datanet(), MediaType::Binary, Terms::FREE, None);
        let chunk = ChunkOpening {
            index: 0,
            data: bytes.try_into().unwrap(),
            path: Default::default(),
        };
        assert_ok!(challenge(id, batch.opening(0), window(chunk, None)));
        assert_falls(id, 0, Defect::ChunkLength, 200);
    });
}

#[test]
fn success_on_an_accepted_contribution_falls_with_it() {
    execute(|| {
        let batch = Batch::new(1, vec![b"\0".to_vec()]);
        let id = batch.submit_and_accept(open_datanet());
        assert_ok!(challenge(
            id,
            batch.opening(0),
            window(batch.chunk(0, 0), None)
        ));
        assert_eq!(cause(id), Some(TombstoneCause::Slashed));
        assert_eq!(stake_held(1), 0);
    });
}

#[test]
fn rejects_evidence_that_proves_nothing() {
    let rejected = |reason, id, record| {
        assert_eq!(
            last_event(),
            PalletEvent::ChallengeRejected {
                contribution: id,
                record,
                challenger: account(3),
                bond: 300,
                reason
            }
        );
        assert_eq!(free(3), ENDOWMENT - 300);
        assert_eq!(treasury_balance(), EXISTENTIAL_DEPOSIT + 300);
        assert_eq!((details(id).fallen_records, stake_held(1)), (0, STAKE));
    };
    // Sound text; bytes that are no text but need not be; lengths that agree.
    execute(|| {
        let (batch, id) = with_bad(MediaType::Text, text(9, 300));
        assert_ok!(challenge(
            id,
            batch.opening(3),
            window(batch.chunk(3, 0), None)
        ));
        rejected(RejectionReason::NoDefect, id, 3);
    });
    execute(|| {
        let (batch, id) = with_bad(MediaType::Binary, b"\0\xff\r ".to_vec());
        assert_ok!(challenge(
            id,
            batch.opening(3),
            window(batch.chunk(3, 0), None)
        ));
        rejected(RejectionReason::NoDefect, id, 3);
    });
    execute(|| {
        let (batch, id) = with_bad(MediaType::Text, b"\0".to_vec());
        assert_ok!(challenge(
            id,
            batch.opening(3),
            Box::new(MalformedEvidence::Length)
        ));
        rejected(RejectionReason::NoDefect, id, 3);
    });
    // Another record's chunk, and an opening under a length that was not registered.
    execute(|| {
        let (batch, id) = with_bad(MediaType::Text, b"\0".to_vec());
        assert_ok!(challenge(
            id,
            batch.opening(4),
            window(batch.chunk(3, 0), None)
        ));
        rejected(RejectionReason::ChunkOpening, id, 4);
    });
    execute(|| {
        let (batch, id) = with_bad(MediaType::Text, text(9, 300));
        let mut opening = batch.opening(3);
        opening.len = 0;
        assert_ok!(challenge(id, opening, Box::new(MalformedEvidence::Length)));
        rejected(RejectionReason::RecordOpening, id, 3);
    });
}

#[test]
fn fails_when_record_fell_already() {
    execute(|| {
        let (batch, id) = with_bad(MediaType::Text, b"\0".to_vec());
        let again = || challenge(id, batch.opening(3), window(batch.chunk(3, 0), None));
        assert_ok!(again());
        assert_noop!(again(), PalletError::RecordFallen);
    });
}

#[test]
fn fails_when_unknown_or_bond_not_covered() {
    execute(|| {
        let (batch, id) = with_bad(MediaType::Text, b"\0".to_vec());
        let evidence = || window(batch.chunk(3, 0), None);
        assert_noop!(
            challenge(id + 1, batch.opening(3), evidence()),
            PalletError::UnknownContribution
        );
        assert_noop!(
            Datanets::challenge_malformed(signed(99), id, batch.opening(3), evidence()),
            PalletError::CannotAffordBond
        );
    });
}
