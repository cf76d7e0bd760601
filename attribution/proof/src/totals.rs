//! Running totals of a channel: who earned how much with which model since the settled mark.
//!
//! One channel serves every model of its payee, so an entry names the served model beside the payee:
//! builders are paid per model, and a contributor sees which model paid him.

use crate::{
    bounds::MAX_TOTALS,
    hash::{hash_encoded, Hash, Tag},
    merkle::{Commitment, MerkleError, Path, Tree},
    split::apportion,
    Balance, ContributionId, ModelId,
};
use alloc::vec::Vec;
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use scale_info::TypeInfo;
use sp_core::ConstU32;
use sp_runtime::BoundedVec;

/// Who earns.
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
pub enum Payee {
    /// The treasury, where no datum earned the data share.
    #[codec(index = 0)]
    Treasury,
    /// The builders of the model.
    #[codec(index = 1)]
    Builder,
    /// The contributor of a contribution.
    #[codec(index = 2)]
    Contribution(ContributionId),
}

/// One entry.
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
pub struct Total {
    /// The model that was served.
    pub model: ModelId,
    /// Who earned.
    pub payee: Payee,
    /// Base units.
    pub amount: Balance,
}

impl Total {
    /// Key of the map.
    pub fn key(&self) -> (ModelId, Payee) {
        (self.model, self.payee)
    }

    /// Leaf of the entry at position `index`.
    pub fn leaf(&self, index: u32) -> Hash {
        hash_encoded(Tag::Total, &(index, self))
    }
}

/// The map as a strictly ascending vector.
#[derive(
    Clone,
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
pub struct Totals {
    /// Entries, strictly ascending by model and payee.
    pub entries: BoundedVec<Total, ConstU32<MAX_TOTALS>>,
}

impl Totals {
    /// Whether keys ascend strictly.
    pub fn is_well_formed(&self) -> bool {
        self.entries
            .windows(2)
            .all(|pair| matches!(pair, [a, b] if a.key() < b.key()))
    }

    /// The tree over the entries.
    pub fn tree(&self) -> Tree {
        Tree::new(
            self.entries
                .iter()
                .zip(0u32..)
                .map(|(total, index)| total.leaf(index))
                .collect(),
        )
    }

    /// The commitment that a receipt carries.
    pub fn commitment(&self) -> Commitment {
        self.tree().commitment()
    }

    /// Sum of all entries.
    pub fn sum(&self) -> Balance {
        self.entries
            .iter()
            .fold(0, |sum, total| sum.saturating_add(total.amount))
    }

    /// The map after an answer of `model` that earned its builders `builder` and its data `data`,
    /// split over the contributions' `weights`, one per datum. Data are summed per contribution before
    /// the split by largest remainder; without any weight the treasury takes the data share. `None`
    /// when the map would grow over its bound: settle first.
    #[must_use]
    pub fn credit(
        &self,
        model: ModelId,
        builder: Balance,
        data: Balance,
        weights: &[(ContributionId, u64)],
    ) -> Option<Self> {
        let mut merged: Vec<(Payee, u64)> = Vec::new();
        for (contribution, weight) in weights {
            let payee = Payee::Contribution(*contribution);
            match merged.binary_search_by_key(&payee, |(known, _)| *known) {
                Ok(at) => {
                    if let Some((_, sum)) = merged.get_mut(at) {
                        *sum = sum.saturating_add(*weight);
                    }
                }
                Err(at) => merged.insert(at, (payee, *weight)),
            }
        }
        if merged.iter().all(|(_, weight)| *weight == 0) {
            merged = alloc::vec![(Payee::Treasury, 1)];
        }
        let weights: Vec<u64> = merged.iter().map(|(_, weight)| *weight).collect();
        let parts = merged
            .iter()
            .map(|(payee, _)| *payee)
            .zip(apportion(data, &weights));
        let mut entries = self.entries.to_vec();
        for (payee, amount) in core::iter::once((Payee::Builder, builder)).chain(parts) {
            if amount == 0 {
                continue;
            }
            match entries.binary_search_by_key(&(model, payee), Total::key) {
                Ok(at) => {
                    if let Some(total) = entries.get_mut(at) {
                        total.amount = total.amount.saturating_add(amount);
                    }
                }
                Err(at) => entries.insert(
                    at,
                    Total {
                        model,
                        payee,
                        amount,
                    },
                ),
            }
        }
        Some(Self {
            entries: entries.try_into().ok()?,
        })
    }
}

/// Proof of one entry, by which a payee is paid.
#[derive(
    Clone, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo,
)]
pub struct TotalOpening {
    /// Position of the entry.
    pub index: u32,
    /// The entry.
    pub total: Total,
    /// Path of the entry's leaf.
    pub path: Path,
}

impl TotalOpening {
    /// Checks the opening under a receipt's totals.
    pub fn verify(&self, totals: &Commitment) -> Result<(), MerkleError> {
        totals.verify(self.index, self.total.leaf(self.index), &self.path)
    }
}
