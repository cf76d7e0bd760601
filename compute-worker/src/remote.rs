//! An operator's HTTP API, as payers and watchers use it.

use crate::{ledger::StoredReceipt, serve::CHANNEL_HEADER};
use attribution_proof::{voucher::SignedVoucher, AccountId};
use axum::{
    body::Bytes,
    http::{header, StatusCode},
};
use codec::{DecodeAll, Encode};
use serde_json::Value;
use std::time::Duration;

/// Largest response of an operator that is read, in bytes.
pub(crate) const MOST_RESPONSE: usize = 64 << 20;
/// How long small requests to the operator may take.
const SMALL_REQUEST: Duration = Duration::from_secs(30);
/// How long a connection to the operator may take to come about.
const CONNECT: Duration = Duration::from_secs(10);
/// Between two signs of life on a connection that waits for an answer.
const KEEP_ALIVE: Duration = Duration::from_secs(30);
/// Characters of an operator's error that are repeated.
const EXCERPT: usize = 300;

/// The operator does not answer, or not as it should.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the operator at {url} failed: {reason}")]
pub struct RemoteError {
    /// Its URL.
    pub url: String,
    /// What happened.
    pub reason: String,
}

/// An operator's HTTP API.
#[derive(Clone, Debug)]
pub(crate) struct RemoteOperator {
    http: reqwest::Client,
    url: String,
}

impl RemoteOperator {
    /// The operator at `url`.
    pub(crate) fn new(url: &str) -> Result<Self, RemoteError> {
        let http = reqwest::Client::builder()
            .connect_timeout(CONNECT)
            .tcp_keepalive(KEEP_ALIVE)
            .build()
            .map_err(|error| RemoteError {
                url: url.to_owned(),
                reason: format!("no HTTP client can be made: {error}"),
            })?;
        Ok(Self::with_client(http, url))
    }

    /// The operator at `url`, reached through `http`.
    pub(crate) fn with_client(http: reqwest::Client, url: &str) -> Self {
        Self {
            http,
            url: url.trim_end_matches('/').to_owned(),
        }
    }

    /// Its URL.
    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    /// Says what it did wrong.
    pub(crate) fn failed(&self, reason: impl Into<String>) -> RemoteError {
        RemoteError {
            url: self.url.clone(),
            reason: reason.into(),
        }
    }

    /// Says why it cannot be reached.
    pub(crate) fn broken(&self, error: &reqwest::Error) -> RemoteError {
        use std::error::Error;
        // The cause behind the cause names the refused connection.
        let mut reason = error.to_string();
        let mut source = error.source();
        while let Some(cause) = source {
            reason = format!("{reason}: {cause}");
            source = cause.source();
        }
        self.failed(format!(
            "{reason}; check --operator-url and that the operator runs"
        ))
    }

    /// Sends a request for an answer through a channel.
    pub(crate) async fn ask(
        &self,
        path: &str,
        channel: u64,
        body: Bytes,
    ) -> Result<reqwest::Response, RemoteError> {
        let request = self
            .http
            .post(format!("{}{path}", self.url))
            .header(header::CONTENT_TYPE, "application/json")
            .header(CHANNEL_HEADER, channel)
            .body(body);
        request.send().await.map_err(|error| self.broken(&error))
    }

    /// Gets a page, whatever its status.
    pub(crate) async fn get(&self, path: &str) -> Result<reqwest::Response, RemoteError> {
        let request = self
            .http
            .get(format!("{}{path}", self.url))
            .timeout(SMALL_REQUEST);
        request.send().await.map_err(|error| self.broken(&error))
    }

    /// Reads a response up to [`MOST_RESPONSE`].
    pub(crate) async fn read(
        &self,
        mut response: reqwest::Response,
    ) -> Result<Vec<u8>, RemoteError> {
        let mut bytes = Vec::new();
        while let Some(piece) = response
            .chunk()
            .await
            .map_err(|error| self.broken(&error))?
        {
            if bytes.len().saturating_add(piece.len()) > MOST_RESPONSE {
                return Err(self.failed(format!("its response has over {MOST_RESPONSE} bytes")));
            }
            bytes.extend_from_slice(&piece);
        }
        Ok(bytes)
    }

    async fn get_good(&self, path: &str) -> Result<Vec<u8>, RemoteError> {
        let response = self.get(path).await?;
        let status = response.status();
        let body = self.read(response).await?;
        if !status.is_success() {
            let text: String = String::from_utf8_lossy(&body)
                .chars()
                .take(EXCERPT)
                .collect();
            return Err(self.failed(format!("{path} answered {status}: {text}")));
        }
        Ok(body)
    }

    /// Gets a JSON object.
    pub(crate) async fn json(&self, path: &str) -> Result<Value, RemoteError> {
        let body = self.get_good(path).await?;
        serde_json::from_slice(&body)
            .map_err(|error| self.failed(format!("{path} did not answer with JSON: {error}")))
    }

    /// Genesis of the operator's chain and the account that it is paid as, by its own word.
    pub(crate) async fn identity(&self) -> Result<(String, AccountId), RemoteError> {
        let models = self.json("/v1/models").await?;
        let said = &models["openledger"];
        let account = said["payee"].as_str().and_then(|text| text.parse().ok());
        let account = account.ok_or_else(|| self.failed("/v1/models names no account to pay"))?;
        let genesis = said["genesis"].as_str().unwrap_or_default().to_owned();
        Ok((genesis, account))
    }

    /// Gets a receipt from the operator's books.
    pub(crate) async fn receipt(
        &self,
        channel: u64,
        sequence: u64,
    ) -> Result<StoredReceipt, RemoteError> {
        let path = format!("/v1/openledger/receipts/{channel}/{sequence}/raw");
        let body = self.get_good(&path).await?;
        StoredReceipt::decode_all(&mut &*body)
            .map_err(|error| self.failed(format!("{path} is no receipt: {error}")))
    }

    /// Hands a voucher in.
    pub(crate) async fn vouch(&self, signed: &SignedVoucher) -> Result<(), RemoteError> {
        let path = "/v1/openledger/vouchers";
        let request = self
            .http
            .post(format!("{}{path}", self.url))
            .timeout(SMALL_REQUEST)
            .body(format!("0x{}", hex::encode(signed.encode())));
        let response = request.send().await.map_err(|error| self.broken(&error))?;
        let status = response.status();
        // A conflict says that the operator has a newer one.
        if status.is_success() || status == StatusCode::CONFLICT {
            return Ok(());
        }
        let body = self.read(response).await?;
        let text: String = String::from_utf8_lossy(&body)
            .chars()
            .take(EXCERPT)
            .collect();
        Err(self.failed(format!("{path} answered {status}: {text}")))
    }
}
