//! Every query against its definition, tried everywhere, for every token type.

use super::*;

/// Records as small numbers, which each token type draws from values of its own.
type Small = Vec<Option<Vec<u8>>>;

fn small_records() -> impl Strategy<Value = Small> {
    let record = prop_oneof![
        4 => prop::collection::vec(0_u8..4, 0..30),
        1 => (0_u8..4, 0_usize..150).prop_map(|(symbol, count)| vec![symbol; count]),
        1 => Just(vec![2, 1, 2, 1, 2, 1, 0]),
    ];
    prop::collection::vec(prop::option::weighted(0.9, record), 0..8)
}

pub(super) fn values<T: Token>(symbols: &[u8], values: [T; 4]) -> Vec<T> {
    symbols
        .iter()
        .map(|symbol| values[usize::from(*symbol)])
        .collect()
}

pub(super) fn records_of<T: Token>(records: &Small, alphabet: [T; 4]) -> Vec<Vec<T>> {
    records
        .iter()
        .map(|record| values(record.as_deref().unwrap_or_default(), alphabet))
        .collect()
}

pub(super) fn index_of<T: Token>(records: &[Vec<T>]) -> TextIndex<T> {
    let records = records
        .iter()
        .map(|record| (!record.is_empty()).then_some(&record[..]));
    TextIndex::build(&records.collect::<Vec<_>>()).unwrap()
}

/// The places of a pattern that is not empty.
fn places<T: Token>(records: &[Vec<T>], pattern: &[T]) -> Vec<Place> {
    let mut places = Vec::new();
    for (row, record) in (0..).zip(records) {
        for offset in 0..record.len() {
            if record[offset..].starts_with(pattern) {
                places.push(Place {
                    row,
                    offset: offset as u32,
                });
            }
        }
    }
    places
}

fn check_find<T: Token>(index: &TextIndex<T>, records: &[Vec<T>], pattern: &[T]) {
    let expected = places(records, pattern);
    let ranks = index.find(pattern).unwrap();
    assert_eq!(index.count(pattern).unwrap(), expected.len());
    assert_eq!(ranks.len(), expected.len());
    assert_eq!(index.earliest(ranks.clone()), expected.first().copied());
    let mut found = ranks
        .map(|rank| index.place(rank).unwrap())
        .collect::<Vec<_>>();
    found.sort_unstable();
    assert_eq!(found, expected);
}

fn brute_next<T: Token>(records: &[Vec<T>], prompt: &[T], alphabet: [T; 4]) -> NextTokens<T> {
    let mut alphabet = alphabet.to_vec();
    alphabet.sort_unstable();
    let tokens = alphabet
        .into_iter()
        .map(|token| {
            (
                token,
                places(records, &[prompt, &[token]].concat()).len() as u64,
            )
        })
        .filter(|(_, count)| *count > 0)
        .collect::<Vec<_>>();
    let count = match prompt.is_empty() {
        true => records.concat().len() as u64,
        false => places(records, prompt).len() as u64,
    };
    let followed = tokens.iter().map(|(_, count)| count).sum::<u64>();
    NextTokens {
        context: prompt.len(),
        count,
        ends: count - followed,
        tokens,
    }
}

fn check_language_model<T: Token>(
    index: &TextIndex<T>,
    records: &[Vec<T>],
    prompt: &[T],
    alphabet: [T; 4],
) {
    let expected = brute_next(records, prompt, alphabet);
    assert_eq!(index.next_token_distribution(prompt).unwrap(), expected);
    let suffixes = (0..=prompt.len()).map(|start| &prompt[start..]);
    let longest = suffixes
        .into_iter()
        .find(|suffix| suffix.is_empty() || !places(records, suffix).is_empty())
        .unwrap();
    let longest = brute_next(records, longest, alphabet);
    assert_eq!(index.infinite_gram_distribution(prompt), longest);
    for token in alphabet {
        let found = index.infinite_gram(prompt, token);
        assert_eq!(
            (found.context, found.count),
            (longest.context, longest.count)
        );
        assert_eq!(found.probability(), longest.probability(token));
        let found = index.n_gram(prompt, token).unwrap();
        assert_eq!(found.probability(), expected.probability(token));
    }
    let sum = longest.tokens.iter().map(|(_, count)| count).sum::<u64>() + longest.ends;
    assert_eq!(sum, longest.count);
    assert_eq!(index.infinite_gram(prompt, index.separator()).followed, 0);
}

fn check_spans<T: Token>(index: &TextIndex<T>, records: &[Vec<T>], output: &[T], rules: SpanRules) {
    let longest = |from: usize| {
        (from..=output.len())
            .rev()
            .find(|end| *end > from && !places(records, &output[from..*end]).is_empty())
            .unwrap_or(from)
    };
    let intervals = (0..output.len())
        .map(|from| (from, longest(from)))
        .filter(|(from, end)| end - from >= rules.minimum_length as usize)
        .collect::<Vec<_>>();
    let inside = |a: (usize, usize), b: (usize, usize)| a != b && a.0 >= b.0 && a.1 <= b.1;
    let total = records.concat().len() as f64;
    let mut expected = Vec::new();
    for span in &intervals {
        let found = places(records, &output[span.0..span.1]);
        if found.len() as u64 <= rules.maximum_count
            && !intervals.iter().any(|other| inside(*span, *other))
        {
            let surprisal = output[span.0..span.1]
                .iter()
                .map(|token| (total / places(records, &[*token]).len() as f64).ln())
                .sum::<f64>();
            expected.push((span.0, span.1, surprisal, found));
        }
    }
    let spans = index.maximal_spans(output, rules, |row| row % 3).unwrap();
    assert_eq!(spans.len(), expected.len());
    for (span, (start, end, surprisal, places)) in spans.iter().zip(expected) {
        assert_eq!(
            (span.start as usize, (span.start + span.length) as usize),
            (start, end)
        );
        assert_eq!(
            (span.count as usize, span.earliest),
            (places.len(), places[0])
        );
        assert_eq!(span.surprisal, surprisal);
        assert_eq!(
            span.places.len(),
            places.len().min(rules.maximum_places as usize)
        );
        assert!(span.places.iter().all(|place| places.contains(place)));
        assert!(span.places.windows(2).all(|pair| pair[0] < pair[1]));
        let owned = |owner| {
            span.places
                .iter()
                .filter(|place| place.row % 3 == owner)
                .count()
        };
        let owners = (0..3).map(|owner| (owner, owned(owner) as u32));
        let owners = owners.filter(|(_, count)| *count > 0).collect::<Vec<_>>();
        assert_eq!(span.owners, owners);
    }
}

/// Pieces of the records with some noise between.
fn output_of(records: &Small, pieces: &[(usize, usize, usize)], noise: &[u8]) -> Vec<u8> {
    let mut output = Vec::new();
    for (row, offset, length) in pieces {
        if let Some(Some(record)) = records.get(row % records.len().max(1)) {
            let start = offset % (record.len() + 1);
            output.extend(record[start..].iter().take(*length));
        }
        output.extend(noise.iter().take(length % 3));
    }
    output
}

fn check<T: Token>(records: &Small, output: &[u8], rules: SpanRules, alphabet: [T; 4]) {
    let records = records_of(records, alphabet);
    let output = values(output, alphabet);
    let index = index_of(&records);
    assert_eq!(index.len(), records.len());
    assert_eq!(index.tokens(), records.concat().len());
    for (row, record) in records.iter().enumerate() {
        assert_eq!(index.record(row).as_ref(), Some(record));
    }
    assert_eq!(index.record(records.len()), None);
    for start in 0..output.len() {
        for length in [1, 2, 3, 5, 8, 17, 40] {
            let pattern = &output[start..(start + length).min(output.len())];
            check_find(&index, &records, pattern);
        }
    }
    for end in (0..=output.len()).step_by(3) {
        check_language_model(&index, &records, &output[..end], alphabet);
    }
    check_spans(&index, &records, &output, rules);
    assert_eq!(index.count(&[index.separator()]).unwrap(), 0);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn answers_are_those_of_the_definitions(
        records in small_records(),
        pieces in prop::collection::vec((0_usize..8, 0_usize..150, 0_usize..40), 0..4),
        noise in prop::collection::vec(0_u8..4, 0..3),
        minimum_length in 1_u32..10,
        maximum_count in prop_oneof![Just(u64::MAX), 1_u64..6],
        maximum_places in 1_u32..6,
    ) {
        let rules = SpanRules { minimum_length, maximum_count, maximum_places };
        let output = output_of(&records, &pieces, &noise);
        check::<u8>(&records, &output, rules, [0, b'a', b'b', 255]);
        check::<u16>(&records, &output, rules, [0, 1, 256, u16::MAX]);
        check::<u32>(&records, &output, rules, [0, 7, 1 << 31, u32::MAX]);
    }
}

#[test]
fn long_runs_are_found_whole() {
    // More equal keys than a block has ranks, and patterns longer than a key.
    let records = [
        vec![b'a'; 3_000],
        vec![b'a'; 50],
        b"b".to_vec(),
        vec![b'a'; 700],
    ];
    let index = index_of(&records);
    for length in [1, 15, 16, 17, 31, 32, 33, 51, 100, 701, 2_999, 3_000, 3_001] {
        let pattern = vec![b'a'; length];
        let expected = records[..2].iter().chain(&records[3..]);
        let expected = expected.map(|record| (record.len() + 1).saturating_sub(length));
        assert_eq!(
            index.count(&pattern).unwrap(),
            expected.sum::<usize>(),
            "{length}"
        );
    }
    let found = index.infinite_gram(&[b'a'; 2_000], b'a');
    assert_eq!(
        (found.context, found.count, found.followed),
        (2_000, 1_001, 1_000)
    );
}

#[test]
fn a_match_longer_than_a_pattern_goes_on_as_the_next_span() {
    let text = (0..5_000_u16).collect::<Vec<_>>();
    let index = index_of(std::slice::from_ref(&text));
    let rules = SpanRules {
        minimum_length: 1,
        maximum_count: 1,
        maximum_places: 1,
    };
    let spans = index.maximal_spans(&text, rules, |row| row).unwrap();
    let spans = spans.iter().map(|span| (span.start, span.length));
    assert_eq!(spans.collect::<Vec<_>>(), [(0, 4_096), (4_096, 904)]);
    // The context is cut, not the count.
    let found = index.infinite_gram(&text[..4_999], 4_999);
    assert_eq!((found.context, found.count, found.followed), (4_096, 1, 1));
}

#[test]
fn nothing_answers_nothing() {
    for records in [&[][..], &[vec![], vec![]]] {
        let index = index_of::<u32>(records);
        assert_eq!((index.len(), index.tokens()), (records.len(), 0));
        assert_eq!(index.is_empty(), records.is_empty());
        assert_eq!(index.count(&[1]).unwrap(), 0);
        assert_eq!(index.count(&[]).unwrap(), 0);
        assert_eq!(index.infinite_gram(&[1, 2], 3).probability(), None);
        assert_eq!(index.earliest(0..0), None);
        assert_eq!((index.earliest(0..1), index.place(0)), (None, None));
    }
}

#[test]
fn refuses_bad_parameters() {
    let index = index_of(&[b"text".to_vec()]);
    let refused = |error: Error| assert!(matches!(error, Error::Parameter { .. }), "{error}");
    let long = vec![b't'; MAX_PATTERN + 1];
    refused(index.find(&long).unwrap_err());
    refused(index.count(&long).unwrap_err());
    refused(index.next_token_distribution(&long).unwrap_err());
    refused(index.n_gram(&long, 1).unwrap_err());
    assert_eq!(index.count(&long[1..]).unwrap(), 0);
    let good = SpanRules {
        minimum_length: 1,
        maximum_count: 1,
        maximum_places: 1,
    };
    for rules in [
        SpanRules {
            minimum_length: 0,
            ..good
        },
        SpanRules {
            minimum_length: 4_097,
            ..good
        },
        SpanRules {
            maximum_places: 0,
            ..good
        },
    ] {
        refused(index.maximal_spans(b"text", rules, |row| row).unwrap_err());
    }
    let all = (0..=u16::MAX).collect::<Vec<_>>();
    let taken = TextIndex::build(&[Some(&all[..])]);
    assert!(matches!(
        taken,
        Err(Error::NoSeparator {
            values: 65_536,
            bits: 16
        })
    ));
}
