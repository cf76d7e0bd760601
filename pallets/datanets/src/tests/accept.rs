use super::*;
use attribution_proof::contribution::{snapshot_link, Contribution, Snapshot};

#[test]
fn success_extends_the_snapshot_chain() {
    execute(|| {
        let datanet = open_datanet();
        let batches = [Batch::texts(1, 0, 3), Batch::texts(2, 3, 5)];
        let ids = batches.each_ref().map(|batch| batch.submit(datanet));
        advance(WINDOW + 1);
        // Acceptance may come in another order than submission.
        assert_ok!(Datanets::accept(signed(30), ids[1]));
        assert_ok!(Datanets::accept(signed(30), ids[0]));
        let object = |at: usize, index, records_before| Contribution {
            sequence: ids[at],
            datanet,
            index,
            contributor: account(batches[at].contributor),
            leaves: batches[at].leaves(),
            records_before,
            bytes: 1_000_000,
            media: MediaType::Text,
            content: [7; 32],
            licence: licence(Terms::FREE),
            supersedes: None,
        };
        let first = snapshot_link(&Hash::zero(), &object(1, 0, 0));
        let second = snapshot_link(&first, &object(0, 1, 5));
        assert_eq!(
            Datanets::latest_snapshot(datanet),
            Some(Snapshot {
                datanet,
                length: 2,
                head: second,
                records: 8
            })
        );
        assert_eq!(
            details(ids[1]).state,
            ContributionState::Accepted(Acceptance {
                index: 0,
                records_before: 0,
                snapshot: first,
                at: 12
            })
        );
        assert_eq!(
            last_event(),
            PalletEvent::ContributionAccepted {
                contribution: ids[0],
                datanet,
                index: 1,
                records_before: 5,
                snapshot: second,
            }
        );
        assert_eq!((stake_held(1), stake_held(2)), (STAKE, STAKE));
    });
}

#[test]
fn success_ends_the_superseded_contribution() {
    execute(|| {
        let datanet = open_datanet();
        let strict = Terms {
            derivatives: false,
            ..Terms::FREE
        };
        let old = Batch::texts(1, 0, 3).submit_as(datanet, MediaType::Text, strict, None);
        accept_later(old);
        assert_eq!(Datanets::terms(datanet), Some(strict));
        let batch = Batch::texts(1, 9, 3);
        let new = batch.submit_as(datanet, MediaType::Text, Terms::FREE, Some(old));
        assert_eq!(cause(old), None);
        accept_later(new);
        assert_eq!(cause(old), Some(TombstoneCause::Superseded));
        assert_eq!(Datanets::terms(datanet), Some(Terms::FREE));
        assert_eq!(Datanets::datanet(datanet).unwrap().length, 2);
        assert_eq!(stake_held(1), 2 * STAKE);
    });
}

#[test]
fn success_when_the_superseded_one_ended_meanwhile() {
    execute(|| {
        let datanet = open_datanet();
        let old = Batch::texts(1, 0, 3).submit_and_accept(datanet);
        let batch = Batch::texts(1, 9, 3);
        let new = batch.submit_as(datanet, MediaType::Text, Terms::FREE, Some(old));
        assert_ok!(Datanets::withdraw(signed(1), old));
        accept_later(new);
        assert_eq!(cause(old), Some(TombstoneCause::Withdrawn));
        assert_eq!(cause(new), None);
    });
}

#[test]
fn fails_when_window_is_open() {
    execute(|| {
        let id = Batch::texts(1, 0, 3).submit(open_datanet());
        advance(WINDOW);
        assert_noop!(Datanets::accept(signed(1), id), PalletError::WindowOpen);
        advance(1);
        assert_ok!(Datanets::accept(signed(1), id));
    });
}

#[test]
fn fails_when_not_pending() {
    execute(|| {
        let datanet = open_datanet();
        let id = Batch::texts(1, 0, 3).submit_and_accept(datanet);
        assert_noop!(Datanets::accept(signed(1), id), PalletError::AlreadyDecided);
        assert_ok!(Datanets::withdraw(signed(1), id));
        assert_noop!(Datanets::accept(signed(1), id), PalletError::AlreadyEnded);
        assert_noop!(
            Datanets::accept(signed(1), 99),
            PalletError::UnknownContribution
        );
    });
}

#[test]
fn fails_when_curated() {
    execute(|| {
        let id = Batch::texts(1, 0, 3).submit(curated_datanet(1, 1));
        advance(WINDOW + 1);
        assert_noop!(Datanets::accept(signed(1), id), PalletError::Curated);
    });
}
