"""What may be done to a VM's disk drives and network interfaces now: pure.

One function a kind of device says what is wrong with an operation; allowed_operations is
what nothing is wrong with, and a message raises what is.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from xapi_shim.datamodel.errors import (
    CannotPlugVifError,
    DeviceAlreadyAttachedError,
    DeviceAlreadyDetachedError,
    OperationNotAllowedError,
    OtherOperationInProgressError,
    VbdIsEmptyError,
    VbdNotEmptyError,
    VbdNotRemovableMediaError,
    VbdNotUnpluggableError,
    VdiInUseError,
    VdiMissingError,
    VdiReadonlyError,
    VmBadPowerStateError,
    VmMissingPvDriversError,
)

if TYPE_CHECKING:
    from xapi_shim.datamodel.errors.base import XenAPIError

VBD_OPERATIONS = ("attach", "eject", "insert", "plug", "unplug", "unplug_force")
VIF_OPERATIONS = ("attach", "plug", "unplug")
# What gives a guest a disk that may be another's.
_TAKING = ("attach", "plug", "insert")


@dataclass(frozen=True)
class Running:
    """An operation that goes on, and the task it belongs to."""

    operation: str
    task: str


@dataclass(frozen=True)
class VmFacts:
    """The VM of a device. `lacks_drivers`: a guest with firmware whose drivers nobody has seen."""

    ref: str
    power_state: str
    control_domain: bool = False
    lacks_drivers: bool = False
    running: Running | None = None


@dataclass(frozen=True)
class DriveFacts:
    """A VBD."""

    ref: str
    attached: bool
    empty: bool = False
    removable: bool = False
    unpluggable: bool = True
    read_only: bool = False
    running: Running | None = None


@dataclass(frozen=True)
class DiskFacts:
    """A VDI, and how many other drives have it in a guest now."""

    ref: str
    sr: str
    read_only: bool = False
    sharable: bool = False
    missing: bool = False
    readers: int = 0
    writers: int = 0
    running: Running | None = None


@dataclass(frozen=True)
class InterfaceFacts:
    """A VIF."""

    ref: str
    attached: bool
    # Some of its packets must not pass, which nothing sees to yet.
    filtered: bool = False
    running: Running | None = None


def vbd_error(vm: VmFacts, drive: DriveFacts, disk: DiskFacts | None, op: str) -> XenAPIError | None:
    """Return what is wrong with doing `op` to a drive; `disk` is what is, or is to be, in it."""
    if drive.running and (op, drive.running.operation) != ("unplug_force", "unplug"):
        return _busy("VBD", drive.ref, drive.running)
    if vm.running and op != "attach":
        return _busy("VM", vm.ref, vm.running)
    if op in ("insert", "eject"):
        wrong = _medium_error(vm, drive, op)
    elif op == "attach":
        wrong = None
    else:
        wrong = _plug_error(vm, drive.ref, op, attached=drive.attached)
        if wrong is None and op == "plug" and drive.empty:
            wrong = VbdIsEmptyError(drive.ref)
        if wrong is None and op != "plug" and not drive.unpluggable:
            wrong = VbdNotUnpluggableError(drive.ref)
    if wrong is None and disk is not None and op in _TAKING:
        return disk_error(disk, op, read_only=drive.read_only)
    return wrong


def vif_error(vm: VmFacts, vif: InterfaceFacts, op: str) -> XenAPIError | None:
    """Return what is wrong with doing `op` to an interface."""
    if vif.running:
        return _busy("VIF", vif.ref, vif.running)
    if op == "attach":
        return None
    if vm.running:
        return _busy("VM", vm.ref, vm.running)
    wrong = _plug_error(vm, vif.ref, op, attached=vif.attached)
    return CannotPlugVifError(vif.ref) if not wrong and op == "plug" and vif.filtered else wrong


def disk_error(disk: DiskFacts, op: str, *, read_only: bool) -> XenAPIError | None:
    """Return why a guest may not have a disk: two that do not know of each other destroy a file system."""
    if disk.running:
        return _busy("VDI", disk.ref, disk.running)
    if disk.missing:
        return VdiMissingError(disk.sr, disk.ref)
    if disk.read_only and not read_only:
        return VdiReadonlyError(disk.ref)
    if not disk.sharable and (disk.writers or (disk.readers and not read_only)):
        return VdiInUseError(disk.ref, op)
    return None


def _busy(cls: str, ref: str, running: Running) -> XenAPIError:
    return OtherOperationInProgressError(cls, ref, running.operation, running.task)


def _medium_error(vm: VmFacts, drive: DriveFacts, op: str) -> XenAPIError | None:
    if not drive.removable:
        return VbdNotRemovableMediaError(drive.ref)
    if op == "insert" and not drive.empty:
        return VbdNotEmptyError(drive.ref)
    if op == "eject" and drive.empty:
        return VbdIsEmptyError(drive.ref)
    if vm.control_domain:
        return OperationNotAllowedError("this is the control domain")
    if vm.power_state not in ("Running", "Halted"):
        return VmBadPowerStateError(vm.ref, "running", vm.power_state.lower())
    return None


def _plug_error(vm: VmFacts, ref: str, op: str, *, attached: bool) -> XenAPIError | None:
    if vm.control_domain:
        return OperationNotAllowedError("this is the control domain")
    if vm.power_state != "Running":
        return VmBadPowerStateError(vm.ref, "running", vm.power_state.lower())
    if op == "plug" and attached:
        return DeviceAlreadyAttachedError(ref)
    if op != "plug" and not attached:
        return DeviceAlreadyDetachedError(ref)
    if vm.lacks_drivers and op != "unplug_force":
        return VmMissingPvDriversError(vm.ref)
    return None
