#!/usr/bin/env bash
# Measures the weights of our pallets' calls and writes them to pallets/*/src/weights.rs. Run it by
# hand on an otherwise idle machine; neither scripts/test.sh nor CI does.
set -euo pipefail

usage() {
    cat <<'HELP'
usage: scripts/benchmark-weights.sh [--quick] [PALLET]...

Measures the weights of the calls of each PALLET (attribution, channels, compute, datanets, models; all
of them when none is named) and writes them to pallets/PALLET/src/weights.rs.

  --quick  10 steps and 5 repeats instead of 50 and 20: to see that the benchmarks work

It builds the runtime with its benchmarks, and the SDK's benchmark tool, in a target folder of its own
(OPENLEDGER_BENCHMARK_TARGET, by default benchmark-target beside the usual one): half an hour on two
cores from cold. It is not part of the tests and CI does not run it, because weights are only worth
keeping from an idle machine like those that validate. Afterwards, the share of a block that each call
takes is printed by

    cargo test --release --workspace --locked --features openledger-node/fast-runtime \
        --test runtime weights -- --nocapture
HELP
}

PALLETS=()
STEPS=50
REPEATS=20
SECONDS_EACH=10
while [ $# -gt 0 ]; do
    case "$1" in
    --help | -h)
        usage
        exit 0
        ;;
    --quick)
        STEPS=10
        REPEATS=5
        SECONDS_EACH=0
        ;;
    attribution | channels | compute | datanets | models) PALLETS+=("$1") ;;
    *)
        printf "error: unknown argument '%s'\n\n" "$1" >&2
        usage >&2
        exit 2
        ;;
    esac
    shift
done
[ ${#PALLETS[@]} -gt 0 ] || PALLETS=(attribution channels compute datanets models)

# shellcheck source-path=SCRIPTDIR source=functions.sh
. "$(dirname "${BASH_SOURCE[0]}")/functions.sh"
# The Wasm that is built here has other features than the node's, and both would go to one place.
CARGO_TARGET_DIR="${OPENLEDGER_BENCHMARK_TARGET:-${XDG_CACHE_HOME:-$HOME/.cache}/openledger/benchmark-target}"
# shellcheck source-path=SCRIPTDIR source=env.sh
. "$(dirname "${BASH_SOURCE[0]}")/env.sh"
cd "$REPOSITORY"

say "building the runtime with benchmarks, and the tool"
# The tool embeds a Wasm runtime of the SDK's own for measuring storage, which is not measured here.
SKIP_FRAME_STORAGE_ACCESS_TEST_RUNTIME_WASM_BUILD=1 \
    cargo build --release --locked --manifest-path tools/benchmark/Cargo.toml

for pallet in "${PALLETS[@]}"; do
    say "measuring $pallet"
    weights="pallets/$pallet/src/weights.rs"
    # Proofs are not recorded while time is measured: this chain is nobody's parachain.
    "$CARGO_TARGET_DIR/release/openledger-benchmark" \
        --pallet "pallet_$pallet" --extrinsic '*' \
        --steps "$STEPS" --repeat "$REPEATS" --min-duration "$SECONDS_EACH" \
        --disable-proof-recording --quiet \
        --template tools/benchmark/weights.hbs --output "$weights"
    rustfmt --edition 2021 "$weights"
done
