"""VIF.set_locking_mode and network.set_default_locking_mode: which packets of a guest's may pass.

Nothing filters packets yet. So the modes that would need it are kept in the records of interfaces that no
guest has, and a guest gets an interface only where all may pass: what is said to be locked is never open.
"""

from __future__ import annotations

from contextlib import AsyncExitStack
from typing import TYPE_CHECKING

from xapi_shim.api.allowed import update_vif
from xapi_shim.api.device_facts import effective_mode
from xapi_shim.datamodel.errors import CannotPlugVifError, ValueNotSupportedError, VifInUseError

if TYPE_CHECKING:
    from xapi_shim.api.toolstack import Call
    from xapi_shim.database.database import Database

NOT_FILTERED = "addresses are not filtered yet"


def check_unfiltered(db: Database, vif: str, *, network: str | None = None) -> None:
    """Raise CANNOT_PLUG_VIF [vif] for an interface whose packets would have to be filtered."""
    if effective_mode(db, vif, network=network) != "unlocked":
        raise CannotPlugVifError(vif)


async def set_locking_mode(call: Call, self: str, value: str) -> None:
    """Choose which packets may pass an interface.

    Raises VALUE_NOT_SUPPORTED [locking_mode; value; why] where a guest has it and some would be held up.
    """
    db = call.db
    async with call.tools.domain_locks[db.text("VIF", self, "VM")]:
        _set_mode(db, self, value)


def _set_mode(db: Database, self: str, value: str) -> None:
    with db.transaction():
        db.set("VIF", self, "locking_mode", value)
        if db.flag("VIF", self, "currently_attached") and effective_mode(db, self) != "unlocked":
            raise ValueNotSupportedError("locking_mode", value, NOT_FILTERED)
        update_vif(db, self)


async def set_default_locking_mode(call: Call, network: str, value: str) -> None:
    """Choose which packets may pass a network's interfaces that have no mode of their own.

    Raises VIF_IN_USE [network; vif] while a guest has one of those.
    """
    db = call.db
    ours = [
        vif for vif in db.items("network", network, "VIFs")
        if db.text("VIF", vif, "locking_mode") == "network_default"
    ]  # fmt: skip
    async with AsyncExitStack() as stack:
        # In one order, so that two that wait for several do not wait for each other.
        for vm in sorted({db.text("VIF", vif, "VM") for vif in ours}):
            await stack.enter_async_context(call.tools.domain_locks[vm])
        _set_default(db, network, value)


def _set_default(db: Database, network: str, value: str) -> None:
    with db.transaction():
        db.set("network", network, "default_locking_mode", value)
        for vif in db.items("network", network, "VIFs"):
            if db.text("VIF", vif, "locking_mode") != "network_default":
                continue
            if db.flag("VIF", vif, "currently_attached"):
                raise VifInUseError(network, vif)
            update_vif(db, vif)


MESSAGES = {
    "VIF.set_locking_mode": set_locking_mode,
    "network.set_default_locking_mode": set_default_locking_mode,
}
