//! What valuation costs, and how honest its intervals are.
//!
//! ```text
//! cargo run --release --example valuation-speed              everything
//! cargo run --release --example valuation-speed -- sorting   one part; others are in `main`
//! RAYON_NUM_THREADS=1 cargo run --release --example valuation-speed
//! ```

use std::{hint::black_box, time::Instant};

use attribution_engine::{
    valuation::{
        banzhaf::{by_sample_reuse, SampleReuse},
        data_oob::{by_trees, Bags, Tried},
        knn_shapley::{from_features, KnnShapley, Prediction},
        semivalues::{exact, Semivalue},
        utility::{FunctionUtility, LogisticUtility, Score, Utility},
        Samples,
    },
    Error,
};
use rand_chacha::{
    rand_core::{RngCore, SeedableRng},
    ChaCha8Rng,
};
use rayon::prelude::*;

fn main() -> Result<(), Error> {
    let parts: [(&str, fn() -> Result<(), Error>); 5] = [
        ("sorting", sorting),
        ("end-to-end", end_to_end),
        ("logistic", logistic),
        ("trees", trees),
        ("coverage", coverage),
    ];
    println!("{} threads", rayon::current_num_threads());
    let wanted = std::env::args().skip(1).collect::<Vec<_>>();
    for (name, run) in parts {
        if wanted.is_empty() || wanted.iter().any(|wanted| wanted == name) {
            run()?;
        }
    }
    Ok(())
}

/// The best of three runs, in seconds.
fn best<T>(mut run: impl FnMut() -> Result<T, Error>) -> Result<f64, Error> {
    let mut least = f64::INFINITY;
    for _ in 0..3 {
        let start = Instant::now();
        black_box(run()?);
        least = least.min(start.elapsed().as_secs_f64());
    }
    Ok(least)
}

fn uniform(rng: &mut ChaCha8Rng) -> f64 {
    (f64::from(rng.next_u32()) + 0.5) / 4_294_967_296.0
}

fn normal(rng: &mut ChaCha8Rng) -> f32 {
    let radius = (-2.0 * uniform(rng).ln()).sqrt();
    (radius * (std::f64::consts::TAU * uniform(rng)).cos()) as f32
}

fn normals(seed: u64, count: usize) -> Vec<f32> {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    (0..count).map(|_| normal(&mut rng)).collect()
}

fn labels(seed: u64, count: usize, classes: u32) -> Vec<u32> {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    (0..count).map(|_| rng.next_u32() % classes).collect()
}

fn sorting() -> Result<(), Error> {
    for (train, tests) in [
        (1_000, 10_000),
        (10_000, 2_000),
        (100_000, 320),
        (1_000_000, 32),
    ] {
        // Squared distances of Gaussian vectors are chi-squared, here with four degrees of freedom.
        let mut rng = ChaCha8Rng::seed_from_u64(1);
        let distances = (0..train * tests)
            .map(|_| -2.0 * (uniform(&mut rng) * uniform(&mut rng)).ln() as f32)
            .collect::<Vec<_>>();
        let own = labels(2, train, 10);
        let tested = labels(3, tests, 10);
        for prediction in [Prediction::Hard, Prediction::Soft { classes: 10 }] {
            let model = KnnShapley::new(&own, 10, prediction)?;
            let seconds = best(|| model.mean_values(&distances, &tested))?;
            println!(
                "KNN-Shapley from distances, {train} x {tests}, {prediction:?}: {:.1} million pairs/s",
                (train * tests) as f64 / seconds / 1e6
            );
        }
    }
    Ok(())
}

fn end_to_end() -> Result<(), Error> {
    let (train, tests, dimension) = (1_000_000, 100, 64);
    let (features, points) = (normals(4, train * dimension), normals(5, tests * dimension));
    let (own, tested) = (labels(6, train, 10), labels(7, tests, 10));
    let train = Samples::new(&features, dimension, &own)?;
    let test = Samples::new(&points, dimension, &tested)?;
    let seconds = best(|| from_features(train, test, 10, Prediction::Hard))?;
    println!("KNN-Shapley end to end, 1000000 x 100, d = 64: {seconds:.2} s");
    Ok(())
}

/// Labels by a noisy linear rule, classes shifted along it.
fn linear(seed: u64, count: usize, dimension: usize, classes: u32) -> (Vec<f32>, Vec<u32>) {
    let mut features = normals(seed, count * dimension);
    let own = labels(seed + 1, count, classes);
    for (row, label) in features.chunks_exact_mut(dimension).zip(&own) {
        for (k, value) in row.iter_mut().enumerate() {
            if k as u32 % classes == *label {
                *value += 0.3;
            }
        }
    }
    (features, own)
}

fn logistic() -> Result<(), Error> {
    let (count, dimension, fits) = (1_000, 50, 1_000);
    for (classes, tolerance) in [(2, 1e-4), (2, 1e-7), (10, 1e-4)] {
        let (features, own) = linear(8, count, dimension, classes);
        let (points, tested) = linear(8, 500, dimension, classes);
        let train = Samples::new(&features, dimension, &own)?;
        let validation = Samples::new(&points, dimension, &tested)?;
        let utility =
            LogisticUtility::new(train, validation, classes, 1.0, tolerance, Score::Accuracy)?;
        // All data but a random tenth, and a random half.
        for kept in [0.9, 0.5] {
            let subsets = (0..fits)
                .map(|fit| {
                    let mut rng = ChaCha8Rng::seed_from_u64(1_000 + fit);
                    (0..count as u32)
                        .filter(|_| uniform(&mut rng) < kept)
                        .collect::<Vec<_>>()
                })
                .collect::<Vec<_>>();
            let seconds = best(|| {
                subsets
                    .par_iter()
                    .map(|subset| utility.evaluate(subset))
                    .collect::<Result<Vec<_>, _>>()
            })?;
            let iterations = utility.fit(&subsets[0])?.iterations;
            println!(
                "{fits} logistic fits and scores, {:.0} x {dimension}, {classes} classes, gradient \
                 {tolerance:e} in {iterations} iterations: {seconds:.2} s",
                kept * count as f64
            );
        }
    }
    // The whole set each time, from zero: what a fit costs without a start.
    let (features, own) = linear(8, count, dimension, 2);
    let train = Samples::new(&features, dimension, &own)?;
    let one = Samples::new(&features[..dimension], dimension, &own[..1])?;
    let seconds = best(|| {
        (0..fits)
            .into_par_iter()
            .map(|_| LogisticUtility::new(train, one, 2, 1.0, 1e-4, Score::Accuracy).map(|_| ()))
            .collect::<Result<Vec<_>, _>>()
    })?;
    println!("{fits} logistic fits from zero, {count} x {dimension}, 2 classes: {seconds:.2} s");
    Ok(())
}

fn trees() -> Result<(), Error> {
    for (count, dimension, classes) in [(1_437, 64, 10), (569, 30, 2), (10_000, 20, 2)] {
        let (features, own) = linear(20, count, dimension, classes);
        let samples = Samples::new(&features, dimension, &own)?;
        let bags = Bags {
            seed: [1; 32],
            count: 100,
            depth: None,
            tried: Tried::All,
        };
        let seconds = best(|| by_trees(samples, classes, &bags))?;
        println!("Data-OOB, 100 trees, {count} x {dimension}, {classes} classes: {seconds:.2} s");
    }
    Ok(())
}

/// Games on twelve data of three kinds, whose Banzhaf values are known exactly.
fn coverage() -> Result<(), Error> {
    let banzhaf = Semivalue::Banzhaf { probability: 0.5 };
    for kind in ["scattered", "saturating", "threshold"] {
        for subsets in [50, 200, 1_000] {
            let (mut covered, mut cases) = (0, 0);
            for seed in 0..250_u64 {
                let mut rng = ChaCha8Rng::seed_from_u64(seed);
                let weights = (0..12)
                    .map(|_| f64::from(normal(&mut rng)))
                    .collect::<Vec<_>>();
                let noise = (0..1 << 12)
                    .map(|_| f64::from(normal(&mut rng)))
                    .collect::<Vec<_>>();
                let game = FunctionUtility::new(12, |subset: &[u32]| {
                    let members = subset.iter().fold(0_usize, |sum, datum| sum | 1 << datum);
                    let sum = subset.iter().map(|i| weights[*i as usize]).sum::<f64>();
                    Ok(match kind {
                        "scattered" => sum + noise[members],
                        "saturating" => (0.5 * sum).tanh() + 0.05 * noise[members],
                        _ => f64::from(sum > 1.0),
                    })
                });
                let truth = exact(&game, banzhaf)?;
                let mut bytes = [0; 32];
                bytes[..8].copy_from_slice(&seed.to_le_bytes());
                let sampling = SampleReuse {
                    seed: bytes,
                    subsets,
                    probability: 0.5,
                };
                for (found, truth) in by_sample_reuse(&game, &sampling)?.values.iter().zip(truth) {
                    let (low, high) = found.interval();
                    covered += u32::from(low <= truth && truth <= high);
                    cases += 1;
                }
            }
            println!(
                "Banzhaf intervals cover {:.1} % of {cases} values, {kind} games, {subsets} subsets",
                100.0 * f64::from(covered) / f64::from(cases)
            );
        }
    }
    Ok(())
}
