"""Class event."""

from __future__ import annotations

from xapi_shim.datamodel.declare import msg, param, written_by
from xapi_shim.datamodel.model import ApiClass, Field, Message, Role

rw, static, dynamic = written_by(Role.LOCAL_ROOT)

FIELDS: tuple[Field, ...] = (
    static("id", "int", "Where in the order of all changes it stands."),
    static("timestamp", "datetime", "When it happened; always zero now.", state="deprecated"),
    static("class", "string", "The class of what changed, in lower case."),
    static("operation", "enum(event_operation)", "Whether something came, went or changed."),
    static("ref", "string", "What changed."),
    static("obj_uuid", "string", "The uuid of what changed.", state="deprecated"),
)

MESSAGES: tuple[Message, ...] = (
    msg(
        "register",
        (param("classes", "set(string)"),),
        "Begin to queue changes of some classes for this session.",
        role=Role.READ_ONLY,
        state="deprecated",
    ),
    msg(
        "unregister",
        (param("classes", "set(string)"),),
        "Stop queueing changes of some classes.",
        role=Role.READ_ONLY,
        state="deprecated",
    ),
    msg(
        "next",
        (),
        "Wait for queued changes and return them.",
        result="set(record(event))",
        role=Role.READ_ONLY,
        is_async=False,
        errors=("SESSION_NOT_REGISTERED", "EVENTS_LOST", "EVENT_SUBSCRIPTION_PARSE_FAILURE"),
        state="deprecated",
    ),
    msg(
        "from",
        (param("classes", "set(string)"), param("token", "string"), param("timeout", "float")),
        "Return what changed since a token, waiting if nothing did.",
        result="set(record(event))",
        role=Role.READ_ONLY,
        is_async=False,
        errors=("EVENT_FROM_TOKEN_PARSE_FAILURE", "EVENT_SUBSCRIPTION_PARSE_FAILURE"),
        since="boston",
    ),
    msg(
        "get_current_id",
        (),
        "Return the number of the newest change.",
        result="int",
        role=Role.READ_ONLY,
        is_async=False,
    ),
    msg(
        "inject",
        (param("class", "string"), param("ref", "string")),
        "Pretend that an object changed; return a token from just before.",
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
