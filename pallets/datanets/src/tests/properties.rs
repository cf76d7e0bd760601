//! Whatever happens in whatever order: money is conserved, the books hold, and nothing is stuck.

use super::*;
use frame_support::traits::fungible::InspectHold;
use proptest::prelude::*;

const CONTRIBUTORS: u8 = 4;
const CURATORS: u8 = 3;

/// One random call. Numbers choose among what there is when it runs, modulo how much there is, so that
/// most calls mean something; some are left wrong on purpose.
#[derive(Clone, Debug)]
enum Action {
    Contribute {
        who: u8,
        curated: bool,
        batch: u8,
        supersedes: Option<usize>,
        extra: u8,
    },
    Vote {
        who: u8,
        pick: usize,
        approve: bool,
    },
    Accept {
        pick: usize,
    },
    Lapse {
        pick: usize,
    },
    Withdraw {
        pick: usize,
        stranger: bool,
    },
    Release {
        pick: usize,
    },
    Duplicate {
        who: u8,
        picks: (usize, usize),
        record: u32,
        wrong: bool,
    },
    Malformed {
        who: u8,
        pick: usize,
        record: u32,
    },
    Demand {
        who: u8,
        pick: usize,
        record: u32,
        chunk: u32,
    },
    Answer {
        who: u8,
        pick: usize,
    },
    Expire {
        pick: usize,
    },
    Overrule {
        pick: usize,
    },
    Join {
        who: u8,
    },
    Leave {
        who: u8,
    },
    Advance {
        blocks: u32,
    },
    NewRuleset,
}

fn action() -> impl Strategy<Value = Action> {
    let pick = || any::<usize>();
    let who = || 1u8..=CONTRIBUTORS;
    let curator = || 10u8..10 + CURATORS;
    prop_oneof![
        8 => (who(), any::<bool>(), 0u8..4, prop::option::weighted(0.3, pick()), 0u8..200).prop_map(
            |(who, curated, batch, supersedes, extra)| {
                Action::Contribute { who, curated, batch, supersedes, extra }
            }
        ),
        8 => (curator(), pick(), prop::bool::weighted(0.7))
            .prop_map(|(who, pick, approve)| Action::Vote { who, pick, approve }),
        6 => pick().prop_map(|pick| Action::Accept { pick }),
        2 => pick().prop_map(|pick| Action::Lapse { pick }),
        2 => (pick(), prop::bool::weighted(0.2))
            .prop_map(|(pick, stranger)| Action::Withdraw { pick, stranger }),
        4 => pick().prop_map(|pick| Action::Release { pick }),
        10 => (who(), (pick(), pick()), 0u32..4, prop::bool::weighted(0.2)).prop_map(
            |(who, picks, record, wrong)| Action::Duplicate { who, picks, record, wrong }
        ),
        3 => (who(), pick(), 0u32..4)
            .prop_map(|(who, pick, record)| Action::Malformed { who, pick, record }),
        5 => (who(), pick(), 0u32..5, 0u32..3)
            .prop_map(|(who, pick, record, chunk)| Action::Demand { who, pick, record, chunk }),
        2 => (who(), pick()).prop_map(|(who, pick)| Action::Answer { who, pick }),
        4 => pick().prop_map(|pick| Action::Expire { pick }),
        2 => pick().prop_map(|pick| Action::Overrule { pick }),
        2 => curator().prop_map(|who| Action::Join { who }),
        1 => curator().prop_map(|who| Action::Leave { who }),
        8 => (1u32..12).prop_map(|blocks| Action::Advance { blocks }),
        1 => Just(Action::NewRuleset),
    ]
}

/// Batches that share records across contributors and numbers; the last record of number 3 is malformed.
fn batch(contributor: u8, number: u8) -> Batch {
    let mut records: Vec<_> = (number..number + 8).map(|seed| text(seed, 300)).collect();
    if number == 3 {
        records[3] = b"blank \n".to_vec();
    }
    Batch::new(contributor, records)
}

/// What was submitted: contribution `n` is entry `n - 1`.
type Submitted = Vec<Batch>;

fn batch_of(submitted: &Submitted, id: ContributionId) -> Option<&Batch> {
    submitted.get(usize::try_from(id.checked_sub(1)?).ok()?)
}

/// One of the stored contributions of which `wanted` holds, or one that does not exist.
fn choose(pick: usize, wanted: impl Fn(&ContributionDetails) -> bool) -> ContributionId {
    let mut ids: Vec<_> = Contributions::<Test>::iter()
        .filter(|(_, details)| wanted(details))
        .map(|(id, _)| id)
        .collect();
    ids.sort_unstable();
    ids.get(pick % ids.len().max(1)).copied().unwrap_or(999)
}

fn choose_demand(pick: usize) -> DemandId {
    let mut demands: Vec<_> = Demands::<Test>::iter_keys().collect();
    demands.sort_unstable();
    demands
        .get(pick % demands.len().max(1))
        .copied()
        .unwrap_or(999)
}

fn is_pending(details: &ContributionDetails) -> bool {
    details.state == ContributionState::Pending && details.tombstone.is_none()
}

/// The result of the call, if the action is one.
fn perform(submitted: &mut Submitted, action: Action) -> Option<DispatchResult> {
    let (call, who) = match action {
        Action::Contribute {
            who,
            curated,
            batch: number,
            supersedes,
            extra,
        } => {
            let datanet = if curated { 2 } else { 1 };
            let batch = batch(who, number);
            let call = Call::contribute {
                datanet,
                leaves: batch.leaves(),
                bytes: 1_200,
                media: MediaType::Text,
                content: [number; 32],
                licence: licence(Terms {
                    attribution: number == 1,
                    ..Terms::FREE
                }),
                supersedes: supersedes.map(|pick| {
                    choose(pick, |details| {
                        details.contributor == account(who)
                            && details.datanet == datanet
                            && details.acceptance().is_some()
                    })
                }),
                stake: 1_100 + Balance::from(extra),
            };
            let result = dispatch(call.into(), who);
            if result.is_ok() {
                submitted.push(batch);
            }
            return Some(result);
        }
        Action::Vote { who, pick, approve } => {
            let contribution = choose(pick, |details| details.datanet == 2 && is_pending(details));
            (
                Call::vote {
                    contribution,
                    approve,
                },
                who,
            )
        }
        Action::Accept { pick } => (
            Call::accept {
                contribution: choose(pick, is_pending),
            },
            1,
        ),
        Action::Lapse { pick } => (
            Call::lapse {
                contribution: choose(pick, is_pending),
            },
            1,
        ),
        Action::Withdraw { pick, stranger } => {
            let id = choose(pick, |details| details.tombstone.is_none());
            let owner = batch_of(submitted, id).map_or(1, |batch| batch.contributor);
            let who = if stranger {
                owner % CONTRIBUTORS + 1
            } else {
                owner
            };
            (Call::withdraw { contribution: id }, who)
        }
        Action::Release { pick } => {
            let contribution = choose(pick, |details| !is_pending(details) && details.held > 0);
            (Call::release_stake { contribution }, 1)
        }
        Action::Duplicate {
            who,
            picks: (one, other),
            record,
            wrong,
        } => {
            let one = choose(one, |_| true);
            let other = choose(other, |details| details.acceptance().is_some());
            let (earlier, later) = (one.min(other), one.max(other));
            let (original, copy) = (batch_of(submitted, earlier)?, batch_of(submitted, later)?);
            let bytes = &copy.records[record as usize];
            let same = original
                .records
                .iter()
                .position(|candidate| candidate == bytes);
            let original_record = if wrong {
                7
            } else {
                u32::try_from(same?).unwrap()
            };
            let call = Call::challenge_duplicate {
                later,
                later_opening: copy.opening(record),
                earlier,
                earlier_opening: original.opening(original_record),
            };
            (call, who)
        }
        Action::Malformed { who, pick, record } => {
            let id = choose(pick, |_| true);
            let batch = batch_of(submitted, id)?;
            let first = batch.chunk(record, 0);
            let evidence = MalformedEvidence::Chunks(ChunkWindow {
                first,
                second: None,
            });
            let call = Call::challenge_malformed {
                contribution: id,
                opening: batch.opening(record),
                evidence: Box::new(evidence),
            };
            (call, who)
        }
        Action::Demand {
            who,
            pick,
            record,
            chunk,
        } => {
            let contribution = choose(pick, |_| true);
            (
                Call::demand {
                    contribution,
                    record,
                    chunk,
                },
                who,
            )
        }
        Action::Answer { who, pick } => {
            let demand = choose_demand(pick);
            let details = Demands::<Test>::get(demand)?;
            let batch = batch_of(submitted, details.contribution)?;
            let chunk = (details.chunk == 0).then(|| Box::new(batch.chunk(details.record, 0)));
            (
                Call::answer_demand {
                    demand,
                    record: batch.opening(details.record),
                    chunk,
                },
                who,
            )
        }
        Action::Expire { pick } => (
            Call::expire_demand {
                demand: choose_demand(pick),
            },
            1,
        ),
        Action::Overrule { pick } => {
            let contribution = choose(pick, |details| !is_pending(details));
            return Some(Datanets::overrule(RuntimeOrigin::root(), contribution));
        }
        Action::Join { who } => (Call::join_as_curator { datanet: 2 }, who),
        Action::Leave { who } => (Call::leave_as_curator { datanet: 2 }, who),
        Action::Advance { blocks } => {
            advance(blocks);
            return None;
        }
        Action::NewRuleset => {
            NewestRuleset::mutate(|newest| *newest += 1);
            return None;
        }
    };
    Some(dispatch(call.into(), who))
}

fn state_root() -> Vec<u8> {
    sp_io::storage::root(sp_runtime::StateVersion::V1)
}

fn total() -> Balance {
    frame_system::Account::<Test>::iter_keys()
        .map(|who| Balances::total_balance(&who))
        .sum()
}

/// Ends everything that can be ended; afterwards only the Datanets' deposits may be on hold.
fn drain(submitted: &Submitted) {
    advance(100);
    for demand in Demands::<Test>::iter_keys().collect::<Vec<_>>() {
        assert_ok!(Datanets::expire_demand(signed(1), demand));
    }
    for (id, batch) in (1..).zip(submitted) {
        let live = Datanets::contribution(id).is_some_and(|details| details.tombstone.is_none());
        if live {
            assert_ok!(Datanets::withdraw(signed(batch.contributor), id));
        }
    }
    advance(100);
    for (id, details) in Contributions::<Test>::iter().collect::<Vec<_>>() {
        if details.held > 0 {
            assert_ok!(Datanets::release_stake(signed(1), id));
        }
    }
    for (datanet, curator, _) in CuratorsOf::<Test>::iter().collect::<Vec<_>>() {
        assert_ok!(Datanets::leave_as_curator(
            RuntimeOrigin::signed(curator),
            datanet
        ));
    }
    assert_ok!(Datanets::do_try_state());
    for who in frame_system::Account::<Test>::iter_keys() {
        let deposit = Balances::balance_on_hold(&HoldReason::DatanetDeposit.into(), &who);
        assert_eq!(
            Balances::total_balance_on_hold(&who),
            deposit,
            "{who:?} is stuck"
        );
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    #[test]
    fn success_money_is_conserved_and_nothing_is_stuck(
        actions in prop::collection::vec(action(), 1..120)
    ) {
        execute(|| {
            open_datanet();
            curated_datanet(CURATORS, 2);
            let all = total();
            let mut submitted = Submitted::new();
            let mut root = state_root();
            for action in actions {
                let result = perform(&mut submitted, action.clone());
                let before = core::mem::replace(&mut root, state_root());
                if result.is_some_and(|result| result.is_err()) {
                    assert_eq!(before, root, "{action:?} failed and left something behind");
                    continue;
                }
                assert_eq!(total(), all, "{action:?} made or lost money");
                if let Err(error) = Datanets::do_try_state() {
                    panic!("{action:?}: {error:?}");
                }
            }
            drain(&submitted);
            assert_eq!(total(), all);
        });
    }

    #[test]
    fn success_slashes_of_a_whole_contribution_add_up_to_its_stake(
        count in 1u8..30, stake in 1_300u128..100_000
    ) {
        execute(|| {
            let datanet = open_datanet();
            let original = Batch::texts(2, 0, count);
            let earlier = original.submit_and_accept(datanet);
            let copy = Batch::texts(1, 0, count);
            assert_ok!(Datanets::contribute(
                signed(1), datanet, copy.leaves(), 1_000_000, MediaType::Text, [0; 32],
                licence(Terms::FREE), None, stake,
            ));
            let mut record = 0;
            while details(2).tombstone.is_none() {
                assert_ok!(Datanets::challenge_duplicate(
                    signed(3), 2, copy.opening(record), earlier, original.opening(record)
                ));
                record += 1;
            }
            // One more than a fifth, rounded down.
            assert_eq!(record, u32::from(count) / 5 + 1);
            let gained = free(3) - ENDOWMENT;
            let treasury = treasury_balance() - EXISTENTIAL_DEPOSIT;
            assert_eq!(gained + treasury, stake);
            assert!(gained <= treasury);
            assert_eq!(free(1), ENDOWMENT - stake);
        });
    }
}
