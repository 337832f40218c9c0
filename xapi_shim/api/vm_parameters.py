"""VM.*: fields whose values have rules, and which operations their owner blocks."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from xapi_shim.api.operations import update_vm
from xapi_shim.datamodel.errors import (
    InvalidValueError,
    VcpuMaxNotCoresPerSocketMultipleError,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from xapi_shim.api.toolstack import Call
    from xapi_shim.datamodel.model import Value

# How a guest is treated when its host fails: not at all, first, or when there is room left.
HA_PRIORITIES = ("", "restart", "best-effort")
NOT_NEGATIVE = ("start_delay", "shutdown_delay", "order")


def check_not_negative(field: str, value: int) -> None:
    """Raise INVALID_VALUE [field; value]."""
    if value < 0:
        raise InvalidValueError(field, str(value))


def check_ha_priority(value: str) -> None:
    """Raise INVALID_VALUE [ha_restart_priority; value]."""
    if value not in HA_PRIORITIES:
        raise InvalidValueError("ha_restart_priority", value)


def check_platform(platform: Mapping[str, str], vcpus_max: int) -> None:
    """Check what a start depends on.

    Raises INVALID_VALUE [platform:key; value], VCPU_MAX_NOT_CORES_PER_SOCKET_MULTIPLE [vCPUs; cores].
    """
    cores = platform.get("cores-per-socket", "")
    if not cores:
        return
    if not (cores.isascii() and cores.isdecimal() and len(cores) < 10 and int(cores)):
        raise InvalidValueError("platform:cores-per-socket", cores)
    if vcpus_max % int(cores):
        raise VcpuMaxNotCoresPerSocketMultipleError(str(vcpus_max), cores)


async def set_ha_restart_priority(call: Call, self: str, value: str) -> None:
    """Choose how the VM is treated when its host fails. Raises INVALID_VALUE."""
    check_ha_priority(value)
    call.db.set("VM", self, "ha_restart_priority", value)


async def set_start_delay(call: Call, self: str, value: int) -> None:
    _set_not_negative(call, self, "start_delay", value)


async def set_shutdown_delay(call: Call, self: str, value: int) -> None:
    _set_not_negative(call, self, "shutdown_delay", value)


async def set_order(call: Call, self: str, value: int) -> None:
    _set_not_negative(call, self, "order", value)


def _set_not_negative(call: Call, vm: str, field: str, value: int) -> None:
    check_not_negative(field, value)
    call.db.set("VM", vm, field, value)


async def set_blocked_operations(call: Call, self: str, value: dict[str, str]) -> None:
    """Choose what is refused, and with which code."""
    with call.db.transaction():
        call.db.set("VM", self, "blocked_operations", cast("Value", value))
        update_vm(call.db, self)


async def add_to_blocked_operations(call: Call, self: str, key: str, value: str) -> None:
    """Raise MAP_DUPLICATE_KEY for what is blocked already."""
    call.db.assert_key_free("VM", self, "blocked_operations", key)
    have = call.db.mapping("VM", self, "blocked_operations")
    await set_blocked_operations(call, self, {**have, key: value})


async def remove_from_blocked_operations(call: Call, self: str, key: str) -> None:
    have = call.db.mapping("VM", self, "blocked_operations")
    have.pop(key, None)
    await set_blocked_operations(call, self, have)


MESSAGES = {
    "VM.set_ha_restart_priority": set_ha_restart_priority,
    "VM.set_start_delay": set_start_delay,
    "VM.set_shutdown_delay": set_shutdown_delay,
    "VM.set_order": set_order,
    "VM.set_blocked_operations": set_blocked_operations,
    "VM.add_to_blocked_operations": add_to_blocked_operations,
    "VM.remove_from_blocked_operations": remove_from_blocked_operations,
}
