#!/bin/sh
# In new network and mount namespaces: two interfaces, set by systemd-sysctl as udev's rule has it, with the files of the
# captured host in $1. Prints the values, `path:value`.
set -eu
mount --make-rprivate /
mount -t tmpfs tmpfs /run
mkdir /run/sysctl.d
for folder in /etc /run /usr/lib; do
    mount --bind "$1$folder/sysctl.d" "$folder/sysctl.d"
done
ip link add enp0s3 type veth peer name xenbr0
for name in enp0s3 xenbr0; do
    /lib/systemd/systemd-sysctl --prefix="/net/ipv4/conf/$name" --prefix="/net/ipv4/neigh/$name" \
        --prefix="/net/ipv6/conf/$name" --prefix="/net/ipv6/neigh/$name" >&2
    grep . "/proc/sys/net/ipv4/conf/$name/"* "/proc/sys/net/ipv6/conf/$name/hop_limit" \
        "/proc/sys/net/ipv6/conf/$name/accept_ra"
done
