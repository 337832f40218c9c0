"""Class console."""

from __future__ import annotations

from xapi_shim.datamodel.declare import written_by
from xapi_shim.datamodel.model import ApiClass, Field, Message, Role

CONSTRUCTOR = (
    "other_config", "port",
)  # fmt: skip

rw, static, dynamic = written_by(Role.VM_ADMIN)

FIELDS: tuple[Field, ...] = (
    dynamic("uuid", "string", "Identity that stays the same for good.", write_role=Role.POOL_ADMIN),
    dynamic("protocol", "enum(console_protocol)", "What is spoken over it."),
    dynamic("location", "string", "Where clients connect to it."),
    dynamic("VM", "ref(VM)", "The VM that it shows."),
    rw("other_config", "map(string,string)", "Settings by key, for anybody."),
    rw("port", "int", "The port it is served on, on the host.", internal=True),
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
