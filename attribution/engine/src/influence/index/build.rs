//! Gradients become rows.

use std::path::Path;

use rayon::prelude::*;

use super::{own_rows, store, Index, Vectors};
use crate::{
    duplicates::{check_row_count, Standing},
    influence::quantise::Quantisation,
    Error,
};

/// What became of the rows when an index was built, or of those that were added to one.
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
/// Where that is too much, build an index of some rows, the more the better, and add the others in
/// several [`IndexExtension`]s.
pub struct IndexBuilder(Gradients);

impl IndexBuilder {
    /// Starts an index with a row for each standing.
    ///
    /// # Errors
    /// When the terms leave no room (see [`Quantisation::check`]), there are too many rows, or a
    /// duplicate does not point to an earlier row that is not a duplicate.
    pub fn new(quantisation: Quantisation, standings: Vec<Standing>) -> Result<Self, Error> {
        quantisation.check()?;
        Gradients::new(quantisation, standings, 0).map(Self)
    }

    /// The rows that need a gradient, ascending.
    pub fn rows(&self) -> &[u32] {
        &self.0.own
    }

    /// Sets the projected gradient of a row. Rows may come in any order; a later call replaces an
    /// earlier one.
    ///
    /// # Errors
    /// When the row needs no gradient, or the gradient has another dimension or is not finite.
    pub fn set(&mut self, row: u32, gradient: &[f32]) -> Result<(), Error> {
        self.0.set(row, gradient)
    }

    /// Quantises all rows.
    ///
    /// # Errors
    /// When a row has no gradient yet.
    pub fn finish(self) -> Result<(Index, IndexReport), Error> {
        let terms = self.0.quantisation;
        let unit = terms.unit(
            self.0
                .each()
                .map(|row| terms.natural_divisor(row))
                .collect(),
        );
        let (rows, report) = self.0.quantised(unit)?;
        let index = Index {
            quantisation: terms,
            unit,
            own: own_rows(&rows.standings),
            standings: rows.standings,
            scales: rows.scales,
            vectors: Vectors::Memory(rows.vectors),
        };
        Ok((index, report))
    }
}

/// Collects the projected gradients of records that come after those of an index, until they can be
/// added to its file.
///
/// The unit of an index, which makes its scores compare, is the one that it was built with: the new
/// rows are quantised with it, so a row is what it would be had it been there from the start, but for
/// a unit that was chosen from all of them. Magnitudes from `unit` to `unit · scale_cap` fit as they
/// are. Larger ones are clipped to the largest that the scale can say and smaller ones lifted to the
/// smallest, direction kept; [`IndexReport::adjusted`] counts them, and an index where it is more than a
/// few should be built anew.
pub struct IndexExtension {
    gradients: Gradients,
    unit: f64,
}

impl IndexExtension {
    /// Starts adding a row for each standing to `index`. Rows go on where those of the index end, and
    /// duplicates may point to any earlier row.
    ///
    /// # Errors
    /// When there are too many rows, or a duplicate does not point to an earlier row that is not a
    /// duplicate.
    pub fn new(index: &Index, standings: &[Standing]) -> Result<Self, Error> {
        let all = [&index.standings, standings].concat();
        Ok(Self {
            gradients: Gradients::new(index.quantisation, all, index.len())?,
            unit: index.unit,
        })
    }

    /// The rows that need a gradient, ascending.
    pub fn rows(&self) -> &[u32] {
        &self.gradients.own
    }

    /// Sets the projected gradient of a row, as [`IndexBuilder::set`].
    ///
    /// # Errors
    /// When the row needs no gradient, or the gradient has another dimension or is not finite.
    pub fn set(&mut self, row: u32, gradient: &[f32]) -> Result<(), Error> {
        self.gradients.set(row, gradient)
    }

    /// Quantises the rows and adds them to the file of the index, whose bytes stay as they are. Open it
    /// again to see them; the commitment is then over all rows.
    ///
    /// The rows count once everything is on disk. An attempt that fails or is killed leaves the index
    /// that was there, and the next one takes the place of what it wrote. Only one process can add to a
    /// file at a time; others may read what was there before.
    ///
    /// # Errors
    /// When a row has no gradient yet, or the file cannot be written, is not an index, or holds other
    /// rows than the index that this started from.
    pub fn append_to(self, path: &Path) -> Result<IndexReport, Error> {
        let first = self.gradients.first;
        let terms = self.gradients.quantisation;
        let (rows, report) = self.gradients.quantised(self.unit)?;
        store::append(path, first, &terms, self.unit, &rows)?;
        Ok(report)
    }
}

/// Quantised rows.
pub(super) struct Rows {
    pub(super) standings: Vec<Standing>,
    pub(super) scales: Vec<u16>,
    pub(super) vectors: Vec<i8>,
}

/// The gradients of rows from `first` on.
struct Gradients {
    quantisation: Quantisation,
    first: usize,
    /// Of the rows from `first` on.
    standings: Vec<Standing>,
    own: Vec<u32>,
    gradients: Vec<f32>,
    seen: Vec<bool>,
}

impl Gradients {
    /// For the rows from `first` on, given the standings of all.
    fn new(
        quantisation: Quantisation,
        mut standings: Vec<Standing>,
        first: usize,
    ) -> Result<Self, Error> {
        check_row_count(standings.len())?;
        if let Some(row) = first_bad_duplicate(&standings) {
            return Err(Error::parameter(
                "standing of a duplicate",
                format!("{:?} at row {row}", standings[row]),
                "a link to an earlier row that is not itself a duplicate",
            ));
        }
        let mut own = own_rows(&standings);
        own.drain(..own.partition_point(|row| (*row as usize) < first));
        standings.drain(..first);
        let gradients = vec![0.0; own.len() * quantisation.dimension as usize];
        let seen = vec![false; own.len()];
        Ok(Self {
            quantisation,
            first,
            standings,
            own,
            gradients,
            seen,
        })
    }

    fn each(&self) -> impl IndexedParallelIterator<Item = &[f32]> {
        self.gradients
            .par_chunks_exact(self.quantisation.dimension as usize)
    }

    fn set(&mut self, row: u32, gradient: &[f32]) -> Result<(), Error> {
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

    /// All rows in this unit.
    fn quantised(self, unit: f64) -> Result<(Rows, IndexReport), Error> {
        if let Some(missing) = self.seen.iter().position(|seen| !seen) {
            return Err(Error::parameter(
                "gradient of a row",
                format!("missing at row {}", self.own[missing]),
                "set for every row that needs one",
            ));
        }
        let terms = self.quantisation;
        let quantised = self
            .each()
            .map(|row| terms.quantise(row, unit))
            .collect::<Vec<_>>();
        let mut rows = Rows {
            standings: self.standings,
            scales: Vec::with_capacity(self.own.len()),
            vectors: Vec::with_capacity(self.gradients.len()),
        };
        let mut report = IndexReport::default();
        for (row, quantised) in self.own.into_iter().zip(quantised) {
            match quantised {
                Some(quantised) => {
                    rows.scales.push(quantised.scale);
                    rows.vectors.extend(quantised.g);
                    report.own += 1;
                    report.adjusted += u32::from(quantised.adjusted);
                }
                None => {
                    rows.standings[row as usize - self.first] = Standing::Absent;
                    report.silent += 1;
                }
            }
        }
        for standing in &rows.standings {
            match standing {
                Standing::Own => {}
                Standing::DuplicateOf(_) => report.duplicates += 1,
                Standing::Absent => report.absent += 1,
            }
        }
        report.absent -= report.silent;
        Ok((rows, report))
    }
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
