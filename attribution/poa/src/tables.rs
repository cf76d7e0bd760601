//! Arrays of numbers from `.npy` and CSV files.

use anyhow::{bail, Context, Result};
use attribution_engine::npy::{self, DataType};
use std::path::Path;

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

/// Reads a matrix: a two-dimensional `.npy` array of `f4` or `f8`, or a CSV file of numbers without a
/// header. Doubles are rounded to `f32`.
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
    } else {
        csv_matrix(path)?
    };
    if rows == 0 || columns == 0 {
        bail!("{shown} is empty: it needs at least one row and one column");
    }
    if let Some(at) = values.iter().position(|value| !value.is_finite()) {
        bail!(
            "{shown}, row {}, column {}: {} is not finite as a 32-bit number",
            at / columns,
            at % columns,
            values[at]
        );
    }
    Ok(Table {
        rows,
        columns,
        values,
    })
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
    path.extension().is_some_and(|extension| extension == "npy")
}

fn csv_matrix(path: &Path) -> Result<(usize, usize, Vec<f32>)> {
    let shown = path.display();
    let mut reader = csv::ReaderBuilder::new()
        .has_headers(false)
        .flexible(true)
        .from_path(path)
        .with_context(|| format!("cannot read {shown}"))?;
    let (mut rows, mut columns, mut values) = (0, 0, Vec::new());
    for line in reader.records() {
        let line = line.with_context(|| format!("cannot read {shown}"))?;
        if rows == 0 {
            columns = line.len();
        }
        if line.len() != columns {
            bail!(
                "{shown}, row {rows}: it has {} columns, the first row has {columns}",
                line.len()
            );
        }
        for (column, field) in line.iter().enumerate() {
            let value: f32 = field.trim().parse().ok().with_context(|| {
                format!("{shown}, row {rows}, column {column}: {field:?} is no number")
            })?;
            values.push(value);
        }
        rows += 1;
    }
    Ok((rows, columns, values))
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
        assert!(refused("1,2\n3\n").contains("row 1: it has 1 columns, the first row has 2"));
        assert!(refused("1,x\n").contains("row 0, column 1: \"x\" is no number"));
        assert!(refused("1\nNaN\n").contains("row 1, column 0: NaN is not finite"));
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
