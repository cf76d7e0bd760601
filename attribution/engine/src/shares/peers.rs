//! Pay by what others earn with similar records: a defence against records made to look influential.
//!
//! Perturbed records (X. Wang et al., *Adversarial Attacks on Data Attribution*, ICLR 2025) raise what
//! they earn themselves, but hardly what similar records of others earn. With `s_i` what record `i`
//! earns undefended, `e_i` the mean of that over its peers, scaled so that both have the same total, and
//! `S`, `E` their sums over the records of one owner, the owner earns
//!
//! ```text
//! E · f(S / E)        f(r) = min(r, c)^p        0 ≤ p ≤ 1 ≤ c
//! ```
//!
//! instead of `S`, and all its records are weighed alike, so that they compare with each other as
//! before. Given `E`, driving up `S` multiplies what the owner earns by at most `(c E / S)^p`, and by 1
//! where `S` was at the cap already. With `p = c = 1` the owner earns the smaller of `S` and `E`.
//!
//! The price: records that are worth more than similar ones of others are paid like those. Names under
//! which one adversary contributes are each other's peers: the rule needs names that cost something.
//!
//! ```
//! use attribution_engine::{
//!     shares::{peer_weights, PeerRule, Peers},
//!     valuation::Samples,
//! };
//!
//! # fn main() -> Result<(), attribution_engine::Error> {
//! // Owner 2's record is like the others and earns six times as much.
//! let records = Samples::new(&[0.1, 0.2, 0.15], 1, &[0, 0, 0])?;
//! let (owners, earned) = ([0, 1, 2], [1.0, 1.0, 6.0]);
//! let expected = Peers::nearest(records, &owners, 2)?.expected(&earned)?;
//! let rule = PeerRule { exponent: 1.0, cap: 1.0 };
//! let weights = peer_weights(&earned, &expected, &owners, rule)?;
//! assert_eq!(weights[..2], [1.0, 1.0]);
//! assert!((weights[2] * earned[2] - 1.0).abs() < 1e-9);
//! # Ok(())
//! # }
//! ```

use std::collections::BTreeMap;

use rayon::prelude::*;

use crate::{valuation::Samples, Error};

/// How far pay follows an owner's own records where they differ from their peers.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct PeerRule {
    /// `p`, in 0..=1: 0 pays what the peers earn, 1 what the owner's records earn, up to the cap.
    pub exponent: f64,
    /// `c`, at least 1: how many times what their peers earn an owner's records may count for.
    pub cap: f64,
}

impl PeerRule {
    fn check(&self) -> Result<(), Error> {
        if !(0.0..=1.0).contains(&self.exponent) {
            let expected = "in 0..=1: a higher power pays for outliers";
            return Err(Error::parameter(
                "exponent of the peer rule",
                self.exponent,
                expected,
            ));
        }
        if self.cap.is_nan() || self.cap < 1.0 {
            return Err(Error::parameter(
                "cap of the peer rule",
                self.cap,
                "at least 1",
            ));
        }
        Ok(())
    }
}

/// For each record those of other owners that are most like it.
#[derive(Clone, Debug, PartialEq)]
pub struct Peers {
    lists: Vec<Vec<u32>>,
    owners: Vec<u32>,
}

impl Peers {
    /// The `count` nearest records, by Euclidean distance, that have the same label and another owner;
    /// of equally near ones the earlier. Fewer where there are no more of them.
    ///
    /// Features must be such that an owner cannot move its records far without changing what they are:
    /// inputs or an encoder's output, not gradients, whose direction follows the loss.
    ///
    /// Cost: `n² d` multiplications, and the memory of one row of distances for each thread.
    ///
    /// # Errors
    /// When there is not one owner for each record, or `count` is zero.
    pub fn nearest(records: Samples<'_>, owners: &[u32], count: usize) -> Result<Self, Error> {
        Error::check_shape("list of owners", owners.len(), records.count())?;
        if count == 0 {
            return Err(Error::parameter("number of peers", 0, "at least 1"));
        }
        let labels = records.labels();
        let mut classes = BTreeMap::<u32, Vec<u32>>::new();
        for (row, label) in (0..).zip(labels) {
            classes.entry(*label).or_default().push(row);
        }
        let lists = (0..records.count())
            .into_par_iter()
            .map(|row| {
                let point = records.row(row);
                let mut others = classes[&labels[row]]
                    .iter()
                    .filter(|other| owners[**other as usize] != owners[row])
                    .map(|other| {
                        (
                            squared_distance(point, records.row(*other as usize)),
                            *other,
                        )
                    })
                    .collect::<Vec<_>>();
                let nearer =
                    |a: &(f64, u32), b: &(f64, u32)| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1));
                if others.len() > count {
                    others.select_nth_unstable_by(count - 1, nearer);
                    others.truncate(count);
                }
                // A fixed order of summation.
                let mut list = others
                    .into_iter()
                    .map(|(_, other)| other)
                    .collect::<Vec<_>>();
                list.sort_unstable();
                list
            })
            .collect();
        Ok(Self {
            lists,
            owners: owners.to_vec(),
        })
    }

    /// The peers of a record, ascending.
    ///
    /// # Panics
    /// When there is no such record.
    pub fn of(&self, record: usize) -> &[u32] {
        &self.lists[record]
    }

    /// `e_i`, not scaled yet: the mean of what the peers of each record earn. A record without any is
    /// expected to earn what an average record of other owners earns, or nothing where there are none.
    ///
    /// # Errors
    /// When there is not one amount for each record, or one is negative or not finite.
    pub fn expected(&self, earned: &[f64]) -> Result<Vec<f64>, Error> {
        Error::check_shape("list of earnings", earned.len(), self.lists.len())?;
        check_amounts("earnings of record", earned)?;
        let mut own = BTreeMap::<u32, (f64, usize)>::new();
        for (owner, amount) in self.owners.iter().zip(earned) {
            let (sum, count) = own.entry(*owner).or_default();
            *sum += amount;
            *count += 1;
        }
        let sum = earned.iter().sum::<f64>();
        let mean = |sum: f64, count: usize| if count == 0 { 0.0 } else { sum / count as f64 };
        Ok(self
            .lists
            .iter()
            .zip(&self.owners)
            .map(|(list, owner)| {
                if list.is_empty() {
                    let (own, count) = own[owner];
                    return mean((sum - own).max(0.0), earned.len() - count);
                }
                mean(
                    list.iter().map(|peer| earned[*peer as usize]).sum(),
                    list.len(),
                )
            })
            .collect())
    }
}

/// The weights that bring what each record `earned` to what the rule pays its owner, given what each was
/// `expected` to earn (see [`Peers::expected`]; any positive multiple will do). Multiply a record's
/// scores by its weight. All records of an owner have the same weight, 1 where they earned nothing.
///
/// Given the expectations, `E · f(S / E)` is concave and homogeneous in `(S, E)`: records split among
/// several names never earn more than under one.
///
/// # Errors
/// When lengths differ, an amount is negative or not finite, or the rule is out of its bounds.
pub fn peer_weights(
    earned: &[f64],
    expected: &[f64],
    owners: &[u32],
    rule: PeerRule,
) -> Result<Vec<f64>, Error> {
    rule.check()?;
    Error::check_shape("list of expected earnings", expected.len(), earned.len())?;
    Error::check_shape("list of owners", owners.len(), earned.len())?;
    check_amounts("earnings of record", earned)?;
    check_amounts("expected earnings of record", expected)?;
    let total = |amounts: &[f64]| amounts.iter().sum::<f64>();
    let scale = total(earned) / total(expected);
    if !scale.is_finite() {
        // Nobody is expected to earn anything: there is nothing to compare with.
        return Ok(vec![1.0; earned.len()]);
    }
    let mut sums = BTreeMap::<u32, (f64, f64)>::new();
    for ((owner, earned), expected) in owners.iter().zip(earned).zip(expected) {
        let (own, peers) = sums.entry(*owner).or_default();
        *own += earned;
        *peers += scale * expected;
    }
    let weight = |owner: &u32| {
        let (own, peers) = sums[owner];
        if own == 0.0 {
            return 1.0;
        }
        if peers == 0.0 {
            // The limit of E · f(S / E) for an owner whose peers earn nothing.
            return f64::from(u8::from(rule.exponent == 1.0 && rule.cap.is_infinite()));
        }
        let ratio = own / peers;
        ratio.min(rule.cap).powf(rule.exponent) / ratio
    };
    Ok(owners.iter().map(weight).collect())
}

fn check_amounts(what: &'static str, amounts: &[f64]) -> Result<(), Error> {
    match amounts
        .iter()
        .position(|amount| !(*amount >= 0.0 && amount.is_finite()))
    {
        Some(at) => Err(Error::entry(
            what,
            at,
            amounts[at],
            "finite and at least zero",
        )),
        None => Ok(()),
    }
}

fn squared_distance(a: &[f32], b: &[f32]) -> f64 {
    a.iter()
        .zip(b)
        .map(|(a, b)| (f64::from(*a) - f64::from(*b)).powi(2))
        .sum()
}
