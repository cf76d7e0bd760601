//! Searches in any records for any bytes, compared with looking at every position.
//!
//! Input: records, each ended by a byte 255 (which is part of the next record when another follows, so
//! that all 256 bytes can occur), and behind the last the query.

#![no_main]

use attribution_engine::corpus::{
    compressed::{CompressedCorpus, Sampling},
    Corpus, Match, Place, SpanRules,
};
use libfuzzer_sys::fuzz_target;

const MAX_BYTES: usize = 2_048;

/// All places of a pattern, ascending.
fn places(records: &[Vec<u8>], pattern: &[u8]) -> Vec<Place> {
    let mut places = Vec::new();
    for (row, record) in records.iter().enumerate() {
        let windows = record.windows(pattern.len()).enumerate();
        places.extend(
            windows
                .filter(|(_, window)| *window == pattern)
                .map(|(offset, _)| Place {
                    row: row as u32,
                    offset: offset as u32,
                }),
        );
    }
    places
}

fuzz_target!(|bytes: &[u8]| {
    if bytes.len() > MAX_BYTES {
        return;
    }
    let mut records = vec![Vec::new()];
    let mut rest = bytes.iter().copied().peekable();
    while let Some(byte) = rest.next() {
        let last = records
            .last_mut()
            .expect("there is a record from the start");
        if byte != 255 {
            last.push(byte);
        } else if rest.peek() == Some(&255) {
            rest.next();
            last.push(255);
        } else {
            records.push(Vec::new());
        }
    }
    let query = records.pop().expect("there is a record from the start");
    let borrowed = records
        .iter()
        .map(|record| Some(record.as_slice()))
        .collect::<Vec<_>>();
    let corpus = Corpus::build(&borrowed).expect("a few bytes can be indexed");
    let sampling = Sampling {
        positions: 3,
        ranks: 5,
    };
    let compressed =
        CompressedCorpus::build(&borrowed, sampling).expect("a few bytes can be indexed");
    for (row, record) in records.iter().enumerate() {
        assert_eq!(corpus.record(row).as_ref(), Some(record));
    }
    for from in 0..query.len().min(24) {
        let found = corpus.longest_match(&query, from);
        let longest = (1..=query.len() - from)
            .take_while(|length| !places(&records, &query[from..from + length]).is_empty())
            .last();
        let expected = longest.map(|length| Match {
            length: length as u32,
            at: places(&records, &query[from..from + length])[0],
        });
        assert_eq!(found, expected);
        for length in [1, 2, 5] {
            let Some(pattern) = query.get(from..from + length) else {
                continue;
            };
            let expected = places(&records, pattern);
            assert_eq!(corpus.count(pattern).expect("it is short"), expected.len());
            assert_eq!(compressed.count(pattern), expected.len());
            let located = compressed.locate(pattern, usize::MAX);
            assert_eq!(located.expect("it was built here"), expected);
        }
    }
    let rules = SpanRules {
        minimum_length: 1,
        maximum_count: u64::MAX,
        maximum_places: u32::MAX,
    };
    let spans = corpus
        .maximal_spans(&query, rules, |row| row)
        .expect("the rules are in bounds");
    for pair in spans.windows(2) {
        assert!(pair[0].start < pair[1].start);
        assert!(pair[0].start + pair[0].length < pair[1].start + pair[1].length);
    }
    for span in spans {
        let range = span.start as usize..(span.start + span.length) as usize;
        assert_eq!(span.places, places(&records, &query[range.clone()]));
        if let Some(longer) = query.get(range.start..range.end + 1) {
            assert!(places(&records, longer).is_empty());
        }
    }
});
