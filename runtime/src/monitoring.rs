//! What operators watch on a chain beside its blocks: figures of the present state, and what each block
//! added. A node publishes them for Prometheus without knowing what they mean.

use alloc::{string::String, vec::Vec};

use attribution_proof::{Balance, BlockNumber};
use codec::{Decode, Encode};
use pallet_attribution::SettlementState;
use pallet_compute::JobState;
use pallet_referenda::{ReferendumInfo, ReferendumInfoFor};
use scale_info::TypeInfo;
use sp_runtime::SaturatedConversion;

use crate::{constants::currency::TOKEN_DECIMALS, Runtime, RuntimeEvent, System};

/// A figure with its name.
#[derive(Clone, Debug, Decode, Encode, Eq, PartialEq, TypeInfo)]
pub struct Figure {
    /// Name in Prometheus' conventions, without a prefix.
    pub name: String,
    /// What it is, in one sentence.
    pub help: String,
    /// The value times ten to the power of `decimals`.
    pub value: u128,
    /// Decimal places of the value.
    pub decimals: u8,
}

/// A number of things.
fn count(name: &str, help: &str, value: impl TryInto<u128>) -> Figure {
    Figure {
        name: name.into(),
        help: help.into(),
        value: value.saturated_into(),
        decimals: 0,
    }
}

/// An amount in OPEN.
fn amount(name: &str, help: &str, value: Balance) -> Figure {
    Figure {
        name: name.into(),
        help: help.into(),
        value,
        decimals: TOKEN_DECIMALS,
    }
}

/// Figures of the present state. Walks over everything that is open (jobs, channels, settlements,
/// demands, referenda): a node asks for them some times a minute, and not at every block.
pub fn state_figures() -> Vec<Figure> {
    let now = System::block_number();

    let (mut waiting, mut taken) = (0_u64, 0_u64);
    for job in pallet_compute::Jobs::<Runtime>::iter_values() {
        match job.state {
            JobState::Open { .. } => waiting += 1,
            JobState::Taken { .. } | JobState::Transcribed { .. } | JobState::Submitted { .. } => {
                taken += 1;
            }
            JobState::Finalised { .. } | JobState::Refunded { .. } => {}
        }
    }

    let (mut pending, mut unpaid, mut in_pot, mut lag) = (0_u64, 0_u64, 0, 0);
    for settlement in pallet_attribution::Settlements::<Runtime>::iter_values() {
        in_pot += settlement.in_pot();
        match settlement.state {
            SettlementState::Pending => {
                pending += 1;
                // The window stands still while a demand waits.
                if settlement.open_demands == 0 {
                    lag = lag.max(now.saturating_sub(settlement.window_end));
                }
            }
            SettlementState::Final { .. } => unpaid += 1,
        }
    }

    let (mut demands, mut deadline) = (0_u64, BlockNumber::MAX);
    for demand in pallet_attribution::Demands::<Runtime>::iter_values() {
        demands += 1;
        deadline = deadline.min(demand.deadline);
    }
    let left = if demands == 0 {
        0
    } else {
        deadline.saturating_sub(now)
    };

    let (mut channels, mut liabilities) = (0_u64, 0);
    for channel in pallet_channels::Channels::<Runtime>::iter_values() {
        channels += 1;
        liabilities += channel.deposit;
    }

    let (mut operators, mut bonds) = (0_u64, 0);
    for operator in pallet_compute::Operators::<Runtime>::iter_values() {
        operators += 1;
        bonds += operator.bond;
    }

    let referenda = ReferendumInfoFor::<Runtime>::iter_values()
        .filter(|referendum| matches!(referendum, ReferendumInfo::Ongoing(_)))
        .count();
    let slashes: usize = pallet_staking::UnappliedSlashes::<Runtime>::iter_values()
        .map(|slashes| slashes.len())
        .sum();

    alloc::vec![
        count(
            "jobs_waiting",
            "Training jobs that no operator has taken",
            waiting
        ),
        count(
            "jobs_open",
            "Training jobs that are not over",
            waiting + taken
        ),
        count(
            "settlements_pending",
            "Settlements that can still be challenged or wait to be finalised",
            pending
        ),
        count(
            "settlements_unpaid",
            "Final settlements that contributors and builders are not wholly paid from",
            unpaid
        ),
        amount(
            "settlements_in_pot",
            "OPEN that wait in the pot for settlements",
            in_pot
        ),
        count(
            "settlement_lag_blocks",
            "Blocks since the window of the oldest settlement ended that nobody finalised; 0 if none",
            lag
        ),
        count(
            "demands_open",
            "Demands for committed objects that wait for an answer",
            demands
        ),
        count(
            "demand_blocks_left",
            "Blocks until the next open demand expires; 0 if there is none",
            left
        ),
        count("channels_open", "Payment channels", channels),
        amount(
            "channel_liabilities",
            "OPEN that payers have put into open channels and nobody has claimed",
            liabilities
        ),
        count("operators", "Operators with a bond", operators),
        amount("operator_bonds", "OPEN that operators answer with", bonds),
        count("referenda_ongoing", "Referenda that are not over", referenda),
        count(
            "validator_slashes_deferred",
            "Slashes of validators that wait for their execution and can be cancelled",
            slashes
        ),
    ]
}

/// What the block at hand added to figures that only grow.
pub fn block_figures() -> Vec<Figure> {
    let (mut settlements, mut receipts, mut settled) = (0_u64, 0_u64, 0);
    let (mut voided, mut rejected, mut demanded) = (0_u64, 0_u64, 0_u64);
    let (mut slashed, mut offences) = (0, 0_u64);
    let (mut finalised, mut refunded) = (0_u64, 0_u64);
    let mut accepted = 0_u64;

    for record in System::read_events_no_consensus() {
        match record.event {
            RuntimeEvent::Attribution(event) => match event {
                pallet_attribution::Event::Settled {
                    first,
                    last,
                    amount,
                    ..
                } => {
                    settlements += 1;
                    receipts += last.saturating_sub(first).saturating_add(1);
                    settled += amount;
                }
                pallet_attribution::Event::Voided { .. } => voided += 1,
                pallet_attribution::Event::ChallengeRejected { .. } => rejected += 1,
                pallet_attribution::Event::Demanded { .. } => demanded += 1,
                _ => {}
            },
            RuntimeEvent::Compute(event) => match event {
                pallet_compute::Event::OperatorSlashed { amount, .. } => slashed += amount,
                pallet_compute::Event::JobFinalised { .. } => finalised += 1,
                pallet_compute::Event::JobRefunded { .. } => refunded += 1,
                pallet_compute::Event::JobVoided { .. } => voided += 1,
                pallet_compute::Event::ChallengeRejected { .. } => rejected += 1,
                _ => {}
            },
            RuntimeEvent::Datanets(event) => match event {
                pallet_datanets::Event::ContributionAccepted { .. } => accepted += 1,
                pallet_datanets::Event::RecordFell { slashed: part, .. } => slashed += part,
                pallet_datanets::Event::CuratorSlashed { amount, .. } => slashed += amount,
                pallet_datanets::Event::ChallengeRejected { .. } => rejected += 1,
                pallet_datanets::Event::Demanded { .. } => demanded += 1,
                _ => {}
            },
            RuntimeEvent::Staking(pallet_staking::Event::Slashed { amount, .. }) => {
                slashed += amount;
            }
            RuntimeEvent::Offences(pallet_offences::Event::Offence { .. }) => offences += 1,
            _ => {}
        }
    }

    alloc::vec![
        count(
            "contributions_accepted_total",
            "Contributions that were accepted into a Datanet",
            accepted
        ),
        count(
            "jobs_finalised_total",
            "Training jobs that ended with a model",
            finalised
        ),
        count(
            "jobs_refunded_total",
            "Training jobs that ended without a model",
            refunded
        ),
        count("settlements_total", "Settlements of channels", settlements),
        count(
            "receipts_settled_total",
            "Receipts for answers that settlements covered",
            receipts
        ),
        amount(
            "settled_amount_total",
            "OPEN that settlements moved out of channels",
            settled
        ),
        count(
            "lies_proven_total",
            "Settlements and training jobs that a challenge voided",
            voided
        ),
        count(
            "challenges_rejected_total",
            "Challenges that proved nothing and cost their sender a bond",
            rejected
        ),
        count(
            "demands_total",
            "Demands for committed objects",
            demanded
        ),
        count(
            "offences_total",
            "Offences of validators that were reported, such as equivocation",
            offences
        ),
        amount(
            "slashed_total",
            "OPEN that operators, contributors, curators, validators and nominators lost by slashes",
            slashed
        ),
    ]
}
