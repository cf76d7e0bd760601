//! `poa`'s records of text. The first byte says which file the others are.

#![no_main]

use attribution_fuzz::{choice, with_file};
use libfuzzer_sys::fuzz_target;
use poa::readers;

fuzz_target!(|bytes: &[u8]| {
    let (kind, bytes) = choice(bytes);
    let extension = ["jsonl", "csv", "txt"][usize::from(kind % 3)];
    with_file(bytes, extension, |path| drop(readers::records(path)));
});
