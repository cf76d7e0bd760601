//! Counts, intervals and what guessing would reach.

use super::corpus::Corpus;
use std::fmt::{Display, Formatter, Result};

/// How often the owner got the largest share, by kind of evidence.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Tally {
    /// Passages.
    pub(super) passages: usize,
    /// Right by spans alone.
    pub(super) spans: usize,
    /// Right by influence alone.
    pub(super) influence: usize,
    /// Right by the mix that is paid.
    pub(super) mix: usize,
}

impl Tally {
    /// Each kind with its right answers.
    pub(super) fn kinds(&self) -> [(&'static str, usize); 3] {
        [
            ("spans", self.spans),
            ("influence", self.influence),
            ("mix", self.mix),
        ]
    }
}

/// A share with its 95 % interval.
#[derive(Clone, Copy, Debug)]
pub(super) struct Interval {
    /// The share.
    pub(super) share: f64,
    /// Lower end.
    pub(super) low: f64,
    /// Upper end.
    pub(super) high: f64,
}

impl Interval {
    /// Wilson's score interval (E. B. Wilson, JASA 22, 1927).
    pub(super) fn wilson(right: usize, of: usize) -> Self {
        const Z: f64 = 1.959_964;
        let n = of.max(1) as f64;
        let share = right as f64 / n;
        let centre = share + Z * Z / (2.0 * n);
        let spread = Z * (share * (1.0 - share) / n + Z * Z / (4.0 * n * n)).sqrt();
        let scale = 1.0 + Z * Z / n;
        Self {
            share,
            low: (centre - spread) / scale,
            high: (centre + spread) / scale,
        }
    }
}

impl Display for Interval {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> Result {
        write!(
            formatter,
            "{:.3} ({:.3} to {:.3})",
            self.share, self.low, self.high
        )
    }
}

/// What guessing reaches.
#[derive(Clone, Copy, Debug)]
pub(super) struct Baseline {
    /// Each crate as likely: one over their number.
    pub(super) uniform: f64,
    /// A crate as likely as its part of the text.
    pub(super) by_size: f64,
    /// Always the largest crate.
    pub(super) largest: f64,
}

impl Baseline {
    /// For passages that begin anywhere in the text.
    pub(super) fn of(corpus: &Corpus) -> Self {
        let total: usize = corpus.crates.iter().map(|source| source.bytes()).sum();
        let parts = || {
            corpus
                .crates
                .iter()
                .map(|source| source.bytes() as f64 / total as f64)
        };
        Self {
            uniform: 1.0 / corpus.crates.len() as f64,
            by_size: parts().map(|part| part * part).sum(),
            largest: parts().fold(0.0, f64::max),
        }
    }

    /// The best that guessing reaches.
    pub(super) fn best(&self) -> f64 {
        self.uniform.max(self.by_size).max(self.largest)
    }
}
