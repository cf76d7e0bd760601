//! What each training datum, and each owner, is worth to a model's performance.
//!
//! | module | value | needs |
//! |---|---|---|
//! | [`knn_shapley`] | exact Shapley value for a nearest-neighbour model | distances or features |
//! | [`semivalues`] | Shapley and Beta-Shapley values for any model | a [`utility::Utility`] |
//! | [`banzhaf`] | Data Banzhaf for any model | a [`utility::Utility`] |
//! | [`data_oob`] | out-of-bag correctness of bagged decision trees | features |
//! | [`owners`] | what each owner's data are worth together | any of the above |
//!
//! Data are numbered from zero in the order in which they were given. Everything that samples takes a
//! seed and gives the same bits on any number of threads. Values that depend on a fitted model or on
//! logarithms may differ in the last bits between platforms, whose mathematical libraries differ.
//!
//! ```
//! use attribution_engine::valuation::{knn_shapley::{self, Prediction}, owners::Owners, Samples};
//!
//! # fn main() -> Result<(), attribution_engine::Error> {
//! // Two clusters on a line; the third datum carries the other cluster's label.
//! let train = Samples::new(&[0.0, 0.1, 0.2, 5.0, 5.1], 1, &[0, 0, 1, 1, 1])?;
//! let test = Samples::new(&[0.15, 5.05], 1, &[0, 1])?;
//! let values = knn_shapley::from_features(train, test, 1, Prediction::Hard)?;
//! assert!(values[2] < 0.0 && values[0] > 0.0);
//! let owners = Owners::new(&[0, 0, 1, 2, 2], 3)?;
//! assert!(owners.sum(&values)?[1] < 0.0);
//! # Ok(())
//! # }
//! ```

pub mod banzhaf;
pub mod data_oob;
mod estimate;
pub mod knn_shapley;
pub mod owners;
mod random;
mod samples;
pub mod semivalues;
pub mod utility;

pub use estimate::{Estimate, Estimates};
pub use samples::{Samples, MAX_SAMPLES};
