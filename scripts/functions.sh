# Sourced by the scripts after env.sh: how they speak, stop, and keep time.
# shellcheck shell=bash

# Says what is being done.
say() { printf '==> %s\n' "$*"; }

# Says what is wrong and what to do about it, and stops.
fail() {
    printf 'error: %s\n' "$*" >&2
    exit 1
}

# Whether a command can be found.
has() { command -v "$1" >/dev/null 2>&1; }

# Stages, for scripts that run long: `stage NAME COMMAND [ARGUMENT]...` runs a program or a function,
# the first that fails ends the script, and `stages_report STATUS`, called when the script exits,
# prints the minutes of each, whether all went well or not.
STAGE_LINES=()
STAGE_NAME=""
STAGE_START=0

stage() {
    STAGE_NAME="$1"
    STAGE_START=$SECONDS
    shift
    say "$STAGE_NAME"
    "$@"
    STAGE_LINES+=("$(stage_line "$STAGE_NAME" $((SECONDS - STAGE_START)))")
    STAGE_NAME=""
}

stage_line() { awk -v name="$1" -v seconds="$2" 'BEGIN { printf "%-44s %6.1f min", name, seconds / 60 }'; }

stages_report() {
    local status=$1
    if [ -n "$STAGE_NAME" ]; then
        STAGE_LINES+=("$(stage_line "$STAGE_NAME" $((SECONDS - STAGE_START)))  <- failed here")
    fi
    printf '\n'
    [ ${#STAGE_LINES[@]} -eq 0 ] || printf '  %s\n' "${STAGE_LINES[@]}"
    printf '  %s\n' "$(stage_line total "$SECONDS")"
    # A script that a signal ends in the middle of a stage has the status of what it did before.
    if [ "$status" -eq 0 ] && [ -z "$STAGE_NAME" ]; then
        printf '\nall stages passed\n'
    else
        printf '\nerror: stage "%s" failed with status %s; its messages stand above the report\n' \
            "${STAGE_NAME:-start}" "$status" >&2
    fi
}
