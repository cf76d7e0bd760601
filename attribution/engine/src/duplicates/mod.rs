//! Duplicates, decided before anything is credited: whoever committed to a record first owns its credit.
//!
//! - [`standings`] finds records with equal commitments.
//! - [`near_duplicates`] finds records that are the same but for case, white space and a few words:
//!   equal [`canonical`] forms, and shingle sets whose Jaccard similarity reaches a threshold.
//! - [`earlier_overlaps`] and [`overlap_share`] say how much of a record stands verbatim in earlier ones,
//!   which finds a copied passage in an otherwise new record.
//!
//! ```
//! use attribution_engine::duplicates::{near_duplicates, NearRules, Standing};
//!
//! # fn main() -> Result<(), attribution_engine::Error> {
//! let records: [&[u8]; 3] = [
//!     b"It was the best of times, it was the worst of times, it was the age of wisdom",
//!     b"Call me Ishmael. Some years ago, never mind how long precisely, I went to sea",
//!     b"it was the BEST of times, it was the worst of  times, it was the age of wisdom",
//! ];
//! let found = near_duplicates(&records.map(Some), &NearRules::usual([7; 32])?)?;
//! assert_eq!(found.standings, [Standing::Own, Standing::Own, Standing::DuplicateOf(0)]);
//! # Ok(())
//! # }
//! ```

mod canonical;
mod minhash;
mod near;
mod overlap;
mod shingles;

use std::{collections::HashMap, hash::Hash};

use crate::Error;

pub use canonical::{canonical, content_hash};
pub use minhash::{BandPlan, MinHasher};
pub use near::{near_duplicates, Link, NearDuplicates, NearRules};
pub use overlap::{earlier_overlaps, overlap_share, Anchor};
pub use shingles::{Shingler, Shingles, Shingling};

/// What a row of an index is, before it has a gradient.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// The first record with its content.
    Own,
    /// A copy of the record at this earlier row, which gets the credit.
    DuplicateOf(u32),
    /// Not trained on.
    Absent,
}

/// The standing of each row, given the records' commitments in row order and whether each was
/// tombstoned when the job was taken. Tombstoned records own nothing, so the first copy that stands
/// becomes the owner.
///
/// # Errors
/// When the two lists differ in length or have more rows than an index can have.
pub fn standings<H: Eq + Hash>(commits: &[H], tombstoned: &[bool]) -> Result<Vec<Standing>, Error> {
    Error::check_shape("list of tombstones", tombstoned.len(), commits.len())?;
    check_row_count(commits.len())?;
    let mut first = HashMap::with_capacity(commits.len());
    Ok((0_u32..)
        .zip(commits.iter().zip(tombstoned))
        .map(|(row, (commit, tombstoned))| {
            if *tombstoned {
                return Standing::Absent;
            }
            match *first.entry(commit).or_insert(row) {
                owner if owner == row => Standing::Own,
                owner => Standing::DuplicateOf(owner),
            }
        })
        .collect())
}

/// Refuses more rows than 32 bits can number, with two numbers to spare for the file format.
pub(crate) fn check_row_count(rows: usize) -> Result<(), Error> {
    if rows > (u32::MAX - 2) as usize {
        return Err(Error::parameter(
            "number of records",
            rows,
            format!("below {}", u32::MAX - 1),
        ));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn standings_are_those_of_a_search_from_the_start(
            rows in prop::collection::vec((0_u8..6, any::<bool>()), 0..40),
        ) {
            let commits = rows.iter().map(|row| [row.0; 32]).collect::<Vec<_>>();
            let tombstoned = rows.iter().map(|row| row.1).collect::<Vec<_>>();
            let found = standings(&commits, &tombstoned).unwrap();
            for (at, standing) in found.iter().enumerate() {
                let first = (0..=at).find(|i| !tombstoned[*i] && commits[*i] == commits[at]);
                let expected = match (tombstoned[at], first) {
                    (true, _) => Standing::Absent,
                    (false, Some(first)) if first < at => Standing::DuplicateOf(first as u32),
                    _ => Standing::Own,
                };
                prop_assert_eq!(*standing, expected);
            }
        }
    }

    #[test]
    fn refuses_lists_of_different_lengths() {
        assert!(matches!(
            standings(&[[0; 32]], &[]),
            Err(Error::Shape {
                found: 0,
                expected: 1,
                ..
            })
        ));
    }
}
