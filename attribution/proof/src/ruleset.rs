//! Rulesets: every policy number, immutable once numbered.
//!
//! A job, model, channel, receipt or settlement names the ruleset it lives under; a referendum can only
//! add another one, so a vote never turns an honest receipt into a lie.

use crate::{
    bounds::{MAX_CREDITS, MAX_SPAN_LENGTH},
    influence::CosineFloor,
    split::{Parts, SplitRule, BILLION},
    Balance, BlockNumber, RulesetId,
};
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use scale_info::TypeInfo;
use serde::{Deserialize, Serialize};

/// Longest window that a ruleset may set: about a year of three-second blocks.
pub const MAX_WINDOW: BlockNumber = 10_512_000;
/// Largest single bond, stake or slash that a ruleset may set: 10 million OPEN.
pub const MAX_AMOUNT: Balance = 10_000_000_000_000_000_000_000_000;

/// Rules of Datanets and contributions.
#[derive(
    Clone,
    Copy,
    Debug,
    PartialEq,
    Eq,
    Encode,
    Decode,
    DecodeWithMemTracking,
    MaxEncodedLen,
    TypeInfo,
    Serialize,
    Deserialize,
)]
pub struct DataRules {
    /// Blocks in which a contribution to an open Datanet can be challenged before it is accepted, and
    /// after which an undecided one to a curated Datanet lapses.
    pub contribution_window: BlockNumber,
    /// Least stake of a contribution, in base units.
    pub contribution_stake: Balance,
    /// Least additional stake per record, in base units.
    pub record_stake: Balance,
    /// Stake of a curator, in base units.
    pub curator_stake: Balance,
    /// Shortest record that a duplicate challenge may be about: shared boilerplate is no theft.
    pub minimum_record_bytes: u32,
    /// Share of a contribution's records that must be proven copies before all of it falls.
    pub duplicate_threshold: Parts,
}

/// Rules of operators and training jobs.
#[derive(
    Clone,
    Copy,
    Debug,
    PartialEq,
    Eq,
    Encode,
    Decode,
    DecodeWithMemTracking,
    MaxEncodedLen,
    TypeInfo,
    Serialize,
    Deserialize,
)]
pub struct ComputeRules {
    /// Least bond of an operator, in base units.
    pub operator_bond: Balance,
    /// Part of the bond that a taken job puts at stake, in base units.
    pub job_stake: Balance,
    /// Blocks after which a job that nobody took can be refunded.
    pub take_deadline: BlockNumber,
    /// Blocks from taking a job to submitting its result.
    pub submit_deadline: BlockNumber,
    /// Blocks in which a submitted result can be challenged.
    pub job_window: BlockNumber,
}

/// Rules of receipts.
#[derive(
    Clone,
    Copy,
    Debug,
    PartialEq,
    Eq,
    Encode,
    Decode,
    DecodeWithMemTracking,
    MaxEncodedLen,
    TypeInfo,
    Serialize,
    Deserialize,
)]
pub struct ReceiptRules {
    /// Most influence credits, `k`.
    pub top_k: u32,
    /// Numerator of the cosine floor.
    pub floor_numerator: u32,
    /// Denominator of the cosine floor.
    pub floor_denominator: u32,
    /// Shortest span in bytes.
    pub minimum_span: u32,
    /// Bytes above which a span weighs no more.
    pub span_weight_cap: u32,
    /// Part of the data share that follows influence where a receipt has both kinds of credit; spans
    /// take the rest.
    pub influence_mix: Parts,
}

impl ReceiptRules {
    /// The cosine floor.
    pub const fn floor(&self) -> CosineFloor {
        CosineFloor {
            numerator: self.floor_numerator,
            denominator: self.floor_denominator,
        }
    }
}

/// Rules of channels, settlements and challenges.
#[derive(
    Clone,
    Copy,
    Debug,
    PartialEq,
    Eq,
    Encode,
    Decode,
    DecodeWithMemTracking,
    MaxEncodedLen,
    TypeInfo,
    Serialize,
    Deserialize,
)]
pub struct SettlementRules {
    /// Blocks in which a settlement can be challenged.
    pub settlement_window: BlockNumber,
    /// Blocks between the payer's request to close a channel and its close.
    pub dispute_period: BlockNumber,
    /// Bond of a challenge, in base units, lost when it proves nothing.
    pub challenge_bond: Balance,
    /// Bond of a demand, in base units, earned by whoever answers.
    pub demand_bond: Balance,
    /// Blocks to answer a demand.
    pub demand_window: BlockNumber,
    /// What a proven lie costs the operator, in base units.
    pub lie_slash: Balance,
    /// The challenger's part of any slash; at most half, so nobody profits from slashing himself.
    pub challenger_reward: Parts,
}

/// Every governed number.
#[derive(
    Clone,
    Copy,
    Debug,
    PartialEq,
    Eq,
    Encode,
    Decode,
    DecodeWithMemTracking,
    MaxEncodedLen,
    TypeInfo,
    Serialize,
    Deserialize,
)]
pub struct Ruleset {
    /// Datanets and contributions.
    pub data: DataRules,
    /// Operators and jobs.
    pub compute: ComputeRules,
    /// Receipts.
    pub receipt: ReceiptRules,
    /// Channels, settlements, challenges.
    pub settlement: SettlementRules,
    /// Split of settled money.
    pub split: SplitRule,
}

/// Which number of a ruleset is out of bounds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RulesetError {
    /// A window or deadline is zero or over [`MAX_WINDOW`].
    Window,
    /// An amount is over [`MAX_AMOUNT`], or a bond that deters is zero.
    Amount,
    /// A share is over one billion, the split does not sum to it, or the challenger's reward is over
    /// half.
    Share,
    /// `top_k` is zero or over the format's bound.
    TopK,
    /// The cosine floor has a zero denominator or is over one.
    Floor,
    /// The shortest span is under 8 bytes or over the format's longest span, or the weight cap is
    /// below it.
    Span,
}

impl Ruleset {
    /// Checks every number, so that no vote can make stored state undecodable, a window zero or a
    /// deterrent free.
    pub fn validate(&self) -> Result<(), RulesetError> {
        let windows = [
            self.data.contribution_window,
            self.compute.take_deadline,
            self.compute.submit_deadline,
            self.compute.job_window,
            self.settlement.settlement_window,
            self.settlement.dispute_period,
            self.settlement.demand_window,
        ];
        if windows.iter().any(|window| !(1..=MAX_WINDOW).contains(window))
            // A demand must be answerable before the object it is about is final.
            || self.settlement.demand_window > self.settlement.settlement_window
        {
            return Err(RulesetError::Window);
        }
        let amounts = [
            self.data.contribution_stake,
            self.data.curator_stake,
            self.compute.operator_bond,
            self.compute.job_stake,
            self.settlement.challenge_bond,
            self.settlement.demand_bond,
            self.settlement.lie_slash,
        ];
        if amounts
            .iter()
            .any(|amount| !(1..=MAX_AMOUNT).contains(amount))
            || self.data.record_stake > MAX_AMOUNT
            || self.compute.job_stake > self.compute.operator_bond
            || self.settlement.lie_slash > self.compute.operator_bond
        {
            return Err(RulesetError::Amount);
        }
        let shares = [self.data.duplicate_threshold, self.receipt.influence_mix];
        if shares.iter().any(|share| *share > BILLION)
            || self.settlement.challenger_reward > BILLION / 2
            || !self.split.is_valid()
        {
            return Err(RulesetError::Share);
        }
        if !(1..=MAX_CREDITS).contains(&self.receipt.top_k) {
            return Err(RulesetError::TopK);
        }
        if self.receipt.floor_denominator == 0
            || self.receipt.floor_numerator > self.receipt.floor_denominator
        {
            return Err(RulesetError::Floor);
        }
        if !(8..=MAX_SPAN_LENGTH).contains(&self.receipt.minimum_span)
            || self.receipt.span_weight_cap < self.receipt.minimum_span
        {
            return Err(RulesetError::Span);
        }
        Ok(())
    }
}

/// Where pallets look rulesets up.
pub trait Rulesets {
    /// The ruleset with this number.
    fn get(id: RulesetId) -> Option<Ruleset>;
    /// The newest one, under which new objects are created.
    fn current() -> (RulesetId, Ruleset);
}
