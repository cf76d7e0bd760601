//! Challenges of the rows of a submitted influence index.

use crate::{
    pallet::{Config, Error, Event, Pallet},
    traits::Data,
    types::{ContributionView, Job, JobState, RefundCause, Rejection, RowEvidence, RowFault},
};
use attribution_proof::{
    contribution::ordinal,
    influence::{Row, RowOpening},
    AccountId, BlockNumber, ContributionId, JobId,
};
use frame_support::{
    ensure,
    traits::{
        fungible::{Inspect, Mutate},
        tokens::{Fortitude, Preservation},
        Get,
    },
};
use sp_runtime::DispatchResult;

impl<T: Config> Pallet<T> {
    pub(crate) fn do_challenge_row(
        who: AccountId,
        id: JobId,
        row: &RowOpening,
        evidence: &RowEvidence,
    ) -> DispatchResult {
        let job = Self::known(id)?;
        let JobState::Submitted {
            assignment,
            window_end,
            ..
        } = &job.state
        else {
            return Err(Error::<T>::WrongState.into());
        };
        ensure!(Self::now() <= *window_end, Error::<T>::WindowOver);
        let rules = Self::ruleset(job.ruleset)?.settlement;
        // Judging costs work, so whoever asks for it must be able to pay for being wrong.
        ensure!(
            T::Currency::reducible_balance(&who, Preservation::Preserve, Fortitude::Polite)
                >= rules.challenge_bond,
            Error::<T>::ChallengeBondTooHigh
        );
        match Self::judge(id, &job, row, evidence) {
            Ok(fault) => {
                let (operator, stake) = (assignment.operator.clone(), assignment.stake);
                Self::deposit_event(Event::JobVoided {
                    job: id,
                    operator: operator.clone(),
                    challenger: who.clone(),
                    row: row.row,
                    fault,
                });
                Self::unassign(&operator, stake);
                Self::slash_operator(&operator, stake, Some(&who), rules.challenger_reward);
                Self::refund(id, job, RefundCause::ProvenWrong(fault))
            }
            Err(reason) => {
                T::Currency::transfer(
                    &who,
                    &T::Treasury::get(),
                    rules.challenge_bond,
                    Preservation::Preserve,
                )?;
                Self::deposit_event(Event::ChallengeRejected {
                    job: id,
                    challenger: who,
                    bond: rules.challenge_bond,
                    reason,
                });
                Ok(())
            }
        }
    }

    /// What the evidence proves about a row of a submitted job, or why it proves nothing.
    fn judge(
        id: JobId,
        job: &Job,
        row: &RowOpening,
        evidence: &RowEvidence,
    ) -> Result<RowFault, Rejection> {
        let JobState::Submitted {
            assignment, result, ..
        } = &job.state
        else {
            return Err(Rejection::RowOpening);
        };
        row.verify(id, &result.index.commitment)
            .map_err(|_| Rejection::RowOpening)?;
        match evidence {
            RowEvidence::Defect => row
                .defect(&result.spec)
                .map(RowFault::Defect)
                .ok_or(Rejection::Honest),
            RowEvidence::Record {
                contribution,
                record,
            } => {
                let owner = Self::owner(job, row, *contribution, record.index)?;
                record
                    .verify(&owner.contributor, &owner.leaves)
                    .map_err(|_| Rejection::RecordOpening)?;
                if record.leaf(&owner.contributor) == row.record {
                    Err(Rejection::Honest)
                } else {
                    Ok(RowFault::WrongRecord)
                }
            }
            RowEvidence::Presence {
                contribution,
                record,
            } => {
                Self::owner(job, row, *contribution, *record)?;
                let gone = Self::was_tombstoned(*contribution, *record, assignment.taken_at);
                match (gone, row.value == Row::Absent) {
                    (true, false) => Ok(RowFault::WronglyPresent),
                    (false, true) => Ok(RowFault::WronglyAbsent),
                    _ => Err(Rejection::Honest),
                }
            }
        }
    }

    /// The contribution whose record `record` has the ordinal of `row`.
    fn owner(
        job: &Job,
        row: &RowOpening,
        contribution: ContributionId,
        record: u32,
    ) -> Result<ContributionView, Rejection> {
        let view = T::Data::contribution(contribution).ok_or(Rejection::UnknownContribution)?;
        let at = ordinal(
            &job.inputs,
            view.datanet,
            view.index,
            view.records_before,
            record,
        );
        if record < view.leaves.count && at == Some(row.row) {
            Ok(view)
        } else {
            Err(Rejection::OtherOrdinal)
        }
    }

    /// Whether a record was not part of a job that was taken in block `taken_at`. A tombstone of that
    /// very block counts: which came first inside a block is not recorded.
    fn was_tombstoned(contribution: ContributionId, record: u32, taken_at: BlockNumber) -> bool {
        T::Data::tombstoned_at(contribution, record).is_some_and(|at| at <= taken_at)
    }
}
