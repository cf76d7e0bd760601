//! Watching and stopping long work.

use indicatif::{ProgressBar as Bar, ProgressStyle};
use std::{
    sync::{
        atomic::{AtomicBool, Ordering},
        Arc,
    },
    time::Duration,
};

/// A flag that stops a run or a gradient pass at its next step.
#[derive(Clone, Debug, Default)]
pub struct CancellationFlag(Arc<AtomicBool>);

impl CancellationFlag {
    /// Asks the work to stop.
    pub fn cancel(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    /// Whether the work was asked to stop.
    pub fn is_cancelled(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

/// One optimiser step, for logs and metrics.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct StepReport {
    /// Step, from 1.
    pub step: u32,
    /// Steps of the run.
    pub steps: u32,
    /// Mean negative log likelihood of the batch in nats per token.
    pub loss: f32,
    /// Learning rate of the step.
    pub learning_rate: f64,
    /// Global norm of the gradient before clipping.
    pub gradient_norm: f64,
    /// Tokens trained on in this step.
    pub tokens: usize,
    /// Time spent on hashing weights and optimiser state for the transcript.
    pub transcript: Duration,
}

/// Receives progress. Every method does nothing by default.
pub trait Progress {
    /// A phase of `total` units begins; `done` of them were done before a restart.
    fn begin(&mut self, phase: &'static str, total: u64, done: u64) {
        let _ = (phase, total, done);
    }

    /// `done` units of the phase are done.
    fn advance(&mut self, done: u64) {
        let _ = done;
    }

    /// An optimiser step was done.
    fn step(&mut self, report: &StepReport) {
        let _ = report;
    }

    /// The phase is over.
    fn end(&mut self) {}
}

/// Ignores all progress.
#[derive(Clone, Copy, Debug, Default)]
pub struct Silent;

impl Progress for Silent {}

/// Shows progress as a bar on the terminal.
#[derive(Debug)]
pub struct ProgressBar {
    bar: Bar,
    tokens: usize,
}

impl ProgressBar {
    /// A bar that appears with the first phase.
    pub fn new() -> Self {
        Self {
            bar: Bar::hidden(),
            tokens: 0,
        }
    }
}

impl Default for ProgressBar {
    fn default() -> Self {
        Self::new()
    }
}

impl Progress for ProgressBar {
    fn begin(&mut self, phase: &'static str, total: u64, done: u64) {
        let template = "{prefix:>14} [{bar:32}] {pos}/{len} {elapsed} (eta {eta}) {msg}";
        let style = ProgressStyle::with_template(template)
            .unwrap_or_else(|_| ProgressStyle::default_bar())
            .progress_chars("=> ");
        self.tokens = 0;
        self.bar = Bar::new(total)
            .with_position(done)
            .with_style(style)
            .with_prefix(phase);
        self.bar.reset_eta();
    }

    fn advance(&mut self, done: u64) {
        self.bar.set_position(done);
    }

    fn step(&mut self, report: &StepReport) {
        self.tokens += report.tokens;
        let rate = self.tokens as f64 / self.bar.elapsed().as_secs_f64().max(1e-9);
        self.bar
            .set_message(format!("loss {:.3}, {rate:.0} tokens/s", report.loss));
    }

    fn end(&mut self) {
        self.bar.finish();
    }
}
