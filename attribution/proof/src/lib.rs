//! # Attribution proof
//!
//! The contract between the chain and its workers: every object that is hashed, signed, scored or
//! split, its commitment, and the verifier of every challenge. The runtime executes this crate as
//! Wasm, workers execute it natively, and other languages check themselves against
//! `vectors/v1.json`.
//!
//! ## Overview
//!
//! The chain re-computes *arithmetic*. Given committed inputs it can decide in one call whether a
//! score, a span, a sum or a split in a signed [`Receipt`](receipt::Receipt) is right. Nothing here
//! touches storage, does I/O or uses floating point numbers, so every platform agrees bit for bit.
//!
//! ## Conventions
//!
//! * The hash is BLAKE2b-256; each preimage starts with `tag: u8 ‖ version: u8` ([`hash`]).
//! * A commitment is `(root, count)`; each leaf contains its own index; an opening has exactly the
//!   path length that index and count imply ([`merkle`]).
//! * Integers are fixed-width little-endian, maps are strictly ascending vectors, decoding is exact.
//! * Money is `u128` base units; shares are parts per billion; rounding is by largest remainder
//!   ([`split`]).
#![cfg_attr(not(feature = "std"), no_std)]
#![deny(missing_docs)]
#![forbid(unsafe_code)]
#![cfg_attr(
    not(test),
    deny(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::indexing_slicing,
        clippy::arithmetic_side_effects,
        clippy::panic
    )
)]

extern crate alloc;

pub mod challenge;
pub mod contribution;
pub mod hash;
pub mod influence;
pub mod licence;
pub mod merkle;
pub mod model;
pub mod receipt;
pub mod record;
pub mod ruleset;
pub mod span;
pub mod split;
pub mod totals;
pub mod transcript;
pub mod voucher;

/// An account, as it stands in hashed and signed objects.
pub type AccountId = sp_runtime::AccountId32;
/// Money in base units (10^-18 OPEN).
pub type Balance = u128;
/// A block number.
pub type BlockNumber = u32;
/// A Datanet.
pub type DatanetId = u32;
/// A contribution's global sequence number, from 1.
pub type ContributionId = u64;
/// One version of one model: every registered manifest has an id of its own.
pub type ModelId = u32;
/// A training job.
pub type JobId = u32;
/// A payment channel.
pub type ChannelId = u64;
/// A settlement of a channel.
pub type SettlementId = u64;
/// An immutable, numbered ruleset.
pub type RulesetId = u32;
/// BLAKE3 hash of a large artifact in the content store. The chain only compares it.
pub type ContentId = [u8; 32];

/// Bounds of the formats. They are constants of version 1, not governed numbers.
pub mod bounds {
    /// Largest influence vector dimension.
    pub const MAX_DIMENSION: u32 = 4_096;
    /// Most influence credits in a receipt.
    pub const MAX_CREDITS: u32 = 64;
    /// Most spans in a receipt.
    pub const MAX_SPANS: u32 = 64;
    /// Longest span in bytes; a longer match continues as the next span. Bounds a proof of a match to
    /// two chunks on each side.
    pub const MAX_SPAN_LENGTH: u32 = 1_024;
    /// Bytes in a chunk.
    pub const CHUNK_BYTES: u32 = 1_024;
    /// Longest Merkle path.
    pub const MAX_PATH: u32 = 32;
    /// Most entries in a receipt's running totals; settle when full.
    pub const MAX_TOTALS: u32 = 1_024;
    /// Most models (a base and the adapters over it) whose indexes one query addresses.
    pub const MAX_LINEAGE: u32 = 8;
    /// Most accounts that share one model's builder fee, royalties flattened.
    pub const MAX_BUILDERS: u32 = 16;
    /// Most input snapshots of one training job.
    pub const MAX_INPUTS: u32 = 8;
    /// Longest SPDX expression in bytes.
    pub const MAX_SPDX: u32 = 64;
}
