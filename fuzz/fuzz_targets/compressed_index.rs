//! Compressed indexes whose payload may hold anything: what loads is searched without a panic.

#![no_main]

use attribution_engine::corpus::compressed::CompressedCorpus;
use attribution_fuzz::{container, with_file};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    with_file(&container(bytes), "bin", |path| {
        let Ok(corpus) = CompressedCorpus::load(path) else {
            return;
        };
        for pattern in [&b"th"[..], b"\0", b"e", b"the best of times"] {
            let count = corpus.count(pattern);
            if let Ok(places) = corpus.locate(pattern, 16) {
                assert_eq!(places.len(), count.min(16));
            }
        }
        let _ = corpus.maximal_matches(b"it was the best of times", 2);
        for row in 0..corpus.len().min(16) as u32 {
            if let Ok(length) = corpus.record_length(row) {
                let _ = corpus.extract(row, 0..length.min(64));
            }
        }
        let _ = corpus.verify();
    });
});
