use super::*;

#[test]
fn success_lets_the_record_fall() {
    execute(|| {
        let id = Batch::texts(1, 0, 10).submit_and_accept(open_datanet());
        assert_ok!(Datanets::demand(signed(5), id, 4, 0));
        advance(16);
        assert_ok!(Datanets::expire_demand(signed(30), 1));
        // The bond is back, and the demander is the challenger: 40 % of 200.
        assert_eq!(free(5), ENDOWMENT + 80);
        assert_eq!(treasury_balance(), EXISTENTIAL_DEPOSIT + 120);
        assert_eq!(stake_held(1), STAKE - 200);
        assert_eq!(
            (details(id).open_demands, details(id).fallen_records),
            (0, 1)
        );
        assert_eq!(Datanets::record_tombstoned_at(id, 4), Some(28));
        let events = events();
        assert_eq!(
            events[events.len() - 2..],
            [
                PalletEvent::RecordFell {
                    contribution: id,
                    datanet: 1,
                    record: 4,
                    fault: Fault::Withheld {
                        demand: 1,
                        chunk: 0
                    },
                    challenger: account(5),
                    slashed: 200,
                    reward: 80,
                },
                PalletEvent::DemandExpired {
                    demand: 1,
                    contribution: id,
                    record: 4,
                    chunk: 0,
                    demander: account(5),
                    bond: 200,
                },
            ]
        );
    });
}

#[test]
fn success_withholding_too_much_sinks_the_contribution() {
    execute(|| {
        let datanet = curated_datanet(2, 2);
        let id = Batch::texts(1, 0, 3).submit(datanet);
        assert_ok!(Datanets::vote(signed(10), id, true));
        assert_ok!(Datanets::demand(signed(5), id, 0, 0));
        advance(16);
        assert_ok!(Datanets::expire_demand(signed(30), 1));
        assert_eq!(cause(id), Some(TombstoneCause::Withheld));
        assert_eq!(stake_held(1), 0);
        assert_eq!(
            Datanets::curator(datanet, account(10)).unwrap().open_votes,
            0
        );
    });
}

#[test]
fn success_withdrawing_does_not_evade_it() {
    execute(|| {
        let id = Batch::texts(1, 0, 10).submit_and_accept(open_datanet());
        assert_ok!(Datanets::demand(signed(5), id, 4, 0));
        assert_ok!(Datanets::withdraw(signed(1), id));
        advance(15);
        assert_noop!(
            Datanets::expire_demand(signed(30), 1),
            PalletError::DemandOpen
        );
        assert_noop!(
            Datanets::release_stake(signed(1), id),
            PalletError::OpenDemands
        );
        advance(1);
        assert_ok!(Datanets::expire_demand(signed(30), 1));
        assert_eq!(stake_held(1), STAKE - 200);
        assert_ok!(Datanets::release_stake(signed(1), id));
        assert_eq!(free(1), ENDOWMENT - 200);
    });
}

#[test]
fn success_at_once_and_without_a_slash_when_there_is_nothing_at_stake() {
    execute(|| {
        // Forgotten.
        let datanet = open_datanet();
        let id = Batch::texts(1, 0, 10).submit(datanet);
        assert_ok!(Datanets::demand(signed(5), id, 4, 0));
        assert_ok!(Datanets::withdraw(signed(1), id));
        assert_ok!(Datanets::expire_demand(signed(30), 1));
        // The record fell by another demand.
        let id = Batch::texts(1, 0, 10).submit(datanet);
        assert_ok!(Datanets::demand(signed(5), id, 4, 0));
        assert_ok!(Datanets::demand(signed(6), id, 4, 1));
        advance(16);
        assert_ok!(Datanets::expire_demand(signed(30), 2));
        assert_ok!(Datanets::expire_demand(signed(30), 3));
        assert_eq!(details(id).fallen_records, 1);
        // Rejected.
        let id = Batch::texts(2, 0, 10).submit(curated_datanet(1, 1));
        assert_ok!(Datanets::demand(signed(7), id, 4, 0));
        assert_ok!(Datanets::vote(signed(10), id, false));
        assert_ok!(Datanets::expire_demand(signed(30), 4));
        assert_eq!(stake_held(2), STAKE);
        assert_eq!(
            (free(5), free(6), free(7)),
            (ENDOWMENT + 80, ENDOWMENT, ENDOWMENT)
        );
    });
}

#[test]
fn fails_when_it_can_still_be_answered() {
    execute(|| {
        let id = Batch::texts(1, 0, 10).submit(open_datanet());
        assert_ok!(Datanets::demand(signed(5), id, 4, 0));
        advance(15);
        assert_noop!(
            Datanets::expire_demand(signed(5), 1),
            PalletError::DemandOpen
        );
        assert_noop!(
            Datanets::expire_demand(signed(5), 2),
            PalletError::UnknownDemand
        );
    });
}
