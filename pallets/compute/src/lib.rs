//! # Compute pallet
//!
//! Operators and their bonds, and training jobs from request to registered model.
//!
//! ## Pallet API
//!
//! See the [`pallet`] module for calls, storage, events and errors.
//!
//! ## Overview
//!
//! An *operator* bonds money, publishes its hardware and endpoint, trains and serves. Its bond answers
//! for both; other pallets slash it through [`Pallet::slash_operator`] and keep it in place through
//! [`Pallet::extend_liability`]. To leave, an operator drains: it finishes what it has, and when the
//! last window for which it answers has closed it gets back exactly what is left.
//!
//! A *job* asks for a model trained on named versions of Datanets:
//!
//! ```text
//! request_job      licences are checked, inputs and royalties fixed, fee and deposit held
//! take_job         an operator puts a stake of its bond on it
//! draw_order_seed  randomness that nobody knew when the job was taken fixes the order of the data
//! submit_transcript
//! draw_projection_seed  randomness that nobody knew when the transcript landed fixes the projection
//! submit_index     opens the window; challenge_row: one wrong row voids the job
//! finalise_job     the operator is paid, the model registered
//! ```
//!
//! Each waiting state has a deadline after which anybody may end it with [`Pallet::expire_job`], so
//! no fee, stake or deposit is ever stuck.
//!
//! ## Terminology
//!
//! * **Builder** – who requests a job, pays the fee and owns the model.
//! * **Bond** – what an operator holds for as long as it may be liable.
//! * **Stake** – the part of the bond that one taken job puts at risk.
//! * **Ordinal** – position of a record among all input records of a job; row `i` of the influence
//!   index is record ordinal `i`.
//!
//! ## Goals
//!
//! * What a licence forbids cannot be trained on.
//! * Neither builder nor operator can choose the order of the data or the projection.
//! * A single wrong row, shown by anybody, costs the operator its stake and the builder nothing.
#![cfg_attr(not(feature = "std"), no_std)]
#![cfg_attr(
    not(test),
    deny(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::indexing_slicing,
        clippy::arithmetic_side_effects,
        clippy::panic
    )
)]

extern crate alloc;

#[cfg(feature = "runtime-benchmarks")]
mod benchmarking;
mod functions;
#[cfg(test)]
mod mock;
#[cfg(test)]
mod tests;
mod traits;
#[cfg(any(feature = "std", feature = "try-runtime"))]
mod try_state;
mod types;
pub mod weights;

pub use pallet::*;
#[cfg(feature = "runtime-benchmarks")]
pub use traits::BenchmarkHelper;
pub use traits::{Data, Models};
pub use types::{
    Assignment, ContributionView, Endpoint, Hardware, Job, JobState, Operator, OperatorState,
    RefundCause, Rejection, RowEvidence, RowFault, TrainedWeights, MAX_ENDPOINT, MAX_HARDWARE,
};
pub use weights::WeightInfo;

// FRAME's macros expand to `expect`s of their own; the logic is in `functions`.
#[allow(clippy::expect_used)]
#[frame_support::pallet]
pub mod pallet {
    use crate::{
        functions::JobRequest,
        traits::{Data, Models},
        types::{
            Endpoint, Hardware, Job, Operator, RefundCause, Rejection, RowEvidence, RowFault,
            TrainedWeights,
        },
        WeightInfo,
    };
    use alloc::{boxed::Box, vec::Vec};
    use attribution_proof::{
        bounds::MAX_INPUTS,
        hash::Hash,
        influence::{IndexSpec, RowOpening},
        model::{Committed, Inputs, ModelKind},
        ruleset::Rulesets,
        split::Parts,
        AccountId, Balance, BlockNumber, ContentId, DatanetId, JobId, ModelId, RulesetId,
    };
    use frame_support::{
        pallet_prelude::*,
        traits::{
            fungible::{hold, Inspect, Mutate},
            Randomness,
        },
    };
    use frame_system::pallet_prelude::*;

    /// Most entries in one page of a view function.
    pub const PAGE: u32 = 64;

    const STORAGE_VERSION: StorageVersion = StorageVersion::new(1);

    #[pallet::config]
    pub trait Config:
        frame_system::Config<AccountId = AccountId, RuntimeEvent: From<Event<Self>>>
    {
        /// The overarching hold reason.
        type RuntimeHoldReason: From<HoldReason>;

        /// The currency of bonds, fees and deposits.
        type Currency: Inspect<AccountId, Balance = Balance>
            + Mutate<AccountId>
            + hold::Mutate<AccountId, Reason = Self::RuntimeHoldReason>
            + hold::Balanced<AccountId>;

        /// Where policy numbers are looked up.
        type Rulesets: Rulesets;

        /// The Datanets.
        type Data: Data;

        /// The models.
        type Models: Models;

        /// Randomness for the order of the data. The block that it names as "known since" must not be
        /// later than the first in which anybody could know the seed; an unavailable source names
        /// block zero.
        type OrderRandomness: Randomness<Hash, BlockNumberFor<Self>>;

        /// Randomness for the projection, with the same promise. It may be fresher and weaker: its
        /// user has a full transcript at stake by then.
        type ProjectionRandomness: Randomness<Hash, BlockNumberFor<Self>>;

        /// Where slashes and lost challenge bonds go.
        type Treasury: Get<AccountId>;

        /// Held from the builder for the storage of a job, in base units. A job that made a model
        /// keeps it, because the manifest stands for ever; any other gives it back by
        /// [`Pallet::forget_job`]. At least the existential deposit, or zero.
        #[pallet::constant]
        type JobDeposit: Get<Balance>;

        /// Fills the other pallets for benchmarks.
        #[cfg(feature = "runtime-benchmarks")]
        type BenchmarkHelper: crate::traits::BenchmarkHelper;

        /// Weights of the calls.
        type WeightInfo: WeightInfo;
    }

    #[pallet::pallet]
    #[pallet::storage_version(STORAGE_VERSION)]
    pub struct Pallet<T>(_);

    /// Why this pallet holds money.
    #[pallet::composite_enum]
    pub enum HoldReason {
        /// An operator's bond.
        #[codec(index = 0)]
        OperatorBond,
        /// The fee of a job that is not over.
        #[codec(index = 1)]
        JobFee,
        /// Deposit for the storage of a job.
        #[codec(index = 2)]
        JobDeposit,
    }

    /// Operators.
    // Blake2_128Concat: the key is an account, which anybody can choose.
    #[pallet::storage]
    pub type Operators<T: Config> =
        StorageMap<_, Blake2_128Concat, AccountId, Operator, OptionQuery>;

    /// The number that the next job gets. The first is 1.
    #[pallet::storage]
    pub type NextJob<T: Config> = StorageValue<_, JobId, ValueQuery, ConstU32<1>>;

    /// Jobs. One that ended without a model can be forgotten.
    // Twox64Concat: the key is a number that this pallet counts, so nobody can choose it.
    #[pallet::storage]
    pub type Jobs<T: Config> = StorageMap<_, Twox64Concat, JobId, Job, OptionQuery>;

    #[pallet::event]
    #[pallet::generate_deposit(pub(crate) fn deposit_event)]
    pub enum Event<T: Config> {
        /// An operator registered.
        OperatorRegistered {
            /// Who.
            operator: AccountId,
            /// Its bond.
            bond: Balance,
            /// Its hardware profile.
            hardware: Hardware,
            /// Its endpoint.
            endpoint: Endpoint,
        },
        /// An operator added to its bond.
        BondAdded {
            /// Who.
            operator: AccountId,
            /// How much.
            amount: Balance,
            /// The bond now.
            bond: Balance,
        },
        /// An operator changed its hardware profile or endpoint.
        OperatorUpdated {
            /// Who.
            operator: AccountId,
            /// Its hardware profile.
            hardware: Hardware,
            /// Its endpoint.
            endpoint: Endpoint,
        },
        /// An operator takes nothing new from now on.
        OperatorDraining {
            /// Who.
            operator: AccountId,
        },
        /// An operator left with what remained of its bond.
        BondWithdrawn {
            /// Who.
            operator: AccountId,
            /// How much.
            amount: Balance,
        },
        /// Part of an operator's bond was taken.
        OperatorSlashed {
            /// Who.
            operator: AccountId,
            /// How much.
            amount: Balance,
            /// Who was rewarded for showing the fault.
            rewarded: Option<AccountId>,
            /// With how much; the rest went to the treasury.
            reward: Balance,
        },
        /// A job was requested.
        JobRequested {
            /// The job.
            job: JobId,
            /// Who pays.
            builder: AccountId,
            /// Kind of the model.
            kind: ModelKind,
            /// Versions of the Datanets.
            inputs: Inputs,
            /// Hyper-parameters in the content store.
            hyper_parameters: ContentId,
            /// The fee.
            fee: Balance,
            /// Ruleset.
            ruleset: RulesetId,
            /// The last block in which it can be taken.
            until: BlockNumber,
        },
        /// An operator took a job.
        JobTaken {
            /// The job.
            job: JobId,
            /// Who.
            operator: AccountId,
            /// Stake.
            stake: Balance,
            /// The last block in which the result may be submitted.
            deadline: BlockNumber,
        },
        /// The seed of the batch order is known.
        OrderSeedDrawn {
            /// The job.
            job: JobId,
            /// The seed.
            seed: Hash,
        },
        /// The weights and their transcript landed.
        TranscriptSubmitted {
            /// The job.
            job: JobId,
            /// Who trained.
            operator: AccountId,
            /// What was trained.
            weights: TrainedWeights,
        },
        /// The seed of the projection is known.
        ProjectionSeedDrawn {
            /// The job.
            job: JobId,
            /// The seed.
            seed: Hash,
        },
        /// The influence index landed and the window opened.
        IndexSubmitted {
            /// The job.
            job: JobId,
            /// The index.
            index: Committed,
            /// Its terms.
            spec: IndexSpec,
            /// The last block in which it can be challenged.
            window_end: BlockNumber,
        },
        /// A challenge proved nothing and cost its sender the bond.
        ChallengeRejected {
            /// The job.
            job: JobId,
            /// Who challenged.
            challenger: AccountId,
            /// What it cost.
            bond: Balance,
            /// Why.
            reason: Rejection,
        },
        /// A row was proven wrong, which voids the job.
        JobVoided {
            /// The job.
            job: JobId,
            /// Who answers for it.
            operator: AccountId,
            /// Who showed it.
            challenger: AccountId,
            /// The row.
            row: u32,
            /// What is wrong with it.
            fault: RowFault,
        },
        /// A job ended with a model and the operator was paid.
        JobFinalised {
            /// The job.
            job: JobId,
            /// The model.
            model: ModelId,
            /// Who trained it.
            operator: AccountId,
            /// What it earned.
            fee: Balance,
        },
        /// A job ended without a model and the fee went back.
        JobRefunded {
            /// The job.
            job: JobId,
            /// Who got it back.
            builder: AccountId,
            /// The fee.
            fee: Balance,
            /// Why.
            cause: RefundCause,
        },
        /// An ended job was removed and its deposit released.
        JobForgotten {
            /// The job.
            job: JobId,
            /// Who got the deposit back.
            builder: AccountId,
            /// The deposit.
            deposit: Balance,
        },
    }

    #[pallet::error]
    pub enum Error<T> {
        /// The account is an operator already. Add to the bond or update the profile instead.
        AlreadyOperator,
        /// The account is not an operator. Register first.
        NotOperator,
        /// The bond is less than the current ruleset asks. Bond at least its `operator_bond`.
        BondTooLow,
        /// An amount of zero does nothing. Name a positive one.
        ZeroAmount,
        /// The hardware profile is empty or not UTF-8 text.
        MalformedHardware,
        /// The endpoint is not an `http://` or `https://` URL in printable ASCII without blanks.
        MalformedEndpoint,
        /// The operator is draining: it takes nothing new and cannot drain twice.
        Draining,
        /// Only a draining operator can withdraw. Call `drain` and wait.
        NotDraining,
        /// A job that the operator took is not over. Finish it, or let it be finalised or expire.
        JobsActive,
        /// A channel to the operator is open. Close it as the payee.
        ChannelsOpen,
        /// A window for which the bond answers is still open. Wait until after `liable_until`.
        StillLiable,
        /// The job names no Datanet. Name at least one.
        NoInputs,
        /// The job names a Datanet twice. Name each once.
        DuplicateInput,
        /// There is no Datanet with this number.
        UnknownDatanet,
        /// Nothing was accepted into a named Datanet yet. Wait for its first contribution.
        EmptyDatanet,
        /// The inputs have more records than ordinals can number. Use fewer Datanets.
        TooManyRecords,
        /// The terms of a named Datanet forbid derivatives. It cannot be trained on.
        LicenceForbidsDerivatives,
        /// The terms of a named Datanet forbid commercial use. Set price and price floor to zero.
        LicenceForbidsCommercialUse,
        /// The fee is less than the existential deposit, so it could not be paid to everybody.
        FeeTooLow,
        /// There is no job with this number; it may have ended and been forgotten.
        UnknownJob,
        /// Only the builder of the job may do this.
        NotBuilder,
        /// Only the operator that took the job may do this.
        NotAssigned,
        /// The job is not open: it was taken or is over.
        JobNotOpen,
        /// The job is not in the state in which this can be done. See its state for the next step.
        WrongState,
        /// The deadline has passed. The job can only be expired.
        DeadlineOver,
        /// The deadline has not passed yet.
        DeadlineNotOver,
        /// The part of the bond that is not staked on other jobs is less than this job's stake. Add to
        /// the bond, or finish a job first.
        FreeBondTooLow,
        /// The seed was drawn already; it never changes.
        SeedAlreadyDrawn,
        /// The newest randomness was knowable before the commitment it must follow. Try again later:
        /// the order seed takes up to two epochs, the projection seed a block or two.
        RandomnessTooEarly,
        /// The seed is not drawn yet. Call `draw_order_seed` or `draw_projection_seed` first.
        SeedNotDrawn,
        /// A transcript has at least two states: the start and one step.
        TranscriptTooShort,
        /// The terms of the index are not possible. See `IndexSpec::is_valid`.
        InvalidSpec,
        /// The index was projected with another seed than the one that was drawn.
        WrongProjectionSeed,
        /// The index must have exactly one row per input record.
        WrongRowCount,
        /// The window has closed; the result can no longer be challenged.
        WindowOver,
        /// The window is still open. Finalise after it.
        WindowOpen,
        /// The sender cannot pay the challenge bond of the job's ruleset, which a wrong challenge
        /// costs.
        ChallengeBondTooHigh,
        /// Only a job that ended without a model can be forgotten.
        JobNotEnded,
        /// The ruleset of the job is unknown, which should not be possible. Report it.
        UnknownRuleset,
        /// No number is left for another job.
        OutOfNumbers,
    }

    #[pallet::hooks]
    impl<T: Config> Hooks<BlockNumberFor<T>> for Pallet<T> {
        fn integrity_test() {
            let deposit = T::JobDeposit::get();
            assert!(
                deposit == 0 || deposit >= T::Currency::minimum_balance(),
                "a JobDeposit under the existential deposit could not always be released"
            );
        }

        #[cfg(feature = "try-runtime")]
        fn try_state(_now: BlockNumberFor<T>) -> Result<(), sp_runtime::TryRuntimeError> {
            Self::do_try_state()
        }
    }

    #[pallet::call]
    impl<T: Config> Pallet<T> {
        /// Makes the sender an operator.
        ///
        /// `bond` is held and must be at least the current ruleset's `operator_bond`. `hardware` is a
        /// JSON profile, `endpoint` the URL of the HTTP API.
        ///
        /// Emits [`Event::OperatorRegistered`].
        #[pallet::call_index(0)]
        #[pallet::weight(T::WeightInfo::register_operator())]
        pub fn register_operator(
            origin: OriginFor<T>,
            #[pallet::compact] bond: Balance,
            hardware: Hardware,
            endpoint: Endpoint,
        ) -> DispatchResult {
            let who = ensure_signed(origin)?;
            Self::do_register_operator(who, bond, hardware, endpoint)
        }

        /// Adds to the sender's bond. A draining operator may, too, though it need not.
        ///
        /// Emits [`Event::BondAdded`].
        #[pallet::call_index(1)]
        #[pallet::weight(T::WeightInfo::add_bond())]
        pub fn add_bond(
            origin: OriginFor<T>,
            #[pallet::compact] amount: Balance,
        ) -> DispatchResult {
            let who = ensure_signed(origin)?;
            Self::do_add_bond(who, amount)
        }

        /// Replaces the sender's hardware profile and endpoint.
        ///
        /// Emits [`Event::OperatorUpdated`].
        #[pallet::call_index(2)]
        #[pallet::weight(T::WeightInfo::update_operator())]
        pub fn update_operator(
            origin: OriginFor<T>,
            hardware: Hardware,
            endpoint: Endpoint,
        ) -> DispatchResult {
            let who = ensure_signed(origin)?;
            Self::do_update_operator(who, hardware, endpoint)
        }

        /// Stops the sender from taking new jobs and channels.
        ///
        /// There is no way back but to withdraw and register again: clients that saw an operator
        /// drain have gone elsewhere.
        ///
        /// Emits [`Event::OperatorDraining`].
        #[pallet::call_index(3)]
        #[pallet::weight(T::WeightInfo::drain())]
        pub fn drain(origin: OriginFor<T>) -> DispatchResult {
            let who = ensure_signed(origin)?;
            Self::do_drain(who)
        }

        /// Releases exactly what is left of the sender's bond and removes the operator.
        ///
        /// It must be draining, without active jobs and open channels, after the last block for which
        /// it is liable.
        ///
        /// Emits [`Event::BondWithdrawn`].
        #[pallet::call_index(4)]
        #[pallet::weight(T::WeightInfo::withdraw_bond())]
        pub fn withdraw_bond(origin: OriginFor<T>) -> DispatchResult {
            let who = ensure_signed(origin)?;
            Self::do_withdraw_bond(who)
        }

        /// Requests a training job.
        ///
        /// The newest versions of `datanets` become its inputs, in this order, which numbers the
        /// records. Their terms must allow derivatives and, for a price over zero, commercial use; the
        /// base of an adapter must be live and its terms likewise. The royalties that the model will
        /// owe are fixed now. `hyper_parameters` is the content id of their canonical form. `fee` and
        /// [`Config::JobDeposit`] are held from the sender, who becomes the model's owner.
        ///
        /// Emits [`Event::JobRequested`].
        #[pallet::call_index(5)]
        #[pallet::weight(T::WeightInfo::request_job())]
        pub fn request_job(
            origin: OriginFor<T>,
            kind: ModelKind,
            datanets: BoundedVec<DatanetId, ConstU32<MAX_INPUTS>>,
            hyper_parameters: ContentId,
            previous: Option<ModelId>,
            royalty: Parts,
            #[pallet::compact] price: Balance,
            #[pallet::compact] price_floor: Balance,
            #[pallet::compact] fee: Balance,
        ) -> DispatchResult {
            let builder = ensure_signed(origin)?;
            Self::do_request_job(JobRequest {
                builder,
                kind,
                datanets,
                hyper_parameters,
                previous,
                royalty,
                price,
                price_floor,
                fee,
            })
        }

        /// Calls an open job of the sender off. The fee goes back.
        ///
        /// Emits [`Event::JobRefunded`].
        #[pallet::call_index(6)]
        #[pallet::weight(T::WeightInfo::cancel_job())]
        pub fn cancel_job(origin: OriginFor<T>, job: JobId) -> DispatchResult {
            let who = ensure_signed(origin)?;
            Self::do_cancel_job(who, job)
        }

        /// Takes an open job for the sender, an active operator.
        ///
        /// The stake of the job's ruleset is put at risk; it must fit into the part of the bond that
        /// other jobs do not stake already.
        ///
        /// Emits [`Event::JobTaken`].
        #[pallet::call_index(7)]
        #[pallet::weight(T::WeightInfo::take_job())]
        pub fn take_job(origin: OriginFor<T>, job: JobId) -> DispatchResult {
            let who = ensure_signed(origin)?;
            Self::do_take_job(who, job)
        }

        /// Draws the seed of the batch order of a taken job. Anybody may, once.
        ///
        /// Only randomness that became knowable after the job was taken is accepted.
        ///
        /// Emits [`Event::OrderSeedDrawn`].
        #[pallet::call_index(8)]
        #[pallet::weight(T::WeightInfo::draw_order_seed())]
        pub fn draw_order_seed(origin: OriginFor<T>, job: JobId) -> DispatchResult {
            ensure_signed(origin)?;
            Self::do_draw_order_seed(job)
        }

        /// Hands in the trained weights of a job that the sender took, with their transcript.
        ///
        /// Emits [`Event::TranscriptSubmitted`].
        #[pallet::call_index(9)]
        #[pallet::weight(T::WeightInfo::submit_transcript())]
        pub fn submit_transcript(
            origin: OriginFor<T>,
            job: JobId,
            artifact: ContentId,
            architecture: Hash,
            tokenizer: Hash,
            transcript: Committed,
            loss_before: u32,
            loss_after: u32,
        ) -> DispatchResult {
            let who = ensure_signed(origin)?;
            let weights = TrainedWeights {
                artifact,
                architecture,
                tokenizer,
                transcript,
                loss_before,
                loss_after,
            };
            Self::do_submit_transcript(who, job, weights)
        }

        /// Draws the seed of the projection of a job whose transcript landed. Anybody may, once.
        ///
        /// Only randomness that became knowable after the transcript landed is accepted.
        ///
        /// Emits [`Event::ProjectionSeedDrawn`].
        #[pallet::call_index(10)]
        #[pallet::weight(T::WeightInfo::draw_projection_seed())]
        pub fn draw_projection_seed(origin: OriginFor<T>, job: JobId) -> DispatchResult {
            ensure_signed(origin)?;
            Self::do_draw_projection_seed(job)
        }

        /// Hands in the influence index of a job that the sender took, and opens the window.
        ///
        /// The index has exactly one row per input record and is projected with the drawn seed.
        ///
        /// Emits [`Event::IndexSubmitted`].
        #[pallet::call_index(11)]
        #[pallet::weight(T::WeightInfo::submit_index())]
        pub fn submit_index(
            origin: OriginFor<T>,
            job: JobId,
            index: Committed,
            spec: IndexSpec,
        ) -> DispatchResult {
            let who = ensure_signed(origin)?;
            Self::do_submit_index(who, job, index, spec)
        }

        /// Shows that a row of a submitted index is wrong. Anybody may, until the window closes.
        ///
        /// If the evidence proves it, the job is void: the fee goes back, the operator loses its
        /// stake, and the sender gets the ruleset's part of that. Otherwise the call succeeds and costs
        /// the sender the challenge bond.
        ///
        /// Emits [`Event::JobVoided`], [`Event::OperatorSlashed`] and [`Event::JobRefunded`], or
        /// [`Event::ChallengeRejected`].
        #[pallet::call_index(12)]
        #[pallet::weight(T::WeightInfo::challenge_row())]
        pub fn challenge_row(
            origin: OriginFor<T>,
            job: JobId,
            row: Box<RowOpening>,
            evidence: Box<RowEvidence>,
        ) -> DispatchResult {
            let who = ensure_signed(origin)?;
            Self::do_challenge_row(who, job, &row, &evidence)
        }

        /// Pays the operator and registers the model of a job whose window has closed. Anybody may.
        ///
        /// Should the model not be registrable any more, because its base was voided meanwhile, the
        /// fee goes back and the stake is freed.
        ///
        /// Emits [`Event::JobFinalised`] or [`Event::JobRefunded`].
        #[pallet::call_index(13)]
        #[pallet::weight(T::WeightInfo::finalise_job())]
        pub fn finalise_job(origin: OriginFor<T>, job: JobId) -> DispatchResult {
            ensure_signed(origin)?;
            Self::do_finalise_job(job)
        }

        /// Ends a job whose deadline has passed. Anybody may.
        ///
        /// The fee goes back. An operator that did not submit loses its stake to the treasury.
        ///
        /// Emits [`Event::JobRefunded`] and, where an operator was late, [`Event::OperatorSlashed`].
        #[pallet::call_index(14)]
        #[pallet::weight(T::WeightInfo::expire_job())]
        pub fn expire_job(origin: OriginFor<T>, job: JobId) -> DispatchResult {
            ensure_signed(origin)?;
            Self::do_expire_job(job)
        }

        /// Removes a job of the sender that ended without a model, and releases its deposit.
        ///
        /// Emits [`Event::JobForgotten`].
        #[pallet::call_index(15)]
        #[pallet::weight(T::WeightInfo::forget_job())]
        pub fn forget_job(origin: OriginFor<T>, job: JobId) -> DispatchResult {
            let who = ensure_signed(origin)?;
            Self::do_forget_job(who, job)
        }
    }

    #[pallet::view_functions]
    impl<T: Config> Pallet<T> {
        /// An operator.
        pub fn operator(who: AccountId) -> Option<Operator> {
            Operators::<T>::get(who)
        }

        /// The part of an operator's bond that no job stakes, in base units.
        pub fn free_bond(who: AccountId) -> Balance {
            Operators::<T>::get(who)
                .map_or(0, |operator| operator.bond.saturating_sub(operator.staked))
        }

        /// Up to `limit` operators, at most [`PAGE`], from the one after `after`.
        pub fn operators(after: Option<AccountId>, limit: u32) -> Vec<(AccountId, Operator)> {
            let entries = match after {
                None => Operators::<T>::iter(),
                Some(who) => Operators::<T>::iter_from_key(who),
            };
            entries
                .take(usize::try_from(limit.min(PAGE)).unwrap_or_default())
                .collect()
        }

        /// A job.
        pub fn job(job: JobId) -> Option<Job> {
            Jobs::<T>::get(job)
        }

        /// The jobs among `limit` numbers from `start`, at most [`PAGE`]. Forgotten ones are missing.
        pub fn jobs(start: JobId, limit: u32) -> Vec<(JobId, Job)> {
            let end = start
                .saturating_add(limit.min(PAGE))
                .min(NextJob::<T>::get());
            (start..end)
                .filter_map(|job| Some((job, Jobs::<T>::get(job)?)))
                .collect()
        }

        /// The number that the next job gets.
        pub fn next_job() -> JobId {
            NextJob::<T>::get()
        }
    }
}
