"""Class subject."""

from __future__ import annotations

from xapi_shim.datamodel.declare import dynamic, msg, param, static
from xapi_shim.datamodel.model import ApiClass, Field, Message, Role

CONSTRUCTOR = (
    "subject_identifier", "other_config",
)  # fmt: skip

FIELDS: tuple[Field, ...] = (
    dynamic("uuid", "string", "Identity that stays the same for good."),
    static(
        "subject_identifier",
        "string",
        "The directory's identifier of the user or group.",
        default="",
        since="george",
    ),
    static(
        "other_config", "map(string,string)", "What the directory says of it.", default={}, since="george"
    ),
    dynamic(
        "roles",
        "set(ref(role))",
        "What it may do.",
        default=["OpaqueRef:0165f154-ba3e-034e-6b27-5d271af109ba"],
        since="midnight-ride",
    ),
)

MESSAGES: tuple[Message, ...] = (
    msg(
        "add_to_roles",
        (param("self", "ref(subject)"), param("role", "ref(role)")),
        "Give it a role.",
        is_async=False,
        since="midnight-ride",
    ),
    msg(
        "remove_from_roles",
        (param("self", "ref(subject)"), param("role", "ref(role)")),
        "Take a role from it.",
        is_async=False,
        since="midnight-ride",
    ),
    msg(
        "get_permissions_name_label",
        (param("self", "ref(subject)"),),
        "List what it may do, by name.",
        result="set(string)",
        role=Role.READ_ONLY,
        is_async=False,
        since="midnight-ride",
    ),
)

CLASS = ApiClass(
    "subject",
    "A user or group of a directory that may log in.",
    FIELDS,
    MESSAGES,
    since="george",
    has_constructor=True,
    constructor=CONSTRUCTOR,
)
