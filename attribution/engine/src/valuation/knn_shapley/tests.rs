use super::*;
use proptest::prelude::*;

/// The utility of a subset for one test point, by its definition.
fn utility(
    order: &[usize],
    matches: &[bool],
    subset: u32,
    neighbours: usize,
    prediction: Prediction,
) -> f64 {
    let nearest = order
        .iter()
        .filter(|datum| subset >> **datum & 1 == 1)
        .take(neighbours)
        .collect::<Vec<_>>();
    let hits = nearest.iter().filter(|datum| matches[***datum]).count() as f64;
    match prediction {
        Prediction::Hard => hits / neighbours as f64,
        Prediction::Soft { classes } if nearest.is_empty() => 1.0 / f64::from(classes),
        Prediction::Soft { .. } => hits / nearest.len() as f64,
    }
}

/// The Shapley values by the sum over all coalitions.
fn brute_force(
    distances: &[f32],
    labels: &[u32],
    label: u32,
    neighbours: usize,
    prediction: Prediction,
) -> Vec<f64> {
    let count = labels.len();
    let mut order = (0..count).collect::<Vec<_>>();
    order.sort_by(|a, b| distances[*a].partial_cmp(&distances[*b]).unwrap());
    let matches = labels.iter().map(|own| *own == label).collect::<Vec<_>>();
    let utilities = (0..1_u32 << count)
        .map(|subset| utility(&order, &matches, subset, neighbours, prediction))
        .collect::<Vec<_>>();
    let factorial = |k: u32| (1..=u64::from(k)).product::<u64>() as f64;
    (0..count)
        .map(|datum| {
            (0..1_u32 << count)
                .filter(|subset| subset >> datum & 1 == 0)
                .map(|subset| {
                    let size = subset.count_ones();
                    factorial(size) * factorial(count as u32 - size - 1) / factorial(count as u32)
                        * (utilities[(subset | 1 << datum) as usize] - utilities[subset as usize])
                })
                .sum()
        })
        .collect()
}

fn compare(distances: &[f32], labels: &[u32], label: u32, neighbours: usize) {
    for prediction in [Prediction::Hard, Prediction::Soft { classes: 3 }] {
        let found = KnnShapley::new(labels, neighbours, prediction)
            .unwrap()
            .values(distances, label)
            .unwrap();
        let expected = brute_force(distances, labels, label, neighbours, prediction);
        for (found, expected) in found.iter().zip(&expected) {
            assert!(
                (found - expected).abs() < 1e-12,
                "{prediction:?}, {neighbours} neighbours of {}: {found} for {expected}",
                labels.len()
            );
        }
    }
}

#[test]
fn values_are_the_sums_over_all_coalitions_of_twelve() {
    let distances = [0.4, 0.1, 2.5, 0.4, 1.1, 0.9, 7.0, 0.05, 0.4, 3.0, 1.0, 0.6];
    let labels = [0, 1, 0, 2, 0, 1, 1, 0, 0, 2, 0, 1];
    for neighbours in [1, 2, 5, 11, 12, 13, 40] {
        for label in 0..3 {
            compare(&distances, &labels, label, neighbours);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn values_are_the_sums_over_all_coalitions(
        data in prop::collection::vec((0_u32..6, 0_u32..3), 1..9),
        label in 0_u32..4,
        neighbours in 1_usize..12,
    ) {
        let distances = data.iter().map(|datum| datum.0 as f32).collect::<Vec<_>>();
        let labels = data.iter().map(|datum| datum.1).collect::<Vec<_>>();
        compare(&distances, &labels, label, neighbours);
    }
}

fn pseudo_random(count: usize, salt: u64) -> Vec<f32> {
    (0..count as u64)
        .map(|i| {
            let mixed = (i + 1 + salt).wrapping_mul(0x9e37_79b9_7f4a_7c15);
            ((mixed ^ mixed >> 29).wrapping_mul(0xbf58_476d_1ce4_e5b9) >> 40) as f32 / 1e6
        })
        .collect()
}

#[test]
fn features_give_the_mean_over_test_points_on_any_number_of_threads() {
    let (train, tests, dimension) = (300, 37, 5);
    let features = pseudo_random(train * dimension, 1);
    let labels = (0..train as u32).map(|i| i * i % 7 % 3).collect::<Vec<_>>();
    let points = pseudo_random(tests * dimension, 99);
    let point_labels = (0..tests as u32).map(|i| i % 3).collect::<Vec<_>>();
    let train = Samples::new(&features, dimension, &labels).unwrap();
    let test = Samples::new(&points, dimension, &point_labels).unwrap();
    for prediction in [Prediction::Hard, Prediction::Soft { classes: 3 }] {
        let run = |threads| {
            rayon::ThreadPoolBuilder::new()
                .num_threads(threads)
                .build()
                .unwrap()
                .install(|| from_features(train, test, 10, prediction).unwrap())
        };
        let one = run(1);
        assert_eq!(one, run(2));
        assert_eq!(one, run(4));

        let model = KnnShapley::new(&labels, 10, prediction).unwrap();
        let mut mean = vec![0.0; labels.len()];
        let mut all = 0.0;
        for (point, label) in points.chunks(dimension).zip(&point_labels) {
            let distances = features
                .chunks(dimension)
                .map(|row| row.iter().zip(point).map(|(a, b)| (a - b) * (a - b)).sum())
                .collect::<Vec<f32>>();
            for (mean, value) in mean
                .iter_mut()
                .zip(model.values(&distances, *label).unwrap())
            {
                *mean += value / tests as f64;
            }
            let mut order = (0..labels.len()).collect::<Vec<_>>();
            order.sort_by(|a, b| distances[*a].partial_cmp(&distances[*b]).unwrap());
            let hits = order[..10].iter().filter(|i| labels[**i] == *label).count();
            all += hits as f64 / 10.0 / tests as f64;
        }
        for (found, expected) in one.iter().zip(&mean) {
            assert!((found - expected).abs() < 1e-12);
        }
        let none = match prediction {
            Prediction::Hard => 0.0,
            Prediction::Soft { .. } => 1.0 / 3.0,
        };
        assert!((one.iter().sum::<f64>() - (all - none)).abs() < 1e-12);
    }
}

#[test]
fn refuses_what_has_no_value() {
    let refused = |result: Result<Vec<f64>, Error>| result.unwrap_err().to_string();
    assert!(KnnShapley::new(&[], 1, Prediction::Hard).is_err());
    assert!(KnnShapley::new(&[1], 0, Prediction::Hard).is_err());
    assert!(KnnShapley::new(&[1], 1, Prediction::Soft { classes: 0 }).is_err());
    let model = KnnShapley::new(&[0, 1, 0], 1, Prediction::Hard).unwrap();
    assert_eq!(
        refused(model.values(&[1.0, 2.0], 0)),
        "matrix of distances has 2 entries where 3 were expected"
    );
    assert_eq!(
        refused(model.mean_values(&[1.0, 2.0, 0.0, 1.0, f32::NAN, 1.0], &[0, 1])),
        "distance (row-major) at offset 4 is NaN, but it must be finite"
    );
    assert_eq!(
        refused(model.mean_values(&[], &[])),
        "number of test points is 0, but it must be in 1..=2147483647"
    );
    let train = Samples::new(&[0.0, 3e30], 1, &[0, 1]).unwrap();
    let overflow = Samples::new(&[-3e30], 1, &[0]).unwrap();
    assert!(
        refused(from_features(train, overflow, 1, Prediction::Hard)).contains("offset 0 is inf")
    );
    let plane = Samples::new(&[0.0, 1.0], 2, &[0]).unwrap();
    assert!(matches!(
        from_features(train, plane, 1, Prediction::Hard),
        Err(Error::Shape {
            found: 2,
            expected: 1,
            ..
        })
    ));
    assert!(Samples::new(&[], 0, &[0]).is_err());
    assert!(Samples::new(&[], 1, &[]).is_err());
    assert!(Samples::new(&[1.0], 2, &[0]).is_err());
    assert!(matches!(
        Samples::new(&[1.0, f32::NAN], 2, &[0]),
        Err(Error::Entry { index: 1, .. })
    ));
}
