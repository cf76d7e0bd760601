//! The text as an n-gram language model without a bound on n.
//!
//! J. Liu et al., *Infini-gram: Scaling Unbounded n-gram Language Models to a Trillion Tokens*, COLM 2024:
//! `P(w | x) = count(x w) / count(x)`, and the infinite-gram probability is that with the longest suffix
//! of the prompt that occurs for `x`. Occurrences at the end of a record count in `count(x)`; nothing
//! follows them.

use std::ops::Range;

use super::{
    index::{check_pattern, TextIndex},
    search::Pattern,
    token::Token,
    MAX_PATTERN,
};
use crate::Error;

/// The first suffix length that is tried.
const FIRST_LENGTH: usize = 8;

/// What follows a context.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NextTokens<T> {
    /// Tokens of the context: all of the prompt, or its longest suffix that occurs.
    pub context: usize,
    /// How often the context occurs.
    pub count: u64,
    /// How often it ends a record.
    pub ends: u64,
    /// Each token that follows it and how often, in ascending order of tokens. With `ends`, the counts
    /// sum to `count`.
    pub tokens: Vec<(T, u64)>,
}

impl<T: Token> NextTokens<T> {
    /// The probability of a token after the context. `None` when the context does not occur.
    pub fn probability(&self, token: T) -> Option<f64> {
        let at = self
            .tokens
            .binary_search_by_key(&token, |(token, _)| *token);
        let count = at.map_or(0, |at| self.tokens[at].1);
        (self.count > 0).then(|| count as f64 / self.count as f64)
    }
}

/// The probability of a token after the longest suffix of a prompt that occurs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InfiniteGram {
    /// Tokens of that suffix.
    pub context: usize,
    /// How often it occurs.
    pub count: u64,
    /// How often the token follows it.
    pub followed: u64,
}

impl InfiniteGram {
    /// `followed / count`. `None` when the text is empty.
    pub fn probability(&self) -> Option<f64> {
        (self.count > 0).then(|| self.followed as f64 / self.count as f64)
    }
}

impl<T: Token> TextIndex<T> {
    /// What follows `prompt` in the text.
    ///
    /// # Errors
    /// When the prompt is longer than [`MAX_PATTERN`].
    pub fn next_token_distribution(&self, prompt: &[T]) -> Result<NextTokens<T>, Error> {
        let ranks = self.find(prompt)?;
        Ok(self.next_tokens(ranks, prompt.len()))
    }

    /// What follows the longest suffix of `prompt` that occurs. The suffix has at most 4,096 tokens.
    pub fn infinite_gram_distribution(&self, prompt: &[T]) -> NextTokens<T> {
        let prompt = self.encode(&prompt[prompt.len().saturating_sub(MAX_PATTERN)..]);
        let suffix = self.longest_suffix(&prompt);
        self.next_tokens(self.find_encoded(suffix), suffix.len())
    }

    /// The infinite-gram probability of `token` after `prompt`. The suffix has at most 4,096 tokens.
    pub fn infinite_gram(&self, prompt: &[T], token: T) -> InfiniteGram {
        let prompt = self.encode(&prompt[prompt.len().saturating_sub(MAX_PATTERN)..]);
        let suffix = self.longest_suffix(&prompt);
        let ranks = self.find_encoded(suffix);
        InfiniteGram {
            context: suffix.len(),
            count: ranks.len() as u64,
            followed: self.followed(ranks, suffix.len(), token ^ self.separator()) as u64,
        }
    }

    /// The probability of `token` after `prompt`, all of it, as `count(prompt token) / count(prompt)`. The
    /// context is the prompt even when it does not occur.
    ///
    /// # Errors
    /// When the prompt is longer than [`MAX_PATTERN`].
    pub fn n_gram(&self, prompt: &[T], token: T) -> Result<InfiniteGram, Error> {
        check_pattern(prompt)?;
        let ranks = self.find_encoded(&self.encode(prompt));
        Ok(InfiniteGram {
            context: prompt.len(),
            count: ranks.len() as u64,
            followed: self.followed(ranks, prompt.len(), token ^ self.separator()) as u64,
        })
    }

    /// How many suffixes of a range that are equal up to `depth` have `token` there.
    fn followed(&self, ranks: Range<usize>, depth: usize, token: T) -> usize {
        if token == T::default() {
            return 0;
        }
        let view = self.view();
        let first = |before: &dyn Fn(T) -> bool, start: usize| {
            let (mut start, mut end) = (start, ranks.end);
            while start < end {
                let middle = start + (end - start) / 2;
                match before(view.token(middle, depth)) {
                    true => start = middle + 1,
                    false => end = middle,
                }
            }
            start
        };
        let start = first(&|found| found < token, ranks.start);
        first(&|found| found <= token, start) - start
    }

    /// The longest suffix of a prompt that occurs; both as in the index.
    fn longest_suffix<'p>(&self, prompt: &'p [T]) -> &'p [T] {
        let view = self.view();
        // What stands before a token that is in no record cannot belong to it.
        let usable = prompt.rsplit(|token| *token == T::default()).next();
        let prompt = usable.unwrap_or_default();
        let suffix = |length: usize| &prompt[prompt.len() - length..];
        let occurs = |length: usize| view.contains(&Pattern::new(suffix(length)));
        // The suffix of length `found` occurs, that of length `missing` does not, if it exists.
        let (mut found, mut missing) = (0, prompt.len() + 1);
        let mut length = FIRST_LENGTH;
        while length < missing {
            if !occurs(length) {
                missing = length;
                break;
            }
            found = length;
            length *= 2;
        }
        while missing - found > 1 {
            let middle = found + (missing - found) / 2;
            match occurs(middle) {
                true => found = middle,
                false => missing = middle,
            }
        }
        suffix(found)
    }

    /// What stands at `depth` of a range of suffixes that are equal before.
    fn next_tokens(&self, ranks: Range<usize>, depth: usize) -> NextTokens<T> {
        let view = self.view();
        let (mut ends, mut tokens) = (0, Vec::new());
        let mut rank = ranks.start;
        while rank < ranks.end {
            let token = view.token(rank, depth);
            let end = view.run_end(rank..ranks.end, depth, token);
            let count = (end - rank) as u64;
            match token == T::default() {
                true => ends += count,
                false => tokens.push((token ^ self.separator(), count)),
            }
            rank = end;
        }
        tokens.sort_unstable();
        // Only a damaged file holds the same token twice.
        tokens.dedup_by(|next, kept| {
            let same = next.0 == kept.0;
            kept.1 += if same { next.1 } else { 0 };
            same
        });
        NextTokens {
            context: depth,
            count: ranks.len() as u64,
            ends,
            tokens,
        }
    }
}
