"""Class VBD."""

from __future__ import annotations

from xapi_shim.datamodel.declare import msg, param, written_by
from xapi_shim.datamodel.model import ApiClass, Field, Message, Role

CONSTRUCTOR = (
    "VM", "VDI", "device", "userdevice", "bootable", "mode", "type", "unpluggable", "empty", "other_config",
    "currently_attached", "qos_algorithm_type", "qos_algorithm_params",
)  # fmt: skip

rw, static, dynamic = written_by(Role.VM_ADMIN)

FIELDS: tuple[Field, ...] = (
    dynamic("uuid", "string", "Identity that stays the same for good.", write_role=Role.POOL_ADMIN),
    dynamic(
        "allowed_operations",
        "set(enum(vbd_operations))",
        "What may be done to the drive now.",
        default=[],
        persist=False,
    ),
    dynamic(
        "current_operations",
        "map(string,enum(vbd_operations))",
        "What is being done to the drive, by task.",
        default={},
        persist=False,
    ),
    static("VM", "ref(VM)", "The VM it belongs to."),
    static("VDI", "ref(VDI)", "The disk that is in it."),
    static("device", "string", "Its name in the guest.", default=""),
    rw("userdevice", "string", "Its number or name as the user wants it."),
    rw("bootable", "bool", "Whether it is booted from."),
    static("mode", "enum(vbd_mode)", "Whether it may be written."),
    rw("type", "enum(vbd_type)", "Whether it is a disk drive or a disc drive."),
    rw("unpluggable", "bool", "Whether it may go while the guest runs.", default=True, since="miami"),
    dynamic("storage_lock", "bool", "Whether the storage has it locked."),
    static("empty", "bool", "Whether nothing is in it."),
    dynamic("reserved", "bool", "Whether an operation has it in use.", default=False, internal=True),
    rw("other_config", "map(string,string)", "Settings by key, for anybody."),
    static("currently_attached", "bool", "Whether the guest has it now.", default=False),
    dynamic("status_code", "int", "The error of the last operation; 0 for none."),
    dynamic("status_detail", "string", "The error of the last operation, in words."),
    dynamic("runtime_properties", "map(string,string)", "What the storage driver says of it."),
    rw(
        "qos_algorithm_type",
        "string",
        "How its use is limited; empty for not.",
        path=("qos", "algorithm_type"),
    ),
    rw(
        "qos_algorithm_params",
        "map(string,string)",
        "Numbers for the limit.",
        path=("qos", "algorithm_params"),
    ),
    dynamic(
        "qos_supported_algorithms",
        "set(string)",
        "Ways its use could be limited.",
        path=("qos", "supported_algorithms"),
    ),
    dynamic(
        "metrics", "ref(VBD_metrics)", "What was measured of it.", default="OpaqueRef:NULL", state="removed"
    ),
)

MESSAGES: tuple[Message, ...] = (
    msg(
        "eject",
        (param("vbd", "ref(VBD)"),),
        "Take the disc out.",
        role=Role.VM_OPERATOR,
        errors=("VBD_NOT_REMOVABLE_MEDIA", "VBD_IS_EMPTY"),
    ),
    msg(
        "insert",
        (param("vbd", "ref(VBD)"), param("vdi", "ref(VDI)")),
        "Put a disc in.",
        role=Role.VM_OPERATOR,
        errors=("VBD_NOT_REMOVABLE_MEDIA", "VBD_NOT_EMPTY"),
    ),
    msg("plug", (param("self", "ref(VBD)"),), "Attach it to the running guest.", role=Role.VM_ADMIN),
    msg(
        "unplug",
        (param("self", "ref(VBD)"),),
        "Ask the guest to release it.",
        role=Role.VM_ADMIN,
        errors=("DEVICE_DETACH_REJECTED", "DEVICE_ALREADY_DETACHED"),
    ),
    msg("unplug_force", (param("self", "ref(VBD)"),), "Take it from the guest at once.", role=Role.VM_ADMIN),
    msg(
        "unplug_force_no_safety_check",
        (param("self", "ref(VBD)"),),
        "Take it from the guest, whatever the guest says.",
        role=Role.VM_ADMIN,
        since="symc",
        state="deprecated",
        hidden=True,
    ),
    msg(
        "assert_attachable",
        (param("self", "ref(VBD)"),),
        "Fail if it could not be attached now.",
        role=Role.VM_ADMIN,
    ),
    msg(
        "pause",
        (param("self", "ref(VBD)"),),
        "Hold its requests back; return a token.",
        result="string",
        role=Role.VM_ADMIN,
        since="symc",
        hidden=True,
    ),
    msg(
        "unpause",
        (param("self", "ref(VBD)"), param("token", "string", "")),
        "Let its requests go on.",
        role=Role.VM_ADMIN,
        since="symc",
        hidden=True,
    ),
    msg(
        "set_mode",
        (param("self", "ref(VBD)"), param("value", "enum(vbd_mode)")),
        "Choose whether it may be written.",
        role=Role.VM_ADMIN,
    ),
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
