use super::{challenger_origin, world::*};
use crate::{mock::*, DemandRequest, Error, Event};
use attribution_proof::challenge::Lie;
use frame_support::{assert_noop, assert_ok};
use sp_keyring::Sr25519Keyring;

#[test]
fn success_silence_voids_and_rewards_the_demander() {
    execute(|| {
        let settled = settled(&World::new());
        let (id, had) = (settled.id, free(&challenger()));
        assert_ok!(Attribution::demand(
            challenger_origin(),
            id,
            DemandRequest::Receipt { sequence: 2 },
        ));
        advance(DEMAND_WINDOW + 1);
        events();
        // Anybody may send it.
        let anybody = RuntimeOrigin::signed(Sr25519Keyring::Eve.to_account_id());
        assert_ok!(Attribution::expire_demand(anybody, id, 1));
        let refunded = 4 * UNIT + 341;
        let closed = Event::DemandClosed {
            settlement: id,
            demand: 1,
            demander: challenger(),
            bond: DEMAND_BOND,
        };
        assert_eq!(events()[0], closed);
        assert_eq!(free(&challenger()), had + 2 * LIE_SLASH / 5);
        assert_eq!(accrued(&payer(), id, None), refunded);
        assert_eq!(Attribution::settlement(id), None);
        assert_eq!(Strikes::get(BASE), 0);
    });
}

#[test]
fn success_withheld_row_or_step_is_a_strike() {
    execute(|| {
        let world = World::new();
        for (channel, strikes, step) in [(1, 1, false), (2, 2, true)] {
            let mut session = Session::open(channel);
            session.serve(&world, ADAPTER, UNIT, response());
            let settled = session.settle();
            let receipt = Box::new(settled.answers[0].signed.clone());
            let request = if step {
                DemandRequest::Step {
                    receipt,
                    model: BASE,
                    step: 1,
                }
            } else {
                DemandRequest::Row {
                    receipt,
                    model: BASE,
                    row: 0,
                }
            };
            assert_ok!(Attribution::demand(
                challenger_origin(),
                settled.id,
                request
            ));
            advance(DEMAND_WINDOW + 1);
            events();
            assert_ok!(Attribution::expire_demand(
                challenger_origin(),
                settled.id,
                u64::from(strikes),
            ));
            let withheld = |event: &Event<Test>| {
                matches!(
                    event,
                    Event::Voided {
                        lie: Lie::Withheld,
                        ..
                    }
                )
            };
            assert!(events().iter().any(withheld));
            assert_eq!((Strikes::get(BASE), Strikes::get(ADAPTER)), (strikes, 0));
        }
    });
}

#[test]
fn success_after_the_settlement_window() {
    execute(|| {
        let settled = settled(&World::new());
        advance(SETTLEMENT_WINDOW);
        assert_ok!(Attribution::demand(
            challenger_origin(),
            settled.id,
            DemandRequest::Receipt { sequence: 2 },
        ));
        advance(DEMAND_WINDOW + 1);
        assert_ok!(Attribution::expire_demand(
            challenger_origin(),
            settled.id,
            1
        ));
        assert_eq!(Attribution::settlement(settled.id), None);
    });
}

#[test]
fn fails_when_demand_is_open_or_unknown() {
    execute(|| {
        let settled = settled(&World::new());
        let expire = |id, demand| Attribution::expire_demand(challenger_origin(), id, demand);
        assert_noop!(expire(9, 1), Error::<Test>::UnknownSettlement);
        assert_noop!(expire(settled.id, 1), Error::<Test>::UnknownDemand);
        assert_ok!(Attribution::demand(
            challenger_origin(),
            settled.id,
            DemandRequest::Receipt { sequence: 1 },
        ));
        advance(DEMAND_WINDOW);
        assert_noop!(expire(settled.id, 1), Error::<Test>::DemandOpen);
    });
}
