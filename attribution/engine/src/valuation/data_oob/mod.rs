//! What the models that did not see a datum say about its label.
//!
//! `B` decision trees are each trained on a bootstrap sample of the data, and judge the data outside it:
//!
//! - [`by_trees`] is Data-OOB: the share of right predictions. Y. Kwon and J. Zou, *Data-OOB:
//!   out-of-bag estimate as a simple and efficient data value*, ICML 2023.
//! - [`by_margins`] gives probabilities of classes, from trees cut back as far as pays, and out-of-bag
//!   margins. It finds more of the wrong labels where many are wrong.
//!
//! Mislabelled data have low values; [`two_means`] finds where low ends.

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

mod margins;
mod tree;

pub use margins::{by_margins, Margins};
use tree::{Bins, Grower, Tree};

/// Bags that run side by side before their results are added.
const BATCH: u32 = 64;

/// How trees are trained.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bags {
    /// What the bootstrap samples are drawn from.
    pub seed: [u8; 32],
    /// Number of trees `B`, at least 2; each datum is left out of about 37 % of them.
    pub count: u32,
    /// The most splits between the root and a leaf; `None` to split until leaves are pure.
    pub depth: Option<u32>,
    /// Which features each node tries.
    pub tried: Tried,
}

/// How many features, drawn anew for each node, are tried for its split.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Tried {
    /// All of them: bagged trees.
    All,
    /// The square root of their number, rounded down: a random forest (L. Breiman, *Random forests*,
    /// Machine Learning 45, 2001). Trees are less alike and grow faster.
    #[default]
    SquareRoot,
}

impl Tried {
    fn of(self, features: usize) -> usize {
        match self {
            Self::All => features,
            Self::SquareRoot => features.isqrt(),
        }
    }
}

/// Values each datum by decision trees: the share of right predictions among the trees whose sample it
/// is not in.
///
/// Trees split where the Gini impurity falls most (L. Breiman et al., *Classification and regression
/// trees*, 1984), at most 256 quantile bins of each feature apart. Standard errors say how far the
/// values of infinitely many trees may be. Needs `n d` bytes for the bins.
///
/// Pure leaves learn wrong labels by heart, which then lower the values of right ones near them: where
/// many labels are wrong, a depth of 4 to 8 finds more of them, and so does [`by_margins`].
///
/// # Errors
/// When a label is not below `classes`, there are fewer than two bags or more than 65,536 classes, or a
/// datum is left out of fewer than two bags.
pub fn by_trees(samples: Samples<'_>, classes: u32, bags: &Bags) -> Result<Vec<Estimate>, Error> {
    let mut hits = vec![0_u32; samples.count()];
    let outs = out_of_bag(samples, classes, bags, |bins, batch| {
        hits.par_iter_mut().enumerate().for_each(|(datum, hits)| {
            let label = samples.labels()[datum];
            let right = batch
                .iter()
                .filter(|bag| bag.is_out(datum) && bag.tree.predict(bins, datum) == label);
            *hits += right.count() as u32;
        });
    })?;
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

/// A tree and the bootstrap sample that it was grown on.
struct Bag {
    tree: Tree,
    weights: Vec<u32>,
}

impl Bag {
    /// Whether the tree did not see a datum.
    fn is_out(&self, datum: usize) -> bool {
        self.weights[datum] == 0
    }
}

/// Grows all trees and gives them to `judge` in batches, in order. Returns how many did not see each
/// datum.
fn out_of_bag(
    samples: Samples<'_>,
    classes: u32,
    bags: &Bags,
    mut judge: impl FnMut(&Bins, &[Bag]),
) -> Result<Vec<u32>, Error> {
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
    let tried = bags.tried.of(samples.dimension());
    let mut outs = vec![0; samples.count()];
    for start in (0..bags.count).step_by(BATCH as usize) {
        let batch = (start..start.saturating_add(BATCH).min(bags.count))
            .into_par_iter()
            .map_init(
                || Grower::new(&bins, samples.labels(), classes as usize),
                |grower, bag| {
                    let mut rng = stream(&bags.seed, bag.into());
                    let weights = bootstrap(&mut rng, samples.count());
                    let depth = bags.depth.unwrap_or(u32::MAX);
                    Bag {
                        tree: grower.grow(&weights, depth, tried, &mut rng),
                        weights,
                    }
                },
            )
            .collect::<Vec<_>>();
        for bag in &batch {
            for (datum, out) in outs.iter_mut().enumerate() {
                *out += u32::from(bag.is_out(datum));
            }
        }
        judge(&bins, &batch);
    }
    match outs.iter().position(|out| *out < 2) {
        Some(datum) => Err(Error::RarelyOutOfBag {
            datum,
            found: outs[datum],
            bags: bags.count,
        }),
        None => Ok(outs),
    }
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
