//! The court: resolves what a challenge refers to, lets `attribution_proof` decide, and makes the
//! loser pay.

use crate::{
    pallet::{Config, Error, Event, FullSince, Pallet},
    types::{Data, Models, Rejection, Settlement, SettlementState},
};
use alloc::{collections::BTreeMap, vec::Vec};
use attribution_proof::{
    challenge::{
        better_span, check_chain, check_rows, check_step, omitted_row, wrong_bytes, wrong_score,
        IndexContext, Lie, LineageModel, Mark, RecordContext,
    },
    contribution::ordinal,
    influence::{Query, RowOpening},
    merkle::Commitment,
    model::Training,
    receipt::{Receipt, ResponseChunkOpening, ResponseWindow, SignedReceipt},
    record::{ChunkOpening, ChunkWindow, RecordOpening},
    ruleset::Ruleset,
    span::Occurrence,
    totals::Totals,
    AccountId, Balance, ContributionId, ModelId, SettlementId,
};
use frame_support::{
    dispatch::DispatchResult,
    ensure,
    traits::{
        fungible::{Inspect, Mutate},
        tokens::{Fortitude, Preservation},
        Get,
    },
};

/// What a challenge proved, or why it proved nothing.
pub(crate) type Verdict = Result<Lie, Rejection>;

fn index_context(model: ModelId, training: &Training) -> IndexContext<'_> {
    IndexContext {
        model,
        job: training.job,
        spec: &training.result.spec,
        rows: &training.result.index.commitment,
    }
}

impl<T: Config> Pallet<T> {
    /// Runs a challenge. `judge` gets the settlement and its ruleset.
    pub(crate) fn challenge(
        challenger: AccountId,
        id: SettlementId,
        judge: impl FnOnce(&Settlement, &Ruleset) -> Verdict,
    ) -> DispatchResult {
        let (settlement, ruleset) = Self::load(id)?;
        ensure!(
            settlement.state == SettlementState::Pending,
            Error::<T>::SettlementFinal
        );
        ensure!(
            Self::now() <= settlement.window_end || FullSince::<T>::contains_key(id),
            Error::<T>::WindowOver
        );
        let bond = ruleset.settlement.challenge_bond;
        let free =
            T::Currency::reducible_balance(&challenger, Preservation::Preserve, Fortitude::Polite);
        ensure!(free >= bond, Error::<T>::CannotAffordChallenge);

        match judge(&settlement, &ruleset) {
            Ok(lie) => Self::void(id, settlement, &ruleset, lie, challenger),
            Err(reason) => {
                // Success for the dispatcher: an error would give the bond back.
                T::Currency::transfer(
                    &challenger,
                    &T::Treasury::get(),
                    bond,
                    Preservation::Preserve,
                )?;
                Self::deposit_event(Event::ChallengeRejected {
                    settlement: id,
                    challenger,
                    bond,
                    reason,
                });
                Ok(())
            }
        }
    }

    /// Whether the settlement's operator signed the receipt with a number that is settled here.
    fn admit_any_ruleset(settlement: &Settlement, signed: &SignedReceipt) -> Result<(), Rejection> {
        let receipt = &signed.receipt;
        if receipt.genesis != Self::genesis() || receipt.channel != settlement.channel {
            return Err(Rejection::OtherChannel);
        }
        if !settlement.covers(receipt.sequence) {
            return Err(Rejection::NotSettledHere);
        }
        if !signed.is_signed_by(&settlement.operator) {
            return Err(Rejection::NotSigned);
        }
        Ok(())
    }

    /// Whether the receipt is one of those that the settlement settles.
    pub(crate) fn admit(settlement: &Settlement, signed: &SignedReceipt) -> Result<(), Rejection> {
        if signed.receipt.ruleset != settlement.ruleset {
            return Err(Rejection::OtherRuleset);
        }
        Self::admit_any_ruleset(settlement, signed)
    }

    /// How `model` was trained, if it is of the lineage that the receipt serves.
    pub(crate) fn served_training(receipt: &Receipt, model: ModelId) -> Option<Training> {
        T::Models::lineage(receipt.model)
            .contains(&model)
            .then_some(())?;
        T::Models::manifest(model)?.training
    }

    /// How the model of a credited datum was trained. A model outside the lineage, one without an
    /// index, or a row past its end is a lie by itself: nobody could open it.
    fn credited_training(receipt: &Receipt, model: ModelId, row: u32) -> Result<Training, Lie> {
        Self::served_training(receipt, model)
            .filter(|training| row < training.result.index.commitment.count)
            .ok_or(Lie::UnknownRow)
    }

    /// Whether the bytes of the record at ordinal `row` of `training`'s inputs, opened in
    /// `contribution`, may be matched: it is public, and it was not tombstoned when the job was taken.
    fn is_matchable(
        training: &Training,
        row: u32,
        contribution: ContributionId,
        record: &RecordOpening,
    ) -> Result<bool, Rejection> {
        let view = T::Data::contribution(contribution).ok_or(Rejection::UnknownContribution)?;
        record.verify(&view.contributor, &view.leaves)?;
        let stands_at = ordinal(
            &training.inputs,
            view.datanet,
            view.index,
            view.records_before,
            record.index,
        );
        if stands_at != Some(row) {
            return Err(Rejection::OtherRecord);
        }
        let present = T::Data::tombstoned_at(contribution, record.index)
            .is_none_or(|block| block > training.taken_at);
        Ok(present && record.salt.is_zero())
    }

    pub(crate) fn judge_score(
        settlement: &Settlement,
        ruleset: &Ruleset,
        signed: &SignedReceipt,
        position: u32,
        query: &Query,
        opening: &RowOpening,
    ) -> Verdict {
        Self::admit(settlement, signed)?;
        let receipt = &signed.receipt;
        let credit = usize::try_from(position)
            .ok()
            .and_then(|position| receipt.credits.get(position))
            .ok_or(Rejection::Mismatch)?;
        let training = match Self::credited_training(receipt, credit.model, credit.row) {
            Ok(training) => training,
            Err(lie) => return Ok(lie),
        };
        let context = index_context(credit.model, &training);
        Ok(wrong_score(
            receipt,
            &ruleset.receipt,
            position,
            query,
            &context,
            opening,
        )?)
    }

    pub(crate) fn judge_omission(
        settlement: &Settlement,
        ruleset: &Ruleset,
        signed: &SignedReceipt,
        model: ModelId,
        query: &Query,
        opening: &RowOpening,
    ) -> Verdict {
        Self::admit(settlement, signed)?;
        let training = Self::served_training(&signed.receipt, model).ok_or(Rejection::NoIndex)?;
        let context = index_context(model, &training);
        Ok(omitted_row(
            &signed.receipt,
            &ruleset.receipt,
            query,
            &context,
            opening,
        )?)
    }

    pub(crate) fn judge_bytes(
        settlement: &Settlement,
        signed: &SignedReceipt,
        position: u32,
        distance: u32,
        contribution: ContributionId,
        record: &RecordOpening,
        response: &ResponseChunkOpening,
        bytes: &ChunkOpening,
    ) -> Verdict {
        Self::admit(settlement, signed)?;
        let receipt = &signed.receipt;
        let span = usize::try_from(position)
            .ok()
            .and_then(|position| receipt.spans.get(position))
            .ok_or(Rejection::Mismatch)?;
        let training = match Self::credited_training(receipt, span.at.model, span.at.row) {
            Ok(training) => training,
            Err(lie) => return Ok(lie),
        };
        let context = RecordContext {
            content: &record.content,
            length: record.len,
            matchable: Self::is_matchable(&training, span.at.row, contribution, record)?,
        };
        Ok(wrong_bytes(
            receipt, position, distance, &context, response, bytes,
        )?)
    }

    pub(crate) fn judge_span(
        settlement: &Settlement,
        ruleset: &Ruleset,
        signed: &SignedReceipt,
        start: u32,
        length: u32,
        at: Occurrence,
        contribution: ContributionId,
        record: &RecordOpening,
        response: &ResponseWindow,
        bytes: &ChunkWindow,
    ) -> Verdict {
        Self::admit(settlement, signed)?;
        let receipt = &signed.receipt;
        let training = Self::served_training(receipt, at.model).ok_or(Rejection::NoIndex)?;
        let context = RecordContext {
            content: &record.content,
            length: record.len,
            matchable: Self::is_matchable(&training, at.row, contribution, record)?,
        };
        let rules = &ruleset.receipt;
        Ok(better_span(
            receipt, rules, start, length, at, &context, response, bytes,
        )?)
    }

    pub(crate) fn judge_step(
        settlement: &Settlement,
        ruleset: &Ruleset,
        previous: Option<&SignedReceipt>,
        signed: &SignedReceipt,
        before: &Totals,
        owners: &[ContributionId],
    ) -> Verdict {
        Self::admit(settlement, signed)?;
        let receipt = &signed.receipt;
        let (mark, committed) = match previous {
            Some(previous) => {
                Self::admit(settlement, previous)?;
                (Mark::after(&previous.receipt), previous.receipt.totals)
            }
            None => (settlement.from, Commitment::default()),
        };
        if mark.sequence.checked_add(1) != Some(receipt.sequence) {
            return Err(Rejection::NotConsecutive);
        }

        // First what the receipt and the chain show alone: for a row that does not exist nobody could
        // name an owner.
        let (inputs, lineage, price_floor) = match Self::served(receipt) {
            Ok(served) => served,
            Err(lie) => return Ok(lie),
        };
        let alone = receipt
            .check_structure(&ruleset.receipt)
            .map_err(Lie::Structure)
            .and_then(|()| check_chain(&mark, receipt))
            .and_then(|()| check_rows(receipt, &lineage));
        if let Err(lie) = alone {
            return Ok(lie);
        }

        if before.commitment() != committed {
            return Err(Rejection::OtherTotals);
        }
        Self::check_owners(receipt, &inputs, owners)?;
        match check_step(
            &mark,
            receipt,
            before,
            owners,
            &lineage,
            ruleset,
            price_floor,
        ) {
            Ok(_) => Err(Rejection::Honest),
            Err(lie) => Ok(lie),
        }
    }

    /// How the served lineage was trained, the size of each index, and the served model's price
    /// floor. A model that is unknown, of another version, or that may not serve for money is a lie.
    fn served(
        receipt: &Receipt,
    ) -> Result<(BTreeMap<ModelId, Training>, Vec<LineageModel>, Balance), Lie> {
        let manifest = T::Models::manifest(receipt.model).ok_or(Lie::WrongModel)?;
        if manifest.version != receipt.version || (receipt.price > 0 && !manifest.terms.commercial)
        {
            return Err(Lie::WrongModel);
        }
        let trainings: BTreeMap<ModelId, Training> = T::Models::lineage(receipt.model)
            .into_iter()
            .filter_map(|model| Some((model, T::Models::manifest(model)?.training?)))
            .collect();
        // A member without training has no rows, so it needs no entry.
        let lineage = trainings
            .iter()
            .map(|(model, training)| LineageModel {
                model: *model,
                rows: training.result.index.commitment.count,
            })
            .collect();
        Ok((trainings, lineage, manifest.price_floor))
    }

    /// Whether each contribution of `owners` holds its datum's row.
    fn check_owners(
        receipt: &Receipt,
        trainings: &BTreeMap<ModelId, Training>,
        owners: &[ContributionId],
    ) -> Result<(), Rejection> {
        if receipt.data().count() != owners.len() {
            return Err(Rejection::Mismatch);
        }
        let mut views = BTreeMap::new();
        for ((model, row), owner) in receipt.data().zip(owners) {
            if !views.contains_key(owner) {
                let view = T::Data::contribution(*owner).ok_or(Rejection::UnknownContribution)?;
                views.insert(*owner, view);
            }
            let holds =
                views
                    .get(owner)
                    .zip(trainings.get(&model))
                    .is_some_and(|(view, training)| {
                        ordinal(
                            &training.inputs,
                            view.datanet,
                            view.index,
                            view.records_before,
                            0,
                        )
                        .and_then(|first| row.checked_sub(first))
                        .is_some_and(|record| record < view.leaves.count)
                    });
            if !holds {
                return Err(Rejection::OtherRecord);
            }
        }
        Ok(())
    }

    pub(crate) fn judge_settlement(settlement: &Settlement, signed: &SignedReceipt) -> Verdict {
        Self::admit_any_ruleset(settlement, signed)?;
        let receipt = &signed.receipt;
        if receipt.sequence == settlement.to.sequence && receipt.commit() != settlement.to.receipt {
            return Ok(Lie::Equivocation);
        }
        if Some(receipt.sequence) == settlement.from.sequence.checked_add(1) {
            if let Err(lie) = check_chain(&settlement.from, receipt) {
                return Ok(lie);
            }
        }
        Err(Rejection::Honest)
    }

    pub(crate) fn judge_equivocation(
        settlement: &Settlement,
        first: &SignedReceipt,
        second: &SignedReceipt,
    ) -> Verdict {
        Self::admit_any_ruleset(settlement, first)?;
        Self::admit_any_ruleset(settlement, second)?;
        if first.receipt.sequence != second.receipt.sequence {
            return Err(Rejection::Mismatch);
        }
        if first.receipt.commit() == second.receipt.commit() {
            return Err(Rejection::Honest);
        }
        Ok(Lie::Equivocation)
    }
}
