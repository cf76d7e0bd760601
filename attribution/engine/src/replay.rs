//! Replay influence: the exact derivative of a result with respect to each example's weight, through
//! the whole training run.
//!
//! A run takes steps `s_t = step(s_{t-1}, G_t)`, where the state `s` holds weights and moments and
//! `G_t = Σ_i c_ti ∇ℓ_i(w_{t-1})` is the weighted gradient of the step's examples. For a result `f(w_T)`
//! and the weight `ε_i` with which example `i` counts (1 in the run that was made) the influence is
//!
//! ```text
//! τ_i = df(w_T) / dε_i = Σ_t c_ti · u_t · ∇ℓ_i(w_{t-1})
//! ```
//!
//! where `u_t` is the adjoint of `G_t`: what reverse-mode differentiation carries back from the end of
//! the run. Leaving example `i` out changes `f` by `-τ_i`, to first order in its weight and exactly in
//! everything else: optimiser, order, clipping, learning rates (L. Engstrom, A. Ilyas et al., *Optimizing
//! ML Training with Metagradient Descent*, 2025; A. Ilyas, L. Engstrom, *MAGIC: Near-Optimal Data
//! Attribution for Deep Learning*, 2025).
//!
//! Going back needs the state before each step. Only a few are kept, the others are computed again
//! ([`metagradient`] says how many), which takes a run that gives the same bits each time.
//!
//! The derivative describes runs whose results change smoothly with the weights of examples. Where
//! they do not (a learning rate too high, AdamW with a tiny `ε` in its first steps) it is as correct and
//! useless as the slope of a coastline.
//!
//! ```
//! use attribution_engine::replay::{metagradient, Before, Pace, Query, Run, Sgd};
//! use attribution_engine::Error;
//!
//! /// Gradient descent on the mean of `(w - x)² / 2` over two examples `x`.
//! struct Mean([f64; 2]);
//!
//! const STEP: Sgd = Sgd {
//!     pace: Pace { learning_rate: 0.5, weight_decay: 0.0, largest_norm: f64::INFINITY },
//!     momentum: 0.0,
//! };
//!
//! impl Run for Mean {
//!     type State = f64;
//!     type Error = Error;
//!     fn steps(&self) -> u32 {
//!         100
//!     }
//!     fn examples(&self) -> usize {
//!         2
//!     }
//!     fn start(&mut self) -> Result<f64, Error> {
//!         Ok(0.0)
//!     }
//!     fn advance(&mut self, _: u32, w: &mut f64) -> Result<(), Error> {
//!         *w -= 0.5 * self.0.iter().map(|x| 0.5 * (*w - x)).sum::<f64>();
//!         Ok(())
//!     }
//!     fn pull_back(&mut self, _: u32, w: &f64, queries: &mut [Query]) -> Result<(), Error> {
//!         let gradients = self.0.map(|x| w - x);
//!         let gradient = [0.5 * (gradients[0] + gradients[1])];
//!         let before = Before { first_moment: &[0.0], second_moment: &[], decays: &[(1, false)] };
//!         for query in queries {
//!             let u = STEP.pull_back(before, &gradient, &mut query.adjoint)?;
//!             for (effect, gradient) in query.effects.iter_mut().zip(gradients) {
//!                 *effect += 0.5 * u[0] * gradient;
//!             }
//!             // The Hessian of the mean loss is 1.
//!             query.adjoint.weights[0] += u[0];
//!         }
//!         Ok(())
//!     }
//! }
//!
//! # fn main() -> Result<(), Error> {
//! // How the weight at the end, which is the mean of the examples, changes with the weight of each.
//! let effects = metagradient(&mut Mean([1.0, 3.0]), 8, |_, _| Ok(vec![vec![1.0]]), |_| {})?;
//! assert!((effects[0][0] + 0.5).abs() < 1e-9 && (effects[0][1] - 0.5).abs() < 1e-9);
//! # Ok(())
//! # }
//! ```

use rayon::prelude::*;

use crate::Error;

/// Elements of a parallel task. Fixed, so that sums do not depend on the number of threads.
const BLOCK: usize = 16_384;

/// A training run that can be repeated step by step.
pub trait Run {
    /// Weights and moments.
    type State: Clone;
    /// What can fail.
    type Error: From<Error>;

    /// Number of steps `T`.
    fn steps(&self) -> u32;

    /// Number of examples, which is the length of the effects.
    fn examples(&self) -> usize;

    /// The state before the first step.
    ///
    /// # Errors
    /// Those of the run.
    fn start(&mut self) -> Result<Self::State, Self::Error>;

    /// Takes step `step`, counted from 1.
    ///
    /// # Errors
    /// Those of the run.
    fn advance(&mut self, step: u32, state: &mut Self::State) -> Result<(), Self::Error>;

    /// Turns the adjoint of the state after `step` into that of the state `before` it, for each query,
    /// and adds to its `effects` what the step's examples did: `c_ti · u_t · ∇ℓ_i(w_{t-1})`.
    /// [`AdamW::pull_back`] and [`Sgd::pull_back`] give `u_t`.
    ///
    /// # Errors
    /// Those of the run.
    fn pull_back(
        &mut self,
        step: u32,
        before: &Self::State,
        queries: &mut [Query],
    ) -> Result<(), Self::Error>;
}

/// A result of the run on its way back to the start.
#[derive(Clone, Debug, PartialEq)]
pub struct Query {
    /// Derivative of the result with respect to the state that has been reached.
    pub adjoint: Adjoint,
    /// `τ_i` for each example, as far as the steps have been pulled back.
    pub effects: Vec<f64>,
}

/// Derivatives with respect to weights and moments.
#[derive(Clone, Debug, PartialEq)]
pub struct Adjoint {
    /// With respect to the weights.
    pub weights: Vec<f64>,
    /// With respect to the first moment.
    pub first_moment: Vec<f64>,
    /// With respect to the second moment; empty where the optimiser has none.
    pub second_moment: Vec<f64>,
}

impl Adjoint {
    /// Of a result that depends on the weights alone, whose gradient with respect to the last weights
    /// is given.
    pub fn of_weights(gradient: Vec<f64>) -> Self {
        let zeros = vec![0.0; gradient.len()];
        Self {
            weights: gradient,
            first_moment: zeros.clone(),
            second_moment: zeros,
        }
    }
}

/// Repeats a run and differentiates results of it with respect to the weights of its examples.
///
/// `results` gives, for the state after the last step, the gradient of each result with respect to the
/// weights; `pulled_back` hears of each step on the way back, from the last to the first. Returned are the effects `τ_i` of all examples for each result, in their order.
///
/// At most `slots` states are kept for each of `D = ⌈log_slots(T)⌉` levels, and each step is taken at
/// most `D + 1` times: `slots` of 32 replays a thousand steps with 64 states and at most three runs. One
/// pass serves all results.
///
/// # Errors
/// When `slots` is below 2, a result's effects are not finite (the run is not smooth enough to be
/// differentiated), and those of the run.
pub fn metagradient<R: Run>(
    run: &mut R,
    slots: usize,
    results: impl FnOnce(&mut R, &R::State) -> Result<Vec<Vec<f64>>, R::Error>,
    mut pulled_back: impl FnMut(u32),
) -> Result<Vec<Vec<f64>>, R::Error> {
    if slots < 2 {
        return Err(Error::parameter("number of kept states", slots, "2 or more").into());
    }
    let steps = run.steps();
    let start = run.start()?;
    let segments = Segment::new(run, 0, steps, start, slots)?;
    let last = segments.last.clone();
    let mut queries = results(run, &last)?
        .into_iter()
        .map(|gradient| Query {
            adjoint: Adjoint::of_weights(gradient),
            effects: vec![0.0; run.examples()],
        })
        .collect::<Vec<_>>();
    segments.pull_back(run, slots, &mut queries, &mut pulled_back)?;
    queries
        .into_iter()
        .enumerate()
        .map(|(number, query)| {
            let not_finite = query.effects.iter().position(|effect| !effect.is_finite());
            match not_finite {
                None => Ok(query.effects),
                Some(example) => Err(Error::parameter(
                    "effect of an example",
                    format!(
                        "{} (example {example}, result {number})",
                        query.effects[example]
                    ),
                    "finite: the run is too rough to be differentiated; lower its learning rate, \
                     lengthen its warm-up or raise AdamW's epsilon",
                )
                .into()),
            }
        })
        .collect()
}

/// Steps `first + 1 ..= first + length`, the states before some of them, and the one after all.
struct Segment<S> {
    first: u32,
    length: u32,
    stride: u32,
    /// States before steps `first + 1`, `first + stride + 1`, ….
    kept: Vec<S>,
    last: S,
}

impl<S: Clone> Segment<S> {
    fn new<R: Run<State = S>>(
        run: &mut R,
        first: u32,
        length: u32,
        mut state: S,
        slots: usize,
    ) -> Result<Self, R::Error> {
        let slots = u32::try_from(slots).unwrap_or(u32::MAX);
        let stride = length.div_ceil(slots).max(1);
        let mut kept = Vec::new();
        for step in 0..length {
            if step.is_multiple_of(stride) {
                kept.push(state.clone());
            }
            run.advance(first + step + 1, &mut state)?;
        }
        Ok(Self {
            first,
            length,
            stride,
            kept,
            last: state,
        })
    }

    fn pull_back<R: Run<State = S>>(
        mut self,
        run: &mut R,
        slots: usize,
        queries: &mut [Query],
        pulled_back: &mut dyn FnMut(u32),
    ) -> Result<(), R::Error> {
        let mut end = self.length;
        while let Some(state) = self.kept.pop() {
            let begin = self.kept.len() as u32 * self.stride;
            if end - begin == 1 {
                run.pull_back(self.first + end, &state, queries)?;
                pulled_back(self.first + end);
            } else {
                Segment::new(run, self.first + begin, end - begin, state, slots)?.pull_back(
                    run,
                    slots,
                    queries,
                    pulled_back,
                )?;
            }
            end = begin;
        }
        Ok(())
    }
}

/// A step's numbers that all optimisers have.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Pace {
    /// Learning rate of the step.
    pub learning_rate: f64,
    /// Decoupled weight decay: a weight that decays is first multiplied by `1 - learning_rate · decay`.
    pub weight_decay: f64,
    /// Gradients of a larger norm are scaled down to it; infinity for none.
    pub largest_norm: f64,
}

/// AdamW (I. Loshchilov, F. Hutter, *Decoupled Weight Decay Regularization*, ICLR 2019) at a step.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct AdamW {
    /// What it shares with other optimisers.
    pub pace: Pace,
    /// Decay of the first moment.
    pub beta_1: f64,
    /// Decay of the second moment.
    pub beta_2: f64,
    /// Added to the root of the second moment.
    pub epsilon: f64,
    /// The step, counted from 1.
    pub step: u32,
}

/// Stochastic gradient descent with momentum at a step: `m ← μ m + g`, `w ← w (1 - η λ) - η m`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Sgd {
    /// What it shares with other optimisers.
    pub pace: Pace,
    /// Momentum `μ`.
    pub momentum: f64,
}

/// Weights and moments before a step, and which weights decay.
#[derive(Clone, Copy, Debug)]
pub struct Before<'a, T> {
    /// First moment.
    pub first_moment: &'a [T],
    /// Second moment; empty where the optimiser has none.
    pub second_moment: &'a [T],
    /// `(end, decays)` of consecutive stretches of the weights.
    pub decays: &'a [(usize, bool)],
}

impl AdamW {
    /// Takes the adjoint of the state after the step to that before it, without what flows through the
    /// gradient, and returns the adjoint `u` of the gradient as it was before clipping. The caller adds
    /// the product of the loss's Hessian and `u` to the weights' adjoint.
    ///
    /// # Errors
    /// When the vectors differ in length.
    pub fn pull_back<T: Copy + Sync + Into<f64>>(
        &self,
        before: Before<'_, T>,
        gradient: &[T],
        adjoint: &mut Adjoint,
    ) -> Result<Vec<f64>, Error> {
        let count = adjoint.weights.len();
        check_lengths(&before, gradient, adjoint)?;
        Error::check_shape("second moment", before.second_moment.len(), count)?;
        Error::check_shape(
            "adjoint of the second moment",
            adjoint.second_moment.len(),
            count,
        )?;
        let exponent = i32::try_from(self.step).unwrap_or(i32::MAX);
        let second_correction = 1.0 - self.beta_2.powi(exponent);
        let rate = self.pace.learning_rate / (1.0 - self.beta_1.powi(exponent));
        let clip = Clip::new(self.pace.largest_norm, gradient);
        let mut direction = vec![0.0; count];
        let state = before
            .first_moment
            .par_chunks(BLOCK)
            .zip(before.second_moment.par_chunks(BLOCK))
            .zip(gradient.par_chunks(BLOCK));
        let adjoints = adjoint
            .weights
            .par_chunks(BLOCK)
            .zip(adjoint.first_moment.par_chunks_mut(BLOCK))
            .zip(adjoint.second_moment.par_chunks_mut(BLOCK));
        direction
            .par_chunks_mut(BLOCK)
            .zip(state)
            .zip(adjoints)
            .for_each(
                |((direction, ((first, second), gradient)), ((weights, firsts), seconds))| {
                    for at in 0..direction.len() {
                        let clipped = clip.factor * gradient[at].into();
                        let first = self.beta_1 * first[at].into() + (1.0 - self.beta_1) * clipped;
                        let second = self.beta_2 * second[at].into()
                            + (1.0 - self.beta_2) * clipped * clipped;
                        let root = (second / second_correction).sqrt();
                        let scale = root + self.epsilon;
                        let through_first = firsts[at] - rate * weights[at] / scale;
                        // A second moment of zero has only ever seen gradients of zero, and so has
                        // the first: nothing flows through it.
                        let through_second = if root == 0.0 {
                            seconds[at]
                        } else {
                            seconds[at]
                                + rate * weights[at] * first
                                    / (scale * scale)
                                    / (2.0 * root * second_correction)
                        };
                        firsts[at] = self.beta_1 * through_first;
                        seconds[at] = self.beta_2 * through_second;
                        direction[at] = (1.0 - self.beta_1) * through_first
                            + 2.0 * (1.0 - self.beta_2) * clipped * through_second;
                    }
                },
            );
        self.pace.shrink(&mut adjoint.weights, before.decays);
        clip.pull_back(gradient, &mut direction);
        Ok(direction)
    }
}

impl Sgd {
    /// As [`AdamW::pull_back`]; the second moment stays untouched.
    ///
    /// # Errors
    /// When the vectors differ in length.
    pub fn pull_back<T: Copy + Sync + Into<f64>>(
        &self,
        before: Before<'_, T>,
        gradient: &[T],
        adjoint: &mut Adjoint,
    ) -> Result<Vec<f64>, Error> {
        check_lengths(&before, gradient, adjoint)?;
        let clip = Clip::new(self.pace.largest_norm, gradient);
        let mut direction = adjoint
            .first_moment
            .iter()
            .zip(&adjoint.weights)
            .map(|(first, weight)| first - self.pace.learning_rate * weight)
            .collect::<Vec<_>>();
        for (first, through) in adjoint.first_moment.iter_mut().zip(&direction) {
            *first = self.momentum * through;
        }
        self.pace.shrink(&mut adjoint.weights, before.decays);
        clip.pull_back(gradient, &mut direction);
        Ok(direction)
    }
}

fn check_lengths<T>(
    before: &Before<'_, T>,
    gradient: &[T],
    adjoint: &Adjoint,
) -> Result<(), Error> {
    let count = adjoint.weights.len();
    Error::check_shape("gradient", gradient.len(), count)?;
    Error::check_shape("first moment", before.first_moment.len(), count)?;
    Error::check_shape(
        "adjoint of the first moment",
        adjoint.first_moment.len(),
        count,
    )?;
    let end = before.decays.last().map_or(0, |(end, _)| *end);
    Error::check_shape("list of which weights decay", end, count)
}

impl Pace {
    fn shrink(&self, adjoint: &mut [f64], decays: &[(usize, bool)]) {
        let shrink = 1.0 - self.learning_rate * self.weight_decay;
        let mut start = 0;
        for &(end, decays) in decays {
            if decays {
                for value in &mut adjoint[start..end] {
                    *value *= shrink;
                }
            }
            start = end;
        }
    }
}

/// Clipping by the global norm: `g · min(1, C / |g|)`.
struct Clip {
    factor: f64,
    norm: f64,
    clips: bool,
}

impl Clip {
    fn new<T: Copy + Sync + Into<f64>>(largest: f64, gradient: &[T]) -> Self {
        let norm = blocked_sum(gradient, gradient, |a: T, b: T| a.into() * b.into()).sqrt();
        let clips = norm > largest;
        let factor = if clips { largest / norm } else { 1.0 };
        Self {
            factor,
            norm,
            clips,
        }
    }

    /// The derivative of what is clipped has no part along the gradient.
    fn pull_back<T: Copy + Sync + Into<f64>>(&self, gradient: &[T], direction: &mut [f64]) {
        if !self.clips {
            return;
        }
        let along = blocked_sum(gradient, direction, |g: T, u| g.into() * u) / self.norm.powi(2);
        for (value, gradient) in direction.iter_mut().zip(gradient) {
            let gradient: f64 = (*gradient).into();
            *value = self.factor * (*value - along * gradient);
        }
    }
}

/// A sum over pairs, in blocks of fixed size.
fn blocked_sum<A: Copy + Sync, B: Copy + Sync>(
    left: &[A],
    right: &[B],
    term: impl Fn(A, B) -> f64 + Sync,
) -> f64 {
    let partial = left
        .par_chunks(BLOCK)
        .zip(right.par_chunks(BLOCK))
        .map(|(left, right)| {
            left.iter()
                .zip(right)
                .map(|(left, right)| term(*left, *right))
                .sum::<f64>()
        })
        .collect::<Vec<_>>();
    partial.iter().sum()
}

/// Derivatives along a direction.
#[derive(Clone, Debug, PartialEq)]
pub struct Differences {
    /// The Hessian times the direction.
    pub product: Vec<f64>,
    /// The derivatives of the other values along the direction.
    pub slopes: Vec<f64>,
}

/// The product of a Hessian and a vector by central differences of the gradient,
/// `(∇L(w + h u) - ∇L(w - h u)) / 2h`, where the loss offers no second derivatives.
///
/// `gradient` writes the gradient at the weights that it is given and returns other values at them, such
/// as the losses of single examples, whose derivatives along `u` come for nothing. It is called twice,
/// or never for a direction of zero, which has no slopes either.
///
/// `h` is chosen so that the weights move by `relative_step` of their own norm (at least of one): about
/// the cube root of the gradients' precision, 5e-3 in `f32` and 6e-6 in `f64`, balances rounding and
/// curvature.
///
/// # Errors
/// Those of the gradient.
pub fn central_differences<E>(
    weights: &[f64],
    direction: &[f64],
    relative_step: f64,
    mut gradient: impl FnMut(&[f64], &mut [f64]) -> Result<Vec<f64>, E>,
) -> Result<Differences, E> {
    let norm = |values: &[f64]| blocked_sum(values, values, |a, b| a * b).sqrt();
    let length = norm(direction);
    let mut product = vec![0.0; weights.len()];
    if length == 0.0 {
        return Ok(Differences {
            product,
            slopes: Vec::new(),
        });
    }
    let step = relative_step * norm(weights).max(1.0) / length;
    let moved = |step: f64| {
        weights
            .iter()
            .zip(direction)
            .map(|(weight, direction)| weight + step * direction)
            .collect::<Vec<_>>()
    };
    let difference = |forward: &mut [f64], backward: &[f64]| {
        for (forward, backward) in forward.iter_mut().zip(backward) {
            *forward = (*forward - backward) / (2.0 * step);
        }
    };
    let mut backward = product.clone();
    let mut slopes = gradient(&moved(step), &mut product)?;
    let values = gradient(&moved(-step), &mut backward)?;
    difference(&mut product, &backward);
    difference(&mut slopes, &values);
    Ok(Differences { product, slopes })
}

#[cfg(test)]
mod tests;
