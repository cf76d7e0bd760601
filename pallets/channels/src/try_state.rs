//! Proof that the books are right.

use alloc::collections::BTreeMap;

use attribution_proof::{ruleset::Rulesets, AccountId, Balance};
use frame_support::{ensure, traits::fungible::InspectHold};
use sp_runtime::TryRuntimeError;

use crate::{Channels, ChannelsOfPayee, ChannelsOfPayer, Config, HoldReason, NextChannel, Pallet};

impl<T: Config> Pallet<T> {
    /// Checks every invariant of this pallet's storage.
    pub fn do_try_state() -> Result<(), TryRuntimeError> {
        Self::try_state_deposits()?;
        Self::try_state_channels()?;
        Self::try_state_indices()
    }

    /// 1. The deposits of a payer's channels sum to what is held on his account.
    fn try_state_deposits() -> Result<(), TryRuntimeError> {
        let mut deposits = BTreeMap::<AccountId, Balance>::new();
        for channel in Channels::<T>::iter_values() {
            let sum = deposits.entry(channel.payer).or_default();
            *sum = sum
                .checked_add(channel.deposit)
                .ok_or("invariant 1: the deposits of a payer overflow")?;
        }
        for (payer, sum) in deposits {
            ensure!(
                T::Currency::balance_on_hold(&HoldReason::ChannelDeposit.into(), &payer) == sum,
                "invariant 1: a payer's deposits are not what is held on his account"
            );
        }
        Ok(())
    }

    /// 2. Ids run from 1 to below the next one.
    /// 3. A channel's ruleset is known.
    /// 4. A channel expires after its opening, and closes after it.
    /// 5. Sequence and cumulative amount of a mark are both zero or both above it.
    fn try_state_channels() -> Result<(), TryRuntimeError> {
        let next = NextChannel::<T>::get();
        for (id, channel) in Channels::<T>::iter() {
            ensure!(
                (1..next).contains(&id),
                "invariant 2: a channel's id was never given out"
            );
            ensure!(
                T::Rulesets::get(channel.ruleset).is_some(),
                "invariant 3: a channel's ruleset is not known"
            );
            ensure!(
                channel.expiry > channel.opened_at
                    && channel
                        .closing
                        .is_none_or(|closing| closing > channel.opened_at),
                "invariant 4: a channel ends before it was opened"
            );
            ensure!(
                (channel.mark.sequence == 0) == (channel.mark.cumulative == 0),
                "invariant 5: a mark has a sequence without an amount, or the reverse"
            );
        }
        Ok(())
    }

    /// 6. Each channel stands once under its payer and once under its payee, and nothing else does.
    fn try_state_indices() -> Result<(), TryRuntimeError> {
        let mut channels: usize = 0;
        for (id, channel) in Channels::<T>::iter() {
            ensure!(
                ChannelsOfPayer::<T>::contains_key(&channel.payer, id)
                    && ChannelsOfPayee::<T>::contains_key(&channel.payee, id),
                "invariant 6: a channel is missing under its payer or payee"
            );
            channels = channels.saturating_add(1);
        }
        ensure!(
            ChannelsOfPayer::<T>::iter_keys().count() == channels
                && ChannelsOfPayee::<T>::iter_keys().count() == channels,
            "invariant 6: a payer or payee has a channel that does not exist"
        );
        Ok(())
    }
}
