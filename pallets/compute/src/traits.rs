//! What this pallet needs from the pallets of data and models.

use crate::types::ContributionView;
use attribution_proof::{
    contribution::Snapshot,
    licence::Terms,
    model::{ModelKind, Parents, Training},
    split::Parts,
    AccountId, Balance, BlockNumber, ContributionId, DatanetId, ModelId, RulesetId,
};
use sp_runtime::DispatchError;

/// The Datanets.
pub trait Data {
    /// The newest version of a Datanet; of length zero while nothing was accepted.
    fn latest_snapshot(datanet: DatanetId) -> Option<Snapshot>;

    /// The meet of the terms of all standing contributions of a Datanet.
    fn terms(datanet: DatanetId) -> Option<Terms>;

    /// An *accepted* contribution, also when it was tombstoned later.
    fn contribution(contribution: ContributionId) -> Option<ContributionView>;

    /// The block in which a record, or the whole of its contribution, was tombstoned; the earlier of
    /// both.
    fn tombstoned_at(contribution: ContributionId, record: u32) -> Option<BlockNumber>;
}

/// The models.
pub trait Models {
    /// Checks version, base, price and royalties before anybody works for it. Answers with the terms
    /// of the base and the parents with the royalties agreed by this. After that,
    /// [`Self::register_trained`] may fail only because a parent was voided meanwhile.
    fn quote_training(
        owner: &AccountId,
        kind: ModelKind,
        previous: Option<ModelId>,
        royalty: Parts,
        price: Balance,
        price_floor: Balance,
    ) -> Result<(Terms, Parents), DispatchError>;

    /// Registers the result of a job. `parents` are those that were quoted, `terms` those of the
    /// inputs.
    fn register_trained(
        owner: &AccountId,
        kind: ModelKind,
        previous: Option<ModelId>,
        royalty: Parts,
        price: Balance,
        price_floor: Balance,
        parents: Parents,
        terms: Terms,
        ruleset: RulesetId,
        training: Training,
    ) -> Result<ModelId, DispatchError>;
}

/// What benchmarks need the other pallets to hold. Everything is written past all checks.
#[cfg(feature = "runtime-benchmarks")]
pub trait BenchmarkHelper {
    /// A Datanet with free terms whose only accepted contribution is by `contributor` over `leaves`.
    fn datanet(
        contributor: &AccountId,
        leaves: attribution_proof::merkle::Commitment,
    ) -> (DatanetId, ContributionId);

    /// A live base model of `owner` with free terms.
    fn base_model(owner: &AccountId) -> ModelId;

    /// Makes both sources of randomness known since block `since`.
    fn set_randomness_known_since(since: BlockNumber);
}
