"""Physical interfaces as sysfs describes them (Documentation/ABI/testing/sysfs-class-net)."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from xapi_shim.network.host_interfaces import NicHardware

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

_PCI_SLOT = re.compile(r"[0-9a-f]{4,}:[0-9a-f]{2}:[0-9a-f]{2}\.[0-7]")
# Where distributions keep the names of PCI devices (pciutils, hwdata).
_PCI_IDS = ("usr/share/misc/pci.ids", "usr/share/hwdata/pci.ids")


def read_hardware(root: Path) -> dict[str, NicHardware]:
    """Return the physical interfaces below `root` (`/`), by name.

    They have a device behind them; guests' interfaces have one too, on Xen's own bus.
    """
    folder = root / "sys/class/net"
    try:
        entries = sorted(folder.iterdir())
    except OSError:
        return {}
    found = {}
    for entry in entries:
        device = entry / "device"
        if device.exists() and _link_name(device / "subsystem") not in ("xen-backend", "xen"):
            found[entry.name] = _read_nic(entry, root)
    return found


def _read_nic(entry: Path, root: Path) -> NicHardware:
    pci = pci_folder(entry / "device")
    vendor = _read(pci / "vendor").removeprefix("0x") if pci else ""
    device = _read(pci / "device").removeprefix("0x") if pci else ""
    names = pci_names(_pci_ids_lines(root), vendor, device) if pci else ("", "")
    speed = _read(entry / "speed")
    return NicHardware(
        carrier=_read(entry / "carrier") == "1",
        speed_mbit=int(speed) if speed.isdigit() else 0,  # -1 where the driver does not know
        full_duplex=_read(entry / "duplex") == "full",
        vendor_id=vendor,
        device_id=device,
        vendor_name=names[0],
        device_name=names[1],
        pci_bus_path=pci.name if pci else "",
        driver=_link_name(entry / "device" / "driver"),
    )


def pci_folder(device: Path) -> Path | None:
    """Return the nearest PCI device at or above a device; virtio's sit one below theirs."""
    resolved = device.resolve()
    return next((p for p in (resolved, *resolved.parents) if _PCI_SLOT.fullmatch(p.name)), None)


def pci_names(lines: Iterable[str], vendor: str, device: str) -> tuple[str, str]:
    """Return the names that pci.ids gives a vendor and its device, empty for unknown ones."""
    vendor_name = ""
    for line in lines:
        if vendor_name and line[:1] not in ("\t", "#", ""):
            return vendor_name, ""  # the next vendor begins
        if not vendor_name and line.startswith(f"{vendor}  "):
            vendor_name = line[len(vendor) :].strip()
        elif vendor_name and line.startswith(f"\t{device}  "):
            return vendor_name, line[len(device) + 1 :].strip()
    return vendor_name, ""


def _pci_ids_lines(root: Path) -> list[str]:
    for name in _PCI_IDS:
        text = _read(root / name)
        if text:
            return text.splitlines()
    return []


def _link_name(path: Path) -> str:
    """Return the last part of where a link points, nothing where there is none."""
    try:
        return path.readlink().name
    except OSError:
        return ""


def _read(path: Path) -> str:
    """Return a file's text; sysfs answers EINVAL for the speed of an interface that is down."""
    try:
        return path.read_text(encoding="utf-8", errors="replace").strip()
    except OSError:
        return ""
