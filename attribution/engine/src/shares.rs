//! What each contribution gets of a traced response.
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
mod tests {
    use super::*;
    use attribution_proof::{challenge::influence_credit, span::Occurrence};
    use proptest::prelude::*;

    const RULES: ReceiptRules = ReceiptRules {
        top_k: 64,
        floor_numerator: 1,
        floor_denominator: 100,
        minimum_span: 8,
        span_weight_cap: 100,
        influence_mix: 250_000_000,
    };

    fn span(length: u32, row: u32) -> Span {
        Span {
            start: 0,
            length,
            at: Occurrence {
                model: 1,
                row,
                offset: 0,
            },
        }
    }

    #[test]
    fn kinds_are_mixed_as_governed_and_lengths_capped() {
        let credits = [influence_credit(1, 0, 300), influence_credit(1, 1, 100)];
        // 500 bytes weigh as much as the cap of 100.
        let spans = [span(500, 2), span(100, 1)];
        // Rows 0 and 1 belong to contribution 7, row 2 to 9.
        let shares = trace_shares(&credits, &spans, &RULES, |_, row| {
            7 + u64::from(row / 2 * 2)
        })
        .unwrap();
        let (seven, nine) = (Payee::Contribution(7), Payee::Contribution(9));
        assert_eq!(shares.influence, [(seven, 1_000_000_000)]);
        assert_eq!(shares.spans, [(seven, 500_000_000), (nine, 500_000_000)]);
        assert_eq!(shares.mix, [(seven, 625_000_000), (nine, 375_000_000)]);
    }

    #[test]
    fn the_treasury_takes_what_nobody_earned() {
        let shares = trace_shares(&[], &[], &RULES, |_, _| 1).unwrap();
        let treasury = vec![(Payee::Treasury, BILLION)];
        assert_eq!(
            shares,
            TraceShares {
                influence: treasury.clone(),
                spans: treasury.clone(),
                mix: treasury
            }
        );
    }

    #[test]
    fn records_share_by_capped_positive_scores_without_copies() {
        let own = [Standing::Own; 4];
        let scores = [3.0, -5.0, 1.0, 0.0];
        let parts = |cap| record_shares(&scores, &own, cap).unwrap();
        assert_eq!(parts(None), [750_000_000, 0, 250_000_000, 0]);
        assert_eq!(parts(Some(1.0)), [500_000_000, 0, 500_000_000, 0]);
        let copied = [
            Standing::Own,
            Standing::Own,
            Standing::DuplicateOf(0),
            Standing::Own,
        ];
        assert_eq!(
            record_shares(&scores, &copied, None).unwrap(),
            [BILLION, 0, 0, 0]
        );
        assert_eq!(
            record_shares(&[-1.0, 0.0], &own[..2], None).unwrap(),
            [0, 0]
        );
    }

    #[test]
    fn caps_are_quantiles_of_positive_scores() {
        let scores = [4.0, -9.0, 1.0, 3.0, 2.0];
        let cap = |part| quantile_cap(&scores, part).unwrap();
        assert_eq!(cap(1.0), Some(4.0));
        assert_eq!(cap(0.75), Some(3.0));
        assert_eq!(cap(0.1), Some(1.0));
        assert_eq!(quantile_cap(&[-1.0], 0.5).unwrap(), None);
        let refused = quantile_cap(&scores, 0.0).unwrap_err().to_string();
        assert!(refused.contains("quantile of the cap is 0"), "{refused}");
    }

    #[test]
    fn bad_scores_are_refused() {
        let refused = |scores: &[f64], cap| {
            record_shares(scores, &[Standing::Own; 2], cap)
                .unwrap_err()
                .to_string()
        };
        assert!(refused(&[1.0], None).contains("2 entries where 1"));
        assert!(refused(&[1.0, f64::NAN], None).contains("score of record 1 is NaN"));
        assert!(refused(&[1.0, 1.0], Some(0.0)).contains("cap is 0"));
    }

    proptest! {
        #[test]
        fn splitting_an_owner_gains_nothing(
            scores in prop::collection::vec(-1.0_f64..10.0, 4..64),
            shells in 1_usize..5,
        ) {
            let own = vec![Standing::Own; scores.len()];
            let parts = record_shares(&scores, &own, None).unwrap();
            let sum = parts.iter().map(|part| u64::from(*part)).sum::<u64>();
            prop_assert!(sum == u64::from(BILLION) || scores.iter().all(|score| *score <= 0.0));
            // The first half belongs to one owner, under one name or several.
            let half = scores.len() / 2;
            let under = |shell: usize| -> u64 {
                (0..half).filter(|row| row % shells == shell).map(|row| u64::from(parts[row])).sum()
            };
            let together = parts[..half].iter().map(|part| u64::from(*part)).sum::<u64>();
            prop_assert_eq!((0..shells).map(under).sum::<u64>(), together);
        }

        #[test]
        fn shares_sum_to_the_whole(
            scores in prop::collection::vec(1_i64..1 << 50, 0..64),
            lengths in prop::collection::vec(8_u32..1_024, 0..64),
            owners in 1_u64..9,
        ) {
            let credits = (0..).zip(&scores).map(|(row, score)| influence_credit(1, row, *score)).collect::<Vec<_>>();
            let spans = (0..).zip(&lengths).map(|(row, length)| span(*length, row)).collect::<Vec<_>>();
            let shares = trace_shares(&credits, &spans, &RULES, |_, row| u64::from(row) % owners).unwrap();
            for kind in [shares.influence, shares.spans, shares.mix] {
                prop_assert_eq!(kind.iter().map(|(_, part)| part).sum::<u32>(), BILLION);
                prop_assert!(kind.windows(2).all(|pair| pair[0].0 < pair[1].0));
            }
        }
    }
}
