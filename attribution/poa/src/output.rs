//! What is printed and written.

use anyhow::{bail, Context, Result};
use attribution_engine::npy;
use serde::Serialize;
use std::{
    borrow::Cow,
    fmt::Write as _,
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
            writeln!(out, "{}", readable(line))?;
        }
    }
    Ok(())
}

/// Text that cannot move the cursor, recolour a terminal, break a line or turn what follows around: names
/// come from files, and files from anybody.
pub(crate) fn readable(text: &str) -> Cow<'_, str> {
    if !text.contains(is_control) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len() + 16);
    for character in text.chars() {
        if is_control(character) {
            // Writing to a string does not fail.
            let _ = write!(out, "{}", character.escape_default());
        } else {
            out.push(character);
        }
    }
    Cow::Owned(out)
}

/// Whether a character is of Unicode's control characters or changes the direction of text.
pub(crate) fn is_control(character: char) -> bool {
    character.is_control()
        || matches!(character, '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
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

/// Writes rows as CSV, JSON or JSON Lines, by the name of the file.
pub(crate) fn write_rows<R: Serialize>(path: &Path, rows: &[R]) -> Result<()> {
    match path.extension().and_then(|extension| extension.to_str()) {
        Some("csv") => replace(path, |out| {
            let mut writer = csv::Writer::from_writer(out);
            for row in rows {
                writer.serialize(row)?;
            }
            writer.flush().context("the disk may be full")
        }),
        Some("json") => replace(path, |out| Ok(serde_json::to_writer(out, rows)?)),
        Some("jsonl") => replace(path, |out| write_lines(out, rows)),
        _ => bail!(
            "{} ends in none of .csv, .json and .jsonl: results are written as one of these",
            path.display()
        ),
    }
}

/// A row of a matrix as an object.
#[derive(Serialize)]
struct Row<'a> {
    row: usize,
    values: &'a [f64],
}

/// Writes a row-major matrix as .npy, as CSV without a header, as a JSON array of rows, or as JSON Lines
/// of objects with `row` and `values`, by the name of the file. All but JSON can be read again.
pub(crate) fn write_matrix(path: &Path, columns: usize, values: &[f64]) -> Result<()> {
    let rows = || values.chunks_exact(columns);
    match path.extension().and_then(|extension| extension.to_str()) {
        Some("npy") => Ok(npy::write(path, &[rows().len(), columns], values)?),
        Some("csv") => replace(path, |out| {
            let mut writer = csv::Writer::from_writer(out);
            for row in rows() {
                writer.serialize(row)?;
            }
            writer.flush().context("the disk may be full")
        }),
        Some("json") => replace(path, |out| {
            Ok(serde_json::to_writer(out, &rows().collect::<Vec<_>>())?)
        }),
        Some("jsonl") => replace(path, |out| {
            let rows = rows().enumerate();
            write_lines(out, rows.map(|(row, values)| Row { row, values }))
        }),
        _ => bail!(
            "{} ends in none of .npy, .csv, .json and .jsonl: scores are written as one of these",
            path.display()
        ),
    }
}

fn write_lines(
    out: &mut BufWriter<File>,
    rows: impl IntoIterator<Item = impl Serialize>,
) -> Result<()> {
    for row in rows {
        serde_json::to_writer(&mut *out, &row)?;
        out.write_all(b"\n")?;
    }
    Ok(())
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

/// A sign on the terminal that work goes on whose end cannot be foreseen.
pub(crate) fn working(what: &'static str) -> indicatif::ProgressBar {
    let style = indicatif::ProgressStyle::with_template("{prefix:>14} {spinner} {elapsed}")
        .unwrap_or_else(|_| indicatif::ProgressStyle::default_spinner());
    let bar = indicatif::ProgressBar::new_spinner()
        .with_style(style)
        .with_prefix(what);
    bar.enable_steady_tick(std::time::Duration::from_millis(200));
    bar
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn control_characters_are_shown_and_not_obeyed() {
        assert_eq!(readable("Ünïcode, plain"), "Ünïcode, plain");
        assert_eq!(
            readable("a\u{1b}[31m\nb\u{202e}c"),
            "a\\u{1b}[31m\\nb\\u{202e}c"
        );
    }
}
