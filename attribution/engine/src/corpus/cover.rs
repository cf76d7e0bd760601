//! The leftmost-longest cover of a response by input bytes.

use attribution_proof::{
    bounds::{MAX_SPANS, MAX_SPAN_LENGTH},
    ruleset::ReceiptRules,
    span::{Occurrence, Span},
    ModelId,
};

use super::Corpus;
use crate::Error;

/// The governed numbers of a cover.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CoverRules {
    /// Shortest span in bytes.
    pub minimum_span: u32,
    /// Most spans. A receipt holds at most 64.
    pub maximum_spans: u32,
}

impl From<&ReceiptRules> for CoverRules {
    fn from(rules: &ReceiptRules) -> Self {
        Self {
            minimum_span: rules.minimum_span,
            maximum_spans: MAX_SPANS,
        }
    }
}

/// The cover of PROTOCOL.md, "Span credit": from each uncovered position the longest match of at least
/// `minimum_span` bytes in any of the models' corpora, credited to its earliest occurrence in the order
/// `(model, row, offset)`, then on behind it. A match counts for at most 1,024 bytes.
///
/// # Errors
/// When the response is longer than 32 bits can address, a model repeats, `minimum_span` is not in
/// 1..=1024 or `maximum_spans` not in 1..=64.
pub fn cover(
    corpora: &[(ModelId, &Corpus)],
    response: &[u8],
    rules: CoverRules,
) -> Result<Vec<Span>, Error> {
    let CoverRules {
        minimum_span,
        maximum_spans,
    } = rules;
    check_minimum("shortest span", minimum_span, MAX_SPAN_LENGTH)?;
    check_minimum("largest number of spans", maximum_spans, MAX_SPANS)?;
    check_addressable(response)?;
    let mut corpora = corpora.to_vec();
    corpora.sort_by_key(|(model, _)| *model);
    if let Some(pair) = corpora.windows(2).find(|pair| pair[0].0 == pair[1].0) {
        return Err(Error::parameter(
            "model of a corpus",
            pair[0].0,
            "given once",
        ));
    }

    let (shortest, longest) = (minimum_span as usize, MAX_SPAN_LENGTH as usize);
    let mut matches = corpora
        .iter()
        .map(|(model, corpus)| (*model, corpus.matches(response, shortest, longest)))
        .collect::<Vec<_>>();
    let mut spans = Vec::new();
    let mut from = 0;
    while from + shortest <= response.len() && spans.len() < maximum_spans as usize {
        // Only a longer match replaces one of a model before, which is earlier.
        let mut best = (0, 0);
        for (number, (_, matches)) in matches.iter_mut().enumerate() {
            let length = matches.longest(from);
            if length > best.0 {
                best = (length, number);
            }
        }
        let (length, number) = best;
        let found = matches.get(number).and_then(|(model, matches)| {
            let place = matches.earliest(from, length)?;
            Some((*model, place))
        });
        match found {
            Some((model, place)) => {
                spans.push(Span {
                    start: from as u32,
                    length: length as u32,
                    at: Occurrence {
                        model,
                        row: place.row,
                        offset: place.offset,
                    },
                });
                from += length;
            }
            None => from += 1,
        }
    }
    Ok(spans)
}

/// Refuses a number that is not in `1..=most`.
pub(super) fn check_minimum(name: &'static str, value: u32, most: u32) -> Result<(), Error> {
    if !(1..=most).contains(&value) {
        return Err(Error::parameter(name, value, format!("in 1..={most}")));
    }
    Ok(())
}

/// Refuses outputs whose positions do not fit 32 bits.
pub(super) fn check_addressable<T>(output: &[T]) -> Result<(), Error> {
    if u32::try_from(output.len()).is_err() {
        return Err(Error::parameter(
            "response length",
            output.len(),
            "below 2^32",
        ));
    }
    Ok(())
}
