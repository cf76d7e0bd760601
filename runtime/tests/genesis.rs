//! The genesis presets.

use codec::Encode;
use frame_support::{
    assert_noop, assert_ok,
    traits::{fungible::InspectHold, TypedGet},
};
use openledger_runtime::{
    configs::{
        consensus::KeyDeposit,
        rewards::{FeePot, PayoutPot, RewardReserve, TreasuryAccount},
    },
    constants::currency::{TOTAL_SUPPLY, UNIT},
    genesis_presets, AuthorityDiscovery, Babe, Balances, Grandpa, Runtime, RuntimeCall,
    RuntimeHoldReason, Session, SessionKeys,
};
use sp_core::proof_of_possession::ProofOfPossessionGenerator;
use sp_genesis_builder::PresetId;
use sp_keyring::{Ed25519Keyring, Sr25519Keyring};
use sp_runtime::BuildStorage;

use crate::chain::{genesis_config, run_on};

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
