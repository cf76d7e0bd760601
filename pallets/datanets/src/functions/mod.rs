//! The logic behind the calls, by concern.

mod challenges;
mod contributions;
mod curation;
mod datanets;
mod demands;
mod money;
mod queries;

use crate::{Config, ContributionDetails, Contributions, Error, Pallet};
use attribution_proof::{
    ruleset::{Ruleset, Rulesets},
    BlockNumber, ContributionId, RulesetId,
};
use sp_runtime::SaturatedConversion;

impl<T: Config> Pallet<T> {
    /// The current block.
    pub(crate) fn now() -> BlockNumber {
        frame_system::Pallet::<T>::block_number().saturated_into()
    }

    pub(crate) fn ruleset(id: RulesetId) -> Result<Ruleset, Error<T>> {
        T::Rulesets::get(id).ok_or(Error::UnknownRuleset)
    }

    pub(crate) fn stored(id: ContributionId) -> Result<ContributionDetails, Error<T>> {
        Contributions::<T>::get(id).ok_or(Error::UnknownContribution)
    }

    /// A contribution against which challenges are possible.
    pub(crate) fn liable(id: ContributionId) -> Result<ContributionDetails, Error<T>> {
        Some(Self::stored(id)?)
            .filter(ContributionDetails::is_liable)
            .ok_or(Error::NotLiable)
    }
}
