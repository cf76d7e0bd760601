//! The same bytes from every set of vector instructions and any number of threads.
//!
//! `determinism.rs [--quick]` runs all that is committed or paid (projection, index and its extension,
//! preconditioner, directions, query, scores, best rows, shares) with each set of instructions that the
//! processor has and on 1, 2 and 4 threads, and prints a BLAKE3 digest of each step's result. It fails
//! unless all digests of a step are equal.

use std::{env, error::Error, fs, num::NonZero};

use attribution_engine::{
    corpus::{cover, Corpus, CoverRules},
    duplicates::{standings, Standing},
    influence::{
        quantise_query, Index, IndexBuilder, IndexExtension, Preconditioner, Quantisation, DAMPING,
    },
    projection::Projection,
    scan::{top_k_with, Instructions},
    shares::{record_shares, trace_shares},
};
use attribution_proof::{hash::Hash, influence::credit_score, ruleset::ReceiptRules};
use rand_chacha::{
    rand_core::{RngCore, SeedableRng},
    ChaCha8Rng,
};
use rayon::prelude::*;

type Result<T> = std::result::Result<T, Box<dyn Error + Send + Sync>>;

const THREADS: [usize; 3] = [1, 2, 4];
const RULES: ReceiptRules = ReceiptRules {
    top_k: 64,
    floor_numerator: 1,
    floor_denominator: 1_000,
    minimum_span: 8,
    span_weight_cap: 100,
    influence_mix: 500_000_000,
};

/// What is computed. Dimensions that no vector fills are among them.
struct Case {
    coordinates: usize,
    dimension: u32,
    rows: usize,
    added: usize,
}

/// The name of a step and the digest of what came out of it.
type Digests = Vec<(String, blake3::Hash)>;

fn main() -> Result<()> {
    let quick = match env::args().nth(1).as_deref() {
        None => false,
        Some("--quick") => true,
        Some(other) => return Err(format!("unknown argument {other}").into()),
    };
    let scale = if quick { 1 } else { 8 };
    let cases = [
        // More rows than columns, and fewer.
        Case {
            coordinates: 20_000,
            dimension: 256,
            rows: 500 * scale,
            added: 77,
        },
        Case {
            coordinates: 30_000,
            dimension: 1_024,
            rows: 60 * scale,
            added: 9,
        },
        Case {
            coordinates: 5_000,
            dimension: 301,
            rows: 200,
            added: 1,
        },
    ];
    let sets = Instructions::available();
    let names = sets.iter().map(|set| set.name()).collect::<Vec<_>>();
    let cores = std::thread::available_parallelism().map_or(1, NonZero::get);
    println!("{cores} cores; instructions: {}", names.join(", "));
    let mut expected: Option<Digests> = None;
    let mut all_equal = true;
    for set in &sets {
        for threads in THREADS {
            let pool = rayon::ThreadPoolBuilder::new()
                .num_threads(threads)
                .build()?;
            let found = pool.install(|| {
                let digests = cases
                    .iter()
                    .enumerate()
                    .map(|(number, case)| run(*set, number, case));
                Ok::<_, Box<dyn Error + Send + Sync>>(digests.collect::<Result<Vec<_>>>()?.concat())
            })?;
            let mut whole = blake3::Hasher::new();
            for (_, digest) in &found {
                whole.update(digest.as_bytes());
            }
            println!("{:12} {threads} threads  {}", set.name(), whole.finalize());
            let expected = expected.get_or_insert_with(|| {
                for (step, digest) in &found {
                    println!("             {step:32} {digest}");
                }
                found.clone()
            });
            for ((step, digest), (_, first)) in found.iter().zip(expected.iter()) {
                if digest != first {
                    println!("             {step:32} {digest} DIFFERS");
                    all_equal = false;
                }
            }
        }
    }
    let missing = ["AVX2", "AVX-512"]
        .into_iter()
        .filter(|name| !names.contains(name));
    let missing = missing.collect::<Vec<_>>();
    let missing = if missing.is_empty() {
        String::new()
    } else {
        format!("; this processor has no {}", missing.join(" and no "))
    };
    println!(
        "RESULT\tdeterminism\t{} of projection, index, extension, preconditioner, directions, query, \
         scores, best rows, shares: {} on 1, 2, 4 threads{missing}\tbit-identical with SIMD off, AVX2 \
         and AVX-512 on 1, 2, 4 threads\t{}",
        if all_equal { "the same bits" } else { "different bits" },
        names.join(", "),
        if all_equal && missing.is_empty() { "holds" } else { "misses" },
    );
    if all_equal {
        Ok(())
    } else {
        Err("the same input gave different bits".into())
    }
}

fn run(set: Instructions, number: usize, case: &Case) -> Result<Digests> {
    let mut digests = Digests::new();
    let mut add = |step: &str, bytes: &[u8]| {
        let step = format!("case {number}: {step}");
        digests.push((step, blake3::hash(bytes)));
    };
    let dimension = case.dimension as usize;
    let nonzeros = if dimension.is_multiple_of(4) { 4 } else { 1 };
    let seed = [number as u8; 32];
    let kept = case.coordinates / 3;
    let projections = [
        Projection::new(&seed, case.coordinates, dimension, nonzeros)?,
        Projection::masked(&seed, case.coordinates, kept, dimension, nonzeros)?,
    ];
    let [projection, _] = &projections;
    let vector = gradient(u64::MAX, case.coordinates);
    for (name, projection) in ["projection", "masked projection"].iter().zip(&projections) {
        add(
            name,
            &little_endian(&projection.project(&vector)?, f32::to_le_bytes),
        );
    }

    // Some copies, and one record that was taken back.
    let commit = |row: usize| Hash::repeat_byte((row % 251) as u8);
    let commits = (0..case.rows).map(commit).collect::<Vec<_>>();
    let tombstoned = (0..case.rows).map(|row| row == 3).collect::<Vec<_>>();
    let mut builder = IndexBuilder::new(
        Quantisation::for_dimension(case.dimension),
        standings(&commits, &tombstoned)?,
    )?;
    let projected = |rows: &[u32]| {
        rows.par_iter()
            .map(|row| projection.project(&gradient(u64::from(*row), case.coordinates)))
            .collect::<std::result::Result<Vec<_>, _>>()
    };
    let rows = builder.rows().to_vec();
    for (row, gradient) in rows.iter().zip(projected(&rows)?) {
        builder.set(*row, &gradient)?;
    }
    let (index, _) = builder.finish()?;
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("index");
    index.save(&path)?;
    add("index", &fs::read(&path)?);
    let mut extension = IndexExtension::new(&index, &vec![Standing::Own; case.added])?;
    let rows = extension.rows().to_vec();
    for (row, gradient) in rows.iter().zip(projected(&rows)?) {
        extension.set(*row, &gradient)?;
    }
    extension.append_to(&path)?;
    add("extended index", &fs::read(&path)?);
    let extended = Index::open(&path)?;
    let leaves = (0..extended.len()).map(commit).collect::<Vec<_>>();
    add(
        "root",
        extended.tree(9, &leaves)?.commitment().root.as_ref(),
    );

    let mut directions = Vec::new();
    for index in [&index, &extended] {
        let preconditioner = Preconditioner::new_with(set, index, DAMPING)?;
        add("preconditioner", &preconditioner.commit());
        let direction = preconditioner.direction(&projection.project(&vector)?)?;
        add(
            "direction",
            &little_endian(&direction.values, f64::to_le_bytes),
        );
        directions.push(direction);
    }
    let query = quantise_query(&[(1, &directions[0]), (2, &directions[1])])?;
    add("query", format!("{query:?}").as_bytes());

    let mut scores = Vec::new();
    for (model, index) in [(1, &index), (2, &extended)] {
        let vector = query.vector(model).ok_or("the query has no vector")?;
        for row in 0..index.len() as u32 {
            let row = index.row(row).ok_or("a row is missing")?;
            scores.push(credit_score(vector, &row, RULES.floor()).unwrap_or(0));
        }
    }
    add("scores", &little_endian(&scores, i64::to_le_bytes));
    let indexes = [(1, &index), (2, &extended)];
    let credits = top_k_with(set, &indexes, &query, RULES.top_k as usize, RULES.floor())?;
    if credits.is_empty() {
        return Err("no row passes the floor, so nothing would be compared".into());
    }
    add("best rows", format!("{credits:?}").as_bytes());

    let texts: Vec<Option<&[u8]>> = vec![
        Some(b"It was the best of times, it was the worst of times"),
        Some(b"Call me Ishmael. Some years ago, never mind how long"),
    ];
    let corpus = Corpus::build(&texts)?;
    let rules = CoverRules {
        minimum_span: RULES.minimum_span,
        maximum_spans: 64,
    };
    let spans = cover(&[(1, &corpus)], b"it was the worst, some years ago", rules)?;
    let shares = trace_shares(&credits, &spans, &RULES, |model, row| {
        u64::from(model * 1_000 + row % 7)
    })?;
    add("shares of an answer", format!("{shares:?}").as_bytes());
    let scores = scores.iter().map(|score| *score as f64).collect::<Vec<_>>();
    let shares = record_shares(&scores, &vec![Standing::Own; scores.len()], None)?;
    add(
        "shares of records",
        &little_endian(&shares, u32::to_le_bytes),
    );
    Ok(digests)
}

/// Values of very different sizes around a direction that all have in common.
fn gradient(seed: u64, length: usize) -> Vec<f32> {
    let uniform = |rng: &mut ChaCha8Rng| rng.next_u32() as f32 / 2_147_483_648.0 - 1.0;
    let mut common = ChaCha8Rng::seed_from_u64(1 << 40);
    let mut own = ChaCha8Rng::seed_from_u64(seed);
    let size = f32::exp2((3.0 * uniform(&mut own)).round());
    (0..length)
        .map(|_| size * (0.3 * uniform(&mut common) + uniform(&mut own)))
        .collect()
}

fn little_endian<T: Copy, const N: usize>(values: &[T], encode: fn(T) -> [u8; N]) -> Vec<u8> {
    values.iter().flat_map(|value| encode(*value)).collect()
}
