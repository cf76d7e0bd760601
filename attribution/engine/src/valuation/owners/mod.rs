//! What each owner's data are worth together.
//!
//! The value of an owner is the sum of the semivalues of its data. Treating owners themselves as the
//! players would let one gain by splitting into several or by copying itself; a sum over data cannot
//! change however its terms are grouped. For the Shapley value that sum is the faithful group Shapley
//! value (FGSV).

use rayon::prelude::*;

use crate::{
    valuation::{
        estimate::{Estimate, Estimates, Moments},
        random::{below, choose, stream},
        samples::check_count,
        semivalues::{by_permutations_of_groups, Permutations, Semivalue},
        utility::{evaluate, Utility},
    },
    Error,
};

/// Samples that run side by side before their results are added in order.
const BATCH: u64 = 64;
/// Samples that a band of subset sizes has at least, where there are enough.
const SAMPLES_PER_BAND: u64 = 16;
/// The most bands: finer ones would gain little and need memory for each owner.
const MAX_BANDS: u64 = 64;

/// Who owns which datum.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Owners {
    of: Vec<u32>,
    sizes: Vec<u32>,
}

impl Owners {
    /// Takes the owner of each datum, a number below `count`. Owners without data are worth nothing.
    ///
    /// # Errors
    /// When there are no or more than 2³¹ − 1 data or owners, or an owner is not below `count`.
    pub fn new(of: &[u32], count: usize) -> Result<Self, Error> {
        check_count("number of training data", of.len())?;
        check_count("number of owners", count)?;
        let mut sizes = vec![0; count];
        for (datum, owner) in of.iter().enumerate() {
            let size = sizes.get_mut(*owner as usize).ok_or_else(|| {
                Error::entry(
                    "owner of datum",
                    datum,
                    owner,
                    format!("below the number of owners {count}"),
                )
            })?;
            *size += 1;
        }
        Ok(Self {
            of: of.to_vec(),
            sizes,
        })
    }

    /// Sums the values of each owner's data, in the order of the data.
    ///
    /// # Errors
    /// When there is not one value for each datum.
    pub fn sum(&self, values: &[f64]) -> Result<Vec<f64>, Error> {
        Error::check_shape("list of values", values.len(), self.of.len())?;
        let mut sums = vec![0.0; self.sizes.len()];
        for (owner, value) in self.of.iter().zip(values) {
            sums[*owner as usize] += value;
        }
        Ok(sums)
    }

    /// Sums estimates whose errors are independent of each other. Those of one call of
    /// [`by_permutations`], [`by_sample_reuse`] or [`by_trees`] are not: take [`sum`](Self::sum) of
    /// their values, or [`owners::by_permutations`](by_permutations) or [`by_swaps`] for a standard
    /// error.
    ///
    /// [`by_permutations`]: crate::valuation::semivalues::by_permutations
    /// [`by_sample_reuse`]: crate::valuation::banzhaf::by_sample_reuse
    /// [`by_trees`]: crate::valuation::data_oob::by_trees
    ///
    /// # Errors
    /// When there is not one estimate for each datum.
    pub fn sum_independent(&self, estimates: &[Estimate]) -> Result<Vec<Estimate>, Error> {
        let part =
            |of: fn(&Estimate) -> f64| self.sum(&estimates.iter().map(of).collect::<Vec<_>>());
        let values = part(|estimate| estimate.value)?;
        let variances = part(|estimate| estimate.standard_error.powi(2))?;
        // Satterthwaite's approximation again; an exact value has infinitely many degrees.
        let weighted =
            part(|estimate| estimate.standard_error.powi(4) / estimate.degrees_of_freedom)?;
        Ok(values
            .into_iter()
            .zip(variances.into_iter().zip(weighted))
            .map(|(value, (variance, weighted))| Estimate {
                value,
                standard_error: variance.sqrt(),
                degrees_of_freedom: if weighted == 0.0 {
                    f64::INFINITY
                } else {
                    variance * variance / weighted
                },
            })
            .collect())
    }

    fn check<U: Utility + ?Sized>(&self, utility: &U) -> Result<(), Error> {
        Error::check_shape("list of owners", self.of.len(), utility.data())
    }
}

/// Estimates the sum of each owner's semivalues as [`semivalues::by_permutations`] does, with the
/// standard error of the sum. With the same seed it is the sum of that function's values.
///
/// [`semivalues::by_permutations`]: crate::valuation::semivalues::by_permutations
///
/// # Errors
/// As that function, and when there is not one owner for each datum.
pub fn by_permutations<U: Utility + ?Sized>(
    utility: &U,
    owners: &Owners,
    semivalue: Semivalue,
    permutations: &Permutations,
) -> Result<Estimates, Error> {
    owners.check(utility)?;
    by_permutations_of_groups(
        utility,
        semivalue,
        permutations,
        &owners.of,
        owners.sizes.len(),
    )
}

/// How [`by_swaps`] samples.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Swaps {
    /// What the samples are drawn from.
    pub seed: [u8; 32],
    /// Number of samples, at least 2, of two evaluations each.
    pub samples: u64,
}

/// Estimates the sum of each owner's Shapley values directly, all owners from the same evaluations.
///
/// The difference of two Shapley values is a mean of what swapping the data changes:
/// `v_i − v_j = 1/(n−1) Σ_(s=1..n−1) E[U(T + i) − U(T + j)]`, `T` uniform among the subsets of size
/// `s − 1` without `i` and `j`. Summed over the pairs of an owner's data `i` and others' data `j`, with
/// `n_o` data of the owner and `P` pairs of data with different owners,
///
/// ```text
/// V_o = n_o/n · [U(all) − U(∅)]  +  P/n · mean_s E[ ±(U(T + i) − U(T + j)) ]
/// ```
///
/// over random pairs: plus where `i` is the owner's, minus where `j` is, and zero where neither is. It
/// is the paired form of the FGSV estimator, without its approximation for large subsets: unbiased,
/// and estimates add up to `U(all) − U(∅)`. Sizes `s` are stratified into bands; standard errors are
/// those of a stratified mean.
///
/// # Errors
/// When there is not one owner for each datum, there are fewer than two samples, or an evaluation
/// fails.
pub fn by_swaps<U: Utility + ?Sized>(
    utility: &U,
    owners: &Owners,
    swaps: &Swaps,
) -> Result<Estimates, Error> {
    owners.check(utility)?;
    if swaps.samples < 2 {
        return Err(Error::parameter(
            "number of samples",
            swaps.samples,
            "at least 2, for a standard error",
        ));
    }
    let data = owners.of.len();
    let count = data as f64;
    let all = (0..data as u32).collect::<Vec<_>>();
    let gain = evaluate(utility, &all)? - evaluate(utility, &[])?;
    let share = |size: u32| f64::from(size) / count * gain;
    let same = owners.sizes.iter().map(|size| f64::from(*size).powi(2));
    let pairs = (count * count - same.sum::<f64>()) / 2.0;
    if pairs == 0.0 {
        let exact = |size: &u32| Estimate {
            value: share(*size),
            standard_error: 0.0,
            degrees_of_freedom: f64::INFINITY,
        };
        return Ok(Estimates {
            values: owners.sizes.iter().map(exact).collect(),
            evaluations: 2,
            gelman_rubin: None,
        });
    }
    let bands =
        (swaps.samples / SAMPLES_PER_BAND).clamp(1, MAX_BANDS.min(data as u64 - 1)) as usize;
    let edge = |band: usize| 1 + band * (data - 1) / bands;
    let mut moments = vec![vec![Moments::default(); bands]; owners.sizes.len()];
    let mut done = 0;
    while done < swaps.samples {
        let batch = done..(done + BATCH).min(swaps.samples);
        let results = batch
            .clone()
            .into_par_iter()
            .map(|item| {
                let band = (item % bands as u64) as usize;
                let swap = swap(
                    utility,
                    owners,
                    &swaps.seed,
                    item,
                    edge(band)..edge(band + 1),
                )?;
                Ok((band, swap))
            })
            .collect::<Vec<Result<(usize, Swap), Error>>>();
        for result in results {
            let (band, swap) = result?;
            for (owner, moments) in (0_u32..).zip(&mut moments) {
                moments[band].push(match owner {
                    owner if owner == swap.gains => swap.difference,
                    owner if owner == swap.loses => -swap.difference,
                    _ => 0.0,
                });
            }
        }
        done = batch.end;
    }
    let values = owners
        .sizes
        .iter()
        .zip(moments)
        .map(|(size, moments)| {
            let bands = moments.into_iter().enumerate().map(|(band, moments)| {
                let width = (edge(band + 1) - edge(band)) as f64;
                (pairs / count * width / (count - 1.0), moments)
            });
            let mut estimate = Estimate::combined(bands.collect::<Vec<_>>().into_iter());
            estimate.value += share(*size);
            estimate
        })
        .collect();
    Ok(Estimates {
        values,
        evaluations: 2 + 2 * swaps.samples,
        gelman_rubin: None,
    })
}

/// What exchanging a datum of one owner for one of another changes.
struct Swap {
    gains: u32,
    loses: u32,
    difference: f64,
}

/// Draws a size, a pair with different owners and the data that it joins.
fn swap<U: Utility + ?Sized>(
    utility: &U,
    owners: &Owners,
    seed: &[u8; 32],
    item: u64,
    sizes: std::ops::Range<usize>,
) -> Result<Swap, Error> {
    let data = owners.of.len() as u32;
    let mut rng = stream(seed, item);
    let size = sizes.start + below(&mut rng, sizes.len() as u32) as usize;
    let (i, j) = loop {
        let (i, j) = (below(&mut rng, data), below(&mut rng, data));
        if owners.of[i as usize] != owners.of[j as usize] {
            break (i, j);
        }
    };
    let mut others = (0..data)
        .filter(|datum| *datum != i && *datum != j)
        .collect::<Vec<_>>();
    choose(&mut rng, &mut others, size - 1);
    others.truncate(size - 1);
    others.sort_unstable();
    let with = |datum: u32| {
        let mut subset = others.clone();
        subset.insert(others.partition_point(|other| *other < datum), datum);
        evaluate(utility, &subset)
    };
    Ok(Swap {
        gains: owners.of[i as usize],
        loses: owners.of[j as usize],
        difference: with(i)? - with(j)?,
    })
}

#[cfg(test)]
mod tests;
