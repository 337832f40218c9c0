"""Class Driver_variant."""

from __future__ import annotations

from xapi_shim.datamodel.declare import dynamic, msg, param
from xapi_shim.datamodel.model import ApiClass, Field, Message

FIELDS: tuple[Field, ...] = (
    dynamic("uuid", "string", "Identity that stays the same for good.", since="25.2.0", state="prototyped"),
    dynamic("name", "string", "What tells it from the others.", since="25.2.0", state="prototyped"),
    dynamic(
        "driver",
        "ref(Host_driver)",
        "The driver that it is a variant of.",
        since="25.2.0",
        state="prototyped",
    ),
    dynamic("version", "string", "Its version.", since="25.2.0", state="prototyped"),
    dynamic(
        "hardware_present", "bool", "Whether the host has what it drives.", since="25.2.0", state="prototyped"
    ),
    dynamic(
        "priority",
        "float",
        "Which is taken when nobody chose: the highest.",
        since="25.2.0",
        state="prototyped",
    ),
    dynamic("status", "string", "How ready it is, as its maker says.", since="25.2.0", state="prototyped"),
)

MESSAGES: tuple[Message, ...] = (
    msg(
        "select",
        (param("self", "ref(Driver_variant)"),),
        "Have it loaded from the next restart on.",
        since="25.2.0",
        state="prototyped",
    ),
)

CLASS = ApiClass(
    "Driver_variant",
    "One build of a host's driver.",
    FIELDS,
    MESSAGES,
    since="25.2.0",
    state="prototyped",
)
