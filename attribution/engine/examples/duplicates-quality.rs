//! Recall, false merges, the gain of copying and of splitting, and speed of near-duplicate detection.
//!
//! ```text
//! cargo run --release --example duplicates-quality
//! cargo run --release --example duplicates-quality -- --quick
//! ```
//!
//! Pairs of records share exactly so many of their 200 five-word shingles that their Jaccard similarity
//! is the one named; their words occur in no other pair. Everything is drawn with fixed seeds. Lines that
//! begin with `RESULT` are rows of a table, tab separated: what, measured, bound, verdict.

use std::{collections::HashSet, time::Instant};

use attribution_engine::{
    duplicates::{near_duplicates, BandPlan, MinHasher, NearRules, Shingler, Shingling, Standing},
    shares::{quantile_cap, record_shares},
    valuation::{
        knn_shapley::{from_features, Prediction},
        owners::Owners,
        semivalues::{exact, Semivalue},
        utility::{FunctionUtility, KnnScore, KnnUtility, Utility},
        Samples,
    },
    Error,
};
use rand_chacha::{
    rand_core::{RngCore, SeedableRng},
    ChaCha8Rng,
};

const SEED: [u8; 32] = [9; 32];

fn main() -> Result<(), Error> {
    let quick = std::env::args().any(|argument| argument == "--quick");
    let pairs = if quick { 3_000 } else { 30_000 };
    let rules = NearRules::usual(SEED)?;
    println!(
        "{} bands of {} hashes, threshold {}",
        rules.plan.bands(),
        rules.plan.rows(),
        rules.threshold
    );
    println!("similarity  candidates (promised)  merged");
    for percent in [60, 70, 79, 90] {
        quality(&rules, percent, pairs)?;
    }
    // Enough pairs that none merged bounds the rate by .75e-4 with 95 % confidence.
    let apart = if quick { pairs } else { 40_000 };
    let recall = quality(&rules, 80, pairs)?;
    let merged = quality(&rules, 50, apart)?;
    println!("\nrecall at .8 by the size of the union, at the threshold");
    for union in [10, 20, 50, 200, 1_000] {
        let recall = recall_of_sets(rules.plan, union, pairs)?;
        println!("{union:6} shingles: {recall:.4}");
    }
    row(
        "near-duplicate detection",
        &format!(
            "recall {recall:.4} of {pairs} pairs at Jaccard .8, {:.0} of {apart} merged at .5",
            merged * apart as f64
        ),
        "recall >= .99, false merges < 1e-4",
        recall >= 0.99 && merged < 1e-4,
    );
    println!("\ncopies of one record among 99 others, credit the same for each that owns itself");
    let copiers = if quick { 100 } else { 1_000 };
    for percent in [50, 60, 70, 75, 79, 80, 85, 90, 100] {
        copy_gain(&rules, percent, 1, copiers)?;
    }
    let mut curve = Vec::new();
    for percent in [50, 55, 60, 65, 70, 75, 79, 80, 85, 90, 100] {
        curve.push((percent, copy_gain(&rules, percent, 8, copiers)?));
    }
    let gain = |wanted: usize| {
        let found = curve.iter().find(|(percent, _)| *percent == wanted);
        found.map_or(f64::NAN, |(_, gain)| *gain)
    };
    let shown = curve
        .iter()
        .map(|(percent, gain)| format!(".{percent} x{gain:.3}").replace(".100", "1"))
        .collect::<Vec<_>>();
    row(
        "copy gain, 8 copies",
        &format!(
            "exact x{:.3}, near at .8 x{:.3}; by similarity: {}",
            gain(100),
            gain(80),
            shown.join(", ")
        ),
        "x1.01 exact, x1.05 at .8",
        gain(100) <= 1.01 && gain(80) <= 1.05,
    );
    split_gain()?;
    let sizes: &[(usize, usize)] = if quick {
        &[(20_000, 100)]
    } else {
        &[(100_000, 100), (1_000_000, 50)]
    };
    for (count, words) in sizes {
        speed(&rules, *count, *words)?;
    }
    Ok(())
}

fn row(what: &str, measured: &str, bound: &str, holds: bool) {
    let verdict = if holds { "holds" } else { "misses" };
    println!("RESULT\t{what}\t{measured}\t{bound}\t{verdict}");
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

/// Prints and returns the share of pairs that are merged.
fn quality(rules: &NearRules, percent: usize, pairs: usize) -> Result<f64, Error> {
    let records = (0..2 * pairs)
        .map(|at| variant(at / 2, percent, at % 2))
        .collect::<Vec<_>>();
    let exact = percent as f64 / 100.0;
    assert_eq!(similarity(&records[0], &records[1]), exact);
    let found = near_duplicates(&rows(&records), rules)?;
    let merged = found.links.len() as f64 / pairs as f64;
    println!(
        ".{percent}         {:.5} ({:.5})      {merged:.5}",
        found.comparisons as f64 / pairs as f64,
        rules.plan.recall_at(exact),
    );
    Ok(merged)
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
/// other so much, averaged over copiers.
fn copy_gain(
    rules: &NearRules,
    percent: usize,
    copies: usize,
    copiers: usize,
) -> Result<f64, Error> {
    const OTHERS: f64 = 99.0;
    let records = (0..copiers * (copies + 1))
        .map(|at| variant(at / (copies + 1), percent, at % (copies + 1)))
        .collect::<Vec<_>>();
    let found = near_duplicates(&rows(&records), rules)?;
    let gain = |owned: f64| owned / (owned + OTHERS) * (1.0 + OTHERS);
    let gains = found.standings.chunks_exact(copies + 1).map(|standings| {
        let owned = standings.iter().filter(|row| **row == Standing::Own);
        gain(owned.count() as f64)
    });
    let mean = gains.sum::<f64>() / copiers as f64;
    println!(
        "{copies} copies at {:.2}: x{mean:.3}, without merging x{:.3}",
        percent as f64 / 100.0,
        gain((copies + 1) as f64)
    );
    Ok(mean)
}

/// What one of six owners gains by appearing as several: paid by the sum of its data's shares, and, to
/// compare, by the Shapley value of a game of owners.
///
/// Data are valued by KNN-Shapley, noisy ones among them, and scores are capped as on chain.
fn split_gain() -> Result<(), Error> {
    const OWNERS: u32 = 6;
    const EACH: u32 = 50;
    const NEIGHBOURS: usize = 5;
    let mut random = ChaCha8Rng::seed_from_u64(11);
    let mut draw = |count: u32| {
        let (mut features, mut labels) = (Vec::new(), Vec::new());
        for _ in 0..count {
            let label = random.next_u32() % 2;
            for _ in 0..4 {
                let noise = f64::from(random.next_u32()) / f64::from(u32::MAX);
                features.push(noise as f32 + 0.3 * label as f32);
            }
            // A tenth of the labels are wrong.
            labels.push(label ^ u32::from(random.next_u32() % 10 == 0));
        }
        (features, labels)
    };
    let (features, labels) = draw(OWNERS * EACH);
    let (points, truths) = draw(500);
    let train = Samples::new(&features, 4, &labels)?;
    let test = Samples::new(&points, 4, &truths)?;
    let scores = from_features(train, test, NEIGHBOURS, Prediction::Hard)?;
    let cap = quantile_cap(&scores, 0.95)?;
    let standings = vec![Standing::Own; scores.len()];
    let parts = record_shares(&scores, &standings, cap)?;
    let parts = parts.into_iter().map(f64::from).collect::<Vec<_>>();
    let model = KnnUtility::new(train, test, NEIGHBOURS, KnnScore::Accuracy)?;

    println!("\none of {OWNERS} owners of {EACH} data each as several");
    let mut largest = 0.0_f64;
    let mut alone = None;
    for shells in 1..=4 {
        // The data of the first owner go to its shells in turn; 0 and from 6 on are its names.
        let of = (0..OWNERS * EACH)
            .map(|datum| match (datum / EACH, datum % EACH % shells) {
                (0, shell) if shell > 0 => OWNERS + shell - 1,
                (owner, _) => owner,
            })
            .collect::<Vec<_>>();
        let names = OWNERS + shells - 1;
        let total = |by_name: &[f64]| by_name[0] + by_name[OWNERS as usize..].iter().sum::<f64>();
        let sums = Owners::new(&of, names as usize)?.sum(&parts)?;
        let paid = total(&sums) / sums.iter().sum::<f64>();
        let game = FunctionUtility::new(names as usize, |present: &[u32]| {
            let data = (0_u32..)
                .zip(&of)
                .filter(|(_, owner)| present.contains(owner))
                .map(|(datum, _)| datum);
            model.evaluate(&data.collect::<Vec<_>>())
        });
        let values = exact(&game, Semivalue::Shapley)?;
        let as_players = total(&values) / values.iter().sum::<f64>();
        let (paid_alone, players_alone) = *alone.get_or_insert((paid, as_players));
        largest = largest.max((paid / paid_alone - 1.0).abs());
        println!(
            "{shells} shells: x{:.9} by data, x{:.3} if owners were the players",
            paid / paid_alone,
            as_players / players_alone
        );
    }
    row(
        "split gain, one owner into 2 to 4 shells",
        &format!("1 within {largest:.1e}"),
        "1.000 within 1e-6",
        largest <= 1e-6,
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
