use super::*;

#[test]
fn success_retired_model_is_no_longer_served_but_its_adapters_are() {
    run(|| {
        let base = Registration::base(1).register();
        let adapter = Registration::adapter(2, base).register();
        assert_ok!(Models::retire(RuntimeOrigin::signed(account(1)), base));
        assert_eq!(last_event(), Event::Retired { model: base });
        assert_eq!(Models::standing(base), Some((Standing::Retired, 0)));
        assert!(!Models::is_servable(base));
        assert!(Models::is_servable(adapter));
    });
}

#[test]
fn fails_when_retired_by_a_stranger_twice_or_after_void() {
    run(|| {
        let model = Registration::base(1).register();
        let owner = RuntimeOrigin::signed(account(1));
        assert_noop!(
            Models::retire(RuntimeOrigin::signed(account(2)), model),
            Error::<Test>::NotOwner
        );
        assert_noop!(
            Models::retire(owner.clone(), 9),
            Error::<Test>::UnknownModel
        );
        assert_ok!(Models::retire(owner.clone(), model));
        assert_noop!(
            Models::retire(owner.clone(), model),
            Error::<Test>::AlreadyRetired
        );
        assert_ok!(Models::void(RuntimeOrigin::root(), model));
        assert_noop!(Models::retire(owner, model), Error::<Test>::AlreadyVoided);
    });
}

#[test]
fn success_void_takes_the_adapters_out_of_service() {
    run(|| {
        let base = Registration::base(1).register();
        let adapter = Registration::adapter(2, base).register();
        assert_ok!(Models::void(RuntimeOrigin::root(), base));
        assert_eq!(
            last_event(),
            Event::Voided {
                model: base,
                cause: VoidCause::Governance
            }
        );
        assert_eq!(Models::standing(base), Some((Standing::Voided, 0)));
        assert!(!Models::is_servable(base));
        assert!(!Models::is_servable(adapter));
        assert_eq!(Models::standing(adapter), Some((Standing::Live, 0)));
        assert_eq!(held(1), DEPOSIT);
    });
}

#[test]
fn fails_when_voided_without_governance_or_twice() {
    run(|| {
        let model = Registration::base(1).register();
        assert_noop!(
            Models::void(RuntimeOrigin::signed(account(1)), model),
            DispatchError::BadOrigin
        );
        assert_noop!(
            Models::void(RuntimeOrigin::root(), 9),
            Error::<Test>::UnknownModel
        );
        assert_ok!(Models::void(RuntimeOrigin::root(), model));
        assert_noop!(
            Models::void(RuntimeOrigin::root(), model),
            Error::<Test>::AlreadyVoided
        );
    });
}

#[test]
fn success_third_strike_voids() {
    run(|| {
        let model = Registration::base(1).register();
        Models::strike(model);
        Models::strike(model);
        assert_eq!(last_event(), Event::Struck { model, strikes: 2 });
        assert_eq!(Models::standing(model), Some((Standing::Live, 2)));
        Models::strike(model);
        assert_eq!(
            last_event(),
            Event::Voided {
                model,
                cause: VoidCause::Strikes
            }
        );
        assert_eq!(Models::standing(model), Some((Standing::Voided, 3)));
        // A voided model is not struck any further, and an unknown one never.
        Models::strike(model);
        Models::strike(99);
        assert_eq!(Models::standing(model), Some((Standing::Voided, 3)));
        assert_eq!(Models::standing(99), None);
    });
}
