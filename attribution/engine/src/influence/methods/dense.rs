//! Blocked products, Cholesky and eigendecompositions over single-threaded kernels of `faer`.
//!
//! Work is cut into tiles of fixed sizes and rayon gives whole tiles to threads, so the number of
//! threads changes neither a sum nor its order.

use std::ops::Range;

use faer::{
    dyn_stack::{MemBuffer, MemStack},
    linalg::{
        cholesky::llt::factor::{cholesky_in_place, cholesky_in_place_scratch, LltError},
        evd::{self, ComputeEigenvectors},
        matmul::matmul,
        triangular_solve::{solve_lower_triangular_in_place, solve_upper_triangular_in_place},
    },
    Accum, ColMut, MatMut, MatRef, Par,
};
use rayon::prelude::*;

use super::rows::{entries, zeros, Matrix, Rows};
use crate::Error;

/// Rows of a product made in one pass over its right factor.
const STRIP: usize = 512;
/// Columns of a product made by one task.
const TILE: usize = 256;
/// Terms of a sum that are read together.
const DEPTH: usize = 512;
/// Columns of a Cholesky factor made together.
const PANEL: usize = 128;
/// Right-hand sides solved by one task.
const SIDES: usize = 32;

/// A factor of a product: some columns of a row-major matrix, or their transpose.
#[derive(Clone, Copy)]
pub(crate) struct Operand<'a, T> {
    values: &'a [T],
    stride: usize,
    start: usize,
    width: usize,
    transposed: bool,
}

impl<'a> Operand<'a, f32> {
    /// Columns of gradients.
    pub(crate) fn rows(rows: Rows<'a>, columns: &Range<usize>) -> Self {
        Self::new(rows.values(), rows.columns(), columns)
    }
}

impl<'a, T: Copy + Into<f64> + Sync> Operand<'a, T> {
    /// Columns of a row-major matrix whose rows are `stride` long.
    pub(crate) fn new(values: &'a [T], stride: usize, columns: &Range<usize>) -> Self {
        Self {
            values,
            stride,
            start: columns.start,
            width: columns.len(),
            transposed: false,
        }
    }

    pub(crate) fn transpose(self) -> Self {
        Self {
            transposed: !self.transposed,
            ..self
        }
    }

    fn stored_rows(&self) -> usize {
        self.values.len() / self.stride
    }

    /// `(rows, columns)` as seen by the product.
    fn shape(&self) -> (usize, usize) {
        let stored = (self.stored_rows(), self.width);
        if self.transposed {
            (stored.1, stored.0)
        } else {
            stored
        }
    }

    /// A part of it as doubles, in `buffer`.
    fn load<'b>(
        &self,
        rows: Range<usize>,
        columns: Range<usize>,
        buffer: &'b mut Vec<f64>,
    ) -> MatRef<'b, f64> {
        let (stored_rows, stored_columns) = if self.transposed {
            (columns.clone(), rows.clone())
        } else {
            (rows.clone(), columns.clone())
        };
        buffer.clear();
        let width = stored_columns.len();
        for row in stored_rows.clone() {
            let at = row * self.stride + self.start + stored_columns.start;
            buffer.extend(
                self.values[at..at + width]
                    .iter()
                    .map(|value| (*value).into()),
            );
        }
        let part = MatRef::from_row_major_slice(buffer, stored_rows.len(), width);
        if self.transposed {
            part.transpose()
        } else {
            part
        }
    }
}

/// Where a product goes: some columns of a row-major matrix.
pub(crate) struct Target<'a> {
    values: &'a mut [f64],
    stride: usize,
    start: usize,
}

impl<'a> Target<'a> {
    /// The columns of a matrix from `start` on.
    pub(crate) fn new(values: &'a mut [f64], stride: usize, start: usize) -> Self {
        Self {
            values,
            stride,
            start,
        }
    }
}

/// `target += factor · A Bᵀ`.
pub(crate) fn add_product<A, B>(
    target: Target<'_>,
    factor: f64,
    left: Operand<'_, A>,
    right: Operand<'_, B>,
) where
    A: Copy + Into<f64> + Sync,
    B: Copy + Into<f64> + Sync,
{
    add_tiles(target, factor, left, right, |_| usize::MAX);
}

/// `A Aᵀ`, symmetric.
pub(crate) fn gram<T: Copy + Into<f64> + Sync>(operand: Operand<'_, T>) -> Result<Vec<f64>, Error> {
    let order = operand.shape().0;
    let mut out = zeros(entries(order, order)?)?;
    // Tiles wholly above the diagonal are mirrored, not computed.
    add_tiles(
        Target::new(&mut out, order, 0),
        1.0,
        operand,
        operand,
        |end| end,
    );
    for i in 1..order {
        for j in 0..i {
            out[j * order + i] = out[i * order + j];
        }
    }
    Ok(out)
}

/// Adds the tiles of `factor · A Bᵀ` that begin left of column `limit(end of the strip of rows)`.
fn add_tiles<A, B>(
    target: Target<'_>,
    factor: f64,
    left: Operand<'_, A>,
    right: Operand<'_, B>,
    limit: impl Fn(usize) -> usize,
) where
    A: Copy + Into<f64> + Sync,
    B: Copy + Into<f64> + Sync,
{
    let (rows, depth) = left.shape();
    let (columns, right_depth) = right.shape();
    debug_assert_eq!(depth, right_depth);
    for first in (0..rows).step_by(STRIP) {
        let strip = first..(first + STRIP).min(rows);
        let tiles = (0..columns.min(limit(strip.end)))
            .step_by(TILE)
            .map(|start| start..(start + TILE).min(columns))
            .collect::<Vec<_>>();
        let products = tiles
            .par_iter()
            .map(|tile| {
                let mut product = vec![0.0; strip.len() * tile.len()];
                let (mut a, mut b) = (Vec::new(), Vec::new());
                for start in (0..depth).step_by(DEPTH) {
                    let terms = start..(start + DEPTH).min(depth);
                    matmul(
                        MatMut::from_row_major_slice_mut(&mut product, strip.len(), tile.len()),
                        Accum::Add,
                        left.load(strip.clone(), terms.clone(), &mut a),
                        right.load(tile.clone(), terms, &mut b).transpose(),
                        factor,
                        Par::Seq,
                    );
                }
                product
            })
            .collect::<Vec<_>>();
        target.values[strip.start * target.stride..strip.end * target.stride]
            .par_chunks_mut(target.stride)
            .enumerate()
            .for_each(|(row, out)| {
                for (tile, product) in tiles.iter().zip(&products) {
                    let out = &mut out[target.start + tile.start..target.start + tile.end];
                    for (out, value) in out.iter_mut().zip(&product[row * tile.len()..]) {
                        *out += value;
                    }
                }
            });
    }
}

/// A row-major matrix whose rows begin `stride` apart. `MatMut::from_row_major_slice_with_stride_mut` of
/// `faer` 0.24.4 exchanges the strides and writes elsewhere.
fn rows_mut(values: &mut [f64], rows: usize, columns: usize, stride: usize) -> MatMut<'_, f64> {
    MatMut::from_column_major_slice_with_stride_mut(values, columns, rows, stride).transpose_mut()
}

/// Adds `value` to the diagonal of a square row-major matrix.
pub(crate) fn add_to_diagonal(matrix: &mut [f64], order: usize, value: f64) {
    matrix
        .iter_mut()
        .step_by(order + 1)
        .for_each(|diagonal| *diagonal += value);
}

/// `Σ_j a_j b_j` in the order of `j`.
pub(crate) fn dot<A: Copy + Into<f64>, B: Copy + Into<f64>>(a: &[A], b: &[B]) -> f64 {
    a.iter()
        .zip(b)
        .map(|(a, b)| (*a).into() * (*b).into())
        .sum()
}

/// `|row|²` of the given columns of each row.
pub(crate) fn squared_norms(rows: Rows<'_>, columns: &Range<usize>) -> Vec<f64> {
    (0..rows.rows())
        .into_par_iter()
        .map(|i| {
            let row = &rows.row(i)[columns.clone()];
            dot(row, row)
        })
        .collect()
}

/// A Cholesky factorisation `A = L Lᵀ`, right-looking by panels (Golub and Van Loan, *Matrix
/// Computations*, 4th ed., section 4.2).
pub(crate) struct Cholesky {
    order: usize,
    /// `L` in the lower triangle, row-major.
    factor: Vec<f64>,
}

impl Cholesky {
    /// Factorises a symmetric matrix, row-major; only the lower triangle is read.
    pub(crate) fn new(mut matrix: Vec<f64>, order: usize) -> Result<Self, Error> {
        let mut scratch = MemBuffer::new(cholesky_in_place_scratch::<f64>(
            PANEL.min(order),
            Par::Seq,
            Default::default(),
        ));
        for start in (0..order).step_by(PANEL) {
            let end = (start + PANEL).min(order);
            let size = end - start;
            let (above, below) = matrix.split_at_mut(end * order);
            let corner = &mut above[start * order + start..];
            cholesky_in_place(
                rows_mut(corner, size, size, order),
                Default::default(),
                Par::Seq,
                MemStack::new(&mut scratch),
                Default::default(),
            )
            .map_err(|LltError::NonPositivePivot { index }| {
                Error::NotPositiveDefinite {
                    pivot: start + index,
                }
            })?;
            // An infinity passes the test of the pivot's sign.
            if let Some(index) = (0..size).find(|i| !corner[i * (order + 1)].is_finite()) {
                return Err(Error::NotPositiveDefinite {
                    pivot: start + index,
                });
            }
            let corner = MatRef::from_row_major_slice_with_stride(corner, size, size, order);
            let panel = below
                .par_chunks_mut(TILE * order)
                .flat_map_iter(|rows| {
                    let count = rows.len() / order;
                    solve_lower_triangular_in_place(
                        corner,
                        rows_mut(&mut rows[start..], count, size, order).transpose_mut(),
                        Par::Seq,
                    );
                    rows.chunks_exact(order)
                        .flat_map(|row| row[start..end].iter().copied())
                        .collect::<Vec<_>>()
                })
                .collect::<Vec<_>>();
            below
                .par_chunks_mut(TILE * order)
                .enumerate()
                .for_each(|(tile, rows)| {
                    let (first, count) = (tile * TILE, rows.len() / order);
                    let factors = MatRef::from_row_major_slice(&panel, order - end, size);
                    let width = first + count;
                    matmul(
                        rows_mut(&mut rows[end..], count, width, order),
                        Accum::Add,
                        factors.subrows(first, count),
                        factors.subrows(0, width).transpose(),
                        -1.0,
                        Par::Seq,
                    );
                });
        }
        Ok(Self {
            order,
            factor: matrix,
        })
    }

    fn lower(&self) -> MatRef<'_, f64> {
        MatRef::from_row_major_slice(&self.factor, self.order, self.order)
    }

    /// Replaces each row `b` of a row-major matrix by the solution of `A x = b`.
    pub(crate) fn solve_rows(&self, rows: &mut [f64]) {
        rows.par_chunks_mut(SIDES * self.order).for_each(|rows| {
            let count = rows.len() / self.order;
            let mut sides = MatMut::from_column_major_slice_mut(rows, self.order, count);
            solve_lower_triangular_in_place(self.lower(), sides.as_mut(), Par::Seq);
            solve_upper_triangular_in_place(self.lower().transpose(), sides, Par::Seq);
        });
    }

    /// `bᵀ A⁻¹ b` of each row `b` of a row-major matrix, whose contents are lost.
    pub(crate) fn quadratic_forms(&self, rows: &mut [f64]) -> Vec<f64> {
        rows.par_chunks_mut(SIDES * self.order)
            .flat_map_iter(|rows| {
                let count = rows.len() / self.order;
                solve_lower_triangular_in_place(
                    self.lower(),
                    MatMut::from_column_major_slice_mut(rows, self.order, count),
                    Par::Seq,
                );
                rows.chunks_exact(self.order)
                    .map(|row| dot(row, row))
                    .collect::<Vec<_>>()
            })
            .collect()
    }

    /// The diagonal of `A⁻¹`.
    pub(crate) fn inverse_diagonal(&self) -> Vec<f64> {
        (0..self.order)
            .step_by(SIDES)
            .collect::<Vec<_>>()
            .into_par_iter()
            .flat_map_iter(|start| {
                // Above row `start` these columns of `L⁻¹` are zero.
                let (size, count) = (self.order - start, SIDES.min(self.order - start));
                let mut columns = vec![0.0; size * count];
                for (i, column) in columns.chunks_exact_mut(size).enumerate() {
                    column[i] = 1.0;
                }
                solve_lower_triangular_in_place(
                    self.lower().submatrix(start, start, size, size),
                    MatMut::from_column_major_slice_mut(&mut columns, size, count),
                    Par::Seq,
                );
                columns
                    .chunks_exact(size)
                    .map(|column| dot(column, column))
                    .collect::<Vec<_>>()
            })
            .collect()
    }
}

/// The eigenvalues of a symmetric row-major matrix, descending, and its eigenvectors as the rows of a
/// row-major matrix. One thread.
pub(crate) fn eigen(matrix: &[f64], order: usize) -> Result<(Vec<f64>, Vec<f64>), Error> {
    let mut values = vec![0.0; order];
    let mut vectors = zeros(entries(order, order)?)?;
    let mut scratch = MemBuffer::new(evd::self_adjoint_evd_scratch::<f64>(
        order,
        ComputeEigenvectors::Yes,
        Par::Seq,
        Default::default(),
    ));
    evd::self_adjoint_evd(
        MatRef::from_column_major_slice(matrix, order, order),
        ColMut::from_slice_mut(&mut values).as_diagonal_mut(),
        Some(MatMut::from_column_major_slice_mut(
            &mut vectors,
            order,
            order,
        )),
        Par::Seq,
        MemStack::new(&mut scratch),
        Default::default(),
    )
    .map_err(|_| Error::NoConvergence { order })?;
    values.reverse();
    let descending = vectors
        .chunks_exact(order)
        .rev()
        .flatten()
        .copied()
        .collect();
    Ok((values, descending))
}

/// The rows of a matrix as doubles.
pub(crate) fn widen(rows: Rows<'_>, columns: &Range<usize>) -> Result<Matrix, Error> {
    let mut out = Matrix::zeros(rows.rows(), columns.len())?;
    for (i, out) in out.values_mut().chunks_exact_mut(columns.len()).enumerate() {
        for (out, value) in out.iter_mut().zip(&rows.row(i)[columns.clone()]) {
            *out = f64::from(*value);
        }
    }
    Ok(out)
}
