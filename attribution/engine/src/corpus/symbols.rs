//! Bytes as 16-bit symbols, so that records of any bytes can end in a mark that no byte equals.

/// The suffix sorter counts in `i32`.
pub(crate) const MAX_SYMBOLS: u64 = i32::MAX as u64;
/// The end of a record.
pub(crate) const END: u16 = 0;

/// The symbol of a byte.
pub(crate) fn symbol(byte: u8) -> u16 {
    u16::from(byte) + 1
}
