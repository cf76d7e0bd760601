//! Training jobs from request to end.

use crate::{
    pallet::{Config, Error, Event, HoldReason, Jobs, NextJob, Pallet},
    traits::{Data, Models},
    types::{Assignment, Job, JobState, RefundCause, TrainedWeights},
};
use attribution_proof::{
    bounds::MAX_INPUTS,
    contribution::first_ordinal,
    hash::Hash,
    influence::IndexSpec,
    licence::Terms,
    model::{Committed, Inputs, ModelKind, Training, TrainingResult},
    ruleset::Rulesets,
    split::Parts,
    AccountId, Balance, BlockNumber, ContentId, DatanetId, JobId, ModelId,
};
use codec::Encode;
use frame_support::{
    ensure,
    storage::with_storage_layer,
    traits::{
        fungible::{Inspect, MutateHold},
        tokens::{Fortitude, Precision, Restriction},
        ConstU32, Get, Randomness,
    },
    BoundedVec,
};
use frame_system::pallet_prelude::BlockNumberFor;
use sp_runtime::{DispatchError, DispatchResult, SaturatedConversion};

/// What a builder asks for.
pub(crate) struct JobRequest {
    pub(crate) builder: AccountId,
    pub(crate) kind: ModelKind,
    pub(crate) datanets: BoundedVec<DatanetId, ConstU32<MAX_INPUTS>>,
    pub(crate) hyper_parameters: ContentId,
    pub(crate) previous: Option<ModelId>,
    pub(crate) royalty: Parts,
    pub(crate) price: Balance,
    pub(crate) price_floor: Balance,
    pub(crate) fee: Balance,
}

/// Records in a job's inputs: one row of the index each.
pub(crate) fn input_records(inputs: &Inputs) -> Option<u32> {
    first_ordinal(inputs, inputs.len())
}

impl<T: Config> Pallet<T> {
    pub(crate) fn do_request_job(request: JobRequest) -> DispatchResult {
        ensure!(
            request.fee >= T::Currency::minimum_balance(),
            Error::<T>::FeeTooLow
        );
        let (inputs, terms) = Self::gate(&request.datanets, request.price)?;
        let (_, parents) = T::Models::quote_training(
            &request.builder,
            request.kind,
            request.previous,
            request.royalty,
            request.price,
            request.price_floor,
        )?;
        let deposit = T::JobDeposit::get();
        T::Currency::hold(&HoldReason::JobFee.into(), &request.builder, request.fee)?;
        T::Currency::hold(&HoldReason::JobDeposit.into(), &request.builder, deposit)?;

        let (ruleset, rules) = T::Rulesets::current();
        let job = NextJob::<T>::get();
        NextJob::<T>::put(job.checked_add(1).ok_or(Error::<T>::OutOfNumbers)?);
        let until = Self::now().saturating_add(rules.compute.take_deadline);
        Self::deposit_event(Event::JobRequested {
            job,
            builder: request.builder.clone(),
            kind: request.kind,
            inputs: inputs.clone(),
            hyper_parameters: request.hyper_parameters,
            fee: request.fee,
            ruleset,
            until,
        });
        Jobs::<T>::insert(
            job,
            Job {
                builder: request.builder,
                kind: request.kind,
                inputs,
                hyper_parameters: request.hyper_parameters,
                previous: request.previous,
                royalty: request.royalty,
                price: request.price,
                price_floor: request.price_floor,
                parents,
                terms,
                fee: request.fee,
                deposit,
                ruleset,
                state: JobState::Open { until },
            },
        );
        Ok(())
    }

    /// The licence gate: fixes the newest versions of the named Datanets and the meet of their terms,
    /// or refuses them.
    fn gate(datanets: &[DatanetId], price: Balance) -> Result<(Inputs, Terms), DispatchError> {
        ensure!(!datanets.is_empty(), Error::<T>::NoInputs);
        let mut inputs = Inputs::new();
        let mut terms = Terms::FREE;
        for datanet in datanets {
            ensure!(
                inputs.iter().all(|input| input.datanet != *datanet),
                Error::<T>::DuplicateInput
            );
            let snapshot = T::Data::latest_snapshot(*datanet).ok_or(Error::<T>::UnknownDatanet)?;
            ensure!(snapshot.records > 0, Error::<T>::EmptyDatanet);
            let of_datanet = T::Data::terms(*datanet).ok_or(Error::<T>::UnknownDatanet)?;
            ensure!(
                of_datanet.derivatives,
                Error::<T>::LicenceForbidsDerivatives
            );
            ensure!(
                price == 0 || of_datanet.commercial,
                Error::<T>::LicenceForbidsCommercialUse
            );
            terms = terms.meet(of_datanet);
            inputs
                .try_push(snapshot)
                .map_err(|_| Error::<T>::TooManyRecords)?;
        }
        ensure!(input_records(&inputs).is_some(), Error::<T>::TooManyRecords);
        Ok((inputs, terms))
    }

    pub(crate) fn do_cancel_job(who: AccountId, id: JobId) -> DispatchResult {
        let job = Self::known(id)?;
        ensure!(job.builder == who, Error::<T>::NotBuilder);
        ensure!(
            matches!(job.state, JobState::Open { .. }),
            Error::<T>::JobNotOpen
        );
        Self::refund(id, job, RefundCause::Cancelled)
    }

    pub(crate) fn do_take_job(who: AccountId, id: JobId) -> DispatchResult {
        let mut job = Self::known(id)?;
        let JobState::Open { until } = job.state else {
            return Err(Error::<T>::JobNotOpen.into());
        };
        let now = Self::now();
        ensure!(now <= until, Error::<T>::DeadlineOver);
        let rules = Self::ruleset(job.ruleset)?;
        let stake = rules.compute.job_stake;
        Self::assign(&who, stake, &rules)?;
        let deadline = now.saturating_add(rules.compute.submit_deadline);
        job.state = JobState::Taken {
            assignment: Assignment {
                operator: who.clone(),
                taken_at: now,
                deadline,
                stake,
            },
            order_seed: None,
        };
        Jobs::<T>::insert(id, job);
        Self::deposit_event(Event::JobTaken {
            job: id,
            operator: who,
            stake,
            deadline,
        });
        Ok(())
    }

    pub(crate) fn do_draw_order_seed(id: JobId) -> DispatchResult {
        let mut job = Self::known(id)?;
        let JobState::Taken {
            assignment,
            order_seed,
        } = &mut job.state
        else {
            return Err(Error::<T>::WrongState.into());
        };
        ensure!(order_seed.is_none(), Error::<T>::SeedAlreadyDrawn);
        ensure!(Self::now() <= assignment.deadline, Error::<T>::DeadlineOver);
        let seed = Self::draw::<T::OrderRandomness>(b"order", id, assignment.taken_at)?;
        *order_seed = Some(seed);
        Jobs::<T>::insert(id, job);
        Self::deposit_event(Event::OrderSeedDrawn { job: id, seed });
        Ok(())
    }

    pub(crate) fn do_submit_transcript(
        who: AccountId,
        id: JobId,
        weights: TrainedWeights,
    ) -> DispatchResult {
        let mut job = Self::known(id)?;
        let JobState::Taken {
            assignment,
            order_seed,
        } = job.state
        else {
            return Err(Error::<T>::WrongState.into());
        };
        let now = Self::now();
        ensure!(assignment.operator == who, Error::<T>::NotAssigned);
        ensure!(now <= assignment.deadline, Error::<T>::DeadlineOver);
        let order_seed = order_seed.ok_or(Error::<T>::SeedNotDrawn)?;
        ensure!(
            weights.transcript.commitment.count >= 2,
            Error::<T>::TranscriptTooShort
        );
        job.state = JobState::Transcribed {
            assignment,
            order_seed,
            at: now,
            weights,
            projection_seed: None,
        };
        Jobs::<T>::insert(id, job);
        Self::deposit_event(Event::TranscriptSubmitted {
            job: id,
            operator: who,
            weights,
        });
        Ok(())
    }

    pub(crate) fn do_draw_projection_seed(id: JobId) -> DispatchResult {
        let mut job = Self::known(id)?;
        let JobState::Transcribed {
            assignment,
            at,
            projection_seed,
            ..
        } = &mut job.state
        else {
            return Err(Error::<T>::WrongState.into());
        };
        ensure!(projection_seed.is_none(), Error::<T>::SeedAlreadyDrawn);
        ensure!(Self::now() <= assignment.deadline, Error::<T>::DeadlineOver);
        let seed = Self::draw::<T::ProjectionRandomness>(b"projection", id, *at)?;
        *projection_seed = Some(seed);
        Jobs::<T>::insert(id, job);
        Self::deposit_event(Event::ProjectionSeedDrawn { job: id, seed });
        Ok(())
    }

    pub(crate) fn do_submit_index(
        who: AccountId,
        id: JobId,
        index: Committed,
        spec: IndexSpec,
    ) -> DispatchResult {
        let mut job = Self::known(id)?;
        let JobState::Transcribed {
            assignment,
            order_seed,
            weights,
            projection_seed,
            ..
        } = job.state
        else {
            return Err(Error::<T>::WrongState.into());
        };
        let now = Self::now();
        ensure!(assignment.operator == who, Error::<T>::NotAssigned);
        ensure!(now <= assignment.deadline, Error::<T>::DeadlineOver);
        let projection_seed = projection_seed.ok_or(Error::<T>::SeedNotDrawn)?;
        ensure!(spec.is_valid(), Error::<T>::InvalidSpec);
        ensure!(
            spec.projection_seed == projection_seed,
            Error::<T>::WrongProjectionSeed
        );
        ensure!(
            input_records(&job.inputs) == Some(index.commitment.count),
            Error::<T>::WrongRowCount
        );
        let rules = Self::ruleset(job.ruleset)?;
        let window_end = now.saturating_add(rules.compute.job_window);
        job.state = JobState::Submitted {
            assignment,
            order_seed,
            result: TrainingResult {
                artifact: weights.artifact,
                architecture: weights.architecture,
                tokenizer: weights.tokenizer,
                transcript: weights.transcript,
                index,
                spec,
                loss_before: weights.loss_before,
                loss_after: weights.loss_after,
            },
            window_end,
        };
        Jobs::<T>::insert(id, job);
        Self::deposit_event(Event::IndexSubmitted {
            job: id,
            index,
            spec,
            window_end,
        });
        Ok(())
    }

    pub(crate) fn do_finalise_job(id: JobId) -> DispatchResult {
        let mut job = Self::known(id)?;
        let JobState::Submitted {
            assignment,
            result,
            window_end,
            ..
        } = &job.state
        else {
            return Err(Error::<T>::WrongState.into());
        };
        ensure!(Self::now() > *window_end, Error::<T>::WindowOpen);
        let operator = assignment.operator.clone();
        let training = Training {
            job: id,
            inputs: job.inputs.clone(),
            taken_at: assignment.taken_at,
            operator: operator.clone(),
            result: *result,
        };
        Self::unassign(&operator, assignment.stake);
        let registered = with_storage_layer(|| {
            T::Models::register_trained(
                &job.builder,
                job.kind,
                job.previous,
                job.royalty,
                job.price,
                job.price_floor,
                job.parents.clone(),
                job.terms,
                job.ruleset,
                training,
            )
        });
        let model = match registered {
            Ok(model) => model,
            Err(error) => return Self::refund(id, job, RefundCause::NotRegistered(error)),
        };
        T::Currency::transfer_on_hold(
            &HoldReason::JobFee.into(),
            &job.builder,
            &operator,
            job.fee,
            Precision::Exact,
            Restriction::Free,
            Fortitude::Force,
        )?;
        let fee = job.fee;
        job.state = JobState::Finalised { model };
        Jobs::<T>::insert(id, job);
        Self::deposit_event(Event::JobFinalised {
            job: id,
            model,
            operator,
            fee,
        });
        Ok(())
    }

    pub(crate) fn do_expire_job(id: JobId) -> DispatchResult {
        let job = Self::known(id)?;
        match &job.state {
            JobState::Open { until } => {
                ensure!(Self::now() > *until, Error::<T>::DeadlineNotOver);
                Self::refund(id, job, RefundCause::NotTaken)
            }
            JobState::Taken { assignment, .. } | JobState::Transcribed { assignment, .. } => {
                ensure!(
                    Self::now() > assignment.deadline,
                    Error::<T>::DeadlineNotOver
                );
                Self::unassign(&assignment.operator, assignment.stake);
                Self::slash_operator(&assignment.operator, assignment.stake, None, 0);
                Self::refund(id, job, RefundCause::NotSubmitted)
            }
            JobState::Submitted { .. } | JobState::Finalised { .. } | JobState::Refunded { .. } => {
                Err(Error::<T>::WrongState.into())
            }
        }
    }

    pub(crate) fn do_forget_job(who: AccountId, id: JobId) -> DispatchResult {
        let job = Self::known(id)?;
        ensure!(job.builder == who, Error::<T>::NotBuilder);
        ensure!(
            matches!(job.state, JobState::Refunded { .. }),
            Error::<T>::JobNotEnded
        );
        T::Currency::release(
            &HoldReason::JobDeposit.into(),
            &who,
            job.deposit,
            Precision::Exact,
        )?;
        Jobs::<T>::remove(id);
        Self::deposit_event(Event::JobForgotten {
            job: id,
            builder: who,
            deposit: job.deposit,
        });
        Ok(())
    }

    pub(crate) fn known(id: JobId) -> Result<Job, DispatchError> {
        Ok(Jobs::<T>::get(id).ok_or(Error::<T>::UnknownJob)?)
    }

    /// Ends a job without a model: the fee goes back to the builder.
    pub(crate) fn refund(id: JobId, mut job: Job, cause: RefundCause) -> DispatchResult {
        T::Currency::release(
            &HoldReason::JobFee.into(),
            &job.builder,
            job.fee,
            Precision::Exact,
        )?;
        let (builder, fee) = (job.builder.clone(), job.fee);
        job.state = JobState::Refunded { cause };
        Jobs::<T>::insert(id, job);
        Self::deposit_event(Event::JobRefunded {
            job: id,
            builder,
            fee,
            cause,
        });
        Ok(())
    }

    /// A seed of its own for each job and purpose, not knowable in block `committed_at`.
    fn draw<R: Randomness<Hash, BlockNumberFor<T>>>(
        purpose: &[u8],
        job: JobId,
        committed_at: BlockNumber,
    ) -> Result<Hash, DispatchError> {
        let (seed, known_since) = R::random(&[purpose, &job.encode()].concat());
        let known_since: BlockNumber = known_since.saturated_into();
        ensure!(known_since > committed_at, Error::<T>::RandomnessTooEarly);
        Ok(seed)
    }
}
