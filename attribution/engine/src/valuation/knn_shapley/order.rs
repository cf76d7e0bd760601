//! Sorting by distance.

/// Bits of the widest digit: its counters and one open cache line for each of its values fit the
/// first two cache levels.
const MAX_DIGIT: u32 = 11;
/// How many data there are for each value of a digit, at least, as a power of two: counters must not
/// cost more than the data.
const DATA_PER_COUNTER: u32 = 2;
/// Where the key starts in a packed entry.
const KEY_SHIFT: u32 = 32;

/// Sorts data by distance, ties by number, with buffers that are used again.
#[derive(Default)]
pub(crate) struct Sorter {
    entries: Vec<u64>,
    spare: Vec<u64>,
    counts: Vec<u32>,
}

/// A datum in the order of distances.
#[derive(Clone, Copy)]
pub(crate) struct Entry(u64);

impl Entry {
    /// The datum's number.
    pub(crate) fn datum(self) -> usize {
        (self.0 as u32 >> 1) as usize
    }

    /// One where the datum is marked.
    pub(crate) fn mark(self) -> u32 {
        self.0 as u32 & 1
    }
}

impl Sorter {
    /// The data in ascending order of `distances`, of which there are at most 2³¹ − 1; `mark` gives
    /// each datum's mark. The error is the first datum whose distance is not finite.
    ///
    /// The float bits are mapped to integers of the same order, counted from the smallest one. A radix
    /// sort by the highest two digits of the bits in which they differ leaves few data side by side
    /// whose digits are equal, which are then sorted by comparison.
    pub(crate) fn sort(
        &mut self,
        distances: &[f32],
        mark: impl Fn(usize) -> bool,
    ) -> Result<impl DoubleEndedIterator<Item = Entry> + ExactSizeIterator + '_, usize> {
        let (mut low, mut high) = (u32::MAX, 0);
        for distance in distances {
            let key = key(*distance);
            low = low.min(key);
            high = high.max(key);
        }
        if low <= key(f32::NEG_INFINITY) || high >= key(f32::INFINITY) {
            let bad = distances.iter().position(|value| !value.is_finite());
            return Err(bad.unwrap_or_default());
        }
        let bits = u32::BITS - (high - low).leading_zeros();
        let widest = distances.len().ilog2().saturating_sub(DATA_PER_COUNTER);
        let width = bits.div_ceil(2).min(widest.clamp(1, MAX_DIGIT));
        let mask = (1_usize << width) - 1;
        let rest = bits.saturating_sub(2 * width);

        self.counts.clear();
        self.counts.resize(2 * (mask + 1), 0);
        let (lower, upper) = self.counts.split_at_mut(mask + 1);
        for distance in distances {
            let digits = (key(*distance) - low) as usize >> rest;
            lower[digits & mask] += 1;
            upper[digits >> width & mask] += 1;
        }
        start_positions(lower);
        start_positions(upper);

        self.spare.resize(distances.len(), 0);
        for (datum, distance) in distances.iter().enumerate() {
            let key = key(*distance) - low;
            let position = &mut lower[(key >> rest) as usize & mask];
            self.spare[*position as usize] =
                u64::from(key) << KEY_SHIFT | (datum as u64) << 1 | u64::from(mark(datum));
            *position += 1;
        }
        self.entries.resize(distances.len(), 0);
        for entry in &self.spare {
            let position = &mut upper[(entry >> (KEY_SHIFT + rest + width)) as usize & mask];
            self.entries[*position as usize] = *entry;
            *position += 1;
        }
        if rest > 0 {
            self.entries
                .chunk_by_mut(|a, b| (a ^ b) >> (KEY_SHIFT + rest) == 0)
                .filter(|equal| equal.len() > 1)
                .for_each(<[u64]>::sort_unstable);
        }
        Ok(self.entries.iter().map(|entry| Entry(*entry)))
    }
}

/// An integer in the order of the finite floats; both zeros have the same.
fn key(distance: f32) -> u32 {
    let bits = (distance + 0.0).to_bits();
    // All bits of a negative number are flipped, of another one only the sign.
    bits ^ ((bits as i32 >> 31) as u32 | 1 << 31)
}

/// Turns counts into the position of the first entry of each digit.
fn start_positions(counts: &mut [u32]) {
    let mut position = 0;
    for count in counts {
        position += std::mem::replace(count, position);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn check(sorter: &mut Sorter, distances: &[f32]) {
        let mut expected = (0..distances.len()).collect::<Vec<_>>();
        expected.sort_by(|a, b| distances[*a].partial_cmp(&distances[*b]).unwrap());
        let found = sorter
            .sort(distances, |datum| datum % 3 == 0)
            .unwrap()
            .map(|entry| (entry.datum(), entry.mark() == 1))
            .collect::<Vec<_>>();
        let expected = expected
            .into_iter()
            .map(|datum| (datum, datum % 3 == 0))
            .collect::<Vec<_>>();
        assert_eq!(found, expected);
    }

    proptest! {
        #[test]
        fn order_is_that_of_a_stable_sort(
            wide in prop::collection::vec(prop::num::f32::NORMAL | prop::num::f32::ZERO, 1..200),
            narrow in prop::collection::vec(1.0_f32..1.001, 1..200),
            ties in prop::collection::vec(-3_i32..3, 1..200),
        ) {
            let mut sorter = Sorter::default();
            check(&mut sorter, &wide);
            check(&mut sorter, &narrow);
            check(&mut sorter, &ties.iter().map(|tie| *tie as f32).collect::<Vec<_>>());
        }
    }

    #[test]
    fn zeros_tie_and_what_is_not_finite_is_named() {
        let mut sorter = Sorter::default();
        check(&mut sorter, &[0.0, -0.0, 0.0, f32::MAX, f32::MIN, -0.0]);
        for bad in [f32::NAN, -f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
            let refused = sorter.sort(&[1.0, 0.0, bad], |_| false).map(|_| ());
            assert_eq!(refused, Err(2));
        }
    }
}
