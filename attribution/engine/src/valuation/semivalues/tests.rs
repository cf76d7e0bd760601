use super::*;
use crate::valuation::utility::FunctionUtility;
use proptest::prelude::*;

/// A game of `data` players whose utilities are scattered with a trend in the size.
pub(crate) fn game(
    data: usize,
    salt: u64,
) -> FunctionUtility<impl Fn(&[u32]) -> Result<f64, Error> + Sync> {
    FunctionUtility::new(data, move |subset: &[u32]| {
        let members = subset.iter().fold(0_u64, |sum, datum| sum | 1 << datum);
        let mixed = (members + 1)
            .wrapping_mul(0x9e37_79b9_7f4a_7c15)
            .wrapping_add(salt)
            .wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let noise = ((mixed ^ mixed >> 31) >> 12) as f64 / (1_u64 << 52) as f64;
        let trend = subset
            .iter()
            .map(|datum| f64::from(*datum % 5) - 1.0)
            .sum::<f64>();
        Ok(0.3 * noise + (0.4 * trend).tanh())
    })
}

fn permutations(count: u64) -> Permutations {
    Permutations {
        seed: [3; 32],
        count,
        truncation: None,
        target: None,
        chains: None,
    }
}

#[test]
fn size_distributions_are_those_of_the_papers() {
    let close = |found: Vec<f64>, expected: &[f64]| {
        assert_eq!(found.len(), expected.len());
        for (found, expected) in found.iter().zip(expected) {
            assert!((found - expected).abs() < 1e-14, "{found} for {expected}");
        }
    };
    close(Semivalue::Shapley.size_distribution(4).unwrap(), &[0.25; 4]);
    close(
        Semivalue::Beta {
            alpha: 1.0,
            beta: 1.0,
        }
        .size_distribution(4)
        .unwrap(),
        &[0.25; 4],
    );
    let half = Semivalue::Banzhaf { probability: 0.5 };
    close(
        half.size_distribution(4).unwrap(),
        &[0.125, 0.375, 0.375, 0.125],
    );
    // C(n−1, s) B(s + β, n − 1 − s + α) / B(α, β), with integer parameters from factorials.
    let factorial = |k: usize| (1..=k).map(|k| k as f64).product::<f64>();
    let beta = |a: usize, b: usize| factorial(a - 1) * factorial(b - 1) / factorial(a + b - 1);
    let expected = (0..7)
        .map(|s| {
            factorial(6) / factorial(s) / factorial(6 - s) * beta(s + 1, 6 - s + 16) / beta(16, 1)
        })
        .collect::<Vec<_>>();
    assert!(expected[0] > 2.0 * expected[1]);
    let sixteen = Semivalue::Beta {
        alpha: 16.0,
        beta: 1.0,
    };
    close(sixteen.size_distribution(7).unwrap(), &expected);
    // No size may overflow or vanish altogether.
    let many = half.size_distribution(100_000).unwrap();
    assert!((many.iter().sum::<f64>() - 1.0).abs() < 1e-9);
    assert_eq!(many[0], 0.0);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    #[test]
    fn exact_values_have_their_axioms(data in 1_usize..9, salt: u64) {
        let game = game(data, salt);
        let all = (0..data as u32).collect::<Vec<_>>();
        let gain = game.evaluate(&all).unwrap() - game.evaluate(&[]).unwrap();
        let shapley = exact(&game, Semivalue::Shapley).unwrap();
        prop_assert!((shapley.iter().sum::<f64>() - gain).abs() < 1e-12);
        // The definition, over all permutations by insertion of the last player.
        let mean = |probability: f64| {
            (0..data)
                .map(|datum| {
                    (0..1_u32 << data)
                        .map(|members| {
                            let subset = (0..data as u32)
                                .filter(|other| members >> other & 1 == 1)
                                .collect::<Vec<_>>();
                            let sign = if members >> datum & 1 == 1 { 1.0 } else { -1.0 };
                            let others = members & !(1 << datum);
                            let size = f64::from(others.count_ones());
                            sign * game.evaluate(&subset).unwrap()
                                * probability.powf(size)
                                * (1.0 - probability).powf(data as f64 - 1.0 - size)
                        })
                        .sum::<f64>()
                })
                .collect::<Vec<_>>()
        };
        let banzhaf = exact(&game, Semivalue::Banzhaf { probability: 0.3 }).unwrap();
        for (found, expected) in banzhaf.iter().zip(mean(0.3)) {
            prop_assert!((found - expected).abs() < 1e-12);
        }
    }
}

#[test]
fn permutations_estimate_every_semivalue() {
    let game = game(7, 4);
    for semivalue in [
        Semivalue::Shapley,
        Semivalue::Beta {
            alpha: 4.0,
            beta: 1.0,
        },
        Semivalue::Beta {
            alpha: 1.0,
            beta: 4.0,
        },
        Semivalue::Banzhaf { probability: 0.5 },
    ] {
        let truth = exact(&game, semivalue).unwrap();
        let found = by_permutations(&game, semivalue, &permutations(4_000)).unwrap();
        assert_eq!(found.evaluations, 2 + 4_000 * 6);
        for (found, truth) in found.values.iter().zip(truth) {
            assert!(found.standard_error > 0.0 && found.standard_error < 0.02);
            assert!((found.value - truth).abs() < 4.0 * found.standard_error);
        }
    }
}

#[test]
fn permutation_intervals_cover_the_truth() {
    let (mut covered, mut cases) = (0, 0);
    for salt in 0..300 {
        let game = game(7, salt);
        let truth = exact(&game, Semivalue::Shapley).unwrap();
        let mut sampling = permutations(100);
        sampling.seed[..8].copy_from_slice(&salt.to_le_bytes());
        let found = by_permutations(&game, Semivalue::Shapley, &sampling).unwrap();
        for (found, truth) in found.values.iter().zip(truth) {
            let (low, high) = found.interval();
            covered += u32::from(low <= truth && truth <= high);
            cases += 1;
        }
    }
    let share = f64::from(covered) / f64::from(cases);
    assert!((0.93..=0.97).contains(&share), "{share} of {cases}");
}

#[test]
fn threads_do_not_matter_and_seeds_do() {
    let game = game(9, 1);
    let run = |threads, seed| {
        let sampling = Permutations {
            seed: [seed; 32],
            ..permutations(150)
        };
        rayon::ThreadPoolBuilder::new()
            .num_threads(threads)
            .build()
            .unwrap()
            .install(|| by_permutations(&game, Semivalue::Shapley, &sampling).unwrap())
    };
    assert_eq!(run(1, 1), run(2, 1));
    assert_eq!(run(1, 1), run(4, 1));
    assert_ne!(run(1, 1), run(1, 2));
}

#[test]
fn truncation_saves_evaluations_and_targets_stop() {
    // Three data are enough, whichever they are.
    let game = FunctionUtility::new(20, |subset: &[u32]| Ok(subset.len().min(3) as f64 / 3.0));
    let truncated = Permutations {
        truncation: Some(0.01),
        ..permutations(100)
    };
    let found = by_permutations(&game, Semivalue::Shapley, &truncated).unwrap();
    assert_eq!(found.evaluations, 2 + 100 * 3);
    let whole = by_permutations(&game, Semivalue::Shapley, &permutations(100)).unwrap();
    assert_eq!(found.values, whole.values);

    let targeted = Permutations {
        target: Some(0.02),
        ..permutations(100_000)
    };
    let found = by_permutations(&game, Semivalue::Shapley, &targeted).unwrap();
    assert!(found.evaluations < 100_000);
    assert_eq!((found.evaluations - 2) % (64 * 19), 0);
    assert!(found
        .values
        .iter()
        .all(|value| value.standard_error <= 0.02));
}

#[test]
fn chains_that_agree_stop() {
    let game = game(8, 3);
    let run = |count, chains, target| {
        let sampling = Permutations {
            chains: Some(chains),
            target,
            ..permutations(count)
        };
        by_permutations(&game, Semivalue::Shapley, &sampling).unwrap()
    };
    let below = |below| Chains { count: 8, below };
    let stopped = run(100_000, below(Some(1.05)), None);
    assert!(stopped.gelman_rubin.unwrap() < 1.05);
    assert_eq!((stopped.evaluations - 2) % (64 * 7), 0);
    assert!(stopped.evaluations < 100_000);
    // Chains change nothing but when to stop.
    let done = (stopped.evaluations - 2) / 7;
    let plain = by_permutations(&game, Semivalue::Shapley, &permutations(done)).unwrap();
    assert_eq!(stopped.values, plain.values);
    assert_eq!(plain.gelman_rubin, None);
    // One that cannot be reached in time is reported as it is.
    let reported = run(128, below(Some(1.000_001)), None);
    assert_eq!(reported.evaluations, 2 + 128 * 7);
    assert!(reported.gelman_rubin.unwrap() > 1.000_001);
    assert_eq!(run(128, below(None), None), reported);
    // A target must be reached too.
    let precise = run(100_000, below(Some(1.05)), Some(0.005));
    assert!(precise.evaluations > stopped.evaluations);
    assert!(precise
        .values
        .iter()
        .all(|value| value.standard_error <= 0.005));
    // Nothing varies, so nothing disagrees.
    let additive = FunctionUtility::new(6, |subset: &[u32]| Ok(subset.len() as f64));
    let sampling = Permutations {
        chains: Some(below(Some(1.05))),
        ..permutations(1_000)
    };
    let found = by_permutations(&additive, Semivalue::Shapley, &sampling).unwrap();
    assert_eq!(
        (found.gelman_rubin, found.evaluations),
        (Some(1.0), 2 + 64 * 5)
    );
}

#[test]
fn refuses_bad_parameters_and_passes_failures_on() {
    let good = game(3, 0);
    let large = FunctionUtility::new(25, |_: &[u32]| Ok(0.0));
    let none = FunctionUtility::new(0, |_: &[u32]| Ok(0.0));
    let broken = FunctionUtility::new(3, |subset: &[u32]| {
        Ok(if subset.len() == 2 { f64::NAN } else { 0.0 })
    });
    assert!(exact(&large, Semivalue::Shapley).is_err());
    assert!(exact(&none, Semivalue::Shapley).is_err());
    for semivalue in [
        Semivalue::Beta {
            alpha: 0.0,
            beta: 1.0,
        },
        Semivalue::Beta {
            alpha: 1.0,
            beta: f64::NAN,
        },
        Semivalue::Banzhaf { probability: 1.0 },
        Semivalue::Banzhaf { probability: 0.0 },
    ] {
        assert!(exact(&good, semivalue).is_err());
    }
    let run = |sampling| by_permutations(&good, Semivalue::Shapley, &sampling);
    assert!(run(permutations(1)).is_err());
    assert!(run(Permutations {
        truncation: Some(-1.0),
        ..permutations(2)
    })
    .is_err());
    assert!(run(Permutations {
        target: Some(f64::NAN),
        ..permutations(2)
    })
    .is_err());
    for (count, below) in [
        (0, None),
        (1, None),
        (6, None),
        (2, Some(1.0)),
        (2, Some(f64::NAN)),
    ] {
        assert!(run(Permutations {
            chains: Some(Chains { count, below }),
            ..permutations(10)
        })
        .is_err());
    }
    assert!(by_permutations(&none, Semivalue::Shapley, &permutations(2)).is_err());
    for result in [
        exact(&broken, Semivalue::Shapley).map(|_| ()),
        by_permutations(&broken, Semivalue::Shapley, &permutations(2)).map(|_| ()),
    ] {
        assert!(matches!(
            result,
            Err(Error::UtilityNotFinite { size: 2, .. })
        ));
    }
}
