//! Recall, false merges, the gain of copying, and speed of near-duplicate detection.
//!
//! ```text
//! cargo run --release --example duplicates-quality
//! ```
//!
//! Pairs of records share exactly so many of their 200 five-word shingles that their Jaccard similarity
//! is the one named; their words occur in no other pair. Everything is drawn with fixed seeds.

use std::{collections::HashSet, time::Instant};

use attribution_engine::{
    duplicates::{near_duplicates, BandPlan, MinHasher, NearRules, Shingler, Shingling, Standing},
    Error,
};
use rand_chacha::{
    rand_core::{RngCore, SeedableRng},
    ChaCha8Rng,
};

const PAIRS: usize = 30_000;
const SEED: [u8; 32] = [9; 32];

fn main() -> Result<(), Error> {
    let rules = NearRules::usual(SEED)?;
    println!(
        "{} bands of {} hashes, threshold {}, {PAIRS} pairs each",
        rules.plan.bands(),
        rules.plan.rows(),
        rules.threshold
    );
    println!("similarity  candidates (promised)  merged");
    for percent in [50, 60, 70, 79, 80, 90] {
        quality(&rules, percent)?;
    }
    println!("\nrecall at .8 by the size of the union, at the threshold");
    for union in [10, 20, 50, 200, 1_000] {
        let recall = recall_of_sets(rules.plan, union, PAIRS)?;
        println!("{union:6} shingles: {recall:.4}");
    }
    println!("\ncopies of one record among 99 others, credit the same for each that owns itself");
    for copies in [1, 8] {
        for percent in [50, 60, 70, 75, 79, 80, 85, 90] {
            copy_gain(&rules, percent, copies)?;
        }
    }
    for (count, words) in [(100_000, 100), (1_000_000, 50)] {
        speed(&rules, count, words)?;
    }
    Ok(())
}

/// A record of `100 + percent` shingles, of which the first `2 · percent` are those of all records with
/// the same `number`.
fn variant(number: usize, percent: usize, version: usize) -> String {
    let common = 2 * percent + 4;
    let words = (0..104 + percent).map(|at| {
        if at < common {
            format!("c{number}x{at}")
        } else {
            format!("v{number}x{version}x{at}")
        }
    });
    words.collect::<Vec<_>>().join(" ")
}

/// The Jaccard similarity of the five-word pieces themselves.
fn similarity(a: &str, b: &str) -> f64 {
    let pieces = |text: &str| {
        let words = text.split(' ').map(str::to_owned).collect::<Vec<_>>();
        words.windows(5).map(<[_]>::to_vec).collect::<HashSet<_>>()
    };
    let (a, b) = (pieces(a), pieces(b));
    a.intersection(&b).count() as f64 / a.union(&b).count() as f64
}

fn rows(records: &[String]) -> Vec<Option<&[u8]>> {
    records
        .iter()
        .map(|record| Some(record.as_bytes()))
        .collect()
}

fn quality(rules: &NearRules, percent: usize) -> Result<(), Error> {
    let records = (0..2 * PAIRS)
        .map(|at| variant(at / 2, percent, at % 2))
        .collect::<Vec<_>>();
    let exact = percent as f64 / 100.0;
    assert_eq!(similarity(&records[0], &records[1]), exact);
    let found = near_duplicates(&rows(&records), rules)?;
    println!(
        ".{percent}         {:.5} ({:.5})      {:.5}",
        found.comparisons as f64 / PAIRS as f64,
        rules.plan.recall_at(exact),
        found.links.len() as f64 / PAIRS as f64
    );
    Ok(())
}

/// The share of pairs of sets with so many shingles, four fifths of them common, that are candidates.
fn recall_of_sets(plan: BandPlan, union: usize, pairs: usize) -> Result<f64, Error> {
    let shingler = Shingler::new(Shingling::Words(1), &SEED)?;
    let hasher = MinHasher::new(plan, &SEED);
    let side = union / 10;
    let mut candidates = 0;
    for pair in 0..pairs {
        let text = |own: usize| {
            let common = (side * 2..union).map(|at| format!("{pair}x{at} "));
            let own = (own * side..(own + 1) * side).map(|at| format!("{pair}x{at} "));
            common.chain(own).collect::<String>()
        };
        let (a, b) = (
            shingler.shingles(text(0).as_bytes()),
            shingler.shingles(text(1).as_bytes()),
        );
        assert_eq!(a.jaccard(&b), 0.8);
        let (a, b) = (hasher.band_keys(&a), hasher.band_keys(&b));
        candidates += usize::from(a.iter().zip(&b).any(|(a, b)| a == b));
    }
    Ok(candidates as f64 / pairs as f64)
}

/// How much larger the share of a copier is than with one record, if copies resemble the record and each
/// other so much, averaged over 500 copiers.
fn copy_gain(rules: &NearRules, percent: usize, copies: usize) -> Result<(), Error> {
    const COPIERS: usize = 500;
    const OTHERS: f64 = 99.0;
    let records = (0..COPIERS * (copies + 1))
        .map(|at| variant(at / (copies + 1), percent, at % (copies + 1)))
        .collect::<Vec<_>>();
    let found = near_duplicates(&rows(&records), rules)?;
    let gain = |owned: f64| owned / (owned + OTHERS) * (1.0 + OTHERS);
    let gains = found.standings.chunks_exact(copies + 1).map(|standings| {
        let owned = standings.iter().filter(|row| **row == Standing::Own);
        gain(owned.count() as f64)
    });
    println!(
        "{copies} copies at .{percent}: x{:.3}, without merging x{:.3}",
        gains.sum::<f64>() / COPIERS as f64,
        gain((copies + 1) as f64)
    );
    Ok(())
}

/// Random text over 20,000 words, of which every tenth record is another with two words changed.
fn speed(rules: &NearRules, count: usize, words: usize) -> Result<(), Error> {
    let mut random = ChaCha8Rng::seed_from_u64(7);
    let mut records: Vec<String> = Vec::with_capacity(count);
    for at in 0..count {
        let mut word = || format!("word{}", random.next_u32() % 20_000);
        let record = if at % 10 == 9 {
            let mut copy = records[at / 2]
                .split(' ')
                .map(str::to_owned)
                .collect::<Vec<_>>();
            copy[0] = word();
            copy[words - 1] = word();
            copy
        } else {
            (0..words).map(|_| word()).collect()
        };
        records.push(record.join(" "));
    }
    let bytes = records.iter().map(String::len).sum::<usize>();
    let rows = rows(&records);
    let start = Instant::now();
    let found = near_duplicates(&rows, rules)?;
    let elapsed = start.elapsed().as_secs_f64();
    println!(
        "\n{count} records of {words} words: {elapsed:.2} s, {:.0} records/s, {:.1} MB/s, {} links, {} comparisons",
        count as f64 / elapsed,
        bytes as f64 / elapsed / 1e6,
        found.links.len(),
        found.comparisons
    );
    Ok(())
}
