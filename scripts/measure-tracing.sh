#!/usr/bin/env bash
# Measures how often tracing finds the crate that a passage was cut from: trains a small model on
# crates of the local registry, indexes them, and traces passages as they are and with every identifier
# renamed. Fails when tracing misses what it promises (docs/tracing.md).
#
#   scripts/measure-tracing.sh [--seed N] [--passages N] [--json] [...]    --help lists the rest
set -euo pipefail
# shellcheck source=scripts/env.sh
. "$(dirname "${BASH_SOURCE[0]}")/env.sh"
cd "$REPOSITORY"
# As the tests build, so that nothing is compiled a second time.
export RUSTC_WORKSPACE_WRAPPER="$REPOSITORY/scripts/rustc-and-clippy.sh"
exec cargo bench --workspace --locked --features openledger-node/fast-runtime --bench tracing -- "$@"
