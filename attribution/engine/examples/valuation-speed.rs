//! What valuation costs, and how honest its intervals are.
//!
//! ```text
//! cargo run --release --example valuation-speed              everything
//! cargo run --release --example valuation-speed -- sorting   one part; others are in `main`
//! cargo run --release --example valuation-speed -- --quick   small versions
//! ```
//!
//! Lines that begin with `RESULT` are rows of a table, tab separated: what, measured, bound, verdict.
//! Fails when values differ from their definition.

use std::{hint::black_box, process::ExitCode, time::Instant};

use attribution_engine::{
    valuation::{
        banzhaf::{by_sample_reuse, SampleReuse},
        data_oob::{by_margins, by_trees, Bags, Tried},
        knn_shapley::{from_features, KnnShapley, Prediction},
        semivalues::{exact, Semivalue},
        utility::{FunctionUtility, KnnScore, KnnUtility, LogisticUtility, Score, Utility},
        Samples,
    },
    Error,
};
use rand_chacha::{
    rand_core::{RngCore, SeedableRng},
    ChaCha8Rng,
};
use rayon::prelude::*;

/// Runs one part, small or whole; false where an answer is wrong.
type Part = fn(bool) -> Result<bool, Error>;

fn main() -> ExitCode {
    let parts: [(&str, Part); 6] = [
        ("brute-force", brute_force),
        ("sorting", sorting),
        ("end-to-end", end_to_end),
        ("logistic", logistic),
        ("trees", trees),
        ("coverage", coverage),
    ];
    let (options, wanted): (Vec<_>, Vec<_>) =
        std::env::args().skip(1).partition(|word| word == "--quick");
    let quick = !options.is_empty();
    if let Some(unknown) = wanted
        .iter()
        .find(|wanted| parts.iter().all(|(name, _)| name != wanted))
    {
        eprintln!("error: there is no part {unknown}");
        return ExitCode::FAILURE;
    }
    println!("{} threads", rayon::current_num_threads());
    let mut right = true;
    for (name, run) in parts {
        if wanted.is_empty() || wanted.iter().any(|wanted| wanted == name) {
            match run(quick) {
                Ok(good) => right &= good,
                Err(error) => {
                    eprintln!("error: {name}: {error}");
                    return ExitCode::FAILURE;
                }
            }
        }
    }
    if right {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}

fn row(what: &str, measured: &str, bound: &str, holds: bool) {
    let verdict = if holds { "holds" } else { "misses" };
    println!("RESULT\t{what}\t{measured}\t{bound}\t{verdict}");
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

/// Values for twelve data by the closed form and by the sum over all 4,096 coalitions.
fn brute_force(quick: bool) -> Result<bool, Error> {
    let mut largest = 0.0_f64;
    for case in 0..if quick { 2 } else { 20 } {
        let (features, points) = (normals(100 + case, 12 * 3), normals(200 + case, 5 * 3));
        let (own, tested) = (labels(300 + case, 12, 3), labels(400 + case, 5, 3));
        let train = Samples::new(&features, 3, &own)?;
        let test = Samples::new(&points, 3, &tested)?;
        for neighbours in [1, 3, 5, 12, 20] {
            for (prediction, score) in [
                (Prediction::Hard, KnnScore::HardVotes),
                (
                    Prediction::Soft { classes: 3 },
                    KnnScore::SoftVotes { classes: 3 },
                ),
            ] {
                let found = from_features(train, test, neighbours, prediction)?;
                let utility = KnnUtility::new(train, test, neighbours, score)?;
                let expected = exact(&utility, Semivalue::Shapley)?;
                for (found, expected) in found.iter().zip(expected) {
                    largest = largest.max((found - expected).abs());
                }
            }
        }
    }
    let holds = largest <= 1e-12;
    row(
        "KNN-Shapley against all coalitions, n = 12",
        &format!("largest difference {largest:.1e}"),
        "1e-12",
        holds,
    );
    Ok(holds)
}

fn sorting(quick: bool) -> Result<bool, Error> {
    let one = rayon::ThreadPoolBuilder::new().num_threads(1).build();
    let one = one.map_err(|error| Error::UtilityCommand {
        command: "a pool of one thread".to_owned(),
        problem: error.to_string(),
    })?;
    let scale = if quick { 10 } else { 1 };
    let mut least = f64::INFINITY;
    let mut least_alone = f64::INFINITY;
    for (train, tests) in [
        (1_000, 10_000 / scale),
        (10_000, 2_000 / scale),
        (100_000, 320 / scale),
        (1_000_000, 32 / scale.min(4)),
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
            let rate = |seconds: f64| (train * tests) as f64 / seconds / 1e6;
            let all = rate(best(|| model.mean_values(&distances, &tested))?);
            let alone = rate(one.install(|| best(|| model.mean_values(&distances, &tested)))?);
            if train <= 100_000 && prediction == Prediction::Hard {
                least = least.min(all);
                least_alone = least_alone.min(alone);
            }
            println!(
                "KNN-Shapley from distances, {train} x {tests}, {prediction:?}: {all:.1} million \
                 pairs/s, {alone:.1} on one thread"
            );
        }
    }
    row(
        "KNN-Shapley, sort and recursion with distances given, n up to 1e5",
        &format!(
            "{least:.0} M pairs/s on {} threads, {least_alone:.0} on one (the least of 1e3, 1e4, 1e5)",
            rayon::current_num_threads()
        ),
        "100 M pairs/s",
        least >= 100.0,
    );
    Ok(true)
}

fn end_to_end(quick: bool) -> Result<bool, Error> {
    let (train, tests, dimension) = (if quick { 100_000 } else { 1_000_000 }, 100, 64);
    let (features, points) = (normals(4, train * dimension), normals(5, tests * dimension));
    let (own, tested) = (labels(6, train, 10), labels(7, tests, 10));
    let samples = Samples::new(&features, dimension, &own)?;
    let test = Samples::new(&points, dimension, &tested)?;
    let seconds = best(|| from_features(samples, test, 10, Prediction::Hard))?;
    row(
        &format!("KNN-Shapley end to end, {train} x {tests}, d = {dimension}"),
        &format!("{seconds:.2} s"),
        "5 s for 1000000 x 100",
        seconds * 1e6 / train as f64 <= 5.0,
    );
    Ok(true)
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

fn logistic(quick: bool) -> Result<bool, Error> {
    let (count, dimension, fits) = (1_000, 50, if quick { 100 } else { 1_000 });
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
    Ok(true)
}

fn trees(quick: bool) -> Result<bool, Error> {
    for (count, dimension, classes) in [(1_437, 64, 10), (569, 30, 2), (10_000, 20, 2)] {
        let (features, own) = linear(20, count, dimension, classes);
        let samples = Samples::new(&features, dimension, &own)?;
        let bags = Bags {
            seed: [1; 32],
            count: if quick { 50 } else { 100 },
            depth: None,
            tried: Tried::SquareRoot,
        };
        let correctness = best(|| by_trees(samples, classes, &bags))?;
        let margins = best(|| by_margins(samples, classes, &bags))?;
        println!(
            "{} trees, {count} x {dimension}, {classes} classes: Data-OOB {correctness:.3} s, margins \
             {margins:.3} s",
            bags.count
        );
    }
    Ok(true)
}

/// Games on twelve data of three kinds, whose Banzhaf values are known exactly.
fn coverage(quick: bool) -> Result<bool, Error> {
    let banzhaf = Semivalue::Banzhaf { probability: 0.5 };
    let mut shares = Vec::new();
    for kind in ["scattered", "saturating", "threshold"] {
        for subsets in [50, 200, 1_000] {
            let (mut covered, mut cases) = (0, 0);
            for seed in 0..if quick { 170 } else { 500_u64 } {
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
                    range: (kind == "threshold").then_some((0.0, 1.0)),
                };
                for (found, truth) in by_sample_reuse(&game, &sampling)?.values.iter().zip(truth) {
                    let (low, high) = found.interval();
                    covered += u32::from(low <= truth && truth <= high);
                    cases += 1;
                }
            }
            let share = 100.0 * f64::from(covered) / f64::from(cases);
            println!(
                "Banzhaf intervals cover {share:.1} % of {cases} values, {kind} games, {subsets} subsets"
            );
            shares.push(share);
        }
    }
    let least = shares.iter().copied().fold(f64::INFINITY, f64::min);
    let most = shares.iter().copied().fold(0.0, f64::max);
    row(
        "Banzhaf, 95 % intervals against exact games of 12 data, three kinds, 50 to 1000 subsets",
        &format!("{least:.1} to {most:.1} % covered"),
        "93 to 97 % in each",
        least >= 93.0 && most <= 97.0,
    );
    Ok(true)
}
