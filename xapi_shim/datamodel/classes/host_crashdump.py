"""Class host_crashdump."""

from __future__ import annotations

from xapi_shim.datamodel.declare import msg, param, written_by
from xapi_shim.datamodel.model import ApiClass, Field, Message, Role

rw, static, dynamic = written_by(Role.POOL_OPERATOR)

FIELDS: tuple[Field, ...] = (
    dynamic("uuid", "string", "Identity that stays the same for good.", write_role=Role.POOL_ADMIN),
    static("host", "ref(host)", "The host that crashed."),
    dynamic("timestamp", "datetime", "When it crashed."),
    dynamic("size", "int", "How long the dump is, in bytes."),
    static("filename", "string", "Where the dump is kept on the host.", internal=True),
    rw("other_config", "map(string,string)", "Settings by key, for anybody.", default={}, since="miami"),
)

MESSAGES: tuple[Message, ...] = (
    msg("destroy", (param("self", "ref(host_crashdump)"),), "Delete the dump.", role=Role.POOL_OPERATOR),
    msg(
        "upload",
        (
            param("self", "ref(host_crashdump)"),
            param("url", "string"),
            param("options", "map(string,string)"),
        ),
        "Send the dump to a URL, or to the place set for it.",
        role=Role.POOL_OPERATOR,
    ),
)

CLASS = ApiClass(
    "host_crashdump",
    "What a host left when it crashed.",
    FIELDS,
    MESSAGES,
)
