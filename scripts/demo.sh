#!/usr/bin/env bash
# The main job on a fresh machine: sets it up, builds, and runs the demonstration (demo/main.mjs), which
# leaves a page in demo-report/. `scripts/demo.sh --help` lists its options.
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=env.sh
. "$(dirname "${BASH_SOURCE[0]}")/env.sh"
# shellcheck source-path=SCRIPTDIR source=functions.sh
. "$REPOSITORY/scripts/functions.sh"
cd "$REPOSITORY"

"$REPOSITORY/scripts/setup.sh"
case " $* " in
*" --help "*) exec node demo/main.mjs --help ;;
esac
say "building (the first time: half an hour to an hour on two cores; then seconds)"
# The same as in test.sh, so that neither compiles anything again for the other.
export RUSTC_WORKSPACE_WRAPPER="$REPOSITORY/scripts/rustc-and-clippy.sh"
cargo build --release --workspace --locked --features openledger-node/fast-runtime --bins --examples ||
    fail "the build failed; its message stands above"
export OPENLEDGER_NODE="$CARGO_TARGET_DIR/release/openledger-node"
exec node demo/main.mjs "$@"
