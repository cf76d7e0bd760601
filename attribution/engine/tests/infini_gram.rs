//! Answers of infini-gram 2.6 on a small drawn text: counts, infinite-gram probabilities and maximal spans.
//!
//! The numbers were printed by `attribution/peers/text_oracles.py`, which draws the same text.

use attribution_engine::corpus::{Corpus, SpanRules, TextIndex};

/// Numbers by D. Knuth's linear congruential generator MMIX.
struct Draw(u64);

impl Draw {
    fn below(&mut self, bound: usize) -> usize {
        self.0 = (self.0.wrapping_mul(6_364_136_223_846_793_005))
            .wrapping_add(1_442_695_040_888_963_407);
        ((self.0 >> 33) % bound as u64) as usize
    }

    fn text(&mut self, words: &[Vec<u8>], count: usize) -> Vec<u8> {
        let drawn = (0..count).map(|_| &words[self.below(words.len())][..]);
        drawn.collect::<Vec<_>>().join(&b' ')
    }

    fn piece<'r>(&mut self, records: &'r [Vec<u8>], length: usize) -> &'r [u8] {
        let record = &records[self.below(records.len())];
        let start = self.below(record.len() - length);
        &record[start..start + length]
    }
}

/// Records, queries and outputs.
fn drawn() -> [Vec<Vec<u8>>; 3] {
    let mut draw = Draw(1);
    let word = |draw: &mut Draw| {
        let length = 2 + draw.below(4);
        (0..length).map(|_| 97 + draw.below(5) as u8).collect()
    };
    let words = (0..40).map(|_| word(&mut draw)).collect::<Vec<_>>();
    let records = (0..40).map(|_| draw.text(&words, 30)).collect::<Vec<_>>();
    let queries = (0..QUERIES.len()).map(|i| match i % 2 {
        0 => {
            let length = 1 + draw.below(24);
            draw.piece(&records, length).to_vec()
        }
        _ => {
            let count = 1 + draw.below(3);
            draw.text(&words, count)
        }
    });
    let queries = queries.collect();
    let outputs = (0..SPANS.len()).map(|_| {
        let start = draw.piece(&records, 20);
        let middle = draw.text(&words, 3);
        [start, &middle, draw.piece(&records, 20)].concat()
    });
    let outputs = outputs.collect();
    [records, queries, outputs]
}

#[test]
fn counts_and_probabilities_are_those_of_infini_gram() {
    let [records, queries, _] = drawn();
    let records = records.iter().map(|record| Some(&record[..]));
    let index = TextIndex::build(&records.collect::<Vec<_>>()).unwrap();
    for (query, expected) in queries.iter().zip(QUERIES) {
        let (last, prompt) = query.split_last().unwrap();
        let found = index.infinite_gram(prompt, *last);
        let count = index.count(query).unwrap() as u64;
        let found = [count, found.context as u64, found.count, found.followed];
        assert_eq!(found, expected, "{}", String::from_utf8_lossy(query));
    }
}

#[test]
fn maximal_spans_are_those_of_infini_gram() {
    let [records, _, outputs] = drawn();
    let records = records.iter().map(|record| Some(&record[..]));
    let corpus = Corpus::build(&records.collect::<Vec<_>>()).unwrap();
    let rules = SpanRules {
        minimum_length: 1,
        maximum_count: u64::MAX,
        maximum_places: 10,
    };
    for (output, expected) in outputs.iter().zip(SPANS) {
        let spans = corpus.maximal_spans(output, rules, |row| row).unwrap();
        let spans = spans
            .iter()
            .map(|span| [u64::from(span.start), span.length.into(), span.count]);
        assert_eq!(spans.collect::<Vec<_>>(), expected);
    }
}

/// For each query: how often it occurs, the longest suffix of all but its last byte that occurs, how often
/// that does, and how often the last byte follows it.
const QUERIES: [[u64; 4]; 60] = [
    [1, 22, 1, 1],
    [0, 11, 3, 3],
    [1, 16, 1, 1],
    [0, 6, 2, 2],
    [119, 2, 124, 119],
    [0, 8, 1, 0],
    [2, 8, 4, 2],
    [0, 9, 1, 1],
    [9, 7, 9, 9],
    [0, 5, 3, 2],
    [2, 7, 2, 2],
    [23, 4, 23, 23],
    [8, 5, 22, 8],
    [0, 7, 1, 1],
    [1, 14, 1, 1],
    [0, 9, 1, 1],
    [1, 20, 1, 1],
    [112, 2, 192, 112],
    [4, 7, 4, 4],
    [0, 7, 3, 2],
    [1, 15, 1, 1],
    [27, 3, 127, 27],
    [33, 4, 35, 33],
    [31, 3, 31, 31],
    [8, 3, 34, 8],
    [55, 2, 115, 55],
    [1, 20, 1, 1],
    [0, 6, 1, 1],
    [1, 23, 1, 1],
    [1, 9, 1, 1],
    [1, 18, 1, 1],
    [0, 7, 5, 5],
    [5, 5, 5, 5],
    [146, 1, 803, 146],
    [803, 0, 5688, 803],
    [0, 5, 1, 1],
    [1, 14, 1, 1],
    [1, 7, 1, 1],
    [1, 12, 1, 1],
    [35, 3, 66, 35],
    [1, 23, 1, 1],
    [33, 3, 33, 33],
    [16, 3, 50, 16],
    [0, 9, 5, 2],
    [1, 20, 1, 1],
    [42, 4, 42, 42],
    [1, 22, 1, 1],
    [3, 7, 3, 3],
    [1, 22, 1, 1],
    [1, 10, 1, 1],
    [1, 21, 1, 1],
    [38, 2, 101, 38],
    [2, 8, 9, 2],
    [2, 7, 3, 2],
    [1, 9, 1, 1],
    [27, 3, 27, 27],
    [1, 17, 1, 1],
    [6, 4, 23, 6],
    [1, 22, 1, 1],
    [0, 12, 1, 1],
];

/// For each output: start, length and count of its maximal spans.
const SPANS: [&[[u64; 3]]; 8] = [
    &[
        [0, 21, 1],
        [20, 8, 1],
        [24, 7, 5],
        [30, 2, 158],
        [31, 20, 1],
    ],
    &[
        [0, 20, 1],
        [19, 2, 124],
        [20, 12, 1],
        [24, 13, 1],
        [35, 7, 4],
        [36, 9, 1],
        [37, 20, 1],
    ],
    &[
        [0, 21, 1],
        [20, 6, 5],
        [22, 5, 1],
        [23, 6, 4],
        [24, 10, 1],
        [25, 13, 1],
        [28, 20, 1],
    ],
    &[
        [0, 20, 1],
        [18, 3, 23],
        [20, 6, 2],
        [21, 9, 1],
        [25, 7, 4],
        [31, 4, 4],
        [32, 20, 1],
    ],
    &[
        [0, 20, 1],
        [19, 2, 69],
        [20, 10, 1],
        [25, 10, 1],
        [34, 2, 70],
        [35, 20, 1],
    ],
    &[
        [0, 20, 1],
        [12, 9, 1],
        [14, 8, 1],
        [17, 11, 1],
        [23, 10, 1],
        [25, 10, 1],
        [33, 3, 27],
        [34, 3, 31],
        [35, 20, 1],
    ],
    &[
        [0, 20, 1],
        [19, 2, 22],
        [20, 9, 2],
        [23, 7, 2],
        [26, 5, 12],
        [27, 5, 3],
        [31, 2, 158],
        [32, 20, 1],
    ],
    &[
        [0, 20, 1],
        [18, 3, 31],
        [19, 3, 82],
        [20, 12, 1],
        [24, 9, 1],
        [25, 11, 1],
        [35, 2, 22],
        [36, 20, 1],
    ],
];
