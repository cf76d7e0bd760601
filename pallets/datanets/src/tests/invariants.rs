//! The invariants can fail: each of these breaks one and is found out.

use super::*;
use frame_support::{hypothetically, traits::fungible::MutateHold};

fn assert_broken(invariant: &str, damage: impl FnOnce()) {
    hypothetically!({
        damage();
        let found = Datanets::do_try_state().expect_err("the damage is found");
        let message = <&str>::from(found);
        assert!(message.starts_with(invariant), "{message}");
    });
}

fn change(id: ContributionId, change: impl FnOnce(&mut ContributionDetails)) {
    Contributions::<Test>::mutate_extant(id, change);
}

#[test]
fn success_every_damage_is_found() {
    execute(|| {
        let open = open_datanet();
        let curated = curated_datanet(2, 2);
        let accepted = Batch::texts(1, 0, 10).submit_and_accept(open);
        let ended = Batch::texts(1, 40, 3).submit_and_accept(open);
        assert_ok!(Datanets::withdraw(signed(1), ended));
        let pending = Batch::texts(2, 9, 3).submit(curated);
        assert_ok!(Datanets::vote(signed(10), pending, true));
        assert_ok!(Datanets::demand(signed(5), accepted, 0, 0));
        assert_ok!(Datanets::do_try_state());

        let hold = |reason: HoldReason, who| {
            assert_ok!(Balances::hold(&reason.into(), &account(who), 1));
        };
        assert_broken("invariant 0", || hold(HoldReason::ContributionStake, 1));
        assert_broken("invariant 0", || hold(HoldReason::CuratorStake, 25));
        assert_broken("invariant 0", || hold(HoldReason::DatanetDeposit, 20));
        assert_broken("invariant 0", || hold(HoldReason::DemandBond, 5));
        assert_broken("invariant 0", || {
            Demands::<Test>::mutate_extant(1, |demand| demand.demander = account(200));
        });

        let datanet = |change: fn(&mut DatanetDetails)| {
            crate::Datanets::<Test>::mutate_extant(open, change);
        };
        assert_broken("invariant 1", || datanet(|datanet| datanet.length += 1));
        assert_broken("invariant 1", || datanet(|datanet| datanet.length -= 1));
        assert_broken("invariant 1", || datanet(|datanet| datanet.records += 1));
        assert_broken("invariant 1", || {
            datanet(|datanet| datanet.head = Hash::zero())
        });
        assert_broken("invariant 1", || {
            datanet(|datanet| datanet.term_counts.no_commercial += 1);
        });
        assert_broken("invariant 1", || {
            change(accepted, |details| details.bytes += 1)
        });
        assert_broken("invariant 1", || {
            change(pending, |pending| {
                pending.state = details(accepted).state;
            })
        });

        assert_broken("invariant 2", || {
            RecordTombstones::<Test>::insert(accepted, 1, 1)
        });
        assert_broken("invariant 2", || {
            RecordTombstones::<Test>::insert(accepted, 10, 1)
        });
        assert_broken("invariant 2", || RecordTombstones::<Test>::insert(99, 0, 1));
        assert_broken("invariant 2", || {
            change(accepted, |details| details.stake += 1)
        });
        assert_broken("invariant 2", || {
            change(accepted, |details| details.stake -= 1)
        });
        assert_broken("invariant 2", || {
            change(ended, |details| {
                details.tombstone = Some(Tombstone {
                    at: 1,
                    cause: TombstoneCause::Slashed,
                });
            });
        });

        assert_broken("invariant 3", || {
            CuratorsOf::<Test>::mutate(curated, account(10), |entry| {
                entry.as_mut().unwrap().open_votes = 0;
            });
        });
        assert_broken("invariant 3", || {
            let votes = vec![Vote {
                curator: account(9),
                approve: true,
            }];
            Votes::<Test>::insert(pending, VoteList::try_from(votes).unwrap());
        });
        assert_broken("invariant 3", || {
            let votes = vec![
                Vote {
                    curator: account(10),
                    approve: true
                };
                2
            ];
            Votes::<Test>::insert(pending, VoteList::try_from(votes).unwrap());
        });
        assert_broken("invariant 3", || Votes::<Test>::swap(pending, ended));
        assert_broken("invariant 3", || Votes::<Test>::swap(pending, accepted));

        assert_broken("invariant 4", || DemandOf::<Test>::remove((accepted, 0, 0)));
        assert_broken("invariant 4", || {
            DemandOf::<Test>::insert((accepted, 1, 0), 1)
        });
        assert_broken("invariant 4", || {
            change(accepted, |details| details.open_demands = 0)
        });

        assert_broken("invariant 5", || NextDatanet::<Test>::put(curated));
        assert_broken("invariant 5", || NextContribution::<Test>::put(pending));
        assert_broken("invariant 5", || NextDemand::<Test>::put(1));
    });
}
