//! Seeded sparse Johnson–Lindenstrauss projection of gradients.
//!
//! The `P` input coordinates are mapped to `d` output coordinates by a random sign matrix with
//! exactly `s` entries in each column, one in each of `s` blocks of `d / s` rows:
//!
//! ```text
//! (S x)_(j·m + h_j(p)) += σ_j(p) · x_p / √s      j = 0..s,  m = d / s,  h_j(p) < m,  σ_j(p) = ±1
//! ```
//!
//! This is the block construction of D. M. Kane and J. Nelson, *Sparser Johnson–Lindenstrauss
//! Transforms*, JACM 61(1), 2014. It is linear and unbiased,
//! `E⟨Sx, Sy⟩ = ⟨x, y⟩`, with
//! `Var⟨Sx, Sy⟩ = (|x|²|y|² + ⟨x, y⟩² − 2 Σ x_p² y_p²) / d`.
//!
//! `h_j(p)` and `σ_j(p)` come from a counter: the 32-bit little-endian word at byte `4 (p·s + j)` of
//! the BLAKE3 output stream keyed with the seed. The lowest bit is the sign (set means minus), the
//! other 31 bits, as a fraction of 2³¹, choose the row of the block. Any platform can therefore
//! compute any entry by itself.
//!
//! [`Projection::masked`] keeps `k` random coordinates before that (P. Hu, J. Melkonian, W. Tang,
//! H. Zhao, J. W. Ma, *GraSS: Scalable Data Attribution with Gradient Sparsification and Sparse
//! Projection*, NeurIPS 2025), so that the cost falls from `s P` to `s k` additions and the memory with
//! it. Values are multiplied by `√(P/k)`, which keeps inner products unbiased. The mask alone adds the
//! variance of a sample without replacement to them, `P (P − k) / k` times the sample variance of the
//! `P` products `x_p y_p`.
//!
//! ```
//! use attribution_engine::projection::Projection;
//!
//! # fn main() -> Result<(), attribution_engine::Error> {
//! let gradient = (0..10_000).map(|i| (i as f32).sin()).collect::<Vec<_>>();
//! let projection = Projection::new(&[7; 32], gradient.len(), 1_024, 4)?;
//! let small = projection.project(&gradient)?;
//! assert_eq!(small.len(), 1_024);
//! // The length is kept within a few parts of the root of 2 / 1,024.
//! let squared = |vector: &[f32]| vector.iter().map(|v| v * v).sum::<f32>();
//! assert!((squared(&small) / squared(&gradient) - 1.0).abs() < 0.2);
//! // Layers may come one after the other.
//! let mut sketch = projection.start();
//! sketch.push(&gradient[..4_000])?;
//! sketch.push(&gradient[4_000..])?;
//! assert_eq!(sketch.finish()?, small);
//! # Ok(())
//! # }
//! ```

use crate::Error;

/// Largest output dimension: a bucket and its sign share sixteen bits.
const MAX_OUTPUT: usize = attribution_proof::bounds::MAX_DIMENSION as usize;
/// Separates this stream from every other use of the seed.
const DOMAIN: &[u8] = b"openledger sparse projection v1";
/// The same for the choice of coordinates.
const MASK_DOMAIN: &[u8] = b"openledger projection mask v1";

/// A projection, drawn once and then applied to any number of gradients.
///
/// Holds `2 s` bytes for each input coordinate, or `2 s + 4` for each that a mask keeps.
pub struct Projection {
    input: usize,
    output: usize,
    nonzeros: usize,
    /// The coordinates that are kept, ascending, where not all are.
    kept: Option<Vec<u32>>,
    /// `bucket << 1 | minus` for each (coordinate that is kept, block).
    entries: Vec<u16>,
    /// What sums are multiplied by.
    factor: f64,
}

impl Projection {
    /// Draws a projection of `input` coordinates to `output` ones, `nonzeros` for each of them.
    ///
    /// # Errors
    /// `output` must be in 1..=4096 and a multiple of `nonzeros`, which must be in 1..=64.
    pub fn new(
        seed: &[u8; 32],
        input: usize,
        output: usize,
        nonzeros: usize,
    ) -> Result<Self, Error> {
        if output == 0 || output > MAX_OUTPUT {
            return Err(Error::parameter(
                "output dimension",
                output,
                format!("1..={MAX_OUTPUT}"),
            ));
        }
        if nonzeros == 0 || nonzeros > 64 || !output.is_multiple_of(nonzeros) {
            return Err(Error::parameter(
                "entries per coordinate",
                nonzeros,
                format!("in 1..=64 and a divisor of the output dimension {output}"),
            ));
        }
        let count = input.checked_mul(nonzeros).ok_or_else(|| {
            Error::parameter("input dimension", input, "small enough to be addressed")
        })?;
        let rows = (output / nonzeros) as u64;
        let mut stream = blake3::Hasher::new_keyed(seed)
            .update(DOMAIN)
            .finalize_xof();
        let mut entries = Vec::with_capacity(count);
        let mut buffer = vec![0; 4 * count.min(1 << 14)];
        while entries.len() < count {
            let words = (count - entries.len()).min(1 << 14);
            let bytes = &mut buffer[..4 * words];
            stream.fill(bytes);
            for chunk in bytes.chunks_exact(4) {
                let word = u32::from_le_bytes([chunk[0], chunk[1], chunk[2], chunk[3]]);
                let block = (entries.len() % nonzeros) as u64;
                let bucket = block * rows + ((u64::from(word >> 1) * rows) >> 31);
                entries.push((bucket as u16) << 1 | (word & 1) as u16);
            }
        }
        Ok(Self {
            input,
            output,
            nonzeros,
            kept: None,
            entries,
            factor: 1.0 / (nonzeros as f64).sqrt(),
        })
    }

    /// Draws a projection that keeps `kept` of the `input` coordinates and projects those as
    /// [`Self::new`].
    ///
    /// Each coordinate has a 64-bit little-endian word of the BLAKE3 output stream keyed with the seed
    /// in a domain of its own, and those with the smallest words are kept, the earlier one of equal
    /// words. They are projected as coordinates `0, 1, …` of [`Self::new`]. Drawing takes twelve bytes
    /// for each input coordinate.
    ///
    /// # Errors
    /// As [`Self::new`]; `kept` must be in `1..=input`, and `input` below 2^32.
    pub fn masked(
        seed: &[u8; 32],
        input: usize,
        kept: usize,
        output: usize,
        nonzeros: usize,
    ) -> Result<Self, Error> {
        if u32::try_from(input).is_err() {
            return Err(Error::parameter(
                "input dimension",
                input,
                "below 4294967296 for a mask",
            ));
        }
        if kept == 0 || kept > input {
            return Err(Error::parameter(
                "number of coordinates kept",
                kept,
                format!("1..={input}, of which it is a part"),
            ));
        }
        let dense = Self::new(seed, kept, output, nonzeros)?;
        Ok(Self {
            input,
            kept: Some(smallest_words(seed, input, kept)),
            factor: dense.factor * (input as f64 / kept as f64).sqrt(),
            ..dense
        })
    }

    /// Number of input coordinates `P`.
    pub fn input_dimension(&self) -> usize {
        self.input
    }

    /// Number of output coordinates `d`.
    pub fn output_dimension(&self) -> usize {
        self.output
    }

    /// Starts projecting one vector that arrives block by block.
    pub fn start(&self) -> Sketch<'_> {
        Sketch {
            projection: self,
            sums: vec![0.0; self.output],
            seen: 0,
        }
    }

    /// Projects one whole vector of `P` coordinates to `d`.
    ///
    /// # Errors
    /// When the length is not `P` or a coordinate is not finite.
    pub fn project(&self, vector: &[f32]) -> Result<Vec<f32>, Error> {
        let mut sketch = self.start();
        sketch.push(vector)?;
        sketch.finish()
    }
}

/// A projection in progress; see [`Projection::start`].
///
/// The result does not depend on where the blocks were cut.
pub struct Sketch<'a> {
    projection: &'a Projection,
    sums: Vec<f64>,
    seen: usize,
}

impl Sketch<'_> {
    /// Adds the next coordinates.
    ///
    /// # Errors
    /// When there are more coordinates than the projection has, or one is not finite.
    pub fn push(&mut self, block: &[f32]) -> Result<(), Error> {
        let nonzeros = self.projection.nonzeros;
        let total = self.projection.input_dimension();
        if block.len() > total - self.seen {
            let found = self.seen + block.len();
            return Err(Error::Shape {
                what: "gradient",
                found,
                expected: total,
            });
        }
        // Looked at as a whole first, which takes a fraction of the time of a search.
        let finite = block
            .iter()
            .fold(true, |all, value| all & value.is_finite());
        let search = if finite { &[] } else { block };
        if let Some(at) = search.iter().position(|value| !value.is_finite()) {
            return Err(Error::NotFinite {
                row: None,
                coordinate: self.seen + at,
                value: block[at].into(),
            });
        }
        let end = self.seen + block.len();
        match &self.projection.kept {
            None => {
                let entries = &self.projection.entries[self.seen * nonzeros..];
                for (value, entries) in block.iter().zip(entries.chunks_exact(nonzeros)) {
                    add(&mut self.sums, *value, entries);
                }
            }
            Some(kept) => {
                let place = |at| kept.partition_point(|coordinate| (*coordinate as usize) < at);
                let some = place(self.seen)..place(end);
                let entries = &self.projection.entries[some.start * nonzeros..];
                for (at, entries) in kept[some].iter().zip(entries.chunks_exact(nonzeros)) {
                    add(&mut self.sums, block[*at as usize - self.seen], entries);
                }
            }
        }
        self.seen = end;
        Ok(())
    }

    /// The projected vector.
    ///
    /// # Errors
    /// When coordinates are missing, or a projected one exceeds the range of `f32`.
    pub fn finish(self) -> Result<Vec<f32>, Error> {
        Error::check_shape("gradient", self.seen, self.projection.input_dimension())?;
        let factor = self.projection.factor;
        let projected = self
            .sums
            .iter()
            .map(|sum| (sum * factor) as f32)
            .collect::<Vec<_>>();
        Error::check_finite(None, &projected)?;
        Ok(projected)
    }
}

#[inline]
fn add(sums: &mut [f64], value: f32, entries: &[u16]) {
    let signed = [f64::from(value), -f64::from(value)];
    for entry in entries {
        sums[usize::from(entry >> 1)] += signed[usize::from(entry & 1)];
    }
}

/// The `count` coordinates with the smallest words, ascending.
fn smallest_words(seed: &[u8; 32], input: usize, count: usize) -> Vec<u32> {
    let mut stream = blake3::Hasher::new_keyed(seed)
        .update(MASK_DOMAIN)
        .finalize_xof();
    let mut buffer = vec![0; 8 * input.min(1 << 14)];
    let mut words = Vec::with_capacity(input);
    while words.len() < input {
        let bytes = &mut buffer[..8 * (input - words.len()).min(1 << 14)];
        stream.fill(bytes);
        let some = bytes
            .chunks_exact(8)
            .map(|chunk| u64::from_le_bytes(std::array::from_fn(|i| chunk[i])));
        words.extend(some);
    }
    let mut coordinates = (0..input as u32).collect::<Vec<_>>();
    let key = |coordinate: &u32| (words[*coordinate as usize], *coordinate);
    coordinates.select_nth_unstable_by_key(count - 1, key);
    coordinates.truncate(count);
    coordinates.sort_unstable();
    coordinates
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use rand_chacha::rand_core::{RngCore, SeedableRng};

    fn gaussian(seed: u64, count: usize) -> Vec<f32> {
        let mut rng = rand_chacha::ChaCha8Rng::seed_from_u64(seed);
        let mut uniform = move || (f64::from(rng.next_u32()) + 0.5) / 4_294_967_296.0;
        (0..count)
            .map(|_| {
                let radius = (-2.0 * uniform().ln()).sqrt();
                (radius * (std::f64::consts::TAU * uniform()).cos()) as f32
            })
            .collect()
    }

    fn inner(a: &[f32], b: &[f32]) -> f64 {
        a.iter()
            .zip(b)
            .map(|(a, b)| f64::from(*a) * f64::from(*b))
            .sum()
    }

    #[test]
    fn entries_are_those_of_the_documented_stream() {
        let seed = [7; 32];
        let projection = Projection::new(&seed, 40_000, 1024, 4).unwrap();
        for (coordinate, block) in [(0_usize, 0_usize), (1, 3), (4_095, 2), (39_999, 3)] {
            let mut stream = blake3::Hasher::new_keyed(&seed)
                .update(DOMAIN)
                .finalize_xof();
            stream.set_position(4 * (coordinate * 4 + block) as u64);
            let mut word = [0; 4];
            stream.fill(&mut word);
            let word = u32::from_le_bytes(word);
            let mut unit = vec![0.0; 40_000];
            unit[coordinate] = 1.0;
            let image = projection.project(&unit).unwrap();
            let row = block * 256 + (f64::from(word >> 1) / 2_f64.powi(31) * 256.0) as usize;
            let sign = if word & 1 == 1 { -0.5 } else { 0.5 };
            assert_eq!(image[row], sign);
            assert_eq!(image.iter().filter(|value| **value != 0.0).count(), 4);
        }
    }

    #[test]
    fn masks_keep_the_coordinates_with_the_smallest_words() {
        let seed = [3; 32];
        let (input, kept) = (3_000, 700);
        let projection = Projection::masked(&seed, input, kept, 64, 4).unwrap();
        let mut bytes = vec![0; 8 * input];
        blake3::Hasher::new_keyed(&seed)
            .update(MASK_DOMAIN)
            .finalize_xof()
            .fill(&mut bytes);
        let mut order = (0..input).collect::<Vec<_>>();
        order.sort_by_key(|at| u64::from_le_bytes(bytes[8 * at..8 * at + 8].try_into().unwrap()));
        let mut expected = order[..kept].to_vec();
        expected.sort_unstable();
        let dense = Projection::new(&seed, kept, 64, 4).unwrap();
        let vector = gaussian(1, input);
        let some = expected.iter().map(|at| vector[*at]).collect::<Vec<_>>();
        let factor = (input as f64 / kept as f64).sqrt();
        for (found, dense) in projection
            .project(&vector)
            .unwrap()
            .iter()
            .zip(dense.project(&some).unwrap())
        {
            assert!((f64::from(*found) - f64::from(dense) * factor).abs() < 1e-5);
        }
        let all = Projection::masked(&seed, 40, 40, 64, 4).unwrap();
        let plain = Projection::new(&seed, 40, 64, 4).unwrap();
        let vector = &vector[..40];
        assert_eq!(all.project(vector).unwrap(), plain.project(vector).unwrap());
    }

    #[test]
    fn masked_inner_products_are_unbiased_with_the_documented_variance() {
        let (input, kept, output, draws) = (300, 100, 64, 3_000);
        let x = gaussian(3, input);
        let y = x
            .iter()
            .zip(gaussian(4, input))
            .map(|(x, e)| 0.6 * x + 0.8 * e)
            .collect::<Vec<_>>();
        let truth = inner(&x, &y);
        let products = x.iter().zip(&y).map(|(x, y)| f64::from(x * y));
        let mean = truth / input as f64;
        let sample = products.map(|z| (z - mean).powi(2)).sum::<f64>() / (input - 1) as f64;
        let (p, k) = (input as f64, kept as f64);
        let mask = p * (p - k) / k * sample;
        let mut sketched = 0.0;
        let estimates = (0..draws)
            .map(|draw: u32| {
                let mut seed = [0; 32];
                seed[..4].copy_from_slice(&draw.to_le_bytes());
                let projection = Projection::masked(&seed, input, kept, output, 4).unwrap();
                let mut masked = [vec![], vec![]];
                for (to, from) in masked.iter_mut().zip([&x, &y]) {
                    let scale = (p / k).sqrt() as f32;
                    let coordinates = projection.kept.as_ref().unwrap().iter();
                    to.extend(coordinates.map(|at| scale * from[*at as usize]));
                }
                let [a, b] = &masked;
                let squares = a.iter().zip(b).map(|(a, b)| f64::from(a * b).powi(2));
                let product = inner(a, b);
                let both = inner(a, a) * inner(b, b) + product * product;
                sketched += (both - 2.0 * squares.sum::<f64>()) / output as f64;
                inner(
                    &projection.project(&x).unwrap(),
                    &projection.project(&y).unwrap(),
                )
            })
            .collect::<Vec<_>>();
        let variance = mask + sketched / f64::from(draws);
        let mean = estimates.iter().sum::<f64>() / f64::from(draws);
        let spread =
            estimates.iter().map(|e| (e - mean).powi(2)).sum::<f64>() / f64::from(draws - 1);
        let standard_error = (variance / f64::from(draws)).sqrt();
        assert!(
            (mean - truth).abs() < 5.0 * standard_error,
            "{mean} for {truth}"
        );
        assert!(
            (spread / variance - 1.0).abs() < 0.2,
            "{spread} for {variance}"
        );
    }

    #[test]
    fn seeds_draw_different_projections() {
        let vector = gaussian(1, 1_000);
        let one = Projection::new(&[1; 32], 1_000, 64, 4)
            .unwrap()
            .project(&vector)
            .unwrap();
        let other = Projection::new(&[2; 32], 1_000, 64, 4)
            .unwrap()
            .project(&vector)
            .unwrap();
        assert_ne!(one, other);
    }

    #[test]
    fn inner_products_are_unbiased_with_the_documented_variance() {
        let (input, output, draws) = (400, 64, 2_000);
        let x = gaussian(3, input);
        let y = x
            .iter()
            .zip(gaussian(4, input))
            .map(|(x, e)| 0.6 * x + 0.8 * e)
            .collect::<Vec<_>>();
        let truth = inner(&x, &y);
        let overlap = x
            .iter()
            .zip(&y)
            .map(|(x, y)| f64::from(x * y).powi(2))
            .sum::<f64>();
        let variance =
            (inner(&x, &x) * inner(&y, &y) + truth * truth - 2.0 * overlap) / output as f64;
        let estimates = (0..draws)
            .map(|draw: u32| {
                let mut seed = [0; 32];
                seed[..4].copy_from_slice(&draw.to_le_bytes());
                let projection = Projection::new(&seed, input, output, 4).unwrap();
                inner(
                    &projection.project(&x).unwrap(),
                    &projection.project(&y).unwrap(),
                )
            })
            .collect::<Vec<_>>();
        let mean = estimates.iter().sum::<f64>() / f64::from(draws);
        let spread =
            estimates.iter().map(|e| (e - mean).powi(2)).sum::<f64>() / f64::from(draws - 1);
        // Five standard errors of the mean, and 20 % on the variance (its standard error is about 3 %).
        let standard_error = (variance / f64::from(draws)).sqrt();
        assert!(
            (mean - truth).abs() < 5.0 * standard_error,
            "{mean} for {truth}"
        );
        assert!(
            (spread / variance - 1.0).abs() < 0.2,
            "{spread} for {variance}"
        );
    }

    #[test]
    fn refuses_bad_parameters_and_vectors() {
        let seed = [0; 32];
        assert!(matches!(
            Projection::new(&seed, 10, 0, 1),
            Err(Error::Parameter { .. })
        ));
        assert!(matches!(
            Projection::new(&seed, 10, 4097, 1),
            Err(Error::Parameter { .. })
        ));
        assert!(matches!(
            Projection::new(&seed, 10, 1024, 3),
            Err(Error::Parameter { .. })
        ));
        assert!(matches!(
            Projection::new(&seed, 10, 1024, 0),
            Err(Error::Parameter { .. })
        ));
        for kept in [0, 11] {
            let refused = Projection::masked(&seed, 10, kept, 8, 2);
            assert!(matches!(refused, Err(Error::Parameter { .. })));
        }
        let refused = Projection::masked(&seed, 1 << 32, 10, 8, 2);
        assert!(matches!(refused, Err(Error::Parameter { .. })));
        let projection = Projection::new(&seed, 10, 8, 2).unwrap();
        assert!(matches!(
            projection.project(&[0.0; 9]),
            Err(Error::Shape {
                found: 9,
                expected: 10,
                ..
            })
        ));
        assert!(matches!(
            projection.project(&[0.0; 11]),
            Err(Error::Shape { found: 11, .. })
        ));
        let mut vector = [0.0; 10];
        vector[6] = f32::NAN;
        assert!(matches!(
            projection.project(&vector),
            Err(Error::NotFinite { coordinate: 6, .. })
        ));
        // With signs that make every term of the one sum positive, it leaves the range.
        let narrow = Projection::new(&seed, 2, 1, 1).unwrap();
        let sign = |unit: [f32; 2]| narrow.project(&unit).unwrap()[0];
        let aligned = [sign([1.0, 0.0]), sign([0.0, 1.0])].map(|sign| sign * f32::MAX);
        let overflows = narrow.project(&aligned);
        assert!(matches!(overflows, Err(Error::NotFinite { .. })));
    }

    proptest! {
        #[test]
        fn blocks_do_not_matter(cuts in prop::collection::vec(0_usize..500, 0..6), seed: u64) {
            let vector = gaussian(seed, 500);
            let mut cuts = cuts;
            cuts.extend([0, 500]);
            cuts.sort_unstable();
            for projection in [
                Projection::new(&[9; 32], 500, 96, 3).unwrap(),
                Projection::masked(&[9; 32], 500, 200, 96, 3).unwrap(),
            ] {
                let whole = projection.project(&vector).unwrap();
                let mut sketch = projection.start();
                for pair in cuts.windows(2) {
                    sketch.push(&vector[pair[0]..pair[1]]).unwrap();
                }
                prop_assert_eq!(sketch.finish().unwrap(), whole);
            }
        }

        #[test]
        fn norms_survive(seed: u64) {
            let vector = gaussian(seed, 3_000);
            let projection = Projection::new(&[5; 32], 3_000, 1024, 4).unwrap();
            let image = projection.project(&vector).unwrap();
            let ratio = inner(&image, &image) / inner(&vector, &vector);
            // The standard deviation is √(2 / 1024) = 0.044; six of them.
            prop_assert!((ratio - 1.0).abs() < 0.27, "{}", ratio);
        }
    }
}
