//! Powers other than root's: what each may do, and what it may not.

use codec::Encode;
use frame_support::{
    assert_noop, assert_ok,
    traits::{schedule::DispatchTime, Bounded, Contains, InstanceFilter},
};
use openledger_runtime::{
    configs::{accounts::ProxyType, governance::NeverPaused},
    constants::currency::{TOTAL_SUPPLY, UNIT},
    governance::{
        origins::{Origin, BIG_SPEND, SMALL_SPEND},
        tracks::{CURATION_APPEALS, GUARDIANS, SMALL_SPENDER, WHITELISTED_CALLER},
        GuardianTracksInfo, TracksInfo,
    },
    AccountId, Balance, Balances, Datanets, GuardianReferendaInstance, Guardians, OriginCaller,
    Runtime, RuntimeCall, RuntimeOrigin, Treasury, TxPause, Whitelist,
};
use pallet_referenda::{ReferendumInfo, ReferendumInfoFor, TracksInfo as _};
use sp_keyring::Sr25519Keyring::{self, *};
use sp_runtime::{
    traits::{BlakeTwo256, Hash},
    DispatchError, MultiAddress,
};

use crate::{
    chain::{run_on, Chain},
    referenda::{longest_path, propose, until_dispatched, vote},
};

fn transfer(value: Balance) -> RuntimeCall {
    RuntimeCall::Balances(pallet_balances::Call::transfer_keep_alive {
        dest: MultiAddress::Id(Ferdie.to_account_id()),
        value,
    })
}

fn store(key: &[u8]) -> RuntimeCall {
    RuntimeCall::System(frame_system::Call::set_storage {
        items: vec![(key.to_vec(), b"yes".to_vec())],
    })
}

fn spend(amount: Balance, to: Sr25519Keyring) -> pallet_treasury::Call<Runtime> {
    pallet_treasury::Call::spend {
        asset_kind: Box::new(()),
        amount,
        beneficiary: Box::new(to.to_account_id()),
        valid_from: None,
    }
}

fn origin_of(origin: Origin) -> OriginCaller {
    OriginCaller::Origins(origin)
}

#[test]
fn every_origin_has_a_track_of_its_own_and_guardians_have_theirs() {
    let origins = [
        Origin::PoaAdmin,
        Origin::CurationAppeals,
        Origin::SmallSpender,
        Origin::BigSpender,
        Origin::WhitelistedCaller,
    ];
    let mut tracks: Vec<_> = origins
        .iter()
        .map(|origin| TracksInfo::track_for(&origin_of(*origin)).expect("it has a track"))
        .collect();
    tracks.sort_unstable();
    tracks.dedup();
    assert_eq!(tracks.len(), origins.len());
    assert_eq!(
        TracksInfo::track_for(&origin_of(Origin::Guardians)),
        Err(())
    );
    assert_ok!(GuardianTracksInfo::check_integrity());
    assert_ok!(GuardianTracksInfo::track_for(&origin_of(Origin::Guardians)));
    assert_eq!(
        GuardianTracksInfo::track_for(&origin_of(Origin::WhitelistedCaller)),
        Err(())
    );
}

#[test]
fn appeals_are_not_the_poa_admins_business() {
    run_on("local_testnet", |_| {
        assert_noop!(
            Datanets::overrule(Origin::PoaAdmin.into(), 7),
            DispatchError::BadOrigin
        );
        assert_noop!(
            Datanets::overrule(Origin::CurationAppeals.into(), 7),
            pallet_datanets::Error::<Runtime>::UnknownContribution
        );
        let track = TracksInfo::track_for(&origin_of(Origin::CurationAppeals));
        assert_eq!(track, Ok(CURATION_APPEALS));
    });
}

#[test]
fn spenders_spend_up_to_their_limit() {
    run_on("local_testnet", |_| {
        for (origin, most) in [
            (Origin::SmallSpender, SMALL_SPEND),
            (Origin::BigSpender, BIG_SPEND),
        ] {
            let origin = || RuntimeOrigin::from(origin);
            let call = |amount| {
                let beneficiary = Box::new(Eve.to_account_id());
                Treasury::spend(origin(), Box::new(()), amount, beneficiary, None)
            };
            assert_ok!(call(most));
            assert_noop!(
                call(most + 1),
                pallet_treasury::Error::<Runtime>::InsufficientPermission
            );
        }
        let beneficiary = Box::new(Eve.to_account_id());
        let nobody = Origin::PoaAdmin.into();
        assert_noop!(
            Treasury::spend(nobody, Box::new(()), 1, beneficiary, None),
            DispatchError::BadOrigin
        );
    });
}

#[test]
fn a_referendum_spends_from_the_treasury_and_makes_no_money() {
    if !cfg!(feature = "fast-runtime") {
        return;
    }
    run_on("local_testnet", |chain| {
        let before = Balances::free_balance(Eve.to_account_id());
        let call = RuntimeCall::Treasury(spend(SMALL_SPEND, Eve));
        let index = propose(chain, origin_of(Origin::SmallSpender), &call);
        vote(chain, index, true);
        assert_ok!(until_dispatched(chain, longest_path(SMALL_SPENDER)).0);
        let payout = RuntimeCall::Treasury(pallet_treasury::Call::payout { index: 0 });
        assert_ok!(chain.submit(Dave, payout));
        let earned = Balances::free_balance(Eve.to_account_id()) + UNIT - before;
        // Less the fee of her vote.
        assert!(earned > SMALL_SPEND, "{earned}");
        assert_eq!(Balances::total_issuance(), TOTAL_SUPPLY);
    });
}

/// Makes guardians by root's decision.
fn make_guardians(guardians: &[Sr25519Keyring]) {
    for guardian in guardians {
        let who = MultiAddress::Id(guardian.to_account_id());
        assert_ok!(Guardians::add_member(RuntimeOrigin::root(), who));
    }
}

/// Has guardians decide that `call` is urgent.
fn whitelist(chain: &mut Chain, guardians: &[Sr25519Keyring], call: &RuntimeCall) {
    let call_hash = BlakeTwo256::hash_of(call);
    let bytes =
        RuntimeCall::Whitelist(pallet_whitelist::Call::whitelist_call { call_hash }).encode();
    let calls = [
        RuntimeCall::GuardianReferenda(pallet_referenda::Call::submit {
            proposal_origin: Box::new(origin_of(Origin::Guardians)),
            proposal: Bounded::Inline(bytes.try_into().expect("it is short")),
            enactment_moment: DispatchTime::After(0),
        }),
        RuntimeCall::GuardianReferenda(pallet_referenda::Call::place_decision_deposit { index: 0 }),
    ];
    for call in calls {
        assert_ok!(chain.submit(guardians[0], call));
    }
    let call = RuntimeCall::Guardians(pallet_ranked_collective::Call::vote { poll: 0, aye: true });
    for result in chain.submit_all(guardians.iter().map(|guardian| (*guardian, call.clone()))) {
        assert_ok!(result);
    }
}

#[test]
fn what_guardians_whitelist_holders_may_decide_sooner() {
    if !cfg!(feature = "fast-runtime") {
        return;
    }
    run_on("local_testnet", |chain| {
        let guardians = [Alice, Bob, Charlie];
        make_guardians(&guardians);
        let urgent = store(b"urgent");
        whitelist(chain, &guardians[..2], &urgent);
        assert_ok!(until_dispatched(chain, 20).0);

        let dispatch = |call: &RuntimeCall| {
            RuntimeCall::Whitelist(
                pallet_whitelist::Call::dispatch_whitelisted_call_with_preimage {
                    call: Box::new(call.clone()),
                },
            )
        };
        for call in [&store(b"rule"), &urgent] {
            let index = propose(chain, origin_of(Origin::WhitelistedCaller), &dispatch(call));
            vote(chain, index, true);
            let (outcome, _) = until_dispatched(chain, longest_path(WHITELISTED_CALLER));
            assert_ok!(outcome);
        }
        assert_eq!(sp_io::storage::get(b"urgent").as_deref(), Some(&b"yes"[..]));
        // What holders decided on this track waits for the guardians.
        assert_eq!(
            chain.submit(Dave, dispatch(&store(b"rule"))),
            Err(pallet_whitelist::Error::<Runtime>::CallIsNotWhitelisted.into())
        );
        assert_eq!(sp_io::storage::get(b"rule"), None);
    });
}

#[test]
fn one_guardian_of_three_whitelists_nothing() {
    if !cfg!(feature = "fast-runtime") {
        return;
    }
    run_on("local_testnet", |chain| {
        let guardians = [Alice, Bob, Charlie];
        make_guardians(&guardians);
        let urgent = store(b"urgent");
        whitelist(chain, &guardians[..1], &urgent);
        let info = GuardianTracksInfo::info(GUARDIANS).expect("the track exists");
        chain.advance(info.decision_period + info.confirm_period + 2);
        assert!(matches!(
            ReferendumInfoFor::<Runtime, GuardianReferendaInstance>::get(0),
            Some(ReferendumInfo::Rejected(..))
        ));
        let hash = BlakeTwo256::hash_of(&urgent);
        assert!(!pallet_whitelist::WhitelistedCall::<Runtime>::contains_key(
            hash
        ));
    });
}

#[test]
fn guardians_do_nothing_but_whitelist() {
    run_on("local_testnet", |chain| {
        make_guardians(&[Alice]);
        let submit = |origin| {
            RuntimeCall::GuardianReferenda(pallet_referenda::Call::submit {
                proposal_origin: Box::new(origin),
                proposal: Bounded::Inline(store(b"rule").encode().try_into().expect("it is short")),
                enactment_moment: DispatchTime::After(0),
            })
        };
        assert_eq!(
            chain.submit(
                Alice,
                submit(OriginCaller::system(frame_system::RawOrigin::Root))
            ),
            Err(pallet_referenda::Error::<Runtime, GuardianReferendaInstance>::NoTrack.into())
        );
        assert_eq!(
            chain.submit(Dave, submit(origin_of(Origin::Guardians))),
            Err(DispatchError::BadOrigin),
            "Dave is none"
        );
        let guardians = || RuntimeOrigin::from(Origin::Guardians);
        assert_noop!(
            Whitelist::dispatch_whitelisted_call_with_preimage(
                guardians(),
                Box::new(store(b"rule"))
            ),
            DispatchError::BadOrigin
        );
        assert_ok!(Whitelist::whitelist_call(
            guardians(),
            BlakeTwo256::hash_of(&store(b"rule"))
        ));
        let count = pallet_referenda::ReferendumCount::<Runtime, GuardianReferendaInstance>::get();
        assert_eq!(count, 0);
    });
}

#[test]
fn referenda_can_pause_calls_but_not_those_that_undo_it() {
    run_on("local_testnet", |chain| {
        let name = |pallet: &str, call: &str| {
            let bounded = |text: &str| text.as_bytes().to_vec().try_into().expect("it is short");
            (bounded(pallet), bounded(call))
        };
        let paused = name("Balances", "transfer_keep_alive");
        assert_ok!(TxPause::pause(RuntimeOrigin::root(), paused.clone()));
        assert_eq!(
            chain.submit(Alice, transfer(UNIT)),
            Err(frame_system::Error::<Runtime>::CallFiltered.into())
        );
        let batch = pallet_utility::Call::batch_all {
            calls: vec![transfer(UNIT)],
        };
        assert_eq!(
            chain.submit(Alice, RuntimeCall::Utility(batch)),
            Err(frame_system::Error::<Runtime>::CallFiltered.into()),
            "not in a batch either"
        );
        for (pallet, call) in [
            ("Referenda", "submit"),
            ("ConvictionVoting", "vote"),
            ("Preimage", "note_preimage"),
            ("TxPause", "unpause"),
            ("Timestamp", "set"),
            ("Attribution", "challenge_score"),
            ("Datanets", "answer_demand"),
        ] {
            let full = name(pallet, call);
            assert!(NeverPaused::contains(&full));
            assert_noop!(
                TxPause::pause(RuntimeOrigin::root(), full),
                pallet_tx_pause::Error::<Runtime>::Unpausable
            );
        }
        assert_noop!(
            TxPause::pause(
                RuntimeOrigin::signed(Alice.to_account_id()),
                name("Models", "register")
            ),
            DispatchError::BadOrigin
        );
        assert_ok!(TxPause::unpause(RuntimeOrigin::root(), paused));
        assert_ok!(chain.submit(Alice, transfer(UNIT)));
    });
}

#[test]
fn an_operators_hot_key_works_but_moves_no_money() {
    run_on("local_testnet", |chain| {
        let id = |who: Sr25519Keyring| MultiAddress::Id(who.to_account_id());
        let add = pallet_proxy::Call::add_proxy {
            delegate: id(Bob),
            proxy_type: ProxyType::Operator,
            delay: 0,
        };
        assert_ok!(chain.submit(Alice, RuntimeCall::Proxy(add)));
        let as_alice = |call: RuntimeCall| {
            RuntimeCall::Proxy(pallet_proxy::Call::proxy {
                real: id(Alice),
                force_proxy_type: None,
                call: Box::new(call),
            })
        };
        let outcome = |chain: &mut Chain, call: RuntimeCall| {
            assert_ok!(chain.submit(Bob, as_alice(call)));
            crate::chain::events()
                .into_iter()
                .find_map(|event| match event {
                    openledger_runtime::RuntimeEvent::Proxy(
                        pallet_proxy::Event::ProxyExecuted { result },
                    ) => Some(result),
                    _ => None,
                })
                .expect("a proxied call says how it went")
        };
        let drain = RuntimeCall::Compute(pallet_compute::Call::drain {});
        assert_eq!(
            outcome(chain, drain),
            Err(pallet_compute::Error::<Runtime>::NotOperator.into()),
            "it reached the pallet"
        );
        let filtered = Err(frame_system::Error::<Runtime>::CallFiltered.into());
        assert_eq!(outcome(chain, transfer(UNIT)), filtered);
        let withdraw = RuntimeCall::Compute(pallet_compute::Call::withdraw_bond {});
        assert_eq!(outcome(chain, withdraw), filtered);
        let smuggled = pallet_utility::Call::batch_all {
            calls: vec![transfer(UNIT)],
        };
        assert_eq!(outcome(chain, RuntimeCall::Utility(smuggled)), filtered);
    });
}

#[test]
fn proxy_types_that_cannot_move_money_cannot() {
    for proxy in [
        ProxyType::NonTransfer,
        ProxyType::Governance,
        ProxyType::Curation,
        ProxyType::Operator,
        ProxyType::Staking,
        ProxyType::CancelProxy,
    ] {
        assert!(!proxy.filter(&transfer(UNIT)), "{proxy:?}");
        assert!(ProxyType::Any.is_superset(&proxy));
        assert!(!proxy.is_superset(&ProxyType::Any));
    }
    assert!(ProxyType::Any.filter(&transfer(UNIT)));
}

#[test]
fn what_is_not_vested_votes_but_does_not_move() {
    run_on("local_testnet", |chain| {
        let newcomer: AccountId = One.to_account_id();
        let locked = 1_000 * UNIT;
        let schedule = pallet_vesting::VestingInfo::new(locked, UNIT, 1_000);
        let give = pallet_vesting::Call::vested_transfer {
            target: MultiAddress::Id(newcomer.clone()),
            schedule,
        };
        assert_ok!(chain.submit(Alice, RuntimeCall::Vesting(give)));
        let gas = pallet_balances::Call::transfer_keep_alive {
            dest: MultiAddress::Id(newcomer),
            value: UNIT,
        };
        assert_ok!(chain.submit(Alice, RuntimeCall::Balances(gas)));
        assert!(chain.submit(One, transfer(2 * UNIT)).is_err());
        let delegate = pallet_conviction_voting::Call::delegate {
            class: SMALL_SPENDER,
            to: MultiAddress::Id(Bob.to_account_id()),
            conviction: pallet_conviction_voting::Conviction::None,
            balance: locked,
        };
        assert_ok!(chain.submit(One, RuntimeCall::ConvictionVoting(delegate)));
    });
}
