//! The logic behind the calls, and what other pallets use.

use alloc::vec::Vec;

use attribution_proof::{
    challenge::Mark,
    hash::Hash,
    ruleset::{Ruleset, Rulesets},
    voucher::{verify_raw_or_wrapped, CooperativeClose, SignedVoucher},
    AccountId, Balance, BlockNumber, ChannelId,
};
use frame_support::{
    ensure,
    traits::{
        fungible::MutateHold,
        tokens::{Fortitude, Precision, Restriction},
        Get,
    },
};
use sp_runtime::{
    traits::{SaturatedConversion, Zero},
    ArithmeticError, DispatchError, DispatchResult, MultiSignature,
};

use crate::{
    Channel, Channels, ChannelsOfPayee, ChannelsOfPayer, Claimed, CloseCause, Config, Error, Event,
    HoldReason, NextChannel, Operators, Pallet, MAXIMUM_LIFETIME, MAXIMUM_PAGE,
};

impl<T: Config> Pallet<T> {
    /// The current block. `integrity_test` proves that the conversion loses nothing.
    fn now() -> BlockNumber {
        frame_system::Pallet::<T>::block_number().saturated_into()
    }

    /// What everything that is signed for this chain starts with.
    fn genesis() -> Hash {
        frame_system::Pallet::<T>::block_hash(
            frame_system::pallet_prelude::BlockNumberFor::<T>::zero(),
        )
    }

    fn existing(id: ChannelId) -> Result<Channel, Error<T>> {
        Channels::<T>::get(id).ok_or(Error::<T>::UnknownChannel)
    }

    fn existing_of_payer(id: ChannelId, who: &AccountId) -> Result<Channel, Error<T>> {
        let channel = Self::existing(id)?;
        ensure!(channel.payer == *who, Error::<T>::NotPayer);
        Ok(channel)
    }

    fn ruleset_of(channel: &Channel) -> Result<Ruleset, Error<T>> {
        T::Rulesets::get(channel.ruleset).ok_or(Error::<T>::UnknownRuleset)
    }

    fn check_expiry(expiry: BlockNumber, ruleset: &Ruleset) -> Result<(), Error<T>> {
        let now = Self::now();
        ensure!(
            expiry > now.saturating_add(ruleset.settlement.dispute_period),
            Error::<T>::ExpiryTooSoon
        );
        ensure!(
            expiry <= now.saturating_add(MAXIMUM_LIFETIME),
            Error::<T>::ExpiryTooLate
        );
        Ok(())
    }

    pub(crate) fn do_open(
        payer: AccountId,
        payee: AccountId,
        signer: Option<AccountId>,
        deposit: Balance,
        expiry: BlockNumber,
    ) -> DispatchResult {
        let (number, ruleset) = T::Rulesets::current();
        ensure!(
            T::Operators::may_open(&payee, &ruleset),
            Error::<T>::PayeeNotServing
        );
        ensure!(
            deposit >= T::MinimumDeposit::get(),
            Error::<T>::DepositTooSmall
        );
        Self::check_expiry(expiry, &ruleset)?;

        let id = NextChannel::<T>::get();
        NextChannel::<T>::put(id.checked_add(1).ok_or(ArithmeticError::Overflow)?);
        T::Currency::hold(&HoldReason::ChannelDeposit.into(), &payer, deposit)?;
        let signer = signer.unwrap_or_else(|| payer.clone());
        ChannelsOfPayer::<T>::insert(&payer, id, ());
        ChannelsOfPayee::<T>::insert(&payee, id, ());
        Channels::<T>::insert(
            id,
            Channel {
                payer: payer.clone(),
                signer: signer.clone(),
                payee: payee.clone(),
                deposit,
                ruleset: number,
                opened_at: Self::now(),
                expiry,
                closing: None,
                mark: Mark::default(),
            },
        );
        T::Operators::channel_opened(&payee);
        Self::deposit_event(Event::Opened {
            channel: id,
            payer,
            signer,
            payee,
            deposit,
            ruleset: number,
            expiry,
        });
        Ok(())
    }

    pub(crate) fn do_top_up(who: &AccountId, id: ChannelId, amount: Balance) -> DispatchResult {
        let mut channel = Self::existing_of_payer(id, who)?;
        ensure!(channel.closing.is_none(), Error::<T>::ChannelClosing);
        ensure!(amount > 0, Error::<T>::NothingToAdd);
        channel.deposit = channel
            .deposit
            .checked_add(amount)
            .ok_or(ArithmeticError::Overflow)?;
        T::Currency::hold(&HoldReason::ChannelDeposit.into(), who, amount)?;
        Channels::<T>::insert(id, &channel);
        Self::deposit_event(Event::ToppedUp {
            channel: id,
            payer: channel.payer,
            payee: channel.payee,
            amount,
            deposit: channel.deposit,
        });
        Ok(())
    }

    pub(crate) fn do_extend(who: &AccountId, id: ChannelId, expiry: BlockNumber) -> DispatchResult {
        let mut channel = Self::existing_of_payer(id, who)?;
        ensure!(channel.closing.is_none(), Error::<T>::ChannelClosing);
        ensure!(expiry > channel.expiry, Error::<T>::ExpiryNotLater);
        Self::check_expiry(expiry, &Self::ruleset_of(&channel)?)?;
        channel.expiry = expiry;
        Channels::<T>::insert(id, &channel);
        Self::deposit_event(Event::Extended {
            channel: id,
            payer: channel.payer,
            payee: channel.payee,
            expiry,
        });
        Ok(())
    }

    pub(crate) fn do_request_close(who: &AccountId, id: ChannelId) -> DispatchResult {
        let mut channel = Self::existing_of_payer(id, who)?;
        if channel.closing.is_some() {
            return Ok(());
        }
        let dispute_period = Self::ruleset_of(&channel)?.settlement.dispute_period;
        channel.closing = Some(Self::now().saturating_add(dispute_period));
        let closable_at = channel.closable_at(dispute_period);
        Channels::<T>::insert(id, &channel);
        Self::deposit_event(Event::CloseRequested {
            channel: id,
            payer: channel.payer,
            payee: channel.payee,
            closable_at,
        });
        Ok(())
    }

    pub(crate) fn do_close(id: ChannelId) -> DispatchResult {
        let channel = Self::existing(id)?;
        let dispute_period = Self::ruleset_of(&channel)?.settlement.dispute_period;
        ensure!(
            Self::now() >= channel.closable_at(dispute_period),
            Error::<T>::NotYetClosable
        );
        Self::remove(id, channel, CloseCause::Lapsed)
    }

    pub(crate) fn do_close_cooperatively(
        who: &AccountId,
        id: ChannelId,
        agreement: &CooperativeClose,
        signature: &MultiSignature,
    ) -> DispatchResult {
        let channel = Self::existing_of_payer(id, who)?;
        ensure!(
            agreement.genesis == Self::genesis(),
            Error::<T>::WrongGenesis
        );
        ensure!(
            agreement.channel == id,
            Error::<T>::AgreementForOtherChannel
        );
        ensure!(
            agreement.cumulative == channel.mark.cumulative,
            Error::<T>::AgreementAmountDiffers
        );
        ensure!(
            verify_raw_or_wrapped(signature, &agreement.payload(), &channel.payee),
            Error::<T>::BadSignature
        );
        Self::remove(id, channel, CloseCause::Agreed)
    }

    pub(crate) fn do_close_as_payee(who: &AccountId, id: ChannelId) -> DispatchResult {
        let channel = Self::existing(id)?;
        ensure!(channel.payee == *who, Error::<T>::NotPayee);
        Self::remove(id, channel, CloseCause::ByPayee)
    }

    /// Releases what is left to the payer and forgets the channel.
    fn remove(id: ChannelId, channel: Channel, cause: CloseCause) -> DispatchResult {
        // A spent channel has nothing to release, and its payer's account may be gone.
        if channel.deposit > 0 {
            T::Currency::release(
                &HoldReason::ChannelDeposit.into(),
                &channel.payer,
                channel.deposit,
                Precision::Exact,
            )?;
        }
        Channels::<T>::remove(id);
        ChannelsOfPayer::<T>::remove(&channel.payer, id);
        ChannelsOfPayee::<T>::remove(&channel.payee, id);
        T::Operators::channel_closed(&channel.payee);
        Self::deposit_event(Event::Closed {
            channel: id,
            payer: channel.payer,
            payee: channel.payee,
            released: channel.deposit,
            cumulative: channel.mark.cumulative,
            cause,
        });
        Ok(())
    }

    /// What `signed` entitles the payee of `channel` to, in base units.
    pub(crate) fn check_voucher(
        channel: &Channel,
        signed: &SignedVoucher,
    ) -> Result<Balance, Error<T>> {
        let voucher = &signed.voucher;
        ensure!(voucher.genesis == Self::genesis(), Error::<T>::WrongGenesis);
        ensure!(
            voucher.sequence > channel.mark.sequence,
            Error::<T>::StaleVoucher
        );
        let amount = voucher
            .cumulative
            .checked_sub(channel.mark.cumulative)
            .filter(|amount| *amount > 0)
            .ok_or(Error::<T>::AmountNotGrown)?;
        ensure!(amount <= channel.deposit, Error::<T>::OverDeposit);
        // Last, because it is by far the dearest check.
        ensure!(
            signed.is_signed_by(&channel.signer),
            Error::<T>::BadSignature
        );
        Ok(amount)
    }

    /// Claims a voucher: moves what it adds to the settled mark from the payer's hold to the free
    /// balance of `to`, and advances the mark to it. Good until the channel is closed, so also
    /// after its expiry and while it is closing. The mark stays where it is whatever becomes of the
    /// money.
    ///
    /// The caller has checked that `payee` wants this, and rolls back when it fails itself.
    ///
    /// # Errors
    ///
    /// [`Error::UnknownChannel`], [`Error::NotPayee`], [`Error::WrongGenesis`],
    /// [`Error::StaleVoucher`], [`Error::AmountNotGrown`], [`Error::OverDeposit`],
    /// [`Error::BadSignature`], or the currency's error when `to` cannot receive the amount.
    pub fn claim(
        payee: &AccountId,
        signed: &SignedVoucher,
        to: &AccountId,
    ) -> Result<Claimed, DispatchError> {
        let voucher = &signed.voucher;
        let mut channel = Self::existing(voucher.channel)?;
        ensure!(channel.payee == *payee, Error::<T>::NotPayee);
        let amount = Self::check_voucher(&channel, signed)?;

        T::Currency::transfer_on_hold(
            &HoldReason::ChannelDeposit.into(),
            &channel.payer,
            to,
            amount,
            Precision::Exact,
            Restriction::Free,
            // The payer may have voted with this balance meanwhile: that does not undo his promise.
            Fortitude::Force,
        )?;
        channel.deposit = channel
            .deposit
            .checked_sub(amount)
            .ok_or(ArithmeticError::Underflow)?;
        let from = channel.mark;
        channel.mark = Mark {
            sequence: voucher.sequence,
            cumulative: voucher.cumulative,
            receipt: voucher.receipt,
        };
        Channels::<T>::insert(voucher.channel, &channel);
        Self::deposit_event(Event::Claimed {
            channel: voucher.channel,
            payer: channel.payer.clone(),
            payee: channel.payee,
            sequence: voucher.sequence,
            receipt: voucher.receipt,
            amount,
            cumulative: voucher.cumulative,
            deposit: channel.deposit,
        });
        Ok(Claimed {
            channel: voucher.channel,
            payer: channel.payer,
            ruleset: channel.ruleset,
            from,
            to: channel.mark,
            amount,
        })
    }

    /// The channels with the first `limit` of `ids`, at most [`MAXIMUM_PAGE`].
    pub(crate) fn page(
        ids: impl Iterator<Item = ChannelId>,
        limit: u32,
    ) -> Vec<(ChannelId, Channel)> {
        ids.take(limit.min(MAXIMUM_PAGE) as usize)
            .filter_map(|id| Channels::<T>::get(id).map(|channel| (id, channel)))
            .collect()
    }
}
