"""Class VBD."""

from __future__ import annotations

from xapi_shim.datamodel.declare import dynamic, msg, param, rw, static
from xapi_shim.datamodel.model import ApiClass, Field, Message, Role

CONSTRUCTOR = (
    "VM", "VDI", "device", "userdevice", "bootable", "mode", "type", "unpluggable", "empty",
    "other_config", "currently_attached", "qos_algorithm_type", "qos_algorithm_params",
)  # fmt: skip

FIELDS: tuple[Field, ...] = (
    dynamic("uuid", "string"),
    dynamic(
        "allowed_operations",
        "set(enum(vbd_operations))",
        default=[],
        persist=False,
        write_role=Role.VM_ADMIN,
    ),
    dynamic(
        "current_operations",
        "map(string,enum(vbd_operations))",
        default={},
        persist=False,
        write_role=Role.VM_ADMIN,
    ),
    static("VM", "ref(VM)", write_role=Role.VM_ADMIN),
    static("VDI", "ref(VDI)", write_role=Role.VM_ADMIN),
    static("device", "string", default="", write_role=Role.VM_ADMIN),
    rw("userdevice", "string", write_role=Role.VM_ADMIN),
    rw("bootable", "bool", write_role=Role.VM_ADMIN),
    static("mode", "enum(vbd_mode)", write_role=Role.VM_ADMIN),
    rw("type", "enum(vbd_type)", write_role=Role.VM_ADMIN),
    rw("unpluggable", "bool", default=True, since="miami", write_role=Role.VM_ADMIN),
    dynamic("storage_lock", "bool", write_role=Role.VM_ADMIN),
    static("empty", "bool", write_role=Role.VM_ADMIN),
    dynamic("reserved", "bool", default=False, internal=True, write_role=Role.VM_ADMIN),
    rw("other_config", "map(string,string)", write_role=Role.VM_ADMIN),
    static("currently_attached", "bool", default=False, write_role=Role.VM_ADMIN),
    dynamic("status_code", "int", write_role=Role.VM_ADMIN),
    dynamic("status_detail", "string", write_role=Role.VM_ADMIN),
    dynamic("runtime_properties", "map(string,string)", write_role=Role.VM_ADMIN),
    rw("qos_algorithm_type", "string", path=("qos", "algorithm_type"), write_role=Role.VM_ADMIN),
    rw(
        "qos_algorithm_params",
        "map(string,string)",
        path=("qos", "algorithm_params"),
        write_role=Role.VM_ADMIN,
    ),
    dynamic(
        "qos_supported_algorithms",
        "set(string)",
        path=("qos", "supported_algorithms"),
        write_role=Role.VM_ADMIN,
    ),
    dynamic(
        "metrics",
        "ref(VBD_metrics)",
        default="OpaqueRef:NULL",
        state="removed",
        write_role=Role.VM_ADMIN,
    ),
)

MESSAGES: tuple[Message, ...] = (
    msg(
        "eject",
        (param("vbd", "ref(VBD)"),),
        role=Role.VM_OPERATOR,
        errors=("VBD_NOT_REMOVABLE_MEDIA", "VBD_IS_EMPTY"),
    ),
    msg(
        "insert",
        (param("vbd", "ref(VBD)"), param("vdi", "ref(VDI)")),
        role=Role.VM_OPERATOR,
        errors=("VBD_NOT_REMOVABLE_MEDIA", "VBD_NOT_EMPTY"),
    ),
    msg("plug", (param("self", "ref(VBD)"),), role=Role.VM_ADMIN),
    msg(
        "unplug",
        (param("self", "ref(VBD)"),),
        role=Role.VM_ADMIN,
        errors=("DEVICE_DETACH_REJECTED", "DEVICE_ALREADY_DETACHED"),
    ),
    msg("unplug_force", (param("self", "ref(VBD)"),), role=Role.VM_ADMIN),
    msg(
        "unplug_force_no_safety_check",
        (param("self", "ref(VBD)"),),
        role=Role.VM_ADMIN,
        since="symc",
        state="deprecated",
        hidden=True,
    ),
    msg("assert_attachable", (param("self", "ref(VBD)"),), role=Role.VM_ADMIN),
    msg(
        "pause",
        (param("self", "ref(VBD)"),),
        result="string",
        role=Role.VM_ADMIN,
        since="symc",
        hidden=True,
    ),
    msg(
        "unpause",
        (param("self", "ref(VBD)"), param("token", "string", "")),
        role=Role.VM_ADMIN,
        since="symc",
        hidden=True,
    ),
    msg("set_mode", (param("self", "ref(VBD)"), param("value", "enum(vbd_mode)")), role=Role.VM_ADMIN),
)

CLASS = ApiClass(
    "VBD",
    "A virtual disk, or an empty drive, in a VM.",
    FIELDS,
    MESSAGES,
    has_constructor=True,
    constructor_role=Role.VM_ADMIN,
    constructor=CONSTRUCTOR,
)
