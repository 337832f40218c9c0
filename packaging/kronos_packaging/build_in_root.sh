#!/bin/sh
# build_in_root.sh ROOT: build /source's package in ROOT, without network, and leave what came of it in ROOT/out.
# mmdebstrap(1) runs it as a hook on a build node; see build_on_node.sh.
set -eu
root=$1

inside() {
    chroot "$root" env --ignore-environment PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LC_ALL=C.UTF-8 TZ=UTC \
        TERM=dumb DPKG_COLORS=never DEBIAN_FRONTEND=noninteractive DEB_BUILD_OPTIONS="$DEB_BUILD_OPTIONS" "$@"
}

set -- "$root"/needed/*.deb
if [ -e "$1" ]; then
    for deb; do
        set -- "$@" "/needed/${deb##*/}"
        shift
    done
    inside apt-get install --yes --quiet=2 --no-install-recommends "$@"
fi
set -- "$root"/source/*.dsc
mkdir "$root/build" "$root/out"
inside dpkg-source --extract "/source/${1##*/}" /build/source
# Nothing but what the source declares: no Recommends, no alternatives chosen by us.
inside env --chdir=/build/source apt-get build-dep --yes --quiet=2 --no-install-recommends .
# A network of its own, with nothing in it.
unshare --net chroot "$root" env --ignore-environment --chdir=/build/source \
    PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LC_ALL=C.UTF-8 TZ=UTC TERM=dumb DPKG_COLORS=never \
    DEB_BUILD_OPTIONS="$DEB_BUILD_OPTIONS" dpkg-buildpackage --build=binary --no-sign
find "$root/build" -maxdepth 1 -type f -exec mv -t "$root/out" {} +
