//! Replayed derivatives against runs that were really made with other weights of an example.

use super::*;

const INPUTS: usize = 3;
const HIDDEN: usize = 4;
/// A layer of `tanh`, then a linear one, with biases.
const WEIGHTS: usize = HIDDEN * (INPUTS + 1) + HIDDEN + 1;
const EXAMPLES: usize = 12;
const BATCH: usize = 4;

#[derive(Clone, Copy)]
enum Optimizer {
    AdamW,
    Sgd,
}

/// Regression by a small network, each example with a weight of its own.
struct Network {
    optimizer: Optimizer,
    largest_norm: f64,
    steps: u32,
    weights_of_examples: Vec<f64>,
    advanced: u32,
}

#[derive(Clone)]
struct State {
    weights: Vec<f64>,
    first: Vec<f64>,
    second: Vec<f64>,
}

/// Numbers between -1 and 1 that look random.
fn noise(seed: usize) -> f64 {
    ((seed as f64 + 1.0) * 12.9898).sin() * 43_758.545_3 % 1.0
}

fn example(number: usize) -> ([f64; INPUTS], f64) {
    let inputs = std::array::from_fn(|input| noise(number * INPUTS + input));
    (inputs, noise(1_000 + number) + inputs[0])
}

/// Half the squared error and its gradient.
fn loss(weights: &[f64], (inputs, target): ([f64; INPUTS], f64), gradient: &mut [f64]) -> f64 {
    let (layer, output) = weights.split_at(HIDDEN * (INPUTS + 1));
    let hidden: [f64; HIDDEN] = std::array::from_fn(|unit| {
        let row = &layer[unit * (INPUTS + 1)..][..INPUTS + 1];
        let sum = row.iter().zip(&inputs).map(|(w, x)| w * x).sum::<f64>() + row[INPUTS];
        sum.tanh()
    });
    let predicted = output.iter().zip(&hidden).map(|(w, h)| w * h).sum::<f64>() + output[HIDDEN];
    let error = predicted - target;
    for unit in 0..HIDDEN {
        gradient[HIDDEN * (INPUTS + 1) + unit] += error * hidden[unit];
        let inner = error * output[unit] * (1.0 - hidden[unit] * hidden[unit]);
        for input in 0..INPUTS {
            gradient[unit * (INPUTS + 1) + input] += inner * inputs[input];
        }
        gradient[unit * (INPUTS + 1) + INPUTS] += inner;
    }
    gradient[WEIGHTS - 1] += error;
    0.5 * error * error
}

impl Network {
    fn new(optimizer: Optimizer, largest_norm: f64, steps: u32) -> Self {
        Self {
            optimizer,
            largest_norm,
            steps,
            weights_of_examples: vec![1.0; EXAMPLES],
            advanced: 0,
        }
    }

    fn batch(step: u32) -> impl Iterator<Item = usize> {
        (0..BATCH).map(move |number| (step as usize * 5 + number * 7) % EXAMPLES)
    }

    fn gradient(&self, step: u32, weights: &[f64]) -> Vec<f64> {
        let mut sum = vec![0.0; WEIGHTS];
        for number in Self::batch(step) {
            let mut one = vec![0.0; WEIGHTS];
            loss(weights, example(number), &mut one);
            let weight = self.weights_of_examples[number] / BATCH as f64;
            for (sum, one) in sum.iter_mut().zip(one) {
                *sum += weight * one;
            }
        }
        sum
    }

    fn pace(&self) -> Pace {
        Pace {
            learning_rate: 0.05,
            weight_decay: 0.1,
            largest_norm: self.largest_norm,
        }
    }

    fn adam(&self, step: u32) -> AdamW {
        AdamW {
            pace: self.pace(),
            beta_1: 0.9,
            beta_2: 0.95,
            epsilon: 1e-3,
            step,
        }
    }

    fn result(weights: &[f64]) -> (f64, Vec<f64>) {
        let mut gradient = vec![0.0; WEIGHTS];
        let value = loss(weights, ([0.3, -0.2, 0.9], 0.5), &mut gradient);
        (value, gradient)
    }

    /// The result of a run with these weights of the examples.
    fn trained(&mut self) -> f64 {
        let mut state = self.start().unwrap();
        for step in 1..=self.steps {
            self.advance(step, &mut state).unwrap();
        }
        Self::result(&state.weights).0
    }
}

const DECAYS: [(usize, bool); 2] = [(HIDDEN * (INPUTS + 1), true), (WEIGHTS, false)];

impl Run for Network {
    type State = State;
    type Error = Error;

    fn steps(&self) -> u32 {
        self.steps
    }

    fn examples(&self) -> usize {
        EXAMPLES
    }

    fn start(&mut self) -> Result<State, Error> {
        Ok(State {
            weights: (0..WEIGHTS).map(|at| 0.8 * noise(at + 500)).collect(),
            first: vec![0.0; WEIGHTS],
            second: vec![0.0; WEIGHTS],
        })
    }

    fn advance(&mut self, step: u32, state: &mut State) -> Result<(), Error> {
        self.advanced += 1;
        let mut gradient = self.gradient(step, &state.weights);
        let norm = gradient.iter().map(|g| g * g).sum::<f64>().sqrt();
        let clip = (self.largest_norm / norm).min(1.0);
        gradient.iter_mut().for_each(|g| *g *= clip);
        let pace = self.pace();
        for (at, gradient) in gradient.into_iter().enumerate() {
            let decays = at < DECAYS[0].0;
            let shrink = if decays {
                1.0 - pace.learning_rate * pace.weight_decay
            } else {
                1.0
            };
            match self.optimizer {
                Optimizer::AdamW => {
                    let adam = self.adam(step);
                    state.first[at] =
                        adam.beta_1 * state.first[at] + (1.0 - adam.beta_1) * gradient;
                    state.second[at] =
                        adam.beta_2 * state.second[at] + (1.0 - adam.beta_2) * gradient * gradient;
                    let first = state.first[at] / (1.0 - adam.beta_1.powi(step as i32));
                    let second = state.second[at] / (1.0 - adam.beta_2.powi(step as i32));
                    state.weights[at] = state.weights[at] * shrink
                        - pace.learning_rate * first / (second.sqrt() + adam.epsilon);
                }
                Optimizer::Sgd => {
                    state.first[at] = 0.8 * state.first[at] + gradient;
                    state.weights[at] =
                        state.weights[at] * shrink - pace.learning_rate * state.first[at];
                }
            }
        }
        Ok(())
    }

    fn pull_back(&mut self, step: u32, before: &State, queries: &mut [Query]) -> Result<(), Error> {
        let gradient = self.gradient(step, &before.weights);
        let moments = Before {
            first_moment: &before.first,
            second_moment: &before.second,
            decays: &DECAYS,
        };
        for query in queries {
            let direction = match self.optimizer {
                Optimizer::AdamW => {
                    self.adam(step)
                        .pull_back(moments, &gradient, &mut query.adjoint)?
                }
                Optimizer::Sgd => Sgd {
                    pace: self.pace(),
                    momentum: 0.8,
                }
                .pull_back(moments, &gradient, &mut query.adjoint)?,
            };
            let Differences { product, slopes } = central_differences(
                &before.weights,
                &direction,
                6e-6,
                |weights: &[f64], out: &mut [f64]| {
                    out.copy_from_slice(&self.gradient(step, weights));
                    let mut ignored = vec![0.0; WEIGHTS];
                    let losses = Self::batch(step)
                        .map(|number| loss(weights, example(number), &mut ignored))
                        .collect();
                    Ok::<_, Error>(losses)
                },
            )?;
            for (adjoint, product) in query.adjoint.weights.iter_mut().zip(product) {
                *adjoint += product;
            }
            for (number, slope) in Self::batch(step).zip(slopes) {
                query.effects[number] += slope / BATCH as f64;
            }
        }
        Ok(())
    }
}

fn effects(network: &mut Network, slots: usize) -> Result<Vec<f64>, Error> {
    let results = |_: &mut Network, state: &State| Ok(vec![Network::result(&state.weights).1]);
    let mut next = network.steps;
    let effects = metagradient(network, slots, results, |step| {
        assert_eq!(step, next);
        next -= 1;
    })?;
    assert_eq!(next, 0, "every step is pulled back");
    Ok(effects[0].clone())
}

/// How far the replayed effects are from differences between real runs, relative to the largest.
fn worst_error(optimizer: Optimizer, largest_norm: f64) -> f64 {
    let mut network = Network::new(optimizer, largest_norm, 60);
    let replayed = effects(&mut network, 4).unwrap();
    let largest = replayed.iter().fold(0.0_f64, |a, b| a.max(b.abs()));
    assert!(largest > 1e-6, "no example has any effect");
    let mut worst = 0.0_f64;
    for (number, replayed) in replayed.iter().enumerate() {
        let mut trained = |weight: f64| {
            network.weights_of_examples[number] = weight;
            let value = network.trained();
            network.weights_of_examples[number] = 1.0;
            value
        };
        let difference = (trained(1.0 + 1e-5) - trained(1.0 - 1e-5)) / 2e-5;
        worst = worst.max((difference - replayed).abs() / largest);
    }
    worst
}

#[test]
fn effects_are_the_derivatives_of_real_runs() {
    for optimizer in [Optimizer::AdamW, Optimizer::Sgd] {
        // Without clipping, with every gradient clipped, and with some.
        for largest_norm in [f64::INFINITY, 0.05, 0.4] {
            let worst = worst_error(optimizer, largest_norm);
            assert!(worst < 1e-5, "{worst} at a largest norm of {largest_norm}");
        }
    }
}

#[test]
fn kept_states_change_the_work_and_not_the_result() {
    let mut network = Network::new(Optimizer::AdamW, 0.4, 50);
    let all = effects(&mut network, 64).unwrap();
    // All states fit: one run to the end, nothing computed twice.
    assert_eq!(network.advanced, 50);
    for slots in [2, 3, 7, 49] {
        network.advanced = 0;
        assert_eq!(effects(&mut network, slots).unwrap(), all);
        let levels = (50_f64.ln() / (slots as f64).ln()).ceil() as u32;
        assert!(network.advanced <= (levels + 1) * 50);
    }
}

#[test]
fn effects_foretell_runs_in_which_an_example_counts_less() {
    let mut network = Network::new(Optimizer::AdamW, f64::INFINITY, 60);
    let replayed = effects(&mut network, 8).unwrap();
    let full = network.trained();
    let lightened = (0..EXAMPLES)
        .map(|number| {
            network.weights_of_examples[number] = 0.9;
            let value = full - network.trained();
            network.weights_of_examples[number] = 1.0;
            value
        })
        .collect::<Vec<_>>();
    let mean = |values: &[f64]| values.iter().sum::<f64>() / values.len() as f64;
    let (a, b) = (mean(&replayed), mean(&lightened));
    let product = |x: &[f64], a: f64, y: &[f64], b: f64| -> f64 {
        x.iter().zip(y).map(|(x, y)| (x - a) * (y - b)).sum()
    };
    let correlation = product(&replayed, a, &lightened, b)
        / (product(&replayed, a, &replayed, a) * product(&lightened, b, &lightened, b)).sqrt();
    assert!(correlation > 0.99, "{correlation}");
}

#[test]
fn refuses_what_cannot_be_replayed() {
    let mut network = Network::new(Optimizer::Sgd, f64::INFINITY, 5);
    let message = effects(&mut network, 1).unwrap_err().to_string();
    assert!(message.contains("number of kept states is 1"), "{message}");

    let infinite = |_: &mut Network, _: &State| Ok(vec![vec![f64::INFINITY; WEIGHTS]]);
    let message = metagradient(&mut network, 4, infinite, |_| ())
        .unwrap_err()
        .to_string();
    assert!(
        message.contains("too rough to be differentiated"),
        "{message}"
    );

    let adam = network.adam(1);
    let mut adjoint = Adjoint::of_weights(vec![1.0; 3]);
    let before = Before {
        first_moment: &[0.0; 3],
        second_moment: &[0.0; 3],
        decays: &[(2, true)],
    };
    let message = adam.pull_back(before, &[0.0; 3], &mut adjoint).unwrap_err();
    assert!(message
        .to_string()
        .contains("which weights decay has 2 entries where 3"));
    let message = adam.pull_back(before, &[0.0; 2], &mut adjoint).unwrap_err();
    assert!(message
        .to_string()
        .contains("gradient has 2 entries where 3"));
}

#[test]
fn weights_that_never_moved_carry_nothing_back() {
    let adam = Network::new(Optimizer::AdamW, 1.0, 1).adam(1);
    let mut adjoint = Adjoint::of_weights(vec![1.0; 2]);
    let before = Before {
        first_moment: &[0.0_f32; 2],
        second_moment: &[0.0; 2],
        decays: &[(2, false)],
    };
    let direction = adam.pull_back(before, &[0.0, 0.5], &mut adjoint).unwrap();
    assert!(direction.iter().all(|value| value.is_finite()));
    assert!(adjoint.second_moment.iter().all(|value| value.is_finite()));
}
