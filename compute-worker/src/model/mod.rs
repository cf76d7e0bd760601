//! The model: a Llama-shaped decoder in Hugging Face's file format, trainable and servable.
//!
//! A model folder holds `config.json` ([`LlamaConfig`]), `model.safetensors` with Hugging Face's
//! tensor names ([`Llama`]) and `tokenizer.json` ([`TextTokenizer`]); [`ModelFolder`] loads the
//! three and checks that they belong together. An adapter folder holds `adapter_config.json` and
//! `adapter_model.safetensors` with PEFT's names ([`Adapter`]); any number of adapters share one
//! base that is loaded once.

mod adapter;
mod cache;
mod config;
mod decoder;
mod error;
mod folder;
mod ops;
mod projection;
mod random;
mod tokenizer;
mod weights;

pub use adapter::{Adapter, AdapterConfig, ADAPTER_CONFIG_FILE, ADAPTER_WEIGHTS_FILE};
pub use cache::KeyValueCache;
pub use config::LlamaConfig;
pub use decoder::Llama;
pub use error::ModelError;
pub use folder::{ModelFolder, CONFIG_FILE, TOKENIZER_FILE, WEIGHTS_FILE};
pub use projection::Projection;
pub use tokenizer::{TextTokenizer, BEGIN_OF_TEXT, END_OF_TEXT};
pub use weights::{read_tensors, write_tensors, Tensors};

pub(crate) use adapter::tensor_names as adapter_tensor_names;
pub(crate) use decoder::Taps;
pub(crate) use ops::{negative_log_likelihood, TapeEntry};

#[cfg(test)]
pub(crate) mod tests;
