//! Demands: withholding is never a way to win.

use crate::{
    pallet::{
        Config, DemandCount, Demands, Error, Event, FullSince, HoldReason, Pallet, Settlements,
        MAX_OPEN_DEMANDS,
    },
    types::{
        Answer, Demand, DemandId, DemandRequest, Demanded, Models, Operators, Settlement,
        SettlementState,
    },
};
use attribution_proof::{
    challenge::Lie, model::Training, receipt::SignedReceipt, AccountId, ModelId, SettlementId,
};
use frame_support::{
    dispatch::DispatchResult,
    ensure,
    traits::{
        fungible::MutateHold,
        tokens::{Fortitude, Precision, Restriction},
    },
};

impl<T: Config> Pallet<T> {
    pub(crate) fn do_demand(
        demander: AccountId,
        id: SettlementId,
        request: &DemandRequest,
    ) -> DispatchResult {
        let (mut settlement, ruleset) = Self::load(id)?;
        ensure!(
            settlement.state == SettlementState::Pending,
            Error::<T>::SettlementFinal
        );
        let now = Self::now();
        // First: while all places are taken, time stands still.
        ensure!(
            settlement.open_demands < MAX_OPEN_DEMANDS,
            Error::<T>::TooManyDemands
        );
        ensure!(now <= settlement.demands_until, Error::<T>::DemandsClosed);
        let object = Self::committed_object(&settlement, request)?;
        ensure!(
            Demands::<T>::iter_prefix_values(id).all(|open| open.object != object),
            Error::<T>::AlreadyDemanded
        );

        let bond = ruleset.settlement.demand_bond;
        T::Currency::hold(&HoldReason::DemandBond.into(), &demander, bond)
            .map_err(|_| Error::<T>::CannotAffordDemand)?;
        let demand = DemandCount::<T>::get().saturating_add(1);
        DemandCount::<T>::put(demand);
        let deadline = now.saturating_add(ruleset.settlement.demand_window);
        Demands::<T>::insert(
            id,
            demand,
            Demand {
                demander: demander.clone(),
                object,
                bond,
                deadline,
            },
        );
        settlement.open_demands = settlement.open_demands.saturating_add(1);
        if settlement.open_demands >= MAX_OPEN_DEMANDS {
            FullSince::<T>::insert(id, now);
        }
        Settlements::<T>::insert(id, settlement);
        Self::deposit_event(Event::Demanded {
            settlement: id,
            demand,
            demander,
            object,
            bond,
            deadline,
        });
        Ok(())
    }

    /// What `request` demands, once it is clear that the operator committed to it.
    fn committed_object(
        settlement: &Settlement,
        request: &DemandRequest,
    ) -> Result<Demanded, Error<T>> {
        match request {
            DemandRequest::Receipt { sequence } => {
                ensure!(settlement.covers(*sequence), Error::<T>::NotSettledHere);
                Ok(Demanded::Receipt {
                    sequence: *sequence,
                })
            }
            DemandRequest::ResponseChunk { receipt, index } => {
                Self::admit(settlement, receipt).map_err(|_| Error::<T>::ForeignReceipt)?;
                let response = receipt.receipt.response;
                ensure!(*index < response.count, Error::<T>::NoSuchObject);
                let receipt = receipt.receipt.commit();
                Ok(Demanded::ResponseChunk {
                    receipt,
                    response,
                    index: *index,
                })
            }
            DemandRequest::Row {
                receipt,
                model,
                row,
            } => {
                let training = Self::demanded_training(settlement, receipt, *model)?;
                let count = training.result.index.commitment.count;
                ensure!(*row < count, Error::<T>::NoSuchObject);
                Ok(Demanded::Row {
                    model: *model,
                    row: *row,
                })
            }
            DemandRequest::Step {
                receipt,
                model,
                step,
            } => {
                let training = Self::demanded_training(settlement, receipt, *model)?;
                let count = training.result.transcript.commitment.count;
                ensure!(*step >= 1 && *step < count, Error::<T>::NoSuchObject);
                Ok(Demanded::Step {
                    model: *model,
                    step: *step,
                })
            }
        }
    }

    fn demanded_training(
        settlement: &Settlement,
        receipt: &SignedReceipt,
        model: ModelId,
    ) -> Result<Training, Error<T>> {
        Self::admit(settlement, receipt).map_err(|_| Error::<T>::ForeignReceipt)?;
        Self::served_training(&receipt.receipt, model).ok_or(Error::<T>::NoSuchObject)
    }

    pub(crate) fn do_answer(
        by: AccountId,
        id: SettlementId,
        demand: DemandId,
        answer: &Answer,
    ) -> DispatchResult {
        let (mut settlement, ruleset) = Self::load(id)?;
        let stored = Demands::<T>::get(id, demand).ok_or(Error::<T>::UnknownDemand)?;
        let now = Self::now();
        ensure!(now <= stored.deadline, Error::<T>::DemandOver);
        ensure!(
            Self::is_answer(&settlement, &stored.object, answer).unwrap_or(false),
            Error::<T>::WrongAnswer
        );

        T::Currency::transfer_on_hold(
            &HoldReason::DemandBond.into(),
            &stored.demander,
            &by,
            stored.bond,
            Precision::Exact,
            Restriction::Free,
            Fortitude::Force,
        )?;
        Demands::<T>::remove(id, demand);
        let window = ruleset.settlement.demand_window;
        let stood_still = FullSince::<T>::take(id).map_or(0, |since| now.saturating_sub(since));
        settlement.demand_answered(now, stood_still, window);
        let window_end = settlement.window_end;
        T::Operators::extend_liability(&settlement.operator, settlement.latest_window_end(window));
        Settlements::<T>::insert(id, settlement);
        Self::deposit_event(Event::Answered {
            settlement: id,
            demand,
            by,
            bond: stored.bond,
            window_end,
        });
        Ok(())
    }

    /// Whether `answer` is `object`; nothing where what it commits to is not known.
    fn is_answer(settlement: &Settlement, object: &Demanded, answer: &Answer) -> Option<bool> {
        let trained = |model| T::Models::manifest(model)?.training;
        Some(match (object, answer) {
            (
                Demanded::Receipt { sequence },
                Answer::Receipt {
                    receipt: signed,
                    query,
                },
            ) => {
                let receipt = &signed.receipt;
                Self::admit(settlement, signed).is_ok()
                    && receipt.sequence == *sequence
                    && receipt.query == query.commit()
                    // The last one is already known by its hash.
                    && (*sequence != settlement.to.sequence
                        || receipt.commit() == settlement.to.receipt)
            }
            (
                Demanded::ResponseChunk {
                    response, index, ..
                },
                Answer::ResponseChunk(opening),
            ) => opening.index == *index && opening.verify(response).is_ok(),
            (Demanded::Row { model, row }, Answer::Row(opening)) => {
                let training = trained(*model)?;
                let rows = &training.result.index.commitment;
                opening.row == *row && opening.verify(training.job, rows).is_ok()
            }
            (Demanded::Step { model, step }, Answer::Step(opening)) => {
                let training = trained(*model)?;
                let steps = &training.result.transcript.commitment;
                opening.step.step == *step && opening.verify(steps).is_ok()
            }
            _ => false,
        })
    }

    pub(crate) fn do_expire_demand(id: SettlementId, demand: DemandId) -> DispatchResult {
        let (settlement, ruleset) = Self::load(id)?;
        let stored = Demands::<T>::get(id, demand).ok_or(Error::<T>::UnknownDemand)?;
        ensure!(Self::now() > stored.deadline, Error::<T>::DemandOpen);
        if let Demanded::Row { model, .. } | Demanded::Step { model, .. } = stored.object {
            T::Models::strike(model);
        }
        Self::void(id, settlement, &ruleset, Lie::Withheld, stored.demander)
    }
}
