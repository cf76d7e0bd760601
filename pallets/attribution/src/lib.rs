//! # Attribution pallet
//!
//! Settles what models sold, pays everybody whose work shaped the answers, and is the court that
//! voids a settlement when a single proof shows that one of its receipts is a lie.
//!
//! ## Pallet API
//!
//! See the [`pallet`] module for the configuration, calls, storage, events and errors, and [`types`]
//! for what is stored and for the traits that connect the pallet to channels, operators, models and
//! data.
//!
//! ## Overview
//!
//! An operator serves answers over a payment channel and signs a receipt with each. The payer signs
//! growing vouchers. From time to time the operator settles: [`Call::settle`](pallet::Call::settle)
//! takes a voucher and the receipt it names, moves the money from the channel into this pallet's pot
//! and opens a window. While it is open anybody can prove a lie by one challenge, which the chain
//! re-computes, or demand a committed object against a bond. A proven lie, or a demand that nobody
//! answers, voids the settlement: the payer gets the whole amount back, the operator is slashed, the
//! challenger is rewarded. A challenge that proves nothing costs its sender a bond.
//!
//! After the window [`Call::finalise`](pallet::Call::finalise) hands out the operator's, the stakers'
//! and the treasury's shares. Builders and contributors stand in the receipt's *totals*, of which only
//! the root is stored: [`Call::pay`](pallet::Call::pay) pays entries by their openings, a page at a
//! time. What people earn *accrues* and is claimed by [`Call::claim`](pallet::Call::claim), so that
//! shares below the existential deposit or payees that are gone never block anybody else.
//!
//! All governed numbers stand in numbered immutable rulesets, which this pallet keeps:
//! [`Call::add_ruleset`](pallet::Call::add_ruleset) can only add one. A channel, and so every receipt
//! and settlement of it, stays under the ruleset that it began with.
//!
//! ## Terminology
//!
//! * **Mark**: how far a channel is: number, cumulative amount and hash of the last settled receipt.
//! * **Totals**: base units per served model and payee since the mark, committed by every receipt.
//! * **Pot**: the account that holds settled money until it is claimed. It must be funded with the
//!   existential deposit once, at genesis: the books cover everything above that.
//! * **Accrual**: base units that an account can claim, by settlement and model.
//! * **Lie**: what a challenge proves ([`Lie`](attribution_proof::challenge::Lie)).
//! * **Demand**: a bonded request to post a receipt with its query, a response chunk, an influence row
//!   or a transcript step.
//!
//! ## Goals
//!
//! * Whatever a receipt says can be refuted by one call of bounded weight, and nothing that is right.
//! * Withholding never wins: whatever a proof needs can be demanded while there is time to use it.
//! * Money is conserved to the last base unit: `do_try_state` proves the pot against the books.
//!
//! ## Time
//!
//! ```text
//! settle            demands_until            window_end            finalise … pay … sweep
//!   |--- settlement window ---|                   |
//!   |--- challenges ------------------------------|   an answer at block b moves window_end to at
//!   |--- demands -------------|-- answers --|         least b + demand window
//! ```
//!
//! No demand starts after `demands_until`, so the window moves by at most two demand windows. While as
//! many demands are open as may be, time stands still: who fills the places himself to keep others from
//! demanding only waits longer for his money.
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

mod books;
mod challenges;
mod demands;
#[cfg(any(feature = "std", feature = "try-runtime"))]
mod try_state;

#[cfg(feature = "runtime-benchmarks")]
mod benchmarking;
#[cfg(test)]
mod mock;
#[cfg(test)]
mod tests;

pub mod types;
pub mod weights;

pub use pallet::*;
pub use types::*;
pub use weights::WeightInfo;

// The code that the macro writes uses `expect`. Ours, with all logic, stands outside this module.
/// The calls, storage, events and errors of the pallet.
#[allow(clippy::expect_used)]
#[frame_support::pallet]
pub mod pallet {
    use super::{types::*, WeightInfo};
    use alloc::{boxed::Box, vec::Vec};
    use attribution_proof::{
        bounds::{MAX_CREDITS, MAX_SPANS, MAX_TOTALS},
        challenge::Lie,
        hash::Hash,
        influence::{Query, RowOpening},
        merkle::Commitment,
        receipt::{ResponseChunkOpening, ResponseWindow, SignedReceipt},
        record::{ChunkOpening, ChunkWindow, RecordOpening},
        ruleset::Ruleset,
        span::Occurrence,
        split::Split,
        totals::{TotalOpening, Totals},
        voucher::SignedVoucher,
        AccountId, Balance, BlockNumber, ChannelId, ContributionId, ModelId, RulesetId,
        SettlementId,
    };
    use frame_support::{
        pallet_prelude::*,
        traits::fungible::{Mutate, MutateHold},
        PalletId,
    };
    use frame_system::pallet_prelude::*;

    /// Most demands that a settlement waits for at a time. Bounds the work of voiding it, and what an
    /// operator can be made to post at once.
    pub const MAX_OPEN_DEMANDS: u32 = 16;
    /// Most entries that one [`Call::pay`] pays.
    pub const MAX_PAGE: u32 = 32;
    /// Most accruals that one claim collects.
    pub const MAX_CLAIMS: u32 = 64;

    /// One page of openings of a settlement's totals.
    pub type Page = BoundedVec<TotalOpening, ConstU32<MAX_PAGE>>;
    /// The contribution that owns each datum of a receipt: credits first, then spans.
    pub type Owners = BoundedVec<ContributionId, ConstU32<{ MAX_CREDITS + MAX_SPANS }>>;

    /// Layout of the storage.
    const STORAGE_VERSION: StorageVersion = StorageVersion::new(1);

    /// Configuration. Everything that a vote may change stands in a ruleset instead.
    #[pallet::config]
    pub trait Config:
        frame_system::Config<AccountId = AccountId, Hash = Hash, RuntimeEvent: From<Event<Self>>>
    {
        /// The native currency.
        type Currency: Mutate<AccountId, Balance = Balance>
            + MutateHold<AccountId, Balance = Balance, Reason = Self::RuntimeHoldReason>;
        /// The runtime's hold reason.
        type RuntimeHoldReason: From<HoldReason>;
        /// Payment channels.
        type Channels: Channels;
        /// Operators' bonds.
        type Operators: Operators;
        /// Model manifests.
        type Models: Models;
        /// Contributions.
        type Data: Data;
        /// Who may add a ruleset: a referendum.
        type RulesetOrigin: EnsureOrigin<Self::RuntimeOrigin>;
        /// Ruleset 0, where the genesis configuration names no other.
        #[pallet::constant]
        type InitialRuleset: Get<Ruleset>;
        /// Derives the account of the pot.
        #[pallet::constant]
        type PalletId: Get<PalletId>;
        /// The treasury.
        type Treasury: Get<AccountId>;
        /// The account out of which validators and their nominators are rewarded.
        type StakersPot: Get<AccountId>;
        /// Blocks from finalising a settlement to when [`Call::sweep`] may close it. Long: entries
        /// can be paid by anybody, but somebody must have kept the totals.
        #[pallet::constant]
        type PayoutPeriod: Get<BlockNumber>;
        /// Weights.
        type WeightInfo: WeightInfo;
        /// Fills the pallets behind the traits in benchmarks.
        #[cfg(feature = "runtime-benchmarks")]
        type BenchmarkHelper: BenchmarkHelper;
    }

    /// The pallet.
    #[pallet::pallet]
    #[pallet::storage_version(STORAGE_VERSION)]
    pub struct Pallet<T>(_);

    /// Why this pallet holds funds.
    #[pallet::composite_enum]
    pub enum HoldReason {
        /// The bond of an open demand: back to the demander when nobody answers, to whoever does
        /// otherwise.
        #[codec(index = 0)]
        DemandBond,
    }

    /// Rulesets by number. One is never changed or removed.
    // Twox64Concat: keys are our own counters.
    #[pallet::storage]
    pub type RulesetOf<T: Config> = StorageMap<_, Twox64Concat, RulesetId, Ruleset, OptionQuery>;

    /// Number of the newest ruleset.
    #[pallet::storage]
    pub type CurrentRuleset<T: Config> = StorageValue<_, RulesetId, ValueQuery>;

    /// Settlements that are pending or not yet paid out.
    // Twox64Concat: keys are our own counters.
    #[pallet::storage]
    pub type Settlements<T: Config> =
        StorageMap<_, Twox64Concat, SettlementId, Settlement, OptionQuery>;

    /// Settlements so far; the next one has this number plus one.
    #[pallet::storage]
    pub type SettlementCount<T: Config> = StorageValue<_, SettlementId, ValueQuery>;

    /// Open demands by settlement, at most [`MAX_OPEN_DEMANDS`] for each.
    // Twox64Concat: keys are our own counters.
    #[pallet::storage]
    pub type Demands<T: Config> = StorageDoubleMap<
        _,
        Twox64Concat,
        SettlementId,
        Twox64Concat,
        DemandId,
        Demand,
        OptionQuery,
    >;

    /// Demands so far; the next one has this number plus one.
    #[pallet::storage]
    pub type DemandCount<T: Config> = StorageValue<_, DemandId, ValueQuery>;

    /// The block since which a settlement has had as many open demands as it may. Until one of them is
    /// answered its time stands still: otherwise an operator could fill all places himself and so keep
    /// everybody else from demanding what he withholds.
    // Twox64Concat: keys are our own counters.
    #[pallet::storage]
    pub type FullSince<T: Config> =
        StorageMap<_, Twox64Concat, SettlementId, BlockNumber, OptionQuery>;

    /// Base units that an account can claim, by source. Never zero.
    // Blake2_128Concat for accounts, which people choose; Twox64Concat for our own counters.
    #[pallet::storage]
    pub type Accruals<T: Config> =
        StorageDoubleMap<_, Blake2_128Concat, AccountId, Twox64Concat, Source, Balance, ValueQuery>;

    /// Base units that an account ever earned as contributor or builder, by served model.
    // Blake2_128Concat for accounts, which people choose; Twox64Concat for counters.
    #[pallet::storage]
    pub type EarnedByModel<T: Config> = StorageDoubleMap<
        _,
        Blake2_128Concat,
        AccountId,
        Twox64Concat,
        ModelId,
        Balance,
        ValueQuery,
    >;

    /// Genesis configuration.
    #[pallet::genesis_config]
    #[derive(frame_support::DefaultNoBound)]
    pub struct GenesisConfig<T: Config> {
        /// Ruleset 0; [`Config::InitialRuleset`] when absent.
        pub ruleset: Option<Ruleset>,
        /// Carries the type parameter.
        #[serde(skip)]
        pub _config: PhantomData<T>,
    }

    #[pallet::genesis_build]
    impl<T: Config> BuildGenesisConfig for GenesisConfig<T> {
        fn build(&self) {
            let ruleset = self.ruleset.unwrap_or_else(T::InitialRuleset::get);
            let checked = ruleset.validate();
            assert!(
                checked.is_ok(),
                "ruleset 0 of the genesis is out of bounds: {checked:?}"
            );
            RulesetOf::<T>::insert(0, ruleset);
        }
    }

    /// What happened.
    #[pallet::event]
    #[pallet::generate_deposit(pub(super) fn deposit_event)]
    pub enum Event<T: Config> {
        /// A ruleset was added and governs everything that begins from now on.
        RulesetAdded {
            /// Its number.
            ruleset: RulesetId,
        },
        /// A channel was settled and the settlement's window is open.
        Settled {
            /// The settlement.
            settlement: SettlementId,
            /// The channel.
            channel: ChannelId,
            /// Who paid.
            payer: AccountId,
            /// Who served.
            operator: AccountId,
            /// Ruleset.
            ruleset: RulesetId,
            /// Number of the first receipt.
            first: u64,
            /// Number of the last receipt.
            last: u64,
            /// Base units.
            amount: Balance,
            /// How they will be split.
            split: Split,
            /// Totals: who earns the data and builder shares.
            totals: Commitment,
            /// Last block of the window.
            window_end: BlockNumber,
        },
        /// A settlement stood its window.
        Finalised {
            /// The settlement.
            settlement: SettlementId,
            /// Who served.
            operator: AccountId,
            /// How it is split.
            split: Split,
        },
        /// An account can claim more.
        Accrued {
            /// The account.
            who: AccountId,
            /// The settlement.
            settlement: SettlementId,
            /// The served model, where the money follows one.
            model: Option<ModelId>,
            /// What for.
            purpose: Purpose,
            /// Base units.
            amount: Balance,
        },
        /// A share was transferred at once.
        Paid {
            /// The account.
            who: AccountId,
            /// The settlement.
            settlement: SettlementId,
            /// The served model, where the money follows one.
            model: Option<ModelId>,
            /// What for.
            purpose: Purpose,
            /// Base units.
            amount: Balance,
        },
        /// Entries of a settlement's totals were paid.
        EntriesPaid {
            /// The settlement.
            settlement: SettlementId,
            /// How many.
            entries: u32,
            /// Base units.
            amount: Balance,
        },
        /// A settlement is paid out and gone.
        Closed {
            /// The settlement.
            settlement: SettlementId,
            /// Base units of the data and builder shares that no entry claimed; they went to the
            /// treasury.
            swept: Balance,
        },
        /// An account's accruals were transferred to it.
        Claimed {
            /// The account.
            who: AccountId,
            /// How many accruals.
            entries: u32,
            /// Base units.
            amount: Balance,
        },
        /// A challenge proved nothing, and its sender paid for it.
        ChallengeRejected {
            /// The settlement.
            settlement: SettlementId,
            /// The sender.
            challenger: AccountId,
            /// Base units that he lost to the treasury.
            bond: Balance,
            /// Why it proved nothing.
            reason: Rejection,
        },
        /// A lie was proven. The settlement is gone and its amount accrued to the payer; the
        /// channel's mark stays where it was settled.
        Voided {
            /// The settlement.
            settlement: SettlementId,
            /// The channel.
            channel: ChannelId,
            /// Who served.
            operator: AccountId,
            /// Who gets the amount back.
            payer: AccountId,
            /// What was proven.
            lie: Lie,
            /// Who proved it.
            challenger: AccountId,
            /// Base units that accrued to the payer.
            refunded: Balance,
            /// Base units taken from the operator's bond.
            slashed: Balance,
        },
        /// Somebody demands an object.
        Demanded {
            /// The settlement.
            settlement: SettlementId,
            /// The demand.
            demand: DemandId,
            /// Who.
            demander: AccountId,
            /// What.
            object: Demanded,
            /// Bond in base units.
            bond: Balance,
            /// Last block for an answer.
            deadline: BlockNumber,
        },
        /// A demanded object was posted; it stands in the call.
        Answered {
            /// The settlement.
            settlement: SettlementId,
            /// The demand.
            demand: DemandId,
            /// Who answered and earned the bond.
            by: AccountId,
            /// Bond in base units.
            bond: Balance,
            /// Last block of the settlement's window from now on.
            window_end: BlockNumber,
        },
        /// The bond of a demand went back to its demander: nobody answered in time, or the settlement
        /// was voided.
        DemandClosed {
            /// The settlement.
            settlement: SettlementId,
            /// The demand.
            demand: DemandId,
            /// Who demanded.
            demander: AccountId,
            /// Bond in base units.
            bond: Balance,
        },
    }

    /// What was wrong with a call, and what to do.
    #[pallet::error]
    pub enum Error<T> {
        /// A window or deadline of the ruleset is zero or longer than a year, or the demand window is
        /// longer than the settlement window. Change it.
        RulesetWindow,
        /// An amount of the ruleset is too large, a deterrent is zero, or an operator's bond does not
        /// cover what it must. Change it.
        RulesetAmount,
        /// A share of the ruleset is over the whole, the split does not sum to it, or the
        /// challenger's reward is over half. Change it.
        RulesetShare,
        /// The ruleset's number of credits is zero or over the format's bound. Change it.
        RulesetTopK,
        /// The ruleset's cosine floor is not between zero and one. Change it.
        RulesetFloor,
        /// The ruleset's shortest span or weight cap is out of bounds. Change it.
        RulesetSpan,
        /// All ruleset numbers are used.
        TooManyRulesets,
        /// There is no ruleset with the channel's number. The runtime is wired wrongly: report it.
        UnknownRuleset,
        /// The channel moved another amount than its marks differ by. The runtime is wired wrongly:
        /// report it.
        InconsistentClaim,
        /// The pot has less than the existential deposit. Transfer the existential deposit to the
        /// pot's account once, then settle again.
        PotNotFunded,
        /// The receipt is of another chain. Settle it there.
        WrongGenesis,
        /// The voucher names another receipt. Hand in the receipt whose hash stands in the voucher.
        ReceiptNotInVoucher,
        /// Channel, number or cumulative amount differ between receipt and voucher. Such a voucher
        /// cannot be settled: ask the payer for one that fits the receipt.
        ReceiptContradictsVoucher,
        /// The sender did not sign the receipt. Settle with the account that signs the receipts.
        ReceiptNotSigned,
        /// The receipt names another ruleset than its channel.
        WrongRuleset,
        /// The receipt has more credits than its ruleset allows.
        TooManyCredits,
        /// The receipt's credits are out of order, doubled, not positive or of a reserved kind.
        InvalidCredits,
        /// The receipt's spans are out of order, overlapping, too short, too long or past the
        /// response.
        InvalidSpans,
        /// The receipt's number of response chunks does not fit the response's length.
        InvalidResponse,
        /// The receipt's number is zero, its cumulative amount is below its price, or its totals are
        /// over their bound.
        InvalidCounters,
        /// The operator's bond does not cover what a lie costs. Add to the bond, then settle again.
        BondTooLow,
        /// There is no such settlement: it never was, was voided, or is paid out.
        UnknownSettlement,
        /// The settlement is final, so it can no longer be challenged.
        SettlementFinal,
        /// The settlement is not final yet. Finalise it when its window is over.
        SettlementPending,
        /// The settlement's window is over, so it can no longer be challenged. Finalise it.
        WindowOver,
        /// The settlement's window is still open. Wait for its last block to pass.
        WindowOpen,
        /// The settlement waits for an answer to a demand. Answer it, or let it expire.
        DemandsOpen,
        /// The sender cannot pay for a challenge that proves nothing. Have the ruleset's challenge
        /// bond in free balance above the existential deposit.
        CannotAffordChallenge,
        /// An opening does not prove its entry under the settlement's totals.
        WrongOpening,
        /// An entry of the page is paid already. Leave it out.
        AlreadyPaid,
        /// The page has no entry.
        EmptyPage,
        /// The entries exceed the settlement's data and builder shares: its totals are false. What is
        /// left goes to the treasury by sweep.
        TotalsExceedShares,
        /// The settlement's payout period is not over. Pay its entries instead.
        PayoutPeriodOpen,
        /// The account has nothing to claim.
        NothingToClaim,
        /// The limit is zero or over the bound of one claim.
        InvalidLimit,
        /// The claimed sum is below the existential deposit and the account does not exist. Fund the
        /// account first, or wait until more accrued.
        BelowExistentialDeposit,
        /// The time to demand objects of this settlement is over.
        DemandsClosed,
        /// The settlement waits for as many demands as it may. Try again when one is answered: until
        /// then its time stands still.
        TooManyDemands,
        /// The same object is demanded already. Wait for the answer.
        AlreadyDemanded,
        /// The receipt's number is not among those settled here.
        NotSettledHere,
        /// The receipt that should show that the operator has the object is not one of his, of this
        /// channel and ruleset.
        ForeignReceipt,
        /// No such object is committed: the response has fewer chunks, the model is not of the served
        /// lineage or was brought from outside, or the row or step does not exist.
        NoSuchObject,
        /// The sender cannot put up the demand's bond. Have it in free balance.
        CannotAffordDemand,
        /// There is no such open demand.
        UnknownDemand,
        /// The answer is not the demanded object.
        WrongAnswer,
        /// The demand can still be answered. Wait for its deadline to pass.
        DemandOpen,
        /// The demand's deadline has passed. It can only expire now.
        DemandOver,
    }

    #[pallet::hooks]
    impl<T: Config> Hooks<BlockNumberFor<T>> for Pallet<T> {
        fn integrity_test() {
            assert!(
                T::InitialRuleset::get().validate().is_ok(),
                "the initial ruleset must be within its bounds",
            );
            assert!(T::PayoutPeriod::get() > 0, "entries need time to be paid");
            assert!(
                BITMAP_BYTES.saturating_mul(8) >= MAX_TOTALS,
                "the bitmap must have a bit for each entry",
            );
        }

        #[cfg(feature = "try-runtime")]
        fn try_state(_: BlockNumberFor<T>) -> Result<(), sp_runtime::TryRuntimeError> {
            Self::do_try_state()
        }
    }

    #[pallet::call]
    impl<T: Config> Pallet<T> {
        /// Adds a ruleset, which governs channels, jobs and contributions that begin after it.
        ///
        /// ## Dispatch Origin
        ///
        /// [`Config::RulesetOrigin`].
        ///
        /// ## Events
        ///
        /// [`Event::RulesetAdded`].
        #[pallet::call_index(0)]
        #[pallet::weight(T::WeightInfo::add_ruleset())]
        pub fn add_ruleset(origin: OriginFor<T>, ruleset: Box<Ruleset>) -> DispatchResult {
            T::RulesetOrigin::ensure_origin(origin)?;
            Self::do_add_ruleset(*ruleset)
        }

        /// Settles a channel up to `voucher`, which names `receipt`, and opens the settlement's window.
        ///
        /// ## Dispatch Origin
        ///
        /// Signed by the channel's payee, who also signed the receipt.
        ///
        /// ## Details
        ///
        /// The money moves from the channel's deposit into the pot and waits there. Settle only when
        /// the last receipt given out is the one that the voucher names: the totals of the next start
        /// from nothing.
        ///
        /// ## Events
        ///
        /// [`Event::Settled`].
        #[pallet::call_index(1)]
        #[pallet::weight(T::WeightInfo::settle())]
        pub fn settle(
            origin: OriginFor<T>,
            voucher: SignedVoucher,
            receipt: Box<SignedReceipt>,
        ) -> DispatchResult {
            let operator = ensure_signed(origin)?;
            Self::do_settle(operator, &voucher, &receipt)
        }

        /// Ends the window of a settlement that nobody proved to be a lie, and hands out the
        /// operator's, the stakers' and the treasury's shares.
        ///
        /// ## Dispatch Origin
        ///
        /// Signed by anybody.
        ///
        /// ## Events
        ///
        /// [`Event::Finalised`], [`Event::Accrued`], [`Event::Paid`], and [`Event::Closed`] when its
        /// totals have no entry.
        #[pallet::call_index(2)]
        #[pallet::weight(T::WeightInfo::finalise())]
        pub fn finalise(origin: OriginFor<T>, settlement: SettlementId) -> DispatchResult {
            ensure_signed(origin)?;
            Self::do_finalise(settlement)
        }

        /// Pays entries of a final settlement's totals to builders and contributors, by openings.
        /// The part of a tombstoned contribution goes to the treasury.
        ///
        /// ## Dispatch Origin
        ///
        /// Signed by anybody.
        ///
        /// ## Events
        ///
        /// [`Event::Accrued`] and [`Event::Paid`] for each payee, [`Event::EntriesPaid`], and
        /// [`Event::Closed`] with the last entry.
        #[pallet::call_index(3)]
        #[pallet::weight(T::WeightInfo::pay(openings.len() as u32))]
        pub fn pay(
            origin: OriginFor<T>,
            settlement: SettlementId,
            openings: Page,
        ) -> DispatchResult {
            ensure_signed(origin)?;
            Self::do_pay(settlement, &openings)
        }

        /// Closes a settlement that was final for [`Config::PayoutPeriod`]: what no entry claimed goes
        /// to the treasury.
        ///
        /// ## Dispatch Origin
        ///
        /// Signed by anybody.
        ///
        /// ## Events
        ///
        /// [`Event::Closed`], and [`Event::Paid`] or [`Event::Accrued`] for the treasury.
        #[pallet::call_index(4)]
        #[pallet::weight(T::WeightInfo::sweep())]
        pub fn sweep(origin: OriginFor<T>, settlement: SettlementId) -> DispatchResult {
            ensure_signed(origin)?;
            Self::do_sweep(settlement)
        }

        /// Transfers up to `limit` of the sender's accruals to him.
        ///
        /// ## Dispatch Origin
        ///
        /// Signed by whoever earned.
        ///
        /// ## Events
        ///
        /// [`Event::Claimed`].
        #[pallet::call_index(5)]
        #[pallet::weight(T::WeightInfo::claim((*limit).min(MAX_CLAIMS)))]
        pub fn claim(origin: OriginFor<T>, limit: u32) -> DispatchResultWithPostInfo {
            let who = ensure_signed(origin)?;
            let claimed = Self::do_claim(&who, limit)?;
            Ok(Some(T::WeightInfo::claim(claimed)).into())
        }

        /// Transfers up to `limit` of `who`'s accruals to `who`.
        ///
        /// ## Dispatch Origin
        ///
        /// Signed by anybody, who pays the fee.
        ///
        /// ## Events
        ///
        /// [`Event::Claimed`].
        #[pallet::call_index(6)]
        #[pallet::weight(T::WeightInfo::claim_for((*limit).min(MAX_CLAIMS)))]
        pub fn claim_for(
            origin: OriginFor<T>,
            who: AccountId,
            limit: u32,
        ) -> DispatchResultWithPostInfo {
            ensure_signed(origin)?;
            let claimed = Self::do_claim(&who, limit)?;
            Ok(Some(T::WeightInfo::claim_for(claimed)).into())
        }

        /// Challenge 1: the credit at `position` of a settled receipt has another score, or its row
        /// may not be credited.
        ///
        /// ## Dispatch Origin
        ///
        /// Signed by anybody who can afford the ruleset's challenge bond.
        ///
        /// ## Events
        ///
        /// [`Event::Voided`], or [`Event::ChallengeRejected`] when the evidence proves nothing.
        #[pallet::call_index(7)]
        #[pallet::weight(T::WeightInfo::challenge_score())]
        pub fn challenge_score(
            origin: OriginFor<T>,
            settlement: SettlementId,
            receipt: Box<SignedReceipt>,
            position: u32,
            query: Box<Query>,
            opening: Box<RowOpening>,
        ) -> DispatchResult {
            let challenger = ensure_signed(origin)?;
            Self::challenge(challenger, settlement, |stored, ruleset| {
                Self::judge_score(stored, ruleset, &receipt, position, &query, &opening)
            })
        }

        /// Challenge 2: an eligible row of `model`'s index is missing from a short list of credits, or
        /// precedes the last of a full one.
        ///
        /// ## Dispatch Origin
        ///
        /// Signed by anybody who can afford the ruleset's challenge bond.
        ///
        /// ## Events
        ///
        /// [`Event::Voided`], or [`Event::ChallengeRejected`] when the evidence proves nothing.
        #[pallet::call_index(8)]
        #[pallet::weight(T::WeightInfo::challenge_omission())]
        pub fn challenge_omission(
            origin: OriginFor<T>,
            settlement: SettlementId,
            receipt: Box<SignedReceipt>,
            model: ModelId,
            query: Box<Query>,
            opening: Box<RowOpening>,
        ) -> DispatchResult {
            let challenger = ensure_signed(origin)?;
            Self::challenge(challenger, settlement, |stored, ruleset| {
                Self::judge_omission(stored, ruleset, &receipt, model, &query, &opening)
            })
        }

        /// Challenge 3: the byte at `distance` from the start of span `position` differs between the
        /// response and the record, or the span may not be there at all. `record` opens in
        /// `contribution` the record that the span names.
        ///
        /// ## Dispatch Origin
        ///
        /// Signed by anybody who can afford the ruleset's challenge bond.
        ///
        /// ## Events
        ///
        /// [`Event::Voided`], or [`Event::ChallengeRejected`] when the evidence proves nothing.
        #[pallet::call_index(9)]
        #[pallet::weight(T::WeightInfo::challenge_bytes())]
        pub fn challenge_bytes(
            origin: OriginFor<T>,
            settlement: SettlementId,
            receipt: Box<SignedReceipt>,
            position: u32,
            distance: u32,
            contribution: ContributionId,
            record: Box<RecordOpening>,
            response: Box<ResponseChunkOpening>,
            bytes: Box<ChunkOpening>,
        ) -> DispatchResult {
            let challenger = ensure_signed(origin)?;
            Self::challenge(challenger, settlement, |stored, _| {
                Self::judge_bytes(
                    stored,
                    &receipt,
                    position,
                    distance,
                    contribution,
                    &record,
                    &response,
                    &bytes,
                )
            })
        }

        /// Challenge 4: `length` bytes from `start` of the response stand at `at`, and the receipt's
        /// cover should have said so. `record` opens in `contribution` the record that `at` names.
        ///
        /// ## Dispatch Origin
        ///
        /// Signed by anybody who can afford the ruleset's challenge bond.
        ///
        /// ## Events
        ///
        /// [`Event::Voided`], or [`Event::ChallengeRejected`] when the evidence proves nothing.
        #[pallet::call_index(10)]
        #[pallet::weight(T::WeightInfo::challenge_span())]
        pub fn challenge_span(
            origin: OriginFor<T>,
            settlement: SettlementId,
            receipt: Box<SignedReceipt>,
            start: u32,
            length: u32,
            at: Occurrence,
            contribution: ContributionId,
            record: Box<RecordOpening>,
            response: Box<ResponseWindow>,
            bytes: Box<ChunkWindow>,
        ) -> DispatchResult {
            let challenger = ensure_signed(origin)?;
            Self::challenge(challenger, settlement, |stored, ruleset| {
                Self::judge_span(
                    stored,
                    ruleset,
                    &receipt,
                    start,
                    length,
                    at,
                    contribution,
                    &record,
                    &response,
                    &bytes,
                )
            })
        }

        /// Challenge 5: `receipt` does not follow from `previous`, or from the settlement's mark when
        /// there is none. `before` are the totals that `previous` commits to, empty at the mark.
        /// `owners` names the contribution of each datum of `receipt`, credits first, then spans; it
        /// matters only when everything but the totals is right.
        ///
        /// ## Dispatch Origin
        ///
        /// Signed by anybody who can afford the ruleset's challenge bond.
        ///
        /// ## Events
        ///
        /// [`Event::Voided`], or [`Event::ChallengeRejected`] when the evidence proves nothing.
        #[pallet::call_index(11)]
        #[pallet::weight(T::WeightInfo::challenge_step())]
        pub fn challenge_step(
            origin: OriginFor<T>,
            settlement: SettlementId,
            previous: Option<Box<SignedReceipt>>,
            receipt: Box<SignedReceipt>,
            before: Box<Totals>,
            owners: Owners,
        ) -> DispatchResult {
            let challenger = ensure_signed(origin)?;
            Self::challenge(challenger, settlement, |stored, ruleset| {
                Self::judge_step(
                    stored,
                    ruleset,
                    previous.as_deref(),
                    &receipt,
                    &before,
                    &owners,
                )
            })
        }

        /// Challenge 6: a signed receipt that the settlement contradicts: another one than it ends in,
        /// or a first one that does not continue the mark.
        ///
        /// ## Dispatch Origin
        ///
        /// Signed by anybody who can afford the ruleset's challenge bond.
        ///
        /// ## Events
        ///
        /// [`Event::Voided`], or [`Event::ChallengeRejected`] when the evidence proves nothing.
        #[pallet::call_index(12)]
        #[pallet::weight(T::WeightInfo::challenge_settlement())]
        pub fn challenge_settlement(
            origin: OriginFor<T>,
            settlement: SettlementId,
            receipt: Box<SignedReceipt>,
        ) -> DispatchResult {
            let challenger = ensure_signed(origin)?;
            Self::challenge(challenger, settlement, |stored, _| {
                Self::judge_settlement(stored, &receipt)
            })
        }

        /// Challenge 6, too: the operator signed two different receipts with one number.
        ///
        /// ## Dispatch Origin
        ///
        /// Signed by anybody who can afford the ruleset's challenge bond.
        ///
        /// ## Events
        ///
        /// [`Event::Voided`], or [`Event::ChallengeRejected`] when the evidence proves nothing.
        #[pallet::call_index(13)]
        #[pallet::weight(T::WeightInfo::challenge_equivocation())]
        pub fn challenge_equivocation(
            origin: OriginFor<T>,
            settlement: SettlementId,
            first: Box<SignedReceipt>,
            second: Box<SignedReceipt>,
        ) -> DispatchResult {
            let challenger = ensure_signed(origin)?;
            Self::challenge(challenger, settlement, |stored, _| {
                Self::judge_equivocation(stored, &first, &second)
            })
        }

        /// Demands an object that the settlement's operator must have.
        ///
        /// ## Dispatch Origin
        ///
        /// Signed by anybody who can put up the ruleset's demand bond.
        ///
        /// ## Details
        ///
        /// Whoever posts the object in time earns the bond. When nobody does, the settlement is voided
        /// and the bond goes back.
        ///
        /// ## Events
        ///
        /// [`Event::Demanded`].
        #[pallet::call_index(14)]
        #[pallet::weight(T::WeightInfo::demand())]
        pub fn demand(
            origin: OriginFor<T>,
            settlement: SettlementId,
            request: DemandRequest,
        ) -> DispatchResult {
            let demander = ensure_signed(origin)?;
            Self::do_demand(demander, settlement, &request)
        }

        /// Posts a demanded object and earns the demand's bond.
        ///
        /// ## Dispatch Origin
        ///
        /// Signed by anybody.
        ///
        /// ## Events
        ///
        /// [`Event::Answered`].
        #[pallet::call_index(15)]
        #[pallet::weight(T::WeightInfo::answer())]
        pub fn answer(
            origin: OriginFor<T>,
            settlement: SettlementId,
            demand: DemandId,
            answer: Box<Answer>,
        ) -> DispatchResult {
            let by = ensure_signed(origin)?;
            Self::do_answer(by, settlement, demand, &answer)
        }

        /// Challenge 7: voids a settlement whose operator let a demand's deadline pass. A withheld row
        /// or step is a strike against its model, too.
        ///
        /// ## Dispatch Origin
        ///
        /// Signed by anybody; the challenger's reward is the demander's.
        ///
        /// ## Events
        ///
        /// [`Event::Voided`], [`Event::DemandClosed`].
        #[pallet::call_index(16)]
        #[pallet::weight(T::WeightInfo::expire_demand())]
        pub fn expire_demand(
            origin: OriginFor<T>,
            settlement: SettlementId,
            demand: DemandId,
        ) -> DispatchResult {
            ensure_signed(origin)?;
            Self::do_expire_demand(settlement, demand)
        }
    }

    #[pallet::view_functions]
    impl<T: Config> Pallet<T> {
        /// What `account` earned: unclaimed money by settlement and model, and all of it by model.
        pub fn earnings(account: AccountId) -> Earnings {
            Self::earnings_of(&account)
        }

        /// A settlement.
        pub fn settlement(settlement: SettlementId) -> Option<Settlement> {
            Settlements::<T>::get(settlement)
        }

        /// The open demands of a settlement, ascending.
        pub fn demands(settlement: SettlementId) -> Vec<(DemandId, Demand)> {
            Self::open_demands(settlement)
        }

        /// The newest ruleset and its number.
        pub fn current_ruleset() -> (RulesetId, Ruleset) {
            <Self as attribution_proof::ruleset::Rulesets>::current()
        }

        /// A ruleset.
        pub fn ruleset(ruleset: RulesetId) -> Option<Ruleset> {
            <Self as attribution_proof::ruleset::Rulesets>::get(ruleset)
        }

        /// The account that holds settled money.
        pub fn pot() -> AccountId {
            Self::pot_account()
        }
    }
}
