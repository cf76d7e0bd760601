//! The exact influence function of a damped Fisher or Gauss-Newton matrix.

use std::ops::Range;

use rayon::prelude::*;

use super::{
    dense::{
        add_product, add_to_diagonal, dot, gram, squared_norms, widen, Cholesky, Operand, Target,
    },
    rows::{check_positive, Layers, Matrix, Rows},
};
use crate::Error;

/// Queries scored together, and records whose self-influence is computed together: what bounds the
/// memory for intermediate results.
const BATCH: usize = 512;
/// Largest order of a matrix that is factorised: 32 GiB of doubles.
const MAX_ORDER: usize = 1 << 16;

/// The `λ` that is added to the diagonal of a curvature matrix.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Damping {
    /// This value, in units of the curvature of the *mean* loss. A model trained with the penalty
    /// `λ/2 |θ|²` beside the mean loss has this `λ`; beside the *sum* of `n` losses it is `λ/n`.
    Absolute(f64),
    /// This many times the mean eigenvalue of each block, `tr(F) / d`. Implementations of EK-FAC,
    /// LoGra and DataInf default to 0.1.
    Relative(f64),
}

impl Damping {
    /// `λ` of a block with this mean eigenvalue.
    pub(super) fn of_block(self, mean: f64, columns: &Range<usize>) -> Result<f64, Error> {
        let (Self::Absolute(value) | Self::Relative(value)) = self;
        if !(value > 0.0 && value.is_finite()) {
            return Err(Error::parameter("damping", value, "positive and finite"));
        }
        match self {
            Self::Absolute(value) => Ok(value),
            Self::Relative(factor) if factor * mean > 0.0 => Ok(factor * mean),
            Self::Relative(_) => Err(Error::parameter(
                "mean eigenvalue of a layer's curvature",
                format!("{mean} in columns {}..{}", columns.start, columns.end),
                "positive where damping is relative to it: leave the layer out or use absolute \
                 damping",
            )),
        }
    }
}

/// Rows `c_j` of a curvature matrix `F = (1/N) Σ_j c_j c_jᵀ`.
#[derive(Clone, Copy, Debug)]
pub struct Curvature<'a> {
    rows: Rows<'a>,
    records: usize,
}

impl<'a> Curvature<'a> {
    /// The curvature of the mean loss of `records` records, each of which may have any number of rows:
    /// one for a Fisher matrix, one per class or output for a Gauss-Newton matrix.
    ///
    /// # Errors
    /// When `records` is zero.
    pub fn new(rows: Rows<'a>, records: usize) -> Result<Self, Error> {
        check_positive("number of records behind the curvature", records)?;
        Ok(Self { rows, records })
    }

    /// The empirical Fisher matrix of the training gradients.
    pub fn empirical(train: Rows<'a>) -> Self {
        Self {
            rows: train,
            records: train.rows(),
        }
    }

    /// Its rows.
    pub fn rows(&self) -> Rows<'a> {
        self.rows
    }

    /// `N`.
    pub fn records(&self) -> usize {
        self.records
    }
}

/// Influence `τ_i = (1/n) vᵀ (F + λI)⁻¹ g_i` with an exact inverse; see
/// [the module](super) for sign and scale.
///
/// P. W. Koh and P. Liang, *Understanding Black-box Predictions via Influence Functions*, ICML 2017,
/// with the Hessian replaced by a Fisher or Gauss-Newton matrix (J. Martens, *New Insights and
/// Perspectives on the Natural Gradient Method*, JMLR 21, 2020). With more than one layer, `F` is taken
/// to be block-diagonal and the influences of all blocks add up; damping that is relative is then
/// relative to each block.
///
/// A block of `d` columns with `m` curvature rows `C` is held as one Cholesky factor:
///
/// ```text
/// primal, m ≥ d:  CᵀC/N + λI,                                            d x d
/// dual,   m < d:  (CᵀC/N + λI)⁻¹ = (1/λ)(I − Cᵀ (CCᵀ + NλI)⁻¹ C),        m x m
///                 and where C are the training gradients themselves
///                 τ = V Gᵀ (GGᵀ + nλI)⁻¹, which subtracts nothing
/// ```
///
/// The forms are equal (the push-through identity). Cost: `min(m, d) · m d + min(m, d)³ / 3` once;
/// `n d + min(m, d)²` multiplications per query, and `2 m d` more in the dual form with rows of its
/// own.
pub struct DampedFisher<'a> {
    train: Rows<'a>,
    curvature: Curvature<'a>,
    blocks: Vec<Block>,
}

struct Block {
    columns: Range<usize>,
    damping: f64,
    form: Form,
}

enum Form {
    Primal(Cholesky),
    /// The curvature rows are other rows than the training gradients.
    Dual(Cholesky),
    /// The curvature rows are the training gradients.
    OwnDual(Cholesky),
}

impl<'a> DampedFisher<'a> {
    /// Computes and factorises the curvature of each layer.
    ///
    /// # Errors
    /// When the numbers of columns differ, damping is not positive and finite, a layer's curvature is
    /// zero and damping relative to it, or a matrix to factorise has more than 65,536 rows or no
    /// memory.
    pub fn new(
        train: Rows<'a>,
        curvature: Curvature<'a>,
        layers: &Layers,
        damping: Damping,
    ) -> Result<Self, Error> {
        Self::with_forms(train, curvature, layers, damping, |rows, columns| {
            rows < columns
        })
    }

    /// `dual` says for rows and columns of a block whether to use the dual form.
    pub(super) fn with_forms(
        train: Rows<'a>,
        curvature: Curvature<'a>,
        layers: &Layers,
        damping: Damping,
        dual: impl Fn(usize, usize) -> bool,
    ) -> Result<Self, Error> {
        let rows = curvature.rows;
        train.check_columns("training gradient", layers.columns())?;
        rows.check_columns("curvature row", layers.columns())?;
        let own = curvature.records == train.rows() && std::ptr::eq(rows.values(), train.values());
        let count = curvature.records as f64;
        let blocks = layers
            .ranges()
            .iter()
            .map(|columns| {
                let dual = dual(rows.rows(), columns.len());
                let order = if dual { rows.rows() } else { columns.len() };
                if order > MAX_ORDER {
                    return Err(Error::parameter(
                        "order of a curvature matrix",
                        order,
                        format!(
                            "at most {MAX_ORDER}: project the gradients or cut them into layers"
                        ),
                    ));
                }
                let trace = squared_norms(rows, columns).iter().sum::<f64>() / count;
                let damping = damping.of_block(trace / columns.len() as f64, columns)?;
                let operand = Operand::rows(rows, columns);
                let form = if dual {
                    let mut kernel = gram(operand)?;
                    add_to_diagonal(&mut kernel, order, count * damping);
                    let kernel = Cholesky::new(kernel, order)?;
                    if own {
                        Form::OwnDual(kernel)
                    } else {
                        Form::Dual(kernel)
                    }
                } else {
                    let mut matrix = gram(operand.transpose())?;
                    matrix.iter_mut().for_each(|value| *value /= count);
                    add_to_diagonal(&mut matrix, order, damping);
                    Form::Primal(Cholesky::new(matrix, order)?)
                };
                Ok(Block {
                    columns: columns.clone(),
                    damping,
                    form,
                })
            })
            .collect::<Result<_, Error>>()?;
        Ok(Self {
            train,
            curvature,
            blocks,
        })
    }

    /// `λ` of each layer.
    pub fn dampings(&self) -> Vec<f64> {
        self.blocks.iter().map(|block| block.damping).collect()
    }

    /// Scores `q x n` of all training records for `q x P` query gradients.
    ///
    /// # Errors
    /// When the queries have another number of columns or there is no memory for the scores.
    pub fn scores(&self, queries: Rows<'_>) -> Result<Matrix, Error> {
        queries.check_columns("query gradient", self.train.columns())?;
        let n = self.train.rows();
        let mut scores = Matrix::zeros(queries.rows(), n)?;
        for (batch, scores) in scores.values_mut().chunks_mut(BATCH * n).enumerate() {
            let start = batch * BATCH;
            let queries = queries.slice(start..start + scores.len() / n);
            for block in &self.blocks {
                self.add_scores(block, queries, scores)?;
            }
        }
        Ok(scores)
    }

    fn add_scores(
        &self,
        block: &Block,
        queries: Rows<'_>,
        scores: &mut [f64],
    ) -> Result<(), Error> {
        let (n, columns) = (self.train.rows(), &block.columns);
        let train = Operand::rows(self.train, columns);
        if let Form::OwnDual(kernel) = &block.form {
            let mut products = Matrix::zeros(queries.rows(), n)?;
            add_product(
                Target::new(products.values_mut(), n, 0),
                1.0,
                Operand::rows(queries, columns),
                train,
            );
            kernel.solve_rows(products.values_mut());
            for (score, product) in scores.iter_mut().zip(products.values()) {
                *score += product;
            }
            return Ok(());
        }
        let mut directions = widen(queries, columns)?;
        self.apply_inverse(block, &mut directions)?;
        add_product(
            Target::new(scores, n, 0),
            1.0 / n as f64,
            Operand::new(directions.values(), columns.len(), &(0..columns.len())),
            train,
        );
        Ok(())
    }

    /// Replaces each row `v` of a layer's columns by `(F + λI)⁻¹ v`.
    fn apply_inverse(&self, block: &Block, vectors: &mut Matrix) -> Result<(), Error> {
        let kernel = match &block.form {
            Form::Primal(cholesky) => {
                cholesky.solve_rows(vectors.values_mut());
                return Ok(());
            }
            Form::Dual(kernel) | Form::OwnDual(kernel) => kernel,
        };
        let mut weights = self.curvature_products(block, vectors)?;
        kernel.solve_rows(weights.values_mut());
        let rows = Operand::rows(self.curvature.rows, &block.columns);
        let (width, m) = (block.columns.len(), weights.columns());
        add_product(
            Target::new(vectors.values_mut(), width, 0),
            -1.0,
            Operand::new(weights.values(), m, &(0..m)),
            rows.transpose(),
        );
        for value in vectors.values_mut() {
            *value /= block.damping;
        }
        Ok(())
    }

    /// Products of each vector with each curvature row.
    fn curvature_products(&self, block: &Block, vectors: &Matrix) -> Result<Matrix, Error> {
        let m = self.curvature.rows.rows();
        let mut products = Matrix::zeros(vectors.rows(), m)?;
        add_product(
            Target::new(products.values_mut(), m, 0),
            1.0,
            Operand::new(vectors.values(), vectors.columns(), &(0..vectors.columns())),
            Operand::rows(self.curvature.rows, &block.columns),
        );
        Ok(products)
    }

    /// `τ_ii = (1/n) g_iᵀ (F + λI)⁻¹ g_i` of each training record: how much its own loss would rise
    /// without it. High for mislabelled and atypical records.
    ///
    /// # Errors
    /// When there is no memory for the intermediate results.
    pub fn self_influence(&self) -> Result<Vec<f64>, Error> {
        let n = self.train.rows();
        let mut influences = vec![0.0; n];
        for block in &self.blocks {
            if let Form::OwnDual(kernel) = &block.form {
                let ridge = n as f64 * block.damping;
                for (influence, inverse) in influences.iter_mut().zip(kernel.inverse_diagonal()) {
                    *influence += 1.0 - ridge * inverse;
                }
                continue;
            }
            for (batch, influences) in influences.chunks_mut(BATCH).enumerate() {
                let start = batch * BATCH;
                let train = self.train.slice(start..start + influences.len());
                let mut vectors = widen(train, &block.columns)?;
                let forms = match &block.form {
                    Form::Primal(cholesky) => cholesky.quadratic_forms(vectors.values_mut()),
                    Form::Dual(kernel) | Form::OwnDual(kernel) => {
                        let mut products = self.curvature_products(block, &vectors)?;
                        let explained = kernel.quadratic_forms(products.values_mut());
                        vectors
                            .values()
                            .par_chunks(block.columns.len())
                            .zip(explained)
                            .map(|(row, explained)| (dot(row, row) - explained) / block.damping)
                            .collect()
                    }
                };
                for (influence, form) in influences.iter_mut().zip(forms) {
                    *influence += form / n as f64;
                }
            }
        }
        Ok(influences)
    }
}
