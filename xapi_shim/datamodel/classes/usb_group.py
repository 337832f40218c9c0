"""Class USB_group."""

from __future__ import annotations

from xapi_shim.datamodel.declare import dynamic, msg, param, rw
from xapi_shim.datamodel.model import ApiClass, Field, Message

FIELDS: tuple[Field, ...] = (
    dynamic("uuid", "string", "Identity that stays the same for good.", since="inverness"),
    rw("name_label", "string", "Its name.", default="", path=("name", "label"), since="inverness"),
    rw(
        "name_description",
        "string",
        "Notes about it.",
        default="",
        path=("name", "description"),
        since="inverness",
    ),
    dynamic("PUSBs", "set(ref(PUSB))", "The devices in it.", since="inverness"),
    dynamic("VUSBs", "set(ref(VUSB))", "The guests' devices that take from it.", since="inverness"),
    rw("other_config", "map(string,string)", "Settings by key, for anybody.", default={}, since="inverness"),
)

MESSAGES: tuple[Message, ...] = (
    msg(
        "create",
        (
            param("name_label", "string", ""),
            param("name_description", "string", ""),
            param("other_config", "map(string,string)", {}),
        ),
        "Make an empty group.",
        result="ref(USB_group)",
        since="inverness",
    ),
    msg("destroy", (param("self", "ref(USB_group)"),), "Remove an empty group.", since="inverness"),
)

CLASS = ApiClass(
    "USB_group",
    "USB devices that serve equally well.",
    FIELDS,
    MESSAGES,
    since="inverness",
)
