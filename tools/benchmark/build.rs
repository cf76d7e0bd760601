//! Builds the runtime with its benchmarks, whose path the tool embeds.

use std::{env, path::PathBuf};

fn main() {
    let manifest = PathBuf::from(env::var_os("CARGO_MANIFEST_DIR").expect("cargo sets it"))
        .join("../../runtime/Cargo.toml")
        .canonicalize()
        .expect("the runtime is part of the repository");
    substrate_wasm_builder::WasmBuilder::new()
        .with_project(manifest)
        .expect("the path names a manifest")
        .import_memory()
        .export_heap_base()
        .enable_feature("runtime-benchmarks")
        .build();
}
