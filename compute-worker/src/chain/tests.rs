//! Everything that the worker reads and sends fits the runtime's metadata.

use super::{
    calls::{self, Answer, Call, DemandRequest},
    compatibility::{expected, has_call, has_storage, METADATA},
    types::STORED,
    *,
};
use attribution_proof::{
    contribution::MediaType,
    hash::Hash,
    influence::{IndexSpec, InfluenceMethod, Query, Row, RowDefect, RowOpening},
    licence::{Licence, Terms},
    merkle::Commitment,
    model::{Committed, ModelKind, TrainingResult},
    receipt::{Receipt, ResponseChunkOpening, ResponseWindow, Sampling, SignedReceipt},
    record::{ChunkOpening, ChunkWindow, RecordOpening},
    span::Occurrence,
    totals::Totals,
    transcript::{StepOpening, TranscriptStep},
    voucher::{CooperativeClose, SignedVoucher, Voucher},
    AccountId,
};
use codec::Encode;
use sp_runtime::MultiSignature;
use std::{fmt::Debug, sync::Arc};
use subxt::{
    config::polkadot::SpecVersionForRange,
    dynamic::Value,
    ext::{scale_decode::DecodeAsType, scale_value::ValueDef},
    Metadata, OfflineClient, PolkadotConfig,
};

fn metadata() -> &'static Metadata {
    expected().expect("client/metadata.scale is metadata")
}

#[test]
fn success_addresses_have_the_prefix_that_the_chain_registered() {
    assert_eq!(super::compatibility::address_prefix(), Some(1612));
}

/// The id of the type of this path.
fn type_of(path: &str) -> u32 {
    let types = &metadata().types().types;
    let found = types
        .iter()
        .find(|entry| entry.ty.path.segments.join("::") == path);
    found
        .unwrap_or_else(|| panic!("the runtime has no type {path}"))
        .id
}

/// Names of a structure's fields.
fn fields_of(path: &str) -> Vec<String> {
    // A value decoded from zeros carries the names that the metadata gives.
    let types = metadata().types();
    let described = serde_json::to_value(types.resolve(type_of(path))).unwrap();
    let fields = described["def"]["composite"]["fields"]
        .as_array()
        .unwrap()
        .clone();
    fields
        .iter()
        .map(|field| field["name"].as_str().unwrap().to_owned())
        .collect()
}

#[test]
fn success_stored_structures_have_the_pallets_fields_in_their_order() {
    assert!(STORED.len() > 10);
    for (path, fields) in STORED {
        assert_eq!(fields_of(path), *fields, "{path}");
    }
}

/// Decodes a value as the runtime would and compares the variant's name.
fn fits<T: Encode + Debug>(path: &str, values: &[T]) {
    for value in values {
        let bytes = value.encode();
        let input = &mut &*bytes;
        let decoded = Value::decode_as_type(input, type_of(path), metadata().types())
            .unwrap_or_else(|error| panic!("{path}: {value:?}: {error}"));
        assert!(input.is_empty(), "{path}: {value:?}");
        let ValueDef::Variant(variant) = decoded.value else {
            panic!("{path} is no enumeration")
        };
        let name = format!("{value:?}");
        assert!(
            name.starts_with(&variant.name),
            "{path}: {name} is {} there",
            variant.name
        );
    }
    let described = serde_json::to_value(metadata().types().resolve(type_of(path))).unwrap();
    let variants = described["def"]["variant"]["variants"]
        .as_array()
        .unwrap()
        .len();
    assert_eq!(values.len(), variants, "{path}: every variant is tried");
}

fn account() -> AccountId {
    AccountId::new([1; 32])
}

fn committed() -> Committed {
    Committed {
        commitment: Commitment::default(),
        content: [2; 32],
    }
}

fn spec() -> IndexSpec {
    IndexSpec {
        version: 1,
        dimension: 16,
        scale_cap: 10,
        norm_minimum: 1,
        norm_maximum: 100,
        method: InfluenceMethod::DampedGaussNewton,
        projection_seed: Hash::zero(),
        preconditioner: Hash::zero(),
    }
}

fn weights() -> TrainedWeights {
    TrainedWeights {
        artifact: [1; 32],
        architecture: Hash::zero(),
        tokenizer: Hash::zero(),
        transcript: committed(),
        loss_before: 2,
        loss_after: 1,
    }
}

fn result() -> TrainingResult {
    TrainingResult {
        artifact: [1; 32],
        architecture: Hash::zero(),
        tokenizer: Hash::zero(),
        transcript: committed(),
        index: committed(),
        spec: spec(),
        loss_before: 2,
        loss_after: 1,
    }
}

fn signature() -> MultiSignature {
    MultiSignature::Sr25519([7; 64].into())
}

fn receipt() -> SignedReceipt {
    let receipt = Receipt {
        genesis: Hash::repeat_byte(1),
        channel: 4,
        sequence: 2,
        previous: Hash::zero(),
        ruleset: 0,
        model: 1,
        version: 1,
        request: Hash::zero(),
        response: Commitment::default(),
        response_length: 0,
        sampling: Sampling {
            temperature_milli: 0,
            top_p_millionths: 1_000_000,
            top_k: 0,
            maximum_tokens: 1,
            seed: 0,
        },
        tokens_in: 1,
        tokens_out: 1,
        price: 3,
        cumulative: 5,
        query: Hash::zero(),
        audit: [0; 32],
        credits: Default::default(),
        spans: Default::default(),
        totals: Commitment::default(),
    };
    SignedReceipt {
        receipt,
        signature: signature(),
    }
}

fn row() -> RowOpening {
    RowOpening {
        row: 3,
        record: Hash::zero(),
        value: Row::Absent,
        path: Default::default(),
    }
}

fn chunk() -> ResponseChunkOpening {
    ResponseChunkOpening {
        index: 0,
        salt: Hash::zero(),
        data: Default::default(),
        path: Default::default(),
    }
}

fn record() -> RecordOpening {
    RecordOpening {
        index: 0,
        salt: Hash::zero(),
        content: Commitment::default(),
        len: 1,
        path: Default::default(),
    }
}

fn bytes() -> ChunkOpening {
    ChunkOpening {
        index: 0,
        data: Default::default(),
        path: Default::default(),
    }
}

fn requests() -> Vec<DemandRequest> {
    vec![
        DemandRequest::Receipt { sequence: 1 },
        DemandRequest::ResponseChunk {
            receipt: receipt(),
            index: 1,
        },
        DemandRequest::Row {
            receipt: receipt(),
            model: 1,
            row: 2,
        },
        DemandRequest::Step {
            receipt: receipt(),
            model: 1,
            step: 2,
        },
    ]
}

fn answers() -> Vec<Answer> {
    let step = TranscriptStep {
        step: 1,
        batch: Hash::zero(),
        weights: Hash::zero(),
        optimizer: Hash::zero(),
        loss_bits: 0,
    };
    vec![
        Answer::Receipt {
            receipt: receipt(),
            query: Query::default(),
        },
        Answer::ResponseChunk(chunk()),
        Answer::Row(row()),
        Answer::Step(StepOpening {
            previous: Hash::zero(),
            previous_path: Default::default(),
            step,
            path: Default::default(),
        }),
    ]
}

#[test]
fn success_stored_enumerations_have_the_pallets_variants() {
    let assignment = || Assignment {
        operator: account(),
        taken_at: 1,
        deadline: 2,
        stake: 3,
    };
    fits(
        "pallet_compute::types::JobState",
        &[
            JobState::Open { until: 1 },
            JobState::Taken {
                assignment: assignment(),
                order_seed: Some(Hash::zero()),
            },
            JobState::Transcribed {
                assignment: assignment(),
                order_seed: Hash::zero(),
                at: 1,
                weights: weights(),
                projection_seed: None,
            },
            JobState::Submitted {
                assignment: assignment(),
                order_seed: Hash::zero(),
                result: result(),
                window_end: 2,
            },
            JobState::Finalised { model: 1 },
            JobState::Refunded {
                cause: RefundCause::NotTaken,
            },
        ],
    );
    fits(
        "pallet_compute::types::RefundCause",
        &[
            RefundCause::Cancelled,
            RefundCause::NotTaken,
            RefundCause::NotSubmitted,
            RefundCause::ProvenWrong(RowFault::WrongRecord),
            RefundCause::NotRegistered(sp_runtime::DispatchError::BadOrigin),
        ],
    );
    fits(
        "pallet_compute::types::RowFault",
        &[
            RowFault::Defect(RowDefect::Dimension),
            RowFault::WrongRecord,
            RowFault::WronglyAbsent,
            RowFault::WronglyPresent,
        ],
    );
    fits(
        "pallet_compute::types::OperatorState",
        &[OperatorState::Active, OperatorState::Draining { since: 1 }],
    );
    fits(
        "pallet_datanets::types::DatanetKind",
        &[
            DatanetKind::Open,
            DatanetKind::Curated {
                curators: vec![account()],
                threshold: 1,
            },
        ],
    );
    let acceptance = Acceptance {
        index: 1,
        records_before: 2,
        snapshot: Hash::zero(),
        at: 3,
    };
    fits(
        "pallet_datanets::types::ContributionState",
        &[
            ContributionState::Pending,
            ContributionState::Accepted(acceptance),
            ContributionState::Rejected { at: 1 },
        ],
    );
    fits(
        "pallet_datanets::types::TombstoneCause",
        &[
            TombstoneCause::Slashed,
            TombstoneCause::Withdrawn,
            TombstoneCause::Superseded,
            TombstoneCause::Withheld,
            TombstoneCause::Overruled,
            TombstoneCause::Lapsed,
        ],
    );
    fits(
        "pallet_attribution::types::SettlementState",
        &[SettlementState::Pending, SettlementState::Final { at: 1 }],
    );
    fits("pallet_attribution::types::DemandRequest", &requests());
    fits("pallet_attribution::types::Answer", &answers());
}

/// The chain without a node.
fn offline() -> OfflineClient<PolkadotConfig> {
    let metadata = Metadata::decode_from(METADATA).unwrap();
    let config = PolkadotConfig::builder()
        .set_metadata_for_spec_versions([(1, Arc::new(metadata))])
        .set_spec_version_for_block_ranges([SpecVersionForRange {
            block_range: 0..u64::MAX,
            spec_version: 1,
            transaction_version: 1,
        }])
        .build();
    OfflineClient::new_with_config(config)
}

/// Decodes a call as the runtime would.
fn accepted(call: impl Call) {
    let name = format!("{}.{}", call.pallet_name(), call.call_name());
    let client = offline();
    let at = client.at_block(1u64).unwrap();
    let transactions = at.transactions();
    let data = transactions
        .call_data(&call)
        .unwrap_or_else(|error| panic!("{name}: {error}"));
    let decoded = transactions
        .from_call_data_bytes(&data)
        .unwrap_or_else(|error| panic!("{name}: {error}"));
    assert_eq!(transactions.call_data(&decoded).unwrap(), data, "{name}");
    assert!(
        has_call(metadata(), call.pallet_name(), call.call_name()),
        "{name}"
    );
}

#[test]
fn success_calls_of_data_and_compute_are_the_pallets() {
    let terms = Terms::FREE;
    let licence = Licence {
        spdx: b"MIT".to_vec().try_into().unwrap(),
        terms,
    };
    accepted(calls::create_open_datanet("name"));
    accepted(calls::contribute(
        1,
        Commitment::default(),
        9,
        MediaType::Text,
        [1; 32],
        licence,
        Some(3),
        10,
    ));
    accepted(calls::accept_contribution(1));
    accepted(calls::register_operator(
        u128::MAX,
        "{}",
        "http://localhost",
    ));
    accepted(calls::update_operator("{}", "http://localhost"));
    accepted(calls::drain());
    accepted(calls::request_job(
        ModelKind::Adapter { base: 2 },
        vec![1, 2],
        [3; 32],
        None,
        1,
        2,
        3,
        4,
    ));
    accepted(calls::take_job(1));
    accepted(calls::draw_order_seed(1));
    let (architecture, tokenizer) = (Hash::zero(), Hash::repeat_byte(1));
    accepted(calls::submit_transcript(
        1,
        [2; 32],
        architecture,
        tokenizer,
        committed(),
        5,
        4,
    ));
    accepted(calls::draw_projection_seed(1));
    accepted(calls::submit_index(1, committed(), spec()));
    accepted(calls::finalise_job(1));
    accepted(calls::expire_job(1));
}

#[test]
fn success_calls_of_channels_and_settlements_are_the_pallets() {
    let genesis = Hash::zero();
    let agreement = CooperativeClose {
        genesis,
        channel: 1,
        cumulative: 2,
    };
    let voucher = Voucher {
        genesis,
        channel: 1,
        sequence: 1,
        cumulative: 1,
        receipt: Hash::zero(),
    };
    let voucher = SignedVoucher {
        voucher,
        signature: signature(),
    };
    accepted(calls::open_channel(&account(), Some(account()), 10, 20));
    accepted(calls::open_channel(&account(), None, 10, 20));
    accepted(calls::top_up(1, 2));
    accepted(calls::extend_channel(1, 2));
    accepted(calls::request_close(1));
    accepted(calls::close_channel(1));
    accepted(calls::close_cooperatively(1, agreement, signature()));
    accepted(calls::close_as_payee(1));
    accepted(calls::settle(voucher, receipt()));
    accepted(calls::finalise_settlement(1));
    accepted(calls::pay(1, Vec::new()));
    accepted(calls::claim(3));
    accepted(calls::claim_for(&account(), 3));
}

#[test]
fn success_challenges_and_demands_are_the_pallets() {
    let at = Occurrence {
        model: 1,
        row: 2,
        offset: 3,
    };
    let window = ResponseWindow {
        first: chunk(),
        second: Some(chunk()),
    };
    let chunks = ChunkWindow {
        first: bytes(),
        second: None,
    };
    accepted(calls::challenge_score(
        1,
        receipt(),
        2,
        Query::default(),
        row(),
    ));
    accepted(calls::challenge_omission(
        1,
        receipt(),
        2,
        Query::default(),
        row(),
    ));
    accepted(calls::challenge_bytes(
        1,
        receipt(),
        2,
        3,
        4,
        record(),
        chunk(),
        bytes(),
    ));
    accepted(calls::challenge_span(
        1,
        receipt(),
        2,
        3,
        at,
        4,
        record(),
        window,
        chunks,
    ));
    let before = Totals::default();
    accepted(calls::challenge_step(
        1,
        Some(receipt()),
        receipt(),
        before.clone(),
        vec![1],
    ));
    accepted(calls::challenge_step(
        1,
        None,
        receipt(),
        before,
        Vec::new(),
    ));
    accepted(calls::challenge_settlement(1, receipt()));
    accepted(calls::challenge_equivocation(1, receipt(), receipt()));
    for request in requests() {
        accepted(calls::demand(1, request));
    }
    for answer in answers() {
        accepted(calls::answer_demand(1, 2, answer));
    }
    accepted(calls::expire_demand(1, 2));
}

#[test]
fn success_every_entry_that_is_read_exists() {
    for (pallet, entry) in super::state::ENTRIES {
        assert!(has_storage(metadata(), pallet, entry), "{pallet}.{entry}");
    }
}

#[test]
fn fails_when_the_runtime_has_no_such_call_or_entry() {
    assert!(!has_call(metadata(), "Compute", "take"));
    assert!(!has_call(metadata(), "Nowhere", "take_job"));
    assert!(!has_storage(metadata(), "Compute", "Work"));
    assert!(expected().is_some());
}

#[tokio::test]
async fn fails_clearly_when_no_node_answers() {
    // Port 1 is reserved and nothing listens there.
    let error = Client::connect("ws://127.0.0.1:1").await.unwrap_err();
    assert!(matches!(error, ChainError::Unreachable { .. }));
    assert!(error.to_string().contains("--node"), "{error}");
    let error = Client::connect("gopher://nowhere").await.unwrap_err();
    assert!(matches!(error, ChainError::Unreachable { .. }), "{error}");
}
