//! What the fuzz targets share: bytes in files, and checksums that hold.
//!
//! Indexes end in checksums that a fuzzer would never guess. The targets put them right, so that what
//! lies behind is tried too: somebody who wants to break a reader can compute a checksum as well.

use std::{
    fs,
    path::{Path, PathBuf},
    sync::OnceLock,
};

/// Bytes of a header of an index of texts, and of the checksum at its end.
const TEXT_HEADER: usize = 256;
const CHECKSUM: usize = 32;
/// Bytes of the header of the other indexes: magic, version and the payload's length, which starts here.
const HEADER: usize = 20;
const LENGTH_AT: usize = 12;

/// Runs `read` on a file with these bytes, whose name has this end.
pub fn with_file<R>(bytes: &[u8], extension: &str, read: impl FnOnce(&Path) -> R) -> R {
    static FOLDER: OnceLock<PathBuf> = OnceLock::new();
    let folder = FOLDER.get_or_init(|| {
        let folder = std::env::temp_dir().join(format!("fuzz-{}", std::process::id()));
        fs::create_dir_all(&folder).expect("the temporary folder must be writable");
        folder
    });
    let path = folder.join("input").with_extension(extension);
    fs::write(&path, bytes).expect("the temporary folder must have room");
    read(&path)
}

/// An index of texts with the checksum of its header put right.
pub fn text_index(bytes: &[u8]) -> Vec<u8> {
    let mut file = bytes.to_vec();
    if file.len() >= TEXT_HEADER {
        let end = TEXT_HEADER - CHECKSUM;
        let checksum = blake3::hash(&file[..end]);
        file[end..TEXT_HEADER].copy_from_slice(checksum.as_bytes());
    }
    file
}

/// An index of another kind with its length and its checksum put right.
pub fn container(bytes: &[u8]) -> Vec<u8> {
    let mut file = bytes.to_vec();
    if file.len() >= HEADER + CHECKSUM {
        let end = file.len() - CHECKSUM;
        let length = (end - HEADER) as u64;
        file[LENGTH_AT..HEADER].copy_from_slice(&length.to_le_bytes());
        let checksum = blake3::hash(&file[..end]);
        file[end..].copy_from_slice(checksum.as_bytes());
    }
    file
}

/// The first byte, which decides something, and the rest.
pub fn choice(bytes: &[u8]) -> (u8, &[u8]) {
    match bytes.split_first() {
        Some((first, rest)) => (*first, rest),
        None => (0, bytes),
    }
}
