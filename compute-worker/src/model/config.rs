//! `config.json` of a Llama-shaped model.

use super::error::{ModelError, Result};
use serde::{Deserialize, Serialize};

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
            intermediate_size: (hidden_size * 8 / 3).next_multiple_of(32),
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
        let positive = [
            ("vocab_size", self.vocab_size),
            ("hidden_size", self.hidden_size),
            ("intermediate_size", self.intermediate_size),
            ("num_hidden_layers", self.num_hidden_layers),
            ("num_attention_heads", self.num_attention_heads),
            ("num_key_value_heads", self.key_value_heads()),
            ("max_position_embeddings", self.max_position_embeddings),
        ];
        for (field, value) in positive {
            if value == 0 {
                return Err(ModelError::Config(format!("{field} is zero")));
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
        if self.head_dim() == 0 || !self.head_dim().is_multiple_of(2) {
            return Err(ModelError::Config(format!(
                "head_dim {} is not even",
                self.head_dim()
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
