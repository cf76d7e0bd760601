#!/usr/bin/env bash
# Packs the database of a stopped node, and unpacks it for another. docs/operations.md says when.
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=functions.sh
. "$(dirname "${BASH_SOURCE[0]}")/functions.sh"

usage() {
    cat <<'TEXT'
Usage: scripts/snapshot.sh create  --chain CHAIN --base-path FOLDER --output FILE [--node FILE] [--json]
       scripts/snapshot.sh restore --chain CHAIN --base-path FOLDER --input FILE [--node FILE] [--json]

`create` packs the blocks and the state of a stopped node into FILE and says in FILE.manifest what is in it:
chain, genesis, best and final block, version of the node, size and SHA-256. Keys are not in it: neither
session keys nor the network key. Both files belong together.

`restore` checks FILE against FILE.manifest, unpacks it beside the place where it goes, has the node read it,
and only then puts it there. It overwrites nothing, and leaves nothing behind when it fails.

Whoever makes a snapshot decides what the node that starts from it believes: take them from yourself only.
From others, warp sync needs no trust.

  --chain CHAIN       as for the node: local, or the chain's specification
  --base-path FOLDER  as for the node
  --output FILE       where the snapshot goes, such as openledger.tar.zst; .gz without zstd
  --input FILE        the snapshot; FILE.manifest is read as well
  --node FILE         the node's program (default: OPENLEDGER_NODE, or the openledger-node that is found in PATH)
  --json              print the result as one JSON object, and everything else as errors
  --help              this text
TEXT
}

COMMAND=""
CHAIN=""
BASE=""
FILE=""
NODE="${OPENLEDGER_NODE:-openledger-node}"
JSON=no
while [ $# -gt 0 ]; do
    case "$1" in
    --help | -h)
        usage
        exit
        ;;
    create | restore) COMMAND=$1 ;;
    --json) JSON=yes ;;
    --chain | --base-path | --output | --input | --node)
        [ $# -gt 1 ] || fail "$1 needs a value; scripts/snapshot.sh --help shows one"
        case "$1" in
        --chain) CHAIN=$2 ;;
        --base-path) BASE=$2 ;;
        --output | --input) FILE=$2 ;;
        --node) NODE=$2 ;;
        esac
        shift
        ;;
    *) fail "unknown argument '$1'; scripts/snapshot.sh --help lists them" ;;
    esac
    shift
done
[ -n "$COMMAND" ] || fail "say what to do: create or restore; scripts/snapshot.sh --help shows both"
[ -n "$CHAIN" ] || fail "no --chain: name the chain as for the node"
[ -n "$BASE" ] || fail "no --base-path: name the node's folder"
[ -n "$FILE" ] || fail "no file: name it with $([ "$COMMAND" = create ] && echo --output || echo --input)"
has "$NODE" || fail "there is no program '$NODE': name the node's with --node or in OPENLEDGER_NODE"
for program in flock sha256sum tar; do
    has "$program" || fail "the program $program is missing: install it and run this again"
done
if [ "$JSON" = yes ]; then
    say() { printf '==> %s\n' "$*" >&2; }
fi

# What is written before it is known to be whole. Nothing of it stays, however this ends.
UNFINISHED=()
trap 'rm -rf -- "${UNFINISHED[@]}"' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

# The first value of a field in JSON that has a field a line, as the node and this script write it.
field() { # NAME
    sed -n '/^ *"'"$1"'": /{s/^[^:]*: "\{0,1\}\([^",]*\)"\{0,1\},\{0,1\}$/\1/p;q}'
}

is_number() { [[ $1 =~ ^[0-9]+$ ]]; }
is_hash() { [[ $1 =~ ^0x[0-9a-f]{64}$ ]]; }

free_bytes() { df --output=avail --block-size=1 -- "$1" | tail -n 1; }
gibibytes() { awk -v bytes="$1" 'BEGIN { printf "%.2f GiB", bytes / 1073741824 }'; }

# The identity of the chain, which is the name of its folder. From the head of the specification: its
# code is megabytes.
chain_identity() {
    local identity
    if [ -f "$CHAIN" ]; then
        identity=$(field id <"$CHAIN")
        [[ $identity =~ ^[A-Za-z0-9_-]+$ ]] || fail "$CHAIN is no chain's specification: it has no id on a line of its own"
        printf '%s\n' "$identity"
        return
    fi
    identity=$("$NODE" export-chain-spec --chain "$CHAIN" 2>"$ERRORS" | field id) || true
    [[ $identity =~ ^[A-Za-z0-9_-]+$ ]] || fail "'$CHAIN' is no chain that the node knows: $(tail -n 1 "$ERRORS")"
    printf '%s\n' "$identity"
}

# What the node says of the database below a folder. As that folder's owner: opening a database writes to it,
# and what root wrote the service's user could not.
chain_info() { # FOLDER
    local as_owner=()
    if [ "$(id -u)" -eq 0 ]; then
        as_owner=(setpriv --clear-groups --reuid "$(stat --format %u -- "$1")" --regid "$(stat --format %g -- "$1")")
    fi
    "${as_owner[@]}" "$NODE" chain-info --chain "$CHAIN" --base-path "$1" 2>"$ERRORS" ||
        fail "the node cannot read the database in $1: $(grep -v '^[[:space:]]*$' "$ERRORS" | tail -n 1)"
}

# Sets PACK to the program that packs a file of this name.
choose_packer() { # FILE
    case "$1" in
    *.gz) PACK=(gzip --quiet) ;;
    *.zst)
        has zstd || fail "the program zstd is missing: install it, or give a file whose name ends in .gz"
        PACK=(zstd --quiet --threads=0)
        ;;
    *) fail "'$1' says not how it is packed: give a name that ends in .zst or .gz" ;;
    esac
}

create() {
    local output=$FILE database="$FOLDER/paritydb" partial status info version uncompressed bytes sum
    choose_packer "$output"
    [ ! -e "$output" ] || fail "$output is there already: give another name, or remove it"
    [ ! -e "$output.manifest" ] || fail "$output.manifest is there already: give another name, or remove it"
    [ -d "$(dirname -- "$output")" ] || fail "there is no folder $(dirname -- "$output") for the snapshot"
    [ -f "$database/full/metadata" ] ||
        fail "there is no database of '$IDENTITY' in $BASE: name the folder that the node has as --base-path"

    # The lock that ParityDB holds while the node runs. Held here as well, so that no node starts meanwhile.
    exec 9<>"$database/full/lock"
    flock --nonblock 9 || fail "a node is running in $BASE: stop it (systemctl stop, or Ctrl-C), make the snapshot, and start it again"
    flock --unlock 9
    info=$(chain_info "$BASE")
    flock --nonblock 9 || fail "a node was started in $BASE just now: stop it and run this again"
    version=$("$NODE" --version)
    uncompressed=$(du --summarize --bytes -- "$database" | cut -f 1)

    partial="$output.partial"
    UNFINISHED+=("$partial" "$output.manifest.partial")
    say "packing $(gibibytes "$uncompressed") of '$IDENTITY', up to block $(field best_number <<<"$info")"
    status=0
    tar --create --numeric-owner --exclude=lock --directory="$FOLDER" paritydb 2>"$ERRORS" |
        "${PACK[@]}" --stdout >"$partial" 2>>"$ERRORS" || status=$?
    [ "$status" -eq 0 ] ||
        fail "$output cannot be written ($(tail -n 1 "$ERRORS")). $(gibibytes "$(free_bytes "$(dirname -- "$output")")") are free there, and it may take up to $(gibibytes "$uncompressed"); nothing was left behind"
    flock --unlock 9
    bytes=$(stat --format %s -- "$partial")
    sum=$(sha256sum <"$partial" | cut -d ' ' -f 1)
    cat >"$output.manifest.partial" <<MANIFEST ||
{
  "format": 1,
  "chain": "$IDENTITY",
  "genesis_hash": "$(field genesis_hash <<<"$info")",
  "best_number": $(field best_number <<<"$info"),
  "best_hash": "$(field best_hash <<<"$info")",
  "finalized_number": $(field finalized_number <<<"$info"),
  "finalized_hash": "$(field finalized_hash <<<"$info")",
  "node": "$version",
  "database": "paritydb",
  "database_bytes": $uncompressed,
  "bytes": $bytes,
  "sha256": "$sum"
}
MANIFEST
        fail "$output.manifest cannot be written; nothing was left behind"
    sync -- "$partial" "$output.manifest.partial"
    # The manifest first: a file without one is none that restore takes.
    mv -- "$output.manifest.partial" "$output.manifest"
    mv -- "$partial" "$output"
    say "$output: $(gibibytes "$bytes"), block $(field best_number <<<"$info"), final $(field finalized_number <<<"$info")"
    [ "$JSON" = no ] || cat -- "$output.manifest"
}

restore() {
    local input=$FILE manifest name beside info free needed found
    choose_packer "$input"
    [ -f "$input" ] || fail "there is no snapshot $input"
    [ -f "$input.manifest" ] || fail "there is no $input.manifest, without which a snapshot cannot be checked: copy it beside"
    manifest=$(cat -- "$input.manifest")
    [ "$(field format <<<"$manifest")" = 1 ] || fail "$input.manifest is none that this version reads (format 1)"
    for name in genesis_hash best_hash finalized_hash; do
        is_hash "$(field "$name" <<<"$manifest")" || fail "$input.manifest has no $name: it is damaged; take it again from where it was made"
    done
    for name in best_number finalized_number database_bytes bytes; do
        is_number "$(field "$name" <<<"$manifest")" || fail "$input.manifest has no $name: it is damaged; take it again from where it was made"
    done
    [ "$(field chain <<<"$manifest")" = "$IDENTITY" ] ||
        fail "$input is a snapshot of '$(field chain <<<"$manifest")', and --chain is '$IDENTITY'"
    # Nothing was touched up to here, and nothing is while the sum is taken.
    say "checking $input"
    [ "$(stat --format %s -- "$input")" = "$(field bytes <<<"$manifest")" ] ||
        fail "$input is $(stat --format %s -- "$input") bytes long and should be $(field bytes <<<"$manifest"): it was not copied whole; copy it again"
    [ "$(sha256sum <"$input" | cut -d ' ' -f 1)" = "$(field sha256 <<<"$manifest")" ] ||
        fail "the SHA-256 of $input is not that of its manifest: it is damaged; copy it again"
    [ ! -e "$FOLDER/paritydb" ] ||
        fail "there is a database in $FOLDER already, and it is not overwritten: give another --base-path, or remove it with '$NODE purge-chain'"

    mkdir -p -- "$BASE"
    needed=$(field database_bytes <<<"$manifest")
    free=$(free_bytes "$BASE")
    [ "$free" -gt "$needed" ] ||
        fail "the disk of $BASE has $(gibibytes "$free") left and the database needs $(gibibytes "$needed"): make room, or give another --base-path"
    # Laid out as a node's folder, so that the node itself can say whether it reads it. On the same disk, so
    # that what was read moves to its place in one step.
    beside=$(mktemp -d -- "$BASE/restoring.XXXXXX")
    UNFINISHED+=("$beside")
    mkdir -p "$beside/chains/$IDENTITY"
    say "unpacking $(gibibytes "$needed")"
    "${PACK[@]}" --decompress --stdout <"$input" 2>"$ERRORS" |
        tar --extract --no-same-owner --directory="$beside/chains/$IDENTITY" 2>>"$ERRORS" ||
        fail "$input cannot be unpacked ($(tail -n 1 "$ERRORS")). $(gibibytes "$(free_bytes "$BASE")") are free in $BASE; nothing was left behind"
    found=$(find "$beside/chains/$IDENTITY" -mindepth 1 \( ! -path "$beside/chains/$IDENTITY/paritydb*" -o ! -type f ! -type d \) -print -quit)
    [ -z "$found" ] || fail "$input holds '${found#"$beside/chains/$IDENTITY/"}', which is no part of a database: do not use it"
    # Root restores for the user that the node runs as.
    [ "$(id -u)" -ne 0 ] || chown --recursive --reference="$BASE" -- "$beside"
    info=$(chain_info "$beside")
    for name in genesis_hash best_hash finalized_hash; do
        [ "$(field "$name" <<<"$info")" = "$(field "$name" <<<"$manifest")" ] ||
            fail "the unpacked database has another $name ($(field "$name" <<<"$info")) than the manifest says: do not use $input"
    done
    [ ! -e "$FOLDER/paritydb" ] || fail "a database has come into $FOLDER meanwhile: was a node started there? Nothing was changed"
    sync --file-system -- "$beside"
    mkdir -p -- "$FOLDER"
    mv --no-target-directory -- "$beside/chains/$IDENTITY/paritydb" "$FOLDER/paritydb"
    [ "$(id -u)" -ne 0 ] || chown --reference="$BASE" -- "$BASE/chains" "$FOLDER"
    say "$FOLDER is at block $(field best_number <<<"$info"), final $(field finalized_number <<<"$info"); keys are not part of a snapshot"
    [ "$JSON" = no ] || cat -- "$input.manifest"
}

ERRORS=$(mktemp)
UNFINISHED+=("$ERRORS")
IDENTITY=$(chain_identity)
FOLDER="$BASE/chains/$IDENTITY"
"$COMMAND"
