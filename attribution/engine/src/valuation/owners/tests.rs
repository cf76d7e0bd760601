use super::*;
use crate::valuation::{
    knn_shapley::{from_features, Prediction},
    semivalues::{self, exact, tests::game},
    utility::FunctionUtility,
    Samples,
};

const OWNED: [u32; 8] = [0, 1, 1, 0, 2, 1, 0, 0];

fn permutations(count: u64) -> Permutations {
    Permutations {
        seed: [8; 32],
        count,
        truncation: None,
        target: None,
        chains: None,
    }
}

fn swaps(seed: u64, samples: u64) -> Swaps {
    let mut bytes = [0; 32];
    bytes[..8].copy_from_slice(&seed.to_le_bytes());
    Swaps {
        seed: bytes,
        samples,
    }
}

/// The gain of an owner whose data are spread over itself and a shell, which should be 1.
fn split_gain(whole: &[f64], split: &[f64]) -> f64 {
    (split[0] + split[3]) / whole[0]
}

#[test]
fn splitting_into_shells_gains_nothing() {
    let whole = Owners::new(&OWNED, 3).unwrap();
    let mut shells = OWNED;
    shells[3] = 3;
    shells[7] = 3;
    let split = Owners::new(&shells, 4).unwrap();
    let check = |gain: f64| assert!((gain - 1.0).abs() < 1e-9, "{gain}");

    let features = [0.1, 0.9, 0.4, 0.2, 1.5, 0.8, 0.3, 1.1];
    let train = Samples::new(&features, 1, &[0, 1, 1, 0, 1, 1, 0, 1]).unwrap();
    let test = Samples::new(&[0.25, 0.6, 1.2], 1, &[0, 0, 1]).unwrap();
    for prediction in [Prediction::Hard, Prediction::Soft { classes: 2 }] {
        let values = from_features(train, test, 3, prediction).unwrap();
        check(split_gain(
            &whole.sum(&values).unwrap(),
            &split.sum(&values).unwrap(),
        ));
    }
    let game = game(8, 6);
    for semivalue in [
        Semivalue::Shapley,
        Semivalue::Beta {
            alpha: 4.0,
            beta: 1.0,
        },
        Semivalue::Banzhaf { probability: 0.5 },
    ] {
        let values = exact(&game, semivalue).unwrap();
        check(split_gain(
            &whole.sum(&values).unwrap(),
            &split.sum(&values).unwrap(),
        ));
        let sampled = |owners| {
            by_permutations(&game, owners, semivalue, &permutations(64))
                .unwrap()
                .values
                .iter()
                .map(|estimate| estimate.value)
                .collect::<Vec<_>>()
        };
        check(split_gain(&sampled(&whole), &sampled(&split)));
    }
}

#[test]
fn sums_over_permutations_are_those_of_the_data() {
    let game = game(8, 11);
    let owners = Owners::new(&OWNED, 3).unwrap();
    let data = semivalues::by_permutations(&game, Semivalue::Shapley, &permutations(300)).unwrap();
    let together = by_permutations(&game, &owners, Semivalue::Shapley, &permutations(300)).unwrap();
    let values = data.values.iter().map(|v| v.value).collect::<Vec<_>>();
    let truth = owners
        .sum(&exact(&game, Semivalue::Shapley).unwrap())
        .unwrap();
    for ((found, sum), truth) in together
        .values
        .iter()
        .zip(owners.sum(&values).unwrap())
        .zip(truth)
    {
        assert!((found.value - sum).abs() < 1e-12);
        assert!((found.value - truth).abs() < 4.0 * found.standard_error);
    }
}

#[test]
fn independent_errors_add_in_squares() {
    let owners = Owners::new(&[0, 1, 0], 3).unwrap();
    let estimate = |value, standard_error| Estimate {
        value,
        standard_error,
        degrees_of_freedom: 10.0,
    };
    let sums = owners
        .sum_independent(&[estimate(1.0, 3.0), estimate(5.0, 0.0), estimate(2.0, 4.0)])
        .unwrap();
    assert_eq!((sums[0].value, sums[0].standard_error), (3.0, 5.0));
    // Satterthwaite: 25² / (81/10 + 256/10).
    assert!((sums[0].degrees_of_freedom - 625.0 / 33.7).abs() < 1e-12);
    assert_eq!(sums[1].interval(), (5.0, 5.0));
    assert_eq!((sums[2].value, sums[2].standard_error), (0.0, 0.0));
}

#[test]
fn swaps_estimate_the_exact_sums_with_honest_intervals() {
    let (mut covered, mut cases) = (0, 0);
    for salt in 0..400 {
        let game = game(8, salt);
        let owners = Owners::new(&OWNED, 3).unwrap();
        let truth = owners
            .sum(&exact(&game, Semivalue::Shapley).unwrap())
            .unwrap();
        let found = by_swaps(&game, &owners, &swaps(salt, 400)).unwrap();
        assert_eq!(found.evaluations, 802);
        let total = found.values.iter().map(|v| v.value).sum::<f64>();
        assert!((total - truth.iter().sum::<f64>()).abs() < 1e-9);
        for (found, truth) in found.values.iter().zip(truth) {
            assert!((found.value - truth).abs() < 5.0 * found.standard_error);
            let (low, high) = found.interval();
            covered += u32::from(low <= truth && truth <= high);
            cases += 1;
        }
    }
    let share = f64::from(covered) / f64::from(cases);
    assert!((0.93..=0.97).contains(&share), "{share} of {cases}");
}

#[test]
fn swaps_are_exact_where_nothing_is_left_to_sample() {
    let game = game(5, 3);
    let all = game.evaluate(&[0, 1, 2, 3, 4]).unwrap() - game.evaluate(&[]).unwrap();
    let alone = by_swaps(&game, &Owners::new(&[1; 5], 2).unwrap(), &swaps(0, 2)).unwrap();
    assert_eq!(alone.values[0].interval(), (0.0, 0.0));
    assert_eq!(alone.values[1].interval(), (all, all));

    let additive = FunctionUtility::new(2, |subset: &[u32]| {
        Ok(subset.iter().map(|datum| f64::from(*datum) + 1.0).sum())
    });
    let found = by_swaps(
        &additive,
        &Owners::new(&[0, 1], 2).unwrap(),
        &swaps(0, 1_000),
    )
    .unwrap();
    for (found, truth) in found.values.iter().zip([1.0, 2.0]) {
        assert!((found.value - truth).abs() < 1e-12);
    }
}

#[test]
fn threads_do_not_matter() {
    let game = game(8, 2);
    let owners = Owners::new(&OWNED, 3).unwrap();
    let run = |threads| {
        rayon::ThreadPoolBuilder::new()
            .num_threads(threads)
            .build()
            .unwrap()
            .install(|| by_swaps(&game, &owners, &swaps(4, 333)).unwrap())
    };
    assert_eq!(run(1), run(2));
    assert_eq!(run(1), run(4));
}

#[test]
fn refuses_bad_parameters() {
    assert!(Owners::new(&[], 1).is_err());
    assert!(Owners::new(&[0], 0).is_err());
    assert!(matches!(
        Owners::new(&[0, 2], 2),
        Err(Error::Entry { index: 1, .. })
    ));
    let owners = Owners::new(&OWNED, 3).unwrap();
    assert!(owners.sum(&[0.0; 7]).is_err());
    assert!(owners.sum_independent(&[]).is_err());
    let game = game(7, 0);
    assert!(by_swaps(&game, &owners, &swaps(0, 10)).is_err());
    assert!(by_permutations(&game, &owners, Semivalue::Shapley, &permutations(2)).is_err());
    let owners = Owners::new(&OWNED[..7], 3).unwrap();
    assert!(by_swaps(&game, &owners, &swaps(0, 1)).is_err());
}
