//! What sorting costs.

use std::{fs, path::Path};

use attribution_engine::corpus::{build_in_parts, Control, Parts, TextIndex};
use libsais::SuffixArrayConstruction;

use super::{figure, median, seconds, Outcome, Strings, SEPARATOR};

const PARTS: usize = 4;
pub(super) const QUIET: Control<'_> = Control {
    cancelled: &|| false,
    progress: &|_| {},
};

/// Seconds on the clock, and of processor time in this thread where the system tells.
fn cost<R>(run: impl FnOnce() -> R) -> (f64, f64) {
    let processor = || {
        let table = fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
        let nanoseconds = table.split(' ').next().and_then(|first| first.parse().ok());
        nanoseconds.map_or(f64::NAN, |nanoseconds: f64| nanoseconds / 1e9)
    };
    let before = processor();
    let wall = seconds(run);
    (wall, processor() - before)
}

/// Medians of wall and processor time.
fn medians(costs: Vec<(f64, f64)>) -> [f64; 2] {
    let (mut wall, mut processor): (Vec<_>, Vec<_>) = costs.into_iter().unzip();
    [median(&mut wall), median(&mut processor)]
}

pub(super) fn run(corpus: &Strings, scratch: &Path, rounds: usize) -> Outcome {
    let records = corpus.records();
    let text = corpus.iter().collect::<Vec<_>>().concat();
    let (mut sorter, mut index, mut saved) = (Vec::new(), Vec::new(), Vec::new());
    let path = scratch.join("saved");
    for _ in 0..rounds {
        sorter.push(cost(|| {
            SuffixArrayConstruction::for_text(&text)
                .in_owned_buffer32()
                .single_threaded()
                .run()
                .map(|sorted| sorted.suffix_array().len())
        }));
        let mut built = None;
        let whole = cost(|| built = Some(TextIndex::build(&records)));
        index.push(whole);
        let built = built.ok_or("nothing was built")??;
        saved.push(whole.0 + seconds(|| built.save(&path)));
        fs::remove_file(&path)?;
    }
    let (sorter, index) = (medians(sorter), medians(index));
    let rate = |seconds: f64| text.len() as f64 / 1e6 / seconds;
    for (what, i) in [("wall", 0), ("processor", 1)] {
        println!(
            "build by {what} time: {:.1} MB/s, libsais by itself {:.1} MB/s (medians of {rounds}, alternating)",
            rate(index[i]),
            rate(sorter[i]),
        );
        figure(&format!("build ratio, {what}"), sorter[i] / index[i]);
        figure(&format!("build rate, {what}"), rate(index[i]));
    }
    figure("build and save seconds", median(&mut saved));

    let total = corpus.0.len();
    let parts = Parts {
        part_tokens: total.div_ceil(PARTS) + (1 << 17),
        separator: SEPARATOR,
    };
    let mut built = Ok(());
    let path = scratch.join("in-parts");
    let time = seconds(|| {
        built = build_in_parts(
            &path,
            records.iter().map(|record| Ok(*record)),
            parts,
            QUIET,
        );
    });
    built?;
    figure("build rate in parts", total as f64 / 1e6 / time);
    let index = TextIndex::<u8>::open(&path)?;
    figure("verify seconds", seconds(|| index.verify()));
    drop(index);
    Ok(fs::remove_file(&path)?)
}
