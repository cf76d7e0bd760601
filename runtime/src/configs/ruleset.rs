//! The first ruleset: every policy number as it stands at genesis. A referendum can only add others.

use attribution_proof::{
    ruleset::{ComputeRules, DataRules, ReceiptRules, Ruleset, SettlementRules},
    split::SplitRule,
};
use frame_support::traits::Get;

use crate::constants::{
    currency::{MILLIUNIT, UNIT},
    time::{period, DAYS, HOURS},
};

/// Ruleset 0.
pub const FIRST_RULESET: Ruleset = Ruleset {
    data: DataRules {
        contribution_window: period(3 * DAYS, 8),
        contribution_stake: UNIT,
        record_stake: 10 * MILLIUNIT,
        curator_stake: 100 * UNIT,
        minimum_record_bytes: 256,
        duplicate_threshold: 200_000_000,
    },
    compute: ComputeRules {
        operator_bond: 10_000 * UNIT,
        job_stake: 1_000 * UNIT,
        take_deadline: period(7 * DAYS, 200),
        submit_deadline: period(7 * DAYS, 400),
        job_window: period(2 * DAYS, 3),
    },
    receipt: ReceiptRules {
        // The owner of a renamed passage leads the influence credits in 58 % of cases with 8 rows and
        // in 54 % with 32, and larger shares are worth claiming (docs/tracing.md).
        top_k: 8,
        // A cosine of 0.02. What of a query lies outside the rows' span lowers every cosine: the eighth
        // best row of a passage from the data itself stands at 0.05 with a lightly trained model and at
        // 0.03 with a well trained one, so a floor of 0.05 refused right credits (docs/tracing.md).
        floor_numerator: 1,
        floor_denominator: 2_500,
        // Shorter spans are anybody's: indentation and brackets. Spans of 32 bytes name the owner of a
        // third of the renamed passages, of 24 bytes about half (docs/tracing.md).
        minimum_span: 24,
        span_weight_cap: 256,
        influence_mix: 500_000_000,
    },
    settlement: SettlementRules {
        settlement_window: period(2 * DAYS, 8),
        dispute_period: period(2 * DAYS, 8),
        challenge_bond: 10 * UNIT,
        demand_bond: UNIT,
        demand_window: period(12 * HOURS, 4),
        lie_slash: 2_000 * UNIT,
        challenger_reward: 300_000_000,
    },
    split: SplitRule {
        operator: 500_000_000,
        builder: 200_000_000,
        data: 200_000_000,
        stakers: 50_000_000,
        treasury: 50_000_000,
    },
};

/// Hands [`FIRST_RULESET`] to the pallet that keeps rulesets.
pub struct FirstRuleset;

impl Get<Ruleset> for FirstRuleset {
    fn get() -> Ruleset {
        FIRST_RULESET
    }
}
