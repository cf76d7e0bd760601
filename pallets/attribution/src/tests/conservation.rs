//! Whatever happens in whatever order: no base unit is made or lost, and every invariant holds after
//! each step.

use super::{challenger_origin, world::*};
use crate::{mock::*, Answer, DemandRequest, Demanded, SettlementState, MAX_CLAIMS};
use attribution_proof::{receipt::Receipt, AccountId};
use proptest::prelude::*;
use sp_keyring::Sr25519Keyring;

/// What may happen next; numbers choose among what there is.
#[derive(Clone, Debug)]
enum Operation {
    Serve {
        channel: usize,
        model: usize,
        price: u128,
        data: bool,
    },
    Settle {
        channel: usize,
        lie: bool,
    },
    Advance {
        blocks: u32,
    },
    Finalise {
        at: usize,
    },
    Pay {
        at: usize,
        from: usize,
        count: usize,
    },
    Sweep {
        at: usize,
    },
    Claim {
        who: usize,
        limit: u32,
    },
    Challenge {
        at: usize,
        proves: bool,
    },
    Demand {
        at: usize,
        sequence: u64,
    },
    Answer {
        at: usize,
    },
    Expire {
        at: usize,
    },
    Tombstone {
        contribution: u64,
    },
}

fn operation() -> impl Strategy<Value = Operation> {
    let at = 0usize..6;
    prop_oneof![
        4 => (0usize..2, 0usize..3, 1u128..3 * UNIT, any::<bool>())
            .prop_map(|(channel, model, price, data)| Operation::Serve {
                channel, model, price, data,
            }),
        3 => (0usize..2, prop::bool::weighted(0.2))
            .prop_map(|(channel, lie)| Operation::Settle { channel, lie }),
        3 => (1u32..30).prop_map(|blocks| Operation::Advance { blocks }),
        3 => at.clone().prop_map(|at| Operation::Finalise { at }),
        4 => (at.clone(), 0usize..6, 1usize..6)
            .prop_map(|(at, from, count)| Operation::Pay { at, from, count }),
        1 => at.clone().prop_map(|at| Operation::Sweep { at }),
        2 => (0usize..8, 1u32..=MAX_CLAIMS).prop_map(|(who, limit)| Operation::Claim { who, limit }),
        2 => (at.clone(), any::<bool>())
            .prop_map(|(at, proves)| Operation::Challenge { at, proves }),
        2 => (at.clone(), 1u64..8).prop_map(|(at, sequence)| Operation::Demand { at, sequence }),
        2 => at.clone().prop_map(|at| Operation::Answer { at }),
        1 => at.prop_map(|at| Operation::Expire { at }),
        1 => (1u64..5).prop_map(|contribution| Operation::Tombstone { contribution }),
    ]
}

fn accounts() -> [AccountId; 8] {
    let key = |key: Sr25519Keyring| key.to_account_id();
    [
        operator(),
        payer(),
        key(Sr25519Keyring::Charlie),
        key(Sr25519Keyring::Dave),
        key(Sr25519Keyring::Eve),
        base_builder(),
        adapter_builder(),
        GONE,
    ]
}

/// Runs one operation; calls that the state does not allow fail without effect, which is part of what
/// is tested.
fn run(operation: Operation, world: &World, sessions: &mut [Session], history: &mut Vec<Settled>) {
    let origin = challenger_origin;
    let demand_of = |settled: &Settled| Attribution::demands(settled.id).first().cloned();
    match operation {
        Operation::Serve {
            channel,
            model,
            price,
            data,
        } => {
            let response = if data {
                response()
            } else {
                text("nothing", 30)
            };
            let model = [BASE, ADAPTER, BASE][model];
            let content = |receipt: &mut Receipt| {
                if !data {
                    receipt.credits = Default::default();
                }
            };
            sessions[channel].serve_forged(world, model, price, response, content, |_| {});
        }
        Operation::Settle { channel, lie } => {
            let session = &mut sessions[channel];
            if lie {
                let end = |receipt: &mut Receipt| receipt.totals.count = 1;
                session.serve_forged(world, BASE, UNIT, text("lie", 20), |_| {}, end);
            }
            if !session.answers.is_empty() {
                history.push(session.settle());
            }
        }
        Operation::Advance { blocks } => advance(blocks),
        Operation::Finalise { at } => {
            if let Some(settled) = history.get(at) {
                let _ = Attribution::finalise(origin(), settled.id);
            }
        }
        Operation::Pay { at, from, count } => {
            if let Some(settled) = history.get(at) {
                let page: Vec<_> = settled
                    .entries()
                    .into_iter()
                    .skip(from)
                    .take(count)
                    .collect();
                let _ = Attribution::pay(origin(), settled.id, page.try_into().unwrap());
            }
        }
        Operation::Sweep { at } => {
            if let Some(settled) = history.get(at) {
                let _ = Attribution::sweep(origin(), settled.id);
            }
        }
        Operation::Claim { who, limit } => {
            let _ = Attribution::claim_for(origin(), accounts()[who].clone(), limit);
        }
        Operation::Challenge { at, proves } => {
            if let Some(settled) = history.get(at) {
                let mut receipt = settled.answers.last().unwrap().receipt().clone();
                receipt.tokens_in += u32::from(proves);
                let receipt = Box::new(signed(receipt));
                let _ = Attribution::challenge_settlement(origin(), settled.id, receipt);
            }
        }
        Operation::Demand { at, sequence } => {
            if let Some(settled) = history.get(at) {
                let request = DemandRequest::Receipt { sequence };
                let _ = Attribution::demand(origin(), settled.id, request);
            }
        }
        Operation::Answer { at } => {
            let Some(settled) = history.get(at) else {
                return;
            };
            let Some((number, demand)) = demand_of(settled) else {
                return;
            };
            let Demanded::Receipt { sequence } = demand.object else {
                unreachable!()
            };
            let answers = settled.answers.iter();
            let first = answers
                .clone()
                .find(|answer| answer.receipt().sequence == sequence);
            let found = first.unwrap();
            let (receipt, query) = (found.signed.clone(), found.query.clone());
            let answer = Box::new(Answer::Receipt { receipt, query });
            let origin = RuntimeOrigin::signed(operator());
            let _ = Attribution::answer(origin, settled.id, number, answer);
        }
        Operation::Expire { at } => {
            if let Some((settled, (number, _))) = history
                .get(at)
                .and_then(|settled| Some((settled, demand_of(settled)?)))
            {
                let _ = Attribution::expire_demand(origin(), settled.id, number);
            }
        }
        Operation::Tombstone { contribution } => {
            Tombstones::insert((contribution, None::<u32>), System::block_number());
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    #[test]
    fn success_books_agree_after_every_operation(
        operations in prop::collection::vec(operation(), 1..60),
    ) {
        externalities().execute_with(|| {
            let world = World::new();
            let issued = Balances::total_issuance();
            let mut sessions = [Session::open(1), Session::open(2)];
            let mut history = Vec::new();
            for operation in operations {
                // As the dispatcher does: nothing of a failed call stays.
                run(operation, &world, &mut sessions, &mut history);
                check_books(issued);
            }
            finish(&history);
            check_books(issued);
            let left: Vec<_> = accounts()
                .into_iter()
                .filter(|who| Attribution::earnings(who.clone()).claimable > 0)
                .collect();
            // Only what is too little to bring an account to life is left in the pot.
            for who in left {
                assert!(Attribution::earnings(who.clone()).claimable < EXISTENTIAL_DEPOSIT);
                assert_eq!(free(&who), 0);
            }
        });
    }
}

/// Ends everything: demands expire, settlements are finalised and swept, everybody claims.
fn finish(history: &[Settled]) {
    for settled in history {
        if let Some(settlement) = Attribution::settlement(settled.id) {
            advance(SETTLEMENT_WINDOW + 2 * DEMAND_WINDOW + 1);
            match Attribution::demands(settled.id).first() {
                Some((number, _)) => {
                    Attribution::expire_demand(challenger_origin(), settled.id, *number).unwrap();
                    continue;
                }
                None if settlement.state == SettlementState::Pending => {
                    Attribution::finalise(challenger_origin(), settled.id).unwrap();
                }
                None => {}
            }
            advance(PAYOUT_PERIOD + 1);
            if Attribution::settlement(settled.id).is_some() {
                Attribution::sweep(challenger_origin(), settled.id).unwrap();
            }
        }
        assert_eq!(Attribution::settlement(settled.id), None);
    }
    for who in accounts() {
        while Attribution::claim_for(challenger_origin(), who.clone(), MAX_CLAIMS).is_ok() {}
    }
    assert_eq!(bonded(&challenger()), 0);
}
