# Sourced by every script: where builds go and how they are made. Safe to source twice.
# shellcheck shell=bash
REPOSITORY="$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)"
export REPOSITORY
# Outside the clone, so that a clean clone can reuse it and the tree stays small.
OPENLEDGER_CACHE="${XDG_CACHE_HOME:-$HOME/.cache}/openledger"
export CARGO_TARGET_DIR="${CARGO_TARGET_DIR:-$OPENLEDGER_CACHE/target}"
export OPENLEDGER_TOOLS="${OPENLEDGER_TOOLS:-$OPENLEDGER_CACHE/tools}"
# The Wasm builder looks for Cargo.lock above its output folder, where there is none.
export WASM_BUILD_WORKSPACE_HINT="$REPOSITORY"
export CARGO_TERM_COLOR="${CARGO_TERM_COLOR:-auto}"

# Cargo tells packages in a workspace apart by their path *within* it, and sources changed by their
# time stamps. Two clones that take turns in one target folder would therefore pass their crates off
# as each other's: when the clone changes, forget what is ours and keep all dependencies.
openledger_clone_file="$CARGO_TARGET_DIR/openledger-clone"
if [ "$(cat "$openledger_clone_file" 2>/dev/null)" != "$REPOSITORY" ]; then
    mkdir -p "$CARGO_TARGET_DIR"
    find "$CARGO_TARGET_DIR" -type d -path '*/.fingerprint/*' -prune \( -name 'openledger-*' -o \
        -name 'attribution-*' -o -name 'pallet-attribution-*' -o -name 'pallet-channels-*' -o \
        -name 'pallet-compute-*' -o -name 'pallet-datanets-*' -o -name 'pallet-models-*' -o \
        -name 'pallet-stepped-migrations-*' -o -name 'poa-*' \) \
        -exec rm -rf {} +
    printf '%s\n' "$REPOSITORY" >"$openledger_clone_file"
fi
unset openledger_clone_file
