#!/usr/bin/env bash
# All tests, from a fresh clone: sets the machine up, then format, dependencies, build with lints,
# Rust tests, and polkadot.js against a development node. Ends at the first failure.
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=env.sh
. "$(dirname "${BASH_SOURCE[0]}")/env.sh"
# shellcheck source-path=SCRIPTDIR source=functions.sh
. "$REPOSITORY/scripts/functions.sh"
cd "$REPOSITORY"
[ $# -eq 0 ] || fail "unknown argument '$1'; this script takes none"

# Build and tests have the same profile and features, so that nothing is compiled twice.
CARGO_OPTIONS=(--release --workspace --locked --features openledger-node/fast-runtime)

check_lock_file() {
    local count
    # A crate of another release line brings a second SDK, silently, and doubles the build.
    count=$(grep -c '^name = "sp-runtime"$' Cargo.lock || true)
    [ "$count" -eq 1 ] || fail "Cargo.lock holds $count sp-runtime instead of one: 'cargo tree -i sp-runtime' names the crate that brings the other; pin it to the SDK release of Cargo.toml"
    ! grep -qE '^name = "(lib)?rocksdb(-sys)?"$' Cargo.lock ||
        fail "Cargo.lock holds RocksDB: 'cargo tree -i librocksdb-sys' names the crate that brings it; switch its default features off"
}

check_dependencies() {
    # Only errors: the warnings are about licence expressions in old notation, which are read anyway.
    "$OPENLEDGER_TOOLS/bin/cargo-deny" --log-level error --locked check licenses bans sources
}

build_and_lint() {
    rm -rf "$CARGO_TARGET_DIR/cargo-timings"
    cargo build "${CARGO_OPTIONS[@]}" --all-targets --timings \
        --message-format=json-render-diagnostics >"$scratch/build.json"
    node scripts/compiled-twice.mjs "$scratch/build.json" "$CARGO_TARGET_DIR/cargo-timings"
}

check_runtime_imports() {
    # A runtime that asks for functions which only a benchmark's node has stops every other node.
    ! grep -q ext_benchmarking "$CARGO_TARGET_DIR/release/wbuild/openledger-runtime/openledger_runtime.compact.wasm" ||
        fail "the node's runtime imports benchmark functions: something in the build switches runtime-benchmarks on"
}

test_with_polkadot_js() {
    OPENLEDGER_NODE="$CARGO_TARGET_DIR/release/openledger-node" npm test --prefix tests/polkadot-js
}

scratch=$(mktemp -d)
trap 'status=$?; rm -rf "$scratch"; stages_report "$status"' EXIT

stage "set-up" scripts/setup.sh --checks
export RUSTC_WORKSPACE_WRAPPER="$REPOSITORY/scripts/rustc-and-clippy.sh"
stage "format" cargo fmt --all --check
stage "lock file" check_lock_file
stage "licences, bans and sources of dependencies" check_dependencies
stage "build and lints" build_and_lint
stage "functions that the runtime imports" check_runtime_imports
stage "metadata that clients are built with" scripts/update-metadata.sh --check
stage "Rust tests" cargo test "${CARGO_OPTIONS[@]}"
stage "polkadot.js tests" test_with_polkadot_js
say "not run here: security advisories (cargo deny check advisories needs a network)"
