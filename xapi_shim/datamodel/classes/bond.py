"""Class Bond."""

from __future__ import annotations

from xapi_shim.datamodel.declare import msg, param, written_by
from xapi_shim.datamodel.model import ApiClass, Field, Message, Role

rw, static, dynamic = written_by(Role.POOL_OPERATOR)

FIELDS: tuple[Field, ...] = (
    dynamic("uuid", "string", "Identity that stays the same for good.", write_role=Role.POOL_ADMIN),
    static(
        "master", "ref(PIF)", "The interface that stands for all.", default="OpaqueRef:NULL", since="miami"
    ),
    dynamic("slaves", "set(ref(PIF))", "The interfaces that are joined.", since="miami"),
    rw("other_config", "map(string,string)", "Settings by key, for anybody.", default={}, since="miami"),
    dynamic(
        "primary_slave",
        "ref(PIF)",
        "The interface that lends its address.",
        default="OpaqueRef:NULL",
        since="boston",
    ),
    dynamic(
        "mode",
        "enum(bond_mode)",
        "How traffic is shared among the interfaces.",
        default="balance-slb",
        since="boston",
    ),
    dynamic("properties", "map(string,string)", "Settings of the mode.", default={}, since="tampa"),
    dynamic("links_up", "int", "How many of its interfaces have a link.", default=0, since="tampa"),
    dynamic(
        "auto_update_mac",
        "bool",
        "Whether it takes a new address when its first interface goes.",
        default=True,
        since="quebec",
    ),
)

MESSAGES: tuple[Message, ...] = (
    msg(
        "create",
        (
            param("network", "ref(network)"),
            param("members", "set(ref(PIF))"),
            param("MAC", "string"),
            param("mode", "enum(bond_mode)", "balance-slb"),
            param("properties", "map(string,string)", {}),
        ),
        "Join interfaces into one.",
        result="ref(Bond)",
        role=Role.POOL_OPERATOR,
        since="miami",
    ),
    msg(
        "destroy",
        (param("self", "ref(Bond)"),),
        "Part the interfaces again.",
        role=Role.POOL_OPERATOR,
        since="miami",
    ),
    msg(
        "set_mode",
        (param("self", "ref(Bond)"), param("value", "enum(bond_mode)")),
        "Choose how traffic is shared.",
        role=Role.POOL_OPERATOR,
        since="boston",
    ),
    msg(
        "set_property",
        (param("self", "ref(Bond)"), param("name", "string"), param("value", "string")),
        "Change one setting of the mode.",
        role=Role.POOL_OPERATOR,
        since="tampa",
    ),
)

CLASS = ApiClass(
    "Bond",
    "Several interfaces of a host that act as one.",
    FIELDS,
    MESSAGES,
    since="miami",
)
