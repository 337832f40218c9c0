"""USB devices as sysfs describes them (Documentation/ABI/stable/sysfs-bus-usb): reads only."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

# BUS-PORT[.PORT]...; "usb1" is a bus's own hub, "1-1:1.0" a device's interface.
_NAME = re.compile(r"[0-9]+-[0-9]+(\.[0-9]+)*")
# bDeviceClass of hubs (USB 2.0, 11.23.1).
_HUB = "09"


@dataclass(frozen=True)
class UsbDevice:
    """A device that is plugged in; `path` is its place (1-1.2), `speed_mbit` -1 where it is not told."""

    path: str
    vendor_id: str  # four hex digits
    vendor_desc: str
    product_id: str
    product_desc: str
    serial: str
    version: str  # of USB, such as 2.00
    speed_mbit: float

    @property
    def description(self) -> str:
        return " ".join(part for part in (self.vendor_desc, self.product_desc) if part)


def read_usb_devices(root: Path) -> tuple[UsbDevice, ...]:
    """Return the devices below `root` (`/`), hubs left out; none on a host without USB."""
    try:
        entries = sorted((root / "sys/bus/usb/devices").iterdir())
    except OSError:
        return ()
    named = [entry for entry in entries if _NAME.fullmatch(entry.name)]
    return tuple(_device(entry) for entry in named if _read(entry / "bDeviceClass") != _HUB)


def _device(entry: Path) -> UsbDevice:
    speed = _read(entry / "speed")
    return UsbDevice(
        path=entry.name,
        vendor_id=_read(entry / "idVendor"),
        vendor_desc=_read(entry / "manufacturer"),
        product_id=_read(entry / "idProduct"),
        product_desc=_read(entry / "product"),
        serial=_read(entry / "serial"),
        version=_read(entry / "version"),
        speed_mbit=float(speed) if re.fullmatch(r"[0-9]+(\.[0-9]+)?", speed) else -1.0,
    )


def _read(path: Path) -> str:
    """Return a file's text, empty for one that is not there; devices choose their own bytes."""
    try:
        return path.read_bytes().decode(errors="replace").strip()
    except OSError:
        return ""
