"""The templates that every pool has from the start."""

from __future__ import annotations

from typing import TYPE_CHECKING

from xapi_shim.api.vm_records import add_vm

if TYPE_CHECKING:
    from xapi_shim.database.database import Database
    from xapi_shim.datamodel.model import Value

MIB = 1 << 20
LINUX_DIRECT = "Linux kernel and ramdisk"
RESTRICTIONS = (
    '<restrictions><restriction field="memory-static-max" max="1649267441664"/>'
    '<restriction field="vcpus-max" max="32"/>'
    '<restriction property="number-of-vbds" max="16"/>'
    '<restriction property="number-of-vifs" max="16"/></restrictions>'
)


def ensure_templates(db: Database) -> None:
    """Make the default templates that are missing."""
    have = {
        db.text("VM", vm, "name_label") for vm in db.refs("VM") if db.flag("VM", vm, "is_default_template")
    }
    if LINUX_DIRECT not in have:
        add_vm(db, linux_direct())


def linux_direct() -> dict[str, Value]:
    """Return a template for guests whose kernel and ramdisk are files of the host's."""
    memory = 256 * MIB
    return {
        "name_label": LINUX_DIRECT,
        "name_description": "Boots a kernel and a ramdisk below /boot/guest (PV, or PVH with domain-type=pvh)",
        "is_a_template": True,
        "is_default_template": True,
        "memory_static_min": 64 * MIB,
        "memory_dynamic_min": memory,
        "memory_dynamic_max": memory,
        "memory_static_max": memory,
        "VCPUs_max": 1,
        "VCPUs_at_startup": 1,
        "actions_after_shutdown": "destroy",
        "actions_after_reboot": "restart",
        "actions_after_crash": "restart",
        "PV_args": "console=hvc0",
        "domain_type": "pv",
        "recommendations": RESTRICTIONS,
        "other_config": {"default_template": "true", "linux_template": "true"},
    }
