//! The proxy over HTTP, against an operator that issues real receipts, and lies when told to. Only the
//! chain is a table here.

use super::{
    chain::{Change, PayerChain},
    error::PayError,
    journal::Journal,
    payer::Payer,
    proxy,
    verify::{verify, ChannelTerms, FalseReceipt},
};
use crate::{
    chain::{ChainError, Channel},
    keys::Key,
    ledger::{Ledger, StoredReceipt},
    remote::RemoteOperator,
    serve::{tests::ruleset, CHANNEL_HEADER},
    terms::ModelTerms,
};
use attribution_proof::{
    challenge::{influence_credit, Lie, LineageModel, Mark},
    hash::Hash,
    influence::Query,
    receipt::{request_commit, response_tree, Receipt, Sampling, SignedReceipt},
    totals::Totals,
    voucher::SignedVoucher,
    Balance, BlockNumber, ChannelId, ModelId,
};
use axum::{
    body::{Body, Bytes},
    extract::{Path, State},
    http::{header, HeaderMap, StatusCode},
    response::{IntoResponse, Response},
    routing::{get, post},
    Json, Router,
};
use codec::{DecodeAll, Encode};
use futures::{future::BoxFuture, FutureExt};
use serde_json::{json, Value};
use std::{
    collections::BTreeMap,
    convert::Infallible,
    path::Path as FilePath,
    sync::{Arc, Mutex},
};

const GENESIS: Hash = Hash::repeat_byte(9);
const CHANNEL: ChannelId = 3;
const MODEL: ModelId = 7;
const PRICE: Balance = 1_000_003;
const TEXT: &str = "fn main() { println!(\"h\u{e9}llo\"); }";

fn model_terms() -> ModelTerms {
    ModelTerms {
        version: 1,
        is_commercial: true,
        price: PRICE,
        price_floor: 7,
        lineage: vec![
            LineageModel { model: 5, rows: 4 },
            LineageModel {
                model: MODEL,
                rows: 2,
            },
        ],
        owners: BTreeMap::from([(5, vec![10, 10, 11, 11]), (MODEL, vec![20, 21])]),
    }
}

fn terms(payee: &Key) -> ChannelTerms {
    ChannelTerms {
        genesis: GENESIS,
        channel: CHANNEL,
        payee: payee.account(),
        ruleset: 2,
        rules: ruleset(),
    }
}

fn payer_key() -> Key {
    Key::from_secret("//Alice").unwrap()
}

fn operator_key() -> Key {
    Key::from_secret("//Bob").unwrap()
}

/// What the chain holds in these tests.
struct Table {
    channel: Mutex<Option<Channel>>,
    best: Mutex<BlockNumber>,
    changes: Mutex<Vec<Change>>,
}

impl PayerChain for Table {
    fn channel(&self, id: ChannelId) -> BoxFuture<'_, Result<Option<Channel>, ChainError>> {
        let found = self
            .channel
            .lock()
            .unwrap()
            .clone()
            .filter(|_| id == CHANNEL);
        async { Ok(found) }.boxed()
    }

    fn best_block(&self) -> BoxFuture<'_, Result<BlockNumber, ChainError>> {
        let best = *self.best.lock().unwrap();
        async move { Ok(best) }.boxed()
    }

    fn free_balance(&self) -> BoxFuture<'_, Result<Balance, ChainError>> {
        async { Ok(5) }.boxed()
    }

    fn model(&self, model: ModelId) -> BoxFuture<'_, Result<Option<ModelTerms>, PayError>> {
        async move { Ok((model == MODEL).then(model_terms)) }.boxed()
    }

    fn change(&self, id: ChannelId, change: Change) -> BoxFuture<'_, Result<(), ChainError>> {
        assert_eq!(id, CHANNEL);
        self.changes.lock().unwrap().push(change);
        let mut channel = self.channel.lock().unwrap();
        match (change, channel.as_mut()) {
            (Change::TopUp(amount), Some(channel)) => channel.deposit += amount,
            (Change::Extend(expiry), Some(channel)) => channel.expiry = expiry,
            (Change::RequestClose, Some(channel)) => channel.closing = Some(50),
            (Change::Close, _) => *channel = None,
            _ => panic!("the channel is closed"),
        }
        async { Ok(()) }.boxed()
    }
}

/// Makes the receipt that follows the ledger's last, and signs it after `alter`.
fn receipt(
    ledger: &Ledger,
    request: &[u8],
    response: &str,
    alter: impl FnOnce(&mut StoredReceipt),
) -> (StoredReceipt, Totals) {
    let book = ledger.book(CHANNEL).unwrap();
    let secret = Hash::repeat_byte(6);
    let price = PRICE * 5;
    let query = Query::default();
    let receipt = Receipt {
        genesis: GENESIS,
        channel: CHANNEL,
        sequence: book.mark.sequence + 1,
        previous: book.mark.receipt,
        ruleset: 2,
        model: MODEL,
        version: 1,
        request: request_commit(request),
        response: response_tree(response.as_bytes(), &secret).commitment(),
        response_length: response.len() as u32,
        sampling: Sampling {
            temperature_milli: 1_000,
            top_p_millionths: 1_000_000,
            top_k: 0,
            maximum_tokens: 256,
            seed: 1,
        },
        tokens_in: 2,
        tokens_out: 3,
        price,
        cumulative: book.mark.cumulative + price,
        query: query.commit(),
        audit: [0; 32],
        credits: vec![influence_credit(5, 1, 50), influence_credit(MODEL, 1, 20)]
            .try_into()
            .unwrap(),
        spans: Default::default(),
        totals: Default::default(),
    };
    let owners = vec![10, 21];
    let rules = ruleset();
    let after = receipt
        .credit_totals(&book.totals, &owners, &rules.receipt, &rules.split)
        .unwrap();
    let receipt = Receipt {
        totals: after.commitment(),
        ..receipt
    };
    let signature = operator_key().sign(b"");
    let mut stored = StoredReceipt {
        signed: SignedReceipt { receipt, signature },
        query,
        request: request.to_vec(),
        response: response.as_bytes().to_vec(),
        secret,
        owners,
    };
    alter(&mut stored);
    stored.signed.signature = operator_key().sign(stored.signed.receipt.commit().as_bytes());
    (stored, after)
}

/// What the operator does wrong with the next answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fault {
    None,
    /// It takes more than its price.
    Price,
    /// It sends another text than the receipt is for.
    Text,
    /// It sends no receipt, though its books have one.
    Lost,
}

struct Serving {
    ledger: Ledger,
    fault: Mutex<Fault>,
    takes_vouchers: Mutex<bool>,
    asked: Mutex<Vec<(HeaderMap, Bytes)>>,
}

impl Serving {
    fn unsigned(&self) -> Balance {
        self.ledger.book(CHANNEL).unwrap().unsigned()
    }

    /// Appends a receipt for `request`.
    fn issue(&self, request: &[u8]) -> StoredReceipt {
        let (stored, totals) = receipt(&self.ledger, request, TEXT, |_| {});
        self.ledger.append(&stored, totals).unwrap();
        stored
    }
}

async fn serve_answer(
    State(serving): State<Arc<Serving>>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    serving.asked.lock().unwrap().push((headers, body.clone()));
    if serving.unsigned() > 0 {
        let error =
            json!({ "error": { "message": "a voucher is due", "code": "voucher_required" } });
        return (StatusCode::PAYMENT_REQUIRED, Json(error)).into_response();
    }
    let request: Value = match serde_json::from_slice(&body) {
        Ok(request) => request,
        Err(_) => {
            let error = json!({ "error": { "message": "not JSON", "code": "invalid_json" } });
            return (StatusCode::BAD_REQUEST, Json(error)).into_response();
        }
    };
    let fault = std::mem::replace(&mut *serving.fault.lock().unwrap(), Fault::None);
    let mut text = TEXT.to_owned();
    let stored = match fault {
        Fault::Price => {
            receipt(&serving.ledger, &body, TEXT, |stored| {
                stored.signed.receipt.price += 1;
                stored.signed.receipt.cumulative += 1;
            })
            .0
        }
        _ => serving.issue(&body),
    };
    if fault == Fault::Text {
        text.push('.');
    }
    let mut openledger = json!({
        "sequence": stored.signed.receipt.sequence,
        "receipt": format!("0x{}", hex::encode(stored.encode())),
    });
    if fault == Fault::Lost {
        openledger = Value::Null;
    }
    if request["stream"] != true {
        let choice = json!({ "index": 0, "text": text, "finish_reason": "stop" });
        let mut answer = json!({ "object": "text_completion", "choices": [choice] });
        if fault != Fault::Lost {
            answer["openledger"] = openledger;
        }
        return Json(answer).into_response();
    }
    let mut stream = b": keep-alive\n\n".to_vec();
    let chunk = |delta: Value, reason: Value| json!({ "choices": [{ "index": 0, "delta": delta, "finish_reason": reason }] });
    let mut data = vec![chunk(
        json!({ "role": "assistant", "content": "" }),
        Value::Null,
    )];
    data.extend(
        text.chars()
            .map(|piece| chunk(json!({ "content": piece.to_string() }), Value::Null)),
    );
    data.push(chunk(json!({}), "stop".into()));
    if fault != Fault::Lost {
        data.push(json!({ "choices": [], "usage": {}, "openledger": openledger }));
    }
    for object in data {
        stream.extend_from_slice(format!("data: {object}\n\n").as_bytes());
    }
    stream.extend_from_slice(b"data: [DONE]\n\n");
    let pieces: Vec<_> = stream
        .chunks(7)
        .map(|piece| Ok::<_, Infallible>(Bytes::copy_from_slice(piece)))
        .collect();
    let headers = [(header::CONTENT_TYPE, "text/event-stream")];
    (headers, Body::from_stream(futures::stream::iter(pieces))).into_response()
}

async fn take_voucher(State(serving): State<Arc<Serving>>, body: String) -> StatusCode {
    if !*serving.takes_vouchers.lock().unwrap() {
        return StatusCode::SERVICE_UNAVAILABLE;
    }
    let bytes = hex::decode(body.trim_start_matches("0x")).unwrap();
    let signed = SignedVoucher::decode_all(&mut &*bytes).unwrap();
    assert_eq!(signed.voucher.genesis, GENESIS);
    assert!(signed.is_signed_by(&payer_key().account()));
    serving.ledger.vouch(&signed).unwrap();
    StatusCode::OK
}

async fn show_channel(State(serving): State<Arc<Serving>>) -> Json<Value> {
    let book = serving.ledger.book(CHANNEL).unwrap();
    Json(json!({ "last": { "sequence": book.mark.sequence } }))
}

async fn raw_receipt(
    State(serving): State<Arc<Serving>>,
    Path((channel, sequence)): Path<(u64, u64)>,
) -> Response {
    match serving.ledger.receipt(channel, sequence).unwrap() {
        Some(stored) => stored.encode().into_response(),
        None => StatusCode::NOT_FOUND.into_response(),
    }
}

/// Serves at a free port of this machine until the test ends.
async fn listen(router: Router) -> String {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
    format!("http://{address}")
}

struct Setup {
    folder: tempfile::TempDir,
    serving: Arc<Serving>,
    chain: Arc<Table>,
    operator: RemoteOperator,
    http: reqwest::Client,
    payer: Arc<Payer>,
    url: String,
}

fn payer(folder: &FilePath, chain: &Arc<Table>, operator: &RemoteOperator) -> Arc<Payer> {
    Arc::new(Payer::new(
        chain.clone(),
        operator.clone(),
        payer_key(),
        Ledger::open(&folder.join("ledger")).unwrap(),
        Journal::open(&folder.join("requests")).unwrap(),
        terms(&operator_key()),
        folder.to_path_buf(),
    ))
}

impl Setup {
    async fn new(api_key: Option<&str>) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let serving = Arc::new(Serving {
            ledger: Ledger::open(&folder.path().join("operator")).unwrap(),
            fault: Mutex::new(Fault::None),
            takes_vouchers: Mutex::new(true),
            asked: Mutex::default(),
        });
        let router = Router::new()
            .route(
                "/v1/models",
                get(|| async { Json(json!({ "object": "list" })) }),
            )
            .route("/v1/completions", post(serve_answer))
            .route("/v1/chat/completions", post(serve_answer))
            .route("/v1/openledger/vouchers", post(take_voucher))
            .route("/v1/openledger/channels/{channel}", get(show_channel))
            .route(
                "/v1/openledger/receipts/{channel}/{sequence}/raw",
                get(raw_receipt),
            )
            .with_state(serving.clone());
        let http = reqwest::Client::builder().no_proxy().build().unwrap();
        let operator = RemoteOperator::with_client(http.clone(), &listen(router).await);
        let chain = Arc::new(Table {
            channel: Mutex::new(Some(Channel {
                payer: payer_key().account(),
                signer: payer_key().account(),
                payee: operator_key().account(),
                deposit: 1_000_000_000,
                ruleset: 2,
                opened_at: 1,
                expiry: 100,
                closing: None,
                mark: Mark::default(),
            })),
            best: Mutex::new(10),
            changes: Mutex::default(),
        });
        let payer = payer(folder.path(), &chain, &operator);
        let url = listen(proxy::router(payer.clone(), api_key)).await;
        Self {
            folder,
            serving,
            chain,
            operator,
            http,
            payer,
            url,
        }
    }

    async fn post(&self, path: &str, body: &str) -> (StatusCode, String) {
        let response = self
            .http
            .post(format!("{}{path}", self.url))
            .header(header::AUTHORIZATION, "Bearer secret of the client")
            .body(body.to_owned())
            .send()
            .await
            .unwrap();
        (response.status(), response.text().await.unwrap())
    }

    async fn complete(&self, prompt: &str) -> (StatusCode, Value) {
        let body = json!({ "model": MODEL.to_string(), "prompt": prompt, "max_tokens": 3 });
        let (status, body) = self.post("/v1/completions", &body.to_string()).await;
        (status, serde_json::from_str(&body).unwrap())
    }

    fn fault(&self, fault: Fault) {
        *self.serving.fault.lock().unwrap() = fault;
    }
}

const CHAT: &str =
    r#"{ "model": "7", "stream": true, "messages": [{"role": "user", "content": "Hi"}] }"#;

#[tokio::test]
async fn success_an_answer_is_paid_for_and_looks_like_openais() {
    let setup = Setup::new(None).await;
    for sequence in 1..=2_u64 {
        let (status, answer) = setup.complete("fn ").await;
        assert_eq!(status, StatusCode::OK, "{answer}");
        assert_eq!(answer["choices"][0]["text"], TEXT);
        let expected = json!({ "sequence": sequence, "verified": true });
        assert_eq!(
            answer["openledger"], expected,
            "only the figures are passed on"
        );
        assert_eq!(setup.serving.unsigned(), 0);
    }
    let asked = setup.serving.asked.lock().unwrap().clone();
    assert_eq!(asked.len(), 2);
    for (headers, body) in asked {
        assert_eq!(headers[CHANNEL_HEADER], "3");
        assert!(
            !headers.contains_key(header::AUTHORIZATION),
            "keys are not the operator's"
        );
        assert_eq!(
            serde_json::from_slice::<Value>(&body).unwrap()["prompt"],
            "fn "
        );
    }
    let status = setup.payer.status().await.unwrap();
    assert_eq!(status["last"]["cumulative"], (PRICE * 10).to_string());
    assert_eq!(status["vouched"], (PRICE * 10).to_string());
    assert_eq!(
        (&status["delivered"], &status["dispute"]),
        (&json!(2), &Value::Null)
    );
    assert_eq!(
        status["on_chain"]["available"],
        (1_000_000_000 - PRICE * 10).to_string()
    );
}

#[tokio::test]
async fn success_a_stream_passes_unchanged_except_for_its_receipt() {
    let setup = Setup::new(None).await;
    let (status, stream) = setup.post("/v1/chat/completions", CHAT).await;
    assert_eq!(status, StatusCode::OK);
    assert!(stream.starts_with(": keep-alive\n\n"), "{stream}");
    assert!(stream.ends_with("data: [DONE]\n\n"), "{stream}");
    let objects: Vec<Value> = stream
        .lines()
        .filter_map(|line| line.strip_prefix("data: "))
        .filter_map(|data| serde_json::from_str(data).ok())
        .collect();
    let text: String = objects
        .iter()
        .filter_map(|object| object["choices"][0]["delta"]["content"].as_str())
        .collect();
    assert_eq!(text, TEXT);
    assert_eq!(objects[0]["choices"][0]["delta"]["role"], "assistant");
    let last = objects.last().unwrap();
    assert_eq!(
        last["openledger"],
        json!({ "sequence": 1, "verified": true })
    );
    assert_eq!(setup.serving.unsigned(), 0);
    assert_eq!(
        setup.serving.asked.lock().unwrap()[0].1,
        CHAT,
        "byte for byte"
    );
}

#[tokio::test]
async fn fails_when_a_receipt_is_false_and_nothing_is_signed_or_asked_after_it() {
    for (fault, is_stream) in [
        (Fault::Price, false),
        (Fault::Text, false),
        (Fault::Price, true),
    ] {
        let setup = Setup::new(None).await;
        assert_eq!(setup.complete("one").await.0, StatusCode::OK);
        setup.fault(fault);
        let error = if is_stream {
            let (status, stream) = setup.post("/v1/chat/completions", CHAT).await;
            assert_eq!(status, StatusCode::OK);
            let last = stream.trim_end().lines().last().unwrap();
            serde_json::from_str(last.strip_prefix("data: ").unwrap()).unwrap()
        } else {
            let (status, error) = setup.complete("two").await;
            assert_eq!(status, StatusCode::BAD_GATEWAY, "{error}");
            error
        };
        assert_eq!(error["error"]["code"], "false_receipt", "{error}");
        let vouched = setup.serving.ledger.book(CHANNEL).unwrap().voucher.unwrap();
        assert_eq!(vouched.voucher.sequence, 1, "{fault:?}");
        let files = std::fs::read_dir(setup.folder.path()).unwrap();
        let names = files.map(|file| file.unwrap().file_name().into_string().unwrap());
        let evidence: Vec<_> = names
            .filter(|name| name.starts_with("false-3-2-"))
            .collect();
        assert_eq!(evidence.len(), 1);
        let bytes = std::fs::read(setup.folder.path().join(&evidence[0])).unwrap();
        let kept = StoredReceipt::decode_all(&mut &*bytes).unwrap();
        assert!(kept.signed.is_signed_by(&operator_key().account()));

        let asked = setup.serving.asked.lock().unwrap().len();
        let (status, error) = setup.complete("three").await;
        assert_eq!(
            (status, &error["error"]["type"]),
            (StatusCode::BAD_GATEWAY, &json!("operator_error"))
        );
        assert_eq!(setup.serving.asked.lock().unwrap().len(), asked);
        assert!(setup.payer.status().await.unwrap()["dispute"].is_string());
        assert!(
            setup.payer.change(Change::RequestClose).await.is_ok(),
            "it can be closed"
        );
    }
}

#[tokio::test]
async fn success_a_receipt_that_got_lost_is_fetched_and_paid_also_after_a_restart() {
    let setup = Setup::new(None).await;
    setup.fault(Fault::Lost);
    let (status, stream) = setup.post("/v1/chat/completions", CHAT).await;
    assert_eq!(status, StatusCode::OK);
    assert!(
        stream.contains("operator_failed") && !stream.contains("[DONE]"),
        "{stream}"
    );
    assert_eq!(setup.serving.unsigned(), 0, "it was fetched at once");

    // The process is killed between the request and its receipt.
    let request = br#"{"model":"7","prompt":"x"}"#;
    setup.payer.begin(&request_commit(request)).unwrap();
    setup.serving.issue(request);
    assert!(setup.serving.unsigned() > 0);
    let folder = setup.folder.path().join("copy");
    std::fs::create_dir(&folder).unwrap();
    for name in ["ledger", "requests"] {
        std::fs::copy(setup.folder.path().join(name), folder.join(name)).unwrap();
    }
    let restarted = payer(&folder, &setup.chain, &setup.operator);
    restarted.synchronise().await.unwrap();
    assert_eq!(setup.serving.unsigned(), 0);
    assert_eq!(restarted.status().await.unwrap()["last"]["sequence"], 2);
}

#[tokio::test]
async fn fails_when_the_operator_bills_what_was_not_asked_or_bills_twice() {
    let setup = Setup::new(None).await;
    assert_eq!(setup.complete("one").await.0, StatusCode::OK);
    let request = setup.serving.asked.lock().unwrap()[0].1.clone();
    setup.serving.issue(&request);
    let error = setup.payer.synchronise().await.unwrap_err();
    let is_refused = matches!(
        &error,
        PayError::False {
            sequence: 2,
            defect: FalseReceipt::NotAsked,
            ..
        }
    );
    assert!(is_refused, "{error}");
    assert!(setup.serving.unsigned() > 0);
}

#[tokio::test]
async fn success_a_voucher_that_did_not_arrive_is_handed_in_again() {
    let setup = Setup::new(None).await;
    *setup.serving.takes_vouchers.lock().unwrap() = false;
    assert_eq!(
        setup.complete("one").await.0,
        StatusCode::OK,
        "the client has its answer"
    );
    assert!(setup.serving.unsigned() > 0);
    *setup.serving.takes_vouchers.lock().unwrap() = true;
    // The operator puts this one off until it has the voucher.
    assert_eq!(setup.complete("two").await.0, StatusCode::OK);
    assert_eq!(setup.serving.asked.lock().unwrap().len(), 3);
    assert_eq!(setup.serving.unsigned(), 0);
}

#[tokio::test]
async fn success_totals_start_again_where_the_operator_settled() {
    let setup = Setup::new(None).await;
    assert_eq!(setup.complete("one").await.0, StatusCode::OK);
    setup
        .serving
        .ledger
        .seal(CHANNEL)
        .unwrap()
        .expect("everything is vouched for");
    let (status, answer) = setup.complete("two").await;
    assert_eq!(status, StatusCode::OK, "{answer}");
    let book = setup.serving.ledger.book(CHANNEL).unwrap();
    assert_eq!((book.mark.sequence, book.unsigned()), (2, 0));
}

#[tokio::test]
async fn success_the_operators_refusals_are_passed_on_and_cost_nothing() {
    let setup = Setup::new(None).await;
    let (status, error) = setup.post("/v1/completions", "no JSON").await;
    assert_eq!(status, StatusCode::BAD_REQUEST);
    assert!(error.contains("invalid_json"), "{error}");
    let unknown = r#"{"model":"8","prompt":"x"}"#;
    let (status, error) = setup.post("/v1/completions", unknown).await;
    assert_eq!(status, StatusCode::NOT_FOUND, "{error}");
    assert!(error.contains("model_not_found"), "{error}");
    let (status, error) = setup.post("/v2/completions", "").await;
    assert_eq!(status, StatusCode::NOT_FOUND);
    assert!(error.contains("route_not_found"), "{error}");
    assert_eq!(setup.payer.status().await.unwrap()["last"]["sequence"], 0);
    let models = setup
        .http
        .get(format!("{}/v1/models", setup.url))
        .send()
        .await
        .unwrap();
    assert_eq!(models.text().await.unwrap(), r#"{"object":"list"}"#);
}

#[tokio::test]
async fn success_the_channel_is_topped_up_extended_and_closed() {
    let setup = Setup::new(None).await;
    let (status, error) = setup
        .post("/v1/openledger/top-up", r#"{"amount": -1}"#)
        .await;
    assert_eq!(status, StatusCode::BAD_REQUEST, "{error}");
    let (status, body) = setup
        .post("/v1/openledger/top-up", r#"{"amount": "7"}"#)
        .await;
    assert_eq!(status, StatusCode::OK, "{body}");
    let body: Value = serde_json::from_str(&body).unwrap();
    assert_eq!(body["on_chain"]["deposit"], "1000000007");
    assert_eq!(
        setup
            .post("/v1/openledger/extend", r#"{"blocks": 500}"#)
            .await
            .0,
        StatusCode::OK
    );
    assert_eq!(
        setup.post("/v1/openledger/close", "").await.0,
        StatusCode::OK
    );
    assert!(
        !super::close_if_due(&setup.payer).await.unwrap(),
        "the payee still has time"
    );
    *setup.chain.best.lock().unwrap() = 50;
    assert!(super::close_if_due(&setup.payer).await.unwrap());
    let changes = [
        Change::TopUp(7),
        Change::Extend(510),
        Change::RequestClose,
        Change::Close,
    ];
    assert_eq!(*setup.chain.changes.lock().unwrap(), changes);
    let (status, error) = setup.post("/v1/openledger/close", "").await;
    assert_eq!(status, StatusCode::PAYMENT_REQUIRED, "{error}");
    assert!(error.contains("channel_closed"), "{error}");
}

#[tokio::test]
async fn fails_when_a_page_or_somebody_without_the_key_would_spend() {
    let open = Setup::new(None).await;
    let page = open
        .http
        .post(format!("{}/v1/openledger/close", open.url))
        .header(header::ORIGIN, "https://example.org")
        .send()
        .await
        .unwrap();
    assert_eq!(page.status(), StatusCode::FORBIDDEN);
    assert_eq!(*open.chain.changes.lock().unwrap(), []);
    let locked = Setup::new(Some("another secret")).await;
    assert_eq!(locked.complete("x").await.0, StatusCode::UNAUTHORIZED);
    let known = Setup::new(Some("secret of the client")).await;
    assert_eq!(known.complete("x").await.0, StatusCode::OK);
}

#[test]
fn fails_when_anything_in_a_receipt_is_not_as_asked_or_not_as_on_chain() {
    let folder = tempfile::tempdir().unwrap();
    let ledger = Ledger::open(&folder.path().join("ledger")).unwrap();
    let book = ledger.book(CHANNEL).unwrap();
    let request = br#"{"model":"7","prompt":"fn ","max_tokens":3}"#;
    let check = |alter: &dyn Fn(&mut StoredReceipt)| {
        let (stored, _) = receipt(&ledger, request, TEXT, |stored| alter(stored));
        verify(&stored, &terms(&operator_key()), &model_terms(), &book).map(|_| ())
    };
    assert_eq!(check(&|_| {}), Ok(()));
    let other_payee = receipt(&ledger, request, TEXT, |_| {}).0;
    let foreign = terms(&payer_key());
    assert_eq!(
        verify(&other_payee, &foreign, &model_terms(), &book),
        Err(FalseReceipt::Signature(payer_key().account()))
    );
    let owner = |found| FalseReceipt::Owner {
        model: 5,
        row: 1,
        found,
        owner: Some(10),
    };
    let cases: [(&dyn Fn(&mut StoredReceipt), FalseReceipt); 16] = [
        (
            &|s| s.signed.receipt.genesis = Hash::zero(),
            FalseReceipt::OtherChannel("chain"),
        ),
        (
            &|s| s.signed.receipt.channel = 4,
            FalseReceipt::OtherChannel("channel"),
        ),
        (
            &|s| s.signed.receipt.ruleset = 1,
            FalseReceipt::OtherChannel("ruleset"),
        ),
        (
            &|s| s.signed.receipt.sequence = 2,
            FalseReceipt::Sequence {
                found: 2,
                expected: 1,
            },
        ),
        (&|s| s.request.push(b' '), FalseReceipt::OtherRequest),
        (&|s| s.response.push(b' '), FalseReceipt::OtherResponse),
        (
            &|s| s.signed.receipt.response_length -= 1,
            FalseReceipt::OtherResponse,
        ),
        (
            &|s| s.signed.receipt.query = Hash::zero(),
            FalseReceipt::Query,
        ),
        (
            &|s| s.signed.receipt.model = 5,
            FalseReceipt::OtherModel { found: 5, asked: 7 },
        ),
        (
            &|s| s.signed.receipt.version = 2,
            FalseReceipt::UnknownModel {
                model: 7,
                version: 2,
            },
        ),
        (
            &|s| s.signed.receipt.tokens_out = 4,
            FalseReceipt::Tokens {
                kind: "completion",
                found: 4,
                most: 3,
            },
        ),
        (
            &|s| s.signed.receipt.tokens_in = 60,
            FalseReceipt::Tokens {
                kind: "prompt",
                found: 60,
                most: 59,
            },
        ),
        (
            &|s| s.signed.receipt.price += 1,
            FalseReceipt::Price {
                found: PRICE * 5 + 1,
                most: PRICE * 5,
            },
        ),
        (&|s| s.owners[0] = 11, owner(Some(11))),
        (&|s| s.owners.clear(), owner(None)),
        (
            &|s| s.signed.receipt.totals.root = Hash::zero(),
            FalseReceipt::Lie(Lie::WrongTotals),
        ),
    ];
    for (index, (alter, expected)) in cases.into_iter().enumerate() {
        assert_eq!(check(alter), Err(expected), "case {index}");
    }
    let broken = check(&|s| s.signed.receipt.previous = Hash::repeat_byte(1));
    assert_eq!(broken, Err(FalseReceipt::Lie(Lie::BrokenChain)));
    let row = check(&|s| {
        let credits = vec![influence_credit(5, 4, 50), influence_credit(MODEL, 1, 20)];
        s.signed.receipt.credits = credits.try_into().unwrap();
    });
    assert_eq!(row, Err(FalseReceipt::Lie(Lie::UnknownRow)));
}
