//! Values of data in files, for comparison with other programs.
//!
//! ```text
//! valuation-files knn FOLDER NEIGHBOURS
//!     train.features.npy (<f4), train.labels.npy (<u4), test.features.npy, test.labels.npy
//!     -> values.npy; with distances.npy (<f4, a row for each test point) instead of features too
//! valuation-files logistic FOLDER TOLERANCE
//!     train.features.npy, train.labels.npy (two classes), subsets.npy (|u1, a row for each)
//!     -> coefficients.npy, a row for each subset, the bias last
//! valuation-files game FOLDER SUBSETS
//!     utilities.npy (<f8, the subset whose members are the bits of the place)
//!     -> exact.npy, values.npy, errors.npy: Banzhaf values, estimates and their standard errors
//! ```
//!
//! Prints the seconds without reading and writing.

use std::{path::Path, process::ExitCode, time::Instant};

use attribution_engine::{
    npy,
    valuation::{
        banzhaf::{by_sample_reuse, SampleReuse},
        knn_shapley::{from_features, KnnShapley, Prediction},
        semivalues::{exact, Semivalue},
        utility::{FunctionUtility, LogisticUtility, Score},
        Samples,
    },
    Error,
};
use rayon::prelude::*;

fn main() -> ExitCode {
    let arguments = std::env::args().skip(1).collect::<Vec<_>>();
    let done = match &arguments[..] {
        [part, folder, number] => match (&part[..], Path::new(folder)) {
            ("knn", folder) => number.parse().ok().map(|k| knn(folder, k)),
            ("logistic", folder) => number.parse().ok().map(|most| logistic(folder, most)),
            ("game", folder) => number.parse().ok().map(|count| game(folder, count)),
            _ => None,
        },
        _ => None,
    };
    match done {
        Some(Ok(seconds)) => {
            println!("{seconds:.6}");
            ExitCode::SUCCESS
        }
        Some(Err(error)) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
        None => {
            eprintln!("usage: valuation-files knn|logistic|game FOLDER NUMBER");
            ExitCode::FAILURE
        }
    }
}

/// A feature matrix and its labels.
struct Table {
    features: npy::Array<f32>,
    dimension: usize,
    labels: Vec<u32>,
}

impl Table {
    fn read(folder: &Path, name: &str) -> Result<Self, Error> {
        let features = npy::read::<f32>(&folder.join(format!("{name}.features.npy")))?;
        let (_, dimension) = features.rows_and_columns()?;
        let labels = npy::read::<u32>(&folder.join(format!("{name}.labels.npy")))?;
        Ok(Self {
            features,
            dimension,
            labels: labels.values,
        })
    }

    fn samples(&self) -> Result<Samples<'_>, Error> {
        Samples::new(&self.features.values, self.dimension, &self.labels)
    }
}

fn knn(folder: &Path, neighbours: usize) -> Result<f64, Error> {
    let (train, test) = (Table::read(folder, "train")?, Table::read(folder, "test")?);
    let distances = folder.join("distances.npy");
    let (seconds, values) = if distances.exists() {
        let distances = npy::read::<f32>(&distances)?;
        let start = Instant::now();
        let model = KnnShapley::new(&train.labels, neighbours, Prediction::Hard)?;
        let values = model.mean_values(&distances.values, &test.labels)?;
        (start.elapsed(), values)
    } else {
        let (train, test) = (train.samples()?, test.samples()?);
        let start = Instant::now();
        let values = from_features(train, test, neighbours, Prediction::Hard)?;
        (start.elapsed(), values)
    };
    npy::write(&folder.join("values.npy"), &[values.len()], &values)?;
    Ok(seconds.as_secs_f64())
}

fn logistic(folder: &Path, tolerance: f64) -> Result<f64, Error> {
    let train = Table::read(folder, "train")?;
    let samples = train.samples()?;
    let masks = npy::read::<u8>(&folder.join("subsets.npy"))?;
    let (count, data) = masks.rows_and_columns()?;
    let start = Instant::now();
    let utility = LogisticUtility::new(samples, samples, 2, 1.0, tolerance, Score::Accuracy)?;
    let fits = masks
        .values
        .par_chunks_exact(data)
        .map(|mask| {
            let members = (0_u32..).zip(mask).filter(|(_, member)| **member != 0);
            utility.fit(&members.map(|(datum, _)| datum).collect::<Vec<_>>())
        })
        .collect::<Vec<_>>();
    let seconds = start.elapsed().as_secs_f64();
    let mut coefficients = Vec::new();
    for fit in fits {
        coefficients.extend(fit?.coefficients);
    }
    let shape = [count, coefficients.len() / count];
    npy::write(&folder.join("coefficients.npy"), &shape, &coefficients)?;
    Ok(seconds)
}

fn game(folder: &Path, subsets: u64) -> Result<f64, Error> {
    let utilities = npy::read::<f64>(&folder.join("utilities.npy"))?.values;
    let data = utilities.len().ilog2() as usize;
    let game = FunctionUtility::new(data, |subset: &[u32]| {
        let members = subset.iter().fold(0_usize, |sum, datum| sum | 1 << datum);
        Ok(utilities[members])
    });
    let truth = exact(&game, Semivalue::Banzhaf { probability: 0.5 })?;
    let start = Instant::now();
    let found = by_sample_reuse(
        &game,
        &SampleReuse {
            seed: attribution_engine::seed("game", b"0"),
            subsets,
            probability: 0.5,
            range: None,
        },
    )?;
    let seconds = start.elapsed().as_secs_f64();
    let values = found.values.iter().map(|v| v.value).collect::<Vec<_>>();
    let errors = found.values.iter().map(|v| v.standard_error);
    let errors = errors.collect::<Vec<_>>();
    for (name, values) in [("exact", truth), ("values", values), ("errors", errors)] {
        npy::write(&folder.join(format!("{name}.npy")), &[data], &values)?;
    }
    Ok(seconds)
}
