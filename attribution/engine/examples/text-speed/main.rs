//! The corpus half of the benchmark: what the text index costs and what it answers.
//!
//! ```text
//! text-speed build CORPUS SCRATCH ROUNDS     sort in memory and in parts, beside the sorter by itself
//! text-speed answer CORPUS FOLDER            answer the queries of a folder, for others to compare
//! text-speed compressed CORPUS FOLDER        the same for the compressed index
//! text-speed parts CORPUS INDEX TOKENS       build an index file in parts of so many tokens
//! text-speed hold INDEX FOLDER               answer from the file, and say what memory that holds
//! ```
//!
//! A corpus, and each file of queries, is a file of byte strings with a byte 255 before each, which is how
//! infini-gram lays out byte tokens. Answers are files of little-endian `u64`. `attribution/peers/text.py`
//! writes the queries, reads the answers and compares them with infini-gram's. What it needs to know beside
//! them stands on lines of `FIGURE`, a name and a number, separated by tabs.

mod answer;
mod build;
mod memory;

use std::{error::Error, fs, hint::black_box, path::Path, time::Instant};

type Outcome<T = ()> = Result<T, Box<dyn Error>>;

/// The byte before each string. UTF-8 never holds it.
const SEPARATOR: u8 = 255;

fn main() -> Outcome {
    let arguments = std::env::args().skip(1).collect::<Vec<_>>();
    let arguments = arguments.iter().map(String::as_str).collect::<Vec<_>>();
    match arguments[..] {
        ["build", corpus, scratch, rounds] => {
            build::run(&read(corpus)?, Path::new(scratch), rounds.parse()?)
        }
        ["answer", corpus, folder] => answer::run(&read(corpus)?, Path::new(folder)),
        ["compressed", corpus, folder] => answer::compressed(&read(corpus)?, Path::new(folder)),
        ["parts", corpus, index, tokens] => {
            memory::build(corpus, Path::new(index), tokens.parse()?)
        }
        ["hold", index, folder] => memory::hold(Path::new(index), Path::new(folder)),
        _ => Err(
            "which of build, answer, compressed, parts and hold? see the head of the source".into(),
        ),
    }
}

/// The strings of a file, one behind the other, each with the byte 255 before it.
struct Strings(Vec<u8>);

impl Strings {
    fn iter(&self) -> impl Iterator<Item = &[u8]> + '_ {
        self.0.split(|byte| *byte == SEPARATOR).skip(1)
    }

    /// As an index takes them.
    fn records(&self) -> Vec<Option<&[u8]>> {
        self.iter().map(Some).collect()
    }
}

fn read(path: impl AsRef<Path>) -> Outcome<Strings> {
    let path = path.as_ref();
    let bytes =
        fs::read(path).map_err(|error| format!("cannot read {}: {error}", path.display()))?;
    match bytes.first() {
        Some(&SEPARATOR) => Ok(Strings(bytes)),
        _ => Err(format!("{} does not start with the byte 255", path.display()).into()),
    }
}

/// Writes numbers for others to compare.
fn write(path: &Path, numbers: &[u64]) -> Outcome {
    let bytes = numbers.iter().flat_map(|number| number.to_le_bytes());
    Ok(fs::write(path, bytes.collect::<Vec<_>>())?)
}

fn figure(name: &str, value: f64) {
    println!("FIGURE\t{name}\t{value}");
}

fn seconds<R>(run: impl FnOnce() -> R) -> f64 {
    let start = Instant::now();
    black_box(run());
    start.elapsed().as_secs_f64()
}

fn median(times: &mut [f64]) -> f64 {
    times.sort_by(f64::total_cmp);
    times[times.len() / 2]
}

/// Prints the median and the 99th percentile over the inputs in microseconds. The time of an input is the
/// least of three rounds over all of them: no longer in the cache than the others leave it there, and with
/// little of what other programs cost.
fn time<I>(name: &str, inputs: &[I], answer: impl Fn(&I)) {
    let mut times = vec![f64::INFINITY; inputs.len()];
    for _ in 0..3 {
        for (input, time) in inputs.iter().zip(&mut times) {
            *time = seconds(|| answer(input)).min(*time);
        }
    }
    let middle = median(&mut times) * 1e6;
    let late = times[times.len() * 99 / 100] * 1e6;
    println!("{name}: median {middle:.2} us, 99th percentile {late:.2} us");
    figure(name, middle);
}
