use proptest::prelude::*;

use super::*;
use crate::duplicates::{canonical, shingles::tests::brute_jaccard};

const SEED: [u8; 32] = [5; 32];

fn slices(records: &[String]) -> Vec<Option<&[u8]>> {
    records
        .iter()
        .map(|record| Some(record.as_bytes()))
        .collect()
}

/// Two records of words that occur nowhere else, with the similarity `percent` / 100 of their five-word
/// shingles: of 200 in all, two for each percent are common.
fn pair(number: usize, percent: usize) -> [String; 2] {
    let common = 2 * percent;
    let each = 100 + percent;
    let word = |side: char, at: usize| format!("{side}{number}x{at}");
    ['l', 'r'].map(|side| {
        let words = (0..each + 4).map(|at| {
            let side = if at < common + 4 { 'c' } else { side };
            word(side, at)
        });
        words.collect::<Vec<_>>().join(" ")
    })
}

#[test]
fn finds_99_of_100_at_the_threshold_and_merges_nothing_below() {
    let rules = NearRules::usual(SEED).unwrap();
    const PAIRS: usize = 2_000;
    for (percent, expected) in [(50, 0.0..=0.0), (79, 0.0..=0.0), (80, 0.99..=1.0)] {
        let records = (0..PAIRS)
            .flat_map(|number| pair(number, percent))
            .collect::<Vec<_>>();
        assert_eq!(
            brute_jaccard(&records[0], &records[1], 5),
            percent as f64 / 100.0
        );
        let found = near_duplicates(&slices(&records), &rules).unwrap();
        for link in &found.links {
            assert_eq!((link.row % 2, link.owner), (1, link.row - 1));
            assert_eq!(link.similarity, percent as f64 / 100.0);
        }
        let recall = found.links.len() as f64 / PAIRS as f64;
        assert!(expected.contains(&recall), "{recall} at {percent} %");
        // The pairs compared are those that the S-curve promises.
        let compared = found.comparisons as f64 / PAIRS as f64;
        let promised = rules.plan.recall_at(percent as f64 / 100.0);
        assert!((compared - promised).abs() < 0.03, "{compared} {promised}");
    }
}

/// The definition: each row against all earlier owners.
fn brute(records: &[Option<String>], threshold: f64, length: usize) -> Vec<Standing> {
    let mut standings: Vec<Standing> = Vec::new();
    for record in records {
        let Some(record) = record else {
            standings.push(Standing::Absent);
            continue;
        };
        let similar = |other: &String| {
            let equal = canonical(record.as_bytes()) == canonical(other.as_bytes());
            equal || brute_jaccard(record, other, length) >= threshold
        };
        // An equal record shares its owner, whose similarity is the same.
        let owner = (0..standings.len()).find(|row| {
            standings[*row] == Standing::Own && records[*row].as_ref().is_some_and(similar)
        });
        standings.push(owner.map_or(Standing::Own, |row| Standing::DuplicateOf(row as u32)));
    }
    standings
}

proptest! {
    #[test]
    fn standings_are_those_of_all_pairs(
        records in prop::collection::vec(prop::option::weighted(0.9, "([a-d] ){0,6}|[aA] [bB]"), 0..30),
        threshold in prop::sample::select(vec![0.5, 0.6, 0.75, 0.8, 1.0]),
        length in 1_usize..3,
    ) {
        // 256 bands of one: a pair at .5 is missed with probability 2⁻²⁵⁶.
        let rules = NearRules {
            shingling: Shingling::Words(length),
            threshold,
            plan: BandPlan::new(256, 1).unwrap(),
            seed: SEED,
        };
        let slices = records.iter().map(|record| record.as_ref().map(|r| r.as_bytes()));
        let slices = slices.collect::<Vec<_>>();
        let found = near_duplicates(&slices, &rules).unwrap();
        prop_assert_eq!(&found.standings, &brute(&records, threshold, length));
        let links = (0..).zip(&found.standings).filter_map(|(row, standing)| match standing {
            Standing::DuplicateOf(owner) => Some((row, *owner)),
            _ => None,
        });
        prop_assert!(links.eq(found.links.iter().map(|link| (link.row, link.owner))));
    }
}

/// Words `from..to`: successive records overlap, those far apart do not.
fn window(from: usize, to: usize) -> String {
    let words = (from..to).map(|word| format!("w{word}"));
    words.collect::<Vec<_>>().join(" ")
}

#[test]
fn a_bridge_takes_nothing_over() {
    let rules = NearRules::usual(SEED).unwrap();
    // Similarity of neighbours 186 / 216, of the ends 171 / 231.
    let (a, bridge, c) = (window(0, 205), window(15, 220), window(30, 235));
    assert!(brute_jaccard(&a, &bridge, 5) > 0.85 && brute_jaccard(&a, &c, 5) < 0.75);
    let standings = |order: [&String; 3]| {
        let records = order.map(|record| Some(record.as_bytes()));
        near_duplicates(&records, &rules).unwrap().standings
    };
    use Standing::{DuplicateOf, Own};
    assert_eq!(standings([&a, &c, &bridge]), [Own, Own, DuplicateOf(0)]);
    assert_eq!(standings([&a, &bridge, &c]), [Own, DuplicateOf(0), Own]);
    assert_eq!(
        standings([&bridge, &a, &c]),
        [Own, DuplicateOf(0), DuplicateOf(0)]
    );
}

#[test]
fn large_families_and_batches_need_few_comparisons() {
    let rules = NearRules::usual(SEED).unwrap();
    // 3,000 variants of one record, over several batches, each with another last word.
    let records = (0..3_000)
        .map(|number| format!("{} v{number}", window(0, 200)))
        .collect::<Vec<_>>();
    let found = near_duplicates(&slices(&records), &rules).unwrap();
    assert_eq!(found.links.len(), 2_999);
    assert!(found.links.iter().all(|link| link.owner == 0));
    assert_eq!(found.comparisons, 2_999);
}

#[test]
fn the_same_on_any_number_of_threads() {
    let rules = NearRules::usual(SEED).unwrap();
    let records = (0..1_500)
        .flat_map(|number| pair(number % 700, 60 + number % 40))
        .collect::<Vec<_>>();
    let run = |threads| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build();
        pool.unwrap()
            .install(|| near_duplicates(&slices(&records), &rules).unwrap())
    };
    let one = run(1);
    assert!(one.links.len() > 700);
    assert_eq!(one, run(2));
    assert_eq!(one, run(4));
}

#[test]
fn blank_and_absent_records() {
    let rules = NearRules::usual(SEED).unwrap();
    let records: [Option<&[u8]>; 6] = [None, Some(b" "), Some(b""), Some(b"a"), Some(b"A\n"), None];
    let found = near_duplicates(&records, &rules).unwrap();
    use Standing::{Absent, DuplicateOf, Own};
    let expected = [Absent, Own, DuplicateOf(1), Own, DuplicateOf(3), Absent];
    assert_eq!(found.standings, expected);
    let none = near_duplicates(&[], &rules).unwrap();
    assert_eq!((none.standings.len(), none.comparisons), (0, 0));
}

#[test]
fn refuses_rules_out_of_bounds() {
    let usual = NearRules::usual(SEED).unwrap();
    for threshold in [0.0, -0.1, 1.1, f64::NAN] {
        let rules = NearRules {
            threshold,
            ..usual.clone()
        };
        assert!(matches!(
            near_duplicates(&[], &rules),
            Err(Error::Parameter { .. })
        ));
    }
    let rules = NearRules {
        shingling: Shingling::Words(0),
        ..usual
    };
    assert!(matches!(
        near_duplicates(&[], &rules),
        Err(Error::Parameter { .. })
    ));
}
