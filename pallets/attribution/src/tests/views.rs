use super::world::*;
use crate::{mock::*, Earning, Earnings, MAX_CLAIMS};
use frame_support::assert_ok;

#[test]
fn success_earnings_by_settlement_and_model() {
    execute(|| {
        let world = World::new();
        let mut session = Session::open(1);
        session.serve(&world, ADAPTER, UNIT, response());
        let one = session.settle();
        session.serve(&world, BASE, UNIT, response());
        session.serve(&world, ADAPTER, 3 * UNIT, response());
        let two = session.settle();
        two.finalise();
        two.pay();
        assert_ok!(Attribution::finalise(
            RuntimeOrigin::signed(payer()),
            one.id
        ));
        one.pay();

        let who = base_builder();
        let earning = |settlement, model| Earning {
            settlement,
            model: Some(model),
            amount: accrued(&who, settlement, Some(model)),
        };
        let unclaimed = vec![
            earning(one.id, ADAPTER),
            earning(two.id, BASE),
            earning(two.id, ADAPTER),
        ];
        // A tenth of the adapter's builder fee, all of the base's; every fee is a fifth.
        assert_eq!(
            unclaimed
                .iter()
                .map(|earning| earning.amount)
                .collect::<Vec<_>>(),
            [UNIT / 50, UNIT / 5, 3 * UNIT / 50]
        );
        let claimable = UNIT / 5 + 4 * UNIT / 50;
        let by_model = vec![(BASE, UNIT / 5), (ADAPTER, 4 * UNIT / 50)];
        assert_eq!(
            Attribution::earnings(who.clone()),
            Earnings {
                unclaimed,
                claimable,
                by_model: by_model.clone()
            }
        );
        assert_ok!(Attribution::claim(
            RuntimeOrigin::signed(who.clone()),
            MAX_CLAIMS
        ));
        assert_eq!(
            Attribution::earnings(who),
            Earnings {
                unclaimed: Vec::new(),
                claimable: 0,
                by_model
            }
        );
        assert_eq!(Attribution::earnings(GONE).by_model.len(), 1);
    });
}

#[test]
fn success_rulesets_and_pot() {
    execute(|| {
        assert_eq!(Attribution::ruleset(0), Some(RULESET));
        assert_eq!(Attribution::ruleset(1), None);
        assert_eq!(Attribution::current_ruleset(), (0, RULESET));
        assert_eq!(free(&Attribution::pot()), EXISTENTIAL_DEPOSIT);
    });
}
