//! # The OpenLedger runtime
//!
//! The chain's state transition function: which pallets there are, how each is configured, who may
//! do what (governance), what a new chain starts from (genesis presets) and what a node may ask
//! (runtime APIs). Nothing here holds logic that a pallet could hold.
//!
//! ## Terminology
//!
//! - **OPEN**: the native token, 18 decimals, [`constants::currency::TOTAL_SUPPLY`] of it, issued at
//!   genesis. Nothing mints afterwards; see [`configs::rewards`].
//! - **Era, session, epoch**: an epoch of BABE slots is a session; some sessions make an era, at the
//!   end of which validators are elected and paid.
//! - **PoA**: Proof of Attribution, the rules by which money follows data. `PoaAdmin` is the
//!   governance origin that may change its parameters; see [`governance`].

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
#[cfg(feature = "runtime-benchmarks")]
mod benchmarks;
#[deny(missing_docs)]
pub mod configs;
#[deny(missing_docs)]
pub mod constants;
#[deny(missing_docs)]
pub mod genesis_presets;
#[deny(missing_docs)]
pub mod governance;
#[deny(missing_docs)]
pub mod monitoring;
pub mod openledger_api;

pub use apis::{RuntimeApi, RUNTIME_API_VERSIONS};
pub use configs::consensus::SessionKeys;
#[cfg(feature = "std")]
pub use wasm::WASM_BINARY;

/// The Wasm blob, absent when the build was told to skip it (`SKIP_WASM_BUILD`).
#[cfg(feature = "std")]
mod wasm {
    // The included file is written by the Wasm builder, and names two more constants.
    #![allow(dead_code, unreachable_pub)]
    include!(concat!(env!("OUT_DIR"), "/wasm_binary.rs"));
}

/// Signature of a transaction: Ed25519, Sr25519, ECDSA or an Ethereum-style one.
pub type Signature = MultiSignature;
/// Account: the public key, or its hash, that signatures verify against.
pub type AccountId = <<Signature as Verify>::Signer as IdentifyAccount>::AccountId;
/// How transactions name an account.
pub type Address = MultiAddress<AccountId, ()>;
/// Money in base units, 10^18 to the OPEN.
pub type Balance = u128;
/// The guardians' own referenda, beside everybody's.
pub type GuardianReferendaInstance = pallet_referenda::Instance1;
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
/// Block as a node handles it: transactions are bytes that only the runtime understands, so that a node
/// outlives changes to them, and RPC gives them as hexadecimal.
pub type OpaqueBlock = generic::Block<Header, sp_runtime::OpaqueExtrinsic>;
/// Transaction as it travels the network.
pub type UncheckedExtrinsic =
    generic::UncheckedExtrinsic<Address, RuntimeCall, Signature, TxExtension>;
/// What a transaction's signature covers.
pub type SignedPayload = generic::SignedPayload<RuntimeCall, TxExtension>;

/// Checks on, and payment for, every signed transaction. All of them are known to the wallets in
/// use, so that a transaction needs no custom types.
pub type TxExtension = (
    frame_system::CheckNonZeroSender<Runtime>,
    frame_system::CheckSpecVersion<Runtime>,
    frame_system::CheckTxVersion<Runtime>,
    frame_system::CheckGenesis<Runtime>,
    frame_system::CheckMortality<Runtime>,
    frame_system::CheckNonce<Runtime>,
    frame_system::CheckWeight<Runtime>,
    pallet_transaction_payment::ChargeTransactionPayment<Runtime>,
    frame_metadata_hash_extension::CheckMetadataHash<Runtime>,
    // Last, because it gives back what all the others together did not use.
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
    spec_name: Cow::Borrowed("openledger"),
    impl_name: Cow::Borrowed("openledger-node"),
    authoring_version: 1,
    spec_version: 1,
    impl_version: 0,
    apis: RUNTIME_API_VERSIONS,
    transaction_version: 1,
    system_version: 1,
};

// The pallets and their indices, which are part of every encoded call, event and error and so can
// never change. Groups leave gaps: system 0-9, consensus and staking 10-29, governance and funding
// 30-49, accounts 50-59, OpenLedger 60-89, EVM 90-99 (reserved).
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

    // System.
    #[runtime::pallet_index(0)]
    pub type System = frame_system;
    #[runtime::pallet_index(1)]
    pub type Timestamp = pallet_timestamp;
    #[runtime::pallet_index(2)]
    pub type Balances = pallet_balances;
    #[runtime::pallet_index(3)]
    pub type TransactionPayment = pallet_transaction_payment;
    #[runtime::pallet_index(4)]
    pub type Preimage = pallet_preimage;
    #[runtime::pallet_index(5)]
    pub type Scheduler = pallet_scheduler;
    #[runtime::pallet_index(6)]
    pub type TxPause = pallet_tx_pause;
    #[runtime::pallet_index(7)]
    pub type SteppedMigrations = pallet_stepped_migrations;

    // Consensus and staking. The order matters: a block's author is noted before its session
    // can end, and staking knows its genesis validators before sessions ask for them.
    #[runtime::pallet_index(10)]
    pub type Babe = pallet_babe;
    #[runtime::pallet_index(11)]
    pub type Authorship = pallet_authorship;
    #[runtime::pallet_index(12)]
    pub type Staking = pallet_staking;
    #[runtime::pallet_index(13)]
    pub type Session = pallet_session;
    #[runtime::pallet_index(14)]
    pub type Historical = pallet_session::historical;
    #[runtime::pallet_index(15)]
    pub type Offences = pallet_offences;
    #[runtime::pallet_index(16)]
    pub type Grandpa = pallet_grandpa;
    #[runtime::pallet_index(17)]
    pub type AuthorityDiscovery = pallet_authority_discovery;
    #[runtime::pallet_index(18)]
    pub type VoterList = pallet_bags_list;

    // Governance and funding.
    #[runtime::pallet_index(30)]
    pub type ConvictionVoting = pallet_conviction_voting;
    #[runtime::pallet_index(31)]
    pub type Referenda = pallet_referenda;
    #[runtime::pallet_index(32)]
    pub type Origins = crate::governance::pallet_governance_origins;
    #[runtime::pallet_index(33)]
    pub type Treasury = pallet_treasury;
    #[runtime::pallet_index(34)]
    pub type Bounties = pallet_bounties;
    #[runtime::pallet_index(35)]
    pub type ChildBounties = pallet_child_bounties;
    #[runtime::pallet_index(36)]
    pub type Guardians = pallet_ranked_collective;
    #[runtime::pallet_index(37)]
    pub type GuardianReferenda = pallet_referenda<Instance1>;
    #[runtime::pallet_index(38)]
    pub type Whitelist = pallet_whitelist;

    // Accounts.
    #[runtime::pallet_index(50)]
    pub type Utility = pallet_utility;
    #[runtime::pallet_index(51)]
    pub type Multisig = pallet_multisig;
    #[runtime::pallet_index(52)]
    pub type Proxy = pallet_proxy;
    #[runtime::pallet_index(53)]
    pub type Vesting = pallet_vesting;
    #[runtime::pallet_index(54)]
    pub type Identity = pallet_identity;

    // OpenLedger.
    #[runtime::pallet_index(60)]
    pub type Datanets = pallet_datanets;
    #[runtime::pallet_index(61)]
    pub type Models = pallet_models;
    #[runtime::pallet_index(62)]
    pub type Compute = pallet_compute;
    #[runtime::pallet_index(63)]
    pub type Channels = pallet_channels;
    #[runtime::pallet_index(64)]
    pub type Attribution = pallet_attribution;
}
