//! # Channels pallet
//!
//! Payment channels: a payer deposits once and pays an operator answer by answer, off the chain,
//! with signed vouchers that grow.
//!
//! ## Overview
//!
//! Chatting with a model means thousands of tiny payments, far too many to put each into a block.
//! So the payer opens a *channel* to one operator and holds a deposit for it. With each answer he
//! (or a key that he authorised) signs a *voucher*: "up to this receipt, you may claim this much in
//! all". The operator keeps the newest voucher and settles it now and then. Only the deposit, the
//! vouchers that are settled and the close touch the chain.
//!
//! One channel serves every model of its payee. This pallet knows nothing of models, receipts or
//! splits: another pallet checks those and takes the money by [`Pallet::claim`].
//!
//! ## Terminology
//!
//! * **Payer**, **payee**, **signer**: who deposits, which operator claims, whose signature counts.
//! * **Deposit**: what is held on the payer's account for one channel and not yet claimed.
//! * **Mark**: sequence, cumulative amount and receipt hash of the last settled voucher. It only
//!   advances, whatever becomes of the money afterwards, so nothing is claimed twice.
//! * **Expiry**: the block from which the payee should answer no more.
//! * **Dispute period**: the blocks, taken from the channel's ruleset, that the payee has to settle
//!   his newest voucher once the channel is about to close.
//!
//! ## Goals
//!
//! * *The payee is never cheated of a voucher he settles in time.* The payer alone can take nothing
//!   back before a dispute period has passed; repeating the request to close does not change its
//!   timer; claims are good until the channel is gone.
//! * *The payer never waits for ever.* He may ask to close at any time; a forgotten channel can be
//!   closed by anybody a dispute period after its expiry, and the expiry is never more than
//!   [`MAXIMUM_LIFETIME`] blocks away.
//! * *Vouchers are bound* to this chain's genesis, to one channel, and to a sequence and an amount
//!   that both grow.
//! * *The books balance*: the deposits of a payer's channels are exactly what is held on his
//!   account ([`HoldReason::ChannelDeposit`]).
//!
//! ## Life of a channel
//!
//! ```text
//! open ──► top_up, extend, claim … ──► request_close ──► dispute period ──► close (anybody)
//!   │                                                        │ claim …
//!   ├── expiry ──► dispute period ──► close (anybody)
//!   ├── close_cooperatively (payer, with the payee's signed agreement)
//!   └── close_as_payee
//! ```
#![cfg_attr(not(feature = "std"), no_std)]
#![cfg_attr(
    not(test),
    deny(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::indexing_slicing,
        clippy::arithmetic_side_effects
    )
)]

extern crate alloc;

mod functions;
mod types;
pub mod weights;

#[cfg(feature = "runtime-benchmarks")]
mod benchmarking;
#[cfg(test)]
mod mock;
#[cfg(test)]
mod tests;
#[cfg(any(feature = "std", feature = "try-runtime"))]
mod try_state;

use attribution_proof::{ruleset::MAX_WINDOW, BlockNumber};

pub use pallet::*;
pub use types::*;
pub use weights::WeightInfo;

/// The furthest that an expiry may be away, in blocks. Twice the longest window of a ruleset, so
/// that every dispute period leaves room for a channel that outlives it.
pub const MAXIMUM_LIFETIME: BlockNumber = 2 * MAX_WINDOW;

/// Most channels in one page of a view.
pub const MAXIMUM_PAGE: u32 = 100;

// The code that the macro writes uses `expect`. Ours, with all logic, stands outside this module.
/// The pallet.
#[allow(clippy::expect_used)]
#[frame_support::pallet]
pub mod pallet {
    use super::*;
    use alloc::vec::Vec;
    use attribution_proof::{
        hash::Hash,
        ruleset::Rulesets,
        voucher::{CooperativeClose, SignedVoucher},
        AccountId, Balance, ChannelId, RulesetId,
    };
    use frame_support::{
        pallet_prelude::*,
        traits::{
            fungible::{Mutate, MutateHold},
            StorageVersion,
        },
    };
    use frame_system::pallet_prelude::*;
    use sp_runtime::{traits::Bounded, MultiSignature};

    /// The in-code storage version.
    const STORAGE_VERSION: StorageVersion = StorageVersion::new(1);

    /// What the runtime decides about this pallet.
    #[pallet::config]
    pub trait Config:
        frame_system::Config<AccountId = AccountId, Hash = Hash, RuntimeEvent: From<Event<Self>>>
    {
        /// The money that deposits are made of.
        type Currency: Mutate<AccountId, Balance = Balance>
            + MutateHold<AccountId, Reason = Self::RuntimeHoldReason>;

        /// The runtime's reason for a hold.
        type RuntimeHoldReason: From<HoldReason>;

        /// Where rulesets are looked up.
        type Rulesets: Rulesets;

        /// The registry of operators.
        type Operators: Operators;

        /// Least deposit of a new channel, in base units. It makes filling the chain's state with
        /// channels, and an operator's books with other people's, cost something.
        #[pallet::constant]
        type MinimumDeposit: Get<Balance>;

        /// Measured weights.
        type WeightInfo: WeightInfo;

        /// Sets the stage for the benchmarks.
        #[cfg(feature = "runtime-benchmarks")]
        type BenchmarkHelper: BenchmarkHelper;
    }

    /// The pallet's type.
    #[pallet::pallet]
    #[pallet::storage_version(STORAGE_VERSION)]
    pub struct Pallet<T>(_);

    /// Why this pallet holds money.
    #[pallet::composite_enum]
    pub enum HoldReason {
        /// The deposit of a payment channel, on the payer's account.
        #[codec(index = 0)]
        ChannelDeposit,
    }

    // Channel ids are given out in sequence, so nobody can grind them: Twox is enough.
    /// Open channels.
    #[pallet::storage]
    pub type Channels<T: Config> = StorageMap<_, Twox64Concat, ChannelId, Channel>;

    /// Value of [`NextChannel`] on a new chain.
    #[pallet::type_value]
    pub fn FirstChannel() -> ChannelId {
        1
    }

    /// Id of the next channel, from 1. Ids are never used again, so neither are vouchers.
    #[pallet::storage]
    pub type NextChannel<T: Config> = StorageValue<_, ChannelId, ValueQuery, FirstChannel>;

    /// Open channels by payer.
    #[pallet::storage]
    pub type ChannelsOfPayer<T: Config> =
        StorageDoubleMap<_, Blake2_128Concat, AccountId, Twox64Concat, ChannelId, ()>;

    /// Open channels by payee.
    #[pallet::storage]
    pub type ChannelsOfPayee<T: Config> =
        StorageDoubleMap<_, Blake2_128Concat, AccountId, Twox64Concat, ChannelId, ()>;

    /// What happened.
    #[pallet::event]
    #[pallet::generate_deposit(pub(super) fn deposit_event)]
    pub enum Event<T: Config> {
        /// A channel was opened.
        Opened {
            /// The channel.
            channel: ChannelId,
            /// Who pays.
            payer: AccountId,
            /// Whose signature makes vouchers valid.
            signer: AccountId,
            /// The operator.
            payee: AccountId,
            /// Deposit in base units.
            deposit: Balance,
            /// Ruleset that governs the channel.
            ruleset: RulesetId,
            /// Block from which the payee should answer no more.
            expiry: BlockNumber,
        },
        /// A deposit grew.
        ToppedUp {
            /// The channel.
            channel: ChannelId,
            /// Who pays.
            payer: AccountId,
            /// The operator.
            payee: AccountId,
            /// What was added, in base units.
            amount: Balance,
            /// The deposit now, in base units.
            deposit: Balance,
        },
        /// A channel expires later than before.
        Extended {
            /// The channel.
            channel: ChannelId,
            /// Who pays.
            payer: AccountId,
            /// The operator.
            payee: AccountId,
            /// The new expiry.
            expiry: BlockNumber,
        },
        /// The payer asked to close. The payee should settle his newest voucher now.
        CloseRequested {
            /// The channel.
            channel: ChannelId,
            /// Who pays.
            payer: AccountId,
            /// The operator.
            payee: AccountId,
            /// First block in which anybody may close the channel.
            closable_at: BlockNumber,
        },
        /// A voucher was claimed.
        Claimed {
            /// The channel.
            channel: ChannelId,
            /// Who paid.
            payer: AccountId,
            /// The operator.
            payee: AccountId,
            /// Sequence of the last receipt paid for.
            sequence: u64,
            /// Its hash.
            receipt: Hash,
            /// What moved, in base units.
            amount: Balance,
            /// All that was ever claimed of the channel, in base units.
            cumulative: Balance,
            /// What is left of the deposit, in base units.
            deposit: Balance,
        },
        /// A channel was closed and is gone.
        Closed {
            /// The channel.
            channel: ChannelId,
            /// Who paid.
            payer: AccountId,
            /// The operator.
            payee: AccountId,
            /// What returned to the payer, in base units.
            released: Balance,
            /// All that was ever claimed of the channel, in base units.
            cumulative: Balance,
            /// Why it was closed.
            cause: CloseCause,
        },
    }

    /// Why a call was refused.
    #[pallet::error]
    pub enum Error<T> {
        /// There is no open channel with this id: it was never opened, or is closed. Look the id up
        /// among the payer's or payee's channels.
        UnknownChannel,
        /// Only the channel's payer may do this. Send it from the paying account.
        NotPayer,
        /// Only the channel's payee may do this. Send it from the operator's account.
        NotPayee,
        /// The payee takes no new channels: not a registered operator, leaving, or bonded too low.
        /// Choose an active operator.
        PayeeNotServing,
        /// The deposit is under the least that a channel needs. Deposit at least `MinimumDeposit`.
        DepositTooSmall,
        /// Nothing would be added. Give an amount above zero.
        NothingToAdd,
        /// The expiry leaves no time to use the channel. Choose a block more than one dispute
        /// period from now.
        ExpiryTooSoon,
        /// The expiry is too far away. Choose one within `MAXIMUM_LIFETIME` blocks and extend
        /// later.
        ExpiryTooLate,
        /// The channel already lasts that long; an expiry is only ever moved back. Choose a later
        /// block.
        ExpiryNotLater,
        /// The payer has asked to close the channel. Open another one instead.
        ChannelClosing,
        /// The dispute period is not over. Wait until the block that the view `closable_at` gives,
        /// or close in agreement with the payee.
        NotYetClosable,
        /// This was signed for another chain. Sign it again with this chain's genesis hash.
        WrongGenesis,
        /// The agreement is about another channel. Send it with the channel that it names.
        AgreementForOtherChannel,
        /// The agreement's cumulative amount is not what was claimed so far. Settle the last
        /// voucher first, or have the payee sign the amount that the channel's mark shows.
        AgreementAmountDiffers,
        /// The signature is not over this payload (raw or wrapped in `<Bytes>`) by the account that
        /// has to sign: the channel's signer for a voucher, its payee for an agreement.
        BadSignature,
        /// The voucher is spent: its sequence is not above that of the settled mark. Use a newer
        /// one.
        StaleVoucher,
        /// The voucher's cumulative amount is not above what was claimed already. Amounts only
        /// grow: ask the payer for a voucher that covers the answers since.
        AmountNotGrown,
        /// The voucher promises more than the channel still holds. Ask the payer to top it up.
        OverDeposit,
        /// The ruleset that the channel names is not known. Rulesets are never removed, so this is
        /// a defect of the runtime: report it.
        UnknownRuleset,
    }

    /// Checks of the configuration and of the state.
    #[pallet::hooks]
    impl<T: Config> Hooks<BlockNumberFor<T>> for Pallet<T> {
        fn integrity_test() {
            assert!(
                T::MinimumDeposit::get() > 0,
                "MinimumDeposit must be above zero, or channels fill the state for nothing"
            );
            assert!(
                TryInto::<BlockNumber>::try_into(BlockNumberFor::<T>::max_value()).is_ok(),
                "block numbers must be those of the protocol, 32 bits wide"
            );
        }

        #[cfg(feature = "try-runtime")]
        fn try_state(_: BlockNumberFor<T>) -> Result<(), sp_runtime::TryRuntimeError> {
            Self::do_try_state()
        }
    }

    /// What accounts can send.
    #[pallet::call]
    impl<T: Config> Pallet<T> {
        /// Opens a channel to `payee` and holds `deposit` base units on the sender's account for
        /// it.
        ///
        /// ## Dispatch Origin
        ///
        /// Signed by the payer.
        ///
        /// ## Details
        ///
        /// `signer` is whose signature makes vouchers valid, the payer himself when `None`.
        /// `expiry` is the block from which the payee should answer no more. The current ruleset
        /// governs the channel to its end.
        ///
        /// ## Errors
        ///
        /// [`Error::PayeeNotServing`], [`Error::DepositTooSmall`], [`Error::ExpiryTooSoon`],
        /// [`Error::ExpiryTooLate`], or the currency's error when the payer cannot hold that much.
        ///
        /// ## Events
        ///
        /// [`Event::Opened`]
        #[pallet::call_index(0)]
        #[pallet::weight(T::WeightInfo::open())]
        pub fn open(
            origin: OriginFor<T>,
            payee: AccountId,
            signer: Option<AccountId>,
            deposit: Balance,
            expiry: BlockNumber,
        ) -> DispatchResult {
            let payer = ensure_signed(origin)?;
            Self::do_open(payer, payee, signer, deposit, expiry)
        }

        /// Adds `amount` base units to a channel's deposit.
        ///
        /// ## Dispatch Origin
        ///
        /// Signed by the payer.
        ///
        /// ## Errors
        ///
        /// [`Error::UnknownChannel`], [`Error::NotPayer`], [`Error::ChannelClosing`],
        /// [`Error::NothingToAdd`], or the currency's error when the payer cannot hold that much
        /// more.
        ///
        /// ## Events
        ///
        /// [`Event::ToppedUp`]
        #[pallet::call_index(1)]
        #[pallet::weight(T::WeightInfo::top_up())]
        pub fn top_up(origin: OriginFor<T>, channel: ChannelId, amount: Balance) -> DispatchResult {
            let payer = ensure_signed(origin)?;
            Self::do_top_up(&payer, channel, amount)
        }

        /// Moves a channel's expiry further away.
        ///
        /// ## Dispatch Origin
        ///
        /// Signed by the payer.
        ///
        /// ## Errors
        ///
        /// [`Error::UnknownChannel`], [`Error::NotPayer`], [`Error::ChannelClosing`],
        /// [`Error::ExpiryNotLater`], [`Error::ExpiryTooSoon`], [`Error::ExpiryTooLate`].
        ///
        /// ## Events
        ///
        /// [`Event::Extended`]
        #[pallet::call_index(2)]
        #[pallet::weight(T::WeightInfo::extend())]
        pub fn extend(
            origin: OriginFor<T>,
            channel: ChannelId,
            expiry: BlockNumber,
        ) -> DispatchResult {
            let payer = ensure_signed(origin)?;
            Self::do_extend(&payer, channel, expiry)
        }

        /// Asks to close a channel: after one dispute period anybody may.
        ///
        /// ## Dispatch Origin
        ///
        /// Signed by the payer.
        ///
        /// ## Details
        ///
        /// The payee can claim until the channel is closed. A second request changes nothing: the
        /// timer is not set again.
        ///
        /// ## Errors
        ///
        /// [`Error::UnknownChannel`], [`Error::NotPayer`].
        ///
        /// ## Events
        ///
        /// [`Event::CloseRequested`], the first time.
        #[pallet::call_index(3)]
        #[pallet::weight(T::WeightInfo::request_close())]
        pub fn request_close(origin: OriginFor<T>, channel: ChannelId) -> DispatchResult {
            let payer = ensure_signed(origin)?;
            Self::do_request_close(&payer, channel)
        }

        /// Closes a channel whose dispute period is over, and releases the rest of the deposit to
        /// the payer.
        ///
        /// ## Dispatch Origin
        ///
        /// Signed by anybody, so that no deposit stays held because its owner is gone.
        ///
        /// ## Errors
        ///
        /// [`Error::UnknownChannel`], [`Error::NotYetClosable`].
        ///
        /// ## Events
        ///
        /// [`Event::Closed`]
        #[pallet::call_index(4)]
        #[pallet::weight(T::WeightInfo::close())]
        pub fn close(origin: OriginFor<T>, channel: ChannelId) -> DispatchResult {
            ensure_signed(origin)?;
            Self::do_close(channel)
        }

        /// Closes a channel at once, with the payee's consent.
        ///
        /// ## Dispatch Origin
        ///
        /// Signed by the payer.
        ///
        /// ## Details
        ///
        /// `signature` is the payee's, over the payload of `agreement`, raw or in the wallets'
        /// `<Bytes>` wrapper. The agreement names the cumulative amount at which it closes, and
        /// that has to be the settled one. A payee signs it only when he answers no more on this
        /// channel: vouchers that are not settled are worth nothing afterwards.
        ///
        /// ## Errors
        ///
        /// [`Error::UnknownChannel`], [`Error::NotPayer`], [`Error::WrongGenesis`],
        /// [`Error::AgreementForOtherChannel`], [`Error::AgreementAmountDiffers`],
        /// [`Error::BadSignature`].
        ///
        /// ## Events
        ///
        /// [`Event::Closed`]
        #[pallet::call_index(5)]
        #[pallet::weight(T::WeightInfo::close_cooperatively())]
        pub fn close_cooperatively(
            origin: OriginFor<T>,
            channel: ChannelId,
            agreement: CooperativeClose,
            signature: MultiSignature,
        ) -> DispatchResult {
            let payer = ensure_signed(origin)?;
            Self::do_close_cooperatively(&payer, channel, &agreement, &signature)
        }

        /// Gives a channel up: closes it at once and releases the rest of the deposit to the payer.
        ///
        /// ## Dispatch Origin
        ///
        /// Signed by the payee. Vouchers that he has not settled are worth nothing afterwards.
        ///
        /// ## Errors
        ///
        /// [`Error::UnknownChannel`], [`Error::NotPayee`].
        ///
        /// ## Events
        ///
        /// [`Event::Closed`]
        #[pallet::call_index(6)]
        #[pallet::weight(T::WeightInfo::close_as_payee())]
        pub fn close_as_payee(origin: OriginFor<T>, channel: ChannelId) -> DispatchResult {
            let payee = ensure_signed(origin)?;
            Self::do_close_as_payee(&payee, channel)
        }
    }

    /// What an interface asks about channels.
    #[pallet::view_functions]
    impl<T: Config> Pallet<T> {
        /// An open channel.
        pub fn channel(channel: ChannelId) -> Option<Channel> {
            Channels::<T>::get(channel)
        }

        /// Open channels of a payer, at most `limit` and at most [`MAXIMUM_PAGE`] of them. The
        /// order is fixed but not that of the ids: pass the last id of a page as `after` to get the
        /// next one.
        pub fn channels_of_payer(
            payer: AccountId,
            after: Option<ChannelId>,
            limit: u32,
        ) -> Vec<(ChannelId, Channel)> {
            let ids = match after {
                Some(after) => {
                    let last = ChannelsOfPayer::<T>::hashed_key_for(&payer, after);
                    ChannelsOfPayer::<T>::iter_key_prefix_from(&payer, last)
                }
                None => ChannelsOfPayer::<T>::iter_key_prefix(&payer),
            };
            Self::page(ids, limit)
        }

        /// Open channels of a payee, paged like [`Pallet::channels_of_payer`].
        pub fn channels_of_payee(
            payee: AccountId,
            after: Option<ChannelId>,
            limit: u32,
        ) -> Vec<(ChannelId, Channel)> {
            let ids = match after {
                Some(after) => {
                    let last = ChannelsOfPayee::<T>::hashed_key_for(&payee, after);
                    ChannelsOfPayee::<T>::iter_key_prefix_from(&payee, last)
                }
                None => ChannelsOfPayee::<T>::iter_key_prefix(&payee),
            };
            Self::page(ids, limit)
        }

        /// The first block in which anybody may close a channel as things stand. `None` when there
        /// is no such channel.
        pub fn closable_at(channel: ChannelId) -> Option<BlockNumber> {
            let channel = Channels::<T>::get(channel)?;
            let ruleset = T::Rulesets::get(channel.ruleset)?;
            Some(channel.closable_at(ruleset.settlement.dispute_period))
        }

        /// What the payee would be paid for a voucher now, in base units. `None` when it would be
        /// refused: unknown channel, other chain, spent, over the deposit or wrongly signed.
        pub fn claimable(voucher: SignedVoucher) -> Option<Balance> {
            let channel = Channels::<T>::get(voucher.voucher.channel)?;
            Self::check_voucher(&channel, &voucher).ok()
        }
    }
}
