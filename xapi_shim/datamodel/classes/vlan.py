"""Class VLAN."""

from __future__ import annotations

from xapi_shim.datamodel.declare import msg, param, written_by
from xapi_shim.datamodel.model import ApiClass, Field, Message, Role

rw, static, dynamic = written_by(Role.POOL_OPERATOR)

FIELDS: tuple[Field, ...] = (
    dynamic("uuid", "string", "Identity that stays the same for good.", write_role=Role.POOL_ADMIN),
    static(
        "tagged_PIF",
        "ref(PIF)",
        "The interface that tagged packets go through.",
        default="OpaqueRef:NULL",
        since="miami",
    ),
    dynamic(
        "untagged_PIF",
        "ref(PIF)",
        "The interface that shows them without their tag.",
        default="OpaqueRef:NULL",
        since="miami",
    ),
    static("tag", "int", "The tag's number.", default=-1, since="miami"),
    rw("other_config", "map(string,string)", "Settings by key, for anybody.", default={}, since="miami"),
)

MESSAGES: tuple[Message, ...] = (
    msg(
        "pool_introduce",
        (
            param("tagged_PIF", "ref(PIF)"),
            param("untagged_PIF", "ref(PIF)"),
            param("tag", "int"),
            param("other_config", "map(string,string)"),
        ),
        "Add an object for a VLAN of a joining host.",
        result="ref(VLAN)",
        role=Role.POOL_OPERATOR,
        since="inverness",
        hidden=True,
    ),
    msg(
        "create",
        (param("tagged_PIF", "ref(PIF)"), param("tag", "int"), param("network", "ref(network)")),
        "Tag a network on an interface.",
        result="ref(VLAN)",
        role=Role.POOL_OPERATOR,
        since="miami",
    ),
    msg(
        "destroy",
        (param("self", "ref(VLAN)"),),
        "Remove the VLAN and its interface.",
        role=Role.POOL_OPERATOR,
        since="miami",
    ),
)

CLASS = ApiClass(
    "VLAN",
    "A tagged network on top of an interface.",
    FIELDS,
    MESSAGES,
    since="miami",
)
