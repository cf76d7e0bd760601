//! Size and speed of the compressed corpus over the files of a folder.
//!
//! ```text
//! cargo run --release --example compressed-speed -- FOLDER
//! ```
//!
//! Each file is a record, up to 28 MB of them altogether in the order of their paths. Patterns are drawn
//! from the records with a fixed seed. Everything runs on one thread.

use std::{
    error::Error,
    fs,
    hint::black_box,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use attribution_engine::corpus::compressed::{CompressedCorpus, Sampling};
use rand_chacha::{
    rand_core::{RngCore, SeedableRng},
    ChaCha8Rng,
};

const MOST_BYTES: usize = 28_000_000;
const PATTERNS: usize = 20_000;

fn main() -> Result<(), Box<dyn Error>> {
    let folder = std::env::args_os().nth(1).ok_or("which folder?")?;
    let mut paths = Vec::new();
    list(Path::new(&folder), &mut paths)?;
    paths.sort();
    let (mut records, mut bytes) = (Vec::new(), 0);
    for path in paths {
        let record = fs::read(path)?;
        if bytes + record.len() <= MOST_BYTES {
            bytes += record.len();
            records.push(record);
        }
    }
    records.retain(|record| record.len() >= 4_096);
    let bytes = records.iter().map(Vec::len).sum::<usize>();
    if records.is_empty() {
        return Err("the folder has no file of at least 4,096 bytes".into());
    }
    println!("{} records, {bytes} bytes", records.len());

    let rows = records.iter().map(|record| Some(&record[..]));
    let rows = rows.collect::<Vec<_>>();
    let start = Instant::now();
    let corpus = CompressedCorpus::build(&rows, Sampling::default())?;
    let elapsed = start.elapsed().as_secs_f64();
    println!(
        "build: {elapsed:.2} s, {:.1} MB/s",
        bytes as f64 / elapsed / 1e6
    );
    let table = 4 * records.len() as u64;
    println!(
        "size: {:.4} of the text, record table aside ({table} bytes)",
        (corpus.size() - table) as f64 / bytes as f64
    );

    let mut random = ChaCha8Rng::seed_from_u64(1);
    let mut draw = |length: usize| {
        let row = random.next_u32() as usize % records.len();
        let offset = random.next_u32() as usize % (records[row].len() - length);
        (row as u32, offset as u32, &records[row][offset..][..length])
    };
    for length in [4, 16, 64] {
        let patterns = (0..PATTERNS).map(|_| draw(length).2).collect::<Vec<_>>();
        let times = time(&patterns, |pattern| corpus.count(pattern));
        report(&format!("count of {length} bytes"), times);
    }
    // Bytes that mostly do not occur together.
    let halves = (0..PATTERNS).map(|_| [draw(8).2, draw(8).2].concat());
    let halves = halves.collect::<Vec<_>>();
    report(
        "count of 8 + 8 bytes",
        time(&halves, |pattern| corpus.count(pattern)),
    );
    let patterns = (0..PATTERNS).map(|_| draw(32).2).collect::<Vec<_>>();
    let times = time(&patterns, |pattern| corpus.locate(pattern, 1));
    report("locate of 32 bytes, one place", times);
    let ranges = (0..2_000).map(|_| draw(256)).collect::<Vec<_>>();
    let times = time(&ranges, |(row, offset, _)| {
        corpus.extract(*row, *offset..offset + 256)
    });
    report("extract of 256 bytes", times);
    let queries = (0..50)
        .map(|_| (0..40).flat_map(|i| draw(20 + 2 * i).2.to_vec()).collect())
        .collect::<Vec<Vec<u8>>>();
    let times = time(&queries, |query| corpus.matching_statistics(query));
    report(
        &format!("matching statistics of {} bytes", queries[0].len()),
        times,
    );
    let queries = (0..50).map(|_| draw(2_000).2).collect::<Vec<_>>();
    let times = time(&queries, |query| corpus.matching_statistics(query));
    report("matching statistics of 2000 bytes verbatim", times);

    let start = Instant::now();
    corpus.verify()?;
    println!("verify: {:.2} s", start.elapsed().as_secs_f64());
    let path = std::env::temp_dir().join(format!("compressed-speed.{}", std::process::id()));
    corpus.save(&path)?;
    let start = Instant::now();
    let loaded = CompressedCorpus::load(&path);
    println!("load: {:.2} s", start.elapsed().as_secs_f64());
    fs::remove_file(&path)?;
    loaded?;
    Ok(())
}

fn list(folder: &Path, paths: &mut Vec<PathBuf>) -> Result<(), Box<dyn Error>> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            list(&entry.path(), paths)?;
        } else if entry.file_type()?.is_file() {
            paths.push(entry.path());
        }
    }
    Ok(())
}

/// The time that each input takes: the least of three rounds over all of them, so that an input is no
/// longer in the cache than others leave it there, and that other programs count little.
fn time<T, R>(inputs: &[T], answer: impl Fn(&T) -> R) -> Vec<Duration> {
    let mut times = vec![Duration::MAX; inputs.len()];
    for _ in 0..3 {
        for (input, time) in inputs.iter().zip(&mut times) {
            let start = Instant::now();
            black_box(answer(input));
            *time = start.elapsed().min(*time);
        }
    }
    times.sort_unstable();
    times
}

fn report(what: &str, times: Vec<Duration>) {
    let at = |share: f64| times[(share * (times.len() - 1) as f64) as usize].as_secs_f64() * 1e6;
    println!("{what}: median {:.2} us, 99 % {:.2} us", at(0.5), at(0.99));
}
