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
//! | `trak_masks`, `trak_outputs` | `10 x n` | the same for TRAK's models, on training records |
//! | `trak<m>_features`, `trak<m>_queries` | `n x k`, `q x k` | projected gradients of log-odds |
//! | `trak<m>_misses` | `n` | `1 − p` |

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
};

type Result<T> = std::result::Result<T, Box<dyn Error>>;

const CLASSES: usize = 10;
const MODELS: usize = 10;
/// Candidates for TRAK's ridge: a factor of about three between them.
const RIDGES: [f64; 9] = [1e-4, 1e-3, 1e-2, 3e-2, 0.1, 0.3, 1.0, 3.0, 10.0];

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
        results.add(
            "numpy exact influence",
            self.score(&theirs)?,
            Duration::ZERO,
        );
        let ours = self.run(results, "Gauss-Newton, exact", || {
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
        self.run(results, "TRAK-10, ridge selected", || {
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
    for number in 0..splits {
        let directory = directory.join(format!("split{number}"));
        let split = Split {
            subsets: subsets(&directory.join("masks.npy"))?,
            outputs: matrix(&directory.join("outputs.npy"))?,
            directory,
        };
        let distance = split.gradients(&mut results)?;
        println!("split {number}: |ours - numpy| / |numpy| = {distance:.1e}");
        split.trak(&mut results)?;
    }
    println!("\n{:36} {:>7} {:>8} {:>10}", "method", "LDS", "s.e.", "ms");
    for (method, values) in &results.0 {
        let (scores, times): (Vec<_>, Vec<_>) = values.iter().copied().unzip();
        let (mean, error) = mean_and_standard_error(&scores);
        let error = error.map_or("-".to_owned(), |error| format!("{error:.4}"));
        let time = mean_and_standard_error(&times).0;
        println!("{method:36} {mean:7.4} {error:>8} {time:10.1}");
    }
    Ok(())
}
