use super::{
    data::{EpochCache, Order},
    gradients::GradientSpace,
    parameters::Parameters,
    *,
};
use crate::model::{
    negative_log_likelihood,
    tests::{tiny_adapter, tiny_config, tiny_model},
    Adapter, AdapterConfig, Llama, LlamaConfig, TextTokenizer,
};
use attribution_proof::hash::Hash;
use candle_core::{Device, Tensor};
use std::{
    path::{Path, PathBuf},
    process::{Command, Stdio},
    time::{Duration, Instant},
};

const SEED: Hash = Hash::repeat_byte(9);

/// Twelve records of different lengths, one of them a tombstone.
fn records() -> Vec<Option<String>> {
    let text = "let total = prices.iter().map(|price| price * count).sum::<u64>(); // sum of all\n";
    (0..12usize)
        .map(|i| (i != 4).then(|| format!("{i}: {}", text.repeat(1 + i % 3))[i..].to_owned()))
        .collect()
}

fn data() -> TrainingData {
    TrainingData::new(
        &records(),
        &TextTokenizer::byte_level().unwrap(),
        &tiny_config(),
    )
    .unwrap()
}

fn hyper(steps: u32) -> HyperParameters {
    HyperParameters {
        batch_size: 4,
        sequence_length: 32,
        learning_rate: 1e-2,
        ..HyperParameters::full(steps)
    }
}

fn inputs(data: &TrainingData, steps: u32) -> TrainingInputs<'_> {
    TrainingInputs {
        job: 7,
        base: [0; 32],
        snapshots: Vec::new(),
        order_seed: SEED,
        data,
        hyper_parameters: hyper(steps),
        checkpoints: None,
    }
}

fn fresh_model() -> TrainingTarget {
    TrainingTarget::Full(Llama::initialize(tiny_config(), [3; 32], &Device::Cpu).unwrap())
}

fn fresh_adapter() -> TrainingTarget {
    let config = AdapterConfig::new(2, 4.0);
    let adapter = Adapter::initialize(config, &tiny_config(), [5; 32], &Device::Cpu).unwrap();
    TrainingTarget::Adapter {
        base: tiny_model(1),
        adapter,
    }
}

fn run(target: TrainingTarget, inputs: &TrainingInputs<'_>) -> TrainingOutcome {
    train(target, inputs, &mut Silent, &CancellationFlag::default()).unwrap()
}

fn flat(tensor: &Tensor) -> Vec<f32> {
    tensor.flatten_all().unwrap().to_vec1().unwrap()
}

mod order {
    use super::*;

    #[test]
    fn every_target_of_a_record_is_predicted_once() {
        let data = data();
        for record in 0..data.records() {
            let mut next = 0;
            for sequence in data.sequences(record, 32) {
                assert_eq!((sequence.record, sequence.start), (record, next));
                assert!((1..=32).contains(&sequence.length));
                next += sequence.length;
            }
            assert_eq!(next, data.targets(record));
        }
        // Begin token, text, end token.
        assert_eq!(data.targets(0), records()[0].as_ref().unwrap().len() + 1);
        assert_eq!(data.targets(4), 0, "a tombstone has nothing to predict");
    }

    #[test]
    fn an_epoch_sees_every_sequence_once_and_no_held_out_record() {
        let data = data();
        let order = Order::new(&data, &SEED, 32, 4, 8).unwrap();
        assert_eq!(order.held_out.len(), 2);
        let mut epochs = EpochCache::default();
        let batches = order.len() as u32;
        // With a batch of three, three epochs are `len` batches.
        let seen: Vec<Sequence> = (1..=batches)
            .flat_map(|step| order.batch(step, 3, &mut epochs))
            .collect();
        assert!(seen
            .iter()
            .all(|sequence| !order.held_out.contains(&sequence.record)));
        let epochs: Vec<&[Sequence]> = seen.chunks(order.len()).collect();
        assert_eq!(epochs.len(), 3);
        assert_ne!(epochs[0], epochs[1], "epochs have orders of their own");
        for epoch in epochs {
            let unique: std::collections::BTreeSet<_> = epoch
                .iter()
                .map(|sequence| (sequence.record, sequence.start))
                .collect();
            assert_eq!(unique.len(), order.len());
        }
    }

    #[test]
    fn the_seed_fixes_the_order_and_resuming_does_not_change_it() {
        let data = data();
        let batches = |seed: Hash, from: u32| {
            let order = Order::new(&data, &seed, 32, 4, 8).unwrap();
            let mut epochs = EpochCache::default();
            (from..40)
                .map(|step| order.batch(step, 5, &mut epochs))
                .collect::<Vec<_>>()
        };
        assert_eq!(batches(SEED, 1)[16..], batches(SEED, 17));
        assert_ne!(batches(SEED, 1), batches(Hash::repeat_byte(8), 1));
    }

    #[test]
    fn fails_when_records_are_too_few_or_not_text() {
        let tokenizer = TextTokenizer::byte_level().unwrap();
        let lonely = TrainingData::new(&[Some("a"), None], &tokenizer, &tiny_config()).unwrap();
        let error = Order::new(&lonely, &SEED, 32, 4, 8).err().unwrap();
        assert!(
            matches!(error, TrainError::TooFewRecords { found: 1 }),
            "{error}"
        );
        let long = [Some(vec![b'x'; (16 << 20) + 1])];
        let error = TrainingData::new(&long, &tokenizer, &tiny_config()).unwrap_err();
        assert!(
            matches!(error, TrainError::RecordTooLong { record: 0, .. }),
            "{error}"
        );
        let bytes = [Some(&b"good"[..]), Some(&b"b\xc3("[..])];
        let error = TrainingData::new(&bytes, &tokenizer, &tiny_config()).unwrap_err();
        assert!(
            matches!(
                error,
                TrainError::NotUtf8 {
                    record: 1,
                    offset: 1
                }
            ),
            "{error}"
        );
    }
}

mod numbers {
    use super::*;

    #[test]
    fn learning_rate_warms_up_and_decays() {
        let hyper = HyperParameters {
            warm_up_steps: 10,
            learning_rate: 1.0,
            final_learning_rate_fraction: 0.1,
            ..hyper(110)
        };
        let close = |step, expected: f64| {
            assert!(
                (hyper.learning_rate_at(step) - expected).abs() < 1e-12,
                "step {step}"
            );
        };
        close(1, 0.1);
        close(10, 1.0);
        close(60, 0.55);
        close(110, 0.1);
    }

    #[test]
    fn fails_when_hyper_parameters_make_no_sense() {
        let wrong = [
            HyperParameters {
                steps: 0,
                ..hyper(1)
            },
            HyperParameters {
                batch_size: 0,
                ..hyper(1)
            },
            HyperParameters {
                sequence_length: 33,
                ..hyper(1)
            },
            HyperParameters {
                sequence_length: 0,
                ..hyper(1)
            },
            HyperParameters {
                learning_rate: f64::NAN,
                ..hyper(1)
            },
            HyperParameters {
                learning_rate: 0.0,
                ..hyper(1)
            },
            HyperParameters {
                weight_decay: -1.0,
                ..hyper(1)
            },
            HyperParameters {
                beta_2: 1.0,
                ..hyper(1)
            },
            HyperParameters {
                held_out_every: 1,
                ..hyper(1)
            },
            HyperParameters {
                max_held_out: 0,
                ..hyper(1)
            },
            HyperParameters {
                max_gradient_norm: f64::INFINITY,
                ..hyper(1)
            },
        ];
        for hyper in wrong {
            let error = hyper.validate(32).unwrap_err();
            assert!(
                matches!(error, TrainError::HyperParameter { .. }),
                "{error}"
            );
        }
        assert_ne!(hyper(1).hash(), hyper(2).hash());
    }

    /// AdamW written out in `f64` for one matrix and one vector.
    #[test]
    fn optimizer_follows_its_formula() {
        let hyper = HyperParameters {
            warm_up_steps: 0,
            weight_decay: 0.5,
            max_gradient_norm: 1.0,
            ..hyper(4)
        };
        let variable = |values: &[f32], shape: (usize, usize)| {
            let tensor = Tensor::from_slice(values, shape, &Device::Cpu).unwrap();
            candle_core::Var::from_tensor(&tensor).unwrap().into_inner()
        };
        let matrix = variable(&[1.0, -2.0], (1, 2));
        let norm = variable(&[3.0], (1, 1)).flatten_all().unwrap();
        let norm = candle_core::Var::from_tensor(&norm).unwrap().into_inner();
        let tensors = [
            ("a".to_owned(), matrix.clone()),
            ("b".to_owned(), norm.clone()),
        ];
        let mut parameters = Parameters::new(tensors.into()).unwrap();
        let mut optimizer = optimizer::AdamW::new(3);
        let mut expected = [1.0f64, -2.0, 3.0];
        let (mut m, mut v) = ([0f64; 3], [0f64; 3]);
        for step in 1..=4u32 {
            let gradient = [0.3f32, -2.0 * step as f32, 0.1];
            let length = gradient
                .iter()
                .map(|&g| f64::from(g).powi(2))
                .sum::<f64>()
                .sqrt();
            let reported = optimizer
                .step(step, &mut parameters, &gradient, &hyper)
                .unwrap();
            assert!((reported - length).abs() < 1e-6);
            let rate = hyper.learning_rate_at(step);
            let state = m.iter_mut().zip(&mut v).zip(&mut expected);
            for (i, ((m, v), w)) in state.enumerate() {
                let g = f64::from(gradient[i]) / length.max(1.0);
                *m = hyper.beta_1 * *m + (1.0 - hyper.beta_1) * g;
                *v = hyper.beta_2 * *v + (1.0 - hyper.beta_2) * g * g;
                let m_hat = *m / (1.0 - hyper.beta_1.powi(step as i32));
                let v_hat = *v / (1.0 - hyper.beta_2.powi(step as i32));
                let decay = if i < 2 { hyper.weight_decay } else { 0.0 };
                *w -= rate * (decay * *w + m_hat / (v_hat.sqrt() + 1e-8));
            }
        }
        parameters.upload().unwrap();
        for (value, expected) in flat(&matrix).into_iter().chain(flat(&norm)).zip(expected) {
            assert!(
                (f64::from(value) - expected).abs() < 1e-5,
                "{value} and {expected}"
            );
        }
    }

    #[test]
    fn fails_when_a_weight_is_cut_out_of_the_graph() {
        let used = candle_core::Var::from_slice(&[1f32], 1, &Device::Cpu)
            .unwrap()
            .into_inner();
        let unused = candle_core::Var::from_slice(&[1f32], 1, &Device::Cpu)
            .unwrap()
            .into_inner();
        let grads = used.sqr().unwrap().backward().unwrap();
        let tensors = [("used".to_owned(), used), ("unused".to_owned(), unused)];
        let parameters = Parameters::new(tensors.into()).unwrap();
        let error = parameters.gradients(&grads, &mut Vec::new()).unwrap_err();
        assert!(
            matches!(&error, TrainError::NoGradient { name } if name == "unused"),
            "{error}"
        );
    }

    #[test]
    fn fails_when_training_diverges() {
        let data = data();
        let mut inputs = inputs(&data, 20);
        inputs.hyper_parameters.learning_rate = 1e30;
        let error = train(
            fresh_model(),
            &inputs,
            &mut Silent,
            &CancellationFlag::default(),
        )
        .unwrap_err();
        assert!(matches!(error, TrainError::Diverged { .. }), "{error}");
    }
}

mod runs {
    use super::*;

    #[test]
    fn full_training_lowers_the_held_out_loss() {
        let data = data();
        let outcome = run(fresh_model(), &inputs(&data, 60));
        // Close to uniform over 258 tokens, then far below.
        assert!(
            (outcome.held_out_before - 258f32.ln()).abs() < 0.1,
            "{outcome:?}"
        );
        assert!(
            outcome.held_out_after < 0.6 * outcome.held_out_before,
            "{outcome:?}"
        );
        assert_eq!(outcome.transcript.steps.len(), 60);
        assert_eq!(outcome.resumed_from, 0);
    }

    #[test]
    fn adapter_training_lowers_the_held_out_loss_and_leaves_the_base() {
        let data = data();
        let target = fresh_adapter();
        let before = crate::model::write_tensors(&target.model().tensors()).unwrap();
        let outcome = run(target, &inputs(&data, 60));
        assert!(
            outcome.held_out_after < 0.9 * outcome.held_out_before,
            "{outcome:?}"
        );
        let after = crate::model::write_tensors(&outcome.target.model().tensors()).unwrap();
        assert_eq!(before, after);
    }

    #[test]
    fn the_transcript_names_the_weights_file() {
        let data = data();
        let outcome = run(fresh_model(), &inputs(&data, 3));
        let file = crate::model::write_tensors(&outcome.target.model().tensors()).unwrap();
        assert_eq!(outcome.weights, file);
        let last = outcome.transcript.steps.last().unwrap();
        assert_eq!(last.weights.as_bytes(), blake3::hash(&file).as_bytes());
        let model = fresh_model();
        let initial = crate::model::write_tensors(&model.model().tensors()).unwrap();
        assert_eq!(
            outcome.transcript.start.initial,
            *blake3::hash(&initial).as_bytes()
        );
        let commitment = outcome.transcript.commitment();
        assert_eq!(commitment.count, 4);
        let states = outcome.transcript.states();
        let opening = attribution_proof::transcript::StepOpening {
            previous: states[1],
            previous_path: outcome.transcript.tree().path(1).unwrap(),
            step: outcome.transcript.steps[1],
            path: outcome.transcript.tree().path(2).unwrap(),
        };
        opening.verify(&commitment).unwrap();
    }

    #[test]
    fn every_input_changes_the_transcript() {
        let data = data();
        let base = run(fresh_model(), &inputs(&data, 2)).transcript;
        assert_eq!(base, run(fresh_model(), &inputs(&data, 2)).transcript);
        let other_seed = TrainingInputs {
            order_seed: Hash::repeat_byte(1),
            ..inputs(&data, 2)
        };
        let other_job = TrainingInputs {
            job: 8,
            ..inputs(&data, 2)
        };
        let mut other_rate = inputs(&data, 2);
        other_rate.hyper_parameters.learning_rate *= 2.0;
        for other in [other_seed, other_job, other_rate] {
            let other = run(fresh_model(), &other).transcript;
            assert_ne!(other.start, base.start);
            assert_ne!(other.commitment(), base.commitment());
        }
    }
}

/// The runs that other processes do for the tests below.
mod in_another_process {
    use super::*;

    /// Set in child processes: where to write the final state of each transcript.
    const OUTPUT: &str = "OPENLEDGER_TEST_TRANSCRIPT_OUTPUT";
    /// Set in child processes that are killed: the checkpoint folder.
    const CHECKPOINTS: &str = "OPENLEDGER_TEST_CHECKPOINTS";

    fn child(test: &str) -> Command {
        let mut command = Command::new(std::env::current_exe().unwrap());
        command
            .args([
                "--exact",
                &format!("train::tests::in_another_process::{test}"),
                "--ignored",
            ])
            .stdout(Stdio::null());
        command
    }

    /// Larger than the tiny model, so that products are shared among threads.
    fn wide_runs() -> Vec<Transcript> {
        let config = LlamaConfig {
            max_position_embeddings: 96,
            ..LlamaConfig::byte_level(96, 2, 96)
        };
        let data = TrainingData::new(&records(), &TextTokenizer::byte_level().unwrap(), &config);
        let data = data.unwrap();
        let mut inputs = inputs(&data, 4);
        inputs.hyper_parameters.sequence_length = 96;
        inputs.hyper_parameters.batch_size = 8;
        let model = Llama::initialize(config.clone(), [3; 32], &Device::Cpu).unwrap();
        let full = run(TrainingTarget::Full(model.clone()), &inputs);
        let adapter =
            Adapter::initialize(AdapterConfig::new(8, 16.0), &config, [5; 32], &Device::Cpu);
        let target = TrainingTarget::Adapter {
            base: model,
            adapter: adapter.unwrap(),
        };
        vec![full.transcript, run(target, &inputs).transcript]
    }

    #[test]
    #[ignore = "runs only as a child of the_number_of_threads_does_not_matter"]
    fn write_transcripts() {
        let output = std::env::var_os(OUTPUT).expect("set by the parent test");
        std::fs::write(output, format!("{:?}", wide_runs())).unwrap();
    }

    #[test]
    fn the_number_of_threads_does_not_matter() {
        let folder = tempfile::tempdir().unwrap();
        let transcripts = ["1", "2", "3"].map(|threads| {
            let output = folder.path().join(threads);
            let status = child("write_transcripts")
                .env("RAYON_NUM_THREADS", threads)
                .env(OUTPUT, &output)
                .status()
                .unwrap();
            assert!(status.success());
            std::fs::read_to_string(output).unwrap()
        });
        assert!(transcripts[0].contains("TranscriptStep"));
        assert_eq!(transcripts[0], transcripts[1]);
        assert_eq!(transcripts[0], transcripts[2]);
    }

    fn killed_inputs<'a>(data: &'a TrainingData, folder: &Path) -> TrainingInputs<'a> {
        let policy = CheckpointPolicy {
            folder: folder.into(),
            every: 5,
            keep: 2,
        };
        TrainingInputs {
            checkpoints: Some(policy),
            ..inputs(data, 60)
        }
    }

    /// Slows a run down, so that it can be killed in the middle.
    struct Slow;

    impl Progress for Slow {
        fn step(&mut self, _report: &StepReport) {
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    #[test]
    #[ignore = "runs only as a child of a_killed_run_goes_on_with_the_same_transcript"]
    fn run_until_killed() {
        let folder = PathBuf::from(std::env::var_os(CHECKPOINTS).expect("set by the parent test"));
        let data = data();
        let inputs = killed_inputs(&data, &folder);
        train(
            fresh_model(),
            &inputs,
            &mut Slow,
            &CancellationFlag::default(),
        )
        .unwrap();
    }

    #[test]
    fn a_killed_run_goes_on_with_the_same_transcript() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("checkpoints");
        let mut process = child("run_until_killed")
            .env(CHECKPOINTS, &path)
            .spawn()
            .unwrap();
        let begin = Instant::now();
        while !path.join("step-00000015").exists() {
            assert!(
                begin.elapsed() < Duration::from_secs(60),
                "no checkpoint was written"
            );
            std::thread::sleep(Duration::from_millis(1));
        }
        // SIGKILL on Unix.
        process.kill().unwrap();
        process.wait().unwrap();

        let data = data();
        let resumed = run(fresh_model(), &killed_inputs(&data, &path));
        assert!(
            (15..60).contains(&resumed.resumed_from),
            "{}",
            resumed.resumed_from
        );
        let whole = run(fresh_model(), &inputs(&data, 60));
        assert_eq!(resumed.transcript, whole.transcript);
        assert_eq!(resumed.weights, whole.weights);
        assert_eq!(resumed.held_out_before, whole.held_out_before);
        assert_eq!(resumed.tokens, whole.tokens);
    }
}

mod checkpoints {
    use super::*;

    fn with_checkpoints<'a>(
        data: &'a TrainingData,
        folder: &Path,
        steps: u32,
    ) -> TrainingInputs<'a> {
        let policy = CheckpointPolicy {
            folder: folder.into(),
            every: 2,
            keep: 3,
        };
        TrainingInputs {
            checkpoints: Some(policy),
            ..inputs(data, steps)
        }
    }

    /// Cancels a run after a step.
    struct StopAfter(u32, CancellationFlag);

    impl Progress for StopAfter {
        fn step(&mut self, report: &StepReport) {
            if report.step == self.0 {
                self.1.cancel();
            }
        }
    }

    #[test]
    fn a_cancelled_run_goes_on_from_its_last_step() {
        for target in [fresh_model, fresh_adapter] {
            let folder = tempfile::tempdir().unwrap();
            let data = data();
            let inputs = with_checkpoints(&data, folder.path(), 8);
            let flag = CancellationFlag::default();
            let mut progress = StopAfter(5, flag.clone());
            let error = train(target(), &inputs, &mut progress, &flag).unwrap_err();
            assert!(
                matches!(error, TrainError::Cancelled { step: 5 }),
                "{error}"
            );
            let resumed = run(target(), &inputs);
            assert_eq!(resumed.resumed_from, 5);
            let whole = run(target(), &super::inputs(&data, 8));
            assert_eq!(resumed.transcript, whole.transcript);
            assert_eq!(resumed.weights, whole.weights);
        }
    }

    #[test]
    fn old_checkpoints_go_and_a_finished_run_is_not_repeated() {
        let folder = tempfile::tempdir().unwrap();
        let data = data();
        let inputs = with_checkpoints(&data, folder.path(), 9);
        let first = run(fresh_model(), &inputs);
        let mut names: Vec<_> = std::fs::read_dir(folder.path())
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort_unstable();
        assert_eq!(names, ["step-00000006", "step-00000008", "step-00000009"]);
        let second = run(fresh_model(), &inputs);
        assert_eq!(second.resumed_from, 9);
        assert_eq!(second.transcript, first.transcript);
    }

    #[test]
    fn a_damaged_checkpoint_gives_way_to_an_older_one() {
        let folder = tempfile::tempdir().unwrap();
        let data = data();
        let inputs = with_checkpoints(&data, folder.path(), 8);
        let first = run(fresh_model(), &inputs);
        let newest = folder.path().join("step-00000008/weights.safetensors");
        let bytes = std::fs::read(&newest).unwrap();
        let mut flipped = bytes.clone();
        *flipped.last_mut().unwrap() ^= 1;
        for damaged in [&flipped[..], &bytes[..bytes.len() - 1], &[]] {
            std::fs::write(&newest, damaged).unwrap();
            let second = run(fresh_model(), &inputs);
            assert_eq!(second.resumed_from, 6);
            assert_eq!(second.transcript, first.transcript);
        }
    }

    #[test]
    fn fails_when_every_checkpoint_is_damaged() {
        let folder = tempfile::tempdir().unwrap();
        let data = data();
        let inputs = with_checkpoints(&data, folder.path(), 4);
        run(fresh_model(), &inputs);
        for step in ["step-00000002", "step-00000004"] {
            std::fs::write(folder.path().join(step).join("state.scale"), b"x").unwrap();
        }
        let error = train(
            fresh_model(),
            &inputs,
            &mut Silent,
            &CancellationFlag::default(),
        )
        .unwrap_err();
        assert!(
            matches!(error, TrainError::CheckpointDamaged { .. }),
            "{error}"
        );
    }

    #[test]
    fn fails_when_the_folder_belongs_to_another_run() {
        let folder = tempfile::tempdir().unwrap();
        let data = data();
        run(fresh_model(), &with_checkpoints(&data, folder.path(), 4));
        let other = TrainingInputs {
            job: 8,
            ..with_checkpoints(&data, folder.path(), 4)
        };
        let error = train(
            fresh_model(),
            &other,
            &mut Silent,
            &CancellationFlag::default(),
        )
        .unwrap_err();
        assert!(
            matches!(error, TrainError::CheckpointOfAnotherRun { .. }),
            "{error}"
        );
    }

    #[test]
    fn fails_when_the_folder_cannot_be_written() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("file");
        std::fs::write(&file, "").unwrap();
        let data = data();
        let inputs = with_checkpoints(&data, &file, 4);
        let error = train(
            fresh_model(),
            &inputs,
            &mut Silent,
            &CancellationFlag::default(),
        )
        .unwrap_err();
        assert!(
            matches!(error, TrainError::CheckpointFile { .. }),
            "{error}"
        );
    }
}

mod rows {
    use super::*;

    /// Gradient of one record by a backward pass of its own, in the order of a space's components.
    fn reference(
        target: &TrainingTarget,
        tokens: &[u32],
        prompt: usize,
        space: &GradientSpace<'_>,
    ) -> Vec<f32> {
        let (model, adapter) = match target {
            TrainingTarget::Full(model) => (model.clone().into_trainable().unwrap(), None),
            TrainingTarget::Adapter { base, adapter } => (
                base.clone(),
                Some(adapter.clone().into_trainable().unwrap()),
            ),
        };
        let limit = model.config().max_position_embeddings;
        let targets = tokens.len() - 1;
        let mut total: Option<Tensor> = None;
        let pieces = targets.div_ceil(limit);
        for piece in 0..pieces {
            let (start, end) = (targets * piece / pieces, targets * (piece + 1) / pieces);
            let lengths = [end - start];
            let logits = model
                .forward(&tokens[start..end], &lengths, adapter.as_ref())
                .unwrap();
            let losses = negative_log_likelihood(&logits, &tokens[start + 1..=end].into()).unwrap();
            let first = prompt.saturating_sub(start).min(end - start);
            let sum = losses
                .narrow(0, first, end - start - first)
                .unwrap()
                .sum_all()
                .unwrap();
            total = Some(match total {
                Some(total) => (total + sum).unwrap(),
                None => sum,
            });
        }
        let loss = (total.unwrap() / (targets - prompt) as f64).unwrap();
        let grads = loss.backward().unwrap();
        let tensors = match &adapter {
            Some(adapter) => adapter.tensors(),
            None => model.tensors(),
        };
        space
            .components()
            .iter()
            .flat_map(|component| flat(grads.get(&tensors[&component.name]).unwrap()))
            .collect()
    }

    fn assert_close(left: &[f32], right: &[f32], what: &str) {
        assert_eq!(left.len(), right.len());
        let largest = right.iter().fold(0f32, |a, b| a.max(b.abs()));
        assert!(largest > 1e-4, "{what} is almost zero");
        for (left, right) in left.iter().zip(right) {
            assert!(
                (left - right).abs() <= 2e-4 * largest,
                "{what}: {left} and {right}"
            );
        }
    }

    fn stream(text: &str) -> Vec<u32> {
        let text = text.bytes().map(u32::from);
        [256].into_iter().chain(text).chain([257]).collect()
    }

    fn targets() -> [TrainingTarget; 2] {
        [
            TrainingTarget::Full(tiny_model(1)),
            TrainingTarget::Adapter {
                base: tiny_model(1),
                adapter: tiny_adapter(2),
            },
        ]
    }

    fn space(target: &TrainingTarget) -> GradientSpace<'_> {
        match target {
            TrainingTarget::Full(model) => GradientSpace::of_layers(model, 1).unwrap(),
            TrainingTarget::Adapter { base, adapter } => {
                GradientSpace::of_adapter(base, adapter).unwrap()
            }
        }
    }

    #[test]
    fn rows_equal_one_backward_pass_per_record() {
        let data = data();
        for target in targets() {
            let space = space(&target);
            let mut rows = Vec::new();
            space
                .record_rows(
                    &data,
                    &mut Silent,
                    &CancellationFlag::default(),
                    |record, row| {
                        assert_eq!(record, rows.len());
                        rows.push(row.to_vec());
                        Ok(())
                    },
                )
                .unwrap();
            assert_eq!(rows.len(), data.records());
            for (record, (row, text)) in rows.iter().zip(records()).enumerate() {
                assert_eq!(row.len(), space.dimension());
                match text {
                    Some(text) => {
                        let expected = reference(&target, &stream(&text), 0, &space);
                        assert_close(row, &expected, &format!("record {record}"));
                    }
                    None => assert!(row.iter().all(|value| *value == 0.0)),
                }
            }
        }
    }

    #[test]
    fn factors_multiply_to_the_row() {
        let data = data();
        for target in targets() {
            let space = space(&target);
            let mut expected = Vec::new();
            let keep = |record: usize, row: &[f32]| {
                if record == 3 {
                    expected = row.to_vec();
                }
                Ok(())
            };
            space
                .record_rows(&data, &mut Silent, &CancellationFlag::default(), keep)
                .unwrap();
            let mut row = Vec::new();
            for factors in space.record_factors(&data, 3).unwrap() {
                let mut product = vec![0f32; factors.left_width * factors.right_width];
                let tokens = factors.left.chunks_exact(factors.left_width);
                for (left, right) in tokens.zip(factors.right.chunks_exact(factors.right_width)) {
                    for (line, left) in product.chunks_exact_mut(factors.right_width).zip(left) {
                        for (value, right) in line.iter_mut().zip(right) {
                            *value += left * right;
                        }
                    }
                }
                row.extend(product);
            }
            assert_close(&row, &expected, "record 3");
            assert!(space.record_factors(&data, 4).is_err(), "a tombstone");
        }
    }

    #[test]
    fn a_response_gradient_counts_only_the_response() {
        for target in targets() {
            let space = space(&target);
            let (prompt, response) = (b"fn main() {".map(u32::from), b"return;}".map(u32::from));
            let gradient = space.response_gradient(&prompt, &response).unwrap();
            let tokens: Vec<u32> = [256].into_iter().chain(prompt).chain(response).collect();
            let expected = reference(&target, &tokens, prompt.len(), &space);
            assert_close(&gradient, &expected, "response");
        }
    }

    #[test]
    fn a_response_longer_than_the_context_counts_every_token() {
        let target = &targets()[0];
        let space = space(target);
        let prompt = b"let total = prices".map(u32::from);
        let response: Vec<u32> = (0..100).map(|i| 97 + i * 7 % 26).collect();
        let gradient = space.response_gradient(&prompt, &response).unwrap();
        assert!(gradient.iter().any(|value| *value != 0.0));
        // The mean over both halves, each behind the same text, is the gradient of the whole as far
        // as windows fall on the same boundary.
        let shorter = space.response_gradient(&prompt, &response[..99]).unwrap();
        assert_ne!(gradient, shorter, "the last token counts");
        assert!(space.response_gradient(&prompt, &[]).is_err());
    }

    #[test]
    fn components_are_sorted_and_contiguous() {
        for target in targets() {
            let space = space(&target);
            let mut offset = 0;
            for pair in space.components().windows(2) {
                assert!(pair[0].name < pair[1].name);
            }
            for component in space.components() {
                assert_eq!(component.offset, offset);
                offset += component.elements;
            }
            assert_eq!(offset, space.dimension());
        }
        let model = tiny_model(1);
        assert!(GradientSpace::of_layers(&model, 2).is_err());
    }

    #[test]
    fn fails_when_the_sink_refuses_or_the_pass_is_cancelled() {
        let (data, model) = (data(), tiny_model(1));
        let space = GradientSpace::of_layers(&model, 1).unwrap();
        let flag = CancellationFlag::default();
        let refuse = |_: usize, _: &[f32]| Err("disk full".to_owned());
        let error = space
            .record_rows(&data, &mut Silent, &flag, refuse)
            .unwrap_err();
        assert!(error.to_string().contains("disk full"), "{error}");
        flag.cancel();
        let error = space
            .record_rows(&data, &mut Silent, &flag, |_, _| Ok(()))
            .unwrap_err();
        assert!(matches!(error, TrainError::Cancelled { .. }), "{error}");
    }
}

mod replay {
    use super::*;

    /// Smooth enough to be differentiated: AdamW's epsilon keeps its first steps gentle.
    fn smooth(data: &TrainingData) -> TrainingInputs<'_> {
        let mut inputs = inputs(data, 12);
        inputs.hyper_parameters.learning_rate = 3e-3;
        inputs.hyper_parameters.epsilon = 1e-3;
        inputs
    }

    fn replayed<'a>(target: TrainingTarget, inputs: &'a TrainingInputs<'a>) -> ReplayedRun<'a> {
        ReplayedRun::new(target, inputs, CancellationFlag::default()).unwrap()
    }

    #[test]
    fn is_the_run_itself() {
        let data = data();
        let inputs = smooth(&data);
        for target in [fresh_model, fresh_adapter] {
            let outcome = run(target(), &inputs);
            let mut replayed = replayed(target(), &inputs);
            assert_eq!(replayed.held_out(), outcome.held_out);
            let losses = replayed.losses(&outcome.held_out).unwrap();
            // One record is held out, so its mean is the run's.
            assert_eq!(losses.len(), 1);
            let difference = (losses[0] - f64::from(outcome.held_out_after)).abs();
            assert!(difference < 1e-5, "{difference}");
        }
    }

    #[test]
    fn effects_are_the_slopes_of_runs_with_other_weights() {
        let data = data();
        let inputs = smooth(&data);
        for target in [fresh_model, fresh_adapter] {
            let mut run = replayed(target(), &inputs);
            let query = run.held_out().to_vec();
            let effects = run.effects(&query, &mut Silent).unwrap().remove(0);
            assert_eq!(effects[query[0]], 0.0, "what is held out does nothing");
            assert_eq!(effects[4], 0.0, "a tombstone does nothing");
            let records = [1, 2, 5, 6, 8, 11];
            let slopes = records.map(|record| {
                let mut loss = |weight: f32| {
                    let mut weights = vec![1.0; data.records()];
                    weights[record] = weight;
                    run.set_record_weights(weights).unwrap();
                    run.losses(&query).unwrap()[0]
                };
                (loss(1.05) - loss(0.95)) / 0.1
            });
            // Not record by record: a gradient that is clipped with one weight and not with the other
            // bends the difference of two runs, but not the derivative.
            let correlation = correlation(&slopes, &records.map(|record| effects[record]));
            assert!(correlation > 0.99, "{correlation}: {slopes:?}, {effects:?}");
        }
    }

    /// Pearson's.
    fn correlation(left: &[f64], right: &[f64]) -> f64 {
        let centred = |values: &[f64]| {
            let mean = values.iter().sum::<f64>() / values.len() as f64;
            values.iter().map(|value| value - mean).collect::<Vec<_>>()
        };
        let (left, right) = (centred(left), centred(right));
        let product = |a: &[f64], b: &[f64]| -> f64 { a.iter().zip(b).map(|(a, b)| a * b).sum() };
        product(&left, &right) / (product(&left, &left) * product(&right, &right)).sqrt()
    }

    #[test]
    fn refuses_bad_weights_and_stops_when_told() {
        let data = data();
        let inputs = smooth(&data);
        let cancellation = CancellationFlag::default();
        let mut run = ReplayedRun::new(fresh_model(), &inputs, cancellation.clone()).unwrap();
        for weights in [vec![1.0; 3], vec![-1.0; 12], vec![f32::NAN; 12]] {
            let message = run.set_record_weights(weights).unwrap_err().to_string();
            assert!(message.contains("one for each record"), "{message}");
        }
        cancellation.cancel();
        let stopped = run.effects(&[0], &mut Silent);
        assert!(matches!(stopped, Err(TrainError::Cancelled { step: 0 })));
    }
}
