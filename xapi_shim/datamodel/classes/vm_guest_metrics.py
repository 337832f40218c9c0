"""Class VM_guest_metrics."""

from __future__ import annotations

from xapi_shim.datamodel.declare import written_by
from xapi_shim.datamodel.model import ApiClass, Field, Message, Role

rw, static, dynamic = written_by(Role.VM_ADMIN)

FIELDS: tuple[Field, ...] = (
    dynamic("uuid", "string", "Identity that stays the same for good.", write_role=Role.POOL_ADMIN),
    dynamic("os_version", "map(string,string)", "Its operating system's name and versions."),
    dynamic(
        "netbios_name",
        "map(string,string)",
        "Its Windows network names.",
        default={},
        since="24.28.0",
        state="prototyped",
    ),
    dynamic("PV_drivers_version", "map(string,string)", "The versions of its drivers."),
    dynamic("PV_drivers_up_to_date", "bool", "Whether its drivers were current.", state="deprecated"),
    dynamic(
        "memory", "map(string,string)", "Free and total memory as it saw them.", default={}, state="removed"
    ),
    dynamic("disks", "map(string,string)", "Its disks as it saw them.", default={}, state="removed"),
    dynamic("networks", "map(string,string)", "Its addresses, by interface."),
    dynamic("other", "map(string,string)", "Anything else it tells."),
    dynamic("last_updated", "datetime", "When this was last refreshed."),
    rw("other_config", "map(string,string)", "Settings by key, for anybody.", default={}, since="orlando"),
    dynamic("live", "bool", "Whether it told anything lately.", default=False, since="orlando"),
    dynamic(
        "can_use_hotplug_vbd",
        "enum(tristate_type)",
        "Whether drives may come and go while it runs.",
        default="unspecified",
        since="dundee",
    ),
    dynamic(
        "can_use_hotplug_vif",
        "enum(tristate_type)",
        "Whether interfaces may come and go while it runs.",
        default="unspecified",
        since="dundee",
    ),
    dynamic(
        "PV_drivers_detected",
        "bool",
        "Whether paravirtual drivers are at work.",
        default=False,
        since="dundee",
    ),
    dynamic(
        "services",
        "map(string,string)",
        "Services it runs, by name.",
        default={},
        since="25.15.0",
        state="prototyped",
    ),
)

MESSAGES: tuple[Message, ...] = ()

CLASS = ApiClass(
    "VM_guest_metrics",
    "What a guest says about itself.",
    FIELDS,
    MESSAGES,
)
