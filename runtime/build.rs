//! Builds the Wasm blob that the node embeds in its chain specifications.

fn main() {
    // Without `std` this very script runs inside the Wasm build, which must not start another one.
    #[cfg(feature = "std")]
    {
        let builder = substrate_wasm_builder::WasmBuilder::init_with_defaults();
        // What an offline signer shows beside an amount; see `constants::currency`.
        #[cfg(feature = "metadata-hash")]
        let builder = builder.enable_metadata_hash("OPEN", 18);
        builder.build();
    }
}
