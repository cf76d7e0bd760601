//! The life of a contribution: submitted, accepted, ended, its stake released.

use crate::{
    types::{Acceptance, Tombstone},
    Accepted, Config, ContributionDetails, ContributionState, Contributions, DatanetKind, Datanets,
    Error, Event, HoldReason, NextContribution, Pallet, TombstoneCause, Votes,
};
use attribution_proof::{
    contribution::snapshot_link, ruleset::DataRules, AccountId, Balance, BlockNumber,
    ContributionId,
};
use frame_support::{
    ensure,
    traits::{fungible::MutateHold, tokens::Precision},
};
use sp_runtime::{DispatchError, DispatchResult};

impl<T: Config> Pallet<T> {
    pub(crate) fn do_contribute(
        contribution: ContributionDetails,
        rules: &DataRules,
    ) -> DispatchResult {
        let ContributionDetails {
            contributor,
            datanet,
            leaves,
            stake,
            ..
        } = &contribution;
        ensure!(leaves.count > 0, Error::<T>::NoRecords);
        ensure!(
            contribution.bytes >= u64::from(leaves.count),
            Error::<T>::TooFewBytes
        );
        ensure!(
            contribution.licence.is_well_formed(),
            Error::<T>::MalformedLicence
        );
        let least_stake = rules
            .record_stake
            .saturating_mul(Balance::from(leaves.count))
            .saturating_add(rules.contribution_stake);
        ensure!(*stake >= least_stake, Error::<T>::StakeTooLow);
        let details = Datanets::<T>::get(datanet).ok_or(Error::<T>::UnknownDatanet)?;
        ensure!(
            details.records.checked_add(leaves.count).is_some(),
            Error::<T>::TooManyRecords
        );
        if let Some(superseded) = contribution.supersedes {
            let old = Contributions::<T>::get(superseded).ok_or(Error::<T>::UnknownSuperseded)?;
            ensure!(
                old.contributor == *contributor,
                Error::<T>::SupersedesAnothers
            );
            ensure!(old.datanet == *datanet, Error::<T>::SupersedesElsewhere);
            ensure!(old.tombstone.is_none(), Error::<T>::SupersedesEnded);
            ensure!(old.acceptance().is_some(), Error::<T>::SupersedesUnaccepted);
        }
        T::Currency::hold(&HoldReason::ContributionStake.into(), contributor, *stake)?;
        let id = NextContribution::<T>::get();
        NextContribution::<T>::put(id.checked_add(1).ok_or(Error::<T>::NumbersExhausted)?);
        Self::deposit_event(Event::Contributed {
            contribution: id,
            datanet: *datanet,
            contributor: contributor.clone(),
            leaves: *leaves,
            bytes: contribution.bytes,
            media: contribution.media,
            content: contribution.content,
            licence: contribution.licence.clone(),
            supersedes: contribution.supersedes,
            stake: *stake,
            ruleset: contribution.ruleset,
        });
        Contributions::<T>::insert(id, contribution);
        Ok(())
    }

    /// A live pending contribution and the last block of its window.
    pub(crate) fn pending(
        id: ContributionId,
    ) -> Result<(ContributionDetails, BlockNumber), Error<T>> {
        let contribution = Self::stored(id)?;
        ensure!(contribution.tombstone.is_none(), Error::AlreadyEnded);
        ensure!(
            contribution.state == ContributionState::Pending,
            Error::AlreadyDecided
        );
        let rules = Self::ruleset(contribution.ruleset)?.data;
        let last = contribution
            .submitted_at
            .saturating_add(rules.contribution_window);
        Ok((contribution, last))
    }

    pub(crate) fn do_accept(id: ContributionId) -> DispatchResult {
        let (mut contribution, last) = Self::pending(id)?;
        let datanet = Datanets::<T>::get(contribution.datanet).ok_or(Error::<T>::UnknownDatanet)?;
        ensure!(datanet.kind == DatanetKind::Open, Error::<T>::Curated);
        ensure!(Self::now() > last, Error::<T>::WindowOpen);
        Self::append(id, &mut contribution)?;
        Contributions::<T>::insert(id, contribution);
        Ok(())
    }

    /// Appends a contribution to its Datanet's snapshot chain and ends the one that it supersedes. The
    /// caller stores `contribution`.
    pub(crate) fn append(
        id: ContributionId,
        contribution: &mut ContributionDetails,
    ) -> DispatchResult {
        let acceptance = Datanets::<T>::try_mutate(
            contribution.datanet,
            |details| -> Result<Acceptance, DispatchError> {
                let datanet = details.as_mut().ok_or(Error::<T>::UnknownDatanet)?;
                let object = contribution.object(id, datanet.length, datanet.records);
                let acceptance = Acceptance {
                    index: datanet.length,
                    records_before: datanet.records,
                    snapshot: snapshot_link(&datanet.head, &object),
                    at: Self::now(),
                };
                datanet.length = datanet
                    .length
                    .checked_add(1)
                    .ok_or(Error::<T>::NumbersExhausted)?;
                datanet.records = datanet
                    .records
                    .checked_add(contribution.leaves.count)
                    .ok_or(Error::<T>::TooManyRecords)?;
                datanet.head = acceptance.snapshot;
                datanet.term_counts.add(&contribution.licence.terms);
                Ok(acceptance)
            },
        )?;
        contribution.state = ContributionState::Accepted(acceptance);
        Accepted::<T>::insert(contribution.datanet, acceptance.index, id);
        Self::deposit_event(Event::ContributionAccepted {
            contribution: id,
            datanet: contribution.datanet,
            index: acceptance.index,
            records_before: acceptance.records_before,
            snapshot: acceptance.snapshot,
        });
        if let Some(superseded) = contribution.supersedes {
            let mut old = Self::stored(superseded)?;
            // It may have ended in the meantime; then that end stands.
            if old.tombstone.is_none() {
                Self::end(superseded, &mut old, TombstoneCause::Superseded);
                Contributions::<T>::insert(superseded, old);
            }
        }
        Ok(())
    }

    pub(crate) fn do_lapse(id: ContributionId) -> DispatchResult {
        let (contribution, last) = Self::pending(id)?;
        let datanet = Datanets::<T>::get(contribution.datanet).ok_or(Error::<T>::UnknownDatanet)?;
        ensure!(datanet.kind != DatanetKind::Open, Error::<T>::NotCurated);
        ensure!(Self::now() > last, Error::<T>::WindowOpen);
        Self::close(id, contribution, TombstoneCause::Lapsed)
    }

    pub(crate) fn do_withdraw(who: AccountId, id: ContributionId) -> DispatchResult {
        let mut contribution = Self::stored(id)?;
        ensure!(contribution.contributor == who, Error::<T>::NotContributor);
        ensure!(contribution.tombstone.is_none(), Error::<T>::AlreadyEnded);
        if contribution.acceptance().is_none() {
            return Self::close(id, contribution, TombstoneCause::Withdrawn);
        }
        Self::end(id, &mut contribution, TombstoneCause::Withdrawn);
        Contributions::<T>::insert(id, contribution);
        Ok(())
    }

    pub(crate) fn do_release_stake(id: ContributionId) -> DispatchResult {
        let mut contribution = Self::stored(id)?;
        ensure!(contribution.held > 0, Error::<T>::NothingHeld);
        let since = match (contribution.tombstone, contribution.state) {
            (Some(tombstone), _) => tombstone.at,
            (None, ContributionState::Rejected { at }) => at,
            (None, _) => return Err(Error::<T>::StillLive.into()),
        };
        let window = Self::ruleset(contribution.ruleset)?
            .data
            .contribution_window;
        ensure!(
            Self::now() > since.saturating_add(window),
            Error::<T>::ReleaseTooEarly
        );
        ensure!(contribution.open_demands == 0, Error::<T>::OpenDemands);
        if contribution.acceptance().is_none() {
            return Self::close(id, contribution, TombstoneCause::Lapsed);
        }
        Self::release_held(id, &mut contribution)?;
        Contributions::<T>::insert(id, contribution);
        Ok(())
    }

    /// Gives a contribution its tombstone. The caller stores it.
    pub(crate) fn end(
        id: ContributionId,
        contribution: &mut ContributionDetails,
        cause: TombstoneCause,
    ) {
        contribution.tombstone = Some(Tombstone {
            at: Self::now(),
            cause,
        });
        match contribution.state {
            ContributionState::Accepted(_) => {
                Datanets::<T>::mutate_extant(contribution.datanet, |datanet| {
                    datanet.term_counts.remove(&contribution.licence.terms);
                });
            }
            ContributionState::Pending => Self::settle_votes(id, contribution, None),
            ContributionState::Rejected { .. } => {}
        }
        // What has ended cannot be overruled any more.
        Votes::<T>::remove(id);
        Self::deposit_event(Event::ContributionTombstoned {
            contribution: id,
            datanet: contribution.datanet,
            cause,
        });
    }

    /// Ends a contribution that was never accepted, releases its stake and forgets it, unless records
    /// of it fell.
    fn close(
        id: ContributionId,
        mut contribution: ContributionDetails,
        cause: TombstoneCause,
    ) -> DispatchResult {
        Self::end(id, &mut contribution, cause);
        Self::release_held(id, &mut contribution)?;
        if contribution.fallen_records == 0 {
            Contributions::<T>::remove(id);
        } else {
            Contributions::<T>::insert(id, contribution);
        }
        Ok(())
    }

    fn release_held(id: ContributionId, contribution: &mut ContributionDetails) -> DispatchResult {
        let amount = core::mem::take(&mut contribution.held);
        T::Currency::release(
            &HoldReason::ContributionStake.into(),
            &contribution.contributor,
            amount,
            Precision::Exact,
        )?;
        Self::deposit_event(Event::StakeReleased {
            contribution: id,
            contributor: contribution.contributor.clone(),
            amount,
        });
        Ok(())
    }
}
