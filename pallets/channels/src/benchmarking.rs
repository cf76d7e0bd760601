//! Benchmarks of every call, in its worst case.

use attribution_proof::{
    ruleset::Rulesets, voucher::CooperativeClose, AccountId, Balance, BlockNumber, ChannelId,
};
use frame_benchmarking::v2::*;
use frame_support::traits::{
    fungible::{Inspect, Mutate},
    Get,
};
use frame_system::{
    pallet_prelude::{BlockNumberFor, OriginFor},
    RawOrigin,
};
use sp_runtime::traits::Zero;

use crate::{
    BenchmarkHelper, Call, Channels, ChannelsOfPayee, ChannelsOfPayer, Config, NextChannel, Pallet,
    MAXIMUM_LIFETIME,
};

/// A payer with enough for every benchmark.
fn funded_payer<T: Config>() -> AccountId {
    let payer: AccountId = whitelisted_caller();
    let amount = T::Currency::minimum_balance()
        .saturating_add(T::MinimumDeposit::get())
        .saturating_mul(10);
    T::Currency::set_balance(&payer, amount);
    payer
}

fn deposit<T: Config>() -> Balance {
    T::MinimumDeposit::get()
}

/// The earliest expiry that a channel opened at block 1 can have.
fn expiry<T: Config>() -> BlockNumber {
    let (_, ruleset) = T::Rulesets::current();
    ruleset.settlement.dispute_period.saturating_add(2)
}

/// Opens a channel at block 1 and returns its id, payer and payee.
fn opened<T: Config>() -> Result<(ChannelId, AccountId, AccountId), BenchmarkError> {
    frame_system::Pallet::<T>::set_block_number(1u32.into());
    let payer = funded_payer::<T>();
    let payee = T::BenchmarkHelper::operator();
    let id = NextChannel::<T>::get();
    let origin: OriginFor<T> = RawOrigin::Signed(payer.clone()).into();
    Pallet::<T>::open(
        origin,
        payee.clone(),
        Some(account("signer", 0, 0)),
        deposit::<T>(),
        expiry::<T>(),
    )?;
    Ok((id, payer, payee))
}

fn assert_gone<T: Config>(id: ChannelId, payer: &AccountId, payee: &AccountId) {
    assert!(!Channels::<T>::contains_key(id));
    assert!(!ChannelsOfPayer::<T>::contains_key(payer, id));
    assert!(!ChannelsOfPayee::<T>::contains_key(payee, id));
}

#[benchmarks]
mod benchmarks {
    use super::*;

    #[benchmark]
    fn open() -> Result<(), BenchmarkError> {
        let (id, payer, payee) = opened::<T>()?;
        let next = id.saturating_add(1);

        #[extrinsic_call]
        _(
            RawOrigin::Signed(payer),
            payee,
            Some(account("signer", 0, 0)),
            deposit::<T>(),
            expiry::<T>(),
        );

        assert!(Channels::<T>::contains_key(next));
        Ok(())
    }

    #[benchmark]
    fn top_up() -> Result<(), BenchmarkError> {
        let (id, payer, _) = opened::<T>()?;

        #[extrinsic_call]
        _(RawOrigin::Signed(payer), id, deposit::<T>());

        let now = Channels::<T>::get(id).map(|channel| channel.deposit);
        assert_eq!(now, Some(deposit::<T>().saturating_mul(2)));
        Ok(())
    }

    #[benchmark]
    fn extend() -> Result<(), BenchmarkError> {
        let (id, payer, _) = opened::<T>()?;

        #[extrinsic_call]
        _(RawOrigin::Signed(payer), id, MAXIMUM_LIFETIME);

        assert_eq!(
            Channels::<T>::get(id).map(|channel| channel.expiry),
            Some(MAXIMUM_LIFETIME)
        );
        Ok(())
    }

    #[benchmark]
    fn request_close() -> Result<(), BenchmarkError> {
        let (id, payer, _) = opened::<T>()?;

        #[extrinsic_call]
        _(RawOrigin::Signed(payer), id);

        assert!(Channels::<T>::get(id).is_some_and(|channel| channel.closing.is_some()));
        Ok(())
    }

    #[benchmark]
    fn close() -> Result<(), BenchmarkError> {
        let (id, payer, payee) = opened::<T>()?;
        Pallet::<T>::request_close(RawOrigin::Signed(payer.clone()).into(), id)?;
        let closable_at = Pallet::<T>::closable_at(id).ok_or(BenchmarkError::Stop(
            "the channel or its ruleset is missing",
        ))?;
        frame_system::Pallet::<T>::set_block_number(closable_at.into());

        #[extrinsic_call]
        _(RawOrigin::Signed(account("anybody", 0, 0)), id);

        assert_gone::<T>(id, &payer, &payee);
        Ok(())
    }

    #[benchmark]
    fn close_cooperatively() -> Result<(), BenchmarkError> {
        let (id, payer, payee) = opened::<T>()?;
        let agreement = CooperativeClose {
            genesis: frame_system::Pallet::<T>::block_hash(BlockNumberFor::<T>::zero()),
            channel: id,
            cumulative: 0,
        };
        // The wrapped form is tried after the raw one, so it costs twice.
        let wrapped = [b"<Bytes>".as_slice(), &agreement.payload(), b"</Bytes>"].concat();
        let signature = T::BenchmarkHelper::sign(&payee, &wrapped);

        #[extrinsic_call]
        _(RawOrigin::Signed(payer.clone()), id, agreement, signature);

        assert_gone::<T>(id, &payer, &payee);
        Ok(())
    }

    #[benchmark]
    fn close_as_payee() -> Result<(), BenchmarkError> {
        let (id, payer, payee) = opened::<T>()?;

        #[extrinsic_call]
        _(RawOrigin::Signed(payee.clone()), id);

        assert_gone::<T>(id, &payer, &payee);
        Ok(())
    }

    impl_benchmark_test_suite!(Pallet, crate::mock::new_test_ext(), crate::mock::Test);
}
