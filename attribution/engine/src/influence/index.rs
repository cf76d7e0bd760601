//! The influence index: its rows and its commitment.

use std::sync::Arc;

use attribution_proof::{
    hash::Hash,
    influence::{row_leaf, Gradient, IndexSpec, InfluenceMethod, Row},
    merkle::Tree,
    JobId,
};
use rayon::prelude::*;

use super::{precondition::Preconditioner, quantise::Quantisation};
use crate::{duplicates::Standing, Error};

mod build;
mod store;

pub use build::{IndexBuilder, IndexExtension, IndexReport};
use store::Stored;

/// An influence index: one row for each input record.
///
/// It is in memory ([`IndexBuilder::finish`], [`Index::load`]), or its vectors, which are nearly all
/// of it, are read where they lie in a file ([`Index::open`]).
#[derive(Clone, Debug)]
pub struct Index {
    quantisation: Quantisation,
    unit: f64,
    standings: Vec<Standing>,
    /// The rows with a gradient of their own, ascending, and, in the same order, what they hold.
    own: Vec<u32>,
    scales: Vec<u16>,
    vectors: Vectors,
}

/// Vectors, row-major, `d` columns.
#[derive(Clone, Debug)]
enum Vectors {
    Memory(Vec<i8>),
    File(Arc<Stored>),
}

impl Vectors {
    /// In memory one after the other: those of a file stand in as many places as it was written to.
    fn parts(&self) -> impl Iterator<Item = &[i8]> {
        let (memory, file) = match self {
            Self::Memory(vectors) => (Some(&vectors[..]), None),
            Self::File(stored) => (None, Some(stored.parts())),
        };
        memory.into_iter().chain(file.into_iter().flatten())
    }
}

impl PartialEq for Index {
    fn eq(&self, other: &Self) -> bool {
        self.quantisation == other.quantisation
            && self.unit == other.unit
            && self.standings == other.standings
            && self.scales == other.scales
            && self.own_vectors().eq(other.own_vectors())
    }
}

fn own_rows(standings: &[Standing]) -> Vec<u32> {
    (0_u32..)
        .zip(standings)
        .filter(|(_, standing)| **standing == Standing::Own)
        .map(|(row, _)| row)
        .collect()
}

impl Index {
    /// The terms of its rows.
    pub fn quantisation(&self) -> &Quantisation {
        &self.quantisation
    }

    /// Dimension `d` of its vectors.
    pub fn dimension(&self) -> usize {
        self.quantisation.dimension as usize
    }

    /// What one step of a value at scale 1 stands for, in units of the gradient.
    pub fn unit(&self) -> f64 {
        self.unit
    }

    /// The terms that a training result puts on chain beside the index's commitment.
    pub fn spec(&self, projection_seed: Hash, preconditioner: &Preconditioner) -> IndexSpec {
        IndexSpec {
            version: 1,
            dimension: self.quantisation.dimension,
            scale_cap: self.quantisation.scale_cap,
            norm_minimum: self.quantisation.norm_minimum,
            norm_maximum: self.quantisation.norm_maximum,
            method: InfluenceMethod::DampedGaussNewton,
            projection_seed,
            preconditioner: preconditioner.commit().into(),
        }
    }

    /// Number of rows, which is the number of input records.
    pub fn len(&self) -> usize {
        self.standings.len()
    }

    /// Whether there are no rows at all.
    pub fn is_empty(&self) -> bool {
        self.standings.is_empty()
    }

    /// Rows with a gradient of their own, ascending.
    pub fn own_rows(&self) -> &[u32] {
        &self.own
    }

    /// Scales of [`Self::own_rows`].
    pub(crate) fn scales(&self) -> &[u16] {
        &self.scales
    }

    /// Vectors of [`Self::own_rows`], row-major, in as many slices as the index was written in.
    pub fn vectors(&self) -> impl Iterator<Item = &[i8]> {
        self.vectors.parts()
    }

    /// The vector of each of [`Self::own_rows`].
    pub(crate) fn own_vectors(&self) -> impl Iterator<Item = &[i8]> {
        let dimension = self.dimension();
        self.vectors()
            .flat_map(move |part| part.chunks_exact(dimension))
    }

    /// The vector of the row at this place among [`Self::own_rows`].
    pub(crate) fn own_vector(&self, position: usize) -> &[i8] {
        let dimension = self.dimension();
        match &self.vectors {
            Vectors::Memory(vectors) => &vectors[position * dimension..][..dimension],
            Vectors::File(stored) => stored.vector(position),
        }
    }

    /// A row as it is committed, or nothing past the end.
    pub fn row(&self, row: u32) -> Option<Row> {
        Some(match *self.standings.get(row as usize)? {
            Standing::Absent => Row::Absent,
            Standing::DuplicateOf(first) => Row::DuplicateOf(first),
            Standing::Own => {
                let position = self.own.binary_search(&row).ok()?;
                Row::Own {
                    scale: self.scales[position],
                    g: Gradient::try_from(self.own_vector(position).to_vec()).ok()?,
                }
            }
        })
    }

    /// The gradient that a row stands for, `unit · scale · g`, or nothing where it has none of its own.
    pub fn gradient(&self, row: u32) -> Option<Vec<f64>> {
        match self.row(row)? {
            Row::Own { scale, g } => {
                let step = self.unit * f64::from(scale);
                Some(g.iter().map(|g| step * f64::from(*g)).collect())
            }
            Row::DuplicateOf(_) | Row::Absent => None,
        }
    }

    /// The Merkle tree over the rows, given the leaf of each input record. Its commitment goes into the
    /// training result, its paths into row openings.
    ///
    /// # Errors
    /// When there is not one record leaf for each row.
    pub fn tree(&self, job: JobId, records: &[Hash]) -> Result<Tree, Error> {
        Error::check_shape("list of record leaves", records.len(), self.len())?;
        let leaves = records
            .par_iter()
            .zip(0..self.len() as u32)
            .filter_map(|(record, row)| Some(row_leaf(job, row, record, &self.row(row)?)))
            .collect::<Vec<_>>();
        debug_assert_eq!(leaves.len(), records.len());
        Ok(Tree::new(leaves))
    }
}

#[cfg(test)]
mod tests;
