//! Building in parts, stopping and going on.

use std::cell::{Cell, RefCell};

use super::{
    queries::{index_of, records_of},
    *,
};

const QUIET: Control<'_> = Control {
    cancelled: &|| false,
    progress: &|_| {},
};

fn in_parts<T: Token>(
    path: &Path,
    records: &[Vec<T>],
    parts: Parts<T>,
    control: Control<'_>,
) -> Result<TextIndex<T>, Error> {
    let source = records
        .iter()
        .map(|record| Ok((!record.is_empty()).then_some(record)));
    build_in_parts(path, source, parts, control)?;
    let index = TextIndex::open(path)?;
    index.verify()?;
    Ok(index)
}

fn check_same<T: Token>(records: &[Vec<T>], part_tokens: usize, separator: T) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("index");
    let parts = Parts {
        part_tokens,
        separator,
    };
    let index = in_parts(&path, records, parts, QUIET).unwrap();
    let whole = index_of(records);
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
    let (a, b) = (index.view(), whole.view());
    assert_eq!((a.rows, a.records), (b.rows, b.records));
    // The separators may differ, and with them what the tokens are in the index.
    assert_eq!(index.tokens(), whole.tokens());
    for row in 0..records.len() {
        assert_eq!(index.record(row), whole.record(row));
    }
    let decoded = records.iter().map(|record| Some(&record[..]));
    if index.separator() == whole.separator() {
        assert_eq!((a.text, a.suffixes, a.keys), (b.text, b.suffixes, b.keys));
        assert_eq!(a.minima, b.minima);
    }
    for record in decoded.flatten() {
        for start in 0..record.len() {
            for end in start + 1..=record.len().min(start + 40) {
                let pattern = &record[start..end];
                let (found, expected) =
                    (index.find(pattern).unwrap(), whole.find(pattern).unwrap());
                assert_eq!(found.len(), expected.len());
                assert_eq!(index.earliest(found), whole.earliest(expected));
            }
        }
    }
}

proptest! {
    // Each case waits for the disk.
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn parts_make_the_same_index(
        records in prop::collection::vec(
            prop::option::weighted(0.9, prop::collection::vec(0_u8..4, 0..40)),
            0..12,
        ),
        part_tokens in 41_usize..120,
    ) {
        // The smallest free value is what an index in memory takes.
        let bytes = records_of::<u8>(&records, [1, b'a', b'b', 255]);
        check_same(&bytes, part_tokens, 0);
        check_same(&records_of(&records, [0_u16, 1, 2, u16::MAX]), part_tokens, 77);
        check_same(&records_of(&records, [0_u32, 1, 2, 1 << 31]), part_tokens, u32::MAX);
    }
}

/// Files of long repeats, larger than a buffer of the merger.
fn repetitive() -> Vec<Vec<u8>> {
    let unit = b"abcdefgh".repeat(40);
    (0..30)
        .map(|i| [&unit[..], &[b'a' + i % 3; 90], &unit].concat())
        .collect()
}

#[test]
fn repeats_in_several_parts_are_merged_in_order() {
    let records = repetitive();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("index");
    for part_tokens in [1_000, 5_000, 100_000] {
        let parts = Parts {
            part_tokens,
            separator: 0,
        };
        let index = in_parts(&path, &records, parts, QUIET).unwrap();
        let whole = index_of(&records);
        assert_eq!(index.view().suffixes, whole.view().suffixes);
        assert_eq!(index.view().keys, whole.view().keys);
        assert_eq!(index.view().minima, whole.view().minima);
    }
}

#[test]
fn an_interrupted_build_goes_on() {
    let records = repetitive();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("index");
    let parts = Parts {
        part_tokens: 5_000,
        separator: 0,
    };
    let seen = RefCell::new(Vec::new());
    let watch = |progress| seen.borrow_mut().push(progress);
    let reused = || {
        let reused = |progress: &Progress| match progress {
            Progress::Part { reused, .. } => Some(*reused),
            Progress::Merged { .. } => None,
        };
        seen.take().iter().filter_map(reused).collect::<Vec<_>>()
    };
    // Each build may go one check further, until one gets to the end.
    let mut allowed = 0_usize;
    loop {
        let left = Cell::new(allowed);
        let stop = || left.replace(left.get().saturating_sub(1)) == 0;
        let control = Control {
            cancelled: &stop,
            progress: &watch,
        };
        match in_parts(&path, &records, parts, control) {
            Ok(_) => break,
            Err(Error::Cancelled) => assert!(!path.exists()),
            Err(other) => panic!("{other}"),
        }
        let partial = std::fs::read_dir(folder.path()).unwrap().flatten();
        assert!(partial
            .into_iter()
            .all(|entry| entry.path().extension().unwrap() == "parts"));
        let finished = reused();
        assert!(
            finished.iter().rev().skip(1).all(|reused| *reused),
            "{finished:?}"
        );
        allowed += 1;
    }
    assert!(allowed > 5);
    assert!(reused().iter().all(|reused| *reused));
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);

    // Parts that are damaged, or of other records, are built again.
    let stop_at_the_merge = Cell::new(0);
    let control = Control {
        cancelled: &|| stop_at_the_merge.replace(stop_at_the_merge.get() + 1) == 5,
        progress: &watch,
    };
    let stopped = in_parts(&path, &records, parts, control);
    assert!(matches!(stopped, Err(Error::Cancelled)));
    assert_eq!(reused(), [false; 5]);
    let part = folder.path().join("index.parts").join("part-00001");
    let mut bytes = std::fs::read(&part).unwrap();
    let last = bytes.len() - 1;
    bytes[last] ^= 1;
    std::fs::write(&part, bytes).unwrap();
    let mut changed = records.clone();
    changed[29][5] = b'z';
    let control = Control {
        progress: &watch,
        ..QUIET
    };
    let index = in_parts(&path, &changed, parts, control).unwrap();
    assert_eq!(reused(), [true, false, true, true, false]);
    assert_eq!(index.view().suffixes, index_of(&changed).view().suffixes);
}

#[test]
fn progress_ends_at_the_end() {
    let records = repetitive();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("index");
    let last = Cell::new(None);
    let control = Control {
        progress: &|progress| last.set(Some(progress)),
        ..QUIET
    };
    let parts = Parts {
        part_tokens: 10_000,
        separator: 0,
    };
    in_parts(&path, &records, parts, control).unwrap();
    let tokens = records.iter().map(|record| record.len() + 1).sum();
    let expected = Progress::Merged {
        suffixes: tokens,
        of: tokens,
    };
    assert_eq!(last.get(), Some(expected));
}

#[test]
fn refuses_what_cannot_be_built() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("index");
    let parts = Parts {
        part_tokens: 10,
        separator: b'x',
    };
    let build = |records: &[&[u8]]| {
        let records = records.iter().map(|record| record.to_vec());
        in_parts(&path, &records.collect::<Vec<_>>(), parts, QUIET)
            .err()
            .unwrap()
    };
    let error = build(&[b"fine", b"taxi"]);
    let expected = matches!(
        error,
        Error::SeparatorInRecord {
            row: 1,
            offset: 2,
            token: 120
        }
    );
    assert!(expected, "{error}");
    let error = build(&[b"fine", b"0123456789"]);
    assert!(
        error.to_string().contains("size of a part is 10"),
        "{error}"
    );

    let broken = || Error::parameter("record", 1, "readable");
    let records = [Ok(Some(b"fine")), Err(broken())];
    let error = build_in_parts(&path, records, parts, QUIET).unwrap_err();
    assert_eq!(error.to_string(), broken().to_string());

    let none = merge::<u8>(&[], &path, QUIET);
    assert!(matches!(none, Err(Error::Parameter { .. })));
    let (a, b) = (folder.path().join("a"), folder.path().join("b"));
    index_of(&[vec![1_u8]]).save(&a).unwrap();
    index_of(&[vec![0_u8]]).save(&b).unwrap();
    let error = merge::<u8>(&[a.clone(), b], &path, QUIET).unwrap_err();
    assert!(error.to_string().contains("separator"), "{error}");
    let missing = merge::<u8>(&[a, folder.path().join("c")], &path, QUIET);
    assert!(matches!(missing, Err(Error::Io { .. })));
    assert!(!path.exists());
    let nowhere = folder.path().join("no").join("index");
    let file = folder.path().join("no");
    std::fs::write(&file, b"").unwrap();
    let unwritable = in_parts(&nowhere, &[vec![1_u8]], parts, QUIET);
    assert!(matches!(
        unwritable,
        Err(Error::Io {
            action: "write",
            ..
        })
    ));
}

#[test]
fn damaged_parts_are_merged_without_harm() {
    let folder = tempfile::tempdir().unwrap();
    let (part, path) = (folder.path().join("part"), folder.path().join("index"));
    index_of(&repetitive()[..2]).save(&part).unwrap();
    let whole = std::fs::read(&part).unwrap();
    for start in (256..whole.len()).step_by(512) {
        let mut damaged = whole.clone();
        let end = (start + 512).min(whole.len());
        damaged[start..end].fill(0xff);
        std::fs::write(&part, damaged).unwrap();
        merge::<u8>(&[part.clone(), part.clone()], &path, QUIET).unwrap();
        let index = TextIndex::<u8>::open(&path).unwrap();
        index.count(b"abcdefghabcdefghabcdefgh").unwrap();
        index.verify().unwrap();
    }
}
