use super::{challenger_origin, world::*};
use crate::{mock::*, Error, Event};
use frame_support::{assert_noop, assert_ok};

#[test]
fn success_what_nobody_proved_goes_to_the_treasury() {
    execute(|| {
        let settled = settled(&World::new());
        settled.finalise();
        let page = vec![settled.entry(0)].try_into().unwrap();
        assert_ok!(Attribution::pay(challenger_origin(), settled.id, page));
        advance(PAYOUT_PERIOD + 1);
        let treasury = free(&TREASURY);
        let rest = settled.totals.sum() - settled.totals.entries[0].amount;
        events();
        assert_ok!(Attribution::sweep(challenger_origin(), settled.id));
        assert_eq!(
            events().last(),
            Some(&Event::Closed {
                settlement: settled.id,
                swept: rest
            })
        );
        assert_eq!(free(&TREASURY), treasury + rest);
        assert_eq!(Attribution::settlement(settled.id), None);
    });
}

#[test]
fn fails_when_period_is_open_or_settlement_is_not_final() {
    execute(|| {
        let settled = settled(&World::new());
        let sweep = |id| Attribution::sweep(challenger_origin(), id);
        assert_noop!(sweep(9), Error::<Test>::UnknownSettlement);
        assert_noop!(sweep(settled.id), Error::<Test>::SettlementPending);
        settled.finalise();
        advance(PAYOUT_PERIOD);
        assert_noop!(sweep(settled.id), Error::<Test>::PayoutPeriodOpen);
    });
}
