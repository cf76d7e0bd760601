//! OpenAI's requests and responses.
//!
//! Parameters that would change the answer and that this server does not follow are refused rather
//! than ignored; unknown ones are ignored, as OpenAI's own server does.

use super::error::ApiError;
use crate::generate::FinishReason;
use attribution_proof::{receipt::Sampling, ModelId};
use serde::Deserialize;
use serde_json::{json, Value};
use std::time::{SystemTime, UNIX_EPOCH};

/// Tokens of an answer when the request does not say.
const DEFAULT_TOKENS: u32 = 256;
/// Most stop sequences, as OpenAI has it.
const MOST_STOPS: usize = 4;
/// Highest temperature, as OpenAI has it.
const HIGHEST_TEMPERATURE: f64 = 2.0;

/// Which of the two ways to ask.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Endpoint {
    /// `/v1/completions`.
    Completions,
    /// `/v1/chat/completions`.
    Chat,
}

impl Endpoint {
    /// Name in metrics.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Completions => "completions",
            Self::Chat => "chat_completions",
        }
    }

    fn id_prefix(self) -> &'static str {
        match self {
            Self::Completions => "cmpl",
            Self::Chat => "chatcmpl",
        }
    }

    fn object(self, stream: bool) -> &'static str {
        match (self, stream) {
            (Self::Completions, _) => "text_completion",
            (Self::Chat, false) => "chat.completion",
            (Self::Chat, true) => "chat.completion.chunk",
        }
    }
}

/// A text, or several.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum Texts {
    One(String),
    Several(Vec<String>),
}

/// Content of a chat message.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum Content {
    Text(String),
    Parts(Vec<Part>),
}

#[derive(Debug, Deserialize)]
struct Part {
    #[serde(rename = "type")]
    kind: String,
    #[serde(default)]
    text: String,
}

#[derive(Debug, Deserialize)]
struct Message {
    role: String,
    content: Content,
}

/// What a body may hold, of both endpoints.
#[derive(Debug, Deserialize)]
struct Body {
    model: String,
    prompt: Option<Value>,
    messages: Option<Vec<Message>>,
    stream: Option<bool>,
    max_tokens: Option<u32>,
    max_completion_tokens: Option<u32>,
    temperature: Option<f64>,
    top_p: Option<f64>,
    top_k: Option<u32>,
    seed: Option<i64>,
    stop: Option<Texts>,
    n: Option<u32>,
    best_of: Option<u32>,
    echo: Option<bool>,
    suffix: Option<String>,
    logprobs: Option<Value>,
    presence_penalty: Option<f64>,
    frequency_penalty: Option<f64>,
    logit_bias: Option<Value>,
    tools: Option<Value>,
    response_format: Option<Value>,
}

/// A request that was understood.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct AnswerRequest {
    pub(super) model: ModelId,
    pub(super) prompt: String,
    pub(super) stop: Vec<String>,
    pub(super) sampling: Sampling,
    pub(super) stream: bool,
}

/// Reads a model's name, which is its number on chain.
pub(super) fn model_id(name: &str) -> Result<ModelId, ApiError> {
    name.parse().map_err(|_| unknown_model(name))
}

/// No model of that name is served.
pub(super) fn unknown_model(name: &str) -> ApiError {
    let message = format!(
        "model {name:?} is not served here; GET /v1/models lists those that are, named by their number on chain"
    );
    ApiError {
        parameter: Some("model"),
        ..ApiError::not_found("model_not_found", message)
    }
}

/// Reads a request. `random_seed` is taken when the request has none.
pub(super) fn parse(
    bytes: &[u8],
    endpoint: Endpoint,
    random_seed: u64,
) -> Result<AnswerRequest, ApiError> {
    let body: Body = serde_json::from_slice(bytes).map_err(|error| {
        if error.is_data() {
            ApiError::invalid(
                "invalid_parameter",
                format!("a parameter is missing or has the wrong type: {error}"),
            )
        } else {
            ApiError::invalid("invalid_json", format!("the body is not JSON: {error}"))
        }
    })?;
    refuse_unsupported(&body)?;
    let (prompt, mut stop) = match endpoint {
        Endpoint::Completions => (text_prompt(body.prompt.as_ref())?, Vec::new()),
        Endpoint::Chat => chat_prompt(body.messages.as_deref())?,
    };
    match body.stop {
        None => {}
        Some(Texts::One(text)) => stop.push(text),
        Some(Texts::Several(texts)) if texts.len() <= MOST_STOPS => stop.extend(texts),
        Some(Texts::Several(texts)) => {
            let message = format!(
                "{} stop sequences are given; the most is {MOST_STOPS}",
                texts.len()
            );
            return Err(ApiError::parameter("stop", message));
        }
    }
    let maximum_tokens = body
        .max_completion_tokens
        .or(body.max_tokens)
        .unwrap_or(DEFAULT_TOKENS);
    if maximum_tokens == 0 {
        return Err(ApiError::parameter(
            "max_tokens",
            "max_tokens is 0; ask for at least one token",
        ));
    }
    let temperature = body.temperature.unwrap_or(1.0);
    if !(0.0..=HIGHEST_TEMPERATURE).contains(&temperature) {
        let message =
            format!("temperature is {temperature}; it must be 0 to {HIGHEST_TEMPERATURE}");
        return Err(ApiError::parameter("temperature", message));
    }
    let top_p = body.top_p.unwrap_or(1.0);
    if !(1e-6..=1.0).contains(&top_p) {
        let message = format!("top_p is {top_p}; it must be above 0 and at most 1");
        return Err(ApiError::parameter("top_p", message));
    }
    Ok(AnswerRequest {
        model: model_id(&body.model)?,
        prompt,
        stop,
        sampling: Sampling {
            temperature_milli: (temperature * 1e3).round() as u32,
            top_p_millionths: (top_p * 1e6).round() as u32,
            top_k: body.top_k.unwrap_or(0),
            maximum_tokens,
            // Negative seeds are allowed and only need to differ.
            seed: body.seed.map_or(random_seed, |seed| seed as u64),
        },
        stream: body.stream.unwrap_or(false),
    })
}

fn refuse_unsupported(body: &Body) -> Result<(), ApiError> {
    let is_set = |value: &Option<Value>| match value {
        None | Some(Value::Null | Value::Bool(false)) => false,
        Some(Value::Object(fields)) => !fields.is_empty(),
        Some(Value::Array(items)) => !items.is_empty(),
        Some(_) => true,
    };
    let is_text = |value: &Option<Value>| match value {
        None | Some(Value::Null) => true,
        Some(format) => format.get("type").and_then(Value::as_str) == Some("text"),
    };
    let nonzero = |value: Option<f64>| value.is_some_and(|value| value != 0.0);
    let unsupported = [
        ("n", body.n.is_some_and(|n| n != 1)),
        ("best_of", body.best_of.is_some_and(|n| n != 1)),
        ("echo", body.echo == Some(true)),
        ("suffix", body.suffix.is_some()),
        ("logprobs", is_set(&body.logprobs)),
        ("presence_penalty", nonzero(body.presence_penalty)),
        ("frequency_penalty", nonzero(body.frequency_penalty)),
        ("logit_bias", is_set(&body.logit_bias)),
        ("tools", is_set(&body.tools)),
        ("response_format", !is_text(&body.response_format)),
    ];
    match unsupported.into_iter().find(|(_, is_set)| *is_set) {
        None => Ok(()),
        Some((name, _)) => Err(ApiError::parameter(
            name,
            format!("{name} has a value that this server does not support; leave it out"),
        )),
    }
}

fn text_prompt(prompt: Option<&Value>) -> Result<String, ApiError> {
    let text = match prompt {
        Some(Value::String(text)) => Some(text.as_str()),
        Some(Value::Array(items)) => match items.as_slice() {
            [Value::String(text)] => Some(text.as_str()),
            _ => None,
        },
        _ => None,
    };
    text.map(str::to_owned).ok_or_else(|| {
        ApiError::parameter(
            "prompt",
            "prompt must be one string; token lists and several prompts are not supported",
        )
    })
}

/// The conversation as plain text, one turn a paragraph, with the assistant's turn begun. Models here
/// have no chat template of their own. Returns the prompt, and the stop sequence that ends the turn.
fn chat_prompt(messages: Option<&[Message]>) -> Result<(String, Vec<String>), ApiError> {
    let messages = messages.unwrap_or_default();
    if messages.is_empty() {
        return Err(ApiError::parameter(
            "messages",
            "messages must hold at least one message",
        ));
    }
    let mut prompt = String::new();
    for Message { role, content } in messages {
        if !matches!(role.as_str(), "system" | "developer" | "user" | "assistant") {
            let message =
                format!("role {role:?} is not supported; use system, developer, user or assistant");
            return Err(ApiError::parameter("messages", message));
        }
        prompt.push_str(role);
        prompt.push_str(": ");
        match content {
            Content::Text(text) => prompt.push_str(text),
            Content::Parts(parts) => {
                for part in parts {
                    if part.kind != "text" {
                        let message = format!(
                            "content of type {:?} is not supported; send text",
                            part.kind
                        );
                        return Err(ApiError::parameter("messages", message));
                    }
                    prompt.push_str(&part.text);
                }
            }
        }
        prompt.push_str("\n\n");
    }
    prompt.push_str("assistant:");
    Ok((prompt, vec!["\n\nuser:".into()]))
}

/// What all objects of one answer share.
#[derive(Clone, Debug)]
pub(super) struct Envelope {
    endpoint: Endpoint,
    id: String,
    created: u64,
    model: ModelId,
}

/// Tokens of an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Usage {
    pub(super) prompt: u32,
    pub(super) completion: u32,
}

impl Usage {
    fn json(self) -> Value {
        json!({
            "prompt_tokens": self.prompt,
            "completion_tokens": self.completion,
            "total_tokens": self.prompt.saturating_add(self.completion),
        })
    }
}

/// OpenAI's name of why an answer ended.
fn reason_name(reason: FinishReason) -> &'static str {
    match reason {
        FinishReason::Stop => "stop",
        FinishReason::Length => "length",
    }
}

impl Envelope {
    /// For an answer that begins now.
    pub(super) fn new(endpoint: Endpoint, model: ModelId, number: u64) -> Self {
        let id = format!("{}-{number:016x}", endpoint.id_prefix());
        Self {
            endpoint,
            id,
            created: now(),
            model,
        }
    }

    fn object(&self, stream: bool, choices: Value) -> Value {
        json!({
            "id": self.id,
            "object": self.endpoint.object(stream),
            "created": self.created,
            "model": self.model.to_string(),
            "choices": choices,
        })
    }

    /// The whole answer.
    pub(super) fn whole(
        &self,
        text: &str,
        reason: FinishReason,
        usage: Usage,
        openledger: Value,
    ) -> Value {
        let reason = reason_name(reason);
        let choice = match self.endpoint {
            Endpoint::Completions => {
                json!({ "index": 0, "text": text, "logprobs": null, "finish_reason": reason })
            }
            Endpoint::Chat => json!({
                "index": 0,
                "message": { "role": "assistant", "content": text },
                "logprobs": null,
                "finish_reason": reason,
            }),
        };
        let mut object = self.object(false, json!([choice]));
        object["usage"] = usage.json();
        object["openledger"] = openledger;
        object
    }

    /// The first chunk of a stream, if the endpoint has one without text.
    pub(super) fn opening(&self) -> Option<Value> {
        let delta = json!({ "role": "assistant", "content": "" });
        (self.endpoint == Endpoint::Chat).then(|| self.delta(delta, Value::Null))
    }

    fn delta(&self, delta: Value, reason: Value) -> Value {
        let choice = json!({ "index": 0, "delta": delta, "finish_reason": reason });
        self.object(true, json!([choice]))
    }

    fn text_chunk(&self, text: &str, reason: Value) -> Value {
        let choice = json!({ "index": 0, "text": text, "logprobs": null, "finish_reason": reason });
        self.object(true, json!([choice]))
    }

    /// A chunk with text.
    pub(super) fn chunk(&self, text: &str) -> Value {
        match self.endpoint {
            Endpoint::Completions => self.text_chunk(text, Value::Null),
            Endpoint::Chat => self.delta(json!({ "content": text }), Value::Null),
        }
    }

    /// The chunk that says why the answer ended.
    pub(super) fn end(&self, reason: FinishReason) -> Value {
        let reason = reason_name(reason).into();
        match self.endpoint {
            Endpoint::Completions => self.text_chunk("", reason),
            Endpoint::Chat => self.delta(json!({}), reason),
        }
    }

    /// The last chunk: no choices, the usage and the receipt.
    pub(super) fn receipt(&self, usage: Usage, openledger: Value) -> Value {
        let mut object = self.object(true, json!([]));
        object["usage"] = usage.json();
        object["openledger"] = openledger;
        object
    }
}

/// Seconds since 1970.
pub(super) fn now() -> u64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |since| since.as_secs())
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::StatusCode;

    fn read(body: &str, endpoint: Endpoint) -> Result<AnswerRequest, ApiError> {
        parse(body.as_bytes(), endpoint, 77)
    }

    #[test]
    fn success_requests_of_both_endpoints_are_read() {
        let body = r#"{"model":"3","prompt":["fn "],"max_tokens":8,"temperature":0,"top_p":0.9,
            "seed":-1,"stop":"}","stream":true,"user":"somebody"}"#;
        let request = read(body, Endpoint::Completions).unwrap();
        assert_eq!(
            (request.model, request.prompt.as_str(), request.stream),
            (3, "fn ", true)
        );
        assert_eq!(request.stop, ["}"]);
        assert_eq!(
            request.sampling,
            Sampling {
                temperature_milli: 0,
                top_p_millionths: 900_000,
                top_k: 0,
                maximum_tokens: 8,
                seed: u64::MAX,
            }
        );
        let body = r#"{"model":"3","messages":[{"role":"system","content":"Be brief."},
            {"role":"user","content":[{"type":"text","text":"Hello"}]}]}"#;
        let request = read(body, Endpoint::Chat).unwrap();
        assert_eq!(
            request.prompt,
            "system: Be brief.\n\nuser: Hello\n\nassistant:"
        );
        assert_eq!(
            (request.sampling.seed, request.sampling.maximum_tokens),
            (77, DEFAULT_TOKENS)
        );
        assert!(!request.stream);
    }

    #[test]
    fn fails_when_a_body_is_no_json_or_a_parameter_is_wrong() {
        for (body, code, parameter) in [
            ("{", "invalid_json", None),
            ("model=3", "invalid_json", None),
            (r#"{"prompt":"x"}"#, "invalid_parameter", None),
            (r#"{"model":3,"prompt":"x"}"#, "invalid_parameter", None),
            (
                r#"{"model":"3","prompt":"x","max_tokens":"8"}"#,
                "invalid_parameter",
                None,
            ),
            (
                r#"{"model":"3","prompt":"x","max_tokens":0}"#,
                "invalid_parameter",
                Some("max_tokens"),
            ),
            (
                r#"{"model":"3","prompt":[1,2]}"#,
                "invalid_parameter",
                Some("prompt"),
            ),
            (r#"{"model":"3"}"#, "invalid_parameter", Some("prompt")),
            (
                r#"{"model":"3","prompt":"x","temperature":3}"#,
                "invalid_parameter",
                Some("temperature"),
            ),
            (
                r#"{"model":"3","prompt":"x","top_p":0}"#,
                "invalid_parameter",
                Some("top_p"),
            ),
            (
                r#"{"model":"3","prompt":"x","n":2}"#,
                "invalid_parameter",
                Some("n"),
            ),
            (
                r#"{"model":"3","prompt":"x","logit_bias":{"1":2}}"#,
                "invalid_parameter",
                Some("logit_bias"),
            ),
            (
                r#"{"model":"3","prompt":"x","stop":["1","2","3","4","5"]}"#,
                "invalid_parameter",
                Some("stop"),
            ),
        ] {
            let error = read(body, Endpoint::Completions).unwrap_err();
            assert_eq!(
                (error.status, error.code, error.parameter),
                (StatusCode::BAD_REQUEST, code, parameter),
                "{body}"
            );
        }
        let named = read(r#"{"model":"gpt-4","prompt":"x"}"#, Endpoint::Completions).unwrap_err();
        assert_eq!(
            (named.status, named.code),
            (StatusCode::NOT_FOUND, "model_not_found")
        );
        for body in [
            r#"{"model":"3","messages":[]}"#,
            r#"{"model":"3","messages":[{"role":"tool","content":"x"}]}"#,
            r#"{"model":"3","messages":[{"role":"user","content":[{"type":"image_url"}]}]}"#,
        ] {
            assert_eq!(
                read(body, Endpoint::Chat).unwrap_err().parameter,
                Some("messages"),
                "{body}"
            );
        }
    }

    #[test]
    fn success_objects_have_openais_shape() {
        let usage = Usage {
            prompt: 2,
            completion: 3,
        };
        let text = Envelope::new(Endpoint::Completions, 5, 1);
        let whole = text.whole("abc", FinishReason::Stop, usage, json!({ "sequence": 1 }));
        assert_eq!(whole["object"], "text_completion");
        assert_eq!(whole["choices"][0]["text"], "abc");
        assert_eq!(whole["choices"][0]["finish_reason"], "stop");
        assert_eq!(whole["usage"]["total_tokens"], 5);
        assert_eq!(whole["openledger"]["sequence"], 1);
        assert_eq!(text.opening(), None);
        assert_eq!(text.chunk("a")["choices"][0]["finish_reason"], Value::Null);
        let chat = Envelope::new(Endpoint::Chat, 5, 1);
        let whole = chat.whole("abc", FinishReason::Length, usage, Value::Null);
        assert_eq!(whole["choices"][0]["message"]["content"], "abc");
        assert_eq!(
            chat.opening().unwrap()["choices"][0]["delta"]["role"],
            "assistant"
        );
        assert_eq!(chat.chunk("a")["object"], "chat.completion.chunk");
        assert_eq!(
            chat.end(FinishReason::Length)["choices"][0]["finish_reason"],
            "length"
        );
        assert_eq!(chat.receipt(usage, Value::Null)["choices"], json!([]));
    }
}
