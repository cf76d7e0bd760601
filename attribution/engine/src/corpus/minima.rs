//! Minima of blocks of blocks, for the smallest number in a long range.

use std::ops::Range;

/// Elements in a block.
const BLOCK: usize = 64;

/// Minima in all levels together, for an array of `length` numbers.
pub(super) fn count(length: usize) -> usize {
    levels(length).sum()
}

/// Lengths of the levels: one minimum for each block of the level before, until one block is left.
fn levels(length: usize) -> impl Iterator<Item = usize> {
    let next = |length: &usize| (*length > BLOCK).then(|| length.div_ceil(BLOCK));
    std::iter::successors(next(&length), next)
}

/// Collects the minima of an array that passes by.
pub(super) struct Collector {
    minima: Vec<u32>,
    length: usize,
}

impl Collector {
    /// For an array of `length` numbers.
    pub(super) fn new(length: usize) -> Self {
        Self {
            minima: Vec::with_capacity(count(length) + 1),
            length,
        }
    }

    /// Takes the next numbers: whole blocks, but for the last.
    pub(super) fn extend(&mut self, values: &[u32]) {
        let blocks = values.chunks(BLOCK);
        self.minima
            .extend(blocks.filter_map(|block| block.iter().min()));
    }

    /// The minima of all levels, the lowest level first.
    pub(super) fn finish(mut self) -> Vec<u32> {
        if self.length <= BLOCK {
            return Vec::new();
        }
        let mut start = 0;
        while self.minima.len() - start > BLOCK {
            let end = self.minima.len();
            let next = self.minima[start..]
                .chunks(BLOCK)
                .filter_map(|block| block.iter().min().copied())
                .collect::<Vec<_>>();
            self.minima.extend(next);
            start = end;
        }
        self.minima
    }
}

/// An array with the minima of its blocks.
#[derive(Clone, Copy)]
pub(super) struct Minima<'a> {
    values: &'a [u32],
    minima: &'a [u32],
}

impl<'a> Minima<'a> {
    /// `minima` as collected from `values`.
    pub(super) fn new(values: &'a [u32], minima: &'a [u32]) -> Self {
        Self { values, minima }
    }

    /// The smallest value in a range, if the range is not empty.
    pub(super) fn minimum(&self, range: Range<usize>) -> Option<u32> {
        let Range { mut start, mut end } = range;
        let (mut level, mut above) = (self.values, self.minima);
        let mut lengths = levels(self.values.len());
        let mut least: Option<u32> = None;
        let mut take = |values: Option<&[u32]>| {
            let next = values.unwrap_or_default().iter().min().copied();
            least = least.into_iter().chain(next).min();
        };
        loop {
            let length = match lengths.next() {
                Some(length) if end.saturating_sub(start) > 2 * BLOCK => length,
                _ => {
                    take(level.get(start..end));
                    return least;
                }
            };
            let (first, last) = (start.next_multiple_of(BLOCK), end / BLOCK * BLOCK);
            take(level.get(start..first));
            take(level.get(last..end));
            (start, end) = (first / BLOCK, last / BLOCK);
            (level, above) = above.split_at_checked(length).unwrap_or_default();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn minima_are_those_of_a_linear_search(
            values in prop::collection::vec(0_u32..50, 1..200),
            repeat in 1_usize..60,
            picks in prop::collection::vec((any::<prop::sample::Index>(), any::<prop::sample::Index>()), 1..20),
        ) {
            let values = values
                .iter()
                .flat_map(|value| std::iter::repeat_n(*value + 1_000, repeat).chain([*value]))
                .collect::<Vec<_>>();
            let mut collector = Collector::new(values.len());
            values.chunks(3 * BLOCK).for_each(|values| collector.extend(values));
            let minima = collector.finish();
            prop_assert_eq!(minima.len(), count(values.len()));
            let minima = Minima::new(&values, &minima);
            for (a, b) in picks {
                let (a, b) = (a.index(values.len()), b.index(values.len() + 1));
                let range = a.min(b)..a.max(b);
                prop_assert_eq!(minima.minimum(range.clone()), values[range].iter().min().copied());
            }
        }
    }

    #[test]
    fn an_empty_array_has_no_minimum() {
        let minima = Collector::new(0).finish();
        assert_eq!((minima.len(), count(0)), (0, 0));
        assert_eq!(Minima::new(&[], &minima).minimum(0..0), None);
    }
}
