"""VM.*: what changes in a guest while it runs: vCPUs, their shares, memory, keys and wires."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, cast

from xapi_shim.api.host_errors import host_errors
from xapi_shim.api.operations import check_not_dom0, check_not_template, check_power_state, operation
from xapi_shim.api.own_host import domid_here, is_resident_here
from xapi_shim.api.vm_limits import LIMITS, check_memory
from xapi_shim.api.vm_shares import parse_share
from xapi_shim.datamodel.errors import (
    InternalErrorError,
    InvalidValueError,
    VmBadPowerStateError,
    VmMemoryTargetWaitTimeoutError,
)
from xapi_shim.rpc.dates import now_text
from xapi_shim.xen.interface import DomainMissingError, Trigger, XenError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterable

    from xapi_shim.api.toolstack import Call, Toolstack
    from xapi_shim.datamodel.model import Value
    from xapi_shim.xen.interface import DomainInfo

# The reference's: how long a guest may take to reach its target, how near is there, how often to look.
TARGET_WAIT_S = 256.0
TARGET_TOLERANCE_BYTES = 1 << 20
TARGET_LOOK_S = 1.0


@asynccontextmanager
async def live(call: Call, vm: str, name: str) -> AsyncIterator[int]:
    """Do `name` to a running guest: noted, alone at its domain; give the domid.

    Raises VM_IS_TEMPLATE, OPERATION_NOT_ALLOWED for dom0, VM_BAD_POWER_STATE, OTHER_OPERATION_IN_PROGRESS,
    VM_NOT_RESIDENT_HERE; what the hypervisor refuses becomes INTERNAL_ERROR.
    """
    db = call.db
    check_not_template(db, vm)
    check_not_dom0(db, vm)
    check_power_state(db, vm, "Running")
    with operation(call, "VM", vm, name):
        async with call.tools.domain_locks[vm]:
            # It may have stopped while others were at it.
            check_power_state(db, vm, "Running")
            try:
                yield domid_here(call.tools, vm)
            except DomainMissingError as error:
                raise VmBadPowerStateError(vm, "running", "halted") from error
            except XenError as error:
                raise InternalErrorError(str(error)) from error


async def set_vcpus_number_live(call: Call, self: str, nvcpu: int) -> None:
    """Let a running guest use `nvcpu` of its vCPUs, now and after its next start. Raises INVALID_VALUE."""
    db = call.db
    check_power_state(db, self, "Running")
    if not 1 <= nvcpu <= db.number("VM", self, "VCPUs_max"):
        raise InvalidValueError("VCPUs_number_live", str(nvcpu))
    async with live(call, self, "changing_VCPUs_live") as domid:
        await call.tools.hypervisor.set_vcpus(domid, nvcpu)
        with db.transaction():
            db.set("VM", self, "VCPUs_at_startup", nvcpu)
            _measured(call, self, VCPUs_number=nvcpu)


async def add_to_vcpus_params_live(call: Call, self: str, key: str, value: str) -> None:
    """Set one of weight, cap and mask, now and for later starts. Raises INVALID_VALUE [key; value]."""
    share = parse_share(key, value)
    async with live(call, self, "changing_VCPUs_live") as domid:
        cpus = (await call.tools.hypervisor.info()).cpus
        if any(cpu >= cpus for cpu in share.cpus):
            raise InvalidValueError(key, value)
        await call.tools.hypervisor.set_scheduling(domid, share)
        params = {**call.db.mapping("VM", self, "VCPUs_params"), key: value}
        call.db.set("VM", self, "VCPUs_params", cast("Value", params))


async def set_memory_dynamic_range(call: Call, self: str, min: int, max: int) -> None:  # noqa: A002
    """Set the range that a guest's memory may be in, in bytes; a running guest's target is its upper end.

    Raises MEMORY_CONSTRAINT_VIOLATION_ORDER, INVALID_VALUE, VM_BAD_POWER_STATE.
    """
    db = call.db
    check_power_state(db, self, "Halted", "Running")
    check_not_dom0(db, self)
    static_min, static_max = (db.number("VM", self, f"memory_{name}") for name in (LIMITS[0], LIMITS[3]))
    check_memory(static_min, min, max, static_max)
    if db.text("VM", self, "power_state") == "Halted":
        with operation(call, "VM", self, "changing_dynamic_range"):
            db.update("VM", self, memory_dynamic_min=min, memory_dynamic_max=max)
        return
    async with live(call, self, "changing_dynamic_range") as domid:
        await call.tools.hypervisor.set_memory_target(domid, max)
        db.update("VM", self, memory_dynamic_min=min, memory_dynamic_max=max, memory_target=max)


async def set_memory_dynamic_min(call: Call, self: str, value: int) -> None:
    await set_memory_dynamic_range(call, self, value, call.db.number("VM", self, "memory_dynamic_max"))


async def set_memory_dynamic_max(call: Call, self: str, value: int) -> None:
    await set_memory_dynamic_range(call, self, call.db.number("VM", self, "memory_dynamic_min"), value)


async def set_memory_target_live(call: Call, self: str, target: int) -> None:
    """Have a running guest use `target` bytes, no more and no less."""
    check_power_state(call.db, self, "Running")
    await set_memory_dynamic_range(call, self, target, target)


async def wait_memory_target_live(call: Call, self: str) -> None:
    """Wait until a running guest uses what it was asked to. Raises VM_MEMORY_TARGET_WAIT_TIMEOUT [task]."""
    check_not_dom0(call.db, self)
    check_power_state(call.db, self, "Running")
    with operation(call, "VM", self, "awaiting_memory_live"):
        try:
            async with asyncio.timeout(TARGET_WAIT_S):
                while not await _reached(call, self):  # noqa: ASYNC110 -- nothing to wait for, see below
                    # Xen does not tell when a guest's balloon moves.
                    await asyncio.sleep(TARGET_LOOK_S)
        except TimeoutError:
            raise VmMemoryTargetWaitTimeoutError(call.info.task) from None


async def _reached(call: Call, vm: str) -> bool:
    db = call.db
    check_power_state(db, vm, "Running")
    uuid, target = db.text("VM", vm, "uuid"), db.number("VM", vm, "memory_target")
    with host_errors():
        domains = await call.tools.hypervisor.domains()
    used = next((domain.memory_bytes for domain in domains if domain.uuid == uuid), None)
    if used is None:
        raise VmBadPowerStateError(vm, "running", "halted")
    _measured(call, vm, memory_actual=used)
    return abs(used - target) <= TARGET_TOLERANCE_BYTES


def _measured(call: Call, vm: str, **values: int) -> None:
    metrics = call.db.text("VM", vm, "metrics")
    if call.db.exists("VM_metrics", metrics):
        call.db.update("VM_metrics", metrics, last_updated=now_text(), **values)


def record_sizes(tools: Toolstack, domains: Iterable[DomainInfo]) -> None:
    """Write what this host's guests use into their metrics, where that has changed."""
    db = tools.db
    by_uuid = {domain.uuid: domain for domain in domains if domain.domid > 0}
    with db.transaction():
        for vm in db.refs("VM"):
            domain, metrics = by_uuid.get(db.text("VM", vm, "uuid")), db.text("VM", vm, "metrics")
            if domain is None or not is_resident_here(tools, vm) or not db.exists("VM_metrics", metrics):
                continue
            have = (
                db.number("VM_metrics", metrics, "memory_actual"),
                db.number("VM_metrics", metrics, "VCPUs_number"),
            )
            if have != (domain.memory_bytes, domain.vcpus_online):
                sizes = {"memory_actual": domain.memory_bytes, "VCPUs_number": domain.vcpus_online}
                db.update("VM_metrics", metrics, last_updated=now_text(), **sizes)


async def send_sysrq(call: Call, vm: str, key: str) -> None:
    """Press a guest's SysRq with a key (one letter or digit). Raises INVALID_VALUE, VM_BAD_POWER_STATE."""
    if len(key) != 1 or not key.isascii() or not key.isalnum():
        raise InvalidValueError("key", key)
    async with live(call, vm, "send_sysrq") as domid:
        await call.tools.hypervisor.send_sysrq(domid, key)


async def send_trigger(call: Call, vm: str, trigger: str) -> None:
    """Pull one of a guest's wires: nmi, reset, init, power, sleep, s3resume. Raises INVALID_VALUE, INTERNAL_ERROR."""
    if trigger not in list(Trigger):
        raise InvalidValueError("trigger", trigger)
    async with live(call, vm, "send_trigger") as domid:
        await call.tools.hypervisor.send_trigger(domid, Trigger(trigger))


MESSAGES = {
    "VM.set_VCPUs_number_live": set_vcpus_number_live,
    "VM.add_to_VCPUs_params_live": add_to_vcpus_params_live,
    "VM.set_memory_dynamic_range": set_memory_dynamic_range,
    "VM.set_memory_dynamic_min": set_memory_dynamic_min,
    "VM.set_memory_dynamic_max": set_memory_dynamic_max,
    "VM.set_memory_target_live": set_memory_target_live,
    "VM.wait_memory_target_live": wait_memory_target_live,
    "VM.send_sysrq": send_sysrq,
    "VM.send_trigger": send_trigger,
}
