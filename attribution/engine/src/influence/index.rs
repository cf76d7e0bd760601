//! The influence index: building it, its rows, its commitment and its file.

use std::path::Path;

use attribution_proof::{
    bounds::MAX_DIMENSION,
    hash::Hash,
    influence::{norm_squared, row_leaf, Gradient, IndexSpec, InfluenceMethod, Row},
    merkle::Tree,
    JobId,
};
use rayon::prelude::*;

use super::{precondition::Preconditioner, quantise::Quantisation};
use crate::{
    duplicates::{check_row_count, Standing},
    file::{self, Kind},
    Error,
};

const KIND: Kind = Kind {
    magic: *b"OLinflu\0",
    version: 1,
    name: "influence index",
};
/// How standings are written in files; smaller numbers are rows that a duplicate points to.
const OWN: u32 = u32::MAX;
const ABSENT: u32 = u32::MAX - 1;
/// Bytes of a payload before the standings.
const PRELUDE_BYTES: u64 = 4 + 2 + 8 + 8 + 8 + 4;

/// An influence index: one row for each input record.
#[derive(Clone, Debug, PartialEq)]
pub struct Index {
    quantisation: Quantisation,
    unit: f64,
    standings: Vec<Standing>,
    /// The rows with a gradient of their own, ascending, and, in the same order, what they hold.
    own: Vec<u32>,
    scales: Vec<u16>,
    norms: Vec<u64>,
    /// Row-major, `d` columns.
    vectors: Vec<i8>,
}

/// What became of the rows when an index was built.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct IndexReport {
    /// Rows with a gradient of their own.
    pub own: u32,
    /// Rows that point to an earlier one.
    pub duplicates: u32,
    /// Rows of records that were not trained on.
    pub absent: u32,
    /// Of the rows with a gradient of their own, those that were clipped or lifted to fit the scale
    /// and the norm band.
    pub adjusted: u32,
    /// Rows whose gradient is zero, or has too few other coordinates to reach the norm band. They
    /// cannot influence anything and are absent from the index.
    pub silent: u32,
}

/// Collects projected gradients until an index can be built.
///
/// Holds the gradients as `f32`, so `4 d` bytes for each row that is neither duplicate nor absent.
pub struct IndexBuilder {
    quantisation: Quantisation,
    standings: Vec<Standing>,
    own: Vec<u32>,
    gradients: Vec<f32>,
    seen: Vec<bool>,
}

impl IndexBuilder {
    /// Starts an index with a row for each standing.
    ///
    /// # Errors
    /// When the terms leave no room (see [`Quantisation::check`]), there are too many rows, or a
    /// duplicate does not point to an earlier row of its own.
    pub fn new(quantisation: Quantisation, standings: Vec<Standing>) -> Result<Self, Error> {
        quantisation.check()?;
        check_row_count(standings.len())?;
        if let Some(row) = first_bad_duplicate(&standings) {
            return Err(Error::parameter(
                "standing of a duplicate",
                format!("{:?} at row {row}", standings[row]),
                "a link to an earlier row that is not itself a duplicate",
            ));
        }
        let own = own_rows(&standings);
        let gradients = vec![0.0; own.len() * quantisation.dimension as usize];
        let seen = vec![false; own.len()];
        Ok(Self {
            quantisation,
            standings,
            own,
            gradients,
            seen,
        })
    }

    /// The rows that need a gradient, ascending.
    pub fn rows(&self) -> &[u32] {
        &self.own
    }

    /// Sets the projected gradient of a row. Rows may come in any order; a later call replaces an
    /// earlier one.
    ///
    /// # Errors
    /// When the row needs no gradient, or the gradient has another dimension or is not finite.
    pub fn set(&mut self, row: u32, gradient: &[f32]) -> Result<(), Error> {
        let dimension = self.quantisation.dimension as usize;
        let Ok(position) = self.own.binary_search(&row) else {
            return Err(Error::parameter(
                "row",
                row,
                "one of those that need a gradient",
            ));
        };
        Error::check_shape("projected gradient", gradient.len(), dimension)?;
        Error::check_finite(Some(row), gradient)?;
        self.gradients[position * dimension..][..dimension].copy_from_slice(gradient);
        self.seen[position] = true;
        Ok(())
    }

    /// Quantises all rows.
    ///
    /// # Errors
    /// When a row has no gradient yet.
    pub fn finish(self) -> Result<(Index, IndexReport), Error> {
        if let Some(missing) = self.seen.iter().position(|seen| !seen) {
            return Err(Error::parameter(
                "gradient of a row",
                format!("missing at row {}", self.own[missing]),
                "set for every row that needs one",
            ));
        }
        let terms = self.quantisation;
        let dimension = terms.dimension as usize;
        let gradients = || self.gradients.par_chunks_exact(dimension);
        let unit = terms.unit(gradients().map(|row| terms.natural_divisor(row)).collect());
        let quantised = gradients()
            .map(|row| terms.quantise(row, unit))
            .collect::<Vec<_>>();

        let mut standings = self.standings;
        let mut index = Index {
            quantisation: terms,
            unit,
            standings: Vec::new(),
            own: Vec::with_capacity(self.own.len()),
            scales: Vec::with_capacity(self.own.len()),
            norms: Vec::with_capacity(self.own.len()),
            vectors: Vec::with_capacity(self.own.len() * dimension),
        };
        let mut report = IndexReport::default();
        for (row, quantised) in self.own.into_iter().zip(quantised) {
            match quantised {
                Some(quantised) => {
                    index.own.push(row);
                    index.scales.push(quantised.scale);
                    index.norms.push(norm_squared(&quantised.g));
                    index.vectors.extend(quantised.g);
                    report.own += 1;
                    report.adjusted += u32::from(quantised.adjusted);
                }
                None => {
                    standings[row as usize] = Standing::Absent;
                    report.silent += 1;
                }
            }
        }
        for standing in &standings {
            match standing {
                Standing::Own => {}
                Standing::DuplicateOf(_) => report.duplicates += 1,
                Standing::Absent => report.absent += 1,
            }
        }
        report.absent -= report.silent;
        index.standings = standings;
        Ok((index, report))
    }
}

fn own_rows(standings: &[Standing]) -> Vec<u32> {
    (0_u32..)
        .zip(standings)
        .filter(|(_, standing)| **standing == Standing::Own)
        .map(|(row, _)| row)
        .collect()
}

fn first_bad_duplicate(standings: &[Standing]) -> Option<usize> {
    standings
        .iter()
        .enumerate()
        .position(|(row, standing)| match standing {
            Standing::DuplicateOf(first) => {
                *first as usize >= row
                    || matches!(standings[*first as usize], Standing::DuplicateOf(_))
            }
            Standing::Own | Standing::Absent => false,
        })
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

    /// `Σ g²` of [`Self::own_rows`].
    pub(crate) fn norms(&self) -> &[u64] {
        &self.norms
    }

    /// Vectors of [`Self::own_rows`], row-major.
    pub fn vectors(&self) -> &[i8] {
        &self.vectors
    }

    /// A row as it is committed, or nothing past the end.
    pub fn row(&self, row: u32) -> Option<Row> {
        Some(match *self.standings.get(row as usize)? {
            Standing::Absent => Row::Absent,
            Standing::DuplicateOf(first) => Row::DuplicateOf(first),
            Standing::Own => {
                let position = self.own.binary_search(&row).ok()?;
                let g = self.vectors[position * self.dimension()..][..self.dimension()].to_vec();
                Row::Own {
                    scale: self.scales[position],
                    g: Gradient::try_from(g).ok()?,
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

    /// Writes the index to a file, which appears only when it is complete.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn save(&self, path: &Path) -> Result<(), Error> {
        let own = self.own.len() as u64;
        let length = PRELUDE_BYTES
            + 4 * self.len() as u64
            + own * (2 + u64::from(self.quantisation.dimension));
        file::write(path, &KIND, length, |sink| {
            sink.put(&self.quantisation.dimension.to_le_bytes())?;
            sink.put(&self.quantisation.scale_cap.to_le_bytes())?;
            sink.put(&self.quantisation.norm_minimum.to_le_bytes())?;
            sink.put(&self.quantisation.norm_maximum.to_le_bytes())?;
            sink.put(&self.unit.to_le_bytes())?;
            sink.put(&(self.len() as u32).to_le_bytes())?;
            sink.put_all(&self.standings, |standing| match standing {
                Standing::Own => OWN.to_le_bytes(),
                Standing::Absent => ABSENT.to_le_bytes(),
                Standing::DuplicateOf(first) => first.to_le_bytes(),
            })?;
            sink.put_all(&self.scales, u16::to_le_bytes)?;
            sink.put_all(&self.vectors, i8::to_le_bytes)
        })
    }

    /// Reads an index and checks that it keeps its own terms.
    ///
    /// # Errors
    /// When the file cannot be read, is of another kind or version, damaged, or contradicts itself.
    pub fn load(path: &Path) -> Result<Self, Error> {
        let mut source = file::read(path, &KIND)?;
        let quantisation = Quantisation {
            dimension: source.take_one(u32::from_le_bytes)?,
            scale_cap: source.take_one(u16::from_le_bytes)?,
            norm_minimum: source.take_one(u64::from_le_bytes)?,
            norm_maximum: source.take_one(u64::from_le_bytes)?,
        };
        // Checked before anything is sized by it.
        if quantisation.dimension > MAX_DIMENSION {
            return Err(source.malformed(format!("dimension {}", quantisation.dimension)));
        }
        quantisation
            .check()
            .map_err(|error| source.malformed(error))?;
        let unit = source.take_one(f64::from_le_bytes)?;
        if !(unit > 0.0 && unit.is_finite()) {
            return Err(source.malformed(format!("unit {unit}")));
        }
        let rows = source.take_one(u32::from_le_bytes)? as usize;
        check_row_count(rows).map_err(|error| source.malformed(error))?;
        let standings = source.take_all(rows, |bytes| match u32::from_le_bytes(bytes) {
            OWN => Standing::Own,
            ABSENT => Standing::Absent,
            first => Standing::DuplicateOf(first),
        })?;
        let backward = |(row, standing): (usize, &Standing)| !matches!(standing, Standing::DuplicateOf(first) if *first as usize >= row);
        if !standings.iter().enumerate().all(backward) {
            return Err(source.malformed("a duplicate points forward"));
        }
        let own = own_rows(&standings);
        let dimension = quantisation.dimension as usize;
        let scales = source.take_all(own.len(), u16::from_le_bytes)?;
        let vectors = source.take_all(own.len() * dimension, i8::from_le_bytes)?;
        if scales
            .iter()
            .any(|scale| *scale == 0 || *scale > quantisation.scale_cap)
        {
            return Err(source.malformed("a scale is outside its bounds"));
        }
        if vectors.contains(&i8::MIN) {
            return Err(source.malformed("a value is -128"));
        }
        let norms = vectors
            .chunks_exact(dimension)
            .map(norm_squared)
            .collect::<Vec<_>>();
        let band = quantisation.norm_minimum..=quantisation.norm_maximum;
        if norms.iter().any(|norm| !band.contains(norm)) {
            return Err(source.malformed("the norm of a vector is outside its band"));
        }
        source.finish()?;
        Ok(Self {
            quantisation,
            unit,
            standings,
            own,
            scales,
            norms,
            vectors,
        })
    }
}
