//! What each contribution gets of a traced response.

use attribution_proof::{
    receipt::{weights, Credit},
    ruleset::ReceiptRules,
    span::Span,
    split::{Parts, BILLION},
    totals::{Payee, Totals},
    ContributionId, ModelId,
};

use crate::Error;

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

    proptest! {
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
