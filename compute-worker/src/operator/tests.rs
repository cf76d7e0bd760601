//! The computation of jobs, without a chain.

use super::*;
use crate::{
    dataset::InputRecord,
    model::ADAPTER_WEIGHTS_FILE,
    train::{HyperParameters, StepReport, TrainError},
};
use attribution_proof::{contribution::MediaType, influence::Row};
use std::path::Path;

const ORDER: Hash = Hash::repeat_byte(7);
const PROJECTION: Hash = Hash::repeat_byte(8);

fn record(payload: &crate::payload::Payload, contribution: u64, index: usize) -> InputRecord {
    InputRecord {
        contribution,
        index: index as u32,
        leaf: payload.leaves[index],
        commit: payload.commits[index],
        absent: false,
        is_text: true,
        bytes: payload.records[index].clone(),
    }
}

/// Six records of two contributors; the last is a copy of the first, the fourth is absent.
fn dataset() -> Dataset {
    let text = |i: usize| {
        format!("fn number_{i}() -> u64 {{ {i} * {i} }}\n")
            .repeat(i + 2)
            .into_bytes()
    };
    let payload = |who: u8, records| {
        crate::payload::Payload::new(&AccountId::new([who; 32]), MediaType::Text, records).unwrap()
    };
    let first = payload(1, vec![text(0), text(1), text(2)]);
    let second = payload(2, vec![text(3), text(4), text(0)]);
    let mut records: Vec<_> = (0..3).map(|index| record(&first, 1, index)).collect();
    records.extend((0..3).map(|index| record(&second, 2, index)));
    records[3].absent = true;
    Dataset {
        records,
        contributors: Default::default(),
    }
}

fn training(steps: u32) -> HyperParameters {
    HyperParameters {
        batch_size: 2,
        sequence_length: 32,
        ..HyperParameters::full(steps)
    }
}

fn base_plan(steps: u32) -> Plan {
    let recipe = Recipe {
        training: training(steps),
        ..Recipe::base(32, 2, 64, steps)
    };
    Plan {
        job: 5,
        snapshots: Vec::new(),
        recipe,
        base: None,
        dataset: dataset(),
    }
}

fn train(plan: &Plan, folder: &Path) -> Trained {
    plan.train(ORDER, folder, 2, &mut Silent, &CancellationFlag::default())
        .unwrap()
}

#[test]
fn success_a_base_and_an_adapter_are_trained_and_indexed() {
    let folder = tempfile::tempdir().unwrap();
    let scratch = folder.path().join("index");
    let plan = base_plan(4);
    let base = train(&plan, &folder.path().join("base"));
    assert_eq!(base.commitment.count, 5, "the start and four steps");
    assert!(base.loss_after < base.loss_before);
    let transcript = decode_transcript(&base.transcript).unwrap();
    assert_eq!(transcript.commitment(), base.commitment);
    let flag = CancellationFlag::default();
    let index = |plan: &Plan, artifact: &Artifact| {
        plan.index(artifact, PROJECTION, &scratch, &mut Silent, &flag)
            .unwrap()
    };
    let indexed = index(&plan, &base.artifact);
    assert_eq!(indexed.commitment.count, 6);
    let report = (
        indexed.report.own,
        indexed.report.duplicates,
        indexed.report.absent,
    );
    assert_eq!(report, (4, 1, 1));
    assert_eq!(indexed.spec.projection_seed, PROJECTION);
    assert!(indexed.spec.is_valid());
    std::fs::write(&scratch, &indexed.blob).unwrap();
    let loaded = attribution_engine::influence::Index::load(&scratch).unwrap();
    assert_eq!(loaded.row(3), Some(Row::Absent));
    assert_eq!(loaded.row(5), Some(Row::DuplicateOf(0)));
    let tree = loaded.tree(5, &plan.dataset.leaves()).unwrap();
    assert_eq!(tree.commitment(), indexed.commitment);

    let recipe = Recipe {
        training: training(3),
        ..Recipe::adapter(2, 4.0, 3)
    };
    let adapter_plan = Plan {
        base: Some(Base::from_artifact(base.artifact.id(), &base.artifact).unwrap()),
        recipe,
        ..base_plan(3)
    };
    let adapter = train(&adapter_plan, &folder.path().join("adapter"));
    assert_eq!(
        adapter.tokenizer, base.tokenizer,
        "an adapter speaks its base's tokens"
    );
    assert_ne!(adapter.architecture, base.architecture);
    assert!(adapter.artifact.file(ADAPTER_WEIGHTS_FILE).is_ok());
    let start = decode_transcript(&adapter.transcript).unwrap().start;
    assert_eq!(start.base, base.artifact.id());
    assert_eq!(index(&adapter_plan, &adapter.artifact).commitment.count, 6);
}

/// Cancels after a number of steps.
struct StopAfter(u32, CancellationFlag);

impl Progress for StopAfter {
    fn step(&mut self, report: &StepReport) {
        if report.step == self.0 {
            self.1.cancel();
        }
    }
}

#[test]
fn success_an_interrupted_job_goes_on_with_the_same_result() {
    let folder = tempfile::tempdir().unwrap();
    let plan = base_plan(5);
    let whole = train(&plan, &folder.path().join("whole"));
    let resumed = folder.path().join("resumed");
    let flag = CancellationFlag::default();
    let mut stop = StopAfter(3, flag.clone());
    let stopped = plan
        .train(ORDER, &resumed, 2, &mut stop, &flag)
        .unwrap_err();
    assert!(matches!(
        stopped,
        OperatorError::Train(TrainError::Cancelled { step: 3 })
    ));
    let again = train(&plan, &resumed);
    assert_eq!((whole.resumed_from, again.resumed_from), (0, 3));
    assert_eq!(again.transcript, whole.transcript);
    assert_eq!(again.artifact.id(), whole.artifact.id());
    // Killed between the last step and the hand-in.
    let third = train(&plan, &resumed);
    assert_eq!(
        (third.resumed_from, third.artifact.id()),
        (5, whole.artifact.id())
    );
    assert_eq!(
        (third.loss_before, third.loss_after),
        (whole.loss_before, whole.loss_after)
    );
}

#[test]
fn fails_when_an_input_cannot_be_trained_on() {
    let mut plan = base_plan(2);
    plan.check(u64::MAX).unwrap();
    plan.dataset.records[1].is_text = false;
    let error = plan.check(u64::MAX).unwrap_err();
    assert!(matches!(
        error,
        OperatorError::NotText {
            ordinal: 1,
            contribution: 1,
            record: 1
        }
    ));
    plan.dataset.records[1].absent = true;
    plan.check(u64::MAX).unwrap();
    plan.dataset.records[2].bytes = vec![0xff];
    assert!(matches!(
        plan.check(u64::MAX),
        Err(OperatorError::Train(TrainError::NotUtf8 { record: 2, .. }))
    ));
}

#[test]
fn fails_when_a_job_needs_too_much_memory_or_has_one_record_only() {
    let mut plan = base_plan(2);
    let error = plan.check(1 << 10).unwrap_err();
    assert!(matches!(error, OperatorError::TooLarge { most: 1024, .. }));
    plan.dataset.records.truncate(1);
    assert!(matches!(
        plan.check(u64::MAX),
        Err(OperatorError::Train(TrainError::TooFewRecords { found: 1 }))
    ));
}

#[test]
fn fails_when_a_blob_is_no_transcript() {
    assert_eq!(decode_transcript(b"OLDT"), None);
    assert_eq!(decode_transcript(b"OLDT\x01"), None);
}

#[test]
fn success_the_hardware_profile_is_json_that_fits() {
    let profile = hardware_profile();
    assert!(profile.len() <= MAX_HARDWARE, "{profile}");
    let value: serde_json::Value = serde_json::from_str(&profile).unwrap();
    assert!(value["threads"].as_u64().unwrap() > 0, "{profile}");
}

#[test]
fn a_job_that_fails_again_and_again_is_left_alone_for_longer_but_not_for_ever() {
    let mut waited = None;
    let mut waits = Vec::new();
    for _ in 0..8 {
        let left = LeftAlone::after(waited);
        assert!(left.until <= Instant::now() + left.waited);
        waited = Some(left.waited);
        waits.push(left.waited.as_secs());
    }
    assert_eq!(waits, [2, 4, 8, 16, 32, 64, 64, 64]);
}
