#!/usr/bin/env bash
# Fuzzes every parser of files that others may have written: 60 seconds for each target in fuzz/, from
# the inputs in fuzz/corpus and fresh valid ones. Needs nothing but the compiler.
#
#   scripts/fuzz.sh                             all targets
#   scripts/fuzz.sh --seconds 600 tables npy    some targets, for longer
#
# Prints what was covered. Ends with status 1 when an input crashes, hangs or takes too much memory, and
# says where that input lies; run it again with
#   CARGO_TARGET_DIR/fuzz/release/TARGET INPUT
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=env.sh
. "$(dirname "${BASH_SOURCE[0]}")/env.sh"
# shellcheck source-path=SCRIPTDIR source=functions.sh
. "$REPOSITORY/scripts/functions.sh"

TARGETS=(npy corpus_index compressed_index gradient_index tables records corpus_queries)
SECONDS_EACH=60
chosen=()
while [ $# -gt 0 ]; do
    case "$1" in
    --seconds)
        [[ "${2:-}" =~ ^[1-9][0-9]*$ ]] || fail "--seconds takes a number of seconds, such as 60"
        SECONDS_EACH="$2"
        shift 2
        ;;
    *)
        [[ " ${TARGETS[*]} " == *" $1 "* ]] || fail "unknown target '$1'; there are: ${TARGETS[*]}"
        chosen+=("$1")
        shift
        ;;
    esac
done
[ ${#chosen[@]} -gt 0 ] || chosen=("${TARGETS[@]}")

# Flags differ from those of other builds, which must not be thrown away for them.
export CARGO_TARGET_DIR="$CARGO_TARGET_DIR/fuzz"
work="$CARGO_TARGET_DIR/fuzzing"
mkdir -p "$work"
say "building the fuzzers"
RUSTC_WRAPPER="$REPOSITORY/fuzz/instrument.sh" cargo build --release --locked --bins \
    --manifest-path "$REPOSITORY/fuzz/Cargo.toml"

scratch="$(mktemp -d)"
trap 'rm -rf "$scratch"' EXIT
# Inputs become files: in memory where that is possible.
if [ -d /dev/shm ] && [ -w /dev/shm ]; then
    files="$(mktemp -d /dev/shm/fuzz.XXXXXX)"
    trap 'rm -rf "$scratch" "$files"' EXIT
else
    files="$scratch"
fi
"$CARGO_TARGET_DIR/release/seeds" "$scratch/seeds"

# The number behind a word in libFuzzer's last line of progress.
figure() { grep -oE "$2: *[0-9]+" "$1" | tail -n 1 | grep -oE '[0-9]+' || echo 0; }

printf '%-18s %10s %10s %12s %9s\n' target edges features executions inputs
crashed=()
for target in "${chosen[@]}"; do
    mkdir -p "$work/$target" "$work/artifacts/$target"
    log="$scratch/$target.log"
    status=0
    # What is found stays in the first folder for the next time; the others are only read.
    TMPDIR="$files" "$CARGO_TARGET_DIR/release/$target" -max_total_time="$SECONDS_EACH" -timeout=10 \
        -rss_limit_mb=2048 -print_final_stats=1 -artifact_prefix="$work/artifacts/$target/" \
        "$work/$target" "$REPOSITORY/fuzz/corpus/$target" "$scratch/seeds/$target" \
        >"$log" 2>&1 || status=$?
    printf '%-18s %10s %10s %12s %9s\n' "$target" "$(figure "$log" cov)" "$(figure "$log" ft)" \
        "$(figure "$log" stat::number_of_executed_units)" "$(figure "$log" corp)"
    if [ "$status" -ne 0 ]; then
        crashed+=("$target")
        tail -n 40 "$log" >&2
        grep -oE 'Test unit written to .*' "$log" >&2 || true
    fi
done
[ ${#crashed[@]} -eq 0 ] || fail "inputs that must not exist were found for: ${crashed[*]}; they lie in $work/artifacts"
say "no input crashes"
