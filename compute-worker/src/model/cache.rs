//! Keys and values of the tokens so far.

use super::{
    error::{ModelError, Result},
    LlamaConfig,
};
use candle_core::{DType, Device, Tensor};

/// Keys and values of one sequence in every layer.
///
/// Memory: `2 * layers * context * key_value_heads * head_dim` floats, reserved at once.
#[derive(Debug)]
pub struct KeyValueCache {
    /// Per layer `[context, key_value_heads * head_dim]`: rotated keys, and values.
    layers: Vec<(Tensor, Tensor)>,
    length: usize,
    context: usize,
}

impl KeyValueCache {
    /// An empty cache for one sequence of the model's context length.
    pub fn new(config: &LlamaConfig, device: &Device) -> Result<Self> {
        let context = config.max_position_embeddings;
        let shape = (context, config.key_value_heads() * config.head_dim());
        let layers = (0..config.num_hidden_layers)
            .map(|_| {
                let empty = || Tensor::zeros(shape, DType::F32, device);
                Ok((empty()?, empty()?))
            })
            .collect::<Result<_>>()?;
        Ok(Self {
            layers,
            length: 0,
            context,
        })
    }

    /// Tokens in the cache.
    pub fn len(&self) -> usize {
        self.length
    }

    /// Whether no token is in the cache.
    pub fn is_empty(&self) -> bool {
        self.length == 0
    }

    /// Tokens that fit.
    pub fn context(&self) -> usize {
        self.context
    }

    /// Checks that `count` more tokens fit.
    pub(super) fn reserve(&self, count: usize) -> Result<()> {
        let found = self.length + count;
        if found > self.context {
            return Err(ModelError::ContextLength {
                found,
                limit: self.context,
            });
        }
        Ok(())
    }

    /// Appends a layer's keys and values, `[tokens, key_value_heads * head_dim]`, and returns all
    /// of the layer's.
    pub(super) fn append(
        &self,
        layer: usize,
        key: &Tensor,
        value: &Tensor,
    ) -> Result<(Tensor, Tensor)> {
        let (keys, values) = &self.layers[layer];
        let count = key.dim(0)?;
        keys.slice_set(&key.contiguous()?, 0, self.length)?;
        values.slice_set(&value.contiguous()?, 0, self.length)?;
        let all = self.length + count;
        Ok((keys.narrow(0, 0, all)?, values.narrow(0, 0, all)?))
    }

    /// Makes the appended tokens part of the past, once every layer has them.
    pub(super) fn advance(&mut self, count: usize) {
        self.length += count;
    }
}
