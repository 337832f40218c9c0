"""Class VUSB."""

from __future__ import annotations

from xapi_shim.datamodel.declare import dynamic, msg, param, rw
from xapi_shim.datamodel.model import ApiClass, Field, Message

FIELDS: tuple[Field, ...] = (
    dynamic("uuid", "string", "Identity that stays the same for good.", since="inverness"),
    dynamic(
        "allowed_operations",
        "set(enum(vusb_operations))",
        "What may be done to it now.",
        default=[],
        persist=False,
    ),
    dynamic(
        "current_operations",
        "map(string,enum(vusb_operations))",
        "What is being done to it, by task.",
        default={},
        persist=False,
    ),
    dynamic("VM", "ref(VM)", "The guest that has it.", since="inverness"),
    dynamic("USB_group", "ref(USB_group)", "The group that it takes from.", since="inverness"),
    rw("other_config", "map(string,string)", "Settings by key, for anybody.", default={}, since="inverness"),
    dynamic("currently_attached", "bool", "Whether the guest sees it now.", default=False),
)

MESSAGES: tuple[Message, ...] = (
    msg(
        "create",
        (
            param("VM", "ref(VM)"),
            param("USB_group", "ref(USB_group)"),
            param("other_config", "map(string,string)", {}),
        ),
        "Give a guest one.",
        result="ref(VUSB)",
        since="inverness",
    ),
    msg("unplug", (param("self", "ref(VUSB)"),), "Take it from the running guest.", since="inverness"),
    msg("destroy", (param("self", "ref(VUSB)"),), "Take it from the guest's record.", since="inverness"),
)

CLASS = ApiClass(
    "VUSB",
    "A guest's USB device.",
    FIELDS,
    MESSAGES,
    since="inverness",
)
