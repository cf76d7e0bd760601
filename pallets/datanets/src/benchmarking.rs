//! Benchmarks: every call in its dearest case, with the deepest openings that the formats allow.

use super::*;
use alloc::{boxed::Box, vec, vec::Vec};
use attribution_proof::{
    bounds::{CHUNK_BYTES, MAX_PATH, MAX_SPDX},
    contribution::MediaType,
    hash::{hash_bytes, Hash, Tag},
    licence::{Licence, Terms},
    merkle::{Commitment, Path},
    record::{
        chunk_count, chunk_leaf, Chunk, ChunkOpening, ChunkWindow, MalformedEvidence, RecordOpening,
    },
    ruleset::{Ruleset, Rulesets},
    AccountId, Balance, ContributionId, DatanetId,
};
use frame_benchmarking::v2::*;
use frame_support::traits::{fungible::Mutate, EnsureOrigin, Get};
use frame_system::RawOrigin;

/// Covers any stake that a valid ruleset can ask for any number of records, and a hundred such accounts
/// still fit into the total issuance.
const WEALTH: Balance = 1_000_000_000_000_000_000_000_000_000_000_000_000;
/// Bytes of the longest record: the path of its first chunk is the longest, too.
const DEEP_LENGTH: u32 = u32::MAX;

fn rules<T: Config>() -> Ruleset {
    T::Rulesets::current().1
}

fn rich<T: Config>(name: &'static str, index: u32) -> AccountId {
    let who: AccountId = account(name, index, 0);
    T::Currency::set_balance(&who, WEALTH);
    who
}

fn caller<T: Config>() -> AccountId {
    let who: AccountId = whitelisted_caller();
    T::Currency::set_balance(&who, WEALTH);
    T::Currency::set_balance(&T::Treasury::get(), WEALTH);
    who
}

fn advance<T: Config>(blocks: u32) {
    let now = Pallet::<T>::now().saturating_add(blocks).saturating_add(1);
    frame_system::Pallet::<T>::set_block_number(now.into());
}

fn longest_name() -> Name {
    Name::truncate_from(vec![b'n'; MAX_NAME as usize])
}

fn open<T: Config>() -> Result<DatanetId, BenchmarkError> {
    let datanet = NextDatanet::<T>::get();
    Pallet::<T>::create_open(
        RawOrigin::Signed(rich::<T>("owner", 0)).into(),
        longest_name(),
    )?;
    Ok(datanet)
}

fn curators<T: Config>() -> Vec<AccountId> {
    (0..MAX_CURATORS)
        .map(|index| rich::<T>("curator", index))
        .collect()
}

/// A Datanet that decides by the votes of all of the most curators that there can be, who have joined.
fn curated<T: Config>() -> Result<DatanetId, BenchmarkError> {
    let datanet = NextDatanet::<T>::get();
    Pallet::<T>::create_curated(
        RawOrigin::Signed(rich::<T>("owner", 0)).into(),
        longest_name(),
        Curators::truncate_from(curators::<T>()),
        MAX_CURATORS,
    )?;
    for curator in curators::<T>() {
        Pallet::<T>::join_as_curator(RawOrigin::Signed(curator).into(), datanet)?;
    }
    Ok(datanet)
}

fn vote_all_but<T: Config>(
    id: ContributionId,
    missing: usize,
    approve: bool,
) -> Result<(), BenchmarkError> {
    for curator in curators::<T>().into_iter().skip(missing) {
        Pallet::<T>::vote(RawOrigin::Signed(curator).into(), id, approve)?;
    }
    Ok(())
}

fn longest_licence() -> Licence {
    Licence {
        spdx: vec![b'M'; MAX_SPDX as usize].try_into().unwrap_or_default(),
        // Touches every count.
        terms: Terms {
            derivatives: false,
            commercial: false,
            share_alike: true,
            attribution: true,
        },
    }
}

fn contribute<T: Config>(
    contributor: &AccountId,
    datanet: DatanetId,
    leaves: Commitment,
    supersedes: Option<ContributionId>,
) -> Result<ContributionId, BenchmarkError> {
    let id = NextContribution::<T>::get();
    let data = rules::<T>().data;
    Pallet::<T>::contribute(
        RawOrigin::Signed(contributor.clone()).into(),
        datanet,
        leaves,
        u64::from(leaves.count),
        MediaType::Text,
        [1; 32],
        longest_licence(),
        supersedes,
        data.contribution_stake + data.record_stake * Balance::from(leaves.count),
    )?;
    Ok(id)
}

fn small() -> Commitment {
    Commitment {
        root: Hash::repeat_byte(1),
        count: 2,
    }
}

/// A pending contribution that supersedes another one.
fn superseding<T: Config>(
    datanet: DatanetId,
    accept: impl Fn(ContributionId) -> Result<(), BenchmarkError>,
) -> Result<ContributionId, BenchmarkError> {
    let contributor = rich::<T>("contributor", 0);
    let old = contribute::<T>(&contributor, datanet, small(), None)?;
    accept(old)?;
    contribute::<T>(&contributor, datanet, small(), Some(old))
}

fn accept_open<T: Config>(id: ContributionId) -> Result<(), BenchmarkError> {
    advance::<T>(rules::<T>().data.contribution_window);
    Pallet::<T>::accept(RawOrigin::Signed(rich::<T>("owner", 0)).into(), id)?;
    Ok(())
}

fn node(left: &Hash, right: &Hash) -> Hash {
    let mut body = [0u8; 64];
    body[..32].copy_from_slice(left.as_bytes());
    body[32..].copy_from_slice(right.as_bytes());
    hash_bytes(Tag::Node, &body)
}

/// Root of a tree of `depth` levels above its first leaf, and that leaf's path.
fn deep_path(leaf: Hash, depth: u32) -> (Hash, Path) {
    let siblings: Vec<_> = (0..depth)
        .map(|level| Hash::repeat_byte(level as u8))
        .collect();
    let root = siblings
        .iter()
        .fold(leaf, |hash, sibling| node(&hash, sibling));
    (root, Path::truncate_from(siblings))
}

/// Two full chunks at the start of a record of the greatest length, whose last bytes are malformed.
fn deep_chunks() -> (Commitment, ChunkWindow) {
    let data = |end: &[u8]| {
        let mut bytes = vec![b'a'; CHUNK_BYTES as usize - end.len()];
        bytes.extend_from_slice(end);
        Chunk::truncate_from(bytes)
    };
    let (first, second) = (data(b""), data(b" \n"));
    let leaves = [chunk_leaf(0, &first), chunk_leaf(1, &second)];
    let count = chunk_count(DEEP_LENGTH);
    let (root, above) = deep_path(node(&leaves[0], &leaves[1]), count.ilog2() - 1);
    let path = |sibling: Hash| {
        Path::truncate_from(
            core::iter::once(sibling)
                .chain(above.iter().copied())
                .collect(),
        )
    };
    let window = ChunkWindow {
        first: ChunkOpening {
            index: 0,
            data: first,
            path: path(leaves[1]),
        },
        second: Some(ChunkOpening {
            index: 1,
            data: second,
            path: path(leaves[0]),
        }),
    };
    (Commitment { root, count }, window)
}

/// The first of as many records as there can be.
fn deep_record(contributor: &AccountId) -> (Commitment, RecordOpening) {
    let mut opening = RecordOpening {
        index: 0,
        salt: Hash::zero(),
        content: deep_chunks().0,
        len: DEEP_LENGTH,
        path: Path::default(),
    };
    let (root, path) = deep_path(opening.leaf(contributor), MAX_PATH);
    opening.path = path;
    (
        Commitment {
            root,
            count: u32::MAX,
        },
        opening,
    )
}

/// A deep contribution to a curated Datanet with as many votes as leave it pending, which falls with its
/// next record.
fn about_to_fall<T: Config>() -> Result<(ContributionId, RecordOpening), BenchmarkError> {
    let contributor = rich::<T>("copier", 0);
    let (leaves, opening) = deep_record(&contributor);
    let id = contribute::<T>(&contributor, curated::<T>()?, leaves, None)?;
    vote_all_but::<T>(id, 1, true)?;
    Contributions::<T>::mutate_extant(id, |details| details.fallen_records = u32::MAX - 1);
    Ok((id, opening))
}

fn assert_fallen<T: Config>(id: ContributionId) {
    assert!(Contributions::<T>::get(id)
        .and_then(|details| details.tombstone)
        .is_some_and(|tombstone| tombstone.cause.is_fall()));
}

#[benchmarks]
mod benchmarks {
    use super::*;

    #[benchmark]
    fn create_open() {
        let caller = caller::<T>();
        let datanet = NextDatanet::<T>::get();
        #[extrinsic_call]
        _(RawOrigin::Signed(caller), longest_name());
        assert!(Datanets::<T>::contains_key(datanet));
    }

    #[benchmark]
    fn create_curated() {
        let caller = caller::<T>();
        let datanet = NextDatanet::<T>::get();
        let named = Curators::truncate_from(curators::<T>());
        #[extrinsic_call]
        _(
            RawOrigin::Signed(caller),
            longest_name(),
            named,
            MAX_CURATORS,
        );
        assert!(Datanets::<T>::contains_key(datanet));
    }

    #[benchmark]
    fn join_as_curator() -> Result<(), BenchmarkError> {
        let caller = caller::<T>();
        let mut named = curators::<T>();
        named.pop();
        named.push(caller.clone());
        let datanet = NextDatanet::<T>::get();
        Pallet::<T>::create_curated(
            RawOrigin::Signed(caller.clone()).into(),
            longest_name(),
            Curators::truncate_from(named),
            1,
        )?;
        #[extrinsic_call]
        _(RawOrigin::Signed(caller.clone()), datanet);
        assert!(CuratorsOf::<T>::contains_key(datanet, caller));
        Ok(())
    }

    #[benchmark]
    fn leave_as_curator() -> Result<(), BenchmarkError> {
        let datanet = curated::<T>()?;
        let curator = rich::<T>("curator", 0);
        advance::<T>(1);
        #[extrinsic_call]
        _(RawOrigin::Signed(curator.clone()), datanet);
        assert!(!CuratorsOf::<T>::contains_key(datanet, curator));
        Ok(())
    }

    #[benchmark]
    fn contribute() -> Result<(), BenchmarkError> {
        let caller = caller::<T>();
        let datanet = open::<T>()?;
        let old = super::contribute::<T>(&caller, datanet, small(), None)?;
        accept_open::<T>(old)?;
        let data = rules::<T>().data;
        let id = NextContribution::<T>::get();
        let stake = data.contribution_stake + data.record_stake * 2;
        #[extrinsic_call]
        _(
            RawOrigin::Signed(caller),
            datanet,
            small(),
            u64::MAX,
            MediaType::Text,
            [1; 32],
            longest_licence(),
            Some(old),
            stake,
        );
        assert!(Contributions::<T>::contains_key(id));
        Ok(())
    }

    #[benchmark]
    fn vote() -> Result<(), BenchmarkError> {
        let datanet = curated::<T>()?;
        let id = superseding::<T>(datanet, |old| vote_all_but::<T>(old, 0, true))?;
        vote_all_but::<T>(id, 1, true)?;
        let last = rich::<T>("curator", 0);
        #[extrinsic_call]
        _(RawOrigin::Signed(last), id, true);
        assert!(Pallet::<T>::lookup(id).is_some());
        Ok(())
    }

    #[benchmark]
    fn accept() -> Result<(), BenchmarkError> {
        let caller = caller::<T>();
        let id = superseding::<T>(open::<T>()?, accept_open::<T>)?;
        advance::<T>(rules::<T>().data.contribution_window);
        #[extrinsic_call]
        _(RawOrigin::Signed(caller), id);
        assert!(Pallet::<T>::lookup(id).is_some());
        Ok(())
    }

    #[benchmark]
    fn lapse() -> Result<(), BenchmarkError> {
        let caller = caller::<T>();
        let contributor = rich::<T>("contributor", 0);
        let id = super::contribute::<T>(&contributor, curated::<T>()?, small(), None)?;
        vote_all_but::<T>(id, 1, true)?;
        advance::<T>(rules::<T>().data.contribution_window);
        #[extrinsic_call]
        _(RawOrigin::Signed(caller), id);
        assert!(!Contributions::<T>::contains_key(id));
        Ok(())
    }

    #[benchmark]
    fn withdraw() -> Result<(), BenchmarkError> {
        let caller = caller::<T>();
        let id = super::contribute::<T>(&caller, curated::<T>()?, small(), None)?;
        vote_all_but::<T>(id, 1, true)?;
        #[extrinsic_call]
        _(RawOrigin::Signed(caller), id);
        assert!(!Contributions::<T>::contains_key(id));
        Ok(())
    }

    #[benchmark]
    fn release_stake() -> Result<(), BenchmarkError> {
        let caller = caller::<T>();
        let contributor = rich::<T>("contributor", 0);
        let id = super::contribute::<T>(&contributor, curated::<T>()?, small(), None)?;
        vote_all_but::<T>(id, 0, false)?;
        advance::<T>(rules::<T>().data.contribution_window);
        #[extrinsic_call]
        _(RawOrigin::Signed(caller), id);
        assert!(!Contributions::<T>::contains_key(id));
        Ok(())
    }

    #[benchmark]
    fn challenge_duplicate() -> Result<(), BenchmarkError> {
        let caller = caller::<T>();
        let contributor = rich::<T>("contributor", 0);
        let (leaves, earlier_opening) = deep_record(&contributor);
        let earlier = super::contribute::<T>(&contributor, open::<T>()?, leaves, None)?;
        accept_open::<T>(earlier)?;
        let (later, opening) = about_to_fall::<T>()?;
        #[extrinsic_call]
        _(
            RawOrigin::Signed(caller),
            later,
            Box::new(opening),
            earlier,
            Box::new(earlier_opening),
        );
        assert_fallen::<T>(later);
        Ok(())
    }

    #[benchmark]
    fn challenge_malformed() -> Result<(), BenchmarkError> {
        let caller = caller::<T>();
        let (id, opening) = about_to_fall::<T>()?;
        let evidence = MalformedEvidence::Chunks(deep_chunks().1);
        #[extrinsic_call]
        _(
            RawOrigin::Signed(caller),
            id,
            Box::new(opening),
            Box::new(evidence),
        );
        assert_fallen::<T>(id);
        Ok(())
    }

    #[benchmark]
    fn demand() -> Result<(), BenchmarkError> {
        let caller = caller::<T>();
        let contributor = rich::<T>("contributor", 0);
        let id = super::contribute::<T>(&contributor, open::<T>()?, small(), None)?;
        let number = NextDemand::<T>::get();
        #[extrinsic_call]
        _(RawOrigin::Signed(caller), id, 1, MAX_CHUNKS - 1);
        assert!(Demands::<T>::contains_key(number));
        Ok(())
    }

    #[benchmark]
    fn answer_demand() -> Result<(), BenchmarkError> {
        let caller = caller::<T>();
        let (id, opening) = about_to_fall::<T>()?;
        let number = NextDemand::<T>::get();
        let demander = RawOrigin::Signed(rich::<T>("demander", 0));
        Pallet::<T>::demand(demander.into(), id, 0, 0)?;
        let chunk = deep_chunks().1.first;
        #[extrinsic_call]
        _(
            RawOrigin::Signed(caller),
            number,
            Box::new(opening),
            Some(Box::new(chunk)),
        );
        assert!(!Demands::<T>::contains_key(number));
        Ok(())
    }

    #[benchmark]
    fn expire_demand() -> Result<(), BenchmarkError> {
        let caller = caller::<T>();
        let (id, _) = about_to_fall::<T>()?;
        let number = NextDemand::<T>::get();
        let demander = RawOrigin::Signed(rich::<T>("demander", 0));
        Pallet::<T>::demand(demander.into(), id, 0, 0)?;
        advance::<T>(rules::<T>().settlement.demand_window);
        #[extrinsic_call]
        _(RawOrigin::Signed(caller), number);
        assert_fallen::<T>(id);
        Ok(())
    }

    #[benchmark]
    fn overrule() -> Result<(), BenchmarkError> {
        let origin = T::GovernanceOrigin::try_successful_origin()
            .map_err(|_| BenchmarkError::Stop("there is no governance origin to benchmark with"))?;
        caller::<T>();
        let datanet = curated::<T>()?;
        let id = superseding::<T>(datanet, |old| vote_all_but::<T>(old, 0, true))?;
        vote_all_but::<T>(id, 0, false)?;
        #[extrinsic_call]
        _(origin as T::RuntimeOrigin, id);
        assert!(Pallet::<T>::lookup(id).is_some());
        Ok(())
    }

    impl_benchmark_test_suite!(
        Pallet,
        crate::mock::new_test_externalities(),
        crate::mock::Test
    );
}
