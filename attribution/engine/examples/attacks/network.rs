//! The models: softmax regression, and one hidden layer of tanh units before it.

use attribution_engine::valuation::utility::{LogisticUtility, Score};

use crate::{data::Records, random::Random, Result};

/// `λ` of the penalty `λ/2 |θ|²` beside the sum of the losses, of both models.
pub(crate) const PENALTY: f64 = 1.0;

const HIDDEN: usize = 12;
const EPOCHS: usize = 30;
const BATCH: usize = 50;
const RATE: f64 = 0.01;

/// Which model is trained.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Architecture {
    Logistic,
    Hidden,
}

/// A trained model. Parameters are layer by layer, each `out x (in + 1)`, row-major, the bias last.
#[derive(Clone)]
pub(crate) struct Network {
    widths: Vec<usize>,
    pub(crate) parameters: Vec<f64>,
}

/// Trains models on subsets of some records.
pub(crate) enum Trainer<'a> {
    Logistic(LogisticUtility, Vec<usize>),
    Hidden(&'a Records, Vec<usize>),
}

impl<'a> Trainer<'a> {
    pub(crate) fn new(
        architecture: Architecture,
        records: &'a Records,
        classes: usize,
    ) -> Result<Self> {
        let dimension = records.dimension;
        Ok(match architecture {
            Architecture::Logistic => {
                let samples = records.samples()?;
                let score = Score::LogLikelihood;
                let utility =
                    LogisticUtility::new(samples, samples, classes as u32, PENALTY, 1e-6, score)?;
                Self::Logistic(utility, vec![dimension, classes])
            }
            Architecture::Hidden => Self::Hidden(records, vec![dimension, HIDDEN, classes]),
        })
    }

    /// The model of these records, ascending.
    pub(crate) fn fit(&self, subset: &[u32]) -> Result<Network> {
        Ok(match self {
            Self::Logistic(utility, widths) => Network {
                widths: widths.clone(),
                parameters: utility.fit(subset)?.coefficients,
            },
            Self::Hidden(records, widths) => Network::train(widths, records, subset),
        })
    }
}

/// What a forward pass leaves: the input, the units of the hidden layers, and the logits.
struct Trace(Vec<Vec<f64>>);

impl Network {
    /// Adam (D. P. Kingma and J. Ba, ICLR 2015) from one start and in one order of batches for each
    /// number of records, its rate falling linearly to zero.
    fn train(widths: &[usize], records: &Records, subset: &[u32]) -> Self {
        let mut random = Random::new(0, "start");
        let mut network = Self {
            widths: widths.to_vec(),
            parameters: Vec::new(),
        };
        for pair in widths.windows(2) {
            for _ in 0..pair[1] {
                for _ in 0..pair[0] {
                    network
                        .parameters
                        .push(random.normal() / (pair[0] as f64).sqrt());
                }
                network.parameters.push(0.0);
            }
        }
        let inputs = subset
            .iter()
            .map(|record| widen(records.row(*record as usize)))
            .collect::<Vec<_>>();
        let count = network.parameters.len();
        let (mut mean, mut square) = (vec![0.0; count], vec![0.0; count]);
        let steps = EPOCHS * subset.len().div_ceil(BATCH);
        let mut step = 0;
        for _ in 0..EPOCHS {
            for batch in random.order(subset.len()).chunks(BATCH) {
                let decay = PENALTY / subset.len() as f64;
                let mut gradient = network
                    .parameters
                    .iter()
                    .map(|value| decay * value)
                    .collect::<Vec<_>>();
                let mut sum = vec![0.0; count];
                for at in batch {
                    let label = records.labels[subset[*at as usize] as usize];
                    network.add_gradient(&inputs[*at as usize], label, &mut sum);
                }
                for (gradient, sum) in gradient.iter_mut().zip(&sum) {
                    *gradient += sum / batch.len() as f64;
                }
                let rate = RATE * (1.0 - f64::from(step) / steps as f64);
                step += 1;
                let (bias1, bias2) = (1.0 - 0.9_f64.powi(step), 1.0 - 0.999_f64.powi(step));
                for (((value, gradient), mean), square) in network
                    .parameters
                    .iter_mut()
                    .zip(&gradient)
                    .zip(&mut mean)
                    .zip(&mut square)
                {
                    *mean = 0.9 * *mean + 0.1 * gradient;
                    *square = 0.999 * *square + 0.001 * gradient * gradient;
                    *value -= rate * (*mean / bias1) / ((*square / bias2).sqrt() + 1e-8);
                }
            }
        }
        network
    }

    pub(crate) fn parameter_count(&self) -> usize {
        self.parameters.len()
    }

    fn classes(&self) -> usize {
        self.widths[self.widths.len() - 1]
    }

    fn forward(&self, input: &[f64]) -> Trace {
        let mut units = vec![input.to_vec()];
        let mut rest = self.parameters.as_slice();
        for (layer, pair) in self.widths.windows(2).enumerate() {
            let (weights, others) = rest.split_at(pair[1] * (pair[0] + 1));
            rest = others;
            let below = &units[layer];
            let last = layer + 2 == self.widths.len();
            let outputs = weights
                .chunks_exact(pair[0] + 1)
                .map(|row| {
                    let sum = dot(&row[..pair[0]], below) + row[pair[0]];
                    if last {
                        sum
                    } else {
                        sum.tanh()
                    }
                })
                .collect();
            units.push(outputs);
        }
        Trace(units)
    }

    /// Adds the derivatives by the parameters to `gradient`, if wanted, given those by the logits, and
    /// returns those by the input.
    fn backward(
        &self,
        trace: &Trace,
        slopes: Vec<f64>,
        mut gradient: Option<&mut [f64]>,
    ) -> Vec<f64> {
        let mut end = self.parameters.len();
        let mut slopes = slopes;
        for (layer, pair) in self.widths.windows(2).enumerate().rev() {
            let width = pair[0] + 1;
            let start = end - pair[1] * width;
            let below = &trace.0[layer];
            let mut next = vec![0.0; pair[0]];
            for (unit, slope) in slopes.iter().enumerate() {
                let at = start + unit * width;
                if let Some(gradient) = gradient.as_deref_mut() {
                    for (gradient, input) in gradient[at..at + pair[0]].iter_mut().zip(below) {
                        *gradient += slope * input;
                    }
                    gradient[at + pair[0]] += slope;
                }
                for (next, weight) in next.iter_mut().zip(&self.parameters[at..at + pair[0]]) {
                    *next += slope * weight;
                }
            }
            if layer > 0 {
                for (next, unit) in next.iter_mut().zip(below) {
                    *next *= 1.0 - unit * unit;
                }
            }
            slopes = next;
            end = start;
        }
        slopes
    }

    /// The probabilities of the classes.
    pub(crate) fn probabilities(&self, input: &[f64]) -> Vec<f64> {
        softmax(&self.forward(input).0[self.widths.len() - 1])
    }

    fn loss_slopes(&self, trace: &Trace, label: u32) -> Vec<f64> {
        let mut slopes = softmax(&trace.0[self.widths.len() - 1]);
        slopes[label as usize] -= 1.0;
        slopes
    }

    fn add_gradient(&self, input: &[f64], label: u32, gradient: &mut [f64]) {
        let trace = self.forward(input);
        let slopes = self.loss_slopes(&trace, label);
        self.backward(&trace, slopes, Some(gradient));
    }

    /// The loss's gradient by the parameters.
    pub(crate) fn gradient(&self, input: &[f64], label: u32) -> Vec<f64> {
        let mut gradient = vec![0.0; self.parameters.len()];
        self.add_gradient(input, label, &mut gradient);
        gradient
    }

    /// The gradient by the input of `direction · gradient(input, label)`: the change of the loss's
    /// gradient by the input along the direction, by central differences.
    pub(crate) fn input_gradient(&self, input: &[f64], label: u32, direction: &[f64]) -> Vec<f64> {
        let norm = dot(direction, direction).sqrt();
        if norm == 0.0 {
            return vec![0.0; input.len()];
        }
        let step = 1e-3 / norm;
        let at = |step: f64| {
            let moved = Self {
                widths: self.widths.clone(),
                parameters: self
                    .parameters
                    .iter()
                    .zip(direction)
                    .map(|(value, along)| value + step * along)
                    .collect(),
            };
            let trace = moved.forward(input);
            moved.backward(&trace, moved.loss_slopes(&trace, label), None)
        };
        at(step)
            .iter()
            .zip(at(-step))
            .map(|(up, down)| (up - down) / (2.0 * step))
            .collect()
    }

    /// Gradients of the losses of all records, `n x P`.
    pub(crate) fn gradients(&self, records: &Records) -> Vec<f32> {
        (0..records.count())
            .flat_map(|record| self.gradient(&widen(records.row(record)), records.labels[record]))
            .map(|value| value as f32)
            .collect()
    }

    /// Rows `√p_c ∂(−ln p_c)` for each record and class, whose products sum to the exact Gauss-Newton
    /// matrix.
    pub(crate) fn curvature(&self, records: &Records) -> Vec<f32> {
        let mut rows = Vec::with_capacity(records.count() * self.classes() * self.parameters.len());
        for record in 0..records.count() {
            let trace = self.forward(&widen(records.row(record)));
            let probabilities = softmax(&trace.0[self.widths.len() - 1]);
            for (class, weight) in probabilities.iter().enumerate() {
                let mut slopes = probabilities.clone();
                slopes[class] -= 1.0;
                slopes.iter_mut().for_each(|slope| *slope *= weight.sqrt());
                let mut row = vec![0.0; self.parameters.len()];
                self.backward(&trace, slopes, Some(&mut row));
                rows.extend(row.iter().map(|value| *value as f32));
            }
        }
        rows
    }

    /// The log-odds of each record's class.
    pub(crate) fn log_odds(&self, records: &Records) -> Vec<f64> {
        (0..records.count())
            .map(|record| {
                let trace = self.forward(&widen(records.row(record)));
                let logits = &trace.0[self.widths.len() - 1];
                let own = records.labels[record] as usize;
                let others = logits
                    .iter()
                    .enumerate()
                    .filter(|(class, _)| *class != own)
                    .map(|(_, logit)| (logit - logits[own]).exp())
                    .sum::<f64>();
                -others.ln()
            })
            .collect()
    }

    /// The share of records whose most probable class is right.
    pub(crate) fn accuracy(&self, records: &Records) -> f64 {
        let right = (0..records.count())
            .filter(|record| {
                let probabilities = self.probabilities(&widen(records.row(*record)));
                let own = probabilities[records.labels[*record] as usize];
                probabilities.iter().all(|other| *other <= own)
            })
            .count();
        right as f64 / records.count() as f64
    }
}

/// In doubles.
pub(crate) fn widen(row: &[f32]) -> Vec<f64> {
    row.iter().map(|value| f64::from(*value)).collect()
}

pub(crate) fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

fn softmax(logits: &[f64]) -> Vec<f64> {
    let largest = logits.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let mut values = logits
        .iter()
        .map(|logit| (logit - largest).exp())
        .collect::<Vec<_>>();
    let sum = values.iter().sum::<f64>();
    values.iter_mut().for_each(|value| *value /= sum);
    values
}
