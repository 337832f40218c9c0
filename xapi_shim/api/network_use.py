"""network.* and PIF.*: bridges made before they are needed, what networks are for, what must stay up."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, cast

from xapi_shim.api.own_host import is_resident_here
from xapi_shim.api.vm_start import attach_network
from xapi_shim.datamodel.errors import (
    HostCannotAttachNetworkError,
    NetworkIncompatiblePurposesError,
    OperationNotAllowedError,
)
from xapi_shim.network.interface import NetworkError

if TYPE_CHECKING:
    from xapi_shim.api.toolstack import Call
    from xapi_shim.datamodel.model import Value

# Purposes that must not be in one pool: what is encrypted on one network must not travel bare on another.
CONFLICTS = {"nbd": "insecure_nbd", "insecure_nbd": "nbd"}


async def attach(call: Call, network: str, host: str) -> None:
    """Have a network ready on a host. Raises HOST_CANNOT_ATTACH_NETWORK [host; network]."""
    _check_host(call, host)
    db = call.db
    uplinks = [p for p in db.items("network", network, "PIFs") if db.text("PIF", p, "host") == host]
    if any(not db.flag("PIF", pif, "currently_attached") for pif in uplinks):
        raise HostCannotAttachNetworkError(host, network)
    await attach_network(call.tools, network)


async def attach_for_vm(call: Call, host: str, vm: str) -> None:
    """Have a VM's networks ready on a host. Raises HOST_CANNOT_ATTACH_NETWORK [host; network]."""
    _check_host(call, host)
    for network in _networks(call, vm):
        await attach_network(call.tools, network)


async def detach_for_vm(call: Call, host: str, vm: str) -> None:
    """Remove the bridges of a VM's internal networks that no guest of the host is on any more."""
    _check_host(call, host)
    db = call.db
    for network in _networks(call, vm):
        vifs = db.items("network", network, "VIFs")
        if db.items("network", network, "PIFs") or any(
            db.flag("VIF", vif, "currently_attached")
            and is_resident_here(call.tools, db.text("VIF", vif, "VM"))
            for vif in vifs
        ):
            continue
        with suppress(NetworkError):  # somebody else's ports: it stays
            await call.tools.network.destroy_bridge(db.text("network", network, "bridge"))


def _networks(call: Call, vm: str) -> list[str]:
    db = call.db
    return list(dict.fromkeys(db.text("VIF", vif, "network") for vif in db.items("VM", vm, "VIFs")))


def _check_host(call: Call, host: str) -> None:
    if host != call.tools.host:
        raise OperationNotAllowedError("the host is not this one")


async def add_purpose(call: Call, self: str, value: str) -> None:
    """Say what a network is for. Raises NETWORK_INCOMPATIBLE_PURPOSES [new; one in the pool]."""
    db = call.db
    rival = CONFLICTS[value]
    if any(rival in db.items("network", network, "purpose") for network in db.refs("network")):
        raise NetworkIncompatiblePurposesError(value, rival)
    have = db.items("network", self, "purpose")
    if value not in have:
        db.set("network", self, "purpose", cast("Value", [*have, value]))


async def remove_purpose(call: Call, self: str, value: str) -> None:
    have = call.db.items("network", self, "purpose")
    call.db.set("network", self, "purpose", cast("Value", [one for one in have if one != value]))


async def pool_introduce(
    call: Call,
    name_label: str,
    name_description: str,
    MTU: int,  # noqa: N803 -- the declared name
    other_config: dict[str, str],
    bridge: str,
    managed: bool,  # noqa: FBT001
    purpose: list[str],
) -> str:
    """Make a network's record as another host of the pool tells it."""
    values: dict[str, Value] = {
        "name_label": name_label,
        "name_description": name_description,
        "MTU": MTU,
        "other_config": cast("Value", other_config),
        "bridge": bridge,
        "managed": managed,
        "purpose": cast("Value", purpose),
    }
    return call.db.create("network", values)


async def set_disallow_unplug(call: Call, self: str, value: bool) -> None:  # noqa: FBT001
    """Say whether a host's interface must stay up."""
    call.db.set("PIF", self, "disallow_unplug", value)


MESSAGES = {
    "PIF.set_disallow_unplug": set_disallow_unplug,
    "network.attach": attach,
    "network.attach_for_vm": attach_for_vm,
    "network.detach_for_vm": detach_for_vm,
    "network.add_purpose": add_purpose,
    "network.remove_purpose": remove_purpose,
    "network.pool_introduce": pool_introduce,
}
