//! Nearest-neighbour models.

use rayon::prelude::*;

use super::{check_subset, Utility};
use crate::{
    valuation::{
        knn_shapley::{check_neighbours, Panels, Sorter},
        Samples,
    },
    Error,
};

/// How a nearest-neighbour model is scored on one validation point.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KnnScore {
    /// One where the label with the most votes among the `min(K, |S|)` nearest data is right; of
    /// labels with as many votes, the one whose nearest datum is nearest. Without data, zero.
    Accuracy,
    /// The utility whose Shapley value [`Prediction::Hard`] has in closed form.
    ///
    /// [`Prediction::Hard`]: crate::valuation::knn_shapley::Prediction::Hard
    HardVotes,
    /// The utility whose Shapley value [`Prediction::Soft`] has in closed form, with this many
    /// classes.
    ///
    /// [`Prediction::Soft`]: crate::valuation::knn_shapley::Prediction::Soft
    SoftVotes {
        /// Number of classes, at least 1.
        classes: u32,
    },
}

/// The mean score of a `K`-nearest-neighbour model (Euclidean distance, ties by number) over
/// validation points.
///
/// Keeps the training data's order by distance from each of the `m` validation points, `4 n m` bytes;
/// an evaluation then takes about `m K n / |S|` steps.
pub struct KnnUtility {
    labels: Vec<u32>,
    validation: Vec<u32>,
    /// `m x n`, the nearest datum of each validation point first.
    orders: Vec<u32>,
    neighbours: usize,
    score: KnnScore,
}

impl KnnUtility {
    /// Sorts the training data by distance from each validation point.
    ///
    /// # Errors
    /// When the dimensions differ, a squared distance exceeds the range of `f32`, there is no
    /// neighbour or no class.
    pub fn new(
        train: Samples<'_>,
        validation: Samples<'_>,
        neighbours: usize,
        score: KnnScore,
    ) -> Result<Self, Error> {
        validation.check_dimension(train.dimension())?;
        check_neighbours(neighbours)?;
        if score == (KnnScore::SoftVotes { classes: 0 }) {
            return Err(Error::parameter("number of classes", 0, "at least 1"));
        }
        let panels = Panels::new(train.features(), train.dimension());
        let orders = (0..validation.count())
            .into_par_iter()
            .map(|point| {
                let mut distances = vec![0.0; train.count()];
                panels.squared_distances(validation.row(point), &mut distances);
                match Sorter::default().sort(&distances, |_| false) {
                    Ok(order) => Ok(order.map(|entry| entry.datum() as u32).collect()),
                    Err(datum) => Err(Error::entry(
                        "distance from a validation point to datum",
                        datum,
                        distances[datum],
                        "finite",
                    )),
                }
            })
            .collect::<Vec<Result<Vec<u32>, Error>>>();
        let orders = orders.into_iter().collect::<Result<Vec<_>, _>>()?;
        Ok(Self {
            labels: train.labels().to_vec(),
            validation: validation.labels().to_vec(),
            orders: orders.concat(),
            neighbours,
            score,
        })
    }

    /// The score of the nearest data's labels, the nearest first.
    fn score(&self, nearest: &[u32], truth: u32) -> f64 {
        let votes = |label: u32| nearest.iter().filter(|own| **own == label).count();
        let hits = votes(truth);
        match self.score {
            KnnScore::HardVotes => hits as f64 / self.neighbours as f64,
            KnnScore::SoftVotes { classes } if nearest.is_empty() => 1.0 / f64::from(classes),
            KnnScore::SoftVotes { .. } => hits as f64 / nearest.len() as f64,
            KnnScore::Accuracy => {
                let most = nearest.iter().map(|label| votes(*label)).max();
                let winner = nearest.iter().find(|label| Some(votes(**label)) == most);
                f64::from(winner == Some(&truth))
            }
        }
    }
}

impl Utility for KnnUtility {
    fn data(&self) -> usize {
        self.labels.len()
    }

    fn evaluate(&self, subset: &[u32]) -> Result<f64, Error> {
        check_subset(subset, self.labels.len())?;
        let mut present = vec![false; self.labels.len()];
        for datum in subset {
            present[*datum as usize] = true;
        }
        let wanted = self.neighbours.min(subset.len());
        let mut nearest = Vec::with_capacity(wanted);
        let mut total = 0.0;
        for (order, truth) in self
            .orders
            .chunks_exact(self.labels.len())
            .zip(&self.validation)
        {
            nearest.clear();
            nearest.extend(
                order
                    .iter()
                    .map(|datum| *datum as usize)
                    .filter(|datum| present[*datum])
                    .map(|datum| self.labels[datum])
                    .take(wanted),
            );
            total += self.score(&nearest, *truth);
        }
        Ok(total / self.validation.len() as f64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::valuation::{
        knn_shapley::{from_features, Prediction},
        semivalues::{exact, Semivalue},
    };

    const TRAIN: [f32; 10] = [0.0, 0.3, 0.5, 2.0, 2.2, 2.9, 1.0, 1.4, 0.9, 2.6];
    const LABELS: [u32; 10] = [0, 0, 1, 1, 1, 2, 0, 1, 2, 0];
    const POINTS: [f32; 4] = [0.2, 2.4, 1.2, 1.0];
    const TRUTHS: [u32; 4] = [0, 1, 2, 1];

    fn utility(neighbours: usize, score: KnnScore) -> KnnUtility {
        let train = Samples::new(&TRAIN, 1, &LABELS).unwrap();
        let validation = Samples::new(&POINTS, 1, &TRUTHS).unwrap();
        KnnUtility::new(train, validation, neighbours, score).unwrap()
    }

    #[test]
    fn shapley_values_of_votes_are_the_closed_forms() {
        let train = Samples::new(&TRAIN, 1, &LABELS).unwrap();
        let test = Samples::new(&POINTS, 1, &TRUTHS).unwrap();
        for neighbours in [1, 3, 10, 11] {
            for (score, prediction) in [
                (KnnScore::HardVotes, Prediction::Hard),
                (
                    KnnScore::SoftVotes { classes: 3 },
                    Prediction::Soft { classes: 3 },
                ),
            ] {
                let sums = exact(&utility(neighbours, score), Semivalue::Shapley).unwrap();
                let closed = from_features(train, test, neighbours, prediction).unwrap();
                for (sum, closed) in sums.iter().zip(&closed) {
                    assert!((sum - closed).abs() < 1e-12);
                }
            }
        }
    }

    #[test]
    fn accuracy_counts_majorities_and_prefers_the_nearer_label() {
        let utility = utility(3, KnnScore::Accuracy);
        assert_eq!(utility.evaluate(&[]).unwrap(), 0.0);
        // Only label 0 is there, right for one point of four.
        assert_eq!(utility.evaluate(&[0, 1]).unwrap(), 0.25);
        // 0.5 (label 1) is nearest to 0.2 and 1.0; 2.9 (label 2) is nearest to 2.4, and to 1.2 it is
        // farther than 0.5: one right of four, by the tie rule.
        assert_eq!(utility.evaluate(&[2, 5]).unwrap(), 0.25);
        assert!(utility.evaluate(&[3, 3]).is_err());
    }

    #[test]
    fn refuses_bad_parameters() {
        let train = Samples::new(&TRAIN, 1, &LABELS).unwrap();
        let plane = Samples::new(&POINTS, 2, &[0, 1]).unwrap();
        let far = Samples::new(&[3e30], 1, &[0]).unwrap();
        assert!(KnnUtility::new(train, plane, 1, KnnScore::Accuracy).is_err());
        assert!(KnnUtility::new(train, train, 0, KnnScore::Accuracy).is_err());
        assert!(KnnUtility::new(train, train, 1, KnnScore::SoftVotes { classes: 0 }).is_err());
        assert!(matches!(
            KnnUtility::new(train, far, 1, KnnScore::Accuracy),
            Err(Error::Entry { index: 0, .. })
        ));
    }
}
