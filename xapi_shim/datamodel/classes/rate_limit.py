"""Class Rate_limit."""

from __future__ import annotations

from xapi_shim.datamodel.declare import dynamic, msg, param, rw, static
from xapi_shim.datamodel.model import ApiClass, Field, Message

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
    dynamic(
        "callers", "set(ref(Caller))", "The clients that it holds for.", since="26.17.0", state="prototyped"
    ),
    static(
        "burst_size",
        "float",
        "How much may be asked at once.",
        default=0.0,
        since="26.17.0",
        state="prototyped",
    ),
    static(
        "fill_rate",
        "float",
        "How much more may be asked each second.",
        default=0.0,
        since="26.17.0",
        state="prototyped",
    ),
)

MESSAGES: tuple[Message, ...] = (
    msg(
        "add_caller",
        (param("self", "ref(Rate_limit)"), param("caller", "ref(Caller)")),
        "Hold a client to it.",
        since="26.17.0",
        state="prototyped",
    ),
    msg(
        "remove_caller",
        (param("self", "ref(Rate_limit)"), param("caller", "ref(Caller)")),
        "Hold a client to it no more.",
        since="26.17.0",
        state="prototyped",
    ),
    msg(
        "set_burst_size",
        (param("self", "ref(Rate_limit)"), param("value", "float")),
        "Choose how much may be asked at once.",
        since="26.17.0",
        state="prototyped",
    ),
    msg(
        "set_fill_rate",
        (param("self", "ref(Rate_limit)"), param("value", "float")),
        "Choose how much more may be asked each second.",
        since="26.17.0",
        state="prototyped",
    ),
)

CLASS = ApiClass(
    "Rate_limit",
    "How much clients may ask in a time.",
    FIELDS,
    MESSAGES,
    since="26.17.0",
    state="prototyped",
    has_constructor=True,
    plain_constructor=False,
    constructor=(
        "name_label",
        "name_description",
        "burst_size",
        "fill_rate",
    ),
)
