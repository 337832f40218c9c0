"""VM_appliance.*: guests started one order after the other, and stopped the other way round."""

from __future__ import annotations

import asyncio
import logging
from itertools import groupby
from typing import TYPE_CHECKING

from xapi_shim.api.operations import operation, update_appliance
from xapi_shim.datamodel.errors import OperationNotAllowedError, OperationPartiallyFailedError, XenAPIError
from xapi_shim.datamodel.types import NULL_REF

if TYPE_CHECKING:
    from xapi_shim.api.toolstack import Call
    from xapi_shim.database.database import Database
    from xapi_shim.datamodel.model import Value

log = logging.getLogger(__name__)


def in_turns(orders: dict[str, int], *, stopping: bool = False) -> list[list[str]]:
    """Return who goes together, first turn first: by growing order, stopping by falling order."""
    by_order = sorted(orders, key=lambda vm: orders[vm], reverse=stopping)
    return [list(group) for _, group in groupby(by_order, key=lambda vm: orders[vm])]


async def start(call: Call, self: str, paused: bool) -> None:  # noqa: FBT001
    """Start the guests that are halted. Raises OPERATION_PARTIALLY_FAILED [operation]."""
    await _run(call, self, "start", ("Halted",), "VM.start", paused, False)  # noqa: FBT003 -- force


async def clean_shutdown(call: Call, self: str) -> None:
    """Ask the guests to shut down. Raises OPERATION_PARTIALLY_FAILED [operation]."""
    await _run(call, self, "clean_shutdown", ("Running",), "VM.clean_shutdown")


async def hard_shutdown(call: Call, self: str) -> None:
    """Switch the guests off. Raises OPERATION_PARTIALLY_FAILED [operation]."""
    states = ("Running", "Paused", "Suspended")
    await _run(call, self, "hard_shutdown", states, "VM.hard_shutdown")


async def shutdown(call: Call, self: str) -> None:
    """Ask the guests to shut down, and switch those off that do not. Raises OPERATION_PARTIALLY_FAILED."""
    await _run(call, self, "shutdown", ("Running", "Paused"), "VM.shutdown")


async def _run(
    call: Call, appliance: str, name: str, states: tuple[str, ...], key: str, *args: Value
) -> None:
    """Do message `key` to those of the guests that are in one of `states`; all are tried, whoever fails."""
    db, stopping = call.db, name != "start"
    orders = {vm: db.number("VM", vm, "order") for vm in db.items("VM_appliance", appliance, "VMs")}
    delay_field = "shutdown_delay" if stopping else "start_delay"
    failed = False
    with operation(call, "VM_appliance", appliance, name):
        turns = in_turns(orders, stopping=stopping)
        for number, turn in enumerate(turns):
            chosen = [vm for vm in turn if db.exists("VM", vm) and db.text("VM", vm, "power_state") in states]
            outcomes = await asyncio.gather(*(_try(call, key, vm, *args) for vm in chosen))
            failed = failed or not all(outcomes)
            if chosen and number + 1 < len(turns):
                await asyncio.sleep(_longest_delay(db, chosen, delay_field))
    if failed:
        raise OperationPartiallyFailedError(name)


async def _try(call: Call, key: str, vm: str, *args: Value) -> bool:
    try:
        await call.perform(key, vm, *args)
    except XenAPIError as error:
        log.warning("a guest of an appliance: %s: %s", vm, error)
        return False
    return True


def _longest_delay(db: Database, vms: list[str], field: str) -> int:
    return max((db.number("VM", vm, field) for vm in vms if db.exists("VM", vm)), default=0)


async def set_appliance(call: Call, self: str, value: str) -> None:
    """Put a VM into an appliance, or with the null ref out of it. Raises OPERATION_NOT_ALLOWED."""
    db = call.db
    if value != NULL_REF and (
        db.flag("VM", self, "is_control_domain") or db.flag("VM", self, "is_a_template")
    ):
        raise OperationNotAllowedError("only a VM can be part of an appliance")
    before = db.text("VM", self, "appliance")
    with db.transaction():
        db.set("VM", self, "appliance", value)
        for appliance in (before, value):
            update_appliance(db, appliance)


async def destroy(call: Call, self: str) -> None:
    """Forget an appliance; its guests stay."""
    db = call.db
    with db.transaction():
        for vm in db.items("VM_appliance", self, "VMs"):
            db.set("VM", vm, "appliance", NULL_REF)
        db.destroy("VM_appliance", self)


async def create(call: Call, args: dict[str, str]) -> str:
    ref = call.db.create("VM_appliance", dict(args))
    update_appliance(call.db, ref)
    return ref


MESSAGES = {
    "VM_appliance.create": create,
    "VM_appliance.destroy": destroy,
    "VM_appliance.start": start,
    "VM_appliance.clean_shutdown": clean_shutdown,
    "VM_appliance.hard_shutdown": hard_shutdown,
    "VM_appliance.shutdown": shutdown,
    "VM.set_appliance": set_appliance,
}
