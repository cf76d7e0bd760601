//! The text rule and the malformed-record challenge.
#![allow(missing_docs)]

mod common;

use attribution_proof::record::{
    check_text, content_tree, find_defect, text_defect, ChunkWindow, Defect, MalformedEvidence,
};
use common::*;
use proptest::prelude::*;

fn registered(bytes: &[u8]) -> Registered {
    Registered::new(account(1), vec![bytes.to_vec()])
}

fn windows(bytes: &[u8]) -> Vec<MalformedEvidence> {
    let count = content_tree(bytes).commitment().count;
    (0..count)
        .flat_map(|index| {
            let single = ChunkWindow {
                first: chunk_of(bytes, index),
                second: None,
            };
            let pair = (index + 1 < count).then(|| ChunkWindow {
                first: chunk_of(bytes, index),
                second: Some(chunk_of(bytes, index + 1)),
            });
            core::iter::once(single).chain(pair)
        })
        .map(MalformedEvidence::Chunks)
        .collect()
}

fn convicted(bytes: &[u8]) -> bool {
    let record = registered(bytes).opening(0);
    windows(bytes)
        .iter()
        .any(|evidence| find_defect(&record, evidence, true).unwrap().is_some())
}

#[test]
fn success_each_defect_is_named() {
    for (bytes, defect) in [
        (b"fine\nlines\n".as_slice(), None),
        ("grüße, мир, 世界\n".as_bytes(), None),
        (b"", Some(Defect::Length)),
        (b"a\r\nb", Some(Defect::ControlCharacter)),
        (b"a\0b", Some(Defect::ControlCharacter)),
        (b"a \nb", Some(Defect::TrailingBlank)),
        (b"a\t\nb", Some(Defect::TrailingBlank)),
        (b"a ", Some(Defect::TrailingBlank)),
        (b"\xff\xfe", Some(Defect::NotUtf8)),
        (b"cut \xe4\xb8", Some(Defect::NotUtf8)),
    ] {
        assert_eq!(check_text(bytes).err(), defect, "{bytes:?}");
    }
}

#[test]
fn success_windows_in_the_middle_may_cut_characters_and_blanks() {
    assert_eq!(text_defect(b"\x96\x8c rest", false, false), None);
    assert_eq!(text_defect(b"start \xe4\xb8", false, false), None);
    assert_eq!(text_defect(b"blank ", false, false), None);
    assert_eq!(
        text_defect(b"\x80\x80\x80\x80", false, false),
        Some(Defect::NotUtf8)
    );
}

#[test]
fn success_wrong_lengths_are_proven() {
    let world = registered(&[b'x'; 3_000]);
    let honest = world.opening(0);
    assert_eq!(
        find_defect(&honest, &MalformedEvidence::Length, true),
        Ok(None)
    );
    let mut lied = honest.clone();
    lied.len = 5_000;
    assert_eq!(
        find_defect(&lied, &MalformedEvidence::Length, true),
        Ok(Some(Defect::Length))
    );
    let mut lied = honest.clone();
    lied.len = 2_999;
    let last = MalformedEvidence::Chunks(ChunkWindow {
        first: world.chunk(0, 2),
        second: None,
    });
    assert_eq!(
        find_defect(&lied, &last, false),
        Ok(Some(Defect::ChunkLength))
    );
    assert_eq!(find_defect(&honest, &last, false), Ok(None));
}

#[test]
fn fails_when_the_chunks_are_not_neighbours() {
    let world = registered(&[b'x'; 3_000]);
    let evidence = MalformedEvidence::Chunks(ChunkWindow {
        first: world.chunk(0, 0),
        second: Some(world.chunk(0, 2)),
    });
    assert!(find_defect(&world.opening(0), &evidence, true).is_err());
}

proptest! {
    /// A record is malformed exactly when some window of one or two chunks convicts it.
    #[test]
    fn success_windows_convict_exactly_the_malformed(
        prefix in 1_000usize..1_040,
        middle in prop::sample::select(vec![
            b"\xe4\xb8\x96".to_vec(), b"\xe4\xb8".to_vec(), b"\xf0\x9f\x98\x80".to_vec(), b"\xf0\x9f\x98".to_vec(),
            b" \n".to_vec(), b"\t\n".to_vec(), b" x".to_vec(), b"\x80".to_vec(), b"\n".to_vec(), b"\r".to_vec(),
        ]),
        suffix in 0usize..1_100,
    ) {
        let mut bytes = vec![b'a'; prefix];
        bytes.extend_from_slice(&middle);
        bytes.extend(vec![b'b'; suffix]);
        prop_assert_eq!(convicted(&bytes), check_text(&bytes).is_err());
    }
}
