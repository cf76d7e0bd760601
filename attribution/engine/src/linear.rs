//! Dense linear algebra in a fixed order of operations.
//!
//! The preconditioner is committed on chain and anybody must be able to compute it again from the
//! rows, bit for bit, on any processor and with any number of threads. General libraries (`faer`
//! among them) choose block sizes, fused operations and summation orders by cache size, instruction
//! set and thread count. Here every element is updated by itself, its terms always in the same order,
//! and no multiplication is fused with an addition, so there is only one possible result. Matrices are
//! at most 4,096 x 4,096, which keeps the price of that affordable; tests compare with `faer`.

use rayon::prelude::*;

use crate::{
    simd::{add_scaled, Level},
    Error,
};

/// Columns factorised together.
const PANEL: usize = 64;
/// Rows of a Gram matrix made together: their sums stay in cache while all terms stream past.
const BLOCK: usize = 16;

/// Adds four scaled rows at a time, which saves three quarters of the traffic on `target`.
/// `term` gives factor and row number `n`.
fn accumulate<'a>(
    level: Level,
    target: &mut [f64],
    count: usize,
    term: impl Fn(usize) -> (f64, &'a [f64]),
) {
    let fours = count - count % 4;
    for n in (0..fours).step_by(4) {
        let terms = [term(n), term(n + 1), term(n + 2), term(n + 3)];
        add_scaled(
            level,
            target,
            terms.map(|term| term.0),
            terms.map(|term| term.1),
        );
    }
    for n in fours..count {
        let (factor, row) = term(n);
        add_scaled(level, target, [factor], [row]);
    }
}

/// `Xᵀ X` of a matrix of `count` rows and `columns` columns: `columns x columns`, row-major,
/// symmetric. `row` writes one row of `X`, which is never held as a whole.
///
/// Element `(a, b)` is `Σ_i X_ia X_ib` with `i` ascending.
pub(crate) fn gram(
    level: Level,
    count: usize,
    columns: usize,
    row: impl Fn(usize, &mut [f64]) + Sync,
) -> Vec<f64> {
    let mut gram = vec![0.0; columns * columns];
    gram.par_chunks_mut(BLOCK * columns)
        .enumerate()
        .for_each(|(block, sums)| {
            let first = block * BLOCK;
            let mut rows = vec![0.0; BLOCK * columns];
            // A few rows of `X` at a time pass over the whole block of sums while both are in cache.
            for start in (0..count).step_by(BLOCK) {
                let some = BLOCK.min(count - start);
                for (i, out) in (start..start + some).zip(rows.chunks_exact_mut(columns)) {
                    row(i, out);
                }
                for (a, sums) in (first..).zip(sums.chunks_exact_mut(columns)) {
                    accumulate(level, &mut sums[..=a], some, |n| {
                        let row = &rows[n * columns..][..columns];
                        (row[a], &row[..=a])
                    });
                }
            }
        });
    mirror(&mut gram, columns);
    gram
}

/// Copies the lower triangle to the upper one.
pub(crate) fn mirror(matrix: &mut [f64], order: usize) {
    for i in 1..order {
        for j in 0..i {
            matrix[j * order + i] = matrix[i * order + j];
        }
    }
}

/// A Cholesky factorisation `A = L Lᵀ`.
pub(crate) struct Cholesky {
    order: usize,
    level: Level,
    /// `L` in the lower and `Lᵀ` in the upper triangle, row-major: substitutions in either direction
    /// read memory in order.
    factor: Vec<f64>,
}

impl Cholesky {
    /// Factorises a symmetric matrix, row-major; only the lower triangle is read.
    ///
    /// Right-looking by panels (Golub and Van Loan, *Matrix Computations*, 4th ed., section 4.2).
    /// Element `(i, j)` of `L` is `(A_ij − Σ_k L_ik L_jk) / L_jj` with `k` ascending.
    pub(crate) fn new(level: Level, mut matrix: Vec<f64>, order: usize) -> Result<Self, Error> {
        for start in (0..order).step_by(PANEL) {
            let end = (start + PANEL).min(order);
            for i in start..end {
                let (above, row) = matrix.split_at_mut(i * order);
                let row = &mut row[..order];
                eliminate(level, above, row, start..i, i);
                let pivot = row[start..i]
                    .iter()
                    .fold(row[i], |pivot, value| pivot - value * value);
                // The comparison is false for NaN as well.
                if !(pivot > 0.0 && pivot.is_finite()) {
                    return Err(Error::NotPositiveDefinite { pivot: i });
                }
                row[i] = pivot.sqrt();
                for k in start..=i {
                    matrix[k * order + i] = matrix[i * order + k];
                }
            }
            let (panel, below) = matrix.split_at_mut(end * order);
            below.par_chunks_mut(order).for_each(|row| {
                eliminate(level, panel, row, start..end, end);
            });
            for (i, row) in (end..).zip(below.chunks_exact(order)) {
                for k in start..end {
                    panel[k * order + i] = row[k];
                }
            }
            let panel = &*panel;
            (end..order)
                .into_par_iter()
                .zip(below.par_chunks_mut(order))
                .for_each(|(i, row)| {
                    let (factors, trailing) = row.split_at_mut(end);
                    accumulate(level, &mut trailing[..=i - end], end - start, |n| {
                        let k = start + n;
                        (-factors[k], &panel[k * order + end..=k * order + i])
                    });
                });
        }
        Ok(Self {
            order,
            level,
            factor: matrix,
        })
    }

    /// The factor: `L` below and on the diagonal, `Lᵀ` above it, row-major.
    pub(crate) fn factor(&self) -> &[f64] {
        &self.factor
    }

    /// Solves `A x = b` in place.
    pub(crate) fn solve(&self, vector: &mut [f64]) {
        let order = self.order;
        for k in 0..order {
            let row = &self.factor[k * order..][..order];
            let (head, tail) = vector.split_at_mut(k + 1);
            head[k] /= row[k];
            add_scaled(self.level, tail, [-head[k]], [&row[k + 1..]]);
        }
        for k in (0..order).rev() {
            let row = &self.factor[k * order..][..order];
            let (head, tail) = vector.split_at_mut(k);
            tail[0] /= row[k];
            add_scaled(self.level, head, [-tail[0]], [&row[..k]]);
        }
    }
}

/// Turns `row[columns]` into elements of `L`, given the finished rows `columns` of the panel (their
/// upper triangle), and carries their effect to `row[..end]`.
fn eliminate(
    level: Level,
    panel: &[f64],
    row: &mut [f64],
    columns: std::ops::Range<usize>,
    end: usize,
) {
    let order = row.len();
    for k in columns {
        let finished = &panel[k * order..][..order];
        let value = row[k] / finished[k];
        row[k] = value;
        add_scaled(
            level,
            &mut row[k + 1..end],
            [-value],
            [&finished[k + 1..end]],
        );
    }
}

/// `Σ a_j b_j`, summed in eight interleaved lanes and then over the lanes, on every processor.
pub(crate) fn dot(a: &[f64], b: &[f64]) -> f64 {
    const LANES: usize = 8;
    let mut sums = [0.0; LANES];
    for (a, b) in a.chunks(LANES).zip(b.chunks(LANES)) {
        for ((sum, a), b) in sums.iter_mut().zip(a).zip(b) {
            *sum += a * b;
        }
    }
    sums.iter().sum()
}

/// `target += Σ_n factors_n · row_n` over the rows of a row-major matrix, `n` ascending.
pub(crate) fn add_combination(level: Level, target: &mut [f64], factors: &[f64], rows: &[f64]) {
    let columns = target.len();
    accumulate(level, target, factors.len(), |n| {
        (factors[n], &rows[n * columns..][..columns])
    });
}

#[cfg(test)]
mod tests {
    use super::*;
    use faer::linalg::solvers::Solve;
    use rand_chacha::rand_core::{RngCore, SeedableRng};

    fn random(seed: u64, count: usize) -> Vec<f64> {
        let mut rng = rand_chacha::ChaCha8Rng::seed_from_u64(seed);
        (0..count)
            .map(|_| f64::from(rng.next_u32()) / 2_147_483_648.0 - 1.0)
            .collect()
    }

    fn with_threads<T: Send>(threads: usize, run: impl FnOnce() -> T + Send) -> T {
        rayon::ThreadPoolBuilder::new()
            .num_threads(threads)
            .build()
            .unwrap()
            .install(run)
    }

    fn bits(values: &[f64]) -> Vec<u64> {
        values.iter().map(|value| value.to_bits()).collect()
    }

    /// `XᵀX + ridge · I`.
    fn positive(level: Level, seed: u64, rows: usize, order: usize, ridge: f64) -> Vec<f64> {
        let x = random(seed, rows * order);
        let mut matrix = gram(level, rows, order, |i, out| {
            out.copy_from_slice(&x[i * order..][..order]);
        });
        matrix
            .iter_mut()
            .step_by(order + 1)
            .for_each(|diagonal| *diagonal += ridge);
        matrix
    }

    #[test]
    fn gram_and_solution_agree_with_faer() {
        // Orders around the panel and block sizes, and a rank-deficient Gram matrix held up by its ridge.
        for (rows, order) in [
            (3, 1),
            (40, 16),
            (70, 63),
            (130, 64),
            (90, 65),
            (50, 150),
            (300, 201),
        ] {
            let x = random(5, rows * order);
            let x = faer::Mat::from_fn(rows, order, |i, j| x[i * order + j]);
            let ridge = faer::Mat::from_fn(order, order, |i, j| f64::from(u8::from(i == j)) * 0.5);
            let expected = x.transpose() * &x + ridge;
            let matrix = positive(Level::detect(), 5, rows, order, 0.5);
            for i in 0..order {
                for j in 0..order {
                    assert!((matrix[i * order + j] - expected[(i, j)]).abs() < 1e-11 * rows as f64);
                }
            }
            let right = random(6, order);
            let llt = expected.llt(faer::Side::Lower).unwrap();
            let oracle = llt.solve(faer::Col::from_fn(order, |i| right[i]));
            let mut solution = right;
            Cholesky::new(Level::detect(), matrix, order)
                .unwrap()
                .solve(&mut solution);
            let size = solution
                .iter()
                .fold(0.0, |size: f64, value| size.max(value.abs()));
            for i in 0..order {
                assert!(
                    (solution[i] - oracle[i]).abs() < 1e-9 * size,
                    "{order}: {i}"
                );
            }
        }
    }

    #[test]
    fn bits_depend_neither_on_threads_nor_on_instructions() {
        let (rows, order) = (150, 210);
        let run = |level| {
            let cholesky =
                Cholesky::new(level, positive(level, 1, rows, order, 0.1), order).unwrap();
            let mut solution = random(2, order);
            cholesky.solve(&mut solution);
            (bits(cholesky.factor()), bits(&solution))
        };
        let expected = with_threads(1, || run(Level::Portable));
        for level in Level::all() {
            for threads in [1, 2, 4] {
                assert!(
                    with_threads(threads, || run(level)) == expected,
                    "{level:?}, {threads}"
                );
            }
        }
    }

    #[test]
    fn factor_has_the_documented_order_of_operations() {
        let order = 90;
        let matrix = positive(Level::detect(), 8, 120, order, 0.3);
        let mut expected = vec![0.0; order * order];
        for i in 0..order {
            for j in 0..=i {
                let mut sum = matrix[i * order + j];
                for k in 0..j {
                    sum -= expected[i * order + k] * expected[j * order + k];
                }
                expected[i * order + j] = if i == j {
                    sum.sqrt()
                } else {
                    sum / expected[j * order + j]
                };
            }
        }
        mirror(&mut expected, order);
        let cholesky = Cholesky::new(Level::detect(), matrix, order).unwrap();
        assert!(bits(cholesky.factor()) == bits(&expected));
    }

    #[test]
    fn refuses_an_indefinite_matrix() {
        let matrix = vec![1.0, 0.0, 2.0, 1.0];
        assert!(matches!(
            Cholesky::new(Level::detect(), matrix, 2),
            Err(Error::NotPositiveDefinite { pivot: 1 })
        ));
        assert!(matches!(
            Cholesky::new(Level::detect(), vec![f64::NAN], 1),
            Err(Error::NotPositiveDefinite { pivot: 0 })
        ));
    }
}
