#!/usr/bin/env bash
# Writes the metadata of the built node's runtime to client/metadata.scale, from which Rust types of the
# chain are generated. With --check it only compares.
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=env.sh
. "$(dirname "${BASH_SOURCE[0]}")/env.sh"
exec node "$REPOSITORY/tests/polkadot-js/metadata.mjs" "$@"
