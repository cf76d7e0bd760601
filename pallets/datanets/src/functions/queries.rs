//! What other pallets and interfaces ask. The runtime glues these functions to the traits that the
//! asking pallets declare.

use crate::{
    types::MAX_PAGE, Accepted, AcceptedContribution, Config, ContributionDetails,
    ContributionState, Contributions, Datanets, Pallet, RecordTombstones,
};
use alloc::vec::Vec;
use attribution_proof::{
    contribution::Snapshot, hash::Hash, BlockNumber, ContributionId, DatanetId,
};

impl<T: Config> Pallet<T> {
    /// Whether `snapshot` names a version that the Datanet has or had.
    pub fn is_snapshot(snapshot: &Snapshot) -> bool {
        let Some(last) = snapshot.length.checked_sub(1) else {
            return Datanets::<T>::contains_key(snapshot.datanet)
                && snapshot.head == Hash::zero()
                && snapshot.records == 0;
        };
        Accepted::<T>::get(snapshot.datanet, last)
            .and_then(Contributions::<T>::get)
            .and_then(|contribution| Some((contribution.acceptance()?, contribution.leaves.count)))
            .is_some_and(|(acceptance, count)| {
                acceptance.snapshot == snapshot.head
                    && acceptance.records_before.checked_add(count) == Some(snapshot.records)
            })
    }

    /// An accepted contribution, ended or not.
    pub fn lookup(contribution: ContributionId) -> Option<AcceptedContribution> {
        let details = Contributions::<T>::get(contribution)?;
        let acceptance = details.acceptance()?;
        Some(AcceptedContribution {
            datanet: details.datanet,
            index: acceptance.index,
            records_before: acceptance.records_before,
            leaves: details.leaves,
            contributor: details.contributor,
            media: details.media,
            tombstoned_at: details.tombstone.map(|tombstone| tombstone.at),
        })
    }

    pub(crate) fn tombstone_of_record(
        contribution: ContributionId,
        record: u32,
    ) -> Option<BlockNumber> {
        let whole = Contributions::<T>::get(contribution)
            .and_then(|details| details.tombstone)
            .map(|tombstone| tombstone.at);
        RecordTombstones::<T>::get(contribution, record)
            .into_iter()
            .chain(whole)
            .min()
    }

    pub(crate) fn accepted_from(
        datanet: DatanetId,
        from: u32,
        limit: u32,
    ) -> Vec<(ContributionId, ContributionDetails)> {
        (from..from.saturating_add(limit.min(MAX_PAGE)))
            .map_while(|index| Accepted::<T>::get(datanet, index))
            .filter_map(|id| Some((id, Contributions::<T>::get(id)?)))
            .collect()
    }

    pub(crate) fn pending_from(
        datanet: DatanetId,
        from: ContributionId,
        limit: u32,
    ) -> Vec<(ContributionId, ContributionDetails)> {
        (from..from.saturating_add(limit.min(MAX_PAGE).into()))
            .filter_map(|id| Some((id, Contributions::<T>::get(id)?)))
            .filter(|(_, details)| {
                details.datanet == datanet
                    && details.state == ContributionState::Pending
                    && details.tombstone.is_none()
            })
            .collect()
    }
}
