//! Projection onto the directions in which training gradients lie.

use attribution_proof::{bounds::MAX_DIMENSION, ContentId};
use rand_chacha::{
    rand_core::{RngCore, SeedableRng},
    ChaCha8Rng,
};
use rayon::prelude::*;

use super::{
    dense::{add_product, eigen, gram, Operand, Target},
    rows::{entries, zeros, Rows},
};
use crate::Error;

/// Largest output dimension: an index's.
const MAX_OUTPUT: usize = MAX_DIMENSION as usize;
/// A direction with less than this part of the strongest one's energy is what single precision left over.
const LEAST_ENERGY: f64 = 1e-12;
/// Key derivation context of [`PrincipalProjection::commit`].
const COMMIT_CONTEXT: &str = "openledger attribution-engine principal directions v1";

/// A linear projection of `P` values to the `d` directions that hold most of the given rows' energy: the
/// leading right singular vectors of the rows, not centred.
///
/// Among all projections to `d` values this one changes the products of the rows least, in the Frobenius
/// norm (C. Eckart and G. Young, *The approximation of one matrix by another of lower rank*, Psychometrika
/// 1, 1936). With `d` at least the number of rows, products with them are exact, whatever the other factor
/// is: what of a query lies outside the rows' span no product can see. A random projection to `d` values
/// has an error of `|x| |y| / √d` instead ([`Projection`](crate::projection::Projection)), but needs no
/// rows and no `4 d P` bytes. LoGra starts from the same idea, layer by layer (S. K. Choe et al., 2024).
///
/// The directions are then turned within their span by random signs and a cosine transform (N. Ailon and B.
/// Chazelle, *The fast Johnson-Lindenstrauss transform*, SIAM J. Comput. 39, 2009): products stay the same,
/// and no value is much larger than the others of its row, which eight bits would not do justice to.
///
/// [`Ekfac::principal`](super::Ekfac::principal) weighs the directions by curvature.
///
/// Cost: `m² P + m³` with `m` the smaller of rows and `P`, once; `d P` for each gradient. Projected values
/// are the same on any processor and with any number of threads, given the same directions; the directions
/// may differ in the last bits between processors, so whoever shares an index shares them too.
///
/// ```
/// use attribution_engine::influence::methods::{PrincipalProjection, Rows};
///
/// # fn main() -> Result<(), attribution_engine::Error> {
/// let rows = [3.0, 0.0, 4.0, 0.0, 2.0, 0.0];
/// let projection = PrincipalProjection::of_rows(Rows::new(&rows, 2, 3)?, 2)?;
/// let (first, query) = (projection.project(&rows[..3])?, projection.project(&[1.0, 7.0, 1.0])?);
/// let product = first.iter().zip(&query).map(|(a, b)| a * b).sum::<f32>();
/// assert!((product - 7.0).abs() < 1e-5);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct PrincipalProjection {
    input: usize,
    energy: f64,
    /// `d x P`, row-major.
    directions: Vec<f32>,
}

impl PrincipalProjection {
    /// The strongest directions of these rows, at most `most` of them and at most as many as the rows span.
    ///
    /// # Errors
    /// When `most` is not in 1..=4096, all rows are zero, there is no memory, or the eigendecomposition
    /// does not converge.
    pub fn of_rows(rows: Rows<'_>, most: usize) -> Result<Self, Error> {
        if !(1..=MAX_OUTPUT).contains(&most) {
            let expected = format!("1..={MAX_OUTPUT}");
            return Err(Error::parameter("number of directions", most, expected));
        }
        let input = rows.columns();
        let dual = rows.rows() < input;
        let all = Operand::rows(rows, &(0..input));
        let order = rows.rows().min(input);
        let products = gram(if dual { all } else { all.transpose() })?;
        let (energies, vectors) = eigen(&products, order)?;
        let strongest = energies[0];
        if strongest.is_nan() || strongest <= 0.0 {
            return Err(Error::parameter(
                "largest gradient",
                0,
                "above zero: rows without a gradient have no directions",
            ));
        }
        let output = energies
            .iter()
            .take(most)
            .take_while(|energy| **energy > LEAST_ENERGY * strongest)
            .count();
        let mut strongest = vectors;
        strongest.truncate(output * order);
        if dual {
            // From `u` to `Xᵀu / σ`.
            for (vector, energy) in strongest.chunks_exact_mut(order).zip(&energies) {
                let size = energy.sqrt();
                vector.iter_mut().for_each(|value| *value /= size);
            }
        }
        let mut directions = zeros(entries(output, order)?)?;
        add_product(
            Target::new(&mut directions, order, 0),
            1.0,
            Operand::new(&turn(output)?, output, &(0..output)),
            Operand::new(&strongest, order, &(0..order)).transpose(),
        );
        if dual {
            let mut wide = zeros(entries(output, input)?)?;
            add_product(
                Target::new(&mut wide, input, 0),
                1.0,
                Operand::new(&directions, order, &(0..order)),
                all.transpose(),
            );
            directions = wide;
        }
        let all = energies.iter().map(|energy| energy.max(0.0)).sum::<f64>();
        Ok(Self {
            input,
            energy: energies[..output].iter().sum::<f64>() / all,
            directions: directions.iter().map(|value| *value as f32).collect(),
        })
    }

    /// From directions, `d x P`, such as [`Self::directions`] gives.
    ///
    /// # Errors
    /// When there are more than 4,096.
    pub fn from_directions(directions: Rows<'_>, energy: f64) -> Result<Self, Error> {
        if directions.rows() > MAX_OUTPUT {
            let expected = format!("1..={MAX_OUTPUT}");
            let found = directions.rows();
            return Err(Error::parameter("number of directions", found, expected));
        }
        Ok(Self {
            input: directions.columns(),
            energy,
            directions: directions.values().to_vec(),
        })
    }

    /// Number of input coordinates `P`.
    pub fn input_dimension(&self) -> usize {
        self.input
    }

    /// Number of output coordinates `d`.
    pub fn output_dimension(&self) -> usize {
        self.directions.len() / self.input
    }

    /// The part of the rows' energy, the sum of their squared lengths, that the projection keeps.
    pub fn energy(&self) -> f64 {
        self.energy
    }

    /// The directions, `d x P` row-major; orthonormal where no curvature weighs them.
    pub fn directions(&self) -> &[f32] {
        &self.directions
    }

    /// BLAKE3 over everything that fixes projected values: `d` and `P` as `u64`, then the directions as
    /// IEEE 754 single-precision numbers, all little-endian.
    pub fn commit(&self) -> ContentId {
        let mut hasher = blake3::Hasher::new_derive_key(COMMIT_CONTEXT);
        for length in [self.output_dimension(), self.input] {
            hasher.update(&(length as u64).to_le_bytes());
        }
        let mut buffer = Vec::new();
        for values in self.directions.chunks(1 << 14) {
            buffer.clear();
            buffer.extend(values.iter().flat_map(|value| value.to_le_bytes()));
            hasher.update(&buffer);
        }
        *hasher.finalize().as_bytes()
    }

    /// Projects one vector of `P` coordinates to `d`.
    ///
    /// # Errors
    /// When the length is not `P`, or a coordinate or a projected one is not finite.
    pub fn project(&self, gradient: &[f32]) -> Result<Vec<f32>, Error> {
        Error::check_shape("gradient", gradient.len(), self.input)?;
        Error::check_finite(None, gradient)?;
        let projected = self
            .directions
            .par_chunks_exact(self.input)
            .map(|direction| product(direction, gradient))
            .collect::<Vec<_>>();
        Error::check_finite(None, &projected)?;
        Ok(projected)
    }

    /// The same projection after a linear map, whose adjoint takes directions from its output to its input.
    pub(super) fn after(&self, adjoint: impl Fn(&[f32], &mut [f32]) + Sync) -> Self {
        let mut directions = vec![0.0; self.directions.len()];
        directions
            .par_chunks_exact_mut(self.input)
            .zip(self.directions.par_chunks_exact(self.input))
            .for_each(|(out, direction)| adjoint(direction, out));
        Self {
            directions,
            ..*self
        }
    }
}

/// An orthonormal matrix, `order x order`, that spreads each coordinate evenly over all: the cosine transform
/// `√(2/d) cos(π i (2j + 1) / 2d)`, its first row by `√2` smaller, with random signs of its columns.
fn turn(order: usize) -> Result<Vec<f64>, Error> {
    let mut rng = ChaCha8Rng::from_seed(crate::seed("principal directions", &[]));
    let signs = (0..order)
        .map(|_| rng.next_u32() & 1 == 0)
        .collect::<Vec<_>>();
    let mut matrix = zeros(entries(order, order)?)?;
    let size = (2.0 / order as f64).sqrt();
    for (i, row) in matrix.chunks_exact_mut(order).enumerate() {
        let size = if i == 0 { size / 2_f64.sqrt() } else { size };
        for (j, (value, plus)) in row.iter_mut().zip(&signs).enumerate() {
            // Taken modulo a whole turn first, where the numbers are exact.
            let quarter = (i * (2 * j + 1)) % (4 * order);
            let angle = std::f64::consts::PI * quarter as f64 / (2 * order) as f64;
            *value = if *plus { size } else { -size } * angle.cos();
        }
    }
    Ok(matrix)
}

/// `Σ a_j b_j`, summed in interleaved lanes and then over the lanes, on every processor.
fn product(a: &[f32], b: &[f32]) -> f32 {
    const LANES: usize = 32;
    let mut sums = [0.0; LANES];
    let (a, b) = (a.chunks_exact(LANES), b.chunks_exact(LANES));
    let rest = a.remainder().iter().zip(b.remainder());
    let rest = rest
        .map(|(a, b)| f64::from(*a) * f64::from(*b))
        .sum::<f64>();
    for (a, b) in a.zip(b) {
        for ((sum, a), b) in sums.iter_mut().zip(a).zip(b) {
            *sum += a * b;
        }
    }
    (sums.iter().map(|sum| f64::from(*sum)).sum::<f64>() + rest) as f32
}
