//! The top-k scan: exact integer scores over whole indexes, on all cores.
//!
//! It keeps up with memory: a row is read once, and what else a row needs (its scale, and for those that
//! may be among the best its norm) is two bytes, or made from what is in the cache already.
//!
//! ```
//! use attribution_engine::{
//!     duplicates::Standing,
//!     influence::{quantise_query, Direction, IndexBuilder, Quantisation},
//!     scan::top_k,
//! };
//! use attribution_proof::influence::CosineFloor;
//!
//! # fn main() -> Result<(), attribution_engine::Error> {
//! let rows = [[1.0, 0.0, 0.5, 0.0], [-1.0, 0.0, 0.0, 0.5], [0.9, 0.1, 0.6, 0.0]];
//! let mut builder = IndexBuilder::new(Quantisation::for_dimension(4), vec![Standing::Own; 3])?;
//! for (row, gradient) in (0..).zip(&rows) {
//!     builder.set(row, gradient)?;
//! }
//! let (index, _) = builder.finish()?;
//! let direction = Direction { values: vec![2.0, 0.0, 1.0, 0.0], unit: 1.0 };
//! let query = quantise_query(&[(1, &direction)])?;
//! let floor = CosineFloor { numerator: 1, denominator: 100 };
//! let credits = top_k(&[(1, &index)], &query, 64, floor)?;
//! // The second row points away from the query and gets no credit.
//! let mut found = credits.iter().map(|credit| credit.row).collect::<Vec<_>>();
//! found.sort_unstable();
//! assert_eq!(found, [0, 2]);
//! # Ok(())
//! # }
//! ```

use attribution_proof::{
    bounds::MAX_CREDITS,
    challenge::influence_credit,
    influence::{is_eligible, norm_squared, query_norm_squared, score, CosineFloor, Query},
    receipt::Credit,
    ModelId,
};
use rayon::prelude::*;

use crate::{
    influence::Index,
    simd::{self, fetch_behind},
    Error,
};

pub use crate::simd::Instructions;

/// Bytes of rows that a thread takes at a time.
const BLOCK_BYTES: usize = 1 << 18;
/// Bytes that memory gives at a time.
const CACHE_LINE: usize = 64;

/// The `k` best eligible rows of several models' indexes, in the order of a receipt: score
/// descending, model ascending, row ascending.
///
/// Scores and eligibility are those that the chain re-computes (PROTOCOL.md, "Influence credit").
/// The result does not depend on threads or instruction set.
///
/// # Errors
/// When `k` is not in 1..=64, the query is malformed, a model repeats, or the query has no vector of
/// the right dimension for a model.
pub fn top_k(
    indexes: &[(ModelId, &Index)],
    query: &Query,
    k: usize,
    floor: CosineFloor,
) -> Result<Vec<Credit>, Error> {
    top_k_with(Instructions::best(), indexes, query, k, floor)
}

/// As [`top_k`], with these vector instructions: the result is the same, only the speed differs.
///
/// # Errors
/// As [`top_k`].
pub fn top_k_with(
    instructions: Instructions,
    indexes: &[(ModelId, &Index)],
    query: &Query,
    k: usize,
    floor: CosineFloor,
) -> Result<Vec<Credit>, Error> {
    if !(1..=MAX_CREDITS as usize).contains(&k) {
        return Err(Error::parameter("k", k, format!("1..={MAX_CREDITS}")));
    }
    check(query)?;
    let mut best = Best::new(k);
    for (position, (model, index)) in indexes.iter().enumerate() {
        if indexes[..position].iter().any(|(other, _)| other == model) {
            return Err(Error::parameter("model of an index", model, "given once"));
        }
        let vector = vector(query, *model, index)?;
        best = best.merge(scan(instructions, *model, index, vector, k, floor));
    }
    Ok(best.credits)
}

/// The score of every row of a model's index, of either sign and without a floor: what [`top_k`] chooses
/// among. Rows without a gradient of their own, which are near-copies, have 0.
///
/// # Errors
/// When the query is malformed or has no vector of the right dimension for the model.
pub fn scores(model: ModelId, index: &Index, query: &Query) -> Result<Vec<i64>, Error> {
    check(query)?;
    let vector = vector(query, model, index)?;
    let query = simd::Query::new(Instructions::best().level(), vector);
    let own = blocks(index)
        .into_par_iter()
        .map(|block| {
            let mut products = vec![0; block.rows.len()];
            query.dots(block.vectors, &mut products);
            let scored = block.scales.iter().zip(products);
            let scores = scored.map(|(scale, product)| score(*scale, product));
            (block.rows, scores.collect::<Vec<_>>())
        })
        .collect::<Vec<_>>();
    let mut all = vec![0; index.len()];
    for (row, score) in own
        .iter()
        .flat_map(|(rows, scores)| rows.iter().zip(scores))
    {
        all[*row as usize] = *score;
    }
    Ok(all)
}

/// [`scores`] divided by the length of each row, `scale · |g|`: how much a record's *direction* says, however
/// large its gradient is. Ranking by it finds records that are particular to a query rather than those that
/// sway everything (E. Barshan et al., *RelatIF: Identifying Explanatory Training Examples via Relative
/// Influence*, AISTATS 2020, whose lengths are taken in the curvature's norm, as they are here where rows
/// hold it).
///
/// # Errors
/// As [`scores`].
pub fn relative_scores(model: ModelId, index: &Index, query: &Query) -> Result<Vec<f64>, Error> {
    let mut relative = scores(model, index, query)?
        .into_iter()
        .map(|score| score as f64)
        .collect::<Vec<_>>();
    let lengths = index.own_vectors().zip(index.scales());
    for (row, (vector, scale)) in index.own_rows().iter().zip(lengths) {
        // No row of its own is zero: norms have a lower bound.
        relative[*row as usize] /= f64::from(*scale) * (norm_squared(vector) as f64).sqrt();
    }
    Ok(relative)
}

fn check(query: &Query) -> Result<(), Error> {
    if query.is_well_formed() {
        return Ok(());
    }
    Err(Error::parameter(
        "query",
        "malformed",
        "strictly ascending by model and without the value -32768",
    ))
}

/// A query's vector for a model's index.
fn vector<'a>(query: &'a Query, model: ModelId, index: &Index) -> Result<&'a [i16], Error> {
    let vector = query.vector(model).ok_or_else(|| {
        Error::parameter(
            "query",
            format!("without model {model}"),
            "complete for the lineage",
        )
    })?;
    Error::check_shape("query vector", vector.len(), index.dimension())?;
    Ok(vector)
}

/// Rows that a thread takes at a time.
struct Block<'a> {
    vectors: &'a [i8],
    rows: &'a [u32],
    scales: &'a [u16],
}

/// Cuts an index into blocks, none of which crosses a gap between its vectors.
fn blocks(index: &Index) -> Vec<Block<'_>> {
    let dimension = index.dimension();
    let most = (BLOCK_BYTES / dimension).max(1);
    let mut rows = index.own_rows();
    let mut scales = index.scales();
    let mut blocks = Vec::new();
    for vectors in index
        .vectors()
        .flat_map(|part| part.chunks(most * dimension))
    {
        let count = vectors.len() / dimension;
        let (some_rows, other_rows) = rows.split_at(count);
        let (some_scales, other_scales) = scales.split_at(count);
        blocks.push(Block {
            vectors,
            rows: some_rows,
            scales: some_scales,
        });
        (rows, scales) = (other_rows, other_scales);
    }
    blocks
}

fn scan(
    instructions: Instructions,
    model: ModelId,
    index: &Index,
    query: &[i16],
    k: usize,
    floor: CosineFloor,
) -> Best {
    let columns = query.len();
    let query_norm = query_norm_squared(query);
    let query = simd::Query::new(instructions.level(), query);
    let least_norm = index.quantisation().norm_minimum;
    let eligible = |product, vector: &[i8]| {
        // The floor rises with the norm, and most rows fail at the least one already.
        is_eligible(product, query_norm, least_norm, floor)
            && is_eligible(product, query_norm, norm_squared(vector), floor)
    };
    blocks(index)
        .into_par_iter()
        .fold(
            || (Best::new(k), Vec::new()),
            |(mut best, mut products), block| {
                products.resize(block.rows.len(), 0);
                query.dots(block.vectors, &mut products);
                let rows = block.rows.iter().zip(block.scales);
                for (at, (product, (row, scale))) in products.iter().zip(rows).enumerate() {
                    // Memory would rest meanwhile, and the next block's rows are most often right behind.
                    fetch_behind(block.vectors, at * CACHE_LINE);
                    // Nearly all rows end here, at one branch that can be foreseen: signs of products,
                    // by themselves, are those of a coin.
                    let score = score(*scale, *product);
                    if score < best.least() {
                        continue;
                    }
                    let credit = influence_credit(model, *row, score);
                    let vector = &block.vectors[at * columns..][..columns];
                    if best.admits(&credit) && eligible(*product, vector) {
                        best.insert(credit);
                    }
                }
                (best, products)
            },
        )
        .map(|(best, _)| best)
        .reduce(|| Best::new(k), Best::merge)
}

/// At most `k` credits in order.
struct Best {
    k: usize,
    credits: Vec<Credit>,
}

impl Best {
    fn new(k: usize) -> Self {
        Self {
            k,
            credits: Vec::with_capacity(k + 1),
        }
    }

    /// The least score that may be admitted.
    fn least(&self) -> i64 {
        match self.credits.last() {
            Some(last) if self.credits.len() == self.k => last.score,
            _ => 1,
        }
    }

    fn admits(&self, credit: &Credit) -> bool {
        match self.credits.last() {
            Some(last) if self.credits.len() == self.k => credit.order() < last.order(),
            _ => true,
        }
    }

    fn insert(&mut self, credit: Credit) {
        let at = self
            .credits
            .partition_point(|other| other.order() < credit.order());
        self.credits.insert(at, credit);
        self.credits.truncate(self.k);
    }

    fn merge(mut self, other: Self) -> Self {
        for credit in other.credits {
            if self.admits(&credit) {
                self.insert(credit);
            }
        }
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::influence::{
        quantise_query,
        tests::{gradients, index, naive_credits},
        Direction, Quantisation,
    };
    use proptest::prelude::*;

    fn direction(seed: u64, dimension: usize, unit: f64) -> Direction {
        let values = gradients(seed, 1, dimension)[0]
            .iter()
            .map(|v| f64::from(*v))
            .collect();
        Direction { values, unit }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn credits_are_those_of_the_proof(
            seed: u64,
            sizes in (0_usize..300, 0_usize..80),
            dimensions in (1_u32..70, 1_u32..70),
            k in 1_usize..=64,
            numerator in prop_oneof![Just(0_u32), 1_u32..30],
            repeat in 1_usize..4,
        ) {
            // Repeated rows make equal scores, so the order of models and rows matters.
            let rows = |seed, count: usize, dimension: u32| {
                let mut rows = gradients(seed, count.div_ceil(repeat), dimension as usize);
                rows = rows.iter().cycle().take(count).cloned().collect();
                index(Quantisation::for_dimension(dimension), &rows)
            };
            let one = rows(seed, sizes.0, dimensions.0);
            let other = rows(seed ^ 2, sizes.1, dimensions.1);
            let query = quantise_query(&[
                (5, &direction(seed ^ 3, dimensions.0 as usize, one.unit())),
                (3, &direction(seed ^ 4, dimensions.1 as usize, other.unit())),
            ]).unwrap();
            let floor = CosineFloor { numerator, denominator: 100 };
            let indexes = [(5, &one), (3, &other)];
            let expected = naive_credits(&indexes, &query, k, floor);
            for instructions in Instructions::available() {
                for threads in [1, 2] {
                    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
                    let found = pool.install(|| top_k_with(instructions, &indexes, &query, k, floor)).unwrap();
                    prop_assert_eq!(&found, &expected);
                }
            }
        }
    }

    #[test]
    fn many_blocks_are_merged_in_order() {
        // 4,096 columns make blocks of 64 rows.
        let rows = gradients(1, 40, 4_096);
        let rows = rows.iter().cycle().take(700).cloned().collect::<Vec<_>>();
        let index = index(Quantisation::for_dimension(4_096), &rows);
        let query = quantise_query(&[(1, &direction(2, 4_096, 1.0))]).unwrap();
        let floor = CosineFloor {
            numerator: 0,
            denominator: 1,
        };
        let found = top_k(&[(1, &index)], &query, 64, floor).unwrap();
        assert_eq!(found, naive_credits(&[(1, &index)], &query, 64, floor));
        assert_eq!(found.len(), 64);
        let all = scores(1, &index, &query).unwrap();
        assert!(found
            .iter()
            .all(|credit| all[credit.row as usize] == credit.score));
        let relative = relative_scores(1, &index, &query).unwrap();
        for (row, (relative, score)) in relative.iter().zip(&all).enumerate() {
            let length = index.gradient(row as u32).unwrap();
            let length = length.iter().map(|v| v * v).sum::<f64>().sqrt() / index.unit();
            assert!((relative * length - *score as f64).abs() <= 1e-9 * score.abs() as f64);
        }
        let positive = all.iter().filter(|score| **score > 0).count();
        let expected = naive_credits(&[(1, &index)], &query, 700, floor);
        assert_eq!(positive, expected.len());
    }

    #[test]
    fn refuses_queries_that_do_not_fit() {
        let index = index(Quantisation::for_dimension(8), &gradients(1, 3, 8));
        let query = quantise_query(&[(1, &direction(2, 8, 1.0))]).unwrap();
        let floor = CosineFloor {
            numerator: 0,
            denominator: 1,
        };
        let refused = |indexes: &[(ModelId, &Index)], query: &Query, k| {
            top_k(indexes, query, k, floor).err().unwrap().to_string()
        };
        assert!(refused(&[(1, &index)], &query, 0).contains("k is 0"));
        assert!(refused(&[(1, &index)], &query, 65).contains("k is 65"));
        assert!(refused(&[(2, &index)], &query, 1).contains("without model 2"));
        assert!(refused(&[(1, &index), (1, &index)], &query, 1).contains("once"));
        let short = quantise_query(&[(1, &direction(2, 7, 1.0))]).unwrap();
        assert!(refused(&[(1, &index)], &short, 1).contains("7 entries where 8"));
        let mut bad = query.clone();
        bad.vectors[0].1[0] = i16::MIN;
        assert!(refused(&[(1, &index)], &bad, 1).contains("-32768"));
        let unscored = |model, query| scores(model, &index, query).err().unwrap().to_string();
        assert!(unscored(1, &bad).contains("-32768"));
        assert!(unscored(2, &query).contains("without model 2"));
        assert!(unscored(1, &short).contains("7 entries where 8"));
        assert_eq!(top_k(&[], &query, 1, floor).unwrap(), []);
    }
}
