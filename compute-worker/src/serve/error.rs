//! Errors as clients of the HTTP API see them, in OpenAI's shape.

use crate::{
    chain::ChainError, generate::GenerateError, ledger::LedgerError, model::ModelError,
    request_body::BodyError,
};
use axum::{
    extract::rejection::PathRejection,
    http::{header, HeaderValue, StatusCode},
    response::{IntoResponse, Response},
    Json,
};
use serde_json::{json, Value};

/// Seconds after which a client may try again what was refused for a moment.
const RETRY_AFTER: HeaderValue = HeaderValue::from_static("1");

/// An error with its status: `{"error": {"message", "type", "param", "code"}}`, and what is particular
/// to OpenLedger in `error.openledger`.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct ApiError {
    /// Status of the response.
    pub(super) status: StatusCode,
    /// OpenAI's class of errors.
    pub(super) kind: &'static str,
    /// Name of the error, for programs.
    pub(super) code: &'static str,
    /// The parameter that it is about.
    pub(super) parameter: Option<&'static str>,
    /// What was wrong and what to do.
    pub(super) message: String,
    /// Figures for programs, such as bounds.
    pub(super) details: Option<Value>,
}

impl ApiError {
    pub(super) fn new(
        status: StatusCode,
        kind: &'static str,
        code: &'static str,
        message: impl Into<String>,
    ) -> Self {
        Self {
            status,
            kind,
            code,
            parameter: None,
            message: message.into(),
            details: None,
        }
    }

    /// The request is wrong.
    pub(super) fn invalid(code: &'static str, message: impl Into<String>) -> Self {
        Self::new(
            StatusCode::BAD_REQUEST,
            "invalid_request_error",
            code,
            message,
        )
    }

    /// A parameter of the request is wrong.
    pub(super) fn parameter(parameter: &'static str, message: impl Into<String>) -> Self {
        Self {
            parameter: Some(parameter),
            ..Self::invalid("invalid_parameter", message)
        }
    }

    /// There is no such thing.
    pub(super) fn not_found(code: &'static str, message: impl Into<String>) -> Self {
        Self::new(
            StatusCode::NOT_FOUND,
            "invalid_request_error",
            code,
            message,
        )
    }

    /// Nothing is answered without payment.
    pub(super) fn payment(code: &'static str, message: impl Into<String>) -> Self {
        Self::new(
            StatusCode::PAYMENT_REQUIRED,
            "payment_required",
            code,
            message,
        )
    }

    /// Not now, but soon.
    pub(super) fn busy(code: &'static str, message: impl Into<String>) -> Self {
        Self::new(
            StatusCode::TOO_MANY_REQUESTS,
            "rate_limit_error",
            code,
            message,
        )
    }

    /// Something that the operator depends on is away.
    pub(super) fn unavailable(code: &'static str, message: impl Into<String>) -> Self {
        Self::new(
            StatusCode::SERVICE_UNAVAILABLE,
            "server_error",
            code,
            message,
        )
    }

    /// The operator failed.
    pub(super) fn internal(error: &dyn std::fmt::Display) -> Self {
        tracing::error!(%error, "a request failed");
        let message = format!("the operator failed: {error}; nothing was charged, try again");
        Self::new(
            StatusCode::INTERNAL_SERVER_ERROR,
            "server_error",
            "internal",
            message,
        )
    }

    pub(super) fn with_details(self, details: Value) -> Self {
        Self {
            details: Some(details),
            ..self
        }
    }

    /// The body.
    pub(super) fn body(&self) -> Value {
        let mut error = json!({
            "message": self.message,
            "type": self.kind,
            "param": self.parameter,
            "code": self.code,
        });
        if let Some(details) = &self.details {
            error["openledger"] = details.clone();
        }
        json!({ "error": error })
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let retry = matches!(
            self.status,
            StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE
        );
        let mut response = (self.status, Json(self.body())).into_response();
        if retry {
            response
                .headers_mut()
                .insert(header::RETRY_AFTER, RETRY_AFTER);
        }
        response
    }
}

impl From<BodyError> for ApiError {
    fn from(error: BodyError) -> Self {
        let (kind, code) = ("invalid_request_error", "invalid_body");
        Self::new(error.status(), kind, code, error.to_string())
    }
}

impl From<PathRejection> for ApiError {
    fn from(rejection: PathRejection) -> Self {
        let message = format!(
            "the path cannot be read: {}; channels and receipts have numbers",
            rejection.body_text()
        );
        Self::new(
            rejection.status(),
            "invalid_request_error",
            "invalid_path",
            message,
        )
    }
}

impl From<GenerateError> for ApiError {
    fn from(error: GenerateError) -> Self {
        let message = error.to_string();
        match error {
            GenerateError::Model(ModelError::ContextLength { found, limit }) => Self {
                parameter: Some("prompt"),
                ..Self::invalid("context_length_exceeded", message)
                    .with_details(json!({ "tokens": found, "limit": limit }))
            },
            GenerateError::Model(ModelError::Empty) => Self::parameter(
                "prompt",
                "the prompt is empty, and this model needs at least one token",
            ),
            GenerateError::Sampling { name, .. } => Self::parameter(name, message),
            GenerateError::Busy { .. } => Self::busy("engine_busy", message),
            GenerateError::Stopped => Self::unavailable("engine_stopped", message),
            GenerateError::UnknownAdapter { .. } => Self::not_found("model_not_found", message),
            GenerateError::Model(_) => Self::internal(&message),
        }
    }
}

impl From<ChainError> for ApiError {
    fn from(error: ChainError) -> Self {
        tracing::warn!(%error, "the chain cannot be read");
        let message = format!("the operator cannot reach its chain: {error}");
        Self::unavailable("chain_unavailable", message)
    }
}

impl From<LedgerError> for ApiError {
    fn from(error: LedgerError) -> Self {
        let message = error.to_string();
        match error {
            LedgerError::Voucher { .. } => Self::invalid("voucher_mismatch", message),
            LedgerError::Spent { .. } => Self::new(
                StatusCode::CONFLICT,
                "invalid_request_error",
                "voucher_spent",
                message,
            ),
            LedgerError::Storage(_) | LedgerError::Format { .. } | LedgerError::Step { .. } => {
                Self::internal(&message)
            }
        }
    }
}
