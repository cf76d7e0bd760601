//! Indexes of gradients whose payload may hold anything: what loads keeps its terms, is scanned, and is
//! written as it was read.

#![no_main]

use attribution_engine::{
    influence::{quantise_query, Direction, Index},
    scan::top_k,
};
use attribution_fuzz::{container, with_file};
use attribution_proof::influence::CosineFloor;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let file = container(bytes);
    with_file(&file, "bin", |path| {
        let Ok(index) = Index::load(path) else {
            return;
        };
        for row in 0..index.len() as u32 {
            let _ = index.row(row).expect("each row is something");
            let _ = index.gradient(row);
        }
        let values = (0..index.dimension())
            .map(|i| (i % 7) as f64 - 3.0)
            .collect();
        let direction = Direction { values, unit: 1.0 };
        if let Ok(query) = quantise_query(&[(1, &direction)]) {
            let floor = CosineFloor {
                numerator: 1,
                denominator: 100,
            };
            let _ = top_k(&[(1, &index)], &query, 8, floor);
        }
        index.save(path).expect("what was read can be written");
        assert_eq!(std::fs::read(path).expect("it was written"), file);
    });
});
