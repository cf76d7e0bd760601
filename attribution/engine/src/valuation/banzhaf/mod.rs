//! Data Banzhaf values by maximum sample reuse.
//!
//! Subsets are drawn with each datum in them with probability `p`, and every subset informs every
//! value:
//!
//! ```text
//! v_i = mean{ U(S) : i ∈ S } − mean{ U(S) : i ∉ S }
//! ```
//!
//! J. T. Wang and R. Jia, *Data Banzhaf*, AISTATS 2023, section 4.3, with `p = 1/2`; the same holds for
//! any `p` (W. Li and Y. Yu, *Robust data valuation with weighted Banzhaf values*, NeurIPS 2023). Given
//! which subsets contain `i`, both groups are independent samples of the same distributions as the two
//! expectations, so the estimate is unbiased, its variance is the sum of those of the two means, and
//! the interval is Welch's. Estimates of different data share all evaluations and are correlated.
//!
//! The interval covers what it says once both groups have seen the spread of the utility. One that
//! rarely takes another than its usual value (a threshold that few subsets reach) needs so many subsets
//! that each group has several of the rare ones.

use rand_chacha::rand_core::RngCore;
use rayon::prelude::*;

use crate::{
    valuation::{
        estimate::{Estimate, Estimates, Moments},
        random::stream,
        samples::check_count,
        semivalues::check_probability,
        utility::{evaluate, Utility},
    },
    Error,
};

/// Subsets that are evaluated side by side before their results are added in order.
const BATCH: u64 = 64;

/// How [`by_sample_reuse`] samples.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SampleReuse {
    /// What the subsets are drawn from.
    pub seed: [u8; 32],
    /// Number of subsets, each evaluated once; at least 4.
    pub subsets: u64,
    /// The probability with which each datum is in a subset, above 0 and below 1, to 32 bits; one
    /// half for Data Banzhaf.
    pub probability: f64,
}

/// Estimates the Banzhaf value of each datum.
///
/// # Errors
/// When there is no datum, a parameter is out of its range, an evaluation fails, or a datum is in (or
/// not in) fewer than two of the subsets, so that there is no standard error.
pub fn by_sample_reuse<U: Utility + ?Sized>(
    utility: &U,
    sampling: &SampleReuse,
) -> Result<Estimates, Error> {
    let data = utility.data();
    check_count("number of training data", data)?;
    check_probability(sampling.probability)?;
    // A threshold of zero would leave every subset empty, one of 2³² every subset full.
    let threshold = (sampling.probability * 2_f64.powi(32)).round();
    let threshold = threshold.clamp(1.0, f64::from(u32::MAX)) as u32;
    let mut groups = vec![[Moments::default(); 2]; data];
    let mut done = 0;
    while done < sampling.subsets {
        let batch = done..(done + BATCH).min(sampling.subsets);
        let evaluated = batch
            .clone()
            .into_par_iter()
            .map(|item| {
                let mut rng = stream(&sampling.seed, item);
                let subset = (0..data as u32)
                    .filter(|_| rng.next_u32() < threshold)
                    .collect::<Vec<_>>();
                let value = evaluate(utility, &subset)?;
                Ok((subset, value))
            })
            .collect::<Vec<Result<(Vec<u32>, f64), Error>>>();
        for result in evaluated {
            let (subset, value) = result?;
            let mut members = subset.iter().peekable();
            for (datum, groups) in (0_u32..).zip(&mut groups) {
                let within = members.next_if_eq(&&datum).is_some();
                groups[usize::from(within)].push(value);
            }
        }
        done = batch.end;
    }
    let lopsided = groups
        .iter()
        .any(|groups| groups.iter().any(|moments| moments.count < 2));
    if lopsided {
        return Err(Error::parameter(
            "number of subsets",
            sampling.subsets,
            "so large that each datum is in two subsets and absent from two",
        ));
    }
    Ok(Estimates {
        values: groups
            .into_iter()
            .map(|[without, within]| {
                Estimate::combined([(1.0, within), (-1.0, without)].into_iter())
            })
            .collect(),
        evaluations: sampling.subsets,
    })
}

#[cfg(test)]
mod tests;
