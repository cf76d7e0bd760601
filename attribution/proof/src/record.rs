//! Records: bytes in 1,024-byte chunks, a salted commitment, and a leaf that names the contributor.
//!
//! `content` is the commitment over the chunks, `commit = H(salt ‖ content)`, and the leaf is
//! `H(index ‖ contributor ‖ commit ‖ len)`. The contributor stands inside the leaf, so a root copied
//! from the pool is worthless to the copier.

use crate::{
    bounds::CHUNK_BYTES,
    hash::{hash_encoded, Hash, Tag},
    merkle::{Commitment, MerkleError, Path, Tree},
    AccountId,
};
use alloc::vec::Vec;
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use scale_info::TypeInfo;
use sp_core::ConstU32;
use sp_runtime::BoundedVec;

/// Bytes of one chunk.
pub type Chunk = BoundedVec<u8, ConstU32<CHUNK_BYTES>>;

/// Number of chunks of a record of `len` bytes.
pub fn chunk_count(len: u32) -> u32 {
    len.div_ceil(CHUNK_BYTES)
}

/// Bytes that chunk `index` of a record of `len` bytes has; zero past the end.
pub fn chunk_length(index: u32, len: u32) -> u32 {
    len.saturating_sub(index.saturating_mul(CHUNK_BYTES))
        .min(CHUNK_BYTES)
}

/// Leaf of a record's chunk.
pub fn chunk_leaf(index: u32, data: &[u8]) -> Hash {
    hash_encoded(Tag::Chunk, &(index, data))
}

/// The tree over the chunks of `bytes`.
pub fn content_tree(bytes: &[u8]) -> Tree {
    Tree::new(
        bytes
            .chunks(CHUNK_BYTES as usize)
            .zip(0u32..)
            .map(|(chunk, index)| chunk_leaf(index, chunk))
            .collect(),
    )
}

/// `H(salt ‖ content)`. The salt is zero when the record is public.
pub fn record_commit(salt: &Hash, content: &Commitment) -> Hash {
    hash_encoded(Tag::RecordCommit, &(salt, content))
}

/// `H(index ‖ contributor ‖ commit ‖ len)`.
pub fn record_leaf(index: u32, contributor: &AccountId, commit: &Hash, len: u32) -> Hash {
    hash_encoded(Tag::RecordLeaf, &(index, contributor, commit, len))
}

/// Proof that a record stands in a contribution.
#[derive(
    Clone, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo,
)]
pub struct RecordOpening {
    /// Index of the record in its contribution.
    pub index: u32,
    /// Salt; zero for a public record.
    pub salt: Hash,
    /// Commitment over the record's chunks.
    pub content: Commitment,
    /// Bytes in the record.
    pub len: u32,
    /// Path of the record's leaf.
    pub path: Path,
}

impl RecordOpening {
    /// The record's salted commitment.
    pub fn commit(&self) -> Hash {
        record_commit(&self.salt, &self.content)
    }

    /// The record's leaf, for the contributor who registered it.
    pub fn leaf(&self, contributor: &AccountId) -> Hash {
        record_leaf(self.index, contributor, &self.commit(), self.len)
    }

    /// Checks the opening under a contribution's leaves.
    pub fn verify(&self, contributor: &AccountId, leaves: &Commitment) -> Result<(), MerkleError> {
        leaves.verify(self.index, self.leaf(contributor), &self.path)
    }
}

/// Proof that a chunk stands in a record.
#[derive(
    Clone, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo,
)]
pub struct ChunkOpening {
    /// Index of the chunk in its record.
    pub index: u32,
    /// The chunk's bytes.
    pub data: Chunk,
    /// Path of the chunk's leaf.
    pub path: Path,
}

impl ChunkOpening {
    /// Checks the opening under a record's content.
    pub fn verify(&self, content: &Commitment) -> Result<(), MerkleError> {
        content.verify(self.index, chunk_leaf(self.index, &self.data), &self.path)
    }

    /// The byte at `offset` of the record, if this chunk holds it.
    pub fn byte(&self, offset: u32) -> Option<u8> {
        if offset / CHUNK_BYTES != self.index {
            return None;
        }
        self.data
            .get(usize::try_from(offset % CHUNK_BYTES).ok()?)
            .copied()
    }
}

/// One or two neighbouring chunks: enough for every text rule and every span.
#[derive(
    Clone, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo,
)]
pub struct ChunkWindow {
    /// The first chunk.
    pub first: ChunkOpening,
    /// The chunk after it, where the window needs one.
    pub second: Option<ChunkOpening>,
}

impl ChunkWindow {
    /// Checks both chunks and that they are neighbours.
    pub fn verify(&self, content: &Commitment) -> Result<(), MerkleError> {
        self.first.verify(content)?;
        match &self.second {
            None => Ok(()),
            Some(second) if Some(second.index) == self.first.index.checked_add(1) => {
                second.verify(content)
            }
            Some(_) => Err(MerkleError::IndexOutOfRange),
        }
    }

    /// The window's bytes in order.
    pub fn bytes(&self) -> Vec<u8> {
        let mut bytes = self.first.data.to_vec();
        if let Some(second) = &self.second {
            bytes.extend_from_slice(&second.data);
        }
        bytes
    }

    /// `length` bytes from `offset` of the whole object, if the window holds them all. The first
    /// chunk must be full when there is a second one; otherwise offsets would not line up.
    pub fn slice(&self, offset: u32, length: u32) -> Option<Vec<u8>> {
        if self.second.is_some() && self.first.data.len() != CHUNK_BYTES as usize {
            return None;
        }
        let start = offset.checked_sub(self.first.index.checked_mul(CHUNK_BYTES)?)?;
        let end = start.checked_add(length)?;
        self.bytes()
            .get(usize::try_from(start).ok()?..usize::try_from(end).ok()?)
            .map(Vec::from)
    }
}

/// How a text record breaks the text rule.
#[derive(
    Clone,
    Copy,
    Debug,
    PartialEq,
    Eq,
    Encode,
    Decode,
    DecodeWithMemTracking,
    MaxEncodedLen,
    TypeInfo,
)]
pub enum Defect {
    /// The record is empty, or its chunk count does not fit its length.
    #[codec(index = 0)]
    Length,
    /// A chunk is longer or shorter than the record's length implies.
    #[codec(index = 1)]
    ChunkLength,
    /// Not UTF-8.
    #[codec(index = 2)]
    NotUtf8,
    /// A carriage return or NUL.
    #[codec(index = 3)]
    ControlCharacter,
    /// A space or tab at the end of a line.
    #[codec(index = 4)]
    TrailingBlank,
}

const fn is_continuation(byte: u8) -> bool {
    byte & 0b1100_0000 == 0b1000_0000
}

/// The first breach of the text rule in a window of a record. `at_start` and `at_end` say whether the
/// window touches the record's ends: a window in the middle may begin inside a character and end
/// inside one, and whether a blank at its end is trailing is for the next chunk to say.
pub fn text_defect(window: &[u8], at_start: bool, at_end: bool) -> Option<Defect> {
    if window.iter().any(|byte| matches!(byte, b'\r' | 0)) {
        return Some(Defect::ControlCharacter);
    }
    let skipped = if at_start {
        0
    } else {
        window
            .iter()
            .take(3)
            .take_while(|byte| is_continuation(**byte))
            .count()
    };
    match core::str::from_utf8(window.get(skipped..).unwrap_or_default()) {
        Ok(_) => {}
        // `error_len` is absent exactly when the input ended inside a character.
        Err(error) if error.error_len().is_none() && !at_end => {}
        Err(_) => return Some(Defect::NotUtf8),
    }
    let blank_before_newline = window
        .windows(2)
        .any(|pair| matches!(pair, [b' ' | b'\t', b'\n']));
    let blank_at_end = at_end && matches!(window.last(), Some(b' ' | b'\t'));
    (blank_before_newline || blank_at_end).then_some(Defect::TrailingBlank)
}

/// Checks a whole text record, as a contributor should before he registers it.
pub fn check_text(bytes: &[u8]) -> Result<(), Defect> {
    if bytes.is_empty() || u32::try_from(bytes.len()).is_err() {
        return Err(Defect::Length);
    }
    text_defect(bytes, true, true).map_or(Ok(()), Err)
}

/// What a malformed-record challenge shows.
#[derive(
    Clone, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo,
)]
pub enum MalformedEvidence {
    /// The opening itself is enough: its chunk count does not fit its length.
    #[codec(index = 0)]
    Length,
    /// One or two chunks that break the text rule or have the wrong length.
    #[codec(index = 1)]
    Chunks(ChunkWindow),
}

/// Decides a malformed-record challenge on an already verified `record`. `text` says whether the text
/// rule applies to the contribution's media type.
pub fn find_defect(
    record: &RecordOpening,
    evidence: &MalformedEvidence,
    text: bool,
) -> Result<Option<Defect>, MerkleError> {
    if record.len == 0 || record.content.count != chunk_count(record.len) {
        return Ok(Some(Defect::Length));
    }
    let MalformedEvidence::Chunks(window) = evidence else {
        return Ok(None);
    };
    window.verify(&record.content)?;
    let wrong_length = |chunk: &ChunkOpening| {
        u32::try_from(chunk.data.len()) != Ok(chunk_length(chunk.index, record.len))
    };
    if wrong_length(&window.first) || window.second.as_ref().is_some_and(wrong_length) {
        return Ok(Some(Defect::ChunkLength));
    }
    if !text {
        return Ok(None);
    }
    let last = window
        .second
        .as_ref()
        .map_or(window.first.index, |second| second.index);
    Ok(text_defect(
        &window.bytes(),
        window.first.index == 0,
        last.saturating_add(1) == record.content.count,
    ))
}
