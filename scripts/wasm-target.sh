#!/usr/bin/env bash
# Makes sure that the Rust toolchain in use can build for wasm32v1-none, the target of the runtime.
#
# First by rustup. Where that does not work, the target's libraries are built from the library source
# of exactly the same compiler version: that of the toolchain, of an installed package, or of Debian's
# rust-src package, found through apt's own configuration and unpacked, not installed.
# OPENLEDGER_WASM_TARGET=source leaves rustup out.
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=env.sh
. "$(dirname "${BASH_SOURCE[0]}")/env.sh"
# shellcheck source-path=SCRIPTDIR source=functions.sh
. "$REPOSITORY/scripts/functions.sh"

TARGET=wasm32v1-none
# Suites that carry newer compilers than a stable release; the machine's own come first.
DEBIAN_SUITES=(trixie-backports forky-backports testing unstable)

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

# Links a whole module with link-time optimisation, as the runtime's build does: libraries that lack
# bitcode, or that are of another compiler version, fail here and not after half an hour.
target_works() {
    rustc --target "$TARGET" --crate-name probe --crate-type cdylib -C opt-level=3 -C lto=fat \
        -C panic=abort -o "$scratch/probe.wasm" - >"$scratch/probe.log" 2>&1 <<'RUST'
#![no_std]
extern crate alloc;
use core::alloc::{GlobalAlloc, Layout};
struct Nothing;
unsafe impl GlobalAlloc for Nothing {
    unsafe fn alloc(&self, _: Layout) -> *mut u8 {
        core::ptr::null_mut()
    }
    unsafe fn dealloc(&self, _: *mut u8, _: Layout) {}
}
#[global_allocator]
static ALLOCATOR: Nothing = Nothing;
#[panic_handler]
fn panic(_: &core::panic::PanicInfo<'_>) -> ! {
    loop {}
}
#[no_mangle]
pub extern "C" fn probe(length: usize) -> usize {
    alloc::vec![1u8; length].len()
}
RUST
}

# Prints the folder of the library source that fits the compiler, if it is on the machine.
installed_source() {
    local folder
    for folder in "$sysroot/lib/rustlib/src/rust/library" "/usr/src/rustc-$version/library"; do
        if [ -f "$folder/alloc/Cargo.toml" ]; then
            printf '%s\n' "$folder"
            return
        fi
    done
    return 1
}

# Downloads, with the given apt options, the first source package whose version is the compiler's,
# and unpacks it.
download_source() { # [APT OPTION]...
    local package candidate
    for package in rust-src "rust-${version%.*}-src"; do
        candidate=$(apt-cache "$@" madison "$package" 2>/dev/null |
            awk -F ' *[|] *' -v version="$version" '
                !found && index($2, version) == 1 && substr($2, length(version) + 1, 1) !~ /[0-9.]/ { print $2; found = 1 }')
        [ -n "$candidate" ] || continue
        say "Wasm target: unpacking $package $candidate"
        (cd "$scratch" && apt-get "$@" download "$package=$candidate" >/dev/null 2>"$scratch/apt.log") || continue
        # The library alone: the package also holds the whole compiler.
        mkdir -p "$scratch/unpacked"
        dpkg-deb --fsys-tarfile "$scratch/${package}"_*.deb |
            tar -x -C "$scratch/unpacked" "./usr/src/rustc-$version/library" || continue
        return
    done
    return 1
}

# The same from Debian's newer suites, at the mirror that the machine already uses. Everything that apt
# writes goes to a private folder: neither root nor a change of the machine's sources is needed, and
# signatures are verified all the same.
download_source_from_debian() {
    local mirror keyring=/usr/share/keyrings/debian-archive-keyring.gpg suite private="$scratch/apt"
    # shellcheck disable=SC2016 # apt expands this
    mirror=$(apt-get indextargets --format '$(REPO_URI)' 'Origin: Debian' 'Label: Debian' | sed -n 1p)
    [ -n "$mirror" ] && [ -f "$keyring" ] || return 1
    mkdir -p "$private/lists/partial" "$private/cache/archives/partial"
    local options=(
        -o "Dir::Etc::sourcelist=$private/sources.list" -o Dir::Etc::sourceparts=-
        -o "Dir::State::Lists=$private/lists" -o "Dir::Cache=$private/cache"
    )
    for suite in "${DEBIAN_SUITES[@]}"; do
        printf 'deb [signed-by=%s] %s %s main\n' "$keyring" "$mirror" "$suite" >"$private/sources.list"
        apt-get "${options[@]}" update >/dev/null 2>&1 || continue
        if download_source "${options[@]}"; then
            return
        fi
    done
    return 1
}

build_from_source() { # LIBRARY
    local crate="$scratch/crate" destination="$sysroot/lib/rustlib/$TARGET/lib" as_root=()
    mkdir -p "$crate/src"
    printf '[package]\nname = "wasm-libraries"\nversion = "0.0.0"\nedition = "2021"\n[workspace]\n' >"$crate/Cargo.toml"
    printf '#![no_std]\nextern crate alloc;\n' >"$crate/src/lib.rs"
    # Without the bitcode the runtime's link-time optimisation fails.
    (cd "$crate" && env -u RUSTC_WORKSPACE_WRAPPER -u CARGO_ENCODED_RUSTFLAGS \
        __CARGO_TESTS_ONLY_SRC_ROOT="$1" RUSTC_BOOTSTRAP=1 RUSTFLAGS="-C embed-bitcode=yes" \
        CARGO_TARGET_DIR="$scratch/target" \
        cargo build -Z build-std=core,alloc --target "$TARGET" --release) || return 1
    if [ ! -w "$sysroot/lib/rustlib" ]; then
        has sudo || fail "cannot write to $sysroot/lib/rustlib, and no sudo: run this as the owner of the Rust toolchain"
        as_root=(sudo)
    fi
    "${as_root[@]}" mkdir -p "$destination"
    "${as_root[@]}" rm -f "$destination"/*.rlib
    "${as_root[@]}" cp "$scratch/target/$TARGET/release/deps"/lib{core,alloc,compiler_builtins}-*.rlib "$destination/"
}

if target_works; then
    say "Wasm target: $TARGET is there"
    exit
fi

version=$(rustc --version | cut -d ' ' -f 2)
sysroot=$(rustc --print sysroot)

by_rustup() {
    [ "${OPENLEDGER_WASM_TARGET:-}" != source ] && has rustup || return 1
    say "Wasm target: adding $TARGET by rustup"
    rustup target add "$TARGET" && target_works
}

by_source() {
    local library
    if ! library=$(installed_source); then
        has apt-get && has dpkg || return 1
        download_source || download_source_from_debian || return 1
        library="$scratch/unpacked/usr/src/rustc-$version/library"
    fi
    say "Wasm target: building $TARGET from the library source of Rust $version"
    build_from_source "$library" && target_works
}

by_rustup || by_source || {
    cat "$scratch/probe.log" >&2
    fail "cannot get $TARGET for Rust $version. Run 'rustup target add $TARGET', or 'rustup component add rust-src' and this again; without rustup, put the library source of exactly this version into $sysroot/lib/rustlib/src/rust/library"
}

# Wasm built with other libraries does not link with these.
rm -rf "$CARGO_TARGET_DIR"/*/wbuild
say "Wasm target: $TARGET is ready"
