//! Demands: withholding data is never a way to win.

use crate::{
    types::MAX_CHUNKS, Config, ContributionState, Contributions, DemandDetails, DemandId, DemandOf,
    Demands, Error, Event, Fault, HoldReason, NextDemand, Pallet, RecordTombstones,
};
use attribution_proof::{
    record::{ChunkOpening, RecordOpening},
    AccountId, ContributionId,
};
use frame_support::{
    ensure,
    traits::{
        fungible::MutateHold,
        tokens::{Fortitude, Precision, Restriction},
    },
};
use sp_runtime::DispatchResult;

impl<T: Config> Pallet<T> {
    pub(crate) fn do_demand(
        demander: AccountId,
        id: ContributionId,
        record: u32,
        chunk: u32,
    ) -> DispatchResult {
        let mut contribution = Self::stored(id)?;
        ensure!(contribution.tombstone.is_none(), Error::<T>::AlreadyEnded);
        ensure!(
            !matches!(contribution.state, ContributionState::Rejected { .. }),
            Error::<T>::NotLiable
        );
        ensure!(record < contribution.leaves.count, Error::<T>::NoSuchRecord);
        ensure!(chunk < MAX_CHUNKS, Error::<T>::NoSuchChunk);
        ensure!(
            !RecordTombstones::<T>::contains_key(id, record),
            Error::<T>::RecordFallen
        );
        ensure!(
            !DemandOf::<T>::contains_key((id, record, chunk)),
            Error::<T>::AlreadyDemanded
        );
        let rules = Self::ruleset(contribution.ruleset)?.settlement;
        let bond = rules.demand_bond;
        T::Currency::hold(&HoldReason::DemandBond.into(), &demander, bond)?;
        let demand = NextDemand::<T>::get();
        NextDemand::<T>::put(demand.checked_add(1).ok_or(Error::<T>::NumbersExhausted)?);
        let expires = Self::now().saturating_add(rules.demand_window);
        Demands::<T>::insert(
            demand,
            DemandDetails {
                demander: demander.clone(),
                contribution: id,
                record,
                chunk,
                bond,
                expires,
            },
        );
        DemandOf::<T>::insert((id, record, chunk), demand);
        contribution.open_demands = contribution.open_demands.saturating_add(1);
        Contributions::<T>::insert(id, contribution);
        Self::deposit_event(Event::Demanded {
            demand,
            demander,
            contribution: id,
            record,
            chunk,
            bond,
            expires,
        });
        Ok(())
    }

    pub(crate) fn do_answer_demand(
        answerer: AccountId,
        demand: DemandId,
        record: &RecordOpening,
        chunk: Option<&ChunkOpening>,
    ) -> DispatchResult {
        let details = Demands::<T>::get(demand).ok_or(Error::<T>::UnknownDemand)?;
        ensure!(Self::now() <= details.expires, Error::<T>::DemandOver);
        let mut contribution = Self::stored(details.contribution)?;
        ensure!(
            record.index == details.record
                && record
                    .verify(&contribution.contributor, &contribution.leaves)
                    .is_ok(),
            Error::<T>::WrongRecordShown
        );
        match chunk {
            Some(chunk) => ensure!(
                chunk.index == details.chunk && chunk.verify(&record.content).is_ok(),
                Error::<T>::WrongChunkShown
            ),
            // Whoever demands need not know how long the record is; nobody can show what is not there.
            None => ensure!(
                details.chunk >= record.content.count,
                Error::<T>::ChunkNotShown
            ),
        }
        T::Currency::transfer_on_hold(
            &HoldReason::DemandBond.into(),
            &details.demander,
            &answerer,
            details.bond,
            Precision::Exact,
            Restriction::Free,
            Fortitude::Force,
        )?;
        contribution.open_demands = contribution.open_demands.saturating_sub(1);
        Contributions::<T>::insert(details.contribution, contribution);
        Self::forget_demand(demand, &details);
        Self::deposit_event(Event::DemandAnswered {
            demand,
            contribution: details.contribution,
            record: details.record,
            chunk: details.chunk,
            answerer,
            bond: details.bond,
        });
        Ok(())
    }

    pub(crate) fn do_expire_demand(demand: DemandId) -> DispatchResult {
        let details = Demands::<T>::get(demand).ok_or(Error::<T>::UnknownDemand)?;
        let DemandDetails {
            contribution: id,
            record,
            chunk,
            ..
        } = details;
        if let Some(mut contribution) = Contributions::<T>::get(id) {
            if contribution.is_liable() && !RecordTombstones::<T>::contains_key(id, record) {
                ensure!(Self::now() > details.expires, Error::<T>::DemandOpen);
                let rules = Self::ruleset(contribution.ruleset)?;
                let fault = Fault::Withheld { demand, chunk };
                let demander = details.demander.clone();
                Self::fell(id, &mut contribution, record, fault, demander, &rules)?;
            }
            contribution.open_demands = contribution.open_demands.saturating_sub(1);
            Contributions::<T>::insert(id, contribution);
        }
        T::Currency::release(
            &HoldReason::DemandBond.into(),
            &details.demander,
            details.bond,
            Precision::Exact,
        )?;
        Self::forget_demand(demand, &details);
        Self::deposit_event(Event::DemandExpired {
            demand,
            contribution: id,
            record,
            chunk,
            demander: details.demander,
            bond: details.bond,
        });
        Ok(())
    }

    fn forget_demand(demand: DemandId, details: &DemandDetails) {
        Demands::<T>::remove(demand);
        DemandOf::<T>::remove((details.contribution, details.record, details.chunk));
    }
}
