//! The damped Gauss-Newton direction, a fixed function of the index rows.

use attribution_proof::{
    bounds::MAX_LINEAGE,
    influence::{norm_squared, Query, QueryVector},
    ContentId, ModelId,
};
use rayon::prelude::*;

use super::Index;
use crate::{
    linear::{add_combination, dot, gram, mirror, Cholesky},
    simd::{self, Instructions, Level},
    Error,
};

/// The damping of version 1 of [`DampedGaussNewton`](attribution_proof::influence::InfluenceMethod):
/// indexes on chain use this one, so that their preconditioner is a function of their rows alone. A
/// tenth of the mean eigenvalue is what EK-FAC and LoGra implementations default to.
pub const DAMPING: f64 = 0.1;

/// Largest magnitude in a query.
const LARGEST: f64 = 32_767.0;
/// Key derivation context of [`Preconditioner::commit`].
const COMMIT_CONTEXT: &str = "openledger attribution-engine preconditioner v1";

/// `(1/n) (F + λI)⁻¹`, with `F = (1/n) Σ gᵢ gᵢᵀ` over the `n` index rows that have a gradient of
/// their own and `λ = damping · tr(F) / min(n, d)`: `damping` times the mean of the eigenvalues that
/// can differ from zero. (The mean over all `d` would fall with `n / d`, and what of a query lies
/// outside the rows' span, which no score can see, would drown the rest of it.)
///
/// With `x_i = scale_i · g_i`, all integers, and `X` the `n x d` matrix of these rows:
///
/// ```text
/// primal, n ≥ d:  (XᵀX/n + λI)⁻¹ q                                (d x d)
/// dual,   n < d:  (1/λ) (q − Xᵀ (XXᵀ + nλI)⁻¹ X q)                (n x n)
/// ```
///
/// Both are the same direction (the push-through identity); which one is used depends on `n` and `d`
/// only. All operations happen in a fixed order, so index and damping determine every bit,
/// on any processor and with any number of threads.
pub struct Preconditioner {
    level: Level,
    rows: usize,
    dimension: usize,
    unit: f64,
    damping: f64,
    /// `λ`, in the integers' units.
    ridge: f64,
    form: Form,
}

enum Form {
    Primal(Cholesky),
    Dual { x: Vec<f64>, kernel: Cholesky },
}

/// A query's direction in the units of the gradients: `τ_i = gᵢ · values` is the rise of the query's
/// loss if record `i` were left out, to first order.
#[derive(Clone, Debug, PartialEq)]
pub struct Direction {
    /// `(1/n) (F + λI)⁻¹ ∇`, `d` values.
    pub values: Vec<f64>,
    /// Unit of the index that it is meant for.
    pub unit: f64,
}

impl Preconditioner {
    /// Computes the preconditioner of an index, with `damping` as above; indexes on chain use
    /// [`DAMPING`].
    ///
    /// # Errors
    /// When damping is not a positive finite number or no row has a gradient of its own.
    pub fn new(index: &Index, damping: f64) -> Result<Self, Error> {
        Self::new_with(Instructions::best(), index, damping)
    }

    /// As [`Self::new`], with these vector instructions: the result is the same, only the speed differs.
    ///
    /// # Errors
    /// As [`Self::new`].
    pub fn new_with(
        instructions: Instructions,
        index: &Index,
        damping: f64,
    ) -> Result<Self, Error> {
        let dual = index.own_rows().len() < index.dimension();
        Self::at_level(instructions.level(), index, damping, dual)
    }

    pub(super) fn at_level(
        level: Level,
        index: &Index,
        damping: f64,
        dual: bool,
    ) -> Result<Self, Error> {
        if !(damping > 0.0 && damping.is_finite()) {
            return Err(Error::parameter("damping", damping, "positive and finite"));
        }
        let (rows, dimension) = (index.own_rows().len(), index.dimension());
        if rows == 0 {
            return Err(Error::parameter(
                "number of rows with a gradient",
                0,
                "at least 1: an index without influence has no preconditioner",
            ));
        }
        // Exact: under 2^58 for each of fewer than 2^32 rows.
        let trace = index
            .scales()
            .iter()
            .zip(index.own_vectors().map(norm_squared))
            .map(|(scale, norm)| u128::from(*scale).pow(2) * u128::from(norm))
            .sum::<u128>();
        let ridge = damping * (trace as f64 / rows as f64) / rows.min(dimension) as f64;
        let form = if dual {
            let mut kernel = kernel_matrix(level, index);
            let diagonal = ridge * rows as f64;
            kernel
                .iter_mut()
                .step_by(rows + 1)
                .for_each(|value| *value += diagonal);
            let mut x = vec![0.0; rows * dimension];
            for (i, out) in x.chunks_exact_mut(dimension).enumerate() {
                scaled_row(index, i, out);
            }
            Form::Dual {
                x,
                kernel: Cholesky::new(level, kernel, rows)?,
            }
        } else {
            let mut fisher = gram(level, rows, dimension, |i, out| scaled_row(index, i, out));
            fisher.iter_mut().for_each(|value| *value /= rows as f64);
            fisher
                .iter_mut()
                .step_by(dimension + 1)
                .for_each(|value| *value += ridge);
            Form::Primal(Cholesky::new(level, fisher, dimension)?)
        };
        Ok(Self {
            level,
            rows,
            dimension,
            unit: index.unit(),
            damping,
            ridge,
            form,
        })
    }

    /// BLAKE3 over everything that fixes the direction, for the index's terms on chain: row count and
    /// dimension as `u64`, damping, unit, `λ` and the Cholesky factor (row-major, `L` below and on the
    /// diagonal, `Lᵀ` above it) as IEEE 754 doubles, all little-endian.
    pub fn commit(&self) -> ContentId {
        let mut hasher = blake3::Hasher::new_derive_key(COMMIT_CONTEXT);
        hasher.update(&(self.rows as u64).to_le_bytes());
        hasher.update(&(self.dimension as u64).to_le_bytes());
        for value in [self.damping, self.unit, self.ridge] {
            hasher.update(&value.to_le_bytes());
        }
        let (Form::Primal(cholesky)
        | Form::Dual {
            kernel: cholesky, ..
        }) = &self.form;
        let mut buffer = Vec::new();
        for values in cholesky.factor().chunks(1 << 13) {
            buffer.clear();
            buffer.extend(values.iter().flat_map(|value| value.to_le_bytes()));
            hasher.update(&buffer);
        }
        *hasher.finalize().as_bytes()
    }

    /// The direction of a query, given its projected gradient.
    ///
    /// # Errors
    /// When the gradient has another dimension or is not finite.
    pub fn direction(&self, gradient: &[f32]) -> Result<Direction, Error> {
        Error::check_shape("query gradient", gradient.len(), self.dimension)?;
        Error::check_finite(None, gradient)?;
        let mut values = gradient
            .iter()
            .map(|value| f64::from(*value))
            .collect::<Vec<_>>();
        // From the integers' units to those of the gradients, and 1/n.
        let mut factor = 1.0 / (self.rows as f64 * self.unit * self.unit);
        match &self.form {
            Form::Primal(fisher) => fisher.solve(&mut values),
            Form::Dual { x, kernel } => {
                let mut weights = x
                    .par_chunks_exact(self.dimension)
                    .map(|row| -dot(row, &values))
                    .collect::<Vec<_>>();
                kernel.solve(&mut weights);
                add_combination(self.level, &mut values, &weights, x);
                factor /= self.ridge;
            }
        }
        values.iter_mut().for_each(|value| *value *= factor);
        Ok(Direction {
            values,
            unit: self.unit,
        })
    }
}

/// Row `i` of `X`. Its values are integers under 2^23.
fn scaled_row(index: &Index, i: usize, out: &mut [f64]) {
    let scale = f64::from(index.scales()[i]);
    for (out, g) in out.iter_mut().zip(index.own_vector(i)) {
        *out = f64::from(*g) * scale;
    }
}

/// `X Xᵀ`. Each element is an integer under 2^58, rounded once to a double.
fn kernel_matrix(level: Level, index: &Index) -> Vec<f64> {
    let (rows, dimension) = (index.own_rows().len(), index.dimension());
    let mut kernel = vec![0.0; rows * rows];
    kernel
        .par_chunks_mut(rows)
        .enumerate()
        .for_each(|(i, out)| {
            let row = index
                .own_vector(i)
                .iter()
                .map(|g| i16::from(*g))
                .collect::<Vec<_>>();
            let query = simd::Query::new(level, &row);
            let mut products = vec![0; i + 1];
            let mut left = &mut products[..];
            for part in index.vectors() {
                let count = left.len().min(part.len() / dimension);
                let (some, rest) = left.split_at_mut(count);
                query.dots(&part[..count * dimension], some);
                left = rest;
            }
            let scale = i64::from(index.scales()[i]);
            for ((out, product), other) in out.iter_mut().zip(products).zip(index.scales()) {
                *out = (scale * i64::from(*other) * product) as f64;
            }
        });
    mirror(&mut kernel, rows);
    kernel
}

/// Quantises the directions of one response, one for each model of the served lineage, to a query.
///
/// All share one factor, so that scores compare across models: a score is the influence `τ` times
/// that factor, whatever the unit of the index it came from.
///
/// # Errors
/// When there are no directions or more than a query holds, models repeat, or all directions are zero.
pub fn quantise_query(directions: &[(ModelId, &Direction)]) -> Result<Query, Error> {
    let expected = format!("1..={MAX_LINEAGE}");
    if directions.is_empty() {
        return Err(Error::parameter("number of query directions", 0, expected));
    }
    let mut directions = directions.to_vec();
    directions.sort_by_key(|(model, _)| *model);
    if let Some(pair) = directions.windows(2).find(|pair| pair[0].0 == pair[1].0) {
        return Err(Error::parameter(
            "model of a query direction",
            pair[0].0,
            "given once",
        ));
    }
    let values = || {
        directions
            .iter()
            .flat_map(|(_, direction)| direction.values.iter().map(|value| value * direction.unit))
    };
    if let Some(value) = values().find(|value| !value.is_finite()) {
        return Err(Error::parameter(
            "value of a query direction",
            value,
            "finite",
        ));
    }
    let largest = values().fold(0.0_f64, |largest, value| largest.max(value.abs()));
    if largest == 0.0 {
        return Err(Error::ZeroQuery);
    }
    let vectors = directions
        .iter()
        .map(|(model, direction)| {
            let vector = direction
                .values
                .iter()
                // Divided first: the factor itself can overflow.
                .map(|value| (value * direction.unit / largest * LARGEST).round() as i16)
                .collect::<Vec<_>>();
            QueryVector::try_from(vector)
                .map(|vector| (*model, vector))
                .map_err(|vector| {
                    Error::parameter(
                        "dimension of a query direction",
                        vector.len(),
                        "at most 4096",
                    )
                })
        })
        .collect::<Result<Vec<_>, _>>()?;
    let count = vectors.len();
    let vectors = vectors
        .try_into()
        .map_err(|_| Error::parameter("number of query directions", count, expected))?;
    Ok(Query { vectors })
}
