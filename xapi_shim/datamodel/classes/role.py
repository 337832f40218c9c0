"""Class role."""

from __future__ import annotations

from xapi_shim.datamodel.declare import dynamic, msg, param, static
from xapi_shim.datamodel.model import ApiClass, Field, Message, Role

FIELDS: tuple[Field, ...] = (
    dynamic("uuid", "string", "Identity that stays the same for good."),
    static("name_label", "string", "Its name.", default="", path=("name", "label"), since="midnight-ride"),
    static(
        "name_description",
        "string",
        "What it is for.",
        default="",
        path=("name", "description"),
        since="midnight-ride",
    ),
    static(
        "subroles", "set(ref(role))", "The roles and permissions in it.", default=[], since="midnight-ride"
    ),
    dynamic(
        "is_internal", "bool", "Whether it is for the toolstack's own use.", default=False, since="22.5.0"
    ),
)

MESSAGES: tuple[Message, ...] = (
    msg(
        "get_permissions",
        (param("self", "ref(role)"),),
        "List the permissions it comes down to.",
        result="set(ref(role))",
        role=Role.READ_ONLY,
        is_async=False,
        since="midnight-ride",
    ),
    msg(
        "get_permissions_name_label",
        (param("self", "ref(role)"),),
        "List the permissions it comes down to, by name.",
        result="set(string)",
        role=Role.READ_ONLY,
        is_async=False,
        since="midnight-ride",
    ),
    msg(
        "get_by_permission",
        (param("permission", "ref(role)"),),
        "List the roles with a permission.",
        result="set(ref(role))",
        role=Role.READ_ONLY,
        is_async=False,
        since="midnight-ride",
    ),
    msg(
        "get_by_permission_name_label",
        (param("label", "string"),),
        "List the roles with a permission of that name.",
        result="set(ref(role))",
        role=Role.READ_ONLY,
        is_async=False,
        since="midnight-ride",
    ),
)

CLASS = ApiClass(
    "role",
    "A set of permissions, or one permission.",
    FIELDS,
    MESSAGES,
    since="midnight-ride",
)
