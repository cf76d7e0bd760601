//! What tracing costs, as ratios to something known, measured in the same run.
//!
//! ```text
//! cargo bench -p attribution-engine                    synthetic text
//! cargo bench -p attribution-engine -- FILE            the text of a file
//! cargo bench -p attribution-engine -- --rows 1000000  a larger index (five bytes a value to build)
//! cargo bench -p attribution-engine -- --quick         a smaller index
//! ```

use std::{hint::black_box, time::Instant};

use attribution_engine::{
    corpus::{cover, Corpus, CoverRules},
    duplicates::Standing,
    influence::{quantise_query, Direction, Index, IndexBuilder, Preconditioner, Quantisation},
    projection::Projection,
    scan::top_k,
};
use attribution_proof::influence::CosineFloor;
use rand_chacha::{
    rand_core::{RngCore, SeedableRng},
    ChaCha8Rng,
};
use rayon::prelude::*;

const DIMENSION: usize = 1_024;
const CORPUS_BYTES: usize = 5_000_000;
const RESPONSE_BYTES: usize = 4_096;

fn main() {
    let mut rows = 65_536;
    let mut text = None;
    let mut arguments = std::env::args()
        .skip(1)
        .filter(|argument| argument != "--bench");
    while let Some(argument) = arguments.next() {
        if argument == "--rows" {
            let value = arguments.next().and_then(|value| value.parse().ok());
            rows = value.expect("--rows takes a number");
        } else if argument == "--quick" {
            rows = 8_192;
        } else {
            text = Some(std::fs::read(&argument).expect("the text file must be readable"));
        }
    }
    println!("{} threads", rayon::current_num_threads());
    projection();
    influence(rows);
    spans(&text.unwrap_or_else(|| words(CORPUS_BYTES)));
}

/// Median seconds of `count` runs after one that is not counted.
fn median(count: usize, mut run: impl FnMut()) -> f64 {
    run();
    let mut seconds = (0..count)
        .map(|_| {
            let start = Instant::now();
            run();
            start.elapsed().as_secs_f64()
        })
        .collect::<Vec<_>>();
    seconds.sort_by(f64::total_cmp);
    seconds[count / 2]
}

fn gradient(rng: &mut ChaCha8Rng, length: usize) -> Vec<f32> {
    (0..length)
        .map(|_| rng.next_u32() as f32 / 2_147_483_648.0 - 1.0)
        .collect()
}

fn projection() {
    let coordinates = 1 << 20;
    let start = Instant::now();
    let projection = Projection::new(&[1; 32], coordinates, DIMENSION, 4).unwrap();
    let draw = start.elapsed().as_secs_f64();
    let vector = gradient(&mut ChaCha8Rng::seed_from_u64(1), coordinates);
    let project = median(9, || {
        black_box(projection.project(black_box(&vector)).unwrap());
    });
    println!(
        "projection: 2^20 -> {DIMENSION}, 4 entries: drawn in {:.1} ms, applied in {:.2} ms",
        draw * 1e3,
        project * 1e3
    );
}

fn influence(rows: usize) {
    let mut rng = ChaCha8Rng::seed_from_u64(2);
    let mut builder = IndexBuilder::new(
        Quantisation::for_dimension(DIMENSION as u32),
        vec![Standing::Own; rows],
    )
    .unwrap();
    for row in 0..rows {
        builder
            .set(row as u32, &gradient(&mut rng, DIMENSION))
            .unwrap();
    }
    let start = Instant::now();
    let (index, _) = builder.finish().unwrap();
    println!(
        "index: {rows} rows quantised in {:.2} s",
        start.elapsed().as_secs_f64()
    );

    let query = gradient(&mut rng, DIMENSION);
    for count in [512, 2_048] {
        let some = sub_index(&index, count);
        let start = Instant::now();
        let preconditioner = Preconditioner::new(&some, 0.1).unwrap();
        let build = start.elapsed().as_secs_f64();
        let direction = median(9, || {
            black_box(preconditioner.direction(black_box(&query)).unwrap());
        });
        let order = count.min(DIMENSION);
        let matrix = faer::Mat::from_fn(order, order, |i, j| if i == j { 2.0 } else { 1e-3 });
        let faer = median(3, || {
            black_box(black_box(&matrix).llt(faer::Side::Lower).unwrap());
        });
        println!(
            "preconditioner: {count} rows: built in {:.3} s (faer factorises order {order} in \
             {faer:.3} s), direction in {:.2} ms",
            build,
            direction * 1e3
        );
    }

    let values = query.iter().map(|value| f64::from(*value)).collect();
    let query = quantise_query(&[(1, &Direction { values, unit: 1.0 })]).unwrap();
    let floor = CosineFloor {
        numerator: 1,
        denominator: 100,
    };
    let scan = median(9, || {
        black_box(top_k(&[(1, &index)], black_box(&query), 64, floor).unwrap());
    });
    let sum = median(9, || {
        let parts = black_box(&index).vectors();
        let sums = parts.map(|part| part.par_chunks(1 << 18).map(sum_words).sum::<u64>());
        black_box(sums.fold(0, u64::wrapping_add));
    });
    let bytes = index.vectors().map(<[i8]>::len).sum::<usize>() as f64;
    println!(
        "scan: {:.2} ms, {:.1} GB/s; read-only sum of the same buffer: {:.2} ms, {:.1} GB/s; \
         ratio {:.2}",
        scan * 1e3,
        bytes / scan / 1e9,
        sum * 1e3,
        bytes / sum / 1e9,
        sum / scan
    );
}

/// The first rows of an index.
fn sub_index(index: &Index, count: usize) -> Index {
    let mut builder = IndexBuilder::new(*index.quantisation(), vec![Standing::Own; count]).unwrap();
    for row in 0..count as u32 {
        let gradient = index.gradient(row).unwrap();
        let gradient = gradient
            .iter()
            .map(|value| *value as f32)
            .collect::<Vec<_>>();
        builder.set(row, &gradient).unwrap();
    }
    builder.finish().unwrap().0
}

fn sum_words(bytes: &[i8]) -> u64 {
    bytes
        .chunks_exact(8)
        .map(|word| u64::from_ne_bytes(std::array::from_fn(|i| word[i] as u8)))
        .fold(0, u64::wrapping_add)
}

/// Text of made-up words, frequent ones far more frequent than rare ones.
fn words(length: usize) -> Vec<u8> {
    let mut rng = ChaCha8Rng::seed_from_u64(3);
    let vocabulary = (0..20_000)
        .map(|_| {
            let letters = 2 + rng.next_u32() % 9;
            (0..letters)
                .map(|_| b'a' + (rng.next_u32() % 26) as u8)
                .collect::<Vec<_>>()
        })
        .collect::<Vec<_>>();
    let mut text = Vec::with_capacity(length + 16);
    while text.len() < length {
        let uniform = f64::from(rng.next_u32()) / 4_294_967_296.0;
        let rank = (vocabulary.len() as f64).powf(uniform) as usize - 1;
        text.extend(&vocabulary[rank]);
        text.push(if rng.next_u32() % 12 == 0 {
            b'\n'
        } else {
            b' '
        });
    }
    text
}

fn spans(text: &[u8]) {
    let text = &text[..text.len().min(CORPUS_BYTES)];
    assert!(
        text.len() >= 4 * RESPONSE_BYTES,
        "the text is too short to be cut into responses"
    );
    let records = text.chunks(2_048).map(Some).collect::<Vec<_>>();
    let start = Instant::now();
    let corpus = Corpus::build(&records).unwrap();
    println!(
        "corpus: {} bytes indexed in {:.2} s",
        corpus.bytes(),
        start.elapsed().as_secs_f64()
    );
    let mut rng = ChaCha8Rng::seed_from_u64(4);
    // Short pieces have no span of 32 bytes, so every position is searched.
    for (name, piece) in [("pieces of 24 bytes", 24), ("pieces of 200 bytes", 200)] {
        let responses = (0..50)
            .map(|_| {
                let mut response = Vec::new();
                while response.len() < RESPONSE_BYTES {
                    let at = rng.next_u64() as usize % (text.len() - piece);
                    response.extend(&text[at..at + piece]);
                }
                response.truncate(RESPONSE_BYTES);
                response
            })
            .collect::<Vec<_>>();
        let rules = CoverRules {
            minimum_span: 32,
            maximum_spans: 64,
        };
        let mut next = responses.iter().cycle();
        let mut found = 0;
        let trace = median(responses.len(), || {
            let response = next.next().expect("a cycle does not end");
            found = cover(&[(1, &corpus)], black_box(response), rules)
                .unwrap()
                .len();
        });
        let mut next = responses.iter().cycle();
        let searches = median(responses.len(), || {
            let response = next.next().expect("a cycle does not end");
            for from in 0..response.len() {
                black_box(corpus.longest_match(black_box(response), from));
            }
        });
        println!(
            "cover: {RESPONSE_BYTES} bytes, {name}: {:.2} ms, {found} spans; a search for every \
             position: {:.2} ms, ratio {:.1}",
            trace * 1e3,
            searches * 1e3,
            searches / trace
        );
    }
}
