use proptest::prelude::*;
use rand_chacha::rand_core::{RngCore, SeedableRng};

use super::{
    dense::{add_to_diagonal, gram, Cholesky, Operand},
    evaluate::*,
    *,
};
use crate::Error;

fn random(seed: u64, count: usize) -> Vec<f32> {
    let mut rng = rand_chacha::ChaCha8Rng::seed_from_u64(seed);
    (0..count)
        .map(|_| (f64::from(rng.next_u32()) / 2_147_483_648.0 - 1.0) as f32)
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

/// The largest difference relative to the largest value.
fn distance(a: &[f64], b: &[f64]) -> f64 {
    assert_eq!(a.len(), b.len());
    let size = b.iter().fold(0.0_f64, |size, value| size.max(value.abs()));
    let difference = a.iter().zip(b).map(|(a, b)| (a - b).abs());
    difference.fold(0.0, f64::max) / size
}

#[test]
fn cholesky_solves_across_panels_and_tiles() {
    for order in [1, 7, 128, 129, 394, 650] {
        let values = random(order as u64, order * (order + 3));
        let x = Rows::new(&values, order, order + 3).unwrap();
        let mut matrix = gram(Operand::rows(x, &(0..order + 3))).unwrap();
        add_to_diagonal(&mut matrix, order, 1.0);
        let sides = random(9, 2 * order);
        let sides = sides.iter().map(|v| f64::from(*v)).collect::<Vec<_>>();
        let cholesky = Cholesky::new(matrix.clone(), order).unwrap();
        let mut solution = sides.clone();
        cholesky.solve_rows(&mut solution);
        let mut back = Vec::new();
        for solution in solution.chunks_exact(order) {
            for row in matrix.chunks_exact(order) {
                back.push(dense::dot(row, solution));
            }
        }
        assert!(distance(&back, &sides) < 1e-10, "{order}");
        let forms = cholesky.quadratic_forms(&mut sides.clone());
        for (i, form) in forms.iter().enumerate() {
            let at = i * order..(i + 1) * order;
            let expected = dense::dot(&sides[at.clone()], &solution[at]);
            assert!((form - expected).abs() < 1e-10 * expected);
        }
        let mut identity = vec![0.0; order * order];
        add_to_diagonal(&mut identity, order, 1.0);
        cholesky.solve_rows(&mut identity);
        let diagonal = identity
            .iter()
            .step_by(order + 1)
            .copied()
            .collect::<Vec<_>>();
        assert!(distance(&cholesky.inverse_diagonal(), &diagonal) < 1e-10);
    }
    assert!(matches!(
        Cholesky::new(vec![1.0, 0.0, 2.0, -1.0], 2),
        Err(Error::NotPositiveDefinite { pivot: 1 })
    ));
    assert!(Cholesky::new(vec![f64::INFINITY], 1).is_err());
    assert!(Cholesky::new(vec![f64::NAN], 1).is_err());
}

#[test]
fn dual_and_primal_are_equal() {
    for (n, m, widths) in [(40, 60, &[30, 25][..]), (300, 280, &[270]), (20, 70, &[90])] {
        let layers = Layers::new(widths).unwrap();
        let p = layers.columns();
        let (g, c, v) = (random(1, n * p), random(2, m * p), random(3, 5 * p));
        let copy = g.clone();
        let train = Rows::new(&g, n, p).unwrap();
        let queries = Rows::new(&v, 5, p).unwrap();
        for (rows, records) in [
            (train, n),
            (Rows::new(&copy, n, p).unwrap(), n),
            (Rows::new(&c, m, p).unwrap(), m / 2),
        ] {
            let curvature = Curvature::new(rows, records).unwrap();
            for damping in [Damping::Absolute(0.05), Damping::Relative(0.1)] {
                let run = |dual: bool| {
                    let fisher =
                        DampedFisher::with_forms(train, curvature, &layers, damping, |_, _| dual)
                            .unwrap();
                    (
                        fisher.scores(queries).unwrap(),
                        fisher.self_influence().unwrap(),
                    )
                };
                let (dual, primal) = (run(true), run(false));
                assert!(distance(dual.0.values(), primal.0.values()) < 1e-8);
                assert!(distance(&dual.1, &primal.1) < 1e-8);
                let own = DampedFisher::new(train, curvature, &layers, damping).unwrap();
                let square = own.scores(train).unwrap();
                let diagonal = square.values().iter().step_by(n + 1).copied();
                assert!(distance(&diagonal.collect::<Vec<_>>(), &primal.1) < 1e-8);
            }
        }
    }
}

#[test]
fn datainf_follows_its_definition() {
    let (n, layers) = (23, Layers::new(&[11, 30]).unwrap());
    let p = layers.columns();
    let (g, v) = (random(4, n * p), random(5, 3 * p));
    let train = Rows::new(&g, n, p).unwrap();
    let queries = Rows::new(&v, 3, p).unwrap();
    let mut expected = vec![0.0; 3 * n];
    for columns in layers.ranges() {
        let part = |row: &[f32]| row[columns.clone()].to_vec();
        let dot = |a: &[f32], b: &[f32]| dense::dot(&part(a), &part(b));
        let trace = (0..n).map(|j| dot(train.row(j), train.row(j))).sum::<f64>();
        let damping = 0.1 * trace / (n * columns.len()) as f64;
        for q in 0..3 {
            for i in 0..n {
                let mut sum = dot(queries.row(q), train.row(i));
                for j in 0..n {
                    let c = train.row(j);
                    sum -= dot(queries.row(q), c) * dot(c, train.row(i))
                        / (n as f64 * (damping + dot(c, c)));
                }
                expected[q * n + i] += sum / (n as f64 * damping);
            }
        }
    }
    for gram in [true, false] {
        let datainf = DataInf::with_forms(
            train,
            Curvature::empirical(train),
            &layers,
            Damping::Relative(0.1),
            |_, _| gram,
        )
        .unwrap();
        assert!(distance(datainf.scores(queries).unwrap().values(), &expected) < 1e-10);
        let square = datainf.scores(train).unwrap();
        let diagonal = square.values().iter().step_by(n + 1).copied();
        let own = datainf.self_influence().unwrap();
        assert!(distance(&own, &diagonal.collect::<Vec<_>>()) < 1e-10);
    }
}

#[test]
fn bits_do_not_depend_on_threads() {
    let (n, p, q) = (530, 300, 40);
    let (g, v) = (random(6, n * p), random(7, q * p));
    let train = Rows::new(&g, n, p).unwrap();
    let queries = Rows::new(&v, q, p).unwrap();
    let layers = Layers::new(&[100, 200]).unwrap();
    let misses = vec![0.5; n];
    let offsets = (0..=n).collect::<Vec<_>>();
    let query_offsets = (0..=q).collect::<Vec<_>>();
    let run = || {
        let curvature = Curvature::empirical(train);
        let damping = Damping::Relative(0.1);
        let mut all = bits(grad_dot(train, queries).unwrap().values());
        for dual in [true, false] {
            let fisher =
                DampedFisher::with_forms(train, curvature, &layers, damping, |_, _| dual).unwrap();
            all.extend(bits(fisher.scores(queries).unwrap().values()));
            all.extend(bits(&fisher.self_influence().unwrap()));
        }
        let datainf = DataInf::new(train, curvature, &layers, damping).unwrap();
        all.extend(bits(datainf.scores(queries).unwrap().values()));
        let model = TrakModel {
            features: train,
            misses: &misses,
        };
        let trak = Trak::new(&[model], 0.1).unwrap();
        all.extend(bits(trak.scores(&[queries]).unwrap().values()));
        let short = random(8, n * 6);
        let layer = LinearLayer::new(Rows::new(&short, n, 6).unwrap(), train, &offsets);
        let layer = [layer.unwrap()];
        let query = LinearLayer::new(
            Rows::new(&short[..6 * q], q, 6).unwrap(),
            queries,
            &query_offsets,
        );
        let ekfac = Ekfac::new(&layer, damping).unwrap();
        all.extend(bits(
            ekfac.scores(&layer, &[query.unwrap()]).unwrap().values(),
        ));
        all
    };
    let expected = with_threads(1, run);
    for threads in [2, 4] {
        assert!(with_threads(threads, run) == expected, "{threads}");
    }
}

#[test]
fn ekfac_is_exact_where_activations_and_deltas_are_independent() {
    // Each of 6 activations meets each of 5 deltas once.
    let (x, d) = (random(10, 6 * 4), random(11, 5 * 3));
    let (mut activations, mut deltas, mut gradients) = (Vec::new(), Vec::new(), Vec::new());
    for x in x.chunks_exact(4) {
        for d in d.chunks_exact(3) {
            activations.extend(x);
            deltas.extend(d);
            gradients.extend(d.iter().flat_map(|d| x.iter().map(move |x| d * x)));
        }
    }
    let offsets = (0..=30).collect::<Vec<_>>();
    let layer = LinearLayer::new(
        Rows::new(&activations, 30, 4).unwrap(),
        Rows::new(&deltas, 30, 3).unwrap(),
        &offsets,
    )
    .unwrap();
    let train = Rows::new(&gradients, 30, 12).unwrap();
    let damping = Damping::Relative(0.1);
    let ekfac = Ekfac::new(&[layer], damping).unwrap();
    let curvature = Curvature::empirical(train);
    let exact = DampedFisher::new(train, curvature, &Layers::one(12).unwrap(), damping).unwrap();
    let scores = ekfac.scores(&[layer], &[layer]).unwrap();
    assert!(distance(scores.values(), exact.scores(train).unwrap().values()) < 1e-5);
    let own = ekfac.self_influence(&[layer]).unwrap();
    assert!(distance(&own, &exact.self_influence().unwrap()) < 1e-5);
}

#[test]
fn products_of_gradients_in_the_coordinates_of_ekfac_are_its_scores() {
    // Two layers of 4 x 3 and 2 x 5, records of 1 to 3 tokens, more of them than fit into a batch.
    let offsets = |records: usize| {
        let tokens = (0..records).scan(0, |end, record| {
            *end += 1 + record % 3;
            Some(*end)
        });
        [0].into_iter().chain(tokens).collect::<Vec<_>>()
    };
    let factors = |seed, tokens: usize, width: usize| random(seed, tokens * width);
    let (train_offsets, query_offsets) = (offsets(70), offsets(5));
    let arrays = |seed, offsets: &[usize]| {
        let tokens = offsets[offsets.len() - 1];
        [(4, 3), (2, 5)].map(|(inputs, outputs)| {
            let activations = factors(seed + inputs as u64, tokens, inputs);
            (
                inputs,
                outputs,
                activations,
                factors(seed + 100, tokens, outputs),
            )
        })
    };
    let (train, queries) = (arrays(20, &train_offsets), arrays(40, &query_offsets));
    fn layers<'a>(
        arrays: &'a [(usize, usize, Vec<f32>, Vec<f32>); 2],
        offsets: &'a [usize],
    ) -> [LinearLayer<'a>; 2] {
        let tokens = offsets[offsets.len() - 1];
        [0, 1].map(|layer| {
            let (inputs, outputs, activations, deltas) = &arrays[layer];
            let activations = Rows::new(activations, tokens, *inputs).unwrap();
            LinearLayer::new(
                activations,
                Rows::new(deltas, tokens, *outputs).unwrap(),
                offsets,
            )
            .unwrap()
        })
    }
    // `Σ_t δ_t x_tᵀ` of each record, its layers side by side.
    let gradients = |arrays: &[(usize, usize, Vec<f32>, Vec<f32>); 2], offsets: &[usize]| {
        let records = offsets.windows(2).map(|pair| pair[0]..pair[1]);
        let gradient = |tokens: std::ops::Range<usize>| {
            let layers = arrays.iter().map(|(inputs, outputs, activations, deltas)| {
                let mut gradient = vec![0.0; outputs * inputs];
                for token in tokens.clone() {
                    for (at, value) in gradient.iter_mut().enumerate() {
                        let delta = deltas[token * outputs + at / inputs];
                        *value += delta * activations[token * inputs + at % inputs];
                    }
                }
                gradient
            });
            layers.flatten().collect::<Vec<_>>()
        };
        records.flat_map(gradient).collect::<Vec<_>>()
    };
    let (train_gradients, query_gradients) = (
        gradients(&train, &train_offsets),
        gradients(&queries, &query_offsets),
    );
    let (train, queries) = (
        layers(&train, &train_offsets),
        layers(&queries, &query_offsets),
    );
    let ekfac = Ekfac::new(&train, Damping::Relative(0.1)).unwrap();
    let expected = ekfac.scores(&train, &queries).unwrap();
    let (rows, asked) = (
        ekfac.whitened(&train).unwrap(),
        ekfac.whitened(&queries).unwrap(),
    );
    let columns = 4 * 3 + 2 * 5;
    assert_eq!((rows.len(), asked.len()), (70 * columns, 5 * columns));
    let products = grad_dot(
        Rows::new(&rows, 70, columns).unwrap(),
        Rows::new(&asked, 5, columns).unwrap(),
    )
    .unwrap();
    let found = products.values().iter().map(|product| product / 70.0);
    assert!(distance(&found.collect::<Vec<_>>(), expected.values()) < 1e-5);
    let error = ekfac.whitened(&train[..1]).unwrap_err().to_string();
    assert!(error.contains("list of layers"), "{error}");

    let projection = ekfac.principal(&train, 64).unwrap();
    let d = projection.output_dimension();
    assert_eq!((projection.input_dimension(), d), (columns, columns));
    let rows = Rows::new(&train_gradients, 70, columns).unwrap();
    let asked = Rows::new(&query_gradients, 5, columns).unwrap();
    let (rows, asked) = (projected(&projection, rows), projected(&projection, asked));
    let products = grad_dot(
        Rows::new(&rows, 70, d).unwrap(),
        Rows::new(&asked, 5, d).unwrap(),
    )
    .unwrap();
    let found = products.values().iter().map(|product| product / 70.0);
    assert!(distance(&found.collect::<Vec<_>>(), expected.values()) < 1e-5);
}

/// Projected rows, one after the other.
fn projected(projection: &PrincipalProjection, rows: Rows<'_>) -> Vec<f32> {
    let rows = (0..rows.rows()).map(|row| projection.project(rows.row(row)).unwrap());
    rows.flatten().collect()
}

#[test]
fn principal_directions_keep_all_products_where_they_suffice() {
    // More columns than rows, fewer, and rows that repeat each other.
    for (n, p, rank) in [(40, 130, 40), (90, 31, 31), (60, 70, 30)] {
        let mut values = random(21, n * p);
        for row in rank..n {
            values.copy_within((row % rank) * p..(row % rank + 1) * p, row * p);
        }
        let other = random(22, 7 * p);
        let rows = Rows::new(&values, n, p).unwrap();
        let queries = Rows::new(&other, 7, p).unwrap();
        let expected = grad_dot(rows, queries).unwrap();
        let projection = PrincipalProjection::of_rows(rows, 64).unwrap();
        let d = projection.output_dimension();
        assert_eq!((projection.input_dimension(), d), (p, rank), "{n} x {p}");
        assert!((projection.energy() - 1.0).abs() < 1e-9);
        let (small, asked) = (
            projected(&projection, rows),
            projected(&projection, queries),
        );
        let found = grad_dot(
            Rows::new(&small, n, d).unwrap(),
            Rows::new(&asked, 7, d).unwrap(),
        )
        .unwrap();
        assert!(
            distance(found.values(), expected.values()) < 1e-5,
            "{n} x {p}"
        );
    }
}

#[test]
fn principal_directions_are_orthonormal_and_keep_the_energy_that_they_tell() {
    let (n, p, d) = (50, 80, 12);
    let values = random(23, n * p);
    let rows = Rows::new(&values, n, p).unwrap();
    let projection = PrincipalProjection::of_rows(rows, d).unwrap();
    let directions = Rows::new(projection.directions(), d, p).unwrap();
    let products = grad_dot(directions, directions).unwrap();
    for i in 0..d {
        for j in 0..d {
            let expected = f64::from(u8::from(i == j));
            assert!((products.row(i)[j] - expected).abs() < 1e-5, "{i}, {j}");
        }
    }
    let energy = |values: &[f32]| values.iter().map(|v| f64::from(*v).powi(2)).sum::<f64>();
    let kept = energy(&projected(&projection, rows)) / energy(&values);
    assert!((projection.energy() - kept).abs() < 1e-6);
    // The transposed matrix has the same singular values, by the other form.
    let transposed = (0..p).flat_map(|j| (0..n).map(move |i| i * p + j));
    let transposed = transposed.map(|at| values[at]).collect::<Vec<_>>();
    let turned = PrincipalProjection::of_rows(Rows::new(&transposed, p, n).unwrap(), d).unwrap();
    assert!((turned.energy() - projection.energy()).abs() < 1e-9);
    let back = PrincipalProjection::from_directions(directions, projection.energy()).unwrap();
    assert_eq!(back, projection);
}

#[test]
fn principal_directions_leave_rows_even_enough_for_eight_bits() {
    use crate::{
        duplicates::Standing,
        influence::{IndexBuilder, Quantisation},
    };
    // Each row a direction of its own, and some longer than others.
    let (n, p) = (400, 450);
    let mut values = vec![0.0; n * p];
    for row in 0..n {
        values[row * p + row] = 1.0 + (row % 7) as f32;
    }
    let rows = Rows::new(&values, n, p).unwrap();
    let projection = PrincipalProjection::of_rows(rows, 1_024).unwrap();
    let d = projection.output_dimension();
    assert_eq!(d, n);
    let terms = Quantisation::for_dimension(d as u32);
    let mut builder = IndexBuilder::new(terms, vec![Standing::Own; n]).unwrap();
    let small = projected(&projection, rows);
    for (row, gradient) in (0..).zip(small.chunks_exact(d)) {
        builder.set(row, gradient).unwrap();
    }
    let (index, report) = builder.finish().unwrap();
    assert_eq!((report.own, report.silent), (n as u32, 0));
    for (row, gradient) in small.chunks_exact(d).enumerate() {
        let found = index.gradient(row as u32).unwrap();
        let expected = gradient.iter().map(|v| f64::from(*v)).collect::<Vec<_>>();
        assert!(distance(&found, &expected) < 0.02, "{row}");
    }
}

#[test]
fn principal_directions_depend_on_no_number_of_threads() {
    let values = random(24, 70 * 900);
    let run = || {
        let rows = Rows::new(&values, 70, 900).unwrap();
        let projection = PrincipalProjection::of_rows(rows, 33).unwrap();
        (projected(&projection, rows.slice(0..3)), projection)
    };
    let expected = with_threads(1, run);
    for threads in [2, 3] {
        assert!(with_threads(threads, run) == expected);
    }
}

#[test]
fn principal_directions_refuse_what_has_none() {
    let zeros = [0.0; 12];
    let rows = Rows::new(&zeros, 3, 4).unwrap();
    let refused = |most: usize, rows: Rows<'_>| {
        PrincipalProjection::of_rows(rows, most)
            .unwrap_err()
            .to_string()
    };
    assert!(refused(2, rows).contains("no directions"));
    let ones = [1.0; 12];
    let rows = Rows::new(&ones, 3, 4).unwrap();
    for most in [0, 4_097] {
        assert!(refused(most, rows).contains("1..=4096"));
    }
    let projection = PrincipalProjection::of_rows(rows, 2).unwrap();
    assert_eq!(projection.output_dimension(), 1);
    assert!(projection.project(&ones[..3]).is_err());
    assert!(projection.project(&[1.0, f32::NAN, 0.0, 0.0]).is_err());
}

#[test]
fn influence_is_leave_one_out_retraining_of_ridge_regression() {
    let (n, p, q, penalty) = (60, 5, 4, 0.1);
    let (x, noise) = (random(12, n * p), random(13, n));
    let y = (0..n)
        .map(|i| x[i * p..][..p].iter().sum::<f32>() + 0.5 * noise[i])
        .collect::<Vec<_>>();
    let fit = |left_out: Option<usize>| {
        let mut matrix = vec![0.0; p * p];
        add_to_diagonal(&mut matrix, p, n as f64 * penalty);
        let mut right = vec![0.0; p];
        for i in (0..n).filter(|i| Some(*i) != left_out) {
            let row = &x[i * p..][..p];
            for a in 0..p {
                right[a] += f64::from(row[a]) * f64::from(y[i]);
                for b in 0..p {
                    matrix[a * p + b] += f64::from(row[a]) * f64::from(row[b]);
                }
            }
        }
        Cholesky::new(matrix, p).unwrap().solve_rows(&mut right);
        right
    };
    let residual =
        |weights: &[f64], i: usize| dense::dot(&x[i * p..][..p], weights) - f64::from(y[i]);
    let all = fit(None);
    let g = (0..n)
        .flat_map(|i| {
            let residual = residual(&all, i);
            x[i * p..][..p]
                .iter()
                .map(move |x| (residual * f64::from(*x)) as f32)
        })
        .collect::<Vec<_>>();
    let train = Rows::new(&g, n, p).unwrap();
    let queries = train.slice(0..q);
    let curvature = Curvature::new(Rows::new(&x, n, p).unwrap(), n).unwrap();
    let layers = Layers::one(p).unwrap();
    let fisher = DampedFisher::new(train, curvature, &layers, Damping::Absolute(penalty)).unwrap();
    let scores = fisher.scores(queries).unwrap();
    let left_out = (q as u32..n as u32).collect::<Vec<_>>();
    let loss = |weights: &[f64], i: usize| residual(weights, i).powi(2) / 2.0;
    let mut changes = Vec::new();
    for query in 0..q {
        for i in &left_out {
            changes.push(loss(&fit(Some(*i as usize)), query) - loss(&all, query));
        }
    }
    let changes = Matrix::new(changes, q, left_out.len()).unwrap();
    let found = leave_one_out_correlation(&scores, &left_out, &changes, Outcome::Loss).unwrap();
    assert!(found.mean > 0.99, "{found:?}");
}

#[test]
fn linear_datamodelling_score_of_a_linear_world_is_one() {
    let scores = Matrix::new(
        random(14, 3 * 20).into_iter().map(f64::from).collect(),
        3,
        20,
    )
    .unwrap();
    let subsets = (0..8_u32)
        .map(|j| {
            (0..10)
                .map(|i| (i * (2 * j + 1) + j) % 20)
                .collect::<std::collections::BTreeSet<_>>()
        })
        .map(|set| set.into_iter().collect::<Vec<_>>())
        .collect::<Vec<_>>();
    let outputs = subset_sums_of(&scores, &subsets);
    let run = |outcome| linear_datamodelling_score(&scores, &subsets, &outputs, outcome).unwrap();
    assert!((run(Outcome::Utility).mean - 1.0).abs() < 1e-12);
    assert!((run(Outcome::Loss).mean + 1.0).abs() < 1e-12);
    assert!(
        linear_datamodelling_score(&scores, &[vec![0, 0], vec![1]], &outputs, Outcome::Loss)
            .is_err()
    );
}

fn subset_sums_of(scores: &Matrix, subsets: &[Vec<u32>]) -> Matrix {
    let values = (0..scores.rows())
        .flat_map(|q| {
            subsets
                .iter()
                .map(move |subset| subset.iter().map(|i| scores.row(q)[*i as usize]).sum())
        })
        .collect();
    Matrix::new(values, scores.rows(), subsets.len()).unwrap()
}

#[test]
fn ties_share_their_mean_rank() {
    // Ranks 1.5 1.5 3 4 and 1 2.5 2.5 4: products of the deviations sum to 3.75, squares to 4.5.
    let found = spearman(&[1.0, 1.0, 2.0, 3.0], &[5.0, 6.0, 6.0, 9.0]).unwrap();
    assert!((found - 3.75 / 4.5).abs() < 1e-12, "{found}");
    assert_eq!(spearman(&[1.0, 1.0], &[1.0, 2.0]), None);
    assert_eq!(spearman(&[f64::NAN, 1.0], &[1.0, 2.0]), None);
}

proptest! {
    #[test]
    fn area_is_the_share_of_ordered_pairs(
        records in prop::collection::vec((0_i8..6, any::<bool>()), 2..30),
    ) {
        let values = records.iter().map(|record| f64::from(record.0)).collect::<Vec<_>>();
        let marked = records.iter().map(|record| record.1).collect::<Vec<_>>();
        let (mut sum, mut pairs) = (0.0, 0);
        for i in (0..values.len()).filter(|i| marked[*i]) {
            for j in (0..values.len()).filter(|j| !marked[*j]) {
                pairs += 1;
                sum += if values[i] > values[j] { 1.0 } else if values[i] == values[j] { 0.5 } else { 0.0 };
            }
        }
        match area_under_curve(&values, &marked) {
            Ok(area) => prop_assert!((area - sum / f64::from(pairs)).abs() < 1e-12),
            Err(_) => prop_assert_eq!(pairs, 0),
        }
    }
}

#[test]
fn refuses_bad_input() {
    assert!(matches!(
        Rows::new(&[1.0; 5], 2, 3),
        Err(Error::Shape { .. })
    ));
    assert!(matches!(Rows::new(&[], 0, 3), Err(Error::Parameter { .. })));
    assert!(matches!(
        Rows::new(&[1.0, f32::NAN], 2, 1),
        Err(Error::NotFinite {
            row: Some(1),
            coordinate: 0,
            ..
        })
    ));
    assert!(Layers::new(&[]).is_err() && Layers::new(&[3, 0]).is_err());
    let g = random(1, 12);
    let train = Rows::new(&g, 4, 3).unwrap();
    let other = Rows::new(&g, 3, 4).unwrap();
    let layers = Layers::one(3).unwrap();
    assert!(grad_dot(train, other).is_err());
    for damping in [0.0, -1.0, f64::NAN, f64::INFINITY] {
        let curvature = Curvature::empirical(train);
        assert!(DampedFisher::new(train, curvature, &layers, Damping::Absolute(damping)).is_err());
        assert!(DataInf::new(train, curvature, &layers, Damping::Relative(damping)).is_err());
    }
    let zero = [0.0; 12];
    let zeros = Rows::new(&zero, 4, 3).unwrap();
    let curvature = Curvature::empirical(zeros);
    assert!(DampedFisher::new(train, curvature, &layers, Damping::Relative(0.1)).is_err());
    assert!(matches!(grad_cos(train, zeros), Err(Error::ZeroQuery)));
    assert!(Curvature::new(train, 0).is_err());
    assert!(tracin(&[]).is_err());
    assert!(Trak::new(&[], 0.1).is_err());
    assert!(LinearLayer::new(train, train, &[0, 3]).is_err());
    assert!(LinearLayer::new(train, train, &[0, 5, 4]).is_err());
    assert!(FactoredProjection::random((4, 1), (3, 3), &[0; 32]).is_err());
    assert!(recall(&[1.0, 2.0], &[true, false], 3).is_err());
    assert!(area_under_curve(&[1.0, f64::NAN], &[true, false]).is_err());
}

#[test]
fn products_without_curvature_follow_their_definitions() {
    let (g, v) = (random(20, 7 * 5), random(21, 3 * 5));
    let (train, queries) = (Rows::new(&g, 7, 5).unwrap(), Rows::new(&v, 3, 5).unwrap());
    let dots = grad_dot(train, queries).unwrap();
    let cosines = grad_cos(train, queries).unwrap();
    let checkpoints =
        [(train, queries, 0.5), (train, queries, 0.25)].map(|checkpoint| Checkpoint {
            train: checkpoint.0,
            queries: checkpoint.1,
            learning_rate: checkpoint.2,
        });
    let traced = tracin(&checkpoints).unwrap();
    let own = tracin_self_influence(&[(train, 0.5), (train, 0.25)]).unwrap();
    for (i, own) in own.iter().enumerate() {
        let norm = dense::dot(train.row(i), train.row(i));
        assert!((own - 0.75 * norm).abs() < 1e-12);
        for q in 0..3 {
            let dot = dense::dot(queries.row(q), train.row(i));
            let size = (norm * dense::dot(queries.row(q), queries.row(q))).sqrt();
            assert!((dots.row(q)[i] - dot).abs() < 1e-12);
            assert!((cosines.row(q)[i] - dot / size).abs() < 1e-12);
            assert!((traced.row(q)[i] - 0.75 * dot).abs() < 1e-12);
        }
    }
    let negative = Checkpoint {
        learning_rate: -1.0,
        ..checkpoints[0]
    };
    assert!(tracin(&[negative]).is_err());
}

#[test]
fn projected_gradients_are_products_with_the_whole_gradient() {
    let (x, d) = (random(22, 5 * 4), random(23, 5 * 3));
    let offsets = [0, 2, 2, 5];
    let layer = LinearLayer::new(
        Rows::new(&x, 5, 4).unwrap(),
        Rows::new(&d, 5, 3).unwrap(),
        &offsets,
    )
    .unwrap();
    // Projections of full rank onto orthonormal directions keep all inner products.
    let whole = FactoredProjection::principal((3, 4), &layer).unwrap();
    let rows = whole.project(&layer).unwrap();
    let gradient = |record: usize| {
        let mut gradient = vec![0.0_f32; 12];
        for t in offsets[record]..offsets[record + 1] {
            for o in 0..3 {
                for i in 0..4 {
                    gradient[o * 4 + i] += d[t * 3 + o] * x[t * 4 + i];
                }
            }
        }
        gradient
    };
    for a in 0..3 {
        for b in 0..3 {
            let found = dense::dot(&rows[a * 12..][..12], &rows[b * 12..][..12]);
            let expected = dense::dot(&gradient(a), &gradient(b));
            assert!(
                (found - expected).abs() < 1e-5,
                "{a} {b}: {found} {expected}"
            );
        }
    }
    // Random ones keep them in the mean over seeds.
    let expected = dense::dot(&gradient(0), &gradient(2));
    let mean = (0..4000_u32)
        .map(|number| {
            let mut seed = [0; 32];
            seed[..4].copy_from_slice(&number.to_le_bytes());
            let rows = FactoredProjection::random((2, 3), (3, 4), &seed).unwrap();
            let rows = rows.project(&layer).unwrap();
            dense::dot(&rows[..6], &rows[12..18]) / 4000.0
        })
        .sum::<f64>();
    let size = dense::dot(&gradient(0), &gradient(0)) * dense::dot(&gradient(2), &gradient(2));
    assert!(
        (mean - expected).abs() < 0.08 * size.sqrt(),
        "{mean} {expected}"
    );
}

#[test]
fn the_ridge_is_found_from_outputs_that_models_held_out() {
    // Models that are themselves ridge regressions: `f(x; S)` is what TRAK predicts with misses `y`.
    let (n, k, models, ridge) = (120, 30, 24, 0.3);
    let x = random(24, n * k);
    let features = Rows::new(&x, n, k).unwrap();
    let y = random(25, n)
        .iter()
        .map(|v| f64::from(v.abs()))
        .collect::<Vec<_>>();
    let subsets = (0..models)
        .map(|m| {
            let keys = random(100 + m as u64, n);
            (0..n as u32)
                .filter(|i| keys[*i as usize] > 0.0)
                .collect::<Vec<_>>()
        })
        .collect::<Vec<_>>();
    let trace = dense::dot(&x, &x);
    let mut outputs = Vec::new();
    for subset in &subsets {
        let rows = subset
            .iter()
            .flat_map(|i| features.row(*i as usize))
            .copied();
        let rows = rows.collect::<Vec<_>>();
        let some = Rows::new(&rows, subset.len(), k).unwrap();
        let mut matrix = gram(Operand::rows(some, &(0..k)).transpose()).unwrap();
        add_to_diagonal(&mut matrix, k, ridge * trace / (2 * k) as f64);
        let mut weights = vec![0.0; k];
        for (row, i) in (0..).zip(subset) {
            for (weight, x) in weights.iter_mut().zip(some.row(row)) {
                *weight += y[*i as usize] * f64::from(*x);
            }
        }
        Cholesky::new(matrix, k).unwrap().solve_rows(&mut weights);
        outputs.extend((0..n).map(|i| dense::dot(features.row(i), &weights)));
    }
    let outputs = Matrix::new(outputs, models, n).unwrap();
    let model = TrakModel {
        features,
        misses: &y,
    };
    let records = (0..n as u32).collect::<Vec<_>>();
    let held_out = HeldOutOutputs {
        subsets: &subsets,
        outputs: &outputs,
        records: &records,
    };
    let models = vec![model; models];
    let candidates = [1e-5, 1e-3, 0.3, 100.0];
    let found = select_ridge(&models, &held_out, &candidates).unwrap();
    assert_eq!(found.ridge, 0.3, "{found:?}");
    assert!(found.agreements[2] > 0.8, "{found:?}");
    assert!(select_ridge(&models, &held_out, &[]).is_err());
    let everybody = vec![records.clone(); models.len()];
    let seen = HeldOutOutputs {
        subsets: &everybody,
        ..held_out
    };
    assert!(select_ridge(&models, &seen, &candidates).is_err());
}

#[test]
fn trak_averages_its_factors_by_themselves() {
    let (n, k) = (15, 6);
    let (a, b, v) = (random(26, n * k), random(27, n * k), random(28, 2 * k));
    let misses = [random(29, n), random(30, n)]
        .map(|m| m.iter().map(|v| f64::from(v.abs())).collect::<Vec<_>>());
    let features = [&a, &b].map(|values| Rows::new(values, n, k).unwrap());
    let queries = Rows::new(&v, 2, k).unwrap();
    let mut expected = vec![0.0; 2 * n];
    for features in features {
        let mut matrix = gram(Operand::rows(features, &(0..k)).transpose()).unwrap();
        let trace = dense::dot(features.values(), features.values());
        add_to_diagonal(&mut matrix, k, 0.2 * trace / k as f64);
        let mut directions = v.iter().map(|v| f64::from(*v)).collect::<Vec<_>>();
        Cholesky::new(matrix, k)
            .unwrap()
            .solve_rows(&mut directions);
        for (at, expected) in expected.iter_mut().enumerate() {
            let (q, i) = (at / n, at % n);
            let miss = (misses[0][i] + misses[1][i]) / 2.0;
            *expected += dense::dot(&directions[q * k..][..k], features.row(i)) * miss / 2.0;
        }
    }
    let models = [0, 1].map(|m| TrakModel {
        features: features[m],
        misses: &misses[m],
    });
    let scores = Trak::new(&models, 0.2)
        .unwrap()
        .scores(&[queries; 2])
        .unwrap();
    assert!(distance(scores.values(), &expected) < 1e-10);
}

#[test]
fn recall_counts_marked_records_at_the_top() {
    let marked = [true, false, true, false];
    let values = [3.0, 2.0, 2.0, 1.0];
    assert_eq!(recall(&values, &marked, 2).unwrap(), 0.5);
    assert_eq!(recall(&values, &marked, 3).unwrap(), 1.0);
}
