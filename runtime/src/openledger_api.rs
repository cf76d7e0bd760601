//! The runtime APIs of OpenLedger's own pallets, for interfaces that ask a node by `state_call`. View
//! functions answer everything about one object; these answer what spans objects, and what concerns
//! none that the chain has stored.

// The macro writes undocumented items.
#![allow(missing_docs)]

use alloc::vec::Vec;

use attribution_proof::{
    hash::{Hash, Tag},
    influence::{CosineFloor, QueryVector, Row},
    merkle::{Commitment, MerkleError, Path},
    record::Defect,
    split::{Split, SplitRule},
    AccountId, Balance, ModelId,
};
use pallet_attribution::Earnings;
use sp_runtime::MultiSignature;

use crate::monitoring::Figure;

sp_api::decl_runtime_apis! {
    /// Attribution, as contributors and builders see it.
    pub trait AttributionApi {
        /// What `account` earned: unclaimed money by settlement and model, and all of it by model.
        fn earnings(account: AccountId) -> Earnings;

        /// The model, then the base it stands on; empty for an unknown model.
        fn lineage(model: ModelId) -> Vec<ModelId>;
    }

    /// Figures for operators' monitoring, by names that a node passes on without knowing them.
    pub trait MonitoringApi {
        /// Figures of the present state.
        fn state_figures() -> Vec<Figure>;

        /// What this block added to figures that only grow.
        fn block_figures() -> Vec<Figure>;
    }

    /// The protocol's hashes, commitments and sums, computed by the code that judges challenges: for
    /// interfaces that check what an operator handed them, and for other implementations of the
    /// protocol to compare themselves with. Nothing here reads the chain's state.
    pub trait ProofApi {
        /// BLAKE2b-256 of the tag, the version of the layouts, and the object's SCALE encoding.
        fn object_hash(tag: Tag, body: Vec<u8>) -> Hash;

        /// The commitment over leaves that are hashed already.
        fn commitment(leaves: Vec<Hash>) -> Commitment;

        /// Whether `path` leads from the leaf at `index` to the commitment, at exactly the length that
        /// index and count imply.
        fn verify_opening(
            commitment: Commitment,
            index: u32,
            leaf: Hash,
            path: Path,
        ) -> Result<(), MerkleError>;

        /// The commitment over a record's chunks.
        fn content_commitment(record: Vec<u8>) -> Commitment;

        /// The commitment over a response's chunks, salted from its secret.
        fn response_commitment(response: Vec<u8>, secret: Hash) -> Commitment;

        /// Why bytes are no valid text record, if they are not.
        fn text_defect(record: Vec<u8>) -> Option<Defect>;

        /// The score that a row earns with a query; none if it is below the floor or earns nothing.
        fn credit_score(query: QueryVector, row: Row, floor: CosineFloor) -> Option<i64>;

        /// Splits an amount in proportion to weights by largest remainder, to the last unit.
        fn apportion(amount: Balance, weights: Vec<u64>) -> Vec<Balance>;

        /// The split of what a channel paid between two of its cumulative amounts.
        fn split(rule: SplitRule, before: Balance, after: Balance) -> Split;

        /// Whether `signer` signed the bytes, raw or in the wrapper that wallets put around messages.
        fn is_signed(bytes: Vec<u8>, signature: MultiSignature, signer: AccountId) -> bool;
    }
}
