//! The logic behind the calls, by concern.

mod jobs;
mod operators;
mod rows;

#[cfg(any(feature = "std", feature = "try-runtime"))]
pub(crate) use jobs::input_records;
pub(crate) use jobs::JobRequest;

use crate::pallet::{Config, Error, Pallet};
use attribution_proof::{
    ruleset::{Ruleset, Rulesets},
    BlockNumber, RulesetId,
};
use sp_runtime::SaturatedConversion;

impl<T: Config> Pallet<T> {
    fn now() -> BlockNumber {
        frame_system::Pallet::<T>::block_number().saturated_into()
    }

    fn ruleset(id: RulesetId) -> Result<Ruleset, Error<T>> {
        T::Rulesets::get(id).ok_or(Error::<T>::UnknownRuleset)
    }
}
