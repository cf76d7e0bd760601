//! Whatever is called in whatever order, no money is made or lost: each payer's loss is what was
//! claimed of his channels, the pot's gain is their sum, and once every channel is closed nothing
//! is held.

use std::collections::BTreeMap;

use attribution_proof::{voucher::CooperativeClose, AccountId, Balance, ChannelId};
use frame_support::{assert_ok, storage::with_storage_layer};
use proptest::prelude::*;
use sp_keyring::Sr25519Keyring::{self, Alice, Bob, Charlie, Dave};
use sp_runtime::DispatchResult;

use crate::{mock::*, NextChannel};

/// What is tried. `channel` counts from the newest one, so that most operations meet an open
/// channel.
#[derive(Clone, Debug)]
enum Operation {
    Open {
        payer: bool,
        payee: bool,
        deposit: Balance,
        blocks: u32,
    },
    TopUp {
        channel: u64,
        amount: Balance,
    },
    Extend {
        channel: u64,
        blocks: u32,
    },
    RequestClose {
        channel: u64,
    },
    Close {
        channel: u64,
    },
    CloseCooperatively {
        channel: u64,
    },
    CloseAsPayee {
        channel: u64,
    },
    Claim {
        channel: u64,
        sequence: u64,
        amount: Balance,
    },
    Pass {
        blocks: u32,
    },
}

fn operation() -> impl Strategy<Value = Operation> {
    let channel = 0u64..4;
    prop_oneof![
        2 => (any::<bool>(), any::<bool>(), 50..2_000u128, 10..60u32).prop_map(
            |(payer, payee, deposit, blocks)| Operation::Open { payer, payee, deposit, blocks }
        ),
        2 => (channel.clone(), 0..500u128)
            .prop_map(|(channel, amount)| Operation::TopUp { channel, amount }),
        1 => (channel.clone(), 0..60u32)
            .prop_map(|(channel, blocks)| Operation::Extend { channel, blocks }),
        1 => channel.clone().prop_map(|channel| Operation::RequestClose { channel }),
        1 => channel.clone().prop_map(|channel| Operation::Close { channel }),
        1 => channel.clone().prop_map(|channel| Operation::CloseCooperatively { channel }),
        1 => channel.clone().prop_map(|channel| Operation::CloseAsPayee { channel }),
        6 => (channel, 0..4u64, 0..400u128).prop_map(
            |(channel, sequence, amount)| Operation::Claim { channel, sequence, amount }
        ),
        2 => (1..15u32).prop_map(|blocks| Operation::Pass { blocks }),
    ]
}

/// The key of an account of the tests.
fn key(account: &AccountId) -> Sr25519Keyring {
    [Alice, Bob, Charlie, Dave]
        .into_iter()
        .find(|key| key.to_account_id() == *account)
        .expect("payers and payees are accounts of the tests")
}

/// Tries one operation, and adds what was claimed to `claimed`, by payer.
fn apply(operation: &Operation, claimed: &mut BTreeMap<AccountId, Balance>) -> DispatchResult {
    let nth = |back: u64| -> ChannelId { (NextChannel::<Test>::get() - 1).saturating_sub(back) };
    let payer_of = |id| Channels::channel(id).map_or(alice(), |channel| channel.payer);
    let payee_of = |id| Channels::channel(id).map_or(bob(), |channel| channel.payee);
    let now = System::block_number();
    match *operation {
        Operation::Open {
            payer,
            payee,
            deposit,
            blocks,
        } => Channels::open(
            RuntimeOrigin::signed(if payer { alice() } else { charlie() }),
            if payee { bob() } else { dave() },
            None,
            deposit,
            now + blocks,
        ),
        Operation::TopUp { channel, amount } => {
            let id = nth(channel);
            Channels::top_up(RuntimeOrigin::signed(payer_of(id)), id, amount)
        }
        Operation::Extend { channel, blocks } => {
            let id = nth(channel);
            Channels::extend(RuntimeOrigin::signed(payer_of(id)), id, now + blocks)
        }
        Operation::RequestClose { channel } => {
            let id = nth(channel);
            Channels::request_close(RuntimeOrigin::signed(payer_of(id)), id)
        }
        Operation::Close { channel } => Channels::close(RuntimeOrigin::signed(pot()), nth(channel)),
        Operation::CloseCooperatively { channel } => {
            let id = nth(channel);
            let cumulative = Channels::channel(id).map_or(0, |channel| channel.mark.cumulative);
            let agreement = CooperativeClose {
                genesis: genesis(),
                channel: id,
                cumulative,
            };
            Channels::close_cooperatively(
                RuntimeOrigin::signed(payer_of(id)),
                id,
                agreement,
                key(&payee_of(id)).sign(&agreement.payload()).into(),
            )
        }
        Operation::CloseAsPayee { channel } => {
            let id = nth(channel);
            Channels::close_as_payee(RuntimeOrigin::signed(payee_of(id)), id)
        }
        Operation::Claim {
            channel,
            sequence,
            amount,
        } => {
            let id = nth(channel);
            let mark = Channels::channel(id)
                .map(|channel| channel.mark)
                .unwrap_or_default();
            let voucher = voucher(id, mark.sequence + sequence, mark.cumulative + amount);
            let signed = signed(voucher, key(&payer_of(id)));
            let done = Channels::claim(&payee_of(id), &signed, &pot())?;
            assert_eq!((done.amount, done.from), (amount, mark));
            *claimed.entry(done.payer).or_default() += done.amount;
            Ok(())
        }
        Operation::Pass { blocks } => {
            System::set_block_number(now + blocks);
            Ok(())
        }
    }
}

fn check_books(claimed: &BTreeMap<AccountId, Balance>) {
    check_invariants();
    for payer in [alice(), charlie()] {
        let lost = claimed.get(&payer).copied().unwrap_or_default();
        assert_eq!(
            Balances::free_balance(&payer) + held(&payer),
            ENDOWMENT - lost
        );
    }
    assert_eq!(
        Balances::free_balance(pot()),
        ENDOWMENT + claimed.values().sum::<Balance>()
    );
    assert_eq!(
        Balances::total_issuance(),
        ENDOWMENT * endowed().len() as Balance
    );
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    #[test]
    fn success_no_money_is_made_or_lost(
        operations in prop::collection::vec(operation(), 1..24),
        first in 1..500u128,
    ) {
        new_test_ext().execute_with(|| {
            let mut claimed = BTreeMap::new();
            // Every run pays something, so that none is true of an empty chain only.
            open_channel();
            let paid = Operation::Claim { channel: 0, sequence: 1, amount: first };
            assert_ok!(apply(&paid, &mut claimed));
            for operation in &operations {
                // Refusals are part of the game. Like an extrinsic, each operation rolls back then.
                let _ = with_storage_layer(|| apply(operation, &mut claimed));
                check_books(&claimed);
            }
            System::set_block_number(System::block_number() + 1_000);
            for id in 1..NextChannel::<Test>::get() {
                if Channels::channel(id).is_some() {
                    assert_ok!(Channels::close(RuntimeOrigin::signed(pot()), id));
                }
            }
            check_books(&claimed);
            assert_eq!((held(&alice()), held(&charlie())), (0, 0));
        });
    }
}
