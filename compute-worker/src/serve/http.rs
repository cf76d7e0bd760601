//! The HTTP API.
//!
//! An answer is produced by a task of its own, which goes on when its client goes away: the tokens were
//! computed, so the receipt is issued, and the client finds it at `/v1/openledger/receipts`. The last
//! piece of text is held back until the receipt is in the books, so nobody has a whole answer without
//! one.

use super::{
    channel::Admission,
    error::ApiError,
    models::Served,
    openai::{self, AnswerRequest, Endpoint, Envelope, Usage},
    trace::{delivery, describe, trace_answer},
    Server, CHANNEL_HEADER,
};
use crate::{
    generate::{FinishReason, Generated, Generation, GenerationEvent, GenerationRequest},
    ledger::StoredReceipt,
    receipt::{random, Answer, ReceiptError},
    request_body::RequestBody,
};
use attribution_proof::{model::ModelKind, voucher::SignedVoucher, ChannelId};
use axum::{
    body::Bytes,
    extract::{rejection::PathRejection, ConnectInfo, Path, State},
    http::{header, HeaderMap, StatusCode},
    response::{
        sse::{Event, KeepAlive, Sse},
        IntoResponse, Response,
    },
    routing::{get, post},
    Json, Router,
};
use codec::{DecodeAll, Encode};
use serde::Deserialize;
use serde_json::{json, Value};
use std::{convert::Infallible, net::SocketAddr, sync::Arc};
use tokio::sync::mpsc;
use tokio_stream::{wrappers::UnboundedReceiverStream, StreamExt};

/// Headers by which proxies say that the request came from elsewhere.
const FORWARDED: [&str; 2] = ["forwarded", "x-forwarded-for"];

type Shared = State<Arc<Server>>;
/// Channel and number of a receipt.
type ReceiptPath = Result<Path<(ChannelId, u64)>, PathRejection>;

/// All routes.
pub(super) fn router(server: Arc<Server>) -> Router {
    let metrics = server.metrics.router();
    Router::new()
        .route("/v1/models", get(list_models))
        .route("/v1/models/{model}", get(show_model))
        .route("/v1/completions", post(completions))
        .route("/v1/chat/completions", post(chat_completions))
        .route("/v1/openledger/channels/{channel}", get(show_channel))
        .route("/v1/openledger/vouchers", post(take_voucher))
        .route(
            "/v1/openledger/receipts/{channel}/{sequence}",
            get(show_receipt),
        )
        .route(
            "/v1/openledger/receipts/{channel}/{sequence}/raw",
            get(raw_receipt),
        )
        .route("/v1/openledger/settle", post(settle))
        .with_state(server)
        .merge(metrics)
        .fallback(|| async {
            ApiError::not_found("route_not_found", "there is no such path; see /v1/models")
        })
        .method_not_allowed_fallback(|| async {
            ApiError::new(
                StatusCode::METHOD_NOT_ALLOWED,
                "invalid_request_error",
                "method_not_allowed",
                "this path does not take this method; answers are asked for with POST",
            )
        })
}

fn model_object(served: &Served) -> Value {
    let manifest = &served.member.manifest;
    let (kind, base) = match manifest.kind {
        ModelKind::Base => ("base", None),
        ModelKind::Adapter { base } => ("adapter", Some(base)),
    };
    json!({
        "id": served.member.model.to_string(),
        "object": "model",
        "created": 0,
        "owned_by": manifest.owner.to_string(),
        "openledger": {
            "model": served.member.model,
            "version": manifest.version,
            "kind": kind,
            "base": base,
            "price_per_token": served.price(1).to_string(),
            "context": served.engine.base().model.config().max_position_embeddings,
            "traced": !served.lineage().is_empty(),
        },
    })
}

async fn list_models(State(server): Shared) -> Response {
    let models: Vec<_> = server.models.all().iter().map(model_object).collect();
    let operator = server.desk.how_to_pay();
    Json(json!({ "object": "list", "data": models, "openledger": operator })).into_response()
}

async fn show_model(
    State(server): Shared,
    name: Result<Path<String>, PathRejection>,
) -> Result<Response, ApiError> {
    let Path(name) = name?;
    let served = server.models.get(openai::model_id(&name)?);
    let served = served.ok_or_else(|| openai::unknown_model(&name))?;
    Ok(Json(model_object(&served)).into_response())
}

async fn completions(State(server): Shared, headers: HeaderMap, body: RequestBody) -> Response {
    answer(server, Endpoint::Completions, headers, body).await
}

async fn chat_completions(
    State(server): Shared,
    headers: HeaderMap,
    body: RequestBody,
) -> Response {
    answer(server, Endpoint::Chat, headers, body).await
}

async fn answer(
    server: Arc<Server>,
    endpoint: Endpoint,
    headers: HeaderMap,
    body: RequestBody,
) -> Response {
    let figures = server.figures.clone();
    let response = match try_answer(server, endpoint, headers, body).await {
        Ok(response) => response,
        Err(error) => error.into_response(),
    };
    figures.request(endpoint.name(), response.status().as_u16());
    response
}

fn channel_of(server: &Server, headers: &HeaderMap) -> Result<ChannelId, ApiError> {
    let value = headers.get(CHANNEL_HEADER).ok_or_else(|| {
        let message = format!(
            "answers are paid for: open a channel to this operator and name it in the header {CHANNEL_HEADER}, or put `openledger-worker pay` in between, which does all of it"
        );
        ApiError::payment("channel_required", message).with_details(server.desk.how_to_pay())
    })?;
    value
        .to_str()
        .ok()
        .and_then(|text| text.trim().parse().ok())
        .ok_or_else(|| {
            ApiError::invalid(
                "invalid_channel",
                format!(
                    "{CHANNEL_HEADER} must be the number that the channel got when it was opened"
                ),
            )
        })
}

async fn try_answer(
    server: Arc<Server>,
    endpoint: Endpoint,
    headers: HeaderMap,
    body: RequestBody,
) -> Result<Response, ApiError> {
    let body = body.0?;
    let seed = u64::from_le_bytes(random()?);
    let AnswerRequest {
        model,
        prompt,
        stop,
        sampling,
        stream,
    } = openai::parse(&body, endpoint, seed)?;
    let served = server.models.get(model);
    let served = served.ok_or_else(|| openai::unknown_model(&model.to_string()))?;
    let prompt_tokens = served.engine.prompt_tokens(&prompt)?.len();
    let channel = channel_of(&server, &headers)?;
    let context = served.engine.base().model.config().max_position_embeddings;
    // The last token of a full context still predicts one.
    let room = context.saturating_sub(prompt_tokens).saturating_add(1);
    let most_tokens = prompt_tokens.saturating_add(room.min(sampling.maximum_tokens as usize));
    let admission = server
        .desk
        .admit(channel, served.price(most_tokens as u64))
        .await?;
    let adapter = served.adapter_name();
    let request = GenerationRequest {
        adapter,
        prompt,
        sampling,
        stop,
    };
    let generation = served.engine.submit(request)?;
    let envelope = Envelope::new(endpoint, model, u64::from_le_bytes(random()?));
    let (sender, events) = mpsc::unbounded_channel();
    let production = Production {
        server,
        served,
        admission,
        request: body,
        sampling,
        sender,
    };
    tokio::spawn(production.run(generation));
    if stream {
        let events = UnboundedReceiverStream::new(events);
        Ok(stream_response(envelope, events).into_response())
    } else {
        whole_response(&envelope, events).await
    }
}

/// What an answer's task tells.
enum AnswerEvent {
    Text(String),
    Finished {
        reason: FinishReason,
        stored: Box<StoredReceipt>,
    },
    Failed(ApiError),
}

/// An answer that is being produced.
struct Production {
    server: Arc<Server>,
    served: Served,
    admission: Admission,
    request: Bytes,
    sampling: attribution_proof::receipt::Sampling,
    sender: mpsc::UnboundedSender<AnswerEvent>,
}

impl Production {
    async fn run(self, generation: Generation) {
        self.server.figures.active.inc();
        let sender = self.sender.clone();
        let active = self.server.figures.active.clone();
        let event = match self.produce(generation).await {
            Ok(event) => event,
            Err(error) => AnswerEvent::Failed(error),
        };
        // A client that is gone finds the receipt in the books.
        let _ = sender.send(event);
        active.dec();
    }

    async fn produce(self, mut generation: Generation) -> Result<AnswerEvent, ApiError> {
        let mut held: Option<String> = None;
        while let Some(event) = generation.next().await {
            match event? {
                GenerationEvent::Text(text) => {
                    if let Some(before) = held.replace(text) {
                        let _ = self.sender.send(AnswerEvent::Text(before));
                    }
                }
                GenerationEvent::Finished(generated) => {
                    let reason = generated.reason;
                    let sender = self.sender.clone();
                    let stored = Box::new(self.close(*generated).await?);
                    if let Some(last) = held {
                        let _ = sender.send(AnswerEvent::Text(last));
                    }
                    return Ok(AnswerEvent::Finished { reason, stored });
                }
            }
        }
        Err(ApiError::unavailable(
            "engine_stopped",
            "the answer broke off; nothing was charged, try again",
        ))
    }

    /// Traces the answer and issues its receipt.
    async fn close(self, generated: Generated) -> Result<StoredReceipt, ApiError> {
        let Self {
            server,
            served,
            admission,
            request,
            sampling,
            ..
        } = self;
        let answer = Answer {
            request: request.to_vec(),
            response: generated.text,
            sampling,
            prompt_tokens: generated.prompt_tokens,
            response_tokens: generated.response_tokens,
        };
        let rules = admission.ruleset.receipt;
        // A backward pass keeps all cores busy, so more than one at a time would only take turns.
        let turn = server
            .tracing
            .acquire()
            .await
            .map_err(|error| ApiError::internal(&error))?;
        let (served, answer, traced) = blocking(move || {
            let traced = trace_answer(&served, &answer, &rules)?;
            Ok((served, answer, traced))
        })
        .await?;
        drop(turn);
        let bundle = answer.audit(&traced.query);
        let audit = server.audits.put(bundle.encode()).await;
        let audit = audit.map_err(|error| ApiError::internal(&error))?;
        let (ledger, key) = (server.ledger.clone(), server.key.clone());
        let genesis = server.chain.genesis();
        let stored = blocking(move || {
            admission.issue(&ledger, &key, genesis, &served, answer, traced, audit)
        })
        .await?;
        let receipt = &stored.signed.receipt;
        server.figures.receipts.inc();
        server
            .figures
            .prompt_tokens
            .inc_by(receipt.tokens_in.into());
        server
            .figures
            .completion_tokens
            .inc_by(receipt.tokens_out.into());
        tracing::info!(
            channel = receipt.channel,
            sequence = receipt.sequence,
            model = receipt.model,
            tokens_in = receipt.tokens_in,
            tokens_out = receipt.tokens_out,
            price = receipt.price,
            credits = receipt.credits.len(),
            spans = receipt.spans.len(),
            "answered"
        );
        Ok(stored)
    }
}

/// Runs a computation, or anything that waits for the disk, on a thread for that.
async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, ReceiptError> + Send + 'static,
) -> Result<T, ApiError> {
    match tokio::task::spawn_blocking(work).await {
        Ok(result) => Ok(result?),
        Err(error) => Err(ApiError::internal(&error)),
    }
}

fn usage(stored: &StoredReceipt) -> Usage {
    let receipt = &stored.signed.receipt;
    Usage {
        prompt: receipt.tokens_in,
        completion: receipt.tokens_out,
    }
}

async fn whole_response(
    envelope: &Envelope,
    mut events: mpsc::UnboundedReceiver<AnswerEvent>,
) -> Result<Response, ApiError> {
    let mut text = String::new();
    while let Some(event) = events.recv().await {
        match event {
            AnswerEvent::Text(piece) => text.push_str(&piece),
            AnswerEvent::Finished { reason, stored } => {
                let body = envelope.whole(&text, reason, usage(&stored), delivery(&stored));
                return Ok(Json(body).into_response());
            }
            AnswerEvent::Failed(error) => return Err(error),
        }
    }
    Err(ApiError::internal(&"the answer's task ended early"))
}

fn stream_response(
    envelope: Envelope,
    events: UnboundedReceiverStream<AnswerEvent>,
) -> impl IntoResponse {
    let opening = envelope.opening().map(|chunk| chunk.to_string());
    let rest = events
        .map(move |event| match event {
            AnswerEvent::Text(text) => vec![envelope.chunk(&text).to_string()],
            AnswerEvent::Finished { reason, stored } => vec![
                envelope.end(reason).to_string(),
                envelope
                    .receipt(usage(&stored), delivery(&stored))
                    .to_string(),
                "[DONE]".to_owned(),
            ],
            AnswerEvent::Failed(error) => vec![error.body().to_string()],
        })
        .map(tokio_stream::iter);
    let lines = tokio_stream::iter(opening).chain(futures::StreamExt::flatten(rest));
    Sse::new(lines.map(|line| Ok::<_, Infallible>(Event::default().data(line))))
        .keep_alive(KeepAlive::default())
}

async fn show_channel(
    State(server): Shared,
    channel: Result<Path<ChannelId>, PathRejection>,
) -> Result<Response, ApiError> {
    let Path(channel) = channel?;
    let found = server.desk.channel(channel).await.map_err(|error| {
        // Looking costs nothing.
        if error.code == "channel_unknown" {
            ApiError::not_found(error.code, error.message)
        } else {
            error
        }
    })?;
    let book = server.ledger.book(channel)?;
    Ok(Json(server.desk.status(channel, &found, &book)).into_response())
}

#[derive(Deserialize)]
struct VoucherBody {
    voucher: String,
}

/// Reads a voucher: hexadecimal SCALE as text, or as `{"voucher": "0x…"}`.
fn read_voucher(body: &[u8]) -> Result<SignedVoucher, ApiError> {
    let wrong = |reason: &dyn std::fmt::Display| {
        let message = format!(
            "the body is no signed voucher ({reason}); send the SCALE bytes of SignedVoucher in hexadecimal"
        );
        ApiError::invalid("invalid_voucher", message)
    };
    let text = std::str::from_utf8(body)
        .map_err(|error| wrong(&error))?
        .trim();
    let text = if text.starts_with('{') {
        serde_json::from_str::<VoucherBody>(text)
            .map_err(|error| wrong(&error))?
            .voucher
    } else {
        text.to_owned()
    };
    let bytes = hex::decode(text.trim_start_matches("0x")).map_err(|error| wrong(&error))?;
    SignedVoucher::decode_all(&mut &*bytes).map_err(|error| wrong(&error))
}

async fn take_voucher(State(server): Shared, body: RequestBody) -> Result<Response, ApiError> {
    let signed = read_voucher(&body.0?)?;
    let channel = signed.voucher.channel;
    let book = server.desk.vouch(&signed).await?;
    server.figures.vouchers.inc();
    server.settler.after_voucher(channel, &book)?;
    let body = json!({
        "channel": channel,
        "sequence": signed.voucher.sequence,
        "cumulative": signed.voucher.cumulative.to_string(),
        "unsigned": book.unsigned().to_string(),
    });
    Ok(Json(body).into_response())
}

fn stored_receipt(
    server: &Server,
    channel: ChannelId,
    sequence: u64,
) -> Result<StoredReceipt, ApiError> {
    server.ledger.receipt(channel, sequence)?.ok_or_else(|| {
        let message = format!(
            "channel {channel} has no receipt {sequence}; GET /v1/openledger/channels/{channel} names the last"
        );
        ApiError::not_found("receipt_not_found", message)
    })
}

async fn show_receipt(State(server): Shared, receipt: ReceiptPath) -> Result<Response, ApiError> {
    let Path((channel, sequence)) = receipt?;
    let stored = stored_receipt(&server, channel, sequence)?;
    let ruleset = server.desk.ruleset(stored.signed.receipt.ruleset).await?;
    Ok(Json(describe(&stored, &ruleset, &server.models)).into_response())
}

async fn raw_receipt(State(server): Shared, receipt: ReceiptPath) -> Result<Response, ApiError> {
    let Path((channel, sequence)) = receipt?;
    let stored = stored_receipt(&server, channel, sequence)?;
    Ok((
        [(header::CONTENT_TYPE, "application/octet-stream")],
        stored.encode(),
    )
        .into_response())
}

/// Settles at once whatever is vouched for. Transactions cost the operator, so only it may ask.
async fn settle(
    State(server): Shared,
    ConnectInfo(address): ConnectInfo<SocketAddr>,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    let is_forwarded = FORWARDED.iter().any(|name| headers.contains_key(*name));
    if !address.ip().to_canonical().is_loopback() || is_forwarded {
        return Err(ApiError::new(
            StatusCode::FORBIDDEN,
            "invalid_request_error",
            "operator_only",
            "only the operator settles by hand: ask from the machine that the worker runs on",
        ));
    }
    let settled = server
        .settler
        .round(true)
        .await
        .map_err(|error| ApiError::internal(&error))?;
    Ok(Json(json!({ "settled": settled })).into_response())
}
