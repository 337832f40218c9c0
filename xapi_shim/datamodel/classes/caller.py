"""Class Caller."""

from __future__ import annotations

from xapi_shim.datamodel.declare import dynamic, msg, param, rw, static
from xapi_shim.datamodel.model import ApiClass, Field, Message, Role

FIELDS: tuple[Field, ...] = (
    dynamic("uuid", "string", "Identity that stays the same for good.", since="26.17.0", state="prototyped"),
    rw(
        "name_label",
        "string",
        "Its name.",
        default="",
        path=("name", "label"),
        since="26.17.0",
        state="prototyped",
    ),
    rw(
        "name_description",
        "string",
        "Notes about it.",
        default="",
        path=("name", "description"),
        since="26.17.0",
        state="prototyped",
    ),
    static(
        "user_agent",
        "string",
        "What it calls itself in requests.",
        default="",
        since="26.17.0",
        state="prototyped",
    ),
    static(
        "client_ip",
        "string",
        "The address that it calls from.",
        default="",
        since="26.17.0",
        state="prototyped",
    ),
    dynamic(
        "last_access",
        "datetime",
        "When it last called.",
        default="19700101T00:00:00Z",
        since="26.17.0",
        state="prototyped",
    ),
    dynamic(
        "groups",
        "set(string)",
        "The groups that it is counted with.",
        default=[],
        since="26.17.0",
        state="prototyped",
    ),
    dynamic(
        "rate_limit",
        "ref(Rate_limit)",
        "The limit that it is held to.",
        default="OpaqueRef:NULL",
        since="26.17.0",
        state="prototyped",
    ),
    dynamic(
        "auto_registered",
        "bool",
        "Whether it was recorded when it first called, not by hand.",
        default=False,
        since="26.17.0",
        state="prototyped",
    ),
)

MESSAGES: tuple[Message, ...] = (
    msg(
        "add_group",
        (param("self", "ref(Caller)"), param("group", "string")),
        "Count it with a group.",
        role=Role.POOL_OPERATOR,
        since="26.17.0",
        state="prototyped",
    ),
    msg(
        "remove_group",
        (param("self", "ref(Caller)"), param("group", "string")),
        "Count it with a group no more.",
        role=Role.POOL_OPERATOR,
        since="26.17.0",
        state="prototyped",
    ),
    msg(
        "query_token_usage",
        (param("self", "ref(Caller)"),),
        "Return how much of its allowance it used of late.",
        result="float",
        role=Role.POOL_OPERATOR,
        since="26.15.0",
        state="prototyped",
    ),
    msg(
        "query_call_count",
        (param("self", "ref(Caller)"),),
        "Return how often it called of late.",
        result="int",
        role=Role.POOL_OPERATOR,
        since="26.15.0",
        state="prototyped",
    ),
    msg(
        "query_group_token_usage",
        (param("group", "string"),),
        "Return how much of their allowance a group's callers used of late.",
        result="float",
        role=Role.POOL_OPERATOR,
        since="26.15.0",
        state="prototyped",
    ),
    msg(
        "query_group_call_count",
        (param("group", "string"),),
        "Return how often a group's callers called of late.",
        result="int",
        role=Role.POOL_OPERATOR,
        since="26.15.0",
        state="prototyped",
    ),
    msg(
        "query_all_usage",
        (),
        "Return the figures of every caller.",
        result="set(set(string))",
        role=Role.POOL_OPERATOR,
        since="26.17.0",
        state="prototyped",
    ),
)

CLASS = ApiClass(
    "Caller",
    "A client, known by its name for itself or its address.",
    FIELDS,
    MESSAGES,
    since="26.17.0",
    state="prototyped",
    has_constructor=True,
    plain_constructor=False,
    constructor=(
        "name_label",
        "name_description",
        "user_agent",
        "client_ip",
    ),
)
