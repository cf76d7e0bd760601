use super::*;

#[test]
fn success_lineage_is_the_model_and_its_base() {
    run(|| {
        let base = Registration::base(1).register();
        let adapter = Registration::adapter(2, base).register();
        let child = Registration {
            parents: vec![(adapter, BILLION / 2)],
            ..Registration::adapter(3, base)
        }
        .register();
        assert_eq!(Models::lineage(base).to_vec(), [base]);
        assert_eq!(Models::lineage(adapter).to_vec(), [adapter, base]);
        // A parent that is no base gives royalties, not rows.
        assert_eq!(Models::lineage(child).to_vec(), [child, base]);
        assert!(Models::lineage(99).is_empty());
    });
}

#[test]
fn success_servable_needs_commercial_terms() {
    run(|| {
        let sold = Registration::base(1).register();
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
        assert!(Models::is_servable(sold));
        assert!(!Models::is_servable(free));
        assert!(!Models::is_servable(99));
    });
}

#[test]
fn success_pages_are_bounded_and_complete() {
    run(|| {
        let registered: Vec<_> = (0..5).map(|_| Registration::base(1).register()).collect();
        let numbers = |start, limit| {
            Models::models(start, limit)
                .into_iter()
                .map(|(model, _)| model)
                .collect::<Vec<_>>()
        };
        assert_eq!(numbers(0, 64), registered);
        assert_eq!(numbers(2, 2), [2, 3]);
        assert_eq!(numbers(6, u32::MAX), Vec::<ModelId>::new());
        assert_eq!(numbers(1, 0), Vec::<ModelId>::new());
    });
}

#[test]
fn success_manifest_and_builders_answer_for_known_models_only() {
    run(|| {
        let base = Registration::base(1).register();
        assert_eq!(Models::manifest(base), Manifests::<Test>::get(base));
        assert_eq!(Models::builders(base), BuildersOf::<Test>::get(base));
        assert_eq!(Models::manifest(99), None);
        assert_eq!(Models::builders(99), None);
    });
}
