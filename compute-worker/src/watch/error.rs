//! Why a settlement could not be watched.

use crate::{chain::ChainError, remote::RemoteError, terms::TermsError};
use attribution_proof::{AccountId, ModelId, RulesetId, SettlementId};

/// Why a settlement could not be looked at or challenged.
#[derive(Debug, thiserror::Error)]
pub enum WatchError {
    /// The chain.
    #[error(transparent)]
    Chain(#[from] ChainError),
    /// What the chain says about a model.
    #[error(transparent)]
    Terms(#[from] TermsError),
    /// The attribution engine.
    #[error(transparent)]
    Engine(#[from] attribution_engine::Error),
    /// The operator.
    #[error(transparent)]
    Remote(#[from] RemoteError),
    /// No such settlement.
    #[error("settlement {0} is not on chain: it never was, was voided, or is paid out")]
    NoSettlement(SettlementId),
    /// A ruleset is missing.
    #[error("ruleset {0} is not on chain; the node's state is damaged, use another node")]
    NoRuleset(RulesetId),
    /// The index or the records of a model are not at hand.
    #[error("the index and records of model {model} are not at hand: {reason}")]
    NotAtHand {
        /// The model.
        model: ModelId,
        /// Why.
        reason: String,
    },
    /// The URL is another operator's.
    #[error("the operator at {url} is {found}, on the chain with genesis {genesis}; watch it from a node of that chain, or name another --operator-url")]
    OtherChain {
        /// Its URL.
        url: String,
        /// The account that it names.
        found: AccountId,
        /// The genesis that it names.
        genesis: String,
    },
    /// An answer stands where it cannot be read.
    #[error("a demand of settlement {0} was answered inside another call, which is not read; look at block explorers for it")]
    HiddenAnswer(SettlementId),
}
