use super::*;

#[test]
fn success_base_gets_the_first_number_and_all_of_its_fee() {
    run(|| {
        CurrentRuleset::set(4);
        let model = Registration::base(1).register();
        assert_eq!(model, 1);
        let manifest = Manifests::<Test>::get(model).unwrap();
        assert_eq!(manifest.owner, account(1));
        assert_eq!(
            (manifest.version, manifest.previous, manifest.ruleset),
            (1, None, 4)
        );
        assert_eq!((manifest.price, manifest.price_floor), (5, 3));
        assert_eq!(manifest.artifact, [1; 32]);
        assert_eq!(manifest.training, None);
        assert_eq!(
            BuildersOf::<Test>::get(model).unwrap().to_vec(),
            [(account(1), BILLION)]
        );
        assert_eq!(
            last_event(),
            Event::Registered {
                model,
                owner: account(1),
                kind: ModelKind::Base,
                version: 1,
                previous: None,
                job: None,
                deposit: DEPOSIT,
            }
        );
    });
}

#[test]
fn success_deposit_is_held_per_model() {
    run(|| {
        let first = Registration::base(1).register();
        let second = Registration::base(1).register();
        assert_eq!(held(1), 2 * DEPOSIT);
        assert_eq!(Deposits::<Test>::get(first), Some(DEPOSIT));
        assert_eq!(Deposits::<Test>::get(second), Some(DEPOSIT));
    });
}

#[test]
fn success_base_of_adapter_becomes_parent_with_the_royalty_it_asks() {
    run(|| {
        let base = Registration::base(1).register();
        let adapter = Registration::adapter(2, base).register();
        assert_eq!(
            Manifests::<Test>::get(adapter).unwrap().parents,
            parents(&[(base, 100_000_000)])
        );
        assert_eq!(
            BuildersOf::<Test>::get(adapter).unwrap().to_vec(),
            [(account(2), 900_000_000), (account(1), 100_000_000)]
        );
    });
}

#[test]
fn success_listed_base_keeps_its_higher_royalty() {
    run(|| {
        let base = Registration::base(1).register();
        let adapter = Registration {
            parents: vec![(base, 250_000_000)],
            ..Registration::adapter(2, base)
        }
        .register();
        assert_eq!(
            BuildersOf::<Test>::get(adapter).unwrap().to_vec(),
            [(account(2), 750_000_000), (account(1), 250_000_000)]
        );
    });
}

#[test]
fn success_royalties_reach_grandparents_and_own_models_merge() {
    run(|| {
        let base = Registration::base(1).register();
        let middle = Registration::adapter(2, base).register();
        let top = Registration {
            parents: vec![(middle, 500_000_000)],
            ..Registration::adapter(1, base)
        }
        .register();
        // Owner 1 keeps 0.4, earns 0.1 as the base and a tenth of 0.5 through the middle.
        assert_eq!(
            BuildersOf::<Test>::get(top).unwrap().to_vec(),
            [(account(1), 550_000_000), (account(2), 450_000_000)]
        );
    });
}

#[test]
fn success_terms_are_the_meet_of_declared_and_parents() {
    run(|| {
        let restricted = Terms {
            commercial: false,
            attribution: true,
            ..Terms::FREE
        };
        let base = Registration {
            terms: restricted,
            price: 0,
            price_floor: 0,
            ..Registration::base(1)
        }
        .register();
        let adapter = Registration {
            terms: Terms {
                share_alike: true,
                ..Terms::FREE
            },
            price: 0,
            price_floor: 0,
            ..Registration::adapter(2, base)
        }
        .register();
        assert_eq!(
            Manifests::<Test>::get(adapter).unwrap().terms,
            Terms {
                derivatives: true,
                commercial: false,
                share_alike: true,
                attribution: true
            }
        );
    });
}

#[test]
fn success_next_version_counts_on() {
    run(|| {
        let first = Registration::base(1).register();
        let second = Registration {
            previous: Some(first),
            ..Registration::base(1)
        }
        .register();
        let third = Registration {
            previous: Some(second),
            ..Registration::base(1)
        }
        .register();
        assert_eq!(Manifests::<Test>::get(second).unwrap().version, 2);
        assert_eq!(Manifests::<Test>::get(third).unwrap().version, 3);
        assert_eq!(
            Manifests::<Test>::get(third).unwrap().previous,
            Some(second)
        );
    });
}

#[test]
fn success_free_model_without_commercial_terms() {
    run(|| {
        Registration {
            terms: Terms {
                commercial: false,
                ..Terms::FREE
            },
            price: 0,
            price_floor: 0,
            ..Registration::base(1)
        }
        .register();
    });
}

#[test]
fn fails_when_unsigned() {
    run(|| {
        assert_noop!(
            Models::register(
                RuntimeOrigin::none(),
                ModelKind::Base,
                [0; 32],
                Hash::zero(),
                Hash::zero(),
                Parents::default(),
                Terms::FREE,
                0,
                0,
                0,
                None
            ),
            DispatchError::BadOrigin
        );
    });
}

#[test]
fn fails_when_deposit_cannot_be_held() {
    run(|| {
        assert_noop!(Registration::base(99).call(), TokenError::FundsUnavailable);
    });
}

#[test]
fn fails_when_base_is_unknown_or_an_adapter() {
    run(|| {
        assert_noop!(
            Registration::adapter(1, 7).call(),
            Error::<Test>::UnknownParent
        );
        let base = Registration::base(1).register();
        let adapter = Registration::adapter(1, base).register();
        assert_noop!(
            Registration::adapter(1, adapter).call(),
            Error::<Test>::BaseIsAnAdapter
        );
    });
}

#[test]
fn fails_when_parent_is_unknown_twice_or_underpaid() {
    run(|| {
        let parent = Registration::base(1).register();
        let with = |list: &[(ModelId, Parts)]| {
            Registration {
                parents: list.to_vec(),
                ..Registration::base(2)
            }
            .call()
        };
        assert_noop!(with(&[(9, 0)]), Error::<Test>::UnknownParent);
        assert_noop!(
            with(&[(parent, 100_000_000), (parent, 100_000_000)]),
            Error::<Test>::DuplicateParent
        );
        assert_noop!(with(&[(parent, 99_999_999)]), Error::<Test>::RoyaltyTooLow);
    });
}

#[test]
fn fails_when_parent_is_retired_or_voided() {
    run(|| {
        let retired = Registration::base(1).register();
        let voided = Registration::base(1).register();
        assert_ok!(Models::retire(RuntimeOrigin::signed(account(1)), retired));
        assert_ok!(Models::void(RuntimeOrigin::root(), voided));
        assert_noop!(
            Registration::adapter(2, retired).call(),
            Error::<Test>::ParentRetired
        );
        assert_noop!(
            Registration::adapter(2, voided).call(),
            Error::<Test>::ParentVoided
        );
    });
}

#[test]
fn fails_when_there_is_no_room_for_the_base() {
    run(|| {
        let models: Vec<_> = (0..5)
            .map(|_| {
                Registration {
                    royalty: 0,
                    ..Registration::base(1)
                }
                .register()
            })
            .collect();
        let four = models.iter().skip(1).map(|model| (*model, 0)).collect();
        assert_noop!(
            Registration {
                parents: four,
                ..Registration::adapter(2, models[0])
            }
            .call(),
            Error::<Test>::TooManyParents
        );
    });
}

#[test]
fn fails_when_royalties_exceed_the_fee() {
    run(|| {
        assert_noop!(
            Registration {
                royalty: BILLION + 1,
                ..Registration::base(1)
            }
            .call(),
            Error::<Test>::RoyaltyTooHigh
        );
        let greedy = Registration {
            royalty: BILLION,
            ..Registration::base(1)
        }
        .register();
        let other = Registration {
            royalty: 1,
            ..Registration::base(1)
        }
        .register();
        assert_noop!(
            Registration {
                parents: vec![(greedy, BILLION), (other, 1)],
                ..Registration::base(2)
            }
            .call(),
            Error::<Test>::RoyaltyTooHigh
        );
    });
}

#[test]
fn fails_when_more_builders_than_fit() {
    run(|| {
        // Each generation adds an owner; the list holds sixteen accounts.
        let mut parent = Registration {
            royalty: 1_000_000,
            ..Registration::base(1)
        }
        .register();
        for owner in 2..=16 {
            parent = Registration {
                parents: vec![(parent, 500_000_000)],
                royalty: 500_000_000,
                ..Registration::base(owner)
            }
            .register();
        }
        assert_eq!(BuildersOf::<Test>::get(parent).unwrap().len(), 16);
        assert_noop!(
            Registration {
                parents: vec![(parent, 500_000_000)],
                ..Registration::base(17)
            }
            .call(),
            Error::<Test>::TooManyBuilders
        );
        // An account that has a share already needs no place of its own.
        Registration {
            parents: vec![(parent, 500_000_000)],
            ..Registration::base(16)
        }
        .register();
    });
}

#[test]
fn fails_when_a_licence_forbids_it() {
    run(|| {
        let closed = Registration {
            terms: Terms {
                derivatives: false,
                ..Terms::FREE
            },
            ..Registration::base(1)
        }
        .register();
        assert_noop!(
            Registration::adapter(2, closed).call(),
            Error::<Test>::LicenceForbidsDerivatives
        );
        let private = Registration {
            terms: Terms {
                commercial: false,
                ..Terms::FREE
            },
            price: 0,
            price_floor: 0,
            ..Registration::base(1)
        }
        .register();
        assert_noop!(
            Registration::adapter(2, private).call(),
            Error::<Test>::LicenceForbidsCommercialUse
        );
    });
}

#[test]
fn fails_when_price_is_under_its_floor() {
    run(|| {
        assert_noop!(
            Registration {
                price: 2,
                ..Registration::base(1)
            }
            .call(),
            Error::<Test>::PriceUnderFloor
        );
    });
}

#[test]
fn fails_when_previous_is_unknown_foreign_or_of_another_kind() {
    run(|| {
        let with = |previous| {
            Registration {
                previous: Some(previous),
                ..Registration::base(1)
            }
            .call()
        };
        assert_noop!(with(5), Error::<Test>::UnknownPrevious);
        let foreign = Registration::base(2).register();
        assert_noop!(with(foreign), Error::<Test>::NotOwnerOfPrevious);
        let adapter = Registration::adapter(1, foreign).register();
        assert_noop!(with(adapter), Error::<Test>::PreviousOfAnotherKind);
    });
}

#[test]
fn fails_when_numbers_run_out() {
    new_test_ext().execute_with(|| {
        NextModel::<Test>::put(ModelId::MAX);
        let result = frame_support::storage::with_storage_layer(|| Registration::base(1).call());
        assert_eq!(result, Err(Error::<Test>::OutOfNumbers.into()));
        assert_eq!(held(1), 0);
    });
}
