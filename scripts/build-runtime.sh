#!/usr/bin/env bash
# Builds a runtime's Wasm by itself: for a release, for an upgrade, or for an experiment.
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=env.sh
. "$(dirname "${BASH_SOURCE[0]}")/env.sh"
# shellcheck source-path=SCRIPTDIR source=functions.sh
. "$REPOSITORY/scripts/functions.sh"

usage() {
    cat <<'TEXT'
Usage: scripts/build-runtime.sh --output FILE [--fast] [--metadata-hash] [--package NAME]
                                [--spec-version N] [--slot-milliseconds N]

Builds the runtime's Wasm and writes it, compressed as system.setCode takes it, to FILE. The first time
takes some five minutes on two cores, later ones two. Nothing of this machine goes into the Wasm: the same
sources, Rust version and options give the same bytes everywhere. It prints their hashes.

  --output FILE           where the Wasm goes
  --fast                  with the feature fast-runtime: short periods, for local nets
  --metadata-hash         with the hash of its own metadata, which offline signers need: for releases (the
                          first time takes a quarter of an hour more)
  --package NAME          another runtime of this repository, such as openledger-baseline-runtime
                          (default: openledger-runtime)
  --spec-version N        as version N: the next one of a chain on which this one runs
  --slot-milliseconds N   with slots of N milliseconds, for measurements. Never for a chain that runs.
  --help                  this text

Example, the runtime of a release:
  scripts/build-runtime.sh --metadata-hash --output openledger-runtime.wasm
TEXT
}

OUTPUT=""
PACKAGE=openledger-runtime
FEATURES=""
TOOL_FEATURES=()
SPEC_VERSION=""
SLOT=""
while [ $# -gt 0 ]; do
    case "$1" in
    --help | -h)
        usage
        exit
        ;;
    --fast) FEATURES=fast-runtime ;;
    --metadata-hash) TOOL_FEATURES=(--features metadata-hash) ;;
    --output | --package | --spec-version | --slot-milliseconds)
        [ $# -gt 1 ] || fail "$1 needs a value; scripts/build-runtime.sh --help shows one"
        case "$1" in
        # Relative to where the script was called from.
        --output) OUTPUT=$(realpath --canonicalize-missing -- "$2") ;;
        --package) PACKAGE=$2 ;;
        --spec-version) SPEC_VERSION=$2 ;;
        --slot-milliseconds) SLOT=$2 ;;
        esac
        shift
        ;;
    *) fail "unknown argument '$1'; scripts/build-runtime.sh --help lists them" ;;
    esac
    shift
done
[ -n "$OUTPUT" ] || fail "no --output FILE: say where the Wasm goes"
for number in "$SPEC_VERSION" "$SLOT"; do
    [[ $number =~ ^[0-9]*$ ]] || fail "'$number' is no number"
done
cd "$REPOSITORY"

# Replaces the number in the one line of a source file that begins with a text.
set_number() { # FILE TEXT NUMBER
    grep -qE "^\s*$2[0-9_]+" "$1" || fail "$1 has no line that begins with '$2' and a number: this script has to follow a change there"
    sed -i -E "s/^(\s*$2)[0-9_]+/\1$3/" "$1"
}

# Always from a copy, in a place that is the same on every machine: cargo gives crates of a folder names that
# depend on where the folder is, and those get into the Wasm. A variant is a copy in which one line is
# another, so that the runtime itself needs no switches for experiments.
SOURCES=/tmp/openledger-runtime
exec 9>"$SOURCES.lock" || fail "$SOURCES.lock belongs to somebody else: remove it"
flock --wait 3600 9 || fail "another build of a runtime has been running for an hour: end it, then run this again"
# What is the same keeps its time stamp, or everything would be compiled again.
rm -rf "$SOURCES.new"
mkdir -p "$SOURCES" "$SOURCES.new"
git ls-files -z --cached --others --exclude-standard -- '*.rs' '*.toml' Cargo.lock attribution/proof client |
    xargs -0 cp --parents --target-directory="$SOURCES.new"
if [ -n "$SPEC_VERSION" ]; then
    set_number "$SOURCES.new/runtime/src/lib.rs" "spec_version: " "$SPEC_VERSION"
fi
if [ -n "$SLOT" ]; then
    set_number "$SOURCES.new/runtime/src/constants.rs" "pub const SLOT_DURATION_MILLISECONDS: u64 = " "$SLOT"
fi
(cd "$SOURCES.new" && find . -type f -print0) | while IFS= read -r -d '' file; do
    if cmp --silent "$SOURCES.new/$file" "$SOURCES/$file"; then
        touch --reference="$SOURCES/$file" "$SOURCES.new/$file"
    fi
done
rm -rf "$SOURCES"
mv "$SOURCES.new" "$SOURCES"

PROJECT=$(cargo metadata --format-version 1 --no-deps --locked --manifest-path "$SOURCES/Cargo.toml" |
    node -e '
        const [name] = process.argv.slice(1);
        const { packages } = JSON.parse(require("fs").readFileSync(0));
        const found = packages.find((one) => one.name === name);
        if (found === undefined) process.exit(1);
        console.log(found.manifest_path);' "$PACKAGE") ||
    fail "there is no package '$PACKAGE' in this repository"

# Lints are for CI; with and without them are two builds to cargo.
unset RUSTC_WORKSPACE_WRAPPER
# Apart from the builds of the node, whose embedded runtime it would replace.
TARGET=$OPENLEDGER_CACHE/runtime-wasm/target
say "building the Wasm of $PACKAGE"
RUNTIME_WASM_PROJECT="$PROJECT" RUNTIME_WASM_FEATURES="$FEATURES" WASM_BUILD_WORKSPACE_HINT="$SOURCES" \
    WASM_BUILD_RUSTFLAGS="--remap-path-prefix=$SOURCES=/openledger --remap-path-prefix=${CARGO_HOME:-$HOME/.cargo}=/cargo --remap-path-prefix=$TARGET=/target" \
    CARGO_TARGET_DIR="$TARGET" \
    cargo build --release --locked --package openledger-runtime-wasm "${TOOL_FEATURES[@]}" ||
    fail "the build failed; its message stands above"

BLOB="$TARGET/release/wbuild/$PACKAGE/${PACKAGE//-/_}.compact"
# A runtime that asks for functions which only a benchmark's node has would stop every other node.
BENCHMARK=$(grep -c 'ext_benchmarking' "$BLOB.wasm" || true)
[ "$BENCHMARK" -eq 0 ] || fail "the runtime imports benchmark functions: it was built with runtime-benchmarks"

mkdir -p "$(dirname "$OUTPUT")"
cp "$BLOB.compressed.wasm" "$OUTPUT.new"
mv "$OUTPUT.new" "$OUTPUT"
say "$OUTPUT: $(stat --format %s "$OUTPUT") bytes"
say "BLAKE2b-256 (as system.authorizeUpgrade takes it): 0x$(b2sum --length 256 "$OUTPUT" | cut -d ' ' -f 1)"
say "SHA-256: $(sha256sum "$OUTPUT" | cut -d ' ' -f 1)"
