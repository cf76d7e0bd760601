//! Governance: what only a referendum may do, a referendum can do.

use codec::Encode;
use frame_support::{
    assert_noop, assert_ok,
    traits::{fungible::Inspect, schedule::DispatchTime, Bounded, EnsureOrigin},
};
use openledger_runtime::{
    configs::rewards::VotableIssuance,
    constants::{
        currency::{TOTAL_SUPPLY, UNIT},
        time::SLOT_DURATION_MILLISECONDS,
    },
    governance::{
        origins::Origin,
        tracks::{TrackId, POA_ADMIN, ROOT},
        EnsurePoaAdmin, PoaAdminOrRoot, TracksInfo,
    },
    AccountId, Balances, BlockNumber, OriginCaller, Runtime, RuntimeCall, RuntimeEvent,
    RuntimeOrigin, System,
};
use pallet_conviction_voting::{AccountVote, Conviction, Vote};
use pallet_referenda::{ReferendumInfo, ReferendumInfoFor, TracksInfo as _};
use sp_keyring::Sr25519Keyring::*;
use sp_runtime::{
    traits::{BlakeTwo256, Get, Hash},
    DispatchResult,
};

use crate::chain::{events, run_on, Chain};

/// Root's origin, as referenda name it.
fn root() -> OriginCaller {
    OriginCaller::system(frame_system::RawOrigin::Root)
}

/// Proposes `call` to be run as `origin`, pays for its decision and returns its number.
pub(crate) fn propose(chain: &mut Chain, origin: OriginCaller, call: &RuntimeCall) -> u32 {
    let index = pallet_referenda::ReferendumCount::<Runtime>::get();
    let bytes = call.encode();
    let proposal = Bounded::Lookup {
        hash: BlakeTwo256::hash(&bytes),
        len: bytes.len() as u32,
    };
    let calls = [
        RuntimeCall::Preimage(pallet_preimage::Call::note_preimage { bytes }),
        RuntimeCall::Referenda(pallet_referenda::Call::submit {
            proposal_origin: Box::new(origin),
            proposal,
            enactment_moment: DispatchTime::After(0),
        }),
        RuntimeCall::Referenda(pallet_referenda::Call::place_decision_deposit { index }),
    ];
    for call in calls {
        assert_ok!(chain.submit(Dave, call));
    }
    index
}

/// Votes for or against with 45 million OPEN each by Alice, Bob, Charlie, Eve and Ferdie.
pub(crate) fn vote(chain: &mut Chain, index: u32, aye: bool) {
    let call = pallet_conviction_voting::Call::vote {
        poll_index: index,
        vote: AccountVote::Standard {
            vote: Vote {
                aye,
                conviction: Conviction::Locked1x,
            },
            balance: 45_000_000 * UNIT,
        },
    };
    // In one block: a referendum that they all want passes before the last of them is asked.
    let votes = [Alice, Bob, Charlie, Eve, Ferdie]
        .map(|voter| (voter, RuntimeCall::ConvictionVoting(call.clone())));
    for result in chain.submit_all(votes) {
        assert_ok!(result);
    }
}

/// Makes blocks until a scheduled call has run, and returns its outcome and the blocks that it took.
pub(crate) fn until_dispatched(
    chain: &mut Chain,
    at_most: BlockNumber,
) -> (DispatchResult, BlockNumber) {
    for blocks in 1..=at_most {
        chain.next_block(Vec::new());
        let outcome = events().into_iter().find_map(|event| match event {
            // Referenda use the scheduler for their own wake-up calls too; those have no name.
            RuntimeEvent::Scheduler(pallet_scheduler::Event::Dispatched {
                id: Some(_),
                result,
                ..
            }) => Some(result),
            _ => None,
        });
        if let Some(result) = outcome {
            return (result, blocks);
        }
    }
    panic!("no scheduled call ran in {at_most} blocks");
}

/// The longest that a referendum on `track` can take once its decision deposit is paid.
pub(crate) fn longest_path(track: TrackId) -> BlockNumber {
    let info = TracksInfo::info(track).expect("the track exists");
    info.prepare_period + info.decision_period + info.confirm_period + info.min_enactment_period
}

/// The shortened periods make these tests quick; the paths are the same with the long ones, but
/// hundreds of thousands of blocks long.
const FAST: bool = cfg!(feature = "fast-runtime");

#[test]
fn a_referendum_runs_a_call_as_root() {
    if !FAST {
        return;
    }
    run_on("local_testnet", |chain| {
        let key = b"decided by referendum".to_vec();
        let call = RuntimeCall::System(frame_system::Call::set_storage {
            items: vec![(key.clone(), b"yes".to_vec())],
        });
        let index = propose(chain, root(), &call);
        vote(chain, index, true);
        let (outcome, _) = until_dispatched(chain, longest_path(ROOT));
        assert_ok!(outcome);
        assert!(matches!(
            ReferendumInfoFor::<Runtime>::get(index),
            Some(ReferendumInfo::Approved(..))
        ));
        assert_eq!(sp_io::storage::get(&key).as_deref(), Some(&b"yes"[..]));
    });
}

#[test]
fn a_referendum_runs_a_call_as_poa_admin_and_no_more() {
    if !FAST {
        return;
    }
    run_on("local_testnet", |chain| {
        let poa_admin = || OriginCaller::Origins(Origin::PoaAdmin);
        // An empty batch passes for every origin but none; root's business does not pass.
        let harmless = RuntimeCall::Utility(pallet_utility::Call::batch_all { calls: Vec::new() });
        let index = propose(chain, poa_admin(), &harmless);
        let Some(ReferendumInfo::Ongoing(status)) = ReferendumInfoFor::<Runtime>::get(index) else {
            panic!("the referendum has begun");
        };
        assert_eq!(status.track, POA_ADMIN);
        vote(chain, index, true);
        assert_ok!(until_dispatched(chain, longest_path(POA_ADMIN)).0);

        let overreach = RuntimeCall::System(frame_system::Call::set_storage {
            items: vec![(b"taken".to_vec(), b"over".to_vec())],
        });
        let index = propose(chain, poa_admin(), &overreach);
        vote(chain, index, true);
        let (outcome, _) = until_dispatched(chain, longest_path(POA_ADMIN));
        assert_eq!(outcome, Err(sp_runtime::DispatchError::BadOrigin));
        assert_eq!(sp_io::storage::get(b"taken"), None);
    });
}

#[test]
fn a_referendum_passes_in_about_a_minute_on_a_local_net() {
    if !FAST {
        return;
    }
    run_on("local_testnet", |chain| {
        let call = RuntimeCall::Utility(pallet_utility::Call::batch_all { calls: Vec::new() });
        let started = System::block_number();
        let index = propose(chain, OriginCaller::Origins(Origin::PoaAdmin), &call);
        vote(chain, index, true);
        let _ = until_dispatched(chain, longest_path(POA_ADMIN));
        let blocks = u64::from(System::block_number() - started);
        assert!(
            blocks * SLOT_DURATION_MILLISECONDS <= 75_000,
            "{blocks} blocks"
        );
    });
}

#[test]
fn a_rejected_referendum_runs_nothing() {
    if !FAST {
        return;
    }
    run_on("local_testnet", |chain| {
        let key = b"decided by referendum".to_vec();
        let call = RuntimeCall::System(frame_system::Call::set_storage {
            items: vec![(key.clone(), b"yes".to_vec())],
        });
        let index = propose(chain, root(), &call);
        vote(chain, index, false);
        chain.advance(longest_path(ROOT) + 2);
        assert!(matches!(
            ReferendumInfoFor::<Runtime>::get(index),
            Some(ReferendumInfo::Rejected(..))
        ));
        assert_eq!(sp_io::storage::get(&key), None);
    });
}

#[test]
fn nobody_is_root() {
    run_on("local_testnet", |chain| {
        let call = || frame_system::Call::set_storage {
            items: vec![(vec![1], vec![2])],
        };
        for somebody in [Alice, Dave] {
            assert_eq!(
                chain.submit(somebody, RuntimeCall::System(call())),
                Err(sp_runtime::DispatchError::BadOrigin)
            );
        }
        assert_noop!(
            System::set_storage(Origin::PoaAdmin.into(), Vec::new()),
            sp_runtime::DispatchError::BadOrigin
        );
    });
}

#[test]
fn origins_pass_where_they_should() {
    let signed = || RuntimeOrigin::signed(AccountId::new([1; 32]));
    let poa_admin = || RuntimeOrigin::from(Origin::PoaAdmin);
    assert!(EnsurePoaAdmin::try_origin(poa_admin()).is_ok());
    assert!(EnsurePoaAdmin::try_origin(RuntimeOrigin::root()).is_err());
    assert!(EnsurePoaAdmin::try_origin(signed()).is_err());
    assert!(PoaAdminOrRoot::try_origin(poa_admin()).is_ok());
    assert!(PoaAdminOrRoot::try_origin(RuntimeOrigin::root()).is_ok());
    assert!(PoaAdminOrRoot::try_origin(signed()).is_err());
    assert!(PoaAdminOrRoot::try_origin(RuntimeOrigin::none()).is_err());
}

#[test]
fn tracks_are_sorted_and_cover_the_origins() {
    assert_ok!(TracksInfo::check_integrity());
    assert_eq!(TracksInfo::track_for(&root()), Ok(ROOT));
    assert_eq!(
        TracksInfo::track_for(&OriginCaller::Origins(Origin::PoaAdmin)),
        Ok(POA_ADMIN)
    );
    let signed = frame_system::RawOrigin::Signed(AccountId::new([1; 32]));
    assert_eq!(
        TracksInfo::track_for(&OriginCaller::system(signed)),
        Err(())
    );
}

#[test]
fn money_that_cannot_vote_does_not_count_as_turnout() {
    run_on("local_testnet", |chain| {
        chain.next_block(Vec::new());
        let votable = VotableIssuance::get();
        assert!(votable < TOTAL_SUPPLY);
        let accounts: u128 = frame_system::Account::<Runtime>::iter()
            .map(|(who, _)| Balances::total_balance(&who))
            .sum();
        assert_eq!(accounts, TOTAL_SUPPLY);
    });
}
