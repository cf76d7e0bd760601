//! Writes small valid inputs of every target, so that fuzzers do not have to find out what a file looks
//! like: `seeds FOLDER` makes FOLDER/TARGET/NAME. Run it again when a format changes.

use std::{fs, path::Path};

use attribution_engine::{
    corpus::{
        compressed::{CompressedCorpus, Sampling},
        Corpus, TextIndex,
    },
    duplicates::Standing,
    influence::{IndexBuilder, Quantisation},
    npy,
};

/// What libFuzzer would call: our crates are compiled for it, so it is linked here too.
#[no_mangle]
#[allow(improper_ctypes_definitions)]
extern "C" fn rust_fuzzer_test_input(_: &[u8]) -> i32 {
    0
}

extern crate libfuzzer_sys as _;

type Result<T> = std::result::Result<T, Box<dyn std::error::Error>>;

const TEXTS: [&[u8]; 4] = [
    b"It was the best of times, it was the worst of times",
    b"",
    b"it was the age of wisdom, it was the age of foolishness",
    "Sie ist die schönste aller Zeiten; 最好的时代".as_bytes(),
];

fn main() -> Result<()> {
    let folder = std::env::args()
        .nth(1)
        .ok_or("name the folder for the seeds")?;
    let folder = Path::new(&folder);
    let path = |target: &str, name: &str| -> Result<_> {
        fs::create_dir_all(folder.join(target))?;
        Ok(folder.join(target).join(name))
    };
    arrays(&path)?;
    texts(&path)?;
    gradients(&path)?;
    lines(&path)
}

fn arrays(path: &dyn Fn(&str, &str) -> Result<std::path::PathBuf>) -> Result<()> {
    npy::write(
        &path("npy", "f4")?,
        &[2, 3],
        &[1.0_f32, -0.5, 0.0, 1e30, -1e-30, 2.0],
    )?;
    npy::write(&path("npy", "f8")?, &[2, 1], &[f64::NAN, f64::MAX])?;
    npy::write(&path("npy", "i4")?, &[3], &[1_i32, -1, i32::MAX])?;
    npy::write(&path("npy", "i8")?, &[], &[7_i64])?;
    npy::write(&path("npy", "u4")?, &[2], &[1_u32, u32::MAX])?;
    npy::write(&path("npy", "u1")?, &[0, 4], &[0_u8; 0])?;
    for (kind, name) in [(2, "f4"), (2, "f8"), (4, "i4"), (4, "i8")] {
        let mut bytes = vec![kind];
        bytes.extend(fs::read(path("npy", name)?)?);
        fs::write(path("tables", &format!("{name}.npy"))?, bytes)?;
    }
    Ok(())
}

fn texts(path: &dyn Fn(&str, &str) -> Result<std::path::PathBuf>) -> Result<()> {
    let records = TEXTS.map(Some);
    Corpus::build(&records)?.save(&path("corpus_index", "bytes")?)?;
    Corpus::build(&[])?.save(&path("corpus_index", "empty")?)?;
    let every = (0..=255).collect::<Vec<u8>>();
    Corpus::build(&[Some(&every), Some(TEXTS[0])])?.save(&path("corpus_index", "wide")?)?;
    let wide = TEXTS.map(|text| text.iter().map(|byte| u32::from(*byte)).collect::<Vec<_>>());
    let records_wide = wide
        .iter()
        .map(|text| Some(text.as_slice()))
        .collect::<Vec<_>>();
    TextIndex::build(&records_wide)?.save(&path("corpus_index", "tokens")?)?;
    for (name, sampling) in [
        ("sparse", Sampling::default()),
        (
            "dense",
            Sampling {
                positions: 2,
                ranks: 3,
            },
        ),
    ] {
        let corpus = CompressedCorpus::build(&records, sampling)?;
        corpus.save(&path("compressed_index", name)?)?;
    }
    let mut queries = Vec::new();
    for text in TEXTS {
        queries.extend(text);
        queries.push(255);
    }
    queries.extend(b"was it the best of ages");
    fs::write(path("corpus_queries", "text")?, &queries)?;
    fs::write(
        path("corpus_queries", "runs")?,
        b"aaaaaaa\xffaaa\xff\xff\xffaaaa",
    )?;
    fs::write(
        path("corpus_queries", "every")?,
        [&every[..], &every].concat(),
    )?;
    Ok(())
}

fn gradients(path: &dyn Fn(&str, &str) -> Result<std::path::PathBuf>) -> Result<()> {
    let standings = vec![
        Standing::Own,
        Standing::DuplicateOf(0),
        Standing::Absent,
        Standing::Own,
    ];
    let mut builder = IndexBuilder::new(Quantisation::for_dimension(16), standings)?;
    for row in builder.rows().to_vec() {
        let gradient = (0..16)
            .map(|i| ((row * 5 + i) % 9) as f32 - 4.0)
            .collect::<Vec<_>>();
        builder.set(row, &gradient)?;
    }
    builder.finish()?.0.save(&path("gradient_index", "four")?)?;
    Ok(())
}

fn lines(path: &dyn Fn(&str, &str) -> Result<std::path::PathBuf>) -> Result<()> {
    for (target, kind, name, text) in [
        ("tables", 0, "matrix.csv", "1, 2.5\n-3,4e1\n\"5\",6\n"),
        ("tables", 1, "matrix.jsonl", "[1, 2.5]\n\n{\"gradient\": [-3, 4e1], \"id\": 7}\n{\"values\": [0,0]}\n"),
        ("tables", 3, "labels.txt", "3\n0\r\n12\n"),
        ("tables", 5, "names.txt", "a\nb c\nd\n"),
        ("records", 0, "records.jsonl", "{\"text\": \"hi\\n\", \"owner\": \"Eve\"}\n\n{\"text\": \"\\ud83d\\ude00\", \"name\": \"n\"}\n"),
        ("records", 1, "records.csv", "owner,text\nBob,\"x, \"\"y\"\"\"\n"),
        ("records", 2, "record.txt", "plain text"),
    ] {
        let mut bytes = vec![kind];
        bytes.extend(text.as_bytes());
        fs::write(path(target, name)?, bytes)?;
    }
    Ok(())
}
