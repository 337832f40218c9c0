#!/bin/sh
# enter_root.sh ROOT [--bind HERE THERE]... -- COMMAND...: run a command in ROOT, with a /proc, a /dev
# and a host name of its own.
# build_root.py starts it in new mount, pid and uts namespaces: mounts and processes go away with
# the command, however it ends, and the machine's own devices are never in reach.
set -eu
root=$1
shift
while [ "$1" = --bind ]; do
    mkdir -p "$root$3"
    mount --bind "$2" "$root$3"
    shift 3
done
[ "$1" = -- ] && shift
echo kronos >/proc/sys/kernel/hostname
mount -t proc proc "$root/proc"
mount -t tmpfs -o mode=0755,nosuid tmpfs "$root/dev"
for node in null zero full random urandom tty; do
    : >"$root/dev/$node"
    mount --bind "/dev/$node" "$root/dev/$node"
done
mkdir "$root/dev/pts" "$root/dev/shm"
mount -t devpts -o newinstance,ptmxmode=0666,mode=0620,gid=5 devpts "$root/dev/pts"
mount -t tmpfs -o mode=1777,nosuid,nodev tmpfs "$root/dev/shm"
ln -s pts/ptmx "$root/dev/ptmx"
ln -s /proc/self/fd "$root/dev/fd"
for number in 0:stdin 1:stdout 2:stderr; do
    ln -s "/proc/self/fd/${number%%:*}" "$root/dev/${number#*:}"
done
exec chroot "$root" "$@"
