//! `poa bench` measures and prints every row; how fast is not for a test to say.

mod common;

use common::{done, refused};

#[test]
fn every_row_is_measured() {
    let folder = tempfile::tempdir().unwrap();
    let out = done(folder.path(), &["bench", "--quick", "--json"]);
    let rows: serde_json::Value = serde_json::from_str(&out).unwrap();
    let rows = rows.as_array().unwrap();
    let names = rows
        .iter()
        .map(|row| row["name"].as_str().unwrap())
        .collect::<Vec<_>>();
    let expected = [
        "index 4 MB of text",
        "count 16 bytes",
        "infinite-gram probability, 64 bytes",
        "trace 458 bytes",
        "project a gradient, 2^20 to 1024",
        "scan 125000 rows, best 64",
        "KNN-Shapley of 10000 x 200 distances",
        "KNN-Shapley end to end, 64 features",
    ];
    assert_eq!(names, expected);
    for row in rows {
        for number in ["rate", "seconds", "reference_seconds", "ratio"] {
            let number = row[number].as_f64().unwrap();
            assert!(number > 0.0 && number.is_finite(), "{row}");
        }
    }
}

#[test]
fn a_corpus_that_is_too_small_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("a.txt"), "too little").unwrap();
    let message = refused(folder.path(), 1, &["bench", "--quick", "--corpus", "a.txt"]);
    assert!(message.contains("the corpus has 10 bytes"), "{message}");
}
