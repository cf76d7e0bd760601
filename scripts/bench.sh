#!/usr/bin/env bash
# What OpenLedger costs, as ratios measured in one run. docs/benchmarks.md explains the tables.
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=env.sh
. "$(dirname "${BASH_SOURCE[0]}")/env.sh"
# shellcheck source-path=SCRIPTDIR source=functions.sh
. "$REPOSITORY/scripts/functions.sh"
cd "$REPOSITORY"

usage() {
    cat <<'TEXT'
Usage: scripts/bench.sh [--quick] [chain|worker|attribution]...

Prints what OpenLedger costs, as ratios to something known that is measured in the same run. Without a
name, all three:

  chain        a contribution, a settlement with 64 credits and the largest challenges against a plain
               balance transfer: weight, and transactions a second, natively and in Wasm. Then plain
               transfers under full load for two minutes, against a runtime that can do nothing else
  worker       training, influence index and answers with receipts against plain candle: tokens a second
  attribution  one score challenge in an index of a million rows; projection, scan and span cover

  --quick      fewer rounds and less load: some four minutes when everything is built, and less exact
TEXT
}

QUICK=()
PARTS=()
for argument in "$@"; do
    case "$argument" in
    --help | -h)
        usage
        exit
        ;;
    --quick) QUICK=(--quick) ;;
    chain | worker | attribution) PARTS+=("$argument") ;;
    *) fail "unknown argument '$argument'; scripts/bench.sh --help lists them" ;;
    esac
done
[ ${#PARTS[@]} -gt 0 ] || PARTS=(chain worker attribution)

# The same flags as in test.sh, so that neither compiles anything again for the other.
CARGO_OPTIONS=(--workspace --locked --features openledger-node/fast-runtime)
export RUSTC_WORKSPACE_WRAPPER="$REPOSITORY/scripts/rustc-and-clippy.sh"

targets_of() {
    case "$1" in
    chain) echo extrinsics ;;
    worker) echo overhead ;;
    attribution) echo challenges trace ;;
    esac
}

TARGETS=()
for part in "${PARTS[@]}"; do
    read -ra targets <<<"$(targets_of "$part")"
    TARGETS+=("${targets[@]}")
done

# Whether the transfers are among what is measured.
has_transfers() { [[ " ${PARTS[*]} " == *" chain "* ]]; }

if has_transfers; then
    [ -d tests/polkadot-js/node_modules ] || fail "the Node packages are missing: run scripts/setup.sh once"
fi

say "building (the first time: half an hour to an hour on two cores; then seconds)"
cargo bench "${CARGO_OPTIONS[@]}" --no-run --quiet "${TARGETS[@]/#/--bench=}" ||
    fail "the build failed; its message stands above"
if has_transfers; then
    cargo build --release "${CARGO_OPTIONS[@]}" --quiet --bin openledger-node ||
        fail "the node's build failed; its message stands above"
    # With the periods of production: in short ones, every seventh block ends a session and takes no transfers.
    for package in openledger-runtime openledger-baseline-runtime; do
        scripts/build-runtime.sh --package "$package" --output "$OPENLEDGER_CACHE/runtime-wasm/$package.wasm"
    done
fi

say "machine: $(nproc) cores, $(sed -n 's/^model name[^:]*: //p' /proc/cpuinfo | head -n 1), load $(cut -d ' ' -f 1 /proc/loadavg); what else runs here makes figures worse, ratios less so"
for target in "${TARGETS[@]}"; do
    printf '\n'
    say "$target"
    cargo bench "${CARGO_OPTIONS[@]}" --quiet --bench="$target" -- "${QUICK[@]}"
done
if has_transfers; then
    printf '\n'
    say "transfers"
    OPENLEDGER_NODE="$CARGO_TARGET_DIR/release/openledger-node" \
        node tests/load/transfers.mjs "${QUICK[@]}" \
        --runtime "$OPENLEDGER_CACHE/runtime-wasm/openledger-runtime.wasm" \
        --baseline "$OPENLEDGER_CACHE/runtime-wasm/openledger-baseline-runtime.wasm"
fi
