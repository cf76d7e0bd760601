//! Challenges that the chain decides alone, and what they cost whom.

use crate::{
    Config, ContributionDetails, Contributions, Error, Event, Fault, HoldReason, Pallet,
    RecordTombstones, RejectionReason, TombstoneCause,
};
use attribution_proof::{
    contribution::MediaType,
    record::{find_defect, MalformedEvidence, RecordOpening},
    ruleset::Ruleset,
    AccountId, ContributionId,
};
use frame_support::ensure;
use sp_runtime::DispatchResult;

/// Whether two openings show the same record, in its full length, in both contributions.
fn prove_duplicate(
    later: &ContributionDetails,
    later_opening: &RecordOpening,
    earlier: &ContributionDetails,
    earlier_opening: &RecordOpening,
    minimum_bytes: u32,
) -> Result<(), RejectionReason> {
    later_opening
        .verify(&later.contributor, &later.leaves)
        .map_err(|_| RejectionReason::RecordOpening)?;
    earlier_opening
        .verify(&earlier.contributor, &earlier.leaves)
        .map_err(|_| RejectionReason::EarlierRecordOpening)?;
    if later_opening.commit() != earlier_opening.commit() {
        return Err(RejectionReason::DifferentRecords);
    }
    // The lengths can differ only if one of them is false, which is another challenge.
    if later_opening.len.min(earlier_opening.len) < minimum_bytes {
        return Err(RejectionReason::TooShort);
    }
    Ok(())
}

/// The defect that the evidence shows.
fn prove_malformed(
    contribution: &ContributionDetails,
    opening: &RecordOpening,
    evidence: &MalformedEvidence,
) -> Result<Fault, RejectionReason> {
    opening
        .verify(&contribution.contributor, &contribution.leaves)
        .map_err(|_| RejectionReason::RecordOpening)?;
    find_defect(opening, evidence, contribution.media == MediaType::Text)
        .map_err(|_| RejectionReason::ChunkOpening)?
        .map(|defect| Fault::Malformed { defect })
        .ok_or(RejectionReason::NoDefect)
}

impl<T: Config> Pallet<T> {
    pub(crate) fn do_challenge_duplicate(
        challenger: AccountId,
        later: ContributionId,
        later_opening: &RecordOpening,
        earlier: ContributionId,
        earlier_opening: &RecordOpening,
    ) -> DispatchResult {
        ensure!(earlier < later, Error::<T>::NotEarlier);
        let copy = Self::liable(later)?;
        let original = Self::stored(earlier)?;
        ensure!(
            original.contributor != copy.contributor,
            Error::<T>::SameContributor
        );
        ensure!(
            original.acceptance().is_some(),
            Error::<T>::EarlierNotAccepted
        );
        // Whoever improves his contribution does not give up having been first.
        ensure!(
            original
                .tombstone
                .is_none_or(|tombstone| tombstone.cause == TombstoneCause::Superseded),
            Error::<T>::EarlierEnded
        );
        ensure!(
            !RecordTombstones::<T>::contains_key(earlier, earlier_opening.index),
            Error::<T>::EarlierRecordFallen
        );
        let rules = Self::ruleset(copy.ruleset)?;
        let verdict = prove_duplicate(
            &copy,
            later_opening,
            &original,
            earlier_opening,
            rules.data.minimum_record_bytes,
        )
        .map(|()| Fault::Duplicate {
            earlier,
            record: earlier_opening.index,
        });
        Self::conclude(
            challenger,
            later,
            copy,
            later_opening.index,
            &rules,
            verdict,
        )
    }

    pub(crate) fn do_challenge_malformed(
        challenger: AccountId,
        id: ContributionId,
        opening: &RecordOpening,
        evidence: &MalformedEvidence,
    ) -> DispatchResult {
        let contribution = Self::liable(id)?;
        let rules = Self::ruleset(contribution.ruleset)?;
        let verdict = prove_malformed(&contribution, opening, evidence);
        Self::conclude(challenger, id, contribution, opening.index, &rules, verdict)
    }

    /// Lets the record fall, or makes the challenger pay.
    fn conclude(
        challenger: AccountId,
        id: ContributionId,
        mut contribution: ContributionDetails,
        record: u32,
        rules: &Ruleset,
        verdict: Result<Fault, RejectionReason>,
    ) -> DispatchResult {
        ensure!(
            !RecordTombstones::<T>::contains_key(id, record),
            Error::<T>::RecordFallen
        );
        Self::ensure_bond(&challenger, rules)?;
        match verdict {
            Ok(fault) => {
                Self::fell(id, &mut contribution, record, fault, challenger, rules)?;
                Contributions::<T>::insert(id, contribution);
            }
            Err(reason) => {
                Self::forfeit_bond(&challenger, rules)?;
                Self::deposit_event(Event::ChallengeRejected {
                    contribution: id,
                    record,
                    challenger,
                    bond: rules.settlement.challenge_bond,
                    reason,
                });
            }
        }
        Ok(())
    }

    /// Takes a record's credit and its part of the stake; and all the rest, with the contribution, when
    /// more than the governed share of its records has fallen. The caller stores `contribution`.
    pub(crate) fn fell(
        id: ContributionId,
        contribution: &mut ContributionDetails,
        record: u32,
        fault: Fault,
        challenger: AccountId,
        rules: &Ruleset,
    ) -> DispatchResult {
        RecordTombstones::<T>::insert(id, record, Self::now());
        contribution.fallen_records = contribution.fallen_records.saturating_add(1);
        let falls = contribution.is_over(rules.data.duplicate_threshold);
        let slashed = if falls {
            contribution.held
        } else {
            contribution.stake_per_record().min(contribution.held)
        };
        let reward = Self::slash(
            HoldReason::ContributionStake,
            &contribution.contributor,
            slashed,
            Some((&challenger, rules.settlement.challenger_reward)),
        )?;
        contribution.held = contribution.held.saturating_sub(slashed);
        Self::deposit_event(Event::RecordFell {
            contribution: id,
            datanet: contribution.datanet,
            record,
            fault,
            challenger,
            slashed,
            reward,
        });
        if falls {
            match &mut contribution.tombstone {
                // It had ended already and keeps that block; only why it ended is worse than it said.
                Some(tombstone) => {
                    tombstone.cause = fault.cause();
                    Self::deposit_event(Event::ContributionTombstoned {
                        contribution: id,
                        datanet: contribution.datanet,
                        cause: fault.cause(),
                    });
                }
                None => Self::end(id, contribution, fault.cause()),
            }
        }
        Ok(())
    }
}
