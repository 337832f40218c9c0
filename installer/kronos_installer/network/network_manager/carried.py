"""Which settings of a profile move to the bridge, which stay with its port, and which are refused. Pure.

The settings are those of nm-settings(5) up to NetworkManager 1.54. What is in none of these tables is refused.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from kronos_installer.detect.owners import names_interface
from kronos_installer.network.findings import error
from kronos_installer.network.network_manager.profiles import ALIASES

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kronos_installer.network.network_manager.keyfile import Entry
    from kronos_installer.network.network_manager.profiles import Profile
    from kronos_installer.problem import Problem

# What configures IP, and so belongs to the interface with the addresses, whole groups at once.
MOVED_GROUPS = ("ipv4", "ipv6", "proxy", "hostname", "user")
# What of [connection] speaks of IP or of the host's trust in the network; a port has no use for it.
MOVED_KEYS = frozenset({
    "zone", "metered", "mdns", "llmnr", "dns-over-tls", "dnssec", "mptcp-flags", "mud-url",
    "gateway-ping-timeout", "ip-ping-timeout", "ip-ping-addresses", "ip-ping-addresses-require-all",
})  # fmt: skip
# What both need.
COPIED_KEYS = frozenset({"autoconnect-priority", "autoconnect-retries", "stable-id"})
_PORT_KEYS = frozenset({
    "id", "uuid", "type", "interface-name", "autoconnect", "timestamp", "lldp", "wait-device-timeout",
    "wait-activation-delay", "auth-retries", "read-only", "multi-connect", "down-on-poweroff",
    "autoconnect-slaves", "autoconnect-ports", "permissions", "secondaries",
})  # fmt: skip
_IP = frozenset({
    "method", "gateway", "dns", "dns-search", "dns-options", "dns-priority", "ignore-auto-dns",
    "ignore-auto-routes", "never-default", "may-fail", "route-metric", "route-table", "required-timeout",
    "replace-local-rule", "auto-route-ext-gw", "dhcp-timeout", "dhcp-hostname", "dhcp-hostname-flags",
    "dhcp-send-hostname", "dhcp-send-hostname-deprecated", "dhcp-send-hostname-v2", "dhcp-send-release",
    "dhcp-reject-servers", "dhcp-iaid", "dhcp-dscp", "addresses", "routes", "routed-dns", "forwarding",
})  # fmt: skip
_NUMBERED = re.compile(r"(address(es)?|routes?|routing-rule)\d+(_options)?\Z")
_GROUP_KEYS = {
    "ipv4": _IP | {"dhcp-client-id", "dhcp-fqdn", "dhcp-vendor-class-identifier", "dhcp-ipv6-only-preferred",
                   "dad-timeout", "link-local", "clat"},
    "ipv6": _IP | {"addr-gen-mode", "token", "ip6-privacy", "dhcp-duid", "dhcp-pd-hint", "ra-timeout", "mtu",
                   "temp-valid-lifetime", "temp-preferred-lifetime"},
    "ethernet": frozenset({"mac-address", "mtu", "auto-negotiate", "speed", "duplex", "port", "wake-on-lan",
                           "accept-all-mac-addresses", "cloned-mac-address"}),
    "bond": frozenset({"mode", "miimon", "updelay", "downdelay", "arp_interval", "arp_ip_target", "arp_validate",
                       "arp_all_targets", "arp_missed_max", "primary", "primary_reselect", "fail_over_mac",
                       "use_carrier", "ad_select", "ad_actor_sys_prio", "ad_actor_system", "ad_user_port_key",
                       "xmit_hash_policy", "resend_igmp", "all_slaves_active", "active_slave", "lacp_rate",
                       "lacp_active", "min_links", "num_grat_arp", "num_unsol_na", "packets_per_slave",
                       "tlb_dynamic_lb", "lp_interval", "peer_notif_delay", "interface-name"}),
    "vlan": frozenset({"id", "parent", "flags", "interface-name", "protocol", "ingress-priority-map",
                       "egress-priority-map"}),
    "match": frozenset({"interface-name"}),
    ".nmmeta": frozenset({"nm-generated"}),
}  # fmt: skip
# Groups whose keys all move, or all stay, whatever they are.
_OPAQUE = frozenset({"proxy", "hostname", "user", "ethtool", "link"})
_METHODS = {"ipv4": ("auto", "manual", "disabled"),
            "ipv6": ("auto", "dhcp", "manual", "link-local", "disabled", "ignore")}  # fmt: skip
# The NIC's own address is what the bridge gets; one that is made up at each activation is not known beforehand.
_CLONED = re.compile(r"(?:[0-9A-Fa-f]{2}:){5}[0-9A-Fa-f]{2}|permanent|preserve|\Z")
# These rewrite the Ethernet addresses of what leaves or is answered, the guests' too (bonding.rst of the kernel).
_BOND_MODES = ("balance-tlb", "balance-alb", "5", "6")


def unsupported(profile: Profile, interface: str) -> Iterator[Problem]:
    """Yield what is not known to mean the same once the profile is a port of the bridge, or moved to it."""
    for group in profile.file.group_names:
        name = ALIASES.get(group, group)
        if name != "connection" and name not in _GROUP_KEYS and name not in _OPAQUE:
            yield error("nm-group", f"[{group}] is not known to mean the same on a bridge",
                        profile.file.group_at(group), "remove it from the connection")  # fmt: skip
            continue
        for entry in profile.file.of_group(group):
            if not _known(name, entry.key):
                yield error("nm-setting", f"{group}.{entry.key} is not known to mean the same on a bridge", entry.at,
                            "remove it from the connection")  # fmt: skip
            elif (
                name in MOVED_GROUPS and profile.interface and names_interface(entry.text, profile.interface)
            ):
                yield error("nm-setting", f"{group}.{entry.key} names {interface}, which will have no "
                            "addresses", entry.at, "leave the name out")  # fmt: skip
    yield from _values(profile)


def _known(group: str, key: str) -> bool:
    if group == "connection":
        return key in MOVED_KEYS | COPIED_KEYS | _PORT_KEYS
    if group in _OPAQUE:
        return True
    return key in _GROUP_KEYS[group] or (group in ("ipv4", "ipv6") and bool(_NUMBERED.match(key)))


def _values(profile: Profile) -> Iterator[Problem]:
    """Yield the values that are refused of settings that are known."""
    file = profile.file
    for group, methods in _METHODS.items():
        method = file.get(group, "method")
        if method is None:
            yield error("nm-method", f"[{group}] does not say which method it uses", file.group_at(group),
                        f"nmcli connection modify {profile.uuid} {group}.method METHOD")  # fmt: skip
        elif method.text not in methods:
            yield error("nm-method", f"the method {method.text!r} of {group} is not supported", method.at,
                        f"use one of {', '.join(methods)}")  # fmt: skip
    refused: tuple[tuple[str, str, bool, str], ...] = (
        ("connection", "permissions", _is_set(file.get("connection", "permissions")),
         "the connection is a user's, and is not there before the login"),
        ("connection", "secondaries", _is_set(file.get("connection", "secondaries")),
         "VPN connections that follow it are not supported"),
    )  # fmt: skip
    for group, key, is_refused, why in refused:
        found = file.get(group, key)
        if is_refused and found:
            yield error("nm-setting", f"{group}.{key}={found.value}: {why}", found.at, "change or remove it")
    yield from bond_problems(profile)
    for group in ("ethernet", "802-3-ethernet"):
        cloned = file.get(group, "cloned-mac-address")
        if cloned and not _CLONED.fullmatch(cloned.text):
            yield error("nm-setting", f"the interface's Ethernet address is made up at each activation: {cloned.value}",
                        cloned.at, "write the address itself, or 'permanent'")  # fmt: skip


def bond_problems(profile: Profile) -> Iterator[Problem]:
    """Yield what of a bond, in or below the interface, guests' Ethernet addresses would not survive."""
    mode, fail_over_mac = (profile.file.get("bond", key) for key in ("mode", "fail_over_mac"))
    if mode and mode.text in _BOND_MODES:
        yield error("nm-setting", f"bond.mode={mode.value}: this mode rewrites Ethernet addresses, guests' too",
                    mode.at, "change or remove it")  # fmt: skip
    if fail_over_mac and fail_over_mac.text not in ("", "0", "none"):
        yield error("nm-setting", f"bond.fail_over_mac={fail_over_mac.value}: the bond's Ethernet address changes, "
                    "the bridge's would not", fail_over_mac.at, "change or remove it")  # fmt: skip


def _is_set(entry: Entry | None) -> bool:
    return entry is not None and bool(entry.items)
