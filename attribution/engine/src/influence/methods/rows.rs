//! The arrays that go in and come out.

use std::ops::Range;

use crate::Error;

/// A row-major matrix of gradients, one row for each record, query or curvature row; all finite.
#[derive(Clone, Copy, Debug)]
pub struct Rows<'a> {
    values: &'a [f32],
    rows: usize,
    columns: usize,
}

impl<'a> Rows<'a> {
    /// A matrix of `rows x columns`.
    ///
    /// # Errors
    /// When there are no rows or columns, the number of values is another, or one is not finite.
    pub fn new(values: &'a [f32], rows: usize, columns: usize) -> Result<Self, Error> {
        check_positive("number of gradient rows", rows)?;
        check_positive("number of gradient columns", columns)?;
        Error::check_shape("gradient matrix", values.len(), entries(rows, columns)?)?;
        for (row, gradient) in values.chunks_exact(columns).enumerate() {
            Error::check_finite(Some(u32::try_from(row).unwrap_or(u32::MAX)), gradient)?;
        }
        Ok(Self {
            values,
            rows,
            columns,
        })
    }

    /// Number of rows.
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// Number of columns.
    pub fn columns(&self) -> usize {
        self.columns
    }

    /// All values, row-major.
    pub fn values(&self) -> &'a [f32] {
        self.values
    }

    /// One row.
    ///
    /// # Panics
    /// When there is no such row.
    pub fn row(&self, row: usize) -> &'a [f32] {
        &self.values[row * self.columns..][..self.columns]
    }

    /// Consecutive rows as a matrix of their own.
    pub(crate) fn slice(&self, rows: Range<usize>) -> Self {
        Self {
            values: &self.values[rows.start * self.columns..rows.end * self.columns],
            rows: rows.len(),
            columns: self.columns,
        }
    }

    /// Refuses matrices with different numbers of columns.
    pub(crate) fn check_columns(&self, what: &'static str, expected: usize) -> Result<(), Error> {
        Error::check_shape(what, self.columns, expected)
    }
}

/// A cut of `P` columns into consecutive layers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Layers {
    ranges: Vec<Range<usize>>,
}

impl Layers {
    /// One block of all columns.
    ///
    /// # Errors
    /// When there are no columns.
    pub fn one(columns: usize) -> Result<Self, Error> {
        Self::new(&[columns])
    }

    /// Layers of these widths, side by side.
    ///
    /// # Errors
    /// When there are no layers, one is empty, or their sum cannot be addressed.
    pub fn new(widths: &[usize]) -> Result<Self, Error> {
        check_positive("number of layers", widths.len())?;
        let mut ranges = Vec::with_capacity(widths.len());
        let mut end = 0_usize;
        for width in widths {
            check_positive("width of a layer", *width)?;
            let start = end;
            end = end.checked_add(*width).ok_or_else(|| {
                Error::parameter("width of a layer", width, "small enough to be addressed")
            })?;
            ranges.push(start..end);
        }
        Ok(Self { ranges })
    }

    /// Their columns.
    pub fn ranges(&self) -> &[Range<usize>] {
        &self.ranges
    }

    /// Number of columns of all together.
    pub fn columns(&self) -> usize {
        self.ranges.last().map_or(0, |range| range.end)
    }
}

/// A row-major matrix of doubles. Scores have one row for each query and one column for each record.
#[derive(Clone, Debug, PartialEq)]
pub struct Matrix {
    rows: usize,
    columns: usize,
    values: Vec<f64>,
}

impl Matrix {
    /// A matrix of `rows x columns`.
    ///
    /// # Errors
    /// When there are no rows or columns, the number of values is another, or one is not finite.
    pub fn new(values: Vec<f64>, rows: usize, columns: usize) -> Result<Self, Error> {
        check_positive("number of matrix rows", rows)?;
        check_positive("number of matrix columns", columns)?;
        Error::check_shape("matrix", values.len(), entries(rows, columns)?)?;
        if let Some(at) = values.iter().position(|value| !value.is_finite()) {
            return Err(Error::parameter(
                "value of a matrix",
                format!(
                    "{} at row {}, column {}",
                    values[at],
                    at / columns,
                    at % columns
                ),
                "finite",
            ));
        }
        Ok(Self {
            rows,
            columns,
            values,
        })
    }

    /// A matrix of zeros.
    pub(crate) fn zeros(rows: usize, columns: usize) -> Result<Self, Error> {
        Ok(Self {
            rows,
            columns,
            values: zeros(entries(rows, columns)?)?,
        })
    }

    /// Number of rows.
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// Number of columns.
    pub fn columns(&self) -> usize {
        self.columns
    }

    /// All values, row-major.
    pub fn values(&self) -> &[f64] {
        &self.values
    }

    /// One row.
    ///
    /// # Panics
    /// When there is no such row.
    pub fn row(&self, row: usize) -> &[f64] {
        &self.values[row * self.columns..][..self.columns]
    }

    pub(crate) fn values_mut(&mut self) -> &mut [f64] {
        &mut self.values
    }

    /// Adds another matrix of the same shape.
    pub(crate) fn add(&mut self, other: &Self) {
        debug_assert_eq!((self.rows, self.columns), (other.rows, other.columns));
        for (value, other) in self.values.iter_mut().zip(&other.values) {
            *value += other;
        }
    }
}

/// `rows · columns`, or an error where that cannot be addressed.
pub(crate) fn entries(rows: usize, columns: usize) -> Result<usize, Error> {
    rows.checked_mul(columns)
        .ok_or_else(|| too_large(rows, columns))
}

/// Zeros, or an error where there is no memory for them.
pub(crate) fn zeros(count: usize) -> Result<Vec<f64>, Error> {
    let mut values = Vec::new();
    values
        .try_reserve_exact(count)
        .map_err(|_| too_large(count, 1))?;
    values.resize(count, 0.0);
    Ok(values)
}

fn too_large(rows: usize, columns: usize) -> Error {
    Error::parameter(
        "size of a matrix",
        format!("{rows} x {columns}"),
        "small enough for this machine's memory: project the gradients or take fewer records",
    )
}

pub(crate) fn check_positive(name: &'static str, value: usize) -> Result<(), Error> {
    if value == 0 {
        return Err(Error::parameter(name, 0, "at least 1"));
    }
    Ok(())
}
