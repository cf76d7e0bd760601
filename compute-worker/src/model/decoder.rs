//! The decoder itself.

use super::{
    adapter::{Adapter, Factors},
    cache::KeyValueCache,
    error::{ModelError, Result},
    ops::{
        attention, linear, low_rank_linear, merge, rms_norm, rotary, silu_mul, tapped_linear,
        AttentionShape, RotaryTable, Segment, Tape,
    },
    random::Initializer,
    weights::{finish, take, Tensors},
    LlamaConfig, Projection,
};
use candle_core::{DType, Device, Tensor, Var};
use std::sync::Arc;

/// Standard deviation of initial weights (GPT-2's).
const INITIAL_DEVIATION: f32 = 0.02;

/// A Llama-shaped decoder: root mean square normalisation before each block, rotary positions,
/// grouped-query attention, SwiGLU, no biases (Touvron et al. 2023, arXiv 2302.13971 and
/// 2307.09288).
///
/// Weights are `f32`. Cloning shares them.
#[derive(Clone, Debug)]
pub struct Llama {
    config: LlamaConfig,
    /// `[vocabulary, hidden]`.
    embedding: Tensor,
    layers: Vec<Layer>,
    /// `[hidden]`.
    norm: Tensor,
    /// `[vocabulary, hidden]`, absent when the embedding serves.
    head: Option<Tensor>,
    rotary: RotaryTable,
}

#[derive(Clone, Debug)]
struct Layer {
    /// `[hidden]`, before the attention.
    input_norm: Tensor,
    /// `[hidden]`, before the gated layer.
    post_attention_norm: Tensor,
    /// `[out, in]` each, by [`Projection::index`].
    projections: [Tensor; Projection::ALL.len()],
}

/// Where per-sequence gradients are read off: see [`Tape`].
#[derive(Clone, Debug)]
pub(crate) struct Taps {
    /// What the backward pass records, under [`Taps::key`].
    pub(crate) tape: Arc<Tape>,
    /// First layer that is recorded; the backward pass ends there.
    pub(crate) first_layer: usize,
}

impl Taps {
    /// Key of a linear map on the tape.
    pub(crate) fn key(layer: usize, projection: Projection) -> usize {
        layer * Projection::ALL.len() + projection.index()
    }
}

/// How a forward pass applies linear maps.
enum Mode<'a> {
    /// Gradients for every weight that is a variable.
    Train,
    /// Inputs and output gradients on a tape, no weight gradients.
    Tap(&'a Taps),
    /// No gradients; few rows, so that an adapter's update is applied to the rows rather than
    /// added to the weight.
    Decode,
}

impl Llama {
    /// A model with random weights under the seed: standard deviation 0.02, the two maps that write
    /// to the residual stream scaled down by `sqrt(2 layers)` (GPT-2's rule).
    pub fn initialize(config: LlamaConfig, seed: [u8; 32], device: &Device) -> Result<Self> {
        config.validate()?;
        let mut initializer = Initializer::new(seed);
        let residual = INITIAL_DEVIATION / (2.0 * config.num_hidden_layers as f32).sqrt();
        Self::build(config, |name, shape| match shape {
            &[hidden] => Ok(Tensor::ones(hidden, DType::F32, device)?),
            shape => {
                let deviation = match name.rsplit('.').nth(1).and_then(Projection::from_name) {
                    Some(Projection::Output | Projection::Down) => residual,
                    _ => INITIAL_DEVIATION,
                };
                initializer.with_deviation(shape, deviation, device)
            }
        })
    }

    /// A model from the tensors of a file, which must be exactly those of the configuration.
    pub fn from_tensors(config: LlamaConfig, mut tensors: Tensors) -> Result<Self> {
        config.validate()?;
        if config.tie_word_embeddings {
            // Some files store the tied weight twice; the configuration says which one counts.
            tensors.remove(HEAD);
        }
        // Files of old versions store the rotary frequencies, which follow from the configuration.
        tensors.retain(|name, _| !name.ends_with(".rotary_emb.inv_freq"));
        let model = Self::build(config, |name, shape| take(&mut tensors, name, shape))?;
        finish(tensors)?;
        Ok(model)
    }

    fn build(
        config: LlamaConfig,
        mut tensor: impl FnMut(&str, &[usize]) -> Result<Tensor>,
    ) -> Result<Self> {
        let (vocabulary, hidden) = (config.vocab_size, config.hidden_size);
        let embedding = tensor(EMBEDDING, &[vocabulary, hidden])?;
        let layers = (0..config.num_hidden_layers)
            .map(|layer| {
                let mut projections = Vec::with_capacity(Projection::ALL.len());
                for projection in Projection::ALL {
                    let (out, input) = projection.dimensions(&config);
                    let name = format!("{}.weight", projection.path(layer));
                    projections.push(tensor(&name, &[out, input])?);
                }
                Ok(Layer {
                    input_norm: tensor(&norm_name(layer, INPUT_NORM), &[hidden])?,
                    post_attention_norm: tensor(&norm_name(layer, POST_NORM), &[hidden])?,
                    projections: projections.try_into().map_err(|_| {
                        ModelError::Config("a layer does not have seven linear maps".into())
                    })?,
                })
            })
            .collect::<Result<_>>()?;
        let norm = tensor(FINAL_NORM, &[hidden])?;
        let head = match config.tie_word_embeddings {
            true => None,
            false => Some(tensor(HEAD, &[vocabulary, hidden])?),
        };
        let rotary = RotaryTable::new(
            config.max_position_embeddings,
            config.head_dim(),
            config.rope_theta,
        );
        Ok(Self {
            config,
            embedding,
            layers,
            norm,
            head,
            rotary,
        })
    }

    /// The configuration.
    pub fn config(&self) -> &LlamaConfig {
        &self.config
    }

    /// Where the weights are.
    pub fn device(&self) -> &Device {
        self.embedding.device()
    }

    /// All weights by Hugging Face's names.
    pub fn tensors(&self) -> Tensors {
        let mut tensors = Tensors::from([
            (EMBEDDING.to_owned(), self.embedding.clone()),
            (FINAL_NORM.to_owned(), self.norm.clone()),
        ]);
        for (index, layer) in self.layers.iter().enumerate() {
            tensors.insert(norm_name(index, INPUT_NORM), layer.input_norm.clone());
            tensors.insert(
                norm_name(index, POST_NORM),
                layer.post_attention_norm.clone(),
            );
            for projection in Projection::ALL {
                let name = format!("{}.weight", projection.path(index));
                tensors.insert(name, layer.projections[projection.index()].clone());
            }
        }
        if let Some(head) = &self.head {
            tensors.insert(HEAD.to_owned(), head.clone());
        }
        tensors
    }

    /// Number of weights.
    pub fn parameter_count(&self) -> usize {
        self.tensors().values().map(Tensor::elem_count).sum()
    }

    /// The same model with weights that collect gradients.
    pub fn into_trainable(self) -> Result<Self> {
        let tensors = self.tensors();
        Self::build(self.config, |name, _| {
            Ok(Var::from_tensor(&tensors[name])?.into_inner())
        })
    }

    /// Weight of a linear map, `[out, in]`.
    pub fn weight(&self, layer: usize, projection: Projection) -> &Tensor {
        &self.layers[layer].projections[projection.index()]
    }

    /// Logits `[tokens, vocabulary]` of the sequences whose tokens stand one after the other, each
    /// `lengths` long. Differentiable with respect to every weight that is a variable.
    pub fn forward(
        &self,
        tokens: &[u32],
        lengths: &[usize],
        adapter: Option<&Adapter>,
    ) -> Result<Tensor> {
        self.forward_in(tokens, lengths, adapter, &Mode::Train)
    }

    /// The same, recording inputs and output gradients of linear maps on a tape: those of the
    /// adapter, or without an adapter all from [`Taps::first_layer`] on. Meant for frozen weights.
    pub(crate) fn forward_tapped(
        &self,
        tokens: &[u32],
        lengths: &[usize],
        adapter: Option<&Adapter>,
        taps: &Taps,
    ) -> Result<Tensor> {
        self.forward_in(tokens, lengths, adapter, &Mode::Tap(taps))
    }

    fn forward_in(
        &self,
        tokens: &[u32],
        lengths: &[usize],
        adapter: Option<&Adapter>,
        mode: &Mode<'_>,
    ) -> Result<Tensor> {
        if tokens.is_empty() || lengths.contains(&0) {
            return Err(ModelError::Empty);
        }
        if tokens.len() != lengths.iter().sum::<usize>() {
            return Err(ModelError::Config(format!(
                "{} tokens are not {} sequences of lengths {lengths:?}",
                tokens.len(),
                lengths.len()
            )));
        }
        let limit = self.config.max_position_embeddings;
        if let Some(&found) = lengths.iter().find(|&&length| length > limit) {
            return Err(ModelError::ContextLength { found, limit });
        }
        let segments = lengths
            .iter()
            .map(|&length| Segment {
                queries: length,
                keys: length,
            })
            .collect();
        let shape = self.attention_shape(segments);
        let positions: Arc<[usize]> = lengths.iter().flat_map(|&length| 0..length).collect();
        let mut x = self.embed(tokens)?;
        for (index, layer) in self.layers.iter().enumerate() {
            if let Mode::Tap(taps) = mode {
                if index == taps.first_layer {
                    // The graph begins here: what lies below needs no backward pass.
                    x = Var::from_tensor(&x.detach())?.into_inner();
                }
            }
            let attend = |query: &Tensor, key: &Tensor, value: &Tensor| {
                let query = rotary(query, &self.rotary, &positions)?;
                let key = rotary(key, &self.rotary, &positions)?;
                Ok(attention(&query, &key, value, &shape)?)
            };
            x = self.layer(index, layer, &x, adapter, mode, attend)?;
        }
        self.logits(&x)
    }

    /// Logits `[vocabulary]` of the token after `tokens`, which continue the sequence in `cache`.
    ///
    /// The result does not depend on how the sequence was cut into calls, but for rounding. On an
    /// error the cache is as it was.
    pub fn decode(
        &self,
        tokens: &[u32],
        cache: &mut KeyValueCache,
        adapter: Option<&Adapter>,
    ) -> Result<Tensor> {
        let count = tokens.len();
        if count == 0 {
            return Err(ModelError::Empty);
        }
        cache.reserve(count)?;
        let past = cache.len();
        let shape = self.attention_shape(vec![Segment {
            queries: count,
            keys: past + count,
        }]);
        let positions: Arc<[usize]> = (past..past + count).collect();
        let mut x = self.embed(tokens)?;
        for (index, layer) in self.layers.iter().enumerate() {
            let attend = |query: &Tensor, key: &Tensor, value: &Tensor| {
                let query = rotary(query, &self.rotary, &positions)?;
                let key = rotary(key, &self.rotary, &positions)?;
                let (keys, values) = cache.append(index, &key, value)?;
                Ok(attention(&query, &keys, &values, &shape)?)
            };
            x = self.layer(index, layer, &x, adapter, &Mode::Decode, attend)?;
        }
        cache.advance(count);
        Ok(self
            .logits(&x.narrow(0, count - 1, 1)?.contiguous()?)?
            .squeeze(0)?)
    }

    fn attention_shape(&self, segments: Vec<Segment>) -> AttentionShape {
        AttentionShape {
            segments,
            heads: self.config.num_attention_heads,
            key_value_heads: self.config.key_value_heads(),
            head_dim: self.config.head_dim(),
        }
    }

    fn embed(&self, tokens: &[u32]) -> Result<Tensor> {
        let vocabulary = self.config.vocab_size;
        if let Some(token) = tokens.iter().find(|&&token| token as usize >= vocabulary) {
            return Err(ModelError::WrongTokenizer(format!(
                "token {token} is outside the model's vocabulary of {vocabulary}"
            )));
        }
        let tokens = Tensor::new(tokens, self.device())?;
        Ok(self.embedding.index_select(&tokens, 0)?)
    }

    /// Final normalisation and output layer.
    fn logits(&self, x: &Tensor) -> Result<Tensor> {
        let x = rms_norm(x, &self.norm, self.config.rms_norm_eps)?;
        Ok(linear(&x, self.head.as_ref().unwrap_or(&self.embedding))?)
    }

    fn layer(
        &self,
        index: usize,
        layer: &Layer,
        x: &Tensor,
        adapter: Option<&Adapter>,
        mode: &Mode<'_>,
        attend: impl FnOnce(&Tensor, &Tensor, &Tensor) -> Result<Tensor>,
    ) -> Result<Tensor> {
        let epsilon = self.config.rms_norm_eps;
        let apply = |projection: Projection, x: &Tensor| {
            let weight = &layer.projections[projection.index()];
            let update = adapter.and_then(|adapter| {
                adapter
                    .factors(index, projection)
                    .map(|factors| (factors, adapter.config().scale()))
            });
            project(
                x,
                weight,
                update,
                mode,
                index,
                projection,
                adapter.is_some(),
            )
        };
        let normed = rms_norm(x, &layer.input_norm, epsilon)?;
        let attended = attend(
            &apply(Projection::Query, &normed)?,
            &apply(Projection::Key, &normed)?,
            &apply(Projection::Value, &normed)?,
        )?;
        let x = (x + apply(Projection::Output, &attended)?)?;
        let normed = rms_norm(&x, &layer.post_attention_norm, epsilon)?;
        let gated = silu_mul(
            &apply(Projection::Gate, &normed)?,
            &apply(Projection::Up, &normed)?,
        )?;
        Ok((&x + apply(Projection::Down, &gated)?)?)
    }
}

fn project(
    x: &Tensor,
    weight: &Tensor,
    update: Option<(&Factors, f64)>,
    mode: &Mode<'_>,
    layer: usize,
    projection: Projection,
    adapted: bool,
) -> Result<Tensor> {
    let y = match (mode, update) {
        (Mode::Train, Some((factors, scale))) => {
            low_rank_linear(x, weight, &factors.a, &factors.b, scale)?
        }
        (Mode::Tap(taps), Some((factors, scale))) if layer >= taps.first_layer => {
            let merged = merge(weight, &factors.a, &factors.b, scale)?;
            tapped_linear(x, &merged, &taps.tape, Taps::key(layer, projection))?
        }
        (Mode::Tap(taps), None) if layer >= taps.first_layer && !adapted => {
            tapped_linear(x, weight, &taps.tape, Taps::key(layer, projection))?
        }
        (Mode::Decode | Mode::Tap(_), Some((factors, scale))) => {
            let update = linear(&linear(x, &factors.a)?, &factors.b)?;
            (linear(x, weight)? + (update * scale)?)?
        }
        (_, None) => linear(x, weight)?,
    };
    Ok(y)
}

const EMBEDDING: &str = "model.embed_tokens.weight";
const FINAL_NORM: &str = "model.norm.weight";
const HEAD: &str = "lm_head.weight";
const INPUT_NORM: &str = "input_layernorm";
const POST_NORM: &str = "post_attention_layernorm";

fn norm_name(layer: usize, norm: &str) -> String {
    format!("model.layers.{layer}.{norm}.weight")
}
