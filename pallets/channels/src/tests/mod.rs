//! One module per call, then the function that other pallets use, views, invariants and
//! conservation.

mod claim;
mod close;
mod close_as_payee;
mod close_cooperatively;
mod conservation;
mod extend;
mod open;
mod request_close;
mod top_up;
mod try_state;
mod views;
