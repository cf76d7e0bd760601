//! The runtime API of OpenLedger's own pallets, for interfaces that ask a node by `state_call`. View
//! functions answer everything about one object; this answers what spans objects.

// The macro writes undocumented items.
#![allow(missing_docs)]

use attribution_proof::{AccountId, ModelId};
use pallet_attribution::Earnings;

sp_api::decl_runtime_apis! {
    /// Attribution, as contributors and builders see it.
    pub trait AttributionApi {
        /// What `account` earned: unclaimed money by settlement and model, and all of it by model.
        fn earnings(account: AccountId) -> Earnings;

        /// The model, then the base it stands on; empty for an unknown model.
        fn lineage(model: ModelId) -> alloc::vec::Vec<ModelId>;
    }
}
