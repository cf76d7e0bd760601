//! Memory for long arrays that are read here and there.
//!
//! Where the system has them, the arrays lie in large pages. Sorting and searching look at a different page
//! with nearly every step, so with small ones much of their time goes into finding pages.

use std::{
    marker::PhantomData,
    ops::{Deref, DerefMut},
};

use bytemuck::Pod;
use memmap2::MmapMut;

use crate::Error;

/// Bytes from which on large pages are asked for.
const LARGE: usize = 4 << 20;

/// Bytes in the smallest page of any system that this runs on.
const PAGE: usize = 4_096;

/// An array of numbers with a fixed capacity. Memory is taken as it is written, or all at once.
pub(super) struct Buffer<N> {
    map: Option<MmapMut>,
    length: usize,
    numbers: PhantomData<N>,
}

impl<N: Pod> Buffer<N> {
    /// An empty array with room for some numbers.
    pub(super) fn with_capacity(capacity: usize) -> Result<Self, Error> {
        let bytes = capacity.saturating_mul(size_of::<N>());
        let map = match bytes {
            0 => None,
            _ => Some(MmapMut::map_anon(bytes).map_err(|source| Error::Memory { bytes, source })?),
        };
        #[cfg(target_os = "linux")]
        if let Some(map) = map.as_ref().filter(|map| map.len() >= LARGE) {
            // A system without large pages refuses, and does as well without.
            let _ = map.advise(memmap2::Advice::HugePage);
        }
        Ok(Self {
            map,
            length: 0,
            numbers: PhantomData,
        })
    }

    /// An array of zeros that is about to be written in no order. All its memory is taken now, page by page:
    /// a sorter that meets new pages here and there was slower in each pair of runs, by up to a sixth.
    pub(super) fn zeroed(length: usize) -> Result<Self, Error> {
        let mut buffer = Self::with_capacity(length)?;
        buffer.length = length;
        let page = (PAGE / size_of::<N>()).max(1);
        for number in buffer.iter_mut().step_by(page) {
            *number = N::zeroed();
        }
        Ok(buffer)
    }

    /// Appends numbers, for which there must be room.
    pub(super) fn extend(&mut self, numbers: impl ExactSizeIterator<Item = N>) {
        let start = self.length;
        self.length += numbers.len();
        for (place, number) in self[start..].iter_mut().zip(numbers) {
            *place = number;
        }
    }
}

impl<N: Pod> Deref for Buffer<N> {
    type Target = [N];

    #[inline]
    fn deref(&self) -> &[N] {
        let Some(bytes) = &self.map else {
            return &[];
        };
        bytemuck::cast_slice(&bytes[..self.length * size_of::<N>()])
    }
}

impl<N: Pod> DerefMut for Buffer<N> {
    fn deref_mut(&mut self) -> &mut [N] {
        let Some(bytes) = &mut self.map else {
            return &mut [];
        };
        bytemuck::cast_slice_mut(&mut bytes[..self.length * size_of::<N>()])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn buffers_hold_what_was_appended() {
        let mut buffer = Buffer::with_capacity(LARGE).unwrap();
        buffer.extend([1_u32, 2].into_iter());
        buffer.extend([3].into_iter());
        assert_eq!(buffer[..], [1, 2, 3]);
        assert_eq!(Buffer::<u64>::zeroed(3).unwrap()[..], [0; 3]);
        assert!(Buffer::<u64>::zeroed(0).unwrap()[..].is_empty());
    }

    #[test]
    fn refuses_more_than_there_can_be() {
        let refused = Buffer::<u128>::with_capacity(usize::MAX);
        assert!(matches!(refused, Err(Error::Memory { .. })));
    }
}
