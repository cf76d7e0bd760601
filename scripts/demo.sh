#!/usr/bin/env bash
# The main job on a fresh machine: sets it up, builds, and runs the demonstration (demo/main.mjs), which
# leaves a page in demo-report/.
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=env.sh
. "$(dirname "${BASH_SOURCE[0]}")/env.sh"
# shellcheck source-path=SCRIPTDIR source=functions.sh
. "$REPOSITORY/scripts/functions.sh"

usage() {
    cat <<'TEXT'
Usage: scripts/demo.sh [--stay] [--report FOLDER]

Sets the machine up, builds, and runs the main job: data in, models trained, answers traced, contributors
paid, and two cheats who pay for it. It leaves a page that says what happened.

  --stay           leave the chain, the worker and the proxy running until Ctrl-C, to go on by hand
  --report FOLDER  where the page, index.html, goes (default: demo-report in the repository)
  --help           this text
TEXT
}

OPTIONS=()
while [ $# -gt 0 ]; do
    case "$1" in
    --help | -h)
        usage
        exit
        ;;
    --stay) OPTIONS+=(--stay) ;;
    --report)
        [ $# -gt 1 ] || fail "--report needs a folder, such as --report /tmp/report"
        # Relative to where the script was called from, not to the repository.
        OPTIONS+=(--report "$(realpath --canonicalize-missing -- "$2")")
        shift
        ;;
    --report=*)
        set -- --report "${1#*=}" "${@:2}"
        continue
        ;;
    *) fail "unknown argument '$1'; scripts/demo.sh --help lists them" ;;
    esac
    shift
done
cd "$REPOSITORY"

"$REPOSITORY/scripts/setup.sh"
say "building (the first time: half an hour to an hour on two cores; then seconds)"
# The same as in test.sh, so that neither compiles anything again for the other.
export RUSTC_WORKSPACE_WRAPPER="$REPOSITORY/scripts/rustc-and-clippy.sh"
cargo build --release --workspace --locked --features openledger-node/fast-runtime --bins --examples ||
    fail "the build failed; its message stands above"
export OPENLEDGER_NODE="$CARGO_TARGET_DIR/release/openledger-node"
exec node demo/main.mjs "${OPTIONS[@]}"
