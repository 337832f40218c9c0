"""Class VM_guest_metrics."""

from __future__ import annotations

from xapi_shim.datamodel.declare import dynamic, rw
from xapi_shim.datamodel.model import ApiClass, Field, Message, Role

FIELDS: tuple[Field, ...] = (
    dynamic("uuid", "string"),
    dynamic("os_version", "map(string,string)", write_role=Role.VM_ADMIN),
    dynamic(
        "netbios_name",
        "map(string,string)",
        default={},
        since="24.28.0",
        state="prototyped",
        write_role=Role.VM_ADMIN,
    ),
    dynamic("PV_drivers_version", "map(string,string)", write_role=Role.VM_ADMIN),
    dynamic("PV_drivers_up_to_date", "bool", state="deprecated", write_role=Role.VM_ADMIN),
    dynamic("memory", "map(string,string)", default={}, state="removed", write_role=Role.VM_ADMIN),
    dynamic("disks", "map(string,string)", default={}, state="removed", write_role=Role.VM_ADMIN),
    dynamic("networks", "map(string,string)", write_role=Role.VM_ADMIN),
    dynamic("other", "map(string,string)", write_role=Role.VM_ADMIN),
    dynamic("last_updated", "datetime", write_role=Role.VM_ADMIN),
    rw("other_config", "map(string,string)", default={}, since="orlando", write_role=Role.VM_ADMIN),
    dynamic("live", "bool", default=False, since="orlando", write_role=Role.VM_ADMIN),
    dynamic(
        "can_use_hotplug_vbd",
        "enum(tristate_type)",
        default="unspecified",
        since="dundee",
        write_role=Role.VM_ADMIN,
    ),
    dynamic(
        "can_use_hotplug_vif",
        "enum(tristate_type)",
        default="unspecified",
        since="dundee",
        write_role=Role.VM_ADMIN,
    ),
    dynamic("PV_drivers_detected", "bool", default=False, since="dundee", write_role=Role.VM_ADMIN),
    dynamic(
        "services",
        "map(string,string)",
        default={},
        since="25.15.0",
        state="prototyped",
        write_role=Role.VM_ADMIN,
    ),
)

MESSAGES: tuple[Message, ...] = ()

CLASS = ApiClass(
    "VM_guest_metrics",
    "What a guest says about itself.",
    FIELDS,
    MESSAGES,
)
