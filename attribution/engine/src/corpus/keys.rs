//! The keys of every `BLOCK`-th suffix, and of every `BLOCK`-th of those, and so on to a single block.
//!
//! All levels but the lowest together are a thousandth of the suffixes and stay in the processor's
//! caches, so finding a block of suffixes waits for memory once.

/// Entries for each entry of the next level.
pub(super) const BLOCK: usize = 32;

/// Lengths of the levels, the lowest first, for an array of `suffixes`.
fn levels(suffixes: usize) -> impl Iterator<Item = usize> {
    let lowest = suffixes.div_ceil(BLOCK);
    std::iter::successors((lowest > 0).then_some(lowest), |length| {
        (*length > BLOCK).then(|| length.div_ceil(BLOCK))
    })
}

/// Keys in all levels together.
pub(super) fn count(suffixes: usize) -> usize {
    levels(suffixes).sum()
}

/// The upper levels over the lowest, one behind the other.
pub(super) fn upper_levels(lowest: &[u128]) -> Vec<u128> {
    let mut upper: Vec<u128> = Vec::with_capacity(lowest.len() / (BLOCK - 1));
    let mut start = 0;
    let mut length = lowest.len();
    while length > BLOCK {
        let below = match upper.is_empty() {
            true => lowest,
            false => &upper[start..],
        };
        let next = below.iter().step_by(BLOCK).copied().collect::<Vec<_>>();
        (start, length) = (upper.len(), next.len());
        upper.extend(next);
    }
    upper
}

/// Sorted keys with their upper levels.
#[derive(Clone, Copy)]
pub(super) struct Keys<'a> {
    levels: &'a [u128],
    lowest: usize,
}

impl<'a> Keys<'a> {
    /// The keys of an array of `suffixes`.
    #[inline]
    pub(super) fn new(levels: &'a [u128], suffixes: usize) -> Self {
        let lowest = suffixes.div_ceil(BLOCK).min(levels.len());
        Self { levels, lowest }
    }

    /// The keys of the lowest level.
    #[inline]
    pub(super) fn lowest(&self) -> &'a [u128] {
        &self.levels[..self.lowest]
    }

    /// How many keys of the lowest level are below each wanted one, in all lanes side by side.
    #[inline]
    pub(super) fn below<const LANES: usize>(&self, wanted: &[u128; LANES]) -> [usize; LANES] {
        let mut below = [0_usize; LANES];
        // From the level with a single block down; in each, the block that the level above leads to.
        let mut sizes = [0; usize::BITS as usize];
        let mut height = 0;
        let (mut size, mut end) = (self.lowest, self.lowest);
        sizes[0] = size;
        while size > BLOCK {
            size = size.div_ceil(BLOCK);
            end += size;
            height += 1;
            sizes[height] = size;
        }
        for level in (0..=height).rev() {
            let start = end - sizes[level];
            let keys = self.levels.get(start..end).unwrap_or_default();
            for (below, wanted) in below.iter_mut().zip(wanted) {
                let block = below.saturating_sub(1) * BLOCK;
                let keys = keys.get(block..).unwrap_or_default();
                let keys = &keys[..keys.len().min(BLOCK)];
                *below = block
                    + match level {
                        // Outside the caches, reading all of a block at once waits once.
                        0 | 1 => keys.iter().filter(|key| *key < wanted).count(),
                        _ => keys.partition_point(|key| key < wanted),
                    };
            }
            end = start;
        }
        below
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn counts_are_those_of_a_linear_search(
            length in 0_usize..5_000,
            repeat in 1_u128..100,
            wanted in prop::array::uniform4(0_u128..5_001),
        ) {
            let suffixes = length * BLOCK;
            let lowest = (0..length as u128).map(|i| i / repeat).collect::<Vec<_>>();
            let levels = [&lowest[..], &upper_levels(&lowest)].concat();
            prop_assert_eq!(levels.len(), count(suffixes));
            let keys = Keys::new(&levels, suffixes);
            prop_assert_eq!(keys.lowest(), &lowest);
            let below = wanted.map(|wanted| lowest.iter().filter(|key| **key < wanted).count());
            prop_assert_eq!(keys.below(&wanted), below);
        }
    }
}
