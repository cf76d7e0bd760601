//! Spans: bytes of a response that stand verbatim in an input record.
//!
//! The cover is leftmost-longest: from each uncovered position take the longest match of at least
//! `min_span` bytes, credited to its earliest occurrence in the order `(model, row, offset)`; then go
//! on behind it. A match longer than [`MAX_SPAN_LENGTH`](crate::bounds::MAX_SPAN_LENGTH) counts as that
//! long and continues as the next span.

use crate::ModelId;
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use scale_info::TypeInfo;

/// A place in the input bytes of a lineage. The derived order is the order of "earliest".
#[derive(
    Clone,
    Copy,
    Debug,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Encode,
    Decode,
    DecodeWithMemTracking,
    MaxEncodedLen,
    TypeInfo,
)]
pub struct Occurrence {
    /// The model whose inputs hold the record.
    pub model: ModelId,
    /// Ordinal of the record among them.
    pub row: u32,
    /// Byte offset in the record.
    pub offset: u32,
}

/// A span of a response.
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
pub struct Span {
    /// First byte in the response.
    pub start: u32,
    /// Bytes.
    pub length: u32,
    /// Where the bytes stand.
    pub at: Occurrence,
}

impl Span {
    /// First byte behind the span.
    pub fn end(&self) -> u32 {
        self.start.saturating_add(self.length)
    }

    /// Whether the span covers `position`.
    pub fn covers(&self, position: u32) -> bool {
        position >= self.start && position < self.end()
    }
}
