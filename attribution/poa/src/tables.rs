//! Arrays of numbers from `.npy`, JSON Lines and CSV files.

use anyhow::{anyhow, bail, ensure, Context, Result};
use attribution_engine::npy::{self, DataType};
use serde::Deserialize;
use std::{
    fs::File,
    io::{BufRead, BufReader},
    path::Path,
};

/// A matrix of `f32`, row-major.
#[derive(Debug)]
pub(crate) struct Table {
    /// Number of rows.
    pub(crate) rows: usize,
    /// Number of columns.
    pub(crate) columns: usize,
    /// `rows x columns` finite values.
    pub(crate) values: Vec<f32>,
}

/// Reads a matrix: a two-dimensional `.npy` array of `f4` or `f8`, JSON Lines, or a CSV file of numbers
/// without a header. Doubles are rounded to `f32`.
///
/// A line of JSON is an array of numbers, or an object that has it under the key `gradient` or
/// `values`; other keys are ignored, and so are blank lines.
pub(crate) fn matrix(path: &Path) -> Result<Table> {
    let shown = path.display();
    let (rows, columns, values) = if is_npy(path) {
        match npy::header(path)?.data_type {
            DataType::F64 => {
                let array = npy::read::<f64>(path)?;
                let (rows, columns) = shape(path, &array.shape)?;
                let values = array.values.iter().map(|value| *value as f32).collect();
                (rows, columns, values)
            }
            _ => {
                let array = npy::read::<f32>(path)?;
                let (rows, columns) = shape(path, &array.shape)?;
                (rows, columns, array.values)
            }
        }
    } else if has_extension(path, "jsonl") {
        lines(path, json_row)?
    } else {
        lines(path, csv_row)?
    };
    if rows == 0 || columns == 0 {
        bail!("{shown} is empty: it needs at least one row and one column");
    }
    if let Some(at) = values.iter().position(|value| !value.is_finite()) {
        let (row, column) = (at / columns, at % columns);
        bail!("{shown}, {}", not_finite(row, column, values[at]));
    }
    Ok(Table {
        rows,
        columns,
        values,
    })
}

fn not_finite(row: usize, column: usize, value: f32) -> String {
    format!("row {row}, column {column}: {value} is not finite as a 32-bit number")
}

fn shape(path: &Path, shape: &[usize]) -> Result<(usize, usize)> {
    match *shape {
        [rows, columns] => Ok((rows, columns)),
        _ => bail!(
            "{} has {} dimensions: two are needed, a row for each record",
            path.display(),
            shape.len()
        ),
    }
}

fn is_npy(path: &Path) -> bool {
    has_extension(path, "npy")
}

fn has_extension(path: &Path, wanted: &str) -> bool {
    path.extension()
        .is_some_and(|extension| extension == wanted)
}

/// Rows of text that become a matrix.
#[derive(Default)]
struct Lines {
    rows: usize,
    columns: usize,
    values: Vec<f32>,
}

impl Lines {
    /// Checks the row that was appended to the values and came from this line.
    fn end_row(&mut self, path: &Path, line: u64) -> Result<()> {
        let shown = path.display();
        let row = self.rows;
        let start = row * self.columns;
        let found = self.values.len() - start;
        if row == 0 {
            self.columns = found;
        }
        ensure!(
            found == self.columns,
            "{shown}, line {line}, row {row}: it has {found} columns, the first row has {}",
            self.columns
        );
        if let Some(column) = (0..found).find(|i| !self.values[start + i].is_finite()) {
            let value = self.values[start + column];
            bail!("{shown}, line {line}, {}", not_finite(row, column, value));
        }
        self.rows += 1;
        Ok(())
    }

    fn finish(self) -> (usize, usize, Vec<f32>) {
        (self.rows, self.columns, self.values)
    }
}

/// A line of JSON that is no bare array.
#[derive(Deserialize)]
struct Named {
    gradient: Option<Vec<f32>>,
    values: Option<Vec<f32>>,
}

/// Reads a row a line, leaving blank lines out; `row` says what is wrong with one.
fn lines(
    path: &Path,
    row: impl Fn(&str) -> Result<Vec<f32>, String>,
) -> Result<(usize, usize, Vec<f32>)> {
    let shown = path.display();
    let file = File::open(path).with_context(|| format!("cannot read {shown}"))?;
    let mut reader = BufReader::with_capacity(1 << 20, file);
    let (mut found, mut text) = (Lines::default(), String::new());
    for line in 1.. {
        text.clear();
        let read = reader.read_line(&mut text);
        if read.with_context(|| format!("cannot read {shown}, line {line}"))? == 0 {
            break;
        }
        let text = text.trim();
        if text.is_empty() {
            continue;
        }
        let values = row(text).map_err(|problem| anyhow!("{shown}, line {line}: {problem}"))?;
        found.values.extend(values);
        found.end_row(path, line)?;
    }
    Ok(found.finish())
}

/// The numbers of a line, or what is wrong with it.
fn json_row(text: &str) -> Result<Vec<f32>, String> {
    json_numbers(text).map_err(|problem| {
        format!(
            "{problem}: a line is an array of numbers, or an object with one under the key \
             gradient or values"
        )
    })
}

fn json_numbers(text: &str) -> Result<Vec<f32>, String> {
    let problem = |error: serde_json::Error| {
        // The line that the parser counts is always its first.
        let message = error.to_string();
        let message = message.split(" at line ").next().unwrap_or_default();
        format!("{message} at character {}", error.column())
    };
    if text.starts_with('[') {
        return serde_json::from_str(text).map_err(problem);
    }
    let named: Named = serde_json::from_str(text).map_err(problem)?;
    match (named.gradient, named.values) {
        (Some(row), None) | (None, Some(row)) => Ok(row),
        (None, None) => Err("it has neither of the keys gradient and values".to_owned()),
        (Some(_), Some(_)) => Err("it has both of the keys gradient and values".to_owned()),
    }
}

/// The numbers between commas, with or without quotation marks.
fn csv_row(text: &str) -> Result<Vec<f32>, String> {
    text.split(',')
        .enumerate()
        .map(|(column, field)| {
            let field = field.trim();
            let number = field.trim_matches('"').trim().parse();
            number.map_err(|_| format!("column {column}: {field:?} is no number"))
        })
        .collect()
}

/// Reads labels: a one-dimensional `.npy` array of integers, or a text file with a number a line.
pub(crate) fn labels(path: &Path) -> Result<Vec<u32>> {
    let shown = path.display();
    let narrow = |values: Vec<i64>| -> Result<Vec<u32>> {
        (0..)
            .zip(values)
            .map(|(row, value): (usize, i64)| {
                u32::try_from(value).ok().with_context(|| {
                    format!("{shown}, row {row}: the label {value} is not in 0..2^32")
                })
            })
            .collect()
    };
    if !is_npy(path) {
        let text = std::fs::read_to_string(path).with_context(|| format!("cannot read {shown}"))?;
        return (1..)
            .zip(text.lines())
            .map(|(number, line): (usize, &str)| {
                line.trim().parse().ok().with_context(|| {
                    format!(
                        "{shown}, line {number}: {line:?} is no label, which is a number from 0 on"
                    )
                })
            })
            .collect();
    }
    let header = npy::header(path)?;
    if header.shape.len() != 1 {
        bail!(
            "{shown} has {} dimensions: labels have one",
            header.shape.len()
        );
    }
    match header.data_type {
        DataType::U8 => Ok(npy::read::<u8>(path)?
            .values
            .into_iter()
            .map(u32::from)
            .collect()),
        DataType::U32 => Ok(npy::read::<u32>(path)?.values),
        DataType::I32 => narrow(
            npy::read::<i32>(path)?
                .values
                .into_iter()
                .map(i64::from)
                .collect(),
        ),
        _ => narrow(npy::read::<i64>(path)?.values),
    }
}

/// Reads a name a line: who owns each row.
pub(crate) fn names(path: &Path, rows: usize) -> Result<Vec<String>> {
    let text = std::fs::read_to_string(path)
        .with_context(|| format!("cannot read {} as UTF-8", path.display()))?;
    let names = text
        .lines()
        .map(|line| line.trim().to_owned())
        .collect::<Vec<_>>();
    if names.len() != rows {
        bail!(
            "{} has {} lines for {rows} records: it needs an owner's name a line for each",
            path.display(),
            names.len()
        );
    }
    if let Some(line) = names.iter().position(String::is_empty) {
        bail!(
            "{}, line {}: the owner's name is missing",
            path.display(),
            line + 1
        );
    }
    Ok(names)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(name: &str, text: &str) -> (tempfile::TempDir, std::path::PathBuf) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        (folder, path)
    }

    #[test]
    fn tables_of_both_kinds_are_read() {
        let (_folder, path) = file("a.csv", "1, 2.5\n-3,4e1\n");
        let table = matrix(&path).unwrap();
        assert_eq!((table.rows, table.columns), (2, 2));
        assert_eq!(table.values, [1.0, 2.5, -3.0, 40.0]);

        let npy = path.with_file_name("a.npy");
        npy::write(&npy, &[2, 2], &[1.0_f64, 2.5, -3.0, 40.0]).unwrap();
        assert_eq!(matrix(&npy).unwrap().values, table.values);
    }

    #[test]
    fn lines_of_json_are_arrays_or_objects() {
        let text = "[1, 2.5]\n\n{\"gradient\": [-3, 4e1], \"id\": \"x\"}\r\n  {\"values\":[0,-0]}";
        let (_folder, path) = file("a.jsonl", text);
        let table = matrix(&path).unwrap();
        assert_eq!((table.rows, table.columns), (3, 2));
        assert_eq!(table.values, [1.0, 2.5, -3.0, 40.0, 0.0, 0.0]);

        let refused = |text: &str| {
            let (_folder, path) = file("a.jsonl", text);
            format!("{:#}", matrix(&path).unwrap_err())
        };
        let ragged = "line 3, row 1: it has 1 columns, the first row has 2";
        assert!(refused("[1,2]\n\n[3]\n").contains(ragged));
        let found = refused("[1]\n[NaN]\n");
        assert!(
            found.contains("line 2: expected value at character 2: a line is"),
            "{found}"
        );
        assert!(refused("[1]\n[null]\n").contains("line 2: invalid type: null"));
        assert!(refused("[[1]]\n").contains("line 1: invalid type: sequence"));
        assert!(refused("[1]\n[1e39]\n").contains("line 2, row 1, column 0: inf is not finite"));
        assert!(refused("{\"x\": [1]}\n").contains("line 1: it has neither of the keys"));
        assert!(refused("{\"values\": [1], \"gradient\": [1]}").contains("both of the keys"));
        assert!(refused("{\"values\": [1], \"values\": [1]}").contains("duplicate field"));
        assert!(refused("7\n").contains("line 1: invalid type: integer"));
        assert!(refused("").contains("is empty"));
        assert!(refused("[]\n[]\n").contains("is empty"));

        let (_folder, path) = file("a.jsonl", "");
        std::fs::write(&path, b"[1]\n\xff\n").unwrap();
        let message = format!("{:#}", matrix(&path).unwrap_err());
        assert!(
            message.contains("line 2") && message.contains("UTF-8"),
            "{message}"
        );
    }

    #[test]
    fn labels_of_every_type_are_read() {
        let (_folder, path) = file("y.txt", "3\n0\n");
        assert_eq!(labels(&path).unwrap(), [3, 0]);
        let npy = path.with_file_name("y.npy");
        npy::write(&npy, &[2], &[3_i64, 0]).unwrap();
        assert_eq!(labels(&npy).unwrap(), [3, 0]);
        npy::write(&npy, &[2], &[3_i32, 0]).unwrap();
        assert_eq!(labels(&npy).unwrap(), [3, 0]);
        npy::write(&npy, &[2], &[3_u8, 0]).unwrap();
        assert_eq!(labels(&npy).unwrap(), [3, 0]);
        npy::write(&npy, &[1], &[-1_i64]).unwrap();
        assert!(labels(&npy)
            .unwrap_err()
            .to_string()
            .contains("row 0: the label -1"));
        npy::write(&npy, &[1, 1], &[1_i64]).unwrap();
        assert!(labels(&npy)
            .unwrap_err()
            .to_string()
            .contains("2 dimensions"));
    }

    #[test]
    fn bad_tables_are_refused_with_their_place() {
        let refused = |text: &str| {
            let (_folder, path) = file("a.csv", text);
            matrix(&path).unwrap_err().to_string()
        };
        let ragged = "line 2, row 1: it has 1 columns, the first row has 2";
        assert!(refused("1,2\n3\n").contains(ragged));
        assert!(refused("1,x\n").contains("line 1: column 1: \"x\" is no number"));
        assert!(refused("1\n\nNaN\n").contains("line 3, row 1, column 0: NaN is not finite"));
        assert!(refused("1\n1e39\n").contains("row 1, column 0: inf is not finite"));
        assert!(refused("").contains("is empty"));
        let (_folder, path) = file("owners", "a\n\n");
        assert!(names(&path, 3)
            .unwrap_err()
            .to_string()
            .contains("2 lines for 3 records"));
        assert!(names(&path, 2)
            .unwrap_err()
            .to_string()
            .contains("line 2: the owner's name"));
    }
}
