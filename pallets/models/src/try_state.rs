//! Invariants of the models pallet.

use crate::pallet::{
    BuildersOf, Config, Deposits, HoldReason, Manifests, NextModel, Pallet, Retired, Strikes,
    Voided,
};
use alloc::collections::BTreeMap;
use attribution_proof::{model::ModelKind, split::BILLION, AccountId, Balance};
use frame_support::{
    ensure,
    traits::{fungible::InspectHold, Get},
};
use sp_runtime::TryRuntimeError;

impl<T: Config> Pallet<T> {
    /// Checks all invariants. They hold before and after every call.
    pub fn do_try_state() -> Result<(), TryRuntimeError> {
        Self::try_state_manifests()?;
        Self::try_state_standing()?;
        Self::try_state_deposits()
    }

    /// 1. Model numbers run from 1 to just under `NextModel` without gaps.
    /// 2. Every model has builders, none of them with nothing, whose parts sum to one billion.
    /// 3. The base of an adapter is an earlier base and one of its parents; parents are earlier models.
    /// 4. A model's permissions are within those of each parent, and its obligations include theirs.
    /// 5. The price is not under the floor, and zero where the terms are not commercial.
    /// 6. A next version has the same owner and the next number.
    fn try_state_manifests() -> Result<(), TryRuntimeError> {
        let next = NextModel::<T>::get();
        ensure!(
            Manifests::<T>::iter_keys().count() as u32 == next.saturating_sub(1)
                && Manifests::<T>::iter_keys().all(|model| (1..next).contains(&model)),
            "1: model numbers have gaps"
        );
        ensure!(
            BuildersOf::<T>::iter_keys().count() as u32 == next.saturating_sub(1),
            "2: a model has no builders, or builders have no model"
        );
        for (model, manifest) in Manifests::<T>::iter() {
            let builders = BuildersOf::<T>::get(model).ok_or("2: a model has no builders")?;
            ensure!(
                builders
                    .iter()
                    .map(|(_, parts)| u64::from(*parts))
                    .sum::<u64>()
                    == u64::from(BILLION)
                    && builders.iter().all(|(_, parts)| *parts > 0),
                "2: builders do not share the whole"
            );
            if let ModelKind::Adapter { base } = manifest.kind {
                ensure!(
                    manifest.parents.iter().any(|parent| parent.model == base)
                        && Manifests::<T>::get(base)
                            .is_some_and(|base| base.kind == ModelKind::Base),
                    "3: an adapter's base is not a base or not a parent"
                );
            }
            for parent in &manifest.parents {
                ensure!(parent.model < model, "3: a parent is not an earlier model");
                let parent = Manifests::<T>::get(parent.model).ok_or("3: unknown parent")?;
                ensure!(
                    parent.terms.derivatives && manifest.terms.meet(parent.terms) == manifest.terms,
                    "4: a model's terms are wider than a parent's"
                );
            }
            ensure!(
                manifest.price >= manifest.price_floor
                    && (manifest.price == 0 || manifest.terms.commercial),
                "5: price under the floor or without commercial terms"
            );
            match manifest.previous {
                None => ensure!(manifest.version == 1, "6: a first version is not 1"),
                Some(previous) => {
                    let previous = Manifests::<T>::get(previous).ok_or("6: unknown previous")?;
                    ensure!(
                        previous.owner == manifest.owner
                            && previous.version.checked_add(1) == Some(manifest.version),
                        "6: a version does not follow its previous one"
                    );
                }
            }
        }
        Ok(())
    }

    /// 7. Only registered models are retired, voided or struck.
    /// 8. A model with [`Config::MaxStrikes`] strikes is voided.
    fn try_state_standing() -> Result<(), TryRuntimeError> {
        ensure!(
            Retired::<T>::iter_keys()
                .chain(Voided::<T>::iter_keys())
                .chain(Strikes::<T>::iter_keys())
                .all(Manifests::<T>::contains_key),
            "7: an unknown model is retired, voided or struck"
        );
        ensure!(
            Strikes::<T>::iter().all(|(model, strikes)| {
                strikes < T::MaxStrikes::get() || Voided::<T>::contains_key(model)
            }),
            "8: a model with all strikes stands"
        );
        Ok(())
    }

    /// 9. What is held from an account for manifests is the sum of its models' deposits.
    /// 10. A trained model has no deposit.
    fn try_state_deposits() -> Result<(), TryRuntimeError> {
        let mut books: BTreeMap<AccountId, Balance> = BTreeMap::new();
        for (model, deposit) in Deposits::<T>::iter() {
            let manifest = Manifests::<T>::get(model).ok_or("9: deposit for an unknown model")?;
            ensure!(
                manifest.training.is_none(),
                "10: a trained model has a deposit"
            );
            let sum = books.entry(manifest.owner).or_default();
            *sum = sum.saturating_add(deposit);
        }
        for (owner, deposit) in books {
            ensure!(
                T::Currency::balance_on_hold(&HoldReason::ManifestDeposit.into(), &owner)
                    == deposit,
                "9: held deposits differ from the books"
            );
        }
        Ok(())
    }
}
