#!/usr/bin/env bash
# What the guides tell operators to do, done from beginning to end on local nets.
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=env.sh
. "$(dirname "${BASH_SOURCE[0]}")/env.sh"
# shellcheck source-path=SCRIPTDIR source=functions.sh
. "$REPOSITORY/scripts/functions.sh"
# shellcheck source-path=SCRIPTDIR source=debian.sh
. "$REPOSITORY/scripts/debian.sh"
cd "$REPOSITORY"

usage() {
    cat <<'TEXT'
Usage: scripts/guides.sh [rules|validator|backup|governance|upgrade|services|container]...

Carries out what the guides in docs/ say, on local nets that are thrown away. Without a name, all:

  rules       alert rules and dashboard: Prometheus' own checks, and the tests in ops/prometheus/tests.yml
  validator   a new validator joins three: keys, bond, session keys, election, blocks and votes; a Prometheus
              scrapes it, a worker and the machine, and every figure that is named is there; its database is
              packed, restored elsewhere, and the validator goes on from it
  backup      what scripts/snapshot.sh refuses, and a full disk
  governance  referenda from the proposal to what they change
  upgrade     an upgrade of the runtime by referendum (scripts/upgrade-drill.sh)
  services    the units in ops/systemd, under a systemd of their own (scripts/check-systemd.sh --boot)
  container   ops/docker/Dockerfile (scripts/check-docker.sh)

Needs what scripts/test.sh builds. The last two need root and a network to a Debian mirror. Prometheus, its
node exporter and debootstrap are unpacked from Debian's packages where they are missing, not installed.
TEXT
}

GUIDES=()
for argument in "$@"; do
    case "$argument" in
    --help | -h)
        usage
        exit
        ;;
    rules | validator | backup | governance | upgrade | services | container) GUIDES+=("$argument") ;;
    *) fail "unknown argument '$argument'; scripts/guides.sh --help lists them" ;;
    esac
done
[ ${#GUIDES[@]} -gt 0 ] || GUIDES=(rules validator backup governance upgrade services container)

export OPENLEDGER_NODE="${OPENLEDGER_NODE:-$CARGO_TARGET_DIR/release/openledger-node}"
[ -x "$OPENLEDGER_NODE" ] || fail "there is no node at $OPENLEDGER_NODE: build it with scripts/test.sh"
TESTS="$REPOSITORY/tests/polkadot-js"
[ -d "$TESTS/node_modules" ] || fail "polkadot.js is not installed: run scripts/setup.sh"

# Runs a command for so many minutes at most.
within() { # MINUTES COMMAND [ARGUMENT]...
    timeout --foreground --kill-after=20 "$1m" "${@:2}" || {
        local status=$?
        [ "$status" -ne 124 ] || fail "it did not end within $1 minutes"
        return "$status"
    }
}

check_rules() {
    local promtool anchor
    promtool=$(program_of promtool prometheus)
    "$promtool" check config ops/prometheus/prometheus.yml
    "$promtool" test rules ops/prometheus/tests.yml
    node -e 'JSON.parse(require("fs").readFileSync(process.argv[1]))' ops/grafana/openledger.json
    # Where alerts send their reader to.
    while IFS= read -r anchor; do
        sed -n 's/^#\+ //p' docs/operations.md | tr '[:upper:] ' '[:lower:]-' | grep -qxF -- "$anchor" ||
            fail "docs/operations.md has no section #$anchor, to which an alert sends its reader"
    done < <(sed -n 's/^ *runbook: docs\/operations.md#//p' ops/prometheus/alerts.yml | sort -u)
}

guide() {
    case "$1" in
    rules) stage "alert rules and dashboard" check_rules ;;
    validator)
        stage "a new validator, monitoring, backup" within 20 node "$TESTS/validator-guide.mjs" \
            --prometheus "$(program_of prometheus prometheus)" \
            --node-exporter "$(program_of prometheus-node-exporter prometheus-node-exporter)"
        ;;
    backup) stage "snapshots" within 10 node --test --test-reporter=spec "$TESTS/snapshot.test.mjs" ;;
    governance) stage "referenda" within 15 node --test --test-reporter=spec "$TESTS/governance.test.mjs" ;;
    upgrade) stage "an upgrade of the runtime" within 30 scripts/upgrade-drill.sh ;;
    services) stage "services" within 15 scripts/check-systemd.sh --boot ;;
    container) stage "container" within 15 scripts/check-docker.sh ;;
    esac
}

trap 'status=$?; stages_report "$status"' EXIT
for name in "${GUIDES[@]}"; do guide "$name"; done
