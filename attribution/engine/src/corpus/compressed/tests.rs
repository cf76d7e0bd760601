use proptest::prelude::*;

use super::*;
use crate::file::{self, Kind};

type Records = Vec<Option<Vec<u8>>>;

/// Small distances, so that short texts have samples at all.
const DENSE: Sampling = Sampling {
    positions: 5,
    ranks: 7,
};

fn build(records: &Records, sampling: Sampling) -> CompressedCorpus {
    let records = records.iter().map(Option::as_deref).collect::<Vec<_>>();
    CompressedCorpus::build(&records, sampling).unwrap()
}

/// Everywhere that `pattern` stands, by trying every place.
fn brute_places(records: &Records, pattern: &[u8]) -> Vec<Place> {
    let mut places = Vec::new();
    for (row, record) in (0..).zip(records) {
        let record = record.as_deref().unwrap_or_default();
        for offset in 0..record.len() {
            if record[offset..].starts_with(pattern) && !pattern.is_empty() {
                let offset = offset as u32;
                places.push(Place { row, offset });
            }
        }
    }
    places
}

fn brute_statistics(records: &Records, query: &[u8]) -> Vec<u32> {
    let longest = |end: usize| {
        let starts = 0..end;
        let start = starts
            .into_iter()
            .find(|start| !brute_places(records, &query[*start..end]).is_empty());
        start.map_or(0, |start| (end - start) as u32)
    };
    (1..=query.len()).map(longest).collect()
}

/// Few different bytes, so that everything repeats; among them the extremes.
fn bytes(longest: usize) -> impl Strategy<Value = Vec<u8>> {
    let byte = prop::sample::select(vec![0_u8, b'a', b'b', 255]);
    prop_oneof![
        3 => prop::collection::vec(byte, 0..longest),
        1 => (0..longest).prop_map(|count| vec![b'a'; count]),
        1 => (0..longest).prop_map(|count| (0..count).map(|i| [b'a', b'b'][i % 2]).collect()),
        1 => prop::collection::vec(any::<u8>(), 0..longest),
    ]
}

fn records() -> impl Strategy<Value = Records> {
    prop::collection::vec(prop::option::weighted(0.9, bytes(40)), 0..8)
}

fn sampling() -> impl Strategy<Value = Sampling> {
    (1_u32..20, 1_u32..20).prop_map(|(positions, ranks)| Sampling { positions, ranks })
}

/// Asks everything that can be asked; answers may be errors.
fn exercise(corpus: &CompressedCorpus, queries: &[&[u8]]) {
    for query in queries {
        let count = corpus.count(query);
        if let Ok(places) = corpus.locate(query, 50) {
            assert_eq!(places.len(), count.min(50));
        }
        assert_eq!(corpus.matching_statistics(query).len(), query.len());
        let _ = corpus.maximal_matches(query, 1);
    }
    for row in 0..corpus.len() as u32 {
        let length = corpus.record_length(row).unwrap();
        if let Ok(bytes) = corpus.extract(row, 0..length) {
            assert_eq!(bytes.len(), length as usize);
        }
    }
    let _ = corpus.verify();
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn answers_are_those_of_brute_force(
        records in records(),
        sampling in sampling(),
        patterns in prop::collection::vec(bytes(6), 1..6),
        pieces in prop::collection::vec((any::<prop::sample::Index>(), 0_usize..30, 0_usize..30), 0..4),
    ) {
        let corpus = build(&records, sampling);
        corpus.verify().unwrap();
        let mut query = Vec::new();
        for ((record, from, count), pattern) in pieces.iter().zip(patterns.iter().cycle()) {
            let record = records.get(record.index(records.len().max(1))).cloned().flatten();
            query.extend(record.unwrap_or_default().iter().skip(*from).take(*count));
            query.extend(pattern);
        }
        for pattern in patterns.iter().chain([&query]) {
            let expected = brute_places(&records, pattern);
            prop_assert_eq!(corpus.count(pattern), expected.len());
            prop_assert_eq!(&corpus.locate(pattern, usize::MAX).unwrap(), &expected);
            let some = corpus.locate(pattern, 2).unwrap();
            prop_assert_eq!(some.len(), expected.len().min(2));
            prop_assert!(some.iter().all(|place| expected.contains(place)));
        }
        let statistics = brute_statistics(&records, &query);
        prop_assert_eq!(&corpus.matching_statistics(&query), &statistics);
        for minimum in 1..5 {
            let mut expected = Vec::new();
            for (end, length) in (1..).zip(&statistics) {
                let (start, length) = (end - *length as usize, *length as usize);
                let goes_on = statistics.get(end).is_some_and(|next| *next as usize > length);
                if length >= minimum && !goes_on {
                    let occurrences = brute_places(&records, &query[start..end]).len();
                    expected.push(MaximalMatch { start, length, occurrences });
                }
            }
            prop_assert_eq!(corpus.maximal_matches(&query, minimum), expected);
        }
    }

    #[test]
    fn records_come_back(records in records(), sampling in sampling(), a in 0_u32..40, b in 0_u32..40) {
        let corpus = build(&records, sampling);
        prop_assert_eq!(corpus.len(), records.len());
        for (row, record) in (0..).zip(&records) {
            let record = record.as_deref().unwrap_or_default();
            let length = record.len() as u32;
            prop_assert_eq!(corpus.record_length(row).unwrap(), length);
            prop_assert_eq!(&corpus.extract(row, 0..length).unwrap(), record);
            let (from, to) = (a.min(b).min(length), a.max(b).min(length));
            let part = corpus.extract(row, from..to).unwrap();
            prop_assert_eq!(&part[..], &record[from as usize..to as usize]);
        }
    }
}

proptest! {
    // Each case waits for the disk.
    #![proptest_config(ProptestConfig::with_cases(32))]

    #[test]
    fn files_keep_everything(records in records(), sampling in sampling(), pattern in bytes(4)) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("corpus");
        let corpus = build(&records, sampling);
        corpus.save(&path).unwrap();
        prop_assert_eq!(std::fs::metadata(&path).unwrap().len(), corpus.size() + 52);
        let loaded = CompressedCorpus::load(&path).unwrap();
        loaded.verify().unwrap();
        prop_assert_eq!(loaded.sampling(), sampling);
        prop_assert_eq!(loaded.bytes(), corpus.bytes());
        prop_assert_eq!(
            loaded.locate(&pattern, usize::MAX).unwrap(),
            brute_places(&records, &pattern)
        );
        let again = folder.path().join("again");
        loaded.save(&again).unwrap();
        prop_assert!(std::fs::read(&path).unwrap() == std::fs::read(&again).unwrap());
    }
}

fn sample_records() -> Records {
    vec![
        Some(b"the quick brown fox ".to_vec()),
        Some(b"jumps over the lazy dog".to_vec()),
        None,
        Some(vec![0, 255, 0, 0, 255]),
        Some(b"brown fox jumps over".to_vec()),
    ]
}

#[test]
fn damage_is_refused_and_any_changed_byte_is_survived() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("corpus");
    // Few different bytes, so a small file.
    let records = vec![
        Some(b"abracadabra".to_vec()),
        None,
        Some(vec![0, 255, 0, 0, 255]),
        Some(b"cadab".to_vec()),
    ];
    let corpus = build(&records, DENSE);
    corpus.save(&path).unwrap();
    let whole = std::fs::read(&path).unwrap();
    for cut in [0, 7, 19, 20, whole.len() / 2, whole.len() - 1] {
        std::fs::write(&path, &whole[..cut]).unwrap();
        assert!(CompressedCorpus::load(&path).is_err());
    }
    let payload = &whole[20..whole.len() - 32];
    // Written without the durability of `file::write`, for speed.
    let write = |payload: &[u8]| {
        let checksum = blake3::Hasher::new()
            .update(&whole[..20])
            .update(payload)
            .finalize();
        let parts = [&whole[..20], payload, checksum.as_bytes()].concat();
        std::fs::write(&path, parts).unwrap();
    };
    let queries: [&[u8]; 4] = [b"abra abracadab", b"a", &[0, 255], b"zzz"];
    let mut accepted = 0;
    for at in 0..whole.len() {
        if at < 20 || at % 16 == 0 {
            let mut damaged = whole.clone();
            damaged[at] ^= 1;
            std::fs::write(&path, &damaged).unwrap();
            assert!(CompressedCorpus::load(&path).is_err());
        }
        let Some(at) = at.checked_sub(20).filter(|at| *at < payload.len()) else {
            continue;
        };
        let mut payload = payload.to_vec();
        payload[at] ^= 1 << (at % 8);
        write(&payload);
        if let Ok(loaded) = CompressedCorpus::load(&path) {
            exercise(&loaded, &queries);
            accepted += 1;
        }
    }
    // Some changes make another text's index, or one that only using it can refute.
    assert!(accepted > 0);
    write(payload);
    assert_eq!(CompressedCorpus::load(&path).unwrap().count(b"cadab"), 2);
}

#[test]
fn verifying_finds_wrong_samples() {
    let contradicts =
        |corpus: &CompressedCorpus| matches!(corpus.verify(), Err(Error::Contradictory(_)));
    let mut corpus = build(&sample_records(), DENSE);
    corpus.verify().unwrap();
    let ranks = (0..corpus.sampling.rank_count(corpus.length)).map(|index| corpus.ranks.get(index));
    let mut ranks = ranks.collect::<Vec<_>>();
    ranks.swap(1, 2);
    corpus.ranks = Packed::new(&ranks, corpus.length as u32);
    assert!(contradicts(&corpus));

    let mut corpus = build(&sample_records(), DENSE);
    let count = corpus.sampling.position_count(corpus.length);
    let positions = (0..count).map(|index| corpus.positions.get(index));
    let mut positions = positions.collect::<Vec<_>>();
    positions.swap(0, 3);
    corpus.positions = Packed::new(&positions, count as u32);
    assert!(contradicts(&corpus));

    let mut corpus = build(&sample_records(), DENSE);
    corpus.starts[1] += 1;
    assert!(contradicts(&corpus));

    let mut corpus = build(&sample_records(), DENSE);
    corpus.sampled = Bits::new(&vec![0; corpus.length.div_ceil(64)], corpus.length);
    assert!(contradicts(&corpus));
    assert!(matches!(
        corpus.locate(b"fox", 1),
        Err(Error::Contradictory(_))
    ));
}

#[test]
fn long_texts_have_many_blocks() {
    // A linear congruential generator over few words: long matches and many groups of blocks.
    let mut state = 1_u32;
    let words: [&[u8]; 5] = [b"alpha ", b"beta ", b"gamma ", b"de", b"\0\xff "];
    let records = (0..40)
        .map(|_| {
            let words = (0..300).map(|_| {
                state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                words[(state >> 16) as usize % words.len()]
            });
            Some(words.collect::<Vec<_>>().concat())
        })
        .collect::<Records>();
    let corpus = build(&records, Sampling::default());
    corpus.verify().unwrap();
    for pattern in [&b"alpha beta "[..], b"dede", b"\0\xff \0", b"mma be", b"x"] {
        let expected = brute_places(&records, pattern);
        assert_eq!(corpus.count(pattern), expected.len());
        assert_eq!(corpus.locate(pattern, usize::MAX).unwrap(), expected);
    }
    let record = records[17].as_ref().unwrap();
    assert_eq!(corpus.extract(17, 100..900).unwrap(), record[100..900]);
    let whole = corpus.maximal_matches(record, 1);
    assert_eq!(whole.len(), 1);
    assert_eq!((whole[0].start, whole[0].length), (0, record.len()));
    assert!((corpus.size() as f64) < 0.6 * corpus.bytes() as f64);
}

#[test]
fn nothing_is_found_in_nothing() {
    for records in [vec![], vec![Some(vec![]), None]] {
        let corpus = build(&records, Sampling::default());
        corpus.verify().unwrap();
        assert_eq!(corpus.count(b"a"), 0);
        assert_eq!(corpus.count(b""), 0);
        assert_eq!(corpus.locate(b"a", 5).unwrap(), []);
        assert_eq!(corpus.matching_statistics(b"ab"), [0, 0]);
        assert_eq!(corpus.is_empty(), records.is_empty());
        assert_eq!(corpus.bytes(), 0);
    }
}

#[test]
fn says_what_is_wrong() {
    let parameter = |found: Result<_, Error>| matches!(found, Err(Error::Parameter { .. }));
    for (positions, ranks) in [(0, 1), (1, 0), (65_537, 1), (1, 65_537)] {
        let sampling = Sampling { positions, ranks };
        assert!(parameter(CompressedCorpus::build(&[], sampling).map(drop)));
    }
    let corpus = build(&sample_records(), DENSE);
    assert!(parameter(corpus.extract(5, 0..0).map(drop)));
    assert!(parameter(corpus.extract(0, 0..21).map(drop)));
    let reversed = std::ops::Range { start: 4, end: 3 };
    assert!(parameter(corpus.extract(0, reversed).map(drop)));
    assert!(parameter(corpus.record_length(5).map(drop)));

    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("corpus");
    let other = Kind {
        magic: store::KIND.magic,
        version: 2,
        name: store::KIND.name,
    };
    file::write(&path, &other, 4, |sink| sink.put(b"data")).unwrap();
    assert!(matches!(
        CompressedCorpus::load(&path),
        Err(Error::WrongVersion { found: 2, .. })
    ));
    std::fs::write(&path, b"GGUF").unwrap();
    assert!(matches!(
        CompressedCorpus::load(&path),
        Err(Error::WrongKind { .. })
    ));
}
