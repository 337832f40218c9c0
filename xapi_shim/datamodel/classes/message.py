"""Class message."""

from __future__ import annotations

from xapi_shim.datamodel.declare import msg, param, written_by
from xapi_shim.datamodel.model import ApiClass, Field, Message, Role

rw, static, dynamic = written_by(Role.POOL_OPERATOR)

FIELDS: tuple[Field, ...] = (
    dynamic("uuid", "string", "Identity that stays the same for good.", write_role=Role.POOL_ADMIN),
    dynamic("name", "string", "Which event it tells of."),
    dynamic("priority", "int", "How urgent it is: 1 most, 5 least."),
    dynamic("cls", "enum(cls)", "The class of what it is about.", since="orlando"),
    dynamic("obj_uuid", "string", "What it is about."),
    dynamic("timestamp", "datetime", "When it was sent."),
    dynamic("body", "string", "The text."),
)

MESSAGES: tuple[Message, ...] = (
    msg(
        "create",
        (
            param("name", "string"),
            param("priority", "int"),
            param("cls", "enum(cls)"),
            param("obj_uuid", "string"),
            param("body", "string"),
        ),
        "Send a message about an object.",
        result="ref(message)",
        role=Role.POOL_OPERATOR,
        is_async=False,
        since="orlando",
    ),
    msg(
        "destroy",
        (param("self", "ref(message)"),),
        "Delete it.",
        role=Role.POOL_OPERATOR,
        is_async=False,
        since="orlando",
    ),
    msg(
        "destroy_many",
        (param("messages", "set(ref(message))"),),
        "Delete several.",
        role=Role.POOL_OPERATOR,
        since="22.19.0",
        state="prototyped",
    ),
    msg(
        "destroy_all",
        (param("filters", "map(string,string)"),),
        "Delete those that match, or all.",
        role=Role.POOL_OPERATOR,
        since="26.6.0",
        state="prototyped",
    ),
    msg(
        "get",
        (param("cls", "enum(cls)"), param("obj_uuid", "string"), param("since", "datetime")),
        "Return the messages about an object since a time.",
        result="map(ref(message),record(message))",
        role=Role.READ_ONLY,
        is_async=False,
        since="orlando",
    ),
    msg(
        "get_all",
        (),
        "List all messages.",
        result="set(ref(message))",
        role=Role.READ_ONLY,
        is_async=False,
        since="orlando",
    ),
    msg(
        "get_since",
        (param("since", "datetime"),),
        "Return the messages since a time.",
        result="map(ref(message),record(message))",
        role=Role.READ_ONLY,
        is_async=False,
        since="orlando",
    ),
    msg(
        "get_record",
        (param("self", "ref(message)"),),
        "Return one message.",
        result="record(message)",
        role=Role.READ_ONLY,
        is_async=False,
        since="orlando",
    ),
    msg(
        "get_by_uuid",
        (param("uuid", "string"),),
        "Find a message by its uuid.",
        result="ref(message)",
        role=Role.READ_ONLY,
        is_async=False,
        since="orlando",
    ),
    msg(
        "get_all_records",
        (),
        "Return all messages with their contents.",
        result="map(ref(message),record(message))",
        role=Role.READ_ONLY,
        is_async=False,
        since="orlando",
    ),
    msg(
        "get_all_records_where",
        (param("expr", "string"),),
        "Return the messages that match, with their contents.",
        result="map(ref(message),record(message))",
        role=Role.READ_ONLY,
        is_async=False,
        since="orlando",
    ),
)

CLASS = ApiClass(
    "message",
    "News for people, such as an alert.",
    FIELDS,
    MESSAGES,
    since="orlando",
    in_database=False,
    persist=False,
    lists_all=False,
)
