//! The program itself, on small files, from the outside.

use std::{
    fs,
    path::Path,
    process::{Command, Output},
};

fn poa(folder: &Path, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_poa"))
        .args(arguments)
        .current_dir(folder)
        .output()
        .unwrap()
}

/// The standard output of a command that must succeed.
fn done(folder: &Path, arguments: &[&str]) -> String {
    let output = poa(folder, arguments);
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "poa {arguments:?}: {error}");
    String::from_utf8(output.stdout).unwrap()
}

fn json(folder: &Path, arguments: &[&str]) -> serde_json::Value {
    serde_json::from_str(&done(folder, arguments)).unwrap()
}

/// The message of a command that must be refused with this status.
fn refused(folder: &Path, status: i32, arguments: &[&str]) -> String {
    let output = poa(folder, arguments);
    assert_eq!(output.status.code(), Some(status), "poa {arguments:?}");
    String::from_utf8_lossy(&output.stderr).into_owned()
}

fn books() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (name, text) in [
        (
            "books/dickens/tale.txt",
            "It was the best of times, it was the worst of times, it was the age of wisdom",
        ),
        (
            "books/melville/whale.txt",
            "Call me Ishmael. Some years ago, never mind how long precisely, having little money",
        ),
        (
            "books/thief/tale.txt",
            "It was the BEST of times, it was the  worst of times, it was the age of wisdom",
        ),
        (
            "answer.txt",
            "As one says: some years ago, it was the worst of times, it was so.",
        ),
    ] {
        let path = folder.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    folder
}

#[test]
fn texts_are_indexed_traced_and_verified() {
    let folder = books();
    let folder = folder.path();
    let built = json(
        folder,
        &["--json", "index", "corpus", "books", "--output", "i"],
    );
    assert_eq!(built["rows"], 3);
    let trace = json(
        folder,
        &[
            "trace",
            "--index",
            "i",
            "answer.txt",
            "--minimum",
            "12",
            "--json",
        ],
    );
    let spans = trace["spans"].as_array().unwrap();
    assert_eq!(spans[0]["text"], "ome years ago, ");
    assert_eq!(spans[0]["owners"], serde_json::json!(["melville"]));
    assert_eq!(spans[1]["text"], ", it was the worst of times, it was ");
    assert_eq!(spans[1]["owners"], serde_json::json!(["dickens"]));
    assert_eq!(trace["owners"][0]["owner"], "dickens");

    let verified = json(folder, &["verify", "i", "--json"]);
    assert_eq!(verified["verified"], true);
    assert_eq!(verified["root"], built["root"]);
    let other = "00".repeat(32);
    refused(folder, 3, &["verify", "i", "--root", &other]);

    let message = refused(folder, 1, &["index", "corpus", "books", "--output", "i"]);
    assert!(message.contains("i exists already"), "{message}");
}

#[test]
fn damaged_indexes_do_not_verify() {
    let folder = books();
    let folder = folder.path();
    done(folder, &["index", "corpus", "books", "--output", "i"]);
    let path = folder.join("i/index.bin");
    let whole = fs::read(&path).unwrap();

    fs::write(&path, &whole[..whole.len() - 1]).unwrap();
    let message = refused(folder, 1, &["verify", "i"]);
    assert!(message.contains("index.bin"), "{message}");

    let mut altered = whole.clone();
    let last = altered.len() - 1;
    altered[last] ^= 1;
    fs::write(&path, altered).unwrap();
    let message = refused(folder, 1, &["verify", "i"]);
    assert!(message.contains("checksum"), "{message}");

    // Another text under the same description is whole in itself, but has another root.
    fs::write(
        folder.join("books/thief/tale.txt"),
        "something else altogether",
    )
    .unwrap();
    done(folder, &["index", "corpus", "books", "--output", "j"]);
    fs::copy(folder.join("j/index.bin"), &path).unwrap();
    refused(folder, 3, &["verify", "i"]);

    fs::write(folder.join("i/index.json"), "{}").unwrap();
    let message = refused(folder, 1, &["verify", "i"]);
    assert!(message.contains("is damaged"), "{message}");
    let message = refused(folder, 1, &["trace", "--index", "books", "answer.txt"]);
    assert!(message.contains("books is no index"), "{message}");
}

#[test]
fn copies_are_found() {
    let folder = books();
    let report = json(
        folder.path(),
        &["dedup", "books", "--json", "--output", "copies.csv"],
    );
    let copies = report["copies"].as_array().unwrap();
    assert_eq!(copies.len(), 1);
    assert_eq!(copies[0]["record"], "thief/tale.txt");
    assert_eq!(copies[0]["original_owner"], "dickens");
    let csv = fs::read_to_string(folder.path().join("copies.csv")).unwrap();
    assert!(
        csv.starts_with("record,owner,original,original_owner,similarity\nthief/tale.txt,thief,")
    );
}

#[test]
fn influence_becomes_shares_of_one_billion() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    fs::write(folder.join("g.csv"), "1,0\n0,1\n1,1\n-1,0\n").unwrap();
    fs::write(folder.join("q.csv"), "1,0\n").unwrap();
    fs::write(folder.join("owners"), "a\nb\na\nc\n").unwrap();
    for method in ["grad-dot", "grad-cos", "datainf", "fisher"] {
        let arguments = [
            "influence",
            method,
            "--train",
            "g.csv",
            "--queries",
            "q.csv",
        ];
        let top = json(
            folder,
            &[&arguments[..], &["--json", "--output", "s.npy"]].concat(),
        );
        let last = top[0].as_array().unwrap().last().unwrap();
        assert_eq!(last["record"], 3, "{method}: the opposite gradient harms");
        let shares = [
            "shares", "--scores", "s.npy", "--owners", "owners", "--json",
        ];
        let shares = json(folder, &shares);
        let parts = |owner: &str| -> u64 {
            let shares = shares.as_array().unwrap();
            let found = shares.iter().find(|share| share["owner"] == owner).unwrap();
            found["parts"].as_u64().unwrap()
        };
        assert_eq!(parts("a") + parts("b") + parts("c"), 1_000_000_000);
        assert_eq!(parts("c"), 0, "{method}");
        assert!(parts("a") > parts("b"), "{method}");
    }
    let tracin = [
        "influence",
        "tracin",
        "--train",
        "g.csv",
        "--queries",
        "q.csv",
    ];
    let message = refused(folder, 1, &tracin);
    assert!(message.contains("not 1, 1 and 0 times"), "{message}");
    done(folder, &[&tracin[..], &["--learning-rate", "0.1"]].concat());

    done(
        folder,
        &[
            "index",
            "gradients",
            "g.csv",
            "--dimension",
            "64",
            "--output",
            "i",
        ],
    );
    done(folder, &["verify", "i"]);
    let message = refused(folder, 1, &["trace", "--index", "i", "owners"]);
    assert!(message.contains("an index of gradients"), "{message}");
}

#[test]
fn data_are_valued_by_every_method_and_the_seed_decides() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    // Two clusters on a line. The last datum of each carries the other's label.
    let point = |i: u32| f64::from(i % 2) * 5.0 + f64::from(i) / 50.0;
    let lines = |values: &mut dyn Iterator<Item = String>| values.collect::<Vec<_>>().join("\n");
    let label = |i: u32| if i >= 18 { 1 - i % 2 } else { i % 2 };
    fs::write(
        folder.join("x.csv"),
        lines(&mut (0..20).map(|i| point(i).to_string())),
    )
    .unwrap();
    fs::write(
        folder.join("y"),
        lines(&mut (0..20).map(|i| label(i).to_string())),
    )
    .unwrap();
    fs::write(
        folder.join("tx.csv"),
        lines(&mut (0..12).map(|i| point(i).to_string())),
    )
    .unwrap();
    fs::write(
        folder.join("ty"),
        lines(&mut (0..12).map(|i| (i % 2).to_string())),
    )
    .unwrap();
    fs::write(
        folder.join("owners"),
        lines(&mut (0..20).map(|i| format!("o{}", i / 18))),
    )
    .unwrap();
    let files = [
        "--train",
        "x.csv",
        "--labels",
        "y",
        "--test",
        "tx.csv",
        "--test-labels",
        "ty",
    ];
    for method in [
        "knn-shapley",
        "banzhaf",
        "shapley",
        "beta-shapley",
        "data-oob",
    ] {
        let options = [
            "--count", "200", "--model", "knn", "--owners", "owners", "--json",
        ];
        let arguments = [&["value", method][..], &files, &options].concat();
        let report = json(folder, &arguments);
        let values = report["values"].as_array().unwrap();
        let value = |datum: usize| values[datum]["value"].as_f64().unwrap();
        let right = (0..18).map(value).sum::<f64>() / 18.0;
        assert!(
            value(18) < right && value(19) < right,
            "{method}: {values:?}"
        );
        assert_eq!(report["owners"][0]["owner"], "o0", "{method}");
        assert_eq!(
            json(folder, &[&arguments[..], &["--threads", "1"]].concat()),
            report
        );
    }
    done(
        folder,
        &[&["value", "banzhaf", "--count", "64"][..], &files].concat(),
    );
    let options = [
        "value", "banzhaf", "--count", "64", "--model", "knn", "--json",
    ];
    let first = [&options[..], &files].concat();
    let other = [&first[..], &["--seed", "other"]].concat();
    assert_ne!(json(folder, &first), json(folder, &other));

    let script = "import sys, json\nfor line in sys.stdin:\n    s = json.loads(line)['subset']\n    print(len(s) + (0 in s), flush=True)";
    let command = ["--", "python3", "-c", script];
    let options = [
        "value", "banzhaf", "--model", "command", "--data", "4", "--count", "64", "--json",
    ];
    let report = json(folder, &[&options[..], &command].concat());
    let value = |datum: usize| report["values"][datum]["value"].as_f64().unwrap();
    assert!(value(0) > value(1), "{report}");
    let message = refused(folder, 1, &[&options[..], &["--", "false"]].concat());
    assert!(message.contains("the utility command `false`"), "{message}");
}

#[test]
fn bad_input_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    fs::write(folder.join("g.csv"), "1,nan\n").unwrap();
    fs::write(folder.join("bad.npy"), "not an array").unwrap();
    let influence = |train: &str| {
        refused(
            folder,
            1,
            &["influence", "fisher", "--train", train, "--queries", train],
        )
    };
    assert!(influence("g.csv").contains("row 0, column 1: NaN is not finite"));
    assert!(influence("bad.npy").contains("bad.npy"));
    assert!(influence("missing.csv").contains("cannot read missing.csv"));
    let message = refused(folder, 1, &["value", "knn-shapley"]);
    assert!(message.contains("--train is missing"), "{message}");
    refused(folder, 2, &["value", "nonsense"]);
    assert!(done(folder, &["--help"]).contains("Examples:"));
}
