//! How each pallet is configured, one file per concern.

pub mod accounts;
pub mod consensus;
pub mod governance;
pub mod openledger;
#[cfg(feature = "runtime-benchmarks")]
mod openledger_benchmarks;
pub mod rewards;
pub mod ruleset;
pub mod staking;
pub mod system;
