//! The decoder as somebody writes it with candle and candle_nn alone.
//!
//! Training uses candle_nn's differentiable operations, since its fused ones have no backward pass;
//! decoding uses the fused ones.

use candle_core::{Device, Result, Tensor, Var, D};
use candle_nn::{
    kv_cache::KvCache,
    loss::cross_entropy,
    ops::{softmax, softmax_last_dim},
    rotary_emb::{rope, rope_slow},
    AdamW, Embedding, Linear, Module, Optimizer, ParamsAdamW, RmsNorm,
};
use openledger_worker::{
    model::{LlamaConfig, Tensors},
    train::HyperParameters,
};
use std::collections::BTreeMap;

struct Layer {
    input_norm: RmsNorm,
    post_attention_norm: RmsNorm,
    query: Linear,
    key: Linear,
    value: Linear,
    output: Linear,
    gate: Linear,
    up: Linear,
    down: Linear,
}

/// A Llama-shaped decoder with tied embeddings.
pub(crate) struct Plain {
    config: LlamaConfig,
    embedding: Embedding,
    layers: Vec<Layer>,
    norm: RmsNorm,
    head: Linear,
    /// `[context, head_dim / 2]`.
    cosine: Tensor,
    sine: Tensor,
}

/// Keys and values of one sequence, by layer.
pub(crate) type Caches = Vec<KvCache>;

impl Plain {
    /// The model with these weights, by Hugging Face's names.
    pub(crate) fn new(config: &LlamaConfig, tensors: &BTreeMap<String, Tensor>) -> Result<Self> {
        let tensor = |name: &str| tensors[name].clone();
        let layers = (0..config.num_hidden_layers)
            .map(|index| {
                let weight = |name: &str| tensor(&format!("model.layers.{index}.{name}.weight"));
                let linear = |name: &str| Linear::new(weight(name), None);
                let norm = |name: &str| RmsNorm::new(weight(name), config.rms_norm_eps);
                Layer {
                    input_norm: norm("input_layernorm"),
                    post_attention_norm: norm("post_attention_layernorm"),
                    query: linear("self_attn.q_proj"),
                    key: linear("self_attn.k_proj"),
                    value: linear("self_attn.v_proj"),
                    output: linear("self_attn.o_proj"),
                    gate: linear("mlp.gate_proj"),
                    up: linear("mlp.up_proj"),
                    down: linear("mlp.down_proj"),
                }
            })
            .collect();
        let half = config.head_dim() / 2;
        let angles: Vec<f32> = (0..config.max_position_embeddings)
            .flat_map(|position| (0..half).map(move |feature| (position, feature)))
            .map(|(position, feature)| {
                let exponent = -2.0 * feature as f64 / config.head_dim() as f64;
                (position as f64 * config.rope_theta.powf(exponent)) as f32
            })
            .collect();
        let angles =
            Tensor::from_vec(angles, (config.max_position_embeddings, half), &Device::Cpu)?;
        let embedding = tensor("model.embed_tokens.weight");
        Ok(Self {
            config: config.clone(),
            head: Linear::new(embedding.clone(), None),
            embedding: Embedding::new(embedding, config.hidden_size),
            layers,
            norm: RmsNorm::new(tensor("model.norm.weight"), config.rms_norm_eps),
            cosine: angles.cos()?,
            sine: angles.sin()?,
        })
    }

    /// Empty caches.
    pub(crate) fn caches(&self) -> Caches {
        let context = self.config.max_position_embeddings;
        self.layers
            .iter()
            .map(|_| KvCache::new(2, context))
            .collect()
    }

    /// Logits `[batch, tokens, vocabulary]` of sequences of one length, differentiable.
    pub(crate) fn forward(&self, tokens: &Tensor) -> Result<Tensor> {
        let x = self.layers_forward(tokens, 0, None)?;
        self.head.forward(&self.norm.forward_diff(&x)?)
    }

    /// Logits `[vocabulary]` of the token after `tokens`, which continue the caches' sequence.
    pub(crate) fn decode(&self, tokens: &[u32], caches: &mut Caches) -> Result<Tensor> {
        let past = caches.first().map_or(0, KvCache::current_seq_len);
        let input = Tensor::new(tokens, &Device::Cpu)?.unsqueeze(0)?;
        let x = self.layers_forward(&input, past, Some(caches))?;
        let last = x.narrow(1, tokens.len() - 1, 1)?.contiguous()?;
        self.head.forward(&self.norm.forward(&last)?)?.flatten_all()
    }

    fn layers_forward(
        &self,
        tokens: &Tensor,
        past: usize,
        mut caches: Option<&mut Caches>,
    ) -> Result<Tensor> {
        let count = tokens.dim(1)?;
        let cosine = self.cosine.narrow(0, past, count)?;
        let sine = self.sine.narrow(0, past, count)?;
        let mask = match count {
            1 => None,
            _ => Some(causal_mask(count)?),
        };
        let mut x = self.embedding.forward(tokens)?;
        for (index, layer) in self.layers.iter().enumerate() {
            let cache = caches.as_mut().map(|caches| &mut caches[index]);
            x = self.layer(layer, &x, (&cosine, &sine), mask.as_ref(), cache)?;
        }
        Ok(x)
    }

    fn layer(
        &self,
        layer: &Layer,
        x: &Tensor,
        (cosine, sine): (&Tensor, &Tensor),
        mask: Option<&Tensor>,
        cache: Option<&mut KvCache>,
    ) -> Result<Tensor> {
        let is_training = cache.is_none();
        let norm = |norm: &RmsNorm, x: &Tensor| match is_training {
            true => norm.forward_diff(x),
            false => norm.forward(x),
        };
        let (batch, count, _) = x.dims3()?;
        let (heads, dimension) = (self.config.num_attention_heads, self.config.head_dim());
        let groups = self.config.key_value_heads();
        let split = |x: Tensor, heads: usize| {
            x.reshape((batch, count, heads, dimension))?
                .transpose(1, 2)?
                .contiguous()
        };
        let turn = |x: Tensor| match is_training {
            true => rope_slow(&x, cosine, sine),
            false => rope(&x, cosine, sine),
        };
        let normed = norm(&layer.input_norm, x)?;
        let query = turn(split(layer.query.forward(&normed)?, heads)?)?;
        let mut key = turn(split(layer.key.forward(&normed)?, groups)?)?;
        let mut value = split(layer.value.forward(&normed)?, groups)?;
        if let Some(cache) = cache {
            (key, value) = cache.append(&key, &value)?;
        }
        let (key, value) = (
            repeat(&key, heads / groups)?,
            repeat(&value, heads / groups)?,
        );
        let scale = 1.0 / (dimension as f64).sqrt();
        let mut scores = (query.matmul(&key.t()?)? * scale)?;
        if let Some(mask) = mask {
            let mask = mask.broadcast_as(scores.shape())?;
            let never = Tensor::new(f32::NEG_INFINITY, &Device::Cpu)?;
            scores = mask.where_cond(&never.broadcast_as(scores.shape())?, &scores)?;
        }
        let weights = match is_training {
            true => softmax(&scores, D::Minus1)?,
            false => softmax_last_dim(&scores)?,
        };
        let attended =
            weights
                .matmul(&value)?
                .transpose(1, 2)?
                .reshape((batch, count, heads * dimension))?;
        let x = (x + layer.output.forward(&attended)?)?;
        let normed = norm(&layer.post_attention_norm, &x)?;
        let gated =
            (candle_nn::ops::silu(&layer.gate.forward(&normed)?)? * layer.up.forward(&normed)?)?;
        &x + layer.down.forward(&gated)?
    }
}

/// One where a key comes after the query.
fn causal_mask(count: usize) -> Result<Tensor> {
    let mask: Vec<u8> = (0..count)
        .flat_map(|query| (0..count).map(move |key| u8::from(key > query)))
        .collect();
    Tensor::from_vec(mask, (count, count), &Device::Cpu)
}

/// Each key or value head once for every query head that shares it.
fn repeat(x: &Tensor, times: usize) -> Result<Tensor> {
    if times == 1 {
        return x.contiguous();
    }
    let (batch, heads, count, dimension) = x.dims4()?;
    Tensor::cat(&vec![x; times], 2)?.reshape((batch, heads * times, count, dimension))
}

/// Training with candle_nn's optimiser and loss.
pub(crate) struct PlainTrainer {
    model: Plain,
    optimizer: AdamW,
}

impl PlainTrainer {
    /// Trains all `weights`, with the optimiser's numbers of `hyper` and a fixed rate.
    pub(crate) fn new(
        config: &LlamaConfig,
        weights: &Tensors,
        hyper: &HyperParameters,
    ) -> Result<Self> {
        let variables: BTreeMap<String, Var> = weights
            .iter()
            .map(|(name, tensor)| Ok((name.clone(), Var::from_tensor(tensor)?)))
            .collect::<Result<_>>()?;
        let tensors = variables
            .iter()
            .map(|(name, variable)| (name.clone(), variable.as_tensor().clone()))
            .collect();
        let parameters = ParamsAdamW {
            lr: hyper.learning_rate_at(1),
            beta1: hyper.beta_1,
            beta2: hyper.beta_2,
            eps: hyper.epsilon,
            weight_decay: hyper.weight_decay,
        };
        Ok(Self {
            model: Plain::new(config, &tensors)?,
            optimizer: AdamW::new(variables.into_values().collect(), parameters)?,
        })
    }

    /// One step over streams of one length; returns the loss.
    pub(crate) fn step(&mut self, streams: &[Vec<u32>]) -> Result<f32> {
        let length = streams[0].len() - 1;
        let tensor = |range: std::ops::Range<usize>| {
            let tokens: Vec<u32> = streams
                .iter()
                .flat_map(|stream| stream[range.clone()].to_vec())
                .collect();
            Tensor::from_vec(tokens, (streams.len(), length), &Device::Cpu)
        };
        let logits = self.model.forward(&tensor(0..length)?)?;
        let targets = tensor(1..length + 1)?.flatten_all()?;
        let loss = cross_entropy(&logits.flatten(0, 1)?, &targets)?;
        self.optimizer.backward_step(&loss)?;
        loss.to_scalar()
    }
}
