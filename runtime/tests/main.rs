//! Tests of the composed runtime: blocks are built and executed natively, the way a node does it
//! through Wasm, and after each of them every pallet proves its books.

mod chain;
mod genesis;
mod referenda;
mod supply;
