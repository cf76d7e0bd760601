//! The maximal spans of an output that stand in a text, with everyone they come from.
//!
//! J. Liu et al., *OLMoTrace: Tracing Language Model Outputs Back to Trillions of Training Tokens*, ACL
//! 2025 (demonstrations): for each start the longest match, and of those the ones that are not inside
//! another.

use super::{
    cover::{check_addressable, check_minimum},
    index::TextIndex,
    statistics::{Matches, Statistics},
    token::Token,
    Place, MAX_PATTERN,
};
use crate::Error;

/// Which spans count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SpanRules {
    /// Shortest span in tokens, in 1..=4096.
    pub minimum_length: u32,
    /// Most occurrences of a span. One that occurs more often is common property.
    pub maximum_count: u64,
    /// Most places that are listed for a span.
    pub maximum_places: u32,
}

/// A span of an output that stands in the text and is not inside a longer one that does.
#[derive(Clone, Debug, PartialEq)]
pub struct MaximalSpan<O> {
    /// First token in the output.
    pub start: u32,
    /// Tokens.
    pub length: u32,
    /// How often the span occurs in the text.
    pub count: u64,
    /// How surprising the span is: the sum of `-ln(count of a token / tokens of the text)` over its
    /// tokens, in nats. OLMoTrace shows the most surprising spans first.
    pub surprisal: f64,
    /// Its earliest place.
    pub earliest: Place,
    /// All its places in ascending order, or as many as the rules allow, evenly spaced in the order of
    /// what follows the span.
    pub places: Vec<Place>,
    /// The owners of the listed places in ascending order, with how many places each owns.
    pub owners: Vec<(O, u32)>,
}

impl<T: Token> TextIndex<T> {
    /// The maximal spans of `output` in ascending order of their starts, and so of their ends. `owner_of`
    /// says who owns a row. A match longer than 4,096 tokens counts as that long, and the next span
    /// starts behind it.
    ///
    /// # Errors
    /// When the output is longer than 32 bits can address, `minimum_length` is not in 1..=4096, or no
    /// places are asked for.
    pub fn maximal_spans<O: Ord>(
        &self,
        output: &[T],
        rules: SpanRules,
        owner_of: impl Fn(u32) -> O,
    ) -> Result<Vec<MaximalSpan<O>>, Error> {
        let SpanRules {
            minimum_length,
            maximum_count,
            maximum_places,
        } = rules;
        check_minimum("shortest span", minimum_length, MAX_PATTERN as u32)?;
        check_minimum("largest number of places", maximum_places, u32::MAX)?;
        check_addressable(output)?;
        let mut statistics = Statistics::new(self, output, minimum_length as usize, MAX_PATTERN);
        let mut unigrams = Unigrams::new(self);
        let mut spans = Vec::new();
        let (mut from, mut covered) = (0, 0);
        while covered < output.len() && from < output.len() {
            let length = statistics.longest(from);
            let (start, end) = (from, from + length);
            from += if length == MAX_PATTERN { length } else { 1 };
            if length == 0 || end <= covered {
                continue;
            }
            covered = end;
            let ranks = statistics.ranks(start, length);
            let Some(earliest) = self.earliest(ranks.clone()) else {
                continue;
            };
            let count = ranks.len() as u64;
            if count > maximum_count {
                continue;
            }
            let listed = count.min(maximum_places.into());
            // Ranks are below 2^32, so the products stay below 2^64.
            let mut places = (0..listed)
                .filter_map(|i| self.place(ranks.start + (i * count / listed) as usize))
                .collect::<Vec<_>>();
            places.sort_unstable();
            let surprisal = output[start..end].iter();
            spans.push(MaximalSpan {
                start: start as u32,
                length: length as u32,
                count,
                surprisal: surprisal.map(|token| unigrams.surprisal(*token)).sum(),
                earliest,
                owners: owners(&places, &owner_of),
                places,
            });
        }
        Ok(spans)
    }
}

/// Owners of places, with how many of them each owns.
fn owners<O: Ord>(places: &[Place], owner_of: impl Fn(u32) -> O) -> Vec<(O, u32)> {
    let mut owners: Vec<(O, u32)> = Vec::new();
    // Places of a record stand together, so whoever owns it is asked for once.
    for same_row in places.chunk_by(|a, b| a.row == b.row) {
        let owner = owner_of(same_row[0].row);
        let count = same_row.len() as u32;
        match owners.binary_search_by(|(known, _)| known.cmp(&owner)) {
            Ok(at) => owners[at].1 += count,
            Err(at) => owners.insert(at, (owner, count)),
        }
    }
    owners
}

/// Counts of single tokens, each looked up once.
struct Unigrams<'a, T> {
    index: &'a TextIndex<T>,
    tokens: f64,
    known: std::collections::HashMap<T, f64>,
}

impl<'a, T: Token> Unigrams<'a, T> {
    fn new(index: &'a TextIndex<T>) -> Self {
        Self {
            index,
            tokens: index.tokens() as f64,
            known: Default::default(),
        }
    }

    /// Of a token that occurs.
    fn surprisal(&mut self, token: T) -> f64 {
        let (index, tokens) = (self.index, self.tokens);
        *self.known.entry(token).or_insert_with(|| {
            let count = index.find_encoded(&index.encode(&[token])).len();
            (tokens / count as f64).ln()
        })
    }
}
