//! Labelled feature vectors, checked once.

use crate::Error;

/// The largest number of samples: a sample's number and one bit share 32 bits.
pub const MAX_SAMPLES: usize = (1 << 31) - 1;

/// `n` labelled feature vectors of `d` coordinates each.
#[derive(Clone, Copy, Debug)]
pub struct Samples<'a> {
    features: &'a [f32],
    dimension: usize,
    labels: &'a [u32],
}

impl<'a> Samples<'a> {
    /// Takes `features` (`n x d`, row-major) with one label for each row.
    ///
    /// # Errors
    /// `d` must be at least 1 and `n` in 1..=2³¹ − 1, the sizes must agree and every feature must be
    /// finite.
    pub fn new(features: &'a [f32], dimension: usize, labels: &'a [u32]) -> Result<Self, Error> {
        if dimension == 0 {
            return Err(Error::parameter("number of features", 0, "at least 1"));
        }
        check_count("number of samples", labels.len())?;
        let expected = labels.len().checked_mul(dimension).ok_or_else(|| {
            Error::parameter(
                "number of features",
                dimension,
                "small enough to be addressed",
            )
        })?;
        Error::check_shape("feature matrix", features.len(), expected)?;
        if let Some(at) = features.iter().position(|value| !value.is_finite()) {
            return Err(Error::entry(
                "value of the feature matrix at offset",
                at,
                features[at],
                "finite",
            ));
        }
        Ok(Self {
            features,
            dimension,
            labels,
        })
    }

    /// Number of samples `n`.
    pub fn count(&self) -> usize {
        self.labels.len()
    }

    /// Number of features `d`.
    pub fn dimension(&self) -> usize {
        self.dimension
    }

    /// The features, `n x d`, row-major.
    pub fn features(&self) -> &'a [f32] {
        self.features
    }

    /// The features of one sample.
    pub fn row(&self, sample: usize) -> &'a [f32] {
        &self.features[sample * self.dimension..][..self.dimension]
    }

    /// The labels, one for each sample.
    pub fn labels(&self) -> &'a [u32] {
        self.labels
    }

    /// Refuses samples of another dimension than `expected`.
    pub(crate) fn check_dimension(&self, expected: usize) -> Result<(), Error> {
        Error::check_shape("row of the second feature matrix", self.dimension, expected)
    }

    /// Refuses labels that are not below `classes`.
    pub(crate) fn check_labels(&self, classes: u32) -> Result<(), Error> {
        match self.labels.iter().position(|label| *label >= classes) {
            Some(at) => Err(Error::entry(
                "label of sample",
                at,
                self.labels[at],
                format!("below the number of classes {classes}"),
            )),
            None => Ok(()),
        }
    }
}

/// Refuses counts outside 1..=2³¹ − 1.
pub(crate) fn check_count(name: &'static str, count: usize) -> Result<(), Error> {
    if count == 0 || count > MAX_SAMPLES {
        return Err(Error::parameter(
            name,
            count,
            format!("in 1..={MAX_SAMPLES}"),
        ));
    }
    Ok(())
}
