"""Class crashdump."""

from __future__ import annotations

from xapi_shim.datamodel.declare import msg, param, written_by
from xapi_shim.datamodel.model import ApiClass, Field, Message, Role

rw, static, dynamic = written_by(Role.POOL_OPERATOR)

FIELDS: tuple[Field, ...] = (
    dynamic("uuid", "string", "Identity that stays the same for good.", write_role=Role.POOL_ADMIN),
    static("VM", "ref(VM)", "The guest that crashed."),
    static("VDI", "ref(VDI)", "The disk with its memory."),
    rw("other_config", "map(string,string)", "Settings by key, for anybody.", default={}, since="miami"),
)

MESSAGES: tuple[Message, ...] = (
    msg("destroy", (param("self", "ref(crashdump)"),), "Delete it and its disk.", role=Role.POOL_OPERATOR),
)

CLASS = ApiClass(
    "crashdump",
    "What a guest left when it crashed.",
    FIELDS,
    MESSAGES,
    state="deprecated",
)
