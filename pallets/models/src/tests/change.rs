use super::*;

#[test]
fn success_set_price_down_to_the_floor_and_up() {
    run(|| {
        let model = Registration::base(1).register();
        for price in [3, 1_000] {
            assert_ok!(Models::set_price(
                RuntimeOrigin::signed(account(1)),
                model,
                price
            ));
            assert_eq!(Manifests::<Test>::get(model).unwrap().price, price);
            assert_eq!(last_event(), Event::PriceSet { model, price });
        }
        assert_eq!(Manifests::<Test>::get(model).unwrap().price_floor, 3);
    });
}

#[test]
fn fails_when_price_is_under_the_floor_or_not_commercial() {
    run(|| {
        let model = Registration::base(1).register();
        assert_noop!(
            Models::set_price(RuntimeOrigin::signed(account(1)), model, 2),
            Error::<Test>::PriceUnderFloor
        );
        let free = Registration {
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
            Models::set_price(RuntimeOrigin::signed(account(1)), free, 1),
            Error::<Test>::LicenceForbidsCommercialUse
        );
    });
}

#[test]
fn success_set_royalty_binds_later_models_only() {
    run(|| {
        let base = Registration::base(1).register();
        let before = Registration::adapter(2, base).register();
        assert_ok!(Models::set_royalty(
            RuntimeOrigin::signed(account(1)),
            base,
            300_000_000
        ));
        assert_eq!(
            last_event(),
            Event::RoyaltySet {
                model: base,
                royalty: 300_000_000
            }
        );
        let after = Registration::adapter(2, base).register();
        let share = |model| BuildersOf::<Test>::get(model).unwrap()[1].1;
        assert_eq!((share(before), share(after)), (100_000_000, 300_000_000));
    });
}

#[test]
fn fails_when_royalty_is_over_the_whole() {
    run(|| {
        let model = Registration::base(1).register();
        assert_noop!(
            Models::set_royalty(RuntimeOrigin::signed(account(1)), model, BILLION + 1),
            Error::<Test>::RoyaltyTooHigh
        );
    });
}

#[test]
fn fails_when_model_is_unknown_foreign_or_voided() {
    run(|| {
        let model = Registration::base(1).register();
        let stranger = RuntimeOrigin::signed(account(2));
        let owner = RuntimeOrigin::signed(account(1));
        assert_noop!(
            Models::set_price(owner.clone(), 9, 5),
            Error::<Test>::UnknownModel
        );
        assert_noop!(
            Models::set_price(stranger.clone(), model, 5),
            Error::<Test>::NotOwner
        );
        assert_noop!(
            Models::set_royalty(stranger, model, 5),
            Error::<Test>::NotOwner
        );
        assert_ok!(Models::void(RuntimeOrigin::root(), model));
        assert_noop!(
            Models::set_price(owner.clone(), model, 5),
            Error::<Test>::AlreadyVoided
        );
        assert_noop!(
            Models::set_royalty(owner, model, 5),
            Error::<Test>::AlreadyVoided
        );
    });
}
