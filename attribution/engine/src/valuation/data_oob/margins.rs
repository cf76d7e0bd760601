//! Out-of-bag margins of trees that are cut back as far as pays.

use rayon::prelude::*;

use super::{out_of_bag, Bags};
use crate::{valuation::Samples, Error};

/// The weights of the smallest leaves among which the best is chosen.
const LEAVES: [u32; 7] = [1, 2, 4, 8, 16, 32, 64];

/// What [`by_margins`] finds.
#[derive(Clone, Debug, PartialEq)]
pub struct Margins {
    /// For each datum the probability of its label minus that of the most probable other class, from
    /// −1 to 1. Below zero, the trees that did not see the datum would rather give it another label.
    pub values: Vec<f64>,
    /// The out-of-bag probabilities of the classes, `n x classes`, row-major.
    pub probabilities: Vec<f64>,
    /// The least weight of a leaf, in draws of the bootstrap sample, that was chosen.
    pub smallest_leaf: u32,
    /// The mean over the data of the squared distance between the probabilities and the label as a
    /// vector with a single one (G. W. Brier 1950), which is the least for this leaf.
    pub brier_score: f64,
}

/// Values each datum by the margin of its label in the trees whose sample it is not in.
///
/// A tree gives probabilities, the shares of the classes in a leaf. Leaves that are small learn wrong
/// labels by heart; leaves that are large see little of the features. So each tree is fully grown, and
/// the nodes on the way to a leaf say what it would give had it been grown to leaves of at least 1, 2,
/// 4, …, 64 draws only: of these seven the size is taken whose out-of-bag probabilities have the least
/// Brier score. As that is a proper score, the least expected one belongs to the probabilities of the
/// labels as they are, flips included, and no clean label is needed to choose. Margins are those of
/// L. Breiman, *Random forests*, Machine Learning 45, 2001.
///
/// Needs `n d` bytes for the bins and `56 n classes` for the probabilities.
///
/// # Errors
/// As [`by_trees`](super::by_trees), and when there are fewer than two classes.
pub fn by_margins(samples: Samples<'_>, classes: u32, bags: &Bags) -> Result<Margins, Error> {
    if classes < 2 {
        return Err(Error::parameter("number of classes", classes, "at least 2"));
    }
    let width = classes as usize;
    // A root weighs as much as there are data.
    let sizes = LEAVES
        .into_iter()
        .filter(|size| *size == 1 || *size as usize <= samples.count())
        .collect::<Vec<_>>();
    let mut sums = vec![0.0; samples.count() * sizes.len() * width];
    let outs = out_of_bag(samples, classes, bags, |bins, batch| {
        sums.par_chunks_exact_mut(sizes.len() * width)
            .enumerate()
            .for_each(|(datum, sums)| {
                for bag in batch.iter().filter(|bag| bag.is_out(datum)) {
                    bag.tree.shares(bins, datum, &sizes, |size, class, share| {
                        sums[size * width + class] += share;
                    });
                }
            });
    })?;
    for (sums, outs) in sums.chunks_exact_mut(sizes.len() * width).zip(outs) {
        sums.iter_mut().for_each(|sum| *sum /= f64::from(outs));
    }
    let rows = |size: usize| {
        sums.chunks_exact(width)
            .skip(size)
            .step_by(sizes.len())
            .zip(samples.labels())
    };
    let score = |size: usize| {
        let distances = rows(size).map(|(row, label)| {
            let squares = row.iter().map(|p| p * p).sum::<f64>();
            squares - 2.0 * row[*label as usize] + 1.0
        });
        distances.sum::<f64>() / samples.count() as f64
    };
    let scores = (0..sizes.len()).map(score).collect::<Vec<_>>();
    let best = (1..sizes.len()).fold(0, |best, size| {
        if scores[size] < scores[best] {
            size
        } else {
            best
        }
    });
    Ok(Margins {
        values: rows(best).map(|(row, label)| margin(row, *label)).collect(),
        probabilities: rows(best).flat_map(|(row, _)| row).copied().collect(),
        smallest_leaf: sizes[best],
        brier_score: scores[best],
    })
}

/// The probability of a label minus the greatest of the others.
fn margin(probabilities: &[f64], label: u32) -> f64 {
    let others = (0..).zip(probabilities).filter(|(class, _)| *class != label);
    let rival = others.map(|(_, p)| *p).fold(0.0, f64::max);
    probabilities[label as usize] - rival
}
