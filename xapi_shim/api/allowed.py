"""allowed_operations of what is not a VM: pure rules, and what writes their answers into the records.

Only what is implemented is offered. The answers are not stored: `update_all` gives them anew
when the daemon starts.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from xapi_shim.api.device_facts import disk_facts, drive_facts, interface_facts, vm_facts
from xapi_shim.api.device_rules import VBD_OPERATIONS, VIF_OPERATIONS, vbd_error, vif_error
from xapi_shim.datamodel.types import NULL_REF

if TYPE_CHECKING:
    from xapi_shim.database.database import Database

# What needs an attached repository, and what needs a detached one.
SR_PLUGGED = ("pbd_create", "pbd_destroy", "plug", "scan", "unplug", "update", "vdi_create", "vdi_destroy",
              "vdi_introduce", "vdi_resize")  # fmt: skip
SR_UNPLUGGED = ("destroy", "forget", "pbd_create", "pbd_destroy", "plug", "unplug")
# What does not get in each other's way at one repository.
SR_PARALLEL = frozenset({"scan", "update", "vdi_create", "vdi_destroy", "vdi_introduce", "vdi_resize"})
VDI_UNUSED = ("destroy", "forget", "resize", "update")
# What changes disks, which a library of media does not let.
CHANGES_DISKS = frozenset({"destroy", "resize", "vdi_create", "vdi_destroy", "vdi_resize"})


def vdi_operations(*, attached: bool, busy: bool, library: bool = False) -> list[str]:
    """Return what may be done to a disk; one that a guest uses stays as it is, and so does one of a `library`."""
    if busy:
        return []
    allowed = ("update",) if attached else VDI_UNUSED
    return [op for op in allowed if not library or op not in CHANGES_DISKS]


def sr_operations(*, plugged: bool, running: frozenset[str], library: bool = False) -> list[str]:
    """Return what may be done to a storage repository: with its storage, or to its record without."""
    allowed = [op for op in (SR_PLUGGED if plugged else SR_UNPLUGGED)
               if not (library and plugged and op in CHANGES_DISKS)]  # fmt: skip
    if not running:
        return allowed
    return [op for op in allowed if op in SR_PARALLEL] if running <= SR_PARALLEL else []


def host_operations(*, enabled: bool, busy: bool, wakeable: bool) -> list[str]:
    """Return what may be asked of a host; one that is disabled takes no guests, `wakeable` is one to switch on."""
    if busy:
        return []
    if wakeable:
        return ["enable", "power_on", "reboot", "shutdown"]
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
    for vif in db.items("VM", vm, "VIFs"):
        update_vif(db, vif)
    for vbd in db.items("VM", vm, "VBDs"):
        update_drive(db, vbd)
    halted = db.text("VM", vm, "power_state") == "Halted"
    for vtpm in db.items("VM", vm, "VTPMs"):
        _set(db, "VTPM", vtpm, ["destroy"] if halted and not _busy(db, "VTPM", vtpm) else [])
    for vusb in db.items("VM", vm, "VUSBs"):
        _set(db, "VUSB", vusb, [] if _busy(db, "VUSB", vusb) else ["attach"])


def update_vif(db: Database, vif: str) -> None:
    vm, facts = vm_facts(db, db.text("VIF", vif, "VM")), interface_facts(db, vif)
    _set(db, "VIF", vif, [op for op in VIF_OPERATIONS if vif_error(vm, facts, op) is None])


def update_drive(db: Database, vbd: str) -> None:
    """Recompute what may be done to a drive, to the disk in it, and to the other drives of that."""
    vdi = db.text("VBD", vbd, "VDI")
    if vdi != NULL_REF and db.exists("VDI", vdi):
        update_vdi(db, vdi)
    else:
        _update_vbd(db, vbd)


def _update_vbd(db: Database, vbd: str) -> None:
    vm, drive = vm_facts(db, db.text("VBD", vbd, "VM")), drive_facts(db, vbd)
    disk = disk_facts(db, db.text("VBD", vbd, "VDI"), vbd)
    _set(db, "VBD", vbd, [op for op in VBD_OPERATIONS if vbd_error(vm, drive, disk, op) is None])


def update_vdi(db: Database, vdi: str) -> None:
    """Recompute what may be done to a disk, and to the drives that have it."""
    vbds = [vbd for vbd in db.items("VDI", vdi, "VBDs") if db.exists("VBD", vbd)]
    attached = any(db.flag("VBD", vbd, "currently_attached") for vbd in vbds)
    library = _is_library(db, db.text("VDI", vdi, "SR"))
    _set(db, "VDI", vdi, vdi_operations(attached=attached, busy=_busy(db, "VDI", vdi), library=library))
    for vbd in vbds:
        if db.exists("VM", db.text("VBD", vbd, "VM")):
            _update_vbd(db, vbd)


def _is_library(db: Database, sr: str) -> bool:
    """Say whether an SR's disks are media, which its driver does not change."""
    return db.exists("SR", sr) and db.text("SR", sr, "content_type") == "iso"


def update_sr(db: Database, sr: str) -> None:
    plugged = any(db.flag("PBD", pbd, "currently_attached") for pbd in db.items("SR", sr, "PBDs"))
    running = frozenset(db.mapping("SR", sr, "current_operations").values())
    _set(db, "SR", sr, sr_operations(plugged=plugged, running=running, library=_is_library(db, sr)))


def update_host(db: Database, host: str) -> None:
    enabled = db.flag("host", host, "enabled")
    metrics = db.text("host", host, "metrics")
    live = not db.exists("host_metrics", metrics) or db.flag("host_metrics", metrics, "live")
    wakeable = not live and bool(db.text("host", host, "power_on_mode"))
    operations = host_operations(enabled=enabled, busy=_busy(db, "host", host), wakeable=wakeable)
    _set(db, "host", host, operations)


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
