use super::*;

fn contribute(
    who: u8,
    datanet: DatanetId,
    leaves: Commitment,
    bytes: u64,
    licence: Licence,
    supersedes: Option<ContributionId>,
    stake: Balance,
) -> DispatchResult {
    let origin = signed(who);
    let media = MediaType::Text;
    Datanets::contribute(
        origin, datanet, leaves, bytes, media, [0; 32], licence, supersedes, stake,
    )
}

fn superseding(who: u8, datanet: DatanetId, old: ContributionId) -> DispatchResult {
    let batch = Batch::texts(who, 40, 3);
    contribute(
        who,
        datanet,
        batch.leaves(),
        900,
        licence(Terms::FREE),
        Some(old),
        STAKE,
    )
}

#[test]
fn success_holds_exactly_the_stake() {
    execute(|| {
        let datanet = open_datanet();
        let batch = Batch::texts(1, 0, 10);
        // 1,000 and 10 for each record.
        assert_ok!(contribute(
            1,
            datanet,
            batch.leaves(),
            10,
            licence(Terms::FREE),
            None,
            1_100
        ));
        assert_eq!(stake_held(1), 1_100);
        assert_eq!(free(1), ENDOWMENT - 1_100);
        let stored = details(1);
        assert_eq!(
            (stored.stake, stored.held, stored.ruleset),
            (1_100, 1_100, 0)
        );
        assert_eq!(
            (stored.state, stored.tombstone),
            (ContributionState::Pending, None)
        );
        assert_eq!(
            last_event(),
            PalletEvent::Contributed {
                contribution: 1,
                datanet,
                contributor: account(1),
                leaves: batch.leaves(),
                bytes: 10,
                media: MediaType::Text,
                content: [0; 32],
                licence: licence(Terms::FREE),
                supersedes: None,
                stake: 1_100,
                ruleset: 0,
            }
        );
    });
}

#[test]
fn success_lives_under_the_ruleset_of_its_submission() {
    execute(|| {
        let datanet = open_datanet();
        let batch = Batch::texts(1, 0, 10);
        NewestRuleset::set(2);
        let terms = licence(Terms::FREE);
        assert_noop!(
            contribute(1, datanet, batch.leaves(), 900, terms.clone(), None, 1_121),
            PalletError::StakeTooLow
        );
        assert_ok!(contribute(
            1,
            datanet,
            batch.leaves(),
            900,
            terms,
            None,
            1_122
        ));
        NewestRuleset::set(9);
        assert_eq!(details(1).ruleset, 2);
    });
}

#[test]
fn fails_when_input_is_bad() {
    execute(|| {
        let datanet = open_datanet();
        let leaves = Batch::texts(1, 0, 10).leaves();
        let good = licence(Terms::FREE);
        let spdx = |text: &[u8]| Licence {
            spdx: text.to_vec().try_into().unwrap(),
            terms: Terms::FREE,
        };
        let none = Commitment::default();
        let cases = [
            (
                datanet,
                none,
                1,
                good.clone(),
                STAKE,
                PalletError::NoRecords,
            ),
            (
                datanet,
                leaves,
                9,
                good.clone(),
                STAKE,
                PalletError::TooFewBytes,
            ),
            (
                datanet,
                leaves,
                10,
                spdx(b""),
                STAKE,
                PalletError::MalformedLicence,
            ),
            (
                datanet,
                leaves,
                10,
                spdx(b"MIT; rm"),
                STAKE,
                PalletError::MalformedLicence,
            ),
            (
                datanet,
                leaves,
                10,
                good.clone(),
                0,
                PalletError::StakeTooLow,
            ),
            (
                datanet,
                leaves,
                10,
                good.clone(),
                1_099,
                PalletError::StakeTooLow,
            ),
            (
                datanet + 1,
                leaves,
                10,
                good,
                STAKE,
                PalletError::UnknownDatanet,
            ),
        ];
        for (datanet, leaves, bytes, licence, stake, error) in cases {
            assert_noop!(
                contribute(1, datanet, leaves, bytes, licence, None, stake),
                error
            );
        }
    });
}

#[test]
fn fails_when_stake_is_not_covered() {
    execute(|| {
        let datanet = open_datanet();
        let leaves = Batch::texts(1, 0, 1).leaves();
        assert_noop!(
            contribute(1, datanet, leaves, 9, licence(Terms::FREE), None, ENDOWMENT),
            TokenError::FundsUnavailable
        );
        assert_noop!(
            contribute(
                1,
                datanet,
                leaves,
                9,
                licence(Terms::FREE),
                None,
                Balance::MAX
            ),
            TokenError::FundsUnavailable
        );
    });
}

#[test]
fn fails_when_ordinals_would_overflow() {
    execute(|| {
        let datanet = open_datanet();
        Batch::texts(1, 0, 3).submit_and_accept(datanet);
        let leaves = Commitment {
            root: Hash::repeat_byte(1),
            count: u32::MAX - 2,
        };
        let stake = 1_000 + 10 * Balance::from(u32::MAX);
        let licence = licence(Terms::FREE);
        assert_noop!(
            contribute(1, datanet, leaves, u64::MAX, licence, None, stake),
            PalletError::TooManyRecords
        );
        // One that was submitted while there was room, and is accepted when there is none.
        let id = Batch::texts(1, 9, 3).submit(datanet);
        advance(WINDOW + 1);
        let records = Datanets::datanet(datanet).unwrap().records;
        crate::Datanets::<Test>::mutate_extant(datanet, |details| details.records = u32::MAX - 2);
        let call = RuntimeCall::Datanets(Call::accept { contribution: id });
        assert_noop!(dispatch(call, 30), PalletError::TooManyRecords);
        crate::Datanets::<Test>::mutate_extant(datanet, |details| details.records = records);
        assert_ok!(Datanets::withdraw(signed(1), id));
    });
}

#[test]
fn fails_when_superseding_what_may_not_be() {
    execute(|| {
        let datanet = open_datanet();
        let other = open_datanet();
        let pending = Batch::texts(1, 0, 3).submit(datanet);
        assert_noop!(superseding(1, datanet, 9), PalletError::UnknownSuperseded);
        assert_noop!(
            superseding(2, datanet, pending),
            PalletError::SupersedesAnothers
        );
        assert_noop!(
            superseding(1, other, pending),
            PalletError::SupersedesElsewhere
        );
        assert_noop!(
            superseding(1, datanet, pending),
            PalletError::SupersedesUnaccepted
        );
        accept_later(pending);
        assert_ok!(Datanets::withdraw(signed(1), pending));
        assert_noop!(
            superseding(1, datanet, pending),
            PalletError::SupersedesEnded
        );
    });
}
