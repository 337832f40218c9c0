"""VTPM.* and VUSB.*: devices that a device model emulates, as records; a guest without one does not start with them."""

from __future__ import annotations

import base64
import binascii
from typing import TYPE_CHECKING, cast

from xapi_shim.api.operations import check_power_state
from xapi_shim.datamodel.errors import (
    DeviceAlreadyDetachedError,
    InvalidValueError,
    NotImplementedError_,
    OperationNotAllowedError,
    TooManyVusbsError,
    UsbGroupConflictError,
    VtpmMaxAmountReachedError,
)

if TYPE_CHECKING:
    from xapi_shim.api.toolstack import Call
    from xapi_shim.database.database import Database
    from xapi_shim.datamodel.model import Value

# The reference's limits a VM.
MAX_VTPMS = 1
MAX_VUSBS = 6


def add_vtpm(db: Database, vm: str, *, is_unique: bool, contents: str) -> str:
    """Make a VTPM's row, and the secret with its contents (base64, empty for a new one)."""
    with db.transaction():
        secret = db.create("secret", {"value": contents})
        return db.create(
            "VTPM",
            {"VM": vm, "is_unique": is_unique, "contents": secret, "allowed_operations": ["destroy"]},
        )


def copy_vtpms(db: Database, source: str, vm: str) -> None:
    """Give a copy of a VM copies of its VTPMs, but for those that are to stay the only ones."""
    for vtpm in db.items("VM", source, "VTPMs"):
        if not db.flag("VTPM", vtpm, "is_unique"):
            add_vtpm(db, vm, is_unique=False, contents=_contents(db, vtpm))


def remove_vtpm(db: Database, vtpm: str) -> None:
    """Remove a VTPM's row and its contents."""
    secret = db.text("VTPM", vtpm, "contents")
    with db.transaction():
        db.destroy("VTPM", vtpm)
        if db.exists("secret", secret):
            db.destroy("secret", secret)


async def create_vtpm(call: Call, vM: str, is_unique: bool) -> str:  # noqa: N803, FBT001 -- the declared name
    """Give a halted VM a VTPM. Raises VM_BAD_POWER_STATE, VTPM_MAX_AMOUNT_REACHED [amount]."""
    db = call.db
    db.assert_exists("VM", vM)
    check_power_state(db, vM, "Halted")
    if len(db.items("VM", vM, "VTPMs")) >= MAX_VTPMS:
        raise VtpmMaxAmountReachedError(str(MAX_VTPMS))
    return add_vtpm(db, vM, is_unique=is_unique, contents="")


async def destroy_vtpm(call: Call, self: str) -> None:
    """Take a VTPM from a halted VM, with its contents. Raises VM_BAD_POWER_STATE."""
    check_power_state(call.db, call.db.text("VTPM", self, "VM"), "Halted")
    remove_vtpm(call.db, self)


async def get_contents(call: Call, self: str) -> str:
    return _contents(call.db, self)


def _contents(db: Database, vtpm: str) -> str:
    secret = db.text("VTPM", vtpm, "contents")
    return db.text("secret", secret, "value") if db.exists("secret", secret) else ""


async def set_contents(call: Call, self: str, contents: str) -> None:
    """Replace a VTPM's contents. Raises INVALID_VALUE [contents; why] for what is not base64."""
    try:
        base64.b64decode(contents.encode("ascii"), validate=True)
    except (UnicodeEncodeError, binascii.Error) as error:
        # Not the value itself: it is a secret.
        raise InvalidValueError("contents", "not base64") from error
    call.db.set("secret", call.db.text("VTPM", self, "contents"), "value", contents)


async def create_vusb(call: Call, VM: str, USB_group: str, other_config: dict[str, str]) -> str:  # noqa: N803
    """Give a VM a device of a group. Raises TOO_MANY_VUSBS [number], USB_GROUP_CONFLICT [group]."""
    db = call.db
    db.assert_exists("VM", VM)
    db.assert_exists("USB_group", USB_group)
    if len(db.items("VM", VM, "VUSBs")) >= MAX_VUSBS:
        raise TooManyVusbsError(str(MAX_VUSBS))
    if db.items("USB_group", USB_group, "VUSBs"):
        raise UsbGroupConflictError(USB_group)
    values = {
        "VM": VM,
        "USB_group": USB_group,
        "other_config": other_config,
        "allowed_operations": ["attach"],
    }
    return db.create("VUSB", cast("dict[str, Value]", values))


async def destroy_vusb(call: Call, self: str) -> None:
    """Forget a VM's USB device. Raises OPERATION_NOT_ALLOWED while a guest has it."""
    if call.db.flag("VUSB", self, "currently_attached"):
        raise OperationNotAllowedError("VUSB currently attached to a running VM")
    call.db.destroy("VUSB", self)


async def unplug_vusb(call: Call, self: str) -> None:
    """Raise VM_BAD_POWER_STATE, DEVICE_ALREADY_DETACHED [ref]: no guest gets USB devices yet."""
    db = call.db
    check_power_state(db, db.text("VUSB", self, "VM"), "Running")
    if not db.flag("VUSB", self, "currently_attached"):
        raise DeviceAlreadyDetachedError(self)
    raise NotImplementedError_("VUSB.unplug of a device in a guest")


MESSAGES = {
    "VTPM.create": create_vtpm,
    "VTPM.destroy": destroy_vtpm,
    "VTPM.get_contents": get_contents,
    "VTPM.set_contents": set_contents,
    "VUSB.create": create_vusb,
    "VUSB.destroy": destroy_vusb,
    "VUSB.unplug": unplug_vusb,
}
