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
//! Where all utilities of a group are equal, its variance would be zero, although a rare other one may
//! only not have been drawn (a threshold that few subsets reach). Then the variance is the one that the
//! rule of succession gives for the [`range`](SampleReuse::range) of the utility; without it, utilities
//! that are all equal say nothing about the error, and the standard error is infinite. In between, with
//! one or two rare utilities in a group, intervals cover somewhat less than they say.

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
    /// The lowest and the highest utility that there can be, where that is known: 0 and 1 for an
    /// accuracy. `None` takes the lowest and the highest seen.
    pub range: Option<(f64, f64)>,
}

/// Estimates the Banzhaf value of each datum.
///
/// # Errors
/// When there is no datum, a parameter is out of its range, an evaluation fails or is outside
/// [`SampleReuse::range`], or a datum is in (or not in) fewer than two of the subsets, so that there is
/// no standard error.
pub fn by_sample_reuse<U: Utility + ?Sized>(
    utility: &U,
    sampling: &SampleReuse,
) -> Result<Estimates, Error> {
    let data = utility.data();
    check_count("number of training data", data)?;
    check_probability(sampling.probability)?;
    if let Some((low, high)) = sampling.range {
        let width = high - low;
        if !(width >= 0.0 && width.is_finite()) {
            return Err(Error::parameter(
                "range of the utility",
                format!("{low} to {high}"),
                "two finite numbers, the lower one first",
            ));
        }
    }
    // A threshold of zero would leave every subset empty, one of 2³² every subset full.
    let threshold = (sampling.probability * 2_f64.powi(32)).round();
    let threshold = threshold.clamp(1.0, f64::from(u32::MAX)) as u32;
    let mut groups = vec![[Moments::default(); 2]; data];
    let mut seen = (f64::INFINITY, f64::NEG_INFINITY);
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
            match sampling.range {
                Some((low, high)) if !(low..=high).contains(&value) => {
                    return Err(Error::parameter(
                        "a utility",
                        value,
                        format!("in the range given for utilities, {low} to {high}"),
                    ));
                }
                _ => seen = (seen.0.min(value), seen.1.max(value)),
            }
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
    let range = match sampling.range {
        Some((low, high)) => high - low,
        None if seen.0 < seen.1 => seen.1 - seen.0,
        None => f64::INFINITY,
    };
    Ok(Estimates {
        values: groups
            .into_iter()
            .map(|[without, within]| {
                let terms = [(1.0, within), (-1.0, without)];
                Estimate::combined_within(terms.into_iter(), range)
            })
            .collect(),
        evaluations: sampling.subsets,
        gelman_rubin: None,
    })
}

#[cfg(test)]
mod tests;
