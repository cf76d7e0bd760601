//! The rules of registration, and what other pallets ask.

use crate::{
    pallet::{
        BuildersOf, Config, Deposits, Error, Event, HoldReason, Manifests, NextModel, Pallet,
        Retired, Strikes, Voided,
    },
    types::{Standing, VoidCause},
};
use alloc::vec::Vec;
use attribution_proof::{
    bounds::MAX_LINEAGE,
    hash::Hash,
    licence::Terms,
    model::{Manifest, ModelKind, Parent, Parents, Training},
    ruleset::Rulesets,
    split::{flatten_royalties, Builders, Parts, BILLION},
    AccountId, Balance, ContentId, ModelId, RulesetId,
};
use frame_support::{
    ensure,
    traits::{fungible::MutateHold, ConstU32, Get},
    BoundedVec,
};
use sp_runtime::{DispatchError, DispatchResult};

/// What an owner asks for, whether the weights come from outside or from a job.
pub(crate) struct Proposal<'a> {
    pub(crate) owner: &'a AccountId,
    pub(crate) kind: ModelKind,
    pub(crate) previous: Option<ModelId>,
    pub(crate) royalty: Parts,
    pub(crate) price: Balance,
    pub(crate) price_floor: Balance,
}

/// When the parents agreed to their royalties and to being built on.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Agreement {
    /// In this call: they must be live and get what they ask now.
    Now,
    /// When a job was requested: a parent that was retired or raised its royalty since is bound by
    /// what it agreed to, or it could make finished work worthless.
    Earlier,
}

/// What follows from a proposal.
struct Inheritance {
    version: u32,
    parents: Parents,
    terms: Terms,
    builders: Builders,
}

impl<T: Config> Pallet<T> {
    /// Checks what a training job would register, before anybody works for it: version, base, price
    /// and royalties. Answers with the terms inherited from the base (the terms of the inputs are
    /// still to be met with them) and the parents with the royalties agreed by this.
    ///
    /// [`Self::register_trained`] with the same arguments, these parents, and terms that are
    /// commercial where the price is not zero fails later only if a parent is voided meanwhile.
    pub fn quote_training(
        owner: &AccountId,
        kind: ModelKind,
        previous: Option<ModelId>,
        royalty: Parts,
        price: Balance,
        price_floor: Balance,
    ) -> Result<(Terms, Parents), DispatchError> {
        let proposal = Proposal {
            owner,
            kind,
            previous,
            royalty,
            price,
            price_floor,
        };
        let inheritance =
            Self::inherit(&proposal, Parents::default(), Terms::FREE, Agreement::Now)?;
        Ok((inheritance.terms, inheritance.parents))
    }

    /// Registers the result of a training job. `parents` are those that [`Self::quote_training`]
    /// answered when the job was requested, `terms` those of the inputs. No deposit is taken: the
    /// job has paid. Nothing is stored when it fails.
    pub fn register_trained(
        owner: &AccountId,
        kind: ModelKind,
        previous: Option<ModelId>,
        royalty: Parts,
        price: Balance,
        price_floor: Balance,
        parents: Parents,
        terms: Terms,
        ruleset: RulesetId,
        training: Training,
    ) -> Result<ModelId, DispatchError> {
        let proposal = Proposal {
            owner,
            kind,
            previous,
            royalty,
            price,
            price_floor,
        };
        let inheritance = Self::inherit(&proposal, parents, terms, Agreement::Earlier)?;
        let (artifact, architecture, tokenizer) = (
            training.result.artifact,
            training.result.architecture,
            training.result.tokenizer,
        );
        Self::insert(
            &proposal,
            inheritance,
            artifact,
            architecture,
            tokenizer,
            ruleset,
            Some(training),
            0,
        )
    }

    /// Counts an unanswered demand about a model; the last allowed one voids it. An unknown or voided
    /// model is left as it is.
    pub fn strike(model: ModelId) {
        if !matches!(
            Self::standing_of(model),
            Some(Standing::Live | Standing::Retired)
        ) {
            return;
        }
        let strikes = Strikes::<T>::mutate(model, |strikes| {
            *strikes = strikes.saturating_add(1);
            *strikes
        });
        Self::deposit_event(Event::Struck { model, strikes });
        if strikes >= T::MaxStrikes::get() {
            Self::do_void(model, VoidCause::Strikes);
        }
    }

    pub(crate) fn standing_of(model: ModelId) -> Option<Standing> {
        if !Manifests::<T>::contains_key(model) {
            None
        } else if Voided::<T>::contains_key(model) {
            Some(Standing::Voided)
        } else if Retired::<T>::contains_key(model) {
            Some(Standing::Retired)
        } else {
            Some(Standing::Live)
        }
    }

    pub(crate) fn lineage_of(model: ModelId) -> BoundedVec<ModelId, ConstU32<MAX_LINEAGE>> {
        let base = match Manifests::<T>::get(model).map(|manifest| manifest.kind) {
            None => return BoundedVec::new(),
            Some(ModelKind::Base) => None,
            Some(ModelKind::Adapter { base }) => Some(base),
        };
        BoundedVec::truncate_from(core::iter::once(model).chain(base).collect())
    }

    pub(crate) fn may_be_served(model: ModelId) -> bool {
        let Some(manifest) = Manifests::<T>::get(model) else {
            return false;
        };
        let base_stands = match manifest.kind {
            ModelKind::Base => true,
            ModelKind::Adapter { base } => !Voided::<T>::contains_key(base),
        };
        manifest.terms.commercial && base_stands && Self::standing_of(model) == Some(Standing::Live)
    }

    pub(crate) fn do_register(
        proposal: &Proposal<'_>,
        parents: Parents,
        terms: Terms,
        artifact: ContentId,
        architecture: Hash,
        tokenizer: Hash,
    ) -> DispatchResult {
        let inheritance = Self::inherit(proposal, parents, terms, Agreement::Now)?;
        let deposit = T::ManifestDeposit::get();
        T::Currency::hold(&HoldReason::ManifestDeposit.into(), proposal.owner, deposit)?;
        Self::insert(
            proposal,
            inheritance,
            artifact,
            architecture,
            tokenizer,
            T::Rulesets::current().0,
            None,
            deposit,
        )?;
        Ok(())
    }

    pub(crate) fn do_void(model: ModelId, cause: VoidCause) {
        Voided::<T>::insert(model, ());
        Self::deposit_event(Event::Voided { model, cause });
    }

    /// Applies an owner's `change` to a manifest that is not voided.
    pub(crate) fn change(
        who: &AccountId,
        model: ModelId,
        change: impl FnOnce(&mut Manifest) -> DispatchResult,
    ) -> DispatchResult {
        Manifests::<T>::try_mutate(model, |manifest| {
            let manifest = manifest.as_mut().ok_or(Error::<T>::UnknownModel)?;
            ensure!(manifest.owner == *who, Error::<T>::NotOwner);
            ensure!(!Voided::<T>::contains_key(model), Error::<T>::AlreadyVoided);
            change(manifest)
        })
    }

    /// Works out version, parents, terms and builders, or says what is wrong with the proposal.
    fn inherit(
        proposal: &Proposal<'_>,
        listed: Parents,
        declared: Terms,
        agreement: Agreement,
    ) -> Result<Inheritance, DispatchError> {
        ensure!(proposal.royalty <= BILLION, Error::<T>::RoyaltyTooHigh);
        ensure!(
            proposal.price >= proposal.price_floor,
            Error::<T>::PriceUnderFloor
        );
        let version = Self::next_version(proposal)?;
        let parents = Self::with_base(proposal.kind, listed)?;

        let mut terms = declared;
        let mut royalties: Parts = 0;
        let mut shares: Vec<(Parts, Builders)> = Vec::with_capacity(parents.len());
        for (position, parent) in parents.iter().enumerate() {
            ensure!(
                !parents
                    .iter()
                    .skip(position.saturating_add(1))
                    .any(|p| p.model == parent.model),
                Error::<T>::DuplicateParent
            );
            let manifest = Manifests::<T>::get(parent.model).ok_or(Error::<T>::UnknownParent)?;
            let builders = BuildersOf::<T>::get(parent.model).ok_or(Error::<T>::UnknownParent)?;
            ensure!(
                !Voided::<T>::contains_key(parent.model),
                Error::<T>::ParentVoided
            );
            if agreement == Agreement::Now {
                ensure!(
                    !Retired::<T>::contains_key(parent.model),
                    Error::<T>::ParentRetired
                );
                ensure!(
                    parent.royalty >= manifest.royalty,
                    Error::<T>::RoyaltyTooLow
                );
            }
            ensure!(
                manifest.terms.derivatives,
                Error::<T>::LicenceForbidsDerivatives
            );
            terms = terms.meet(manifest.terms);
            royalties = royalties
                .checked_add(parent.royalty)
                .filter(|sum| *sum <= BILLION)
                .ok_or(Error::<T>::RoyaltyTooHigh)?;
            shares.push((parent.royalty, builders));
        }
        ensure!(
            proposal.price == 0 || terms.commercial,
            Error::<T>::LicenceForbidsCommercialUse
        );
        let shares: Vec<_> = shares
            .iter()
            .map(|(royalty, list)| (*royalty, list))
            .collect();
        let builders =
            flatten_royalties(proposal.owner, &shares).ok_or(Error::<T>::TooManyBuilders)?;
        Ok(Inheritance {
            version,
            parents,
            terms,
            builders,
        })
    }

    fn next_version(proposal: &Proposal<'_>) -> Result<u32, DispatchError> {
        let Some(previous) = proposal.previous else {
            return Ok(1);
        };
        let manifest = Manifests::<T>::get(previous).ok_or(Error::<T>::UnknownPrevious)?;
        ensure!(
            manifest.owner == *proposal.owner,
            Error::<T>::NotOwnerOfPrevious
        );
        ensure!(
            matches!(manifest.kind, ModelKind::Base) == matches!(proposal.kind, ModelKind::Base),
            Error::<T>::PreviousOfAnotherKind
        );
        Ok(manifest
            .version
            .checked_add(1)
            .ok_or(Error::<T>::OutOfNumbers)?)
    }

    /// The listed parents and the base, which joins with the royalty that it asks if it is missing.
    fn with_base(kind: ModelKind, mut parents: Parents) -> Result<Parents, DispatchError> {
        let ModelKind::Adapter { base } = kind else {
            return Ok(parents);
        };
        let manifest = Manifests::<T>::get(base).ok_or(Error::<T>::UnknownParent)?;
        ensure!(
            matches!(manifest.kind, ModelKind::Base),
            Error::<T>::BaseIsAnAdapter
        );
        if !parents.iter().any(|parent| parent.model == base) {
            parents
                .try_push(Parent {
                    model: base,
                    royalty: manifest.royalty,
                })
                .map_err(|_| Error::<T>::TooManyParents)?;
        }
        Ok(parents)
    }

    fn insert(
        proposal: &Proposal<'_>,
        inheritance: Inheritance,
        artifact: ContentId,
        architecture: Hash,
        tokenizer: Hash,
        ruleset: RulesetId,
        training: Option<Training>,
        deposit: Balance,
    ) -> Result<ModelId, DispatchError> {
        let model = NextModel::<T>::get();
        let next = model.checked_add(1).ok_or(Error::<T>::OutOfNumbers)?;
        let job = training.as_ref().map(|training| training.job);
        let Inheritance {
            version,
            parents,
            terms,
            builders,
        } = inheritance;
        Manifests::<T>::insert(
            model,
            Manifest {
                owner: proposal.owner.clone(),
                kind: proposal.kind,
                version,
                previous: proposal.previous,
                artifact,
                architecture,
                tokenizer,
                parents,
                royalty: proposal.royalty,
                terms,
                price: proposal.price,
                price_floor: proposal.price_floor,
                ruleset,
                training,
            },
        );
        BuildersOf::<T>::insert(model, builders);
        if deposit > 0 {
            Deposits::<T>::insert(model, deposit);
        }
        NextModel::<T>::put(next);
        Self::deposit_event(Event::Registered {
            model,
            owner: proposal.owner.clone(),
            kind: proposal.kind,
            version,
            previous: proposal.previous,
            job,
            deposit,
        });
        Ok(model)
    }
}
