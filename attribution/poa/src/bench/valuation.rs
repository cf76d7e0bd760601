//! KNN-Shapley, beside sorting the same distances.

use super::{Bench, Measurement};
use anyhow::Result;
use attribution_engine::valuation::{
    knn_shapley::{from_features, KnnShapley, Prediction},
    Samples,
};
use rayon::prelude::*;
use std::hint::black_box;

const NEIGHBOURS: usize = 10;
const CLASSES: usize = 10;
const DIMENSION: usize = 64;

pub(super) fn measure(bench: &mut Bench) -> Result<()> {
    let (train, tests) = if bench.quick {
        (10_000, 200)
    } else {
        (100_000, 200)
    };
    let distances = bench
        .numbers(train * tests)
        .into_iter()
        .map(f32::abs)
        .collect::<Vec<_>>();
    let labels = labels(bench, train);
    let tested = self::labels(bench, tests);
    let model = KnnShapley::new(&labels, NEIGHBOURS, Prediction::Hard)?;
    let what = Measurement {
        name: format!("KNN-Shapley of {train} x {tests} distances"),
        unit: "pairs",
        amount: (train * tests) as f64,
        reference: "sorting their numbers by them",
        rounds: 3,
    };
    bench.compare(
        what,
        || {
            black_box(model.mean_values(black_box(&distances), &tested)?);
            Ok(())
        },
        || {
            sort(black_box(&distances), train);
            Ok(())
        },
    )?;

    let features = bench.numbers(train * DIMENSION);
    let points = bench.numbers(tests * DIMENSION);
    let train_set = Samples::new(&features, DIMENSION, &labels)?;
    let test_set = Samples::new(&points, DIMENSION, &tested)?;
    let what = Measurement {
        name: format!("KNN-Shapley end to end, {DIMENSION} features"),
        unit: "pairs",
        amount: (train * tests) as f64,
        reference: "sorting their numbers by distance",
        rounds: 3,
    };
    bench.compare(
        what,
        || {
            black_box(from_features(
                train_set,
                test_set,
                NEIGHBOURS,
                Prediction::Hard,
            )?);
            Ok(())
        },
        || {
            sort(black_box(&distances), train);
            Ok(())
        },
    )
}

fn labels(bench: &mut Bench, count: usize) -> Vec<u32> {
    (0..count).map(|_| bench.below(CLASSES) as u32).collect()
}

/// Sorts the numbers of the training data by their distances from each test point, with the standard
/// library and all threads.
fn sort(distances: &[f32], train: usize) {
    distances
        .par_chunks_exact(train)
        .for_each_init(Vec::new, |order, distances| {
            order.clear();
            order.extend(0..train as u32);
            order.sort_unstable_by(|a: &u32, b: &u32| {
                distances[*a as usize].total_cmp(&distances[*b as usize])
            });
            black_box(&order);
        });
}
