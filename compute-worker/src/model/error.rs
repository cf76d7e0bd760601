//! What can be wrong with a model, each with what to do about it.

use std::path::PathBuf;

/// Why a model, an adapter or a tokenizer could not be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ModelError {
    /// A file could not be read or written.
    #[error("{path}: {source}; check that the file exists and may be accessed", path = path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// A JSON file is not what its name says.
    #[error("{path} is not valid: {reason}; take the file from the model's publisher again", path = path.display())]
    Json {
        /// The file.
        path: PathBuf,
        /// What the parser said.
        reason: String,
    },
    /// A configuration contradicts itself.
    #[error("the model configuration is wrong: {0}; correct it, or take the file from the model's publisher again")]
    Config(String),
    /// The configuration asks for something that this decoder does not do.
    #[error("unsupported: {field} = {value}; this decoder supports {supported}")]
    Unsupported {
        /// Field of the configuration.
        field: &'static str,
        /// Its value.
        value: String,
        /// What would be accepted.
        supported: &'static str,
    },
    /// A safetensors file is cut short or damaged.
    #[error("{path} is not a complete safetensors file ({reason}); fetch it again", path = path.display())]
    Damaged {
        /// The file, or the name of the blob.
        path: PathBuf,
        /// What the parser said.
        reason: String,
    },
    /// A tensor that the configuration requires is not there.
    #[error("tensor {name} is missing; the weights do not belong to this configuration")]
    MissingTensor {
        /// Name in the file.
        name: String,
    },
    /// A tensor that the configuration knows nothing of.
    #[error("tensor {name} is not part of this architecture; the weights do not belong to this configuration")]
    UnexpectedTensor {
        /// Name in the file.
        name: String,
    },
    /// A tensor has another shape than the configuration requires.
    #[error("tensor {name} has shape {found:?}, the configuration requires {expected:?}")]
    WrongShape {
        /// Name in the file.
        name: String,
        /// Shape by the configuration.
        expected: Vec<usize>,
        /// Shape in the file.
        found: Vec<usize>,
    },
    /// A tensor is stored as something that is not a floating point number.
    #[error("tensor {name} has element type {found}; supported are F32, F16 and BF16")]
    WrongType {
        /// Name in the file.
        name: String,
        /// Type in the file.
        found: String,
    },
    /// A tensor holds NaN or an infinity.
    #[error("tensor {name} holds a value that is not finite; the weights are damaged or diverged in training")]
    NotFinite {
        /// Name in the file.
        name: String,
    },
    /// A tokenizer file could not be loaded, or failed on a text.
    #[error("tokenizer.json cannot be used: {0}; take it from the model's publisher again")]
    Tokenizer(String),
    /// The tokenizer belongs to another model.
    #[error("the tokenizer does not belong to the model: {0}; take the tokenizer.json that was published with the weights")]
    WrongTokenizer(String),
    /// A text is not UTF-8.
    #[error("the text is not UTF-8: byte {offset} is the first wrong one")]
    NotUtf8 {
        /// Offset of the first wrong byte.
        offset: usize,
    },
    /// A prompt, or a prompt with its answer, does not fit.
    #[error(
        "{found} or more tokens do not fit the model's context of {limit}; shorten the prompt"
    )]
    ContextLength {
        /// Tokens asked for, at least.
        found: usize,
        /// Tokens that fit.
        limit: usize,
    },
    /// There is nothing to compute on.
    #[error("the input has no token")]
    Empty,
    /// An adapter was trained for another base.
    #[error("the adapter does not fit the base: {0}")]
    WrongBase(String),
    /// The tensor library failed.
    #[error("computation failed: {0}")]
    Compute(#[from] candle_core::Error),
}

/// Result of the model.
pub(crate) type Result<T, E = ModelError> = std::result::Result<T, E>;
