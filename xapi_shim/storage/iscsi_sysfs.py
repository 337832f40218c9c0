"""Sessions and their disks as the kernel tells of them in sysfs: reading it waits for no target."""

from __future__ import annotations

import ipaddress
from pathlib import Path
from typing import TYPE_CHECKING

from xapi_shim.storage.iscsi import Lun, Portal
from xapi_shim.storage.iscsi_records import lun_identity

if TYPE_CHECKING:
    from collections.abc import Iterator

_SECTOR = 512
_DISK = "0"  # SPC-4, 6.6.2: a direct access block device


def find_session(sysfs: Path, name: str, at: Portal) -> Path | None:
    """Return the session with the target `name` at an address."""
    for session in sorted(sysfs.glob("class/iscsi_session/session*")):
        if _text(session / "targetname") != name:
            continue
        number = session.name.removeprefix("session")
        for connection in sysfs.glob(f"class/iscsi_connection/connection{number}:*"):
            address = same_form(_text(connection / "persistent_address"))
            if (address, _text(connection / "persistent_port")) == (at.server, str(at.port)):
                return session
    return None


def read_luns(session: Path) -> tuple[Lun, ...]:
    """Return a session's disks by number, those with an identity."""
    found = (_lun(unit) for unit in disks(session))
    return tuple(sorted((lun for lun in found if lun is not None), key=lambda lun: lun.number))


def disks(session: Path) -> Iterator[Path]:
    """Yield a session's logical units that are disks."""
    for unit in sorted((session / "device").glob("target*/*:*:*:*")):
        if _text(unit / "type") == _DISK:
            yield unit


def block_of(unit: Path) -> Path | None:
    """Return the block device of a logical unit, None while the kernel has made none."""
    return next((unit / "block").glob("*"), None)


def _lun(unit: Path) -> Lun | None:
    block = block_of(unit)
    vendor, model = _text(unit / "vendor"), _text(unit / "model")
    page_80 = _bytes(unit / "vpd_pg80")
    serial = page_80[4:].decode("ascii", "replace").strip("\0 ")
    identity = lun_identity(_bytes(unit / "vpd_pg83"), serial, vendor, model)
    if block is None or not identity:
        return None
    return Lun(
        number=int(unit.name.rpartition(":")[2]),
        vendor=vendor,
        serial=serial if serial.isprintable() else "",
        size_bytes=int(_text(block / "size") or "0") * _SECTOR,
        scsi_id=identity,
        device=Path("/dev") / block.name.replace("!", "/"),
    )


def _text(path: Path) -> str:
    return _bytes(path).decode(errors="replace").strip()


def _bytes(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError:
        return b""  # it went away, or the device has no such page


def same_form(address: str) -> str:
    """Return an address as Python writes it; what is none as it is."""
    try:
        return str(ipaddress.ip_address(address.strip("[]")))
    except ValueError:
        return address
