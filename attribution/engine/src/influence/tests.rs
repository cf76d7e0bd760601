use attribution_proof::{
    hash::Hash,
    influence::{norm_squared, row_leaf, CosineFloor, Query, Row, RowOpening},
};
use faer::linalg::solvers::Solve;
use proptest::prelude::*;
use rand_chacha::rand_core::{RngCore, SeedableRng};

use super::*;
use crate::{
    duplicates::{standings, Standing},
    linear, scan,
    simd::Level,
    Error,
};

/// Rows of clearly different sizes and directions.
pub(crate) fn gradients(seed: u64, rows: usize, dimension: usize) -> Vec<Vec<f32>> {
    let mut rng = rand_chacha::ChaCha8Rng::seed_from_u64(seed);
    let mut uniform = move || f64::from(rng.next_u32()) / 2_147_483_648.0 - 1.0;
    let common = (0..dimension).map(|_| uniform()).collect::<Vec<_>>();
    (0..rows)
        .map(|_| {
            let (size, lean) = (10_f64.powf(uniform()), 0.5 * uniform());
            common
                .iter()
                .map(|common| (size * (lean * common + uniform())) as f32)
                .collect()
        })
        .collect()
}

pub(crate) fn index(terms: Quantisation, gradients: &[Vec<f32>]) -> Index {
    let mut builder = IndexBuilder::new(terms, vec![Standing::Own; gradients.len()]).unwrap();
    for (row, gradient) in (0..).zip(gradients) {
        builder.set(row, gradient).unwrap();
    }
    builder.finish().unwrap().0
}

fn with_threads<T: Send>(threads: usize, run: impl FnOnce() -> T + Send) -> T {
    rayon::ThreadPoolBuilder::new()
        .num_threads(threads)
        .build()
        .unwrap()
        .install(run)
}

fn cosine(a: &[f64], b: &[f64]) -> f64 {
    linear::dot(a, b) / (linear::dot(a, a) * linear::dot(b, b)).sqrt()
}

#[test]
fn every_record_has_its_row() {
    let commits = [1, 2, 1, 3, 4, 2].map(Hash::repeat_byte);
    let tombstoned = [false, false, false, true, false, false];
    let standings = standings(&commits, &tombstoned).unwrap();
    let terms = Quantisation::for_dimension(32);
    let mut builder = IndexBuilder::new(terms, standings).unwrap();
    assert_eq!(builder.rows(), [0, 1, 4]);
    let rows = gradients(1, 2, 32);
    builder.set(4, &[0.0; 32]).unwrap();
    builder.set(0, &rows[0]).unwrap();
    builder.set(1, &rows[1]).unwrap();
    let (index, report) = builder.finish().unwrap();
    let expected = IndexReport {
        own: 2,
        duplicates: 2,
        absent: 1,
        adjusted: 0,
        silent: 1,
    };
    assert_eq!(report, expected);
    assert_eq!((index.len(), index.own_rows()), (6, &[0, 1][..]));
    assert_eq!(index.row(2), Some(Row::DuplicateOf(0)));
    assert_eq!(index.row(3), Some(Row::Absent));
    assert_eq!(index.row(4), Some(Row::Absent));
    assert_eq!(index.row(5), Some(Row::DuplicateOf(1)));
    assert_eq!(index.row(6), None);
    for (row, gradient) in (0..).zip(&rows) {
        let stands_for = index.gradient(row).unwrap();
        let gradient = gradient
            .iter()
            .map(|value| f64::from(*value))
            .collect::<Vec<_>>();
        assert!(cosine(&stands_for, &gradient) > 0.9999);
        let ratio = linear::dot(&stands_for, &gradient) / linear::dot(&gradient, &gradient);
        assert!((ratio - 1.0).abs() < 0.01, "{ratio}");
    }
    assert_eq!(index.gradient(2), None);

    let preconditioner = Preconditioner::new(&index, DAMPING).unwrap();
    let spec = index.spec(Hash::repeat_byte(5), &preconditioner);
    assert!(spec.is_valid());
    assert_eq!(Quantisation::from(&spec), terms);
    assert_eq!(spec.preconditioner.0, preconditioner.commit());

    let records = [9; 6].map(Hash::repeat_byte);
    let tree = index.tree(77, &records).unwrap();
    for row in 0..6 {
        let value = index.row(row).unwrap();
        let opening = RowOpening {
            row,
            record: records[row as usize],
            value,
            path: tree.path(row).unwrap(),
        };
        opening.verify(77, &tree.commitment()).unwrap();
        assert_eq!(opening.defect(&spec), None);
        assert!(opening.verify(78, &tree.commitment()).is_err());
    }
    assert_eq!(
        tree.path(0).unwrap()[0],
        row_leaf(77, 1, &records[1], &index.row(1).unwrap())
    );
    assert!(matches!(
        index.tree(77, &records[..5]),
        Err(Error::Shape { .. })
    ));
}

#[test]
fn builders_refuse_what_makes_no_index() {
    let terms = Quantisation::for_dimension(4);
    let bad = |standings| IndexBuilder::new(terms, standings).err().unwrap();
    assert!(matches!(
        bad(vec![Standing::DuplicateOf(0)]),
        Error::Parameter { .. }
    ));
    let chain = vec![
        Standing::Own,
        Standing::DuplicateOf(0),
        Standing::DuplicateOf(1),
    ];
    assert!(matches!(bad(chain), Error::Parameter { .. }));

    let mut builder =
        IndexBuilder::new(terms, vec![Standing::Own, Standing::DuplicateOf(0)]).unwrap();
    assert!(matches!(
        builder.set(1, &[1.0; 4]),
        Err(Error::Parameter { .. })
    ));
    assert!(matches!(
        builder.set(2, &[1.0; 4]),
        Err(Error::Parameter { .. })
    ));
    assert!(matches!(
        builder.set(0, &[1.0; 5]),
        Err(Error::Shape { .. })
    ));
    let infinite = builder.set(0, &[1.0, f32::INFINITY, 0.0, 0.0]);
    assert!(matches!(
        infinite,
        Err(Error::NotFinite {
            row: Some(0),
            coordinate: 1,
            ..
        })
    ));
    let unfinished = builder.finish().err().unwrap().to_string();
    assert!(unfinished.contains("missing at row 0"), "{unfinished}");
}

#[test]
fn one_outlier_does_not_silence_the_others() {
    let terms = Quantisation::for_dimension(64);
    let mut rows = gradients(2, 21, 64);
    rows[7].iter_mut().for_each(|value| *value *= 1e9);
    rows[8].iter_mut().for_each(|value| *value *= 1e-9);
    let index = index(terms, &rows);
    let (
        Some(Row::Own { scale: largest, .. }),
        Some(Row::Own {
            scale: smallest, ..
        }),
    ) = (index.row(7), index.row(8))
    else {
        panic!("rows 7 and 8 have gradients");
    };
    assert_eq!((largest, smallest), (terms.scale_cap, 1));
    for row in (0..21).filter(|row| ![7, 8].contains(row)) {
        let Some(Row::Own { scale, .. }) = index.row(row) else {
            panic!("row {row}")
        };
        assert!((2..400).contains(&scale), "{scale}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn files_keep_everything(
        rows in prop::collection::vec(0_u8..5, 0..12),
        dimension in 1_u32..40,
        at in any::<prop::sample::Index>(),
        bit in 0_u8..8,
    ) {
        let commits = rows.iter().map(|row| Hash::repeat_byte(*row)).collect::<Vec<_>>();
        let tombstoned = rows.iter().map(|row| *row == 0).collect::<Vec<_>>();
        let mut builder =
            IndexBuilder::new(Quantisation::for_dimension(dimension), standings(&commits, &tombstoned).unwrap()).unwrap();
        for row in builder.rows().to_vec() {
            builder.set(row, &gradients(row.into(), 1, dimension as usize)[0]).unwrap();
        }
        let (index, _) = builder.finish().unwrap();
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("index");
        index.save(&path).unwrap();
        prop_assert_eq!(&Index::load(&path).unwrap(), &index);

        let whole = std::fs::read(&path).unwrap();
        let at = at.index(whole.len());
        std::fs::write(&path, &whole[..at]).unwrap();
        prop_assert!(Index::load(&path).is_err());
        let mut flipped = whole;
        flipped[at] ^= 1 << bit;
        std::fs::write(&path, flipped).unwrap();
        prop_assert!(Index::load(&path).is_err());
    }

    #[test]
    fn dual_and_primal_are_the_same_direction(
        seed: u64,
        rows in 1_usize..60,
        damping in prop_oneof![Just(0.01), Just(0.1), Just(1.0)],
    ) {
        let dimension = 40;
        let index = index(Quantisation::for_dimension(40), &gradients(seed, rows, dimension));
        let query = &gradients(seed ^ 1, 1, dimension)[0];
        let direction = |dual| {
            Preconditioner::at_level(Level::detect(), &index, damping, dual)
                .unwrap()
                .direction(query)
                .unwrap()
                .values
        };
        let (primal, dual) = (direction(false), direction(true));
        let size = linear::dot(&primal, &primal).sqrt();
        for (primal, dual) in primal.iter().zip(&dual) {
            prop_assert!((primal - dual).abs() < 1e-9 * size, "{} {}", primal, dual);
        }
    }

    #[test]
    fn directions_are_those_of_the_definition(seed: u64, rows in 1_usize..40) {
        let (dimension, damping) = (24, 0.1);
        let index = index(Quantisation::for_dimension(24), &gradients(seed, rows, dimension));
        let query = &gradients(seed ^ 1, 1, dimension)[0];
        let found = Preconditioner::new(&index, damping).unwrap().direction(query).unwrap().values;

        let x = (0..rows as u32).map(|row| index.gradient(row).unwrap()).collect::<Vec<_>>();
        let x = faer::Mat::from_fn(rows, dimension, |i, j| x[i][j]);
        let fisher = x.transpose() * &x * faer::Scale(1.0 / rows as f64);
        let mean = (0..dimension).map(|i| fisher[(i, i)]).sum::<f64>() / rows.min(dimension) as f64;
        let damped = faer::Mat::from_fn(dimension, dimension, |i, j| {
            fisher[(i, j)] + if i == j { damping * mean } else { 0.0 }
        });
        let right = faer::Col::from_fn(dimension, |i| f64::from(query[i]) / rows as f64);
        let expected = damped.llt(faer::Side::Lower).unwrap().solve(right);
        let size = linear::dot(&found, &found).sqrt();
        for (i, found) in found.iter().enumerate() {
            prop_assert!((found - expected[i]).abs() < 1e-9 * size);
        }
    }
}

#[test]
fn bits_depend_neither_on_threads_nor_on_instructions() {
    let dimension = 96;
    for rows in [50, 200] {
        let gradients_ = gradients(3, rows, dimension);
        let query = &gradients(4, 1, dimension)[0];
        let run = |level| {
            let index = index(Quantisation::for_dimension(96), &gradients_);
            let dual = rows < dimension;
            let preconditioner = Preconditioner::at_level(level, &index, 0.1, dual).unwrap();
            let direction = preconditioner.direction(query).unwrap();
            let bits = direction
                .values
                .iter()
                .map(|value| value.to_bits())
                .collect::<Vec<_>>();
            (
                index,
                preconditioner.commit(),
                bits,
                quantise_query(&[(1, &direction)]).unwrap(),
            )
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
}

#[test]
fn commitments_change_with_rows_and_damping() {
    let terms = Quantisation::for_dimension(16);
    let mut rows = gradients(5, 30, 16);
    let commit = |rows: &[Vec<f32>], damping| {
        Preconditioner::new(&index(terms, rows), damping)
            .unwrap()
            .commit()
    };
    let before = commit(&rows, 0.1);
    assert_eq!(commit(&rows, 0.1), before);
    assert_ne!(commit(&rows, 0.2), before);
    rows[3][2] += 1.0;
    assert_ne!(commit(&rows, 0.1), before);
}

#[test]
fn preconditioners_refuse_what_they_cannot_invert() {
    let terms = Quantisation::for_dimension(4);
    let nothing = index(terms, &[vec![0.0; 4]]);
    assert!(matches!(
        Preconditioner::new(&nothing, 0.1),
        Err(Error::Parameter { .. })
    ));
    let something = index(terms, &gradients(1, 3, 4));
    for damping in [0.0, -1.0, f64::NAN, f64::INFINITY] {
        assert!(matches!(
            Preconditioner::new(&something, damping),
            Err(Error::Parameter { .. })
        ));
    }
    let preconditioner = Preconditioner::new(&something, 0.1).unwrap();
    assert!(matches!(
        preconditioner.direction(&[1.0; 3]),
        Err(Error::Shape { .. })
    ));
    assert!(matches!(
        preconditioner.direction(&[1.0, 1.0, f32::NAN, 1.0]),
        Err(Error::NotFinite { coordinate: 2, .. })
    ));
}

#[test]
fn queries_share_one_factor_across_models() {
    let direction = |values: &[f64], unit| Direction {
        values: values.to_vec(),
        unit,
    };
    let (a, b) = (
        direction(&[1.0, -2.0, 0.5], 0.25),
        direction(&[40.0, 0.1, 0.0], 0.01),
    );
    let query = quantise_query(&[(8, &a), (2, &b)]).unwrap();
    assert!(query.is_well_formed());
    // The largest product of value and unit is 0.5.
    assert_eq!(query.vector(8).unwrap(), [16_384, -32_767, 8_192]);
    assert_eq!(query.vector(2).unwrap(), [26_214, 66, 0]);
}

#[test]
fn queries_refuse_what_they_cannot_hold() {
    let one = Direction {
        values: vec![1.0],
        unit: 1.0,
    };
    let zero = Direction {
        values: vec![0.0],
        unit: 1.0,
    };
    let infinite = Direction {
        values: vec![f64::INFINITY],
        unit: 1.0,
    };
    assert!(matches!(quantise_query(&[]), Err(Error::Parameter { .. })));
    assert!(matches!(
        quantise_query(&[(1, &one), (1, &one)]),
        Err(Error::Parameter { .. })
    ));
    assert!(matches!(
        quantise_query(&[(1, &zero)]),
        Err(Error::ZeroQuery)
    ));
    let not_a_number = Direction {
        values: vec![1.0, f64::NAN],
        unit: 1.0,
    };
    assert!(matches!(
        quantise_query(&[(1, &infinite)]),
        Err(Error::Parameter { .. })
    ));
    assert!(matches!(
        quantise_query(&[(1, &not_a_number)]),
        Err(Error::Parameter { .. })
    ));
    let many = (0..9).map(|model| (model, &one)).collect::<Vec<_>>();
    assert!(matches!(
        quantise_query(&many),
        Err(Error::Parameter { .. })
    ));
    let long = Direction {
        values: vec![1.0; 4_097],
        unit: 1.0,
    };
    assert!(matches!(
        quantise_query(&[(1, &long)]),
        Err(Error::Parameter { .. })
    ));
    // Values whose factor alone would overflow.
    let tiny = Direction {
        values: vec![f64::MIN_POSITIVE, 0.0],
        unit: 1e-9,
    };
    assert_eq!(
        quantise_query(&[(1, &tiny)]).unwrap().vector(1).unwrap()[0],
        32_767
    );
}

/// Scores must follow real influence: what is lost by quantising rows and query is small.
#[test]
fn scores_rank_records_as_unquantised_influence_does() {
    let (rows, dimension) = (300, 256);
    let gradients_ = gradients(6, rows, dimension);
    let index = index(Quantisation::for_dimension(256), &gradients_);
    // The loss of a record that is nearly record 17.
    let query = gradients_[17]
        .iter()
        .zip(&gradients(7, 1, dimension)[0])
        .map(|(own, noise)| own + 0.3 * noise)
        .collect::<Vec<_>>();
    let direction = Preconditioner::new(&index, 0.1)
        .unwrap()
        .direction(&query)
        .unwrap();
    let exact = gradients_
        .iter()
        .map(|row| {
            let row = row
                .iter()
                .map(|value| f64::from(*value))
                .collect::<Vec<_>>();
            linear::dot(&row, &direction.values)
        })
        .collect::<Vec<_>>();
    let query = quantise_query(&[(1, &direction)]).unwrap();
    let floor = CosineFloor {
        numerator: 0,
        denominator: 1,
    };
    let credits = scan::top_k(&[(1, &index)], &query, 64, floor).unwrap();
    assert_eq!(credits[0].row, 17);
    // One factor turns every score into influence, up to the error of quantisation.
    let factor = exact[17] / credits[0].score as f64;
    for credit in credits {
        let error = (credit.score as f64 * factor - exact[credit.row as usize]).abs();
        assert!(
            error < 0.003 * exact[17],
            "row {}: {error} of {}",
            credit.row,
            exact[17]
        );
    }
}

/// What the chain does with a query and a row.
pub(crate) fn naive_credits(
    indexes: &[(u32, &Index)],
    query: &Query,
    k: usize,
    floor: CosineFloor,
) -> Vec<attribution_proof::receipt::Credit> {
    let mut credits = Vec::new();
    for (model, index) in indexes {
        for row in 0..index.len() as u32 {
            let value = index.row(row).unwrap();
            if let Row::Own { g, .. } = &value {
                assert!(norm_squared(g) >= index.quantisation().norm_minimum);
            }
            let vector = query.vector(*model).unwrap();
            if let Some(score) = attribution_proof::influence::credit_score(vector, &value, floor) {
                credits.push(attribution_proof::challenge::influence_credit(
                    *model, row, score,
                ));
            }
        }
    }
    credits.sort_by_key(|credit| credit.order());
    credits.truncate(k);
    credits
}
