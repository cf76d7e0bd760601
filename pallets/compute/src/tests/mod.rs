//! One module per group of calls, and the conservation law.

use crate::{
    mock::*,
    types::{
        Assignment, ContributionView, Endpoint, Hardware, Job, JobState, OperatorState,
        RefundCause, Rejection, RowEvidence, RowFault,
    },
    Error, Event, HoldReason, Jobs, NextJob, Operators,
};
use attribution_proof::{
    contribution::Snapshot,
    hash::Hash,
    influence::{row_leaf, IndexSpec, InfluenceMethod, Row, RowDefect, RowOpening},
    licence::Terms,
    merkle::{Commitment, Tree},
    model::{Committed, ModelKind, Parent, TrainingResult},
    record::{content_tree, record_commit, record_leaf, RecordOpening},
    AccountId, Balance, ContributionId, DatanetId, JobId,
};
use frame_support::{
    assert_noop, assert_ok,
    traits::fungible::{InspectHold, Mutate},
    BoundedVec,
};
use sp_runtime::{DispatchError, DispatchResult, TokenError};
use std::sync::OnceLock;

mod conservation;
mod draw_and_submit;
mod end_of_jobs;
mod liability;
mod operators;
mod request_and_take;
mod row_challenges;
mod views;

const OPERATOR: u8 = 1;
const BUILDER: u8 = 2;
const CHALLENGER: u8 = 3;
const FEE: Balance = 5_000;
const BOND: Balance = 10_000;
const STAKE: Balance = RULESET.compute.job_stake;

fn signed(who: u8) -> RuntimeOrigin {
    RuntimeOrigin::signed(account(who))
}

fn free(who: u8) -> Balance {
    Balances::free_balance(account(who))
}

fn held(reason: HoldReason, who: u8) -> Balance {
    Balances::balance_on_hold(&reason.into(), &account(who))
}

fn treasury() -> Balance {
    Balances::free_balance(TreasuryAccount::get()) - MONEY
}

fn hardware() -> Hardware {
    Hardware::truncate_from(br#"{"device":"cpu","cores":2}"#.to_vec())
}

fn endpoint() -> Endpoint {
    Endpoint::truncate_from(b"https://operator.example:8443".to_vec())
}

fn register_operator(who: u8, bond: Balance) -> DispatchResult {
    Compute::register_operator(signed(who), bond, hardware(), endpoint())
}

fn state(job: JobId) -> JobState {
    Jobs::<Test>::get(job).unwrap().state
}

/// The data of every test: Datanet 7 with contributions 1 (three records) and 3 (two records), and
/// Datanet 5 with contribution 2 (two records).
const DATA: [(ContributionId, DatanetId, u32, u32, u32); 3] =
    [(1, 7, 0, 0, 3), (2, 5, 0, 0, 2), (3, 7, 1, 3, 2)];
/// Order of the inputs: Datanet 5 has ordinals 0 and 1, Datanet 7 has 2 to 6.
const DATANETS: [DatanetId; 2] = [5, 7];
/// Who owns each ordinal: contribution and record.
const OWNERS: [(ContributionId, u32); 7] = [(2, 0), (2, 1), (1, 0), (1, 1), (1, 2), (3, 0), (3, 1)];

fn contributor(contribution: ContributionId) -> AccountId {
    account(20 + contribution as u8)
}

fn text(contribution: ContributionId, record: u32) -> Vec<u8> {
    format!("record {record} of contribution {contribution}\n")
        .repeat(40)
        .into_bytes()
}

fn leaf(contribution: ContributionId, record: u32) -> Hash {
    let bytes = text(contribution, record);
    let commit = record_commit(&Hash::zero(), &content_tree(&bytes).commitment());
    record_leaf(
        record,
        &contributor(contribution),
        &commit,
        bytes.len() as u32,
    )
}

fn leaves(contribution: ContributionId, count: u32) -> Tree {
    Tree::new(
        (0..count)
            .map(|record| leaf(contribution, record))
            .collect(),
    )
}

fn record_opening(contribution: ContributionId, record: u32) -> RecordOpening {
    let (_, _, _, _, count) = DATA
        .into_iter()
        .find(|(id, ..)| *id == contribution)
        .expect("known");
    let bytes = text(contribution, record);
    RecordOpening {
        index: record,
        salt: Hash::zero(),
        content: content_tree(&bytes).commitment(),
        len: bytes.len() as u32,
        path: leaves(contribution, count).path(record).unwrap(),
    }
}

fn set_terms(datanet: DatanetId, terms: Terms) {
    TermsOf::mutate(|all| all.insert(datanet, terms));
}

fn data() {
    for (contribution, datanet, index, records_before, count) in DATA {
        let view = ContributionView {
            datanet,
            index,
            records_before,
            leaves: leaves(contribution, count).commitment(),
            contributor: contributor(contribution),
        };
        Contributions::mutate(|all| all.insert(contribution, view));
        Snapshots::mutate(|all| {
            let snapshot = Snapshot {
                datanet,
                length: index + 1,
                head: Hash::repeat_byte(contribution as u8),
                records: records_before + count,
            };
            all.insert(datanet, snapshot)
        });
        set_terms(datanet, Terms::FREE);
    }
}

/// A request with sensible defaults.
#[derive(Clone)]
struct Request {
    builder: u8,
    kind: ModelKind,
    datanets: Vec<DatanetId>,
    price: Balance,
    fee: Balance,
}

impl Default for Request {
    fn default() -> Self {
        Self {
            builder: BUILDER,
            kind: ModelKind::Base,
            datanets: DATANETS.to_vec(),
            price: 5,
            fee: FEE,
        }
    }
}

impl Request {
    fn call(&self) -> DispatchResult {
        Compute::request_job(
            signed(self.builder),
            self.kind,
            BoundedVec::try_from(self.datanets.clone()).unwrap(),
            [6; 32],
            None,
            7,
            self.price,
            0,
            self.fee,
        )
    }

    fn job(&self) -> JobId {
        let job = NextJob::<Test>::get();
        assert_ok!(self.call());
        job
    }
}

/// A job requested by [`BUILDER`] over all data.
fn requested() -> JobId {
    data();
    Request::default().job()
}

/// The same, taken by [`OPERATOR`] one block later.
fn taken() -> JobId {
    let job = requested();
    assert_ok!(register_operator(OPERATOR, BOND));
    pass(1);
    assert_ok!(Compute::take_job(signed(OPERATOR), job));
    job
}

fn order_seed(job: JobId) {
    pass(2);
    OrderKnownSince::set(System::block_number());
    assert_ok!(Compute::draw_order_seed(signed(CHALLENGER), job));
}

fn transcript() -> Committed {
    Committed {
        commitment: Commitment {
            root: Hash::repeat_byte(3),
            count: 9,
        },
        content: [3; 32],
    }
}

fn submit_transcript(who: u8, job: JobId) -> DispatchResult {
    Compute::submit_transcript(
        signed(who),
        job,
        [4; 32],
        Hash::repeat_byte(5),
        Hash::repeat_byte(6),
        transcript(),
        2_000_000,
        1_000_000,
    )
}

/// The same, trained.
fn transcribed() -> JobId {
    let job = taken();
    order_seed(job);
    assert_ok!(submit_transcript(OPERATOR, job));
    job
}

fn projection_seed(job: JobId) -> Hash {
    pass(1);
    ProjectionKnownSince::set(System::block_number());
    assert_ok!(Compute::draw_projection_seed(signed(CHALLENGER), job));
    match state(job) {
        JobState::Transcribed {
            projection_seed: Some(seed),
            ..
        } => seed,
        other => panic!("no seed in {other:?}"),
    }
}

fn spec(projection_seed: Hash) -> IndexSpec {
    IndexSpec {
        version: 1,
        dimension: 4,
        scale_cap: 100,
        norm_minimum: 10,
        norm_maximum: 10_000,
        method: InfluenceMethod::DampedGaussNewton,
        projection_seed,
        preconditioner: Hash::repeat_byte(8),
    }
}

fn own() -> Row {
    Row::Own {
        scale: 5,
        g: vec![3, -4, 5, 0].try_into().unwrap(),
    }
}

/// The rows of an honest index: record leaf and value by ordinal.
fn honest_rows() -> Vec<(Hash, Row)> {
    static ROWS: OnceLock<Vec<(Hash, Row)>> = OnceLock::new();
    ROWS.get_or_init(|| {
        OWNERS
            .iter()
            .map(|(contribution, record)| (leaf(*contribution, *record), own()))
            .collect()
    })
    .clone()
}

fn row_tree(job: JobId, rows: &[(Hash, Row)]) -> Tree {
    Tree::new(
        rows.iter()
            .zip(0u32..)
            .map(|((record, value), row)| row_leaf(job, row, record, value))
            .collect(),
    )
}

fn row_opening(job: JobId, rows: &[(Hash, Row)], row: u32) -> RowOpening {
    let (record, value) = rows[row as usize].clone();
    RowOpening {
        row,
        record,
        value,
        path: row_tree(job, rows).path(row).unwrap(),
    }
}

fn submit_index(who: u8, job: JobId, rows: &[(Hash, Row)], spec: IndexSpec) -> DispatchResult {
    let index = Committed {
        commitment: row_tree(job, rows).commitment(),
        content: [9; 32],
    };
    Compute::submit_index(signed(who), job, index, spec)
}

/// The same with this index, its window open.
fn submitted(rows: &[(Hash, Row)]) -> JobId {
    let job = transcribed();
    let seed = projection_seed(job);
    assert_ok!(submit_index(OPERATOR, job, rows, spec(seed)));
    job
}

#[test]
fn success_mock_rulesets_are_valid() {
    use attribution_proof::ruleset::Rulesets;
    for id in [0, 1] {
        assert_eq!(TestRulesets::get(id).unwrap().validate(), Ok(()));
    }
}
