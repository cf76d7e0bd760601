use super::world::*;
use crate::{mock::*, Error, Event, Settlement, SettlementState};
use attribution_proof::{
    challenge::Mark,
    hash::Hash,
    receipt::{CreditKind, Receipt},
    voucher::{SignedVoucher, Voucher},
    AccountId,
};
use frame_support::traits::tokens::Preservation;
use frame_support::{assert_noop, assert_ok, dispatch::DispatchResult, traits::fungible::Mutate};
use sp_keyring::Sr25519Keyring;
use sp_runtime::DispatchError;

fn settle_as(who: Sr25519Keyring, session: &Session) -> DispatchResult {
    Attribution::settle(
        RuntimeOrigin::signed(who.to_account_id()),
        session.voucher(),
        Box::new(session.last().signed.clone()),
    )
}

/// A session whose last receipt was changed before it was signed.
fn forged(world: &World, end: impl FnOnce(&mut Receipt)) -> Session {
    let mut session = Session::open(1);
    session.serve_forged(world, BASE, UNIT, response(), |_| {}, end);
    session
}

#[test]
fn success_money_waits_in_the_pot() {
    execute(|| {
        let world = World::new();
        let mut session = Session::open(1);
        session.serve(&world, ADAPTER, UNIT + 1, response());
        session.serve(&world, BASE, UNIT + 333, response());
        events();
        let settled = session.settle();
        let amount = 2 * UNIT + 334;
        let totals = settled.totals.commitment();
        let split = RULESET.split.split(0, amount);
        assert_eq!(
            events(),
            [Event::Settled {
                settlement: 1,
                channel: 1,
                payer: payer(),
                operator: operator(),
                ruleset: 0,
                first: 1,
                last: 2,
                amount,
                split,
                totals,
                window_end: 1 + SETTLEMENT_WINDOW,
            }]
        );
        let last = settled.answers.last().unwrap().receipt();
        assert_eq!(
            Attribution::settlement(1),
            Some(Settlement {
                channel: 1,
                payer: payer(),
                operator: operator(),
                ruleset: 0,
                from: Mark::default(),
                to: Mark::after(last),
                split,
                totals,
                opened_at: 1,
                demands_until: 1 + SETTLEMENT_WINDOW,
                window_end: 1 + SETTLEMENT_WINDOW,
                state: SettlementState::Pending,
                paid: vec![0; totals.count.div_ceil(8) as usize]
                    .try_into()
                    .unwrap(),
                paid_count: 0,
                paid_sum: 0,
                open_demands: 0,
            })
        );
        assert_eq!(
            free(&Attribution::pot_account()),
            EXISTENTIAL_DEPOSIT + amount
        );
        assert_eq!(settled.totals.sum(), split.data + split.builder);
        assert_eq!(
            LiableUntil::get(operator()),
            1 + SETTLEMENT_WINDOW + 2 * DEMAND_WINDOW
        );
    });
}

#[test]
fn success_next_settlement_continues_the_mark() {
    execute(|| {
        let world = World::new();
        let mut session = Session::open(1);
        session.serve(&world, ADAPTER, UNIT + 1, response());
        session.settle();
        session.serve(&world, BASE, UNIT + 7, response());
        let settled = session.settle();
        let settlement = Attribution::settlement(settled.id).unwrap();
        assert_eq!(settled.id, 2);
        assert_eq!(settlement.from, Attribution::settlement(1).unwrap().to);
        assert_eq!(settlement.amount(), UNIT + 7);
        assert_eq!(settled.totals.sum(), settlement.shared());
    });
}

#[test]
fn success_channel_keeps_its_ruleset_across_a_change() {
    execute(|| {
        let world = World::new();
        let mut session = Session::open(1);
        session.serve(&world, ADAPTER, UNIT, response());
        let mut other = RULESET;
        other.receipt.top_k = 1;
        other.receipt.minimum_span = 64;
        other.receipt.span_weight_cap = 64;
        assert_ok!(Attribution::add_ruleset(
            RuntimeOrigin::root(),
            Box::new(other)
        ));
        session.serve(&world, ADAPTER, UNIT, response());
        let settled = session.settle();
        assert_eq!(Attribution::settlement(settled.id).unwrap().ruleset, 0);
        let mut later = Session::open(2);
        later.serve(&world, ADAPTER, UNIT, response());
        assert_eq!(later.last().receipt().credits.len(), 1);
        assert_eq!(
            Attribution::settlement(later.settle().id).unwrap().ruleset,
            1
        );
    });
}

#[test]
fn fails_when_pot_is_not_funded() {
    execute(|| {
        let mut session = forged(&World::new(), |_| {});
        let pot = Attribution::pot_account();
        let fund = |from: &AccountId, to: &AccountId| {
            Balances::transfer(from, to, EXISTENTIAL_DEPOSIT, Preservation::Expendable).unwrap();
        };
        fund(&pot, &payer());
        assert_noop!(
            settle_as(Sr25519Keyring::Alice, &session),
            Error::<Test>::PotNotFunded
        );
        fund(&payer(), &pot);
        session.settle();
    });
}

#[test]
fn fails_when_receipt_is_of_another_chain() {
    execute(|| {
        let session = forged(&World::new(), |receipt| {
            receipt.genesis = Hash::repeat_byte(1)
        });
        assert_noop!(
            settle_as(Sr25519Keyring::Alice, &session),
            Error::<Test>::WrongGenesis
        );
    });
}

#[test]
fn fails_when_voucher_names_another_receipt() {
    execute(|| {
        let world = World::new();
        let mut session = Session::open(1);
        session.serve(&world, BASE, UNIT, response());
        session.serve(&world, BASE, UNIT, response());
        let settle = Attribution::settle(
            RuntimeOrigin::signed(operator()),
            session.voucher(),
            Box::new(session.answers[0].signed.clone()),
        );
        assert_noop!(settle, Error::<Test>::ReceiptNotInVoucher);
    });
}

#[test]
fn fails_when_receipt_contradicts_voucher() {
    execute(|| {
        let session = forged(&World::new(), |_| {});
        let promise = session.voucher().voucher;
        for wrong in [
            Voucher {
                channel: 2,
                ..promise
            },
            Voucher {
                sequence: 2,
                ..promise
            },
            Voucher {
                cumulative: promise.cumulative + 1,
                ..promise
            },
        ] {
            let voucher = SignedVoucher {
                voucher: wrong,
                signature: sign(Sr25519Keyring::Bob, &wrong.payload()),
            };
            let receipt = Box::new(session.last().signed.clone());
            let settle = Attribution::settle(RuntimeOrigin::signed(operator()), voucher, receipt);
            assert_noop!(settle, Error::<Test>::ReceiptContradictsVoucher);
        }
    });
}

#[test]
fn fails_when_sender_did_not_sign_the_receipt() {
    execute(|| {
        let session = forged(&World::new(), |_| {});
        assert_noop!(
            settle_as(Sr25519Keyring::Charlie, &session),
            Error::<Test>::ReceiptNotSigned
        );
    });
}

#[test]
fn fails_when_channel_refuses_the_voucher() {
    execute(|| {
        let mut session = forged(&World::new(), |_| {});
        let mut voucher = session.voucher();
        voucher.signature = sign(Sr25519Keyring::Charlie, &voucher.voucher.payload());
        let receipt = Box::new(session.last().signed.clone());
        let settle = Attribution::settle(
            RuntimeOrigin::signed(operator()),
            voucher.clone(),
            receipt.clone(),
        );
        assert_noop!(settle, DispatchError::Other("not signed by the payer"));
        let voucher = session.voucher();
        session.settle();
        let again = Attribution::settle(RuntimeOrigin::signed(operator()), voucher, receipt);
        assert_noop!(again, DispatchError::Other("spent"));
    });
}

#[test]
fn fails_when_receipt_names_another_ruleset() {
    execute(|| {
        assert_ok!(Attribution::add_ruleset(
            RuntimeOrigin::root(),
            Box::new(RULESET)
        ));
        let session = forged(&World::new(), |receipt| receipt.ruleset = 0);
        assert_noop!(
            settle_as(Sr25519Keyring::Alice, &session),
            Error::<Test>::WrongRuleset
        );
    });
}

#[test]
fn fails_when_channel_has_an_unknown_ruleset() {
    execute(|| {
        let session = forged(&World::new(), |_| {});
        StoredChannels::mutate(1, |channel| channel.as_mut().unwrap().ruleset = 9);
        assert_noop!(
            settle_as(Sr25519Keyring::Alice, &session),
            Error::<Test>::UnknownRuleset
        );
    });
}

#[test]
fn fails_when_receipt_is_malformed() {
    execute(|| {
        let world = World::new();
        let refuse = |channel, change: fn(&mut Receipt), error: Error<Test>| {
            let mut session = Session::open(channel);
            session.serve_forged(&world, BASE, UNIT, response(), |_| {}, change);
            assert_noop!(settle_as(Sr25519Keyring::Alice, &session), error);
        };
        let more: fn(&mut Receipt) = |receipt| {
            let mut credit = receipt.credits[2];
            credit.score -= 1;
            credit.row = 3;
            receipt.credits.try_push(credit).unwrap();
        };
        refuse(1, more, Error::TooManyCredits);
        refuse(
            2,
            |receipt| receipt.credits.as_mut().swap(0, 1),
            Error::InvalidCredits,
        );
        refuse(
            3,
            |receipt| receipt.credits[0].kind = CreditKind::Retrieval,
            Error::InvalidCredits,
        );
        refuse(
            4,
            |receipt| receipt.spans[0].length = 15,
            Error::InvalidSpans,
        );
        refuse(
            5,
            |receipt| receipt.response.count += 1,
            Error::InvalidResponse,
        );
        refuse(
            6,
            |receipt| receipt.price = receipt.cumulative + 1,
            Error::InvalidCounters,
        );
        refuse(
            7,
            |receipt| receipt.totals.count = 1_025,
            Error::InvalidCounters,
        );
    });
}

#[test]
fn fails_when_bond_does_not_cover_a_lie() {
    execute(|| {
        let mut session = forged(&World::new(), |_| {});
        Bonds::insert(operator(), LIE_SLASH - 1);
        assert_noop!(
            settle_as(Sr25519Keyring::Alice, &session),
            Error::<Test>::BondTooLow
        );
        Bonds::insert(operator(), BOND);
        session.settle();
    });
}

#[test]
fn fails_when_voucher_was_claimed_before() {
    execute(|| {
        let session = forged(&World::new(), |_| {});
        claim_directly(&session, &TREASURY);
        let again = settle_as(Sr25519Keyring::Alice, &session);
        assert_noop!(again, DispatchError::Other("spent"));
    });
}
