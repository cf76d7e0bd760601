# Sourced by scripts that need Debian's packages without changing the machine: what they take from there
# is unpacked into folders of its own. Needs env.sh and functions.sh, and apt's package lists.
# shellcheck shell=bash

DEBIAN_RELEASE=bookworm

# Prints the folder that a package is unpacked in. Packages of programs that need no more than libc.
unpacked() { # PACKAGE
    local folder="$OPENLEDGER_TOOLS/packages/$1" scratch
    if [ ! -d "$folder" ]; then
        has apt-get || fail "this is no Debian or Ubuntu (no apt-get): install $1 by hand, so that its program is found"
        scratch=$(mktemp -d)
        # apt fetches as a user of its own, who has to be let in.
        chmod 755 "$scratch"
        if ! (cd "$scratch" && apt-get download "$1" >/dev/null 2>apt.log); then
            cat "$scratch/apt.log" >&2
            rm -rf "$scratch"
            fail "apt-get cannot download $1: run 'apt-get update' and this again"
        fi
        mkdir -p "$OPENLEDGER_TOOLS/packages"
        dpkg-deb --extract "$scratch/$1"_*.deb "$scratch/unpacked"
        mv --no-target-directory "$scratch/unpacked" "$folder"
        rm -rf "$scratch"
    fi
    printf '%s\n' "$folder"
}

# Prints the path of a program: the machine's, or that of a package, which is unpacked for it.
program_of() { # PROGRAM PACKAGE
    local folder
    if has "$1"; then
        command -v "$1"
        return
    fi
    folder=$(unpacked "$2")
    find "$folder" -type f -path "*bin/$1" -perm -u+x -print -quit
}

# The mirror that this machine uses for the release.
debian_mirror() {
    # shellcheck disable=SC2016 # apt expands this
    apt-get indextargets --format '$(REPO_URI)' 'Origin: Debian' "Codename: $DEBIAN_RELEASE" | sed -n 1p
}

# Makes FOLDER a fresh system of the release with these packages beside the smallest set. The system is
# kept, packed, for the next time.
debian_root() { # FOLDER [PACKAGE]...
    local root=$1 kept mirror debootstrap package
    shift
    kept="$OPENLEDGER_CACHE/debian/$DEBIAN_RELEASE$(printf -- '-%s' minbase "$@").tar"
    mkdir -p "$root" "${kept%/*}"
    if [ ! -f "$kept" ]; then
        mirror=$(debian_mirror)
        [ -n "$mirror" ] ||
            fail "apt knows no mirror of Debian $DEBIAN_RELEASE: add one to the machine's sources, run 'apt-get update' and this again"
        debootstrap=$(program_of debootstrap debootstrap)
        package=${debootstrap%/usr/sbin/debootstrap}
        say "making a system of Debian $DEBIAN_RELEASE (a minute, once)"
        DEBOOTSTRAP_DIR="$package/usr/share/debootstrap" "$debootstrap" --variant=minbase \
            ${1:+"--include=$(IFS=,; echo "$*")"} "$DEBIAN_RELEASE" "$root" "$mirror" >"$root.log" 2>&1 ||
            fail "debootstrap failed; its last lines: $(tail -n 5 "$root.log")"
        rm -rf "$root/var/cache/apt/archives"/*.deb "$root.log"
        tar --create --numeric-owner --one-file-system --file="$kept.new" --directory="$root" .
        mv "$kept.new" "$kept"
    else
        tar --extract --numeric-owner --same-owner --preserve-permissions --file="$kept" --directory="$root"
    fi
    # Names are looked up as this machine does.
    cp /etc/resolv.conf "$root/etc/resolv.conf"
}

# Gives a system what programs in it expect to find in /proc, /dev and /tmp. Only in a mount namespace, with
# which all of it goes.
mount_system_folders() { # ROOT
    local device major minor
    mount -t proc proc "$1/proc"
    mount -t tmpfs -o mode=755 tmpfs "$1/dev"
    while read -r device major minor; do
        mknod -m 666 "$1/dev/$device" c "$major" "$minor"
    done <<<"null 1 3
zero 1 5
full 1 7
random 1 8
urandom 1 9
tty 5 0
ptmx 5 2"
    ln -s /proc/self/fd "$1/dev/fd"
    mkdir "$1/dev/shm"
    mount -t tmpfs tmpfs "$1/dev/shm"
    mount -t tmpfs -o mode=1777 tmpfs "$1/tmp"
}
