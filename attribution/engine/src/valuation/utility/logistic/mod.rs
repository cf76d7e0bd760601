//! Logistic regression.
//!
//! For the data of a subset `S`, with a bias as one more feature that is always 1, the fit minimises
//!
//! ```text
//! ( Σ_(i ∈ S) −ln p(y_i | x_i)  +  λ/2 |θ|² ) / max(|S|, 1)
//! ```
//!
//! over all coefficients `θ`, the bias among them, so that every subset has exactly one optimum: the
//! empty one has `θ = 0`, a uniform guess. In two classes `θ` is the logit of class 1, otherwise one
//! vector for each class (softmax).
//!
//! The minimiser is L-BFGS (D. C. Liu and J. Nocedal, *On the limited memory BFGS method for large
//! scale optimization*, Mathematical Programming 45, 1989) that starts from the fit to all data and
//! from the inverse of `Xᵀ D X + λ I` there, factorised by Cholesky once for each subset. In two
//! classes that is the Hessian, so the first step is Newton's; with more, `D` is the mean over classes
//! of their diagonal blocks' weights and each class has the same block.

use super::{check_subset, Utility};
use crate::{
    linear::{dot, Cholesky},
    simd::{add_scaled, Level},
    valuation::Samples,
    Error,
};

/// Rows are padded to a multiple of this with zeros, so that vector registers are filled.
const PADDING: usize = 8;
/// Steps that the Hessian is corrected by.
const MEMORY: usize = 10;
/// Iterations after which the fit is given up.
const MAX_ITERATIONS: usize = 1_000;
/// What a step must gain of what its slope promises, and the share of the slope that may be left
/// where rounding hides the gain (W. W. Hager and H. Zhang, *A new conjugate gradient method with
/// guaranteed descent and an efficient line search*, SIAM J. Optim. 16(1), 2005).
const SUFFICIENT_DECREASE: f64 = 1e-4;
const REMAINING_SLOPE: f64 = 0.9;
/// Relative rounding of the objective.
const ROUNDING: f64 = 1e-12;
/// The shortest step of the line search.
const SHORTEST_STEP: f64 = 1e-12;

/// How a fitted model is scored on the validation data. Higher is better.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Score {
    /// The share of data whose most probable class, of equals the lowest, is right.
    Accuracy,
    /// The mean of `ln p(y | x)`: log-loss with its sign changed.
    LogLikelihood,
}

/// The validation score of a logistic regression with an L2 penalty.
pub struct LogisticUtility {
    train: Design,
    validation: Design,
    classes: usize,
    penalty: f64,
    tolerance: f64,
    score: Score,
    level: Level,
    /// The coefficients for all data.
    start: Vec<f64>,
}

/// A fitted model.
#[derive(Clone, Debug, PartialEq)]
pub struct LogisticFit {
    /// `1 x (d + 1)` for two classes, `C x (d + 1)` for more, row-major; the bias is last in each row.
    pub coefficients: Vec<f64>,
    /// The Euclidean norm of the objective's gradient there.
    pub gradient_norm: f64,
    /// Iterations from the fit to all data.
    pub iterations: usize,
}

impl LogisticUtility {
    /// Fits all of `train` as the start for all subsets. Labels are below `classes`; `penalty` is
    /// `λ`, the inverse of what some libraries call `C`; fits end at a gradient norm of at most
    /// `tolerance`, for which 1e-4 is usual.
    ///
    /// # Errors
    /// When the dimensions differ, there are fewer than two classes, a label is not below them, the
    /// penalty or the tolerance is not above zero, or the fit does not converge.
    pub fn new(
        train: Samples<'_>,
        validation: Samples<'_>,
        classes: u32,
        penalty: f64,
        tolerance: f64,
        score: Score,
    ) -> Result<Self, Error> {
        validation.check_dimension(train.dimension())?;
        if classes < 2 {
            return Err(Error::parameter("number of classes", classes, "at least 2"));
        }
        train.check_labels(classes)?;
        validation.check_labels(classes)?;
        for (name, value) in [("penalty", penalty), ("tolerance", tolerance)] {
            if !(value > 0.0 && value.is_finite()) {
                return Err(Error::parameter(name, value, "a finite number above zero"));
            }
        }
        let mut utility = Self {
            train: Design::new(train),
            validation: Design::new(validation),
            classes: classes as usize,
            penalty,
            tolerance,
            score,
            level: Level::detect(),
            start: Vec::new(),
        };
        utility.start = vec![0.0; utility.columns() * utility.train.width];
        let all = (0..train.count() as u32).collect::<Vec<_>>();
        utility.start = utility.minimise(&all)?.coefficients;
        Ok(utility)
    }

    /// Fits the data of a subset.
    ///
    /// # Errors
    /// When the subset is not strictly ascending numbers below the number of data, or the fit does
    /// not converge.
    pub fn fit(&self, subset: &[u32]) -> Result<LogisticFit, Error> {
        check_subset(subset, self.train.labels.len())?;
        let mut fit = self.minimise(subset)?;
        fit.coefficients = fit
            .coefficients
            .chunks_exact(self.train.width)
            .flat_map(|row| &row[..=self.train.dimension])
            .copied()
            .collect();
        Ok(fit)
    }

    /// Number of logits: one for two classes.
    fn columns(&self) -> usize {
        if self.classes == 2 {
            1
        } else {
            self.classes
        }
    }

    /// Writes the logits of a row.
    fn logits(&self, theta: &[f64], row: &[f64], out: &mut [f64]) {
        for (out, theta) in out.iter_mut().zip(theta.chunks_exact(row.len())) {
            *out = dot(theta, row);
        }
    }

    /// The coefficients, padded, at which the gradient is small enough.
    fn minimise(&self, subset: &[u32]) -> Result<LogisticFit, Error> {
        if subset.is_empty() {
            // Exactly the optimum, which iterations would only approach: scores compare logits.
            return Ok(LogisticFit {
                coefficients: vec![0.0; self.start.len()],
                gradient_norm: 0.0,
                iterations: 0,
            });
        }
        let scale = subset.len() as f64;
        let mut here = Point::at(self, subset, self.start.clone());
        let curvature = self.curvature(subset, &here.weights)?;
        let mut history = History::default();
        for iterations in 0..MAX_ITERATIONS {
            let gradient_norm = norm(&here.gradient) / scale;
            if gradient_norm <= self.tolerance {
                return Ok(LogisticFit {
                    coefficients: here.theta,
                    gradient_norm,
                    iterations,
                });
            }
            let direction = history.direction(&here.gradient, &curvature, self.train.width);
            let Some(next) = self.search(subset, &here, &direction) else {
                return Err(self.not_converged(iterations, gradient_norm));
            };
            history.push(&here, &next);
            here = next;
        }
        Err(self.not_converged(MAX_ITERATIONS, norm(&here.gradient) / scale))
    }

    fn not_converged(&self, iterations: usize, norm: f64) -> Error {
        Error::NotConverged {
            what: "the logistic regression",
            iterations,
            norm,
            tolerance: self.tolerance,
        }
    }

    /// Halves the step until it gains enough.
    fn search(&self, subset: &[u32], here: &Point, direction: &[f64]) -> Option<Point> {
        let slope = dot(direction, &here.gradient);
        let mut step = 1.0;
        while step > SHORTEST_STEP {
            let mut theta = here.theta.clone();
            add_scaled(self.level, &mut theta, [step], [direction]);
            let next = Point::at(self, subset, theta);
            let decreased = next.value <= here.value + SUFFICIENT_DECREASE * step * slope;
            let flat = next.value <= here.value + ROUNDING * here.value.abs()
                && dot(direction, &next.gradient).abs() <= REMAINING_SLOPE * slope.abs();
            if decreased || flat {
                return Some(next);
            }
            step /= 2.0;
        }
        None
    }

    /// The Cholesky factorisation of `Xᵀ D X + λ I` over a subset.
    fn curvature(&self, subset: &[u32], weights: &[f64]) -> Result<Cholesky, Error> {
        let width = self.train.width;
        let mut matrix = vec![0.0; width * width];
        let fours = subset.len() - subset.len() % 4;
        for at in (0..fours).step_by(4) {
            let rows = [0, 1, 2, 3].map(|n| self.train.row(subset[at + n]));
            let weights = [0, 1, 2, 3].map(|n| weights[at + n]);
            self.add_outer(&mut matrix, weights, rows);
        }
        for (datum, weight) in subset[fours..].iter().zip(&weights[fours..]) {
            self.add_outer(&mut matrix, [*weight], [self.train.row(*datum)]);
        }
        for k in 0..width {
            matrix[k * width + k] += self.penalty;
        }
        Cholesky::new(self.level, matrix, width)
    }

    /// Adds weighted outer products to the lower triangle.
    fn add_outer<const N: usize>(&self, matrix: &mut [f64], weights: [f64; N], rows: [&[f64]; N]) {
        let width = self.train.width;
        for (a, sums) in matrix.chunks_exact_mut(width).enumerate() {
            let mut factors = weights;
            for (factor, row) in factors.iter_mut().zip(rows) {
                *factor *= row[a];
            }
            add_scaled(
                self.level,
                &mut sums[..=a],
                factors,
                rows.map(|row| &row[..=a]),
            );
        }
    }
}

impl Utility for LogisticUtility {
    fn data(&self) -> usize {
        self.train.labels.len()
    }

    fn evaluate(&self, subset: &[u32]) -> Result<f64, Error> {
        check_subset(subset, self.train.labels.len())?;
        let theta = self.minimise(subset)?.coefficients;
        let mut logits = vec![0.0; self.columns()];
        let mut total = 0.0;
        for (at, label) in (0_u32..).zip(&self.validation.labels) {
            self.logits(&theta, self.validation.row(at), &mut logits);
            total += match self.score {
                Score::Accuracy => f64::from(most_probable(&logits) == *label as usize),
                Score::LogLikelihood => -residuals(&mut logits, *label as usize).0,
            };
        }
        Ok(total / self.validation.labels.len() as f64)
    }
}

/// Feature vectors in `f64` with a bias, padded with zeros to `width`.
struct Design {
    dimension: usize,
    width: usize,
    rows: Vec<f64>,
    labels: Vec<u32>,
}

impl Design {
    fn new(samples: Samples<'_>) -> Self {
        let dimension = samples.dimension();
        let width = (dimension + 1).next_multiple_of(PADDING);
        let mut rows = vec![0.0; width * samples.count()];
        for (at, out) in rows.chunks_exact_mut(width).enumerate() {
            for (out, value) in out.iter_mut().zip(samples.row(at)) {
                *out = f64::from(*value);
            }
            out[dimension] = 1.0;
        }
        Self {
            dimension,
            width,
            rows,
            labels: samples.labels().to_vec(),
        }
    }

    fn row(&self, at: u32) -> &[f64] {
        &self.rows[at as usize * self.width..][..self.width]
    }
}

/// The objective (as a sum, not yet divided by the number of data) at some coefficients.
struct Point {
    theta: Vec<f64>,
    value: f64,
    gradient: Vec<f64>,
    /// The curvature of each datum's loss.
    weights: Vec<f64>,
}

impl Point {
    fn at(utility: &LogisticUtility, subset: &[u32], theta: Vec<f64>) -> Self {
        let (columns, width) = (utility.columns(), utility.train.width);
        let mut value = 0.5 * utility.penalty * dot(&theta, &theta);
        let mut slopes = vec![0.0; columns * subset.len()];
        let mut weights = Vec::with_capacity(subset.len());
        for (datum, slopes) in subset.iter().zip(slopes.chunks_exact_mut(columns)) {
            utility.logits(&theta, utility.train.row(*datum), slopes);
            let label = utility.train.labels[*datum as usize] as usize;
            let (loss, weight) = residuals(slopes, label);
            value += loss;
            weights.push(weight);
        }
        let mut gradient = theta
            .iter()
            .map(|theta| utility.penalty * theta)
            .collect::<Vec<_>>();
        let fours = subset.len() - subset.len() % 4;
        for (column, gradient) in gradient.chunks_exact_mut(width).enumerate() {
            let slope = |at: usize| slopes[at * columns + column];
            let row = |at: usize| utility.train.row(subset[at]);
            for at in (0..fours).step_by(4) {
                add_scaled(
                    utility.level,
                    gradient,
                    [0, 1, 2, 3].map(|n| slope(at + n)),
                    [0, 1, 2, 3].map(|n| row(at + n)),
                );
            }
            for at in fours..subset.len() {
                add_scaled(utility.level, gradient, [slope(at)], [row(at)]);
            }
        }
        Self {
            theta,
            value,
            gradient,
            weights,
        }
    }
}

/// Replaces logits by the derivatives of the loss with respect to them, and returns the loss and the
/// mean of its second derivatives.
fn residuals(logits: &mut [f64], label: usize) -> (f64, f64) {
    if let [logit] = logits {
        let decay = (-logit.abs()).exp();
        let (likelier, rarer) = (1.0 / (1.0 + decay), decay / (1.0 + decay));
        let truth = label as f64;
        let loss = logit.max(0.0) + decay.ln_1p() - truth * *logit;
        *logit = if *logit >= 0.0 { likelier } else { rarer } - truth;
        return (loss, likelier * rarer);
    }
    let largest = logits.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let own = logits[label] - largest;
    let mut total = 0.0;
    for logit in logits.iter_mut() {
        *logit = (*logit - largest).exp();
        total += *logit;
    }
    let mut curvature = 0.0;
    for probability in logits.iter_mut() {
        *probability /= total;
        curvature += *probability * (1.0 - *probability);
    }
    logits[label] -= 1.0;
    (total.ln() - own, curvature / logits.len() as f64)
}

/// The class with the highest logit, of equals the lowest.
fn most_probable(logits: &[f64]) -> usize {
    if let [logit] = logits {
        return usize::from(*logit > 0.0);
    }
    (1..logits.len()).fold(0, |best, class| {
        if logits[class] > logits[best] {
            class
        } else {
            best
        }
    })
}

fn norm(vector: &[f64]) -> f64 {
    dot(vector, vector).sqrt()
}

/// The last steps, with the changes of the gradient along them.
#[derive(Default)]
struct History {
    pairs: Vec<(Vec<f64>, Vec<f64>)>,
}

impl History {
    fn push(&mut self, from: &Point, to: &Point) {
        let difference = |to: &[f64], from: &[f64]| {
            to.iter()
                .zip(from)
                .map(|(to, from)| to - from)
                .collect::<Vec<_>>()
        };
        let step = difference(&to.theta, &from.theta);
        let change = difference(&to.gradient, &from.gradient);
        // The objective is strictly convex, so only rounding can make this product not positive.
        if dot(&step, &change) > 0.0 {
            if self.pairs.len() == MEMORY {
                self.pairs.remove(0);
            }
            self.pairs.push((step, change));
        }
    }

    /// Minus the approximate inverse Hessian times the gradient.
    fn direction(&self, gradient: &[f64], curvature: &Cholesky, width: usize) -> Vec<f64> {
        let mut direction = gradient.iter().map(|value| -value).collect::<Vec<_>>();
        let combine = |target: &mut [f64], factor: f64, with: &[f64]| {
            for (target, with) in target.iter_mut().zip(with) {
                *target += factor * with;
            }
        };
        let mut factors = Vec::with_capacity(self.pairs.len());
        for (step, change) in self.pairs.iter().rev() {
            let factor = dot(step, &direction) / dot(step, change);
            combine(&mut direction, -factor, change);
            factors.push(factor);
        }
        let precondition = |vector: &mut [f64]| {
            vector
                .chunks_exact_mut(width)
                .for_each(|block| curvature.solve(block));
        };
        precondition(&mut direction);
        if let Some((step, change)) = self.pairs.last() {
            let mut image = change.clone();
            precondition(&mut image);
            let scale = dot(step, change) / dot(change, &image);
            direction.iter_mut().for_each(|value| *value *= scale);
        }
        for ((step, change), factor) in self.pairs.iter().zip(factors.iter().rev()) {
            let correction = factor - dot(change, &direction) / dot(step, change);
            combine(&mut direction, correction, step);
        }
        direction
    }
}

#[cfg(test)]
mod tests;
