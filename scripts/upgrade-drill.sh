#!/usr/bin/env bash
# An upgrade of the runtime by referendum, rehearsed on a local net of three validators.
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=env.sh
. "$(dirname "${BASH_SOURCE[0]}")/env.sh"
# shellcheck source-path=SCRIPTDIR source=functions.sh
. "$REPOSITORY/scripts/functions.sh"

usage() {
    cat <<'TEXT'
Usage: scripts/upgrade-drill.sh [--runtime FILE]

Starts three validators and takes them through an upgrade, as holders and operators carry it out:

  1. a referendum on the track root decides system.authorizeUpgrade with the hash of the new runtime;
  2. anybody applies it with system.applyAuthorizedUpgrade and the runtime itself, for no fee;
  3. every node runs the new version, blocks and finality go on without a fork, wallets follow, and what was
     signed for the old version is refused;
  4. the same version once more is authorised and refused by name.

Only the hash is voted on: everybody can build the runtime again and compare, and its megabyte goes into the
chain once, not as a preimage first (which takes a deposit) and as code again. A mistake in it shows before
anything changes. Takes five minutes.

  --runtime FILE  the new runtime, with short periods: Wasm that scripts/build-runtime.sh --fast has written
                  (default: the sources as they are, as version 2, built now)
  --help          this text

The nodes are the one that scripts/test.sh builds, or the one that OPENLEDGER_NODE names.
TEXT
}

RUNTIME=""
while [ $# -gt 0 ]; do
    case "$1" in
    --help | -h)
        usage
        exit
        ;;
    --runtime)
        [ $# -gt 1 ] || fail "--runtime needs a file, such as --runtime openledger-runtime.wasm"
        RUNTIME=$2
        shift
        ;;
    *) fail "unknown argument '$1'; scripts/upgrade-drill.sh --help lists them" ;;
    esac
    shift
done
[ -z "$RUNTIME" ] || [ -f "$RUNTIME" ] ||
    fail "there is no file $RUNTIME: scripts/build-runtime.sh --fast --spec-version 2 --output $RUNTIME writes it"
[ -d "$REPOSITORY/tests/polkadot-js/node_modules" ] || fail "polkadot.js is not installed: run scripts/setup.sh"

if [ -z "$RUNTIME" ]; then
    scratch=$(mktemp -d)
    trap 'rm -rf "$scratch"' EXIT
    RUNTIME="$scratch/openledger-runtime.wasm"
    "$REPOSITORY/scripts/build-runtime.sh" --fast --spec-version 2 --output "$RUNTIME"
fi
node "$REPOSITORY/tests/polkadot-js/upgrade.mjs" --runtime "$RUNTIME"
