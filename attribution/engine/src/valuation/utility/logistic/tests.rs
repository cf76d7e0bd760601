use super::*;
use proptest::prelude::*;

/// Features in three overlapping clusters, far from regular.
fn cluster(count: usize, dimension: usize, classes: u32, salt: u64) -> (Vec<f32>, Vec<u32>) {
    let mut state = salt;
    let mut uniform = || {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        (state >> 40) as f32 / (1_u64 << 24) as f32 - 0.5
    };
    let labels = (0..count as u32)
        .map(|i| i * 7 % classes)
        .collect::<Vec<_>>();
    let features = labels
        .iter()
        .flat_map(|label| {
            (0..dimension)
                .map(|k| {
                    2.0 * uniform()
                        + if k as u32 % classes == *label {
                            0.6
                        } else {
                            0.0
                        }
                })
                .collect::<Vec<_>>()
        })
        .collect();
    (features, labels)
}

/// The objective's gradient, written from its definition.
fn gradient(
    (features, labels): (&[f32], &[u32]),
    dimension: usize,
    classes: usize,
    penalty: f64,
    subset: &[u32],
    theta: &[f64],
) -> Vec<f64> {
    let columns = if classes == 2 { 1 } else { classes };
    let mut gradient = theta.iter().map(|t| penalty * t).collect::<Vec<_>>();
    for datum in subset {
        let row = features[*datum as usize * dimension..][..dimension]
            .iter()
            .map(|x| f64::from(*x))
            .chain([1.0])
            .collect::<Vec<_>>();
        let mut logits = theta
            .chunks(dimension + 1)
            .map(|theta| theta.iter().zip(&row).map(|(t, x)| t * x).sum())
            .collect::<Vec<f64>>();
        if columns == 1 {
            logits.insert(0, 0.0);
        }
        let total = logits.iter().map(|z| z.exp()).sum::<f64>();
        for class in 0..columns {
            let of = if columns == 1 { 1 } else { class };
            let truth = f64::from(labels[*datum as usize] as usize == of);
            let slope = logits[of].exp() / total - truth;
            for (g, x) in gradient[class * (dimension + 1)..].iter_mut().zip(&row) {
                *g += slope * x;
            }
        }
    }
    gradient
        .iter_mut()
        .for_each(|g| *g /= subset.len().max(1) as f64);
    gradient
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn fits_are_optima_of_the_documented_objective(
        classes in 2_u32..5,
        dimension in 1_usize..12,
        penalty in 0.01_f64..3.0,
        members in prop::collection::vec(any::<bool>(), 60),
        salt: u64,
    ) {
        let (features, labels) = cluster(60, dimension, classes, salt);
        let samples = Samples::new(&features, dimension, &labels).unwrap();
        let utility =
            LogisticUtility::new(samples, samples, classes, penalty, 1e-8, Score::Accuracy).unwrap();
        let subset = (0..60).filter(|i| members[*i as usize]).collect::<Vec<_>>();
        let fit = utility.fit(&subset).unwrap();
        let gradient = gradient(
            (&features, &labels),
            dimension,
            classes as usize,
            penalty,
            &subset,
            &fit.coefficients,
        );
        prop_assert!(norm(&gradient) < 1.1e-8);
        prop_assert!((norm(&gradient) - fit.gradient_norm).abs() < 1e-12);
    }
}

#[test]
fn subsets_without_data_or_of_one_class_have_a_model() {
    for classes in [2, 3] {
        let (features, labels) = cluster(30, 4, classes, 1);
        let samples = Samples::new(&features, 4, &labels).unwrap();
        let utility =
            LogisticUtility::new(samples, samples, classes, 1.0, 1e-9, Score::LogLikelihood)
                .unwrap();
        let guess = -f64::from(classes).ln();
        assert!((utility.evaluate(&[]).unwrap() - guess).abs() < 1e-9);
        let ones = (0..30)
            .filter(|i| labels[*i as usize] == 1)
            .collect::<Vec<_>>();
        assert!(utility.evaluate(&ones).unwrap().is_finite());
        let all = (0..30).collect::<Vec<_>>();
        assert!(utility.evaluate(&all).unwrap() > guess);
    }
}

#[test]
fn scores_are_those_of_the_definitions() {
    // One feature; class 1 is to the right.
    let features = [-2.0, -1.0, 1.0, 2.0];
    let labels = [0, 0, 1, 1];
    let train = Samples::new(&features, 1, &labels).unwrap();
    let validation = Samples::new(&[-3.0, 3.0, 3.0, -0.5], 1, &[0, 1, 0, 0]).unwrap();
    let new = |score| LogisticUtility::new(train, validation, 2, 0.5, 1e-10, score).unwrap();
    let all = [0, 1, 2, 3];
    assert_eq!(new(Score::Accuracy).evaluate(&all).unwrap(), 0.75);
    // Every logit is zero without data, and of equals class 0 is predicted.
    assert_eq!(new(Score::Accuracy).evaluate(&[]).unwrap(), 0.75);
    let utility = new(Score::LogLikelihood);
    let theta = utility.fit(&all).unwrap().coefficients;
    assert!(theta[0] > 0.0 && theta[1].abs() < 1e-6);
    let log_likelihood = [(-3.0, 1), (3.0, 1), (3.0, 0), (-0.5, 0)]
        .map(|(x, truth): (f64, u32)| {
            let sign = if truth == 1 { 1.0 } else { -1.0 };
            let sign = if x == -3.0 { -1.0 } else { sign };
            -(1.0 + (-sign * (theta[0] * x + theta[1])).exp()).ln()
        })
        .iter()
        .sum::<f64>()
        / 4.0;
    assert!((utility.evaluate(&all).unwrap() - log_likelihood).abs() < 1e-9);
}

#[test]
fn hard_problems_converge_or_say_that_they_do_not() {
    let (mut features, labels) = cluster(200, 20, 2, 5);
    for (k, value) in features.iter_mut().enumerate() {
        *value *= [1.0, 30.0, 1000.0][k % 20 % 3];
    }
    let samples = Samples::new(&features, 20, &labels).unwrap();
    let utility = LogisticUtility::new(samples, samples, 2, 1e-3, 1e-4, Score::Accuracy).unwrap();
    assert!(utility.fit(&[0, 3, 4, 9, 77]).unwrap().gradient_norm <= 1e-4);
    let refused = LogisticUtility::new(samples, samples, 2, 1e-3, 1e-30, Score::Accuracy);
    assert!(matches!(refused, Err(Error::NotConverged { .. })));
}

#[test]
fn refuses_bad_parameters() {
    let samples = Samples::new(&[0.0, 1.0], 1, &[0, 1]).unwrap();
    let plane = Samples::new(&[0.0, 1.0], 2, &[0]).unwrap();
    let new = |validation, classes, penalty, tolerance| {
        LogisticUtility::new(
            samples,
            validation,
            classes,
            penalty,
            tolerance,
            Score::Accuracy,
        )
        .map(|_| ())
    };
    assert!(new(samples, 2, 1.0, 1e-4).is_ok());
    assert!(new(plane, 2, 1.0, 1e-4).is_err());
    assert!(new(samples, 1, 1.0, 1e-4).is_err());
    assert!(new(samples, 2, 0.0, 1e-4).is_err());
    assert!(new(samples, 2, 1.0, f64::NAN).is_err());
    let wrong = Samples::new(&[0.0, 1.0], 1, &[0, 2]).unwrap();
    assert!(matches!(
        new(wrong, 2, 1.0, 1e-4),
        Err(Error::Entry { index: 1, .. })
    ));
    let utility = LogisticUtility::new(samples, samples, 2, 1.0, 1e-4, Score::Accuracy).unwrap();
    assert!(utility.fit(&[2]).is_err());
}
