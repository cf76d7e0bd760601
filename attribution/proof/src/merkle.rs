//! Binary Merkle commitments with exact openings.
//!
//! Leaves are hashes made by the objects themselves and contain their own index. An inner node is
//! `H(Tag::Node ‖ version ‖ left ‖ right)`; the last node of an odd level moves up unchanged. An
//! opening is accepted only at the length that `(index, count)` implies, so an inner node cannot
//! pass for a leaf, nor a leaf for another index.

use crate::{
    bounds::MAX_PATH,
    hash::{hash_bytes, Hash, Tag},
};
use alloc::vec::Vec;
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use scale_info::TypeInfo;
use sp_core::ConstU32;
use sp_runtime::BoundedVec;

/// Sibling hashes from a leaf up to the root.
pub type Path = BoundedVec<Hash, ConstU32<MAX_PATH>>;

/// Root and number of leaves. The empty list has the zero root.
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
pub struct Commitment {
    /// Root hash; zero when `count` is zero.
    pub root: Hash,
    /// Number of leaves.
    pub count: u32,
}

/// Why an opening was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, TypeInfo)]
pub enum MerkleError {
    /// The index is not below the number of leaves.
    #[codec(index = 0)]
    IndexOutOfRange,
    /// The path is longer or shorter than index and count imply.
    #[codec(index = 1)]
    WrongPathLength,
    /// The path leads to another root.
    #[codec(index = 2)]
    WrongRoot,
}

/// Number of siblings on the path of leaf `index` among `count` leaves.
pub fn path_length(index: u32, count: u32) -> Option<u32> {
    if index >= count {
        return None;
    }
    let (mut index, mut count, mut length) = (index, count, 0u32);
    while count > 1 {
        if index % 2 == 1 || index.saturating_add(1) < count {
            length = length.saturating_add(1);
        }
        index /= 2;
        count = count.div_ceil(2);
    }
    Some(length)
}

fn node(left: &Hash, right: &Hash) -> Hash {
    let mut body = [0u8; 64];
    let (first, second) = body.split_at_mut(32);
    first.copy_from_slice(left.as_bytes());
    second.copy_from_slice(right.as_bytes());
    hash_bytes(Tag::Node, &body)
}

impl Commitment {
    /// The commitment to `leaves`, in order.
    ///
    /// # Panics
    ///
    /// Never: more than `u32::MAX` leaves are cut off by the saturating count and fail to verify.
    pub fn of(leaves: Vec<Hash>) -> Self {
        let count = u32::try_from(leaves.len()).unwrap_or(u32::MAX);
        let mut level = leaves;
        while level.len() > 1 {
            level = next_level(&level);
        }
        Self {
            root: level.first().copied().unwrap_or_default(),
            count,
        }
    }

    /// Checks that `leaf` is leaf `index` of this commitment.
    pub fn verify(&self, index: u32, leaf: Hash, path: &[Hash]) -> Result<(), MerkleError> {
        let length = path_length(index, self.count).ok_or(MerkleError::IndexOutOfRange)?;
        if usize::try_from(length) != Ok(path.len()) {
            return Err(MerkleError::WrongPathLength);
        }
        let (mut index, mut count, mut hash) = (index, self.count, leaf);
        let mut siblings = path.iter();
        while count > 1 {
            if index % 2 == 1 {
                let sibling = siblings.next().ok_or(MerkleError::WrongPathLength)?;
                hash = node(sibling, &hash);
            } else if index.saturating_add(1) < count {
                let sibling = siblings.next().ok_or(MerkleError::WrongPathLength)?;
                hash = node(&hash, sibling);
            }
            index /= 2;
            count = count.div_ceil(2);
        }
        if hash == self.root {
            Ok(())
        } else {
            Err(MerkleError::WrongRoot)
        }
    }
}

fn next_level(level: &[Hash]) -> Vec<Hash> {
    level
        .chunks(2)
        .map(|pair| match pair {
            [left, right] => node(left, right),
            [only] => *only,
            _ => Hash::zero(),
        })
        .collect()
}

/// All levels of a tree, for whoever makes many openings.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tree {
    levels: Vec<Vec<Hash>>,
}

impl Tree {
    /// Builds the tree over `leaves`.
    pub fn new(leaves: Vec<Hash>) -> Self {
        let mut levels = alloc::vec![leaves];
        while let Some(last) = levels.last().filter(|last| last.len() > 1) {
            let next = next_level(last);
            levels.push(next);
        }
        Self { levels }
    }

    /// Root and count.
    pub fn commitment(&self) -> Commitment {
        Commitment {
            root: self
                .levels
                .last()
                .and_then(|top| top.first())
                .copied()
                .unwrap_or_default(),
            count: self.levels.first().map_or(0, |leaves| leaves.len() as u32),
        }
    }

    /// The path of leaf `index`, or nothing if there is no such leaf.
    pub fn path(&self, index: u32) -> Option<Path> {
        let mut position = usize::try_from(index).ok()?;
        self.levels.first()?.get(position)?;
        let mut path = Path::new();
        for level in &self.levels {
            if let Some(sibling) = level.get(position ^ 1) {
                path.try_push(*sibling).ok()?;
            }
            position /= 2;
        }
        Some(path)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn leaf(index: u32) -> Hash {
        hash_bytes(Tag::Chunk, &index.to_le_bytes())
    }

    fn leaves(count: u32) -> Vec<Hash> {
        (0..count).map(leaf).collect()
    }

    /// The library's tree with our tagged nodes, as an independent construction.
    struct TaggedNodes;
    impl sp_core::Hasher for TaggedNodes {
        type Out = Hash;
        type StdHasher = std::collections::hash_map::DefaultHasher;
        const LENGTH: usize = 32;
        fn hash(bytes: &[u8]) -> Hash {
            hash_bytes(Tag::Node, bytes)
        }
    }
    #[test]
    fn success_same_root_as_the_library() {
        for count in 1..70 {
            let expected = binary_merkle_tree::merkle_root_raw::<TaggedNodes, _>(leaves(count));
            assert_eq!(
                Commitment::of(leaves(count)).root,
                expected,
                "{count} leaves"
            );
            assert_eq!(Tree::new(leaves(count)).commitment().root, expected);
        }
        assert_eq!(Commitment::of(Vec::new()), Commitment::default());
        assert_eq!(Tree::new(Vec::new()).commitment(), Commitment::default());
    }

    proptest! {
        #[test]
        fn success_every_leaf_opens_and_only_at_its_index(count in 1u32..200, at in 0u32..200, other in 0u32..220) {
            let index = at % count;
            let tree = Tree::new(leaves(count));
            let path = tree.path(index).unwrap();
            prop_assert_eq!(path.len() as u32, path_length(index, count).unwrap());
            prop_assert_eq!(tree.commitment().verify(index, leaf(index), &path), Ok(()));
            if other != index {
                prop_assert!(tree.commitment().verify(other, leaf(index), &path).is_err());
                prop_assert!(tree.commitment().verify(index, leaf(other), &path).is_err());
            }
        }

        #[test]
        fn fails_when_path_is_longer_or_shorter(count in 2u32..200, at in 0u32..200) {
            let index = at % count;
            let tree = Tree::new(leaves(count));
            let mut path = tree.path(index).unwrap();
            path.try_push(Hash::repeat_byte(7)).unwrap();
            prop_assert_eq!(tree.commitment().verify(index, leaf(index), &path), Err(MerkleError::WrongPathLength));
            path.pop();
            path.pop();
            prop_assert_eq!(tree.commitment().verify(index, leaf(index), &path), Err(MerkleError::WrongPathLength));
        }
    }

    #[test]
    fn fails_when_inner_node_poses_as_leaf() {
        let tree = Tree::new(leaves(4));
        let inner = node(&leaf(0), &leaf(1));
        let short = tree.path(0).unwrap().into_inner().split_off(1);
        assert_eq!(
            tree.commitment().verify(0, inner, &short),
            Err(MerkleError::WrongPathLength)
        );
        // A committer who lies about the count gets no further: his tree of two "leaves" is another
        // commitment, and a leaf hash never carries the node tag.
        let lied = Commitment {
            count: 2,
            ..tree.commitment()
        };
        assert_eq!(
            lied.verify(0, leaf(0), &tree.path(0).unwrap()),
            Err(MerkleError::WrongPathLength)
        );
    }

    #[test]
    fn fails_when_last_odd_leaf_poses_at_another_index() {
        let tree = Tree::new(leaves(5));
        let path = tree.path(4).unwrap();
        assert_eq!(tree.commitment().verify(4, leaf(4), &path), Ok(()));
        for index in [0, 1, 2, 3, 5, u32::MAX] {
            assert!(
                tree.commitment().verify(index, leaf(4), &path).is_err(),
                "index {index}"
            );
        }
    }
}
