//! Linear datamodelling scores of the influence methods on scikit-learn's digits.
//!
//! `digits.rs DIRECTORY [SPLITS]` reads, for each split, `DIRECTORY/split<k>/*.npy`:
//!
//! | file | shape | |
//! |---|---|---|
//! | `gradients` | `n x P` | of the training records' losses |
//! | `queries` | `q x P` | of the test records' losses |
//! | `curvature` | `10 n x P` | `√p_c (e_c − p) xᵀ` for each record and class |
//! | `masks` | `50 x n` | which records each retrained model saw |
//! | `outputs` | `q x 50` | the retrained models' log-odds of the right class |
//! | `exact` | `q x n` | influence with the true Hessian, by numpy |
//! | `exact_seconds` | `1` | how long that took |
//! | `trak_masks`, `trak_outputs` | `10 x n` | the same for TRAK's models, on training records |
//! | `trak<m>_features`, `trak<m>_queries` | `n x k`, `q x k` | projected gradients of log-odds |
//! | `trak<m>_misses` | `n` | `1 − p` |
//!
//! `attribution/peers/influence.py` makes these. Times are for all queries of a split, factorisation
//! included.

use std::{
    collections::BTreeMap,
    error::Error,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use attribution_engine::{
    influence::methods::{
        evaluate::{linear_datamodelling_score, mean_and_standard_error, Outcome},
        grad_cos, grad_dot, select_ridge, Curvature, DampedFisher, Damping, DataInf,
        HeldOutOutputs, Layers, Matrix, Rows, Trak, TrakModel,
    },
    npy,
    projection::Projection,
};
use rayon::prelude::*;

type Result<T> = std::result::Result<T, Box<dyn Error>>;

const CLASSES: usize = 10;
const MODELS: usize = 10;
/// Candidates for TRAK's ridge: a factor of about three between them.
const RIDGES: [f64; 9] = [1e-4, 1e-3, 1e-2, 3e-2, 0.1, 0.3, 1.0, 3.0, 10.0];
/// Projections to compare: of how many coordinates (none: all) to how many.
const PROJECTIONS: [(Option<usize>, usize); 5] = [
    (None, 256),
    (Some(512), 256),
    (Some(256), 256),
    (None, 128),
    (Some(256), 128),
];
const EXACT: &str = "Gauss-Newton, exact";
const NUMPY: &str = "numpy exact influence";
const SELECTED: &str = "TRAK-10, ridge selected";
/// How far from numpy's exact influence ours may be, and what it must reach.
const TOLERANCE: f64 = 0.005;
const TARGET: f64 = 0.93;
/// Ours and numpy's scores are the same numbers, computed from gradients in single precision.
const MOST_DISTANCE: f64 = 1e-4;

fn matrix(path: &Path) -> Result<Matrix> {
    let array = npy::read::<f64>(path)?;
    let (rows, columns) = array.rows_and_columns()?;
    Ok(Matrix::new(array.values, rows, columns)?)
}

fn rows(array: &npy::Array<f32>) -> Result<Rows<'_>> {
    let (rows, columns) = array.rows_and_columns()?;
    Ok(Rows::new(&array.values, rows, columns)?)
}

fn subsets(path: &Path) -> Result<Vec<Vec<u32>>> {
    let array = npy::read::<u8>(path)?;
    let (_, columns) = array.rows_and_columns()?;
    Ok(array
        .values
        .chunks_exact(columns)
        .map(|mask| {
            (0..)
                .zip(mask)
                .filter_map(|(i, kept)| (*kept == 1).then_some(i))
                .collect()
        })
        .collect())
}

/// Scores and times of the methods over all splits.
#[derive(Default)]
struct Results(BTreeMap<String, Vec<(f64, f64)>>);

impl Results {
    fn add(&mut self, method: &str, score: f64, time: Duration) {
        let entry = self.0.entry(method.to_owned()).or_default();
        entry.push((score, 1e3 * time.as_secs_f64()));
    }
}

impl Results {
    /// Mean and standard error of a method's scores, and its mean time in milliseconds.
    fn summary(&self, method: &str) -> Result<(f64, Option<f64>, f64)> {
        let values = self.0.get(method).ok_or("a method without results")?;
        let (scores, times): (Vec<_>, Vec<_>) = values.iter().copied().unzip();
        let (mean, error) = mean_and_standard_error(&scores);
        Ok((mean, error, mean_and_standard_error(&times).0))
    }

    fn print(&self, queries: usize) -> Result<()> {
        let per_query = 1e3 / queries as f64;
        println!(
            "\n{:32} {:>7} {:>8} {:>10} {:>12}",
            "method", "LDS", "s.e.", "ms", "µs a query"
        );
        let plus_minus = |error: Option<f64>| error.map_or("-".to_owned(), |e| format!("{e:.4}"));
        for method in self.0.keys() {
            let (mean, error, time) = self.summary(method)?;
            let error = plus_minus(error);
            println!(
                "{method:32} {mean:7.4} {error:>8} {time:10.1} {:12.0}",
                time * per_query
            );
        }
        let (ours, error, time) = self.summary(EXACT)?;
        let (theirs, their_error, their_time) = self.summary(NUMPY)?;
        let beside = ["DataInf, per class", SELECTED, "GradDot"]
            .iter()
            .map(|method| Ok(format!("{method} {:.3}", self.summary(method)?.0)))
            .collect::<Result<Vec<_>>>()?
            .join(", ");
        let holds = (ours - theirs).abs() <= TOLERANCE && ours >= TARGET;
        println!(
            "RESULT\tLDS, digits + logistic regression\t{ours:.4} ± {} in {:.0} µs a query; numpy \
             {theirs:.4} ± {} in {:.0} µs; {beside}\twithin .005 of numpy's exact influence, target \
             .93\t{}",
            plus_minus(error),
            time * per_query,
            plus_minus(their_error),
            their_time * per_query,
            if holds { "holds" } else { "misses" }
        );
        Ok(())
    }
}

struct Split {
    directory: PathBuf,
    subsets: Vec<Vec<u32>>,
    outputs: Matrix,
}

impl Split {
    fn file(&self, name: &str) -> PathBuf {
        self.directory.join(format!("{name}.npy"))
    }

    fn score(&self, scores: &Matrix) -> Result<f64> {
        let outcome = Outcome::Utility;
        Ok(linear_datamodelling_score(scores, &self.subsets, &self.outputs, outcome)?.mean)
    }

    fn run(
        &self,
        results: &mut Results,
        method: &str,
        attribute: impl FnOnce() -> std::result::Result<Matrix, attribution_engine::Error>,
    ) -> Result<Matrix> {
        let start = Instant::now();
        let scores = attribute()?;
        let time = start.elapsed();
        results.add(method, self.score(&scores)?, time);
        Ok(scores)
    }

    fn gradients(&self, results: &mut Results) -> Result<f64> {
        let gradients = npy::read(&self.file("gradients"))?;
        let queries = npy::read(&self.file("queries"))?;
        let curvature = npy::read(&self.file("curvature"))?;
        let (train, queries, curvature) = (rows(&gradients)?, rows(&queries)?, rows(&curvature)?);
        let n = train.rows();
        let one = Layers::one(train.columns())?;
        let classes = Layers::new(&[train.columns() / CLASSES; CLASSES])?;
        // C = 1: the penalty is |θ|²/2 beside the sum of the losses.
        let exact = Damping::Absolute(1.0 / n as f64);
        let relative = Damping::Relative(0.1);
        let fisher = Curvature::empirical(train);

        let theirs = matrix(&self.file("exact"))?;
        let seconds = npy::read::<f64>(&self.file("exact_seconds"))?.values;
        let seconds = Duration::from_secs_f64(*seconds.first().ok_or("no time of numpy's")?);
        results.add(NUMPY, self.score(&theirs)?, seconds);
        let ours = self.run(results, EXACT, || {
            let curvature = Curvature::new(curvature, n)?;
            DampedFisher::new(train, curvature, &one, exact)?.scores(queries)
        })?;
        self.run(results, "empirical Fisher, penalty", || {
            DampedFisher::new(train, fisher, &one, exact)?.scores(queries)
        })?;
        self.run(results, "empirical Fisher, 0.1", || {
            DampedFisher::new(train, fisher, &one, relative)?.scores(queries)
        })?;
        self.run(results, "empirical Fisher, per class, 0.1", || {
            DampedFisher::new(train, fisher, &classes, relative)?.scores(queries)
        })?;
        self.run(results, "DataInf, one block", || {
            DataInf::new(train, fisher, &one, relative)?.scores(queries)
        })?;
        self.run(results, "DataInf, per class", || {
            DataInf::new(train, fisher, &classes, relative)?.scores(queries)
        })?;
        self.run(results, "GradDot", || grad_dot(train, queries))?;
        self.run(results, "GradCos", || grad_cos(train, queries))?;
        for (kept, dimension) in PROJECTIONS {
            let projection = match kept {
                None => Projection::new(&[1; 32], train.columns(), dimension, 4)?,
                Some(kept) => Projection::masked(&[1; 32], train.columns(), kept, dimension, 4)?,
            };
            let project = |rows: Rows<'_>| {
                let rows = rows.values().par_chunks(rows.columns());
                let projected = rows.map(|row| projection.project(row));
                projected
                    .collect::<std::result::Result<Vec<_>, _>>()
                    .map(|rows| rows.concat())
            };
            let mask = kept.map_or("no mask".to_owned(), |kept| format!("mask of {kept}"));
            self.run(
                results,
                &format!("Gauss-Newton, {mask}, to {dimension}"),
                || {
                    let arrays = [project(train)?, project(curvature)?, project(queries)?];
                    let rows = |array: usize, count| Rows::new(&arrays[array], count, dimension);
                    let train = rows(0, train.rows())?;
                    let one = Layers::one(dimension)?;
                    let curvature = Curvature::new(rows(1, curvature.rows())?, n)?;
                    DampedFisher::new(train, curvature, &one, exact)?
                        .scores(rows(2, queries.rows())?)
                },
            )?;
        }
        let size = |matrix: &Matrix| {
            let squares = matrix.values().iter().map(|value| value * value);
            squares.sum::<f64>().sqrt()
        };
        let differences = ours.values().iter().zip(theirs.values());
        let distance = differences.map(|(a, b)| (a - b).powi(2)).sum::<f64>();
        Ok(distance.sqrt() / size(&theirs))
    }

    fn trak(&self, results: &mut Results) -> Result<()> {
        let arrays = (0..MODELS)
            .map(|m| {
                Ok((
                    npy::read::<f32>(&self.file(&format!("trak{m}_features")))?,
                    npy::read::<f32>(&self.file(&format!("trak{m}_queries")))?,
                    npy::read::<f64>(&self.file(&format!("trak{m}_misses")))?.values,
                ))
            })
            .collect::<Result<Vec<_>>>()?;
        let models = arrays
            .iter()
            .map(|(features, _, misses)| {
                let features = rows(features)?;
                Ok(TrakModel { features, misses })
            })
            .collect::<Result<Vec<_>>>()?;
        let queries = arrays
            .iter()
            .map(|(_, queries, _)| rows(queries))
            .collect::<Result<Vec<_>>>()?;
        let start = Instant::now();
        let n = models[0].features.rows() as u32;
        let records = (0..n).step_by(4).collect::<Vec<_>>();
        let selection = select_ridge(
            &models,
            &HeldOutOutputs {
                subsets: &subsets(&self.file("trak_masks"))?,
                outputs: &matrix(&self.file("trak_outputs"))?,
                records: &records,
            },
            &RIDGES,
        )?;
        let selected = start.elapsed();
        self.run(results, SELECTED, || {
            Trak::new(&models, selection.ridge)?.scores(&queries)
        })?;
        for ridge in RIDGES {
            self.run(results, &format!("TRAK-10, ridge {ridge:e}"), || {
                Trak::new(&models, ridge)?.scores(&queries)
            })?;
        }
        self.run(results, "TRAK-1, ridge selected", || {
            Trak::new(&models[..1], selection.ridge)?.scores(&queries[..1])
        })?;
        let time = 1e3 * selected.as_secs_f64();
        println!("ridge {:e} selected in {time:.0} ms", selection.ridge);
        Ok(())
    }
}

/// What a mask saves where there are many coordinates.
fn time_projections() -> Result<()> {
    let (coordinates, dimension) = (1 << 22, 1 << 10);
    let vector = (0..coordinates)
        .map(|at| (at as f32 * 0.7).sin())
        .collect::<Vec<_>>();
    for kept in [None, Some(1 << 18), Some(1 << 15)] {
        let start = Instant::now();
        let projection = match kept {
            None => Projection::new(&[1; 32], coordinates, dimension, 4)?,
            Some(kept) => Projection::masked(&[1; 32], coordinates, kept, dimension, 4)?,
        };
        let drawn = start.elapsed();
        let mut applied = (0..9)
            .map(|_| {
                let start = Instant::now();
                std::hint::black_box(projection.project(std::hint::black_box(&vector))?);
                Ok(start.elapsed())
            })
            .collect::<Result<Vec<_>>>()?;
        applied.sort();
        let mask = kept.map_or("no mask".to_owned(), |kept| format!("mask of {kept}"));
        println!(
            "projection of {coordinates} coordinates to {dimension}, {mask}: drawn in {:.0} ms, \
             applied in {:.2} ms",
            1e3 * drawn.as_secs_f64(),
            1e3 * applied[applied.len() / 2].as_secs_f64()
        );
    }
    Ok(())
}

fn main() -> Result<()> {
    let mut arguments = std::env::args_os().skip(1);
    let directory = PathBuf::from(arguments.next().ok_or("give the directory of the splits")?);
    let splits = match arguments.next() {
        Some(count) => count
            .to_str()
            .ok_or("the number of splits is no text")?
            .parse()?,
        None => 10,
    };
    let mut results = Results::default();
    let mut queries = 0;
    for number in 0..splits {
        let directory = directory.join(format!("split{number}"));
        let split = Split {
            subsets: subsets(&directory.join("masks.npy"))?,
            outputs: matrix(&directory.join("outputs.npy"))?,
            directory,
        };
        queries = split.outputs.rows();
        let distance = split.gradients(&mut results)?;
        println!("split {number}: |ours - numpy| / |numpy| = {distance:.1e}");
        if distance > MOST_DISTANCE {
            return Err(format!("split {number}: ours is not numpy's exact influence").into());
        }
        split.trak(&mut results)?;
    }
    time_projections()?;
    results.print(queries)
}
