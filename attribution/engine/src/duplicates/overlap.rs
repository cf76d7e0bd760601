//! Overlap: how much of a record stands verbatim in earlier records.
//!
//! Shingle sets find records that are alike as wholes. A new record with a long passage of an earlier one
//! in it is not alike; its overlap says how many of its bytes are inside matches that are too long for
//! chance (K. Lee et al., *Deduplicating Training Data Makes Language Models Better*, ACL 2022, take
//! matches of 50 tokens).

use libsais::SuffixArrayConstruction;

use super::check_row_count;
use crate::{
    corpus::symbols::{symbol, END, MAX_SYMBOLS},
    Error,
};

/// Which byte of a match its length is given at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Anchor {
    /// Its first.
    First,
    /// Its last.
    Last,
}

/// The share, in 0..=1, of a record's bytes that are inside matches of at least `minimum` bytes, from its
/// matching statistics: at each byte the length of the longest match that starts there, or that ends
/// there, according to `anchor`. In what the matches are is up to the caller; for overlap with earlier
/// records it must hold only these. An empty record has no such bytes.
///
/// # Errors
/// When `minimum` is 0 or a match is longer than the record on its side of the byte.
pub fn overlap_share(lengths: &[u32], anchor: Anchor, minimum: u32) -> Result<f64, Error> {
    check_minimum(minimum)?;
    let count = lengths.len();
    let mut starts = vec![0_u32; count];
    for (at, length) in lengths.iter().enumerate() {
        let size = *length as usize;
        let start = match anchor {
            Anchor::First => Some(at).filter(|start| size <= count - start),
            Anchor::Last => (at + 1).checked_sub(size),
        };
        let start = start.ok_or_else(|| {
            Error::parameter(
                "match length",
                length,
                format!("within the record of {count} bytes from byte {at} on its side"),
            )
        })?;
        if *length >= minimum {
            starts[start] = starts[start].max(*length);
        }
    }
    Ok(share(starts.into_iter()))
}

/// For each record the share, in 0..=1, of its bytes that are inside matches of at least `minimum` bytes
/// with records before it. `None` stands for a tombstoned record: nothing overlaps with it and its own
/// share is 0.
///
/// A suffix array brings all suffixes that start with the same `minimum` bytes together; each that is
/// not of the earliest row among them starts a match. Needs about 11 bytes of memory for each byte of
/// text.
///
/// # Errors
/// When `minimum` is 0, bytes and records together exceed 2^31 - 1, or the suffix sorter runs out of
/// memory.
pub fn earlier_overlaps(records: &[Option<&[u8]>], minimum: u32) -> Result<Vec<f64>, Error> {
    check_row_count(records.len())?;
    check_minimum(minimum)?;
    let bytes = |record: &Option<&[u8]>| record.map_or(0, <[u8]>::len) as u64;
    let symbols = records.iter().map(bytes).sum::<u64>() + records.len() as u64;
    if symbols > MAX_SYMBOLS {
        return Err(Error::CorpusTooLarge {
            symbols,
            limit: MAX_SYMBOLS,
        });
    }
    if records.is_empty() {
        return Ok(Vec::new());
    }
    let mut text = Vec::with_capacity(symbols as usize);
    let mut rows = Vec::with_capacity(symbols as usize);
    for (row, record) in (0_u32..).zip(records) {
        text.extend(record.unwrap_or_default().iter().copied().map(symbol));
        text.push(END);
        rows.resize(text.len(), row);
    }
    let suffixes = SuffixArrayConstruction::for_text(&text)
        .in_owned_buffer32()
        .single_threaded()
        .run()
        .map_err(|error| Error::SuffixArray(format!("{error:?}")))?
        .into_vec();
    // What a suffix starts with, if no record ends before.
    let prefix = |suffix: &i32| {
        let start = *suffix as usize;
        let prefix = text.get(start..start + minimum as usize)?;
        (!prefix.contains(&END)).then_some(prefix)
    };
    let mut matches = vec![false; text.len()];
    let alike = |a: &i32, b: &i32| prefix(a).is_some_and(|a| prefix(b) == Some(a));
    for group in suffixes.chunk_by(alike) {
        let rows_of = |suffix: &i32| rows[*suffix as usize];
        let first = group.iter().map(rows_of).min();
        for suffix in group {
            matches[*suffix as usize] = first.is_some_and(|first| first < rows_of(suffix));
        }
    }
    let mut from = 0;
    Ok(records
        .iter()
        .map(|record| {
            let to = from + record.map_or(0, <[u8]>::len);
            let starts = matches[from..to].iter();
            from = to + 1;
            share(starts.map(|matches| if *matches { minimum } else { 0 }))
        })
        .collect())
}

/// The share of bytes that matches cover, from the length of the one that starts at each, 0 for none.
fn share(starts: impl ExactSizeIterator<Item = u32>) -> f64 {
    let count = starts.len();
    let (mut covered, mut end) = (0_usize, 0);
    for (at, length) in starts.enumerate() {
        end = end.max(at + length as usize);
        covered += usize::from(at < end);
    }
    if count == 0 {
        0.0
    } else {
        covered as f64 / count as f64
    }
}

fn check_minimum(minimum: u32) -> Result<(), Error> {
    if minimum == 0 {
        return Err(Error::parameter("shortest match", minimum, "at least 1"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Whether each byte is in a piece of `minimum` bytes that some earlier record contains.
    fn brute_share(records: &[Option<Vec<u8>>], row: usize, minimum: usize) -> f64 {
        let record = records[row].as_deref().unwrap_or_default();
        let mut inside = vec![false; record.len()];
        for start in 0..record.len().saturating_sub(minimum - 1) {
            let piece = &record[start..start + minimum];
            let earlier = records[..row].iter().flatten();
            if earlier.flat_map(|r| r.windows(minimum)).any(|p| p == piece) {
                inside[start..start + minimum].fill(true);
            }
        }
        let covered = inside.iter().filter(|inside| **inside).count();
        covered as f64 / record.len().max(1) as f64
    }

    /// At each byte the longest match that starts and that ends there, in the records before `row`.
    fn brute_statistics(records: &[Option<Vec<u8>>], row: usize) -> (Vec<u32>, Vec<u32>) {
        let record = records[row].as_deref().unwrap_or_default();
        let occurs = |piece: &[u8]| {
            let earlier = records[..row].iter().flatten();
            piece.is_empty()
                || earlier
                    .flat_map(|r| r.windows(piece.len()))
                    .any(|p| p == piece)
        };
        let longest = |sizes: &mut dyn Iterator<Item = (usize, &[u8])>| {
            let found = sizes
                .filter(|(_, piece)| occurs(piece))
                .map(|(size, _)| size);
            found.max().unwrap_or(0) as u32
        };
        let count = record.len();
        (
            (0..count)
                .map(|at| longest(&mut (0..=count - at).map(|size| (size, &record[at..at + size]))))
                .collect(),
            (1..=count)
                .map(|end| longest(&mut (0..=end).map(|size| (size, &record[end - size..end]))))
                .collect(),
        )
    }

    proptest! {
        #[test]
        fn shares_are_those_of_brute_force(
            records in prop::collection::vec(
                prop::option::weighted(0.9, prop::collection::vec(prop::sample::select(vec![0_u8, b'a', 255]), 0..20)),
                0..6,
            ),
            minimum in 1_u32..6,
        ) {
            let slices = records.iter().map(Option::as_deref).collect::<Vec<_>>();
            let shares = earlier_overlaps(&slices, minimum).unwrap();
            prop_assert_eq!(shares.len(), records.len());
            for (row, share) in shares.into_iter().enumerate() {
                prop_assert_eq!(share, brute_share(&records, row, minimum as usize));
                let (from, to) = brute_statistics(&records, row);
                prop_assert_eq!(overlap_share(&from, Anchor::First, minimum).unwrap(), share);
                prop_assert_eq!(overlap_share(&to, Anchor::Last, minimum).unwrap(), share);
            }
        }
    }

    #[test]
    fn refuses_matches_that_cannot_be() {
        let refused = |result: Result<f64, Error>| {
            assert!(matches!(result, Err(Error::Parameter { .. })));
        };
        refused(overlap_share(&[0], Anchor::First, 0));
        refused(overlap_share(&[0, 2], Anchor::First, 1));
        refused(overlap_share(&[2, 0], Anchor::Last, 1));
        assert!(earlier_overlaps(&[], 0).is_err());
        assert_eq!(overlap_share(&[2, 1], Anchor::First, 2).unwrap(), 1.0);
        assert_eq!(overlap_share(&[], Anchor::Last, 1).unwrap(), 0.0);
    }
}
