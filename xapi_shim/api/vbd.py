"""VBD.*: disks in guests; plugging them into running ones is in device_plug."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from xapi_shim.api.allowed import update_drive, update_vdi
from xapi_shim.api.operations import check_power_state, operation
from xapi_shim.datamodel.errors import (
    DeviceAlreadyExistsError,
    InvalidDeviceError,
    OperationNotAllowedError,
    VbdCdsMustBeReadonlyError,
    VbdNotRemovableMediaError,
    VdiReadonlyError,
)
from xapi_shim.datamodel.types import NULL_REF
from xapi_shim.rpc.values import Coercion

if TYPE_CHECKING:
    from xapi_shim.api.toolstack import Call
    from xapi_shim.database.database import Database
    from xapi_shim.datamodel.model import Value

MAX_VBDS = 16


def device_name(userdevice: str) -> str | None:
    """Return the guest's name of a position (`0` or `xvda`), None if it is no position.

    Names as in xen-vbd-interface(7).
    """
    if userdevice.isascii() and userdevice.isdigit() and int(userdevice) < MAX_VBDS:
        return f"xvd{chr(ord('a') + int(userdevice))}"
    if len(userdevice) == 4 and userdevice.startswith("xvd") and "a" <= userdevice[3] <= "p":
        return userdevice
    return None


def free_devices(db: Database, vm: str) -> list[str]:
    """Return the positions that have no disk, in order."""
    taken = {db.text("VBD", vbd, "device") for vbd in db.items("VM", vm, "VBDs")}
    return [str(n) for n in range(MAX_VBDS) if device_name(str(n)) not in taken]


async def create(call: Call, args: dict[str, Value]) -> str:
    """Put a disk (or an empty CD drive) into a VM; `autodetect` takes the first free device.

    A guest that runs sees it when it is plugged. Raises INVALID_DEVICE, DEVICE_ALREADY_EXISTS, VDI_READONLY,
    VBD_NOT_REMOVABLE_MEDIA, VBD_CDS_MUST_BE_READONLY, VM_BAD_POWER_STATE.
    """
    db = call.db
    values = Coercion(db.model).constructor(db.model.classes["VBD"], args)
    vm, vdi = cast("str", values["VM"]), cast("str", values["VDI"])
    empty = bool(values["empty"]) or vdi == NULL_REF
    db.assert_exists("VM", vm)
    if empty and values["type"] not in ("CD", "Floppy"):
        raise VbdNotRemovableMediaError("in constructor")
    if values["type"] == "CD" and values["mode"] != "RO":
        raise VbdCdsMustBeReadonlyError
    check_power_state(db, vm, "Halted", "Running", "Paused")
    if not empty:
        db.assert_exists("VDI", vdi)
        if values["mode"] == "RW" and db.flag("VDI", vdi, "read_only"):
            raise VdiReadonlyError(vdi)
    userdevice, device = _place(db, vm, cast("str", values["userdevice"]))
    own: dict[str, Value] = {
        "userdevice": userdevice,
        "device": device,
        "empty": empty,
        "VDI": NULL_REF if empty else vdi,
        "currently_attached": False,
    }
    with db.transaction():
        vbd = db.create("VBD", {**values, **own})
        update_drive(db, vbd)
    return vbd


def _place(db: Database, vm: str, userdevice: str) -> tuple[str, str]:
    """Return (userdevice, device)."""
    free = free_devices(db, vm)
    if userdevice == "autodetect" and free:
        userdevice = free[0]
    device = device_name(userdevice)
    if device is None:
        raise InvalidDeviceError(userdevice)
    if device in {db.text("VBD", vbd, "device") for vbd in db.items("VM", vm, "VBDs")}:
        raise DeviceAlreadyExistsError(userdevice)
    return userdevice, device


async def destroy(call: Call, self: str) -> None:
    """Take a disk out of a VM. Raises OPERATION_NOT_ALLOWED while a guest has it, OTHER_OPERATION_IN_PROGRESS."""
    db = call.db
    if db.flag("VBD", self, "currently_attached") or db.flag("VBD", self, "reserved"):
        raise OperationNotAllowedError("VBD currently attached to a running VM")
    vdi = db.text("VBD", self, "VDI")
    with operation(call, "VBD", self, "unplug"), db.transaction():
        db.destroy("VBD", self)
        if db.exists("VDI", vdi):
            update_vdi(db, vdi)


async def set_mode(call: Call, self: str, value: str) -> None:
    """Set RO or RW. Raises OPERATION_NOT_ALLOWED while attached, VDI_READONLY."""
    db = call.db
    if db.flag("VBD", self, "currently_attached") or db.flag("VBD", self, "reserved"):
        raise OperationNotAllowedError("VBD currently attached to a running VM")
    vdi = db.text("VBD", self, "VDI")
    if value == "RW" and vdi != NULL_REF and db.flag("VDI", vdi, "read_only"):
        raise VdiReadonlyError(vdi)
    with db.transaction():
        db.set("VBD", self, "mode", value)
        update_drive(db, self)


async def get_allowed_vbd_devices(call: Call, vm: str) -> list[str]:
    return free_devices(call.db, vm)


MESSAGES = {
    "VBD.create": create,
    "VBD.destroy": destroy,
    "VBD.set_mode": set_mode,
    "VM.get_allowed_VBD_devices": get_allowed_vbd_devices,
}
