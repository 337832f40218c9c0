"""Class user."""

from __future__ import annotations

from xapi_shim.datamodel.declare import dynamic, rw, static
from xapi_shim.datamodel.model import ApiClass, Field, Message

FIELDS: tuple[Field, ...] = (
    dynamic("uuid", "string", "Identity that stays the same for good."),
    static("short_name", "string", "The name at login."),
    rw("fullname", "string", "The name in full."),
    rw("other_config", "map(string,string)", "Settings by key, for anybody.", default={}, since="orlando"),
)

MESSAGES: tuple[Message, ...] = ()

CLASS = ApiClass(
    "user",
    "A person known by name; subjects took its place.",
    FIELDS,
    MESSAGES,
    state="deprecated",
    events=False,
    lists_all=False,
    has_constructor=True,
    constructor=(
        "short_name",
        "fullname",
        "other_config",
    ),
)
