//! Domain-separated BLAKE2b-256.

use alloc::vec::Vec;
use codec::{Decode, Encode};
use scale_info::TypeInfo;
use sp_runtime::traits::{BlakeTwo256, Hash as _};

/// A BLAKE2b-256 digest.
pub type Hash = sp_core::H256;

/// First byte of every preimage. A tag is never reused for another layout: a changed layout gets a
/// new version, a new object a new tag.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, TypeInfo)]
#[repr(u8)]
pub enum Tag {
    /// Inner node of every Merkle tree.
    Node = 0x01,
    /// 1,024-byte chunk of a record.
    Chunk = 0x02,
    /// A record's salted content.
    RecordCommit = 0x03,
    /// A record inside a contribution.
    RecordLeaf = 0x04,
    /// One link of a Datanet's snapshot chain.
    Snapshot = 0x05,
    /// Start of a training transcript.
    TranscriptStart = 0x06,
    /// Step of a training transcript.
    TranscriptStep = 0x07,
    /// A transcript state as a leaf.
    TranscriptLeaf = 0x08,
    /// Row of an influence index.
    Row = 0x09,
    /// Query vectors of a response.
    Query = 0x0a,
    /// Salted chunk of a response.
    ResponseChunk = 0x0b,
    /// Salt of one response chunk.
    ResponseSalt = 0x0c,
    /// Receipt.
    Receipt = 0x0d,
    /// Entry of a receipt's running totals.
    Total = 0x0e,
    /// Voucher.
    Voucher = 0x0f,
    /// Request of a user.
    Request = 0x10,
    /// Agreement to close a channel before its expiry.
    CooperativeClose = 0x11,
}

/// Version of every layout in this crate.
pub const VERSION: u8 = 1;

/// `tag ‖ version ‖ body`.
pub fn preimage(tag: Tag, body: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(body.len().saturating_add(2));
    bytes.push(tag as u8);
    bytes.push(VERSION);
    bytes.extend_from_slice(body);
    bytes
}

/// `H(tag ‖ version ‖ body)`.
pub fn hash_bytes(tag: Tag, body: &[u8]) -> Hash {
    BlakeTwo256::hash(&preimage(tag, body))
}

/// `H(tag ‖ version ‖ SCALE(value))`. Tuples encode as the concatenation of their fields.
pub fn hash_encoded<T: Encode + ?Sized>(tag: Tag, value: &T) -> Hash {
    value.using_encoded(|body| hash_bytes(tag, body))
}
