//! # Datanets pallet
//!
//! Who contributed which data, under which licence, and with what at stake.
//!
//! ## Overview
//!
//! A *Datanet* is a named, growing list of contributions about one subject. A contributor registers the
//! Merkle commitment over his records together with a licence and a stake; the payload itself lies in a
//! content store. The contribution is accepted when its window passes unchallenged (open Datanet) or
//! when enough staked curators approve (curated Datanet). Each acceptance extends the Datanet's snapshot
//! chain, so that a training job can name exactly what it was trained on.
//!
//! Copies, malformed records and withheld records are decided by the chain alone, from openings of what
//! was committed. Judgement (quality, legality, near-copies) is the curators', and on appeal
//! governance's.
//!
//! ## Terminology
//!
//! * **Contribution**: a batch of records of one contributor. Its number is global and never reused.
//! * **Record**: bytes, opened by [`RecordOpening`](attribution_proof::record::RecordOpening).
//! * **Snapshot**: the first `n` accepted contributions of a Datanet, named by the head of a hash chain.
//! * **Tombstone**: the end of a contribution or record. The snapshot chain keeps it; training jobs that
//!   are taken later leave it out.
//! * **To fall**: to lose credit and stake by a proof. A record falls alone; the contribution falls with
//!   it when more than the governed share of its records has fallen.
//! * **Demand**: a bonded request to show one chunk of a record on chain.
//! * **Live**: without a tombstone.
//!
//! ## Goals
//!
//! * Every number of policy comes from the ruleset under which a contribution was submitted.
//! * A wrong challenge costs its sender, a right one is paid from the stake; at least half of any slash
//!   goes to the treasury.
//! * Every stake, bond and deposit on hold is in this pallet's books, to the last unit: `do_try_state`
//!   proves it.
//! * Every waiting state has a time-out that anybody may trigger.
//!
//! A contribution that was never accepted is forgotten when it ends, unless records of it fell: then it
//! stays, with its tombstone, as evidence. An accepted one stays for ever, because snapshots name it.
#![cfg_attr(not(feature = "std"), no_std)]
#![cfg_attr(
    not(test),
    deny(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::indexing_slicing,
        clippy::arithmetic_side_effects
    )
)]

extern crate alloc;

// Benchmarks run on inputs of their own making.
#[cfg(feature = "runtime-benchmarks")]
#[allow(clippy::indexing_slicing, clippy::arithmetic_side_effects)]
mod benchmarking;
mod errors;
mod events;
mod functions;
#[cfg(test)]
mod mock;
#[cfg(test)]
mod tests;
#[cfg(any(feature = "std", feature = "try-runtime"))]
mod try_state;
pub mod types;
pub mod weights;

pub use pallet::*;
pub use types::*;
pub use weights::WeightInfo;

use frame_support::pallet_macros::import_section;

/// The pallet.
// The code that the macros add expects what they make sure of; ours, in `functions`, never does.
#[allow(clippy::expect_used)]
#[import_section(events::events)]
#[import_section(errors::errors)]
#[frame_support::pallet]
pub mod pallet {
    use super::*;
    use alloc::{boxed::Box, vec::Vec};
    use attribution_proof::{
        contribution::{MediaType, Snapshot},
        hash::Hash,
        licence::{Licence, Terms},
        merkle::Commitment,
        record::{ChunkOpening, MalformedEvidence, RecordOpening},
        ruleset::Rulesets,
        AccountId, Balance, BlockNumber, ContentId, ContributionId, DatanetId, RulesetId,
    };
    use frame_support::{
        pallet_prelude::*,
        traits::{fungible, ConstU64, StorageVersion},
    };
    use frame_system::pallet_prelude::*;

    const STORAGE_VERSION: StorageVersion = StorageVersion::new(1);

    #[pallet::config]
    pub trait Config:
        frame_system::Config<AccountId = AccountId, RuntimeEvent: From<Event<Self>>>
    {
        /// The money of deposits, stakes and bonds.
        type Currency: fungible::Mutate<AccountId, Balance = Balance>
            + fungible::MutateHold<AccountId, Reason = Self::RuntimeHoldReason>
            + fungible::BalancedHold<AccountId>;

        /// The runtime's reason for a hold.
        type RuntimeHoldReason: From<HoldReason>;

        /// Where every policy number comes from.
        type Rulesets: Rulesets;

        /// Where slashes and lost bonds go. The account must exist, so that any amount can be paid in.
        type Treasury: Get<AccountId>;

        /// Who decides appeals against acceptances and rejections.
        type GovernanceOrigin: EnsureOrigin<Self::RuntimeOrigin>;

        /// Deposit for a Datanet, in base units. A Datanet stays for ever, and so does its deposit: it
        /// is the price of permanent storage, not a policy.
        #[pallet::constant]
        type DatanetDeposit: Get<Balance>;

        /// Weights of the calls.
        type WeightInfo: WeightInfo;
    }

    #[pallet::pallet]
    #[pallet::storage_version(STORAGE_VERSION)]
    pub struct Pallet<T>(_);

    /// Why this pallet holds money.
    #[pallet::composite_enum]
    pub enum HoldReason {
        /// The storage of a Datanet.
        #[codec(index = 0)]
        DatanetDeposit,
        /// A contributor vouches for his records.
        #[codec(index = 1)]
        ContributionStake,
        /// A curator vouches for his votes.
        #[codec(index = 2)]
        CuratorStake,
        /// A demand's bond, earned by whoever answers it.
        #[codec(index = 3)]
        DemandBond,
    }

    // Twox64Concat where a key is a number that the chain gives in sequence or checks against an existing
    // object; Blake2_128Concat where users choose keys freely.

    /// The next Datanet's number.
    #[pallet::storage]
    pub type NextDatanet<T> = StorageValue<_, DatanetId, ValueQuery, ConstU32<1>>;

    /// The next contribution's number.
    #[pallet::storage]
    pub type NextContribution<T> = StorageValue<_, ContributionId, ValueQuery, ConstU64<1>>;

    /// The next demand's number.
    #[pallet::storage]
    pub type NextDemand<T> = StorageValue<_, DemandId, ValueQuery, ConstU64<1>>;

    /// The Datanets.
    #[pallet::storage]
    pub type Datanets<T> = StorageMap<_, Twox64Concat, DatanetId, DatanetDetails>;

    /// The contributions: pending, rejected and accepted ones, and those that ended with fallen records.
    #[pallet::storage]
    pub type Contributions<T> = StorageMap<_, Twox64Concat, ContributionId, ContributionDetails>;

    /// The accepted contributions of a Datanet by index.
    #[pallet::storage]
    pub type Accepted<T> =
        StorageDoubleMap<_, Twox64Concat, DatanetId, Twox64Concat, u32, ContributionId>;

    /// The block in which a record of a contribution fell.
    #[pallet::storage]
    pub type RecordTombstones<T> =
        StorageDoubleMap<_, Twox64Concat, ContributionId, Twox64Concat, u32, BlockNumber>;

    /// The curators who joined a Datanet.
    #[pallet::storage]
    pub type CuratorsOf<T> =
        StorageDoubleMap<_, Twox64Concat, DatanetId, Blake2_128Concat, AccountId, CuratorDetails>;

    /// The votes on a contribution, until it ends or is overruled.
    #[pallet::storage]
    pub type Votes<T> = StorageMap<_, Twox64Concat, ContributionId, VoteList, ValueQuery>;

    /// The demands that wait for an answer.
    #[pallet::storage]
    pub type Demands<T> = StorageMap<_, Twox64Concat, DemandId, DemandDetails>;

    /// The open demand for a chunk, by contribution, record and chunk.
    #[pallet::storage]
    pub type DemandOf<T> = StorageMap<_, Blake2_128Concat, (ContributionId, u32, u32), DemandId>;

    #[pallet::hooks]
    impl<T: Config> Hooks<BlockNumberFor<T>> for Pallet<T> {
        fn integrity_test() {
            assert!(
                T::DatanetDeposit::get() > 0,
                "DatanetDeposit is zero: Datanets stay for ever and must not be free"
            );
        }

        #[cfg(feature = "try-runtime")]
        fn try_state(_: BlockNumberFor<T>) -> Result<(), sp_runtime::TryRuntimeError> {
            Self::do_try_state()
        }
    }

    #[pallet::call]
    impl<T: Config> Pallet<T> {
        /// Creates an open Datanet, whose contributions are accepted when their window has passed.
        /// Signed; holds [`Config::DatanetDeposit`]. Emits [`Event::DatanetCreated`].
        #[pallet::call_index(0)]
        #[pallet::weight(T::WeightInfo::create_open())]
        pub fn create_open(origin: OriginFor<T>, name: Name) -> DispatchResult {
            Self::do_create(ensure_signed(origin)?, name, DatanetKind::Open)
        }

        /// Creates a curated Datanet, whose contributions are accepted or rejected by `threshold` equal
        /// votes of `curators`. Each curator has to [join](Self::join_as_curator) before he can vote.
        /// Signed; holds [`Config::DatanetDeposit`]. Emits [`Event::DatanetCreated`].
        #[pallet::call_index(1)]
        #[pallet::weight(T::WeightInfo::create_curated())]
        pub fn create_curated(
            origin: OriginFor<T>,
            name: Name,
            curators: Curators,
            threshold: u32,
        ) -> DispatchResult {
            let owner = ensure_signed(origin)?;
            Self::do_create(
                owner,
                name,
                DatanetKind::Curated {
                    curators,
                    threshold,
                },
            )
        }

        /// Places the stake of a named curator, who may vote from now on.
        /// Signed by the curator; holds the ruleset's `curator_stake`. Emits [`Event::CuratorJoined`].
        #[pallet::call_index(2)]
        #[pallet::weight(T::WeightInfo::join_as_curator())]
        pub fn join_as_curator(origin: OriginFor<T>, datanet: DatanetId) -> DispatchResult {
            Self::do_join_as_curator(ensure_signed(origin)?, datanet)
        }

        /// Takes a curator's stake back, once all contributions that he voted on are decided and the
        /// time for appeals against the decisions is over.
        /// Signed by the curator. Emits [`Event::CuratorLeft`].
        #[pallet::call_index(3)]
        #[pallet::weight(T::WeightInfo::leave_as_curator())]
        pub fn leave_as_curator(origin: OriginFor<T>, datanet: DatanetId) -> DispatchResult {
            Self::do_leave_as_curator(ensure_signed(origin)?, datanet)
        }

        /// Registers records. Publish the payload only after this call is included: the caller's account
        /// stands in every leaf, and whoever has seen the payload earlier could have come first.
        ///
        /// `stake` is at least the ruleset's `contribution_stake` plus `record_stake` per record.
        /// `supersedes` names a live accepted contribution of the caller in the same Datanet, which ends
        /// when this one is accepted. The new one has its own place in time: before superseding,
        /// challenge copies of the old one, because they are earlier than the new one.
        ///
        /// Signed; holds `stake`. Emits [`Event::Contributed`].
        #[pallet::call_index(4)]
        #[pallet::weight(T::WeightInfo::contribute())]
        pub fn contribute(
            origin: OriginFor<T>,
            datanet: DatanetId,
            leaves: Commitment,
            bytes: u64,
            media: MediaType,
            content: ContentId,
            licence: Licence,
            supersedes: Option<ContributionId>,
            stake: Balance,
        ) -> DispatchResult {
            let contributor = ensure_signed(origin)?;
            let (ruleset, rules) = T::Rulesets::current();
            let contribution = ContributionDetails {
                datanet,
                contributor,
                leaves,
                bytes,
                media,
                content,
                licence,
                supersedes,
                ruleset,
                stake,
                held: stake,
                submitted_at: Self::now(),
                state: ContributionState::Pending,
                tombstone: None,
                fallen_records: 0,
                open_demands: 0,
            };
            Self::do_contribute(contribution, &rules.data)
        }

        /// Votes on a pending contribution to a curated Datanet. The vote that reaches the threshold
        /// accepts or rejects it.
        /// Signed by a curator who has placed his stake. Emits [`Event::Voted`], and with the deciding
        /// vote [`Event::ContributionAccepted`] or [`Event::ContributionRejected`].
        #[pallet::call_index(5)]
        #[pallet::weight(T::WeightInfo::vote())]
        pub fn vote(
            origin: OriginFor<T>,
            contribution: ContributionId,
            approve: bool,
        ) -> DispatchResult {
            Self::do_vote(ensure_signed(origin)?, contribution, approve)
        }

        /// Accepts a pending contribution to an open Datanet whose window has passed.
        /// Signed by anybody. Emits [`Event::ContributionAccepted`].
        #[pallet::call_index(6)]
        #[pallet::weight(T::WeightInfo::accept())]
        pub fn accept(origin: OriginFor<T>, contribution: ContributionId) -> DispatchResult {
            ensure_signed(origin)?;
            Self::do_accept(contribution)
        }

        /// Ends a pending contribution to a curated Datanet that was not decided within its window, and
        /// gives the stake back.
        /// Signed by anybody. Emits [`Event::ContributionTombstoned`] and [`Event::StakeReleased`].
        #[pallet::call_index(7)]
        #[pallet::weight(T::WeightInfo::lapse())]
        pub fn lapse(origin: OriginFor<T>, contribution: ContributionId) -> DispatchResult {
            ensure_signed(origin)?;
            Self::do_lapse(contribution)
        }

        /// Withdraws a contribution. The stake of a pending or rejected one is released at once; that of
        /// an accepted one stays on hold for the contribution window, see
        /// [`release_stake`](Self::release_stake).
        /// Signed by the contributor. Emits [`Event::ContributionTombstoned`].
        #[pallet::call_index(8)]
        #[pallet::weight(T::WeightInfo::withdraw())]
        pub fn withdraw(origin: OriginFor<T>, contribution: ContributionId) -> DispatchResult {
            Self::do_withdraw(ensure_signed(origin)?, contribution)
        }

        /// Gives the rest of the stake back to the contributor of an ended or rejected contribution, once
        /// the contribution window has passed since then and no demand is open.
        /// Signed by anybody. Emits [`Event::StakeReleased`].
        #[pallet::call_index(9)]
        #[pallet::weight(T::WeightInfo::release_stake())]
        pub fn release_stake(origin: OriginFor<T>, contribution: ContributionId) -> DispatchResult {
            ensure_signed(origin)?;
            Self::do_release_stake(contribution)
        }

        /// Proves that a record of `later` is a copy of one in `earlier`: another contributor's accepted
        /// contribution with a smaller number, live or superseded. Both open to the same salted content,
        /// and both are at least `minimum_record_bytes` long. The record falls.
        /// Signed by anybody who could pay `challenge_bond`, which goes to the treasury if the evidence
        /// proves nothing. Emits [`Event::RecordFell`] or [`Event::ChallengeRejected`].
        #[pallet::call_index(10)]
        #[pallet::weight(T::WeightInfo::challenge_duplicate())]
        pub fn challenge_duplicate(
            origin: OriginFor<T>,
            later: ContributionId,
            later_opening: Box<RecordOpening>,
            earlier: ContributionId,
            earlier_opening: Box<RecordOpening>,
        ) -> DispatchResult {
            let challenger = ensure_signed(origin)?;
            Self::do_challenge_duplicate(
                challenger,
                later,
                &later_opening,
                earlier,
                &earlier_opening,
            )
        }

        /// Proves that a record breaks the text rule or that its lengths disagree. The record falls.
        /// Signed by anybody who could pay `challenge_bond`, which goes to the treasury if the evidence
        /// proves nothing. Emits [`Event::RecordFell`] or [`Event::ChallengeRejected`].
        #[pallet::call_index(11)]
        #[pallet::weight(T::WeightInfo::challenge_malformed())]
        pub fn challenge_malformed(
            origin: OriginFor<T>,
            contribution: ContributionId,
            opening: Box<RecordOpening>,
            evidence: Box<MalformedEvidence>,
        ) -> DispatchResult {
            let challenger = ensure_signed(origin)?;
            Self::do_challenge_malformed(challenger, contribution, &opening, &evidence)
        }

        /// Demands that a chunk of a record of a live contribution be shown on chain.
        /// Signed by anybody; holds `demand_bond`. Emits [`Event::Demanded`].
        #[pallet::call_index(12)]
        #[pallet::weight(T::WeightInfo::demand())]
        pub fn demand(
            origin: OriginFor<T>,
            contribution: ContributionId,
            record: u32,
            chunk: u32,
        ) -> DispatchResult {
            Self::do_demand(ensure_signed(origin)?, contribution, record, chunk)
        }

        /// Shows a demanded chunk and earns the bond. `chunk` is `None` exactly when the opened record
        /// has no chunk with that index.
        /// Signed by anybody. Emits [`Event::DemandAnswered`].
        #[pallet::call_index(13)]
        #[pallet::weight(T::WeightInfo::answer_demand())]
        pub fn answer_demand(
            origin: OriginFor<T>,
            demand: DemandId,
            record: Box<RecordOpening>,
            chunk: Option<Box<ChunkOpening>>,
        ) -> DispatchResult {
            Self::do_answer_demand(ensure_signed(origin)?, demand, &record, chunk.as_deref())
        }

        /// Ends a demand that nobody answered in time: the record falls, the demander gets his bond back
        /// and is the challenger of the slash. A demand about something that is not at stake any more
        /// can be ended at once and takes nobody's stake.
        /// Signed by anybody. Emits [`Event::DemandExpired`], and before it [`Event::RecordFell`].
        #[pallet::call_index(14)]
        #[pallet::weight(T::WeightInfo::expire_demand())]
        pub fn expire_demand(origin: OriginFor<T>, demand: DemandId) -> DispatchResult {
            ensure_signed(origin)?;
            Self::do_expire_demand(demand)
        }

        /// Overrules the acceptance or rejection of a contribution: an accepted one ends, a rejected one is
        /// accepted. Curators who voted for the decision lose their stake, if they still have one. What an
        /// overruled acceptance superseded stays superseded: its contributor can submit it again.
        /// Origin [`Config::GovernanceOrigin`]. Emits [`Event::Overruled`] and, per curator,
        /// [`Event::CuratorSlashed`].
        #[pallet::call_index(15)]
        #[pallet::weight(T::WeightInfo::overrule())]
        pub fn overrule(origin: OriginFor<T>, contribution: ContributionId) -> DispatchResult {
            T::GovernanceOrigin::ensure_origin(origin)?;
            Self::do_overrule(contribution)
        }
    }

    #[pallet::view_functions]
    impl<T: Config> Pallet<T> {
        /// A Datanet.
        pub fn datanet(datanet: DatanetId) -> Option<DatanetDetails> {
            Datanets::<T>::get(datanet)
        }

        /// The newest snapshot of a Datanet; one of length zero while nothing is accepted.
        pub fn latest_snapshot(datanet: DatanetId) -> Option<Snapshot> {
            Datanets::<T>::get(datanet).map(|details| details.snapshot(datanet))
        }

        /// The meet of the terms of a Datanet's live accepted contributions: free while there are none.
        pub fn terms(datanet: DatanetId) -> Option<Terms> {
            Datanets::<T>::get(datanet).map(|details| details.term_counts.meet())
        }

        /// A contribution.
        pub fn contribution(contribution: ContributionId) -> Option<ContributionDetails> {
            Contributions::<T>::get(contribution)
        }

        /// The accepted contributions of a Datanet from index `from` on, at most `limit` and at most
        /// [`MAX_PAGE`].
        pub fn accepted_page(
            datanet: DatanetId,
            from: u32,
            limit: u32,
        ) -> Vec<(ContributionId, ContributionDetails)> {
            Self::accepted_from(datanet, from, limit)
        }

        /// The pending contributions to a Datanet among the `limit` numbers from `from` on, at most
        /// [`MAX_PAGE`] numbers. The next page starts at `from` plus the limit.
        pub fn pending_page(
            datanet: DatanetId,
            from: ContributionId,
            limit: u32,
        ) -> Vec<(ContributionId, ContributionDetails)> {
            Self::pending_from(datanet, from, limit)
        }

        /// The votes on a contribution.
        pub fn votes(contribution: ContributionId) -> VoteList {
            Votes::<T>::get(contribution)
        }

        /// A curator's stake in a Datanet.
        pub fn curator(datanet: DatanetId, curator: AccountId) -> Option<CuratorDetails> {
            CuratorsOf::<T>::get(datanet, curator)
        }

        /// An open demand.
        pub fn demand_details(demand: DemandId) -> Option<DemandDetails> {
            Demands::<T>::get(demand)
        }

        /// The block from which a record of a contribution does not count: that of its own fall or of
        /// the contribution's end, whichever is earlier.
        pub fn record_tombstoned_at(
            contribution: ContributionId,
            record: u32,
        ) -> Option<BlockNumber> {
            Self::tombstone_of_record(contribution, record)
        }
    }
}
