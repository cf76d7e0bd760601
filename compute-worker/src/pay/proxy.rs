//! The local HTTP API: the operator's, without payment.
//!
//! Requests go to the operator byte for byte, with the channel's header. Answers come back as they are,
//! except for the receipt: it is checked and vouched for, and only its figures are passed on. An answer
//! is followed to its end by a task of its own, since it has to be paid for also when its client goes
//! away.

use super::{
    chain::Change,
    error::{PayError, Refusal},
    events::{event, text_of, Events},
    payer::{delivered_receipt, Payer},
    verify::Asked,
};
use crate::{remote::MOST_RESPONSE, request_body::RequestBody};
use attribution_proof::{receipt::request_commit, Balance, BlockNumber};
use axum::{
    body::{Body, Bytes},
    extract::{Request, State},
    http::{header, HeaderMap, HeaderValue, StatusCode, Uri},
    middleware::{self, Next},
    response::{IntoResponse, Response},
    routing::{get, post},
    Json, Router,
};
use serde::{de::DeserializeOwned, Deserialize};
use serde_json::{json, Value};
use std::{convert::Infallible, sync::Arc, time::Duration};
use tokio::sync::mpsc;
use tokio_stream::{wrappers::UnboundedReceiverStream, StreamExt};

/// Waits before a request that the operator put off is sent again.
const RETRIES: [Duration; 4] = [
    Duration::from_millis(250),
    Duration::from_millis(500),
    Duration::from_secs(1),
    Duration::from_secs(2),
];
/// What the operator says when a voucher, its node or a settlement is late.
const PUT_OFF: [&str; 3] = ["voucher_required", "channel_settling", "channel_unknown"];

/// What all requests share.
#[derive(Clone)]
struct Proxy {
    payer: Arc<Payer>,
    /// What clients have to show.
    api_key: Option<Arc<str>>,
}

type Shared = State<Proxy>;

/// All routes.
pub(super) fn router(payer: Arc<Payer>, api_key: Option<&str>) -> Router {
    let proxy = Proxy {
        payer,
        api_key: api_key.map(Arc::from),
    };
    Router::new()
        .route("/v1/models", get(pass))
        .route("/v1/models/{model}", get(pass))
        .route("/v1/completions", post(answer))
        .route("/v1/chat/completions", post(answer))
        .route("/v1/openledger/receipts/{channel}/{sequence}", get(pass))
        .route(
            "/v1/openledger/receipts/{channel}/{sequence}/raw",
            get(pass),
        )
        .route("/v1/openledger/status", get(status))
        .route("/v1/openledger/top-up", post(top_up))
        .route("/v1/openledger/extend", post(extend))
        .route("/v1/openledger/close", post(close))
        .fallback(|| async {
            let message = "there is no such path; see /v1/models and /v1/openledger/status";
            Refusal::invalid(StatusCode::NOT_FOUND, "route_not_found", message)
        })
        .method_not_allowed_fallback(|| async {
            let message = "this path does not take this method; answers are asked for with POST";
            Refusal::invalid(
                StatusCode::METHOD_NOT_ALLOWED,
                "method_not_allowed",
                message,
            )
        })
        .layer(middleware::from_fn_with_state(proxy.clone(), authorise))
        .with_state(proxy)
}

/// Lets only those in who may spend the deposit: everybody on this machine but the pages in a browser,
/// or whoever has the key.
async fn authorise(State(proxy): Shared, request: Request, next: Next) -> Response {
    let headers = request.headers();
    match &proxy.api_key {
        Some(key) => {
            let shown = headers
                .get(header::AUTHORIZATION)
                .and_then(|value| value.to_str().ok())
                .and_then(|value| value.strip_prefix("Bearer "))
                .unwrap_or_default();
            // Hashes are compared in constant time.
            if blake3::hash(shown.trim().as_bytes()) != blake3::hash(key.as_bytes()) {
                let message = "the key is missing or wrong; send the proxy's --api-key as `Authorization: Bearer …`";
                return Refusal::invalid(StatusCode::UNAUTHORIZED, "invalid_api_key", message)
                    .into_response();
            }
        }
        None if headers.contains_key(header::ORIGIN) => {
            let message = "pages in a browser may not spend the deposit; start the proxy with --api-key and give them the key";
            return Refusal::invalid(StatusCode::FORBIDDEN, "origin_refused", message)
                .into_response();
        }
        None => {}
    }
    next.run(request).await
}

/// Hands a page of the operator through.
async fn pass(State(proxy): Shared, uri: Uri) -> Result<Response, Refusal> {
    let path = uri
        .path_and_query()
        .map_or(uri.path(), |path| path.as_str());
    let operator = &proxy.payer.operator;
    let response = operator.get(path).await?;
    let (status, headers) = (response.status(), response.headers().clone());
    Ok(copy(status, &headers, operator.read(response).await?))
}

/// A response with the operator's status, type and advice to wait.
fn copy(status: StatusCode, headers: &HeaderMap, body: Vec<u8>) -> Response {
    let mut response = (status, body).into_response();
    for name in [header::CONTENT_TYPE, header::RETRY_AFTER] {
        if let Some(value) = headers.get(&name) {
            response.headers_mut().insert(name, value.clone());
        }
    }
    response
}

async fn answer(State(proxy): Shared, uri: Uri, body: RequestBody) -> Result<Response, Refusal> {
    let body = body.0?;
    let path = uri.path().to_owned();
    let payer = proxy.payer;
    // A client that goes away ends this future, but not the task.
    let task = tokio::spawn(async move { Exchange { payer, body }.run(&path).await });
    task.await.unwrap_or_else(|error| Err(internal(&error)))
}

fn internal(error: &dyn std::fmt::Display) -> Refusal {
    Refusal {
        status: StatusCode::INTERNAL_SERVER_ERROR,
        kind: "server_error",
        code: "internal",
        message: format!("the proxy failed: {error}; see GET /v1/openledger/status"),
    }
}

/// What the operator says to a request.
enum Reply {
    /// An answer follows.
    Answer(reqwest::Response),
    /// It refuses.
    Refused(Response),
}

/// One request and its answer.
struct Exchange {
    payer: Arc<Payer>,
    body: Bytes,
}

impl Exchange {
    async fn run(self, path: &str) -> Result<Response, Refusal> {
        self.payer.check_dispute()?;
        let asked = Asked::read(&self.body);
        if let Some(Asked { model, .. }) = asked {
            if self.payer.model(model, false).await?.is_none() {
                let message = format!("the chain has no model {model}; see /v1/models");
                return Err(Refusal::invalid(
                    StatusCode::NOT_FOUND,
                    "model_not_found",
                    message,
                ));
            }
        }
        let request = request_commit(&self.body);
        // The operator refuses what names no model, so that is never owed.
        if asked.is_some() {
            self.payer.begin(&request)?;
        }
        let response = match self.ask(path).await? {
            Reply::Answer(response) => response,
            Reply::Refused(response) => {
                // When the operator failed, its books may have the receipt all the same.
                if asked.is_some() && is_final(response.status()) {
                    self.payer.refused(&request)?;
                }
                return Ok(response);
            }
        };
        let is_stream = response
            .headers()
            .get(header::CONTENT_TYPE)
            .and_then(|value| value.to_str().ok())
            .is_some_and(|value| value.starts_with("text/event-stream"));
        if is_stream {
            Ok(self.stream(response))
        } else {
            self.whole(response).await
        }
    }

    /// Asks, and asks again when the operator only waits for something.
    async fn ask(&self, path: &str) -> Result<Reply, PayError> {
        let Payer {
            operator, terms, ..
        } = &*self.payer;
        let mut waits = RETRIES.iter();
        loop {
            let response = operator.ask(path, terms.channel, self.body.clone()).await?;
            if response.status().is_success() {
                return Ok(Reply::Answer(response));
            }
            let (status, headers) = (response.status(), response.headers().clone());
            let body = operator.read(response).await?;
            let error: Value = serde_json::from_slice(&body).unwrap_or_default();
            let code = error["error"]["code"].as_str().unwrap_or_default();
            let wait = waits.next().filter(|_| PUT_OFF.contains(&code));
            let Some(wait) = wait else {
                return Ok(Reply::Refused(copy(status, &headers, body)));
            };
            tracing::info!(code, "the operator puts a request off");
            if code != "channel_unknown" {
                self.payer.synchronise().await?;
            }
            tokio::time::sleep(*wait).await;
        }
    }

    /// Checks and pays for the receipt in `object`, and leaves only its figures there.
    async fn settle(&self, object: &mut Value, text: &str) -> Result<(), Refusal> {
        let stored = match delivered_receipt(&object["openledger"]) {
            Ok(stored) => stored,
            Err(reason) => return Err(self.lost(&reason).await),
        };
        self.payer.take(&stored, &self.body, text).await?;
        if let Some(fields) = object.get_mut("openledger").and_then(Value::as_object_mut) {
            fields.remove("receipt");
            fields.insert("verified".into(), true.into());
        }
        Ok(())
    }

    /// An answer without its receipt: perhaps it can be fetched.
    async fn lost(&self, reason: &(dyn std::fmt::Display + Sync)) -> Refusal {
        if let Err(error) = self.payer.synchronise().await {
            tracing::warn!(%error, "the receipts that are missing cannot be fetched yet");
        }
        let reason = format!(
            "the answer broke off: {reason}; if it was charged, it is at /v1/openledger/receipts"
        );
        self.payer.operator.failed(reason).into()
    }

    async fn whole(&self, response: reqwest::Response) -> Result<Response, Refusal> {
        let bytes = match self.payer.operator.read(response).await {
            Ok(bytes) => bytes,
            Err(error) => return Err(self.lost(&error).await),
        };
        let mut object: Value = match serde_json::from_slice(&bytes) {
            Ok(object) => object,
            Err(error) => return Err(self.lost(&error).await),
        };
        let text = text_of(&object).to_owned();
        self.settle(&mut object, &text).await?;
        Ok(Json(object).into_response())
    }

    /// Passes a stream on while it comes.
    fn stream(self, response: reqwest::Response) -> Response {
        let (sender, pieces) = mpsc::unbounded_channel::<Bytes>();
        tokio::spawn(async move {
            if let Err(refusal) = self.relay(response, &sender).await {
                // A client that is gone misses nothing: the books have it.
                let _ = sender.send(event(&refusal.body()).into());
            }
        });
        let pieces = UnboundedReceiverStream::new(pieces).map(Ok::<_, Infallible>);
        let mut response = Body::from_stream(pieces).into_response();
        let headers = response.headers_mut();
        headers.insert(
            header::CONTENT_TYPE,
            HeaderValue::from_static("text/event-stream"),
        );
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache"));
        response
    }

    async fn relay(
        &self,
        mut response: reqwest::Response,
        sender: &mpsc::UnboundedSender<Bytes>,
    ) -> Result<(), Refusal> {
        let operator = &self.payer.operator;
        let (mut events, mut text, mut is_paid) = (Events::default(), String::new(), false);
        loop {
            let piece = match response.chunk().await {
                Ok(Some(piece)) => piece,
                Ok(None) if is_paid => return Ok(()),
                Ok(None) => return Err(self.lost(&"there was no receipt").await),
                Err(_) if is_paid => return Ok(()),
                Err(error) => return Err(self.lost(&operator.broken(&error)).await),
            };
            events.push(&piece);
            while let Some(found) = events.take() {
                let mut raw = found.raw;
                let is_end = found.data == "[DONE]";
                if is_end && !is_paid {
                    return Err(self.lost(&"there was no receipt").await);
                }
                if let Ok(mut object) = serde_json::from_str::<Value>(&found.data) {
                    if object.get("openledger").is_some() && !is_paid {
                        self.settle(&mut object, &text).await?;
                        is_paid = true;
                        raw = event(&object);
                    } else if object.get("error").is_some() {
                        let _ = sender.send(raw.into());
                        let error = self.lost(&"the operator failed").await;
                        tracing::warn!(error = error.message, "an answer failed");
                        return Ok(());
                    } else if is_paid && !text_of(&object).is_empty() {
                        return Err(operator.failed("it sent text behind its receipt").into());
                    } else {
                        text.push_str(text_of(&object));
                    }
                }
                let _ = sender.send(raw.into());
            }
            if events.pending().saturating_add(text.len()) > MOST_RESPONSE {
                return Err(operator.failed("its response is too large").into());
            }
        }
    }
}

/// Whether a refusal says that nothing was answered, so nothing is owed.
fn is_final(status: StatusCode) -> bool {
    status.is_client_error() || status == StatusCode::SERVICE_UNAVAILABLE
}

async fn status(State(proxy): Shared) -> Result<Json<Value>, Refusal> {
    Ok(Json(proxy.payer.status().await?))
}

/// An amount, as text since JSON's numbers are too small for it, or as a number.
#[derive(Deserialize)]
#[serde(untagged)]
enum Amount {
    Text(String),
    Number(u64),
}

#[derive(Deserialize)]
struct TopUp {
    amount: Amount,
}

#[derive(Deserialize)]
struct Extend {
    blocks: BlockNumber,
}

fn read<T: DeserializeOwned>(body: RequestBody, example: &Value) -> Result<T, Refusal> {
    serde_json::from_slice(&body.0?).map_err(|error| {
        let message = format!("the body cannot be read ({error}); send for example {example}");
        Refusal::invalid(StatusCode::BAD_REQUEST, "invalid_body", message)
    })
}

async fn top_up(State(proxy): Shared, body: RequestBody) -> Result<Json<Value>, Refusal> {
    let TopUp { amount } = read(body, &json!({ "amount": "1000000000000000000" }))?;
    let amount: Balance = match amount {
        Amount::Number(amount) => amount.into(),
        Amount::Text(text) => text.parse().map_err(|_| {
            let message = format!("{text:?} is no amount; write base units as decimal digits");
            Refusal::invalid(StatusCode::BAD_REQUEST, "invalid_amount", message)
        })?,
    };
    Ok(Json(proxy.payer.change(Change::TopUp(amount)).await?))
}

async fn extend(State(proxy): Shared, body: RequestBody) -> Result<Json<Value>, Refusal> {
    let Extend { blocks } = read(body, &json!({ "blocks": 14_400 }))?;
    let best = proxy
        .payer
        .chain
        .best_block()
        .await
        .map_err(PayError::from)?;
    let expiry = best.saturating_add(blocks);
    Ok(Json(proxy.payer.change(Change::Extend(expiry)).await?))
}

async fn close(State(proxy): Shared) -> Result<Json<Value>, Refusal> {
    Ok(Json(proxy.payer.change(Change::RequestClose).await?))
}
