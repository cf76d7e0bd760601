//! Text to tokens and back.

use super::{
    error::{ModelError, Result},
    LlamaConfig,
};
use std::path::Path;
use tokenizers::{
    decoders::byte_level::ByteLevel as ByteLevelDecoder,
    models::bpe::{Merges, Vocab, BPE},
    pre_tokenizers::byte_level::ByteLevel,
    AddedToken, Tokenizer,
};

/// Token that begins a text, in the byte-level vocabulary.
pub const BEGIN_OF_TEXT: u32 = 256;
/// Token that ends a text, in the byte-level vocabulary.
pub const END_OF_TEXT: u32 = 257;
/// 256 bytes and the two special tokens.
pub(super) const BYTE_LEVEL_VOCABULARY: usize = 258;

/// Vocabularies are often padded to a multiple that suits the hardware; more than this is a wrong
/// tokenizer.
const LARGEST_PADDING: usize = 127;

/// A tokenizer in Hugging Face's format.
///
/// Special tokens are never produced from text: a prompt that spells `<|end_of_text|>` is that
/// text, not an order.
#[derive(Clone, Debug)]
pub struct TextTokenizer {
    inner: Tokenizer,
    /// Most bytes that one token can stand for.
    longest: usize,
}

impl TextTokenizer {
    /// The byte-level tokenizer: token `b` is byte `b`, then [`BEGIN_OF_TEXT`] and [`END_OF_TEXT`].
    ///
    /// A byte pair encoding without merges over GPT-2's printable alphabet, so that every library
    /// that reads `tokenizer.json` can use it.
    pub fn byte_level() -> Result<Self> {
        let vocabulary: Vocab = (0..=u8::MAX)
            .map(|byte| (printable(byte).to_string(), u32::from(byte)))
            .collect();
        let model = BPE::new(vocabulary, Merges::new());
        let mut inner = Tokenizer::new(model);
        inner
            .with_pre_tokenizer(Some(ByteLevel::new(false, false, false)))
            .with_decoder(Some(ByteLevelDecoder::new(false, false, false)));
        inner
            .add_special_tokens([
                AddedToken::from("<|begin_of_text|>", true),
                AddedToken::from("<|end_of_text|>", true),
            ])
            .map_err(tokenizer_error)?;
        Ok(Self::new(inner))
    }

    fn new(mut inner: Tokenizer) -> Self {
        inner.set_encode_special_tokens(true);
        let characters = inner
            .get_vocab(false)
            .keys()
            .map(|token| token.chars().count())
            .max();
        let longest = characters.unwrap_or_default().max(1) * char::MAX.len_utf8();
        Self { inner, longest }
    }

    /// Reads `tokenizer.json`.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self> {
        Ok(Self::new(
            Tokenizer::from_bytes(bytes).map_err(tokenizer_error)?,
        ))
    }

    /// Content of `tokenizer.json`.
    pub fn to_json(&self) -> Result<String> {
        self.inner.to_string(true).map_err(tokenizer_error)
    }

    /// Reads a file.
    pub fn from_file(path: &Path) -> Result<Self> {
        let bytes = std::fs::read(path).map_err(|source| ModelError::File {
            path: path.into(),
            source,
        })?;
        Self::from_bytes(&bytes)
    }

    /// Tokens of a text, without special ones.
    ///
    /// The library needs some hundred bytes of memory per token on the way, so a long text is
    /// tokenised in pieces of at most 64 KiB, cut behind a line where possible.
    pub fn encode(&self, text: &str) -> Result<Vec<u32>> {
        let mut tokens = Vec::new();
        let mut rest = text;
        while !rest.is_empty() {
            let (piece, behind) = rest.split_at(piece_length(rest));
            let encoding = self
                .inner
                .encode_fast(piece, false)
                .map_err(tokenizer_error)?;
            tokens.extend(encoding.get_ids());
            rest = behind;
        }
        Ok(tokens)
    }

    /// A number of tokens that `text` has at least, without tokenising it: what is far too long can
    /// be refused at no cost.
    pub fn least_tokens(&self, text: &str) -> usize {
        text.len() / self.longest
    }

    /// Tokens of bytes that must be UTF-8.
    pub fn encode_bytes(&self, bytes: &[u8]) -> Result<Vec<u32>> {
        let text = std::str::from_utf8(bytes).map_err(|error| ModelError::NotUtf8 {
            offset: error.valid_up_to(),
        })?;
        self.encode(text)
    }

    /// Text of tokens; special tokens are left out, bytes that are not UTF-8 become U+FFFD.
    pub fn decode(&self, tokens: &[u32]) -> Result<String> {
        self.inner.decode(tokens, true).map_err(tokenizer_error)
    }

    /// Tokens in the vocabulary, special ones included.
    pub fn vocabulary_size(&self) -> usize {
        self.inner.get_vocab_size(true)
    }

    /// The underlying tokenizer.
    pub fn inner(&self) -> &Tokenizer {
        &self.inner
    }

    /// Checks that the tokenizer's and the model's vocabularies are the same.
    pub fn check(&self, config: &LlamaConfig) -> Result<()> {
        let size = self.vocabulary_size();
        if size > config.vocab_size || config.vocab_size - size > LARGEST_PADDING {
            return Err(ModelError::WrongTokenizer(format!(
                "it has {size} tokens, the model {}",
                config.vocab_size
            )));
        }
        let special = self.inner.get_added_tokens_decoder();
        for (name, id) in [
            ("bos_token_id", config.bos_token_id),
            ("eos_token_id", config.eos_token_id),
        ] {
            let Some(id) = id else { continue };
            if !special.get(&id).is_some_and(|token| token.special) {
                return Err(ModelError::WrongTokenizer(format!(
                    "{name} {id} is not one of its special tokens"
                )));
            }
        }
        Ok(())
    }
}

/// Most bytes of a text that are tokenised at once.
const PIECE: usize = 64 << 10;

/// Bytes of the first piece of a text.
fn piece_length(text: &str) -> usize {
    if text.len() <= PIECE {
        return text.len();
    }
    let mut end = PIECE;
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    text[..end].rfind('\n').map_or(end, |line_end| line_end + 1)
}

/// GPT-2's printable stand-in for a byte: printable bytes stand for themselves, the others for the
/// characters from U+0100 on, in their order.
fn printable(byte: u8) -> char {
    let is_printable = |byte: u8| matches!(byte, b'!'..=b'~' | 0xa1..=0xac | 0xae..=0xff);
    if is_printable(byte) {
        return char::from(byte);
    }
    let position = (0..byte).filter(|&other| !is_printable(other)).count() as u32;
    char::from_u32(0x100 + position).unwrap_or(char::REPLACEMENT_CHARACTER)
}

fn tokenizer_error(error: tokenizers::Error) -> ModelError {
    ModelError::Tokenizer(error.to_string())
}
