use super::*;

#[test]
fn success_of_a_withdrawn_one_after_the_window() {
    execute(|| {
        let id = Batch::texts(1, 0, 3).submit_and_accept(open_datanet());
        assert_ok!(Datanets::withdraw(signed(1), id));
        advance(WINDOW);
        assert_noop!(
            Datanets::release_stake(signed(30), id),
            PalletError::ReleaseTooEarly
        );
        advance(1);
        assert_ok!(Datanets::release_stake(signed(30), id));
        assert_eq!(free(1), ENDOWMENT);
        assert_eq!(
            last_event(),
            PalletEvent::StakeReleased {
                contribution: id,
                contributor: account(1),
                amount: STAKE
            }
        );
        assert_eq!(details(id).held, 0);
        assert_noop!(
            Datanets::release_stake(signed(30), id),
            PalletError::NothingHeld
        );
    });
}

#[test]
fn success_of_a_superseded_one() {
    execute(|| {
        let datanet = open_datanet();
        let old = Batch::texts(1, 0, 3).submit_and_accept(datanet);
        let batch = Batch::texts(1, 9, 3);
        accept_later(batch.submit_as(datanet, MediaType::Text, Terms::FREE, Some(old)));
        advance(WINDOW + 1);
        assert_ok!(Datanets::release_stake(signed(30), old));
        assert_eq!(stake_held(1), STAKE);
    });
}

#[test]
fn success_of_a_rejected_one_forgets_it() {
    execute(|| {
        let id = Batch::texts(1, 0, 3).submit(curated_datanet(1, 1));
        assert_ok!(Datanets::vote(signed(10), id, false));
        assert_noop!(
            Datanets::release_stake(signed(30), id),
            PalletError::ReleaseTooEarly
        );
        advance(WINDOW + 1);
        assert_ok!(Datanets::release_stake(signed(30), id));
        assert_eq!(Datanets::contribution(id), None);
        assert_eq!(free(1), ENDOWMENT);
    });
}

#[test]
fn fails_when_live_or_pending() {
    execute(|| {
        let id = Batch::texts(1, 0, 3).submit(open_datanet());
        assert_noop!(
            Datanets::release_stake(signed(1), id),
            PalletError::StillLive
        );
        accept_later(id);
        advance(100);
        assert_noop!(
            Datanets::release_stake(signed(1), id),
            PalletError::StillLive
        );
    });
}

#[test]
fn fails_when_demands_are_open() {
    execute(|| {
        let batch = Batch::texts(1, 0, 3);
        let id = batch.submit_and_accept(open_datanet());
        assert_ok!(Datanets::demand(signed(5), id, 0, 0));
        assert_ok!(Datanets::withdraw(signed(1), id));
        advance(WINDOW + 1);
        assert_noop!(
            Datanets::release_stake(signed(1), id),
            PalletError::OpenDemands
        );
        assert_ok!(Datanets::answer_demand(
            signed(1),
            1,
            batch.opening(0),
            Some(Box::new(batch.chunk(0, 0)))
        ));
        assert_ok!(Datanets::release_stake(signed(1), id));
        assert_eq!(free(1), ENDOWMENT + 200);
    });
}

#[test]
fn fails_when_slashed() {
    execute(|| {
        let datanet = open_datanet();
        let original = Batch::texts(2, 0, 1);
        let earlier = original.submit_and_accept(datanet);
        let copy = Batch::texts(1, 0, 1);
        let id = copy.submit(datanet);
        assert_ok!(Datanets::challenge_duplicate(
            signed(3),
            id,
            copy.opening(0),
            earlier,
            original.opening(0)
        ));
        advance(100);
        assert_noop!(
            Datanets::release_stake(signed(1), id),
            PalletError::NothingHeld
        );
    });
}
