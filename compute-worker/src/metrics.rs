//! Figures for Prometheus.
//!
//! Names follow Prometheus' conventions: prefix `openledger_worker_`, base units, `_total` on counters.

use crate::train::{Progress, StepReport};
use axum::{http::header, response::IntoResponse, routing::get, Router};
use prometheus_client::{
    encoding::{text::encode, EncodeLabelSet},
    metrics::{counter::Counter, family::Family, gauge::Gauge},
    registry::{Metric, Registry},
};
use std::{
    fmt::Debug,
    sync::{atomic::AtomicU64, Arc, Mutex, PoisonError},
};

/// Media type of the text format.
const CONTENT_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// Phase of a job.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct PhaseLabel {
    /// Name of the phase.
    pub phase: &'static str,
}

/// Outcome of something.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct OutcomeLabel {
    /// `finalised`, `refunded` or `failed`.
    pub outcome: &'static str,
}

/// The worker's figures; clones share them.
#[derive(Clone, Debug)]
pub struct Metrics {
    registry: Arc<Mutex<Registry>>,
    /// Best block of the node.
    pub best_block: Gauge,
    /// Jobs that this operator works on, by phase.
    pub jobs: Family<PhaseLabel, Gauge>,
    /// Jobs that ended, by outcome.
    pub jobs_ended: Family<OutcomeLabel, Counter>,
    /// Failed attempts to bring a job on.
    pub job_errors: Counter,
    /// Optimiser steps.
    pub training_steps: Counter,
    /// Tokens trained on.
    pub training_tokens: Counter,
    /// Loss of the last step in nats per token.
    pub training_loss: Gauge<f64, AtomicU64>,
    /// Rows of influence indexes.
    pub index_rows: Counter,
}

impl Default for Metrics {
    fn default() -> Self {
        let metrics = Self {
            registry: Arc::new(Mutex::new(Registry::with_prefix("openledger_worker"))),
            best_block: Gauge::default(),
            jobs: Family::default(),
            jobs_ended: Family::default(),
            job_errors: Counter::default(),
            training_steps: Counter::default(),
            training_tokens: Counter::default(),
            training_loss: Gauge::default(),
            index_rows: Counter::default(),
        };
        // The encoder appends `_total` to counters.
        metrics.register(
            "best_block",
            "Best block of the node",
            metrics.best_block.clone(),
        );
        metrics.register("jobs", "Jobs in progress by phase", metrics.jobs.clone());
        metrics.register(
            "jobs_ended",
            "Jobs that ended by outcome",
            metrics.jobs_ended.clone(),
        );
        metrics.register(
            "job_errors",
            "Failed attempts to bring a job on",
            metrics.job_errors.clone(),
        );
        metrics.register(
            "training_steps",
            "Optimiser steps",
            metrics.training_steps.clone(),
        );
        metrics.register(
            "training_tokens",
            "Tokens trained on",
            metrics.training_tokens.clone(),
        );
        metrics.register(
            "training_loss_nats",
            "Loss of the last optimiser step per token",
            metrics.training_loss.clone(),
        );
        metrics.register(
            "index_rows",
            "Rows of influence indexes",
            metrics.index_rows.clone(),
        );
        metrics
    }
}

impl Metrics {
    /// Adds a figure of another part of the worker. `name` has no prefix, counters no `_total`.
    pub fn register(&self, name: &str, help: &str, metric: impl Metric) {
        let mut registry = self.registry.lock().unwrap_or_else(PoisonError::into_inner);
        registry.register(name, help, metric);
    }

    /// All figures in the text format.
    pub fn text(&self) -> String {
        let registry = self.registry.lock().unwrap_or_else(PoisonError::into_inner);
        let mut text = String::new();
        if let Err(error) = encode(&mut text, &registry) {
            tracing::error!(%error, "metrics cannot be encoded");
        }
        text
    }

    /// Counts the phases that jobs are in.
    pub fn set_phases(&self, phases: impl IntoIterator<Item = &'static str>) {
        self.jobs.clear();
        for phase in phases {
            self.jobs.get_or_create(&PhaseLabel { phase }).inc();
        }
    }

    /// Counts a job that ended.
    pub fn job_ended(&self, outcome: &'static str) {
        self.jobs_ended
            .get_or_create(&OutcomeLabel { outcome })
            .inc();
    }

    /// `GET /metrics` and `GET /health`.
    pub fn router(&self) -> Router {
        let metrics = self.clone();
        Router::new()
            .route(
                "/metrics",
                get(|| async move {
                    ([(header::CONTENT_TYPE, CONTENT_TYPE)], metrics.text()).into_response()
                }),
            )
            .route("/health", get(|| async { "ok" }))
    }
}

/// Reports training to the metrics and to another receiver, such as a bar on the terminal.
pub struct Measured {
    metrics: Metrics,
    shown: Box<dyn Progress + Send>,
    counts_rows: bool,
    done: u64,
}

impl Measured {
    /// For a training run.
    pub fn training(metrics: Metrics, shown: Box<dyn Progress + Send>) -> Self {
        Self {
            metrics,
            shown,
            counts_rows: false,
            done: 0,
        }
    }

    /// For the rows of an index.
    pub fn rows(metrics: Metrics, shown: Box<dyn Progress + Send>) -> Self {
        Self {
            metrics,
            shown,
            counts_rows: true,
            done: 0,
        }
    }
}

impl Progress for Measured {
    fn begin(&mut self, phase: &'static str, total: u64, done: u64) {
        self.done = done;
        self.shown.begin(phase, total, done);
    }

    fn advance(&mut self, done: u64) {
        if self.counts_rows {
            self.metrics
                .index_rows
                .inc_by(done.saturating_sub(self.done));
        }
        self.done = done;
        self.shown.advance(done);
    }

    fn step(&mut self, report: &StepReport) {
        self.metrics.training_steps.inc();
        self.metrics.training_tokens.inc_by(report.tokens as u64);
        self.metrics.training_loss.set(f64::from(report.loss));
        self.shown.step(report);
    }

    fn end(&mut self) {
        self.shown.end();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::train::Silent;

    #[test]
    fn success_training_is_counted() {
        let metrics = Metrics::default();
        let mut progress = Measured::training(metrics.clone(), Box::new(Silent));
        progress.begin("training", 2, 0);
        for step in 1..=2 {
            progress.step(&StepReport {
                step,
                steps: 2,
                loss: 1.5,
                learning_rate: 1e-3,
                gradient_norm: 1.0,
                tokens: 30,
                transcript: Default::default(),
            });
            progress.advance(u64::from(step));
        }
        progress.end();
        let mut rows = Measured::rows(metrics.clone(), Box::new(Silent));
        rows.begin("influence rows", 10, 4);
        rows.advance(7);
        rows.advance(10);
        metrics.set_phases(["train", "train", "finalise"]);
        metrics.job_ended("finalised");
        let text = metrics.text();
        for line in [
            "openledger_worker_training_steps_total 2",
            "openledger_worker_training_tokens_total 60",
            "openledger_worker_training_loss_nats 1.5",
            "openledger_worker_index_rows_total 6",
            "openledger_worker_jobs{phase=\"train\"} 2",
            "openledger_worker_jobs_ended_total{outcome=\"finalised\"} 1",
        ] {
            assert!(text.lines().any(|found| found == line), "{line} in\n{text}");
        }
        metrics.set_phases([]);
        assert!(!metrics.text().contains("phase="));
    }
}
