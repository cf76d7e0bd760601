#!/usr/bin/env bash
# Writes the metadata of the built node's runtime to compute-worker/metadata.scale, from which the worker
# generates its view of the chain. With --check it only compares.
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=env.sh
. "$(dirname "${BASH_SOURCE[0]}")/env.sh"
exec node "$REPOSITORY/tests/polkadot-js/metadata.mjs" "$@"
