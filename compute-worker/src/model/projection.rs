//! The linear maps of a decoder layer.

use super::LlamaConfig;

/// One of the seven linear maps of a layer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Projection {
    /// Queries.
    Query,
    /// Keys.
    Key,
    /// Values.
    Value,
    /// Output of the attention.
    Output,
    /// Gate of the gated layer.
    Gate,
    /// Input of the gated layer.
    Up,
    /// Output of the gated layer.
    Down,
}

impl Projection {
    /// All of them, in the order of their index.
    pub const ALL: [Self; 7] = [
        Self::Query,
        Self::Key,
        Self::Value,
        Self::Output,
        Self::Gate,
        Self::Up,
        Self::Down,
    ];

    /// Position in [`Self::ALL`].
    pub(super) fn index(self) -> usize {
        self as usize
    }

    /// Name in Hugging Face's and PEFT's files, for example `q_proj`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Query => "q_proj",
            Self::Key => "k_proj",
            Self::Value => "v_proj",
            Self::Output => "o_proj",
            Self::Gate => "gate_proj",
            Self::Up => "up_proj",
            Self::Down => "down_proj",
        }
    }

    /// The projection of that name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|projection| projection.name() == name)
    }

    /// Path of the module in Hugging Face's model, for example `model.layers.0.mlp.up_proj`.
    pub fn path(self, layer: usize) -> String {
        let block = match self {
            Self::Query | Self::Key | Self::Value | Self::Output => "self_attn",
            Self::Gate | Self::Up | Self::Down => "mlp",
        };
        format!("model.layers.{layer}.{block}.{}", self.name())
    }

    /// `(out, in)` features.
    pub fn dimensions(self, config: &LlamaConfig) -> (usize, usize) {
        let query_width = config.num_attention_heads * config.head_dim();
        let key_width = config.key_value_heads() * config.head_dim();
        match self {
            Self::Query => (query_width, config.hidden_size),
            Self::Key | Self::Value => (key_width, config.hidden_size),
            Self::Output => (config.hidden_size, query_width),
            Self::Gate | Self::Up => (config.intermediate_size, config.hidden_size),
            Self::Down => (config.hidden_size, config.intermediate_size),
        }
    }
}
