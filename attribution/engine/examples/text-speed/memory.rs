//! Indexes that do not fit memory.

use std::{
    cell::Cell,
    fs::{self, File},
    io::{BufRead, BufReader},
    path::Path,
    time::Instant,
};

use attribution_engine::{
    corpus::{build_in_parts, Control, Corpus, Parts, Progress, SpanRules},
    Error,
};

use super::{figure, read, Outcome, SEPARATOR};

/// Builds an index file from a file of records that is read as it is needed.
pub(super) fn build(corpus: &str, path: &Path, part_tokens: usize) -> Outcome {
    let bytes = fs::metadata(corpus)?.len();
    let file = corpus.to_owned();
    let records = BufReader::with_capacity(1 << 20, File::open(corpus)?)
        .split(SEPARATOR)
        // Nothing stands before the first separator.
        .skip(1)
        .map(move |record| {
            record.map(Some).map_err(|source| Error::Io {
                action: "read",
                path: file.clone().into(),
                source,
            })
        });
    let start = Instant::now();
    let tenth = Cell::new(0);
    let progress = |now| match now {
        Progress::Part { number, tokens, .. } => println!(
            "part {number} of {tokens} bytes is sorted after {:.0} s",
            start.elapsed().as_secs_f64()
        ),
        Progress::Merged { suffixes, of } => {
            let reached = suffixes * 10 / of.max(1);
            if tenth.replace(reached) < reached {
                let seconds = start.elapsed().as_secs_f64();
                println!("{reached} tenths are merged after {seconds:.0} s");
            }
        }
    };
    let control = Control {
        cancelled: &|| false,
        progress: &progress,
    };
    let parts = Parts {
        part_tokens,
        separator: SEPARATOR,
    };
    build_in_parts(path, records, parts, control)?;
    figure("rate", bytes as f64 / 1e6 / start.elapsed().as_secs_f64());
    Ok(())
}

/// Answers queries from an index file, and says how much memory of which kind that holds.
pub(super) fn hold(path: &Path, folder: &Path) -> Outcome {
    let corpus = Corpus::open(path)?;
    let rules = SpanRules {
        minimum_length: 8,
        maximum_count: 1_000_000,
        maximum_places: 10,
    };
    let (mut anonymous, mut file) = (0_u64, 0_u64);
    let mut look = || -> Outcome {
        let table = fs::read_to_string("/proc/self/smaps_rollup")?;
        let kilobytes = |name: &str| {
            let line = table.lines().find_map(|line| line.strip_prefix(name));
            let number = line.and_then(|line| line.trim().strip_suffix(" kB"));
            number.and_then(|number| number.parse::<u64>().ok())
        };
        let held = kilobytes("Anonymous:").ok_or("no anonymous memory is told")?;
        let resident = kilobytes("Rss:").ok_or("no resident memory is told")?;
        anonymous = anonymous.max(held);
        file = file.max(resident - held);
        Ok(())
    };
    let mut found = 0;
    for query in read(folder.join("queries"))?.iter() {
        found += corpus.count(query)?;
    }
    look()?;
    for (number, output) in read(folder.join("outputs"))?.iter().enumerate() {
        found += corpus.maximal_spans(output, rules, |row| row)?.len();
        if number % 100 == 0 {
            look()?;
        }
    }
    look()?;
    println!("{found} occurrences and spans are found");
    figure("anonymous megabytes", anonymous as f64 * 1_024.0 / 1e6);
    figure("file-backed megabytes", file as f64 * 1_024.0 / 1e6);
    Ok(())
}
