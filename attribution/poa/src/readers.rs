//! The parsers of files that others wrote, for whoever wants to try them on any bytes.
//!
//! What they read is checked and counted, not kept.

use crate::{records, tables};
use anyhow::Result;
use std::path::Path;

/// Reads a matrix from a `.npy`, JSON Lines (`.jsonl`) or CSV file; rows and columns.
///
/// # Errors
/// When it cannot be read, is ragged, empty, or not of finite numbers.
pub fn matrix(path: &Path) -> Result<(usize, usize)> {
    let table = tables::matrix(path)?;
    Ok((table.rows, table.columns))
}

/// Reads labels from a `.npy` file or lines of text; how many there are.
///
/// # Errors
/// When they cannot be read or one is no number from 0 on.
pub fn labels(path: &Path) -> Result<usize> {
    tables::labels(path).map(|labels| labels.len())
}

/// Reads an owner's name a line, for each of `rows` records.
///
/// # Errors
/// When there are not as many lines or one is empty.
pub fn names(path: &Path, rows: usize) -> Result<()> {
    tables::names(path, rows).map(|_| ())
}

/// Reads records of text from a JSON Lines, CSV or other file; how many there are.
///
/// # Errors
/// When there are none or the file is malformed.
pub fn records(path: &Path) -> Result<usize> {
    records::read(&[path.to_owned()]).map(|records| records.len())
}
