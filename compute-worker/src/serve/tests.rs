//! From an answer to its receipt and its payment, without a chain; and once with one.

use super::{
    channel::Admission,
    models::{Evidence, Member, Served},
    settle::{replay, unpaid, SettleError},
    trace::{delivery, trace_answer},
};
use crate::{
    attribution::{build_index, gradient_space, TracedModel},
    chain::{Channel, Settlement, SettlementState},
    committed::CommittedIndex,
    dataset::{Dataset, InputRecord},
    generate::{EngineLimits, GenerationEngine, GenerationRequest},
    keys::Key,
    ledger::{Ledger, StoredReceipt},
    model::{Adapter, AdapterConfig, Llama, LlamaConfig, ModelFolder, TextTokenizer},
    payload::Payload,
    receipt::Answer,
    terms::ModelTerms,
    train::{CancellationFlag, Silent, TrainingData},
    watch::{self, Lineage},
};
use attribution_proof::{
    challenge::Mark,
    contribution::MediaType,
    hash::Hash,
    licence::Terms,
    model::{Committed, Manifest, ModelKind, Training, TrainingResult},
    receipt::{request_commit, response_tree, Sampling},
    ruleset::{ReceiptRules, Ruleset},
    totals::{Payee, Totals},
    voucher::{SignedVoucher, Voucher},
    AccountId, JobId, ModelId,
};
use candle_core::Device;
use codec::DecodeAll;
use openledger_runtime::configs::ruleset::FIRST_RULESET;
use std::{collections::BTreeMap, sync::Arc};

const GENESIS: Hash = Hash::repeat_byte(9);
const SEED: Hash = Hash::repeat_byte(8);
const CHANNEL: u64 = 3;

/// The first ruleset, but for small models and short answers.
pub(crate) fn ruleset() -> Ruleset {
    Ruleset {
        receipt: ReceiptRules {
            top_k: 3,
            floor_numerator: 0,
            floor_denominator: 1,
            minimum_span: 8,
            ..FIRST_RULESET.receipt
        },
        ..FIRST_RULESET
    }
}

fn manifest(kind: ModelKind) -> Manifest {
    Manifest {
        owner: AccountId::new([4; 32]),
        kind,
        version: 1,
        previous: None,
        artifact: [0; 32],
        architecture: Hash::zero(),
        tokenizer: Hash::zero(),
        parents: Default::default(),
        royalty: 0,
        terms: Terms {
            derivatives: true,
            commercial: true,
            share_alike: false,
            attribution: true,
        },
        price: 1_000_003,
        price_floor: 7,
        ruleset: 0,
        training: None,
    }
}

/// Records of three contributors, each of a style of its own, but for the last: it copies the first.
fn dataset(first: u64) -> Dataset {
    let mut dataset = Dataset::default();
    for contribution in first..first + 3 {
        let contributor = AccountId::new([contribution as u8; 32]);
        let text = |(of, i): (u64, u64)| format!("fn contribution_{of}_{i}() {{}}\n").repeat(2);
        let last = if contribution == first + 2 {
            (first, 0)
        } else {
            (contribution, 1)
        };
        let texts = [(contribution, 0), last].map(text);
        let records = texts.map(String::into_bytes).to_vec();
        let payload = Payload::new(&contributor, MediaType::Text, records).unwrap();
        for index in 0..2 {
            dataset.records.push(InputRecord {
                contribution,
                index: index as u32,
                leaf: payload.leaves[index],
                commit: payload.commits[index],
                absent: false,
                is_text: true,
                bytes: payload.records[index].clone(),
            });
        }
        dataset.contributors.insert(contribution, contributor);
    }
    dataset
}

fn member(
    model: ModelId,
    kind: ModelKind,
    engine: &GenerationEngine,
    adapter: Option<Arc<Adapter>>,
    dataset: Dataset,
) -> Arc<Member> {
    let base = engine.base();
    let space = gradient_space(&base.model, adapter.as_deref()).unwrap();
    let records = dataset.present();
    let data = TrainingData::new(&records, &base.tokenizer, base.model.config()).unwrap();
    let (commits, tombstoned) = (dataset.commits(), dataset.tombstoned());
    let flag = CancellationFlag::default();
    let (index, _) = build_index(
        &space,
        &data,
        &commits,
        &tombstoned,
        &SEED,
        &mut Silent,
        &flag,
    )
    .unwrap();
    let traced = TracedModel::new(model, &space, index, &records, dataset.owners(), &SEED).unwrap();
    let evidence = Some(Evidence { traced, dataset });
    Arc::new(Member {
        model,
        manifest: manifest(kind),
        adapter,
        evidence,
    })
}

/// An adapter, number 7, over a base, number 5, with inputs of their own.
fn served() -> Served {
    let config = LlamaConfig::byte_level(32, 2, 128);
    let model = Llama::initialize(config.clone(), [1; 32], &Device::Cpu).unwrap();
    let folder = ModelFolder::new(model, TextTokenizer::byte_level().unwrap()).unwrap();
    let engine = Arc::new(GenerationEngine::start(folder, EngineLimits::default()).unwrap());
    let adapter =
        Adapter::initialize(AdapterConfig::new(2, 4.0), &config, [2; 32], &Device::Cpu).unwrap();
    engine.load_adapter("7", adapter).unwrap();
    let base = member(5, ModelKind::Base, &engine, None, dataset(10));
    let kind = ModelKind::Adapter { base: 5 };
    let member = member(7, kind, &engine, engine.adapter("7"), dataset(20));
    Served {
        member,
        base: Some(base),
        engine,
    }
}

fn sampling() -> Sampling {
    Sampling {
        temperature_milli: 0,
        top_p_millionths: 1_000_000,
        top_k: 0,
        maximum_tokens: 6,
        seed: 1,
    }
}

fn channel(key: &Key) -> Channel {
    Channel {
        payer: AccountId::new([1; 32]),
        signer: AccountId::new([1; 32]),
        payee: key.account(),
        deposit: 10_u128.pow(12),
        ruleset: 0,
        opened_at: 1,
        expiry: 100,
        closing: None,
        mark: Mark::default(),
    }
}

/// An answer that repeats an input of the base word for word.
fn copied(served: &Served) -> Answer {
    let response = "fn contribution_11_1() {}\n".to_owned();
    let tokenizer = &served.engine.base().tokenizer;
    let prompt = served.engine.prompt_tokens("fn ").unwrap();
    Answer {
        request: br#"{"model":"7","prompt":"fn "}"#.to_vec(),
        response_tokens: tokenizer.encode(&response).unwrap(),
        response,
        sampling: sampling(),
        prompt_tokens: prompt,
    }
}

struct Books {
    _folder: tempfile::TempDir,
    ledger: Ledger,
    key: Key,
    served: Served,
    admission: Admission,
}

impl Books {
    fn open() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let ledger = Ledger::open(&folder.path().join("ledger")).unwrap();
        let key = Key::from_secret("//Bob").unwrap();
        let admission = Admission::for_tests(CHANNEL, channel(&key), ruleset());
        Self {
            _folder: folder,
            ledger,
            key,
            served: served(),
            admission,
        }
    }

    fn issue(&self, answer: Answer) -> StoredReceipt {
        let traced = trace_answer(&self.served, &answer, &ruleset().receipt).unwrap();
        let (ledger, key) = (&self.ledger, &self.key);
        let issued =
            self.admission
                .issue(ledger, key, GENESIS, &self.served, answer, traced, [6; 32]);
        issued.unwrap()
    }

    fn vouch(&self, stored: &StoredReceipt) {
        let receipt = &stored.signed.receipt;
        let voucher = Voucher {
            genesis: GENESIS,
            channel: CHANNEL,
            sequence: receipt.sequence,
            cumulative: receipt.cumulative,
            receipt: receipt.commit(),
        };
        let signature = self.key.sign(&voucher.payload());
        self.ledger
            .vouch(&SignedVoucher { voucher, signature })
            .unwrap();
    }
}

/// Honest receipts with all that they are judged by.
pub(crate) struct Judged {
    pub(crate) genesis: Hash,
    pub(crate) key: Key,
    pub(crate) receipts: [StoredReceipt; 2],
    pub(crate) ruleset: Ruleset,
    /// Of both receipts.
    pub(crate) settlement: Settlement,
    pub(crate) trainings: Vec<(ModelId, Training)>,
    pub(crate) lineage: Lineage,
}

/// What the chain would have of a model whose index is `evidence`.
fn training(evidence: &Evidence) -> (Training, CommittedIndex) {
    const JOB: JobId = 4;
    let Evidence { traced, dataset } = evidence;
    let committed = CommittedIndex {
        tree: traced.index.tree(JOB, &dataset.leaves()).unwrap(),
        index: traced.index.clone(),
        dataset: dataset.clone(),
    };
    let rows = Committed {
        commitment: committed.tree.commitment(),
        content: [0; 32],
    };
    let training = Training {
        job: JOB,
        inputs: Default::default(),
        taken_at: 1,
        operator: AccountId::new([5; 32]),
        result: TrainingResult {
            artifact: [0; 32],
            architecture: Hash::zero(),
            tokenizer: Hash::zero(),
            transcript: rows,
            index: rows,
            spec: traced.index.spec(SEED, &traced.preconditioner),
            loss_before: 2,
            loss_after: 1,
        },
    };
    (training, committed)
}

pub(crate) fn judged() -> Judged {
    let books = Books::open();
    let receipts = [(), ()].map(|()| books.issue(copied(&books.served)));
    let manifest = &books.served.member.manifest;
    let lineage = books.served.lineage();
    let terms = ModelTerms {
        version: manifest.version,
        is_commercial: manifest.terms.commercial,
        price: manifest.price,
        price_floor: manifest.price_floor,
        lineage: books.served.lineage_models(),
        owners: lineage
            .iter()
            .map(|(member, evidence)| (member.model, evidence.dataset.owners()))
            .collect(),
    };
    let (mut trainings, mut members) = (Vec::new(), Vec::new());
    for (member, evidence) in lineage {
        let (training, committed) = training(evidence);
        trainings.push((member.model, training.clone()));
        members.push(watch::Member::new(member.model, training, Ok(committed)));
    }
    let last = &receipts[1].signed.receipt;
    let settlement = Settlement {
        channel: CHANNEL,
        payer: AccountId::new([1; 32]),
        operator: books.key.account(),
        ruleset: 0,
        from: Mark::default(),
        to: Mark::after(last),
        split: ruleset().split.split(0, last.cumulative),
        totals: last.totals,
        opened_at: 1,
        demands_until: 2,
        window_end: 2,
        state: SettlementState::Pending,
        paid: Vec::new(),
        paid_count: 0,
        paid_sum: 0,
        open_demands: 0,
    };
    Judged {
        genesis: GENESIS,
        key: books.key.clone(),
        receipts,
        ruleset: ruleset(),
        settlement,
        trainings,
        lineage: Lineage::new(terms, members),
    }
}

#[test]
fn success_a_receipt_names_owners_and_can_be_defended() {
    let books = Books::open();
    let answer = copied(&books.served);
    let stored = books.issue(answer.clone());
    let receipt = &stored.signed.receipt;
    assert!(stored.signed.is_signed_by(&books.key.account()));
    assert_eq!(receipt.request, request_commit(&answer.request));
    let response = response_tree(answer.response.as_bytes(), &stored.secret).commitment();
    assert_eq!(receipt.response, response);
    assert_eq!(receipt.price, u128::from(answer.tokens()) * 1_000_003);
    assert_eq!((receipt.model, receipt.sequence), (7, 1));
    // Query vectors for both, ascending by model; a full list of credits.
    let models: Vec<_> = stored
        .query
        .vectors
        .iter()
        .map(|(model, _)| *model)
        .collect();
    assert_eq!(models, [5, 7]);
    assert_eq!(receipt.credits.len(), 3);
    // The whole response stands in the base's fourth record, which contribution 11 owns.
    let [span] = receipt.spans.as_slice() else {
        panic!("{:?}", receipt.spans)
    };
    assert_eq!(
        (span.at.model, span.at.row, span.length),
        (5, 3, response_length(&answer))
    );
    assert_eq!(stored.owners.last(), Some(&11));
    for (credit, owner) in receipt.credits.iter().zip(&stored.owners) {
        let first = if credit.model == 5 { 10 } else { 20 };
        assert_eq!(*owner, first + u64::from(credit.row) / 2);
    }
    let delivered = delivery(&stored);
    let bytes = hex::decode(
        delivered["receipt"]
            .as_str()
            .unwrap()
            .trim_start_matches("0x"),
    );
    assert_eq!(
        StoredReceipt::decode_all(&mut &*bytes.unwrap()).unwrap(),
        stored
    );
}

fn response_length(answer: &Answer) -> u32 {
    answer.response.len() as u32
}

#[test]
fn success_receipts_follow_each_other_and_seals_replay_to_what_is_paid() {
    let books = Books::open();
    let first = books.issue(copied(&books.served));
    let second = books.issue(copied(&books.served));
    assert_eq!(
        second.signed.receipt.previous,
        first.signed.receipt.commit()
    );
    books.vouch(&second);
    let seal = books.ledger.seal(CHANNEL).unwrap().unwrap();
    let third = books.issue(copied(&books.served));
    let (ledger, rules) = (&books.ledger, ruleset());
    let totals = replay(ledger, CHANNEL, &Mark::default(), 2, &rules).unwrap();
    assert_eq!(totals.commitment(), seal.receipt.receipt.totals);
    assert_eq!(totals, seal.totals);
    let split = rules.split.split(0, second.signed.receipt.cumulative);
    assert_eq!(
        totals.sum(),
        split.data + split.builder,
        "not a base unit is lost"
    );
    let mark = Mark::after(&second.signed.receipt);
    let after = replay(ledger, CHANNEL, &mark, 3, &rules).unwrap();
    assert_eq!(
        after.commitment(),
        third.signed.receipt.totals,
        "counted anew since the seal"
    );

    let mut settlement = Settlement {
        channel: CHANNEL,
        payer: AccountId::new([1; 32]),
        operator: books.key.account(),
        ruleset: 0,
        from: Mark::default(),
        to: mark,
        split,
        totals: totals.commitment(),
        opened_at: 1,
        demands_until: 2,
        window_end: 2,
        state: SettlementState::Final { at: 3 },
        paid: vec![0b10],
        paid_count: 1,
        paid_sum: 0,
        open_demands: 0,
    };
    let openings = unpaid(&settlement, &totals);
    assert_eq!(openings.len(), totals.entries.len() - 1);
    assert!(openings.iter().all(|opening| opening.index != 1));
    assert!(openings
        .iter()
        .all(|opening| opening.verify(&settlement.totals).is_ok()));
    settlement.paid = vec![0xff; totals.entries.len().div_ceil(8)];
    assert_eq!(unpaid(&settlement, &totals), []);
}

#[test]
fn fails_when_a_receipt_of_a_settlement_is_missing() {
    let books = Books::open();
    books.issue(copied(&books.served));
    let error = replay(&books.ledger, CHANNEL, &Mark::default(), 2, &ruleset()).unwrap_err();
    assert!(
        matches!(
            error,
            SettleError::Missing {
                channel: CHANNEL,
                sequence: 2
            }
        ),
        "{error}"
    );
    let empty = replay(&books.ledger, CHANNEL, &Mark::default(), 0, &ruleset()).unwrap();
    assert_eq!(empty, Totals::default());
}

#[test]
fn success_an_answer_without_tokens_credits_nobody_but_has_a_whole_query() {
    let books = Books::open();
    let answer = Answer {
        response: String::new(),
        response_tokens: Vec::new(),
        ..copied(&books.served)
    };
    let stored = books.issue(answer);
    let receipt = &stored.signed.receipt;
    assert!(receipt.credits.is_empty() && receipt.spans.is_empty());
    assert_eq!((receipt.response_length, receipt.response.count), (0, 0));
    for (member, evidence) in books.served.lineage() {
        let vector = stored.query.vector(member.model).unwrap();
        assert_eq!(vector.len(), evidence.traced.index.dimension());
    }
    let totals = replay(&books.ledger, CHANNEL, &Mark::default(), 1, &ruleset()).unwrap();
    let payees: Vec<_> = totals.entries.iter().map(|total| total.payee).collect();
    assert_eq!(payees, [Payee::Treasury, Payee::Builder]);
}

#[test]
fn success_a_model_without_an_index_answers_and_the_treasury_takes_the_data_share() {
    let mut books = Books::open();
    let outside = Member {
        model: 5,
        manifest: manifest(ModelKind::Base),
        adapter: None,
        evidence: None,
    };
    books.served = Served {
        member: Arc::new(outside),
        base: None,
        ..books.served
    };
    let stored = books.issue(copied(&books.served));
    assert!(stored.query.vectors.is_empty() && stored.owners.is_empty());
    let totals = replay(&books.ledger, CHANNEL, &Mark::default(), 1, &ruleset()).unwrap();
    assert!(totals
        .entries
        .iter()
        .any(|total| total.payee == Payee::Treasury));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn success_answers_given_at_once_have_receipts_in_a_row() {
    let books = Arc::new(Books::open());
    let mut tasks = Vec::new();
    for index in 0..4 {
        let books = books.clone();
        let request = GenerationRequest {
            adapter: books.served.adapter_name(),
            prompt: format!("fn contribution_{index}"),
            sampling: sampling(),
            stop: Vec::new(),
        };
        let generation = books.served.engine.submit(request).unwrap();
        tasks.push(tokio::spawn(async move {
            let generated = generation.finish().await.unwrap();
            let answer = Answer {
                request: vec![index],
                response: generated.text,
                sampling: sampling(),
                prompt_tokens: generated.prompt_tokens,
                response_tokens: generated.response_tokens,
            };
            tokio::task::spawn_blocking(move || books.issue(answer))
                .await
                .unwrap()
        }));
    }
    let mut receipts = BTreeMap::new();
    for task in tasks {
        let stored = task.await.unwrap();
        receipts.insert(stored.signed.receipt.sequence, stored);
    }
    assert!(receipts.keys().copied().eq(1..=4));
    let book = books.ledger.book(CHANNEL).unwrap();
    assert_eq!(book.mark, Mark::after(&receipts[&4].signed.receipt));
}
