#!/usr/bin/env bash
# Abuses a node and looks whether the chain goes on (tests/load/abuse.mjs). Run it by hand; CI does not.
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=env.sh
. "$(dirname "${BASH_SOURCE[0]}")/env.sh"
# shellcheck source-path=SCRIPTDIR source=functions.sh
. "$REPOSITORY/scripts/functions.sh"

usage() {
    cat <<'TEXT'
Usage: scripts/abuse.sh [--quick]

Starts three validators on this machine and abuses one of them: 50,000 extrinsics that are forged, garbage,
stale, too early, unpaid, outbid or sent again; requests that are too large, too deep or too many; clients
that are slow or idle. Fails unless blocks and finality go on, the node's memory stays bounded, every
refusal has its proper name, and honest transactions, to that node and to another, are in a block within
three. Takes ten minutes at most.

  --quick  5,000 extrinsics and shorter pauses: some two minutes
  --help   this text
TEXT
}

OPTIONS=()
for argument in "$@"; do
    case "$argument" in
    --help | -h)
        usage
        exit
        ;;
    --quick) OPTIONS+=(--quick) ;;
    *) fail "unknown argument '$argument'; scripts/abuse.sh --help lists them" ;;
    esac
done
cd "$REPOSITORY"
[ -d tests/polkadot-js/node_modules ] || fail "the Node packages are missing: run scripts/setup.sh once"

say "building (the first time: half an hour to an hour on two cores; then seconds)"
# The same as in test.sh, so that neither compiles anything again for the other.
export RUSTC_WORKSPACE_WRAPPER="$REPOSITORY/scripts/rustc-and-clippy.sh"
cargo build --release --workspace --locked --features openledger-node/fast-runtime --quiet --bin openledger-node ||
    fail "the build failed; its message stands above"
export OPENLEDGER_NODE="$CARGO_TARGET_DIR/release/openledger-node"
# Sockets on both sides of this machine.
ulimit -n "$(ulimit -Hn)"
exec timeout --foreground --kill-after 20 900 node tests/load/abuse.mjs "${OPTIONS[@]}"
