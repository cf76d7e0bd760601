#!/usr/bin/env bash
# Plays what goes wrong between machines, on this one: local nets whose nodes live in network namespaces of
# their own, with delay, loss, partitions, killed nodes, full disks, wrong clocks and late nodes.
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=env.sh
. "$(dirname "${BASH_SOURCE[0]}")/env.sh"
# shellcheck source-path=SCRIPTDIR source=functions.sh
. "$REPOSITORY/scripts/functions.sh"

usage() {
    cat <<'TEXT'
Usage: scripts/net.sh [--slots N] [--seed N] [--runtime FILE] [--output FOLDER] [--no-build] SCENARIO...

Plays scenarios on local nets, as root. Every validator has a network namespace, an address and a folder of
its own; a relay (tools/relay) carries their packets with a delay and a loss drawn from the seed. What the
net is like is measured with ping before each scenario, and printed.

  slots       slots won and lost, forks, reorganisations, and how far finality lags: three validators
              without delay, then four with round trips of 150 +- 30 ms and 1 % of packets lost in each
              direction. 35 minutes; slots-near and slots-far are one of the two
  partition   two of four validators against two for a minute: nothing becomes final; then all go on
  faults      one of four is killed, has a full disk, has a clock that is 5 s off: the others go on
  join        a late node that warp-syncs, and one from a copy of another's database
  all         all of them

  --slots N        how many slots to watch (default: 300)
  --seed N         what delays and losses are drawn from (default: 1)
  --runtime FILE   run this runtime's Wasm instead of the node's, for example one with other slots:
                   scripts/build-runtime.sh --fast --slot-milliseconds 2000 --output FILE
  --output FOLDER  where figures (SCENARIO.json) and logs go (default: net-report in the repository)
  --no-build       use the node and the relay that are built; OPENLEDGER_NODE and OPENLEDGER_RELAY name others
  --help           this text

It ends with status 1 when a scenario fails. All namespaces, mounts and processes end with the script, however
that ends; the nodes' databases, in a temporary folder, are removed unless it is killed with SIGKILL.
TEXT
}

is_number() { [[ "$1" =~ ^[0-9]{1,15}$ ]]; }

SLOTS=300
SEED=1
RUNTIME=""
OUTPUT="$REPOSITORY/net-report"
BUILD=yes
SCENARIOS=()
while [ $# -gt 0 ]; do
    case "$1" in
    --help | -h)
        usage
        exit
        ;;
    --slots | --seed | --runtime | --output)
        [ $# -gt 1 ] || fail "$1 needs a value; scripts/net.sh --help says which"
        case "$1" in
        --slots) SLOTS="$2" ;;
        --seed) SEED="$2" ;;
        # Relative to where the script was called from, not to the repository.
        --runtime) RUNTIME="$(realpath --canonicalize-missing -- "$2")" ;;
        --output) OUTPUT="$(realpath --canonicalize-missing -- "$2")" ;;
        esac
        shift
        ;;
    --*=*)
        set -- "${1%%=*}" "${1#*=}" "${@:2}"
        continue
        ;;
    --no-build) BUILD=no ;;
    slots | slots-near | slots-far | partition | faults | join | all) SCENARIOS+=("$1") ;;
    *) fail "unknown argument '$1'; scripts/net.sh --help lists them" ;;
    esac
    shift
done
[ ${#SCENARIOS[@]} -gt 0 ] || fail "no scenario given; scripts/net.sh --help lists them"
is_number "$SLOTS" && [ "$SLOTS" -ge 1 ] || fail "--slots needs a number of slots, not '$SLOTS'"
is_number "$SEED" || fail "--seed needs a number, not '$SEED'"
[ -z "$RUNTIME" ] || [ -f "$RUNTIME" ] || fail "--runtime: there is no file $RUNTIME"
[ "$(id -u)" -eq 0 ] || fail "network namespaces take root: run this as root, for example with sudo"
cd "$REPOSITORY"

faketime_library() {
    local file
    for file in /usr/lib/*/faketime/libfaketimeMT.so.1 /usr/lib/faketime/libfaketimeMT.so.1 /usr/lib64/faketime/libfaketimeMT.so.1; do
        if [ -f "$file" ]; then
            printf '%s\n' "$file"
            return
        fi
    done
    return 1
}

# Prints the system packages that are needed and not there, found by what they provide.
missing_packages() {
    has ip || echo iproute2
    has ping || echo iputils-ping
    has unshare && has setpriv || echo util-linux
    has mount || echo mount
    faketime_library >/dev/null || echo libfaketime
}

install_packages() {
    local missing
    mapfile -t missing < <(missing_packages)
    [ ${#missing[@]} -gt 0 ] || return 0
    say "system packages: installing ${missing[*]}"
    has apt-get || fail "this is no Debian or Ubuntu (no apt-get): install what provides ${missing[*]} and run this again"
    apt-get update ||
        fail "apt-get could not read its package lists: check the network and /etc/apt, then run this again"
    DEBIAN_FRONTEND=noninteractive apt-get install --yes --no-install-recommends "${missing[@]}" ||
        fail "apt-get could not install ${missing[*]}: read its message above, then run this again"
    mapfile -t missing < <(missing_packages)
    [ ${#missing[@]} -eq 0 ] ||
        fail "still missing after the installation: ${missing[*]}; install them by hand and run this again"
}

if [ "$BUILD" = yes ]; then
    "$REPOSITORY/scripts/setup.sh"
    say "building (the first time: half an hour to an hour on two cores; then seconds)"
    # The same as in test.sh, so that neither compiles anything again for the other.
    RUSTC_WORKSPACE_WRAPPER="$REPOSITORY/scripts/rustc-and-clippy.sh" \
        cargo build --release --workspace --locked --features openledger-node/fast-runtime --bins --examples ||
        fail "the build failed; its message stands above"
fi
install_packages
export OPENLEDGER_NODE="${OPENLEDGER_NODE:-$CARGO_TARGET_DIR/release/openledger-node}"
export OPENLEDGER_RELAY="${OPENLEDGER_RELAY:-$CARGO_TARGET_DIR/release/openledger-relay}"
OPENLEDGER_FAKETIME="$(faketime_library)"
export OPENLEDGER_FAKETIME
for program in "$OPENLEDGER_NODE" "$OPENLEDGER_RELAY"; do
    [ -x "$program" ] || fail "there is no program $program: leave out --no-build, or name another in OPENLEDGER_NODE or OPENLEDGER_RELAY"
done
[ -c /dev/net/tun ] || fail "there is no /dev/net/tun: load the kernel's module with 'modprobe tun', or run this where there is one"

scratch=$(mktemp -d)
namespaces=""
end() {
    if [ -n "$namespaces" ]; then
        # Its child is the first process of a process namespace: with it all others end, and with them the
        # network namespaces and mounts.
        kill -KILL "$namespaces" 2>/dev/null || true
        wait "$namespaces" 2>/dev/null || true
    fi
    rm -rf "$scratch"
}
trap end EXIT
trap 'exit 130' INT TERM HUP

OPTIONS=(--slots "$SLOTS" --seed "$SEED" --scratch "$scratch" --output "$OUTPUT")
[ -z "$RUNTIME" ] || OPTIONS+=(--runtime "$RUNTIME")
# The driver runs in a network without a way out. Names of namespaces stand in /run, so that is private as
# well. The kernel ends it all even when this script is killed without warning.
# shellcheck disable=SC2016 # the inner shell expands this
setpriv --pdeathsig KILL \
    unshare --net --mount --propagation private --pid --fork --kill-child=KILL --mount-proc \
    bash -c 'mount -t tmpfs tmpfs /run && ip link set lo up && exec node "$0" "$@"' \
    tests/net/main.mjs "${OPTIONS[@]}" "${SCENARIOS[@]}" &
namespaces=$!
status=0
wait "$namespaces" || status=$?
namespaces=""
exit "$status"
