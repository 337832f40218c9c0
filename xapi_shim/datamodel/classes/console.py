"""Class console."""

from __future__ import annotations

from xapi_shim.datamodel.declare import dynamic, rw
from xapi_shim.datamodel.model import ApiClass, Field, Message, Role

CONSTRUCTOR = (
    "other_config", "port",
)  # fmt: skip

FIELDS: tuple[Field, ...] = (
    dynamic("uuid", "string"),
    dynamic("protocol", "enum(console_protocol)", write_role=Role.VM_ADMIN),
    dynamic("location", "string", write_role=Role.VM_ADMIN),
    dynamic("VM", "ref(VM)", write_role=Role.VM_ADMIN),
    rw("other_config", "map(string,string)", write_role=Role.VM_ADMIN),
    rw("port", "int", internal=True, write_role=Role.VM_ADMIN),
)

MESSAGES: tuple[Message, ...] = ()

CLASS = ApiClass(
    "console",
    "A way to see and operate a VM.",
    FIELDS,
    MESSAGES,
    has_constructor=True,
    constructor_role=Role.VM_ADMIN,
    constructor=CONSTRUCTOR,
)
