"""Class host_patch."""

from __future__ import annotations

from xapi_shim.datamodel.declare import msg, param, written_by
from xapi_shim.datamodel.model import ApiClass, Field, Message, Role

rw, static, dynamic = written_by(Role.POOL_OPERATOR)

FIELDS: tuple[Field, ...] = (
    dynamic("uuid", "string", "Identity that stays the same for good.", write_role=Role.POOL_ADMIN),
    static("name_label", "string", "Its name.", default="", path=("name", "label")),
    static("name_description", "string", "What it mends.", default="", path=("name", "description")),
    static("version", "string", "Its version."),
    static("host", "ref(host)", "The host that it is about."),
    dynamic("filename", "string", "Where its file is kept on the host.", internal=True),
    dynamic("applied", "bool", "Whether the host has it."),
    dynamic("timestamp_applied", "datetime", "When the host got it."),
    dynamic("size", "int", "How long its file is, in bytes."),
    static(
        "pool_patch",
        "ref(pool_patch)",
        "The hotfix as the pool knows it.",
        default="OpaqueRef:NULL",
        since="miami",
    ),
    rw("other_config", "map(string,string)", "Settings by key, for anybody.", default={}, since="miami"),
)

MESSAGES: tuple[Message, ...] = (
    msg(
        "destroy",
        (param("self", "ref(host_patch)"),),
        "Delete its file from the host.",
        role=Role.POOL_OPERATOR,
        state="deprecated",
    ),
    msg(
        "apply",
        (param("self", "ref(host_patch)"),),
        "Apply it and return what the program said.",
        result="string",
        role=Role.POOL_OPERATOR,
        state="deprecated",
    ),
)

CLASS = ApiClass(
    "host_patch",
    "A hotfix in the old form, as one host knows it.",
    FIELDS,
    MESSAGES,
    state="deprecated",
)
