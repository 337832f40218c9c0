"""What makes the bridge: the options of its stanza, the programs that read them, and the commands for a live switch."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kronos_installer.network.stack import BRIDGE, BridgeKind

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kronos_installer.network.stack import Management

# A NIC that appears late (allow-hotplug's reason) is waited for, in seconds; one that is there costs nothing.
_WAIT_FOR_PORT_S = 30
NEEDS = {
    BridgeKind.LINUX: (
        ("bridge-utils", "/etc/network/if-pre-up.d/bridge"),
        ("bridge-utils", "/usr/sbin/brctl", "/sbin/brctl"),
    ),
    BridgeKind.OPENVSWITCH: (
        ("openvswitch-switch", "/etc/network/if-pre-up.d/openvswitch"),
        ("openvswitch-switch", "/usr/bin/ovs-vsctl"),
    ),
}
# Where the DHCP clients that ifupdown starts keep their process ids: dhclient, udhcpc, dhcpcd.
_DHCP_PIDS = ("/run/dhclient.{}.pid", "/run/dhclient6.{}.pid", "/run/udhcpc.{}.pid", "/run/dhcpcd/{}.pid")
Command = tuple[str, ...]
_RESTART_OPENVSWITCH = ("systemctl", "restart", "openvswitch-switch.service")


def bridge_options(port: str, mac: str, bridge: BridgeKind, *, starts_port: bool) -> tuple[str, ...]:
    """Return the options that make the bridge with its one port and the port's Ethernet address.

    The address is fixed, because udev would give a Linux bridge one of its own making
    (MACAddressPolicy=persistent) and Open vSwitch the smallest of its ports', and DHCP and SLAAC then
    another IP address.

    bridge-utils-interfaces(5); for Open vSwitch, README.Debian of openvswitch-switch: its script runs
    `ovs-vsctl -- --may-exist add-br BRIDGE -- OVS_EXTRA`, so bridge and port are made in one transaction.
    `ovs_ports` is not used: it needs the port in a class of its own, which `ifup -a` passes over,
    and the scripts that make a bond or a VLAN run too late then.

    With `starts_port` the port is up before it is the bridge's: what a router advertised to it by then, addresses and
    a default route, would be the host's twice.
    """
    alone = (
        (f"up ip -6 address flush dev {port} || true", f"up ip -6 route flush dev {port} || true")
        if starts_port
        else ()
    )
    if bridge is BridgeKind.OPENVSWITCH:
        return (
            "ovs_type OVSBridge",
            f"ovs_extra set bridge {BRIDGE} other-config:hwaddr={mac} -- --may-exist add-port {BRIDGE} {port}",
            *alone,
        )
    return (
        f"bridge_ports {port}",
        "bridge_stp off",
        "bridge_fd 0",
        f"bridge_hw {mac}",
        f"bridge_waitport {_WAIT_FOR_PORT_S} {port}",
        *alone,
    )


def switch_commands(management: Management, bridge: BridgeKind) -> Iterator[Command]:
    """Yield what makes the running network follow the new files.

    `ifdown` would read the new files, in which the interface has no addresses to take away: its DHCP
    client is stopped without giving the lease back, and its addresses and routes go, by hand. Down hooks
    do not run; up hooks run for the bridge. Open vSwitch is started anew first, for its database to be in
    /run before it has the bridge.
    """
    if bridge is BridgeKind.OPENVSWITCH:
        yield _RESTART_OPENVSWITCH
    yield from _stop_dhcp(management, management.interface)
    yield "ip", "address", "flush", "dev", management.interface
    yield "ip", "-6", "route", "flush", "dev", management.interface
    yield "ifup", "--force", BRIDGE


def switch_back_commands(management: Management, bridge: BridgeKind) -> Iterator[Command]:
    """Yield what makes the running network follow the old files, which do not know the bridge, once they are back."""
    yield from _stop_dhcp(management, BRIDGE)
    if bridge is BridgeKind.OPENVSWITCH:
        yield "ovs-vsctl", "--timeout=30", "--if-exists", "del-br", BRIDGE
        yield _RESTART_OPENVSWITCH
        # The link-local address that the port had lost comes with the next `up`.
        yield "ip", "link", "set", "dev", management.interface, "down"
    else:
        yield "ip", "link", "delete", "dev", BRIDGE
        # bridge-utils turned link-local addresses off; they come with the mode and the next `up`.
        yield "ip", "link", "set", "dev", management.interface, "down"
        yield "ip", "link", "set", "dev", management.interface, "addrgenmode", "eui64"
    yield "ifup", "--force", management.interface


def _stop_dhcp(management: Management, interface: str) -> Iterator[Command]:
    if management.uses_dhcp:
        for pid in _DHCP_PIDS:
            yield (
                "start-stop-daemon", "--stop", "--oknodo", "--retry", "5", "--pidfile", pid.format(interface),
            )  # fmt: skip
