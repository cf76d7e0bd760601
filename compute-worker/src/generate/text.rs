//! Tokens to text as they come.

use super::error::Result;
use crate::model::TextTokenizer;

/// Turns tokens into text, piece by piece.
///
/// A piece never ends inside a character: bytes that may be the beginning of one wait for the next
/// token. Text that may be the beginning of a stop sequence waits as well.
#[derive(Debug)]
pub(super) struct TextStream<'a> {
    tokenizer: &'a TextTokenizer,
    tokens: Vec<u32>,
    /// First token that is decoded again, because a tokenizer may write a token differently at the
    /// beginning of a text.
    context: usize,
    /// First token that has not become text.
    next: usize,
    stop: Vec<String>,
    /// Text that may turn out to be the beginning of a stop sequence.
    held: String,
    stopped: bool,
}

impl<'a> TextStream<'a> {
    /// Empty stop sequences are ignored.
    pub(super) fn new(tokenizer: &'a TextTokenizer, stop: Vec<String>) -> Self {
        Self {
            tokenizer,
            tokens: Vec::new(),
            context: 0,
            next: 0,
            stop: stop.into_iter().filter(|stop| !stop.is_empty()).collect(),
            held: String::new(),
            stopped: false,
        }
    }

    /// Adds a token and returns the text that is certain now.
    pub(super) fn push(&mut self, token: u32) -> Result<String> {
        self.tokens.push(token);
        let text = self.pending()?;
        if text.is_empty() || text.ends_with(char::REPLACEMENT_CHARACTER) {
            return Ok(String::new());
        }
        self.context = self.next;
        self.next = self.tokens.len();
        Ok(self.release(&text))
    }

    /// The text that was still waiting.
    pub(super) fn finish(&mut self) -> Result<String> {
        let text = self.pending()?;
        self.next = self.tokens.len();
        let mut released = self.release(&text);
        if !self.stopped {
            released.push_str(&std::mem::take(&mut self.held));
        }
        Ok(released)
    }

    /// Whether a stop sequence was met.
    pub(super) fn is_stopped(&self) -> bool {
        self.stopped
    }

    /// All tokens, after [`Self::finish`].
    pub(super) fn take_tokens(&mut self) -> Vec<u32> {
        std::mem::take(&mut self.tokens)
    }

    /// Text of the tokens that have not become text.
    fn pending(&self) -> Result<String> {
        let before = self
            .tokenizer
            .decode(&self.tokens[self.context..self.next])?;
        let all = self.tokenizer.decode(&self.tokens[self.context..])?;
        match all.strip_prefix(&before) {
            Some(text) => Ok(text.to_owned()),
            // The tokenizer wrote the earlier tokens differently: take the new ones alone.
            None => Ok(self.tokenizer.decode(&self.tokens[self.next..])?),
        }
    }

    /// Appends to the held text; returns what cannot be part of a stop sequence.
    fn release(&mut self, text: &str) -> String {
        if self.stopped {
            return String::new();
        }
        self.held.push_str(text);
        if let Some(start) = self
            .stop
            .iter()
            .filter_map(|stop| self.held.find(stop))
            .min()
        {
            self.stopped = true;
            self.held.truncate(start);
            return std::mem::take(&mut self.held);
        }
        let safe = self
            .held
            .char_indices()
            .map(|(start, _)| start)
            .find(|&start| {
                self.stop
                    .iter()
                    .any(|stop| stop.starts_with(&self.held[start..]))
            })
            .unwrap_or(self.held.len());
        let kept = self.held.split_off(safe);
        std::mem::replace(&mut self.held, kept)
    }
}
