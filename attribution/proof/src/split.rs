//! The money split: parts per billion, largest remainder, nothing lost and nothing made.

use crate::{bounds::MAX_BUILDERS, AccountId, Balance};
use alloc::vec::Vec;
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use core::cmp::Reverse;
use scale_info::TypeInfo;
use serde::{Deserialize, Serialize};
use sp_core::ConstU32;
use sp_runtime::BoundedVec;

/// Parts per billion.
pub type Parts = u32;
/// The whole.
pub const BILLION: Parts = 1_000_000_000;

/// Splits `amount` in proportion to `weights` by largest remainder (Hamilton's method): each gets the
/// floor of its quota, and the units left over go one by one to the largest fractional parts, the
/// earlier position first where they are equal. The parts sum to `amount` exactly, unless all weights
/// are zero: then all parts are zero.
///
/// The sum of `weights` is taken in `u64` and saturates; callers stay far below.
pub fn apportion(amount: Balance, weights: &[u64]) -> Vec<Balance> {
    let sum = u128::from(
        weights
            .iter()
            .fold(0u64, |sum, weight| sum.saturating_add(*weight)),
    );
    let (Some(whole), Some(rest)) = (amount.checked_div(sum), amount.checked_rem(sum)) else {
        return weights.iter().map(|_| 0).collect();
    };
    // amount·w/sum = whole·w + rest·w/sum with rest < sum < 2^64, so the product stays in u128.
    let mut parts = Vec::with_capacity(weights.len());
    let mut remainders = Vec::with_capacity(weights.len());
    let mut given: Balance = 0;
    for (position, weight) in weights.iter().enumerate() {
        let weight = u128::from(*weight);
        let product = rest.saturating_mul(weight);
        let part = whole
            .saturating_mul(weight)
            .saturating_add(product.checked_div(sum).unwrap_or_default());
        given = given.saturating_add(part);
        parts.push(part);
        remainders.push((
            Reverse(product.checked_rem(sum).unwrap_or_default()),
            position,
        ));
    }
    remainders.sort_unstable();
    let left = usize::try_from(amount.saturating_sub(given)).unwrap_or(usize::MAX);
    for (_, position) in remainders.into_iter().take(left) {
        if let Some(part) = parts.get_mut(position) {
            *part = part.saturating_add(1);
        }
    }
    parts
}

/// `floor(amount · parts / 10^9)`.
pub fn portion(amount: Balance, parts: Parts) -> Balance {
    const WHOLE: Balance = BILLION as Balance;
    let parts = Balance::from(parts);
    // A constant divisor that is not zero: neither operation can fail.
    let (quotient, rest) = (amount.div_euclid(WHOLE), amount.rem_euclid(WHOLE));
    quotient
        .saturating_mul(parts)
        .saturating_add(rest.saturating_mul(parts).div_euclid(WHOLE))
}

/// How a settled amount is split. The parts sum to one billion.
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
    Serialize,
    Deserialize,
)]
pub struct SplitRule {
    /// The operator who served.
    pub operator: Parts,
    /// The model's builder, shared up the lineage by royalties.
    pub builder: Parts,
    /// The contributors of the data.
    pub data: Parts,
    /// Validators and their nominators.
    pub stakers: Parts,
    /// Treasury.
    pub treasury: Parts,
}

/// A settled amount, split. The fields sum to the amount.
#[derive(
    Clone,
    Copy,
    Debug,
    Default,
    PartialEq,
    Eq,
    Encode,
    Decode,
    DecodeWithMemTracking,
    MaxEncodedLen,
    TypeInfo,
)]
pub struct Split {
    /// The operator who served.
    pub operator: Balance,
    /// The builders.
    pub builder: Balance,
    /// The contributors of the data. With `builder` it equals the sum of the final receipt's totals.
    pub data: Balance,
    /// Validators and their nominators.
    pub stakers: Balance,
    /// Treasury.
    pub treasury: Balance,
}

impl SplitRule {
    /// Whether the parts sum to one billion.
    pub fn is_valid(&self) -> bool {
        [
            self.operator,
            self.builder,
            self.data,
            self.stakers,
            self.treasury,
        ]
        .iter()
        .try_fold(0u32, |sum, part| sum.checked_add(*part))
            == Some(BILLION)
    }

    /// The data share of what a channel's cumulative amount grew from `before` to `after`.
    ///
    /// It is a difference of floors, so the shares of consecutive receipts add up to the share of
    /// their sum exactly: the totals of a settlement always equal its data and builder shares.
    pub fn data_share(&self, before: Balance, after: Balance) -> Balance {
        portion(after, self.data).saturating_sub(portion(before, self.data))
    }

    /// The builder's share, by the same rule as [`Self::data_share`].
    pub fn builder_share(&self, before: Balance, after: Balance) -> Balance {
        portion(after, self.builder).saturating_sub(portion(before, self.builder))
    }

    /// Splits the settlement of a channel from `before` to `after`, two cumulative amounts. Data and
    /// builders get [`Self::data_share`] and [`Self::builder_share`]; the others share the rest by
    /// largest remainder in declaration order, or the treasury takes it when their parts are zero.
    pub fn split(&self, before: Balance, after: Balance) -> Split {
        let data = self.data_share(before, after);
        let builder = self.builder_share(before, after);
        let rest = after
            .saturating_sub(before)
            .saturating_sub(data)
            .saturating_sub(builder);
        let weights = [self.operator, self.stakers, self.treasury].map(u64::from);
        match apportion(rest, &weights).as_slice() {
            [operator, stakers, treasury] if weights.iter().any(|weight| *weight > 0) => Split {
                operator: *operator,
                builder,
                data,
                stakers: *stakers,
                treasury: *treasury,
            },
            _ => Split {
                data,
                builder,
                treasury: rest,
                ..Split::default()
            },
        }
    }
}

/// The accounts that share a builder's fee, and their parts, which sum to one billion.
pub type Builders = BoundedVec<(AccountId, Parts), ConstU32<MAX_BUILDERS>>;

/// Flattens royalties: each parent takes its royalty of the fee, shared among *its* builders; the
/// owner keeps the rest. Accounts are merged in first-come order, owner first. `None` if royalties
/// exceed one billion or more accounts than fit share the fee.
pub fn flatten_royalties(owner: &AccountId, parents: &[(Parts, &Builders)]) -> Option<Builders> {
    let royalties = parents
        .iter()
        .try_fold(0u32, |sum, (royalty, _)| sum.checked_add(*royalty))?;
    let mut builders = Builders::new();
    let mut add = |account: &AccountId, parts: Parts| -> Option<()> {
        if parts == 0 {
            return Some(());
        }
        match builders.iter_mut().find(|(known, _)| known == account) {
            Some((_, sum)) => *sum = sum.checked_add(parts)?,
            None => builders.try_push((account.clone(), parts)).ok()?,
        }
        Some(())
    };
    add(owner, BILLION.checked_sub(royalties)?)?;
    for (royalty, inherited) in parents {
        let weights: Vec<u64> = inherited
            .iter()
            .map(|(_, parts)| u64::from(*parts))
            .collect();
        let shares = apportion(u128::from(*royalty), &weights);
        for ((account, _), share) in inherited.iter().zip(shares) {
            add(account, u32::try_from(share).ok()?)?;
        }
    }
    Some(builders)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const RULE: SplitRule = SplitRule {
        operator: 500_000_000,
        builder: 200_000_000,
        data: 200_000_000,
        stakers: 50_000_000,
        treasury: 50_000_000,
    };

    proptest! {
        #[test]
        fn success_apportion_conserves_and_stays_within_one_of_the_quota(
            amount in 0u128..(1u128 << 90),
            weights in prop::collection::vec(0u64..(1 << 51), 1..64),
        ) {
            let parts = apportion(amount, &weights);
            let sum: u128 = weights.iter().map(|w| u128::from(*w)).sum();
            if sum == 0 {
                prop_assert!(parts.iter().all(|part| *part == 0));
            } else {
                prop_assert_eq!(parts.iter().sum::<u128>(), amount);
                for (part, weight) in parts.iter().zip(&weights) {
                    // quota - 1 < part < quota + 1, compared without division.
                    let product = sp_core::U256::from(amount) * sp_core::U256::from(*weight);
                    let scaled = |n: u128| sp_core::U256::from(n) * sp_core::U256::from(sum);
                    prop_assert!(scaled(*part) < product + scaled(1));
                    prop_assert!(scaled(*part + 1) > product);
                }
            }
        }

        #[test]
        fn success_split_conserves_and_telescopes(
            start in 0u128..(1u128 << 90),
            steps in prop::collection::vec(0u128..(1u128 << 70), 1..20),
        ) {
            let (mut at, mut data, mut builder) = (start, 0, 0);
            for step in &steps {
                data += RULE.data_share(at, at + step);
                builder += RULE.builder_share(at, at + step);
                at += step;
            }
            let split = RULE.split(start, at);
            prop_assert_eq!((split.data, split.builder), (data, builder));
            prop_assert_eq!(split.operator + split.builder + split.data + split.stakers + split.treasury, at - start);
        }

        #[test]
        fn success_royalties_conserve(royalty in 0u32..=BILLION, inner in 0u32..=BILLION) {
            let account = |byte| AccountId::new([byte; 32]);
            let base = flatten_royalties(&account(1), &[]).unwrap();
            let middle = flatten_royalties(&account(2), &[(inner, &base)]).unwrap();
            let top = flatten_royalties(&account(3), &[(royalty, &middle)]).unwrap();
            prop_assert_eq!(top.iter().map(|(_, parts)| *parts).sum::<u32>(), BILLION);
        }
    }

    #[test]
    fn success_remainders_go_to_the_largest_fractions_first() {
        assert_eq!(apportion(10, &[1, 1, 1]), [4, 3, 3]);
        assert_eq!(apportion(10, &[5, 3, 3]), [4, 3, 3]);
        assert_eq!(apportion(1, &[1, 2]), [0, 1]);
    }

    #[test]
    fn fails_when_royalties_exceed_the_whole() {
        let account = |byte| AccountId::new([byte; 32]);
        let base = flatten_royalties(&account(1), &[]).unwrap();
        assert_eq!(
            flatten_royalties(&account(2), &[(BILLION, &base), (1, &base)]),
            None
        );
    }
}
