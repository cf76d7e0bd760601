//! MinHash and its bands: which pairs of records are worth comparing.
//!
//! The smallest value of a random hash over a set is that of each of its elements with the same
//! probability, so two sets have the same smallest value with a probability equal to their Jaccard
//! similarity `J` (A. Z. Broder, *On the resemblance and containment of documents*, SEQUENCES 1997). Of
//! `b · r` such values, `b` bands of `r` each are compared as wholes: a pair becomes a candidate when it
//! agrees in at least one band, with probability
//!
//! ```text
//! 1 − (1 − Jʳ)ᵇ
//! ```
//!
//! an S-shaped curve (J. Leskovec, A. Rajaraman and J. D. Ullman, *Mining of Massive Datasets*, ch. 3).
//! Candidates are compared by their whole sets, so the curve decides what is missed and what comparing
//! costs, never what is merged.
//!
//! The hashes are `aᵢ · (x ⊕ sᵢ) mod 2⁶⁴` with odd random `aᵢ`, compared from the highest bit on, of
//! shingle hashes `x` that are random already: multiply-shift (M. Dietzfelbinger et al., J. Algorithms
//! 25, 1997) without the shift. One for each value costs about as much as hashing the shingle does; one
//! hash for all (P. Li, A. Owen and C.-H. Zhang, *One Permutation Hashing*, NIPS 2012) would leave most
//! bins of a short record empty, to be filled with copies that lower its recall.

use super::{shingles::first_word, Shingles};
use crate::Error;

/// Separates these random numbers from every other use of the seed.
const DOMAIN: &[u8] = b"openledger minhash v1";
/// Most hashes of a plan.
const MAX_HASHES: usize = 4_096;

/// How many bands there are, and hashes in each.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BandPlan {
    bands: usize,
    rows: usize,
}

impl BandPlan {
    /// `bands` bands of `rows` hashes.
    ///
    /// # Errors
    /// When one is 0 or there are more than 4096 hashes altogether.
    pub fn new(bands: usize, rows: usize) -> Result<Self, Error> {
        let hashes = bands.saturating_mul(rows);
        if (1..=MAX_HASHES).contains(&hashes) {
            Ok(Self { bands, rows })
        } else {
            Err(Error::parameter(
                "bands and hashes in each",
                format!("{bands} and {rows}"),
                format!("at least 1 and a product of at most {MAX_HASHES}"),
            ))
        }
    }

    /// The plan with the longest bands, so the fewest needless candidates, of at most `hashes` hashes
    /// that makes candidates of at least the share `recall` of the pairs with similarity `threshold`.
    ///
    /// # Errors
    /// When `threshold` is not in (0, 1], `recall` not in (0, 1), `hashes` not in 1..=4096, or when not
    /// even bands of one hash reach the recall.
    pub fn for_recall(threshold: f64, recall: f64, hashes: usize) -> Result<Self, Error> {
        check_threshold(threshold)?;
        if !(recall > 0.0 && recall < 1.0) {
            return Err(Error::parameter("recall", recall, "in (0, 1)"));
        }
        if !(1..=MAX_HASHES).contains(&hashes) {
            return Err(Error::parameter(
                "number of hashes",
                hashes,
                format!("1..={MAX_HASHES}"),
            ));
        }
        let plans = (1..=hashes).rev().map(|rows| Self {
            bands: hashes / rows,
            rows,
        });
        let mut sufficient = plans.filter(|plan| plan.recall_at(threshold) >= recall);
        sufficient.next().ok_or_else(|| {
            Error::parameter(
                "number of hashes",
                hashes,
                format!("large enough for a recall of {recall} at a similarity of {threshold}"),
            )
        })
    }

    /// The expected share of the pairs with a similarity that become candidates.
    pub fn recall_at(&self, similarity: f64) -> f64 {
        1.0 - (1.0 - similarity.powi(self.rows as i32)).powi(self.bands as i32)
    }

    /// Number of bands.
    pub fn bands(&self) -> usize {
        self.bands
    }

    /// Hashes in each band.
    pub fn rows(&self) -> usize {
        self.rows
    }
}

/// Refuses similarities that cannot be a threshold.
pub(super) fn check_threshold(threshold: f64) -> Result<(), Error> {
    if threshold > 0.0 && threshold <= 1.0 {
        Ok(())
    } else {
        Err(Error::parameter(
            "similarity threshold",
            threshold,
            "in (0, 1]",
        ))
    }
}

/// The hashes of a plan.
pub struct MinHasher {
    plan: BandPlan,
    /// `aᵢ` and `sᵢ`.
    hashes: Vec<(u64, u64)>,
    key: [u8; 32],
}

impl MinHasher {
    /// Draws the hashes of a plan from a seed.
    pub fn new(plan: BandPlan, seed: &[u8; 32]) -> Self {
        let mut stream = blake3::Hasher::new_keyed(seed)
            .update(DOMAIN)
            .finalize_xof();
        let mut next = || {
            let mut bytes = [0; 8];
            stream.fill(&mut bytes);
            u64::from_le_bytes(bytes)
        };
        Self {
            plan,
            hashes: (0..plan.bands * plan.rows)
                .map(|_| (next() | 1, next()))
                .collect(),
            key: *blake3::keyed_hash(seed, DOMAIN).as_bytes(),
        }
    }

    /// One key for each band, equal for two sets when they agree in it. None for an empty set.
    pub fn band_keys(&self, shingles: &Shingles) -> Vec<u64> {
        if shingles.hashes().is_empty() {
            return Vec::new();
        }
        let mut least = vec![u64::MAX; self.hashes.len()];
        for shingle in shingles.hashes() {
            for (least, (factor, mask)) in least.iter_mut().zip(&self.hashes) {
                *least = (*least).min(factor.wrapping_mul(shingle ^ mask));
            }
        }
        least
            .chunks_exact(self.plan.rows)
            .map(|band| {
                let mut hasher = blake3::Hasher::new_keyed(&self.key);
                for value in band {
                    hasher.update(&value.to_le_bytes());
                }
                first_word(&hasher.finalize())
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::duplicates::{Shingler, Shingling};

    #[test]
    fn plans_reach_their_recall_with_the_longest_bands() {
        for (threshold, recall, hashes) in [(0.8, 0.99, 128), (0.5, 0.9, 256), (0.9, 0.999, 64)] {
            let plan = BandPlan::for_recall(threshold, recall, hashes).unwrap();
            assert!(plan.recall_at(threshold) >= recall);
            assert!(plan.bands() * plan.rows() <= hashes);
            for rows in plan.rows() + 1..=hashes {
                let longer = BandPlan::new(hashes / rows, rows).unwrap();
                assert!(longer.recall_at(threshold) < recall);
            }
        }
        let plan = BandPlan::for_recall(0.8, 0.99, 128).unwrap();
        assert_eq!((plan.bands(), plan.rows()), (21, 6));
        // The plan of 14 bands of 8 that is usual elsewhere finds 92 % at .8.
        let usual = BandPlan::new(14, 8).unwrap();
        assert!((usual.recall_at(0.8) - 0.9236).abs() < 1e-4);
    }

    /// The share of bands in which two sets agree, over many seeds, is `Jʳ`, and the share of pairs
    /// that agree in any is the S-curve.
    #[test]
    fn agreement_follows_the_curve() {
        let shingler = Shingler::new(Shingling::Bytes(1), &[3; 32]).unwrap();
        // 20 of 40 common.
        let (a, b) = (
            shingler.shingles(&(128..158).collect::<Vec<u8>>()),
            shingler.shingles(&(138..168).collect::<Vec<u8>>()),
        );
        assert_eq!(a.jaccard(&b), 0.5);
        let plan = BandPlan::new(10, 2).unwrap();
        let (mut agreements, mut candidates, trials) = (0, 0, 4_000_u32);
        for trial in 0..trials {
            let mut seed = [0; 32];
            seed[..4].copy_from_slice(&trial.to_le_bytes());
            let hasher = MinHasher::new(plan, &seed);
            let (a, b) = (hasher.band_keys(&a), hasher.band_keys(&b));
            let equal = a.iter().zip(&b).filter(|(a, b)| a == b).count() as u32;
            agreements += equal;
            candidates += u32::from(equal > 0);
        }
        let share = f64::from(agreements) / f64::from(10 * trials);
        assert!((share - 0.25).abs() < 0.01, "{share}");
        let share = f64::from(candidates) / f64::from(trials);
        assert!((share - plan.recall_at(0.5)).abs() < 0.015, "{share}");
    }

    #[test]
    fn refuses_plans_that_cannot_be() {
        let refused = |result: Result<BandPlan, Error>| {
            assert!(matches!(result, Err(Error::Parameter { .. })));
        };
        for (bands, rows) in [(0, 1), (1, 0), (4_097, 1), (usize::MAX, 2)] {
            refused(BandPlan::new(bands, rows));
        }
        for (threshold, recall, hashes) in [
            (0.0, 0.9, 10),
            (1.1, 0.9, 10),
            (f64::NAN, 0.9, 10),
            (0.8, 0.0, 10),
            (0.8, 1.0, 10),
            (0.8, f64::NAN, 10),
            (0.8, 0.9, 0),
            (0.8, 0.9, 4_097),
            (0.1, 0.99, 10),
        ] {
            refused(BandPlan::for_recall(threshold, recall, hashes));
        }
    }
}
