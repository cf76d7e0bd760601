//! Data-OOB: how often the models that did not see a datum predict its label.
//!
//! `B` decision trees are each trained on a bootstrap sample of the data; the value of a datum is the
//! share of right predictions among the trees whose sample it is not in. Y. Kwon and J. Zou, *Data-OOB:
//! out-of-bag estimate as a simple and efficient data value*, ICML 2023. Mislabelled data have low
//! values; [`two_means`] finds where low ends.

use rand_chacha::ChaCha8Rng;
use rayon::prelude::*;

use crate::{
    valuation::{
        estimate::Estimate,
        random::{below, stream},
        Samples,
    },
    Error,
};

mod tree;

use tree::{Bins, Grower};

/// Bags that run side by side before their results are added.
const BATCH: u32 = 64;

/// How [`by_trees`] trains.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bags {
    /// What the bootstrap samples are drawn from.
    pub seed: [u8; 32],
    /// Number of trees `B`, at least 2; each datum is left out of about 37 % of them.
    pub count: u32,
    /// The most splits between the root and a leaf; `None` to split until leaves are pure. Pure leaves
    /// learn wrong labels by heart, which then lower the values of right ones near them: where many
    /// labels are wrong, 4 to 8 splits find more of them.
    pub depth: Option<u32>,
}

/// Values each datum by decision trees.
///
/// Trees split where the Gini impurity falls most (L. Breiman et al., *Classification and regression
/// trees*, 1984), with all features at each node and at most 256 quantile bins of each feature.
/// Standard errors say how far the values of infinitely many trees may be. Needs `n d` bytes for the
/// bins.
///
/// # Errors
/// When a label is not below `classes`, there are fewer than two bags or more than 65,536 classes, or a
/// datum is left out of fewer than two bags.
pub fn by_trees(samples: Samples<'_>, classes: u32, bags: &Bags) -> Result<Vec<Estimate>, Error> {
    if classes > 1 << 16 {
        return Err(Error::parameter(
            "number of classes",
            classes,
            "at most 65536",
        ));
    }
    samples.check_labels(classes)?;
    if bags.count < 2 {
        return Err(Error::parameter("number of bags", bags.count, "at least 2"));
    }
    let bins = Bins::new(samples);
    let mut outs = vec![0_u32; samples.count()];
    let mut hits = vec![0_u32; samples.count()];
    for start in (0..bags.count).step_by(BATCH as usize) {
        let batch = start..start.saturating_add(BATCH).min(bags.count);
        let results = batch
            .into_par_iter()
            .map_init(
                || Grower::new(&bins, samples.labels(), classes as usize),
                |grower, bag| {
                    let mut rng = stream(&bags.seed, bag.into());
                    let weights = bootstrap(&mut rng, samples.count());
                    let tree = grower.grow(&weights, bags.depth.unwrap_or(u32::MAX), &mut rng);
                    (0..samples.count())
                        .filter(|datum| weights[*datum] == 0)
                        .map(|datum| (datum, tree.predict(&bins, datum) == samples.labels()[datum]))
                        .collect::<Vec<_>>()
                },
            )
            .collect::<Vec<_>>();
        for (datum, hit) in results.into_iter().flatten() {
            outs[datum] += 1;
            hits[datum] += u32::from(hit);
        }
    }
    if let Some(datum) = outs.iter().position(|out| *out < 2) {
        return Err(Error::RarelyOutOfBag {
            datum,
            found: outs[datum],
            bags: bags.count,
        });
    }
    Ok(outs
        .into_iter()
        .zip(hits)
        .map(|(outs, hits)| {
            let (outs, hits) = (f64::from(outs), f64::from(hits));
            let value = hits / outs;
            Estimate {
                value,
                standard_error: (value * (1.0 - value) / (outs - 1.0)).sqrt(),
                degrees_of_freedom: outs - 1.0,
            }
        })
        .collect())
}

/// How often each datum is drawn among as many draws with replacement.
fn bootstrap(rng: &mut ChaCha8Rng, count: usize) -> Vec<u32> {
    let mut weights = vec![0; count];
    for _ in 0..count {
        weights[below(rng, count as u32) as usize] += 1;
    }
    weights
}

/// The threshold between two clusters of numbers: half way between the largest number of the lower and
/// the smallest of the upper cluster, where the split minimises the sum of squared distances from the
/// two means. It is the optimum of two-means clustering, which is contiguous on a line; of equal
/// optima the lowest. With mislabelled data in mind, the suspects are the values below it.
///
/// # Errors
/// When a value is not finite or there are no two different values.
pub fn two_means(values: &[f64]) -> Result<f64, Error> {
    if let Some(at) = values.iter().position(|value| !value.is_finite()) {
        return Err(Error::entry("value of datum", at, values[at], "finite"));
    }
    let mut sorted = values.to_vec();
    sorted.sort_unstable_by(f64::total_cmp);
    let count = sorted.len() as f64;
    let mean = sorted.iter().sum::<f64>() / count;
    // The squares within are least where those between, `a b / n · (mean_b − mean_a)²`, are most. Sums
    // of deviations from the common mean do not cancel.
    let mut below = 0.0;
    let mut best = None;
    for (at, pair) in sorted.windows(2).enumerate() {
        below += pair[0] - mean;
        let lower = (at + 1) as f64;
        let between = below * below * count / (lower * (count - lower));
        if pair[0] < pair[1] && best.is_none_or(|(most, _)| between > most) {
            best = Some((between, pair[0] + (pair[1] - pair[0]) / 2.0));
        }
    }
    match best {
        Some((_, threshold)) => Ok(threshold),
        None => Err(Error::parameter(
            "number of different values",
            sorted.len().min(1),
            "at least 2, to be split in two",
        )),
    }
}

#[cfg(test)]
mod tests;
