//! Data sets, and their division among owners, queries and the adversary's knowledge.

use std::path::Path;

use attribution_engine::{npy, valuation::Samples};

use crate::{random::Random, Result};

/// Owners of the training records.
pub(crate) const OWNERS: usize = 15;

/// Labelled records, features in `[0, 1]`.
#[derive(Clone)]
pub(crate) struct Records {
    pub(crate) features: Vec<f32>,
    pub(crate) dimension: usize,
    pub(crate) labels: Vec<u32>,
}

impl Records {
    /// `FOLDER/NAME-features.npy` and `FOLDER/NAME-labels.npy`.
    pub(crate) fn read(folder: &Path, name: &str) -> Result<Self> {
        let features = npy::read::<f32>(&folder.join(format!("{name}-features.npy")))?;
        let (_, dimension) = features.rows_and_columns()?;
        let labels = npy::read::<u32>(&folder.join(format!("{name}-labels.npy")))?.values;
        let records = Self {
            features: features.values,
            dimension,
            labels,
        };
        records.samples()?;
        Ok(records)
    }

    /// Six classes of five normal clusters each in 24 dimensions. Clusters are unequally frequent and
    /// wide, and those of different classes overlap.
    pub(crate) fn mixture(count: usize) -> Self {
        const CLASSES: usize = 6;
        const CLUSTERS: usize = 5 * CLASSES;
        const DIMENSION: usize = 24;
        let mut random = Random::new(0, "mixture");
        let centres = (0..CLUSTERS * DIMENSION)
            .map(|_| random.between(0.25, 0.75))
            .collect::<Vec<_>>();
        let weights = (0..CLUSTERS)
            .map(|_| random.between(0.3, 1.5))
            .collect::<Vec<_>>();
        let widths = (0..CLUSTERS)
            .map(|_| random.between(0.08, 0.2))
            .collect::<Vec<_>>();
        let mut features = Vec::with_capacity(count * DIMENSION);
        let mut labels = Vec::with_capacity(count);
        for _ in 0..count {
            let cluster = random.choose(&weights);
            labels.push((cluster % CLASSES) as u32);
            for centre in &centres[cluster * DIMENSION..][..DIMENSION] {
                let value = centre + widths[cluster] * random.normal();
                features.push(value.clamp(0.0, 1.0) as f32);
            }
        }
        Self {
            features,
            dimension: DIMENSION,
            labels,
        }
    }

    pub(crate) fn count(&self) -> usize {
        self.labels.len()
    }

    pub(crate) fn classes(&self) -> usize {
        self.labels
            .iter()
            .max()
            .map_or(0, |label| *label as usize + 1)
    }

    pub(crate) fn row(&self, record: usize) -> &[f32] {
        &self.features[record * self.dimension..][..self.dimension]
    }

    pub(crate) fn row_mut(&mut self, record: usize) -> &mut [f32] {
        &mut self.features[record * self.dimension..][..self.dimension]
    }

    pub(crate) fn samples(&self) -> Result<Samples<'_>> {
        Ok(Samples::new(&self.features, self.dimension, &self.labels)?)
    }

    pub(crate) fn take(&self, records: &[u32]) -> Self {
        Self {
            features: records
                .iter()
                .flat_map(|record| self.row(*record as usize))
                .copied()
                .collect(),
            dimension: self.dimension,
            labels: records
                .iter()
                .map(|record| self.labels[*record as usize])
                .collect(),
        }
    }

    /// These records, then the others.
    pub(crate) fn followed_by(mut self, other: &Self) -> Self {
        self.features.extend(&other.features);
        self.labels.extend(&other.labels);
        self
    }
}

/// How one data set is used.
#[derive(Clone, Copy)]
pub(crate) struct Sizes {
    pub(crate) train: usize,
    /// Held-out records from which the defences learn what records earn.
    pub(crate) reference: usize,
    /// Records that pay.
    pub(crate) queries: usize,
}

/// One market: who owns what, who asks, and what the adversary can draw from the same distribution.
pub(crate) struct Market {
    pub(crate) train: Records,
    pub(crate) owners: Vec<u32>,
    pub(crate) reference: Records,
    pub(crate) queries: Records,
    /// No owner's, known to the Shadow attack.
    pub(crate) pool: Records,
    pub(crate) adversary: u32,
}

impl Market {
    /// Owners differ in size by up to a factor of four and in their mix of classes (Dirichlet, 1/2). The
    /// adversary is the fourth smallest of them.
    pub(crate) fn draw(all: &Records, sizes: Sizes, seed: u64) -> Self {
        let mut random = Random::new(seed, "market");
        let order = random.order(all.count());
        let mut rest = order.as_slice();
        let mut next = |count: usize| {
            let (part, others) = rest.split_at(count.min(rest.len()));
            rest = others;
            all.take(part)
        };
        let train = next(sizes.train);
        let reference = next(sizes.reference);
        let queries = next(sizes.queries);
        let pool = next(usize::MAX);
        let classes = all.classes();
        let tastes = (0..OWNERS)
            .map(|_| {
                let size = random.between(-0.7, 0.7).exp();
                // The square of a normal variable has a gamma distribution with shape 1/2.
                let mix = (0..classes)
                    .map(|_| random.normal().powi(2))
                    .collect::<Vec<_>>();
                let sum = mix.iter().sum::<f64>();
                mix.iter().map(|part| size * part / sum).collect::<Vec<_>>()
            })
            .collect::<Vec<_>>();
        let owners = train
            .labels
            .iter()
            .map(|label| {
                let weights = tastes
                    .iter()
                    .map(|taste| taste[*label as usize])
                    .collect::<Vec<_>>();
                random.choose(&weights) as u32
            })
            .collect::<Vec<_>>();
        let counts = owner_sums(&owners, &vec![1.0; owners.len()]);
        let mut by_size = (0..OWNERS as u32).collect::<Vec<_>>();
        by_size.sort_by(|a, b| counts[*a as usize].total_cmp(&counts[*b as usize]));
        Self {
            train,
            owners,
            reference,
            queries,
            pool,
            adversary: by_size[3],
        }
    }

    /// The adversary's records.
    pub(crate) fn own(&self) -> Vec<u32> {
        (0..)
            .zip(&self.owners)
            .filter_map(|(record, owner)| (*owner == self.adversary).then_some(record))
            .collect()
    }

    /// The training records with the adversary's replaced.
    pub(crate) fn with_own(&self, own: &Records) -> Records {
        let mut train = self.train.clone();
        for (at, record) in self.own().into_iter().enumerate() {
            train.row_mut(record as usize).copy_from_slice(own.row(at));
        }
        train
    }
}

/// Sums over each owner's records.
pub(crate) fn owner_sums(owners: &[u32], values: &[f64]) -> Vec<f64> {
    let mut sums = vec![0.0; OWNERS];
    for (owner, value) in owners.iter().zip(values) {
        sums[*owner as usize] += value;
    }
    sums
}
