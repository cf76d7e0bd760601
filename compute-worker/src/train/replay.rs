//! Replay influence of a run: what each record did to a result, through every step of the training.
//!
//! The run is repeated step by step, with the same bits, and differentiated backwards
//! ([`attribution_engine::replay`]). Losses are differentiated twice by central differences of their
//! gradients, for candle's backward passes cannot be differentiated themselves.

use super::{
    data::{EpochCache, Order, Sequence},
    error::{Result, TrainError},
    optimizer::AdamW,
    parameters::Parameters,
    progress::{CancellationFlag, Progress},
    run::{batch_loss, token_losses, TrainingInputs, TrainingTarget},
};
use attribution_engine::replay::{self, central_differences, Before, Pace, Query, Run};

/// How far weights are moved to differentiate a gradient in `f32`, as a part of their norm.
const RELATIVE_STEP: f64 = 3e-3;
/// States that are kept at each level of the replay.
const SLOTS: usize = 24;

/// A run that can be repeated with other weights of its records.
pub struct ReplayedRun<'a> {
    target: TrainingTarget,
    inputs: &'a TrainingInputs<'a>,
    order: Order,
    epochs: EpochCache,
    parameters: Parameters,
    initial: Vec<f32>,
    /// How much each record counts; 1 in the run that is made on chain.
    record_weights: Vec<f32>,
    gradient: Vec<f32>,
    cancellation: CancellationFlag,
}

/// Weights and moments between two steps.
#[derive(Clone)]
pub struct ReplayState {
    weights: Vec<f32>,
    optimizer: AdamW,
}

impl<'a> ReplayedRun<'a> {
    /// The run that [`super::train()`] makes of these.
    ///
    /// # Errors
    /// As [`super::train()`].
    pub fn new(
        target: TrainingTarget,
        inputs: &'a TrainingInputs<'a>,
        cancellation: CancellationFlag,
    ) -> Result<Self> {
        let hyper = &inputs.hyper_parameters;
        hyper.validate(target.model().config().max_position_embeddings)?;
        let target = target.into_trainable()?;
        let order = Order::new(
            inputs.data,
            &inputs.order_seed,
            hyper.sequence_length,
            hyper.held_out_every,
            hyper.max_held_out,
        )?;
        let parameters = Parameters::new(target.trained())?;
        Ok(Self {
            initial: parameters.values().to_vec(),
            record_weights: vec![1.0; inputs.data.records()],
            gradient: Vec::with_capacity(parameters.len()),
            epochs: EpochCache::default(),
            target,
            inputs,
            order,
            parameters,
            cancellation,
        })
    }

    /// Records that are not trained on, ascending.
    pub fn held_out(&self) -> &[usize] {
        &self.order.held_out
    }

    /// Lets records count differently: 0 leaves one out and changes nothing else, neither the order nor
    /// how many tokens a step is divided by.
    ///
    /// # Errors
    /// When there is not one weight, finite and not negative, for each record.
    pub fn set_record_weights(&mut self, weights: Vec<f32>) -> Result<()> {
        let fits = weights.len() == self.record_weights.len();
        if !fits
            || weights
                .iter()
                .any(|weight| !(0.0..f32::MAX).contains(weight))
        {
            return Err(TrainError::HyperParameter {
                name: "record weights",
                value: format!("{} of them", weights.len()),
                expected: "one for each record, finite and not negative",
            });
        }
        self.record_weights = weights;
        Ok(())
    }

    /// Makes the run and returns the mean negative log likelihood of each of these records at its end,
    /// in nats per token.
    ///
    /// # Errors
    /// When the run diverges or is cancelled.
    pub fn losses(&mut self, records: &[usize]) -> Result<Vec<f64>> {
        let mut state = self.start()?;
        for step in 1..=self.steps() {
            self.advance(step, &mut state)?;
        }
        self.parameters.replace(state.weights)?;
        records
            .iter()
            .map(|record| Ok(self.record_loss(*record)?.0))
            .collect()
    }

    /// How the loss of each of these records at the run's end would change, to first order, if each of
    /// the training records counted infinitesimally more: a row of one value a record for each.
    /// Negative where a record helps. `-τ` predicts the change when it is left out.
    ///
    /// # Errors
    /// When the run diverges, cannot be differentiated, or is cancelled.
    pub fn effects(
        &mut self,
        records: &[usize],
        progress: &mut dyn Progress,
    ) -> Result<Vec<Vec<f64>>> {
        let steps = self.steps();
        progress.begin("replay", u64::from(steps), 0);
        let effects = replay::metagradient(
            self,
            SLOTS,
            |run, state| {
                run.parameters.replace(state.weights.clone())?;
                records
                    .iter()
                    .map(|record| Ok(run.record_loss(*record)?.1))
                    .collect()
            },
            |step| progress.advance(u64::from(steps - step + 1)),
        );
        progress.end();
        effects
    }

    /// A record's mean loss at the present weights, and its gradient.
    fn record_loss(&mut self, record: usize) -> Result<(f64, Vec<f64>)> {
        let data = self.inputs.data;
        let length = self.inputs.hyper_parameters.sequence_length;
        let sequences = data.sequences(record, length).collect::<Vec<_>>();
        let weight = 1.0 / data.targets(record).max(1) as f32;
        let loss = batch_loss(&self.target, &data.batch(&sequences, |_| weight))?;
        self.parameters
            .gradients(&loss.backward()?, &mut self.gradient)?;
        let gradient = self.gradient.iter().map(|&value| value.into()).collect();
        Ok((loss.to_scalar::<f32>()?.into(), gradient))
    }

    fn sequences(&mut self, step: u32) -> (Vec<Sequence>, f32) {
        let batch_size = self.inputs.hyper_parameters.batch_size;
        let sequences = self.order.batch(step, batch_size, &mut self.epochs);
        let tokens: usize = sequences.iter().map(|sequence| sequence.length).sum();
        (sequences, 1.0 / tokens as f32)
    }

    /// The gradient of a step's loss at the present weights, into `self.gradient`; returns each
    /// sequence's part of the loss as if its record counted 1.
    fn step_gradient(&mut self, step: u32) -> Result<Vec<f64>> {
        if self.cancellation.is_cancelled() {
            return Err(TrainError::Cancelled { step: step - 1 });
        }
        let (sequences, weight) = self.sequences(step);
        let batch = self.inputs.data.batch(&sequences, |sequence| {
            weight * self.record_weights[sequence.record]
        });
        let losses = token_losses(&self.target, &batch)?;
        let weights =
            candle_core::Tensor::from_slice(&batch.weights, batch.weights.len(), losses.device())?;
        let total = (&losses * weights)?.sum_all()?;
        self.parameters
            .gradients(&total.backward()?, &mut self.gradient)?;
        let losses = losses.to_vec1::<f32>()?;
        let mut start = 0;
        Ok(sequences
            .iter()
            .map(|sequence| {
                let end = start + sequence.length;
                let sum: f64 = losses[start..end].iter().map(|&loss| f64::from(loss)).sum();
                start = end;
                sum * f64::from(weight)
            })
            .collect())
    }
}

impl Run for ReplayedRun<'_> {
    type State = ReplayState;
    type Error = TrainError;

    fn steps(&self) -> u32 {
        self.inputs.hyper_parameters.steps
    }

    fn examples(&self) -> usize {
        self.inputs.data.records()
    }

    fn start(&mut self) -> Result<ReplayState> {
        Ok(ReplayState {
            weights: self.initial.clone(),
            optimizer: AdamW::new(self.initial.len()),
        })
    }

    fn advance(&mut self, step: u32, state: &mut ReplayState) -> Result<()> {
        self.parameters
            .replace(std::mem::take(&mut state.weights))?;
        self.step_gradient(step)?;
        state.optimizer.step(
            step,
            &mut self.parameters,
            &self.gradient,
            &self.inputs.hyper_parameters,
        )?;
        state.weights = self.parameters.values().to_vec();
        Ok(())
    }

    fn pull_back(&mut self, step: u32, before: &ReplayState, queries: &mut [Query]) -> Result<()> {
        let hyper = &self.inputs.hyper_parameters;
        let optimizer = replay::AdamW {
            pace: Pace {
                learning_rate: hyper.learning_rate_at(step),
                weight_decay: hyper.weight_decay,
                largest_norm: hyper.max_gradient_norm,
            },
            beta_1: hyper.beta_1,
            beta_2: hyper.beta_2,
            epsilon: hyper.epsilon,
            step,
        };
        self.parameters.replace(before.weights.clone())?;
        self.step_gradient(step)?;
        let decays = self.parameters.decays().to_vec();
        let gradient = self.gradient.clone();
        let weights = before
            .weights
            .iter()
            .map(|&value| f64::from(value))
            .collect::<Vec<_>>();
        for query in queries {
            let moments = Before {
                first_moment: &before.optimizer.first_moment,
                second_moment: &before.optimizer.second_moment,
                decays: &decays,
            };
            let direction = optimizer.pull_back(moments, &gradient, &mut query.adjoint)?;
            let differences =
                central_differences(&weights, &direction, RELATIVE_STEP, |moved, gradient| {
                    let moved = moved.iter().map(|&value| value as f32).collect();
                    self.parameters.replace(moved)?;
                    let losses = self.step_gradient(step)?;
                    for (target, value) in gradient.iter_mut().zip(&self.gradient) {
                        *target = (*value).into();
                    }
                    Ok::<_, TrainError>(losses)
                })?;
            for (adjoint, product) in query.adjoint.weights.iter_mut().zip(&differences.product) {
                *adjoint += product;
            }
            let (sequences, _) = self.sequences(step);
            for (sequence, slope) in sequences.iter().zip(&differences.slopes) {
                query.effects[sequence.record] += slope;
            }
        }
        Ok(())
    }
}
