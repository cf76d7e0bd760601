//! What a subset of the training data is worth to a model.

use crate::Error;

mod command;
mod knn;
mod logistic;

pub use command::CommandUtility;
pub use knn::{KnnScore, KnnUtility};
pub use logistic::{LogisticFit, LogisticUtility, Score};

/// The performance of a model as a function of the training data it sees.
///
/// It must depend on the subset alone: estimators evaluate subsets from several threads, in any order
/// and possibly more than once.
pub trait Utility: Sync {
    /// Number of training data `n`, in 1..=2³¹ − 1.
    fn data(&self) -> usize;

    /// The performance with the data of `subset`: strictly ascending numbers below `n`, possibly none.
    ///
    /// # Errors
    /// Whatever keeps the model from being fitted or scored. Estimators stop at it.
    fn evaluate(&self, subset: &[u32]) -> Result<f64, Error>;
}

/// A utility that is a function of the subset.
pub struct FunctionUtility<F> {
    data: usize,
    function: F,
}

impl<F: Fn(&[u32]) -> Result<f64, Error> + Sync> FunctionUtility<F> {
    /// Takes the number of training data and the function of [`Utility::evaluate`].
    pub fn new(data: usize, function: F) -> Self {
        Self { data, function }
    }
}

impl<F: Fn(&[u32]) -> Result<f64, Error> + Sync> Utility for FunctionUtility<F> {
    fn data(&self) -> usize {
        self.data
    }

    fn evaluate(&self, subset: &[u32]) -> Result<f64, Error> {
        (self.function)(subset)
    }
}

/// Evaluates and refuses what is not a number.
pub(crate) fn evaluate<U: Utility + ?Sized>(utility: &U, subset: &[u32]) -> Result<f64, Error> {
    let value = utility.evaluate(subset)?;
    if value.is_finite() {
        Ok(value)
    } else {
        Err(Error::UtilityNotFinite {
            size: subset.len(),
            value,
        })
    }
}

/// Refuses subsets that are not strictly ascending numbers below `data`.
fn check_subset(subset: &[u32], data: usize) -> Result<(), Error> {
    let unordered = subset.windows(2).position(|pair| pair[0] >= pair[1]);
    if let Some(at) = unordered {
        return Err(Error::entry(
            "entry of the subset at",
            at + 1,
            subset[at + 1],
            format!("above the one before it, {}", subset[at]),
        ));
    }
    match subset.last() {
        Some(last) if *last as usize >= data => Err(Error::entry(
            "entry of the subset at",
            subset.len() - 1,
            last,
            format!("below the number of data {data}"),
        )),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refuses_unordered_subsets_and_infinite_utilities() {
        assert!(check_subset(&[], 1).is_ok());
        assert!(check_subset(&[0, 2], 3).is_ok());
        assert!(matches!(
            check_subset(&[0, 2, 2], 3),
            Err(Error::Entry { index: 2, .. })
        ));
        assert!(matches!(
            check_subset(&[0, 3], 3),
            Err(Error::Entry { index: 1, .. })
        ));
        let infinite = FunctionUtility::new(2, |_: &[u32]| Ok(f64::INFINITY));
        assert!(matches!(
            evaluate(&infinite, &[1]),
            Err(Error::UtilityNotFinite { size: 1, .. })
        ));
    }
}
