#!/usr/bin/env bash
# Checks the units in ops/systemd: as text, and with --boot as services of a systemd that runs them.
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=env.sh
. "$(dirname "${BASH_SOURCE[0]}")/env.sh"
# shellcheck source-path=SCRIPTDIR source=functions.sh
. "$REPOSITORY/scripts/functions.sh"
# shellcheck source-path=SCRIPTDIR source=debian.sh
. "$REPOSITORY/scripts/debian.sh"

UNITS="$REPOSITORY/ops/systemd"
# How exposed a service may be by `systemd-analyze security`, in tenths: 100 is not protected at all.
MOST_EXPOSED=20

usage() {
    cat <<'TEXT'
Usage: scripts/check-systemd.sh [--boot]

Has systemd read the units in ops/systemd and judge how well they are shut in.

  --boot  also start a system in namespaces of its own, with systemd as its first process, install node and
          worker there as docs/operations.md says, and see that they work in the cage that the units build:
          a validator with inserted keys makes blocks, a follower imports them and refuses unsafe RPC, the
          worker registers; both are restarted when they are killed, and end when they are asked to. Needs
          root, Debian's apt, a network to its mirror, and what scripts/test.sh builds. Takes two minutes.
  --help  this text
TEXT
}

BOOT=no
case "${1:-}" in
"") ;;
--boot) BOOT=yes ;;
--help | -h)
    usage
    exit
    ;;
*) fail "unknown argument '$1'; scripts/check-systemd.sh --help lists them" ;;
esac

NODE="${OPENLEDGER_NODE:-$CARGO_TARGET_DIR/release/openledger-node}"
WORKER="${OPENLEDGER_WORKER:-$CARGO_TARGET_DIR/release/openledger-worker}"
scratch=$(mktemp -d)
ROOT="$scratch/root"
LEADER=""
# A control group of its own in each hierarchy that systemd wants to write to.
HIERARCHIES=()
GROUP="openledger-check-$$"

tidy_up() {
    local hierarchy
    if [ -n "$LEADER" ]; then
        # With the first process of its namespace all others end.
        kill -KILL "$LEADER" 2>/dev/null || true
        wait "$LEADER" 2>/dev/null || true
    fi
    for hierarchy in "${HIERARCHIES[@]}"; do
        # Groups go once their last process is gone, which the kernel reports a moment later.
        for _ in 1 2 3 4 5 6 7 8 9 10; do
            find "$hierarchy/$GROUP" -depth -type d -exec rmdir {} + 2>/dev/null && break
            sleep 0.2
        done
    done
    rm -rf --one-file-system "$scratch"
}
trap tidy_up EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

check_text() {
    local unit
    has systemd-analyze || fail "systemd-analyze is missing: it is part of Debian's package systemd"
    mkdir "$scratch/units"
    for unit in "$UNITS"/*.service; do
        # Programs that are not there would be all that it complains of.
        sed 's#^ExecStart=/usr/bin/openledger-[a-z]*#ExecStart=/bin/true#' "$unit" >"$scratch/units/$(basename "${unit/@./@validator.}")"
    done
    for unit in "$scratch/units"/*.service; do
        systemd-analyze verify --man=no "$unit" 2>"$scratch/problems" || fail "$(cat "$scratch/problems")"
        [ ! -s "$scratch/problems" ] || fail "$(cat "$scratch/problems")"
        systemd-analyze security --offline=true --threshold="$MOST_EXPOSED" --no-pager "$unit" >"$scratch/judgement" ||
            fail "$(basename "$unit") is too exposed: $(tail -n 1 "$scratch/judgement")"
        tail -n 1 "$scratch/judgement"
    done
}

# Runs something in the booted system.
inside() { nsenter --target "$FIRST" --mount --pid --net --ipc --uts --root --wd "$@"; }

# The last lines of each: a node writes so many that they would hide all others.
log_of_services() {
    local service
    for service in openledger-node@validator openledger-node@follower openledger-worker; do
        printf '\n%s:\n' "$service"
        inside journalctl --no-pager --unit "$service" --lines 12 --output cat
    done
}
start() { # SERVICE...
    inside systemctl start "$@" 2>"$scratch/answer" || fail "$* cannot be started: $(log_of_services)"
}

# Waits until a command inside succeeds.
eventually() { # SECONDS WHAT COMMAND [ARGUMENT]...
    local deadline=$((SECONDS + $1)) what=$2
    shift 2
    until "$@" >"$scratch/answer" 2>&1; do
        [ "$SECONDS" -lt "$deadline" ] || fail "$what: not within the time; the last answer was: $(tail -n 3 "$scratch/answer"). The services' log: $(log_of_services)"
        sleep 1
    done
}

rpc() { # PORT METHOD
    inside curl --fail --silent --show-error --header 'Content-Type: application/json' \
        --data "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"$2\",\"params\":[]}" "http://127.0.0.1:$1"
}
rpc_says() { # PORT METHOD PATTERN
    local answer
    answer=$(rpc "$1" "$2")
    printf '%s\n' "$answer"
    [[ $answer =~ $3 ]]
}

boot() {
    local hierarchy mounts=()
    if [ "$(stat --file-system --format %T /sys/fs/cgroup)" = cgroup2fs ]; then
        HIERARCHIES=(/sys/fs/cgroup)
        mounts=("mount -t cgroup2 cgroup2 '$ROOT/sys/fs/cgroup'")
    else
        HIERARCHIES=(/sys/fs/cgroup/systemd /sys/fs/cgroup/unified)
        mounts=("mount -t tmpfs tmpfs '$ROOT/sys/fs/cgroup'" "mkdir '$ROOT/sys/fs/cgroup/systemd'"
            "mount -t cgroup -o none,name=systemd cgroup '$ROOT/sys/fs/cgroup/systemd'")
    fi
    debian_root "$ROOT" systemd systemd-sysv dbus curl ca-certificates libgomp1
    for hierarchy in "${HIERARCHIES[@]}"; do mkdir "$hierarchy/$GROUP"; done
    cat >"$scratch/first" <<FIRST
set -euo pipefail
. "$REPOSITORY/scripts/debian.sh"
mount --bind "$ROOT" "$ROOT"
mount_system_folders "$ROOT"
mount -t sysfs -o ro sysfs "$ROOT/sys"
$(printf '%s\n' "${mounts[@]}")
mount -t tmpfs tmpfs "$ROOT/run"
ip link set lo up
# In a changed root, other than in a new one, the kernel makes no user namespaces.
cd "$ROOT"
pivot_root . mnt
cd /
umount --lazy /mnt
exec env --ignore-environment container=openledger PATH=/usr/sbin:/usr/bin:/sbin:/bin \
    /lib/systemd/systemd --log-target=journal --show-status=no
FIRST
    # It joins its group before it gets namespaces: the group is what it then sees as the root.
    # shellcheck disable=SC2016 # the inner shell expands these
    bash -c 'for group; do echo $$ >"$group/cgroup.procs"; done
        exec unshare --mount --propagation private --pid --mount-proc --cgroup --net --uts --ipc --fork --kill-child \
            bash "$0"' "$scratch/first" "${HIERARCHIES[@]/%//$GROUP}" >"$scratch/boot.log" 2>&1 &
    LEADER=$!
    for _ in $(seq 50); do
        FIRST=$(cat "/proc/$LEADER/task/$LEADER/children" 2>/dev/null || true)
        FIRST=${FIRST%% *}
        [ -n "$FIRST" ] && [ "$(cat "/proc/$FIRST/comm")" = systemd ] && break
        kill -0 "$LEADER" 2>/dev/null || fail "the system does not start: $(cat "$scratch/boot.log")"
        sleep 0.2
    done
    eventually 60 "the system starts" inside systemctl is-system-running --wait
    say "a system is running, with systemd as its first process"
}

# As docs/operations.md says.
install_services() {
    local network_key=/var/lib/openledger/validator key peer
    [ -x "$NODE" ] || fail "there is no node at $NODE: scripts/test.sh builds it"
    [ -x "$WORKER" ] || fail "there is no worker at $WORKER: scripts/test.sh builds it"
    install "$NODE" "$ROOT/usr/bin/openledger-node"
    install "$WORKER" "$ROOT/usr/bin/openledger-worker"
    install -D --mode=644 "$UNITS/openledger.sysusers.conf" "$ROOT/usr/lib/sysusers.d/openledger.conf"
    install --mode=644 --target-directory="$ROOT/etc/systemd/system" "$UNITS"/*.service
    install -D --mode=644 --target-directory="$ROOT/etc/openledger" "$UNITS"/*.env
    # A chain with one validator, whose keys are known.
    "$NODE" export-chain-spec --chain dev --raw >"$ROOT/etc/openledger/chain.json" 2>"$scratch/answer" ||
        fail "$(tail -n 3 "$scratch/answer")"
    inside systemd-sysusers
    inside install --directory --owner=openledger --group=openledger --mode=700 /var/lib/openledger "$network_key"
    inside install --directory --owner=openledger-worker --group=openledger-worker --mode=700 /var/lib/openledger-worker
    as_node key generate-node-key --chain /etc/openledger/chain.json --base-path "$network_key"
    peer=$(tail -n 1 "$scratch/answer")
    for key in sr25519:babe ed25519:gran; do
        as_node key insert --chain /etc/openledger/chain.json --base-path "$network_key" --suri //Alice --scheme "${key%:*}" --key-type "${key#*:}"
    done
    # shellcheck disable=SC2016 # systemd expands these
    sed -i "s#^ARGUMENTS=.*#& --allow-private-ip#" "$ROOT/etc/openledger/validator.env"
    sed -i "s#^ARGUMENTS=.*#& --allow-private-ip --bootnodes /ip4/127.0.0.1/tcp/30333/p2p/$peer#" "$ROOT/etc/openledger/follower.env"
    # shellcheck disable=SC2016 # the inner shell expands these
    inside sh -c 'umask 077; printf "//Alice\n" >"$1"; chown openledger-worker: "$1"' sh /var/lib/openledger-worker/operator.key
    inside systemctl daemon-reload
}
as_node() {
    inside setpriv --reuid=openledger --regid=openledger --clear-groups openledger-node "$@" >"$scratch/answer" 2>&1 ||
        fail "openledger-node $*: $(tail -n 3 "$scratch/answer")"
}

check_cage() { # SERVICE USER
    local pid status
    pid=$(inside systemctl show --property MainPID --value "$1")
    status=$(inside cat "/proc/$pid/status")
    [[ $status == *$'NoNewPrivs:\t1'* && $status == *$'CapEff:\t0000000000000000'* && $status == *$'Seccomp:\t2'* ]] ||
        fail "$1 is not shut in: $(grep -E 'NoNewPrivs|CapEff|Seccomp' <<<"$status")"
    [ "$(inside stat --format %U "/proc/$pid")" = "$2" ] || fail "$1 does not run as $2"
}

check_restart() { # SERVICE
    inside systemctl kill --signal=KILL "$1"
    eventually 120 "$1 is started again after it was killed" inside sh -c "[ \"\$(systemctl show --property NRestarts --value $1)\" = 1 ] && systemctl is-active $1"
}

check_stop() { # SERVICE
    inside systemctl stop "$1"
    [ "$(inside systemctl show --property Result --value "$1")" = success ] || fail "$1 did not end as it should: $(inside systemctl status --no-pager "$1")"
}

run_services() {
    start openledger-node@validator openledger-node@follower
    eventually 300 "the validator makes blocks" rpc_says 9944 chain_getHeader '"number":"0x[3-9a-f]'
    eventually 180 "the follower imports them" rpc_says 9945 chain_getHeader '"number":"0x[3-9a-f]'
    rpc_says 9944 system_nodeRoles Authority >/dev/null || fail "the validator is none: $(rpc 9944 system_nodeRoles)"
    rpc_says 9945 author_rotateKeys 'unsafe' >/dev/null || fail "the follower serves unsafe RPC: $(rpc 9945 author_rotateKeys)"
    eventually 60 "the validator publishes figures" inside sh -c 'curl --fail --silent http://127.0.0.1:9615/metrics | grep ^substrate_block_height'
    check_cage openledger-node@validator openledger
    check_cage openledger-node@follower openledger
    say "openledger-node@validator makes blocks, openledger-node@follower imports them"

    start openledger-worker
    eventually 120 "the worker publishes figures" inside sh -c 'curl --fail --silent http://127.0.0.1:9617/metrics | grep ^openledger_worker_best_block'
    eventually 120 "the worker registers" inside sh -c 'journalctl --unit openledger-worker --output cat | grep -i regist'
    check_cage openledger-worker openledger-worker
    say "openledger-worker registers as an operator"

    check_restart openledger-worker
    check_restart openledger-node@follower
    check_restart openledger-node@validator
    eventually 180 "the validator goes on after it was killed" rpc_says 9944 chain_getHeader '"number":"0x[0-9a-f]+'
    say "all were started again after they were killed"
    check_stop openledger-worker
    check_stop openledger-node@follower
    check_stop openledger-node@validator
    say "all ended when asked to"
}

say "what systemd says of the units"
check_text
if [ "$BOOT" = yes ]; then
    [ "$(id -u)" -eq 0 ] || fail "not root: starting a system needs root"
    boot
    install_services
    run_services
fi
