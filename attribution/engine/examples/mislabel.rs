//! Values of labelled data that find wrong labels, with what they cost.
//!
//! ```text
//! cargo run --release --example mislabel -- FOLDER TREES NAME...
//! ```
//!
//! Reads `NAME.features.npy` (`<f4`, a row for each datum) and `NAME.labels.npy` (`<u4`, from zero on)
//! from the folder and writes `NAME.data-oob.npy` and `NAME.margins.npy` (`<f8`) there. Prints, tab
//! separated, the name, the method and its seconds without reading and writing.

use std::{path::Path, process::ExitCode, time::Instant};

use attribution_engine::{
    npy,
    valuation::{
        data_oob::{by_margins, by_trees, Bags, Tried},
        Samples,
    },
    Error,
};

fn main() -> ExitCode {
    let arguments = std::env::args().skip(1).collect::<Vec<_>>();
    let parsed = match &arguments[..] {
        [folder, trees, names @ ..] => trees.parse().ok().map(|trees| (folder, trees, names)),
        _ => None,
    };
    let Some((folder, trees, names)) = parsed else {
        eprintln!("usage: mislabel FOLDER TREES NAME...");
        return ExitCode::FAILURE;
    };
    for name in names {
        if let Err(error) = value(Path::new(folder), trees, name) {
            eprintln!("error: {error}");
            return ExitCode::FAILURE;
        }
    }
    ExitCode::SUCCESS
}

fn value(folder: &Path, trees: u32, name: &str) -> Result<(), Error> {
    let file = |what: &str| folder.join(format!("{name}.{what}.npy"));
    let features = npy::read::<f32>(&file("features"))?;
    let labels = npy::read::<u32>(&file("labels"))?;
    let (_, dimension) = features.rows_and_columns()?;
    let samples = Samples::new(&features.values, dimension, &labels.values)?;
    let classes = labels.values.iter().max().map_or(0, |most| most + 1);
    let bags = Bags {
        seed: attribution_engine::seed("mislabel", name.as_bytes()),
        count: trees,
        depth: None,
        tried: Tried::SquareRoot,
    };
    let save = |method: &str, start: Instant, values: &[f64]| {
        println!("{name}\t{method}\t{:.6}", start.elapsed().as_secs_f64());
        npy::write(&file(method), &[values.len()], values)
    };
    let start = Instant::now();
    let values = by_trees(samples, classes, &bags)?;
    let values = values.iter().map(|value| value.value).collect::<Vec<_>>();
    save("data-oob", start, &values)?;
    let start = Instant::now();
    let margins = by_margins(samples, classes, &bags)?;
    save("margins", start, &margins.values)
}
