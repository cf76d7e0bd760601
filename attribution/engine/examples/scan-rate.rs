//! The top-k scan of a million rows of 1,024 values, beside sums of the same bytes.
//!
//! `scan-rate.rs [--quick] [--scratch FOLDER]`
//!
//! Builds an index of `2^20` rows (`--quick`: `2^17`) by [`IndexBuilder`] and, as it would not fit in
//! memory as floating point numbers, by [`IndexExtension`]s of 65,536 rows each. The peer adds up the
//! same buffer as 64-bit words with the same threads in the same pieces; there are six such sums, with
//! every set of vector instructions with and without prefetching, and the fastest of them counts. Runs
//! of scan and sum take turns; rates are those of the fastest run of each, and beside them those by the
//! processor time of all runs, which work beside this one changes less. The best rows are compared with
//! those of a plain loop over all rows.

use std::{
    env,
    error::Error,
    fs,
    hint::black_box,
    path::{Path, PathBuf},
    time::Instant,
};

use attribution_engine::{
    duplicates::Standing,
    influence::{quantise_query, Direction, Index, IndexBuilder, IndexExtension, Quantisation},
    scan::{top_k_with, Instructions},
};
use attribution_proof::{
    challenge::influence_credit,
    influence::{credit_score, CosineFloor, Query},
    receipt::Credit,
};
use rayon::prelude::*;

type Result<T> = std::result::Result<T, Box<dyn Error>>;

const DIMENSION: usize = 1_024;
const BLOCK_ROWS: usize = 65_536;
/// What threads take at a time, in the scan and in the sums.
const PIECE: usize = 1 << 18;
const RUNS: usize = 15;
const BEST: usize = 64;
const MODEL: u32 = 1;
const FLOOR: CosineFloor = CosineFloor {
    numerator: 1,
    denominator: 1_000,
};
const MOST_BYTES_A_ROW: f64 = 1_056.0;

fn main() -> Result<()> {
    let mut blocks = 16;
    let mut scratch = None;
    let mut arguments = env::args_os().skip(1);
    while let Some(argument) = arguments.next() {
        match argument.to_str() {
            Some("--quick") => blocks = 2,
            Some("--scratch") => {
                scratch = Some(PathBuf::from(
                    arguments.next().ok_or("--scratch takes a folder")?,
                ));
            }
            _ => return Err(format!("unknown argument {}", argument.display()).into()),
        }
    }
    let own = tempfile::tempdir()?;
    let folder = scratch.as_deref().unwrap_or(own.path());
    fs::create_dir_all(folder)?;
    let path = folder.join("scan-rate.index");
    build(&path, blocks)?;

    let start = Instant::now();
    let index = Index::load(&path)?;
    let loaded = start.elapsed().as_secs_f64();
    let start = Instant::now();
    let mapped = Index::open(&path)?;
    let opened = start.elapsed().as_secs_f64();
    let rows = index.len();
    let bytes_a_row = fs::metadata(&path)?.len() as f64 / rows as f64;
    println!(
        "{rows} rows, {bytes_a_row:.1} bytes each in the file; loaded and verified in {loaded:.2} s, \
         opened in {:.0} ms",
        1e3 * opened
    );
    let query = query()?;
    check(&[("in memory", &index), ("mapped", &mapped)], &query)?;

    println!("{} threads", rayon::current_num_threads());
    let memory = measure("in memory", &index, &query)?;
    let file = measure("mapped", &mapped, &query)?;
    println!("{}", peak_memory()?);
    drop(mapped);
    fs::remove_file(&path)?;

    let verdict = |holds| if holds { "holds" } else { "misses" };
    println!(
        "RESULT\tgradient scan, i8, d = 1024, {rows} rows\t{:.1} GB/s, {:.2} of the sum's {:.1} GB/s \
         (mapped: {:.1} GB/s, {:.2}), {} threads\tat least .80 of a read-only sum\t{}",
        memory.scan,
        memory.scan / memory.sum,
        memory.sum,
        file.scan,
        file.scan / file.sum,
        rayon::current_num_threads(),
        verdict(memory.scan >= 0.8 * memory.sum)
    );
    println!(
        "RESULT\tgradient index, d = 1024\t{bytes_a_row:.1} bytes a row\tat most 1,056\t{}",
        verdict(bytes_a_row <= MOST_BYTES_A_ROW)
    );
    Ok(())
}

/// Uniform 64-bit words (G. L. Steele et al., *Fast Splittable Pseudorandom Number Generators*, 2014).
fn words(seed: u64) -> impl Iterator<Item = u64> {
    let mut state = seed;
    std::iter::repeat_with(move || {
        state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    })
}

/// A gradient of independent values, with a size of its own.
fn gradient(row: usize) -> Vec<f32> {
    let mut words = words((row as u64) << 20);
    let size = 1.0 + (words.next().unwrap_or(0) % 1_000) as f32 / 250.0;
    let mut values = Vec::with_capacity(DIMENSION);
    for word in words.take(DIMENSION / 4) {
        for part in 0..4 {
            values.push(size * f32::from((word >> (16 * part)) as i16) / 32_768.0);
        }
    }
    values
}

fn build(path: &Path, blocks: usize) -> Result<()> {
    let start = Instant::now();
    let gradients = |block: usize| {
        (block * BLOCK_ROWS..(block + 1) * BLOCK_ROWS)
            .into_par_iter()
            .map(gradient)
            .collect::<Vec<_>>()
    };
    let standings = vec![Standing::Own; BLOCK_ROWS];
    let mut adjusted = 0;
    for block in 0..blocks {
        let rows = (block * BLOCK_ROWS) as u32..;
        let report = if block == 0 {
            let terms = Quantisation::for_dimension(DIMENSION as u32);
            let mut builder = IndexBuilder::new(terms, standings.clone())?;
            for (row, gradient) in rows.zip(gradients(block)) {
                builder.set(row, &gradient)?;
            }
            let (index, report) = builder.finish()?;
            index.save(path)?;
            report
        } else {
            let mut extension = IndexExtension::new(&Index::open(path)?, &standings)?;
            for (row, gradient) in rows.zip(gradients(block)) {
                extension.set(row, &gradient)?;
            }
            extension.append_to(path)?
        };
        adjusted += report.adjusted;
    }
    println!(
        "{} rows made, quantised and written in {blocks} steps in {:.1} s; {adjusted} clipped or lifted",
        blocks * BLOCK_ROWS,
        start.elapsed().as_secs_f64()
    );
    Ok(())
}

fn query() -> Result<Query> {
    // Near one of the rows, so that there is something to find.
    let values = gradient(77_777)
        .iter()
        .zip(gradient(usize::MAX >> 21))
        .map(|(near, noise)| f64::from(*near) + 2.0 * f64::from(noise))
        .collect();
    Ok(quantise_query(&[(
        MODEL,
        &Direction { values, unit: 1.0 },
    )])?)
}

/// Compares the scan with a plain loop.
fn check(indexes: &[(&str, &Index)], query: &Query) -> Result<()> {
    let start = Instant::now();
    let index = indexes[0].1;
    let vector = query.vector(MODEL).ok_or("the query has no vector")?;
    let mut expected = Vec::<Credit>::new();
    for row in 0..index.len() as u32 {
        let value = index.row(row).ok_or("a row is missing")?;
        if let Some(score) = credit_score(vector, &value, FLOOR) {
            expected.push(influence_credit(MODEL, row, score));
        }
    }
    let eligible = expected.len();
    expected.sort_by_key(Credit::order);
    expected.truncate(BEST);
    println!(
        "plain loop: {:.2} s; {eligible} rows pass the floor",
        start.elapsed().as_secs_f64()
    );
    for (name, index) in indexes {
        for instructions in Instructions::available() {
            let found = top_k_with(instructions, &[(MODEL, *index)], query, BEST, FLOOR)?;
            if found != expected {
                let name = format!("{name}, {}", instructions.name());
                return Err(format!("{name}: the scan finds {found:?}, not {expected:?}").into());
            }
        }
    }
    println!(
        "the best {BEST} of the scan are those of the plain loop, in memory and mapped, with {}",
        instruction_names()
    );
    Ok(())
}

fn instruction_names() -> String {
    let names = Instructions::available();
    let names = names.iter().map(|set| set.name()).collect::<Vec<_>>();
    names.join(", ")
}

/// Rates in GB/s.
struct Rates {
    scan: f64,
    sum: f64,
}

fn measure(name: &str, index: &Index, query: &Query) -> Result<Rates> {
    let bytes = index.vectors().map(<[i8]>::len).sum::<usize>() as f64;
    let sums = sums::all();
    let sets = Instructions::available();
    let mut scan_seconds = vec![Seconds::new(); sets.len()];
    let mut sum_seconds = vec![Seconds::new(); sums.len()];
    let mut totals = Vec::new();
    // The first run of each is not counted.
    for run in 0..=RUNS {
        for ((_, sum), seconds) in sums.iter().zip(&mut sum_seconds) {
            let start = Start::now()?;
            let parts = black_box(index).vectors();
            let total = parts
                .map(|part| {
                    part.par_chunks(PIECE)
                        .map(|piece| sum.add(piece))
                        .reduce(|| 0, u64::wrapping_add)
                })
                .fold(0, u64::wrapping_add);
            totals.push(black_box(total));
            start.end(run, seconds)?;
        }
        for (set, seconds) in sets.iter().zip(&mut scan_seconds) {
            let start = Start::now()?;
            let found = top_k_with(*set, &[(MODEL, index)], black_box(query), BEST, FLOOR)?;
            black_box(found);
            start.end(run, seconds)?;
        }
    }
    if totals.iter().any(|total| *total != totals[0]) {
        return Err(format!("{name}: the sums differ").into());
    }
    let rate = |seconds: &Seconds| {
        let fastest = seconds.iter().map(|(wall, _)| *wall);
        bytes / fastest.fold(f64::INFINITY, f64::min) / 1e9
    };
    let by_processor = |seconds: &Seconds| {
        let total = seconds.iter().map(|(_, processor)| processor).sum::<f64>();
        bytes * seconds.len() as f64 / total / 1e9
    };
    let mut fastest = 0.0_f64;
    for ((label, _), seconds) in sums.iter().zip(&sum_seconds) {
        let rate = rate(seconds);
        let processor = by_processor(seconds);
        println!("{name}: sum, {label}: {rate:.2} GB/s, {processor:.2} GB a processor second");
        fastest = fastest.max(rate);
    }
    let mut scan = 0.0;
    for (set, seconds) in sets.iter().zip(&scan_seconds) {
        // The last one is the widest, which is the one in use.
        scan = rate(seconds);
        println!(
            "{name}: scan, {}: {scan:.2} GB/s, {:.2} GB a processor second; {:.2} of the fastest sum",
            set.name(),
            by_processor(seconds),
            scan / fastest
        );
    }
    Ok(Rates { scan, sum: fastest })
}

/// Of each run, by the clock and of processors.
type Seconds = Vec<(f64, f64)>;

struct Start(Instant, f64);

impl Start {
    fn now() -> Result<Self> {
        Ok(Self(Instant::now(), processor_seconds()?))
    }

    /// The first run of all is not counted.
    fn end(self, run: usize, seconds: &mut Seconds) -> Result<()> {
        let wall = self.0.elapsed().as_secs_f64();
        if run > 0 {
            seconds.push((wall, processor_seconds()? - self.1));
        }
        Ok(())
    }
}

/// What all threads have spent on processors.
fn processor_seconds() -> Result<f64> {
    let mut nanoseconds = 0.0;
    for task in fs::read_dir("/proc/self/task")? {
        let times = fs::read_to_string(task?.path().join("schedstat"))?;
        let spent = times.split_whitespace().next().ok_or("no processor time")?;
        nanoseconds += spent.parse::<f64>()?;
    }
    Ok(nanoseconds / 1e9)
}

fn peak_memory() -> Result<String> {
    let status = fs::read_to_string("/proc/self/status")?;
    let line = |name| status.lines().find(|line| line.starts_with(name));
    let lines = ["VmHWM", "RssAnon", "RssFile"].into_iter().filter_map(line);
    let lines = lines.map(|line| line.split_whitespace().collect::<Vec<_>>().join(" "));
    Ok(format!("memory: {}", lines.collect::<Vec<_>>().join("; ")))
}

/// Sums that read memory as fast as it can be read.
#[allow(unsafe_code)]
mod sums {
    /// A way to add up the little-endian 64-bit words of bytes, modulo 2^64; what is left over counts
    /// byte by byte.
    pub(crate) struct Sum(fn(&[i8]) -> u64);

    impl Sum {
        pub(crate) fn add(&self, bytes: &[i8]) -> u64 {
            (self.0)(bytes)
        }
    }

    /// How far ahead to fetch.
    const AHEAD: usize = 2_048;
    /// Words added side by side: four cache lines.
    const LANES: usize = 32;

    #[inline(always)]
    fn add<const FETCH: bool>(bytes: &[i8]) -> u64 {
        let mut sums = [0_u64; LANES];
        let pieces = bytes.chunks_exact(8 * LANES);
        let rest = pieces.remainder();
        for piece in pieces {
            #[cfg(target_arch = "x86_64")]
            if FETCH {
                for line in (0..8 * LANES).step_by(64) {
                    use std::arch::x86_64::{_mm_prefetch, _MM_HINT_T0};
                    let at = piece.as_ptr().wrapping_add(AHEAD + line);
                    // SAFETY: prefetching reads nothing and cannot fault, whatever the address.
                    unsafe { _mm_prefetch::<_MM_HINT_T0>(at) };
                }
            }
            for (sum, word) in sums.iter_mut().zip(piece.chunks_exact(8)) {
                let word = u64::from_le_bytes(std::array::from_fn(|i| word[i] as u8));
                *sum = sum.wrapping_add(word);
            }
        }
        let rest = rest
            .iter()
            .fold(0_u64, |sum, byte| sum.wrapping_add(*byte as u64));
        sums.into_iter().fold(rest, u64::wrapping_add)
    }

    fn plain(bytes: &[i8]) -> u64 {
        add::<false>(bytes)
    }

    #[cfg(target_arch = "x86_64")]
    mod x86 {
        // Vectors of 512 bits are not chosen by the compiler unless it is told to prefer them, so the
        // third pair may come out as wide as the second. Both saturate memory.
        macro_rules! sums {
            ($($name:ident, $inner:ident, $features:literal, $fetch:literal;)*) => {$(
                #[target_feature(enable = $features)]
                fn $inner(bytes: &[i8]) -> u64 {
                    super::add::<$fetch>(bytes)
                }

                pub(super) fn $name(bytes: &[i8]) -> u64 {
                    // SAFETY: `all` hands this out only where the processor has been found to have
                    // these instructions.
                    unsafe { $inner(bytes) }
                }
            )*};
        }

        sums! {
            avx2, avx2_inner, "avx2", false;
            avx2_fetching, avx2_fetching_inner, "avx2", true;
            avx512, avx512_inner, "avx512f,avx512bw,avx512vl", false;
            avx512_fetching, avx512_fetching_inner, "avx512f,avx512bw,avx512vl", true;
        }

        pub(super) fn fetching(bytes: &[i8]) -> u64 {
            super::add::<true>(bytes)
        }
    }

    /// The sums of this processor, by name.
    pub(crate) fn all() -> Vec<(&'static str, Sum)> {
        let mut all = vec![("plain", Sum(plain))];
        #[cfg(target_arch = "x86_64")]
        {
            all.push(("plain, fetching ahead", Sum(x86::fetching)));
            if is_x86_feature_detected!("avx2") {
                all.push(("AVX2", Sum(x86::avx2)));
                all.push(("AVX2, fetching ahead", Sum(x86::avx2_fetching)));
            }
            let wide = is_x86_feature_detected!("avx512f")
                && is_x86_feature_detected!("avx512bw")
                && is_x86_feature_detected!("avx512vl");
            if wide {
                all.push(("AVX-512", Sum(x86::avx512)));
                all.push(("AVX-512, fetching ahead", Sum(x86::avx512_fetching)));
            }
        }
        all
    }
}
