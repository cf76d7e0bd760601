use super::*;
use attribution_proof::contribution::Snapshot;

#[test]
fn success_snapshots_are_recognised_and_forged_ones_are_not() {
    execute(|| {
        let datanet = open_datanet();
        let empty = Datanets::latest_snapshot(datanet).unwrap();
        assert_eq!(
            empty,
            Snapshot {
                datanet,
                length: 0,
                head: Hash::zero(),
                records: 0
            }
        );
        Batch::texts(1, 0, 3).submit_and_accept(datanet);
        let first = Datanets::latest_snapshot(datanet).unwrap();
        let id = Batch::texts(2, 3, 4).submit_and_accept(datanet);
        let second = Datanets::latest_snapshot(datanet).unwrap();
        assert_ok!(Datanets::withdraw(signed(2), id));
        for snapshot in [empty, first, second] {
            assert!(Datanets::is_snapshot(&snapshot), "{snapshot:?}");
        }
        for forged in [
            Snapshot {
                records: 4,
                ..first
            },
            Snapshot {
                head: second.head,
                ..first
            },
            Snapshot { length: 2, ..first },
            Snapshot {
                length: 3,
                ..second
            },
            Snapshot {
                datanet: datanet + 1,
                ..second
            },
            Snapshot {
                datanet: datanet + 1,
                ..empty
            },
            Snapshot {
                records: 1,
                ..empty
            },
            Snapshot {
                head: first.head,
                ..empty
            },
        ] {
            assert!(!Datanets::is_snapshot(&forged), "{forged:?}");
        }
        assert_eq!(Datanets::latest_snapshot(datanet + 1), None);
    });
}

#[test]
fn success_terms_are_the_meet_of_live_accepted_contributions() {
    execute(|| {
        let datanet = open_datanet();
        assert_eq!(Datanets::terms(datanet), Some(Terms::FREE));
        assert_eq!(Datanets::terms(datanet + 1), None);
        let all = [
            Terms {
                attribution: true,
                ..Terms::FREE
            },
            Terms {
                commercial: false,
                share_alike: true,
                ..Terms::FREE
            },
            Terms {
                derivatives: false,
                commercial: false,
                ..Terms::FREE
            },
        ];
        let ids = all.map(|terms| {
            let seed = NextContribution::<Test>::get() as u8 * 3;
            let batch = Batch::texts(1, seed, 3);
            batch.submit_as(datanet, MediaType::Text, terms, None)
        });
        assert_eq!(Datanets::terms(datanet), Some(Terms::FREE));
        advance(WINDOW + 1);
        let mut meet = Terms::FREE;
        for (id, terms) in ids.into_iter().zip(all) {
            assert_ok!(Datanets::accept(signed(1), id));
            meet = meet.meet(terms);
            assert_eq!(Datanets::terms(datanet), Some(meet));
        }
        assert_ok!(Datanets::withdraw(signed(1), ids[2]));
        assert_eq!(Datanets::terms(datanet), Some(all[0].meet(all[1])));
    });
}

#[test]
fn success_lookup_and_tombstones() {
    execute(|| {
        let datanet = open_datanet();
        Batch::texts(2, 9, 4).submit_and_accept(datanet);
        let batch = Batch::texts(1, 0, 10);
        let id = batch.submit(datanet);
        assert_eq!(Datanets::lookup(id), None);
        accept_later(id);
        let expected = AcceptedContribution {
            datanet,
            index: 1,
            records_before: 4,
            leaves: batch.leaves(),
            contributor: account(1),
            media: MediaType::Text,
            tombstoned_at: None,
        };
        assert_eq!(Datanets::lookup(id), Some(expected.clone()));
        assert_ok!(Datanets::demand(signed(5), id, 4, 0));
        advance(16);
        assert_ok!(Datanets::expire_demand(signed(5), 1));
        let fell = Datanets::now();
        advance(5);
        assert_ok!(Datanets::withdraw(signed(1), id));
        let ended = fell + 5;
        assert_eq!(
            Datanets::lookup(id),
            Some(AcceptedContribution {
                tombstoned_at: Some(ended),
                ..expected
            })
        );
        // The earlier of the two.
        assert_eq!(Datanets::record_tombstoned_at(id, 4), Some(fell));
        assert_eq!(Datanets::record_tombstoned_at(id, 5), Some(ended));
        assert_eq!(Datanets::record_tombstoned_at(99, 0), None);
    });
}

#[test]
fn success_pages() {
    execute(|| {
        let datanet = open_datanet();
        let other = open_datanet();
        let ids: Vec<_> = (0..6)
            .map(|seed| {
                let target = if seed == 3 { other } else { datanet };
                Batch::texts(1, seed * 3, 3).submit(target)
            })
            .collect();
        advance(WINDOW + 1);
        for id in [ids[4], ids[0], ids[2]] {
            assert_ok!(Datanets::accept(signed(1), id));
        }
        let numbers = |page: Vec<(ContributionId, ContributionDetails)>| {
            page.into_iter().map(|(id, _)| id).collect::<Vec<_>>()
        };
        assert_eq!(
            numbers(Datanets::accepted_page(datanet, 0, u32::MAX)),
            [ids[4], ids[0], ids[2]]
        );
        assert_eq!(numbers(Datanets::accepted_page(datanet, 1, 1)), [ids[0]]);
        assert_eq!(
            numbers(Datanets::accepted_page(datanet, 3, 9)),
            Vec::<u64>::new()
        );
        assert_eq!(
            numbers(Datanets::accepted_page(datanet, u32::MAX, 9)),
            Vec::<u64>::new()
        );
        assert_eq!(
            numbers(Datanets::pending_page(datanet, 0, u32::MAX)),
            [ids[1], ids[5]]
        );
        assert_eq!(numbers(Datanets::pending_page(datanet, 1, 4)), [ids[1]]);
        assert_eq!(numbers(Datanets::pending_page(other, 1, 10)), [ids[3]]);
    });
}
