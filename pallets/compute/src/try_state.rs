//! Invariants of the compute pallet.

use crate::{
    functions::input_records,
    pallet::{Config, HoldReason, Jobs, NextJob, Operators, Pallet},
    types::JobState,
};
use alloc::collections::BTreeMap;
use attribution_proof::{ruleset::Rulesets, AccountId, Balance};
use frame_support::{ensure, traits::fungible::InspectHold};
use sp_runtime::TryRuntimeError;

impl<T: Config> Pallet<T> {
    /// Checks all invariants. They hold before and after every call.
    pub fn do_try_state() -> Result<(), TryRuntimeError> {
        Self::try_state_operators()?;
        Self::try_state_jobs()?;
        Self::try_state_escrow()
    }

    /// 1. What is held from an operator as its bond is the bond in the books.
    /// 2. An operator's active jobs and their stakes are those of the jobs assigned to it.
    /// 3. Every job is assigned to a registered operator.
    fn try_state_operators() -> Result<(), TryRuntimeError> {
        let mut assigned: BTreeMap<AccountId, (u32, Balance)> = BTreeMap::new();
        for (_, job) in Jobs::<T>::iter() {
            if let Some(assignment) = job.state.assignment() {
                let (jobs, staked) = assigned.entry(assignment.operator.clone()).or_default();
                *jobs = jobs.saturating_add(1);
                *staked = staked.saturating_add(assignment.stake);
            }
        }
        for (who, operator) in Operators::<T>::iter() {
            ensure!(
                T::Currency::balance_on_hold(&HoldReason::OperatorBond.into(), &who)
                    == operator.bond,
                "1: the held bond differs from the books"
            );
            ensure!(
                assigned.remove(&who).unwrap_or_default()
                    == (operator.active_jobs, operator.staked),
                "2: active jobs or stakes differ from the books"
            );
        }
        ensure!(
            assigned.is_empty(),
            "3: a job is assigned to no registered operator"
        );
        Ok(())
    }

    /// 4. Job numbers run from 1 to just under `NextJob`.
    /// 5. A job has inputs, each Datanet once, none of them empty, whose records can be numbered.
    /// 6. The ruleset of a job is known.
    /// 7. The terms of a job's inputs allow derivatives and, for a price, commercial use.
    /// 8. A submitted index has one row per input record and a valid spec.
    fn try_state_jobs() -> Result<(), TryRuntimeError> {
        let next = NextJob::<T>::get();
        for (id, job) in Jobs::<T>::iter() {
            ensure!(
                (1..next).contains(&id),
                "4: a job has a number that was not given"
            );
            let records = input_records(&job.inputs).ok_or("5: too many records")?;
            let mut datanets: alloc::vec::Vec<_> =
                job.inputs.iter().map(|input| input.datanet).collect();
            datanets.sort_unstable();
            datanets.dedup();
            ensure!(
                !datanets.is_empty()
                    && datanets.len() == job.inputs.len()
                    && job
                        .inputs
                        .iter()
                        .all(|input| input.records > 0 && input.length > 0),
                "5: inputs are missing, doubled or empty"
            );
            ensure!(
                T::Rulesets::get(job.ruleset).is_some(),
                "6: a job's ruleset is unknown"
            );
            ensure!(
                job.terms.derivatives && (job.price == 0 || job.terms.commercial),
                "7: a job passed the licence gate against its terms"
            );
            if let JobState::Submitted { result, .. } = &job.state {
                ensure!(
                    result.index.commitment.count == records && result.spec.is_valid(),
                    "8: a submitted index does not fit its job"
                );
            }
        }
        Ok(())
    }

    /// 9. What is held from a builder as fees is the sum of the fees of its jobs that are not over.
    /// 10. What is held from a builder as deposits is the sum of the deposits of all its jobs.
    fn try_state_escrow() -> Result<(), TryRuntimeError> {
        let mut books: BTreeMap<AccountId, (Balance, Balance)> = BTreeMap::new();
        for (_, job) in Jobs::<T>::iter() {
            let over = job.state.is_over();
            let (fees, deposits) = books.entry(job.builder).or_default();
            *fees = fees.saturating_add(if over { 0 } else { job.fee });
            *deposits = deposits.saturating_add(job.deposit);
        }
        for (builder, (fees, deposits)) in books {
            ensure!(
                T::Currency::balance_on_hold(&HoldReason::JobFee.into(), &builder) == fees,
                "9: held fees differ from the books"
            );
            ensure!(
                T::Currency::balance_on_hold(&HoldReason::JobDeposit.into(), &builder) == deposits,
                "10: held deposits differ from the books"
            );
        }
        Ok(())
    }
}
