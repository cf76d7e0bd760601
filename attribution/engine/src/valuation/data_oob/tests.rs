use super::*;
use proptest::prelude::*;
use rand_chacha::rand_core::RngCore;

/// Four clusters, one of them a class of its own, with the given share of labels flipped.
pub(super) fn clusters(count: usize, percent: u32) -> (Vec<f32>, Vec<u32>, Vec<bool>) {
    let mut rng = stream(&[5; 32], 0);
    let mut features = Vec::new();
    let mut labels = Vec::new();
    let mut flipped = Vec::new();
    for _ in 0..count {
        let cluster = below(&mut rng, 4);
        let mut spread = || (f64::from(rng.next_u32()) / 2_f64.powi(32) - 0.5) as f32 * 1.6;
        let (x, y) = (spread(), spread());
        features.extend([
            x + 2.0 * (cluster % 2) as f32,
            y + 2.0 * (cluster / 2) as f32,
            spread(),
        ]);
        let flip = below(&mut rng, 100) < percent;
        labels.push(u32::from(cluster == 3) ^ u32::from(flip));
        flipped.push(flip);
    }
    (features, labels, flipped)
}

pub(super) fn bags(count: u32) -> Bags {
    Bags {
        seed: [1; 32],
        count,
        depth: None,
        tried: Tried::All,
    }
}

#[test]
fn mislabelled_data_have_low_values() {
    for percent in [10, 30] {
        let (features, labels, flipped) = clusters(400, percent);
        let samples = Samples::new(&features, 3, &labels).unwrap();
        let shallow = Bags {
            depth: Some(4),
            ..bags(200)
        };
        let values = by_trees(samples, 2, &shallow).unwrap();
        let values = values.iter().map(|value| value.value).collect::<Vec<_>>();
        let threshold = two_means(&values).unwrap();
        let count = |suspect: bool, flip: bool| {
            values
                .iter()
                .zip(&flipped)
                .filter(|(value, is)| (**value < threshold) == suspect && **is == flip)
                .count() as f64
        };
        let (hit, alarm, miss) = (count(true, true), count(true, false), count(false, true));
        let f1 = 2.0 * hit / (2.0 * hit + alarm + miss);
        assert!(f1 > 0.85, "{f1} at {percent} %");
    }
}

#[test]
fn values_are_shares_of_right_predictions_out_of_bag() {
    let (features, labels, _) = clusters(60, 20);
    let samples = Samples::new(&features, 3, &labels).unwrap();
    let found = by_trees(samples, 2, &bags(100)).unwrap();
    let bins = Bins::new(samples);
    let mut grower = Grower::new(&bins, &labels, 2);
    let mut scores = vec![Vec::new(); 60];
    for bag in 0..100 {
        let mut rng = stream(&[1; 32], bag);
        let weights = bootstrap(&mut rng, 60);
        assert_eq!(weights.iter().sum::<u32>(), 60);
        let tree = grower.grow(&weights, u32::MAX, 3, &mut rng);
        for datum in (0..60).filter(|datum| weights[*datum] == 0) {
            scores[datum].push(f64::from(tree.predict(&bins, datum) == labels[datum]));
        }
    }
    for (found, scores) in found.iter().zip(scores) {
        let count = scores.len() as f64;
        let mean = scores.iter().sum::<f64>() / count;
        let squares = scores
            .iter()
            .map(|score| (score - mean).powi(2))
            .sum::<f64>();
        assert!((found.value - mean).abs() < 1e-12);
        assert!((found.standard_error - (squares / (count - 1.0) / count).sqrt()).abs() < 1e-12);
        assert_eq!(found.degrees_of_freedom, count - 1.0);
    }
}

#[test]
fn threads_do_not_matter_and_depth_does() {
    let (features, labels, _) = clusters(150, 20);
    let samples = Samples::new(&features, 3, &labels).unwrap();
    let run = |threads| {
        rayon::ThreadPoolBuilder::new()
            .num_threads(threads)
            .build()
            .unwrap()
            .install(|| by_trees(samples, 2, &bags(100)).unwrap())
    };
    assert_eq!(run(1), run(2));
    assert_eq!(run(1), run(4));
    let stumps = Bags {
        depth: Some(1),
        ..bags(100)
    };
    assert_ne!(run(1), by_trees(samples, 2, &stumps).unwrap());
}

#[test]
fn refuses_bad_parameters() {
    let samples = Samples::new(&[0.0, 1.0, 2.0], 1, &[0, 1, 1]).unwrap();
    assert!(by_trees(samples, 1, &bags(50)).is_err());
    assert!(by_trees(samples, 1 << 17, &bags(50)).is_err());
    assert!(by_trees(samples, 2, &bags(1)).is_err());
    assert!(matches!(
        by_trees(samples, 2, &bags(2)),
        Err(Error::RarelyOutOfBag { bags: 2, .. })
    ));
    assert!(two_means(&[]).is_err());
    assert!(two_means(&[0.5, 0.5]).is_err());
    assert!(matches!(
        two_means(&[0.5, f64::NAN]),
        Err(Error::Entry { index: 1, .. })
    ));
}

proptest! {
    #[test]
    fn two_means_leave_the_least_squares(values in prop::collection::vec(-50_i32..50, 2..40)) {
        let values = values.iter().map(|value| f64::from(*value)).collect::<Vec<_>>();
        let within = |threshold: f64| {
            [true, false]
                .iter()
                .map(|low| {
                    let side = values
                        .iter()
                        .filter(|value| (**value < threshold) == *low)
                        .collect::<Vec<_>>();
                    let mean = side.iter().copied().sum::<f64>() / side.len().max(1) as f64;
                    side.iter().map(|value| (**value - mean).powi(2)).sum::<f64>()
                })
                .sum::<f64>()
        };
        let least = (-50..50)
            .map(|at| within(f64::from(at) + 0.5))
            .fold(f64::INFINITY, f64::min);
        match two_means(&values) {
            Ok(threshold) => prop_assert!((within(threshold) - least).abs() < 1e-6),
            Err(_) => prop_assert!(values.iter().all(|value| *value == values[0])),
        }
    }
}
