"""PIF.scan, and this host's interfaces at start-up: records of what there is."""

from __future__ import annotations

from typing import TYPE_CHECKING

from xapi_shim.api.host_errors import host_errors

if TYPE_CHECKING:
    from xapi_shim.api.toolstack import Call, Toolstack
    from xapi_shim.datamodel.model import Value
    from xapi_shim.network.interface import HostInterfaces, Nic


def record_interfaces(tools: Toolstack, interfaces: HostInterfaces) -> None:
    """Make a network and a PIF for each physical NIC that is a bridge's port; others get a PIF alone."""
    db = tools.db
    # Others, such as VLANs', may have the same device.
    physical = [pif for pif in db.items("host", tools.host, "PIFs") if db.flag("PIF", pif, "physical")]
    known = {db.text("PIF", pif, "device"): pif for pif in physical}
    for nic in interfaces.nics:
        pif = known.pop(nic.device, None) or _add_pif(tools, nic)
        db.update("PIF", pif, **_pif_values(nic, interfaces))
        if nic.bridge:
            db.set("network", db.text("PIF", pif, "network"), "bridge", nic.bridge)
    for gone in known.values():
        db.set("PIF", gone, "currently_attached", value=False)


def _add_pif(tools: Toolstack, nic: Nic) -> str:
    db = tools.db
    network = db.create(
        "network",
        {
            "name_label": f"Pool-wide network associated with {nic.device}",
            "bridge": nic.bridge or f"br{nic.device}"[:15],
            "MTU": nic.mtu,
            "managed": True,
        },
    )
    return db.create(
        "PIF",
        {
            "device": nic.device,
            "network": network,
            "host": tools.host,
            "MAC": nic.mac,
            "MTU": nic.mtu,
            "VLAN": -1,
            "physical": True,
            "managed": True,
        },
    )


def _pif_values(nic: Nic, interfaces: HostInterfaces) -> dict[str, Value]:
    values: dict[str, Value] = {"MAC": nic.mac, "MTU": nic.mtu, "currently_attached": nic.carrier}
    own = interfaces.management
    if own is None or own.interface not in (nic.device, nic.bridge):
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


async def scan(call: Call, host: str) -> None:  # noqa: ARG001
    """Look which network interfaces the host has; new ones get records."""
    tools = call.tools
    with host_errors():
        interfaces = await tools.network.read()
    with tools.db.transaction():
        record_interfaces(tools, interfaces)


MESSAGES = {"PIF.scan": scan}
