//! Indexes of texts whose sections may hold anything: whatever a query answers, it ends without a panic.

#![no_main]

use attribution_engine::corpus::{cover, Corpus, CoverRules, SpanRules, TextIndex, Token};
use attribution_fuzz::{text_index, with_file};
use libfuzzer_sys::fuzz_target;
use std::path::Path;

/// The end of a file, as a query: it shares bytes with the text.
const QUERY: usize = 48;

fn search<T: Token>(path: &Path) {
    let Ok(index) = TextIndex::<T>::open(path) else {
        return;
    };
    let record = index.record(0).unwrap_or_default();
    let pattern = &record[..record.len().min(8)];
    if let Ok(ranks) = index.find(pattern) {
        let _ = index.place(ranks.start);
        let _ = index.earliest(ranks);
    }
    let _ = index.infinite_gram_distribution(pattern);
    if let Some((last, context)) = pattern.split_last() {
        let _ = index.infinite_gram(context, *last);
        let _ = index.n_gram(context, *last);
    }
    let _ = index.verify();
}

fuzz_target!(|bytes: &[u8]| {
    let file = text_index(bytes);
    with_file(&file, "bin", |path| {
        search::<u8>(path);
        search::<u16>(path);
        search::<u32>(path);
        let Ok(corpus) = Corpus::open(path) else {
            return;
        };
        let query = &file[file.len() - QUERY.min(file.len())..];
        let text = corpus.record(0).unwrap_or_default();
        let text = &text[..text.len().min(QUERY)];
        for query in [query, text] {
            let _ = corpus.count(&query[..query.len().min(4)]);
            let _ = corpus.longest_match(query, 0);
            let rules = SpanRules {
                minimum_length: 2,
                maximum_count: 100,
                maximum_places: 10,
            };
            let _ = corpus.maximal_spans(query, rules, |row| row);
            let rules = CoverRules {
                minimum_span: 2,
                maximum_spans: 64,
            };
            let _ = cover(&[(1, &corpus)], query, rules);
        }
        for row in 0..corpus.len().min(16) {
            let _ = corpus.record(row);
        }
        let _ = Corpus::load(path);
    });
});
