use proptest::prelude::*;

use super::*;
use attribution_proof::{
    span::{Occurrence, Span},
    ModelId,
};

/// Everything by trying every place: the definition, not an algorithm.
fn brute_longest(records: &[Option<Vec<u8>>], query: &[u8]) -> Option<Match> {
    let mut best: Option<Match> = None;
    for (row, record) in (0..).zip(records) {
        let record = record.as_deref().unwrap_or_default();
        for offset in 0..record.len() {
            let length = query
                .iter()
                .zip(&record[offset..])
                .take_while(|(a, b)| a == b)
                .count()
                .min(MAX_SPAN_LENGTH as usize) as u32;
            if length > best.map_or(0, |best| best.length) {
                best = Some(Match {
                    length,
                    at: Place {
                        row,
                        offset: offset as u32,
                    },
                });
            }
        }
    }
    best
}

fn brute_cover(
    corpora: &[(ModelId, Vec<Option<Vec<u8>>>)],
    response: &[u8],
    rules: CoverRules,
) -> Vec<Span> {
    let mut corpora = corpora.iter().collect::<Vec<_>>();
    corpora.sort_by_key(|(model, _)| *model);
    let mut spans = Vec::new();
    let mut from = 0;
    while from < response.len() && spans.len() < rules.maximum_spans as usize {
        let mut best: Option<(ModelId, Match)> = None;
        for (model, records) in &corpora {
            if let Some(found) = brute_longest(records, &response[from..]) {
                if found.length > best.map_or(0, |(_, best)| best.length) {
                    best = Some((*model, found));
                }
            }
        }
        match best.filter(|(_, best)| best.length >= rules.minimum_span) {
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
    spans
}

fn build(records: &[Option<Vec<u8>>]) -> Corpus {
    Corpus::build(&records.iter().map(Option::as_deref).collect::<Vec<_>>()).unwrap()
}

/// The corpus in units of 16 bits, as if its records held all bytes.
fn build_wide(records: &[Option<Vec<u8>>]) -> Corpus {
    let mut records = records
        .iter()
        .map(|record| record.as_deref().map(widen))
        .collect::<Vec<_>>();
    // Without this last record the separator would be a byte.
    records.push(Some((0..=255).collect()));
    let records = records.iter().map(Option::as_deref).collect::<Vec<_>>();
    Corpus(Width::Wide(TextIndex::build(&records).unwrap()))
}

/// Few different bytes, so that everything repeats; among them the extremes.
fn bytes(longest: usize) -> impl Strategy<Value = Vec<u8>> {
    let byte = prop::sample::select(vec![0_u8, b'a', b'b', 255]);
    prop_oneof![
        3 => prop::collection::vec(byte, 0..longest),
        1 => (0..longest).prop_map(|count| vec![b'a'; count]),
        1 => (0..longest).prop_map(|count| (0..count).map(|i| [b'a', b'b'][i % 2]).collect()),
    ]
}

fn records() -> impl Strategy<Value = Vec<Option<Vec<u8>>>> {
    prop::collection::vec(prop::option::weighted(0.9, bytes(40)), 0..8)
}

/// Pieces of the records and of nothing, so that long matches occur.
fn response_of(
    records: &[Option<Vec<u8>>],
    pieces: &[(prop::sample::Index, prop::sample::Index, usize)],
    noise: &[u8],
) -> Vec<u8> {
    let mut response = Vec::new();
    for (row, offset, length) in pieces {
        if let Some(Some(record)) = records.get(row.index(records.len().max(1))) {
            if !record.is_empty() {
                response.extend(record.iter().skip(offset.index(record.len())).take(*length));
            }
        }
        response.extend(noise.iter().take(length % 3));
    }
    response
}

fn pieces() -> impl Strategy<Value = Vec<(prop::sample::Index, prop::sample::Index, usize)>> {
    prop::collection::vec(
        (
            any::<prop::sample::Index>(),
            any::<prop::sample::Index>(),
            0_usize..40,
        ),
        0..8,
    )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn covers_are_those_of_brute_force(
        first in records(),
        second in records(),
        pieces in pieces(),
        noise in bytes(8),
        minimum_span in 1_u32..12,
        maximum_spans in 1_u32..8,
    ) {
        let mut response = response_of(&first, &pieces, &noise);
        response.extend(response_of(&second, &pieces, &noise));
        let rules = CoverRules { minimum_span, maximum_spans };
        let (a, b) = (build(&first), build(&second));
        // The higher model stands first: order is by model, not by position.
        let found = cover(&[(9, &a), (4, &b)], &response, rules).unwrap();
        let mut both = [(9, first), (4, second)];
        prop_assert_eq!(&found, &brute_cover(&both, &response, rules));

        let wide = build_wide(&both[0].1);
        both[0].1.push(Some((0..=255).collect()));
        let found = cover(&[(9, &wide), (4, &b)], &response, rules).unwrap();
        prop_assert_eq!(found, brute_cover(&both, &response, rules));
    }

    #[test]
    fn longest_matches_are_those_of_brute_force(
        records in records(),
        pieces in pieces(),
        noise in bytes(8),
    ) {
        let corpus = build(&records);
        let response = response_of(&records, &pieces, &noise);
        let mut all = corpus.matches(&response, 1, 1_024);
        let mut long = corpus.matches(&response, 6, 1_024);
        for from in 0..=response.len() {
            let expected = brute_longest(&records, &response[from..]);
            prop_assert_eq!(corpus.longest_match(&response, from), expected);
            let length = expected.map_or(0, |found| found.length as usize);
            prop_assert_eq!(all.longest(from), length);
            prop_assert_eq!(all.earliest(from, length), expected.map(|found| found.at));
            prop_assert_eq!(long.longest(from), if length < 6 { 0 } else { length });
        }
        prop_assert_eq!(corpus.longest_match(&response, response.len() + 1), None);
    }
}

const RULES: CoverRules = CoverRules {
    minimum_span: 8,
    maximum_spans: 64,
};

fn span(start: u32, length: u32, model: ModelId, row: u32, offset: u32) -> Span {
    Span {
        start,
        length,
        at: Occurrence { model, row, offset },
    }
}

#[test]
fn long_matches_continue_as_the_next_span() {
    let text = (0..3_000_u32)
        .flat_map(|i| i.to_be_bytes())
        .collect::<Vec<_>>();
    let corpus = Corpus::build(&[Some(b"nothing"), Some(&text)]).unwrap();
    let spans = cover(&[(3, &corpus)], &text[400..2_960], RULES).unwrap();
    let expected = [
        span(0, 1_024, 3, 1, 400),
        span(1_024, 1_024, 3, 1, 1_424),
        span(2_048, 512, 3, 1, 2_448),
    ];
    assert_eq!(spans, expected);
}

#[test]
fn matches_never_cross_records_and_skip_withheld_ones() {
    let corpus = Corpus::build(&[
        Some(b"the quick brown fox "),
        Some(b"jumps over the lazy dog"),
        None,
        Some(b"brown fox jumps over"),
    ])
    .unwrap();
    let spans = cover(
        &[(1, &corpus)],
        b"quick brown fox jumps over the lazy",
        RULES,
    )
    .unwrap();
    assert_eq!(spans, [span(0, 16, 1, 0, 4), span(16, 19, 1, 1, 0)]);
    let spans = cover(&[(1, &corpus)], b"+brown fox jumps over", RULES).unwrap();
    assert_eq!(spans, [span(1, 20, 1, 3, 0)]);
    assert_eq!((corpus.len(), corpus.bytes()), (4, 63));
}

#[test]
fn equal_matches_go_to_the_lower_model() {
    let one = Corpus::build(&[Some(b"padding"), Some(b"xx shared text")]).unwrap();
    let other = Corpus::build(&[Some(b"shared text and more")]).unwrap();
    let cover = |a, b, text: &[u8]| cover(&[(a, &one), (b, &other)], text, RULES).unwrap();
    assert_eq!(cover(1, 2, b"shared text"), [span(0, 11, 1, 1, 3)]);
    assert_eq!(cover(2, 1, b"shared text"), [span(0, 11, 1, 0, 0)]);
    assert_eq!(cover(1, 2, b"shared text and"), [span(0, 15, 2, 0, 0)]);
}

#[test]
fn repetitive_text_is_covered_at_its_first_place() {
    let corpus = Corpus::build(&[Some(&[b'a'; 10]), Some(&[b'a'; 200_000])]).unwrap();
    let spans = cover(&[(1, &corpus)], &[b'a'; 3_000], RULES).unwrap();
    assert_eq!(
        spans,
        [
            span(0, 1_024, 1, 1, 0),
            span(1_024, 1_024, 1, 1, 0),
            span(2_048, 952, 1, 1, 0)
        ]
    );
}

#[test]
fn nothing_is_found_in_nothing() {
    let empty = Corpus::build(&[]).unwrap();
    assert!(empty.is_empty());
    assert_eq!(cover(&[(1, &empty)], b"some response", RULES).unwrap(), []);
    assert_eq!(cover(&[], b"some response", RULES).unwrap(), []);
    let blank = Corpus::build(&[Some(b""), None]).unwrap();
    assert_eq!(cover(&[(1, &blank)], b"some response", RULES).unwrap(), []);
    assert_eq!(cover(&[(1, &blank)], b"", RULES).unwrap(), []);
}

#[test]
fn refuses_bad_rules_and_models() {
    let corpus = Corpus::build(&[Some(b"text")]).unwrap();
    let refuses = |corpora: &[(ModelId, &Corpus)], minimum_span, maximum_spans| {
        let rules = CoverRules {
            minimum_span,
            maximum_spans,
        };
        assert!(matches!(
            cover(corpora, b"text", rules),
            Err(Error::Parameter { .. })
        ));
    };
    refuses(&[(1, &corpus)], 0, 64);
    refuses(&[(1, &corpus)], 1_025, 64);
    refuses(&[(1, &corpus)], 8, 0);
    refuses(&[(1, &corpus)], 8, 65);
    refuses(&[(1, &corpus), (1, &corpus)], 8, 64);
}

#[test]
fn records_may_hold_every_byte() {
    let all = (0..=255).collect::<Vec<u8>>();
    let corpus = Corpus::build(&[Some(b"text"), None, Some(&all), Some(b"")]).unwrap();
    assert!(corpus.index().is_none());
    assert_eq!((corpus.len(), corpus.bytes()), (4, 260));
    let count = |pattern| corpus.count(pattern).unwrap();
    assert_eq!((count(&all), count(b"t"), count(b"\xff\x00")), (1, 3, 0));
    let spans = cover(&[(5, &corpus)], &all, RULES).unwrap();
    assert_eq!(spans, [span(0, 256, 5, 2, 0)]);
    let rules = SpanRules {
        minimum_length: 1,
        maximum_count: 9,
        maximum_places: 9,
    };
    let spans = corpus.maximal_spans(b"ext", rules, |row| row).unwrap();
    assert_eq!((spans.len(), spans[0].earliest.row), (1, 0));

    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("corpus");
    corpus.save(&path).unwrap();
    let loaded = Corpus::load(&path).unwrap();
    assert!(loaded.index().is_none());
    assert_eq!(cover(&[(5, &loaded)], &all, RULES).unwrap().len(), 1);
    // An index of other tokens is no corpus.
    TextIndex::build(&[Some(&[1_u16, 2][..])])
        .unwrap()
        .save(&path)
        .unwrap();
    assert!(matches!(
        Corpus::load(&path),
        Err(Error::Header { offset: 16, .. })
    ));
}

mod building;
mod files;
mod queries;
