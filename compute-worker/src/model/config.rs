//! `config.json` of a Llama-shaped model.

use super::error::{ModelError, Result};
use serde::{Deserialize, Serialize};

/// Most memory for the keys and values of one sequence, in bytes.
const MAX_CACHE_BYTES: u64 = 16 << 30;

/// The fields of Hugging Face's `LlamaConfig` that define the computation.
///
/// Unknown fields of a file are ignored, as Hugging Face does; fields that would change the
/// computation in a way that this decoder does not follow are refused by [`Self::validate`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LlamaConfig {
    /// Always `["LlamaForCausalLM"]`.
    #[serde(default = "architectures")]
    pub architectures: Vec<String>,
    /// Always `llama`.
    #[serde(default = "model_type")]
    pub model_type: String,
    /// Tokens in the vocabulary.
    pub vocab_size: usize,
    /// Width of the residual stream.
    pub hidden_size: usize,
    /// Width of the gated layer.
    pub intermediate_size: usize,
    /// Decoder layers.
    pub num_hidden_layers: usize,
    /// Query heads.
    pub num_attention_heads: usize,
    /// Key and value heads; as many as query heads when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub num_key_value_heads: Option<usize>,
    /// Width of one head; `hidden_size / num_attention_heads` when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub head_dim: Option<usize>,
    /// Context length in tokens.
    pub max_position_embeddings: usize,
    /// Epsilon of the root mean square normalisation.
    pub rms_norm_eps: f64,
    /// Base of the rotary angles.
    #[serde(default = "rope_theta")]
    pub rope_theta: f64,
    /// Scaling of the rotary angles: unsupported.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rope_scaling: Option<serde_json::Value>,
    /// Activation of the gated layer: `silu`.
    #[serde(default = "hidden_act")]
    pub hidden_act: String,
    /// Biases in the attention: unsupported.
    #[serde(default)]
    pub attention_bias: bool,
    /// Biases in the gated layer: unsupported.
    #[serde(default)]
    pub mlp_bias: bool,
    /// Whether the output layer is the embedding.
    #[serde(default)]
    pub tie_word_embeddings: bool,
    /// Token that begins a text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bos_token_id: Option<u32>,
    /// Token that ends a text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub eos_token_id: Option<u32>,
    /// Type of the stored weights.
    #[serde(default = "torch_dtype")]
    pub torch_dtype: String,
}

fn architectures() -> Vec<String> {
    vec!["LlamaForCausalLM".into()]
}

fn model_type() -> String {
    "llama".into()
}

fn hidden_act() -> String {
    "silu".into()
}

fn torch_dtype() -> String {
    "float32".into()
}

fn rope_theta() -> f64 {
    10_000.0
}

impl LlamaConfig {
    /// A small model over the byte-level vocabulary of
    /// [`TextTokenizer::byte_level`](super::TextTokenizer::byte_level): grouped heads (two queries
    /// per key and value head of 32 features), tied embeddings.
    pub fn byte_level(hidden_size: usize, layers: usize, context: usize) -> Self {
        let heads = (hidden_size / 32).max(1);
        Self {
            architectures: architectures(),
            model_type: model_type(),
            vocab_size: super::tokenizer::BYTE_LEVEL_VOCABULARY,
            hidden_size,
            // 8/3 of the width (Shazeer 2020), to a multiple of 32.
            intermediate_size: (hidden_size.saturating_mul(8) / 3).next_multiple_of(32),
            num_hidden_layers: layers,
            num_attention_heads: heads,
            num_key_value_heads: Some(if heads.is_multiple_of(2) {
                heads / 2
            } else {
                heads
            }),
            head_dim: None,
            max_position_embeddings: context,
            rms_norm_eps: 1e-5,
            rope_theta: rope_theta(),
            rope_scaling: None,
            hidden_act: hidden_act(),
            attention_bias: false,
            mlp_bias: false,
            tie_word_embeddings: true,
            bos_token_id: Some(super::BEGIN_OF_TEXT),
            eos_token_id: Some(super::END_OF_TEXT),
            torch_dtype: torch_dtype(),
        }
    }

    /// Key and value heads.
    pub fn key_value_heads(&self) -> usize {
        self.num_key_value_heads.unwrap_or(self.num_attention_heads)
    }

    /// Width of one head.
    pub fn head_dim(&self) -> usize {
        self.head_dim
            .unwrap_or(self.hidden_size / self.num_attention_heads.max(1))
    }

    /// Weights of the model; saturates.
    pub fn weights(&self) -> u64 {
        let [vocabulary, hidden, intermediate, layers, heads, key_value_heads, head_dim] = [
            self.vocab_size,
            self.hidden_size,
            self.intermediate_size,
            self.num_hidden_layers,
            self.num_attention_heads,
            self.key_value_heads(),
            self.head_dim(),
        ]
        .map(|size| size as u64);
        // Queries and outputs, keys and values; then the gated layer's three maps and two norms.
        let attention = heads.saturating_add(key_value_heads).saturating_mul(2);
        let columns = attention
            .saturating_mul(head_dim)
            .saturating_add(intermediate.saturating_mul(3))
            .saturating_add(2);
        let embeddings = vocabulary.saturating_mul(2 - u64::from(self.tie_word_embeddings));
        layers
            .saturating_mul(columns)
            .saturating_add(embeddings)
            .saturating_add(1)
            .saturating_mul(hidden)
    }

    /// Bytes of the keys and values of one sequence; saturates.
    fn cache_bytes(&self) -> u64 {
        [
            self.num_hidden_layers,
            self.max_position_embeddings,
            self.key_value_heads(),
            self.head_dim(),
        ]
        .into_iter()
        .fold(2 * size_of::<f32>() as u64, |bytes, size| {
            bytes.saturating_mul(size as u64)
        })
    }

    /// Checks that this decoder computes exactly what the configuration says.
    pub fn validate(&self) -> Result<()> {
        let unsupported = |field, value: &dyn std::fmt::Display, supported| {
            Err(ModelError::Unsupported {
                field,
                value: value.to_string(),
                supported,
            })
        };
        if self.model_type != "llama" {
            return unsupported("model_type", &self.model_type, "llama");
        }
        if self.hidden_act != "silu" {
            return unsupported("hidden_act", &self.hidden_act, "silu");
        }
        if self.attention_bias {
            return unsupported("attention_bias", &true, "false");
        }
        if self.mlp_bias {
            return unsupported("mlp_bias", &true, "false");
        }
        if let Some(scaling) = &self.rope_scaling {
            if !scaling.is_null() {
                return unsupported("rope_scaling", scaling, "null");
            }
        }
        // Bounds far above any model that this decoder can run, so that a file from anybody can neither
        // overflow a size nor ask for more memory than there is.
        let sizes = [
            ("vocab_size", self.vocab_size, 1 << 20),
            ("hidden_size", self.hidden_size, 1 << 16),
            ("intermediate_size", self.intermediate_size, 1 << 18),
            ("num_hidden_layers", self.num_hidden_layers, 1 << 10),
            ("num_attention_heads", self.num_attention_heads, 1 << 11),
            ("num_key_value_heads", self.key_value_heads(), 1 << 11),
            (
                "max_position_embeddings",
                self.max_position_embeddings,
                1 << 18,
            ),
        ];
        for (field, value, most) in sizes {
            if value == 0 || value > most {
                return Err(ModelError::Config(format!(
                    "{field} is {value}; it must be between 1 and {most}"
                )));
            }
        }
        if self.head_dim.is_none() && !self.hidden_size.is_multiple_of(self.num_attention_heads) {
            return Err(ModelError::Config(format!(
                "hidden_size {} is not a multiple of num_attention_heads {}",
                self.hidden_size, self.num_attention_heads
            )));
        }
        if !self
            .num_attention_heads
            .is_multiple_of(self.key_value_heads())
        {
            return Err(ModelError::Config(format!(
                "num_attention_heads {} is not a multiple of num_key_value_heads {}",
                self.num_attention_heads,
                self.key_value_heads()
            )));
        }
        let head_dim = self.head_dim();
        if head_dim == 0 || head_dim > 1 << 10 || !head_dim.is_multiple_of(2) {
            return Err(ModelError::Config(format!(
                "head_dim is {head_dim}; it must be an even number between 2 and 1024"
            )));
        }
        let cache = self.cache_bytes();
        if cache > MAX_CACHE_BYTES {
            return Err(ModelError::Config(format!(
                "keys and values of one sequence take {cache} bytes, the most is {MAX_CACHE_BYTES}; choose fewer layers, fewer key and value heads or a shorter context"
            )));
        }
        if !(self.rms_norm_eps > 0.0 && self.rope_theta > 0.0) {
            return Err(ModelError::Config(
                "rms_norm_eps and rope_theta must be positive".into(),
            ));
        }
        Ok(())
    }
}
