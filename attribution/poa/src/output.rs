//! What is printed and written.

use anyhow::{bail, Context, Result};
use serde::Serialize;
use std::{
    fs::{self, File},
    io::{BufWriter, Write},
    path::{Path, PathBuf},
};

/// Prints a result: as JSON, or as lines for people.
pub(crate) fn print(json: bool, result: &impl Serialize, lines: &[String]) -> Result<()> {
    let mut out = std::io::stdout().lock();
    if json {
        serde_json::to_writer_pretty(&mut out, result).map_err(std::io::Error::from)?;
        writeln!(out)?;
    } else {
        for line in lines {
            writeln!(out, "{line}")?;
        }
    }
    Ok(())
}

/// Writes a file that appears under its name only when it is complete.
pub(crate) fn replace(
    path: &Path,
    write: impl FnOnce(&mut BufWriter<File>) -> Result<()>,
) -> Result<()> {
    let mut partial = path.as_os_str().to_owned();
    partial.push(format!(".{}.partial", std::process::id()));
    let partial = PathBuf::from(partial);
    let attempt = || -> Result<()> {
        let mut out = BufWriter::new(File::create(&partial)?);
        write(&mut out)?;
        out.into_inner()
            .map_err(std::io::IntoInnerError::into_error)?
            .sync_all()?;
        fs::rename(&partial, path)?;
        Ok(())
    };
    attempt().map_err(|error| {
        // The first error is the one to report; a partial file that cannot be removed is harmless.
        let _ = fs::remove_file(&partial);
        error.context(format!("cannot write {}", path.display()))
    })
}

/// Writes rows as CSV or JSON, by the name of the file.
pub(crate) fn write_rows<R: Serialize>(path: &Path, rows: &[R]) -> Result<()> {
    match path.extension().and_then(|extension| extension.to_str()) {
        Some("csv") => replace(path, |out| {
            let mut writer = csv::Writer::from_writer(out);
            for row in rows {
                writer.serialize(row)?;
            }
            writer.flush().context("the disk may be full")
        }),
        Some("json") => replace(path, |out| {
            serde_json::to_writer(&mut *out, rows)?;
            Ok(())
        }),
        _ => bail!(
            "{} ends in neither .csv nor .json: results are written as one of these",
            path.display()
        ),
    }
}

/// A bar on the terminal for long work, with rate and remaining time.
pub(crate) fn progress(what: &'static str, total: u64) -> indicatif::ProgressBar {
    let template = "{prefix:>14} [{bar:32}] {pos}/{len} {per_sec} (eta {eta})";
    let style = indicatif::ProgressStyle::with_template(template)
        .unwrap_or_else(|_| indicatif::ProgressStyle::default_bar())
        .progress_chars("=> ");
    indicatif::ProgressBar::new(total)
        .with_style(style)
        .with_prefix(what)
}
