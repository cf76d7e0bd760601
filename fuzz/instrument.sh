#!/usr/bin/env bash
# Cargo's RUSTC_WRAPPER for fuzzers: compiles our own crates so that libFuzzer sees which code runs and
# what is compared, with overflows and debug assertions checked; everything else as always. The flags are
# stable, so no nightly compiler is needed.
set -euo pipefail
rustc="$1"
shift
name="" previous=""
for argument in "$@"; do
    [ "$previous" != --crate-name ] || name="$argument"
    previous="$argument"
done
case "$name" in
attribution_engine | attribution_fuzz | attribution_proof | poa | npy | corpus_index | compressed_index | \
    gradient_index | tables | records | corpus_queries)
    exec "$rustc" "$@" -Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=4 \
        -Cllvm-args=-sanitizer-coverage-inline-8bit-counters \
        -Cllvm-args=-sanitizer-coverage-pc-table -Cllvm-args=-sanitizer-coverage-trace-compares \
        -Cdebug-assertions=yes -Coverflow-checks=yes
    ;;
*)
    exec "$rustc" "$@"
    ;;
esac
