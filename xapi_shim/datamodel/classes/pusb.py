"""Class PUSB."""

from __future__ import annotations

from xapi_shim.datamodel.declare import dynamic, msg, param, rw, static
from xapi_shim.datamodel.model import ApiClass, Field, Message

FIELDS: tuple[Field, ...] = (
    dynamic("uuid", "string", "Identity that stays the same for good.", since="inverness"),
    static(
        "USB_group", "ref(USB_group)", "The group that it is in.", default="OpaqueRef:NULL", since="inverness"
    ),
    static(
        "host", "ref(host)", "The host that it is plugged into.", default="OpaqueRef:NULL", since="inverness"
    ),
    static("path", "string", "The port that it is plugged into.", default="", since="inverness"),
    static("vendor_id", "string", "Its maker, in hexadecimal.", default="", since="inverness"),
    static("vendor_desc", "string", "Its maker, in words.", default="", since="inverness"),
    static("product_id", "string", "Its model, in hexadecimal.", default="", since="inverness"),
    static("product_desc", "string", "Its model, in words.", default="", since="inverness"),
    static("serial", "string", "Its serial number.", default="", since="inverness"),
    static("version", "string", "The version of USB that it speaks.", default="", since="inverness"),
    static("description", "string", "What it is, in words.", default="", since="inverness"),
    dynamic("passthrough_enabled", "bool", "Whether guests may have it.", default=False, since="inverness"),
    rw("other_config", "map(string,string)", "Settings by key, for anybody.", default={}, since="inverness"),
    static("speed", "float", "How fast it is, in Mbit/s.", default=-1.0, since="stockholm"),
)

MESSAGES: tuple[Message, ...] = (
    msg(
        "scan", (param("host", "ref(host)"),), "Look anew for what is plugged into a host.", since="inverness"
    ),
    msg(
        "set_passthrough_enabled",
        (param("self", "ref(PUSB)"), param("value", "bool")),
        "Choose whether guests may have it.",
        since="inverness",
    ),
)

CLASS = ApiClass(
    "PUSB",
    "A USB device plugged into a host.",
    FIELDS,
    MESSAGES,
    since="inverness",
)
