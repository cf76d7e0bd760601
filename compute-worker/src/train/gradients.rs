//! Gradients of single records and of single responses: the rows and the queries of the influence
//! index.
//!
//! # What a row is
//! The gradient of a record's mean negative log likelihood per token, with respect to a fixed list
//! of tensors ([`GradientSpace`]), each flattened row-major, one after the other in the order of
//! their names. For an adapter that is all of its `A` and `B`; for a base model it is the linear
//! maps of the layers from a chosen one on, which is where most of what a small model knows about
//! its training text is stored and which spares the backward pass below.
//!
//! # How rows are computed
//! One backward pass over a batch would only give the sum over its records. But the gradient of a
//! linear map's weight is a sum of outer products over tokens, and no token belongs to two records:
//! with the map's inputs `x_t` and the gradients `g_t` of its outputs, both read off the one
//! backward pass of the batch,
//!
//! `dW = sum over the record's tokens of g_t x_t^T`,
//!
//! and for an adapter `y = (W + s B A) x`
//!
//! `dA = s sum (B^T g_t) x_t^T`, `dB = s sum g_t (A x_t)^T`.
//!
//! This is exact, and costs per record what its share of a training step costs (Goodfellow 2015,
//! arXiv 1510.01799).

use super::{
    data::{Batch, Sequence, TrainingData},
    error::{Result, TrainError},
    progress::{CancellationFlag, Progress},
};
use crate::model::{
    adapter_tensor_names, negative_log_likelihood, Adapter, Llama, ModelError, Projection,
    TapeEntry, Taps,
};
use candle_core::Tensor;
use rayon::prelude::*;
use std::{collections::BTreeMap, sync::Arc};

/// Memory for the rows that are computed at once, in bytes.
const ROWS_MEMORY: usize = 64 << 20;
/// Sequences whose rows are computed at once.
const GROUP: usize = 64;
/// Sequences of one forward and backward pass.
const BATCH: usize = 16;

/// One tensor of a gradient space.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Component {
    /// Name of the tensor, as in the model's or the adapter's file.
    pub name: String,
    /// First element in a row.
    pub offset: usize,
    /// Number of elements.
    pub elements: usize,
}

/// Which part of a linear map's gradient a component is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Part {
    /// The weight itself.
    Weight,
    /// `A` of an adapter.
    A,
    /// `B` of an adapter.
    B,
}

/// What a record's gradient with respect to one component is made of: `gradient = leftᵀ right`, summed
/// over tokens. For a linear map `y = W x` the left one has the gradients of `y`, the right one `x`.
#[derive(Clone, Debug)]
pub struct Factors {
    /// `tokens x left_width`, row-major.
    pub left: Vec<f32>,
    /// `tokens x right_width`, row-major.
    pub right: Vec<f32>,
    /// Columns of `left`, which are rows of the gradient.
    pub left_width: usize,
    /// Columns of `right`, which are columns of the gradient.
    pub right_width: usize,
}

/// A list of tensors, and the gradients of texts with respect to it.
#[derive(Clone, Debug)]
pub struct GradientSpace<'a> {
    model: &'a Llama,
    adapter: Option<&'a Adapter>,
    first_layer: usize,
    components: Vec<Component>,
    /// Layer, projection and part of each component.
    sources: Vec<(usize, Projection, Part)>,
    dimension: usize,
}

impl<'a> GradientSpace<'a> {
    /// All weights of an adapter over its base.
    pub fn of_adapter(base: &'a Llama, adapter: &'a Adapter) -> Result<Self> {
        adapter.check_base(base.config())?;
        let targets = adapter.config().targets()?;
        let rank = adapter.config().r;
        let mut parts = Vec::new();
        for layer in 0..base.config().num_hidden_layers {
            for &projection in &targets {
                let (out, input) = projection.dimensions(base.config());
                let [a, b] = adapter_tensor_names(layer, projection);
                parts.push((a, rank * input, (layer, projection, Part::A)));
                parts.push((b, rank * out, (layer, projection, Part::B)));
            }
        }
        Ok(Self::new(base, Some(adapter), 0, parts))
    }

    /// The linear maps of a model's layers from `first_layer` on.
    pub fn of_layers(model: &'a Llama, first_layer: usize) -> Result<Self> {
        let layers = model.config().num_hidden_layers;
        if first_layer >= layers {
            return Err(TrainError::HyperParameter {
                name: "first_layer",
                value: format!("{first_layer} of {layers}"),
                expected: "one of the model's layers",
            });
        }
        let parts = (first_layer..layers)
            .flat_map(|layer| Projection::ALL.map(|projection| (layer, projection)))
            .map(|(layer, projection)| {
                let (out, input) = projection.dimensions(model.config());
                let name = format!("{}.weight", projection.path(layer));
                (name, out * input, (layer, projection, Part::Weight))
            })
            .collect();
        Ok(Self::new(model, None, first_layer, parts))
    }

    fn new(
        model: &'a Llama,
        adapter: Option<&'a Adapter>,
        first_layer: usize,
        mut parts: Vec<(String, usize, (usize, Projection, Part))>,
    ) -> Self {
        parts.sort_by(|left, right| left.0.cmp(&right.0));
        let mut space = Self {
            model,
            adapter,
            first_layer,
            components: Vec::with_capacity(parts.len()),
            sources: Vec::with_capacity(parts.len()),
            dimension: 0,
        };
        for (name, elements, source) in parts {
            space.components.push(Component {
                name,
                offset: space.dimension,
                elements,
            });
            space.sources.push(source);
            space.dimension += elements;
        }
        space
    }

    /// Length of a row.
    pub fn dimension(&self) -> usize {
        self.dimension
    }

    /// The tensors, in the order of a row.
    pub fn components(&self) -> &[Component] {
        &self.components
    }

    /// Computes the row of every record, in the order of their ordinals, and hands it to `sink`.
    ///
    /// A record with nothing to predict has a row of zeros. Results do not depend on the number of
    /// threads.
    pub fn record_rows(
        &self,
        data: &TrainingData,
        progress: &mut dyn Progress,
        cancellation: &CancellationFlag,
        mut sink: impl FnMut(usize, &[f32]) -> std::result::Result<(), String>,
    ) -> Result<()> {
        let limit = self.model.config().max_position_embeddings;
        let most_rows = (ROWS_MEMORY / (4 * self.dimension.max(1))).max(1);
        let mut rows: Vec<Vec<f32>> = Vec::new();
        progress.begin("influence rows", data.records() as u64, 0);
        let mut first = 0;
        while first < data.records() {
            // Whole records, so that rows leave in order; one long record may be a group of its own.
            let mut sequences: Vec<Sequence> = data.sequences(first, limit).collect();
            let mut end = first + 1;
            while end < data.records() && end - first < most_rows {
                let next = data.targets(end).div_ceil(limit);
                if sequences.len() + next > GROUP {
                    break;
                }
                sequences.extend(data.sequences(end, limit));
                end += 1;
            }
            rows.resize_with(end - first, Vec::new);
            for row in &mut rows {
                row.clear();
                row.resize(self.dimension, 0.0);
            }
            for chunk in sequences.chunks(BATCH) {
                if cancellation.is_cancelled() {
                    return Err(TrainError::Cancelled { step: first as u32 });
                }
                let batch =
                    data.batch(chunk, |sequence| 1.0 / data.targets(sequence.record) as f32);
                let owners: Vec<usize> = chunk
                    .iter()
                    .map(|sequence| sequence.record - first)
                    .collect();
                self.add_gradients(&batch, &owners, &mut rows)?;
            }
            for (record, row) in (first..end).zip(&rows) {
                if !row.iter().all(|value| value.is_finite()) {
                    return Err(ModelError::NotFinite {
                        name: format!("gradient of record {record}"),
                    }
                    .into());
                }
                sink(record, row).map_err(TrainError::Sink)?;
            }
            first = end;
            progress.advance(first as u64);
        }
        progress.end();
        Ok(())
    }

    /// What the row of one record is made of, for each component: the input of curvature that treats
    /// activations and output gradients apart, as EK-FAC does.
    ///
    /// # Errors
    /// When the record has nothing to predict, or the model cannot run.
    pub fn record_factors(&self, data: &TrainingData, record: usize) -> Result<Vec<Factors>> {
        if data.targets(record) == 0 {
            return Err(ModelError::Empty.into());
        }
        let weight = 1.0 / data.targets(record) as f32;
        let sequences: Vec<Sequence> = data.sequences(record, self.context()).collect();
        self.batch_factors(&data.batch(&sequences, |_| weight))?
            .into_iter()
            .map(|(left, right)| {
                Ok(Factors {
                    left_width: left.dim(1)?,
                    right_width: right.dim(1)?,
                    left: left.flatten_all()?.to_vec1()?,
                    right: right.flatten_all()?.to_vec1()?,
                })
            })
            .collect()
    }

    /// The gradient of the mean negative log likelihood of `response` given `prompt`, both without
    /// the begin token: the query of the influence index.
    ///
    /// Texts longer than the context are cut into overlapping windows: each window predicts the
    /// next stretch of the response with at least half a context of text before it, so that each
    /// token of the response counts exactly once.
    pub fn response_gradient(&self, prompt: &[u32], response: &[u32]) -> Result<Vec<f32>> {
        if response.is_empty() {
            return Err(ModelError::Empty.into());
        }
        let begin = self.model.config().bos_token_id;
        let stream: Vec<u32> = begin
            .into_iter()
            .chain(prompt.iter().copied())
            .chain(response.iter().copied())
            .collect();
        let weight = 1.0 / response.len() as f32;
        // Targets stand at 1.. of the stream: its first token cannot be predicted.
        let mut next = (stream.len() - response.len()).max(1);
        let mut rows = [vec![0f32; self.dimension]];
        while next < stream.len() {
            let window = Window::around(next, stream.len(), self.context());
            let mut weights = vec![0f32; window.end - 1 - window.start];
            let counted = next - 1 - window.start;
            weights[counted..].fill(weight);
            let batch = Batch {
                lengths: vec![weights.len()],
                inputs: stream[window.start..window.end - 1].to_vec(),
                targets: stream[window.start + 1..window.end].into(),
                weights,
            };
            self.add_gradients(&batch, &[0], &mut rows)?;
            next = window.end;
        }
        let [row] = rows;
        if !row.iter().all(|value| value.is_finite()) {
            return Err(ModelError::NotFinite {
                name: "gradient of the response".into(),
            }
            .into());
        }
        Ok(row)
    }

    fn context(&self) -> usize {
        self.model.config().max_position_embeddings
    }

    /// One forward and backward pass, and the factors of each component over all its tokens.
    fn batch_factors(&self, batch: &Batch) -> Result<Vec<(Tensor, Tensor)>> {
        let taps = Taps {
            tape: Arc::default(),
            first_layer: self.first_layer,
        };
        let logits =
            self.model
                .forward_tapped(&batch.inputs, &batch.lengths, self.adapter, &taps)?;
        let losses = negative_log_likelihood(&logits, &batch.targets)?;
        let weights = Tensor::from_slice(&batch.weights, batch.weights.len(), losses.device())?;
        (losses * weights)?.sum_all()?.backward()?;
        self.factors(taps.tape.take())
    }

    /// Adds the gradient of each sequence to its owner's row.
    fn add_gradients(&self, batch: &Batch, owners: &[usize], rows: &mut [Vec<f32>]) -> Result<()> {
        let factors = self.batch_factors(batch)?;
        let mut tokens_of_row = vec![Vec::new(); rows.len()];
        let mut start = 0;
        for (&owner, &length) in owners.iter().zip(&batch.lengths) {
            tokens_of_row[owner].push(start..start + length);
            start += length;
        }
        rows.par_iter_mut()
            .zip(tokens_of_row)
            .try_for_each(|(row, sequences)| {
                for tokens in sequences {
                    for (component, (left, right)) in self.components.iter().zip(&factors) {
                        let left = left.narrow(0, tokens.start, tokens.len())?;
                        let right = right.narrow(0, tokens.start, tokens.len())?;
                        let gradient = left.t()?.matmul(&right)?.flatten_all()?.to_vec1::<f32>()?;
                        let end = component.offset + component.elements;
                        for (target, value) in row[component.offset..end].iter_mut().zip(gradient) {
                            *target += value;
                        }
                    }
                }
                Ok(())
            })
    }

    /// For each component the two matrices `[tokens, _]` whose rows' outer products add up to its
    /// gradient.
    fn factors(&self, tape: BTreeMap<usize, TapeEntry>) -> Result<Vec<(Tensor, Tensor)>> {
        self.components
            .iter()
            .zip(&self.sources)
            .map(|(component, &(layer, projection, part))| {
                let missing = || TrainError::NoGradient {
                    name: component.name.clone(),
                };
                let entry = tape
                    .get(&Taps::key(layer, projection))
                    .ok_or_else(missing)?;
                let (x, g) = (&entry.input, &entry.output_gradient);
                let update = self
                    .adapter
                    .and_then(|adapter| adapter.update(layer, projection));
                Ok(match (part, update) {
                    (Part::Weight, _) => (g.clone(), x.clone()),
                    (Part::A, Some((_, b, scale))) => ((g.matmul(b)? * scale)?, x.clone()),
                    (Part::B, Some((a, _, scale))) => (g.clone(), (x.matmul(&a.t()?)? * scale)?),
                    (Part::A | Part::B, None) => return Err(missing()),
                })
            })
            .collect()
    }
}

/// A stretch of a stream that fits the context: tokens `start .. end`, of which the first is only
/// an input and the last only a target.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Window {
    start: usize,
    end: usize,
}

impl Window {
    /// The window that predicts the targets from `next` on: the whole stream if it fits, otherwise
    /// at most as much text before `next` as leaves half a context for targets.
    fn around(next: usize, length: usize, context: usize) -> Self {
        let remaining = length - next;
        let before = (context - remaining.min(context.div_ceil(2))).clamp(1, next);
        let start = next - before;
        Self {
            start,
            end: length.min(start + context + 1),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Window;

    #[test]
    fn windows_count_each_target_once_and_fit() {
        for context in [1, 2, 3, 8, 255] {
            for prompt in [1, 2, 7, 300] {
                for response in [1, 2, 5, 64, 600] {
                    let length = prompt + response;
                    let mut next = prompt;
                    while next < length {
                        let window = Window::around(next, length, context);
                        assert!(window.start < next && window.end > next, "{window:?}");
                        assert!(window.end <= length && window.end - 1 - window.start <= context);
                        let wanted = next.min(context / 2).max(1);
                        assert!(
                            next - window.start >= wanted,
                            "{window:?} of {context} at {next}"
                        );
                        next = window.end;
                    }
                    assert_eq!(next, length);
                }
            }
        }
    }

    #[test]
    fn a_text_that_fits_is_one_window() {
        assert_eq!(Window::around(10, 30, 64), Window { start: 0, end: 30 });
    }
}
