"""Class event."""

from __future__ import annotations

from xapi_shim.datamodel.declare import msg, param, static
from xapi_shim.datamodel.model import ApiClass, Field, Message, Role

FIELDS: tuple[Field, ...] = (
    static("id", "int", write_role=Role.LOCAL_ROOT),
    static("timestamp", "datetime", state="deprecated", write_role=Role.LOCAL_ROOT),
    static("class", "string", write_role=Role.LOCAL_ROOT),
    static("operation", "enum(event_operation)", write_role=Role.LOCAL_ROOT),
    static("ref", "string", write_role=Role.LOCAL_ROOT),
    static("obj_uuid", "string", state="deprecated", write_role=Role.LOCAL_ROOT),
)

MESSAGES: tuple[Message, ...] = (
    msg("register", (param("classes", "set(string)"),), role=Role.READ_ONLY, state="deprecated"),
    msg("unregister", (param("classes", "set(string)"),), role=Role.READ_ONLY, state="deprecated"),
    msg(
        "next",
        result="set(record(event))",
        role=Role.READ_ONLY,
        is_async=False,
        errors=("SESSION_NOT_REGISTERED", "EVENTS_LOST", "EVENT_SUBSCRIPTION_PARSE_FAILURE"),
        state="deprecated",
    ),
    msg(
        "from",
        (param("classes", "set(string)"), param("token", "string"), param("timeout", "float")),
        result="set(record(event))",
        role=Role.READ_ONLY,
        is_async=False,
        errors=("EVENT_FROM_TOKEN_PARSE_FAILURE", "EVENT_SUBSCRIPTION_PARSE_FAILURE"),
        since="boston",
    ),
    msg("get_current_id", result="int", role=Role.READ_ONLY, is_async=False),
    msg(
        "inject",
        (param("class", "string"), param("ref", "string")),
        result="string",
        role=Role.READ_ONLY,
        is_async=False,
        since="tampa",
    ),
)

CLASS = ApiClass(
    "event",
    "News of a change to an object.",
    FIELDS,
    MESSAGES,
    in_database=False,
    persist=False,
    events=False,
    lists_all=False,
)
