"""The host's network from what `ip -json` prints and sysfs holds: pure, given those texts."""

from __future__ import annotations

import ipaddress
import json
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from xapi_shim.base.ip_address import is_ip_address
from xapi_shim.network.interface import (
    Bond,
    Bridge,
    HostInterfaces,
    IpMode,
    ManagementAddress,
    NetworkError,
    Nic,
    Vlan,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    Entry = Mapping[str, Any]


# Open vSwitch's interface for all its bridges of the kernel's (ovs-vswitchd(8)).
_DATAPATH = "ovs-system"


@dataclass(frozen=True)
class NicHardware:
    """What sysfs says of a physical interface; numbers are 0 and names empty where it does not say."""

    carrier: bool
    speed_mbit: int
    full_duplex: bool
    vendor_id: str = ""
    device_id: str = ""
    vendor_name: str = ""
    device_name: str = ""
    pci_bus_path: str = ""
    driver: str = ""


@dataclass(frozen=True)
class IpTexts:
    """Outputs of `ip -json -details link`, `address`, `route show default` and `-6 route show default`.

    `switches` are the ports of Open vSwitch's bridges, of which ip(8) tells only that they are some bridge's.
    """

    links: str
    addresses: str
    routes: str
    routes6: str
    switches: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


@contextmanager
def _what_ip_prints() -> Iterator[None]:
    """Raise NetworkError for texts of another form."""
    try:
        yield
    except (KeyError, TypeError, ValueError) as error:
        raise NetworkError(f"ip printed something else: {error!r}") from error


def parse_host(texts: IpTexts, hardware: Mapping[str, NicHardware], resolv_conf: str) -> HostInterfaces:
    """Return the host's network; `hardware` holds the physical interfaces by name. Raises NetworkError."""
    with _what_ip_prints():
        links = _entries(texts.links)
        bridges = [*_bridges(links, texts.switches)]
        bridge_of = {port: bridge.name for bridge in bridges for port in bridge.ports}
        nics = [
            _nic(link, hardware[link["ifname"]], bridge_of) for link in links if link["ifname"] in hardware
        ]
        bonds = [_bond(link, links, bridge_of) for link in links if kind(link) == "bond"]
        vlans = [_vlan(link, bridge_of) for link in links if kind(link) == "vlan"]
        names = {bridge.name for bridge in bridges}
        management = _management(texts, {*hardware, *names}, resolv_conf)
    return HostInterfaces(tuple(nics), tuple(bridges), management, tuple(bonds), tuple(vlans))


def switch_names(text: str) -> tuple[str, ...]:
    """Return the interfaces of Open vSwitch in an `ip -json -details link` output. Raises NetworkError.

    They are its bridges, and others that lead to the host itself; the one that stands for the datapath is none.
    """
    with _what_ip_prints():
        found = [str(link["ifname"]) for link in _entries(text) if kind(link) == "openvswitch"]
    return tuple(name for name in found if name != _DATAPATH)


def _entries(text: str) -> list[Entry]:
    """Return the objects of an `ip -json` output; ip prints empty ones for what it filtered out."""
    entries = [entry for entry in json.loads(text or "[]") if entry]
    if not all(isinstance(entry, dict) for entry in entries):
        raise TypeError("not a list of objects")
    return entries


def kind(link: Entry) -> str:
    """Return the kind of a virtual link, such as bridge, and nothing for a physical one."""
    return str(link.get("linkinfo", {}).get("info_kind", ""))


def find_link(text: str, name: str) -> Entry | None:
    """Return a link of an `ip -json -details link` output by its name. Raises NetworkError."""
    with _what_ip_prints():
        return next((link for link in _entries(text) if link["ifname"] == name), None)


def ports_of(text: str, bridge: str) -> tuple[str, ...]:
    """Return the names of a bridge's ports, from an `ip -json -details link` output."""
    return _below(bridge, _entries(text))


def _below(master: str, links: Iterable[Entry]) -> tuple[str, ...]:
    return tuple(str(link["ifname"]) for link in links if link.get("master") == master)


def _nic(link: Entry, found: NicHardware, bridge_of: Mapping[str, str]) -> Nic:
    return Nic(
        device=str(link["ifname"]),
        # The address it was made with: a bond gives all its members one.
        mac=str(link.get("permaddr", link["address"])),
        mtu=int(link["mtu"]),
        carrier=found.carrier,
        speed_mbit=found.speed_mbit,
        full_duplex=found.full_duplex,
        vendor_name=found.vendor_name,
        device_name=found.device_name,
        vendor_id=found.vendor_id,
        device_id=found.device_id,
        pci_bus_path=found.pci_bus_path,
        driver=found.driver,
        bridge=bridge_of.get(str(link["ifname"])),
    )


def _bond(link: Entry, links: Iterable[Entry], bridge_of: Mapping[str, str]) -> Bond:
    name = str(link["ifname"])
    return Bond(
        device=name,
        mac=str(link["address"]),
        mtu=int(link["mtu"]),
        carrier=_is_up(link),
        mode=str(link["linkinfo"].get("info_data", {}).get("mode", "")),
        members=_below(name, links),
        bridge=bridge_of.get(name),
    )


def _vlan(link: Entry, bridge_of: Mapping[str, str]) -> Vlan:
    name = str(link["ifname"])
    return Vlan(
        device=name,
        mac=str(link["address"]),
        mtu=int(link["mtu"]),
        carrier=_is_up(link),
        # Without a link it is in another network namespace, as a container's.
        below=str(link.get("link", "")),
        tag=int(link["linkinfo"]["info_data"]["id"]),
        bridge=bridge_of.get(name),
    )


def _is_up(link: Entry) -> bool:
    return link.get("operstate") == "UP"


def _bridges(links: Iterable[Entry], switches: Mapping[str, tuple[str, ...]]) -> Iterator[Bridge]:
    for link in links:
        name = str(link["ifname"])
        if kind(link) == "bridge":
            yield Bridge(name, str(link["address"]), int(link["mtu"]), _below(name, links))
        elif name in switches:
            yield Bridge(name, str(link["address"]), int(link["mtu"]), switches[name], is_openvswitch=True)


def _management(texts: IpTexts, candidates: set[str], resolv_conf: str) -> ManagementAddress | None:
    """Return the address of the interface with the best default route; without routes, the first address.

    Only NICs and bridges are asked: the route of a VPN is not where the host is managed.
    """
    routes, routes6 = (
        sorted((r for r in _entries(text) if r.get("dev") in candidates), key=lambda r: r.get("metric", 0))
        for text in (texts.routes, texts.routes6)
    )
    addresses = {str(e["ifname"]): e.get("addr_info", []) for e in _entries(texts.addresses)}
    with_address = [name for name in addresses if name in candidates and _global(addresses[name])]
    names = [*(r["dev"] for r in [*routes, *routes6]), *with_address]
    name = next((n for n in names if n in with_address), None)
    if name is None:
        return None
    own = _global(addresses[name])
    four = next((a for a in own if a["family"] == "inet"), None)
    six = [a for a in own if a["family"] == "inet6" and not a.get("temporary")]
    return ManagementAddress(
        interface=name,
        mode=_mode(four),
        ip=str(four["local"]) if four else "",
        netmask=str(ipaddress.IPv4Network((0, int(four["prefixlen"]))).netmask) if four else "",
        gateway=_gateway(routes, name),
        dns=parse_resolv_conf(resolv_conf),
        ipv6=tuple(f"{a['local']}/{a['prefixlen']}" for a in six),
        ipv6_gateway=_gateway(routes6, name),
    )


def _global(addresses: Iterable[Entry]) -> list[Entry]:
    return [a for a in addresses if a.get("scope") == "global" and "local" in a]


def _mode(address: Entry | None) -> IpMode:
    """Return how an address came: one with a lifetime is leased."""
    if address is None:
        return IpMode.NONE
    return IpMode.DHCP if address.get("dynamic") else IpMode.STATIC


def _gateway(routes: Iterable[Entry], name: str) -> str:
    return next((str(r["gateway"]) for r in routes if r["dev"] == name and "gateway" in r), "")


def parse_resolv_conf(text: str) -> tuple[str, ...]:
    """Return the name servers of resolv.conf(5) that are addresses, in order."""
    servers = []
    for line in text.splitlines():
        words = line.split()
        if len(words) >= 2 and words[0] == "nameserver" and is_ip_address(words[1]):
            servers.append(words[1])
    return tuple(servers)
