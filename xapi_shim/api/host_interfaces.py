"""PIF.scan, and this host's interfaces at start-up: records of what there is.

Every NIC has a PIF; a bond or a VLAN has one where it leads to a bridge, as host set-up leaves those that the host is
managed by. What an administrator made for other ends is not ours to show.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from xapi_shim.api.host_errors import host_errors
from xapi_shim.api.host_networks import HostNetworks, key_of, own_bridge
from xapi_shim.datamodel.types import NULL_REF

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from xapi_shim.api.host_networks import Key
    from xapi_shim.api.toolstack import Call, Toolstack
    from xapi_shim.database.database import Database
    from xapi_shim.datamodel.model import Value
    from xapi_shim.network.interface import Bond, HostInterfaces, Nic, Vlan

UNTAGGED = -1
# PIF records of the kernel's bonding modes (Documentation/networking/bonding.rst); all others share by source.
_MODES = {"active-backup": "active-backup", "802.3ad": "lacp"}


@dataclass(frozen=True)
class Uplink:
    """What a PIF stands for; `device` is the one below of a VLAN."""

    device: str
    tag: int
    is_nic: bool
    own_name: str
    mac: str
    mtu: int
    attached: bool
    bridge: str | None

    @property
    def key(self) -> Key:
        return self.device, self.tag, self.is_nic


def uplinks(interfaces: HostInterfaces) -> Iterator[Uplink]:
    """Yield what has a PIF. Pure."""
    for nic in interfaces.nics:
        yield _uplink(nic, nic.device, UNTAGGED, attached=nic.carrier, is_nic=True)
    for bond in bridged_bonds(interfaces):
        yield _uplink(bond, bond.device, UNTAGGED, attached=bond.carrier)
    for vlan in bridged_vlans(interfaces):
        yield _uplink(vlan, vlan.below, vlan.tag, attached=vlan.carrier)


def _uplink(
    link: Nic | Bond | Vlan, device: str, tag: int, *, attached: bool, is_nic: bool = False
) -> Uplink:
    return Uplink(device, tag, is_nic, link.device, link.mac, link.mtu, attached, link.bridge)


def bridged_vlans(interfaces: HostInterfaces) -> tuple[Vlan, ...]:
    """Return the VLANs that are a bridge's port, on a NIC or a bond. Pure."""
    below = {nic.device for nic in interfaces.nics} | {bond.device for bond in interfaces.bonds}
    return tuple(vlan for vlan in interfaces.vlans if vlan.bridge and vlan.below in below)


def bridged_bonds(interfaces: HostInterfaces) -> tuple[Bond, ...]:
    """Return the bonds that are a bridge's port, or have a VLAN that is. Pure."""
    below = {vlan.below for vlan in bridged_vlans(interfaces)}
    return tuple(bond for bond in interfaces.bonds if bond.bridge or bond.device in below)


def record_interfaces(tools: Toolstack, interfaces: HostInterfaces) -> None:
    """Make the records say what there is: networks, PIFs, bonds and VLANs of this host."""
    db = tools.db
    known = {key_of(db, pif): pif for pif in db.items("host", tools.host, "PIFs")}
    found = tuple(uplinks(interfaces))
    bridges = {uplink.bridge for uplink in found if uplink.bridge}
    names = {uplink.key: uplink.bridge or own_bridge(uplink.own_name) for uplink in found}
    networks = HostNetworks(db, tools.host, names)
    pifs: dict[str, str] = {}
    for uplink in found:
        pif = known.pop(uplink.key) if uplink.key in known else _add_pif(tools, uplink, networks)
        pifs[uplink.own_name] = pif
        db.update("PIF", pif, **_pif_values(uplink, interfaces))
        if uplink.bridge:
            networks.settle(pif, uplink.bridge, uplink.own_name)
        else:
            _leave_bridge(db, pif, bridges, uplink.own_name, networks)
    _record_bonds(db, interfaces, pifs)
    for vlan in bridged_vlans(interfaces):
        _record_vlan(db, vlan, pifs)
    for (device, tag, _), gone in known.items():
        db.update("PIF", gone, currently_attached=False, management=False)
        own_name = device if tag == UNTAGGED else f"{device}.{tag}"
        _leave_bridge(db, gone, bridges, own_name, networks)


def _leave_bridge(db: Database, pif: str, bridges: set[str], own_name: str, networks: HostNetworks) -> None:
    """Give the interface's network a bridge's name of its own where another uplink has that bridge now."""
    network = db.text("PIF", pif, "network")
    if db.exists("network", network) and db.text("network", network, "bridge") in bridges:
        networks.settle(pif, own_bridge(own_name), own_name)


def _add_pif(tools: Toolstack, uplink: Uplink, networks: HostNetworks) -> str:
    return tools.db.create(
        "PIF",
        {
            "device": uplink.device,
            "network": networks.for_new(uplink.key, uplink.own_name, uplink.mtu),
            "host": tools.host,
            "MAC": uplink.mac,
            "MTU": uplink.mtu,
            "VLAN": uplink.tag,
            "physical": uplink.is_nic,
            "managed": True,
        },
    )


def _pif_values(uplink: Uplink, interfaces: HostInterfaces) -> dict[str, Value]:
    values: dict[str, Value] = {
        "MAC": uplink.mac,
        "MTU": uplink.mtu,
        "currently_attached": uplink.attached,
    }
    own = interfaces.management
    if own is None or own.interface not in (uplink.own_name, uplink.bridge):
        return {**values, "management": False}
    return {
        **values,
        "management": True,
        "ip_configuration_mode": str(own.mode),
        "IP": own.ip,
        "netmask": own.netmask,
        "gateway": own.gateway,
        "DNS": ",".join(own.dns),
        "IPv6": list(own.ipv6),
        "ipv6_gateway": own.ipv6_gateway,
        "primary_address_type": "IPv4" if own.ip else "IPv6",
    }


def _record_bonds(db: Database, interfaces: HostInterfaces, pifs: Mapping[str, str]) -> None:
    up = {nic.device: nic.carrier for nic in interfaces.nics}
    bond_of = dict.fromkeys(up, NULL_REF)
    for bond in bridged_bonds(interfaces):
        members = [member for member in bond.members if member in up]
        ref = next(iter(db.items("PIF", pifs[bond.device], "bond_master_of")), None)
        ref = ref or db.create("Bond", {"master": pifs[bond.device]})
        db.update(
            "Bond",
            ref,
            mode=_MODES.get(bond.mode, "balance-slb"),
            links_up=sum(up[member] for member in members),
            primary_slave=pifs[members[0]] if members else NULL_REF,
        )
        bond_of |= dict.fromkeys(members, ref)
    for nic, ref in bond_of.items():
        db.set("PIF", pifs[nic], "bond_slave_of", ref)


def _record_vlan(db: Database, vlan: Vlan, pifs: Mapping[str, str]) -> None:
    pif = pifs[vlan.device]
    if not db.exists("VLAN", db.text("PIF", pif, "VLAN_master_of")):
        # The tagged side is below, where the packets have their tags (XenAPI, class VLAN).
        values: dict[str, Value] = {"tagged_PIF": pifs[vlan.below], "untagged_PIF": pif, "tag": vlan.tag}
        db.set("PIF", pif, "VLAN_master_of", db.create("VLAN", values))


async def scan(call: Call, host: str) -> None:  # noqa: ARG001
    """Look which network interfaces the host has; new ones get records."""
    tools = call.tools
    with host_errors():
        interfaces = await tools.network.read()
    with tools.db.transaction():
        record_interfaces(tools, interfaces)


MESSAGES = {"PIF.scan": scan}
