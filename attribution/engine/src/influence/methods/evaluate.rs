//! How good an attribution is: against retrained models, and as a ranking.

use rayon::prelude::*;

use super::{
    dense::{add_product, Operand, Target},
    rows::{check_positive, Matrix},
};
use crate::Error;

/// What the retrained models' outputs are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Lower is better, as for a loss.
    Loss,
    /// Higher is better, as for a log-odds or a log-likelihood.
    Utility,
}

impl Outcome {
    fn sign(self) -> f64 {
        match self {
            Self::Loss => -1.0,
            Self::Utility => 1.0,
        }
    }
}

/// A correlation for each query, and their mean.
#[derive(Clone, Debug, PartialEq)]
pub struct Correlations {
    /// One per query; nothing where the scores or the outputs are all equal.
    pub per_query: Vec<Option<f64>>,
    /// Mean over the queries that have one.
    pub mean: f64,
    /// Standard error of that mean, `s / √q`; nothing for a single query. It takes the queries to be
    /// independent, but they share the retrained models: repeat over splits for the uncertainty of the
    /// benchmark as a whole.
    pub standard_error: Option<f64>,
}

impl Correlations {
    fn new(per_query: Vec<Option<f64>>) -> Result<Self, Error> {
        let defined = per_query.iter().flatten().copied().collect::<Vec<_>>();
        if defined.is_empty() {
            return Err(Error::parameter(
                "number of queries whose scores and outputs both vary",
                0,
                "at least 1: a constant has no correlation",
            ));
        }
        let (mean, standard_error) = mean_and_standard_error(&defined);
        Ok(Self {
            per_query,
            mean,
            standard_error,
        })
    }
}

/// The mean of some values and its standard error `s / √count`, which a single value does not have.
///
/// # Panics
/// When there are no values.
pub fn mean_and_standard_error(values: &[f64]) -> (f64, Option<f64>) {
    assert!(!values.is_empty(), "the mean of nothing");
    let count = values.len() as f64;
    let mean = values.iter().sum::<f64>() / count;
    let squares = values
        .iter()
        .map(|value| (value - mean).powi(2))
        .sum::<f64>();
    let error = (values.len() > 1).then(|| (squares / (count - 1.0) / count).sqrt());
    (mean, error)
}

/// Linear Datamodelling Score (S. M. Park et al., *TRAK: Attributing Model Behavior at Scale*, ICML
/// 2023, section 2): for each query the Spearman correlation, over the subsets `S_j`, between
/// `Σ_{i ∈ S_j} τ_i` and the output of a model retrained on `S_j` alone.
///
/// `scores` is `q x n`, positive where a record helps; `subsets` are `m` lists of record numbers;
/// `outputs` is `q x m`. Ties get their mean rank.
///
/// # Errors
/// When shapes differ, there are fewer than two subsets, a subset is empty, repeats a record or names
/// one that does not exist, or no query has a defined correlation.
pub fn linear_datamodelling_score(
    scores: &Matrix,
    subsets: &[Vec<u32>],
    outputs: &Matrix,
    outcome: Outcome,
) -> Result<Correlations, Error> {
    Error::check_shape(
        "list of queries with outputs",
        outputs.rows(),
        scores.rows(),
    )?;
    Error::check_shape(
        "list of outputs per query",
        outputs.columns(),
        subsets.len(),
    )?;
    let predictions = subset_sums(scores, subsets)?;
    let sign = outcome.sign();
    Correlations::new(
        (0..scores.rows())
            .into_par_iter()
            .map(|query| Some(sign * spearman(predictions.row(query), outputs.row(query))?))
            .collect(),
    )
}

/// Leave-one-out correlation: for each query the Pearson correlation between the scores of the records
/// `left_out` and the changes `output(without the record) − output(with all)`, `q x left_out`.
///
/// # Errors
/// When shapes differ, fewer than two records are given, one is given twice or does not exist, or no
/// query has a defined correlation.
pub fn leave_one_out_correlation(
    scores: &Matrix,
    left_out: &[u32],
    changes: &Matrix,
    outcome: Outcome,
) -> Result<Correlations, Error> {
    Error::check_shape(
        "list of queries with changes",
        changes.rows(),
        scores.rows(),
    )?;
    Error::check_shape(
        "list of changes per query",
        changes.columns(),
        left_out.len(),
    )?;
    check_two("number of records left out", left_out.len())?;
    check_records(left_out, scores.columns())?;
    // A record that helps raises the loss when it is left out.
    let sign = -outcome.sign();
    Correlations::new(
        (0..scores.rows())
            .into_par_iter()
            .map(|query| {
                let row = scores.row(query);
                let some = left_out
                    .iter()
                    .map(|i| row[*i as usize])
                    .collect::<Vec<_>>();
                Some(sign * pearson(&some, changes.row(query))?)
            })
            .collect(),
    )
}

/// `Σ_{i ∈ S_j} τ_i` for each query and subset: `q x m`.
pub(super) fn subset_sums(scores: &Matrix, subsets: &[Vec<u32>]) -> Result<Matrix, Error> {
    check_two("number of subsets", subsets.len())?;
    let n = scores.columns();
    let mut masks = Matrix::zeros(subsets.len(), n)?;
    for (subset, mask) in subsets.iter().zip(masks.values_mut().chunks_exact_mut(n)) {
        check_positive("size of a subset", subset.len())?;
        check_records(subset, n)?;
        for record in subset {
            mask[*record as usize] = 1.0;
        }
    }
    let mut sums = Matrix::zeros(scores.rows(), subsets.len())?;
    add_product(
        Target::new(sums.values_mut(), subsets.len(), 0),
        1.0,
        Operand::new(scores.values(), n, &(0..n)),
        Operand::new(masks.values(), n, &(0..n)),
    );
    Ok(sums)
}

fn check_two(name: &'static str, value: usize) -> Result<(), Error> {
    if value < 2 {
        return Err(Error::parameter(name, value, "at least 2"));
    }
    Ok(())
}

/// Refuses lists with unknown or repeated records.
pub(super) fn check_records(records: &[u32], count: usize) -> Result<(), Error> {
    let mut seen = vec![false; count];
    for record in records {
        match seen.get_mut(*record as usize) {
            None => {
                return Err(Error::parameter(
                    "record number",
                    record,
                    format!("below the number of records, {count}"),
                ))
            }
            Some(true) => return Err(Error::parameter("record number", record, "given once")),
            Some(seen) => *seen = true,
        }
    }
    Ok(())
}

/// Spearman's rank correlation: Pearson's of the ranks, ties at their mean rank. Nothing when one
/// side is constant or has a NaN.
///
/// # Panics
/// When the lengths differ.
pub fn spearman(a: &[f64], b: &[f64]) -> Option<f64> {
    pearson(&ranks(a), &ranks(b))
}

/// Pearson's correlation. Nothing when one side is constant or has a NaN.
///
/// # Panics
/// When the lengths differ.
pub fn pearson(a: &[f64], b: &[f64]) -> Option<f64> {
    assert_eq!(a.len(), b.len(), "a correlation is between pairs");
    let constant = |values: &[f64]| values.windows(2).all(|pair| pair[0] == pair[1]);
    if constant(a) || constant(b) {
        return None;
    }
    let mean = |values: &[f64]| values.iter().sum::<f64>() / values.len() as f64;
    let (mean_a, mean_b) = (mean(a), mean(b));
    let (mut products, mut squares_a, mut squares_b) = (0.0, 0.0, 0.0);
    for (a, b) in a.iter().zip(b) {
        let (a, b) = (a - mean_a, b - mean_b);
        products += a * b;
        squares_a += a * a;
        squares_b += b * b;
    }
    let correlation = products / (squares_a.sqrt() * squares_b.sqrt());
    // Rounding can carry a perfect correlation past one.
    correlation
        .is_finite()
        .then(|| correlation.clamp(-1.0, 1.0))
}

/// Ranks from 1; equal values share the mean of theirs.
fn ranks(values: &[f64]) -> Vec<f64> {
    let mut order = (0..values.len()).collect::<Vec<_>>();
    order.sort_by(|i, j| values[*i].total_cmp(&values[*j]));
    let mut ranks = vec![0.0; values.len()];
    let mut start = 0;
    for run in order.chunk_by(|i, j| values[*i] == values[*j]) {
        // The mean of start + 1 ..= start + length.
        let rank = start as f64 + (run.len() as f64 + 1.0) / 2.0;
        for i in run {
            ranks[*i] = if values[*i].is_nan() { f64::NAN } else { rank };
        }
        start += run.len();
    }
    ranks
}

/// Area under the ROC curve: the probability that a marked record has a higher value than one that is
/// not marked, ties counting half (Mann and Whitney).
///
/// # Errors
/// When the lengths differ, a value is NaN, or all or none of the records are marked.
pub fn area_under_curve(values: &[f64], marked: &[bool]) -> Result<f64, Error> {
    let positives = check_ranking(values, marked)?;
    let negatives = values.len() - positives;
    check_positive("number of records that are not marked", negatives)?;
    let ranks = ranks(values);
    let sum = ranks
        .iter()
        .zip(marked)
        .filter_map(|(rank, marked)| marked.then_some(rank))
        .sum::<f64>();
    let (positives, negatives) = (positives as f64, negatives as f64);
    Ok((sum - positives * (positives + 1.0) / 2.0) / (positives * negatives))
}

/// The share of the marked records among the `top` records with the highest values; the earlier of two
/// equal ones goes first.
///
/// # Errors
/// When the lengths differ, a value is NaN, no record is marked, or `top` is not in `1..=n`.
pub fn recall(values: &[f64], marked: &[bool], top: usize) -> Result<f64, Error> {
    let positives = check_ranking(values, marked)?;
    if top == 0 || top > values.len() {
        let expected = format!("in 1..={}", values.len());
        return Err(Error::parameter("number of top records", top, expected));
    }
    let mut order = (0..values.len()).collect::<Vec<_>>();
    order.sort_by(|i, j| values[*j].total_cmp(&values[*i]).then(i.cmp(j)));
    let found = order[..top].iter().filter(|i| marked[**i]).count();
    Ok(found as f64 / positives as f64)
}

/// Number of marked records.
fn check_ranking(values: &[f64], marked: &[bool]) -> Result<usize, Error> {
    Error::check_shape("list of marks", marked.len(), values.len())?;
    if values.iter().any(|value| value.is_nan()) {
        return Err(Error::parameter("value in a ranking", f64::NAN, "a number"));
    }
    let positives = marked.iter().filter(|marked| **marked).count();
    check_positive("number of marked records", positives)?;
    Ok(positives)
}
