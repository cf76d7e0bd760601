//! Files in memory without reading them. The only module here with `unsafe`.
#![allow(unsafe_code)]

use std::{fs::File, io};

use memmap2::Mmap;

/// Maps a whole file, which must not be empty, for reading.
pub(super) fn map(file: &File) -> io::Result<Mmap> {
    // SAFETY: the map is only ever seen as slices of integers, for which every pattern of bits is a
    // value, and every number read from it is checked before it is used as an index, so contents that
    // change under a reader lead to wrong answers and to nothing worse. This crate never changes a file
    // in place: it writes under another name and renames. Another program that shortens a mapped file
    // ends this process by a signal, as with every mapped file.
    unsafe { Mmap::map(file) }
}
