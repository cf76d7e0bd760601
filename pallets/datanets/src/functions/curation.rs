//! Curators: their stakes, their votes, and appeals against them.

use crate::{
    types::{tally, Vote},
    Config, ContributionDetails, ContributionState, Contributions, CuratorDetails, CuratorsOf,
    DatanetKind, Datanets, Error, Event, HoldReason, Pallet, TombstoneCause, Votes,
};
use attribution_proof::{ruleset::Rulesets, AccountId, BlockNumber, ContributionId, DatanetId};
use frame_support::{
    ensure,
    traits::{fungible::MutateHold, tokens::Precision},
};
use sp_runtime::DispatchResult;

impl<T: Config> Pallet<T> {
    pub(crate) fn do_join_as_curator(curator: AccountId, datanet: DatanetId) -> DispatchResult {
        let details = Datanets::<T>::get(datanet).ok_or(Error::<T>::UnknownDatanet)?;
        let DatanetKind::Curated { curators, .. } = details.kind else {
            return Err(Error::<T>::NotCurated.into());
        };
        ensure!(curators.contains(&curator), Error::<T>::NotNamedCurator);
        let stake = T::Rulesets::current().1.data.curator_stake;
        // One whose stake was slashed keeps his entry, with his open votes, and joins again.
        let entry = CuratorsOf::<T>::get(datanet, &curator).unwrap_or(CuratorDetails {
            stake: 0,
            open_votes: 0,
            liable_until: 0,
        });
        ensure!(entry.stake == 0, Error::<T>::AlreadyJoined);
        T::Currency::hold(&HoldReason::CuratorStake.into(), &curator, stake)?;
        CuratorsOf::<T>::insert(datanet, &curator, CuratorDetails { stake, ..entry });
        Self::deposit_event(Event::CuratorJoined {
            datanet,
            curator,
            stake,
        });
        Ok(())
    }

    pub(crate) fn do_leave_as_curator(curator: AccountId, datanet: DatanetId) -> DispatchResult {
        let entry = CuratorsOf::<T>::get(datanet, &curator).ok_or(Error::<T>::NotStakedCurator)?;
        ensure!(entry.open_votes == 0, Error::<T>::OpenVotes);
        ensure!(Self::now() > entry.liable_until, Error::<T>::StillLiable);
        let stake = T::Currency::release(
            &HoldReason::CuratorStake.into(),
            &curator,
            entry.stake,
            Precision::Exact,
        )?;
        CuratorsOf::<T>::remove(datanet, &curator);
        Self::deposit_event(Event::CuratorLeft {
            datanet,
            curator,
            stake,
        });
        Ok(())
    }

    pub(crate) fn do_vote(curator: AccountId, id: ContributionId, approve: bool) -> DispatchResult {
        let (mut contribution, last) = Self::pending(id)?;
        let datanet = contribution.datanet;
        let details = Datanets::<T>::get(datanet).ok_or(Error::<T>::UnknownDatanet)?;
        let DatanetKind::Curated { threshold, .. } = details.kind else {
            return Err(Error::<T>::NotCurated.into());
        };
        ensure!(Self::now() <= last, Error::<T>::WindowOver);
        let mut entry = CuratorsOf::<T>::get(datanet, &curator)
            .filter(|entry| entry.stake > 0)
            .ok_or(Error::<T>::NotStakedCurator)?;
        let mut votes = Votes::<T>::get(id);
        ensure!(
            votes.iter().all(|vote| vote.curator != curator),
            Error::<T>::AlreadyVoted
        );
        // There is room for every named curator, and none votes twice.
        votes
            .try_push(Vote {
                curator: curator.clone(),
                approve,
            })
            .map_err(|_| Error::<T>::AlreadyVoted)?;
        entry.open_votes = entry.open_votes.saturating_add(1);
        CuratorsOf::<T>::insert(datanet, &curator, entry);
        let (approvals, rejections) = tally(&votes);
        Votes::<T>::insert(id, votes);
        Self::deposit_event(Event::Voted {
            contribution: id,
            datanet,
            curator,
            approve,
            approvals,
            rejections,
        });
        if approvals < threshold && rejections < threshold {
            return Ok(());
        }
        let now = Self::now();
        let window = Self::ruleset(contribution.ruleset)?
            .data
            .contribution_window;
        Self::settle_votes(id, &contribution, Some(now.saturating_add(window)));
        if approve {
            Self::append(id, &mut contribution)?;
        } else {
            contribution.state = ContributionState::Rejected { at: now };
            Self::deposit_event(Event::ContributionRejected {
                contribution: id,
                datanet,
            });
        }
        Contributions::<T>::insert(id, contribution);
        Ok(())
    }

    /// Closes the votes on a contribution that is pending no more. `liable_until` is the end of the time
    /// for an appeal, if there was a decision.
    pub(crate) fn settle_votes(
        id: ContributionId,
        contribution: &ContributionDetails,
        liable_until: Option<BlockNumber>,
    ) {
        for vote in Votes::<T>::get(id) {
            CuratorsOf::<T>::mutate(contribution.datanet, &vote.curator, |entry| {
                if let Some(entry) = entry {
                    entry.open_votes = entry.open_votes.saturating_sub(1);
                    entry.liable_until = entry.liable_until.max(liable_until.unwrap_or_default());
                }
            });
        }
    }

    pub(crate) fn do_overrule(id: ContributionId) -> DispatchResult {
        let mut contribution = Self::stored(id)?;
        ensure!(contribution.tombstone.is_none(), Error::<T>::AlreadyEnded);
        let was_accepted = match contribution.state {
            ContributionState::Pending => return Err(Error::<T>::NotDecided.into()),
            ContributionState::Accepted(_) => true,
            ContributionState::Rejected { .. } => false,
        };
        for vote in Votes::<T>::take(id)
            .into_iter()
            .filter(|vote| vote.approve == was_accepted)
        {
            Self::slash_curator(id, contribution.datanet, vote.curator)?;
        }
        if was_accepted {
            Self::end(id, &mut contribution, TombstoneCause::Overruled);
        } else {
            Self::append(id, &mut contribution)?;
        }
        Self::deposit_event(Event::Overruled {
            contribution: id,
            datanet: contribution.datanet,
            accepted: !was_accepted,
        });
        Contributions::<T>::insert(id, contribution);
        Ok(())
    }

    /// Takes all of a curator's stake, if he still has one in the Datanet.
    fn slash_curator(
        contribution: ContributionId,
        datanet: DatanetId,
        curator: AccountId,
    ) -> DispatchResult {
        let Some(mut entry) =
            CuratorsOf::<T>::get(datanet, &curator).filter(|entry| entry.stake > 0)
        else {
            return Ok(());
        };
        let amount = core::mem::take(&mut entry.stake);
        Self::slash(HoldReason::CuratorStake, &curator, amount, None)?;
        CuratorsOf::<T>::insert(datanet, &curator, entry);
        Self::deposit_event(Event::CuratorSlashed {
            datanet,
            curator,
            contribution,
            amount,
        });
        Ok(())
    }
}
