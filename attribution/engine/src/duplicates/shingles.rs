//! Records as sets of overlapping pieces, and how similar two such sets are.

use super::canonical;
use crate::Error;

/// Separates these hashes from every other use of the seed.
const DOMAIN: &[u8] = b"openledger shingles v1";
/// Longest shingle, in words or bytes.
const MAX_LENGTH: usize = 1_024;

/// The pieces of a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shingling {
    /// So many successive words (what stands between white space). Text without spaces is one word, so
    /// it is found only when it is wholly the same: take bytes for it.
    Words(usize),
    /// So many successive bytes.
    Bytes(usize),
}

impl Default for Shingling {
    /// Five words, as is usual for web text.
    fn default() -> Self {
        Self::Words(5)
    }
}

/// Cuts records into shingles and hashes these.
pub struct Shingler {
    shingling: Shingling,
    key: [u8; 32],
}

impl Shingler {
    /// `seed` should not be known before records are committed to: hashes have 64 bits, so whoever knows
    /// it could with effort make up a shingle that passes for another.
    ///
    /// # Errors
    /// When the length of shingles is not in 1..=1024.
    pub fn new(shingling: Shingling, seed: &[u8; 32]) -> Result<Self, Error> {
        let (Shingling::Words(length) | Shingling::Bytes(length)) = shingling;
        if !(1..=MAX_LENGTH).contains(&length) {
            return Err(Error::parameter(
                "length of shingles",
                length,
                format!("1..={MAX_LENGTH}"),
            ));
        }
        Ok(Self {
            shingling,
            key: *blake3::keyed_hash(seed, DOMAIN).as_bytes(),
        })
    }

    /// The shingles of a record's canonical form. A record that is shorter than a shingle is one, a blank
    /// record has none.
    pub fn shingles(&self, record: &[u8]) -> Shingles {
        let form = canonical(record);
        let mut hashes = match self.shingling {
            Shingling::Words(length) => {
                // Where words start, and where a next one would.
                let spaces = form.iter().enumerate().filter(|(_, byte)| **byte == b' ');
                let starts = [0].into_iter().chain(spaces.map(|(at, _)| at + 1));
                let starts = starts.chain([form.len() + 1]).collect::<Vec<_>>();
                starts
                    .windows(length + 1)
                    .map(|starts| self.hash(&form[starts[0]..starts[length] - 1]))
                    .collect()
            }
            Shingling::Bytes(length) => form
                .windows(length)
                .map(|piece| self.hash(piece))
                .collect::<Vec<_>>(),
        };
        if form.is_empty() {
            hashes.clear();
        } else if hashes.is_empty() {
            hashes.push(self.hash(&form));
        }
        hashes.sort_unstable();
        hashes.dedup();
        Shingles(hashes)
    }

    fn hash(&self, piece: &[u8]) -> u64 {
        first_word(&blake3::keyed_hash(&self.key, piece))
    }
}

/// The first eight bytes of a hash, little-endian.
pub(super) fn first_word(hash: &blake3::Hash) -> u64 {
    let [a, b, c, d, e, f, g, h, ..] = *hash.as_bytes();
    u64::from_le_bytes([a, b, c, d, e, f, g, h])
}

/// The set of a record's shingles, by their hashes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shingles(Vec<u64>);

impl Shingles {
    /// The hashes, ascending.
    pub fn hashes(&self) -> &[u64] {
        &self.0
    }

    /// The Jaccard similarity `|A ∩ B| / |A ∪ B|` of two sets (P. Jaccard, 1901), rounded once. 0 when
    /// both are empty: nothing resembles a blank record.
    pub fn jaccard(&self, other: &Self) -> f64 {
        let (mut a, mut b) = (self.0.iter().peekable(), other.0.iter().peekable());
        let mut common = 0;
        while let (Some(x), Some(y)) = (a.peek(), b.peek()) {
            let order = x.cmp(y);
            common += usize::from(order.is_eq());
            if order.is_le() {
                a.next();
            }
            if order.is_ge() {
                b.next();
            }
        }
        let union = self.0.len() + other.0.len() - common;
        if union == 0 {
            0.0
        } else {
            common as f64 / union as f64
        }
    }
}

#[cfg(test)]
pub(super) mod tests {
    use std::collections::HashSet;

    use super::*;
    use proptest::prelude::*;

    /// The pieces themselves, without hashes.
    pub(in crate::duplicates) fn brute_pieces(record: &str, length: usize) -> HashSet<Vec<String>> {
        let words = record
            .split_whitespace()
            .map(str::to_lowercase)
            .collect::<Vec<_>>();
        match words.len() {
            0 => HashSet::new(),
            count if count < length => HashSet::from([words]),
            _ => words.windows(length).map(<[String]>::to_vec).collect(),
        }
    }

    pub(in crate::duplicates) fn brute_jaccard(a: &str, b: &str, length: usize) -> f64 {
        let (a, b) = (brute_pieces(a, length), brute_pieces(b, length));
        let common = a.intersection(&b).count();
        match a.union(&b).count() {
            0 => 0.0,
            union => common as f64 / union as f64,
        }
    }

    proptest! {
        #[test]
        fn similarities_are_those_of_the_pieces(
            a in "[abAB ]{0,30}",
            b in "[abAB ]{0,30}",
            length in 1_usize..4,
        ) {
            let shingler = Shingler::new(Shingling::Words(length), &[1; 32]).unwrap();
            let (x, y) = (shingler.shingles(a.as_bytes()), shingler.shingles(b.as_bytes()));
            prop_assert_eq!(x.hashes().len(), brute_pieces(&a, length).len());
            prop_assert_eq!(x.jaccard(&y), brute_jaccard(&a, &b, length));
            prop_assert_eq!(y.jaccard(&x), x.jaccard(&y));
        }
    }

    #[test]
    fn bytes_are_cut_everywhere_and_seeds_differ() {
        let shingler = |seed| Shingler::new(Shingling::Bytes(3), &[seed; 32]).unwrap();
        assert_eq!(shingler(1).shingles(b"abcabcab").hashes().len(), 3);
        assert_eq!(shingler(1).shingles(b"ab").hashes().len(), 1);
        assert!(shingler(1).shingles(b" \n").hashes().is_empty());
        assert_ne!(shingler(1).shingles(b"abc"), shingler(2).shingles(b"abc"));
        let similarity = shingler(1)
            .shingles(b"abcd")
            .jaccard(&shingler(1).shingles(b"bcde"));
        assert_eq!(similarity, 1.0 / 3.0);
    }

    #[test]
    fn refuses_shingles_of_no_length() {
        for shingling in [
            Shingling::Words(0),
            Shingling::Bytes(0),
            Shingling::Words(1_025),
        ] {
            assert!(matches!(
                Shingler::new(shingling, &[0; 32]),
                Err(Error::Parameter { .. })
            ));
        }
    }
}
