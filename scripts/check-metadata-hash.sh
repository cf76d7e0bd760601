#!/usr/bin/env bash
# Checks that a release's runtime knows the hash of its own metadata, which offline signers need.
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=env.sh
. "$(dirname "${BASH_SOURCE[0]}")/env.sh"
# shellcheck source-path=SCRIPTDIR source=functions.sh
. "$REPOSITORY/scripts/functions.sh"

usage() {
    cat <<'TEXT'
Usage: scripts/check-metadata-hash.sh --runtime FILE

Starts a development chain on a runtime and sends it three transfers, as offline signers sign them: over the
hash of the chain's metadata, which has to be accepted; over the hash with another number of decimals,
which has to be refused; and over none, which has to be accepted. Takes half a minute.

  --runtime FILE  Wasm that scripts/build-runtime.sh --metadata-hash has written
  --help          this text

The node is the one that scripts/test.sh builds, or the one that OPENLEDGER_NODE names.
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
    *) fail "unknown argument '$1'; scripts/check-metadata-hash.sh --help lists them" ;;
    esac
    shift
done
[ -n "$RUNTIME" ] || fail "no --runtime FILE: scripts/build-runtime.sh --metadata-hash writes one"
[ -f "$RUNTIME" ] || fail "there is no file $RUNTIME: scripts/build-runtime.sh --metadata-hash --output $RUNTIME writes it"
[ -d "$REPOSITORY/tests/polkadot-js/node_modules" ] || fail "polkadot.js is not installed: run scripts/setup.sh"

exec node "$REPOSITORY/tests/polkadot-js/metadata-hash.mjs" --runtime "$RUNTIME"
