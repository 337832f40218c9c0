"""Class Host_driver."""

from __future__ import annotations

from xapi_shim.datamodel.declare import dynamic, msg, param, static
from xapi_shim.datamodel.model import ApiClass, Field, Message

FIELDS: tuple[Field, ...] = (
    dynamic("uuid", "string", "Identity that stays the same for good.", since="25.2.0", state="prototyped"),
    static(
        "host",
        "ref(host)",
        "The host that it is on.",
        default="OpaqueRef:NULL",
        since="25.2.0",
        state="prototyped",
    ),
    dynamic("name", "string", "What the kernel calls it.", since="25.2.0", state="prototyped"),
    dynamic("friendly_name", "string", "What people call it.", since="25.2.0", state="prototyped"),
    dynamic(
        "variants", "set(ref(Driver_variant))", "The variants there are.", since="25.2.0", state="prototyped"
    ),
    dynamic(
        "active_variant",
        "ref(Driver_variant)",
        "The variant that is loaded.",
        since="25.2.0",
        state="prototyped",
    ),
    dynamic(
        "selected_variant",
        "ref(Driver_variant)",
        "The variant that is loaded from the next restart on.",
        since="25.2.0",
        state="prototyped",
    ),
    dynamic("type", "string", "What it drives.", since="25.2.0", state="prototyped"),
    dynamic("description", "string", "What it is, in words.", since="25.2.0", state="prototyped"),
    dynamic("info", "string", "More about it, from its maker.", since="25.2.0", state="prototyped"),
)

MESSAGES: tuple[Message, ...] = (
    msg(
        "select",
        (param("self", "ref(Host_driver)"), param("variant", "ref(Driver_variant)")),
        "Choose the variant that is loaded from the next restart on.",
        since="25.2.0",
        state="prototyped",
    ),
    msg(
        "deselect",
        (param("self", "ref(Host_driver)"),),
        "Go back to the kernel's own.",
        since="25.2.0",
        state="prototyped",
    ),
    msg(
        "rescan",
        (param("host", "ref(host)"),),
        "Look anew for the drivers of a host.",
        since="25.2.0",
        state="prototyped",
    ),
)

CLASS = ApiClass(
    "Host_driver",
    "A kernel driver of a host that has variants.",
    FIELDS,
    MESSAGES,
    since="25.2.0",
    state="prototyped",
)
