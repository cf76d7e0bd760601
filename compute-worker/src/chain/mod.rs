//! The chain, as the worker uses it: reads at the best block, and transactions.
//!
//! [`Client`] is the only way to the chain. It reconnects by itself: a read that failed because the
//! node went away is tried again on a new connection for up to a minute. Transactions are never sent
//! twice.
//!
//! ```no_run
//! # async fn example() -> Result<(), openledger_worker::chain::ChainError> {
//! use openledger_worker::{chain::{calls, Client, Wait}, keys::Key};
//!
//! let chain = Client::connect("ws://127.0.0.1:9944").await?;
//! let key = Key::from_secret("//Alice").expect("a development key");
//! let payee = Key::from_secret("//Bob").expect("a development key").account();
//! let expiry = chain.best_block().await? + 1_000;
//! let open = calls::open_channel(&payee, None, 10_u128.pow(18), expiry);
//! let events = chain.submit(&key, &open, Wait::InBlock).await?;
//! let channel = events.opened_channel().expect("the transaction succeeded");
//! println!("{:?}", chain.channel(channel).await?);
//! # Ok(())
//! # }
//! ```

mod answers;
pub mod calls;
mod compatibility;
mod connection;
mod error;
mod state;
mod submit;
#[cfg(test)]
mod tests;
mod types;

pub use compatibility::use_address_prefix;
pub use connection::Client;
pub use error::ChainError;
pub use submit::{TransactionEvents, Wait};
pub use types::{
    Acceptance, AccountData, AccountInfo, Assignment, Channel, ContributionDetails,
    ContributionState, DatanetDetails, DatanetKind, Demand, Demanded, Job, JobState, Operator,
    OperatorState, RefundCause, RowFault, Settlement, SettlementState, Standing, TermCounts,
    Tombstone, TombstoneCause, TrainedWeights,
};
