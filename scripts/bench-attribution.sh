#!/usr/bin/env bash
# How good and how fast attribution is, beside its peers, in one run. docs/benchmarks-attribution.md
# explains the rows.
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=env.sh
. "$(dirname "${BASH_SOURCE[0]}")/env.sh"
# shellcheck source-path=SCRIPTDIR source=functions.sh
. "$REPOSITORY/scripts/functions.sh"
cd "$REPOSITORY"

PARTS=(text influence scan valuation duplicates attacks replay templates)

usage() {
    cat <<'TEXT'
Usage: scripts/bench-attribution.sh [--quick] [--with-torch] [PART]...

Measures the attribution engine beside infini-gram, pyDVL, scikit-learn and numpy, which it installs from
PyPI into an environment of their own, on the same data in the same run. Answers that must be the same are
compared; a wrong one ends the script. Without a name, all parts:

  text        suffix array, counts, infinite-gram, traces, compressed index, memory; against infini-gram
  influence   linear datamodelling scores on digits; against numpy's exact influence
  scan        a million rows against a read-only sum; the same bits with any instructions and threads
  valuation   wrong labels, KNN-Shapley, Banzhaf; against pyDVL and scikit-learn
  duplicates  near-copies, and what copies and shells gain
  attacks     Shadow and Outlier, undefended and defended
  replay      linear datamodelling scores of replay and index on a transformer and an adapter
  templates   which records taught a pattern

  --quick       small versions: a check that all runs, in about five minutes; misses many a bound
  --with-torch  also dattri and kronfluence, which take five gigabytes to install

Everything takes at most an hour and a half on two cores, once it is built.
TEXT
}

QUICK=()
TORCH=no
chosen=()
for argument in "$@"; do
    case "$argument" in
    --help | -h)
        usage
        exit
        ;;
    --quick) QUICK=(--quick) ;;
    --with-torch) TORCH=yes ;;
    *)
        [[ " ${PARTS[*]} " == *" $argument "* ]] ||
            fail "unknown argument '$argument'; scripts/bench-attribution.sh --help lists them"
        chosen+=("$argument")
        ;;
    esac
done
[ ${#chosen[@]} -gt 0 ] || chosen=("${PARTS[@]}")

# The same flags as in test.sh, so that neither compiles anything again for the other.
CARGO_OPTIONS=(--workspace --locked --features openledger-node/fast-runtime)
export RUSTC_WORKSPACE_WRAPPER="$REPOSITORY/scripts/rustc-and-clippy.sh"
EXAMPLES=(attacks determinism digits duplicates-quality mislabel scan-rate text-speed valuation-files
    valuation-speed)
BINARIES="$CARGO_TARGET_DIR/release/examples"
PEERS="$REPOSITORY/attribution/peers"

scratch=$(mktemp -d)
trap 'status=$?; rm -rf "$scratch"; stages_report "$status"' EXIT

build() {
    cargo build --release "${CARGO_OPTIONS[@]}" --quiet "${EXAMPLES[@]/#/--example=}" &&
        cargo bench "${CARGO_OPTIONS[@]}" --no-run --quiet --bench=influence
}

# An environment for one list of packages, made anew when the list changes.
environment() {
    local requirements="$PEERS/$1" folder="$OPENLEDGER_CACHE/$2"
    if ! cmp -s "$requirements" "$folder/requirements.txt"; then
        rm -rf "$folder"
        python3 -m venv "$folder" && "$folder/bin/pip" install --quiet --requirement "$requirements" &&
            cp "$requirements" "$folder/requirements.txt"
    fi
}

peer() { "$OPENLEDGER_CACHE/peers/bin/python" "$PEERS/$1.py" "${@:2}" "${QUICK[@]}"; }

torch() {
    environment requirements-torch.txt peers-torch
    "$OPENLEDGER_CACHE/peers-torch/bin/python" "$PEERS/torch_peers.py" --binary "$BINARIES/digits" \
        --scratch "$1" "${QUICK[@]}"
}

model() { cargo bench "${CARGO_OPTIONS[@]}" --quiet --bench=influence -- "$@" "${QUICK[@]}"; }

measure() {
    local folder="$scratch/$1"
    mkdir "$folder"
    case "$1" in
    text) peer text --binary "$BINARIES/text-speed" --scratch "$folder" ;;
    influence)
        peer influence --binary "$BINARIES/digits" --scratch "$folder"
        [ "$TORCH" = no ] || torch "$folder"
        ;;
    scan)
        "$BINARIES/scan-rate" --scratch "$folder" "${QUICK[@]}"
        "$BINARIES/determinism" "${QUICK[@]}"
        ;;
    valuation) peer valuation --binary-dir "$BINARIES" --scratch "$folder" ;;
    duplicates) "$BINARIES/duplicates-quality" "${QUICK[@]}" ;;
    attacks) peer attacks --binary "$BINARIES/attacks" --scratch "$folder" ;;
    replay) model replay ;;
    templates)
        local seed
        for seed in 1 2 3; do model templates --seed "$seed" || return; done
        ;;
    esac
    # Indexes are large; the next part may need the room.
    rm -rf "$folder"
}

run_part() { measure "$1" | tee -a "$scratch/log"; }

stage "building (from nothing: half an hour to an hour on two cores)" build
stage "peers" environment requirements.txt peers
say "machine: $(nproc) cores, $(sed -n 's/^model name[^:]*: //p' /proc/cpuinfo | head -n 1), load $(cut -d ' ' -f 1 /proc/loadavg); what else runs here makes times worse"
for part in "${chosen[@]}"; do
    stage "$part" run_part "$part"
done

printf '\n| what | measured | must reach | |\n|---|---|---|---|\n'
sed -n 's/^RESULT\t//p' "$scratch/log" | awk -F '\t' '{ printf "| %s | %s | %s | %s |\n", $1, $2, $3, $4 }'
