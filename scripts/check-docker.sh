#!/usr/bin/env bash
# Checks ops/docker/Dockerfile without a container engine: carries its own lines out in a fresh Debian system.
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=env.sh
. "$(dirname "${BASH_SOURCE[0]}")/env.sh"
# shellcheck source-path=SCRIPTDIR source=functions.sh
. "$REPOSITORY/scripts/functions.sh"
# shellcheck source-path=SCRIPTDIR source=debian.sh
. "$REPOSITORY/scripts/debian.sh"

DOCKERFILE="$REPOSITORY/ops/docker/Dockerfile"

usage() {
    cat <<'TEXT'
Usage: scripts/check-docker.sh [--node FILE]

Carries out the stage `runtime` of ops/docker/Dockerfile, line by line, in a fresh Debian system, starts the
node there by the file's own ENTRYPOINT, user, folder and environment, asks it over RPC and by the file's own
HEALTHCHECK, and ends it by the file's own STOPSIGNAL.

Checked:      every line of the stage `runtime`; that the packages of the stage `build` can be installed; that
              its Rust is new enough for this repository.
Not checked:  compiling in the stage `build` (the node that scripts/test.sh built is copied instead), the
              images that FROM names (a system of the same Debian release stands in), layers and networks of
              a container engine.

  --node FILE  the node to copy (default: the one that scripts/test.sh builds)
  --help       this text

Needs root, Debian's apt, and a network to its mirror. Everything that it mounts and makes goes when it ends.
TEXT
}

NODE="${OPENLEDGER_NODE:-$CARGO_TARGET_DIR/release/openledger-node}"
while [ $# -gt 0 ]; do
    case "$1" in
    --help | -h)
        usage
        exit
        ;;
    --node)
        [ $# -gt 1 ] || fail "--node needs a file"
        NODE=$(realpath --canonicalize-missing -- "$2")
        shift
        ;;
    *) fail "unknown argument '$1'; scripts/check-docker.sh --help lists them" ;;
    esac
    shift
done
[ "$(id -u)" -eq 0 ] || fail "not root: making a system and changing into it needs root"
[ -x "$NODE" ] || fail "there is no node at $NODE: build it with scripts/test.sh, or name another with --node"

# Mounts and processes go with the namespace, whatever happens here; only then is the folder removed.
if [ -z "${OPENLEDGER_CHECK_ROOT:-}" ]; then
    scratch=$(mktemp -d)
    trap 'rm -rf --one-file-system "$scratch"' EXIT
    OPENLEDGER_CHECK_ROOT="$scratch/root" unshare --mount --propagation private --pid --mount-proc --fork --kill-child \
        "${BASH_SOURCE[0]}" --node "$NODE"
    exit
fi
ROOT=$OPENLEDGER_CHECK_ROOT

# The file's instructions: one a line, continuations joined, comments gone.
instructions() {
    sed -e '/^[[:space:]]*#/d' "$DOCKERFILE" | sed -e ':join' -e '/\\$/{N;s/[[:space:]]*\\\n[[:space:]]*/ /;b join' -e '}' | sed '/^[[:space:]]*$/d'
}

# The instructions of a stage: what follows its FROM, up to the next.
stage_of() { # NAME
    instructions | awk -v name="$1" 'toupper($1) == "FROM" { inside = ($4 == name) } inside'
}

# The strings of a JSON array, NUL after each.
strings() {
    node -e 'for (const text of JSON.parse(process.argv[1])) process.stdout.write(text + "\0");' "$1" ||
        fail "'$1' is no JSON array of strings, which is the form that this check understands"
}

variables=(PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin)
user=0:0
folder=/
entrypoint=()
healthcheck=()
stop_signal=TERM
# Becomes a command as the file's user, in its folder and environment.
become() { # COMMAND [ARGUMENT]...
    # shellcheck disable=SC2016 # the inner shell expands these
    exec env --ignore-environment "${variables[@]}" \
        chroot --userspec="$user" --groups="" "$ROOT" /bin/sh -c 'cd "$1" && shift && exec "$@"' sh "$folder" "$@"
}
inside() { (become "$@"); }

copy() { # [--from=STAGE] SOURCE... TARGET
    local from="" source target
    if [[ $1 == --from=* ]]; then
        from=${1#--from=}
        shift
    fi
    target=${*: -1}
    [[ $target == */ ]] && mkdir -p "$ROOT$target"
    mkdir -p "$(dirname "$ROOT$target")"
    for source in "${@:1:$#-1}"; do
        case "$from:$source" in
        build:*/release/openledger-node) source=$NODE ;;
        :*) source="$REPOSITORY/$source" ;;
        *) fail "COPY of $source from stage '$from': this check knows only the node that is built there" ;;
        esac
        cp --recursive --no-preserve=ownership "$source" "$ROOT$target" || fail "COPY: there is no $source"
    done
}

carry_out() { # INSTRUCTION
    local name=${1%% *} rest=${1#* } words
    # What a container engine would expand is better refused than read wrongly.
    [[ $name == RUN || $rest != *'$'* ]] || fail "a variable in '$1', which this check does not expand"
    say "$1"
    case "$name" in
    FROM) [[ $rest == "debian:$DEBIAN_RELEASE"* ]] || fail "'$1': a Debian system of $DEBIAN_RELEASE stands in here, and no other" ;;
    RUN) inside /bin/sh -c "$rest" >"$ROOT.log" 2>&1 || fail "it failed; its last lines: $(tail -n 5 "$ROOT.log")" ;;
    COPY)
        read -ra words <<<"$rest"
        copy "${words[@]}"
        ;;
    ENV) variables+=("$rest") ;;
    USER) user=$rest ;;
    WORKDIR)
        folder=$rest
        mkdir -p "$ROOT$folder"
        ;;
    VOLUME)
        mapfile -d '' -t words < <(strings "$rest")
        for rest in "${words[@]}"; do [ -d "$ROOT$rest" ] || fail "'$1': there is no such folder"; done
        ;;
    EXPOSE) [[ $rest =~ ^[0-9\ ]+$ ]] || fail "'$1': no port numbers" ;;
    STOPSIGNAL) stop_signal=${rest#SIG} ;;
    HEALTHCHECK) mapfile -d '' -t healthcheck < <(strings "${rest#*CMD }") ;;
    ENTRYPOINT) mapfile -d '' -t entrypoint < <(strings "$rest") ;;
    *) fail "'$1' is an instruction that this check does not know" ;;
    esac
}

check_build_stage() {
    local image wanted packages
    image=$(stage_of build | sed -n 's/^FROM rust:\([0-9.]*\)-'"$DEBIAN_RELEASE"' .*/\1/p')
    wanted=$(sed -n 's/^rust-version = "\(.*\)"$/\1/p' "$REPOSITORY/Cargo.toml")
    [ -n "$image" ] || fail "the stage build does not start from rust:VERSION-$DEBIAN_RELEASE, whose C library the runtime's has to be"
    [ "$(printf '%s\n' "$wanted" "$image" | sort -V | head -n 1)" = "$wanted" ] ||
        fail "the stage build has Rust $image, and Cargo.toml wants $wanted"
    read -ra packages < <(stage_of build | sed -n 's/.*apt-get install \([^&]*\).*/\1/p')
    inside /bin/sh -c 'apt-get update && exec "$@"' sh apt-get install --simulate "${packages[@]}" >"$ROOT.log" 2>&1 ||
        fail "the packages of the stage build cannot be installed: $(tail -n 5 "$ROOT.log")"
    say "Rust $image is new enough, and its packages can be installed"
}

carry_out_runtime_stage() {
    local instruction
    while IFS= read -r -u 3 instruction; do carry_out "$instruction"; done 3< <(stage_of runtime)
    [ ${#entrypoint[@]} -gt 0 ] || fail "the stage runtime lacks an ENTRYPOINT"
    [ ${#healthcheck[@]} -gt 0 ] || fail "the stage runtime lacks a HEALTHCHECK"
    [[ $user =~ ^[1-9][0-9]*:[1-9][0-9]*$ ]] || fail "the node would run as '$user': USER has to be a number that is not root's"
}

# Runs in a network of its own with nothing but a loopback, so that the ports are those of the file.
run_and_ask() {
    local pid answer status deadline=$((SECONDS + 180))
    ip link set lo up
    become "${entrypoint[@]}" --dev --tmp >"$ROOT.log" 2>&1 &
    pid=$!
    until inside "${healthcheck[@]}" >/dev/null 2>&1; do
        kill -0 "$pid" 2>/dev/null || fail "the node ended; its last lines: $(tail -n 20 "$ROOT.log")"
        [ "$SECONDS" -lt "$deadline" ] || fail "HEALTHCHECK did not succeed within three minutes; the node's last lines: $(tail -n 20 "$ROOT.log")"
        sleep 1
    done
    [ "$(stat --format %u:%g "/proc/$pid")" = "$user" ] || fail "the node runs as $(stat --format %u:%g "/proc/$pid"), not as $user"
    say "HEALTHCHECK: $(inside "${healthcheck[@]}")"
    # Blocks, so that more works than the RPC server.
    deadline=$((SECONDS + 60))
    until answer=$(inside curl --fail --silent --show-error --header 'Content-Type: application/json' \
        --data '{"jsonrpc":"2.0","id":1,"method":"chain_getHeader","params":[]}' http://127.0.0.1:9944) &&
        [[ $answer == *'"number":"0x'[2-9a-f]* ]]; do
        [ "$SECONDS" -lt "$deadline" ] || fail "no second block within a minute; the node said: $answer"
        sleep 1
    done
    say "RPC: it makes blocks"
    kill -s "$stop_signal" "$pid"
    status=0
    wait "$pid" || status=$?
    [ "$status" -eq 0 ] || fail "after $stop_signal the node ended with $status; its last lines: $(tail -n 20 "$ROOT.log")"
    say "it ended when asked to"
}

if [ -n "${OPENLEDGER_CHECK_NETWORK:-}" ]; then
    # Here again, in the network of its own; what the lines above found comes along.
    eval "$OPENLEDGER_CHECK_NETWORK"
    run_and_ask
    exit
fi
debian_root "$ROOT"
mount_system_folders "$ROOT"
say "stage build"
check_build_stage
say "stage runtime"
carry_out_runtime_stage
found=$(declare -p variables user folder entrypoint healthcheck stop_signal)
OPENLEDGER_CHECK_NETWORK=$found unshare --net "${BASH_SOURCE[0]}" --node "$NODE"
