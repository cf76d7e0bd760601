//! # Models pallet
//!
//! The register of models: what each one is, what it was built on, what it may be used for, and who
//! shares its builder's fee.
//!
//! ## Pallet API
//!
//! See the [`pallet`] module for calls, storage, events and errors.
//!
//! ## Overview
//!
//! A builder registers a model with its [`Manifest`]: hashes of the weights, architecture and
//! tokenizer, its price, the royalty it asks, and the models it builds on. Weights may come from
//! outside ([`Pallet::register`]) or from a training job on this chain
//! ([`Pallet::register_trained`], called by whoever finalises jobs). Two things are inherited: the
//! *licence* (permissions intersect, obligations add up) and the *royalties*, which are flattened at
//! once into one list of accounts that share the builder's fee.
//!
//! A manifest is never removed, because receipts refer to it for as long as they can be challenged
//! and models inherit from it for ever. A model that should no longer be used is retired by its owner
//! or voided by governance; [`Config::MaxStrikes`] unanswered demands for its rows or training steps
//! void it, too.
//!
//! ## Terminology
//!
//! * **Base** – complete weights. **Adapter** – low-rank weights over a base.
//! * **Lineage** – a model and its base: the models whose influence indexes one answer addresses.
//! * **Parent** – a model that this one builds on. The base of an adapter always is one.
//! * **Royalty** – the part of the builder's fee that goes to a parent's builders, in parts per
//!   billion.
//! * **Retired** – no new jobs, channels or descendants; receipts stay valid.
//! * **Voided** – judged untrustworthy: nothing that descends from it can be served either.
//!
//! ## Goals
//!
//! * A licence that forbids something cannot be lost on the way down a lineage.
//! * Royalties are agreed when a model is made: a later change of mind binds later models only.
//! * Every share list sums to the whole, so a builder's fee is always paid out completely.
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
#[cfg(any(feature = "std", feature = "try-runtime"))]
mod try_state;
mod types;
pub mod weights;

pub use pallet::*;
pub use types::{Standing, VoidCause};
pub use weights::WeightInfo;

// FRAME's macros expand to `expect`s of their own; the logic is in `functions`.
#[allow(clippy::expect_used)]
#[frame_support::pallet]
pub mod pallet {
    use crate::{
        functions::Proposal,
        types::{Standing, VoidCause},
        WeightInfo,
    };
    use alloc::vec::Vec;
    use attribution_proof::{
        bounds::MAX_LINEAGE,
        hash::Hash,
        licence::Terms,
        model::{Manifest, ModelKind, Parents},
        ruleset::Rulesets,
        split::{Builders, Parts},
        AccountId, Balance, ContentId, JobId, ModelId,
    };
    use frame_support::{
        pallet_prelude::*,
        traits::fungible::{hold, Inspect},
    };
    use frame_system::pallet_prelude::*;

    /// Most manifests in one page of [`Pallet::models`].
    pub const PAGE: u32 = 64;

    const STORAGE_VERSION: StorageVersion = StorageVersion::new(1);

    #[pallet::config]
    pub trait Config:
        frame_system::Config<AccountId = AccountId, RuntimeEvent: From<Event<Self>>>
    {
        /// The overarching hold reason.
        type RuntimeHoldReason: From<HoldReason>;

        /// The currency in which deposits are held.
        type Currency: Inspect<AccountId, Balance = Balance>
            + hold::Mutate<AccountId, Reason = Self::RuntimeHoldReason>;

        /// Where the current ruleset is looked up; a manifest keeps its number.
        type Rulesets: Rulesets;

        /// Who may void a model.
        type GovernanceOrigin: EnsureOrigin<Self::RuntimeOrigin>;

        /// Held from the owner for the storage of a manifest with weights from outside, in base units.
        ///
        /// A manifest is never removed, so the deposit stays held: it is the price of permanent
        /// storage that nevertheless leaves the money the owner's, visible in his balance. The
        /// manifest of a trained model is paid for by the training job.
        #[pallet::constant]
        type ManifestDeposit: Get<Balance>;

        /// Unanswered demands that void a model. At least one.
        #[pallet::constant]
        type MaxStrikes: Get<u32>;

        /// Weights of the calls.
        type WeightInfo: WeightInfo;
    }

    #[pallet::pallet]
    #[pallet::storage_version(STORAGE_VERSION)]
    pub struct Pallet<T>(_);

    /// Why this pallet holds money.
    #[pallet::composite_enum]
    pub enum HoldReason {
        /// Deposit for the storage of a manifest.
        #[codec(index = 0)]
        ManifestDeposit,
    }

    /// The number that the next model gets. The first is 1.
    #[pallet::storage]
    pub type NextModel<T: Config> = StorageValue<_, ModelId, ValueQuery, ConstU32<1>>;

    /// Manifests, never removed.
    // Twox64Concat: the key is a number that this pallet counts, so nobody can choose it.
    #[pallet::storage]
    pub type Manifests<T: Config> = StorageMap<_, Twox64Concat, ModelId, Manifest, OptionQuery>;

    /// Who shares the builder's fee of a model, royalties flattened. The parts sum to one billion.
    #[pallet::storage]
    pub type BuildersOf<T: Config> = StorageMap<_, Twox64Concat, ModelId, Builders, OptionQuery>;

    /// What is held from the owner of a model for its manifest. Absent for trained models.
    #[pallet::storage]
    pub type Deposits<T: Config> = StorageMap<_, Twox64Concat, ModelId, Balance, OptionQuery>;

    /// Models that their owner retired.
    #[pallet::storage]
    pub type Retired<T: Config> = StorageMap<_, Twox64Concat, ModelId, (), OptionQuery>;

    /// Models that were voided.
    #[pallet::storage]
    pub type Voided<T: Config> = StorageMap<_, Twox64Concat, ModelId, (), OptionQuery>;

    /// Unanswered demands about a model.
    #[pallet::storage]
    pub type Strikes<T: Config> = StorageMap<_, Twox64Concat, ModelId, u32, ValueQuery>;

    #[pallet::event]
    #[pallet::generate_deposit(pub(crate) fn deposit_event)]
    pub enum Event<T: Config> {
        /// A model was registered.
        Registered {
            /// The model.
            model: ModelId,
            /// Its owner.
            owner: AccountId,
            /// Its kind.
            kind: ModelKind,
            /// Its version.
            version: u32,
            /// The model that it is the next version of.
            previous: Option<ModelId>,
            /// The job that trained it; absent for weights from outside.
            job: Option<JobId>,
            /// What was held for its manifest.
            deposit: Balance,
        },
        /// The asked price of a model changed.
        PriceSet {
            /// The model.
            model: ModelId,
            /// Price per token in base units.
            price: Balance,
        },
        /// The royalty that a model asks of later models changed.
        RoyaltySet {
            /// The model.
            model: ModelId,
            /// The royalty.
            royalty: Parts,
        },
        /// The owner retired a model.
        Retired {
            /// The model.
            model: ModelId,
        },
        /// A demand about a model was not answered.
        Struck {
            /// The model.
            model: ModelId,
            /// Strikes so far.
            strikes: u32,
        },
        /// A model was voided.
        Voided {
            /// The model.
            model: ModelId,
            /// Why.
            cause: VoidCause,
        },
    }

    #[pallet::error]
    pub enum Error<T> {
        /// There is no model with this number. Numbers start at 1 and are in the `Registered` events.
        UnknownModel,
        /// Only the owner of the model may do this. Sign with the owner's account.
        NotOwner,
        /// A parent or base is not registered. Register it first.
        UnknownParent,
        /// A parent or base was retired by its owner and takes no new descendants. Choose another.
        ParentRetired,
        /// A parent or base was voided. Choose another.
        ParentVoided,
        /// The base of an adapter is itself an adapter. Name its base and list the adapter as a parent.
        BaseIsAnAdapter,
        /// The same parent is listed twice. List it once with its whole royalty.
        DuplicateParent,
        /// There is no room for the base beside the listed parents. List at most three others.
        TooManyParents,
        /// A listed royalty is less than the parent asks. Offer at least the royalty in its manifest.
        RoyaltyTooLow,
        /// A royalty is more than one billion parts, or royalties together exceed the builder's fee.
        RoyaltyTooHigh,
        /// More accounts would share the builder's fee than a list holds. Build on fewer parents.
        TooManyBuilders,
        /// A parent's terms forbid derivatives. Nothing can be built on it.
        LicenceForbidsDerivatives,
        /// The inherited terms forbid commercial use. Set price and price floor to zero.
        LicenceForbidsCommercialUse,
        /// The price is under the price floor. Raise the price, or lower the floor at registration.
        PriceUnderFloor,
        /// The model named as the previous version is not registered.
        UnknownPrevious,
        /// The model named as the previous version belongs to somebody else.
        NotOwnerOfPrevious,
        /// A base can only follow a base, and an adapter an adapter.
        PreviousOfAnotherKind,
        /// The model is retired already.
        AlreadyRetired,
        /// The model is voided: its owner can no longer change it, and it cannot be voided twice.
        AlreadyVoided,
        /// No number is left for another model or version.
        OutOfNumbers,
    }

    #[pallet::hooks]
    impl<T: Config> Hooks<BlockNumberFor<T>> for Pallet<T> {
        fn integrity_test() {
            assert!(
                T::MaxStrikes::get() > 0,
                "MaxStrikes of zero would void every model at once"
            );
        }

        #[cfg(feature = "try-runtime")]
        fn try_state(_now: BlockNumberFor<T>) -> Result<(), sp_runtime::TryRuntimeError> {
            Self::do_try_state()
        }
    }

    #[pallet::call]
    impl<T: Config> Pallet<T> {
        /// Registers a model whose weights come from outside this chain.
        ///
        /// ## Dispatch Origin
        ///
        /// Signed; the sender becomes the owner.
        ///
        /// ## Details
        ///
        /// `terms` are the declared terms of the weights; the manifest stores what remains of them
        /// after meeting the terms of all parents. The base of an adapter becomes a parent with the
        /// royalty it asks, unless it is listed with at least that. `previous` makes this the next
        /// version of one of the sender's models. [`Config::ManifestDeposit`] is held.
        ///
        /// ## Events
        ///
        /// [`Event::Registered`].
        #[pallet::call_index(0)]
        #[pallet::weight(T::WeightInfo::register())]
        pub fn register(
            origin: OriginFor<T>,
            kind: ModelKind,
            artifact: ContentId,
            architecture: Hash,
            tokenizer: Hash,
            parents: Parents,
            terms: Terms,
            royalty: Parts,
            price: Balance,
            price_floor: Balance,
            previous: Option<ModelId>,
        ) -> DispatchResult {
            let owner = ensure_signed(origin)?;
            let proposal = Proposal {
                owner: &owner,
                kind,
                previous,
                royalty,
                price,
                price_floor,
            };
            Self::do_register(&proposal, parents, terms, artifact, architecture, tokenizer)
        }

        /// Changes the asked price per token.
        ///
        /// ## Dispatch Origin
        ///
        /// Signed by the owner.
        ///
        /// ## Details
        ///
        /// Not below the price floor, which is immutable: receipts are judged by it. A price over
        /// zero needs commercial terms.
        ///
        /// ## Events
        ///
        /// [`Event::PriceSet`].
        #[pallet::call_index(1)]
        #[pallet::weight(T::WeightInfo::set_price())]
        pub fn set_price(origin: OriginFor<T>, model: ModelId, price: Balance) -> DispatchResult {
            let who = ensure_signed(origin)?;
            Self::change(&who, model, |manifest| {
                ensure!(price >= manifest.price_floor, Error::<T>::PriceUnderFloor);
                ensure!(
                    price == 0 || manifest.terms.commercial,
                    Error::<T>::LicenceForbidsCommercialUse
                );
                manifest.price = price;
                Ok(())
            })?;
            Self::deposit_event(Event::PriceSet { model, price });
            Ok(())
        }

        /// Changes the royalty that the model asks of later models.
        ///
        /// ## Dispatch Origin
        ///
        /// Signed by the owner.
        ///
        /// ## Details
        ///
        /// Models and jobs that exist keep the royalty that they agreed to.
        ///
        /// ## Events
        ///
        /// [`Event::RoyaltySet`].
        #[pallet::call_index(2)]
        #[pallet::weight(T::WeightInfo::set_royalty())]
        pub fn set_royalty(origin: OriginFor<T>, model: ModelId, royalty: Parts) -> DispatchResult {
            let who = ensure_signed(origin)?;
            ensure!(
                royalty <= attribution_proof::split::BILLION,
                Error::<T>::RoyaltyTooHigh
            );
            Self::change(&who, model, |manifest| {
                manifest.royalty = royalty;
                Ok(())
            })?;
            Self::deposit_event(Event::RoyaltySet { model, royalty });
            Ok(())
        }

        /// Retires a model: no new jobs, channels or descendants. Receipts stay valid.
        ///
        /// ## Dispatch Origin
        ///
        /// Signed by the owner.
        ///
        /// ## Events
        ///
        /// [`Event::Retired`].
        #[pallet::call_index(3)]
        #[pallet::weight(T::WeightInfo::retire())]
        pub fn retire(origin: OriginFor<T>, model: ModelId) -> DispatchResult {
            let who = ensure_signed(origin)?;
            let manifest = Manifests::<T>::get(model).ok_or(Error::<T>::UnknownModel)?;
            ensure!(manifest.owner == who, Error::<T>::NotOwner);
            ensure!(!Voided::<T>::contains_key(model), Error::<T>::AlreadyVoided);
            ensure!(
                !Retired::<T>::contains_key(model),
                Error::<T>::AlreadyRetired
            );
            Retired::<T>::insert(model, ());
            Self::deposit_event(Event::Retired { model });
            Ok(())
        }

        /// Voids a model: neither it nor an adapter over it can be served any more.
        ///
        /// ## Dispatch Origin
        ///
        /// [`Config::GovernanceOrigin`].
        ///
        /// ## Events
        ///
        /// [`Event::Voided`].
        #[pallet::call_index(4)]
        #[pallet::weight(T::WeightInfo::void())]
        pub fn void(origin: OriginFor<T>, model: ModelId) -> DispatchResult {
            T::GovernanceOrigin::ensure_origin(origin)?;
            ensure!(
                Manifests::<T>::contains_key(model),
                Error::<T>::UnknownModel
            );
            ensure!(!Voided::<T>::contains_key(model), Error::<T>::AlreadyVoided);
            Self::do_void(model, VoidCause::Governance);
            Ok(())
        }
    }

    #[pallet::view_functions]
    impl<T: Config> Pallet<T> {
        /// The manifest of a model.
        pub fn manifest(model: ModelId) -> Option<Manifest> {
            Manifests::<T>::get(model)
        }

        /// Who shares the builder's fee of a model, in parts per billion.
        pub fn builders(model: ModelId) -> Option<Builders> {
            BuildersOf::<T>::get(model)
        }

        /// The model and then its base: whose indexes an answer of this model addresses. Empty for an
        /// unknown model.
        pub fn lineage(model: ModelId) -> BoundedVec<ModelId, ConstU32<MAX_LINEAGE>> {
            Self::lineage_of(model)
        }

        /// Whether the model may be sold by the token: live, its base not voided, and its terms
        /// commercial.
        pub fn is_servable(model: ModelId) -> bool {
            Self::may_be_served(model)
        }

        /// Live, retired or voided, and with how many strikes.
        pub fn standing(model: ModelId) -> Option<(Standing, u32)> {
            Self::standing_of(model).map(|standing| (standing, Strikes::<T>::get(model)))
        }

        /// Up to `limit` manifests from number `start`, at most [`PAGE`]. Numbers have no gaps.
        pub fn models(start: ModelId, limit: u32) -> Vec<(ModelId, Manifest)> {
            let end = start
                .saturating_add(limit.min(PAGE))
                .min(NextModel::<T>::get());
            (start..end)
                .filter_map(|model| Some((model, Manifests::<T>::get(model)?)))
                .collect()
        }
    }
}
