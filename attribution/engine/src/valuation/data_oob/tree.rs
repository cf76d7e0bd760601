//! Decision trees on binned features.

use std::ops::Range;

use rand_chacha::ChaCha8Rng;

use crate::valuation::{random::below, Samples};

/// The most bins of a feature: a bin's number is a byte.
const MAX_BINS: usize = 256;
/// A node sorts its data rather than fill a table when the table has more than this many cells for
/// each datum.
const CELLS_PER_DATUM: usize = 4;
/// Bits of a datum's place in its node, below its bin in a sorted key.
const PLACE_BITS: u32 = 32;

/// Features as bins of ascending values, feature by feature.
pub(super) struct Bins {
    count: usize,
    values: Vec<u8>,
    /// Number of bins of each feature.
    sizes: Vec<usize>,
}

impl Bins {
    /// Gives each value its own bin where a feature has at most 256, otherwise cuts at quantiles.
    pub(super) fn new(samples: Samples<'_>) -> Self {
        let count = samples.count();
        let mut values = Vec::with_capacity(count * samples.dimension());
        let mut sizes = Vec::with_capacity(samples.dimension());
        for feature in 0..samples.dimension() {
            let column = || (0..count).map(|sample| samples.row(sample)[feature]);
            let mut sorted = column().collect::<Vec<_>>();
            sorted.sort_unstable_by(f32::total_cmp);
            let mut distinct = sorted.clone();
            distinct.dedup();
            // The largest value of each bin but the last.
            let mut edges = if distinct.len() <= MAX_BINS {
                distinct.pop();
                distinct
            } else {
                (1..MAX_BINS)
                    .map(|bin| sorted[bin * count / MAX_BINS - 1])
                    .collect()
            };
            edges.dedup();
            // The largest value cannot end a bin that another follows.
            edges.retain(|edge| Some(edge) != sorted.last());
            values.extend(column().map(|value| edges.partition_point(|edge| *edge < value) as u8));
            sizes.push(edges.len() + 1);
        }
        Self {
            count,
            values,
            sizes,
        }
    }

    fn feature(&self, feature: usize) -> &[u8] {
        &self.values[feature * self.count..][..self.count]
    }
}

/// A node of a tree; the root is the first.
struct Node {
    /// The weight of all its data.
    weight: u32,
    /// Where the weights of its classes are in [`Tree::classes`].
    classes: Range<usize>,
    /// `None` for a leaf.
    split: Option<Split>,
}

/// Where the data of a node go.
#[derive(Clone, Copy)]
struct Split {
    feature: usize,
    /// The largest bin on the left.
    bin: u8,
    /// The left child; the right one is next to it.
    left: usize,
}

/// A decision tree.
pub(super) struct Tree {
    nodes: Vec<Node>,
    /// For each node the classes of its data, ascending, with their weights.
    classes: Vec<(u32, u32)>,
}

impl Tree {
    /// The nodes on the way of a datum from the root to its leaf, each with its child on that way.
    fn path<'a>(
        &'a self,
        bins: &'a Bins,
        datum: usize,
    ) -> impl Iterator<Item = (&'a Node, Option<&'a Node>)> {
        let child = move |node: &Node| {
            let split = node.split?;
            let right = bins.feature(split.feature)[datum] > split.bin;
            Some(&self.nodes[split.left + usize::from(right)])
        };
        let mut next = self.nodes.first();
        std::iter::from_fn(move || {
            let node = next?;
            next = child(node);
            Some((node, next))
        })
    }

    /// The class predicted for a datum: the heaviest of its leaf, of equals the lowest.
    pub(super) fn predict(&self, bins: &Bins, datum: usize) -> u32 {
        let leaf = self.path(bins, datum).last();
        let classes = leaf.map_or(&[][..], |(leaf, _)| &self.classes[leaf.classes.clone()]);
        let best = classes
            .iter()
            .reduce(|best, other| if other.1 > best.1 { other } else { best });
        best.map_or(0, |(class, _)| *class)
    }

    /// For each of the `sizes` (ascending, at most the weight of the root) the shares of the classes
    /// in the last node on the way of a datum that weighs at least so much: what the leaf would be if
    /// the tree had not been grown to smaller ones. Calls `add` with the place in `sizes`, the class
    /// and its share.
    pub(super) fn shares(
        &self,
        bins: &Bins,
        datum: usize,
        sizes: &[u32],
        mut add: impl FnMut(usize, usize, f64),
    ) {
        let mut open = sizes.len();
        for (node, child) in self.path(bins, datum) {
            let below = child.map_or(0, |child| child.weight);
            while open > 0 && sizes[open - 1] > below {
                open -= 1;
                for (class, weight) in &self.classes[node.classes.clone()] {
                    let share = f64::from(*weight) / f64::from(node.weight);
                    add(open, *class as usize, share);
                }
            }
        }
    }
}

/// A datum in a node.
#[derive(Clone, Copy)]
struct Member {
    datum: u32,
    class: u32,
    weight: u32,
}

/// A split and how pure it makes its sides.
#[derive(Clone, Copy)]
struct Cut {
    purity: f64,
    feature: usize,
    bin: u8,
}

/// Grows trees, with buffers that are used again.
pub(super) struct Grower<'a> {
    bins: &'a Bins,
    labels: &'a [u32],
    classes: usize,
    /// Weight of each (bin, class).
    table: Vec<u32>,
    /// Bin and place of each member.
    keys: Vec<u64>,
    totals: Vec<u32>,
    left: Vec<u32>,
    /// The order in which features are tried.
    features: Vec<u32>,
}

impl<'a> Grower<'a> {
    pub(super) fn new(bins: &'a Bins, labels: &'a [u32], classes: usize) -> Self {
        Self {
            bins,
            labels,
            classes,
            table: Vec::new(),
            keys: Vec::new(),
            totals: vec![0; classes],
            left: vec![0; classes],
            features: (0..bins.sizes.len() as u32).collect(),
        }
    }

    /// Grows a tree on the data with a weight above zero, at most `depth` splits deep. Each node tries
    /// `tried` random features, and more until one has two bins in the node. Of features with equally
    /// good splits the one tried first is taken, for otherwise trees are too much alike; of its bins
    /// the lowest.
    pub(super) fn grow(
        &mut self,
        weights: &[u32],
        depth: u32,
        tried: usize,
        rng: &mut ChaCha8Rng,
    ) -> Tree {
        self.features.sort_unstable();
        let mut members = (0_u32..)
            .zip(weights.iter().zip(self.labels))
            .filter(|(_, (weight, _))| **weight > 0)
            .map(|(datum, (weight, class))| Member {
                datum,
                class: *class,
                weight: *weight,
            })
            .collect::<Vec<_>>();
        let mut tree = Tree {
            nodes: Vec::new(),
            classes: Vec::new(),
        };
        let root = self.node(&members, &mut tree.classes);
        tree.nodes.push(root);
        let mut open = vec![(0, 0..members.len(), depth)];
        while let Some((at, range, depth)) = open.pop() {
            let members = &mut members[range.clone()];
            let classes = &tree.classes[tree.nodes[at].classes.clone()];
            if classes.len() < 2 || depth == 0 {
                continue;
            }
            self.totals.fill(0);
            for (class, weight) in classes {
                self.totals[*class as usize] = *weight;
            }
            let Some(cut) = self.best_cut(members, tried, rng) else {
                continue;
            };
            let column = self.bins.feature(cut.feature);
            let middle = partition(members, |member| column[member.datum as usize] <= cut.bin);
            let left = tree.nodes.len();
            tree.nodes[at].split = Some(Split {
                feature: cut.feature,
                bin: cut.bin,
                left,
            });
            for side in [&members[..middle], &members[middle..]] {
                let node = self.node(side, &mut tree.classes);
                tree.nodes.push(node);
            }
            let middle = range.start + middle;
            open.push((left, range.start..middle, depth - 1));
            open.push((left + 1, middle..range.end, depth - 1));
        }
        tree
    }

    /// A leaf with these members, whose classes are appended to `classes`.
    fn node(&mut self, members: &[Member], classes: &mut Vec<(u32, u32)>) -> Node {
        self.left.fill(0);
        for member in members {
            self.left[member.class as usize] += member.weight;
        }
        let start = classes.len();
        classes.extend(
            (0_u32..)
                .zip(&self.left)
                .filter(|(_, weight)| **weight > 0)
                .map(|(class, weight)| (class, *weight)),
        );
        Node {
            weight: classes[start..].iter().map(|(_, weight)| weight).sum(),
            classes: start..classes.len(),
            split: None,
        }
    }

    /// The cut with the purest sides, where a feature has two bins in the node.
    fn best_cut(&mut self, members: &[Member], tried: usize, rng: &mut ChaCha8Rng) -> Option<Cut> {
        let mut best = None;
        for at in 0..self.features.len() {
            if at >= tried && best.is_some() {
                break;
            }
            let other = at + below(rng, (self.features.len() - at) as u32) as usize;
            self.features.swap(at, other);
            let feature = self.features[at] as usize;
            let cells = self.bins.sizes[feature] * self.classes;
            let column = self.bins.feature(feature);
            let mut sweep = Sweep::new(&self.totals, &mut self.left, feature, &mut best);
            if cells > CELLS_PER_DATUM * members.len() {
                self.keys.clear();
                self.keys
                    .extend((0_u64..).zip(members).map(|(place, member)| {
                        u64::from(column[member.datum as usize]) << PLACE_BITS | place
                    }));
                self.keys.sort_unstable();
                for key in &self.keys {
                    let member = members[*key as u32 as usize];
                    sweep.enter((key >> PLACE_BITS) as u8);
                    sweep.add(member.class as usize, member.weight);
                }
            } else {
                self.table.clear();
                self.table.resize(cells, 0);
                for member in members {
                    let bin = usize::from(column[member.datum as usize]);
                    self.table[bin * self.classes + member.class as usize] += member.weight;
                }
                for (bin, weights) in self.table.chunks_exact(self.classes).enumerate() {
                    for (class, weight) in weights.iter().enumerate() {
                        if *weight > 0 {
                            sweep.enter(bin as u8);
                            sweep.add(class, *weight);
                        }
                    }
                }
            }
        }
        best
    }
}

/// Moves the data of a node from right to left, bin by bin, and keeps the best cut.
///
/// The weighted Gini impurity of two sides is least where `Σ_c left_c² / left + Σ_c right_c² / right`
/// is most; the sums of squares are exact integers.
struct Sweep<'a> {
    totals: &'a [u32],
    left: &'a mut [u32],
    feature: usize,
    best: &'a mut Option<Cut>,
    /// The bin that is being moved.
    bin: Option<u8>,
    weights: [u64; 2],
    squares: [u64; 2],
}

impl<'a> Sweep<'a> {
    fn new(
        totals: &'a [u32],
        left: &'a mut [u32],
        feature: usize,
        best: &'a mut Option<Cut>,
    ) -> Self {
        left.fill(0);
        let weights = totals.iter().map(|total| u64::from(*total));
        Self {
            left,
            feature,
            best,
            bin: None,
            weights: [0, weights.clone().sum()],
            squares: [0, weights.map(|weight| weight * weight).sum()],
            totals,
        }
    }

    /// Comes to a bin with data; cuts between it and the one before are half way.
    #[inline]
    fn enter(&mut self, bin: u8) {
        match self.bin {
            Some(before) if before < bin => {
                let purity = self.squares[0] as f64 / self.weights[0] as f64
                    + self.squares[1] as f64 / self.weights[1] as f64;
                if self.best.is_none_or(|best| purity > best.purity) {
                    *self.best = Some(Cut {
                        purity,
                        feature: self.feature,
                        bin: before + (bin - before) / 2,
                    });
                }
                self.bin = Some(bin);
            }
            Some(_) => {}
            None => self.bin = Some(bin),
        }
    }

    #[inline]
    fn add(&mut self, class: usize, weight: u32) {
        let left = u64::from(self.left[class]);
        let right = u64::from(self.totals[class]) - left;
        self.left[class] += weight;
        let weight = u64::from(weight);
        self.weights[0] += weight;
        self.weights[1] -= weight;
        self.squares[0] += weight * (2 * left + weight);
        self.squares[1] -= weight * (2 * right - weight);
    }
}

/// Moves the members that satisfy `left` to the front and returns their number.
fn partition(members: &mut [Member], left: impl Fn(&Member) -> bool) -> usize {
    let mut middle = 0;
    for at in 0..members.len() {
        if left(&members[at]) {
            members.swap(middle, at);
            middle += 1;
        }
    }
    middle
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::valuation::random::stream;
    use proptest::prelude::*;

    /// The purest cut by trying all, as (feature, members left).
    fn exhaustive(rows: &[Vec<u8>], classes: &[u32], weights: &[u32]) -> Option<f64> {
        let mut best: Option<f64> = None;
        for feature in 0..rows[0].len() {
            for bin in 0..=8 {
                let mut sides = [[0.0; 3]; 2];
                for ((row, class), weight) in rows.iter().zip(classes).zip(weights) {
                    let side = usize::from(row[feature] > bin);
                    sides[side][*class as usize] += f64::from(*weight);
                }
                let total = sides.map(|side| side.iter().sum::<f64>());
                if total[0] > 0.0 && total[1] > 0.0 {
                    let purity = (0..2)
                        .map(|s| sides[s].iter().map(|w| w * w).sum::<f64>() / total[s])
                        .sum::<f64>();
                    best = Some(best.map_or(purity, |best| best.max(purity)));
                }
            }
        }
        best
    }

    proptest! {
        #[test]
        fn cuts_are_the_purest(
            rows in prop::collection::vec(
                (prop::collection::vec(0_u8..8, 3), 0_u32..3, 1_u32..4),
                2..60,
            ),
        ) {
            let features = rows
                .iter()
                .flat_map(|row| row.0.iter().map(|bin| f32::from(*bin)))
                .collect::<Vec<_>>();
            let classes = rows.iter().map(|row| row.1).collect::<Vec<_>>();
            let weights = rows.iter().map(|row| row.2).collect::<Vec<_>>();
            let raw = rows.iter().map(|row| row.0.clone()).collect::<Vec<_>>();
            let samples = Samples::new(&features, 3, &classes).unwrap();
            let bins = Bins::new(samples);
            let mut grower = Grower::new(&bins, &classes, 3);
            let members = (0_u32..)
                .zip(classes.iter().zip(&weights))
                .map(|(datum, (class, weight))| Member {
                    datum,
                    class: *class,
                    weight: *weight,
                })
                .collect::<Vec<_>>();
            for member in &members {
                grower.totals[member.class as usize] += member.weight;
            }
            let found = grower.best_cut(&members, 3, &mut stream(&[0; 32], 1));
            let expected = exhaustive(&raw, &classes, &weights);
            prop_assert_eq!(found.is_some(), expected.is_some());
            if let (Some(found), Some(expected)) = (found, expected) {
                prop_assert!((found.purity - expected).abs() < 1e-9);
            }
            // Fully grown, a tree is right about every datum that no other contradicts.
            let tree = grower.grow(&weights, u32::MAX, 3, &mut stream(&[0; 32], 0));
            for (datum, row) in rows.iter().enumerate() {
                let alone = rows.iter().all(|other| other.0 != row.0 || other.1 == row.1);
                prop_assert!(!alone || tree.predict(&bins, datum) == row.1);
            }
        }
    }

    #[test]
    fn many_values_are_cut_at_quantiles() {
        let features = (0..10_000).map(|i| (i as f32).sqrt()).collect::<Vec<_>>();
        let labels = vec![0; 10_000];
        let bins = Bins::new(Samples::new(&features, 1, &labels).unwrap());
        assert_eq!(bins.sizes, [256]);
        let mut counts = [0; 256];
        for bin in bins.feature(0) {
            counts[usize::from(*bin)] += 1;
        }
        assert!(counts.iter().all(|count| (38..=41).contains(count)));
        assert!(bins.feature(0).is_sorted());

        // Half of the values are the largest one, and must not end a bin.
        let features = (0..2_000).map(|i| i.min(1_000) as f32).collect::<Vec<_>>();
        let bins = Bins::new(Samples::new(&features, 1, &labels[..2_000]).unwrap());
        assert_eq!(usize::from(bins.feature(0)[1_999]) + 1, bins.sizes[0]);
        assert!(bins.feature(0)[999] < bins.feature(0)[1_000]);
    }
}
