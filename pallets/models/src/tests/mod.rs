//! One module per call and per function that other pallets use, and the conservation law.

use crate::{
    mock::*, BuildersOf, Deposits, Error, Event, HoldReason, Manifests, NextModel, Standing,
    VoidCause,
};
use attribution_proof::{
    contribution::Snapshot,
    hash::Hash,
    influence::{IndexSpec, InfluenceMethod},
    licence::Terms,
    merkle::Commitment,
    model::{Committed, Inputs, ModelKind, Parent, Parents, Training, TrainingResult},
    split::{Parts, BILLION},
    AccountId, Balance, JobId, ModelId,
};
use frame_support::{assert_noop, assert_ok, traits::fungible::InspectHold};
use sp_runtime::{DispatchError, DispatchResult, TokenError};

mod change;
mod conservation;
mod quote_and_register_trained;
mod register;
mod retire_and_void;
mod views;

/// What a test registers, with sensible defaults.
#[derive(Clone)]
struct Registration {
    owner: AccountId,
    kind: ModelKind,
    parents: Vec<(ModelId, Parts)>,
    terms: Terms,
    royalty: Parts,
    price: Balance,
    price_floor: Balance,
    previous: Option<ModelId>,
}

impl Registration {
    fn base(owner: u8) -> Self {
        Self {
            owner: account(owner),
            kind: ModelKind::Base,
            parents: Vec::new(),
            terms: Terms::FREE,
            royalty: 100_000_000,
            price: 5,
            price_floor: 3,
            previous: None,
        }
    }

    fn adapter(owner: u8, base: ModelId) -> Self {
        Self {
            kind: ModelKind::Adapter { base },
            ..Self::base(owner)
        }
    }

    fn call(&self) -> DispatchResult {
        Models::register(
            RuntimeOrigin::signed(self.owner.clone()),
            self.kind,
            [1; 32],
            Hash::repeat_byte(2),
            Hash::repeat_byte(3),
            parents(&self.parents),
            self.terms,
            self.royalty,
            self.price,
            self.price_floor,
            self.previous,
        )
    }

    fn register(&self) -> ModelId {
        let model = NextModel::<Test>::get();
        assert_ok!(self.call());
        model
    }
}

fn parents(list: &[(ModelId, Parts)]) -> Parents {
    list.iter()
        .map(|(model, royalty)| Parent {
            model: *model,
            royalty: *royalty,
        })
        .collect::<Vec<_>>()
        .try_into()
        .unwrap()
}

fn held(owner: u8) -> Balance {
    Balances::balance_on_hold(&HoldReason::ManifestDeposit.into(), &account(owner))
}

fn training(job: JobId) -> Training {
    let committed = Committed {
        commitment: Commitment {
            root: Hash::repeat_byte(9),
            count: 4,
        },
        content: [8; 32],
    };
    Training {
        job,
        inputs: Inputs::truncate_from(vec![Snapshot {
            datanet: 1,
            length: 2,
            head: Hash::repeat_byte(7),
            records: 4,
        }]),
        taken_at: 5,
        operator: account(30),
        result: TrainingResult {
            artifact: [4; 32],
            architecture: Hash::repeat_byte(5),
            tokenizer: Hash::repeat_byte(6),
            transcript: committed,
            index: committed,
            spec: IndexSpec {
                version: 1,
                dimension: 8,
                scale_cap: 100,
                norm_minimum: 1,
                norm_maximum: 1_000_000,
                method: InfluenceMethod::DampedGaussNewton,
                projection_seed: Hash::zero(),
                preconditioner: Hash::zero(),
            },
            loss_before: 2_000_000,
            loss_after: 1_000_000,
        },
    }
}

#[test]
fn success_mock_ruleset_is_valid() {
    assert_eq!(RULESET.validate(), Ok(()));
}
