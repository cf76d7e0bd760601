use super::*;
use proptest::prelude::*;

#[derive(Clone, Debug)]
enum Operation {
    Register {
        owner: u8,
        over: Option<u32>,
        parents: Vec<(u32, Parts)>,
        terms: u8,
        royalty: Parts,
        price: Balance,
        previous: Option<u32>,
        trained: bool,
    },
    SetPrice(u8, u32, Balance),
    SetRoyalty(u8, u32, Parts),
    Retire(u8, u32),
    Void(u32),
    Strike(u32),
}

fn operation() -> impl Strategy<Value = Operation> {
    let model = 1u32..12;
    let owner = 1u8..5;
    let royalty = prop_oneof![Just(0), Just(BILLION), 0..BILLION / 4];
    let register = (
        owner.clone(),
        prop::option::of(model.clone()),
        prop::collection::vec((model.clone(), royalty.clone()), 0..3),
        0u8..16,
        royalty.clone(),
        0u128..4,
        prop::option::of(model.clone()),
        any::<bool>(),
    )
        .prop_map(
            |(owner, over, parents, terms, royalty, price, previous, trained)| {
                Operation::Register {
                    owner,
                    over,
                    parents,
                    terms,
                    royalty,
                    price,
                    previous,
                    trained,
                }
            },
        );
    prop_oneof![
        6 => register,
        1 => (owner.clone(), model.clone(), 0u128..4)
            .prop_map(|(who, model, price)| Operation::SetPrice(who, model, price)),
        1 => (owner.clone(), model.clone(), royalty)
            .prop_map(|(who, model, royalty)| Operation::SetRoyalty(who, model, royalty)),
        1 => (owner, model.clone()).prop_map(|(who, model)| Operation::Retire(who, model)),
        1 => model.clone().prop_map(Operation::Void),
        1 => model.prop_map(Operation::Strike),
    ]
}

/// Most terms allow derivatives, so that lineages get deep.
fn terms(bits: u8) -> Terms {
    Terms {
        derivatives: bits != 0,
        commercial: bits & 1 == 1 || bits & 2 == 2,
        share_alike: bits & 4 == 4,
        attribution: bits & 8 == 8,
    }
}

fn apply(operation: Operation) {
    // Most of these fail on most states; whether they do is for the tests of the calls to say.
    let _ = frame_support::storage::with_storage_layer(|| match operation {
        Operation::Register {
            owner,
            over,
            parents: list,
            terms: bits,
            royalty,
            price,
            previous,
            trained,
        } => {
            let kind = over.map_or(ModelKind::Base, |base| ModelKind::Adapter { base });
            if trained {
                let (_, agreed) = Models::quote_training(
                    &account(owner),
                    kind,
                    previous,
                    royalty,
                    price,
                    price / 2,
                )?;
                Models::register_trained(
                    &account(owner),
                    kind,
                    previous,
                    royalty,
                    price,
                    price / 2,
                    agreed,
                    terms(bits),
                    0,
                    training(1),
                )
                .map(|_| ())
            } else {
                Registration {
                    owner: account(owner),
                    kind,
                    parents: list,
                    terms: terms(bits),
                    royalty,
                    price,
                    price_floor: price / 2,
                    previous,
                }
                .call()
            }
        }
        Operation::SetPrice(who, model, price) => {
            Models::set_price(RuntimeOrigin::signed(account(who)), model, price)
        }
        Operation::SetRoyalty(who, model, royalty) => {
            Models::set_royalty(RuntimeOrigin::signed(account(who)), model, royalty)
        }
        Operation::Retire(who, model) => Models::retire(RuntimeOrigin::signed(account(who)), model),
        Operation::Void(model) => Models::void(RuntimeOrigin::root(), model),
        Operation::Strike(model) => {
            Models::strike(model);
            Ok(())
        }
    });
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..Default::default() })]

    /// Holds agree with the books, shares with the whole and issuance with itself after any
    /// sequence of operations.
    #[test]
    fn success_books_agree_after_any_operations(
        operations in prop::collection::vec(operation(), 1..40),
    ) {
        run(|| {
            for operation in operations {
                apply(operation);
                Models::do_try_state().unwrap();
            }
        });
    }
}
