//! `poa index corpus`: texts in a suffix array, built in parts where memory is short.

use super::{check_absent, describe, text_leaf, write_description, Description, Kind, DATA};
use crate::{
    output,
    records::{self, Files},
};
use anyhow::{bail, ensure, Context, Result};
use attribution_engine::{
    corpus::{build_in_parts, Control, Parts, Progress, Token},
    Error,
};
use attribution_proof::{hash::Hash, merkle::Commitment};
use indicatif::ProgressBar;
use serde::{Deserialize, Serialize};
use signal_hook::{consts::SIGINT, iterator::Signals};
use std::{
    cell::{Cell, RefCell},
    fs::{self, File, TryLockError},
    io::Write,
    path::{Path, PathBuf},
    sync::{
        atomic::{AtomicBool, Ordering},
        Arc,
    },
};

/// Status after Ctrl-C.
pub(super) const INTERRUPTED: u8 = 130;
/// What a build has been told, beside its parts.
const PLAN: &str = "plan.json";
/// Keeps a second process away.
const LOCK: &str = "lock";
/// Where the engine keeps the parts.
const PARTS: &str = "index.bin.parts";
/// Tokens that an index can hold.
const MAX_TOKENS: u64 = u32::MAX as u64;
/// Tokens that the suffix sorter can take at once.
const MAX_SORTED: u64 = i32::MAX as u64;
/// The memory to plan with where the system does not say what it has.
const UNKNOWN_MEMORY: u64 = 4 << 30;

/// Arguments of `poa index corpus`.
#[derive(Debug, clap::Args)]
#[command(after_help = records::HELP)]
pub(crate) struct Arguments {
    /// Files and folders of records.
    #[arg(required = true)]
    records: Vec<PathBuf>,
    /// The folder that becomes the index; it must not exist. While it is built it is called FOLDER.partial.
    #[arg(long)]
    pub(super) output: PathBuf,
    /// Memory for sorting, as 800M or 4G. Texts that need more, six bytes for each of theirs, are sorted
    /// in parts. [default: half of what is available, or what an interrupted build had]
    #[arg(long, value_parser = parse_memory)]
    memory: Option<u64>,
}

fn parse_memory(text: &str) -> Result<u64, String> {
    let digits = text.trim_end_matches(|letter: char| letter.is_ascii_alphabetic());
    let shift = match &text[digits.len()..] {
        "" => 0,
        "K" | "k" => 10,
        "M" | "m" => 20,
        "G" | "g" => 30,
        unit => return Err(format!("{unit} is none of the units K, M and G")),
    };
    let number = digits.parse::<u64>().map_err(|error| error.to_string())?;
    number
        .checked_mul(1 << shift)
        .ok_or_else(|| "that is more than there can be".into())
}

/// How a build goes. One that goes on after an interruption must cut the same parts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Plan {
    memory: u64,
}

/// Builds the index, or the next part of the way to it. `None` when Ctrl-C stopped it.
pub(super) fn build(arguments: &Arguments) -> Result<Option<Description>> {
    check_absent(&arguments.output)?;
    let files = Files::find(&arguments.records)?;
    let mut partial = arguments.output.as_os_str().to_owned();
    partial.push(".partial");
    let mut work = Workplace::enter(partial.into(), arguments.memory)?;
    let survey = survey(&files)?;
    let outcome = match survey.separator {
        Some(separator) => work.index(&files, &survey, separator, |bytes| bytes),
        // Records that hold every byte need wider units, as `Corpus` has them.
        None => work.index(&files, &survey, 256_u16, |bytes| {
            bytes.into_iter().map(u16::from).collect()
        }),
    };
    let finished = work.finished_parts();
    match outcome {
        Ok(description) => {
            work.publish(&arguments.output, &description)?;
            Ok(Some(description))
        }
        Err(error) if matches!(error.downcast_ref(), Some(Error::Cancelled)) => {
            work.keep = true;
            tell(&format!(
                "stopped: {finished} finished parts are kept in {}; the same command goes on from there",
                work.folder.display()
            ));
            Ok(None)
        }
        Err(error) => {
            work.keep = finished > 0;
            let failed = format!("cannot write the index {}", arguments.output.display());
            let kept = format!(
                "; {finished} finished parts are kept in {}: the same command goes on from there, \
                 or delete the folder",
                work.folder.display()
            );
            Err(error.context(failed + if work.keep { &kept } else { "" }))
        }
    }
}

/// What all records together are like.
struct Survey {
    records: u64,
    bytes: u64,
    longest: u64,
    /// The smallest byte that no record holds.
    separator: Option<u8>,
}

/// Reads all records once, to know before sorting what would stop it after.
fn survey(files: &Files) -> Result<Survey> {
    let mut taken = [false; 256];
    let (mut records, mut bytes, mut longest) = (0, 0, 0);
    let bar = output::progress("reading", files.bytes);
    for record in files.records() {
        let record = record?;
        let length = record.bytes.len() as u64;
        for byte in record.bytes {
            taken[usize::from(byte)] = true;
        }
        records += 1;
        bytes += length;
        longest = longest.max(length);
        bar.set_position(bytes.min(files.bytes));
    }
    bar.finish_and_clear();
    let symbols = bytes + records;
    ensure!(
        symbols <= MAX_TOKENS,
        "the records have {symbols} bytes, counting one more for each, and an index holds at most \
         {MAX_TOKENS}: make several indexes"
    );
    let free = taken.iter().position(|taken| !taken);
    Ok(Survey {
        records,
        bytes,
        longest,
        separator: free.and_then(|free| free.try_into().ok()),
    })
}

/// The folder of an index that is not complete. Another process that builds the same waits outside.
struct Workplace {
    folder: PathBuf,
    plan: Plan,
    /// Whether the folder stays when the build is over without an index.
    keep: bool,
    /// Holds the lock.
    _lock: File,
}

impl Workplace {
    fn enter(folder: PathBuf, memory: Option<u64>) -> Result<Self> {
        let failed = || format!("cannot write the folder {}", folder.display());
        fs::create_dir_all(&folder).with_context(failed)?;
        let lock = File::create(folder.join(LOCK)).with_context(failed)?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => bail!(
                "another process is building {}: wait for it, or stop it",
                folder.display()
            ),
            Err(TryLockError::Error(error)) => return Err(error).with_context(failed),
        }
        let path = folder.join(PLAN);
        let before = match fs::read(&path) {
            Ok(text) => Some(
                serde_json::from_slice::<Plan>(&text)
                    .with_context(|| format!("{} is damaged: delete the folder", path.display()))?,
            ),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => None,
            Err(error) => {
                return Err(error).with_context(|| format!("cannot read {}", path.display()))
            }
        };
        let plan = Plan {
            memory: match (memory, before) {
                (Some(memory), _) => memory,
                (None, Some(before)) => before.memory,
                (None, None) => available_memory().unwrap_or(UNKNOWN_MEMORY) / 2,
            },
        };
        output::replace(&path, |out| Ok(serde_json::to_writer(out, &plan)?))?;
        let mut workplace = Self {
            folder,
            plan,
            keep: false,
            _lock: lock,
        };
        workplace
            .clean()
            .with_context(|| format!("cannot clean the folder {}", workplace.folder.display()))?;
        let parts = workplace.finished_parts();
        // Nobody else's mistake shall cost what is there.
        workplace.keep = parts > 0;
        if parts > 0 {
            tell(&format!(
                "going on with {}: {parts} parts are there, each is taken over if it is of these records",
                workplace.folder.display()
            ));
            if before != Some(plan) {
                tell("--memory is not what it was, so parts of another size will be made");
            }
        }
        Ok(workplace)
    }

    /// Removes what a process that was killed had half written.
    fn clean(&self) -> std::io::Result<()> {
        for folder in [self.folder.clone(), self.folder.join(PARTS)] {
            let entries = match fs::read_dir(folder) {
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => continue,
                entries => entries?,
            };
            for entry in entries {
                let path = entry?.path();
                if path
                    .extension()
                    .is_some_and(|extension| extension == "partial")
                {
                    fs::remove_file(path)?;
                }
            }
        }
        Ok(())
    }

    /// Parts of an earlier build, or of this one.
    fn finished_parts(&self) -> usize {
        let entries = fs::read_dir(self.folder.join(PARTS))
            .into_iter()
            .flatten()
            .flatten();
        entries
            .filter(|entry| entry.path().extension().is_none())
            .count()
    }

    /// Sorts the records in units of type `T`.
    fn index<T: Token>(
        &self,
        files: &Files,
        survey: &Survey,
        separator: T,
        widen: impl Fn(Vec<u8>) -> Vec<T>,
    ) -> Result<Description> {
        // A unit, its place in the suffix array, and its share of keys and block minima.
        let unit = size_of::<T>() as u64 + 5;
        let symbols = survey.bytes + survey.records;
        let most = (self.plan.memory / unit).min(MAX_SORTED);
        ensure!(
            survey.longest + 1 < most,
            "a record of {} bytes cannot be sorted with {} bytes of memory: give --memory more than {}, \
             or split the record",
            survey.longest,
            self.plan.memory,
            (survey.longest + 2) * unit
        );
        let parts = Parts {
            part_tokens: most.min(symbols + 1) as usize,
            separator,
        };

        let stop = stop_on_interrupt()?;
        let cancelled = || stop.load(Ordering::Relaxed);
        let bar = RefCell::new(output::progress("sorting", symbols));
        let (reused, cut) = (Cell::new(0), Cell::new(0));
        let progress = |now| match now {
            Progress::Part {
                tokens,
                reused: old,
                ..
            } => {
                cut.set(cut.get() + 1);
                reused.set(reused.get() + usize::from(old));
                bar.borrow().inc(tokens as u64);
            }
            Progress::Merged { suffixes, of } => follow_merge(&bar, suffixes, of),
        };
        let control = Control {
            cancelled: &cancelled,
            progress: &progress,
        };
        let mut gathered = Gathered::default();
        let mut refused = None;
        let units = files.records().map(|record| match record {
            Ok(record) => Ok(Some(widen(gathered.add(record)))),
            Err(error) => {
                // The engine passes an error of its own on; this one is reported in its place.
                refused = Some(error);
                Err(Error::Cancelled)
            }
        });
        let built = build_in_parts(&self.folder.join(DATA), units, parts, control);
        bar.borrow().finish_and_clear();
        if let Some(error) = refused {
            return Err(error);
        }
        built?;
        if reused.get() > 0 {
            tell(&format!(
                "took over {} of {} parts",
                reused.get(),
                cut.get()
            ));
        }
        let Gathered {
            leaves,
            names,
            owners,
        } = gathered;
        let rows = leaves.len();
        let root = Commitment::of(leaves).root;
        Ok(describe(Kind::Corpus, rows, root, names, owners))
    }

    /// Gives the complete index its name.
    fn publish(mut self, folder: &Path, description: &Description) -> Result<()> {
        let attempt = || -> Result<()> {
            write_description(&self.folder, description)?;
            fs::remove_file(self.folder.join(PLAN))?;
            fs::remove_file(self.folder.join(LOCK))?;
            fs::rename(&self.folder, folder)?;
            Ok(())
        };
        let published = attempt();
        self.keep = published.is_ok();
        published.with_context(|| format!("cannot write the index {}", folder.display()))
    }
}

impl Drop for Workplace {
    fn drop(&mut self) {
        if !self.keep {
            // The error that led here is the one to report; the folder's name tells what it is.
            let _ = fs::remove_dir_all(&self.folder);
        }
    }
}

/// What is kept of the records, beside their texts.
#[derive(Default)]
struct Gathered {
    leaves: Vec<Hash>,
    names: Vec<String>,
    owners: Vec<String>,
}

impl Gathered {
    /// Notes a record and gives its text.
    fn add(&mut self, record: records::Record) -> Vec<u8> {
        let row = self.leaves.len() as u32;
        self.leaves.push(text_leaf(row, &record.bytes));
        self.names.push(record.name);
        self.owners.push(record.owner);
        record.bytes
    }
}

/// Turns the bar of sorting into that of merging, and moves it on.
fn follow_merge(bar: &RefCell<ProgressBar>, suffixes: usize, of: usize) {
    if bar.borrow().prefix() != "merging" {
        bar.borrow().finish_and_clear();
        bar.replace(output::progress("merging", of as u64));
    }
    bar.borrow().set_position(suffixes as u64);
}

/// Says something beside the result.
fn tell(message: &str) {
    // Nobody may be there to read it.
    let _ = writeln!(std::io::stderr(), "{message}");
}

/// A flag that Ctrl-C sets. The second Ctrl-C ends the process; what is on disk stays usable.
fn stop_on_interrupt() -> Result<Arc<AtomicBool>> {
    let stop = Arc::new(AtomicBool::new(false));
    let flag = stop.clone();
    let mut signals = Signals::new([SIGINT]).context("cannot listen for Ctrl-C")?;
    std::thread::spawn(move || {
        for _ in &mut signals {
            if flag.swap(true, Ordering::Relaxed) {
                std::process::exit(INTERRUPTED.into());
            }
            tell("stopping when the part at hand is sorted; Ctrl-C again stops at once");
        }
    });
    Ok(stop)
}

/// Bytes of memory that this process can still have: what the system has, or its control group if that is
/// less.
fn available_memory() -> Option<u64> {
    let table = fs::read_to_string("/proc/meminfo").ok()?;
    let line = table
        .lines()
        .find_map(|line| line.strip_prefix("MemAvailable:"))?;
    let system = line.trim().strip_suffix(" kB")?.parse::<u64>().ok()? << 10;
    let number = |path: &str| fs::read_to_string(path).ok()?.trim().parse::<u64>().ok();
    let groups = [
        ("memory.max", "memory.current", ""),
        ("memory.limit_in_bytes", "memory.usage_in_bytes", "memory/"),
    ];
    let group = groups.iter().find_map(|(limit, usage, folder)| {
        let base = format!("/sys/fs/cgroup/{folder}");
        let limit = number(&format!("{base}{limit}"))?;
        Some(limit.saturating_sub(number(&format!("{base}{usage}"))?))
    });
    Some(group.map_or(system, |group| group.min(system)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_is_read_with_its_unit() {
        assert_eq!(parse_memory("1000"), Ok(1_000));
        assert_eq!(parse_memory("64K"), Ok(65_536));
        assert_eq!(parse_memory("3g"), Ok(3 << 30));
        assert!(parse_memory("3T").is_err());
        assert!(parse_memory("G").is_err());
        assert!(parse_memory("99999999999999999G").is_err());
    }

    #[test]
    fn the_system_says_what_it_has() {
        if cfg!(target_os = "linux") {
            assert!(available_memory().is_some_and(|bytes| bytes > 1 << 20));
        }
    }
}
