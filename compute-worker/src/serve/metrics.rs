//! Figures of serving.

use crate::metrics::Metrics;
use prometheus_client::{
    encoding::EncodeLabelSet,
    metrics::{counter::Counter, family::Family, gauge::Gauge},
};

/// A request and how it ended.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(super) struct RequestLabel {
    /// Name of the endpoint.
    pub(super) endpoint: &'static str,
    /// HTTP status.
    pub(super) status: u16,
}

/// The figures; clones share them.
#[derive(Clone, Debug, Default)]
pub(super) struct ServingMetrics {
    /// Requests by endpoint and status.
    pub(super) requests: Family<RequestLabel, Counter>,
    /// Answers under way.
    pub(super) active: Gauge,
    /// Tokens of prompts.
    pub(super) prompt_tokens: Counter,
    /// Tokens of answers.
    pub(super) completion_tokens: Counter,
    /// Receipts given out.
    pub(super) receipts: Counter,
    /// Vouchers taken in.
    pub(super) vouchers: Counter,
    /// Models that are served.
    pub(super) models: Gauge,
    /// Settlements opened.
    pub(super) settlements: Counter,
    /// Failed attempts to settle or pay out.
    pub(super) settlement_errors: Counter,
    /// Entries of totals that were paid.
    pub(super) entries_paid: Counter,
}

impl ServingMetrics {
    /// Registers them with the worker's.
    pub(super) fn new(metrics: &Metrics) -> Self {
        let serving = Self::default();
        // The encoder appends `_total` to counters.
        let counters = [
            ("prompt_tokens", "Tokens of prompts", &serving.prompt_tokens),
            (
                "completion_tokens",
                "Tokens of answers",
                &serving.completion_tokens,
            ),
            ("receipts", "Receipts given out", &serving.receipts),
            ("vouchers", "Vouchers taken in", &serving.vouchers),
            ("settlements", "Settlements opened", &serving.settlements),
            (
                "settlement_errors",
                "Failed attempts to settle or pay out",
                &serving.settlement_errors,
            ),
            (
                "settlement_entries_paid",
                "Entries of totals paid",
                &serving.entries_paid,
            ),
        ];
        for (name, help, counter) in counters {
            metrics.register(name, help, counter.clone());
        }
        metrics.register(
            "requests",
            "Requests by endpoint and status",
            serving.requests.clone(),
        );
        metrics.register(
            "active_requests",
            "Answers under way",
            serving.active.clone(),
        );
        metrics.register(
            "models_served",
            "Models that are served",
            serving.models.clone(),
        );
        serving
    }

    /// Counts a request that ended.
    pub(super) fn request(&self, endpoint: &'static str, status: u16) {
        self.requests
            .get_or_create(&RequestLabel { endpoint, status })
            .inc();
    }
}
