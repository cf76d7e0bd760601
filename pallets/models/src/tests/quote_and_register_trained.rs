use super::*;

/// Requests and registers an adapter of account 2 over `base`, as the compute pallet does.
fn quote(base: ModelId) -> Result<(Terms, Parents), DispatchError> {
    Models::quote_training(&account(2), ModelKind::Adapter { base }, None, 7, 5, 3)
}

fn finalise(base: ModelId, agreed: Parents, terms: Terms) -> Result<ModelId, DispatchError> {
    Models::register_trained(
        &account(2),
        ModelKind::Adapter { base },
        None,
        7,
        5,
        3,
        agreed,
        terms,
        0,
        training(11),
    )
}

#[test]
fn success_trained_model_keeps_how_it_was_made_and_takes_no_deposit() {
    run(|| {
        let base = Registration::base(1).register();
        let (terms, agreed) = quote(base).unwrap();
        assert_eq!(terms, Terms::FREE);
        let inputs = Terms {
            attribution: true,
            ..Terms::FREE
        };
        let model = finalise(base, agreed, inputs).unwrap();
        let manifest = Manifests::<Test>::get(model).unwrap();
        assert_eq!(manifest.training, Some(training(11)));
        assert_eq!(manifest.artifact, training(11).result.artifact);
        assert_eq!(manifest.architecture, training(11).result.architecture);
        assert_eq!(manifest.tokenizer, training(11).result.tokenizer);
        assert_eq!(manifest.terms, inputs);
        assert_eq!((held(1), held(2)), (DEPOSIT, 0));
        assert_eq!(Deposits::<Test>::get(model), None);
        assert_eq!(
            last_event(),
            Event::Registered {
                model,
                owner: account(2),
                kind: ModelKind::Adapter { base },
                version: 1,
                previous: None,
                job: Some(11),
                deposit: 0,
            }
        );
    });
}

#[test]
fn success_agreement_outlives_a_retirement_and_a_raised_royalty() {
    run(|| {
        let base = Registration::base(1).register();
        let (_, agreed) = quote(base).unwrap();
        assert_ok!(Models::set_royalty(
            RuntimeOrigin::signed(account(1)),
            base,
            BILLION
        ));
        assert_ok!(Models::retire(RuntimeOrigin::signed(account(1)), base));
        let model = finalise(base, agreed, Terms::FREE).unwrap();
        assert_eq!(
            BuildersOf::<Test>::get(model).unwrap().to_vec(),
            [(account(2), 900_000_000), (account(1), 100_000_000)]
        );
    });
}

#[test]
fn success_terms_of_a_base_are_quoted() {
    run(|| {
        let terms = Terms {
            attribution: true,
            share_alike: true,
            ..Terms::FREE
        };
        let base = Registration {
            terms,
            ..Registration::base(1)
        }
        .register();
        assert_eq!(quote(base).unwrap().0, terms);
    });
}

#[test]
fn fails_when_base_was_voided_meanwhile() {
    run(|| {
        let base = Registration::base(1).register();
        let (_, agreed) = quote(base).unwrap();
        assert_ok!(Models::void(RuntimeOrigin::root(), base));
        let models = NextModel::<Test>::get();
        assert_eq!(
            finalise(base, agreed, Terms::FREE),
            Err(Error::<Test>::ParentVoided.into())
        );
        assert_eq!(NextModel::<Test>::get(), models);
    });
}

#[test]
fn fails_when_quoted_over_a_base_that_cannot_be_built_on() {
    run(|| {
        assert_eq!(quote(9), Err(Error::<Test>::UnknownParent.into()));
        let base = Registration::base(1).register();
        assert_ok!(Models::retire(RuntimeOrigin::signed(account(1)), base));
        assert_eq!(quote(base), Err(Error::<Test>::ParentRetired.into()));
        let closed = Registration {
            terms: Terms {
                derivatives: false,
                ..Terms::FREE
            },
            ..Registration::base(1)
        }
        .register();
        assert_eq!(
            quote(closed),
            Err(Error::<Test>::LicenceForbidsDerivatives.into())
        );
    });
}
