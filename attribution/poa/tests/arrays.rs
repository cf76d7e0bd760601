//! Arrays in all their formats, and the methods of `poa influence` on them.

mod common;

use common::{done, poa, refused};
use std::{
    fs,
    io::Read,
    path::Path,
    process::{Command, Stdio},
};

/// Numbers that look random and are the same each time.
fn numbers(seed: u64, count: usize) -> Vec<f64> {
    let mut state = seed;
    (0..count)
        .map(|_| {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            (state >> 40) as f64 / 8_388_608.0 - 1.0
        })
        .collect()
}

/// Writes rows as CSV.
fn csv(folder: &Path, name: &str, columns: usize, values: &[f64]) {
    let lines = values.chunks(columns).map(|row| {
        let row = row.iter().map(ToString::to_string).collect::<Vec<_>>();
        row.join(",") + "\n"
    });
    fs::write(folder.join(name), lines.collect::<String>()).unwrap();
}

/// Reads a CSV matrix.
fn read(folder: &Path, name: &str) -> Vec<f64> {
    let text = fs::read_to_string(folder.join(name)).unwrap();
    text.split([',', '\n'])
        .filter(|field| !field.is_empty())
        .map(|field| field.parse().unwrap())
        .collect()
}

#[test]
fn formats_hold_the_same_numbers_on_both_ends() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    csv(folder, "g.csv", 2, &[1.0, 0.0, 0.25, -1.0, 0.5, 0.5]);
    fs::write(
        folder.join("g.jsonl"),
        "[1, 0]\n{\"id\": \"b\", \"gradient\": [0.25, -1]}\n{\"values\": [0.5, 0.5]}\n",
    )
    .unwrap();
    fs::write(folder.join("owners"), "a\nb\na\n").unwrap();
    let influence = |train: &str, output: &str| {
        let arguments = ["influence", "grad-dot", "--queries", "g.csv", "--train"];
        done(
            folder,
            &[&arguments[..], &[train, "--output", output]].concat(),
        );
    };
    let shares = |scores: &str, output: &str| {
        let arguments = ["shares", "--owners", "owners", "--json", "--scores"];
        done(
            folder,
            &[&arguments[..], &[scores, "--output", output]].concat(),
        )
    };
    influence("g.csv", "expected.csv");
    let expected = fs::read_to_string(folder.join("expected.csv")).unwrap();
    assert_eq!(
        expected,
        "1.0,0.25,0.5\n0.25,1.0625,-0.375\n0.5,-0.375,0.5\n"
    );
    let split = shares("expected.csv", "shares.csv");
    for end in ["csv", "npy", "jsonl"] {
        let name = format!("scores.{end}");
        influence("g.jsonl", &name);
        assert_eq!(shares(&name, "shares.jsonl"), split, "{end}");
    }
    influence("g.jsonl", "scores.json");
    let json = fs::read_to_string(folder.join("scores.json")).unwrap();
    assert_eq!(
        json,
        "[[1.0,0.25,0.5],[0.25,1.0625,-0.375],[0.5,-0.375,0.5]]"
    );
    let lines = fs::read_to_string(folder.join("scores.jsonl")).unwrap();
    assert!(
        lines.starts_with("{\"row\":0,\"values\":[1.0,0.25,0.5]}\n"),
        "{lines}"
    );
    let lines = fs::read_to_string(folder.join("shares.jsonl")).unwrap();
    assert!(
        lines.starts_with("{\"owner\":\"a\",\"records\":2,\"parts\":"),
        "{lines}"
    );

    let arguments = [
        "influence",
        "grad-dot",
        "--queries",
        "g.csv",
        "--train",
        "g.csv",
    ];
    let message = refused(
        folder,
        1,
        &[&arguments[..], &["--output", "scores.txt"]].concat(),
    );
    assert!(
        message.contains("none of .npy, .csv, .json and .jsonl"),
        "{message}"
    );
    let arguments = ["shares", "--owners", "owners", "--scores", "scores.npy"];
    let message = refused(
        folder,
        1,
        &[&arguments[..], &["--output", "shares.npy"]].concat(),
    );
    assert!(
        message.contains("none of .csv, .json and .jsonl"),
        "{message}"
    );

    done(
        folder,
        &[
            "index",
            "gradients",
            "g.jsonl",
            "--dimension",
            "64",
            "--output",
            "i",
        ],
    );
    fs::write(folder.join("y"), "0\n1\n0\n").unwrap();
    let value = |x: &str| {
        let labels = ["--labels", "y", "--test-labels", "y", "--neighbours", "1"];
        let features = ["value", "knn-shapley", "--train", x, "--test", x];
        done(folder, &[&features[..], &labels].concat())
    };
    assert_eq!(value("g.jsonl"), value("g.csv"));
}

#[test]
fn bad_lines_are_named() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    fs::write(folder.join("g.jsonl"), "[1, 0]\n{\"gradients\": [1, 0]}\n").unwrap();
    let arguments = [
        "influence",
        "fisher",
        "--train",
        "g.jsonl",
        "--queries",
        "g.jsonl",
    ];
    let message = refused(folder, 1, &arguments);
    assert!(
        message.contains("g.jsonl, line 2: it has neither of the keys"),
        "{message}"
    );
}

#[test]
fn top_says_how_many_records_are_named() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    csv(folder, "g.csv", 1, &[1.0, 3.0, 2.0, 3.0]);
    csv(folder, "q.csv", 1, &[1.0, -1.0]);
    let arguments = [
        "influence",
        "grad-dot",
        "--train",
        "g.csv",
        "--queries",
        "q.csv",
        "--top",
    ];
    let top = |count| done(folder, &[&arguments[..], &[count]].concat());
    assert_eq!(
        top("2"),
        "query 0: 1 (3.000e0), 3 (3.000e0)\nquery 1: 0 (-1.000e0), 2 (-2.000e0)\n"
    );
    assert_eq!(top("9").lines().next().unwrap().matches('(').count(), 4);
    refused(folder, 2, &[&arguments[..], &["0"]].concat());
}

#[test]
fn one_model_and_a_known_ridge_make_trak_a_fisher_with_misses() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let (n, k) = (12, 3);
    csv(folder, "f.csv", k, &numbers(1, n * k));
    csv(folder, "q.csv", k, &numbers(2, 2 * k));
    let misses = numbers(3, n)
        .iter()
        .map(|miss| miss.abs())
        .collect::<Vec<_>>();
    csv(folder, "p.csv", 1, &misses);
    let models = ["--train", "f.csv", "--queries", "q.csv"];
    let run = |options: &[&str]| done(folder, &[&["influence"], options, &models[..]].concat());
    run(&["fisher", "--damping", "0.5", "--output", "fisher.csv"]);
    run(&[
        "trak", "--misses", "p.csv", "--ridge", "0.5", "--output", "trak.csv",
    ]);
    let (fisher, trak) = (read(folder, "fisher.csv"), read(folder, "trak.csv"));
    for (i, (fisher, trak)) in fisher.iter().zip(&trak).enumerate() {
        let expected = fisher * f64::from(misses[i % n] as f32);
        assert!((trak - expected).abs() < 1e-12, "{trak} {expected}");
    }
    let trak = |options: &[&str]| {
        refused(
            folder,
            1,
            &[&["influence", "trak"], &models[..], options].concat(),
        )
    };
    let message = trak(&["--ridge", "0.1"]);
    assert!(message.contains("not 1, 1 and 0 times"), "{message}");
    let message = trak(&["--misses", "p.csv"]);
    assert!(
        message.contains("one --ridge, such as 0.01, or --outputs"),
        "{message}"
    );
    let message = trak(&["--misses", "f.csv", "--ridge", "0.1"]);
    assert!(message.contains("12 rows and 3 columns"), "{message}");
    let message = trak(&["--misses", "p.csv", "--rank", "3"]);
    assert!(
        message.contains("trak does not take --rank: that is for logra"),
        "{message}"
    );
}

#[test]
fn the_ridge_that_predicts_left_out_outputs_is_chosen() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let (n, k, models) = (16, 3, 24);
    let features = numbers(1, n * k);
    csv(folder, "f.csv", k, &features);
    csv(folder, "q.csv", k, &numbers(2, k));
    csv(folder, "p.csv", 1, &vec![1.0; n]);
    let halves = numbers(3, models * n);
    let members = halves.iter().map(|half| f64::from(*half < 0.0));
    let members = members.collect::<Vec<_>>();
    csv(folder, "members.csv", n, &members);
    // Outputs that are the predictions of plain products: those of the largest ridge.
    let outputs = (0..models * n).map(|at| {
        let of = |record: usize| &features[record * k..][..k];
        (0..n)
            .filter(|i| members[at / n * n + i] == 1.0)
            .map(|i| {
                of(i)
                    .iter()
                    .zip(of(at % n))
                    .map(|(a, b)| a * b)
                    .sum::<f64>()
            })
            .sum()
    });
    csv(folder, "outputs.csv", n, &outputs.collect::<Vec<_>>());
    let mut arguments = vec!["influence", "trak"];
    for _ in 0..models {
        arguments.extend([
            "--train",
            "f.csv",
            "--queries",
            "q.csv",
            "--misses",
            "p.csv",
        ]);
    }
    arguments.extend(["--outputs", "outputs.csv", "--members", "members.csv"]);
    let output = poa(
        folder,
        &[&arguments[..], &["--ridge", "0.001,1000"]].concat(),
    );
    let notes = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{notes}");
    assert!(
        notes.contains("ridge      1000: left-out outputs agree by 1.000  chosen"),
        "{notes}"
    );
    // The default candidates.
    let output = poa(folder, &arguments);
    assert_eq!(String::from_utf8_lossy(&output.stderr).lines().count(), 6);

    csv(folder, "members.csv", n, &vec![0.5; models * n]);
    let message = refused(folder, 1, &arguments);
    assert!(
        message.contains("row 0, column 0: 0.5 is neither 0 nor 1"),
        "{message}"
    );
}

#[test]
fn layers_of_single_tokens_score_like_their_gradients() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let (n, queries, inputs, outputs) = (10, 3, 3, 2);
    // Gradients of records with one token each are outer products.
    let sides = |name: &str, seed, records: usize| {
        let rounded = |values: Vec<f64>| {
            values
                .iter()
                .map(|v| f64::from(*v as f32))
                .collect::<Vec<_>>()
        };
        let x = rounded(numbers(seed, records * inputs));
        let d = rounded(numbers(seed + 1, records * outputs));
        csv(folder, &format!("{name}x.csv"), inputs, &x);
        csv(folder, &format!("{name}d.csv"), outputs, &d);
        let gradients = (0..records).flat_map(|i| {
            let (x, d) = (&x[i * inputs..][..inputs], &d[i * outputs..][..outputs]);
            d.iter()
                .flat_map(|d| x.iter().map(move |x| d * x))
                .collect::<Vec<_>>()
        });
        csv(
            folder,
            &format!("{name}g.csv"),
            inputs * outputs,
            &gradients.collect::<Vec<_>>(),
        );
    };
    sides("t", 1, n);
    sides("q", 5, queries);
    let layers = [
        "--train",
        "tx.csv",
        "--train-deltas",
        "td.csv",
        "--queries",
        "qx.csv",
        "--query-deltas",
        "qd.csv",
    ];
    let run = |options: &[&str]| done(folder, &[&["influence"], options].concat());
    // Complete bases only turn the gradients, which changes no influence.
    run(&[&["logra", "--output", "logra.csv"], &layers[..]].concat());
    let gradients = [
        "fisher",
        "--train",
        "tg.csv",
        "--queries",
        "qg.csv",
        "--output",
        "fisher.csv",
    ];
    run(&gradients);
    let (logra, fisher) = (read(folder, "logra.csv"), read(folder, "fisher.csv"));
    assert_eq!(logra.len(), n * queries);
    let size = fisher
        .iter()
        .fold(0.0, |size: f64, value| size.max(value.abs()));
    for (logra, fisher) in logra.iter().zip(&fisher) {
        assert!((logra - fisher).abs() < 1e-5 * size, "{logra} {fisher}");
    }
    // One layer twice, each with half the damping's weight, is the double.
    run(&[&["ekfac", "--output", "one.csv"], &layers[..]].concat());
    run(&[&["ekfac", "--output", "two.csv"], &layers[..], &layers[..]].concat());
    for (one, two) in read(folder, "one.csv").iter().zip(read(folder, "two.csv")) {
        assert!((2.0 * one - two).abs() < 1e-9 * size, "{one} {two}");
    }
    // An index whose directions hold that curvature.
    let curvature = ["--curvature", "tx.csv", "--curvature-deltas", "td.csv"];
    let build = [
        "index",
        "gradients",
        "tg.csv",
        "--principal",
        "--output",
        "i",
    ];
    done(folder, &[&build[..], &curvature].concat());
    let search = ["index", "--index", "i", "--queries", "qg.csv"];
    run(&[&search[..], &["--output", "index.csv"]].concat());
    let found = read(folder, "index.csv");
    for (one, found) in read(folder, "one.csv").chunks(n).zip(found.chunks(n)) {
        let product = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f64>();
        let norms = product(one, one) * product(found, found);
        let cosine = product(one, found) / norms.sqrt();
        assert!(cosine > 0.999, "{cosine}");
    }
    let damped = [&["influence"], &search[..], &["--damping", "1"]].concat();
    let message = refused(folder, 1, &damped);
    assert!(message.contains("leave --damping out"), "{message}");
    let narrow = [
        "index",
        "gradients",
        "qx.csv",
        "--principal",
        "--output",
        "j",
    ];
    let message = refused(folder, 1, &[&narrow[..], &curvature].concat());
    assert!(
        message.contains("have 6 weights, but each gradient has 3"),
        "{message}"
    );
    // The same as curvature of its own.
    let own = ["--curvature", "tx.csv", "--curvature-deltas", "td.csv"];
    run(&[&["ekfac", "--output", "own.csv"], &layers[..], &own].concat());
    assert_eq!(read(folder, "own.csv"), read(folder, "one.csv"));
    // Records of several tokens.
    fs::write(folder.join("tokens"), "4\n0\n6\n").unwrap();
    let tokens = ["--train-tokens", "tokens", "--output", "tokens.csv"];
    run(&[&["ekfac"], &layers[..], &tokens].concat());
    assert_eq!(read(folder, "tokens.csv").len(), 3 * queries);

    let refused = |options: &[&str]| refused(folder, 1, &[&["influence"], options].concat());
    let message = refused(&[&["ekfac"], &layers[..4], &["--queries", "qx.csv"]].concat());
    assert!(
        message.contains("1 files of activations and 0 of deltas for the queries"),
        "{message}"
    );
    fs::write(folder.join("tokens"), "4\n").unwrap();
    let message = refused(&[&["logra"], &layers[..], &tokens].concat());
    assert!(message.contains("layer 0 does not fit"), "{message}");
    let message = refused(&[&["fisher", "--train", "tg.csv"], &gradients[1..]].concat());
    assert!(
        message.contains("fisher takes --train, --queries and --curvature once"),
        "{message}"
    );
}

#[test]
fn absurd_numbers_of_threads_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    for threads in ["0", "100000", "many"] {
        let message = refused(folder.path(), 2, &["--threads", threads, "dedup", "x"]);
        assert!(message.contains("--threads"), "{message}");
    }
    let message = refused(folder.path(), 2, &["dedup", "x", "--threads", "0"]);
    assert!(message.contains("0 is not in 1..=1024"), "{message}");
}

#[test]
fn names_cannot_move_the_cursor() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let text = "the same words stand in both of these records, all of them, one after the other";
    let lines = ["a\\u001b[2J", "b\\u202e"]
        .map(|name| format!("{{\"text\": \"{text}\", \"name\": \"{name}\"}}\n"));
    fs::write(folder.join("r.jsonl"), lines.concat()).unwrap();
    let found = done(folder, &["dedup", "r.jsonl"]);
    assert!(
        found.contains("b\\u{202e} (r.jsonl) copies a\\u{1b}[2J"),
        "{found}"
    );
    assert_eq!(found.lines().count(), 2);
    let message = refused(folder, 1, &["dedup", "no\nsuch\u{1b}file"]);
    assert!(message.contains("no\\nsuch\\u{1b}file"), "{message}");
    assert_eq!(message.lines().count(), 1);
}

#[test]
fn readers_may_leave_before_the_end() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    csv(folder, "g.csv", 1, &numbers(1, 3_000));
    let mut child = Command::new(env!("CARGO_BIN_EXE_poa"))
        .args([
            "influence",
            "grad-dot",
            "--train",
            "g.csv",
            "--queries",
            "g.csv",
            "--json",
        ])
        .args(["--top", "1"])
        .current_dir(folder)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut first = [0; 16];
    child.stdout.take().unwrap().read_exact(&mut first).unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success());
    assert_eq!(String::from_utf8_lossy(&output.stderr), "");
}

#[test]
fn an_index_of_gradients_grows_and_finds_its_rows() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let all = numbers(11, 60 * 96);
    csv(folder, "all.csv", 96, &all);
    csv(folder, "first.csv", 96, &all[..40 * 96]);
    csv(folder, "rest.csv", 96, &all[40 * 96..]);
    csv(folder, "narrow.csv", 95, &all[..10 * 95]);
    let build = ["index", "gradients", "--dimension", "512", "--output"];
    let append = ["index", "gradients", "--append", "--output", "grown"];
    done(folder, &[&build[..], &["grown", "first.csv"]].concat());
    let message = refused(
        folder,
        1,
        &[&append[..], &["rest.csv", "--seed", "1"]].concat(),
    );
    assert!(message.contains("--seed"), "{message}");
    let message = refused(folder, 1, &[&append[..], &["narrow.csv"]].concat());
    assert!(message.contains("95 values each"), "{message}");
    let older = fs::read(folder.join("grown/index.json")).unwrap();
    let told = done(folder, &[&append[..], &["rest.csv"]].concat());
    assert!(told.starts_with("60 rows in grown"), "{told}");
    done(folder, &["verify", "grown"]);

    // Rows that came later are found like the first ones, and like those of an index built at once.
    let influence = |index: &str, output: &str| {
        let arguments = [
            "influence",
            "index",
            "--index",
            index,
            "--queries",
            "all.csv",
            "--output",
        ];
        done(folder, &[&arguments[..], &[output]].concat());
        read(folder, output)
    };
    done(folder, &[&build[..], &["whole", "all.csv"]].concat());
    let (grown, whole) = (
        influence("grown", "grown.csv"),
        influence("whole", "whole.csv"),
    );
    for scores in [&grown, &whole] {
        for (query, scores) in scores.chunks_exact(60).enumerate() {
            let best = (0..60).max_by(|a, b| scores[*a].total_cmp(&scores[*b]));
            assert_eq!(best, Some(query));
        }
    }
    // They are those of the exact method, up to the projection and the rounding: 60 of 96 eigenvalues
    // can differ from zero.
    let fisher = [
        "influence",
        "fisher",
        "--train",
        "all.csv",
        "--queries",
        "all.csv",
    ];
    let options = ["--damping", "0.16", "--output", "fisher.csv"];
    done(folder, &[&fisher[..], &options].concat());
    let exact = read(folder, "fisher.csv");
    let others = |scores: &[f64]| {
        let others = (0..60 * 60).filter(|at| at / 60 != at % 60);
        others.map(|at| scores[at]).collect::<Vec<_>>()
    };
    let (found, exact) = (others(&whole), others(&exact));
    let product = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f64>();
    let norms = product(&found, &found) * product(&exact, &exact);
    let cosine = product(&found, &exact) / norms.sqrt();
    assert!(cosine > 0.8, "{cosine}");

    let index = ["influence", "index", "--queries"];
    let message = refused(
        folder,
        1,
        &[&index[..], &["all.csv", "--train", "all.csv"]].concat(),
    );
    assert!(message.contains("needs --index"), "{message}");
    let message = refused(
        folder,
        1,
        &[&index[..], &["narrow.csv", "--index", "whole"]].concat(),
    );
    assert!(message.contains("95 values each"), "{message}");
    let seeded = ["all.csv", "--index", "whole", "--seed", "x"];
    let message = refused(folder, 1, &[&index[..], &seeded].concat());
    assert!(message.contains("--seed"), "{message}");
    let message = refused(
        folder,
        1,
        &[&index[..], &["all.csv", "--index", "nothing"]].concat(),
    );
    assert!(message.contains("nothing is no index"), "{message}");

    // The rows are there, and what tells of them was not written any more.
    fs::write(folder.join("grown/index.json"), older).unwrap();
    let message = refused(folder, 1, &[&append[..], &["rest.csv"]].concat());
    assert!(message.contains("interrupted"), "{message}");
    let message = refused(
        folder,
        1,
        &[&index[..], &["all.csv", "--index", "grown"]].concat(),
    );
    assert!(message.contains("interrupted"), "{message}");
    assert_eq!(poa(folder, &["verify", "grown"]).status.code(), Some(3));

    fs::write(folder.join("text"), "a text").unwrap();
    done(folder, &["index", "corpus", "text", "--output", "texts"]);
    let message = refused(
        folder,
        1,
        &[&index[..], &["all.csv", "--index", "texts"]].concat(),
    );
    assert!(message.contains("index of texts"), "{message}");
    let onto = [
        "index",
        "gradients",
        "--append",
        "rest.csv",
        "--output",
        "texts",
    ];
    let message = refused(folder, 1, &onto);
    assert!(message.contains("index of texts"), "{message}");
}

#[test]
fn an_index_of_principal_directions_is_exact_and_brings_them_along() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let (n, columns) = (30, 200);
    csv(folder, "g.csv", columns, &numbers(31, n * columns));
    csv(folder, "more.csv", columns, &numbers(32, 3 * columns));
    csv(folder, "q.csv", columns, &numbers(33, 4 * columns));
    csv(folder, "narrow.csv", 199, &numbers(33, 4 * 199));
    let build = ["index", "gradients", "g.csv", "--principal", "--output"];
    let told = done(folder, &[&build[..], &["i", "--json"]].concat());
    let told: serde_json::Value = serde_json::from_str(&told).unwrap();
    let energy = &told["projection"]["principal"]["energy"];
    assert!(energy.as_f64().unwrap() > 0.999_999);

    // More columns than records: the curvature of all of them is that of the directions.
    let methods: [(&str, &[&str]); 2] = [
        ("index.csv", &["index", "--index", "i"]),
        ("fisher.csv", &["fisher", "--train", "g.csv", "--damping"]),
    ];
    // The index's damping is a part of the mean over the 30 eigenvalues that can differ from zero.
    let whole = (0.1 * columns as f64 / n as f64).to_string();
    for (output, method) in methods {
        let damping = method.ends_with(&["--damping"]).then_some(whole.as_str());
        let options = ["--queries", "q.csv", "--output", output];
        let arguments = [&["influence"], method, damping.as_slice(), &options].concat();
        done(folder, &arguments);
    }
    let cosines = |a: &[f64], b: &[f64], rows: usize| {
        let product = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f64>();
        let pairs = a.chunks(a.len() / rows).zip(b.chunks(b.len() / rows));
        let cosines = pairs.map(|(a, b)| product(a, b) / (product(a, a) * product(b, b)).sqrt());
        cosines.fold(1.0, f64::min)
    };
    let (found, exact) = (read(folder, "index.csv"), read(folder, "fisher.csv"));
    let cosine = cosines(&found, &exact, 4);
    assert!(cosine > 0.999, "{cosine}");

    // Relative to the records' sizes, a gradient is most like itself, whatever sizes others have.
    let sizes = numbers(31, n * columns);
    let sizes = sizes
        .iter()
        .enumerate()
        .map(|(at, value)| value * (1 + at / columns % 5) as f64);
    csv(folder, "sizes.csv", columns, &sizes.collect::<Vec<_>>());
    done(
        folder,
        &[&["index", "gradients", "sizes.csv"], &build[3..], &["s"]].concat(),
    );
    let search = [
        "influence",
        "index",
        "--index",
        "s",
        "--queries",
        "g.csv",
        "--relative",
    ];
    done(
        folder,
        &[&search[..], &["--output", "relative.csv"]].concat(),
    );
    for (query, scores) in read(folder, "relative.csv").chunks_exact(n).enumerate() {
        let best = (0..n).max_by(|a, b| scores[*a].total_cmp(&scores[*b]));
        assert_eq!(best, Some(query));
    }
    let append = ["index", "gradients", "--append", "--output", "i"];
    let told = done(folder, &[&append[..], &["more.csv"]].concat());
    assert!(told.starts_with("33 rows in i"), "{told}");
    let message = refused(folder, 1, &[&append[..], &["narrow.csv"]].concat());
    assert!(message.contains("199 values each"), "{message}");
    done(folder, &["verify", "i"]);

    // Directions of another index.
    let fewer = ["other", "--dimension", "20"];
    done(folder, &[&build[..], &fewer].concat());
    fs::copy(
        folder.join("other/directions.npy"),
        folder.join("i/directions.npy"),
    )
    .unwrap();
    let query = ["influence", "index", "--index", "i", "--queries", "q.csv"];
    let message = refused(folder, 1, &query);
    assert!(
        message.contains("not the directions of this index"),
        "{message}"
    );
    let output = poa(folder, &["verify", "i"]);
    assert_eq!(output.status.code(), Some(3));
    fs::remove_file(folder.join("i/directions.npy")).unwrap();
    let message = refused(folder, 1, &query);
    assert!(message.contains("directions.npy"), "{message}");
    let message = refused(folder, 1, &[&build[..], &["other"]].concat());
    assert!(message.contains("other exists already"), "{message}");
    let message = refused(
        folder,
        2,
        &[
            "index",
            "gradients",
            "g.csv",
            "--output",
            "x",
            "--damping",
            "1",
        ],
    );
    assert!(message.contains("--curvature"), "{message}");
}
