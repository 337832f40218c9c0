"""VBD.* and VIF.* of running guests: plugging and unplugging, discs in and out, another network."""

from __future__ import annotations

import asyncio
import logging
from contextlib import asynccontextmanager, contextmanager, suppress
from typing import TYPE_CHECKING

from xapi_shim.api.allowed import update_vdi, update_vif
from xapi_shim.api.device_facts import disk_facts, drive_facts, interface_facts, vm_facts
from xapi_shim.api.device_rules import vbd_error, vif_error
from xapi_shim.api.operations import operation
from xapi_shim.api.own_host import domid_here
from xapi_shim.api.vif_addresses import tell_plugged
from xapi_shim.api.vif_locking import check_unfiltered
from xapi_shim.api.vm_start import attach_network, disk_of, reserved, vif_of
from xapi_shim.datamodel.errors import (
    DeviceAlreadyAttachedError,
    DeviceDetachRejectedError,
    InternalErrorError,
    VmBadPowerStateError,
)
from xapi_shim.datamodel.types import NULL_REF
from xapi_shim.xen.interface import (
    DeviceBusyError,
    DeviceExistsError,
    DeviceMissingError,
    DomainMissingError,
    XenError,
)

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Iterator

    from xapi_shim.api.toolstack import Call
    from xapi_shim.database.database import Database

log = logging.getLogger(__name__)


def check_drive(db: Database, vbd: str, op: str, *, disk: str | None = None) -> None:
    """Raise what is wrong with doing `op` to a drive, with its own disk or with `disk`."""
    vdi = disk or db.text("VBD", vbd, "VDI")
    vm = vm_facts(db, db.text("VBD", vbd, "VM"))
    if wrong := vbd_error(vm, drive_facts(db, vbd), disk_facts(db, vdi, vbd), op):
        raise wrong


def check_interface(db: Database, vif: str, op: str) -> None:
    """Raise what is wrong with doing `op` to an interface."""
    if wrong := vif_error(vm_facts(db, db.text("VIF", vif, "VM")), interface_facts(db, vif), op):
        raise wrong


@asynccontextmanager
async def _device_operation(call: Call, cls: str, ref: str, name: str) -> AsyncIterator[int]:
    """Do `name` to a device of a guest: noted, alone at its domain. Give the domid, -1 where there is none.

    Raises VM_NOT_RESIDENT_HERE; what the hypervisor cannot do becomes XenAPI's errors.
    """
    db = call.db
    vm = db.text(cls, ref, "VM")
    with operation(call, cls, ref, name):
        async with call.tools.domain_locks[vm]:
            # It may have stopped while others were at it; a disc may change in a halted one too.
            state = db.text("VM", vm, "power_state")
            if state not in (("Running", "Halted") if name in ("insert", "eject") else ("Running",)):
                raise VmBadPowerStateError(vm, "running", state.lower())
            with _xen_errors(cls, ref, vm):
                yield domid_here(call.tools, vm)


@contextmanager
def _xen_errors(cls: str, ref: str, vm: str) -> Iterator[None]:
    try:
        yield
    except DomainMissingError as error:
        raise VmBadPowerStateError(vm, "running", "halted") from error
    except DeviceExistsError as error:
        # Given behind our back: it may be another disk.
        raise DeviceAlreadyAttachedError(ref) from error
    except DeviceBusyError as error:
        raise DeviceDetachRejectedError(cls, ref, error.reason) from error
    except XenError as error:
        raise InternalErrorError(str(error)) from error


async def _attach_drive(call: Call, vbd: str, domid: int) -> None:
    """Give a guest a drive's disk, and record that; what was broken off half-way is taken back."""
    db, hypervisor = call.db, call.tools.hypervisor
    with reserved(call.tools, [vbd], "plug"):
        disk = await disk_of(call.tools, vbd)
        try:
            await hypervisor.attach_disk(domid, disk)
            db.update("VBD", vbd, currently_attached=True, reserved=False)
        except DeviceExistsError:
            raise
        except BaseException:
            taking_back = hypervisor.detach_disk(domid, disk.device, force=True)
            # Where it may still be there, nobody else gets it.
            there = not await asyncio.shield(_took_back(taking_back, vbd))
            db.set("VBD", vbd, "currently_attached", there)
            raise


async def _took_back(taking_back: Awaitable[None], device: str) -> bool:
    """Undo what failed or was cancelled; say whether it is undone. It must not hide why that failed."""
    try:
        await taking_back
    except (DeviceMissingError, DomainMissingError):
        return True
    except XenError:
        log.exception("device %s: cannot undo its attachment", device)
        return False
    return True


async def _detach_drive(call: Call, vbd: str, domid: int, *, force: bool) -> None:
    with suppress(DeviceMissingError):  # gone already: what was wanted
        await call.tools.hypervisor.detach_disk(domid, call.db.text("VBD", vbd, "device"), force=force)
    call.db.set("VBD", vbd, "currently_attached", value=False)


async def plug(call: Call, self: str) -> None:
    """Give a running guest a disk.

    Raises VM_BAD_POWER_STATE, DEVICE_ALREADY_ATTACHED, VBD_IS_EMPTY, VDI_IN_USE, VDI_READONLY and more.
    """
    check_drive(call.db, self, "plug")
    async with _device_operation(call, "VBD", self, "plug") as domid:
        await _attach_drive(call, self, domid)


async def unplug(call: Call, self: str) -> None:
    """Ask a running guest to release a disk.

    Raises DEVICE_ALREADY_DETACHED, DEVICE_DETACH_REJECTED [class; ref; why], VBD_NOT_UNPLUGGABLE and more.
    """
    check_drive(call.db, self, "unplug")
    async with _device_operation(call, "VBD", self, "unplug") as domid:
        await _detach_drive(call, self, domid, force=False)


async def unplug_force(call: Call, self: str) -> None:
    """Take a disk from a running guest, used or not."""
    check_drive(call.db, self, "unplug_force")
    async with _device_operation(call, "VBD", self, "unplug_force") as domid:
        await _detach_drive(call, self, domid, force=True)


async def insert(call: Call, vbd: str, vdi: str) -> None:
    """Put a disc into an empty drive. A guest without emulated devices gets the drive with the disc.

    Raises VBD_NOT_REMOVABLE_MEDIA, VBD_NOT_EMPTY, VDI_IN_USE, VDI_READONLY, VM_BAD_POWER_STATE and more.
    """
    db = call.db
    db.assert_exists("VDI", vdi)
    check_drive(db, vbd, "insert", disk=vdi)
    async with _device_operation(call, "VBD", vbd, "insert") as domid:
        db.update("VBD", vbd, VDI=vdi, empty=False)
        if domid < 0:
            return
        try:
            await _attach_drive(call, vbd, domid)
        except BaseException:
            if not db.flag("VBD", vbd, "currently_attached"):
                db.update("VBD", vbd, VDI=NULL_REF, empty=True)
            raise


async def eject(call: Call, vbd: str) -> None:
    """Take the disc out of a drive. Raises VBD_NOT_REMOVABLE_MEDIA, VBD_IS_EMPTY, DEVICE_DETACH_REJECTED."""
    db = call.db
    check_drive(db, vbd, "eject")
    disk = db.text("VBD", vbd, "VDI")
    async with _device_operation(call, "VBD", vbd, "eject") as domid:
        if domid >= 0 and db.flag("VBD", vbd, "currently_attached"):
            await _detach_drive(call, vbd, domid, force=False)
        db.update("VBD", vbd, VDI=NULL_REF, empty=True)
    if db.exists("VDI", disk):
        update_vdi(db, disk)


async def assert_attachable(call: Call, self: str) -> None:
    """Raise what an attachment would be refused with now: VDI_IN_USE, VDI_READONLY, SR_HAS_NO_PBDS and more."""
    check_drive(call.db, self, "attach")
    if not drive_facts(call.db, self).empty:
        await disk_of(call.tools, self)


async def plug_vif(call: Call, self: str) -> None:
    """Give a running guest an interface. Raises VM_BAD_POWER_STATE, DEVICE_ALREADY_ATTACHED and more."""
    check_interface(call.db, self, "plug")
    async with _device_operation(call, "VIF", self, "plug") as domid:
        await _attach_vif(call, self, domid)


async def unplug_vif(call: Call, self: str) -> None:
    """Take an interface from a running guest. Raises VM_BAD_POWER_STATE, DEVICE_ALREADY_DETACHED and more."""
    check_interface(call.db, self, "unplug")
    async with _device_operation(call, "VIF", self, "unplug") as domid:
        await _detach_vif(call, self, domid)


async def unplug_vif_force(call: Call, self: str) -> None:
    """Do as `unplug_vif`: the hypervisor does not wait for a guest that does not answer."""
    await unplug_vif(call, self)


async def _attach_vif(call: Call, vif: str, domid: int) -> None:
    hypervisor, made = call.tools.hypervisor, await vif_of(call.tools, vif)
    try:
        await hypervisor.attach_vif(domid, made)
    except DeviceExistsError:
        raise
    except BaseException:
        there = not await asyncio.shield(_took_back(hypervisor.detach_vif(domid, made.devid), vif))
        call.db.set("VIF", vif, "currently_attached", there)
        raise
    call.db.set("VIF", vif, "currently_attached", value=True)
    await tell_plugged(call.tools, vif, domid)


async def _detach_vif(call: Call, vif: str, domid: int) -> None:
    with suppress(DeviceMissingError):  # gone already: what was wanted
        await call.tools.hypervisor.detach_vif(domid, int(call.db.text("VIF", vif, "device")))
    call.db.set("VIF", vif, "currently_attached", value=False)


async def move(call: Call, self: str, network: str) -> None:
    """Put an interface on another network; a running guest sees it go and come back.

    Raises HOST_CANNOT_ATTACH_NETWORK, CANNOT_PLUG_VIF, VM_BAD_POWER_STATE; then it is where it was.
    """
    db = call.db
    db.assert_exists("network", network)
    before = db.text("VIF", self, "network")
    if not db.flag("VIF", self, "currently_attached"):
        with db.transaction():
            db.set("VIF", self, "network", network)
            update_vif(db, self)
        return
    check_unfiltered(db, self, network=network)
    check_interface(db, self, "unplug")
    async with _device_operation(call, "VIF", self, "unplug") as domid:
        await attach_network(call.tools, network)
        await _detach_vif(call, self, domid)
        db.set("VIF", self, "network", network)
        try:
            await _attach_vif(call, self, domid)
        except BaseException:
            db.set("VIF", self, "network", before)
            await _attach_vif(call, self, domid)
            raise


MESSAGES = {
    "VBD.plug": plug,
    "VBD.unplug": unplug,
    "VBD.unplug_force": unplug_force,
    "VBD.unplug_force_no_safety_check": unplug_force,
    "VBD.insert": insert,
    "VBD.eject": eject,
    "VBD.assert_attachable": assert_attachable,
    "VIF.plug": plug_vif,
    "VIF.unplug": unplug_vif,
    "VIF.unplug_force": unplug_vif_force,
    "VIF.move": move,
}
