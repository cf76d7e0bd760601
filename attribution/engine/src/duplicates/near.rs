//! Near-duplicates and their owners.
//!
//! Rows are taken in their order. A row is a duplicate of the earliest row that owns itself and whose
//! own similarity to it reaches the threshold; if there is none, it owns itself.
//!
//! Similarity is not transitive, and joining whatever is connected (single linkage) would reward that:
//! with `A ~ B ~ C`, whoever owns `A` could insert a bridge `B` and take over the credit of `C`, which
//! resembles `A` no more than chance. Here a link is always between a row and its owner themselves, and
//! no later row changes the standing of an earlier one. To take over a record one must have committed,
//! before it, to one that resembles it. In return `C` owns itself although it resembles `B`: a copier who
//! drifts far enough from `A` in several steps keeps the last, but no steps are needed for that, a record
//! that far from `A` would be no duplicate anyway.

use std::collections::HashMap;

use rayon::prelude::*;

use super::{
    check_row_count, content_hash, minhash::check_threshold, BandPlan, MinHasher, Shingler,
    Shingles, Shingling, Standing,
};
use crate::Error;

/// Rows whose shingles are kept at a time.
const BATCH: usize = 1_024;

/// What counts as a near-duplicate.
#[derive(Clone, Debug)]
pub struct NearRules {
    /// The pieces that are compared.
    pub shingling: Shingling,
    /// The least Jaccard similarity of a duplicate to its owner, in (0, 1].
    pub threshold: f64,
    /// Which pairs are compared.
    pub plan: BandPlan,
    /// Of all hashes. Should not be known before the records are committed to: whoever knows it can make
    /// copies that agree with the original in no band.
    pub seed: [u8; 32],
}

impl NearRules {
    /// Five words, a similarity of .8, and 128 hashes of which so many bands are made that 99 % of the
    /// pairs that are just as similar are found.
    ///
    /// # Errors
    /// None for these numbers.
    pub fn usual(seed: [u8; 32]) -> Result<Self, Error> {
        let threshold = 0.8;
        Ok(Self {
            shingling: Shingling::default(),
            threshold,
            plan: BandPlan::for_recall(threshold, 0.99, 128)?,
            seed,
        })
    }
}

/// A duplicate.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Link {
    /// The duplicate.
    pub row: u32,
    /// The earlier row that owns it.
    pub owner: u32,
    /// Jaccard similarity of the two; 1 also when only their canonical forms are equal, being blank.
    pub similarity: f64,
}

/// What [`near_duplicates`] finds.
#[derive(Clone, Debug, PartialEq)]
pub struct NearDuplicates {
    /// For each row.
    pub standings: Vec<Standing>,
    /// The duplicates in row order.
    pub links: Vec<Link>,
    /// How many pairs of records were compared by their whole sets.
    pub comparisons: u64,
}

/// The standings of records in row order, near-duplicates taken together. `None` stands for a record
/// that is tombstoned: it owns nothing and is [`Standing::Absent`].
///
/// Records with the same canonical form are always found, others with the probability
/// [`BandPlan::recall_at`] their similarity; only pairs that reach the threshold are linked, unless
/// 64-bit hashes of shingles collide. The module's documentation says who owns what.
///
/// Holds some 40 bytes and 8 for each band for every record. Time is proportional to the text, unless
/// very many rows that are no duplicates share a band, as with a long form filled in again and again:
/// each is compared with all of these before it.
///
/// # Errors
/// When a rule is out of its bounds or there are more rows than an index can have.
pub fn near_duplicates(
    records: &[Option<&[u8]>],
    rules: &NearRules,
) -> Result<NearDuplicates, Error> {
    check_row_count(records.len())?;
    check_threshold(rules.threshold)?;
    let shingler = Shingler::new(rules.shingling, &rules.seed)?;
    let firsts = first_rows(records);
    let is_first = |row: &usize| firsts[*row] == Some(*row as u32);
    let distinct = (0..records.len()).filter(is_first).collect::<Vec<_>>();
    let mut search = Search::new(records, rules, &shingler, &distinct);
    search.run();
    let Search {
        owners,
        comparisons,
        ..
    } = search;

    let mut standings = Vec::with_capacity(records.len());
    let mut links = Vec::new();
    for (row, first) in (0..).zip(firsts) {
        let Some(first) = first else {
            standings.push(Standing::Absent);
            continue;
        };
        let (owner, similarity) = owners.get(&first).copied().unwrap_or((first, 1.0));
        if owner == row {
            standings.push(Standing::Own);
        } else {
            standings.push(Standing::DuplicateOf(owner));
            links.push(Link {
                row,
                owner,
                similarity,
            });
        }
    }
    Ok(NearDuplicates {
        standings,
        links,
        comparisons,
    })
}

/// For each record the first one with the same canonical form.
fn first_rows(records: &[Option<&[u8]>]) -> Vec<Option<u32>> {
    let hashes = records
        .par_iter()
        .map(|record| record.map(content_hash))
        .collect::<Vec<_>>();
    let mut first = HashMap::with_capacity(records.len());
    (0_u32..)
        .zip(hashes)
        .map(|(row, hash)| hash.map(|hash| *first.entry(hash).or_insert(row)))
        .collect()
}

/// Distinct records on the way to their owners.
struct Search<'a> {
    records: &'a [Option<&'a [u8]>],
    shingler: &'a Shingler,
    threshold: f64,
    /// The rows that agree with another in some band, ascending, and for each the number of its
    /// shingles and its groups: the rows with the same key of a band.
    rows: Vec<(u32, usize, Vec<u32>)>,
    /// For each group its rows, by their index in `rows`, that own themselves so far.
    groups: Vec<Vec<usize>>,
    /// The owner of each duplicate, and the similarity.
    owners: HashMap<u32, (u32, f64)>,
    comparisons: u64,
}

impl<'a> Search<'a> {
    fn new(
        records: &'a [Option<&'a [u8]>],
        rules: &NearRules,
        shingler: &'a Shingler,
        distinct: &[usize],
    ) -> Self {
        let hasher = MinHasher::new(rules.plan, &rules.seed);
        let keys = distinct
            .par_iter()
            .map(|row| {
                let shingles = shingler.shingles(records[*row].unwrap_or_default());
                (shingles.hashes().len(), hasher.band_keys(&shingles))
            })
            .collect::<Vec<_>>();
        let bands = (0..rules.plan.bands()).into_par_iter().map(|band| {
            let mut keys = (0..)
                .zip(&keys)
                .filter_map(|(index, (_, keys))| Some((*keys.get(band)?, index)))
                .collect::<Vec<(u64, usize)>>();
            keys.sort_unstable();
            keys.chunk_by(|a, b| a.0 == b.0)
                .filter(|group| group.len() > 1)
                .map(|group| group.iter().map(|(_, index)| *index).collect())
                .collect::<Vec<Vec<usize>>>()
        });
        let members = bands.flatten_iter().collect::<Vec<_>>();
        let mut groups_of = vec![Vec::new(); distinct.len()];
        for (group, members) in (0..).zip(&members) {
            for index in members {
                groups_of[*index].push(group);
            }
        }
        let rows = groups_of.into_iter().zip(distinct).zip(keys);
        Self {
            records,
            shingler,
            threshold: rules.threshold,
            rows: rows
                .filter(|((groups, _), _)| !groups.is_empty())
                .map(|((groups, row), (size, _))| (*row as u32, size, groups))
                .collect(),
            groups: vec![Vec::new(); members.len()],
            owners: HashMap::new(),
            comparisons: 0,
        }
    }

    /// Batch by batch: first all its rows at once against the owners before the batch, then one after
    /// the other those without such an owner against those that became owners in the batch.
    fn run(&mut self) {
        for start in (0..self.rows.len()).step_by(BATCH) {
            let end = (start + BATCH).min(self.rows.len());
            let found = (start..end)
                .into_par_iter()
                .map(|index| {
                    let shingles = self.shingles(index);
                    let fetch = |owner| self.shingles(owner);
                    let (owner, comparisons) = self.owner(index, 0, &shingles, fetch);
                    (shingles, owner, comparisons)
                })
                .collect::<Vec<_>>();
            for (index, (shingles, owner, comparisons)) in (start..).zip(&found) {
                self.comparisons += comparisons;
                let mut owner = *owner;
                if owner.is_none() {
                    let fetch = |owner: usize| &found[owner - start].0;
                    let (later, comparisons) = self.owner(index, start, shingles, fetch);
                    self.comparisons += comparisons;
                    owner = later;
                }
                let (row, _, groups) = &self.rows[index];
                match owner {
                    Some((owner, similarity)) => {
                        self.owners.insert(*row, (self.rows[owner].0, similarity));
                    }
                    None => {
                        for group in groups {
                            self.groups[*group as usize].push(index);
                        }
                    }
                }
            }
        }
    }

    /// The first owner at or behind index `from` that is similar enough, the similarity, and how many
    /// were compared.
    fn owner<S: std::borrow::Borrow<Shingles>>(
        &self,
        index: usize,
        from: usize,
        shingles: &Shingles,
        fetch: impl Fn(usize) -> S,
    ) -> (Option<(usize, f64)>, u64) {
        let (_, size, groups) = &self.rows[index];
        let mut candidates = groups
            .iter()
            .flat_map(|group| {
                let owners = self.groups[*group as usize].iter().rev();
                owners.take_while(|owner| **owner >= from).copied()
            })
            .filter(|owner| {
                // The intersection is no larger than the smaller set, the union no smaller than the
                // larger.
                let other = self.rows[*owner].1;
                *size.min(&other) as f64 / *size.max(&other) as f64 >= self.threshold
            })
            .collect::<Vec<_>>();
        candidates.sort_unstable();
        candidates.dedup();
        let mut comparisons = 0;
        for owner in candidates {
            comparisons += 1;
            let similarity = shingles.jaccard(fetch(owner).borrow());
            if similarity >= self.threshold {
                return (Some((owner, similarity)), comparisons);
            }
        }
        (None, comparisons)
    }

    fn shingles(&self, index: usize) -> Shingles {
        let record = self.records[self.rows[index].0 as usize];
        self.shingler.shingles(record.unwrap_or_default())
    }
}

#[cfg(test)]
mod tests;
