//! A training run from start to end.

use super::{
    checkpoint::{self, CheckpointPolicy, RunState},
    data::{batch_hash, Batch, EpochCache, Order, Sequence, TrainingData},
    error::{Result, TrainError},
    hyper_parameters::HyperParameters,
    optimizer::AdamW,
    parameters::Parameters,
    progress::{CancellationFlag, Progress, StepReport},
    transcript::{Environment, Transcript},
};
use crate::model::{negative_log_likelihood, read_tensors, Adapter, Llama, Tensors};
use attribution_proof::{
    contribution::Snapshot,
    hash::Hash,
    transcript::{TranscriptStart, TranscriptStep},
    ContentId, JobId,
};
use candle_core::{Device, Tensor};
use std::{path::Path, time::Instant};

/// What is trained.
#[derive(Clone, Debug)]
pub enum TrainingTarget {
    /// All weights of a model.
    Full(Llama),
    /// An adapter over a frozen base.
    Adapter {
        /// The base.
        base: Llama,
        /// The adapter.
        adapter: Adapter,
    },
}

impl TrainingTarget {
    /// The model, or the adapter's base.
    pub fn model(&self) -> &Llama {
        match self {
            Self::Full(model) | Self::Adapter { base: model, .. } => model,
        }
    }

    /// The adapter, if one is trained.
    pub fn adapter(&self) -> Option<&Adapter> {
        match self {
            Self::Full(_) => None,
            Self::Adapter { adapter, .. } => Some(adapter),
        }
    }

    /// The tensors that are trained.
    pub(super) fn trained(&self) -> Tensors {
        match self {
            Self::Full(model) => model.tensors(),
            Self::Adapter { adapter, .. } => adapter.tensors(),
        }
    }

    pub(super) fn into_trainable(self) -> Result<Self> {
        Ok(match self {
            Self::Full(model) => Self::Full(model.into_trainable()?),
            Self::Adapter { base, adapter } => {
                adapter.check_base(base.config())?;
                Self::Adapter {
                    base,
                    adapter: adapter.into_trainable()?,
                }
            }
        })
    }

    /// The same target with the weights of a file, frozen.
    fn with_weights(self, file: &[u8], device: &Device) -> Result<Self> {
        let tensors = read_tensors(file, Path::new("trained weights"), device)?;
        Ok(match self {
            Self::Full(model) => Self::Full(Llama::from_tensors(model.config().clone(), tensors)?),
            Self::Adapter { base, adapter } => {
                let config = adapter.config().clone();
                let adapter = Adapter::from_tensors(config, base.config(), tensors)?;
                Self::Adapter { base, adapter }
            }
        })
    }
}

/// Everything that fixes a run, and where it saves itself.
#[derive(Clone, Debug)]
pub struct TrainingInputs<'a> {
    /// The job.
    pub job: JobId,
    /// Content id of the base's weights; zero when training starts from scratch.
    pub base: ContentId,
    /// Input snapshots, in the order that gives ordinals.
    pub snapshots: Vec<Snapshot>,
    /// Seed of the batch order and of the held-out records, from the chain's randomness.
    pub order_seed: Hash,
    /// The records.
    pub data: &'a TrainingData,
    /// The hyper-parameters.
    pub hyper_parameters: HyperParameters,
    /// Where to save the run; without it a killed run starts over.
    pub checkpoints: Option<CheckpointPolicy>,
}

/// A finished run.
#[derive(Clone, Debug)]
pub struct TrainingOutcome {
    /// The trained model or adapter, frozen.
    pub target: TrainingTarget,
    /// Its trained weights as a safetensors file; the file's BLAKE3 hash is the last step's
    /// weights hash.
    pub weights: Vec<u8>,
    /// The transcript.
    pub transcript: Transcript,
    /// Records that were held out, ascending.
    pub held_out: Vec<usize>,
    /// Mean negative log likelihood of the held-out records before training, in nats per token.
    pub held_out_before: f32,
    /// The same afterwards.
    pub held_out_after: f32,
    /// Tokens trained on.
    pub tokens: u64,
    /// Step of the checkpoint from which this process went on; zero when it did the whole run.
    pub resumed_from: u32,
}

/// Sequences in an evaluation batch.
const EVALUATION_BATCH: usize = 16;

/// Trains `target`. The same inputs give the same transcript, bit for bit, whatever the number of
/// threads and however often the run was interrupted.
pub fn train(
    target: TrainingTarget,
    inputs: &TrainingInputs<'_>,
    progress: &mut dyn Progress,
    cancellation: &CancellationFlag,
) -> Result<TrainingOutcome> {
    let hyper = &inputs.hyper_parameters;
    hyper.validate(target.model().config().max_position_embeddings)?;
    let device = target.model().device().clone();
    let target = target.into_trainable()?;
    let order = Order::new(
        inputs.data,
        &inputs.order_seed,
        hyper.sequence_length,
        hyper.held_out_every,
        hyper.max_held_out,
    )?;
    let mut parameters = Parameters::new(target.trained())?;
    let mut optimizer = AdamW::new(parameters.len());
    let start = transcript_start(inputs, &device, &parameters);
    let start_state = start.state();

    let resumed = match &inputs.checkpoints {
        Some(policy) => checkpoint::load(policy, &start_state, &mut parameters, &mut optimizer)?,
        None => None,
    };
    let mut state = match resumed {
        Some(state) => state,
        None => RunState {
            start: start_state,
            held_out_before: held_out_loss(&target, inputs.data, &order.held_out, hyper)?.to_bits(),
            tokens: 0,
            steps: Vec::with_capacity(hyper.steps as usize),
        },
    };
    let resumed_from = state.steps.len() as u32;
    let mut last_saved = resumed_from;

    progress.begin("training", u64::from(hyper.steps), u64::from(resumed_from));
    let mut epochs = EpochCache::default();
    let mut gradient = Vec::with_capacity(parameters.len());
    for step in resumed_from + 1..=hyper.steps {
        if cancellation.is_cancelled() {
            if let Some(policy) = &inputs.checkpoints {
                if step - 1 > last_saved {
                    checkpoint::save(policy, step - 1, &parameters, &optimizer, &state)?;
                }
            }
            return Err(TrainError::Cancelled { step: step - 1 });
        }
        let sequences = order.batch(step, hyper.batch_size, &mut epochs);
        let tokens: usize = sequences.iter().map(|sequence| sequence.length).sum();
        let weight = 1.0 / tokens as f32;
        let batch = inputs.data.batch(&sequences, |_| weight);
        let loss = batch_loss(&target, &batch)?;
        let loss_value = loss.to_scalar::<f32>()?;
        if !loss_value.is_finite() {
            return Err(TrainError::Diverged {
                step,
                what: "the loss",
            });
        }
        parameters.gradients(&loss.backward()?, &mut gradient)?;
        let gradient_norm = optimizer.step(step, &mut parameters, &gradient, hyper)?;
        parameters.upload()?;
        let hashing = Instant::now();
        let (weights, optimizer_state) = rayon::join(|| parameters.hash(), || optimizer.hash());
        let hashing = hashing.elapsed();
        state.tokens += tokens as u64;
        state.steps.push(TranscriptStep {
            step,
            batch: batch_hash(&sequences),
            weights,
            optimizer: optimizer_state,
            loss_bits: loss_value.to_bits(),
        });
        progress.step(&StepReport {
            step,
            steps: hyper.steps,
            loss: loss_value,
            learning_rate: hyper.learning_rate_at(step),
            gradient_norm,
            tokens,
            transcript: hashing,
        });
        progress.advance(u64::from(step));
        if let Some(policy) = &inputs.checkpoints {
            if step % policy.every.max(1) == 0 || step == hyper.steps {
                checkpoint::save(policy, step, &parameters, &optimizer, &state)?;
                last_saved = step;
            }
        }
    }
    progress.end();

    let held_out_after = held_out_loss(&target, inputs.data, &order.held_out, hyper)?;
    let weights = parameters.file();
    Ok(TrainingOutcome {
        target: target.with_weights(&weights, &device)?,
        weights,
        transcript: Transcript {
            start,
            steps: state.steps,
        },
        held_out: order.held_out,
        held_out_before: f32::from_bits(state.held_out_before),
        held_out_after,
        tokens: state.tokens,
        resumed_from,
    })
}

fn transcript_start(
    inputs: &TrainingInputs<'_>,
    device: &Device,
    parameters: &Parameters,
) -> TranscriptStart {
    let environment = Environment::of(device);
    TranscriptStart {
        job: inputs.job,
        base: inputs.base,
        initial: parameters.hash().to_fixed_bytes(),
        inputs: inputs.snapshots.clone(),
        order_seed: inputs.order_seed,
        hyper_parameters: inputs.hyper_parameters.hash(),
        kernel_set: environment.kernel_set(),
        architecture_class: environment.architecture_class(),
        precision: environment.precision,
    }
}

/// Weighted sum of the tokens' negative log likelihoods.
pub(super) fn batch_loss(target: &TrainingTarget, batch: &Batch) -> Result<Tensor> {
    let losses = token_losses(target, batch)?;
    let weights = Tensor::from_slice(&batch.weights, batch.weights.len(), losses.device())?;
    Ok((losses * weights)?.sum_all()?)
}

pub(super) fn token_losses(target: &TrainingTarget, batch: &Batch) -> Result<Tensor> {
    let logits = target
        .model()
        .forward(&batch.inputs, &batch.lengths, target.adapter())?;
    Ok(negative_log_likelihood(&logits, &batch.targets)?)
}

/// Mean negative log likelihood of the held-out records, in nats per token.
fn held_out_loss(
    target: &TrainingTarget,
    data: &TrainingData,
    records: &[usize],
    hyper: &HyperParameters,
) -> Result<f32> {
    let sequences: Vec<Sequence> = records
        .iter()
        .flat_map(|&record| data.sequences(record, hyper.sequence_length))
        .collect();
    let mut total = 0f64;
    let mut count = 0usize;
    for chunk in sequences.chunks(EVALUATION_BATCH) {
        let losses = token_losses(target, &data.batch(chunk, |_| 1.0))?.to_vec1::<f32>()?;
        total += losses.iter().map(|&loss| f64::from(loss)).sum::<f64>();
        count += losses.len();
    }
    Ok((total / count.max(1) as f64) as f32)
}
