use super::{challenger_origin, world::*};
use crate::{mock::*, DemandRequest, Error, Event, Purpose, SettlementState};
use frame_support::{
    assert_noop, assert_ok, traits::fungible::Mutate, traits::tokens::Preservation,
};

#[test]
fn success_shares_go_out_and_entries_wait() {
    execute(|| {
        let settled = settled(&World::new());
        let split = Attribution::settlement(settled.id).unwrap().split;
        let (treasury, stakers) = (free(&TREASURY), free(&STAKERS_POT));
        events();
        settled.finalise();
        let share = |who, purpose, amount| (who, settled.id, None, purpose, amount);
        let (who, settlement, model, purpose, amount) =
            share(operator(), Purpose::Operator, split.operator);
        let accrued_event = Event::Accrued {
            who,
            settlement,
            model,
            purpose,
            amount,
        };
        let (who, settlement, model, purpose, amount) =
            share(STAKERS_POT, Purpose::Stakers, split.stakers);
        let stakers_event = Event::Paid {
            who,
            settlement,
            model,
            purpose,
            amount,
        };
        let (who, settlement, model, purpose, amount) =
            share(TREASURY, Purpose::Treasury, split.treasury);
        let treasury_event = Event::Paid {
            who,
            settlement,
            model,
            purpose,
            amount,
        };
        assert_eq!(
            events(),
            [
                Event::Finalised {
                    settlement: settled.id,
                    operator: operator(),
                    split
                },
                accrued_event,
                stakers_event,
                treasury_event,
            ]
        );
        assert_eq!(free(&TREASURY), treasury + split.treasury);
        assert_eq!(free(&STAKERS_POT), stakers + split.stakers);
        assert_eq!(accrued(&operator(), settled.id, None), split.operator);
        let settlement = Attribution::settlement(settled.id).unwrap();
        assert_eq!(
            settlement.state,
            SettlementState::Final {
                at: System::block_number()
            }
        );
        assert_eq!(
            Attribution::owed(),
            split.operator + split.data + split.builder
        );
    });
}

#[test]
fn success_share_too_small_for_a_dead_account_accrues() {
    execute(|| {
        Balances::transfer(
            &STAKERS_POT,
            &payer(),
            EXISTENTIAL_DEPOSIT,
            Preservation::Expendable,
        )
        .unwrap();
        let world = World::new();
        let mut session = Session::open(1);
        session.serve(&world, BASE, EXISTENTIAL_DEPOSIT, response());
        let settled = session.settle();
        settled.finalise();
        assert_eq!(
            accrued(&STAKERS_POT, settled.id, None),
            EXISTENTIAL_DEPOSIT / 20
        );
    });
}

#[test]
fn success_settlement_without_entries_closes_at_once() {
    execute(|| {
        let world = World::new();
        let mut session = Session::open(1);
        // A share of one base unit rounds to nothing for data and builders.
        session.serve(&world, BASE, 1, response());
        let settled = session.settle();
        assert!(settled.totals.entries.is_empty());
        settled.finalise();
        assert_eq!(Attribution::settlement(settled.id), None);
        assert_eq!(accrued(&operator(), settled.id, None), 1);
    });
}

#[test]
fn fails_when_unknown() {
    execute(|| {
        let call = Attribution::finalise(challenger_origin(), 1);
        assert_noop!(call, Error::<Test>::UnknownSettlement);
    });
}

#[test]
fn fails_when_window_is_open() {
    execute(|| {
        let settled = settled(&World::new());
        advance(SETTLEMENT_WINDOW);
        let call = Attribution::finalise(challenger_origin(), settled.id);
        assert_noop!(call, Error::<Test>::WindowOpen);
        advance(1);
        assert_ok!(Attribution::finalise(challenger_origin(), settled.id));
    });
}

#[test]
fn fails_when_a_demand_waits() {
    execute(|| {
        let settled = settled(&World::new());
        advance(SETTLEMENT_WINDOW);
        let request = DemandRequest::Receipt { sequence: 1 };
        assert_ok!(Attribution::demand(
            challenger_origin(),
            settled.id,
            request
        ));
        advance(1);
        let call = Attribution::finalise(challenger_origin(), settled.id);
        assert_noop!(call, Error::<Test>::DemandsOpen);
    });
}

#[test]
fn fails_when_final() {
    execute(|| {
        let settled = settled(&World::new());
        settled.finalise();
        let call = Attribution::finalise(challenger_origin(), settled.id);
        assert_noop!(call, Error::<Test>::SettlementFinal);
    });
}
