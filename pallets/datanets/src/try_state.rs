//! What must hold between blocks.

use crate::{
    Accepted, Config, ContributionState, Contributions, CuratorsOf, DatanetKind, Datanets,
    DemandOf, Demands, HoldReason, NextContribution, NextDatanet, NextDemand, Pallet,
    RecordTombstones, TermCounts, Votes,
};
use alloc::collections::{BTreeMap, BTreeSet};
use attribution_proof::{contribution::snapshot_link, hash::Hash, AccountId, Balance};
use frame_support::{ensure, traits::fungible::InspectHold};
use sp_runtime::TryRuntimeError;

type Book = BTreeMap<AccountId, Balance>;

impl<T: Config> Pallet<T> {
    /// Proves every invariant:
    ///
    /// 0. what is on hold from each account, by reason, is exactly what the books say;
    /// 1. a Datanet's accepted contributions stand at the indexes 0 to its length, and lengths, record
    ///    sums, snapshot chain and term counts follow from them;
    /// 2. a contribution's stake is held until its end, and never more than was placed; the fallen records
    ///    are counted; nothing is held of a fallen contribution or of one that ended unaccepted;
    /// 3. votes are of named curators, once each, on live contributions to curated Datanets; a curator's
    ///    open votes are those on pending ones;
    /// 4. a demand is indexed by its chunk, and a contribution counts its demands;
    /// 5. no number is used that has not been given.
    pub fn do_try_state() -> Result<(), TryRuntimeError> {
        Self::try_state_holds()?;
        Self::try_state_datanets()?;
        Self::try_state_contributions()?;
        Self::try_state_votes()?;
        Self::try_state_demands()?;
        Self::try_state_numbers()
    }

    fn try_state_holds() -> Result<(), TryRuntimeError> {
        let books: [(HoldReason, Book); 4] = [
            (
                HoldReason::DatanetDeposit,
                book(Datanets::<T>::iter_values().map(|d| (d.owner, d.deposit))),
            ),
            (
                HoldReason::ContributionStake,
                book(Contributions::<T>::iter_values().map(|c| (c.contributor, c.held))),
            ),
            (
                HoldReason::CuratorStake,
                book(CuratorsOf::<T>::iter().map(|(_, curator, entry)| (curator, entry.stake))),
            ),
            (
                HoldReason::DemandBond,
                book(Demands::<T>::iter_values().map(|d| (d.demander, d.bond))),
            ),
        ];
        for (reason, book) in books {
            let reason = reason.into();
            // Accounts without an entry must have nothing on hold, so all accounts are looked at.
            for who in frame_system::Account::<T>::iter_keys() {
                ensure!(
                    T::Currency::balance_on_hold(&reason, &who)
                        == book.get(&who).copied().unwrap_or_default(),
                    "invariant 0: a hold differs from the books"
                );
            }
            ensure!(
                book.iter()
                    .all(|(who, amount)| T::Currency::balance_on_hold(&reason, who) == *amount),
                "invariant 0: the books name an account that does not exist"
            );
        }
        Ok(())
    }

    fn try_state_datanets() -> Result<(), TryRuntimeError> {
        let mut indexed = 0usize;
        for (id, datanet) in Datanets::<T>::iter() {
            let (mut records, mut head) = (0u32, Hash::zero());
            let mut term_counts = TermCounts::default();
            for index in 0..datanet.length {
                let contribution_id = Accepted::<T>::get(id, index)
                    .ok_or("invariant 1: an index below the length is empty")?;
                let contribution = Contributions::<T>::get(contribution_id)
                    .ok_or("invariant 1: an accepted contribution is not stored")?;
                let acceptance = contribution
                    .acceptance()
                    .ok_or("invariant 1: an indexed contribution is not accepted")?;
                head = snapshot_link(&head, &contribution.object(contribution_id, index, records));
                ensure!(
                    contribution.datanet == id
                        && acceptance.index == index
                        && acceptance.records_before == records
                        && acceptance.snapshot == head,
                    "invariant 1: an acceptance does not follow from those before it"
                );
                records = records
                    .checked_add(contribution.leaves.count)
                    .ok_or("invariant 1: too many records")?;
                if contribution.tombstone.is_none() {
                    term_counts.add(&contribution.licence.terms);
                }
                indexed = indexed.saturating_add(1);
            }
            ensure!(
                (datanet.records, datanet.head, datanet.term_counts)
                    == (records, head, term_counts),
                "invariant 1: a Datanet's sums do not follow from its contributions"
            );
        }
        ensure!(
            Accepted::<T>::iter_keys().count() == indexed
                && Contributions::<T>::iter_values()
                    .filter(|contribution| contribution.acceptance().is_some())
                    .count()
                    == indexed,
            "invariant 1: an accepted contribution has no place in its Datanet"
        );
        Ok(())
    }

    fn try_state_contributions() -> Result<(), TryRuntimeError> {
        let mut fallen = BTreeMap::<_, u32>::new();
        for (id, record, _) in RecordTombstones::<T>::iter() {
            let contribution = Contributions::<T>::get(id)
                .ok_or("invariant 2: a fallen record's contribution is not stored")?;
            ensure!(
                record < contribution.leaves.count,
                "invariant 2: a fallen record is none"
            );
            let count = fallen.entry(id).or_default();
            *count = count.saturating_add(1);
        }
        for (id, contribution) in Contributions::<T>::iter() {
            ensure!(
                contribution.fallen_records == fallen.get(&id).copied().unwrap_or_default(),
                "invariant 2: fallen records are miscounted"
            );
            ensure!(
                contribution.held <= contribution.stake,
                "invariant 2: more is held than was placed"
            );
            let by_record = contribution
                .stake_per_record()
                .saturating_mul(contribution.fallen_records.into());
            match contribution.tombstone {
                None => ensure!(
                    contribution.held == contribution.stake.saturating_sub(by_record),
                    "invariant 2: a live contribution's stake is not held"
                ),
                Some(tombstone) => ensure!(
                    contribution.held == 0
                        || (contribution.acceptance().is_some() && !tombstone.cause.is_fall()),
                    "invariant 2: the stake of a fallen or forgotten contribution is held"
                ),
            }
        }
        Ok(())
    }

    fn try_state_votes() -> Result<(), TryRuntimeError> {
        let mut open = BTreeMap::<_, u32>::new();
        for (id, votes) in Votes::<T>::iter() {
            let contribution = Contributions::<T>::get(id)
                .ok_or("invariant 3: votes on a contribution that is not stored")?;
            ensure!(
                contribution.tombstone.is_none(),
                "invariant 3: votes on a contribution that has ended"
            );
            let Some(DatanetKind::Curated { curators, .. }) =
                Datanets::<T>::get(contribution.datanet).map(|datanet| datanet.kind)
            else {
                return Err("invariant 3: votes in a Datanet without curators".into());
            };
            let voters: BTreeSet<_> = votes.iter().map(|vote| &vote.curator).collect();
            ensure!(
                voters.len() == votes.len()
                    && voters.into_iter().all(|voter| curators.contains(voter)),
                "invariant 3: a vote is double or of nobody"
            );
            if contribution.state == ContributionState::Pending {
                for vote in votes {
                    let count = open
                        .entry((contribution.datanet, vote.curator))
                        .or_default();
                    *count = count.saturating_add(1);
                }
            }
        }
        for (datanet, curator, entry) in CuratorsOf::<T>::iter() {
            ensure!(
                entry.open_votes == open.remove(&(datanet, curator)).unwrap_or_default(),
                "invariant 3: open votes are miscounted"
            );
        }
        ensure!(
            open.is_empty(),
            "invariant 3: a curator left with open votes"
        );
        Ok(())
    }

    fn try_state_demands() -> Result<(), TryRuntimeError> {
        let mut open = BTreeMap::<_, u32>::new();
        for (id, demand) in Demands::<T>::iter() {
            ensure!(
                DemandOf::<T>::get((demand.contribution, demand.record, demand.chunk)) == Some(id),
                "invariant 4: a demand is not indexed"
            );
            let count = open.entry(demand.contribution).or_default();
            *count = count.saturating_add(1);
        }
        ensure!(
            DemandOf::<T>::iter_keys().count() == Demands::<T>::iter_keys().count(),
            "invariant 4: the index names a demand that is not open"
        );
        for (id, contribution) in Contributions::<T>::iter() {
            ensure!(
                contribution.open_demands == open.get(&id).copied().unwrap_or_default(),
                "invariant 4: demands are miscounted"
            );
        }
        Ok(())
    }

    fn try_state_numbers() -> Result<(), TryRuntimeError> {
        ensure!(
            Datanets::<T>::iter_keys().all(|id| id > 0 && id < NextDatanet::<T>::get())
                && Contributions::<T>::iter_keys()
                    .all(|id| id > 0 && id < NextContribution::<T>::get())
                && Demands::<T>::iter_keys().all(|id| id > 0 && id < NextDemand::<T>::get()),
            "invariant 5: a number is used that was not given"
        );
        Ok(())
    }
}

fn book(entries: impl Iterator<Item = (AccountId, Balance)>) -> Book {
    let mut book = Book::new();
    for (who, amount) in entries {
        let sum = book.entry(who).or_default();
        *sum = sum.saturating_add(amount);
    }
    book
}
