"""PUSB.*: the USB devices of this host, and which of them guests may be given."""

from __future__ import annotations

from typing import TYPE_CHECKING

from xapi_shim.api import vdi as vdi_messages
from xapi_shim.datamodel.errors import PusbVdiConflictError, UsbAlreadyAttachedError
from xapi_shim.host.usb_devices import UsbDevice, read_usb_devices

if TYPE_CHECKING:
    from xapi_shim.api.toolstack import Call, Toolstack
    from xapi_shim.database.database import Database
    from xapi_shim.datamodel.model import Value

# What makes a device the one that is known, when it is found again; a device may have no serial number.
IDENTITY = ("path", "vendor_id", "product_id", "serial")
# The storage driver of removable disks, and where it says which USB device one is.
REMOVABLE, USB_PATH = "udev", "usb_path"


def settle_usb(tools: Toolstack) -> None:
    """Have the records be those of the devices that are plugged in now."""
    db = tools.db
    found = {
        tuple(getattr(device, name) for name in IDENTITY): device
        for device in read_usb_devices(tools.paths.root)
    }
    known = {
        tuple(db.text("PUSB", pusb, name) for name in IDENTITY): pusb
        for pusb in db.items("host", tools.host, "PUSBs")
    }
    with db.transaction():
        for identity in known.keys() - found.keys():
            _forget(db, known[identity])
        for identity in sorted(found.keys() - known.keys()):
            _add(tools, found[identity])


def _add(tools: Toolstack, device: UsbDevice) -> None:
    """Make a device's record, in a group of its own."""
    label = f"Group of {device.vendor_id} {device.product_id} USBs"
    values: dict[str, Value] = {
        "USB_group": tools.db.create("USB_group", {"name_label": label}),
        "host": tools.host,
        "path": device.path,
        "vendor_id": device.vendor_id,
        "vendor_desc": device.vendor_desc,
        "product_id": device.product_id,
        "product_desc": device.product_desc,
        "serial": device.serial,
        "version": device.version,
        "description": device.description,
        "speed": device.speed_mbit,
    }
    tools.db.create("PUSB", values)


def _forget(db: Database, pusb: str) -> None:
    """Drop the record of a device that is gone; with it its group, where that holds no other."""
    group = db.text("PUSB", pusb, "USB_group")
    db.destroy("PUSB", pusb)
    if db.exists("USB_group", group) and not db.items("USB_group", group, "PUSBs"):
        for vusb in db.items("USB_group", group, "VUSBs"):
            db.destroy("VUSB", vusb)
        db.destroy("USB_group", group)


async def scan(call: Call, host: str) -> None:  # noqa: ARG001
    """Look which USB devices are plugged in."""
    settle_usb(call.tools)


async def set_passthrough_enabled(call: Call, self: str, value: bool) -> None:  # noqa: FBT001
    """Say whether guests may be given a device.

    Raises PUSB_VDI_CONFLICT [PUSB; VDI] where it is a disk that a VM has, USB_ALREADY_ATTACHED [PUSB; VM].
    """
    db = call.db
    if value:
        for vdi in _disks(db, self):
            if db.items("VDI", vdi, "VBDs"):
                raise PusbVdiConflictError(self, vdi)
            await vdi_messages.forget(call, vdi)
        db.set("PUSB", self, "passthrough_enabled", value=True)
        return
    vusbs = db.items("USB_group", db.text("PUSB", self, "USB_group"), "VUSBs")
    for vusb in vusbs:
        if db.flag("VUSB", vusb, "currently_attached"):
            raise UsbAlreadyAttachedError(self, db.text("VUSB", vusb, "VM"))
    with db.transaction():
        for vusb in vusbs:
            db.destroy("VUSB", vusb)
        db.set("PUSB", self, "passthrough_enabled", value=False)


def _disks(db: Database, pusb: str) -> list[str]:
    """Return the disks that are a USB device, by its path, which other hosts' devices may have too."""
    path, host = db.text("PUSB", pusb, "path"), db.text("PUSB", pusb, "host")
    repositories = [sr for sr in db.refs("SR") if db.text("SR", sr, "type") == REMOVABLE]
    # One that no host has says nothing of where its disks are.
    hosts = {sr: {db.text("PBD", pbd, "host") for pbd in db.items("SR", sr, "PBDs")} for sr in repositories}
    repositories = [sr for sr in repositories if not hosts[sr] or host in hosts[sr]]
    disks = [vdi for sr in repositories for vdi in db.items("SR", sr, "VDIs")]
    return [vdi for vdi in disks if db.mapping("VDI", vdi, "sm_config").get(USB_PATH) == path]


MESSAGES = {"PUSB.scan": scan, "PUSB.set_passthrough_enabled": set_passthrough_enabled}
