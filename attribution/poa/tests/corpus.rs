//! `poa index corpus`, `poa trace` and `poa verify` where things go wrong or are large.
#![cfg(unix)]

use std::{
    fs,
    path::Path,
    process::{Command, Output, Stdio},
    time::Duration,
};

fn poa(folder: &Path, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_poa"))
        .args(arguments)
        .current_dir(folder)
        .output()
        .unwrap()
}

fn json(folder: &Path, arguments: &[&str]) -> serde_json::Value {
    let output = poa(folder, arguments);
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "poa {arguments:?}: {error}");
    serde_json::from_slice(&output.stdout).unwrap()
}

/// The message of a command that must end with this status.
fn message(output: &Output, status: i32) -> String {
    let message = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(status), "{message}");
    message
}

/// Lines of words that hardly repeat, by a multiplicative generator.
fn lines(count: usize) -> String {
    let mut state = 1_u64;
    let mut words = String::new();
    for line in 0..count {
        words.push_str("{\"text\": \"");
        for _ in 0..30 {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1);
            words.push_str(&format!("{:x} ", state >> 40));
        }
        words.push_str(&format!("\", \"owner\": \"owner {}\"}}\n", line % 3));
    }
    words
}

fn corpus(count: usize) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("a.jsonl"), lines(count)).unwrap();
    folder
}

const INDEX: [&str; 6] = ["--json", "index", "corpus", "a.jsonl", "--output", "i"];

fn index_with(folder: &Path, memory: &str) -> Output {
    poa(folder, &[&INDEX[..], &["--memory", memory]].concat())
}

fn root(output: &Output) -> String {
    let description: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    description["root"].as_str().unwrap().to_owned()
}

#[test]
fn an_index_in_parts_answers_like_one_at_once() {
    let folder = corpus(300);
    let folder = folder.path();
    let at_once = json(folder, &INDEX);
    let in_parts = poa(
        folder,
        &[
            "--json", "index", "corpus", "a.jsonl", "--output", "j", "--memory", "64K",
        ],
    );
    message(&in_parts, 0);
    assert_eq!(at_once["root"], root(&in_parts));
    assert_eq!(
        fs::read(folder.join("i/index.bin")).unwrap(),
        fs::read(folder.join("j/index.bin")).unwrap()
    );
    let left = fs::read_dir(folder.join("j")).unwrap().count();
    assert_eq!(left, 2, "an index is its data and its description");
    let verified = json(folder, &["--json", "verify", "j"]);
    assert_eq!(verified["verified"], true);

    let text = fs::read_to_string(folder.join("a.jsonl")).unwrap();
    fs::write(
        folder.join("out.jsonl"),
        text.lines().take(2).collect::<Vec<_>>().join("\n"),
    )
    .unwrap();
    fs::write(folder.join("out.txt"), &text[1_000..1_100]).unwrap();
    let traced = |index| {
        json(
            folder,
            &["--json", "trace", "--index", index, "out.jsonl", "out.txt"],
        )
    };
    let found = traced("j");
    assert_eq!(found, traced("i"));
    let texts = found["texts"].as_array().unwrap();
    let names = texts.iter().map(|text| text["name"].as_str().unwrap());
    assert_eq!(
        names.collect::<Vec<_>>(),
        ["out.jsonl:1", "out.jsonl:2", "out.txt"]
    );
    assert_eq!(texts[1]["covered_bytes"], texts[1]["bytes"]);
    assert_eq!(texts[1]["owners"][0]["owner"], "owner 1");
}

#[test]
fn records_of_all_bytes_are_indexed_in_parts() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let all = (0..=255_u8).cycle().take(3_000).collect::<Vec<_>>();
    fs::create_dir(folder.join("records")).unwrap();
    for name in ["a", "b", "c", "d"] {
        fs::write(folder.join("records").join(name), &all).unwrap();
    }
    let index = [
        "index", "corpus", "records", "--output", "i", "--memory", "40K",
    ];
    message(&poa(folder, &index), 0);
    fs::write(folder.join("out"), &all[100..600]).unwrap();
    let trace = json(folder, &["--json", "trace", "--index", "i", "out"]);
    assert_eq!(trace["covered_bytes"], 500);
    assert_eq!(json(folder, &["--json", "verify", "i"])["verified"], true);
}

#[test]
fn a_full_disk_keeps_finished_parts_and_no_index() {
    let folder = corpus(300);
    let folder = folder.path();
    // Files may be larger than a part, but not than the index.
    let script = "trap '' XFSZ; ulimit -f 400; exec \"$0\" \"$@\"";
    let run = |limited: bool| {
        let program = env!("CARGO_BIN_EXE_poa");
        let mut command = match limited {
            true => Command::new("sh"),
            false => Command::new(program),
        };
        if limited {
            command.args(["-c", script, program]);
        }
        command.args(INDEX).args(["--memory", "150K"]);
        command.current_dir(folder).output().unwrap()
    };
    let refused = message(&run(true), 1);
    assert!(refused.contains("cannot write"), "{refused}");
    assert!(refused.contains("File too large"), "{refused}");
    assert!(
        refused.contains("finished parts are kept in i.partial"),
        "{refused}"
    );
    assert!(!folder.join("i").exists());
    let no_index = message(&poa(folder, &["verify", "i.partial"]), 1);
    assert!(no_index.contains("is no index"), "{no_index}");

    let output = run(false);
    let said = message(&output, 0);
    assert!(said.contains("going on with i.partial"), "{said}");
    let parts = said.split("took over ").nth(1).unwrap();
    let numbers = parts.split_whitespace().collect::<Vec<_>>();
    assert_eq!(numbers[0], numbers[2], "{said}");
    let at_once = [&INDEX[..5], &["j"]].concat();
    assert_eq!(json(folder, &at_once)["root"], root(&output));
    assert!(!folder.join("i.partial").exists());
}

#[test]
fn what_was_kept_of_other_records_is_not_used() {
    let folder = corpus(300);
    let folder = folder.path();
    let parts = folder.join("i.partial/index.bin.parts");
    message(&index_with(folder, "150K"), 0);
    // The parts of an interrupted build of these records: one is there, another is half written.
    fs::create_dir_all(&parts).unwrap();
    fs::copy(folder.join("i/index.bin"), parts.join("part-00000")).unwrap();
    fs::write(parts.join("part-00001.77.partial"), "half").unwrap();
    fs::remove_dir_all(folder.join("i")).unwrap();
    let output = index_with(folder, "150K");
    let said = message(&output, 0);
    assert!(said.contains("1 parts are there"), "{said}");
    assert!(!said.contains("took over"), "{said}");
    assert_eq!(
        json(folder, &["--json", "verify", "i"])["root"],
        root(&output)
    );
}

#[test]
fn ctrl_c_stops_between_parts_and_the_next_run_goes_on() {
    let folder = corpus(6_000);
    let folder = folder.path();
    let mut child = Command::new(env!("CARGO_BIN_EXE_poa"))
        .args(INDEX)
        .args(["--memory", "60K"])
        .current_dir(folder)
        .stderr(Stdio::piped())
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    let part = folder.join("i.partial/index.bin.parts/part-00001");
    while !part.exists() {
        assert!(child.try_wait().unwrap().is_none(), "ended too soon");
        std::thread::sleep(Duration::from_millis(1));
    }
    let kill = Command::new("kill")
        .args(["-INT", &child.id().to_string()])
        .status();
    assert!(kill.unwrap().success());
    let said = message(&child.wait_with_output().unwrap(), 130);
    assert!(
        said.contains("the same command goes on from there"),
        "{said}"
    );
    assert!(!folder.join("i").exists());

    // Without saying how much memory, it has what it had.
    let output = poa(folder, &INDEX);
    let said = message(&output, 0);
    assert!(said.contains("going on with i.partial"), "{said}");
    assert!(said.contains("took over "), "{said}");
    assert_eq!(
        json(folder, &["--json", "verify", "i"])["root"],
        root(&output)
    );
}

#[test]
fn bad_input_is_refused_and_leaves_nothing() {
    let folder = corpus(5);
    let folder = folder.path();
    let too_long = message(&index_with(folder, "500"), 1);
    assert!(
        too_long.contains("cannot be sorted with 500 bytes"),
        "{too_long}"
    );
    let unit = message(&index_with(folder, "5T"), 2);
    assert!(unit.contains("none of the units"), "{unit}");
    fs::write(
        folder.join("bad.jsonl"),
        "{\"text\": \"a\"}\n{\"text\": 5}\n",
    )
    .unwrap();
    let bad = poa(
        folder,
        &["index", "corpus", "a.jsonl", "bad.jsonl", "--output", "i"],
    );
    let bad = message(&bad, 1);
    assert!(bad.contains("bad.jsonl, line 2"), "{bad}");
    assert_eq!(fs::read_dir(folder).unwrap().count(), 2, "only the inputs");
}

#[test]
fn damaged_indexes_are_refused_with_file_and_offset() {
    let folder = corpus(20);
    let folder = folder.path();
    json(folder, &INDEX);
    let path = folder.join("i/index.bin");
    let whole = fs::read(&path).unwrap();
    let refused = |bytes: &[u8]| {
        fs::write(&path, bytes).unwrap();
        let said = message(&poa(folder, &["verify", "i"]), 1);
        assert!(said.contains("i/index.bin"), "{said}");
        said
    };
    let changed = |at: usize| {
        let mut bytes = whole.clone();
        bytes[at] ^= 1;
        bytes
    };
    let short = refused(&whole[..whole.len() - 1]);
    let lengths = format!(
        "has {} bytes but its header promises {}",
        whole.len() - 1,
        whole.len()
    );
    assert!(short.contains(&lengths), "{short}");
    assert!(refused(&whole[..100]).contains("has 100 bytes"));
    assert!(refused(&[]).contains("is not a text index"));
    assert!(refused(&changed(0)).contains("is not a text index"));
    assert!(refused(&changed(8)).contains("has format version 3, this build reads version 2"));
    assert!(refused(&changed(30)).contains("header that cannot be used, at byte 224"));
    let text = refused(&changed(300));
    assert!(
        text.contains("the text of") && text.contains("bytes 256 to"),
        "{text}"
    );
    let last = refused(&changed(whole.len() - 1));
    assert!(last.contains("the rows of"), "{last}");

    fs::write(&path, &whole).unwrap();
    let description = folder.join("i/index.json");
    let text = fs::read_to_string(&description).unwrap();
    fs::write(
        &description,
        text.replace("\"version\": 3", "\"version\": 9"),
    )
    .unwrap();
    let version = message(&poa(folder, &["verify", "i"]), 1);
    assert!(
        version.contains("i/index.json has format version 9"),
        "{version}"
    );
    fs::write(&description, &text[..text.len() / 2]).unwrap();
    let cut = message(&poa(folder, &["verify", "i"]), 1);
    assert!(
        cut.contains("i/index.json is damaged") && cut.contains("line"),
        "{cut}"
    );
}
