//! What the text index costs, beside the suffix sorter called by itself on the same bytes.
//!
//! ```text
//! cargo run --release --example text-speed -- FILE          the text of a file
//! cargo run --release --example text-speed -- FOLDER        the text files below a folder
//! cargo run --release --example text-speed -- PATH BYTES    at most so many bytes of it
//! ```

use std::{
    hint::black_box,
    path::{Path, PathBuf},
    time::Instant,
};

use attribution_engine::corpus::{
    build_in_parts, cover, Control, Corpus, CoverRules, Parts, SpanRules, TextIndex,
};
use libsais::SuffixArrayConstruction;
use rand_chacha::{
    rand_core::{RngCore, SeedableRng},
    ChaCha8Rng,
};

const BYTES: usize = 28_500_000;
const QUERIES: usize = 10_000;
const OUTPUT: usize = 458;
const TRACES: usize = 500;
const PARTS: usize = 4;

fn main() {
    let mut arguments = std::env::args().skip(1);
    let path = arguments.next().expect("give a file or a folder of text");
    let bytes = arguments.next().map_or(BYTES, |bytes| {
        bytes
            .parse()
            .expect("the second argument is a number of bytes")
    });
    let records = collect(Path::new(&path), bytes);
    let total = records.iter().map(Vec::len).sum::<usize>();
    println!("{} records, {total} bytes", records.len());
    // Every eleventh record is held out: outputs are cut from there as from records that are indexed.
    let (held_out, indexed): (Vec<_>, Vec<_>) =
        records.iter().enumerate().partition(|(i, _)| i % 11 == 10);
    let held_out = held_out
        .into_iter()
        .map(|(_, record)| &record[..])
        .collect::<Vec<_>>();
    let indexed = indexed
        .into_iter()
        .map(|(_, record)| &record[..])
        .collect::<Vec<_>>();

    build(&indexed);
    let index = TextIndex::build(&indexed.iter().copied().map(Some).collect::<Vec<_>>()).unwrap();
    queries(&index, &indexed, &held_out);
    let corpus = Corpus::build(&indexed.iter().copied().map(Some).collect::<Vec<_>>()).unwrap();
    traces(&corpus, &indexed, "indexed");
    traces(&corpus, &held_out, "held out");
    in_parts(&indexed, &held_out);
}

/// Records of two kilobytes, cut between words.
fn collect(path: &Path, bytes: usize) -> Vec<Vec<u8>> {
    let mut files = Vec::new();
    find_files(path, &mut files);
    files.sort();
    let (mut records, mut total) = (Vec::new(), 0);
    for file in files {
        let text = std::fs::read(&file).expect("files must be readable");
        if std::str::from_utf8(&text).is_err() {
            continue;
        }
        let mut record = Vec::new();
        for word in text.split_inclusive(|byte| byte.is_ascii_whitespace()) {
            record.extend(word);
            if total + record.len() >= bytes || record.len() > 2_000 {
                total += record.len();
                records.push(std::mem::take(&mut record));
            }
            if total >= bytes {
                return records;
            }
        }
        total += record.len();
        records.push(record);
    }
    records
}

fn find_files(path: &Path, files: &mut Vec<PathBuf>) {
    if path.is_file() {
        files.push(path.to_owned());
        return;
    }
    let entries = std::fs::read_dir(path).expect("folders must be readable");
    for entry in entries.flatten() {
        find_files(&entry.path(), files);
    }
}

fn seconds<R>(run: impl FnOnce() -> R) -> f64 {
    let start = Instant::now();
    black_box(run());
    start.elapsed().as_secs_f64()
}

/// The median of times in seconds, in microseconds, and the 99th percentile.
fn report(what: &str, mut times: Vec<f64>) {
    times.sort_by(f64::total_cmp);
    let (median, late) = (times[times.len() / 2], times[times.len() * 99 / 100]);
    println!(
        "{what}: median {:.2} us, 99th percentile {:.2} us",
        median * 1e6,
        late * 1e6
    );
}

fn build(indexed: &[&[u8]]) {
    let records = indexed.iter().copied().map(Some).collect::<Vec<_>>();
    let text = indexed.concat();
    let rounds = (0..5).map(|_| {
        let sorter = seconds(|| {
            SuffixArrayConstruction::for_text(&text)
                .in_owned_buffer32()
                .single_threaded()
                .run()
                .unwrap()
        });
        (sorter, seconds(|| TextIndex::build(&records).unwrap()))
    });
    let (mut sorter, mut index): (Vec<_>, Vec<_>) = rounds.unzip();
    sorter.sort_by(f64::total_cmp);
    index.sort_by(f64::total_cmp);
    let rate = |seconds: f64| text.len() as f64 / 1e6 / seconds;
    println!(
        "build: {:.1} MB/s; libsais by itself {:.1} MB/s; ratio {:.3} (medians of 5, alternating)",
        rate(index[2]),
        rate(sorter[2]),
        sorter[2] / index[2]
    );
}

/// A piece of a record that is long enough.
fn piece<'a>(rng: &mut ChaCha8Rng, records: &[&'a [u8]], length: usize) -> &'a [u8] {
    loop {
        let record = records[rng.next_u64() as usize % records.len()];
        if record.len() >= length {
            let start = rng.next_u64() as usize % (record.len() - length + 1);
            return &record[start..start + length];
        }
    }
}

fn queries(index: &TextIndex<u8>, indexed: &[&[u8]], held_out: &[&[u8]]) {
    let mut rng = ChaCha8Rng::seed_from_u64(1);
    let mut time = |what: &str, records: &[&[u8]], length, run: &dyn Fn(&[u8])| {
        let pieces = (0..QUERIES)
            .map(|_| piece(&mut rng, records, length))
            .collect::<Vec<_>>();
        report(
            what,
            pieces.iter().map(|piece| seconds(|| run(piece))).collect(),
        );
    };
    let count = |pattern: &[u8]| {
        black_box(index.count(pattern).unwrap());
    };
    time("warm-up", indexed, 16, &count);
    for length in [4, 8, 16, 20, 64] {
        time(&format!("count {length} bytes"), indexed, length, &count);
    }
    let infinite = |piece: &[u8]| {
        black_box(index.infinite_gram(&piece[..64], piece[64]));
    };
    time("infinite-gram 64, indexed", indexed, 65, &infinite);
    time("infinite-gram 64, held out", held_out, 65, &infinite);
    let distribution = |piece: &[u8]| {
        black_box(index.infinite_gram_distribution(piece));
    };
    time(
        "infinite-gram distribution 64, held out",
        held_out,
        64,
        &distribution,
    );
}

fn traces(corpus: &Corpus, records: &[&[u8]], what: &str) {
    let mut rng = ChaCha8Rng::seed_from_u64(2);
    let outputs = (0..TRACES)
        .map(|_| piece(&mut rng, records, OUTPUT))
        .collect::<Vec<_>>();
    let mut spans = 0;
    for minimum_length in [1, 8] {
        let rules = SpanRules {
            minimum_length,
            maximum_count: u64::MAX,
            maximum_places: 10,
        };
        let times = outputs.iter().map(|output| {
            seconds(|| {
                let found = corpus.maximal_spans(output, rules, |row| row / 16).unwrap();
                spans += found.len();
                found
            })
        });
        report(
            &format!("maximal spans of {OUTPUT} bytes, {what}, minimum {minimum_length}"),
            times.collect(),
        );
    }
    println!(
        "  {:.1} spans in the mean",
        spans as f64 / (2 * TRACES) as f64
    );
    for minimum_span in [8, 32] {
        let rules = CoverRules {
            minimum_span,
            maximum_spans: 64,
        };
        let times = outputs
            .iter()
            .map(|output| seconds(|| cover(&[(1, corpus)], output, rules).unwrap()));
        report(
            &format!("cover of {OUTPUT} bytes, {what}, minimum {minimum_span}"),
            times.collect(),
        );
    }
}

fn in_parts(indexed: &[&[u8]], held_out: &[&[u8]]) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("index");
    let total = indexed.iter().map(|record| record.len() + 1).sum::<usize>();
    let parts = Parts {
        part_tokens: total.div_ceil(PARTS) + (1 << 20),
        separator: 255,
    };
    let control = Control {
        cancelled: &|| false,
        progress: &|_| {},
    };
    let records = indexed.iter().map(|record| Ok(Some(record)));
    let time = seconds(|| build_in_parts(&path, records, parts, control).unwrap());
    println!(
        "build in {PARTS} parts to a file: {:.1} MB/s",
        total as f64 / 1e6 / time
    );
    let open = seconds(|| TextIndex::<u8>::open(&path).unwrap());
    let index = TextIndex::<u8>::open(&path).unwrap();
    let verify = seconds(|| index.verify().unwrap());
    println!(
        "opened in {:.0} us, verified in {:.0} ms",
        open * 1e6,
        verify * 1e3
    );
    println!("from the file:");
    queries(&index, indexed, held_out);
}
