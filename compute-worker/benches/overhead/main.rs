//! What determinism, transcript, adapters, influence index and receipts cost, against plain candle
//! with the same model, batch and threads in the same run.
//!
//! ```text
//! cargo bench -p openledger-worker             five rounds
//! cargo bench -p openledger-worker -- --quick  two short ones
//! ```
//!
//! The text is this crate's own source. What is compared takes turns, and medians are printed.
#![allow(missing_docs)]

mod answers;
mod plain;

use answers::{Answers, Parts};
use attribution_proof::hash::Hash;
use candle_core::{Device, Tensor};
use openledger_worker::{
    attribution::{build_index, gradient_space, TracedModel},
    model::{Adapter, AdapterConfig, Llama, LlamaConfig, TextTokenizer},
    train::{
        train, CancellationFlag, HyperParameters, Progress, Silent, StepReport, TrainingData,
        TrainingInputs, TrainingOutcome, TrainingTarget,
    },
};
use plain::{Plain, PlainTrainer};
use std::{path::Path, time::Instant};

const WIDTH: usize = 128;
const LAYERS: usize = 4;
const CONTEXT: usize = 512;
const RANK: usize = 8;
/// Tokens to predict in each record: every sequence is as long, so that plain candle needs no padding.
const SEQUENCE: usize = 256;
/// Epochs of the job of which the index's share is printed.
const EPOCHS: f64 = 10.0;
/// Seed of everything that is drawn.
const SEED: Hash = Hash::repeat_byte(7);

/// How much is measured.
struct Effort {
    rounds: usize,
    /// Steps of a training run.
    steps: u32,
    /// Records of the indexes.
    rows: usize,
    /// Answers of each kind in a round.
    answers: usize,
}

/// Text of this crate, ASCII only, cut into pieces of as many bytes as make a sequence.
fn records() -> Vec<Vec<u8>> {
    fn read(folder: &Path, text: &mut Vec<u8>) {
        let mut paths: Vec<_> = std::fs::read_dir(folder)
            .expect("the crate's source is at hand")
            .map(|entry| entry.expect("the folder can be read").path())
            .collect();
        paths.sort();
        for path in paths {
            if path.is_dir() {
                read(&path, text);
            } else {
                text.extend(std::fs::read(path).expect("the file can be read"));
            }
        }
    }
    let mut text = Vec::new();
    read(
        &Path::new(env!("CARGO_MANIFEST_DIR")).join("src"),
        &mut text,
    );
    text.retain(u8::is_ascii);
    // With its begin and end tokens a record of n bytes has n + 1 tokens to predict.
    text.chunks_exact(SEQUENCE - 1)
        .map(<[u8]>::to_vec)
        .collect()
}

fn data(records: &[Vec<u8>], config: &LlamaConfig) -> TrainingData {
    let records: Vec<_> = records.iter().map(Some).collect();
    let tokenizer = TextTokenizer::byte_level().expect("it is built in");
    TrainingData::new(&records, &tokenizer, config).expect("the records are text")
}

/// Collects the seconds of each step, and those of them that the transcript took.
struct StepTimes {
    last: Instant,
    steps: Vec<(f64, f64)>,
}

impl Progress for StepTimes {
    fn begin(&mut self, _phase: &'static str, _total: u64, _done: u64) {
        self.last = Instant::now();
    }

    fn step(&mut self, report: &StepReport) {
        let seconds = self.last.elapsed().as_secs_f64();
        self.steps.push((seconds, report.transcript.as_secs_f64()));
        self.last = Instant::now();
    }
}

/// Runs our trainer and adds the seconds of its steps to `times`.
fn our_training(
    target: TrainingTarget,
    data: &TrainingData,
    hyper: HyperParameters,
    times: &mut Vec<(f64, f64)>,
) -> TrainingOutcome {
    let inputs = TrainingInputs {
        job: 1,
        base: [0; 32],
        snapshots: Vec::new(),
        order_seed: SEED,
        data,
        hyper_parameters: hyper,
        checkpoints: None,
    };
    let mut progress = StepTimes {
        last: Instant::now(),
        steps: Vec::new(),
    };
    let flag = CancellationFlag::default();
    let outcome = train(target, &inputs, &mut progress, &flag).expect("training succeeds");
    times.append(&mut progress.steps);
    outcome
}

fn plain_training(
    model: &Llama,
    records: &[Vec<u8>],
    hyper: &HyperParameters,
    times: &mut Vec<f64>,
) {
    let config = model.config();
    let mut trainer =
        PlainTrainer::new(config, &model.tensors(), hyper).expect("the weights are at hand");
    let special = |token: Option<u32>| token.expect("the byte-level vocabulary has it");
    let streams: Vec<Vec<u32>> = records
        .iter()
        .map(|record| {
            let bytes = record.iter().map(|byte| u32::from(*byte));
            std::iter::once(special(config.bos_token_id))
                .chain(bytes)
                .chain([special(config.eos_token_id)])
                .collect()
        })
        .collect();
    for batch in streams
        .chunks_exact(hyper.batch_size)
        .take(hyper.steps as usize)
    {
        let begin = Instant::now();
        let loss = trainer.step(batch).expect("the step succeeds");
        times.push(begin.elapsed().as_secs_f64());
        assert!(loss.is_finite());
    }
}

/// Seconds of the rows alone, and of an index from rows to quantised vectors, for the tracing of which
/// it is returned.
fn index(
    model: &Llama,
    adapter: Option<&Adapter>,
    number: u32,
    records: &[Vec<u8>],
    times: &mut Vec<(f64, f64)>,
) -> TracedModel {
    let data = data(records, model.config());
    let space = gradient_space(model, adapter).expect("the model has layers");
    let flag = CancellationFlag::default();
    let begin = Instant::now();
    space
        .record_rows(&data, &mut Silent, &flag, |_, row| {
            std::hint::black_box(row);
            Ok(())
        })
        .expect("rows can be computed");
    let rows = begin.elapsed().as_secs_f64();
    let commits: Vec<_> = (1..=records.len() as u64)
        .map(Hash::from_low_u64_be)
        .collect();
    let tombstoned = vec![false; records.len()];
    let begin = Instant::now();
    let (index, _) = build_index(
        &space,
        &data,
        &commits,
        &tombstoned,
        &SEED,
        &mut Silent,
        &flag,
    )
    .expect("the index can be built");
    times.push((rows, begin.elapsed().as_secs_f64()));
    let texts: Vec<_> = records
        .iter()
        .map(|record| Some(record.as_slice()))
        .collect();
    let owners = (1..=records.len() as u64).collect();
    TracedModel::new(number, &space, index, &texts, owners, &SEED).expect("the index is whole")
}

fn median(values: impl IntoIterator<Item = f64>) -> f64 {
    let mut values: Vec<f64> = values.into_iter().collect();
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

/// Plain candle and our decoder must compute the same, or the comparison says nothing.
fn assert_same(model: &Llama, record: &[u8]) {
    let tokens: Vec<u32> = record.iter().map(|byte| u32::from(*byte)).collect();
    let plain = Plain::new(model.config(), &model.tensors()).expect("the weights are at hand");
    let input = Tensor::new(tokens.as_slice(), &Device::Cpu)
        .and_then(|tokens| tokens.unsqueeze(0))
        .expect("tokens are a tensor");
    let ours = model
        .forward(&tokens, &[tokens.len()], None)
        .expect("our model runs");
    let values = |tensor: Tensor| {
        tensor
            .flatten_all()
            .and_then(|tensor| tensor.to_vec1::<f32>())
            .expect("logits are floats")
    };
    let ours = values(ours);
    let mut cache = plain.caches();
    let last = values(
        plain
            .decode(&tokens, &mut cache)
            .expect("plain candle decodes"),
    );
    let theirs = values(plain.forward(&input).expect("plain candle runs"));
    let largest = ours
        .iter()
        .fold(0f32, |largest, value| largest.max(value.abs()));
    let close = |left: &[f32], right: &[f32]| {
        assert_eq!(left.len(), right.len());
        let far = left
            .iter()
            .zip(right)
            .map(|(left, right)| (left - right).abs());
        let far = far.fold(0f32, f32::max);
        assert!(far <= 1e-3 * largest, "logits differ by {far} of {largest}");
    };
    close(&ours, &theirs);
    close(&ours[ours.len() - last.len()..], &last);
}

fn row(name: &str, rate: f64, plain: f64, note: &str) {
    println!("{name:46} {rate:10.0} {:9.2}  {note}", rate / plain);
}

fn main() {
    let is_quick = std::env::args().any(|argument| argument == "--quick");
    let effort = if is_quick {
        Effort {
            rounds: 2,
            steps: 4,
            rows: 32,
            answers: 1,
        }
    } else {
        Effort {
            rounds: 5,
            steps: 6,
            rows: 64,
            answers: 3,
        }
    };
    let config = LlamaConfig::byte_level(WIDTH, LAYERS, CONTEXT);
    let model =
        Llama::initialize(config.clone(), [1; 32], &Device::Cpu).expect("the model is valid");
    let records = records();
    let data = data(&records, &config);
    assert_same(&model, &records[0]);
    let hyper = HyperParameters {
        sequence_length: SEQUENCE,
        max_held_out: 1,
        ..HyperParameters::full(effort.steps)
    };
    let tokens_of_step = (hyper.batch_size * SEQUENCE) as f64;
    println!(
        "overheads against plain candle: {} weights, batches of {} x {SEQUENCE} tokens, {} threads, medians of {} rounds that take turns",
        model.parameter_count(),
        hyper.batch_size,
        rayon::current_num_threads(),
        effort.rounds
    );

    let (mut plain, mut full, mut low_rank) = (Vec::new(), Vec::new(), Vec::new());
    let (mut base_rows, mut adapter_rows) = (Vec::new(), Vec::new());
    let mut last = None;
    for _ in 0..effort.rounds {
        plain_training(&model, &records, &hyper, &mut plain);
        let target = TrainingTarget::Full(model.clone());
        let base = our_training(target, &data, hyper.clone(), &mut full)
            .target
            .model()
            .clone();
        let settings = AdapterConfig::new(RANK, 2.0 * RANK as f64);
        let adapter = Adapter::initialize(settings, &config, [2; 32], &Device::Cpu)
            .expect("the adapter is valid");
        let target = TrainingTarget::Adapter {
            base: base.clone(),
            adapter,
        };
        let hyper = HyperParameters {
            weight_decay: 0.0,
            ..hyper.clone()
        };
        let outcome = our_training(target, &data, hyper, &mut low_rank);
        let adapter = outcome.target.adapter().expect("one was trained").clone();
        let some = &records[..effort.rows];
        let traced = [
            index(&base, None, answers::BASE, some, &mut base_rows),
            index(
                &base,
                Some(&adapter),
                answers::ADAPTER,
                some,
                &mut adapter_rows,
            ),
        ];
        last = Some((base, adapter, traced));
    }
    let (base, adapter, traced) = last.expect("there is a round");

    let plain_rate = tokens_of_step / median(plain);
    let silent_rate =
        tokens_of_step / median(full.iter().map(|(step, transcript)| step - transcript));
    let full_rate = tokens_of_step / median(full.iter().map(|(step, _)| *step));
    let transcript = median(full.iter().map(|(_, transcript)| *transcript));
    let low_rank_rate = tokens_of_step / median(low_rank.iter().map(|(step, _)| *step));
    let low_rank_transcript = median(low_rank.iter().map(|(_, transcript)| *transcript));
    println!(
        "\n{:46} {:>10} {:>9}  overhead",
        "training", "tokens/s", "x plain"
    );
    row(
        "plain candle, candle_nn's AdamW and loss",
        plain_rate,
        plain_rate,
        "",
    );
    row(
        "full, deterministic, without transcript",
        silent_rate,
        plain_rate,
        "fixed order of sums, clipping, own optimiser state; own fused operations",
    );
    row(
        "full, with transcript",
        full_rate,
        plain_rate,
        &format!(
            "BLAKE3 of weights and optimiser: {:.2} ms a step, {:.1} %",
            transcript * 1e3,
            100.0 * transcript * full_rate / tokens_of_step
        ),
    );
    row(
        &format!("adapter of rank {RANK}, with transcript"),
        low_rank_rate,
        plain_rate,
        &format!(
            "two more products a map, no gradient of the base; transcript {:.2} ms a step",
            low_rank_transcript * 1e3
        ),
    );

    println!(
        "\n{:46} {:>10} {:>9}  overhead",
        "influence index", "tokens/s", "x plain"
    );
    let tokens_of_index = (effort.rows * SEQUENCE) as f64;
    for (name, times, training) in [
        ("base, upper layers", &base_rows, full_rate),
        ("adapter, all weights", &adapter_rows, low_rank_rate),
    ] {
        let rows = tokens_of_index / median(times.iter().map(|(rows, _)| *rows));
        let whole = tokens_of_index / median(times.iter().map(|(_, whole)| *whole));
        row(
            &format!("{name}: gradient rows"),
            rows,
            plain_rate,
            "a row of its own for every record",
        );
        let job = EPOCHS / training + 1.0 / whole;
        row(
            &format!("{name}: rows, projection, i8"),
            whole,
            plain_rate,
            &format!(
                "as long as {:.2} epochs of its training; {:.1} % of a job of {EPOCHS} epochs",
                training / whole,
                100.0 / (whole * job)
            ),
        );
    }

    let mut answers = Answers::new(&base, &adapter, &records[..effort.rows], traced);
    for _ in 0..effort.rounds * effort.answers {
        answers.round();
    }
    print_answers(&answers, effort.rows);
}

fn print_answers(answers: &Answers, rows: usize) {
    let tokens = answers::RESPONSE_TOKENS as f64;
    let of = |part: fn(&Parts) -> f64| median(answers.parts.iter().map(part));
    let plain = tokens / median(answers.plain.iter().copied());
    println!(
        "\n{:46} {:>10} {:>9}  overhead",
        format!(
            "answers: {} tokens in, {} out",
            answers.prompt_tokens(),
            answers::RESPONSE_TOKENS
        ),
        "tokens/s",
        "x plain"
    );
    row(
        "plain candle, greedy, key and value cache",
        plain,
        plain,
        "",
    );
    row(
        "engine, base",
        tokens / median(answers.base.iter().copied()),
        plain,
        "queue, events, text pieces, sampler; own fused operations",
    );
    row(
        "engine, adapter",
        tokens / median(answers.adapter.iter().copied()),
        plain,
        "two more products a map",
    );
    row(
        "engine, adapter, trace and receipt",
        tokens / of(Parts::sum),
        plain,
        &format!(
            "an answer in {:.1} ms, of which gradient {:.1}, trace over 2 x {rows} rows {:.1}, audit blob {:.1}, receipt, signature and ledger {:.1} (to disk)",
            of(Parts::sum) * 1e3,
            of(|parts| parts.gradient) * 1e3,
            of(|parts| parts.trace) * 1e3,
            of(|parts| parts.audit) * 1e3,
            of(|parts| parts.receipt) * 1e3
        ),
    );
}
