//! What each contribution gets of a traced response.
//!
//! - [`trace_shares`] splits one response as its receipt does.
//! - [`record_shares`] splits any scores, datum by datum.
//! - [`Peers`] and [`peer_weights`] defend a split against records that were made to look influential.
//!
//! ```
//! use attribution_engine::{
//!     duplicates::Standing,
//!     shares::{quantile_cap, record_shares},
//! };
//!
//! # fn main() -> Result<(), attribution_engine::Error> {
//! // The second record harms, the third is a copy of the first.
//! let scores = [30.0, -5.0, 30.0, 10.0];
//! let mut standings = [Standing::Own; 4];
//! standings[2] = Standing::DuplicateOf(0);
//! let cap = quantile_cap(&scores, 1.0)?;
//! assert_eq!(record_shares(&scores, &standings, cap)?, [750_000_000, 0, 0, 250_000_000]);
//! # Ok(())
//! # }
//! ```

mod peers;

pub use peers::{peer_weights, PeerRule, Peers};

use attribution_proof::{
    receipt::{weights, Credit},
    ruleset::ReceiptRules,
    span::Span,
    split::{apportion, Parts, BILLION},
    totals::{Payee, Totals},
    ContributionId, ModelId,
};

use crate::{
    duplicates::{check_row_count, Standing},
    Error,
};

/// Shares of the data's money in parts per billion, ascending by payee. They sum to one billion; where
/// no contribution earned anything, the treasury has it all.
pub type Shares = Vec<(Payee, Parts)>;

/// The shares of one response by each kind of evidence alone and as they are paid.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TraceShares {
    /// By influence credits alone.
    pub influence: Shares,
    /// By spans alone.
    pub spans: Shares,
    /// By the governed mix, as a receipt with these credits and spans splits its data share.
    pub mix: Shares,
}

/// The shares of a traced response. `owner` names the contribution that a row of a model's inputs
/// belongs to.
///
/// # Errors
/// When there are more data than a receipt's totals hold.
pub fn trace_shares(
    credits: &[Credit],
    spans: &[Span],
    rules: &ReceiptRules,
    owner: impl Fn(ModelId, u32) -> ContributionId,
) -> Result<TraceShares, Error> {
    let shares = |credits: &[Credit], spans: &[Span]| -> Result<Shares, Error> {
        let owners = credits
            .iter()
            .map(|credit| owner(credit.model, credit.row))
            .chain(spans.iter().map(|span| owner(span.at.model, span.at.row)));
        let weighted = owners
            .zip(weights(credits, spans, rules))
            .collect::<Vec<_>>();
        // The model is only a label here: one response, one model. There are no builders to pay.
        let totals = Totals::default()
            .credit(0, 0, BILLION.into(), &weighted)
            .ok_or_else(|| {
                Error::parameter(
                    "number of credits and spans",
                    weighted.len(),
                    "what a receipt holds",
                )
            })?;
        // No part exceeds the whole, which is a `u32`.
        Ok(totals
            .entries
            .iter()
            .map(|total| (total.payee, total.amount as Parts))
            .collect())
    };
    Ok(TraceShares {
        influence: shares(credits, &[])?,
        spans: shares(&[], spans)?,
        mix: shares(credits, spans)?,
    })
}

/// What each record gets of one billion by its score, datum by datum as on chain: scores that are not
/// positive get nothing, a duplicate's score counts for nothing beside its owner's, scores above `cap`
/// count as the cap, and the largest remainders take what rounding leaves. Where no score is positive,
/// nobody gets anything.
///
/// Sums over an owner's records do not depend on how the owner splits them among names, but for the
/// rounding of single billionths.
///
/// # Errors
/// When there is not one standing for each score, a score is not finite, or the cap is not positive.
pub fn record_shares(
    scores: &[f64],
    standings: &[Standing],
    cap: Option<f64>,
) -> Result<Vec<Parts>, Error> {
    Error::check_shape("list of standings", standings.len(), scores.len())?;
    check_row_count(scores.len())?;
    if let Some(row) = scores.iter().position(|score| !score.is_finite()) {
        return Err(Error::entry("score of record", row, scores[row], "finite"));
    }
    if let Some(cap) = cap.filter(|cap| cap.is_nan() || *cap <= 0.0) {
        return Err(Error::parameter("cap", cap, "positive"));
    }
    let counts = |(score, standing): (&f64, &Standing)| match standing {
        Standing::Own => score.max(0.0).min(cap.unwrap_or(f64::INFINITY)),
        Standing::DuplicateOf(_) | Standing::Absent => 0.0,
    };
    let counted = scores.iter().zip(standings).map(counts).collect::<Vec<_>>();
    let most = counted.iter().copied().fold(0.0, f64::max);
    if most == 0.0 {
        return Ok(vec![0; scores.len()]);
    }
    // Thirty-two bits for the largest keep the sum of as many as there may be within 64.
    let weights = counted
        .iter()
        .map(|score| (score / most * f64::from(u32::MAX)).round() as u64)
        .collect::<Vec<_>>();
    Ok(apportion(BILLION.into(), &weights)
        .into_iter()
        .map(|part| part as Parts)
        .collect())
}

/// The score that this part of the positive ones do not exceed: a cap that outliers are cut down to, as
/// [`record_shares`] takes it. `None` where no score is positive.
///
/// # Errors
/// When the part is not in (0, 1].
pub fn quantile_cap(scores: &[f64], part: f64) -> Result<Option<f64>, Error> {
    if !(part > 0.0 && part <= 1.0) {
        return Err(Error::parameter("quantile of the cap", part, "in (0, 1]"));
    }
    let mut positive = scores
        .iter()
        .copied()
        .filter(|score| *score > 0.0)
        .collect::<Vec<_>>();
    positive.sort_unstable_by(f64::total_cmp);
    let rank = (part * positive.len() as f64).ceil() as usize;
    Ok(positive.get(rank.saturating_sub(1)).copied())
}

#[cfg(test)]
mod tests;
