//! `poa`'s arrays, labels and names. The first byte says which file the others are.

#![no_main]

use attribution_fuzz::{choice, with_file};
use libfuzzer_sys::fuzz_target;
use poa::readers;

fuzz_target!(|bytes: &[u8]| {
    let (kind, bytes) = choice(bytes);
    match kind % 6 {
        0 => with_file(bytes, "csv", |path| drop(readers::matrix(path))),
        1 => with_file(bytes, "jsonl", |path| drop(readers::matrix(path))),
        2 => with_file(bytes, "npy", |path| drop(readers::matrix(path))),
        3 => with_file(bytes, "txt", |path| drop(readers::labels(path))),
        4 => with_file(bytes, "npy", |path| drop(readers::labels(path))),
        _ => with_file(bytes, "txt", |path| drop(readers::names(path, 3))),
    }
});
