"""allowed_operations of what is not a VM: pure rules, and what writes their answers into the records.

Only what is implemented is offered. The answers are not stored: `update_all` gives them anew
when the daemon starts.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from xapi_shim.datamodel.types import NULL_REF

if TYPE_CHECKING:
    from xapi_shim.database.database import Database

# What needs an attached repository, and what needs a detached one.
SR_PLUGGED = ("scan", "unplug", "update", "vdi_create", "vdi_destroy", "vdi_resize")
SR_UNPLUGGED = ("destroy", "forget", "plug")


def device_operations(power_state: str, *, busy: bool) -> list[str]:
    """Return what may be done to a VBD or VIF of a VM in `power_state`."""
    return ["attach"] if power_state == "Halted" and not busy else []


def vdi_operations(*, attached: bool, busy: bool) -> list[str]:
    """Return what may be done to a disk; one that a guest uses stays as it is."""
    if busy:
        return []
    return ["update"] if attached else ["destroy", "forget", "resize", "update"]


def sr_operations(*, plugged: bool, busy: bool) -> list[str]:
    """Return what may be done to a storage repository: with its storage, or to its record without."""
    if busy:
        return []
    return list(SR_PLUGGED if plugged else SR_UNPLUGGED)


def host_operations(*, enabled: bool, busy: bool) -> list[str]:
    """Return what may be asked of a host; one that is disabled takes no guests."""
    if busy:
        return []
    return ["provision", "vm_start"] if enabled else ["enable", "reboot", "shutdown"]


def pool_operations(*, tls_verification: bool, busy: bool) -> list[str]:
    """Return what may be asked of the pool as a whole; verification is switched on once."""
    if busy:
        return []
    return [
        "cert_refresh",
        "configure_repositories",
        *([] if tls_verification else ["tls_verification_enable"]),
    ]


def _set(db: Database, cls: str, ref: str, operations: list[str]) -> None:
    db.set(cls, ref, "allowed_operations", list(operations))


def _busy(db: Database, cls: str, ref: str) -> bool:
    return bool(db.mapping(cls, ref, "current_operations"))


def update_devices(db: Database, vm: str) -> None:
    """Recompute what may be done to a VM's devices, and to the disks in them."""
    state = db.text("VM", vm, "power_state")
    for cls, field in (("VBD", "VBDs"), ("VIF", "VIFs")):
        for device in db.items("VM", vm, field):
            _set(db, cls, device, device_operations(state, busy=_busy(db, cls, device)))
    for vbd in db.items("VM", vm, "VBDs"):
        vdi = db.text("VBD", vbd, "VDI")
        if vdi != NULL_REF and db.exists("VDI", vdi):
            update_vdi(db, vdi)


def update_vdi(db: Database, vdi: str) -> None:
    attached = any(db.flag("VBD", vbd, "currently_attached") for vbd in db.items("VDI", vdi, "VBDs"))
    _set(db, "VDI", vdi, vdi_operations(attached=attached, busy=_busy(db, "VDI", vdi)))


def update_sr(db: Database, sr: str) -> None:
    plugged = any(db.flag("PBD", pbd, "currently_attached") for pbd in db.items("SR", sr, "PBDs"))
    _set(db, "SR", sr, sr_operations(plugged=plugged, busy=_busy(db, "SR", sr)))


def update_host(db: Database, host: str) -> None:
    enabled = db.flag("host", host, "enabled")
    _set(db, "host", host, host_operations(enabled=enabled, busy=_busy(db, "host", host)))


def update_pool(db: Database, pool: str) -> None:
    verifies = db.flag("pool", pool, "tls_verification_enabled")
    _set(db, "pool", pool, pool_operations(tls_verification=verifies, busy=_busy(db, "pool", pool)))


def update_all(db: Database) -> None:
    """Recompute the answers for every disk, storage repository, host and pool."""
    for vdi in db.refs("VDI"):
        update_vdi(db, vdi)
    for sr in db.refs("SR"):
        update_sr(db, sr)
    for host in db.refs("host"):
        update_host(db, host)
    for pool in db.refs("pool"):
        update_pool(db, pool)
