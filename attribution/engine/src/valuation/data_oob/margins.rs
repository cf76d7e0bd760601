//! Out-of-bag margins of trees that are cut back as far as pays.

use rayon::prelude::*;

use super::{out_of_bag, Bags};
use crate::{valuation::Samples, Error};

/// The weights of the smallest leaves among which the best is chosen.
const LEAVES: [u32; 7] = [1, 2, 4, 8, 16, 32, 64];

/// What [`by_margins`] finds.
#[derive(Clone, Debug, PartialEq)]
pub struct Margins {
    /// For each datum `±√(|p − q| / (p + q))`, from −1 to 1, with the sign of `p − q`, the probability
    /// `p` of its label and `q` of the most probable other class. Below zero, the trees that did not
    /// see the datum would rather give it another label.
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
/// labels as they are, flips included, and no clean label is needed to choose. Margins `p − q` are those
/// of L. Breiman, *Random forests*, Machine Learning 45, 2001; relative to `p + q` they are as large for
/// classes that resemble each other and for many classes as they are for two. The root draws values apart
/// at zero, where two-means should cut; it changes no order.
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

/// The root of the difference between the probability of a label and the greatest of the others, relative
/// to their sum, with the difference's sign.
fn margin(probabilities: &[f64], label: u32) -> f64 {
    let others = (0..)
        .zip(probabilities)
        .filter(|(class, _)| *class != label);
    let rival = others.map(|(_, p)| *p).fold(0.0, f64::max);
    let own = probabilities[label as usize];
    // Probabilities sum to one, so that one of the two is above zero.
    let relative = (own - rival) / (own + rival);
    relative.abs().sqrt().copysign(relative)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::valuation::data_oob::{
        by_trees,
        tests::{bags, clusters},
        two_means, Tried,
    };
    use proptest::prelude::*;

    #[test]
    fn margins_find_more_wrong_labels_than_the_share_of_right_predictions() {
        for percent in [20, 40] {
            let (features, labels, flipped) = clusters(400, percent);
            let samples = Samples::new(&features, 3, &labels).unwrap();
            let bags = Bags {
                tried: Tried::SquareRoot,
                ..bags(100)
            };
            let f1 = |values: &[f64]| {
                let threshold = two_means(values).unwrap();
                let suspects = values.iter().map(|value| *value < threshold);
                let (mut hits, mut all) = (0, 0);
                for (suspect, flipped) in suspects.zip(&flipped) {
                    hits += 2 * u32::from(suspect && *flipped);
                    all += u32::from(suspect) + u32::from(*flipped);
                }
                f64::from(hits) / f64::from(all)
            };
            let margins = by_margins(samples, 2, &bags).unwrap();
            let trees = by_trees(samples, 2, &bags).unwrap();
            let trees = trees.iter().map(|value| value.value).collect::<Vec<_>>();
            let (found, usual) = (f1(&margins.values), f1(&trees));
            assert!(found > usual + 0.05, "{found}, {usual} at {percent} %");
            assert!(margins.smallest_leaf > 1);
        }
    }

    #[test]
    fn probabilities_sum_to_one_and_give_margin_and_score() {
        let (features, labels, _) = clusters(120, 10);
        let samples = Samples::new(&features, 3, &labels).unwrap();
        let found = by_margins(samples, 3, &bags(60)).unwrap();
        let mut score = 0.0;
        let rows = found.probabilities.chunks_exact(3).zip(&labels);
        for ((row, label), value) in rows.zip(&found.values) {
            assert!((row.iter().sum::<f64>() - 1.0).abs() < 1e-12);
            // The third class has no data.
            let (own, other) = (row[*label as usize], row[1 - *label as usize]);
            assert_eq!(row[2], 0.0);
            assert!((value * value.abs() - (own - other)).abs() < 1e-12);
            score += (1.0 - own).powi(2) + other.powi(2);
        }
        assert!((found.brier_score - score / 120.0).abs() < 1e-12);
    }

    #[test]
    fn threads_do_not_matter_and_one_class_has_no_margin() {
        let (features, labels, _) = clusters(150, 20);
        let samples = Samples::new(&features, 3, &labels).unwrap();
        let run = |threads| {
            rayon::ThreadPoolBuilder::new()
                .num_threads(threads)
                .build()
                .unwrap()
                .install(|| by_margins(samples, 2, &bags(100)).unwrap())
        };
        assert_eq!(run(1), run(2));
        assert_eq!(run(1), run(4));
        let one = Samples::new(&[0.0, 1.0], 1, &[0, 0]).unwrap();
        assert!(by_margins(one, 1, &bags(50)).is_err());
        // Fewer data than the larger leaves have.
        let few = Samples::new(&[0.0, 1.0, 2.0], 1, &[0, 1, 1]).unwrap();
        assert!(by_margins(few, 2, &bags(50)).unwrap().smallest_leaf <= 2);
    }

    proptest! {
        #[test]
        fn margins_are_from_minus_one_to_one(
            weights in prop::collection::vec(0_u32..5, 2..6),
            label in 0_usize..2,
        ) {
            prop_assume!(weights.iter().any(|weight| *weight > 0));
            let total = f64::from(weights.iter().sum::<u32>());
            let row = weights.iter().map(|w| f64::from(*w) / total).collect::<Vec<_>>();
            let value = margin(&row, label as u32);
            let rival = (0..row.len()).filter(|c| *c != label).map(|c| weights[c]).max().unwrap();
            prop_assert!((-1.0..=1.0).contains(&value));
            prop_assert_eq!(value < 0.0, weights[label] < rival);
        }
    }
}
