//! Tests of the composed runtime: blocks are built and executed natively, the way a node does it
//! through Wasm, and after each of them every pallet proves its books.

mod books;
mod chain;
mod genesis;
mod offences;
mod powers;
mod random_operations;
mod referenda;
mod supply;
mod weights;
mod years;
