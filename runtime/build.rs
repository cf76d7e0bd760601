//! Builds the Wasm blob that the node embeds in its chain specifications.

fn main() {
    // Without `std` this very script runs inside the Wasm build, which must not start another one.
    #[cfg(feature = "std")]
    substrate_wasm_builder::WasmBuilder::build_using_defaults();
}
