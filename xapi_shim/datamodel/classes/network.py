"""Class network."""

from __future__ import annotations

from xapi_shim.datamodel.declare import msg, param, written_by
from xapi_shim.datamodel.model import ApiClass, Field, Message, Role

CONSTRUCTOR = (
    "name_label", "name_description", "MTU", "other_config", "bridge", "managed", "tags",
)  # fmt: skip

rw, static, dynamic = written_by(Role.VM_ADMIN)

FIELDS: tuple[Field, ...] = (
    dynamic("uuid", "string", "Identity that stays the same for good.", write_role=Role.POOL_ADMIN),
    rw(
        "name_label",
        "string",
        "The name people gave the network.",
        default="",
        path=("name", "label"),
        write_role=Role.POOL_OPERATOR,
    ),
    rw(
        "name_description",
        "string",
        "Notes about the network.",
        default="",
        path=("name", "description"),
        write_role=Role.POOL_OPERATOR,
    ),
    dynamic(
        "allowed_operations",
        "set(enum(network_operations))",
        "What may be done to the network now.",
        default=[],
        persist=False,
        write_role=Role.POOL_OPERATOR,
    ),
    dynamic(
        "current_operations",
        "map(string,enum(network_operations))",
        "What is being done to the network, by task.",
        default={},
        persist=False,
        write_role=Role.POOL_OPERATOR,
    ),
    dynamic("VIFs", "set(ref(VIF))", "Guests' interfaces on it."),
    dynamic("PIFs", "set(ref(PIF))", "Hosts' interfaces on it."),
    rw("MTU", "int", "The largest packet, in bytes.", default=1500, since="midnight-ride"),
    rw(
        "other_config",
        "map(string,string)",
        "Settings by key, for anybody.",
        write_role=Role.POOL_OPERATOR,
        key_roles={
            "folder": Role.VM_OPERATOR,
            "XenCenter.CustomFields.*": Role.VM_OPERATOR,
            "XenCenterCreateInProgress": Role.VM_OPERATOR,
        },
    ),
    static("bridge", "string", "Its bridge's name on hosts.", default=""),
    static("managed", "bool", "Whether the toolstack makes its bridge.", default=True, since="falcon"),
    dynamic("blobs", "map(string,ref(blob))", "Files attached to it.", default={}, since="orlando"),
    rw(
        "tags",
        "set(string)",
        "Words to find it by.",
        default=[],
        since="orlando",
        write_role=Role.VM_OPERATOR,
    ),
    dynamic(
        "default_locking_mode",
        "enum(network_default_locking_mode)",
        "Whether interfaces without a mode of their own are open.",
        default="unlocked",
        since="tampa",
    ),
    dynamic(
        "assigned_ips",
        "map(ref(VIF),string)",
        "Addresses given out in it, by interface.",
        default={},
        since="creedence",
    ),
    dynamic("purpose", "set(enum(network_purpose))", "What hosts use it for.", default=[], since="inverness"),
)

MESSAGES: tuple[Message, ...] = (
    msg(
        "attach",
        (param("network", "ref(network)"), param("host", "ref(host)")),
        "Bring it up on a host.",
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
        "Add an object for a network of a joining host.",
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
        "Attach room for a file to it.",
        result="ref(blob)",
        role=Role.POOL_OPERATOR,
        since="orlando",
    ),
    msg(
        "set_default_locking_mode",
        (param("network", "ref(network)"), param("value", "enum(network_default_locking_mode)")),
        "Open or shut interfaces that have no mode of their own.",
        role=Role.POOL_OPERATOR,
        since="tampa",
    ),
    msg(
        "attach_for_vm",
        (param("host", "ref(host)"), param("vm", "ref(VM)")),
        "Bring up on a host the networks of a VM.",
        role=Role.VM_POWER_ADMIN,
        since="tampa",
        hidden=True,
    ),
    msg(
        "detach_for_vm",
        (param("host", "ref(host)"), param("vm", "ref(VM)")),
        "Take down on a host the networks of a VM.",
        role=Role.VM_POWER_ADMIN,
        since="tampa",
        hidden=True,
    ),
    msg(
        "add_purpose",
        (param("self", "ref(network)"), param("value", "enum(network_purpose)")),
        "Let hosts use it for one thing more.",
        errors=("NETWORK_INCOMPATIBLE_PURPOSES",),
        since="inverness",
    ),
    msg(
        "remove_purpose",
        (param("self", "ref(network)"), param("value", "enum(network_purpose)")),
        "Let hosts use it for one thing less.",
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
