//! How each pallet is configured, one file per concern.

pub mod accounts;
pub mod consensus;
pub mod governance;
pub mod openledger;
pub mod rewards;
pub mod ruleset;
pub mod staking;
pub mod system;
