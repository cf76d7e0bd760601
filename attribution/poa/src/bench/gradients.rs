//! Projection and scan of gradients, beside reading the same memory.

use super::{Bench, Measurement};
use anyhow::Result;
use attribution_engine::{
    duplicates::Standing,
    influence::{quantise_query, Direction, Index, IndexBuilder, Quantisation},
    projection::Projection,
    scan::top_k,
};
use attribution_proof::influence::CosineFloor;
use rayon::prelude::*;
use std::hint::black_box;

/// Values in a row of the index.
const DIMENSION: usize = 1_024;
/// Rows that are made; the index consists of copies of them in memory of their own.
const ROWS: usize = 15_625;
/// Copies: a million rows in all, and fewer in a hurry.
const COPIES: usize = 64;
const FEW_COPIES: usize = 8;
/// Coordinates that are projected.
const COORDINATES: usize = 1 << 20;
/// Rows that a scan returns, as in a receipt.
const TOP: usize = 64;
/// Bytes that a thread sums up at a time.
const BLOCK: usize = 1 << 18;

pub(super) fn measure(bench: &mut Bench) -> Result<()> {
    projection(bench)?;
    scan(bench)
}

fn projection(bench: &mut Bench) -> Result<()> {
    let projection = Projection::new(&[1; 32], COORDINATES, DIMENSION, 4)?;
    let vector = bench.numbers(COORDINATES);
    let what = Measurement {
        name: format!("project a gradient, 2^20 to {DIMENSION}"),
        unit: "values",
        amount: COORDINATES as f64,
        reference: "reading it, one thread",
        rounds: 15,
    };
    bench.compare(
        what,
        || {
            black_box(projection.project(black_box(&vector))?);
            Ok(())
        },
        || {
            black_box(sum_floats(black_box(&vector)));
            Ok(())
        },
    )
}

/// Eight sums at once, so that memory and not the latency of an addition decides.
fn sum_floats(values: &[f32]) -> f32 {
    let mut sums = [0.0_f32; 8];
    let (chunks, _) = values.as_chunks::<8>();
    for chunk in chunks {
        for (sum, value) in sums.iter_mut().zip(chunk) {
            *sum += value;
        }
    }
    sums.iter().sum()
}

fn scan(bench: &mut Bench) -> Result<()> {
    let index = index(bench)?;
    let copies = if bench.quick { FEW_COPIES } else { COPIES };
    let indexes = vec![index; copies];
    let models = (0..).zip(&indexes).collect::<Vec<_>>();
    let direction = Direction {
        values: bench
            .numbers(DIMENSION)
            .into_iter()
            .map(f64::from)
            .collect(),
        unit: 1.0,
    };
    let directions = models
        .iter()
        .map(|(model, _)| (*model, &direction))
        .collect::<Vec<_>>();
    let query = quantise_query(&directions)?;
    let floor = CosineFloor {
        numerator: 1,
        denominator: 100,
    };
    let bytes = models
        .iter()
        .flat_map(|(_, index)| index.vectors())
        .map(<[i8]>::len)
        .sum::<usize>();
    let what = Measurement {
        name: format!("scan {} rows, best {TOP}", ROWS * copies),
        unit: "B",
        amount: bytes as f64,
        reference: "a sum of the same bytes",
        rounds: 7,
    };
    bench.compare(
        what,
        || {
            black_box(top_k(&models, black_box(&query), TOP, floor)?);
            Ok(())
        },
        || {
            for vectors in models.iter().flat_map(|(_, index)| index.vectors()) {
                black_box(sum_bytes(black_box(vectors)));
            }
            Ok(())
        },
    )
}

fn index(bench: &mut Bench) -> Result<Index> {
    let terms = Quantisation::for_dimension(DIMENSION as u32);
    let mut builder = IndexBuilder::new(terms, vec![Standing::Own; ROWS])?;
    for row in 0..ROWS as u32 {
        builder.set(row, &bench.numbers(DIMENSION))?;
    }
    Ok(builder.finish()?.0)
}

/// Reads all bytes with all threads.
fn sum_bytes(bytes: &[i8]) -> u64 {
    bytes
        .par_chunks(BLOCK)
        .map(|bytes| {
            bytes
                .chunks_exact(8)
                .map(|word| u64::from_ne_bytes(std::array::from_fn(|i| word[i] as u8)))
                .fold(0, u64::wrapping_add)
        })
        .reduce(|| 0, u64::wrapping_add)
}
