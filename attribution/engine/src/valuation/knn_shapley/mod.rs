//! Exact Shapley values of the data of a `K`-nearest-neighbour model.
//!
//! For one test point, with the training data in order of distance (ties by number) and `m_i = 1`
//! where the `i`-th nearest has the test point's label:
//!
//! - [`Prediction::Hard`]: the utility of a subset is `(1/K) Σ m` over its `min(K, |S|)` nearest data,
//!   0 for none. Neighbours that a subset lacks count as wrong, so also with `K > n` the sum is divided
//!   by `K`. R. Jia et al., *Efficient task-specific data valuation for nearest neighbor algorithms*,
//!   PVLDB 12(11), 2019, theorem 1:
//!
//!   ```text
//!   s_N = m_N · min(K, N) / (N K)
//!   s_i = s_(i+1) + (m_i − m_(i+1)) · min(K, i) / (K i)
//!   ```
//! - [`Prediction::Soft`]: the utility of a subset is the mean of `m` over its `min(K, |S|)` nearest
//!   data, `1/C` for none (`C` classes). J. T. Wang and R. Jia, *A note on "Efficient task-specific
//!   data valuation for nearest neighbor algorithms"*, arXiv 2304.04258, theorem 2, with
//!   `c = Σ_(j<N) m_j`:
//!
//!   ```text
//!   s_N = (m_N − c / (N−1)) / N · Σ_(j=2..K) 1/j  +  (m_N − 1/C) / N
//!   s_i = s_(i+1) + (m_i − m_(i+1)) / (N−1) · [ Σ_(j=1..K) 1/j + min(i,K) (N−1) / (i K) − 1 ]
//!   ```
//!
//!   With `K > N` no subset has more than `N` neighbours, so the utility, and with it the values, are
//!   those of `K = N`.
//!
//! Either utility is averaged over the test points, and so are the values: their sum is the utility of
//! all data minus that of none. Values are computed in `f64`.

use std::ops::Range;

use rayon::prelude::*;

use crate::{
    valuation::samples::{check_count, Samples},
    Error,
};

mod distances;
mod order;
#[cfg(test)]
mod tests;

pub(crate) use distances::Panels;
pub(crate) use order::Sorter;

/// Into how many runs of consecutive test points the work is cut, each with its own sums, which are
/// then added in order. It is a constant so that results do not depend on the number of threads.
const BLOCKS: usize = 16;
/// Test points whose distances are computed together, while a panel of training data is in cache.
const TOGETHER: usize = 8;

/// What the nearest-neighbour model predicts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Prediction {
    /// `K` votes, always.
    Hard,
    /// The share of votes among the neighbours that are there; with none, a uniform guess.
    Soft {
        /// Number of classes `C`, at least 1.
        classes: u32,
    },
}

/// What does not depend on the test point: labels and the recursion's coefficients.
///
/// Takes `8 n` bytes; while values are computed `8 n` more for each of at most 16 runs of test points,
/// and `16 n` for each thread.
pub struct KnnShapley<'a> {
    labels: &'a [u32],
    prediction: Prediction,
    /// The factor of `m_N` in `s_N`.
    last: f64,
    /// For soft labels, what `c / (N−1)` and `1/C` take from `s_N`.
    others: f64,
    guess: f64,
    /// The factors of `m_i − m_(i+1)`, `i = 1..N`.
    steps: Vec<f64>,
}

impl<'a> KnnShapley<'a> {
    /// Prepares the valuation of training data with these `labels` by `neighbours` (`K`).
    ///
    /// # Errors
    /// There must be 1..=2³¹ − 1 labels, at least one neighbour and at least one class.
    pub fn new(
        labels: &'a [u32],
        neighbours: usize,
        prediction: Prediction,
    ) -> Result<Self, Error> {
        let count = labels.len();
        check_count("number of training data", count)?;
        check_neighbours(neighbours)?;
        let k = neighbours as f64;
        let n = count as f64;
        let nearest = |rank: usize| neighbours.min(rank) as f64;
        let prepared = match prediction {
            Prediction::Hard => Self {
                labels,
                prediction,
                last: nearest(count) / (n * k),
                others: 0.0,
                guess: 0.0,
                steps: (1..count)
                    .map(|rank| nearest(rank) / (k * rank as f64))
                    .collect(),
            },
            Prediction::Soft { classes } => {
                if classes == 0 {
                    return Err(Error::parameter("number of classes", 0, "at least 1"));
                }
                let k = nearest(count);
                let harmonic = (2..=neighbours.min(count))
                    .rev()
                    .map(|j| 1.0 / j as f64)
                    .sum::<f64>();
                let step = |rank: usize| {
                    let share = nearest(rank) * (n - 1.0) / (rank as f64 * k);
                    (harmonic + share) / (n - 1.0)
                };
                Self {
                    labels,
                    prediction,
                    last: (1.0 + harmonic) / n,
                    // With one datum there are no others to have a mean.
                    others: harmonic / (n * (n - 1.0).max(1.0)),
                    guess: 1.0 / (f64::from(classes) * n),
                    steps: (1..count).map(step).collect(),
                }
            }
        };
        Ok(prepared)
    }

    /// The values of the training data for one test point: `distances` (`n`, any measure that grows
    /// with distance) and the point's `label`.
    ///
    /// # Errors
    /// When the number of distances is not `n` or one is not finite.
    pub fn values(&self, distances: &[f32], label: u32) -> Result<Vec<f64>, Error> {
        self.mean_values(distances, &[label])
    }

    /// The mean values over `m` test points: `distances` (`m x n`, row-major) and the points'
    /// `labels`. Parallel over test points.
    ///
    /// # Errors
    /// When there is no test point, the number of distances is not `m n`, or one is not finite.
    pub fn mean_values(&self, distances: &[f32], labels: &[u32]) -> Result<Vec<f64>, Error> {
        let count = self.labels.len();
        // A product that overflows cannot be the length of a slice either.
        let expected = labels.len().saturating_mul(count);
        Error::check_shape("matrix of distances", distances.len(), expected)?;
        self.in_blocks(labels.len(), |worker, tests| {
            for test in tests {
                worker.add(test, &distances[test * count..][..count], labels[test])?;
            }
            Ok(())
        })
    }

    /// The mean over `tests` test points, of which `run` adds a range to a worker's sums.
    fn in_blocks(
        &self,
        tests: usize,
        run: impl Fn(&mut Worker<'_>, Range<usize>) -> Result<(), Error> + Sync,
    ) -> Result<Vec<f64>, Error> {
        check_count("number of test points", tests)?;
        let blocks = BLOCKS.min(tests);
        let sums = (0..blocks)
            .into_par_iter()
            .map(|block| {
                let mut worker = Worker {
                    model: self,
                    sorter: Sorter::default(),
                    sums: vec![0.0; self.labels.len()],
                };
                run(
                    &mut worker,
                    block * tests / blocks..(block + 1) * tests / blocks,
                )?;
                Ok(worker.sums)
            })
            .collect::<Vec<Result<Vec<f64>, Error>>>();
        let mut total = vec![0.0; self.labels.len()];
        for sums in sums {
            for (total, sum) in total.iter_mut().zip(sums?) {
                *total += sum;
            }
        }
        let tests = tests as f64;
        total.iter_mut().for_each(|total| *total /= tests);
        Ok(total)
    }
}

/// The mean values of `n` training data over `m` test points, by Euclidean distance.
///
/// Squared distances are summed in `f32` from differences, with a relative error of at most about
/// `(d + 2) · 2⁻²⁴`; data whose distances are equal within that may change places. Needs `4 n d` bytes
/// for a re-ordered copy of the features and `32 n` for each thread, beside what [`KnnShapley`] needs.
///
/// # Errors
/// When the dimensions differ, a squared distance exceeds the range of `f32`, `neighbours` is zero or
/// there are no classes.
pub fn from_features(
    train: Samples<'_>,
    test: Samples<'_>,
    neighbours: usize,
    prediction: Prediction,
) -> Result<Vec<f64>, Error> {
    test.check_dimension(train.dimension())?;
    let model = KnnShapley::new(train.labels(), neighbours, prediction)?;
    let panels = Panels::new(train.features(), train.dimension());
    let count = train.count();
    model.in_blocks(test.count(), |worker, tests| {
        let mut distances = vec![0.0; count * TOGETHER.min(tests.len())];
        for start in tests.clone().step_by(TOGETHER) {
            let some = start..(start + TOGETHER).min(tests.end);
            let points =
                &test.features()[some.start * test.dimension()..some.end * test.dimension()];
            panels.squared_distances(points, &mut distances);
            for (test_point, distances) in some.zip(distances.chunks_exact(count)) {
                worker.add(test_point, distances, test.labels()[test_point])?;
            }
        }
        Ok(())
    })
}

/// Refuses a model without neighbours.
pub(crate) fn check_neighbours(neighbours: usize) -> Result<(), Error> {
    if neighbours == 0 {
        return Err(Error::parameter("number of neighbours", 0, "at least 1"));
    }
    Ok(())
}

/// The sums of one block of test points.
struct Worker<'a> {
    model: &'a KnnShapley<'a>,
    sorter: Sorter,
    sums: Vec<f64>,
}

impl Worker<'_> {
    /// Adds the values for one test point.
    fn add(&mut self, test: usize, distances: &[f32], label: u32) -> Result<(), Error> {
        let model = self.model;
        let mut order = self
            .sorter
            .sort(distances, |datum| model.labels[datum] == label)
            .map_err(|datum| {
                Error::entry(
                    "distance (row-major) at offset",
                    test * distances.len() + datum,
                    distances[datum],
                    "finite",
                )
            })?;
        let matches = match model.prediction {
            Prediction::Hard => 0,
            Prediction::Soft { .. } => model.labels.iter().filter(|own| **own == label).count(),
        };
        let Some(farthest) = order.next_back() else {
            return Ok(());
        };
        let mut match_behind = f64::from(farthest.mark());
        let mut value = match_behind * model.last
            - (matches as f64 - match_behind) * model.others
            - model.guess;
        self.sums[farthest.datum()] += value;
        for (entry, step) in order.zip(&model.steps).rev() {
            let matched = f64::from(entry.mark());
            value += (matched - match_behind) * step;
            match_behind = matched;
            self.sums[entry.datum()] += value;
        }
        Ok(())
    }
}
