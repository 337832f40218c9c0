#!/bin/sh
# In new network and mount namespaces: networkd with the units in $1 beside a DHCP server whose leases are in $2/leases.
# Waits until interface $3 is online, then leaves networkd's state in $2/netif and the addresses in $2/addresses.
# $4 are the options that say what to wait for; $5, if given, is a script to run then, with a message bus for networkctl.
set -eu
mount --make-rprivate /
mount -t tmpfs tmpfs /run
mount --bind "$1" /etc/systemd/network
mount -t sysfs -o ro sysfs /sys
mkdir -p /run/systemd/netif/links /run/systemd/netif/leases /run/systemd/netif/lldp
chown -R systemd-network: /run/systemd/netif
ip link set lo up
ip netns add server
ip link add enp0s3 address 52:54:00:12:34:56 type veth peer name port netns server
ip -n server addr add 192.0.2.1/24 dev port
ip -n server link set port up
ip netns exec server dnsmasq --conf-file=/dev/null --port=0 --interface=port --bind-interfaces --user=root \
    --dhcp-range=192.0.2.50,192.0.2.90 --dhcp-leasefile="$2/leases" --pid-file="$2/dnsmasq.pid"
bus=
if [ -n "${5:-}" ]; then
    mkdir /run/dbus
    dbus-daemon --system --nofork --nopidfile &
    bus=$!
fi
/lib/systemd/systemd-networkd 2>"$2/networkd.log" &
networkd=$!
status=0
# shellcheck disable=SC2086 # several options
/lib/systemd/systemd-networkd-wait-online --timeout=60 $4 || status=$?
# shellcheck disable=SC1090 # what the test wrote
[ -z "$bus" ] || . "$5" || status=$?
ip -4 -brief addr show dev "$3" >"$2/addresses" || status=$?
rm -rf "$2/netif"
mkdir "$2/netif"
cp -r /run/systemd/netif/links /run/systemd/netif/leases "$2/netif"
kill "$networkd" $bus "$(cat "$2/dnsmasq.pid")"
exit "$status"
