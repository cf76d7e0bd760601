//! Minima of blocks of blocks, for jumping through long arrays.

/// Elements in a block.
const BLOCK: usize = 64;

/// An array with the minima of its blocks, of the blocks of those, and so on to a single block.
pub(super) struct Minima<T> {
    /// The array first; each next level holds one minimum for each block of the one before.
    levels: Vec<Vec<T>>,
}

impl<T: Copy + Ord> Minima<T> {
    pub(super) fn new(values: Vec<T>) -> Self {
        let mut levels = vec![values];
        while let Some(last) = levels.last().filter(|last| last.len() > BLOCK) {
            let next = last
                .chunks(BLOCK)
                .filter_map(|block| block.iter().min().copied())
                .collect();
            levels.push(next);
        }
        Self { levels }
    }

    /// The array.
    pub(super) fn values(&self) -> &[T] {
        &self.levels[0]
    }

    /// The first position at or after `from` with a value below `bound`, or the array's length.
    pub(super) fn next_below(&self, from: usize, bound: T) -> usize {
        let mut from = from;
        for (height, level) in self.levels.iter().enumerate() {
            let end = (from / BLOCK + 1).saturating_mul(BLOCK).min(level.len());
            if from < end {
                if let Some(at) = level[from..end].iter().position(|value| *value < bound) {
                    return self.descend(height, from + at, bound, |block, below| {
                        block.iter().position(below)
                    });
                }
            }
            // The blocks of this level behind the one just searched.
            from = from / BLOCK + 1;
        }
        self.values().len()
    }

    /// The last position at or before `from` with a value below `bound`.
    pub(super) fn previous_below(&self, from: usize, bound: T) -> Option<usize> {
        let mut from = from;
        for (height, level) in self.levels.iter().enumerate() {
            let start = from / BLOCK * BLOCK;
            if let Some(at) = level[start..=from].iter().rposition(|value| *value < bound) {
                return Some(self.descend(height, start + at, bound, |block, below| {
                    block.iter().rposition(below)
                }));
            }
            from = (from / BLOCK).checked_sub(1)?;
        }
        None
    }

    /// From a position in a level down to one in the array.
    fn descend(
        &self,
        height: usize,
        position: usize,
        bound: T,
        find: impl Fn(&[T], &dyn Fn(&T) -> bool) -> Option<usize>,
    ) -> usize {
        self.levels[..height]
            .iter()
            .rev()
            .fold(position, |position, level| {
                let start = position * BLOCK;
                let block = &level[start..(start + BLOCK).min(level.len())];
                let at = find(block, &|value| *value < bound);
                start + at.expect("a block whose minimum is below the bound has such a value")
            })
    }

    /// The smallest value in a range, if the range is not empty.
    pub(super) fn minimum(&self, range: std::ops::Range<usize>) -> Option<T> {
        let (mut start, mut end) = (range.start, range.end);
        let mut minimum: Option<T> = None;
        let mut take = |values: &[T]| {
            let least = values.iter().min().copied();
            minimum = minimum.into_iter().chain(least).min();
        };
        for level in &self.levels {
            if end.saturating_sub(start) <= 2 * BLOCK {
                take(level.get(start..end).unwrap_or_default());
                break;
            }
            let (first, last) = (start.next_multiple_of(BLOCK), end / BLOCK * BLOCK);
            take(&level[start..first]);
            take(&level[last..end]);
            (start, end) = (first / BLOCK, last / BLOCK);
        }
        minimum
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn answers_are_those_of_a_linear_search(
            values in prop::collection::vec(0_u8..50, 1..200),
            repeat in 1_usize..60,
            picks in prop::collection::vec((any::<prop::sample::Index>(), any::<prop::sample::Index>(), 0_u8..51), 1..20),
        ) {
            // Long runs of large values make the searches climb.
            let values = values
                .iter()
                .flat_map(|value| std::iter::repeat_n(60, repeat).chain([*value]))
                .collect::<Vec<_>>();
            let minima = Minima::new(values.clone());
            for (a, b, bound) in picks {
                let (a, b) = (a.index(values.len()), b.index(values.len() + 1));
                let next = (a..values.len()).find(|i| values[*i] < bound).unwrap_or(values.len());
                prop_assert_eq!(minima.next_below(a, bound), next);
                let previous = (0..=a).rev().find(|i| values[*i] < bound);
                prop_assert_eq!(minima.previous_below(a, bound), previous);
                let range = a.min(b)..a.max(b);
                prop_assert_eq!(minima.minimum(range.clone()), values[range].iter().min().copied());
            }
            prop_assert_eq!(minima.next_below(values.len(), 255), values.len());
        }
    }

    #[test]
    fn an_empty_array_has_no_answers() {
        let minima = Minima::<u32>::new(Vec::new());
        assert_eq!(minima.next_below(0, 9), 0);
        assert_eq!(minima.minimum(0..0), None);
    }
}
