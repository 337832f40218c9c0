"""current_operations of all kinds of object, and allowed_operations of VMs and appliances.

`operation` is the gate that every changing message goes through.
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, cast

from xapi_shim.api.allowed import (
    SR_PARALLEL,
    update_devices,
    update_drive,
    update_host,
    update_sr,
    update_vdi,
    update_vif,
)
from xapi_shim.api.device_rules import Running
from xapi_shim.api.own_host import operation_key, record_begin, record_end
from xapi_shim.api.vm_rules import OVERRIDES, VmState, allowed_vm_operations
from xapi_shim.datamodel.errors import (
    OperationBlockedError,
    OperationNotAllowedError,
    OtherOperationInProgressError,
    VmBadPowerStateError,
    VmIsTemplateError,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from xapi_shim.api.toolstack import Call
    from xapi_shim.database.database import Database
    from xapi_shim.datamodel.model import Value


def vm_state(db: Database, vm: str) -> VmState:
    """Return what decides about operations on a VM."""
    current = db.mapping("VM", vm, "current_operations")
    return VmState(
        vm,
        db.text("VM", vm, "power_state"),
        template=db.flag("VM", vm, "is_a_template"),
        default_template=db.flag("VM", vm, "is_default_template"),
        control_domain=db.flag("VM", vm, "is_control_domain"),
        blocked=db.mapping("VM", vm, "blocked_operations"),
        running=tuple(Running(op, task) for task, op in current.items()),
    )


def update_vm(db: Database, vm: str) -> None:
    """Recompute the allowed_operations of a VM, of its devices and disks, and of its appliance."""
    db.set("VM", vm, "allowed_operations", cast("Value", allowed_vm_operations(vm_state(db, vm))))
    update_devices(db, vm)
    update_appliance(db, db.text("VM", vm, "appliance"))


def allowed_appliance_operations(states: frozenset[str], *, busy: bool) -> list[str]:
    """Return what may be asked of an appliance whose guests are in `states`.

    Starting makes sense while one is not running, stopping while one is not halted.
    """
    if busy:
        return []
    start = ["start"] if states - {"Running"} else []
    stop = ["clean_shutdown", "hard_shutdown", "shutdown"] if states - {"Halted"} else []
    return start + stop


def update_appliance(db: Database, appliance: str) -> None:
    """Recompute an appliance's allowed_operations; nothing where there is none."""
    if not db.exists("VM_appliance", appliance):
        return
    states = frozenset(db.text("VM", vm, "power_state") for vm in db.items("VM_appliance", appliance, "VMs"))
    busy = bool(db.mapping("VM_appliance", appliance, "current_operations"))
    db.set("VM_appliance", appliance, "allowed_operations", allowed_appliance_operations(states, busy=busy))


def check_power_state(db: Database, vm: str, *expected: str) -> None:
    """Raise VM_BAD_POWER_STATE [vm; expected; actual] unless the VM is in one of `expected`."""
    actual = db.text("VM", vm, "power_state")
    if actual not in expected:
        raise VmBadPowerStateError(vm, expected[0].lower(), actual.lower())


def check_not_dom0(db: Database, vm: str) -> None:
    """Raise OPERATION_NOT_ALLOWED for the control domain."""
    if db.flag("VM", vm, "is_control_domain"):
        raise OperationNotAllowedError("this is the control domain")


def check_not_template(db: Database, vm: str) -> None:
    """Raise VM_IS_TEMPLATE [vm]."""
    if db.flag("VM", vm, "is_a_template"):
        raise VmIsTemplateError(vm)


@contextmanager
def operation(call: Call, cls: str, ref: str, name: str) -> Iterator[None]:
    """Do `name` to an object: recorded in current_operations while the block runs.

    Raises OPERATION_BLOCKED [ref; code], OTHER_OPERATION_IN_PROGRESS [class; ref; ...].
    """
    db = call.db
    if cls == "VM":
        blocked = db.mapping(cls, ref, "blocked_operations")
        if name in blocked:
            raise OperationBlockedError(ref, blocked[name])
    current = db.mapping(cls, ref, "current_operations")
    others = set(current.values()) - OVERRIDES.get(name, set())
    if cls == "SR" and name in SR_PARALLEL:
        others -= SR_PARALLEL
    if others:
        task, running = next((t, op) for t, op in current.items() if op in others)
        raise OtherOperationInProgressError(cls, ref, running, task)
    key = operation_key(call.info.task, call.tools.host, f"{id(call)}|{name}")

    def end() -> None:
        _end(db, cls, ref, key)

    record_begin(call.tools, (cls, ref, key), lambda: _note(db, cls, ref, {**current, key: name}), end)
    try:
        yield
    finally:
        record_end(call.tools, (cls, ref, key), end)


def _end(db: Database, cls: str, ref: str, key: str) -> None:
    if db.exists(cls, ref):
        left = db.mapping(cls, ref, "current_operations")
        left.pop(key, None)
        _note(db, cls, ref, left)


def _note(db: Database, cls: str, ref: str, current: dict[str, str]) -> None:
    with db.transaction():
        db.set(cls, ref, "current_operations", current)
        update(db, cls, ref)


def update(db: Database, cls: str, ref: str) -> None:
    """Recompute the allowed_operations of an object, and of what depends on it; nothing for a class without rules."""
    if cls in _UPDATES:
        _UPDATES[cls](db, ref)


_UPDATES: dict[str, Callable[[Database, str], None]] = {
    "VM": update_vm,
    "VM_appliance": update_appliance,
    "VBD": update_drive,
    "VIF": update_vif,
    "VDI": update_vdi,
    "SR": update_sr,
    "host": update_host,
}
