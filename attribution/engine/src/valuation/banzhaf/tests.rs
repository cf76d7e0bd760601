use super::*;
use crate::valuation::{
    semivalues::{exact, tests::game, Semivalue},
    utility::FunctionUtility,
};

fn sampling(seed: u64, subsets: u64, probability: f64) -> SampleReuse {
    let mut bytes = [0; 32];
    bytes[..8].copy_from_slice(&seed.to_le_bytes());
    SampleReuse {
        seed: bytes,
        subsets,
        probability,
        range: None,
    }
}

#[test]
fn intervals_cover_the_truth_of_games_with_twelve_data() {
    for (probability, subsets) in [(0.5, 300), (0.5, 40), (0.3, 300)] {
        let (mut covered, mut cases) = (0, 0);
        for salt in 0..250 {
            let game = game(12, salt);
            let truth = exact(&game, Semivalue::Banzhaf { probability }).unwrap();
            let found = by_sample_reuse(&game, &sampling(salt, subsets, probability)).unwrap();
            for (found, truth) in found.values.iter().zip(truth) {
                let (low, high) = found.interval();
                covered += u32::from(low <= truth && truth <= high);
                cases += 1;
            }
        }
        assert_eq!(cases, 3_000);
        let share = f64::from(covered) / f64::from(cases);
        assert!((0.93..=0.97).contains(&share), "{share} with {subsets}");
    }
}

#[test]
fn intervals_cover_the_truth_of_thresholds() {
    let (mut covered, mut cases) = (0, 0);
    for salt in 0..200_u64 {
        // Weights from −4 to 4; some games are won by few subsets, some by nearly all.
        let weight = move |datum: u32| ((salt * 31 + u64::from(datum) * 17) % 9) as f64 - 4.0;
        let game = FunctionUtility::new(12, move |subset: &[u32]| {
            let sum = subset.iter().map(|datum| weight(*datum)).sum::<f64>();
            Ok(f64::from(sum > (salt % 12) as f64))
        });
        let truth = exact(&game, Semivalue::Banzhaf { probability: 0.5 }).unwrap();
        let within = SampleReuse {
            range: Some((0.0, 1.0)),
            ..sampling(salt, 60, 0.5)
        };
        let found = by_sample_reuse(&game, &within).unwrap();
        for (found, truth) in found.values.iter().zip(truth) {
            let (low, high) = found.interval();
            assert!(high - low < 1.0);
            covered += u32::from(low <= truth && truth <= high);
            cases += 1;
        }
    }
    let share = f64::from(covered) / f64::from(cases);
    // Where next to no subset wins, intervals are wider than they need be.
    assert!((0.94..=0.98).contains(&share), "{share} of {cases}");
}

#[test]
fn utilities_that_are_all_equal_say_nothing_without_a_range() {
    let constant = FunctionUtility::new(5, |_: &[u32]| Ok(0.5));
    let run = |range| {
        let sampling = SampleReuse {
            range,
            ..sampling(1, 100, 0.5)
        };
        by_sample_reuse(&constant, &sampling)
    };
    let whole = (f64::NEG_INFINITY, f64::INFINITY);
    for value in run(None).unwrap().values {
        assert_eq!((value.value, value.interval()), (0.0, whole));
    }
    for value in run(Some((0.0, 1.0))).unwrap().values {
        assert!(value.standard_error > 0.02 && value.standard_error < 0.04);
    }
    assert_eq!(
        run(Some((0.5, 0.5))).unwrap().values[0].interval(),
        (0.0, 0.0)
    );
    let refused = |range| run(Some(range)).unwrap_err().to_string();
    assert!(refused((0.0, 0.4)).contains("a utility is 0.5, but"));
    assert!(refused((1.0, 0.0)).contains("lower one first"));
    assert!(refused((f64::NAN, 1.0)).contains("two finite numbers"));
}

#[test]
fn estimates_converge_and_are_those_of_the_definition() {
    let game = game(6, 77);
    let truth = exact(&game, Semivalue::Banzhaf { probability: 0.5 }).unwrap();
    let found = by_sample_reuse(&game, &sampling(1, 20_000, 0.5)).unwrap();
    assert_eq!(found.evaluations, 20_000);
    for (found, truth) in found.values.iter().zip(truth) {
        assert!(found.standard_error < 0.02);
        assert!((found.value - truth).abs() < 4.0 * found.standard_error);
    }
}

#[test]
fn threads_do_not_matter() {
    let game = game(10, 5);
    let run = |threads| {
        rayon::ThreadPoolBuilder::new()
            .num_threads(threads)
            .build()
            .unwrap()
            .install(|| by_sample_reuse(&game, &sampling(9, 700, 0.5)).unwrap())
    };
    assert_eq!(run(1), run(2));
    assert_eq!(run(1), run(4));
}

#[test]
fn refuses_bad_parameters_and_passes_failures_on() {
    let good = game(5, 0);
    assert!(by_sample_reuse(&good, &sampling(0, 100, 0.0)).is_err());
    assert!(by_sample_reuse(&good, &sampling(0, 100, f64::NAN)).is_err());
    assert!(by_sample_reuse(&good, &sampling(0, 3, 0.5)).is_err());
    assert!(by_sample_reuse(&good, &sampling(0, 100, 1e-12)).is_err());
    let none = FunctionUtility::new(0, |_: &[u32]| Ok(0.0));
    assert!(by_sample_reuse(&none, &sampling(0, 100, 0.5)).is_err());
    let broken = FunctionUtility::new(3, |_: &[u32]| Ok(f64::NAN));
    assert!(matches!(
        by_sample_reuse(&broken, &sampling(0, 100, 0.5)),
        Err(Error::UtilityNotFinite { .. })
    ));
}
