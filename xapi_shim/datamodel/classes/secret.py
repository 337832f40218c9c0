"""Class secret."""

from __future__ import annotations

from xapi_shim.datamodel.declare import dynamic, msg, param, rw
from xapi_shim.datamodel.model import ApiClass, Field, Message, Role

CONSTRUCTOR = (
    "value", "other_config",
)  # fmt: skip

FIELDS: tuple[Field, ...] = (
    dynamic("uuid", "string", "Identity that stays the same for good.", read_role=Role.POOL_OPERATOR),
    rw("value", "string", "The secret itself.", write_role=Role.POOL_OPERATOR, read_role=Role.POOL_OPERATOR),
    rw(
        "other_config",
        "map(string,string)",
        "Settings by key, for anybody.",
        default={},
        write_role=Role.POOL_OPERATOR,
    ),
)

MESSAGES: tuple[Message, ...] = (
    msg(
        "introduce",
        (param("uuid", "string"), param("value", "string"), param("other_config", "map(string,string)", {})),
        "Add a secret with the uuid it had elsewhere.",
        result="ref(secret)",
        role=Role.POOL_OPERATOR,
        is_async=False,
        since="midnight-ride",
        hidden=True,
    ),
)

CLASS = ApiClass(
    "secret",
    "A password kept out of other records.",
    FIELDS,
    MESSAGES,
    since="midnight-ride",
    events=False,
    has_constructor=True,
    constructor_role=Role.POOL_OPERATOR,
    read_role=Role.POOL_OPERATOR,
    constructor=CONSTRUCTOR,
)
