//! One module per call, then what holds across calls. Every test ends with the books proven.

mod accept;
mod answer_demand;
mod challenge_duplicate;
mod challenge_malformed;
mod contribute;
mod create;
mod demand;
mod expire_demand;
mod invariants;
mod join_as_curator;
mod lapse;
mod leave_as_curator;
mod overrule;
mod properties;
mod queries;
mod release_stake;
mod vote;
mod withdraw;

use crate::{
    mock::{Datanets, *},
    Event as PalletEvent, *,
};
use attribution_proof::{
    contribution::MediaType,
    hash::Hash,
    licence::{Licence, Terms},
    merkle::{Commitment, Tree},
    record::{
        content_tree, record_commit, record_leaf, Chunk, ChunkOpening, ChunkWindow,
        MalformedEvidence, RecordOpening,
    },
    Balance, ContributionId, DatanetId,
};
use frame_support::{
    assert_noop, assert_ok,
    traits::fungible::{Inspect, InspectHold, Mutate},
};
use sp_runtime::{DispatchResult, TokenError};

pub(super) type PalletError = Error<Test>;

pub(super) const STAKE: Balance = 2_000;
pub(super) const WINDOW: u32 = 10;

pub(super) fn signed(who: u8) -> RuntimeOrigin {
    RuntimeOrigin::signed(account(who))
}

pub(super) fn held(reason: HoldReason, who: u8) -> Balance {
    Balances::balance_on_hold(&reason.into(), &account(who))
}

pub(super) fn stake_held(who: u8) -> Balance {
    held(HoldReason::ContributionStake, who)
}

pub(super) fn free(who: u8) -> Balance {
    Balances::balance(&account(who))
}

pub(super) fn treasury_balance() -> Balance {
    Balances::balance(&treasury())
}

pub(super) fn events() -> Vec<PalletEvent<Test>> {
    System::read_events_for_pallet()
}

pub(super) fn last_event() -> PalletEvent<Test> {
    events().pop().expect("an event was emitted")
}

pub(super) fn name(name: &str) -> Name {
    Name::try_from(name.as_bytes().to_vec()).unwrap()
}

pub(super) fn licence(terms: Terms) -> Licence {
    Licence {
        spdx: b"MIT OR Apache-2.0".to_vec().try_into().unwrap(),
        terms,
    }
}

/// `length` bytes of text that differ for each `seed`.
pub(super) fn text(seed: u8, length: usize) -> Vec<u8> {
    (0..length)
        .map(|at| b'a' + (at * 7 + at / 26 + usize::from(seed)) as u8 % 26)
        .collect()
}

/// Records of one contributor, with everything that opens them.
pub(super) struct Batch {
    pub(super) contributor: u8,
    pub(super) records: Vec<Vec<u8>>,
    openings: Vec<RecordOpening>,
    tree: Tree,
}

impl Batch {
    pub(super) fn new(contributor: u8, records: Vec<Vec<u8>>) -> Self {
        let described = records
            .iter()
            .map(|bytes| (content_tree(bytes).commitment(), bytes.len() as u32))
            .collect();
        Self {
            records,
            ..Self::described(contributor, described)
        }
    }

    /// Records by chunk commitment and declared length, for those that lie about themselves.
    pub(super) fn described(contributor: u8, described: Vec<(Commitment, u32)>) -> Self {
        let salt = Hash::zero();
        let leaves = described
            .iter()
            .zip(0..)
            .map(|((content, len), index)| {
                record_leaf(
                    index,
                    &account(contributor),
                    &record_commit(&salt, content),
                    *len,
                )
            })
            .collect();
        let tree = Tree::new(leaves);
        let openings = described
            .into_iter()
            .zip(0..)
            .map(|((content, len), index)| RecordOpening {
                index,
                salt,
                content,
                len,
                path: tree.path(index).unwrap(),
            })
            .collect();
        Self {
            contributor,
            records: Vec::new(),
            openings,
            tree,
        }
    }

    /// `count` different records of 300 bytes.
    pub(super) fn texts(contributor: u8, seed: u8, count: u8) -> Self {
        Self::new(
            contributor,
            (0..count).map(|index| text(seed + index, 300)).collect(),
        )
    }

    pub(super) fn leaves(&self) -> Commitment {
        self.tree.commitment()
    }

    pub(super) fn opening(&self, record: u32) -> Box<RecordOpening> {
        Box::new(self.openings[record as usize].clone())
    }

    pub(super) fn chunk(&self, record: u32, chunk: u32) -> ChunkOpening {
        let bytes = &self.records[record as usize];
        let data = bytes.chunks(1_024).nth(chunk as usize).unwrap().to_vec();
        ChunkOpening {
            index: chunk,
            data: Chunk::try_from(data).unwrap(),
            path: content_tree(bytes).path(chunk).unwrap(),
        }
    }

    pub(super) fn submit(&self, datanet: DatanetId) -> ContributionId {
        self.submit_as(datanet, MediaType::Text, Terms::FREE, None)
    }

    pub(super) fn submit_as(
        &self,
        datanet: DatanetId,
        media: MediaType,
        terms: Terms,
        supersedes: Option<ContributionId>,
    ) -> ContributionId {
        let id = NextContribution::<Test>::get();
        assert_ok!(Datanets::contribute(
            signed(self.contributor),
            datanet,
            self.leaves(),
            1_000_000,
            media,
            [7; 32],
            licence(terms),
            supersedes,
            STAKE,
        ));
        id
    }

    /// Submits to an open Datanet, waits and accepts.
    pub(super) fn submit_and_accept(&self, datanet: DatanetId) -> ContributionId {
        let id = self.submit(datanet);
        accept_later(id);
        id
    }
}

pub(super) fn accept_later(id: ContributionId) {
    advance(WINDOW + 1);
    assert_ok!(Datanets::accept(signed(30), id));
}

pub(super) fn open_datanet() -> DatanetId {
    let id = NextDatanet::<Test>::get();
    assert_ok!(Datanets::create_open(signed(20), name("crates")));
    id
}

/// A Datanet whose curators 10, 11, ... have all joined.
pub(super) fn curated_datanet(curators: u8, threshold: u32) -> DatanetId {
    let id = NextDatanet::<Test>::get();
    let named: Vec<_> = (10..10 + curators).map(account).collect();
    assert_ok!(Datanets::create_curated(
        signed(20),
        name("curated crates"),
        named.try_into().unwrap(),
        threshold
    ));
    for curator in 10..10 + curators {
        assert_ok!(Datanets::join_as_curator(signed(curator), id));
    }
    id
}

pub(super) fn details(id: ContributionId) -> ContributionDetails {
    Contributions::<Test>::get(id).expect("the contribution is stored")
}

pub(super) fn cause(id: ContributionId) -> Option<TombstoneCause> {
    details(id).tombstone.map(|tombstone| tombstone.cause)
}

/// Runs a call as a transaction does: a failing one leaves nothing behind.
pub(super) fn dispatch(call: RuntimeCall, who: u8) -> DispatchResult {
    use frame_support::traits::UnfilteredDispatchable;
    call.dispatch_bypass_filter(signed(who))
        .map(|_| ())
        .map_err(|failed| failed.error)
}
