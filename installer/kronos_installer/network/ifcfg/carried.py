"""Which variables of an ifcfg file move to the bridge, which stay with its port, and which are refused. Pure.

The variables are those of nm-settings-ifcfg-rh(5) and of initscripts' sysconfig.txt. What is in no table is refused.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from kronos_installer.detect.owners import names_interface
from kronos_installer.network.findings import error

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kronos_installer.network.ifcfg.interfaces import Interface
    from kronos_installer.network.ifcfg.shell_file import ShellFile
    from kronos_installer.problem import Problem

_MOVED = frozenset({
    "BOOTPROTO", "NETWORK", "BROADCAST", "SRCADDR", "SCOPE", "DEFROUTE", "PEERDNS", "PEERROUTES", "DOMAIN", "SEARCH",
    "RES_OPTIONS", "IPV4_FAILURE_FATAL", "IPV4_ROUTE_METRIC", "IPV4_ROUTE_TABLE", "IPV4_DNS_PRIORITY",
    "IPV4_DHCP_TIMEOUT", "METRIC", "ARPCHECK", "ARPUPDATE", "ACD_TIMEOUT", "ARPING_WAIT", "DHCP_CLIENT_ID",
    "DHCP_HOSTNAME", "DHCP_HOSTNAME_FLAGS", "DHCP_SEND_HOSTNAME", "DHCP_FQDN", "DHCP_IAID",
    "DHCP_VENDOR_CLASS_IDENTIFIER", "PERSISTENT_DHCLIENT", "DHCPRELEASE", "IPV6INIT", "IPV6_AUTOCONF",
    "IPV6_DEFROUTE", "IPV6_PEERDNS", "IPV6_PEERROUTES", "IPV6_FAILURE_FATAL", "IPV6_ADDR_GEN_MODE", "IPV6_TOKEN",
    "IPV6_PRIVACY", "IPV6_PRIVACY_PREFER_PUBLIC_IP", "IPV6_RA_TIMEOUT", "IPV6_RES_OPTIONS", "IPV6_DOMAIN",
    "IPV6_DNS_PRIORITY", "IPV6_ROUTE_METRIC", "IPV6_ROUTE_TABLE", "IPV6_DHCP_TIMEOUT", "IPV6_DISABLED",
    "IPV6_DEFAULTGW", "IPV6_MTU", "IPV6ADDR", "IPV6ADDR_SECONDARIES", "IPV6FORWARDING", "IPV6_ROUTER", "DHCPV6C",
    "DHCPV6_DUID", "DHCPV6_IAID", "DHCPV6_HOSTNAME", "DHCPV6_HOSTNAME_FLAGS", "DHCPV6_SEND_HOSTNAME", "ZONE",
    "CONNECTION_METERED", "MDNS", "LLMNR", "DNS_OVER_TLS", "MPTCP_FLAGS", "PROXY_METHOD", "BROWSER_ONLY", "PAC_URL",
    "PAC_SCRIPT", "GATEWAY_PING_TIMEOUT",
})  # fmt: skip
_NUMBERED = re.compile(r"(IPADDR|PREFIX|NETMASK|GATEWAY|DNS|IPADDR_START|ROUTING_RULE6?_)\d*\Z")
_COPIED = frozenset(
    {"NM_CONTROLLED", "MTU", "STABLE_ID", "AUTOCONNECT_PRIORITY", "AUTOCONNECT_RETRIES", "USERCTL"}
)
_PORT = frozenset({
    "DEVICE", "NAME", "UUID", "TYPE", "ONBOOT", "HWADDR", "MACADDR", "ETHTOOL_OPTS", "ETHTOOL_WAKE_ON_LAN",
    "ACCEPT_ALL_MAC_ADDRESSES", "HOTPLUG", "LINKDELAY", "DEVTIMEOUT", "LLDP", "AUTOCONNECT_SLAVES",
    "BONDING_OPTS", "BONDING_MASTER", "VLAN", "VLAN_ID", "VLAN_FLAGS", "PHYSDEV", "REORDER_HDR", "GVRP", "MVRP",
    "VLAN_INGRESS_PRIORITY_MAP", "VLAN_EGRESS_PRIORITY_MAP", "VLAN_NAME_TYPE",
})  # fmt: skip
_BOOTPROTO = ("", "none", "static", "dhcp")
_FIXED_MAC = re.compile(r"(?:[0-9A-Fa-f]{2}:){5}[0-9A-Fa-f]{2}|permanent|preserve|\Z")
# These rewrite the Ethernet addresses of what leaves or is answered, the guests' too (bonding.rst of the kernel).
_REWRITING = re.compile(r"(?:^|\s)(mode=(?:5|6|balance-tlb|balance-alb)|fail_over_mac=(?!0\b|none\b)\S+)")


def moves(name: str) -> bool:
    """Tell whether a variable configures IP, and so belongs to the bridge alone."""
    return name in _MOVED or bool(_NUMBERED.match(name))


def copied(name: str) -> bool:
    """Tell whether both the bridge and its port need a variable."""
    return name in _COPIED


def unsupported(interface: Interface) -> Iterator[Problem]:
    """Yield what is not known to mean the same once the interface is a port of the bridge."""
    file = interface.file
    for assignment in file.assignments:
        if not moves(assignment.name) and not copied(assignment.name) and assignment.name not in _PORT:
            yield error("ifcfg-variable", f"{assignment.name} is not known to mean the same on a bridge",
                        assignment.at, "remove it, or set it in another way")  # fmt: skip
        elif moves(assignment.name) and names_interface(assignment.value, interface.name):
            yield error("ifcfg-variable", f"{assignment.name} names {interface.name}, which will have no addresses",
                        assignment.at, "leave the name out")  # fmt: skip
    if file.value("BOOTPROTO").lower() not in _BOOTPROTO:
        yield error("ifcfg-bootproto", f"BOOTPROTO={file.value('BOOTPROTO')} is not supported", file.at("BOOTPROTO"),
                    "use dhcp or none")  # fmt: skip
    if not file.get("DEVICE"):
        yield error("ifcfg-device", "the file does not name its interface", f"{file.path}:1",
                    f"add DEVICE={interface.name}")  # fmt: skip
    if not _FIXED_MAC.fullmatch(file.value("MACADDR")):
        yield error("ifcfg-variable", "the interface's Ethernet address is made up at each activation",
                    file.at("MACADDR"), "write the address itself")  # fmt: skip
    yield from bond_problems(file)
    if file.is_on("USERCTL"):
        yield error(
            "ifcfg-variable", "users may take the interface down", file.at("USERCTL"), "set USERCTL=no"
        )


def bond_problems(file: ShellFile) -> Iterator[Problem]:
    """Yield what of a bond, in or below the interface, guests' Ethernet addresses would not survive."""
    if found := _REWRITING.search(file.value("BONDING_OPTS")):
        yield error("ifcfg-variable", f"{found[1]}: the bond changes Ethernet addresses, guests' too",
                    file.at("BONDING_OPTS"), "choose active-backup, balance-xor or 802.3ad")  # fmt: skip
