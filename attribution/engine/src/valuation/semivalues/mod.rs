//! Semivalues: the mean marginal contribution of a datum, weighted by the size of what it joins.
//!
//! ```text
//! v_i = Σ_s q(s) · E[ U(S + i) − U(S) ],   S uniform among the subsets of size s without i
//! ```
//!
//! The distribution `q` of sizes `s` in 0..n makes the semivalue, see [`Semivalue`]. P. Dubey,
//! A. Neyman and R. J. Weber, *Value theory without efficiency*, Mathematics of Operations Research
//! 6(1), 1981.

use rayon::prelude::*;

use crate::{
    valuation::{
        estimate::{gelman_rubin, Estimate, Estimates, Moments},
        random::{choose, stream},
        samples::check_count,
        utility::{evaluate, Utility},
    },
    Error,
};

/// The most data of which all subsets are evaluated.
const MAX_EXACT: usize = 24;
/// Permutations that run side by side before their results are added in order.
const BATCH: u64 = 64;

/// Which semivalue.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Semivalue {
    /// All sizes count the same: L. S. Shapley 1953, for data A. Ghorbani and J. Zou, *Data Shapley*,
    /// ICML 2019.
    Shapley,
    /// Sizes are beta-binomial, `q(s) = C(n−1, s) B(s + β, n − 1 − s + α) / B(α, β)`. Y. Kwon and
    /// J. Zou, *Beta Shapley*, AISTATS 2022. Small subsets count more where `α > β`; `α = β = 1` is
    /// the Shapley value.
    Beta {
        /// `α`, above zero.
        alpha: f64,
        /// `β`, above zero.
        beta: f64,
    },
    /// Each other datum is there with this probability: J. T. Wang and R. Jia, *Data Banzhaf*,
    /// AISTATS 2023, with one half.
    Banzhaf {
        /// The probability, between zero and one.
        probability: f64,
    },
}

impl Semivalue {
    /// The probabilities `q(0), …, q(n−1)` of the sizes of what a datum joins.
    ///
    /// # Errors
    /// When `data` is not in 1..=2³¹ − 1, or a parameter is out of its range.
    pub fn size_distribution(&self, data: usize) -> Result<Vec<f64>, Error> {
        check_count("number of training data", data)?;
        let others = (data - 1) as f64;
        let shape = |name, value: f64| {
            if value > 0.0 && value.is_finite() {
                Ok(value)
            } else {
                Err(Error::parameter(name, value, "a finite number above zero"))
            }
        };
        // All are given by the ratio q(s + 1) / q(s).
        let ratio: Box<dyn Fn(f64) -> f64> = match *self {
            Self::Shapley => Box::new(|_| 1.0),
            Self::Beta { alpha, beta } => {
                let (alpha, beta) = (shape("alpha", alpha)?, shape("beta", beta)?);
                Box::new(move |s| {
                    (others - s) / (s + 1.0) * (s + beta) / (others - s - 1.0 + alpha)
                })
            }
            Self::Banzhaf { probability } => {
                check_probability(probability)?;
                let odds = probability / (1.0 - probability);
                Box::new(move |s| (others - s) / (s + 1.0) * odds)
            }
        };
        let mut logarithms = vec![0.0; data];
        for s in 1..data {
            logarithms[s] = logarithms[s - 1] + ratio((s - 1) as f64).ln();
        }
        let largest = logarithms.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let mut distribution = logarithms;
        for value in &mut distribution {
            *value = (*value - largest).exp();
        }
        let total = distribution.iter().sum::<f64>();
        distribution.iter_mut().for_each(|value| *value /= total);
        Ok(distribution)
    }
}

/// Refuses what is not strictly between zero and one.
pub(crate) fn check_probability(probability: f64) -> Result<(), Error> {
    if probability > 0.0 && probability < 1.0 {
        Ok(())
    } else {
        Err(Error::parameter(
            "probability",
            probability,
            "above 0 and below 1",
        ))
    }
}

/// The exact semivalue of each datum, from all `2ⁿ` subsets.
///
/// # Errors
/// When there are no or more than 24 data, a parameter is out of its range or an evaluation fails.
pub fn exact<U: Utility + ?Sized>(utility: &U, semivalue: Semivalue) -> Result<Vec<f64>, Error> {
    let data = utility.data();
    if data > MAX_EXACT {
        return Err(Error::parameter(
            "number of training data",
            data,
            format!("at most {MAX_EXACT} for all subsets; use an estimator"),
        ));
    }
    let distribution = semivalue.size_distribution(data)?;
    let utilities = (0..1_u32 << data)
        .into_par_iter()
        .map(|members| {
            let subset = (0..data as u32)
                .filter(|datum| members >> datum & 1 == 1)
                .collect::<Vec<_>>();
            evaluate(utility, &subset)
        })
        .collect::<Vec<Result<f64, Error>>>();
    let utilities = utilities.into_iter().collect::<Result<Vec<_>, _>>()?;
    // C(n − 1, s), by its recurrence.
    let mut subsets = 1.0;
    let weights = distribution
        .iter()
        .enumerate()
        .map(|(s, probability)| {
            let weight = probability / subsets;
            subsets *= (data - 1 - s) as f64 / (s + 1) as f64;
            weight
        })
        .collect::<Vec<_>>();
    Ok((0..data)
        .into_par_iter()
        .map(|datum| {
            let bit = 1_usize << datum;
            (0..utilities.len())
                .filter(|members| members & bit == 0)
                .map(|members| {
                    weights[members.count_ones() as usize]
                        * (utilities[members | bit] - utilities[members])
                })
                .sum()
        })
        .collect())
}

/// How [`by_permutations`] samples.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Permutations {
    /// What the permutations are drawn from.
    pub seed: [u8; 32],
    /// The most permutations, at least 2.
    pub count: u64,
    /// Truncation: a permutation ends, its remaining marginal contributions taken as zero, once the
    /// utility of the data so far is within this fraction of `|U(all)|` from `U(all)`. Saves
    /// evaluations and biases the estimates by what it leaves out, which the standard errors do not
    /// show. `None` for none.
    pub truncation: Option<f64>,
    /// Stops, after a multiple of 64 permutations, when every standard error is at most this.
    /// Intervals from such a run cover a little less than they say. `None` for all permutations.
    pub target: Option<f64>,
    /// Compares chains of permutations with each other. `None` for no chains.
    pub chains: Option<Chains>,
}

/// Into how many chains permutations are dealt, one after the other, and when they agree.
///
/// The largest Gelman-Rubin statistic of all values is reported in [`Estimates::gelman_rubin`].
/// Permutations are independent, so it comes near one as soon as each chain has some twenty of them: it
/// finds truncations and utilities that are not the same from run to run, and it stops early, but it
/// does not say that the errors are small. [`Permutations::target`] does.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Chains {
    /// Number of chains, from 2 to half the number of permutations.
    pub count: u32,
    /// Stops, after a multiple of 64 permutations, when the statistic is below this, which is above 1;
    /// 1.05 is usual. With a target too, both must be reached. `None` only reports it.
    pub below: Option<f64>,
}

impl Chains {
    fn check(&self, permutations: u64) -> Result<(), Error> {
        let most = permutations / 2;
        if self.count < 2 || u64::from(self.count) > most {
            return Err(Error::parameter(
                "number of chains",
                self.count,
                format!("from 2 to {most}, half the number of permutations"),
            ));
        }
        match self.below {
            Some(bound) if !(bound > 1.0 && bound.is_finite()) => Err(Error::parameter(
                "bound of the Gelman-Rubin statistic",
                bound,
                "a finite number above 1",
            )),
            _ => Ok(()),
        }
    }
}

/// Estimates a semivalue from random permutations: the marginal contribution of each datum to those
/// before it, times `n q(s)` with `s` their number (Ghorbani and Zou 2019, algorithm 1 "TMC-Shapley",
/// and its weighted form in Kwon and Zou 2022).
///
/// Without truncation the estimates are unbiased. Permutations are independent, so the standard error
/// is that of a mean. At most `n − 1` evaluations for each permutation and two in all.
///
/// # Errors
/// When there is no datum, a parameter is out of its range or an evaluation fails.
pub fn by_permutations<U: Utility + ?Sized>(
    utility: &U,
    semivalue: Semivalue,
    permutations: &Permutations,
) -> Result<Estimates, Error> {
    let data = utility.data();
    check_count("number of training data", data)?;
    let each = (0..data as u32).collect::<Vec<_>>();
    by_permutations_of_groups(utility, semivalue, permutations, &each, data)
}

/// As [`by_permutations`], for sums over groups: `group` gives each datum's, below `groups`.
pub(crate) fn by_permutations_of_groups<U: Utility + ?Sized>(
    utility: &U,
    semivalue: Semivalue,
    permutations: &Permutations,
    group: &[u32],
    groups: usize,
) -> Result<Estimates, Error> {
    let data = utility.data();
    let mut factors = semivalue.size_distribution(data)?;
    factors.iter_mut().for_each(|q| *q *= data as f64);
    if permutations.count < 2 {
        return Err(Error::parameter(
            "number of permutations",
            permutations.count,
            "at least 2, for a standard error",
        ));
    }
    for (name, bound) in [
        ("truncation", permutations.truncation),
        ("target standard error", permutations.target),
    ] {
        match bound {
            Some(bound) if !(bound >= 0.0 && bound.is_finite()) => {
                return Err(Error::parameter(name, bound, "a finite number from zero"));
            }
            _ => {}
        }
    }
    if let Some(chains) = permutations.chains {
        chains.check(permutations.count)?;
    }
    let none = evaluate(utility, &[])?;
    let all = evaluate(utility, &(0..data as u32).collect::<Vec<_>>())?;
    let walk = Walk {
        utility,
        factors: &factors,
        none,
        all,
        margin: permutations.truncation.map(|part| part * all.abs()),
    };
    let mut moments = vec![Moments::default(); groups];
    let chain_count = permutations
        .chains
        .map_or(0, |chains| chains.count as usize);
    let mut chains = vec![Moments::default(); groups * chain_count];
    let mut statistic = None;
    let mut evaluations = 2;
    let mut done = 0;
    while done < permutations.count {
        let batch = done..(done + BATCH).min(permutations.count);
        let results = batch
            .clone()
            .into_par_iter()
            .map(|item| {
                let mut sums = vec![0.0; groups];
                let evaluations = walk.run(&permutations.seed, item, |datum, contribution| {
                    sums[group[datum as usize] as usize] += contribution;
                })?;
                Ok((sums, evaluations))
            })
            .collect::<Vec<Result<(Vec<f64>, u64), Error>>>();
        for (item, result) in batch.clone().zip(results) {
            let (sums, count) = result?;
            evaluations += count;
            for (group, (moments, sum)) in moments.iter_mut().zip(sums).enumerate() {
                moments.push(sum);
                if let Some(chain) = item.checked_rem(chain_count as u64) {
                    chains[group * chain_count + chain as usize].push(sum);
                }
            }
        }
        done = batch.end;
        let precise = permutations.target.map(|target| {
            moments
                .iter()
                .all(|moments| moments.variance_of_mean() <= target * target)
        });
        if done >= 2 * chain_count as u64 {
            statistic = chains
                .chunks_exact(chain_count.max(1))
                .map(gelman_rubin)
                .reduce(f64::max);
        }
        let agreed = permutations
            .chains
            .and_then(|chains| chains.below)
            .map(|below| statistic.is_some_and(|statistic| statistic < below));
        // Only what was asked for decides, and all of it.
        if precise.or(agreed).is_some() && precise != Some(false) && agreed != Some(false) {
            break;
        }
    }
    Ok(Estimates {
        values: moments
            .into_iter()
            .map(|moments| Estimate::combined([(1.0, moments)].into_iter()))
            .collect(),
        evaluations,
        gelman_rubin: statistic,
    })
}

/// What all permutations share.
struct Walk<'a, U: ?Sized> {
    utility: &'a U,
    factors: &'a [f64],
    none: f64,
    all: f64,
    margin: Option<f64>,
}

impl<U: Utility + ?Sized> Walk<'_, U> {
    /// Adds the data in the order of one permutation and reports each weighted contribution; returns
    /// the number of evaluations.
    fn run(
        &self,
        seed: &[u8; 32],
        item: u64,
        mut report: impl FnMut(u32, f64),
    ) -> Result<u64, Error> {
        let data = self.factors.len();
        let mut permutation = (0..data as u32).collect::<Vec<_>>();
        choose(&mut stream(seed, item), &mut permutation, data);
        let mut subset = Vec::with_capacity(data);
        let mut before = self.none;
        let mut evaluations = 0;
        for (datum, factor) in permutation.iter().zip(self.factors) {
            if self
                .margin
                .is_some_and(|margin| (self.all - before).abs() <= margin)
            {
                break;
            }
            let place = subset.partition_point(|other| other < datum);
            subset.insert(place, *datum);
            let after = if subset.len() == data {
                self.all
            } else {
                evaluations += 1;
                evaluate(self.utility, &subset)?
            };
            report(*datum, factor * (after - before));
            before = after;
        }
        Ok(evaluations)
    }
}

#[cfg(test)]
pub(crate) mod tests;
