#!/usr/bin/env bash
# What takes too long for scripts/test.sh: nets, faults, upgrades, abuse, load, long simulations. Figures of a
# whole run are in docs/soak.md.
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=env.sh
. "$(dirname "${BASH_SOURCE[0]}")/env.sh"
# shellcheck source-path=SCRIPTDIR source=functions.sh
. "$REPOSITORY/scripts/functions.sh"

usage() {
    cat <<'TEXT'
Usage: scripts/soak.sh [--quick] [--output FOLDER] [PART]...

Runs, as root, what takes too long for CI, and ends at the first part that fails. Without a part, all:

  net         scripts/net.sh all: delay, loss, partition, faults, late nodes (1 h 10 min)
  two-second  the same net's slots at two seconds instead of three (30 min)
  misconduct  a validator whose keys run twice is reported, chilled and slashed (6 min)
  upgrade     scripts/upgrade-drill.sh: an upgrade by referendum (5 min)
  metadata    a release's runtime and what offline signers sign (25 min, most of it the build)
  same-bytes  the runtime's Wasm, built from two clones with caches of their own, compared (15 min)
  abuse       scripts/abuse.sh: 50,000 bad transactions and worse (10 min)
  memory      half an hour of load, and the slope of the node's memory
  books       10,000 random operations and ten years of eras, all books after each step (15 min)
  guides      scripts/guides.sh: the commands of the guides (10 min)
  docker      scripts/check-docker.sh: the container's stages (5 min)

  --quick          shorter nets, less abuse, two minutes of memory: for trying it out
  --output FOLDER  where the nets' figures go (default: net-report in the repository)
  --help           this text
TEXT
}

ALL=(net two-second misconduct upgrade metadata same-bytes abuse memory books guides docker)
PARTS=()
QUICK=()
SLOTS=300
MINUTES=30
OUTPUT="$REPOSITORY/net-report"
while [ $# -gt 0 ]; do
    case "$1" in
    --help | -h)
        usage
        exit
        ;;
    --quick)
        QUICK=(--quick)
        SLOTS=40
        MINUTES=2
        ;;
    --output)
        [ $# -gt 1 ] || fail "--output needs a folder"
        OUTPUT=$(realpath --canonicalize-missing -- "$2")
        shift
        ;;
    *)
        [[ " ${ALL[*]} " == *" $1 "* ]] || fail "unknown argument '$1'; scripts/soak.sh --help lists them"
        PARTS+=("$1")
        ;;
    esac
    shift
done
[ ${#PARTS[@]} -gt 0 ] || PARTS=("${ALL[@]}")
cd "$REPOSITORY"

scratch=$(mktemp -d)
trap 'status=$?; rm -rf "$scratch"; stages_report "$status"' EXIT
export RUSTC_WORKSPACE_WRAPPER="$REPOSITORY/scripts/rustc-and-clippy.sh"
# The same as in test.sh, so that neither compiles anything again for the other.
CARGO_OPTIONS=(--release --workspace --locked --features openledger-node/fast-runtime)

two_second() {
    scripts/build-runtime.sh --fast --slot-milliseconds 2000 --output "$scratch/two-second.wasm"
    scripts/net.sh --slots "$SLOTS" --runtime "$scratch/two-second.wasm" --output "$OUTPUT/two-second" slots
}

metadata() {
    scripts/build-runtime.sh --metadata-hash --output "$scratch/release.wasm"
    scripts/check-metadata-hash.sh --runtime "$scratch/release.wasm"
}

same_bytes() {
    git clone --quiet . "$scratch/clone"
    # As they are here, committed or not.
    git ls-files -z --cached --others --exclude-standard | xargs -0 cp --parents --target-directory="$scratch/clone"
    scripts/build-runtime.sh --output "$scratch/here.wasm"
    XDG_CACHE_HOME="$scratch/cache" CARGO_TARGET_DIR="$scratch/cache/target" \
        "$scratch/clone/scripts/build-runtime.sh" --output "$scratch/there.wasm"
    cmp "$scratch/here.wasm" "$scratch/there.wasm" ||
        fail "the same sources gave other bytes in another folder: something of the path is in the Wasm"
    say "the same bytes in both folders"
}

memory() {
    ulimit -n "$(ulimit -Hn)"
    OPENLEDGER_NODE="$CARGO_TARGET_DIR/release/openledger-node" node tests/load/memory.mjs --minutes "$MINUTES"
}

books() {
    OPENLEDGER_OPERATIONS=10000 OPENLEDGER_YEARS=10 cargo test "${CARGO_OPTIONS[@]}" --test runtime -- --nocapture \
        random_operations years
}

stage "set-up" scripts/setup.sh
stage "build" cargo build "${CARGO_OPTIONS[@]}" --bins --examples
export OPENLEDGER_NODE="$CARGO_TARGET_DIR/release/openledger-node"
for part in "${PARTS[@]}"; do
    case "$part" in
    net) stage "$part" scripts/net.sh --slots "$SLOTS" --output "$OUTPUT" all ;;
    two-second) stage "$part" two_second ;;
    misconduct) stage "$part" node --test --test-reporter=spec tests/polkadot-js/equivocation.mjs ;;
    upgrade) stage "$part" scripts/upgrade-drill.sh ;;
    metadata) stage "$part" metadata ;;
    same-bytes) stage "$part" same_bytes ;;
    abuse) stage "$part" scripts/abuse.sh "${QUICK[@]}" ;;
    memory) stage "$part" memory ;;
    books) stage "$part" books ;;
    guides) stage "$part" scripts/guides.sh ;;
    docker) stage "$part" scripts/check-docker.sh ;;
    esac
done
