//! A model folder: configuration, weights and tokenizer that belong together.

use super::{
    error::{ModelError, Result},
    weights::{read_tensors, write_tensors},
    Llama, LlamaConfig, TextTokenizer,
};
use candle_core::Device;
use serde::de::DeserializeOwned;
use std::path::Path;

/// Name of a model's configuration.
pub const CONFIG_FILE: &str = "config.json";
/// Name of a model's weights.
pub const WEIGHTS_FILE: &str = "model.safetensors";
/// Name of a model's tokenizer.
pub const TOKENIZER_FILE: &str = "tokenizer.json";

/// A model with its tokenizer.
#[derive(Clone, Debug)]
pub struct ModelFolder {
    /// The decoder.
    pub model: Llama,
    /// The tokenizer.
    pub tokenizer: TextTokenizer,
}

impl ModelFolder {
    /// Pairs a model with its tokenizer; refuses a tokenizer of another vocabulary.
    pub fn new(model: Llama, tokenizer: TextTokenizer) -> Result<Self> {
        tokenizer.check(model.config())?;
        Ok(Self { model, tokenizer })
    }

    /// Reads the three files' contents.
    pub fn from_bytes(
        config: &[u8],
        weights: &[u8],
        tokenizer: &[u8],
        device: &Device,
    ) -> Result<Self> {
        let config: LlamaConfig = parse_json(config, Path::new(CONFIG_FILE))?;
        let tensors = read_tensors(weights, Path::new(WEIGHTS_FILE), device)?;
        Self::new(
            Llama::from_tensors(config, tensors)?,
            TextTokenizer::from_bytes(tokenizer)?,
        )
    }

    /// Reads a folder.
    pub fn load(folder: &Path, device: &Device) -> Result<Self> {
        let path = folder.join(CONFIG_FILE);
        let config: LlamaConfig = parse_json(&read_file(&path)?, &path)?;
        let path = folder.join(WEIGHTS_FILE);
        let tensors = read_tensors(&read_file(&path)?, &path, device)?;
        let tokenizer = TextTokenizer::from_file(&folder.join(TOKENIZER_FILE))?;
        Self::new(Llama::from_tensors(config, tensors)?, tokenizer)
    }

    /// Writes a folder.
    pub fn save(&self, folder: &Path) -> Result<()> {
        let config = serde_json::to_string_pretty(self.model.config())
            .map_err(|error| ModelError::Config(error.to_string()))?;
        write_file(&folder.join(CONFIG_FILE), config.as_bytes())?;
        write_file(
            &folder.join(WEIGHTS_FILE),
            &write_tensors(&self.model.tensors())?,
        )?;
        write_file(
            &folder.join(TOKENIZER_FILE),
            self.tokenizer.to_json()?.as_bytes(),
        )
    }
}

pub(super) fn read_file(path: &Path) -> Result<Vec<u8>> {
    std::fs::read(path).map_err(|source| ModelError::File {
        path: path.into(),
        source,
    })
}

pub(super) fn write_file(path: &Path, bytes: &[u8]) -> Result<()> {
    let file_error = |source| ModelError::File {
        path: path.into(),
        source,
    };
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder).map_err(file_error)?;
    }
    std::fs::write(path, bytes).map_err(file_error)
}

pub(super) fn parse_json<T: DeserializeOwned>(bytes: &[u8], path: &Path) -> Result<T> {
    serde_json::from_slice(bytes).map_err(|error| ModelError::Json {
        path: path.into(),
        reason: error.to_string(),
    })
}
