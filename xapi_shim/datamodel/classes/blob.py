"""Class blob."""

from __future__ import annotations

from xapi_shim.datamodel.declare import msg, param, written_by
from xapi_shim.datamodel.model import ApiClass, Field, Message, Role

rw, static, dynamic = written_by(Role.POOL_OPERATOR)

FIELDS: tuple[Field, ...] = (
    dynamic("uuid", "string", "Identity that stays the same for good.", write_role=Role.POOL_ADMIN),
    rw("name_label", "string", "Its name.", default="", path=("name", "label")),
    rw("name_description", "string", "Notes about it.", default="", path=("name", "description")),
    dynamic("size", "int", "How long it is, in bytes."),
    rw("public", "bool", "Whether it can be fetched without a login.", default=False, since="tampa"),
    static("last_updated", "datetime", "When its contents were last written."),
    static("mime_type", "string", "What kind of contents it has."),
)

MESSAGES: tuple[Message, ...] = (
    msg(
        "create",
        (param("mime_type", "string"), param("public", "bool", False)),
        "Make room for a file.",
        result="ref(blob)",
        role=Role.POOL_OPERATOR,
        is_async=False,
        since="orlando",
    ),
    msg(
        "destroy",
        (param("self", "ref(blob)"),),
        "Delete the file.",
        role=Role.POOL_OPERATOR,
        is_async=False,
        since="orlando",
    ),
)

CLASS = ApiClass(
    "blob",
    "A file attached to an object.",
    FIELDS,
    MESSAGES,
    since="orlando",
)
