"""Class data_source."""

from __future__ import annotations

from xapi_shim.datamodel.declare import dynamic
from xapi_shim.datamodel.model import ApiClass, Field, Message

FIELDS: tuple[Field, ...] = (
    dynamic("name_label", "string", "Its name.", default="", path=("name", "label")),
    dynamic("name_description", "string", "What it measures.", default="", path=("name", "description")),
    dynamic("enabled", "bool", "Whether it is recorded."),
    dynamic("standard", "bool", "Whether it is recorded unless told otherwise."),
    dynamic("units", "string", "What it is counted in."),
    dynamic("min", "float", "The least it can be."),
    dynamic("max", "float", "The most it can be."),
    dynamic("value", "float", "What it is now."),
)

MESSAGES: tuple[Message, ...] = ()

CLASS = ApiClass(
    "data_source",
    "One number that is measured over time.",
    FIELDS,
    MESSAGES,
    since="orlando",
    in_database=False,
    persist=False,
    events=False,
    lists_all=False,
)
