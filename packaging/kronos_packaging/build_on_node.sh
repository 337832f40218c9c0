#!/bin/sh
# build_on_node.sh FOLDER HOW SUITE ARCHITECTURE KEYRING SOURCE-LINE...: build the source package in
# FOLDER/source, with the packages in FOLDER/needed installed, into FOLDER/out. HOW: sbuild, mmdebstrap, or
# auto: sbuild where it is installed.
# ssh_engine.py sends it to a build node and runs it on a terminal of its own: when the connection goes,
# the hang-up ends the build and removes FOLDER.
set -eu
folder=$1 how=$2 suite=$3 architecture=$4 keyring=$5
shift 5
# The log is for people and files: no carriage returns, no colours.
stty -opost 2>/dev/null || :
export TERM=dumb LC_ALL=C.UTF-8 DPKG_COLORS=never

builder=''
given_up() {
    trap '' HUP INT TERM
    if [ -n "$builder" ]; then
        kill -TERM 0
        [ "$(id -u)" -ne 0 ] || kill -KILL "$builder"  # and with it all that is in its namespaces
        wait "$builder" || :
    fi
    # The root that an interrupted mmdebstrap leaves belongs to users that only it can be.
    rm -rf --one-file-system "$folder" 2>/dev/null || {
        mmdebstrap --unshare-helper rm -rf "$folder/tmp"
        rm -rf --one-file-system "$folder"
    }
    exit 129
}
trap given_up HUP INT TERM

lacks() {
    echo "this node lacks $1: install the package $2 there" >&2
    exit 3
}

in_mmdebstrap() {
    command -v mmdebstrap >/dev/null || lacks mmdebstrap 'mmdebstrap (and uidmap, unless root builds)'
    [ -e "$keyring" ] || lacks "$keyring" 'with the keyring of the release'
    # In a user namespace root is somebody else, who must be able to come to the root and to the hook.
    chmod 711 "$folder"
    chmod 700 "$folder/source" "$folder/needed" "$folder/out"
    mkdir -m 755 "$folder/tmp"
    export TMPDIR="$folder/tmp"
    # Its mounts and processes go away with it, however it ends; whoever is not root gets that from mmdebstrap.
    spaces=''
    [ "$(id -u)" -ne 0 ] || spaces='unshare --mount --pid --mount-proc --fork --kill-child'
    # shellcheck disable=SC2086 -- words
    exec $spaces mmdebstrap --quiet --mode=auto --variant=apt --architectures="$architecture" --keyring="$keyring" \
        --include=build-essential,fakeroot --aptopt='Acquire::Languages "none"' \
        --customize-hook="copy-in $folder/source $folder/needed /" \
        --customize-hook="$folder/build_in_root.sh" \
        --customize-hook="sync-out /out $folder/out" \
        "$suite" /dev/null "$@"
}

in_sbuild() {
    cd "$folder/out"
    set -- "$folder"/needed/*.deb
    [ -e "$1" ] || set --
    for deb; do
        set -- "$@" "--extra-package=$deb"
        shift
    done
    exec sbuild --nolog --dist="$suite" --arch="$architecture" --arch-all --no-source --no-run-lintian \
        --no-run-piuparts --no-run-autopkgtest "$@" "$folder"/source/*.dsc
}

# What a connection lost while copying left here, long ago.
find "${folder%/*}" -maxdepth 1 -name 'kronos-build.*' -user "$(id -un)" -mmin +2880 -exec rm -rf {} +
mkdir "$folder/out"
jobs=$(nproc)
export DEB_BUILD_OPTIONS="noautodbgsym parallel=$jobs"
[ "$how" != auto ] || { command -v sbuild >/dev/null && how=sbuild; } || how=mmdebstrap
# In the background, so that the trap does not wait for its end.
"in_$how" "$@" &
builder=$!
status=0
wait "$builder" || status=$?
exit "$status"
