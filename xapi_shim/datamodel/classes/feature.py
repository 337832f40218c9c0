"""Class Feature."""

from __future__ import annotations

from xapi_shim.datamodel.declare import written_by
from xapi_shim.datamodel.model import ApiClass, Field, Message, Role

rw, static, dynamic = written_by(Role.LOCAL_ROOT)

FIELDS: tuple[Field, ...] = (
    dynamic(
        "uuid", "string", "Identity that stays the same for good.", since="falcon", write_role=Role.POOL_ADMIN
    ),
    static("name_label", "string", "Its name.", default="", path=("name", "label")),
    static("name_description", "string", "What it does.", default="", path=("name", "description")),
    dynamic("enabled", "bool", "Whether it is in use.", default=False, since="falcon"),
    static("experimental", "bool", "Whether it is on trial.", default=False, since="falcon"),
    static("version", "string", "Its version.", default="1.0", since="falcon"),
    dynamic("host", "ref(host)", "The host it belongs to.", since="falcon"),
)

MESSAGES: tuple[Message, ...] = ()

CLASS = ApiClass(
    "Feature",
    "An optional feature of a host.",
    FIELDS,
    MESSAGES,
    since="falcon",
)
