//! Benchmarks of every call at its worst.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::arithmetic_side_effects
)]

use crate::pallet::{
    BuildersOf, Call, Config, Deposits, Manifests, NextModel, Pallet, Retired, Voided,
};
use alloc::vec::Vec;
use attribution_proof::{
    bounds::{MAX_BUILDERS, MAX_INPUTS},
    contribution::Snapshot,
    hash::Hash,
    influence::{IndexSpec, InfluenceMethod},
    licence::Terms,
    merkle::Commitment,
    model::{
        Committed, Inputs, Manifest, ModelKind, Parent, Parents, Training, TrainingResult,
        MAX_PARENTS,
    },
    split::{Builders, Parts, BILLION},
    AccountId, ModelId,
};
use frame_benchmarking::v2::*;
use frame_support::traits::{
    fungible::{Inspect, Unbalanced},
    tokens::Precision,
    EnsureOrigin, Get,
};
use frame_system::RawOrigin;

fn rich<T: Config>() -> AccountId {
    let who: AccountId = whitelisted_caller();
    let money = T::ManifestDeposit::get() + T::Currency::minimum_balance() * 1_000;
    T::Currency::increase_balance(&who, money, Precision::Exact).expect("the sum fits");
    who
}

/// A manifest of the greatest encoded size that a parent can have.
fn manifest(owner: &AccountId, training: bool) -> Manifest {
    let committed = Committed {
        commitment: Commitment {
            root: Hash::repeat_byte(1),
            count: 1,
        },
        content: [1; 32],
    };
    let snapshot = Snapshot {
        datanet: 1,
        length: 1,
        head: Hash::repeat_byte(1),
        records: 1,
    };
    Manifest {
        owner: owner.clone(),
        kind: ModelKind::Base,
        version: 1,
        previous: None,
        artifact: [1; 32],
        architecture: Hash::repeat_byte(1),
        tokenizer: Hash::repeat_byte(1),
        parents: Parents::default(),
        royalty: 0,
        terms: Terms::FREE,
        price: 1,
        price_floor: 0,
        ruleset: 0,
        training: training.then(|| Training {
            job: 1,
            inputs: Inputs::truncate_from(alloc::vec![snapshot; MAX_INPUTS as usize]),
            taken_at: 1,
            operator: owner.clone(),
            result: TrainingResult {
                artifact: [1; 32],
                architecture: Hash::repeat_byte(1),
                tokenizer: Hash::repeat_byte(1),
                transcript: committed,
                index: committed,
                spec: IndexSpec {
                    version: 1,
                    dimension: 1_024,
                    scale_cap: 1,
                    norm_minimum: 1,
                    norm_maximum: 1,
                    method: InfluenceMethod::DampedGaussNewton,
                    projection_seed: Hash::zero(),
                    preconditioner: Hash::zero(),
                },
                loss_before: 1,
                loss_after: 1,
            },
        }),
    }
}

/// Registers a trained base of `owner` whose fee is shared by `builders`, past all checks.
fn insert<T: Config>(owner: &AccountId, builders: Vec<AccountId>) -> ModelId {
    let model = NextModel::<T>::get();
    let share = BILLION / u32::try_from(builders.len()).expect("few");
    let shares: Vec<(AccountId, Parts)> = builders
        .into_iter()
        .map(|builder| (builder, share))
        .collect();
    Manifests::<T>::insert(model, manifest(owner, true));
    BuildersOf::<T>::insert(model, Builders::truncate_from(shares));
    NextModel::<T>::put(model + 1);
    model
}

#[benchmarks]
mod benchmarks {
    use super::*;

    #[benchmark]
    fn register() {
        let owner = rich::<T>();
        let previous_base = insert::<T>(&owner, alloc::vec![owner.clone()]);
        let previous = NextModel::<T>::get();
        Manifests::<T>::insert(
            previous,
            Manifest {
                kind: ModelKind::Adapter {
                    base: previous_base,
                },
                ..manifest(&owner, true)
            },
        );
        NextModel::<T>::put(previous + 1);

        // As many parents as fit, whose builders with the owner fill the list.
        let per_parent = (MAX_BUILDERS - 1) / MAX_PARENTS;
        let all: Vec<ModelId> = (0..MAX_PARENTS)
            .map(|parent| {
                let builders = (0..per_parent)
                    .map(|builder| account("builder", parent * per_parent + builder, 0))
                    .collect();
                insert::<T>(&owner, builders)
            })
            .collect();
        let (base, listed) = all.split_first().expect("there are parents");
        let listed: Vec<Parent> = listed
            .iter()
            .map(|model| Parent {
                model: *model,
                royalty: BILLION / 10,
            })
            .collect();
        let parents = Parents::truncate_from(listed);
        let model = NextModel::<T>::get();

        #[extrinsic_call]
        _(
            RawOrigin::Signed(owner),
            ModelKind::Adapter { base: *base },
            [2; 32],
            Hash::repeat_byte(2),
            Hash::repeat_byte(2),
            parents,
            Terms::FREE,
            BILLION,
            1,
            0,
            Some(previous),
        );

        assert!(Manifests::<T>::contains_key(model));
        assert_eq!(Deposits::<T>::get(model), Some(T::ManifestDeposit::get()));
    }

    #[benchmark]
    fn set_price() {
        let owner: AccountId = whitelisted_caller();
        let model = insert::<T>(&owner, alloc::vec![owner.clone()]);

        #[extrinsic_call]
        _(RawOrigin::Signed(owner), model, 77);

        assert_eq!(
            Manifests::<T>::get(model).map(|manifest| manifest.price),
            Some(77)
        );
    }

    #[benchmark]
    fn set_royalty() {
        let owner: AccountId = whitelisted_caller();
        let model = insert::<T>(&owner, alloc::vec![owner.clone()]);

        #[extrinsic_call]
        _(RawOrigin::Signed(owner), model, 77);

        assert_eq!(
            Manifests::<T>::get(model).map(|manifest| manifest.royalty),
            Some(77)
        );
    }

    #[benchmark]
    fn retire() {
        let owner: AccountId = whitelisted_caller();
        let model = insert::<T>(&owner, alloc::vec![owner.clone()]);

        #[extrinsic_call]
        _(RawOrigin::Signed(owner), model);

        assert!(Retired::<T>::contains_key(model));
    }

    #[benchmark]
    fn void() {
        let owner: AccountId = whitelisted_caller();
        let model = insert::<T>(&owner, alloc::vec![owner.clone()]);
        let origin = T::GovernanceOrigin::try_successful_origin().expect("governance can void");

        #[extrinsic_call]
        _(origin as T::RuntimeOrigin, model);

        assert!(Voided::<T>::contains_key(model));
    }

    impl_benchmark_test_suite!(Pallet, crate::mock::new_test_ext(), crate::mock::Test);
}
