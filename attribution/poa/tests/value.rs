//! `poa value`: margins, and permutations that stop when chains of them agree.

use std::{
    fs,
    path::Path,
    process::{Command, Output},
};

fn value(folder: &Path, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_poa"))
        .arg("value")
        .args(arguments)
        .current_dir(folder)
        .output()
        .unwrap()
}

fn report(folder: &Path, arguments: &[&str]) -> serde_json::Value {
    let output = value(folder, &[arguments, &["--json"]].concat());
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{arguments:?}: {error}");
    serde_json::from_slice(&output.stdout).unwrap()
}

fn refused(folder: &Path, arguments: &[&str]) -> String {
    let output = value(folder, arguments);
    assert_eq!(output.status.code(), Some(1), "{arguments:?}");
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// Two clusters on a line, the last two of forty data with the other's label.
fn clusters(folder: &Path) {
    let lines = |line: &dyn Fn(u32) -> String| (0..40).map(line).collect::<Vec<_>>().join("\n");
    let points = lines(&|i| (f64::from(i % 2) * 5.0 + f64::from(i) / 50.0).to_string());
    let labels = lines(&|i| (if i < 38 { i % 2 } else { 1 - i % 2 }).to_string());
    fs::write(folder.join("x.csv"), points).unwrap();
    fs::write(folder.join("y"), labels).unwrap();
}

const TRAIN: [&str; 4] = ["--train", "x.csv", "--labels", "y"];
const TEST: [&str; 4] = ["--test", "x.csv", "--test-labels", "y"];

#[test]
fn wrong_labels_have_negative_margins_without_errors() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    clusters(folder);
    let options = [
        &["margins", "--count", "60", "--output", "v.csv"][..],
        &TRAIN,
    ]
    .concat();
    let found = report(folder, &options);
    for (datum, value) in found["values"].as_array().unwrap().iter().enumerate() {
        assert_eq!(
            value["value"].as_f64().unwrap() < 0.0,
            datum >= 38,
            "{found}"
        );
        assert!(value["standard_error"].is_null());
    }
    let table = fs::read_to_string(folder.join("v.csv")).unwrap();
    assert!(table.starts_with("datum,value,standard_error,low,high\n0,"));
    assert_eq!(table.lines().count(), 41);
}

#[test]
fn permutations_stop_when_chains_agree_and_say_when_they_do_not() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    clusters(folder);
    let run = |count, bound| {
        let options = ["beta-shapley", "--model", "knn", "--count", count];
        report(
            folder,
            &[&options[..], &["--gelman-rubin", bound], &TRAIN, &TEST].concat(),
        )
    };
    let agreed = run("5000", "1.05");
    assert_eq!(agreed["converged"], true);
    assert!(agreed["gelman_rubin"].as_f64().unwrap() < 1.05);
    assert!(agreed["evaluations"].as_u64().unwrap() < 5000 * 39);
    let short = run("64", "1.000001");
    assert_eq!(short["converged"], false);
    assert!(short["gelman_rubin"].as_f64().unwrap() > 1.000_001);

    let options = ["beta-shapley", "--model", "knn", "--count", "64"];
    let output = value(
        folder,
        &[&options[..], &["--gelman-rubin", "1.000001"], &TRAIN, &TEST].concat(),
    );
    assert!(String::from_utf8_lossy(&output.stdout).contains("NOT converged"));
    let options = ["banzhaf", "--model", "knn", "--gelman-rubin", "1.05"];
    assert!(refused(folder, &[&options[..], &TRAIN, &TEST].concat()).contains("permutations"));
    let options = ["shapley", "--model", "knn", "--gelman-rubin", "0.9"];
    assert!(refused(folder, &[&options[..], &TRAIN, &TEST].concat()).contains("above 1"));
}

#[test]
fn commands_say_the_range_of_their_scores() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let script = "while read -r line; do echo 0.5; done";
    let command = ["--model", "command", "--data", "4", "--count", "64"];
    let run = |range: &[&'static str]| {
        [
            &["banzhaf"][..],
            &command,
            range,
            &["--json", "--", "sh", "-c", script],
        ]
        .concat()
    };
    // A constant says nothing about its error, unless it is known how far others may be.
    let output = value(folder, &run(&[]));
    let found: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert!(found["values"][0]["standard_error"].is_null(), "{found}");
    let output = value(folder, &run(&["--range", "0", "1"]));
    let found: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert!(found["values"][0]["standard_error"].as_f64().unwrap() > 0.0);
    let message = refused(folder, &run(&["--range", "-1", "0.25"]));
    assert!(message.contains("a utility is 0.5"), "{message}");
}
