//! Files, whole, damaged and forged.

use super::{queries::index_of, *};

fn saved<T: Token>(records: &[Vec<T>]) -> (tempfile::TempDir, std::path::PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("index");
    index_of(records).save(&path).unwrap();
    (folder, path)
}

fn texts() -> Vec<Vec<u8>> {
    let long = b"the quick brown fox jumps over the lazy dog, ".repeat(4);
    vec![b"one".to_vec(), vec![], long.clone(), b"a".to_vec(), long]
}

/// Asks everything there is to ask. Only that it returns counts.
fn ask(index: &TextIndex<u8>) {
    for pattern in [
        &b""[..],
        b"o",
        b"fox",
        b"the quick brown fox jumps",
        b"zzz",
        b"\0",
    ] {
        let ranks = index.find(pattern).unwrap();
        index.earliest(ranks.clone());
        for rank in ranks.take(5) {
            assert!(index
                .place(rank)
                .is_none_or(|place| (place.row as usize) < index.len()));
        }
        index.infinite_gram(pattern, b'e');
        index.infinite_gram_distribution(pattern);
        index.next_token_distribution(pattern).unwrap();
    }
    for row in 0..index.len() + 1 {
        index.record(row);
    }
    let rules = SpanRules {
        minimum_length: 2,
        maximum_count: u64::MAX,
        maximum_places: 4,
    };
    let output = b"brown fox jumps over one a quick brown fox jumps over the lazy cat";
    index.maximal_spans(output, rules, |row| row).unwrap();
}

#[test]
fn files_keep_everything() {
    let (folder, path) = saved(&texts());
    let built = index_of(&texts());
    let opened = TextIndex::<u8>::open(&path).unwrap();
    opened.verify().unwrap();
    built.verify().unwrap();
    let (a, b) = (built.view(), opened.view());
    assert_eq!((a.text, a.suffixes, a.keys), (b.text, b.suffixes, b.keys));
    assert_eq!((a.minima, a.rows, a.records), (b.minima, b.rows, b.records));
    assert_eq!(built.separator(), opened.separator());
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
    // Saving over itself replaces the name, not the bytes that are in use.
    opened.save(&path).unwrap();
    opened.verify().unwrap();
    ask(&opened);
}

#[test]
fn a_byte_changed_anywhere_is_noticed_and_harmless() {
    let (_folder, path) = saved(&texts());
    let whole = std::fs::read(&path).unwrap();
    let mut gaps = 0;
    for at in 0..whole.len() {
        for mask in [[0x01, 0x80, 0xff][at % 3]] {
            let mut changed = whole.clone();
            changed[at] ^= mask;
            std::fs::write(&path, &changed).unwrap();
            let Ok(index) = TextIndex::<u8>::open(&path) else {
                assert!(at < 256, "byte {at}");
                continue;
            };
            assert!(at >= 256, "byte {at}");
            ask(&index);
            match index.verify() {
                Err(Error::Section { start, end, .. }) => assert!((start..end).contains(&at)),
                // Bytes between sections mean nothing.
                Ok(()) => gaps += 1,
                Err(other) => panic!("{other}"),
            }
            let corpus = Corpus::open(&path).unwrap();
            cover(
                &[(1, &corpus)],
                b"the quick brown fox and the lazy dog",
                RULES,
            )
            .unwrap();
        }
    }
    assert!(gaps < 5 * 64);
}

#[test]
fn forged_sections_are_harmless() {
    // Every number of a section the same, the worst being the largest.
    let (_folder, path) = saved(&texts());
    let whole = std::fs::read(&path).unwrap();
    for start in (256..whole.len()).step_by(64) {
        for end in [start + 64, start + 512, whole.len()] {
            for byte in [0x00, 0x01, 0x7f, 0xff] {
                let mut forged = whole.clone();
                let end = end.min(forged.len());
                forged[start..end].fill(byte);
                std::fs::write(&path, &forged).unwrap();
                ask(&TextIndex::<u8>::open(&path).unwrap());
            }
        }
    }
}

#[test]
fn other_lengths_are_refused() {
    let (_folder, path) = saved(&texts());
    let whole = std::fs::read(&path).unwrap();
    for length in (0..whole.len())
        .step_by(7)
        .chain([8, 255, 256, whole.len() - 1])
    {
        std::fs::write(&path, &whole[..length]).unwrap();
        let error = TextIndex::<u8>::open(&path).err().unwrap();
        let expected = match length {
            0..8 => matches!(error, Error::WrongKind { .. }),
            _ => matches!(error, Error::WrongLength { .. }),
        };
        assert!(expected, "{length}: {error}");
        assert!(Corpus::load(&path).is_err());
    }
    std::fs::write(&path, [&whole[..], b"x"].concat()).unwrap();
    let longer = TextIndex::<u8>::open(&path);
    assert!(matches!(longer, Err(Error::WrongLength { .. })));
}

/// A file with some bytes of the header replaced and, if asked, its checksum made right again.
fn with_header(whole: &[u8], at: usize, bytes: &[u8], right: bool) -> Vec<u8> {
    let mut forged = whole.to_vec();
    forged[at..at + bytes.len()].copy_from_slice(bytes);
    if right {
        let checksum = blake3::hash(&forged[..224]);
        forged[224..256].copy_from_slice(checksum.as_bytes());
    }
    forged
}

#[test]
fn says_what_is_wrong_with_a_file() {
    let (folder, path) = saved(&texts());
    let whole = std::fs::read(&path).unwrap();
    let open = |bytes: &[u8]| {
        std::fs::write(&path, bytes).unwrap();
        TextIndex::<u8>::open(&path).err().unwrap()
    };
    let error = open(b"GGUF");
    assert!(matches!(error, Error::WrongKind { .. }));
    let error = open(&with_header(&whole, 8, &9_u32.to_ne_bytes(), false));
    assert!(matches!(
        error,
        Error::WrongVersion {
            found: 9,
            supported: 2,
            ..
        }
    ));
    // What version 1 had instead of a byte order does not matter.
    let old = [&b"OLcorpus"[..], &1_u32.to_ne_bytes(), &[0; 300]].concat();
    let old = open(&old);
    assert!(matches!(old, Error::WrongVersion { found: 1, .. }));
    for (at, bytes, right, word) in [
        (
            12,
            &0x0403_0201_u32.to_ne_bytes()[..],
            false,
            "other byte order",
        ),
        (12, &7_u32.to_ne_bytes(), false, "no byte order"),
        (50, &[1, 2, 3], false, "checksum"),
        (16, &3_u32.to_ne_bytes(), true, "tokens of 3 bytes"),
        (16, &2_u32.to_ne_bytes(), true, ""),
        (20, &256_u32.to_ne_bytes(), true, "256 is no 1-byte token"),
        (24, &u64::MAX.to_ne_bytes(), true, "number of records"),
        (24, &1_u64.to_ne_bytes(), true, "of 1 records"),
        (32, &0_u64.to_ne_bytes(), true, "for 0 of 5 records"),
        (40, &3_u64.to_ne_bytes(), true, "3 tokens"),
        (40, &u64::MAX.to_ne_bytes(), true, "tokens for"),
        // A length that no machine could hold must be refused before memory is asked for.
        (
            40,
            &u64::from(u32::MAX).to_ne_bytes(),
            true,
            "its header promises",
        ),
    ] {
        let error = open(&with_header(&whole, at, bytes, right));
        let text = error.to_string();
        assert!(text.contains(word), "{text}");
        assert!(text.contains("index"), "{text}");
        match error {
            Error::Header { offset, .. } => assert!((12..=224).contains(&offset)),
            Error::WrongLength { .. } => {}
            other => panic!("{other}"),
        }
    }
    std::fs::write(&path, &whole).unwrap();
    let wider = TextIndex::<u16>::open(&path).err().unwrap();
    assert!(matches!(wider, Error::Header { offset: 16, .. }));

    let missing = folder.path().join("missing");
    let text = Corpus::load(&missing).err().unwrap().to_string();
    assert!(
        text.contains("cannot read") && text.contains("missing"),
        "{text}"
    );
    let unwritable = index_of(&texts()).save(&missing.join("index"));
    let refused = matches!(
        unwritable,
        Err(Error::Io {
            action: "write",
            ..
        })
    );
    assert!(refused);
}

#[test]
fn indexes_of_nothing_have_files() {
    for records in [vec![], vec![vec![]]] {
        let (_folder, path) = saved::<u32>(&records);
        let index = TextIndex::<u32>::open(&path).unwrap();
        index.verify().unwrap();
        assert_eq!(
            (index.len(), index.count(&[1]).unwrap()),
            (records.len(), 0)
        );
    }
}
