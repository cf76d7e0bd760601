//! What happens to a validator that signs two blocks for one slot.

use codec::Encode;
use frame_support::{
    assert_ok,
    traits::{fungible::Inspect, KeyOwnerProofSystem},
};
use openledger_runtime::{
    configs::staking::{SlashAndChill, SlashDeferDuration},
    Babe, Balances, Hash, Header, Historical, Runtime, RuntimeCall, RuntimeEvent, RuntimeOrigin,
    Session, Staking,
};
use pallet_staking::Validators;
use sp_consensus_babe::{
    digests::{CompatibleDigestItem, PreDigest, SecondaryPlainPreDigest},
    AuthorityId, EquivocationProof,
};
use sp_keyring::Sr25519Keyring::{self, *};
use sp_runtime::{traits::Header as _, Digest, DigestItem, DispatchError, Perbill};
use sp_staking::offence::{OffenceDetails, OnOffenceHandler};

use crate::chain::{events, run_on, Chain};

/// A block's header with its author's signature. `content` tells it from others of the same slot.
fn sealed_header(author: Sr25519Keyring, authority_index: u32, slot: u64, content: u8) -> Header {
    let claim = PreDigest::SecondaryPlain(SecondaryPlainPreDigest {
        authority_index,
        slot: slot.into(),
    });
    let mut header = Header::new(
        1,
        Hash::repeat_byte(content),
        Default::default(),
        Default::default(),
        Digest {
            logs: vec![DigestItem::babe_pre_digest(claim)],
        },
    );
    let seal = author.sign(header.hash().as_ref());
    header.digest_mut().push(DigestItem::babe_seal(seal.into()));
    header
}

/// The report that `offender` signed two blocks for the last block's slot.
fn report(chain: &Chain, offender: Sr25519Keyring) -> RuntimeCall {
    let identity = AuthorityId::from(offender.public());
    let authority_index = Babe::authorities()
        .iter()
        .position(|(authority, _)| *authority == identity)
        .expect("the offender is a validator") as u32;
    let header = |content| sealed_header(offender, authority_index, chain.slot(), content);
    let key_owner_proof = Historical::prove((sp_consensus_babe::KEY_TYPE, identity.encode()))
        .expect("the offender is in the session");
    RuntimeCall::Babe(pallet_babe::Call::report_equivocation {
        equivocation_proof: Box::new(EquivocationProof {
            slot: chain.slot().into(),
            offender: identity,
            first_header: header(1),
            second_header: header(2),
        }),
        key_owner_proof,
    })
}

fn is_candidate(who: Sr25519Keyring) -> bool {
    Validators::<Runtime>::contains_key(who.to_account_id())
}

#[test]
fn an_equivocation_is_slashed_and_its_validator_chilled() {
    run_on("local_testnet", |chain| {
        chain.next_era();
        let call = report(chain, Charlie);
        assert_ok!(chain.submit(Dave, call.clone()));
        let charlie = Charlie.to_account_id();
        let happened = events();
        for (what, found) in [
            (
                "an offence",
                happened
                    .iter()
                    .any(|event| matches!(event, RuntimeEvent::Offences(_))),
            ),
            (
                "a slash",
                happened.contains(&RuntimeEvent::Staking(
                    pallet_staking::Event::SlashReported {
                        validator: charlie.clone(),
                        // All of it, for one of three: (3 offenders / 3 validators)², at most 1.
                        fraction: Perbill::one(),
                        slash_era: crate::chain::active_era(),
                    },
                )),
            ),
            (
                "a chill",
                happened.contains(&RuntimeEvent::Staking(pallet_staking::Event::Chilled {
                    stash: charlie.clone(),
                })),
            ),
        ] {
            assert!(found, "no {what} in {happened:?}");
        }
        assert!(!is_candidate(Charlie));
        assert!(is_candidate(Alice) && is_candidate(Bob));

        // The same report tells nothing new.
        assert_eq!(
            chain.submit(Eve, call),
            Err(DispatchError::from(
                pallet_babe::Error::<Runtime>::DuplicateOffenceReport
            ))
        );

        let stake = Balances::total_balance(&charlie);
        for _ in 0..=SlashDeferDuration::get() {
            chain.next_era();
        }
        assert!(!Session::validators().contains(&charlie));
        assert!(Balances::total_balance(&charlie) < stake);
        let bonded = Staking::ledger(charlie.into()).map_or(0, |ledger| ledger.active);
        assert_eq!(bonded, 0);
    });
}

#[test]
fn neither_the_invulnerable_nor_the_unpunished_are_chilled() {
    run_on("local_testnet", |chain| {
        chain.next_era();
        assert_ok!(Staking::set_invulnerables(
            RuntimeOrigin::root(),
            vec![Alice.to_account_id()]
        ));
        let offend = |who: Sr25519Keyring, fraction| {
            let offence = OffenceDetails {
                offender: (who.to_account_id(), ()),
                reporters: Vec::new(),
            };
            SlashAndChill::on_offence(&[offence], &[fraction], Session::current_index());
        };
        offend(Alice, Perbill::from_percent(10));
        offend(Bob, Perbill::zero());
        assert!(is_candidate(Alice) && is_candidate(Bob));
        offend(Bob, Perbill::from_percent(10));
        assert!(!is_candidate(Bob));
        // Once more, when he is no candidate any longer.
        offend(Bob, Perbill::from_percent(20));
        assert!(!is_candidate(Bob));
    });
}
