//! The genesis presets.

use codec::Encode;
use frame_support::{
    assert_noop, assert_ok,
    traits::{fungible::InspectHold, TypedGet, VestingSchedule},
};
use openledger_runtime::{
    configs::{
        consensus::KeyDeposit,
        rewards::{FeePot, PayoutPot, RewardReserve, TreasuryAccount},
    },
    constants::currency::{TOTAL_SUPPLY, UNIT},
    genesis_presets::{self, genesis, Allocation, GenesisError, GenesisValidator, GenesisVesting},
    AuthorityDiscovery, Babe, Balances, Grandpa, Runtime, RuntimeCall, RuntimeHoldReason, Session,
    SessionKeys, Staking, Vesting,
};
use sp_core::proof_of_possession::ProofOfPossessionGenerator;
use sp_genesis_builder::PresetId;
use sp_keyring::{Ed25519Keyring, Sr25519Keyring};
use sp_runtime::BuildStorage;

use crate::chain::{genesis_config, patched_config, run_on, run_with};

#[test]
fn presets_issue_the_whole_supply() {
    for name in ["development", "local_testnet"] {
        let config = genesis_config(name);
        let issued: u128 = config
            .balances
            .balances
            .iter()
            .map(|(_, balance)| balance)
            .sum();
        assert_eq!(issued, TOTAL_SUPPLY, "{name}");
        run_on(name, |_| {
            for account in [
                TreasuryAccount::get(),
                RewardReserve::get(),
                FeePot::get(),
                PayoutPot::get(),
            ] {
                assert!(Balances::free_balance(account) > 0, "{name}");
            }
            assert!(Balances::free_balance(RewardReserve::get()) >= 100_000_000 * UNIT);
        });
    }
}

#[test]
fn presets_have_their_validators() {
    let names = [
        Sr25519Keyring::Alice,
        Sr25519Keyring::Bob,
        Sr25519Keyring::Charlie,
    ];
    for (preset, count) in [("development", 1), ("local_testnet", 3)] {
        run_on(preset, |chain| {
            chain.next_block(Vec::new());
            let mut expected: Vec<_> = names
                .iter()
                .take(count)
                .map(|name| name.to_account_id())
                .collect();
            let mut validators = Session::validators();
            expected.sort();
            validators.sort();
            assert_eq!(validators, expected);
            assert_eq!(Babe::authorities().len(), count);
            assert_eq!(Grandpa::grandpa_authorities().len(), count);
            assert_eq!(AuthorityDiscovery::authorities().len(), count);
        });
    }
}

#[test]
fn every_listed_preset_builds_and_no_other_exists() {
    for name in genesis_presets::preset_names() {
        genesis_config(name.as_ref())
            .build_storage()
            .expect("the preset builds");
    }
    assert!(genesis_presets::get_preset(&PresetId::from("mainnet")).is_none());
}

fn keys_of(name: Sr25519Keyring, finality: Ed25519Keyring) -> (SessionKeys, Vec<u8>) {
    let keys = SessionKeys {
        babe: name.public().into(),
        grandpa: finality.public().into(),
        authority_discovery: name.public().into(),
    };
    let owner = name.to_account_id().encode();
    let proof = (
        name.pair().generate_proof_of_possession(&owner),
        finality.pair().generate_proof_of_possession(&owner),
        name.pair().generate_proof_of_possession(&owner),
    );
    (keys, proof.encode())
}

#[test]
fn session_keys_need_their_proof_and_a_deposit() {
    run_on("development", |chain| {
        let dave = Sr25519Keyring::Dave;
        let (keys, proof) = keys_of(dave, Ed25519Keyring::Dave);
        let set_keys = |proof: Vec<u8>| {
            RuntimeCall::Session(pallet_session::Call::set_keys {
                keys: keys.clone(),
                proof,
            })
        };

        let (_, foreign_proof) = keys_of(Sr25519Keyring::Eve, Ed25519Keyring::Eve);
        let refused = chain.submit(dave, set_keys(foreign_proof));
        assert_eq!(
            refused,
            Err(pallet_session::Error::<Runtime>::InvalidProof.into())
        );

        let reason: RuntimeHoldReason = pallet_session::HoldReason::Keys.into();
        assert_eq!(Balances::balance_on_hold(&reason, &dave.to_account_id()), 0);
        assert_ok!(chain.submit(dave, set_keys(proof)));
        assert!(KeyDeposit::get() > 0);
        assert_eq!(
            Balances::balance_on_hold(&reason, &dave.to_account_id()),
            KeyDeposit::get()
        );
        assert_noop!(
            Session::set_keys(
                openledger_runtime::RuntimeOrigin::signed(Sr25519Keyring::Eve.to_account_id()),
                keys,
                Vec::new()
            ),
            pallet_session::Error::<Runtime>::InvalidProof
        );
    });
}

fn validator(name: Sr25519Keyring, finality: Ed25519Keyring, stake: u128) -> GenesisValidator {
    GenesisValidator {
        stash: name.to_account_id(),
        keys: keys_of(name, finality).0,
        stake: stake * UNIT,
    }
}

fn allocation(name: Sr25519Keyring, amount: u128) -> Allocation {
    Allocation {
        account: name.to_account_id(),
        amount: amount * UNIT,
        vesting: None,
    }
}

/// Two validators, and allocations for them and for one who has to wait for most of it.
fn new_chain() -> (Vec<GenesisValidator>, Vec<Allocation>) {
    let mut locked = allocation(Sr25519Keyring::Eve, 1_000);
    locked.vesting = Some(GenesisVesting {
        free: 100 * UNIT,
        begin: 10,
        length: 90,
    });
    (
        vec![
            validator(Sr25519Keyring::Dave, Ed25519Keyring::Dave, 20_000),
            validator(Sr25519Keyring::Ferdie, Ed25519Keyring::Ferdie, 10_000),
        ],
        vec![
            allocation(Sr25519Keyring::Dave, 20_100),
            allocation(Sr25519Keyring::Ferdie, 10_100),
            locked,
        ],
    )
}

#[test]
fn a_new_chain_starts_with_its_validators_and_allocations() {
    let (validators, allocations) = new_chain();
    let patch = genesis(&validators, &allocations).expect("nothing is wrong with it");
    run_with(patched_config(patch), |chain| {
        chain.next_block(Vec::new());
        assert_eq!(Session::validators().len(), 2);
        let stake = Staking::ledger(Sr25519Keyring::Dave.to_account_id().into())
            .expect("he has bonded")
            .active;
        assert_eq!(stake, 20_000 * UNIT);
        let waiting = Sr25519Keyring::Eve.to_account_id();
        assert_eq!(Balances::free_balance(&waiting), 1_000 * UNIT);
        assert_eq!(Vesting::vesting_balance(&waiting), Some(900 * UNIT));
        let transfer = |value| {
            RuntimeCall::Balances(pallet_balances::Call::transfer_keep_alive {
                dest: Sr25519Keyring::Dave.to_account_id().into(),
                value,
            })
        };
        assert!(chain
            .submit(Sr25519Keyring::Eve, transfer(101 * UNIT))
            .is_err());
        assert_ok!(chain.submit(Sr25519Keyring::Eve, transfer(50 * UNIT)));
    });
}

#[test]
fn a_chain_that_cannot_start_is_refused_by_name() {
    let dave = Sr25519Keyring::Dave.to_account_id();
    let refusal = |change: &dyn Fn(&mut Vec<GenesisValidator>, &mut Vec<Allocation>)| {
        let (mut validators, mut allocations) = new_chain();
        change(&mut validators, &mut allocations);
        genesis(&validators, &allocations).expect_err("it has a fault")
    };
    assert_eq!(
        refusal(&|validators, _| validators.clear()),
        GenesisError::NoValidator
    );
    assert_eq!(
        refusal(
            &|validators, _| validators.extend((0..200).map(|_| validator(
                Sr25519Keyring::Dave,
                Ed25519Keyring::Dave,
                20_000
            )))
        ),
        GenesisError::TooManyValidators
    );
    assert_eq!(
        refusal(&|_, allocations| allocations.push(allocation(Sr25519Keyring::Dave, 1))),
        GenesisError::AccountTwice(dave.clone())
    );
    assert_eq!(
        refusal(&|_, allocations| allocations[0].account = TreasuryAccount::get()),
        GenesisError::AccountTwice(TreasuryAccount::get())
    );
    assert_eq!(
        refusal(&|validators, _| validators[1].stash = Sr25519Keyring::Dave.to_account_id()),
        GenesisError::AccountTwice(dave.clone())
    );
    assert_eq!(
        refusal(&|validators, _| validators[1].keys = validators[0].keys.clone()),
        GenesisError::KeysTwice(Sr25519Keyring::Ferdie.to_account_id())
    );
    assert_eq!(
        refusal(&|validators, _| validators[0].stake = UNIT),
        GenesisError::StakeTooSmall(dave.clone())
    );
    assert_eq!(
        refusal(&|_, allocations| allocations[0].amount = 20_000 * UNIT),
        GenesisError::StakeNotCovered(dave.clone())
    );
    assert_eq!(
        refusal(&|_, allocations| allocations[0].amount = 1),
        GenesisError::AllocationTooSmall(dave.clone())
    );
    assert_eq!(
        refusal(&|_, allocations| {
            allocations[0].vesting = Some(GenesisVesting {
                free: 20_100 * UNIT,
                begin: 0,
                length: 1,
            });
        }),
        GenesisError::NothingVests(dave)
    );
    assert_eq!(
        refusal(&|_, allocations| allocations[2].amount = 900_000_000 * UNIT),
        GenesisError::SupplyExceeded
    );
}
