use super::{challenger_origin, world::*};
use crate::{mock::*, EarnedByModel, Error, Event, Page, Purpose};
use attribution_proof::{
    merkle::MerkleError,
    split::portion,
    totals::{Payee, Total, TotalOpening, Totals},
    Balance,
};
use frame_support::{assert_noop, assert_ok, dispatch::DispatchResult};
use sp_keyring::Sr25519Keyring;

fn pay(id: u64, openings: Vec<TotalOpening>) -> DispatchResult {
    Attribution::pay(challenger_origin(), id, Page::try_from(openings).unwrap())
}

/// What the totals give `payee` with `model`.
fn entry(totals: &Totals, model: u32, payee: Payee) -> Balance {
    totals
        .entries
        .iter()
        .find(|total| total.key() == (model, payee))
        .map_or(0, |total| total.amount)
}

#[test]
fn success_everybody_accrues_his_part_exactly() {
    execute(|| {
        let settled = settled(&World::new());
        settled.finalise();
        events();
        settled.pay();
        let totals = &settled.totals;
        let charlie = Sr25519Keyring::Charlie.to_account_id();
        for model in [BASE, ADAPTER] {
            let earned = entry(totals, model, Payee::Contribution(1));
            assert!(earned > 0);
            assert_eq!(accrued(&charlie, settled.id, Some(model)), earned);
            assert_eq!(EarnedByModel::<Test>::get(&charlie, model), earned);
        }
        // The adapter's builder fee goes up the lineage by the royalty of a tenth.
        let fee = entry(totals, ADAPTER, Payee::Builder);
        let up = portion(fee, 100_000_000);
        let base = accrued(&base_builder(), settled.id, Some(ADAPTER));
        assert!(base == up || base == up + 1);
        assert_eq!(
            accrued(&adapter_builder(), settled.id, Some(ADAPTER)),
            fee - base
        );
        // An account that does not exist accrues like any other.
        let gone = entry(totals, ADAPTER, Payee::Contribution(3));
        assert!(gone > 0);
        assert_eq!(accrued(&GONE, settled.id, Some(ADAPTER)), gone);
        assert_eq!(Attribution::settlement(settled.id), None);
        assert_eq!(
            events().last(),
            Some(&Event::Closed {
                settlement: settled.id,
                swept: 0
            })
        );
        let operator_share = RULESET.split.split(0, 4 * UNIT + 341).operator;
        let treasury =
            entry(totals, ADAPTER, Payee::Treasury) + entry(totals, BASE, Payee::Treasury);
        assert_eq!(
            Attribution::owed(),
            operator_share + totals.sum() - treasury
        );
    });
}

#[test]
fn success_one_entry_at_a_time_in_any_order() {
    execute(|| {
        let settled = settled(&World::new());
        settled.finalise();
        let count = settled.totals.entries.len() as u32;
        for index in (0..count).rev() {
            let settlement = Attribution::settlement(settled.id).unwrap();
            assert_eq!(settlement.paid_count, count - 1 - index);
            assert_ok!(pay(settled.id, vec![settled.entry(index)]));
        }
        assert_eq!(Attribution::settlement(settled.id), None);
    });
}

#[test]
fn success_tombstoned_contribution_pays_the_treasury() {
    execute(|| {
        let settled = settled(&World::new());
        settled.finalise();
        Tombstones::insert((1, None::<u32>), 5);
        let treasury = free(&TREASURY);
        events();
        settled.pay();
        let amount = entry(&settled.totals, BASE, Payee::Contribution(1));
        assert!(events().contains(&Event::Paid {
            who: TREASURY,
            settlement: settled.id,
            model: Some(BASE),
            purpose: Purpose::Treasury,
            amount,
        }));
        assert!(free(&TREASURY) >= treasury + amount);
        assert_eq!(
            accrued(
                &Sr25519Keyring::Charlie.to_account_id(),
                settled.id,
                Some(BASE)
            ),
            0
        );
    });
}

#[test]
fn success_answer_without_data_pays_the_treasury() {
    execute(|| {
        let world = World::new();
        let mut session = Session::open(1);
        let nothing = |receipt: &mut attribution_proof::receipt::Receipt| {
            receipt.credits = Default::default();
            receipt.spans = Default::default();
        };
        session.serve_forged(&world, BASE, UNIT, text("nothing", 50), nothing, |_| {});
        let settled = session.settle();
        settled.finalise();
        let treasury = free(&TREASURY);
        settled.pay();
        assert_eq!(free(&TREASURY), treasury + UNIT / 5);
    });
}

#[test]
fn success_leftover_of_false_totals_goes_to_the_treasury() {
    execute(|| {
        let world = World::new();
        let mut session = Session::open(1);
        let one = Totals {
            entries: vec![Total {
                model: BASE,
                payee: Payee::Contribution(1),
                amount: 7,
            }]
            .try_into()
            .unwrap(),
        };
        let commitment = one.commitment();
        let lie = move |receipt: &mut attribution_proof::receipt::Receipt| {
            receipt.totals = commitment;
        };
        session.serve_forged(&world, BASE, UNIT, response(), |_| {}, lie);
        let settled = Settled {
            totals: one,
            ..session.settle()
        };
        settled.finalise();
        let treasury = free(&TREASURY);
        settled.pay();
        assert_eq!(free(&TREASURY), treasury + 2 * UNIT / 5 - 7);
    });
}

#[test]
fn fails_when_totals_exceed_the_shares() {
    execute(|| {
        let world = World::new();
        let mut session = Session::open(1);
        let share = 2 * UNIT / 5;
        let greedy = Totals {
            entries: [1, 2]
                .map(|id| Total {
                    model: BASE,
                    payee: Payee::Contribution(id),
                    amount: share,
                })
                .to_vec()
                .try_into()
                .unwrap(),
        };
        let commitment = greedy.commitment();
        let lie = move |receipt: &mut attribution_proof::receipt::Receipt| {
            receipt.totals = commitment;
        };
        session.serve_forged(&world, BASE, UNIT, response(), |_| {}, lie);
        let settled = Settled {
            totals: greedy,
            ..session.settle()
        };
        settled.finalise();
        assert_ok!(pay(settled.id, vec![settled.entry(0)]));
        assert_noop!(
            pay(settled.id, vec![settled.entry(1)]),
            Error::<Test>::TotalsExceedShares
        );
    });
}

#[test]
fn fails_when_paid_already() {
    execute(|| {
        let settled = settled(&World::new());
        settled.finalise();
        assert_ok!(pay(settled.id, vec![settled.entry(0)]));
        assert_noop!(
            pay(settled.id, vec![settled.entry(0)]),
            Error::<Test>::AlreadyPaid
        );
        let twice = vec![settled.entry(1), settled.entry(1)];
        assert_noop!(pay(settled.id, twice), Error::<Test>::AlreadyPaid);
    });
}

#[test]
fn fails_when_opening_is_forged() {
    execute(|| {
        let settled = settled(&World::new());
        settled.finalise();
        let commitment = settled.totals.commitment();
        let mut more = settled.entry(0);
        more.total.amount += 1;
        let mut elsewhere = settled.entry(0);
        elsewhere.index = 1;
        let mut longer = settled.entry(0);
        longer.path.try_push(Default::default()).unwrap();
        let mut outside = settled.entry(0);
        outside.index = commitment.count;
        assert_eq!(
            outside.verify(&commitment),
            Err(MerkleError::IndexOutOfRange)
        );
        for forged in [more, elsewhere, longer, outside] {
            assert_noop!(pay(settled.id, vec![forged]), Error::<Test>::WrongOpening);
        }
    });
}

#[test]
fn fails_when_pending_unknown_or_empty() {
    execute(|| {
        let settled = settled(&World::new());
        let page = vec![settled.entry(0)];
        assert_noop!(
            pay(settled.id, page.clone()),
            Error::<Test>::SettlementPending
        );
        assert_noop!(pay(9, page), Error::<Test>::UnknownSettlement);
        assert_noop!(pay(settled.id, Vec::new()), Error::<Test>::EmptyPage);
    });
}
