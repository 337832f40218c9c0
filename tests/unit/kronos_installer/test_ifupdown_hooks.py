"""Commands of interfaces(5)'s hooks: the port's, the bridge's, or of neither that we could tell."""

from __future__ import annotations

import pytest

from kronos_installer.network.ifupdown.hooks import HookPlace, hook_place, said_of_bridge


@pytest.mark.parametrize(
    ("command", "place"),
    [
        ("ethtool -K $IFACE gro off", HookPlace.PORT),
        ('/usr/sbin/ethtool -K "${IFACE}" gro off', HookPlace.PORT),
        ("ethtool -K eth0 gro off >/dev/null 2>&1 || true", HookPlace.PORT),
        ("ethtool -K eth1 gro off", None),
        ("ethtool -K eth0.5 gro off", None),
        ("ethtool -K $IFACE gro off && ip route add default via 192.0.2.1 dev $IFACE", None),
        ("ethtool -K $IFACE gro off; reboot", None),
        ("ethtool -K $(echo eth0) gro off $IFACE", None),
        ("test -x /sbin/ethtool && ethtool -K $IFACE gro off", None),
        ("tc qdisc add dev $IFACE root fq", HookPlace.PORT),
        ("tc qdisc add dev eth0 root fq || :", HookPlace.PORT),
        ("tc qdisc add dev $LOGICAL root fq", None),
        ("iptables -A INPUT -i $IFACE -j DROP", HookPlace.BRIDGE),
        ("iptables -w -t nat -A POSTROUTING --out-interface eth0 -j MASQUERADE", HookPlace.BRIDGE),
        ("iptables -A INPUT ! -i eth0 -j DROP", HookPlace.BRIDGE),
        ("iptables -A INPUT -m physdev --physdev-in eth0 -j DROP", None),
        ("iptables -A INPUT -i eth0 -m comment --comment eth0 -j DROP", None),
        ("iptables -A INPUT -ieth0 -j DROP", None),
        ("iptables-restore </etc/rules.$IFACE", None),
        ("nft add rule inet filter input iif $IFACE drop", None),
        ("ip link set dev $IFACE mtu 9000", None),
        ("", None),
    ],
)
def test_where_a_command_belongs(command: str, place: HookPlace | None) -> None:
    assert hook_place(command, "eth0") is place


def test_what_is_said_of_the_bridge() -> None:
    command = "iptables -A FORWARD -i eth0 -o eth01 --comment eth0.5 -j DROP"
    assert (
        said_of_bridge(command, "eth0") == "iptables -A FORWARD -i xenbr0 -o eth01 --comment eth0.5 -j DROP"
    )
