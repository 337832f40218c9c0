"""Class Observer."""

from __future__ import annotations

from xapi_shim.datamodel.declare import dynamic, msg, param, rw, static
from xapi_shim.datamodel.model import ApiClass, Field, Message

FIELDS: tuple[Field, ...] = (
    dynamic("uuid", "string", "Identity that stays the same for good.", since="23.14.0", state="prototyped"),
    rw("name_label", "string", "Its name.", default="", path=("name", "label")),
    rw("name_description", "string", "Notes about it.", default="", path=("name", "description")),
    static(
        "hosts",
        "set(ref(host))",
        "The hosts that trace; none means all.",
        default=[],
        since="23.14.0",
        state="prototyped",
    ),
    static(
        "attributes",
        "map(string,string)",
        "What is put on every trace, by key.",
        default={},
        since="23.14.0",
        state="prototyped",
    ),
    static(
        "endpoints", "set(string)", "Where traces are sent.", default=[], since="23.14.0", state="prototyped"
    ),
    static(
        "components",
        "set(string)",
        "The programs that trace; none means all.",
        default=[],
        since="23.14.0",
        state="prototyped",
    ),
    static("enabled", "bool", "Whether it traces.", default=False, since="23.14.0", state="prototyped"),
)

MESSAGES: tuple[Message, ...] = (
    msg(
        "register",
        (param("self", "ref(Observer)"), param("host", "ref(host)")),
        "Have one host follow it.",
        since="23.14.0",
        state="prototyped",
        hidden=True,
    ),
    msg(
        "unregister",
        (param("self", "ref(Observer)"), param("host", "ref(host)")),
        "Have one host follow it no more.",
        since="23.14.0",
        state="prototyped",
        hidden=True,
    ),
    msg(
        "set_hosts",
        (param("self", "ref(Observer)"), param("value", "set(ref(host))")),
        "Choose the hosts that trace.",
        since="23.14.0",
        state="prototyped",
    ),
    msg(
        "set_enabled",
        (param("self", "ref(Observer)"), param("value", "bool")),
        "Choose whether it traces.",
        since="23.14.0",
        state="prototyped",
    ),
    msg(
        "set_attributes",
        (param("self", "ref(Observer)"), param("value", "map(string,string)")),
        "Choose what is put on every trace.",
        since="23.14.0",
        state="prototyped",
    ),
    msg(
        "set_endpoints",
        (param("self", "ref(Observer)"), param("value", "set(string)")),
        "Choose where traces are sent.",
        since="23.14.0",
        state="prototyped",
    ),
    msg(
        "set_components",
        (param("self", "ref(Observer)"), param("value", "set(string)")),
        "Choose the programs that trace.",
        since="23.14.0",
        state="prototyped",
    ),
)

CLASS = ApiClass(
    "Observer",
    "What is traced, and where traces go.",
    FIELDS,
    MESSAGES,
    since="23.14.0",
    state="prototyped",
    has_constructor=True,
    plain_constructor=False,
    constructor=(
        "name_label",
        "name_description",
        "hosts",
        "attributes",
        "endpoints",
        "components",
        "enabled",
    ),
)
