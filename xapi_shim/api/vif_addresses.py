"""VIF.configure_ipv4 and configure_ipv6: the addresses that a guest is to give its interfaces.

The guest's agent does it: it reads `xenserver/device/vif/N/static-ip-setting` in the guest's part of
xenstore (control/feature-static-ip-setting says that it can), and puts its error there.
"""

from __future__ import annotations

import logging
from ipaddress import IPv4Address, IPv4Interface, IPv6Address, IPv6Interface
from typing import TYPE_CHECKING

from xapi_shim.api.own_host import domid_here
from xapi_shim.datamodel.errors import (
    InternalErrorError,
    InvalidCidrAddressSpecifiedError,
    InvalidIpAddressSpecifiedError,
)
from xapi_shim.xen.interface import DomainMissingError, XenError

if TYPE_CHECKING:
    from xapi_shim.api.toolstack import Call, Toolstack
    from xapi_shim.database.database import Database

log = logging.getLogger(__name__)

_FAMILIES: dict[str, tuple[type[IPv4Interface | IPv6Interface], type[IPv4Address | IPv6Address], str]] = {
    # The last is what the guest's keys end in.
    "ipv4": (IPv4Interface, IPv4Address, ""),
    "ipv6": (IPv6Interface, IPv6Address, "6"),
}


def guest_keys(db: Database, vif: str) -> dict[str, str]:
    """Return what a guest's agent is told of an interface."""
    keys = {"mac": db.text("VIF", vif, "MAC"), "error-code": "0", "error-msg": ""}
    for family, (_, _, end) in _FAMILIES.items():
        static = db.text("VIF", vif, f"{family}_configuration_mode") == "Static"
        addresses = db.items("VIF", vif, f"{family}_addresses")
        keys |= {
            f"enabled{end}": "1" if static else "0",
            f"address{end}": addresses[0] if static and addresses else "",
            f"gateway{end}": db.text("VIF", vif, f"{family}_gateway") if static else "",
        }
    return keys


def is_configured(db: Database, vif: str) -> bool:
    """Say whether a guest is to give an interface an address of our choice."""
    return any(db.text("VIF", vif, f"{family}_configuration_mode") == "Static" for family in _FAMILIES)


async def tell_guest(tools: Toolstack, vif: str, domid: int) -> None:
    """Tell a guest's agent an interface's addresses. Raises XenError."""
    folder = f"xenserver/device/vif/{tools.db.text('VIF', vif, 'device')}/static-ip-setting"
    await tools.hypervisor.write_keys(domid, folder, guest_keys(tools.db, vif))


async def tell_started_guest(tools: Toolstack, vm: str, domid: int) -> None:
    """Tell a guest that has just been started all of its interfaces' addresses; it runs on where that fails."""
    for vif in tools.db.items("VM", vm, "VIFs"):
        await tell_plugged(tools, vif, domid)


async def tell_plugged(tools: Toolstack, vif: str, domid: int) -> None:
    """Tell a guest the addresses of an interface that it has just got; it stays where that fails."""
    if not is_configured(tools.db, vif):
        return
    try:
        await tell_guest(tools, vif, domid)
    except XenError as error:
        log.warning("VIF %s: its guest cannot be told its addresses: %s", vif, error)


def _check(family: str, mode: str, address: str, gateway: str) -> None:
    """Raise INVALID_CIDR_ADDRESS_SPECIFIED [address], INVALID_IP_ADDRESS_SPECIFIED [gateway]."""
    if mode != "Static":
        return
    interface, plain, _ = _FAMILIES[family]
    try:
        interface(address)
    except ValueError as error:
        raise InvalidCidrAddressSpecifiedError("address") from error
    if "/" not in address or "%" in address:
        raise InvalidCidrAddressSpecifiedError("address")
    try:
        if gateway:
            plain(gateway)
    except ValueError as error:
        raise InvalidIpAddressSpecifiedError("gateway") from error


async def _configure(call: Call, family: str, vif: str, mode: str, address: str, gateway: str) -> None:
    _check(family, mode, address, gateway)
    db, static = call.db, mode == "Static"
    with db.transaction():
        db.set("VIF", vif, f"{family}_configuration_mode", mode)
        db.set("VIF", vif, f"{family}_addresses", [address] if static else [])
        db.set("VIF", vif, f"{family}_gateway", gateway if static else "")
    vm = db.text("VIF", vif, "VM")
    async with call.tools.domain_locks[vm]:
        if not db.flag("VIF", vif, "currently_attached"):
            return
        try:
            await tell_guest(call.tools, vif, domid_here(call.tools, vm))
        except DomainMissingError:
            log.info("VIF %s: its guest stopped meanwhile; it is told at its next start", vif)
        except XenError as error:
            raise InternalErrorError(str(error)) from error


async def configure_ipv4(call: Call, self: str, mode: str, address: str, gateway: str) -> None:
    """Have a guest give an interface an IPv4 address (with its prefix's length), now and at its next starts.

    Raises INVALID_CIDR_ADDRESS_SPECIFIED [address], INVALID_IP_ADDRESS_SPECIFIED [gateway].
    """
    await _configure(call, "ipv4", self, mode, address, gateway)


async def configure_ipv6(call: Call, self: str, mode: str, address: str, gateway: str) -> None:
    """Do for IPv6 what `configure_ipv4` does."""
    await _configure(call, "ipv6", self, mode, address, gateway)


MESSAGES = {"VIF.configure_ipv4": configure_ipv4, "VIF.configure_ipv6": configure_ipv6}
