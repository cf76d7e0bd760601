//! Tokens, the letters of a text.

use std::{fmt::Debug, hash::Hash, ops::BitXor};

use bytemuck::Pod;
use libsais::{IsValidOutputFor, LibsaisError, SmallAlphabet, SuffixArrayConstruction};

use super::buffer::Buffer;
use crate::Error;

/// A letter of a text: a byte, or a token number of 16 or 32 bits.
pub trait Token:
    Kernel + Pod + Ord + Hash + Debug + Default + BitXor<Output = Self> + Into<u32> + Send + Sync
{
}

impl Token for u8 {}
impl Token for u16 {}
impl Token for u32 {}

/// What an index needs of a token. Nobody outside can implement it.
///
/// Inside an index every token is combined by exclusive or with the value that ends records, which
/// therefore becomes 0, smaller than every token. Which order the others have does not matter to a
/// search, as long as the text and the query have the same.
pub trait Kernel: Sized {
    /// Tokens in a key.
    const KEY_TOKENS: usize = 16 / size_of::<Self>();

    /// The first tokens of a suffix as a number that orders like them: most significant first, and
    /// nothing but zeros from the end of the record on.
    fn key(suffix: &[Self]) -> u128;

    /// Puts suffixes in order, for a text of records that are not empty and each end in a 0. The order is that
    /// of the tokens up to and including the first 0, then that of positions. There must be as many suffixes as
    /// tokens.
    fn sort(text: &[Self], suffixes: &mut [u32]) -> Result<(), Error>;

    /// The value of a number.
    fn from_number(number: usize) -> Option<Self>;
}

impl Kernel for u8 {
    #[inline]
    fn key(suffix: &[Self]) -> u128 {
        const ONES: u128 = u128::MAX / 255;
        let bytes = match suffix.first_chunk() {
            Some(bytes) => *bytes,
            None => {
                let mut bytes = [0; 16];
                bytes[..suffix.len()].copy_from_slice(suffix);
                bytes
            }
        };
        let first_lowest = u128::from_le_bytes(bytes);
        // The lowest bit that is set here is the highest of the first byte that is 0.
        let zeros = first_lowest.wrapping_sub(ONES) & !first_lowest & (ONES << 7);
        let kept = match zeros {
            0 => first_lowest,
            _ => first_lowest & ((1 << (zeros.trailing_zeros() & !7)) - 1),
        };
        kept.swap_bytes()
    }

    fn sort(text: &[Self], suffixes: &mut [u32]) -> Result<(), Error> {
        sort_small(text, suffixes)
    }

    fn from_number(number: usize) -> Option<Self> {
        number.try_into().ok()
    }
}

impl Kernel for u16 {
    #[inline]
    fn key(suffix: &[Self]) -> u128 {
        key(suffix)
    }

    fn sort(text: &[Self], suffixes: &mut [u32]) -> Result<(), Error> {
        sort_small(text, suffixes)
    }

    fn from_number(number: usize) -> Option<Self> {
        number.try_into().ok()
    }
}

impl Kernel for u32 {
    #[inline]
    fn key(suffix: &[Self]) -> u128 {
        key(suffix)
    }

    fn sort(text: &[Self], suffixes: &mut [u32]) -> Result<(), Error> {
        // The sorter's memory grows with the largest number, so tokens become their ranks. Each end of
        // a record is a number of its own, in the order of positions and below all tokens.
        let ranks = Ranks::new(text);
        let records = text.iter().filter(|token| **token == 0).count();
        let mut ends = 0..;
        let mut numbers = Buffer::with_capacity(text.len())?;
        numbers.extend(text.iter().map(|token| {
            let number = match token {
                0 => ends.next().unwrap_or_default(),
                _ => records + ranks.of(*token),
            };
            number as i32
        }));
        drop(ranks);
        if numbers.is_empty() {
            return Ok(());
        }
        SuffixArrayConstruction::for_text_mut(&mut numbers)
            .in_borrowed_buffer::<i32>(bytemuck::cast_slice_mut(suffixes))
            .single_threaded()
            .run()
            .map(drop)
            .map_err(sorting_failed)
    }

    fn from_number(number: usize) -> Option<Self> {
        number.try_into().ok()
    }
}

/// The ranks of the different tokens of a text, 0 aside.
enum Ranks {
    /// By token. For tokenizers' numbers, which are dense.
    Table(Vec<u32>),
    /// The tokens in order.
    Sorted(Vec<u32>),
}

impl Ranks {
    fn new(text: &[u32]) -> Self {
        let largest = text.iter().max().map_or(0, |largest| *largest as usize);
        if largest > text.len() {
            let mut tokens = text.to_vec();
            tokens.sort_unstable();
            tokens.dedup();
            tokens.retain(|token| *token != 0);
            return Self::Sorted(tokens);
        }
        let mut table = vec![0; largest + 1];
        for token in text {
            table[*token as usize] = 1;
        }
        table[0] = 0;
        let mut before = 0;
        for rank in &mut table {
            before += std::mem::replace(rank, before);
        }
        Self::Table(table)
    }

    /// The rank of a token that is in the text.
    fn of(&self, token: u32) -> usize {
        match self {
            Self::Table(table) => table[token as usize] as usize,
            Self::Sorted(tokens) => tokens.partition_point(|other| *other < token),
        }
    }
}

/// [`Kernel::sort`] for the widths that the sorter takes as they are.
fn sort_small<T: SmallAlphabet>(text: &[T], suffixes: &mut [u32]) -> Result<(), Error>
where
    i32: IsValidOutputFor<T>,
{
    if text.is_empty() {
        return Ok(());
    }
    SuffixArrayConstruction::for_text(text)
        .in_borrowed_buffer::<i32>(bytemuck::cast_slice_mut(suffixes))
        .single_threaded()
        .generalized_suffix_array()
        .run()
        .map(drop)
        .map_err(sorting_failed)
}

fn sorting_failed(error: LibsaisError) -> Error {
    Error::SuffixArray(format!("{error:?}"))
}

/// [`Kernel::key`] for any width.
#[inline]
fn key<T: Token>(suffix: &[T]) -> u128 {
    let bits = 8 * size_of::<T>();
    suffix
        .iter()
        .take(T::KEY_TOKENS)
        .map(|token| (*token).into())
        .take_while(|token: &u32| *token != 0)
        .enumerate()
        .fold(0, |key, (place, token)| {
            key | u128::from(token) << (128 - bits * (place + 1))
        })
}

/// The smallest value that no record holds.
pub(super) fn free_value<'a, T: Token>(
    records: impl Iterator<Item = &'a [T]> + Clone,
) -> Option<T> {
    if !records.clone().any(|record| record.contains(&T::default())) {
        return Some(T::default());
    }
    // Among one value more than there are tokens, one is free.
    let tokens = records.clone().map(<[T]>::len).sum::<usize>();
    let mut taken = vec![false; (tokens + 1).min(1 << (8 * size_of::<T>()))];
    for token in records.flatten() {
        let token: u32 = (*token).into();
        if let Some(taken) = taken.get_mut(token as usize) {
            *taken = true;
        }
    }
    let free = taken.iter().position(|taken| !taken)?;
    T::from_number(free)
}

/// Tokens that two texts have in common from their starts.
#[inline]
pub(super) fn common_prefix<T: Token>(a: &[T], b: &[T]) -> usize {
    common(a, b, |a, b| a == b)
}

/// Tokens that two texts have in common from their starts, as far as no record ends.
pub(super) fn common_in_record<T: Token>(a: &[T], b: &[T]) -> usize {
    common(a, b, |a, b| (a == b) & (a != T::default()))
}

#[inline]
fn common<T: Token>(a: &[T], b: &[T], same: impl Fn(T, T) -> bool) -> usize {
    let ((steps_a, _), (steps_b, _)) = (a.as_chunks::<16>(), b.as_chunks::<16>());
    // Without an exit the loop over a step becomes one comparison.
    let all = |a: &[T; 16], b: &[T; 16]| {
        let pairs = a.iter().zip(b);
        pairs.fold(true, |all, (a, b)| all & same(*a, *b))
    };
    let steps = steps_a.iter().zip(steps_b);
    let sure = 16 * steps.take_while(|(a, b)| all(a, b)).count();
    let rest = a[sure..].iter().zip(&b[sure..]);
    sure + rest.take_while(|(a, b)| same(**a, **b)).count()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Order by the tokens up to the end of the record, then by position, by trying.
    fn brute<T: Token>(text: &[T]) -> Vec<u32> {
        let mut order = (0..text.len() as u32).collect::<Vec<_>>();
        order.sort_by_key(|at| {
            let suffix = text[*at as usize..].iter().copied();
            let mut tokens = suffix
                .take_while(|t| *t != T::default())
                .collect::<Vec<_>>();
            tokens.push(T::default());
            (tokens, *at)
        });
        order
    }

    fn check<T: Token>(symbols: &[u8], values: [T; 4]) {
        let mut text = symbols
            .iter()
            .map(|symbol| values[usize::from(*symbol)])
            .collect::<Vec<_>>();
        text.push(T::default());
        // No record is empty.
        text.dedup_by(|next, before| (*next, *before) == (T::default(), T::default()));
        if text[0] == T::default() {
            text.remove(0);
        }
        let mut order = vec![0; text.len()];
        T::sort(&text, &mut order).unwrap();
        assert_eq!(order[..], brute(&text));
        let keys = order.iter().map(|at| T::key(&text[*at as usize..]));
        assert!(keys.is_sorted());
        for at in 0..text.len() {
            let ended = text[at..].iter().take_while(|t| **t != T::default());
            let mut tokens = ended.copied().collect::<Vec<_>>();
            tokens.resize(T::KEY_TOKENS.max(tokens.len()), T::default());
            assert_eq!(T::key(&text[at..]), key(&tokens));
        }
    }

    proptest! {
        #[test]
        fn suffixes_are_in_the_order_of_the_definition(
            symbols in prop::collection::vec(0_u8..4, 0..120),
        ) {
            check::<u8>(&symbols, [0, 1, 128, 255]);
            check::<u16>(&symbols, [0, 1, 256, u16::MAX]);
            check::<u32>(&symbols, [0, 1, 1 << 31, u32::MAX]);
            check::<u32>(&symbols, [0, 2, 3, 5]);
        }

        #[test]
        fn a_free_value_is_in_no_record(
            records in prop::collection::vec(prop::collection::vec(0_u8..4, 0..20), 0..4),
        ) {
            let free = free_value(records.iter().map(Vec::as_slice)).unwrap();
            let smaller = (0..free).all(|value| records.concat().contains(&value));
            prop_assert!(smaller && !records.concat().contains(&free));
        }

        #[test]
        fn common_prefixes_are_those_of_a_loop(
            a in prop::collection::vec(0_u16..2, 0..100),
            cut in 0_usize..100,
        ) {
            let mut b = a.clone();
            if let Some(token) = b.get_mut(cut) {
                *token += 1;
            }
            prop_assert_eq!(common_prefix(&a, &b), cut.min(a.len()));
            let end = a.iter().position(|token| *token == 0).unwrap_or(a.len());
            prop_assert_eq!(common_in_record(&a, &b), cut.min(end));
        }
    }

    #[test]
    fn bytes_may_all_be_taken() {
        let all = (0..=255).collect::<Vec<u8>>();
        assert_eq!(free_value([&all[..]].into_iter()), None);
        assert_eq!(free_value([&all[..255]].into_iter()), Some(255));
        let all = (0..=u16::MAX).collect::<Vec<u16>>();
        assert_eq!(free_value([&all[..]].into_iter()), None);
        assert_eq!(free_value([&[0_u32, 2][..]].into_iter()), Some(1));
        assert_eq!(free_value::<u32>([].into_iter()), Some(0));
    }
}
