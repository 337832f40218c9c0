"""What an interface's options speak of: its addresses, which the bridge takes over, or the port below it.

The option names are those of inet.defn and inet6.defn of ifupdown 0.8.41, of resolvconf, of
ifenslave(8), vlan-interfaces(5) and ethtool's if-up scripts. Scripts see `-` and `_` as the same.
"""

from __future__ import annotations

import re

HOOKS = ("pre-up", "up", "post-up", "down", "pre-down", "post-down")
_COMMON = {"description", "mtu", "metric"}
_DNS = {"dns-nameserver", "dns-nameservers", "dns-search", "dns-domain", "dns-sortlist", "dns-options"}
_INET6 = {"accept_ra", "autoconf", "privext", "request_prefix", "ll-attempts", "ll-interval"}
_STATIC = {"address", "netmask", "gateway", "scope"}
# What keeps its meaning when it is said of the bridge instead, by family and method.
CARRIED: dict[tuple[str, str], set[str]] = {
    ("inet", "dhcp"): _COMMON | _DNS | {"hostname", "leasehours", "leasetime", "vendor", "client"},
    ("inet", "static"): _COMMON | _DNS | _STATIC | {"broadcast", "pointopoint", "network"},
    ("inet", "manual"): _COMMON | _DNS,
    ("inet6", "auto"): _COMMON | _DNS | _INET6 | {"dhcp"},
    ("inet6", "static"): _COMMON
    | _DNS
    | _STATIC
    | _INET6
    | {"preferred-lifetime", "dad-attempts", "dad-interval"},
    ("inet6", "dhcp"): _COMMON | _DNS | _INET6,
    ("inet6", "manual"): _COMMON | _DNS,
}
_PORT = {"hwaddress", "slaves"}
_PORT_PREFIXES = ("bond-", "vlan-", "ethernet-", "link-", "offload-", "hardware-", "flow-control-", "driver-")
_MAC = re.compile(r"(?:ether[ \t]+)?([0-9A-Fa-f]{2}(?::[0-9A-Fa-f]{2}){5})")


def normal(name: str) -> str:
    """Return an option's name as scripts see it."""
    return name.replace("_", "-")


def speaks_of_port(name: str) -> bool:
    """Tell whether an option is about the interface itself, and stays with it when a bridge takes its addresses.

    `bond-master` is not: what belongs to a bond has no addresses to take.
    """
    name = normal(name)
    return name in _PORT or (name.startswith(_PORT_PREFIXES) and name != "bond-master")


def parse_hwaddress(value: str) -> str:
    """Return the Ethernet address that `hwaddress` sets, "" for `random` and what is not one."""
    found = _MAC.fullmatch(value.strip())
    return found[1].lower() if found else ""
