"""VMSS.*: plans for snapshots; what may stand in them. Taking the snapshots is not here."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from xapi_shim.datamodel.errors import InvalidValueError, OperationNotAllowedError, VmssHasVmError
from xapi_shim.datamodel.types import NULL_REF
from xapi_shim.rpc.values import Coercion

if TYPE_CHECKING:
    from xapi_shim.api.toolstack import Call
    from xapi_shim.datamodel.model import Value

RETAINED = range(1, 11)
DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
# What a schedule says where nothing else was chosen.
DEFAULTS = {"min": "0", "hour": "0", "days": DAYS[0]}
KEYS = {"hourly": ("min",), "daily": ("hour", "min"), "weekly": ("days", "hour", "min")}
MINUTES = ("0", "15", "30", "45")


def check_retained(value: int) -> None:
    """Raise INVALID_VALUE [retained_snapshots; value] unless 1 to 10 are kept."""
    if value not in RETAINED:
        raise InvalidValueError("retained_snapshots", str(value))


def check_time(key: str, value: str) -> None:
    """Raise INVALID_VALUE [key; value] unless it is a time of a schedule."""
    if key == "days":
        days = [day.strip().capitalize() for day in value.split(",")]
        right = all(day in DAYS for day in days)
    elif key == "hour":
        right = value.isascii() and value.isdecimal() and int(value) < 24
    else:
        right = key == "min" and value in MINUTES
    if not right:
        raise InvalidValueError(key, value)


def full_schedule(frequency: str, schedule: dict[str, str]) -> dict[str, str]:
    """Return a schedule with all that its frequency asks for, and no more. Raises INVALID_VALUE."""
    for key, value in schedule.items():
        check_time(key, value)
    return {key: schedule.get(key, DEFAULTS[key]) for key in KEYS[frequency]}


async def create(call: Call, args: dict[str, Value]) -> str:
    """Make a plan. Raises FIELD_TYPE_ERROR, INVALID_VALUE."""
    values = Coercion(call.db.model).constructor(call.db.model.classes["VMSS"], args)
    check_retained(cast("int", values["retained_snapshots"]))
    schedule = cast("dict[str, str]", values["schedule"])
    values["schedule"] = cast("Value", full_schedule(cast("str", values["frequency"]), schedule))
    return call.db.create("VMSS", values)


async def destroy(call: Call, self: str) -> None:
    """Forget a plan. Raises VMSS_HAS_VM."""
    if call.db.items("VMSS", self, "VMs"):
        raise VmssHasVmError
    call.db.destroy("VMSS", self)


async def set_retained_snapshots(call: Call, self: str, value: int) -> None:
    check_retained(value)
    call.db.set("VMSS", self, "retained_snapshots", value)


async def set_frequency(call: Call, self: str, value: str) -> None:
    """Choose how often; times that the new frequency asks for and that were not chosen get defaults."""
    _set(call, self, value, call.db.mapping("VMSS", self, "schedule"))


async def set_schedule(call: Call, self: str, value: dict[str, str]) -> None:
    _set(call, self, call.db.text("VMSS", self, "frequency"), value)


async def add_to_schedule(call: Call, self: str, key: str, value: str) -> None:
    """Set one time, chosen before or not. Raises INVALID_VALUE."""
    db = call.db
    _set(call, self, db.text("VMSS", self, "frequency"), {**db.mapping("VMSS", self, "schedule"), key: value})


async def remove_from_schedule(call: Call, self: str, key: str) -> None:
    """Put one time back to its default. Raises INVALID_VALUE for what is no time of a schedule."""
    if key not in DEFAULTS:
        raise InvalidValueError("key", key)
    db = call.db
    left = {k: v for k, v in db.mapping("VMSS", self, "schedule").items() if k != key}
    _set(call, self, db.text("VMSS", self, "frequency"), left)


def _set(call: Call, vmss: str, frequency: str, schedule: dict[str, str]) -> None:
    full = full_schedule(frequency, schedule)
    call.db.update("VMSS", vmss, frequency=frequency, schedule=cast("Value", full))


async def set_snapshot_schedule(call: Call, self: str, value: str) -> None:
    """Let a VM follow a plan, or with the null ref none. Raises OPERATION_NOT_ALLOWED."""
    db = call.db
    if value != NULL_REF and (
        db.flag("VM", self, "is_control_domain") or db.flag("VM", self, "is_a_template")
    ):
        raise OperationNotAllowedError("only a VM can follow a plan for snapshots")
    db.set("VM", self, "snapshot_schedule", value)


MESSAGES = {
    "VMSS.create": create,
    "VMSS.destroy": destroy,
    "VMSS.set_retained_snapshots": set_retained_snapshots,
    "VMSS.set_frequency": set_frequency,
    "VMSS.set_schedule": set_schedule,
    "VMSS.add_to_schedule": add_to_schedule,
    "VMSS.remove_from_schedule": remove_from_schedule,
    "VM.set_snapshot_schedule": set_snapshot_schedule,
}
