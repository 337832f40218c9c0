"""Class network."""

from __future__ import annotations

from xapi_shim.datamodel.declare import dynamic, msg, param, rw, static
from xapi_shim.datamodel.model import ApiClass, Field, Message, Role

CONSTRUCTOR = (
    "name_label", "name_description", "MTU", "other_config", "bridge", "managed", "tags",
)  # fmt: skip

FIELDS: tuple[Field, ...] = (
    dynamic("uuid", "string"),
    rw("name_label", "string", default="", path=("name", "label"), write_role=Role.POOL_OPERATOR),
    rw("name_description", "string", default="", path=("name", "description"), write_role=Role.POOL_OPERATOR),
    dynamic(
        "allowed_operations",
        "set(enum(network_operations))",
        default=[],
        persist=False,
        write_role=Role.POOL_OPERATOR,
    ),
    dynamic(
        "current_operations",
        "map(string,enum(network_operations))",
        default={},
        persist=False,
        write_role=Role.POOL_OPERATOR,
    ),
    dynamic("VIFs", "set(ref(VIF))", write_role=Role.VM_ADMIN),
    dynamic("PIFs", "set(ref(PIF))", write_role=Role.VM_ADMIN),
    rw("MTU", "int", default=1500, since="midnight-ride", write_role=Role.VM_ADMIN),
    rw(
        "other_config",
        "map(string,string)",
        write_role=Role.POOL_OPERATOR,
        key_roles={
            "folder": Role.VM_OPERATOR,
            "XenCenter.CustomFields.*": Role.VM_OPERATOR,
            "XenCenterCreateInProgress": Role.VM_OPERATOR,
        },
    ),
    static("bridge", "string", default="", write_role=Role.VM_ADMIN),
    static("managed", "bool", default=True, since="falcon", write_role=Role.VM_ADMIN),
    dynamic("blobs", "map(string,ref(blob))", default={}, since="orlando", write_role=Role.VM_ADMIN),
    rw("tags", "set(string)", default=[], since="orlando", write_role=Role.VM_OPERATOR),
    dynamic(
        "default_locking_mode",
        "enum(network_default_locking_mode)",
        default="unlocked",
        since="tampa",
        write_role=Role.VM_ADMIN,
    ),
    dynamic("assigned_ips", "map(ref(VIF),string)", default={}, since="creedence", write_role=Role.VM_ADMIN),
    dynamic("purpose", "set(enum(network_purpose))", default=[], since="inverness", write_role=Role.VM_ADMIN),
)

MESSAGES: tuple[Message, ...] = (
    msg(
        "attach",
        (param("network", "ref(network)"), param("host", "ref(host)")),
        role=Role.POOL_OPERATOR,
        since="miami",
        hidden=True,
    ),
    msg(
        "pool_introduce",
        (
            param("name_label", "string"),
            param("name_description", "string"),
            param("MTU", "int"),
            param("other_config", "map(string,string)"),
            param("bridge", "string"),
            param("managed", "bool"),
            param("purpose", "set(enum(network_purpose))"),
        ),
        result="ref(network)",
        role=Role.POOL_OPERATOR,
        hidden=True,
    ),
    msg(
        "create_new_blob",
        (
            param("network", "ref(network)"),
            param("name", "string"),
            param("mime_type", "string"),
            param("public", "bool", False),
        ),
        result="ref(blob)",
        role=Role.POOL_OPERATOR,
        since="orlando",
    ),
    msg(
        "set_default_locking_mode",
        (param("network", "ref(network)"), param("value", "enum(network_default_locking_mode)")),
        role=Role.POOL_OPERATOR,
        since="tampa",
    ),
    msg(
        "attach_for_vm",
        (param("host", "ref(host)"), param("vm", "ref(VM)")),
        role=Role.VM_POWER_ADMIN,
        since="tampa",
        hidden=True,
    ),
    msg(
        "detach_for_vm",
        (param("host", "ref(host)"), param("vm", "ref(VM)")),
        role=Role.VM_POWER_ADMIN,
        since="tampa",
        hidden=True,
    ),
    msg(
        "add_purpose",
        (param("self", "ref(network)"), param("value", "enum(network_purpose)")),
        errors=("NETWORK_INCOMPATIBLE_PURPOSES",),
        since="inverness",
    ),
    msg(
        "remove_purpose",
        (param("self", "ref(network)"), param("value", "enum(network_purpose)")),
        since="inverness",
    ),
)

CLASS = ApiClass(
    "network",
    "A virtual network that interfaces are plugged into.",
    FIELDS,
    MESSAGES,
    has_constructor=True,
    constructor_role=Role.VM_ADMIN,
    constructor=CONSTRUCTOR,
)
