"""VM.create, clone, provision, destroy, and what they make beside the VM's own row."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from xapi_shim.api.emulated_devices import copy_vtpms, remove_vtpm
from xapi_shim.api.macs import random_mac
from xapi_shim.api.operations import check_not_template, check_power_state, operation, update_vm
from xapi_shim.api.vm_limits import check_memory, check_vcpus
from xapi_shim.api.vm_memory import update_overhead
from xapi_shim.api.vm_parameters import NOT_NEGATIVE, check_ha_priority, check_not_negative
from xapi_shim.datamodel.errors import (
    OperationNotAllowedError,
    VmBadPowerStateError,
    VmCannotDeleteDefaultTemplateError,
)
from xapi_shim.datamodel.types import NULL_REF
from xapi_shim.rpc.dates import NEVER, now_text
from xapi_shim.rpc.values import Coercion

if TYPE_CHECKING:
    from collections.abc import Mapping

    from xapi_shim.api.toolstack import Call
    from xapi_shim.database.database import Database
    from xapi_shim.datamodel.model import Value

# What of a VM's row belongs to the one VM, and is not taken along by a clone.
OWN = {
    "uuid", "allowed_operations", "current_operations", "power_state", "resident_on", "domid", "VBDs", "VIFs",
    "VUSBs", "VTPMs", "VGPUs", "consoles", "crash_dumps", "metrics", "guest_metrics", "snapshots", "children",
    "attached_PCIs", "is_default_template", "scheduled_to_be_resident_on", "parent", "groups", "blobs",
    "last_booted_record", "suspend_VDI", "is_a_snapshot", "snapshot_of", "name_label",
}  # fmt: skip


def add_vm(db: Database, values: Mapping[str, Value], *, ref: str | None = None) -> str:
    """Make a VM's row with its metrics; return the ref. `values` lack what every halted VM has alike."""
    with db.transaction():
        metrics = db.create(
            "VM_metrics",
            {
                "install_time": now_text(),
                "start_time": NEVER,
                "last_updated": now_text(),
                "current_domain_type": "unspecified",
            },
        )
        vm = db.create(
            "VM",
            {
                "power_state": "Halted",
                "domid": -1,
                "resident_on": NULL_REF,
                "metrics": metrics,
                "guest_metrics": NULL_REF,
                **values,
            },
            ref=ref,
        )
        update_overhead(db, vm)
        update_vm(db, vm)
    return vm


async def create(call: Call, args: dict[str, Value]) -> str:
    """Make a VM's record. Raises FIELD_TYPE_ERROR, INVALID_VALUE, MEMORY_CONSTRAINT_VIOLATION_ORDER."""
    cls = call.db.model.classes["VM"]
    values = Coercion(call.db.model).constructor(cls, args)
    check_memory(
        *(
            cast("int", values[f"memory_{name}"])
            for name in ("static_min", "dynamic_min", "dynamic_max", "static_max")
        )
    )
    check_vcpus(cast("int", values["VCPUs_at_startup"]), cast("int", values["VCPUs_max"]))
    for name in NOT_NEGATIVE:
        check_not_negative(name, cast("int", values[name]))
    check_ha_priority(cast("str", values["ha_restart_priority"]))
    if values["domain_type"] == "unspecified":
        values["domain_type"] = "hvm" if values["HVM_boot_policy"] else "pv"
    values.pop("power_state", None)
    if values.get("suspend_VDI"):
        values["suspend_VDI"] = NULL_REF
    return add_vm(call.db, values)


async def clone(call: Call, vm: str, new_name: str) -> str:
    """Copy a halted VM's or template's record and VIFs under a new name.

    Raises VM_BAD_POWER_STATE, OPERATION_NOT_ALLOWED for one with disks.
    """
    db = call.db
    check_power_state(db, vm, "Halted")
    with_disks = [v for v in db.items("VM", vm, "VBDs") if not db.flag("VBD", v, "empty")]
    if with_disks:
        raise OperationNotAllowedError("cloning disks is not supported by this storage")
    with operation(call, "VM", vm, "clone"), db.transaction():
        values = {k: v for k, v in db.values("VM", vm).items() if k not in OWN}
        if db.flag("VM", vm, "is_default_template"):
            other = dict(cast("dict[str, Value]", values["other_config"]))
            other.pop("default_template", None)
            values["other_config"] = other
            values["reference_label"] = values.get("reference_label") or db.text("VM", vm, "name_label")
        new = add_vm(db, {**values, "name_label": new_name})
        copy_vtpms(db, vm, new)
        for vif in db.items("VM", vm, "VIFs"):
            keep = (
                "device",
                "network",
                "MTU",
                "other_config",
                "locking_mode",
                "ipv4_allowed",
                "ipv6_allowed",
            )
            copied = {k: db.get("VIF", vif, k) for k in keep}
            _copy_vif(db, new, copied)
    return new


def _copy_vif(db: Database, vm: str, values: Mapping[str, Value]) -> str:
    """Make a VIF for `vm` with a MAC of its own."""
    return db.create("VIF", {**values, "VM": vm, "MAC": random_mac(), "MAC_autogenerated": True})


async def provision(call: Call, vm: str) -> None:
    """Make a clone of a template a VM; templates with disks of their own are not there yet."""
    check_not_template(call.db, vm)
    check_power_state(call.db, vm, "Halted")
    if "disks" in call.db.mapping("VM", vm, "other_config"):
        raise OperationNotAllowedError("templates that describe disks are not supported")


async def destroy(call: Call, self: str) -> None:
    """Remove a halted VM's records; its disks stay. Raises VM_BAD_POWER_STATE, OPERATION_NOT_ALLOWED."""
    db = call.db
    if db.flag("VM", self, "is_control_domain"):
        raise OperationNotAllowedError("this is the control domain")
    if db.flag("VM", self, "is_default_template"):
        raise VmCannotDeleteDefaultTemplateError(self)
    state = db.text("VM", self, "power_state")
    if state != "Halted":
        raise VmBadPowerStateError(self, "halted", state.lower())
    with operation(call, "VM", self, "destroy"), db.transaction():
        for vtpm in db.items("VM", self, "VTPMs"):
            remove_vtpm(db, vtpm)
        owned = (
            ("VBD", "VBDs"),
            ("VIF", "VIFs"),
            ("VUSB", "VUSBs"),
            ("VGPU", "VGPUs"),
            ("console", "consoles"),
        )
        for cls, field in owned:
            for ref in db.items("VM", self, field):
                db.destroy(cls, ref)
        metrics = db.text("VM", self, "metrics")
        if db.exists("VM_metrics", metrics):
            db.destroy("VM_metrics", metrics)
        db.destroy("VM", self)
    call.tools.domain_locks.pop(self, None)


async def set_is_a_template(call: Call, self: str, value: bool) -> None:  # noqa: FBT001
    """Make a halted VM a template, or a template a VM. Raises VM_BAD_POWER_STATE, OPERATION_NOT_ALLOWED."""
    db = call.db
    if db.flag("VM", self, "is_control_domain") or db.flag("VM", self, "is_default_template"):
        raise OperationNotAllowedError("this VM's kind is fixed")
    check_power_state(db, self, "Halted")
    with db.transaction():
        db.set("VM", self, "is_a_template", value)
        update_vm(db, self)


async def set_domain_type(call: Call, self: str, value: str) -> None:
    """Set how a halted VM is to be run; its boot policy follows. Raises VM_BAD_POWER_STATE."""
    check_power_state(call.db, self, "Halted")
    policy = (call.db.text("VM", self, "HVM_boot_policy") or "BIOS order") if value == "hvm" else ""
    call.db.update("VM", self, domain_type=value, HVM_boot_policy=policy)
    update_overhead(call.db, self)


async def set_hvm_boot_policy(call: Call, self: str, value: str) -> None:
    """Set the boot policy; `domain_type` follows it as in the reference."""
    check_power_state(call.db, self, "Halted")
    call.db.update("VM", self, HVM_boot_policy=value, domain_type="hvm" if value else "pv")
    update_overhead(call.db, self)


async def update_allowed_operations(call: Call, self: str) -> None:
    update_vm(call.db, self)


MESSAGES = {
    "VM.create": create,
    "VM.clone": clone,
    "VM.provision": provision,
    "VM.destroy": destroy,
    "VM.set_is_a_template": set_is_a_template,
    "VM.set_domain_type": set_domain_type,
    "VM.set_HVM_boot_policy": set_hvm_boot_policy,
    "VM.update_allowed_operations": update_allowed_operations,
}
