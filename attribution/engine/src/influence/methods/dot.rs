//! Products of gradients without curvature.

use super::{
    dense::{add_product, squared_norms, Operand, Target},
    rows::{check_positive, Matrix, Rows},
};
use crate::Error;

/// GradDot: `τ_i = v · g_i`, how fast a step along the record's gradient lowers the query's loss, in
/// units of loss per learning rate.
///
/// G. Charpiat et al., *Input Similarity from the Neural Network Perspective*, NeurIPS 2019. Cost:
/// `q n P` multiplications; no damping.
///
/// # Errors
/// When the numbers of columns differ or there is no memory for the scores.
pub fn grad_dot(train: Rows<'_>, queries: Rows<'_>) -> Result<Matrix, Error> {
    queries.check_columns("query gradient", train.columns())?;
    let mut scores = Matrix::zeros(queries.rows(), train.rows())?;
    add_dots(&mut scores, 1.0, train, queries);
    Ok(scores)
}

/// GradCos: `τ_i = v · g_i / (|v| |g_i|)`, without unit, as [`grad_dot`] otherwise. A record whose
/// gradient is zero changes nothing and gets zero.
///
/// # Errors
/// As [`grad_dot`], and when a query's gradient is zero.
pub fn grad_cos(train: Rows<'_>, queries: Rows<'_>) -> Result<Matrix, Error> {
    let mut scores = grad_dot(train, queries)?;
    let all = 0..train.columns();
    let query_norms = squared_norms(queries, &all);
    if query_norms.contains(&0.0) {
        return Err(Error::ZeroQuery);
    }
    let norms = squared_norms(train, &all);
    let n = train.rows();
    for (row, query_norm) in scores.values_mut().chunks_exact_mut(n).zip(query_norms) {
        for (score, norm) in row.iter_mut().zip(&norms) {
            if *norm > 0.0 {
                // The product of the squares could underflow.
                *score /= query_norm.sqrt() * norm.sqrt();
            }
        }
    }
    Ok(scores)
}

/// Gradients at one checkpoint of the training run.
#[derive(Clone, Copy, Debug)]
pub struct Checkpoint<'a> {
    /// Of the training records, `n x P`.
    pub train: Rows<'a>,
    /// Of the queries, `q x P`.
    pub queries: Rows<'a>,
    /// The learning rate `η_t` that the checkpoint stands for: the rate at that step, times the number
    /// of passes over the data until the next checkpoint.
    pub learning_rate: f64,
}

/// TracIn-CP: `τ_i = Σ_t η_t v(w_t) · g_i(w_t)`, the fall of the query's loss over all steps that used
/// the record, in units of loss (with plain gradient descent on single records).
///
/// G. Pruthi et al., *Estimating Training Data Influence by Tracing Gradient Descent*, NeurIPS 2020.
/// Cost: `q n P` multiplications per checkpoint; no damping.
///
/// # Errors
/// When there are no checkpoints, their shapes differ, a learning rate is negative or not finite, or
/// there is no memory for the scores.
pub fn tracin(checkpoints: &[Checkpoint<'_>]) -> Result<Matrix, Error> {
    check_positive("number of checkpoints", checkpoints.len())?;
    let (n, q) = (checkpoints[0].train.rows(), checkpoints[0].queries.rows());
    let mut scores = Matrix::zeros(q, n)?;
    for checkpoint in checkpoints {
        let Checkpoint {
            train,
            queries,
            learning_rate,
        } = *checkpoint;
        Error::check_shape(
            "list of training gradients at a checkpoint",
            train.rows(),
            n,
        )?;
        Error::check_shape("list of query gradients at a checkpoint", queries.rows(), q)?;
        queries.check_columns("query gradient", train.columns())?;
        check_learning_rate(learning_rate)?;
        add_dots(&mut scores, learning_rate, train, queries);
    }
    Ok(scores)
}

/// TracIn's self-influence `Σ_t η_t |g_i(w_t)|²`, given training gradients and learning rate of each
/// checkpoint. High for mislabelled and atypical records.
///
/// # Errors
/// When there are no checkpoints, their numbers of records differ, or a learning rate is negative or
/// not finite.
pub fn tracin_self_influence(checkpoints: &[(Rows<'_>, f64)]) -> Result<Vec<f64>, Error> {
    check_positive("number of checkpoints", checkpoints.len())?;
    let n = checkpoints[0].0.rows();
    let mut influences = vec![0.0; n];
    for (train, learning_rate) in checkpoints {
        Error::check_shape(
            "list of training gradients at a checkpoint",
            train.rows(),
            n,
        )?;
        check_learning_rate(*learning_rate)?;
        let norms = squared_norms(*train, &(0..train.columns()));
        for (influence, norm) in influences.iter_mut().zip(norms) {
            *influence += learning_rate * norm;
        }
    }
    Ok(influences)
}

fn check_learning_rate(rate: f64) -> Result<(), Error> {
    if !(rate >= 0.0 && rate.is_finite()) {
        return Err(Error::parameter(
            "learning rate",
            rate,
            "finite and not negative",
        ));
    }
    Ok(())
}

fn add_dots(scores: &mut Matrix, factor: f64, train: Rows<'_>, queries: Rows<'_>) {
    let (n, all) = (train.rows(), 0..train.columns());
    add_product(
        Target::new(scores.values_mut(), n, 0),
        factor,
        Operand::rows(queries, &all),
        Operand::rows(train, &all),
    );
}
