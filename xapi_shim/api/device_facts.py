"""From records to what the rules of devices ask for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from xapi_shim.api.device_rules import DiskFacts, DriveFacts, InterfaceFacts, Running, VmFacts
from xapi_shim.datamodel.types import NULL_REF

if TYPE_CHECKING:
    from xapi_shim.database.database import Database


def running_of(db: Database, cls: str, ref: str) -> Running | None:
    """Return one of the operations that go on with an object."""
    current = db.mapping(cls, ref, "current_operations")
    return next((Running(op, task) for task, op in current.items()), None)


def vm_facts(db: Database, vm: str) -> VmFacts:
    return VmFacts(
        vm,
        db.text("VM", vm, "power_state"),
        control_domain=db.flag("VM", vm, "is_control_domain"),
        lacks_drivers=_is_hvm(db, vm) and not _has_drivers(db, vm),
        running=running_of(db, "VM", vm),
    )


def _is_hvm(db: Database, vm: str) -> bool:
    kind = db.text("VM", vm, "domain_type")
    return kind == "hvm" or (kind == "unspecified" and bool(db.text("VM", vm, "HVM_boot_policy")))


def _has_drivers(db: Database, vm: str) -> bool:
    metrics = db.text("VM", vm, "guest_metrics")
    return db.exists("VM_guest_metrics", metrics) and db.flag(
        "VM_guest_metrics", metrics, "PV_drivers_detected"
    )


def drive_facts(db: Database, vbd: str) -> DriveFacts:
    return DriveFacts(
        vbd,
        attached=db.flag("VBD", vbd, "currently_attached"),
        empty=db.flag("VBD", vbd, "empty") or db.text("VBD", vbd, "VDI") == NULL_REF,
        removable=db.text("VBD", vbd, "type") in ("CD", "Floppy"),
        unpluggable=db.flag("VBD", vbd, "unpluggable"),
        read_only=db.text("VBD", vbd, "mode") == "RO",
        running=running_of(db, "VBD", vbd),
    )


def disk_facts(db: Database, vdi: str, vbd: str) -> DiskFacts | None:
    """Return what is to be known of a disk by who wants it in `vbd`; None where there is none."""
    if vdi == NULL_REF or not db.exists("VDI", vdi):
        return None
    others = [
        db.text("VBD", other, "mode")
        for other in db.items("VDI", vdi, "VBDs")
        if other != vbd and (db.flag("VBD", other, "currently_attached") or db.flag("VBD", other, "reserved"))
    ]
    return DiskFacts(
        vdi,
        db.text("VDI", vdi, "SR"),
        read_only=db.flag("VDI", vdi, "read_only"),
        sharable=db.flag("VDI", vdi, "sharable"),
        missing=db.flag("VDI", vdi, "missing"),
        readers=others.count("RO"),
        writers=others.count("RW"),
        running=running_of(db, "VDI", vdi),
    )


def effective_mode(db: Database, vif: str, *, network: str | None = None) -> str:
    """Return an interface's mode, its network's where it has none; as if on `network` where one is given."""
    mode = db.text("VIF", vif, "locking_mode")
    if mode != "network_default":
        return mode
    network = network or db.text("VIF", vif, "network")
    return (
        db.text("network", network, "default_locking_mode") if db.exists("network", network) else "unlocked"
    )


def interface_facts(db: Database, vif: str) -> InterfaceFacts:
    return InterfaceFacts(
        vif,
        attached=db.flag("VIF", vif, "currently_attached"),
        filtered=effective_mode(db, vif) != "unlocked",
        running=running_of(db, "VIF", vif),
    )
