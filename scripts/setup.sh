#!/usr/bin/env bash
# Makes a Debian or Ubuntu machine with Rust ready to build, run and test OpenLedger. Changes only what
# is missing, so that running it again costs a second or two.
#
#   scripts/setup.sh            what a build, a local net and the polkadot.js tests need
#   scripts/setup.sh --checks   the above, and the tools that only scripts/test.sh needs
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=env.sh
. "$(dirname "${BASH_SOURCE[0]}")/env.sh"
# shellcheck source-path=SCRIPTDIR source=functions.sh
. "$REPOSITORY/scripts/functions.sh"

CARGO_DENY_VERSION=0.20.2
# The first of their lines that the tests' loader of TypeScript works with.
NODE_VERSIONS="18.19 or newer of 18, or 20.10 or newer"

with_checks=no
case "${1:-}" in
"") ;;
--checks) with_checks=yes ;;
*) fail "unknown argument '$1'; the only one is --checks" ;;
esac

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

compiles() { # LANGUAGE COMPILER SOURCE
    has "$2" && printf '%s\n' "$3" | "$2" -x "$1" -o "$scratch/probe" - >/dev/null 2>&1
}

is_ordered() { printf '%s\n' "$@" | sort --check=quiet --version-sort; }

node_is_new_enough() {
    local version
    has node && has npm && version=$(node --version) && version=${version#v} &&
        { [[ $version == 18.* ]] && is_ordered 18.19 "$version" || is_ordered 20.10 "$version"; }
}

# Prints the system packages that are needed and not there, found by what they provide, so that tools
# from elsewhere count as well.
missing_packages() {
    compiles c cc 'int main(void) { return 0; }' || echo gcc libc6-dev
    # Binaryen, which shrinks the runtime, is C++.
    compiles c++ c++ '#include <string>
int main() { return 0; }' || echo g++
    # The node's network messages are compiled from .proto files.
    has protoc || echo protobuf-compiler
    # The SDK's WebRTC transport brings OpenSSL as source, which is configured with Perl.
    has make || echo make
    perl -MFindBin -MIPC::Cmd -e 1 >/dev/null 2>&1 || echo perl
    node_is_new_enough || echo nodejs npm
}

install_packages() {
    local missing
    mapfile -t missing < <(missing_packages | tr ' ' '\n')
    if [ ${#missing[@]} -eq 0 ]; then
        say "system packages: all there"
        return
    fi
    say "system packages: installing ${missing[*]}"
    has apt-get || fail "this is no Debian or Ubuntu (no apt-get): install what provides ${missing[*]} and run this again"
    local as_root=()
    if [ "$(id -u)" -ne 0 ]; then
        has sudo || fail "not root, and no sudo: have an administrator run 'apt-get install ${missing[*]}' and run this again"
        as_root=(sudo)
    fi
    "${as_root[@]}" apt-get update ||
        fail "apt-get could not read its package lists: check the network and /etc/apt, then run this again"
    "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install --yes --no-install-recommends "${missing[@]}" ||
        fail "apt-get could not install ${missing[*]}: read its message above, then run this again"
    mapfile -t missing < <(missing_packages | tr ' ' '\n')
    [ ${#missing[@]} -eq 0 ] ||
        fail "still missing after the installation: ${missing[*]} (Node.js has to be version $NODE_VERSIONS); install newer ones by hand and run this again"
}

check_rust() {
    local wanted found component
    if ! has cargo || ! has rustc; then
        fail "Rust is missing: install it as https://rustup.rs says and run this again"
    fi
    wanted=$(sed -n 's/^rust-version = "\(.*\)"$/\1/p' "$REPOSITORY/Cargo.toml")
    found=$(rustc --version | cut -d ' ' -f 2)
    [ "$(printf '%s\n' "$wanted" "${found%%-*}" | sort -V | head -n 1)" = "$wanted" ] ||
        fail "Rust $found is older than $wanted: run 'rustup update stable' and run this again"
    for component in rustfmt clippy; do
        if ! "cargo-${component/rustfmt/fmt}" --version >/dev/null 2>&1; then
            say "Rust: adding $component"
            if ! has rustup || ! rustup component add "$component"; then
                fail "cannot add $component: add that component of the toolchain by hand and run this again"
            fi
        fi
    done
    say "Rust: $found with rustfmt and clippy"
}

install_node_packages() {
    local tests="$REPOSITORY/tests/polkadot-js"
    if cmp -s "$tests/package-lock.json" "$tests/node_modules/.installed-lock.json"; then
        say "Node packages: all there"
        return
    fi
    say "Node packages: installing those of tests/polkadot-js/package-lock.json"
    npm ci --prefix "$tests" --ignore-scripts --no-audit --no-fund --prefer-offline ||
        fail "npm could not install the packages: check the network and npm's registry setting, then run this again"
    cp "$tests/package-lock.json" "$tests/node_modules/.installed-lock.json"
}

install_cargo_deny() {
    if [ "$("$OPENLEDGER_TOOLS/bin/cargo-deny" --version 2>/dev/null)" = "cargo-deny $CARGO_DENY_VERSION" ]; then
        say "cargo-deny: $CARGO_DENY_VERSION is there"
        return
    fi
    say "cargo-deny: building $CARGO_DENY_VERSION into $OPENLEDGER_TOOLS (once; minutes)"
    # It reads a few manifests: quick to build matters more than quick to run.
    CARGO_TARGET_DIR="$scratch/target" CARGO_PROFILE_RELEASE_LTO=off \
        CARGO_PROFILE_RELEASE_CODEGEN_UNITS=16 CARGO_PROFILE_RELEASE_OPT_LEVEL=1 \
        cargo install --locked --root "$OPENLEDGER_TOOLS" "cargo-deny@$CARGO_DENY_VERSION" ||
        fail "cargo-deny could not be built: check the network, then run this again"
}

install_packages
check_rust
"$REPOSITORY/scripts/wasm-target.sh"
install_node_packages
if [ "$with_checks" = yes ]; then
    install_cargo_deny
fi
say "ready"
