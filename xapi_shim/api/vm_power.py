"""VM.start, pause, unpause, the shutdowns and reboots."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from xapi_shim.api.host_errors import host_errors
from xapi_shim.api.operations import check_not_template, check_power_state, operation, update_vm
from xapi_shim.api.own_host import domid_here
from xapi_shim.api.vm_start import record_halted, start_domain
from xapi_shim.datamodel.errors import (
    InternalErrorError,
    OperationNotAllowedError,
    VmFailedShutdownAcknowledgmentError,
    VmShutdownTimeoutError,
)
from xapi_shim.datamodel.types import NULL_REF
from xapi_shim.xen.interface import DomainMissingError, ShutdownReason, XenError

if TYPE_CHECKING:
    from xapi_shim.api.toolstack import Call, Toolstack

# How long a guest may take to shut down when asked, in seconds (the reference waits 20 minutes).
CLEAN_SHUTDOWN_S = 1200.0


async def start(call: Call, vm: str, start_paused: bool, force: bool) -> None:  # noqa: ARG001, FBT001
    """Start a halted VM. Raises VM_IS_TEMPLATE, VM_BAD_POWER_STATE, HOST_NOT_ENOUGH_FREE_MEMORY and more."""
    check_not_template(call.db, vm)
    _check_not_dom0(call, vm)
    check_power_state(call.db, vm, "Halted")
    with operation(call, "VM", vm, "start"):
        async with call.tools.domain_locks[vm]:
            await start_domain(call.tools, vm, paused=start_paused)
    update_vm(call.db, vm)


async def start_on(call: Call, vm: str, host: str, start_paused: bool, force: bool) -> None:  # noqa: FBT001
    """Start a VM on a named host, which is this one. Raises as `start` does."""
    if host not in (call.tools.host, NULL_REF):
        raise OperationNotAllowedError("the host is not this one")
    await start(call, vm, start_paused, force)


async def pause(call: Call, vm: str) -> None:
    await _switch(call, vm, "pause", "Running", "Paused")


async def unpause(call: Call, vm: str) -> None:
    await _switch(call, vm, "unpause", "Paused", "Running")


async def _switch(call: Call, vm: str, name: str, before: str, after: str) -> None:
    check_not_template(call.db, vm)
    _check_not_dom0(call, vm)
    check_power_state(call.db, vm, before)
    with operation(call, "VM", vm, name):
        async with call.tools.domain_locks[vm]:
            domid = domid_here(call.tools, vm)
            with host_errors():
                if name == "pause":
                    await call.tools.hypervisor.pause(domid)
                else:
                    await call.tools.hypervisor.unpause(domid)
            call.db.set("VM", vm, "power_state", after)


async def hard_shutdown(call: Call, vm: str) -> None:
    """Destroy a VM's domain. Raises VM_BAD_POWER_STATE."""
    check_not_template(call.db, vm)
    _check_not_dom0(call, vm)
    check_power_state(call.db, vm, "Running", "Paused", "Suspended")
    with operation(call, "VM", vm, "hard_shutdown"):
        async with call.tools.domain_locks[vm]:
            await destroy_domain(call.tools, vm)


async def hard_reboot(call: Call, vm: str) -> None:
    """Destroy a VM's domain and make it anew. Raises VM_BAD_POWER_STATE."""
    check_not_template(call.db, vm)
    _check_not_dom0(call, vm)
    check_power_state(call.db, vm, "Running", "Paused")
    with operation(call, "VM", vm, "hard_reboot"):
        async with call.tools.domain_locks[vm]:
            await destroy_domain(call.tools, vm)
            await start_domain(call.tools, vm, paused=False)


async def clean_shutdown(call: Call, vm: str) -> None:
    """Ask a guest to shut down and wait until it has. Raises VM_SHUTDOWN_TIMEOUT [vm; seconds]."""
    await _clean(call, vm, "clean_shutdown", ShutdownReason.POWEROFF)


async def clean_reboot(call: Call, vm: str) -> None:
    """Ask a guest to reboot and wait until it has. Raises VM_SHUTDOWN_TIMEOUT [vm; seconds]."""
    await _clean(call, vm, "clean_reboot", ShutdownReason.REBOOT)


async def shutdown(call: Call, vm: str) -> None:
    """Shut down cleanly; the hard way if the guest does not, or is paused."""
    if call.db.text("VM", vm, "power_state") == "Paused":
        await hard_shutdown(call, vm)
        return
    try:
        await clean_shutdown(call, vm)
    except (VmShutdownTimeoutError, VmFailedShutdownAcknowledgmentError):
        await hard_shutdown(call, vm)


async def _clean(call: Call, vm: str, name: str, reason: ShutdownReason) -> None:
    check_not_template(call.db, vm)
    _check_not_dom0(call, vm)
    check_power_state(call.db, vm, "Running")
    domid = domid_here(call.tools, vm)
    with operation(call, "VM", vm, name):
        try:
            await call.tools.hypervisor.request_shutdown(domid, reason)
        except DomainMissingError:
            pass  # it went by itself: the wait below sees that
        except XenError as error:
            raise VmFailedShutdownAcknowledgmentError(vm) from error
        try:
            await asyncio.wait_for(_until_gone(call.tools, vm, domid, reason), CLEAN_SHUTDOWN_S)
        except TimeoutError:
            raise VmShutdownTimeoutError(vm, str(CLEAN_SHUTDOWN_S)) from None


async def _until_gone(tools: Toolstack, vm: str, domid: int, reason: ShutdownReason) -> None:
    """Wait until the watcher has recorded that the old domain is gone (and, rebooting, that a new one runs)."""
    changed = asyncio.Event()
    tools.db.on_change(changed.set)
    try:
        while tools.db.exists("VM", vm):
            state, now = tools.db.text("VM", vm, "power_state"), tools.db.number("VM", vm, "domid")
            if state == "Halted" or (reason is ShutdownReason.REBOOT and now not in (domid, -1)):
                return
            changed.clear()
            await changed.wait()
    finally:
        tools.db.remove_listener(changed.set)


async def destroy_domain(tools: Toolstack, vm: str) -> None:
    """Destroy the domain if there is one and record it; hold the VM's lock. Raises VM_NOT_RESIDENT_HERE."""
    domid = domid_here(tools, vm)
    try:
        if domid >= 0:
            await tools.hypervisor.destroy(domid)
    except DomainMissingError:
        pass  # gone already: what was wanted
    except XenError as error:
        raise InternalErrorError(str(error)) from error
    record_halted(tools, vm)
    update_vm(tools.db, vm)


def _check_not_dom0(call: Call, vm: str) -> None:
    if call.db.flag("VM", vm, "is_control_domain"):
        raise OperationNotAllowedError("this is the control domain")


MESSAGES = {
    "VM.start": start,
    "VM.start_on": start_on,
    "VM.pause": pause,
    "VM.unpause": unpause,
    "VM.hard_shutdown": hard_shutdown,
    "VM.hard_reboot": hard_reboot,
    "VM.clean_shutdown": clean_shutdown,
    "VM.clean_reboot": clean_reboot,
    "VM.shutdown": shutdown,
}
