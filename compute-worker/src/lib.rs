//! The OpenLedger worker: training, serving, attribution and payments beside the chain.

pub mod artifact;
pub mod attribution;
pub mod chain;
pub mod cli;
pub mod committed;
pub mod copies;
pub mod dataset;
pub mod generate;
pub mod keys;
pub mod ledger;
pub mod metrics;
pub mod model;
pub mod operator;
pub mod pay;
pub mod payload;
pub mod receipt;
pub mod remote;
mod request_body;
pub mod serve;
pub mod store;
pub mod telemetry;
pub mod terms;
pub mod threads;
pub mod train;
pub mod watch;
