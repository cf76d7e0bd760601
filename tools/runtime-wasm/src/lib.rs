//! Holds the build script that makes a runtime's Wasm, and nothing else: a runtime's own build script
//! runs only when all that the runtime needs is compiled for the host too, which takes twenty times as
//! long as the Wasm.
