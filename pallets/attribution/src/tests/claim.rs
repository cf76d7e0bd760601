use super::{challenger_origin, world::*};
use crate::{mock::*, Accruals, Error, Event, MAX_CLAIMS};
use frame_support::{assert_noop, assert_ok, weights::Weight};
use sp_keyring::Sr25519Keyring;

#[test]
fn success_all_sources_in_one_transfer() {
    execute(|| {
        let settled = settled(&World::new());
        settled.finalise();
        settled.pay();
        let who = base_builder();
        let amount = Attribution::earnings(who.clone()).claimable;
        let had = free(&who);
        events();
        assert_ok!(Attribution::claim(
            RuntimeOrigin::signed(who.clone()),
            MAX_CLAIMS
        ));
        assert_eq!(
            events(),
            [Event::Claimed {
                who: who.clone(),
                entries: 2,
                amount
            }]
        );
        assert_eq!(free(&who), had + amount);
        assert_eq!(Accruals::<Test>::iter_prefix(&who).count(), 0);
    });
}

#[test]
fn success_page_by_page_and_the_weight_follows() {
    execute(|| {
        let settled = settled(&World::new());
        settled.finalise();
        settled.pay();
        let who = base_builder();
        let amount = Attribution::earnings(who.clone()).claimable;
        let had = free(&who);
        let weight = |limit| -> Option<Weight> {
            Attribution::claim(RuntimeOrigin::signed(who.clone()), limit)
                .unwrap()
                .actual_weight
        };
        let one = weight(1);
        assert_eq!(Accruals::<Test>::iter_prefix(&who).count(), 1);
        assert_eq!(weight(MAX_CLAIMS), one);
        assert_eq!(free(&who), had + amount);
    });
}

#[test]
fn success_refund_is_claimed_like_earnings() {
    execute(|| {
        let settled = settled(&World::new());
        assert_ok!(Attribution::demand(
            challenger_origin(),
            settled.id,
            crate::DemandRequest::Receipt { sequence: 1 },
        ));
        advance(DEMAND_WINDOW + 1);
        assert_ok!(Attribution::expire_demand(
            challenger_origin(),
            settled.id,
            1
        ));
        let had = free(&payer());
        assert_ok!(Attribution::claim(RuntimeOrigin::signed(payer()), 1));
        assert_eq!(free(&payer()), had + 4 * UNIT + 341);
        assert_eq!(Attribution::owed(), 0);
    });
}

#[test]
fn success_somebody_else_pays_the_fee() {
    execute(|| {
        let settled = settled(&World::new());
        settled.finalise();
        settled.pay();
        let amount = Attribution::earnings(GONE).claimable;
        assert!(amount >= EXISTENTIAL_DEPOSIT);
        assert_ok!(Attribution::claim_for(
            challenger_origin(),
            GONE,
            MAX_CLAIMS
        ));
        assert_eq!(free(&GONE), amount);
    });
}

#[test]
fn fails_when_nothing_accrued() {
    execute(|| {
        let who = Sr25519Keyring::Charlie.to_account_id();
        let claim = Attribution::claim(RuntimeOrigin::signed(who.clone()), 1);
        assert_noop!(claim, Error::<Test>::NothingToClaim);
        let claim = Attribution::claim_for(challenger_origin(), who, 1);
        assert_noop!(claim, Error::<Test>::NothingToClaim);
    });
}

#[test]
fn fails_when_limit_is_out_of_bounds() {
    execute(|| {
        for limit in [0, MAX_CLAIMS + 1, u32::MAX] {
            let claim = Attribution::claim(RuntimeOrigin::signed(operator()), limit);
            assert_noop!(claim, Error::<Test>::InvalidLimit);
        }
    });
}

#[test]
fn fails_when_sum_is_below_the_existential_deposit_of_a_dead_account() {
    execute(|| {
        let world = World::new();
        let mut session = Session::open(1);
        session.serve(&world, ADAPTER, EXISTENTIAL_DEPOSIT, response());
        let settled = session.settle();
        settled.finalise();
        settled.pay();
        let owed = Attribution::earnings(GONE).claimable;
        assert!(owed > 0 && owed < EXISTENTIAL_DEPOSIT);
        let claim = Attribution::claim_for(challenger_origin(), GONE, MAX_CLAIMS);
        assert_noop!(claim, Error::<Test>::BelowExistentialDeposit);
        let fund = EXISTENTIAL_DEPOSIT;
        assert_ok!(Balances::transfer_keep_alive(
            challenger_origin(),
            GONE,
            fund
        ));
        assert_ok!(Attribution::claim_for(
            challenger_origin(),
            GONE,
            MAX_CLAIMS
        ));
        assert_eq!(free(&GONE), fund + owed);
    });
}
