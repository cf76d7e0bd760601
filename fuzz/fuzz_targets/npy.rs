//! Arrays: any file is read or refused, and what was read is written and read as the same.

#![no_main]

use attribution_engine::npy::{self, DataType, Element};
use attribution_fuzz::with_file;
use libfuzzer_sys::fuzz_target;
use std::path::Path;

/// The array of a file whose header is in order, written and read again.
fn round_trip<T: Element + PartialEq + std::fmt::Debug>(path: &Path, bits: impl Fn(&T) -> u64) {
    let array = npy::read::<T>(path).expect("the header was read, and its length is right");
    npy::write(path, &array.shape, &array.values).expect("what was read can be written");
    let again = npy::read::<T>(path).expect("what was written can be read");
    assert_eq!(array.shape, again.shape);
    // Bits, since a NaN does not equal itself.
    assert!(array
        .values
        .iter()
        .map(&bits)
        .eq(again.values.iter().map(&bits)));
}

fuzz_target!(|bytes: &[u8]| {
    with_file(bytes, "npy", |path| {
        let Ok(header) = npy::header(path) else {
            assert!(npy::read::<f32>(path).is_err());
            return;
        };
        match header.data_type {
            DataType::F32 => round_trip::<f32>(path, |value| value.to_bits().into()),
            DataType::F64 => round_trip::<f64>(path, |value| value.to_bits()),
            DataType::I32 => round_trip::<i32>(path, |value| *value as u64),
            DataType::I64 => round_trip::<i64>(path, |value| *value as u64),
            DataType::U32 => round_trip::<u32>(path, |value| (*value).into()),
            DataType::U8 => round_trip::<u8>(path, |value| (*value).into()),
        }
    });
});
