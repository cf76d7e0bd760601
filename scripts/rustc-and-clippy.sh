#!/usr/bin/env bash
# A RUSTC_WORKSPACE_WRAPPER: compiles one of our own crates with rustc as always, then lints it with
# clippy-driver on the same arguments. So every crate is compiled once and linted in the same build:
# `cargo clippy` would check all dependencies a second time, and clippy-driver as the compiler would
# leave our crates without MIR optimisations. Warnings count as errors.
set -euo pipefail

rustc=$1
shift
"$rustc" "$@"

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
lint=no
arguments=()
while [ $# -gt 0 ]; do
    case "$1" in
    --emit=*)
        lint=yes
        arguments+=(--emit=metadata)
        ;;
    --out-dir)
        arguments+=("$1" "$scratch")
        shift
        ;;
    # Cargo takes a note about an artefact as leave to use it, and this one is thrown away.
    --json=*) arguments+=("${1/,artifacts/}") ;;
    # The crate that the Wasm builder generates around the runtime is not ours to lint, and a question
    # that is answered twice, such as where the compiler lives, is not answered at all.
    --target | --print | --print=* | --version) exit ;;
    *) arguments+=("$1") ;;
    esac
    shift
done
# Cargo also asks for the compiler's version and the like.
if [ "$lint" = yes ]; then
    clippy-driver "$rustc" "${arguments[@]}" -D warnings
fi
