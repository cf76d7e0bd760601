//! Creating Datanets.

use crate::{
    types::TermCounts, Config, DatanetDetails, DatanetKind, Datanets, Error, Event, HoldReason,
    Name, NextDatanet, Pallet,
};
use attribution_proof::{hash::Hash, AccountId};
use frame_support::{
    ensure,
    traits::{fungible::MutateHold, Get},
};
use sp_runtime::DispatchResult;

fn is_valid_name(name: &[u8]) -> bool {
    core::str::from_utf8(name)
        .is_ok_and(|name| !name.trim().is_empty() && !name.chars().any(char::is_control))
}

impl<T: Config> Pallet<T> {
    pub(crate) fn do_create(owner: AccountId, name: Name, kind: DatanetKind) -> DispatchResult {
        ensure!(is_valid_name(&name), Error::<T>::InvalidName);
        if let DatanetKind::Curated {
            curators,
            threshold,
        } = &kind
        {
            let mut sorted = curators.to_vec();
            sorted.sort_unstable();
            sorted.dedup();
            ensure!(sorted.len() == curators.len(), Error::<T>::DuplicateCurator);
            let reachable = usize::try_from(*threshold).is_ok_and(|votes| votes <= curators.len());
            ensure!(*threshold > 0 && reachable, Error::<T>::InvalidThreshold);
        }
        let deposit = T::DatanetDeposit::get();
        T::Currency::hold(&HoldReason::DatanetDeposit.into(), &owner, deposit)?;
        let datanet = NextDatanet::<T>::get();
        NextDatanet::<T>::put(datanet.checked_add(1).ok_or(Error::<T>::NumbersExhausted)?);
        Datanets::<T>::insert(
            datanet,
            DatanetDetails {
                owner: owner.clone(),
                name: name.clone(),
                kind: kind.clone(),
                deposit,
                length: 0,
                records: 0,
                head: Hash::zero(),
                term_counts: TermCounts::default(),
            },
        );
        Self::deposit_event(Event::DatanetCreated {
            datanet,
            owner,
            name,
            kind,
            deposit,
        });
        Ok(())
    }
}
