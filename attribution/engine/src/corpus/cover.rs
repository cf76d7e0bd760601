//! The leftmost-longest cover of a response by input bytes.

use attribution_proof::{
    bounds::{MAX_SPANS, MAX_SPAN_LENGTH},
    ruleset::ReceiptRules,
    span::{Occurrence, Span},
    ModelId,
};

use super::{matching::Matcher, symbol, Corpus};
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
/// One pass over the response: each position takes up the match of the one before it, and one probe
/// inside a window of `minimum_span` bytes usually rules out half a window of starts (the idea of
/// Chang and Lawler's sublinear search; see `matching`).
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
    if !(1..=MAX_SPAN_LENGTH).contains(&minimum_span) {
        let expected = format!("1..={MAX_SPAN_LENGTH}");
        return Err(Error::parameter("shortest span", minimum_span, expected));
    }
    if !(1..=MAX_SPANS).contains(&maximum_spans) {
        return Err(Error::parameter(
            "largest number of spans",
            maximum_spans,
            format!("1..={MAX_SPANS}"),
        ));
    }
    if u32::try_from(response.len()).is_err() {
        return Err(Error::parameter(
            "response length",
            response.len(),
            "below 2^32 bytes",
        ));
    }
    let mut corpora = corpora.to_vec();
    corpora.sort_by_key(|(model, _)| *model);
    if let Some(pair) = corpora.windows(2).find(|pair| pair[0].0 == pair[1].0) {
        return Err(Error::parameter(
            "model of a corpus",
            pair[0].0,
            "given once",
        ));
    }

    let query = response.iter().copied().map(symbol).collect::<Vec<_>>();
    let matchers = || {
        corpora
            .iter()
            .map(|(model, corpus)| (*model, Matcher::new(corpus, &query)))
            .collect::<Vec<_>>()
    };
    let (mut matchers, mut probes) = (matchers(), matchers());
    let shortest = minimum_span as usize;
    let mut spans = Vec::new();
    let mut from = 0;
    // Of the starts below `judged`, only those below `possible` can have a match that is long enough.
    let (mut possible, mut judged) = (0, 0);
    while from + shortest <= query.len() && spans.len() < maximum_spans as usize {
        if from >= judged {
            let probe = from + shortest / 2;
            let lengths = probes
                .iter_mut()
                .map(|(_, matcher)| matcher.longest_from(probe));
            let reach = probe + lengths.max().unwrap_or(0);
            // A match that starts no later than the probe and ends behind `reach` would hold a longer
            // match of the probe.
            possible = (reach + 1).saturating_sub(shortest);
            judged = probe + 1;
        }
        if from >= possible {
            from = judged;
            continue;
        }
        // Only a longer match replaces one of a model before, which is earlier.
        let mut longest: Option<(usize, ModelId, &Matcher<'_>)> = None;
        for (model, matcher) in &mut matchers {
            let length = matcher.longest_from(from);
            if longest.is_none_or(|(known, ..)| length > known) {
                longest = Some((length, *model, matcher));
            }
        }
        let found = longest
            .filter(|(length, ..)| *length >= shortest)
            .and_then(|(_, model, matcher)| Some((model, matcher.earliest()?)));
        match found {
            Some((model, found)) => {
                let at = Occurrence {
                    model,
                    row: found.at.row,
                    offset: found.at.offset,
                };
                spans.push(Span {
                    start: from as u32,
                    length: found.length,
                    at,
                });
                from += found.length as usize;
            }
            None => from += 1,
        }
    }
    Ok(spans)
}
