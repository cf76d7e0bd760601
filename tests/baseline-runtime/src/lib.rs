//! # The baseline runtime
//!
//! The least that makes blocks, finalises them and moves money, with the same limits, prices, slots and
//! types as the OpenLedger runtime. The same node runs both, so what differs between them under the same
//! load is what OpenLedger's pallets cost those who do not use them. `tests/load/transfers.mjs` measures
//! it, and compares the limits of both chains before it does.
//!
//! It is no chain to run: nobody can become a validator, and fees are burnt.

#![cfg_attr(not(feature = "std"), no_std)]
// The tuple of all pallets expands deeper than the compiler's default limit.
#![recursion_limit = "512"]
// The macro that composes the runtime writes undocumented items into this file, and one of them is a
// private trait that has to stay here. The modules are not excused.
#![allow(missing_docs)]

extern crate alloc;

use alloc::{borrow::Cow, vec::Vec};

use sp_runtime::{
    generic,
    traits::{BlakeTwo256, IdentifyAccount, Verify},
    MultiAddress, MultiSignature,
};
use sp_version::RuntimeVersion;

pub mod apis;
#[deny(missing_docs)]
pub mod configs;
// Money and time are OpenLedger's own.
#[deny(missing_docs)]
#[path = "../../../runtime/src/constants.rs"]
pub mod constants;
#[deny(missing_docs)]
pub mod genesis_presets;

pub use apis::{RuntimeApi, RUNTIME_API_VERSIONS};
pub use configs::SessionKeys;

/// Signature of a transaction.
pub type Signature = MultiSignature;
/// Account: the public key, or its hash, that signatures verify against.
pub type AccountId = <<Signature as Verify>::Signer as IdentifyAccount>::AccountId;
/// How transactions name an account.
pub type Address = MultiAddress<AccountId, ()>;
/// Money in base units.
pub type Balance = u128;
/// Height of a block.
pub type BlockNumber = u32;
/// Number of transactions that an account has sent.
pub type Nonce = u32;
/// Hash of blocks, extrinsics and state.
pub type Hash = sp_core::H256;
/// Milliseconds since the Unix epoch.
pub type Moment = u64;

/// Block header.
pub type Header = generic::Header<BlockNumber, BlakeTwo256>;
/// Block.
pub type Block = generic::Block<Header, UncheckedExtrinsic>;
/// Transaction as it travels the network.
pub type UncheckedExtrinsic =
    generic::UncheckedExtrinsic<Address, RuntimeCall, Signature, TxExtension>;

/// Checks on, and payment for, every signed transaction.
pub type TxExtension = (
    frame_system::CheckNonZeroSender<Runtime>,
    frame_system::CheckSpecVersion<Runtime>,
    frame_system::CheckTxVersion<Runtime>,
    frame_system::CheckGenesis<Runtime>,
    frame_system::CheckMortality<Runtime>,
    frame_system::CheckNonce<Runtime>,
    frame_system::CheckWeight<Runtime>,
    pallet_transaction_payment::ChargeTransactionPayment<Runtime>,
    frame_system::WeightReclaim<Runtime>,
);

/// Executes blocks against the pallets.
pub type Executive = frame_executive::Executive<
    Runtime,
    Block,
    frame_system::ChainContext<Runtime>,
    Runtime,
    AllPalletsWithSystem,
>;

/// Version of this runtime.
#[sp_version::runtime_version]
pub const VERSION: RuntimeVersion = RuntimeVersion {
    spec_name: Cow::Borrowed("openledger-baseline"),
    impl_name: Cow::Borrowed("openledger-node"),
    authoring_version: 1,
    spec_version: 1,
    impl_version: 0,
    apis: RUNTIME_API_VERSIONS,
    transaction_version: 1,
    system_version: 1,
};

// The pallets have the indices that they have in the OpenLedger runtime.
#[frame_support::runtime]
mod runtime {
    #[runtime::runtime]
    #[runtime::derive(
        RuntimeCall,
        RuntimeEvent,
        RuntimeError,
        RuntimeOrigin,
        RuntimeFreezeReason,
        RuntimeHoldReason,
        RuntimeSlashReason,
        RuntimeLockId,
        RuntimeTask,
        RuntimeViewFunction
    )]
    pub struct Runtime;

    #[runtime::pallet_index(0)]
    pub type System = frame_system;
    #[runtime::pallet_index(1)]
    pub type Timestamp = pallet_timestamp;
    #[runtime::pallet_index(2)]
    pub type Balances = pallet_balances;
    #[runtime::pallet_index(3)]
    pub type TransactionPayment = pallet_transaction_payment;
    #[runtime::pallet_index(10)]
    pub type Babe = pallet_babe;
    #[runtime::pallet_index(13)]
    pub type Session = pallet_session;
    #[runtime::pallet_index(16)]
    pub type Grandpa = pallet_grandpa;
}
