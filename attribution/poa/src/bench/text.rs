//! Building and searching an index of texts, beside the suffix sorter by itself and beside reads of memory
//! that wait for one another.

use super::{median, Bench, Measurement};
use crate::records;
use anyhow::{anyhow, ensure, Result};
use attribution_engine::corpus::{Corpus, SpanRules};
use libsais::SuffixArrayConstruction;
use rand_chacha::rand_core::RngCore;
use std::{hint::black_box, path::PathBuf, time::Instant};

/// Bytes of made-up text.
const BYTES: usize = 32_000_000;
const FEW_BYTES: usize = 4_000_000;
/// Bytes of a record of made-up text.
const RECORD: usize = 2_048;
/// Bytes of a pattern that is counted.
const PATTERN: usize = 16;
/// Bytes of a context whose next byte is predicted.
const CONTEXT: usize = 64;
/// Bytes of an output that is traced.
const OUTPUT: usize = 458;
/// Searches, and outputs traced.
const QUERIES: usize = 10_000;
const TRACES: usize = 300;
/// Least bytes to measure on.
const LEAST: usize = 100_000;

pub(super) fn measure(bench: &mut Bench, paths: &[PathBuf]) -> Result<()> {
    let texts = if paths.is_empty() {
        let bytes = if bench.quick { FEW_BYTES } else { BYTES };
        let text = words(bench, bytes);
        text.chunks(RECORD).map(<[u8]>::to_vec).collect()
    } else {
        let records = records::read(paths)?.into_iter();
        records.map(|record| record.bytes).collect::<Vec<_>>()
    };
    let total = texts.iter().map(Vec::len).sum::<usize>();
    ensure!(
        total >= LEAST,
        "the corpus has {total} bytes: it takes {LEAST} to measure anything"
    );
    let records = texts
        .iter()
        .map(|text| Some(text.as_slice()))
        .collect::<Vec<_>>();
    build(bench, &texts, &records)?;
    let corpus = Corpus::build(&records)?;
    searches(bench, &corpus, &texts)
}

fn build(bench: &mut Bench, texts: &[Vec<u8>], records: &[Option<&[u8]>]) -> Result<()> {
    let text = texts.concat();
    let what = Measurement {
        name: format!("index {:.0} MB of text", text.len() as f64 / 1e6),
        unit: "B",
        amount: text.len() as f64,
        reference: "libsais by itself, one thread",
        rounds: if bench.quick { 1 } else { 3 },
    };
    bench.compare(
        what,
        || {
            black_box(Corpus::build(records)?);
            Ok(())
        },
        || {
            let sorted = SuffixArrayConstruction::for_text(&text)
                .in_owned_buffer32()
                .single_threaded()
                .run()
                .map_err(|error| anyhow!("libsais failed: {error:?}"))?;
            black_box(sorted);
            Ok(())
        },
    )
}

/// Median times of single searches, beside a read that depends on the one before in a table as large as
/// the suffix array.
fn searches(bench: &mut Bench, corpus: &Corpus, texts: &[Vec<u8>]) -> Result<()> {
    let reads = dependent_reads(bench, corpus.bytes());
    let mut times = |name: &str, length, count, run: &dyn Fn(&[u8]) -> Result<()>| -> Result<()> {
        let mut seconds = Vec::with_capacity(count);
        for warm_up in [true, false] {
            for piece in pieces(bench, texts, length, count)? {
                let start = Instant::now();
                run(black_box(piece))?;
                if !warm_up {
                    seconds.push(start.elapsed().as_secs_f64());
                }
            }
        }
        let what = Measurement {
            name: name.to_owned(),
            unit: "queries",
            amount: 1.0,
            reference: "one read of random memory",
            rounds: 1,
        };
        bench.push(what, median(seconds), reads);
        Ok(())
    };
    times(
        &format!("count {PATTERN} bytes"),
        PATTERN,
        QUERIES,
        &|piece| {
            black_box(corpus.count(piece)?);
            Ok(())
        },
    )?;
    // Texts that hold all 256 bytes are indexed in another unit, which predicts nothing about bytes.
    if let Some(index) = corpus.index() {
        let name = format!("infinite-gram probability, {CONTEXT} bytes");
        times(&name, CONTEXT + 1, QUERIES, &|piece| {
            black_box(index.infinite_gram(&piece[..CONTEXT], piece[CONTEXT]));
            Ok(())
        })?;
    }
    let rules = SpanRules {
        minimum_length: 8,
        maximum_count: u64::MAX,
        maximum_places: 10,
    };
    times(&format!("trace {OUTPUT} bytes"), OUTPUT, TRACES, &|piece| {
        black_box(corpus.maximal_spans(piece, rules, |row| row)?);
        Ok(())
    })
}

/// Pieces of records, two of which are put together where one is too short.
fn pieces<'a>(
    bench: &mut Bench,
    texts: &'a [Vec<u8>],
    length: usize,
    count: usize,
) -> Result<Vec<&'a [u8]>> {
    let long = texts
        .iter()
        .filter(|text| text.len() >= length)
        .collect::<Vec<_>>();
    ensure!(
        !long.is_empty(),
        "no record has the {length} bytes that a query takes: name longer records"
    );
    Ok((0..count)
        .map(|_| {
            let text = long[bench.below(long.len())];
            let start = bench.below(text.len() - length + 1);
            &text[start..start + length]
        })
        .collect())
}

/// Seconds for a read of a random entry that depends on the read before.
fn dependent_reads(bench: &mut Bench, entries: usize) -> f64 {
    // Sattolo's shuffle makes one cycle of all entries.
    let mut next = (0..entries as u32).collect::<Vec<_>>();
    for i in (1..entries).rev() {
        next.swap(i, bench.below(i));
    }
    let steps = 1 << 18;
    let times = (0..5).map(|_| {
        let start = Instant::now();
        let mut at = 0;
        for _ in 0..steps {
            at = next[at as usize];
        }
        black_box(at);
        start.elapsed().as_secs_f64() / f64::from(steps)
    });
    median(times.collect())
}

/// Made-up words, frequent ones far more frequent than rare ones.
fn words(bench: &mut Bench, length: usize) -> Vec<u8> {
    let vocabulary = (0..20_000)
        .map(|_| {
            let letters = 2 + bench.below(9);
            (0..letters)
                .map(|_| b'a' + bench.below(26) as u8)
                .collect::<Vec<_>>()
        })
        .collect::<Vec<_>>();
    let mut text = Vec::with_capacity(length + 16);
    while text.len() < length {
        let uniform = f64::from(bench.rng.next_u32()) / 4_294_967_296.0;
        let rank = (vocabulary.len() as f64).powf(uniform) as usize - 1;
        text.extend(&vocabulary[rank]);
        text.push(b' ');
    }
    text.truncate(length);
    text
}
