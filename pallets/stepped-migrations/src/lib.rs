//! # Stepped migrations pallet
//!
//! Carries out the migrations of a runtime upgrade that do not fit into one block.
//!
//! ## Overview
//!
//! A runtime lists its [`SteppedMigrations`]. In the block in which an upgrade takes effect, this pallet
//! finds those that have not been done on this chain, and from then on does a part of them in each block,
//! until all are done. Meanwhile blocks hold inherents only, the code cannot be replaced, and finality goes
//! on.
//!
//! It exists because the SDK's pallet for this is under a licence (GPL-3.0-only) that would become the
//! runtime's. It is an implementation of the frame's own [`MultiStepMigrator`].
//!
//! ## Terminology
//!
//! - **Migration**: one entry of the runtime's list, known by its identifier. It is done once.
//! - **Step**: what a migration does at a time; it says by a *cursor* where it goes on.
//!
//! ## Goals
//!
//! - Each migration is done at most once on a chain, also when it stays in the list for many upgrades.
//! - A migration that fails, or takes more steps than it promised, never stops the chain: it is given up,
//!   its last step undone, with [`Event::Failed`]; those after it do not begin, and transactions are taken
//!   again. With no superuser, only governance can repair a chain, and governance needs transactions. What
//!   the repair is, and whether calls have to be paused until then, depends on the migration.
//! - Windows that are counted in blocks run on while no transaction is possible, so a list must not take
//!   more than minutes. [`Config::MaxBlocks`] bounds it.

#![cfg_attr(not(feature = "std"), no_std)]

extern crate alloc;

#[cfg(test)]
mod tests;

use alloc::vec::Vec;

use codec::{Decode, Encode, MaxEncodedLen};
use frame_support::{
    migrations::{MultiStepMigrator, SteppedMigrationError, SteppedMigrations},
    pallet_prelude::*,
    weights::WeightMeter,
};
use frame_system::pallet_prelude::BlockNumberFor;

pub use pallet::*;

/// The longest identifier of a migration, in bytes.
pub const MAX_IDENTIFIER: u32 = 256;
/// The longest cursor of a migration, in bytes.
pub const MAX_CURSOR: u32 = 1_024;

/// A migration's identifier, encoded.
pub type Identifier = BoundedVec<u8, ConstU32<MAX_IDENTIFIER>>;

/// Where the migrations of an upgrade stand.
#[derive(Clone, Debug, Decode, Encode, Eq, MaxEncodedLen, PartialEq, TypeInfo)]
pub struct Progress<BlockNumber> {
    /// The migration at work, as its place in the runtime's list.
    pub index: u32,
    /// Where it goes on; none before its first step.
    pub cursor: Option<BoundedVec<u8, ConstU32<MAX_CURSOR>>>,
    /// The steps that it has done.
    pub steps: u32,
    /// The first block with steps.
    pub since: BlockNumber,
}

/// Why a migration was given up.
#[derive(
    Clone,
    Copy,
    Debug,
    Decode,
    DecodeWithMemTracking,
    Encode,
    Eq,
    MaxEncodedLen,
    PartialEq,
    TypeInfo,
)]
pub enum Failure {
    /// It says itself that it cannot go on, or does not understand its cursor.
    #[codec(index = 0)]
    Refused,
    /// Its next step needs more weight than a block gives.
    #[codec(index = 1)]
    StepTooHeavy,
    /// It took more steps than it promised.
    #[codec(index = 2)]
    TooManySteps,
    /// Migrations took more blocks than they may.
    #[codec(index = 3)]
    TooManyBlocks,
}

/// The pallet.
#[frame_support::pallet]
pub mod pallet {
    use super::*;

    /// The in-code storage version.
    const STORAGE_VERSION: StorageVersion = StorageVersion::new(1);

    /// What the runtime decides about this pallet.
    #[pallet::config]
    pub trait Config: frame_system::Config<RuntimeEvent: From<Event<Self>>> {
        /// The migrations, in the order in which they are done.
        type Migrations: SteppedMigrations;

        /// What steps may use of a block.
        #[pallet::constant]
        type BlockShare: Get<Weight>;

        /// The most blocks that the migrations of an upgrade may take.
        #[pallet::constant]
        type MaxBlocks: Get<BlockNumberFor<Self>>;
    }

    /// The pallet's type.
    #[pallet::pallet]
    #[pallet::storage_version(STORAGE_VERSION)]
    pub struct Pallet<T>(_);

    /// Migrations at work, if any.
    #[pallet::storage]
    pub type Ongoing<T: Config> = StorageValue<_, Progress<BlockNumberFor<T>>, OptionQuery>;

    // Identifiers are chosen by the runtime's authors: Twox is enough.
    /// Migrations that were done on this chain.
    #[pallet::storage]
    pub type Done<T: Config> = StorageMap<_, Twox64Concat, Identifier, (), OptionQuery>;

    /// What the pallet announces.
    #[pallet::event]
    #[pallet::generate_deposit(pub(crate) fn deposit_event)]
    pub enum Event<T: Config> {
        /// Migrations began: until they end, blocks hold no transactions.
        Started,
        /// A migration is done.
        Migrated {
            /// Its identifier, encoded.
            migration: Identifier,
            /// The steps that it took.
            steps: u32,
        },
        /// All migrations are done.
        Completed,
        /// A migration was given up, and those after it with it. Governance has to repair what it left.
        Failed {
            /// Its identifier, encoded.
            migration: Identifier,
            /// The steps that it had done before.
            steps: u32,
            /// Why.
            failure: Failure,
        },
    }

    #[pallet::hooks]
    impl<T: Config> Hooks<BlockNumberFor<T>> for Pallet<T> {
        fn on_runtime_upgrade() -> Weight {
            let reads = T::Migrations::len().into();
            if (0..T::Migrations::len()).all(Self::is_done) {
                return T::DbWeight::get().reads(reads);
            }
            Ongoing::<T>::put(Progress {
                index: 0,
                cursor: None,
                steps: 0,
                since: frame_system::Pallet::<T>::block_number(),
            });
            Self::deposit_event(Event::Started);
            T::DbWeight::get().reads_writes(reads, 1)
        }

        fn integrity_test() {
            assert!(
                T::Migrations::identifier_max_encoded_len() <= MAX_IDENTIFIER as usize,
                "an identifier of a migration is longer than {MAX_IDENTIFIER} bytes"
            );
            assert!(
                T::Migrations::cursor_max_encoded_len() <= MAX_CURSOR as usize,
                "a cursor of a migration is longer than {MAX_CURSOR} bytes"
            );
            let limit = <T as frame_system::Config>::BlockWeights::get().max_block;
            assert!(
                T::BlockShare::get().all_lt(limit),
                "steps may use a whole block or more"
            );
        }

        #[cfg(feature = "try-runtime")]
        fn try_state(_: BlockNumberFor<T>) -> Result<(), sp_runtime::TryRuntimeError> {
            // An index beyond the list is the end, which the next block notes.
            ensure!(
                Ongoing::<T>::get().is_none_or(|progress| progress.index <= T::Migrations::len()),
                "the migration at work is none of the runtime's"
            );
            Ok(())
        }
    }
}

/// The end of a block's work.
enum End {
    /// There is weight, and something to do, in the next block.
    Later,
    /// All are done.
    Completed,
    /// The one at work is given up.
    Failed(Failure),
}

impl<T: Config> Pallet<T> {
    /// The identifier of the migration at a place of the list; empty beyond its end.
    fn identifier(index: u32) -> Identifier {
        Identifier::truncate_from(T::Migrations::nth_id(index).unwrap_or_default())
    }

    fn is_done(index: u32) -> bool {
        Done::<T>::contains_key(Self::identifier(index))
    }

    /// Does steps while the meter allows.
    fn work(progress: &mut Progress<BlockNumberFor<T>>, meter: &mut WeightMeter) -> End {
        let blocks = frame_system::Pallet::<T>::block_number() - progress.since;
        if blocks > T::MaxBlocks::get() {
            return End::Failed(Failure::TooManyBlocks);
        }
        let mut stepped = false;
        loop {
            if progress.index >= T::Migrations::len() {
                return End::Completed;
            }
            if meter
                .try_consume(T::DbWeight::get().reads_writes(1, 1))
                .is_err()
            {
                return End::Later;
            }
            if Self::is_done(progress.index) {
                Self::next(progress);
                continue;
            }
            let most = T::Migrations::nth_max_steps(progress.index).flatten();
            if most.is_some_and(|most| progress.steps >= most) {
                return End::Failed(Failure::TooManySteps);
            }
            let cursor = progress.cursor.clone().map(Vec::from);
            match T::Migrations::nth_transactional_step(progress.index, cursor, meter) {
                Some(Ok(Some(cursor))) => match BoundedVec::try_from(cursor) {
                    Ok(cursor) => {
                        progress.cursor = Some(cursor);
                        progress.steps = progress.steps.saturating_add(1);
                        stepped = true;
                    }
                    Err(_) => return End::Failed(Failure::Refused),
                },
                Some(Ok(None)) => {
                    let migration = Self::identifier(progress.index);
                    Done::<T>::insert(&migration, ());
                    Self::deposit_event(Event::Migrated {
                        migration,
                        steps: progress.steps.saturating_add(1),
                    });
                    Self::next(progress);
                    stepped = true;
                }
                // A fresh block has no more to give.
                Some(Err(SteppedMigrationError::InsufficientWeight { .. })) if stepped => {
                    return End::Later
                }
                Some(Err(SteppedMigrationError::InsufficientWeight { .. })) => {
                    return End::Failed(Failure::StepTooHeavy)
                }
                Some(Err(SteppedMigrationError::InvalidCursor | SteppedMigrationError::Failed))
                | None => return End::Failed(Failure::Refused),
            }
        }
    }

    /// Goes on to the migration after the one at work.
    fn next(progress: &mut Progress<BlockNumberFor<T>>) {
        progress.index = progress.index.saturating_add(1);
        progress.cursor = None;
        progress.steps = 0;
    }
}

impl<T: Config> MultiStepMigrator for Pallet<T> {
    fn ongoing() -> bool {
        Ongoing::<T>::exists()
    }

    fn step() -> Weight {
        let Some(mut progress) = Ongoing::<T>::get() else {
            return T::DbWeight::get().reads(1);
        };
        let mut meter = WeightMeter::with_limit(T::BlockShare::get());
        meter.consume(T::DbWeight::get().reads_writes(1, 1));
        match Self::work(&mut progress, &mut meter) {
            End::Later => Ongoing::<T>::put(progress),
            End::Completed => {
                Ongoing::<T>::kill();
                Self::deposit_event(Event::Completed);
            }
            End::Failed(failure) => {
                Ongoing::<T>::kill();
                Self::deposit_event(Event::Failed {
                    migration: Self::identifier(progress.index),
                    steps: progress.steps,
                    failure,
                });
            }
        }
        meter.consumed()
    }
}
