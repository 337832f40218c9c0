"""A VM's memory and vCPU limits: static_min <= dynamic_min <= dynamic_max <= static_max."""

from __future__ import annotations

from typing import TYPE_CHECKING

from xapi_shim.api.operations import check_power_state, operation
from xapi_shim.api.vm_memory import update_overhead
from xapi_shim.datamodel.errors import InvalidValueError, MemoryConstraintViolationOrderError

if TYPE_CHECKING:
    from xapi_shim.api.toolstack import Call

LIMITS = ("static_min", "dynamic_min", "dynamic_max", "static_max")
MAX_VCPUS = 128


def check_memory(static_min: int, dynamic_min: int, dynamic_max: int, static_max: int) -> None:
    """Check limits in bytes. Raises INVALID_VALUE, MEMORY_CONSTRAINT_VIOLATION_ORDER."""
    for name, value in zip(LIMITS, (static_min, dynamic_min, dynamic_max, static_max), strict=True):
        if value < 0:
            raise InvalidValueError(f"memory_{name}", str(value))
    if not static_min <= dynamic_min <= dynamic_max <= static_max:
        raise MemoryConstraintViolationOrderError


def check_vcpus(at_startup: int, maximum: int) -> None:
    """Raise INVALID_VALUE unless 1 <= at_startup <= maximum <= MAX_VCPUS."""
    if not 1 <= maximum <= MAX_VCPUS:
        raise InvalidValueError("VCPUs_max", str(maximum))
    if not 1 <= at_startup <= maximum:
        raise InvalidValueError("VCPUs_at_startup", str(at_startup))


def _set(call: Call, vm: str, operation_name: str, **limits: int) -> None:
    db = call.db
    check_power_state(db, vm, "Halted")
    new = {name: limits.get(name, db.number("VM", vm, f"memory_{name}")) for name in LIMITS}
    check_memory(**new)
    with operation(call, "VM", vm, operation_name):
        db.update("VM", vm, **{f"memory_{name}": value for name, value in new.items()})
        update_overhead(db, vm)


async def set_memory_limits(
    call: Call, self: str, static_min: int, static_max: int, dynamic_min: int, dynamic_max: int
) -> None:
    """Set all four limits, in bytes."""
    _set(
        call,
        self,
        "changing_memory_limits",
        static_min=static_min,
        static_max=static_max,
        dynamic_min=dynamic_min,
        dynamic_max=dynamic_max,
    )


async def set_memory(call: Call, self: str, value: int) -> None:
    """Set dynamic and static maximum and dynamic minimum to `value` bytes."""
    _set(call, self, "changing_memory_limits", dynamic_min=value, dynamic_max=value, static_max=value)


async def set_memory_static_range(call: Call, self: str, min: int, max: int) -> None:  # noqa: A002
    _set(call, self, "changing_static_range", static_min=min, static_max=max)


async def set_memory_static_min(call: Call, self: str, value: int) -> None:
    _set(call, self, "changing_static_range", static_min=value)


async def set_memory_static_max(call: Call, self: str, value: int) -> None:
    _set(call, self, "changing_static_range", static_max=value)


async def set_vcpus_max(call: Call, self: str, value: int) -> None:
    check_power_state(call.db, self, "Halted")
    check_vcpus(call.db.number("VM", self, "VCPUs_at_startup"), value)
    call.db.set("VM", self, "VCPUs_max", value)
    update_overhead(call.db, self)


async def set_vcpus_at_startup(call: Call, self: str, value: int) -> None:
    check_power_state(call.db, self, "Halted")
    check_vcpus(value, call.db.number("VM", self, "VCPUs_max"))
    call.db.set("VM", self, "VCPUs_at_startup", value)


MESSAGES = {
    "VM.set_memory_limits": set_memory_limits,
    "VM.set_memory": set_memory,
    "VM.set_memory_static_range": set_memory_static_range,
    "VM.set_memory_static_min": set_memory_static_min,
    "VM.set_memory_static_max": set_memory_static_max,
    "VM.set_VCPUs_max": set_vcpus_max,
    "VM.set_VCPUs_at_startup": set_vcpus_at_startup,
}
