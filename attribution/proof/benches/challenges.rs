//! How long the chain's heaviest decisions take natively: `cargo bench -p attribution-proof`.
//!
//! Prints times and, as a ratio in the same run, BLAKE2b-256 over the bytes that each one hashes.
#![allow(missing_docs)]

#[path = "../tests/common/mod.rs"]
mod common;

use attribution_proof::{
    challenge::{wrong_score, IndexContext, NotProven},
    hash::Hash,
    influence::{credit_score, row_leaf, Query, QueryVector, Row, RowOpening},
    merkle::Tree,
};
use codec::Encode;
use common::*;
use sp_runtime::traits::{BlakeTwo256, Hash as _};
use std::{hint::black_box, time::Instant};

/// What one score challenge may take of a validator's time, in microseconds.
const MOST_MICROS: f64 = 200.0;

fn median_micros(mut work: impl FnMut()) -> f64 {
    let mut times: Vec<f64> = (0..201)
        .map(|_| {
            let start = Instant::now();
            work();
            start.elapsed().as_secs_f64() * 1e6
        })
        .collect();
    times.sort_by(f64::total_cmp);
    times[times.len() / 2]
}

fn main() {
    let (rows, dimension) = (1_000_000u32, 1_024usize);
    let value = Row::Own {
        scale: 500,
        g: noise(1)
            .take(dimension)
            .collect::<Vec<_>>()
            .try_into()
            .unwrap(),
    };
    let record = digest("record");
    // Only the opened row needs its gradient; the other leaves stand for theirs.
    let at = 777_777u32;
    let leaves: Vec<Hash> = (0..rows)
        .map(|row| {
            if row == at {
                row_leaf(JOB, row, &record, &value)
            } else {
                Hash::from_low_u64_be(row.into())
            }
        })
        .collect();
    let tree = Tree::new(leaves);
    let opening = RowOpening {
        row: at,
        record,
        value: value.clone(),
        path: tree.path(at).unwrap(),
    };
    let mut world = World::new();
    world.index.spec.dimension = dimension as u32;
    world.index.spec.norm_maximum = u64::MAX;
    let Row::Own { g, .. } = &value else {
        unreachable!()
    };
    let vector: Vec<i16> = g
        .iter()
        .zip(noise(2))
        .map(|(g, n)| i16::from(*g) * 90 + i16::from(n))
        .collect();
    world.query = Query {
        vectors: vec![(MODEL, QueryVector::try_from(vector.clone()).unwrap())]
            .try_into()
            .unwrap(),
    };
    let score = credit_score(&vector, &value, world.ruleset.receipt.floor()).unwrap();
    world.receipt.credits = vec![attribution_proof::challenge::influence_credit(
        MODEL, at, score,
    )]
    .try_into()
    .unwrap();
    world.receipt.query = world.query.commit();
    let commitment = tree.commitment();
    let context = IndexContext {
        model: MODEL,
        job: JOB,
        spec: &world.index.spec,
        rows: &commitment,
    };
    let mut verdict = Ok(attribution_proof::challenge::Lie::WrongScore);
    let challenge = median_micros(|| {
        verdict = black_box(wrong_score(
            &world.receipt,
            &world.ruleset.receipt,
            0,
            &world.query,
            &context,
            &opening,
        ));
    });
    assert_eq!(
        verdict,
        Err(NotProven::Honest),
        "the benchmark must walk the whole way"
    );
    let bytes = [
        world.query.encode(),
        opening.encode(),
        vec![0; 64 * opening.path.len()],
    ]
    .concat();
    let hashing = median_micros(|| {
        black_box(BlakeTwo256::hash(black_box(&bytes)));
    });
    println!("score challenge, d = {dimension}, {rows} rows: {challenge:.1} us, {:.2} x BLAKE2b-256 over its {} bytes ({hashing:.1} us)", challenge / hashing, bytes.len());
    assert!(
        challenge < MOST_MICROS,
        "a score challenge takes longer than {MOST_MICROS} us"
    );
}
