"""What of a definition goes to the bridge, what stays with its port: every key that is known, no other. netplan(5)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import yaml

from kronos_installer.network.netplan.document import entries, is_true, scalar

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kronos_installer.network.netplan.definitions import Definition


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


MOVED = _words(
    "dhcp4 dhcp6 dhcp4-overrides dhcp6-overrides dhcp-identifier accept-ra ra-overrides addresses gateway4 gateway6 "
    "nameservers routes routing-policy link-local ipv6-privacy ipv6-mtu ipv6-address-token ipv6-address-generation "
    "critical optional-addresses ignore-carrier"
)
COPIED = _words("mtu optional")
_OFFLOADS = _words(
    "receive-checksum-offload transmit-checksum-offload tcp-segmentation-offload tcp6-segmentation-offload "
    "generic-segmentation-offload generic-receive-offload large-receive-offload"
)
_KEPT = {
    "ethernets": _OFFLOADS | _words(
        "renderer match set-name macaddress wakeonlan emit-lldp virtual-function-count embedded-switch-mode "
        "delay-virtual-functions-rebind"),
    "bonds": _words("renderer interfaces parameters macaddress"),
    "vlans": _words("renderer id link macaddress"),
}  # fmt: skip
# What stays with the one NIC that is taken out of a definition for several.
KEPT_OF_MATCH = _OFFLOADS | _words("wakeonlan emit-lldp") | COPIED
_OVERRIDES = _words(
    "use-dns use-ntp send-hostname use-hostname use-mtu hostname use-routes route-metric use-domains"
)
_INSIDE = {
    "dhcp4-overrides": _OVERRIDES,
    "dhcp6-overrides": _OVERRIDES,
    "ra-overrides": _words("use-dns use-domains table"),
    "nameservers": _words("addresses search"),
    "routes": _words(
        "to via from type scope table metric on-link mtu congestion-window advertised-receive-window advmss"
    ),
    "routing-policy": _words("from to table priority mark type-of-service"),
}


def refused_keys(definition: Definition) -> Iterator[tuple[str, str]]:
    """Yield key and reason of all that cannot be carried over."""
    known = MOVED | COPIED | _KEPT.get(definition.type, frozenset())
    for key, value in definition.keys.items():
        if key not in known:
            yield key, f"{key!r} is not known to mean the same on a bridge"
        elif key == "ipv6-address-generation" and scalar(value) != "eui64":
            yield key, f"{key!r} makes addresses from what the NIC has and a bridge has not"
        else:
            for unknown in _unknown_inside(value, _INSIDE[key]) if key in _INSIDE else ():
                yield key, f"{unknown!r} in {key!r} is not known to mean the same on a bridge"


def _unknown_inside(node: yaml.Node, known: frozenset[str]) -> Iterator[str]:
    mappings = node.value if isinstance(node, yaml.SequenceNode) else [node]
    yield from (name.value for mapping in mappings for name, _ in entries(mapping) if name.value not in known)


def uses_mtu_of_dhcp(definition: Definition) -> bool:
    """Tell whether the DHCP server sets the MTU: netplan lets it, unless it is told not to."""
    overrides = {name.value: value for name, value in entries(definition.keys.get("dhcp4-overrides"))}
    refuses = "use-mtu" in overrides and not is_true(overrides["use-mtu"])
    return is_true(definition.keys.get("dhcp4")) and "mtu" not in definition.keys and not refuses
