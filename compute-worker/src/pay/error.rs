//! Why paying failed, for people who start the proxy and for clients of its API.

use super::verify::FalseReceipt;
use crate::{
    chain::ChainError, ledger::LedgerError, remote::RemoteError, request_body::BodyError,
    terms::TermsError,
};
use attribution_proof::{AccountId, ChannelId};
use axum::{
    http::StatusCode,
    response::{IntoResponse, Response},
    Json,
};
use serde_json::{json, Value};
use std::path::PathBuf;

/// Why the proxy cannot start, or an answer cannot be paid for.
#[derive(Debug, thiserror::Error)]
pub enum PayError {
    /// The address cannot be listened at.
    #[error("cannot listen at {address}: {source}; choose another --listen")]
    Listen {
        /// The address.
        address: String,
        /// The cause.
        source: std::io::Error,
    },
    /// Anybody could spend the deposit.
    #[error("at {address} others than this machine could spend the deposit: listen at 127.0.0.1, or set --api-key")]
    Exposed {
        /// The address.
        address: String,
    },
    /// A file or folder failed.
    #[error(
        "cannot write {path}: {source}; free space, check permissions, or name another --folder"
    )]
    File {
        /// Where.
        path: PathBuf,
        /// The cause.
        source: std::io::Error,
    },
    /// The operator does not answer, or not as it should.
    #[error(transparent)]
    Operator(#[from] RemoteError),
    /// The operator is on another chain.
    #[error("the operator at {url} is on the chain with genesis {found}, this node on {expected}; use a node of the operator's chain")]
    OtherChain {
        /// Its URL.
        url: String,
        /// Genesis of its chain.
        found: String,
        /// Genesis of ours.
        expected: String,
    },
    /// The operator wants another account to be paid.
    #[error("the operator at {url} is paid as {found}, not as {expected}; correct --payee or --operator-url")]
    OtherPayee {
        /// Its URL.
        url: String,
        /// The account that it names.
        found: AccountId,
        /// The account that was given.
        expected: AccountId,
    },
    /// The operator has fewer receipts than this payer.
    #[error("the operator lost the receipts of channel {channel} after number {found}, of {expected}; close the channel and start again, which opens another one")]
    LostBooks {
        /// The channel.
        channel: ChannelId,
        /// Its last receipt.
        found: u64,
        /// Ours.
        expected: u64,
    },
    /// The channel is not on chain any more.
    #[error("channel {0} is closed; start again to open another one")]
    Closed(ChannelId),
    /// The operator lied, and gets no voucher.
    #[error("receipt {sequence} of channel {channel} is false: {defect}. No voucher was signed for it and nothing more is asked of this operator; the receipt is kept in {evidence}. Challenge it with `watch`, then close the channel (POST /v1/openledger/close)")]
    False {
        /// The channel.
        channel: ChannelId,
        /// Number of the receipt.
        sequence: u64,
        /// What is wrong with it.
        defect: FalseReceipt,
        /// Where it is kept.
        evidence: PathBuf,
    },
    /// The operator lied before.
    #[error("this operator is not asked any more: {0}")]
    Disputed(String),
    /// The chain.
    #[error(transparent)]
    Chain(#[from] ChainError),
    /// What the chain says about a model.
    #[error(transparent)]
    Terms(#[from] TermsError),
    /// The chain contradicts itself.
    #[error("{0}; the node's state is damaged, use another node")]
    State(String),
    /// The books.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    /// The HTTP server.
    #[error("the HTTP server failed: {0}")]
    Http(std::io::Error),
}

/// A response that is an error, in OpenAI's shape.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Refusal {
    /// Status.
    pub(super) status: StatusCode,
    /// OpenAI's class of errors.
    pub(super) kind: &'static str,
    /// Name of the error, for programs.
    pub(super) code: &'static str,
    /// What was wrong and what to do.
    pub(super) message: String,
}

impl Refusal {
    /// The request is wrong.
    pub(super) fn invalid(
        status: StatusCode,
        code: &'static str,
        message: impl Into<String>,
    ) -> Self {
        Self {
            status,
            kind: "invalid_request_error",
            code,
            message: message.into(),
        }
    }

    /// The body.
    pub(super) fn body(&self) -> Value {
        json!({ "error": {
            "message": self.message,
            "type": self.kind,
            "param": null,
            "code": self.code,
        } })
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        (self.status, Json(self.body())).into_response()
    }
}

impl From<&PayError> for Refusal {
    fn from(error: &PayError) -> Self {
        let (status, kind, code) = match error {
            PayError::False { .. } | PayError::Disputed(_) => {
                (StatusCode::BAD_GATEWAY, "operator_error", "false_receipt")
            }
            PayError::Operator(_) | PayError::OtherChain { .. } | PayError::OtherPayee { .. } => {
                (StatusCode::BAD_GATEWAY, "operator_error", "operator_failed")
            }
            PayError::LostBooks { .. } => (
                StatusCode::BAD_GATEWAY,
                "operator_error",
                "operator_lost_books",
            ),
            PayError::Closed(_) => (
                StatusCode::PAYMENT_REQUIRED,
                "payment_required",
                "channel_closed",
            ),
            PayError::Chain(ChainError::Failed { .. }) => (
                StatusCode::BAD_REQUEST,
                "invalid_request_error",
                "transaction_failed",
            ),
            PayError::Chain(_) | PayError::Terms(_) | PayError::State(_) => (
                StatusCode::SERVICE_UNAVAILABLE,
                "server_error",
                "chain_unavailable",
            ),
            PayError::Listen { .. }
            | PayError::Exposed { .. }
            | PayError::File { .. }
            | PayError::Ledger(_)
            | PayError::Http(_) => (
                StatusCode::INTERNAL_SERVER_ERROR,
                "server_error",
                "internal",
            ),
        };
        Self {
            status,
            kind,
            code,
            message: error.to_string(),
        }
    }
}

impl From<PayError> for Refusal {
    fn from(error: PayError) -> Self {
        Self::from(&error)
    }
}

impl From<BodyError> for Refusal {
    fn from(error: BodyError) -> Self {
        Self::invalid(error.status(), "invalid_body", error.to_string())
    }
}

impl From<RemoteError> for Refusal {
    fn from(error: RemoteError) -> Self {
        PayError::from(error).into()
    }
}
