use super::*;
use frame_support::traits::tokens::Preservation;

/// An accepted original of account 2 and a pending copy of account 1.
struct Case {
    original: Batch,
    earlier: ContributionId,
    copy: Batch,
    later: ContributionId,
}

impl Case {
    fn new(copy: Batch) -> Self {
        let datanet = open_datanet();
        let original = Batch::texts(2, 0, 10);
        let earlier = original.submit_and_accept(datanet);
        let later = copy.submit(datanet);
        Self {
            original,
            earlier,
            copy,
            later,
        }
    }

    fn copied() -> Self {
        Self::new(Batch::texts(1, 0, 10))
    }

    fn challenge(&self, challenger: u8, record: u32, original: u32) -> DispatchResult {
        Datanets::challenge_duplicate(
            signed(challenger),
            self.later,
            self.copy.opening(record),
            self.earlier,
            self.original.opening(original),
        )
    }
}

#[track_caller]
fn assert_rejected(reason: RejectionReason, id: ContributionId, record: u32, call: DispatchResult) {
    assert_ok!(call);
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
    assert_eq!(details(id).fallen_records, 0);
    assert_eq!(details(id).held, STAKE);
}

#[test]
fn success_takes_the_records_part_of_the_stake() {
    execute(|| {
        let case = Case::copied();
        assert_ok!(case.challenge(3, 4, 4));
        // A tenth of 2,000, of which 40 % for the challenger.
        assert_eq!(free(3), ENDOWMENT + 80);
        assert_eq!(treasury_balance(), EXISTENTIAL_DEPOSIT + 120);
        assert_eq!(stake_held(1), STAKE - 200);
        assert_eq!(
            last_event(),
            PalletEvent::RecordFell {
                contribution: case.later,
                datanet: 1,
                record: 4,
                fault: Fault::Duplicate {
                    earlier: case.earlier,
                    record: 4
                },
                challenger: account(3),
                slashed: 200,
                reward: 80,
            }
        );
        assert_eq!(cause(case.later), None);
        assert_eq!(Datanets::record_tombstoned_at(case.later, 4), Some(12));
        assert_eq!(Datanets::record_tombstoned_at(case.later, 5), None);
    });
}

#[test]
fn success_falls_only_over_the_threshold() {
    execute(|| {
        let case = Case::copied();
        // Two of ten are 20 %, not more.
        assert_ok!(case.challenge(3, 0, 0));
        assert_ok!(case.challenge(3, 1, 1));
        assert_eq!(cause(case.later), None);
        assert_ok!(case.challenge(3, 2, 2));
        assert_eq!(cause(case.later), Some(TombstoneCause::Slashed));
        assert_eq!(stake_held(1), 0);
        assert_eq!(free(3), ENDOWMENT + 800);
        assert_eq!(treasury_balance(), EXISTENTIAL_DEPOSIT + 1_200);
        assert_noop!(case.challenge(3, 3, 3), PalletError::NotLiable);
        advance(WINDOW + 1);
        assert_noop!(
            Datanets::accept(signed(1), case.later),
            PalletError::AlreadyEnded
        );
        // What the whole fell by counts for records that were not proven one by one, too.
        assert_eq!(Datanets::record_tombstoned_at(case.later, 9), Some(12));
    });
}

#[test]
fn success_on_an_accepted_contribution_of_another_datanet() {
    execute(|| {
        let original = Batch::texts(2, 0, 4);
        let earlier = original.submit_and_accept(open_datanet());
        let copy = Batch::texts(1, 0, 4);
        let datanet = open_datanet();
        let terms = Terms {
            derivatives: false,
            ..Terms::FREE
        };
        let later = copy.submit_as(datanet, MediaType::Binary, terms, None);
        accept_later(later);
        assert_eq!(Datanets::terms(datanet), Some(terms));
        assert_ok!(Datanets::challenge_duplicate(
            signed(3),
            later,
            copy.opening(0),
            earlier,
            original.opening(0)
        ));
        assert_eq!(cause(later), Some(TombstoneCause::Slashed));
        assert_eq!(Datanets::terms(datanet), Some(Terms::FREE));
        assert_eq!(Datanets::datanet(datanet).unwrap().length, 1);
    });
}

#[test]
fn success_while_a_withdrawn_ones_stake_is_held() {
    execute(|| {
        let case = Case::copied();
        accept_later(case.later);
        assert_ok!(Datanets::withdraw(signed(1), case.later));
        let ended = details(case.later).tombstone.unwrap().at;
        for record in 0..3 {
            assert_ok!(case.challenge(3, record, record));
        }
        let tombstone = details(case.later).tombstone.unwrap();
        assert_eq!(
            (tombstone.cause, tombstone.at),
            (TombstoneCause::Slashed, ended)
        );
        assert_eq!(stake_held(1), 0);
    });
}

#[test]
fn success_against_a_copy_of_a_superseded_contribution() {
    execute(|| {
        let case = Case::copied();
        let improved = Batch::texts(2, 50, 3);
        let new = improved.submit_as(1, MediaType::Text, Terms::FREE, Some(case.earlier));
        accept_later(new);
        assert_eq!(cause(case.earlier), Some(TombstoneCause::Superseded));
        assert_ok!(case.challenge(3, 0, 0));
        assert_eq!(details(case.later).fallen_records, 1);
    });
}

#[test]
fn success_reward_of_an_account_that_cannot_receive_it_goes_to_the_treasury() {
    execute(|| {
        let case = Case::copied();
        // The reward of 8 is under the existential deposit of the account, which does not exist.
        let newcomer = account(200);
        let reward = Datanets::slash(
            HoldReason::ContributionStake,
            &account(1),
            20,
            Some((&newcomer, 400_000_000)),
        );
        assert_eq!(reward, Ok(0));
        assert_eq!(Balances::balance(&newcomer), 0);
        assert_eq!(treasury_balance(), EXISTENTIAL_DEPOSIT + 20);
        Contributions::<Test>::mutate_extant(case.later, |copy| {
            copy.stake -= 20;
            copy.held -= 20;
        });
    });
}

#[test]
fn rejects_evidence_for_different_records() {
    execute(|| {
        let case = Case::copied();
        let call = case.challenge(3, 4, 5);
        assert_rejected(RejectionReason::DifferentRecords, case.later, 4, call);
    });
}

#[test]
fn rejects_openings_that_do_not_verify() {
    execute(|| {
        let case = Case::copied();
        let mut forged = case.copy.opening(4);
        forged.salt = Hash::repeat_byte(1);
        let call = Datanets::challenge_duplicate(
            signed(3),
            case.later,
            forged,
            case.earlier,
            case.original.opening(4),
        );
        assert_rejected(RejectionReason::RecordOpening, case.later, 4, call);
    });
    execute(|| {
        let case = Case::copied();
        let mut forged = case.original.opening(4);
        forged.index = 5;
        let call = Datanets::challenge_duplicate(
            signed(3),
            case.later,
            case.copy.opening(4),
            case.earlier,
            forged,
        );
        assert_rejected(RejectionReason::EarlierRecordOpening, case.later, 4, call);
    });
    execute(|| {
        let case = Case::copied();
        let mut forged = case.copy.opening(4);
        forged.index = u32::MAX;
        let call = Datanets::challenge_duplicate(
            signed(3),
            case.later,
            forged,
            case.earlier,
            case.original.opening(4),
        );
        assert_rejected(RejectionReason::RecordOpening, case.later, u32::MAX, call);
    });
}

#[test]
fn rejects_shared_boilerplate() {
    execute(|| {
        let datanet = open_datanet();
        let original = Batch::new(2, vec![text(0, 255)]);
        let earlier = original.submit_and_accept(datanet);
        let copy = Batch::new(1, vec![text(0, 255)]);
        let later = copy.submit(datanet);
        let call = Datanets::challenge_duplicate(
            signed(3),
            later,
            copy.opening(0),
            earlier,
            original.opening(0),
        );
        assert_rejected(RejectionReason::TooShort, later, 0, call);
    });
}

#[test]
fn rejects_a_short_record_whose_first_contributor_lied_about_its_length() {
    execute(|| {
        let datanet = open_datanet();
        let short = text(0, 100);
        let content = content_tree(&short).commitment();
        let original = Batch::described(2, vec![(content, 1_000)]);
        let earlier = original.submit_and_accept(datanet);
        let honest = Batch::new(1, vec![short]);
        let later = honest.submit(datanet);
        let call = Datanets::challenge_duplicate(
            signed(3),
            later,
            honest.opening(0),
            earlier,
            original.opening(0),
        );
        assert_rejected(RejectionReason::TooShort, later, 0, call);
    });
}

#[test]
fn fails_when_record_fell_already() {
    execute(|| {
        let case = Case::copied();
        assert_ok!(case.challenge(3, 4, 4));
        assert_noop!(case.challenge(3, 4, 4), PalletError::RecordFallen);
    });
}

#[test]
fn fails_when_order_or_contributor_is_wrong() {
    execute(|| {
        let case = Case::copied();
        let openings = || (case.copy.opening(0), case.original.opening(0));
        let (copy, original) = openings();
        assert_noop!(
            Datanets::challenge_duplicate(signed(3), case.earlier, original, case.later, copy),
            PalletError::NotEarlier
        );
        let (copy, original) = openings();
        assert_noop!(
            Datanets::challenge_duplicate(signed(3), case.later, copy, case.later, original),
            PalletError::NotEarlier
        );
        let repeated = Batch::texts(2, 0, 10);
        let own = repeated.submit(1);
        assert_noop!(
            Datanets::challenge_duplicate(
                signed(3),
                own,
                repeated.opening(0),
                case.earlier,
                case.original.opening(0)
            ),
            PalletError::SameContributor
        );
    });
}

#[test]
fn fails_when_earlier_is_not_accepted_or_ended_or_unknown() {
    execute(|| {
        let datanet = open_datanet();
        let original = Batch::texts(2, 0, 10);
        let earlier = original.submit(datanet);
        let copy = Batch::texts(1, 0, 10);
        let later = copy.submit(datanet);
        let challenge = |earlier| {
            Datanets::challenge_duplicate(
                signed(3),
                later,
                copy.opening(0),
                earlier,
                original.opening(0),
            )
        };
        assert_noop!(challenge(0), PalletError::UnknownContribution);
        assert_noop!(challenge(earlier), PalletError::EarlierNotAccepted);
        accept_later(earlier);
        assert_ok!(Datanets::withdraw(signed(2), earlier));
        assert_noop!(challenge(earlier), PalletError::EarlierEnded);
    });
}

#[test]
fn fails_when_earlier_record_fell() {
    execute(|| {
        let case = Case::copied();
        assert_ok!(Datanets::demand(signed(5), case.earlier, 4, 0));
        advance(16);
        assert_ok!(Datanets::expire_demand(signed(5), 1));
        assert_noop!(case.challenge(3, 4, 4), PalletError::EarlierRecordFallen);
        assert_ok!(case.challenge(3, 5, 5));
    });
}

#[test]
fn fails_when_bond_is_not_covered_even_if_right() {
    execute(|| {
        let case = Case::copied();
        let give = |amount| {
            let newcomer = account(99);
            Balances::transfer(&account(25), &newcomer, amount, Preservation::Preserve)
        };
        // The existential deposit has to stay, so 309 are one too few.
        assert_ok!(give(309));
        assert_noop!(case.challenge(99, 4, 4), PalletError::CannotAffordBond);
        assert_ok!(give(1));
        assert_ok!(case.challenge(99, 4, 4));
        assert_eq!(free(99), 310 + 80);
    });
}

#[test]
fn fails_when_rejected_or_released() {
    execute(|| {
        let original = Batch::texts(2, 0, 10);
        let earlier = original.submit_and_accept(open_datanet());
        let copy = Batch::texts(1, 0, 10);
        let later = copy.submit(curated_datanet(1, 1));
        assert_ok!(Datanets::vote(signed(10), later, false));
        let challenge = |later| {
            Datanets::challenge_duplicate(
                signed(3),
                later,
                copy.opening(0),
                earlier,
                original.opening(0),
            )
        };
        assert_noop!(challenge(later), PalletError::NotLiable);
        let released = copy.submit_and_accept(1);
        assert_ok!(Datanets::withdraw(signed(1), released));
        advance(WINDOW + 1);
        assert_ok!(Datanets::release_stake(signed(1), released));
        assert_noop!(challenge(released), PalletError::NotLiable);
    });
}
